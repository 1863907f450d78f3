/* type_expr_int.h - what the files that type expressions share. */
#ifndef PIPE_PLAN_TYPE_EXPR_INT_H
#define PIPE_PLAN_TYPE_EXPR_INT_H

#include "plan/type.h"

/* type_expr.c. A node over constants becomes its value. A failure (1 // 0) stays as it is: the row that computes it
 * fails, if any does. */
Tx *type_folded(Typer *t, Tx *tx);
/* Why a column is of the type that it is: where it came from, and what the file showed. */
void type_explain(Typer *t, Diag *d, const Tx *tx);
/* "a" or "an" */
const char *type_article(Type type);

/* type_name.c */
Tx *type_name_expr(Typer *t, const Expr *e);
Tx *type_field(Typer *t, const Expr *e);

/* type_operator.c */
Tx *type_unary(Typer *t, const Expr *e);
Tx *type_binary(Typer *t, const Expr *e);
Tx *type_between(Typer *t, const Expr *e);
Tx *type_in(Typer *t, const Expr *e);
Tx *type_if(Typer *t, const Expr *e);

/* type_call.c */
Tx *type_call(Typer *t, const Expr *e);

#endif
