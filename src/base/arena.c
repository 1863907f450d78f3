#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The stress build makes every allocation cross blocks. */
#ifdef PIPEMILL_STRESS
#define BLOCK_BYTES 64
#else
#define BLOCK_BYTES (64 * 1024)
#endif

typedef struct Block {
    struct Block *next;
    size_t used, cap;
    alignas(max_align_t) char bytes[];
} Block;

struct Arena {
    Block *blocks; /* newest first */
};

Arena *arena_open(void)
{
    return xcalloc(1, sizeof(Arena));
}

void arena_close(Arena *a)
{
    if (!a)
        return;
    for (Block *b = a->blocks; b;) {
        Block *next = b->next;
        free(b);
        b = next;
    }
    free(a);
}

void *arena_alloc(Arena *a, size_t n)
{
    n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    Block *b = a->blocks;
    if (!b || b->cap - b->used < n) {
        size_t cap = n > BLOCK_BYTES ? n : BLOCK_BYTES;
        b = xcalloc(1, sizeof(Block) + cap);
        b->cap = cap;
        b->next = a->blocks;
        a->blocks = b;
    }
    void *p = b->bytes + b->used;
    b->used += n;
    return p;
}

void *arena_alloc_array(Arena *a, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / 2 / size)
        abort();
    return arena_alloc(a, n * size);
}

Str arena_str(Arena *a, Str s)
{
    char *p = arena_alloc(a, (size_t)s.len + 1);
    if (s.len)
        memcpy(p, s.ptr, s.len);
    return (Str){p, s.len};
}

Str arena_printf(Arena *a, const char *fmt, ...)
{
    Buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    Str s = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return s;
}

void *arena_grow(Arena *a, void *array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return array;
    size_t bigger = *cap ? *cap * 2 : 8;
    void *p = arena_alloc_array(a, bigger, size);
    if (n)
        memcpy(p, array, n * size);
    *cap = bigger;
    return p;
}
