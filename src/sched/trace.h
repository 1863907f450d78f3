/* trace.h - keeps TraceEvents, a buffer per worker, without any lock.
 *
 * Each buffer has one writer, its worker. Reading is for after the run.
 */
#ifndef PIPE_SCHED_TRACE_H
#define PIPE_SCHED_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/observer.h"

typedef struct Trace Trace;

Trace *trace_new(uint32_t n_workers);
void trace_free(Trace *t); /* NULL is fine */

/* Where a worker writes; the trace's. */
typedef struct TraceBuffer {
    TraceEvent *at, *end; /* what is left of the current chunk */
    TraceEvent *begin;    /* of the first chunk, while it is the current one; else NULL */
} TraceBuffer;
TraceBuffer *trace_buffer(Trace *t, uint32_t worker);
void trace_more(TraceBuffer *b); /* for trace_next */
void trace_begin(TraceBuffer *b); /* for trace_forget */

/* The worker's next event, to be written in place: a copy would cost more than the event.
 * It must be filled before the next call for this worker. */
static inline TraceEvent *trace_next(TraceBuffer *b)
{
    if (b->at == b->end)
        trace_more(b);
    return b->at++;
}

/* The worker's events so far are no part of the trace any more; their memory is for the next ones. */
static inline void trace_forget(TraceBuffer *b)
{
    if (b->begin)
        b->at = b->begin;
    else
        trace_begin(b);
}

/* Keeps a copy of the label of a batch, which events have no room for. By the
 * worker that opens it. */
void trace_label(Trace *t, uint32_t worker, uint32_t frame, Str label);
/* All of them, in any order; borrowed, the caller frees only the array. NULL if there are none. */
FrameLabel *trace_labels(const Trace *t, size_t *n);
/* Copies all events, sorted by time, those of one worker in their order; the caller frees
 * it. *n may be 0, then NULL comes back. */
TraceEvent *trace_sorted(const Trace *t, size_t *n);

#endif
