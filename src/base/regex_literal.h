/* regex_literal.h - a text that every match of a regular expression has in it.
 *
 * A string without it need not be matched, which is the slow part. Patterns are read as PCRE2 reads them, but only the
 * plain ones: what has alternatives outside of groups, options, assertions, repeated groups or references gives none. */
#ifndef PIPE_BASE_REGEX_LITERAL_H
#define PIPE_BASE_REGEX_LITERAL_H

#include "base/str.h"

/* In strings shorter than this, a pattern with a literal is matched in few steps, whatever stands in them: it cannot be
 * given up (regex.h), which would be an error in a row that nobody looked at. */
#define REGEX_LITERAL_SHORT 255u

/* Appends it to *out, which is empty; false if none is known. Of at least two bytes. */
bool regex_literal(Str pattern, Buf *out);

#endif
