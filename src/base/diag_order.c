#include "base/diag_order.h"

#include <stdlib.h>

typedef struct Item {
    const Diag *diag;
    size_t i; /* as found: ties keep that order */
} Item;

static int by_place(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->diag->span.lo != y->diag->span.lo)
        return x->diag->span.lo < y->diag->span.lo ? -1 : 1;
    return x->i < y->i ? -1 : x->i > y->i;
}

bool diag_is_error(const Diag *d)
{
    return diag_info(d->code)->severity == SEV_ERROR;
}

/* An error where another error has been told already, most likely of the same cause. */
static bool is_told(const Item *items, size_t i)
{
    Span s = items[i].diag->span;
    for (size_t k = i; k-- > 0 && items[k].diag->span.lo == s.lo;)
        if (items[k].diag->span.hi == s.hi && s.lo != 0 && diag_is_error(items[k].diag) &&
            diag_is_error(items[i].diag))
            return true;
    return false;
}

const Diag **diags_sorted(const Diags *ds, size_t *n)
{
    Item *items = xcalloc(ds->list.n + 1, sizeof *items);
    for (size_t i = 0; i < ds->list.n; i++)
        items[i] = (Item){ds->list.ptr[i], i};
    qsort(items, ds->list.n, sizeof *items, by_place);
    const Diag **out = xcalloc(ds->list.n + 1, sizeof *out);
    *n = 0;
    for (size_t i = 0; i < ds->list.n; i++)
        if (!is_told(items, i))
            out[(*n)++] = items[i].diag;
    free(items);
    return out;
}

const char *diag_severity_name(const Diag *d)
{
    return diag_is_error(d) ? "error" : "warning";
}

void diag_put_code(Buf *out, const Diag *d)
{
    buf_printf(out, "%c%04u", diag_is_error(d) ? 'E' : 'W', diag_info(d->code)->number);
}
