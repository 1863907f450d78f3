#include "vm/agg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vm/group.h"
#include "vm/sort.h"
#include "vm/store.h"

typedef struct Sum { /* of floats, after Neumaier */
    double sum, rest;
    uint64_t n;
} Sum;

typedef struct IntSum {
    __int128 sum; /* cannot overflow: 2^64 values of 2^63 */
    uint64_t n;
} IntSum;

typedef struct Moments { /* after Welford; long, so that the digits of the double hold */
    uint64_t n;
    long double mean, m2;
} Moments;

typedef struct Bools {
    bool any_true, any_false;
} Bools;

/* Rows in which one is the best, or the latest: its values are rows of a column of our own. */
typedef struct Pick {
    bool is_set;
    uint32_t row; /* in Agg.value and Agg.by; while updating: of the batch */
    bool is_new;  /* row is of the batch */
} Pick;

typedef union State {
    uint64_t count;
    Sum sum;
    IntSum ints;
    Moments moments;
    Bools bools;
    Pick pick;
    Buf text; /* string_agg */
} State;

/* A value of a group, for what needs them all: median and count_distinct. */
typedef struct Item {
    uint32_t group;
    uint32_t row; /* in Agg.value */
} Item;

struct Agg {
    const AggSpec *spec;
    uint32_t n_groups, cap;
    State *states;  /* [cap]; all zero is the state of no rows */
    bool *seen;     /* string_agg: [cap] has a value */
    Store value, by;
    Item *items;
    uint32_t n_items, cap_items;
    uint32_t *table; /* count_distinct: open addressing over items, + 1 */
    uint32_t table_size;
    char *sep;
    uint32_t sep_len;
};

/* ---- opening ---- */

Agg *agg_open(const AggSpec *spec)
{
    Agg *a = xcalloc(1, sizeof *a);
    a->spec = spec;
    return a;
}

void agg_close(Agg *a)
{
    if (!a)
        return;
    for (uint32_t g = 0; a->spec->fn == BUILTIN_AGG_STRING_AGG && g < a->n_groups; g++)
        buf_deinit(&a->states[g].text);
    store_free(&a->value);
    store_free(&a->by);
    free(a->states);
    free(a->seen);
    free(a->items);
    free(a->table);
    free(a->sep);
    free(a);
}

size_t agg_bytes(const Agg *a)
{
    size_t n = sizeof *a + a->cap * sizeof *a->states + a->cap_items * sizeof *a->items +
               a->table_size * sizeof *a->table + store_bytes(&a->value) + store_bytes(&a->by);
    for (uint32_t g = 0; a->spec->fn == BUILTIN_AGG_STRING_AGG && g < a->n_groups; g++)
        n += a->states[g].text.cap;
    return n;
}

static void room(Agg *a, uint32_t n_groups)
{
    if (n_groups > a->cap) {
        uint32_t cap = n_groups > a->cap * 2 ? n_groups : a->cap * 2;
        a->states = xrealloc(a->states, cap * sizeof *a->states);
        memset(a->states + a->cap, 0, (cap - a->cap) * sizeof *a->states);
        if (a->spec->fn == BUILTIN_AGG_STRING_AGG) {
            a->seen = xrealloc(a->seen, cap * sizeof *a->seen);
            memset(a->seen + a->cap, 0, (cap - a->cap) * sizeof *a->seen);
        }
        a->cap = cap;
    }
    if (n_groups > a->n_groups)
        a->n_groups = n_groups;
}

/* ---- one value more ---- */

static inline void sum_add(Sum *s, double x)
{
    double t = s->sum + x;
    s->rest += fabs(s->sum) >= fabs(x) ? (s->sum - t) + x : (x - t) + s->sum;
    s->sum = t;
    s->n++;
}

static double sum_total(Sum s)
{
    return isfinite(s.sum) ? s.sum + s.rest : s.sum; /* rest is NaN beyond inf */
}

static inline void moments_add(Moments *m, double x)
{
    long double d = x - m->mean;
    m->n++;
    m->mean += d / (long double)m->n;
    m->m2 += d * (x - m->mean);
}

static void moments_merge(Moments *m, Moments b)
{
    if (b.n == 0)
        return;
    long double na = (long double)m->n, nb = (long double)b.n, n = na + nb, d = b.mean - m->mean;
    m->mean = m->n ? m->mean + d * nb / n : b.mean;
    m->m2 += b.m2 + (m->n ? d * d * na * nb / n : 0);
    m->n += b.n;
}

static void item_add(Agg *a, uint32_t group, const Column *from, uint32_t row)
{
    if (a->n_items == a->cap_items) {
        a->cap_items = a->cap_items ? a->cap_items * 2 : 64;
        a->items = xrealloc(a->items, a->cap_items * sizeof *a->items);
    }
    store_add(&a->value, from, row);
    a->items[a->n_items++] = (Item){group, a->value.col->n_rows - 1};
}

static uint32_t distinct_slot(const Agg *a, uint32_t group, const Column *from, uint32_t row)
{
    uint64_t h = group_hash_value(from, row) + group * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
    h *= 0xff51afd7ed558ccdu;
    uint32_t at = (uint32_t)(h >> 32) & (a->table_size - 1);
    for (; a->table[at]; at = (at + 1) & (a->table_size - 1)) {
        const Item *it = &a->items[a->table[at] - 1];
        if (it->group == group && group_values_equal(a->value.col, it->row, from, row))
            break;
    }
    return at;
}

static void distinct_add(Agg *a, uint32_t group, const Column *from, uint32_t row)
{
    if (a->n_items + 1 > a->table_size / 2) {
        free(a->table);
        a->table_size = a->table_size ? a->table_size * 2 : 64;
        a->table = xcalloc(a->table_size, sizeof *a->table);
        for (uint32_t i = 0; i < a->n_items; i++)
            a->table[distinct_slot(a, a->items[i].group, a->value.col, a->items[i].row)] = i + 1;
    }
    uint32_t at = distinct_slot(a, group, from, row);
    if (a->table[at])
        return;
    item_add(a, group, from, row);
    a->table[at] = a->n_items;
    a->states[group].count++;
}

static void text_add(Agg *a, uint32_t group, Str s)
{
    Buf *b = &a->states[group].text;
    if (a->seen[group])
        buf_put(b, a->sep, a->sep_len);
    buf_put_str(b, s);
    a->seen[group] = true;
}

/* ---- picking a row: min, max, first, last, arg_min, arg_max ---- */

static bool picks_by(const Agg *a)
{
    return a->spec->fn == BUILTIN_AGG_ARG_MIN || a->spec->fn == BUILTIN_AGG_ARG_MAX;
}

/* Is row of `by` to take the place of what was picked? */
static inline bool is_better(const Agg *a, const Pick *p, const Column *by, uint32_t row)
{
    if (!p->is_set)
        return true;
    int want;
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_FIRST: return false;
    case BUILTIN_AGG_LAST: return true;
    case BUILTIN_AGG_MIN:
    case BUILTIN_AGG_ARG_MIN: want = -1; break;
    default: want = 1; break;
    }
    const Column *old = p->is_new ? by : picks_by(a) ? a->by.col : a->value.col;
    return sort_compare_values(by, row, old, p->row) == want;
}

static inline void pick_row(Agg *a, uint32_t group, const Column *by, uint32_t row)
{
    Pick *p = &a->states[group].pick;
    if (is_better(a, p, by, row))
        *p = (Pick){.is_set = true, .row = row, .is_new = true};
}

/* Copies what was picked of a batch: it goes away. Old values stay in the store as waste; when that
 * is the most of it, the store is made anew. */
static void settle(Agg *a, const Column *value, const Column *by)
{
    uint32_t n_used = 0;
    for (uint32_t g = 0; g < a->n_groups; g++) {
        Pick *p = &a->states[g].pick;
        n_used += p->is_set;
        if (!p->is_new)
            continue;
        store_add(&a->value, value, p->row);
        if (picks_by(a))
            store_add(&a->by, by, p->row);
        *p = (Pick){.is_set = true, .row = a->value.col->n_rows - 1};
    }
    if (!a->value.col || a->value.col->n_rows < 1024 || a->value.col->n_rows / 4 < n_used)
        return;
    Store old_value = a->value, old_by = a->by;
    a->value = a->by = (Store){0};
    for (uint32_t g = 0; g < a->n_groups; g++) {
        Pick *p = &a->states[g].pick;
        if (!p->is_set)
            continue;
        store_add(&a->value, old_value.col, p->row);
        if (picks_by(a))
            store_add(&a->by, old_by.col, p->row);
        p->row = a->value.col->n_rows - 1;
    }
    store_free(&old_value);
    store_free(&old_by);
}

/* ---- updating ---- */

/* count() has no values: every row counts. */
static inline bool is_live(const Column *c, uint32_t row)
{
    return !c || (c->type != TYPE_NULL && column_is_valid(c, row));
}

#define EACH_ROW(c)                                                                      \
    for (uint32_t i = 0, g; i < n_rows && (g = ids ? ids[i] : 0, true); i++)             \
        if (is_live((c), i))

void agg_update(Agg *a, Column *const *args, const uint32_t *ids, uint32_t n_rows,
                uint32_t n_groups)
{
    room(a, n_groups);
    State *s = a->states;
    const Column *x = a->spec->n_args ? args[0] : NULL;
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_COUNT:
        EACH_ROW(x) s[g].count++;
        break;
    case BUILTIN_AGG_COUNT_DISTINCT:
        EACH_ROW(x) distinct_add(a, g, x, i);
        break;
    case BUILTIN_AGG_SUM:
        if (a->spec->type == TYPE_FLOAT) {
            EACH_ROW(x) sum_add(&s[g].sum, column_floats(x)[i]);
        } else {
            EACH_ROW(x)
            {
                s[g].ints.sum += column_ints(x)[i];
                s[g].ints.n++;
            }
        }
        break;
    case BUILTIN_AGG_MEAN:
        EACH_ROW(x) sum_add(&s[g].sum, column_floats(x)[i]);
        break;
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE:
        EACH_ROW(x) moments_add(&s[g].moments, column_floats(x)[i]);
        break;
    case BUILTIN_AGG_MEDIAN:
        EACH_ROW(x) item_add(a, g, x, i);
        break;
    case BUILTIN_AGG_MIN:
    case BUILTIN_AGG_MAX:
    case BUILTIN_AGG_FIRST:
    case BUILTIN_AGG_LAST:
        EACH_ROW(x) pick_row(a, g, x, i);
        settle(a, x, NULL);
        break;
    case BUILTIN_AGG_ARG_MIN:
    case BUILTIN_AGG_ARG_MAX:
        EACH_ROW(args[1]) pick_row(a, g, args[1], i);
        settle(a, x, args[1]);
        break;
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL:
        EACH_ROW(x)
        {
            if (column_bools(x)[i] & 1)
                s[g].bools.any_true = true;
            else
                s[g].bools.any_false = true;
        }
        break;
    case BUILTIN_AGG_STRING_AGG:
        if (!a->sep && n_rows) {
            StrView sep = is_live(args[1], 0) ? column_strs(args[1])[0] : (StrView){"", 0, 0};
            a->sep = xstrndup(sep.ptr, sep.len);
            a->sep_len = sep.len;
        }
        EACH_ROW(x) text_add(a, g, (Str){column_strs(x)[i].ptr, column_strs(x)[i].len});
        break;
    }
}

void agg_merge(Agg *a, const Agg *from, const uint32_t *map, uint32_t n_groups)
{
    room(a, n_groups);
    if (!a->sep && from->sep) {
        a->sep = xstrndup(from->sep, from->sep_len);
        a->sep_len = from->sep_len;
    }
    for (uint32_t i = 0; i < from->n_items; i++) {
        const Item *it = &from->items[i];
        if (a->spec->fn == BUILTIN_AGG_MEDIAN)
            item_add(a, map[it->group], from->value.col, it->row);
        else
            distinct_add(a, map[it->group], from->value.col, it->row);
    }
    bool is_pick = false;
    for (uint32_t i = 0; i < from->n_groups; i++) {
        const State *f = &from->states[i];
        State *s = &a->states[map[i]];
        switch ((int)a->spec->fn) {
        case BUILTIN_AGG_COUNT:
            s->count += f->count;
            break;
        case BUILTIN_AGG_SUM:
            if (a->spec->type != TYPE_FLOAT) {
                s->ints.sum += f->ints.sum;
                s->ints.n += f->ints.n;
                break;
            }
            __attribute__((fallthrough));
        case BUILTIN_AGG_MEAN:
            if (f->sum.n) {
                uint64_t n = s->sum.n + f->sum.n;
                sum_add(&s->sum, f->sum.sum);
                s->sum.rest += f->sum.rest;
                s->sum.n = n;
            }
            break;
        case BUILTIN_AGG_STDDEV:
        case BUILTIN_AGG_VARIANCE:
            moments_merge(&s->moments, f->moments);
            break;
        case BUILTIN_AGG_ANY:
        case BUILTIN_AGG_ALL:
            s->bools.any_true |= f->bools.any_true;
            s->bools.any_false |= f->bools.any_false;
            break;
        case BUILTIN_AGG_STRING_AGG:
            if (from->seen[i])
                text_add(a, map[i], buf_str(&f->text));
            break;
        case BUILTIN_AGG_MEDIAN:
        case BUILTIN_AGG_COUNT_DISTINCT:
            break;
        default:
            is_pick = true;
            if (f->pick.is_set)
                pick_row(a, map[i], picks_by(a) ? from->by.col : from->value.col, f->pick.row);
            break;
        }
    }
    if (is_pick)
        settle(a, from->value.col, from->by.col);
}

/* ---- finishing ---- */

static int compare_doubles(const void *a, const void *b)
{
    uint64_t x = sort_float_bits(*(const double *)a), y = sort_float_bits(*(const double *)b);
    return (x > y) - (x < y);
}

/* The medians of all groups: values by group, each group's sorted. */
static void medians(Agg *a, uint32_t n_groups, Column *out)
{
    uint32_t *start = xcalloc(n_groups + 1ull, sizeof *start);
    double *values = xmalloc((a->n_items + 1ull) * sizeof *values);
    for (uint32_t i = 0; i < a->n_items; i++)
        start[a->items[i].group + 1]++;
    for (uint32_t g = 0; g < n_groups; g++)
        start[g + 1] += start[g];
    for (uint32_t i = a->n_items; i-- > 0;) /* leaves start[g + 1] at the group's begin */
        values[--start[a->items[i].group + 1]] = column_floats(a->value.col)[a->items[i].row];
    for (uint32_t g = 0; g < n_groups; g++) {
        uint32_t lo = start[g + 1], hi = g + 1 < n_groups ? start[g + 2] : a->n_items;
        uint32_t n = hi - lo;
        if (n == 0) {
            bit_clear(out->valid, g);
            continue;
        }
        double *v = values + lo;
        qsort(v, n, sizeof *v, compare_doubles);
        double mid = v[n / 2];
        if (n % 2 == 0) {
            double low = v[n / 2 - 1], sum = low + mid;
            mid = isinf(sum) && !isinf(low) && !isinf(mid) ? low / 2 + mid / 2 : sum / 2;
        }
        column_floats(out)[g] = mid;
    }
    free(start);
    free(values);
}

static Status finish_ints(const Agg *a, uint32_t n_groups, Column *out, Error *err)
{
    for (uint32_t g = 0; g < n_groups; g++) {
        IntSum s = a->states[g].ints;
        if (s.n == 0)
            bit_clear(out->valid, g);
        else if (s.sum > INT64_MAX || s.sum < INT64_MIN)
            return error_set(err, ERR_ROW, "%s%.*s%s: integer overflow",
                             a->spec->name.len ? "sum of `" : "sum", STR_ARG(a->spec->name),
                             a->spec->name.len ? "`" : "");
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
        rows[g] = a->states[g].pick.is_set ? a->states[g].pick.row : 0;
    Column *out = column_gather(a->value.col, rows, n_groups);
    for (uint32_t g = 0; g < n_groups; g++)
        if (!a->states[g].pick.is_set)
            bit_clear(out->valid, g);
    free(rows);
    return out;
}

static void finish_texts(const Agg *a, uint32_t n_groups, Column *out)
{
    size_t n_bytes = 0;
    for (uint32_t g = 0; g < n_groups; g++)
        n_bytes += a->states[g].text.len;
    Heap *h = heap_new(n_bytes);
    for (uint32_t g = 0; g < n_groups; g++) {
        Str s = buf_str(&a->states[g].text);
        char *bytes = heap_alloc(h, s.len);
        memcpy(bytes, s.ptr, s.len);
        column_strs(out)[g] = (StrView){bytes, s.len, 0};
        if (!a->seen[g])
            bit_clear(out->valid, g);
    }
    column_add_heap(out, h);
    heap_unref(h);
}

Status agg_finish(Agg *a, uint32_t n_groups, Column **out, Error *err)
{
    room(a, n_groups);
    Column *c = column_new(a->spec->type, false, n_groups);
    column_own_valid(c, true);
    const State *s = a->states;
    Status st = OK;
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_COUNT:
    case BUILTIN_AGG_COUNT_DISTINCT:
        for (uint32_t g = 0; g < n_groups; g++)
            column_ints(c)[g] = (int64_t)s[g].count;
        break;
    case BUILTIN_AGG_SUM:
        if (a->spec->type != TYPE_FLOAT) {
            st = finish_ints(a, n_groups, c, err);
            break;
        }
        __attribute__((fallthrough));
    case BUILTIN_AGG_MEAN:
        for (uint32_t g = 0; g < n_groups; g++) {
            double by = a->spec->fn == BUILTIN_AGG_MEAN ? (double)s[g].sum.n : 1;
            column_floats(c)[g] = s[g].sum.n ? sum_total(s[g].sum) / by : 0;
            if (s[g].sum.n == 0)
                bit_clear(c->valid, g);
        }
        break;
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE:
        for (uint32_t g = 0; g < n_groups; g++) {
            Moments m = s[g].moments;
            long double v = m.n > 1 ? m.m2 / (long double)(m.n - 1) : 0;
            column_floats(c)[g] = (double)(a->spec->fn == BUILTIN_AGG_STDDEV ? sqrtl(v) : v);
            if (m.n < 2)
                bit_clear(c->valid, g);
        }
        break;
    case BUILTIN_AGG_MEDIAN:
        medians(a, n_groups, c);
        break;
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL:
        for (uint32_t g = 0; g < n_groups; g++) {
            Bools b = s[g].bools;
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
