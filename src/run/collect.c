/* collect.c - many batches that become one table: the parts of a read, the batches of a collect
 * (plan/fold.h says how it is split). */
#include "run/meter.h"
#include "run/run_int.h"
#include "plan/fold.h"
#include "run/partitions.h"

#include <stdlib.h>

#define SMALL_PARTS 256 /* batches of a collect that are joined into one */
#define SMALL_ROWS 4096 /* a batch with fewer is small */
#define CUT_ROWS 1024   /* rows of a `top` or `distinct` that may pile up beyond what it keeps */
#define CUT_PARTS 32    /* parts of it, where there are fewer rows than that */

/* Small parts are joined in time: each has buffers of its own, which would outweigh its rows. */
static void join_small_parts(State *s)
{
    uint32_t first = s->n_parts - SMALL_PARTS;
    Batch **parts = s->parts + first;
    parts[0] = batch_concat_take(parts, SMALL_PARTS, parts[0]->n_cols, parts[0]->types);
    s->n_parts = first + 1;
    s->n_small = 0;
    s->has_joined = true;
}

void keep_part(State *s, Batch *b)
{
    s->n_rows += b->n_rows;
    if (s->n_parts == s->cap_parts) {
        s->cap_parts = s->cap_parts ? 2 * s->cap_parts : 16;
        s->parts = xrealloc(s->parts, s->cap_parts * sizeof *s->parts);
    }
    s->parts[s->n_parts++] = b;
    s->n_small = b->n_rows < SMALL_ROWS ? s->n_small + 1 : 0;
    if (s->n_small == SMALL_PARTS)
        join_small_parts(s);
}

void drop_parts(State *s)
{
    for (uint32_t i = 0; i < s->n_parts; i++)
        batch_unref(s->parts[i]);
    s->n_parts = s->n_small = 0;
    s->n_rows = 0;
    s->has_joined = false;
}

Batch *join_parts(State *s, const Schema *schema)
{
    Type *types = xcalloc(schema->n_cols, sizeof *types);
    for (uint32_t i = 0; i < schema->n_cols; i++)
        types[i] = schema->cols[i].type;
    Batch *all;
    if (s->n_parts == 1)
        all = batch_ref(s->parts[0]);
    else {
        all = batch_concat_take(s->parts, s->n_parts, schema->n_cols, types);
        s->n_parts = 0;
    }
    drop_parts(s);
    free(types);
    return all;
}

/* ---- the part of a collect: one batch ---- */

void part_free(Run *r, Part *p)
{
    if (!p)
        return;
    budget_give(&r->budget, p->n_bytes);
    batch_unref(p->rows);
    groups_close(p->groups);
    for (uint32_t i = 0; p->written && i < r->plan->n_sinks; i++)
        buf_deinit(&p->written[i]);
    free(p->written);
    free(p->err);
    free(p);
}

/* Runs the head, and what is folded as far as one batch goes. */
static Status part_run(Run *r, Task *t, const Step *s, Part *part, Error *err)
{
    const Code *code = r->codes[s->id];
    Host host = {.run = r, .task = t, .step = s, .state = state_of(t->inst)};
    const VmHost outside = vm_host(&host);
    /* Statements that could tell are not in the head: key() and log are the collect's, and so is row()
     * unless the rows' numbers are known. */
    Batch **tables = instance_tables(r, t->inst);
    VmInstance inst = {.seed = r->options.seed, .step = s->part_of->name, .key = {"", 0},
                       .tables = tables, .counts = meters_of_code(r, t),
                       .counts_cycles = meters_count_cycles(r)};
    Vm *vm = r->vms[t->worker];
    const Batch *in = NULL;
    Status st = input_batch(r, t, s, &in, err);
    if (st != OK) {
        free(tables);
        return st;
    }
    if (s->part_of->reads_in_parts) {
        const GenBatch *g = instance_input(t->inst, 0);
        inst.row_base = g->raw->first_row;
    }
    part->n_rows_in = t->n_rows_in = in->n_rows;
    if (s->part_of->hold == HOLD_GROUPS) {
        st = vm_run_groups(vm, code, &outside, &inst, in, &part->groups, err);
        if (st == OK)
            part->n_rows_out = groups_count(part->groups);
    } else {
        Batch *out = NULL;
        st = vm_run(vm, code, &outside, &inst, in, &out, err);
        if (st == OK) {
            part->n_rows_out = out->n_rows;
            if (s->part_of->hold != HOLD_NOTHING)
                part->rows = batch_compact(out);
            batch_unref(out);
        }
    }
    free(tables);
    part->written = host.state->pending;
    host.state->pending = NULL;
    pending_count(r, host.state); /* part_count goes on with them */
    if (st == OK)
        st = outputs_end_own(r->outputs, &host.state->own, true, err);
    return st;
}

static void part_count(Run *r, Part *p)
{
    if (!budget_counts(&r->budget))
        return;
    p->n_bytes = (p->rows ? batch_held_bytes(p->rows) : 0) + (p->groups ? groups_bytes(p->groups) : 0);
    for (uint32_t i = 0; p->written && i < r->plan->n_sinks; i++)
        p->n_bytes += p->written[i].cap;
    budget_take(&r->budget, p->n_bytes);
}

TaskResult task_part(Run *r, Task *t, const Step *s)
{
    Part *part = xcalloc(1, sizeof *part);
    Error err = {0};
    Status st = part_run(r, t, s, part, &err);
    if (st == ERR_CANCELLED || st == ERR_TIMEOUT) {
        part_free(r, part);
        t->err = err;
        t->err.status = st;
        return TASK_FAILED;
    }
    if (st != OK) {
        part->err = xmalloc(sizeof *part->err);
        *part->err = err;
        part->err->status = st;
    }
    t->n_rows_out = part->n_rows_out;
    part_count(r, part);
    instance_set_out(t->inst, part);
    return TASK_DONE;
}

/* ---- folding, in key order ---- */

uint32_t folded_end(const Code *c)
{
    uint32_t i = 0;
    while (i < c->n_instrs && c->instrs[i].op != OP_TOP && c->instrs[i].op != OP_DISTINCT &&
           c->instrs[i].op != OP_SORT)
        i++;
    return i + 1;
}

/* Of the rows held only those stay that the operation leaves of them. */
static Status cut(Run *r, Task *t, const Step *s, State *state)
{
    const VmInstance inst = {.seed = r->options.seed, .step = s->name, .key = {"", 0}};
    const Code *code = r->codes[s->id];
    Batch *all = join_parts(state, s->in), *left = NULL;
    Status st = vm_run_part(r->vms[t->worker], code, 0, folded_end(code), NULL, &inst, all, &left,
                            &t->err);
    batch_unref(all);
    if (st != OK)
        return st;
    state->n_rows = 0;
    state->next_cut = 2ull * left->n_rows + CUT_ROWS;
    Batch *kept = batch_compact(left);
    batch_unref(left);
    keep_part(state, kept);
    state_count(r, state, budget_counts(&r->budget) ? batch_held_bytes(kept) : 0);
    return OK;
}

/* Many parts of a few rows each would outweigh them. */
static bool wants_cut(const State *state)
{
    if (state->n_rows < CUT_ROWS)
        return state->n_parts >= CUT_PARTS;
    return state->n_rows >= state->next_cut;
}

static Status append_written(Run *r, Part *part, Error *err)
{
    Status st = OK;
    for (uint32_t i = 0; part->written && i < r->plan->n_sinks && st == OK; i++)
        if (part->written[i].len)
            st = outputs_append(r->outputs, i, &part->written[i], err);
    return st;
}

static void hold_rows(Run *r, State *state, Part *part)
{
    if (part->rows && part->rows->n_rows) {
        state_count(r, state, state->n_bytes + (budget_counts(&r->budget) ? batch_held_bytes(part->rows) : 0));
        keep_part(state, part->rows);
    } else {
        batch_unref(part->rows);
    }
    part->rows = NULL;
}

/* ---- spilling ---- */

static bool is_over_share(const Run *r, const Step *s, const State *state)
{
    return budget_counts(&r->budget) && state->n_bytes > r->budget.share_bytes && r->may_spill[s->id];
}

/* The rows held, sorted again, as the only part. */
static Status sort_joined(Run *r, Task *t, const Step *s, State *state)
{
    const VmInstance inst = {.seed = r->options.seed, .step = s->name, .key = {"", 0}};
    const Code *code = r->codes[s->id];
    Batch *all = join_parts(state, s->in), *sorted = NULL;
    Status st = vm_run_part(r->vms[t->worker], code, 0, folded_end(code), NULL, &inst, all, &sorted,
                            &t->err);
    batch_unref(all);
    if (st == OK)
        keep_part(state, sorted);
    return st;
}

/* HOLD_SORTED, HOLD_ROWS: what is held goes to the file, in order. */
static Status spill_rows(Run *r, Task *t, const Step *s, State *state)
{
    bool is_sorted = s->hold == HOLD_SORTED;
    Status st = OK;
    if (!state->spilled)
        st = spilled_open(r, s, is_sorted ? SPILL_SORTED : SPILL_AS_PUT, r->codes[s->id], &state->spilled,
                          &t->err);
    if (st == OK && is_sorted && state->has_joined)
        st = sort_joined(r, t, s, state);
    if (st == OK)
        st = spilled_put(r, t, state->spilled, state->parts, state->n_parts, &t->err);
    if (st == OK) {
        drop_parts(state);
        state_count(r, state, 0);
    }
    return st;
}

/* HOLD_GROUPS: what is known goes to the file; from then on so does every batch's. */
static Status spill_groups(Run *r, Task *t, const Step *s, State *state)
{
    Status st = OK;
    if (!state->partitions)
        st = partitions_open(r, s, &state->partitions, &t->err);
    if (st == OK)
        st = partitions_put_groups(r, state->partitions, state->groups, &t->err);
    groups_close(state->groups);
    state->groups = NULL;
    state_count(r, state, 0);
    return st;
}

/* HOLD_DISTINCT: the rows held go to the file. */
static Status spill_distinct(Run *r, Task *t, const Step *s, State *state)
{
    Status st = OK;
    if (!state->partitions)
        st = partitions_open(r, s, &state->partitions, &t->err);
    for (uint32_t i = 0; st == OK && i < state->n_parts; i++)
        st = partitions_put_rows(r, t, state->partitions, r->codes[s->id], state->parts[i], &t->err);
    if (st == OK) {
        drop_parts(state);
        state->next_cut = 0;
        state_count(r, state, 0);
    }
    return st;
}

/* The GROUP of the part's code. */
static const Spec *group_spec(const Run *r, const Step *s)
{
    const Code *part = r->codes[s->inputs[0]];
    uint32_t i = 0;
    while (part->specs[i].kind != SPEC_GROUP)
        i++;
    return &part->specs[i];
}

/* All partitions become one table. */
static Status partitions_done(Run *r, Task *t, const Step *s, State *state)
{
    Status st = OK;
    if (state->groups)
        st = spill_groups(r, t, s, state);
    else if (state->n_parts)
        st = spill_distinct(r, t, s, state);
    if (st == OK && s->hold == HOLD_GROUPS)
        st = partitions_finish_groups(r, t, state->partitions, group_spec(r, s), &state->spilled, &t->err);
    else if (st == OK)
        st = partitions_finish_rows(r, t, state->partitions, r->codes[s->id], &state->spilled, &t->err);
    partitions_free(r, state->partitions);
    state->partitions = NULL;
    return st;
}

Status collect_spilled(Run *r, Task *t, const Step *s, State *state, bool *is_spilled)
{
    Status st = OK;
    if (state->partitions && (st = partitions_done(r, t, s, state)) != OK)
        return st;
    *is_spilled = state->spilled != NULL;
    if (!*is_spilled)
        return OK;
    if (state->n_parts)
        st = spill_rows(r, t, s, state);
    if (st == OK)
        st = spilled_finish(r, t, state->spilled, &t->err);
    return st;
}

static void hold_groups(Run *r, State *state, Part *part)
{
    if (state->groups) {
        groups_merge(state->groups, part->groups);
    } else {
        state->groups = part->groups;
        part->groups = NULL;
    }
    if (budget_counts(&r->budget))
        state_count(r, state, groups_bytes(state->groups));
}

static FoldResult fold_failed(Task *t, Status st)
{
    t->err.status = st;
    return FOLD_FAILED;
}

FoldResult task_fold(void *ctx, Task *t, uint32_t input, const Instance *child)
{
    Run *r = ctx;
    const Step *s = r->plan->steps[instance_step(t->inst)];
    if (!r->plan->steps[s->inputs[input]]->part_of)
        return FOLD_MORE; /* a source behind a flow: it wants nothing of it */
    Part *part = instance_out(child);
    State *state = state_of(t->inst);
    Status st;
    bool is_full = s->hold == HOLD_FIRST && state->n_rows >= s->hold_limit;
    if (is_full && r->stops[s->id])
        return FOLD_ENOUGH; /* nor does it matter how later batches fared */
    if (part->err) {
        for (uint32_t i = 0; i < r->plan->n_sinks; i++)
            if (r->plan->sinks[i].step == s->inputs[input])
                outputs_drop(r->outputs, i);
        t->err = *part->err;
        return FOLD_FAILED;
    }
    if (append_written(r, part, &t->err) != OK)
        return FOLD_FAILED;
    state->n_rows_in += part->n_rows_in;
    switch (s->hold) {
    case HOLD_NONE:
    case HOLD_NOTHING: state->n_rows_out += part->n_rows_out; break;
    case HOLD_FIRST:
        if (!is_full)
            hold_rows(r, state, part);
        return state->n_rows >= s->hold_limit && r->stops[s->id] ? FOLD_ENOUGH : FOLD_MORE;
    case HOLD_GROUPS:
        hold_groups(r, state, part);
        if ((state->partitions || is_over_share(r, s, state)) &&
            (st = spill_groups(r, t, s, state)) != OK)
            return fold_failed(t, st);
        break;
    case HOLD_TOP:
    case HOLD_DISTINCT:
        hold_rows(r, state, part);
        if (wants_cut(state) && cut(r, t, s, state) != OK)
            return FOLD_FAILED;
        if (is_over_share(r, s, state) && (st = spill_distinct(r, t, s, state)) != OK)
            return fold_failed(t, st);
        break;
    case HOLD_SORTED:
    case HOLD_ROWS:
        hold_rows(r, state, part);
        if (is_over_share(r, s, state) && (st = spill_rows(r, t, s, state)) != OK)
            return fold_failed(t, st);
        break;
    }
    return FOLD_MORE;
}

Status collect_table(Run *r, const Step *s, State *state, Batch **out, Error *err)
{
    bool is_kept = s->retry.n_more > 0; /* another attempt wants it again */
    if (s->hold != HOLD_GROUPS) {
        *out = join_parts(state, s->in);
        if (is_kept)
            keep_part(state, batch_ref(*out));
        return OK;
    }
    if (!state->groups)
        state->groups = groups_open(group_spec(r, s)); /* of no batches */
    Status st = groups_finish(state->groups, out, err);
    if (!is_kept) {
        groups_close(state->groups);
        state->groups = NULL;
    }
    return st;
}
