/* eval.h - constants computed by the VM: what plan_build wants of its caller. */
#ifndef PIPE_RUN_EVAL_H
#define PIPE_RUN_EVAL_H

#include "base/source.h"
#include "plan/eval.h"

/* One thread at a time. Sources are borrowed. now_us: what now() gives. */
Evaluator *vm_evaluator_open(const Sources *sources, int64_t now_us);
bool vm_evaluator_told_now(const Evaluator *ev); /* something asked for now() or today() */
void vm_evaluator_close(Evaluator *ev); /* NULL is fine */

#endif
