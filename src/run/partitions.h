/* partitions.h - what a `group by` or `distinct` holds, groups or rows, in a temporary file, parted by its keys.
 *
 * Equal keys are in the same partition, so that each can be done alone when all is there. Every group and row has a
 * number in order of appearance; results are sorted by it in each partition and merged by it in the end, so that they
 * come in the order in which they would without a file.
 *
 * One thread at a time.
 */
#ifndef PIPE_RUN_PARTITIONS_H
#define PIPE_RUN_PARTITIONS_H

#include "run/spilled.h"

typedef struct Partitions Partitions;

/* code: of rows, with the DISTINCT or GROUP that is the first from instruction `begin` on; of groups NULL. */
Status partitions_open(Run *r, const Step *s, const Code *code, uint32_t begin, Partitions **out,
                       Error *err);
void partitions_free(Run *r, Partitions *p); /* NULL is fine */

/* Takes all that is known of the first batches ... */
Status partitions_put_merged(Run *r, Partitions *p, const Merged *m, Error *err);
/* ... and of each of those behind them, which has all it needs (groups_own). */
Status partitions_put_groups(Run *r, Partitions *p, const Groups *g, Error *err);
/* Rows, of which equal ones may have been put before. */
Status partitions_put_rows(Run *r, const Task *t, Partitions *p, Batch *rows, Error *err);
/* When all is put: the table that they make, to be streamed. */
Status partitions_finish_groups(Run *r, const Task *t, Partitions *p, const Spec *spec, Spilled **out,
                                Error *err);
Status partitions_finish_rows(Run *r, const Task *t, Partitions *p, Spilled **out, Error *err);

#endif
