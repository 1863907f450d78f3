/* pool.h - runs a GraphSpec on threads.
 *
 * n_workers threads around one graph under one short lock. Worker 0 is the calling
 * thread; so with one worker there are no threads at all and one exact order. Tasks are
 * called without the lock.
 *
 *   Pool *p = pool_new(&spec, &tasks, &options);
 *   pool_run(p, &summary);          (blocks)
 *   ... use summary ...
 *   pool_free(p);
 */
#ifndef PIPE_SCHED_POOL_H
#define PIPE_SCHED_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/observer.h"
#include "base/status.h"
#include "sched/graph.h"
#include "sched/spec.h"
#include "sched/trace.h"

typedef struct Pool Pool;

/* What a task is told and what it says. Belongs to the worker; valid for the call. */
typedef struct Task {
    Pool *pool;
    uint32_t worker;
    Instance *inst;     /* step, frame, inputs, output, state: graph.h */
    uint64_t start_ns;  /* since the run's start */
    /* Said by the task: */
    uint64_t n_rows_in, n_rows_out; /* for trace and progress; 0 before */
    void *batch;        /* TASK_YIELDED: the output of the generator in the new frame */
    void *user;         /* TASK_YIELDED: frame_user of the new frame, of which its label is made;
                         * NULL: none, it is numbered */
    Error err;          /* TASK_FAILED; err.status is OK before */
} Task;

typedef enum TaskResult {
    TASK_DONE,
    TASK_YIELDED,   /* a generator: task->batch is the next batch; it will be called again */
    TASK_EXHAUSTED, /* a generator: no more batches */
    /* task->err says why. ERR_FAIL, ERR_IO and ERR_TIMEOUT are retried as the step's
     * RetrySpec says. A generator that is tried again goes on with batch
     * instance_n_yielded: those before it live and are not yielded again. */
    TASK_FAILED,
} TaskResult;

typedef struct Tasks {
    void *ctx;
    /* Runs one instance: reads instance_input, calls instance_set_out. */
    TaskResult (*run)(void *ctx, Task *t);
    /* Folds the child's output into t->inst, the instance that gathers it by its input
     * `input`: in key order, one at a time for each gathering edge. `run` of t->inst comes
     * after the last fold. The usual place of the partial state is instance_state(t->inst);
     * two edges into one step fold at the same time, so they must not share it unguarded. */
    FoldResult (*fold)(void *ctx, Task *t, uint32_t input, const Instance *child);
    /* t->inst of a step that is_ordered has run, and all with smaller keys are committed. */
    FoldResult (*commit)(void *ctx, Task *t);
    /* The last reader is done; a batch comes with its generator's step. Called on the
     * worker that was the last, before it starts anything else. Never with NULL. */
    void (*release_out)(void *ctx, uint32_t step, void *out);
    void (*release_state)(void *ctx, uint32_t step, void *state);
    void (*release_user)(void *ctx, void *user);
    Str (*label)(const void *user); /* as in GraphHooks; may be NULL */
} Tasks;

typedef struct PoolOptions {
    uint32_t n_workers;       /* >= 1 */
    uint64_t seed;            /* of jitter */
    const Observer *observer; /* only `event` is called; NULL: none */
    Trace *trace;             /* made for as many workers; NULL: none */
    /* Asked under the lock before each dispatch: do all generators wait (graph_pause), does that of a scope
     * (graph_pause_scope)? What makes them say false again must be done by tasks and releases. NULL: they never wait. */
    bool (*is_full)(void *ctx);
    bool (*is_scope_full)(void *ctx, uint32_t scope);
    void *full_ctx;
} PoolOptions;

typedef struct PoolFailure {
    uint32_t step, attempt;
    char key[256];            /* "a.csv/17", made visible; cut with ".." where it is longer */
    Error err;
} PoolFailure;

enum { POOL_MAX_FAILURES = 32 }; /* kept with their text; all are counted */

/* Owned by the pool. */
typedef struct PoolSummary {
    RunState state;
    uint64_t t_ns;
    const StepCount *steps;   /* [spec.n_steps] */
    const ScopeCount *scopes; /* [spec.n_scopes] */
    uint64_t n_failures;
    uint32_t n_kept;
    const PoolFailure *failures; /* [n_kept] the earliest; if the run failed, [0] stopped it */
} PoolSummary;

Pool *pool_new(const GraphSpec *spec, const Tasks *tasks, const PoolOptions *options);
void pool_run(Pool *p, PoolSummary *out); /* once */
void pool_free(Pool *p);                  /* NULL is fine */

/* From any thread, but not from a signal handler. The first stops starting and lets what
 * runs end. At once also wakes sleepers: their attempts end with ERR_CANCELLED. */
void pool_cancel(Pool *p, bool at_once);

/* For tasks that take long: OK to go on, ERR_CANCELLED, or ERR_TIMEOUT when the step's
 * timeout is over. A task that is told so fails with it. */
Status task_check(const Task *t, Error *err);
/* What a policy of the step let pass, for trace and observer: a TRACE_BAD_ROWS. */
void task_tell_bad_rows(const Task *t, uint32_t step, uint64_t n_skipped, uint64_t n_nulled);
/* Has the run failed meanwhile, so that what the task makes is thrown away? It may say so with ERR_CANCELLED. */
bool task_is_in_vain(const Task *t);
/* Blocks the worker; ends early with the same answers. */
Status task_sleep(const Task *t, uint64_t ns, Error *err);

/* What a task lends to the other workers: pieces of it that any of them may do while it goes on itself. They take one when they
 * are free and nothing is ready that comes before the task's step; so there are never more threads at work than workers, and
 * priorities hold. A task may count on nobody: with one worker there is none. What they do is told as a TRACE_HELP of the task's step.
 * It is the task's, and zeroed but for what it calls. A generator may lend beyond the task, until its state is released: the next
 * batch comes before such a piece. Where the run stops there is none, and no piece but for a task that still runs. */
typedef struct Loan {
    void *ctx;
    /* Does a piece, on that worker, while others may do theirs; false: there was none to do just now. */
    bool (*piece)(void *ctx, uint32_t worker);
    /* Of a generator: is a worker at the piece that the next batch needs? Then the generator is left to it, which has in its cache
     * what it is about. Asked under the pool's lock: who holds a lock that this takes must not call the pool. NULL: that never is. */
    bool (*is_at_next)(const void *ctx);
    /* The pool's, guarded by its lock: */
    Pool *pool;
    struct Loan *next;
    uint32_t rank, n_helpers;
    uint32_t step, frame, attempt; /* the lender's: it may be over while pieces are done */
    uint64_t n_offers;
    bool is_offered; /* there may be a piece */
    bool is_beyond;  /* task_lend_on */
} Loan;
void task_lend(const Task *t, Loan *l);
void task_lend_on(const Task *t, Loan *l); /* beyond the task */
void loan_more(Loan *l);      /* there is a piece to do, after there was none */
void loan_take_back(Loan *l); /* before what lends ends: waits until nobody is at it. Of one that was not lent nothing happens */

#endif
