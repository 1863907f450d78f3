#include "vm/agg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/block.h"
#include "vm/group.h"
#include "vm/seen.h"
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

/* The states of all groups, as the aggregate has them; all zero is the state of no rows. */
typedef union States {
    void *any;
    uint64_t *counts; /* count, count_distinct */
    Sum *sums;        /* sum and mean of floats */
    IntSum *ints;     /* sum of ints, mean of durations and sizes */
    Moments *moments; /* stddev, variance */
    Bools *bools;     /* any, all */
    Pick *picks;      /* min, max, first, last, arg_min, arg_max */
    Buf *texts;       /* string_agg */
} States;

/* A value of a group, for what needs them all: median and count_distinct. */
typedef struct Item {
    uint32_t group;
    uint32_t row; /* in Agg.value */
} Item;

struct Agg {
    const AggSpec *spec;
    uint32_t n_groups, cap;
    uint32_t state_bytes;
    States of;      /* [cap] */
    bool *seen;     /* string_agg: [cap] has a value */
    Store value, by;
    Item *items;
    uint32_t n_items, cap_items;
    uint32_t *table; /* count_distinct: open addressing over items, + 1 */
    uint32_t table_size;
    uint32_t *by_group;      /* [n_items] rows of the items, group by group; NULL: not made, or there are more since */
    uint32_t *group_begins;  /* [n_groups + 1] in by_group, with one more for while it is made */
    char *sep;
    uint32_t sep_len;
};

/* ---- opening ---- */

static uint32_t state_bytes(const AggSpec *spec)
{
    switch ((int)spec->fn) {
    case BUILTIN_AGG_COUNT:
    case BUILTIN_AGG_COUNT_DISTINCT: return sizeof(uint64_t);
    case BUILTIN_AGG_SUM:
    case BUILTIN_AGG_MEAN: return spec->type == TYPE_FLOAT ? sizeof(Sum) : sizeof(IntSum);
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE: return sizeof(Moments);
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL: return sizeof(Bools);
    case BUILTIN_AGG_MEDIAN: return 1; /* it has its items */
    case BUILTIN_AGG_STRING_AGG: return sizeof(Buf);
    default: return sizeof(Pick);
    }
}

Agg *agg_open(const AggSpec *spec)
{
    Agg *a = xcalloc(1, sizeof *a);
    a->spec = spec;
    a->state_bytes = state_bytes(spec);
    return a;
}

void agg_close(Agg *a)
{
    if (!a)
        return;
    for (uint32_t g = 0; a->spec->fn == BUILTIN_AGG_STRING_AGG && g < a->n_groups; g++)
        buf_deinit(&a->of.texts[g]);
    store_free(&a->value);
    store_free(&a->by);
    free(a->of.any);
    free(a->seen);
    free(a->items);
    free(a->table);
    free(a->by_group);
    free(a->group_begins);
    free(a->sep);
    free(a);
}

size_t agg_bytes(const Agg *a)
{
    size_t n = sizeof *a + (size_t)a->cap * a->state_bytes + a->cap_items * sizeof *a->items +
               a->table_size * sizeof *a->table + store_bytes(&a->value) + store_bytes(&a->by);
    for (uint32_t g = 0; a->spec->fn == BUILTIN_AGG_STRING_AGG && g < a->n_groups; g++)
        n += a->of.texts[g].cap;
    return n;
}

static inline void index_drop(Agg *a)
{
    if (!a->by_group)
        return;
    free(a->by_group);
    a->by_group = NULL;
}

static void room(Agg *a, uint32_t n_groups)
{
    if (n_groups > a->cap) {
        uint32_t cap = n_groups > a->cap * 2 ? n_groups : a->cap * 2;
        a->of.any = xrealloc(a->of.any, (size_t)cap * a->state_bytes);
        memset((char *)a->of.any + (size_t)a->cap * a->state_bytes, 0,
               (size_t)(cap - a->cap) * a->state_bytes);
        if (a->spec->fn == BUILTIN_AGG_STRING_AGG) {
            a->seen = xrealloc(a->seen, cap * sizeof *a->seen);
            memset(a->seen + a->cap, 0, (cap - a->cap) * sizeof *a->seen);
        }
        a->cap = cap;
    }
    if (n_groups > a->n_groups) {
        index_drop(a);
        a->n_groups = n_groups;
    }
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
    index_drop(a);
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
        while (a->n_items + 1 > a->table_size / 2) /* items may have been loaded */
            a->table_size *= 2;
        a->table = xcalloc(a->table_size, sizeof *a->table);
        for (uint32_t i = 0; i < a->n_items; i++)
            a->table[distinct_slot(a, a->items[i].group, a->value.col, a->items[i].row)] = i + 1;
    }
    uint32_t at = distinct_slot(a, group, from, row);
    if (a->table[at])
        return;
    item_add(a, group, from, row);
    a->table[at] = a->n_items;
    a->of.counts[group]++;
}

static void text_add(Agg *a, uint32_t group, Str s)
{
    Buf *b = &a->of.texts[group];
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
    Pick *p = &a->of.picks[group];
    if (is_better(a, p, by, row))
        *p = (Pick){.is_set = true, .row = row, .is_new = true};
}

/* Copies what was picked of a batch, which goes away; groups: map[n], or the first n. Old values stay in the store as
 * waste; when that is the most of it, the store is made anew. */
static void settle(Agg *a, const Column *value, const Column *by, const uint32_t *map, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        Pick *p = &a->of.picks[map ? map[i] : i];
        if (!p->is_new)
            continue;
        store_add(&a->value, value, p->row);
        if (picks_by(a))
            store_add(&a->by, by, p->row);
        *p = (Pick){.is_set = true, .row = a->value.col->n_rows - 1};
    }
    if (!a->value.col || a->value.col->n_rows < 1024 || a->value.col->n_rows / 4 < a->n_groups)
        return;
    Store old_value = a->value, old_by = a->by;
    a->value = a->by = (Store){0};
    for (uint32_t g = 0; g < a->n_groups; g++) {
        Pick *p = &a->of.picks[g];
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

/* Rows of which the group has not had the value of c yet, or that is not known. */
#define EACH_NEW_ROW(c) EACH_ROW(c) if (seen_is_new(&seen, g, i))

/* Does a value count once, however many rows of a group have it? */
static bool counts_once(const AggSpec *spec)
{
    return spec->fn == BUILTIN_AGG_COUNT_DISTINCT || spec->fn == BUILTIN_AGG_MIN || spec->fn == BUILTIN_AGG_MAX ||
           spec->fn == BUILTIN_AGG_ARG_MIN || spec->fn == BUILTIN_AGG_ARG_MAX;
}

void agg_update(Agg *a, Column *const *args, const uint32_t *ids, uint32_t n_rows,
                uint32_t n_groups)
{
    room(a, n_groups);
    States s = a->of;
    const Column *x = a->spec->n_args ? args[0] : NULL;
    Seen seen = {0};
    if (counts_once(a->spec))
        seen = seen_open(args[picks_by(a)], n_groups);
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_COUNT:
        EACH_ROW(x) s.counts[g]++;
        break;
    case BUILTIN_AGG_COUNT_DISTINCT:
        EACH_NEW_ROW(x) distinct_add(a, g, x, i);
        break;
    case BUILTIN_AGG_SUM:
    case BUILTIN_AGG_MEAN:
        if (a->spec->type == TYPE_FLOAT) {
            EACH_ROW(x) sum_add(&s.sums[g], column_floats(x)[i]);
        } else {
            EACH_ROW(x)
            {
                s.ints[g].sum += column_ints(x)[i];
                s.ints[g].n++;
            }
        }
        break;
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE:
        EACH_ROW(x) moments_add(&s.moments[g], column_floats(x)[i]);
        break;
    case BUILTIN_AGG_MEDIAN:
        EACH_ROW(x) item_add(a, g, x, i);
        break;
    case BUILTIN_AGG_MIN:
    case BUILTIN_AGG_MAX:
    case BUILTIN_AGG_FIRST:
    case BUILTIN_AGG_LAST:
        EACH_NEW_ROW(x) pick_row(a, g, x, i);
        settle(a, x, NULL, NULL, a->n_groups);
        break;
    case BUILTIN_AGG_ARG_MIN:
    case BUILTIN_AGG_ARG_MAX:
        EACH_NEW_ROW(args[1]) pick_row(a, g, args[1], i);
        settle(a, x, args[1], NULL, a->n_groups);
        break;
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL:
        EACH_ROW(x)
        {
            if (column_bools(x)[i] & 1)
                s.bools[g].any_true = true;
            else
                s.bools[g].any_false = true;
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
    seen_close(&seen);
}

/* What is asked of memory before it is wanted: the states of groups may be anywhere. */
#define AHEAD 16u
#define FETCH(states) (i + AHEAD < n ? __builtin_prefetch(&s.states[map[i + AHEAD]]) : (void)0)

/* e: the group of `from`, g: that of ours. */
#define EACH_GROUP(states)                                                               \
    for (uint32_t i = 0, e, g;                                                           \
         i < n && (FETCH(states), e = some ? some[i] : i, g = map[i], true); i++)

void agg_merge(Agg *a, const Agg *from, const uint32_t *some, const uint32_t *map, uint32_t n,
               uint32_t n_groups)
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
    States s = a->of, f = from->of;
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_COUNT:
        EACH_GROUP(counts) s.counts[g] += f.counts[e];
        break;
    case BUILTIN_AGG_SUM:
    case BUILTIN_AGG_MEAN:
        if (a->spec->type != TYPE_FLOAT) {
            EACH_GROUP(ints)
            {
                s.ints[g].sum += f.ints[e].sum;
                s.ints[g].n += f.ints[e].n;
            }
            break;
        }
        EACH_GROUP(sums)
        {
            uint64_t n_values = s.sums[g].n + f.sums[e].n;
            if (!f.sums[e].n)
                continue;
            sum_add(&s.sums[g], f.sums[e].sum);
            s.sums[g].rest += f.sums[e].rest;
            s.sums[g].n = n_values;
        }
        break;
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE:
        EACH_GROUP(moments) moments_merge(&s.moments[g], f.moments[e]);
        break;
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL:
        EACH_GROUP(bools)
        {
            s.bools[g].any_true |= f.bools[e].any_true;
            s.bools[g].any_false |= f.bools[e].any_false;
        }
        break;
    case BUILTIN_AGG_STRING_AGG:
        for (uint32_t i = 0; i < from->n_groups; i++)
            if (from->seen[i])
                text_add(a, map[i], buf_str(&f.texts[i]));
        break;
    case BUILTIN_AGG_MEDIAN:
    case BUILTIN_AGG_COUNT_DISTINCT:
        break;
    default:
        EACH_GROUP(picks)
            if (f.picks[e].is_set)
                pick_row(a, g, picks_by(a) ? from->by.col : from->value.col, f.picks[e].row);
        settle(a, from->value.col, from->by.col, map, n);
        break;
    }
}

bool agg_is_small(const AggSpec *spec)
{
    return spec->fn != BUILTIN_AGG_MEDIAN && spec->fn != BUILTIN_AGG_COUNT_DISTINCT &&
           spec->fn != BUILTIN_AGG_STRING_AGG;
}

/* e: the row, g: its group; rows in which c is null are left out. */
#define EACH_ADDED(states, c)                                                            \
    for (uint32_t i = 0, e, g;                                                           \
         i < n && (FETCH(states), e = some ? some[i] : i, g = map[i], true); i++)        \
        if (is_live((c), e))

/* Of one row nothing is lost: a sum of its states is a sum of the values. Moments are merged as those of a batch are. */
void agg_add(Agg *a, Column *const *args, const uint32_t *some, const uint32_t *map, uint32_t n,
             uint32_t n_groups)
{
    room(a, n_groups);
    States s = a->of;
    const Column *x = a->spec->n_args ? args[0] : NULL;
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_COUNT:
        EACH_ADDED(counts, x) s.counts[g]++;
        break;
    case BUILTIN_AGG_SUM:
    case BUILTIN_AGG_MEAN:
        if (a->spec->type != TYPE_FLOAT) {
            EACH_ADDED(ints, x)
            {
                s.ints[g].sum += column_ints(x)[e];
                s.ints[g].n++;
            }
            break;
        }
        EACH_ADDED(sums, x) sum_add(&s.sums[g], column_floats(x)[e]);
        break;
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE:
        EACH_ADDED(moments, x)
        {
            Moments one = {0};
            moments_add(&one, column_floats(x)[e]);
            moments_merge(&s.moments[g], one);
        }
        break;
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL:
        EACH_ADDED(bools, x)
        {
            bool is_true = column_bools(x)[e] & 1;
            s.bools[g].any_true |= is_true;
            s.bools[g].any_false |= !is_true;
        }
        break;
    default: {
        const Column *by = picks_by(a) ? args[1] : x;
        EACH_ADDED(picks, by) pick_row(a, g, by, e);
        settle(a, x, by, map, n);
        break;
    }
    }
}

/* ---- as bytes, and back ---- */

static bool is_pick(const Agg *a)
{
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_MIN:
    case BUILTIN_AGG_MAX:
    case BUILTIN_AGG_FIRST:
    case BUILTIN_AGG_LAST:
    case BUILTIN_AGG_ARG_MIN:
    case BUILTIN_AGG_ARG_MAX: return true;
    default: return false;
    }
}

static void store_put(Buf *out, const Store *s, const uint32_t *rows, uint32_t n)
{
    if (n == 0)
        return;
    Column *c = column_gather(s->col, rows, n);
    block_put_column(out, c, 0, n);
    column_unref(c);
}

static bool has_items(const Agg *a)
{
    return a->spec->fn == BUILTIN_AGG_MEDIAN || a->spec->fn == BUILTIN_AGG_COUNT_DISTINCT;
}

/* Sorts the items by group, in each in their order. */
static void items_index(Agg *a)
{
    if (a->by_group)
        return;
    a->by_group = xmalloc((a->n_items + 1ull) * sizeof *a->by_group);
    free(a->group_begins);
    a->group_begins = xcalloc(a->n_groups + 2ull, sizeof *a->group_begins);
    uint32_t *at = a->group_begins + 1; /* of each group: runs from its begin to its end */
    for (uint32_t i = 0; i < a->n_items; i++)
        a->group_begins[a->items[i].group + 2]++;
    for (uint32_t g = 2; g <= a->n_groups; g++)
        a->group_begins[g] += a->group_begins[g - 1];
    for (uint32_t i = 0; i < a->n_items; i++)
        a->by_group[at[a->items[i].group]++] = a->items[i].row;
}

/* How many items each group has, then their values. */
static void items_save(Agg *a, const uint32_t *sel, uint32_t n, Buf *out)
{
    uint32_t n_rows = 0;
    items_index(a);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t count = a->group_begins[sel[i] + 1] - a->group_begins[sel[i]];
        buf_put(out, &count, sizeof count);
        n_rows += count;
    }
    uint32_t *rows = xmalloc((n_rows + 1ull) * sizeof *rows), at = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t begin = a->group_begins[sel[i]], count = a->group_begins[sel[i] + 1] - begin;
        if (count)
            memcpy(rows + at, a->by_group + begin, count * sizeof *rows);
        at += count;
    }
    store_put(out, &a->value, rows, n_rows);
    free(rows);
}

static void items_load(Agg *a, const char **p, uint32_t n, Heap *heap)
{
    const char *counts = *p;
    *p += n * sizeof(uint32_t);
    for (uint32_t g = 0; g < n; g++) {
        uint32_t count;
        memcpy(&count, counts + g * sizeof count, sizeof count);
        a->n_items += count;
        if (a->spec->fn == BUILTIN_AGG_COUNT_DISTINCT)
            a->of.counts[g] = count;
    }
    a->cap_items = a->n_items;
    a->items = xmalloc((a->n_items + 1ull) * sizeof *a->items);
    for (uint32_t g = 0, i = 0; g < n; g++) {
        uint32_t count;
        memcpy(&count, counts + g * sizeof count, sizeof count);
        for (; count; count--, i++)
            a->items[i] = (Item){g, i};
    }
    if (a->n_items)
        a->value = store_of(block_get_column(p, a->n_items, heap));
}

/* What stands between texts; of each group whether it has any, their length and bytes. */
static void texts_save(const Agg *a, const uint32_t *sel, uint32_t n, Buf *out)
{
    buf_putc(out, a->sep != NULL);
    buf_put(out, &a->sep_len, sizeof a->sep_len);
    if (a->sep)
        buf_put(out, a->sep, a->sep_len);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t len = a->of.texts[sel[i]].len;
        buf_putc(out, a->seen[sel[i]]);
        buf_put(out, &len, sizeof len);
        if (len)
            buf_put(out, a->of.texts[sel[i]].ptr, len);
    }
}

static void texts_load(Agg *a, const char **p, uint32_t n)
{
    bool has_sep = *(*p)++;
    memcpy(&a->sep_len, *p, sizeof a->sep_len);
    *p += sizeof a->sep_len;
    if (has_sep)
        a->sep = xstrndup(*p, a->sep_len);
    *p += a->sep_len;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t len;
        a->seen[i] = *(*p)++;
        memcpy(&len, *p, sizeof len);
        *p += sizeof len;
        if (len)
            buf_put(&a->of.texts[i], *p, len);
        *p += len;
    }
}

void agg_save(Agg *a, const uint32_t *sel, uint32_t n, Buf *out)
{
    if (has_items(a)) {
        items_save(a, sel, n, out);
        return;
    }
    if (a->spec->fn == BUILTIN_AGG_STRING_AGG) {
        texts_save(a, sel, n, out);
        return;
    }
    if (!is_pick(a)) {
        for (uint32_t i = 0; i < n; i++)
            buf_put(out, (const char *)a->of.any + (size_t)sel[i] * a->state_bytes, a->state_bytes);
        return;
    }
    uint32_t *rows = xmalloc((n + 1ull) * sizeof *rows), n_set = 0;
    for (uint32_t i = 0; i < n; i++) {
        const Pick *p = &a->of.picks[sel[i]];
        buf_putc(out, p->is_set);
        if (p->is_set)
            rows[n_set++] = p->row;
    }
    store_put(out, &a->value, rows, n_set);
    if (picks_by(a))
        store_put(out, &a->by, rows, n_set);
    free(rows);
}

void agg_load(Agg *a, const char **p, uint32_t n, Heap *heap)
{
    room(a, n);
    if (has_items(a)) {
        items_load(a, p, n, heap);
        return;
    }
    if (a->spec->fn == BUILTIN_AGG_STRING_AGG) {
        texts_load(a, p, n);
        return;
    }
    if (!is_pick(a)) {
        if (n)
            memcpy(a->of.any, *p, (size_t)n * a->state_bytes);
        *p += (size_t)n * a->state_bytes;
        return;
    }
    uint32_t n_set = 0;
    for (uint32_t i = 0; i < n; i++)
        if (*(*p)++)
            a->of.picks[i] = (Pick){.is_set = true, .row = n_set++};
    if (n_set == 0)
        return;
    a->value = store_of(block_get_column(p, n_set, heap));
    if (picks_by(a))
        a->by = store_of(block_get_column(p, n_set, heap));
}

/* ---- finishing ---- */

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
    room(a, n_groups);
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
            Moments m = s.moments[g];
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
