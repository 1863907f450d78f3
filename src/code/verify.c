#include "code/verify_int.h"

#include <stdlib.h>
#include <string.h>

#define MAX_MASKS 10000 /* deeper than any expression that parses */

Status verify_bad(Verify *v, const char *fmt, ...)
{
    Buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    const Code *c = v->code;
    const char *op = v->pc < c->n_instrs && c->instrs[v->pc].op < N_OPCODES
                         ? opcode_info(c->instrs[v->pc].op)->name
                         : "?";
    error_set(v->err, ERR_DATA, "bad code of step `%.*s`: instruction %u (%s): %s",
              STR_ARG(c->step), v->pc, op, b.ptr);
    buf_deinit(&b);
    return ERR_DATA;
}

static bool is_stored(Type t)
{
    return t >= TYPE_NULL && t <= TYPE_SIZE;
}

static bool fits(Type t, char letter)
{
    switch (letter) {
    case 'n': return t == TYPE_INT;
    case 'f': return t == TYPE_FLOAT;
    case 's': return t == TYPE_STRING;
    case 'b': return t == TYPE_BOOL;
    case 'd': return t == TYPE_DATE;
    case 'u': return t == TYPE_DURATION;
    case 'i': return t == TYPE_INT || (t >= TYPE_DATE && t <= TYPE_SIZE);
    }
    return is_stored(t);
}

Status verify_read(Verify *v, uint32_t r)
{
    if (r >= v->code->n_regs)
        return BAD(v, "r%u of %u registers", r, v->code->n_regs);
    if (!v->is_set[r])
        return BAD(v, "r%u is read before it is written", r);
    return OK;
}

Status verify_reads(Verify *v, uint32_t first, uint32_t n)
{
    Status st = OK;
    for (uint32_t i = 0; i < n && st == OK; i++)
        st = verify_read(v, first + i);
    return st;
}

Status verify_typed(Verify *v, uint32_t r, Type t)
{
    if (v->code->reg_types[r] != t)
        return BAD(v, "r%u is %s, not %s", r, type_name(v->code->reg_types[r]), type_name(t));
    return OK;
}

void verify_void(Verify *v)
{
    memset(v->is_set, 0, v->code->n_regs * sizeof *v->is_set);
}

Status verify_set_cols(Verify *v, uint32_t n)
{
    if (n > CODE_MAX_OPERAND)
        return BAD(v, "%u columns", n);
    if (n > v->cap_cols) {
        v->cap_cols = n + 16;
        v->cols = xrealloc(v->cols, v->cap_cols * sizeof *v->cols);
    }
    v->n_cols = n;
    return OK;
}

Status verify_set_schema(Verify *v, const Schema *s)
{
    if (!s)
        return BAD(v, "has no schema");
    Status st = verify_set_cols(v, s->n_cols);
    for (uint32_t i = 0; st == OK && i < s->n_cols; i++)
        v->cols[i] = s->cols[i].type;
    return st;
}

/* The spec that an instruction refers to, of the kind it wants. */
Status verify_spec(Verify *v, uint32_t i, SpecKind kind, const Spec **out)
{
    if (i >= v->code->n_specs)
        return BAD(v, "s%u of %u specs", i, v->code->n_specs);
    *out = &v->code->specs[i];
    if ((*out)->kind != kind)
        return BAD(v, "s%u is a spec of another kind", i);
    return OK;
}

static Status push_mask(Verify *v)
{
    return ++v->n_masks > MAX_MASKS ? BAD(v, "masks nest too deeply") : OK;
}

/* What an opcode wants beyond its operands' letters; the registers it reads are checked. */
static Status check_effect(Verify *v, Instr in)
{
    const Code *c = v->code;
    const Spec *s = NULL;
    Status st = OK;
    switch ((Opcode)in.op) {
    case OP_LOAD:
        v->has_table = true;
        return in.b < v->n_cols ? verify_typed(v, in.a, v->cols[in.b])
                                : BAD(v, "t%u of %u columns", in.b, v->n_cols);
    case OP_CONST:
        return in.b < c->n_consts ? verify_typed(v, in.a, c->consts[in.b].type)
                                  : BAD(v, "k%u of %u constants", in.b, c->n_consts);
    case OP_DEFINE:
        v->has_table = true;
        if (in.a > v->n_cols)
            return BAD(v, "t%u of %u columns", in.a, v->n_cols);
        if (in.a == v->n_cols && (st = verify_set_cols(v, v->n_cols + 1)) != OK)
            return st;
        v->cols[in.a] = c->reg_types[in.b];
        return OK;
    case OP_MASK_TRUE:
    case OP_MASK_NOT_TRUE:
    case OP_MASK_NOT_FALSE:
    case OP_MASK_NULL:
        return push_mask(v);
    case OP_MASK_POP:
        return v->n_masks-- ? OK : BAD(v, "no mask to pop");
    case OP_READ_CSV:
        if (v->pc != 0)
            return BAD(v, "is not first");
        v->has_table = true;
        st = verify_spec(v, in.a, SPEC_READ, &s);
        return st != OK ? st : verify_set_schema(v, s->schema);
    case OP_RANGE:
        if (v->has_table || c->in)
            return BAD(v, "is not first");
        v->has_table = true;
        verify_void(v);
        if ((st = verify_set_cols(v, 1)) == OK)
            v->cols[0] = TYPE_INT;
        return st;
    case OP_FILTER:
    case OP_TAKE:
    case OP_SKIP:
        verify_void(v);
        return OK;
    case OP_CALL: case OP_IN: case OP_CONCAT: case OP_PROJECT: case OP_FILTER_STRING: case OP_LOG:
    case OP_FAIL: case OP_WRITE_CSV: case OP_EXEC: case OP_EXPLODE: case OP_GROUP: case OP_JOIN:
    case OP_UNION: case OP_SORT: case OP_DISTINCT: case OP_TOP:
        return verify_with_spec(v, in);
    case OP_END:
        if (v->pc + 1 != c->n_instrs)
            return BAD(v, "is not last");
        if (c->out && c->out->n_cols != v->n_cols)
            return BAD(v, "%u columns come out, not %u", v->n_cols, c->out->n_cols);
        for (uint32_t i = 0; c->out && i < v->n_cols; i++)
            if (c->out->cols[i].type != v->cols[i])
                return BAD(v, "column %u comes out as %s, not %s", i, type_name(v->cols[i]),
                           type_name(c->out->cols[i].type));
        return OK;
    case OP_MOVE: case OP_ADD_INT: case OP_SUB_INT: case OP_MUL_INT: case OP_IDIV_INT:
    case OP_MOD_INT: case OP_NEG_INT: case OP_ADD_FLOAT: case OP_SUB_FLOAT:
    case OP_MUL_FLOAT: case OP_DIV_FLOAT: case OP_IDIV_FLOAT: case OP_MOD_FLOAT:
    case OP_POW_FLOAT: case OP_NEG_FLOAT: case OP_INT_TO_FLOAT: case OP_SUB_DATE:
    case OP_DATE_PLUS: case OP_DATE_MINUS: case OP_EQ_INT: case OP_NE_INT: case OP_LT_INT:
    case OP_LE_INT: case OP_EQ_FLOAT: case OP_NE_FLOAT: case OP_LT_FLOAT: case OP_LE_FLOAT:
    case OP_EQ_STRING: case OP_NE_STRING: case OP_LT_STRING: case OP_LE_STRING:
    case OP_EQ_BOOL: case OP_NE_BOOL: case OP_LT_BOOL: case OP_LE_BOOL: case OP_NOT:
    case OP_AND: case OP_OR: case OP_IS_NULL: case OP_IS_NOT_NULL: case OP_COALESCE:
    case OP_SELECT: case OP_TO_STRING: case OP_ASSERT: case OP_SLEEP:
    case N_OPCODES:
        return OK;
    }
    return OK;
}

/* Which of a, b, c are registers read and written; bit 0 is a. */
static void roles(OperandFormat f, unsigned *read, unsigned *written)
{
    static const struct {
        uint8_t read, written;
    } ROLE[] = {
        [FMT_NONE] = {0, 0}, [FMT_R_] = {0, 1},  [FMT_Rr] = {2, 1},  [FMT_RRR] = {6, 1},
        [FMT_RC] = {0, 1},   [FMT_RK] = {0, 1},  [FMT_r] = {1, 0},   [FMT_rr] = {3, 0},
        [FMT_cR] = {2, 0},   [FMT_cS] = {0, 0},    [FMT_S] = {0, 0},   [FMT_rS] = {1, 0},  [FMT_RrS] = {2, 1},
        [FMT_RRS] = {0, 1},
    };
    *read = ROLE[f].read;
    *written = ROLE[f].written;
}

static bool is_allowed_under_mask(Opcode op)
{
    return op <= OP_TO_STRING && op != OP_DEFINE;
}

static Status check_instr(Verify *v)
{
    Instr in = v->code->instrs[v->pc];
    if (in.op >= N_OPCODES)
        return BAD(v, "unknown opcode %u", in.op);
    if (v->n_masks && !is_allowed_under_mask(in.op))
        return BAD(v, "stands under a mask");
    const OpcodeInfo *info = opcode_info(in.op);
    const uint16_t operands[3] = {in.a, in.b, in.c};
    unsigned read, written;
    roles(info->format, &read, &written);
    if (in.op == OP_SELECT)
        read |= 1; /* what the condition does not pick stays */
    const char *letter = info->types;
    Type first = TYPE_ERROR;
    Status st;
    for (uint32_t i = 0; i < 3; i++) {
        if (!((read | written) >> i & 1))
            continue;
        uint32_t r = operands[i];
        if (r >= v->code->n_regs)
            return BAD(v, "r%u of %u registers", r, v->code->n_regs);
        if ((read >> i & 1) && (st = verify_read(v, r)) != OK)
            return st;
        Type t = v->code->reg_types[r];
        if (letter == info->types)
            first = t;
        if (*letter == '=' ? t != first : !fits(t, *letter))
            return BAD(v, "r%u must not be %s", r, type_name(t));
        letter++;
    }
    if ((st = check_effect(v, in)) != OK)
        return st;
    if (written & 1)
        v->is_set[in.a] = true;
    return OK;
}

Status code_verify(const Code *code, Error *err)
{
    Verify v = {.code = code, .err = err};
    v.is_set = xcalloc(code->n_regs + 1, sizeof *v.is_set);
    Status st = OK;
    for (uint32_t i = 0; i < code->n_regs && st == OK; i++)
        if (!is_stored(code->reg_types[i]))
            st = BAD(&v, "r%u has no type of values", i);
    if (st == OK && code->in)
        st = code->in->n_cols == code->n_in ? verify_set_schema(&v, code->in)
                                            : BAD(&v, "the table has %u columns, not %u",
                                                  code->in->n_cols, code->n_in);
    for (; v.pc < code->n_instrs && st == OK; v.pc++)
        st = check_instr(&v);
    if (st == OK && (code->n_instrs == 0 || code->instrs[code->n_instrs - 1].op != OP_END)) {
        v.pc = code->n_instrs;
        st = BAD(&v, "END is missing");
    }
    free(v.is_set);
    free(v.cols);
    return st;
}
