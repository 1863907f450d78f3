/* moments.h - what the variance of floats is made of: sums of their distances from the first of them, and of the squares
 * of these. Pure.
 *
 * The sums are held in two doubles, some 106 bits. As the first is one of the values, its distance from the mean is at
 * most as large as what is asked for, times the root of their number; so the difference of the two sums loses few of those
 * bits, and the double that comes out has all its digits however the rows were shared out and merged, the same on every
 * processor. A long double would not do: it is another type on each.
 */
#ifndef PIPE_VM_MOMENTS_H
#define PIPE_VM_MOMENTS_H

#include <math.h>
#include <stdint.h>

typedef struct Wide { /* hi + lo, lo being far less */
    double hi, lo;
} Wide;

typedef struct Moments { /* all zero: of no rows */
    uint64_t n;
    uint32_t unit;     /* all below is in units of MOMENTS_UNITS[unit], lest a square leaves the range of doubles */
    double first;
    Wide sum, squares; /* of the distances from first */
} Moments;

#define MOMENTS_COARSEST 2u
static const double MOMENTS_UNITS[] = {0x1p-600, 1, 0x1p600}, MOMENTS_PER_ONE[] = {0x1p600, 1, 0x1p-600};
#define MOMENTS_MOST 0x1p450 /* the largest distance; its square times the most rows is a double */

/* Exact. */
static inline Wide wide_sum(double a, double b)
{
    double s = a + b, t = s - a;
    return (Wide){s, (a - (s - t)) + (b - t)};
}

static inline Wide wide_add(Wide a, Wide b)
{
    Wide s = wide_sum(a.hi, b.hi);
    return (Wide){s.hi, s.lo + (a.lo + b.lo)};
}

static inline Wide wide_mul(Wide a, Wide b)
{
    double p = a.hi * b.hi;
    return (Wide){p, fma(a.hi, b.hi, -p) + (a.hi * b.lo + a.lo * b.hi)};
}

static inline Wide wide_scaled(Wide a, double by)
{
    return (Wide){a.hi * by, a.lo * by};
}

/* a, rounded so that lo is less than half of hi's last place. */
static inline Wide wide_settled(Wide a)
{
    return wide_sum(a.hi, a.lo);
}

static inline Wide wide_div(Wide a, double b)
{
    a = wide_settled(a);
    double q = a.hi / b;
    return wide_sum(q, (fma(-q, b, a.hi) + a.lo) / b);
}

/* Counts in the next larger unit. What falls below the range of doubles is nothing beside the distance for which the unit
 * was too small. */
static inline void moments_coarsen(Moments *m)
{
    double by = MOMENTS_PER_ONE[MOMENTS_COARSEST];
    m->unit++;
    m->first *= by;
    m->sum = wide_scaled(m->sum, by);
    m->squares = wide_scaled(wide_scaled(m->squares, by), by);
}

static inline void moments_add(Moments *m, double x)
{
    double in_units = x * MOMENTS_PER_ONE[m->unit];
    if (m->n == 0)
        m->first = in_units;
    Wide d = wide_sum(in_units, -m->first);
    if (!(fabs(d.hi) <= MOMENTS_MOST) && m->unit < MOMENTS_COARSEST) {
        moments_coarsen(m);
        moments_add(m, x);
        return;
    }
    m->n++;
    m->sum = wide_add(m->sum, d);
    m->squares = wide_add(m->squares, wide_mul(d, d));
}

static inline void moments_merge(Moments *m, Moments b)
{
    if (b.n == 0)
        return;
    if (m->n == 0) {
        *m = b;
        return;
    }
    while (m->unit < b.unit)
        moments_coarsen(m);
    while (b.unit < m->unit)
        moments_coarsen(&b);
    Wide d = wide_sum(b.first, -m->first);
    while (!(fabs(d.hi) <= MOMENTS_MOST) && m->unit < MOMENTS_COARSEST) {
        moments_coarsen(m);
        moments_coarsen(&b);
        d = wide_sum(b.first, -m->first);
    }
    /* Each distance of b grows by d: sum by n * d, squares by 2 * d * sum + n * d * d. */
    Wide n_d = wide_mul((Wide){(double)b.n, 0}, d);
    m->squares = wide_add(m->squares, wide_add(b.squares, wide_mul(d, wide_add(n_d, wide_scaled(b.sum, 2)))));
    m->sum = wide_add(m->sum, wide_add(b.sum, n_d));
    m->n += b.n;
}

/* In units, of a sample of at least two. */
static inline Wide moments_variance_in_units(const Moments *m)
{
    double n = (double)m->n;
    Wide sum = wide_settled(m->sum), mean_square = wide_div(wide_mul(sum, sum), n);
    Wide v = wide_div(wide_add(m->squares, wide_scaled(mean_square, -1)), n - 1);
    return v.hi < 0 ? (Wide){0, 0} : v;
}

static inline double moments_variance(const Moments *m)
{
    double unit = MOMENTS_UNITS[m->unit];
    return moments_variance_in_units(m).hi * unit * unit;
}

static inline double moments_stddev(const Moments *m)
{
    Wide v = moments_variance_in_units(m);
    double root = sqrt(v.hi);
    if (root > 0 && isfinite(root)) /* a step of Newton's, for what sqrt rounded and what v has beyond a double */
        root += (fma(-root, root, v.hi) + v.lo) / (2 * root);
    return root * MOMENTS_UNITS[m->unit];
}

#endif
