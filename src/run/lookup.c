#include "run/lookup.h"
#include "run/meter.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 4096,   /* of the ordered table: what one key costs to be found */
    BLOCKS_AT_ONCE = 256, /* that are in memory while rows are taken out of them */
};

typedef struct Fence {
    uint64_t first, last; /* hashes of a block's rows */
} Fence;

typedef struct Lookup {
    struct Lookup *next;
    const Spec *join;
    Status status;
    Error err;       /* why the keys could not be computed */
    Run *run;
    Spilled *rows;   /* one run, by the last column: the hash */
    Fence *fences;   /* [n_fences] of its blocks */
    uint32_t n_fences, cap_fences;
    uint64_t n_bytes; /* counted */
} Lookup;

void lookups_free(Lookup *list)
{
    while (list) {
        Lookup *l = list;
        list = l->next;
        budget_give(&l->run->budget, l->n_bytes);
        spilled_free(l->rows);
        free(l->fences);
        free(l);
    }
}

/* ---- putting the table in order ---- */

typedef struct Hashed {
    uint64_t hash;
    uint32_t row;
} Hashed;

static int hashed_compare(const void *a, const void *b)
{
    const Hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Rows of the table as a run, by hash, in the order of the table where that is the same. Rows that equal nothing are left out. */
static Status chunk_put(Run *r, struct Pass *asking, const Spec *join, Spilled *to, Batch *chunk, Error *err)
{
    uint32_t n = 0;
    uint64_t *hashes = xmalloc((chunk->n_rows + 1ull) * sizeof *hashes);
    Status st = vm_join_hashes(asking, join, chunk, hashes, err);
    Hashed *order = xmalloc((chunk->n_rows + 1ull) * sizeof *order);
    for (uint32_t i = 0; st == OK && i < chunk->n_rows; i++)
        if (hashes[i] != VM_HASH_NONE)
            order[n++] = (Hashed){hashes[i], i};
    free(hashes);
    if (st == OK && n) {
        qsort(order, n, sizeof *order, hashed_compare);
        uint32_t *sel = xmalloc(n * sizeof *sel);
        Column *c = column_new(TYPE_INT, false, n);
        for (uint32_t i = 0; i < n; i++) {
            sel[i] = order[i].row;
            column_ints(c)[i] = (int64_t)order[i].hash;
        }
        Batch *sorted = batch_select_rows(chunk, sel, n);
        order_column_add(sorted, c);
        free(sel);
        st = spilled_put(r, to, sorted, err);
        batch_unref(sorted);
    }
    free(order);
    return st;
}

/* The table as a few dozen runs by hash. */
static Status runs_make(Run *r, const Task *t, struct Pass *asking, const Spec *join, Spilled *table,
                        Spilled *to, Error *err)
{
    Stream *in = NULL;
    State held = {0}; /* only its parts */
    Status st = stream_open(r, table, &in, err);
    bool is_over = st != OK;
    while (!is_over) {
        Batch *b = NULL;
        st = task_check(t, err);
        if (st == OK)
            st = stream_next(in, &b, err);
        is_over = st != OK || !b;
        if (b) {
            state_count(r, &held, held.n_bytes + batch_held_bytes(b));
            keep_part(&held, b);
        }
        if (st == OK && held.n_parts && (is_over || held.n_bytes > r->budget.share_bytes / 2)) {
            Batch **parts = held.parts;
            Batch *chunk = batch_concat_take(parts, held.n_parts, parts[0]->n_cols, parts[0]->types);
            held.n_parts = 0;
            drop_parts(&held);
            st = chunk_put(r, asking, join, to, chunk, err);
            batch_unref(chunk);
            state_count(r, &held, 0);
            is_over |= st != OK;
        }
    }
    state_count(r, &held, 0);
    drop_parts(&held);
    free(held.parts);
    stream_close(in);
    return st == OK ? spilled_finish(r, t, to, err) : st;
}

static void fence_add(Lookup *l, uint64_t first, uint64_t last)
{
    if (l->n_fences == l->cap_fences) {
        l->cap_fences = l->cap_fences ? 2 * l->cap_fences : 64;
        l->fences = xrealloc(l->fences, l->cap_fences * sizeof *l->fences);
    }
    l->fences[l->n_fences++] = (Fence){first, last};
}

/* Rows in order as small blocks. */
static Status blocks_put(Run *r, Lookup *l, Batch *b, Buf *bytes, Error *err)
{
    Batch *plain = spilled_plain(r, l->rows, b);
    const int64_t *hashes = column_ints(plain->slots[plain->n_cols - 1].values);
    size_t row = batch_held_bytes(plain) / plain->n_rows + 1;
    uint32_t at_once = (uint32_t)(BLOCK_BYTES / row) + 1;
    Status st = OK;
    for (uint32_t at = 0, n; at < plain->n_rows && st == OK; at += n) {
        n = plain->n_rows - at < at_once ? plain->n_rows - at : at_once;
        buf_clear(bytes);
        block_put(bytes, plain, at, n);
        st = spilled_put_bytes(r, l->rows, 0, bytes, err);
        fence_add(l, (uint64_t)hashes[at], (uint64_t)hashes[at + n - 1]);
    }
    batch_unref(plain);
    return st;
}

static Status lookup_make(Run *r, const Task *t, struct Pass *asking, Spilled *table, Lookup *l,
                          Error *err)
{
    Spilled *runs = NULL;
    Stream *in = NULL;
    Buf bytes = {0};
    Status st = spilled_open(r, table->step, SPILL_BY_LAST, NULL, 0, &runs, err);
    if (st == OK)
        runs->is_again = true;
    if (st == OK)
        st = runs_make(r, t, asking, l->join, table, runs, err);
    if (st == OK)
        st = spilled_open(r, table->step, SPILL_BY_LAST, NULL, 0, &l->rows, err);
    if (st == OK)
        st = stream_open(r, runs, &in, err);
    if (st == OK) {
        l->rows->is_again = true;
        spilled_begin(l->rows);
    }
    while (st == OK) {
        Batch *b = NULL;
        st = stream_next_whole(in, &b, err);
        if (st != OK || !b)
            break;
        st = blocks_put(r, l, b, &bytes, err);
        batch_unref(b);
    }
    stream_close(in);
    spilled_free(runs);
    buf_deinit(&bytes);
    l->n_bytes = l->cap_fences * (sizeof *l->fences + sizeof(SpillBlock));
    budget_take(&r->budget, l->n_bytes);
    return st;
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

/* Rows found in the blocks that are in memory, and what was found before. */
typedef struct Found {
    Lookup *l;
    Batch *blocks[BLOCKS_AT_ONCE];
    uint32_t n_blocks;
    uint32_t *src, *rows; /* [n] */
    uint32_t n, cap;
    State parts; /* only its parts */
} Found;

static void found_add(Found *f, uint32_t row)
{
    if (f->n == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 1024;
        f->src = xrealloc(f->src, f->cap * sizeof *f->src);
        f->rows = xrealloc(f->rows, f->cap * sizeof *f->rows);
    }
    f->src[f->n] = f->n_blocks - 1;
    f->rows[f->n++] = row;
}

/* The rows found get bytes of their own, and the blocks go. */
static void found_gather(Found *f)
{
    if (f->n) {
        Batch *b = block_interleave(f->blocks, f->n_blocks, f->src, f->rows, f->n, &f->l->rows->inputs);
        slot_unref(&b->slots[--b->n_cols]);
        keep_part(&f->parts, b);
    }
    for (uint32_t i = 0; i < f->n_blocks; i++)
        batch_unref(f->blocks[i]);
    f->n = f->n_blocks = 0;
}

static Status block_load(Found *f, uint32_t i, Error *err)
{
    Spilled *p = f->l->rows;
    Heap *heap = NULL;
    if (f->n_blocks == BLOCKS_AT_ONCE)
        found_gather(f);
    Status st = spilled_get_bytes(p, p->runs[0].blocks[i], &heap, err);
    if (st == OK)
        f->blocks[f->n_blocks++] = block_get(heap->bytes, heap, &p->inputs);
    heap_unref(heap);
    return st;
}

/* The first block from `from` on that can have the hash or a larger one. */
static uint32_t fence_find(const Lookup *l, uint32_t from, uint64_t hash)
{
    uint32_t lo = from, hi = l->n_fences;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (l->fences[mid].last < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The rows of a block that have one of the hashes [*at, n); *at: the first one that is not behind the block. */
static void block_look(Found *f, const uint64_t *hashes, uint32_t n, uint32_t *at)
{
    const Batch *b = f->blocks[f->n_blocks - 1];
    const int64_t *of = column_ints(b->slots[b->n_cols - 1].values);
    uint32_t k = *at;
    for (uint32_t row = 0; row < b->n_rows && k < n; row++) {
        while (k < n && hashes[k] < (uint64_t)of[row])
            k++;
        if (k < n && hashes[k] == (uint64_t)of[row])
            found_add(f, row);
    }
    *at = k;
}

static Status blocks_look(Found *f, const uint64_t *hashes, uint32_t n, Error *err)
{
    const Lookup *l = f->l;
    uint32_t at = 0, i = 0;
    Status st = OK;
    while (at < n && st == OK) {
        i = fence_find(l, i, hashes[at]);
        if (i == l->n_fences)
            break;
        while (at < n && hashes[at] < l->fences[i].first)
            at++;
        if (at == n || hashes[at] > l->fences[i].last)
            continue;
        st = block_load(f, i, err);
        if (st == OK)
            block_look(f, hashes, n, &at);
        i++; /* rows of the last hash may go on in the next block */
    }
    return st;
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
    Found *f = xcalloc(1, sizeof *f);
    f->l = l;
    st = blocks_look(f, sorted, hashes_order(hashes, n, sorted), err);
    found_gather(f);
    if (st == OK && f->parts.n_parts) {
        Batch **parts = f->parts.parts;
        *out = batch_concat_take(parts, f->parts.n_parts, parts[0]->n_cols, parts[0]->types);
        f->parts.n_parts = 0;
    }
    work_end(r, t, WORK_UNSPILL, begin, *out ? (*out)->n_rows : 0, 0);
    drop_parts(&f->parts);
    free(f->parts.parts);
    free(f->src);
    free(f->rows);
    free(f);
    free(sorted);
    return st;
}
