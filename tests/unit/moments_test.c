/* Variances of whole numbers against the exact ones, whatever the order in which parts are merged; of floats that are so large
 * or small that their squares are none. */
#include "vm/moments.h"

#include <stdbool.h>
#include <stdlib.h>

#include "unit.h"

#define MOST 400u

static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 32) * n >> 32);
}

/* Is v, at least 1/8, num / den rounded to the nearest double? v = m / 2^shift. */
static bool is_nearest(double v, unsigned __int128 num, uint64_t den)
{
    int shift = 0;
    double m = v;
    for (; m < 0x1p52; m *= 2)
        shift++;
    for (; m >= 0x1p53; m /= 2)
        shift--;
    __int128 exact = (__int128)(shift >= 0 ? num << shift : num), got = (__int128)m * (__int128)den;
    if (shift < 0)
        got <<= -shift;
    __int128 off = 2 * (got > exact ? got - exact : exact - got);
    return off <= (shift < 0 ? (__int128)den << -shift : (__int128)den);
}

/* n values from `from` to from + spread, in up to five parts that are merged as they come. */
static void test_exact(uint32_t n, int64_t from, uint32_t spread)
{
    Moments parts[5] = {0}, all = {0}, one;
    uint32_t n_parts = 1 + below(5);
    uint64_t sum = 0, squares = 0; /* of the distances from `from` */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t d = below(spread + 1);
        double x = (double)(from + d);
        sum += d;
        squares += (uint64_t)d * d;
        Moments *m = &parts[below(n_parts)];
        if (below(4)) {
            moments_add(m, x);
        } else { /* as a part of its own */
            one = (Moments){0};
            moments_add(&one, x);
            moments_merge(m, one);
        }
    }
    for (uint32_t i = 0; i < n_parts; i++)
        moments_merge(&all, parts[i]);
    CHECK(all.n == n);
    unsigned __int128 num = (unsigned __int128)squares * n - (unsigned __int128)sum * sum;
    if (num == 0)
        CHECK(moments_variance(&all) == 0 && moments_stddev(&all) == 0);
    else
        CHECK(is_nearest(moments_variance(&all), num, (uint64_t)n * (n - 1)));
}

static double stddev_of(double a, double b, double c)
{
    Moments m = {0};
    moments_add(&m, a);
    moments_add(&m, b);
    moments_add(&m, c);
    return moments_stddev(&m);
}

static double stddev_merged(double a, double b, double c)
{
    Moments m = {0}, one = {0}, two = {0};
    moments_add(&m, a);
    moments_add(&one, b);
    moments_add(&two, c);
    moments_merge(&one, two);
    moments_merge(&m, one);
    return moments_stddev(&m);
}

/* The root of the variance of 0, x, 2x is x. */
static void test_range(double x)
{
    CHECK(stddev_of(0, x, 2 * x) == x);
    CHECK(stddev_of(2 * x, 0, x) == x);
    CHECK(stddev_merged(x, 2 * x, 0) == x);
}

int main(void)
{
    for (uint32_t i = 0; i < 20000; i++) {
        int64_t from = i % 3 == 0 ? 0 : i % 3 == 1 ? -(int64_t)below(1000) : (int64_t)below(UINT32_MAX) << below(20);
        test_exact(2 + below(MOST - 2), from, below(2) ? below(100) : below(1u << 20));
    }
    for (int e = -1070; e <= 1020; e += 10)
        test_range(ldexp(1, e));
    /* Tiny ones beside large ones count for nothing, whichever come first. */
    CHECK(stddev_of(0x1p-1060, 0x1p900, -0x1p900) == 0x1p900);
    CHECK(stddev_merged(0x1p900, 0x1p-1060, -0x1p900) == 0x1p900);
    CHECK(isnan(stddev_of(1, (double)INFINITY, 2)) && isnan(stddev_merged(1, 2, (double)INFINITY)));
    CHECK(isnan(stddev_of((double)NAN, 1, 2)) && isnan(stddev_merged(1, (double)NAN, 2)));
    CHECK(stddev_of(5, 5, 5) == 0);
    UNIT_END("moments");
}
