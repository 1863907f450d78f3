/* The variant for any processor. */
#include "data/csv_cells.inc"

const CsvCells csv_cells_portable = {
    .ints = decode_ints, .floats = decode_floats, .bools = decode_bools, .strings = decode_strings,
    .dates = decode_dates, .timestamps = decode_timestamps};
