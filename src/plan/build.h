/* build.h - from a checked program to the plan of one of its jobs. */
#ifndef PIPE_PLAN_BUILD_H
#define PIPE_PLAN_BUILD_H

#include "base/diag.h"
#include "base/map.h"
#include "lang/check.h"
#include "plan/eval.h"
#include "plan/plan.h"

typedef struct PlanHost {
    Sources *sources;
    Catalog *catalog;
    Evaluator *evaluator;
    const Map *sets;        /* param -> Value, from --set; NULL: none */
    bool forbids_exec;      /* `exec` is a mistake */
    uint64_t memory_bytes;  /* goes before @memory; 0: not given */
    bool prints_loose_ends; /* `-e`: a flow that ends in no sink is written to stdout */
} PlanHost;

/* Types the job and lays out its steps. Mistakes are diagnostics; the plan is sound when none of them is
 * an error. Never NULL. Everything lives in the arena. */
Plan *plan_build(Arena *a, const PlanHost *host, const Program *program, const JobDef *job,
                 Diags *diags);

/* Types what no job uses as far as it can be without columns: constants, fns, ops of the main file. */
void plan_check_rest(Arena *a, const PlanHost *host, const Program *program, Diags *diags);

#endif
