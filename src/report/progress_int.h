/* progress_int.h - what is counted while a run goes on: for progress.c and progress_block.c alone.
 *
 * Counters are atomic, any worker counts; what else is shared has its lock beside it.
 */
#ifndef PIPE_REPORT_PROGRESS_INT_H
#define PIPE_REPORT_PROGRESS_INT_H

#include "report/progress.h"

#include <pthread.h>
#include <stdatomic.h>

/* What is drawn is a moment's view. Lines that say that a step is over are not: whoever counts last sees
 * what all others counted, since counting and reading are in one order for all threads. */
typedef struct StepState {
    _Atomic uint64_t n_started, n_running, n_done, n_failed, n_retries, n_skipped;
    _Atomic uint64_t n_over_retries; /* of instances that are over: n_retries may be behind */
    _Atomic uint64_t n_yielded, busy_ns;
    _Atomic uint64_t n_bad_rows, n_bad_values; /* that a policy dropped, made null */
    _Atomic uint64_t skip_cause; /* 1 + the step that failed; 0: none was skipped */
    _Atomic bool said_start, said_end;
} StepState;

typedef struct ScopeState {
    _Atomic uint64_t n_opened, n_live;
    _Atomic uint64_t n_generators_over; /* instances of its generator that are exhausted */
    _Atomic uint64_t n_given; /* batches of those: n_opened may be behind, since the last look of a
                               * generator may be told of before the batch that it gave just before */
} ScopeState;

struct Progress {
    ProgressOptions options;
    Observer observer;
    const RunInfo *info;  /* NULL before the run and after it */
    Str *names;           /* [n_steps] visible, for after the run too */
    uint32_t n_steps, n_scopes;
    StepState *steps;     /* [n_steps] */
    ScopeState *scopes;   /* [n_scopes] */
    uint64_t *start_ns;   /* [n_workers] each written and read by its worker alone */
    uint32_t *start_key;  /* [n_workers] likewise: of a generator the batches that it gave before */
    int64_t begun_ns;     /* clock_now_ns at the run's start */
    pthread_t ticker;
    bool has_ticker;

    pthread_mutex_t mu;   /* what follows, and the streams */
    pthread_cond_t wake;
    bool is_closing;
    bool has_block;       /* a ticker draws it */
    uint32_t n_drawn;     /* lines of the block on the screen */
    Buf pending;          /* lines for above the block, written with the next redraw */
    int64_t last_said_ns; /* PLAIN: when something was written */
};

static inline uint64_t load(const _Atomic uint64_t *p)
{
    return atomic_load(p);
}

static inline void add(_Atomic uint64_t *p, uint64_t n)
{
    atomic_fetch_add(p, n);
}

static inline void sub(_Atomic uint64_t *p, uint64_t n)
{
    atomic_fetch_sub(p, n);
}

/* Have all frames of the scope been opened? They have when every instance of its generator is over,
 * of which there are as many as frames of the scope around it, and what these gave has been told. The scope
 * around goes first: only then is the number of its frames the last word. */
bool scope_is_known(const Progress *p, uint32_t scope);

static inline bool step_total(const Progress *p, uint32_t step, uint64_t *total)
{
    uint32_t scope = p->info->steps[step].scope;
    bool is_known = scope_is_known(p, scope);
    *total = load(&p->scopes[scope].n_opened);
    return is_known;
}

static inline uint64_t step_over(const StepState *s)
{
    return load(&s->n_done) + load(&s->n_failed) + load(&s->n_skipped);
}

#endif
