/* kept.h - a batch in a file of its own, for another process: what @checkpoint keeps.
 *
 * A file is made whole or not at all: a temporary one beside it, fsync, rename. It has the cells as they stood, where each row
 * was read, and notes of the caller, compressed with zstd and with a sum over each part, so that one that was
 * damaged or cut is told from one that is whole. It is read by the version of the program that wrote it.
 *
 * Threads: any. Errors: ERR_IO with what to do in the second line of the text.
 */
#ifndef PIPE_DATA_KEPT_H
#define PIPE_DATA_KEPT_H

#include "data/batch.h"

Status kept_write(const char *path, Batch *b, Str notes, Error *err);
/* Is it there, whole, and as it was written? */
bool kept_is_whole(const char *path);

/* Inputs that rows of such files were read from, each once, however many files name it. */
typedef struct KeptInputs KeptInputs;
KeptInputs *kept_inputs_open(void);
void kept_inputs_close(KeptInputs *k); /* NULL is fine */
/* Of a file that was whole. *out: a new reference; notes are put behind what is in the Buf. */
Status kept_read(const char *path, KeptInputs *known, Batch **out, Buf *notes, Error *err);

#endif
