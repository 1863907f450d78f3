/* syntax_sql.c - rules about the queries and clauses of SQL, its CASE and its aggregates. */
#include "lang/syntax_error.h"

#include <string.h>

#include "pipe_parse.h"

/* ---- SELECT ... FROM ... ---- */

/* The words that begin a clause. FROM and what follows SELECT first. */
static const char *const CLAUSES[] = {"from",   "where", "group", "having", "order", "limit",
                                      "offset", "join",  "inner", "left",   "right", "full",
                                      "cross",  "on",    "and",   "or",     "union", NULL};

/* Up to the last line of the query that begins at `select`. */
static size_t query_end(const Mistake *m, size_t select)
{
    size_t last = select;
    for (size_t i = select; i < m->p->tokens.n; i++) {
        int kind = mistake_kind_at(m, i);
        if (kind == TOK_END || kind == TOK_PIPE || kind == TOK_RBRACE)
            return last;
        if (kind == TOK_NEWLINE) {
            size_t next = token_after(m->p, i, true);
            bool is_semicolon = mistake_token(m, i)->text.len && mistake_token(m, i)->text.ptr[0] == ';';
            size_t before = token_before(m->p, i, false);
            bool is_comma = before != SIZE_MAX && mistake_kind_at(m, before) == TOK_COMMA;
            if (is_semicolon || (!is_comma && !mistake_word_among(m, next, CLAUSES)))
                return last;
            continue;
        }
        if (kind != TOKEN_COMMENT)
            last = i;
    }
    return last;
}

/* The tokens of a clause, as they are written here. */
static void put_clause(const Mistake *m, Buf *out, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        const Token *t = mistake_token(m, i);
        if (t->kind == TOK_NEWLINE || t->kind == TOKEN_COMMENT)
            continue;
        if (i > first && !mistake_touch(m, i - 1, i))
            buf_putc(out, ' ');
        if (t->kind == TOK_ASSIGN)
            buf_puts(out, "==");
        else if (t->kind == TOK_NE)
            buf_puts(out, "!=");
        else if (mistake_word_among(m, i, (const char *const[]){"and", "or", "not", "is", "null", "in",
                                                                "between", "desc", "asc", NULL}))
            for (uint32_t k = 0; k < t->text.len; k++)
                buf_putc(out, ascii_lower(t->text.ptr[k]));
        else
            buf_put_str(out, mistake_text(m, i, i));
    }
}

typedef struct Clause {
    const char *word;
    size_t first, end; /* tokens behind the word; first 0: there is none */
} Clause;

static bool clause_begins(const Mistake *m, size_t i, const char *word)
{
    bool has_by = mistake_word_at(m, mistake_next(m, i), "by");
    return mistake_word_at(m, i, word) &&
           (has_by || (strcmp(word, "group") != 0 && strcmp(word, "order") != 0));
}

/* "read csv "t" | where ... | select ...": the query in the order in which data flows. */
static void put_query(const Mistake *m, Buf *out, size_t select, size_t last, bool is_flow)
{
    Clause c[] = {{"from", 0, 0}, {"where", 0, 0},  {"group", 0, 0}, {"having", 0, 0},
                  {"order", 0, 0}, {"limit", 0, 0}, {"select", select + 1, 0}};
    enum { FROM, WHERE, GROUP, HAVING, ORDER, LIMIT, SELECT, N };
    Clause *open = &c[SELECT];
    for (size_t i = select + 1; i <= last; i++)
        for (size_t k = 0; k < SELECT; k++)
            if (clause_begins(m, i, c[k].word) && !c[k].first) {
                open->end = i;
                open = &c[k];
                open->first = i + 1 + (k == GROUP || k == ORDER);
            }
    open->end = last + 1;

    const char *joint = is_flow ? " | " : "; ";
    size_t from = out->len;
    if (is_flow && c[FROM].first) {
        bool is_name = mistake_kind_at(m, c[FROM].first) == TOK_NAME;
        Str table = mistake_text(m, c[FROM].first, c[FROM].first);
        size_t close = mistake_operand_end(m, c[FROM].first);
        if (!is_name && close != SIZE_MAX)
            table = mistake_text(m, c[FROM].first, close);
        buf_printf(out, is_name ? "read csv \"%.*s.csv\"" : "read csv %.*s", STR_ARG(table));
    }
    static const struct {
        int clause;
        const char *ours;
    } order[] = {{WHERE, "where "}, {GROUP, "group by "}, {HAVING, "where "},
                 {ORDER, "sort by "}, {LIMIT, "take "}};
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        const Clause *cl = &c[order[k].clause];
        if (!cl->first)
            continue;
        buf_puts(out, out->len > from ? joint : "");
        buf_puts(out, order[k].ours);
        put_clause(m, out, cl->first, cl->end);
        if (order[k].clause == GROUP)
            buf_puts(out, " { n = count() }");
    }
    bool is_all = mistake_kind_at(m, c[SELECT].first) == TOK_STAR || c[GROUP].first;
    if (!is_all && c[SELECT].end > c[SELECT].first) {
        buf_puts(out, out->len > from ? joint : "");
        buf_puts(out, "select ");
        put_clause(m, out, c[SELECT].first, c[SELECT].end);
    }
}

bool rule_sql(Mistake *m)
{
    size_t select = mistake_statement(m);
    if (!mistake_word_at(m, select, "select")) {
        /* A line that begins with FROM, behind one with SELECT. */
        size_t before = token_before(m->p, select, true);
        if (!mistake_word_at(m, select, "from") || before == SIZE_MAX)
            return false;
        size_t at = m->p->at;
        m->p->at = before;
        select = mistake_statement(m);
        m->p->at = at;
        if (!mistake_word_at(m, select, "select"))
            return false;
    }
    size_t last = query_end(m, select);
    size_t from = select;
    while (from <= last && !mistake_word_at(m, from, "from"))
        from++;
    if (from > last || last < m->p->at)
        return false;
    const Bracket *b = mistake_bracket(m);
    bool is_top = !b && m->p->start == TOK_START_FILE;
    bool is_flow = is_top || !b || (b->token >= 2 && mistake_kind_at(m, b->token - 2) == TOK_JOB);
    Span whole = mistake_span(m, select, last);
    diags_drop(m->diags, whole);
    Diag *d = diag_add(m->diags, E_SQL, mistake_span(m, from, from),
                       "there is no `%.*s`: data flows from step to step",
                       STR_ARG(mistake_token(m, from)->text));
    if (mistake_token(m, select)->span.lo < mistake_token(m, m->p->at)->span.lo)
        diag_label(m->diags, d, mistake_token(m, select)->span, "the rows that this takes");
    Buf query = {0};
    put_query(m, &query, select, last, is_flow);
    if (is_top)
        diag_help(m->diags, d, "in the order in which it happens: `job main { %.*s }`",
                  STR_ARG(buf_str(&query)));
    else if (query.len)
        diag_help(m->diags, d, "in the order in which it happens: `%.*s`", STR_ARG(buf_str(&query)));
    buf_deinit(&query);
    size_t end = last + 1;
    while (!token_is_end(mistake_kind_at(m, end)) && mistake_kind_at(m, end) == TOKEN_COMMENT)
        end++;
    m->p->restart.token = end;
    return true;
}

/* ---- CASE WHEN ... END ---- */

/* Puts `if` in place of CASE WHEN; false: it is not of the form that can be. */
static bool fix_case(Mistake *m, Diag *d, size_t first)
{
    struct {
        Span span;
        const char *text;
    } edits[32];
    size_t n = 0, i = first;
    bool has_else = false;
    uint32_t depth = 0;
    if (!mistake_word_at(m, mistake_next(m, first), "when"))
        return false;
    edits[n].span = mistake_span(m, first, mistake_next(m, first));
    edits[n++].text = "if";
    for (i = mistake_next(m, mistake_next(m, first)); n < 30; i = token_after(m->p, i, true)) {
        int kind = mistake_kind_at(m, i);
        if (kind == TOK_END || kind == TOK_RBRACE || mistake_word_at(m, i, "case"))
            return false;
        depth += kind == TOK_LPAREN;
        depth -= kind == TOK_RPAREN && depth > 0;
        const char *to = NULL;
        if (mistake_word_at(m, i, "end") && depth == 0)
            break;
        if (mistake_word_at(m, i, "when"))
            to = "else if";
        else if (mistake_word_at(m, i, "then"))
            to = "then";
        else if (mistake_word_at(m, i, "else"))
            to = "else", has_else = true;
        if (to && !str_is(mistake_token(m, i)->text, to)) {
            edits[n].span = mistake_token(m, i)->span;
            edits[n++].text = to;
        }
    }
    if (!mistake_word_at(m, i, "end"))
        return false;
    size_t as = mistake_next(m, i), name = mistake_next(m, as);
    bool is_named = mistake_word_at(m, as, "as") && mistake_kind_at(m, name) == TOK_NAME;
    Span tail = is_named ? mistake_span(m, i, name) : mistake_token(m, i)->span;
    if (has_else) { /* with the blank before it */
        size_t before = token_before(m->p, i, true);
        tail.lo = mistake_token(m, before)->span.hi;
    }
    edits[n].span = tail;
    edits[n++].text = has_else ? "" : "else null";
    for (size_t k = 0; k < n; k++) {
        Str text = str_of(edits[k].text);
        if (k == 0 && is_named) {
            Str full = arena_printf(m->diags->arena, "%.*s = if", STR_ARG(mistake_token(m, name)->text));
            text = full;
        }
        diag_fix_certain(m->diags, d, edits[k].span, text);
    }
    return true;
}

bool rule_case(Mistake *m)
{
    size_t at = m->i_prev;
    if (at == SIZE_MAX || !mistake_word_at(m, at, "case") || token_is_end(m->t->kind))
        return false;
    Diag *d = diag_add(m->diags, E_SQL, mistake_token(m, at)->span,
                       "`%.*s` is written `if c then a else b`", STR_ARG(m->prev->text));
    diag_help(m->diags, d, "write `if c1 then a else if c2 then b else d`, without `end`");
    fix_case(m, d, at);
    return true;
}

/* ---- COUNT(*), OVER ---- */

/* count(distinct name) */
static bool count_distinct(Mistake *m, const Bracket *b)
{
    if (!b || b->token == 0 || m->i_prev != b->token + 1 || !mistake_word_at(m, m->i_prev, "distinct") ||
        !mistake_word_at(m, b->token - 1, "count") || m->t->kind == TOK_COMMA || token_is_closer(m->t->kind))
        return false;
    size_t close = mistake_closer(m, b->token);
    Diag *d = diag_add(m->diags, E_SQL, m->prev->span, "different values are counted by a function of its own");
    if (close == SIZE_MAX || mistake_part_end(m, m->p->at) != mistake_prior(m, close)) {
        diag_help(m->diags, d, "write `count_distinct(x)`");
        return true;
    }
    Str call = arena_printf(m->diags->arena, "count_distinct(%.*s)", STR_ARG(mistake_text(m, m->p->at, mistake_prior(m, close))));
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    diag_fix_certain(m->diags, d, mistake_span(m, b->token - 1, close), call);
    return true;
}

bool rule_count_all(Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (count_distinct(m, b))
        return true;
    if (m->t->kind != TOK_STAR || !b || b->token != m->i_prev || b->token == 0 ||
        !mistake_word_at(m, b->token - 1, "count"))
        return false;
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "`count()` counts rows without a `*`");
    diag_help(m->diags, d, "write `count()`");
    diag_fix_certain(m->diags, d, m->t->span, STR_LIT(""));
    if (!str_is(mistake_token(m, b->token - 1)->text, "count"))
        diag_fix_certain(m->diags, d, mistake_token(m, b->token - 1)->span, STR_LIT("count"));
    return true;
}

bool rule_over(Mistake *m)
{
    if (m->t->kind != TOK_NAME || !mistake_word_at(m, m->p->at, "over") ||
        mistake_kind_at(m, mistake_next(m, m->p->at)) != TOK_LPAREN)
        return false;
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "there are no windows over rows");
    diag_help(m->diags, d, "compute it per group with `group by key { ... }` and `join` it to the rows");
    return true;
}

/* ---- words in a statement: SELECT DISTINCT, UNION ALL, ORDER ... ---- */

/* Is the statement that the token stands in a `select`? */
static bool is_in_select(const Mistake *m, size_t at)
{
    while (at > 0) {
        int kind = mistake_kind_at(m, --at);
        if (kind == TOK_SELECT || kind == TOK_PIPE || kind == TOK_NEWLINE || kind == TOK_LBRACE)
            return kind == TOK_SELECT;
    }
    return false;
}

/* `select a order by b desc limit 5`: a clause is a statement of its own. */
static bool clause_behind(Mistake *m)
{
    static const struct {
        const char *word, *by, *ours;
    } clauses[] = {{"order", "by", "sort by"}, {"limit", NULL, "take"}, {"fetch", NULL, "take"}};
    size_t at = m->p->at, next = mistake_next(m, at);
    bool is_flow = mistake_expects(m, TOK_PIPE);
    for (size_t i = 0; i < sizeof clauses / sizeof *clauses && (is_flow || mistake_expects(m, TOK_NEWLINE)); i++) {
        bool has_by = clauses[i].by && mistake_word_at(m, next, clauses[i].by);
        if (!mistake_word_at(m, at, clauses[i].word) || m->t->kind != TOK_NAME || token_is_first_of_line(m->p, at) ||
            (clauses[i].by ? !has_by : mistake_kind_at(m, next) != TOK_INT))
            continue;
        Span span = mistake_span(m, at, has_by ? next : at);
        const char *joint = is_flow ? "| " : "; ";
        Diag *d = diag_add(m->diags, E_SQL, span, "`%.*s` is a %s of its own here", STR_ARG(mistake_text(m, at, has_by ? next : at)),
                           is_flow ? "stage" : "statement");
        diag_help(m->diags, d, "write `%s%s ...`", joint, clauses[i].ours);
        Str ours = arena_printf(m->diags->arena, "%s%s", joint, clauses[i].ours);
        if (has_by && is_in_select(m, at)) /* which may have dropped the column */
            diag_fix(m->diags, d, span, ours);
        else
            diag_fix_certain(m->diags, d, span, ours);
        return true;
    }
    return false;
}

bool rule_sql_word(Mistake *m)
{
    if (clause_behind(m))
        return true;
    int prev = m->prev ? m->prev->kind : TOK_END;
    bool is_operand = m->t->kind == TOK_NAME || m->t->kind == TOK_QNAME || m->t->kind == TOK_STAR;
    Diag *d;
    if (prev == TOK_DISTINCT && is_operand && m->i_prev > 0 &&
        mistake_kind_at(m, token_before(m->p, m->i_prev, false)) == TOK_SELECT) {
        d = diag_add(m->diags, E_SQL, m->prev->span, "`distinct` is a statement of its own");
        diag_help(m->diags, d, "write `select a, b`, and then `distinct`");
        return true;
    }
    if (mistake_word_at(m, m->p->at, "all") || mistake_word_at(m, m->i_prev, "all")) {
        size_t all = mistake_word_at(m, m->p->at, "all") ? m->p->at : m->i_prev;
        if (mistake_kind_at(m, token_before(m->p, all, false)) != TOK_UNION)
            return false;
        d = diag_add(m->diags, E_SQL, mistake_token(m, all)->span, "`union` keeps all rows as it is");
        diag_help(m->diags, d, "write `union t`, and `distinct` after it for each row once");
        diag_fix_certain(m->diags, d, mistake_gap(m, all, all), STR_LIT(""));
        return true;
    }
    if (mistake_word_at(m, m->p->at, "having")) {
        d = diag_add(m->diags, E_SQL, m->t->span, "a condition on groups is a `where` after `group by`");
        diag_help(m->diags, d, "write `group by a { n = count() }`, and then `where n > 1`");
        return true;
    }
    if (mistake_word_at(m, m->p->at, "offset") && mistake_kind_at(m, mistake_statement(m)) == TOK_TAKE) {
        d = diag_add(m->diags, E_SQL, m->t->span, "rows are left out by a statement of their own");
        diag_help(m->diags, d, "write `skip 5`, and then `take 10`");
        return true;
    }
    if (mistake_word_at(m, m->p->at, "using") && mistake_expects(m, TOK_ON)) {
        d = diag_add(m->diags, E_SQL, m->t->span, "a `join` says `on` which columns are equal");
        diag_help(m->diags, d, "write `on id == %.*s.id`", STR_ARG(m->prev->text));
        return true;
    }
    static const char *const KINDS[] = {"outer", NULL};
    if (mistake_word_among(m, m->p->at, KINDS) && mistake_expects(m, TOK_JOIN)) {
        d = diag_add(m->diags, E_SQL, m->t->span, "`%.*s` is left out: there is `left join`",
                     STR_ARG(m->t->text));
        diag_help(m->diags, d, "write `left join t on a == t.a`");
        diag_fix_certain(m->diags, d, mistake_gap(m, m->p->at, m->p->at), STR_LIT(""));
        return true;
    }
    if (prev == TOK_JOIN && mistake_kind_at(m, mistake_next(m, m->p->at)) == TOK_NAME && (m->t->kind == TOK_LEFT || m->t->kind == TOK_SEMI || m->t->kind == TOK_ANTI)) {
        d = diag_add(m->diags, E_SYNTAX, m->t->span, "the kind of a join stands before `join`");
        diag_help(m->diags, d, "write `%.*s join t on a == t.a`", STR_ARG(m->t->text));
        diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, m->p->at),
                         arena_printf(m->diags->arena, "%.*s join", STR_ARG(m->t->text)));
        return true;
    }
    if ((prev == TOK_JOIN || prev == TOK_UNION) && (m->t->kind == TOK_SBEG || m->t->kind == TOK_RAW)) {
        d = diag_add(m->diags, E_SYNTAX, m->t->span, "`%.*s` takes the name of a table, not a file",
                     STR_ARG(m->prev->text));
        diag_help(m->diags, d, "read it first in the job: `let t = read csv \"...\"`");
        return true;
    }
    return false;
}
