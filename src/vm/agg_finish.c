/* agg_finish.c - the results of an aggregate, from its states. */
#include "vm/agg_int.h"

#include <stdlib.h>
#include <string.h>

static double sum_total(Sum s)
{
    return isfinite(s.sum) ? s.sum + s.rest : s.sum; /* rest is NaN beyond inf */
}

static int compare_doubles(const void *a, const void *b)
{
    uint64_t x = sort_float_bits(*(const double *)a), y = sort_float_bits(*(const double *)b);
    return (x > y) - (x < y);
}

static int compare_ints(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Half away from zero. */
static int64_t mean_of_ints(__int128 sum, uint64_t n)
{
    __int128 by = (__int128)n, half = by / 2;
    return (int64_t)((sum < 0 ? sum - half : sum + half) / by);
}

static int64_t median_of_ints(int64_t *v, uint32_t n)
{
    qsort(v, n, sizeof *v, compare_ints);
    return n % 2 ? v[n / 2] : mean_of_ints((__int128)v[n / 2 - 1] + v[n / 2], 2);
}

static double median_of_floats(double *v, uint32_t n)
{
    qsort(v, n, sizeof *v, compare_doubles);
    double mid = v[n / 2];
    if (n % 2)
        return mid;
    double low = v[n / 2 - 1], sum = low + mid;
    return isinf(sum) && !isinf(low) && !isinf(mid) ? low / 2 + mid / 2 : sum / 2;
}

/* The medians of all groups: values by group, each group's sorted. Durations and sizes are ints. */
static void medians(Agg *a, uint32_t n_groups, Column *out)
{
    uint32_t *start = xcalloc(n_groups + 1ull, sizeof *start);
    bool is_float = out->type == TYPE_FLOAT;
    double *floats = is_float ? xmalloc((a->n_items + 1ull) * sizeof *floats) : NULL;
    int64_t *ints = is_float ? NULL : xmalloc((a->n_items + 1ull) * sizeof *ints);
    for (uint32_t i = 0; i < a->n_items; i++)
        start[a->items[i].group + 1]++;
    for (uint32_t g = 0; g < n_groups; g++)
        start[g + 1] += start[g];
    for (uint32_t i = a->n_items; i-- > 0;) { /* leaves start[g + 1] at the group's begin */
        uint32_t at = --start[a->items[i].group + 1], row = a->items[i].row;
        if (is_float)
            floats[at] = column_floats(a->value.col)[row];
        else
            ints[at] = column_ints(a->value.col)[row];
    }
    for (uint32_t g = 0; g < n_groups; g++) {
        uint32_t lo = start[g + 1], hi = g + 1 < n_groups ? start[g + 2] : a->n_items;
        if (lo == hi)
            bit_clear(out->valid, g);
        else if (is_float)
            column_floats(out)[g] = median_of_floats(floats + lo, hi - lo);
        else
            column_ints(out)[g] = median_of_ints(ints + lo, hi - lo);
    }
    free(start);
    free(floats);
    free(ints);
}

static Status finish_ints(const Agg *a, uint32_t n_groups, Column *out, uint64_t *bad, Error *err)
{
    for (uint32_t g = 0; g < n_groups; g++) {
        IntSum s = a->of.ints[g];
        if (s.n == 0) {
            bit_clear(out->valid, g);
        } else if (a->spec->fn == BUILTIN_AGG_MEAN) {
            column_ints(out)[g] = mean_of_ints(s.sum, s.n);
            continue;
        } else if ((s.sum > INT64_MAX || s.sum < INT64_MIN) && bad) {
            bit_clear(out->valid, g);
            bit_set(bad, g);
        } else if (s.sum > INT64_MAX || s.sum < INT64_MIN) {
            return error_set(err, ERR_ROW, "%s%.*s%s: integer overflow",
                             a->spec->name.len ? "sum of `" : "sum", STR_ARG(a->spec->name),
                             a->spec->name.len ? "`" : "");
        }
        column_ints(out)[g] = (int64_t)s.sum;
    }
    return OK;
}

/* Results that were stored, by each group's pick. */
static Column *finish_picks(const Agg *a, uint32_t n_groups)
{
    if (!a->value.col)
        return column_nulls(a->spec->type, n_groups);
    uint32_t *rows = xcalloc(n_groups + 1ull, sizeof *rows);
    for (uint32_t g = 0; g < n_groups; g++)
        rows[g] = a->of.picks[g].is_set ? a->of.picks[g].row : 0;
    Column *out = column_gather(a->value.col, rows, n_groups);
    for (uint32_t g = 0; g < n_groups; g++)
        if (!a->of.picks[g].is_set)
            bit_clear(out->valid, g);
    free(rows);
    return out;
}

static void finish_texts(const Agg *a, uint32_t n_groups, Column *out)
{
    size_t n_bytes = 0;
    for (uint32_t g = 0; g < n_groups; g++)
        n_bytes += a->of.texts[g].len;
    Heap *h = heap_new(n_bytes);
    for (uint32_t g = 0; g < n_groups; g++) {
        Str s = buf_str(&a->of.texts[g]);
        char *bytes = heap_alloc(h, s.len);
        memcpy(bytes, s.ptr, s.len);
        column_strs(out)[g] = (StrView){bytes, s.len, 0};
        if (!a->seen[g])
            bit_clear(out->valid, g);
    }
    column_add_heap(out, h);
    heap_unref(h);
}

Status agg_finish(Agg *a, uint32_t n_groups, uint64_t *bad, Column **out, Error *err)
{
    agg_room(a, n_groups);
    Column *c = column_new(a->spec->type, false, n_groups);
    column_own_valid(c, true);
    const States s = a->of;
    Status st = OK;
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_COUNT:
    case BUILTIN_AGG_COUNT_DISTINCT:
        for (uint32_t g = 0; g < n_groups; g++)
            column_ints(c)[g] = (int64_t)s.counts[g];
        break;
    case BUILTIN_AGG_SUM:
    case BUILTIN_AGG_MEAN:
        if (a->spec->type != TYPE_FLOAT) {
            st = finish_ints(a, n_groups, c, bad, err);
            break;
        }
        for (uint32_t g = 0; g < n_groups; g++) {
            double by = a->spec->fn == BUILTIN_AGG_MEAN ? (double)s.sums[g].n : 1;
            column_floats(c)[g] = s.sums[g].n ? sum_total(s.sums[g]) / by : 0;
            if (s.sums[g].n == 0)
                bit_clear(c->valid, g);
        }
        break;
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE:
        for (uint32_t g = 0; g < n_groups; g++) {
            const Moments *m = &s.moments[g];
            bool is_root = a->spec->fn == BUILTIN_AGG_STDDEV;
            column_floats(c)[g] = m->n < 2 ? 0 : is_root ? moments_stddev(m) : moments_variance(m);
            if (m->n < 2)
                bit_clear(c->valid, g);
        }
        break;
    case BUILTIN_AGG_MEDIAN:
        medians(a, n_groups, c);
        break;
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL:
        for (uint32_t g = 0; g < n_groups; g++) {
            Bools b = s.bools[g];
            column_bools(c)[g] = a->spec->fn == BUILTIN_AGG_ANY ? b.any_true : !b.any_false;
            if (!b.any_true && !b.any_false)
                bit_clear(c->valid, g);
        }
        break;
    case BUILTIN_AGG_STRING_AGG:
        finish_texts(a, n_groups, c);
        break;
    default:
        column_unref(c);
        c = finish_picks(a, n_groups);
        break;
    }
    if (st != OK) {
        column_unref(c);
        return st;
    }
    *out = c;
    return OK;
}
