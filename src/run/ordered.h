/* ordered.h - records in a temporary file, in the order of a hash, found by it.
 *
 * Records are parted by their first bits as they are put; a part that fits into the operator's share of the budget, with what it
 * takes to sort it, is put in order in memory, a larger one is parted again. What comes of it are pages (pages.h).
 *
 * Threads: one puts and finishes; then any may look for records.
 */
#ifndef PIPE_RUN_ORDERED_H
#define PIPE_RUN_ORDERED_H

#include "run/pages.h"

typedef struct Ordered Ordered;

/* s: whose bytes they count for. */
Status ordered_open(Run *r, const Step *s, Ordered **out, Error *err);
void ordered_free(Ordered *o); /* NULL is fine */
Status ordered_put(Ordered *o, uint64_t hash, const char *bytes, size_t n, Error *err); /* hash < 2^63 */
Status ordered_finish(Ordered *o, const Task *t, Error *err);

/* Appends the records of hashes[n], which ascend: those of one hash as they were put. Some of other hashes may be among them. */
Status ordered_find(const Ordered *o, const uint64_t *hashes, uint32_t n, Found *found, Error *err);

#endif
