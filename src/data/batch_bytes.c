/* batch_bytes.c - what a batch keeps in memory. */
#include "data/batch.h"

#include <stdlib.h>

static int ptr_cmp(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (Heap *const *)a, y = (uintptr_t) * (Heap *const *)b;
    return (x > y) - (x < y);
}

static size_t bytes_of(const Batch *b, bool with_raw)
{
    size_t bytes = sizeof *b + b->n_cols * (sizeof *b->slots + sizeof *b->types), n = 2;
    for (uint32_t c = 0; c < b->n_cols; c++) {
        n += b->slots[c].text ? b->slots[c].text->n_heaps : 0;
        n += b->slots[c].values ? b->slots[c].values->n_heaps : 0;
    }
    Heap **heaps = xmalloc(n * sizeof(Heap *));
    n = 0;
    const RawRows *raw = b->raw;
    if (raw && with_raw) {
        if (raw->start)
            bytes += ((size_t)raw->n_rows * raw->stride + 1) * sizeof *raw->start;
        heaps[n++] = b->raw->block;
        if (b->raw->text)
            heaps[n++] = b->raw->text;
    }
    bytes += b->sel ? b->n_rows * sizeof *b->sel : 0;
    bytes += b->origin ? b->n_rows * sizeof *b->origin : 0;
    for (uint32_t c = 0; c < b->n_cols; c++) {
        const Column *cols[] = {b->slots[c].text, b->slots[c].values};
        const Picked *picked = b->slots[c].picked;
        if (picked && (c == 0 || b->slots[c - 1].picked != picked))
            bytes += picked->n_rows * sizeof *picked->rows;
        for (int k = 0; k < 2; k++) {
            if (!cols[k])
                continue;
            bytes += column_bytes(cols[k]);
            for (uint32_t i = 0; i < cols[k]->n_heaps; i++)
                heaps[n++] = cols[k]->heaps[i];
        }
    }
    qsort(heaps, n, sizeof(Heap *), ptr_cmp);
    for (size_t i = 0; i < n; i++)
        if ((i == 0 || heaps[i] != heaps[i - 1]) &&
            (with_raw || !raw || (heaps[i] != raw->block && heaps[i] != raw->text)))
            bytes += heap_bytes(heaps[i]);
    free(heaps);
    return bytes;
}

size_t batch_bytes(const Batch *b)
{
    return bytes_of(b, true);
}

size_t batch_own_bytes(const Batch *b)
{
    return bytes_of(b, false);
}

static size_t strings_bytes(const Column *c)
{
    size_t n = 0;
    if (column_has_strings(c))
        for (uint32_t i = 0; i < c->n_rows; i++)
            n += column_strs(c)[i].len;
    return n;
}

size_t batch_held_bytes(const Batch *b)
{
    size_t n = sizeof *b + b->n_cols * (sizeof *b->slots + sizeof *b->types);
    if (b->raw)
        n += b->raw->n_bytes;
    if (b->raw && b->raw->start)
        n += ((size_t)b->raw->n_rows * b->raw->stride + 1) * sizeof *b->raw->start;
    n += b->sel ? b->n_rows * sizeof *b->sel : 0;
    n += b->origin ? b->n_rows * sizeof *b->origin : 0;
    for (uint32_t c = 0; c < b->n_cols; c++) {
        const Slot *s = &b->slots[c];
        if (s->text)
            n += column_bytes(s->text) + strings_bytes(s->text);
        if (s->values)
            n += column_bytes(s->values) + (s->text || b->raw ? 0 : strings_bytes(s->values));
        if (s->picked && (c == 0 || b->slots[c - 1].picked != s->picked))
            n += s->picked->n_rows * sizeof *s->picked->rows;
    }
    return n;
}
