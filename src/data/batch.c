/* batch.c - longer than most: whatever knows where the cells of a column are (in the raw rows, in text, in values,
 * in another batch) stands here. */
#include "data/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "data/csv_cell.h"
#include "data/csv_decode.h"

#define HALF 4u /* eighths: copying takes time */
#define MANY 64u /* parts, and rows of a part on the average */
#define MOST 7u /* eighths: what is kept for long is worth it */
#define ORIGIN_BYTE_MAX ((1ull << 48) - 1)
#define GIVE_BACK_BYTES ((size_t)8 << 20) /* so much let go of at once is worth a call to the allocator */

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

/* Whole columns of a batch from which others pick rows: decoded by the first that wants one. */
typedef struct DecodedCol {
    Column *values;
    uint64_t *bad; /* rows that do not decode; they are null in values. NULL: none */
} DecodedCol;

struct Decoded {
    uint32_t n_cols;
    DecodedCol *_Atomic cols[]; /* [n_cols] NULL: not yet */
};

static void decoded_col_free(DecodedCol *d)
{
    if (!d)
        return;
    column_unref(d->values);
    free(d->bad);
    free(d);
}

static void decoded_free(struct Decoded *d)
{
    for (uint32_t i = 0; d && i < d->n_cols; i++)
        decoded_col_free(atomic_load_explicit(&d->cols[i], memory_order_relaxed));
    free(d);
}

static Picked *picked_ref(Picked *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

/* Takes rows, and a reference of its own to from. */
static Picked *picked_new(Batch *from, uint32_t *rows, uint32_t n)
{
    Picked *p = xcalloc(1, sizeof *p);
    atomic_init(&p->refs, 1);
    p->from = batch_ref(from);
    p->rows = rows;
    p->n_rows = n;
    return p;
}

static void picked_unref(Picked *p)
{
    /* Orders as in heap_unref. */
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    batch_unref(p->from);
    free(p->rows);
    free(p);
}

Slot slot_ref(const Slot *s)
{
    Slot copy = *s;
    if (s->text)
        column_ref(s->text);
    if (s->values)
        column_ref(s->values);
    if (s->picked)
        picked_ref(s->picked);
    return copy;
}

void slot_unref(Slot *s)
{
    column_unref(s->text);
    column_unref(s->values);
    picked_unref(s->picked);
    *s = (Slot){.raw_col = -1};
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

/* --- memory ------------------------------------------------------------------------------ */

static int ptr_cmp(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (Heap *const *)a, y = (uintptr_t) * (Heap *const *)b;
    return (x > y) - (x < y);
}

static size_t bytes_of(const Batch *b, bool with_raw)
{
    size_t bytes = sizeof *b + b->n_cols * (sizeof *b->slots + sizeof *b->types), n = 2;
    for (uint32_t c = 0; c < b->n_cols; c++) {
        n += b->slots[c].text ? b->slots[c].text->n_heaps : 0;
        n += b->slots[c].values ? b->slots[c].values->n_heaps : 0;
    }
    Heap **heaps = xmalloc(n * sizeof(Heap *));
    n = 0;
    const RawRows *raw = b->raw;
    if (raw && with_raw) {
        if (raw->start)
            bytes += ((size_t)raw->n_rows * raw->stride + 1) * sizeof *raw->start;
        heaps[n++] = b->raw->block;
        if (b->raw->text)
            heaps[n++] = b->raw->text;
    }
    bytes += b->sel ? b->n_rows * sizeof *b->sel : 0;
    bytes += b->origin ? b->n_rows * sizeof *b->origin : 0;
    for (uint32_t c = 0; c < b->n_cols; c++) {
        const Column *cols[] = {b->slots[c].text, b->slots[c].values};
        const Picked *picked = b->slots[c].picked;
        if (picked && (c == 0 || b->slots[c - 1].picked != picked))
            bytes += picked->n_rows * sizeof *picked->rows;
        for (int k = 0; k < 2; k++) {
            if (!cols[k])
                continue;
            bytes += column_bytes(cols[k]);
            for (uint32_t i = 0; i < cols[k]->n_heaps; i++)
                heaps[n++] = cols[k]->heaps[i];
        }
    }
    qsort(heaps, n, sizeof(Heap *), ptr_cmp);
    for (size_t i = 0; i < n; i++)
        if ((i == 0 || heaps[i] != heaps[i - 1]) &&
            (with_raw || !raw || (heaps[i] != raw->block && heaps[i] != raw->text)))
            bytes += heap_bytes(heaps[i]);
    free(heaps);
    return bytes;
}

size_t batch_bytes(const Batch *b)
{
    return bytes_of(b, true);
}

static size_t strings_bytes(const Column *c)
{
    size_t n = 0;
    if (c->is_text || c->type == TYPE_STRING)
        for (uint32_t i = 0; i < c->n_rows; i++)
            n += column_strs(c)[i].len;
    return n;
}

size_t batch_held_bytes(const Batch *b)
{
    size_t n = sizeof *b + b->n_cols * (sizeof *b->slots + sizeof *b->types);
    if (b->raw)
        n += b->raw->n_bytes;
    if (b->raw && b->raw->start)
        n += ((size_t)b->raw->n_rows * b->raw->stride + 1) * sizeof *b->raw->start;
    n += b->sel ? b->n_rows * sizeof *b->sel : 0;
    n += b->origin ? b->n_rows * sizeof *b->origin : 0;
    for (uint32_t c = 0; c < b->n_cols; c++) {
        const Slot *s = &b->slots[c];
        if (s->text)
            n += column_bytes(s->text) + strings_bytes(s->text);
        if (s->values)
            n += column_bytes(s->values) + (s->text || b->raw ? 0 : strings_bytes(s->values));
        if (s->picked && (c == 0 || b->slots[c - 1].picked != s->picked))
            n += s->picked->n_rows * sizeof *s->picked->rows;
    }
    return n;
}

size_t batch_own_bytes(const Batch *b)
{
    return bytes_of(b, false);
}

/* --- cells and values -------------------------------------------------------------------- */

static inline uint32_t raw_row(const Batch *b, uint32_t row)
{
    return b->sel ? b->sel[row] : row;
}

/* The cells of a column, wherever they are. */
typedef struct Cells {
    const Batch *batch;   /* that holds them: the one asked, or the one it picked from */
    const uint32_t *rows; /* the row of `batch` for each row; NULL: the same */
    uint32_t col;         /* of `batch` */
    const RawRows *raw;   /* NULL: in text */
    const Column *text;   /* NULL too: there are only values */
    uint32_t field;
    char quote;
} Cells;

static Cells cells_of(const Batch *b, uint32_t col)
{
    Cells c = {.batch = b, .col = col};
    if (b->slots[col].picked) {
        c.rows = b->slots[col].picked->rows;
        c.col = b->slots[col].picked_col;
        c.batch = b = b->slots[col].picked->from;
    }
    const Slot *slot = &b->slots[c.col];
    c.text = slot->text;
    if (slot->text) {
        c.quote = slot->text->quote;
    } else if (slot->raw_col >= 0) {
        c.raw = b->raw;
        c.field = (uint32_t)slot->raw_col;
        c.quote = b->raw->input->dialect.quote;
    }
    return c;
}

/* False: null. */
static inline bool cell_get(const Cells *c, uint32_t row, StrView *cell)
{
    if (c->rows) {
        row = c->rows[row];
        if (row == PICKED_NONE) {
            *cell = (StrView){"", 0, 0};
            return false;
        }
    }
    if (c->text) {
        *cell = column_strs(c->text)[row];
        return column_is_valid(c->text, row);
    }
    *cell = raw_cell(c->raw, raw_row(c->batch, row), c->field);
    return !csv_cell_is_null(*cell, &c->raw->input->dialect);
}

bool batch_has_text(const Batch *b, uint32_t col)
{
    Cells cells = cells_of(b, col);
    return cells.text || cells.raw;
}

/* 1 + the column of the schema that the field is; 0: none. */
static uint32_t input_col(const CsvInput *in, uint32_t field)
{
    if (!in->map)
        return field + 1;
    for (uint32_t c = 0; c < in->n_schema; c++)
        if (in->map[c] == field)
            return c + 1;
    return 0;
}

/* Text of rows [n] of the batch; NULL: all of them. */
static Column *text_of(const Batch *b, uint32_t col, const uint32_t *rows, uint32_t n)
{
    Cells cells = cells_of(b, col);
    if (!cells.raw)
        return NULL;
    const RawRows *raw = cells.raw;
    const CsvDialect *d = &raw->input->dialect;
    Column *c = column_new(b->types[col], true, n);
    c->delimiter = d->delimiter;
    c->quote = d->quote;
    c->inferred_rows = raw->input->inferred_rows[cells.field];
    c->input_col = input_col(raw->input, cells.field);
    column_add_heap(c, raw->text ? raw->text : raw->block);
    for (uint32_t i = 0; i < n; i++)
        if (!cell_get(&cells, rows ? rows[i] : i, &column_strs(c)[i])) {
            if (!c->valid)
                column_own_valid(c, true);
            bit_clear(c->valid, i);
        }
    return c;
}

Column *batch_text(const Batch *b, uint32_t col)
{
    Cells cells = cells_of(b, col);
    if (cells.text)
        return cells.rows ? column_pick(cells.text, cells.rows, b->n_rows)
                          : column_ref(b->slots[col].text);
    return text_of(b, col, NULL, b->n_rows);
}

Column *batch_text_rows(const Batch *b, uint32_t col, const uint32_t *rows, uint32_t n)
{
    Cells cells = cells_of(b, col);
    if (!cells.text)
        return text_of(b, col, rows, n);
    Column *all = batch_text(b, col), *some = column_gather(all, rows, n);
    column_unref(all);
    return some;
}

/* Puts the value of s into row i of a column; false if it is none of the type. */
static inline bool value_decode(Column *out, uint32_t i, Str s)
{
    bool v;
    switch (out->type) {
    case TYPE_INT: return value_parse_int(s, &column_ints(out)[i]);
    case TYPE_FLOAT: return value_parse_float(s, &column_floats(out)[i]);
    case TYPE_BOOL:
        if (!value_parse_bool(s, &v))
            return false;
        column_bools(out)[i] = v;
        return true;
    case TYPE_DATE: return value_parse_date(s, &column_ints(out)[i]);
    case TYPE_TIMESTAMP: return value_parse_timestamp(s, &column_ints(out)[i]);
    case TYPE_DURATION: return value_parse_duration(s, &column_ints(out)[i]);
    case TYPE_SIZE: return value_parse_size(s, &column_ints(out)[i]);
    case TYPE_STRING: column_strs(out)[i] = (StrView){s.ptr, s.len, 0}; return true;
    case TYPE_ERROR:
    case TYPE_NULL:
    case TYPE_TABLE:
    case TYPE_LIST:
    case N_TYPES: break;
    }
    assert(false && "a column of a CSV has a type of values");
    return false;
}

/* May cells be decoded without asking for a null word? */
static bool has_plain_cells(const Batch *b, uint32_t col)
{
    return !b->slots[col].text && b->raw->input->dialect.null_word.len == 0 &&
           csv_has_plain_form(b->types[col]);
}

/* The first row from i on whose bit is not `is_set`; n if there is none. */
static uint32_t run_end(const uint64_t *bits, uint32_t i, uint32_t n, bool is_set)
{
    while (i < n) {
        uint64_t others = (is_set ? ~bits[i >> 6] : bits[i >> 6]) >> (i & 63);
        if (others) {
            i += (uint32_t)__builtin_ctzll(others);
            return i < n ? i : n;
        }
        i = (i | 63) + 1;
    }
    return n;
}

/* Decodes rows from i on as long as their cells are of the common form, or not needed; returns the first of which
 * neither holds. */
static uint32_t decode_plain(const Batch *b, uint32_t field, const uint64_t *need, Column *c,
                             uint32_t i)
{
    uint32_t to = b->n_rows;
    while (i < b->n_rows) {
        if (need) {
            for (uint32_t next = run_end(need, i, b->n_rows, false); i < next; i++)
                column_put_null(c, i);
            to = run_end(need, i, b->n_rows, true);
        }
        i = csv_decode_plain(b->raw, field, b->sel, i, to, c);
        if (i < to)
            break;
    }
    return i;
}

static struct Decoded *decoded_of(Batch *b)
{
    struct Decoded *d = atomic_load_explicit(&b->decoded, memory_order_acquire);
    if (d)
        return d;
    struct Decoded *mine = xcalloc(1, sizeof *mine + b->n_cols * sizeof mine->cols[0]);
    mine->n_cols = b->n_cols;
    if (atomic_compare_exchange_strong_explicit(&b->decoded, &d, mine, memory_order_acq_rel,
                                                memory_order_acquire))
        return mine;
    free(mine);
    return d;
}

static const DecodedCol *decoded_col(Batch *b, uint32_t col)
{
    DecodedCol *_Atomic *at = &decoded_of(b)->cols[col];
    DecodedCol *d = atomic_load_explicit(at, memory_order_acquire);
    if (d)
        return d;
    DecodedCol *mine = xcalloc(1, sizeof *mine);
    uint32_t n_words = bit_words(b->n_rows);
    mine->bad = xcalloc(n_words + 1ull, sizeof *mine->bad);
    batch_values(b, col, STR_LIT(""), NULL, mine->bad, &mine->values, NULL);
    bool is_good = true;
    for (uint32_t i = 0; i < n_words; i++)
        is_good &= mine->bad[i] == 0;
    if (is_good) {
        free(mine->bad);
        mine->bad = NULL;
    }
    if (atomic_compare_exchange_strong_explicit(at, &d, mine, memory_order_acq_rel,
                                                memory_order_acquire))
        return mine;
    decoded_col_free(mine);
    return d;
}

/* The values of a column that was picked. As batch_values. */
static Status picked_values(const Batch *b, uint32_t col, Str name, const uint64_t *need,
                            uint64_t *bad, Column **out, Error *err)
{
    const Picked *p = b->slots[col].picked;
    const DecodedCol *d = decoded_col(p->from, b->slots[col].picked_col);
    for (uint32_t i = 0; d->bad && i < b->n_rows; i++) {
        if (p->rows[i] == PICKED_NONE || !bit_get(d->bad, p->rows[i]) || (need && !bit_get(need, i)))
            continue;
        if (!bad)
            return batch_bad_cell(b, col, name, i, err);
        bit_set(bad, i);
    }
    *out = column_pick(d->values, p->rows, b->n_rows);
    return OK;
}

Status batch_values(const Batch *b, uint32_t col, Str name, const uint64_t *need,
                    uint64_t *bad, Column **out, Error *err)
{
    *out = NULL;
    if (b->slots[col].values) {
        *out = column_ref(b->slots[col].values);
        return OK;
    }
    Status st = OK;
    assert(!batch_is_forgotten(b, col));
    if (b->slots[col].picked)
        return picked_values(b, col, name, need, bad, out, err);
    Cells cells = cells_of(b, col);
    Column *c = column_new(b->types[col], false, b->n_rows);
    Heap *unquoted = NULL;
    bool is_plain = has_plain_cells(b, col);
    for (uint32_t i = 0; i < b->n_rows; i++) {
        StrView cell;
        if (is_plain && (i = decode_plain(b, cells.field, need, c, i)) == b->n_rows)
            break;
        if ((need && !bit_get(need, i)) || !cell_get(&cells, i, &cell)) {
            column_put_null(c, i);
            continue;
        }
        Str s = csv_cell_text(cell, cells.quote, &unquoted);
        /* `""` has no value but in a string column. */
        if (s.len == 0 && c->type != TYPE_STRING) {
            column_put_null(c, i);
            continue;
        }
        if (value_decode(c, i, s))
            continue;
        if (!need || bit_get(need, i)) {
            if (!bad) {
                st = batch_bad_cell(b, col, name, i, err);
                goto done;
            }
            bit_set(bad, i);
        }
        column_put_null(c, i);
    }
    if (c->type == TYPE_STRING) {
        if (cells.raw)
            column_add_heap(c, cells.raw->text ? cells.raw->text : cells.raw->block);
        else
            for (uint32_t i = 0; i < cells.text->n_heaps; i++)
                column_add_heap(c, cells.text->heaps[i]);
        if (unquoted)
            column_add_heap(c, unquoted);
    }
    *out = column_ref(c);
done:
    heap_unref(unquoted);
    column_unref(c);
    return st;
}

/* The file that shows of what type its columns are; empty: the one that the row is of, or that is not known. */
static Str inferred_of(const Batch *b, uint32_t col, uint32_t row)
{
    const Picked *picked = b->slots[col].picked;
    if (picked && picked->rows[row] != PICKED_NONE)
        return inferred_of(picked->from, b->slots[col].picked_col, picked->rows[row]);
    if (b->slots[col].text && b->slots[col].text->is_foreign)
        return (Str){0};
    if (b->raw)
        return b->raw->input->first;
    bool is_known = b->origin && b->origin[row].input != ORIGIN_NONE;
    return is_known ? b->inputs[b->origin[row].input]->first : (Str){0};
}

Status batch_bad_text(const Batch *b, uint32_t col, Str name, uint32_t row, Str *text, Heap **held, Error *err)
{
    Cells cells = cells_of(b, col);
    StrView cell = {"", 0, 0};
    cell_get(&cells, row, &cell);
    Str s = *text = csv_cell_text(cell, cells.quote, held);
    const char *why = "another value", *type = type_name(b->types[col]);
    Value v;
    value_parse(b->types[col], s, &v, &why);
    char shown[80], column[sizeof err->column], rows[32];
    text_visible(s, shown, sizeof shown);
    text_visible(name, column, sizeof column);
    uint64_t inferred = cells.text ? cells.text->inferred_rows
                                   : cells.raw->input->inferred_rows[cells.field];
    Str first = inferred_of(b, col, row);
    if (inferred)
        error_set(err, ERR_ROW,
                  "column `%s`: expected %s%s, got `%s`\n"
                  "%s was inferred from the first %s%s%.*s: declare the column in a schema "
                  "(`%s: string`)",
                  column, why, value_hint(b->types[col], s), shown, type, text_rows(inferred, rows, sizeof rows), first.len ? " of " : "", STR_ARG(first),
                  column);
    else
        error_set(err, ERR_ROW,
                  "column `%s`: expected %s%s, got `%s`\n"
                  "it is declared %s: declare it string",
                  column, why, value_hint(b->types[col], s), shown, type);
    err->row_error = ROW_ERROR_CONVERSION;
    memcpy(err->column, column, sizeof column);
    text_visible(s, err->value, sizeof err->value);
    return ERR_ROW;
}

Status batch_bad_cell(const Batch *b, uint32_t col, Str name, uint32_t row, Error *err)
{
    if (!err)
        return ERR_ROW;
    Str text;
    Heap *held = NULL;
    Cells cells = cells_of(b, col);
    batch_bad_text(b, col, name, row, &text, &held, err);
    if (!cells.text || !cells.text->is_foreign)
        batch_where(b, row, (int32_t)col, err);
    heap_unref(held);
    return ERR_ROW;
}

void batch_null_cells(Batch *b, uint32_t col, const uint64_t *rows, Column *values)
{
    Slot *s = &b->slots[col];
    bool is_foreign = s->picked != NULL;
    Column *shared = batch_text(b, col), *text = column_concat(&shared, 1, false);
    column_unref(shared);
    text->is_foreign |= is_foreign;
    for (uint32_t i = 0; i < b->n_rows; i++)
        if (bit_get(rows, i))
            column_put_null(text, i);
    slot_unref(s);
    s->text = text;
    s->values = values ? column_ref(values) : NULL;
}

void batch_where(const Batch *b, uint32_t row, int32_t col, Error *err)
{
    if (col >= 0 && b->slots[col].picked) {
        const Picked *picked = b->slots[col].picked;
        if (picked->rows[row] != PICKED_NONE)
            batch_where(picked->from, picked->rows[row], (int32_t)b->slots[col].picked_col, err);
    } else if (b->raw) {
        uint32_t r = raw_row(b, row);
        int32_t field = col >= 0 ? b->slots[col].raw_col : -1;
        error_at(err, b->raw->input->file, raw_line(b->raw, r),
                 raw_byte(b->raw, r, field >= 0 ? (uint32_t)field : 0));
    } else if (b->origin && b->origin[row].input != ORIGIN_NONE) {
        const Origin *o = &b->origin[row];
        error_at(err, b->inputs[o->input]->file, o->line, o->byte);
    }
}

/* --- rows -------------------------------------------------------------------------------- */

/* Rows of rows. */
static Picked *picked_select(const Picked *p, const uint32_t *sel, uint32_t n)
{
    uint32_t *rows = xmalloc((n + 1ull) * sizeof *rows);
    for (uint32_t i = 0; i < n; i++)
        rows[i] = sel[i] == PICKED_NONE ? PICKED_NONE : p->rows[sel[i]];
    return picked_new(p->from, rows, n);
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
            out->sel[i] = raw_row(b, sel[i]);
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

/* In front of the origins that are counted. */
typedef union OriginsHead {
    _Atomic uint32_t refs;
    Origin align;
} OriginsHead;

Origin *origins_new(uint32_t n_rows)
{
    OriginsHead *h = xmalloc(sizeof *h + n_rows * sizeof(Origin));
    atomic_init(&h->refs, 1);
    return (Origin *)(h + 1);
}

static OriginsHead *origins_head(Origin *o)
{
    return (OriginsHead *)o - 1;
}

Origin *origins_ref(Origin *o)
{
    atomic_fetch_add_explicit(&origins_head(o)->refs, 1, memory_order_relaxed);
    return o;
}

void origins_unref(Origin *o)
{
    /* Orders as in heap_unref. */
    if (o && atomic_fetch_sub_explicit(&origins_head(o)->refs, 1, memory_order_acq_rel) == 1)
        free(origins_head(o));
}

static uint32_t input_index(Batch *out, CsvInput *in)
{
    for (uint32_t i = out->n_inputs; i > 0; i--)
        if (out->inputs[i - 1] == in)
            return i - 1;
    if (out->n_inputs == ORIGIN_NONE)
        return ORIGIN_NONE;
    out->inputs = xrealloc(out->inputs, (out->n_inputs + 1) * sizeof *out->inputs);
    out->inputs[out->n_inputs] = csv_input_ref(in);
    return out->n_inputs++;
}

/* Where the rows of a part came from, for messages about cells that are decoded later. */
static bool origins_put(Batch *out, uint32_t at, const Batch *part)
{
    Origin *o = out->origin + at;
    if (part->raw) {
        const RawRows *raw = part->raw;
        uint32_t input = input_index(out, raw->input);
        uint64_t *lines = xmalloc((raw->n_rows ? raw->n_rows : 1) * sizeof *lines);
        raw_lines(raw, lines);
        for (uint32_t i = 0; i < part->n_rows; i++) {
            uint32_t r = raw_row(part, i);
            o[i] = (Origin){.line = lines[r], .byte = raw_byte(raw, r, 0) & ORIGIN_BYTE_MAX,
                            .input = input & ORIGIN_NONE};
        }
        free(lines);
        return true;
    }
    for (uint32_t i = 0; i < part->n_rows; i++) {
        o[i] = part->origin ? part->origin[i] : (Origin){.input = ORIGIN_NONE};
        if (o[i].input != ORIGIN_NONE)
            o[i].input = input_index(out, part->inputs[o[i].input]) & ORIGIN_NONE;
    }
    return part->origin != NULL;
}

/* Are the column's values there, without decoding? */
static bool has_values(const Batch *b, uint32_t col)
{
    const Slot *s = &b->slots[col];
    return s->values || (s->picked && s->picked->from->slots[s->picked_col].values);
}

/* Column `col` of every part is the same column of one batch: it stays there. */
static bool is_picked_alike(Batch *const *parts, uint32_t n_parts, uint32_t col)
{
    const Slot *s = &parts[0]->slots[col];
    if (!s->picked)
        return false;
    for (uint32_t p = 0; p < n_parts; p++) {
        const Slot *other = &parts[p]->slots[col];
        if (!other->picked || other->picked->from != s->picked->from ||
            other->picked_col != s->picked_col)
            return false;
    }
    return true;
}

/* The picked rows of all parts, for out's column `col`. */
static Picked *picked_concat(Batch *const *parts, uint32_t n_parts, uint32_t col, const Batch *out)
{
    bool as_before = col > 0 && out->slots[col - 1].picked; /* as the column before it */
    for (uint32_t p = 0; p < n_parts && as_before; p++)
        as_before = parts[p]->slots[col].picked == parts[p]->slots[col - 1].picked;
    if (as_before)
        return picked_ref(out->slots[col - 1].picked);
    uint32_t *rows = xmalloc((out->n_rows + 1ull) * sizeof *rows), at = 0;
    for (uint32_t p = 0; p < n_parts; p++) {
        memcpy(rows + at, parts[p]->slots[col].picked->rows, parts[p]->n_rows * sizeof *rows);
        at += parts[p]->n_rows;
    }
    return picked_new(parts[0]->slots[col].picked->from, rows, out->n_rows);
}

/* Are the bytes that the columns need less than a share (eighths) of the input's bytes that they keep alive? */
static bool should_copy(Batch *const *parts, uint32_t n_parts, uint32_t eighths)
{
    size_t kept = 0, needed = 0, n_rows = 0;
    for (uint32_t p = 0; p < n_parts; p++) {
        kept += parts[p]->raw ? parts[p]->raw->n_bytes : 0;
        n_rows += parts[p]->n_rows;
    }
    if (n_parts > MANY && n_rows / n_parts < MANY) /* the heaps of small parts outweigh their rows */
        return true;
    for (uint32_t p = 0; p < n_parts && needed < kept / 8 * eighths; p++) {
        const Batch *b = parts[p];
        uint32_t step = b->n_rows < 1024 ? 1 : 16; /* some of many rows tell */
        for (uint32_t c = 0; c < b->n_cols; c++)
            for (uint32_t i = 0; b->slots[c].raw_col >= 0 && i < b->n_rows; i += step)
                needed += step * (raw_cell(b->raw, raw_row(b, i), (uint32_t)b->slots[c].raw_col).len + 1ull);
    }
    return needed < kept / 8 * eighths;
}

/* Memory that was let go of goes back to the system: it is about to be asked for in larger pieces. */
static void give_back(size_t n_bytes)
{
#ifdef __GLIBC__
    if (n_bytes > GIVE_BACK_BYTES)
        malloc_trim(0);
#else
    (void)n_bytes;
#endif
}

/* A column of parts that nobody else holds. */
static void column_drop(Batch *const *parts, uint32_t n_parts, uint32_t col)
{
    size_t n_bytes = 0;
    for (uint32_t p = 0; p < n_parts; p++) {
        Slot *s = &parts[p]->slots[col];
        if (atomic_load_explicit(&parts[p]->refs, memory_order_acquire) != 1)
            continue;
        n_bytes += (s->text ? column_bytes(s->text) : 0) + (s->values ? column_bytes(s->values) : 0);
        column_unref(s->text);
        column_unref(s->values);
        s->text = s->values = NULL;
    }
    give_back(n_bytes);
}

/* takes: the columns of the parts are let go of as they are done. */
static Batch *concat(Batch *const *parts, uint32_t n_parts, uint32_t n_cols, const Type *types,
                     bool copy, bool takes)
{
    Batch **full = xmalloc((n_parts + 1) * sizeof *full);
    Column **cols = xmalloc((n_parts + 1) * sizeof *cols);
    uint32_t n = 0, n_rows = 0;
    for (uint32_t p = 0; p < n_parts; p++) {
        n_rows += parts[p]->n_rows;
        if (parts[p]->n_rows)
            full[n++] = parts[p];
    }
    Batch *out = batch_new(n_rows, n_cols);
    memcpy(out->types, types, n_cols * sizeof *types);
    bool any_text = false;
    for (uint32_t c = 0; c < n_cols; c++) {
        bool all_text = n > 0, all_values = true, is_foreign = false;
        bool forgotten = false;
        for (uint32_t p = 0; p < n; p++)
            forgotten |= batch_is_forgotten(full[p], c);
        if (forgotten) {
            any_text = true; /* messages about its rows still say where they came from */
            continue;
        }
        bool all_picked = n > 0 && is_picked_alike(full, n, c);
        for (uint32_t p = 0; p < n; p++) {
            all_text &= batch_has_text(full[p], c);
            all_values &= has_values(full[p], c);
            is_foreign |= full[p]->slots[c].picked != NULL;
        }
        assert(all_picked || all_text || all_values);
        if (all_picked) {
            out->slots[c].picked = picked_concat(full, n, c, out);
            out->slots[c].picked_col = full[0]->slots[c].picked_col;
            any_text |= all_text;
            continue;
        }
        if (all_text) {
            for (uint32_t p = 0; p < n; p++)
                cols[p] = batch_text(full[p], c);
            out->slots[c].text = column_concat(cols, n, copy);
            out->slots[c].text->is_foreign |= is_foreign;
            for (uint32_t p = 0; p < n; p++)
                column_unref(cols[p]);
            any_text = true;
        }
        if (n == 0) {
            out->slots[c].values = column_new(types[c], false, 0);
        } else if (all_values) {
            for (uint32_t p = 0; p < n; p++)
                batch_values(full[p], c, STR_LIT(""), NULL, NULL, &cols[p], NULL); /* they are there */
            out->slots[c].values = column_concat(cols, n, copy);
            for (uint32_t p = 0; p < n; p++)
                column_unref(cols[p]);
        }
        if (takes)
            column_drop(full, n, c);
    }
    if (any_text) {
        out->origin = origins_new(n_rows);
        bool known = false;
        uint32_t at = 0;
        for (uint32_t p = 0; p < n; p++) {
            known |= origins_put(out, at, full[p]);
            at += full[p]->n_rows;
        }
        if (!known) {
            origins_unref(out->origin);
            out->origin = NULL;
        }
    }
    free(full);
    free(cols);
    return out;
}

Batch *batch_concat(Batch *const *parts, uint32_t n_parts, uint32_t n_cols, const Type *types)
{
    return concat(parts, n_parts, n_cols, types, should_copy(parts, n_parts, HALF), false);
}

Batch *batch_concat_take(Batch **parts, uint32_t n_parts, uint32_t n_cols, const Type *types)
{
    Batch *all = concat(parts, n_parts, n_cols, types, should_copy(parts, n_parts, HALF), true);
    for (uint32_t i = 0; i < n_parts; i++)
        batch_unref(parts[i]);
    return all;
}

bool batch_keeps_little(Batch *b)
{
    return b->raw && !should_copy(&b, 1, MOST);
}

Batch *batch_compact(Batch *b)
{
    return concat(&b, 1, b->n_cols, b->types, !batch_keeps_little(b), false);
}
