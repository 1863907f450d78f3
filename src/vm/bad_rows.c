/* bad_rows.c - errors of rows that a policy (@bad_rows) lets pass.
 *
 * `skip`: the row is dead from there on. It stays in the table until an operation needs to be without it; meanwhile the
 * mask leaves it out, so that nothing more is computed, and nothing more fails, in it.
 *
 * `null`: a cell that does not decode is null in the table. An error in a computation makes the whole expression null: the
 * register is *spoilt* in that row, and so is every register that is computed with it, whatever `??` or `if` make
 * of the null on the way; what uses the value of the expression finds null. A cast that fails is null and no more, so
 * that `int(x) ?? 0` has its 0. */
#include <stdlib.h>

#include "data/reject.h"
#include "vm/pass.h"

/* ---- marking ---- */

static uint64_t *bits_all(uint32_t n)
{
    uint32_t n_words = bit_words(n);
    uint64_t *bits = xmalloc((n_words + 1ull) * sizeof *bits);
    for (uint32_t w = 0; w < n_words; w++)
        bits[w] = bits_word(NULL, w, n);
    return bits;
}

void row_kill(Pass *p, uint32_t row)
{
    if (!p->alive)
        p->alive = bits_all(p->n);
    bit_clear(p->alive, row);
    for (uint32_t d = 0; d < p->depth; d++)
        bit_clear(p->vm->masks[d].bits, row);
    if (p->depth == 0)
        p->mask = p->alive;
    p->is_marked = true;
}

static void row_spoil(Pass *p, uint32_t row)
{
    if (!p->fresh)
        p->fresh = xcalloc(bit_words(p->n) + 1ull, sizeof *p->fresh);
    bit_set(p->fresh, row);
    p->is_marked = true;
}

/* The first error of a pair of rows is one of its left row, if that is to be dropped. */
static bool is_told(const Pass *p, uint32_t row)
{
    if (p->failed && bit_get(p->failed, p->pair_left[row]))
        return false;
    if (p->failed)
        bit_set(p->failed, p->pair_left[row]);
    return p->rejects != NULL;
}

static void tell(Pass *p, Reject *what, uint32_t row)
{
    what->row = p->input_rows ? p->input_rows[row] : row;
    what->is_nulled = what->is_nulled && p->rejects->policy == BAD_ROWS_NULL; /* that of pairs is another */
    rejects_put(p->rejects, what);
}

static void tell_of(Pass *p, uint32_t row, RowError kind, Str value, Str message, bool is_nulled)
{
    Reject what = {.column = p->code->notes[p->pc].column, .value = value, .message = message,
                   .kind = kind, .is_nulled = is_nulled};
    Buf held = {0};
    if (!is_told(p, row))
        return;
    if (p->rejects->keeps_lines)
        rejects_place(p->rejects, p->t, row, -1, &what, &held);
    tell(p, &what, row);
    buf_deinit(&held);
}

void bad_row(Pass *p, uint32_t row, RowError kind, Str value, Str message, bool must_skip)
{
    bool is_skipped = must_skip || p->bad_rows == BAD_ROWS_SKIP;
    tell_of(p, row, kind, value, message, !is_skipped);
    if (is_skipped)
        row_kill(p, row);
    else if (kind != ROW_ERROR_CAST)
        row_spoil(p, row);
}

void bad_constant(Pass *p, RowError kind, Str value, Str message)
{
    bool is_skipped = p->bad_rows == BAD_ROWS_SKIP;
    for (uint32_t row = bits_next(p->mask, 0, p->n); row < p->n; row = bits_next(p->mask, row + 1, p->n)) {
        tell_of(p, row, kind, value, message, !is_skipped);
        if (is_skipped)
            row_kill(p, row);
    }
    if (!is_skipped && kind != ROW_ERROR_CAST)
        p->fresh_is_all = p->is_marked = true;
}

static void tell_cell(Pass *p, uint32_t col, Str name, uint32_t row)
{
    rejects_put_cell(p->rejects, p->t, row, col, name, p->input_rows ? p->input_rows[row] : row);
}

void bad_cells(Pass *p, uint32_t col, Str name, const uint64_t *rows)
{
    BITS_EACH(row, rows, p->n)
    {
        if (is_told(p, row))
            tell_cell(p, col, name, row);
        if (p->bad_rows == BAD_ROWS_SKIP)
            row_kill(p, row);
    }
}

void bad_rows_forget(Pass *p)
{
    if (!p->is_marked)
        return;
    free(p->alive);
    free(p->fresh);
    p->alive = p->fresh = NULL;
    p->fresh_is_all = p->is_marked = false;
    p->mask = NULL; /* tables change between statements, where no mask is */
    for (uint32_t i = 0; p->vm->spoilt && i < p->vm->n_regs; i++) {
        free(p->vm->spoilt[i]);
        p->vm->spoilt[i] = NULL;
    }
}

/* ---- spoilt registers ---- */

static uint64_t *spoilt_bits(const Pass *p, uint16_t reg)
{
    return p->vm->spoilt ? p->vm->spoilt[reg] : NULL;
}

bool is_spoilt(const Pass *p, uint16_t reg, uint32_t row)
{
    const uint64_t *bits = spoilt_bits(p, reg);
    return bits && bit_get(bits, row);
}

/* Word w of the rows for which an instruction that chooses looks at its second operand: register c, of SELECT what
 * was in a. */
static uint64_t looks_further(const Pass *p, Instr in, uint32_t w)
{
    const Reg *r = &p->vm->regs[in.op == OP_SELECT ? in.c : in.b];
    uint64_t valid = r->is_const ? (r->is_null ? 0 : ~0ull) : bits_word(r->col->valid, w, p->n);
    if (in.op == OP_COALESCE)
        return ~valid;
    uint64_t yes = valid & (r->is_const ? (r->k.b & 1 ? ~0ull : 0) : bools_word(column_bools(r->col), w, p->n));
    return in.op == OP_AND ? ~(valid & ~yes) : ~yes; /* SELECT, OR: not true */
}

/* bits |= those of a register. by: of an instruction that chooses, as the register is its first choice or not. */
typedef enum By { BY_ALL, BY_FIRST, BY_FURTHER } By;
static void spoil_from(const Pass *p, Instr in, uint64_t **bits, uint16_t reg, By by)
{
    const uint64_t *from = spoilt_bits(p, reg);
    if (!from)
        return;
    if (!*bits)
        *bits = xcalloc(bit_words(p->n) + 1ull, sizeof **bits);
    for (uint32_t w = 0; w < bit_words(p->n); w++) {
        uint64_t counts = by == BY_ALL ? ~0ull : looks_further(p, in, w);
        (*bits)[w] |= from[w] & (by == BY_FIRST ? ~counts : counts);
    }
}

/* What an instruction that makes register `a` has of its operands. */
static void spoil_operands(const Pass *p, Instr in, uint64_t **bits)
{
    switch (opcode_info((Opcode)in.op)->format) {
    case FMT_Rr:
    case FMT_RrS: spoil_from(p, in, bits, in.b, BY_ALL); break;
    case FMT_RRR:
        if (in.op == OP_SELECT) {
            spoil_from(p, in, bits, in.c, BY_ALL);
            spoil_from(p, in, bits, in.b, BY_FIRST);
            spoil_from(p, in, bits, in.a, BY_FURTHER);
            break;
        }
        spoil_from(p, in, bits, in.b, BY_ALL);
        spoil_from(p, in, bits, in.c, in.op == OP_COALESCE || in.op == OP_AND || in.op == OP_OR ? BY_FURTHER : BY_ALL);
        break;
    case FMT_RRS:
        for (uint32_t i = 0; i < p->code->specs[in.c].n_args; i++)
            spoil_from(p, in, bits, (uint16_t)(in.b + i), BY_ALL);
        break;
    case FMT_NONE:
    case FMT_R_:
    case FMT_RC:
    case FMT_RK:
    case FMT_r:
    case FMT_rr:
    case FMT_cR:
    case FMT_cS:
    case FMT_S:
    case FMT_rS: break;
    }
}

static bool makes_register(Opcode op)
{
    switch (opcode_info(op)->format) {
    case FMT_R_:
    case FMT_Rr:
    case FMT_RRR:
    case FMT_RC:
    case FMT_RK:
    case FMT_RrS:
    case FMT_RRS: return true;
    case FMT_NONE:
    case FMT_r:
    case FMT_rr:
    case FMT_cR:
    case FMT_cS:
    case FMT_S:
    case FMT_rS: return false;
    }
    return false;
}

void bad_rows_after(Pass *p, Instr in)
{
    uint64_t *bits = NULL;
    if (!makes_register((Opcode)in.op))
        return;
    spoil_operands(p, in, &bits);
    if (p->fresh_is_all && !bits)
        bits = bits_all(p->n);
    for (uint32_t w = 0; (p->fresh || p->fresh_is_all) && w < bit_words(p->n); w++) {
        if (!bits)
            bits = xcalloc(bit_words(p->n) + 1ull, sizeof *bits);
        bits[w] |= p->fresh_is_all ? bits_word(NULL, w, p->n) : p->fresh[w];
    }
    free(p->fresh);
    p->fresh = NULL;
    p->fresh_is_all = false;
    if (bits && !p->vm->spoilt)
        p->vm->spoilt = xcalloc(p->vm->n_regs + 1ull, sizeof *p->vm->spoilt);
    if (p->vm->spoilt) {
        free(p->vm->spoilt[in.a]);
        p->vm->spoilt[in.a] = bits;
    }
}

/* ---- what uses values ---- */

/* The register's value is null where it is spoilt. */
static void settle(Pass *p, uint16_t reg)
{
    const uint64_t *bits = spoilt_bits(p, reg);
    Reg *r = &p->vm->regs[reg];
    if (!bits || (r->is_const && r->is_null))
        return;
    uint32_t *rows = xmalloc((p->n + 1ull) * sizeof *rows);
    for (uint32_t i = 0; i < p->n; i++)
        rows[i] = bit_get(bits, i) ? UINT32_MAX : i;
    Column *all = pass_column(p, r), *rest = column_pick(all, rows, p->n);
    column_unref(all);
    free(rows);
    reg_set_col(p->vm, r, rest, 0);
}

static void settle_keys(Pass *p, const Spec *s)
{
    for (uint32_t i = 0; i < s->n_keys; i++)
        settle(p, s->keys[i].reg);
    for (uint32_t i = 0; i < s->n_aggs; i++)
        for (uint32_t k = 0; k < s->aggs[i].n_args; k++)
            settle(p, (uint16_t)(s->aggs[i].reg + k));
}

/* The operands of an instruction that is no expression. */
static void settle_operands(Pass *p, Instr in)
{
    if (!p->vm->spoilt)
        return;
    switch (opcode_info((Opcode)in.op)->format) {
    case FMT_r: settle(p, in.a); break;
    case FMT_rr:
        settle(p, in.a);
        settle(p, in.b);
        break;
    case FMT_cR: settle(p, in.b); break;
    case FMT_rS:
        settle(p, in.a);
        settle_keys(p, &p->code->specs[in.b]);
        break;
    case FMT_S: settle_keys(p, &p->code->specs[in.a]); break;
    case FMT_NONE:
    case FMT_cS:
    case FMT_R_:
    case FMT_Rr:
    case FMT_RRR:
    case FMT_RC:
    case FMT_RK:
    case FMT_RrS:
    case FMT_RRS: break;
    }
}

static uint32_t *alive_rows(const Pass *p, uint32_t *n)
{
    uint32_t *rows = xmalloc((p->n + 1ull) * sizeof *rows);
    *n = 0;
    BITS_EACH(row, p->alive, p->n) rows[(*n)++] = row;
    return rows;
}

/* Dropped rows leave the table and the registers. */
static void bury(Pass *p)
{
    Vm *vm = p->vm;
    uint32_t n, n_regs = p->code->n_regs;
    uint32_t *rows = alive_rows(p, &n);
    Reg *kept = xmalloc((n_regs + 1ull) * sizeof *kept);
    for (uint32_t i = 0; i < n_regs; i++) {
        kept[i] = vm->regs[i];
        kept[i].cap = 0;
        if (!kept[i].is_const && kept[i].col->n_rows == p->n)
            kept[i].col = column_gather(kept[i].col, rows, n);
        else if (kept[i].is_const && kept[i].col)
            column_ref(kept[i].col);
        else if (!kept[i].is_const) /* of a table before this one: nobody looks at it */
            kept[i] = (Reg){.is_const = true, .is_null = true, .k.s = {"", 0, 0}};
    }
    table_select(p, rows, n);
    for (uint32_t i = 0; i < n_regs; i++)
        vm->regs[i] = kept[i];
    free(kept);
    free(rows);
}

void bad_rows_before(Pass *p, Instr in)
{
    Opcode op = in.op;
    if (makes_register(op) || op == OP_MASK_TRUE || op == OP_MASK_NOT_TRUE || op == OP_MASK_NOT_FALSE ||
        op == OP_MASK_NULL || op == OP_MASK_POP)
        return;
    settle_operands(p, in);
    /* These do not mind rows that are dead, or see to it themselves. */
    if (p->alive && op != OP_FILTER && op != OP_FILTER_STRING && op != OP_DEFINE && op != OP_PROJECT && op != OP_ASSERT && op != OP_END)
        bury(p);
}

void bad_rows_end(Pass *p)
{
    if (p->alive) {
        uint32_t n, *rows = alive_rows(p, &n);
        table_select(p, rows, n);
        free(rows);
    }
    bad_rows_forget(p);
}
