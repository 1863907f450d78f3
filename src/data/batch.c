#include "data/batch.h"

#include <stdlib.h>
#include <string.h>

#include "data/decoded.h"

Batch *batch_new(uint32_t n_rows, uint32_t n_cols)
{
    Batch *b = xcalloc(1, sizeof *b);
    atomic_init(&b->refs, 1);
    b->n_rows = n_rows;
    b->n_cols = n_cols;
    b->types = xcalloc(n_cols ? n_cols : 1, sizeof *b->types);
    b->slots = xcalloc(n_cols ? n_cols : 1, sizeof *b->slots);
    for (uint32_t i = 0; i < n_cols; i++)
        b->slots[i].raw_col = -1;
    return b;
}

Batch *batch_of_raw(RawRows *raw, const Schema *schema)
{
    const CsvInput *in = raw->input;
    Batch *b = batch_new(raw->good ? raw->n_good : raw->n_rows, schema->n_cols);
    b->raw = raw_ref(raw);
    if (raw->good) {
        b->sel = xmalloc((raw->n_good + 1ull) * sizeof *b->sel);
        memcpy(b->sel, raw->good, raw->n_good * sizeof *b->sel);
    }
    for (uint32_t c = 0; c < schema->n_cols; c++) {
        b->types[c] = schema->cols[c].type;
        b->slots[c].raw_col = (int32_t)(in->map ? in->map[c] : c);
    }
    return b;
}

Batch *batch_ref(Batch *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void batch_unref(Batch *b)
{
    /* Orders as in heap_unref. */
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    BatchExtra *extra = atomic_load_explicit(&b->extra, memory_order_relaxed);
    if (extra)
        extra->free(extra);
    decoded_free(atomic_load_explicit(&b->decoded, memory_order_relaxed));
    for (uint32_t c = 0; c < b->n_cols; c++)
        slot_unref(&b->slots[c]);
    for (uint32_t i = 0; i < b->n_inputs; i++)
        csv_input_unref(b->inputs[i]);
    raw_unref(b->raw);
    raw_unref(b->lines);
    free(b->types);
    free(b->slots);
    free(b->sel);
    origins_unref(b->origin);
    free(b->inputs);
    free(b);
}

BatchExtra *batch_extra(Batch *b, BatchExtra *(*make)(void))
{
    BatchExtra *x = atomic_load_explicit(&b->extra, memory_order_acquire);
    if (x)
        return x;
    BatchExtra *mine = make();
    if (atomic_compare_exchange_strong_explicit(&b->extra, &x, mine, memory_order_acq_rel,
                                                memory_order_acquire))
        return mine;
    mine->free(mine); /* another thread was first */
    return x;
}

uint64_t batch_extra_uncount(Batch *b)
{
    BatchExtra *x = atomic_load_explicit(&b->extra, memory_order_acquire);
    return x ? atomic_exchange(&x->n_bytes, 0) : 0;
}

void batch_forget(Batch *b, const bool *wanted)
{
    for (uint32_t c = 0; c < b->n_cols; c++)
        if (!wanted[c])
            slot_unref(&b->slots[c]);
}

bool batch_is_forgotten(const Batch *b, uint32_t col)
{
    const Slot *s = &b->slots[col];
    if (s->picked)
        return batch_is_forgotten(s->picked->from, s->picked_col);
    return !s->text && !s->values && s->raw_col < 0;
}

void batch_where(const Batch *b, uint32_t row, int32_t col, Error *err)
{
    if (col >= 0 && b->slots[col].picked) {
        const Picked *picked = b->slots[col].picked;
        if (picked->rows[row] != PICKED_NONE)
            batch_where(picked->from, picked->rows[row], (int32_t)b->slots[col].picked_col, err);
    } else if (b->raw) {
        uint32_t r = batch_raw_row(b, row);
        int32_t field = col >= 0 ? b->slots[col].raw_col : -1;
        error_at(err, b->raw->input->file, raw_line(b->raw, r),
                 raw_byte(b->raw, r, field >= 0 ? (uint32_t)field : 0));
    } else if (b->origin && b->origin[row].input != ORIGIN_NONE) {
        const Origin *o = &b->origin[row];
        error_at(err, b->inputs[o->input]->file, o->line, o->byte);
    }
}

/* The same rows of the batch from which column `col` of `b` was picked. A neighbouring column of
 * `out` that was picked with it has them already. */
static Picked *picked_again(const Batch *b, uint32_t col, const Batch *out, uint32_t before,
                            uint32_t out_col, const uint32_t *sel, uint32_t n)
{
    if (before != UINT32_MAX && b->slots[before].picked == b->slots[col].picked)
        return picked_ref(out->slots[out_col - 1].picked);
    return picked_select(b->slots[col].picked, sel, n);
}

Batch *batch_select_rows(const Batch *b, const uint32_t *sel, uint32_t n)
{
    Batch *out = batch_new(n, b->n_cols);
    memcpy(out->types, b->types, b->n_cols * sizeof *b->types);
    if (b->raw) {
        out->raw = raw_ref(b->raw);
        out->sel = xmalloc((n ? n : 1) * sizeof *out->sel);
        for (uint32_t i = 0; i < n; i++)
            out->sel[i] = batch_raw_row(b, sel[i]);
    }
    for (uint32_t c = 0; c < b->n_cols; c++) {
        const Slot *slot = &b->slots[c];
        out->slots[c].raw_col = slot->raw_col;
        if (slot->values)
            out->slots[c].values = column_gather(slot->values, sel, n);
        if (slot->text && slot->raw_col < 0)
            out->slots[c].text = column_gather(slot->text, sel, n);
        if (slot->picked) {
            out->slots[c].picked = picked_again(b, c, out, c ? c - 1 : UINT32_MAX, c, sel, n);
            out->slots[c].picked_col = slot->picked_col;
        }
    }
    if (b->origin) {
        out->origin = origins_new(n);
        for (uint32_t i = 0; i < n; i++)
            out->origin[i] = b->origin[sel[i]];
        out->inputs = xmalloc(b->n_inputs * sizeof *out->inputs);
        out->n_inputs = b->n_inputs;
        for (uint32_t i = 0; i < b->n_inputs; i++)
            out->inputs[i] = csv_input_ref(b->inputs[i]);
        if (b->lines)
            out->lines = raw_ref(b->lines);
    }
    return out;
}

Batch *batch_slice(const Batch *b, uint32_t first, uint32_t n)
{
    uint32_t *sel = xmalloc((n + 1ull) * sizeof *sel);
    for (uint32_t i = 0; i < n; i++)
        sel[i] = first + i;
    Batch *some = batch_select_rows(b, sel, n);
    free(sel);
    return some;
}

void batch_pick(Batch *b, Batch *from, const uint32_t *rows, const uint16_t *cols, uint32_t n_cols)
{
    uint32_t n = b->n_rows, first = b->n_cols;
    Picked *whole = NULL; /* of the columns that are from's own */
    b->n_cols = first + n_cols;
    b->types = xrealloc(b->types, (b->n_cols + 1ull) * sizeof *b->types);
    b->slots = xrealloc(b->slots, (b->n_cols + 1ull) * sizeof *b->slots);
    for (uint32_t i = 0; i < n_cols; i++) {
        uint32_t c = cols[i];
        const Slot *s = &from->slots[c];
        Slot *to = &b->slots[first + i];
        b->types[first + i] = from->types[c];
        *to = (Slot){.raw_col = -1, .picked_col = s->picked ? s->picked_col : c};
        if (s->picked) {
            to->picked = picked_again(from, c, b, i ? cols[i - 1] : UINT32_MAX, first + i, rows, n);
        } else if (whole) {
            to->picked = picked_ref(whole);
        } else {
            uint32_t *own = xmalloc((n + 1ull) * sizeof *own);
            if (n) /* of no rows there may be no list */
                memcpy(own, rows, n * sizeof *own);
            to->picked = whole = picked_new(from, own, n);
        }
    }
}
