/* csv_decode.h - cells of the common form into values, a column of a range at a time.
 *
 * Common are cells that are not quoted: whole numbers of up to 16 digits, decimal numbers of up to 16 characters
 * without an exponent, `true` and `false`, dates and timestamps as csv_dates.inc has them, strings; and empty cells, which
 * are null. They are read eight bytes at a time. What else there may be is for the caller, who asks of one cell.
 */
#ifndef PIPE_DATA_CSV_DECODE_H
#define PIPE_DATA_CSV_DECODE_H

#include "data/column.h"
#include "data/raw.h"

/* Has the type a common form here? */
bool csv_has_plain_form(Type t);

/* Rows [from, to) of out, which has the type of the values, from field `field` of rows sel[from..to) of raw (NULL:
 * the same rows). The null word must be the empty cell. Returns the first row that is not of the common form,
 * of which nothing is written; `to` if all are. */
uint32_t csv_decode_plain(const RawRows *raw, uint32_t field, const uint32_t *sel, uint32_t from, uint32_t to,
                          Column *out);

/* A null at row i: the value under it is zero, or an empty string. */
void column_put_null(Column *out, uint32_t i);

#endif
