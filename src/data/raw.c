#include "data/raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "data/csv_scan.h"
#include "data/reach.h"

CsvInput *csv_input_of_schema(Str file, const Schema *schema, const uint64_t *inferred_rows)
{
    CsvInput *in = xcalloc(1, sizeof *in);
    atomic_init(&in->refs, 1);
    in->arena = arena_open();
    in->dialect = CSV_DEFAULT_DIALECT;
    in->file = arena_str(in->arena, file);
    in->n_cols = in->n_schema = schema->n_cols;
    in->names = arena_array(in->arena, Str, schema->n_cols + 1);
    in->map = arena_array(in->arena, uint32_t, schema->n_cols + 1);
    in->inferred_rows = arena_array(in->arena, uint64_t, schema->n_cols + 1);
    for (uint32_t c = 0; c < schema->n_cols; c++) {
        in->names[c] = arena_str(in->arena, schema->cols[c].name);
        in->map[c] = c;
        in->inferred_rows[c] = inferred_rows ? inferred_rows[c] : 0;
    }
    return in;
}

CsvInput *csv_input_ref(CsvInput *in)
{
    atomic_fetch_add_explicit(&in->refs, 1, memory_order_relaxed);
    return in;
}

void csv_input_unref(CsvInput *in)
{
    /* Orders as in heap_unref. */
    if (!in || atomic_fetch_sub_explicit(&in->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_close(in->arena);
    free(in);
}

RawRows *raw_ref(RawRows *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void raw_unref(RawRows *r)
{
    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
        return;
    csv_input_unref(r->input);
    heap_unref(r->block);
    heap_unref(r->text);
    free(r->start);
    free(r->place);
    free(r->row_at);
    free(r->good);
    free(r->was);
    free(r);
}

RawRows *raw_reorder(const RawRows *r, const uint32_t *rows, uint32_t n)
{
    RawRows *out = xmalloc(sizeof *out);
    size_t n_bytes = 0, stride = r->stride;
    /* Not a copy of *r: others count its references meanwhile. */
    *out = (RawRows){.refs = 1,
                     .input = csv_input_ref(r->input),
                     .first_row = r->first_row,
                     .first_line = r->first_line,
                     .first_byte = r->first_byte,
                     .n_cols = r->n_cols,
                     .stride = r->stride,
                     .is_row_a_line = r->is_row_a_line,
                     .has_gaps = r->has_gaps};
    if (r->place) {
        out->place = xmalloc((r->n_cols + 1ull) * sizeof *out->place);
        memcpy(out->place, r->place, r->n_cols * sizeof *out->place);
    }
    for (uint32_t i = 0; i < n; i++)
        n_bytes += r->start[(rows[i] + 1) * stride] - r->start[rows[i] * stride];
    out->block = heap_new(n_bytes + REACH_BYTES);
    out->bytes = out->cells = out->block->bytes;
    out->n_bytes = n_bytes;
    out->n_rows = n;
    out->start = xmalloc((n * stride + 1) * sizeof *out->start);
    out->row_at = xmalloc((n + 1ull) * sizeof *out->row_at);
    out->was = xmalloc((n + 1ull) * sizeof *out->was);
    Reach reach = reach_of_raw(r);
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *from = r->start + rows[i] * stride;
        StrView row = {r->cells + from[0], from[stride] - from[0], 0};
        if (reach_is_short(reach, row))
            reach_copy(out->block->bytes + at, row.ptr);
        else
            memcpy(out->block->bytes + at, row.ptr, row.len);
        for (size_t c = 0; c < stride; c++)
            out->start[i * stride + c] = at + (from[c] - from[0]);
        out->row_at[i] = r->row_at ? r->row_at[rows[i]] : from[0];
        out->was[i] = r->was ? r->was[rows[i]] : rows[i];
        at += row.len;
    }
    out->start[n * stride] = at;
    return out;
}

static size_t skip_blank(const RawRows *r, size_t at)
{
    if (r->n_cols > 1)
        while (at + 1 < r->n_bytes && (r->bytes[at] == '\n' || r->bytes[at] == '\r'))
            at++;
    return at;
}

/* Offset of the row's first byte in `bytes`. */
static size_t row_offset(const RawRows *r, uint32_t row)
{
    if (!r->start) { /* only counted: for a message, once */
        const CsvDialect *d = &r->input->dialect;
        size_t at = 0;
        for (uint32_t i = 0; i < row; i++) {
            at = skip_blank(r, at);
            at += csv_record(r->bytes + at, r->n_bytes - at, d->delimiter, d->quote, 0).n_bytes;
        }
        return skip_blank(r, at);
    }
    if (r->row_at)
        return r->row_at[row];
    return skip_blank(r, r->start[(size_t)row * r->stride]);
}

uint64_t raw_line(const RawRows *r, uint32_t row)
{
    if (r->is_row_a_line)
        return r->first_line + (r->was ? r->was[row] : row);
    return r->first_line + csv_count_lines(r->bytes, row_offset(r, row));
}

void raw_lines(const RawRows *r, uint64_t *out)
{
    size_t at = 0;
    uint64_t line = r->first_line;
    for (uint32_t i = 0; i < r->n_rows; i++) {
        if (r->is_row_a_line) {
            out[i] = line + (r->was ? r->was[i] : i);
            continue;
        }
        size_t next = row_offset(r, i);
        line += csv_count_lines(r->bytes + at, next - at);
        at = next;
        out[i] = line;
    }
}

uint64_t raw_byte(const RawRows *r, uint32_t row, uint32_t col)
{
    size_t at = row_offset(r, row);
    const CsvDialect *d = &r->input->dialect;
    size_t here = r->was ? r->start[(size_t)row * r->stride] : at;
    if (col)
        at += csv_record(r->bytes + here, r->n_bytes - here, d->delimiter, d->quote, col).field_at;
    return r->first_byte + at;
}

void error_at(Error *err, Str file, uint64_t line, uint64_t byte)
{
    if (!err)
        return;
    text_visible(file, err->file, sizeof err->file);
    err->line = line;
    err->byte = byte;
}

const char *text_rows(uint64_t n, char *out, size_t size)
{
    if (n == 1)
        snprintf(out, size, "row");
    else
        snprintf(out, size, "%llu rows", (unsigned long long)n);
    return out;
}

void text_visible(Str s, char *out, size_t size)
{
    Buf b = {0};
    buf_put_visible(&b, str_slice(s, 0, (uint32_t)size));
    size_t n = b.len;
    bool is_cut = s.len > size || n >= size;
    if (is_cut) {
        size_t i = 0; /* whole code points that leave room for `...` and the NUL */
        while (i < n) {
            uint32_t len = utf8_len(b.ptr + i, (uint32_t)(n - i));
            if (i + (len ? len : 1) > size - 4)
                break;
            i += len ? len : 1;
        }
        n = i;
    }
    if (n)
        memcpy(out, b.ptr, n);
    memcpy(out + n, is_cut ? "..." : "", is_cut ? 4 : 1);
    buf_deinit(&b);
}
