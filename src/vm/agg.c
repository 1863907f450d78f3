#include "vm/agg_int.h"

#include <stdlib.h>
#include <string.h>

#include "vm/group.h"
#include "vm/seen.h"

enum { ALLOCATION_BYTES = 16 }; /* what the allocator adds, which is much of what a few bytes take */

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
        n += a->of.texts[g].cap ? a->of.texts[g].cap + ALLOCATION_BYTES : 0;
    n += a->seen ? a->cap * sizeof *a->seen : 0;
    n += a->by_group ? (a->n_items + 1ull) * sizeof *a->by_group : 0;
    return n + (a->group_begins ? (a->n_groups + 2ull) * sizeof *a->group_begins : 0);
}

size_t agg_state_bytes(const Agg *a)
{
    return a->state_bytes;
}

static inline void index_drop(Agg *a)
{
    if (!a->by_group)
        return;
    free(a->by_group);
    a->by_group = NULL;
}

void agg_room(Agg *a, uint32_t n_groups)
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

void agg_add_item(Agg *a, uint32_t group, const Column *from, uint32_t row)
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

void agg_add_distinct(Agg *a, uint32_t group, const Column *from, uint32_t row)
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
    agg_add_item(a, group, from, row);
    a->table[at] = a->n_items;
    a->of.counts[group]++;
}

void agg_add_text(Agg *a, uint32_t group, Str s)
{
    Buf *b = &a->of.texts[group];
    if (a->seen[group])
        buf_put(b, a->sep, a->sep_len);
    buf_put_str(b, s);
    a->seen[group] = true;
}

void agg_settle(Agg *a, const Column *value, const Column *by, const uint32_t *map, uint32_t n)
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
    agg_room(a, n_groups);
    if (!ids && agg_update_one(a, args, n_rows))
        return;
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
        EACH_NEW_ROW(x) agg_add_distinct(a, g, x, i);
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
        EACH_ROW(x) agg_add_item(a, g, x, i);
        break;
    case BUILTIN_AGG_MIN:
    case BUILTIN_AGG_MAX:
    case BUILTIN_AGG_FIRST:
    case BUILTIN_AGG_LAST:
        EACH_NEW_ROW(x) pick_row(a, g, x, i);
        agg_settle(a, x, NULL, NULL, a->n_groups);
        break;
    case BUILTIN_AGG_ARG_MIN:
    case BUILTIN_AGG_ARG_MAX:
        EACH_NEW_ROW(args[1]) pick_row(a, g, args[1], i);
        agg_settle(a, x, args[1], NULL, a->n_groups);
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
        EACH_ROW(x) agg_add_text(a, g, (Str){column_strs(x)[i].ptr, column_strs(x)[i].len});
        break;
    }
    seen_close(&seen);
}
