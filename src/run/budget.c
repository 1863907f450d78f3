#include "run/budget.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Pieces of a batch that are given back go to the system, not to the allocator, whose free pieces would come to as much as the
 * budget: measured, a sort under 64MB took 130 MB. The smaller the budget, the smaller they are, down to what a batch is made of: to have
 * that from the system each time took half of the time of a join, and kept 2 to 7 MB less. */
static void allocator_tune(uint64_t limit_bytes)
{
#ifdef __GLIBC__
    const uint64_t least = 1 << 20, most = 4 << 20;
    uint64_t n = limit_bytes / 32;
    n = n < least ? least : n > most ? most : n;
    mallopt(M_MMAP_THRESHOLD, (int)n);
    mallopt(M_TRIM_THRESHOLD, (int)(2 * n));
#else
    (void)limit_bytes;
#endif
}

void budget_init(Budget *b, uint64_t limit_bytes, uint32_t n_spilling)
{
    b->limit_bytes = limit_bytes;
    /* What an operator lets go of when it spills it needs again for a moment, to merge or to grow. */
    b->share_bytes = limit_bytes / 4 / (n_spilling ? n_spilling : 1);
    atomic_init(&b->used_bytes, 0);
    atomic_init(&b->peak_bytes, 0);
    atomic_init(&b->reserved_bytes, 0);
    atomic_init(&b->next_bytes, 0);
    if (limit_bytes)
        allocator_tune(limit_bytes);
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

void budget_reserve(Budget *b, uint64_t n_bytes)
{
    atomic_fetch_add_explicit(&b->reserved_bytes, n_bytes, memory_order_relaxed);
    atomic_store_explicit(&b->next_bytes, n_bytes, memory_order_relaxed);
}

void budget_unreserve(Budget *b, uint64_t n_bytes)
{
    atomic_fetch_sub_explicit(&b->reserved_bytes, n_bytes, memory_order_relaxed);
}

bool budget_is_full(const Budget *b)
{
    uint64_t used = atomic_load_explicit(&b->used_bytes, memory_order_relaxed);
    uint64_t coming = atomic_load_explicit(&b->reserved_bytes, memory_order_relaxed) +
                      atomic_load_explicit(&b->next_bytes, memory_order_relaxed);
    return used + coming >= b->limit_bytes;
}
