/* The VM on code put together by hand: every family of opcodes, each operand as a column and as a
 * constant, nulls, limits, masks, errors and empty tables. */
#include "vm/vm.h"

#include <math.h>
#include <stdlib.h>

#include "code/disasm.h"
#include "code/verify.h"
#include "unit.h"
#include "vm/agg.h"

static const Value T = {.type = TYPE_BOOL, .i = 1}, F = {.type = TYPE_BOOL, .i = 0};
static Value I(int64_t i) { return (Value){.type = TYPE_INT, .i = i}; }
static Value D(double f) { return (Value){.type = TYPE_FLOAT, .f = f}; }
static Value S(const char *s) { return (Value){.type = TYPE_STRING, .s = str_of(s)}; }
static Value of(Type t, int64_t i) { return (Value){.type = t, .i = i}; }
static Value null_of(Type t) { return (Value){.type = t, .is_null = true}; }

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

static Asm *asm_open(const Batch *in)
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

static uint16_t reg(Asm *a, Type t)
{
    a->regs[a->code.n_regs] = t;
    return (uint16_t)a->code.n_regs++;
}

static void put(Asm *a, Opcode op, int x, int y, int z)
{
    a->notes[a->code.n_instrs] = (CodeNote){.text = STR_LIT("expr"), .column = STR_LIT("col")};
    a->instrs[a->code.n_instrs++] =
        (Instr){(uint16_t)op, (uint16_t)x, (uint16_t)y, (uint16_t)z};
}

static uint16_t load(Asm *a, int col)
{
    uint16_t r = reg(a, a->in_cols[col].type);
    put(a, OP_LOAD, r, col, 0);
    return r;
}

static uint16_t constant(Asm *a, Value v)
{
    uint16_t r = reg(a, v.type);
    a->consts[a->code.n_consts] = v;
    put(a, OP_CONST, r, (int)a->code.n_consts++, 0);
    return r;
}

static int spec(Asm *a, Spec s)
{
    a->specs[a->code.n_specs] = s;
    return (int)a->code.n_specs++;
}

/* ---- the host and the run ---- */

static Buf logged;
static int64_t slept;
static Str written_path;
static uint32_t written_rows;

static void host_log(void *ctx, Str line)
{
    (void)ctx;
    buf_put_str(&logged, line);
    buf_putc(&logged, '|');
}
static Status host_sleep(void *ctx, int64_t us, Error *err)
{
    (void)ctx;
    slept += us;
    return us == 13 ? error_set(err, ERR_CANCELLED, "cancelled") : OK;
}
static Status host_write(void *ctx, const Spec *s, Str path, const Batch *t, Error *err)
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

static Status run(Asm *a, const Batch *in, Batch **out, Error *err)
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

static Column *column_of(Type t, uint32_t n, const Value *v)
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
static Batch *batch_of(uint32_t n_rows, uint32_t n_cols, const Type *types, const Value *v)
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
static const char *show(const Batch *b)
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

/* ---- one opcode, every shape of operands ---- */

/* The value of `a op b` in rows that are null, right, null; or the error's text. */
static const char *eval(Opcode op, Type type, Value a, const Value *b, int shape)
{
    static char text[1100];
    Type types[2] = {a.type, b ? b->type : TYPE_INT};
    Value rows[6] = {null_of(types[0]), b ? *b : I(0), a,
                     b ? *b : I(0),     a,             null_of(types[1])};
    Batch *in = batch_of(3, 2, types, rows), *out;
    Asm *as = asm_open(in);
    uint16_t ra = shape & 1 ? constant(as, a) : load(as, 0);
    uint16_t rb = !b ? 0 : shape & 2 ? constant(as, *b) : load(as, 1);
    uint16_t r = reg(as, type);
    put(as, op, r, ra, rb);
    put(as, OP_DEFINE, 2, r, 0);
    Error err;
    Status st = run(as, in, &out, &err);
    if (st != OK) {
        CHECK(st == ERR_ROW);
        CHECK_STR(err.column, "col");
        snprintf(text, sizeof text, "%s", err.text);
    } else {
        Column *c = out->slots[2].values;
        Value v = column_value(c, 1);
        Buf s = {0};
        value_print_literal(&s, v);
        snprintf(text, sizeof text, "%s", s.ptr);
        buf_deinit(&s);
        if (op != OP_IS_NULL && op != OP_IS_NOT_NULL) {
            CHECK(column_is_valid(c, 0) == (!v.is_null && (shape & 1)));
            if (b)
                CHECK(column_is_valid(c, 2) == (!v.is_null && (shape & 2)));
        }
        CHECK(c->n_rows == 3);
    }
    batch_unref(out);
    batch_unref(in);
    free(as);
    return text;
}

static void check2(Opcode op, Type type, Value a, Value b, const char *want)
{
    for (int shape = 0; shape < 4; shape++)
        CHECK_STR(eval(op, type, a, &b, shape), want);
}

static void check1(Opcode op, Type type, Value a, const char *want)
{
    CHECK_STR(eval(op, type, a, NULL, 0), want);
    CHECK_STR(eval(op, type, a, NULL, 1), want);
}

#define MAXI INT64_MAX
#define MINI INT64_MIN
#define DAY 86400000000

static void test_arithmetic(void)
{
    check2(OP_ADD_INT, TYPE_INT, I(2), I(3), "5");
    check2(OP_ADD_INT, TYPE_INT, I(MAXI), I(1), "`expr`: integer overflow (9223372036854775807 + 1)");
    check2(OP_ADD_INT, TYPE_INT, I(MINI), I(-1),
           "`expr`: integer overflow (-9223372036854775808 + -1)");
    check2(OP_ADD_INT, TYPE_INT, I(MAXI), I(MINI), "-1");
    check2(OP_SUB_INT, TYPE_INT, I(2), I(3), "-1");
    check2(OP_SUB_INT, TYPE_INT, I(-2), I(MAXI),
           "`expr`: integer overflow (-2 - 9223372036854775807)");
    check2(OP_SUB_INT, TYPE_INT, I(-1), I(MAXI), "-9223372036854775808");
    check2(OP_MUL_INT, TYPE_INT, I(-4), I(3), "-12");
    check2(OP_MUL_INT, TYPE_INT, I(MAXI), I(2),
           "`expr`: integer overflow (9223372036854775807 * 2)");
    check2(OP_MUL_INT, TYPE_INT, I(MINI), I(-1),
           "`expr`: integer overflow (-9223372036854775808 * -1)");
    check2(OP_IDIV_INT, TYPE_INT, I(7), I(2), "3");
    check2(OP_IDIV_INT, TYPE_INT, I(-7), I(2), "-4");
    check2(OP_IDIV_INT, TYPE_INT, I(7), I(-2), "-4");
    check2(OP_IDIV_INT, TYPE_INT, I(-6), I(-2), "3");
    check2(OP_IDIV_INT, TYPE_INT, I(MINI), I(-1),
           "`expr`: integer overflow (-9223372036854775808 // -1)");
    check2(OP_IDIV_INT, TYPE_INT, I(1), I(0), "`expr`: division by zero (1 // 0)");
    check2(OP_MOD_INT, TYPE_INT, I(-7), I(3), "2");
    check2(OP_MOD_INT, TYPE_INT, I(7), I(-3), "-2");
    check2(OP_MOD_INT, TYPE_INT, I(MINI), I(-1), "0");
    check2(OP_MOD_INT, TYPE_INT, I(1), I(0), "`expr`: division by zero (1 % 0)");
    check1(OP_NEG_INT, TYPE_INT, I(5), "-5");
    check1(OP_NEG_INT, TYPE_INT, I(MINI), "`expr`: integer overflow (--9223372036854775808)");
    check2(OP_ADD_FLOAT, TYPE_FLOAT, D(0.1), D(0.2), "0.30000000000000004");
    check2(OP_SUB_FLOAT, TYPE_FLOAT, D(1), D(0.5), "0.5");
    check2(OP_MUL_FLOAT, TYPE_FLOAT, D(1e300), D(1e300), "float(\"inf\")");
    check2(OP_DIV_FLOAT, TYPE_FLOAT, D(1), D(4), "0.25");
    check2(OP_DIV_FLOAT, TYPE_FLOAT, D(1), D(0), "`expr`: division by zero (1.0 / 0.0)");
    check2(OP_DIV_FLOAT, TYPE_FLOAT, D(1), D(-0.0), "`expr`: division by zero (1.0 / -0.0)");
    check2(OP_IDIV_FLOAT, TYPE_FLOAT, D(-7), D(2), "-4.0");
    check2(OP_IDIV_FLOAT, TYPE_FLOAT, D(1), D(0.1), "9.0");
    check2(OP_IDIV_FLOAT, TYPE_FLOAT, D(-1), D(INFINITY), "-1.0");
    check2(OP_IDIV_FLOAT, TYPE_FLOAT, D(1), D(0), "`expr`: division by zero (1.0 // 0.0)");
    check2(OP_MOD_FLOAT, TYPE_FLOAT, D(-7), D(3), "2.0");
    check2(OP_MOD_FLOAT, TYPE_FLOAT, D(5), D(INFINITY), "5.0");
    check2(OP_MOD_FLOAT, TYPE_FLOAT, D(5), D(0), "`expr`: division by zero (5.0 % 0.0)");
    check2(OP_POW_FLOAT, TYPE_FLOAT, D(2), D(-1), "0.5");
    check1(OP_NEG_FLOAT, TYPE_FLOAT, D(2.5), "-2.5");
    check1(OP_INT_TO_FLOAT, TYPE_FLOAT, I(MAXI), "9.223372036854776e+18");
    Value d = of(TYPE_DATE, 20455), day = of(TYPE_DURATION, DAY), hour = of(TYPE_DURATION, DAY / 24);
    check2(OP_SUB_DATE, TYPE_DURATION, d, of(TYPE_DATE, 20453), "2d");
    check2(OP_DATE_PLUS, TYPE_DATE, d, day, "date(\"2026-01-03\")");
    check2(OP_DATE_MINUS, TYPE_DATE, d, day, "date(\"2026-01-01\")");
    check2(OP_DATE_PLUS, TYPE_DATE, d, hour, "`expr`: a date takes whole days (2026-01-02 + 1h)");
    check2(OP_ADD_INT, TYPE_TIMESTAMP, of(TYPE_TIMESTAMP, 0), hour,
           "timestamp(\"1970-01-01T01:00:00Z\")");
}

static void test_comparison(void)
{
    const Opcode ops[4][4] = {{OP_EQ_INT, OP_NE_INT, OP_LT_INT, OP_LE_INT},
                              {OP_EQ_FLOAT, OP_NE_FLOAT, OP_LT_FLOAT, OP_LE_FLOAT},
                              {OP_EQ_STRING, OP_NE_STRING, OP_LT_STRING, OP_LE_STRING},
                              {OP_EQ_BOOL, OP_NE_BOOL, OP_LT_BOOL, OP_LE_BOOL}};
    /* a is before b */
    const struct {
        int kind;
        Value a, b;
    } cases[] = {
        {0, I(1), I(2)},         {0, I(MINI), I(MAXI)},      {1, D(1), D(2)},
        {1, D(INFINITY), D(NAN)}, {1, D(-INFINITY), D(0)},   {2, S("a"), S("b")},
        {2, S(""), S("a")},      {2, S("a"), S("ab")},       {2, S("Z"), S("a")},
        {2, S("a"), S("\xc3\xa9")}, {3, F, T},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Opcode *o = ops[cases[i].kind];
        Value a = cases[i].a, b = cases[i].b;
        check2(o[0], TYPE_BOOL, a, b, "false");
        check2(o[1], TYPE_BOOL, a, b, "true");
        check2(o[2], TYPE_BOOL, a, b, "true");
        check2(o[3], TYPE_BOOL, a, b, "true");
        check2(o[2], TYPE_BOOL, b, a, "false");
        check2(o[3], TYPE_BOOL, b, a, "false");
        check2(o[0], TYPE_BOOL, b, b, "true");
        check2(o[1], TYPE_BOOL, b, b, "false");
        check2(o[2], TYPE_BOOL, b, b, "false");
        check2(o[3], TYPE_BOOL, b, b, "true");
    }
    check2(OP_EQ_FLOAT, TYPE_BOOL, D(0.0), D(-0.0), "true");
    check1(OP_NOT, TYPE_BOOL, T, "false");
    check1(OP_NOT, TYPE_BOOL, F, "true");
    check1(OP_NOT, TYPE_BOOL, null_of(TYPE_BOOL), "null");
    check1(OP_IS_NULL, TYPE_BOOL, I(1), "false");
    check1(OP_IS_NULL, TYPE_BOOL, null_of(TYPE_INT), "true");
    check1(OP_IS_NOT_NULL, TYPE_BOOL, S(""), "true");
    check1(OP_TO_STRING, TYPE_STRING, I(-5), "\"-5\"");
    check1(OP_TO_STRING, TYPE_STRING, D(1e16), "\"1e+16\"");
    check1(OP_TO_STRING, TYPE_STRING, of(TYPE_DURATION, DAY), "\"1d\"");
    check1(OP_TO_STRING, TYPE_STRING, T, "\"true\"");
    check1(OP_MOVE, TYPE_STRING, S("x"), "\"x\"");
}

/* and, or, ?? and if over all combinations, each side as column and as constant. */
static void test_logic(void)
{
    const Value B[3] = {F, T, null_of(TYPE_BOOL)};
    const char *const NAME[3] = {"false", "true", "null"};
    const int AND[3][3] = {{0, 0, 0}, {0, 1, 2}, {0, 2, 2}};
    const int OR[3][3] = {{0, 1, 2}, {1, 1, 1}, {2, 1, 2}};
    for (int shape = 0; shape < 4; shape++)
        for (int x = 0; x < 3; x++)
            for (int y = 0; y < 3; y++) {
                Type types[2] = {TYPE_BOOL, TYPE_BOOL};
                /* 67 rows: more than a word */
                Value rows[134];
                for (int i = 0; i < 67; i++) {
                    rows[2 * i] = B[x];
                    rows[2 * i + 1] = B[y];
                }
                Batch *in = batch_of(67, 2, types, rows), *out;
                Asm *a = asm_open(in);
                uint16_t ra = shape & 1 ? constant(a, B[x]) : load(a, 0);
                uint16_t rb = shape & 2 ? constant(a, B[y]) : load(a, 1);
                uint16_t r1 = reg(a, TYPE_BOOL), r2 = reg(a, TYPE_BOOL), r3 = reg(a, TYPE_BOOL),
                         r4 = reg(a, TYPE_BOOL);
                put(a, OP_AND, r1, ra, rb);
                put(a, OP_OR, r2, ra, rb);
                put(a, OP_COALESCE, r3, ra, rb);
                put(a, OP_MOVE, r4, rb, 0);
                put(a, OP_SELECT, r4, ra, ra); /* if a then a else b */
                put(a, OP_DEFINE, 2, r1, 0);
                put(a, OP_DEFINE, 3, r2, 0);
                put(a, OP_DEFINE, 4, r3, 0);
                put(a, OP_DEFINE, 5, r4, 0);
                Error err;
                CHECK(run(a, in, &out, &err) == OK);
                const int want[4] = {AND[x][y], OR[x][y], x == 2 ? y : x, x == 1 ? 1 : y};
                for (uint32_t c = 0; c < 4; c++)
                    for (uint32_t row = 0; row < 67; row += 33) {
                        Value v = column_value(out->slots[2 + c].values, row);
                        CHECK_STR(v.is_null ? "null" : v.i ? "true" : "false", NAME[want[c]]);
                    }
                batch_unref(out);
                batch_unref(in);
                free(a);
            }
}

/* if b != 0 then a // b else -1, and errors that are none because their rows are masked. */
static void test_masks(void)
{
    const Type types[2] = {TYPE_INT, TYPE_INT};
    const Value rows[] = {I(7), I(2), I(1), I(0), I(9), I(3), I(4), null_of(TYPE_INT)};
    Batch *in = batch_of(4, 2, types, rows), *out;
    for (int guarded = 0; guarded < 2; guarded++) {
        Asm *a = asm_open(in);
        uint16_t ra = load(a, 0), rb = load(a, 1), zero = constant(a, I(0));
        uint16_t cond = reg(a, TYPE_BOOL), q = reg(a, TYPE_INT), r = reg(a, TYPE_INT);
        put(a, OP_NE_INT, cond, rb, zero);
        if (guarded)
            put(a, OP_MASK_TRUE, cond, 0, 0);
        put(a, OP_IDIV_INT, q, ra, rb);
        if (guarded)
            put(a, OP_MASK_POP, 0, 0, 0);
        uint16_t minus = constant(a, I(-1));
        put(a, OP_MOVE, r, minus, 0);
        put(a, OP_SELECT, r, q, cond);
        put(a, OP_DEFINE, 2, r, 0);
        Error err;
        Status st = run(a, in, &out, &err);
        if (guarded) {
            CHECK_STR(st == OK ? show(out) : err.text, "7,2,3|1,0,-1|9,3,3|4,null,-1|");
        } else {
            CHECK_STR(err.text, "`expr`: division by zero (1 // 0)");
            CHECK_STR(err.value, "1 // 0");
        }
        batch_unref(out);
        free(a);
    }
    /* Masks nest; a constant's error counts only if a row is left. */
    for (int deep = 0; deep < 2; deep++) {
        Asm *a = asm_open(in);
        uint16_t rb = load(a, 1), one = constant(a, I(1)), zero = constant(a, I(0));
        uint16_t none = constant(a, F), r = reg(a, TYPE_INT);
        put(a, OP_MASK_NULL, rb, 0, 0);
        if (deep)
            put(a, OP_MASK_TRUE, none, 0, 0);
        put(a, OP_IDIV_INT, r, one, zero);
        put(a, OP_MASK_POP, 0, 0, 0);
        if (deep)
            put(a, OP_MASK_POP, 0, 0, 0);
        Error err;
        CHECK(run(a, in, &out, &err) == (deep ? OK : ERR_ROW));
        batch_unref(out);
        free(a);
    }
    batch_unref(in);
}

/* ---- functions ---- */

static const char *call(BuiltinId fn, Type type, uint32_t n, const Value *args, bool is_const)
{
    static char text[1100];
    Type types[MAX] = {0};
    for (uint32_t i = 0; i < n; i++)
        types[i] = args[i].type;
    Value rows[MAX] = {0};
    for (uint32_t i = 0; i < n; i++) {
        rows[i] = args[i];
        rows[n + i] = null_of(types[i]);
    }
    Batch *in = batch_of(2, n, types, rows), *out;
    Asm *a = asm_open(in);
    uint16_t first = (uint16_t)a->code.n_regs;
    for (uint32_t i = 0; i < n; i++) {
        if (is_const)
            constant(a, args[i]);
        else
            load(a, (int)i);
    }
    uint16_t r = reg(a, type);
    put(a, OP_CALL, r, first,
        spec(a, (Spec){.kind = SPEC_CALL, .fn = fn, .n_args = (uint16_t)n, .type = type,
                       .arg_types = types}));
    put(a, OP_DEFINE, (int)n, r, 0);
    Error err;
    if (run(a, in, &out, &err) != OK) {
        snprintf(text, sizeof text, "%s", err.text);
    } else {
        Buf s = {0};
        value_print_literal(&s, column_value(out->slots[n].values, 0));
        snprintf(text, sizeof text, "%s", s.ptr);
        buf_deinit(&s);
        if (n > 0 && !is_const)
            CHECK(!column_is_valid(out->slots[n].values, 1)); /* null of nulls */
    }
    batch_unref(out);
    batch_unref(in);
    free(a);
    return text;
}

#define CALL(want, fn, type, ...)                                                        \
    do {                                                                                 \
        const Value args_[] = {__VA_ARGS__};                                             \
        for (int k_ = 0; k_ < 2; k_++)                                                   \
            CHECK_STR(call(BUILTIN_##fn, TYPE_##type, sizeof args_ / sizeof *args_, args_, k_),      \
                      want);                                                             \
    } while (0)

static void test_functions(void)
{
    CALL("\"FLAB\xc3\x89\"", UPPER, STRING, S("Flab\xc3\xa9"));
    CALL("\"STRA\xc3\x9f" "E\"", UPPER, STRING, S("stra\xc3\x9f" "e"));
    CALL("\"abra\"", LOWER, STRING, S("ABRA"));
    CALL("\"a b\"", TRIM, STRING, S(" \t\xc2\xa0" "a b\n "));
    CALL("\"a\"", TRIM, STRING, S("xya\xc3\xa9x"), S("x\xc3\xa9y"));
    CALL("\"\"", TRIM, STRING, S("   "));
    CALL("7", LENGTH, INT, S("Flab\xc3\xa9" "b\xc3\xa9"));
    CALL("\"ch\"", SUBSTRING, STRING, S("pikachu"), I(4), I(2));
    CALL("\"hu\"", SUBSTRING, STRING, S("pikachu"), I(-2));
    CALL("\"pi\"", SUBSTRING, STRING, S("pikachu"), I(-100), I(2));
    CALL("\"\"", SUBSTRING, STRING, S("pikachu"), I(MINI), I(0));
    CALL("\"\"", SUBSTRING, STRING, S("pikachu"), I(MAXI), I(MAXI));
    CALL("`expr`: the length -1 is negative", SUBSTRING, STRING, S("a"), I(0), I(-1));
    CALL("\"a+b+c\"", REPLACE, STRING, S("a-b-c"), S("-"), S("+"));
    CALL("\"bab\"", REPLACE, STRING, S("aaab"), S("aa"), S("b"));
    CALL("\"\"", REPLACE, STRING, S("aaaa"), S("aa"), S(""));
    CALL("\"abc\"", REPLACE, STRING, S("abc"), S(""), S("x"));
    CALL("\"b\"", SPLIT_PART, STRING, S("a,b,c"), S(","), I(1));
    CALL("\"c\"", SPLIT_PART, STRING, S("a,b,c"), S(","), I(-1));
    CALL("\"\"", SPLIT_PART, STRING, S("a,"), S(","), I(0 + 1));
    CALL("null", SPLIT_PART, STRING, S("a,b,c"), S(","), I(3));
    CALL("null", SPLIT_PART, STRING, S("a,b,c"), S(","), I(MINI));
    CALL("\"a,b\"", SPLIT_PART, STRING, S("a,b"), S(""), I(0));
    CALL("true", CONTAINS, BOOL, S("pikachu"), S("kac"));
    CALL("false", CONTAINS, BOOL, S("pi"), S("pik"));
    CALL("true", CONTAINS, BOOL, S(""), S(""));
    CALL("true", STARTS_WITH, BOOL, S("pikachu"), S("pi"));
    CALL("false", ENDS_WITH, BOOL, S("pikachu"), S("pi"));
    CALL("\"0025\"", PAD_LEFT, STRING, S("25"), I(4), S("0"));
    CALL("\"25xyx\"", PAD_RIGHT, STRING, S("25"), I(5), S("xy"));
    CALL("\"25\"", PAD_LEFT, STRING, S("25"), I(-4));
    CALL("`expr`: the width 1000001 is above 1000000", PAD_LEFT, STRING, S("25"), I(1000001));
    CALL("\"no. 25\"", CONCAT, STRING, S("no. "), I(25));
    CALL("3", ABS, INT, I(-3));
    CALL("3.5", ABS, FLOAT, D(-3.5));
    CALL("`expr`: integer overflow (-9223372036854775808 has no positive counterpart)", ABS, INT,
         I(MINI));
    CALL("2.68", ROUND, FLOAT, D(2.675), I(2));
    CALL("-3.0", ROUND, FLOAT, D(-2.5));
    CALL("0.0", ROUND, FLOAT, D(0.49999999999999994));
    CALL("1300.0", ROUND, FLOAT, D(1250), I(-2));
    CALL("1.5", ROUND, FLOAT, D(1.5), I(MAXI));
    CALL("0.0", ROUND, FLOAT, D(1.5), I(MINI));
    CALL("100", ROUND, INT, I(55), I(-2));
    CALL("-60", ROUND, INT, I(-55), I(-1));
    CALL("0", ROUND, INT, I(49), I(-2));
    CALL("`expr`: integer overflow (9223372036854775807 rounded to -1 digits)", ROUND, INT, I(MAXI), I(-1));
    CALL("-2.0", FLOOR, FLOAT, D(-1.5));
    CALL("2.0", CEIL, FLOAT, D(1.2));
    CALL("7", CEIL, INT, I(7));
    CALL("1.4142135623730951", SQRT, FLOAT, D(2));
    CALL("`expr`: square root of -1.0", SQRT, FLOAT, D(-1));
    CALL("0.0", LN, FLOAT, D(1));
    CALL("`expr`: logarithm of 0.0", LN, FLOAT, D(0));
    CALL("3.0", LOG10, FLOAT, D(1000));
    CALL("float(\"inf\")", EXP, FLOAT, D(1000));
    CALL("1", MIN, INT, I(3), I(1), I(2));
    CALL("float(\"nan\")", MAX, FLOAT, D(3), D(NAN));
    CALL("\"a\"", MIN, STRING, S("b"), S("a"));
    CALL("100", CLAMP, INT, I(120), I(0), I(100));
    CALL("`expr`: low is above high (2 > 1)", CLAMP, INT, I(1), I(2), I(1));
    CALL("2", COALESCE, INT, null_of(TYPE_INT), I(2), I(3));
    CALL("25", TO_INT, INT, S("25"));
    CALL("-3", TO_INT, INT, D(-3.9));
    CALL("1", TO_INT, INT, T);
    CALL("`expr`: nan is no int", TO_INT, INT, D(NAN));
    CALL("`expr`: 9.223372036854776e+18 is no int", TO_INT, INT, D(9223372036854775808.0));
    CALL("-9223372036854775808", TO_INT, INT, D(-9223372036854775808.0));
    CALL("`expr`: expected a whole number, got `abc`", TO_INT, INT, S("abc"));
    CALL("6.9", TO_FLOAT, FLOAT, S("6.9"));
    CALL("\"1e+16\"", TO_STRING, STRING, D(1e16));
    CALL("true", TO_BOOL, BOOL, S("True"));
    CALL("true", TO_BOOL, BOOL, I(-1));
    CALL("date(\"1969-12-31\")", TO_DATE, DATE, of(TYPE_TIMESTAMP, -1));
    CALL("timestamp(\"2026-01-02T00:00:00Z\")", TO_TIMESTAMP, TIMESTAMP, of(TYPE_DATE, 20455));
    CALL("null", ENV, STRING, S("PIPEMILL_TEST_UNSET"));
    setenv("PIPEMILL_TEST_SET", "yes", 1);
    CALL("\"yes\"", ENV, STRING, S("PIPEMILL_TEST_SET"));
    const Value none = {0};
    CHECK_STR(call(BUILTIN_KEY, TYPE_STRING, 0, &none, false), "\"a/b\"");
    CHECK_STR(call(BUILTIN_INDEX, TYPE_INT, 0, &none, false), "5");
    CHECK_STR(call(BUILTIN_ROW, TYPE_INT, 0, &none, false), "100");
    char id[64];
    snprintf(id, sizeof id, "%s", call(BUILTIN_UUID, TYPE_STRING, 0, &none, false));
    CHECK(strlen(id) == 38 && id[15] == '4' && strchr("89ab", id[20]));
    CHECK_STR(call(BUILTIN_UUID, TYPE_STRING, 0, &none, false), id); /* the same every time */
}

static void test_in_and_concat(void)
{
    const Type types[3] = {TYPE_STRING, TYPE_INT, TYPE_FLOAT};
    const Value rows[] = {S("a"), I(1), D(NAN), S("zz"), I(12), D(0.5),
                          null_of(TYPE_STRING), null_of(TYPE_INT), null_of(TYPE_FLOAT)};
    Batch *in = batch_of(3, 3, types, rows), *out;
    const Value strs[] = {S("a"), S("b")}, ints[] = {I(-3), I(12)}, nans[] = {D(1), D(NAN)};
    const Value *lists[3] = {strs, ints, nans};
    Asm *a = asm_open(in);
    uint16_t r[3], comma = constant(a, S(", "));
    for (int i = 0; i < 3; i++)
        r[i] = load(a, i);
    for (int i = 0; i < 3; i++) {
        uint16_t to = reg(a, TYPE_BOOL);
        put(a, OP_IN, to, r[i],
            spec(a, (Spec){.kind = SPEC_IN, .n_values = 2, .values = lists[i]}));
        put(a, OP_DEFINE, 3 + i, to, 0);
    }
    uint16_t first = reg(a, TYPE_STRING), second = reg(a, TYPE_STRING), third = reg(a, TYPE_STRING);
    put(a, OP_MOVE, first, r[0], 0);
    put(a, OP_MOVE, second, comma, 0);
    put(a, OP_TO_STRING, third, r[1], 0);
    for (int lenient = 0; lenient < 2; lenient++) {
        uint16_t to = reg(a, TYPE_STRING);
        put(a, OP_CONCAT, to, first,
            spec(a, (Spec){.kind = SPEC_CONCAT, .n_args = 3, .null_is_empty = lenient}));
        put(a, OP_DEFINE, 6 + lenient, to, 0);
    }
    Error err;
    CHECK(run(a, in, &out, &err) == OK);
    CHECK_STR(show(out), "a,1,nan,true,false,true,a, 1,a, 1|zz,12,0.5,false,true,false,zz, 12,zz, 12|"
                         "null,null,null,null,null,null,null,, |");
    batch_unref(out);
    free(a);
    batch_unref(in);
}

/* ---- tables ---- */

static const Type KV[2] = {TYPE_STRING, TYPE_FLOAT};

static Batch *kv(void)
{
    const Value rows[] = {S("b"), D(2),   S("a"), D(NAN), null_of(TYPE_STRING), D(1),
                          S("b"), D(-0.0), S("a"), null_of(TYPE_FLOAT), S("b"), D(0.0)};
    return batch_of(6, 2, KV, rows);
}

static const char *table_op(Opcode op, int n, const KeySpec *keys, uint32_t n_keys)
{
    static char text[4096];
    Batch *in = kv(), *out;
    Asm *a = asm_open(in);
    load(a, 0);
    load(a, 1);
    int s = spec(a, (Spec){.kind = SPEC_KEYS, .keys = keys, .n_keys = n_keys});
    if (op == OP_TOP)
        put(a, op, constant(a, I(n)), s, 0);
    else if (op == OP_TAKE || op == OP_SKIP)
        put(a, op, constant(a, I(n)), 0, 0);
    else
        put(a, op, s, 0, 0);
    uint16_t r = reg(a, TYPE_INT); /* where the rows came from */
    put(a, OP_CALL, r, 0, spec(a, (Spec){.kind = SPEC_CALL, .fn = BUILTIN_ROW, .type = TYPE_INT}));
    put(a, OP_DEFINE, 2, r, 0);
    put(a, OP_PROJECT, spec(a, (Spec){.kind = SPEC_PROJECT, .n_cols = 1, .cols = (uint16_t[]){2}}), 0, 0);
    Error err;
    snprintf(text, sizeof text, "%s", run(a, in, &out, &err) == OK ? show(out) : err.text);
    batch_unref(out);
    batch_unref(in);
    free(a);
    return text;
}

static void test_order(void)
{
    const KeySpec by_k[] = {{0, false, -1}}, by_k_desc[] = {{0, true, -1}};
    const KeySpec by_v[] = {{1, false, -1}}, by_v_desc[] = {{1, true, -1}};
    const KeySpec both[] = {{0, true, -1}, {1, false, -1}};
    CHECK_STR(table_op(OP_SORT, 0, by_k, 1), "101|104|100|103|105|102|");
    CHECK_STR(table_op(OP_SORT, 0, by_k_desc, 1), "100|103|105|101|104|102|");
    CHECK_STR(table_op(OP_SORT, 0, by_v, 1), "103|105|102|100|101|104|"); /* NaN, then null */
    CHECK_STR(table_op(OP_SORT, 0, by_v_desc, 1), "101|100|102|103|105|104|");
    CHECK_STR(table_op(OP_SORT, 0, both, 2), "103|105|100|101|104|102|");
    for (int n = 0; n < 8; n++) { /* top is the head of sort */
        char want[64];
        snprintf(want, sizeof want, "%.*s", n < 6 ? 4 * n : 24, "103|105|100|101|104|102|");
        CHECK_STR(table_op(OP_TOP, n, both, 2), want);
    }
    CHECK_STR(table_op(OP_TAKE, 2, NULL, 0), "100|101|");
    CHECK_STR(table_op(OP_TAKE, 9, NULL, 0), "100|101|102|103|104|105|");
    CHECK_STR(table_op(OP_TAKE, -1, NULL, 0), "`expr`: the number of rows is negative (-1)");
    CHECK_STR(table_op(OP_SKIP, 4, NULL, 0), "104|105|");
    CHECK_STR(table_op(OP_SKIP, 9, NULL, 0), "");
    CHECK_STR(table_op(OP_DISTINCT, 0, by_k, 1), "100|101|102|");
    CHECK_STR(table_op(OP_DISTINCT, 0, by_v, 1), "100|101|102|103|104|"); /* -0.0 is 0.0 */
    CHECK_STR(table_op(OP_DISTINCT, 0, both, 2), "100|101|102|103|104|");
}

static const char *grouped(const Batch *in, uint32_t n_keys, const AggSpec *aggs, uint32_t n_aggs)
{
    static char text[4096];
    Batch *out;
    Asm *a = asm_open(in);
    load(a, 0);
    load(a, 1);
    constant(a, S("+"));
    const KeySpec keys[] = {{0, false, 0}};
    const Type types[] = {TYPE_STRING};
    put(a, OP_GROUP,
        spec(a, (Spec){.kind = SPEC_GROUP, .keys = keys, .n_keys = n_keys, .arg_types = types,
                       .aggs = aggs, .n_aggs = n_aggs}),
        0, 0);
    Error err;
    snprintf(text, sizeof text, "%s", run(a, in, &out, &err) == OK ? show(out) : err.text);
    batch_unref(out);
    free(a);
    return text;
}

static void test_group(void)
{
    const AggSpec numbers[] = {
        {.fn = BUILTIN_AGG_COUNT, .type = TYPE_INT},
        {.fn = BUILTIN_AGG_COUNT, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_INT},
        {.fn = BUILTIN_AGG_COUNT_DISTINCT, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_INT},
        {.fn = BUILTIN_AGG_SUM, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_MEAN, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_MIN, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_MAX, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_MEDIAN, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_VARIANCE, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_STDDEV, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_FIRST, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_LAST, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
    };
    Batch *in = kv();
    CHECK_STR(grouped(in, 1, numbers, 12),
              "b,3,3,2,2.0,0.6666666666666666,-0.0,2.0,0.0,1.3333333333333333,1.1547005383792515,2.0,0.0|"
              "a,2,1,1,nan,nan,nan,nan,nan,null,null,nan,nan|"
              "null,1,1,1,1.0,1.0,1.0,1.0,1.0,null,null,1.0,1.0|");
    const AggSpec strings[] = {
        {.fn = BUILTIN_AGG_ARG_MIN, .reg = 0, .n_args = 2, .arg_type = TYPE_STRING, .type = TYPE_STRING},
        {.fn = BUILTIN_AGG_ARG_MAX, .reg = 0, .n_args = 2, .arg_type = TYPE_STRING, .type = TYPE_STRING},
        {.fn = BUILTIN_AGG_MIN, .reg = 0, .n_args = 1, .arg_type = TYPE_STRING, .type = TYPE_STRING},
        {.fn = BUILTIN_AGG_COUNT_DISTINCT, .reg = 0, .n_args = 1, .arg_type = TYPE_STRING, .type = TYPE_INT},
    };
    CHECK_STR(grouped(in, 0, strings, 4), "b,a,a,2|");
    batch_unref(in);

    Batch *empty = batch_of(0, 2, KV, NULL);
    CHECK_STR(grouped(empty, 1, numbers, 12), "");
    CHECK_STR(grouped(empty, 0, numbers, 12),
              "0,0,0,null,null,null,null,null,null,null,null,null|");
    CHECK_STR(grouped(empty, 0, strings, 4), "null,null,null,0|");
    batch_unref(empty);

    const Type sb[2] = {TYPE_STRING, TYPE_BOOL};
    const Value rows[] = {S("x"), T, S("y"), F, S("x"), null_of(TYPE_BOOL), null_of(TYPE_STRING), T};
    in = batch_of(4, 2, sb, rows);
    const AggSpec bools[] = {
        {.fn = BUILTIN_AGG_ANY, .reg = 1, .n_args = 1, .arg_type = TYPE_BOOL, .type = TYPE_BOOL},
        {.fn = BUILTIN_AGG_ALL, .reg = 1, .n_args = 1, .arg_type = TYPE_BOOL, .type = TYPE_BOOL},
    };
    CHECK_STR(grouped(in, 0, bools, 2), "true,false|");
    CHECK_STR(grouped(in, 1, bools, 2), "x,true,true|y,false,false|null,true,true|");
    batch_unref(in);

    const Type ss[2] = {TYPE_STRING, TYPE_STRING};
    const Value texts[] = {S("x"), S("1"), S("y"), null_of(TYPE_STRING), S("x"), S(""), S("x"), S("3")};
    in = batch_of(4, 2, ss, texts);
    const AggSpec join[] = {{.fn = BUILTIN_AGG_STRING_AGG, .reg = 1, .n_args = 2,
                             .arg_type = TYPE_STRING, .type = TYPE_STRING}};
    CHECK_STR(grouped(in, 1, join, 1), "x,1++3|y,null|");
    batch_unref(in);

    /* Only the total counts for overflow. */
    const Type si[2] = {TYPE_STRING, TYPE_INT};
    const Value big[] = {S("x"), I(MAXI), S("x"), I(1), S("x"), I(-1), S("y"), I(MINI), S("y"), I(-1)};
    const AggSpec sum[] = {{.fn = BUILTIN_AGG_SUM, .reg = 1, .n_args = 1, .arg_type = TYPE_INT,
                            .type = TYPE_INT, .name = STR_LIT("total")}};
    in = batch_of(3, 2, si, big);
    CHECK_STR(grouped(in, 1, sum, 1), "x,9223372036854775807|");
    batch_unref(in);
    in = batch_of(5, 2, si, big);
    CHECK_STR(grouped(in, 1, sum, 1), "sum of `total`: integer overflow");
    batch_unref(in);
}

static void test_rows_and_effects(void)
{
    Batch *in = kv(), *out, *none = batch_of(0, 2, KV, NULL);
    Error err;
    for (int empty = 0; empty < 2; empty++) {
        const Batch *t = empty ? none : in;
        buf_clear(&logged);
        slept = 0;
        written_rows = 99;
        Asm *a = asm_open(t);
        uint16_t k = load(a, 0), hello = constant(a, S("hello")), path = constant(a, S("x.csv"));
        uint16_t pause = constant(a, of(TYPE_DURATION, 5)), cond = reg(a, TYPE_BOOL);
        put(a, OP_LOG, k, spec(a, (Spec){.kind = SPEC_LOG, .per_row = true}), 0);
        put(a, OP_LOG, hello, spec(a, (Spec){.kind = SPEC_LOG}), 0);
        put(a, OP_SLEEP, pause, 0, 0);
        put(a, OP_WRITE_CSV, path,
            spec(a, (Spec){.kind = SPEC_WRITE, .schema = &a->in}), 0);
        uint16_t b = constant(a, S("b"));
        put(a, OP_EQ_STRING, cond, k, b);
        put(a, OP_FILTER, cond, 0, 0);
        CHECK(run(a, t, &out, &err) == OK);
        CHECK_STR(show(out), empty ? "" : "b,2.0|b,-0.0|b,0.0|");
        CHECK_STR(logged.ptr, empty ? "hello|" : "b|a||b|a|b|hello|");
        CHECK(slept == 5);
        CHECK(written_rows == t->n_rows && str_is(written_path, "x.csv"));
        batch_unref(out);
        free(a);
    }
    /* assert, fail, cancelled sleep */
    Asm *a = asm_open(in);
    uint16_t k = load(a, 0), b = constant(a, S("b")), cond = reg(a, TYPE_BOOL);
    uint16_t m = constant(a, S("must be b"));
    put(a, OP_EQ_STRING, cond, k, b);
    put(a, OP_ASSERT, cond, m, 0);
    CHECK(run(a, in, &out, &err) == ERR_ROW);
    CHECK_STR(err.text, "assert failed: must be b");
    free(a);
    for (int permanent = 0; permanent < 2; permanent++) {
        a = asm_open(none);
        put(a, OP_FAIL, constant(a, S("no\x1b")),
            spec(a, (Spec){.kind = SPEC_FAIL, .is_permanent = permanent}), 0);
        CHECK(run(a, none, &out, &err) == (permanent ? ERR_FAIL_PERMANENT : ERR_FAIL));
        CHECK_STR(err.text, "no\\x1b");
        free(a);
    }
    a = asm_open(none);
    put(a, OP_SLEEP, constant(a, of(TYPE_DURATION, 13)), 0, 0);
    CHECK(run(a, none, &out, &err) == ERR_CANCELLED);
    free(a);
    /* ranges */
    const struct {
        int64_t from, to;
        const char *want;
    } ranges[] = {{1, 3, "1|2|3|"}, {3, 1, ""}, {MAXI, MAXI, "9223372036854775807|"}};
    for (size_t i = 0; i < 3; i++) {
        a = asm_open(NULL);
        uint16_t lo = constant(a, I(ranges[i].from)), hi = constant(a, I(ranges[i].to));
        put(a, OP_RANGE, lo, hi, 0);
        CHECK_STR(run(a, NULL, &out, &err) == OK ? show(out) : err.text, ranges[i].want);
        batch_unref(out);
        free(a);
    }
    a = asm_open(NULL);
    uint16_t lo = constant(a, I(MINI)), hi = constant(a, I(MAXI));
    put(a, OP_RANGE, lo, hi, 0);
    CHECK(run(a, NULL, &out, &err) == ERR_DATA);
    free(a);
    /* a constant as a column, and the input as it was */
    a = asm_open(in);
    put(a, OP_DEFINE, 0, constant(a, I(4)), 0);
    put(a, OP_DEFINE, 2, constant(a, S("s")), 0);
    CHECK(run(a, in, &out, &err) == OK);
    CHECK_STR(show(out), "4,2.0,s|4,nan,s|4,1.0,s|4,-0.0,s|4,null,s|4,0.0,s|");
    CHECK(in->n_cols == 2 && in->types[0] == TYPE_STRING);
    batch_unref(out);
    free(a);
    batch_unref(in);
    batch_unref(none);
}

/* Partial states of two batches merged are the state of both. */
static void test_merge(void)
{
    const BuiltinId fns[] = {BUILTIN_AGG_COUNT, BUILTIN_AGG_COUNT_DISTINCT, BUILTIN_AGG_SUM,
                             BUILTIN_AGG_MEAN, BUILTIN_AGG_MIN, BUILTIN_AGG_MAX,
                             BUILTIN_AGG_MEDIAN, BUILTIN_AGG_VARIANCE, BUILTIN_AGG_FIRST,
                             BUILTIN_AGG_LAST, BUILTIN_AGG_ARG_MIN, BUILTIN_AGG_ARG_MAX};
    enum { N = 3000, HALF = 1400, GROUPS = 7 };
    Value *x = xcalloc(N, sizeof *x), *y = xcalloc(N, sizeof *y);
    uint32_t *ids = xcalloc(N, sizeof *ids), map[GROUPS];
    uint64_t seed = 1;
    for (uint32_t i = 0; i < N; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        x[i] = i % 11 ? D((double)(seed >> 54)) : null_of(TYPE_FLOAT);
        y[i] = i % 13 ? D((double)(seed >> 50 & 63)) : null_of(TYPE_FLOAT);
        ids[i] = (uint32_t)(seed >> 40) % GROUPS;
    }
    for (uint32_t g = 0; g < GROUPS; g++)
        map[g] = GROUPS - 1 - g; /* the second batch numbers them in another order */
    Column *all[2] = {column_of(TYPE_FLOAT, N, x), column_of(TYPE_FLOAT, N, y)};
    Column *head[2] = {column_of(TYPE_FLOAT, HALF, x), column_of(TYPE_FLOAT, HALF, y)};
    Column *tail[2] = {column_of(TYPE_FLOAT, N - HALF, x + HALF),
                       column_of(TYPE_FLOAT, N - HALF, y + HALF)};
    uint32_t *tail_ids = xcalloc(N - HALF, sizeof *tail_ids);
    for (uint32_t i = HALF; i < N; i++)
        tail_ids[i - HALF] = map[ids[i]];
    for (size_t f = 0; f < sizeof fns / sizeof *fns; f++) {
        bool is_int = f < 2;
        AggSpec s = {.fn = fns[f], .n_args = f < 10 ? 1 : 2, .arg_type = TYPE_FLOAT,
                     .type = is_int ? TYPE_INT : TYPE_FLOAT};
        Agg *whole = agg_open(&s), *a = agg_open(&s), *b = agg_open(&s);
        agg_update(whole, all, ids, N, GROUPS);
        agg_update(a, head, ids, HALF, GROUPS);
        agg_update(b, tail, tail_ids, N - HALF, GROUPS);
        agg_merge(a, b, NULL, map, GROUPS, GROUPS);
        agg_close(b); /* nothing of it is needed any more */
        Column *want = NULL, *got = NULL;
        CHECK(agg_finish(whole, GROUPS, NULL, &want, NULL) == OK);
        CHECK(agg_finish(a, GROUPS, NULL, &got, NULL) == OK);
        for (uint32_t g = 0; g < GROUPS; g++) {
            CHECK(column_is_valid(got, g) == column_is_valid(want, g));
            if (is_int)
                CHECK(column_ints(got)[g] == column_ints(want)[g]);
            else if (fns[f] == BUILTIN_AGG_VARIANCE)
                CHECK(fabs(column_floats(got)[g] / column_floats(want)[g] - 1) < 1e-12);
            else if (column_is_valid(want, g))
                CHECK(column_floats(got)[g] == column_floats(want)[g]);
        }
        column_unref(want);
        column_unref(got);
        agg_close(whole);
        agg_close(a);
    }
    for (int i = 0; i < 2; i++) {
        column_unref(all[i]);
        column_unref(head[i]);
        column_unref(tail[i]);
    }
    free(x);
    free(y);
    free(ids);
    free(tail_ids);
}

/* Cells that stay undecoded, and those that are. */
static Batch *text_batch(const char *const *cells, uint32_t n, Type t)
{
    Batch *b = batch_new(n, 1);
    Column *c = column_new(t, true, n);
    c->delimiter = ',';
    c->quote = '"';
    for (uint32_t i = 0; i < n; i++)
        column_strs(c)[i] = (StrView){cells[i], (uint32_t)strlen(cells[i]),
                                      cells[i][0] == '"' ? CELL_QUOTED : 0};
    b->types[0] = t;
    b->slots[0].text = c;
    return b;
}

static void test_text(void)
{
    const char *const cells[] = {"\"7\"", "x", "007", "7"};
    Batch *in = text_batch(cells, 4, TYPE_INT), *out;
    Error err;
    /* A bad cell counts only where it is wanted; a column decoded in part is not kept. */
    for (int guarded = 0; guarded < 2; guarded++) {
        Asm *a = asm_open(in);
        uint16_t row = reg(a, TYPE_INT), one = constant(a, I(101)), cond = reg(a, TYPE_BOOL);
        put(a, OP_CALL, row, 0,
            spec(a, (Spec){.kind = SPEC_CALL, .fn = BUILTIN_ROW, .type = TYPE_INT}));
        put(a, OP_NE_INT, cond, row, one);
        if (guarded)
            put(a, OP_MASK_TRUE, cond, 0, 0);
        put(a, OP_LOAD, reg(a, TYPE_INT), 0, 0);
        if (guarded)
            put(a, OP_MASK_POP, 0, 0, 0);
        CHECK(run(a, in, &out, &err) == (guarded ? OK : ERR_ROW));
        if (guarded)
            CHECK(out->slots[0].values == NULL && out->slots[0].text != NULL);
        else
            CHECK_STR(err.value, "x");
        batch_unref(out);
        free(a);
    }
    batch_unref(in);
    /* Decoded once, kept beside its text; a group's key is the text of its first row. */
    in = text_batch((const char *const[]){"\"7\"", "8", "007", "7"}, 4, TYPE_INT);
    Asm *a = asm_open(in);
    uint16_t r = load(a, 0);
    const KeySpec key[] = {{r, false, 0}};
    const Type types[] = {TYPE_INT};
    const AggSpec count[] = {{.fn = BUILTIN_AGG_COUNT, .type = TYPE_INT}};
    put(a, OP_GROUP, spec(a, (Spec){.kind = SPEC_GROUP, .keys = key, .n_keys = 1, .arg_types = types,
                                    .aggs = count, .n_aggs = 1}), 0, 0);
    CHECK(run(a, in, &out, &err) == OK);
    CHECK_STR(show(out), "7,3|8,1|");
    Column *text = batch_text(out, 0);
    CHECK(text && column_strs(text)[0].len == 3 && column_strs(text)[0].flags == CELL_QUOTED);
    CHECK(in->slots[0].values == NULL); /* the input is not ours */
    column_unref(text);
    batch_unref(out);
    batch_unref(in);
    free(a);
}

/* ---- the verifier and the listing ---- */

static void refuse(Asm *a, const char *why)
{
    Error err = {0};
    CHECK(code_verify(&a->code, &err) == ERR_DATA);
    if (!strstr(err.text, why))
        printf("got `%s`\n", err.text);
    CHECK(strstr(err.text, why) != NULL);
    free(a);
}

static void test_verify(void)
{
    Batch *in = kv();
    Asm *a = asm_open(in);
    refuse(a, "END is missing");
    a = asm_open(in);
    put(a, OP_END, 0, 0, 0);
    put(a, OP_END, 0, 0, 0);
    refuse(a, "is not last");
    a = asm_open(in);
    put(a, OP_LOAD, reg(a, TYPE_STRING), 2, 0);
    refuse(a, "t2 of 2 columns");
    a = asm_open(in);
    put(a, OP_LOAD, reg(a, TYPE_INT), 0, 0);
    refuse(a, "r0 is int, not string");
    a = asm_open(in);
    put(a, OP_LOAD, 3, 0, 0);
    refuse(a, "r3 of 0 registers");
    a = asm_open(in);
    put(a, OP_CONST, reg(a, TYPE_INT), 0, 0);
    refuse(a, "k0 of 0 constants");
    a = asm_open(in);
    reg(a, TYPE_INT);
    put(a, OP_NEG_INT, 0, 0, 0);
    refuse(a, "read before it is written");
    a = asm_open(in);
    put(a, OP_NEG_FLOAT, reg(a, TYPE_FLOAT), load(a, 0), 0);
    refuse(a, "must not be string");
    a = asm_open(in);
    put(a, OP_FILTER, constant(a, T), 0, 0);
    put(a, OP_FILTER, 0, 0, 0);
    refuse(a, "read before it is written");
    a = asm_open(in);
    put(a, OP_MASK_POP, 0, 0, 0);
    refuse(a, "no mask to pop");
    a = asm_open(in);
    put(a, OP_MASK_TRUE, constant(a, T), 0, 0);
    put(a, OP_END, 0, 0, 0);
    refuse(a, "stands under a mask");
    a = asm_open(in);
    constant(a, I(1));
    put(a, OP_RANGE, 0, 0, 0);
    refuse(a, "is not first");
    a = asm_open(NULL);
    constant(a, I(1));
    put(a, OP_READ_CSV, 0, 0, 0);
    refuse(a, "is not first");
    a = asm_open(in);
    put(a, OP_SORT, spec(a, (Spec){.kind = SPEC_LOG}), 0, 0);
    refuse(a, "another kind");
    a = asm_open(in);
    put(a, OP_PROJECT, spec(a, (Spec){.kind = SPEC_PROJECT, .n_cols = 1, .cols = (uint16_t[]){2}}), 0, 0);
    refuse(a, "t2 of 2 columns");
    static const Value words[] = {{.type = TYPE_STRING, .s = {"a", 1}}, {.type = TYPE_STRING, .s = {"", 0}}};
    const Spec is_a = {.kind = SPEC_STRING, .fn = N_BUILTINS, .n_values = 1, .values = words};
    a = asm_open(in);
    put(a, OP_FILTER_STRING, 1, spec(a, is_a), 0);
    refuse(a, "t1 is no string column");
    a = asm_open(in);
    put(a, OP_FILTER_STRING, 0, spec(a, is_a), 1);
    put(a, OP_END, 0, 0, 0);
    refuse(a, "leads past something else");
    a = asm_open(in);
    put(a, OP_FILTER_STRING, 0, spec(a, is_a), 9);
    refuse(a, "leads past something else");
    for (uint32_t i = 0; i < 3; i++) {
        Spec s = is_a;
        s.fn = i == 0 ? BUILTIN_UPPER : i == 1 ? BUILTIN_CONTAINS : N_BUILTINS;
        s.values = i == 1 ? words + 1 : words;
        s.n_values = i == 2 ? 2 : 1;
        a = asm_open(in);
        put(a, OP_FILTER_STRING, 0, spec(a, s), 0);
        refuse(a, i == 0 ? "is no test of a string" : i == 1 ? "no string to look for" : "is not above the one before");
    }
    a = asm_open(in);
    put(a, OP_CALL, reg(a, TYPE_INT), 0,
        spec(a, (Spec){.kind = SPEC_CALL, .fn = BUILTIN_AGG_COUNT, .type = TYPE_INT}));
    refuse(a, "cannot be called");
    a = asm_open(in);
    put(a, (Opcode)999, 0, 0, 0);
    refuse(a, "unknown opcode 999");
    a = asm_open(in);
    a->code.out = &(Schema){1, a->in_cols};
    put(a, OP_END, 0, 0, 0);
    refuse(a, "2 columns come out, not 1");

    a = asm_open(in);
    uint16_t k = load(a, 0), b = constant(a, S("b")), cond = reg(a, TYPE_BOOL);
    put(a, OP_EQ_STRING, cond, k, b);
    put(a, OP_FILTER, cond, 0, 0);
    put(a, OP_END, 0, 0, 0);
    Buf list = {0};
    code_disasm(&a->code, &list);
    CHECK_STR(list.ptr, "step test: 3 registers, 2 columns in\n"
                        "    0  LOAD           r0, t0                     # col: expr\n"
                        "    1  CONST          r1, \"b\"                    # col: expr\n"
                        "    2  EQ_STRING      r2, r0, r1                 # col: expr\n"
                        "    3  FILTER         r2                         # col: expr\n"
                        "    4  END                                       # col: expr\n");
    buf_deinit(&list);
    free(a);
    batch_unref(in);
}

int main(void)
{
    vm = vm_open();
    test_arithmetic();
    test_comparison();
    test_logic();
    test_masks();
    test_functions();
    test_in_and_concat();
    test_order();
    test_group();
    test_rows_and_effects();
    test_merge();
    test_text();
    test_verify();
    vm_close(vm);
    buf_deinit(&logged);
    UNIT_END("vm");
}
