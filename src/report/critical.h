/* critical.h - the critical path: the chain of bars that explains how long the run took.
 *
 * It is read backwards from the bar that ended last. Before each bar stands the one whose end
 * let it begin, from the recording alone:
 *   - an attempt after the first: the attempt before it, and between them the delay. It ends when the
 *     attempt is ready: only what ended after that leads elsewhere;
 *   - a bar that began as soon as it was ready: the input that ended last; for a dispatch of a
 *     generator after its first, the dispatch before; for the fold of a batch, the last bar of the
 *     batch or the fold before, whichever ended later; for a collect after a batch that failed and
 *     is folded nowhere, that failure;
 *   - a bar that waited: what it waited for last. If that was its cap, its pool or a credit: the
 *     bar whose end freed it (of a credit: the last bar that ended then in a batch of the scope).
 *     Otherwise the bar that its worker was busy with;
 *   - help: the instance that it was for, up to where the help begins; where that did not run just then (a generator between
 *     two batches), its last bar or what the worker was busy with, whichever ended later.
 * The chain ends at a bar that waited for nothing. Bars on it never overlap, but for one that help begins
 * in, of which the part before it counts. So their times, the
 * delays of retries and the gaps between them add up to the run's time.
 *
 * Pure; one thread. Freed by critical_free; the Recording and the Waits are borrowed.
 */
#ifndef PIPE_REPORT_CRITICAL_H
#define PIPE_REPORT_CRITICAL_H

#include "report/wait.h"

typedef struct Critical {
    Arena *arena;
    uint32_t n;
    uint32_t *bars;    /* [n] indexes of bars, in time */
    bool *is_on;       /* [n_bars] */
    uint64_t *end_ns;  /* [n_bars] of those that are: until when. Before the bar's end where help begins in it */
    uint64_t *step_ns; /* [n_steps] of bars on the path */
    uint32_t *step_n;  /* [n_steps] how many they are */
    uint64_t delay_ns; /* waiting for retries */
    uint64_t gap_ns;   /* between bars, before the first and after the last */
} Critical;

Critical *critical_new(const Waits *w, const Recording *r);
void critical_free(Critical *c); /* NULL is fine */

/* The steps that hold most of the path first. Returns how many hold any of it; order: [n_steps]. */
uint32_t critical_steps(const Critical *c, const Recording *r, uint32_t *order);

#endif
