#include "vm/sort.h"

#include <stdlib.h>
#include <string.h>

/* The first key of a row as a number that sorts like it; of strings the first 8 bytes. */
typedef struct Entry {
    uint64_t key;
    uint32_t row;
    uint32_t is_null; /* of the first key */
} Entry;

typedef struct Sorter {
    const SortKey *keys;
    uint32_t n_keys;
    uint32_t first_rest; /* keys from here on decide between equal entries */
} Sorter;

int sort_compare_values(const Column *a, uint32_t i, const Column *b, uint32_t j)
{
    if (a->type == TYPE_STRING) {
        StrView x = column_strs(a)[i], y = column_strs(b)[j];
        int c = str_cmp((Str){x.ptr, x.len}, (Str){y.ptr, y.len});
        return (c > 0) - (c < 0);
    }
    if (a->type == TYPE_FLOAT) {
        uint64_t x = sort_float_bits(column_floats(a)[i]), y = sort_float_bits(column_floats(b)[j]);
        return (x > y) - (x < y);
    }
    if (a->type == TYPE_BOOL) {
        int x = column_bools(a)[i] & 1, y = column_bools(b)[j] & 1;
        return x - y;
    }
    if (a->type == TYPE_NULL)
        return 0;
    int64_t x = column_ints(a)[i], y = column_ints(b)[j];
    return (x > y) - (x < y);
}

static uint64_t prefix(StrView s)
{
    uint64_t key = 0;
    uint32_t n = s.len < 8 ? s.len : 8;
    for (uint32_t i = 0; i < n; i++)
        key |= (uint64_t)(uint8_t)s.ptr[i] << (56 - 8 * i);
    return key;
}

static Entry entry_of(const SortKey *k, uint32_t row)
{
    const Column *c = k->col;
    if (c->type == TYPE_NULL || !column_is_valid(c, row))
        return (Entry){0, row, 1};
    uint64_t key;
    if (c->type == TYPE_STRING)
        key = prefix(column_strs(c)[row]);
    else if (c->type == TYPE_FLOAT)
        key = sort_float_bits(column_floats(c)[row]);
    else if (c->type == TYPE_BOOL)
        key = column_bools(c)[row] & 1;
    else
        key = (uint64_t)column_ints(c)[row] ^ 1ull << 63;
    return (Entry){k->is_desc ? ~key : key, row, 0};
}

static inline int compare_keys(const SortKey *x, uint32_t i, const SortKey *y, uint32_t j)
{
    bool a = x->col->type != TYPE_NULL && column_is_valid(x->col, i);
    bool b = y->col->type != TYPE_NULL && column_is_valid(y->col, j);
    if (!a || !b)
        return (int)b - (int)a; /* the null one is greater */
    int c = sort_compare_values(x->col, i, y->col, j);
    return x->is_desc ? -c : c;
}

static int compare_key(const SortKey *k, uint32_t i, uint32_t j)
{
    return compare_keys(k, i, k, j);
}

uint64_t sort_first_key(const SortKey *key, uint32_t row, bool *is_null)
{
    Entry e = entry_of(key, row);
    *is_null = e.is_null;
    return e.key;
}

int sort_compare_rows(const SortKey *a, uint32_t i, const SortKey *b, uint32_t j, uint32_t n_keys)
{
    int c = 0;
    for (uint32_t k = 0; k < n_keys && c == 0; k++)
        c = compare_keys(&a[k], i, &b[k], j);
    return c;
}

static inline bool is_before(const Sorter *s, Entry a, Entry b)
{
    if (a.is_null != b.is_null)
        return a.is_null < b.is_null;
    if (a.key != b.key)
        return a.key < b.key;
    for (uint32_t i = s->first_rest; i < s->n_keys; i++) {
        int c = compare_key(&s->keys[i], a.row, b.row);
        if (c)
            return c < 0;
    }
    return a.row < b.row;
}

/* Sorts e[0..n) by merging; tmp has room for as many. */
static void merge_sort(const Sorter *s, Entry *e, Entry *tmp, uint32_t n)
{
    if (n <= 16) {
        for (uint32_t i = 1; i < n; i++) {
            Entry x = e[i];
            uint32_t j = i;
            for (; j > 0 && is_before(s, x, e[j - 1]); j--)
                e[j] = e[j - 1];
            e[j] = x;
        }
        return;
    }
    uint32_t half = n / 2;
    merge_sort(s, e, tmp, half);
    merge_sort(s, e + half, tmp, n - half);
    if (is_before(s, e[half - 1], e[half]))
        return;
    memcpy(tmp, e, half * sizeof *e);
    uint32_t i = 0, j = half, to = 0;
    while (i < half && j < n)
        e[to++] = is_before(s, e[j], tmp[i]) ? e[j++] : tmp[i++];
    memcpy(e + to, tmp + i, (half - i) * sizeof *e);
}

static void sort_entries(const Sorter *s, Entry *e, uint32_t n, uint32_t *order)
{
    Entry *tmp = xmalloc((n / 2 + 1) * sizeof *tmp);
    merge_sort(s, e, tmp, n);
    for (uint32_t i = 0; i < n; i++)
        order[i] = e[i].row;
    free(tmp);
}

static Sorter sorter_of(const SortKey *keys, uint32_t n_keys)
{
    /* The number says all of the first key, unless that is a string. */
    return (Sorter){keys, n_keys, keys[0].col->type == TYPE_STRING ? 0 : 1};
}

void sort_rows(const SortKey *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *order)
{
    if (n_keys == 0) {
        for (uint32_t i = 0; i < n_rows; i++)
            order[i] = i;
        return;
    }
    Sorter s = sorter_of(keys, n_keys);
    Entry *e = xmalloc((n_rows + 1ull) * sizeof *e);
    for (uint32_t i = 0; i < n_rows; i++)
        e[i] = entry_of(&keys[0], i);
    sort_entries(&s, e, n_rows, order);
    free(e);
}

/* heap[0] is the last of the rows kept; puts e in its place. */
static void heap_replace(const Sorter *s, Entry *heap, uint32_t n, Entry e)
{
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= n)
            break;
        if (child + 1 < n && is_before(s, heap[child], heap[child + 1]))
            child++;
        if (!is_before(s, e, heap[child]))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = e;
}

static void heap_push(const Sorter *s, Entry *heap, uint32_t n, Entry e)
{
    uint32_t i = n;
    for (; i > 0 && is_before(s, heap[(i - 1) / 2], e); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = e;
}

uint32_t sort_top(const SortKey *keys, uint32_t n_keys, uint32_t n_rows, uint32_t limit,
                  uint32_t *order)
{
    if (limit >= n_rows || n_keys == 0) {
        uint32_t n = limit < n_rows ? limit : n_rows;
        sort_rows(keys, n_keys, n, order);
        return n;
    }
    if (limit == 0)
        return 0;
    Sorter s = sorter_of(keys, n_keys);
    Entry *heap = xmalloc(limit * sizeof *heap);
    for (uint32_t i = 0; i < n_rows; i++) {
        Entry e = entry_of(&keys[0], i);
        if (i < limit)
            heap_push(&s, heap, i, e);
        else if (is_before(&s, e, heap[0]))
            heap_replace(&s, heap, limit, e);
    }
    sort_entries(&s, heap, limit, order);
    free(heap);
    return limit;
}
