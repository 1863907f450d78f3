/* trace_walk.h - a way through the text of a trace, value by value: for trace_read.c alone.
 *
 * The text is borrowed and may be anything. What returns false or NULL met something that is no JSON, or no trace.
 */
#ifndef PIPE_REPORT_TRACE_WALK_H
#define PIPE_REPORT_TRACE_WALK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

typedef struct Walk {
    Str text;
    size_t at;
} Walk;

/* The next byte that is no blank; 0 at the end. */
char walk_peek(Walk *w);
bool walk_take(Walk *w, char c); /* past the byte, if it is the next one that is no blank */
/* The next value; the caller decrefs it. NULL if there is none. */
json_t *walk_value(Walk *w);
/* Over an object or a list that is not looked at. */
bool walk_over(Walk *w);
/* Arrows and waits are for viewers: more than half of the file. */
bool walk_is_for_viewers(Walk *w);
/* The parts of the outermost object. *run: that of pipemill, which the caller decrefs, also after false; NULL at first.
 * *events is where the list of events begins, 0: nowhere. */
bool walk_parts(Walk *w, json_t **run, size_t *events);

#endif
