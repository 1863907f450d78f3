/* agg.h - aggregates: a state per group, fed with batches of rows.
 *
 * Nulls are skipped; what builtins.def says of each holds. Results do not depend on
 * anything but the rows and their order: float sums are compensated (Neumaier 1974), variance is
 * Welford's (1962).
 */
#ifndef PIPE_VM_AGG_H
#define PIPE_VM_AGG_H

#include "base/status.h"
#include "code/code.h"
#include "data/column.h"

typedef struct Agg Agg;

Agg *agg_open(const AggSpec *spec);
void agg_close(Agg *a); /* NULL is fine */
/* args[spec->n_args], one value per row; ids: the group of each row, below n_groups (which only grows from call to
 * call). On ERR_ROW (a sum overflows) *bad_row is the row and err->text says it. */
Status agg_add(Agg *a, Column *const *args, const uint32_t *ids, uint32_t n_rows,
               uint32_t n_groups, uint32_t *bad_row, Error *err);
/* One value per group; a new reference. */
Column *agg_finish(Agg *a, uint32_t n_groups);

#endif
