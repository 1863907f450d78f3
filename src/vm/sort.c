#include "vm/sort.h"

#include <stdlib.h>
#include <string.h>

#include "data/reach.h"

/* A key of a row as a number that sorts like it; of strings 7 bytes and whether there are more. */
typedef struct Entry {
    uint64_t key;
    uint32_t row;
    uint32_t is_null; /* of that key */
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

#define CHUNK 7u /* bytes of a string in a key */
#define MORE 8u  /* the lowest byte of the key where the string goes on; else how many bytes of it are in the key */

/* The bytes from `offset`, which is not beyond the end, on: the first in the highest byte. Of two strings that have
 * the same bytes here, zeros put behind the end, the shorter has the smaller lowest byte. */
static inline uint64_t string_key(StrView s, uint32_t offset, Reach reach)
{
    const char *p = s.ptr + offset;
    uint32_t left = s.len - offset, n = left < CHUNK ? left : CHUNK;
    uint64_t v = 0;
    if (reach_has(reach, p))
        memcpy(&v, p, sizeof v);
    else
        memcpy(&v, p, n);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return (v & ~(~UINT64_C(0) >> 8 * n)) | (left < MORE ? left : MORE);
}

static inline uint64_t number_key(const Column *c, uint32_t row)
{
    if (c->type == TYPE_FLOAT)
        return sort_float_bits(column_floats(c)[row]);
    if (c->type == TYPE_BOOL)
        return column_bools(c)[row] & 1;
    return (uint64_t)column_ints(c)[row] ^ 1ull << 63;
}

static Entry entry_of(const SortKey *k, uint32_t row)
{
    const Column *c = k->col;
    if (c->type == TYPE_NULL || !column_is_valid(c, row))
        return (Entry){0, row, 1};
    uint64_t key = c->type == TYPE_STRING ? string_key(column_strs(c)[row], 0, reach_of_column(c))
                                          : number_key(c, row);
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

/* ---- sorting by one key at a time ---- */

#define FEW 12u          /* rows that are compared key by key, without numbers */
#define MERGED 160u      /* entries up to which merging is faster than counting digits */
#define MANY 8192u       /* entries from which digits are of 11 bits, else of 8 */
#define MAX_OFFSET 1024u /* of strings that are alike up to there the rest is compared */

/* Sorts by key, those of equal keys staying in order; tmp has room for n, as in all below. */
static void merge_keys(Entry *e, Entry *tmp, uint32_t n)
{
    if (n <= FEW) {
        for (uint32_t i = 1; i < n; i++) {
            Entry x = e[i];
            uint32_t j = i;
            for (; j > 0 && x.key < e[j - 1].key; j--)
                e[j] = e[j - 1];
            e[j] = x;
        }
        return;
    }
    uint32_t half = n / 2;
    merge_keys(e, tmp, half);
    merge_keys(e + half, tmp, n - half);
    if (e[half - 1].key <= e[half].key)
        return;
    memcpy(tmp, e, half * sizeof *e);
    uint32_t i = 0, j = half, to = 0;
    while (i < half && j < n) {
        bool right = e[j].key < tmp[i].key;
        const Entry *from = right ? &e[j] : &tmp[i];
        e[to++] = *from;
        j += right;
        i += !right;
    }
    memcpy(e + to, tmp + i, (half - i) * sizeof *e);
}

/* The same by digits of the key, the last first. Bits in which no two keys differ are no digits. */
static void count_keys(Entry *e, Entry *tmp, uint32_t n)
{
    uint32_t start[2048], bits = n < MANY ? 8 : 11;
    uint64_t differ = 0, mask = (1u << bits) - 1;
    for (uint32_t i = 1; i < n; i++)
        differ |= e[i].key ^ e[0].key;
    Entry *from = e, *to = tmp;
    for (uint32_t shift = 0; shift < 64 && differ >> shift; shift += bits) {
        shift += (uint32_t)__builtin_ctzll(differ >> shift);
        memset(start, 0, sizeof *start << bits);
        for (uint32_t i = 0; i < n; i++)
            start[from[i].key >> shift & mask]++;
        uint32_t at = 0;
        for (uint32_t d = 0; d <= mask; d++) {
            uint32_t here = start[d];
            start[d] = at;
            at += here;
        }
        for (uint32_t i = 0; i < n; i++)
            to[start[from[i].key >> shift & mask]++] = from[i];
        Entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != e)
        memcpy(e, from, n * sizeof *e);
}

static void sort_keys(Entry *e, Entry *tmp, uint32_t n)
{
    if (n <= MERGED)
        merge_keys(e, tmp, n);
    else
        count_keys(e, tmp, n);
}

/* Compares rows by keys from `first` on, all of each. */
static bool is_row_before(const Sorter *s, uint32_t first, uint32_t a, uint32_t b)
{
    for (uint32_t i = first; i < s->n_keys; i++) {
        int c = compare_key(&s->keys[i], a, b);
        if (c)
            return c < 0;
    }
    return false;
}

static void merge_rows(const Sorter *s, uint32_t first, Entry *e, Entry *tmp, uint32_t n)
{
    if (n <= FEW) {
        for (uint32_t i = 1; i < n; i++) {
            Entry x = e[i];
            uint32_t j = i;
            for (; j > 0 && is_row_before(s, first, x.row, e[j - 1].row); j--)
                e[j] = e[j - 1];
            e[j] = x;
        }
        return;
    }
    uint32_t half = n / 2;
    merge_rows(s, first, e, tmp, half);
    merge_rows(s, first, e + half, tmp, n - half);
    memcpy(tmp, e, half * sizeof *e);
    uint32_t i = 0, j = half, to = 0;
    while (i < half && j < n)
        e[to++] = is_row_before(s, first, e[j].row, tmp[i].row) ? e[j++] : tmp[i++];
    memcpy(e + to, tmp + i, (half - i) * sizeof *e);
}

/* Fills in a key of each row, of strings from `offset` on; rows that are null go behind the others. Returns how
 * many the others are. */
static uint32_t fill_keys(const SortKey *k, uint32_t offset, Entry *e, Entry *tmp, uint32_t n)
{
    const Column *c = k->col;
    uint32_t n_valid = 0, n_null = 0;
    uint64_t flip = k->is_desc ? ~UINT64_C(0) : 0;
    Reach reach = c->type == TYPE_STRING ? reach_of_column(c) : (Reach){0, 0};
    if (c->type == TYPE_NULL)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = e[i].row;
        if (!column_is_valid(c, row)) {
            tmp[n_null++] = e[i];
            continue;
        }
        uint64_t key = c->type == TYPE_STRING ? string_key(column_strs(c)[row], offset, reach)
                                              : number_key(c, row);
        e[n_valid++] = (Entry){key ^ flip, row, 0};
    }
    memcpy(e + n_valid, tmp, n_null * sizeof *e);
    return n_valid;
}

/* Sorts rows, given in the order that equal ones keep, by keys from `k` on, of which strings are known to be alike
 * up to `offset`. Runs of equal keys are sorted by what comes next. */
static void sort_level(const Sorter *s, Entry *e, Entry *tmp, uint32_t n, uint32_t k, uint32_t offset)
{
    while (n > 1 && k < s->n_keys) {
        if (n <= FEW || offset > MAX_OFFSET) {
            merge_rows(s, k, e, tmp, n);
            return;
        }
        const SortKey *key = &s->keys[k];
        uint32_t n_valid = fill_keys(key, offset, e, tmp, n);
        if (n_valid < n && n_valid > 0)
            sort_level(s, e + n_valid, tmp, n - n_valid, k + 1, 0);
        sort_keys(e, tmp, n_valid);
        bool is_string = key->col->type == TYPE_STRING, goes_on = false;
        uint64_t flip = key->is_desc ? ~UINT64_C(0) : 0;
        uint32_t i = 0, end = 0;
        for (; i < n_valid; i = end) {
            for (end = i + 1; end < n_valid && e[end].key == e[i].key;)
                end++;
            goes_on = is_string && ((e[i].key ^ flip) & 0xff) == MORE;
            if (end - i == n)
                break; /* all of them: no deeper for that */
            if (end - i > 1)
                sort_level(s, e + i, tmp, end - i, goes_on ? k : k + 1, goes_on ? offset + CHUNK : 0);
        }
        if (i == n_valid && n_valid > 0)
            return;
        k += !goes_on; /* all null, or all alike */
        offset = goes_on ? offset + CHUNK : 0;
    }
}

static Sorter sorter_of(const SortKey *keys, uint32_t n_keys)
{
    /* The number says all of the first key, unless that is a string. */
    return (Sorter){keys, n_keys, keys[0].col->type == TYPE_STRING ? 0 : 1};
}

/* e[0..n) by their rows. */
static void sort_entries(const Sorter *s, Entry *e, uint32_t n, uint32_t *order)
{
    Entry *tmp = xmalloc((n + 1ull) * sizeof *tmp);
    sort_level(s, e, tmp, n, 0, 0);
    for (uint32_t i = 0; i < n; i++)
        order[i] = e[i].row;
    free(tmp);
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
        e[i] = (Entry){0, i, 0};
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

#define LOOKED_AT 64u /* rows of which it is told at once whether one of them may be kept */

/* Is the first key of one of the rows from..to at most `last`, a number as entry_of gives it? True where that is not told
 * fast. Loops without branches, which the compiler makes vectors of; a null's value may be anything. */
static bool may_keep(const SortKey *k, uint32_t from, uint32_t to, uint64_t last)
{
    const Column *c = k->col;
    uint64_t flip = k->is_desc ? ~UINT64_C(0) : 0;
    uint32_t n = 0;
    if (c->type == TYPE_STRING || c->type == TYPE_BOOL || c->type == TYPE_NULL)
        return true;
    if (c->type == TYPE_FLOAT) {
        const double *f = column_floats(c);
        for (uint32_t i = from; i < to; i++)
            n += (sort_float_bits(f[i]) ^ flip) <= last;
    } else {
        const int64_t *v = column_ints(c);
        for (uint32_t i = from; i < to; i++)
            n += (((uint64_t)v[i] ^ UINT64_C(1) << 63) ^ flip) <= last;
    }
    return n > 0;
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
    for (uint32_t i = 0; i < limit; i++)
        heap_push(&s, heap, i, entry_of(&keys[0], i));
    for (uint32_t at = limit, end; at < n_rows; at = end) {
        end = n_rows - at < LOOKED_AT ? n_rows : at + LOOKED_AT;
        if (!heap[0].is_null && !may_keep(&keys[0], at, end, heap[0].key))
            continue;
        for (uint32_t i = at; i < end; i++) {
            Entry e = entry_of(&keys[0], i);
            if (is_before(&s, e, heap[0]))
                heap_replace(&s, heap, limit, e);
        }
    }
    Entry *tmp = xmalloc(limit * sizeof *tmp);
    for (uint32_t i = 0; i < limit; i++) /* equal ones keep the order of their rows */
        heap[i].key = heap[i].row;
    sort_keys(heap, tmp, limit);
    free(tmp);
    sort_entries(&s, heap, limit, order);
    free(heap);
    return limit;
}
