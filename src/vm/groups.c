/* groups.c - longer than most: whatever knows where the keys and states of groups are (in stores of their own, in the
 * columns of a batch, in bytes of a file) stands here. */
#include "vm/groups.h"

#include <stdlib.h>
#include <string.h>

#include "data/block.h"
#include "data/reject.h"
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
    uint64_t *seqs;        /* [cap_seqs] of groups that were loaded or merged in parts, [n]; else NULL */
    uint32_t cap_seqs;
    GroupTable table;      /* of the keys; its cells are made when it is first merged into */
    /* Of a batch that is to be merged, where the keys are instead of in values and texts: */
    Batch *source;         /* NULL: there */
    Column **cols;         /* [spec->n_keys] of its rows */
    uint32_t *first;       /* [n] row of each group; NULL: group i is row i, and aggs have no states yet ... */
    Column ***args;        /* ... but [spec->n_aggs] lists of these */
    bool of_rows;          /* of a DISTINCT: values only where packed keys are not whole */
    uint32_t n_parts;
    uint32_t *order;       /* [n] the groups by part; NULL: there is one part */
    uint32_t *starts;      /* [n_parts + 1] in order */
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

static void args_drop(Groups *g)
{
    for (uint32_t i = 0; g->args && i < g->spec->n_aggs; i++) {
        for (uint32_t k = 0; g->args[i] && k < g->spec->aggs[i].n_args; k++)
            column_unref(g->args[i][k]);
        free(g->args[i]);
    }
    free(g->args);
    g->args = NULL;
}

static void source_drop(Groups *g)
{
    args_drop(g);
    for (uint32_t i = 0; g->cols && i < g->spec->n_keys; i++)
        column_unref(g->cols[i]);
    batch_unref(g->source);
    free(g->cols);
    free(g->first);
    g->source = NULL;
    g->cols = NULL;
    g->first = NULL;
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
    source_drop(g);
    free(g->order);
    free(g->starts);
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

/* Is it one of the source, which counts it? */
static bool is_of_source(const Groups *g, const Column *c)
{
    for (uint32_t i = 0; g->source && i < g->source->n_cols; i++)
        if (g->source->slots[i].values == c)
            return true;
    return false;
}

size_t groups_bytes(const Groups *g)
{
    size_t n = sizeof *g + group_table_bytes(&g->table) + g->cap_seqs * sizeof *g->seqs;
    n += (g->first ? g->n * sizeof *g->first : 0) + (g->order ? g->n * sizeof *g->order : 0);
    n += g->source ? batch_held_bytes(g->source) : 0;
    for (uint32_t i = 0; g->cols && i < g->spec->n_keys; i++)
        n += is_of_source(g, g->cols[i]) ? 0 : column_bytes(g->cols[i]);
    for (uint32_t i = 0; g->args && i < g->spec->n_aggs; i++)
        for (uint32_t k = 0; g->args[i] && k < g->spec->aggs[i].n_args; k++)
            n += is_of_source(g, g->args[i][k]) ? 0 : column_bytes(g->args[i][k]);
    for (uint32_t i = 0; i < g->spec->n_keys; i++)
        n += store_bytes(&g->values[i]) + store_bytes(&g->texts[i]);
    for (uint32_t i = 0; i < g->spec->n_aggs; i++)
        n += agg_bytes(g->aggs[i]);
    return n;
}

size_t groups_state_bytes(const Groups *g)
{
    size_t n = 0;
    for (uint32_t i = 0; i < g->spec->n_keys; i++)
        n += store_bytes(&g->values[i]) + store_bytes(&g->texts[i]);
    for (uint32_t i = 0; i < g->spec->n_aggs; i++)
        n += g->args ? g->n * agg_state_bytes(g->aggs[i]) : agg_bytes(g->aggs[i]);
    return n;
}

static uint32_t *numbers(uint32_t n)
{
    uint32_t *all = xmalloc((n + 1ull) * sizeof *all);
    for (uint32_t i = 0; i < n; i++)
        all[i] = i;
    return all;
}

/* The cells of rows [n] of the table. */
static void add_texts(Groups *g, const Batch *table, const uint32_t *rows, uint32_t n)
{
    const Spec *spec = g->spec;
    uint32_t *all = numbers(n);
    for (uint32_t i = 0; i < spec->n_keys; i++) {
        int32_t col = spec->keys[i].col;
        Column *text = col >= 0 ? batch_text_rows(table, (uint32_t)col, rows, n) : NULL;
        if (!text)
            continue;
        store_add_rows(&g->texts[i], text, all, n);
        column_unref(text);
    }
    free(all);
}

/* With bytes of their own, so that the input's blocks can be freed. */
static void add_keys(Groups *g, Column *const *cols, const Batch *table, const uint32_t *rows, uint32_t n)
{
    for (uint32_t i = 0; i < g->spec->n_keys; i++)
        store_add_rows(&g->values[i], cols[i], rows, n);
    add_texts(g, table, rows, n);
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
    add_keys(g, keys, table, first, g->n);
    free(first);
}

/* Do so many of the first rows differ that of all of them more than about half will? Drawn from m keys at random, of
 * s rows s * s / 2m meet one that was there before. */
static bool mostly_differ(Column *const *keys, uint32_t n_keys, uint32_t n_rows)
{
    enum { SAMPLED = 4096 };
    if (n_rows < 4 * SAMPLED)
        return false;
    GroupTable t = {0};
    uint32_t *first = xmalloc(SAMPLED * sizeof *first);
    group_rows_in(&t, keys, n_keys, SAMPLED, NULL, first);
    uint32_t n_alike = SAMPLED - t.n;
    group_table_free(&t);
    free(first);
    return n_alike <= 0.8 * SAMPLED * SAMPLED / n_rows;
}

/* Can a row stand for a group, and groups be merged in parts? */
static bool has_small_states(const Spec *spec)
{
    for (uint32_t i = 0; i < spec->n_aggs; i++)
        if (!agg_is_small(&spec->aggs[i]))
            return false;
    return spec->n_keys > 0;
}

void groups_begin_batch(Groups *g, Column *const *keys, Batch *table, bool of_rows)
{
    const Spec *spec = g->spec;
    uint32_t n = g->n_rows = table->n_rows;
    g->of_rows = of_rows;
    if (spec->n_keys == 0)
        return;
    g->source = batch_ref(table);
    g->cols = xmalloc(spec->n_keys * sizeof(Column *));
    for (uint32_t i = 0; i < spec->n_keys; i++)
        g->cols[i] = column_ref(keys[i]);
    if (has_small_states(spec) && !group_has_codes(keys, spec->n_keys) && mostly_differ(keys, spec->n_keys, n)) {
        g->n = g->table.n = g->table.cap = n;
        g->table.keys = xmalloc(n * sizeof *g->table.keys);
        group_keys(keys, spec->n_keys, 0, n, g->table.keys);
        g->args = xcalloc(spec->n_aggs + 1ull, sizeof *g->args);
        return;
    }
    g->first = xmalloc((n + 1ull) * sizeof *g->first);
    g->ids = xmalloc((n + 1ull) * sizeof *g->ids);
    group_rows_in(&g->table, keys, spec->n_keys, n, g->ids, g->first);
    group_table_forget_cells(&g->table);
    g->n = g->table.n;
    if (spec->n_aggs == 0) {
        free(g->ids);
        g->ids = NULL;
    }
}

void groups_own(Groups *g)
{
    if (!g->source)
        return;
    uint32_t *rows = g->first ? g->first : numbers(g->n);
    add_keys(g, g->cols, g->source, rows, g->n);
    for (uint32_t i = 0; g->args && i < g->spec->n_aggs; i++)
        agg_update(g->aggs[i], g->args[i], rows, g->n, g->n);
    if (!g->first)
        free(rows);
    source_drop(g);
}

void groups_settle(Groups *g)
{
    enum { ROWS_PER_GROUP = 16 }; /* fewer groups than that are worth a copy of their keys */
    if (!g->of_rows && !g->args && g->n <= g->n_rows / ROWS_PER_GROUP)
        groups_own(g);
}

Batch *groups_source(const Groups *g, const uint32_t **rows)
{
    *rows = g->first;
    return g->source;
}

void groups_update(Groups *g, uint32_t agg, Column *const *args)
{
    if (g->args) {
        uint32_t n_args = g->spec->aggs[agg].n_args;
        g->args[agg] = xmalloc((n_args + 1ull) * sizeof(Column *));
        for (uint32_t k = 0; k < n_args; k++)
            g->args[agg][k] = column_ref(args[k]);
        return;
    }
    agg_update(g->aggs[agg], args, g->ids, g->n_rows, g->n);
    if (agg + 1 == g->spec->n_aggs) {
        free(g->ids);
        g->ids = NULL;
    }
}

/* ---- merging ---- */

typedef struct Merging {
    const Groups *g, *from;
    const uint32_t *some;  /* groups of `from`, by the row that group_table_add is told of; NULL: all */
    uint32_t n_before;     /* groups of g */
    const uint32_t *first; /* such a row of each later one of g */
} Merging;

/* The values of key k of a group that comes in, and where. */
static const Column *coming(const Merging *m, uint32_t row, uint32_t k, uint32_t *at)
{
    const Groups *from = m->from;
    *at = m->some ? m->some[row] : row;
    if (!from->source)
        return from->values[k].col;
    if (from->first)
        *at = from->first[*at];
    return from->cols[k];
}

static bool groups_same(const void *ctx, uint32_t group, uint32_t row)
{
    const Merging *m = ctx;
    for (uint32_t k = 0; k < m->g->spec->n_keys; k++) {
        uint32_t at, old_at = group;
        const Column *c = coming(m, row, k, &at), *old = m->g->values[k].col;
        if (group >= m->n_before)
            old = coming(m, m->first[group - m->n_before], k, &old_at);
        if (!group_values_equal(old, old_at, c, at))
            return false;
    }
    return true;
}

/* Numbers of those that come behind the g->n groups there are. */
static void seqs_add(Groups *g, const Groups *from, const uint32_t *groups, uint32_t n, uint64_t first_seq)
{
    if (g->n + n > g->cap_seqs) {
        g->cap_seqs = g->n + n > 2 * g->cap_seqs ? g->n + n : 2 * g->cap_seqs;
        g->seqs = xrealloc(g->seqs, g->cap_seqs * sizeof *g->seqs);
    }
    for (uint32_t i = 0; i < n; i++)
        g->seqs[g->n + i] = from->seqs ? from->seqs[groups[i]] : first_seq + groups[i];
}

/* Numbers the groups some[n] of `from` (NULL: all of them). map[n]: the group of g that each is; new[return value]: those
 * that g has not, of which it knows only the packed keys yet. */
static uint32_t find_new(Groups *g, const Groups *from, const uint32_t *some, uint32_t n, uint32_t *map,
                         uint32_t *new)
{
    enum { AT_ONCE = 256 };
    const Merging m = {g, from, some, g->n, new};
    if (!some) {
        group_table_add(&g->table, from->table.keys, n, 0, groups_same, &m, map, new, g->n);
        return g->table.n - g->n;
    }
    GroupKey keys[AT_ONCE];
    for (uint32_t at = 0; at < n; at += AT_ONCE) {
        uint32_t k = n - at < AT_ONCE ? n - at : AT_ONCE;
        for (uint32_t i = 0; i < k; i++)
            keys[i] = from->table.keys[some[at + i]];
        group_table_add(&g->table, keys, k, at, groups_same, &m, map + at, new, g->n);
    }
    uint32_t n_new = g->table.n - g->n;
    for (uint32_t i = 0; i < n_new; i++)
        new[i] = some[new[i]];
    return n_new;
}

/* map[from->n]: the group of g that each group of `from` is; those that g has not are added. */
static void merge_keys(Groups *g, const Groups *from, uint32_t *map)
{
    uint32_t *new = xmalloc((from->n + 1ull) * sizeof *new);
    uint32_t n_new = find_new(g, from, NULL, from->n, map, new);
    for (uint32_t k = 0; k < g->spec->n_keys; k++) {
        store_add_rows(&g->values[k], from->values[k].col, new, n_new);
        if (g->texts[k].col)
            store_add_rows(&g->texts[k], from->texts[k].col, new, n_new);
    }
    if (from->seqs)
        seqs_add(g, from, new, n_new, 0);
    g->n = g->table.n;
    free(new);
}

void groups_order(Groups *g, uint32_t n_parts)
{
    g->n_parts = n_parts;
    g->starts = xmalloc((n_parts + 1ull) * sizeof *g->starts);
    if (n_parts == 1) {
        g->starts[0] = 0;
        g->starts[1] = g->n;
        return;
    }
    g->order = xmalloc((g->n + 1ull) * sizeof *g->order);
    groups_part(g, n_parts, 0, g->order, g->starts);
}

uint32_t groups_part_begin(const Groups *g, uint32_t part)
{
    return g->starts[part];
}

bool groups_has_text(const Groups *g, uint32_t k)
{
    int32_t col = g->spec->keys[k].col;
    return g->source ? col >= 0 && batch_has_text(g->source, (uint32_t)col) : g->texts[k].col != NULL;
}

void groups_drop_text(Groups *g, uint32_t k)
{
    store_free(&g->texts[k]);
    g->texts[k] = (Store){0};
}

/* Are packed keys of the columns not always whole? */
static bool wants_values(const Groups *g, const Groups *from)
{
    return !g->of_rows || g->spec->n_keys > 1 || from->cols[0]->type == TYPE_STRING;
}

/* The cells of what is new: rows [n] of the source, or groups of groups that have their own. */
static void merge_texts(Groups *g, const Groups *from, const uint32_t *rows, uint32_t n)
{
    if (from->source)
        add_texts(g, from->source, rows, n);
    for (uint32_t k = 0; !from->source && k < g->spec->n_keys; k++)
        if (from->texts[k].col)
            store_add_rows(&g->texts[k], from->texts[k].col, rows, n);
}

uint32_t groups_merge_part(Groups *g, const Groups *from, uint32_t part, uint64_t first_seq, uint32_t *rows)
{
    const Spec *spec = g->spec;
    const uint32_t *some = from->order ? from->order + from->starts[part] : NULL;
    uint32_t n = from->starts[part + 1] - from->starts[part], n_new = 0;
    if (n == 0 || from->n_rows == 0)
        return 0;
    g->n_rows = 1;
    g->of_rows = from->of_rows;
    uint32_t *map = xcalloc(n + 1ull, sizeof *map);
    if (spec->n_keys) {
        uint32_t *new = xmalloc((n + 1ull) * sizeof *new);
        n_new = find_new(g, from, some, n, map, new);
        if (!g->of_rows)
            seqs_add(g, from, new, n_new, first_seq);
        for (uint32_t i = 0; from->first && i < n_new; i++) /* from now on: rows */
            new[i] = from->first[new[i]];
        if (rows)
            memcpy(rows, new, n_new * sizeof *rows);
        for (uint32_t k = 0; n_new && k < spec->n_keys && wants_values(g, from); k++)
            store_add_rows(&g->values[k], from->source ? from->cols[k] : from->values[k].col, new, n_new);
        if (n_new && !g->of_rows)
            merge_texts(g, from, new, n_new);
        g->n = g->table.n;
        free(new);
    }
    for (uint32_t i = 0; i < spec->n_aggs; i++)
        if (from->args)
            agg_add(g->aggs[i], from->args[i], some, map, n, g->n);
        else
            agg_merge(g->aggs[i], from->aggs[i], some, map, n, g->n);
    free(map);
    return n_new;
}

static void swap_groups(Groups *a, Groups *b)
{
    Groups old = *a;
    *a = *b;
    *b = old;
}

/* Takes what `from` knows, whose rows come after ours; `from` is empty afterwards. Both of one spec. */
static void merge(Groups *g, Groups *from)
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
            if (!from->texts[k].col)
                groups_drop_text(g, k);
        merge_keys(g, from, map);
    }
    for (uint32_t i = 0; i < spec->n_aggs; i++)
        agg_merge(g->aggs[i], from->aggs[i], NULL, map, from->n, g->n);
    free(map);
}

/* ---- as bytes, and back ---- */

void groups_part(const Groups *g, uint32_t n_parts, uint32_t level, uint32_t *order, uint32_t *starts)
{
    uint32_t *part = xmalloc((g->n + 1ull) * sizeof *part);
    memset(starts, 0, (n_parts + 1ull) * sizeof *starts);
    for (uint32_t i = 0; i < g->n; i++) {
        part[i] = group_key_part(&g->table.keys[i], n_parts, level);
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
    merge(g, from);
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

static void tell_overflow(const Groups *g, GroupsPolicy *policy, const AggSpec *a, uint32_t group)
{
    if (!policy->rejects)
        return;
    Buf message = {0};
    Reject what = {.row = g->seqs ? g->seqs[group] : group, .column = a->name, .kind = ROW_ERROR_OVERFLOW,
                   .is_nulled = policy->bad_rows == BAD_ROWS_NULL};
    buf_printf(&message, "sum of `%.*s`: integer overflow", STR_ARG(a->name));
    what.message = a->name.len ? buf_str(&message) : STR_LIT("sum: integer overflow");
    rejects_put(policy->rejects, &what);
    buf_deinit(&message);
}

/* Each group that overflows is told of once where that drops it. */
static void bad_groups(const Groups *g, GroupsPolicy *policy, const AggSpec *a, const uint64_t *bad)
{
    for (uint32_t i = 0; i < g->n; i++) {
        if (!bit_get(bad, i))
            continue;
        bool drops = policy->bad_rows == BAD_ROWS_SKIP;
        if (drops && !policy->dropped)
            policy->dropped = xcalloc(bit_words(g->n) + 1ull, sizeof *policy->dropped);
        if (drops && bit_get(policy->dropped, i))
            continue;
        if (drops)
            bit_set(policy->dropped, i);
        tell_overflow(g, policy, a, i);
    }
}

void groups_drop(GroupsPolicy *policy, Batch **t)
{
    if (!policy->dropped)
        return;
    uint32_t n = 0, *rows = xmalloc(((*t)->n_rows + 1ull) * sizeof *rows);
    for (uint32_t i = 0; i < (*t)->n_rows; i++)
        if (!bit_get(policy->dropped, i))
            rows[n++] = i;
    Batch *rest = batch_select_rows(*t, rows, n);
    batch_unref(*t);
    *t = rest;
    free(rows);
    free(policy->dropped);
    policy->dropped = NULL;
}

Status groups_finish(Groups *g, GroupsPolicy *policy, Batch **out, Error *err)
{
    uint64_t *bad = policy->bad_rows == BAD_ROWS_FAIL ? NULL : xcalloc(bit_words(g->n) + 1ull, sizeof *bad);
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
        st = agg_finish(g->aggs[i], g->n, bad, &t->slots[spec->n_keys + i].values, err);
        if (st != OK && err && a->name.len)
            text_visible(a->name, err->column, sizeof err->column);
        if (bad) {
            bad_groups(g, policy, a, bad);
            memset(bad, 0, bit_words(g->n) * sizeof *bad);
        }
    }
    free(bad);
    if (st != OK) {
        batch_unref(t);
        return st;
    }
    *out = t;
    return OK;
}
