#include "data/csv_write.h"

#include <stdlib.h>
#include <string.h>

#include "data/codes.h"
#include "data/csv_cell.h"
#include "data/reach.h"

/* How the cells of one output column are made. */
typedef enum Way {
    WAY_RAW,    /* slices of the input: fields first..last of the row in one piece */
    WAY_TEXT,   /* cells that stand in a column of text */
    WAY_QUOTE,  /* cells of another dialect */
    WAY_PRINT,  /* values */
} Way;

#define BLOCK 64u /* rows whose cells are laid out, column by column, before they are copied row by row */
#define PLAIN_ROW_BYTES 64u /* more is not looked through for what wants quotes before it is known that it is written */

typedef struct Part {
    Way way;
    uint32_t first, last; /* WAY_RAW: fields */
    const Column *col;    /* WAY_TEXT, WAY_PRINT; WAY_QUOTE: NULL if in raw */
    uint32_t field;       /* WAY_QUOTE in raw */
    char quote;           /* WAY_QUOTE: of its dialect */
    Column *own;          /* col, where it was made for this; else NULL */
    Reach reach;          /* WAY_RAW, WAY_TEXT, WAY_PRINT of strings: where they may be read beyond their end */
    Reach plain;          /* WAY_PRINT: strings that stand there hold nothing that wants quotes */
    StrView *room;        /* [BLOCK] for cells; in Writer.views */
    char *text;           /* WAY_PRINT: [BLOCK * VALUE_PRINT_MAX]; in Writer.text */
    /* Of the block that is being written: */
    const StrView *cells; /* [BLOCK] as they are to stand in the output */
    size_t n_bytes;       /* at least what they have together */
    bool is_short;        /* each has at most REACH_BYTES, and so many may be read from its start */
} Part;

typedef struct Writer {
    const Batch *b;
    const CsvDialect *dialect;
    Part *parts;           /* [n_parts] owned */
    uint32_t n_parts;
    StrView *views;        /* owned */
    char *text;            /* owned */
    const StrView **cells; /* [n_parts] the cells of each part once more; owned */
    size_t at_start;       /* of the output's bytes: where the first row begins */
    Buf side;              /* cells of a block that had to be made */
    Heap *unquoted;
} Writer;

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

/* Where the strings of a column probably are: between its first and its last one, for strings that were computed stand
 * one behind the other; where there are codes, of those of which the others are copies. */
static void find_range(const Column *c, const char **from, const char **to)
{
    const StrView *s = column_strs(c);
    const Codes *codes = codes_had(c);
    *from = s[0].ptr;
    *to = s[c->n_rows - 1].ptr + s[c->n_rows - 1].len;
    for (uint32_t i = 0; codes && i < codes->n_values; i++) {
        StrView v = s[codes->first[i]];
        *from = (uintptr_t)v.ptr < (uintptr_t)*from ? v.ptr : *from;
        *to = (uintptr_t)(v.ptr + v.len) > (uintptr_t)*to ? v.ptr + v.len : *to;
    }
}

/* Are the strings of a column, as far as they are there, free of bytes for which a cell is quoted? Looked at all at once,
 * which is several times as fast as one by one. */
static void find_plain(Part *p, const CsvDialect *d)
{
    const Column *c = p->col;
    if (c->n_rows == 0 || c->n_heaps == 0 || d->null_word.len)
        return;
    const Heap *h = c->heaps[0];
    const char *first, *end;
    find_range(c, &first, &end);
    uintptr_t from = (uintptr_t)first, to = (uintptr_t)end;
    bool is_within = from >= (uintptr_t)h->bytes && to <= (uintptr_t)h->bytes + h->cap;
    if (is_within && from < to && to - from <= (size_t)c->n_rows * PLAIN_ROW_BYTES &&
        csv_text_is_plain(first, to - from, d))
        p->plain = (Reach){from, to - from};
}

/* What must be told of the cells of one block: their bytes together, the longest, whether all are in reach. */
typedef struct Sizes {
    size_t bytes;
    uint32_t longest;
    bool is_near;
} Sizes;

static inline void sizes_add(Sizes *s, const Part *p, StrView v)
{
    s->bytes += v.len;
    s->longest = v.len > s->longest ? v.len : s->longest;
    s->is_near &= reach_has(p->reach, v.ptr);
}

static void sizes_set(Part *p, Sizes s)
{
    p->n_bytes = s.bytes;
    p->is_short = s.is_near && s.longest <= REACH_BYTES;
}

/* Rows without gaps: each ends with one LF, and nothing stands before it. */
static void raw_cells(Part *p, const RawRows *raw, const uint32_t *sel, uint32_t from, uint32_t n)
{
    const size_t stride = raw->stride;
    const uint32_t *first = raw->start + raw_place(raw, 0, p->first);
    const uint32_t *behind = raw->start + raw_place(raw, 0, p->last) + 1;
    uint32_t longest = 0, farthest = 0;
    for (uint32_t i = 0; i < n; i++) {
        size_t row = (sel ? sel[from + i] : from + i) * stride;
        uint32_t at = first[row], len = behind[row] - 1 - at;
        p->room[i] = (StrView){raw->cells + at, len, 0};
        longest = len > longest ? len : longest;
        farthest = at > farthest ? at : farthest;
    }
    sizes_set(p, (Sizes){.bytes = (size_t)longest * n, .longest = longest,
                         .is_near = reach_has(p->reach, raw->cells + farthest)});
    if (!p->is_short)
        p->n_bytes = SIZE_MAX; /* to be counted: one long cell would count for all */
}

static void raw_cells_with_gaps(Part *p, const RawRows *raw, const uint32_t *sel, uint32_t from,
                                uint32_t n)
{
    Sizes s = {.is_near = true};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = sel ? sel[from + i] : from + i;
        StrView first = raw_cell(raw, row, p->first);
        StrView last = p->first == p->last ? first : raw_cell(raw, row, p->last);
        p->room[i] = (StrView){first.ptr, (uint32_t)(last.ptr + last.len - first.ptr), 0};
        sizes_add(&s, p, p->room[i]);
    }
    sizes_set(p, s);
}

static void text_cells(Part *p, uint32_t from, uint32_t n)
{
    Sizes s = {.is_near = true};
    p->cells = column_strs(p->col) + from;
    for (uint32_t i = 0; i < n; i++)
        sizes_add(&s, p, p->cells[i]);
    sizes_set(p, s);
}

/* Strings that need no look of their own. False: there are others. */
static bool plain_cells(Part *p, uint32_t from, uint32_t n)
{
    Sizes s = {.is_near = true};
    const StrView *v = column_strs(p->col) + from;
    bool is_plain = p->plain.n > 0 && !p->col->valid;
    for (uint32_t i = 0; i < n && is_plain; i++) {
        uintptr_t at = (uintptr_t)v[i].ptr - p->plain.from;
        is_plain = v[i].len > 0 && at < p->plain.n && v[i].len <= p->plain.n - at;
        sizes_add(&s, p, v[i]);
    }
    if (!is_plain)
        return false;
    p->cells = v;
    sizes_set(p, s);
    return true;
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

/* A string whose bytes are made here: where they begin in `side`, which may still move. */
#define CELL_ASIDE (1u << CELL_BITS) /* beside the flags of cells that are text */

static StrView cell_aside(const Buf *side, size_t at)
{
    return (StrView){(const char *)(uintptr_t)at, (uint32_t)(side->len - at), CELL_ASIDE};
}

static StrView null_cell(const CsvDialect *d)
{
    return (StrView){d->null_word.len ? d->null_word.ptr : "", d->null_word.len, 0};
}

static void string_cells(Part *p, uint32_t from, uint32_t n, const CsvDialect *d, Buf *side)
{
    for (uint32_t i = 0; i < n; i++) {
        StrView v = column_strs(p->col)[from + i];
        size_t at = side->len;
        if (!column_is_valid(p->col, from + i)) {
            p->room[i] = null_cell(d);
        } else if (v.len && d->null_word.len == 0 && reach_is_short(p->reach, v) && !is_special(v, d)) {
            p->room[i] = v;
        } else {
            csv_put_text(side, (Str){v.ptr, v.len}, d);
            p->room[i] = cell_aside(side, at);
        }
    }
}

/* Nothing that prints as a value other than a string holds such a delimiter or null word. */
static bool is_usual(const CsvDialect *d)
{
    return (d->delimiter == ',' || d->delimiter == '\t' || d->delimiter == ';') &&
           d->null_word.len == 0;
}

/* A number or a date may hold an exotic delimiter: `1.5` with `.`, `2026-01-02` with `-`. */
static void unusual_cells(Part *p, uint32_t from, uint32_t n, const CsvDialect *d, Buf *side)
{
    Buf text = {0};
    for (uint32_t i = 0; i < n; i++) {
        size_t at = side->len;
        if (!column_is_valid(p->col, from + i)) {
            p->room[i] = null_cell(d);
            continue;
        }
        buf_clear(&text);
        value_print(&text, column_value(p->col, from + i));
        csv_put_text(side, buf_str(&text), d);
        p->room[i] = cell_aside(side, at);
    }
    buf_deinit(&text);
}

static void value_cells(Part *p, uint32_t from, uint32_t n, const CsvDialect *d, Buf *side)
{
    if (p->col->type == TYPE_STRING) {
        if (!plain_cells(p, from, n))
            string_cells(p, from, n, d, side);
        return;
    }
    uint8_t lens[BLOCK];
    if (!is_usual(d) || !value_print_many(p->col->type, p->col->values, from, n, p->text, lens)) {
        unusual_cells(p, from, n, d, side);
        return;
    }
    p->is_short = true;
    p->n_bytes = (size_t)n * VALUE_PRINT_MAX;
    for (uint32_t i = 0; i < n; i++) {
        p->room[i] = (StrView){p->text + (size_t)i * VALUE_PRINT_MAX, lens[i], 0};
        p->is_short &= lens[i] <= REACH_BYTES;
    }
    for (uint32_t i = 0; p->col->valid && i < n; i++)
        if (!column_is_valid(p->col, from + i))
            p->room[i].len = 0;
}

/* Cells of another dialect, or whose nulls have a word here. */
static void foreign_cells(Part *p, const Batch *b, uint32_t from, uint32_t n, const CsvDialect *d,
                          Buf *side, Heap **unquoted)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = from + i;
        size_t at = side->len;
        StrView cell;
        bool is_null;
        if (p->col) {
            cell = column_strs(p->col)[row];
            is_null = !column_is_valid(p->col, row);
        } else {
            cell = raw_cell(b->raw, b->sel ? b->sel[row] : row, p->field);
            is_null = csv_cell_is_null(cell, &b->raw->input->dialect);
        }
        if (is_null) {
            p->room[i] = d->null_word.len ? null_cell(d) : (StrView){cell.ptr, cell.len, 0};
        } else {
            csv_put_text(side, csv_cell_text(cell, p->quote, unquoted), d);
            p->room[i] = cell_aside(side, at);
        }
    }
}

/* Lays out the cells of rows from..from+n of a column. */
static void part_fill(Writer *w, Part *p, uint32_t from, uint32_t n)
{
    const Batch *b = w->b;
    p->cells = p->room;
    p->is_short = false;
    p->n_bytes = SIZE_MAX; /* to be counted */
    switch (p->way) {
    case WAY_RAW:
        if (b->raw->has_gaps)
            raw_cells_with_gaps(p, b->raw, b->sel, from, n);
        else
            raw_cells(p, b->raw, b->sel, from, n);
        break;
    case WAY_TEXT: text_cells(p, from, n); break;
    case WAY_QUOTE: foreign_cells(p, b, from, n, w->dialect, &w->side, &w->unquoted); break;
    case WAY_PRINT: value_cells(p, from, n, w->dialect, &w->side); break;
    }
}

/* Now that `side` does not move any more: where cells aside are, and how long all are together. */
static void part_settle(Writer *w, Part *p, uint32_t n)
{
    if (p->n_bytes != SIZE_MAX)
        return;
    p->n_bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        StrView *v = &p->room[i];
        if (v->flags & CELL_ASIDE)
            v->ptr = w->side.ptr + (uintptr_t)v->ptr;
        p->n_bytes += v->len;
    }
}

/* Every cell has at most REACH_BYTES, all of which may be read. */
static inline char *put_short(Writer *w, char *to, uint32_t n, uint32_t n_parts)
{
    const StrView *const *cells = w->cells;
    char delimiter = w->dialect->delimiter;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n_parts; k++) {
            StrView v = cells[k][i];
            reach_copy(to, v.ptr);
            to[v.len] = delimiter;
            to += v.len + 1;
        }
        to[-1] = '\n';
    }
    return to;
}

/* A few columns have loops of their own, in which their number is known. */
static char *put_short_rows(Writer *w, char *to, uint32_t n)
{
    switch (w->n_parts) {
    case 1: return put_short(w, to, n, 1);
    case 2: return put_short(w, to, n, 2);
    case 3: return put_short(w, to, n, 3);
    case 4: return put_short(w, to, n, 4);
    default: return put_short(w, to, n, w->n_parts);
    }
}

static char *put_any_rows(Writer *w, char *to, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < w->n_parts; k++) {
            const Part *p = &w->parts[k];
            StrView v = p->cells[i];
            if (p->is_short || reach_is_short(p->reach, v))
                reach_copy(to, v.ptr);
            else
                memcpy(to, v.ptr, v.len);
            to[v.len] = w->dialect->delimiter;
            to += v.len + 1;
        }
        to[-1] = '\n';
    }
    return to;
}

static void put_block(Writer *w, Buf *out, uint32_t from, uint32_t n)
{
    bool is_short = true;
    size_t n_bytes = (size_t)n * w->n_parts + REACH_BYTES;
    buf_clear(&w->side);
    for (uint32_t k = 0; k < w->n_parts; k++)
        part_fill(w, &w->parts[k], from, n);
    for (uint32_t k = 0; k < w->n_parts; k++) {
        Part *p = &w->parts[k];
        part_settle(w, p, n);
        n_bytes += p->n_bytes;
        is_short &= p->is_short;
        w->cells[k] = p->cells;
        for (uint32_t i = 0; p->way == WAY_TEXT && i < n; i++) /* after a sort they are anywhere */
            __builtin_prefetch(p->cells[i].ptr);
    }
    if (out->cap - out->len <= n_bytes) /* the rows to come are about as long as those that stand there */
        buf_reserve_exact(out, n_bytes + (from ? (out->len - w->at_start) / from * (w->b->n_rows - from) * 17 / 16 : 0));
    char *to = out->ptr + out->len;
    to = is_short ? put_short_rows(w, to, n) : put_any_rows(w, to, n);
    out->len = (size_t)(to - out->ptr);
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

/* Where the text and the views of printed cells and others stand. */
static void parts_room(Writer *w)
{
    uint32_t n_printed = 0;
    for (uint32_t k = 0; k < w->n_parts; k++)
        n_printed += w->parts[k].way == WAY_PRINT;
    w->views = xmalloc((size_t)w->n_parts * BLOCK * sizeof *w->views);
    w->text = xmalloc((size_t)n_printed * BLOCK * VALUE_PRINT_MAX + 1);
    char *text = w->text;
    for (uint32_t k = 0; k < w->n_parts; k++) {
        Part *p = &w->parts[k];
        p->room = w->views + (size_t)k * BLOCK;
        p->text = text;
        text += p->way == WAY_PRINT ? BLOCK * VALUE_PRINT_MAX : 0;
        if (p->way == WAY_RAW)
            p->reach = reach_of_raw(w->b->raw);
        else if (p->col && (p->way == WAY_TEXT || p->col->type == TYPE_STRING))
            p->reach = reach_of_column(p->col);
        if (p->way == WAY_PRINT && p->col->type == TYPE_STRING)
            find_plain(p, w->dialect);
    }
}

void csv_write_rows(Buf *out, const Batch *b, const CsvDialect *d)
{
    if (b->n_rows == 0)
        return;
    Writer w = {.b = b, .dialect = d, .at_start = out->len, .parts = xcalloc(b->n_cols + 1ull, sizeof *w.parts)};
    w.n_parts = plan_parts(b, d, w.parts);
    if (w.n_parts == 0) { /* rows of nothing */
        for (uint32_t i = 0; i < b->n_rows; i++)
            buf_putc(out, '\n');
        free(w.parts);
        return;
    }
    w.cells = xmalloc((w.n_parts + 1ull) * sizeof *w.cells);
    const RawRows *raw = b->raw;
    if (w.n_parts == 1 && w.parts[0].way == WAY_RAW && w.parts[0].first == 0 &&
        w.parts[0].last + 1 == raw->n_cols && !b->sel && !raw->has_gaps) {
        buf_put(out, raw->cells, raw->start[(size_t)raw->n_rows * raw->stride]);
    } else {
        parts_room(&w);
        for (uint32_t i = 0; i < b->n_rows; i += BLOCK)
            put_block(&w, out, i, b->n_rows - i < BLOCK ? b->n_rows - i : BLOCK);
        buf_reserve(out, 0);
        out->ptr[out->len] = '\0';
    }
    for (uint32_t k = 0; k < w.n_parts; k++)
        column_unref(w.parts[k].own);
    heap_unref(w.unquoted);
    buf_deinit(&w.side);
    free(w.views);
    free(w.text);
    free(w.cells);
    free(w.parts);
}
