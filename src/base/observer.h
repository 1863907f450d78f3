/* observer.h - the interface by which a run says what happens in it.
 *
 * Progress, traces, Gantt charts and the run store are made from this and from nothing
 * else. A run is described once (RunInfo), then every happening is one TraceEvent of 32
 * bytes, then the counts at the end (RunEnd). Times are nanoseconds since the run's
 * start, of a monotonic clock or of the simulator's.
 *
 * Names: a *step* is a node of the DAG. A *frame* is one live batch of a fan-out: the
 * root frame has id 0 and is there from the start, every other is opened by a step that
 * generates and has a place in its parent (its key: 0, 1, 2 ...). An *instance* is one
 * step in one frame; each attempt at it is one START and one END. A generator has a
 * START and an END for each batch it yields, and for the last look that finds no more.
 * Pieces that other workers do for an instance are no instances: each is a HELP.
 *
 * Threads: `event` is called by the worker that it happened to, several at a time and
 * without any lock held; only the events of one worker come in order of time.
 */
#ifndef PIPE_BASE_OBSERVER_H
#define PIPE_BASE_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

typedef enum TraceKind {
    TRACE_START, /* an instance begins.  value: since when it was ready, in ns;
                  * info: for a generator the key of the batch it goes for */
    TRACE_END,   /* an instance ends.  outcome; value: trace_rows_in and _out;
                  * info: trace_shares */
    TRACE_FOLD,  /* a batch was folded into a collect, or appended in key order by an
                  * ordered write.  t_ns: end; value: start in ns; frame: the batch's;
                  * step: the collecting or writing one; outcome DONE or FAILED;
                  * info: trace_shares */
    TRACE_OPEN,  /* a batch begins to live.  frame: the new one; step: its generator;
                  * info: its key; value: trace_parent and trace_live */
    TRACE_CLOSE, /* a batch's last use is over.  step: its generator; info: its key;
                  * value: trace_live */
    TRACE_SKIP,  /* an instance will not run.  info: the step whose failure is the cause */
    TRACE_RETRY, /* an attempt failed and another will follow.  value: when, in ns */
    TRACE_BAD_ROWS, /* what a policy let pass.  step: whose policy it is; frame: where it was found out;
                     * value: trace_bad_skipped and _nulled */
    TRACE_HELP,  /* a worker did a piece of what an instance had lent.  t_ns: end; value: start in ns;
                  * step, frame, attempt: the lender's; worker: who did it; outcome DONE; info: trace_shares */
} TraceKind;

typedef enum Outcome {
    OUTCOME_DONE,
    OUTCOME_YIELDED,   /* a generator gave one batch */
    OUTCOME_EXHAUSTED, /* a generator has no more */
    OUTCOME_FAILED,
    OUTCOME_RETRY,     /* failed, to be tried again */
} Outcome;

typedef struct TraceEvent {
    uint64_t t_ns;
    uint64_t value;   /* by kind */
    uint32_t frame;   /* id of the frame */
    uint32_t info;    /* by kind */
    uint16_t step;    /* index into RunInfo.steps */
    uint16_t worker;  /* 0 .. n_workers - 1 */
    uint16_t attempt; /* from 1 */
    uint8_t kind;     /* TraceKind */
    uint8_t outcome;  /* Outcome, of END, FOLD and HELP */
} TraceEvent;

_Static_assert(sizeof(TraceEvent) == 32, "traces count on 32 bytes an event");

/* Two 32-bit halves of TraceEvent.value; rows above 2^32 - 1 are cut to that. */
static inline uint64_t trace_pair(uint64_t low, uint64_t high)
{
    uint64_t max = UINT32_MAX;
    return (low < max ? low : max) | (high < max ? high : max) << 32;
}
static inline uint32_t trace_rows_in(const TraceEvent *e) { return (uint32_t)e->value; }
static inline uint32_t trace_bad_skipped(const TraceEvent *e) { return (uint32_t)e->value; }
static inline uint32_t trace_bad_nulled(const TraceEvent *e) { return (uint32_t)(e->value >> 32); }
static inline uint32_t trace_rows_out(const TraceEvent *e) { return (uint32_t)(e->value >> 32); }
/* Live batches of the generator's scope just after an OPEN or CLOSE. */
static inline uint32_t trace_live(const TraceEvent *e) { return (uint32_t)e->value; }
/* Id of the frame in which the generator runs (OPEN). */
static inline uint32_t trace_parent(const TraceEvent *e) { return (uint32_t)(e->value >> 32); }

/* What an END, a FOLD or a HELP took its time for: the part of it on a processor and the part
 * asleep (in `sleep`, for a disk, for a lock), each in 65,535ths; the rest others had the
 * processors. 0: not measured, as with what is over in a few microseconds. */
static inline uint32_t trace_share(uint64_t part_ns, uint64_t wall_ns)
{
    if (part_ns >= wall_ns)
        return 65535;
    return (uint32_t)((double)part_ns / (double)wall_ns * 65535 + 0.5);
}
static inline uint32_t trace_shares(uint64_t cpu_ns, uint64_t slept_ns, uint64_t wall_ns)
{
    uint32_t cpu = trace_share(cpu_ns, wall_ns);
    return (cpu ? cpu : 1) | trace_share(slept_ns, wall_ns) << 16;
}
static inline uint64_t trace_cpu_ns(uint32_t shares, uint64_t wall_ns)
{
    return (uint64_t)((double)wall_ns * (shares & 65535) / 65535 + 0.5);
}
static inline uint64_t trace_slept_ns(uint32_t shares, uint64_t wall_ns)
{
    return (uint64_t)((double)wall_ns * (shares >> 16) / 65535 + 0.5);
}

#define RUN_NO_STEP UINT32_MAX

typedef struct RunStep {
    Str name;
    uint32_t scope;       /* where it runs: once per frame of this scope */
    uint32_t child_scope; /* the scope that it opens, 0 if it is no generator */
    int32_t priority;
    bool is_collect;      /* it waits for all batches of a child scope */
    bool is_ordered;      /* its instances are committed in key order */
    uint32_t cap;         /* at most so many of its instances run at a time; 0: any number */
    uint32_t pool;        /* 1 + index into RunInfo.pools; 0: none */
    Str rejects;          /* the file that its bad rows go to, as the program writes it; empty: none */
    uint32_t n_inputs;
    const uint32_t *inputs; /* [n_inputs] steps whose outputs it reads */
} RunStep;

typedef struct RunScope {
    uint32_t parent;     /* 0 for scope 0 itself */
    uint32_t generator;  /* the step that opens it; RUN_NO_STEP for scope 0 */
    uint64_t bound;      /* on live batches, proved before the run; UINT64_MAX: none */
    uint32_t credits;    /* for live batches; UINT32_MAX: any number; 0: not known, as for scope 0 */
} RunScope;

typedef struct RunPool {
    Str name;
    uint32_t size; /* at most so many instances of its steps run at a time */
} RunPool;

/* Borrowed; it lives until run_end has returned. */
typedef struct RunInfo {
    Str file, job;
    uint32_t n_workers;
    uint32_t n_processors; /* that the run could use; 0: not known */
    uint32_t n_steps, n_scopes, n_pools;
    const RunStep *steps;   /* [n_steps], in step order */
    const RunScope *scopes; /* [n_scopes]; scope 0 is the root and has one frame */
    const RunPool *pools;   /* [n_pools] */
} RunInfo;

typedef enum RunState {
    RUN_DONE,
    RUN_PARTIAL,   /* something failed and was skipped, as the program says */
    RUN_FAILED,
    RUN_CANCELLED,
} RunState;

typedef struct StepCount {
    uint64_t n_done;        /* of a generator: when it was exhausted */
    uint64_t n_failed;      /* for good */
    uint64_t n_skipped;     /* downstream of a failure */
    uint64_t n_retries;
    uint64_t n_not_started; /* in frames that were there when the run stopped */
} StepCount;

/* What a step's policy let pass. */
typedef struct BadRowCount {
    uint64_t n_skipped; /* rows */
    uint64_t n_nulled;  /* values that became null */
} BadRowCount;

typedef struct ScopeCount {
    uint64_t n_batches;    /* opened */
    uint32_t peak_live;
    uint32_t n_overdrafts; /* credits beyond the limit, granted against a deadlock */
} ScopeCount;

/* The key of a batch among its siblings where that is no number. */
typedef struct FrameLabel {
    uint32_t frame; /* id */
    Str label;      /* any bytes */
} FrameLabel;

/* Of a run with a budget. */
/* What became of instances by what was kept of a run before, and what is kept now. */
typedef struct KeptCount {
    uint64_t n_kept;     /* outputs of this run */
    uint64_t n_restored; /* taken from the run before */
    uint64_t n_left_out; /* instances that did not run, as nobody wanted their outputs */
    uint64_t n_damaged;  /* outputs that could not be used */
} KeptCount;

typedef struct MemoryUse {
    uint64_t budget_bytes;  /* 0: none, and then all is 0 */
    uint64_t peak_bytes;    /* of what is counted: live batches and what operators hold */
    uint64_t held_bytes;    /* 0: the peak was not beyond the budget by more than a batch; else what of it ... */
    uint32_t held_by;       /* ... this step had, the most of all */
    uint64_t spilled_bytes; /* written to temporary files, compressed */
    const uint64_t *steps;  /* [n_steps] of them, those of each step; NULL: none spilled */
    const uint64_t *step_rows; /* [n_steps] rows and groups that were in them, each time that one was spilled */
} MemoryUse;

typedef struct RunEnd {
    RunState state;
    uint64_t t_ns;              /* how long the run took */
    const StepCount *steps;     /* [n_steps] */
    const ScopeCount *scopes;   /* [n_scopes] */
    const struct Profile *profile; /* base/profile.h; NULL: none was made. For recordings */
    const BadRowCount *bad_rows; /* [n_steps]; NULL: no step has a policy */
    MemoryUse memory;
    KeptCount kept;
    size_t n_labels;            /* of the batches of which events are kept; 0 where none are */
    const FrameLabel *labels;   /* [n_labels], in any order */
} RunEnd;

typedef struct Observer {
    void *ctx;
    void (*run_start)(void *ctx, const RunInfo *info);
    /* err: the cause with END of outcome FAILED or RETRY and with FOLD of outcome FAILED,
     * else NULL. Borrowed, as is e. */
    void (*event)(void *ctx, const TraceEvent *e, const Error *err);
    void (*run_end)(void *ctx, const RunEnd *end);
    /* Instead of `event` if it is not NULL. key: with an END or FOLD that has an err the path of the
     * batch in which the instance runs ("a.csv/3", any bytes); with wants_keys at each END and FOLD, which
     * costs; else, and in the root, empty. Borrowed. */
    void (*keyed_event)(void *ctx, const TraceEvent *e, const Error *err, Str key);
    bool wants_keys;
} Observer;

#endif
