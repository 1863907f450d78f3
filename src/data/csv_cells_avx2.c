/* The variant for x86-64 processors since about 2013; the Makefile gives this file its flags. */
#if defined(__x86_64__)
#include "data/csv_cells.inc"

const CsvCells csv_cells_avx2 = {
    .ints = decode_ints, .floats = decode_floats, .bools = decode_bools, .strings = decode_strings,
    .dates = decode_dates, .timestamps = decode_timestamps};
#else
typedef int NotForThisProcessor; /* a file holds something */
#endif
