/* assembled.h - code put together by hand and run: a small assembler, a host that keeps what it is told, tables as text.
 * For tests of the VM, each of which has one of everything here; vm is opened by main.
 */
#ifndef TESTS_UNIT_ASSEMBLED_H
#define TESTS_UNIT_ASSEMBLED_H

#include <math.h>
#include <stdlib.h>

#include "code/verify.h"
#include "unit.h"
#include "vm/vm.h"

#define MAXI INT64_MAX
#define MINI INT64_MIN

static const Value T = {.type = TYPE_BOOL, .i = 1}, F = {.type = TYPE_BOOL, .i = 0};
static inline Value I(int64_t i) { return (Value){.type = TYPE_INT, .i = i}; }
static inline Value D(double f) { return (Value){.type = TYPE_FLOAT, .f = f}; }
static inline Value S(const char *s) { return (Value){.type = TYPE_STRING, .s = str_of(s)}; }
static inline Value of(Type t, int64_t i) { return (Value){.type = t, .i = i}; }
static inline Value null_of(Type t) { return (Value){.type = t, .is_null = true}; }

/* ---- a small assembler ---- */

#define MAX 64
typedef struct Asm {
    Code code;
    Instr instrs[MAX];
    CodeNote notes[MAX];
    Value consts[MAX];
    Spec specs[MAX];
    Type regs[MAX];
    SchemaCol in_cols[MAX];
    Schema in;
} Asm;

static inline Asm *asm_open(const Batch *in)
{
    Asm *a = xcalloc(1, sizeof *a);
    a->code = (Code){.step = STR_LIT("test"), .instrs = a->instrs, .notes = a->notes,
                     .consts = a->consts, .specs = a->specs, .reg_types = a->regs};
    if (in) {
        for (uint32_t i = 0; i < in->n_cols; i++)
            a->in_cols[i].type = in->types[i];
        a->in = (Schema){in->n_cols, a->in_cols};
        a->code.in = &a->in;
        a->code.n_in = in->n_cols;
    }
    a->code.has_row_context = true;
    return a;
}

static inline uint16_t reg(Asm *a, Type t)
{
    a->regs[a->code.n_regs] = t;
    return (uint16_t)a->code.n_regs++;
}

static inline void put(Asm *a, Opcode op, int x, int y, int z)
{
    a->notes[a->code.n_instrs] = (CodeNote){.text = STR_LIT("expr"), .column = STR_LIT("col")};
    a->instrs[a->code.n_instrs++] =
        (Instr){(uint16_t)op, (uint16_t)x, (uint16_t)y, (uint16_t)z};
}

static inline uint16_t load(Asm *a, int col)
{
    uint16_t r = reg(a, a->in_cols[col].type);
    put(a, OP_LOAD, r, col, 0);
    return r;
}

static inline uint16_t constant(Asm *a, Value v)
{
    uint16_t r = reg(a, v.type);
    a->consts[a->code.n_consts] = v;
    put(a, OP_CONST, r, (int)a->code.n_consts++, 0);
    return r;
}

static inline int spec(Asm *a, Spec s)
{
    a->specs[a->code.n_specs] = s;
    return (int)a->code.n_specs++;
}

/* ---- the host and the run ---- */

static Buf logged;
static int64_t slept;
static Str written_path;
static uint32_t written_rows;

static inline void host_log(void *ctx, Str line)
{
    (void)ctx;
    buf_put_str(&logged, line);
    buf_putc(&logged, '|');
}
static inline Status host_sleep(void *ctx, int64_t us, Error *err)
{
    (void)ctx;
    slept += us;
    return us == 13 ? error_set(err, ERR_CANCELLED, "cancelled") : OK;
}
static inline Status host_write(void *ctx, const Spec *s, Str path, const Batch *t, Error *err)
{
    (void)ctx;
    (void)s;
    (void)err;
    written_path = path;
    written_rows = t->n_rows;
    return OK;
}
static const VmHost HOST = {.sleep = host_sleep, .log = host_log, .write = host_write};

static Vm *vm;

static inline Status run(Asm *a, const Batch *in, Batch **out, Error *err)
{
    put(a, OP_END, 0, 0, 0);
    Error bad = {0};
    if (code_verify(&a->code, &bad) != OK)
        printf("%s\n", bad.text);
    CHECK(bad.status == OK);
    VmInstance inst = {.seed = 7, .step = STR_LIT("test"), .key = STR_LIT("a/b"), .index = 5,
                       .row_base = 100};
    *out = NULL;
    memset(err, 0, sizeof *err);
    return vm_run(vm, &a->code, &HOST, &inst, in, out, err);
}

static inline Column *column_of(Type t, uint32_t n, const Value *v)
{
    Column *c = column_nulls(t, n);
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].is_null)
            continue;
        bit_set(c->valid, i);
        if (t == TYPE_STRING)
            column_strs(c)[i] = (StrView){v[i].s.ptr, v[i].s.len, 0};
        else if (t == TYPE_FLOAT)
            column_floats(c)[i] = v[i].f;
        else if (t == TYPE_BOOL)
            column_bools(c)[i] = (uint8_t)v[i].i;
        else
            column_ints(c)[i] = v[i].i;
    }
    return c;
}

/* A batch of columns, given row by row in `v`, null-typed by `types`. */
static inline Batch *batch_of(uint32_t n_rows, uint32_t n_cols, const Type *types, const Value *v)
{
    Batch *b = batch_new(n_rows, n_cols);
    Value *col = xcalloc(n_rows + 1, sizeof *col);
    for (uint32_t c = 0; c < n_cols; c++) {
        for (uint32_t r = 0; r < n_rows; r++)
            col[r] = v[r * n_cols + c];
        b->types[c] = types[c];
        b->slots[c].values = column_of(types[c], n_rows, col);
    }
    free(col);
    return b;
}

/* The table as text: cells by `,`, rows by `|`, nulls as `null`. Checks all slots. */
static char shown[4096];
static inline const char *show(const Batch *b)
{
    Buf s = {0};
    for (uint32_t r = 0; r < b->n_rows; r++) {
        for (uint32_t c = 0; c < b->n_cols; c++) {
            Column *col = NULL;
            Error err = {0};
            if (batch_values(b, c, STR_LIT("x"), NULL, NULL, &col, &err) != OK)
                buf_puts(&s, err.text);
            else if (!column_is_valid(col, r))
                buf_puts(&s, "null");
            else
                value_print(&s, column_value(col, r));
            buf_puts(&s, c + 1 < b->n_cols ? "," : "");
            column_unref(col);
        }
        buf_putc(&s, '|');
    }
    snprintf(shown, sizeof shown, "%s", s.ptr ? s.ptr : "");
    buf_deinit(&s);
    return shown;
}

/* ---- a table of keys and values ---- */

static const Type KV[2] = {TYPE_STRING, TYPE_FLOAT};

static inline Batch *kv(void)
{
    const Value rows[] = {S("b"), D(2),   S("a"), D(NAN), null_of(TYPE_STRING), D(1),
                          S("b"), D(-0.0), S("a"), null_of(TYPE_FLOAT), S("b"), D(0.0)};
    return batch_of(6, 2, KV, rows);
}

#endif
