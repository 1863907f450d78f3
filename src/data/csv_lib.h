/* csv_lib.h - a range read by libcsv, the reference reader: `with (engine: "libcsv")`.
 *
 * libcsv gives the text of fields, not their places; so the cells are written anew, quoted
 * only where needed, and the index points into that. The reader's own; see csv_read.h.
 */
#ifndef PIPE_DATA_CSV_LIB_H
#define PIPE_DATA_CSV_LIB_H

#include "data/csv_read.h"

/* bad: rows that are told of and left out, as raw_index_lenient does; NULL: the first one is an error. */
struct Rejects;
Status raw_index_libcsv(RawRows *raw, struct Rejects *bad, Error *err);
/* The error of a row with another number of fields, without its place; `at`: its offset in raw->bytes. */
void raw_ragged_text(const RawRows *raw, uint32_t n_fields, Error *err);
/* The same with its place. */
Status raw_ragged(const RawRows *raw, size_t at, uint32_t n_fields, Error *err);

#endif
