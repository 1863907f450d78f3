/* collect.c - many batches that become one table: the parts of a read, the batches of a collect
 * (plan/fold.h says how it is split). */
#include "data/interleave.h"
#include "run/meter.h"
#include "run/run_int.h"
#include "plan/fold.h"
#include "run/partitions.h"

#include <stdlib.h>

#define SMALL_PARTS 256 /* batches of a collect that are joined into one */
#define SMALL_ROWS 4096 /* a batch with fewer is small */
#define CUT_ROWS 1024   /* rows of a `top` that may pile up beyond what it keeps */
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

uint64_t rows_held(const State *s)
{
    return s->n_rows + (s->spilled ? s->spilled->n_rows : 0);
}

Batch *join_parts(State *s, const Schema *schema)
{
    Type *types = xcalloc(schema->n_cols, sizeof *types);
    for (uint32_t i = 0; i < schema->n_cols; i++)
        types[i] = schema->cols[i].type;
    Batch *all;
    /* What of a row of stdin is known must not depend on whether it came in one part. */
    bool is_of_stdin = s->n_parts == 1 && s->told.keeps_lines && s->parts[0]->raw &&
                       str_is(s->parts[0]->raw->input->file, "stdin");
    if (s->n_parts == 1 && !is_of_stdin)
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

void part_free(Run *r, uint32_t step, Part *p)
{
    if (!p)
        return;
    budget_give(&r->budget, p->step, p->n_bytes);
    pending_change(r, step, &p->n_pending_bytes, 0);
    batch_unref(p->rows);
    groups_close(p->groups);
    for (uint32_t i = 0; p->written && i < r->plan->n_sinks; i++)
        buf_deinit(&p->written[i]);
    free(p->written);
    free(p->err);
    free(p);
}

/* Is what it knows of batches merged by their keys? */
static bool merges(const Step *collect)
{
    return collect->hold == HOLD_GROUPS || collect->hold == HOLD_DISTINCT;
}

/* The GROUP or DISTINCT of the part's code. */
static const Spec *keys_spec(const Run *r, const Step *collect)
{
    const Code *part = r->codes[collect->inputs[0]];
    uint32_t i = part->n_instrs;
    while (part->instrs[i - 1].op != OP_GROUP && part->instrs[i - 1].op != OP_DISTINCT)
        i--;
    return &part->specs[part->instrs[i - 1].a];
}

/* With a budget, whoever folds does so alone, as it looks at what is held. */
static uint32_t n_parts_of(const Run *r, const Step *collect)
{
    return merged_n_parts(keys_spec(r, collect), collect->scope != 0 || budget_counts(&r->budget));
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
                       .bad_rows = s->bad_rows, .rejects = &host.state->told, .tables = tables,
                       .counts = meters_of_code(r, t),
                       .counts_cycles = meters_count_cycles(r)};
    Vm *vm = r->vms[t->worker];
    const Batch *in = NULL;
    rejects_of(s, &host.state->told);
    Status st = input_batch(r, t, s, &in, err);
    if (st != OK) {
        free(tables);
        return st;
    }
    if (s->part_of->reads_in_parts) {
        const GenBatch *g = instance_input(t->inst, 0);
        inst.row_base = g->first_row;
    }
    part->n_rows_in = t->n_rows_in = in->n_rows;
    if (merges(s->part_of)) {
        st = vm_run_groups(vm, code, &outside, &inst, in, &part->groups, err);
        if (st == OK) {
            groups_order(part->groups, n_parts_of(r, s->part_of));
            part->n_rows_out = groups_count(part->groups);
        }
    } else {
        Batch *out = NULL;
        st = vm_run(vm, code, &outside, &inst, in, &out, err);
        if (st == OK) {
            part->n_rows_out = out->n_rows;
            if (s->part_of->hold == HOLD_SORTED && batch_is_handy(out))
                part->rows = batch_in_order(out);
            else if (s->part_of->hold != HOLD_NOTHING)
                part->rows = batch_compact(out);
            batch_unref(out);
        }
    }
    free(tables);
    part->written = host.state->pending;
    pending_change(r, s->id, &part->n_pending_bytes, host.state->n_pending_bytes);
    host.state->pending = NULL;
    pending_count(r, host.state); /* part_count goes on with them */
    if (st == OK)
        st = tell(r, t, s, REJECTED_ROWS, instance_frame(t->inst), -1, &host.state->told, err);
    if (st == OK)
        st = outputs_end_own(r->outputs, &host.state->own, true, err);
    return st;
}

/* Again and again: of what it has now. */
static void part_count(Run *r, const Step *s, Part *p)
{
    if (!budget_counts(&r->budget))
        return;
    uint64_t n_bytes = (p->rows ? batch_held_bytes(p->rows) : 0) + (p->groups ? groups_bytes(p->groups) : 0);
    for (uint32_t i = 0; p->written && i < r->plan->n_sinks; i++)
        n_bytes += p->written[i].cap;
    p->step = s->part_of->id;
    budget_change(&r->budget, p->step, p->n_bytes, n_bytes);
    p->n_bytes = n_bytes;
    uint64_t most = atomic_load_explicit(&r->part_bytes[s->id], memory_order_relaxed);
    while (n_bytes > most && !atomic_compare_exchange_weak_explicit(&r->part_bytes[s->id], &most, n_bytes,
                                                                    memory_order_relaxed, memory_order_relaxed))
        ;
}

/* Before the first of them is made: one for each aggregate and one for the rows is about what groups of their own take. */
uint64_t parts_expected(const Run *r, const Step *gen, uint64_t batch_bytes)
{
    uint64_t n_bytes = 0;
    for (uint32_t i = 0; i < r->plan->n_steps; i++) {
        const Step *s = r->plan->steps[i];
        if (!s->part_of || s->scope != gen->yields)
            continue;
        uint64_t most = atomic_load_explicit(&r->part_bytes[i], memory_order_relaxed);
        uint32_t n_aggs = s->part_of->hold == HOLD_GROUPS ? s->part_of->pops.ptr[0]->n_aggs : 0;
        n_bytes += most ? most : (n_aggs + 1ull) * batch_bytes;
    }
    return n_bytes;
}

/* At which part a worker begins to merge. */
static uint32_t merge_begin(const Run *r, const Task *t, const Step *collect)
{
    return t->worker * n_parts_of(r, collect) / r->info->n_workers;
}

/* Merges batches of the collect that another worker folds meanwhile. */
static void help_merge(Run *r, const Task *t, const Step *collect)
{
    if (budget_counts(&r->budget))
        return;
    pthread_mutex_lock(&r->mu);
    Merged *m = r->merging[collect->id] ? merged_ref(r->merging[collect->id]) : NULL;
    pthread_mutex_unlock(&r->mu);
    if (!m)
        return;
    uint64_t begin = work_begin(r);
    if (merged_work(m, merge_begin(r, t, collect)))
        work_end(r, t, WORK_FOLD, begin, 0, 0);
    merged_unref(m);
}

TaskResult task_part(Run *r, Task *t, const Step *s)
{
    Part *part = xcalloc(1, sizeof *part);
    Error err = {0};
    Status st = part_run(r, t, s, part, &err);
    if (st == ERR_CANCELLED || st == ERR_TIMEOUT) {
        part_free(r, s->id, part);
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
    part_count(r, s, part);
    instance_set_out(t->inst, part);
    if (merges(s->part_of))
        help_merge(r, t, s->part_of);
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
    const VmInstance inst = vm_again(r, s);
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

/* step: that has made the part. */
static Status append_written(Run *r, uint32_t step, Part *part, Error *err)
{
    Status st = OK;
    for (uint32_t i = 0; part->written && i < r->plan->n_sinks && st == OK; i++)
        if (part->written[i].len)
            st = outputs_append(r->outputs, i, &part->written[i], err);
    pending_change(r, step, &part->n_pending_bytes, 0);
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
    const VmInstance inst = vm_again(r, s);
    const Code *code = r->codes[s->id];
    Batch *all = join_parts(state, s->in), *sorted = NULL;
    Status st = vm_run_part(r->vms[t->worker], code, 0, folded_end(code), NULL, &inst, all, &sorted,
                            &t->err);
    batch_unref(all);
    if (st == OK)
        keep_part(state, sorted);
    return st;
}

/* Are the parts sorted, so that they need only be merged? */
static bool merges_sorted(const Step *s, const State *state)
{
    return s->hold == HOLD_SORTED && !state->has_joined && sorted_is_for(state->parts, state->n_parts);
}

/* The sort keys of each part; *is_desc: of each key. What was found is freed by the caller, in any case. */
static Status parts_keys(Run *r, Task *t, const Step *s, const State *state, Column ***keys, uint32_t *n_keys,
                         bool **is_desc)
{
    const VmInstance inst = {.seed = r->options.seed, .step = s->name, .key = {"", 0}};
    Status st = OK;
    for (uint32_t i = 0; i < state->n_parts && st == OK; i++) {
        const Spec *spec;
        st = vm_run_keys(r->vms[t->worker], r->codes[s->id], 0, &inst, state->parts[i], &spec, &keys[i], &t->err);
        if (st != OK || *is_desc)
            continue;
        *n_keys = spec->n_keys;
        *is_desc = xmalloc((spec->n_keys + 1ull) * sizeof **is_desc);
        for (uint32_t k = 0; k < spec->n_keys; k++)
            (*is_desc)[k] = spec->keys[k].is_desc;
    }
    return st;
}

/* Takes the parts. */
static Status sorted_of_parts(Run *r, Task *t, const Step *s, State *state, Sorted **out)
{
    Column ***keys = xcalloc(state->n_parts, sizeof *keys);
    bool *is_desc = NULL;
    uint32_t n_keys = 0;
    Status st = parts_keys(r, t, s, state, keys, &n_keys, &is_desc);
    if (st == OK)
        *out = sorted_open(state->parts, keys, state->n_parts, n_keys, is_desc);
    for (uint32_t i = 0; i < state->n_parts; i++) {
        for (uint32_t k = 0; keys[i] && k < n_keys; k++)
            column_unref(keys[i][k]);
        free(keys[i]);
    }
    free(keys);
    free(is_desc);
    if (st == OK)
        drop_parts(state);
    return st;
}

/* Sorted parts go to the file as one run, piece by piece. */
static Status spill_merging(Run *r, Task *t, const Step *s, State *state)
{
    Sorted *sorted = NULL;
    Status st = sorted_of_parts(r, t, s, state, &sorted);
    if (st != OK)
        return st;
    spilled_begin(state->spilled);
    SortedStream *in = sorted_stream_open(sorted, 0);
    for (Batch *b; st == OK && (b = sorted_stream_next(in));) {
        st = spilled_append(r, state->spilled, b, &t->err);
        batch_unref(b);
    }
    sorted_stream_close(in);
    sorted_free(sorted);
    return st;
}

/* HOLD_FIRST, HOLD_SORTED, HOLD_ROWS: what is held goes to the file, in order. */
static Status spill_rows(Run *r, Task *t, const Step *s, State *state)
{
    bool is_sorted = s->hold == HOLD_SORTED;
    Status st = OK;
    if (!state->spilled)
        st = spilled_open(r, s, is_sorted ? SPILL_SORTED : SPILL_AS_PUT, r->codes[s->id], 0, &state->spilled,
                          &t->err);
    if (st == OK && merges_sorted(s, state)) {
        st = spill_merging(r, t, s, state);
    } else if (st == OK) {
        if (is_sorted && (state->has_joined || state->n_parts > 1))
            st = sort_joined(r, t, s, state);
        if (is_sorted)
            spilled_begin(state->spilled);
        for (uint32_t i = 0; i < state->n_parts && st == OK; i++)
            st = spilled_append(r, state->spilled, state->parts[i], &t->err);
    }
    if (st == OK) {
        drop_parts(state);
        state_count(r, state, 0);
    }
    return st;
}

/* HOLD_GROUPS, HOLD_DISTINCT: what is held goes to the file; from then on so does what is known of every batch. */
static Status spill_merged(Run *r, Task *t, const Step *s, State *state)
{
    Status st = OK;
    if (!state->partitions)
        st = partitions_open(r, s, s->hold == HOLD_GROUPS ? NULL : r->codes[s->id], 0, &state->partitions, &t->err);
    if (st == OK && s->hold == HOLD_GROUPS && state->merged)
        st = partitions_put_merged(r, state->partitions, state->merged, &t->err);
    uint32_t n = 0;
    Batch *const *rows = s->hold == HOLD_DISTINCT && state->merged ? merged_rows(state->merged, &n) : NULL;
    for (uint32_t i = 0; st == OK && i < n; i++)
        if (rows[i])
            st = partitions_put_rows(r, t, state->partitions, rows[i], &t->err);
    merged_drop(r, s, state);
    state_count(r, state, 0);
    return st;
}

/* The groups or rows of one batch. */
static Status spill_part(Run *r, Task *t, const Step *s, State *state, Part *part)
{
    Groups *g = part->groups;
    if (s->hold == HOLD_GROUPS) {
        groups_own(g);
        part_count(r, r->plan->steps[s->inputs[0]], part);
        return partitions_put_groups(r, state->partitions, g, &t->err);
    }
    const uint32_t *rows;
    Batch *table = groups_source(g, &rows);
    Batch *some = rows ? batch_select_rows(table, rows, groups_count(g)) : batch_ref(table);
    Status st = partitions_put_rows(r, t, state->partitions, some, &t->err);
    batch_unref(some);
    return st;
}

/* All partitions become one table. */
static Status partitions_done(Run *r, Task *t, const Step *s, State *state)
{
    Status st = OK;
    if (s->hold == HOLD_GROUPS)
        st = partitions_finish_groups(r, t, state->partitions, keys_spec(r, s), &state->spilled, &t->err);
    else
        st = partitions_finish_rows(r, t, state->partitions, &state->spilled, &t->err);
    partitions_free(r, state->partitions);
    state->partitions = NULL;
    return st;
}

/* The parts become a table that comes in order in pieces. */
static Status merge_sorted(Run *r, Task *t, const Step *s, State *state)
{
    Sorted *sorted = NULL;
    uint64_t n_bytes = state->n_bytes;
    Status st = sorted_of_parts(r, t, s, state, &sorted);
    if (st == OK) {
        state->spilled = spilled_of_sorted(r, s, sorted, n_bytes);
        state->n_bytes = 0; /* they are its own now */
    }
    return st;
}

Status collect_spilled(Run *r, Task *t, const Step *s, State *state, bool *is_spilled)
{
    Status st = OK;
    if (state->partitions && (st = partitions_done(r, t, s, state)) != OK)
        return st;
    bool is_kept = s->retry.n_more > 0; /* another attempt wants them again */
    if (!state->spilled && !is_kept && merges_sorted(s, state) && (st = merge_sorted(r, t, s, state)) != OK)
        return st;
    *is_spilled = state->spilled != NULL;
    if (!*is_spilled)
        return OK;
    if (state->n_parts)
        st = spill_rows(r, t, s, state);
    if (st == OK && !state->spilled->sorted)
        st = spilled_finish(r, t, state->spilled, &t->err);
    return st;
}

static void merged_start(Run *r, const Step *s, State *state)
{
    state->merged = merged_open(keys_spec(r, s), s->hold == HOLD_DISTINCT, n_parts_of(r, s));
    if (s->scope != 0)
        return;
    pthread_mutex_lock(&r->mu);
    r->merging[s->id] = merged_ref(state->merged);
    pthread_mutex_unlock(&r->mu);
}

void merged_drop(Run *r, const Step *s, State *state)
{
    Merged *shared = NULL;
    pthread_mutex_lock(&r->mu);
    if (state->merged && r->merging[s->id] == state->merged) {
        shared = r->merging[s->id];
        r->merging[s->id] = NULL;
    }
    pthread_mutex_unlock(&r->mu);
    merged_unref(shared);
    merged_unref(state->merged);
    state->merged = NULL;
}

/* Would what it knows of the batch, if it is all new, take so much room that it is better never merged? */
static bool is_too_large(const Run *r, const Step *s, const State *state, const Part *part)
{
    if (!budget_counts(&r->budget) || !r->may_spill[s->id] || s->hold != HOLD_GROUPS)
        return false;
    return state->n_bytes + groups_state_bytes(part->groups) > 2 * r->budget.share_bytes;
}

static Status hold_merged(Run *r, Task *t, const Step *s, State *state, Part *part)
{
    Status st = OK;
    if (!state->partitions && is_too_large(r, s, state, part) && (st = spill_merged(r, t, s, state)) != OK)
        return st;
    if (state->partitions)
        return spill_part(r, t, s, state, part);
    if (!state->merged)
        merged_start(r, s, state);
    merged_put(state->merged, part->groups);
    part->groups = NULL;
    merged_work(state->merged, merge_begin(r, t, s));
    if (budget_counts(&r->budget))
        state_count(r, state, merged_bytes(state->merged));
    part_count(r, r->plan->steps[s->inputs[0]], part); /* they were both there for a moment */
    return is_over_share(r, s, state) ? spill_merged(r, t, s, state) : OK;
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
    if (!part)
        return FOLD_MORE; /* nobody wants it: checkpoint.h */
    State *state = state_of(t->inst);
    Status st;
    bool is_full = s->hold == HOLD_FIRST && rows_held(state) >= s->hold_limit;
    if (is_full && r->stops[s->id])
        return FOLD_ENOUGH; /* nor does it matter how later batches fared */
    if (part->err) {
        for (uint32_t i = 0; i < r->plan->n_sinks; i++)
            if (r->plan->sinks[i].step == s->inputs[input])
                outputs_drop(r->outputs, i);
        t->err = *part->err;
        return FOLD_FAILED;
    }
    if (append_written(r, s->inputs[input], part, &t->err) != OK)
        return FOLD_FAILED;
    state->n_rows_in += part->n_rows_in;
    switch (s->hold) {
    case HOLD_NONE:
    case HOLD_NOTHING: state->n_rows_out += part->n_rows_out; break;
    case HOLD_FIRST:
        if (!is_full)
            hold_rows(r, state, part);
        if (is_over_share(r, s, state) && (st = spill_rows(r, t, s, state)) != OK)
            return fold_failed(t, st);
        return rows_held(state) >= s->hold_limit && r->stops[s->id] ? FOLD_ENOUGH : FOLD_MORE;
    case HOLD_GROUPS:
    case HOLD_DISTINCT:
        if ((st = hold_merged(r, t, s, state, part)) != OK)
            return fold_failed(t, st);
        break;
    case HOLD_TOP:
        hold_rows(r, state, part);
        if (wants_cut(state) && cut(r, t, s, state) != OK)
            return FOLD_FAILED;
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

/* The rows that differ become the parts of the table. */
static void take_distinct(Run *r, const Step *s, State *state)
{
    uint32_t n;
    Batch *const *rows = merged_rows(state->merged, &n);
    for (uint32_t i = 0; i < n; i++)
        if (rows[i])
            keep_part(state, batch_ref(rows[i]));
    merged_drop(r, s, state);
}

Status collect_table(Run *r, const Step *s, State *state, Batch **out, Error *err)
{
    bool is_kept = s->retry.n_more > 0; /* another attempt wants it again */
    if (state->merged)
        merged_finish_work(state->merged);
    if (s->hold == HOLD_DISTINCT && state->merged)
        take_distinct(r, s, state);
    if (s->hold != HOLD_GROUPS) {
        *out = join_parts(state, s->in);
        if (is_kept)
            keep_part(state, batch_ref(*out));
        return OK;
    }
    if (!state->merged)
        merged_start(r, s, state); /* of no batches */
    const GroupsPolicy policy = {.bad_rows = s->bad_rows, .rejects = &state->told};
    rejects_next_group(&state->told);
    Status st = merged_groups(state->merged, &policy, out, err);
    if (!is_kept)
        merged_drop(r, s, state);
    return st;
}
