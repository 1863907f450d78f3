/* record.h - rows as records of bytes, each by itself, and back: for tables of which single rows are wanted.
 *
 * Of plain batches (block.h). A record does not say what its columns are: that is known of a batch of no rows with columns
 * like those of the row's. Bytes are for this process only.
 */
#ifndef PIPE_DATA_RECORD_H
#define PIPE_DATA_RECORD_H

#include "data/block.h"

/* No rows, columns like those of a plain batch; new reference. */
Batch *record_like(const Batch *plain);
/* Do records of the batch read like those of `like`? */
bool record_is_like(const Batch *plain, const Batch *like);
void record_put(Buf *out, const Batch *plain, uint32_t row);
/* Records at[n] in a heap, which the columns keep alive, as a plain batch; new reference. */
Batch *records_get(const char *const *at, uint32_t n, Heap *heap, const Batch *like, const BlockInputs *in);

#endif
