#include "vm/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_float(double x, double y)
{
    bool nx = isnan(x), ny = isnan(y);
    if (nx || ny)
        return (int)nx - (int)ny;
    return (x > y) - (x < y);
}

static int compare_str(StrView x, StrView y)
{
    uint32_t n = x.len < y.len ? x.len : y.len;
    int c = n ? memcmp(x.ptr, y.ptr, n) : 0;
    return c ? c : (x.len > y.len) - (x.len < y.len);
}

int sort_compare(const Column *x, uint32_t i, const Column *y, uint32_t j)
{
    switch (x->type) {
    case TYPE_BOOL:
        return (int)column_bools(x)[i] - (int)column_bools(y)[j];
    case TYPE_FLOAT:
        return compare_float(column_floats(x)[i], column_floats(y)[j]);
    case TYPE_STRING:
        return compare_str(column_strs(x)[i], column_strs(y)[j]);
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
    case TYPE_SIZE: {
        int64_t a = column_ints(x)[i], b = column_ints(y)[j];
        return (a > b) - (a < b);
    }
    case TYPE_ERROR:
    case TYPE_NULL:
    case TYPE_TABLE:
    case TYPE_LIST:
    case N_TYPES:
        break;
    }
    return 0;
}

/* The whole order of two rows; ties by row number, which makes any method stable. */
static int compare_rows(const SortCol *keys, uint32_t n_keys, uint32_t a, uint32_t b)
{
    for (uint32_t k = 0; k < n_keys; k++) {
        const Column *c = keys[k].values;
        bool va = column_is_valid(c, a), vb = column_is_valid(c, b);
        if (!va || !vb) {
            if (va != vb)
                return va ? -1 : 1;
            continue;
        }
        int d = sort_compare(c, a, c, b);
        if (d)
            return keys[k].is_desc ? -d : d;
    }
    return (a > b) - (a < b);
}

/* Bottom-up merge sort; runs of insertion first. */
void sort_rows(const SortCol *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *rows)
{
    enum { RUN = 16 };
    for (uint32_t i = 0; i < n_rows; i++)
        rows[i] = i;
    for (uint32_t lo = 0; lo < n_rows; lo += RUN) {
        uint32_t hi = n_rows - lo < RUN ? n_rows : lo + RUN;
        for (uint32_t i = lo + 1; i < hi; i++) {
            uint32_t row = rows[i], k = i;
            for (; k > lo && compare_rows(keys, n_keys, rows[k - 1], row) > 0; k--)
                rows[k] = rows[k - 1];
            rows[k] = row;
        }
    }
    if (n_rows <= RUN)
        return;
    uint32_t *other = xmalloc(n_rows * sizeof *other), *from = rows, *to = other;
    for (uint64_t width = RUN; width < n_rows; width *= 2) {
        for (uint64_t lo = 0; lo < n_rows; lo += 2 * width) {
            uint64_t mid = lo + width < n_rows ? lo + width : n_rows;
            uint64_t hi = lo + 2 * width < n_rows ? lo + 2 * width : n_rows;
            uint64_t i = lo, k = mid, out = lo;
            while (i < mid && k < hi)
                to[out++] = compare_rows(keys, n_keys, from[i], from[k]) <= 0 ? from[i++] : from[k++];
            while (i < mid)
                to[out++] = from[i++];
            while (k < hi)
                to[out++] = from[k++];
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != rows)
        memcpy(rows, from, n_rows * sizeof *rows);
    free(other);
}

/* Puts the last of heap[0..n), a max-heap of rows, in its place from the top down. */
static void sift_down(const SortCol *keys, uint32_t n_keys, uint32_t *heap, uint32_t n, uint32_t i)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= n)
            return;
        if (child + 1 < n && compare_rows(keys, n_keys, heap[child + 1], heap[child]) > 0)
            child++;
        if (compare_rows(keys, n_keys, heap[i], heap[child]) >= 0)
            return;
        uint32_t t = heap[i];
        heap[i] = heap[child];
        heap[child] = t;
        i = child;
    }
}

uint32_t sort_top(const SortCol *keys, uint32_t n_keys, uint32_t n_rows, uint64_t n_top,
                  uint32_t *rows)
{
    uint32_t n = n_top < n_rows ? (uint32_t)n_top : n_rows;
    if (n == 0)
        return 0;
    /* A heap of the best n so far, the worst of them on top. */
    for (uint32_t i = 0; i < n; i++)
        rows[i] = i;
    for (uint32_t i = n / 2; i-- > 0;)
        sift_down(keys, n_keys, rows, n, i);
    for (uint32_t r = n; r < n_rows; r++)
        if (compare_rows(keys, n_keys, r, rows[0]) < 0) {
            rows[0] = r;
            sift_down(keys, n_keys, rows, n, 0);
        }
    for (uint32_t left = n - 1; left > 0; left--) {
        uint32_t t = rows[0];
        rows[0] = rows[left];
        rows[left] = t;
        sift_down(keys, n_keys, rows, left, 0);
    }
    return n;
}
