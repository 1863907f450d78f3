/* raw.h - rows as they stand in a CSV input: a range of its bytes and where each field is.
 *
 * Made by csv_read.h: the reader's thread fills all but the index, raw_index() the rest;
 * immutable from then on. Counted; whoever gets one from a function owns a reference.
 */
#ifndef PIPE_DATA_RAW_H
#define PIPE_DATA_RAW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/catalog.h"
#include "base/status.h"
#include "data/column.h"

/* What all ranges of one input share. Immutable; counted, so that batches outlive the reader. */
typedef struct CsvInput {
    _Atomic uint32_t refs;
    Arena *arena;       /* owned; everything below is in it */
    CsvDialect dialect;
    Str file;           /* name for messages: the path, or "stdin" */
    Str first;          /* the file whose columns and types these are; empty: it is this one, or they are declared */
    uint32_t n_cols;    /* fields of every row */
    Str *names;         /* [n_cols], from the header or c1, c2, ... */
    uint32_t n_schema;  /* columns of the schema it was opened with */
    uint32_t *map;      /* [n_schema]: schema column -> field */
    uint64_t *inferred_rows; /* [n_cols] rows a field's type was inferred from; 0: declared, unknown */
} CsvInput;

/* Of an input whose fields are the schema's columns, in its order; of its builder for now. inferred_rows may be NULL. */
CsvInput *csv_input_of_schema(Str file, const Schema *schema, const uint64_t *inferred_rows);
CsvInput *csv_input_ref(CsvInput *in);
void csv_input_unref(CsvInput *in); /* NULL is fine */

typedef struct RawRows {
    _Atomic uint32_t refs;
    CsvInput *input;     /* one reference */
    Heap *block;         /* holds the bytes of the range; one reference */
    const char *bytes;   /* first byte of the range, which ends at a record's end */
    size_t n_bytes;      /* < 4 GiB; the last byte is LF or CR */
    uint64_t first_row;  /* rows of the input before this range */
    uint64_t first_line; /* line of the range's first byte, counted from 1 */
    uint64_t first_byte; /* its offset in the (decompressed) input */

    uint32_t n_rows, n_cols; /* n_rows is known before the index is */
    /* Field c of row r begins at cells + start[i] and its separator ends at cells + start[i + 1],
     * where i = raw_place(r, c). The separator is the delimiter, or LF, CRLF or CR after the last
     * field. With more than one column, blank lines before a row belong to its first field. */
    uint32_t *start;     /* [n_rows * stride + 1], owned; NULL before raw_index and after raw_check */
    uint32_t stride;     /* n_cols, or fewer where only the fields that are wanted were kept */
    uint32_t *place;     /* [n_cols] where in a row's they are; owned; NULL: all are there, in order */
    uint32_t *good;      /* [n_good] rows that are whole, ascending; the others have no fields. NULL: all; owned */
    uint32_t n_good;
    const char *cells;   /* `bytes`, or the text that libcsv gave */
    bool is_row_a_line;  /* no line end within quotes, no blank line: row i is line first_line + i */
    bool has_gaps;       /* rows do not all follow one another directly, each ended by a lone LF */
    Heap *text;          /* holds `cells` when libcsv read the range, else NULL */
    uint32_t *row_at;    /* [n_rows] where each row begins in `bytes`, when libcsv read it; owned */
    uint32_t *was;       /* [n_rows] which row of the input's range each was, and row_at where it began there: of rows in
                          * another order (raw_reorder); owned. NULL: as they stand there */
} RawRows;

RawRows *raw_ref(RawRows *r);
void raw_unref(RawRows *r); /* NULL is fine */

/* Rows rows[0..n) in that order, with bytes of their own; of an index, and where is_row_a_line. New reference. */
RawRows *raw_reorder(const RawRows *r, const uint32_t *rows, uint32_t n);

/* Which of `start` is a field's that was wanted. The first of each row is where the row begins. */
static inline size_t raw_place(const RawRows *r, uint32_t row, uint32_t col)
{
    return (size_t)row * r->stride + (r->place ? r->place[col] : col);
}

/* The cell as it stands, quotes included; flags has CELL_QUOTED when it begins with a quote. */
static inline StrView raw_cell(const RawRows *r, uint32_t row, uint32_t col)
{
    size_t i = raw_place(r, row, col);
    const char *p = r->cells + r->start[i], *end = r->cells + r->start[i + 1] - 1;
    if (col + 1 == r->n_cols && *end == '\n' && end > p && end[-1] == '\r')
        end--;
    if (col == 0 && r->n_cols > 1)
        while (*p == '\n' || *p == '\r') /* no unquoted field begins so: blank lines */
            p++;
    return (StrView){p, (uint32_t)(end - p),
                     p < end && *p == r->input->dialect.quote ? CELL_QUOTED : 0};
}

/* For messages; they scan. */
uint64_t raw_line(const RawRows *r, uint32_t row);               /* counts from 1 */
uint64_t raw_byte(const RawRows *r, uint32_t row, uint32_t col); /* offset in the input */
/* Line of every row: out[n_rows]. */
void raw_lines(const RawRows *r, uint64_t *out);
/* Fills file, line and byte of *err (NULL is fine). */
void error_at(Error *err, Str file, uint64_t line, uint64_t byte);
/* Copies s into out[size], control bytes made visible, cut with `...` where it is too long. */
void text_visible(Str s, char *out, size_t size);
/* "row", "2 rows": what stands behind "the first". Gives out. */
const char *text_rows(uint64_t n, char *out, size_t size);

#endif
