/* arena.h - memory that is freed all at once.
 *
 * Tokens, trees, types and plans live in an arena of their stage. One thread owns an
 * arena. Memory is zeroed. Out of memory prints and aborts.
 */
#ifndef PIPE_BASE_ARENA_H
#define PIPE_BASE_ARENA_H

#include <stddef.h>

#include "base/str.h"

typedef struct Arena Arena;

Arena *arena_open(void);
void arena_close(Arena *a); /* NULL is fine */

void *arena_alloc(Arena *a, size_t n); /* zeroed, aligned for any type */
/* n * size, overflow-checked. */
void *arena_alloc_array(Arena *a, size_t n, size_t size);
Str arena_str(Arena *a, Str s);                  /* a copy, NUL-terminated */
Str arena_printf(Arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Grows an array of `n` elements (capacity kept in *cap) so that one more fits. */
void *arena_grow(Arena *a, void *array, size_t n, size_t *cap, size_t size);

#define arena_new(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc_array((a), (n), sizeof(T)))

#endif
