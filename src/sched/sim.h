/* sim.h - the graph on a virtual clock: a run without threads, tasks or waiting.
 *
 * The same graph.h that the pool drives, with n_workers workers that only exist in a
 * table and durations from a model. The same model gives the same run to the nanosecond.
 *
 * An attempt waits first (sleeps, reads a disk), then it is on a processor. Waiting goes on
 * beside anything else; processors are shared: when more workers want one than there are, all
 * of these are slowed down alike. An attempt that would take longer than its step's timeout fails when
 * that is over; a batch beyond max_batches fails its generator for good.
 */
#ifndef PIPE_SCHED_SIM_H
#define PIPE_SCHED_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/observer.h"
#include "sched/graph.h"
#include "sched/spec.h"

typedef struct SimModel {
    void *ctx;
    /* How long this attempt takes. */
    uint64_t (*duration_ns)(void *ctx, const Instance *i);
    /* How much of that is on a processor; at most all. NULL: nothing. */
    uint64_t (*cpu_ns)(void *ctx, const Instance *i);
    /* How long a fold or commit takes, all of it on a processor. NULL: no time. */
    uint64_t (*fold_ns)(void *ctx, const Fold *f);
    /* Does the generator have a batch with key instance_n_yielded(i)? */
    bool (*has_batch)(void *ctx, const Instance *i);
    /* Does this attempt fail? NULL: none does. Steps are retried as their RetrySpec says. */
    bool (*fails)(void *ctx, const Instance *i);
    /* Is that failure of a kind that is not tried again? NULL: none is. */
    bool (*gives_up)(void *ctx, const Instance *i);
    /* How a fold or commit of child's output ends. NULL: FOLD_MORE. */
    FoldResult (*fold)(void *ctx, const Instance *reader, const Instance *child);
    /* What an instance that ends well puts out (of a generator: the batch that it yields),
     * and where that goes after its last use. NULL: nothing is put out. */
    void *(*output)(void *ctx, const Instance *i);
    void (*release)(void *ctx, uint32_t step, void *out);
    uint64_t seed; /* of jitter */
} SimModel;

typedef struct SimOptions {
    uint32_t n_workers;
    uint32_t n_processors;    /* 0: as many as workers */
    const Observer *observer; /* only `event` is called; NULL: none */
    /* Check every invariant after every event, and live batches against limit[scope]. */
    bool check;
    const uint64_t *limit;
    uint64_t stop_ns; /* cancel then; 0: never */
} SimOptions;

typedef struct SimSummary {
    RunState state;
    uint64_t makespan_ns;
    uint64_t busy_ns;    /* of all workers, folds included */
    uint64_t n_events;   /* dispatches, ends, folds */
    StepCount *steps;    /* [n_steps], owned: sim_summary_deinit */
    ScopeCount *scopes;  /* [n_scopes], owned */
} SimSummary;

void sim_run(const GraphSpec *spec, const SimModel *model, const SimOptions *options,
             SimSummary *out);
void sim_summary_deinit(SimSummary *s);

#endif
