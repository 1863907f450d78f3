/* disasm.h - bytecode as a listing for people: `dump --format bytecode`. */
#ifndef PIPE_CODE_DISASM_H
#define PIPE_CODE_DISASM_H

#include "base/str.h"
#include "code/code.h"

/* Appends the listing; the same code gives the same bytes. The code must be verified. */
void code_disasm(const Code *code, Buf *out);

#endif
