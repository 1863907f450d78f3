/* sort.h - the order of rows by key columns.
 *
 * The order: false before true; numbers ascending with NaN greater than all of them and
 * -0.0 equal to 0.0; strings bytewise. `desc` reverses it (NaN first), but nulls come
 * last either way. Equal rows keep their order.
 */
#ifndef PIPE_VM_SORT_H
#define PIPE_VM_SORT_H

#include "data/column.h"

typedef struct SortKey {
    const Column *col;
    bool is_desc;
} SortKey;

/* order[0..n_rows) := the rows, sorted. */
void sort_rows(const SortKey *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *order);
/* The first `limit` rows of that order; returns how many there are. order has room for
 * min(limit, n_rows). Memory is proportional to that, too. */
uint32_t sort_top(const SortKey *keys, uint32_t n_keys, uint32_t n_rows, uint32_t limit,
                  uint32_t *order);

/* The first key of a row as a number that sorts like it, of strings by their first 8 bytes; rows in which it is
 * null go behind all others. What are equal then sort_compare_rows decides: < 0, 0, > 0 by all keys. */
uint64_t sort_first_key(const SortKey *key, uint32_t row, bool *is_null);
int sort_compare_rows(const SortKey *a, uint32_t row_a, const SortKey *b, uint32_t row_b,
                      uint32_t n_keys);

/* -1, 0, 1: values of one type, none null, in ascending order. */
int sort_compare_values(const Column *a, uint32_t row_a, const Column *b, uint32_t row_b);

/* Doubles as unsigned numbers in the order above. */
static inline uint64_t sort_float_bits(double f)
{
    union {
        double f;
        uint64_t u;
    } x = {.f = f};
    if (f != f)
        return ~0ull;
    if (f == 0)
        return 1ull << 63;
    return x.u >> 63 ? ~x.u : x.u | 1ull << 63;
}

#endif
