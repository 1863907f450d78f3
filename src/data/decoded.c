#include "data/decoded.h"

#include <stdlib.h>

struct Decoded {
    uint32_t n_cols;
    DecodedCol *_Atomic cols[]; /* [n_cols] NULL: not yet */
};

static void decoded_col_free(DecodedCol *d)
{
    if (!d)
        return;
    column_unref(d->values);
    free(d->bad);
    free(d);
}

void decoded_free(struct Decoded *d)
{
    for (uint32_t i = 0; d && i < d->n_cols; i++)
        decoded_col_free(atomic_load_explicit(&d->cols[i], memory_order_relaxed));
    free(d);
}

static struct Decoded *decoded_of(Batch *b)
{
    struct Decoded *d = atomic_load_explicit(&b->decoded, memory_order_acquire);
    if (d)
        return d;
    struct Decoded *mine = xcalloc(1, sizeof *mine + b->n_cols * sizeof mine->cols[0]);
    mine->n_cols = b->n_cols;
    if (atomic_compare_exchange_strong_explicit(&b->decoded, &d, mine, memory_order_acq_rel,
                                                memory_order_acquire))
        return mine;
    free(mine);
    return d;
}

const DecodedCol *decoded_col(Batch *b, uint32_t col)
{
    DecodedCol *_Atomic *at = &decoded_of(b)->cols[col];
    DecodedCol *d = atomic_load_explicit(at, memory_order_acquire);
    if (d)
        return d;
    DecodedCol *mine = xcalloc(1, sizeof *mine);
    uint32_t n_words = bit_words(b->n_rows);
    mine->bad = xcalloc(n_words + 1ull, sizeof *mine->bad);
    batch_values(b, col, STR_LIT(""), NULL, mine->bad, &mine->values, NULL);
    bool is_good = true;
    for (uint32_t i = 0; i < n_words; i++)
        is_good &= mine->bad[i] == 0;
    if (is_good) {
        free(mine->bad);
        mine->bad = NULL;
    }
    if (atomic_compare_exchange_strong_explicit(at, &d, mine, memory_order_acq_rel,
                                                memory_order_acquire))
        return mine;
    decoded_col_free(mine);
    return d;
}
