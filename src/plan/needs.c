#include "plan/needs.h"

#include <string.h>

/* From the files written back to the files read: of each step which columns of its table are wanted.
 * Steps are gone over until nothing changes, since a table may be read in several places. */
typedef struct Needs {
    Arena *arena;
    Plan *plan;
    bool **out;   /* [n_steps] -> [columns of the step's table] */
    bool changed;
} Needs;

static void need(Needs *n, bool *set, uint32_t n_cols, uint32_t col)
{
    if (col < n_cols && !set[col]) {
        set[col] = true;
        n->changed = true;
    }
}

/* ---- expressions ---- */

/* Columns that it names. Nodes may be shared: each is visited once. */
static void named(Tx *tx, bool *set, uint32_t n_cols)
{
    if (!tx || tx->is_seen)
        return;
    tx->is_seen = true;
    if (tx->kind == TX_COLUMN && tx->col < n_cols)
        set[tx->col] = true;
    for (uint32_t i = 0; i < tx->n_args; i++)
        named(tx->args[i], set, n_cols);
}

static void unsee(Tx *tx)
{
    if (!tx || !tx->is_seen)
        return;
    tx->is_seen = false;
    for (uint32_t i = 0; i < tx->n_args; i++)
        unsee(tx->args[i]);
}

static void columns_of(Tx *tx, bool *set, uint32_t n_cols)
{
    named(tx, set, n_cols);
    unsee(tx);
}

/* ---- operations ---- */

/* A join: `after` is wanted of what comes out. */
static void before_join(Needs *n, const Pop *p, const bool *after, bool *before, uint32_t n_before)
{
    uint32_t n_pair = p->pair->n_cols, n_table = p->table_schema->n_cols;
    bool *pair = arena_array(n->arena, bool, n_pair + 1);
    columns_of(p->expr, pair, n_pair);
    memcpy(before, after, n_before * sizeof *before);
    for (uint32_t i = 0; i < n_before; i++)
        before[i] |= pair[i];
    bool *table = n->out[p->table];
    for (uint32_t i = n_before; i < n_pair; i++)
        if (pair[i])
            need(n, table, n_table, i - n_before);
    for (uint32_t i = 0; n_before + i < p->out->n_cols && i < p->n_cols; i++)
        if (after[n_before + i])
            need(n, table, n_table, p->cols[i]);
}

static void before_group(const Pop *p, bool *before, uint32_t n_before)
{
    for (uint32_t i = 0; i < p->n_keys; i++)
        columns_of(p->keys[i].value, before, n_before);
    for (uint32_t i = 0; i < p->n_aggs; i++)
        for (uint32_t k = 0; k < p->aggs[i].n_args; k++)
            columns_of(p->aggs[i].args[k], before, n_before);
}

/* before[n_before], all false at first: what the operation wants of the table before it when `after` is
 * wanted of the one behind it. */
static void before_pop(Needs *n, const Pop *p, const bool *after, bool *before, uint32_t n_before)
{
    bool same = true; /* the columns are the same, and perhaps one more */
    switch (p->kind) {
    case POP_READ_CSV:
    case POP_RANGE:
    case POP_FILES:
        columns_of(p->expr, before, n_before);
        return;
    case POP_DEFINE:
        for (uint32_t i = 0; i < n_before; i++)
            before[i] = after[i] && i != p->col;
        columns_of(p->expr, before, n_before); /* it is computed for its mistakes, too */
        return;
    case POP_PROJECT:
        for (uint32_t i = 0; i < p->n_cols; i++)
            before[p->cols[i]] |= after[i];
        return;
    case POP_GROUP:
        before_group(p, before, n_before);
        return;
    case POP_JOIN:
        before_join(n, p, after, before, n_before);
        return;
    case POP_UNION:
        for (uint32_t i = 0; i < p->out->n_cols; i++)
            if (after[i])
                need(n, n->out[p->table], p->table_schema->n_cols, p->cols[i]);
        break;
    case POP_EXPLODE: /* how many rows there are depends on it */
        before[p->col] = true;
        break;
    case POP_WRITE_CSV:
    case POP_EXEC:
        same = false;
        break;
    case POP_FILTER:
    case POP_TAKE:
    case POP_SKIP:
    case POP_SORT:
    case POP_TOP:
    case POP_DISTINCT:
    case POP_SPLIT:
    case POP_LOG:
    case POP_ASSERT:
    case POP_FAIL:
    case POP_SLEEP:
    case N_POPS:
        break;
    }
    for (uint32_t i = 0; i < n_before; i++)
        before[i] |= !same || after[i];
    columns_of(p->expr, before, n_before);
    columns_of(p->expr2, before, n_before);
    for (uint32_t i = 0; i < p->n_keys; i++)
        columns_of(p->keys[i].value, before, n_before);
}

/* ---- steps ---- */

/* What the step wants of those it reads from. */
static void step_needs(Needs *n, const Step *s)
{
    static const Schema none = {0};
    /* The groups of the parts are merged: the table is what they make. */
    size_t first = s->hold == HOLD_GROUPS ? 1 : 0;
    bool *after = n->out[s->id];
    for (size_t i = s->pops.n; i > first; i--) {
        Pop *p = s->pops.ptr[i - 1];
        const Schema *in = i - 1 > first ? s->pops.ptr[i - 2]->out : s->in ? s->in : &none;
        bool *before = arena_array(n->arena, bool, in->n_cols + 1);
        if (p->kind == POP_READ_CSV)
            p->needed = after;
        before_pop(n, p, after, before, in->n_cols);
        after = before;
    }
    for (uint32_t i = 0; s->in && i < step_first_table(s); i++)
        for (uint32_t c = 0; c < s->in->n_cols; c++)
            if (after[c])
                need(n, n->out[s->inputs[i]], n->plan->steps[s->inputs[i]]->out->n_cols, c);
}

/* Is a batch that the step reads gone when it has run, and is none made of it that asks where each row came from? */
static bool lets_go(const Plan *plan, const Step *s)
{
    for (size_t i = 0; i < s->pops.n; i++)
        if (s->pops.ptr[i]->kind == POP_JOIN || s->pops.ptr[i]->kind == POP_UNION)
            return false;
    if (s->part_of)
        return s->part_of->hold == HOLD_GROUPS || s->part_of->hold == HOLD_NOTHING;
    for (uint32_t i = 0; i < plan->n_steps; i++)
        for (uint32_t k = 0; k < plan->steps[i]->n_inputs; k++)
            if (plan->steps[i]->inputs[k] == s->id)
                return false;
    return true;
}

static bool is_counted(const Plan *plan, const Step *s)
{
    const Pop *p = s->pops.n ? s->pops.ptr[0] : NULL;
    if (!s->is_generator || !p || p->kind != POP_READ_CSV)
        return false;
    for (uint32_t i = 0; i < p->out->n_cols; i++)
        if (p->needed[i])
            return false;
    for (uint32_t i = 0; i < plan->n_steps; i++)
        for (uint32_t k = 0; k < plan->steps[i]->n_inputs; k++)
            if (plan->steps[i]->inputs[k] == s->id && !lets_go(plan, plan->steps[i]))
                return false;
    return true;
}

void needs_find(Arena *a, Plan *plan)
{
    Needs n = {.arena = a, .plan = plan};
    n.out = arena_array(a, bool *, plan->n_steps);
    for (uint32_t i = 0; i < plan->n_steps; i++)
        n.out[i] = arena_array(a, bool, plan->steps[i]->out->n_cols + 1);
    do {
        n.changed = false;
        for (uint32_t i = plan->n_steps; i > 0; i--)
            step_needs(&n, plan->steps[i - 1]);
    } while (n.changed);
    for (uint32_t i = 0; i < plan->n_steps; i++)
        if (is_counted(plan, plan->steps[i]))
            plan->steps[i]->pops.ptr[0]->is_counted = true;
}
