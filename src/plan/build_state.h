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
    bool is_broken;  /* a stage could not be made out: steps are missing */
    bool has_effect; /* a flow writes, logs, checks, waits */
    uint32_t credits, max_batches; /* of every scope: plan.h */
} Builder;

/* Where a flow has come to: the last step, the level it is at, its table. */
typedef struct Point {
    uint32_t step;
    uint32_t scope;
    ScopeCols cols;
    bool is_unknown;
    bool is_broken; /* a stage could not be made out: what follows is looked at, but no part of the plan */
    bool has_effect; /* it does more than make a table: writes, logs, checks. A source behind it waits for that */
    bool is_auto;   /* its batches are those of a `read` before `map` that has no `batch` */
    Span from;      /* the stage that made it what it is, for labels */
    Step *read;     /* the stage before, if it is an op without a name that nobody else can read; else NULL */
    Step *row_wise; /* the stage before, if it goes row by row over `read` and could as well be the begin of the next; else NULL */
    bool joins_later; /* row_wise takes the file in parts, if the next stage does not take it up */
} Point;

/* build.c */
Typer build_typer(Builder *b);

/* build_stage.c: lays out stage i of a flow behind *at. */
void build_stage(Builder *b, const FlowDef *f, uint32_t i, Point *at);

/* build_fit.c: can a stage stand behind *at? False after a diagnostic, or if what it lacks has been said. */
bool build_stage_fits(Builder *b, const StageDef *s, bool is_source, const Point *at);
bool build_begins_with_source(const Op *op);
/* Does what was said of a statement leave open what comes out? A source that does not stand first,
 * or a `split` that does not stand last. */
bool build_loses_source(const Op *op);
/* A source behind a table takes nothing of it: what was made there was made for nothing. Behind a stage that has an
 * effect it may be there for the order, but what the job writes is not there yet. */
void build_check_dropped(Builder *b, const Point *at, const Stage *st, Str label, const Pop *source);

/* build_step.c. The name of a stage's op, or what stands for it. */
Str build_op_label(const StageDef *s);
/* A step at the end of the plan; its name is made of the label. */
Step *build_step_new(Builder *b, Str label, const StageDef *s, StepKind kind, uint32_t scope);
/* Its first input. */
void build_step_input(Builder *b, Step *s, uint32_t from);
/* Gives the operations of stage s, which may collect the batches of a scope, to `first` and to further
 * steps where batches begin; returns the last of them. */
Step *build_lay_out(Builder *b, Step *first, const StageDef *s, const PopList *pops, uint32_t batches);
/* What of a collect runs per batch becomes a step of its own, in front of it: fold.h. It belongs
 * to the collect: no step before it goes first. */
void build_split_collect(Builder *b, Step *c, uint32_t batches);
/* A static op that reads in parts: a generator in front of it, and it collects the generator's batches. */
void build_split_read(Builder *b, Step *c);
/* A static step behind a `read` that stands alone, both without a name: they are one op, as far as the file's parts
 * go, and what reads is the generator. */
void build_join_read(Builder *b, Step *gen, Step *c);

/* build_args.c: the stage's arguments by the names of the op's parameters: constants -> Tx, and tables -> TableArg,
 * with those that `join` and `union` in a body of the job name themselves. */
Map *build_bind_params(Builder *b, const StageDef *s);
Map *build_bind_tables(Builder *b, const StageDef *s);
/* The tables that the step's operations want become inputs of it, behind those that are piped in. */
void build_take_tables(Builder *b, Step *s);
/* The same, and the step comes after its tables. */
void build_attach_tables(Builder *b, Step *s);

/* build_files.c. Are two paths one file, as far as it can be seen before the run? */
bool build_same_path(const Tx *x, const Tx *y);
/* Numbers the writes of a step, and refuses a path that another step writes. */
void build_register_sinks(Builder *b, Step *s);
/* stdin comes once: a second read of it would find nothing. */
void build_register_stdin(Builder *b, const PopList *pops, uint32_t scope);
/* Files of rejected rows are none that a step reads or writes; a file replaces no database that the job reads. */
void build_check_files(Builder *b);

/* build_annots.c: what annotations say. Of a step: the nearest of stage, job and op; of the job. */
void build_annotate_step(Builder *b, Step *s, const StageDef *stage);
void build_annotate_job(Builder *b);

#endif
