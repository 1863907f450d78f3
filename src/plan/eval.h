/* eval.h - computing constant expressions while planning.
 *
 * They are computed by the very code that runs rows, so that a constant and a column
 * agree; plan does not know the VM, so the caller of plan_build provides it (run/eval.h).
 */
#ifndef PIPE_PLAN_EVAL_H
#define PIPE_PLAN_EVAL_H

#include "base/arena.h"
#include "base/status.h"
#include "plan/plan.h"

typedef struct Evaluator {
    /* e names no columns. A string result lives in the arena. A failure (1 // 0) is an
     * Error as in a row. */
    Status (*eval)(struct Evaluator *ev, const Tx *e, Arena *a, Value *out, Error *err);
} Evaluator;

#endif
