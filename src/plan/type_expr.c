/* type_expr.c - expressions, from Expr to Tx. Names are in type_name.c, operators in
 * type_operator.c, calls in type_call.c. */
#include "plan/type_expr_int.h"

#include <string.h>

#include "base/time_pattern.h"
#include "lang/token.h"

/* Replaces a node over constants by its value. A failure (1 // 0) stays as it is: the
 * row that computes it fails, if any does. */
Tx *type_folded(Typer *t, Tx *tx)
{
    if (tx->needs_row || tx->needs_batch || tx->kind == TX_CONST || tx->kind == TX_ERROR)
        return tx;
    for (uint32_t i = 0; i < tx->n_args; i++)
        if (tx->args[i]->kind != TX_CONST)
            return tx;
    Value v;
    Error err;
    if (t->evaluator->eval(t->evaluator, tx, t->arena, &v, &err) != OK)
        return tx;
    return tx_const(t->arena, v, tx->span);
}

/* ---- messages ---- */

const char *type_article(Type type)
{
    return type == TYPE_INT ? "an" : "a";
}

/* The line of the sample that makes the column a string. */
static void explain_odd(Typer *t, Diag *d, const ScopeCol *c)
{
    Str name = name_written(t->arena, c->name);
    Buf value = {0};
    buf_put_visible(&value, str_slice(c->seen->odd_value, 0, 60));
    const char *want = type_name(c->seen->almost);
    bool is_big = c->seen->almost == TYPE_INT && value_is_whole(c->seen->odd_value);
    diag_note(t->diags, d, "`%.*s` is string: line %llu of %.*s holds `%.*s`%s", STR_ARG(c->name),
              (unsigned long long)c->seen->odd_line, STR_ARG(c->file), STR_ARG(buf_str(&value)),
              is_big ? ", which is beyond 64 bits" : "");
    if (is_big)
        diag_help(t->diags, d, "`float(%.*s)` takes it for a number of about 16 digits", STR_ARG(name));
    else
        diag_help(t->diags, d,
                  "convert it with `%s(%.*s)`, or declare `%.*s: %s` in a schema; either "
                  "way a value that is not one fails its row",
                  want, STR_ARG(name), STR_ARG(name), want);
    buf_deinit(&value);
}

/* Why a column of a file is a string, if its values look like something else or there are none. */
static bool explain_string(Typer *t, Diag *d, const ScopeCol *c)
{
    const char *form = time_form(c->seen->example);
    Str name = name_written(t->arena, c->name);
    if (c->seen->almost != TYPE_ERROR && c->seen->odd_line) {
        explain_odd(t, d, c);
    } else if (c->seen->example.len == 0) {
        diag_note(t->diags, d, "`%.*s` is string: %.*s shows no value of it", STR_ARG(c->name), STR_ARG(c->file));
        diag_help(t->diags, d, "say what it is: `read ... as s` with `schema s { %.*s: int, ... }`, or convert it, `int(%.*s)`",
                  STR_ARG(name), STR_ARG(name));
    } else if (form) {
        bool is_day = !strchr(form, 'H') && !strchr(form, 'I');
        diag_note(t->diags, d, "`%.*s` is string: its values are such as `%.*s`, dates are such as `2026-01-02`", STR_ARG(c->name),
                  STR_ARG(c->seen->example));
        bool may_swap = strncmp(form, "%m/%d/", 6) == 0;
        diag_help(t->diags, d, "read it by a pattern: `%sparse_time(%.*s, \"%s\")%s`%s", is_day ? "date(" : "", STR_ARG(name), form,
                  is_day ? ")" : "", may_swap ? ", or `%d/%m/...` where the day comes first" : "");
    } else {
        return false;
    }
    return true;
}

/* Why a column is of the type that it is: where it came from, and what the file showed. */
void type_explain(Typer *t, Diag *d, const Tx *tx)
{
    if (tx->kind == TX_WIDEN)
        tx = tx->args[0];
    if (tx->kind != TX_COLUMN || t->locals)
        return;
    const ScopeCols *cols = &t->cols;
    size_t at = tx->col;
    if (tx->uses_table && t->joined) {
        at -= cols->n;
        cols = &t->joined->cols;
    }
    if (at >= cols->n)
        return;
    const ScopeCol *c = &cols->ptr[at];
    if (c->seen && c->type == TYPE_STRING && explain_string(t, d, c))
        return;
    if (c->from.hi) {
        diag_label(t->diags, d, c->from, "`%.*s` is %s here", STR_ARG(c->name),
                   type_name(c->type));
    }
}

/* ---- all of it ---- */

static Tx *type_string(Typer *t, const Expr *e)
{
    Tx **args = arena_array(t->arena, Tx *, e->args.n);
    bool ok = true;
    for (size_t i = 0; i < e->args.n; i++) {
        args[i] = type_expr(t, e->args.ptr[i]);
        if (args[i]->type == TYPE_LIST || args[i]->type == TYPE_TABLE) {
            diag_add(t->diags, E_OPERAND_TYPE, args[i]->span, "a %s has no text",
                     type_name(args[i]->type));
            ok = false;
        }
        ok = ok && args[i]->type != TYPE_ERROR;
        if (args[i]->type == TYPE_NULL)
            args[i] = tx_convert(t->arena, args[i], TYPE_STRING);
    }
    if (!ok)
        return tx_error(t->arena, e->span);
    type_habit_dollar(t, e, args);
    return tx_over(t->arena, TX_CONCAT, TYPE_STRING, e->span, args, (uint32_t)e->args.n);
}

static Tx *type_unfolded(Typer *t, const Expr *e)
{
    switch (e->kind) {
    case EXPR_ERROR:
        return tx_error(t->arena, e->span);
    case EXPR_LITERAL:
        if (diags_is_torn(t->diags, e->span)) /* `5ns`: what was meant is not known */
            return tx_error(t->arena, e->span);
        return tx_const(t->arena, e->lit, e->span);
    case EXPR_STRING:
        return type_string(t, e);
    case EXPR_LIST: {
        Diag *d = diag_add(t->diags, E_LIST_WANTED, e->span,
                           "a list stands only after `in` and `exec`");
        diag_help(t->diags, d, "a column holds one value per row; keep parts in a string");
        return tx_error(t->arena, e->span);
    }
    case EXPR_NAME:
        return type_name_expr(t, e);
    case EXPR_FIELD:
        return type_field(t, e);
    case EXPR_CALL:
        return type_call(t, e);
    case EXPR_UNARY:
        return type_unary(t, e);
    case EXPR_BINARY:
        return type_binary(t, e);
    case EXPR_IN:
        return type_in(t, e);
    case EXPR_BETWEEN:
        return type_between(t, e);
    case EXPR_IF:
        return type_if(t, e);
    case EXPR_AUTO: {
        diag_add(t->diags, E_UNKNOWN_NAME, e->span, "`auto` stands only after `batch`");
        return tx_error(t->arena, e->span);
    }
    }
    return tx_error(t->arena, e->span);
}

Tx *type_expr(Typer *t, const Expr *e)
{
    return type_folded(t, type_unfolded(t, e));
}

/* How what is of another type becomes what is wanted. */
static void help_convert(Typer *t, Diag *d, const Expr *e, const Tx *tx, Type want, const char *what)
{
    if (want == TYPE_STRING && tx->kind == TX_CONST && e->kind == EXPR_LITERAL)
        diag_help(t->diags, d, "write it in quotes");
    else if (want == TYPE_STRING && tx->type != TYPE_TABLE)
        diag_help(t->diags, d, "write `string(...)` around it");
    else if (want == TYPE_BOOL && d->helps.n == 0)
        diag_help(t->diags, d, strcmp(what, "the option") == 0 ? "write `true` or `false`, without quotes"
                               : tx->type == TYPE_STRING       ? "compare it with something, for example `!= \"\"`"
                               : tx->type == TYPE_INT || tx->type == TYPE_FLOAT
                                   ? "compare it with something, for example `!= 0`"
                                   : "compare it with something, for example `is not null`");
    else if (want == TYPE_DURATION)
        diag_help(t->diags, d, "a duration has a unit: `500ms`, `1.5s`, `2h`");
    else if (want == TYPE_SIZE)
        diag_help(t->diags, d, "a size has a unit: `64kB`, `512MB`, `2GiB`");
    else if (want == TYPE_INT && tx->type == TYPE_FLOAT)
        diag_help(t->diags, d, "write `int(...)` or `int(round(...))` around it");
    else if (tx->type == TYPE_STRING && d->helps.n == 0)
        diag_help(t->diags, d, "write `%s(...)` around it", type_name(want));
}

Tx *type_expr_as(Typer *t, const Expr *e, Type want, const char *what)
{
    Tx *tx = type_expr(t, e);
    Tx *as = tx_convert(t->arena, tx, want);
    if (as)
        return as;
    Diag *d = diag_add(t->diags, E_WRONG_TYPE, e->span, "%s is %s, not %s", what,
                       type_name(want), type_name(tx->type));
    type_explain(t, d, tx);
    bool is_said = want == TYPE_BOOL ? type_habit_join(t, d, e) : tx->type == TYPE_INT && type_habit_date(t, d, e, want);
    if (!is_said)
        help_convert(t, d, e, tx, want, what);
    return tx_error(t->arena, e->span);
}

bool type_constant(Typer *t, const Expr *e, Type want, const char *what, Value *out)
{
    uint32_t errors_before = t->diags->n_errors;
    bool had_table = t->has_table, wanted_text = t->wants_text;
    t->has_table = false;
    t->wants_text = want == TYPE_STRING && strcmp(what, "the option") == 0;
    Tx *tx = want == TYPE_ERROR ? type_expr(t, e) : type_expr_as(t, e, want, what);
    t->has_table = had_table;
    t->wants_text = wanted_text;
    if (tx->kind == TX_CONST) {
        *out = tx->value;
        return true;
    }
    if (tx->type != TYPE_ERROR && t->diags->n_errors == errors_before) {
        Value v;
        Error err = {0};
        if (t->evaluator->eval(t->evaluator, tx, t->arena, &v, &err) == OK) {
            *out = v;
            return true;
        }
        diag_add(t->diags, E_CONSTANT_FAILS, e->span, "%s cannot be computed: %s", what,
                 err.text);
    }
    return false;
}
