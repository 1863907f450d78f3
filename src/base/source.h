/* source.h - program texts, and where a byte of them is.
 *
 * A Span counts bytes over all files of one program: every Source gets the next range
 * of positions, so a span alone says which file it is in (`use` needs no file ids).
 * Positions start at 1; {0, 0} is "nowhere". Sources own their texts.
 */
#ifndef PIPE_BASE_SOURCE_H
#define PIPE_BASE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

typedef struct Span {
    uint32_t lo, hi; /* bytes, [lo, hi) */
} Span;

static inline Span span_join(Span a, Span b)
{
    return (Span){a.lo, b.hi};
}

typedef struct Sources Sources;
typedef struct Source Source;

Sources *sources_open(void);
void sources_close(Sources *s); /* NULL is fine */

/* Adds a text (copied) under a name for messages. Texts over 1 GiB are refused. */
const Source *sources_add(Sources *s, Str name, Str text);
/* Reads a file ("-" is stdin). ERR_IO with errno's text, ERR_DATA if over 1 GiB. */
Status sources_read(Sources *s, const char *path, const Source **out, Error *err);

uint32_t sources_count(const Sources *s);
const Source *sources_get(const Sources *s, uint32_t i); /* in the order in which they were added */

Str source_name(const Source *src);
Str source_text(const Source *src);
uint32_t source_base(const Source *src); /* position of the text's first byte */

/* Where a position is. Lines and columns count from 1; columns count code points. */
typedef struct Place {
    const Source *source; /* NULL if pos is nowhere */
    uint32_t line, col;
    Str text; /* the line without its end (LF or CRLF) */
    uint32_t offset_in_line; /* bytes */
} Place;
Place sources_locate(const Sources *s, uint32_t pos);

#endif
