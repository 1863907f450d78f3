/* pop_text.h - operations and expressions of a plan, as the language writes them. Pure. */
#ifndef PIPE_PLAN_POP_TEXT_H
#define PIPE_PLAN_POP_TEXT_H

#include "plan/plan.h"

/* An operation in one line, as the language would write it: `where hp > 50`. `in` is the
 * table before it, NULL if there is none. */
void pop_put_line(Buf *out, const Pop *p, const Schema *in);

/* A path: its text, with `{key()}` where it depends on the batch. */
void path_put_text(Buf *out, const Tx *path);

#endif
