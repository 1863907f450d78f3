/* syntax_layout.c - rules about brackets, lines and `|`. */
#include "lang/syntax_error.h"

#include "pipe_parse.h"

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

static void report_unclosed(Mistake *m, const Bracket *b, const Token *noticed)
{
    const Token *opener = &m->p->tokens.ptr[b->token];
    Diag *d = diag_add(m->diags, E_UNCLOSED_BRACKET, opener->span,
                       "this `%c` is never closed", bracket_char(b->kind));
    if (noticed->kind != TOK_END)
        diag_label(m->diags, d, noticed->span, "`%c` is missing before this",
                   closer_of(b->kind));
    else
        diag_help(m->diags, d, "close it with `%c`", closer_of(b->kind));
}

bool rule_declaration_in_braces(Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    size_t at = m->p->at;
    if (!b)
        return false;
    if (!parse_begins_declaration(m->p, at)) {
        at = m->i_prev;
        if (at == SIZE_MAX || !parse_begins_declaration(m->p, at))
            return false;
    }
    if (m->p->n_told_braces > 0) /* a brace that was missing in there was told */
        m->p->n_told_braces--;
    else
        report_unclosed(m, b, &m->p->tokens.ptr[at]);
    m->p->restart.token = at;
    return true;
}

/* A statement in the braces of aggregates, which are closed. */
static bool statement_in_aggregates(Mistake *m, const Bracket *b)
{
    size_t close = mistake_closer(m, b->token);
    if (close == SIZE_MAX || mistake_closer(m, m->p->brackets[0].token) == SIZE_MAX)
        return false;
    Diag *d = diag_add(m->diags, E_SYNTAX, m->prev->span, "`%.*s` is a statement: in these braces stand `name = aggregate`",
                       STR_ARG(m->prev->text));
    if (m->prev->kind == TOK_WHERE)
        diag_help(m->diags, d, "rows are kept before they are grouped, groups behind the braces: write `where` there");
    else
        diag_help(m->diags, d, "write `n = count()` and the like; statements for the rows of each key are those of a batch: "
                               "`split by a | map { top 2 by b desc } | collect`");
    m->p->restart.token = close;
    return true;
}

/* with (a: {b: 1}) */
static bool braces_as_option(Mistake *m, const Bracket *b)
{
    size_t close = mistake_closer(m, b->token);
    if (m->t->kind != TOK_LBRACE || b->kind != TOK_LPAREN || close == SIZE_MAX || m->prev->kind != TOK_COLON ||
        b->token == 0 || mistake_kind_at(m, token_before(m->p, b->token, true)) != TOK_WITH)
        return false;
    Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "an option is a constant, and has no braces");
    diag_help(m->diags, d, "write `with (delimiter: \";\")`; a schema is declared, `schema s { id: int }`, and named "
                           "behind the options: `as s`");
    m->p->restart.token = close;
    return true;
}

bool rule_unclosed(Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (!b)
        return false;
    if (braces_as_option(m, b))
        return true;
    if (m->t->kind == TOK_END) {
        if (m->p->n_told_braces > 0)
            m->p->n_told_braces--;
        else
            report_unclosed(m, b, m->t);
        return true;
    }
    if (b->kind == TOK_LBRACE) {
        /* A statement inside the braces of aggregates: its word was taken as a name. */
        if (m->i_prev == SIZE_MAX || token_class(m->prev->kind) != KEYWORD_STMT || m->t->kind == TOK_ASSIGN ||
            !mistake_expects(m, TOK_ASSIGN) || mistake_expects_statement(m) ||
            !token_is_first_of_line(m->p, m->i_prev) || m->i_prev <= b->token)
            return false;
        if (statement_in_aggregates(m, b))
            return true;
        report_unclosed(m, b, m->prev);
        m->p->n_told_braces++;
        return true;
    }
    if (b->kind == TOK_IOPEN && m->t->kind == TOK_SBEG &&
        mistake_expects(m, TOK_ICLOSE)) {
        Span brace = mistake_token(m, b->token)->span;
        diags_drop(m->diags, m->t->span); /* what the quote seems to open */
        diags_drop(m->diags, brace);
        size_t end = m->p->at;
        while (mistake_kind_at(m, end) == TOK_SBEG || mistake_kind_at(m, end) == TOK_STEXT)
            end++;
        if (mistake_kind_at(m, end) == TOK_BAD) /* it goes to the end of the line, braces and all */
            parse_lose_braces(m->p, mistake_text(m, m->p->at, end - 1));
        Diag *d = diag_add(m->diags, E_UNCLOSED_STRING, m->p->tokens.ptr[b->token].span,
                           "this `{` in a string is not closed before the string ends");
        diag_help(m->diags, d, "a plain brace in a string is written `{{`");
        return true;
    }
    size_t after = mistake_next(m, m->p->at);
    bool is_semicolon = m->t->kind == TOK_NEWLINE && str_is(m->t->text, ";");
    if (is_semicolon && b->kind == TOK_LPAREN && mistake_prior_kind(m, m->i_prev) == TOK_COLON &&
        mistake_kind_at(m, mistake_next(m, after)) == TOK_COLON) /* fn f(a: int; b: int) */
        return mistake_say(m, E_SYNTAX, m->t->span, "parameters are parted by `,`", "write `,`", m->t->span, STR_LIT(","));
    bool is_in_line = m->t->kind == TOK_RBRACE && !token_is_end(mistake_kind_at(m, after)) &&
                      (token_is_operator(mistake_kind_at(m, after)) || mistake_kind_at(m, after) == TOK_COMMA);
    if (is_in_line && b->kind != TOK_IOPEN) { /* (hp + 1} * 2 */
        const Token *opener = &m->p->tokens.ptr[b->token];
        Diag *d = diag_add(m->diags, E_UNMATCHED_BRACKET, m->t->span, "`%c` is closed by `%c`, not by `}`",
                           bracket_char(b->kind), closer_of(b->kind));
        diag_label(m->diags, d, opener->span, "it is opened here");
        char closer[2] = {closer_of(b->kind), '\0'};
        diag_help(m->diags, d, "write `%s`", closer);
        diag_fix_certain(m->diags, d, m->t->span, str_of(closer));
        while (m->p->n_brackets && m->p->brackets[m->p->n_brackets - 1].kind != TOK_LBRACE)
            m->p->n_brackets--;
        size_t end = m->p->at;
        while (!token_is_end(mistake_kind_at(m, end)))
            end++;
        m->p->restart.token = end;
        return true;
    }
    bool is_first = token_is_first_of_line(m->p, m->p->at);
    bool is_other =
        token_is_closer(m->t->kind) && bracket_char(m->t->kind) != closer_of(b->kind);
    bool is_statement = (token_class(m->t->kind) == KEYWORD_STMT && parse_begins_afresh(m->p, m->p->at)) ||
                        mistake_is_foreign_statement(m, m->p->at);
    if (is_first && is_statement) {
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

bool rule_unmatched(Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    int kind = m->t->kind;
    if (!token_is_closer(kind) || (b && bracket_char(kind) == closer_of(b->kind)))
        return false;
    diag_add(m->diags, E_UNMATCHED_BRACKET, m->t->span, "this `%c` closes nothing",
             bracket_char(kind));
    return true;
}

bool rule_brace_line(Mistake *m)
{
    size_t next = token_after(m->p, m->p->at, true);
    if (m->t->kind != TOK_NEWLINE || !mistake_expects(m, TOK_LBRACE) ||
        mistake_kind_at(m, next) != TOK_LBRACE)
        return false;
    Diag *d = diag_add(m->diags, E_BRACE_LINE, m->p->tokens.ptr[next].span,
                       "`{` stands on the line of what it belongs to");
    diag_label(m->diags, d, m->prev->span, "put it after this");
    uint32_t brace = m->p->tokens.ptr[next].span.hi;
    diag_fix_certain(m->diags, d, (Span){m->prev->span.hi, m->prev->span.hi}, STR_LIT(" {"));
    if (token_is_first_of_line(m->p, next) && token_is_end(mistake_kind_at(m, next + 1))) /* its whole line */
        diag_fix_certain(m->diags, d, (Span){brace - 1, mistake_token(m, next + 1)->span.hi}, STR_LIT(""));
    else
        diag_fix_certain(m->diags, d, (Span){brace - 1, brace}, STR_LIT(""));
    m->p->restart.token = next;
    return true;
}

/* ---- lines ---- */

/* `select a, b,` and then a line with the next statement, whose word was taken as a
 * name. */
bool rule_continued_line(Mistake *m)
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
    diag_help(m->diags, d, "remove the `%.*s`, or write what follows it",
              STR_ARG(last->text));
    if (last->kind == TOK_COMMA)
        diag_fix_certain(m->diags, d, last->span, STR_LIT(""));
    m->p->restart.token = m->i_prev;
    m->p->restart.is_line = true;
    return true;
}

/* `where hp > 50%` and then a brace: the line ends after what wants something more. */
bool rule_dangling_operator(Mistake *m)
{
    if (m->i_prev == SIZE_MAX || !token_is_operator(m->prev->kind) || !mistake_expects_expression(m) ||
        m->t->kind != TOK_RBRACE || m->i_prev + 1 == m->p->at)
        return false;
    Diag *d = diag_add(m->diags, E_CONTINUED_LINE, m->prev->span, "nothing follows this `%.*s`",
                       STR_ARG(m->prev->text));
    if (m->prev->kind == TOK_PERCENT)
        diag_help(m->diags, d, "`%%` is the remainder of a division; 50%% is written `0.5`");
    else
        diag_help(m->diags, d, "write an expression after it, or leave it out");
    return true;
}

/* A line that begins with an operator, where only some words and signs go on. */
bool rule_leading_operator(Mistake *m)
{
    int kind = m->t->kind;
    if (!token_is_first_of_line(m->p, m->p->at) || !token_continues_after(kind) ||
        kind == TOK_PIPE || kind == TOK_LBRACE || kind == TOK_NOT || kind == TOK_IF ||
        m->i_prev == SIZE_MAX || mistake_kind_at(m, m->p->at - 1) != TOK_NEWLINE)
        return false;
    if (kind == TOK_DOT) {
        Diag *d = diag_add(m->diags, E_METHOD_CALL, m->t->span, "no line begins with a `.`");
        diag_help(m->diags, d, "the stages of a flow are joined by `|`: `| where ...`");
        return true;
    }
    Diag *d =
        diag_add(m->diags, E_CONTINUED_LINE, m->t->span,
                 "a line that begins with `%.*s` does not go on with the one before",
                 STR_ARG(m->t->text));
    diag_help(m->diags, d, "put the `%.*s` at the end of the line before",
              STR_ARG(m->t->text));
    if (m->prev->kind != TOK_RBRACE) {
        Str op = arena_printf(m->diags->arena, " %.*s", STR_ARG(m->t->text));
        diag_fix_certain(m->diags, d, mistake_behind(m, m->i_prev), op);
        diag_fix_certain(m->diags, d, mistake_gap(m, m->p->at, m->p->at), STR_LIT(""));
    }
    return true;
}

bool rule_pipe(Mistake *m)
{
    if (m->prev && m->prev->kind == TOK_PIPE &&
        (token_is_end(m->t->kind) || m->t->kind == TOK_RBRACE)) {
        Diag *d =
            diag_add(m->diags, E_PIPE, m->prev->span, "no stage follows this `|`");
        diag_help(m->diags, d,
                  "remove it, or write a stage such as `| take 10` after it");
        return true;
    }
    size_t next = token_after(m->p, m->p->at, true);
    bool to_statement = token_class(mistake_kind_at(m, next)) == KEYWORD_STMT;
    int word = mistake_kind_at(m, mistake_statement(m));
    bool is_condition = word == TOK_WHERE || word == TOK_ASSERT;
    if (m->t->kind == TOK_PIPE && mistake_expects(m, TOK_NEWLINE) &&
        !mistake_expects(m, TOK_PIPE) && mistake_bracket(m)) {
        if (is_condition && !to_statement && mistake_kind_at(m, next) != TOK_GT) {
            Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`|` is written `or` here");
            diag_help(m->diags, d, "write `or`");
            diag_fix_certain(m->diags, d, m->t->span, STR_LIT("or"));
            return true;
        }
        Diag *d = diag_add(m->diags, E_PIPE, m->t->span,
                           "the statements of an op are not joined by `|`");
        diag_help(m->diags, d,
                  "write each on a line of its own, or put `;` between them");
        bool is_leading = token_is_first_of_line(m->p, m->p->at);
        if (to_statement)
            diag_fix_certain(m->diags, d, is_leading ? mistake_gap(m, m->p->at, m->p->at) : m->t->span,
                             is_leading ? STR_LIT("") : STR_LIT(";"));
        return true;
    }
    if (m->t->kind == TOK_COMMA && mistake_expects(m, TOK_NEWLINE) && !token_is_closer(mistake_kind_at(m, next))) {
        bool is_flow = mistake_expects(m, TOK_PIPE);
        bool is_same_line = mistake_next(m, m->p->at) == next;
        if (to_statement) {
            Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "no `,` stands between %s",
                               is_flow ? "the stages of a flow" : "statements");
            diag_help(m->diags, d, is_flow ? "join them by `|`" : "write each on a line of its own, or put `;` between them");
            diag_fix_certain(m->diags, d, m->t->span,
                             is_flow ? STR_LIT(" |") : is_same_line ? STR_LIT(";") : STR_LIT(""));
            return true;
        }
        if (is_condition && word == TOK_WHERE && mistake_expects(m, TOK_AND)) {
            Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`,` is written `and` here");
            bool has_looser = false; /* a, b or c: which of the two binds first? */
            for (size_t i = mistake_part_begin(m, m->p->at - 1); !token_is_end(mistake_kind_at(m, i)) && mistake_kind_at(m, i) != TOK_RBRACE; i++)
                has_looser = has_looser || mistake_kind_at(m, i) == TOK_OR || mistake_kind_at(m, i) == TOK_IF;
            diag_help(m->diags, d, has_looser ? "conditions are joined by `and`, which binds before `or`: put those with `or` in parentheses"
                                              : "conditions are joined by `and`");
            if (!has_looser)
                diag_fix_certain(m->diags, d, m->t->span, STR_LIT(" and"));
            return true;
        }
    }
    bool is_stage = token_class(m->t->kind) == KEYWORD_STMT;
    if (is_stage && mistake_expects(m, TOK_PIPE)) {
        Diag *d = diag_add(m->diags, E_PIPE, m->t->span, "`|` is missing before `%.*s`",
                           STR_ARG(m->t->text));
        diag_help(m->diags, d, "the stages of a flow are joined by `|`");
        diag_fix_certain(m->diags, d, (Span){m->t->span.lo, m->t->span.lo}, STR_LIT("| "));
        return true;
    }
    if (is_stage && mistake_expects(m, TOK_NEWLINE)) {
        Diag *d = diag_add(m->diags, E_MISSING_LINE_END, m->t->span,
                           "`%.*s` begins another statement on the same line",
                           STR_ARG(m->t->text));
        diag_help(m->diags, d, "write it on a line of its own, or put `;` before it");
        diag_fix_certain(m->diags, d, (Span){m->t->span.lo, m->t->span.lo}, STR_LIT("; "));
        return true;
    }
    return false;
}
