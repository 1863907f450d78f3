/* Sorting, top and grouping of many rows, held against what their headers say, pair by pair. */
#include "vm/group.h"
#include "vm/sort.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

enum { N = 4000 };

static uint64_t seed = 42;
static uint32_t next(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static Column *random_column(Type t, uint32_t n_different)
{
    Column *c = column_new(t, false, N);
    column_own_valid(c, true);
    Heap *h = heap_new(64);
    column_add_heap(c, h);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t x = next(n_different);
        if (t == TYPE_INT)
            column_ints(c)[i] = x % 3 ? (int64_t)x : -(int64_t)x * 1000000007;
        else if (t == TYPE_FLOAT)
            column_floats(c)[i] = x == 0 ? (double)NAN : x == 1 ? -0.0 : x == 2 ? 0.0 : (double)x - 50;
        else if (t == TYPE_BOOL)
            column_bools(c)[i] = x & 1;
        else if (t == TYPE_STRING && x % 3 == 1) { /* alike for up to 40 bytes; NUL is a byte as any other */
            uint32_t n = x / 9 % 41 + 1;
            char *s = heap_alloc(h, n);
            memset(s, 'p', n);
            s[n - 1] = (char)(x / 3 % 3);
            column_strs(c)[i] = (StrView){s, n, 0};
        } else { /* many share their first 8 bytes */
            char *s = heap_alloc(h, 16);
            int n = x % 2 ? snprintf(s, 16, "prefix--%u", x) : snprintf(s, 16, "%u", x);
            column_strs(c)[i] = (StrView){s, (uint32_t)n, 0};
        }
        if (next(9) == 0) {
            bit_clear(c->valid, i);
            if (t == TYPE_STRING)
                column_strs(c)[i].len = 0;
        }
    }
    heap_unref(h);
    return c;
}

/* Does row i come before row j, by the definition? */
static bool comes_before(const SortKey *k, uint32_t n, uint32_t i, uint32_t j)
{
    for (uint32_t c = 0; c < n; c++) {
        bool a = column_is_valid(k[c].col, i), b = column_is_valid(k[c].col, j);
        if (a != b)
            return a;
        int d = a ? sort_compare_values(k[c].col, i, k[c].col, j) : 0;
        if (d)
            return (d < 0) != k[c].is_desc;
    }
    return i < j;
}

static void test_sort(Column **cols)
{
    uint32_t *order = xmalloc(N * sizeof *order), *top = xmalloc(N * sizeof *top);
    for (uint32_t round = 0; round < 128; round++) {
        SortKey k[2] = {{cols[round & 3], round & 4}, {cols[round >> 3 & 3], round & 32}};
        uint32_t n = 1 + (round >> 6 & 1), seen = 0, wrong = 0;
        sort_rows(k, n, N, order);
        for (uint32_t i = 0; i < N; i++)
            seen += order[i] < N;
        for (uint32_t i = 1; i < N; i++) /* strictly ordered: so no row twice, and stable */
            wrong += !comes_before(k, n, order[i - 1], order[i]);
        CHECK(seen == N && wrong == 0);
        const uint32_t limits[] = {0, 1, 10, 333, N - 1, N, N + 1};
        for (int l = 0; l < 7; l++) {
            uint32_t got = sort_top(k, n, N, limits[l], top);
            CHECK(got == (limits[l] < N ? limits[l] : N));
            CHECK(memcmp(top, order, got * sizeof *top) == 0);
        }
    }
    free(order);
    free(top);
}

static void test_groups(Column **cols)
{
    uint32_t *ids = xmalloc(N * sizeof *ids), *first = xmalloc(N * sizeof *first);
    for (uint32_t round = 0; round < 16; round++) {
        Column *keys[2] = {cols[round & 3], cols[round >> 2]};
        uint32_t n = round & 3 ? 2 : 1, n_groups = group_rows(keys, n, N, ids, first);
        uint32_t wrong = 0, n_seen = 0;
        for (uint32_t i = 0; i < N; i++) {
            bool is_new = ids[i] == n_seen;
            n_seen += is_new;
            wrong += ids[i] >= n_seen || (is_new && first[ids[i]] != i);
            for (uint32_t k = 0; k < n && !wrong; k++)
                wrong += !group_values_equal(keys[k], i, keys[k], first[ids[i]]);
        }
        CHECK(n_seen == n_groups && wrong == 0);
        for (uint32_t a = 0; a < n_groups; a++) /* all different */
            for (uint32_t b = a + 1; b < n_groups && b < a + 500; b++) {
                bool equal = true;
                for (uint32_t k = 0; k < n; k++)
                    equal &= group_values_equal(keys[k], first[a], keys[k], first[b]);
                wrong += equal;
            }
        CHECK(wrong == 0);
        CHECK(group_rows(keys, n, N, NULL, first) == n_groups);
    }
    CHECK(group_rows(NULL, 0, 0, NULL, first) == 1);
    free(ids);
    free(first);
}

/* One key that is a string of 10 to 21 bytes: packed whole up to 15. Strings of one heap, of which most have 32
 * bytes behind them, and of none. */
static void test_string_groups(void)
{
    static char texts[64][24];
    for (int i = 0; i < 64; i++) /* four of each length and first letter differ in the last byte alone */
        snprintf(texts[i], sizeof texts[i], "%.*s%c", 9 + i / 4 % 12, i < 48 ? "abcdefghijklmnopqrst" : "bbcdefghijklmnopqrst",
                 'a' + i % 4);
    for (int in_heap = 0; in_heap < 2; in_heap++) {
        Column *c = column_new(TYPE_STRING, false, N);
        Heap *h = heap_new(32 * N);
        column_add_heap(c, h);
        for (uint32_t i = 0; i < N; i++) {
            const char *t = texts[next(64)];
            uint32_t n = (uint32_t)strlen(t);
            char *own = heap_alloc(h, n);
            memcpy(own, t, n);
            column_strs(c)[i] = (StrView){in_heap ? own : t, n, 0};
        }
        heap_unref(h);
        uint32_t *ids = xmalloc(N * sizeof *ids), *first = xmalloc(N * sizeof *first), wrong = 0;
        uint32_t n_groups = group_rows(&c, 1, N, ids, first);
        CHECK(n_groups == 64);
        for (uint32_t i = 0; i < N; i++) {
            StrView a = column_strs(c)[i];
            for (uint32_t g = 0; g < n_groups; g++) {
                StrView b = column_strs(c)[first[g]];
                wrong += (a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0) != (g == ids[i]);
            }
        }
        CHECK(wrong == 0);
        free(ids);
        free(first);
        column_unref(c);
    }
}

int main(void)
{
    test_string_groups();
    Column *cols[4] = {random_column(TYPE_INT, 900), random_column(TYPE_FLOAT, 100),
                       random_column(TYPE_STRING, 1200), random_column(TYPE_BOOL, 2)};
    test_sort(cols);
    test_groups(cols);
    for (int i = 0; i < 4; i++)
        column_unref(cols[i]);
    UNIT_END("order");
}
