/* lex.h - a program's text as a list of tokens.
 *
 * Everything in the text is there: comments, line ends, the parts of strings; the last
 * token is TOK_END. Mistakes are recorded and come out as TOK_BAD, about which the
 * parser says nothing more. Tokens live in the arena; texts may borrow from the source.
 */
#ifndef PIPE_LANG_LEX_H
#define PIPE_LANG_LEX_H

#include "base/diag.h"
#include "lang/token.h"

/* False when the text is no program text at all (not UTF-8, a NUL byte, nested too
 * deeply): then there is one message, and the list ends where it was found. */
bool lex_source(Arena *arena, const Source *source, Diags *diags, TokenList *out);

#endif
