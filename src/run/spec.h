/* spec.h - a Plan as what the scheduler runs (GraphSpec) and what observers are told (RunInfo). */
#ifndef PIPE_RUN_SPEC_H
#define PIPE_RUN_SPEC_H

#include "base/arena.h"
#include "base/observer.h"
#include "plan/plan.h"
#include "sched/bound.h"
#include "sched/spec.h"

/* Workers that a run of the plan has: `asked` (-j), else the job's @max_concurrent, else the processors. */
uint32_t plan_workers(const Plan *plan, uint32_t asked);
/* Processors that this process may use; at least 1. */
uint32_t processors_online(void);
/* Steps keep their numbers. Lives in the arena. */
GraphSpec *plan_graph(Arena *a, const Plan *plan);
RunInfo *plan_run_info(Arena *a, const Plan *plan, const GraphSpec *spec, const Bounds *bounds);

#endif
