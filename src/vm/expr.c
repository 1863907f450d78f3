#include "vm/pass.h"

#include <stdlib.h>

#include "data/codes.h"
#include "data/reach.h"
#include "vm/kernels.h"

/* ---- arithmetic and comparison ---- */

static void put_operand(Buf *b, const Reg *r, uint32_t row)
{
    value_print(b, reg_value(r, row));
}

/* Says what is wrong in a row of which a kernel said that something may be. */
static Status fault(Pass *p, Opcode op, const Reg *a, const Reg *b, uint32_t row, bool is_const)
{
    const char *sign = "?", *what = "integer overflow";
    RowError kind = ROW_ERROR_OVERFLOW;
    bool zero = b && (b->type == TYPE_FLOAT ? reg_float(b, row) == 0 : reg_int(b, row) == 0);
    switch ((int)op) {
    case OP_ADD_INT: sign = "+"; break;
    case OP_SUB_INT:
    case OP_NEG_INT:
    case OP_SUB_DATE: sign = "-"; break;
    case OP_MUL_INT: sign = "*"; break;
    case OP_DIV_FLOAT: sign = "/"; break;
    case OP_IDIV_INT: sign = a->type != b->type ? "/" : "//"; break; /* of a duration or size: / is the same */
    case OP_IDIV_FLOAT: sign = "//"; break;
    case OP_MOD_INT:
    case OP_MOD_FLOAT: sign = "%"; break;
    case OP_POW_FLOAT: sign = "**"; break;
    case OP_DATE_PLUS:
    case OP_DATE_MINUS: sign = op == OP_DATE_PLUS ? "+" : "-"; break;
    }
    bool divides = op == OP_DIV_FLOAT || op == OP_IDIV_INT || op == OP_IDIV_FLOAT ||
                   op == OP_MOD_INT || op == OP_MOD_FLOAT;
    if (op == OP_POW_FLOAT) {
        bool of_zero = reg_float(a, row) == 0;
        what = of_zero ? "division by zero" : "a power that is no real number";
        kind = of_zero ? ROW_ERROR_DIVISION : ROW_ERROR_ARGUMENT;
    } else if (divides && zero) {
        what = "division by zero";
        kind = ROW_ERROR_DIVISION;
    } else if (op == OP_DATE_PLUS || op == OP_DATE_MINUS) {
        kind = ROW_ERROR_DATE;
        what = reg_int(b, row) % 86400000000 ? "a date takes whole days" : "beyond the last date";
    }
    Buf shown = {0};
    put_operand(&shown, a, row);
    if (!b) { /* only the least integer has no counterpart: `-(-9223372036854775808)` */
        Buf operand = shown;
        shown = (Buf){0};
        buf_printf(&shown, "%s(%s)", sign, operand.ptr);
        buf_deinit(&operand);
    } else {
        buf_printf(&shown, " %s ", sign);
        put_operand(&shown, b, row);
    }
    Status st = pass_row_error(p, is_const, row, kind, buf_str(&shown), "%s (%s)", what, shown.ptr);
    buf_deinit(&shown);
    return st;
}

/* Does the result hold in this row? Asked only when it does not in some row. */
static bool is_bad(Opcode op, const Reg *a, const Reg *b, uint32_t row)
{
    union {
        int64_t i;
        double f;
    } dst, x, y;
    x.i = reg_int(a, row); /* the bits of a double too */
    if (!b)
        return kernel_unary(op)(&dst, &x, 1) != 0;
    y.i = reg_int(b, row);
    return kernel_binary(op)->vv(&dst, &x, &y, 1) != 0;
}

/* Looks whether a row that the kernel called bad counts. */
static Status examine(Pass *p, Opcode op, const Reg *a, const Reg *b, Result *res)
{
    const Reg *regs[2] = {a, b};
    const uint64_t *live = pass_live(p, regs, b ? 2 : 1, res->is_const);
    if (res->is_const && !pass_wants_any(p)) {
        column_own_valid(res->col, false); /* nobody will see it */
        return OK;
    }
    BITS_EACH(row, live, res->n)
    {
        if (!is_bad(op, a, b, row))
            continue;
        Status st = fault(p, op, a, b, row, res->is_const);
        if (st != OK)
            return st;
        result_null(res, row);
    }
    return OK;
}

/* The longest strings for which it pays to make codes. Whether two are equal takes no longer than that. */
#define IN_LEN 32u
#define LESS_LEN 15u

/* One string of each value that the register has. */
static StrView *values_of(const Reg *r, const Codes *codes)
{
    StrView *values = xmalloc(codes->n_values * sizeof *values);
    for (uint32_t i = 0; i < codes->n_values; i++)
        values[i] = column_strs(r->col)[codes->first[i]];
    return values;
}

/* Compares strings of a column whose values repeat with a constant, each value once. False: it is not that. */
static bool compare_values(Pass *p, Opcode op, const Reg *a, const Reg *b, Result *res)
{
    const Reg *r = a->is_const ? b : a;
    const Codes *codes = NULL;
    if (r->type == TYPE_STRING && a->is_const != b->is_const)
        codes = op == OP_LT_STRING || op == OP_LE_STRING ? pass_codes(p, r, 1, LESS_LEN) : codes_had(r->col);
    if (!codes)
        return false;
    const BinaryKernels *k = kernel_binary(op);
    StrView *values = values_of(r, codes);
    pass_count_values(p, codes->n_values);
    uint8_t *holds = xmalloc(codes->n_values);
    if (a->is_const)
        k->cv(holds, reg_values(a), values, codes->n_values);
    else
        k->vc(holds, values, reg_values(b), codes->n_values);
    codes_spread(codes, holds, sizeof *holds, res->col->values);
    free(values);
    free(holds);
    return true;
}

static Status compute(Pass *p, Opcode op, Reg *to, const Reg *a, const Reg *b, Type type)
{
    if ((a->is_const && a->is_null) || (b && b->is_const && b->is_null)) {
        reg_set_null(p->vm, to, type);
        return OK;
    }
    const Reg *regs[2] = {a, b};
    Result res = result_open(p, type, a->is_const && (!b || b->is_const));
    void *dst = res.col->values;
    uint64_t bad = 0;
    if (!b) {
        bad = kernel_unary(op)(dst, reg_values(a), res.n);
    } else if (!compare_values(p, op, a, b, &res)) {
        const BinaryKernels *k = kernel_binary(op);
        BinaryKernel f = res.is_const || (!a->is_const && !b->is_const) ? k->vv
                         : a->is_const                                  ? k->cv
                                                                        : k->vc;
        bad = f(dst, reg_values(a), reg_values(b), res.n);
    }
    Status st = bad ? examine(p, op, a, b, &res) : OK;
    if (st != OK) {
        result_drop(p, res);
        return st;
    }
    pass_combine_valid(res.col, regs, b ? 2 : 1);
    result_close(p, res, to);
    return OK;
}

/* ---- logic ---- */

/* Words of a bool register: where it is true, where it is false; null is neither. */
static void truth(const Reg *r, uint32_t w, uint32_t n, uint64_t *yes, uint64_t *no)
{
    if (r->is_const) {
        *yes = !r->is_null && (r->k.b & 1) ? ~0ull : 0;
        *no = !r->is_null && !(r->k.b & 1) ? ~0ull : 0;
        return;
    }
    uint64_t valid = bits_word(r->col->valid, w, n), b = bools_word(column_bools(r->col), w, n);
    *yes = b & valid;
    *no = ~b & valid;
}

static void put_bools(uint8_t *to, uint32_t w, uint32_t n, uint64_t bits)
{
    uint32_t at = w * 64, left = n - at < 64 ? n - at : 64;
    for (uint32_t i = 0; i < left; i++)
        to[at + i] = (uint8_t)(bits >> i & 1);
}

static void and_or(Pass *p, bool is_and, Reg *to, const Reg *a, const Reg *b)
{
    Result res = result_open(p, TYPE_BOOL, a->is_const && b->is_const);
    column_own_valid(res.col, true);
    uint64_t nulls = 0;
    for (uint32_t w = 0; w < bit_words(res.n); w++) {
        uint64_t ay, an, by, bn;
        truth(a, w, res.n, &ay, &an);
        truth(b, w, res.n, &by, &bn);
        uint64_t yes = is_and ? ay & by : ay | by, no = is_and ? an | bn : an & bn;
        put_bools(column_bools(res.col), w, res.n, yes);
        res.col->valid[w] = yes | no;
        nulls |= bits_word(NULL, w, res.n) & ~(yes | no);
    }
    if (!nulls && res.n) { /* without the bitmap later loops are shorter */
        free(res.col->valid);
        res.col->valid = NULL;
    }
    result_close(p, res, to);
}

static void is_null(Pass *p, bool want, Reg *to, const Reg *a)
{
    if (a->is_const || !a->col->valid) {
        bool v = (a->is_const && a->is_null) == want;
        reg_set_const(p->vm, to, (Value){.type = TYPE_BOOL, .i = v});
        return;
    }
    Result res = result_open(p, TYPE_BOOL, false);
    for (uint32_t w = 0; w < bit_words(res.n); w++)
        put_bools(column_bools(res.col), w, res.n, want ? ~a->col->valid[w] : a->col->valid[w]);
    result_close(p, res, to);
}

/* ---- choosing between two registers ---- */

static void copy_heaps(Column *to, const Reg *r)
{
    for (uint32_t i = 0; r->col && i < r->col->n_heaps; i++)
        column_add_heap(to, r->col->heaps[i]);
}

#define CHOOSE(T)                                                                        \
    do {                                                                                 \
        T *restrict chosen = dst;                                                        \
        const T *a = reg_values(yes), *b = reg_values(no);                               \
        uint32_t sa = yes->is_const ? 0 : 1, sb = no->is_const ? 0 : 1;                  \
        for (uint32_t i = 0; i < n; i++)                                                 \
            chosen[i] = pick[i >> 6] >> (i & 63) & 1 ? a[i * sa] : b[i * sb];            \
    } while (0)

/* to := yes where the bit is set, else no. All rows' operands are readable, whatever they hold. */
static void choose(Pass *p, Reg *to, const Reg *yes, const Reg *no, const uint64_t *pick)
{
    Type t = yes->type != TYPE_NULL ? yes->type : no->type;
    uint32_t n = p->n;
    Result res = result_open(p, t, false);
    void *dst = res.col->values;
    switch (type_bytes(t)) {
    case 1: CHOOSE(uint8_t); break;
    case 8: CHOOSE(int64_t); break;
    case sizeof(StrView): CHOOSE(StrView); break;
    }
    bool y_nulls = yes->is_const ? yes->is_null : yes->col->valid != NULL;
    bool n_nulls = no->is_const ? no->is_null : no->col->valid != NULL;
    if (y_nulls || n_nulls) {
        column_own_valid(res.col, true);
        for (uint32_t w = 0; w < bit_words(n); w++) {
            uint64_t y = yes->is_const ? (yes->is_null ? 0 : ~0ull) : bits_word(yes->col->valid, w, n);
            uint64_t o = no->is_const ? (no->is_null ? 0 : ~0ull) : bits_word(no->col->valid, w, n);
            res.col->valid[w] = (pick[w] & y) | (~pick[w] & o);
        }
    }
    if (t == TYPE_STRING) {
        copy_heaps(res.col, yes);
        copy_heaps(res.col, no);
        const Reg *both[2] = {yes, no};
        for (int i = 0; i < 2; i++)
            if (both[i]->is_const && both[i]->k.s.len && !both[i]->is_null) {
                /* A batch may outlive the code whose constant this is. */
                Heap *h = heap_new(both[i]->k.s.len);
                StrView own = {heap_alloc(h, both[i]->k.s.len), both[i]->k.s.len, 0};
                memcpy((char *)(uintptr_t)own.ptr, both[i]->k.s.ptr, own.len);
                for (uint32_t row = 0; row < n; row++)
                    if ((pick[row >> 6] >> (row & 63) & 1) == (i == 0))
                        column_strs(res.col)[row] = own;
                column_add_heap(res.col, h);
                heap_unref(h);
            }
    }
    result_close(p, res, to);
}

void reg_move(Pass *p, Reg *to, const Reg *from)
{
    if (to == from)
        return;
    if (from->col)
        column_ref(from->col);
    Reg copy = *from;
    reg_clear(p->vm, to);
    copy.cap = 0; /* the other one brings it back to the pool */
    *to = copy;
}

static void coalesce(Pass *p, Reg *to, const Reg *a, const Reg *b)
{
    if (a->is_const || !a->col->valid) {
        reg_move(p, to, a->is_const && a->is_null ? b : a);
        return;
    }
    Column *held = column_ref(a->col); /* `to` may be a */
    choose(p, to, a, b, held->valid);
    column_unref(held);
}

static void select_rows(Pass *p, Reg *to, const Reg *yes, const Reg *cond)
{
    if (cond->is_const) {
        if (!cond->is_null && (cond->k.b & 1))
            reg_move(p, to, yes);
        return;
    }
    uint64_t *pick = xmalloc((bit_words(p->n) + 1) * sizeof *pick), no;
    for (uint32_t w = 0; w < bit_words(p->n); w++)
        truth(cond, w, p->n, &pick[w], &no);
    choose(p, to, yes, to, pick);
    free(pick);
}

/* ---- in ---- */

static bool has_value(const Spec *spec, const Value *v)
{
    uint32_t lo = 0, hi = spec->n_values;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = value_cmp(v, &spec->values[mid]);
        if (c == 0)
            return true;
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return false;
}

/* has_value of a whole number: no branch is guessed wrong in the search. */
static bool has_int(const Spec *spec, int64_t v)
{
    const Value *at = spec->values;
    for (uint32_t n = spec->n_values; n > 1;) {
        uint32_t half = n / 2;
        at = at[half].i <= v ? at + half : at;
        n -= half;
    }
    return at->i == v;
}

static void is_in(Pass *p, Reg *to, const Reg *a, const Spec *spec)
{
    if (a->is_const && a->is_null) {
        reg_set_null(p->vm, to, TYPE_BOOL);
        return;
    }
    Result res = result_open(p, TYPE_BOOL, a->is_const);
    const Codes *codes = pass_codes(p, a, 1, IN_LEN);
    const uint64_t *live = pass_live(p, &a, 1, a->is_const);
    memset(res.col->values, 0, res.n);
    if (codes) {
        uint8_t *has = xmalloc(codes->n_values);
        pass_count_values(p, codes->n_values);
        for (uint32_t i = 0; i < codes->n_values; i++) {
            Value v = reg_value(a, codes->first[i]);
            has[i] = has_value(spec, &v);
        }
        codes_spread(codes, has, sizeof *has, res.col->values);
        free(has);
    } else if (spec->n_values && type_is_int(a->type)) {
        BITS_EACH(row, live, res.n) column_bools(res.col)[row] = has_int(spec, reg_int(a, row));
    } else {
        BITS_EACH(row, live, res.n)
        {
            Value v = reg_value(a, row);
            column_bools(res.col)[row] = has_value(spec, &v);
        }
    }
    pass_combine_valid(res.col, &a, 1);
    result_close(p, res, to);
}

/* ---- dispatch ---- */

Status pass_expr(Pass *p, Instr in)
{
    Reg *regs = p->vm->regs, *to = &regs[in.a];
    const Reg *a = &regs[in.b];
    const Spec *specs = p->code->specs;
    Opcode op = in.op;
    if (kernel_binary(op)->vv)
        return compute(p, op, to, a, &regs[in.c], p->code->reg_types[in.a]);
    if (kernel_unary(op))
        return compute(p, op, to, a, NULL, p->code->reg_types[in.a]);
    switch ((int)op) {
    case OP_MOVE: reg_move(p, to, a); break;
    case OP_AND: and_or(p, true, to, a, &regs[in.c]); break;
    case OP_OR: and_or(p, false, to, a, &regs[in.c]); break;
    case OP_IS_NULL: is_null(p, true, to, a); break;
    case OP_IS_NOT_NULL: is_null(p, false, to, a); break;
    case OP_COALESCE: coalesce(p, to, a, &regs[in.c]); break;
    case OP_SELECT: select_rows(p, to, a, &regs[in.c]); break;
    case OP_IN: is_in(p, to, a, &specs[in.c]); break;
    case OP_TO_STRING: pass_to_string(p, to, a); break;
    case OP_CONCAT: return pass_concat(p, to, a, &specs[in.c]);
    case OP_CALL: return pass_call(p, &specs[in.c], a, to);
    }
    return OK;
}
