/* type_habit.c - what other languages mean by what has the wrong types here: helps for mistakes of typing. */
#include "plan/type.h"

#include <string.h>

static Str source_slice(Typer *t, Span span)
{
    Place p = sources_locate(t->sources, span.lo);
    if (!p.source)
        return (Str){0};
    return str_slice(source_text(p.source), span.lo - source_base(p.source), span.hi - span.lo);
}

static bool is_text(const Expr *e)
{
    return e->kind == EXPR_LITERAL && e->lit.type == TYPE_STRING && !e->lit.is_null;
}

/* ---- paths without quotes ---- */

static bool has_path_end(Str name)
{
    static const char *const ENDS[] = {"csv", "tsv", "json", "jsonl", "ndjson", "txt",
                                       "log", "db",  "gz",   "zst",   "sqlite", "parquet"};
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++)
        if (str_is(name, ENDS[i]))
            return true;
    return false;
}

/* data/pokemon.csv: a division whose last operand is a column of a table. */
static bool looks_like_path(const Expr *e)
{
    switch (e->kind) {
    case EXPR_FIELD:
        return has_path_end(e->name.text) || looks_like_path(e->base);
    case EXPR_BINARY:
        return (e->op == OPER_DIV || e->op == OPER_SUB || e->op == OPER_MUL || e->op == OPER_IDIV) &&
               (looks_like_path(e->args.ptr[1]) || looks_like_path(e->args.ptr[0]));
    case EXPR_ERROR:
    case EXPR_LITERAL:
    case EXPR_STRING:
    case EXPR_LIST:
    case EXPR_NAME:
    case EXPR_CALL:
    case EXPR_UNARY:
    case EXPR_IN:
    case EXPR_BETWEEN:
    case EXPR_IF:
    case EXPR_AUTO:
        break;
    }
    return false;
}

/* read csv "a.csv" > out.csv */
static bool redirected(Typer *t, const Expr *e)
{
    if (e->kind != EXPR_BINARY || e->op != OPER_GT || !is_text(e->args.ptr[0]))
        return false;
    bool is_quoted = is_text(e->args.ptr[1]);
    if (!is_quoted && !looks_like_path(e->args.ptr[1]))
        return false;
    Str path = is_quoted ? e->args.ptr[1]->lit.s : source_slice(t, e->args.ptr[1]->span);
    Diag *d = diag_add(t->diags, E_FOREIGN_FORM, e->op_span, "a flow is written into a file by a stage");
    diag_help(t->diags, d, "write `| write csv \"%.*s\"`", STR_ARG(path));
    if (str_ends(path, STR_LIT(".csv")) && !memchr(path.ptr, ' ', path.len)) {
        diag_fix_certain(t->diags, d, e->op_span, STR_LIT("| write csv"));
        diag_fix_certain(t->diags, d, e->args.ptr[1]->span, arena_printf(t->arena, "\"%.*s\"", STR_ARG(path)));
    }
    return true;
}

bool type_unquoted_path(Typer *t, const Expr *e)
{
    if (redirected(t, e))
        return true;
    if (!looks_like_path(e))
        return false;
    Str path = source_slice(t, e->span);
    diags_drop(t->diags, (Span){e->span.lo, e->span.hi}); /* `data/` `*.csv`: a comment of C */
    Diag *d = diag_add(t->diags, E_UNQUOTED_PATH, e->span, "a path stands in quotes");
    diag_help(t->diags, d, "write `\"%.*s\"`", STR_ARG(path));
    if (path.len && !memchr(path.ptr, '"', path.len) && !memchr(path.ptr, ' ', path.len))
        diag_fix_certain(t->diags, d, e->span, arena_printf(t->arena, "\"%.*s\"", STR_ARG(path)));
    return true;
}

/* ---- operators ---- */

/* "hp" > 3: the text is the name of a column. */
static bool quoted_column(Typer *t, Diag *d, const Expr *e)
{
    for (size_t i = 0; i < e->args.n; i++) {
        const Expr *arg = e->args.ptr[i];
        if (!is_text(arg) || scope_find(&t->cols, arg->lit.s) < 0)
            continue;
        diag_help(t->diags, d, "`\"%.*s\"` is a text: the column is written `%.*s`, without quotes",
                  STR_ARG(arg->lit.s), STR_ARG(arg->lit.s));
        diag_fix_certain(t->diags, d, arg->span, arg->lit.s);
        return true;
    }
    return false;
}

/* 2026-01-03 without quotes reads as a difference of ints. True after a help. */
static bool bare_date(Typer *t, Diag *d, Span span, Type want)
{
    int64_t days;
    Str text = source_slice(t, span);
    if (text.len != strlen("2026-01-03") || !value_parse_date(text, &days))
        return false;
    Str written = want == TYPE_TIMESTAMP ? arena_printf(t->arena, "timestamp(\"%.*sT00:00:00Z\")", STR_ARG(text))
                  : want == TYPE_STRING  ? arena_printf(t->arena, "\"%.*s\"", STR_ARG(text))
                                         : arena_printf(t->arena, "date(\"%.*s\")", STR_ARG(text));
    diag_help(t->diags, d, "`%.*s` is a difference of numbers: write `%.*s`", STR_ARG(text), STR_ARG(written));
    diag_fix_certain(t->diags, d, span, written);
    return true;
}

bool type_habit_date(Typer *t, Diag *d, const Expr *e, Type want)
{
    bool is_known = want == TYPE_DATE || want == TYPE_TIMESTAMP || want == TYPE_STRING;
    return is_known && e->kind == EXPR_BINARY && e->op == OPER_SUB && bare_date(t, d, e->span, want);
}

/* One operand is a date without quotes, the other says that a time is meant. `d - 2026-01-03` takes the year off first. */
static bool bare_date_operand(Typer *t, Diag *d, const Expr *e, const Tx *a, const Tx *b)
{
    const Expr *left = e->args.ptr[0], *right = e->args.ptr[1];
    if (e->op == OPER_SUB && (a->type == TYPE_DATE || a->type == TYPE_TIMESTAMP) && right->kind == EXPR_LITERAL)
        return bare_date(t, d, (Span){right->span.lo, right->span.lo + (uint32_t)strlen("2026-01-03")}, a->type);
    if (a->type == TYPE_INT)
        return type_habit_date(t, d, left, b->type == TYPE_DURATION ? TYPE_DATE : b->type);
    return b->type == TYPE_INT && type_habit_date(t, d, right, a->type == TYPE_DURATION ? TYPE_DATE : a->type);
}

/* timestamp > date: days or instants are compared. */
static bool day_and_instant(Typer *t, Diag *d, const Expr *e, const Tx *a, const Tx *b)
{
    bool is_left = a->type == TYPE_TIMESTAMP && b->type == TYPE_DATE;
    if (!is_left && !(a->type == TYPE_DATE && b->type == TYPE_TIMESTAMP))
        return false;
    const Expr *left = e->args.ptr[is_left ? 0 : 1];
    Str instant = source_slice(t, left->span), day = source_slice(t, e->args.ptr[is_left ? 1 : 0]->span);
    diag_help(t->diags, d, "take the day of the timestamp, `date(%.*s)`, or the midnight with which the date begins, `timestamp(%.*s)`",
              STR_ARG(instant), STR_ARG(day));
    return true;
}

static bool is_number(Type t)
{
    return t == TYPE_INT || t == TYPE_FLOAT;
}

/* A duration or a size beside a number. */
static bool amount_and_number(Typer *t, Diag *d, const Expr *e, const Tx *a, const Tx *b)
{
    bool is_left = a->type == TYPE_DURATION || a->type == TYPE_SIZE;
    Type type = is_left ? a->type : b->type;
    const Tx *other = is_left ? b : a;
    if ((type != TYPE_DURATION && type != TYPE_SIZE) || !is_number(other->type))
        return false;
    bool is_time = type == TYPE_DURATION;
    const char *name = is_time ? "duration" : "size";
    if (e->op == OPER_MUL || (is_left && (e->op == OPER_DIV || e->op == OPER_IDIV))) {
        diag_help(t->diags, d, "a %s is multiplied and divided by whole numbers: `x * 1.5` is `x * 3 / 2`", name);
        return true;
    }
    const Expr *number = e->args.ptr[is_left ? 1 : 0], *amount = e->args.ptr[is_left ? 0 : 1];
    bool is_compared = e->op == OPER_EQ || e->op == OPER_NE || e->op == OPER_LT || e->op == OPER_LE || e->op == OPER_GT || e->op == OPER_GE;
    if (number->kind == EXPR_LITERAL || !(is_compared || e->op == OPER_ADD || e->op == OPER_SUB)) {
        diag_help(t->diags, d, "a %s has a unit: %s", name, is_time ? "`5s`, `10m`" : "`64kB`, `1MiB`");
        return true;
    }
    Str n = source_slice(t, number->span), x = source_slice(t, amount->span);
    const char *unit = is_time ? "1ms" : "1B";
    diag_help(t->diags, d, "say what the number counts, for example `%.*s * %s`%s%.*s%s%s%s", STR_ARG(n), unit,
              is_compared ? ", or compare numbers, `" : "", is_compared ? (int)x.len : 0, x.ptr, is_compared ? " / " : "",
              is_compared ? unit : "", is_compared ? "`" : "");
    return true;
}

void type_habit_amount(Typer *t, Diag *d, const Expr *e, Type type, bool is_int)
{
    if (type != TYPE_DURATION && type != TYPE_SIZE)
        return;
    Str x = source_slice(t, e->span);
    const char *sign = is_int ? "//" : "/";
    if (type == TYPE_DURATION)
        diag_help(t->diags, d, "say what is counted: seconds are `%.*s %s 1s`, hours `%.*s %s 1h`", STR_ARG(x), sign, STR_ARG(x), sign);
    else
        diag_help(t->diags, d, "say what is counted: bytes are `%.*s %s 1B`, kilobytes `%.*s %s 1kB`", STR_ARG(x), sign, STR_ARG(x), sign);
}

bool type_habit_sign(Typer *t, Diag *d, const Expr *e, const Tx *a, const Tx *b)
{
    Str sign = source_slice(t, e->op_span);
    const char *ours = operator_text(e->op);
    if (sign.len == 0 || str_is(sign, ours))
        return false;
    if (b && a->type == TYPE_STRING && b->type == TYPE_STRING && (str_is(sign, "||") || str_is(sign, "&"))) {
        bool may_be_default = str_is(sign, "||") && a->kind != TX_CONST && b->kind == TX_CONST; /* in JavaScript */
        if (may_be_default) {
            diag_help(t->diags, d, "strings are joined by `+`; another value in place of null is given by `??`");
            diag_fix(t->diags, d, e->op_span, STR_LIT("+"));
        } else {
            diag_help(t->diags, d, "strings are joined by `+`");
            diag_fix_certain(t->diags, d, e->op_span, STR_LIT("+"));
        }
        return true;
    }
    if (b && a->type == TYPE_INT && b->type == TYPE_INT && str_is(sign, "&")) {
        diag_help(t->diags, d, "there are no operators on bits; the lowest is `x %% 2`");
        return true;
    }
    diag_note(t->diags, d, "`%.*s` is written `%s` here", STR_ARG(sign), ours);
    diag_fix(t->diags, d, e->op_span, e->op == OPER_NOT ? STR_LIT("not ") : str_of(ours)); /* which leaves what is wrong */
    return false;
}

bool type_habit_operands(Typer *t, Diag *d, const Expr *e, const Tx *a, const Tx *b)
{
    bool is_and_or = e->op == OPER_AND || e->op == OPER_OR;
    if (!b && e->op == OPER_NEG && t->sorts && t->sorts->value == e) { /* sort by -name */
        Str key = source_slice(t, e->args.ptr[0]->span);
        if (t->sorts->is_desc) { /* `-name desc`: one of the two too many, or twice the other way round? */
            diag_help(t->diags, d, "write `%.*s desc` for the last ones first, `%.*s` for the first ones", STR_ARG(key), STR_ARG(key));
            diag_fix(t->diags, d, t->sorts->span, key);
            return true;
        }
        diag_help(t->diags, d, "write `%.*s desc`: the other way round", STR_ARG(key));
        diag_fix_certain(t->diags, d, t->sorts->span, arena_printf(t->arena, "%.*s desc", STR_ARG(key)));
        return true;
    }
    if (!b)
        return false;
    bool is_default = e->op == OPER_OR && e->args.ptr[1]->kind == EXPR_LITERAL && a->type == b->type && a->kind != TX_CONST;
    if (is_default) { /* of Python and JavaScript */
        diag_help(t->diags, d, "`or` joins conditions; another value in place of null is given by `??`: `%.*s ?? %.*s`",
                  STR_ARG(source_slice(t, e->args.ptr[0]->span)), STR_ARG(source_slice(t, e->args.ptr[1]->span)));
        diag_fix(t->diags, d, e->op_span, STR_LIT("??"));
    }
    if (is_and_or)
        return is_default;
    if (bare_date_operand(t, d, e, a, b) || day_and_instant(t, d, e, a, b))
        return true;
    if (e->op == OPER_GT && is_text(e->args.ptr[1]) && memchr(e->args.ptr[1]->lit.s.ptr, '.', e->args.ptr[1]->lit.s.len) &&
        a->kind == TX_CONST) {
        diag_help(t->diags, d, "a flow is written into a file by a stage: `| write csv \"%.*s\"`",
                  STR_ARG(e->args.ptr[1]->lit.s));
        return true;
    }
    if (e->op == OPER_MOD && a->type == TYPE_STRING) {
        diag_help(t->diags, d, "`%%` is the remainder; write the value into the string, `\"{x}\"`, or use `format('{:.2f}', x)`");
        return true;
    }
    if (e->op == OPER_MUL && (a->type == TYPE_STRING) != (b->type == TYPE_STRING)) {
        const Tx *text = a->type == TYPE_STRING ? a : b;
        const ScopeCol *col = text->kind == TX_COLUMN && text->col < t->cols.n && !t->keys ? &t->cols.ptr[text->col] : NULL;
        if (col && col->seen && col->type == TYPE_STRING) {
            diag_help(t->diags, d, "%.*s shows it as text: convert it, `float(%.*s)`, or declare what it holds in a schema, such as `%.*s: duration`",
                      STR_ARG(col->file), STR_ARG(col->name), STR_ARG(col->name));
            return true;
        }
        diag_help(t->diags, d, "a text is not repeated by `*`; `pad_left(\"\", 3, \"x\")` is \"xxx\"");
        return true;
    }
    bool is_time = a->type == TYPE_DATE || a->type == TYPE_TIMESTAMP;
    if (is_time && b->type == TYPE_INT && (e->op == OPER_ADD || e->op == OPER_SUB)) {
        const Expr *n = e->args.ptr[1];
        bool is_literal = n->kind == EXPR_LITERAL;
        diag_help(t->diags, d, "what is added is a duration, with a unit: `%.*sd`, `12h`",
                  STR_ARG(is_literal ? source_slice(t, n->span) : STR_LIT("3")));
        return true;
    }
    if (amount_and_number(t, d, e, a, b))
        return true;
    return (a->type == TYPE_STRING) != (b->type == TYPE_STRING) && quoted_column(t, d, e);
}

void type_habit_count(Typer *t, const Builtin *b, const Expr *e, Tx *const *args)
{
    if (b->id != BUILTIN_AGG_COUNT || e->call.n != 1 || args[0]->type != TYPE_BOOL || args[0]->kind == TX_COLUMN)
        return;
    const Expr *arg = e->call.ptr[0].value;
    Str call = arena_printf(t->arena, "sum(int(%.*s))", STR_ARG(source_slice(t, arg->span)));
    Diag *d = diag_add(t->diags, W_COUNT_CONDITION, arg->span, "`count` counts what is not null: where this is false too");
    diag_help(t->diags, d, "to count where it holds write `%.*s`", STR_ARG(call));
    diag_fix(t->diags, d, e->span, call);
}

/* A number behind a `$` is an amount of money; a text is what other languages write so. */
void type_habit_dollar(Typer *t, const Expr *e, Tx *const *args)
{
    for (size_t i = 1; i < e->args.n; i++) {
        const Expr *value = e->args.ptr[i];
        Str before = source_slice(t, (Span){value->span.lo - 2, value->span.lo});
        if (is_text(value) || args[i]->type != TYPE_STRING || !str_is(before, "${"))
            continue;
        Span dollar = {value->span.lo - 2, value->span.lo - 1};
        Str text = source_slice(t, value->span);
        Diag *d = diag_add(t->diags, W_DOLLAR, dollar, "the `$` stays in the text");
        diag_help(t->diags, d, "the braces alone are `{%.*s}`; a `$` that is meant is joined, `\"$\" + %.*s`", STR_ARG(text),
                  STR_ARG(text));
        diag_fix(t->diags, d, dollar, STR_LIT(""));
    }
}

void type_habit_argument(Typer *t, Diag *d, const Builtin *b, const Expr *arg, const Tx *tx)
{
    bool adds = b->kind == BUILTIN_KIND_AGG && (b->id == BUILTIN_AGG_SUM || b->id == BUILTIN_AGG_MEAN);
    if (!adds || (tx->type != TYPE_BOOL && tx->type != TYPE_STRING) || d->helps.n)
        return;
    Str text = source_slice(t, arg->span);
    Str call = arena_printf(t->arena, "%s(%s(%.*s))", b->name, tx->type == TYPE_BOOL ? "int" : "float", STR_ARG(text));
    diag_help(t->diags, d, tx->type == TYPE_BOOL ? "write `%.*s`: a condition that holds counts as 1"
                                                 : "write `%.*s`: nothing converts by itself", STR_ARG(call));
    if (tx->type == TYPE_BOOL)
        diag_fix_certain(t->diags, d, arg->span, arena_printf(t->arena, "int(%.*s)", STR_ARG(text)));
}

/* `take 2 -- text`, `hp > 1 // text`: the text was read as an operand. */
bool type_habit_comment(Typer *t, Diag *d, Ident name)
{
    Place p = sources_locate(t->sources, name.span.lo);
    if (!p.source)
        return false;
    Str text = source_text(p.source);
    uint32_t at = name.span.lo - source_base(p.source);
    while (at > 0 && text.ptr[at - 1] == ' ')
        at--;
    if (at < 2 || (text.ptr[at - 1] != '-' && text.ptr[at - 1] != '/') || text.ptr[at - 2] != text.ptr[at - 1])
        return false;
    uint32_t sign = source_base(p.source) + at - 2;
    diag_help(t->diags, d, text.ptr[at - 1] == '/' ? "`//` divides: a comment starts with `#`"
                                                   : "`--` does not start a comment: that is `#`");
    diag_fix(t->diags, d, (Span){sign, sign + 2}, STR_LIT("#"));
    return true;
}

void type_habit_null(Typer *t, Diag *d, const Expr *e)
{
    if (e->kind != EXPR_BINARY || (e->op != OPER_EQ && e->op != OPER_NE))
        return;
    const Expr *right = e->args.ptr[1];
    if (right->kind != EXPR_LITERAL || right->lit.type != TYPE_NULL || diags_is_torn(t->diags, e->span))
        return;
    diag_fix_certain(t->diags, d, e->op_span, e->op == OPER_NE ? STR_LIT("is not") : STR_LIT("is"));
}

/* ---- `.` and columns ---- */

/* a.b of a column that holds JSON objects. */
static bool field_of_object(Typer *t, Diag *d, const Expr *e)
{
    int32_t at = e->base->kind == EXPR_NAME ? (int32_t)scope_find(&t->cols, e->base->name.text) : -1;
    const CatalogCol *seen = at >= 0 ? t->cols.ptr[at].seen : NULL;
    if (!seen || seen->example.len == 0 || seen->example.ptr[0] != '{')
        return false;
    diag_help(t->diags, d, "`%.*s` holds objects as text: take the value out by `extract(%.*s, '\"%.*s\": *\"?([^\",}]*)', 1)`, or let `exec` run jq",
              STR_ARG(e->base->name.text), STR_ARG(e->base->name.text), STR_ARG(e->name.text));
    return true;
}

bool type_habit_field(Typer *t, Diag *d, const Expr *e)
{
    if (field_of_object(t, d, e))
        return true;
    Str name = e->name.text;
    bool is_same;
    const char *ours = builtin_habit(name, &is_same);
    const Builtin *fn = ours ? builtin_find(str_of(ours), 1) : builtin_find(name, 1);
    bool base_is_column = e->base->kind == EXPR_NAME && scope_find(&t->cols, e->base->name.text) >= 0;
    if (fn && builtin_takes(fn, 1) && base_is_column) {
        Str base = source_slice(t, e->base->span);
        diag_help(t->diags, d, "write `%s(%.*s)`", fn->name, STR_ARG(base));
        diag_fix(t->diags, d, e->span, arena_printf(t->arena, "%s(%.*s)", fn->name, STR_ARG(base)));
        d->is_certain = !ours || is_same;
        return true;
    }
    if (e->base->kind == EXPR_NAME && !base_is_column && scope_find(&t->cols, name) >= 0) {
        diag_help(t->diags, d, "a column stands by its name alone: `%.*s`", STR_ARG(name));
        diag_fix_certain(t->diags, d, e->span, source_slice(t, e->name.span));
        return true;
    }
    return false;
}

bool type_habit_join(Typer *t, Diag *d, const Expr *e)
{
    if (!t->joined || e->kind != EXPR_NAME || scope_find(&t->joined->cols, e->name.text) < 0)
        return false;
    Str name = source_slice(t, e->span);
    Str both = arena_printf(t->arena, "%.*s == %.*s.%.*s", STR_ARG(name), STR_ARG(t->joined->name), STR_ARG(name));
    diag_help(t->diags, d, "say which columns are equal: `%.*s`", STR_ARG(both));
    diag_fix_certain(t->diags, d, e->span, both);
    return true;
}
