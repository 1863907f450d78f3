/* merge.h - sorted tables that come in pieces, merged into one order: which row of which comes next.
 *
 * The order is that of sort.h; of equal rows those of the source with the smaller number go first. Every source is
 * given a piece; when merge_next says that the piece of one is used up it gets its next, or none.
 * One thread.
 */
#ifndef PIPE_VM_MERGE_H
#define PIPE_VM_MERGE_H

#include "data/column.h"

typedef struct Merge Merge;

Merge *merge_open(uint32_t n_sources, uint32_t n_keys);
void merge_close(Merge *m); /* NULL is fine */

/* The next piece of a source: its key columns [n_keys], borrowed until it is used up; n_rows 0: it has
 * ended. All sources get one before the first merge_next. */
void merge_give(Merge *m, uint32_t source, Column *const *keys, const bool *is_desc, uint32_t n_rows);
/* The next rows, at most max: src[i] and rows[i]. Stops where a piece is used up: *wants is then that source, else
 * UINT32_MAX. 0 rows and UINT32_MAX: all have ended. */
uint32_t merge_next(Merge *m, uint32_t *src, uint32_t *rows, uint32_t max, uint32_t *wants);

#endif
