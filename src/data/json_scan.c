#include "data/json_scan.h"

#include "base/utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four digits, or -1. */
static int32_t hex4(const char *p)
{
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

const char *jscan_string_end(const char *p, const char *limit, bool *has_escapes, JsonBad *bad)
{
    for (;;) {
        p = jscan_special(p, limit);
        if (*p == '"')
            return p;
        if (*p == '\n')
            return jscan_fail(bad, p, "the line ends inside a string");
        if (*p != '\\')
            return jscan_fail(bad, p, "a control byte in a string: write it as \\u00XX");
        *has_escapes = true;
        if (p[1] == 'u' && hex4(p + 2) < 0)
            return jscan_fail(bad, p, "expected four hexadecimal digits behind `\\u`");
        if (p[1] != 'u' && (p[1] == '\n' || p[1] == '\0' || !strchr("\"\\/bfnrt", p[1])))
            return jscan_fail(bad, p, "an unknown escape in a string");
        p += p[1] == 'u' ? 6 : 2;
    }
}

uint32_t jscan_unescape(Str raw, char *out)
{
    const char *p = raw.ptr, *end = raw.ptr + raw.len;
    char *to = out;
    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t n = (size_t)((slash ? slash : end) - p);
        memcpy(to, p, n);
        to += n;
        p += n;
        if (!slash)
            break;
        char c = p[1];
        p += 2;
        if (c != 'u') {
            *to++ = c == 'b' ? '\b' : c == 'f' ? '\f' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
            continue;
        }
        uint32_t cp = (uint32_t)hex4(p);
        p += 4;
        if (cp >= 0xd800 && cp < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
            uint32_t low = (uint32_t)hex4(p + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
                p += 6;
            }
        }
        if (cp >= 0xd800 && cp < 0xe000)
            cp = 0xfffd;
        char bytes[4];
        uint32_t len = utf8_encode(cp, bytes);
        memcpy(to, bytes, len);
        to += len;
    }
    return (uint32_t)(to - out);
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* p: the first byte of a number. Its end. */
static const char *scan_number(const char *p, JsonBad *bad)
{
    const char *start = p;
    if (*p == '-')
        p++;
    if (!is_digit(*p))
        return jscan_fail(bad, start, "expected a value");
    if (*p == '0' && is_digit(p[1]))
        return jscan_fail(bad, start, "a number that begins with 0: write codes as strings");
    while (is_digit(*p))
        p++;
    if (*p == '.') {
        if (!is_digit(*++p))
            return jscan_fail(bad, start, "expected a digit behind the point of a number");
        while (is_digit(*p))
            p++;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        if (*p == '+' || *p == '-')
            p++;
        if (!is_digit(*p))
            return jscan_fail(bad, start, "expected a digit in the exponent of a number");
        while (is_digit(*p))
            p++;
    }
    return p;
}

/* A value that holds no others. */
static const char *scalar(const char *p, const char *limit, JsonBad *bad)
{
    bool escapes = false;
    switch (*p) {
    case '"':
        p = jscan_string(p + 1, limit, &escapes, bad);
        return p ? p + 1 : NULL;
    case 't': return jscan_is_true(p) ? p + 4 : jscan_fail(bad, p, "expected a value");
    case 'f': return jscan_is_false(p) ? p + 5 : jscan_fail(bad, p, "expected a value");
    case 'n': return jscan_is_null(p) ? p + 4 : jscan_fail(bad, p, "expected a value");
    case '\n': return jscan_fail(bad, p, "the line ends where a value is expected");
    default: return scan_number(p, bad);
    }
}

/* A key and its colon: where the value begins. */
static const char *key(const char *p, const char *limit, JsonBad *bad)
{
    bool escapes = false;
    if (*p != '"')
        return jscan_fail(bad, p, *p == '\n' ? "the line ends inside an object" : "expected a key in quotes");
    p = jscan_string(p + 1, limit, &escapes, bad);
    if (!p)
        return NULL;
    p = jscan_blanks(p + 1);
    return *p == ':' ? jscan_blanks(p + 1) : jscan_fail(bad, p, "expected `:` behind a key");
}

const char *jscan_value(const char *p, const char *limit, JsonBad *bad)
{
    uint64_t is_object[JSON_DEPTH_MAX / 64 + 1]; /* bit d: what is open at depth d */
    uint32_t depth = 0;
    for (;;) { /* at a value */
        while (*p == '{' || *p == '[') {
            bool object = *p == '{';
            if (depth == JSON_DEPTH_MAX)
                return jscan_fail(bad, p, "arrays and objects more than 1,000 deep");
            p = jscan_blanks(p + 1);
            if (*p == (object ? '}' : ']'))
                goto closed;
            is_object[depth / 64] = (is_object[depth / 64] & ~(1ull << depth % 64)) | (uint64_t)object << depth % 64;
            depth++;
            if (object && !(p = key(p, limit, bad)))
                return NULL;
        }
        p = scalar(p, limit, bad);
        if (!p || depth == 0)
            return p;
        for (;;) { /* behind a value */
            p = jscan_blanks(p);
            bool object = is_object[(depth - 1) / 64] >> (depth - 1) % 64 & 1;
            if (*p == ',') {
                p = jscan_blanks(p + 1);
                if (object && !(p = key(p, limit, bad)))
                    return NULL;
                break;
            }
            if (*p != (object ? '}' : ']'))
                return jscan_fail(bad, p,
                                 *p == '\n' ? (object ? "the line ends inside an object" : "the line ends inside an array")
                                 : object   ? "expected `,` or `}` behind a value"
                                            : "expected `,` or `]` behind a value");
            depth--;
        closed:
            p++;
            if (depth == 0)
                return p;
        }
    }
}
