/* agg_one.c - rows that are all of group 0, as they are without `group by`: with no group to look up the state stays in
 * registers, and nulls are passed over by runs of rows. What comes out is what agg_update makes of them row by row, bit for
 * bit: floats are added in the order of the rows, and of equal values the first is picked. */
#include "vm/agg_int.h"

#include "vm/bits.h"

#define EACH_RUN(r, c, n_rows) for (BitRun r = {0}; bits_next_run((c)->valid, &(r), (n_rows));)
#define EACH_OF(i, r) for (uint32_t i = (r).from; i < (r).to; i++)

static void one_ints(IntSum *state, const Column *x, uint32_t n_rows)
{
    const int64_t *v = column_ints(x);
    IntSum s = *state;
    EACH_RUN(r, x, n_rows)
    {
        EACH_OF(i, r) s.sum += v[i];
        s.n += r.to - r.from;
    }
    *state = s;
}

static void one_floats(Sum *state, const Column *x, uint32_t n_rows)
{
    const double *v = column_floats(x);
    Sum s = *state;
    EACH_RUN(r, x, n_rows)
        EACH_OF(i, r) sum_add(&s, v[i]);
    *state = s;
}

static void one_moments(Moments *state, const Column *x, uint32_t n_rows)
{
    const double *v = column_floats(x);
    Moments m = *state;
    EACH_RUN(r, x, n_rows)
        EACH_OF(i, r) moments_add(&m, v[i]);
    *state = m;
}

/* Once both are known there is nothing more to learn. */
static void one_bools(Bools *state, const Column *x, uint32_t n_rows)
{
    const uint8_t *v = column_bools(x);
    EACH_RUN(r, x, n_rows)
    {
        EACH_OF(i, r)
        {
            if (state->any_true && state->any_false)
                return;
            state->any_true |= v[i] & 1;
            state->any_false |= !(v[i] & 1);
        }
    }
}

/* The first row of the least or the greatest value, of which `row` is one that is known. */
static uint32_t best_int(const Column *x, bool is_min, uint32_t row, uint32_t n_rows)
{
    const int64_t *v = column_ints(x);
    int64_t best = v[row];
    EACH_RUN(r, x, n_rows)
    {
        if (is_min) {
            EACH_OF(i, r) if (v[i] < best) best = v[row = i];
        } else {
            EACH_OF(i, r) if (v[i] > best) best = v[row = i];
        }
    }
    return row;
}

/* As sort_compare_values has them: NaN is the greatest, one like the other, and so are the two zeros. */
static uint32_t best_float(const Column *x, bool is_min, uint32_t row, uint32_t n_rows)
{
    const double *v = column_floats(x);
    double best = v[row];
    EACH_RUN(r, x, n_rows)
    {
        if (is_min) {
            EACH_OF(i, r) if (v[i] < best || (isnan(best) && !isnan(v[i]))) best = v[row = i];
        } else {
            EACH_OF(i, r)
            {
                if (isnan(best))
                    return row;
                if (!(v[i] <= best))
                    best = v[row = i];
            }
        }
    }
    return row;
}

static bool has_numbers(const Column *c)
{
    return !column_has_strings(c) && c->type != TYPE_BOOL && c->type != TYPE_NULL;
}

static void one_best(Agg *a, const Column *by, bool is_min, uint32_t n_rows)
{
    uint32_t row = bits_next(by->valid, 0, n_rows);
    if (row == n_rows)
        return;
    row = by->type == TYPE_FLOAT ? best_float(by, is_min, row, n_rows) : best_int(by, is_min, row, n_rows);
    pick_row(a, 0, by, row);
}

static void one_last(Agg *a, const Column *x, uint32_t n_rows)
{
    while (n_rows > 0 && !is_live(x, n_rows - 1))
        n_rows--;
    if (n_rows > 0)
        pick_row(a, 0, x, n_rows - 1);
}

static void one_first(Agg *a, const Column *x, uint32_t n_rows)
{
    uint32_t row = a->of.picks->is_set || x->type == TYPE_NULL ? n_rows : bits_next(x->valid, 0, n_rows);
    if (row < n_rows)
        pick_row(a, 0, x, row);
}

static bool one_pick(Agg *a, Column *const *args, uint32_t n_rows)
{
    const Column *by = args[picks_by(a)];
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_FIRST: one_first(a, by, n_rows); break;
    case BUILTIN_AGG_LAST: one_last(a, by, n_rows); break;
    default:
        if (!has_numbers(by))
            return false;
        one_best(a, by, a->spec->fn == BUILTIN_AGG_MIN || a->spec->fn == BUILTIN_AGG_ARG_MIN, n_rows);
        break;
    }
    agg_settle(a, args[0], picks_by(a) ? by : NULL, NULL, 1);
    return true;
}

bool agg_update_one(Agg *a, Column *const *args, uint32_t n_rows)
{
    const Column *x = a->spec->n_args ? args[0] : NULL;
    States s = a->of;
    bool is_null = x && x->type == TYPE_NULL;
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_COUNT: s.counts[0] += !x ? n_rows : is_null ? 0 : bits_count(x->valid, n_rows); return true;
    case BUILTIN_AGG_SUM:
    case BUILTIN_AGG_MEAN:
        if (is_null)
            return true;
        if (a->spec->type == TYPE_FLOAT)
            one_floats(s.sums, x, n_rows);
        else
            one_ints(s.ints, x, n_rows);
        return true;
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE:
        if (!is_null)
            one_moments(s.moments, x, n_rows);
        return true;
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL:
        if (!is_null)
            one_bools(s.bools, x, n_rows);
        return true;
    case BUILTIN_AGG_MIN:
    case BUILTIN_AGG_MAX:
    case BUILTIN_AGG_FIRST:
    case BUILTIN_AGG_LAST:
    case BUILTIN_AGG_ARG_MIN:
    case BUILTIN_AGG_ARG_MAX: return one_pick(a, args, n_rows);
    default: return false;
    }
}
