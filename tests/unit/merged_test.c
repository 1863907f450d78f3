/* Groups and rows that differ of many batches, merged by several threads in parts, held against one thread in one part,
 * and against the numbers that group_rows gives all rows together. */
#include "vm/merged.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "vm/group.h"
#include "unit.h"

enum { N_THREADS = 3, MAX_ROWS = 20000, MAX_BATCHES = 12, N_AGGS = 9 };

static uint64_t seed;
static uint32_t next(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* A key, a float and a string that may be null. */
static Batch *random_batch(Type key, uint32_t n, uint32_t n_different)
{
    Batch *b = batch_new(n, 3);
    const Type types[3] = {key, TYPE_FLOAT, TYPE_STRING};
    Heap *h = heap_new(1024);
    for (uint32_t c = 0; c < 3; c++) {
        Column *col = column_new(types[c], false, n);
        column_own_valid(col, true);
        b->types[c] = types[c];
        b->slots[c].values = col;
        column_add_heap(col, h);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t x = next(n_different);
        if (key == TYPE_INT) {
            column_ints(b->slots[0].values)[i] = x;
        } else {
            char *s = heap_alloc(h, 24);
            uint32_t len = (uint32_t)snprintf(s, 24, x % 2 ? "%u" : "a longer key: %u", x);
            column_strs(b->slots[0].values)[i] = (StrView){s, len, 0};
        }
        column_floats(b->slots[1].values)[i] = (double)next(1000000) / 7;
        char *t = heap_alloc(h, 12);
        column_strs(b->slots[2].values)[i] = (StrView){t, (uint32_t)snprintf(t, 12, "t%u", next(5000)), 0};
        for (uint32_t c = 0; c < 3; c++)
            if (next(11) == 0)
                bit_clear(b->slots[c].values->valid, i);
    }
    heap_unref(h);
    return b;
}

static const AggSpec AGGS[N_AGGS] = {
    {.fn = BUILTIN_AGG_COUNT, .n_args = 0, .type = TYPE_INT},
    {.fn = BUILTIN_AGG_SUM, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
    {.fn = BUILTIN_AGG_MEAN, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
    {.fn = BUILTIN_AGG_STDDEV, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
    {.fn = BUILTIN_AGG_MIN, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
    {.fn = BUILTIN_AGG_FIRST, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
    {.fn = BUILTIN_AGG_LAST, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
    {.fn = BUILTIN_AGG_ARG_MAX, .n_args = 2, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
    {.fn = BUILTIN_AGG_COUNT, .n_args = 1, .arg_type = TYPE_STRING, .type = TYPE_INT},
};

static Groups *batch_groups(const Spec *spec, Batch *b, bool of_rows, uint32_t n_parts)
{
    Column *key = b->slots[0].values, *pair[2] = {b->slots[1].values, b->slots[2].values};
    Groups *g = groups_open(spec);
    groups_begin_batch(g, &key, b, of_rows);
    for (uint32_t i = 0; i < spec->n_aggs; i++)
        groups_update(g, i, i + 1 == N_AGGS ? pair + 1 : pair);
    groups_order(g, n_parts);
    return g;
}

typedef struct Helper {
    Merged *m;
    uint32_t begin;
    atomic_bool *is_over;
} Helper;

static void *help(void *ctx)
{
    const Helper *h = ctx;
    while (!atomic_load(h->is_over))
        merged_work(h->m, h->begin);
    return NULL;
}

static Merged *merge_all(const Spec *spec, Batch **batches, uint32_t n, bool of_rows, uint32_t n_parts, bool with_help)
{
    Merged *m = merged_open(spec, of_rows, n_parts);
    pthread_t threads[N_THREADS];
    Helper helpers[N_THREADS];
    atomic_bool is_over = false;
    for (uint32_t i = 0; with_help && i < N_THREADS; i++) {
        helpers[i] = (Helper){m, i * 5, &is_over};
        pthread_create(&threads[i], NULL, help, &helpers[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        merged_put(m, batch_groups(spec, batches[i], of_rows, n_parts));
        if (i % 3 == 0)
            merged_work(m, i);
    }
    merged_finish_work(m);
    is_over = true;
    for (uint32_t i = 0; with_help && i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    return m;
}

static bool columns_same(const Column *a, const Column *b)
{
    bool same = a->n_rows == b->n_rows && a->type == b->type;
    for (uint32_t i = 0; same && i < a->n_rows; i++)
        same = column_is_valid(a, i) == column_is_valid(b, i) &&
               (!column_is_valid(a, i) || (a->type == TYPE_FLOAT ? memcmp(&column_floats(a)[i], &column_floats(b)[i], 8) == 0
                                                                 : group_values_equal(a, i, b, i)));
    return same;
}

/* all: the rows of all batches. */
static void test_groups(const Spec *spec, Batch **batches, uint32_t n, const Batch *all)
{
    Batch *one = NULL, *many = NULL;
    Merged *alone = merge_all(spec, batches, n, false, 1, false);
    Merged *helped = merge_all(spec, batches, n, false, merged_n_parts(spec, false), true);
    CHECK(merged_n_parts(spec, false) > 1 && merged_n_parts(spec, true) == 1);
    const GroupsPolicy policy = {0};
    CHECK(merged_groups(alone, &policy, &one, NULL) == OK && merged_groups(helped, &policy, &many, NULL) == OK);
    for (uint32_t c = 0; c < one->n_cols; c++)
        CHECK(columns_same(one->slots[c].values, many->slots[c].values));
    uint32_t *ids = xmalloc((all->n_rows + 1) * sizeof *ids), *first = xmalloc((all->n_rows + 1) * sizeof *first);
    Column *key = all->slots[0].values;
    uint32_t n_groups = group_rows(&key, 1, all->n_rows, ids, first), wrong = 0;
    CHECK(n_groups == one->n_rows);
    int64_t *counts = xcalloc(n_groups + 1, sizeof *counts);
    for (uint32_t i = 0; i < all->n_rows; i++)
        counts[ids[i]]++;
    for (uint32_t g = 0; g < n_groups; g++) {
        const Column *v = all->slots[1].values, *got = one->slots[1 + 5].values;
        uint32_t f = first[g]; /* of the values that are not null: the rows of a group may begin with some that are */
        while (f < all->n_rows && (ids[f] != g || !column_is_valid(v, f)))
            f++;
        wrong += !group_values_equal(key, first[g], one->slots[0].values, g);
        wrong += column_ints(one->slots[1].values)[g] != counts[g];
        wrong += f == all->n_rows ? column_is_valid(got, g) : column_floats(got)[g] != column_floats(v)[f];
        if (g > 200 && g + 200 < n_groups) /* they are looked for row by row */
            g += 50;
    }
    CHECK(wrong == 0);
    free(counts);
    free(ids);
    free(first);
    batch_unref(one);
    batch_unref(many);
    merged_unref(alone);
    merged_unref(helped);
}

static void test_rows(const Spec *spec, Batch **batches, uint32_t n, const Batch *all)
{
    Merged *m = merge_all(spec, batches, n, true, merged_n_parts(spec, false), true);
    uint32_t n_lists, at = 0, wrong = 0;
    Batch *const *rows = merged_rows(m, &n_lists);
    uint32_t *first = xmalloc((all->n_rows + 1) * sizeof *first);
    Column *key = all->slots[0].values;
    uint32_t n_groups = group_rows(&key, 1, all->n_rows, NULL, first);
    CHECK(n_lists == n);
    for (uint32_t i = 0; i < n_lists; i++)
        for (uint32_t k = 0; rows[i] && k < rows[i]->n_rows; k++, at++)
            for (uint32_t c = 0; c < 3 && at < n_groups; c++)
                wrong += !group_values_equal(all->slots[c].values, first[at], rows[i]->slots[c].values, k);
    CHECK(at == n_groups && wrong == 0);
    free(first);
    merged_unref(m);
}

static void test_round(uint32_t round)
{
    static const uint32_t different[] = {3, 400, 15000, 2000000};
    const Type key = round & 1 ? TYPE_INT : TYPE_STRING;
    const KeySpec keys[1] = {{.reg = 0, .col = 0}};
    const Spec group = {.kind = SPEC_GROUP, .arg_types = &key, .n_keys = 1, .keys = keys, .n_aggs = N_AGGS, .aggs = AGGS};
    const Spec distinct = {.kind = SPEC_KEYS, .n_keys = 1, .keys = keys};
    Batch *batches[MAX_BATCHES];
    uint32_t n = 1 + next(MAX_BATCHES);
    for (uint32_t i = 0; i < n; i++) /* large ones, small ones and some without rows */
        batches[i] = random_batch(key, next(3) ? MAX_ROWS - next(100) : next(4) ? next(40) : 0, different[round / 2 % 4]);
    Batch *all = batch_concat(batches, n, 3, batches[0]->types);
    test_groups(&group, batches, n, all);
    test_rows(&distinct, batches, n, all);
    batch_unref(all);
    for (uint32_t i = 0; i < n; i++)
        batch_unref(batches[i]);
}

int main(int argc, char **argv)
{
    uint32_t first = argc > 1 ? (uint32_t)atoi(argv[1]) : 0;
    for (uint32_t round = first; round < first + 16; round++) {
        seed = round + 1;
        test_round(round);
    }
    UNIT_END("merged");
}
