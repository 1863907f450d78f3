/* group.h - rows with equal keys. Nulls are equal, so are all NaN, so are 0.0 and -0.0.
 *
 * The keys of a row are packed into 16 bytes: one key that is a number, or a string of up to 15 bytes, is there
 * whole, and two of them are equal when their bytes are. Of longer and of several keys there are hashes; where these
 * are equal the values are asked.
 */
#ifndef PIPE_VM_GROUP_H
#define PIPE_VM_GROUP_H

#include "data/column.h"

typedef union GroupKey {
    uint64_t words[2];
    uint8_t bytes[16]; /* the last: what it is (group.c); GROUP_KEY_HASHED: not whole */
} GroupKey;
#define GROUP_KEY_HASHED 0xff

/* out[n]: the packed keys of rows [from, from + n). n_keys > 0. */
void group_keys(Column *const *keys, uint32_t n_keys, uint32_t from, uint32_t n, GroupKey *out);

uint64_t group_key_hash(const GroupKey *key);
/* Which of n_parts, a power of two, at most 64, the key belongs to: equal keys to the same. Those of one part of a level are
 * told apart at the next; level < GROUP_KEY_LEVELS. */
#define GROUP_KEY_LEVELS 3u
uint32_t group_key_part(const GroupKey *key, uint32_t n_parts, uint32_t level);

/* Numbers by packed key, in order of first appearance: open addressing, linear probing, at most half full. All
 * zero: empty. One thread; readers of a table that does not change: any. */
typedef struct GroupCell {
    uint32_t hash;  /* upper half */
    uint32_t group; /* + 1; 0: empty */
} GroupCell;

typedef struct GroupTable {
    GroupCell *cells; /* NULL: to be made of the keys when it is first added to */
    uint32_t mask;
    uint32_t n, cap;  /* groups; room in keys */
    uint32_t expected; /* groups for which there is to be room when it grows, if that is more; 0: not known */
    GroupKey *keys;   /* of each group */
} GroupTable;

/* Has the group, which may be a new one, the same values as the row of which the hashes are the same? */
typedef bool (*GroupSame)(const void *ctx, uint32_t group, uint32_t row);

/* Numbers rows row0 .. row0 + n with these keys. ids[n]: their groups (NULL: not wanted). A group that is new, g, has
 * its first row put into first[g - n_before], where n_before is of the caller; `same` may look there. */
void group_table_add(GroupTable *t, const GroupKey *keys, uint32_t n, uint32_t row0, GroupSame same,
                     const void *ctx, uint32_t *ids, uint32_t *first, uint32_t n_before);
/* ids[n]: the groups of rows row0 .. row0 + n, GROUP_NONE where there is none. The table has cells. */
void group_table_find(const GroupTable *t, const GroupKey *keys, uint32_t n, uint32_t row0,
                      GroupSame same, const void *ctx, uint32_t *ids);
#define GROUP_NONE UINT32_MAX
void group_table_forget_cells(GroupTable *t); /* half of its memory; they are made again when wanted */
void group_table_free(GroupTable *t);
size_t group_table_bytes(const GroupTable *t);

/* Numbers the combinations of the keys in order of first appearance. ids[n_rows]: the
 * number of each row's (NULL: not wanted); first[n_rows]: the first row of each. Returns how many
 * there are: without keys, 1. */
uint32_t group_rows(Column *const *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *ids,
                    uint32_t *first);
/* Have all keys codes (data/codes.h), and few enough, so that rows are grouped by these? Makes them. */
bool group_has_codes(Column *const *keys, uint32_t n_keys);
/* As group_rows; the table, given empty, has the groups afterwards. n_keys > 0. */
void group_rows_in(GroupTable *t, Column *const *keys, uint32_t n_keys, uint32_t n_rows,
                   uint32_t *ids, uint32_t *first);

uint64_t group_hash_value(const Column *c, uint32_t row);
bool group_values_equal(const Column *a, uint32_t row_a, const Column *b, uint32_t row_b);

#endif
