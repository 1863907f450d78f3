/* keep.h - whose outputs are kept for `resume`, and what a resumed run does again in any case.
 *
 * @checkpoint keeps the output of a step, batch by batch: a resumed run takes it from there, and does no work that only
 * led to it. What a run has to give as a whole, files and reports of bad rows, is made again. So a step that writes
 * is not kept, nor one whose output nobody reads, nor batches of a file, which are read again. Pure.
 */
#ifndef PIPE_PLAN_KEEP_H
#define PIPE_PLAN_KEEP_H

#include "base/diag.h"
#include "plan/plan.h"

/* When all steps are known, and nothing is wrong with the job: sets `keeps` of steps and plan. A @checkpoint of a stage or an op that keeps nothing is a
 * mistake; one of a job is of the steps that can be kept, and a mistake if there are none. */
void keep_find(Plan *plan, Diags *diags);
/* Has the step to run in a resumed run, whether or not somebody wants its output? One that is kept tells its bad rows
 * from what was kept of them. */
bool keep_runs_again(const Plan *plan, const Step *s);
/* Would another commit of the job's outputs add rows that are there already? */
bool keep_appends(const Plan *plan);

#endif
