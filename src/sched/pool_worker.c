/* pool_worker.c - a worker's life is worker_loop. Between tasks it holds the lock, tells the graph how the last one ended,
 * and takes the next.
 */
#include "sched/pool_int.h"

#include <string.h>

#include "sched/retry.h"

/* What w must do when it has got the lock. */
static void take_over(Pool *p, Worker *w)
{
    p->current = w;
    if (monitor_is_interrupted(&p->monitor)) {
        p->is_cancelled = true;
        graph_stop(p->graph);
    }
}

bool pool_lock(Pool *p, Worker *w)
{
    bool at_once = monitor_enter(&p->monitor, w->now_ns - w->task.start_ns);
    take_over(p, w);
    return at_once;
}

void pool_unlock(Pool *p) { monitor_leave(&p->monitor); }

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
    worker_tell_instance(w, i, instance_frame(i), TRACE_RETRY, OUTCOME_RETRY, due, 0);
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
    } else if (worker_may_retry(w)) {
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

void pool_wake_more_locked(Pool *p)
{
    uint64_t due;
    if (!monitor_may_call_locked(&p->monitor))
        return;
    if (graph_has_work(p->graph) || graph_has_fold(p->graph) || loan_find_locked(p) ||
        (!p->has_keeper && graph_next_timer(p->graph, &due)))
        monitor_call_locked(&p->monitor);
}

static void wait_locked(Pool *p, Worker *w)
{
    uint64_t due;
    if (!p->has_keeper && graph_next_timer(p->graph, &due)) {
        struct timespec until = pool_timespec(p, due);
        p->has_keeper = true;
        p->keeper_ns = due;
        w->was_parked |= monitor_wait_locked(&p->monitor, &until);
        p->has_keeper = false;
    } else {
        w->was_parked |= monitor_wait_locked(&p->monitor, NULL);
    }
    take_over(p, w);
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
    pool_wake_more_locked(p);
    pool_unlock(p);
    worker_flush(p, w);
    FoldResult r = worker_run_fold(p, w, f);
    pool_lock(p, w);
    bool is_cancelled = w->task.err.status == ERR_CANCELLED && (p->is_cancelled || p->is_failed);
    if (r == FOLD_FAILED && !is_cancelled) /* else it only stopped, as it was told */
        failure_note_locked(p, w, fold_place(p, f));
    graph_fold_end(p->graph, f, r, w->now_ns);
    check_locked(p);
}

static void generators_pause_locked(Pool *p)
{
    const PoolOptions *o = &p->options;
    for (const Loan *l = p->loans; l; l = l->next)
        loan_await_locked(p, l);
    if (o->is_full)
        graph_pause(p->graph, o->is_full(o->full_ctx));
    for (uint32_t c = 1; o->is_scope_full && c < p->spec->n_scopes; c++)
        graph_pause_scope(p->graph, c, o->is_scope_full(o->full_ctx, c));
}

void worker_loop(Pool *p, Worker *w)
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
        Loan *loan;
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
        generators_pause_locked(p);
        if ((loan = loan_find_locked(p)) != NULL && !graph_has_before(g, loan->rank)) {
            loan_help_locked(p, w, loan);
            continue;
        }
        if ((i = graph_pick(g)) != NULL) {
            pool_wake_more_locked(p);
            pool_unlock(p);
            worker_flush(p, w);
            worker_run_task(p, w, i);
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
            pool_wake_more_locked(p); /* a release may take long, and somebody must wait for the next timer */
            pool_unlock(p);
            worker_flush(p, w);
            pool_lock(p, w);
            continue;
        }
        wait_locked(p, w);
    }
    monitor_call_all_locked(&p->monitor);
    pool_unlock(p);
    worker_flush(p, w);
    if (p->options.trace)
        thread_time_close(&w->time);
}
