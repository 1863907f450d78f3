#include "vm/call.h"

#include <utf8proc.h>

#include "base/utf8.h"
#include "vm/ascii.h"

#define PAD_MAX 1000000

static Str arg(const Call *c, uint32_t i, uint32_t row)
{
    return reg_str(&c->args[i], row);
}

static bool is_ascii(Str s)
{
    uint8_t all = 0;
    for (uint32_t i = 0; i < s.len; i++)
        all |= (uint8_t)s.ptr[i];
    return all < 0x80;
}

static bool too_long(Call *c)
{
    return call_overflow(c, "the string is longer than 4 GiB");
}

/* Where the first b in a begins, at or after `from`; a.len if nowhere. b is not empty. */
static uint32_t find(Str a, Str b, uint32_t from)
{
    const char *p = str_find(str_slice(a, from, a.len), b);
    return p ? (uint32_t)(p - a.ptr) : a.len;
}

/* Bytes of the first n code points of s, s.len if it has no more. An invalid byte is one. */
static uint32_t skip_points(Str s, uint64_t n)
{
    uint32_t at = 0;
    while (n-- && at < s.len) {
        uint32_t len = utf8_len(s.ptr + at, s.len - at);
        at += len ? len : 1;
    }
    return at;
}

static bool change_case(Call *c, uint32_t row, utf8proc_int32_t (*map)(utf8proc_int32_t), char lo,
                        char hi)
{
    Str s = arg(c, 0, row);
    if (is_ascii(s)) {
        char *to = call_bytes(c, s.len);
        for (uint32_t i = 0; i < s.len; i++)
            to[i] = (char)(s.ptr[i] ^ (s.ptr[i] >= lo && s.ptr[i] <= hi ? 0x20 : 0));
        c->out.s = (Str){to, s.len};
        return true;
    }
    if (s.len > UINT32_MAX / 2)
        return too_long(c);
    char *to = call_bytes(c, s.len * 2ull); /* no letter of 1 byte becomes one of 3, none of 2 one of 5 */
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.len;) {
        uint32_t len = utf8_len(s.ptr + i, s.len - i), cp;
        if (len == 0) { /* a byte that is no text stays */
            to[n++] = s.ptr[i++];
            continue;
        }
        utf8_decode(s.ptr + i, s.len - i, &cp);
        n += utf8_encode((uint32_t)map((utf8proc_int32_t)cp), to + n);
        i += len;
    }
    c->out.s = (Str){to, n};
    return true;
}

/* Unicode's simple mapping leaves the sharp s; utf8proc makes a capital one of it. */
static utf8proc_int32_t upper_point(utf8proc_int32_t cp)
{
    return cp == 0xdf ? cp : utf8proc_toupper(cp);
}

bool call_upper(Call *c, uint32_t row)
{
    return change_case(c, row, upper_point, 'a', 'z');
}

bool call_lower(Call *c, uint32_t row)
{
    return change_case(c, row, utf8proc_tolower, 'A', 'Z');
}

static void change_case_column(Call *c, const uint64_t *live, Column *out, uint64_t *rest, char first)
{
    const Column *in = c->args[0].col;
    const StrView *from = column_strs(in);
    Reach reach = reach_of_column(in);
    uint64_t total = REACH_BYTES;
    for (uint32_t i = 0; i < in->n_rows; i++)
        total += from[i].len <= REACH_BYTES ? from[i].len : 0;
    if (!c->heap)
        c->heap = heap_new(total);
    char *to = call_bytes(c, total);
    BITS_EACH(row, live, out->n_rows)
    {
        StrView v = from[row];
        Bytes16 others = {0};
        if (reach_is_short(reach, v))
            ascii_change_case(to, v.ptr, v.len, first, &others);
        if (!reach_is_short(reach, v) || bytes16_any(others)) {
            bit_set(rest, row);
            continue;
        }
        column_strs(out)[row] = (StrView){to, v.len, 0};
        to += v.len;
    }
}

void call_upper_column(Call *c, const uint64_t *live, Column *out, uint64_t *rest)
{
    change_case_column(c, live, out, rest, 'a');
}

void call_lower_column(Call *c, const uint64_t *live, Column *out, uint64_t *rest)
{
    change_case_column(c, live, out, rest, 'A');
}

static bool is_space(uint32_t cp)
{
    if (cp < 0x80)
        return cp == ' ' || (cp >= '\t' && cp <= '\r');
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)cp);
    return cp == 0x85 || k == UTF8PROC_CATEGORY_ZS || k == UTF8PROC_CATEGORY_ZL ||
           k == UTF8PROC_CATEGORY_ZP;
}

/* Is the code point s one of chars, or white space when there are none given? */
static bool is_trimmed(Str s, const Str *chars)
{
    if (!chars) {
        uint32_t cp;
        utf8_decode(s.ptr, s.len, &cp);
        return is_space(cp);
    }
    for (uint32_t i = 0; i < chars->len;) {
        uint32_t n = skip_points((Str){chars->ptr + i, chars->len - i}, 1);
        if (str_eq(s, (Str){chars->ptr + i, n}))
            return true;
        i += n;
    }
    return false;
}

bool call_trim(Call *c, uint32_t row)
{
    Str s = arg(c, 0, row), given = {"", 0}, *chars = NULL;
    if (c->n_args > 1) {
        given = arg(c, 1, row);
        chars = &given;
    }
    while (s.len) {
        uint32_t n = skip_points(s, 1);
        if (!is_trimmed((Str){s.ptr, n}, chars))
            break;
        s = (Str){s.ptr + n, s.len - n};
    }
    while (s.len) {
        uint32_t n = 1; /* of the last code point */
        while (n < 4 && n < s.len && ((uint8_t)s.ptr[s.len - n] & 0xc0) == 0x80)
            n++;
        if (utf8_len(s.ptr + s.len - n, n) != n)
            n = 1;
        if (!is_trimmed((Str){s.ptr + s.len - n, n}, chars))
            break;
        s.len -= n;
    }
    c->out.s = s;
    return true;
}

bool call_length(Call *c, uint32_t row)
{
    c->out.i = utf8_count(arg(c, 0, row));
    return true;
}

bool call_substring(Call *c, uint32_t row)
{
    Str s = arg(c, 0, row);
    int64_t start = reg_int(&c->args[1], row), length = INT64_MAX;
    if (c->n_args > 2)
        length = reg_int(&c->args[2], row);
    if (length < 0)
        return call_fail(c, "the length %lld is negative", (long long)length);
    if (start < 0) {
        int64_t n = utf8_count(s);
        start = start < -n ? 0 : start + n;
    }
    uint32_t from = skip_points(s, (uint64_t)start);
    Str rest = {s.ptr + from, s.len - from};
    c->out.s = (Str){rest.ptr, skip_points(rest, (uint64_t)length)};
    return true;
}

bool call_replace(Call *c, uint32_t row)
{
    Str s = arg(c, 0, row), from = arg(c, 1, row), to = arg(c, 2, row);
    uint64_t n = 0;
    if (from.len)
        for (uint32_t at = find(s, from, 0); at < s.len; at = find(s, from, at + from.len))
            n++;
    c->out.s = s;
    if (n == 0)
        return true;
    uint64_t len = s.len - n * from.len + n * to.len;
    if (len > UINT32_MAX)
        return too_long(c);
    char *out = call_bytes(c, len), *p = out;
    uint32_t done = 0;
    for (uint32_t at = find(s, from, 0); at < s.len; at = find(s, from, done)) {
        memcpy(p, s.ptr + done, at - done);
        p += at - done;
        memcpy(p, to.ptr, to.len);
        p += to.len;
        done = at + from.len;
    }
    memcpy(p, s.ptr + done, s.len - done);
    c->out.s = (Str){out, (uint32_t)len};
    return true;
}

bool call_split_part(Call *c, uint32_t row)
{
    Str s = arg(c, 0, row), sep = arg(c, 1, row);
    int64_t n = reg_int(&c->args[2], row);
    int64_t n_parts = 1;
    if (n < 0) {
        if (sep.len)
            for (uint32_t at = find(s, sep, 0); at < s.len; at = find(s, sep, at + sep.len))
                n_parts++;
        if (n < -n_parts) {
            c->out.is_null = true;
            return true;
        }
        n += n_parts;
    }
    uint32_t from = 0;
    for (;;) {
        uint32_t at = sep.len ? find(s, sep, from) : s.len;
        if (n == 0) {
            c->out.s = (Str){s.ptr + from, at - from};
            return true;
        }
        if (at == s.len) {
            c->out.is_null = true;
            return true;
        }
        from = at + sep.len;
        n--;
    }
}

bool call_contains(Call *c, uint32_t row)
{
    Str s = arg(c, 0, row), part = arg(c, 1, row);
    c->out.i = part.len == 0 || find(s, part, 0) < s.len;
    return true;
}

bool call_starts_with(Call *c, uint32_t row)
{
    c->out.i = str_starts(arg(c, 0, row), arg(c, 1, row));
    return true;
}

bool call_ends_with(Call *c, uint32_t row)
{
    c->out.i = str_ends(arg(c, 0, row), arg(c, 1, row));
    return true;
}

static bool pad(Call *c, uint32_t row, bool left)
{
    Str s = arg(c, 0, row), fill = STR_LIT(" ");
    int64_t width = reg_int(&c->args[1], row);
    if (c->n_args > 2)
        fill = arg(c, 2, row);
    if (width > PAD_MAX)
        return call_fail(c, "the width %lld is above %d", (long long)width, PAD_MAX);
    int64_t have = utf8_count(s);
    c->out.s = s;
    if (width <= have || fill.len == 0)
        return true;
    uint64_t want = (uint64_t)(width - have), in_fill = utf8_count(fill);
    uint32_t tail = skip_points(fill, want % in_fill);
    uint64_t n = want / in_fill * fill.len + tail;
    if (n + s.len > UINT32_MAX)
        return too_long(c);
    char *out = call_bytes(c, n + s.len), *p = left ? out : out + s.len;
    memcpy(left ? out + n : out, s.ptr, s.len);
    for (uint64_t i = 0; i < want / in_fill; i++, p += fill.len)
        memcpy(p, fill.ptr, fill.len);
    memcpy(p, fill.ptr, tail);
    c->out.s = (Str){out, (uint32_t)(n + s.len)};
    return true;
}

bool call_pad_left(Call *c, uint32_t row)
{
    return pad(c, row, true);
}

bool call_pad_right(Call *c, uint32_t row)
{
    return pad(c, row, false);
}
