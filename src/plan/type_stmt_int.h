/* type_stmt_int.h - what the files that type statements share. */
#ifndef PIPE_PLAN_TYPE_STMT_INT_H
#define PIPE_PLAN_TYPE_STMT_INT_H

#include "plan/type.h"

/* type_dialect.c */
CsvDialect type_read_dialect(Typer *t, const Stmt *s);
CsvDialect type_write_dialect(Typer *t, const Stmt *s);

/* type_read.c, type_source.c */
void type_read(Typer *t, const Stmt *s, PopList *pops);
void type_range(Typer *t, const Stmt *s, PopList *pops);
void type_files(Typer *t, const Stmt *s, PopList *pops);
/* `batch N`, `batch 64kB`, `batch auto`; e: NULL, it is not said. */
void type_batch(Typer *t, const Expr *e, Pop *p);

/* type_column.c. The place of a column of the table here, or -1. */
int32_t type_col_index(const Typer *t, Str name);
/* The same after a diagnostic (none if the table is unknown). */
int32_t type_need_col(Typer *t, Ident name);
/* The column as an expression; NULL after a diagnostic, or if the table is unknown. */
Tx *type_column(Typer *t, Ident name, Span span);
/* Says so if a value has no type that a column could have. */
void type_usable(Typer *t, const Tx *value, Ident name);
/* Picks columns cols[0..n) under names (NULL, or one without text: its own). */
void type_project(Typer *t, PopList *pops, Span span, const uint32_t *cols, const Ident *names,
                  uint32_t n);
void type_derive(Typer *t, const Stmt *s, PopList *pops);
void type_select(Typer *t, const Stmt *s, PopList *pops);
void type_drop(Typer *t, const Stmt *s, PopList *pops);
void type_rename(Typer *t, const Stmt *s, PopList *pops);

/* type_group.c */
void type_group(Typer *t, const Stmt *s, PopList *pops);

/* type_write.c */
void type_write(Typer *t, const Stmt *s, PopList *pops);

#endif
