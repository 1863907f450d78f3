/* syntax_operators.c - rules about operators, signs and numbers as other languages write them. */
#include "lang/syntax_error.h"

#include <string.h>

#include "base/builtins.h"
#include "pipe_parse.h"

/* ---- operators ---- */

/* hp += 1, hp++ */
static bool step_operator(Mistake *m)
{
    size_t next = m->p->at + 1, op = m->p->at;
    const char *text = m->t->kind == TOK_PLUS    ? "+"
                       : m->t->kind == TOK_MINUS ? "-"
                       : m->t->kind == TOK_STAR  ? "*"
                       : m->t->kind == TOK_SLASH ? "/"
                                                 : NULL;
    if (!text)
        return false;
    bool has_name = m->prev->kind == TOK_NAME || m->prev->kind == TOK_QNAME;
    if (has_name && mistake_expects(m, TOK_ASSIGN) && mistake_kind_at(m, next) == TOK_ASSIGN) {
        Str name = mistake_text(m, m->i_prev, m->i_prev);
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, op, next),
                           "there is no `%s=`: a column is defined anew", text);
        diag_help(m->diags, d, "write `%.*s = %.*s %s ...`", STR_ARG(name), STR_ARG(name), text);
        size_t first = mistake_next(m, next), last = mistake_part_end(m, first);
        bool is_operand = last < first || mistake_operand_end(m, first) == last;
        diag_fix_certain(m->diags, d, mistake_span(m, op, next), arena_printf(m->diags->arena, "= %.*s %s", STR_ARG(name), text));
        if (!is_operand) { /* x *= a + b */
            diag_fix_certain(m->diags, d, mistake_before(m, first), STR_LIT("("));
            diag_fix_certain(m->diags, d, mistake_behind(m, last), STR_LIT(")"));
        }
        return true;
    }
    /* `hp++`, and `++hp`, of which the first sign does not fit. */
    bool is_double = m->t->kind == TOK_PLUS && mistake_kind_at(m, next) == TOK_PLUS && mistake_touch(m, op, next);
    if (is_double)
        op = next;
    is_double = is_double || (m->prev->kind == m->t->kind && m->t->kind == TOK_PLUS &&
                              mistake_touch(m, m->i_prev, op));
    if (!is_double)
        return false;
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, op - 1, op), "there is no `++`");
    size_t right = mistake_next(m, op);
    bool joins = token_is_string(mistake_kind_at(m, right)) || mistake_prior_kind(m, op - 1) == TOK_SEND || mistake_prior_kind(m, op - 1) == TOK_RAW;
    if (joins) {
        diag_help(m->diags, d, "strings are joined by `+`");
        diag_fix_certain(m->diags, d, mistake_span(m, op - 1, op), STR_LIT("+"));
    } else {
        diag_help(m->diags, d, "write `x + 1`");
    }
    return true;
}

/* `> =`, `= =`, `! =` */
static bool split_operator(Mistake *m)
{
    static const struct {
        int first;
        const char *text;
    } pairs[] = {{TOK_GT, ">="}, {TOK_LT, "<="}, {TOK_ASSIGN, "=="}, {TOK_NOT, "!="}};
    if (m->t->kind != TOK_ASSIGN || m->i_prev == SIZE_MAX)
        return false;
    uint32_t at = m->prev->span.lo - source_base(m->p->source);
    bool is_bang = m->prev->kind == TOK_NOT && source_text(m->p->source).ptr[at] == '!';
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (m->prev->kind != pairs[i].first || (m->prev->kind == TOK_NOT && !is_bang))
            continue;
        Span span = mistake_span(m, m->i_prev, m->p->at);
        diags_drop(m->diags, span);
        Diag *d = diag_add(m->diags, E_SYNTAX, span, "`%s` is written without a blank", pairs[i].text);
        diag_help(m->diags, d, "write `%s`", pairs[i].text);
        diag_fix_certain(m->diags, d, span, str_of(pairs[i].text));
        return true;
    }
    return false;
}

/* a << b, and `>>`, `->`, `>` between stages */
static bool shift_operator(Mistake *m)
{
    /* `|| take 3` was read as `or` and a name. */
    size_t or = mistake_prior(m, m->i_prev);
    if (or != SIZE_MAX && mistake_kind_at(m, or) == TOK_OR && token_class(m->prev->kind) == KEYWORD_STMT &&
        mistake_text(m, or, or).ptr[0] == '|' && mistake_is_in_job(m)) {
        diags_drop(m->diags, mistake_token(m, or)->span);
        Diag *d = diag_add(m->diags, E_PIPE, mistake_token(m, or)->span, "the stages of a flow are joined by one `|`");
        diag_help(m->diags, d, "write `|`");
        diag_fix_certain(m->diags, d, mistake_token(m, or)->span, STR_LIT("|"));
        return true;
    }
    size_t at = m->p->at; /* `%>%` behind what takes no operator */
    if (m->t->kind == TOK_PERCENT && mistake_kind_at(m, at + 1) == TOK_GT && mistake_kind_at(m, at + 2) == TOK_PERCENT && mistake_expects(m, TOK_PIPE)) {
        Diag *d = diag_add(m->diags, E_PIPE, mistake_span(m, at, at + 2), "the stages of a flow are joined by `|`");
        diag_help(m->diags, d, "write `|`");
        diag_fix_certain(m->diags, d, mistake_span(m, at, at + 2), STR_LIT("|"));
        return true;
    }
    bool is_pair = (m->t->kind == TOK_GT || m->t->kind == TOK_LT) && m->prev->kind == m->t->kind &&
                   mistake_touch(m, m->i_prev, m->p->at);
    size_t next = token_after(m->p, m->p->at, true), first = is_pair ? m->i_prev : m->p->at;
    bool to_stage = token_class(mistake_kind_at(m, next)) == KEYWORD_STMT;
    bool is_arrow = m->t->kind == TOK_ARROW && mistake_expects(m, TOK_PIPE);
    bool is_pipe = m->t->kind == TOK_GT && m->prev->kind == TOK_PIPE;    /* |> */
    bool is_magrittr = m->t->kind == TOK_GT && m->prev->kind == TOK_PERCENT; /* %>% */
    if (is_magrittr && mistake_kind_at(m, m->p->at + 1) == TOK_PERCENT)
        next = token_after(m->p, m->p->at + 1, true);
    if (is_pipe || (is_arrow && to_stage) || (is_pair && m->t->kind == TOK_GT && to_stage) ||
        (is_magrittr && next != m->p->at && mistake_kind_at(m, m->p->at + 1) == TOK_PERCENT)) {
        size_t last = is_magrittr ? m->p->at + 1 : m->p->at;
        first = is_arrow ? m->p->at : m->i_prev;
        bool is_op = mistake_bracket(m) && !mistake_is_in_job(m);
        Diag *d = diag_add(m->diags, E_PIPE, mistake_span(m, first, last),
                           is_op ? "the statements of an op stand on lines of their own"
                                 : "the stages of a flow are joined by `|`");
        diag_help(m->diags, d, is_op ? "put `;` between them, or a line end" : "write `|`");
        diag_fix_certain(m->diags, d, mistake_span(m, first, last), is_op ? STR_LIT(";") : STR_LIT("|"));
        return true;
    }
    if (!is_pair)
        return false;
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, first, m->p->at),
                       "there are no operators on bits");
    diag_help(m->diags, d, "`x * 2 ** n` and `x // 2 ** n` shift a number");
    return true;
}

/* `x mod 2`, `name contains "a"`: a word between operands. */
static bool word_operator(Mistake *m)
{
    static const struct {
        const char *word, *ours;
    } words[] = {{"mod", "%"}, {"div", "//"}, {"eq", "=="}, {"ne", "!="},  {"lt", "<"},
                 {"le", "<="}, {"gt", ">"},   {"ge", ">="}, {"isnt", "!="}, {"equals", "=="}};
    size_t at = m->p->at, next = mistake_next(m, at);
    /* Dots of Lua and PHP join strings. */
    bool is_dots = m->t->kind == TOK_DOTDOT && mistake_expects(m, TOK_PLUS) && !mistake_expects(m, TOK_DOTDOT);
    int word = is_dots ? mistake_kind_at(m, mistake_statement(m)) : TOK_END;
    bool has_number = m->prev->kind == TOK_INT || mistake_kind_at(m, next) == TOK_INT;
    if (is_dots && has_number && word != TOK_TAKE) {
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "`..` is no operator: it stands in `range 1..9`");
        diag_help(m->diags, d, "a number between two others is asked for by `x between 1 and 9`");
        return true;
    }
    if ((is_dots && word != TOK_TAKE && mistake_prior_kind(m, mistake_operand_begin(m, m->i_prev)) != TOK_BETWEEN) ||
        (token_is_string(m->t->kind) && m->prev->kind == TOK_DOT)) {
        const Token *dot = is_dots ? m->t : m->prev;
        Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, dot->span, "strings are joined by `+`");
        diag_help(m->diags, d, "write `+`, or one string: `\"{a}{b}\"`");
        diag_fix_certain(m->diags, d, dot->span, STR_LIT("+"));
        return true;
    }
    if (m->t->kind != TOK_NAME || !token_ends_value(m->prev->kind) || !mistake_expects(m, TOK_PLUS))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!mistake_word_at(m, at, words[i].word))
            continue;
        Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`%.*s` is written `%s` here",
                           STR_ARG(m->t->text), words[i].ours);
        if (i < 2) { /* of negative numbers SQL and Pascal make others */
            diag_help(m->diags, d, i == 0 ? "write `%%`, which has the sign of what stands behind it" : "write `//`, which rounds down");
            diag_fix(m->diags, d, m->t->span, str_of(words[i].ours));
            return true;
        }
        diag_help(m->diags, d, "write `%s`", words[i].ours);
        diag_fix_certain(m->diags, d, m->t->span, str_of(words[i].ours));
        return true;
    }
    if (mistake_word_at(m, at, "xor")) {
        Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`%.*s` is written `!=` here", STR_ARG(m->t->text));
        diag_help(m->diags, d, "one of two conditions holds: `(a) != (b)`");
        return true;
    }
    bool is_same;
    const char *habit = builtin_habit(m->t->text, &is_same);
    const Builtin *b = builtin_find(habit ? str_of(habit) : m->t->text, 2);
    size_t first = mistake_operand_begin(m, m->i_prev), last = mistake_operand_end(m, next);
    if (!b || !builtin_takes(b, 2) || first == SIZE_MAX || last == SIZE_MAX || mistake_kind_at(m, next) == TOK_LPAREN)
        return false;
    Str call = arena_printf(m->diags->arena, "%s(%.*s, %.*s)", b->name,
                            STR_ARG(mistake_text(m, first, m->i_prev)),
                            STR_ARG(mistake_text(m, next, last)));
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "`%s` is a function, not an operator",
                       b->name);
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    diag_fix_certain(m->diags, d, mistake_span(m, first, last), call);
    return true;
}

/* `date "2026-01-02"`, `upper name`: a function without parentheses. */
static bool bare_call(Mistake *m)
{
    const Builtin *b = m->prev->kind == TOK_NAME ? builtin_find(m->prev->text, 1) : NULL;
    size_t at = m->p->at, last = mistake_operand_end(m, at);
    bool is_operand = token_is_string(m->t->kind) || m->t->kind == TOK_NAME || m->t->kind == TOK_QNAME ||
                      m->t->kind == TOK_INT || m->t->kind == TOK_FLOAT;
    if (!b || !builtin_takes(b, 1) || !is_operand || last == SIZE_MAX || !mistake_expects(m, TOK_LPAREN) ||
        !mistake_expects(m, TOK_PLUS))
        return false;
    Str call = arena_printf(m->diags->arena, "%s(%.*s)", b->name, STR_ARG(mistake_text(m, at, last)));
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->prev->span, "a function is called with parentheses");
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, last), call);
    return true;
}

/* x ~ 'p', x =~ 'p', ~x */
static bool tilde(Mistake *m)
{
    if (m->t->kind != TOK_TILDE)
        return false;
    size_t next = mistake_next(m, m->p->at);
    bool is_not = m->t->text.len > 1 && m->t->text.ptr[0] == '!';
    if (!token_ends_value(m->prev->kind) || !mistake_expects(m, TOK_PLUS)) {
        Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`%.*s` is written `not` here",
                           STR_ARG(m->t->text));
        diag_help(m->diags, d, "write `not`");
        diag_fix_certain(m->diags, d, m->t->span, STR_LIT("not "));
        return true;
    }
    Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`%.*s` is written `matches(...)` here",
                       STR_ARG(m->t->text));
    size_t first = mistake_operand_begin(m, m->i_prev), last = mistake_operand_end(m, next);
    Str pattern = last == SIZE_MAX ? (Str){0} : mistake_text(m, next, last);
    bool is_slashed = pattern.len && pattern.ptr[0] == '/'; /* ~ /pattern/ */
    if (is_slashed)
        pattern = arena_printf(m->diags->arena, "'%.*s'", STR_ARG(mistake_token(m, next)->text));
    if (first == SIZE_MAX || last == SIZE_MAX || (is_slashed && memchr(pattern.ptr + 1, '\'', pattern.len - 2))) {
        diag_help(m->diags, d, "write `matches(text, 'pattern')`");
        return true;
    }
    Str call = arena_printf(m->diags->arena, "%smatches(%.*s, %.*s)", is_not ? "not " : "",
                            STR_ARG(mistake_text(m, first, m->i_prev)), STR_ARG(pattern));
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    diag_fix_certain(m->diags, d, mistake_span(m, first, last), call);
    return true;
}

/* `.hp`, `@hp` where a value is wanted */
static bool sigil(Mistake *m)
{
    size_t next = m->p->at + 1;
    int kind = mistake_kind_at(m, next);
    if (m->t->kind == TOK_LBRACE && mistake_expects_expression(m) && !mistake_expects_stage(m)) {
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "an expression has no braces");
        diag_help(m->diags, d, "group with `( )`; a list is `[1, 2]`");
        return true;
    }
    bool is_stage = m->t->kind == TOK_DOT && mistake_expects_stage(m) && m->prev->kind == TOK_PIPE &&
                    token_class(kind) != KEYWORD_STMT;
    bool wants_name = m->t->kind == TOK_DOT && mistake_expects(m, TOK_QNAME) &&
                      (m->prev->kind == TOK_COMMA || m->prev->kind == TOK_BY || mistake_is_first_word(m, m->i_prev));
    if ((m->t->kind != TOK_DOT && m->t->kind != TOK_AT) || !mistake_touch(m, m->p->at, next) ||
        !(mistake_expects_expression(m) || is_stage || wants_name))
        return false;
    Diag *d;
    if (m->t->kind == TOK_AT && kind == TOK_INT) {
        size_t last = next;
        while (mistake_touch(m, last, last + 1) &&
               (mistake_kind_at(m, last + 1) == TOK_MINUS || mistake_kind_at(m, last + 1) == TOK_INT))
            last++;
        d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "there are no literals of dates");
        diag_help(m->diags, d, "write `date(\"%.*s\")`", STR_ARG(mistake_text(m, next, last)));
        diag_fix_certain(m->diags, d, mistake_span(m, m->p->at, last),
                         arena_printf(m->diags->arena, "date(\"%.*s\")",
                                      STR_ARG(mistake_text(m, next, last))));
        return true;
    }
    if (kind != TOK_NAME && kind != TOK_QNAME && token_class(kind) < KEYWORD_DECL)
        return false;
    d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "no `%.*s` stands before a name",
                 STR_ARG(m->t->text));
    diag_help(m->diags, d, "columns and parameters stand by their names alone: `%s%.*s`", is_stage ? "select " : "",
              STR_ARG(mistake_text(m, next, next)));
    diag_fix_certain(m->diags, d, m->t->span, is_stage ? STR_LIT("select ") : STR_LIT(""));
    return true;
}

/* 1,5 and 1,000 */
static bool number_comma(Mistake *m)
{
    size_t comma = m->t->kind == TOK_COMMA ? m->p->at : m->i_prev;
    size_t first = mistake_prior(m, comma), second = comma == SIZE_MAX ? SIZE_MAX : comma + 1;
    bool are_numbers = first != SIZE_MAX && mistake_kind_at(m, comma) == TOK_COMMA &&
                       mistake_kind_at(m, first) == TOK_INT && mistake_kind_at(m, second) == TOK_INT &&
                       mistake_touch(m, first, comma) && mistake_touch(m, comma, second);
    const Bracket *b = mistake_bracket(m);
    if (!are_numbers || (m->p->at != comma && m->p->at != second) || (b && b->kind != TOK_LBRACE && b->kind != TOK_IOPEN))
        return false;
    Diag *d = diag_add(m->diags, E_BAD_NUMBER, mistake_span(m, first, second), "a number has no `,` in it");
    Str a = mistake_token(m, first)->text, z = mistake_token(m, second)->text;
    diag_help(m->diags, d, "a decimal point is a `.`, thousands are parted by `_`: `%.*s.%.*s` or `%.*s_%.*s`", STR_ARG(a),
              STR_ARG(z), STR_ARG(a), STR_ARG(z));
    return true;
}

/* `x!`: the sign was read as the `not` of `not in`. */
static bool sign_behind(Mistake *m)
{
    if (m->prev->kind != TOK_NOT || mistake_text(m, m->i_prev, m->i_prev).ptr[0] != '!' || m->t->kind == TOK_ASSIGN ||
        !mistake_expects(m, TOK_IN) || mistake_expects_expression(m))
        return false;
    diags_drop(m->diags, m->prev->span);
    return mistake_say(m, E_FOREIGN_OPERATOR, m->prev->span, "no `!` stands behind a value",
                       "leave it out; a condition is turned round by `not` before it", NO_FIX, (Str){0});
}

bool rule_operator(Mistake *m)
{
    if (!m->prev)
        return false;
    if (number_comma(m) || sign_behind(m))
        return true;
    return step_operator(m) || split_operator(m) || shift_operator(m) || tilde(m) ||
           word_operator(m) || bare_call(m) || sigil(m);
}

/* Is more than the operand before it turned round by `not`, but not by the `!` of other languages? `in`, `is` and `between` are
 * left out: of a condition that is turned round they make no sense. */
static bool splits_sign(int kind)
{
    bool is_word = kind == TOK_IN || kind == TOK_IS || kind == TOK_BETWEEN || kind == TOK_AND || kind == TOK_OR || kind == TOK_NOT;
    return kind == TOK_ASSIGN || (token_is_operator(kind) && !is_word);
}

static void doubt_sign(const Mistake *m, Diag *d, size_t sign)
{
    size_t first = mistake_next(m, sign);
    while (mistake_kind_at(m, first) == TOK_NOT || mistake_kind_at(m, first) == TOK_TILDE)
        first = mistake_next(m, first);
    size_t last = mistake_operand_end(m, first);
    while (last != SIZE_MAX && mistake_kind_at(m, mistake_next(m, last)) == TOK_DOT)
        last = mistake_operand_end(m, mistake_next(m, mistake_next(m, last)));
    size_t op = last == SIZE_MAX ? SIZE_MAX : mistake_next(m, last);
    if (op == SIZE_MAX || !splits_sign(mistake_kind_at(m, op)))
        return;
    Str a = mistake_text(m, first, last), o = mistake_kind_at(m, op) == TOK_ASSIGN ? STR_LIT("==") : mistake_text(m, op, op);
    d->is_certain = false;
    d->fixes.n = d->helps.n = 0;
    diag_help(m->diags, d, "write `not (%.*s %.*s ...)`, or `(not %.*s) %.*s ...` if only `%.*s` is meant", STR_ARG(a), STR_ARG(o),
              STR_ARG(a), STR_ARG(o), STR_ARG(a));
}

void parse_doubt_signs(Parse *p)
{
    const Mistake m = {.p = p, .diags = p->diags, .i_prev = SIZE_MAX};
    for (size_t i = 0; i < p->diags->list.n; i++) {
        Diag *d = p->diags->list.ptr[i];
        if (d->code != E_FOREIGN_OPERATOR || d->fixes.n != 1 || !str_is(d->fixes.ptr[0].text, "not "))
            continue;
        for (size_t k = 0; k < p->tokens.n; k++)
            if (p->tokens.ptr[k].span.lo == d->span.lo)
                doubt_sign(&m, d, k);
    }
}
