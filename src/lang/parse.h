/* parse.h - from a text to its tree.
 *
 * The tree, its tokens and texts live in the arena given; texts may also borrow from
 * the source. All mistakes of a text are recorded in one go; a tree always comes back,
 * with *_ERROR nodes where something was wrong (diags->n_errors tells whether).
 * One thread per arena; no state outside it.
 */
#ifndef PIPE_LANG_PARSE_H
#define PIPE_LANG_PARSE_H

#include "base/diag.h"
#include "lang/ast.h"
#include "lang/token.h"

/* A .pipe file: declarations. */
Ast *parse_file(Arena *arena, const Source *source, Diags *diags);

/* The body of a job, as -e takes it: one DECL_JOB of that name. */
Ast *parse_flow(Arena *arena, const Source *source, Str job_name, Diags *diags);

/* What other languages call by the word is this statement of ours, with what stands behind it: "sort by"; NULL: none. */
const char *parse_foreign_statement(Str word);
/* The same, or a sentence about what there is instead, which has backquotes in it. */
const char *parse_foreign_word(Str word);

#endif
