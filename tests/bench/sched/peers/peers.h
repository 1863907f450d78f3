/* peers.h - the same chains, run by others.
 *
 * Each peer runs n_batches chains: a generator's body, then PEER_DEPTH bodies that each
 * need the one before; later ones have higher priority where there are priorities. A body
 * only counts itself. Nothing is traced.
 *
 * A peer whose package is missing is not linked: its symbol is weak, and NULL.
 */
#ifndef PIPE_BENCH_PEERS_H
#define PIPE_BENCH_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PEER_DEPTH = 4, PEER_MAX_WORKERS = 64 };

typedef struct PeerRun {
    uint32_t n_batches, n_workers;
    bool counts_live;   /* else nothing is counted but bodies, and peak_live stays 0 */
    /* Said by the peer: */
    double ns;          /* the whole run, threads already there where the library keeps them */
    uint64_t n_bodies;
    uint32_t peak_live; /* batches generated and not through their last body */
} PeerRun;

void peer_heap(PeerRun *r);                           /* mutex, condvar and binary heap */
void peer_omp(PeerRun *r) __attribute__((weak));      /* OpenMP tasks with depend, priority */
void peer_tbb(PeerRun *r) __attribute__((weak));      /* oneTBB flow graph, limiter, priorities */
const char *peer_tbb_version(void) __attribute__((weak));

/* A counter for each worker, on lines of its own. */
typedef struct PeerCount {
    uint64_t n;
    char pad[120];
} PeerCount;

static inline double peer_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline uint64_t peer_total(const PeerCount *counts)
{
    uint64_t n = 0;
    for (int k = 0; k < PEER_MAX_WORKERS; k++)
        n += counts[k].n;
    return n;
}

/* Batches alive now, and at most; from any thread. */
typedef struct PeerLive {
    uint32_t now, peak;
} PeerLive;

static inline void peer_born(PeerLive *l)
{
    uint32_t now = __atomic_add_fetch(&l->now, 1, __ATOMIC_RELAXED);
    uint32_t peak = __atomic_load_n(&l->peak, __ATOMIC_RELAXED);
    while (now > peak && !__atomic_compare_exchange_n(&l->peak, &peak, now, false,
                                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

static inline void peer_died(PeerLive *l)
{
    __atomic_sub_fetch(&l->now, 1, __ATOMIC_RELAXED);
}

#ifdef __cplusplus
}
#endif

#endif
