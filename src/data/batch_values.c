/* batch_values.c - the cells of a column of a batch, wherever they are (in the raw rows, in text, in another batch), as
 * text and as values; what is said of one that does not decode.
 */
#include "data/batch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "data/cell_form.h"
#include "data/csv_cell.h"
#include "data/csv_decode.h"
#include "data/decoded.h"

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
    *cell = raw_cell(c->raw, batch_raw_row(c->batch, row), c->field);
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

/* What the cell was read from; NULL: that is not known. */
static const CsvInput *input_of(const Batch *b, uint32_t col, uint32_t row)
{
    const Picked *picked = b->slots[col].picked;
    if (picked && picked->rows[row] != PICKED_NONE)
        return input_of(picked->from, b->slots[col].picked_col, picked->rows[row]);
    if (b->slots[col].text && b->slots[col].text->is_foreign)
        return NULL;
    if (b->raw)
        return b->raw->input;
    bool is_known = b->origin && b->origin[row].input != ORIGIN_NONE;
    return is_known ? b->inputs[b->origin[row].input] : NULL;
}

/* How a program writes the word: a backslash is one in single quotes. */
static const char *null_quote(Str word)
{
    return memchr(word.ptr, '\\', word.len) ? "'" : "\"";
}

Status batch_bad_text(const Batch *b, uint32_t col, Str name, uint32_t row, Str *text, Heap **held, Error *err)
{
    Cells cells = cells_of(b, col);
    StrView cell = {"", 0, 0};
    cell_get(&cells, row, &cell);
    Str s = *text = csv_cell_text(cell, cells.quote, held);
    const char *why = "another value", *type = type_name(b->types[col]), *wider = type_name(value_wider(b->types[col], s));
    Value v;
    value_parse(b->types[col], s, &v, &why);
    char shown[80], column[sizeof err->column], rows[32];
    text_visible(s, shown, sizeof shown);
    text_visible(name, column, sizeof column);
    uint64_t inferred = cells.text ? cells.text->inferred_rows
                                   : cells.raw->input->inferred_rows[cells.field];
    const CsvInput *input = input_of(b, col, row);
    Str first = input ? input->first : (Str){0}; /* the file that shows of what type columns are; empty: the row's */
    char null_hint[160] = "";
    if (input && input->dialect.format == ROWS_CSV && is_null_word(s) && cell.len == s.len) /* not quoted */
        snprintf(null_hint, sizeof null_hint, "\nor say where it is read that this is no value: `with (null: %s%s%s)`",
                 null_quote(s), shown, null_quote(s));
    if (inferred)
        error_set(err, ERR_ROW,
                  "column `%s`: expected %s%s, got `%s`\n"
                  "%s was inferred from the first %s%s%.*s: declare the column in a schema "
                  "(`%s: %s`)%s",
                  column, why, value_hint(b->types[col], s), shown, type, text_rows(inferred, rows, sizeof rows), first.len ? " of " : "", STR_ARG(first),
                  column, wider, null_hint);
    else
        error_set(err, ERR_ROW,
                  "column `%s`: expected %s%s, got `%s`\n"
                  "it is declared %s: declare it %s%s",
                  column, why, value_hint(b->types[col], s), shown, type, wider, null_hint);
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
