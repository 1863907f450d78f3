/* syntax_error.c - what a syntax error says.
 *
 * bison knows the token that does not fit and those that would. The rules below look for
 * the mistake behind it, each for one kind, the surest first; a rule that knows says so
 * and returns true. What no rule knows is told as "expected X, found Y".
 *
 * How to add a rule: a function here, a line in RULES, a code in diag_codes.def if it
 * is a new kind of mistake, a test in tests/parse/.
 */
#include <string.h>

#include "base/suggest.h"
#include "lang/parse_state.h"
#include "pipe_parse.h"

typedef struct Mistake {
    Parse *p;
    Diags *diags;
    const int *expected;
    size_t n_expected;
    const Token *t;    /* the token that does not fit */
    const Token *prev; /* the one before it, over line ends; NULL: none */
    size_t i_prev;     /* its index, SIZE_MAX: none */
} Mistake;

static bool expects(const Mistake *m, int kind)
{
    for (size_t i = 0; i < m->n_expected; i++)
        if (m->expected[i] == kind)
            return true;
    return false;
}

static bool expects_expression(const Mistake *m)
{
    return expects(m, TOK_INT);
}

static bool expects_stage(const Mistake *m)
{
    return expects(m, TOK_MAP) && expects(m, TOK_LBRACE);
}

/* Not words that may be names here. */
static bool expects_statement(const Mistake *m)
{
    return expects(m, TOK_WHERE) && !expects(m, TOK_QNAME);
}

static bool expects_declaration(const Mistake *m)
{
    return expects(m, TOK_JOB) && expects(m, TOK_SCHEMA) && !expects(m, TOK_QNAME);
}

static bool is_end(int kind)
{
    return kind == TOK_NEWLINE || kind == TOK_END;
}

static int kind_at(const Mistake *m, size_t i)
{
    return i < m->p->tokens.n ? m->p->tokens.ptr[i].kind : TOK_END;
}

static bool word_is_one_of(Str word, const char *const *words)
{
    for (; *words; words++)
        if (str_is(word, *words))
            return true;
    return false;
}

/* ---- brackets ---- */

static char bracket_char(int kind)
{
    switch (kind) {
    case TOK_LPAREN:
        return '(';
    case TOK_RPAREN:
        return ')';
    case TOK_LBRACK:
        return '[';
    case TOK_RBRACK:
        return ']';
    case TOK_RBRACE:
    case TOK_ICLOSE:
        return '}';
    }
    return '{';
}

static char closer_of(int kind)
{
    return kind == TOK_LPAREN ? ')' : kind == TOK_LBRACK ? ']' : '}';
}

static const Bracket *innermost(const Mistake *m)
{
    return m->p->n_brackets ? &m->p->brackets[m->p->n_brackets - 1] : NULL;
}

static void report_unclosed(Mistake *m, const Bracket *b, const Token *noticed)
{
    const Token *opener = &m->p->tokens.ptr[b->token];
    Diag *d = diag_add(m->diags, E_UNCLOSED_BRACKET, opener->span, "this `%c` is never closed",
                       bracket_char(b->kind));
    if (noticed->kind != TOK_END)
        diag_label(m->diags, d, noticed->span, "`%c` is missing before this",
                   closer_of(b->kind));
    else
        diag_help(m->diags, d, "close it with `%c`", closer_of(b->kind));
}

static bool rule_declaration_in_braces(Mistake *m)
{
    const Bracket *b = innermost(m);
    size_t at = m->p->at;
    if (!b)
        return false;
    if (!parse_begins_declaration(m->p, at)) {
        at = m->i_prev;
        if (at == SIZE_MAX || !parse_begins_declaration(m->p, at))
            return false;
    }
    report_unclosed(m, b, &m->p->tokens.ptr[at]);
    m->p->restart.token = at;
    return true;
}

static bool rule_unclosed(Mistake *m)
{
    const Bracket *b = innermost(m);
    if (!b)
        return false;
    if (m->t->kind == TOK_END) {
        report_unclosed(m, b, m->t);
        return true;
    }
    if (b->kind == TOK_LBRACE)
        return false;
    if (b->kind == TOK_IOPEN && m->t->kind == TOK_SBEG && expects(m, TOK_ICLOSE)) {
        Diag *d = diag_add(m->diags, E_UNCLOSED_STRING, m->p->tokens.ptr[b->token].span,
                           "this `{` in a string is not closed before the string ends");
        diag_help(m->diags, d, "a plain brace in a string is written `{{`");
        return true;
    }
    bool is_first = token_is_first_of_line(m->p, m->p->at);
    bool is_other = token_is_closer(m->t->kind) &&
                    bracket_char(m->t->kind) != closer_of(b->kind);
    if (is_first && token_class(m->t->kind) == KEYWORD_STMT &&
        parse_begins_afresh(m->p, m->p->at)) {
        report_unclosed(m, b, m->t);
        m->p->restart.is_line = true;
        return true;
    }
    if (is_other || m->t->kind == TOK_NEWLINE || m->t->kind == TOK_LBRACE ||
        (m->t->kind == TOK_PIPE && b->kind == TOK_LPAREN)) {
        report_unclosed(m, b, m->t);
        return true;
    }
    return false;
}

static bool rule_unmatched(Mistake *m)
{
    const Bracket *b = innermost(m);
    int kind = m->t->kind;
    if (!token_is_closer(kind) || (b && bracket_char(kind) == closer_of(b->kind)))
        return false;
    diag_add(m->diags, E_UNMATCHED_BRACKET, m->t->span, "this `%c` closes nothing",
             bracket_char(kind));
    return true;
}

static bool rule_brace_line(Mistake *m)
{
    size_t next = token_after(m->p, m->p->at, true);
    if (m->t->kind != TOK_NEWLINE || !expects(m, TOK_LBRACE) || kind_at(m, next) != TOK_LBRACE)
        return false;
    Diag *d = diag_add(m->diags, E_BRACE_LINE, m->p->tokens.ptr[next].span,
                       "`{` stands on the line of what it belongs to");
    diag_label(m->diags, d, m->prev->span, "put it after this");
    m->p->restart.token = next;
    return true;
}

/* ---- lines ---- */

/* `select a, b,` and then a line with the next statement, whose word was taken as a name. */
static bool rule_continued_line(Mistake *m)
{
    if (m->i_prev == SIZE_MAX || !token_is_first_of_line(m->p, m->i_prev) ||
        token_class(m->prev->kind) != KEYWORD_STMT)
        return false;
    size_t i = token_before(m->p, m->i_prev, true);
    if (i == SIZE_MAX || i + 1 == m->i_prev || i < m->p->resumed_at)
        return false;
    const Token *last = &m->p->tokens.ptr[i];
    if (!token_continues_after(last->kind) || last->kind == TOK_LBRACE)
        return false;
    Diag *d = diag_add(m->diags, E_CONTINUED_LINE, last->span,
                       "after this `%.*s` the statement goes on in the next line",
                       STR_ARG(last->text));
    diag_label(m->diags, d, m->prev->span, "so `%.*s` is read as a name here",
               STR_ARG(m->prev->text));
    diag_help(m->diags, d, "remove the `%.*s`, or write what follows it", STR_ARG(last->text));
    m->p->restart.token = m->i_prev;
    m->p->restart.is_line = true;
    return true;
}

/* A line that begins with an operator, where only some words and signs go on. */
static bool rule_leading_operator(Mistake *m)
{
    int kind = m->t->kind;
    if (!token_is_first_of_line(m->p, m->p->at) || !token_continues_after(kind) ||
        kind == TOK_PIPE || kind == TOK_LBRACE || kind == TOK_NOT || kind == TOK_IF ||
        m->i_prev == SIZE_MAX || kind_at(m, m->p->at - 1) != TOK_NEWLINE)
        return false;
    Diag *d = diag_add(m->diags, E_CONTINUED_LINE, m->t->span,
                       "a line that begins with `%.*s` does not go on with the one before",
                       STR_ARG(m->t->text));
    diag_help(m->diags, d, "put the `%.*s` at the end of the line before", STR_ARG(m->t->text));
    return true;
}

static bool rule_pipe(Mistake *m)
{
    if (m->prev && m->prev->kind == TOK_PIPE &&
        (is_end(m->t->kind) || m->t->kind == TOK_RBRACE)) {
        Diag *d = diag_add(m->diags, E_PIPE, m->prev->span, "no stage follows this `|`");
        diag_help(m->diags, d, "remove it, or write a stage such as `| take 10` after it");
        return true;
    }
    if (m->t->kind == TOK_PIPE && expects(m, TOK_NEWLINE) && !expects(m, TOK_PIPE) &&
        innermost(m)) {
        Diag *d = diag_add(m->diags, E_PIPE, m->t->span,
                           "the statements of an op are not joined by `|`");
        diag_help(m->diags, d, "write each on a line of its own, or put `;` between them");
        return true;
    }
    bool is_stage = token_class(m->t->kind) == KEYWORD_STMT;
    if (is_stage && expects(m, TOK_PIPE)) {
        Diag *d = diag_add(m->diags, E_PIPE, m->t->span, "`|` is missing before `%.*s`",
                           STR_ARG(m->t->text));
        diag_help(m->diags, d, "the stages of a flow are joined by `|`");
        diag_fix(m->diags, d, (Span){m->t->span.lo, m->t->span.lo}, STR_LIT("| "));
        return true;
    }
    if (is_stage && expects(m, TOK_NEWLINE)) {
        Diag *d = diag_add(m->diags, E_MISSING_LINE_END, m->t->span,
                           "`%.*s` begins another statement on the same line",
                           STR_ARG(m->t->text));
        diag_help(m->diags, d, "write it on a line of its own, or put `;` before it");
        diag_fix(m->diags, d, (Span){m->t->span.lo, m->t->span.lo}, STR_LIT("; "));
        return true;
    }
    return false;
}

/* ---- habits from other languages ---- */

static bool rule_sql(Mistake *m)
{
    static const char *const FROM[] = {"from", "FROM", "From", NULL};
    if (m->t->kind != TOK_NAME || !word_is_one_of(m->t->text, FROM))
        return false;
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "there is no `%.*s`: data flows from step to step",
                       STR_ARG(m->t->text));
    diag_help(m->diags, d, "read first and select then: `read csv \"...\" | select ...`");
    return true;
}

/* A trailing `-- text` or `// text` was read as two minus signs or a division. */
static bool rule_comment(Mistake *m)
{
    for (size_t i = m->p->at; i != SIZE_MAX && i + 4 > m->p->at; i--) {
        const Token *t = &m->p->tokens.ptr[i];
        if (t->kind == TOK_NEWLINE && i != m->p->at)
            return false;
        bool is_dashes = t->kind == TOK_MINUS && i > 0 && t[-1].kind == TOK_MINUS &&
                         t[-1].span.hi == t->span.lo;
        if (!is_dashes && t->kind != TOK_IDIV)
            continue;
        Span span = is_dashes ? span_join(t[-1].span, t->span) : t->span;
        Diag *d = diag_add(m->diags, E_FOREIGN_COMMENT, span, "`%s` does not start a comment",
                           is_dashes ? "--" : "//");
        diag_help(m->diags, d, "a comment starts with `#` and goes to the end of the line");
        size_t end = m->p->at; /* whatever the comment says */
        while (!is_end(kind_at(m, end)))
            end++;
        m->p->restart.token = end;
        return true;
    }
    return false;
}

static bool rule_foreign_value(Mistake *m)
{
    static const char *const NULLS[] = {"NULL", "Null", "None", "nil", "none", "undefined", NULL};
    if (m->t->kind != TOK_NAME || !expects(m, TOK_NULL) || expects_expression(m) ||
        !word_is_one_of(m->t->text, NULLS))
        return false;
    Diag *d = diag_add(m->diags, E_FOREIGN_VALUE, m->t->span, "`%.*s` is written `null` here",
                       STR_ARG(m->t->text));
    diag_help(m->diags, d, "write `null`");
    diag_fix(m->diags, d, m->t->span, STR_LIT("null"));
    return true;
}

static bool rule_assign(Mistake *m)
{
    if (m->t->kind == TOK_ASSIGN && (expects(m, TOK_EQ) || expects(m, TOK_AND))) {
        const Bracket *b = innermost(m);
        bool is_arg = m->prev->kind == TOK_NAME && b && b->kind == TOK_LPAREN &&
                      b->token > 0 && kind_at(m, b->token - 1) == TOK_NAME &&
                      (b->token + 1 == m->i_prev ||
                       kind_at(m, token_before(m->p, m->i_prev, true)) == TOK_COMMA);
        Diag *d = diag_add(m->diags, E_ASSIGN_IN_EXPRESSION, m->t->span,
                           "`=` defines; it does not compare");
        if (is_arg) {
            diag_help(m->diags, d, "a named argument is written `%.*s: ...`, a comparison `==`",
                      STR_ARG(m->prev->text));
        } else {
            diag_help(m->diags, d, "write `==` to compare");
            diag_fix(m->diags, d, m->t->span, STR_LIT("=="));
        }
        return true;
    }
    if (m->t->kind == TOK_EQ && expects(m, TOK_ASSIGN)) {
        Diag *d = diag_add(m->diags, E_EQUALS_IN_DEFINITION, m->t->span,
                           "`==` compares; it does not define");
        diag_help(m->diags, d, "write `=` to define");
        diag_fix(m->diags, d, m->t->span, STR_LIT("="));
        return true;
    }
    return false;
}

static bool is_comparison(int kind)
{
    return kind == TOK_EQ || kind == TOK_NE || kind == TOK_LT || kind == TOK_LE ||
           kind == TOK_GT || kind == TOK_GE || kind == TOK_IN || kind == TOK_IS ||
           kind == TOK_BETWEEN;
}

static bool rule_chain(Mistake *m)
{
    /* After a whole comparison `and` may follow, but no other comparison. */
    if (!is_comparison(m->t->kind) || !expects(m, TOK_AND) || expects(m, TOK_EQ))
        return false;
    Diag *d = diag_add(m->diags, E_CHAINED_COMPARISON, m->t->span, "comparisons do not chain");
    size_t i = m->i_prev;
    while (i != SIZE_MAX && !is_comparison(kind_at(m, i)) && kind_at(m, i) != TOK_NEWLINE)
        i--;
    if (i != SIZE_MAX && is_comparison(kind_at(m, i)))
        diag_label(m->diags, d, m->p->tokens.ptr[i].span, "this is one already");
    diag_help(m->diags, d, "write `a < b and b < c`, or `b between a and c`");
    return true;
}

static bool rule_if(Mistake *m)
{
    static const char *const ELIFS[] = {"elif", "elsif", "elseif", "elsif", NULL};
    const char *help = "write `if c then a else b`";
    Diag *d;
    if (m->t->kind == TOK_QUESTION) {
        d = diag_add(m->diags, E_IF_FORM, m->t->span, "there is no `? :`");
    } else if (m->t->kind == TOK_NAME && word_is_one_of(m->t->text, ELIFS)) {
        d = diag_add(m->diags, E_IF_FORM, m->t->span, "`%.*s` is written `else if`",
                     STR_ARG(m->t->text));
        help = "write `else if`";
        diag_fix(m->diags, d, m->t->span, STR_LIT("else if"));
    } else if (expects(m, TOK_ELSE) &&
               (is_end(m->t->kind) || m->t->kind == TOK_COMMA || m->t->kind == TOK_PIPE ||
                token_is_closer(m->t->kind))) {
        size_t i = m->i_prev;
        while (i != SIZE_MAX && kind_at(m, i) != TOK_IF)
            i--;
        Span span = i != SIZE_MAX ? m->p->tokens.ptr[i].span : m->t->span;
        d = diag_add(m->diags, E_IF_FORM, span, "this `if` has no `else`");
        help = "an `if` is a value: add what it is otherwise, `else null` for nothing";
    } else if (expects(m, TOK_THEN) &&
               (m->t->kind == TOK_COLON || m->t->kind == TOK_LBRACE || m->t->kind == TOK_COMMA)) {
        d = diag_add(m->diags, E_IF_FORM, m->t->span, "`then` is expected after the condition");
    } else {
        return false;
    }
    diag_help(m->diags, d, "%s", help);
    return true;
}

static bool rule_method(Mistake *m)
{
    if (m->t->kind != TOK_LPAREN || m->i_prev == SIZE_MAX || m->i_prev < 2 ||
        m->prev[-1].kind != TOK_DOT)
        return false;
    Span span = span_join(m->prev[-1].span, m->prev->span);
    Diag *d = diag_add(m->diags, E_METHOD_CALL, span, "`.%.*s()` is a call of a method; there are functions",
                       STR_ARG(m->prev->text));
    if (m->prev[-2].kind == TOK_NAME)
        diag_help(m->diags, d, "write `%.*s(%.*s)`", STR_ARG(m->prev->text),
                  STR_ARG(m->prev[-2].text));
    else
        diag_help(m->diags, d, "write `%.*s(...)`", STR_ARG(m->prev->text));
    return true;
}

/* ---- words ---- */

typedef struct Synonym {
    const char *words; /* between blanks */
    const char *ours;
} Synonym;

static const Synonym STATEMENTS[] = {
    {" filter having keep_if ", "where"},
    {" limit head first ", "take"},
    {" offset ", "skip"},
    {" order orderby order_by arrange ", "sort by"},
    {" mutate with_column with_columns withColumn extend assign compute set add ", "derive"},
    {" project keep pick ", "select"},
    {" remove delete exclude ", "drop"},
    {" groupby group_by ", "group by"},
    {" summarize summarise agg ", "aggregate"},
    {" load scan open from import extract input ", "read csv"},
    {" save store export output insert ", "write csv"},
    {" print echo show debug ", "log"},
    {" unique dedup uniq deduplicate ", "distinct"},
    {" append concat union_all ", "union"},
    {" inner merge ", "join"},
    {" wait delay pause ", "sleep"},
    {" throw raise error abort ", "fail"},
    {" system shell sh ", "exec"},
    {" foreach each for parallel apply ", "map"},
    {" reduce fold gather ", "collect"},
    {" unnest flatten ", "explode"},
    {" partition shard ", "split by"},
    {" ensure require expect ", "assert"},
};

static const Synonym DECLARATIONS[] = {
    {" def func function fun ", "fn"},
    {" import include require ", "use"},
    {" pipeline flow dag workflow main ", "job"},
    {" const var val constant ", "let"},
    {" task step stage transform proc operation operator ", "op"},
    {" arg input option parameter ", "param"},
    {" type struct record ", "schema"},
};

static const char *synonym_of(Str word, const Synonym *table, size_t n)
{
    Buf b = {0};
    buf_putc(&b, ' ');
    for (uint32_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        bool is_upper = c >= 'A' && c <= 'Z';
        buf_putc(&b, word.len > 1 && is_upper && word.ptr[1] >= 'A' && word.ptr[1] <= 'Z'
                         ? (char)(c - 'A' + 'a')
                         : c);
    }
    buf_putc(&b, ' ');
    const char *ours = NULL;
    for (size_t i = 0; i < n && !ours; i++)
        if (strstr(table[i].words, b.ptr))
            ours = table[i].ours;
    buf_deinit(&b);
    return ours;
}

#define SYNONYM_OF(word, table) synonym_of(word, table, sizeof(table) / sizeof *(table))

/* Where a statement, a stage or a declaration begins. */
static bool is_first_word(const Mistake *m, size_t i)
{
    size_t before = token_before(m->p, i, false);
    if (before == SIZE_MAX)
        return true;
    switch (kind_at(m, before)) {
    case TOK_NEWLINE: case TOK_LBRACE: case TOK_PIPE: case TOK_MAP: case TOK_COLLECT:
    case TOK_ASSIGN:
        return true;
    }
    return false;
}

/* The keyword that is meant by the word at i: the nearest with which the text reads on. */
static const Keyword *misspelt(const Mistake *m, size_t i)
{
    Str word = m->p->tokens.ptr[i].text;
    const Keyword *best = NULL;
    uint32_t distance = UINT32_MAX;
    for (size_t k = 0; k < N_KEYWORDS; k++) {
        Suggest s;
        suggest_init(&s, word);
        suggest_offer(&s, KEYWORDS[k].text);
        if (s.best.len && s.distance < distance &&
            parse_would_read(m->p, i, KEYWORDS[k].token)) {
            best = &KEYWORDS[k];
            distance = s.distance;
        }
    }
    return best;
}

/* In a job's own braces, not in those of an op in it. */
static bool is_in_job(const Mistake *m)
{
    const Bracket *b = innermost(m);
    if (!b)
        return m->p->start == TOK_START_FLOWS;
    return b->kind == TOK_LBRACE && b->token >= 2 && kind_at(m, b->token - 2) == TOK_JOB;
}

/* The word at i stands where a statement or declaration begins, or ought to. */
static void report_word(Mistake *m, size_t i, const char *ours, bool is_near)
{
    const Token *w = &m->p->tokens.ptr[i];
    bool is_decl = m->p->n_brackets == 0 && m->p->start == TOK_START_FILE;
    bool is_first = is_first_word(m, i);
    DiagCode code = !is_first ? E_SYNTAX : is_decl ? E_UNKNOWN_DECLARATION : E_UNKNOWN_STATEMENT;
    const char *what = is_decl ? "declaration" : is_in_job(m) ? "stage" : "statement";
    Diag *d = is_first ? diag_add(m->diags, code, w->span, "`%.*s` is not a %s",
                                  STR_ARG(w->text), what)
                       : diag_add(m->diags, code, w->span, "`%.*s` is not expected here",
                                  STR_ARG(w->text));
    if (is_near) {
        diag_help(m->diags, d, "did you mean `%s`?", ours);
        diag_fix(m->diags, d, w->span, str_of(ours));
    } else if (ours) {
        diag_help(m->diags, d, "it is called `%s` here", ours);
    }
}

static bool rule_misspelt(Mistake *m)
{
    size_t places[] = {m->p->at, m->i_prev}; /* bison may notice one token late */
    for (size_t k = 0; k < 2; k++) {
        size_t i = places[k];
        if (i == SIZE_MAX || kind_at(m, i) != TOK_NAME || !is_first_word(m, i))
            continue;
        bool is_decl = m->p->n_brackets == 0 && m->p->start == TOK_START_FILE;
        const char *ours = is_decl ? SYNONYM_OF(m->p->tokens.ptr[i].text, DECLARATIONS)
                                   : SYNONYM_OF(m->p->tokens.ptr[i].text, STATEMENTS);
        if (ours) {
            report_word(m, i, ours, false);
            return true;
        }
    }
    for (size_t k = 0; k < 2; k++) {
        size_t i = places[k];
        if (i == SIZE_MAX || kind_at(m, i) != TOK_NAME)
            continue;
        if (k == 1 && token_is_first_of_line(m->p, m->p->at) && !is_first_word(m, i))
            continue;
        const Keyword *keyword = misspelt(m, i);
        if (keyword) {
            report_word(m, i, keyword->text.ptr, true);
            return true;
        }
    }
    return false;
}

static bool rule_unknown_word(Mistake *m)
{
    bool is_word = m->t->kind == TOK_NAME || m->t->kind == TOK_QNAME ||
                   token_class(m->t->kind) != KEYWORD_NONE;
    if (!is_word)
        return false;
    if (expects_declaration(m)) {
        Diag *d = diag_add(m->diags, E_UNKNOWN_DECLARATION, m->t->span,
                           "`%.*s` is not a declaration", STR_ARG(m->t->text));
        if (token_class(m->t->kind) == KEYWORD_STMT)
            diag_help(m->diags, d, "statements stand in an `op`, flows in a `job`");
        else
            diag_help(m->diags, d,
                      "a file holds `op`, `job`, `fn`, `param`, `let`, `schema` and `use`");
        return true;
    }
    if (expects_statement(m)) {
        Diag *d = diag_add(m->diags, E_UNKNOWN_STATEMENT, m->t->span,
                           "`%.*s` is not a statement", STR_ARG(m->t->text));
        int next = kind_at(m, token_after(m->p, m->p->at, false));
        if (m->t->kind == TOK_MAP || m->t->kind == TOK_COLLECT)
            diag_help(m->diags, d, "`%.*s` is a stage of a job's flow", STR_ARG(m->t->text));
        else if (next == TOK_NEWLINE || next == TOK_LPAREN || next == TOK_RBRACE)
            diag_help(m->diags, d, "an op is used as a stage of a job, not inside another op");
        return true;
    }
    return false;
}

/* A keyword where only a name fits. */
static bool rule_reserved(Mistake *m)
{
    KeywordClass class = token_class(m->t->kind);
    bool wants_name = expects(m, TOK_NAME) && expects(m, TOK_QNAME) && !expects_expression(m) &&
                      !expects_stage(m);
    if (!wants_name || (class != KEYWORD_RESERVED && class != KEYWORD_STMT))
        return false;
    Diag *d = diag_add(m->diags, E_RESERVED_NAME, m->t->span,
                       class == KEYWORD_RESERVED ? "`%.*s` is a word of the language, not a name"
                                                 : "`%.*s` begins a statement: no op and no flow "
                                                   "is called like it",
                       STR_ARG(m->t->text));
    if (class == KEYWORD_RESERVED)
        diag_help(m->diags, d, "write it in backticks to use it as a name");
    else
        diag_help(m->diags, d, "choose another name, such as `%.*s_all`", STR_ARG(m->t->text));
    return true;
}

/* ---- what no rule knows ---- */

typedef struct Form {
    int word;
    const char *text;
} Form;

/* How each construct is written, for the help. */
static const Form FORMS[] = {
    {TOK_USE, "use \"lib/ops.pipe\""},
    {TOK_PARAM, "param name: type = value"},
    {TOK_LET, "let name = ..."},
    {TOK_SCHEMA, "schema name { column: type, ... }"},
    {TOK_FN, "fn name(a: type) -> type = expression"},
    {TOK_OP, "op name { statements }"},
    {TOK_JOB, "job name { flows }"},
    {TOK_READ, "read csv \"file.csv\" with (header: true) as schema batch 100"},
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
    {TOK_WRITE, "write csv \"out.csv\""},
    {TOK_MAP, "map op"},
    {TOK_COLLECT, "collect op"},
};

/* The form of the statement or declaration that the mistake is in; NULL: none is known. */
static const char *form_here(const Mistake *m)
{
    for (size_t i = m->i_prev; i != SIZE_MAX; i--) {
        bool may_begin = is_first_word(m, i) || kind_at(m, i) == TOK_JOIN;
        if (!may_begin)
            continue;
        for (size_t k = 0; k < sizeof FORMS / sizeof *FORMS; k++)
            if (FORMS[k].word == kind_at(m, i))
                return FORMS[k].text;
        if (kind_at(m, i) == TOK_NEWLINE || kind_at(m, i) == TOK_LBRACE)
            break;
    }
    return NULL;
}

static bool is_operator(int kind)
{
    switch (kind) {
    case TOK_EQ: case TOK_NE: case TOK_LE: case TOK_GE: case TOK_LT: case TOK_GT:
    case TOK_COALESCE: case TOK_PLUS: case TOK_MINUS: case TOK_STAR: case TOK_SLASH:
    case TOK_IDIV: case TOK_PERCENT: case TOK_POW: case TOK_DOT: case TOK_AND: case TOK_OR:
    case TOK_NOT: case TOK_IN: case TOK_IS: case TOK_BETWEEN:
        return true;
    }
    return false;
}

static bool begins_expression(int kind)
{
    switch (kind) {
    case TOK_INT: case TOK_FLOAT: case TOK_DURATION: case TOK_SIZE: case TOK_RAW:
    case TOK_SBEG: case TOK_TRUE: case TOK_FALSE: case TOK_NULL: case TOK_LPAREN:
    case TOK_LBRACK: case TOK_MINUS: case TOK_NOT: case TOK_IF: case TOK_NAME:
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
    bool has_expr = expects_expression(m), has_stage = expects_stage(m);
    bool has_stmt = expects_statement(m);
    bool has_decl = expects_declaration(m);
    bool has_name = expects(m, TOK_QNAME) && !has_expr && !has_stage;
    bool has_string = expects(m, TOK_SBEG) && !has_expr;
    bool has_operator = expects(m, TOK_PLUS) && !has_expr;

    for (size_t i = 0; i < m->n_expected; i++) {
        int kind = m->expected[i];
        KeywordClass class = token_class(kind);
        if (kind == TOK_RESYNC || kind == TOK_END || kind == TOK_NEWLINE || kind == TOK_QNAME ||
            kind == TOK_NAME || kind == TOK_SBEG || kind == TOK_RAW || kind == TOK_PIPE_error)
            continue;
        if ((has_expr || has_name || has_stage) &&
            (class == KEYWORD_DECL || class == KEYWORD_STMT || class == KEYWORD_CLAUSE))
            continue;
        if (has_expr && begins_expression(kind))
            continue;
        if (has_operator && (is_operator(kind) || kind == TOK_LPAREN))
            continue;
        if ((has_stmt && class == KEYWORD_STMT) ||
            (has_decl && (class == KEYWORD_DECL || kind == TOK_AT)))
            continue;
        if (has_stage && kind == TOK_LBRACE)
            continue;
        /* Said by "the end of the line". */
        if ((kind == TOK_RBRACE || kind == TOK_AT) && expects(m, TOK_NEWLINE))
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
    if (expects(m, TOK_NEWLINE) && !has_stmt && !has_stage && !has_decl)
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
    if (is_end(m->t->kind) && m->prev && m->t->text.len == 0)
        span = (Span){m->prev->span.hi, m->prev->span.hi};
    else if (is_end(m->t->kind))
        span.hi = span.lo;
    Buf expected = {0}, found = {0};
    put_expected(m, &expected);
    if (m->t->kind == TOK_NEWLINE)
        buf_puts(&found, m->t->text.len && m->t->text.ptr[0] == ';' ? "found `;`"
                                                                    : "the line ends here");
    else if (m->t->kind == TOK_END)
        buf_puts(&found, "the text ends here");
    else if (m->t->kind == TOK_SBEG || m->t->kind == TOK_RAW)
        buf_puts(&found, "found a string");
    else if (m->t->kind == TOK_SEND)
        buf_puts(&found, "the string ends here");
    else
        buf_printf(&found, "found `%.*s`", STR_ARG(m->t->text));
    Diag *d = expected.len ? diag_add(m->diags, E_SYNTAX, span, "expected %s, %s", expected.ptr,
                                      found.ptr)
                           : diag_add(m->diags, E_SYNTAX, span, "%s, where nothing fits", found.ptr);
    const char *form = form_here(m);
    if (form)
        diag_help(m->diags, d, "the form is `%s`", form);
    buf_deinit(&expected);
    buf_deinit(&found);
}

typedef bool (*Rule)(Mistake *m);

/* The surest first. */
static const Rule RULES[] = {
    rule_declaration_in_braces,
    rule_continued_line,
    rule_unclosed,
    rule_unmatched,
    rule_brace_line,
    rule_comment,
    rule_if,
    rule_leading_operator,
    rule_foreign_value,
    rule_assign,
    rule_chain,
    rule_method,
    rule_sql,
    rule_misspelt,
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
    Mistake m = {.p = p, .diags = p->diags, .expected = expected, .n_expected = n_expected,
                 .t = &p->tokens.ptr[p->at], .i_prev = token_before(p, p->at, true)};
    m.prev = m.i_prev == SIZE_MAX ? NULL : &p->tokens.ptr[m.i_prev];
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++)
        if (RULES[i](&m))
            return;
    report_general(&m);
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
    vec_push(p->arena, &p->restarts, p->restart);
}
