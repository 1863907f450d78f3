/* str.h - text as (pointer, length), and a growing byte buffer.
 *
 * A Str borrows: whoever made the bytes keeps them alive. It is UTF-8 by
 * convention but any bytes are allowed, NUL included. A Buf owns its bytes and is
 * always followed by a NUL that does not count in `len`. Out of memory aborts
 * (xmalloc): the run side checks large requests itself before it asks.
 */
#ifndef PIPE_BASE_STR_H
#define PIPE_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Str {
    const char *ptr;
    uint32_t len; /* bytes */
} Str;

#define STR_LIT(s) ((Str){(s), (uint32_t)(sizeof(s) - 1)})
/* For printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s) (int)(s).len, (s).ptr

Str str_of(const char *cstr); /* NULL gives the empty Str */
bool str_eq(Str a, Str b);
bool str_is(Str a, const char *cstr);
int str_cmp(Str a, Str b); /* bytewise, shorter first on a tie */
bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
Str str_slice(Str s, uint32_t start, uint32_t len); /* clamped */
/* Where `what` first begins in s; NULL if nowhere. An empty one begins every text. */
static inline const char *str_find(Str s, Str what)
{
    if (what.len == 0)
        return s.ptr ? s.ptr : "";
    if (s.len < what.len) /* of an empty text ptr may be NULL */
        return NULL;
    const char *p = s.ptr, *end = s.ptr + s.len;
    while ((size_t)(end - p) >= what.len && (p = memchr(p, what.ptr[0], (size_t)(end - p) - what.len + 1))) {
        if (memcmp(p, what.ptr, what.len) == 0)
            return p;
        p++;
    }
    return NULL;
}
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}
Str str_trim(Str s);                               /* without blanks and tabs at both ends */
uint64_t str_hash(Str s);

typedef struct Buf {
    char *ptr; /* NULL while empty, NUL-terminated otherwise */
    size_t len, cap;
} Buf;

void buf_deinit(Buf *b);
void buf_clear(Buf *b);                  /* keeps the memory */
void buf_reserve(Buf *b, size_t extra);  /* room for `extra` more bytes */
void buf_reserve_exact(Buf *b, size_t extra); /* and no more, for one that nothing is added to */
void buf_put(Buf *b, const void *bytes, size_t n);
void buf_putc(Buf *b, char c);
void buf_puts(Buf *b, const char *cstr);
void buf_put_str(Buf *b, Str s);
void buf_printf(Buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(Buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
Str buf_str(const Buf *b);               /* borrowed; the empty Str if nothing was put */
/* Appends s with every control byte as \n, \t or \xNN, so that data cannot drive a
 * terminal. Valid UTF-8 passes. */
void buf_put_visible(Buf *b, Str s);

/* malloc and friends that never return NULL: they print and abort. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrndup(const char *s, size_t n);

#endif
