/* The time that a worker reads: near the clock, and never going back. */
#include "sched/ticks.h"

#include <stdint.h>

#include "base/clock.h"
#include "unit.h"

enum { RUN_NS = 5000000, NEAR_NS = 20000 };

/* Over many looks at the clock. */
static void test_near_the_clock(void)
{
    Ticks t;
    ticks_init(&t);
    uint64_t start = (uint64_t)clock_now_ns(), last = 0, n_back = 0, n_far = 0, after;
    do {
        uint64_t before = (uint64_t)clock_now_ns();
        uint64_t told = ticks_now_ns(&t);
        after = (uint64_t)clock_now_ns();
        n_back += told < last;
        n_far += told + NEAR_NS < before || told > after + NEAR_NS;
        last = told;
    } while (after - start < RUN_NS);
    CHECK(n_back == 0);
    CHECK(n_far == 0);
}

/* Without a count it is the clock. */
static void test_without_a_count(void)
{
    Ticks t;
    ticks_init(&t);
    t.has_count = false;
    t.limit = 0;
    uint64_t before = (uint64_t)clock_now_ns();
    uint64_t told = ticks_now_ns(&t);
    CHECK(before <= told && told <= (uint64_t)clock_now_ns());
}

/* A count that jumps, as on processors that do not count together, is given up, and what
 * was told is not taken back. */
static void test_count_that_jumps(void)
{
    Ticks t;
    ticks_init(&t);
    uint64_t start = (uint64_t)clock_now_ns(), last = 0, n_back = 0, now;
    do {
        uint64_t told = ticks_now_ns(&t);
        n_back += told < last;
        last = told;
        now = (uint64_t)clock_now_ns();
        if (now - start > RUN_NS / 2)
            t.count -= t.limit / 16;
    } while (now - start < RUN_NS);
    CHECK(n_back == 0);
}

int main(void)
{
    test_near_the_clock();
    test_without_a_count();
    test_count_that_jumps();
    UNIT_END("ticks_test");
}
