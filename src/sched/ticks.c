#include "sched/ticks.h"

#include "base/clock.h"

enum {
    LOOK_NS = 250000,   /* from one look at the clock to the next */
    RATE_NS = 200000,   /* the least time from which a rate is taken */
    TOGETHER = 1000,    /* counts; more around a look, and we were interrupted in it */
};

/* We count a little slowly, so that the clock is not overtaken when it is slewed, by 500
 * millionths at most: at the next look the difference, a quarter of a microsecond, is made
 * up for. */
static const double SLOWLY = 1 - 1.0 / 1024;

void ticks_init(Ticks *t)
{
    *t = (Ticks){.has_count = cycles_are_steady()};
    ticks_look(t);
}

/* False if the count does not go as it did: it jumped, or this is another processor's. */
static bool rate_update(Ticks *t, uint64_t counts, uint64_t ns)
{
    double rate = (double)ns / (double)counts, before = t->rate;
    if (rate < 0.001 || rate > 1000)
        return false;
    if (before > 0 && (rate < before * 0.99 || rate > before * 1.01))
        return false;
    t->rate = rate;
    t->ns_per_count = (uint64_t)(rate * SLOWLY * 4294967296.0);
    t->limit = (uint64_t)(LOOK_NS / rate);
    return true;
}

uint64_t ticks_look(Ticks *t)
{
    uint64_t count = cycles_now();
    uint64_t ns = (uint64_t)clock_now_ns();
    /* What has been told may be ahead if the count was not steady after all. */
    uint64_t told = t->ns + (t->limit * t->ns_per_count >> 32);
    if (ns < told)
        ns = told;
    if (!t->has_count)
        return ns;
    if (t->has_pair && ns - t->ns < RATE_NS)
        return ns;
    uint64_t counts = count - t->count, passed = ns - t->ns;
    bool had_pair = t->has_pair;
    t->has_pair = cycles_now() - count < TOGETHER;
    t->limit = 0;
    t->count = count;
    t->ns = ns;
    if (had_pair && t->has_pair)
        t->has_count = rate_update(t, counts, passed);
    return ns;
}
