/* budget.h - counts the bytes of live batches and of what operators hold against @memory.
 *
 * Counted per batch, never per row: what a generator yielded until its last use, outputs of steps until their
 * last reader is done, the state of collects, tables that wait for their readers with the indexes that joins make of them,
 * what is serialised and waits for its turn, and what a command of `exec` has printed. Bytes that batches share with the range
 * of the input that they came from are counted once, with the range. A batch that is let in reserves what will be made of it,
 * as far as is known from those before: while it is not there nothing is held, but generators wait as if it were. What a step
 * needs while it runs, buffers of files and the allocator's own are not counted: a process takes more than its budget says.
 *
 * Any thread.
 */
#ifndef PIPE_RUN_BUDGET_H
#define PIPE_RUN_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Budget {
    uint64_t limit_bytes; /* 0: no budget, nothing is counted */
    uint64_t share_bytes; /* what one operator may hold before it spills */
    _Atomic uint64_t used_bytes, peak_bytes;
    uint32_t n_steps;
    _Atomic int64_t *step_bytes;      /* [n_steps] what is used for each */
    _Atomic uint32_t peak_step;       /* of a peak beyond the limit: which step used most ... */
    _Atomic uint64_t peak_step_bytes; /* ... so much; 0: there was none */
    _Atomic uint64_t batch_bytes;     /* of the largest batch */
    _Atomic uint64_t reserved_bytes; /* not used yet */
    _Atomic uint64_t next_bytes;     /* what the next batch will reserve */
} Budget;

/* n_spilling: operators that share a quarter of it. budget_deinit in any case. */
void budget_init(Budget *b, uint64_t limit_bytes, uint32_t n_spilling, uint32_t n_steps);
void budget_deinit(Budget *b);
static inline bool budget_counts(const Budget *b) { return b->limit_bytes != 0; }
/* step: for which they count; what is taken for one is given back for the same. */
void budget_take(Budget *b, uint32_t step, uint64_t n_bytes);
void budget_give(Budget *b, uint32_t step, uint64_t n_bytes);
/* What counted for `before` counts for `after` from now on. */
void budget_change(Budget *b, uint32_t step, uint64_t before, uint64_t after);
/* Of a batch that is let in; given back when it is gone, and what was made of it is counted. */
void budget_reserve(Budget *b, uint64_t n_bytes);
void budget_unreserve(Budget *b, uint64_t n_bytes);
void budget_note_batch(Budget *b, uint64_t n_bytes);
/* Was more used than the limit and a batch? */
bool budget_was_passed(const Budget *b);
/* Is there no room for another batch? */
bool budget_is_full(const Budget *b);

#endif
