/* syntax_cast.c - rules about types as SQL writes them: CAST(x AS t), x::t, intervals, EXTRACT. */
#include "lang/syntax_error.h"

#include "base/builtins.h"
#include "pipe_parse.h"

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
    if (close == SIZE_MAX || mistake_prior(m, close) == m->p->at || !mistake_word_among(m, m->i_prev, PARTS)) {
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

static void help_cast(Mistake *m, Diag *d, Str call, const char *type)
{
    bool is_int = str_is(str_of(type), "int"); /* many databases round */
    diag_help(m->diags, d, is_int ? "write `%.*s`, which leaves out what is behind the point; `round(x)` rounds" : "write `%.*s`", STR_ARG(call));
    d->is_certain = d->fixes.n && !is_int;
}

/* x as float */
static bool as_type(Mistake *m)
{
    size_t type = mistake_next(m, m->p->at), first = m->prev ? mistake_operand_begin(m, m->i_prev) : SIZE_MAX;
    const Bracket *b = mistake_bracket(m);
    bool is_cast = b && b->token > 0 && (mistake_word_at(m, b->token - 1, "cast") || mistake_word_at(m, b->token - 1, "try_cast"));
    if (is_cast || !mistake_word_at(m, m->p->at, "as") || first == SIZE_MAX || !mistake_expects(m, TOK_PLUS) || !mistake_type_at(m, type))
        return false;
    int before = mistake_prior_kind(m, first);
    if (before != TOK_ASSIGN && before != TOK_WHERE && !token_is_operator(before))
        return false;
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "types are converted by functions of their names");
    if (token_is_arithmetic(before)) { /* of the last operand, or of all? */
        diag_help(m->diags, d, "write `%s(...)` around what is to be converted", mistake_type_at(m, type));
        return true;
    }
    Str call = arena_printf(m->diags->arena, "%s(%.*s)", mistake_type_at(m, type), STR_ARG(mistake_text(m, first, m->i_prev)));
    diag_fix(m->diags, d, mistake_span(m, first, type), call);
    help_cast(m, d, call, mistake_type_at(m, type));
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
    } else if (!mistake_plain_string(m, at, &text, &last)) {
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
    Str test = arena_printf(m->diags->arena, "%.*s between %.*s and %.*s", STR_ARG(mistake_operand_text(m, a, a_end)),
                            STR_ARG(mistake_operand_text(m, b, b_end)), STR_ARG(mistake_operand_text(m, c, close - 1)));
    test = mistake_test_text(m, m->p->at, close, test);
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
               m->i_prev != SIZE_MAX && token_ends_operand(m->prev->kind)) {
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
    if (end != SIZE_MAX)
        diag_fix(m->diags, d, mistake_span(m, is_cast ? b->token - 1 : first, end), call);
    help_cast(m, d, call, ours);
    return true;
}
