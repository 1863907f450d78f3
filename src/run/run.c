/* run.c - opens a run, starts the pool, ends it. */
#include "run/run.h"

#include <stdlib.h>

#include "code/emit.h"
#include "code/verify.h"
#include "plan/fold.h"
#include "plan/keep.h"
#include "run/checkpoint.h"
#include "run/meter.h"
#include "run/run_int.h"
#include "run/partitions.h"
#include "run/spec.h"
#include "run/spilled.h"

/* So much of a fan-out may wait for its turn for each worker, or as much as its largest batch has written. */
#define PENDING_BYTES (1u << 20)

State *state_of(Instance *inst)
{
    State *s = instance_state(inst);
    if (!s) {
        s = xcalloc(1, sizeof *s);
        s->step = instance_step(inst);
        instance_set_state(inst, s);
    }
    return s;
}

void state_count(Run *r, State *s, uint64_t n_bytes)
{
    budget_change(&r->budget, s->step, s->n_bytes, n_bytes);
    s->n_bytes = n_bytes;
}

/* That of the fan-out which the step is in. */
static Pending *pending_of(const Run *r, uint32_t step)
{
    uint32_t scope = r->plan->steps[step]->scope;
    while (r->plan->scopes[scope].parent != 0)
        scope = r->plan->scopes[scope].parent;
    return &r->pending[scope];
}

void pending_change(Run *r, uint32_t step, uint64_t *counted, uint64_t n_bytes)
{
    if (n_bytes == *counted)
        return;
    Pending *p = pending_of(r, step);
    /* A difference below zero goes round: the sum is right again. */
    atomic_fetch_add_explicit(&p->bytes, n_bytes - *counted, memory_order_relaxed);
    uint64_t most = atomic_load_explicit(&p->most_bytes, memory_order_relaxed);
    while (n_bytes > most && !atomic_compare_exchange_weak_explicit(&p->most_bytes, &most, n_bytes,
                                                                    memory_order_relaxed, memory_order_relaxed))
        ;
    *counted = n_bytes;
}

static void pending_set(Run *r, State *s, uint64_t n_bytes)
{
    if (budget_counts(&r->budget))
        budget_change(&r->budget, s->step, s->n_pending_bytes, n_bytes);
    pending_change(r, s->step, &s->n_pending_bytes, n_bytes);
}

void pending_count(Run *r, State *s)
{
    uint64_t n_bytes = 0;
    for (uint32_t i = 0; s->pending && i < r->plan->n_sinks; i++)
        n_bytes += s->pending[i].cap;
    pending_set(r, s, n_bytes);
}

static void release_state(void *ctx, uint32_t step, void *state)
{
    Run *r = ctx;
    State *s = state;
    budget_give(&r->budget, step, s->n_bytes);
    pending_set(r, s, 0);
    source_close(s);
    drop_parts(s);
    for (uint32_t i = 0; i < s->n_paths; i++)
        free(s->paths[i]);
    free(s->paths);
    parts_free(s->split);
    files_free(s->files);
    free(s->parts);
    merged_drop(r, r->plan->steps[step], s);
    spilled_free(s->spilled);
    partitions_free(r, s->partitions);
    for (uint32_t i = 0; s->pending && i < r->plan->n_sinks; i++)
        buf_deinit(&s->pending[i]);
    rejects_deinit(&s->read_told);
    rejects_deinit(&s->told);
    if (s->own && r->outputs) /* else outputs_close saw to them */
        outputs_end_own(r->outputs, &s->own, false, NULL);
    free(s->pending);
    free(s);
}

static void release_user(void *ctx, void *user)
{
    (void)ctx;
    free(user);
}

static void release_out(void *ctx, uint32_t step, void *out)
{
    Run *r = ctx;
    const Step *s = r->plan->steps[step];
    if (s->is_generator) {
        gen_batch_free(r, step, out);
    } else if (s->part_of) {
        part_free(r, step, out);
    } else {
        if (budget_counts(&r->budget))
            budget_give(&r->budget, step, batch_own_bytes(out) + batch_extra_uncount(out));
        batch_unref(out);
        if (r->tables[step]) { /* of a step that runs once: others would get in each other's way */
            spilled_free(r->tables[step]);
            r->tables[step] = NULL;
        }
    }
}

Status append_pending(Run *r, State *s, Error *err)
{
    Status st = OK;
    for (uint32_t i = 0; st == OK && s && s->pending && i < r->plan->n_sinks; i++)
        if (s->pending[i].len)
            st = outputs_append(r->outputs, i, &s->pending[i], err);
    if (s)
        pending_count(r, s);
    return st;
}

FoldResult task_commit(void *ctx, Task *t)
{
    return append_pending(ctx, instance_state(t->inst), &t->err) == OK ? FOLD_MORE : FOLD_FAILED;
}

/* Where rows that policies let pass are told of, if any step has one. */
static Status rejected_start(Run *r, Error *err)
{
    bool has_policy = false;
    for (uint32_t i = 0; i < r->plan->n_steps; i++)
        has_policy |= r->plan->steps[i]->bad_rows != BAD_ROWS_FAIL;
    if (!has_policy)
        return OK;
    char *folder = spill_folder(r);
    Status st = rejected_open(r->plan, folder, &r->rejected, err);
    free(folder);
    return st;
}

Status run_open(const Plan *plan, const Sources *sources, Catalog *catalog,
                const RunOptions *options, Run **out, Error *err)
{
    Run *r = xcalloc(1, sizeof *r);
    Status st = OK;
    r->arena = arena_open();
    r->plan = plan;
    r->options = *options;
    r->catalog = catalog;
    uint32_t n_spilling = 0;
    for (uint32_t i = 0; i < plan->n_steps; i++)
        n_spilling += fold_may_spill(plan, plan->steps[i]);
    budget_init(&r->budget, plan->memory_bytes, n_spilling, plan->n_steps);
    budget_note_batch(&r->budget, CSV_BATCH_AUTO); /* ranges of a file that is read by one instance are batches, too */
    pthread_mutex_init(&r->mu, NULL);
    uint32_t n_workers = plan_workers(plan, options->n_workers);
    r->spec = plan_graph(r->arena, plan);
    r->bounds = bounds_new(r->spec, n_workers);
    r->info = plan_run_info(r->arena, plan, r->spec, r->bounds);
    r->codes = arena_array(r->arena, Code *, plan->n_steps);
    r->path_codes = arena_array(r->arena, Code *, plan->n_steps);
    r->has_readers = arena_array(r->arena, bool, plan->n_steps);
    r->tables = arena_array(r->arena, struct Spilled *, plan->n_steps);
    r->pending = xcalloc(plan->n_scopes + 1ull, sizeof *r->pending);
    r->part_bytes = xcalloc(plan->n_steps + 1ull, sizeof *r->part_bytes);
    r->spilled_bytes = arena_array(r->arena, uint64_t, plan->n_steps);
    r->spilled_rows = arena_array(r->arena, uint64_t, plan->n_steps);
    r->may_spill = arena_array(r->arena, bool, plan->n_steps);
    r->merging = arena_array(r->arena, Merged *, plan->n_steps);
    r->stops = arena_array(r->arena, bool, plan->n_steps);
    for (uint32_t i = 0; i < plan->n_steps && st == OK; i++) {
        const Step *s = plan->steps[i];
        for (uint32_t k = 0; k < s->n_inputs; k++)
            r->has_readers[s->inputs[k]] = true;
        r->may_spill[i] = fold_may_spill(plan, s);
        r->stops[i] = s->kind == STEP_COLLECT && fold_stops_generator(plan, s);
        st = emit_step(r->arena, sources, s, &r->codes[i], err);
        if (st == OK && !s->is_generator)
            st = code_verify(r->codes[i], err);
        if (st == OK && s->pops.n && s->pops.ptr[0]->kind == POP_READ_CSV && s->pops.ptr[0]->expr) {
            st = emit_path(r->arena, sources, s, &r->path_codes[i], err);
            if (st == OK)
                st = code_verify(r->path_codes[i], err);
        }
    }
    r->reject_codes = arena_array(r->arena, Code *, plan->n_rejects + 1);
    for (uint32_t i = 0; i < plan->n_rejects && st == OK; i++) {
        if (!plan->rejects[i].by_key)
            continue;
        st = emit_constant(r->arena, sources, plan->rejects[i].path, &r->reject_codes[i], err);
        if (st == OK)
            st = code_verify(r->reject_codes[i], err);
    }
    if (st == OK)
        st = tell_open(r, err);
    if (st == OK && plan->keeps && options->store)
        st = checkpoint_open(r, err);
    if (st == OK)
        st = outputs_open(plan, &r->outputs, err);
    if (st == OK)
        st = rejected_start(r, err);
    if (st != OK) {
        run_close(r);
        return st;
    }
    r->vms = xcalloc(n_workers, sizeof *r->vms);
    for (uint32_t i = 0; i < n_workers; i++)
        r->vms[i] = vm_open();
    if (options->keeps_trace)
        r->trace = trace_new(n_workers);
    if (options->keeps_profile)
        r->meters = meters_new(plan, r->codes, n_workers);
    *out = r;
    return OK;
}

static bool is_full(void *ctx)
{
    const Run *r = ctx;
    return budget_is_full(&r->budget);
}

/* Does so much wait for its turn that no batch is to be begun? One that takes long, or whose worker the system has given to
 * another process for a while, holds up what those behind it have written, which is often as much as they have read. */
static bool much_is_pending(void *ctx, uint32_t scope)
{
    const Run *r = ctx;
    const Pending *p = &r->pending[scope];
    uint64_t most = atomic_load_explicit(&p->most_bytes, memory_order_relaxed);
    uint64_t each = most > PENDING_BYTES ? most : PENDING_BYTES;
    return atomic_load_explicit(&p->bytes, memory_order_relaxed) >= each * r->info->n_workers;
}

static MemoryUse memory_use(const Run *r)
{
    MemoryUse m = {.budget_bytes = r->budget.limit_bytes,
                   .peak_bytes = atomic_load(&r->budget.peak_bytes), .steps = r->spilled_bytes,
                   .step_rows = r->spilled_rows};
    if (budget_was_passed(&r->budget)) {
        m.held_by = atomic_load(&r->budget.peak_step);
        m.held_bytes = atomic_load(&r->budget.peak_step_bytes);
    }
    for (uint32_t i = 0; i < r->plan->n_steps; i++)
        m.spilled_bytes += r->spilled_bytes[i];
    return m;
}

/* A file that one instance writes is not made if that did not come to its end. */
static Status close_outputs(Run *r, bool commit, const PoolSummary *summary, Error *err)
{
    const Plan *plan = r->plan;
    pthread_mutex_lock(&r->mu);
    Outputs *outputs = r->outputs;
    r->outputs = NULL;
    pthread_mutex_unlock(&r->mu);
    for (uint32_t i = 0; i < plan->n_sinks; i++) {
        uint32_t step = plan->sinks[i].step;
        if (plan->steps[step]->scope == 0 && summary->steps[step].n_done == 0)
            outputs_drop(outputs, i);
    }
    return outputs_close(outputs, commit, err);
}

/* Counts of each step; NULL: none has a policy. Lives as long as the run. */
static const BadRowCount *bad_rows_of(Run *r)
{
    if (!r->rejected)
        return NULL;
    rejected_settle(r->rejected);
    BadRowCount *all = arena_array(r->arena, BadRowCount, r->plan->n_steps);
    for (uint32_t i = 0; i < r->plan->n_steps; i++)
        all[i] = rejected_count(r->rejected, i);
    return all;
}

static Status close_rejected(Run *r, bool commit, Error *err)
{
    pthread_mutex_lock(&r->mu);
    Rejected *rejected = r->rejected;
    r->rejected = NULL;
    pthread_mutex_unlock(&r->mu);
    return rejected ? rejected_close(rejected, commit, err) : OK;
}

void run_go(Run *r, RunResult *out)
{
    const Tasks tasks = {.ctx = r, .run = r->meters ? metered_run : task_run,
                         .fold = r->meters ? metered_fold : task_fold,
                         .commit = r->meters ? metered_commit : task_commit,
                         .release_out = release_out, .release_state = release_state,
                         .release_user = release_user, .label = label_text};
    const Observer *o = r->options.observer;
    const PoolOptions options = {.n_workers = r->info->n_workers, .seed = r->options.seed,
                                 .observer = o, .trace = r->trace,
                                 .is_full = budget_counts(&r->budget) ? is_full : NULL,
                                 .is_scope_full = much_is_pending, .full_ctx = r};
    pthread_mutex_lock(&r->mu);
    r->pool = pool_new(r->spec, &tasks, &options);
    pthread_mutex_unlock(&r->mu);
    *out = (RunResult){0};
    if (o && o->run_start)
        o->run_start(o->ctx, r->info);
    if (r->meters)
        meters_start(r->meters);
    pool_run(r->pool, &out->summary);
    if (r->meters)
        meters_stop(r->meters);
    out->state = out->summary.state;
    bool commit = out->state == RUN_DONE || out->state == RUN_PARTIAL;
    out->bad_rows = bad_rows_of(r);
    Status st = commit && r->rejected ? rejected_check(r->rejected, &out->commit_error) : OK;
    if (commit && st == OK && r->checkpoint && keep_appends(r->plan))
        st = r->options.store->note_commit(r->options.store->ctx, &out->commit_error);
    Status closed = close_outputs(r, commit && st == OK, &out->summary, st == OK ? &out->commit_error : NULL);
    st = st == OK ? closed : st;
    if (st == OK)
        st = close_rejected(r, commit, &out->commit_error);
    if (st != OK)
        out->state = RUN_FAILED;
    for (uint32_t i = 0; out->bad_rows && i < r->plan->n_steps && out->state == RUN_DONE; i++)
        if (out->bad_rows[i].n_skipped)
            out->state = RUN_PARTIAL;
    out->memory = memory_use(r);
    out->kept = checkpoint_count(r);
    out->rows_read = r->rows_read;
    out->rows_out = r->rows_out;
    if (o && o->run_end) {
        const RunEnd end = {.state = out->state, .t_ns = out->summary.t_ns,
                            .steps = out->summary.steps, .scopes = out->summary.scopes,
                            .bad_rows = out->bad_rows, .memory = out->memory, .kept = out->kept};
        o->run_end(o->ctx, &end);
    }
}

void run_cancel(Run *r, bool at_once)
{
    pthread_mutex_lock(&r->mu);
    if (r->pool)
        pool_cancel(r->pool, at_once);
    pthread_mutex_unlock(&r->mu);
}

void run_abandon(Run *r)
{
    pthread_mutex_lock(&r->mu);
    if (r->outputs)
        outputs_abandon(r->outputs);
    if (r->rejected)
        rejected_abandon(r->rejected);
    groups_kill_locked(r);
    pthread_mutex_unlock(&r->mu);
}

void run_close(Run *r)
{
    if (!r)
        return;
    pool_free(r->pool);
    if (r->outputs)
        outputs_close(r->outputs, false, NULL);
    if (r->rejected)
        rejected_close(r->rejected, false, NULL);
    tell_close(r);
    checkpoint_close(r);
    for (uint32_t i = 0; r->vms && i < r->info->n_workers; i++)
        vm_close(r->vms[i]);
    free(r->vms);
    free(r->pending);
    free(r->part_bytes);
    budget_deinit(&r->budget);
    trace_free(r->trace);
    meters_free(r->meters);
    bounds_free(r->bounds);
    pthread_mutex_destroy(&r->mu);
    arena_close(r->arena);
    free(r);
}

const RunInfo *run_info(const Run *r)
{
    return r->info;
}

const Profile *run_profile(Run *r)
{
    return r->meters ? meters_profile(r->meters, r->arena, r->plan, r->codes) : NULL;
}

const Trace *run_trace(const Run *r)
{
    return r->trace;
}
