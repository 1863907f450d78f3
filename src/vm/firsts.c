#include "vm/firsts.h"

#include <stdlib.h>

#include "vm/group.h"

enum { PACKED = 256 }; /* keys that are packed at a time */

/* Where the keys of a group are. */
typedef struct Place {
    uint32_t batch, row;
} Place;

struct Firsts {
    uint32_t n_keys;
    GroupTable groups;
    Place *places;      /* [groups.n] */
    uint32_t cap_places;
    Column ***batches;  /* [n_batches] the keys of what was new in each; NULL: they are packed whole */
    uint32_t n_batches, cap_batches;
    size_t columns_bytes;
};

Firsts *firsts_open(uint32_t n_keys)
{
    Firsts *f = xcalloc(1, sizeof *f);
    f->n_keys = n_keys;
    return f;
}

void firsts_close(Firsts *f)
{
    if (!f)
        return;
    for (uint32_t i = 0; i < f->n_batches; i++) {
        for (uint32_t k = 0; f->batches[i] && k < f->n_keys; k++)
            column_unref(f->batches[i][k]);
        free(f->batches[i]);
    }
    group_table_free(&f->groups);
    free(f->batches);
    free(f->places);
    free(f);
}

/* A batch that is looked at. */
typedef struct Looked {
    const Firsts *f;
    Column *const *keys;
    uint32_t n_before;     /* groups before it */
    const uint32_t *first; /* rows of the groups since */
} Looked;

static bool is_same(const void *ctx, uint32_t group, uint32_t row)
{
    const Looked *l = ctx;
    const Firsts *f = l->f;
    bool is_new = group >= l->n_before;
    Column *const *keys = is_new ? l->keys : f->batches[f->places[group].batch];
    uint32_t at = is_new ? l->first[group - l->n_before] : f->places[group].row;
    for (uint32_t k = 0; k < f->n_keys; k++)
        if (!group_values_equal(l->keys[k], row, keys[k], at))
            return false;
    return true;
}

/* Keys of rows[n] of a batch, by themselves. */
static Column **keys_own(Firsts *f, Column *const *keys, const uint32_t *rows, uint32_t n)
{
    Column **own = xmalloc(f->n_keys * sizeof *own);
    for (uint32_t k = 0; k < f->n_keys; k++) {
        Column *some = column_gather(keys[k], rows, n);
        own[k] = column_concat(&some, 1, true);
        column_unref(some);
        f->columns_bytes += column_bytes(own[k]);
        for (uint32_t i = 0; i < own[k]->n_heaps; i++)
            f->columns_bytes += heap_bytes(own[k]->heaps[i]);
    }
    return own;
}

static void batch_keep(Firsts *f, Column *const *keys, const uint32_t *rows, uint32_t n, uint32_t n_before)
{
    bool is_whole = true;
    for (uint32_t g = n_before; g < f->groups.n && is_whole; g++)
        is_whole = f->groups.keys[g].bytes[15] != GROUP_KEY_HASHED;
    if (f->n_batches == f->cap_batches) {
        f->cap_batches = f->cap_batches ? 2 * f->cap_batches : 16;
        f->batches = xrealloc(f->batches, f->cap_batches * sizeof *f->batches);
    }
    if (f->groups.n > f->cap_places) {
        f->cap_places = f->groups.n > 2 * f->cap_places ? f->groups.n : 2 * f->cap_places;
        f->places = xrealloc(f->places, f->cap_places * sizeof *f->places);
    }
    for (uint32_t i = 0; i < n; i++)
        f->places[n_before + i] = (Place){f->n_batches, i};
    f->batches[f->n_batches++] = is_whole ? NULL : keys_own(f, keys, rows, n);
}

uint32_t firsts_add(Firsts *f, Column *const *keys, uint32_t n_rows, uint32_t *rows)
{
    GroupKey packed[PACKED];
    const Looked looked = {f, keys, f->groups.n, rows};
    for (uint32_t at = 0; at < n_rows; at += PACKED) {
        uint32_t m = n_rows - at < PACKED ? n_rows - at : PACKED;
        group_keys(keys, f->n_keys, at, m, packed);
        group_table_add(&f->groups, packed, m, at, is_same, &looked, NULL, rows, looked.n_before);
    }
    uint32_t n = f->groups.n - looked.n_before;
    if (n)
        batch_keep(f, keys, rows, n, looked.n_before);
    return n;
}

uint32_t firsts_look(const Firsts *f, Column *const *keys, uint32_t n_rows, uint32_t *rows)
{
    GroupKey packed[PACKED];
    uint32_t ids[PACKED], n = 0;
    const Looked looked = {f, keys, f->groups.n, rows};
    for (; f->groups.n == 0 && n < n_rows; n++)
        rows[n] = n;
    for (uint32_t at = 0; f->groups.n && at < n_rows; at += PACKED) {
        uint32_t m = n_rows - at < PACKED ? n_rows - at : PACKED;
        group_keys(keys, f->n_keys, at, m, packed);
        group_table_find(&f->groups, packed, m, at, is_same, &looked, ids);
        for (uint32_t i = 0; i < m; i++)
            if (ids[i] == GROUP_NONE)
                rows[n++] = at + i;
    }
    return n;
}

size_t firsts_bytes(const Firsts *f)
{
    return sizeof *f + group_table_bytes(&f->groups) + f->cap_places * sizeof *f->places + f->columns_bytes +
           f->cap_batches * sizeof *f->batches;
}
