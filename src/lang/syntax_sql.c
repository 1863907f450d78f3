/* syntax_sql.c - rules about what SQL writes. */
#include "lang/syntax_error.h"

#include <string.h>

#include "base/builtins.h"
#include "pipe_parse.h"

static bool ends_operand(int kind)
{
    return kind == TOK_NAME || kind == TOK_QNAME || kind == TOK_RPAREN || kind == TOK_RBRACK ||
           kind == TOK_SEND || kind == TOK_RAW || kind == TOK_INT || kind == TOK_FLOAT ||
           kind == TOK_NULL || kind == TOK_TRUE || kind == TOK_FALSE || kind == TOK_DURATION ||
           kind == TOK_SIZE || token_class(kind) >= KEYWORD_DECL;
}

/* Does it bind what stands behind it more tightly than a comparison does? */
static bool is_arithmetic(int kind)
{
    return kind == TOK_PLUS || kind == TOK_MINUS || kind == TOK_STAR || kind == TOK_SLASH || kind == TOK_IDIV || kind == TOK_PERCENT ||
           kind == TOK_POW || kind == TOK_COALESCE || kind == TOK_DOT;
}

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

/* ---- LIKE ---- */

/* The text of a plain string at i; its last token goes to *end. */
static bool plain_string(const Mistake *m, size_t i, Str *text, size_t *end)
{
    const Token *t = mistake_token(m, i);
    *end = i;
    if (t->kind == TOK_RAW) {
        *text = t->text;
        return true;
    }
    if (t->kind != TOK_SBEG || mistake_kind_at(m, i + 1) != TOK_STEXT ||
        mistake_kind_at(m, i + 2) != TOK_SEND)
        return false;
    *text = mistake_token(m, i + 1)->text;
    *end = i + 2;
    return true;
}

/* The same, also with the doubled quotes of SQL in it: 'it''s' is two raw strings that touch. */
static bool sql_string(const Mistake *m, size_t i, Str *text, size_t *end)
{
    if (!plain_string(m, i, text, end))
        return false;
    while (mistake_kind_at(m, *end) == TOK_RAW && mistake_kind_at(m, *end + 1) == TOK_RAW && mistake_touch(m, *end, *end + 1)) {
        *end += 1;
        *text = arena_printf(m->diags->arena, "%.*s'%.*s", STR_ARG(*text), STR_ARG(mistake_token(m, *end)->text));
    }
    return true;
}

/* A string that holds the text: in single quotes if it can. */
static void put_text(Buf *out, Str text)
{
    bool is_raw = !memchr(text.ptr, '\'', text.len);
    buf_putc(out, is_raw ? '\'' : '"');
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!is_raw && c == '\n')
            buf_puts(out, "\\n");
        else if (!is_raw && c == '{')
            buf_puts(out, "{{");
        else
            buf_printf(out, "%s%c", !is_raw && (c == '"' || c == '\\') ? "\\" : "", c);
    }
    buf_putc(out, is_raw ? '\'' : '"');
}

/* An operand, or a text to compare it with. In any case: both in small letters, a text of ASCII at once. */
static void put_folded(Buf *out, bool any_case, bool is_text, Str s)
{
    bool is_ascii = true;
    Buf small = {0};
    for (uint32_t i = 0; i < s.len; i++) {
        is_ascii = is_ascii && (unsigned char)s.ptr[i] < 128;
        buf_putc(&small, ascii_lower(s.ptr[i]));
    }
    bool is_call = any_case && !(is_text && is_ascii);
    buf_puts(out, is_call ? "lower(" : "");
    if (is_text)
        put_text(out, any_case && is_ascii ? buf_str(&small) : s);
    else
        buf_put_str(out, s);
    buf_puts(out, is_call ? ")" : "");
    buf_deinit(&small);
}

/* What is true where LIKE is: the text's functions, or a regular expression that is true for the same texts. */
static void put_like(Buf *out, Str operand, Str pattern, bool any_case)
{
    Str core = pattern;
    while (core.len && core.ptr[0] == '%')
        core = str_slice(core, 1, core.len - 1);
    bool head = core.len < pattern.len, tail = !core.len;
    while (core.len && core.ptr[core.len - 1] == '%') {
        core = str_slice(core, 0, core.len - 1);
        tail = true;
    }
    bool is_plain = !memchr(core.ptr, '%', core.len) && !memchr(core.ptr, '_', core.len) && (core.len || !head);
    if (is_plain && !head && !(tail && core.len)) {
        put_folded(out, any_case, false, operand);
        buf_puts(out, " == ");
        put_folded(out, any_case, true, core);
        return;
    }
    if (is_plain) {
        buf_puts(out, head && tail ? "contains(" : head ? "ends_with(" : "starts_with(");
        put_folded(out, any_case, false, operand);
        buf_puts(out, ", ");
        put_folded(out, any_case, true, core);
        buf_putc(out, ')');
        return;
    }
    Buf regex = {0};
    buf_puts(&regex, core.len ? "(?s)" : ""); /* `_` and `%` stand for line ends too */
    buf_puts(&regex, head ? "" : "^");
    for (uint32_t i = 0; i < core.len; i++) {
        char c = core.ptr[i];
        if (c == '%')
            buf_puts(&regex, ".*");
        else
            buf_printf(&regex, "%s%c", strchr(".+*?()[]{}|^$#", c) ? "\\" : "", c == '_' ? '.' : c);
    }
    buf_puts(&regex, tail ? "" : "\\z");
    buf_puts(out, "matches(");
    put_folded(out, any_case, false, operand);
    buf_puts(out, ", ");
    put_folded(out, any_case, true, buf_str(&regex));
    buf_putc(out, ')');
    buf_deinit(&regex);
}

bool rule_like(Mistake *m)
{
    static const char *const LIKES[] = {"like", "ilike", NULL};
    static const char *const REGEXPS[] = {"rlike", "regexp", "similar", "glob", "match", NULL};
    bool is_like = mistake_word_among(m, m->p->at, LIKES);
    if (m->t->kind != TOK_NAME || m->i_prev == SIZE_MAX ||
        (!is_like && !mistake_word_among(m, m->p->at, REGEXPS)))
        return false;
    bool is_not = m->prev->kind == TOK_NOT;
    size_t last = is_not ? token_before(m->p, m->i_prev, true) : m->i_prev;
    if (last == SIZE_MAX || !ends_operand(mistake_kind_at(m, last)))
        return false;
    size_t first = mistake_operand_begin(m, last), end;
    Str pattern;
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "there is no `%.*s`: functions look into strings",
                       STR_ARG(m->t->text));
    if (!is_like || first == SIZE_MAX || !sql_string(m, mistake_next(m, m->p->at), &pattern, &end)) {
        diag_help(m->diags, d, "write `starts_with(x, \"a\")`, `ends_with`, `contains`, or "
                               "`matches(x, 'pattern')` for a regular expression");
        return true;
    }
    bool has_escapes = memchr(pattern.ptr, '\\', pattern.len) || mistake_word_at(m, mistake_next(m, end), "escape");
    bool is_part = is_arithmetic(mistake_prior_kind(m, first)); /* of the operand: `a + b like 'x'` */
    if (has_escapes || is_part) {
        diag_help(m->diags, d, has_escapes ? "write `starts_with(x, 'a')`, `ends_with`, `contains`, of which `%%`, `_` and `\\` are letters, or "
                                             "`matches(x, 'pattern')` for a regular expression"
                                           : "write `starts_with(x, 'a')`, `ends_with` or `contains`, with all of what is looked into in place of x");
        return true;
    }
    Buf call = {0};
    buf_puts(&call, is_not ? "not " : "");
    put_like(&call, mistake_text(m, first, last), pattern, mistake_word_at(m, m->p->at, "ilike"));
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(buf_str(&call)));
    diag_fix_certain(m->diags, d, mistake_span(m, first, end), buf_str(&call));
    buf_deinit(&call);
    return true;
}

/* ---- IN (..), BETWEEN a, b ---- */

/* in 1, 2: the comma ends the condition, or the value behind it was read as the next definition. */
static bool in_list_bare(Mistake *m)
{
    size_t comma = m->t->kind == TOK_COMMA ? m->p->at : m->i_prev;
    if (!m->prev || mistake_kind_at(m, comma) != TOK_COMMA || mistake_prior(m, comma) == SIZE_MAX)
        return false;
    size_t last = mistake_prior(m, comma), first = mistake_operand_begin(m, last), second = mistake_next(m, comma);
    int kind = mistake_kind_at(m, second);
    bool is_value = token_is_string(kind) || kind == TOK_INT || kind == TOK_FLOAT;
    if (!is_value || first == SIZE_MAX || mistake_prior_kind(m, first) != TOK_IN || mistake_kind_at(m, first) == TOK_LBRACK)
        return false;
    size_t end = mistake_operand_end(m, second);
    while (end != SIZE_MAX && mistake_kind_at(m, mistake_next(m, end)) == TOK_COMMA)
        end = mistake_operand_end(m, mistake_next(m, mistake_next(m, end)));
    Diag *d = diag_add(m->diags, E_LIST_BRACKETS, mistake_token(m, first)->span, "a list stands in square brackets");
    diag_help(m->diags, d, "write `in [a, b]`");
    if (end != SIZE_MAX) {
        diag_fix_certain(m->diags, d, mistake_before(m, first), STR_LIT("["));
        diag_fix_certain(m->diags, d, mistake_behind(m, end), STR_LIT("]"));
    }
    return true;
}

bool rule_in_list(Mistake *m)
{
    if (in_list_bare(m))
        return true;
    const Bracket *b = mistake_bracket(m);
    size_t in;
    if (m->t->kind == TOK_COMMA && b && b->kind == TOK_LPAREN) { /* in (1, 2) */
        in = token_before(m->p, b->token, true);
        if (in == SIZE_MAX || mistake_kind_at(m, in) != TOK_IN)
            return false;
        in = b->token;
    } else if (m->t->kind == TOK_LBRACE && m->prev && m->prev->kind == TOK_IN) { /* in {1, 2} */
        in = m->p->at;
    } else {
        return false;
    }
    Diag *d = diag_add(m->diags, E_LIST_BRACKETS, mistake_token(m, in)->span,
                       "a list stands in square brackets");
    size_t close = mistake_closer(m, in);
    diag_help(m->diags, d, "write `in [a, b]`");
    if (close != SIZE_MAX) {
        diag_fix_certain(m->diags, d, mistake_token(m, in)->span, STR_LIT("["));
        diag_fix_certain(m->diags, d, mistake_token(m, close)->span, STR_LIT("]"));
    }
    return true;
}

bool rule_between(Mistake *m)
{
    size_t i = m->i_prev;
    const Bracket *b = mistake_bracket(m);
    bool is_range = m->t->kind == TOK_DOTDOT, in_parens = false;
    bool is_bracketed = is_range && b && (b->kind == TOK_LPAREN || b->kind == TOK_LBRACK) &&
                        (mistake_prior_kind(m, b->token) == TOK_IN || mistake_prior_kind(m, b->token) == TOK_BETWEEN) &&
                        mistake_part_end(m, b->token + 1) + 1 == mistake_closer(m, b->token); /* and nothing else */
    if (i == SIZE_MAX || !(m->t->kind == TOK_COMMA || is_range || mistake_word_at(m, m->p->at, "to")))
        return false;
    if (b && b->kind == TOK_LPAREN && b->token > 0 && m->t->kind == TOK_COMMA) {
        in_parens = mistake_kind_at(m, token_before(m->p, b->token, true)) == TOK_BETWEEN;
        if (!in_parens && !mistake_expects(m, TOK_AND))
            return false;
    }
    size_t first = mistake_operand_begin(m, i);
    size_t word = first == SIZE_MAX ? SIZE_MAX : token_before(m->p, first, true);
    in_parens = in_parens || is_bracketed; /* in [1..3] */
    if (in_parens)
        word = token_before(m->p, b->token, true);
    if (word == SIZE_MAX ||
        (mistake_kind_at(m, word) != TOK_BETWEEN && !(is_range && mistake_kind_at(m, word) == TOK_IN)))
        return false;
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "between what and what is joined by `and`");
    diag_help(m->diags, d, "write `between a and b`; both ends belong to it");
    bool touches = m->t->kind == TOK_COMMA || mistake_touch(m, i, m->p->at);
    bool touches_next = mistake_touch(m, m->p->at, mistake_next(m, m->p->at));
    diag_fix_certain(m->diags, d, m->t->span,
                     arena_printf(m->diags->arena, "%sand%s", touches ? " " : "", touches_next ? " " : ""));
    if (mistake_kind_at(m, word) == TOK_IN)
        diag_fix_certain(m->diags, d, mistake_token(m, word)->span, STR_LIT("between"));
    size_t close = in_parens ? mistake_closer(m, b->token) : SIZE_MAX;
    if (close != SIZE_MAX) {
        diag_fix_certain(m->diags, d, mistake_token(m, b->token)->span, STR_LIT(""));
        diag_fix_certain(m->diags, d, mistake_token(m, close)->span, STR_LIT(""));
    }
    return true;
}

/* ---- x NOT NULL, x ISNULL ---- */

/* Tokens first to last as an operand: in brackets unless they are one already. */
static Str operand_text(const Mistake *m, size_t first, size_t last)
{
    Str text = mistake_text(m, first, last);
    return mistake_operand_end(m, first) == last ? text : arena_printf(m->diags->arena, "(%.*s)", STR_ARG(text));
}

static bool binds_tightly(int kind)
{
    return token_is_operator(kind) && kind != TOK_AND && kind != TOK_OR && kind != TOK_NOT;
}

/* A test in place of the tokens first to last: in brackets where an operator would take a part of it. */
static Str test_text(const Mistake *m, size_t first, size_t last, Str test)
{
    bool is_part = binds_tightly(mistake_prior_kind(m, first)) || binds_tightly(mistake_kind_at(m, mistake_next(m, last)));
    return is_part ? arena_printf(m->diags->arena, "(%.*s)", STR_ARG(test)) : test;
}

bool rule_null(Mistake *m)
{
    static const char *const EMPTY[] = {"empty", "missing", "na", "nan", "blank", NULL};
    Diag *d;
    if (m->t->kind == TOK_NULL && m->prev && m->prev->kind == TOK_NOT && mistake_expects(m, TOK_IN)) {
        d = diag_add(m->diags, E_SQL, mistake_span(m, m->i_prev, m->p->at), "`is` is missing here");
        diag_help(m->diags, d, "write `is not null`");
        diag_fix_certain(m->diags, d, mistake_before(m, m->i_prev), STR_LIT("is "));
        return true;
    }
    bool is_value = token_is_string(m->t->kind) || m->t->kind == TOK_INT || m->t->kind == TOK_FLOAT ||
                    m->t->kind == TOK_TRUE || m->t->kind == TOK_FALSE;
    size_t is = m->prev && m->prev->kind == TOK_NOT ? mistake_prior(m, m->i_prev) : m->i_prev;
    if (is_value && is != SIZE_MAX && mistake_kind_at(m, is) == TOK_IS) { /* name is "x" */
        const char *ours = is == m->i_prev ? "==" : "!=";
        d = diag_add(m->diags, E_FOREIGN_OPERATOR, mistake_span(m, is, m->i_prev), "only `null` follows `is`");
        diag_help(m->diags, d, "write `%s`", ours);
        diag_fix_certain(m->diags, d, mistake_span(m, is, m->i_prev), str_of(ours));
        return true;
    }
    size_t word = m->p->at + 2, open = word + 1;
    bool is_call = m->t->kind == TOK_IS && mistake_kind_at(m, m->p->at + 1) == TOK_DOT && mistake_kind_at(m, open) == TOK_LPAREN &&
                   (mistake_word_at(m, word, "na") || mistake_word_at(m, word, "null"));
    size_t close = is_call ? mistake_closer(m, open) : SIZE_MAX;
    if (close != SIZE_MAX && mistake_expects_expression(m)) { /* is.na(x) of R */
        Str test = arena_printf(m->diags->arena, "%.*s is null", STR_ARG(operand_text(m, open + 1, close - 1)));
        test = test_text(m, m->p->at, close, test);
        d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, m->p->at, word), "there is no function `%.*s`",
                     STR_ARG(mistake_text(m, m->p->at, word)));
        diag_help(m->diags, d, "write `%.*s`", STR_ARG(test));
        diag_fix_certain(m->diags, d, mistake_span(m, m->p->at, close), test);
        return true;
    }
    bool is_post = mistake_word_at(m, m->p->at, "isnull") || mistake_word_at(m, m->p->at, "notnull");
    if (is_post && mistake_expects(m, TOK_IS)) {
        const char *ours = mistake_word_at(m, m->p->at, "isnull") ? "is null" : "is not null";
        d = diag_add(m->diags, E_SQL, m->t->span, "`%.*s` is written `%s`", STR_ARG(m->t->text), ours);
        diag_help(m->diags, d, "write `%s`", ours);
        diag_fix_certain(m->diags, d, m->t->span, str_of(ours));
        return true;
    }
    if (m->prev && (m->prev->kind == TOK_IS || m->prev->kind == TOK_NOT) &&
        mistake_expects(m, TOK_NULL) && !mistake_expects_expression(m) &&
        mistake_word_among(m, m->p->at, EMPTY)) {
        d = diag_add(m->diags, E_SYNTAX, m->t->span, "only `null` follows `is`, found `%.*s`",
                     STR_ARG(m->t->text));
        diag_help(m->diags, d, "write `is null` for a missing value, `== \"\"` for an empty string");
        return true;
    }
    return false;
}

/* ---- CAST(x AS t), x::t, COUNT(*), OVER ---- */

const char *mistake_type_at(const Mistake *m, size_t i)
{
    static const struct {
        const char *theirs, *ours;
    } types[] = {
        {"string", "string"},   {"varchar", "string"}, {"text", "string"},      {"char", "string"},
        {"str", "string"},      {"int", "int"},        {"integer", "int"},      {"bigint", "int"},
        {"int64", "int"},       {"smallint", "int"},   {"float", "float"},      {"double", "float"},
        {"real", "float"},      {"numeric", "float"},  {"decimal", "float"},    {"float64", "float"},
        {"bool", "bool"},       {"boolean", "bool"},   {"date", "date"},        {"timestamp", "timestamp"},
        {"datetime", "timestamp"},
    };
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        if (mistake_word_at(m, i, types[k].theirs))
            return types[k].ours;
    return NULL;
}

/* extract(year from t) */
static bool extract_from(Mistake *m)
{
    static const char *const PARTS[] = {"year", "month", "day", "hour", "minute", "second", "weekday", NULL};
    const Bracket *b = mistake_bracket(m);
    if (!mistake_word_at(m, m->p->at, "from") || !b || b->token == 0 || m->i_prev != b->token + 1 ||
        !mistake_word_at(m, b->token - 1, "extract"))
        return false;
    size_t close = mistake_closer(m, b->token);
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "each part of a time is taken by a function of its own");
    if (close == SIZE_MAX || close == m->p->at + 1 || !mistake_word_among(m, m->i_prev, PARTS)) {
        diag_help(m->diags, d, "write `%s`", builtin_habit_form(STR_LIT("date_part")));
        return true;
    }
    Buf call = {0};
    for (uint32_t i = 0; i < m->prev->text.len; i++)
        buf_putc(&call, ascii_lower(m->prev->text.ptr[i]));
    buf_printf(&call, "(%.*s)", STR_ARG(mistake_text(m, mistake_next(m, m->p->at), mistake_prior(m, close))));
    diag_help(m->diags, d, "write `%s`", call.ptr);
    diag_fix_certain(m->diags, d, mistake_span(m, b->token - 1, close), buf_str(&call));
    buf_deinit(&call);
    return true;
}

/* x as float */
static bool as_type(Mistake *m)
{
    size_t type = mistake_next(m, m->p->at), first = m->prev ? mistake_operand_begin(m, m->i_prev) : SIZE_MAX;
    if (!mistake_word_at(m, m->p->at, "as") || first == SIZE_MAX || !mistake_expects(m, TOK_PLUS) || !mistake_type_at(m, type))
        return false;
    int before = mistake_prior_kind(m, first);
    if (before != TOK_ASSIGN && before != TOK_WHERE && !token_is_operator(before))
        return false;
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "types are converted by functions of their names");
    if (is_arithmetic(before)) { /* of the last operand, or of all? */
        diag_help(m->diags, d, "write `%s(...)` around what is to be converted", mistake_type_at(m, type));
        return true;
    }
    Str call = arena_printf(m->diags->arena, "%s(%.*s)", mistake_type_at(m, type), STR_ARG(mistake_text(m, first, m->i_prev)));
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    diag_fix_certain(m->diags, d, mistake_span(m, first, type), call);
    return true;
}

/* interval '1 day', interval 1 day */
static bool interval(Mistake *m)
{
    static const struct {
        const char *one, *many, *unit;
    } units[] = {{"second", "seconds", "s"}, {"minute", "minutes", "m"}, {"hour", "hours", "h"}, {"day", "days", "d"}};
    size_t at = m->p->at, last = at;
    Str text;
    if (!mistake_word_at(m, m->i_prev, "interval") || !(token_is_string(m->t->kind) || m->t->kind == TOK_INT))
        return false;
    Diag *d = diag_add(m->diags, E_SQL, m->prev->span, "a duration has its unit behind its number");
    if (m->t->kind == TOK_INT) {
        last = token_is_name(mistake_kind_at(m, at + 1)) ? at + 1 : at;
        text = mistake_text(m, at, last);
    } else if (!plain_string(m, at, &text, &last)) {
        text = (Str){0};
    }
    uint32_t n = 0, from = 0;
    while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    for (from = n; from < text.len && text.ptr[from] == ' '; from++)
        ;
    Buf unit = {0};
    for (uint32_t i = from; i < text.len; i++)
        buf_putc(&unit, ascii_lower(text.ptr[i]));
    bool is_known = false;
    for (size_t i = 0; i < sizeof units / sizeof *units && n && !is_known; i++) {
        is_known = str_is(buf_str(&unit), units[i].one) || str_is(buf_str(&unit), units[i].many);
        if (!is_known)
            continue;
        Str ours = arena_printf(m->diags->arena, "%.*s%s", (int)n, text.ptr, units[i].unit);
        diag_help(m->diags, d, "write `%.*s`", STR_ARG(ours));
        diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, last), ours);
    }
    if (!is_known)
        diag_help(m->diags, d, "write `1d`, `12h`, `30m`, `5s`; a week is `7d`");
    buf_deinit(&unit);
    return true;
}

/* between(x, 1, 2) */
static bool between_call(Mistake *m)
{
    size_t open = m->p->at + 1, close = mistake_kind_at(m, open) == TOK_LPAREN ? mistake_closer(m, open) : SIZE_MAX;
    if (m->t->kind != TOK_BETWEEN || close == SIZE_MAX || !mistake_expects_expression(m))
        return false;
    size_t a = open + 1, a_end = mistake_part_end(m, a), b = a_end + 2, b_end = mistake_part_end(m, b), c = b_end + 2;
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "`between` is an operator, not a function");
    bool has_three = a_end + 1 < close && b_end + 1 < close && mistake_part_end(m, c) + 1 == close;
    if (!has_three) {
        diag_help(m->diags, d, "write `x between a and b`; both ends belong to it");
        return true;
    }
    Str test = arena_printf(m->diags->arena, "%.*s between %.*s and %.*s", STR_ARG(operand_text(m, a, a_end)),
                            STR_ARG(operand_text(m, b, b_end)), STR_ARG(operand_text(m, c, close - 1)));
    test = test_text(m, m->p->at, close, test);
    diag_help(m->diags, d, "write `%.*s`; both ends belong to it", STR_ARG(test));
    diag_fix_certain(m->diags, d, mistake_span(m, m->p->at, close), test);
    return true;
}

bool rule_cast(Mistake *m)
{
    if (extract_from(m) || as_type(m) || interval(m) || between_call(m))
        return true;
    size_t first, last, type, end;
    const Bracket *b = mistake_bracket(m);
    if (mistake_word_at(m, m->p->at, "as") && b && b->kind == TOK_LPAREN && b->token > 0 &&
        (mistake_word_at(m, b->token - 1, "cast") || mistake_word_at(m, b->token - 1, "try_cast"))) {
        first = b->token + 1;
        last = m->i_prev;
        type = mistake_next(m, m->p->at);
        end = mistake_closer(m, b->token);
    } else if (m->t->kind == TOK_COLON && mistake_kind_at(m, m->p->at + 1) == TOK_COLON &&
               m->i_prev != SIZE_MAX && ends_operand(m->prev->kind)) {
        last = m->i_prev;
        first = mistake_operand_begin(m, last);
        type = end = mistake_next(m, m->p->at + 1);
    } else {
        return false;
    }
    const char *ours = mistake_type_at(m, type);
    bool is_cast = m->t->kind != TOK_COLON;
    Span at = is_cast ? mistake_token(m, b->token - 1)->span : mistake_span(m, m->p->at, m->p->at + 1);
    Diag *d = diag_add(m->diags, E_SQL, at, "types are converted by functions of their names");
    if (!ours || first == SIZE_MAX) {
        diag_help(m->diags, d, "write `int(x)`, `float(x)`, `string(x)`, `date(x)`, ...");
        return true;
    }
    Str call = arena_printf(m->diags->arena, "%s(%.*s)", ours, STR_ARG(mistake_text(m, first, last)));
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    if (end != SIZE_MAX)
        diag_fix_certain(m->diags, d, mistake_span(m, is_cast ? b->token - 1 : first, end), call);
    return true;
}

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

/* `select a order by b desc limit 5`: a clause is a statement of its own. */
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
