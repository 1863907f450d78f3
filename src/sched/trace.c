#define _DEFAULT_SOURCE /* madvise */
#include "sched/trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/str.h"

enum {
    CHUNK_EVENTS = 4096,
    SMALL_CHUNKS = 4, /* of CHUNK_EVENTS; later ones fill a huge page */
    HUGE_BYTES = 2 << 20,
};

typedef struct Chunk {
    struct Chunk *next;
    uint64_t n_events; /* that fit */
    uint64_t unused[2];
    TraceEvent events[];
} Chunk;

static Chunk *chunk_new(void)
{
    Chunk *c = xmalloc(sizeof *c + CHUNK_EVENTS * sizeof c->events[0]);
    *c = (Chunk){.n_events = CHUNK_EVENTS};
    return c;
}

/* A long trace would spend as much on new pages of the usual size as on its events. */
static Chunk *chunk_new_huge(void)
{
    void *at;
    if (posix_memalign(&at, HUGE_BYTES, HUGE_BYTES) != 0)
        return chunk_new();
#ifdef MADV_HUGEPAGE
    madvise(at, HUGE_BYTES, MADV_HUGEPAGE);
#endif
    Chunk *c = at;
    *c = (Chunk){.n_events = (HUGE_BYTES - sizeof *c) / sizeof c->events[0]};
    return c;
}

/* One worker's. Padded, so that workers do not share a cache line. */
typedef struct Buffer {
    TraceBuffer next;    /* first: trace_more gets it */
    Chunk *first, *last; /* behind `last` may be some that trace_forget left empty */
    uint32_t n_full;     /* chunks filled before `last` */
    uint64_t n_before;   /* events in them */
    FrameLabel *labels;  /* [n_labels], their bytes owned */
    size_t n_labels, cap_labels;
    char pad[64];
} Buffer;

struct Trace {
    uint32_t n_workers;
    Buffer *buffers; /* [n_workers] */
};

static void chunk_begin(Buffer *b)
{
    b->next.at = b->last->events;
    b->next.end = b->next.at + b->last->n_events;
    b->next.begin = b->last == b->first ? b->next.at : NULL;
}

Trace *trace_new(uint32_t n_workers)
{
    Trace *t = xcalloc(1, sizeof *t);
    t->n_workers = n_workers;
    t->buffers = xcalloc(n_workers, sizeof *t->buffers);
    for (uint32_t w = 0; w < n_workers; w++) {
        Buffer *b = &t->buffers[w];
        b->first = b->last = chunk_new();
        chunk_begin(b);
    }
    return t;
}

void trace_free(Trace *t)
{
    if (!t)
        return;
    for (uint32_t w = 0; w < t->n_workers; w++) {
        for (Chunk *c = t->buffers[w].first, *next; c; c = next) {
            next = c->next;
            free(c);
        }
        for (size_t k = 0; k < t->buffers[w].n_labels; k++)
            free((char *)(uintptr_t)t->buffers[w].labels[k].label.ptr);
        free(t->buffers[w].labels);
    }
    free(t->buffers);
    free(t);
}

TraceBuffer *trace_buffer(Trace *t, uint32_t worker) { return &t->buffers[worker].next; }

void trace_more(TraceBuffer *next)
{
    Buffer *b = (Buffer *)(void *)next;
    b->n_full++;
    b->n_before += b->last->n_events;
    if (!b->last->next)
        b->last->next = b->n_full < SMALL_CHUNKS ? chunk_new() : chunk_new_huge();
    b->last = b->last->next;
    chunk_begin(b);
}

void trace_begin(TraceBuffer *next)
{
    Buffer *b = (Buffer *)(void *)next;
    b->last = b->first;
    b->n_full = 0;
    b->n_before = 0;
    chunk_begin(b);
}

void trace_label(Trace *t, uint32_t worker, uint32_t frame, Str label)
{
    Buffer *b = &t->buffers[worker];
    if (b->n_labels == b->cap_labels) {
        b->cap_labels = b->cap_labels ? 2 * b->cap_labels : 16;
        b->labels = xrealloc(b->labels, b->cap_labels * sizeof *b->labels);
    }
    Str own = {xstrndup(label.ptr ? label.ptr : "", label.len), label.len};
    b->labels[b->n_labels++] = (FrameLabel){.frame = frame, .label = own};
}

FrameLabel *trace_labels(const Trace *t, size_t *n)
{
    size_t total = 0;
    for (uint32_t w = 0; w < t->n_workers; w++)
        total += t->buffers[w].n_labels;
    *n = total;
    if (total == 0)
        return NULL;
    FrameLabel *all = xcalloc(total, sizeof *all), *to = all;
    for (uint32_t w = 0; w < t->n_workers; w++)
        for (size_t k = 0; k < t->buffers[w].n_labels; k++)
            *to++ = t->buffers[w].labels[k];
    return all;
}

static size_t buffer_count(const Buffer *b)
{
    return (size_t)b->n_before + (size_t)(b->next.at - b->last->events);
}

static TraceEvent *buffer_copy(const Buffer *b, TraceEvent *to)
{
    size_t n = buffer_count(b);
    for (const Chunk *c = b->first; n > 0; c = c->next) {
        size_t part = n < c->n_events ? n : (size_t)c->n_events;
        memcpy(to, c->events, part * sizeof *to);
        to += part;
        n -= part;
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
        total += buffer_count(&t->buffers[w]);
    *n = total;
    if (total == 0)
        return NULL;
    TraceEvent *all = xcalloc(total, sizeof *all), *other = xcalloc(total, sizeof *all);
    size_t *ends = xcalloc(t->n_workers + 1, sizeof *ends);
    TraceEvent *to = all;
    for (uint32_t w = 0; w < t->n_workers; w++) {
        to = buffer_copy(&t->buffers[w], to);
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
