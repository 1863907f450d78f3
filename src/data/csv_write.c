#include "data/csv_write.h"

#include <stdlib.h>
#include <string.h>

#include "data/csv_cell.h"
#include "data/reach.h"

/* How the cells of one output column are made. */
typedef enum Way {
    WAY_RAW,    /* slices of the input: fields first..last of the row in one piece */
    WAY_TEXT,   /* cells that stand in a column of text */
    WAY_QUOTE,  /* cells of another dialect */
    WAY_PRINT,  /* values */
} Way;

typedef struct Part {
    Way way;
    uint32_t first, last; /* WAY_RAW: fields */
    const Column *col;    /* WAY_TEXT, WAY_PRINT; WAY_QUOTE: NULL if in raw */
    uint32_t field;       /* WAY_QUOTE in raw */
    char quote;           /* WAY_QUOTE: of its dialect */
    Column *own;          /* col, where it was made for this; else NULL */
    Reach reach;            /* WAY_TEXT, WAY_PRINT: of col's strings */
} Part;

static bool same_dialect(char delimiter, char quote, const CsvDialect *d)
{
    return delimiter == d->delimiter && quote == d->quote && d->null_word.len == 0;
}

/* Plans the columns; neighbouring fields that stay neighbours are one part. Returns the number of parts. */
static uint32_t plan_parts(const Batch *b, const CsvDialect *d, Part *parts)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < b->n_cols; c++) {
        const Slot *slot = &b->slots[c];
        Part p = {.way = WAY_PRINT, .col = slot->values};
        if (slot->picked) {
            p.own = batch_text(b, c);
            if (p.own) {
                p.way = same_dialect(p.own->delimiter, p.own->quote, d) ? WAY_TEXT : WAY_QUOTE;
                p.quote = p.own->quote;
            } else if (!p.col) { /* computed where it was picked: there is nothing to decode */
                batch_values(b, c, STR_LIT(""), NULL, NULL, &p.own, NULL);
            }
            p.col = p.own ? p.own : p.col;
        } else if (slot->raw_col >= 0) {
            const CsvDialect *from = &b->raw->input->dialect;
            uint32_t field = (uint32_t)slot->raw_col;
            if (!same_dialect(from->delimiter, from->quote, d)) {
                p = (Part){.way = WAY_QUOTE, .field = field, .quote = from->quote};
            } else if (n && parts[n - 1].way == WAY_RAW && parts[n - 1].last + 1 == field) {
                parts[n - 1].last = field;
                continue;
            } else {
                p = (Part){.way = WAY_RAW, .first = field, .last = field};
            }
        } else if (slot->text) {
            const Column *t = slot->text;
            p = (Part){.way = same_dialect(t->delimiter, t->quote, d) ? WAY_TEXT : WAY_QUOTE,
                       .col = t,
                       .quote = t->quote};
        }
        parts[n++] = p;
    }
    return n;
}

/* Room for n bytes, and for REACH_BYTES that a short copy may touch beyond. */
static inline char *room(Buf *out, size_t n)
{
    if (out->cap - out->len <= n + REACH_BYTES)
        buf_reserve(out, n + REACH_BYTES + out->len / 2);
    return out->ptr + out->len;
}

static void put_fields(Buf *out, const RawRows *raw, uint32_t row, const Part *p)
{
    StrView first = raw_cell(raw, row, p->first);
    StrView last = p->first == p->last ? first : raw_cell(raw, row, p->last);
    const char *end = last.ptr + last.len;
    size_t n = (size_t)(end - first.ptr);
    char *to = room(out, n);
    const char *limit = raw->cells + raw->start[(size_t)raw->n_rows * raw->n_cols];
    if (n <= REACH_BYTES && limit - first.ptr >= (ptrdiff_t)REACH_BYTES)
        reach_copy(to, first.ptr);
    else
        memcpy(to, first.ptr, n);
    out->len += n;
}

static inline void put_view(Buf *out, StrView v, Reach reach)
{
    char *to = room(out, v.len);
    if (reach_is_short(reach, v))
        reach_copy(to, v.ptr);
    else
        memcpy(to, v.ptr, v.len);
    out->len += v.len;
}

/* Has a short string a byte for which it must be quoted? */
static inline bool is_special(StrView v, const CsvDialect *d)
{
    const Bytes16 delimiter = bytes16_all(d->delimiter), quote = bytes16_all(d->quote);
    const Bytes16 lf = bytes16_all('\n'), cr = bytes16_all('\r');
    Bytes16 x = bytes16(v.ptr), y = bytes16(v.ptr + 16);
    Bytes16 a = (Bytes16)((x == delimiter) | (x == quote) | (x == lf) | (x == cr));
    Bytes16 b = (Bytes16)((y == delimiter) | (y == quote) | (y == lf) | (y == cr));
    return bytes16_any((a & bytes16_first((int32_t)v.len)) |
                       (b & bytes16_first((int32_t)v.len - 16)));
}

static inline void put_string(Buf *out, StrView v, Reach reach, const CsvDialect *d)
{
    if (v.len && d->null_word.len == 0 && reach_is_short(reach, v) && !is_special(v, d)) {
        reach_copy(room(out, v.len), v.ptr);
        out->len += v.len;
    } else {
        csv_put_text(out, (Str){v.ptr, v.len}, d);
    }
}

/* Nothing that prints as a value other than a string holds such a delimiter or null word. */
static bool is_usual(const CsvDialect *d)
{
    return (d->delimiter == ',' || d->delimiter == '\t' || d->delimiter == ';') &&
           d->null_word.len == 0;
}

static void put_value(Buf *out, const Part *p, uint32_t row, const CsvDialect *d)
{
    const Column *c = p->col;
    if (!column_is_valid(c, row)) {
        buf_put_str(out, d->null_word);
        return;
    }
    if (c->type == TYPE_STRING) {
        put_string(out, column_strs(c)[row], p->reach, d);
        return;
    }
    if ((c->type == TYPE_INT || c->type == TYPE_FLOAT) && is_usual(d)) {
        char *to = room(out, VALUE_PRINT_MAX);
        out->len += c->type == TYPE_INT ? value_print_int(column_ints(c)[row], to)
                                        : value_print_float(column_floats(c)[row], to);
        return;
    }
    /* A number or a date may hold an exotic delimiter: `1.5` with `.`, `2026-01-02` with `-`. */
    size_t at = out->len;
    value_print(out, column_value(c, row));
    Str s = {out->ptr + at, (uint32_t)(out->len - at)};
    if (memchr(s.ptr, d->delimiter, s.len) || (d->null_word.len && str_eq(s, d->null_word))) {
        char copy[VALUE_PRINT_MAX];
        memcpy(copy, s.ptr, s.len);
        out->len = at;
        csv_put_text(out, (Str){copy, s.len}, d);
    }
}

/* A cell of another dialect, or one whose nulls have a word here. */
static void put_cell(Buf *out, const Batch *b, uint32_t row, const Part *p,
                     const CsvDialect *d, Heap **unquoted)
{
    StrView cell;
    bool is_null;
    if (p->col) {
        cell = column_strs(p->col)[row];
        is_null = !column_is_valid(p->col, row);
    } else {
        cell = raw_cell(b->raw, b->sel ? b->sel[row] : row, p->field);
        is_null = csv_cell_is_null(cell, &b->raw->input->dialect);
    }
    if (is_null)
        buf_put_str(out, d->null_word.len ? d->null_word : (Str){cell.ptr, cell.len});
    else
        csv_put_text(out, csv_cell_text(cell, p->quote, unquoted), d);
}

void csv_write_header(Buf *out, const Schema *schema, const CsvDialect *d)
{
    if (!d->has_header)
        return;
    CsvDialect names = *d;
    names.null_word.len = 0; /* a name is never null */
    for (uint32_t c = 0; c < schema->n_cols; c++) {
        if (c)
            buf_putc(out, d->delimiter);
        csv_put_text(out, schema->cols[c].name, &names);
    }
    buf_putc(out, '\n');
}

#define AHEAD 8 /* rows whose text, which after a sort is anywhere, is fetched before it is copied */

void csv_write_rows(Buf *out, const Batch *b, const CsvDialect *d)
{
    if (b->n_rows == 0)
        return;
    Part *parts = xmalloc((b->n_cols + 1) * sizeof *parts);
    uint32_t n_parts = plan_parts(b, d, parts);
    for (uint32_t k = 0; k < n_parts; k++)
        if (parts[k].col && (parts[k].way == WAY_TEXT || parts[k].col->type == TYPE_STRING))
            parts[k].reach = reach_of_column(parts[k].col);
    const RawRows *raw = b->raw;
    Heap *unquoted = NULL;
    if (n_parts == 1 && parts[0].way == WAY_RAW && parts[0].first == 0 &&
        parts[0].last + 1 == raw->n_cols && !b->sel && !raw->has_gaps) {
        buf_put(out, raw->cells, raw->start[(size_t)raw->n_rows * raw->n_cols]);
        goto done;
    }
    for (uint32_t i = 0; i < b->n_rows; i++) {
        uint32_t row = b->sel ? b->sel[i] : i;
        for (uint32_t k = 0; k < n_parts; k++) {
            const Part *p = &parts[k];
            if (p->way == WAY_TEXT && i + AHEAD < b->n_rows)
                __builtin_prefetch(column_strs(p->col)[i + AHEAD].ptr);
            if (k) {
                *room(out, 1) = d->delimiter;
                out->len++;
            }
            switch (p->way) {
            case WAY_RAW: put_fields(out, raw, row, p); break;
            case WAY_TEXT:
                put_view(out, column_strs(p->col)[i], p->reach);
                break;
            case WAY_QUOTE: put_cell(out, b, i, p, d, &unquoted); break;
            case WAY_PRINT: put_value(out, p, i, d); break;
            }
        }
        *room(out, 1) = '\n';
        out->len++;
    }
    *room(out, 0) = '\0';
done:
    for (uint32_t k = 0; k < n_parts; k++)
        column_unref(parts[k].own);
    heap_unref(unquoted);
    free(parts);
}
