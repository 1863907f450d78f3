/* progress.h - what is shown while a run goes on: a block that is redrawn on a terminal,
 * plain lines elsewhere.
 *
 *   Progress *p = progress_open(&options);
 *   ... run with progress_observer(p); log lines go through progress_print ...
 *   progress_close(p);
 *
 * Threads: the observer as observer.h says, counters are atomic and never block a worker
 * on a terminal; a thread of its own redraws ten times a second, so writing to a slow
 * terminal holds up nothing but that. progress_print from any thread, also before the
 * run has started and after it has ended. The cursor is never hidden and stands below the
 * block whenever nothing is being written, so every way out leaves the terminal in order.
 */
#ifndef PIPE_REPORT_PROGRESS_H
#define PIPE_REPORT_PROGRESS_H

#include <stdio.h>

#include "base/observer.h"

typedef enum ProgressMode {
    PROGRESS_NONE,  /* counts, shows nothing */
    PROGRESS_TTY,   /* the block */
    PROGRESS_PLAIN, /* a line when a step starts, ends, fails or retries, and a sign of life */
} ProgressMode;

typedef struct ProgressOptions {
    ProgressMode mode;
    FILE *out;         /* borrowed; stderr as a rule */
    uint32_t width;    /* columns; 0: ask the terminal, each time anew */
    bool is_ascii;
    bool has_color;
    bool is_verbose;   /* PLAIN: also a line per instance */
    void *failure_ctx;
    /* PLAIN: writes lines about an instance that has failed for good. NULL: it gets a line. From any thread */
    void (*put_failure)(void *ctx, Buf *out, Str name, uint32_t attempt, const Error *err);
    void *memory_ctx;
    uint64_t (*memory)(void *ctx); /* bytes in use now; NULL: not shown. From any thread */
} ProgressOptions;

typedef struct Progress Progress;

Progress *progress_open(const ProgressOptions *options);
const Observer *progress_observer(Progress *p);
/* Writes whole lines to a stream (stdout or stderr), above the block. While there is one,
 * lines for its own stream wait for the next redraw, a tenth of a second at most. */
void progress_print(Progress *p, FILE *stream, Str lines);
/* Time that each step ran so far, summed over workers; 0 for a step beyond the run's. */
uint64_t progress_busy_ns(const Progress *p, uint32_t step);
/* The step whose failure was the first reason to skip an instance of `step`; RUN_NO_STEP if none was
 * skipped. */
uint32_t progress_skip_cause(const Progress *p, uint32_t step);
/* Removes the block and frees. NULL is fine. */
void progress_close(Progress *p);

/* What the block would say at t_ns, at most max_lines lines, without any escape if there is
 * no colour. Pure, but for the counters. Nothing before the run has started. */
void progress_render(Progress *p, uint64_t t_ns, uint32_t width, uint32_t max_lines, Buf *out);

#endif
