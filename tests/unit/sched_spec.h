/* sched_spec.h - specs for the scheduler's tests: built by hand, or random from a seed. */
#ifndef PIPE_TESTS_SCHED_SPEC_H
#define PIPE_TESTS_SCHED_SPEC_H

#include <stdlib.h>
#include <string.h>

#include "sched/graph.h"
#include "sched/spec.h"

enum { MAX_STEPS = 100, MAX_SCOPES = 6, MAX_INPUTS = 4 };

typedef struct TestSpec {
    GraphSpec spec;
    StepSpec steps[MAX_STEPS];
    ScopeSpec scopes[MAX_SCOPES];
    PoolSpec pools[2];
    uint32_t inputs[MAX_STEPS][MAX_INPUTS];
} TestSpec;

static inline void spec_begin(TestSpec *t)
{
    memset(t, 0, sizeof *t);
    t->scopes[0].generator = SPEC_NO_STEP;
    t->spec.n_scopes = 1;
    t->spec.steps = t->steps;
    t->spec.scopes = t->scopes;
    t->spec.pools = t->pools;
}

/* After it was copied: it points into itself. */
static inline void spec_moved(TestSpec *t)
{
    t->spec.steps = t->steps;
    t->spec.scopes = t->scopes;
    t->spec.pools = t->pools;
    for (uint32_t k = 0; k < t->spec.n_steps; k++)
        t->steps[k].inputs = t->inputs[k];
}

/* A step in `scope`; its priority is its place unless the caller changes it. */
static inline uint32_t spec_step(TestSpec *t, uint32_t scope, const char *name)
{
    uint32_t id = t->spec.n_steps++;
    t->steps[id] = (StepSpec){.name = str_of(name),
                              .scope = scope,
                              .priority = (int32_t)id,
                              .order = id,
                              .pool = SPEC_NO_POOL,
                              .inputs = t->inputs[id]};
    return id;
}

static inline void spec_input(TestSpec *t, uint32_t step, uint32_t from)
{
    t->inputs[step][t->steps[step].n_inputs++] = from;
}

/* Makes a step a generator; returns the scope that it opens. */
static inline uint32_t spec_opens(TestSpec *t, uint32_t step, uint32_t in_flight)
{
    uint32_t scope = t->spec.n_scopes++;
    t->steps[step].opens = scope;
    t->scopes[scope] = (ScopeSpec){
        .parent = t->steps[step].scope, .generator = step, .in_flight = in_flight};
    return scope;
}

/* A generator and n steps after one another; step ids 0 .. n. */
static inline void spec_chain(TestSpec *t, uint32_t n, uint32_t in_flight)
{
    spec_begin(t);
    uint32_t scope = spec_opens(t, spec_step(t, 0, "extract"), in_flight);
    static const char *const names[] = {"t1", "t2", "t3", "t4"};
    for (uint32_t k = 1; k <= n; k++)
        spec_input(t, spec_step(t, scope, names[(k - 1) % 4]), k - 1);
}

/* splitmix64 */
static inline uint64_t hash_of(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t hash_instance(uint64_t seed, const Instance *i)
{
    uint64_t h = hash_of(seed ^ (instance_step(i) + 1));
    for (const Frame *f = instance_frame(i); f; f = frame_parent(f))
        h = hash_of(h ^ frame_index(f));
    return h;
}

typedef struct Random {
    uint64_t state;
} Random;

static inline uint32_t random_below(Random *r, uint32_t n)
{
    return (uint32_t)(hash_of(r->state++) % n);
}

static inline bool random_one_in(Random *r, uint32_t n) { return random_below(r, n) == 0; }

static inline bool edge_is_legal(const GraphSpec *s, uint32_t from, uint32_t to)
{
    uint32_t out = spec_out_scope(s, from), in = s->steps[to].scope;
    if (out == in || (out != 0 && s->scopes[out].parent == in))
        return true;
    while (in > out)
        in = s->scopes[in].parent;
    return in == out;
}

/* Fan-outs up to three deep, plain, broadcast and gathered inputs, caps, pools, credits,
 * ordered writes; with failures also retries, timeouts, max_batches and on_failure. */
static inline void spec_random(TestSpec *t, uint64_t seed, bool with_failures)
{
    Random r = {hash_of(seed)};
    bool by_depth = !random_one_in(&r, 3);
    spec_begin(t);
    t->spec.n_pools = 2;
    t->pools[0].size = 1 + random_below(&r, 2);
    t->pools[1].size = 4;
    uint32_t n = 2 + random_below(&r, 10), shape = random_below(&r, 3);
    for (uint32_t k = 0; k < n; k++) {
        /* Mostly below the last fan-out, so that it gets readers. */
        uint32_t n_scopes = t->spec.n_scopes;
        uint32_t scope = random_one_in(&r, 3) ? random_below(&r, n_scopes) : n_scopes - 1;
        uint32_t id = spec_step(t, scope, "step"), opens = 0;
        StepSpec *s = &t->steps[id];
        if (n_scopes < 4 && (k == 0 || random_one_in(&r, 4)))
            opens = spec_opens(t, id, random_one_in(&r, 4) ? CREDITS_UNBOUNDED
                                                           : random_below(&r, 5));
        for (uint32_t from = 0; from < id && s->n_inputs < MAX_INPUTS; from++)
            if (edge_is_legal(&t->spec, from, id) && random_one_in(&r, 2))
                spec_input(t, id, from);
        if (!by_depth)
            s->priority = (int32_t)random_below(&r, 4);
        if (shape > 0 && random_one_in(&r, 6))
            s->cap = 1 + random_below(&r, 3);
        if (shape > 0 && random_one_in(&r, 6))
            s->pool = (int32_t)random_below(&r, 2);
        if (shape > 1 && !s->opens && random_one_in(&r, 6))
            s->is_ordered = true;
        if (!with_failures)
            continue;
        s->on_failure = random_one_in(&r, 8) ? ON_FAILURE_FAIL : ON_FAILURE_SKIP;
        if (random_one_in(&r, 3))
            s->retry = (RetrySpec){.n_more = 1 + random_below(&r, 3),
                                   .backoff = (Backoff)random_below(&r, 3),
                                   .jitter = random_one_in(&r, 2),
                                   .delay_ns = random_below(&r, 20),
                                   .max_delay_ns = random_below(&r, 3) * 20};
        if (random_one_in(&r, 8))
            s->timeout_ns = 1 + random_below(&r, 60);
        if (opens && random_one_in(&r, 8))
            t->scopes[opens].max_batches = 1 + random_below(&r, 8);
    }
}

/* How many batches a generator has: 0 to 8, the same whoever asks. */
static inline uint32_t batches_of(uint64_t seed, const Instance *i)
{
    return (uint32_t)(hash_instance(seed, i) >> 20) % 9;
}

#endif
