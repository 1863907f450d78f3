/* pool_task.c - one task: run, folded, timed, limited; and what a task may ask while it runs. All without the lock. */
#include "sched/pool_int.h"

#include "base/value.h"

/* Reading a ThreadTime costs one or two microseconds: what is over sooner than this does
 * without. */
enum { MEASURED_NS = 20000 };

/* What it yielded is dropped; task.err says why. */
static void task_fail(Pool *p, Worker *w)
{
    Task *t = &w->task;
    if (w->result == TASK_YIELDED) {
        if (t->batch && p->tasks.release_out)
            worker_put_release(w, RELEASE_OUT, instance_step(t->inst), t->batch);
        if (t->user && p->tasks.release_user)
            worker_put_release(w, RELEASE_USER, 0, t->user);
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

bool worker_may_retry(const Worker *w)
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
    case TASK_FAILED: return worker_may_retry(w) ? OUTCOME_RETRY : OUTCOME_FAILED;
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
}

/* How long it took to wake up is not the next task's. */
void worker_time_begin(const Pool *p, Worker *w)
{
    w->task.start_ns = w->now_ns;
    w->slept_ns = 0;
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
uint32_t worker_shares(const Pool *p, Worker *w)
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
    TraceEvent *e = worker_event(w);
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

void worker_run_task(Pool *p, Worker *w, Instance *i)
{
    Task *t = &w->task;
    InstanceInfo info;
    instance_info(i, &info);
    task_reset(w, i);
    worker_time_begin(p, w);
    TraceEvent *e = event_put(w, &info, TRACE_START);
    e->value = info.ready_ns;
    e->info = info.n_yielded;
    e->outcome = OUTCOME_DONE;
    worker_flush(p, w); /* who shows the run wants to know it now, not when the task is over */
    w->result = p->tasks.run(p->tasks.ctx, t);
    worker_look_at_time(p, w);
    task_limits(p, w);
    e = event_put(w, &info, TRACE_END);
    e->value = trace_pair(t->n_rows_in, t->n_rows_out);
    e->info = worker_shares(p, w);
    e->outcome = (uint8_t)outcome_of(w);
    key_note(p, w, i, w->result == TASK_FAILED);
}

FoldResult worker_run_fold(Pool *p, Worker *w, const Fold *f)
{
    const Tasks *t = &p->tasks;
    FoldResult r = FOLD_MORE;
    worker_look_at_time(p, w);
    task_reset(w, f->reader);
    worker_time_begin(p, w);
    if (f->is_commit && t->commit)
        r = t->commit(t->ctx, &w->task);
    else if (!f->is_commit && t->fold)
        r = t->fold(t->ctx, &w->task, f->input, f->child);
    worker_look_at_time(p, w);
    worker_tell_instance(w, f->reader, instance_frame(f->child), TRACE_FOLD,
                   r == FOLD_FAILED ? OUTCOME_FAILED : OUTCOME_DONE, w->task.start_ns,
                   worker_shares(p, w));
    key_note(p, w, f->reader, r == FOLD_FAILED);
    return r;
}

struct timespec pool_timespec(const Pool *p, uint64_t run_ns)
{
    uint64_t ns = run_ns > UINT64_MAX / 2 ? UINT64_MAX / 2 : run_ns + p->t0_ns;
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
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
    if (deadline_ns != UINT64_MAX && pool_now_ns(t->pool) >= deadline_ns)
        return timeout_error(task_spec(t), err);
    return OK;
}

void task_tell_bad_rows(const Task *t, uint32_t step, uint64_t n_skipped, uint64_t n_nulled)
{
    Worker *w = &t->pool->workers[t->worker];
    *worker_event(w) = (TraceEvent){.t_ns = w->now_ns,
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
    uint64_t now = pool_now_ns(p), deadline = task_deadline_ns(t);
    uint64_t until_ns = ns < UINT64_MAX - now ? now + ns : UINT64_MAX;
    if (until_ns > deadline)
        until_ns = deadline;
    struct timespec until = pool_timespec(p, until_ns);
    pthread_mutex_lock(&p->sleep_mu);
    while (!atomic_load_explicit(&p->at_once, memory_order_relaxed) &&
           pool_now_ns(p) < until_ns)
        pthread_cond_timedwait(&p->sleep_wake, &p->sleep_mu, &until);
    pthread_mutex_unlock(&p->sleep_mu);
    p->workers[t->worker].slept_ns += pool_now_ns(p) - now;
    return task_status(t, deadline, err);
}
