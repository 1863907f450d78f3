/* The VM on code put together by hand: every family of opcodes of expressions, each operand as a column and as a
 * constant, nulls, limits, masks, errors.
 */
#include "assembled.h"

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
    check1(OP_NEG_INT, TYPE_INT, I(MINI), "`expr`: integer overflow (-(-9223372036854775808))");
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

int main(void)
{
    vm = vm_open();
    test_arithmetic();
    test_comparison();
    test_logic();
    test_masks();
    test_functions();
    test_in_and_concat();
    vm_close(vm);
    buf_deinit(&logged);
    UNIT_END("vm");
}
