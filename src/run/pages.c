#include "run/pages.h"

#include <stdlib.h>
#include <string.h>

#include "data/varint.h"

enum {
    PAGE_BYTES = 1024,          /* of a page, at least, before it is packed */
    WINDOW_BYTES = 256 * 1024,  /* that are written or read at once */
    GAP_BYTES = 4096,           /* ... with so many that nobody wants between them: a call costs about as much as to copy them */
    FOUND_BYTES = 64 * 1024,    /* of the first piece of what is found */
};

typedef struct Page {
    uint64_t last; /* key */
    uint64_t end;  /* where it ends in the file; it begins where the one before it does */
} Page;

struct Pages {
    Run *run;
    const Step *step;
    SpillFile *file;
    Buf page;       /* not packed yet */
    Buf out;        /* not in the file yet */
    uint64_t n_out; /* bytes in the file and in out */
    uint64_t last;  /* key of the last record */
    size_t page_bytes;
    Page *pages;    /* [n] */
    uint32_t n, cap;
    uint64_t n_counted;
};

/* ---- adding ---- */

Status pages_open(Run *r, const Step *s, Pages **out, Error *err)
{
    SpillFile *file = NULL;
    Status st = spill_file_open(r, &file, err);
    if (st != OK)
        return st;
    Pages *p = xcalloc(1, sizeof *p);
    p->run = r;
    p->step = s;
    p->file = file;
    p->page_bytes = PAGE_BYTES;
    *out = p;
    return OK;
}

void pages_free(Pages *p)
{
    if (!p)
        return;
    budget_give(&p->run->budget, p->step->id, p->n_counted);
    spill_close(p->file);
    buf_deinit(&p->page);
    buf_deinit(&p->out);
    free(p->pages);
    free(p);
}

void pages_expect(Pages *p, uint64_t n_bytes)
{
    uint64_t most = p->run->budget.share_bytes / 4 / sizeof *p->pages + 1; /* a quarter of the share */
    if (n_bytes / most > PAGE_BYTES)
        p->page_bytes = (size_t)(n_bytes / most);
}

static Status out_flush(Pages *p, Error *err)
{
    uint64_t at;
    Status st = spill_put_plain(p->file, p->out.ptr, p->out.len, &at, err);
    pthread_mutex_lock(&p->run->mu);
    p->run->spilled_bytes[p->step->id] += p->out.len;
    pthread_mutex_unlock(&p->run->mu);
    buf_clear(&p->out);
    return st;
}

static Status page_end(Pages *p, Error *err)
{
    if (p->n == p->cap) {
        uint32_t cap = p->cap ? 2 * p->cap : 64;
        p->pages = xrealloc(p->pages, cap * sizeof *p->pages);
        budget_take(&p->run->budget, p->step->id, (cap - p->cap) * sizeof *p->pages);
        p->n_counted += (cap - p->cap) * sizeof *p->pages;
        p->cap = cap;
    }
    size_t before = p->out.len;
    spill_page_pack(p->file, p->page.ptr, p->page.len, &p->out);
    p->n_out += p->out.len - before;
    buf_clear(&p->page);
    p->pages[p->n++] = (Page){p->last, p->n_out};
    return p->out.len >= WINDOW_BYTES ? out_flush(p, err) : OK;
}

Status pages_add(Pages *p, uint64_t key, const char *bytes, size_t n, Error *err)
{
    Buf *b = &p->page;
    buf_reserve(b, n + 2 * VARINT_MAX);
    char *to = varint_put(b->ptr + b->len, b->len ? key - p->last : key);
    to = varint_put(to, n);
    memcpy(to, bytes, n);
    b->len = (size_t)(to - b->ptr) + n;
    p->last = key;
    return b->len >= p->page_bytes ? page_end(p, err) : OK;
}

Status pages_end(Pages *p, Error *err)
{
    Status st = p->page.len ? page_end(p, err) : OK;
    if (st == OK)
        st = out_flush(p, err);
    buf_deinit(&p->page);
    buf_deinit(&p->out);
    return st;
}

/* ---- finding ---- */

static uint64_t page_begin(const Pages *p, uint32_t i)
{
    return i ? p->pages[i - 1].end : 0;
}

/* The first page from `from` on that has the key or a larger one. */
static uint32_t page_find(const Pages *p, uint32_t from, uint64_t key)
{
    uint32_t step = 1, lo = from, hi = from;
    while (hi < p->n && p->pages[hi].last < key) {
        lo = hi + 1;
        hi = p->n - hi > step ? hi + step : p->n;
        step *= 2;
    }
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (p->pages[mid].last < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Pages that can have a record of these keys, ascending; returns how many. */
static uint32_t pages_want(const Pages *p, const uint64_t *keys, uint32_t n, uint32_t **out)
{
    uint32_t n_want = 0, cap = n + 1, *want = xmalloc(cap * sizeof *want), page = 0;
    for (uint32_t i = 0; i < n; i++) {
        page = page_find(p, page, keys[i]);
        if (page == p->n)
            break;
        for (uint32_t k = page; k < p->n; k++) {
            if (n_want == 0 || want[n_want - 1] < k) {
                if (n_want == cap)
                    want = xrealloc(want, (cap *= 2) * sizeof *want);
                want[n_want++] = k;
            }
            if (p->pages[k].last != keys[i])
                break; /* else they may go on in the next */
        }
    }
    *out = want;
    return n_want;
}

static void found_add(Found *f, const char *record, size_t n)
{
    if (f->n == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 1024;
        f->at = xrealloc(f->at, f->cap * sizeof *f->at);
    }
    if (!f->heap)
        f->heap = heap_new(FOUND_BYTES);
    f->at[f->n++] = memcpy(heap_alloc(f->heap, n), record, n);
}

void found_free(Found *f)
{
    heap_unref(f->heap);
    free(f->at);
    *f = (Found){0};
}

/* The records of a page; *at: the first key that is not before it. */
static void page_look(const char *p, size_t n_bytes, const uint64_t *keys, uint32_t n, uint32_t *at, Found *found)
{
    const char *end = p + n_bytes;
    uint64_t key = 0;
    uint32_t k = *at;
    while (p < end && k < n) {
        key += varint_get(&p);
        size_t n_record = (size_t)varint_get(&p);
        while (k < n && keys[k] < key)
            k++;
        if (k < n && keys[k] == key)
            found_add(found, p, n_record);
        p += n_record;
    }
    *at = k;
}

/* What a search needs while it goes. */
typedef struct Search {
    const Pages *pages;
    SpillUnpacker *unpacker;
    Buf window, room;
    const uint64_t *keys; /* [n] */
    uint32_t n, at;
} Search;

/* Pages want[0] to want[n - 1], which are read together. */
static Status window_look(Search *s, const uint32_t *want, uint32_t n, Found *found, Error *err)
{
    const Pages *p = s->pages;
    uint64_t begin = page_begin(p, want[0]);
    size_t n_bytes = (size_t)(p->pages[want[n - 1]].end - begin);
    buf_clear(&s->window);
    buf_reserve(&s->window, n_bytes);
    Status st = spill_get_plain(p->file, begin, n_bytes, s->window.ptr, err);
    for (uint32_t i = 0; i < n && st == OK; i++) {
        const char *page = s->window.ptr + (page_begin(p, want[i]) - begin);
        size_t n_page = (size_t)(p->pages[want[i]].end - page_begin(p, want[i]));
        st = spill_page_unpack(p->file, s->unpacker, &page, &n_page, &s->room, err);
        if (st == OK)
            page_look(page, n_page, s->keys, s->n, &s->at, found);
    }
    return st;
}

Status pages_find(const Pages *p, const uint64_t *keys, uint32_t n, Found *found, Error *err)
{
    uint32_t *want, n_want = pages_want(p, keys, n, &want);
    Search s = {.pages = p, .unpacker = spill_unpacker_take(p->file), .keys = keys, .n = n};
    Status st = OK;
    for (uint32_t i = 0, end; i < n_want && st == OK; i = end) {
        uint64_t begin = page_begin(p, want[i]);
        for (end = i + 1; end < n_want; end++)
            if (page_begin(p, want[end]) - p->pages[want[end - 1]].end > GAP_BYTES ||
                p->pages[want[end]].end - begin > WINDOW_BYTES)
                break;
        st = window_look(&s, want + i, end - i, found, err);
    }
    spill_unpacker_give(p->file, s.unpacker);
    buf_deinit(&s.window);
    buf_deinit(&s.room);
    free(want);
    return st;
}
