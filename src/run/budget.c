#include "run/budget.h"

#include "base/str.h"

#include <stdlib.h>

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

void budget_init(Budget *b, uint64_t limit_bytes, uint32_t n_spilling, uint32_t n_steps)
{
    b->limit_bytes = limit_bytes;
    /* What an operator lets go of when it spills it needs again for a moment, to merge or to grow. */
    b->share_bytes = limit_bytes / 4 / (n_spilling ? n_spilling : 1);
    atomic_init(&b->used_bytes, 0);
    atomic_init(&b->peak_bytes, 0);
    b->n_steps = n_steps;
    b->step_bytes = limit_bytes ? xcalloc(n_steps + 1ull, sizeof *b->step_bytes) : NULL;
    atomic_init(&b->peak_step, 0);
    atomic_init(&b->peak_step_bytes, 0);
    atomic_init(&b->batch_bytes, 0);
    atomic_init(&b->reserved_bytes, 0);
    atomic_init(&b->next_bytes, 0);
    if (limit_bytes)
        allocator_tune(limit_bytes);
}

void budget_deinit(Budget *b)
{
    free(b->step_bytes);
}

/* Raises it to n, if that is more. */
static bool most_note(_Atomic uint64_t *most, uint64_t n)
{
    uint64_t old = atomic_load_explicit(most, memory_order_relaxed);
    while (n > old)
        if (atomic_compare_exchange_weak_explicit(most, &old, n, memory_order_relaxed, memory_order_relaxed))
            return true;
    return false;
}

/* Who has most of it? Others go on meanwhile: about. */
static void holder_note(Budget *b)
{
    uint32_t most = 0;
    int64_t most_bytes = 0;
    for (uint32_t i = 0; i < b->n_steps; i++) {
        int64_t n = atomic_load_explicit(&b->step_bytes[i], memory_order_relaxed);
        most = n > most_bytes ? i : most;
        most_bytes = n > most_bytes ? n : most_bytes;
    }
    atomic_store_explicit(&b->peak_step, most, memory_order_relaxed);
    atomic_store_explicit(&b->peak_step_bytes, (uint64_t)most_bytes, memory_order_relaxed);
}

void budget_take(Budget *b, uint32_t step, uint64_t n_bytes)
{
    if (n_bytes == 0)
        return;
    if (b->step_bytes)
        atomic_fetch_add_explicit(&b->step_bytes[step], (int64_t)n_bytes, memory_order_relaxed);
    uint64_t now = atomic_fetch_add_explicit(&b->used_bytes, n_bytes, memory_order_relaxed) + n_bytes;
    if (most_note(&b->peak_bytes, now) && b->step_bytes && now > b->limit_bytes)
        holder_note(b);
}

void budget_give(Budget *b, uint32_t step, uint64_t n_bytes)
{
    if (n_bytes == 0)
        return;
    if (b->step_bytes)
        atomic_fetch_sub_explicit(&b->step_bytes[step], (int64_t)n_bytes, memory_order_relaxed);
    atomic_fetch_sub_explicit(&b->used_bytes, n_bytes, memory_order_relaxed);
}

void budget_change(Budget *b, uint32_t step, uint64_t before, uint64_t after)
{
    if (after > before)
        budget_take(b, step, after - before);
    else
        budget_give(b, step, before - after);
}

void budget_note_batch(Budget *b, uint64_t n_bytes)
{
    most_note(&b->batch_bytes, n_bytes);
}

bool budget_was_passed(const Budget *b)
{
    return b->limit_bytes && atomic_load(&b->peak_step_bytes) &&
           atomic_load(&b->peak_bytes) > b->limit_bytes + atomic_load(&b->batch_bytes);
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
