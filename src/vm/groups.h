/* groups.h - what a GROUP knows of some rows: the keys of each group and the states of its
 * aggregates, in order of first appearance. Groups of several batches are merged in the
 * order of the batches and give what one GROUP over all rows gives; float sums depend on
 * how the rows were cut, on nothing else.
 *
 * It keeps no batch alive. One thread at a time.
 */
#ifndef PIPE_VM_GROUPS_H
#define PIPE_VM_GROUPS_H

#include "base/status.h"
#include "code/code.h"
#include "data/batch.h"

typedef struct Groups Groups;

/* Of no rows; spec (a SPEC_GROUP) is borrowed. */
Groups *groups_open(const Spec *spec);
void groups_close(Groups *g); /* NULL is fine */
uint32_t groups_count(const Groups *g);
size_t groups_bytes(const Groups *g); /* what it holds */

/* Takes the rows of a table; once, of a fresh one. keys[n_keys]: their values; where a key is a column of the table
 * (spec->keys[].col) its cells are kept as they stood in the input. Then groups_update gives the values of the
 * arguments of each aggregate. All borrowed. */
void groups_begin(Groups *g, Column *const *keys, const Batch *table);
void groups_update(Groups *g, uint32_t agg, Column *const *args);
/* Takes what `from` knows, whose rows come after ours; `from` is empty afterwards. Both of one spec. */
void groups_merge(Groups *g, Groups *from);
/* A row per group: keys, then aggregates. ERR_ROW on overflow. */
Status groups_finish(Groups *g, Batch **out, Error *err);

#endif
