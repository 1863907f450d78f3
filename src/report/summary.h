/* summary.h - the end of every run in at most ten lines. Pure. */
#ifndef PIPE_REPORT_SUMMARY_H
#define PIPE_REPORT_SUMMARY_H

#include "base/observer.h"

#define SUMMARY_UNKNOWN UINT64_MAX

typedef struct SummaryInput {
    const RunInfo *info;
    const RunEnd *end;
    uint64_t rows_in, rows_out;     /* SUMMARY_UNKNOWN: not said */
    uint64_t peak_memory_bytes;     /* 0: not said */
    const uint64_t *step_busy_ns;   /* [n_steps]; NULL: no slowest step */
    const uint32_t *skip_cause;     /* [n_steps] the step that failed; RUN_NO_STEP: none skipped.
                                     * NULL: not said */
    Str next;                       /* "pipemill run x.pipe job --gantt shows ...", or empty */
} SummaryInput;

void summary_put(const SummaryInput *in, Buf *out);

#endif
