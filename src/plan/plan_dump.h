/* plan_dump.h - a plan for people (text), for programs (JSON), as a picture (DOT, Mermaid).
 *
 * docs/dump-json.md is the JSON. Pure; the same plan gives the same bytes.
 */
#ifndef PIPE_PLAN_PLAN_DUMP_H
#define PIPE_PLAN_PLAN_DUMP_H

#include "plan/plan.h"

/* What the scheduler has proved of one scope, said by the caller, who knows it. */
typedef struct DumpBound {
    uint64_t live;    /* batches alive at once; UINT64_MAX: no bound */
    uint32_t credits; /* UINT32_MAX: unbounded */
    uint32_t n_reasons;
    const Str *reasons; /* why it is not the number of workers; one line each */
} DumpBound;

typedef struct DumpInfo {
    uint32_t n_workers;
    const DumpBound *scopes; /* [plan->n_scopes]; [0] is not looked at. NULL: not known */
    uint32_t n_warnings;
    const Str *warnings;     /* one line each */
    const uint64_t *n_batches; /* [n_scopes] expected, UINT64_MAX: not known; NULL: none is */
} DumpInfo;

void plan_dump_text(const Plan *plan, const DumpInfo *info, Buf *out);
void plan_dump_json(const Plan *plan, const DumpInfo *info, Buf *out);
void plan_dump_dot(const Plan *plan, const DumpInfo *info, Buf *out);
void plan_dump_mermaid(const Plan *plan, const DumpInfo *info, Buf *out);
/* `pipemill plan`: what a run would do: steps, batches, the bound and why, warnings. */
void plan_print(const Plan *plan, const DumpInfo *info, Buf *out);

#endif
