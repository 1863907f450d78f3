/* Code that must not run is refused, with the reason; the listing of code that may. */
#include "assembled.h"

#include "code/disasm.h"

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
    test_verify();
    UNIT_END("verify");
}
