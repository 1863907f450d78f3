/* bound.h - how many batches can be alive at once, proved from the GraphSpec.
 *
 * For a generator G with K credits and p workers, live(G) <= K always. If whenever G is
 * dispatched every live batch must be running on one of the other p - 1 workers, then
 * live(G) <= p (p - 1, and the one it yields). That holds when
 *   - every step below G ranks above G, and none is capped or pooled below p or retried
 *     with a delay;
 *   - no batch waits for its turn: no collect of them, no ordered write;
 *   - no batch waits for a value from outside its scope (a broadcast that may come late);
 *   - each scope nested below has that bound itself, within its own credits, so that
 *     nested generators never wait for a credit.
 * A step below G that waits for a collect of G's own batches keeps all of them: there the
 * credits are lifted and there is no bound.
 *
 * Ownership: bounds_new to bounds_free; the spec is borrowed.
 */
#ifndef PIPE_SCHED_BOUND_H
#define PIPE_SCHED_BOUND_H

#include <stdint.h>

#include "base/str.h"
#include "sched/spec.h"

typedef enum BoundKind {
    BOUND_WORKERS, /* min(credits, workers) */
    BOUND_CREDITS,
    BOUND_NONE,
} BoundKind;

/* Why a bound is not BOUND_WORKERS. `step` is the one to name, `other` a second one. */
typedef enum BoundWhy {
    BOUND_WHY_PRIORITY,  /* step does not rank above the generator */
    BOUND_WHY_CAP,       /* step is capped below the workers */
    BOUND_WHY_POOL,      /* step shares a pool that is smaller than the workers */
    BOUND_WHY_RETRY,     /* step may wait for another attempt */
    BOUND_WHY_ORDERED,   /* step is committed in key order */
    BOUND_WHY_COLLECT,   /* step collects the batches in key order */
    BOUND_WHY_BROADCAST, /* step waits for other, which may be late */
    BOUND_WHY_NESTED,    /* step, a generator below, may wait for a credit */
    BOUND_WHY_UNBOUNDED, /* in_flight(unbounded) */
    BOUND_WHY_OWN_COLLECT, /* step waits for other, a collect of its own batches */
} BoundWhy;

typedef struct BoundReason {
    BoundWhy why;
    uint32_t step, other; /* SPEC_NO_STEP if there is none */
} BoundReason;

typedef struct Bound {
    BoundKind kind;
    uint64_t live;      /* UINT64_MAX: none */
    uint32_t credits;   /* CREDITS_UNBOUNDED: none */
    uint32_t n_reasons; /* 0 for BOUND_WORKERS */
    BoundReason *reasons;
} Bound;

typedef enum BoundWarningKind {
    BOUND_WARN_MIXED_PRIORITY,   /* step has a priority that was written, other has not */
    BOUND_WARN_LOW_PRIORITY,     /* the written priorities of step and n_more others do not
                                  * put them above other, their generator */
    BOUND_WARN_IDLE_WORKERS,     /* fewer credits than workers; step: the generator */
    BOUND_WARN_UNBOUNDED,        /* in_flight(unbounded); step: the generator */
    BOUND_WARN_RETAINS,          /* step waits for other, a collect of its own batches */
} BoundWarningKind;

typedef struct BoundWarning {
    BoundWarningKind kind;
    uint32_t scope;
    uint32_t step, other;
    uint32_t n_more;
} BoundWarning;

typedef struct Bounds {
    uint32_t n_workers;
    uint32_t n_scopes;
    Bound *scopes;      /* [n_scopes]; scope 0 has live 1 */
    uint32_t n_warnings;
    BoundWarning *warnings;
} Bounds;

Bounds *bounds_new(const GraphSpec *spec, uint32_t n_workers);
void bounds_free(Bounds *b); /* NULL is fine */

/* One line without a full stop: "`load` is capped at 1, below 4 workers". */
void bound_reason_text(Buf *out, const GraphSpec *spec, uint32_t n_workers,
                       const BoundReason *r);
void bound_warning_text(Buf *out, const GraphSpec *spec, uint32_t n_workers,
                        const BoundWarning *w);

/* Credits that the run uses for a scope: the default filled in, and lifted where all
 * batches are kept. */
uint32_t bound_credits(const GraphSpec *spec, uint32_t n_workers, uint32_t scope);

#endif
