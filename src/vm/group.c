#include "vm/group.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "vm/sort.h"

static inline uint64_t mix(uint64_t h)
{
    h *= 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

static inline uint64_t hash_value(const Column *c, uint32_t row)
{
    if (c->type == TYPE_NULL || !column_is_valid(c, row))
        return 0x6e756c6cu;
    if (c->type == TYPE_STRING) {
        StrView s = column_strs(c)[row];
        return XXH3_64bits(s.ptr, s.len);
    }
    if (c->type == TYPE_FLOAT)
        return mix(sort_float_bits(column_floats(c)[row]));
    if (c->type == TYPE_BOOL)
        return mix(column_bools(c)[row] & 1);
    return mix((uint64_t)column_ints(c)[row]);
}

uint64_t group_hash_value(const Column *c, uint32_t row)
{
    return hash_value(c, row);
}

static inline bool values_equal(const Column *a, uint32_t i, const Column *b, uint32_t j)
{
    bool x = a->type != TYPE_NULL && column_is_valid(a, i);
    bool y = b->type != TYPE_NULL && column_is_valid(b, j);
    if (!x || !y)
        return x == y;
    if (a->type == TYPE_STRING) {
        StrView s = column_strs(a)[i], t = column_strs(b)[j];
        return s.len == t.len && memcmp(s.ptr, t.ptr, s.len) == 0;
    }
    return sort_compare_values(a, i, b, j) == 0;
}

bool group_values_equal(const Column *a, uint32_t row_a, const Column *b, uint32_t row_b)
{
    return values_equal(a, row_a, b, row_b);
}

void group_table_grow(GroupTable *t, const uint64_t *hashes, const uint32_t *first,
                      uint32_t n_groups)
{
    uint32_t size = t->cells ? (t->mask + 1) * 2 : 64;
    free(t->cells);
    t->cells = xcalloc(size, sizeof *t->cells);
    t->mask = size - 1;
    for (uint32_t g = 0; g < n_groups; g++) {
        uint64_t h = hashes[first ? first[g] : g];
        uint32_t at = (uint32_t)h & t->mask;
        while (t->cells[at].group)
            at = (at + 1) & t->mask;
        t->cells[at] = (GroupCell){(uint32_t)(h >> 32), g + 1};
    }
}

void group_hashes(Column *const *keys, uint32_t n_keys, uint32_t n_rows, uint64_t *hashes)
{
    for (uint32_t i = 0; i < n_rows; i++)
        hashes[i] = hash_value(keys[0], i);
    for (uint32_t k = 1; k < n_keys; k++)
        for (uint32_t i = 0; i < n_rows; i++)
            hashes[i] = mix(hashes[i]) + hash_value(keys[k], i);
    /* Probing takes the low bits: make them depend on all of the hash. */
    for (uint32_t i = 0; i < n_rows; i++)
        hashes[i] = mix(hashes[i] ^ hashes[i] >> 29);
}

uint32_t group_rows(Column *const *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *ids,
                    uint32_t *first)
{
    if (n_keys == 0) {
        if (ids)
            memset(ids, 0, n_rows * sizeof *ids);
        if (n_rows)
            first[0] = 0;
        return 1;
    }
    uint64_t *hashes = xmalloc((n_rows + 1ull) * sizeof *hashes);
    group_hashes(keys, n_keys, n_rows, hashes);
    GroupTable t = {0};
    uint32_t n_groups = 0;
    group_table_grow(&t, hashes, first, 0);
    for (uint32_t i = 0; i < n_rows; i++) {
        uint64_t h = hashes[i];
        uint32_t at = (uint32_t)h & t.mask, high = (uint32_t)(h >> 32);
        for (; t.cells[at].group; at = (at + 1) & t.mask) {
            if (t.cells[at].hash != high)
                continue;
            uint32_t row = first[t.cells[at].group - 1], k = 0;
            while (k < n_keys && values_equal(keys[k], i, keys[k], row))
                k++;
            if (k == n_keys)
                break;
        }
        if (!t.cells[at].group) {
            first[n_groups++] = i;
            t.cells[at] = (GroupCell){high, n_groups};
            if (n_groups > t.mask / 2)
                group_table_grow(&t, hashes, first, n_groups);
            if (ids)
                ids[i] = n_groups - 1;
        } else if (ids) {
            ids[i] = t.cells[at].group - 1;
        }
    }
    free(t.cells);
    free(hashes);
    return n_groups;
}
