/* text_diff.h - what differs between two texts, by lines. */
#ifndef PIPE_BASE_TEXT_DIFF_H
#define PIPE_BASE_TEXT_DIFF_H

#include "base/str.h"

/* Appends a unified diff from a to b with three lines around each change, as `patch` takes it;
 * nothing if they are equal. The names stand in its first two lines. */
void text_diff(Buf *out, Str a, Str b, const char *name_a, const char *name_b);

#endif
