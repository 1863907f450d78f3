/* agg_kept.c - states as bytes, and back: for groups that are kept elsewhere for a while. */
#include "vm/agg_int.h"

#include <stdlib.h>
#include <string.h>

#include "data/block.h"

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

/* Sorts the items by group, in each in their order: by_group and group_begins. */
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
    agg_room(a, n);
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
