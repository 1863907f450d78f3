#include "data/interleave.h"

#include <stdlib.h>
#include <string.h>

#include "data/csv_cell.h"

bool batch_is_handy(Batch *b)
{
    if (!b->raw || b->raw->text || !b->raw->start || !b->raw->is_row_a_line || b->origin)
        return false;
    for (uint32_t c = 0; c < b->n_cols; c++)
        if (b->slots[c].picked)
            return false;
    return batch_keeps_little(b);
}

Batch *batch_in_order(const Batch *b)
{
    Batch *out = batch_new(b->n_rows, b->n_cols);
    memcpy(out->types, b->types, b->n_cols * sizeof *out->types);
    out->raw = b->sel ? raw_reorder(b->raw, b->sel, b->n_rows) : raw_ref(b->raw);
    for (uint32_t c = 0; c < b->n_cols; c++) {
        const Slot *from = &b->slots[c];
        Slot *to = &out->slots[c];
        bool is_copied = b->sel && from->raw_col >= 0;
        if (!is_copied) {
            *to = slot_ref(from);
            continue;
        }
        to->raw_col = from->raw_col;
        if (from->values && b->types[c] != TYPE_STRING)
            to->values = column_ref(from->values);
        else if (from->values) /* strings are where the cells are */
            batch_values(out, c, STR_LIT(""), NULL, NULL, &to->values, NULL);
    }
    return out;
}

/* Of a column with text. */
static void dialect_of(const Batch *b, uint32_t c, char *delimiter, char *quote)
{
    const Column *text = b->slots[c].text;
    *delimiter = text ? text->delimiter : b->raw->input->dialect.delimiter;
    *quote = text ? text->quote : b->raw->input->dialect.quote;
}

bool batches_are_alike(Batch *const *from, uint32_t n_from)
{
    for (uint32_t c = 0; c < from[0]->n_cols; c++)
        for (uint32_t k = 0; k < n_from; k++) {
            const Batch *a = from[0], *b = from[k];
            if (b->slots[c].picked || batch_is_forgotten(a, c) != batch_is_forgotten(b, c) ||
                batch_has_text(a, c) != batch_has_text(b, c))
                return false;
            if (!batch_has_text(a, c))
                continue;
            char d, q, d2, q2;
            dialect_of(a, c, &d, &q);
            dialect_of(b, c, &d2, &q2);
            if (d != d2 || q != q2)
                return false;
        }
    return true;
}

/* ---- columns */

static void valid_clear(Column *c, uint32_t i)
{
    if (!c->valid)
        column_own_valid(c, true);
    bit_clear(c->valid, i);
}

Column *column_of_rows(Column *const *from, uint32_t n_from, const uint32_t *src, const uint32_t *rows,
                          uint32_t n, bool is_brief)
{
    const Column *like = from[0];
    Column *out = column_new(like->type, like->is_text, n);
    bool has_nulls = false;
    for (uint32_t k = 0; k < n_from; k++) {
        has_nulls |= from[k]->valid != NULL;
        for (uint32_t h = 0; !is_brief && h < from[k]->n_heaps; h++)
            column_add_heap(out, from[k]->heaps[h]);
    }
    switch (like->is_text ? sizeof(StrView) : type_bytes(like->type)) {
    case 1:
        for (uint32_t i = 0; i < n; i++)
            column_bools(out)[i] = column_bools(from[src[i]])[rows[i]];
        break;
    case 8:
        for (uint32_t i = 0; i < n; i++)
            column_ints(out)[i] = column_ints(from[src[i]])[rows[i]];
        break;
    case sizeof(StrView):
        for (uint32_t i = 0; i < n; i++)
            column_strs(out)[i] = column_strs(from[src[i]])[rows[i]];
        break;
    default: break; /* nulls */
    }
    for (uint32_t i = 0; has_nulls && i < n; i++)
        if (!column_is_valid(from[src[i]], rows[i]))
            valid_clear(out, i);
    return out;
}

/* ---- text, and where rows came from: a few rows at a time, whose cells are asked of memory before they are wanted, as
 * those of sorted rows may be anywhere */

#define BLOCK 64u

/* Where one batch has its rows, for what is asked of each row. */
typedef struct Rows {
    const Batch *batch;
    const RawRows *raw;  /* NULL: nothing is read from there */
    const uint32_t *sel;
    uint32_t first;      /* the first field that is read */
    uint32_t input;      /* of raw, in the new batch */
} Rows;

typedef struct Text {
    Column *out;
    const Column **text; /* [n_from] NULL: in raw */
    uint32_t *field;     /* [n_from] of raw */
    bool has_null_word;
} Text;

typedef struct Interleave {
    Batch *const *from;
    uint32_t n_from;
    const uint32_t *src, *rows; /* [n] */
    Rows *at;                   /* [n_from] */
    Text *texts;                /* [n_texts] */
    uint32_t n_texts;
    Batch *out;
} Interleave;

static inline uint32_t raw_row_of(const Rows *r, uint32_t row)
{
    return r->sel ? r->sel[row] : row;
}

static Text text_open(Interleave *in, uint32_t col)
{
    Batch *const *from = in->from;
    Text t = {.out = column_new(from[0]->types[col], true, in->out->n_rows)};
    t.text = xcalloc(in->n_from, sizeof *t.text);
    t.field = xcalloc(in->n_from, sizeof *t.field);
    dialect_of(from[0], col, &t.out->delimiter, &t.out->quote);
    for (uint32_t k = 0; k < in->n_from; k++) {
        const Column *text = t.text[k] = from[k]->slots[col].text;
        if (text) {
            for (uint32_t h = 0; h < text->n_heaps; h++)
                column_add_heap(t.out, text->heaps[h]);
            t.out->is_foreign |= text->is_foreign;
            t.out->inferred_rows = text->inferred_rows;
            continue;
        }
        const RawRows *raw = from[k]->raw;
        uint32_t field = t.field[k] = (uint32_t)from[k]->slots[col].raw_col;
        column_add_heap(t.out, raw->block);
        t.out->inferred_rows = raw->input->inferred_rows[field];
        t.has_null_word |= raw->input->dialect.null_word.len > 0;
        in->at[k].raw = raw;
        in->at[k].first = field < in->at[k].first ? field : in->at[k].first;
    }
    return t;
}

static void text_block(const Interleave *in, Text *t, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        uint32_t k = in->src[i], row = in->rows[i];
        const Rows *at = &in->at[k];
        StrView *to = &column_strs(t->out)[i];
        bool is_null;
        if (t->text[k]) {
            *to = column_strs(t->text[k])[row];
            is_null = !column_is_valid(t->text[k], row);
        } else {
            *to = raw_cell(at->raw, raw_row_of(at, row), t->field[k]);
            is_null = (to->len == 0 || t->has_null_word) && csv_cell_is_null(*to, &at->raw->input->dialect);
        }
        if (is_null)
            valid_clear(t->out, i);
    }
}

/* The number in out->inputs. */
static uint32_t input_number(Batch *out, CsvInput *in)
{
    for (uint32_t i = out->n_inputs; i > 0; i--)
        if (out->inputs[i - 1] == in)
            return i - 1;
    if (out->n_inputs == ORIGIN_NONE)
        return ORIGIN_NONE;
    out->inputs = xrealloc(out->inputs, (out->n_inputs + 1ull) * sizeof *out->inputs);
    out->inputs[out->n_inputs] = csv_input_ref(in);
    return out->n_inputs++;
}

static void origins_block(const Interleave *in, uint32_t begin, uint32_t end)
{
    const uint64_t max = (1ull << 48) - 1;
    for (uint32_t i = begin; i < end; i++) {
        const Rows *at = &in->at[in->src[i]];
        const Batch *b = at->batch;
        Origin o = {.input = ORIGIN_NONE};
        if (b->origin) {
            o = b->origin[in->rows[i]];
            if (o.input != ORIGIN_NONE)
                o.input = input_number(in->out, b->inputs[o.input]) & ORIGIN_NONE;
        } else if (b->raw) {
            uint32_t row = b->sel ? b->sel[in->rows[i]] : in->rows[i];
            o = (Origin){.line = raw_line(b->raw, row), .byte = raw_byte(b->raw, row, 0) & max,
                         .input = at->input & ORIGIN_NONE};
        }
        in->out->origin[i] = o;
    }
}

static void fetch_block(const Interleave *in, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        const Rows *at = &in->at[in->src[i]];
        if (at->raw)
            __builtin_prefetch(&at->raw->start[raw_place(at->raw, raw_row_of(at, in->rows[i]), at->first)]);
    }
    for (uint32_t i = begin; i < end; i++) {
        const Rows *at = &in->at[in->src[i]];
        if (at->raw)
            __builtin_prefetch(at->raw->cells +
                               at->raw->start[raw_place(at->raw, raw_row_of(at, in->rows[i]), at->first)]);
    }
}

static void values_interleave(const Interleave *in, uint32_t col)
{
    Column **cols = xmalloc(in->n_from * sizeof(Column *));
    for (uint32_t k = 0; k < in->n_from; k++)
        cols[k] = in->from[k]->slots[col].values;
    in->out->slots[col].values = column_of_rows(cols, in->n_from, in->src, in->rows, in->out->n_rows, false);
    free(cols);
}

static bool all_have_values(const Interleave *in, uint32_t col)
{
    for (uint32_t k = 0; k < in->n_from; k++)
        if (!in->from[k]->slots[col].values)
            return false;
    return true;
}

/* Does it have text, or rows of the input about which there may be messages? */
static bool wants_origins(const Interleave *in, uint32_t n_forgotten)
{
    bool is_known = false;
    for (uint32_t k = 0; k < in->n_from; k++)
        is_known |= in->from[k]->origin || in->from[k]->raw;
    return is_known && (in->n_texts || n_forgotten);
}

Batch *batch_interleave(Batch *const *from, uint32_t n_from, const uint32_t *src, const uint32_t *rows,
                        uint32_t n)
{
    Batch *out = batch_new(n, from[0]->n_cols);
    Interleave in = {.from = from, .n_from = n_from, .src = src, .rows = rows, .out = out};
    uint32_t n_forgotten = 0;
    memcpy(out->types, from[0]->types, out->n_cols * sizeof *out->types);
    in.at = xmalloc(n_from * sizeof *in.at);
    in.texts = xmalloc((out->n_cols + 1ull) * sizeof *in.texts);
    for (uint32_t k = 0; k < n_from; k++)
        in.at[k] = (Rows){.batch = from[k], .sel = from[k]->sel, .first = UINT32_MAX};
    for (uint32_t c = 0; c < out->n_cols; c++) {
        if (batch_is_forgotten(from[0], c)) {
            n_forgotten++;
        } else if (batch_has_text(from[0], c)) {
            in.texts[in.n_texts] = text_open(&in, c);
            out->slots[c].text = in.texts[in.n_texts++].out;
        }
        /* Cells that were found bad are not decoded again; strings never are, and are had from text as soon. */
        if (all_have_values(&in, c) && !(out->slots[c].text && out->types[c] == TYPE_STRING))
            values_interleave(&in, c);
    }
    bool has_origins = wants_origins(&in, n_forgotten);
    if (has_origins)
        out->origin = origins_new(n);
    for (uint32_t k = 0; has_origins && k < n_from; k++)
        if (!from[k]->origin && from[k]->raw)
            in.at[k].input = input_number(out, from[k]->raw->input);
    for (uint32_t begin = 0; begin < n; begin += BLOCK) {
        uint32_t end = n - begin < BLOCK ? n : begin + BLOCK;
        fetch_block(&in, begin, end);
        for (uint32_t t = 0; t < in.n_texts; t++)
            text_block(&in, &in.texts[t], begin, end);
        if (has_origins)
            origins_block(&in, begin, end);
    }
    for (uint32_t t = 0; t < in.n_texts; t++) {
        free(in.texts[t].text);
        free(in.texts[t].field);
    }
    free(in.texts);
    free(in.at);
    return out;
}
