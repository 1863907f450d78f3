/* verify.h - is a Code safe to run?
 *
 * Pure; trusts nothing but the sizes of the arrays. A mistake it finds is the
 * compiler's, not the user's.
 */
#ifndef PIPE_CODE_VERIFY_H
#define PIPE_CODE_VERIFY_H

#include "base/status.h"
#include "code/code.h"

/* OK when every operand is in range, every register is written before it is read (and
 * again after its rows changed) and has the type that the instruction wants, masks are
 * balanced, sources stand first and END last, and the table comes out as code->out says.
 * Otherwise ERR_DATA with the instruction in the text. */
Status code_verify(const Code *code, Error *err);

#endif
