#include "data/column.h"

#include <stdlib.h>
#include <string.h>

#include "data/codes.h"
#include "data/csv_cell.h"
#include "data/reach.h"

static void *aligned_new(size_t n)
{
    n = n ? (n + 63) / 64 * 64 : 64;
    void *p = aligned_alloc(64, n);
    if (!p)
        abort(); /* as xmalloc does */
    return p;
}

Column *column_new(Type t, bool is_text, uint32_t n_rows)
{
    Column *c = xcalloc(1, sizeof *c);
    atomic_init(&c->refs, 1);
    c->type = t;
    c->is_text = is_text;
    c->n_rows = n_rows;
    c->values = aligned_new((is_text ? sizeof(StrView) : type_bytes(t)) * (size_t)n_rows);
    return c;
}

Column *column_ref(Column *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void column_unref(Column *c)
{
    /* Orders as in heap_unref. */
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < c->n_heaps; i++)
        heap_unref(c->heaps[i]);
    codes_drop(c);
    free(c->heaps);
    free(c->values);
    free(c->valid);
    free(c);
}

void column_own_valid(Column *c, bool all)
{
    size_t n = bit_words(c->n_rows) * sizeof *c->valid;
    if (!c->valid)
        c->valid = aligned_new(n);
    memset(c->valid, all ? 0xff : 0, n);
}

void column_add_heap(Column *c, Heap *h)
{
    /* The same heap twice is a reference too many, no more: not worth a search through thousands. */
    for (uint32_t i = c->n_heaps; i > 0 && i + 4 > c->n_heaps; i--)
        if (c->heaps[i - 1] == h)
            return;
    /* Room for the next power of two. */
    if ((c->n_heaps & (c->n_heaps - 1)) == 0)
        c->heaps = xrealloc(c->heaps, (c->n_heaps ? 2 * (size_t)c->n_heaps : 1) * sizeof(Heap *));
    c->heaps[c->n_heaps++] = heap_ref(h);
}

static size_t element_bytes(const Column *c)
{
    return c->is_text ? sizeof(StrView) : type_bytes(c->type);
}

size_t column_bytes(const Column *c)
{
    return sizeof *c + element_bytes(c) * c->n_rows +
           (c->valid ? bit_words(c->n_rows) * sizeof *c->valid : 0);
}

Value column_value(const Column *c, uint32_t row)
{
    Value v = {.type = c->type, .is_null = !column_is_valid(c, row)};
    if (v.is_null)
        return v;
    if (column_has_strings(c)) {
        v.type = TYPE_STRING;
        v.s = (Str){column_strs(c)[row].ptr, column_strs(c)[row].len};
    } else if (c->type == TYPE_FLOAT) {
        v.f = column_floats(c)[row];
    } else if (c->type == TYPE_BOOL) {
        v.i = column_bools(c)[row];
    } else {
        v.i = column_ints(c)[row];
    }
    return v;
}

Column *column_like(const Column *c, uint32_t n_rows)
{
    Column *out = column_new(c->type, c->is_text, n_rows);
    out->delimiter = c->delimiter;
    out->quote = c->quote;
    out->inferred_rows = c->inferred_rows;
    out->input_col = c->input_col;
    out->is_foreign = c->is_foreign;
    return out;
}

void column_own_strings(Column *c, size_t n_bytes)
{
    StrView *s = column_strs(c);
    Heap *h = heap_new(n_bytes + REACH_BYTES);
    char *to = heap_alloc(h, n_bytes + REACH_BYTES);
    for (uint32_t i = 0; i < c->n_rows; i++) {
        if (s[i].len)
            memcpy(to, s[i].ptr, s[i].len);
        s[i].ptr = to;
        to += s[i].len;
    }
    column_add_heap(c, h);
    heap_unref(h);
}

Column *column_gather(const Column *c, const uint32_t *sel, uint32_t n)
{
    Column *out = column_like(c, n);
    switch (element_bytes(c)) {
    case 1:
        for (uint32_t i = 0; i < n; i++)
            column_bools(out)[i] = column_bools(c)[sel[i]];
        break;
    case 8:
        for (uint32_t i = 0; i < n; i++)
            column_ints(out)[i] = column_ints(c)[sel[i]];
        break;
    case sizeof(StrView):
        for (uint32_t i = 0; i < n; i++)
            column_strs(out)[i] = column_strs(c)[sel[i]];
        break;
    }
    if (c->valid) {
        column_own_valid(out, false);
        for (uint32_t i = 0; i < n; i++)
            out->valid[i >> 6] |= (uint64_t)bit_get(c->valid, sel[i]) << (i & 63);
    }
    for (uint32_t i = 0; i < c->n_heaps; i++)
        column_add_heap(out, c->heaps[i]);
    const Codes *codes = codes_had(c);
    if (codes)
        codes_gather(out, codes, sel, n);
    return out;
}

Column *column_pick(const Column *c, const uint32_t *rows, uint32_t n)
{
    uint32_t *sel = xmalloc((n + 1ull) * sizeof *sel), n_none = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool is_none = rows[i] == UINT32_MAX;
        sel[i] = is_none ? 0 : rows[i];
        n_none += is_none;
    }
    Column *out;
    if (c->n_rows == 0) { /* no row to stand in for those that are none */
        out = column_like(c, n);
        memset(out->values, 0, element_bytes(c) * (size_t)n);
    } else {
        out = column_gather(c, sel, n);
    }
    free(sel);
    if (n_none == 0)
        return out;
    codes_drop(out); /* some of its rows are of no value */
    if (!out->valid)
        column_own_valid(out, true);
    for (uint32_t i = 0; i < n; i++) {
        if (rows[i] != UINT32_MAX)
            continue;
        bit_clear(out->valid, i);
        if (element_bytes(c) == sizeof(StrView))
            column_strs(out)[i] = (StrView){"", 0, 0};
    }
    return out;
}

/* Copies n bits of `from` (NULL: ones) to `to`, beginning at bit `at`. Bits from there on may be changed. */
static void bits_append(uint64_t *to, uint32_t at, const uint64_t *from, uint32_t n)
{
    uint32_t shift = at & 63;
    for (uint32_t i = 0; i < n; i += 64) {
        uint64_t word = from ? from[i >> 6] : ~UINT64_C(0), *w = &to[(at + i) >> 6];
        *w = shift ? (*w & ((UINT64_C(1) << shift) - 1)) | word << shift : word;
        if (shift && n - i > 64 - shift)
            w[1] = word >> (64 - shift);
    }
}

/* Moves the bytes of out's strings into one heap of its own and lets go of the others. */
static void strings_own(Column *out)
{
    StrView *s = column_strs(out);
    Reach reach = reach_of_column(out);
    size_t n_bytes = REACH_BYTES;
    for (uint32_t i = 0; i < out->n_rows; i++)
        n_bytes += s[i].len;
    Heap *h = heap_new(n_bytes);
    char *to = heap_alloc(h, n_bytes);
    for (uint32_t i = 0; i < out->n_rows; i++) {
        StrView v = s[i];
        if (reach_is_short(reach, v))
            reach_copy(to, v.ptr);
        else
            memcpy(to, v.ptr, v.len);
        s[i].ptr = to;
        to += v.len;
    }
    for (uint32_t i = 0; i < out->n_heaps; i++)
        heap_unref(out->heaps[i]);
    out->n_heaps = 0;
    column_add_heap(out, h);
    heap_unref(h);
}

/* Writes the text cells out[at..at + n) of another dialect in the dialect of `out`. */
static void cells_rewrite(Column *out, uint32_t at, const Column *part)
{
    CsvDialect d = {.delimiter = out->delimiter, .quote = out->quote, .null_word = {"", 0}};
    StrView *s = column_strs(out) + at;
    Heap *unquoted = NULL, *h = heap_new(4096);
    Buf b = {0};
    for (uint32_t i = 0; i < part->n_rows; i++) {
        if (!column_is_valid(part, i)) {
            s[i].len = 0; /* its null word need not be one here */
            continue;
        }
        buf_clear(&b);
        csv_put_text(&b, csv_cell_text(s[i], part->quote, &unquoted), &d);
        char *to = heap_alloc(h, b.len);
        memcpy(to, b.ptr, b.len);
        s[i] = (StrView){to, (uint32_t)b.len, (b.ptr[0] == d.quote ? CELL_QUOTED : 0) | (s[i].flags & CELL_MADE)};
    }
    column_add_heap(out, h);
    heap_unref(h);
    heap_unref(unquoted);
    buf_deinit(&b);
}

Column *column_concat(Column *const *parts, uint32_t n_parts, bool copy)
{
    uint32_t n_rows = 0;
    bool has_nulls = false;
    for (uint32_t i = 0; i < n_parts; i++) {
        n_rows += parts[i]->n_rows;
        has_nulls |= parts[i]->valid != NULL;
    }
    Column *out = column_like(parts[0], n_rows);
    if (has_nulls)
        column_own_valid(out, true);
    size_t size = element_bytes(out);
    uint32_t at = 0;
    for (uint32_t i = 0; i < n_parts; i++) {
        const Column *p = parts[i];
        memcpy((char *)out->values + size * at, p->values, size * p->n_rows);
        if (has_nulls)
            bits_append(out->valid, at, p->valid, p->n_rows);
        for (uint32_t j = 0; j < p->n_heaps; j++)
            column_add_heap(out, p->heaps[j]);
        out->is_foreign |= p->is_foreign;
        if (p->input_col != out->input_col)
            out->input_col = 0;
        if (out->is_text && (p->delimiter != out->delimiter || p->quote != out->quote))
            cells_rewrite(out, at, p);
        at += p->n_rows;
    }
    if (copy && size == sizeof(StrView))
        strings_own(out);
    return out;
}

Column *column_nulls(Type t, uint32_t n_rows)
{
    Column *c = column_new(t, false, n_rows);
    column_own_valid(c, false);
    memset(c->values, 0, type_bytes(t) * (size_t)n_rows);
    if (t == TYPE_STRING)
        for (uint32_t i = 0; i < n_rows; i++)
            column_strs(c)[i].ptr = "";
    return c;
}
