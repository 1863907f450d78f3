/* agg.c - one function per family of aggregates feeds its state; agg_add chooses. */
#include "vm/agg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "vm/sort.h"

/* A row of one of the columns that were fed: min, max, first, last, arg_min, arg_max. */
typedef struct Pick {
    uint32_t part, row;
    bool is_set;
} Pick;

typedef struct State {
    int64_t n;     /* values so far */
    int64_t i;     /* sum of ints; any, all: 0 or 1 */
    double sum, c; /* float sum and its compensation; variance: mean and sum of squares */
    Pick pick;
    Buf text;      /* string_agg */
    double *list;  /* median: [n], cap_list */
    int64_t cap_list;
} State;

/* A value that count_distinct has seen in a group. */
typedef struct Seen {
    uint64_t hash; /* 0: free */
    uint32_t group, part, row;
} Seen;

struct Agg {
    AggSpec spec;
    State *states;   /* [cap_groups] */
    uint32_t n_groups, cap_groups;
    Column **values; /* [n_parts] first argument of each call that picks refer to, a reference each */
    Column **by;     /* [n_parts] second argument of arg_min and arg_max */
    uint32_t n_parts;
    Seen *seen;      /* open addressing, n_slots a power of two */
    uint32_t n_seen, n_slots;
};

Agg *agg_open(const AggSpec *spec)
{
    Agg *a = xcalloc(1, sizeof *a);
    a->spec = *spec;
    return a;
}

void agg_close(Agg *a)
{
    if (!a)
        return;
    for (uint32_t g = 0; g < a->n_groups; g++) {
        buf_deinit(&a->states[g].text);
        free(a->states[g].list);
    }
    for (uint32_t p = 0; p < a->n_parts; p++) {
        column_unref(a->values[p]);
        column_unref(a->by[p]);
    }
    free(a->values);
    free(a->by);
    free(a->states);
    free(a->seen);
    free(a);
}

static void grow_groups(Agg *a, uint32_t n_groups)
{
    if (n_groups > a->cap_groups) {
        uint32_t cap = a->cap_groups ? a->cap_groups : 16;
        while (cap < n_groups)
            cap = cap > UINT32_MAX / 2 ? n_groups : 2 * cap;
        a->states = xrealloc(a->states, cap * sizeof *a->states);
        memset(a->states + a->cap_groups, 0, (cap - a->cap_groups) * sizeof *a->states);
        a->cap_groups = cap;
    }
    if (n_groups > a->n_groups)
        a->n_groups = n_groups;
}

/* Remembers the columns that picks point into; returns their number. */
static uint32_t add_part(Agg *a, Column *values, Column *by)
{
    a->values = xrealloc(a->values, (a->n_parts + 1) * sizeof *a->values);
    a->by = xrealloc(a->by, (a->n_parts + 1) * sizeof *a->by);
    a->values[a->n_parts] = column_ref(values);
    a->by[a->n_parts] = by ? column_ref(by) : NULL;
    return a->n_parts++;
}

/* ---- feeding */

static void add_count(Agg *a, const Column *x, const uint32_t *ids, uint32_t n)
{
    for (uint32_t r = 0; r < n; r++)
        if (!x || column_is_valid(x, r))
            a->states[ids[r]].n++;
}

static Status add_int_sum(Agg *a, const Column *x, const uint32_t *ids, uint32_t n,
                          uint32_t *bad_row, Error *err)
{
    const int64_t *v = column_ints(x);
    for (uint32_t r = 0; r < n; r++) {
        State *s = &a->states[ids[r]];
        if (!column_is_valid(x, r))
            continue;
        s->n++;
        if (__builtin_add_overflow(s->i, v[r], &s->i)) {
            *bad_row = r;
            return error_set(err, ERR_ROW, "the sum of an int column overflows at %lld",
                             (long long)v[r]);
        }
    }
    return OK;
}

/* Neumaier's sum: c collects what the additions lost. */
static void add_float_sum(Agg *a, const Column *x, const uint32_t *ids, uint32_t n)
{
    const double *v = column_floats(x);
    for (uint32_t r = 0; r < n; r++) {
        State *s = &a->states[ids[r]];
        if (!column_is_valid(x, r))
            continue;
        double t = s->sum + v[r];
        s->c += fabs(s->sum) >= fabs(v[r]) ? (s->sum - t) + v[r] : (v[r] - t) + s->sum;
        s->sum = t;
        s->n++;
    }
}

/* Welford's update: sum is the mean, c the sum of squared differences from it. */
static void add_variance(Agg *a, const Column *x, const uint32_t *ids, uint32_t n)
{
    const double *v = column_floats(x);
    for (uint32_t r = 0; r < n; r++) {
        State *s = &a->states[ids[r]];
        if (!column_is_valid(x, r))
            continue;
        s->n++;
        double d = v[r] - s->sum;
        s->sum += d / (double)s->n;
        s->c += d * (v[r] - s->sum);
    }
}

static void add_median(Agg *a, const Column *x, const uint32_t *ids, uint32_t n)
{
    const double *v = column_floats(x);
    for (uint32_t r = 0; r < n; r++) {
        State *s = &a->states[ids[r]];
        if (!column_is_valid(x, r))
            continue;
        if (s->n == s->cap_list) {
            s->cap_list = s->cap_list ? 2 * s->cap_list : 8;
            s->list = xrealloc(s->list, (size_t)s->cap_list * sizeof *s->list);
        }
        s->list[s->n++] = v[r];
    }
}

static void add_bools(Agg *a, const Column *x, const uint32_t *ids, uint32_t n)
{
    bool is_all = a->spec.fn == BUILTIN_AGG_ALL;
    for (uint32_t r = 0; r < n; r++) {
        State *s = &a->states[ids[r]];
        if (!column_is_valid(x, r))
            continue;
        bool v = column_bools(x)[r];
        s->i = s->n == 0 ? v : is_all ? s->i && v : s->i || v;
        s->n++;
    }
}

/* min and max are arg_min and arg_max by the value itself; ties stay with the first. */
static void add_best(Agg *a, Column *x, Column *by, bool is_max, const uint32_t *ids, uint32_t n)
{
    uint32_t part = add_part(a, x, by);
    for (uint32_t r = 0; r < n; r++) {
        Pick *p = &a->states[ids[r]].pick;
        if (!column_is_valid(by, r))
            continue;
        int c = p->is_set ? sort_compare(by, r, a->by[p->part], p->row) : 0;
        if (!p->is_set || (is_max ? c > 0 : c < 0))
            *p = (Pick){part, r, true};
    }
}

static void add_place(Agg *a, Column *x, const uint32_t *ids, uint32_t n)
{
    uint32_t part = add_part(a, x, NULL);
    bool is_first = a->spec.fn == BUILTIN_AGG_FIRST;
    for (uint32_t r = 0; r < n; r++) {
        Pick *p = &a->states[ids[r]].pick;
        if (column_is_valid(x, r) && !(is_first && p->is_set))
            *p = (Pick){part, r, true};
    }
}

static void add_text(Agg *a, const Column *x, const Column *sep, const uint32_t *ids, uint32_t n)
{
    for (uint32_t r = 0; r < n; r++) {
        State *s = &a->states[ids[r]];
        if (!column_is_valid(x, r))
            continue;
        if (s->n++ > 0 && column_is_valid(sep, r))
            buf_put(&s->text, column_strs(sep)[r].ptr, column_strs(sep)[r].len);
        buf_put(&s->text, column_strs(x)[r].ptr, column_strs(x)[r].len);
    }
}

static uint64_t seen_hash(const Column *x, uint32_t row, uint32_t group)
{
    uint64_t h;
    if (x->type == TYPE_STRING) {
        h = XXH3_64bits_withSeed(column_strs(x)[row].ptr, column_strs(x)[row].len, group);
    } else {
        uint64_t v = 0;
        if (x->type == TYPE_FLOAT) {
            double f = isnan(column_floats(x)[row]) ? NAN : column_floats(x)[row] + 0.0;
            memcpy(&v, &f, sizeof v);
            if (isnan(f))
                v = 1; /* all NaNs are one value */
        } else if (x->type == TYPE_BOOL) {
            v = column_bools(x)[row];
        } else {
            v = (uint64_t)column_ints(x)[row];
        }
        h = XXH3_64bits_withSeed(&v, sizeof v, group);
    }
    return h ? h : 1;
}

static void grow_seen(Agg *a)
{
    Seen *old = a->seen;
    uint32_t n_old = a->n_slots;
    a->n_slots = n_old ? 2 * n_old : 64;
    a->seen = xcalloc(a->n_slots, sizeof *a->seen);
    for (uint32_t i = 0; i < n_old; i++) {
        if (!old[i].hash)
            continue;
        uint32_t at = (uint32_t)old[i].hash & (a->n_slots - 1);
        while (a->seen[at].hash)
            at = (at + 1) & (a->n_slots - 1);
        a->seen[at] = old[i];
    }
    free(old);
}

static void add_distinct(Agg *a, Column *x, const uint32_t *ids, uint32_t n)
{
    uint32_t part = add_part(a, x, NULL);
    for (uint32_t r = 0; r < n; r++) {
        if (!column_is_valid(x, r))
            continue;
        if (a->n_seen >= a->n_slots / 2)
            grow_seen(a);
        uint64_t h = seen_hash(x, r, ids[r]);
        uint32_t at = (uint32_t)h & (a->n_slots - 1);
        for (const Seen *s; (s = &a->seen[at])->hash; at = (at + 1) & (a->n_slots - 1))
            if (s->hash == h && s->group == ids[r] &&
                sort_compare(a->values[s->part], s->row, x, r) == 0)
                break;
        if (a->seen[at].hash)
            continue;
        a->seen[at] = (Seen){h, ids[r], part, r};
        a->n_seen++;
        a->states[ids[r]].n++;
    }
}

Status agg_add(Agg *a, Column *const *args, const uint32_t *ids, uint32_t n_rows,
               uint32_t n_groups, uint32_t *bad_row, Error *err)
{
    Column *x = a->spec.n_args ? args[0] : NULL;
    grow_groups(a, n_groups);
    switch ((int)a->spec.fn) {
    case BUILTIN_AGG_COUNT:
        add_count(a, x, ids, n_rows);
        break;
    case BUILTIN_AGG_COUNT_DISTINCT:
        add_distinct(a, x, ids, n_rows);
        break;
    case BUILTIN_AGG_SUM:
        if (a->spec.type != TYPE_FLOAT)
            return add_int_sum(a, x, ids, n_rows, bad_row, err);
        add_float_sum(a, x, ids, n_rows);
        break;
    case BUILTIN_AGG_MEAN:
        add_float_sum(a, x, ids, n_rows);
        break;
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE:
        add_variance(a, x, ids, n_rows);
        break;
    case BUILTIN_AGG_MEDIAN:
        add_median(a, x, ids, n_rows);
        break;
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL:
        add_bools(a, x, ids, n_rows);
        break;
    case BUILTIN_AGG_MIN:
    case BUILTIN_AGG_MAX:
        add_best(a, x, x, a->spec.fn == BUILTIN_AGG_MAX, ids, n_rows);
        break;
    case BUILTIN_AGG_ARG_MIN:
    case BUILTIN_AGG_ARG_MAX:
        add_best(a, x, args[1], a->spec.fn == BUILTIN_AGG_ARG_MAX, ids, n_rows);
        break;
    case BUILTIN_AGG_FIRST:
    case BUILTIN_AGG_LAST:
        add_place(a, x, ids, n_rows);
        break;
    case BUILTIN_AGG_STRING_AGG:
        add_text(a, x, args[1], ids, n_rows);
        break;
    default:
        break;
    }
    return OK;
}

/* ---- results */

static void set_null(Column *c, uint32_t row)
{
    if (!c->valid)
        column_own_valid(c, true);
    bit_clear(c->valid, row);
    if (c->type == TYPE_STRING)
        column_strs(c)[row] = (StrView){"", 0, 0};
    else if (c->type == TYPE_BOOL)
        column_bools(c)[row] = 0;
    else
        column_ints(c)[row] = 0;
}

static void put_pick(Agg *a, Column *out, uint32_t g)
{
    const Pick *p = &a->states[g].pick;
    const Column *x = p->is_set ? a->values[p->part] : NULL;
    if (!x || !column_is_valid(x, p->row))
        set_null(out, g);
    else if (out->type == TYPE_STRING)
        column_strs(out)[g] = column_strs(x)[p->row];
    else if (out->type == TYPE_BOOL)
        column_bools(out)[g] = column_bools(x)[p->row];
    else
        column_ints(out)[g] = column_ints(x)[p->row]; /* or a double: 8 bytes either way */
}

static int compare_doubles(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    if (isnan(a) || isnan(b))
        return (int)isnan(a) - (int)isnan(b);
    return (a > b) - (a < b);
}

static void put_float(const Agg *a, Column *out, uint32_t g)
{
    State *s = &a->states[g];
    double v = isfinite(s->sum) ? s->sum + s->c : s->sum;
    bool needs_two = a->spec.fn == BUILTIN_AGG_STDDEV || a->spec.fn == BUILTIN_AGG_VARIANCE;
    if (s->n < (needs_two ? 2 : 1)) {
        set_null(out, g);
        return;
    }
    if (a->spec.fn == BUILTIN_AGG_MEAN)
        v /= (double)s->n;
    if (needs_two)
        v = s->c / (double)(s->n - 1);
    if (a->spec.fn == BUILTIN_AGG_STDDEV)
        v = sqrt(v);
    if (a->spec.fn == BUILTIN_AGG_MEDIAN) {
        qsort(s->list, (size_t)s->n, sizeof *s->list, compare_doubles);
        double high = s->list[s->n / 2], low = s->list[(s->n - 1) / 2];
        v = s->n % 2 ? high : low / 2 + high / 2;
        if (s->n % 2 == 0 && isfinite(low + high))
            v = (low + high) / 2;
    }
    column_floats(out)[g] = v;
}

Column *agg_finish(Agg *a, uint32_t n_groups)
{
    grow_groups(a, n_groups);
    Column *out = column_new(a->spec.type, false, n_groups);
    Heap *texts = NULL;
    if (a->spec.fn == BUILTIN_AGG_STRING_AGG) {
        texts = heap_new(4096);
        column_add_heap(out, texts);
    }
    for (uint32_t g = 0; g < n_groups; g++) {
        State *s = &a->states[g];
        switch ((int)a->spec.fn) {
        case BUILTIN_AGG_COUNT:
        case BUILTIN_AGG_COUNT_DISTINCT:
            column_ints(out)[g] = s->n;
            break;
        case BUILTIN_AGG_ANY:
        case BUILTIN_AGG_ALL:
            column_bools(out)[g] = (uint8_t)s->i;
            if (s->n == 0)
                set_null(out, g);
            break;
        case BUILTIN_AGG_STRING_AGG:
            if (s->n == 0) {
                set_null(out, g);
            } else {
                char *p = heap_alloc(texts, s->text.len);
                if (s->text.len)
                    memcpy(p, s->text.ptr, s->text.len);
                column_strs(out)[g] = (StrView){p, (uint32_t)s->text.len, 0};
            }
            break;
        case BUILTIN_AGG_MIN:
        case BUILTIN_AGG_MAX:
        case BUILTIN_AGG_ARG_MIN:
        case BUILTIN_AGG_ARG_MAX:
        case BUILTIN_AGG_FIRST:
        case BUILTIN_AGG_LAST:
            put_pick(a, out, g);
            break;
        default:
            if (out->type == TYPE_FLOAT) {
                put_float(a, out, g);
            } else {
                column_ints(out)[g] = s->i;
                if (s->n == 0)
                    set_null(out, g);
            }
            break;
        }
    }
    heap_unref(texts);
    for (uint32_t p = 0; p < a->n_parts && out->type == TYPE_STRING; p++)
        for (uint32_t h = 0; h < a->values[p]->n_heaps; h++)
            column_add_heap(out, a->values[p]->heaps[h]);
    return out;
}
