/* ast.h - the tree of a .pipe file, as it was written.
 *
 * Everything is owned by the arena of the parse. Nodes keep spans and the range of
 * their tokens, so that the formatter can put comments back. The parser only builds
 * nodes: names, arities and types are checked later (lang/check.h, plan/type.h). A
 * place where the parser recovered from a mistake is an *_ERROR node; later stages say
 * nothing more about it.
 */
#ifndef PIPE_LANG_AST_H
#define PIPE_LANG_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/source.h"
#include "base/value.h"
#include "base/vec.h"
#include "lang/token.h"

/* Levels of operators and calls in one expression that the parser lets pass, so that a
 * recursive walk of a tree needs no limit of its own. */
#define AST_MAX_HEIGHT 1000

/* A name with its place; text is without backticks. len 0: missing. */
typedef struct Ident {
    Str text;
    Span span;
} Ident;
typedef Vec(Ident) IdentList;

/* ---- expressions ---- */

typedef struct Expr Expr;
typedef Vec(Expr *) ExprList;

typedef enum ExprKind {
    EXPR_ERROR,
    EXPR_LITERAL, /* lit: int float bool null duration size, and strings without {..} */
    EXPR_STRING,  /* parts: literal strings and expressions, in turn as they stand */
    EXPR_LIST,    /* items */
    EXPR_NAME,    /* name: a column, parameter, param, let, or flow */
    EXPR_FIELD,   /* base . name: a column of a table */
    EXPR_CALL,    /* name(args) */
    EXPR_UNARY,   /* op args[0]: neg, not, is null, is not null */
    EXPR_BINARY,  /* args[0] op args[1] */
    EXPR_IN,      /* args[0] [not] in args[1] */
    EXPR_BETWEEN, /* args[0] [not] between args[1] and args[2] */
    EXPR_IF,      /* if args[0] then args[1] else args[2] */
    EXPR_AUTO,    /* the word `auto` after batch; `*` where an expression is wanted is an error */
} ExprKind;

/* OPERATOR(enum, text): one line an operator; grammar/pipe.y has the binding. */
#define OPERATORS(OPERATOR)                                                              \
    OPERATOR(OR, "or")                                                                   \
    OPERATOR(AND, "and")                                                                 \
    OPERATOR(NOT, "not")                                                                 \
    OPERATOR(EQ, "==")                                                                   \
    OPERATOR(NE, "!=")                                                                   \
    OPERATOR(LT, "<")                                                                    \
    OPERATOR(LE, "<=")                                                                   \
    OPERATOR(GT, ">")                                                                    \
    OPERATOR(GE, ">=")                                                                   \
    OPERATOR(COALESCE, "??")                                                             \
    OPERATOR(ADD, "+")                                                                   \
    OPERATOR(SUB, "-")                                                                   \
    OPERATOR(MUL, "*")                                                                   \
    OPERATOR(DIV, "/")                                                                   \
    OPERATOR(IDIV, "//")                                                                 \
    OPERATOR(MOD, "%")                                                                   \
    OPERATOR(NEG, "-")                                                                   \
    OPERATOR(POW, "**")                                                                  \
    OPERATOR(IS_NULL, "is null")                                                         \
    OPERATOR(IS_NOT_NULL, "is not null")

typedef enum Operator {
#define OPERATOR(e, text) OPER_##e,
    OPERATORS(OPERATOR)
#undef OPERATOR
} Operator;
const char *operator_text(Operator op);

/* An argument of a call, an annotation or a with(...): positional or named. */
typedef struct Arg {
    Ident name; /* len 0: positional */
    Expr *value;
    Span span;
} Arg;
typedef Vec(Arg) ArgList;

struct Expr {
    ExprKind kind;
    Operator op;      /* UNARY, BINARY */
    bool is_negated;  /* IN, BETWEEN with `not` */
    bool is_parens;   /* stood in parentheses (for the formatter and wrong-habit messages) */
    Span span;
    Span op_span;     /* the operator's own place */
    uint32_t height;  /* levels below; at most AST_MAX_HEIGHT */
    Ident name;       /* NAME, FIELD, CALL */
    Expr *base;       /* FIELD */
    Value lit;        /* LITERAL; a string borrows from the arena, unescaped */
    bool is_raw;      /* LITERAL written in single quotes */
    ExprList args;    /* UNARY BINARY IN BETWEEN IF: operands; LIST: items; STRING: parts */
    ArgList call;     /* CALL */
};

/* ---- statements of an op ---- */

/* STMT(enum, "words that begin it"): one line a statement. */
#define STMTS(STMT)                                                                      \
    STMT(ERROR, "")                                                                      \
    STMT(READ, "read")           /* format, path, query?, with, schema?, batch? */       \
    STMT(RANGE, "range")         /* exprs[0] .. exprs[1], batch? */                      \
    STMT(FILES, "files")         /* exprs[0], batch? */                                  \
    STMT(WHERE, "where")         /* exprs[0] */                                          \
    STMT(SELECT, "select")       /* defs; a def with is_wildcard is the `*` */           \
    STMT(DROP, "drop")           /* names */                                             \
    STMT(RENAME, "rename")       /* renames */                                           \
    STMT(DERIVE, "derive")       /* defs */                                              \
    STMT(EXPLODE, "explode")     /* names[0], exprs[0]? the separator */                 \
    STMT(SORT, "sort")           /* keys */                                              \
    STMT(TAKE, "take")           /* exprs[0] */                                          \
    STMT(SKIP, "skip")           /* exprs[0] */                                          \
    STMT(TOP, "top")             /* exprs[0], keys */                                    \
    STMT(DISTINCT, "distinct")   /* names, perhaps none */                               \
    STMT(GROUP, "group")         /* defs: the keys; aggs */                              \
    STMT(AGGREGATE, "aggregate") /* aggs */                                              \
    STMT(JOIN, "join")           /* join, table, exprs[0] */                             \
    STMT(UNION, "union")         /* table */                                             \
    STMT(SPLIT, "split")         /* names (by) or exprs[0] (into) */                     \
    STMT(LOG, "log")             /* exprs[0] */                                          \
    STMT(ASSERT, "assert")       /* exprs[0], exprs[1] the message */                    \
    STMT(FAIL, "fail")           /* exprs[0]; is_permanent */                            \
    STMT(SLEEP, "sleep")         /* exprs[0] */                                          \
    STMT(EXEC, "exec")           /* exprs[0] a list, schema? */                          \
    STMT(WRITE, "write")         /* format, path, table?, with */

typedef enum StmtKind {
#define STMT(e, word) STMT_##e,
    STMTS(STMT)
#undef STMT
    N_STMTS
} StmtKind;
const char *stmt_word(StmtKind k);

typedef enum Format { FORMAT_CSV, FORMAT_JSON, FORMAT_LINES, FORMAT_SQLITE } Format;
const char *format_name(Format f);

typedef enum JoinKind { JOIN_INNER, JOIN_LEFT, JOIN_SEMI, JOIN_ANTI } JoinKind;

/* name = value; a bare name has value NULL; `*` has is_wildcard. */
typedef struct Def {
    Ident name;
    Expr *value;
    bool is_wildcard;
    Span span;
} Def;
typedef Vec(Def) DefList;

typedef struct SortKey {
    Expr *value;
    bool is_desc;
    bool is_explicit; /* `asc` or `desc` was written */
    Span span;
} SortKey;
typedef Vec(SortKey) SortKeyList;

typedef struct Rename {
    Ident from, to;
} Rename;
typedef Vec(Rename) RenameList;

typedef struct Stmt {
    StmtKind kind;
    Span span;      /* whole */
    Span word_span; /* the word(s) that begin it */
    ExprList exprs; /* as listed at STMTS */
    Format format;  /* READ, WRITE */
    Expr *path;     /* READ, WRITE: file or database */
    Expr *query;    /* READ sqlite */
    Expr *table;    /* WRITE sqlite: a string expression */
    ArgList with;   /* options */
    Ident schema;   /* `as NAME`, len 0: none */
    Expr *batch;    /* `batch N`; EXPR_AUTO for auto; NULL: none */
    IdentList names;
    RenameList renames;
    DefList defs;
    DefList aggs;
    SortKeyList keys;
    JoinKind join;
    Ident table_name; /* JOIN, UNION: the table parameter */
    bool is_permanent; /* FAIL */
    bool is_into;      /* SPLIT into */
    bool keeps_columns; /* ERROR: of a statement after which the columns are those before it */
} Stmt;
typedef Vec(Stmt *) StmtList;

/* ---- declarations, jobs ---- */

typedef struct Annotation {
    Ident name; /* without the @ */
    ArgList args;
    Span span;
} Annotation;
typedef Vec(Annotation) AnnotationList;

typedef struct TypeRef {
    Str name;
    Span span;
} TypeRef;

typedef struct Param { /* of an op, a fn; a schema's field; a top-level param */
    Ident name;
    TypeRef type;
    Expr *value; /* default; NULL: none */
    Span span;
} Param;
typedef Vec(Param) ParamList;

typedef enum StageKind { STAGE_ONCE, STAGE_MAP, STAGE_COLLECT } StageKind;

typedef struct Op {
    Ident name; /* len 0: anonymous */
    AnnotationList annotations;
    ParamList params;
    StmtList body;
    Span span;
    Span body_span; /* braces included */
} Op;

/* One stage of a flow. What runs is op_name(args), or body (an anonymous op: braces or a
 * single statement), or nothing (bare collect). */
typedef struct Stage {
    StageKind kind;
    Ident op_name;    /* len 0 when body */
    bool has_args;    /* parentheses were written */
    ArgList args;
    Op *body;         /* anonymous op */
    bool is_braced;   /* body stood in braces */
    bool is_error;    /* recovered */
    AnnotationList annotations;
    Span span;
    Span word_span;   /* `map` or `collect`; else the op's name */
} Stage;
typedef Vec(Stage *) StageList;

typedef struct Flow {
    Ident name; /* `let name = ...` in a job; len 0: none */
    StageList stages; /* stages.ptr[0] is the source */
    Span span;
} Flow;
typedef Vec(Flow *) FlowList;

typedef enum DeclKind {
    DECL_ERROR,
    DECL_USE,    /* path */
    DECL_PARAM,  /* param */
    DECL_LET,    /* param.name, param.value */
    DECL_SCHEMA, /* name, params: the fields; is_open: ends in `...` */
    DECL_FN,     /* name, params, type, value */
    DECL_OP,     /* op */
    DECL_JOB,    /* name, annotations, flows */
} DeclKind;

typedef struct Decl {
    DeclKind kind;
    Span span;
    Ident name;
    Expr *path;
    Param param;
    ParamList params;
    bool is_open;
    TypeRef type;
    Expr *value;
    Op *op;
    AnnotationList annotations;
    FlowList flows;
} Decl;
typedef Vec(Decl *) DeclList;

typedef struct Ast {
    DeclList decls;
    const Source *source;
    TokenList tokens; /* of the whole text, comments and line ends included */
} Ast;

#endif
