#include "data/csv_cell.h"

#include <string.h>

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

static bool needs_quotes(Str s, const CsvDialect *d)
{
    if (s.len == 0 || (d->null_word.len && str_eq(s, d->null_word)))
        return true;
    /* Eight bytes in one integer: a byte that is c becomes 0, and only a 0 borrows. */
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    const uint64_t want[] = {ones * (unsigned char)d->delimiter, ones * (unsigned char)d->quote,
                             ones * '\n', ones * '\r'};
    uint32_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t v, found = 0;
        memcpy(&v, s.ptr + i, 8);
        for (int k = 0; k < 4; k++)
            found |= ((v ^ want[k]) - ones) & ~(v ^ want[k]);
        if (found & tops)
            return true;
    }
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == d->delimiter || c == d->quote || c == '\n' || c == '\r')
            return true;
    }
    return false;
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
