/* text.c - bytes that grow, files as text, comparing text. */
#include "runner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void die(const char *what)
{
    fprintf(stderr, "runner: %s: %s\n", what, strerror(errno));
    exit(2);
}

void *must(void *p)
{
    if (!p)
        die("out of memory");
    return p;
}

void buf_add(Buf *b, const char *s, size_t n)
{
    if (b->n + n + 1 > b->cap) {
        b->cap = (b->n + n + 1) * 2;
        b->p = must(realloc(b->p, b->cap));
    }
    if (n)
        memcpy(b->p + b->n, s, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_str(Buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

__attribute__((format(printf, 2, 3))) void buf_printf(Buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = NULL;
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    s = must(malloc((size_t)n + 1));
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf_add(b, s, (size_t)n);
    free(s);
}

const char *buf_text(const Buf *b)
{
    return b->p ? b->p : "";
}

char *copy_n(const char *s, size_t n)
{
    char *d = must(malloc(n + 1));
    memcpy(d, s, n);
    d[n] = '\0';
    return d;
}

char *text_of(const char *fmt, ...)
{
    char s[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s, sizeof s, fmt, ap);
    va_end(ap);
    return copy_n(s, strlen(s));
}

bool starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool read_all(const char *path, Buf *out)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    char chunk[65536];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(out, chunk, n);
    fclose(f);
    return true;
}

void write_all(const char *path, const char *s, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || (n && fwrite(s, 1, n, f) != n) || fclose(f) != 0)
        die(path);
}

/* Length of the UTF-8 sequence at s, 0 if it is not one. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
    size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] >= 0x80 && (s[0] < 0xc2 || s[0] > 0xf4))
        return 0;
    if (len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

/* Output as expectations show it: control and broken bytes escaped, and a pseudo line
 * when the final line end is missing. Leaves its own results as they are. */
Buf visible(const Buf *raw)
{
    Buf out = {0};
    for (size_t i = 0; i < raw->n;) {
        unsigned char c = (unsigned char)raw->p[i];
        size_t len = utf8_len((const unsigned char *)raw->p + i, raw->n - i);
        if (c == '\r')
            buf_str(&out, "\\r");
        else if (len == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            buf_printf(&out, "\\x%02x", c);
        else
            buf_add(&out, raw->p + i, len);
        i += len ? len : 1;
    }
    if (raw->n && raw->p[raw->n - 1] != '\n')
        buf_str(&out, "\n\\ no newline at end\n");
    return out;
}

/* Does one line match, where `<*>` stands for any text? */
static bool line_matches(const char *want, size_t n_want, const char *got, size_t n_got)
{
    while (n_want) {
        if (n_want >= 3 && memcmp(want, "<*>", 3) == 0) {
            for (size_t skip = 0; skip <= n_got; skip++)
                if (line_matches(want + 3, n_want - 3, got + skip, n_got - skip))
                    return true;
            return false;
        }
        if (!n_got || *want != *got)
            return false;
        want++, got++, n_want--, n_got--;
    }
    return n_got == 0;
}

/* The same for whole texts, where a line `<...>` stands for any lines. */
bool text_matches(const char *want, const char *got)
{
    while (*want) {
        size_t n_want = strcspn(want, "\n"), n_got = strcspn(got, "\n");
        const char *next = want + n_want + (want[n_want] == '\n');
        if (n_want == 5 && memcmp(want, "<...>", 5) == 0) {
            for (;;) {
                if (text_matches(next, got))
                    return true;
                if (!*got)
                    return false;
                got += strcspn(got, "\n");
                got += *got == '\n';
            }
        }
        if (!*got || !line_matches(want, n_want, got, n_got))
            return false;
        want = next;
        got += n_got + (got[n_got] == '\n');
    }
    return !*got;
}

int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

Buf sorted_lines(const Buf *text)
{
    size_t n = 0;
    for (size_t i = 0; i < text->n; i++)
        n += text->p[i] == '\n';
    char **lines = must(calloc(n + 1, sizeof *lines));
    const char *s = buf_text(text);
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(s, "\n");
        lines[i] = copy_n(s, len);
        s += len + 1;
    }
    qsort(lines, n, sizeof *lines, by_text);
    Buf out = {0};
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s\n", lines[i]);
    return out;
}
