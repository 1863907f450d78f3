/* run.c - the tasks. Read bottom-up: run_go starts the pool; task_run is what it calls for
 * every instance; above it stand the three things an instance can be: a generator's
 * step, a static read, and bytecode over a batch. */
#include "run/run.h"

#include <pthread.h>
#include <stdlib.h>

#include "code/emit.h"
#include "code/verify.h"
#include "data/batch.h"
#include "data/catalog.h"
#include "data/csv_read.h"
#include "data/csv_write.h"
#include "run/outputs.h"
#include "run/spec.h"
#include "vm/vm.h"

#define SMALL_PARTS 256 /* batches of a collect that are joined into one */
#define RANGE_BATCH_AUTO 65536 /* rows of a batch of `range ... batch auto` */

struct Run {
    Arena *arena;
    const Plan *plan;
    RunOptions options;
    Catalog *catalog;
    GraphSpec *spec;
    Bounds *bounds;
    RunInfo *info;
    Code **codes;       /* [n_steps] */
    bool *has_readers;  /* [n_steps] */
    uint64_t *enough;   /* [n_steps] rows after which a collect needs no more batches */
    Trace *trace;
    Outputs *outputs;
    Pool *pool;
    Vm **vms;           /* [n_workers] */
    pthread_mutex_t mu; /* guards what follows, and the log */
    uint64_t rows_read, rows_out;
};

/* A batch as its generator gave it. The first reader to want it finds its fields; so
 * parsing happens in the mapped instances, in parallel. */
typedef struct GenBatch {
    pthread_mutex_t mu;
    RawRows *raw;        /* guarded by mu; NULL when batch was made whole */
    Batch *batch;        /* guarded by mu; NULL until it was wanted */
    Status status;       /* guarded by mu */
    Error err;           /* guarded by mu */
} GenBatch;

/* What an instance keeps until it is done for good. */
typedef struct State {
    CsvSource *source;   /* generator that reads */
    int64_t next;        /* generator of a range: the next value */
    bool is_started;
    Batch **parts;       /* collect: the batches so far, in key order */
    uint32_t n_parts, cap_parts;
    uint32_t n_small;    /* the last of them, not joined yet */
    uint64_t n_rows;     /* of all of them */
    Buf *pending;        /* [plan->n_sinks] bytes to append in key order; NULL: none */
} State;

/* What the VM's host needs to know of the instance that runs. */
typedef struct Host {
    Run *run;
    Task *task;
    const Step *step;
    State *state;
    Buf log;
} Host;

static State *state_of(Instance *inst)
{
    State *s = instance_state(inst);
    if (!s) {
        s = xcalloc(1, sizeof *s);
        instance_set_state(inst, s);
    }
    return s;
}

static void release_state(void *ctx, uint32_t step, void *state)
{
    const Run *r = ctx;
    State *s = state;
    (void)step;
    csv_source_close(s->source);
    for (uint32_t i = 0; i < s->n_parts; i++)
        batch_unref(s->parts[i]);
    free(s->parts);
    for (uint32_t i = 0; s->pending && i < r->plan->n_sinks; i++)
        buf_deinit(&s->pending[i]);
    free(s->pending);
    free(s);
}

static void release_out(void *ctx, uint32_t step, void *out)
{
    const Run *r = ctx;
    if (!r->plan->steps[step]->is_generator) {
        batch_unref(out);
        return;
    }
    GenBatch *g = out;
    raw_unref(g->raw);
    batch_unref(g->batch);
    pthread_mutex_destroy(&g->mu);
    free(g);
}

/* ---- reading ---- */

static Status open_source(Run *r, const Step *s, CsvSource **out, Error *err)
{
    const Pop *p = s->pops.ptr[0];
    CsvReadOptions o = {.dialect = p->dialect, .schema = p->out, .allow_more = false};
    uint64_t *inferred = xcalloc(p->out->n_cols, sizeof *inferred);
    for (uint32_t i = 0; i < p->out->n_cols; i++)
        if (p->catalog && p->is_inferred[i])
            inferred[i] = p->catalog->sample_rows;
    o.inferred_rows = inferred;
    o.sample = file_catalog_take_sample(r->catalog, p->path);
    Status st = csv_source_open(p->path, &o, out, err);
    free(inferred);
    return st;
}

static CsvLimit batch_limit(const Run *r, const Pop *p)
{
    if (p->batch == BATCH_ROWS)
        return (CsvLimit){.rows = p->batch_n};
    if (p->batch == BATCH_BYTES)
        return (CsvLimit){.bytes = p->batch_n};
    return (CsvLimit){.rows = r->options.auto_rows};
}

static Batch *range_batch(int64_t first, uint32_t n)
{
    Batch *b = batch_new(n, 1);
    Column *c = column_new(TYPE_INT, false, n);
    int64_t *v = column_ints(c);
    for (uint32_t i = 0; i < n; i++)
        v[i] = first + (int64_t)i;
    b->types[0] = TYPE_INT;
    b->slots[0] = (Slot){.raw_col = -1, .values = c};
    return b;
}

/* A step of a generator: the next batch, if there is one. */
static TaskResult generate(Run *r, Task *t, const Step *s)
{
    const Pop *p = s->pops.ptr[0];
    State *state = state_of(t->inst);
    GenBatch *g = NULL;
    Status st = OK;
    if (p->kind == POP_RANGE) {
        int64_t last = p->expr2->value.i;
        if (!state->is_started)
            state->next = p->expr->value.i;
        if (state->is_started && state->next == INT64_MIN) /* wrapped: the last value was given */
            return TASK_EXHAUSTED;
        state->is_started = true;
        if (state->next > last)
            return TASK_EXHAUSTED;
        uint64_t left = (uint64_t)last - (uint64_t)state->next; /* and one more */
        uint64_t want = p->batch == BATCH_ROWS     ? p->batch_n
                        : r->options.auto_rows ? r->options.auto_rows
                                               : RANGE_BATCH_AUTO;
        uint32_t n = (uint32_t)(left < want ? left + 1 : want);
        g = xcalloc(1, sizeof *g);
        g->batch = range_batch(state->next, n);
        state->next = (int64_t)((uint64_t)state->next + n);
        t->n_rows_out = n;
    } else {
        RawRows *raw = NULL;
        if (!state->source)
            st = open_source(r, s, &state->source, &t->err);
        if (st == OK)
            st = csv_source_next(state->source, batch_limit(r, p), &raw, &t->err);
        if (st != OK)
            return TASK_FAILED;
        if (!raw)
            return TASK_EXHAUSTED;
        g = xcalloc(1, sizeof *g);
        g->raw = raw;
    }
    pthread_mutex_init(&g->mu, NULL);
    t->batch = g;
    return TASK_YIELDED;
}

/* The batch of a generator, its fields found. Borrowed from g. */
static Status gen_batch(Run *r, GenBatch *g, const Schema *schema, const Batch **out, Error *err)
{
    pthread_mutex_lock(&g->mu);
    if (!g->batch && g->status == OK) {
        g->status = raw_index(g->raw, &g->err);
        if (g->status == OK) {
            g->batch = batch_of_raw(g->raw, schema);
            pthread_mutex_lock(&r->mu);
            r->rows_read += g->batch->n_rows;
            pthread_mutex_unlock(&r->mu);
        }
    }
    Status st = g->status;
    if (st != OK)
        *err = g->err;
    *out = g->batch;
    pthread_mutex_unlock(&g->mu);
    return st;
}

/* ---- what bytecode reaches outside ---- */

static Status host_sleep(void *ctx, int64_t us, Error *err)
{
    const Host *h = ctx;
    return us > 0 ? task_sleep(h->task, (uint64_t)us * 1000, err) : OK;
}

static void host_log(void *ctx, Str line)
{
    Host *h = ctx;
    buf_put_visible(&h->log, line);
    buf_putc(&h->log, '\n');
}

static Status host_write(void *ctx, const Spec *spec, Str path, const Batch *t, Error *err)
{
    Host *h = ctx;
    if (h->run->plan->sinks[spec->sink].by_key)
        return outputs_write_file(h->run->outputs, spec, path, t, err);
    if (h->step->scope == 0) { /* one instance: nobody to wait for */
        Buf rows = {0};
        csv_write_rows(&rows, t, &spec->dialect);
        Status st = outputs_append(h->run->outputs, spec->sink, &rows, err);
        buf_deinit(&rows);
        return st;
    }
    if (!h->state->pending)
        h->state->pending = xcalloc(h->run->plan->n_sinks, sizeof *h->state->pending);
    csv_write_rows(&h->state->pending[spec->sink], t, &spec->dialect);
    return OK;
}

static const VmHost HOST = {.sleep = host_sleep, .log = host_log, .write = host_write};

/* ---- bytecode over a batch ---- */

/* How many instructions behind READ_CSV go row by row, so that the file can be read in parts. */
static uint32_t streamed_end(const Code *c)
{
    uint32_t i = 1;
    for (; i < c->n_instrs; i++) {
        const Instr *in = &c->instrs[i];
        bool stops = in->op == OP_TAKE || in->op == OP_SKIP || in->op == OP_SORT ||
                     in->op == OP_TOP || in->op == OP_DISTINCT || in->op == OP_GROUP ||
                     in->op == OP_FAIL || in->op == OP_SLEEP || in->op == OP_END ||
                     (in->op == OP_LOG && !c->specs[in->b].per_row);
        if (stops)
            break;
    }
    /* Back to the end of a statement: registers do not outlive a part. */
    while (i > 1 && c->instrs[i - 1].op != OP_FILTER && c->instrs[i - 1].op != OP_PROJECT &&
           c->instrs[i - 1].op != OP_DEFINE && c->instrs[i - 1].op != OP_LOG &&
           c->instrs[i - 1].op != OP_ASSERT && c->instrs[i - 1].op != OP_WRITE_CSV)
        i--;
    /* row() and uuid() count in the table that was read: what filters first loses count. */
    for (uint32_t k = i; k < c->n_instrs; k++)
        if (c->instrs[k].op == OP_CALL &&
            builtin_get(c->specs[c->instrs[k].c].fn)->kind == BUILTIN_KIND_ROW)
            return 1;
    return i;
}

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

static void keep_part(State *s, Batch *b)
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

/* All parts as one table; lets go of them. types: when there are none. */
static Batch *join_parts(State *s, const Schema *schema)
{
    Type *types = xcalloc(schema->n_cols, sizeof *types);
    for (uint32_t i = 0; i < schema->n_cols; i++)
        types[i] = schema->cols[i].type;
    Batch *all;
    if (s->n_parts == 1)
        all = batch_ref(s->parts[0]);
    else
        all = batch_concat(s->parts, s->n_parts, schema->n_cols, types);
    for (uint32_t i = 0; i < s->n_parts; i++)
        batch_unref(s->parts[i]);
    s->n_parts = s->n_small = 0;
    free(types);
    return all;
}

/* The schema after the streamed statements: of the last operation that is part of them. */
static const Schema *streamed_schema(const Step *s, const Code *c, uint32_t end)
{
    const Schema *out = s->pops.ptr[0]->out;
    for (size_t i = 1; end > 1 && i < s->pops.n; i++) {
        if (s->pops.ptr[i]->span.hi > c->notes[end - 1].span.hi &&
            !pop_is_row_wise(s->pops.ptr[i]->kind))
            break;
        out = s->pops.ptr[i]->out;
    }
    return out;
}

/* A static read: the file goes through the row-wise statements in parts. */
static Status run_read(Run *r, const VmHost *vm_host, VmInstance *inst, Batch **out,
                       Error *err)
{
    Host *h = vm_host->ctx;
    const Code *c = r->codes[h->step->id];
    Vm *vm = r->vms[h->task->worker];
    uint32_t end = streamed_end(c);
    /* Nothing to leave out: one range is one table, without copying it together. */
    CsvLimit limit = {.rows = r->options.auto_rows};
    if (end == 1 && !limit.rows)
        limit.bytes = CSV_BATCH_MAX;
    CsvSource *source = NULL;
    Batch *all = NULL;
    Status st = open_source(r, h->step, &source, err);
    while (st == OK) {
        RawRows *raw = NULL;
        Batch *in = NULL, *part = NULL;
        st = task_check(h->task, err); /* an input may be endless */
        if (st == OK)
            st = csv_source_next(source, limit, &raw, err);
        if (st != OK || !raw)
            break;
        st = raw_index(raw, err);
        if (st == OK) {
            in = batch_of_raw(raw, h->step->pops.ptr[0]->out);
            h->task->n_rows_in += in->n_rows;
            if (end > 1)
                st = vm_run_part(vm, c, 1, end, vm_host, inst, in, &part, err);
            else
                part = batch_ref(in);
            inst->row_base += in->n_rows;
        }
        if (st == OK)
            keep_part(h->state, part);
        batch_unref(in);
        raw_unref(raw);
    }
    csv_source_close(source);
    if (st != OK)
        return st;
    pthread_mutex_lock(&r->mu);
    r->rows_read += h->task->n_rows_in;
    pthread_mutex_unlock(&r->mu);
    all = join_parts(h->state, streamed_schema(h->step, c, end));
    inst->row_base = 0;
    st = vm_run_part(vm, c, end, c->n_instrs, vm_host, inst, all, out, err);
    batch_unref(all);
    return st;
}

static Status input_batch(Run *r, Task *t, const Step *s, const Batch **in, Error *err)
{
    void *value = instance_input(t->inst, 0);
    const Step *from = r->plan->steps[s->inputs[0]];
    if (from->is_generator)
        return gen_batch(r, value, from->out, in, err);
    *in = value;
    return OK;
}

static TaskResult task_run(void *ctx, Task *t)
{
    Run *r = ctx;
    const Step *s = r->plan->steps[instance_step(t->inst)];
    if (s->is_generator)
        return generate(r, t, s);

    char key[64];
    const Frame *frame = instance_frame(t->inst);
    VmInstance inst = {.seed = r->options.seed, .step = s->name,
                       .key = str_of(frame_key(frame, key, sizeof key)),
                       .index = frame_index(frame)};
    Host host = {.run = r, .task = t, .step = s, .state = state_of(t->inst)};
    VmHost vm_host = HOST;
    vm_host.ctx = &host;
    const Batch *in = NULL;
    Batch *own = NULL, *out = NULL;
    Status st = OK;
    if (s->kind == STEP_COLLECT && s->in)
        in = own = join_parts(host.state, s->in);
    else if (s->n_inputs && s->in)
        st = input_batch(r, t, s, &in, &t->err);
    if (in)
        t->n_rows_in = in->n_rows;
    if (st == OK) {
        bool reads = s->pops.n && s->pops.ptr[0]->kind == POP_READ_CSV;
        if (reads)
            st = run_read(r, &vm_host, &inst, &out, &t->err);
        else
            st = vm_run(r->vms[t->worker], r->codes[s->id], &vm_host, &inst, in, &out, &t->err);
    }
    batch_unref(own);
    if (host.log.len && r->options.log) {
        pthread_mutex_lock(&r->mu);
        r->options.log(r->options.log_ctx, buf_str(&host.log));
        pthread_mutex_unlock(&r->mu);
    }
    buf_deinit(&host.log);
    if (st != OK) {
        t->err.status = st;
        return TASK_FAILED;
    }
    t->n_rows_out = out->n_rows;
    if (r->has_readers[s->id]) {
        instance_set_out(t->inst, out);
    } else {
        pthread_mutex_lock(&r->mu);
        r->rows_out += out->n_rows;
        pthread_mutex_unlock(&r->mu);
        batch_unref(out);
    }
    return TASK_DONE;
}

/* A batch of a collect, in its turn. */
static FoldResult task_fold(void *ctx, Task *t, uint32_t input, const Instance *child)
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

/* What an instance has for files that all share, in its turn. */
static FoldResult task_commit(void *ctx, Task *t)
{
    Run *r = ctx;
    State *s = instance_state(t->inst);
    for (uint32_t i = 0; s && s->pending && i < r->plan->n_sinks; i++)
        if (s->pending[i].len &&
            outputs_append(r->outputs, i, &s->pending[i], &t->err) != OK)
            return FOLD_FAILED;
    return FOLD_MORE;
}

/* ---- the run ---- */

static bool has_effects(const Step *s)
{
    for (size_t i = 0; i < s->pops.n; i++) {
        PopKind k = s->pops.ptr[i]->kind;
        if (k == POP_WRITE_CSV || k == POP_LOG || k == POP_ASSERT || k == POP_FAIL)
            return true;
    }
    return false;
}

/* Rows after which the collect `c` needs no more batches: it begins with `take`, and nobody else would
 * notice that the rest is missing. */
static uint64_t rows_enough(const Plan *plan, const Step *c)
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

Status run_open(const Plan *plan, const Sources *sources, Catalog *catalog,
                const RunOptions *options, Run **out, Error *err)
{
    Run *r = xcalloc(1, sizeof *r);
    Status st = OK;
    r->arena = arena_open();
    r->plan = plan;
    r->options = *options;
    r->catalog = catalog;
    pthread_mutex_init(&r->mu, NULL);
    uint32_t n_workers = plan_workers(plan, options->n_workers);
    r->spec = plan_graph(r->arena, plan);
    r->bounds = bounds_new(r->spec, n_workers);
    r->info = plan_run_info(r->arena, plan, r->spec, r->bounds);
    r->codes = arena_array(r->arena, Code *, plan->n_steps);
    r->has_readers = arena_array(r->arena, bool, plan->n_steps);
    r->enough = arena_array(r->arena, uint64_t, plan->n_steps);
    for (uint32_t i = 0; i < plan->n_steps && st == OK; i++) {
        const Step *s = plan->steps[i];
        for (uint32_t k = 0; k < s->n_inputs; k++)
            r->has_readers[s->inputs[k]] = true;
        r->enough[i] = rows_enough(plan, s);
        st = emit_step(r->arena, sources, s, &r->codes[i], err);
        if (st == OK && !s->is_generator)
            st = code_verify(r->codes[i], err);
    }
    if (st == OK)
        st = outputs_open(plan, &r->outputs, err);
    if (st != OK) {
        run_close(r);
        return st;
    }
    r->vms = xcalloc(n_workers, sizeof *r->vms);
    for (uint32_t i = 0; i < n_workers; i++)
        r->vms[i] = vm_open();
    if (options->keeps_trace)
        r->trace = trace_new(n_workers, TRACE_KEEP);
    *out = r;
    return OK;
}

void run_go(Run *r, RunResult *out)
{
    const Tasks tasks = {.ctx = r, .run = task_run, .fold = task_fold, .commit = task_commit,
                         .release_out = release_out, .release_state = release_state};
    const Observer *o = r->options.observer;
    const PoolOptions options = {.n_workers = r->info->n_workers, .seed = r->options.seed,
                                 .observer = o, .trace = r->trace};
    pthread_mutex_lock(&r->mu);
    r->pool = pool_new(r->spec, &tasks, &options);
    pthread_mutex_unlock(&r->mu);
    *out = (RunResult){0};
    if (o && o->run_start)
        o->run_start(o->ctx, r->info);
    pool_run(r->pool, &out->summary);
    out->state = out->summary.state;
    bool commit = out->state == RUN_DONE || out->state == RUN_PARTIAL;
    Status st = outputs_close(r->outputs, commit, &out->commit_error);
    r->outputs = NULL;
    if (st != OK)
        out->state = RUN_FAILED;
    out->rows_read = r->rows_read;
    out->rows_out = r->rows_out;
    if (o && o->run_end) {
        const RunEnd end = {.state = out->state, .t_ns = out->summary.t_ns,
                            .steps = out->summary.steps, .scopes = out->summary.scopes};
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

void run_close(Run *r)
{
    if (!r)
        return;
    pool_free(r->pool);
    if (r->outputs)
        outputs_close(r->outputs, false, NULL);
    for (uint32_t i = 0; r->vms && i < r->info->n_workers; i++)
        vm_close(r->vms[i]);
    free(r->vms);
    trace_free(r->trace);
    bounds_free(r->bounds);
    pthread_mutex_destroy(&r->mu);
    arena_close(r->arena);
    free(r);
}

const RunInfo *run_info(const Run *r)
{
    return r->info;
}

const Trace *run_trace(const Run *r)
{
    return r->trace;
}
