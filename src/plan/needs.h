/* needs.h - which columns of what is read somebody wants.
 *
 * A column that no statement computes with, no file is written with and no table is held for is never
 * decoded, copied or kept: Pop.needed of a read says which are wanted. What decides is the program
 * alone; a cell that is not needed is not looked at, so it may hold anything.
 */
#ifndef PIPE_PLAN_NEEDS_H
#define PIPE_PLAN_NEEDS_H

#include "plan/plan.h"

/* When all steps of a job without mistakes are known, and how they are folded (fold.h). */
void needs_find(Arena *a, Plan *plan);

#endif
