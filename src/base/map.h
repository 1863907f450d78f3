/* map.h - a small hash map from strings to pointers, kept in the order of insertion.
 *
 * Memory comes from an arena and is let go with it; keys are borrowed and must live as
 * long. One thread uses a map. Iterate over entries[0..n):
 *
 *   for (size_t i = 0; i < m.n; i++) use(m.entries[i].key, m.entries[i].value);
 */
#ifndef PIPE_BASE_MAP_H
#define PIPE_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

typedef struct MapEntry {
    Str key;
    void *value;
} MapEntry;

typedef struct Map {
    Arena *arena;
    MapEntry *entries; /* [n], in the order of insertion */
    size_t n, cap;
    uint32_t *slots;   /* [n_slots] index of an entry + 1, 0: free; open addressing */
    uint32_t n_slots;  /* a power of two, 0 at first */
} Map;

void map_init(Map *m, Arena *arena);
/* The value, NULL if the key is not there. */
void *map_get(const Map *m, Str key);
/* Sets the key's value and returns the one it had; NULL if it is new. */
void *map_put(Map *m, Str key, void *value);

#endif
