#include "vm/groups.h"

#include <stdlib.h>
#include <string.h>

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
    /* When first merged into: */
    uint64_t *hashes;      /* [cap_hashes] of each group's keys */
    uint32_t cap_hashes;
    GroupTable table;
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
    free(g->values);
    free(g->texts);
    free(g->aggs);
    free(g->hashes);
    free(g->table.cells);
    free(g);
}

uint32_t groups_count(const Groups *g)
{
    return g->n;
}

size_t groups_bytes(const Groups *g)
{
    size_t n = sizeof *g + g->cap_hashes * sizeof *g->hashes;
    n += g->table.cells ? (g->table.mask + 1ull) * sizeof *g->table.cells : 0;
    for (uint32_t i = 0; i < g->spec->n_keys; i++)
        n += store_bytes(&g->values[i]) + store_bytes(&g->texts[i]);
    for (uint32_t i = 0; i < g->spec->n_aggs; i++)
        n += agg_bytes(g->aggs[i]);
    return n;
}

/* Rows of a column with bytes of their own, so that the input's blocks can be freed. */
static Store gather_own(const Column *c, const uint32_t *rows, uint32_t n)
{
    Column *shared = column_gather(c, rows, n);
    Column *own = column_concat(&shared, 1, true);
    column_unref(shared);
    return store_of(own);
}

void groups_begin(Groups *g, Column *const *keys, Column *const *texts, uint32_t n_rows)
{
    const Spec *spec = g->spec;
    g->n_rows = n_rows;
    if (spec->n_keys == 0)
        return;
    uint32_t *first = xmalloc((n_rows + 1ull) * sizeof *first);
    g->ids = xmalloc((n_rows + 1ull) * sizeof *g->ids);
    g->n = group_rows(keys, spec->n_keys, n_rows, g->ids, first);
    for (uint32_t i = 0; i < spec->n_keys; i++) {
        g->values[i] = gather_own(keys[i], first, g->n);
        if (texts[i])
            g->texts[i] = gather_own(texts[i], first, g->n);
    }
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

static Column **columns_of(const Store *stores, uint32_t n)
{
    Column **cols = xmalloc((n + 1ull) * sizeof(Column *));
    for (uint32_t i = 0; i < n; i++)
        cols[i] = stores[i].col;
    return cols;
}

static uint64_t *hashes_of(const Groups *g, uint32_t cap)
{
    uint64_t *hashes = xmalloc((cap + 1ull) * sizeof *hashes);
    Column **cols = columns_of(g->values, g->spec->n_keys);
    group_hashes(cols, g->spec->n_keys, g->n, hashes);
    free(cols);
    return hashes;
}

static bool same_keys(const Groups *a, uint32_t x, const Groups *b, uint32_t y)
{
    for (uint32_t k = 0; k < a->spec->n_keys; k++)
        if (!group_values_equal(a->values[k].col, x, b->values[k].col, y))
            return false;
    return true;
}

static void add_group(Groups *g, uint64_t hash, const Groups *from, uint32_t row)
{
    for (uint32_t k = 0; k < g->spec->n_keys; k++) {
        store_add(&g->values[k], from->values[k].col, row);
        if (g->texts[k].col)
            store_add(&g->texts[k], from->texts[k].col, row);
    }
    if (g->n == g->cap_hashes) {
        g->cap_hashes *= 2;
        g->hashes = xrealloc(g->hashes, g->cap_hashes * sizeof *g->hashes);
    }
    g->hashes[g->n++] = hash;
}

/* The number of the group with the keys of row `row` of `from`; a new one if there is none. */
static uint32_t find_group(Groups *g, uint64_t hash, const Groups *from, uint32_t row)
{
    uint32_t at = (uint32_t)hash & g->table.mask, high = (uint32_t)(hash >> 32);
    for (; g->table.cells[at].group; at = (at + 1) & g->table.mask) {
        const GroupCell *c = &g->table.cells[at];
        if (c->hash == high && same_keys(g, c->group - 1, from, row))
            return c->group - 1;
    }
    add_group(g, hash, from, row);
    g->table.cells[at] = (GroupCell){high, g->n};
    if (g->n > g->table.mask / 2)
        group_table_grow(&g->table, g->hashes, NULL, g->n);
    return g->n - 1;
}

static void table_make(Groups *g)
{
    if (g->hashes)
        return;
    g->cap_hashes = g->n + 64;
    g->hashes = hashes_of(g, g->cap_hashes);
    do
        group_table_grow(&g->table, g->hashes, NULL, 0);
    while (g->n > g->table.mask / 4);
    group_table_grow(&g->table, g->hashes, NULL, g->n);
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
        table_make(g);
        uint64_t *hashes = hashes_of(from, from->n);
        for (uint32_t i = 0; i < from->n; i++)
            map[i] = find_group(g, hashes[i], from, i);
        free(hashes);
    }
    for (uint32_t i = 0; i < spec->n_aggs; i++)
        agg_merge(g->aggs[i], from->aggs[i], map, g->n);
    free(map);
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
