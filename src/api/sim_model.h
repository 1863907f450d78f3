/* sim_model.h - how long everything takes in a simulation, for sched/sim.h: from durations
 * that somebody wrote, or as a recorded run has it.
 *
 * Of a recorded run, what has the same key is played again: how long it took, on a processor
 * and waiting, and how it ended, attempt by attempt. What was not recorded is as a recorded
 * one of the same step, drawn by seed, step and key; so the same in every setting. Every
 * instance also needs the time that its worker lost between two instances, on the average.
 *
 * An instance's own time is what it was on a processor and asleep. When others had the
 * processors, the run had more workers than these, which the simulation finds for itself, or
 * the machine had other work, which it leaves out.
 *
 * Ownership: the arena given. One thread; a model keeps the last answer.
 */
#ifndef PIPE_API_SIM_MODEL_H
#define PIPE_API_SIM_MODEL_H

#include "base/arena.h"
#include "base/map.h"
#include "report/recording.h"
#include "sched/sim.h"

/* A duration that was written: uniform from least_ns to most_ns. */
typedef struct Duration {
    uint64_t least_ns, most_ns;
    bool is_cpu; /* it needs a processor, else it waits */
} Duration;

/* Batches of one instance of a generator. */
typedef struct BatchCount {
    bool is_known; /* else as recorded */
    uint64_t n;
} BatchCount;

typedef struct Recorded Recorded;

typedef struct SimQuestion { /* without holes: compared as bytes */
    uint32_t step, frame, n_yielded, attempt;
} SimQuestion;

typedef struct TimeModel {
    Arena *arena;
    const GraphSpec *spec;
    uint64_t seed;
    const BatchCount *batches;   /* [n_scopes] */
    const Duration *durations;   /* [n_steps]; NULL: a recorded run */
    Recorded *recorded;
    SimQuestion last;            /* what was asked of the record last; attempt 0: nothing */
    const void *last_answer;
} TimeModel;

/* run: of the steps and scopes of the spec; step_of[step of the spec] is its step. It may go
 * when this returns. */
Recorded *recorded_make(Arena *a, const GraphSpec *spec, const Recording *run,
                        const uint32_t *step_of);
/* Batches that instances of this generator gave, all together. */
uint64_t recorded_batches(const Recorded *r, uint32_t step);
/* What a worker loses between two instances. */
uint64_t recorded_gap_ns(const Recorded *r);
/* What workers did for instances that ran on others. It is not played again: an instance takes as long as it did with it. */
uint64_t recorded_help_ns(const Recorded *r);
/* What an attempt takes on the average. */
uint64_t recorded_mean_ns(const Recorded *r);

/* The model must outlive its use. */
SimModel time_model(TimeModel *m);

#endif
