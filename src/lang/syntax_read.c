/* syntax_read.c - what rule_form knows of reading and writing: paths, formats, their words, batches. */
#include "lang/syntax_error.h"

#include <string.h>

#include "base/builtins.h"
#include "pipe_parse.h"

static Str format_of_path(Str path)
{
    static const struct {
        const char *end, *format;
    } ends[] = {{".csv", "csv"},   {".tsv", "csv"},    {".json", "json"},  {".jsonl", "json"},
                {".ndjson", "json"}, {".txt", "lines"}, {".log", "lines"}, {".db", "sqlite"},
                {".sqlite", "sqlite"}, {".csv.gz", "csv"}, {".csv.zst", "csv"}, {".jsonl.gz", "json"}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(path, str_of(ends[i].end)))
            return str_of(ends[i].format);
    return (Str){0};
}

/* "data.csv" | ..., data/x.csv | ...: a path where a flow begins. */
bool mistake_path_form(Mistake *m)
{
    size_t first = token_is_string(m->t->kind) || !m->prev ? m->p->at : m->i_prev, last = first;
    if (!mistake_is_first_word(m, first) || mistake_prior_kind(m, first) == TOK_PIPE)
        return false;
    bool is_quoted = token_is_string(m->t->kind);
    if (is_quoted) {
        last = mistake_operand_end(m, first);
    } else {
        if (!mistake_expects(m, TOK_PIPE) || mistake_kind_at(m, first) != TOK_NAME)
            return false;
        while (!token_is_end(mistake_kind_at(m, last + 1)) && mistake_touch(m, last, last + 1))
            last++;
    }
    if (last == SIZE_MAX || (is_quoted && !mistake_expects_stage(m)) || mistake_kind_at(m, mistake_next(m, last)) != TOK_PIPE)
        return false;
    Str path = mistake_text(m, first, last);
    path = is_quoted ? str_slice(path, 1, path.len - 2) : path;
    Str format = format_of_path(path);
    if (!format.len || str_is(format, "sqlite"))
        return false;
    Str read = arena_printf(m->diags->arena, "read %.*s \"%.*s\"", STR_ARG(format), STR_ARG(path));
    Diag *d = diag_add(m->diags, is_quoted ? E_SYNTAX : E_UNQUOTED_PATH, mistake_span(m, first, last),
                       "a file is read by a stage");
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(read));
    diag_fix_certain(m->diags, d, mistake_span(m, first, last), read);
    return true;
}

static bool format_form(Mistake *m)
{
    size_t at = m->p->at;
    if (m->prev && m->prev->kind == TOK_READ && (m->t->kind == TOK_DOT || m->t->kind == TOK_LPAREN))
        return mistake_say(m, E_METHOD_CALL, m->prev->span, "`read` is a statement, not a function",
                   "write `read csv \"file.csv\" | where ... | select ...`", NO_FIX, (Str){0});
    if (!m->prev || (m->prev->kind != TOK_READ && m->prev->kind != TOK_WRITE) || !mistake_expects(m, TOK_CSV))
        return false;
    if (token_is_string(m->t->kind)) {
        const Token *text = m->t->kind == TOK_RAW ? m->t : mistake_token(m, at + 1);
        Str format = format_of_path(text->text);
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->kind == TOK_RAW ? m->t->span : mistake_span(m, at, at),
                           "the format is missing before the path");
        diag_help(m->diags, d, "write `%.*s %.*s \"...\"`", STR_ARG(m->prev->text),
                  STR_ARG(format.len ? format : STR_LIT("csv")));
        if (format.len && !str_is(format, "sqlite"))
            diag_fix_certain(m->diags, d, mistake_before(m, at),
                             arena_printf(m->diags->arena, "%.*s ", STR_ARG(format)));
        return true;
    }
    static const char *const LINES[] = {"jsonl", "ndjson", "jsonlines", NULL};
    static const char *const TEXTS[] = {"text", "txt", "line", "log", NULL};
    static const char *const TABS[] = {"tsv", "psv", "ssv", NULL};
    static const char *const BASES[] = {"sql", "sqlite3", "db", NULL};
    const char *ours = mistake_word_among(m, at, LINES)   ? "json"
                       : mistake_word_among(m, at, TEXTS) ? "lines"
                       : mistake_word_among(m, at, BASES) ? "sqlite"
                                                          : NULL;
    if (ours && m->t->kind == TOK_NAME) {
        Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`%.*s` is written `%s` here",
                           STR_ARG(m->t->text), ours);
        diag_help(m->diags, d, "write `%s`", ours);
        diag_fix_certain(m->diags, d, m->t->span, str_of(ours));
        return true;
    }
    if (mistake_word_among(m, at, TABS))
        return mistake_say(m, E_SYNTAX, m->t->span, "all tables with a delimiter are `csv`",
                   "write `csv \"...\" with (delimiter: \"\\t\")`", NO_FIX, (Str){0});
    if (m->t->kind == TOK_NAME && token_is_string(mistake_kind_at(m, mistake_next(m, at)))) {
        static const char *const OURS[] = {"csv", "json", "lines", "sqlite", NULL};
        if (mistake_word_among(m, at, OURS))
            return false;
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "`%.*s` is no format that can be %s",
                           STR_ARG(m->t->text), m->prev->kind == TOK_READ ? "read" : "written");
        diag_help(m->diags, d, "the formats are `csv`, `json` (a value a line), `lines` and `sqlite`");
        return true;
    }
    return false;
}

static bool read_form(Mistake *m)
{
    static const char *const FILLERS[] = {"from", "to", "into", "file", NULL};
    size_t at = m->p->at, statement = mistake_statement(m);
    int word = mistake_kind_at(m, statement);
    if ((word != TOK_READ && word != TOK_WRITE) || !m->prev)
        return false;
    if (token_is_string(m->t->kind) && mistake_word_among(m, m->i_prev, FILLERS)) {
        Diag *d = diag_add(m->diags, E_SYNTAX, m->prev->span, "no `%.*s` stands before a path",
                           STR_ARG(m->prev->text));
        diag_help(m->diags, d, "write `%.*s csv \"file.csv\"`", STR_ARG(mistake_token(m, statement)->text));
        diag_fix_certain(m->diags, d, mistake_gap(m, m->i_prev, m->i_prev), STR_LIT(""));
        return true;
    }
    if (m->prev->kind == TOK_AS && m->t->kind == TOK_LBRACE && mistake_closer(m, at) != SIZE_MAX) {
        size_t close = mistake_closer(m, at);
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "a schema is declared at the top of the file, and named here");
        diag_help(m->diags, d, "declare `schema s %.*s` there, and write `as s`", STR_ARG(mistake_text(m, at, close)));
        return true;
    }
    if (m->prev->kind == TOK_WITH && mistake_expects(m, TOK_LPAREN)) {
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "options stand in parentheses");
        diag_help(m->diags, d, "write `with (header: true)`");
        size_t close = m->t->kind == TOK_LBRACE ? mistake_closer(m, at) : SIZE_MAX;
        if (close != SIZE_MAX) {
            diag_fix_certain(m->diags, d, m->t->span, STR_LIT("("));
            diag_fix_certain(m->diags, d, mistake_token(m, close)->span, STR_LIT(")"));
        } else if (token_is_name(m->t->kind)) {
            size_t last = mistake_part_end(m, at);
            diag_fix_certain(m->diags, d, mistake_before(m, at), STR_LIT("("));
            diag_fix_certain(m->diags, d, mistake_behind(m, last), STR_LIT(")"));
        }
        return true;
    }
    /* ... batch 100 as s */
    if ((m->t->kind == TOK_AS || m->t->kind == TOK_WITH) && word == TOK_READ) {
        size_t batch = m->i_prev;
        while (batch > statement && mistake_kind_at(m, batch) != TOK_BATCH && mistake_kind_at(m, batch) != TOK_AS)
            batch--;
        if (batch <= statement)
            return false;
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "`%.*s` stands before `%.*s`", STR_ARG(m->t->text),
                           STR_ARG(mistake_token(m, batch)->text));
        diag_help(m->diags, d, "the order is `read csv \"file.csv\" with (...) as schema batch 100`");
        size_t last = m->t->kind == TOK_AS ? mistake_next(m, at) : mistake_closer(m, mistake_next(m, at));
        if (last == SIZE_MAX || (m->t->kind == TOK_WITH && mistake_kind_at(m, mistake_next(m, at)) != TOK_LPAREN))
            return true;
        Str moved = arena_printf(m->diags->arena, "%.*s %.*s", STR_ARG(mistake_text(m, at, last)),
                                 STR_ARG(mistake_text(m, batch, m->i_prev)));
        diag_fix_certain(m->diags, d, mistake_span(m, batch, last), moved);
        return true;
    }
    return false;
}

static bool batch_form(Mistake *m)
{
    static const char *const FILLERS[] = {"by", "size", "of", NULL};
    size_t at = m->p->at;
    if (!m->prev)
        return false;
    if (m->prev->kind == TOK_BATCH && m->t->kind == TOK_ASSIGN)
        return mistake_say(m, E_SYNTAX, m->t->span, "no `=` follows `batch`", "write `batch 100`", m->t->span, STR_LIT(" "));
    if (mistake_word_among(m, m->i_prev, FILLERS) && mistake_prior_kind(m, m->i_prev) == TOK_BATCH &&
        (m->t->kind == TOK_INT || m->t->kind == TOK_SIZE || m->t->kind == TOK_NAME))
        return mistake_say(m, E_SYNTAX, m->prev->span, "the size stands directly behind `batch`",
                   "write `batch 100` or `batch 64kB`", mistake_gap(m, m->i_prev, m->i_prev), STR_LIT(""));
    if (m->prev->kind == TOK_INT && mistake_prior_kind(m, m->i_prev) == TOK_BATCH &&
        (mistake_word_at(m, at, "rows") || mistake_word_at(m, at, "row")))
        return mistake_say(m, E_SYNTAX, m->t->span, "a batch of a number is one of rows",
                   arena_printf(m->diags->arena, "write `batch %.*s`", STR_ARG(m->prev->text)).ptr,
                   (Span){m->prev->span.hi, m->t->span.hi}, STR_LIT(""));
    /* 5 minutes */
    static const struct {
        const char *one, *many, *unit;
    } words[] = {{"second", "seconds", "s"}, {"sec", "secs", "s"},     {"minute", "minutes", "m"}, {"min", "mins", "m"},
                 {"hour", "hours", "h"},     {"day", "days", "d"}, {"millisecond", "milliseconds", "ms"}};
    for (size_t i = 0; i < sizeof words / sizeof *words && m->t->kind == TOK_NAME; i++) {
        bool is_number = m->prev->kind == TOK_INT || m->prev->kind == TOK_FLOAT;
        if (!is_number || !(mistake_word_at(m, at, words[i].one) || mistake_word_at(m, at, words[i].many)))
            continue;
        Str text = arena_printf(m->diags->arena, "%.*s%s", STR_ARG(m->prev->text), words[i].unit);
        Diag *d = diag_add(m->diags, E_BAD_NUMBER, m->t->span, "the unit of a duration touches its number");
        diag_help(m->diags, d, "write `%.*s`", STR_ARG(text));
        diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, at), text);
        return true;
    }
    /* 64 kB, 5 s */
    static const char *const UNITS[] = {"us", "ms", "s", "m", "h", "d", "b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", NULL};
    if ((m->prev->kind == TOK_INT || m->prev->kind == TOK_FLOAT) && m->t->kind == TOK_NAME &&
        !mistake_touch(m, m->i_prev, at) && mistake_word_among(m, at, UNITS) && mistake_expects(m, TOK_PLUS)) {
        Span gap = {m->prev->span.hi, m->t->span.lo};
        Diag *d = diag_add(m->diags, E_BAD_NUMBER, m->t->span, "a unit touches its number");
        diag_help(m->diags, d, "write `%.*s%.*s`", STR_ARG(m->prev->text), STR_ARG(m->t->text));
        diag_fix_certain(m->diags, d, gap, STR_LIT(""));
        return true;
    }
    return false;
}

bool mistake_read_form(Mistake *m)
{
    return format_form(m) || read_form(m) || batch_form(m);
}
