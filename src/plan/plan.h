/* plan.h - a job as a typed DAG: steps, the scopes they run in, the schema on every edge.
 *
 * Made by plan_build (build.h) from a checked Program, one Plan per job. A *step* is one use of an op in
 * the job. A *scope* is a level of fan-out: scope 0 runs once; a generator step opens a scope in which the
 * steps that follow run once per batch. Owned by the arena it was built in; immutable afterwards.
 */
#ifndef PIPE_PLAN_PLAN_H
#define PIPE_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/builtins.h"
#include "base/catalog.h"
#include "base/policy.h"
#include "base/source.h"
#include "base/type.h"
#include "base/value.h"
#include "base/vec.h"
#include "lang/ast.h"

/* ---- typed expressions ---- */

typedef enum TxKind {
    TX_ERROR,    /* poison, type TYPE_ERROR */
    TX_CONST,    /* value */
    TX_COLUMN,   /* col: of the table as it is at this operation */
    TX_UNARY,    /* op args[0] */
    TX_BINARY,   /* args[0] op args[1]; both have the type that the operation works on */
    TX_WIDEN,    /* int args[0] as float */
    TX_IN,       /* args[0] is one of items */
    TX_IF,       /* args[0] ? args[1] : args[2] */
    TX_CALL,     /* fn(args) */
    TX_CONCAT,   /* interpolation: args as they print, joined; null as nothing */
} TxKind;

typedef struct Tx Tx;
struct Tx {
    TxKind kind;
    Type type;
    Operator op;
    BuiltinId fn;
    bool is_negated;   /* IN */
    bool needs_row;    /* depends on a column, or on row() or uuid(): one value per row */
    bool needs_batch;  /* depends on key(), index() */
    bool is_in_path;   /* CALL of key(), or of what takes it, in the path of a `write`: escaped, so that it names one file */
    bool is_seen;      /* while needs.c walks */
    bool uses_left;    /* in the condition of a join: names a column of the table that it is joined to ... */
    bool uses_table;   /* ... one of the joined table */
    uint32_t col;
    uint32_t call_id;  /* CALL: number of this call in the step; uuid() differs by it */
    Value value;
    uint32_t n_args;
    Tx **args;         /* shared nodes are computed once */
    uint32_t n_items;
    Value *items;      /* IN */
    Span span;
    Tx *simpler;       /* what simplify.c made of it; NULL: it has not been there */
};

/* ---- operations of a step ---- */

typedef enum PopKind {
#define POP(e, name, row_wise, doc) POP_##e,
#include "plan/ops.def"
#undef POP
    N_POPS
} PopKind;
const char *pop_name(PopKind k);
bool pop_is_row_wise(PopKind k);

typedef enum BatchMode { BATCH_NONE, BATCH_ROWS, BATCH_BYTES, BATCH_AUTO } BatchMode;

typedef struct PopKey { /* of SORT, TOP, DISTINCT, GROUP, SPLIT (columns there) */
    Tx *value;
    bool is_desc;
} PopKey;

typedef struct PopAgg {
    BuiltinId fn;
    uint32_t n_args;
    Tx **args;
    Type type;
    Str name;
    Span span;
} PopAgg;

typedef struct Pop {
    PopKind kind;
    Span span;
    const Schema *out; /* the table after it */
    Tx *expr;          /* FILTER LOG ASSERT FAIL SLEEP; TAKE SKIP TOP: the number; DEFINE: the value;
                          WRITE: the path; RANGE: first; READ: the path when it is not constant, else
                          NULL; SPLIT: into how many parts, NULL: by its keys; EXPLODE: the separator */
    Tx *expr2;         /* ASSERT: the message; RANGE: last; WRITE of a database: the table's name, else NULL */
    bool is_value;     /* DEFINE: a copy of a column is what its cells say, not their bytes */
    uint32_t col;      /* DEFINE: the column; == n of the table before: appended. EXPLODE: the column */
    uint32_t n_cols;
    uint32_t *cols;    /* PROJECT: columns of the table before */
    uint32_t n_keys;
    PopKey *keys;
    uint32_t n_aggs;
    PopAgg *aggs;
    bool per_row;      /* LOG */
    bool is_permanent; /* FAIL */
    uint32_t n_argv;   /* EXEC */
    Value *argv;       /* EXEC: strings, the first one is the command */
    /* READ */
    Str path;          /* FILES too: the pattern */
    bool is_pattern;   /* the path names any number of files, read one after the other */
    Str first;         /* of a pattern: the first file when the columns were made out; empty: none was looked at */
    bool follows_first; /* the other files have just its columns */
    CsvDialect dialect; /* WRITE too */
    Str query;         /* of a database */
    const CatalogTable *catalog; /* what the file showed; NULL: nothing was read of it */
    const bool *is_inferred;     /* [out->n_cols] the type comes from the file, not from a schema */
    const bool *needed;          /* [out->n_cols] columns that somebody wants (needs.h); NULL: all */
    bool is_counted;             /* nobody wants more of it than the number of rows */
    BatchMode batch;    /* RANGE too */
    uint64_t batch_n;   /* rows or bytes */
    uint32_t sink;      /* WRITE: its number in the plan */
    /* JOIN UNION */
    uint32_t table;     /* the step whose table it is, one of the step's inputs */
    Str table_name;     /* as the program calls it */
    const Schema *table_schema;
    JoinKind join;
    /* JOIN: columns of the table before, then the table's as `T.name`. Over this are expr, the whole
     * condition, and expr2, what is left of it beside the keys (NULL: nothing). keys[i] is of the table
     * before, table_keys[i] equals it. cols: the table's columns that come out.
     * UNION: cols[i]: the table's column for column i of out. */
    const Schema *pair;
    Tx **table_keys;
} Pop;

/* It replaces what is piped in: READ, RANGE, FILES. */
bool pop_is_source(const Pop *p);
/* WRITE: the path, or the table of a database, depends on the batch. */
bool write_is_by_key(const Pop *p);
/* The step of it is a generator. */
bool pop_yields(const Pop *p);
/* What the batches it yields are called by: "number", "file", "value". */
const char *pop_key_word(const Pop *p);

/* ---- steps ---- */

typedef enum StepKind { STEP_STATIC, STEP_MAP, STEP_COLLECT } StepKind;

/* What a collect keeps while its batches come (fold.h). */
typedef enum Hold {
    HOLD_NONE,     /* no collect, or one that begins with a source */
    HOLD_NOTHING,  /* nobody wants the rows: they are counted */
    HOLD_FIRST,    /* hold_limit rows and no more */
    HOLD_TOP,      /* hold_limit rows of an order */
    HOLD_DISTINCT, /* the rows that differ */
    HOLD_GROUPS,   /* a row and the aggregates' states per group */
    HOLD_SORTED,   /* all rows, sorted batch by batch */
    HOLD_ROWS,     /* all rows */
} Hold;
const char *hold_name(Hold h); /* "groups" */

typedef enum KeepAsked { KEEP_UNASKED, KEEP_OF_JOB, KEEP_OF_OP, KEEP_OF_STAGE } KeepAsked;

typedef struct Step Step;
struct Step {
    uint32_t id;          /* index in Plan.steps: the order in the job */
    Str name;             /* unique in the job */
    Str op;               /* the op's name, "" when anonymous */
    StepKind kind;
    bool is_generator;    /* yields batches: pops[0] says how (pop_yields), and is all it does */
    uint32_t scope;       /* in which it runs */
    uint32_t yields;      /* generator: the scope that it opens; else 0 */
    uint32_t depth;       /* longest way from a source */
    int32_t priority;
    bool has_priority;    /* given, not the depth */
    int32_t rank;         /* what the scheduler compares: 2 * priority, + 1 for the rest of a generator's op;
                             a part: above all that comes before it */
    uint32_t max_concurrent; /* 0: none */
    uint32_t pool;        /* index + 1 into Plan.pools; 0: none */
    RetrySpec retry;
    int64_t timeout_us;   /* per attempt; 0: none */
    OnFailure on_failure;
    BadRows bad_rows;
    uint32_t rejects;     /* index + 1 into Plan.rejects; 0: none */
    KeepAsked keep_asked; /* where its @checkpoint stands ... */
    Span keep_span;       /* ... {0, 0}: nowhere */
    bool keeps;           /* its output is kept for `resume` (keep.h) */
    uint32_t n_inputs;
    uint32_t *inputs;     /* steps; COLLECT: in a scope below; else in this one */
    uint32_t n_tables;    /* the last so many inputs are tables of JOIN and UNION: in this scope or one around it */
    const Schema *in;     /* NULL: it begins with a source that wants nothing of what is piped in; a READ
                             whose path is made of columns has one */
    const Schema *out;
    Vec(Pop *) pops;      /* none: passes its input on */
    Hold hold;            /* COLLECT; HOLD_FIRST also of a static read */
    uint64_t hold_limit;  /* HOLD_FIRST, HOLD_TOP: rows */
    const Step *part_of;  /* the collect whose batches it prepares and that alone reads it; NULL: none (fold.h).
                             Also of the generator of a read in parts */
    bool reads_in_parts;  /* COLLECT: of nothing that the program calls a batch, but of the ranges of its own read */
    Str doc;
    Vec(Str) tags;        /* "key=value" */
    Span span;            /* the stage */
};

/* Of its inputs, those before this one are piped in, those from it on are tables. */
static inline uint32_t step_first_table(const Step *s)
{
    return s->n_inputs - s->n_tables;
}

/* As the program has it: "static", "map", "collect". */
const char *step_kind_name(const Step *s);

typedef struct Scope {
    uint32_t parent;      /* scope 0 is its own */
    uint32_t generator;   /* step */
    uint32_t in_flight;   /* credits; 0: the default; UINT32_MAX: unbounded */
    uint32_t max_batches; /* of one instance of the generator; 0: any number */
} Scope;

/* Steps that share it run at most `size` instances together. */
typedef struct PlanPool {
    Str name;
    uint32_t size;
    Span span;            /* the @pool that named it first */
} PlanPool;

/* A file that the job writes. */
typedef struct PlanSink {
    uint32_t step;
    const Pop *pop;
    bool by_key;          /* the path, or the table, depends on the batch: one per batch (write_is_by_key) */
} PlanSink;

/* Where rows go that a policy drops. Steps may share it. */
typedef struct PlanRejects {
    Tx *path;
    bool by_key;          /* the path depends on the batch: a file for each that has any */
    Span span;            /* of the path */
} PlanRejects;

typedef struct Plan {
    Str job;
    Str file;             /* the program's name for people */
    uint32_t n_steps;
    Step **steps;
    uint32_t n_scopes;
    Scope *scopes;
    uint32_t n_sinks;
    PlanSink *sinks;
    uint32_t n_rejects;
    PlanRejects *rejects;
    uint32_t n_pools;
    PlanPool *pools;
    uint32_t max_concurrent; /* workers; 0: as many as processors */
    uint64_t memory_bytes;   /* budget of live batches and of what operators hold; 0: none */
    bool keeps;              /* some step does: a run of it can be resumed */
    Str doc;
} Plan;

#define MEMORY_MIN 64000 /* bytes: the least budget */

/* How many fan-outs a scope is in: 0 for scope 0. */
uint32_t scope_level(const Plan *plan, uint32_t scope);
/* Is there a fan-out inside a fan-out? */
bool plan_is_nested(const Plan *plan);

#endif
