/* batch.h - rows that flow along an edge of the DAG: columns of equal length.
 *
 * A batch from a CSV reader starts as a RawRows (a range of the input and an index of
 * its fields): a column is taken out of it (text) and decoded (values) only when a
 * step wants it, and only for the rows that are left. `sel` picks and orders rows of
 * the raw part. So filter, sort, take and distinct only change `sel`.
 *
 * Built by one thread (fields open to the builder), then published; from then on
 * nobody writes to it and any thread may read it without a lock. Reference counted.
 */
#ifndef PIPE_DATA_BATCH_H
#define PIPE_DATA_BATCH_H

#include <stdint.h>

#include "base/catalog.h"
#include "base/status.h"
#include "base/type.h"
#include "data/column.h"

/* A range of a CSV input, cut at record ends, with the position of every field.
 * Immutable once indexed; counted. */
typedef struct RawRows {
    _Atomic uint32_t refs;
    Heap *block;        /* the bytes of the range (and unescaped text when libcsv read it) */
    const char *bytes;  /* first byte of the range */
    size_t n_bytes;
    uint32_t n_rows, n_cols;
    /* Field c of row r starts at bytes + start[r * (n_cols + 1) + c] and ends before the separator: one byte
     * before start[... + c + 1] (start[... + n_cols] is one past the row's last field's separator; a CR before LF
     * belongs to the separator). See raw_cell(). */
    uint32_t *start;    /* [n_rows][n_cols + 1], row-major */
    CsvDialect dialect;
    /* For messages. */
    const char *file;   /* borrowed from the plan; "stdin" */
    uint64_t first_line;  /* line number of the range's first byte, from 1 */
    uint64_t first_byte;  /* its offset in the (decompressed) file */
} RawRows;

RawRows *raw_ref(RawRows *r);
void raw_unref(RawRows *r); /* NULL is fine */
/* The cell as it stands, quotes included; flags has CELL_QUOTED when it begins with a quote. */
StrView raw_cell(const RawRows *r, uint32_t row, uint32_t col);
uint64_t raw_line(const RawRows *r, uint32_t row);            /* counts from 1; scans, for messages */
uint64_t raw_byte(const RawRows *r, uint32_t row, uint32_t col); /* offset in the file */

/* Where the values of a column are. At least one of the three is there. */
typedef struct Slot {
    int32_t raw_col; /* column of `raw`, or -1 */
    Column *text;    /* taken out of raw, in row order of the batch; NULL: not (yet) */
    Column *values;  /* decoded or computed; NULL: not (yet) */
} Slot;

typedef struct Batch {
    _Atomic uint32_t refs;
    uint32_t n_rows;
    uint32_t n_cols;
    Type *types;       /* [n_cols], owned */
    Slot *slots;       /* [n_cols], owned; each Column one reference */
    RawRows *raw;      /* NULL when no slot has raw_col >= 0 */
    uint32_t *sel;     /* [n_rows] rows of raw, NULL: all of them in order; owned */
    struct Origin *origin; /* [n_rows] where each row came from, for rows without raw; NULL: unknown; owned */
    const char **files; uint32_t n_files; /* names that origin refers to; borrowed from the plan */
} Batch;

/* Where a row was read: kept only where undecoded text outlives its RawRows. */
typedef struct Origin {
    uint64_t line;
    uint64_t byte;   /* of the record's first byte */
    uint32_t file;   /* index into Batch.files */
} Origin;

Batch *batch_new(uint32_t n_rows, uint32_t n_cols);
Batch *batch_of_raw(RawRows *raw, const Schema *schema); /* takes its own reference */
Batch *batch_ref(Batch *b);
void batch_unref(Batch *b); /* NULL is fine */
size_t batch_bytes(const Batch *b); /* what it keeps alive; blocks counted whole */

/* Text of a column for the batch's rows, quotes included; NULL if it was computed. New reference. */
Column *batch_text(const Batch *b, uint32_t col);
/* Values of a column, decoding what is not decoded. New reference. need (may be NULL: all): bit per row whose
 * value is wanted; a bad cell in another row gives null there. On a bad cell: ERR_ROW with file, line, byte,
 * column (name from `name`), value and both remedies in the text. Bad rows' bits are set in bad (may be NULL) and
 * decoding goes on when bad is given. */
Status batch_values(const Batch *b, uint32_t col, Str name, const uint64_t *need,
                    uint64_t *bad, Column **out, Error *err);
/* Fills file, line, byte of err for a row (no-op where unknown). col may be -1. */
void batch_where(const Batch *b, uint32_t row, int32_t col, Error *err);

/* Rows sel[0..n) of b, in that order, as a new batch; nothing is decoded. */
Batch *batch_select_rows(const Batch *b, const uint32_t *sel, uint32_t n);
/* All rows of all parts in order. Text columns are concatenated as text (cells keep their bytes), decoded ones too;
 * with copy, only the bytes of the columns present are kept, and the parts' blocks are let go. */
Batch *batch_concat(Batch *const *parts, uint32_t n_parts, uint32_t n_cols, const Type *types);

#endif
