/* agg.h - aggregates: a state per group, fed with rows, merged in key order, finished.
 *
 * A state keeps no column alive: what it needs of the rows it copies. Deterministic: the
 * result depends on the order of updates and merges alone (float sums are compensated
 * after Neumaier; variances merge after Chan, Golub and LeVeque).
 */
#ifndef PIPE_VM_AGG_H
#define PIPE_VM_AGG_H

#include "base/status.h"
#include "code/code.h"
#include "data/column.h"

typedef struct Agg Agg; /* the states of one aggregate for all groups */

Agg *agg_open(const AggSpec *spec); /* spec is borrowed */
void agg_close(Agg *a);             /* NULL is fine */
size_t agg_bytes(const Agg *a);     /* what it holds */
size_t agg_state_bytes(const Agg *a); /* of a group, values aside */

/* Takes n_rows rows: args[spec->n_args] their values, ids the group of each (NULL: all in group 0).
 * n_groups: how many there are from now on, never fewer than before. */
void agg_update(Agg *a, Column *const *args, const uint32_t *ids, uint32_t n_rows,
                uint32_t n_groups);
/* Takes what `from` knows of its groups some[n], or all n of them (NULL): the i-th is our group map[i], and its rows come
 * after ours. some: only where agg_is_small. */
void agg_merge(Agg *a, const Agg *from, const uint32_t *some, const uint32_t *map, uint32_t n,
               uint32_t n_groups);
/* Takes rows some[n], or all n of them (NULL), as if each were of a batch of its own whose groups are merged: group
 * map[i] gets the i-th. Only where agg_is_small. */
void agg_add(Agg *a, Column *const *args, const uint32_t *some, const uint32_t *map, uint32_t n,
             uint32_t n_groups);
/* Does it hold no more for a group than for a row? */
bool agg_is_small(const AggSpec *spec);
/* For groups that are kept elsewhere for a while: appends what it knows of groups sel[n]; takes the states of groups
 * 0 .. n of a fresh one, as they were, from *p, which is moved behind them, and keeps the heap that has the bytes
 * alive. */
void agg_save(Agg *a, const uint32_t *sel, uint32_t n, Buf *out);
void agg_load(Agg *a, const char **p, uint32_t n, Heap *heap);
/* The results, [n_groups]; groups that got no row included. On overflow ERR_ROW (text only); with bad (may be NULL; a bit
 * per group, clear) OK instead, the group's bit is set and its result null. */
Status agg_finish(Agg *a, uint32_t n_groups, uint64_t *bad, Column **out, Error *err);

#endif
