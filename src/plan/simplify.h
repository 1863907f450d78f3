/* simplify.h - expressions made cheaper before they become bytecode.
 *
 * What a row gives stays the same to the byte: its value, null, and whether it fails. So nothing that may
 * fail in a row where it is wanted goes away, and nothing turns into a bare column where a column keeps
 * the bytes of its cells (`derive y = x` copies them, `derive y = true and x` prints).
 */
#ifndef PIPE_PLAN_SIMPLIFY_H
#define PIPE_PLAN_SIMPLIFY_H

#include "plan/eval.h"
#include "plan/type.h"

/* The statements of an op: replaces their expressions, takes out `where true`. Paths stay as they are:
 * what they depend on decides how many files there are. */
void simplify_pops(Arena *a, Evaluator *ev, PopList *pops);

#endif
