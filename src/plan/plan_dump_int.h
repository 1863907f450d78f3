/* plan_dump_int.h - what the formats of a dump share: plan_dump.c has it. */
#ifndef PIPE_PLAN_PLAN_DUMP_INT_H
#define PIPE_PLAN_PLAN_DUMP_INT_H

#include "plan/plan_dump.h"

/* "plain", "gather" or "broadcast": from a step to one that reads it. */
const char *plan_edge_kind(const Plan *plan, const Step *from, const Step *to);
/* What is known of a scope; NULL: nothing. */
const DumpBound *dump_bound(const DumpInfo *info, uint32_t scope);
/* The table before operation i of a step; NULL: none. */
const Schema *plan_pop_in(const Plan *plan, const Step *s, size_t i);
/* "file/number": what the path of a batch's key is made of. */
void plan_put_key(Buf *out, const Plan *plan, uint32_t scope);
const char *backoff_name(Backoff b);

#endif
