/* monitor.h - the lock around the graph, and the waiting of workers that have nothing to do.
 *
 * The lock is held for some 50 ns at a time, so whoever finds it taken looks for a while
 * before it sleeps; so does the first of the idle, because a batch that is over in less
 * than a microsecond is not worth putting a thread to sleep. At most one idle worker is
 * called at a time: it calls the next itself if there is more to do.
 *
 * With a single user enter and leave do nothing: nobody else wants in.
 *
 * Threads: enter, wait and interrupt from any; what says _locked only between enter and
 * leave.
 */
#ifndef PIPE_SCHED_MONITOR_H
#define PIPE_SCHED_MONITOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "sched/jitter.h"

#define CACHE_LINE 64

typedef struct Monitor {
    bool is_shared; /* by more than one user */
    /* Set once, by interrupt. Relaxed, as it carries nothing but itself. */
    atomic_bool is_interrupted;
    char pad[CACHE_LINE];
    pthread_mutex_t mu;
    /* A hint for those who look: reading does not take the line from the holder, as an
     * attempt would. */
    atomic_bool is_held;
    /* Guarded by mu: */
    bool is_calling;  /* somebody was called and has not come yet */
    bool has_watcher; /* an idle one that is still awake */
    uint32_t n_idle;
    pthread_cond_t wake;
    char pad2[CACHE_LINE];
    atomic_uint n_calls; /* what the watcher watches; written under mu */
    char pad3[CACHE_LINE];
} Monitor;

/* A condition variable that counts by CLOCK_MONOTONIC. */
void monitor_cond_init(pthread_cond_t *c);
void monitor_init(Monitor *m, uint32_t n_users);
void monitor_deinit(Monitor *m);

/* When the lock was not free at once; monitor_enter calls it. */
void monitor_enter_slow(Monitor *m, uint64_t away_ns);

/* True if the lock was free at once. away_ns: how long the caller did without it. Those who
 * come back all the time wait longer and so, in effect, take turns of several instances: to
 * hand the lock and what it guards from processor to processor takes longer than one that
 * short. */
static inline bool monitor_enter(Monitor *m, uint64_t away_ns)
{
    if (!m->is_shared)
        return true;
    jitter();
    if (pthread_mutex_trylock(&m->mu) != 0) {
        monitor_enter_slow(m, away_ns);
        return false;
    }
    atomic_store_explicit(&m->is_held, true, memory_order_relaxed);
    return true;
}

static inline void monitor_leave(Monitor *m)
{
    if (!m->is_shared)
        return;
    atomic_store_explicit(&m->is_held, false, memory_order_relaxed);
    pthread_mutex_unlock(&m->mu);
    jitter();
}

/* Gives the lock away until called, interrupted, or, if `until` (CLOCK_MONOTONIC) is not
 * NULL, until then. May come back for no reason. False if it only watched, awake. */
bool monitor_wait_locked(Monitor *m, const struct timespec *until);
/* Gives the lock away until somebody signals `c`, or for no reason. For who is not idle; with more than one user. */
void monitor_wait_for_locked(Monitor *m, pthread_cond_t *c);
/* Is somebody idle, and nobody on its way? */
static inline bool monitor_may_call_locked(const Monitor *m)
{
    return m->n_idle > 0 && !m->is_calling;
}
/* Then has one idle worker come. */
void monitor_call_locked(Monitor *m);
void monitor_call_all_locked(Monitor *m);
/* Everybody wakes, and is_interrupted is true from now on. Without the lock; not from a
 * signal handler. */
void monitor_interrupt(Monitor *m);

static inline bool monitor_is_interrupted(const Monitor *m)
{
    return atomic_load_explicit(&m->is_interrupted, memory_order_relaxed);
}

#endif
