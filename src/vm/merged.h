/* merged.h - what a GROUP or DISTINCT knows of many batches, merged by several threads.
 *
 * Keys are parted by their hash, and each part has a table of its own, so that threads can merge into different ones at
 * the same time. In each of them batches come in the order in which they were put; so the result, the order of first
 * appearance included, is the same whoever does it. A batch that is put is let go of when all parts have it.
 *
 * Counted. Threads: merged_put one at a time; merged_work any, also meanwhile; the rest when nobody else is at it.
 */
#ifndef PIPE_VM_MERGED_H
#define PIPE_VM_MERGED_H

#include "vm/groups.h"

typedef struct Merged Merged;

/* spec: SPEC_GROUP or, with of_rows, that of a DISTINCT; borrowed. n_parts: of merged_n_parts. */
Merged *merged_open(const Spec *spec, bool of_rows, uint32_t n_parts);
Merged *merged_ref(Merged *m);
void merged_unref(Merged *m); /* NULL is fine */
/* 1 where several would be of no use; is_alone: one thread merges. */
uint32_t merged_n_parts(const Spec *spec, bool is_alone);

/* The groups of the next batch (groups_begin_batch, groups_order); takes them. They are not merged yet. */
void merged_put(Merged *m, Groups *from);
/* Merges what was put, but where another thread is at it. Threads that come at the same time had better begin at
 * different parts: any number does. True: there was something to do. */
bool merged_work(Merged *m, uint32_t begin);

/* ---- when all that was put is merged */

void merged_finish_work(Merged *m); /* does what is left */
size_t merged_bytes(const Merged *m); /* what it holds */
/* A row per group, in order of first appearance, without those that the policy drops. ERR_ROW on overflow. */
Status merged_groups(Merged *m, const GroupsPolicy *policy, Batch **out, Error *err);
/* The groups of each part that has any: [n], with their numbers; next_seq: the number of the next. The list is freed with
 * free(). */
Groups **merged_tables(const Merged *m, uint32_t *n, uint64_t *next_seq);
/* Of a DISTINCT: the rows, in order, compact: [n], NULL where a batch had none that were new. */
Batch *const *merged_rows(const Merged *m, uint32_t *n);

#endif
