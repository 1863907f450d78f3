/* csv_cells.h - the loops of csv_decode.h, in a variant for each kind of processor.
 *
 * Only csv_decode.c and the variants include it. The variants are the same C, compiled for other instructions: the
 * vectors of csv_cells.inc are the compiler's.
 */
#ifndef PIPE_DATA_CSV_CELLS_H
#define PIPE_DATA_CSV_CELLS_H

#include "data/column.h"

/* The cells of one field of a range. */
typedef struct Cells {
    const char *bytes;
    const uint32_t *start;     /* of the field in row 0; the next one is where its separator ends */
    size_t stride;             /* to the same field of the next row */
    const uint32_t *sel;       /* rows of the range; NULL: all in order */
    bool may_end_in_cr;        /* of CRLF */
    char quote;
} Cells;

/* As csv_decode_plain; out has the type that the function is for. */
typedef uint32_t CsvDecode(const Cells *c, uint32_t from, uint32_t to, Column *out);
typedef struct CsvCells {
    CsvDecode *ints, *floats, *bools, *strings, *dates, *timestamps;
} CsvCells;

extern const CsvCells csv_cells_portable;
#if defined(__x86_64__)
extern const CsvCells csv_cells_avx2, csv_cells_avx512;
#endif

#endif
