#include "sched/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum {
    CHUNK_EVENTS = 4096,
    LAST_CHUNKS = 4, /* a ring of so many for TRACE_LAST */
};

typedef struct Chunk {
    struct Chunk *next;
    TraceEvent events[CHUNK_EVENTS];
} Chunk;

/* One worker's. Padded, so that workers do not share a cache line. */
typedef struct Buffer {
    Chunk *first, *at; /* TRACE_LAST: first is only where freeing begins */
    uint32_t n;        /* events in `at` */
    uint64_t n_put;
    char pad[64];
} Buffer;

struct Trace {
    TraceMode mode;
    uint32_t n_workers;
    Buffer *buffers; /* [n_workers] */
};

Trace *trace_new(uint32_t n_workers, TraceMode mode)
{
    Trace *t = xcalloc(1, sizeof *t);
    t->mode = mode;
    t->n_workers = n_workers;
    t->buffers = xcalloc(n_workers, sizeof *t->buffers);
    for (uint32_t w = 0; w < n_workers; w++) {
        Buffer *b = &t->buffers[w];
        b->first = b->at = xcalloc(1, sizeof *b->first);
        if (mode == TRACE_KEEP)
            continue;
        for (int k = 1; k < LAST_CHUNKS; k++)
            b->at = b->at->next = xcalloc(1, sizeof *b->at);
        b->at->next = b->first;
        b->at = b->first;
    }
    return t;
}

void trace_free(Trace *t)
{
    if (!t)
        return;
    for (uint32_t w = 0; w < t->n_workers; w++) {
        Chunk *next = NULL, *first = t->buffers[w].first;
        for (Chunk *c = first; c; c = next == first ? NULL : next) {
            next = c->next;
            free(c);
        }
    }
    free(t->buffers);
    free(t);
}

static void chunk_next(Buffer *b)
{
    if (!b->at->next)
        b->at->next = xcalloc(1, sizeof *b->at);
    b->at = b->at->next;
    b->n = 0;
}

TraceEvent *trace_next(Trace *t, uint32_t worker)
{
    Buffer *b = &t->buffers[worker];
    if (b->n == CHUNK_EVENTS)
        chunk_next(b);
    b->n_put++;
    return &b->at->events[b->n++];
}

static size_t buffer_count(const Trace *t, const Buffer *b)
{
    /* In a ring that has gone round, the chunk being written has lost its old events. */
    uint64_t room = (uint64_t)(LAST_CHUNKS - 1) * CHUNK_EVENTS + b->n;
    return t->mode == TRACE_LAST && b->n_put > room ? (size_t)room : (size_t)b->n_put;
}

static TraceEvent *buffer_copy(const Trace *t, const Buffer *b, TraceEvent *to)
{
    size_t n = buffer_count(t, b);
    const Chunk *c = t->mode == TRACE_LAST && n < b->n_put ? b->at->next : b->first;
    while (n > 0) {
        size_t part = n < CHUNK_EVENTS ? n : CHUNK_EVENTS;
        memcpy(to, c->events, part * sizeof *to);
        to += part;
        n -= part;
        c = c->next;
    }
    return to;
}

/* Merges sorted [lo, mid) and [mid, hi) of `from` into `to`; the first wins ties. */
static void merge(const TraceEvent *from, size_t lo, size_t mid, size_t hi, TraceEvent *to)
{
    size_t a = lo, b = mid;
    for (size_t k = lo; k < hi; k++)
        to[k] = a < mid && (b >= hi || from[a].t_ns <= from[b].t_ns) ? from[a++] : from[b++];
}

TraceEvent *trace_sorted(const Trace *t, size_t *n)
{
    size_t total = 0;
    for (uint32_t w = 0; w < t->n_workers; w++)
        total += buffer_count(t, &t->buffers[w]);
    *n = total;
    if (total == 0)
        return NULL;
    TraceEvent *all = xcalloc(total, sizeof *all), *other = xcalloc(total, sizeof *all);
    size_t *ends = xcalloc(t->n_workers + 1, sizeof *ends);
    TraceEvent *to = all;
    for (uint32_t w = 0; w < t->n_workers; w++) {
        to = buffer_copy(t, &t->buffers[w], to);
        ends[w + 1] = (size_t)(to - all);
    }
    for (uint32_t width = 1; width < t->n_workers; width *= 2) {
        for (uint32_t w = 0; w < t->n_workers; w += 2 * width) {
            uint32_t mid = w + width < t->n_workers ? w + width : t->n_workers;
            uint32_t hi = mid + width < t->n_workers ? mid + width : t->n_workers;
            merge(all, ends[w], ends[mid], ends[hi], other);
        }
        TraceEvent *swap = all;
        all = other;
        other = swap;
    }
    free(other);
    free(ends);
    return all;
}
