#include "vm/merge.h"

#include <stdlib.h>

#include "base/str.h"
#include "vm/sort.h"

typedef struct Source {
    SortKey *keys; /* [n_keys] */
    uint32_t row, n_rows;
    uint64_t first; /* the first key of the row, as sort_first_key gives it */
    bool is_null;
} Source;

struct Merge {
    uint32_t n_keys, n_sources;
    Source *sources;
    uint32_t *heap; /* [n_heap] numbers of sources, the next at its top */
    uint32_t n_heap;
    bool has_begun;
};

Merge *merge_open(uint32_t n_sources, uint32_t n_keys)
{
    Merge *m = xcalloc(1, sizeof *m);
    m->n_sources = n_sources;
    m->n_keys = n_keys;
    m->sources = xcalloc(n_sources + 1ull, sizeof *m->sources);
    m->heap = xcalloc(n_sources + 1ull, sizeof *m->heap);
    for (uint32_t i = 0; i < n_sources; i++)
        m->sources[i].keys = xcalloc(n_keys + 1ull, sizeof *m->sources[i].keys);
    return m;
}

void merge_close(Merge *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->n_sources; i++)
        free(m->sources[i].keys);
    free(m->sources);
    free(m->heap);
    free(m);
}

static void source_look(Source *s)
{
    s->first = sort_first_key(&s->keys[0], s->row, &s->is_null);
}

static bool is_before(const Merge *m, uint32_t a, uint32_t b)
{
    const Source *x = &m->sources[a], *y = &m->sources[b];
    if (x->is_null != y->is_null)
        return y->is_null;
    if (x->first != y->first)
        return x->first < y->first;
    int c = sort_compare_rows(x->keys, x->row, y->keys, y->row, m->n_keys);
    return c ? c < 0 : a < b;
}

static void sift_down(Merge *m, uint32_t i)
{
    uint32_t top = m->heap[i];
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= m->n_heap)
            break;
        if (child + 1 < m->n_heap && is_before(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (is_before(m, top, m->heap[child]))
            break;
        m->heap[i] = m->heap[child];
        i = child;
    }
    m->heap[i] = top;
}

void merge_give(Merge *m, uint32_t source, Column *const *keys, const bool *is_desc, uint32_t n_rows)
{
    Source *s = &m->sources[source];
    s->row = 0;
    s->n_rows = n_rows;
    for (uint32_t k = 0; n_rows && k < m->n_keys; k++)
        s->keys[k] = (SortKey){keys[k], is_desc[k]};
    if (n_rows)
        source_look(s);
    if (!m->has_begun) {
        if (n_rows)
            m->heap[m->n_heap++] = source;
        return;
    }
    /* It is at the top. */
    if (n_rows == 0)
        m->heap[0] = m->heap[--m->n_heap];
    if (m->n_heap)
        sift_down(m, 0);
}

uint32_t merge_next(Merge *m, uint32_t *src, uint32_t *rows, uint32_t max, uint32_t *wants)
{
    uint32_t n = 0;
    *wants = UINT32_MAX;
    if (!m->has_begun) {
        m->has_begun = true;
        for (uint32_t i = m->n_heap / 2; i-- > 0;)
            sift_down(m, i);
    }
    while (n < max && m->n_heap) {
        uint32_t top = m->heap[0];
        Source *s = &m->sources[top];
        src[n] = top;
        rows[n++] = s->row++;
        if (s->row == s->n_rows) {
            *wants = top;
            break;
        }
        source_look(s);
        sift_down(m, 0);
    }
    return n;
}
