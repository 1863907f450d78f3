/* check.h - names, arities and annotations: from the trees of all files to a Program.
 *
 * Follows `use`, makes one table of names per kind, ties every stage of every job to
 * the op or flow it names, binds arguments to parameters and resolves annotations.
 * Types of expressions, columns and static or dynamic flows are plan/'s. All mistakes
 * are reported in one go; what was wrong is left out or marked, so that later stages
 * can go on and say nothing more about it.
 *
 * A Program, its tables and the trees of used files live in the arena; it borrows the
 * main tree and the texts (Sources).
 */
#ifndef PIPE_LANG_CHECK_H
#define PIPE_LANG_CHECK_H

#include "base/diag.h"
#include "base/type.h"
#include "lang/annot.h"
#include "lang/ast.h"

/* How a `use`d file is read: an editor and a test have texts that are not on disk. */
typedef struct CheckHost {
    Status (*read)(void *ctx, Sources *sources, const char *path, const Source **out,
                   Error *err);
    void *ctx;
} CheckHost;

/* ---- what a name stands for ---- */

typedef struct ParamDef { /* a parameter of an op or a fn */
    Ident name;
    Type type;         /* TYPE_TABLE for a table; TYPE_ERROR: wrong, and said */
    const Expr *value; /* default; NULL: none */
} ParamDef;

typedef struct ConstDef { /* a top-level `param` or `let`: one scope for both */
    Ident name;
    bool is_param;
    bool is_cyclic;    /* said; do not evaluate */
    Type type;         /* of a param, as declared; TYPE_ERROR: a let's, or said */
    const Expr *value; /* NULL: a param that only --set gives a value */
    Span span;
} ConstDef;

typedef struct SchemaDef {
    Ident name;
    Schema schema;
    const Span *col_spans;  /* [schema.n_cols], of the names */
    const Span *type_spans; /* [schema.n_cols] */
    bool is_open;           /* ends in `...`: the rest is inferred */
    Span span;
} SchemaDef;

typedef struct FnDef {
    Ident name;
    uint32_t n_params;
    const ParamDef *params;
    Type type; /* of the result */
    const Expr *value;
    bool is_cyclic; /* recursive, said; do not expand */
    Span span;
} FnDef;

typedef struct OpDef {
    Ident name; /* len 0: anonymous, the body of a stage */
    const Op *op;
    uint32_t n_params;
    const ParamDef *params;
    Annots annots; /* empty when anonymous */
} OpDef;

typedef struct FlowDef FlowDef;

/* What a parameter of the op gets at a stage. Both NULL: a mistake that has been said.
 */
typedef struct StageArg {
    const Expr *value;   /* scalar: the argument, or the parameter's default */
    const FlowDef *flow; /* table */
} StageArg;

/* One stage: exactly one of op and flow is set, or neither: a bare `collect`, or a
 * mistake that has been said (is_error). */
typedef struct StageDef {
    const Stage *stage; /* kind, spans, body */
    const OpDef *op;
    const FlowDef *flow;  /* only at the source: a named flow that branches here */
    const StageArg *args; /* [op->n_params] */
    Annots annots;
    bool is_error;
} StageDef;

struct FlowDef {
    Ident name; /* len 0: none */
    const Flow *flow;
    uint32_t n_stages; /* > 0 */
    StageDef *stages;  /* stages[0] is the source */
    bool is_cyclic;    /* said */
};

typedef struct JobDef {
    Ident name;
    const Decl *decl;
    Annots annots;
    uint32_t n_flows;
    FlowDef *flows; /* as written */
    const FlowDef *
        *order;   /* [n_flows]: each after the flows it needs; cyclic ones last */
    bool is_main; /* stands in the main file, not in a used one */
} JobDef;

/* Lists are in the order of the text, a used file standing at its `use`. */
typedef struct Program {
    const Ast *main;
    Vec(ConstDef *) consts;
    Vec(SchemaDef *) schemas;
    Vec(FnDef *) fns;
    Vec(OpDef *) ops; /* named ones */
    Vec(JobDef *) jobs;
    Vec(const Ast *) files; /* main and used, each once */
    struct ProgramNames *names;
} Program;

/* Never NULL; ds says whether it is sound. host may be NULL: files are read from disk,
 * relative to the file that uses them. */
Program *check_program(Arena *a, Sources *sources, const Ast *main, Diags *ds,
                       const CheckHost *host);

/* NULL when there is none. */
const ConstDef *program_const(const Program *p, Str name);
const SchemaDef *program_schema(const Program *p, Str name);
const FnDef *program_fn(const Program *p, Str name);
const OpDef *program_op(const Program *p, Str name);
const JobDef *program_job(const Program *p, Str name);
/* The name was to be declared, but its declaration did not read (and that has been
 * said): nothing more is said about an unknown name that is lost. */
bool program_is_lost(const Program *p, Str name);
const ParamDef *op_param(const OpDef *op, Str name);
const ParamDef *fn_param(const FnDef *fn, Str name);

/* Which argument each parameter of a fn gets: out[n_params], defaults filled in, NULL
 * where a mistake has been said by check_program. */
void fn_bind(const FnDef *fn, const ArgList *args, const Expr **out);

/* ---- options of `with (...)`: options.def ---- */

typedef enum OptionKind {
#define OPTION(e, stmt, format, name, type) OPTION_##e,
#include "lang/options.def"
#undef OPTION
    N_OPTIONS
} OptionKind;

typedef struct OptionInfo {
    StmtKind stmt;
    Format format;
    const char *name;
    Type type; /* of its value, which is a constant */
} OptionInfo;
const OptionInfo *option_info(OptionKind k);
/* The option's value at a statement, NULL: not given. */
const Expr *stmt_option(const Stmt *s, OptionKind k);

#endif
