/* group.h - rows with equal keys. Nulls are equal, so are all NaN, so are 0.0 and -0.0. */
#ifndef PIPE_VM_GROUP_H
#define PIPE_VM_GROUP_H

#include "data/column.h"

/* Numbers the combinations of the keys in order of first appearance. ids[n_rows]: the
 * number of each row's (NULL: not wanted); first[n_rows]: the first row of each. Returns how many
 * there are: without keys, 1. */
uint32_t group_rows(Column *const *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *ids,
                    uint32_t *first);

uint64_t group_hash_value(const Column *c, uint32_t row);
bool group_values_equal(const Column *a, uint32_t row_a, const Column *b, uint32_t row_b);

#endif
