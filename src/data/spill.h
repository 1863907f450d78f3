/* spill.h - a temporary file of compressed blocks, for what does not fit into the budget.
 *
 * The file has no name in its folder from the start (or loses it at once, where the system cannot do that): nothing
 * is left behind, however the process ends. Blocks are compressed with zstd at a level that is fast both ways; one that does not
 * get smaller is kept as it is. Who wants to read from the middle puts plain bytes.
 *
 * Threads: one at a time puts; any may get what was put.
 * Errors: ERR_IO with the folder and what to do in the second line of the text.
 */
#ifndef PIPE_DATA_SPILL_H
#define PIPE_DATA_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct SpillFile SpillFile;

typedef struct SpillBlock {
    uint64_t at;
    uint64_t n_stored, n_bytes; /* in the file, and as it was given */
} SpillBlock;

Status spill_open(const char *folder, SpillFile **out, Error *err);
void spill_close(SpillFile *f); /* NULL is fine */
Status spill_put(SpillFile *f, const char *bytes, size_t n, SpillBlock *out, Error *err);
/* bytes: room for b.n_bytes. */
Status spill_get(SpillFile *f, SpillBlock b, char *bytes, Error *err);
/* Bytes as they are, not compressed, so that any of them can be read: *at is where the first one is. */
Status spill_put_plain(SpillFile *f, const char *bytes, size_t n, uint64_t *at, Error *err);
Status spill_get_plain(const SpillFile *f, uint64_t at, size_t n, char *bytes, Error *err);
uint64_t spill_bytes(const SpillFile *f); /* written so far */

#endif
