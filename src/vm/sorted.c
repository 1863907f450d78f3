#include "vm/sorted.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "data/interleave.h"
#include "vm/sort.h"

enum {
    MIN_ROWS = 20000,    /* fewer are sorted at once */
    RANGE_ROWS = 16384,  /* of a range, about: as many as a cache next to a processor holds ... */
    PART_ROWS = 128,     /* ... but so many of each batch, on the average: finding them takes time, too */
    SAMPLES = 16,        /* in a range */
};

/* A row by which ranges are divided. */
typedef struct Splitter {
    uint32_t src, row;
} Splitter;

struct Sorted {
    uint32_t n, n_keys;
    Batch **parts;       /* [n] */
    SortKey **keys;      /* [n] lists of n_keys; each column one reference */
    uint64_t n_rows;
    uint32_t n_ranges;
    Splitter *splitters; /* [n_ranges - 1] each the first row of the range behind it */
    uint32_t *_Atomic *bounds; /* [n_ranges - 1] where the splitter stands in each part: [n]; NULL: not yet */
};

void sorted_free(Sorted *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n; i++) {
        for (uint32_t k = 0; k < s->n_keys; k++)
            column_unref((Column *)s->keys[i][k].col);
        free(s->keys[i]);
        batch_unref(s->parts[i]);
    }
    for (uint32_t i = 0; s->bounds && i + 1 < s->n_ranges; i++)
        free(atomic_load_explicit(&s->bounds[i], memory_order_relaxed));
    free(s->bounds);
    free(s->splitters);
    free(s->keys);
    free(s->parts);
    free(s);
}

uint64_t sorted_n_rows(const Sorted *s)
{
    return s->n_rows;
}

/* ---- opening ---- */

/* The rows [n] of the parts, given part by part and in each in order, sorted: order[n]. Those of one key are in the order
 * in which they were given. */
static void rows_sort(const Sorted *s, const uint32_t *src, const uint32_t *rows, uint32_t n, uint32_t *order)
{
    SortKey *keys = xmalloc((s->n_keys + 1ull) * sizeof *keys);
    Column **cols = xmalloc(s->n * sizeof(Column *));
    for (uint32_t k = 0; k < s->n_keys; k++) {
        for (uint32_t i = 0; i < s->n; i++)
            cols[i] = (Column *)s->keys[i][k].col;
        keys[k] = (SortKey){column_of_rows(cols, s->n, src, rows, n, true), s->keys[0][k].is_desc};
    }
    sort_rows(keys, s->n_keys, n, order);
    for (uint32_t k = 0; k < s->n_keys; k++)
        column_unref((Column *)keys[k].col);
    free(cols);
    free(keys);
}

/* Rows at even distances of all parts: sorted, some of them divide the table evenly. */
static void splitters_find(Sorted *s)
{
    uint32_t range_rows = s->n * PART_ROWS > RANGE_ROWS ? s->n * PART_ROWS : RANGE_ROWS;
    uint32_t step = range_rows / SAMPLES, n = 0;
    uint32_t *src = xmalloc((s->n_rows / step + s->n) * sizeof *src);
    uint32_t *rows = xmalloc((s->n_rows / step + s->n) * sizeof *rows);
    for (uint32_t i = 0; i < s->n; i++)
        for (uint64_t at = step / 2; at < s->parts[i]->n_rows; at += step) {
            src[n] = i;
            rows[n++] = (uint32_t)at;
        }
    s->n_ranges = (uint32_t)(s->n_rows / range_rows + 1);
    s->n_ranges = s->n_ranges < n ? s->n_ranges : n + 1;
    s->splitters = xmalloc(s->n_ranges * sizeof *s->splitters);
    s->bounds = xcalloc(s->n_ranges, sizeof *s->bounds);
    uint32_t *order = xmalloc((n + 1ull) * sizeof *order);
    if (n)
        rows_sort(s, src, rows, n, order);
    for (uint32_t i = 0; i + 1 < s->n_ranges; i++) {
        uint32_t at = order[(uint64_t)(i + 1) * n / s->n_ranges];
        s->splitters[i] = (Splitter){src[at], rows[at]};
    }
    free(order);
    free(src);
    free(rows);
}

bool sorted_is_for(Batch *const *parts, uint32_t n)
{
    uint64_t n_rows = 0;
    for (uint32_t i = 0; i < n; i++)
        n_rows += parts[i]->n_rows;
    return n > 1 && n_rows >= MIN_ROWS && batches_are_alike(parts, n);
}

Sorted *sorted_open(Batch *const *parts, Column **const *keys, uint32_t n, uint32_t n_keys, const bool *is_desc)
{
    Sorted *s = xcalloc(1, sizeof *s);
    s->n = n;
    s->n_keys = n_keys;
    s->parts = xmalloc(n * sizeof(Batch *));
    s->keys = xmalloc(n * sizeof *s->keys);
    for (uint32_t i = 0; i < n; i++) {
        s->parts[i] = batch_ref(parts[i]);
        s->n_rows += parts[i]->n_rows;
        s->keys[i] = xmalloc((n_keys + 1ull) * sizeof *s->keys[i]);
        for (uint32_t k = 0; k < n_keys; k++)
            s->keys[i][k] = (SortKey){column_ref(keys[i][k]), is_desc[k]};
    }
    splitters_find(s);
    return s;
}

/* ---- ranges ---- */

/* How many rows of a part come before the splitter: of equal rows those of earlier parts, and in one part earlier ones. */
static uint32_t bound_in(const Sorted *s, uint32_t part, Splitter at)
{
    uint32_t lo = 0, hi = s->parts[part]->n_rows;
    if (part == at.src)
        return at.row;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = sort_compare_rows(s->keys[part], mid, s->keys[at.src], at.row, s->n_keys);
        if (c < 0 || (c == 0 && part < at.src))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static const uint32_t *bounds_of(Sorted *s, uint32_t splitter)
{
    uint32_t *b = atomic_load_explicit(&s->bounds[splitter], memory_order_acquire);
    if (b)
        return b;
    uint32_t *mine = xmalloc(s->n * sizeof *mine);
    for (uint32_t i = 0; i < s->n; i++)
        mine[i] = bound_in(s, i, s->splitters[splitter]);
    if (atomic_compare_exchange_strong_explicit(&s->bounds[splitter], &b, mine, memory_order_acq_rel,
                                                memory_order_acquire))
        return mine;
    free(mine); /* another thread was first */
    return b;
}

/* NULL: it has no rows. */
static Batch *range_make(Sorted *s, uint32_t range)
{
    const uint32_t *from = range ? bounds_of(s, range - 1) : NULL;
    const uint32_t *to = range + 1 < s->n_ranges ? bounds_of(s, range) : NULL;
    uint32_t n = 0, at = 0;
    for (uint32_t i = 0; i < s->n; i++)
        n += (to ? to[i] : s->parts[i]->n_rows) - (from ? from[i] : 0);
    if (n == 0)
        return NULL;
    uint32_t *src = xmalloc(n * sizeof *src), *rows = xmalloc(n * sizeof *rows);
    uint32_t *order = xmalloc(n * sizeof *order);
    for (uint32_t i = 0; i < s->n; i++)
        for (uint32_t row = from ? from[i] : 0; row < (to ? to[i] : s->parts[i]->n_rows); row++) {
            src[at] = i;
            rows[at++] = row;
        }
    rows_sort(s, src, rows, n, order);
    uint32_t *src2 = xmalloc(n * sizeof *src2), *rows2 = xmalloc(n * sizeof *rows2);
    for (uint32_t i = 0; i < n; i++) {
        src2[i] = src[order[i]];
        rows2[i] = rows[order[i]];
    }
    Batch *out = batch_interleave(s->parts, s->n, src2, rows2, n);
    free(src);
    free(rows);
    free(order);
    free(src2);
    free(rows2);
    return out;
}

/* ---- streams ---- */

struct SortedStream {
    Sorted *s;
    pthread_mutex_t mu;
    pthread_cond_t change; /* a range is made */
    /* guarded by mu: */
    uint32_t next_made, next_used; /* ranges */
    uint32_t n_ahead;     /* so many may be made that are not used yet */
    Batch **ahead;        /* [n_ahead] by number, as they come round */
    bool *is_made;        /* [n_ahead] */
};

static bool may_make(const SortedStream *in)
{
    return in->next_made < in->s->n_ranges && in->next_made < in->next_used + in->n_ahead;
}

/* The next range; the lock is given away meanwhile. Gives its rows. */
static uint32_t make_locked(SortedStream *in)
{
    uint32_t range = in->next_made++;
    pthread_mutex_unlock(&in->mu);
    Batch *b = range_make(in->s, range);
    uint32_t n_rows = b ? b->n_rows : 0;
    pthread_mutex_lock(&in->mu);
    in->ahead[range % in->n_ahead] = b;
    in->is_made[range % in->n_ahead] = true;
    pthread_cond_signal(&in->change); /* only who uses the stream waits */
    return n_rows;
}

bool sorted_stream_help(SortedStream *in, uint32_t *n_rows)
{
    pthread_mutex_lock(&in->mu);
    bool may = may_make(in);
    *n_rows = may ? make_locked(in) : 0;
    pthread_mutex_unlock(&in->mu);
    return may;
}

bool sorted_stream_has_more(SortedStream *in)
{
    pthread_mutex_lock(&in->mu);
    bool has = in->next_made < in->s->n_ranges;
    pthread_mutex_unlock(&in->mu);
    return has;
}

SortedStream *sorted_stream_open(Sorted *s, uint32_t n_helpers)
{
    SortedStream *in = xcalloc(1, sizeof *in);
    in->s = s;
    in->n_ahead = 2 * n_helpers + 1;
    in->ahead = xcalloc(in->n_ahead, sizeof *in->ahead);
    in->is_made = xcalloc(in->n_ahead, sizeof *in->is_made);
    pthread_mutex_init(&in->mu, NULL);
    pthread_cond_init(&in->change, NULL);
    return in;
}

Batch *sorted_stream_next(SortedStream *in)
{
    Batch *b = NULL;
    pthread_mutex_lock(&in->mu);
    while (!b && in->next_used < in->s->n_ranges) {
        uint32_t at = in->next_used % in->n_ahead;
        if (in->is_made[at]) {
            b = in->ahead[at];
            in->ahead[at] = NULL;
            in->is_made[at] = false;
            in->next_used++;
        } else if (may_make(in)) {
            make_locked(in);
        } else {
            pthread_cond_wait(&in->change, &in->mu);
        }
    }
    pthread_mutex_unlock(&in->mu);
    return b;
}

void sorted_stream_close(SortedStream *in)
{
    if (!in)
        return;
    for (uint32_t i = 0; i < in->n_ahead; i++)
        batch_unref(in->ahead[i]);
    pthread_mutex_destroy(&in->mu);
    pthread_cond_destroy(&in->change);
    free(in->ahead);
    free(in->is_made);
    free(in);
}
