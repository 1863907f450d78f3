/* syntax_foreign.c - rules about what Python, C, the shell and jq write: indices, conditions, lambdas, assignments,
 * methods. */
#include "lang/syntax_error.h"

#include <string.h>

#include "base/builtins.h"
#include "pipe_parse.h"

/* ---- x[0], df["x"] ---- */

bool rule_index(Mistake *m)
{
    if (m->t->kind != TOK_LBRACK || !m->prev || !token_ends_value(m->prev->kind) ||
        m->prev->kind == TOK_SEND || m->prev->kind == TOK_BY ||
        (token_class(m->prev->kind) == KEYWORD_STMT && mistake_is_first_word(m, m->i_prev)))
        return false;
    size_t first = mistake_operand_begin(m, m->i_prev), close = mistake_closer(m, m->p->at);
    if (first == SIZE_MAX)
        return false;
    size_t inner = mistake_next(m, m->p->at);
    Str base = mistake_text(m, first, m->i_prev);
    Diag *d;
    bool is_column = token_is_string(mistake_kind_at(m, inner)) && close != SIZE_MAX;
    if (is_column) {
        size_t end = mistake_operand_end(m, inner);
        bool is_raw = mistake_kind_at(m, inner) == TOK_RAW;
        const Token *text = mistake_token(m, is_raw ? inner : inner + 1);
        if (end == SIZE_MAX || mistake_next(m, end) != close || text->text.len == 0)
            return false;
        bool is_word = true;
        for (uint32_t i = 0; i < text->text.len; i++) {
            char c = text->text.ptr[i];
            is_word = is_word && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                                  (i && c >= '0' && c <= '9') || (unsigned char)c >= 0x80);
        }
        Str name = arena_printf(m->diags->arena, is_word ? "%.*s" : "`%.*s`", STR_ARG(text->text));
        size_t after = mistake_next(m, close);
        bool is_statement = mistake_statement(m) == first && mistake_kind_at(m, after) == TOK_ASSIGN;
        d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, m->p->at, close),
                     "a column stands by its name alone");
        diag_help(m->diags, d, is_statement ? "write `derive %.*s = ...`" : "write `%.*s`",
                  STR_ARG(name));
        if (is_statement)
            name = arena_printf(m->diags->arena, "derive %.*s", STR_ARG(name));
        diag_fix_certain(m->diags, d, mistake_span(m, first, close), name);
        return true;
    }
    d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "values have no parts in `[ ]`");
    if (mistake_kind_at(m, first) == TOK_LBRACK)
        base = STR_LIT("x");
    diag_help(m->diags, d, "write `substring(%.*s, start, length)` for characters, "
                           "`split_part(%.*s, \",\", n)` for parts",
              STR_ARG(base), STR_ARG(base));
    return true;
}

/* ---- conditions ---- */

/* c ? a : b */
static void fix_ternary(Mistake *m, Diag *d)
{
    size_t at = m->p->at, first = mistake_part_begin(m, at), last = mistake_part_end(m, at);
    size_t colon = SIZE_MAX;
    uint32_t depth = 0;
    for (size_t i = at + 1; i <= last; i++) {
        int kind = mistake_kind_at(m, i);
        depth += token_is_opener(kind) || kind == TOK_SBEG;
        depth -= depth > 0 && (token_is_closer(kind) || kind == TOK_SEND);
        if (kind == TOK_QUESTION)
            return;
        if (depth == 0 && kind == TOK_COLON && colon == SIZE_MAX)
            colon = i;
    }
    if (colon == SIZE_MAX || first >= at)
        return;
    diag_fix_certain(m->diags, d, mistake_before(m, first), STR_LIT("if "));
    diag_fix_certain(m->diags, d, m->t->span, STR_LIT("then"));
    diag_fix_certain(m->diags, d, mistake_token(m, colon)->span, STR_LIT("else"));
}

/* a if c else b */
static bool python_if(Mistake *m)
{
    if (m->t->kind != TOK_IF || !m->prev || !token_ends_value(m->prev->kind) || !mistake_expects(m, TOK_NEWLINE))
        return false;
    size_t at = m->p->at, first = mistake_part_begin(m, at), last = mistake_part_end(m, at);
    size_t other = at;
    while (other <= last && mistake_kind_at(m, other) != TOK_ELSE)
        other++;
    Diag *d = diag_add(m->diags, E_IF_FORM, m->t->span, "the condition stands first");
    if (other > last || first >= at || other + 1 > last) {
        diag_help(m->diags, d, "write `if c then a else b`");
        return true;
    }
    Str text = arena_printf(m->diags->arena, "if %.*s then %.*s else %.*s",
                            STR_ARG(mistake_text(m, at + 1, other - 1)),
                            STR_ARG(mistake_text(m, first, m->i_prev)),
                            STR_ARG(mistake_text(m, other + 1, last)));
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(text));
    diag_fix_certain(m->diags, d, mistake_span(m, first, last), text);
    return true;
}

/* if(c, a, b) */
static bool call_if(Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (m->t->kind != TOK_COMMA || !b || b->kind != TOK_LPAREN || mistake_prior_kind(m, b->token) != TOK_IF)
        return false;
    size_t word = mistake_prior(m, b->token), close = mistake_closer(m, b->token), second = SIZE_MAX;
    Diag *d = diag_add(m->diags, E_IF_FORM, mistake_token(m, word)->span, "`if` is not a function");
    diag_help(m->diags, d, "write `if c then a else b`");
    uint32_t depth = 0, n_commas = 1;
    for (size_t i = m->p->at + 1; close != SIZE_MAX && i < close; i++) {
        int kind = mistake_kind_at(m, i);
        depth += token_is_opener(kind);
        depth -= depth > 0 && token_is_closer(kind);
        if (kind == TOK_COMMA && depth == 0 && n_commas++ == 1)
            second = i;
    }
    if (n_commas != 2)
        return true;
    bool stands_alone = !token_is_operator(mistake_kind_at(m, mistake_next(m, close))) &&
                        !token_is_operator(mistake_prior_kind(m, word));
    diag_fix_certain(m->diags, d, mistake_span(m, word, b->token),
                     stands_alone ? STR_LIT("if ") : STR_LIT("(if "));
    diag_fix_certain(m->diags, d, m->t->span, STR_LIT(" then"));
    diag_fix_certain(m->diags, d, mistake_token(m, second)->span, STR_LIT(" else"));
    diag_fix_certain(m->diags, d, mistake_token(m, close)->span, stands_alone ? STR_LIT("") : STR_LIT(")"));
    return true;
}

/* 1 + if c then a else b */
static bool if_operand(Mistake *m)
{
    if (m->t->kind != TOK_IF || !m->prev || !token_is_operator(m->prev->kind))
        return false;
    size_t last = mistake_part_end(m, m->p->at);
    Diag *d = diag_add(m->diags, E_IF_FORM, m->t->span, "an `if` beside an operator stands in parentheses");
    diag_help(m->diags, d, "write `(%.*s)`", STR_ARG(mistake_text(m, m->p->at, last)));
    diag_fix_certain(m->diags, d, mistake_before(m, m->p->at), STR_LIT("("));
    diag_fix_certain(m->diags, d, mistake_behind(m, last), STR_LIT(")"));
    return true;
}

bool rule_if_form(Mistake *m)
{
    Diag *d;
    if (if_operand(m))
        return true;
    if (m->t->kind == TOK_QUESTION) {
        bool is_type = m->i_prev != SIZE_MAX && mistake_prior_kind(m, m->i_prev) == TOK_COLON &&
                       mistake_bracket(m) && !mistake_expects(m, TOK_PLUS);
        if (is_type) {
            d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "every column may be null");
            diag_help(m->diags, d, "leave the `?` out");
            diag_fix_certain(m->diags, d, m->t->span, STR_LIT(""));
            return true;
        }
        if (mistake_kind_at(m, m->p->at + 1) == TOK_COLON) {
            d = diag_add(m->diags, E_IF_FORM, m->t->span, "there is no `?:`");
            diag_help(m->diags, d, "write `a ?? b`, which is b where a is null");
            return true;
        }
        d = diag_add(m->diags, E_IF_FORM, m->t->span, "there is no `? :`");
        diag_help(m->diags, d, "write `if c then a else b`");
        fix_ternary(m, d);
        return true;
    }
    if (mistake_word_at(m, m->p->at, "end") && mistake_expects(m, TOK_PLUS)) {
        size_t i = m->i_prev;
        while (i != SIZE_MAX && i > m->p->decl_start && mistake_kind_at(m, i) != TOK_ELSE)
            i--;
        if (i == SIZE_MAX || mistake_kind_at(m, i) != TOK_ELSE)
            return false;
        d = diag_add(m->diags, E_IF_FORM, m->t->span, "an `if` has no `end`");
        diag_help(m->diags, d, "leave it out");
        diag_fix_certain(m->diags, d, m->t->span, STR_LIT(""));
        return true;
    }
    if (m->t->kind == TOK_COLON && m->prev && m->prev->kind == TOK_ELSE) {
        d = diag_add(m->diags, E_IF_FORM, m->t->span, "no `:` follows `else`");
        diag_help(m->diags, d, "write `if c then a else b`");
        diag_fix_certain(m->diags, d, m->t->span, STR_LIT(""));
        return true;
    }
    return python_if(m) || call_if(m);
}

/* ---- lambdas ---- */

bool rule_lambda(Mistake *m)
{
    bool is_word = mistake_word_at(m, m->i_prev, "lambda") && m->t->kind == TOK_NAME;
    size_t next = token_after(m->p, m->p->at, true);
    bool is_arrow = m->t->kind == TOK_ARROW && m->prev && token_ends_value(m->prev->kind) &&
                    mistake_expects(m, TOK_PLUS) && !mistake_expects(m, TOK_ARROW) &&
                    token_class(mistake_kind_at(m, next)) != KEYWORD_STMT;
    const Bracket *b = mistake_bracket(m);
    if (mistake_word_at(m, m->p->at, "for") && b && (b->kind == TOK_LBRACK || b->kind == TOK_LPAREN)) {
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "there are no loops in lists");
        diag_help(m->diags, d, "an expression is computed for every row; several rows are taken together by "
                               "`group by` and `aggregate`");
        return true;
    }
    if (!is_word && !is_arrow)
        return false;
    Span at = is_word ? m->prev->span : m->t->span;
    diags_drop(m->diags, at);
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, at, "there are no functions without a name");
    diag_help(m->diags, d, "an expression sees the columns of its row by name: `where hp > 3`; what is "
                           "needed twice is a `fn f(x: int) -> int = x * 2`");
    return true;
}

/* ---- x = ... as a statement ---- */

bool rule_assignment(Mistake *m)
{
    /* In an op the name does not fit, in a job what follows it. */
    static const char *const WORDS[] = {"var", "const", "val", "set", "auto", "local", "my", "dim", "define", NULL};
    bool is_first = m->t->kind == TOK_NAME &&
                    !(mistake_word_among(m, m->i_prev, WORDS) && mistake_is_first_word(m, m->i_prev));
    size_t name = is_first ? m->p->at : m->i_prev;
    if (name == SIZE_MAX || mistake_kind_at(m, name) != TOK_NAME || !mistake_is_first_word(m, name) ||
        !(token_is_first_of_line(m->p, name) || mistake_prior_kind(m, name) == TOK_LBRACE ||
          mistake_prior_kind(m, name) == TOK_PIPE || mistake_kind_at(m, name - 1) == TOK_NEWLINE))
        return false;
    size_t word = name, next = mistake_next(m, name);
    bool has_word = mistake_word_among(m, name, WORDS) && mistake_kind_at(m, next) == TOK_NAME;
    if (has_word) {
        name = next;
        next = mistake_next(m, name);
    }
    if (mistake_kind_at(m, next) == TOK_LBRACK) { /* df["x"] = ... */
        size_t close = mistake_closer(m, next), inner = mistake_next(m, next);
        size_t text = mistake_kind_at(m, inner) == TOK_SBEG ? inner + 1 : inner;
        bool is_column = close != SIZE_MAX && mistake_kind_at(m, mistake_next(m, close)) == TOK_ASSIGN &&
                         token_is_string(mistake_kind_at(m, inner)) && !mistake_is_in_job(m) && m->p->n_brackets > 0;
        if (!is_column)
            return false;
        Diag *d = diag_add(m->diags, E_NO_ASSIGNMENT, mistake_span(m, name, close), "a column is defined by `derive`");
        Str derived = arena_printf(m->diags->arena, "derive %.*s", STR_ARG(mistake_token(m, text)->text));
        diag_help(m->diags, d, "write `%.*s = ...`", STR_ARG(derived));
        diag_fix_certain(m->diags, d, mistake_span(m, name, close), derived);
        return true;
    }
    if (mistake_kind_at(m, next) != TOK_ASSIGN)
        return false;
    bool is_top = m->p->n_brackets == 0 && m->p->start == TOK_START_FILE;
    bool is_stage = mistake_prior_kind(m, word) == TOK_PIPE;
    const char *ours = is_top || (mistake_is_in_job(m) && !is_stage) ? "let" : "derive";
    const char *what = is_top                   ? "a constant is declared by"
                       : mistake_is_in_job(m) && !is_stage ? "a flow gets its name by"
                                                : "a column is defined by";
    Diag *d = diag_add(m->diags, E_NO_ASSIGNMENT, mistake_token(m, word)->span, "%s `%s`", what, ours);
    diag_help(m->diags, d, "write `%s %.*s = ...`", ours, STR_ARG(mistake_token(m, name)->text));
    if (has_word)
        diag_fix_certain(m->diags, d, mistake_token(m, word)->span, str_of(ours));
    else
        diag_fix_certain(m->diags, d, mistake_before(m, word), arena_printf(m->diags->arena, "%s ", ours));
    return true;
}

/* ---- methods ---- */

/* name.split(" ")[1], the separator at the token `by`: parts count from 0 here too. */
static void split_at(Mistake *m, Diag *d, Str text, size_t by, size_t first, size_t close)
{
    size_t by_end = mistake_part_end(m, by);
    size_t open = mistake_next(m, close), n = mistake_next(m, open), end = mistake_next(m, n);
    if (mistake_kind_at(m, open) != TOK_LBRACK || mistake_kind_at(m, n) != TOK_INT || mistake_kind_at(m, end) != TOK_RBRACK ||
        by_end != mistake_prior(m, close)) {
        diag_help(m->diags, d, "write `split_part(%.*s, %.*s, n)`: the part n, counted from 0", STR_ARG(text), STR_ARG(mistake_text(m, by, by_end)));
        return;
    }
    Str call = arena_printf(m->diags->arena, "split_part(%.*s, %.*s, %lld)", STR_ARG(text), STR_ARG(mistake_text(m, by, by_end)),
                            (long long)mistake_token(m, n)->value.i);
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    diag_fix_certain(m->diags, d, mistake_span(m, first, end), call);
}

/* pl.col("hp"), F.col("hp") */
static bool column_call(Mistake *m, size_t object)
{
    size_t text = mistake_next(m, m->p->at), end = mistake_operand_end(m, text), close = mistake_closer(m, m->p->at);
    if (!mistake_word_at(m, m->i_prev, "col") || mistake_kind_at(m, object) != TOK_NAME || !token_is_string(mistake_kind_at(m, text)) ||
        end == SIZE_MAX || mistake_next(m, end) != close)
        return false;
    Str quoted = mistake_text(m, text, end), name = str_slice(quoted, 1, quoted.len - 2);
    for (uint32_t i = 0; i < name.len; i++) /* an expression, an escape */
        if (strchr("{\\`", name.ptr[i]))
            return false;
    name = name_written(m->diags->arena, name);
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, object, m->i_prev), "a column stands by its name alone");
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(name));
    diag_fix_certain(m->diags, d, mistake_span(m, object, close), name);
    return true;
}

bool rule_method(Mistake *m)
{
    if (m->t->kind != TOK_LPAREN || m->i_prev == SIZE_MAX || m->i_prev < 2 ||
        mistake_prior_kind(m, m->i_prev) != TOK_DOT)
        return false;
    size_t dot = mistake_prior(m, m->i_prev), last = mistake_prior(m, dot);
    Str method = m->prev->text;
    size_t next = mistake_next(m, m->p->at);
    if (mistake_is_first_word(m, last) && (mistake_is_in_job(m) || mistake_kind_at(m, last) == TOK_READ)) {
        Diag *d = diag_add(m->diags, E_METHOD_CALL, mistake_span(m, dot, m->i_prev),
                           "the stages of a flow are joined by `|`");
        diag_help(m->diags, d, "write `read csv \"...\" | where ... | select ...`");
        return true;
    }
    if (column_call(m, last))
        return true;
    Diag *d = diag_add(m->diags, E_METHOD_CALL, mistake_span(m, dot, m->i_prev),
                       "`.%.*s()` is a call of a method; there are functions", STR_ARG(method));
    static const char *const ACCESSORS[] = {"str", "dt", NULL}; /* of pandas: name.str.upper() */
    if (mistake_word_among(m, last, ACCESSORS) && mistake_prior_kind(m, last) == TOK_DOT) {
        dot = mistake_prior(m, last);
        last = mistake_prior(m, dot);
    }
    size_t first = mistake_operand_begin(m, last), close = mistake_closer(m, m->p->at);
    bool is_known = false, is_same;
    const char *ours = builtin_habit(method, &is_same);
    if (!ours && token_class(m->prev->kind) == KEYWORD_STMT) {
        diag_help(m->diags, d, "stages are joined by `|`: `... | %.*s ...`", STR_ARG(method));
        return true;
    }
    if (mistake_word_at(m, m->i_prev, "split") && first != SIZE_MAX && close != SIZE_MAX && next != close) {
        split_at(m, d, mistake_text(m, first, last), next, first, close);
        return true;
    }
    for (uint32_t n = 1; n <= 4 && !is_known; n++)
        is_known = builtin_find(method, n) != NULL;
    if (!ours && !is_known) {
        static const char *const NULLS[] = {"isna", "isnull", "is_null", NULL};
        if (mistake_word_among(m, m->i_prev, NULLS) && first != SIZE_MAX && close != SIZE_MAX) {
            Str test = arena_printf(m->diags->arena, "%.*s is null", STR_ARG(mistake_text(m, first, last)));
            diag_help(m->diags, d, "write `%.*s`", STR_ARG(test));
            diag_fix_certain(m->diags, d, mistake_span(m, first, close), test);
            return true;
        }
    }
    if (first == SIZE_MAX || close == SIZE_MAX) {
        diag_help(m->diags, d, "write `%.*s(...)`", STR_ARG(method));
        return true;
    }
    Str fn = ours ? str_of(ours) : method;
    Str args = next == close ? (Str){"", 0} : mistake_text(m, next, mistake_prior(m, close));
    diag_help(m->diags, d, "write `%.*s(%.*s%s%.*s)`", STR_ARG(fn), STR_ARG(mistake_text(m, first, last)),
              args.len ? ", " : "", STR_ARG(args));
    if (ours || is_known) {
        diag_fix(m->diags, d, mistake_before(m, first), arena_printf(m->diags->arena, "%.*s(", STR_ARG(fn)));
        diag_fix(m->diags, d, mistake_span(m, dot, m->p->at), args.len ? STR_LIT(", ") : STR_LIT(""));
        d->is_certain = is_known || is_same;
    }
    return true;
}
