#include "vm/store.h"

#include <stdlib.h>
#include <string.h>

#include "data/reach.h"

static uint32_t element_bytes(const Column *c)
{
    return c->is_text ? (uint32_t)sizeof(StrView) : type_bytes(c->type);
}

Store store_of(Column *c)
{
    if (!c->valid)
        column_own_valid(c, true);
    return (Store){.col = c, .cap = c->n_rows};
}

/* Room for `more` rows. */
static void store_grow(Store *s, const Column *from, uint32_t more)
{
    uint32_t n = s->col ? s->col->n_rows : 0;
    if (s->col && n + more <= s->cap)
        return;
    s->cap = n ? n * 2 : 16;
    s->cap = s->cap > n + more ? s->cap : n + more;
    Column *bigger = column_new(from->type, from->is_text, s->cap);
    column_own_valid(bigger, true);
    bigger->delimiter = from->delimiter;
    bigger->quote = from->quote;
    bigger->inferred_rows = from->inferred_rows;
    if (s->col) {
        memcpy(bigger->values, s->col->values, (size_t)n * element_bytes(from));
        memcpy(bigger->valid, s->col->valid, bit_words(n) * sizeof *bigger->valid);
        for (uint32_t i = 0; i < s->col->n_heaps; i++)
            column_add_heap(bigger, s->col->heaps[i]);
        column_unref(s->col);
    }
    bigger->n_rows = n;
    s->col = bigger;
}

void store_add(Store *s, const Column *from, uint32_t row)
{
    store_grow(s, from, 1);
    Column *c = s->col;
    uint32_t to = c->n_rows++;
    bool is_null = c->type == TYPE_NULL || !column_is_valid(from, row);
    if (is_null)
        bit_clear(c->valid, to);
    else
        bit_set(c->valid, to);
    if (column_has_strings(c)) {
        /* A cell that is null keeps its bytes: the null word, or `""`. */
        StrView v = is_null && !c->is_text ? (StrView){"", 0, 0} : column_strs(from)[row];
        if (!s->heap) {
            s->heap = heap_new(1024);
            column_add_heap(c, s->heap);
        }
        char *bytes = heap_alloc(s->heap, v.len);
        memcpy(bytes, v.ptr, v.len);
        column_strs(c)[to] = (StrView){bytes, v.len, v.flags};
    } else {
        uint32_t size = element_bytes(c);
        memcpy((char *)c->values + (size_t)to * size, (char *)from->values + (size_t)row * size,
               size);
    }
}

static void add_strings(Store *s, const Column *from, const uint32_t *rows, uint32_t n)
{
    const StrView *v = column_strs(from);
    StrView *to = column_strs(s->col) + s->col->n_rows;
    Reach reach = reach_of_column(from);
    uint64_t total = REACH_BYTES;
    for (uint32_t i = 0; i < n; i++)
        total += v[rows[i]].len;
    if (!s->heap) {
        s->heap = heap_new(1024);
        column_add_heap(s->col, s->heap);
    }
    char *bytes = heap_alloc(s->heap, total);
    for (uint32_t i = 0; i < n; i++) {
        to[i] = v[rows[i]];
        if (reach_is_short(reach, to[i]))
            reach_copy(bytes, to[i].ptr);
        else
            memcpy(bytes, to[i].ptr, to[i].len);
        to[i].ptr = bytes;
        bytes += to[i].len;
    }
}

void store_add_rows(Store *s, const Column *from, const uint32_t *rows, uint32_t n)
{
    if (from->type == TYPE_NULL || n == 0) {
        for (uint32_t i = 0; i < n; i++)
            store_add(s, from, rows[i]);
        return;
    }
    store_grow(s, from, n);
    Column *c = s->col;
    uint32_t at = c->n_rows;
    switch (element_bytes(c)) {
    case 1:
        for (uint32_t i = 0; i < n; i++)
            column_bools(c)[at + i] = column_bools(from)[rows[i]];
        break;
    case 8:
        for (uint32_t i = 0; i < n; i++)
            column_ints(c)[at + i] = column_ints(from)[rows[i]];
        break;
    default: add_strings(s, from, rows, n); break;
    }
    for (uint32_t i = 0; i < n; i++)
        if (column_is_valid(from, rows[i]))
            bit_set(c->valid, at + i);
        else
            bit_clear(c->valid, at + i);
    c->n_rows += n;
}

void store_free(Store *s)
{
    column_unref(s->col);
    heap_unref(s->heap);
}

size_t store_bytes(const Store *s)
{
    if (!s->col)
        return 0;
    size_t n = sizeof *s->col + (size_t)s->cap * element_bytes(s->col) + s->cap / 8;
    for (uint32_t i = 0; i < s->col->n_heaps; i++)
        n += heap_bytes(s->col->heaps[i]);
    return n;
}
