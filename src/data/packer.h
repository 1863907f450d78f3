/* packer.h - an output that is compressed on its way, by the name of its file.
 *
 * The text is cut into pieces of PACKER_BYTES, wherever the buffers end in which it comes, and each piece becomes a gzip
 * member or a zstd frame of its own; put one behind the other they are one file to all that read those formats. So
 * pieces are compressed by several threads at a time, and their bytes depend on the text alone: not on threads, nor
 * on how it was cut into batches.
 *
 * Threads: packer_put from any; open, end and close from one, when no put runs.
 * Errors: what `submit` says, and ERR_NOMEM.
 */
#ifndef PIPE_DATA_PACKER_H
#define PIPE_DATA_PACKER_H

#include "base/status.h"
#include "base/str.h"

#ifdef PIPEMILL_STRESS
#define PACKER_BYTES 100u
#else
#define PACKER_BYTES (1u << 20)
#endif

typedef struct Packer Packer;

/* Takes compressed bytes (leaving the Buf empty) by their number: 0, 1, 2, ... in any order. */
typedef Status (*PackedFn)(void *to, uint64_t number, Buf *bytes, Error *err);

/* By the end of the path, .gz or .zst; NULL: the file is not to be compressed. */
Packer *packer_open(Str path, PackedFn submit, void *to);
void packer_close(Packer *p); /* NULL is fine */
/* Takes text by its number, and compresses the pieces that are complete with it. As sink_submit. */
Status packer_put(Packer *p, uint64_t number, Buf *bytes, Error *err);
/* The last piece. A file without text has one too, an empty one. */
Status packer_end(Packer *p, Error *err);

#endif
