/* syntax_forms.c - rules about statements and stages whose words are out of place. */
#include "lang/syntax_error.h"

#include <string.h>

#include "base/builtins.h"
#include "pipe_parse.h"

/* ---- definitions: select, derive, keys and aggregates ---- */

/* Is the mistake in a list of definitions? */
static bool in_definitions(const Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (b && b->kind != TOK_LBRACE)
        return false;
    switch (mistake_kind_at(m, mistake_statement(m))) {
    case TOK_SELECT:
    case TOK_DERIVE:
        return true;
    case TOK_GROUP:
    case TOK_AGGREGATE:
        return true;
    }
    if (!b || mistake_expects_statement(m))
        return false;
    /* Inside the braces of a group the statement begins behind them. */
    size_t i = mistake_prior(m, b->token);
    while (i != SIZE_MAX && mistake_kind_at(m, i) != TOK_NEWLINE && mistake_kind_at(m, i) != TOK_LBRACE &&
           mistake_kind_at(m, i) != TOK_PIPE) {
        int kind = mistake_kind_at(m, i);
        if (kind == TOK_AGGREGATE || (kind == TOK_BY && mistake_prior_kind(m, i) == TOK_GROUP))
            return true;
        i = i ? i - 1 : SIZE_MAX;
    }
    return false;
}

/* job main { let x = 5 }: what a job names is a flow. */
/* May the constant of that name stand right above this declaration? Annotations belong to what follows them, and a name is
 * declared once. */
static bool may_go_above(const Mistake *m, size_t name)
{
    const Token *tokens = m->p->tokens.ptr;
    for (size_t i = m->p->decl_start; i > 0 && tokens[i - 1].kind != TOK_RBRACE; i--)
        if (tokens[i - 1].kind == TOK_AT)
            return false;
    for (size_t i = 0; i + 1 < m->p->tokens.n; i++)
        if (tokens[i].kind == TOK_LET && i + 1 != name && str_eq(tokens[i + 1].text, tokens[name].text))
            return false;
    return true;
}

static bool constant_in_job(Mistake *m)
{
    bool is_sum = m->prev && m->prev->kind == TOK_NAME && token_is_operator(m->t->kind); /* let x = y * 2 */
    size_t at = m->p->at, equals = is_sum ? mistake_prior(m, m->i_prev) : m->i_prev;
    size_t name = mistake_prior(m, equals), let = mistake_prior(m, name);
    size_t last = mistake_part_end(m, at);
    bool is_value = is_sum || token_is_string(m->t->kind) || m->t->kind == TOK_INT || m->t->kind == TOK_FLOAT || m->t->kind == TOK_MINUS ||
                    m->t->kind == TOK_DURATION || m->t->kind == TOK_SIZE || m->t->kind == TOK_TRUE || m->t->kind == TOK_FALSE;
    int behind = mistake_kind_at(m, mistake_next(m, last)); /* "a.csv" | ...: a path */
    if (!is_value || equals == SIZE_MAX || mistake_kind_at(m, equals) != TOK_ASSIGN || let == SIZE_MAX || mistake_kind_at(m, let) != TOK_LET ||
        !mistake_bracket(m) || behind == TOK_PIPE || mistake_kind_at(m, token_after(m->p, last, true)) == TOK_PIPE)
        return false;
    Diag *d = diag_add(m->diags, E_SYNTAX, mistake_token(m, let)->span,
                       "in a job `let` names a flow; a constant stands at the top of the file");
    Str text = mistake_text(m, let, last);
    diag_help(m->diags, d, "write `%.*s` above the job", STR_ARG(text));
    /* The whole line moves; one with a comment or a brace on it stays. */
    bool is_line = mistake_kind_at(m, let - 1) == TOK_NEWLINE && mistake_kind_at(m, last + 1) == TOK_NEWLINE;
    if (is_line && !is_sum && mistake_operand_end(m, at) == last && may_go_above(m, name)) {
        diag_fix_certain(m->diags, d, mistake_before(m, m->p->decl_start), arena_printf(m->diags->arena, "%.*s\n", STR_ARG(text)));
        diag_fix_certain(m->diags, d, (Span){mistake_token(m, let - 1)->span.hi, mistake_token(m, last + 1)->span.hi}, STR_LIT(""));
    }
    return true;
}

/* "name", [a, b], {a, b}, -a where a column's name is wanted. */
static bool column_form(Mistake *m)
{
    size_t at = m->p->at, close;
    bool wants_name = mistake_expects(m, TOK_QNAME) && !mistake_expects_expression(m);
    if (!wants_name || !m->prev)
        return false;
    bool is_number = m->t->kind == TOK_INT || m->t->kind == TOK_FLOAT || m->t->kind == TOK_DURATION || m->t->kind == TOK_SIZE;
    if (is_number && m->prev->kind == TOK_PIPE)
        return mistake_say(m, E_PIPE, m->prev->span, "`|` is no operator: a stage follows it",
                           "conditions are joined by `or`; there are no operators on bits", NO_FIX, (Str){0});
    if (is_number) {
        Str text = mistake_text(m, at, at);
        diags_drop(m->diags, m->t->span); /* a unit that does not exist */
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "a name does not begin with a digit");
        diag_help(m->diags, d, "write it in backticks: `%.*s`", STR_ARG(text));
        diag_fix_certain(m->diags, d, m->t->span, arena_printf(m->diags->arena, "`%.*s`", STR_ARG(text)));
        return true;
    }
    if (token_is_string(m->t->kind)) {
        close = mistake_operand_end(m, at);
        bool is_raw = m->t->kind == TOK_RAW;
        const Token *text = mistake_token(m, is_raw ? at : at + 1);
        if (close == SIZE_MAX || (!is_raw && text->kind != TOK_STEXT) || (!is_raw && close != at + 2))
            return false;
        bool is_word = keyword_by_text(text->text) == NULL && text->text.len > 0;
        for (uint32_t i = 0; i < text->text.len; i++) {
            char c = text->text.ptr[i];
            is_word = is_word && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                                  (i && c >= '0' && c <= '9') || (unsigned char)c >= 0x80);
        }
        if (memchr(text->text.ptr, '`', text->text.len) || text->text.len == 0)
            return false;
        Str name = arena_printf(m->diags->arena, is_word ? "%.*s" : "`%.*s`", STR_ARG(text->text));
        Diag *d = diag_add(m->diags, E_QUOTED_NAME, mistake_span(m, at, close), "a name stands without quotes");
        diag_help(m->diags, d, is_word ? "write `%.*s`" : "write it in backticks: %.*s", STR_ARG(name));
        diag_fix_certain(m->diags, d, mistake_span(m, at, close), name);
        return true;
    }
    bool is_first = token_class(m->prev->kind) == KEYWORD_STMT || m->prev->kind == TOK_BY;
    bool is_bracket = m->t->kind == TOK_LBRACK || m->t->kind == TOK_LPAREN || m->t->kind == TOK_LBRACE;
    close = is_bracket ? mistake_closer(m, at) : SIZE_MAX;
    if (is_bracket && is_first && close != SIZE_MAX) {
        int next = mistake_kind_at(m, mistake_next(m, close));
        if (m->prev->kind == TOK_SELECT && mistake_expects(m, TOK_ALL)) {
            bool is_condition = false;
            for (size_t i = at; i < close; i++) {
                int kind = mistake_kind_at(m, i);
                is_condition |= kind == TOK_GT || kind == TOK_LT || kind == TOK_EQ || kind == TOK_GE || kind == TOK_LE;
            }
            if (is_condition)
                return mistake_say(m, E_FOREIGN_FORM, m->prev->span, "`select` names columns; rows are kept by `where`",
                           "write `where hp > 3`", NO_FIX, (Str){0});
        }
        bool is_whole = token_is_end(next) || next == TOK_PIPE || next == TOK_RBRACE || next == TOK_LBRACE ||
                        next == TOK_AT;
        if (!is_whole || !token_is_name(mistake_kind_at(m, mistake_next(m, at))))
            return false;
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "columns are listed without brackets");
        size_t word = m->prev->kind == TOK_BY ? mistake_prior(m, m->i_prev) : m->i_prev;
        diag_help(m->diags, d, "write `%.*s a, b`", STR_ARG(mistake_text(m, word, m->i_prev)));
        bool touches = mistake_touch(m, m->i_prev, at);
        diag_fix_certain(m->diags, d, m->t->span, touches ? STR_LIT(" ") : STR_LIT(""));
        diag_fix_certain(m->diags, d, mistake_token(m, close)->span, STR_LIT(""));
        return true;
    }
    size_t next = mistake_next(m, at);
    bool is_minus = m->t->kind == TOK_MINUS || m->t->kind == TOK_NOT;
    if (is_minus && mistake_kind_at(m, mistake_statement(m)) == TOK_SELECT &&
        token_is_name(mistake_kind_at(m, next))) {
        diags_drop(m->diags, m->t->span);
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, at, next), "`select` names what stays");
        diag_help(m->diags, d, "`drop %.*s` leaves a column out", STR_ARG(mistake_text(m, next, next)));
        return true;
    }
    return false;
}

/* `hp * 2`, `hp * 2 as x`, `name as n` in a list of definitions. */
static bool unnamed_column(Mistake *m)
{
    if (!mistake_expects(m, TOK_ASSIGN) || m->t->kind == TOK_EQ || m->t->kind == TOK_COLON || !in_definitions(m))
        return false;
    size_t at = m->p->at, first = mistake_part_begin(m, at), last = mistake_part_end(m, at);
    if (first > at || last < at || token_is_end(m->t->kind) || m->t->kind == TOK_LBRACE)
        return false;
    size_t as = SIZE_MAX;
    uint32_t depth = 0;
    for (size_t i = first; i <= last; i++) {
        int kind = mistake_kind_at(m, i);
        depth += token_is_opener(kind) || kind == TOK_SBEG;
        depth -= depth > 0 && (token_is_closer(kind) || kind == TOK_SEND);
        if (depth == 0 && mistake_word_at(m, i, "as"))
            as = i;
    }
    if (as != SIZE_MAX && as > first && as + 1 <= last) {
        size_t name = mistake_next(m, as);
        Str text = mistake_text(m, name, last);
        Str value = mistake_text(m, first, mistake_prior(m, as));
        Diag *d = diag_add(m->diags, E_SQL, mistake_token(m, as)->span,
                           "a new name stands before its column, with `=`");
        diag_help(m->diags, d, "write `%.*s = %.*s`", STR_ARG(text), STR_ARG(value));
        if (name == last && token_is_name(mistake_kind_at(m, name)))
            diag_fix_certain(m->diags, d, mistake_span(m, first, last),
                             arena_printf(m->diags->arena, "%.*s = %.*s", STR_ARG(text), STR_ARG(value)));
        return true;
    }
    bool is_expression = (token_is_operator(m->t->kind) && m->t->kind != TOK_NOT) || m->t->kind == TOK_LPAREN;
    if (!is_expression)
        return false;
    Span part = mistake_span(m, first, last);
    size_t select = mistake_statement(m);
    const Builtin *fn = m->t->kind == TOK_LPAREN && m->i_prev == first ? builtin_find(m->prev->text, 1) : NULL;
    if (fn && fn->kind == BUILTIN_KIND_AGG && mistake_kind_at(m, select) == TOK_SELECT) { /* select max(hp) */
        bool is_all = mistake_kind_at(m, mistake_next(m, at)) == TOK_STAR; /* count(*) */
        Str call = is_all ? arena_printf(m->diags->arena, "%s()", fn->name) : mistake_text(m, first, last);
        Diag *a = diag_add(m->diags, E_AGG_OUTSIDE, part, "`%s` needs many rows, and stands where one row is looked at", fn->name);
        diag_help(m->diags, a, "write `aggregate { n = %.*s }`", STR_ARG(call));
        int behind = mistake_kind_at(m, mistake_next(m, last));
        if (mistake_prior(m, first) == select && behind != TOK_COMMA)
            diag_fix_certain(m->diags, a, mistake_span(m, select, last),
                             arena_printf(m->diags->arena, "aggregate { n = %.*s }", STR_ARG(call)));
        return true;
    }
    Diag *d = diag_add(m->diags, E_NO_COLUMN_NAME, part, "this column has no name");
    diag_help(m->diags, d, "give it one: `x = %.*s`", STR_ARG(mistake_text(m, first, last)));
    return true;
}

bool rule_definition(Mistake *m)
{
    size_t at = m->p->at;
    bool wants = mistake_expects(m, TOK_ASSIGN) && in_definitions(m) && m->prev && token_is_name(m->prev->kind);
    /* `total hp = 3`, `total-hp = 3` */
    if (wants && mistake_kind_at(m, mistake_statement(m)) == TOK_DERIVE) {
        size_t last = at;
        while (mistake_kind_at(m, last) == TOK_NAME || mistake_kind_at(m, last) == TOK_MINUS ||
               mistake_kind_at(m, last) == TOK_INT)
            last++;
        if (last > at && mistake_kind_at(m, last) == TOK_ASSIGN) {
            Str name = mistake_text(m, m->i_prev, last - 1);
            Str quoted = arena_printf(m->diags->arena, "`%.*s`", STR_ARG(name));
            Diag *d = diag_add(m->diags, E_SYNTAX, mistake_span(m, m->i_prev, last - 1),
                               "a name of several words stands in backticks");
            diag_help(m->diags, d, "write %.*s", STR_ARG(quoted));
            diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, last - 1), quoted);
            return true;
        }
    }
    if (unnamed_column(m) || constant_in_job(m) || column_form(m))
        return true;
    if (wants && m->t->kind == TOK_ARROW)
        diags_drop(m->diags, m->t->span); /* of `=>` */
    if (wants && (m->t->kind == TOK_COLON || m->t->kind == TOK_ARROW))
        return mistake_say(m, E_FOREIGN_FORM, m->t->span, "a column is defined with `=`", "write `=`", m->t->span,
                   mistake_touch(m, m->i_prev, at) ? STR_LIT(" =") : STR_LIT("="));
    if (mistake_kind_at(m, mistake_statement(m)) == TOK_SELECT && m->prev && m->prev->kind == TOK_STAR &&
        (mistake_word_at(m, at, "except") || mistake_word_at(m, at, "exclude")))
        return mistake_say(m, E_SQL, m->t->span, "columns are left out by a statement of their own",
                   "write `drop a, b`", NO_FIX, (Str){0});
    return false;
}

/* ---- by, ->, .. ---- */

static const char *const DOWN[] = {"descending", "desc", "down", "reverse", "decreasing", NULL};
static const char *const UP[] = {"ascending", "asc", "up", "increasing", NULL};

static bool sort_form(Mistake *m)
{
    size_t at = m->p->at;
    if (mistake_expects(m, TOK_DESC) && mistake_expects(m, TOK_ASC)) {
        bool is_down = mistake_word_among(m, at, DOWN);
        if (is_down || mistake_word_among(m, at, UP)) {
            Str ours = is_down ? STR_LIT("desc") : STR_LIT("asc");
            Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`%.*s` is written `%.*s` here",
                               STR_ARG(m->t->text), STR_ARG(ours));
            diag_help(m->diags, d, "write `%.*s`", STR_ARG(ours));
            diag_fix_certain(m->diags, d, m->t->span, ours);
            return true;
        }
        if ((m->prev->kind == TOK_DESC || m->prev->kind == TOK_ASC) && m->t->kind == TOK_NAME) {
            Str swapped = arena_printf(m->diags->arena, "%.*s %.*s", STR_ARG(m->t->text), STR_ARG(m->prev->text));
            Diag *d = diag_add(m->diags, E_SYNTAX, m->prev->span, "`%.*s` stands behind its column",
                               STR_ARG(m->prev->text));
            diag_help(m->diags, d, "write `%.*s`", STR_ARG(swapped));
            diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, at), swapped);
            return true;
        }
    }
    return false;
}

static bool by_form(Mistake *m)
{
    size_t at = m->p->at;
    int prev = m->prev ? m->prev->kind : TOK_END;
    bool wants_by = mistake_expects(m, TOK_BY) && !mistake_expects_expression(m);
    bool takes_by = prev == TOK_SORT || prev == TOK_GROUP || prev == TOK_SPLIT;
    if (wants_by && takes_by && (m->t->kind == TOK_NAME || m->t->kind == TOK_QNAME) &&
        !mistake_word_at(m, at, "by") && !mistake_word_at(m, at, "bi")) {
        if (mistake_word_at(m, at, "on") || mistake_word_at(m, at, "using"))
            return mistake_say(m, E_SYNTAX, m->t->span, "`by` stands here", "write `by`", m->t->span, STR_LIT("by"));
        size_t next = mistake_next(m, at); /* `sort bi hp`: misspelt */
        bool is_down = mistake_word_among(m, next, DOWN), is_up = mistake_word_among(m, next, UP);
        if ((mistake_kind_at(m, next) == TOK_NAME && !is_down && !is_up) || mistake_kind_at(m, next) == TOK_QNAME)
            return false;
        Str order = is_down ? STR_LIT(" desc") : is_up ? STR_LIT(" asc") : STR_LIT("");
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "`by` is missing before `%.*s`", STR_ARG(m->t->text));
        diag_help(m->diags, d, "write `%.*s by %.*s%.*s`", STR_ARG(m->prev->text), STR_ARG(m->t->text), STR_ARG(order));
        diag_fix_certain(m->diags, d, mistake_before(m, at), STR_LIT("by "));
        if (order.len)
            diag_fix_certain(m->diags, d, mistake_token(m, next)->span, str_slice(order, 1, order.len - 1));
        return true;
    }
    size_t name = mistake_next(m, at);
    if (wants_by && prev == TOK_SORT && m->t->kind == TOK_MINUS &&
        (mistake_kind_at(m, name) == TOK_NAME || mistake_kind_at(m, name) == TOK_QNAME)) { /* sort -hp */
        Str key = mistake_text(m, name, name);
        if (mistake_kind_at(m, mistake_next(m, name)) == TOK_NAME) { /* sort -nr hp */
            size_t column = mistake_next(m, name);
            Diag *d = diag_add(m->diags, E_SYNTAX, mistake_span(m, at, name), "`sort` takes no options");
            diag_help(m->diags, d, "write `sort by %.*s`, or `sort by %.*s desc`; numbers sort as numbers", STR_ARG(mistake_text(m, column, column)),
                      STR_ARG(mistake_text(m, column, column)));
            return true;
        }
        bool has_order = mistake_kind_at(m, mistake_next(m, name)) == TOK_DESC || mistake_kind_at(m, mistake_next(m, name)) == TOK_ASC;
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "`by` is missing before the column");
        diag_help(m->diags, d, has_order ? "write `sort by %.*s desc` for the last ones first, `sort by %.*s` for the first ones"
                                         : "write `sort by %.*s desc`: the other way round",
                  STR_ARG(key), STR_ARG(key));
        if (!has_order)
            diag_fix_certain(m->diags, d, mistake_span(m, at, name), arena_printf(m->diags->arena, "by %.*s desc", STR_ARG(key)));
        return true;
    }
    size_t statement = mistake_statement(m);
    if (wants_by && mistake_kind_at(m, statement) == TOK_TOP && (m->t->kind == TOK_NAME || m->t->kind == TOK_QNAME) &&
        !mistake_word_at(m, at, "by") && !mistake_word_at(m, at, "bi") && !mistake_word_at(m, at, "on") &&
        !mistake_word_at(m, m->i_prev, "by")) {
        int next = mistake_kind_at(m, mistake_next(m, at));
        if (next == TOK_NAME || next == TOK_QNAME)
            return false;
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "`by` is missing before `%.*s`", STR_ARG(m->t->text));
        diag_help(m->diags, d, "write `%.*s by %.*s`", STR_ARG(mistake_text(m, statement, m->i_prev)), STR_ARG(m->t->text));
        diag_fix_certain(m->diags, d, mistake_before(m, at), STR_LIT("by "));
        return true;
    }
    if (m->t->kind == TOK_ON && wants_by)
        return mistake_say(m, E_SYNTAX, m->t->span, "`by` stands here", "write `by`", m->t->span, STR_LIT("by"));
    /* distinct by x, distinct on x */
    if ((prev == TOK_BY || prev == TOK_ON) && mistake_prior_kind(m, m->i_prev) == TOK_DISTINCT && token_is_name(m->t->kind))
        return mistake_say(m, E_SYNTAX, m->prev->span, "`distinct` has its columns behind it",
                   arena_printf(m->diags->arena, "write `distinct %.*s`", STR_ARG(mistake_text(m, at, at))).ptr,
                   mistake_gap(m, m->i_prev, m->i_prev), STR_LIT(""));
    /* group by a { .. } without an aggregate */
    if (mistake_kind_at(m, statement) == TOK_GROUP && mistake_expects(m, TOK_LBRACE) &&
        m->t->kind != TOK_ASSIGN && (token_is_end(m->t->kind) || m->t->kind == TOK_PIPE || m->t->kind == TOK_RBRACE)) {
        size_t next = token_after(m->p, at, true);
        if (mistake_kind_at(m, next) == TOK_LBRACE)
            return false;
        Diag *d = diag_add(m->diags, E_SYNTAX, mistake_span(m, statement, m->i_prev),
                           "this `group by` does not say what is computed of each group");
        diag_help(m->diags, d, "write it in braces: `group by a { n = count() }`; for the groups alone `distinct`");
        return true;
    }
    if (mistake_kind_at(m, statement) == TOK_GROUP && mistake_expects(m, TOK_LBRACE) && m->t->kind == TOK_NAME &&
        token_is_name(prev) && mistake_kind_at(m, mistake_next(m, at)) != TOK_NAME)
        return mistake_say(m, E_SYNTAX, m->t->span, "what is computed of each group stands in braces",
                   "write `group by a { n = count() }`", NO_FIX, (Str){0});
    /* group by value % 2 { } */
    bool in_keys = mistake_kind_at(m, statement) == TOK_GROUP && mistake_expects(m, TOK_LBRACE) &&
                   mistake_expects(m, TOK_ASSIGN);
    if (in_keys && (token_is_operator(m->t->kind) || m->t->kind == TOK_LPAREN)) {
        size_t first = mistake_part_begin(m, at), last = at;
        while (last < m->p->tokens.n && mistake_kind_at(m, last) != TOK_LBRACE &&
               mistake_kind_at(m, last) != TOK_COMMA && !token_is_end(mistake_kind_at(m, last)))
            last++;
        if (last <= first)
            return false;
        last = mistake_prior(m, last);
        Diag *d = diag_add(m->diags, E_NO_COLUMN_NAME, mistake_span(m, first, last), "this key has no name");
        diag_help(m->diags, d, "give it one: `x = %.*s`", STR_ARG(mistake_text(m, first, last)));
        return true;
    }
    return false;
}

static bool rename_form(Mistake *m)
{
    if (mistake_kind_at(m, mistake_statement(m)) != TOK_RENAME || !mistake_expects(m, TOK_ARROW) ||
        !token_is_name(m->prev->kind))
        return false;
    size_t at = m->p->at, next = mistake_next(m, at);
    if (!token_is_name(mistake_kind_at(m, next)))
        return false;
    Str old = mistake_text(m, m->i_prev, m->i_prev), new = mistake_text(m, next, next);
    if (m->t->kind == TOK_ASSIGN) { /* new = old */
        Str swapped = old;
        old = new;
        new = swapped;
    } else if (m->t->kind != TOK_COLON && m->t->kind != TOK_AS && !mistake_word_at(m, at, "to") &&
               !mistake_word_at(m, at, "as") && m->t->kind != TOK_INTO) {
        return false;
    }
    Str text = arena_printf(m->diags->arena, "%.*s -> %.*s", STR_ARG(old), STR_ARG(new));
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "an arrow leads from the old name to the new one");
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(text));
    diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, next), text);
    return true;
}

static bool range_form(Mistake *m)
{
    size_t statement = mistake_statement(m), at = m->p->at;
    if (mistake_kind_at(m, statement) == TOK_TAKE && m->t->kind == TOK_DOTDOT)
        return mistake_say(m, E_FOREIGN_FORM, m->t->span, "`take` takes a number of rows",
                   "write `skip 2`, and then `take 3`: rows 3 to 5", NO_FIX, (Str){0});
    if (mistake_kind_at(m, statement) != TOK_RANGE)
        return false;
    const Bracket *b = mistake_bracket(m);
    bool in_parens = b && b->kind == TOK_LPAREN && mistake_prior(m, b->token) == statement;
    bool is_joint = m->t->kind == TOK_COLON || m->t->kind == TOK_COMMA || m->t->kind == TOK_ELLIPSIS ||
                    mistake_word_at(m, at, "to");
    if (!is_joint || !(mistake_expects(m, TOK_DOTDOT) || in_parens))
        return false;
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "two dots join the ends of a range");
    diag_help(m->diags, d, "write `range 1..10`; both ends belong to it");
    bool is_spaced = mistake_word_at(m, at, "to");
    Span fix = m->t->span;
    if (is_spaced)
        fix = (Span){m->prev->span.hi, mistake_token(m, mistake_next(m, at))->span.lo};
    size_t close = in_parens ? mistake_closer(m, b->token) : SIZE_MAX;
    if (in_parens && close == SIZE_MAX)
        return true;
    /* Python's range(1, 10) ends before 10: what was meant is not certain. */
    diag_fix(m->diags, d, fix, STR_LIT(".."));
    d->is_certain = !in_parens;
    if (in_parens) {
        diag_fix(m->diags, d, mistake_token(m, b->token)->span, STR_LIT(" "));
        diag_fix(m->diags, d, mistake_token(m, close)->span, STR_LIT(""));
    }
    return true;
}

static bool aggregate_form(Mistake *m)
{
    size_t at = m->p->at;
    if (!m->prev || m->prev->kind != TOK_AGGREGATE || !mistake_expects(m, TOK_LBRACE) || token_is_end(m->t->kind))
        return false;
    Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "aggregates stand in braces");
    diag_help(m->diags, d, "write `aggregate { n = count() }`");
    size_t close = m->t->kind == TOK_LPAREN || m->t->kind == TOK_LBRACK ? mistake_closer(m, at) : SIZE_MAX;
    if (close != SIZE_MAX) {
        diag_fix_certain(m->diags, d, m->t->span, mistake_touch(m, m->i_prev, at) ? STR_LIT(" { ") : STR_LIT("{ "));
        diag_fix_certain(m->diags, d, mistake_token(m, close)->span, STR_LIT(" }"));
    } else if (m->t->kind == TOK_NAME) {
        size_t last = mistake_part_end(m, at);
        while (mistake_kind_at(m, mistake_next(m, last)) == TOK_COMMA)
            last = mistake_part_end(m, mistake_next(m, mistake_next(m, last)));
        diag_fix_certain(m->diags, d, mistake_before(m, at), STR_LIT("{ "));
        diag_fix_certain(m->diags, d, mistake_behind(m, last), STR_LIT(" }"));
    }
    return true;
}

/* map(op), | |, | at the start, op 10, log "%d", x */
static bool stage_form(Mistake *m)
{
    size_t at = m->p->at;
    if (!m->prev)
        return false;
    if (m->t->kind == TOK_DOT && m->prev->kind == TOK_NAME && mistake_is_first_word(m, m->i_prev) &&
        mistake_expects(m, TOK_PIPE))
        return mistake_say(m, E_METHOD_CALL, m->t->span, "the stages of a flow are joined by `|`",
                   "write `read csv \"file.csv\" | where ... | select ...`", NO_FIX, (Str){0});
    if (m->t->kind == TOK_COLON && token_class(m->prev->kind) == KEYWORD_STMT && mistake_is_first_word(m, m->i_prev))
        return mistake_say(m, E_SYNTAX, m->t->span, "no `:` follows the word of a statement", "leave it out", m->t->span,
                   STR_LIT(""));
    if (m->t->kind == TOK_BY && mistake_kind_at(m, mistake_statement(m)) == TOK_TAKE)
        return mistake_say(m, E_SYNTAX, mistake_token(m, mistake_statement(m))->span, "`take` takes the first rows as they come",
                   "the rows with the largest values: `top 10 by a desc`", NO_FIX, (Str){0});
    if (m->prev->kind == TOK_MAP && m->t->kind == TOK_LPAREN) {
        diags_drop(m->diags, mistake_span(m, at, mistake_part_end(m, at)));
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "what `map` runs stands behind it without parentheses");
        diag_help(m->diags, d, "write `map op`, `map op(10)`, or statements in braces: `map { where hp > 3 }`");
        size_t close = mistake_closer(m, at), inner = mistake_next(m, at);
        bool is_body = token_class(mistake_kind_at(m, inner)) == KEYWORD_STMT;
        bool is_op = mistake_kind_at(m, inner) == TOK_NAME && mistake_next(m, inner) == close;
        if (close != SIZE_MAX && (is_body || is_op)) {
            diag_fix_certain(m->diags, d, m->t->span, is_body ? STR_LIT(" { ") : STR_LIT(" "));
            diag_fix_certain(m->diags, d, mistake_token(m, close)->span, is_body ? STR_LIT(" }") : STR_LIT(""));
        }
        return true;
    }
    if (m->t->kind == TOK_PIPE && mistake_expects_stage(m))
        for (size_t i = at; i > 0 && (mistake_kind_at(m, i - 1) == TOK_NEWLINE || mistake_kind_at(m, i - 1) == TOKEN_COMMENT); i--)
            if (mistake_kind_at(m, i - 1) == TOK_NEWLINE && str_is(mistake_token(m, i - 1)->text, ";"))
                return mistake_say(m, E_PIPE, mistake_token(m, i - 1)->span, "no `;` stands between the stages of a flow",
                                   "leave it out", mistake_token(m, i - 1)->span, STR_LIT(""));
    if (m->t->kind == TOK_PIPE && m->prev->kind == TOK_PIPE)
        return mistake_say(m, E_PIPE, m->t->span, "nothing stands between these two `|`", "write one `|`",
                   mistake_gap(m, at, at), STR_LIT(""));
    if (m->t->kind == TOK_PIPE && mistake_expects_stage(m) && m->prev->kind == TOK_LBRACE)
        return mistake_say(m, E_PIPE, m->t->span, "no `|` stands before the first stage", "leave it out",
                   mistake_gap(m, at, at), STR_LIT(""));
    if (mistake_kind_at(m, mistake_statement(m)) == TOK_LOG && m->t->kind == TOK_COMMA && mistake_expects(m, TOK_NEWLINE))
        return mistake_say(m, E_FOREIGN_FORM, m->t->span, "`log` takes one text",
                   "write the values into it: `log \"{name} has {hp}\"`", NO_FIX, (Str){0});
    if (mistake_kind_at(m, mistake_statement(m)) == TOK_ASSERT && mistake_expects(m, TOK_COMMA) &&
        (token_is_end(m->t->kind) || m->t->kind == TOK_RBRACE || m->t->kind == TOK_PIPE))
        return mistake_say(m, E_SYNTAX, (Span){m->prev->span.hi, m->prev->span.hi}, "the message of this `assert` is missing",
                   "write `assert hp > 0, \"{name} has no points\"`", NO_FIX, (Str){0});
    return false;
}

bool rule_form(Mistake *m)
{
    if (mistake_path_form(m))
        return true;
    return m->prev && (sort_form(m) || by_form(m) || rename_form(m) || range_form(m) || mistake_read_form(m) ||
                       aggregate_form(m) || stage_form(m));
}

bool rule_op_arguments(Mistake *m)
{
    size_t at = m->p->at;
    if (!m->prev)
        return false;
    if (m->prev->kind == TOK_NAME && mistake_prior_kind(m, m->i_prev) == TOK_PIPE && mistake_expects(m, TOK_LPAREN) &&
        mistake_expects(m, TOK_PIPE) && (m->t->kind == TOK_INT || m->t->kind == TOK_FLOAT || token_is_string(m->t->kind))) {
        size_t last = mistake_operand_end(m, at);
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "the arguments of an op stand in parentheses");
        diag_help(m->diags, d, "write `%.*s(...)`", STR_ARG(m->prev->text));
        if (last != SIZE_MAX && mistake_part_end(m, at) == last) {
            diag_fix_certain(m->diags, d, (Span){m->prev->span.hi, m->t->span.lo}, STR_LIT("("));
            diag_fix_certain(m->diags, d, mistake_behind(m, last), STR_LIT(")"));
        }
        return true;
    }
    return false;
}
