/* batch_concat.c - many batches as one. How to read it: where the rows came from, then what may stay in the batch it was
 * picked from, then whether bytes are copied; concat at the end does each column by these.
 */
#include "data/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define HALF 4u /* eighths: copying takes time */
#define MANY 64u /* parts, and rows of a part on the average */
#define MOST 7u /* eighths: what is kept for long is worth it */
#define ORIGIN_BYTE_MAX ((1ull << 48) - 1)
#define GIVE_BACK_BYTES ((size_t)8 << 20) /* so much let go of at once is worth a call to the allocator */

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
            uint32_t r = batch_raw_row(part, i);
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
                needed += step * (raw_cell(b->raw, batch_raw_row(b, i), (uint32_t)b->slots[c].raw_col).len + 1ull);
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

/* What the parts of one result have. */
typedef struct Parts {
    Batch **full; /* [n] those that have rows */
    Column **cols; /* [n] room for one column of each */
    uint32_t n;
    bool copy;
} Parts;

static bool any_forgotten(const Parts *parts, uint32_t col)
{
    bool any = false;
    for (uint32_t p = 0; p < parts->n; p++)
        any |= batch_is_forgotten(parts->full[p], col);
    return any;
}

/* parts->cols as one; lets go of them. */
static Column *cols_concat(const Parts *parts)
{
    Column *all = column_concat(parts->cols, parts->n, parts->copy);
    for (uint32_t p = 0; p < parts->n; p++)
        column_unref(parts->cols[p]);
    return all;
}

/* Column `col` of out. True: it has text, or nobody wants it: messages about its rows still say where they came from. */
static bool concat_column(Batch *out, uint32_t col, const Parts *parts)
{
    Batch **full = parts->full;
    uint32_t n = parts->n;
    Slot *to = &out->slots[col];
    bool all_text = n > 0, all_values = true, is_foreign = false;
    if (any_forgotten(parts, col))
        return true;
    bool all_picked = n > 0 && is_picked_alike(full, n, col);
    for (uint32_t p = 0; p < n; p++) {
        all_text &= batch_has_text(full[p], col);
        all_values &= has_values(full[p], col);
        is_foreign |= full[p]->slots[col].picked != NULL;
    }
    assert(all_picked || all_text || all_values);
    if (all_picked) {
        to->picked = picked_concat(full, n, col, out);
        to->picked_col = full[0]->slots[col].picked_col;
        return all_text;
    }
    if (all_text) {
        for (uint32_t p = 0; p < n; p++)
            parts->cols[p] = batch_text(full[p], col);
        to->text = cols_concat(parts);
        to->text->is_foreign |= is_foreign;
    }
    if (n == 0) {
        to->values = column_new(out->types[col], false, 0);
    } else if (all_values) {
        for (uint32_t p = 0; p < n; p++)
            batch_values(full[p], col, STR_LIT(""), NULL, NULL, &parts->cols[p], NULL); /* they are there */
        to->values = cols_concat(parts);
    }
    return all_text;
}

static void concat_origins(Batch *out, const Parts *parts)
{
    bool is_known = false;
    uint32_t at = 0;
    out->origin = origins_new(out->n_rows);
    for (uint32_t p = 0; p < parts->n; p++) {
        is_known |= origins_put(out, at, parts->full[p]);
        at += parts->full[p]->n_rows;
    }
    if (!is_known) {
        origins_unref(out->origin);
        out->origin = NULL;
    }
}

/* takes: the columns of the parts are let go of as they are done. */
static Batch *concat(Batch *const *parts, uint32_t n_parts, uint32_t n_cols, const Type *types,
                     bool copy, bool takes)
{
    Parts in = {.full = xmalloc((n_parts + 1) * sizeof *in.full),
                .cols = xmalloc((n_parts + 1) * sizeof *in.cols),
                .copy = copy};
    uint32_t n_rows = 0;
    for (uint32_t p = 0; p < n_parts; p++) {
        n_rows += parts[p]->n_rows;
        if (parts[p]->n_rows)
            in.full[in.n++] = parts[p];
    }
    Batch *out = batch_new(n_rows, n_cols);
    memcpy(out->types, types, n_cols * sizeof *types);
    bool any_text = false;
    for (uint32_t c = 0; c < n_cols; c++) {
        any_text |= concat_column(out, c, &in);
        if (takes)
            column_drop(in.full, in.n, c);
    }
    if (any_text)
        concat_origins(out, &in);
    free(in.full);
    free(in.cols);
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
