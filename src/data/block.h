/* block.h - rows as bytes and back, for what is spilled; rows of several batches as one batch.
 *
 * A batch is made *plain* first: every column is text (cells as they stood in the input) where there is text, else
 * values, or nothing where nobody wants it (batch_forget); none is part of an input's range or picked from another batch. Where text was read is kept by row, with
 * inputs by their number in a BlockInputs that all batches of one spill share. Bytes are for this process, or for another of the same
 * version that has the inputs from elsewhere (kept.h).
 */
#ifndef PIPE_DATA_BLOCK_H
#define PIPE_DATA_BLOCK_H

#include "base/str.h"
#include "data/batch.h"

typedef struct BlockInputs {
    CsvInput **ptr; /* [n] one reference each */
    uint32_t n;
} BlockInputs;
void block_inputs_deinit(BlockInputs *in);

void block_inputs_give(Batch *b, const BlockInputs *in); /* what its origins count in */

/* A plain batch of the same rows; new reference. Takes inputs that it meets first into `in`. */
Batch *block_plain(Batch *b, BlockInputs *in);
/* Appends rows first..first + n of a plain batch. */
void block_put(Buf *out, const Batch *plain, uint32_t first, uint32_t n);
/* One column likewise; block_get_column moves *p behind it. Strings stay in the heap, which the column keeps alive. */
void block_put_column(Buf *out, const Column *c, uint32_t first, uint32_t n);
Column *block_get_column(const char **p, uint32_t n, Heap *heap);
/* The batch of such bytes at p, in a heap that its columns keep alive: new reference. */
Batch *block_get(const char *p, Heap *bytes, const BlockInputs *in);
/* Row i is row rows[i] of from[src[i]]: plain batches of the same columns, each text in all or in none; bytes
 * are copied. New reference. */
Batch *block_interleave(Batch *const *from, uint32_t n_from, const uint32_t *src, const uint32_t *rows,
                        uint32_t n, const BlockInputs *in);
/* Decodes a column that is text in this batch and not in others. */
Status block_drop_text(Batch *plain, uint32_t col, Error *err);

#endif
