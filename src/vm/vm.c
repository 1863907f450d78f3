#include "vm/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cycles.h"
#include "data/reject.h"
#include "vm/pass.h"

Vm *vm_open(void)
{
    return xcalloc(1, sizeof(Vm));
}

void vm_close(Vm *vm)
{
    if (!vm)
        return;
    for (uint32_t i = 0; i < vm->n_regs; i++)
        column_unref(vm->regs[i].col);
    for (uint32_t i = 0; i < vm->n_spare; i++)
        column_unref(vm->spare[i].col);
    for (uint32_t i = 0; i < vm->n_masks; i++)
        free(vm->masks[i].bits);
    vm_close(vm->inner);
    regexes_close(vm->regexes);
    free(vm->masks);
    free(vm->live.bits);
    free(vm->bad.bits);
    for (uint32_t i = 0; vm->spoilt && i < vm->n_regs; i++)
        free(vm->spoilt[i]);
    free(vm->spoilt);
    free(vm->regs);
    free(vm);
}

static void regs_open(Vm *vm, uint32_t n)
{
    if (n <= vm->n_regs)
        return;
    vm->regs = xrealloc(vm->regs, n * sizeof *vm->regs);
    if (vm->spoilt) {
        vm->spoilt = xrealloc(vm->spoilt, (n + 1ull) * sizeof *vm->spoilt);
        for (uint32_t i = vm->n_regs; i < n; i++)
            vm->spoilt[i] = NULL;
    }
    for (; vm->n_regs < n; vm->n_regs++)
        vm->regs[vm->n_regs] = (Reg){.is_const = true, .is_null = true, .k.s = {"", 0, 0}};
}

/* ---- masks ---- */

/* Word w of the rows for which a mask instruction asks. */
static uint64_t asked(Opcode op, const Reg *r, uint32_t w, uint32_t n)
{
    uint64_t valid = r->is_const ? (r->is_null ? 0 : ~0ull) : bits_word(r->col->valid, w, n);
    if (op == OP_MASK_NULL)
        return ~valid;
    uint64_t yes = valid & (r->is_const ? (r->k.b & 1 ? ~0ull : 0)
                                        : bools_word(column_bools(r->col), w, n));
    if (op == OP_MASK_TRUE)
        return yes;
    return op == OP_MASK_NOT_TRUE ? ~yes : ~(valid & ~yes);
}

static void mask_push(Pass *p, Opcode op, const Reg *r)
{
    Vm *vm = p->vm;
    if (p->depth == vm->n_masks) {
        vm->masks = xrealloc(vm->masks, (vm->n_masks + 1ull) * sizeof *vm->masks);
        vm->masks[vm->n_masks++] = (Bitmap){0};
    }
    uint64_t *bits = bitmap_room(&vm->masks[p->depth], p->n);
    for (uint32_t w = 0; w < bit_words(p->n); w++)
        bits[w] = bits_word(p->mask, w, p->n) & asked(op, r, w, p->n);
    p->depth++;
    p->mask = bits;
}

static void mask_pop(Pass *p)
{
    p->depth--;
    p->mask = p->depth ? p->vm->masks[p->depth - 1].bits : p->alive;
}

/* ---- effects ---- */

/* The one value of an operand that belongs to the instance: a constant or the first row's. */
static bool one_value(const Pass *p, const Reg *r, Value *out)
{
    *out = (Value){.type = r->type, .is_null = true};
    if (r->is_const || p->n > 0)
        *out = reg_value(r, 0);
    return !out->is_null;
}

static Str one_text(const Pass *p, const Reg *r)
{
    Value v;
    return one_value(p, r, &v) ? v.s : (Str){"", 0};
}

static Status count_of(Pass *p, const Reg *r, uint64_t *out)
{
    Value v;
    bool known = one_value(p, r, &v);
    *out = known && v.i > 0 ? (uint64_t)v.i : 0;
    if (known && v.i < 0)
        return pass_error(p, "the number of rows is negative (%lld)", (long long)v.i);
    return OK;
}

static void log_lines(const Pass *p, const Reg *r, bool per_row)
{
    if (!p->host->log)
        return;
    if (!per_row) {
        p->host->log(p->host->ctx, one_text(p, r));
        return;
    }
    for (uint32_t i = 0; i < p->n; i++)
        p->host->log(p->host->ctx, reg_is_null(r, i) ? (Str){"", 0} : reg_str(r, i));
}

/* A row in which the condition itself is an error has been told of. */
static void drop_untold(Pass *p, uint32_t row)
{
    if (p->rejects && p->rejects->n_nulled) {
        p->rejects->n_nulled--;
        p->rejects->n_skipped++;
    }
    row_kill(p, row);
}

static Status check_assert(Pass *p, Instr in)
{
    const Reg *r = &p->vm->regs[in.a], *message = &p->vm->regs[in.b];
    BITS_EACH(i, p->mask, p->n)
    {
        if (!reg_is_null(r, i) && reg_bool(r, i))
            continue;
        if (is_spoilt(p, in.a, i)) {
            drop_untold(p, i);
            continue;
        }
        Str m = reg_is_null(message, i) ? (Str){"", 0} : reg_str(message, i);
        if (m.len == 0) {
            if (pass_assert_failed(p, i, "assert failed") != OK)
                return ERR_ROW;
            continue;
        }
        Buf b = {0}; /* it says more than the expression */
        buf_puts(&b, "assert failed: ");
        buf_put_visible(&b, m);
        Status st = pass_assert_failed(p, i, b.ptr);
        buf_deinit(&b);
        if (st != OK)
            return st;
    }
    return OK;
}

static Status fail(Pass *p, const Reg *r, bool is_permanent)
{
    Buf b = {0};
    buf_put_visible(&b, one_text(p, r));
    Status st = error_set(p->err, is_permanent ? ERR_FAIL_PERMANENT : ERR_FAIL, "%s",
                          b.ptr ? b.ptr : "");
    buf_deinit(&b);
    return st;
}

static Status wait(Pass *p, const Reg *r)
{
    Value v;
    if (!one_value(p, r, &v) || v.i <= 0 || !p->host->sleep)
        return OK;
    return p->host->sleep(p->host->ctx, v.i, p->err);
}

/* ---- the loop ---- */

static Status pass_instr(Pass *p, Instr in)
{
    Vm *vm = p->vm;
    Reg *regs = vm->regs;
    const Spec *specs = p->code->specs;
    uint64_t n;
    Status st;
    switch ((Opcode)in.op) {
    case OP_LOAD: return table_load(p, in);
    case OP_CONST: reg_set_const(vm, &regs[in.a], p->code->consts[in.b]); return OK;
    case OP_DEFINE: table_define(p, in.a, &regs[in.b]); return OK;
    case OP_MASK_TRUE:
    case OP_MASK_NOT_TRUE:
    case OP_MASK_NOT_FALSE:
    case OP_MASK_NULL: mask_push(p, in.op, &regs[in.a]); return OK;
    case OP_MASK_POP: mask_pop(p); return OK;
    case OP_READ_CSV: return OK; /* the runner read it: the table is its batch */
    case OP_RANGE: return table_range(p, &regs[in.a], &regs[in.b]);
    case OP_FILTER: table_filter(p, &regs[in.a]); return OK;
    case OP_FILTER_STRING:
        if (table_filter_string(p, in.a, &specs[in.b]))
            p->pc += in.c;
        return OK;
    case OP_EXPLODE: return table_explode(p, &regs[in.a], &specs[in.b]);
    case OP_PROJECT: table_project(p, &specs[in.a]); return OK;
    case OP_TAKE:
        if ((st = count_of(p, &regs[in.a], &n)) == OK)
            table_slice(p, 0, n);
        return st;
    case OP_SKIP:
        if ((st = count_of(p, &regs[in.a], &n)) == OK)
            table_slice(p, n, UINT64_MAX);
        return st;
    case OP_SORT:
        if (p->keys) {
            *p->keys = key_columns(p, &specs[in.a]);
            return OK;
        }
        table_sort(p, &specs[in.a], UINT64_MAX); return OK;
    case OP_TOP:
        if ((st = count_of(p, &regs[in.a], &n)) == OK)
            table_sort(p, &specs[in.b], n);
        return st;
    case OP_DISTINCT:
        if (p->keys) {
            *p->keys = key_columns(p, &specs[in.a]);
            return OK;
        }
        table_distinct(p, &specs[in.a]); return OK;
    case OP_GROUP:
        if (p->keys) {
            *p->keys = key_columns(p, &specs[in.a]);
            return OK;
        }
        return table_group(p, &specs[in.a]);
    case OP_EXEC: return table_exec(p, &specs[in.a]);
    case OP_JOIN: return table_join(p, &specs[in.a]);
    case OP_UNION: return table_union(p, &specs[in.a]);
    case OP_LOG: log_lines(p, &regs[in.a], specs[in.b].per_row); return OK;
    case OP_ASSERT: return check_assert(p, in);
    case OP_FAIL: return fail(p, &regs[in.a], specs[in.b].is_permanent);
    case OP_SLEEP: return wait(p, &regs[in.a]);
    case OP_WRITE_CSV:
        if ((st = table_prepare_write(p, &specs[in.b])) != OK)
            return st;
        return p->host->write(p->host->ctx, &specs[in.b], one_text(p, &regs[in.a]), p->t, p->err);
    case OP_MOVE: case OP_ADD_INT: case OP_SUB_INT: case OP_MUL_INT: case OP_IDIV_INT:
    case OP_MOD_INT: case OP_NEG_INT: case OP_ADD_FLOAT: case OP_SUB_FLOAT:
    case OP_MUL_FLOAT: case OP_DIV_FLOAT: case OP_IDIV_FLOAT: case OP_MOD_FLOAT:
    case OP_POW_FLOAT: case OP_NEG_FLOAT: case OP_INT_TO_FLOAT: case OP_SUB_DATE:
    case OP_DATE_PLUS: case OP_DATE_MINUS: case OP_EQ_INT: case OP_NE_INT: case OP_LT_INT:
    case OP_LE_INT: case OP_EQ_FLOAT: case OP_NE_FLOAT: case OP_LT_FLOAT: case OP_LE_FLOAT:
    case OP_EQ_STRING: case OP_NE_STRING: case OP_LT_STRING: case OP_LE_STRING:
    case OP_EQ_BOOL: case OP_NE_BOOL: case OP_LT_BOOL: case OP_LE_BOOL: case OP_IN:
    case OP_NOT: case OP_AND: case OP_OR: case OP_IS_NULL: case OP_IS_NOT_NULL:
    case OP_COALESCE: case OP_SELECT: case OP_CALL: case OP_CONCAT: case OP_TO_STRING:
        return pass_expr(p, in);
    case OP_END:
    case N_OPCODES: return OK;
    }
    return OK;
}

static inline Status pass_one(Pass *p, Instr in)
{
    if (p->is_marked)
        bad_rows_before(p, in);
    Status st = pass_instr(p, in);
    if (p->is_marked)
        bad_rows_after(p, in);
    return st;
}

static uint64_t time_now(const Pass *p)
{
    return p->inst->counts_cycles ? cycles_now() : (uint64_t)clock_now_ns();
}

/* Instructions [p->pc, end), each counted: where one ends the next begins. */
static Status pass_counted(Pass *p, uint32_t end)
{
    Status st = OK;
    uint64_t before = time_now(p);
    for (; p->pc < end && st == OK; p->pc++) {
        VmCount *count = &p->counts[p->pc];
        count->n_runs++;
        count->n_rows += p->n;
        st = pass_one(p, p->code->instrs[p->pc]);
        uint64_t now = time_now(p);
        if (now > before) /* the counts of two processors may differ a little */
            count->time += now - before;
        before = now;
    }
    return st;
}

/* Runs instructions [p->pc, end) over the pass's table. out may be NULL. */
static Status pass_run(Pass *p, uint32_t end, Batch **out)
{
    Vm *vm = p->vm;
    regs_open(vm, p->code->n_regs);
    p->n_numbered = p->n = p->t->n_rows;
    p->numbers_rows = p->code->has_row_context || p->rejects;
    Status st = p->counts ? pass_counted(p, end) : OK;
    for (; p->pc < end && st == OK; p->pc++)
        st = pass_one(p, p->code->instrs[p->pc]);
    if (st == OK && p->alive)
        bad_rows_end(p);
    bad_rows_forget(p);
    /* Registers hold columns of this table: let go, the batch's memory is not ours to keep. */
    for (uint32_t i = 0; i < p->code->n_regs; i++)
        reg_clear(vm, &vm->regs[i]);
    free(p->input_rows);
    free(p->copies);
    if (st == OK && out)
        *out = p->t;
    else
        batch_unref(p->t);
    return st;
}

static void pass_policy(Pass *p, const VmInstance *inst)
{
    p->bad_rows = inst->bad_rows;
    p->rejects = inst->bad_rows == BAD_ROWS_FAIL ? NULL : inst->rejects;
    if (p->rejects)
        rejects_next_group(p->rejects);
}

Status vm_run_part(Vm *vm, const Code *code, uint32_t first, uint32_t end, const VmHost *host,
                   const VmInstance *inst, const Batch *in, Batch **out, Error *err)
{
    Pass p = {.vm = vm, .code = code, .host = host, .inst = inst, .pc = first, .t = table_open(in),
              .counts = inst->counts, .err = err};
    pass_policy(&p, inst);
    return pass_run(&p, end, out);
}

Status vm_run_keys(Vm *vm, const Code *code, uint32_t first, const VmInstance *inst, const Batch *in,
                   const Spec **spec, Column ***keys, Error *err)
{
    static const VmHost nothing = {0}; /* expressions reach nothing outside */
    uint32_t i = first;
    while (code->instrs[i].op != OP_SORT && code->instrs[i].op != OP_DISTINCT && code->instrs[i].op != OP_GROUP)
        i++;
    *spec = &code->specs[code->instrs[i].a];
    Pass p = {.vm = vm, .code = code, .host = &nothing, .inst = inst, .pc = first, .t = table_open(in),
              .keys = keys, .err = err};
    pass_policy(&p, inst);
    return pass_run(&p, i + 1, NULL);
}

Status vm_run_groups(Vm *vm, const Code *code, const VmHost *host, const VmInstance *inst,
                     const Batch *in, Groups **out, Error *err)
{
    Pass p = {.vm = vm, .code = code, .host = host, .inst = inst, .t = table_open(in),
              .counts = inst->counts, .groups = out, .err = err};
    pass_policy(&p, inst);
    return pass_run(&p, code->n_instrs, NULL);
}

Status pass_run_part(Pass *outer, const Code *code, const Batch *in, const Pass *of, Batch **out)
{
    Vm *vm = outer->vm;
    if (!vm->inner)
        vm->inner = vm_open();
    Pass p = {.vm = vm->inner, .code = code, .host = outer->host, .inst = outer->inst,
              .t = table_open(in), .err = outer->err, .bad_rows = of->bad_rows, .rejects = of->rejects,
              .failed = of->failed, .pair_left = of->pair_left};
    if (of->input_rows && (code->has_row_context || p.rejects)) {
        p.input_rows = xmalloc((in->n_rows + 1ull) * sizeof *p.input_rows);
        memcpy(p.input_rows, of->input_rows, in->n_rows * sizeof *p.input_rows);
    }
    return pass_run(&p, code->n_instrs, out);
}

Status vm_run(Vm *vm, const Code *code, const VmHost *host, const VmInstance *inst,
              const Batch *in, Batch **out, Error *err)
{
    return vm_run_part(vm, code, 0, code->n_instrs, host, inst, in, out, err);
}
