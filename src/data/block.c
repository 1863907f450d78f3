#include "data/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- plain batches ---- */

void block_inputs_deinit(BlockInputs *in)
{
    for (uint32_t i = 0; i < in->n; i++)
        csv_input_unref(in->ptr[i]);
    free(in->ptr);
    *in = (BlockInputs){0};
}

static uint32_t input_number(BlockInputs *in, CsvInput *one)
{
    for (uint32_t i = in->n; i > 0; i--)
        if (in->ptr[i - 1] == one)
            return i - 1;
    if (in->n == ORIGIN_NONE)
        return ORIGIN_NONE;
    in->ptr = xrealloc(in->ptr, (in->n + 1ull) * sizeof *in->ptr);
    in->ptr[in->n] = csv_input_ref(one);
    return in->n++;
}

void block_inputs_give(Batch *b, const BlockInputs *in)
{
    b->inputs = xmalloc((in->n + 1ull) * sizeof *b->inputs);
    b->n_inputs = in->n;
    for (uint32_t i = 0; i < in->n; i++)
        b->inputs[i] = csv_input_ref(in->ptr[i]);
}

static void origins_give(Batch *to, const Batch *from, BlockInputs *in)
{
    uint32_t *number = xmalloc((from->n_inputs + 1ull) * sizeof *number);
    for (uint32_t i = 0; i < from->n_inputs; i++)
        number[i] = input_number(in, from->inputs[i]);
    to->origin = origins_new(from->n_rows);
    for (uint32_t i = 0; i < from->n_rows; i++) {
        Origin o = from->origin[i];
        if (o.input != ORIGIN_NONE)
            o.input = number[o.input] & ORIGIN_NONE;
        to->origin[i] = o;
    }
    free(number);
    block_inputs_give(to, in);
}

Batch *block_plain(Batch *b, BlockInputs *in)
{
    Batch *own = b->raw ? batch_concat(&b, 1, b->n_cols, b->types) : batch_ref(b);
    Batch *out = batch_new(own->n_rows, own->n_cols);
    for (uint32_t c = 0; c < own->n_cols; c++) {
        Slot *slot = &out->slots[c];
        out->types[c] = own->types[c];
        if (batch_is_forgotten(own, c))
            continue;
        slot->text = batch_text(own, c);
        if (slot->text && own->slots[c].picked)
            slot->text->is_foreign = true; /* a copy, made for us */
        else if (!slot->text)
            batch_values(own, c, STR_LIT(""), NULL, NULL, &slot->values, NULL); /* they are there */
    }
    if (own->origin)
        origins_give(out, own, in);
    batch_unref(own);
    return out;
}

Status block_drop_text(Batch *plain, uint32_t col, Error *err)
{
    Slot *slot = &plain->slots[col];
    if (!slot->text)
        return OK;
    Column *values = NULL;
    Status st = batch_values(plain, col, STR_LIT(""), NULL, NULL, &values, err);
    if (st != OK)
        return st;
    column_unref(slot->values);
    slot->values = values;
    column_unref(slot->text);
    slot->text = NULL;
    return OK;
}

/* ---- bytes ---- */

typedef struct Head {
    uint32_t n_rows, n_cols;
    uint32_t has_origin;
} Head;

typedef struct ColHead {
    uint64_t inferred_rows;
    uint64_t n_bytes; /* of strings */
    uint32_t type, input_col;
    uint8_t is_text, has_valid, is_foreign;
    uint8_t has_long;   /* lengths have 8 bytes, not 4 */
    char delimiter, quote;
    char pad[2];
} ColHead;

static Column *plain_column(const Batch *b, uint32_t col)
{
    return b->slots[col].text ? b->slots[col].text : b->slots[col].values;
}

/* Bits first..first + n, as whole words from the first one on. */
static void bits_put(Buf *out, const uint64_t *bits, uint32_t first, uint32_t n)
{
    for (uint32_t w = 0; w < bit_words(n); w++) {
        uint32_t at = first + w * 64, shift = at & 63, i = at >> 6;
        uint64_t word = bits[i] >> shift;
        if (shift && (i + 1) * 64ull < first + (uint64_t)n)
            word |= bits[i + 1] << (64 - shift);
        buf_put(out, &word, sizeof word);
    }
}

/* A length for each, its lowest bits the flags of the cell, then the bytes, n_bytes in all. */
static void strings_put(Buf *out, const StrView *s, uint32_t n, uint64_t n_bytes, bool has_long)
{
    size_t size = has_long ? sizeof(uint64_t) : sizeof(uint32_t);
    buf_reserve(out, n * size + n_bytes);
    char *to = out->ptr + out->len;
    for (uint32_t i = 0; i < n; i++, to += size) {
        uint64_t len = (uint64_t)s[i].len << CELL_BITS | (s[i].flags & (CELL_QUOTED | CELL_MADE));
        uint32_t short_len = (uint32_t)len;
        memcpy(to, has_long ? (const void *)&len : &short_len, size);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (s[i].len)
            memcpy(to, s[i].ptr, s[i].len);
        to += s[i].len;
    }
    out->len += n * size + n_bytes;
}

void block_put_column(Buf *out, const Column *c, uint32_t first, uint32_t n)
{
    ColHead h;
    memset(&h, 0, sizeof h);
    h.inferred_rows = c->inferred_rows;
    h.type = c->type;
    h.input_col = c->input_col;
    h.is_text = c->is_text;
    h.has_valid = c->valid != NULL;
    h.is_foreign = c->is_foreign;
    h.delimiter = c->delimiter;
    h.quote = c->quote;
    for (uint32_t i = 0; column_has_strings(c) && i < n; i++) {
        uint32_t len = column_strs(c)[first + i].len;
        h.n_bytes += len;
        h.has_long |= len > UINT32_MAX >> CELL_BITS;
    }
    buf_put(out, &h, sizeof h);
    if (c->valid)
        bits_put(out, c->valid, first, n);
    if (column_has_strings(c)) {
        strings_put(out, column_strs(c) + first, n, h.n_bytes, h.has_long);
    } else {
        size_t size = type_bytes(c->type);
        buf_put(out, (const char *)c->values + first * size, n * size);
    }
}

void block_put(Buf *out, const Batch *plain, uint32_t first, uint32_t n)
{
    const Head h = {n, plain->n_cols, plain->origin != NULL};
    buf_put(out, &h, sizeof h);
    for (uint32_t c = 0; c < plain->n_cols; c++) {
        const Column *col = plain_column(plain, c);
        const uint32_t about[2] = {plain->types[c], col != NULL};
        buf_put(out, about, sizeof about);
        if (col)
            block_put_column(out, col, first, n);
    }
    if (plain->origin)
        buf_put(out, plain->origin + first, n * sizeof *plain->origin);
}

static const char *take(const char **p, void *to, size_t n)
{
    const char *from = *p;
    if (n)
        memcpy(to, from, n);
    *p += n;
    return from;
}

static const char *strings_get(const char *p, StrView *s, uint32_t n, bool has_long)
{
    const char *bytes = p + (size_t)n * (has_long ? sizeof(uint64_t) : sizeof(uint32_t));
    for (uint32_t i = 0; i < n; i++) {
        uint64_t len;
        uint32_t short_len;
        if (has_long) {
            take(&p, &len, sizeof len);
        } else {
            take(&p, &short_len, sizeof short_len);
            len = short_len;
        }
        s[i] = (StrView){bytes, (uint32_t)(len >> CELL_BITS), len & (CELL_QUOTED | CELL_MADE)};
        bytes += len >> CELL_BITS;
    }
    return bytes;
}

Column *block_get_column(const char **p, uint32_t n, Heap *heap)
{
    ColHead h;
    take(p, &h, sizeof h);
    Column *c = column_new((Type)h.type, h.is_text, n);
    c->inferred_rows = h.inferred_rows;
    c->input_col = h.input_col;
    c->is_foreign = h.is_foreign;
    c->delimiter = h.delimiter;
    c->quote = h.quote;
    if (h.has_valid) {
        column_own_valid(c, false);
        take(p, c->valid, bit_words(n) * sizeof *c->valid);
    }
    if (column_has_strings(c)) {
        *p = strings_get(*p, column_strs(c), n, h.has_long);
        column_add_heap(c, heap);
    } else {
        take(p, c->values, n * type_bytes(c->type));
    }
    return c;
}

Batch *block_get(const char *p, Heap *bytes, const BlockInputs *in)
{
    Head h;
    take(&p, &h, sizeof h);
    Batch *b = batch_new(h.n_rows, h.n_cols);
    for (uint32_t c = 0; c < h.n_cols; c++) {
        uint32_t about[2]; /* type; is there a column? */
        take(&p, about, sizeof about);
        b->types[c] = (Type)about[0];
        if (!about[1])
            continue;
        Column *col = block_get_column(&p, h.n_rows, bytes);
        *(col->is_text ? &b->slots[c].text : &b->slots[c].values) = col;
    }
    if (h.has_origin) {
        b->origin = origins_new(h.n_rows);
        take(&p, b->origin, h.n_rows * sizeof *b->origin);
        block_inputs_give(b, in);
    }
    return b;
}

/* ---- rows of several batches ---- */

static void strings_pick(Column *out, Column *const *from, const uint32_t *src, const uint32_t *rows)
{
    StrView *s = column_strs(out);
    size_t n_bytes = 0;
    for (uint32_t i = 0; i < out->n_rows; i++) {
        s[i] = column_strs(from[src[i]])[rows[i]];
        n_bytes += s[i].len;
    }
    column_own_strings(out, n_bytes);
}

static Column *column_interleave(Column *const *from, uint32_t n_from, const uint32_t *src,
                                 const uint32_t *rows, uint32_t n)
{
    Column *out = column_like(from[src[0]], n);
    bool has_nulls = false;
    for (uint32_t k = 0; k < n_from; k++) {
        has_nulls |= from[k] && from[k]->valid;
        out->is_foreign |= from[k] && from[k]->is_foreign;
    }
    if (column_has_strings(out)) {
        strings_pick(out, from, src, rows);
    } else if (type_bytes(out->type) == 8) {
        for (uint32_t i = 0; i < n; i++)
            column_ints(out)[i] = column_ints(from[src[i]])[rows[i]];
    } else {
        for (uint32_t i = 0; i < n; i++)
            column_bools(out)[i] = column_bools(from[src[i]])[rows[i]];
    }
    if (has_nulls) {
        column_own_valid(out, false);
        for (uint32_t i = 0; i < n; i++)
            if (column_is_valid(from[src[i]], rows[i]))
                bit_set(out->valid, i);
    }
    return out;
}

/* Are all cells written in one dialect? */
static bool is_of_one_dialect(Column *const *from, uint32_t n_from)
{
    const Column *first = NULL;
    for (uint32_t k = 0; k < n_from; k++) {
        if (!from[k] || !from[k]->is_text)
            continue;
        if (first && (from[k]->delimiter != first->delimiter || from[k]->quote != first->quote))
            return false;
        first = first ? first : from[k];
    }
    return true;
}

/* The rare case: put together, cells are written anew in one dialect. */
static Column *column_rewrite(Column *const *from, uint32_t n_from, const uint32_t *src,
                              const uint32_t *rows, uint32_t n)
{
    Column **parts = xmalloc((n_from + 1ull) * sizeof *parts);
    uint32_t *at = xcalloc(n_from + 1ull, sizeof *at), *sel = xmalloc((n + 1ull) * sizeof *sel);
    uint32_t n_parts = 0, n_rows = 0;
    for (uint32_t k = 0; k < n_from; k++) {
        at[k] = n_rows;
        if (!from[k])
            continue;
        parts[n_parts++] = from[k];
        n_rows += from[k]->n_rows;
    }
    for (uint32_t i = 0; i < n; i++)
        sel[i] = at[src[i]] + rows[i];
    Column *all = column_concat(parts, n_parts, false), *picked = column_gather(all, sel, n);
    Column *own = column_concat(&picked, 1, true);
    column_unref(all);
    column_unref(picked);
    free(parts);
    free(at);
    free(sel);
    return own;
}

Batch *block_interleave(Batch *const *from, uint32_t n_from, const uint32_t *src, const uint32_t *rows,
                        uint32_t n, const BlockInputs *in)
{
    assert(n > 0);
    const Batch *like = from[src[0]];
    Batch *out = batch_new(n, like->n_cols);
    Column **cols = xmalloc((n_from + 1ull) * sizeof *cols);
    bool has_origin = false;
    for (uint32_t c = 0; c < like->n_cols; c++) {
        bool is_forgotten = false;
        for (uint32_t k = 0; k < n_from; k++) {
            cols[k] = from[k] ? plain_column(from[k], c) : NULL;
            is_forgotten |= from[k] && !cols[k];
        }
        out->types[c] = like->types[c];
        if (is_forgotten)
            continue;
        Column *col = is_of_one_dialect(cols, n_from)
                          ? column_interleave(cols, n_from, src, rows, n)
                          : column_rewrite(cols, n_from, src, rows, n);
        *(col->is_text ? &out->slots[c].text : &out->slots[c].values) = col;
    }
    for (uint32_t k = 0; k < n_from; k++)
        has_origin |= from[k] && from[k]->origin;
    if (has_origin) {
        out->origin = origins_new(n);
        for (uint32_t i = 0; i < n; i++)
            out->origin[i] = from[src[i]]->origin ? from[src[i]]->origin[rows[i]]
                                                  : (Origin){.input = ORIGIN_NONE};
        block_inputs_give(out, in);
    }
    free(cols);
    return out;
}
