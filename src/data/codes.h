/* codes.h - numbers for the values of a column that repeat, so that what is to be known of a value is found once.
 *
 * Rows that are not null and have the same code have the same value; rows with other codes mostly have another. A
 * column of strings gets codes when the first who would gain by them asks, once for all; when its values turn out not to
 * repeat, that is found out early, and told to those who ask later. A column that is computed of the values of another
 * takes its codes over.
 *
 * Immutable once published, counted; any thread.
 */
#ifndef PIPE_DATA_CODES_H
#define PIPE_DATA_CODES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "data/column.h"

typedef struct Codes {
    _Atomic uint32_t refs;
    uint32_t n_rows;
    uint32_t n_values; /* codes are below; 0: not worth having */
    uint32_t *first;   /* [n_values] a row with each code, not a null one if there is another; owned */
    uint16_t rows[];   /* [n_rows] */
} Codes;

/* The column's codes; NULL: it has none. Borrowed from the column. */
const Codes *codes_had(const Column *c);
/* The same, made of a column of strings that was not asked yet. NULL: its values do not repeat, its rows are few, or there
 * is a string of more than max_len bytes, the longest for which this pays: it takes about 8 cycles for each row, 20 for
 * strings of 16 to 32 bytes, and more for longer ones. */
const Codes *codes_of(Column *c, uint32_t max_len);
/* `to` was computed of what has these codes: null for all rows of a code, or where that is null. For its builder. */
void codes_give(Column *to, const Codes *codes);
/* Gives `to`, rows sel[0..n) of a column, codes as that has, if they are still worth it. For its builder. */
void codes_gather(Column *to, const Codes *from, const uint32_t *sel, uint32_t n);
void codes_drop(Column *c); /* what it has, if any; for its builder, and when it is freed */

/* to[n_rows]: of_value[code of the row], of elements of 1, 8 or 16 bytes. */
void codes_spread(const Codes *codes, const void *of_value, size_t element_bytes, void *to);

#endif
