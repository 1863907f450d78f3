#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

Str str_of(const char *cstr)
{
    return cstr ? (Str){cstr, (uint32_t)strlen(cstr)} : (Str){"", 0};
}

bool str_eq(Str a, Str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_is(Str a, const char *cstr)
{
    return str_eq(a, str_of(cstr));
}

int str_cmp(Str a, Str b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(Str s, Str prefix)
{
    return s.len >= prefix.len && str_eq((Str){s.ptr, prefix.len}, prefix);
}

bool str_ends(Str s, Str suffix)
{
    return s.len >= suffix.len &&
           str_eq((Str){s.ptr + (s.len - suffix.len), suffix.len}, suffix);
}

Str str_slice(Str s, uint32_t start, uint32_t len)
{
    if (start > s.len)
        start = s.len;
    if (len > s.len - start)
        len = s.len - start;
    return (Str){start ? s.ptr + start : s.ptr, len}; /* NULL + 0 is no expression of C11 */
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

Str str_trim(Str s)
{
    while (s.len && is_blank(s.ptr[0]))
        s = str_slice(s, 1, s.len);
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* FNV-1a, 64 bits: for small tables of names; data is hashed with xxHash. */
uint64_t str_hash(Str s)
{
    uint64_t h = 14695981039346656037u;
    for (uint32_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    return h;
}

void buf_deinit(Buf *b)
{
    free(b->ptr);
    *b = (Buf){0};
}

void buf_clear(Buf *b)
{
    b->len = 0;
    if (b->ptr)
        b->ptr[0] = '\0';
}

void buf_reserve(Buf *b, size_t extra)
{
    size_t need = b->len + extra + 1;
    if (need <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap += cap / 2 + 64;
    b->ptr = xrealloc(b->ptr, cap);
    b->cap = cap;
}

void buf_reserve_exact(Buf *b, size_t extra)
{
    size_t need = b->len + extra + 1;
    if (need <= b->cap)
        return;
    if (b->len == 0) { /* nothing to be kept */
        free(b->ptr);
        b->ptr = NULL;
    }
    b->ptr = xrealloc(b->ptr, need);
    b->cap = need;
}

void buf_put(Buf *b, const void *bytes, size_t n)
{
    buf_reserve(b, n);
    if (n)
        memcpy(b->ptr + b->len, bytes, n);
    b->len += n;
    b->ptr[b->len] = '\0';
}

void buf_putc(Buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_puts(Buf *b, const char *cstr)
{
    buf_put(b, cstr, strlen(cstr));
}

void buf_put_str(Buf *b, Str s)
{
    buf_put(b, s.ptr, s.len);
}

void buf_vprintf(Buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n > 0) {
        buf_reserve(b, (size_t)n);
        vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buf_printf(Buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

Str buf_str(const Buf *b)
{
    return b->ptr ? (Str){b->ptr, (uint32_t)b->len} : (Str){"", 0};
}

void buf_put_visible(Buf *b, Str s)
{
    for (uint32_t i = 0; i < s.len;) {
        uint32_t n = utf8_len(s.ptr + i, s.len - i);
        unsigned char c = (unsigned char)s.ptr[i];
        if (n == 1 && c == '\n')
            buf_puts(b, "\\n");
        else if (n == 1 && c == '\t')
            buf_puts(b, "\\t");
        else if (n == 0 || c < 0x20 || c == 0x7f ||
                 (n == 2 && c == 0xc2 && (unsigned char)s.ptr[i + 1] < 0xa0))
            for (uint32_t k = 0; k < (n ? n : 1); k++)
                buf_printf(b, "\\x%02x", (unsigned char)s.ptr[i + k]);
        else
            buf_put(b, s.ptr + i, n);
        i += n ? n : 1;
    }
}

static void out_of_memory(size_t n)
{
    fprintf(stderr, "pipemill: out of memory (%zu bytes wanted)\n", n);
    abort();
}

#ifndef __has_feature
#define __has_feature(x) 0 /* gcc 12 */
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) /* what is behind the bytes that were asked for is to be seen */
enum { HAS_CLASSES = 0 };
#else
enum { HAS_CLASSES = 1 };
#endif

/* Bytes to ask the allocator for. Pieces of a batch come in few sizes, an eighth of a power of two apart: what one batch gives
 * back fits what the next one wants, though they differ a little. Otherwise what is free in pieces that are too small grows
 * with the length of the input. */
static size_t size_class(size_t n)
{
    enum { HEAD = 16, LEAST = 16 << 10, MOST = 4 << 20 }; /* HEAD: the allocator's own */
    if (!HAS_CLASSES || n < LEAST || n > MOST)
        return n ? n : 1;
    size_t step = ((size_t)1 << (8 * sizeof n - 1 - (unsigned)__builtin_clzl(n + HEAD))) / 8;
    return ((n + HEAD + step - 1) & ~(step - 1)) - HEAD;
}

void *xmalloc(size_t n)
{
    void *p = malloc(size_class(n));
    if (!p)
        out_of_memory(n);
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = size && n > SIZE_MAX / size ? NULL : calloc(1, size_class(n * size));
    if (!p)
        out_of_memory(n * size);
    return p;
}

void *xrealloc(void *p, size_t n)
{
    void *q = realloc(p, size_class(n));
    if (!q)
        out_of_memory(n);
    return q;
}

char *xstrndup(const char *s, size_t n)
{
    char *p = xmalloc(n + 1);
    if (n)
        memcpy(p, s, n);
    p[n] = '\0';
    return p;
}
