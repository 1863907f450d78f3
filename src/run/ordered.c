#include "run/ordered.h"

#include <stdlib.h>
#include <string.h>

#include "data/varint.h"

enum {
    HASH_BITS = 63,
    KEY_BITS = 48,              /* of a hash by which records are ordered: more would tell hardly any apart, and take room */
    KEY_BYTES = KEY_BITS / 8,
    PART_BITS = 6,
    N_PARTS = 1 << PART_BITS,
    LAST_LEVEL = KEY_BITS / PART_BITS - 1, /* in its parts all keys are the same */
    BLOCK_MIN = 4096,           /* of a block of a part */
    FEW = 24,                   /* so many entries are sorted by insertion */
    MAX_BUCKET_BITS = 16,
};

typedef struct Entry {
    uint64_t key;
    const char *record; /* how many bytes, and they */
} Entry;

/* Records parted by some bits of their keys: of each the key, how many bytes, and they. */
typedef struct Level {
    uint32_t number;
    Spilled *raw;          /* run k: blocks of records of part k */
    Buf bufs[N_PARTS];     /* of records that are not in a block yet */
    uint64_t n_bytes[N_PARTS];
    uint32_t n_records[N_PARTS]; /* as far as they can be counted */
    uint64_t first[N_PARTS];
    bool differs[N_PARTS]; /* not all keys are `first` */
    uint64_t n_counted;
} Level;

struct Ordered {
    Run *run;
    const Step *step;
    Level *top;       /* NULL when it is finished */
    uint64_t n_bytes; /* put */
    Pages *pages;
};

/* ---- parting ---- */

/* How many bits of a key are behind those of the level. */
static uint32_t bits_below(uint32_t level)
{
    return KEY_BITS - (level + 1) * PART_BITS;
}

static size_t block_bytes(const Run *r)
{
    size_t n = spilled_block_bytes(r) * SPILL_FAN_IN / N_PARTS;
    return n < BLOCK_MIN ? BLOCK_MIN : n;
}

static void level_free(Run *r, Level *l)
{
    if (!l)
        return;
    if (l->raw)
        budget_give(&r->budget, l->raw->step->id, l->n_counted);
    for (uint32_t k = 0; k < N_PARTS; k++)
        buf_deinit(&l->bufs[k]);
    spilled_free(l->raw);
    free(l);
}

static Status level_open(Run *r, const Step *s, uint32_t number, Level **out, Error *err)
{
    Level *l = xcalloc(1, sizeof *l);
    l->number = number;
    Status st = spilled_open(r, s, SPILL_AS_PUT, NULL, 0, &l->raw, err);
    for (uint32_t k = 0; st == OK && k < N_PARTS; k++)
        spilled_begin(l->raw);
    if (st != OK) {
        level_free(r, l);
        return st;
    }
    *out = l;
    return OK;
}

static Status buf_flush(Run *r, Level *l, uint32_t k, Error *err)
{
    Status st = spilled_put_bytes(r, l->raw, k, &l->bufs[k], err);
    buf_clear(&l->bufs[k]);
    return st;
}

static Status level_flush(Run *r, Level *l, Error *err)
{
    Status st = OK;
    for (uint32_t k = 0; k < N_PARTS; k++) {
        if (st == OK && l->bufs[k].len)
            st = buf_flush(r, l, k, err);
        buf_deinit(&l->bufs[k]);
    }
    budget_give(&r->budget, l->raw->step->id, l->n_counted);
    l->n_counted = 0;
    return st;
}

static void room_take(Run *r, Level *l, Buf *b, size_t n)
{
    size_t cap = b->cap;
    buf_reserve(b, n);
    if (b->cap != cap) {
        budget_take(&r->budget, l->raw->step->id, b->cap - cap);
        l->n_counted += b->cap - cap;
    }
}

static Status level_put(Run *r, Level *l, uint64_t key, const char *bytes, size_t n, Error *err)
{
    uint32_t k = (uint32_t)(key >> bits_below(l->number)) & (N_PARTS - 1);
    Buf *b = &l->bufs[k];
    if (l->n_bytes[k] == 0)
        l->first[k] = key;
    l->differs[k] |= l->first[k] != key;
    room_take(r, l, b, b->cap ? n + KEY_BYTES + VARINT_MAX : block_bytes(r) + n + BLOCK_MIN); /* so that it need not grow */
    char *to = b->ptr + b->len;
    for (uint32_t i = 0; i < KEY_BYTES; i++)
        *to++ = (char)(key >> 8 * i);
    to = varint_put(to, n);
    memcpy(to, bytes, n);
    size_t end = (size_t)(to - b->ptr) + n;
    l->n_bytes[k] += end - b->len;
    l->n_records[k] += l->n_records[k] < UINT32_MAX;
    b->len = end;
    return end >= block_bytes(r) ? buf_flush(r, l, k, err) : OK;
}

Status ordered_open(Run *r, const Step *s, Ordered **out, Error *err)
{
    Ordered *o = xcalloc(1, sizeof *o);
    o->run = r;
    o->step = s;
    Status st = pages_open(r, s, &o->pages, err);
    if (st == OK)
        st = level_open(r, s, 0, &o->top, err);
    if (st != OK) {
        ordered_free(o);
        return st;
    }
    *out = o;
    return OK;
}

void ordered_free(Ordered *o)
{
    if (!o)
        return;
    level_free(o->run, o->top);
    pages_free(o->pages);
    free(o);
}

static uint64_t key_of(uint64_t hash)
{
    return hash >> (HASH_BITS - KEY_BITS);
}

Status ordered_put(Ordered *o, uint64_t hash, const char *bytes, size_t n, Error *err)
{
    o->n_bytes += n;
    return level_put(o->run, o->top, key_of(hash), bytes, n, err);
}

/* ---- sorting ---- */

static int entry_compare(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->record < y->record ? -1 : x->record > y->record;
}

static void entries_sort_some(Entry *e, uint32_t n)
{
    if (n > FEW) {
        qsort(e, n, sizeof *e, entry_compare); /* records of one key stand in memory as they were put */
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        Entry x = e[i];
        uint32_t k = i;
        for (; k && e[k - 1].key > x.key; k--)
            e[k] = e[k - 1];
        e[k] = x;
    }
}

/* Entries of a part of the level: hashes are even, so buckets by their next bits have an entry or two. */
static void entries_sort(Entry *e, uint32_t n, uint32_t level)
{
    uint32_t below = bits_below(level), bits = 0;
    while (bits < MAX_BUCKET_BITS && bits < below && 2u << bits <= n)
        bits++;
    uint32_t n_buckets = 1u << bits, mask = n_buckets - 1, shift = below - bits;
    uint32_t *ends = xcalloc(n_buckets + 1ull, sizeof *ends);
    Entry *sorted = xmalloc((n + 1ull) * sizeof *sorted);
    for (uint32_t i = 0; i < n; i++)
        ends[((e[i].key >> shift) & mask) + 1]++;
    for (uint32_t b = 0; b < n_buckets; b++)
        ends[b + 1] += ends[b];
    for (uint32_t i = 0; i < n; i++)
        sorted[ends[(e[i].key >> shift) & mask]++] = e[i];
    for (uint32_t b = 0, at = 0; b < n_buckets; at = ends[b++])
        entries_sort_some(sorted + at, ends[b] - at);
    memcpy(e, sorted, n * sizeof *e);
    free(sorted);
    free(ends);
}

/* What it takes to put part k in order in memory. */
static uint64_t sorting_bytes(const Level *l, uint32_t k)
{
    uint64_t n = l->n_records[k];
    return l->n_bytes[k] + 2 * n * sizeof(Entry) + (n < 1u << MAX_BUCKET_BITS ? n : 1u << MAX_BUCKET_BITS) * sizeof(uint32_t);
}

/* ---- what is put in order ---- */

static uint64_t key_get(const char *p)
{
    uint64_t key = 0;
    for (uint32_t i = 0; i < KEY_BYTES; i++)
        key |= (uint64_t)(unsigned char)p[i] << 8 * i;
    return key;
}

/* Part k as it was put, record by record. */
typedef Status RecordTaker(Ordered *o, void *to, uint64_t key, const char *bytes, size_t n, Error *err);

static Status part_read(Ordered *o, const Task *t, const Level *l, uint32_t k, RecordTaker *take, void *to, Error *err)
{
    const SpillRun *run = &l->raw->runs[k];
    Status st = OK;
    for (uint32_t i = 0; i < run->n && st == OK; i++) {
        Heap *heap = NULL;
        st = task_check(t, err);
        if (st == OK)
            st = spilled_get_bytes(l->raw, run->blocks[i], &heap, err);
        if (st != OK)
            break;
        const char *p = heap->bytes, *end = heap->bytes + heap->used;
        while (p < end && st == OK) {
            uint64_t key = key_get(p);
            p += KEY_BYTES;
            size_t n = (size_t)varint_get(&p);
            st = take(o, to, key, p, n, err);
            p += n;
        }
        heap_unref(heap);
    }
    return st;
}

static Status take_as_it_is(Ordered *o, void *to, uint64_t key, const char *bytes, size_t n, Error *err)
{
    (void)to;
    return pages_add(o->pages, key, bytes, n, err);
}

static Status take_to_level(Ordered *o, void *to, uint64_t key, const char *bytes, size_t n, Error *err)
{
    return level_put(o->run, to, key, bytes, n, err);
}

/* All records of a part, in memory. */
typedef struct Held {
    char *end;      /* of the bytes so far */
    Entry *entries;
    uint32_t n;
} Held;

static Status take_to_memory(Ordered *o, void *to, uint64_t key, const char *bytes, size_t n, Error *err)
{
    (void)o, (void)err;
    Held *h = to;
    h->entries[h->n++] = (Entry){key, h->end};
    h->end = varint_put(h->end, n);
    memcpy(h->end, bytes, n);
    h->end += n;
    return OK;
}

static Status part_sort(Ordered *o, const Task *t, const Level *l, uint32_t k, Error *err)
{
    uint64_t n_counted = sorting_bytes(l, k);
    char *bytes = xmalloc(l->n_bytes[k] + 1);
    Held h = {.end = bytes, .entries = xmalloc((l->n_records[k] + 1ull) * sizeof *h.entries)};
    budget_take(&o->run->budget, o->step->id, n_counted);
    Status st = part_read(o, t, l, k, take_to_memory, &h, err);
    if (st == OK)
        entries_sort(h.entries, h.n, l->number);
    for (uint32_t i = 0; i < h.n && st == OK; i++) {
        const char *p = h.entries[i].record;
        size_t n = (size_t)varint_get(&p);
        st = pages_add(o->pages, h.entries[i].key, p, n, err);
    }
    budget_give(&o->run->budget, o->step->id, n_counted);
    free(h.entries);
    free(bytes);
    return st;
}

static Status level_out(Ordered *o, const Task *t, Level *l, Error *err)
{
    Run *r = o->run;
    Status st = level_flush(r, l, err);
    for (uint32_t k = 0; k < N_PARTS && st == OK; k++) {
        if (!l->differs[k] || l->number == LAST_LEVEL) {
            st = part_read(o, t, l, k, take_as_it_is, NULL, err);
        } else if (sorting_bytes(l, k) <= r->budget.share_bytes) {
            st = part_sort(o, t, l, k, err);
        } else {
            Level *finer = NULL;
            st = level_open(r, o->step, l->number + 1, &finer, err);
            if (st == OK)
                st = part_read(o, t, l, k, take_to_level, finer, err);
            if (st == OK)
                st = level_out(o, t, finer, err);
            level_free(r, finer);
        }
    }
    return st;
}

Status ordered_finish(Ordered *o, const Task *t, Error *err)
{
    pages_expect(o->pages, o->n_bytes);
    Status st = level_out(o, t, o->top, err);
    if (st == OK)
        st = pages_end(o->pages, err);
    level_free(o->run, o->top);
    o->top = NULL;
    return st;
}

Status ordered_find(const Ordered *o, const uint64_t *hashes, uint32_t n, Found *found, Error *err)
{
    uint64_t *keys = xmalloc((n + 1ull) * sizeof *keys);
    for (uint32_t i = 0; i < n; i++)
        keys[i] = key_of(hashes[i]);
    Status st = pages_find(o->pages, keys, n, found, err);
    free(keys);
    return st;
}
