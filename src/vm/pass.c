#include "vm/pass.h"

#include <stdio.h>
#include <stdlib.h>

#include "data/codes.h"
#include "data/raw.h"

uint64_t *bitmap_room(Bitmap *b, uint32_t n_rows)
{
    uint32_t n = bit_words(n_rows) + 1;
    if (n > b->n_words) {
        free(b->bits);
        b->bits = xmalloc(n * sizeof *b->bits);
        b->n_words = n;
    }
    return b->bits;
}

/* ---- registers ---- */

/* Lets go of a register's column; one that only it held is kept to be written again. */
static void release(Vm *vm, Column *col, uint32_t cap)
{
    if (!col)
        return;
    if (cap == 0 || vm->n_spare == VM_SPARE ||
        atomic_load_explicit(&col->refs, memory_order_acquire) != 1) {
        column_unref(col);
        return;
    }
    for (uint32_t i = 0; i < col->n_heaps; i++)
        heap_unref(col->heaps[i]);
    codes_drop(col);
    free(col->heaps);
    free(col->valid);
    col->heaps = NULL;
    col->valid = NULL;
    col->n_heaps = 0;
    vm->spare[vm->n_spare++] = (Reg){.col = col, .cap = cap};
}

static Column *take_column(Vm *vm, Type t, uint32_t n, uint32_t *cap)
{
    for (uint32_t i = 0; i < vm->n_spare; i++) {
        Reg *s = &vm->spare[i];
        if (type_bytes(s->col->type) != type_bytes(t) || s->cap < n || s->cap / 4 > n + 64)
            continue;
        Column *c = s->col;
        *cap = s->cap;
        *s = vm->spare[--vm->n_spare];
        c->type = t;
        c->n_rows = n;
        return c;
    }
    *cap = (n + 255) / 256 * 256; /* the next batch may be a little longer */
    if (*cap < n)
        *cap = n;
    Column *c = column_new(t, false, *cap);
    c->n_rows = n;
    return c;
}

void reg_clear(Vm *vm, Reg *r)
{
    release(vm, r->col, r->cap);
    *r = (Reg){.is_const = true, .is_null = true, .k.s = {"", 0, 0}};
}

void reg_set_null(Vm *vm, Reg *r, Type t)
{
    reg_clear(vm, r);
    r->type = t;
}

void reg_set_const(Vm *vm, Reg *r, Value v)
{
    reg_set_null(vm, r, v.type);
    r->is_null = v.is_null;
    if (v.is_null)
        return;
    if (v.type == TYPE_STRING)
        r->k.s = (StrView){v.s.ptr ? v.s.ptr : "", v.s.len, 0};
    else if (v.type == TYPE_FLOAT)
        r->k.f = v.f;
    else if (v.type == TYPE_BOOL)
        r->k.b = v.i != 0;
    else
        r->k.i = v.i;
}

void reg_set_col(Vm *vm, Reg *r, Column *c, uint32_t cap)
{
    release(vm, r->col, r->cap);
    *r = (Reg){.type = c->type, .col = c, .cap = cap};
}

Value reg_value(const Reg *r, uint32_t row)
{
    Value v = {.type = r->type, .is_null = reg_is_null(r, row)};
    if (v.is_null)
        return v;
    if (r->type == TYPE_STRING)
        v.s = reg_str(r, row);
    else if (r->type == TYPE_FLOAT)
        v.f = reg_float(r, row);
    else if (r->type == TYPE_BOOL)
        v.i = reg_bool(r, row);
    else
        v.i = reg_int(r, row);
    return v;
}

/* ---- results ---- */

Result result_open(Pass *p, Type t, bool is_const)
{
    Result res = {.n = is_const ? 1 : p->n, .is_const = is_const};
    res.col = take_column(p->vm, t, res.n, &res.cap);
    return res;
}

void result_close(Pass *p, Result res, Reg *to)
{
    if (!res.is_const) {
        reg_set_col(p->vm, to, res.col, res.cap);
        return;
    }
    Value v = column_value(res.col, 0);
    v.type = res.col->type;
    reg_set_const(p->vm, to, v);
    if (v.type == TYPE_STRING && !v.is_null) {
        to->col = res.col; /* keeps its bytes */
        to->cap = res.cap;
    } else {
        release(p->vm, res.col, res.cap);
    }
}

void result_drop(Pass *p, Result res)
{
    release(p->vm, res.col, res.cap);
}

void result_null(Result *res, uint32_t row)
{
    if (!res->col->valid)
        column_own_valid(res->col, true);
    bit_clear(res->col->valid, row);
}

bool pass_wants_any(const Pass *p)
{
    return p->n > 0 && bits_next(p->mask, 0, p->n) < p->n;
}

const uint64_t *pass_live(Pass *p, const Reg *const *regs, uint32_t n_regs, bool is_const)
{
    if (is_const) {
        uint64_t *one = bitmap_room(&p->vm->live, 1);
        /* A constant is computed for a table without rows too: a line of log needs it. */
        bool is_empty = p->n == 0 || (p->alive && bits_next(p->alive, 0, p->n) == p->n);
        one[0] = is_empty || pass_wants_any(p);
        for (uint32_t i = 0; i < n_regs; i++)
            if (regs[i]->is_null)
                one[0] = 0;
        return one;
    }
    bool is_all = p->mask == NULL;
    for (uint32_t i = 0; i < n_regs; i++)
        is_all &= regs[i]->is_const ? !regs[i]->is_null : !regs[i]->col->valid;
    if (is_all)
        return NULL;
    uint32_t n_words = bit_words(p->n);
    uint64_t *live = bitmap_room(&p->vm->live, p->n);
    for (uint32_t w = 0; w < n_words; w++)
        live[w] = p->mask ? p->mask[w] : ~0ull;
    for (uint32_t i = 0; i < n_regs; i++) {
        const Reg *r = regs[i];
        if (r->is_const && r->is_null)
            memset(live, 0, n_words * sizeof *live);
        const uint64_t *bits = r->is_const ? NULL : r->col->valid;
        for (uint32_t w = 0; bits && w < n_words; w++)
            live[w] &= bits[w];
    }
    return live;
}

const Codes *pass_codes(Pass *p, const Reg *regs, uint32_t n_regs, uint32_t max_len)
{
    Column *col = NULL;
    for (uint32_t i = 0; i < n_regs; i++) {
        if (regs[i].is_const)
            continue;
        col = col ? col : regs[i].col;
        if (regs[i].col != col && (!codes_had(col) || codes_had(regs[i].col) != codes_had(col)))
            return NULL;
    }
    if (!col || (p->mask && bits_count(p->mask, p->n) < p->n / 4))
        return NULL;
    return codes_of(col, max_len);
}

void pass_count_values(const Pass *p, uint32_t n_values)
{
    if (p->counts)
        p->counts[p->pc].n_values += n_values;
}

void pass_combine_valid(Column *col, const Reg *const *regs, uint32_t n_regs)
{
    for (uint32_t i = 0; i < n_regs; i++) {
        const uint64_t *bits = regs[i]->is_const ? NULL : regs[i]->col->valid;
        if (!bits)
            continue;
        if (!col->valid)
            column_own_valid(col, true);
        for (uint32_t w = 0; w < bit_words(col->n_rows); w++)
            col->valid[w] &= bits[w];
    }
}

Column *pass_column(Pass *p, const Reg *r)
{
    if (!r->is_const)
        return column_ref(r->col);
    if (r->is_null)
        return column_nulls(r->type, p->n);
    Column *c = column_new(r->type, false, p->n);
    if (r->type == TYPE_STRING) {
        Heap *h = heap_new(r->k.s.len);
        char *bytes = heap_alloc(h, r->k.s.len);
        memcpy(bytes, r->k.s.ptr, r->k.s.len);
        column_add_heap(c, h);
        heap_unref(h);
        for (uint32_t i = 0; i < p->n; i++)
            column_strs(c)[i] = (StrView){bytes, r->k.s.len, 0};
    } else if (r->type == TYPE_BOOL) {
        memset(c->values, r->k.b, p->n);
    } else {
        for (uint32_t i = 0; i < p->n; i++)
            column_ints(c)[i] = r->k.i; /* the bits of a double too */
    }
    return c;
}

/* ---- errors ---- */

/* "`text`: message" */
__attribute__((format(printf, 2, 0)))
static void error_text(const Pass *p, const char *fmt, va_list ap, Buf *b)
{
    const CodeNote *note = &p->code->notes[p->pc];
    Buf m = {0};
    if (note->text.len) {
        buf_putc(b, '`');
        buf_put_visible(b, note->text);
        buf_puts(b, "`: ");
    }
    buf_vprintf(&m, fmt, ap);
    buf_put_visible(b, buf_str(&m));
    buf_deinit(&m);
}

Status pass_row_error(Pass *p, bool is_const, uint32_t row, RowError kind, Str value, const char *fmt, ...)
{
    if (p->bad_rows == BAD_ROWS_FAIL && !p->err)
        return ERR_ROW;
    Buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    error_text(p, fmt, ap, &b);
    va_end(ap);
    Status st = OK;
    if (p->bad_rows != BAD_ROWS_FAIL) {
        if (!is_const)
            bad_row(p, row, kind, value, buf_str(&b), false);
        else
            bad_constant(p, kind, value, buf_str(&b));
    } else {
        st = error_set(p->err, ERR_ROW, "%s", b.ptr ? b.ptr : "");
        p->err->row_error = kind;
        text_visible(p->code->notes[p->pc].column, p->err->column, sizeof p->err->column);
        text_visible(value, p->err->value, sizeof p->err->value);
        if (is_const)
            row = bits_next(p->mask, 0, p->n);
        if (row < p->n)
            batch_where(p->t, row, -1, p->err);
    }
    buf_deinit(&b);
    return st;
}

Status pass_assert_failed(Pass *p, uint32_t row, const char *message)
{
    bool is_plain = strcmp(message, "assert failed") == 0;
    if (p->bad_rows == BAD_ROWS_FAIL) {
        pass_row_error(p, false, row, ROW_ERROR_ASSERT, (Str){"", 0}, "%s", message);
        if (!is_plain && p->err)
            snprintf(p->err->text, sizeof p->err->text, "%s", message);
        return ERR_ROW;
    }
    Buf b = {0};
    if (is_plain && p->code->notes[p->pc].text.len) {
        buf_putc(&b, '`');
        buf_put_visible(&b, p->code->notes[p->pc].text);
        buf_puts(&b, "`: ");
    }
    buf_puts(&b, message);
    bad_row(p, row, ROW_ERROR_ASSERT, (Str){"", 0}, buf_str(&b), true);
    buf_deinit(&b);
    return OK;
}

Status pass_error(Pass *p, const char *fmt, ...)
{
    Buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    error_text(p, fmt, ap, &b);
    va_end(ap);
    Status st = error_set(p->err, ERR_ROW, "%s", b.ptr ? b.ptr : "");
    if (p->err)
        text_visible(p->code->notes[p->pc].column, p->err->column, sizeof p->err->column);
    buf_deinit(&b);
    return st;
}
