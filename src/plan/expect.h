/* expect.h - how many batches there will be, as far as it follows from the program alone. Pure. */
#ifndef PIPE_PLAN_EXPECT_H
#define PIPE_PLAN_EXPECT_H

#include "plan/plan.h"

#define BATCHES_UNKNOWN UINT64_MAX

/* Batches that one instance of a generator gives: of `range A..B batch N` known without running it.
 * False for any other. */
bool range_batches(const Step *generator, uint64_t *out);

/* Batches of each scope in the whole run, if nothing fails: [n_scopes]. BATCHES_UNKNOWN where something
 * else than numbers of the program decides, also where a `take` may stop the generator before its end. */
void plan_expect_batches(const Plan *plan, uint64_t *n_batches);

#endif
