/* store.h - a column that grows by rows of other columns, with bytes of its own.
 *
 * Fields are read by the owner; col may be read as any column, up to col->n_rows. One thread.
 */
#ifndef PIPE_VM_STORE_H
#define PIPE_VM_STORE_H

#include "data/column.h"

typedef struct Store {
    Column *col;   /* NULL: no rows yet */
    uint32_t cap;  /* rows that col has room for */
    Heap *heap;    /* of strings added; NULL: none yet */
} Store;

/* Begins with the rows of a column that nobody else holds; takes the reference. */
Store store_of(Column *c);
/* Appends row `row` of a column; the first column decides on the type and the dialect of text. */
void store_add(Store *s, const Column *from, uint32_t row);
/* Appends rows [n] of a column. */
void store_add_rows(Store *s, const Column *from, const uint32_t *rows, uint32_t n);
void store_free(Store *s);
size_t store_bytes(const Store *s); /* what it holds */

#endif
