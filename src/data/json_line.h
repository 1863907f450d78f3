/* json_line.h - a line of JSON in a range, and what is said when it is no object. */
#ifndef PIPE_DATA_JSON_LINE_H
#define PIPE_DATA_JSON_LINE_H

#include "data/json_scan.h"
#include "data/raw.h"

/* Borrows the range. */
typedef struct JsonLine {
    const RawRows *raw;
    const char *start; /* its first byte that is no blank */
    uint64_t i;        /* of the range, from 0 */
} JsonLine;

/* Up to where the bytes of a range may be read. */
static inline const char *json_limit(const RawRows *raw)
{
    return raw->block->bytes + raw->block->cap;
}

/* The line as it stands, from its first byte that is no blank. */
Str json_line_text(const JsonLine *l);
/* Fills file, line and byte of *err (NULL is fine). */
void json_error_at(const JsonLine *l, const char *at, Error *err);
/* ERR_DATA: what a scan of the line found. */
Status json_bad_line(const JsonLine *l, JsonBad bad, Error *err);
/* ERR_DATA: it does not begin as an object. */
Status json_no_object(const JsonLine *l, Error *err);

#endif
