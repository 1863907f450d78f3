/* check_state.h - what the parts of the checker share. Private to lang/.
 *
 * check.c        files, declarations
 * check_type.c   types as they are named
 * check_cycles.c fns and constants that need themselves
 * check_stmt.c   the statements of an op, and the fns called in expressions
 * check_job.c    flows and stages
 */
#ifndef PIPE_LANG_CHECK_STATE_H
#define PIPE_LANG_CHECK_STATE_H

#include "base/map.h"
#include "lang/bind.h"
#include "lang/check.h"
#include "lang/deps.h"

struct ProgramNames {
    Map consts, schemas, fns, ops, jobs; /* name -> its def, which begins with it */
    Map lost;                            /* names whose declarations did not read */
};

typedef struct Check {
    Arena *arena;
    Sources *sources;
    Diags *diags;
    const CheckHost *host; /* NULL: the disk */
    Program *program;
    Vec(OpDef *) ops; /* all of them: also those whose name is taken */
    Vec(JobDef *) jobs;
} Check;

/* The flows that a body of a job may name in `join` and `union`; NULL in an op. The
 * place of the use is told, for their order. */
typedef struct FlowScope {
    const FlowDef *(*find)(void *ctx, Str name, Span use);
    void (*offer)(void *ctx, Suggest *near);
    void *ctx;
} FlowScope;

/* The type; TYPE_ERROR where it is unknown, and told. tables: it may be `table`. `what` has it: "a column". */
Type check_type(Check *c, const TypeRef *ref, bool tables, const char *what);
/* Tells of fns and constants that need themselves. */
void check_cycles(Check *c);

/* Checks the statements of def; flows as above. */
void check_body(Check *c, const OpDef *def, const FlowScope *flows);
/* The calls of fns in an expression; NULL is fine. */
void check_expr(Check *c, const Expr *e);
void check_args_exprs(Check *c, const ArgList *args);
void check_annotation_exprs(Check *c, const AnnotationList *list);

/* Annotations, flows and stages of a job; fills *job, whose name and decl are set. */
void check_job(Check *c, JobDef *job);

/* "`x` is a job", "... a fn", when the name is of another kind than was wanted: a label
 * at its place. Returns the kind's word, NULL if nothing has the name. */
const char *check_other_kind(Check *c, Diag *d, Str name);

#endif
