/* decoded.h - whole columns of a batch from which others pick rows, each decoded once by the first that wants it.
 *
 * They belong to that batch (Batch.decoded), which makes them when first asked and frees them with itself. Any
 * thread may ask; of two that decode one column at the same time one gives its own up.
 */
#ifndef PIPE_DATA_DECODED_H
#define PIPE_DATA_DECODED_H

#include <stdint.h>

#include "data/batch.h"

typedef struct DecodedCol {
    Column *values; /* [n_rows of the batch] */
    uint64_t *bad;  /* bits of rows that do not decode; they are null in values. NULL: none */
} DecodedCol;

/* Borrowed; valid while the caller holds b. Its slot is not a picked one itself. */
const DecodedCol *decoded_col(Batch *b, uint32_t col);
void decoded_free(struct Decoded *d); /* NULL is fine; for batch_unref */

#endif
