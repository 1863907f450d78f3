/* sniff.h - the types of CSV columns from a sample of rows (language.md sections 3 and 8).
 *
 * The first of int, float, bool, date, timestamp that fits every non-empty value of the sample,
 * else string; a column without values is string. A number with a leading zero or a plus sign
 * is text here (a code, a telephone number), though a declared int reads it. So are whole numbers of which some are
 * beyond 64 bits: a float would round them.
 */
#ifndef PIPE_DATA_SNIFF_H
#define PIPE_DATA_SNIFF_H

#include "base/arena.h"
#include "base/catalog.h"
#include "data/batch.h"

/* Fills cols[0..raw->n_cols) (names and odd values are copied into the arena) from the indexed
 * rows of a sample. */
void sniff_types(const RawRows *raw, Arena *a, CatalogCol *cols);

#endif
