#include "api/help.h"

#include <string.h>

#include "base/builtins.h"
#include "lang/annot.h"
#include "lang/check.h"
#include "lang/unavailable.h"

static const char LATER[] = " (not available yet)";

/* ---- texts that stand for themselves ---- */

static const char SYNTAX[] =
    "A program is a file of declarations. # starts a comment; a statement ends with its line or `;`.\n"
    "\n"
    "  use \"lib/ops.pipe\"                      declarations of another file\n"
    "  param NAME: TYPE = VALUE                set with --set NAME=VALUE\n"
    "  let NAME = EXPR                         a constant\n"
    "  schema NAME { COLUMN: TYPE, ... }       declared columns; a last `...` infers the rest\n"
    "  fn NAME(A: TYPE, ...) -> TYPE = EXPR    a function of a row\n"
    "  op NAME(PARAMETERS) { STATEMENTS }      what happens to a table (help statements)\n"
    "  job NAME { FLOWS }                      a DAG of ops\n"
    "\n"
    "A flow is a source and stages joined by `|`. A source that says `batch` is dynamic: it yields\n"
    "batches while they are already being worked on.\n"
    "\n"
    "  OP                 once, on a table\n"
    "  map OP             once per batch\n"
    "  collect OP         once, over all batches in order\n"
    "  collect            makes one table of the batches\n"
    "  let NAME = FLOW    names a flow, to branch from it\n"
    "\n"
    "OP is the name of an op, a call `top_by(10)`, statements in braces, or one statement.\n"
    "\n"
    "Operators, loosest first: if c then a else b; or; and; not; == != < <= > >= in, between,\n"
    "is null; ??; + -; * / // %; unary -; **. Texts: \"hp {hp}\" interpolates, 'raw' does not.\n"
    "Names with other characters stand in backticks: `Total (EUR)`.\n"
    "\n"
    "Examples:\n"
    "  param source: string = \"data/pokemon.csv\"\n"
    "  op strong { where hp > 100; select name, hp }\n"
    "  job all { read csv source batch 100 | map strong | collect sort by hp desc }\n";

static const char TYPES_TEXT[] =
    "  int        64 bits                        12  1_000_000\n"
    "  float      IEEE double                    0.5  1e-3\n"
    "  bool                                      true  false\n"
    "  string     UTF-8                          \"hp {hp}\"  'raw'\n"
    "  date                                      date(\"2026-01-02\")\n"
    "  timestamp  UTC, microseconds              timestamp(\"2026-01-02T03:04:05Z\")\n"
    "  duration   us ms s m h d                  250ms  1.5s  2h\n"
    "  size       B kB MB GB TB, KiB MiB GiB     64kB  1GiB\n"
    "  table      a parameter of an op           op enrich(types: table)\n"
    "\n"
    "Every column has a type before a run starts; any value may be null. int widens to float; nothing\n"
    "else converts by itself: int(x) float(x) string(x) bool(x) date(x) timestamp(x) do.\n"
    "Null in gives null out; `??` picks the first that is not null; `where` keeps only true.\n"
    "Overflow, division by zero and a failed conversion are row errors, never silent.\n"
    "\n"
    "Examples:\n"
    "  derive type2 = type2 ?? \"none\", hp_share = hp / base_total\n"
    "  derive capture_rate = int(split_part(capture_rate, \" \", 0))\n";

static const char EXIT_STATUS[] =
    "  0      done\n"
    "  1      mistakes in the program; nothing has run\n"
    "  2      wrong usage: unknown command, option, job or param; no such program file\n"
    "  3      the run failed\n"
    "  4      done, but partial: a batch or a row was skipped\n"
    "  128+n  ended by signal n: 130 after Ctrl-C\n"
    "\n"
    "Warnings never change it. The same for every command.\n"
    "\n"
    "Examples:\n"
    "  pipemill check my.pipe && echo no mistakes\n"
    "  pipemill run my.pipe || echo \"it ended with $?\"\n";

static const char ENVIRONMENT[] =
    "  NO_COLOR                     no colour, if not empty\n"
    "  CLICOLOR_FORCE, FORCE_COLOR  colour also off a terminal, if not empty and not 0\n"
    "  TERM=dumb                    no colour\n"
    "  COLUMNS                      width of charts off a terminal; else 80\n"
    "  LC_ALL, LC_CTYPE, LANG       charts and progress are drawn in ASCII where it is not UTF-8\n"
    "  PIPEMILL_BATCH=N             rows of a batch where the program leaves them open (for tests)\n"
    "  PIPEMILL_SIMD=LEVEL          vector instructions: portable, sse2, avx2, avx512 or neon; a level that this\n"
    "                               processor lacks and any other word are ignored. Results are the same for\n"
    "                               all; `pipemill --version` says which is used\n"
    "\n"
    "--color goes before all of them. A program reads the environment with env(\"NAME\") only.\n"
    "Paths are relative to the current directory; those of `use` to the file.\n"
    "\n"
    "Examples:\n"
    "  NO_COLOR=1 pipemill check my.pipe\n"
    "  COLUMNS=120 pipemill gantt run.json\n"
    "  pipemill run -e 'range 1..1 | derive home = env(\"HOME\")'\n";

/* ---- made from tables ---- */

enum { HELP_WIDTH = 88, HELP_INDENT = 6 };

/* Text broken at blanks, every line indented. */
static void put_wrapped(Buf *out, const char *text)
{
    size_t at = HELP_INDENT;
    buf_printf(out, "%*s", HELP_INDENT, "");
    for (const char *word = text; *word;) {
        size_t len = strcspn(word, " ");
        if (at > HELP_INDENT && at + 1 + len > HELP_WIDTH) {
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

/* What something does, and whether it does it already. */
static void put_doc(Buf *out, const char *before, const char *doc, bool is_later)
{
    Buf text = {0};
    buf_printf(&text, "%s%s%s", before, doc, is_later ? LATER : "");
    put_wrapped(out, text.ptr);
    buf_deinit(&text);
}

typedef struct Statement {
    StmtKind kind;
    const char *forms, *doc, *example;
} Statement;

static const Statement STATEMENTS[] = {
#define STATEMENT(e, forms, doc, example) {STMT_##e, forms, doc, example},
#include "api/statements.def"
#undef STATEMENT
};
#define N_STATEMENTS (sizeof STATEMENTS / sizeof *STATEMENTS)

static void put_statement(Buf *out, const Statement *s)
{
    for (const char *line = s->forms; *line;) {
        size_t len = strcspn(line, "\n");
        buf_printf(out, "  %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    put_doc(out, "", s->doc, stmt_is_later(s->kind));
}

static void put_statements(Buf *out)
{
    buf_puts(out, "The table comes in at the top of an op, each statement changes it, the "
                  "last one's\nresult goes out.\n\n");
    for (size_t i = 0; i < N_STATEMENTS; i++)
        put_statement(out, &STATEMENTS[i]);
    buf_puts(out, "\nExamples:\n  op report {\n    where hp is not null\n"
                  "    group by type1 { n = count(), mean_hp = mean(hp) }\n"
                  "    sort by n desc, type1\n  }\n");
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
    put_doc(out, "", b->help, false);
    buf_deinit(&signature);
}

static void put_functions(Buf *out)
{
    int group = -1;
    for (int i = 0; i < N_BUILTINS; i++) {
        const Builtin *b = builtin_get((BuiltinId)i);
        if ((int)b->group != group) {
            buf_printf(out, "%s%s\n", group < 0 ? "" : "\n", builtin_group_name(b->group));
            group = (int)b->group;
        }
        put_function(out, b);
    }
    buf_puts(out, "\nA name? may be left out; `...` is any number of them. Null gives null "
                  "unless it says\notherwise; aggregates skip nulls.\n"
                  "\nExamples:\n");
    static const BuiltinId shown[] = {BUILTIN_SPLIT_PART, BUILTIN_ROUND, BUILTIN_COALESCE};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const Builtin *b = builtin_get(shown[i]);
        buf_printf(out, "  %s is %s\n", b->example, b->result);
    }
    buf_puts(out, "  pipemill help split_part\n");
}

static void put_annotation(Buf *out, AnnotKind k)
{
    const AnnotInfo *info = annot_info(k);
    static const struct {
        unsigned place;
        const char *name;
    } places[] = {{ON_OP, "op"}, {ON_STAGE, "stage"}, {ON_JOB, "job"}};
    Buf on = {0};
    buf_puts(out, "  ");
    annot_print_usage(k, out);
    buf_putc(out, '\n');
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (info->places & places[i].place)
            buf_printf(&on, "%s%s", on.len ? ", " : "on ", places[i].name);
    buf_puts(&on, ": ");
    put_doc(out, on.ptr, info->doc, annot_is_later(k));
    buf_deinit(&on);
}

static void put_annotations(Buf *out)
{
    buf_puts(out, "Before an op or a job, or behind a stage; the nearest wins: stage, then job, "
                  "then op.\n\n");
    for (int k = 0; k < N_ANNOTS; k++)
        put_annotation(out, (AnnotKind)k);
    buf_puts(out, "\nExamples:\n  @max_concurrent(4) job all { extract | map load @priority(3) }\n"
                  "  @doc(\"ids for the load\") op identify { derive id = uuid() }\n");
}

static const char JSON_TEXT[] =
    "JSON lines: an object on each line, its members the columns, named by their keys. Types come\n"
    "from the first MiB: int, float, bool, date and timestamp (of strings), else string. null and a\n"
    "missing key are null. An object or array within is a string, its JSON text; so is any value of a\n"
    "column that holds several kinds. A schema declares the columns; other keys are left out.\n"
    "Written: no blanks, columns in order, dates and durations as strings, inf and nan as null.\n\n"
    "Lines of text: one column, line: string, without LF or CRLF. To write them a table has one\n"
    "string column.\n\nExamples:\n"
    "  read json \"events.jsonl\" batch auto\n"
    "  read json stdin as event\n"
    "  write json \"out/{key()}.jsonl\"\n"
    "  read lines \"access.log\" | where contains(line, \" 404 \")\n"
    "  select line = \"{name}: {hp}\" | write lines stdout\n";

static void put_csv(Buf *out)
{
    buf_puts(out, "A header line, then a line per row; commas, double quotes, LF or CRLF (RFC "
                  "4180).\nTypes come from the first MiB: int, float, bool, date, timestamp, "
                  "else string.\nAn empty field is null, \"\" the empty string. Columns that no "
                  "step redefines leave\nbyte for byte as they came.\n\nwith (...)\n");
    for (int k = 0; k < N_OPTIONS; k++) {
        const OptionInfo *o = option_info((OptionKind)k);
        if (o->format == FORMAT_CSV)
            buf_printf(out, "  %-5s csv  %s: %s\n      %s\n", stmt_word(o->stmt), o->name,
                       type_name(o->type), o->doc);
    }
    buf_puts(out, "\nExamples:\n  read csv \"prices.csv\" with (delimiter: \";\", null: \"n/a\") batch 64kB\n"
                  "  read csv stdin as pokemon\n"
                  "  write csv \"out/{key()}.csv\" with (header: false)\n");
}


/* ---- topics ---- */

typedef struct Topic {
    const char *name, *what;
    const char *text;      /* one of the two */
    void (*put)(Buf *out);
} Topic;

static const Topic TOPICS[] = {
    {"syntax", "how a program is written: declarations, flows, operators", SYNTAX, NULL},
    {"types", "types of values, literals, null", TYPES_TEXT, NULL},
    {"statements", "what an op does to its table", NULL, put_statements},
    {"functions", "functions and aggregates", NULL, put_functions},
    {"annotations", "priorities, caps and the like", NULL, put_annotations},
    {"csv", "how CSV is read and written, and its options", NULL, put_csv},
    {"json", "how JSON lines and lines of text are read and written", JSON_TEXT, NULL},
    {"exit-status", "what the exit status says", EXIT_STATUS, NULL},
    {"environment", "variables that are looked at", ENVIRONMENT, NULL},
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

static bool put_function_named(Buf *out, Str name)
{
    bool found = false;
    for (int i = 0; i < N_BUILTINS; i++) {
        const Builtin *b = builtin_get((BuiltinId)i);
        if (!str_is(name, b->name))
            continue;
        put_function(out, b);
        buf_printf(out, "\nExample:\n  %s%s%s\n", b->example, *b->result ? " is " : "", b->result);
        if (*b->result && b->kind == BUILTIN_KIND_AGG)
            buf_puts(out, "  over the rows n, s = 1, b; 2, a; 4, c; null, b\n");
        found = true;
    }
    return found;
}

bool help_put(Buf *out, Str topic)
{
    AnnotKind annot;
    for (size_t i = 0; i < N_TOPICS; i++)
        if (str_is(topic, TOPICS[i].name)) {
            if (TOPICS[i].text)
                buf_puts(out, TOPICS[i].text);
            else
                TOPICS[i].put(out);
            return true;
        }
    for (size_t i = 0; i < N_STATEMENTS; i++)
        if (str_is(topic, stmt_word(STATEMENTS[i].kind))) {
            put_statement(out, &STATEMENTS[i]);
            buf_printf(out, "\nExample:\n  %s\n", STATEMENTS[i].example);
            return true;
        }
    Str bare = str_starts(topic, STR_LIT("@")) ? str_slice(topic, 1, topic.len - 1) : topic;
    if (annot_by_name(bare, &annot)) {
        put_annotation(out, annot);
        return true;
    }
    return put_function_named(out, topic);
}

void help_each_name(void *ctx, void (*each)(void *ctx, Str name))
{
    for (size_t i = 0; i < N_TOPICS; i++)
        each(ctx, str_of(TOPICS[i].name));
    for (size_t i = 0; i < N_STATEMENTS; i++)
        each(ctx, str_of(stmt_word(STATEMENTS[i].kind)));
    for (int i = 0; i < N_BUILTINS; i++)
        each(ctx, str_of(builtin_get((BuiltinId)i)->name));
    for (int k = 0; k < N_ANNOTS; k++)
        each(ctx, str_of(annot_info((AnnotKind)k)->name));
}
