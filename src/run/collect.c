/* collect.c - many batches that become one table: the parts of a read, the batches of a collect. */
#include "run/run_int.h"

#include <stdlib.h>

#define SMALL_PARTS 256 /* batches of a collect that are joined into one */

/* Small parts are joined in time: each has buffers of its own, which would outweigh its rows. */
static void join_small_parts(State *s)
{
    uint32_t first = s->n_parts - SMALL_PARTS;
    Batch *const *parts = s->parts + first;
    Batch *joined = batch_concat(parts, SMALL_PARTS, parts[0]->n_cols, parts[0]->types);
    for (uint32_t i = 0; i < SMALL_PARTS; i++)
        batch_unref(parts[i]);
    s->parts[first] = joined;
    s->n_parts = first + 1;
    s->n_small = 0;
}

void keep_part(State *s, Batch *b)
{
    s->n_rows += b->n_rows;
    if (s->n_parts == s->cap_parts) {
        s->cap_parts = s->cap_parts ? 2 * s->cap_parts : 16;
        s->parts = xrealloc(s->parts, s->cap_parts * sizeof *s->parts);
    }
    s->parts[s->n_parts++] = b;
    if (++s->n_small == SMALL_PARTS)
        join_small_parts(s);
}

void drop_parts(State *s)
{
    for (uint32_t i = 0; i < s->n_parts; i++)
        batch_unref(s->parts[i]);
    s->n_parts = s->n_small = 0;
    s->n_rows = 0;
}

Batch *join_parts(State *s, const Schema *schema)
{
    Type *types = xcalloc(schema->n_cols, sizeof *types);
    for (uint32_t i = 0; i < schema->n_cols; i++)
        types[i] = schema->cols[i].type;
    Batch *all;
    if (s->n_parts == 1)
        all = batch_ref(s->parts[0]);
    else
        all = batch_concat(s->parts, s->n_parts, schema->n_cols, types);
    drop_parts(s);
    free(types);
    return all;
}

FoldResult task_fold(void *ctx, Task *t, uint32_t input, const Instance *child)
{
    Run *r = ctx;
    const Step *s = r->plan->steps[instance_step(t->inst)];
    const Step *from = r->plan->steps[s->inputs[input]];
    const Batch *b = instance_out(child);
    if (from->is_generator) {
        GenBatch *g = instance_out(child);
        if (gen_batch(r, g, from->out, &b, &t->err) != OK)
            return FOLD_FAILED;
    }
    /* A copy of what it holds, so that a block of input is not kept for a few columns. */
    Type *types = xcalloc(b->n_cols, sizeof *types);
    for (uint32_t i = 0; i < b->n_cols; i++)
        types[i] = b->types[i];
    keep_part(state_of(t->inst), batch_concat((Batch *const *)&b, 1, b->n_cols, types));
    free(types);
    State *state = instance_state(t->inst);
    return state->n_rows >= r->enough[s->id] ? FOLD_ENOUGH : FOLD_MORE;
}

static bool has_effects(const Step *s)
{
    for (size_t i = 0; i < s->pops.n; i++) {
        PopKind k = s->pops.ptr[i]->kind;
        if (k == POP_WRITE_CSV || k == POP_LOG || k == POP_ASSERT || k == POP_FAIL)
            return true;
    }
    return false;
}

/* It begins with `take`, and nobody else would notice that the rest is missing. */
uint64_t rows_enough(const Plan *plan, const Step *c)
{
    if (c->kind != STEP_COLLECT || !c->in || c->pops.n == 0 || c->pops.ptr[0]->kind != POP_TAKE)
        return UINT64_MAX;
    const Step *from = plan->steps[c->inputs[0]];
    uint32_t scope = from->is_generator ? from->yields : from->scope;
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        if (s->scope == scope && has_effects(s))
            return UINT64_MAX;
        for (uint32_t k = 0; k < s->n_inputs; k++) {
            const Step *in = plan->steps[s->inputs[k]];
            uint32_t lives = in->is_generator ? in->yields : in->scope;
            if (s != c && lives == scope && s->scope != scope)
                return UINT64_MAX; /* another collect of the same batches */
        }
    }
    return (uint64_t)c->pops.ptr[0]->expr->value.i;
}
