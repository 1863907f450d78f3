/* ast_dump.h - a tree as text, for `dump --format ast` and for tests. */
#ifndef PIPE_LANG_AST_DUMP_H
#define PIPE_LANG_AST_DUMP_H

#include "lang/ast.h"

/* Appends the tree: a node a line, `(kind ...)`, children indented by two blanks;
 * expressions stand on one line. with_spans adds `@lo-hi`, bytes in the file from 0. */
void ast_dump(Buf *out, const Ast *ast, bool with_spans);
/* One expression, without a line end. */
void ast_dump_expr(Buf *out, const Expr *e);

#endif
