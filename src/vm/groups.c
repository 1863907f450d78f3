#include "vm/groups.h"

#include <stdlib.h>
#include <string.h>

#include "data/block.h"
#include "vm/agg.h"
#include "vm/group.h"
#include "vm/store.h"

struct Groups {
    const Spec *spec;
    uint32_t n;
    uint32_t n_rows;       /* that groups_begin was given */
    uint32_t *ids;         /* [n_rows] the group of each, until the last aggregate has seen them */
    Store *values, *texts; /* [spec->n_keys], a row per group; texts: no column where a key was computed */
    Agg **aggs;            /* [spec->n_aggs] */
    uint64_t *seqs;        /* [cap_seqs] of groups that were loaded, [n]; else NULL */
    uint32_t cap_seqs;
    GroupTable table;      /* of the keys; its cells are made when it is first merged into */
};

Groups *groups_open(const Spec *spec)
{
    Groups *g = xcalloc(1, sizeof *g);
    g->spec = spec;
    g->n = spec->n_keys ? 0 : 1;
    g->values = xcalloc(spec->n_keys + 1ull, sizeof *g->values);
    g->texts = xcalloc(spec->n_keys + 1ull, sizeof *g->texts);
    g->aggs = xcalloc(spec->n_aggs + 1ull, sizeof *g->aggs);
    for (uint32_t i = 0; i < spec->n_aggs; i++)
        g->aggs[i] = agg_open(&spec->aggs[i]);
    return g;
}

void groups_close(Groups *g)
{
    if (!g)
        return;
    for (uint32_t i = 0; i < g->spec->n_keys; i++) {
        store_free(&g->values[i]);
        store_free(&g->texts[i]);
    }
    for (uint32_t i = 0; i < g->spec->n_aggs; i++)
        agg_close(g->aggs[i]);
    free(g->ids);
    free(g->seqs);
    free(g->values);
    free(g->texts);
    free(g->aggs);
    group_table_free(&g->table);
    free(g);
}

uint32_t groups_count(const Groups *g)
{
    return g->n;
}

size_t groups_bytes(const Groups *g)
{
    size_t n = sizeof *g + group_table_bytes(&g->table);
    for (uint32_t i = 0; i < g->spec->n_keys; i++)
        n += store_bytes(&g->values[i]) + store_bytes(&g->texts[i]);
    for (uint32_t i = 0; i < g->spec->n_aggs; i++)
        n += agg_bytes(g->aggs[i]);
    return n;
}

/* The cells of the first row of each group. */
static void add_texts(Groups *g, const Batch *table, const uint32_t *first)
{
    const Spec *spec = g->spec;
    uint32_t *all = xmalloc((g->n + 1ull) * sizeof *all);
    for (uint32_t i = 0; i < g->n; i++)
        all[i] = i;
    for (uint32_t i = 0; i < spec->n_keys; i++) {
        int32_t col = spec->keys[i].col;
        Column *text = col >= 0 ? batch_text_rows(table, (uint32_t)col, first, g->n) : NULL;
        if (!text)
            continue;
        store_add_rows(&g->texts[i], text, all, g->n);
        column_unref(text);
    }
    free(all);
}

void groups_begin(Groups *g, Column *const *keys, const Batch *table)
{
    const Spec *spec = g->spec;
    uint32_t n_rows = g->n_rows = table->n_rows;
    if (spec->n_keys == 0)
        return;
    uint32_t *first = xmalloc((n_rows + 1ull) * sizeof *first);
    g->ids = xmalloc((n_rows + 1ull) * sizeof *g->ids);
    group_rows_in(&g->table, keys, spec->n_keys, n_rows, g->ids, first);
    group_table_forget_cells(&g->table);
    g->n = g->table.n;
    /* With bytes of their own, so that the input's blocks can be freed. */
    for (uint32_t i = 0; i < spec->n_keys; i++) {
        store_add_rows(&g->values[i], keys[i], first, g->n);
    }
    add_texts(g, table, first);
    free(first);
}

void groups_update(Groups *g, uint32_t agg, Column *const *args)
{
    agg_update(g->aggs[agg], args, g->ids, g->n_rows, g->n);
    if (agg + 1 == g->spec->n_aggs) {
        free(g->ids);
        g->ids = NULL;
    }
}

/* ---- merging ---- */

typedef struct Merging {
    const Groups *g, *from;
    uint32_t n_before;    /* groups of g */
    const uint32_t *first; /* group of `from` that each later one of g is */
} Merging;

static bool groups_same(const void *ctx, uint32_t group, uint32_t row)
{
    const Merging *m = ctx;
    bool is_new = group >= m->n_before;
    const Groups *owner = is_new ? m->from : m->g;
    uint32_t at = is_new ? m->first[group - m->n_before] : group;
    for (uint32_t k = 0; k < m->g->spec->n_keys; k++)
        if (!group_values_equal(owner->values[k].col, at, m->from->values[k].col, row))
            return false;
    return true;
}

/* Behind those of the g->n groups before. */
static void seqs_add(Groups *g, const Groups *from, const uint32_t *rows, uint32_t n)
{
    if (g->n + n > g->cap_seqs) {
        g->cap_seqs = g->n + n > 2 * g->cap_seqs ? g->n + n : 2 * g->cap_seqs;
        g->seqs = xrealloc(g->seqs, g->cap_seqs * sizeof *g->seqs);
    }
    for (uint32_t i = 0; i < n; i++)
        g->seqs[g->n + i] = from->seqs[rows[i]];
}

/* map[from->n]: the group of g that each group of `from` is; those that g has not are added. */
static void merge_keys(Groups *g, const Groups *from, uint32_t *map)
{
    uint32_t *first = xmalloc((from->n + 1ull) * sizeof *first);
    const Merging m = {g, from, g->n, first};
    group_table_add(&g->table, from->table.keys, from->n, 0, groups_same, &m, map, first, g->n);
    uint32_t n_new = g->table.n - g->n;
    for (uint32_t k = 0; k < g->spec->n_keys; k++) {
        store_add_rows(&g->values[k], from->values[k].col, first, n_new);
        if (g->texts[k].col)
            store_add_rows(&g->texts[k], from->texts[k].col, first, n_new);
    }
    if (from->seqs)
        seqs_add(g, from, first, n_new);
    g->n = g->table.n;
    free(first);
}

static void swap_groups(Groups *a, Groups *b)
{
    Groups old = *a;
    *a = *b;
    *b = old;
}

void groups_merge(Groups *g, Groups *from)
{
    const Spec *spec = g->spec;
    if (from->n_rows == 0)
        return;
    if (g->n_rows == 0) {
        swap_groups(g, from);
        return;
    }
    uint32_t *map = xcalloc(from->n + 1ull, sizeof *map);
    if (spec->n_keys) {
        /* Cells stay as they were only where every batch has them. */
        for (uint32_t k = 0; k < spec->n_keys; k++)
            if (!from->texts[k].col) {
                store_free(&g->texts[k]);
                g->texts[k] = (Store){0};
            }
        merge_keys(g, from, map);
    }
    for (uint32_t i = 0; i < spec->n_aggs; i++)
        agg_merge(g->aggs[i], from->aggs[i], map, g->n);
    free(map);
}

/* ---- as bytes, and back ---- */

void groups_part(const Groups *g, uint32_t n_parts, uint32_t *order, uint32_t *starts)
{
    uint32_t *part = xmalloc((g->n + 1ull) * sizeof *part);
    memset(starts, 0, (n_parts + 1ull) * sizeof *starts);
    for (uint32_t i = 0; i < g->n; i++) {
        part[i] = group_key_part(&g->table.keys[i], n_parts);
        starts[part[i] + 1]++;
    }
    for (uint32_t p = 0; p < n_parts; p++)
        starts[p + 1] += starts[p];
    uint32_t *at = xmalloc((n_parts + 1ull) * sizeof *at);
    memcpy(at, starts, n_parts * sizeof *at);
    for (uint32_t i = 0; i < g->n; i++)
        order[at[part[i]]++] = i;
    free(at);
    free(part);
}

static void key_put(Buf *out, const Store *s, const uint32_t *sel, uint32_t n)
{
    buf_putc(out, s->col != NULL);
    if (!s->col)
        return;
    Column *c = column_gather(s->col, sel, n);
    block_put_column(out, c, 0, n);
    column_unref(c);
}

void groups_save(const Groups *g, const uint32_t *sel, uint32_t n, uint64_t first_seq, Buf *out)
{
    buf_put(out, &n, sizeof n);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t seq = g->seqs ? g->seqs[sel[i]] : first_seq + sel[i];
        buf_put(out, &seq, sizeof seq);
    }
    for (uint32_t k = 0; k < g->spec->n_keys; k++) {
        key_put(out, &g->values[k], sel, n);
        key_put(out, &g->texts[k], sel, n);
    }
    for (uint32_t i = 0; i < g->spec->n_aggs; i++)
        agg_save(g->aggs[i], sel, n, out);
}

static Store key_get(const char **p, uint32_t n, Heap *heap)
{
    return *(*p)++ ? store_of(block_get_column(p, n, heap)) : (Store){0};
}

/* The groups at p alone. */
static Groups *groups_read(const Spec *spec, const char *p, Heap *heap)
{
    Groups *g = groups_open(spec);
    uint32_t n;
    memcpy(&n, p, sizeof n);
    p += sizeof n;
    g->n = g->table.n = g->table.cap = g->cap_seqs = n;
    g->n_rows = n; /* not fewer: that is all that counts */
    g->seqs = xmalloc((n + 1ull) * sizeof *g->seqs);
    memcpy(g->seqs, p, n * sizeof *g->seqs);
    p += n * sizeof *g->seqs;
    Column **keys = xmalloc((spec->n_keys + 1ull) * sizeof *keys);
    for (uint32_t k = 0; k < spec->n_keys; k++) {
        g->values[k] = key_get(&p, n, heap);
        g->texts[k] = key_get(&p, n, heap);
        keys[k] = g->values[k].col;
    }
    g->table.keys = xmalloc((n + 1ull) * sizeof *g->table.keys);
    if (n)
        group_keys(keys, spec->n_keys, 0, n, g->table.keys);
    free(keys);
    for (uint32_t i = 0; i < spec->n_aggs; i++)
        agg_load(g->aggs[i], &p, n, heap);
    return g;
}

/* None yet, with columns like those of `from`. */
static void begin_empty(Groups *g, const Groups *from)
{
    g->n_rows = 1;
    for (uint32_t k = 0; k < g->spec->n_keys; k++) {
        g->values[k] = store_of(column_new(g->spec->arg_types[k], false, 0));
        if (from->texts[k].col)
            g->texts[k] = store_of(column_new(g->spec->arg_types[k], true, 0));
    }
}

void groups_load(Groups *g, const char *p, Heap *heap, bool as_first)
{
    Groups *from = groups_read(g->spec, p, heap);
    if (g->n_rows == 0 && !as_first)
        begin_empty(g, from);
    groups_merge(g, from);
    groups_close(from);
}

const uint64_t *groups_seqs(const Groups *g)
{
    return g->seqs;
}

/* ---- finishing ---- */

static Column *finish_key(const Store *s, Type type)
{
    return s->col ? column_ref(s->col) : column_new(type, false, 0);
}

Status groups_finish(Groups *g, Batch **out, Error *err)
{
    const Spec *spec = g->spec;
    Batch *t = batch_new(g->n, spec->n_keys + spec->n_aggs);
    for (uint32_t i = 0; i < spec->n_keys; i++) {
        t->types[i] = spec->arg_types[i];
        t->slots[i].values = finish_key(&g->values[i], spec->arg_types[i]);
        if (g->texts[i].col)
            t->slots[i].text = column_ref(g->texts[i].col);
    }
    Status st = OK;
    for (uint32_t i = 0; i < spec->n_aggs && st == OK; i++) {
        const AggSpec *a = &spec->aggs[i];
        t->types[spec->n_keys + i] = a->type;
        st = agg_finish(g->aggs[i], g->n, &t->slots[spec->n_keys + i].values, err);
        if (st != OK && err && a->name.len)
            text_visible(a->name, err->column, sizeof err->column);
    }
    if (st != OK) {
        batch_unref(t);
        return st;
    }
    *out = t;
    return OK;
}
