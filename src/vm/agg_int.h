/* agg_int.h - the states of an aggregate: for agg*.c alone.
 *
 * agg.c takes rows, agg_one.c those that are all of one group, agg_merge.c other states, agg_kept.c makes bytes of them and back, agg_finish.c results. An Agg has
 * one thread at a time and owns all that it points to but its spec.
 */
#ifndef PIPE_VM_AGG_INT_H
#define PIPE_VM_AGG_INT_H

#include "vm/agg.h"

#include <math.h>

#include "vm/moments.h"
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

/* States of n_groups groups, those that are new of no rows. */
void agg_room(Agg *a, uint32_t n_groups);
/* agg_update without ids and without the room that there is; false: it has no shorter way for these. */
bool agg_update_one(Agg *a, Column *const *args, uint32_t n_rows);
/* One value more of a group, from a row of a column that may go away. */
void agg_add_item(Agg *a, uint32_t group, const Column *from, uint32_t row);
void agg_add_distinct(Agg *a, uint32_t group, const Column *from, uint32_t row);
void agg_add_text(Agg *a, uint32_t group, Str s);
/* Copies what was picked of a batch, which goes away; groups: map[n], or the first n. Old values stay in the store as
 * waste; when that is the most of it, the store is made anew. */
void agg_settle(Agg *a, const Column *value, const Column *by, const uint32_t *map, uint32_t n);

static inline void sum_add(Sum *s, double x)
{
    double t = s->sum + x;
    s->rest += fabs(s->sum) >= fabs(x) ? (s->sum - t) + x : (x - t) + s->sum;
    s->sum = t;
    s->n++;
}

static inline bool picks_by(const Agg *a)
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

/* count() has no values: every row counts. */
static inline bool is_live(const Column *c, uint32_t row)
{
    return !c || (c->type != TYPE_NULL && column_is_valid(c, row));
}

#endif
