/* syntax_error.c - the message of a syntax error: asks the rules, the surest first, and
 * knows what to say when none of them does. */
#include "lang/syntax_error.h"

#include "pipe_parse.h"

bool mistake_expects(const Mistake *m, int kind)
{
    for (size_t i = 0; i < m->n_expected; i++)
        if (m->expected[i] == kind)
            return true;
    return false;
}

bool mistake_expects_expression(const Mistake *m)
{
    return mistake_expects(m, TOK_INT);
}

bool mistake_expects_stage(const Mistake *m)
{
    return mistake_expects(m, TOK_MAP) && mistake_expects(m, TOK_LBRACE);
}

/* Not words that may be names here. */
bool mistake_expects_statement(const Mistake *m)
{
    return mistake_expects(m, TOK_WHERE) && !mistake_expects(m, TOK_QNAME);
}

bool mistake_expects_declaration(const Mistake *m)
{
    return mistake_expects(m, TOK_JOB) && mistake_expects(m, TOK_SCHEMA) &&
           !mistake_expects(m, TOK_QNAME);
}

bool token_is_end(int kind)
{
    return kind == TOK_NEWLINE || kind == TOK_END;
}

int mistake_kind_at(const Mistake *m, size_t i)
{
    return i < m->p->tokens.n ? m->p->tokens.ptr[i].kind : TOK_END;
}

const Bracket *mistake_bracket(const Mistake *m)
{
    return m->p->n_brackets ? &m->p->brackets[m->p->n_brackets - 1] : NULL;
}

/* Where a statement, a stage or a declaration begins. */
bool mistake_is_first_word(const Mistake *m, size_t i)
{
    size_t before = token_before(m->p, i, false);
    if (before == SIZE_MAX)
        return true;
    switch (mistake_kind_at(m, before)) {
    case TOK_NEWLINE:
    case TOK_LBRACE:
    case TOK_PIPE:
    case TOK_MAP:
    case TOK_COLLECT:
        return true;
    case TOK_ASSIGN: { /* of a flow: `let rows = range 1..3` */
        size_t name = token_before(m->p, before, false);
        size_t let = name == SIZE_MAX ? SIZE_MAX : token_before(m->p, name, false);
        return let != SIZE_MAX && mistake_kind_at(m, let) == TOK_LET &&
               (m->p->n_brackets > 0 || m->p->start == TOK_START_FLOWS);
    }
    }
    return false;
}

/* ---- what no rule knows ---- */

typedef struct Form {
    int word;
    const char *text;
} Form;

/* How what is read is written. */
static const char *read_form(const Mistake *m, size_t word)
{
    size_t format = token_after(m->p, word, false);
    return mistake_word_at(m, format, "sqlite") ? "read sqlite \"file.db\" query \"select * from t\" as schema batch 100"
           : mistake_word_at(m, format, "json") ? "read json \"file.json\" as schema batch 100"
           : mistake_word_at(m, format, "lines") ? "read lines \"file.txt\" batch 100"
                                                 : "read csv \"file.csv\" with (header: true) as schema batch 100";
}

/* How what is written is written. */
static const char *write_form(const Mistake *m, size_t word)
{
    size_t format = token_after(m->p, word, false);
    return mistake_word_at(m, format, "sqlite")  ? "write sqlite \"file.db\" table \"name\""
           : mistake_word_at(m, format, "json")  ? "write json \"out.jsonl\""
           : mistake_word_at(m, format, "lines") ? "write lines \"out.txt\""
                                                 : "write csv \"out.csv\"";
}

/* How each construct is written, for the help. */
static const Form FORMS[] = {
    {TOK_USE, "use \"lib/ops.pipe\""},
    {TOK_PARAM, "param name: type = value"},
    {TOK_LET, "let name = ..."},
    {TOK_SCHEMA, "schema name { column: type, ... }"},
    {TOK_FN, "fn name(a: type) -> type = expression"},
    {TOK_OP, "op name { statements }"},
    {TOK_JOB, "job name { flows }"},
    {TOK_RANGE, "range 1..10"},
    {TOK_FILES, "files \"data/*.csv\""},
    {TOK_WHERE, "where hp > 100"},
    {TOK_SELECT, "select a, b, c = a + b"},
    {TOK_DROP, "drop a, b"},
    {TOK_RENAME, "rename old -> new"},
    {TOK_DERIVE, "derive c = a + b"},
    {TOK_EXPLODE, "explode tags by \",\""},
    {TOK_SORT, "sort by a desc, b"},
    {TOK_TAKE, "take 10"},
    {TOK_SKIP, "skip 10"},
    {TOK_TOP, "top 10 by a desc"},
    {TOK_DISTINCT, "distinct a, b"},
    {TOK_GROUP, "group by a, b { n = count() }"},
    {TOK_AGGREGATE, "aggregate { n = count() }"},
    {TOK_JOIN, "join table on a == table.b"},
    {TOK_UNION, "union table"},
    {TOK_SPLIT, "split by a"},
    {TOK_LOG, "log \"text {column}\""},
    {TOK_ASSERT, "assert a > 0, \"message\""},
    {TOK_FAIL, "fail \"message\""},
    {TOK_SLEEP, "sleep 500ms"},
    {TOK_EXEC, "exec [\"command\", \"argument\"] as schema"},
    {TOK_MAP, "map op"},
    {TOK_COLLECT, "collect op"},
};

/* The form of the statement or declaration that the mistake is in; NULL: none is known.
 */
static const char *form_here(const Mistake *m)
{
    for (size_t i = m->i_prev; i != SIZE_MAX; i--) {
        bool may_begin =
            mistake_is_first_word(m, i) || mistake_kind_at(m, i) == TOK_JOIN;
        if (!may_begin)
            continue;
        if (mistake_kind_at(m, i) == TOK_READ)
            return read_form(m, i);
        if (mistake_kind_at(m, i) == TOK_WRITE)
            return write_form(m, i);
        for (size_t k = 0; k < sizeof FORMS / sizeof *FORMS; k++)
            if (FORMS[k].word == mistake_kind_at(m, i))
                return FORMS[k].text;
        if (mistake_kind_at(m, i) == TOK_NEWLINE || mistake_kind_at(m, i) == TOK_LBRACE)
            break;
    }
    return NULL;
}

bool token_is_operator(int kind)
{
    switch (kind) {
    case TOK_EQ:
    case TOK_NE:
    case TOK_LE:
    case TOK_GE:
    case TOK_LT:
    case TOK_GT:
    case TOK_COALESCE:
    case TOK_PLUS:
    case TOK_MINUS:
    case TOK_STAR:
    case TOK_SLASH:
    case TOK_IDIV:
    case TOK_PERCENT:
    case TOK_POW:
    case TOK_DOT:
    case TOK_AND:
    case TOK_OR:
    case TOK_NOT:
    case TOK_IN:
    case TOK_IS:
    case TOK_BETWEEN:
        return true;
    }
    return false;
}

static bool begins_expression(int kind)
{
    switch (kind) {
    case TOK_INT:
    case TOK_FLOAT:
    case TOK_DURATION:
    case TOK_SIZE:
    case TOK_RAW:
    case TOK_SBEG:
    case TOK_TRUE:
    case TOK_FALSE:
    case TOK_NULL:
    case TOK_LPAREN:
    case TOK_LBRACK:
    case TOK_MINUS:
    case TOK_NOT:
    case TOK_IF:
    case TOK_NAME:
    case TOK_QNAME:
        return true;
    }
    return false;
}

/* "`,`, a name or the end of the line": the expected tokens, grouped. */
static void put_expected(const Mistake *m, Buf *out)
{
    const char *phrases[PARSE_MAX_EXPECTED + 8];
    size_t n = 0;
    bool has_expr = mistake_expects_expression(m), has_stage = mistake_expects_stage(m);
    bool has_stmt = mistake_expects_statement(m);
    bool has_decl = mistake_expects_declaration(m);
    bool has_name = mistake_expects(m, TOK_QNAME) && !has_expr && !has_stage;
    bool has_string = mistake_expects(m, TOK_SBEG) && !has_expr;
    bool has_operator = mistake_expects(m, TOK_PLUS) && !has_expr;

    for (size_t i = 0; i < m->n_expected; i++) {
        int kind = m->expected[i];
        KeywordClass class = token_class(kind);
        if (kind == TOK_RESYNC || kind == TOK_END || kind == TOK_NEWLINE ||
            kind == TOK_QNAME || kind == TOK_NAME || kind == TOK_SBEG ||
            kind == TOK_RAW || kind == TOK_PIPE_error)
            continue;
        if ((has_expr || has_name || has_stage) &&
            (class == KEYWORD_DECL || class == KEYWORD_STMT || class == KEYWORD_CLAUSE))
            continue;
        if (has_expr && begins_expression(kind))
            continue;
        if (has_operator && (token_is_operator(kind) || kind == TOK_LPAREN))
            continue;
        if ((has_stmt && class == KEYWORD_STMT) ||
            (has_decl && (class == KEYWORD_DECL || kind == TOK_AT)))
            continue;
        if (has_stage && kind == TOK_LBRACE)
            continue;
        /* Said by "the end of the line". */
        if ((kind == TOK_RBRACE || kind == TOK_AT) && mistake_expects(m, TOK_NEWLINE))
            continue;
        phrases[n++] = token_name(kind);
    }
    size_t n_tokens = n;
    if (has_expr)
        phrases[n++] = "an expression";
    if (has_stage)
        phrases[n++] = "a stage such as `map clean` or `where hp > 100`";
    if (has_stmt)
        phrases[n++] = "a statement such as `where` or `select`";
    if (has_decl)
        phrases[n++] = "a declaration such as `op` or `job`";
    if (has_name)
        phrases[n++] = "a name";
    if (has_string)
        phrases[n++] = "a string";
    if (has_operator && n_tokens == 0)
        phrases[n++] = "an operator";
    if (mistake_expects(m, TOK_NEWLINE) && !has_stmt && !has_stage && !has_decl)
        phrases[n++] = "the end of the line";
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i == 0 ? "" : i + 1 == n ? " or " : ", ");
        if (i < n_tokens)
            buf_printf(out, "`%s`", phrases[i]);
        else
            buf_puts(out, phrases[i]);
    }
}

static void report_general(Mistake *m)
{
    /* At an end the place is just behind what stands last. */
    Span span = m->t->span;
    if (token_is_end(m->t->kind) && m->prev && m->t->text.len == 0)
        span = (Span){m->prev->span.hi, m->prev->span.hi};
    else if (token_is_end(m->t->kind))
        span.hi = span.lo;
    Buf expected = {0}, found = {0};
    put_expected(m, &expected);
    if (m->t->kind == TOK_NEWLINE)
        buf_puts(&found, m->t->text.len && m->t->text.ptr[0] == ';'
                             ? "found `;`"
                             : "the line ends here");
    else if (m->t->kind == TOK_END)
        buf_puts(&found, "the text ends here");
    else if (m->t->kind == TOK_SBEG || m->t->kind == TOK_RAW)
        buf_puts(&found, "found a string");
    else if (m->t->kind == TOK_SEND)
        buf_puts(&found, "the string ends here");
    else
        buf_printf(&found, "found `%.*s`", STR_ARG(m->t->text));
    Diag *d = expected.len ? diag_add(m->diags, E_SYNTAX, span, "expected %s, %s",
                                      expected.ptr, found.ptr)
                           : diag_add(m->diags, E_SYNTAX, span,
                                      "%s, where nothing fits", found.ptr);
    const char *form = form_here(m);
    if (form)
        diag_help(m->diags, d, "the form is `%s`", form);
    buf_deinit(&expected);
    buf_deinit(&found);
}

typedef bool (*Rule)(Mistake *m);

/* The surest first. */
static const Rule RULES[] = {
    rule_refused_name,
    rule_declaration_in_braces,
    rule_continued_line,
    rule_unclosed,
    rule_unmatched,
    rule_brace_line,
    rule_dangling_operator,
    rule_sql,
    rule_comment,
    rule_string,
    rule_annotation,
    rule_in_list,
    rule_between,
    rule_count_all,
    rule_cast,
    rule_case,
    rule_lambda,
    rule_if_form,
    rule_if,
    rule_index,
    rule_assignment,
    rule_operator,
    rule_leading_operator,
    rule_null,
    rule_foreign_value,
    rule_like,
    rule_declaration,
    rule_assign,
    rule_chain,
    rule_method,
    rule_over,
    rule_sql_word,
    rule_form,
    rule_definition,
    rule_misspelt,
    rule_op_arguments,
    rule_pipe,
    rule_reserved,
    rule_unknown_word,
};

/* In a trial the mistakes that were there before are got over as they were. */
static void retrace(Parse *p)
{
    const Parse *tried = p->tried;
    for (size_t i = 0; i < tried->restarts.n; i++) {
        const Restart *r = &tried->restarts.ptr[i];
        if (r->at == p->at + tried->decl_start) {
            p->restart = (Restart){p->at, r->token - tried->decl_start, r->is_line};
            return;
        }
    }
    p->has_failed = true;
}

static void word_mistake(Parse *p, const int *expected, size_t n_expected)
{
    Mistake m = {.p = p,
                 .diags = p->diags,
                 .expected = expected,
                 .n_expected = n_expected,
                 .t = &p->tokens.ptr[p->at],
                 .i_prev = token_before(p, p->at, true)};
    m.prev = m.i_prev == SIZE_MAX ? NULL : &p->tokens.ptr[m.i_prev];
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++)
        if (RULES[i](&m))
            return;
    report_general(&m);
}

void parse_lose_braces(Parse *p, Str text)
{
    uint32_t n_open = 0, n_lost = 0, n_braces = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        n_open += text.ptr[i] == '{';
        if (text.ptr[i] == '}' && n_open == 0)
            n_lost++;
        else if (text.ptr[i] == '}')
            n_open--;
    }
    for (uint32_t i = 0; i < p->n_brackets; i++)
        n_braces += p->brackets[i].kind == TOK_LBRACE;
    p->n_told_braces += n_lost < n_braces ? n_lost : n_braces;
}

/* A string that is not closed on its line has what stands behind it in it. */
static void tell_lost_braces(Parse *p)
{
    size_t first = p->at;
    while (first > 0 && p->tokens.ptr[first - 1].kind != TOK_NEWLINE && p->tokens.ptr[first].kind != TOK_SBEG)
        first--;
    if (p->tokens.ptr[first].kind != TOK_SBEG)
        first = p->at;
    Str text = source_text(p->source);
    uint32_t lo = p->tokens.ptr[first].span.lo - source_base(p->source), hi = lo;
    while (hi < text.len && text.ptr[hi] != '\n')
        hi++;
    parse_lose_braces(p, str_slice(text, lo, hi - lo));
}

void parse_syntax_error(Parse *p, const int *expected, size_t n_expected)
{
    p->has_error = true;
    p->restart = (Restart){.at = p->at, .token = p->at};
    if (p->tried) {
        retrace(p);
        return;
    }
    /* The scanner has said what is wrong with invalid text. */
    if (p->tokens.ptr[p->at].kind != TOK_BAD)
        word_mistake(p, expected, n_expected);
    else
        tell_lost_braces(p);
    vec_push(p->arena, &p->restarts, p->restart);
}
