/* build_state.h - what the files that build a plan share. Private to plan/. */
#ifndef PIPE_PLAN_BUILD_STATE_H
#define PIPE_PLAN_BUILD_STATE_H

#include "plan/build.h"
#include "plan/type.h"

/* A plan on its way: everything is in the arena. */
typedef struct Builder {
    Arena *arena;
    const PlanHost *host;
    const Program *program;
    const JobDef *job;
    Diags *diags;
    Plan *plan;
    Map *globals;
    Map names;      /* step names given */
    Map let_points; /* FlowDef's name -> Point */
    Vec(Step *) steps;
    Vec(Scope) scopes;
    Vec(PlanSink) sinks;
    Vec(PlanPool) pools;
    Vec(PlanRejects) rejects;
    Span stdin_read; /* {0, 0}: not read yet */
    uint32_t credits, max_batches; /* of every scope: plan.h */
} Builder;

Typer build_typer(Builder *b);
/* Are two paths one file, as far as it can be seen before the run? */
bool build_same_path(const Tx *x, const Tx *y);

/* build_annots.c: what annotations say. Of a step: the nearest of stage, job and op; of the job. */
void build_annotate_step(Builder *b, Step *s, const StageDef *stage);
void build_annotate_job(Builder *b);

#endif
