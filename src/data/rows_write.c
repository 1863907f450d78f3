#include "data/rows_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "data/csv_write.h"
#include "data/sqlite_write.h"

void rows_write_header(Buf *out, const Schema *schema, const CsvDialect *d)
{
    if (d->format == ROWS_CSV)
        csv_write_header(out, schema, d);
}

/* Room for n bytes and the NUL behind them. */
static inline char *room(Buf *out, size_t n)
{
    if (out->cap - out->len <= n)
        buf_reserve(out, n + out->len / 2 + 64);
    return out->ptr + out->len;
}

static inline void put_bytes(Buf *out, const char *p, size_t n)
{
    memcpy(room(out, n), p, n);
    out->len += n;
}

static bool is_ascii(const char *p, size_t n)
{
    uint64_t all = 0, w;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, sizeof w);
        all |= w;
    }
    for (; n; p++, n--)
        all |= (uint64_t)(unsigned char)*p;
    return (all & 0x8080808080808080u) == 0;
}

/* Short strings of plain ASCII are most of them. */
static void put_string(Buf *out, StrView s)
{
    bool is_plain = is_ascii(s.ptr, s.len);
    for (uint32_t i = 0; i < s.len && is_plain; i++)
        is_plain = s.ptr[i] != '"' && s.ptr[i] != '\\' && (unsigned char)s.ptr[i] >= 0x20;
    if (!is_plain) {
        JsonWriter w;
        json_init(&w, out, JSON_STYLE_COMPACT);
        json_put_str(&w, (Str){s.ptr, s.len});
        return;
    }
    char *to = room(out, s.len + 2ull);
    to[0] = '"';
    memcpy(to + 1, s.ptr, s.len);
    to[s.len + 1] = '"';
    out->len += s.len + 2ull;
}

static void put_quoted(Buf *out, const char *p, uint32_t n)
{
    put_string(out, (StrView){p, n, 0});
}

static void put_value(Buf *out, const Column *c, uint32_t row)
{
    char text[VALUE_PRINT_MAX];
    if (!column_is_valid(c, row)) {
        put_bytes(out, "null", 4);
        return;
    }
    switch (c->type) {
    case TYPE_STRING: put_string(out, column_strs(c)[row]); return;
    case TYPE_INT:
        out->len += value_print_int(column_ints(c)[row], room(out, VALUE_PRINT_MAX));
        return;
    case TYPE_FLOAT:
        if (isfinite(column_floats(c)[row]))
            out->len += value_print_float(column_floats(c)[row], room(out, VALUE_PRINT_MAX));
        else
            put_bytes(out, "null", 4);
        return;
    case TYPE_BOOL:
        if (column_bools(c)[row])
            put_bytes(out, "true", 4);
        else
            put_bytes(out, "false", 5);
        return;
    case TYPE_DATE: put_quoted(out, text, value_print_date(column_ints(c)[row], text)); return;
    case TYPE_TIMESTAMP: put_quoted(out, text, value_print_timestamp(column_ints(c)[row], text)); return;
    case TYPE_DURATION: put_quoted(out, text, value_print_duration(column_ints(c)[row], text)); return;
    case TYPE_SIZE: put_quoted(out, text, value_print_size(column_ints(c)[row], text)); return;
    case TYPE_ERROR:
    case TYPE_NULL:
    case TYPE_TABLE:
    case TYPE_LIST:
    case N_TYPES: put_bytes(out, "null", 4); return;
    }
}

static void json_write(Buf *out, const Batch *b, const Schema *schema, Column *const *cols)
{
    Buf keys = {0};
    size_t *ends = xmalloc((b->n_cols + 1ull) * sizeof *ends);
    for (uint32_t c = 0; c < b->n_cols; c++) { /* `{"a":`, `,"b":` */
        buf_putc(&keys, c ? ',' : '{');
        Str name = schema->cols[c].name;
        put_string(&keys, (StrView){name.len ? name.ptr : "", name.len, 0});
        buf_putc(&keys, ':');
        ends[c] = keys.len;
    }
    for (uint32_t i = 0; i < b->n_rows; i++) {
        for (uint32_t c = 0; c < b->n_cols; c++) {
            size_t from = c ? ends[c - 1] : 0;
            put_bytes(out, keys.ptr + from, ends[c] - from);
            put_value(out, cols[c], i);
        }
        put_bytes(out, b->n_cols ? "}\n" : "{}\n", b->n_cols ? 2 : 3);
    }
    free(ends);
    buf_deinit(&keys);
}

static void lines_write(Buf *out, const Column *c)
{
    for (uint32_t i = 0; i < c->n_rows; i++) {
        StrView s = column_is_valid(c, i) ? column_strs(c)[i] : (StrView){"", 0, 0};
        char *to = room(out, s.len + 1ull);
        memcpy(to, s.ptr, s.len);
        to[s.len] = '\n';
        out->len += s.len + 1ull;
    }
}

Status rows_write(Buf *out, const Batch *b, const Schema *schema, const CsvDialect *d, Error *err)
{
    if (d->format == ROWS_CSV) {
        csv_write_rows(out, b, d);
        return OK;
    }
    if (b->n_rows == 0)
        return OK;
    Status st = OK;
    Column **cols = xcalloc(b->n_cols + 1ull, sizeof *cols);
    for (uint32_t c = 0; c < b->n_cols && st == OK; c++)
        st = batch_values(b, c, schema->cols[c].name, NULL, NULL, &cols[c], err);
    if (st == OK && d->format == ROWS_JSON)
        json_write(out, b, schema, cols);
    else if (st == OK && d->format == ROWS_SQLITE)
        sqlite_pack(out, b, cols);
    else if (st == OK)
        lines_write(out, cols[0]);
    if (st == OK)
        *room(out, 0) = '\0';
    for (uint32_t c = 0; c < b->n_cols; c++)
        column_unref(cols[c]);
    free(cols);
    return st;
}
