/* trace.h - a recording as Chrome trace JSON, which Perfetto opens, and back.
 *
 * One track per worker; slices, counters of live batches, flow arrows from batch to
 * batch, and under "pipemill" what is needed to read it back without loss. docs/trace.md
 * is the format. The same recording gives the same bytes. (sched/trace.h is what is
 * recorded while a run goes on.)
 */
#ifndef PIPE_REPORT_TRACE_H
#define PIPE_REPORT_TRACE_H

#include "report/recording.h"

/* The format of "pipemill"; raised when a reader of the old one would go wrong. */
#define TRACE_VERSION 1

void trace_write_json(const Recording *r, Buf *out);

/* Reads what trace_write_json wrote. ERR_DATA when the text is no JSON (err->line), or JSON
 * but no trace of pipemill; *out is then NULL. */
Status trace_read_json(Str text, Recording **out, Error *err);

#endif
