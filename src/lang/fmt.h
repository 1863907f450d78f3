/* fmt.h - a program in the one style of .pipe files.
 *
 * The tokens stay as they are and in their order, but for `;` and the commas before a
 * closing bracket; comments stay where they were. So the tree of what comes out is that
 * of what went in. What a person broke at its own places (a body, the stages of a flow, the
 * parts of `and`, a list with an item a line) stays broken if it was; what fits on a line and
 * was on one stays there. A program in the style comes out as it is.
 */
#ifndef PIPE_LANG_FMT_H
#define PIPE_LANG_FMT_H

#include "lang/ast.h"

/* Appends the text of a file that has no mistakes of syntax. */
void fmt_program(Buf *out, const Ast *ast);

#endif
