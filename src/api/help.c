#include "api/help.h"

#include <string.h>

#include "api/manual.h"
#include "base/builtins.h"
#include "lang/annot.h"
#include "lang/check.h"
#include "lang/parse.h"

/* ---- from the manual ---- */

/* A section under its heading, with the sections in it or without. */
static void put_section(Buf *out, const char *heading, bool is_whole)
{
    ManualSection s;
    if (!manual_find(str_of(heading), &s))
        return;
    buf_printf(out, "%s%s\n\n", out->len ? "\n" : "", heading);
    manual_put(out, is_whole ? s.whole : s.intro);
}

/* Does the word stand among those of a heading, which are apart by blanks and commas? */
static bool has_word(Str heading, Str word)
{
    for (uint32_t i = 0; i + word.len <= heading.len; i++) {
        bool begins = i == 0 || heading.ptr[i - 1] == ' ';
        char next = i + word.len < heading.len ? heading.ptr[i + word.len] : ' ';
        if (begins && (next == ' ' || next == ',') && str_eq(str_slice(heading, i, word.len), word))
            return true;
    }
    return false;
}

/* All sections inside of one that have the word in their headings. */
static void put_sections_with(Buf *out, const char *around, Str word)
{
    ManualSection outer, s;
    if (!manual_find(str_of(around), &outer))
        return;
    const char *end = outer.whole.ptr + outer.whole.len;
    for (uint32_t i = 0; manual_section(i, &s); i++)
        if (s.level > outer.level && s.heading.ptr >= outer.whole.ptr && s.heading.ptr < end &&
            has_word(s.heading, word)) {
            buf_printf(out, "\n%.*s\n\n", STR_ARG(s.heading));
            manual_put(out, s.whole);
        }
}

static bool put_rows_of(Buf *out, const char *heading, Str word, bool is_whole)
{
    ManualSection s;
    return manual_find(str_of(heading), &s) &&
           manual_put_rows(out, is_whole ? s.whole : s.intro, word);
}

/* What a section says of a word, below what there is already. */
static void put_mentions_of(Buf *out, const char *heading, Str word)
{
    ManualSection s;
    Buf text = {0};
    if (manual_find(str_of(heading), &s) && manual_put_mentions(&text, s.whole, word))
        buf_printf(out, "%s%s", out->len ? "\n" : "", text.ptr);
    buf_deinit(&text);
}

/* ---- functions, from their table ---- */

enum { HELP_INDENT = 6 };

/* Text broken at blanks, every line indented. */
static void put_wrapped(Buf *out, const char *text)
{
    size_t at = HELP_INDENT;
    buf_printf(out, "%*s", HELP_INDENT, "");
    for (const char *word = text; *word;) {
        size_t len = strcspn(word, " ");
        if (at > HELP_INDENT && at + 1 + len > MANUAL_WIDTH) {
            buf_printf(out, "\n%*s", HELP_INDENT, "");
            at = HELP_INDENT;
        } else if (at > HELP_INDENT) {
            buf_putc(out, ' ');
            at++;
        }
        buf_put(out, word, len);
        at += len;
        word += len;
        word += strspn(word, " ");
    }
    buf_putc(out, '\n');
}

static void put_function(Buf *out, const Builtin *b)
{
    Buf signature = {0};
    builtin_print(&signature, b);
    for (const char *line = signature.ptr; line && *line;) {
        size_t len = strcspn(line, "\n");
        buf_printf(out, "  %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    put_wrapped(out, b->help);
    buf_deinit(&signature);
}

static void put_functions(Buf *out)
{
    int group = -1;
    put_section(out, "Functions", false);
    for (int i = 0; i < N_BUILTINS; i++) {
        const Builtin *b = builtin_get((BuiltinId)i);
        if ((int)b->group != group) {
            buf_printf(out, "\n%s\n\n", builtin_group_name(b->group));
            group = (int)b->group;
        }
        put_function(out, b);
    }
    buf_puts(out, "\nA name? may be left out; `...` is any number of them. Null gives null unless it says\n"
                  "otherwise; aggregates skip nulls. `pipemill help split_part` has an example of one.\n");
}

static bool put_function_named(Buf *out, Str name)
{
    bool found = false;
    for (int i = 0; i < N_BUILTINS; i++) {
        const Builtin *b = builtin_get((BuiltinId)i);
        if (!str_is(name, b->name))
            continue;
        put_function(out, b);
        buf_printf(out, "\n    %s%s%s\n", b->example, *b->result ? " is " : "", b->result);
        if (*b->result && b->kind == BUILTIN_KIND_AGG)
            buf_puts(out, "    over the rows n, s = 1, b; 2, a; 4, c; null, b\n");
        found = true;
    }
    if (found) {
        Buf call = {0};
        buf_printf(&call, "%.*s(", STR_ARG(name));
        put_mentions_of(out, "Functions", buf_str(&call));
        buf_deinit(&call);
    }
    return found;
}

/* ---- statements, annotations, words ---- */

static bool put_statement(Buf *out, Str word)
{
    for (int k = 0; k < N_STMTS; k++) {
        if (!str_is(word, stmt_word((StmtKind)k)) || word.len == 0)
            continue;
        put_rows_of(out, "Statements", word, false);
        put_sections_with(out, "Statements", word);
        return true;
    }
    return false;
}

static bool put_annotation(Buf *out, Str name)
{
    AnnotKind k;
    Buf word = {0};
    if (!annot_by_name(name, &k))
        return false;
    buf_printf(&word, "@%.*s", STR_ARG(name));
    if (!put_rows_of(out, "Annotations", buf_str(&word), false)) {
        buf_puts(out, "  ");
        annot_print_usage(k, out);
        buf_putc(out, '\n');
    }
    put_mentions_of(out, "Annotations", buf_str(&word));
    buf_deinit(&word);
    return true;
}

/* Any other word of the language, and the names of types: rows about it, else what is said of it. */
static bool put_word(Buf *out, Str word)
{
    static const char *const rows[] = {"A program", "Text", "Operators", "Statements", "Jobs"};
    static const char *const texts[] = {"Values and types", "Text", "Statements"};
    enum { ENOUGH = 40 }; /* bytes: more than the word alone */
    Type type;
    bool is_type = type_by_name(word, &type);
    if (!keyword_by_text(word) && !is_type)
        return false;
    size_t from = out->len;
    Buf code = {0};
    buf_printf(&code, "`%.*s`", STR_ARG(word));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_rows_of(out, rows[i], word, false);
    for (size_t i = 0; i < sizeof texts / sizeof *texts && (is_type || out->len - from < ENOUGH); i++) {
        put_mentions_of(out, texts[i], buf_str(&code));
        is_type = false;
    }
    buf_deinit(&code);
    return out->len > from;
}

/* `??` and `**`. */
static bool put_operator(Buf *out, Str word)
{
    for (uint32_t i = 0; i < word.len; i++)
        if (!strchr("+-*/%?=!<>", word.ptr[i]))
            return false;
    return word.len && put_rows_of(out, "Operators", word, false);
}

/* What `with (...)` takes: its row in each section that has it. */
static bool put_option(Buf *out, Str word)
{
    bool is_option = false, found = false;
    for (int k = 0; k < N_OPTIONS; k++)
        is_option = is_option || str_is(word, option_info((OptionKind)k)->name);
    ManualSection s;
    Buf name = {0};
    buf_printf(&name, "%.*s:", STR_ARG(word));
    for (uint32_t i = 0; is_option && manual_section(i, &s); i++) {
        Buf rows = {0};
        if (s.level == 3 && (has_word(s.heading, STR_LIT("read")) || has_word(s.heading, STR_LIT("write"))) &&
            manual_put_rows(&rows, s.intro, buf_str(&name))) {
            buf_printf(out, "%s%.*s\n\n%s", found ? "\n" : "", STR_ARG(s.heading), rows.ptr);
            found = true;
        }
        buf_deinit(&rows);
    }
    buf_deinit(&name);
    return found;
}

/* ---- topics ---- */

typedef struct Topic {
    const char *name, *what;
    const char *headings[3]; /* of the manual; NULL: no more */
    bool is_intro;           /* without the sections in it */
} Topic;

static const Topic TOPICS[] = {
    {"syntax", "how a program is written: declarations, names, line ends, literals", {"A program", "Text"}, false},
    {"types", "types of values, null, how they print and convert", {"Values and types"}, false},
    {"operators", "operators by how they bind", {"Operators"}, false},
    {"statements", "what an op does to its table", {"Statements"}, true},
    {"functions", "functions and aggregates", {"Functions"}, true},
    {"jobs", "flows, batches, map and collect", {"Jobs"}, false},
    {"annotations", "priorities, caps and the like", {"Annotations"}, false},
    {"csv", "how CSV is read and written, and its options", {"read csv, range", "write csv"}, false},
    {"json", "how JSON lines and lines of text are read and written",
     {"read json, read lines", "write json, write lines"}, false},
    {"errors", "mistakes in a program, and rows that fail", {"Errors"}, false},
    {"style", "how `pipemill fmt` writes a program", {"Style"}, false},
    {"exit-status", "what the exit status says", {"Exit status"}, false},
    {"environment", "variables that are looked at", {"Environment"}, false},
};
#define N_TOPICS (sizeof TOPICS / sizeof *TOPICS)

const char *help_topic_name(uint32_t i, const char **what)
{
    if (i >= N_TOPICS)
        return NULL;
    if (what)
        *what = TOPICS[i].what;
    return TOPICS[i].name;
}

static bool put_topic(Buf *out, Str name)
{
    for (size_t i = 0; i < N_TOPICS; i++) {
        const Topic *t = &TOPICS[i];
        if (!str_is(name, t->name))
            continue;
        if (str_is(name, "functions"))
            put_functions(out);
        else
            for (size_t k = 0; k < 3 && t->headings[k]; k++)
                put_section(out, t->headings[k], !t->is_intro);
        return true;
    }
    return false;
}

/* Any heading of the manual, written as a topic is: not-available-yet. */
static bool put_heading(Buf *out, Str name)
{
    ManualSection s;
    bool found = false;
    for (uint32_t i = 0; !found && manual_section(i, &s); i++) {
        Buf topic = {0};
        manual_put_topic(&topic, s.heading);
        found = str_eq(name, buf_str(&topic));
        buf_deinit(&topic);
    }
    if (found) {
        buf_printf(out, "%.*s\n\n", STR_ARG(s.heading));
        manual_put(out, s.whole);
    }
    return found;
}

/* Is there a program, or a call of a function? Both stand further in than text does. */
static bool has_example(Str text)
{
    for (uint32_t i = 0; i + 5 <= text.len; i++)
        if (memcmp(text.ptr + i, "\n    ", 5) == 0 && i + 5 < text.len && text.ptr[i + 5] != ' ')
            return true;
    return false;
}

/* What says something of the word ends in an example of it. */
static bool with_example(Buf *out, size_t from, Str word)
{
    Str said = {out->ptr + from, (uint32_t)(out->len - from)};
    Buf example = {0}, at = {0};
    AnnotKind k;
    buf_printf(&at, "@%.*s", STR_ARG(word));
    bool is_annotation = !keyword_by_text(word) && annot_by_name(word, &k);
    if (!has_example(said) && manual_put_example(&example, is_annotation ? buf_str(&at) : word))
        buf_printf(out, "\n%s", example.ptr);
    buf_deinit(&example);
    buf_deinit(&at);
    return true;
}

static bool put_own(Buf *out, Str topic)
{
    size_t from = out->len;
    if (str_starts(topic, STR_LIT("@")))
        return put_annotation(out, str_slice(topic, 1, topic.len - 1)) && with_example(out, from, topic);
    bool is_word = !put_topic(out, topic) && (put_statement(out, topic) || put_annotation(out, topic) ||
                                              put_function_named(out, topic) || put_word(out, topic) || put_operator(out, topic) ||
                                              put_option(out, topic));
    return is_word ? with_example(out, from, topic) : out->len > from || put_heading(out, topic);
}

static Str first_word(Str text)
{
    uint32_t len = 0;
    while (len < text.len && text.ptr[len] != ' ')
        len++;
    return str_slice(text, 0, len);
}

/* What is called otherwise here: words of other languages, and of what files and texts are. */
static bool put_foreign(Buf *out, Str topic)
{
    static const struct {
        const char *words, *ours;
    } topics[] = {{" regex regexp pattern like grep re ", "matches"},
                  {" gzip gz zstd zst compression compress ", "compressed-files"},
                  {" glob wildcard folder directory ", "many-files"},
                  {" tsv ", "csv"},
                  {" ndjson jsonl ", "json"}};
    bool is_same;
    const char *ours = NULL, *fn = builtin_habit(topic, &is_same);
    Buf word = {0}, text = {0};
    buf_printf(&word, " %.*s ", STR_ARG(topic));
    for (size_t i = 0; i < sizeof topics / sizeof *topics && !ours; i++)
        if (strstr(topics[i].words, word.ptr))
            ours = topics[i].ours;
    if (!ours)
        ours = parse_foreign_statement(topic);
    if (!ours)
        ours = fn;
    bool found = ours && put_own(&text, first_word(str_of(ours)));
    if (found)
        buf_printf(out, "`%.*s`: see `%s`\n\n%s", STR_ARG(topic), ours, text.ptr);
    buf_deinit(&word);
    buf_deinit(&text);
    return found;
}

bool help_put(Buf *out, Str topic)
{
    if (put_own(out, topic) || put_foreign(out, topic))
        return true;
    Str first = first_word(topic); /* `group by`, `read csv` */
    return first.len < topic.len && put_own(out, first);
}

void help_each_name(void *ctx, void (*each)(void *ctx, Str name))
{
    for (size_t i = 0; i < N_TOPICS; i++)
        each(ctx, str_of(TOPICS[i].name));
    for (size_t i = 0; i < N_KEYWORDS; i++) {
        Buf scratch = {0};
        if (help_put(&scratch, KEYWORDS[i].text)) /* not words of statements that are still to come */
            each(ctx, KEYWORDS[i].text);
        buf_deinit(&scratch);
    }
    for (int i = 0; i < N_BUILTINS; i++)
        each(ctx, str_of(builtin_get((BuiltinId)i)->name));
    for (int k = 0; k < N_ANNOTS; k++)
        each(ctx, str_of(annot_info((AnnotKind)k)->name));
}
