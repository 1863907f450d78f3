/* checkpoint.h - outputs that are kept for `resume`, and what need not run because of them.
 *
 * An instance of a step with @checkpoint is done when its output is in the store: STEP/KEY in its folder, by the step's number and the
 * places of its batches (data/kept.h), with what it told of bad rows. In a run that resumes, an instance whose output is there takes it
 * instead of running, and one whose output nobody will want is left out. Who wants it follows from the plan and from what was
 * there when the run began, so that it is the same whenever it is asked. Where it cannot be known yet, as it depends on batches that are not
 * there, the output is wanted.
 *
 * Threads: open and close from one, the rest from any.
 */
#ifndef PIPE_RUN_CHECKPOINT_H
#define PIPE_RUN_CHECKPOINT_H

#include "run/run_int.h"

/* Of a plan that keeps, with a store. Notes the inputs whose paths are constant, and finds out what is there. */
Status checkpoint_open(Run *r, Error *err);
void checkpoint_close(Run *r);
KeptCount checkpoint_count(const Run *r);
/* A file that the run reads, before it is opened. */
Status checkpoint_note(Run *r, Str path, Error *err);
/* Need the instance not run? Then this was all, and *how says how it ended. */
bool checkpoint_stands_in(Run *r, Task *t, const Step *s, TaskResult *how);
/* An instance has done well; before it tells of bad rows. Nothing happens if its step is not kept. */
Status checkpoint_keep(Run *r, const Task *t, const Step *s, Batch *out, Error *err);

#endif
