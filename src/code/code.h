/* code.h - the bytecode of one step: instructions, constants, specs.
 *
 * Made by emit.c and emit_expr.c from a plan step, checked by verify.c, printed by disasm.c, run by
 * vm/. Owned by an arena (with everything it points to); immutable once verified, so any number of
 * workers run it at once. opcodes.def is the meaning of every instruction.
 */
#ifndef PIPE_CODE_CODE_H
#define PIPE_CODE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/builtins.h"
#include "base/catalog.h"
#include "base/source.h"
#include "base/type.h"
#include "base/value.h"

typedef enum Opcode {
#define OP(name, fmt, types, effect) OP_##name,
#include "code/opcodes.def"
    N_OPCODES
} Opcode;

typedef enum OperandFormat {
    FMT_NONE, FMT_R_, FMT_Rr, FMT_RRR, FMT_RC, FMT_RK, FMT_r, FMT_rr, FMT_cR, FMT_cS, FMT_S, FMT_rS,
    FMT_RrS, FMT_RRS,
} OperandFormat;

typedef struct OpcodeInfo {
    const char *name, *effect;
    const char *types; /* a letter per register operand, as opcodes.def explains */
    OperandFormat format;
} OpcodeInfo;
const OpcodeInfo *opcode_info(Opcode op);

typedef struct Instr {
    uint16_t op, a, b, c;
} Instr;

/* Limits of the 16-bit operands: 65,535 registers, columns, constants and specs per step. */
#define CODE_MAX_OPERAND 65535u

/* A key: the register that holds it. Nulls come last either way; NaN is the greatest number. */
typedef struct KeySpec {
    uint16_t reg;
    bool is_desc;
    int32_t col; /* GROUP: the column of t that it was LOADed from, whose cells the key keeps; -1: computed */
} KeySpec;

/* An aggregate of a GROUP: args in consecutive registers from `reg`. */
typedef struct AggSpec {
    BuiltinId fn;
    uint16_t reg, n_args;
    Type arg_type;   /* of the first argument; TYPE_NULL when it has none (count()) */
    Type type;       /* of the result */
    Str name;        /* the column it makes, for messages; may be empty */
} AggSpec;

typedef enum CodeJoin { CODE_JOIN_INNER, CODE_JOIN_LEFT, CODE_JOIN_SEMI, CODE_JOIN_ANTI } CodeJoin;

/* Code of its own over some columns of a join's pair of tables: those of t are numbered first, then those of the
 * joined table. Ascending. code NULL: there is none. */
typedef struct PartCode {
    const struct Code *code;
    uint32_t n_cols;
    const uint16_t *cols; /* [n_cols] */
} PartCode;

typedef enum SpecKind {
    SPEC_CALL,    /* fn, n_args, type, arg_types; call_id */
    SPEC_CONCAT,  /* n_args, null_is_empty, cases */
    SPEC_IN,      /* values */
    SPEC_STRING,  /* fn, is_negated, keeps_long, values */
    SPEC_PROJECT, /* cols */
    SPEC_EXPLODE, /* cols[0], values[0]: the separator */
    SPEC_KEYS,    /* keys: SORT, TOP, DISTINCT */
    SPEC_GROUP,   /* keys, aggs; key types in arg_types */
    SPEC_LOG,     /* per_row */
    SPEC_FAIL,    /* is_permanent */
    SPEC_JOIN,    /* table, join, keys, table_keys, rest, cols; schema: of the joined table */
    SPEC_UNION,   /* table, cols: of the table; schema: of the table */
    SPEC_EXEC,    /* values: the command and its arguments; in, schema: the tables before and behind it */
    SPEC_READ,    /* path (of a database too), dialect, schema: of the columns as read */
    SPEC_WRITE,   /* sink, dialect; write_index */
} SpecKind;

typedef struct Spec {
    SpecKind kind;
    BuiltinId fn;            /* STRING: CONTAINS, STARTS_WITH or ENDS_WITH of the one value; N_BUILTINS: it is one of them */
    bool is_negated;         /* STRING */
    bool keeps_long;         /* STRING: REGEX_LITERAL_SHORT bytes or more pass: another FILTER looks at them */
    uint16_t n_args;
    Type type;               /* CALL: result */
    const Type *arg_types;   /* CALL [n_args]; GROUP [n_keys] */
    uint32_t call_id;        /* CALL: number of this call in the step (uuid differs by it) */
    bool null_is_empty;      /* CONCAT: interpolation; false: `+` */
    const uint16_t *cases;   /* CONCAT [n_args]: BUILTIN_UPPER, BUILTIN_LOWER: so the string is changed first;
                                N_BUILTINS: it is not. NULL: none is */
    bool is_in_path;         /* CALL with key() in it: its text is escaped for the path of a file */
    bool per_row;            /* LOG */
    bool is_permanent;       /* FAIL */
    uint32_t n_values;
    const Value *values;     /* IN, STRING: constants of one type, not null, ascending (value_cmp), no two the same.
                                EXPLODE: a string, not empty. EXEC: strings without NUL */
    uint32_t n_cols;
    const uint16_t *cols;    /* PROJECT, EXPLODE: columns of t */
    uint32_t n_keys;
    const KeySpec *keys;
    uint32_t n_aggs;
    const AggSpec *aggs;
    Str path;                /* READ; "stdin" */
    CsvDialect dialect;      /* READ, WRITE */
    const Schema *schema;    /* READ, WRITE: names and types of t */
    const Schema *in;        /* EXEC */
    uint16_t sink;           /* WRITE: number of the write in the job, by which the runner knows it */
    uint16_t table;          /* JOIN, UNION: number of the table among those of the step */
    Str table_name;
    CodeJoin join;
    PartCode table_keys;     /* JOIN: gives a column for each key, of the joined table alone */
    PartCode rest;           /* JOIN: gives one bool column, of pairs whose keys are equal */
} Spec;

/* What an instruction is about, for messages and listings: one per instruction. */
typedef struct CodeNote {
    Span span;      /* the expression or statement */
    Str text;       /* its source text on one line */
    Str column;     /* the column that LOAD reads or the definition defines; len 0: none */
} CodeNote;

typedef struct Code {
    Str step;              /* name of the step */
    uint32_t n_instrs;
    Instr *instrs;
    CodeNote *notes;       /* [n_instrs] */
    uint32_t n_consts;
    Value *consts;
    uint32_t n_specs;
    Spec *specs;
    uint32_t n_regs;
    Type *reg_types;       /* [n_regs]; a register has one type for the whole code */
    uint32_t n_in;         /* columns of the table at entry */
    const Schema *in, *out; /* of the step; in: NULL for READ_CSV and RANGE */
    /* Of a step that reads, for listings: which columns of `read` are wanted (plan/needs.h). */
    const Schema *read;    /* NULL: it reads nothing */
    const bool *read_needs; /* [read->n_cols]; NULL: all */
    bool read_counts;      /* no more than the number of rows */
    bool needs_key;        /* uses key() or uuid(): the instance's key must be told */
    bool has_row_context;  /* uses row(), uuid(), index(), key() */
} Code;

#endif
