/* streamed.c - a step over a table that is spilled: it goes through the row-wise statements in parts, as a file that
 * is read does, and what they leave is put together only where a statement wants all of it. */
#include "plan/fold.h"
#include "run/meter.h"
#include "run/spilled.h"

#include <stdlib.h>

uint32_t streamed_end(const Run *r, const Code *c, uint32_t first)
{
    uint32_t i = first;
    for (; i < c->n_instrs; i++) {
        const Instr *in = &c->instrs[i];
        bool stops = in->op == OP_TAKE || in->op == OP_SKIP || in->op == OP_SORT ||
                     in->op == OP_TOP || in->op == OP_DISTINCT || in->op == OP_GROUP || in->op == OP_UNION ||
                     in->op == OP_FAIL || in->op == OP_SLEEP || in->op == OP_END ||
                     (in->op == OP_LOG && !c->specs[in->b].per_row) ||
                     (in->op == OP_WRITE_CSV && r->plan->sinks[c->specs[in->b].sink].by_key);
        if (stops)
            break;
    }
    /* Back to the end of a statement: registers do not outlive a part. */
    while (i > first && c->instrs[i - 1].op != OP_FILTER && c->instrs[i - 1].op != OP_PROJECT &&
           c->instrs[i - 1].op != OP_DEFINE && c->instrs[i - 1].op != OP_EXPLODE &&
           c->instrs[i - 1].op != OP_JOIN && c->instrs[i - 1].op != OP_LOG &&
           c->instrs[i - 1].op != OP_ASSERT && c->instrs[i - 1].op != OP_WRITE_CSV)
        i--;
    /* row() and uuid() count in the table that was read: what filters first loses count. A group makes a
     * table of its own. */
    for (uint32_t k = i; k < c->n_instrs && c->instrs[k].op != OP_GROUP; k++)
        if (c->instrs[k].op == OP_CALL &&
            builtin_get(c->specs[c->instrs[k].c].fn)->kind == BUILTIN_KIND_ROW)
            return first;
    return i;
}

/* ---- tables that stay spilled from one step to the next ---- */

Batch *table_stand_in(Run *r, const Step *s, Spilled *p)
{
    Batch *b = spilled_like(p);
    if (!b) {
        b = batch_new(0, s->out->n_cols);
        for (uint32_t i = 0; i < s->out->n_cols; i++) {
            b->types[i] = s->out->cols[i].type;
            b->slots[i].values = column_new(b->types[i], false, 0);
        }
    }
    r->tables[s->id] = p;
    return b;
}

/* What the streamed statements leave: thrown away, spilled again, or kept in memory. */
typedef struct Rest {
    bool is_dropped;
    Spilled *spilled; /* NULL: kept, in `held` */
    State held;
    uint64_t n_rows;
} Rest;

static Status rest_take(Run *r, const Task *t, Rest *rest, Batch *part, Error *err)
{
    Status st = OK;
    rest->n_rows += part->n_rows;
    if (rest->spilled) {
        uint64_t begin = work_begin(r);
        st = spilled_append(r, rest->spilled, part, err);
        work_end(r, t, WORK_SPILL, begin, part->n_rows, 0);
    } else if (!rest->is_dropped) {
        Batch *own = batch_compact(part);
        state_count(r, &rest->held, rest->held.n_bytes + batch_held_bytes(own));
        keep_part(&rest->held, own);
    }
    batch_unref(part);
    return st;
}

static Status stream_through(Run *r, const VmHost *outside, VmInstance *inst, Stream *in, uint32_t first,
                             uint32_t end, Rest *rest, Error *err)
{
    const Host *h = outside->ctx;
    const Code *c = r->codes[h->step->id];
    for (;;) {
        Batch *b = NULL, *part = NULL;
        Status st = task_check(h->task, err);
        uint64_t begin = work_begin(r);
        if (st == OK)
            st = stream_next(in, &b, err);
        if (st != OK || !b)
            return st;
        work_end(r, h->task, WORK_UNSPILL, begin, b->n_rows, 0);
        st = vm_run_part(r->vms[h->task->worker], c, first, end, outside, inst, b, &part, err);
        inst->row_base += b->n_rows;
        batch_unref(b);
        if (st == OK)
            st = rest_take(r, h->task, rest, part, err);
        if (st != OK)
            return st;
    }
}

static void rest_drop(Run *r, Rest *rest)
{
    state_count(r, &rest->held, 0);
    drop_parts(&rest->held);
    free(rest->held.parts);
    spilled_free(rest->spilled);
}

/* All that was kept, through the statements that are left. */
static Status rest_run(Run *r, const VmHost *outside, VmInstance *inst, uint32_t end, Rest *rest,
                       Batch **out, Error *err)
{
    const Host *h = outside->ctx;
    const Code *c = r->codes[h->step->id];
    Batch **parts = rest->held.parts;
    Batch *all = batch_concat_take(parts, rest->held.n_parts, parts[0]->n_cols, parts[0]->types);
    rest->held.n_parts = 0;
    inst->row_base = 0;
    Status st = vm_run_part(r->vms[h->task->worker], c, end, c->n_instrs, outside, inst, all, out, err);
    batch_unref(all);
    return st;
}

Status run_spilled(Run *r, const VmHost *outside, VmInstance *inst, Spilled **from, uint32_t first,
                   Batch **out, uint64_t *n_dropped, Error *err)
{
    const Host *h = outside->ctx;
    const Step *s = h->step;
    const Code *c = r->codes[s->id];
    uint32_t end = s->on_failure == ON_FAILURE_SKIP ? first : streamed_end(r, c, first);
    bool is_all = c->instrs[end].op == OP_END, streams_out = fold_streams_out(r->plan, s);
    Rest rest = {.is_dropped = is_all && !r->has_readers[s->id]};
    Stream *in = NULL;
    Status st = OK;
    *n_dropped = 0;
    if (s->kind == STEP_COLLECT && is_all && end == first && streams_out) { /* as it is */
        *out = table_stand_in(r, s, *from);
        *n_dropped = (*from)->n_rows;
        *from = NULL;
        return OK;
    }
    if (is_all && streams_out)
        st = spilled_open(r, s, SPILL_AS_PUT, NULL, &rest.spilled, err);
    if (st == OK)
        st = stream_open(r, *from, &in, err);
    if (st == OK)
        st = stream_through(r, outside, inst, in, first, end, &rest, err);
    stream_close(in);
    if (st == OK && rest.is_dropped) {
        *out = batch_new(0, 0);
        *n_dropped = rest.n_rows;
    } else if (st == OK && rest.spilled) {
        *out = table_stand_in(r, s, rest.spilled);
        *n_dropped = rest.n_rows;
        rest.spilled = NULL;
    } else if (st == OK) {
        st = rest_run(r, outside, inst, end, &rest, out, err);
    }
    rest_drop(r, &rest);
    return st;
}
