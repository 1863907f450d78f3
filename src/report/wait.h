/* wait.h - what an instance waited for between being ready and starting.
 *
 * The scheduler does not say it; it follows from the recording. At a moment a ready instance
 * waits for
 *   - a credit, if it is a generator's and as many batches live (or are on their way in another
 *     dispatch) as the scope has credits;
 *   - its cap, if as many instances of the step run as it may have;
 *   - its pool, if as many instances of the pool's steps run as it has slots;
 *   - a worker in all other cases: every one was busy, or with something of higher rank; or the generator was paused
 *     (graph_pause, graph_pause_scope) or left to whoever was at its next batch (graph_await), which no recording tells.
 * The first that holds counts. Before an attempt after the first comes the delay of the
 * retry: from the end of the attempt before until the instance is ready again.
 * Charts show a wait as one bar with the reason that held longest.
 *
 * Pure; one thread. Waits borrow the Recording and are freed by waits_free. A question costs
 * O(log n).
 */
#ifndef PIPE_REPORT_WAIT_H
#define PIPE_REPORT_WAIT_H

#include "report/recording.h"

/* Earlier ones win ties. */
typedef enum WaitReason {
    WAIT_DELAY,
    WAIT_CREDIT,
    WAIT_CAP,
    WAIT_POOL,
    WAIT_WORKER,
    WAIT_UNKNOWN, /* the trace does not say what caps and credits there were */
} WaitReason;
#define N_WAITS (WAIT_UNKNOWN + 1)

typedef struct Wait {
    uint64_t from_ns;  /* when it was ready; for a retry the end of the attempt before */
    uint64_t ready_ns; /* from_ns, unless there was a delay */
    uint64_t until_ns; /* its start */
    uint64_t part_ns[N_WAITS]; /* of until_ns - from_ns */
    WaitReason most;   /* the longest part */
} Wait;

typedef struct Waits Waits;

Waits *waits_new(const Recording *r);
void waits_free(Waits *w); /* NULL is fine */
/* False if the bar did not wait. */
bool wait_of(const Waits *w, uint32_t bar, Wait *out);
/* The last moment before the bar's start when a credit, the cap or the pool stood in its way,
 * and which of them. False if none did. */
bool wait_last(const Waits *w, uint32_t bar, WaitReason *why, uint64_t *until_ns);
/* All waits of a step by reason, summed over its instances: [N_WAITS], for each step. */
void waits_sum(const Waits *w, uint64_t (*step_ns)[N_WAITS]);

/* "a credit", "its cap", "a slot of pool db", "a worker", "its next attempt" */
void wait_put_reason(const Recording *r, uint32_t step, WaitReason why, Buf *out);

#endif
