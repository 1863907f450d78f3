#include "vm/pass.h"

#include <stdlib.h>

#include "base/regex_literal.h"
#include "data/csv_cell.h"
#include "data/sift.h"
#include "vm/group.h"
#include "vm/groups.h"
#include "vm/sort.h"

Batch *table_open(const Batch *in)
{
    if (!in)
        return batch_new(0, 0);
    Batch *t = batch_new(in->n_rows, in->n_cols);
    memcpy(t->types, in->types, in->n_cols * sizeof *t->types);
    for (uint32_t c = 0; c < in->n_cols; c++)
        t->slots[c] = slot_ref(&in->slots[c]);
    if (in->raw)
        t->raw = raw_ref(in->raw);
    if (in->sel) {
        t->sel = xmalloc((in->n_rows + 1ull) * sizeof *t->sel);
        memcpy(t->sel, in->sel, in->n_rows * sizeof *t->sel);
    }
    if (in->origin) {
        t->origin = origins_ref(in->origin);
        t->lines = in->lines ? raw_ref(in->lines) : NULL;
        t->inputs = xmalloc((in->n_inputs + 1ull) * sizeof(CsvInput *));
        t->n_inputs = in->n_inputs;
        for (uint32_t i = 0; i < in->n_inputs; i++)
            t->inputs[i] = csv_input_ref(in->inputs[i]);
    }
    return t;
}

void table_set(Pass *p, Batch *t)
{
    for (uint32_t i = 0; i < p->code->n_regs; i++)
        reg_clear(p->vm, &p->vm->regs[i]);
    bad_rows_forget(p);
    batch_unref(p->t);
    p->t = t;
    p->n = t->n_rows;
}

/* The rows are numbered as they stand now. */
static void renumber(Pass *p)
{
    free(p->input_rows);
    free(p->copies);
    p->input_rows = NULL;
    p->copies = NULL;
    p->n_numbered = p->n;
    if (p->rejects)
        rejects_next_group(p->rejects);
}

void table_select(Pass *p, const uint32_t *sel, uint32_t n)
{
    uint32_t *rows = NULL;
    uint64_t *copies = NULL;
    if (p->numbers_rows) {
        rows = xmalloc((n + 1ull) * sizeof *rows);
        copies = p->copies ? xmalloc((n + 1ull) * sizeof *copies) : NULL;
        for (uint32_t i = 0; i < n; i++) {
            rows[i] = p->input_rows ? p->input_rows[sel[i]] : sel[i];
            if (copies)
                copies[i] = p->copies[sel[i]];
        }
    }
    table_set(p, batch_select_rows(p->t, sel, n));
    free(p->input_rows);
    free(p->copies);
    p->input_rows = rows;
    p->copies = copies;
}

/* What uuid() is to tell apart: rows that one row has become. */
static void number_copies(Pass *p, const uint32_t *sel, uint32_t n)
{
    uint64_t *copies = p->copies;
    if (!copies)
        copies = xcalloc(n + 1ull, sizeof *copies);
    uint64_t nth = 0;
    for (uint32_t i = 1; i < n; i++) {
        nth = sel[i] == sel[i - 1] ? nth + 1 : 0;
        if (nth) /* of this statement: those of another one have other numbers */
            copies[i] = (copies[i] ^ (p->pc + 1ull) << 32) * 0x9e3779b97f4a7c15u + nth;
    }
    p->copies = copies;
}

void table_repeat(Pass *p, const uint32_t *sel, uint32_t n)
{
    table_select(p, sel, n);
    if (p->numbers_rows)
        number_copies(p, sel, n);
}

/* The values of a column in the rows that are wanted. */
static Status decode(Pass *p, uint32_t col, Str name, Column **out)
{
    uint64_t *bad = NULL;
    if (p->bad_rows != BAD_ROWS_FAIL) {
        bad = bitmap_room(&p->vm->bad, p->n);
        memset(bad, 0, (bit_words(p->n) + 1ull) * sizeof *bad);
    }
    Status st = batch_values(p->t, col, name, p->mask, bad, out, p->err);
    if (st != OK)
        return st;
    bool is_whole = p->depth == 0; /* but for rows that leave the table */
    if (bad && bits_next(bad, 0, p->n) < p->n) {
        bad_cells(p, col, name, bad);
        if (p->bad_rows == BAD_ROWS_NULL)
            batch_null_cells(p->t, col, bad, is_whole ? *out : NULL);
    }
    if (is_whole && !p->t->slots[col].values) /* later statements and steps have it too */
        p->t->slots[col].values = column_ref(*out);
    return OK;
}

Status table_load(Pass *p, Instr in)
{
    Slot *slot = &p->t->slots[in.b];
    Column *values = NULL;
    if (slot->values) {
        reg_set_col(p->vm, &p->vm->regs[in.a], column_ref(slot->values), 0);
        return OK;
    }
    Status st = decode(p, in.b, p->code->notes[p->pc].column, &values);
    if (st == OK)
        reg_set_col(p->vm, &p->vm->regs[in.a], values, 0);
    return st;
}

Status table_prepare_write(Pass *p, const Spec *spec)
{
    Status st = OK;
    if (p->bad_rows == BAD_ROWS_FAIL || spec->dialect.format == ROWS_CSV)
        return OK;
    for (uint32_t c = 0; c < p->t->n_cols && st == OK; c++) {
        Column *values = NULL;
        if (!p->t->slots[c].values)
            st = decode(p, c, spec->schema->cols[c].name, &values);
        column_unref(values);
    }
    if (st == OK && p->alive)
        bad_rows_end(p);
    return st;
}

void table_define(Pass *p, uint32_t col, const Reg *r)
{
    Batch *t = p->t;
    if (col == t->n_cols) {
        t->types = xrealloc(t->types, (col + 1ull) * sizeof *t->types);
        t->slots = xrealloc(t->slots, (col + 1ull) * sizeof *t->slots);
        t->slots[col] = (Slot){.raw_col = -1};
        t->n_cols++;
    }
    Slot *slot = &t->slots[col];
    slot_unref(slot);
    slot->values = pass_column(p, r);
    t->types[col] = r->type;
}

void table_project(Pass *p, const Spec *spec)
{
    Batch *t = p->t;
    uint32_t n = spec->n_cols;
    Slot *slots = xcalloc(n + 1ull, sizeof *slots);
    Type *types = xcalloc(n + 1ull, sizeof *types);
    for (uint32_t i = 0; i < n; i++) {
        slots[i] = slot_ref(&t->slots[spec->cols[i]]);
        types[i] = t->types[spec->cols[i]];
    }
    for (uint32_t i = 0; i < t->n_cols; i++)
        slot_unref(&t->slots[i]);
    free(t->slots);
    free(t->types);
    t->slots = slots;
    t->types = types;
    t->n_cols = n;
}

/* The rows of bits, which are clear beyond the last row, and no dead ones. */
static void keep_rows(Pass *p, const uint64_t *bits)
{
    uint32_t n = p->n, kept = 0;
    uint32_t *sel = xmalloc((n + 1ull) * sizeof *sel);
    for (uint32_t w = 0; w < bit_words(n); w++)
        for (uint64_t word = bits[w] & bits_word(p->alive, w, n); word; word &= word - 1)
            sel[kept++] = w * 64 + (uint32_t)__builtin_ctzll(word);
    if (kept < n)
        table_select(p, sel, kept);
    free(sel);
}

void table_filter(Pass *p, const Reg *r)
{
    if (r->is_const) {
        if (r->is_null || !(r->k.b & 1))
            table_select(p, NULL, 0);
        return;
    }
    uint64_t *bits = xmalloc((bit_words(p->n) + 1ull) * sizeof *bits);
    const uint8_t *b = column_bools(r->col);
    for (uint32_t w = 0; w < bit_words(p->n); w++)
        bits[w] = bools_word(b, w, p->n) & bits_word(r->col->valid, w, p->n);
    keep_rows(p, bits);
    free(bits);
}

_Static_assert(REGEX_LITERAL_SHORT == SIFT_LONG, "what is long enough to be looked at by the expression itself");

bool table_filter_string(Pass *p, uint32_t col, const Spec *spec)
{
    SiftKind kind = spec->fn == BUILTIN_CONTAINS      ? SIFT_HAS
                    : spec->fn == BUILTIN_STARTS_WITH ? SIFT_BEGINS
                    : spec->fn == BUILTIN_ENDS_WITH   ? SIFT_ENDS
                                                      : SIFT_IS;
    Sift sift = {.kind = kind, .is_negated = spec->is_negated, .keeps_long = spec->keeps_long,
                 .n_words = spec->n_values, .words = spec->values};
    uint64_t *bits = xmalloc((bit_words(p->n) + 1ull) * sizeof *bits);
    bool has_cells = batch_sift(p->t, col, &sift, bits);
    if (has_cells)
        keep_rows(p, bits);
    free(bits);
    return has_cells;
}

/* ---- explode ---- */

/* Pieces of the strings so far: row sel[i] of the table gave the text at text[i]. */
typedef struct Pieces {
    uint32_t *sel;
    StrView *text;
    uint32_t n, cap;
} Pieces;

/* False: there are too many. */
static bool piece_add(Pieces *to, uint32_t row, const char *ptr, size_t len)
{
    if (to->n == INT32_MAX)
        return false;
    if (to->n == to->cap) {
        to->cap = to->cap < INT32_MAX / 2 ? to->cap * 2 : INT32_MAX;
        to->sel = xrealloc(to->sel, to->cap * sizeof *to->sel);
        to->text = xrealloc(to->text, to->cap * sizeof *to->text);
    }
    to->sel[to->n] = row;
    to->text[to->n++] = (StrView){ptr, (uint32_t)len, 0};
    return true;
}

static bool pieces_of(Pieces *to, uint32_t row, StrView s, Str sep)
{
    const char *p = s.ptr, *end = s.ptr + s.len;
    for (const char *at; (at = str_find((Str){p, (uint32_t)(end - p)}, sep)); p = at + sep.len)
        if (!piece_add(to, row, p, (size_t)(at - p)))
            return false;
    return piece_add(to, row, p, (size_t)(end - p));
}

/* The column gets values of its own in every row: whether a row had a separator does not show in how it is
 * written, which would depend on the batch. */
Status table_explode(Pass *p, const Reg *r, const Spec *spec)
{
    Column *from = pass_column(p, r);
    Pieces pieces = {.cap = p->n + 64};
    pieces.sel = xmalloc(pieces.cap * sizeof *pieces.sel);
    pieces.text = xmalloc(pieces.cap * sizeof *pieces.text);
    bool fits = true, has_null = false;
    for (uint32_t i = 0; i < p->n && fits; i++) {
        bool is_null = !column_is_valid(from, i);
        has_null |= is_null;
        fits = is_null ? piece_add(&pieces, i, "", 0) : pieces_of(&pieces, i, column_strs(from)[i], spec->values[0].s);
    }
    Column *to = column_new(TYPE_STRING, false, pieces.n);
    if (fits) {
        memcpy(to->values, pieces.text, pieces.n * sizeof *pieces.text);
        if (has_null)
            column_own_valid(to, true);
        for (uint32_t i = 0; i < pieces.n && has_null; i++)
            if (!column_is_valid(from, pieces.sel[i]))
                bit_clear(to->valid, i);
        for (uint32_t i = 0; i < from->n_heaps; i++)
            column_add_heap(to, from->heaps[i]);
        Slot *slot = &p->t->slots[spec->cols[0]];
        slot_unref(slot); /* not to be gathered only to be thrown away */
        *slot = (Slot){.raw_col = -1};
        table_repeat(p, pieces.sel, pieces.n);
        p->t->slots[spec->cols[0]].values = column_ref(to);
    }
    column_unref(to);
    column_unref(from);
    free(pieces.sel);
    free(pieces.text);
    if (fits)
        return OK;
    return error_set(p->err, ERR_DATA, "explode makes more than %d rows of one table: let the read yield batches",
                     INT32_MAX);
}

void table_slice(Pass *p, uint64_t from, uint64_t n)
{
    if (from > p->n)
        from = p->n;
    if (n > p->n - from)
        n = p->n - from;
    if (n == p->n)
        return;
    uint32_t *sel = xmalloc((n + 1) * sizeof *sel);
    for (uint32_t i = 0; i < n; i++)
        sel[i] = (uint32_t)from + i;
    table_select(p, sel, (uint32_t)n);
    free(sel);
}

Column **key_columns(Pass *p, const Spec *spec)
{
    Column **cols = xmalloc((spec->n_keys + 1ull) * sizeof(Column *));
    for (uint32_t i = 0; i < spec->n_keys; i++)
        cols[i] = pass_column(p, &p->vm->regs[spec->keys[i].reg]);
    return cols;
}

void drop_columns(Column **cols, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        column_unref(cols[i]);
    free(cols);
}

void table_sort(Pass *p, const Spec *spec, uint64_t limit)
{
    Column **cols = key_columns(p, spec);
    SortKey *keys = xmalloc((spec->n_keys + 1ull) * sizeof *keys);
    for (uint32_t i = 0; i < spec->n_keys; i++)
        keys[i] = (SortKey){cols[i], spec->keys[i].is_desc};
    uint32_t n = limit < p->n ? (uint32_t)limit : p->n;
    uint32_t *order = xmalloc((n + 1ull) * sizeof *order);
    n = sort_top(keys, spec->n_keys, p->n, n, order);
    table_select(p, order, n);
    free(order);
    free(keys);
    drop_columns(cols, spec->n_keys);
}

static void count_groups(const Pass *p, Column *const *keys, uint32_t n_keys, uint32_t n_groups)
{
    if (p->counts && n_keys && group_has_codes(keys, n_keys))
        pass_count_values(p, n_groups);
}

void table_distinct(Pass *p, const Spec *spec)
{
    Column **keys = key_columns(p, spec);
    if (p->groups) { /* a part: to be merged with others */
        *p->groups = groups_open(spec);
        groups_begin_batch(*p->groups, keys, p->t, true);
        count_groups(p, keys, spec->n_keys, groups_count(*p->groups));
        drop_columns(keys, spec->n_keys);
        return;
    }
    uint32_t *first = xmalloc((p->n + 1ull) * sizeof *first);
    uint32_t n = p->n ? group_rows(keys, spec->n_keys, p->n, NULL, first) : 0;
    count_groups(p, keys, spec->n_keys, n);
    if (n < p->n)
        table_select(p, first, n);
    free(first);
    drop_columns(keys, spec->n_keys);
}

/* The groups of the table as it is. */
static Groups *groups_of(Pass *p, const Spec *spec)
{
    Column **keys = key_columns(p, spec);
    Column *args[BUILTIN_MAX_PARAMS];
    Groups *g = groups_open(spec);
    if (p->groups)
        groups_begin_batch(g, keys, p->t, false);
    else
        groups_begin(g, keys, p->t);
    count_groups(p, keys, spec->n_keys, groups_count(g));
    for (uint32_t i = 0; i < spec->n_aggs; i++) {
        const AggSpec *a = &spec->aggs[i];
        for (uint32_t k = 0; k < a->n_args; k++)
            args[k] = pass_column(p, &p->vm->regs[a->reg + k]);
        groups_update(g, i, args);
        for (uint32_t k = 0; k < a->n_args; k++)
            column_unref(args[k]);
    }
    drop_columns(keys, spec->n_keys);
    return g;
}

Status table_group(Pass *p, const Spec *spec)
{
    Groups *g = groups_of(p, spec);
    Batch *t = NULL;
    if (p->groups) { /* a part: to be merged with others */
        groups_settle(g);
        *p->groups = g;
        return OK;
    }
    GroupsPolicy policy = {.bad_rows = p->bad_rows, .rejects = p->rejects};
    if (p->rejects)
        rejects_next_group(p->rejects);
    Status st = groups_finish(g, &policy, &t, p->err);
    groups_close(g);
    if (st != OK)
        return st;
    groups_drop(&policy, &t);
    table_set(p, t);
    renumber(p);
    return OK;
}

Status table_range(Pass *p, const Reg *from, const Reg *to)
{
    uint64_t n = 0;
    int64_t lo = 0;
    if (!from->is_null && !to->is_null && from->k.i <= to->k.i) {
        lo = from->k.i;
        n = (uint64_t)to->k.i - (uint64_t)lo + 1;
        if (n == 0 || n > INT32_MAX) /* 2^64 rows wrap to 0 */
            return error_set(p->err, ERR_DATA,
                             "range %lld..%lld has more than %d rows: let it yield batches "
                             "(`batch N`)",
                             (long long)lo, (long long)to->k.i, INT32_MAX);
    }
    Batch *t = batch_new((uint32_t)n, 1);
    t->types[0] = TYPE_INT;
    t->slots[0].values = column_new(TYPE_INT, false, (uint32_t)n);
    for (uint32_t i = 0; i < n; i++)
        column_ints(t->slots[0].values)[i] = lo + i;
    table_set(p, t);
    renumber(p);
    return OK;
}

Status table_exec(Pass *p, const Spec *spec)
{
    Batch *made = NULL;
    Status st = p->host->exec(p->host->ctx, spec, p->t, &made, p->err);
    if (st != OK)
        return st;
    table_set(p, made);
    renumber(p);
    return OK;
}
