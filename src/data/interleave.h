/* interleave.h - rows of several batches as one, in any order, without a copy of their bytes: for sorted batches that are
 * merged.
 *
 * Reads the batches only: any thread, several at once.
 */
#ifndef PIPE_DATA_INTERLEAVE_H
#define PIPE_DATA_INTERLEAVE_H

#include "data/batch.h"

/* Can batches like this one be interleaved, as it keeps little alive beside what its rows need, and tells quickly where
 * each of them came from? Others are made so by batch_compact. */
bool batch_is_handy(Batch *b);
/* A handy batch with its rows' bytes one behind the other as the rows are, so that they are read like that. New reference. */
Batch *batch_in_order(const Batch *b);
/* Can these, all of them handy or compact? They must be alike: text of one dialect, or values. */
bool batches_are_alike(Batch *const *from, uint32_t n_from);
/* Row i is row rows[i] of from[src[i]]; n > 0. A column has text if they have it, and
 * values if all of them do (of strings: one of both). New reference. */
Batch *batch_interleave(Batch *const *from, uint32_t n_from, const uint32_t *src, const uint32_t *rows,
                        uint32_t n);
/* The same of columns of one type, text or not; heaps are not kept alive where is_brief. */
Column *column_of_rows(Column *const *from, uint32_t n_from, const uint32_t *src, const uint32_t *rows,
                          uint32_t n, bool is_brief);

#endif
