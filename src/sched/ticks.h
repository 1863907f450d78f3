/* ticks.h - the time of clock_now_ns, for who asks every hundred nanoseconds.
 *
 * Where the processor counts at a rate that never changes, its count is read, which takes
 * less than half as long as the clock; the clock is looked at every quarter of a
 * millisecond, and tells how fast the count goes. Elsewhere it is always the clock.
 *
 * What is told never goes back and is behind the clock by at most about a microsecond.
 *
 * Threads: each has its own Ticks.
 */
#ifndef PIPE_SCHED_TICKS_H
#define PIPE_SCHED_TICKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cycles.h"

typedef struct Ticks {
    uint64_t count, ns;     /* at the last look at the clock from which we count on */
    uint64_t limit;         /* counts from there that may do without a look; 0: none */
    uint64_t ns_per_count;  /* in 2^-32 ns */
    double rate;            /* measured ns per count; 0: not yet */
    bool has_count;         /* one that may be used */
    bool has_pair;          /* count and ns were read together */
} Ticks;

void ticks_init(Ticks *t);
uint64_t ticks_look(Ticks *t); /* for ticks_now_ns */

static inline uint64_t ticks_now_ns(Ticks *t)
{
    if (t->limit > 0) {
        uint64_t n = cycles_now() - t->count;
        if (n < t->limit)
            return t->ns + (n * t->ns_per_count >> 32);
    }
    return ticks_look(t);
}

#endif
