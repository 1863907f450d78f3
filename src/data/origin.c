#include "data/origin.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/str.h"

/* In front of the origins that are counted. */
typedef union OriginsHead {
    _Atomic uint32_t refs;
    Origin align;
} OriginsHead;

Origin *origins_new(uint32_t n_rows)
{
    OriginsHead *h = xmalloc(sizeof *h + n_rows * sizeof(Origin));
    atomic_init(&h->refs, 1);
    return (Origin *)(h + 1);
}

static OriginsHead *origins_head(Origin *o)
{
    return (OriginsHead *)o - 1;
}

Origin *origins_ref(Origin *o)
{
    atomic_fetch_add_explicit(&origins_head(o)->refs, 1, memory_order_relaxed);
    return o;
}

void origins_unref(Origin *o)
{
    /* Orders as in heap_unref. */
    if (o && atomic_fetch_sub_explicit(&origins_head(o)->refs, 1, memory_order_acq_rel) == 1)
        free(origins_head(o));
}
