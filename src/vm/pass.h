/* pass.h - inside the VM: one pass of code over a batch, its registers, its errors.
 *
 * Only files of src/vm include it. A Pass belongs to the thread that runs it.
 *
 * A register is a column of one value per row, or a constant. Rows outside the mask,
 * and rows whose valid bit is 0, may hold any value; a bool's lowest bit counts, and a
 * string has a readable (ptr, len) everywhere.
 */
#ifndef PIPE_VM_PASS_H
#define PIPE_VM_PASS_H

#include "data/reject.h"
#include "vm/bits.h"
#include "vm/groups.h"
#include "vm/vm.h"

typedef struct Reg {
    Type type;
    bool is_const;
    bool is_null;     /* of a constant */
    uint32_t cap;     /* rows that col has room for; 0: col is not from the pool */
    Column *col;      /* one reference; of a constant: NULL, or what keeps its bytes alive */
    union {
        int64_t i;
        double f;
        uint8_t b;
        StrView s;
    } k;              /* a constant's value */
} Reg;

typedef struct Bitmap {
    uint64_t *bits;
    uint32_t n_words; /* room */
} Bitmap;
uint64_t *bitmap_room(Bitmap *b, uint32_t n_rows); /* contents are lost */

#define VM_SPARE 16

struct Vm {
    Reg *regs;
    uint32_t n_regs;
    Reg spare[VM_SPARE]; /* columns that nobody else holds, to be written again */
    uint32_t n_spare;
    Bitmap *masks;       /* [n_masks], one per depth */
    uint32_t n_masks;
    Bitmap live;         /* what pass_live() gives */
    uint64_t **spoilt;   /* [n_regs] rows in which the register's value depends on an error; NULL: none; owned */
    Bitmap bad;          /* cells of a LOAD that do not decode */
    struct Regexes *regexes; /* compiled; NULL: none yet */
    Vm *inner;           /* runs the code that a join has of its own; NULL: none yet */
};

typedef struct Pass Pass;
struct Pass {
    Vm *vm;
    const Code *code;
    const VmHost *host;
    const VmInstance *inst;
    uint32_t pc;
    Batch *t;             /* the table; ours alone */
    uint32_t n;           /* its rows */
    uint32_t *input_rows; /* [n] row of the input that each row was; NULL: as they stand */
    uint64_t *copies;     /* [n] which of the rows that a join made of one row, for uuid(); 0: the first. NULL: all */
    uint64_t n_numbered;  /* rows of the input, and those of UNION that were numbered behind them */
    uint32_t depth;       /* of masks */
    const uint64_t *mask; /* NULL: all rows; clear beyond the last row */
    /* Row errors (bad_rows.c): */
    BadRows bad_rows;
    struct Rejects *rejects; /* NULL: nobody is told */
    bool numbers_rows;    /* input_rows is kept up, for row() and uuid() or to tell of rows */
    bool is_marked;       /* some rows are dead, or some registers spoilt */
    uint64_t *alive;      /* rows that are not dropped: what the mask begins with; NULL: all; owned */
    uint64_t *fresh;      /* rows in which the instruction that runs has failed; NULL: none; owned */
    bool fresh_is_all;    /* it has failed for a constant */
    uint64_t *failed;     /* of a join's pairs: left rows in whose pairs something failed; borrowed. NULL: not wanted */
    const uint32_t *pair_left; /* [n] which left row each is a pair of */
    VmCount *counts;      /* [code->n_instrs]; NULL: nothing is counted */
    Column ***keys;       /* not NULL: SORT, DISTINCT and GROUP end here, with their keys */
    Groups **groups;      /* not NULL: GROUP and DISTINCT end here, with what they know of these rows */
    Error *err;
};

static inline bool type_is_int(Type t)
{
    return t == TYPE_INT || (t >= TYPE_DATE && t <= TYPE_SIZE);
}

static inline const void *reg_values(const Reg *r)
{
    return r->is_const ? (const void *)&r->k : r->col->values;
}
static inline const uint64_t *reg_bits(const Reg *r) /* not of a null constant */
{
    return r->is_const ? NULL : r->col->valid;
}
static inline bool reg_is_null(const Reg *r, uint32_t row)
{
    return r->is_const ? r->is_null : !column_is_valid(r->col, row);
}
static inline int64_t reg_int(const Reg *r, uint32_t row)
{
    return r->is_const ? r->k.i : column_ints(r->col)[row];
}
static inline double reg_float(const Reg *r, uint32_t row)
{
    return r->is_const ? r->k.f : column_floats(r->col)[row];
}
static inline bool reg_bool(const Reg *r, uint32_t row)
{
    return (r->is_const ? r->k.b : column_bools(r->col)[row]) & 1;
}
static inline StrView reg_view(const Reg *r, uint32_t row)
{
    return r->is_const ? r->k.s : column_strs(r->col)[row];
}
static inline Str reg_str(const Reg *r, uint32_t row)
{
    StrView v = reg_view(r, row);
    return (Str){v.ptr, v.len};
}
Value reg_value(const Reg *r, uint32_t row);

void reg_clear(Vm *vm, Reg *r);              /* a null constant */
void reg_set_const(Vm *vm, Reg *r, Value v); /* strings are borrowed */
void reg_set_null(Vm *vm, Reg *r, Type t);
void reg_move(struct Pass *p, Reg *to, const Reg *from); /* MOVE (expr.c) */
void reg_set_col(Vm *vm, Reg *r, Column *c, uint32_t cap); /* takes the reference */

/* A result on its way: `n` rows to fill, 1 when all operands are constants. */
typedef struct Result {
    Column *col;
    uint32_t n, cap;
    bool is_const;
} Result;
Result result_open(Pass *p, Type t, bool is_const);
void result_close(Pass *p, Result res, Reg *to); /* into the register */
void result_drop(Pass *p, Result res);
void result_null(Result *res, uint32_t row);

/* Rows that are wanted and in which none of the registers [n_regs] is null; NULL: all. Valid until the next
 * call. With is_const: of one row, set if any row is wanted. */
const uint64_t *pass_live(Pass *p, const Reg *const *regs, uint32_t n_regs, bool is_const);
/* Codes (data/codes.h) that all of the registers [n_regs] have which are no constants; made, where these are one column of
 * strings of at most max_len bytes. NULL: they have none, or not the same, or too few rows are wanted. */
const struct Codes *pass_codes(Pass *p, const Reg *regs, uint32_t n_regs, uint32_t max_len);
/* For the profile: the instruction looks at so many values, not at each row. */
void pass_count_values(const Pass *p, uint32_t n_values);
/* Gives col the validity in which a row is null if it is null in any of the registers. */
void pass_combine_valid(Column *col, const Reg *const *regs, uint32_t n_regs);
bool pass_wants_any(const Pass *p);

/* A column with the register's values for all rows; new reference. */
Column *pass_column(Pass *p, const Reg *r);

/* A row error: "`text`: message", column, value and place filled. For a constant it is one of all rows that are
 * wanted. value may be empty. OK where the policy says so: then the row is dropped, or the value is to be made null by
 * the caller. */
Status pass_row_error(Pass *p, bool is_const, uint32_t row, RowError kind, Str value, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* What `assert` says does not hold. The message alone, but for "assert failed", which stands behind the expression. */
Status pass_assert_failed(Pass *p, uint32_t row, const char *message);
/* An error of the instance, which no policy for rows concerns. */
Status pass_error(Pass *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- bad_rows.c: errors that a policy lets pass */

/* Tells of a row, and drops it if the policy says so or must_skip. Otherwise the register that the instruction makes is
 * spoilt in it, but by a cast, which is null and no more. */
void bad_row(Pass *p, uint32_t row, RowError kind, Str value, Str message, bool must_skip);
/* The same of a constant, for all rows that are wanted. */
void bad_constant(Pass *p, RowError kind, Str value, Str message);
/* The same of cells of column `col` that do not decode. */
void bad_cells(Pass *p, uint32_t col, Str name, const uint64_t *rows);
/* The row is dropped, and nobody is told. */
void row_kill(Pass *p, uint32_t row);
/* What an instruction needs before and after it while rows are marked. */
void bad_rows_before(Pass *p, Instr in);
void bad_rows_after(Pass *p, Instr in);
/* Dropped rows leave the table. Registers are void. */
void bad_rows_end(Pass *p);
/* They are forgotten with the table whose rows they were. */
void bad_rows_forget(Pass *p);
/* Is the row one in which the register's value depends on an error? */
bool is_spoilt(const Pass *p, uint16_t reg, uint32_t row);

/* The expressions: every opcode from ADD_INT to TO_STRING but masks (expr.c). */
Status pass_expr(Pass *p, Instr in);
/* CONCAT, TO_STRING (concat.c). */
Status pass_concat(Pass *p, Reg *to, const Reg *args, const Spec *spec);
void pass_to_string(Pass *p, Reg *to, const Reg *a);
/* CALL (call.c). */
Status pass_call(Pass *p, const Spec *spec, const Reg *args, Reg *to);
void regexes_close(struct Regexes *r); /* NULL is fine (call_regex.c) */

/* The table (table.c, and table_union.c of UNION). */
Batch *table_open(const Batch *in);                 /* a copy of our own, sharing columns; NULL: empty */
void table_set(Pass *p, Batch *t);                  /* a new table, which is taken; registers are void */
Status table_load(Pass *p, Instr in);
void table_define(Pass *p, uint32_t col, const Reg *r);
void table_project(Pass *p, const Spec *spec);
void table_filter(Pass *p, const Reg *r);
/* False, and nothing done, where the column has no cells as they were read. */
bool table_filter_string(Pass *p, uint32_t col, const Spec *spec);
Status table_explode(Pass *p, const Reg *r, const Spec *spec);
void table_slice(Pass *p, uint64_t from, uint64_t n); /* TAKE, SKIP */
void table_sort(Pass *p, const Spec *spec, uint64_t limit); /* limit UINT64_MAX: SORT */
void table_distinct(Pass *p, const Spec *spec);
Status table_group(Pass *p, const Spec *spec);
Status table_range(Pass *p, const Reg *from, const Reg *to);
Status table_union(Pass *p, const Spec *spec);
Status table_exec(Pass *p, const Spec *spec);
Status table_prepare_write(Pass *p, const Spec *spec); /* a format that wants values finds cells that decode */
void table_select(Pass *p, const uint32_t *sel, uint32_t n); /* its rows sel[0..n) */
/* The same, where several may come of one row and stand side by side: uuid() tells them apart. */
void table_repeat(Pass *p, const uint32_t *sel, uint32_t n);
/* The columns of the key registers, one reference each; drop_columns lets go of them. */
Column **key_columns(Pass *p, const Spec *spec);
void drop_columns(Column **cols, uint32_t n);

/* JOIN (join.c). */
Status table_join(Pass *p, const Spec *spec);
/* Code of a join over the batch. of: what the pass has of its own: policy, numbers of its rows (copied), whom to tell. */
Status pass_run_part(Pass *p, const Code *code, const Batch *in, const Pass *of, Batch **out);

#endif
