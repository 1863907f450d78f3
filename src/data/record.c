#include "data/record.h"

#include <stdlib.h>
#include <string.h>

#include "data/varint.h"

static const Column *column_of(const Batch *b, uint32_t col)
{
    return b->slots[col].text ? b->slots[col].text : b->slots[col].values;
}

Batch *record_like(const Batch *plain)
{
    const uint32_t none = 0;
    return batch_select_rows(plain, &none, 0);
}

bool record_is_like(const Batch *plain, const Batch *like)
{
    if (plain->n_cols != like->n_cols || !plain->origin != !like->origin)
        return false;
    for (uint32_t c = 0; c < plain->n_cols; c++) {
        const Column *a = column_of(plain, c), *b = column_of(like, c);
        if (!a != !b || (a && (a->type != b->type || a->is_text != b->is_text || a->delimiter != b->delimiter ||
                               a->quote != b->quote || a->is_foreign != b->is_foreign ||
                               a->inferred_rows != b->inferred_rows || a->input_col != b->input_col)))
            return false;
    }
    return true;
}

/* A cell: whether it is valid and, of strings, its flags in the lowest bits of a number whose others are the length; then the
 * bytes. */
void record_put(Buf *out, const Batch *plain, uint32_t row)
{
    for (uint32_t i = 0; i < plain->n_cols; i++) {
        const Column *c = column_of(plain, i);
        if (!c)
            continue;
        StrView s = column_has_strings(c) ? column_strs(c)[row] : (StrView){0};
        size_t n = column_has_strings(c) ? s.len : type_bytes(c->type);
        buf_reserve(out, n + VARINT_MAX);
        char *p = out->ptr + out->len;
        uint64_t about = (uint64_t)column_is_valid(c, row) | (s.flags & (CELL_QUOTED | CELL_MADE)) << 1;
        p = varint_put(p, column_has_strings(c) ? about | (uint64_t)s.len << (CELL_BITS + 1) : about);
        if (n)
            memcpy(p, column_has_strings(c) ? s.ptr : (const char *)c->values + row * n, n);
        out->len = (size_t)(p - out->ptr) + n;
    }
    if (plain->origin) {
        buf_put_varint(out, plain->origin[row].line);
        buf_put_varint(out, plain->origin[row].byte);
        buf_put_varint(out, plain->origin[row].input);
    }
}

/* at[n]: the cells of one column; behind them afterwards. */
static void cells_get(Column *c, const char **at, uint32_t n)
{
    size_t size = column_has_strings(c) ? 0 : type_bytes(c->type);
    for (uint32_t i = 0; i < n; i++) {
        const char *p = at[i];
        uint64_t about = varint_get(&p);
        if (!(about & 1)) {
            if (!c->valid)
                column_own_valid(c, true);
            bit_clear(c->valid, i);
        }
        if (column_has_strings(c)) {
            column_strs(c)[i] = (StrView){p, (uint32_t)(about >> (CELL_BITS + 1)), about >> 1 & (CELL_QUOTED | CELL_MADE)};
            p += about >> (CELL_BITS + 1);
        } else if (size) {
            memcpy((char *)c->values + i * size, p, size);
            p += size;
        }
        at[i] = p;
    }
}

static Origin origin_get(const char *p)
{
    Origin o = {.line = varint_get(&p)};
    o.byte = varint_get(&p) & 0xffffffffffff;
    o.input = varint_get(&p) & ORIGIN_NONE;
    return o;
}

Batch *records_get(const char *const *at, uint32_t n, Heap *heap, const Batch *like, const BlockInputs *in)
{
    Batch *b = batch_new(n, like->n_cols);
    const char **p = xmalloc((n + 1ull) * sizeof *p);
    memcpy(p, at, n * sizeof *p);
    for (uint32_t i = 0; i < b->n_cols; i++) {
        const Column *c = column_of(like, i);
        b->types[i] = like->types[i];
        if (!c)
            continue;
        Column *own = column_like(c, n);
        if (column_has_strings(own))
            column_add_heap(own, heap);
        cells_get(own, p, n);
        *(own->is_text ? &b->slots[i].text : &b->slots[i].values) = own;
    }
    if (like->origin) {
        b->origin = origins_new(n);
        for (uint32_t i = 0; i < n; i++)
            b->origin[i] = origin_get(p[i]);
        block_inputs_give(b, in);
    }
    free(p);
    return b;
}
