/* split.c - the generator of a `split`: which rows of its table make which batch. Rows are picked, not copied. */
#include <stdlib.h>

#include "base/map.h"
#include "run/run_int.h"
#include "vm/group.h"

struct Parts {
    uint32_t n;      /* parts */
    uint32_t *rows;  /* by part, in the table's order within one */
    uint32_t *ends;  /* [n] in rows */
    void **labels;   /* [n] owned; NULL: they are numbered */
    Batch *table;    /* a copy in which keys that do not decode are null, or their rows left out; NULL: none was needed */
};

static struct Parts *parts_new(uint32_t n_parts, uint32_t n_rows)
{
    struct Parts *p = xcalloc(1, sizeof *p);
    p->n = n_parts;
    p->rows = xcalloc(n_rows + 1ull, sizeof *p->rows);
    p->ends = xcalloc(n_parts + 1ull, sizeof *p->ends);
    return p;
}

/* The larger ones first; fewer than asked for where there are fewer rows. */
static struct Parts *split_into(uint32_t n_parts, uint32_t n_rows)
{
    struct Parts *p = parts_new(n_parts < n_rows ? n_parts : n_rows, n_rows);
    for (uint32_t i = 0; i < n_rows; i++)
        p->rows[i] = i;
    for (uint32_t k = 0, end = 0; k < p->n; k++)
        p->ends[k] = end += n_rows / p->n + (k < n_rows % p->n);
    return p;
}

/* Values of different keys may print alike (null as nothing; a value with a comma): the later ones
 * are numbered from 2, as names of steps are. */
static void label_parts(struct Parts *p, Column *const *keys, uint32_t n_keys, const uint32_t *first)
{
    Arena *a = arena_open();
    Map taken;
    Buf text = {0};
    map_init(&taken, a);
    p->labels = xcalloc(p->n + 1ull, sizeof *p->labels);
    for (uint32_t k = 0; k < p->n; k++) {
        buf_clear(&text);
        for (uint32_t i = 0; i < n_keys; i++) {
            if (i)
                buf_putc(&text, ',');
            value_print(&text, column_value(keys[i], first[k]));
        }
        size_t len = text.len;
        for (uint32_t n = 2; map_get(&taken, buf_str(&text)); n++) {
            text.len = len;
            buf_printf(&text, "_%u", n);
        }
        map_put(&taken, arena_str(a, buf_str(&text)), p);
        p->labels[k] = label_new(buf_str(&text));
    }
    buf_deinit(&text);
    arena_close(a);
}

static struct Parts *split_by(Column *const *keys, uint32_t n_keys, uint32_t n_rows)
{
    uint32_t *ids = xcalloc(n_rows + 1ull, sizeof *ids), *first = xcalloc(n_rows + 1ull, sizeof *first);
    struct Parts *p = parts_new(n_rows ? group_rows(keys, n_keys, n_rows, ids, first) : 0, n_rows);
    for (uint32_t i = 0; i < n_rows; i++)
        p->ends[ids[i]]++;
    for (uint32_t k = 0, start = 0; k < p->n; k++) { /* from counts to starts ... */
        uint32_t n = p->ends[k];
        p->ends[k] = start;
        start += n;
    }
    for (uint32_t i = 0; i < n_rows; i++) /* ... which become ends */
        p->rows[p->ends[ids[i]]++] = i;
    label_parts(p, keys, n_keys, first);
    free(ids);
    free(first);
    return p;
}

/* Where there is a policy: the rows of the table, numbered as its own, with a row told of for each key that does not
 * decode. */
static Batch *settle_keys(const Step *s, const Batch *table, Rejects *told)
{
    const Pop *p = s->pops.ptr[0];
    uint32_t n = 0, *rows = xmalloc((table->n_rows + 1ull) * sizeof *rows);
    uint64_t *dropped = xcalloc(bit_words(table->n_rows) + 1ull, sizeof *dropped);
    for (uint32_t i = 0; i < table->n_rows; i++)
        rows[i] = i;
    Batch *own = batch_select_rows(table, rows, table->n_rows);
    rejects_next_group(told);
    for (uint32_t i = 0; i < p->n_keys; i++) {
        uint32_t col = p->keys[i].value->col;
        uint64_t *bad = xcalloc(bit_words(table->n_rows) + 1ull, sizeof *bad);
        Column *values = NULL;
        batch_values(own, col, p->out->cols[col].name, NULL, bad, &values, NULL);
        bool has_any = false;
        for (uint32_t row = 0; row < own->n_rows; row++) {
            if (!bit_get(bad, row) || bit_get(dropped, row))
                continue;
            has_any = true;
            rejects_put_cell(told, own, row, col, p->out->cols[col].name, row);
            if (s->bad_rows == BAD_ROWS_SKIP)
                bit_set(dropped, row);
        }
        if (has_any && s->bad_rows == BAD_ROWS_NULL)
            batch_null_cells(own, col, bad, values);
        column_unref(values);
        free(bad);
    }
    for (uint32_t i = 0; i < own->n_rows; i++)
        if (!bit_get(dropped, i))
            rows[n++] = i;
    Batch *rest = n < own->n_rows ? batch_select_rows(own, rows, n) : batch_ref(own);
    batch_unref(own);
    free(dropped);
    free(rows);
    return rest;
}

Status parts_open(const Step *s, const Batch *table, Rejects *told, struct Parts **out, Error *err)
{
    const Pop *p = s->pops.ptr[0];
    if (p->expr) {
        *out = split_into((uint32_t)p->expr->value.i, table->n_rows);
        return OK;
    }
    Column **keys = xcalloc(p->n_keys + 1ull, sizeof(Column *));
    Status st = OK;
    Batch *own = s->bad_rows == BAD_ROWS_FAIL ? NULL : settle_keys(s, table, told);
    if (own)
        table = own;
    for (uint32_t i = 0; i < p->n_keys && st == OK; i++) {
        uint32_t col = p->keys[i].value->col;
        st = batch_values(table, col, p->out->cols[col].name, NULL, NULL, &keys[i], err);
    }
    if (st == OK)
        *out = split_by(keys, p->n_keys, table->n_rows);
    if (st == OK)
        (*out)->table = own;
    else
        batch_unref(own);
    for (uint32_t i = 0; i < p->n_keys; i++)
        column_unref(keys[i]);
    free(keys);
    return st;
}

Batch *parts_get(const struct Parts *p, const Batch *table, uint64_t k, void **label)
{
    if (k >= p->n)
        return NULL;
    if (p->labels)
        *label = label_new(label_text(p->labels[k]));
    uint32_t start = k ? p->ends[k - 1] : 0;
    if (p->table)
        table = p->table;
    return batch_select_rows(table, p->rows + start, p->ends[k] - start);
}

void parts_free(struct Parts *p)
{
    if (!p)
        return;
    for (uint32_t k = 0; p->labels && k < p->n; k++)
        free(p->labels[k]);
    batch_unref(p->table);
    free(p->labels);
    free(p->rows);
    free(p->ends);
    free(p);
}
