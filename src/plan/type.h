/* type.h - typing: expressions to Tx, the statements of an op to operations.
 *
 * A Typer holds what names mean at one place: the table as it is there, the op's
 * parameters, the program's constants. Mistakes are diagnostics; a node of TYPE_ERROR
 * keeps everything above it silent. Ops are typed once per use, with that use's columns. Everything
 * lives in the arena. Single-threaded.
 */
#ifndef PIPE_PLAN_TYPE_H
#define PIPE_PLAN_TYPE_H

#include "base/diag.h"
#include "base/map.h"
#include "lang/check.h"
#include "plan/eval.h"
#include "plan/plan.h"
#include "plan/tx.h"

/* A column of the table at a place of an op. */
typedef struct ScopeCol {
    Str name;
    Type type;
    Span from;              /* where it was made: the `read`, the definition */
    const CatalogCol *seen; /* what the file showed; NULL: computed or declared */
    Str file;
    bool has_null_word;     /* some cells are null by what the `read` says: in another column they are nothing */
} ScopeCol;
typedef Vec(ScopeCol) ScopeCols;

typedef Vec(PopAgg) AggList;

/* A table that statements may join: an argument of the op, or a flow that its body names. */
typedef struct TableArg {
    Str name;
    uint32_t step;   /* that makes it */
    ScopeCols cols;
    bool is_unknown; /* it could not be made out; what it holds is silent */
    Span from;       /* the flow */
} TableArg;

typedef struct Typer {
    Arena *arena;
    Sources *sources;
    Diags *diags;
    const Program *program;
    Catalog *catalog;
    Evaluator *evaluator;

    Map *globals;        /* param or let -> Tx, as far as they were wanted; shared */
    const Map *sets;     /* param -> Value, from --set; NULL: none */
    Map *params;         /* of the op being typed -> Tx; NULL: none */
    const Map *tables;   /* name -> TableArg; NULL: none */
    const TableArg *joined; /* in the condition of a join: what `T.column` is of */

    ScopeCols cols;
    bool has_table;      /* columns may be named at all */
    bool wants_text;     /* while an option is typed that is a text: a name there lacks its quotes */
    bool wants_column;   /* while a name is looked for that can only be a column's */
    Schema *growing;     /* what the last definition of this statement made, with room for more: the next one may stand in it */
    uint32_t growing_room;
    bool is_unknown;     /* the table could not be made out: unknown columns are silent */

    Map *locals;         /* inside a fn's body: its parameters -> Tx; then columns are not seen */

    AggList *aggs;       /* inside `group by {}`: calls of aggregates are collected here ... */
    ScopeCols *keys;     /* ... and these are the columns outside of such calls */
    const Stmt *group;   /* whose lines they are */
    const SortKey *sorts; /* while it is typed: the key of a sort */

    bool forbids_exec;   /* `exec` is a mistake */
    Vec(Str) ambiguous;  /* parameters that are columns too, as far as that has been said */
    uint32_t n_calls;    /* calls numbered so far in this step */
} Typer;

Tx *type_expr(Typer *t, const Expr *e);
/* The same, converted to a wanted type (int widens, null takes it); else a diagnostic that names `what`
 * ("the condition of `where`"). */
Tx *type_expr_as(Typer *t, const Expr *e, Type want, const char *what);
/* A constant of the wanted type (TYPE_ERROR: any): false after a diagnostic. */
bool type_constant(Typer *t, const Expr *e, Type want, const char *what, Value *out);
/* The value of a top-level param or let, computed when first wanted; NULL: there is none of the name. */
Tx *type_global(Typer *t, Str name);

/* The place of a column; -1: there is none of the name. */
int32_t scope_find(const ScopeCols *cols, Str name);

/* Types the statements of an op over t->cols; appends to pops; leaves the table that goes
 * out in t->cols. */
typedef Vec(Pop *) PopList;
void type_body(Typer *t, const StmtList *body, PopList *pops);
/* The path of a file of rejected rows, in which key() is escaped; TX_ERROR after a diagnostic. */
Tx *type_rejects(Typer *t, const Expr *e);
#define MAX_COLUMNS 60000 /* the code of a step numbers its columns with 16 bits, and what it computes besides */
const Schema *scope_schema(Arena *a, const ScopeCols *cols);
Pop *pop_new(Typer *t, PopList *pops, PopKind kind, Span span);

/* type_pattern.c: constant patterns among the arguments of a call, which are known not to be mistakes.
 * False after a diagnostic. */
bool type_patterns(Typer *t, const Builtin *b, Tx *const *args, uint32_t n_args);

/* type_sqlite.c: databases. The query of a read; is it no stdin or stdout; the table of a write. False after a
 * diagnostic. */
bool type_query(Typer *t, const Stmt *s, Pop *p);
bool type_database(Typer *t, Str path, Span span);
void type_write_table(Typer *t, const Stmt *s, Pop *p);

/* type_habit.c: what other languages mean by it. Those that take a Diag add the help and the fix to it, true if
 * there was something to say. */
/* A path without quotes: true after a diagnostic. */
bool type_unquoted_path(Typer *t, const Expr *e);
/* A sign of another language for `and`, `or`, `not`: says what it is here. True: with the types it meant something else. b: NULL for `not`. */
bool type_habit_sign(Typer *t, Diag *d, const Expr *e, const Tx *a, const Tx *b);
bool type_habit_operands(Typer *t, Diag *d, const Expr *e, const Tx *a, const Tx *b);
/* count(hp > 3), "${name}": right, but hardly what was meant. */
void type_habit_count(Typer *t, const Builtin *b, const Expr *e, Tx *const *args);
void type_habit_dollar(Typer *t, const Expr *e, Tx *const *args);
/* The argument of a function has the wrong type. */
void type_habit_argument(Typer *t, Diag *d, const Builtin *b, const Expr *arg, const Tx *tx);
bool type_habit_comment(Typer *t, Diag *d, Ident name);
/* e is a date without quotes, and should be of the type want. */
bool type_habit_date(Typer *t, Diag *d, const Expr *e, Type want);
/* int(e) or float(e) of a duration or size. */
void type_habit_amount(Typer *t, Diag *d, const Expr *e, Type type, bool is_int);
void type_habit_null(Typer *t, Diag *d, const Expr *e);
bool type_habit_field(Typer *t, Diag *d, const Expr *e);
/* The condition of a join is one column. */
bool type_habit_join(Typer *t, Diag *d, const Expr *e);

/* type_exec.c */
void type_exec(Typer *t, const Stmt *s, PopList *pops);

/* type_table.c: statements with a table. */
void type_join(Typer *t, const Stmt *s, PopList *pops);
void type_union(Typer *t, const Stmt *s, PopList *pops);

#endif
