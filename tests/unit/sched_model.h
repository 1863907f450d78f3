/* sched_model.h - what the steps of a random spec do: how long an attempt takes, whether it
 * fails, how many batches a generator has. It follows from the seed, the step, the key path,
 * the attempt and the batch alone, so that it is the same for whoever drives the run. */
#ifndef PIPE_TESTS_SCHED_MODEL_H
#define PIPE_TESTS_SCHED_MODEL_H

#include "sched_spec.h"

typedef struct Who {
    uint64_t hash; /* of seed, step and key path: hash_instance */
    uint32_t attempt, n_yielded;
} Who;

static inline Who who_of(uint64_t seed, const Instance *i)
{
    return (Who){hash_instance(seed, i), instance_attempt(i), instance_n_yielded(i)};
}

static inline uint64_t who_hash(Who w, uint64_t salt)
{
    return hash_of(w.hash ^ salt << 56 ^ (uint64_t)w.attempt << 40 ^ w.n_yielded);
}

static inline uint64_t who_takes_ns(Who w)
{
    uint64_t h = who_hash(w, 1);
    return h % 4 == 0 ? 0 : h / 4 % 50;
}

static inline bool who_fails(Who w) { return who_hash(w, 2) % 12 == 0; }

static inline bool who_has_batch(Who w) { return w.n_yielded < (w.hash >> 20) % 9; }

#endif
