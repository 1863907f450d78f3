#include "run/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "data/record.h"
#include "run/meter.h"
#include "run/ordered.h"

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
    for (uint32_t i = 0; st == OK && i < plain->n_rows; i++) {
        if (hashes[i] == VM_HASH_NONE)
            continue;
        Buf *b = ordered_put_begin(l->rows, hashes[i]);
        buf_put(b, &like, sizeof like);
        record_put(b, plain, i);
        st = ordered_put_end(l->rows, err);
    }
    free(hashes);
    return st;
}

static Status lookup_make(Run *r, const Task *t, struct Pass *asking, Spilled *table, Lookup *l,
                          Error *err)
{
    Stream *in = NULL;
    Status st = ordered_open(r, table->step, &l->rows, err);
    if (st == OK)
        st = stream_open(r, table, &in, err);
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

/* Ascending, each once; returns how many. */
static uint32_t hashes_order(const uint64_t *hashes, uint32_t n, uint64_t *out)
{
    uint32_t k = 0, n_out = 0;
    for (uint32_t i = 0; i < n; i++)
        if (hashes[i] != VM_HASH_NONE)
            out[k++] = hashes[i];
    qsort(out, k, sizeof *out, hash_compare);
    for (uint32_t i = 0; i < k; i++)
        if (i == 0 || out[i] != out[i - 1])
            out[n_out++] = out[i];
    return n_out;
}

/* The rows that were found, each run of one like as a batch. */
static Batch *rows_of(const Lookup *l, const Spilled *table, const OrderedFound *found)
{
    Heap *heap = heap_new(found->bytes.len);
    State all = {0}; /* only its parts */
    const char **at = xmalloc((found->n + 1ull) * sizeof *at);
    memcpy(heap_alloc(heap, found->bytes.len), found->bytes.ptr, found->bytes.len);
    for (uint32_t i = 0, end; i < found->n; i = end) {
        uint32_t like, other;
        memcpy(&like, heap->bytes + found->at[i], sizeof like);
        for (end = i; end < found->n; end++) {
            memcpy(&other, heap->bytes + found->at[end], sizeof other);
            if (other != like)
                break;
            at[end] = heap->bytes + found->at[end] + sizeof like;
        }
        keep_part(&all, records_get(at + i, end - i, heap, l->likes[like], &table->inputs));
    }
    Batch **parts = all.parts;
    Batch *out = batch_concat_take(parts, all.n_parts, parts[0]->n_cols, parts[0]->types);
    heap_unref(heap);
    free(all.parts);
    free(at);
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
    OrderedFound found = {0};
    st = ordered_find(l->rows, sorted, hashes_order(hashes, n, sorted), &found, err);
    if (st == OK && found.n)
        *out = rows_of(l, table, &found);
    ordered_found_free(&found);
    work_end(r, t, WORK_UNSPILL, begin, *out ? (*out)->n_rows : 0, 0);
    free(sorted);
    return st;
}
