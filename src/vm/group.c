#include "vm/group.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/big.h"
#include "data/codes.h"
#include "data/reach.h"
#include "vm/sort.h"

/* The last byte of a packed key. Strings that are whole have their length there, 0 to 15. */
#define TAG_NUMBER 0x10
#define TAG_NULL 0x20

#define PACKED 256u /* keys packed at a time */
#define PROBED 16u  /* keys whose cells are fetched before the first is looked at */
#define FEW_ROWS 1024u /* they do not tell how many groups there will be */
#define FAR_CELLS 16384u /* a table of as many is not in the nearest cache */

static inline uint64_t mix(uint64_t h)
{
    h *= 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

/* Both halves of a product depend on all bits of both factors. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 p = (unsigned __int128)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t hash_key(const GroupKey *k)
{
    return fold(k->words[0] ^ 0xa0761d6478bd642fu, k->words[1] ^ 0xe7037ed1a0b428dbu);
}

static inline bool keys_same(const GroupKey *a, const GroupKey *b)
{
    return ((a->words[0] ^ b->words[0]) | (a->words[1] ^ b->words[1])) == 0;
}

uint64_t group_key_hash(const GroupKey *key)
{
    return hash_key(key);
}

uint32_t group_key_part(const GroupKey *key, uint32_t n_parts, uint32_t level)
{
    /* Not the bits that choose the cell of a table. */
    return (uint32_t)(hash_key(key) >> (48 + 5 * level)) & (n_parts - 1);
}

/* ---- values ---- */

uint64_t group_hash_value(const Column *c, uint32_t row)
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

bool group_values_equal(const Column *a, uint32_t i, const Column *b, uint32_t j)
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

/* ---- packing ---- */

static inline GroupKey number_key(uint64_t v)
{
    GroupKey k = {.words = {v, 0}};
    k.bytes[15] = TAG_NUMBER;
    return k;
}

static inline GroupKey string_key(StrView s, Reach reach)
{
    GroupKey k = {.words = {0, 0}};
    if (s.len > REACH_PACKED) {
        XXH128_hash_t h = XXH3_128bits(s.ptr, s.len);
        k = (GroupKey){.words = {h.low64, h.high64}};
        k.bytes[15] = GROUP_KEY_HASHED;
        return k;
    }
    if (reach_has(reach, s.ptr)) {
        Bytes16 packed = reach_pack(s.ptr, s.len);
        memcpy(&k, &packed, sizeof k);
        return k;
    }
    memcpy(k.bytes, s.ptr, s.len);
    k.bytes[15] = (uint8_t)s.len;
    return k;
}

static void pack_column(const Column *c, uint32_t from, uint32_t n, GroupKey *out)
{
    if (c->type == TYPE_STRING) {
        Reach reach = reach_of_column(c);
        const StrView *s = column_strs(c) + from;
        for (uint32_t i = 0; i < n; i++)
            out[i] = string_key(s[i], reach);
    } else if (c->type == TYPE_FLOAT) {
        for (uint32_t i = 0; i < n; i++)
            out[i] = number_key(sort_float_bits(column_floats(c)[from + i]));
    } else if (c->type == TYPE_BOOL) {
        for (uint32_t i = 0; i < n; i++)
            out[i] = number_key(column_bools(c)[from + i] & 1);
    } else if (c->type != TYPE_NULL) {
        for (uint32_t i = 0; i < n; i++)
            out[i] = number_key((uint64_t)column_ints(c)[from + i]);
    }
    if (c->type != TYPE_NULL && !c->valid)
        return;
    for (uint32_t i = 0; i < n; i++)
        if (c->type == TYPE_NULL || !bit_get(c->valid, from + i)) {
            out[i] = (GroupKey){.words = {0, 0}};
            out[i].bytes[15] = TAG_NULL;
        }
}

void group_keys(Column *const *keys, uint32_t n_keys, uint32_t from, uint32_t n, GroupKey *out)
{
    pack_column(keys[0], from, n, out);
    for (uint32_t k = 1; k < n_keys; k++)
        for (uint32_t at = 0; at < n; at += PACKED) {
            GroupKey more[PACKED];
            uint32_t m = n - at < PACKED ? n - at : PACKED;
            pack_column(keys[k], from + at, m, more);
            for (uint32_t i = 0; i < m; i++) {
                GroupKey *o = &out[at + i];
                uint64_t a = hash_key(o), b = hash_key(&more[i]);
                o->words[0] = fold(a ^ 0x8ebc6af09c88c6e3u, b ^ 0x589965cc75374cc3u);
                o->words[1] = mix(a) + b;
                o->bytes[15] = GROUP_KEY_HASHED;
            }
        }
}

/* ---- the table ---- */

void group_table_free(GroupTable *t)
{
    free(t->cells);
    free(t->keys);
    *t = (GroupTable){0};
}

void group_table_forget_cells(GroupTable *t)
{
    free(t->cells);
    t->cells = NULL;
    if (t->cap > t->n) {
        t->cap = t->n;
        t->keys = xrealloc(t->keys, t->cap * sizeof *t->keys);
    }
}

size_t group_table_bytes(const GroupTable *t)
{
    return (t->cells ? (t->mask + 1ull) * sizeof *t->cells : 0) + t->cap * sizeof *t->keys;
}

/* Cells for n groups and as many again, with the groups there are. */
static void cells_make(GroupTable *t, uint64_t n)
{
    uint64_t size = 64;
    while (size < 4 * n)
        size *= 2;
    free(t->cells);
    t->cells = big_zeros(size * sizeof *t->cells);
    t->mask = (uint32_t)(size - 1);
    for (uint32_t g = 0; g < t->n; g++) {
        uint64_t h = hash_key(&t->keys[g]);
        uint32_t at = (uint32_t)h & t->mask;
        while (t->cells[at].group)
            at = (at + 1) & t->mask;
        t->cells[at] = (GroupCell){(uint32_t)(h >> 32), g + 1};
    }
}

/* Room for n groups more, half of the cells staying empty. */
static void table_room(GroupTable *t, uint32_t n)
{
    if (t->n + n > t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cap = t->cap > t->n + n ? t->cap : t->n + n;
        t->cap = t->cap > t->expected ? t->cap : t->expected;
        t->keys = xrealloc(t->keys, t->cap * sizeof *t->keys);
    }
    if (!t->cells || 2ull * (t->n + n) > t->mask + 1ull)
        cells_make(t, t->n + n > t->expected ? t->n + n : t->expected);
}

/* Where the key is, or the empty cell in which it would be. */
static inline uint32_t probe(const GroupTable *t, const GroupKey *key, uint64_t hash, uint32_t row,
                             GroupSame same, const void *ctx)
{
    uint32_t at = (uint32_t)hash & t->mask, high = (uint32_t)(hash >> 32);
    for (; t->cells[at].group; at = (at + 1) & t->mask) {
        uint32_t g = t->cells[at].group - 1;
        if (t->cells[at].hash == high && keys_same(&t->keys[g], key) &&
            (key->bytes[15] != GROUP_KEY_HASHED || same(ctx, g, row)))
            break;
    }
    return at;
}

/* Hashes of a few keys; the cells and keys of a large table are asked of memory before they are wanted. */
static inline void look_ahead(const GroupTable *t, const GroupKey *keys, uint32_t n, uint64_t *hashes)
{
    for (uint32_t i = 0; i < n; i++)
        hashes[i] = hash_key(&keys[i]);
    if (t->mask < FAR_CELLS)
        return;
    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(&t->cells[(uint32_t)hashes[i] & t->mask]);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t g = t->cells[(uint32_t)hashes[i] & t->mask].group;
        __builtin_prefetch(&t->keys[g ? g - 1 : 0]);
    }
}

void group_table_add(GroupTable *t, const GroupKey *keys, uint32_t n, uint32_t row0, GroupSame same,
                     const void *ctx, uint32_t *ids, uint32_t *first, uint32_t n_before)
{
    uint64_t hashes[PROBED];
    for (uint32_t at = 0; at < n; at += PROBED) {
        uint32_t m = n - at < PROBED ? n - at : PROBED;
        table_room(t, m);
        look_ahead(t, keys + at, m, hashes);
        for (uint32_t i = at; i < at + m; i++) {
            uint64_t h = hashes[i - at];
            GroupCell *cell = &t->cells[probe(t, &keys[i], h, row0 + i, same, ctx)];
            if (!cell->group) {
                first[t->n - n_before] = row0 + i;
                t->keys[t->n++] = keys[i];
                *cell = (GroupCell){(uint32_t)(h >> 32), t->n};
            }
            if (ids)
                ids[i] = cell->group - 1;
        }
    }
}

void group_table_find(const GroupTable *t, const GroupKey *keys, uint32_t n, uint32_t row0,
                      GroupSame same, const void *ctx, uint32_t *ids)
{
    uint64_t hashes[PROBED];
    for (uint32_t at = 0; at < n; at += PROBED) {
        uint32_t m = n - at < PROBED ? n - at : PROBED;
        look_ahead(t, keys + at, m, hashes);
        for (uint32_t i = at; i < at + m; i++) /* GROUP_NONE is an empty cell's number less 1 */
            ids[i] = t->cells[probe(t, &keys[i], hashes[i - at], row0 + i, same, ctx)].group - 1;
    }
}

/* ---- rows ---- */

typedef struct Rows {
    Column *const *keys;
    uint32_t n_keys;
    const uint32_t *first;
} Rows;

static bool rows_same(const void *ctx, uint32_t group, uint32_t row)
{
    const Rows *r = ctx;
    for (uint32_t k = 0; k < r->n_keys; k++)
        if (!group_values_equal(r->keys[k], row, r->keys[k], r->first[group]))
            return false;
    return true;
}

/* ---- rows by codes */

#define CODED_LEN 32u /* of longer ones a hash is as fast */
#define MAX_COMBINED 65536u /* combinations of codes */

typedef struct KeyCodes {
    const Column *col;
    const Codes *codes; /* NULL: of bools */
    uint32_t n;         /* codes, with one for null */
} KeyCodes;

/* False: a key has none. */
static bool codes_of_key(Column *key, KeyCodes *out)
{
    *out = (KeyCodes){key, NULL, 3};
    if (key->type == TYPE_BOOL)
        return true;
    out->codes = codes_of(key, CODED_LEN);
    if (out->codes)
        out->n = out->codes->n_values + 1;
    return out->codes != NULL;
}

bool group_has_codes(Column *const *keys, uint32_t n_keys)
{
    uint64_t n = 1;
    for (uint32_t k = 0; k < n_keys; k++)
        if (keys[k]->type != TYPE_STRING && keys[k]->type != TYPE_BOOL && !codes_had(keys[k]))
            return false;
    for (uint32_t k = 0; k < n_keys && n <= MAX_COMBINED; k++) {
        KeyCodes key;
        if (!codes_of_key(keys[k], &key))
            return false;
        n *= key.n;
    }
    return n <= MAX_COMBINED;
}

/* combined[n] of rows [from, from + n): in 0 and above for each combination of codes; before it is that of other keys. */
static void combine(const KeyCodes *key, uint32_t from, uint32_t n, uint32_t *combined)
{
    const Column *c = key->col;
    if (key->codes) {
        const uint16_t *rows = key->codes->rows + from;
        for (uint32_t i = 0; i < n; i++)
            combined[i] = combined[i] * key->n + rows[i];
    } else {
        const uint8_t *b = column_bools(c) + from;
        for (uint32_t i = 0; i < n; i++)
            combined[i] = combined[i] * key->n + (b[i] & 1);
    }
    for (uint32_t i = 0; c->valid && i < n; i++)
        if (!bit_get(c->valid, from + i))
            combined[i] += key->n - 1 - combined[i] % key->n;
}

/* As group_rows_in, of keys that have codes: only the first row of each combination is looked up. */
static void group_by_codes(GroupTable *t, Column *const *keys, uint32_t n_keys, uint32_t n_rows, uint32_t *ids,
                           uint32_t *first)
{
    const Rows rows = {keys, n_keys, first};
    KeyCodes *coded = xmalloc(n_keys * sizeof *coded);
    uint32_t n = 1, combined[PACKED];
    for (uint32_t k = 0; k < n_keys; k++) {
        codes_of_key(keys[k], &coded[k]);
        n *= coded[k].n;
    }
    uint32_t *groups = xmalloc(n * sizeof *groups);
    memset(groups, 0xff, n * sizeof *groups); /* GROUP_NONE */
    for (uint32_t at = 0; at < n_rows; at += PACKED) {
        uint32_t m = n_rows - at < PACKED ? n_rows - at : PACKED;
        memset(combined, 0, sizeof combined);
        for (uint32_t k = 0; k < n_keys; k++)
            combine(&coded[k], at, m, combined);
        for (uint32_t i = 0; i < m; i++) {
            uint32_t *group = &groups[combined[i]];
            if (*group == GROUP_NONE) {
                GroupKey packed;
                group_keys(keys, n_keys, at + i, 1, &packed);
                group_table_add(t, &packed, 1, at + i, rows_same, &rows, group, first, 0);
            }
            if (ids)
                ids[at + i] = *group;
        }
    }
    free(groups);
    free(coded);
}

void group_rows_in(GroupTable *t, Column *const *keys, uint32_t n_keys, uint32_t n_rows,
                   uint32_t *ids, uint32_t *first)
{
    const Rows rows = {keys, n_keys, first};
    GroupKey packed[PACKED];
    if (group_has_codes(keys, n_keys)) {
        group_by_codes(t, keys, n_keys, n_rows, ids, first);
        return;
    }
    for (uint32_t at = 0; at < n_rows; at += PACKED) {
        uint32_t m = n_rows - at < PACKED ? n_rows - at : PACKED;
        /* Where most rows were new so far, as many of the others may be: the table grows once. */
        t->expected = at >= FEW_ROWS && t->n > at / 2 ? n_rows / 2 : 0;
        group_keys(keys, n_keys, at, m, packed);
        group_table_add(t, packed, m, at, rows_same, &rows, ids ? ids + at : NULL, first, 0);
    }
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
    GroupTable t = {0};
    group_rows_in(&t, keys, n_keys, n_rows, ids, first);
    uint32_t n = t.n;
    group_table_free(&t);
    return n;
}
