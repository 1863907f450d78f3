/* pool_int.h - a pool and its workers: for pool*.c alone.
 *
 * pool.c makes and ends it, pool_worker.c is the life of a worker, pool_task.c runs one task, pool_loan.c has what tasks lend, pool_note.c what
 * the graph says under the lock and what is done about it without. A Worker belongs to its thread, but for what its
 * fields say; functions that end in _locked want the pool's lock held.
 */
#ifndef PIPE_SCHED_POOL_INT_H
#define PIPE_SCHED_POOL_INT_H

#include "sched/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "sched/monitor.h"
#include "sched/thread_time.h"
#include "sched/ticks.h"

/* Builds that check: all invariants and the proved bound, after every event. */
#if defined(PIPEMILL_CHECK) || defined(PIPEMILL_STRESS)
enum { IS_CHECKED = true };
#else
enum { IS_CHECKED = false };
#endif

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
    Trace *own_trace; /* of what the observer has yet to be told; NULL unless there is one and no trace was given */
    Worker *workers;  /* [n_workers] */
    uint64_t t0_ns;
    uint64_t *limit;  /* [n_scopes] on live batches; NULL unless IS_CHECKED */

    Monitor monitor;
    /* guarded by it: */
    Graph *graph;
    Worker *current;     /* who is calling into the graph */
    bool has_keeper;     /* an idle worker that waits for the next timer ... */
    uint64_t keeper_ns;  /* ... which was this one */
    Loan *loans;         /* by rank; of one rank the oldest first */
    pthread_cond_t loan_idle; /* nobody is at one of them any more */
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

static inline uint64_t pool_now_ns(const Pool *p) { return (uint64_t)clock_now_ns() - p->t0_ns; }

/* A worker's time goes by its own ticks only, so that it never goes back. */
static inline void worker_look_at_time(const Pool *p, Worker *w)
{
    w->now_ns = ticks_now_ns(&w->ticks) - p->t0_ns;
}

/* pool_note.c: */
void worker_note_event(Worker *w, const TraceEvent *e);
void worker_put_release(Worker *w, ReleaseKind kind, uint32_t step, void *what);
void worker_flush_noted(Pool *p, Worker *w);
GraphHooks pool_hooks(Pool *p);

/* Where to write the worker's next event. What is for the observer stays there until it is
 * flushed. */
static inline TraceEvent *worker_event(Worker *w)
{
    if (!w->trace)
        return &w->unseen;
    TraceEvent *e = trace_next(w->trace);
    if (w->is_observed)
        worker_note_event(w, e);
    return e;
}

/* Does what was noted under the lock, without it. */
static inline void worker_flush(Pool *p, Worker *w)
{
    if (w->n_events || w->n_releases)
        worker_flush_noted(p, w);
}

static inline const StepSpec *task_spec(const Task *t)
{
    return &t->pool->spec->steps[instance_step(t->inst)];
}

/* An event of worker w now. `at`: the frame that it is told of. */
void worker_tell_instance(Worker *w, const Instance *i, const Frame *at, TraceKind kind, Outcome outcome, uint64_t value,
                          uint32_t info);

struct timespec pool_timespec(const Pool *p, uint64_t run_ns);

/* pool_task.c, without the lock. w->result and w->task.err say how the task ended. */
void worker_run_task(Pool *p, Worker *w, Instance *i);
FoldResult worker_run_fold(Pool *p, Worker *w, const Fold *f);
/* The time of a task, a fold or a piece of help: it begins now; what it went into (trace_shares), at its end. */
void worker_time_begin(const Pool *p, Worker *w);
uint32_t worker_shares(const Pool *p, Worker *w);
/* Of a task that failed. */
bool worker_may_retry(const Worker *w);

/* pool_worker.c: until the run is over. */
void worker_loop(Pool *p, Worker *w);
/* Takes the lock for w. True if it was free at once. */
bool pool_lock(Pool *p, Worker *w);
void pool_unlock(Pool *p);
/* Has an idle worker come if there is something for it. */
void pool_wake_more_locked(Pool *p);

/* May there be a piece that somebody will want? */
static inline bool loan_is_open_locked(const Pool *p, const Loan *l)
{
    return l->is_offered && !(l->is_beyond && graph_is_stopping(p->graph) && !graph_is_running(p->graph, l->step));
}
/* The first loan that may have a piece; NULL: none. */
static inline Loan *loan_find_locked(const Pool *p)
{
    Loan *l = p->loans;
    while (l && !loan_is_open_locked(p, l))
        l = l->next;
    return l;
}
/* pool_loan.c: does a piece of it; or what w has noted first. */
void loan_help_locked(Pool *p, Worker *w, Loan *l);
/* Lets the generator that lends wait for a worker that is at what its next batch needs, or not any more. */
void loan_await_locked(Pool *p, const Loan *l);

#endif
