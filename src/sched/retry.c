#include "sched/retry.h"

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t times_capped(uint64_t a, uint64_t b)
{
    return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

uint64_t retry_delay_ns(const RetrySpec *r, const Instance *i, uint32_t n, uint64_t seed)
{
    uint64_t times = 1;
    switch (r->backoff) {
    case BACKOFF_FIXED: break;
    case BACKOFF_LINEAR: times = n; break;
    case BACKOFF_EXPONENTIAL: times = n < 63 ? (1ULL << n) - 1 : UINT64_MAX; break;
    }
    uint64_t delay = times_capped(r->delay_ns, times);
    if (r->max_delay_ns && delay > r->max_delay_ns)
        delay = r->max_delay_ns;
    if (!r->jitter || delay == 0)
        return delay;
    uint64_t h = mix(mix(seed ^ instance_step(i)) ^ n);
    for (const Frame *f = instance_frame(i); f; f = frame_parent(f))
        h = mix(h ^ frame_index(f));
    return delay == UINT64_MAX ? h : h % (delay + 1);
}
