/* A table that comes in order in pieces, held against one that is sorted at once. */
#include "vm/sorted.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "vm/group.h"
#include "vm/sort.h"
#include "unit.h"

enum { MAX_PARTS = 300, N_COLS = 4, MAX_HELPERS = 3 };

static uint64_t seed;
static uint32_t next(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static const Type TYPES[N_COLS] = {TYPE_INT, TYPE_FLOAT, TYPE_STRING, TYPE_INT};

/* The last column numbers the rows. */
static Batch *random_batch(uint32_t n, uint32_t n_different, uint32_t first)
{
    Batch *b = batch_new(n, N_COLS);
    Heap *h = heap_new(1024);
    for (uint32_t c = 0; c < N_COLS; c++) {
        Column *col = b->slots[c].values = column_new(TYPES[c], false, n);
        b->types[c] = TYPES[c];
        column_own_valid(col, true);
        column_add_heap(col, h);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t x = next(n_different);
            if (c == 3) {
                column_ints(col)[i] = first + i;
                continue;
            }
            if (TYPES[c] == TYPE_INT) {
                column_ints(col)[i] = (int64_t)x - 3;
            } else if (TYPES[c] == TYPE_FLOAT) {
                column_floats(col)[i] = x == 1 ? (double)NAN : x == 2 ? -0.0 : (double)x - 2;
            } else {
                char *s = heap_alloc(h, 24);
                column_strs(col)[i] = (StrView){s, (uint32_t)snprintf(s, 24, x % 2 ? "%u" : "alike so far: %u", x), 0};
            }
            if (next(7) == 0)
                bit_clear(col->valid, i);
        }
    }
    heap_unref(h);
    return b;
}

static Batch *sorted_by(Batch *b, const uint32_t *cols, const bool *is_desc, uint32_t n_keys)
{
    SortKey keys[N_COLS];
    uint32_t *order = xmalloc((b->n_rows + 1ull) * sizeof *order);
    for (uint32_t k = 0; k < n_keys; k++)
        keys[k] = (SortKey){b->slots[cols[k]].values, is_desc[k]};
    sort_rows(keys, n_keys, b->n_rows, order);
    Batch *out = batch_select_rows(b, order, b->n_rows);
    free(order);
    return out;
}

/* Threads that help. */
typedef struct Helpers {
    SortedStream *in;
    atomic_bool is_over;
    atomic_ullong n_rows; /* that they have made */
} Helpers;

static void *help(void *ctx)
{
    Helpers *h = ctx;
    uint32_t n_rows;
    while (!atomic_load(&h->is_over)) {
        if (sorted_stream_help(h->in, &n_rows))
            atomic_fetch_add(&h->n_rows, n_rows);
        else
            sched_yield();
    }
    return NULL;
}

/* How many rows of the stream are not those of `all`, from its first on. */
static uint32_t wrong_rows(Sorted *s, uint32_t n_helpers, const Batch *all, uint32_t take)
{
    Helpers h = {.in = sorted_stream_open(s, n_helpers)};
    pthread_t threads[MAX_HELPERS];
    SortedStream *in = h.in;
    uint32_t at = 0, wrong = 0;
    for (uint32_t i = 0; i < n_helpers; i++)
        wrong += pthread_create(&threads[i], NULL, help, &h) != 0;
    for (Batch *b; at < take && (b = sorted_stream_next(in)) != NULL; batch_unref(b))
        for (uint32_t i = 0; i < b->n_rows; i++, at++)
            for (uint32_t c = 0; c < N_COLS; c++)
                wrong += at >= all->n_rows || !group_values_equal(b->slots[c].values, i, all->slots[c].values, at);
    if (take == UINT32_MAX)
        wrong += at != all->n_rows || sorted_stream_has_more(in) || sorted_stream_help(in, &(uint32_t){0});
    atomic_store(&h.is_over, true);
    for (uint32_t i = 0; i < n_helpers; i++)
        pthread_join(threads[i], NULL);
    wrong += atomic_load(&h.n_rows) > all->n_rows;
    sorted_stream_close(in);
    return wrong;
}

/* One thread does all of it in turns: as many ranges as may be made ahead, by helping. */
static uint32_t wrong_in_turns(Sorted *s, const Batch *all)
{
    SortedStream *in = sorted_stream_open(s, 1);
    uint32_t n_made = 0, n_rows, at = 0;
    while (sorted_stream_help(in, &n_rows))
        at += n_rows;
    n_made = at;
    at = 0;
    for (Batch *b; (b = sorted_stream_next(in)) != NULL; batch_unref(b)) {
        at += b->n_rows;
        while (sorted_stream_help(in, &n_rows))
            n_made += n_rows;
    }
    sorted_stream_close(in);
    return at != all->n_rows || n_made != all->n_rows;
}

static void test_round(uint32_t round)
{
    static const uint32_t different[] = {1, 5, 300, 1000000};
    const uint32_t cols[2] = {round % 3, (round + 1) % 3};
    const bool is_desc[2] = {round & 1, round & 2};
    uint32_t n_keys = 1 + (round & 4 ? 1 : 0), n = 2 + next(round % 5 == 4 ? MAX_PARTS : 12), n_rows = 0;
    Batch *parts[MAX_PARTS + 2], *sorted[MAX_PARTS + 2];
    Column *keys[MAX_PARTS + 2][2], **lists[MAX_PARTS + 2];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t size = i < 2 ? 11000 : 1 + next(next(2) ? 6000 : 10);
        parts[i] = random_batch(size, different[next(4)], n_rows);
        sorted[i] = sorted_by(parts[i], cols, is_desc, n_keys);
        n_rows += size;
        for (uint32_t k = 0; k < n_keys; k++)
            keys[i][k] = sorted[i]->slots[cols[k]].values;
        lists[i] = keys[i];
    }
    Batch *whole = batch_concat(parts, n, N_COLS, TYPES), *all = sorted_by(whole, cols, is_desc, n_keys);
    CHECK(sorted_is_for(sorted, n) && !sorted_is_for(sorted, 1) && !sorted_is_for(sorted + 1, 1));
    Sorted *s = sorted_open(sorted, lists, n, n_keys, is_desc);
    CHECK(sorted_n_rows(s) == n_rows);
    CHECK(wrong_rows(s, 0, all, UINT32_MAX) == 0);
    CHECK(wrong_rows(s, 3, all, UINT32_MAX) == 0);
    CHECK(wrong_in_turns(s, all) == 0);
    CHECK(wrong_rows(s, 2, all, 1) == 0); /* nobody wants the rest */
    sorted_free(s);
    batch_unref(whole);
    batch_unref(all);
    for (uint32_t i = 0; i < n; i++) {
        batch_unref(parts[i]);
        batch_unref(sorted[i]);
    }
}

int main(int argc, char **argv)
{
    uint32_t first = argc > 1 ? (uint32_t)atoi(argv[1]) : 0;
    for (uint32_t round = first; round < first + 12; round++) {
        seed = round + 1;
        test_round(round);
    }
    UNIT_END("sorted");
}
