#include "data/heap.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/str.h"

struct HeapPool {
    pthread_mutex_t mu;
    uint32_t refs;    /* the owner and the heaps in use; guarded by mu */
    uint32_t n_idle;  /* guarded by mu */
    uint32_t max_idle;
    size_t cap;
    Heap *idle; /* chained by next; guarded by mu */
};

Heap *heap_new(size_t cap)
{
    Heap *h = xmalloc(sizeof *h + cap);
    atomic_init(&h->refs, 1);
    atomic_init(&h->n_settled, cap);
    h->cap = cap;
    h->used = 0;
    h->next = NULL;
    h->pool = NULL;
    h->filler = NULL;
    return h;
}

Heap *heap_grow(Heap *h, size_t cap)
{
    /* Acquire: of those who have let go of it nobody reads it any more. */
    if (h->next || h->pool || atomic_load_explicit(&h->refs, memory_order_acquire) != 1)
        return NULL;
    h = xrealloc(h, sizeof *h + cap);
    h->cap = cap;
    return h;
}

Heap *heap_ref(Heap *h)
{
    /* Relaxed: whoever makes a new reference already holds one. */
    atomic_fetch_add_explicit(&h->refs, 1, memory_order_relaxed);
    return h;
}

static void chunks_free(Heap *h)
{
    while (h) {
        Heap *next = h->next;
        free(h);
        h = next;
    }
}

/* Takes h back, or says that it is to be freed by returning it. */
static Heap *pool_put(HeapPool *p, Heap *h)
{
    pthread_mutex_lock(&p->mu);
    if (p->n_idle < p->max_idle) {
        h->next = p->idle;
        p->idle = h;
        p->n_idle++;
        h = NULL;
    }
    pthread_mutex_unlock(&p->mu);
    return h;
}

void heap_unref(Heap *h)
{
    /* Release: what this holder read or wrote is done before another frees it; acquire: that other sees it. */
    if (!h || atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) != 1)
        return;
    HeapPool *pool = h->pool;
    if (!pool) {
        chunks_free(h);
        return;
    }
    chunks_free(h->next);
    h->next = NULL;
    free(pool_put(pool, h));
    heap_pool_unref(pool);
}

char *heap_alloc(Heap *h, size_t n)
{
    Heap *chunk = h;
    if (h->next && h->cap - h->used < n)
        chunk = h->next; /* the newest */
    if (chunk->cap - chunk->used < n) {
        size_t cap = 2 * chunk->cap > n ? 2 * chunk->cap : n;
        chunk = heap_new(cap);
        chunk->next = h->next;
        h->next = chunk;
    }
    char *p = chunk->bytes + chunk->used;
    chunk->used += n;
    return p;
}

size_t heap_bytes(const Heap *h)
{
    size_t n = 0;
    for (; h; h = h->next)
        n += sizeof *h + h->cap;
    return n;
}

HeapPool *heap_pool_new(size_t cap, uint32_t max_idle)
{
    HeapPool *p = xcalloc(1, sizeof *p);
    pthread_mutex_init(&p->mu, NULL);
    p->refs = 1;
    p->max_idle = max_idle;
    p->cap = cap;
    return p;
}

void heap_pool_set_idle(HeapPool *p, uint32_t max_idle)
{
    pthread_mutex_lock(&p->mu);
    p->max_idle = max_idle;
    pthread_mutex_unlock(&p->mu);
}

void heap_pool_unref(HeapPool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->mu);
    bool last = --p->refs == 0;
    pthread_mutex_unlock(&p->mu);
    if (!last)
        return;
    chunks_free(p->idle);
    pthread_mutex_destroy(&p->mu);
    free(p);
}

/* An unused one that this thread got before; else NULL while there are few, or any. */
static Heap *idle_take(HeapPool *p, const void *thread)
{
    Heap **at = &p->idle;
    while (*at && (*at)->filler != thread)
        at = &(*at)->next;
    if (!*at && p->n_idle + p->refs - 1 >= p->max_idle)
        at = &p->idle;
    Heap *h = *at;
    if (h) {
        *at = h->next;
        p->n_idle--;
    }
    return h;
}

Heap *heap_pool_get(HeapPool *p)
{
    static _Thread_local char thread; /* its address tells */
    pthread_mutex_lock(&p->mu);
    Heap *h = idle_take(p, &thread);
    p->refs++;
    pthread_mutex_unlock(&p->mu);
    if (!h)
        h = heap_new(p->cap);
    atomic_init(&h->refs, 1);
    atomic_init(&h->n_settled, h->cap);
    h->used = 0;
    h->next = NULL;
    h->pool = p;
    h->filler = &thread;
    return h;
}
