/* text_coding.h - how the characters of a text stand in its bytes: UTF-8, and what is made UTF-8 while it is read.
 *
 * Latin-1 is Windows-1252, as in browsers: that is what files called so are, and a text in Latin-1 proper has none of the
 * bytes in which the two differ. The five bytes without a meaning there are the control characters of Latin-1.
 * Pure functions; memory is the caller's.
 */
#ifndef PIPE_BASE_TEXT_CODING_H
#define PIPE_BASE_TEXT_CODING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

typedef enum TextCoding {
    CODING_UTF8,  /* the bytes as they are, whatever they are */
    CODING_1252,
    CODING_UTF16, /* the byte order by the mark; without one by line ends and NUL bytes */
} TextCoding;

/* The coding of that name, in any case, `-` and `_` left out or not. False: *nearest is a name that may be meant, or
 * empty. */
bool text_coding_named(Str name, TextCoding *out, Str *nearest);
/* The name to write. */
const char *text_coding_name(TextCoding c);
/* "`utf-8`, `latin1`, ...": what may be written, for messages. */
const char *text_coding_names(void);

/* Bytes of Windows-1252 made UTF-8: as many of from[0..n) as have room in to[0..cap); *used of them are done. Returns the
 * bytes written; a character takes at most 3. */
size_t text_from_1252(const char *from, size_t n, char *to, size_t cap, size_t *used);
/* The same of UTF-16. Stops at a character that is not whole; a half of a surrogate pair that has no other half: *is_bad,
 * from[*used..) begins with it. A character takes at most 4 bytes. */
size_t text_from_utf16(const char *from, size_t n, bool is_big, char *to, size_t cap, size_t *used, bool *is_bad);
#define TEXT_LOOK_BYTES 1024u /* in which a text in UTF-16 has an ASCII character */
/* Of the first bytes of UTF-16, TEXT_LOOK_BYTES where there are so many: *mark its byte order mark's, 0 or 2. */
bool text_utf16_is_big(const char *p, size_t n, size_t *mark);

#endif
