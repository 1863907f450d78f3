/* check_cycles.c - fns and constants that need themselves. */
#include "lang/check_state.h"

/* Nodes: the consts, then the fns. */
typedef struct DefGraph {
    Check *c;
    Deps deps;
    Map fn_index, const_index; /* name -> node + 1, as a pointer */
} DefGraph;

static uint32_t node_of(const Map *index, Str name, bool *found)
{
    uintptr_t i = (uintptr_t)map_get(index, name);

    *found = i != 0;
    return (uint32_t)(i - 1);
}

/* locals: the fn whose parameters hide constants, NULL in a constant. */
static void add_needs(DefGraph *g, uint32_t from, const FnDef *locals, const Expr *e)
{
    bool found = false;
    uint32_t to = 0;

    if (!e)
        return;
    if (e->kind == EXPR_CALL)
        to = node_of(&g->fn_index, e->name.text, &found);
    else if (e->kind == EXPR_NAME && !(locals && fn_param(locals, e->name.text)))
        to = node_of(&g->const_index, e->name.text, &found);
    if (found)
        deps_add(g->c->arena, &g->deps, from, to,
                 e->kind == EXPR_CALL ? e->name.span : e->span);
    add_needs(g, from, locals, e->base);
    for (size_t i = 0; i < e->args.n; i++)
        add_needs(g, from, locals, e->args.ptr[i]);
    for (size_t i = 0; i < e->call.n; i++)
        add_needs(g, from, locals, e->call.ptr[i].value);
}

static const Ident *node_name(const Program *p, uint32_t node)
{
    return node < p->consts.n ? &p->consts.ptr[node]->name
                              : &p->fns.ptr[node - p->consts.n]->name;
}

static void on_def_cycle(void *ctx, const uint32_t *node, const Span *at, uint32_t n)
{
    DefGraph *g = ctx;
    Program *p = g->c->program;
    Diags *ds = g->c->diags;
    const Ident *first = node_name(p, node[0]);
    bool all_fns = true;
    Diag *d;

    for (uint32_t i = 0; i < n; i++) {
        if (node[i] < p->consts.n) {
            p->consts.ptr[node[i]]->is_cyclic = true;
            all_fns = false;
        } else {
            p->fns.ptr[node[i] - p->consts.n]->is_cyclic = true;
        }
    }
    if (all_fns) {
        d = diag_add(ds, E_FN_RECURSION, first->span, "fn `%.*s` calls itself%s",
                     STR_ARG(first->text), n > 1 ? " through others" : "");
        diag_help(ds, d,
                  "a fn is one expression over its arguments: it cannot be recursive");
    } else {
        d = diag_add(ds, E_CONST_CYCLE, first->span, "`%.*s` is defined by itself%s",
                     STR_ARG(first->text), n > 1 ? " through others" : "");
    }
    for (uint32_t i = 0; i < n; i++)
        diag_label(ds, d, at[i], "`%.*s` %s `%.*s` here",
                   STR_ARG(node_name(p, node[i])->text),
                   node[(i + 1) % n] < p->consts.n ? "needs" : "calls",
                   STR_ARG(node_name(p, node[(i + 1) % n])->text));
}

void check_cycles(Check *c)
{
    Program *p = c->program;
    uint32_t n_consts = (uint32_t)p->consts.n, n = n_consts + (uint32_t)p->fns.n;
    DefGraph g = {.c = c, .deps = deps_new(c->arena, n)};

    map_init(&g.const_index, c->arena);
    map_init(&g.fn_index, c->arena);
    for (uint32_t i = 0; i < n; i++)
        map_put(i < n_consts ? &g.const_index : &g.fn_index, node_name(p, i)->text,
                (void *)((uintptr_t)i + 1));
    for (uint32_t i = 0; i < n_consts; i++)
        add_needs(&g, i, NULL, p->consts.ptr[i]->value);
    for (uint32_t i = 0; i < p->fns.n; i++) {
        const FnDef *fn = p->fns.ptr[i];
        add_needs(&g, n_consts + i, fn, fn->value);
        for (uint32_t k = 0; k < fn->n_params; k++)
            add_needs(&g, n_consts + i, fn, fn->params[k].value);
    }
    deps_order(c->arena, &g.deps, arena_array(c->arena, uint32_t, n), on_def_cycle, &g);
}
