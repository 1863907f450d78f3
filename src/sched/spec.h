/* spec.h - what is to be scheduled: steps, the scopes in which they run, and the edges.
 *
 * One GraphSpec serves the run (graph.h, pool.h), the bound printed before it (bound.h)
 * and the simulator (sim.h), so that these cannot disagree.
 *
 * A *scope* is a level of fan-out. Scope 0 is the root and has one frame. Every generator
 * lives in some scope and opens a scope of its own below that; each batch it yields is a
 * frame there. A step runs once per frame of its scope.
 *
 * An edge is named by the step it comes from; what it means follows from the scopes. Let a
 * step's output live in its own scope, and a generator's output (the batches) in the scope
 * that it opens. Then an input whose output lives in
 *   - the step's own scope            is plain;
 *   - a scope around it               is broadcast: one value for all frames below;
 *   - a scope opened in its own scope is gathered (collect): the outputs are folded in key
 *     order as they come, and the step runs when the generator is exhausted and all are in.
 * Anything else is a mistake of the caller.
 *
 * Ownership: the caller's; a spec must outlive what was made from it and never change.
 */
#ifndef PIPE_SCHED_SPEC_H
#define PIPE_SCHED_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/policy.h"
#include "base/str.h"

#define SPEC_NO_POOL (-1)
#define SPEC_NO_STEP UINT32_MAX

#define CREDITS_DEFAULT 0            /* four per worker */
#define CREDITS_UNBOUNDED UINT32_MAX

typedef struct StepSpec {
    Str name;
    uint32_t scope;
    uint32_t opens;         /* scope that this generator opens; 0: not a generator */
    int32_t priority;       /* higher first */
    bool has_priority;      /* it was written, not derived from the depth */
    bool is_helper;         /* made by the compiler: its priority is nobody's mistake, no warnings */
    uint32_t order;         /* place in the job; breaks ties of priority; unique */
    uint32_t cap;           /* at most so many instances run at a time; 0: any */
    int32_t pool;           /* index into GraphSpec.pools, or SPEC_NO_POOL */
    /* Each instance is committed in key order after it ran (an appending write). Its frame
     * keeps its credit until then; what reads the output need not wait. Not with `opens`. */
    bool is_ordered;
    RetrySpec retry;
    uint64_t timeout_ns;    /* per attempt; 0: none */
    OnFailure on_failure;
    uint32_t n_inputs;
    const uint32_t *inputs; /* [n_inputs] steps; one may occur twice */
} StepSpec;

typedef struct ScopeSpec {
    uint32_t parent;        /* scope of the generator; 0 for scope 0 */
    uint32_t generator;     /* step; SPEC_NO_STEP for scope 0 */
    uint32_t in_flight;     /* credits, or one of CREDITS_*, shared by all frames */
    uint32_t max_batches;   /* of one generator instance; 0: any number */
} ScopeSpec;

typedef struct PoolSpec {
    Str name;
    uint32_t size;
} PoolSpec;

/* Steps are sorted so that every input precedes its reader; a scope's parent precedes it. */
typedef struct GraphSpec {
    uint32_t n_steps, n_scopes, n_pools;
    const StepSpec *steps;   /* at most 65,535: TraceEvent.step */
    const ScopeSpec *scopes; /* [0] is the root */
    const PoolSpec *pools;
} GraphSpec;

/* Where a step's output lives. */
static inline uint32_t spec_out_scope(const GraphSpec *s, uint32_t step)
{
    return s->steps[step].opens ? s->steps[step].opens : s->steps[step].scope;
}

typedef enum EdgeKind { EDGE_PLAIN, EDGE_BROADCAST, EDGE_GATHER } EdgeKind;

static inline EdgeKind spec_edge_kind(const GraphSpec *s, uint32_t from, uint32_t to)
{
    uint32_t out = spec_out_scope(s, from), in = s->steps[to].scope;
    if (out == in)
        return EDGE_PLAIN;
    return out != 0 && s->scopes[out].parent == in ? EDGE_GATHER : EDGE_BROADCAST;
}

/* Does `a` run before `b` when both are ready? */
static inline bool spec_ranks_above(const StepSpec *a, const StepSpec *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->order < b->order;
}

#endif
