/* type_call.c - calls: of the program's fns, which are typed anew at each call, and of builtins. */
#include "plan/type_expr_int.h"

#include <string.h>

#include "base/suggest.h"

static Tx *type_fn_call(Typer *t, const Expr *e, const FnDef *fn)
{
    const Expr **values = arena_array(t->arena, const Expr *, fn->n_params);
    fn_bind(fn, &e->call, values);
    Map locals;
    map_init(&locals, t->arena);
    bool ok = !fn->is_cyclic && fn->type != TYPE_ERROR;
    for (uint32_t i = 0; i < fn->n_params; i++) {
        const ParamDef *p = &fn->params[i];
        Tx *value = tx_error(t->arena, e->span);
        if (values[i]) {
            Str what = arena_printf(t->arena, "`%.*s` of `%.*s`", STR_ARG(p->name.text),
                                    STR_ARG(fn->name.text));
            value = type_expr_as(t, values[i], p->type, what.ptr);
        }
        ok = ok && value->type != TYPE_ERROR;
        map_put(&locals, p->name.text, value);
    }
    if (!ok)
        return tx_error(t->arena, e->span);
    Map *outer = t->locals;
    AggList *aggs = t->aggs;
    t->locals = &locals;
    t->aggs = NULL;
    Str what = arena_printf(t->arena, "the value of fn `%.*s`", STR_ARG(fn->name.text));
    Tx *body = type_expr_as(t, fn->value, fn->type, what.ptr);
    t->locals = outer;
    t->aggs = aggs;
    if (body->type == TYPE_ERROR || body->kind == TX_CONST || body->kind == TX_COLUMN)
        return body;
    /* The call's own span: a row error points at the line that called. */
    Tx *copy = arena_new(t->arena, Tx);
    *copy = *body;
    copy->span = e->span;
    return copy;
}

static void unknown_function(Typer *t, const Expr *e)
{
    Diag *d = diag_add(t->diags, E_UNKNOWN_FUNCTION, e->name.span,
                       "there is no function `%.*s`", STR_ARG(e->name.text));
    bool is_same;
    const char *ours = builtin_habit(e->name.text, &is_same), *form = builtin_habit_form(e->name.text);
    if (ours || form) {
        diag_help(t->diags, d, "here it is `%s`", ours ? ours : form);
        if (ours)
            diag_fix(t->diags, d, e->name.span, str_of(ours));
        d->is_certain = is_same;
        return;
    }
    if (!t->locals && t->has_table && scope_find(&t->cols, e->name.text) >= 0) {
        diag_help(t->diags, d, "`%.*s` is a column: it stands without parentheses", STR_ARG(e->name.text));
        return;
    }
    if (program_op(t->program, e->name.text)) {
        diag_label(t->diags, d, program_op(t->program, e->name.text)->name.span, "`%.*s` is an op",
                   STR_ARG(e->name.text));
        diag_help(t->diags, d, "an op is a stage of a job: `| %.*s`", STR_ARG(e->name.text));
        return;
    }
    Suggest s;
    suggest_init(&s, e->name.text);
    for (BuiltinId b = 0; b < N_BUILTINS; b++)
        suggest_offer(&s, str_of(builtin_get(b)->name));
    for (size_t i = 0; i < t->program->fns.n; i++)
        suggest_offer(&s, t->program->fns.ptr[i]->name.text);
    if (s.best.len) {
        if (s.is_case_only) /* UPPER(x) of SQL */
            diag_fix_certain(t->diags, d, e->name.span, s.best);
        diag_help(t->diags, d, "did you mean `%.*s`?", STR_ARG(s.best));
        diag_fix(t->diags, d, e->name.span, s.best);
    } else
        diag_help(t->diags, d, "`pipemill help functions` lists them; define your own with `fn`");
}

/* ---- builtins ---- */

/* How a function is called, a note for each of its forms. */
static void note_signature(Typer *t, Diag *d, const Builtin *b)
{
    Buf sig = {0};
    builtin_print(&sig, b);
    for (Str rest = buf_str(&sig); rest.len;) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        uint32_t len = end ? (uint32_t)(end - rest.ptr) : rest.len;
        diag_note(t->diags, d, "%.*s", (int)len, rest.ptr);
        rest = str_slice(rest, end ? len + 1 : len, rest.len);
    }
    buf_deinit(&sig);
}

/* An aggregate: its arguments see the rows, what stands around it sees the groups. */
static Tx *type_agg_call(Typer *t, const Expr *e, const Builtin *b, Tx **args,
                         uint32_t n_args, Type result)
{
    PopAgg agg = {.fn = b->id, .n_args = n_args, .type = result, .span = e->span};
    agg.args = arena_array(t->arena, Tx *, n_args);
    for (uint32_t i = 0; i < n_args; i++)
        agg.args[i] = args[i];
    uint32_t col = (uint32_t)(t->keys->n + t->aggs->n);
    vec_push(t->arena, t->aggs, agg);
    return tx_column(t->arena, col, result, e->span);
}

/* The arguments of a call; sees_rows: they see the rows, not the groups. */
static void type_args(Typer *t, const Expr *e, bool sees_rows, Tx **args)
{
    ScopeCols *keys = t->keys;
    AggList *aggs = t->aggs;
    if (sees_rows) {
        t->keys = NULL;
        t->aggs = NULL;
    }
    for (size_t i = 0; i < e->call.n; i++)
        args[i] = type_expr(t, e->call.ptr[i].value);
    t->keys = keys;
    t->aggs = aggs;
}

/* What can be said of a call of a builtin before its arguments are typed. */
static bool check_call(Typer *t, const Expr *e, const Builtin *b)
{
    bool ok = true;
    if (b->kind == BUILTIN_KIND_AGG && !t->aggs) {
        Diag *d = diag_add(t->diags, E_AGG_OUTSIDE, e->span,
                           "`%s` needs many rows, and stands where one row is looked at",
                           b->name);
        diag_help(t->diags, d, "put it into `group by key { n = %s(...) }` or `aggregate { ... }`",
                  b->name);
        ok = false;
    }
    for (size_t i = 0; i < e->call.n; i++) {
        const Ident *name = &e->call.ptr[i].name;
        if (name->text.len == 0)
            continue;
        Diag *d = diag_add(t->diags, E_ARGUMENT_TYPE, name->span,
                           "the arguments of `%s` have no names", b->name);
        note_signature(t, d, b);
        ok = false;
    }
    return ok;
}

/* Finds the form of the builtin that takes the arguments; wants: [n] its types. False after a diagnostic. */
static bool fit_args(Typer *t, const Expr *e, const Builtin *b, Tx *const *args, Type *wants, BuiltinFit *fit)
{
    uint32_t n = (uint32_t)e->call.n;
    Type *types = arena_array(t->arena, Type, n);
    for (uint32_t i = 0; i < n; i++)
        types[i] = args[i]->type;
    if (builtin_resolve(b, types, n, wants, fit))
        return true;
    Span at = fit->bad_arg >= 0 ? e->call.ptr[fit->bad_arg].value->span : e->span;
    Diag *d = diag_add(t->diags, E_ARGUMENT_TYPE, at, "%s", fit->why);
    if (fit->bad_arg >= 0)
        type_explain(t, d, args[fit->bad_arg]);
    if (fit->bad_arg >= 0 && types[fit->bad_arg] == TYPE_INT && b->group == BUILTIN_GROUP_TIME)
        type_habit_date(t, d, e->call.ptr[fit->bad_arg].value, TYPE_DATE);
    if (fit->bad_arg >= 0 && (b->id == BUILTIN_TO_DATE || b->id == BUILTIN_TO_TIMESTAMP))
        type_habit_date(t, d, e->call.ptr[fit->bad_arg].value, TYPE_STRING);
    if (fit->bad_arg >= 0 && (b->id == BUILTIN_TO_INT || b->id == BUILTIN_TO_FLOAT))
        type_habit_amount(t, d, e->call.ptr[fit->bad_arg].value, types[fit->bad_arg], b->id == BUILTIN_TO_INT);
    if (fit->bad_arg >= 0)
        type_habit_argument(t, d, b, e->call.ptr[fit->bad_arg].value, args[fit->bad_arg]);
    note_signature(t, d, b);
    return false;
}

/* Gives the arguments the types of the form; constants where it wants them. */
static bool convert_args(Typer *t, const Expr *e, const Builtin *b, const BuiltinFit *fit, const Type *wants, Tx **args)
{
    bool ok = true;
    for (uint32_t i = 0; i < e->call.n; i++) {
        if (args[i]->type == TYPE_ERROR) {
            ok = false;
            continue;
        }
        Type want = wants[i] == TYPE_NULL ? TYPE_STRING : wants[i];
        Tx *c = tx_convert(t->arena, args[i], want);
        args[i] = c ? c : args[i];
        const BuiltinParam *p = builtin_sig_param(&fit->sig, i);
        if (p && p->is_const && args[i]->kind != TX_CONST) {
            Diag *d = diag_add(t->diags, E_NOT_CONSTANT, e->call.ptr[i].value->span,
                               "`%.*s` of `%s` is a constant", STR_ARG(p->name), b->name);
            diag_help(t->diags, d, "write a literal, a `param` or a `let`");
            ok = false;
        }
    }
    return ok;
}

static Tx *type_builtin_call(Typer *t, const Expr *e, const Builtin *b)
{
    uint32_t n = (uint32_t)e->call.n;
    Tx **args = arena_array(t->arena, Tx *, n);
    Type *wants = arena_array(t->arena, Type, n);
    bool is_agg = b->kind == BUILTIN_KIND_AGG, ok = check_call(t, e, b);
    BuiltinFit fit;
    type_args(t, e, is_agg, args);
    if (!fit_args(t, e, b, args, wants, &fit))
        return tx_error(t->arena, e->span);
    ok = convert_args(t, e, b, &fit, wants, args) && ok;
    if (!ok || fit.result == TYPE_ERROR || !type_patterns(t, b, args, n))
        return tx_error(t->arena, e->span);
    Type result = fit.result == TYPE_NULL ? TYPE_STRING : fit.result;
    type_habit_count(t, b, e, args);
    if (is_agg)
        return type_agg_call(t, e, b, args, n, result);
    Tx *tx = tx_over(t->arena, TX_CALL, result, e->span, args, n);
    tx->fn = b->id;
    tx->call_id = t->n_calls++;
    tx->needs_row |= b->kind == BUILTIN_KIND_ROW;
    tx->needs_batch |= b->kind == BUILTIN_KIND_ROW || b->kind == BUILTIN_KIND_BATCH;
    if (tx->needs_batch && !t->has_table) {
        Diag *d = diag_add(t->diags, E_NOT_CONSTANT, e->span,
                           "`%s()` is known only while an op runs", b->name);
        diag_help(t->diags, d, "use it in a statement of an op");
        return tx_error(t->arena, e->span);
    }
    return tx;
}

Tx *type_call(Typer *t, const Expr *e)
{
    const FnDef *fn = program_fn(t->program, e->name.text);
    if (fn)
        return type_fn_call(t, e, fn);
    const Builtin *b = builtin_find(e->name.text, (uint32_t)e->call.n);
    if (b)
        return type_builtin_call(t, e, b);
    if (!program_is_lost(t->program, e->name.text))
        unknown_function(t, e);
    /* It may have meant an aggregate. */
    type_args(t, e, true, arena_array(t->arena, Tx *, e->call.n));
    return tx_error(t->arena, e->span);
}
