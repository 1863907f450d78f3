/* spill.h - a temporary file of compressed blocks, for what does not fit into the budget.
 *
 * The file has no name in its folder from the start (or loses it at once, where the system cannot do that): nothing
 * is left behind, however the process ends. Blocks are compressed with zstd at a level that is fast both ways; one that does not
 * get smaller is kept as it is. Who wants to read from the middle packs pieces of its own (spill_page_pack) and puts them side by side.
 *
 * Threads: one at a time puts; any may get what was put.
 * Errors: ERR_IO with the folder and what to do in the second line of the text.
 */
#ifndef PIPE_DATA_SPILL_H
#define PIPE_DATA_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

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
/* Bytes as they are, so that any of them can be read: *at is where the first one is. */
Status spill_put_plain(SpillFile *f, const char *bytes, size_t n, uint64_t *at, Error *err);
Status spill_get_plain(const SpillFile *f, uint64_t at, size_t n, char *bytes, Error *err);
uint64_t spill_bytes(const SpillFile *f); /* written so far */

/* A few kilobytes that are read alone, packed where that saves an eighth: what saves less is not worth its unpacking. By who puts. */
void spill_page_pack(SpillFile *f, const char *bytes, size_t n, Buf *out);
/* For who unpacks many: one at a time. NULL: there is no memory. */
typedef struct SpillUnpacker SpillUnpacker;
SpillUnpacker *spill_unpacker_take(SpillFile *f);
void spill_unpacker_give(SpillFile *f, SpillUnpacker *u); /* NULL is fine */
/* A page of *n bytes at *p becomes its bytes: as they stand there, or in `room`, whose own go. */
Status spill_page_unpack(const SpillFile *f, SpillUnpacker *u, const char **p, size_t *n, Buf *room, Error *err);

#endif
