#include "base/map.h"

/* The slot that holds the key, or the free one where it belongs. n_slots > 0. */
static uint32_t *map_slot(const Map *m, Str key)
{
    uint32_t mask = m->n_slots - 1;
    uint32_t i = (uint32_t)str_hash(key) & mask;
    while (m->slots[i] && !str_eq(m->entries[m->slots[i] - 1].key, key))
        i = (i + 1) & mask;
    return &m->slots[i];
}

static void map_rehash(Map *m)
{
    m->n_slots = m->n_slots ? 2 * m->n_slots : 8;
    m->slots = arena_array(m->arena, uint32_t, m->n_slots);
    for (size_t i = 0; i < m->n; i++)
        *map_slot(m, m->entries[i].key) = (uint32_t)i + 1;
}

void map_init(Map *m, Arena *arena)
{
    *m = (Map){.arena = arena};
}

void *map_get(const Map *m, Str key)
{
    if (m->n == 0)
        return NULL;
    uint32_t entry = *map_slot(m, key);
    return entry ? m->entries[entry - 1].value : NULL;
}

void *map_put(Map *m, Str key, void *value)
{
    if (2 * (m->n + 1) > m->n_slots)
        map_rehash(m);
    uint32_t *slot = map_slot(m, key);
    if (*slot) {
        void *old = m->entries[*slot - 1].value;
        m->entries[*slot - 1].value = value;
        return old;
    }
    m->entries = arena_grow(m->arena, m->entries, m->n, &m->cap, sizeof *m->entries);
    m->entries[m->n++] = (MapEntry){key, value};
    *slot = (uint32_t)m->n;
    return NULL;
}
