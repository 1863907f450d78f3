/* sorted.h - a table in memory that was sorted batch by batch, and comes in order in pieces.
 *
 * The rows stay where they are, in the batches; keys of some of them, taken at even distances, say how the table is cut
 * into ranges of about equal size. A range is what lies between two such rows in each batch: it is put together and
 * sorted alone, by any thread. So nothing is held twice, and the next ranges are made by whoever helps while one is used.
 *
 * Threads: several streams at the same time, each used by one thread and helped by any others; it has none of its own.
 */
#ifndef PIPE_VM_SORTED_H
#define PIPE_VM_SORTED_H

#include "data/batch.h"

typedef struct Sorted Sorted;

/* Is it worth it for batches of so many rows, and can it be (batches_are_alike)? */
bool sorted_is_for(Batch *const *parts, uint32_t n);
/* Of batches that have rows and are each sorted by keys[i][n_keys]. Takes references of its own. */
Sorted *sorted_open(Batch *const *parts, Column **const *keys, uint32_t n, uint32_t n_keys, const bool *is_desc);
void sorted_free(Sorted *s); /* NULL is fine */
uint64_t sorted_n_rows(const Sorted *s);

typedef struct SortedStream SortedStream;
/* n_helpers: as many as may help; more ranges are made ahead for more of them. */
SortedStream *sorted_stream_open(Sorted *s, uint32_t n_helpers);
Batch *sorted_stream_next(SortedStream *in); /* one reference; NULL: there are no more */
/* For helpers: makes a range that will be wanted. False: none is to be made just now, not before the next one is used, or never.
 * n_rows: of it. */
bool sorted_stream_help(SortedStream *in, uint32_t *n_rows);
/* Is a range left that somebody could make, now or later? */
bool sorted_stream_has_more(SortedStream *in);
void sorted_stream_close(SortedStream *in); /* when nobody helps any more; NULL is fine */

#endif
