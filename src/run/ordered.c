#include "run/ordered.h"

#include <stdlib.h>
#include <string.h>

enum {
    PART_BITS = 6,
    N_PARTS = 1 << PART_BITS,
    TOP_SHIFT = 63 - PART_BITS, /* hashes have 63 bits */
    LAST_LEVEL = 10,            /* in its parts all hashes are the same */
    PAGE_BYTES = 4096,          /* of a page, at least */
    BLOCK_MIN = 4096,           /* of a block of a part */
    WINDOW_BYTES = 256 * 1024,  /* that are read at once */
    GAP_BYTES = 8192,           /* ... with so many that nobody wants between them: a call costs about as much as to copy them */
    FEW = 24,                   /* so many entries are sorted by insertion */
    MAX_BUCKET_BITS = 16,
};

typedef struct Head {
    uint64_t hash, n_bytes;
} Head;

typedef struct Page {
    uint64_t last; /* hash */
    uint64_t end;  /* where it ends; it begins where the one before it does */
} Page;

typedef struct Entry {
    uint64_t hash;
    const char *head;
} Entry;

/* Records parted by some bits of their hashes. They are read once and soon, and in this order hardly become smaller: packing and
 * unpacking them took as long as everything else. */
typedef struct Level {
    uint32_t number;
    Spilled *raw;          /* run k: blocks of records of part k */
    Buf bufs[N_PARTS];     /* of records that are not in a block yet */
    uint64_t n_bytes[N_PARTS];
    uint64_t first[N_PARTS];
    bool differs[N_PARTS]; /* not all hashes are `first` */
    uint64_t n_counted;
} Level;

struct Ordered {
    Run *run;
    const Step *step;
    Level *top;       /* NULL when it is finished */
    uint32_t part;    /* of the record that is put */
    size_t head_at;   /* ... in the part's buffer, which had room for */
    size_t cap_before;
    uint64_t n_bytes; /* put */
    SpillFile *file;  /* in order */
    Buf out;          /* not in the file yet */
    uint64_t n_out;   /* bytes in the file and in out */
    uint64_t last;    /* hash of the last record there */
    size_t page_bytes;
    Page *pages;      /* [n_pages] */
    uint32_t n_pages, cap_pages;
    uint64_t n_counted;
};

/* ---- parting ---- */

static uint32_t part_of(uint32_t level, uint64_t hash)
{
    uint32_t bits = level * PART_BITS, shift = bits < TOP_SHIFT ? TOP_SHIFT - bits : 0;
    return (uint32_t)(hash >> shift) & (N_PARTS - 1);
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
    budget_give(&r->budget, l->n_counted);
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
    Status st = spilled_put_plain_bytes(r, l->raw, k, &l->bufs[k], err);
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
    budget_give(&r->budget, l->n_counted);
    l->n_counted = 0;
    return st;
}

static uint32_t level_note(Level *l, uint64_t hash)
{
    uint32_t k = part_of(l->number, hash);
    if (l->n_bytes[k] == 0)
        l->first[k] = hash;
    l->differs[k] |= l->first[k] != hash;
    return k;
}

/* A record of n bytes, its head among them, is in the buffer. */
static Status level_added(Run *r, Level *l, uint32_t k, size_t n, size_t cap_before, Error *err)
{
    const Buf *b = &l->bufs[k];
    l->n_bytes[k] += n;
    if (b->cap != cap_before) {
        budget_take(&r->budget, b->cap - cap_before);
        l->n_counted += b->cap - cap_before;
    }
    return b->len >= block_bytes(r) ? buf_flush(r, l, k, err) : OK;
}

Status ordered_open(Run *r, const Step *s, Ordered **out, Error *err)
{
    Ordered *o = xcalloc(1, sizeof *o);
    o->run = r;
    o->step = s;
    char *folder = spill_folder(r);
    Status st = spill_open(folder, &o->file, err);
    free(folder);
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
    budget_give(&o->run->budget, o->n_counted);
    level_free(o->run, o->top);
    if (o->file)
        spill_close(o->file);
    buf_deinit(&o->out);
    free(o->pages);
    free(o);
}

Buf *ordered_put_begin(Ordered *o, uint64_t hash)
{
    Level *l = o->top;
    o->part = level_note(l, hash);
    Buf *b = &l->bufs[o->part];
    o->head_at = b->len;
    if (b->cap == 0) { /* so that it need not grow */
        buf_reserve(b, block_bytes(o->run) + BLOCK_MIN);
        budget_take(&o->run->budget, b->cap);
        l->n_counted += b->cap;
    }
    const Head h = {hash, 0};
    o->cap_before = b->cap;
    buf_put(b, &h, sizeof h);
    return b;
}

Status ordered_put_end(Ordered *o, Error *err)
{
    Buf *b = &o->top->bufs[o->part];
    size_t n = b->len - o->head_at;
    const uint64_t n_bytes = n - sizeof(Head);
    memcpy(b->ptr + o->head_at + offsetof(Head, n_bytes), &n_bytes, sizeof n_bytes);
    o->n_bytes += n;
    return level_added(o->run, o->top, o->part, n, o->cap_before, err);
}

/* ---- the file in order ---- */

static Status out_flush(Ordered *o, Error *err)
{
    uint64_t at;
    Status st = spill_put_plain(o->file, o->out.ptr, o->out.len, &at, err);
    pthread_mutex_lock(&o->run->mu);
    o->run->spilled_bytes[o->step->id] += o->out.len;
    pthread_mutex_unlock(&o->run->mu);
    buf_clear(&o->out);
    return st;
}

static void page_end(Ordered *o)
{
    if (o->n_pages == o->cap_pages) {
        uint32_t cap = o->cap_pages ? 2 * o->cap_pages : 64;
        o->pages = xrealloc(o->pages, cap * sizeof *o->pages);
        budget_take(&o->run->budget, (cap - o->cap_pages) * sizeof *o->pages);
        o->n_counted += (cap - o->cap_pages) * sizeof *o->pages;
        o->cap_pages = cap;
    }
    o->pages[o->n_pages++] = (Page){o->last, o->n_out};
}

static Status record_out(Ordered *o, const char *head, Error *err)
{
    Head h;
    memcpy(&h, head, sizeof h);
    buf_put(&o->out, head, sizeof h + h.n_bytes);
    o->n_out += sizeof h + h.n_bytes;
    o->last = h.hash;
    if (o->n_out - (o->n_pages ? o->pages[o->n_pages - 1].end : 0) >= o->page_bytes)
        page_end(o);
    return o->out.len >= WINDOW_BYTES ? out_flush(o, err) : OK;
}

static int entry_compare(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->head < y->head ? -1 : x->head > y->head;
}

static void entries_sort_some(Entry *e, uint32_t n)
{
    if (n > FEW) {
        qsort(e, n, sizeof *e, entry_compare); /* records of one hash stand in memory as they were put */
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        Entry x = e[i];
        uint32_t k = i;
        for (; k && e[k - 1].hash > x.hash; k--)
            e[k] = e[k - 1];
        e[k] = x;
    }
}

/* Entries of a part of the level: hashes are even, so buckets by their next bits have an entry or two. */
static void entries_sort(Entry *e, uint32_t n, uint32_t level)
{
    uint32_t below = TOP_SHIFT > level * PART_BITS ? TOP_SHIFT - level * PART_BITS : 0, bits = 0;
    while (bits < MAX_BUCKET_BITS && bits < below && 2u << bits <= n)
        bits++;
    uint32_t n_buckets = 1u << bits, mask = n_buckets - 1, shift = below - bits;
    uint32_t *ends = xcalloc(n_buckets + 1ull, sizeof *ends);
    Entry *sorted = xmalloc((n + 1ull) * sizeof *sorted);
    for (uint32_t i = 0; i < n; i++)
        ends[((e[i].hash >> shift) & mask) + 1]++;
    for (uint32_t b = 0; b < n_buckets; b++)
        ends[b + 1] += ends[b];
    for (uint32_t i = 0; i < n; i++)
        sorted[ends[(e[i].hash >> shift) & mask]++] = e[i];
    for (uint32_t b = 0, at = 0; b < n_buckets; at = ends[b++])
        entries_sort_some(sorted + at, ends[b] - at);
    memcpy(e, sorted, n * sizeof *e);
    free(sorted);
    free(ends);
}

/* Part k as it was put, in blocks: to who takes records. */
typedef Status RecordTaker(Ordered *o, void *to, const char *head, size_t n, Error *err);

static Status part_read(Ordered *o, const Task *t, const Level *l, uint32_t k, RecordTaker *take, void *to, Error *err)
{
    const SpillRun *run = &l->raw->runs[k];
    Status st = OK;
    for (uint32_t i = 0; i < run->n && st == OK; i++) {
        Heap *heap = NULL;
        st = task_check(t, err);
        if (st == OK)
            st = spilled_get_bytes(l->raw, run->blocks[i], &heap, err);
        for (size_t at = 0; st == OK && at < heap->used;) {
            Head h;
            memcpy(&h, heap->bytes + at, sizeof h);
            st = take(o, to, heap->bytes + at, sizeof h + h.n_bytes, err);
            at += sizeof h + h.n_bytes;
        }
        heap_unref(heap);
    }
    return st;
}

static Status take_as_it_is(Ordered *o, void *to, const char *head, size_t n, Error *err)
{
    (void)to, (void)n;
    return record_out(o, head, err);
}

static Status take_to_level(Ordered *o, void *to, const char *head, size_t n, Error *err)
{
    Level *l = to;
    Head h;
    memcpy(&h, head, sizeof h);
    uint32_t k = level_note(l, h.hash);
    size_t cap = l->bufs[k].cap;
    buf_put(&l->bufs[k], head, n);
    return level_added(o->run, l, k, n, cap, err);
}

/* All records of a part, in memory. */
typedef struct Held {
    char *bytes;
    size_t at;
    Entry *entries;
    uint32_t n, cap;
} Held;

static Status take_to_memory(Ordered *o, void *to, const char *head, size_t n, Error *err)
{
    (void)o, (void)err;
    Held *h = to;
    if (h->n == h->cap) {
        h->cap = h->cap ? 2 * h->cap : 1024;
        h->entries = xrealloc(h->entries, h->cap * sizeof *h->entries);
    }
    char *p = memcpy(h->bytes + h->at, head, n);
    h->entries[h->n] = (Entry){.head = p};
    memcpy(&h->entries[h->n++].hash, p, sizeof(uint64_t));
    h->at += n;
    return OK;
}

static Status part_sort(Ordered *o, const Task *t, const Level *l, uint32_t k, Error *err)
{
    Held h = {.bytes = xmalloc(l->n_bytes[k] + 1)};
    budget_take(&o->run->budget, l->n_bytes[k]);
    Status st = part_read(o, t, l, k, take_to_memory, &h, err);
    if (st == OK)
        entries_sort(h.entries, h.n, l->number);
    for (uint32_t i = 0; i < h.n && st == OK; i++)
        st = record_out(o, h.entries[i].head, err);
    budget_give(&o->run->budget, l->n_bytes[k]);
    free(h.entries);
    free(h.bytes);
    return st;
}

static Status level_out(Ordered *o, const Task *t, Level *l, Error *err)
{
    Run *r = o->run;
    Status st = level_flush(r, l, err);
    for (uint32_t k = 0; k < N_PARTS && st == OK; k++) {
        if (!l->differs[k] || l->number == LAST_LEVEL) {
            st = part_read(o, t, l, k, take_as_it_is, NULL, err);
        } else if (l->n_bytes[k] <= r->budget.share_bytes) {
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
    /* What is kept of pages shall take a quarter of the share. */
    o->page_bytes = (size_t)(o->n_bytes / (o->run->budget.share_bytes / 4 / sizeof *o->pages + 1));
    if (o->page_bytes < PAGE_BYTES)
        o->page_bytes = PAGE_BYTES;
    Status st = level_out(o, t, o->top, err);
    if (st == OK && o->n_out > (o->n_pages ? o->pages[o->n_pages - 1].end : 0))
        page_end(o);
    if (st == OK)
        st = out_flush(o, err);
    buf_deinit(&o->out);
    level_free(o->run, o->top);
    o->top = NULL;
    return st;
}

/* ---- finding ---- */

static uint64_t page_begin(const Ordered *o, uint32_t i)
{
    return i ? o->pages[i - 1].end : 0;
}

/* The first page from `from` on that has the hash or a larger one. */
static uint32_t page_find(const Ordered *o, uint32_t from, uint64_t hash)
{
    uint32_t step = 1, lo = from, hi = from;
    while (hi < o->n_pages && o->pages[hi].last < hash) {
        lo = hi + 1;
        hi = o->n_pages - hi > step ? hi + step : o->n_pages;
        step *= 2;
    }
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (o->pages[mid].last < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Pages that can have a record of these hashes, ascending; returns how many. */
static uint32_t pages_want(const Ordered *o, const uint64_t *hashes, uint32_t n, uint32_t **out)
{
    uint32_t n_want = 0, cap = n + 1, *want = xmalloc(cap * sizeof *want), page = 0;
    for (uint32_t i = 0; i < n; i++) {
        page = page_find(o, page, hashes[i]);
        if (page == o->n_pages)
            break;
        for (uint32_t k = page; k < o->n_pages; k++) {
            if (n_want == 0 || want[n_want - 1] < k) {
                if (n_want == cap)
                    want = xrealloc(want, (cap *= 2) * sizeof *want);
                want[n_want++] = k;
            }
            if (o->pages[k].last != hashes[i])
                break; /* else they may go on in the next */
        }
    }
    *out = want;
    return n_want;
}

static void found_add(OrderedFound *f, const char *record, size_t n)
{
    if (f->n == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 1024;
        f->at = xrealloc(f->at, f->cap * sizeof *f->at);
    }
    f->at[f->n++] = f->bytes.len;
    buf_put(&f->bytes, record, n);
}

void ordered_found_free(OrderedFound *f)
{
    buf_deinit(&f->bytes);
    free(f->at);
    *f = (OrderedFound){0};
}

/* The records of a page; *at: the first hash that is not before it. */
static void page_look(const char *p, size_t n_bytes, const uint64_t *hashes, uint32_t n, uint32_t *at, OrderedFound *found)
{
    const char *end = p + n_bytes;
    uint32_t k = *at;
    while (p < end && k < n) {
        Head h;
        memcpy(&h, p, sizeof h);
        while (k < n && hashes[k] < h.hash)
            k++;
        if (k < n && hashes[k] == h.hash)
            found_add(found, p + sizeof h, h.n_bytes);
        p += sizeof h + h.n_bytes;
    }
    *at = k;
}

Status ordered_find(const Ordered *o, const uint64_t *hashes, uint32_t n, OrderedFound *found, Error *err)
{
    uint32_t *want, n_want = pages_want(o, hashes, n, &want), at = 0;
    Buf window = {0};
    Status st = OK;
    for (uint32_t i = 0, end; i < n_want && st == OK; i = end) {
        uint64_t begin = page_begin(o, want[i]);
        for (end = i + 1; end < n_want; end++)
            if (page_begin(o, want[end]) - o->pages[want[end - 1]].end > GAP_BYTES ||
                o->pages[want[end]].end - begin > WINDOW_BYTES)
                break;
        size_t n_bytes = (size_t)(o->pages[want[end - 1]].end - begin);
        buf_clear(&window);
        buf_reserve(&window, n_bytes);
        st = spill_get_plain(o->file, begin, n_bytes, window.ptr, err);
        for (uint32_t k = i; k < end && st == OK; k++)
            page_look(window.ptr + (page_begin(o, want[k]) - begin),
                      (size_t)(o->pages[want[k]].end - page_begin(o, want[k])), hashes, n, &at, found);
    }
    buf_deinit(&window);
    free(want);
    return st;
}
