/* Strings that are made of others: CONCAT, with the case of its pieces changed on the way, and TO_STRING. */
#include <stdlib.h>

#include "data/codes.h"
#include "vm/ascii.h"
#include "vm/pass.h"

#define NUMBER_MAX 24u /* characters of an int or a float */

void pass_to_string(Pass *p, Reg *to, const Reg *a)
{
    if (a->type == TYPE_STRING) {
        reg_move(p, to, a);
        return;
    }
    if (a->is_const && a->is_null) {
        reg_set_null(p->vm, to, TYPE_STRING);
        return;
    }
    Result res = result_open(p, TYPE_STRING, a->is_const);
    const uint64_t *live = pass_live(p, &a, 1, a->is_const);
    StrView *out = column_strs(res.col);
    for (uint32_t i = 0; live && i < res.n; i++)
        out[i] = (StrView){"", 0, 0};
    Heap *h = heap_new(res.n * (size_t)NUMBER_MAX + VALUE_PRINT_MAX);
    char *at = h->bytes;
    Buf b = {0};
    BITS_EACH(row, live, res.n)
    {
        uint32_t n;
        if (a->type == TYPE_INT) { /* one behind the other: the room is for the longest */
            n = value_print_int(reg_int(a, row), at);
        } else if (a->type == TYPE_FLOAT) {
            n = value_print_float(reg_float(a, row), at);
        } else {
            buf_clear(&b);
            value_print(&b, reg_value(a, row));
            n = (uint32_t)b.len;
            at = heap_alloc(h, n);
            memcpy(at, b.ptr, n);
        }
        out[row] = (StrView){at, n, 0};
        at += n;
    }
    buf_deinit(&b);
    column_add_heap(res.col, h);
    heap_unref(h);
    pass_combine_valid(res.col, &a, 1);
    result_close(p, res, to);
}

/* One of the strings that are joined, of every row. */
typedef struct Piece {
    const StrView *views;
    uint32_t stride;       /* 0: the same for all rows */
    const uint64_t *valid; /* NULL: none is null */
    Reach reach;
    char letters;          /* 0; 'a', 'A': the first of the letters that change their case */
    StrView constant;
    char bytes[REACH_BYTES]; /* of a short constant, so that it is copied as any other */
} Piece;

static void piece_set(Piece *pc, const Reg *r, BuiltinId change)
{
    if (!r->is_const) {
        *pc = (Piece){.views = column_strs(r->col), .stride = 1, .valid = r->col->valid,
                      .reach = reach_of_column(r->col)};
    } else {
        *pc = (Piece){.constant = r->is_null ? (StrView){"", 0, 0} : r->k.s};
        pc->views = &pc->constant;
        if (pc->constant.len <= REACH_BYTES) {
            memcpy(pc->bytes, pc->constant.ptr, pc->constant.len);
            pc->constant.ptr = pc->bytes;
            pc->reach = (Reach){(uintptr_t)pc->bytes, 1};
        }
    }
    pc->letters = change == BUILTIN_UPPER ? 'a' : change == BUILTIN_LOWER ? 'A' : 0;
}

static inline StrView piece_view(const Piece *pc, uint32_t row)
{
    if (pc->valid && !bit_get(pc->valid, row))
        return (StrView){"", 0, 0};
    return pc->views[row * pc->stride];
}

/* All of a piece's strings are short and in reach, and none is null. Then *n_bytes is what n_rows have of it. To look at all of them
 * without a branch is faster than to stop at the first that is not so. */
static bool piece_is_short(const Piece *pc, uint32_t n_rows, uint64_t *n_bytes)
{
    uint32_t n = pc->stride ? n_rows : n_rows > 0, longest = 0;
    uintptr_t farthest = 0;
    uint64_t sum = 0;
    if (pc->valid)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uintptr_t at = (uintptr_t)pc->views[i].ptr - pc->reach.from;
        uint32_t len = pc->views[i].len;
        sum += len;
        longest = len > longest ? len : longest;
        farthest = at > farthest ? at : farthest;
    }
    *n_bytes = pc->stride ? sum : sum * n_rows;
    return n == 0 || (longest <= REACH_BYTES && farthest < pc->reach.n);
}

/* The usual: so are all pieces. *n_bytes is what all rows have. */
static bool is_short(const Piece *pieces, uint32_t n_pieces, uint32_t n_rows, uint64_t *n_bytes)
{
    *n_bytes = 0;
    for (uint32_t k = 0; k < n_pieces; k++) {
        uint64_t of_piece;
        if (!piece_is_short(&pieces[k], n_rows, &of_piece))
            return false;
        *n_bytes += of_piece;
    }
    return true;
}

/* False: there is a letter beyond ASCII whose case is to be changed. */
static bool join_short(const Piece *pieces, uint32_t n_pieces, uint32_t n_rows, StrView *out, char *to)
{
    Bytes16 others = {0};
    for (uint32_t row = 0; row < n_rows; row++) {
        char *start = to;
        for (uint32_t k = 0; k < n_pieces; k++) {
            const Piece *pc = &pieces[k];
            StrView v = pc->views[row * pc->stride];
            if (pc->letters)
                ascii_change_case(to, v.ptr, v.len, pc->letters, &others);
            else
                reach_copy(to, v.ptr);
            to += v.len;
        }
        out[row] = (StrView){start, (uint32_t)(to - start), 0};
    }
    return !bytes16_any(others);
}

/* The bytes of all rows together; row_too_long: one has more than a string may have, or n_rows. */
static uint64_t joined_bytes(const Piece *pieces, uint32_t n_pieces, const uint64_t *live,
                             uint32_t n_rows, uint32_t *row_too_long)
{
    uint64_t total = 0;
    *row_too_long = n_rows;
    BITS_EACH(row, live, n_rows)
    {
        uint64_t len = 0;
        for (uint32_t i = 0; i < n_pieces; i++)
            len += piece_view(&pieces[i], row).len;
        if (len > UINT32_MAX) {
            *row_too_long = row;
            break;
        }
        total += len;
    }
    return total;
}

static void join_any(const Piece *pieces, uint32_t n_pieces, const uint64_t *live, uint32_t n_rows,
                     StrView *out, char *to)
{
    for (uint32_t i = 0; live && i < n_rows; i++)
        out[i] = (StrView){"", 0, 0};
    BITS_EACH(row, live, n_rows)
    {
        char *start = to;
        for (uint32_t i = 0; i < n_pieces; i++) {
            StrView v = piece_view(&pieces[i], row);
            if (reach_is_short(pieces[i].reach, v))
                reach_copy(to, v.ptr);
            else
                memcpy(to, v.ptr, v.len);
            to += v.len;
        }
        out[row] = (StrView){start, (uint32_t)(to - start), 0};
    }
}

/* The pieces whose case is to be changed, changed. tmp[n_args]: registers of our own, for them. */
static Status change_cases(Pass *p, const Spec *spec, const Reg *args, Reg *tmp)
{
    static const Type STRING = TYPE_STRING;
    Status st = OK;
    for (uint32_t i = 0; i < spec->n_args && st == OK; i++) {
        const Spec one = {.kind = SPEC_CALL, .fn = (BuiltinId)spec->cases[i], .n_args = 1,
                          .type = TYPE_STRING, .arg_types = &STRING};
        if (one.fn != N_BUILTINS)
            st = pass_call(p, &one, &args[i], &tmp[i]);
        else
            reg_move(p, &tmp[i], &args[i]);
    }
    return st;
}

/* The short way; false: not possible. */
static bool concat_short(Pass *p, Reg *to, const Piece *pieces, uint32_t n_pieces)
{
    uint64_t n_bytes;
    if (!is_short(pieces, n_pieces, p->n, &n_bytes))
        return false;
    Result res = result_open(p, TYPE_STRING, false);
    Heap *h = heap_new(n_bytes + REACH_BYTES);
    char *bytes = heap_alloc(h, n_bytes + REACH_BYTES);
    bool is_done = join_short(pieces, n_pieces, res.n, column_strs(res.col), bytes);
    if (is_done) {
        column_add_heap(res.col, h);
        result_close(p, res, to);
    } else {
        result_drop(p, res);
    }
    heap_unref(h);
    return is_done;
}

/* The rows that pass_live() gave, but one. */
static const uint64_t *live_without(Pass *p, const uint64_t *live, uint32_t n, uint32_t row)
{
    uint64_t *rest = live ? p->vm->live.bits : bitmap_room(&p->vm->live, n);
    for (uint32_t w = 0; !live && w < bit_words(n); w++)
        rest[w] = bits_word(NULL, w, n);
    bit_clear(rest, row);
    return rest;
}

static Status concat_any(Pass *p, Reg *to, const Piece *pieces, const Reg *const *regs, uint32_t n_regs,
                         bool null_is_empty, bool is_const)
{
    uint32_t n_strict = null_is_empty ? 0 : n_regs, row_too_long;
    const uint64_t *live = pass_live(p, regs, n_strict, is_const);
    Result res = result_open(p, TYPE_STRING, is_const);
    uint64_t total = joined_bytes(pieces, n_regs, live, res.n, &row_too_long);
    for (; row_too_long < res.n; total = joined_bytes(pieces, n_regs, live, res.n, &row_too_long)) {
        Status st = pass_row_error(p, is_const, row_too_long, ROW_ERROR_OVERFLOW, (Str){"", 0},
                                   "the string is longer than 4 GiB");
        if (st != OK) {
            result_drop(p, res);
            return st;
        }
        live = live_without(p, live, res.n, row_too_long);
    }
    Heap *h = heap_new(total + REACH_BYTES);
    join_any(pieces, n_regs, live, res.n, column_strs(res.col),
             heap_alloc(h, total + REACH_BYTES));
    column_add_heap(res.col, h);
    heap_unref(h);
    if (live && is_const) {
        column_own_valid(res.col, live[0] & 1);
    } else if (n_strict) {
        pass_combine_valid(res.col, regs, n_strict);
        for (uint32_t i = 0; i < n_strict; i++)
            if (regs[i]->is_const && regs[i]->is_null)
                column_own_valid(res.col, false);
    }
    result_close(p, res, to);
    return OK;
}

static Status concat_rows(Pass *p, Reg *to, const Reg *args, const Spec *spec)
{
    uint32_t n = spec->n_args;
    bool is_const = true, is_all = !p->mask;
    Status st = OK;
    const Reg **regs = xmalloc((n + 1u) * sizeof(Reg *));
    Piece *pieces = xmalloc((n + 1u) * sizeof *pieces);
    for (uint32_t i = 0; i < n; i++) {
        is_const &= args[i].is_const;
        is_all &= !args[i].is_const || !args[i].is_null;
        regs[i] = &args[i];
        piece_set(&pieces[i], &args[i], spec->cases ? (BuiltinId)spec->cases[i] : N_BUILTINS);
    }
    if (is_const || !is_all || !concat_short(p, to, pieces, n)) {
        Reg *tmp = NULL;
        if (spec->cases) {
            tmp = xcalloc(n, sizeof *tmp);
            st = change_cases(p, spec, args, tmp);
            for (uint32_t i = 0; i < n && st == OK; i++) {
                regs[i] = &tmp[i];
                piece_set(&pieces[i], &tmp[i], N_BUILTINS);
            }
        }
        if (st == OK)
            st = concat_any(p, to, pieces, regs, n, spec->null_is_empty, is_const);
        for (uint32_t i = 0; tmp && i < n; i++)
            reg_clear(p->vm, &tmp[i]);
        free(tmp);
    }
    free(regs);
    free(pieces);
    return st;
}

/* Of arguments that have the same codes, and no nulls: each value is joined once. */
static Status concat_values(Pass *p, Reg *to, const Reg *args, const Spec *spec, const Codes *codes)
{
    uint32_t n = spec->n_args;
    Pass of_values = *p;
    Reg *values = xcalloc(n, sizeof *values), made = {.is_const = true, .is_null = true};
    pass_count_values(p, codes->n_values);
    of_values.n = codes->n_values;
    of_values.mask = NULL;
    for (uint32_t i = 0; i < n; i++) {
        values[i] = args[i];
        values[i].col = args[i].is_const ? NULL : column_gather(args[i].col, codes->first, codes->n_values);
    }
    Status st = concat_rows(&of_values, &made, values, spec);
    if (st == OK) {
        Result res = result_open(p, TYPE_STRING, false);
        codes_spread(codes, column_strs(made.col), sizeof(StrView), res.col->values);
        for (uint32_t i = 0; i < made.col->n_heaps; i++)
            column_add_heap(res.col, made.col->heaps[i]);
        if (!p->mask) /* as in call.c */
            codes_give(res.col, codes);
        result_close(p, res, to);
    }
    reg_clear(p->vm, &made);
    for (uint32_t i = 0; i < n; i++)
        column_unref(values[i].col);
    free(values);
    return st;
}

Status pass_concat(Pass *p, Reg *to, const Reg *args, const Spec *spec)
{
    enum { CODED_LEN = 15 }; /* of longer ones joining is as fast */
    bool may_be_null = false;
    for (uint32_t i = 0; i < spec->n_args; i++)
        may_be_null |= args[i].is_const ? args[i].is_null : args[i].col->valid != NULL;
    const Codes *codes = may_be_null ? NULL : pass_codes(p, args, spec->n_args, CODED_LEN);
    return codes ? concat_values(p, to, args, spec, codes) : concat_rows(p, to, args, spec);
}
