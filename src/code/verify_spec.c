/* verify_spec.c - instructions that have a Spec: is it what they need, of the table as it is? */
#include "code/verify_int.h"

#include <stdlib.h>

static Status check_call(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = verify_spec(v, in.c, SPEC_CALL, &s);
    if (st != OK || (st = verify_reads(v, in.b, s->n_args)) != OK)
        return st;
    if ((uint32_t)s->fn >= N_BUILTINS)
        return BAD(v, "function %u", (unsigned)s->fn);
    const Builtin *fn = builtin_get(s->fn);
    if (fn->kind == BUILTIN_KIND_AGG)
        return BAD(v, "`%s` cannot be called", fn->name);
    if (s->n_args && !s->arg_types)
        return BAD(v, "`%s` has no types of its arguments", fn->name);
    for (uint32_t i = 0; i < s->n_args && st == OK; i++)
        st = verify_typed(v, in.b + i, s->arg_types[i]);
    BuiltinFit fit;
    if (st == OK && !builtin_resolve(fn, s->arg_types, s->n_args, NULL, &fit))
        return BAD(v, "`%s`: %s", fn->name, fit.why);
    if (st == OK && fit.result != s->type)
        return BAD(v, "`%s` gives %s, not %s", fn->name, type_name(fit.result),
                   type_name(s->type));
    return st != OK ? st : verify_typed(v, in.a, s->type);
}

static Status check_aggregate(Verify *v, const AggSpec *a)
{
    if ((uint32_t)a->fn >= N_BUILTINS || a->n_args > BUILTIN_MAX_PARAMS)
        return BAD(v, "aggregate %u of %u arguments", (unsigned)a->fn, a->n_args);
    const Builtin *fn = builtin_get(a->fn);
    if (fn->kind != BUILTIN_KIND_AGG)
        return BAD(v, "`%s` is no aggregate", fn->name);
    Status st = verify_reads(v, a->reg, a->n_args);
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
        st = verify_read(v, s->keys[i].reg);
    return st;
}

static Status check_group(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = verify_spec(v, in.a, SPEC_GROUP, &s);
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
    if (st != OK || (st = verify_set_cols(v, s->n_keys + s->n_aggs)) != OK)
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
    Status st = verify_set_cols(v, s->n_cols);
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
        st = verify_typed(v, s->keys[i].reg, keys->code->out->cols[i].type);
    if (st != OK || !rest->code || (st = check_part(v, rest, types, n_types)) != OK)
        return st;
    if (rest->code->out->n_cols != 1 || rest->code->out->cols[0].type != TYPE_BOOL)
        return BAD(v, "the rest of the condition is no condition");
    return OK;
}

static Status check_join(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = verify_spec(v, in.a, SPEC_JOIN, &s);
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
    if ((st = verify_set_cols(v, n + s->n_cols)) != OK)
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
    Status st = verify_spec(v, in.a, SPEC_UNION, &s);
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

static Status check_string(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = verify_spec(v, in.b, SPEC_STRING, &s);
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
    verify_void(v);
    return OK;
}

static Status check_in(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Type want = v->code->reg_types[in.b];
    Status st = verify_spec(v, in.c, SPEC_IN, &s);
    if (st != OK)
        return st;
    for (uint32_t i = 0; i < s->n_values; i++)
        if (s->values[i].is_null || s->values[i].type != want)
            return BAD(v, "value %u of s%u is not %s", i, in.c, type_name(want));
        else if (i && value_cmp(&s->values[i - 1], &s->values[i]) >= 0)
            return BAD(v, "value %u of s%u is not above the one before", i, in.c);
    return OK;
}

static Status check_concat(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = verify_spec(v, in.c, SPEC_CONCAT, &s);
    if (st != OK || (st = verify_reads(v, in.b, s->n_args)) != OK)
        return st;
    for (uint32_t i = 0; i < s->n_args && st == OK; i++) {
        st = verify_typed(v, in.b + i, TYPE_STRING);
        uint16_t change = s->cases ? s->cases[i] : N_BUILTINS;
        if (st == OK && change != BUILTIN_UPPER && change != BUILTIN_LOWER && change != N_BUILTINS)
            st = BAD(v, "string %u is changed by a function that CONCAT has not", i);
    }
    return st;
}

static Status check_explode(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = verify_spec(v, in.b, SPEC_EXPLODE, &s);
    if (st != OK)
        return st;
    if (s->n_cols != 1 || s->cols[0] >= v->n_cols || v->cols[s->cols[0]] != TYPE_STRING)
        return BAD(v, "s%u names no string column of the table", in.b);
    if (s->n_values != 1 || s->values[0].type != TYPE_STRING || s->values[0].is_null || s->values[0].s.len == 0)
        return BAD(v, "s%u has no separator", in.b);
    return OK;
}

static Status check_exec(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = verify_spec(v, in.a, SPEC_EXEC, &s);
    if (st != OK)
        return st;
    if (s->n_values == 0 || !s->in || s->in->n_cols != v->n_cols || !s->schema)
        return BAD(v, "s%u is no command for this table", in.a);
    verify_void(v);
    return verify_set_schema(v, s->schema);
}

static Status check_write(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = verify_spec(v, in.b, SPEC_WRITE, &s);
    if (st == OK && (!s->schema || s->schema->n_cols != v->n_cols))
        st = BAD(v, "s%u has not the columns of the table", in.b);
    return st;
}

static Status check_ordered(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st = verify_spec(v, in.op == OP_TOP ? in.b : in.a, SPEC_KEYS, &s);
    return st == OK ? check_keys(v, s) : st;
}

Status verify_with_spec(Verify *v, Instr in)
{
    const Spec *s = NULL;
    Status st;
    switch ((int)in.op) {
    case OP_CALL: return check_call(v, in);
    case OP_IN: return check_in(v, in);
    case OP_CONCAT: return check_concat(v, in);
    case OP_PROJECT:
        st = verify_spec(v, in.a, SPEC_PROJECT, &s);
        return st != OK ? st : check_project(v, s);
    case OP_FILTER_STRING: return check_string(v, in);
    case OP_LOG: return verify_spec(v, in.b, SPEC_LOG, &s);
    case OP_FAIL: return verify_spec(v, in.b, SPEC_FAIL, &s);
    case OP_WRITE_CSV: return check_write(v, in);
    case OP_EXEC: return check_exec(v, in);
    case OP_EXPLODE: st = check_explode(v, in); break;
    case OP_GROUP: st = check_group(v, in); break;
    case OP_JOIN: st = check_join(v, in); break;
    case OP_UNION: st = check_union(v, in); break;
    default: st = check_ordered(v, in); break; /* SORT, DISTINCT, TOP */
    }
    if (st == OK)
        verify_void(v);
    return st;
}
