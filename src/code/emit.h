/* emit.h - from the operations of a plan step to bytecode. */
#ifndef PIPE_CODE_EMIT_H
#define PIPE_CODE_EMIT_H

#include "base/arena.h"
#include "base/source.h"
#include "base/status.h"
#include "code/code.h"
#include "plan/plan.h"

/* The code of a step: of all its operations, but for a generator, whose one operation the runner
 * performs itself: its code is just END. Lives in the arena. ERR_DATA when the step needs more registers, columns or
 * constants than CODE_MAX_OPERAND; the plan must be free of errors. */
Status emit_step(Arena *a, const Sources *sources, const Step *step, Code **out, Error *err);

/* For a step that begins with a READ whose path is not constant: code that makes the paths, one column,
 * of the step's input table; of a table of one row and no columns if it names none of its columns. */
Status emit_path(Arena *a, const Sources *sources, const Step *step, Code **out, Error *err);

/* Code that makes one column of a constant expression, over a table of one row and no columns. */
Status emit_constant(Arena *a, const Sources *sources, const Tx *tx, Code **out, Error *err);

#endif
