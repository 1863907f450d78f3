/* sort.h - orders of rows: sort, top.
 *
 * The order of values: numbers and dates by size, NaN after every number, false before
 * true, strings bytewise; descending is the reverse of that; null comes last either way.
 * Stable: rows that compare equal keep their order.
 */
#ifndef PIPE_VM_SORT_H
#define PIPE_VM_SORT_H

#include "data/column.h"

typedef struct SortCol {
    const Column *values; /* decoded, one per row */
    bool is_desc;
} SortCol;

/* Fills rows[n_rows] with the row numbers in order. */
void sort_rows(const SortCol *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *rows);
/* The first n_top of that order, into rows[min(n_top, n_rows)]; returns how many. */
uint32_t sort_top(const SortCol *keys, uint32_t n_keys, uint32_t n_rows, uint64_t n_top,
                  uint32_t *rows);
/* <0, 0, >0: the ascending order of two values of one type, neither of them null. */
int sort_compare(const Column *x, uint32_t i, const Column *y, uint32_t j);

#endif
