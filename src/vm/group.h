/* group.h - which rows have the same key: group by and distinct.
 *
 * Null equals null, NaN equals NaN, -0.0 equals 0.0. Groups are numbered in the order in which
 * they first appear. Open addressing over XXH3 of the keys' bytes.
 */
#ifndef PIPE_VM_GROUP_H
#define PIPE_VM_GROUP_H

#include "data/column.h"

/* ids[n_rows]: the group of each row; firsts[n_rows]: the first row of each group; returns the number of groups.
 * Without keys all rows are one group, which is there even when there are no rows. */
uint32_t group_rows(const Column *const *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *ids,
                    uint32_t *firsts);

#endif
