#include "vm/group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define NO_GROUP UINT32_MAX

/* A float's bits so that equal keys have equal bits. */
static uint64_t float_key(double v)
{
    uint64_t bits;
    if (isnan(v))
        return UINT64_C(0x7ff8000000000000);
    v += 0.0; /* -0.0 becomes 0.0 */
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static uint64_t fixed_key(const Column *c, uint32_t row)
{
    if (c->type == TYPE_FLOAT)
        return float_key(column_floats(c)[row]);
    if (c->type == TYPE_BOOL)
        return column_bools(c)[row];
    return (uint64_t)column_ints(c)[row];
}

/* Mixes one key column into the hashes of all rows. */
static void hash_column(const Column *c, uint32_t n_rows, uint64_t *hashes)
{
    for (uint32_t r = 0; r < n_rows; r++) {
        uint64_t h = hashes[r], v;
        if (!column_is_valid(c, r)) {
            hashes[r] = h * 0x9e3779b97f4a7c15u + 1;
            continue;
        }
        if (c->type == TYPE_STRING) {
            StrView s = column_strs(c)[r];
            hashes[r] = XXH3_64bits_withSeed(s.ptr, s.len, h);
        } else {
            v = fixed_key(c, r);
            hashes[r] = XXH3_64bits_withSeed(&v, sizeof v, h);
        }
    }
}

static bool same_key(const Column *const *keys, uint32_t n_keys, uint32_t a, uint32_t b)
{
    for (uint32_t k = 0; k < n_keys; k++) {
        const Column *c = keys[k];
        bool va = column_is_valid(c, a), vb = column_is_valid(c, b);
        if (va != vb)
            return false;
        if (!va)
            continue;
        if (c->type == TYPE_STRING) {
            StrView x = column_strs(c)[a], y = column_strs(c)[b];
            if (x.len != y.len || (x.len && memcmp(x.ptr, y.ptr, x.len) != 0))
                return false;
        } else if (fixed_key(c, a) != fixed_key(c, b)) {
            return false;
        }
    }
    return true;
}

uint32_t group_rows(const Column *const *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *ids,
                    uint32_t *firsts)
{
    if (n_keys == 0) {
        memset(ids, 0, n_rows * sizeof *ids);
        if (n_rows)
            firsts[0] = 0;
        return 1;
    }
    uint64_t *hashes = xcalloc(n_rows, sizeof *hashes);
    for (uint32_t k = 0; k < n_keys; k++)
        hash_column(keys[k], n_rows, hashes);
    /* Grows with the number of groups, not of rows: few groups stay in the cache. */
#ifdef PIPEMILL_STRESS
    uint32_t n_slots = 2;
#else
    uint32_t n_slots = 1024;
#endif
    uint32_t n_groups = 0;
    uint32_t *slots = xmalloc(n_slots * sizeof *slots);
    memset(slots, 0xff, n_slots * sizeof *slots);
    for (uint32_t r = 0; r < n_rows; r++) {
        uint32_t i = (uint32_t)hashes[r] & (n_slots - 1), g;
        while ((g = slots[i]) != NO_GROUP &&
               !(hashes[firsts[g]] == hashes[r] && same_key(keys, n_keys, firsts[g], r)))
            i = (i + 1) & (n_slots - 1);
        if (g == NO_GROUP) {
            g = n_groups++;
            firsts[g] = r;
            slots[i] = g;
            if (n_groups >= n_slots / 2 && n_slots < (UINT32_C(1) << 31)) {
                n_slots *= 2;
                slots = xrealloc(slots, n_slots * sizeof *slots);
                memset(slots, 0xff, n_slots * sizeof *slots);
                for (uint32_t k = 0; k < n_groups; k++) {
                    uint32_t at = (uint32_t)hashes[firsts[k]] & (n_slots - 1);
                    while (slots[at] != NO_GROUP)
                        at = (at + 1) & (n_slots - 1);
                    slots[at] = k;
                }
            }
        }
        ids[r] = g;
    }
    free(slots);
    free(hashes);
    return n_groups;
}
