/* batch.h - rows that flow along an edge of the DAG: columns of equal length.
 *
 * A batch from a CSV reader starts as a RawRows (a range of the input and an index of
 * its fields): a column is taken out of it (text) and decoded (values) only when a
 * step wants it, and only for the rows that are left. `sel` picks and orders rows of
 * the raw part. So filter, sort, take and distinct only change `sel`.
 *
 * Built by one thread (fields open to the builder), then published; from then on
 * nobody writes to it and any thread may read it without a lock. Reference counted.
 *
 * Made in batch.c; what it keeps in memory is batch_bytes.c, its cells as text and values batch_values.c, many as one
 * batch_concat.c.
 */
#ifndef PIPE_DATA_BATCH_H
#define PIPE_DATA_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/type.h"
#include "data/column.h"
#include "data/origin.h"
#include "data/raw.h"
#include "data/slot.h"

/* Something made from a whole batch and kept with it, such as an index of a join; freed with the batch. It guards
 * itself: many threads may use it. */
typedef struct BatchExtra {
    void (*free)(struct BatchExtra *x);
    _Atomic uint64_t n_bytes; /* what somebody counts for it */
} BatchExtra;

typedef struct Batch {
    _Atomic uint32_t refs;
    uint32_t n_rows;
    uint32_t n_cols;
    Type *types;       /* [n_cols], owned */
    Slot *slots;       /* [n_cols], owned; each Column one reference */
    RawRows *raw;      /* NULL when no slot has raw_col >= 0 */
    uint32_t *sel;     /* [n_rows] rows of raw, NULL: all of them in order; owned */
    RawRows *lines;    /* JSON and plain lines: of which origin tells; kept where rows may be rejected. NULL: not kept */
    Origin *origin;    /* [n_rows] where each row came from, for rows without raw; NULL: unknown; one reference */
    CsvInput **inputs;     /* [n_inputs] that origin refers to; owned, one reference each */
    uint32_t n_inputs;
    BatchExtra *_Atomic extra; /* NULL: none yet; owned */
    struct Decoded *_Atomic decoded; /* columns that others picked from it, decoded once for all of them; owned */
} Batch;

Batch *batch_new(uint32_t n_rows, uint32_t n_cols);
/* Columns as the schema says, found by the names with which the reader was opened (its
 * CsvReadOptions.schema; fields in order if that was NULL). Takes its own reference. */
Batch *batch_of_raw(RawRows *raw, const Schema *schema);
/* For its builder: the columns that are not wanted[c] are not there from now on. */
void batch_forget(Batch *b, const bool *wanted);
/* The row of raw that a row of the batch is. */
static inline uint32_t batch_raw_row(const Batch *b, uint32_t row)
{
    return b->sel ? b->sel[row] : row;
}
Batch *batch_ref(Batch *b);
void batch_unref(Batch *b); /* NULL is fine */
size_t batch_bytes(const Batch *b); /* what it keeps alive; blocks counted whole */
size_t batch_own_bytes(const Batch *b); /* the same without the range of the input that it shares with others */

/* Its arrays and the bytes that its text needs, though it may keep more alive: what many batches that share
 * blocks hold together. Looks at every string. */
size_t batch_held_bytes(const Batch *b);

/* Text of a column for the batch's rows, quotes included; NULL if it was computed. New reference. */
Column *batch_text(const Batch *b, uint32_t col);
/* The same, of rows [n]. */
Column *batch_text_rows(const Batch *b, uint32_t col, const uint32_t *rows, uint32_t n);
/* Values of a column, decoding what is not decoded. New reference. need (may be NULL: all): bit per row whose
 * value is wanted; a bad cell in another row gives null there. name: the column's, for messages.
 * A bad cell: ERR_ROW with file, line, byte, column, value and both remedies in the text. With bad (may be NULL;
 * [bit_words(n_rows)]) decoding goes on instead: OK, bits of the needed bad rows are set (others are left as they
 * were), their values null; batch_bad_cell() then tells about each. */
Status batch_values(const Batch *b, uint32_t col, Str name, const uint64_t *need,
                    uint64_t *bad, Column **out, Error *err);
/* The error of one cell that does not decode; returns ERR_ROW. */
Status batch_bad_cell(const Batch *b, uint32_t col, Str name, uint32_t row, Error *err);
/* The same without its place. *text: the value, which may borrow from *held (as csv_cell_text). */
Status batch_bad_text(const Batch *b, uint32_t col, Str name, uint32_t row, Str *text, Heap **held, Error *err);
/* For its builder: the cells of these rows are null from now on. values (may be NULL): the column's, decoded. */
void batch_null_cells(Batch *b, uint32_t col, const uint64_t *rows, Column *values);
/* Fills file, line, byte of err for a row (no-op where unknown). col may be -1: the row's first byte. */
void batch_where(const Batch *b, uint32_t row, int32_t col, Error *err);

/* Rows sel[0..n) of b, in that order, as a new batch; nothing is decoded. */
Batch *batch_select_rows(const Batch *b, const uint32_t *sel, uint32_t n);
/* The same of n rows from `first` on; of none the columns are left. */
Batch *batch_slice(const Batch *b, uint32_t first, uint32_t n);
/* For its builder: columns cols[0..n_cols) of `from` are appended to b, in row i of b row rows[i] of `from`
 * (PICKED_NONE: nulls). Nothing is decoded. */
void batch_pick(Batch *b, Batch *from, const uint32_t *rows, const uint16_t *cols, uint32_t n_cols);
/* What is kept with the batch, made when first wanted. */
BatchExtra *batch_extra(Batch *b, BatchExtra *(*make)(void));
/* What is counted for its extra is not from now on; returns how much that was. */
uint64_t batch_extra_uncount(Batch *b);
/* Is the column one that nobody wants (batch_forget)? It has neither text nor values. */
bool batch_is_forgotten(const Batch *b, uint32_t col);
/* Is there text of the column, or can it be taken out? */
bool batch_has_text(const Batch *b, uint32_t col);
/* All rows of all parts in order; n_cols and types for when there are none. A column that is text in every
 * part stays text (cells keep their bytes), otherwise every part must have its values (the caller decodes first). Bytes
 * are copied and the parts' blocks let go when the text columns are few of the input's, else the blocks are kept. */
Batch *batch_concat(Batch *const *parts, uint32_t n_parts, uint32_t n_cols, const Type *types);
/* The same, and lets go of the parts one column after the other, so that not all is there twice: takes a
 * reference of each. */
Batch *batch_concat_take(Batch **parts, uint32_t n_parts, uint32_t n_cols, const Type *types);
/* Is the text of its rows the most of the input's block that it keeps alive? */
bool batch_keeps_little(Batch *b);
/* A copy of b to be kept for long: it keeps nothing alive but a block of the input of which its text is the most. */
Batch *batch_compact(Batch *b);

#endif
