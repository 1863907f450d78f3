/* group.h - rows with equal keys. Nulls are equal, so are all NaN, so are 0.0 and -0.0. */
#ifndef PIPE_VM_GROUP_H
#define PIPE_VM_GROUP_H

#include "data/column.h"

/* Numbers the combinations of the keys in order of first appearance. ids[n_rows]: the
 * number of each row's (NULL: not wanted); first[n_rows]: the first row of each. Returns how many
 * there are: without keys, 1. */
uint32_t group_rows(Column *const *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *ids,
                    uint32_t *first);

/* hashes[n_rows] of the rows' keys; equal keys have equal ones. n_keys > 0. */
void group_hashes(Column *const *keys, uint32_t n_keys, uint32_t n_rows, uint64_t *hashes);

/* Numbers by hash: open addressing, linear probing, at most half full. All zero: empty. */
typedef struct GroupCell {
    uint32_t hash;  /* upper half */
    uint32_t group; /* + 1; 0: empty */
} GroupCell;

typedef struct GroupTable {
    GroupCell *cells; /* owned: free() */
    uint32_t mask;
} GroupTable;

/* Doubles it and puts in the groups again: group g has hash hashes[first[g]] (first NULL: hashes[g]). */
void group_table_grow(GroupTable *t, const uint64_t *hashes, const uint32_t *first,
                      uint32_t n_groups);

uint64_t group_hash_value(const Column *c, uint32_t row);
bool group_values_equal(const Column *a, uint32_t row_a, const Column *b, uint32_t row_b);

#endif
