#include "data/csv_cell.h"

#include <string.h>

#include "data/reach.h"

bool csv_cell_is_null(StrView cell, const CsvDialect *d)
{
    if (cell.flags & CELL_QUOTED)
        return false;
    return cell.len == 0 || (cell.len == d->null_word.len &&
                             memcmp(cell.ptr, d->null_word.ptr, cell.len) == 0);
}

Str csv_cell_text(StrView cell, char quote, Heap **heap)
{
    if (!(cell.flags & CELL_QUOTED))
        return (Str){cell.ptr, cell.len};
    /* A quoted cell ends with its closing quote: the scanner ends it nowhere else. */
    const char *p = cell.ptr + 1, *end = cell.ptr + cell.len - 1;
    const char *q = memchr(p, quote, (size_t)(end - p));
    if (!q || q + 1 == end || q[1] != quote) {
        /* No quote inside, or a stray one, which is data. The rest may still have a double one. */
        while (q && (q + 1 == end || q[1] != quote))
            q = q + 1 == end ? NULL : memchr(q + 1, quote, (size_t)(end - q - 1));
        if (!q)
            return (Str){p, (uint32_t)(end - p)};
    }
    if (!*heap)
        *heap = heap_new(4096);
    char *out = heap_alloc(*heap, (size_t)(end - p)), *o = out;
    while (p < end) {
        char c = *p++;
        *o++ = c;
        if (c == quote && p < end && *p == quote)
            p++;
    }
    return (Str){out, (uint32_t)(o - out)};
}

bool csv_text_is_plain(const char *p, size_t n, const CsvDialect *d)
{
    const Bytes16 delimiter = bytes16_all(d->delimiter), quote = bytes16_all(d->quote);
    const Bytes16 lf = bytes16_all('\n'), cr = bytes16_all('\r');
    for (; n >= 64; p += 64, n -= 64) {
        Bytes16 found = {0};
        for (int i = 0; i < 64; i += 16) {
            Bytes16 x = bytes16(p + i);
            found |= (Bytes16)((x == delimiter) | (x == quote) | (x == lf) | (x == cr));
        }
        if (bytes16_any(found))
            return false;
    }
    for (; n; p++, n--)
        if (*p == d->delimiter || *p == d->quote || *p == '\n' || *p == '\r')
            return false;
    return true;
}

static bool needs_quotes(Str s, const CsvDialect *d)
{
    return s.len == 0 || (d->null_word.len && str_eq(s, d->null_word)) ||
           !csv_text_is_plain(s.ptr, s.len, d);
}

void csv_put_text(Buf *out, Str text, const CsvDialect *d)
{
    if (!needs_quotes(text, d)) {
        buf_put_str(out, text);
        return;
    }
    buf_reserve(out, 2 * (size_t)text.len + 2);
    char *o = out->ptr + out->len;
    *o++ = d->quote;
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == d->quote)
            *o++ = d->quote;
        *o++ = text.ptr[i];
    }
    *o++ = d->quote;
    *o = '\0';
    out->len = (size_t)(o - out->ptr);
}
