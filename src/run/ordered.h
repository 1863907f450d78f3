/* ordered.h - records in a temporary file, in the order of a hash, found by it.
 *
 * Records are parted by their first bits as they are put; a part that fits into the operator's share of the budget is put in
 * order in memory, a larger one is parted again. What comes of it are pages of a few kilobytes, one behind the other and
 * not compressed, so that few bytes are read for a record; of each page the last hash and its place are in memory.
 *
 * Threads: one puts and finishes; then any may look for records.
 */
#ifndef PIPE_RUN_ORDERED_H
#define PIPE_RUN_ORDERED_H

#include "run/spilled.h"

typedef struct Ordered Ordered;

/* s: whose bytes they count for. */
Status ordered_open(Run *r, const Step *s, Ordered **out, Error *err);
void ordered_free(Ordered *o); /* NULL is fine */
/* Where the next record, of hash < 2^63, is to be appended; then ordered_put_end. */
Buf *ordered_put_begin(Ordered *o, uint64_t hash);
Status ordered_put_end(Ordered *o, Error *err);
Status ordered_finish(Ordered *o, const Task *t, Error *err);

/* Records that were found: the bytes of each, one behind the other. */
typedef struct OrderedFound {
    Buf bytes;
    size_t *at; /* [n] in bytes; owned */
    uint32_t n, cap;
} OrderedFound;
/* Appends the records of hashes[n], which ascend and are there once: those of one hash as they were put. */
Status ordered_find(const Ordered *o, const uint64_t *hashes, uint32_t n, OrderedFound *found, Error *err);
void ordered_found_free(OrderedFound *f);

#endif
