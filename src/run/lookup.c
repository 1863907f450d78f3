#include "run/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "data/record.h"
#include "data/varint.h"
#include "run/meter.h"
#include "run/ordered.h"

enum {
    HASH_BITS = 63,
    FEW = 24, /* so many hashes are sorted by insertion */
    MAX_BUCKET_BITS = 16,
};

typedef struct Lookup {
    struct Lookup *next;
    const Spec *join;
    Status status;
    Error err;      /* why the keys could not be computed */
    Run *run;
    Ordered *rows;  /* records, each behind the number of its like */
    Batch **likes;  /* [n_likes] what records look like */
    uint32_t n_likes;
} Lookup;

void lookups_free(Lookup *list)
{
    while (list) {
        Lookup *l = list;
        list = l->next;
        for (uint32_t i = 0; i < l->n_likes; i++)
            batch_unref(l->likes[i]);
        free(l->likes);
        ordered_free(l->rows);
        free(l);
    }
}

/* ---- putting the table in order ---- */

static uint32_t like_number(Lookup *l, const Batch *plain)
{
    for (uint32_t i = l->n_likes; i > 0; i--)
        if (record_is_like(plain, l->likes[i - 1]))
            return i - 1;
    l->likes = xrealloc(l->likes, (l->n_likes + 1ull) * sizeof *l->likes);
    l->likes[l->n_likes] = record_like(plain);
    return l->n_likes++;
}

/* Rows of the table, in its order. Those that equal nothing are left out. */
static Status rows_put(Lookup *l, struct Pass *asking, Batch *plain, Error *err)
{
    uint64_t *hashes = xmalloc((plain->n_rows + 1ull) * sizeof *hashes);
    Status st = vm_join_hashes(asking, l->join, plain, hashes, err);
    uint32_t like = like_number(l, plain);
    Buf record = {0};
    for (uint32_t i = 0; st == OK && i < plain->n_rows; i++) {
        if (hashes[i] == VM_HASH_NONE)
            continue;
        buf_clear(&record);
        buf_put_varint(&record, like);
        record_put(&record, plain, i);
        st = ordered_put(l->rows, hashes[i], record.ptr, record.len, err);
    }
    buf_deinit(&record);
    free(hashes);
    return st;
}

static Status lookup_make(Run *r, const Task *t, struct Pass *asking, Spilled *table, Lookup *l,
                          Error *err)
{
    Stream *in = NULL;
    Status st = ordered_open(r, table->step, &l->rows, err);
    if (st == OK)
        st = stream_open(r, NULL, table, &in, err);
    while (st == OK) {
        Batch *b = NULL;
        st = task_check(t, err);
        if (st == OK)
            st = stream_next(in, &b, err);
        if (st != OK || !b)
            break;
        st = rows_put(l, asking, b, err);
        batch_unref(b);
    }
    stream_close(in);
    return st == OK ? ordered_finish(l->rows, t, err) : st;
}

/* The table by the keys of this join; the first that wants it makes it, the others wait. */
static Status lookup_get(Run *r, const Task *t, struct Pass *asking, Spilled *table, const Spec *join,
                         Lookup **out, Error *err)
{
    pthread_mutex_lock(&table->mu);
    Lookup *l = table->lookups;
    while (l && l->join != join)
        l = l->next;
    if (!l) {
        l = xcalloc(1, sizeof *l);
        l->join = join;
        l->run = r;
        uint64_t begin = work_begin(r);
        l->status = lookup_make(r, t, asking, table, l, &l->err);
        work_end(r, t, WORK_SPILL, begin, table->n_rows, 0);
        l->next = table->lookups;
        table->lookups = l;
    }
    Status st = l->status;
    if (st != OK && err)
        *err = l->err;
    if (st == ERR_CANCELLED || st == ERR_TIMEOUT) { /* that was of who asked: the next one may try again */
        table->lookups = l->next;
        l->next = NULL;
        lookups_free(l);
    }
    pthread_mutex_unlock(&table->mu);
    *out = l;
    return st;
}

/* ---- looking up ---- */

static int hash_compare(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

/* Of one bucket: one or two mostly, unless one hash comes often. */
static void hashes_sort_some(uint64_t *h, uint32_t n)
{
    if (n > FEW) {
        qsort(h, n, sizeof *h, hash_compare);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        uint64_t x = h[i];
        uint32_t k = i;
        for (; k && h[k - 1] > x; k--)
            h[k] = h[k - 1];
        h[k] = x;
    }
}

/* Ascending, each once; returns how many. Hashes are even, so that buckets by their first bits are. */
static uint32_t hashes_order(const uint64_t *hashes, uint32_t n, uint64_t *out)
{
    uint32_t bits = 0, n_out = 0;
    while (bits < MAX_BUCKET_BITS && 2u << bits <= n)
        bits++;
    uint32_t *ends = xcalloc((1u << bits) + 1ull, sizeof *ends), shift = HASH_BITS - bits;
    for (uint32_t i = 0; i < n; i++)
        if (hashes[i] != VM_HASH_NONE)
            ends[(hashes[i] >> shift) + 1]++;
    for (uint32_t b = 0; b < 1u << bits; b++)
        ends[b + 1] += ends[b];
    for (uint32_t i = 0; i < n; i++)
        if (hashes[i] != VM_HASH_NONE)
            out[ends[hashes[i] >> shift]++] = hashes[i];
    for (uint32_t b = 0, at = 0; b < 1u << bits; at = ends[b++]) {
        hashes_sort_some(out + at, ends[b] - at);
        for (uint32_t i = at; i < ends[b]; i++)
            if (n_out == 0 || out[i] != out[n_out - 1])
                out[n_out++] = out[i];
    }
    free(ends);
    return n_out;
}

/* The rows that were found, each run of one like as a batch. */
static Batch *rows_of(const Lookup *l, const Spilled *table, Found *found)
{
    State all = {0}; /* only its parts */
    uint32_t *like = xmalloc((found->n + 1ull) * sizeof *like);
    for (uint32_t i = 0; i < found->n; i++)
        like[i] = (uint32_t)varint_get(&found->at[i]);
    for (uint32_t i = 0, end; i < found->n; i = end) {
        for (end = i + 1; end < found->n && like[end] == like[i]; end++)
            ;
        keep_part(&all, records_get(found->at + i, end - i, found->heap, l->likes[like[i]], &table->inputs));
    }
    Batch **parts = all.parts;
    Batch *out = all.n_parts == 1 ? parts[0] : batch_concat_take(parts, all.n_parts, parts[0]->n_cols, parts[0]->types);
    free(all.parts);
    free(like);
    return out;
}

Status lookup_rows(Run *r, const Task *t, Spilled *table, struct Pass *asking, const Spec *join,
                   const uint64_t *hashes, uint32_t n, Batch **out, Error *err)
{
    Lookup *l = NULL;
    *out = NULL;
    Status st = lookup_get(r, t, asking, table, join, &l, err);
    if (st != OK)
        return st;
    uint64_t begin = work_begin(r);
    uint64_t *sorted = xmalloc((n + 1ull) * sizeof *sorted);
    Found found = {0};
    st = ordered_find(l->rows, sorted, hashes_order(hashes, n, sorted), &found, err);
    if (st == OK && found.n)
        *out = rows_of(l, table, &found);
    found_free(&found);
    work_end(r, t, WORK_UNSPILL, begin, *out ? (*out)->n_rows : 0, 0);
    free(sorted);
    return st;
}
