/* heap.h - counted bytes that string views point into: a block of the input,
 * unescaped text, the strings of a computed column.
 *
 * One thread fills a heap; what is published of it is read-only and any thread may read
 * it, take references and let go. A reader's block may still be filled behind that: n_settled. A heap from a HeapPool goes back to it with its
 * last reference, so that the blocks of a long input are the same few pages.
 */
#ifndef PIPE_DATA_HEAP_H
#define PIPE_DATA_HEAP_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HeapPool HeapPool;

typedef struct Heap {
    _Atomic uint32_t refs;
    size_t cap, used;
    /* Bytes from the start that nobody will write to any more: released when they are there. */
    _Atomic size_t n_settled;
    struct Heap *next; /* chained chunks of one growing heap; owned by this one */
    HeapPool *pool;    /* where it goes back to; NULL: freed */
    const void *filler; /* of a pool: the thread that got it last */
    char bytes[];
} Heap;

/* All of it is settled. */
Heap *heap_new(size_t cap);
/* For whoever goes on filling it. */
static inline void heap_settle(Heap *h, size_t n)
{
    atomic_store_explicit(&h->n_settled, n, memory_order_release);
}
static inline size_t heap_settled(const Heap *h)
{
    return atomic_load_explicit(&h->n_settled, memory_order_acquire);
}
/* The heap with room for cap bytes, which may be elsewhere then; NULL: it stays as it is, since others have it, too, or it has chunks
 * or is of a pool. Of a large one nothing is copied. */
Heap *heap_grow(Heap *h, size_t cap);
Heap *heap_ref(Heap *h);
void heap_unref(Heap *h); /* NULL is fine */
/* n bytes from the heap (grows by chaining chunks; earlier pointers stay valid). */
char *heap_alloc(Heap *h, size_t n);
size_t heap_bytes(const Heap *h); /* with its chained chunks */

/* Heaps of exactly `cap` bytes each; at most max_idle of them are kept unused. A thread gets the one again that it got before, as far as
 * there are less than max_idle: to fill one that is in the cache of another processor takes two to three times as long.
 * Counted: the pool lives until its owner and its last heap have let go. */
HeapPool *heap_pool_new(size_t cap, uint32_t max_idle);
void heap_pool_set_idle(HeapPool *p, uint32_t max_idle); /* from now on */
void heap_pool_unref(HeapPool *p); /* NULL is fine */
Heap *heap_pool_get(HeapPool *p);  /* used = 0 */

#endif
