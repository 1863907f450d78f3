/* lookup.h - the table of a join that is spilled, found by its keys.
 *
 * When the first batch asks, the table's rows are put into a file in the order of the hashes of their keys (ordered.h).
 * A batch then reads the pages that can have its keys, each once, and joins with the rows that it found there as with a
 * small table. So nothing waits for all batches, and neither the table nor an index of its rows is in memory.
 *
 * Threads: any. Who asks first does the ordering, the others wait for it.
 */
#ifndef PIPE_RUN_LOOKUP_H
#define PIPE_RUN_LOOKUP_H

#include "run/spilled.h"

/* Rows of the table whose keys have one of the hashes [n], equal keys in the table's order: new reference; NULL: there
 * are none. For the pass that asks (VmHost.table_rows). */
Status lookup_rows(Run *r, const Task *t, Spilled *table, struct Pass *asking, const Spec *join,
                   const uint64_t *hashes, uint32_t n, Batch **out, Error *err);
void lookups_free(struct Lookup *list); /* NULL is fine */

#endif
