/* table_union.c - the rows of a table behind those of another: columns of one type, as values or as they stood. */
#include "vm/pass.h"

#include <stdlib.h>
#include <string.h>

#include "data/csv_cell.h"

static Column *ints_as_floats(const Column *c)
{
    Column *f = column_new(TYPE_FLOAT, false, c->n_rows);
    for (uint32_t i = 0; i < c->n_rows; i++)
        column_floats(f)[i] = (double)column_ints(c)[i];
    if (c->valid) {
        column_own_valid(f, true);
        memcpy(f->valid, c->valid, bit_words(c->n_rows) * sizeof *c->valid);
    }
    return f;
}

/* Values as cells, for a column whose other cells are to stay as they stand. */
static Column *values_as_text(const Column *c)
{
    const CsvDialect d = CSV_DEFAULT_DIALECT;
    Column *text = column_new(c->type, true, c->n_rows);
    Heap *h = heap_new(4096);
    Buf cell = {0};
    text->delimiter = d.delimiter;
    text->quote = d.quote;
    if (c->valid) {
        column_own_valid(text, true);
        memcpy(text->valid, c->valid, bit_words(c->n_rows) * sizeof *c->valid);
    }
    for (uint32_t i = 0; i < c->n_rows; i++) {
        buf_clear(&cell);
        Value v = column_value(c, i);
        if (!v.is_null && c->type == TYPE_STRING)
            csv_put_text(&cell, v.s, &d);
        else if (!v.is_null)
            value_print(&cell, v);
        char *to = heap_alloc(h, cell.len);
        memcpy(to, cell.len ? cell.ptr : "", cell.len);
        column_strs(text)[i] = (StrView){to, (uint32_t)cell.len,
                                         (cell.len && to[0] == d.quote ? CELL_QUOTED : 0) | (c->type == TYPE_INT ? CELL_MADE : 0)};
    }
    column_add_heap(text, h);
    heap_unref(h);
    buf_deinit(&cell);
    return text;
}

/* Those of the cells of ints that were computed, as floats. */
static void made_ints_widen(Column *text)
{
    char digits[32];
    Heap *h = NULL;
    for (uint32_t i = 0; i < text->n_rows; i++) {
        StrView *s = &column_strs(text)[i];
        if (!(s->flags & CELL_MADE) || !column_is_valid(text, i) || s->len >= sizeof digits)
            continue;
        memcpy(digits, s->ptr, s->len);
        digits[s->len] = '\0';
        Buf cell = {0};
        value_print(&cell, (Value){.type = TYPE_FLOAT, .f = (double)strtoll(digits, NULL, 10)});
        h = h ? h : heap_new(4096);
        char *to = heap_alloc(h, cell.len);
        memcpy(to, cell.ptr, cell.len);
        *s = (StrView){to, (uint32_t)cell.len, 0};
        buf_deinit(&cell);
    }
    if (h)
        column_add_heap(text, h);
    heap_unref(h);
}

/* Makes a column ready to be appended to that of another table: with text if one of them has text, which stays as it
 * stands, else with values; of type `want`, which is its own, or float where it is int. An int's text reads
 * as a float. */
static void union_column(Batch *t, uint32_t col, Type want, bool as_text)
{
    Slot *s = &t->slots[col], made = {.raw_col = -1};
    bool widens = t->types[col] != want;
    if (as_text && batch_has_text(t, col)) {
        if (!widens)
            return;
        Column *text = batch_text(t, col);
        made.text = column_concat(&text, 1, false); /* text may be shared, and gets another type */
        made.text->type = want;
        if (widens)
            made_ints_widen(made.text);
        made.text->is_foreign |= s->picked != NULL;
        column_unref(text);
    } else {
        Column *values = NULL;
        batch_values(t, col, STR_LIT(""), NULL, NULL, &values, NULL); /* no text: there is nothing to decode */
        made.values = widens ? ints_as_floats(values) : column_ref(values);
        made.text = as_text ? values_as_text(made.values) : NULL;
        column_unref(values);
    }
    slot_unref(s);
    *s = made;
    t->types[col] = want;
}

Status table_union(Pass *p, const Spec *spec)
{
    Batch *from = p->inst->tables[spec->table];
    if ((uint64_t)p->n + from->n_rows > INT32_MAX)
        return error_set(p->err, ERR_DATA, "union makes more than %d rows of one table", INT32_MAX);
    Pass view = {.t = table_open(from)};
    table_project(&view, spec);
    Batch *parts[2] = {p->t, view.t};
    for (uint32_t c = 0; c < p->t->n_cols; c++) {
        Type want = parts[0]->types[c] == parts[1]->types[c] ? parts[0]->types[c] : TYPE_FLOAT;
        bool as_text = batch_has_text(parts[0], c) || batch_has_text(parts[1], c);
        if (batch_is_forgotten(parts[0], c) || batch_is_forgotten(parts[1], c)) { /* nobody needs it */
            p->t->types[c] = want;
            continue;
        }
        union_column(parts[0], c, want, as_text);
        union_column(parts[1], c, want, as_text);
    }
    uint32_t n_left = p->n, n_right = from->n_rows;
    table_set(p, batch_concat(parts, 2, p->t->n_cols, p->t->types));
    batch_unref(view.t);
    if (!p->numbers_rows)
        return OK;
    /* The table's rows are numbered behind those of the input. */
    uint32_t *rows = xmalloc((p->n + 1ull) * sizeof *rows);
    for (uint32_t i = 0; i < n_left; i++)
        rows[i] = p->input_rows ? p->input_rows[i] : i;
    for (uint32_t i = 0; i < n_right; i++)
        rows[n_left + i] = (uint32_t)p->n_numbered + i;
    if (p->copies) {
        p->copies = xrealloc(p->copies, (p->n + 1ull) * sizeof *p->copies);
        memset(p->copies + n_left, 0, n_right * sizeof *p->copies);
    }
    free(p->input_rows);
    p->input_rows = rows;
    p->n_numbered += n_right;
    return OK;
}
