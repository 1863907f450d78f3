#include "run/budget.h"

void budget_init(Budget *b, uint64_t limit_bytes, uint32_t n_spilling)
{
    b->limit_bytes = limit_bytes;
    /* What an operator lets go of when it spills it needs again for a moment, to merge or to grow. */
    b->share_bytes = limit_bytes / 4 / (n_spilling ? n_spilling : 1);
    atomic_init(&b->used_bytes, 0);
    atomic_init(&b->peak_bytes, 0);
}

void budget_take(Budget *b, uint64_t n_bytes)
{
    if (n_bytes == 0)
        return;
    uint64_t now = atomic_fetch_add_explicit(&b->used_bytes, n_bytes, memory_order_relaxed) + n_bytes;
    uint64_t peak = atomic_load_explicit(&b->peak_bytes, memory_order_relaxed);
    while (now > peak && !atomic_compare_exchange_weak_explicit(&b->peak_bytes, &peak, now,
                                                                memory_order_relaxed,
                                                                memory_order_relaxed))
        ;
}

void budget_give(Budget *b, uint64_t n_bytes)
{
    if (n_bytes)
        atomic_fetch_sub_explicit(&b->used_bytes, n_bytes, memory_order_relaxed);
}

void budget_change(Budget *b, uint64_t before, uint64_t after)
{
    if (after > before)
        budget_take(b, after - before);
    else
        budget_give(b, before - after);
}

bool budget_is_full(const Budget *b)
{
    return atomic_load_explicit(&b->used_bytes, memory_order_relaxed) >= b->limit_bytes;
}
