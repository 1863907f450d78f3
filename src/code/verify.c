#include "code/verify.h"

#include <stdlib.h>
#include <string.h>

#define MAX_MASKS 10000 /* deeper than any expression that parses */

typedef struct Verify {
    const Code *code;
    uint32_t pc;
    bool *is_set;     /* [n_regs] holds a value for the rows of the table as it is now */
    Type *cols;       /* [n_cols] of the table as it is now */
    uint32_t n_cols, cap_cols;
    uint32_t n_masks;
    bool has_table;   /* no source may follow */
    Error *err;
} Verify;

#define BAD(v, ...) bad((v), __VA_ARGS__)
static Status bad(Verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static Status bad(Verify *v, const char *fmt, ...)
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

static Status reg_read(Verify *v, uint32_t r)
{
    if (r >= v->code->n_regs)
        return BAD(v, "r%u of %u registers", r, v->code->n_regs);
    if (!v->is_set[r])
        return BAD(v, "r%u is read before it is written", r);
    return OK;
}

static Status regs_read(Verify *v, uint32_t first, uint32_t n)
{
    Status st = OK;
    for (uint32_t i = 0; i < n && st == OK; i++)
        st = reg_read(v, first + i);
    return st;
}

static Status reg_typed(Verify *v, uint32_t r, Type t)
{
    if (v->code->reg_types[r] != t)
        return BAD(v, "r%u is %s, not %s", r, type_name(v->code->reg_types[r]), type_name(t));
    return OK;
}

static void void_regs(Verify *v)
{
    memset(v->is_set, 0, v->code->n_regs * sizeof *v->is_set);
}

static Status set_cols(Verify *v, uint32_t n)
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

static Status set_schema(Verify *v, const Schema *s)
{
    if (!s)
        return BAD(v, "has no schema");
    Status st = set_cols(v, s->n_cols);
    for (uint32_t i = 0; st == OK && i < s->n_cols; i++)
        v->cols[i] = s->cols[i].type;
    return st;
}

/* The spec that an instruction refers to, of the kind it wants. */
static Status take_spec(Verify *v, uint32_t i, SpecKind kind, const Spec **out)
{
    if (i >= v->code->n_specs)
        return BAD(v, "s%u of %u specs", i, v->code->n_specs);
    *out = &v->code->specs[i];
    if ((*out)->kind != kind)
        return BAD(v, "s%u is a spec of another kind", i);
    return OK;
}

static Status check_call(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = take_spec(v, in.c, SPEC_CALL, &s);
    if (st != OK || (st = regs_read(v, in.b, s->n_args)) != OK)
        return st;
    if ((uint32_t)s->fn >= N_BUILTINS)
        return BAD(v, "function %u", (unsigned)s->fn);
    const Builtin *fn = builtin_get(s->fn);
    if (fn->kind == BUILTIN_KIND_AGG)
        return BAD(v, "`%s` cannot be called", fn->name);
    if (s->n_args && !s->arg_types)
        return BAD(v, "`%s` has no types of its arguments", fn->name);
    for (uint32_t i = 0; i < s->n_args && st == OK; i++)
        st = reg_typed(v, in.b + i, s->arg_types[i]);
    BuiltinFit fit;
    if (st == OK && !builtin_resolve(fn, s->arg_types, s->n_args, NULL, &fit))
        return BAD(v, "`%s`: %s", fn->name, fit.why);
    if (st == OK && fit.result != s->type)
        return BAD(v, "`%s` gives %s, not %s", fn->name, type_name(fit.result),
                   type_name(s->type));
    return st != OK ? st : reg_typed(v, in.a, s->type);
}

static Status check_aggregate(Verify *v, const AggSpec *a)
{
    if ((uint32_t)a->fn >= N_BUILTINS || a->n_args > BUILTIN_MAX_PARAMS)
        return BAD(v, "aggregate %u of %u arguments", (unsigned)a->fn, a->n_args);
    const Builtin *fn = builtin_get(a->fn);
    if (fn->kind != BUILTIN_KIND_AGG)
        return BAD(v, "`%s` is no aggregate", fn->name);
    Status st = regs_read(v, a->reg, a->n_args);
    if (st != OK)
        return st;
    Type types[BUILTIN_MAX_PARAMS];
    for (uint32_t i = 0; i < a->n_args; i++)
        types[i] = v->code->reg_types[a->reg + i];
    BuiltinFit fit;
    if (!builtin_resolve(fn, types, a->n_args, NULL, &fit))
        return BAD(v, "`%s`: %s", fn->name, fit.why);
    if (fit.result != a->type)
        return BAD(v, "`%s` gives %s, not %s", fn->name, type_name(fit.result),
                   type_name(a->type));
    if (a->n_args && types[0] != a->arg_type)
        return BAD(v, "`%s` is of %s, not %s", fn->name, type_name(types[0]),
                   type_name(a->arg_type));
    return OK;
}

static Status check_keys(Verify *v, const Spec *s)
{
    Status st = OK;
    for (uint32_t i = 0; i < s->n_keys && st == OK; i++)
        st = reg_read(v, s->keys[i].reg);
    return st;
}

static Status check_group(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = take_spec(v, in.a, SPEC_GROUP, &s);
    if (st != OK || (st = check_keys(v, s)) != OK)
        return st;
    for (uint32_t i = 0; i < s->n_keys; i++) {
        const KeySpec *k = &s->keys[i];
        if (k->col < -1 || (k->col >= 0 && (uint32_t)k->col >= v->n_cols))
            return BAD(v, "key of column %d of %u", k->col, v->n_cols);
        if (k->col >= 0 && v->cols[k->col] != v->code->reg_types[k->reg])
            return BAD(v, "key r%u has not the type of its column", k->reg);
    }
    for (uint32_t i = 0; i < s->n_aggs && st == OK; i++)
        st = check_aggregate(v, &s->aggs[i]);
    if (st != OK || (st = set_cols(v, s->n_keys + s->n_aggs)) != OK)
        return st;
    for (uint32_t i = 0; i < s->n_keys; i++)
        v->cols[i] = v->code->reg_types[s->keys[i].reg];
    for (uint32_t i = 0; i < s->n_aggs; i++)
        v->cols[s->n_keys + i] = s->aggs[i].type;
    return OK;
}

static Status check_project(Verify *v, const Spec *s)
{
    Type *old = xmalloc((v->n_cols + 1) * sizeof *old);
    memcpy(old, v->cols, v->n_cols * sizeof *old);
    uint32_t n_old = v->n_cols;
    Status st = set_cols(v, s->n_cols);
    for (uint32_t i = 0; i < s->n_cols && st == OK; i++) {
        if (s->cols[i] >= n_old)
            st = BAD(v, "t%u of %u columns", s->cols[i], n_old);
        else
            v->cols[i] = old[s->cols[i]];
    }
    free(old);
    return st;
}

/* The code of a join over some columns of a pair with those types. */
static Status check_part(Verify *v, const PartCode *part, const Type *types, uint32_t n_types)
{
    const Code *c = part->code;
    Error err = {0};
    if (!c->in || c->in->n_cols != part->n_cols || !c->out)
        return BAD(v, "code of %u columns has others", part->n_cols);
    for (uint32_t i = 0; i < part->n_cols; i++) {
        if (part->cols[i] >= n_types || (i && part->cols[i] <= part->cols[i - 1]))
            return BAD(v, "column %u of %u of a pair", part->cols[i], n_types);
        if (c->in->cols[i].type != types[part->cols[i]])
            return BAD(v, "column %u of a pair is %s, not %s", part->cols[i],
                       type_name(types[part->cols[i]]), type_name(c->in->cols[i].type));
    }
    return code_verify(c, &err) == OK ? OK : BAD(v, "%s", err.text);
}

static Status check_join_parts(Verify *v, const Spec *s, const Type *types, uint32_t n_types)
{
    Status st = OK;
    const PartCode *keys = &s->table_keys, *rest = &s->rest;
    if ((s->n_keys != 0) != (keys->code != NULL))
        return BAD(v, "keys of the table are missing, or too many");
    if (keys->code && (st = check_part(v, keys, types, n_types)) != OK)
        return st;
    if (keys->code && keys->n_cols && keys->cols[0] < v->n_cols)
        return BAD(v, "keys of the table are of another one");
    if (keys->code && keys->code->out->n_cols != s->n_keys)
        return BAD(v, "%u keys for %u", keys->code->out->n_cols, s->n_keys);
    for (uint32_t i = 0; i < s->n_keys && st == OK; i++)
        st = reg_typed(v, s->keys[i].reg, keys->code->out->cols[i].type);
    if (st != OK || !rest->code || (st = check_part(v, rest, types, n_types)) != OK)
        return st;
    if (rest->code->out->n_cols != 1 || rest->code->out->cols[0].type != TYPE_BOOL)
        return BAD(v, "the rest of the condition is no condition");
    return OK;
}

static Status check_join(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = take_spec(v, in.a, SPEC_JOIN, &s);
    if (st != OK || (st = check_keys(v, s)) != OK)
        return st;
    if (!s->schema)
        return BAD(v, "has no schema");
    uint32_t n = v->n_cols, n_table = s->schema->n_cols;
    Type *types = xmalloc((n + n_table + 1ull) * sizeof *types);
    memcpy(types, v->cols, n * sizeof *types);
    for (uint32_t i = 0; i < n_table; i++)
        types[n + i] = s->schema->cols[i].type;
    st = check_join_parts(v, s, types, n + n_table);
    free(types);
    if (st != OK || s->join == CODE_JOIN_SEMI || s->join == CODE_JOIN_ANTI)
        return st;
    if ((st = set_cols(v, n + s->n_cols)) != OK)
        return st;
    for (uint32_t i = 0; i < s->n_cols; i++) {
        if (s->cols[i] >= n_table)
            return BAD(v, "column %u of %u of the table", s->cols[i], n_table);
        v->cols[n + i] = s->schema->cols[s->cols[i]].type;
    }
    return OK;
}

static bool is_number(Type t)
{
    return t == TYPE_INT || t == TYPE_FLOAT;
}

static Status check_union(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = take_spec(v, in.a, SPEC_UNION, &s);
    if (st != OK)
        return st;
    if (!s->schema || s->n_cols != v->n_cols)
        return BAD(v, "%u columns for %u", s->n_cols, v->n_cols);
    for (uint32_t i = 0; i < s->n_cols; i++) {
        if (s->cols[i] >= s->schema->n_cols)
            return BAD(v, "column %u of %u of the table", s->cols[i], s->schema->n_cols);
        Type t = s->schema->cols[s->cols[i]].type;
        if (t != v->cols[i] && !(is_number(t) && is_number(v->cols[i])))
            return BAD(v, "column %u is %s, not %s", s->cols[i], type_name(t),
                       type_name(v->cols[i]));
        v->cols[i] = t == v->cols[i] ? t : TYPE_FLOAT;
    }
    return OK;
}

static Status push_mask(Verify *v)
{
    return ++v->n_masks > MAX_MASKS ? BAD(v, "masks nest too deeply") : OK;
}

static Status check_string(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = take_spec(v, in.b, SPEC_STRING, &s);
    if (st != OK)
        return st;
    if (in.a >= v->n_cols || v->cols[in.a] != TYPE_STRING)
        return BAD(v, "t%u is no string column", in.a);
    bool is_list = s->fn == N_BUILTINS;
    if (!is_list && s->fn != BUILTIN_CONTAINS && s->fn != BUILTIN_STARTS_WITH && s->fn != BUILTIN_ENDS_WITH)
        return BAD(v, "s%u is no test of a string", in.b);
    if (s->n_values == 0 || (!is_list && (s->n_values != 1 || s->values[0].s.len == 0)))
        return BAD(v, "s%u has no string to look for", in.b);
    for (uint32_t i = 0; i < s->n_values; i++)
        if (s->values[i].is_null || s->values[i].type != TYPE_STRING)
            return BAD(v, "value %u of s%u is not string", i, in.b);
        else if (i && value_cmp(&s->values[i - 1], &s->values[i]) >= 0)
            return BAD(v, "value %u of s%u is not above the one before", i, in.b);
    const Code *c = v->code;
    for (uint32_t i = 1; i <= in.c; i++) {
        Opcode op = v->pc + i < c->n_instrs ? (Opcode)c->instrs[v->pc + i].op : OP_END;
        if (i == in.c ? op != OP_FILTER : op > OP_TO_STRING || op == OP_DEFINE)
            return BAD(v, "leads past something else than a condition and its FILTER");
    }
    void_regs(v);
    return OK;
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
        return in.b < v->n_cols ? reg_typed(v, in.a, v->cols[in.b])
                                : BAD(v, "t%u of %u columns", in.b, v->n_cols);
    case OP_CONST:
        return in.b < c->n_consts ? reg_typed(v, in.a, c->consts[in.b].type)
                                  : BAD(v, "k%u of %u constants", in.b, c->n_consts);
    case OP_DEFINE:
        v->has_table = true;
        if (in.a > v->n_cols)
            return BAD(v, "t%u of %u columns", in.a, v->n_cols);
        if (in.a == v->n_cols && (st = set_cols(v, v->n_cols + 1)) != OK)
            return st;
        v->cols[in.a] = c->reg_types[in.b];
        return OK;
    case OP_IN:
        if ((st = take_spec(v, in.c, SPEC_IN, &s)) != OK)
            return st;
        for (uint32_t i = 0; i < s->n_values; i++)
            if (s->values[i].is_null || s->values[i].type != c->reg_types[in.b])
                return BAD(v, "value %u of s%u is not %s", i, in.c,
                           type_name(c->reg_types[in.b]));
            else if (i && value_cmp(&s->values[i - 1], &s->values[i]) >= 0)
                return BAD(v, "value %u of s%u is not above the one before", i, in.c);
        return OK;
    case OP_CALL:
        return check_call(v, in);
    case OP_CONCAT:
        if ((st = take_spec(v, in.c, SPEC_CONCAT, &s)) != OK ||
            (st = regs_read(v, in.b, s->n_args)) != OK)
            return st;
        for (uint32_t i = 0; i < s->n_args && st == OK; i++) {
            st = reg_typed(v, in.b + i, TYPE_STRING);
            uint16_t change = s->cases ? s->cases[i] : N_BUILTINS;
            if (st == OK && change != BUILTIN_UPPER && change != BUILTIN_LOWER && change != N_BUILTINS)
                st = BAD(v, "string %u is changed by a function that CONCAT has not", i);
        }
        return st;
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
        st = take_spec(v, in.a, SPEC_READ, &s);
        return st != OK ? st : set_schema(v, s->schema);
    case OP_RANGE:
        if (v->has_table || c->in)
            return BAD(v, "is not first");
        v->has_table = true;
        void_regs(v);
        if ((st = set_cols(v, 1)) == OK)
            v->cols[0] = TYPE_INT;
        return st;
    case OP_PROJECT:
        st = take_spec(v, in.a, SPEC_PROJECT, &s);
        return st != OK ? st : check_project(v, s);
    case OP_EXPLODE:
        if ((st = take_spec(v, in.b, SPEC_EXPLODE, &s)) != OK)
            return st;
        if (s->n_cols != 1 || s->cols[0] >= v->n_cols || v->cols[s->cols[0]] != TYPE_STRING)
            return BAD(v, "s%u names no string column of the table", in.b);
        if (s->n_values != 1 || s->values[0].type != TYPE_STRING || s->values[0].is_null || s->values[0].s.len == 0)
            return BAD(v, "s%u has no separator", in.b);
        void_regs(v);
        return OK;
    case OP_FILTER_STRING:
        return check_string(v, in);
    case OP_FILTER:
    case OP_TAKE:
    case OP_SKIP:
        void_regs(v);
        return OK;
    case OP_SORT:
    case OP_DISTINCT:
    case OP_TOP:
        if ((st = take_spec(v, in.op == OP_TOP ? in.b : in.a, SPEC_KEYS, &s)) != OK ||
            (st = check_keys(v, s)) != OK)
            return st;
        void_regs(v);
        return OK;
    case OP_GROUP:
        st = check_group(v, in);
        void_regs(v);
        return st;
    case OP_JOIN:
        st = check_join(v, in);
        void_regs(v);
        return st;
    case OP_UNION:
        st = check_union(v, in);
        void_regs(v);
        return st;
    case OP_EXEC:
        if ((st = take_spec(v, in.a, SPEC_EXEC, &s)) != OK)
            return st;
        if (s->n_values == 0 || !s->in || s->in->n_cols != v->n_cols || !s->schema)
            return BAD(v, "s%u is no command for this table", in.a);
        void_regs(v);
        return set_schema(v, s->schema);
    case OP_LOG:
        return take_spec(v, in.b, SPEC_LOG, &s);
    case OP_FAIL:
        return take_spec(v, in.b, SPEC_FAIL, &s);
    case OP_WRITE_CSV:
        if ((st = take_spec(v, in.b, SPEC_WRITE, &s)) != OK)
            return st;
        if (!s->schema || s->schema->n_cols != v->n_cols)
            return BAD(v, "s%u has not the columns of the table", in.b);
        return OK;
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
        if ((read >> i & 1) && (st = reg_read(v, r)) != OK)
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
        st = code->in->n_cols == code->n_in ? set_schema(&v, code->in)
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
