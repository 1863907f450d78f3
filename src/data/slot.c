#include "data/slot.h"

#include <stdlib.h>

#include "data/batch.h"

Picked *picked_new(Batch *from, uint32_t *rows, uint32_t n)
{
    Picked *p = xcalloc(1, sizeof *p);
    atomic_init(&p->refs, 1);
    p->from = batch_ref(from);
    p->rows = rows;
    p->n_rows = n;
    return p;
}

Picked *picked_ref(Picked *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void picked_unref(Picked *p)
{
    /* Orders as in heap_unref. */
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    batch_unref(p->from);
    free(p->rows);
    free(p);
}

Picked *picked_select(const Picked *p, const uint32_t *sel, uint32_t n)
{
    uint32_t *rows = xmalloc((n + 1ull) * sizeof *rows);
    for (uint32_t i = 0; i < n; i++)
        rows[i] = sel[i] == PICKED_NONE ? PICKED_NONE : p->rows[sel[i]];
    return picked_new(p->from, rows, n);
}

Slot slot_ref(const Slot *s)
{
    Slot copy = *s;
    if (s->text)
        column_ref(s->text);
    if (s->values)
        column_ref(s->values);
    if (s->picked)
        picked_ref(s->picked);
    return copy;
}

void slot_unref(Slot *s)
{
    column_unref(s->text);
    column_unref(s->values);
    picked_unref(s->picked);
    *s = (Slot){.raw_col = -1};
}
