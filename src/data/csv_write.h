/* csv_write.h - a batch as CSV text in a buffer. Where the text goes is sink.h's affair.
 *
 * A column that no step redefined leaves byte for byte as it came; a computed one is printed
 * by base/value and quoted only where needed (it holds the delimiter, the quote, CR or LF, or
 * is the empty string). Null is empty. Lines end in LF.
 *
 * The dialect is the output's: delimiter, quote, has_header, null_word (what null is written as; a string equal to it
 * is quoted). Cells that came in another dialect are re-quoted. The null word of the input stays as it was
 * unless the output has one of its own.
 */
#ifndef PIPE_DATA_CSV_WRITE_H
#define PIPE_DATA_CSV_WRITE_H

#include "base/catalog.h"
#include "base/type.h"
#include "data/batch.h"

/* Appends the header line; nothing if the dialect has none. */
void csv_write_header(Buf *out, const Schema *schema, const CsvDialect *d);
/* Appends the batch's rows. */
void csv_write_rows(Buf *out, const Batch *b, const CsvDialect *d);

#endif
