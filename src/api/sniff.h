/* sniff.h - what a CSV file probably is, as a program to paste or as JSON. */
#ifndef PIPE_API_SNIFF_H
#define PIPE_API_SNIFF_H

#include "base/status.h"
#include "base/str.h"

/* Looks at the first MiB of path (`-`: stdin). As text: a schema and a job with the `read`, and what is odd in
 * comments. ERR_IO, ERR_DATA: it cannot be read, or has no bytes. */
Status mill_sniff(Str path, bool as_json, Buf *out, Error *err);

#endif
