/* How to read it: a worker's life is worker_loop. Between tasks it holds the lock, tells
 * the graph how the last one ended, and takes the next; what must not be done under the
 * lock (releases, observers) it notes in its own lists and does right after.
 */
#include "sched/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/value.h"
#include "sched/bound.h"
#include "sched/monitor.h"
#include "sched/retry.h"
#include "sched/thread_time.h"
#include "sched/ticks.h"

/* Builds that check: all invariants and the proved bound, after every event. */
#if defined(PIPEMILL_CHECK) || defined(PIPEMILL_STRESS)
enum { IS_CHECKED = true };
#else
enum { IS_CHECKED = false };
#endif

/* Reading a ThreadTime costs one or two microseconds: what is over sooner than this does
 * without. */
enum { MEASURED_NS = 20000 };

typedef enum ReleaseKind { RELEASE_OUT, RELEASE_STATE, RELEASE_USER } ReleaseKind;

typedef struct Release {
    ReleaseKind kind;
    uint32_t step;
    void *what;
} Release;

typedef struct Worker {
    Task task;
    pthread_t thread;
    TaskResult result;
    uint64_t now_ns; /* the end of the last task, or later */
    Ticks ticks;
    /* For trace_shares, when there is a trace to keep: */
    ThreadTime time;
    uint64_t unread_ns;   /* of tasks since its last reading that went without one */
    uint64_t slept_ns;    /* by this task */
    bool was_parked;      /* since then */
    Buf key; /* of the last END or FOLD, for the observer */
    Release *releases;
    uint32_t n_releases, cap_releases;
    TraceBuffer *trace;        /* where its events go, or NULL when nobody wants any */
    bool is_observed;
    const TraceEvent **events; /* for the observer */
    uint32_t n_events, cap_events;
    TraceEvent unseen; /* the last event when nobody wants any */
    char pad[CACHE_LINE]; /* what one worker writes is not another's business */
} Worker;

struct Pool {
    const GraphSpec *spec;
    Tasks tasks;
    PoolOptions options;
    Trace *own_trace; /* NULL unless there is an observer and no trace was given */
    Worker *workers;  /* [n_workers] */
    uint64_t t0_ns;
    uint64_t *limit;  /* [n_scopes] on live batches; NULL unless IS_CHECKED */

    Monitor monitor;
    /* guarded by it: */
    Graph *graph;
    Worker *current;     /* who is calling into the graph */
    bool has_keeper;     /* an idle worker that waits for the next timer ... */
    uint64_t keeper_ns;  /* ... which was this one */
    bool is_cancelled, is_failed;
    uint64_t n_failures;
    uint32_t n_kept;
    PoolFailure *failures; /* [POOL_MAX_FAILURES], made when first needed */

    pthread_mutex_t sleep_mu;
    pthread_cond_t sleep_wake;
    /* Set under sleep_mu so that no sleeper misses it. Read by task_check without: relaxed,
     * as it carries nothing but itself. */
    atomic_bool at_once;
    atomic_bool in_vain; /* is_failed, for tasks */
};

/* ---- small things */

static uint64_t now_ns(const Pool *p) { return (uint64_t)clock_now_ns() - p->t0_ns; }

/* A worker's time goes by its own ticks only, so that it never goes back. */
static inline void worker_look_at_time(const Pool *p, Worker *w)
{
    w->now_ns = ticks_now_ns(&w->ticks) - p->t0_ns;
}

static struct timespec timespec_of(const Pool *p, uint64_t run_ns)
{
    uint64_t ns = run_ns > UINT64_MAX / 2 ? UINT64_MAX / 2 : run_ns + p->t0_ns;
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

/* What w must do when it has got the lock. */
static void locked(Pool *p, Worker *w)
{
    p->current = w;
    if (monitor_is_interrupted(&p->monitor)) {
        p->is_cancelled = true;
        graph_stop(p->graph);
    }
}

/* Takes the lock for w. True if it was free at once. */
static bool pool_lock(Pool *p, Worker *w)
{
    bool at_once = monitor_enter(&p->monitor, w->now_ns - w->task.start_ns);
    locked(p, w);
    return at_once;
}

static void pool_unlock(Pool *p) { monitor_leave(&p->monitor); }

static void event_note(Worker *w, const TraceEvent *e)
{
    if (w->n_events == w->cap_events) {
        w->cap_events = w->cap_events ? 2 * w->cap_events : 16;
        w->events = xrealloc(w->events, w->cap_events * sizeof(TraceEvent *));
    }
    w->events[w->n_events++] = e;
}

/* Where to write the worker's next event. What is for the observer stays in the trace until
 * flush, which comes long before a ring goes round. */
static inline TraceEvent *event_next(Worker *w)
{
    if (!w->trace)
        return &w->unseen;
    TraceEvent *e = trace_next(w->trace);
    if (w->is_observed)
        event_note(w, e);
    return e;
}

static void release_put(Worker *w, ReleaseKind kind, uint32_t step, void *what)
{
    if (w->n_releases == w->cap_releases) {
        w->cap_releases = w->cap_releases ? 2 * w->cap_releases : 16;
        w->releases = xrealloc(w->releases, w->cap_releases * sizeof *w->releases);
    }
    w->releases[w->n_releases++] = (Release){.kind = kind, .step = step, .what = what};
}

static void flush_noted(Pool *p, Worker *w)
{
    const Tasks *t = &p->tasks;
    for (uint32_t k = 0; k < w->n_events; k++) {
        const TraceEvent *e = w->events[k];
        bool has_err = (e->kind == TRACE_END || e->kind == TRACE_FOLD) &&
                       (e->outcome == OUTCOME_FAILED || e->outcome == OUTCOME_RETRY);
        const Observer *o = p->options.observer;
        const Error *err = has_err ? &w->task.err : NULL;
        bool has_key = e->kind == TRACE_END || e->kind == TRACE_FOLD;
        if (o->keyed_event)
            o->keyed_event(o->ctx, e, err, has_key ? buf_str(&w->key) : (Str){0});
        else
            o->event(o->ctx, e, err);
    }
    w->n_events = 0;
    for (uint32_t k = 0; k < w->n_releases; k++) {
        const Release *r = &w->releases[k];
        switch (r->kind) {
        case RELEASE_OUT: t->release_out(t->ctx, r->step, r->what); break;
        case RELEASE_STATE: t->release_state(t->ctx, r->step, r->what); break;
        case RELEASE_USER: t->release_user(t->ctx, r->what); break;
        }
    }
    w->n_releases = 0;
    worker_look_at_time(p, w);
}

static inline void flush(Pool *p, Worker *w)
{
    if (w->n_events || w->n_releases)
        flush_noted(p, w);
}

/* ---- what the graph says, under the lock */

static void on_release_out(void *ctx, uint32_t step, void *out)
{
    Pool *p = ctx;
    if (p->tasks.release_out)
        release_put(p->current, RELEASE_OUT, step, out);
}

static void on_release_state(void *ctx, uint32_t step, void *state)
{
    Pool *p = ctx;
    if (p->tasks.release_state)
        release_put(p->current, RELEASE_STATE, step, state);
}

static void frame_event(Pool *p, const Frame *f, TraceKind kind, uint64_t value)
{
    Worker *w = p->current;
    *event_next(w) =
        (TraceEvent){.t_ns = w->now_ns,
                     .value = value,
                     .frame = frame_id(f),
                     .info = frame_index(f),
                     .step = (uint16_t)p->spec->scopes[frame_scope(f)].generator,
                     .worker = (uint16_t)w->task.worker,
                     .kind = (uint8_t)kind};
}

static void on_opened(void *ctx, const Frame *f, uint32_t n_live)
{
    Pool *p = ctx;
    frame_event(p, f, TRACE_OPEN, trace_pair(n_live, frame_id(frame_parent(f))));
    if (p->options.trace && frame_user(f) && p->tasks.label)
        trace_label(p->options.trace, p->current->task.worker, frame_id(f),
                    p->tasks.label(frame_user(f)));
}

static void on_closed(void *ctx, const Frame *f, uint32_t n_live)
{
    Pool *p = ctx;
    frame_event(p, f, TRACE_CLOSE, n_live);
    if (frame_user(f) && p->tasks.release_user)
        release_put(p->current, RELEASE_USER, 0, frame_user(f));
}

/* An event of worker w now. `at`: the frame that it is told of. */
static void instance_event(Worker *w, const Instance *i, const Frame *at,
                           TraceKind kind, Outcome outcome, uint64_t value, uint32_t info)
{
    *event_next(w) = (TraceEvent){.t_ns = w->now_ns,
                                     .value = value,
                                     .frame = frame_id(at),
                                     .info = info,
                                     .step = (uint16_t)instance_step(i),
                                     .worker = (uint16_t)w->task.worker,
                                     .attempt = (uint16_t)instance_attempt(i),
                                     .kind = (uint8_t)kind,
                                     .outcome = (uint8_t)outcome};
}

static void on_skipped(void *ctx, const Instance *i, uint32_t cause_step)
{
    Pool *p = ctx;
    instance_event(p->current, i, instance_frame(i), TRACE_SKIP, OUTCOME_DONE, 0,
                   cause_step);
}

/* ---- running one instance, without the lock */

static const StepSpec *task_spec(const Task *t)
{
    return &t->pool->spec->steps[instance_step(t->inst)];
}

/* What it yielded is dropped; task.err says why. */
static void task_fail(Pool *p, Worker *w)
{
    Task *t = &w->task;
    if (w->result == TASK_YIELDED) {
        if (t->batch && p->tasks.release_out)
            release_put(w, RELEASE_OUT, instance_step(t->inst), t->batch);
        if (t->user && p->tasks.release_user)
            release_put(w, RELEASE_USER, 0, t->user);
    }
    w->result = TASK_FAILED;
}

static Status timeout_error(const StepSpec *s, Error *err)
{
    char text[VALUE_PRINT_MAX];
    uint32_t n = value_print_duration((int64_t)(s->timeout_ns / 1000), text);
    return error_set(err, ERR_TIMEOUT, "it took longer than its @timeout of %.*s", (int)n, text);
}

/* Limits that the task itself need not know. */
static void task_limits(Pool *p, Worker *w)
{
    const StepSpec *s = task_spec(&w->task);
    uint32_t max = p->spec->scopes[s->opens].max_batches;
    if (w->result == TASK_FAILED)
        return;
    if (w->result == TASK_YIELDED && max && instance_n_yielded(w->task.inst) >= max) {
        error_set(&w->task.err, ERR_FAIL_PERMANENT,
                  "it has more than %u batch%s, which is what @max_batches allows", max, max == 1 ? "" : "es");
        task_fail(p, w);
    } else if (s->timeout_ns && w->now_ns - w->task.start_ns > s->timeout_ns) {
        timeout_error(s, &w->task.err);
        task_fail(p, w);
    }
}

static bool may_retry(const Worker *w)
{
    switch (w->task.err.status) {
    case ERR_FAIL:
    case ERR_IO:
    case ERR_TIMEOUT:
        return instance_attempt(w->task.inst) <= task_spec(&w->task)->retry.n_more;
    case OK:
    case ERR_ROW:
    case ERR_DATA:
    case ERR_FAIL_PERMANENT:
    case ERR_CANCELLED:
    case ERR_NOMEM:
        return false;
    }
    return false;
}

static Outcome outcome_of(const Worker *w)
{
    switch (w->result) {
    case TASK_DONE: return OUTCOME_DONE;
    case TASK_YIELDED: return OUTCOME_YIELDED;
    case TASK_EXHAUSTED: return OUTCOME_EXHAUSTED;
    case TASK_FAILED: return may_retry(w) ? OUTCOME_RETRY : OUTCOME_FAILED;
    }
    return OUTCOME_FAILED;
}

static void task_reset(Worker *w, Instance *i)
{
    Task *t = &w->task;
    t->inst = i;
    t->n_rows_in = t->n_rows_out = 0;
    t->batch = t->user = NULL;
    t->err.status = OK;
    t->start_ns = w->now_ns;
    w->slept_ns = 0;
}

/* How long it took to wake up is not the next task's. */
static void time_restart(const Pool *p, Worker *w)
{
    if (!w->was_parked)
        return;
    w->was_parked = false;
    if (!p->options.trace)
        return;
    thread_time_read(&w->time);
    w->unread_ns = 0;
}

/* What the task that ends now took its time for; 0: not measured. One reading at its end is
 * enough: short tasks since the last one are taken to have been on a processor. */
static uint32_t task_shares(const Pool *p, Worker *w)
{
    uint64_t wall_ns = w->now_ns - w->task.start_ns;
    if (!p->options.trace || wall_ns < MEASURED_NS) {
        w->unread_ns += wall_ns;
        return 0;
    }
    ThreadTime before = w->time;
    thread_time_read(&w->time);
    uint64_t cpu_ns = w->time.cpu_ns - before.cpu_ns;
    uint64_t delay_ns = w->time.delay_ns - before.delay_ns;
    uint64_t slept_ns = w->slept_ns;
    cpu_ns = cpu_ns > w->unread_ns ? cpu_ns - w->unread_ns : 0;
    w->unread_ns = 0;
    if (w->time.knows_delay) /* a sleeper that nobody lets run on is not asleep */
        slept_ns = cpu_ns + delay_ns < wall_ns ? wall_ns - cpu_ns - delay_ns : 0;
    return trace_shares(cpu_ns, slept_ns, wall_ns);
}

/* START and END of the instance that w runs, written field by field where they stay: this
 * is done all the time. */
static inline TraceEvent *event_put(Worker *w, const InstanceInfo *info, TraceKind kind)
{
    TraceEvent *e = event_next(w);
    e->t_ns = w->now_ns;
    e->frame = info->frame;
    e->step = (uint16_t)info->step;
    e->worker = (uint16_t)w->task.worker;
    e->attempt = (uint16_t)info->attempt;
    e->kind = (uint8_t)kind;
    return e;
}

/* For the observer, while the instance is there. */
static void key_note(const Pool *p, Worker *w, const Instance *i, bool has_failed)
{
    const Observer *o = p->options.observer;
    if (!o || !o->keyed_event)
        return;
    buf_clear(&w->key);
    if (has_failed || o->wants_keys)
        frame_put_key(instance_frame(i), '/', &w->key);
}

static void task_run(Pool *p, Worker *w, Instance *i)
{
    Task *t = &w->task;
    InstanceInfo info;
    instance_info(i, &info);
    task_reset(w, i);
    time_restart(p, w);
    TraceEvent *e = event_put(w, &info, TRACE_START);
    e->value = info.ready_ns;
    e->info = info.n_yielded;
    e->outcome = OUTCOME_DONE;
    w->result = p->tasks.run(p->tasks.ctx, t);
    worker_look_at_time(p, w);
    task_limits(p, w);
    e = event_put(w, &info, TRACE_END);
    e->value = trace_pair(t->n_rows_in, t->n_rows_out);
    e->info = task_shares(p, w);
    e->outcome = (uint8_t)outcome_of(w);
    key_note(p, w, i, w->result == TASK_FAILED);
}

static FoldResult fold_run(Pool *p, Worker *w, const Fold *f)
{
    const Tasks *t = &p->tasks;
    FoldResult r = FOLD_MORE;
    worker_look_at_time(p, w);
    task_reset(w, f->reader);
    time_restart(p, w);
    if (f->is_commit && t->commit)
        r = t->commit(t->ctx, &w->task);
    else if (!f->is_commit && t->fold)
        r = t->fold(t->ctx, &w->task, f->input, f->child);
    worker_look_at_time(p, w);
    instance_event(w, f->reader, instance_frame(f->child), TRACE_FOLD,
                   r == FOLD_FAILED ? OUTCOME_FAILED : OUTCOME_DONE, w->task.start_ns,
                   task_shares(p, w));
    key_note(p, w, f->reader, r == FOLD_FAILED);
    return r;
}

/* ---- telling the graph */

static void failure_put_key(PoolFailure *at, const Frame *f)
{
    Buf key = {0}, shown = {0};
    frame_put_key(f, '/', &key);
    buf_put_visible(&shown, buf_str(&key));
    size_t n = shown.len, cap = sizeof at->key - 1;
    if (n > cap) { /* not in the middle of a character */
        for (n = cap - 2; n > 0 && ((unsigned char)shown.ptr[n] & 0xc0) == 0x80; n--)
            ;
        shown.len = n;
        buf_puts(&shown, "..");
        n = shown.len;
    }
    if (n)
        memcpy(at->key, shown.ptr, n);
    at->key[n] = '\0';
    buf_deinit(&key);
    buf_deinit(&shown);
}

static void failure_note_locked(Pool *p, const Worker *w, const Frame *f)
{
    bool stops = task_spec(&w->task)->on_failure == ON_FAILURE_FAIL && !p->is_failed;
    p->n_failures++;
    p->is_failed |= stops;
    if (stops)
        atomic_store_explicit(&p->in_vain, true, memory_order_relaxed); /* a hint: is_failed decides */
    if (!p->failures)
        p->failures = xcalloc(POOL_MAX_FAILURES, sizeof *p->failures);
    if (p->n_kept == POOL_MAX_FAILURES && !stops)
        return;
    if (p->n_kept < POOL_MAX_FAILURES)
        p->n_kept++;
    PoolFailure *at = &p->failures[p->n_kept - 1];
    if (stops) {
        *at = p->failures[0];
        at = &p->failures[0];
    }
    at->step = instance_step(w->task.inst);
    at->attempt = instance_attempt(w->task.inst);
    at->err = w->task.err;
    failure_put_key(at, f);
}

static void retry_locked(Pool *p, Worker *w)
{
    Instance *i = w->task.inst;
    uint64_t delay = retry_delay_ns(&task_spec(&w->task)->retry, i, instance_attempt(i),
                                    p->options.seed);
    uint64_t due = delay > UINT64_MAX - w->now_ns ? UINT64_MAX : w->now_ns + delay;
    instance_event(w, i, instance_frame(i), TRACE_RETRY, OUTCOME_RETRY, due, 0);
    graph_retry(p->graph, i, w->now_ns, due);
    if (p->has_keeper && due < p->keeper_ns)
        monitor_call_all_locked(&p->monitor);
}

static void finish_locked(Pool *p, Worker *w)
{
    Task *t = &w->task;
    Graph *g = p->graph;
    switch (w->result) {
    case TASK_DONE: graph_done(g, t->inst, w->now_ns); return;
    case TASK_YIELDED: graph_yield(g, t->inst, t->batch, t->user, w->now_ns); return;
    case TASK_EXHAUSTED: graph_exhausted(g, t->inst, w->now_ns); return;
    case TASK_FAILED: break;
    }
    if (t->err.status == ERR_CANCELLED && (p->is_cancelled || p->is_failed)) {
        graph_cancelled(g, t->inst, w->now_ns);
    } else if (may_retry(w)) {
        retry_locked(p, w);
    } else {
        failure_note_locked(p, w, instance_frame(t->inst));
        graph_failed(g, t->inst, w->now_ns);
    }
}

static void check_locked(const Pool *p)
{
    if (IS_CHECKED)
        graph_check(p->graph, p->limit);
}

/* ---- workers */

/* Has an idle worker come if there is something for it. */
static void wake_more_locked(Pool *p)
{
    uint64_t due;
    if (!monitor_may_call_locked(&p->monitor))
        return;
    if (graph_has_work(p->graph) || graph_has_fold(p->graph) ||
        (!p->has_keeper && graph_next_timer(p->graph, &due)))
        monitor_call_locked(&p->monitor);
}

static void wait_locked(Pool *p, Worker *w)
{
    uint64_t due;
    if (!p->has_keeper && graph_next_timer(p->graph, &due)) {
        struct timespec until = timespec_of(p, due);
        p->has_keeper = true;
        p->keeper_ns = due;
        w->was_parked |= monitor_wait_locked(&p->monitor, &until);
        p->has_keeper = false;
    } else {
        w->was_parked |= monitor_wait_locked(&p->monitor, NULL);
    }
    locked(p, w);
    worker_look_at_time(p, w);
}

/* A mistake found in a fold is in that batch, where the program has batches: not the compiler alone. */
static const Frame *fold_place(const Pool *p, const Fold *f)
{
    const Frame *at = instance_frame(f->child), *around = frame_parent(at);
    if (!around)
        return at;
    return p->spec->steps[p->spec->scopes[frame_scope(at)].generator].is_helper ? around : at;
}

static void fold_locked(Pool *p, Worker *w, const Fold *f)
{
    wake_more_locked(p);
    pool_unlock(p);
    flush(p, w);
    FoldResult r = fold_run(p, w, f);
    pool_lock(p, w);
    bool is_cancelled = w->task.err.status == ERR_CANCELLED && (p->is_cancelled || p->is_failed);
    if (r == FOLD_FAILED && !is_cancelled) /* else it only stopped, as it was told */
        failure_note_locked(p, w, fold_place(p, f));
    graph_fold_end(p->graph, f, r, w->now_ns);
    check_locked(p);
}

static void worker_loop(Pool *p, Worker *w)
{
    Graph *g = p->graph;
    if (p->options.trace)
        thread_time_open(&w->time);
    ticks_init(&w->ticks);
    pool_lock(p, w);
    worker_look_at_time(p, w);
    for (;;) {
        Fold fold;
        Instance *i;
        uint64_t due;
        if (graph_has_due(g)) {
            if (graph_next_fold(g, &fold)) {
                fold_locked(p, w, &fold);
                continue;
            }
            if (graph_next_timer(g, &due) && due <= w->now_ns) {
                graph_advance(g, w->now_ns);
                continue;
            }
        }
        if (p->options.is_full)
            graph_pause(g, p->options.is_full(p->options.full_ctx));
        if ((i = graph_pick(g)) != NULL) {
            wake_more_locked(p);
            pool_unlock(p);
            flush(p, w);
            task_run(p, w, i);
            /* The next one's start is this one's end, unless time was lost here. */
            if (!pool_lock(p, w))
                worker_look_at_time(p, w);
            finish_locked(p, w);
            check_locked(p);
            continue;
        }
        if (graph_is_over(g))
            break;
        if (w->n_releases || w->n_events) {
            pool_unlock(p);
            flush(p, w);
            pool_lock(p, w);
            continue;
        }
        wait_locked(p, w);
    }
    monitor_call_all_locked(&p->monitor);
    pool_unlock(p);
    flush(p, w);
    if (p->options.trace)
        thread_time_close(&w->time);
}

static void *worker_main(void *arg)
{
    Worker *w = arg;
    worker_loop(w->task.pool, w);
    return NULL;
}

/* ---- pool.h */

static uint64_t *limits_new(const GraphSpec *spec, uint32_t n_workers)
{
    Bounds *b = bounds_new(spec, n_workers);
    uint64_t *limit = xcalloc(spec->n_scopes, sizeof *limit);
    for (uint32_t c = 0; c < spec->n_scopes; c++)
        limit[c] = b->scopes[c].live;
    bounds_free(b);
    return limit;
}

static void worker_init(Pool *p, uint32_t k, Trace *trace)
{
    Worker *w = &p->workers[k];
    w->task.pool = p;
    w->task.worker = k;
    w->trace = trace ? trace_buffer(trace, k) : NULL;
    w->is_observed = p->options.observer != NULL;
}

Pool *pool_new(const GraphSpec *spec, const Tasks *tasks, const PoolOptions *options)
{
    Pool *p = xcalloc(1, sizeof *p);
    p->spec = spec;
    p->tasks = *tasks;
    p->options = *options;
    Trace *trace = options->trace;
    if (options->observer && !trace)
        trace = p->own_trace = trace_new(options->n_workers, TRACE_LAST);
    assert(options->n_workers >= 1 && options->n_workers <= UINT16_MAX);
    p->workers = xcalloc(options->n_workers, sizeof *p->workers);
    for (uint32_t k = 0; k < options->n_workers; k++)
        worker_init(p, k, trace);
    monitor_init(&p->monitor, options->n_workers);
    pthread_mutex_init(&p->sleep_mu, NULL);
    monitor_cond_init(&p->sleep_wake);
    atomic_init(&p->at_once, false);
    atomic_init(&p->in_vain, false);
    GraphHooks hooks = {.ctx = p,
                        .release_out = on_release_out,
                        .release_state = on_release_state,
                        .opened = on_opened,
                        .closed = on_closed,
                        .skipped = on_skipped,
                        .label = tasks->label};
    p->current = &p->workers[0];
    p->graph = graph_open(spec, options->n_workers, &hooks);
    if (IS_CHECKED)
        p->limit = limits_new(spec, options->n_workers);
    return p;
}

static RunState run_state(const Pool *p)
{
    if (p->is_failed)
        return RUN_FAILED;
    if (p->is_cancelled && !graph_is_complete(p->graph))
        return RUN_CANCELLED;
    return p->n_failures ? RUN_PARTIAL : RUN_DONE;
}

void pool_run(Pool *p, PoolSummary *out)
{
    uint32_t n_started = 1;
    p->t0_ns = (uint64_t)clock_now_ns();
    /* Fewer threads than asked for are a slower run, not a failed one. */
    while (n_started < p->options.n_workers &&
           pthread_create(&p->workers[n_started].thread, NULL, worker_main,
                          &p->workers[n_started]) == 0)
        n_started++;
    worker_loop(p, &p->workers[0]);
    for (uint32_t k = 1; k < n_started; k++)
        pthread_join(p->workers[k].thread, NULL);
    assert(graph_is_stopping(p->graph) || graph_is_complete(p->graph));
    *out = (PoolSummary){.state = run_state(p),
                         .t_ns = now_ns(p),
                         .steps = graph_steps(p->graph),
                         .scopes = graph_scopes(p->graph),
                         .n_failures = p->n_failures,
                         .n_kept = p->n_kept,
                         .failures = p->failures};
}

void pool_free(Pool *p)
{
    if (!p)
        return;
    Worker *w = p->current = &p->workers[0];
    w->trace = NULL;
    graph_close(p->graph);
    flush(p, w);
    for (uint32_t k = 0; k < p->options.n_workers; k++) {
        buf_deinit(&p->workers[k].key);
        free(p->workers[k].releases);
        free(p->workers[k].events);
    }
    pthread_cond_destroy(&p->sleep_wake);
    monitor_deinit(&p->monitor);
    pthread_mutex_destroy(&p->sleep_mu);
    trace_free(p->own_trace);
    free(p->limit);
    free(p->failures);
    free(p->workers);
    free(p);
}

void pool_cancel(Pool *p, bool at_once)
{
    monitor_interrupt(&p->monitor);
    if (!at_once)
        return;
    pthread_mutex_lock(&p->sleep_mu);
    atomic_store_explicit(&p->at_once, true, memory_order_relaxed);
    pthread_cond_broadcast(&p->sleep_wake);
    pthread_mutex_unlock(&p->sleep_mu);
}

static uint64_t task_deadline_ns(const Task *t)
{
    uint64_t timeout = task_spec(t)->timeout_ns;
    return timeout && timeout < UINT64_MAX - t->start_ns ? t->start_ns + timeout
                                                         : UINT64_MAX;
}

static Status task_status(const Task *t, uint64_t deadline_ns, Error *err)
{
    if (atomic_load_explicit(&t->pool->at_once, memory_order_relaxed))
        return error_set(err, ERR_CANCELLED, "cancelled");
    if (deadline_ns != UINT64_MAX && now_ns(t->pool) >= deadline_ns)
        return timeout_error(task_spec(t), err);
    return OK;
}

void task_tell_bad_rows(const Task *t, uint32_t step, uint64_t n_skipped, uint64_t n_nulled)
{
    Worker *w = &t->pool->workers[t->worker];
    *event_next(w) = (TraceEvent){.t_ns = w->now_ns,
                                  .value = trace_pair(n_skipped, n_nulled),
                                  .frame = frame_id(instance_frame(t->inst)),
                                  .step = (uint16_t)step,
                                  .worker = (uint16_t)t->worker,
                                  .attempt = (uint16_t)instance_attempt(t->inst),
                                  .kind = TRACE_BAD_ROWS};
}

bool task_is_in_vain(const Task *t)
{
    return atomic_load_explicit(&t->pool->in_vain, memory_order_relaxed);
}

Status task_check(const Task *t, Error *err)
{
    return task_status(t, task_deadline_ns(t), err);
}

Status task_sleep(const Task *t, uint64_t ns, Error *err)
{
    Pool *p = t->pool;
    uint64_t now = now_ns(p), deadline = task_deadline_ns(t);
    uint64_t until_ns = ns < UINT64_MAX - now ? now + ns : UINT64_MAX;
    if (until_ns > deadline)
        until_ns = deadline;
    struct timespec until = timespec_of(p, until_ns);
    pthread_mutex_lock(&p->sleep_mu);
    while (!atomic_load_explicit(&p->at_once, memory_order_relaxed) &&
           now_ns(p) < until_ns)
        pthread_cond_timedwait(&p->sleep_wake, &p->sleep_mu, &until);
    pthread_mutex_unlock(&p->sleep_mu);
    p->workers[t->worker].slept_ns += now_ns(p) - now;
    return task_status(t, deadline, err);
}
