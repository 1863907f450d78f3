/* origin.h - where a row was read: kept only where undecoded text outlives its RawRows.
 *
 * An array of origins is counted; built by one thread, immutable once published, and any thread may then read it, take
 * references and let go.
 */
#ifndef PIPE_DATA_ORIGIN_H
#define PIPE_DATA_ORIGIN_H

#include <stdint.h>

typedef struct Origin {
    uint64_t line;       /* counts from 1 */
    uint64_t byte : 48;  /* of the record's first byte, in the (decompressed) input */
    uint64_t input : 16; /* index into Batch.inputs; ORIGIN_NONE: not known, or one input too many */
} Origin;
#define ORIGIN_NONE 0xffffu

Origin *origins_new(uint32_t n_rows); /* uninitialised, one reference */
Origin *origins_ref(Origin *o);
void origins_unref(Origin *o); /* NULL is fine */

#endif
