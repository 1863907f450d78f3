/* csv_cell.h - one CSV cell as text: null, quotes, decoding, quoting. */
#ifndef PIPE_DATA_CSV_CELL_H
#define PIPE_DATA_CSV_CELL_H

#include "base/catalog.h"
#include "base/str.h"
#include "data/column.h"

/* Null is the empty unquoted field, or an unquoted one equal to the dialect's null word. */
bool csv_cell_is_null(StrView cell, const CsvDialect *d);
/* The text of a cell, quotes removed and doubled quotes halved. Borrows from the cell, or from heap
 * (*heap is made when the first bytes are needed) if a quote had to go. */
Str csv_cell_text(StrView cell, char quote, Heap **heap);
/* Are there no delimiter, quote, CR or LF in p[0..n)? */
bool csv_text_is_plain(const char *p, size_t n, const CsvDialect *d);
/* Appends text as a cell of the dialect, quoted where it must be: it holds the delimiter, the quote, CR or LF, is
 * empty, or equals the null word. */
void csv_put_text(Buf *out, Str text, const CsvDialect *d);

#endif
