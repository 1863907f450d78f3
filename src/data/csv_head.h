/* csv_head.h - the header of a CSV: names of columns, and which of them a schema means.
 *
 * The reader's own; see csv_read.h for what others use.
 */
#ifndef PIPE_DATA_CSV_HEAD_H
#define PIPE_DATA_CSV_HEAD_H

#include "data/csv_read.h"

/* Makes the CsvInput from the first record, which ends with its line end (no blank lines before it). line, byte: where
 * it stands in the input, for messages. */
Status csv_head_read(Str file, const CsvReadOptions *o, const char *record, size_t n,
                     uint64_t line, uint64_t byte, CsvInput **out, Error *err);

#endif
