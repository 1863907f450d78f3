#include "base/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define MAX_SOURCE_BYTES (1u << 30) /* flex counts the bytes of a text in an int */

struct Source {
    Str name, text;
    uint32_t base;
    uint32_t *lines; /* [n_lines] offset of each line's first byte */
    uint32_t n_lines;
};

struct Sources {
    Source **list; /* [n], by base */
    size_t n, cap;
};

Sources *sources_open(void)
{
    return xcalloc(1, sizeof(Sources));
}

void sources_close(Sources *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        free((char *)s->list[i]->name.ptr);
        free((char *)s->list[i]->text.ptr);
        free(s->list[i]->lines);
        free(s->list[i]);
    }
    free(s->list);
    free(s);
}

static void map_lines(Source *src)
{
    size_t cap = 16;
    src->lines = xmalloc(cap * sizeof *src->lines);
    src->lines[src->n_lines++] = 0;
    const char *text = src->text.ptr, *end = text + src->text.len;
    for (const char *p = text; (p = memchr(p, '\n', (size_t)(end - p))); p++) {
        if (src->n_lines == cap)
            src->lines = xrealloc(src->lines, (cap *= 2) * sizeof *src->lines);
        src->lines[src->n_lines++] = (uint32_t)(p - text) + 1;
        if (p + 1 == end)
            break;
    }
}

static uint32_t next_base(const Sources *s)
{
    if (s->n == 0)
        return 1;
    const Source *last = s->list[s->n - 1];
    return last->base + last->text.len + 1; /* its end is a position too */
}

const Source *sources_add(Sources *s, Str name, Str text)
{
    /* A byte order mark is no part of the text. */
    if (str_starts(text, STR_LIT("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.len - 3);
    uint32_t base = next_base(s);
    if (text.len > MAX_SOURCE_BYTES || text.len >= UINT32_MAX - base)
        return NULL;
    Source *src = xcalloc(1, sizeof *src);
    src->name = (Str){xstrndup(name.ptr, name.len), name.len};
    src->text = (Str){xstrndup(text.ptr ? text.ptr : "", text.len), text.len};
    src->base = base;
    map_lines(src);
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 8;
        s->list = xrealloc(s->list, s->cap * sizeof(Source *));
    }
    return s->list[s->n++] = src;
}

Status sources_read(Sources *s, const char *path, const Source **out, Error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(path, "rb");
    Buf text = {0};
    Status st = OK;
    char chunk[1 << 14];
    size_t n;

    if (!f)
        return error_set(err, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0 && text.len <= MAX_SOURCE_BYTES)
        buf_put(&text, chunk, n);
    if (ferror(f)) {
        st = error_set(err, ERR_IO, "cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    *out = text.len <= MAX_SOURCE_BYTES
               ? sources_add(s, str_of(is_stdin ? "stdin" : path), buf_str(&text))
               : NULL;
    if (!*out)
        st =
            error_set(err, ERR_DATA, "%s is too large for a program: over 1 GiB", path);
done:
    if (!is_stdin)
        fclose(f);
    buf_deinit(&text);
    return st;
}

uint32_t sources_count(const Sources *s)
{
    return (uint32_t)s->n;
}

const Source *sources_get(const Sources *s, uint32_t i)
{
    return s->list[i];
}

Str source_name(const Source *src)
{
    return src->name;
}

Str source_text(const Source *src)
{
    return src->text;
}

uint32_t source_base(const Source *src)
{
    return src->base;
}

static const Source *source_of(const Sources *s, uint32_t pos)
{
    size_t lo = 0, hi = s->n; /* the last with base <= pos is in [lo, hi) */
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->list[mid]->base <= pos)
            lo = mid;
        else
            hi = mid;
    }
    if (s->n == 0 || pos < s->list[lo]->base ||
        pos > s->list[lo]->base + s->list[lo]->text.len)
        return NULL;
    return s->list[lo];
}

Place sources_locate(const Sources *s, uint32_t pos)
{
    const Source *src = source_of(s, pos);
    if (!src)
        return (Place){0};
    uint32_t offset = pos - src->base;
    uint32_t lo = 0, hi = src->n_lines;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (src->lines[mid] <= offset)
            lo = mid;
        else
            hi = mid;
    }
    uint32_t start = src->lines[lo];
    uint32_t end = lo + 1 < src->n_lines ? src->lines[lo + 1] - 1 : src->text.len;
    if (end > start && src->text.ptr[end - 1] == '\r')
        end--;
    Str line = str_slice(src->text, start, end - start);
    uint32_t in_line = offset - start;
    Str before = str_slice(src->text, start, in_line);
    return (Place){src, lo + 1, utf8_count(before) + 1, line, in_line};
}
