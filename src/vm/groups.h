/* groups.h - what a GROUP knows of some rows: the keys of each group and the states of its
 * aggregates, in order of first appearance. Groups of several batches are merged in the
 * order of the batches and give what one GROUP over all rows gives; float sums depend on
 * how the rows were cut, on nothing else.
 *
 * It keeps no batch alive, but for groups of a batch that are to be merged (groups_begin_batch): of these nothing is
 * copied but what is new to others. One thread at a time.
 */
#ifndef PIPE_VM_GROUPS_H
#define PIPE_VM_GROUPS_H

#include "base/policy.h"
#include "base/status.h"
#include "code/code.h"
#include "data/batch.h"

typedef struct Groups Groups;

/* Of no rows; spec (a SPEC_GROUP) is borrowed. */
Groups *groups_open(const Spec *spec);
void groups_close(Groups *g); /* NULL is fine */
uint32_t groups_count(const Groups *g);
size_t groups_bytes(const Groups *g); /* what it holds */
size_t groups_state_bytes(const Groups *g); /* of it, or about what it will be: keys and states with bytes of their own */

/* Takes the rows of a table; once, of a fresh one. keys[n_keys]: their values; where a key is a column of the table
 * (spec->keys[].col) its cells are kept as they stood in the input. Then groups_update gives the values of the
 * arguments of each aggregate. All borrowed. */
void groups_begin(Groups *g, Column *const *keys, const Batch *table);
void groups_update(Groups *g, uint32_t agg, Column *const *args);
/* The same for a batch whose groups are merged with those of others by groups_merge_part; table may be kept. Where most
 * rows differ it does not look for those that are alike: each row is a group of its own, as if it were a batch. of_rows:
 * of a DISTINCT, of which the rows themselves are wanted (groups_source). */
void groups_begin_batch(Groups *g, Column *const *keys, Batch *table, bool of_rows);
/* Gives such groups all that they need, so that the table can be let go of. Not of_rows. */
void groups_own(Groups *g);
/* After groups_begin_batch and all updates: where the groups are few for so many rows they get all that they need, so that the
 * batch need not be kept until its turn to be merged has come. */
void groups_settle(Groups *g);
/* of_rows: the table, and the row of each group (NULL: group i is row i). Borrowed. */
Batch *groups_source(const Groups *g, const uint32_t **rows);
/* Before groups_merge_part: which of n_parts, a power of two, each group belongs to. */
void groups_order(Groups *g, uint32_t n_parts);
/* of groups_order */
uint32_t groups_part_begin(const Groups *g, uint32_t part);
/* Takes what `from` knows of the groups of one part; group i of it is number first_seq + i of all (groups_seqs). Of a
 * DISTINCT: rows[return value] the rows of the table that are new, ascending; else NULL. Others may do the same with
 * `from` for another part. */
uint32_t groups_merge_part(Groups *g, const Groups *from, uint32_t part, uint64_t first_seq, uint32_t *rows);
/* Is there text of key k? */
bool groups_has_text(const Groups *g, uint32_t k);
void groups_drop_text(Groups *g, uint32_t k);
/* For groups that are kept elsewhere for a while; with keys.
 *
 * order[groups_count]: the groups, part by part, in each in order of first appearance; starts[n_parts + 1]: where
 * parts begin in it. Equal keys are in the same part (group_key_part). */
void groups_part(const Groups *g, uint32_t n_parts, uint32_t level, uint32_t *order, uint32_t *starts);
/* Appends what it knows of groups sel[n]; group s is the one numbered first_seq + s of all. */
void groups_save(const Groups *g, const uint32_t *sel, uint32_t n, uint64_t first_seq, Buf *out);
/* Takes such groups at p, whose rows come after ours; the heap has the bytes. as_first: they are the first of all, else
 * they are added even to none. */
void groups_load(Groups *g, const char *p, Heap *heap, bool as_first);
/* [groups_count] the number of each of those that were loaded: it ascends. Borrowed. */
const uint64_t *groups_seqs(const Groups *g);
/* What becomes of a group of which a sum overflows. */
typedef struct GroupsPolicy {
    BadRows bad_rows;
    struct Rejects *rejects; /* NULL: nobody is told */
    uint64_t *dropped;       /* set by groups_finish: groups that are to leave the table; NULL: none. The caller's */
} GroupsPolicy;

/* A row per group: keys, then aggregates. ERR_ROW on overflow. Groups that the policy drops are still there. */
Status groups_finish(Groups *g, GroupsPolicy *policy, Batch **out, Error *err);
/* They leave it. */
void groups_drop(GroupsPolicy *policy, Batch **t);

#endif
