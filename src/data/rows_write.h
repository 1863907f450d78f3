/* rows_write.h - a batch as text in the format of a `write`: CSV (csv_write.h), JSON lines, plain lines.
 *
 * JSON: an object a row on a line of its own, members in the order of the columns, no blanks. Strings have
 * escapes where JSON wants them (`"`, `\`, control bytes) and nowhere else; bytes that are not UTF-8 become U+FFFD.
 * Floats print as everywhere, inf and nan, which JSON lacks, as null; dates, timestamps, durations and sizes are
 * strings.
 * Lines: the only column, a string, as it is, and LF; null is an empty line.
 *
 * Unlike CSV, which copies cells, JSON wants values: a cell that is none of its column's type is a row error here.
 */
#ifndef PIPE_DATA_ROWS_WRITE_H
#define PIPE_DATA_ROWS_WRITE_H

#include "base/catalog.h"
#include "base/status.h"
#include "base/type.h"
#include "data/batch.h"

/* Appends what stands before the first row. */
void rows_write_header(Buf *out, const Schema *schema, const CsvDialect *d);
/* Appends the batch's rows. ERR_ROW: some of them may have been appended. */
Status rows_write(Buf *out, const Batch *b, const Schema *schema, const CsvDialect *d, Error *err);

#endif
