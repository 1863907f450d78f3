#include "sched/jitter.h"

#ifdef PIPEMILL_JITTER

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* Relaxed: nothing may be ordered by what is to disturb the order. */
static atomic_ullong next; /* 0: off */

void jitter_init(void)
{
    const char *seed = getenv("PIPEMILL_JITTER");
    unsigned long long n = seed ? strtoull(seed, NULL, 10) << 20 | 1 : 0;
    atomic_store_explicit(&next, n, memory_order_relaxed);
}

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
static uint64_t mix(uint64_t x)
{
    x *= 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void jitter(void)
{
    if (atomic_load_explicit(&next, memory_order_relaxed) == 0)
        return;
    uint64_t h = mix(atomic_fetch_add_explicit(&next, 1, memory_order_relaxed));
    struct timespec t = {.tv_nsec = (long)(h >> 8 & 0xffff) % 20000};
    switch (h % 8) {
    case 0: nanosleep(&t, NULL); break;
    case 1:
    case 2: sched_yield(); break;
    case 3:
        for (volatile int k = 0; k < (int)(h >> 8 & 0x7ff); k++)
            continue;
        break;
    }
}

#else
typedef int jitter_is_off; /* a file must hold something */
#endif
