/* build_args.c - what a stage gives to its op: constants, and tables, which become inputs of its steps. */
#include "plan/build_state.h"

Map *build_bind_params(Builder *b, const StageDef *s)
{
    Map *params = arena_new(b->arena, Map);
    map_init(params, b->arena);
    for (uint32_t i = 0; s->op && i < s->op->n_params; i++) {
        const ParamDef *p = &s->op->params[i];
        Tx *tx = tx_error(b->arena, p->name.span);
        Typer t = build_typer(b);
        Value v;
        Str what = arena_printf(b->arena, "`%.*s`", STR_ARG(p->name.text));
        if (p->type == TYPE_TABLE)
            continue;
        if (s->args[i].value && p->type != TYPE_ERROR &&
                 type_constant(&t, s->args[i].value, p->type, what.ptr, &v))
            tx = tx_const(b->arena, v, s->args[i].value->span);
        map_put(params, p->name.text, tx);
    }
    return params;
}

/* ---- tables ---- */

/* The table that a flow is. Of a dynamic flow none: an error at the place of its use. */
static TableArg *table_arg(Builder *b, Str name, const FlowDef *flow, Span use)
{
    TableArg *t = arena_new(b->arena, TableArg);
    const Point *at = flow ? map_get(&b->let_points, flow->name.text) : NULL;
    t->name = name;
    t->is_unknown = true; /* what was wrong with it has been said */
    if (!at)
        return t;
    t->from = at->from;
    if (at->scope != 0) {
        Diag *d = diag_add(b->diags, E_DYNAMIC_TABLE, use,
                           "flow `%.*s` comes in batches, and a table is wanted here",
                           STR_ARG(flow->name.text));
        diag_label(b->diags, d, at->from, "batches come from here");
        diag_help(b->diags, d, "make one table of them: `let %.*s = ... | collect`",
                  STR_ARG(flow->name.text));
        return t;
    }
    t->step = at->step;
    t->cols = at->cols;
    t->is_unknown = at->is_unknown;
    return t;
}

static const FlowDef *flow_of(const Builder *b, Str name)
{
    for (uint32_t i = 0; i < b->job->n_flows; i++)
        if (str_eq(b->job->flows[i].name.text, name))
            return &b->job->flows[i];
    return NULL;
}

static Span arg_span(const StageDef *s, uint32_t param)
{
    const ArgList *args = &s->stage->args;
    for (size_t i = 0; i < args->n; i++)
        if (args->ptr[i].name.text.len
                ? str_eq(args->ptr[i].name.text, s->op->params[param].name.text)
                : i == param)
            return args->ptr[i].value->span;
    return s->stage->span;
}

Map *build_bind_tables(Builder *b, const StageDef *s)
{
    Map *tables = arena_new(b->arena, Map);
    map_init(tables, b->arena);
    for (uint32_t i = 0; s->op && i < s->op->n_params; i++)
        if (s->op->params[i].type == TYPE_TABLE) {
            Str name = s->op->params[i].name.text;
            map_put(tables, name, table_arg(b, name, s->args[i].flow, arg_span(s, i)));
        }
    for (size_t i = 0; s->op && !s->op->name.text.len && i < s->op->op->body.n; i++) {
        const Stmt *st = s->op->op->body.ptr[i];
        Str name = st->table_name.text;
        if ((st->kind == STMT_JOIN || st->kind == STMT_UNION) && !map_get(tables, name))
            map_put(tables, name, table_arg(b, name, flow_of(b, name), st->table_name.span));
    }
    return tables;
}

void build_take_tables(Builder *b, Step *s)
{
    uint32_t first = step_first_table(s), n = first;
    uint32_t *inputs = arena_array(b->arena, uint32_t, first + s->pops.n);
    for (uint32_t i = 0; i < first; i++)
        inputs[i] = s->inputs[i];
    for (size_t i = 0; i < s->pops.n; i++) {
        const Pop *p = s->pops.ptr[i];
        if (p->kind != POP_JOIN && p->kind != POP_UNION)
            continue;
        bool is_new = true;
        for (uint32_t k = first; k < n; k++)
            is_new = is_new && inputs[k] != p->table;
        if (is_new)
            inputs[n++] = p->table;
    }
    s->inputs = inputs;
    s->n_inputs = n;
    s->n_tables = n - first;
}

void build_attach_tables(Builder *b, Step *s)
{
    build_take_tables(b, s);
    uint32_t depth = s->depth;
    for (uint32_t i = 0; i < s->n_inputs; i++) {
        const Step *in = b->steps.ptr[s->inputs[i]];
        uint32_t least = in->part_of == s ? in->depth : in->depth + 1;
        depth = least > depth ? least : depth;
    }
    if (!s->has_priority) {
        s->priority += (int32_t)(depth - s->depth);
        s->rank += 2 * (int32_t)(depth - s->depth);
    }
    s->depth = depth;
}
