#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

uint32_t utf8_len(const char *p, uint32_t n)
{
    utf8proc_int32_t cp;
    if (n == 0)
        return 0;
    if ((unsigned char)*p < 0x80)
        return 1;
    utf8proc_ssize_t k = utf8proc_iterate((const utf8proc_uint8_t *)p,
                                          (utf8proc_ssize_t)n, &cp);
    return k > 0 ? (uint32_t)k : 0;
}

uint32_t utf8_decode(const char *p, uint32_t n, uint32_t *cp)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t k = utf8proc_iterate((const utf8proc_uint8_t *)p,
                                          (utf8proc_ssize_t)n, &c);
    if (k <= 0) {
        *cp = 0xfffd;
        return 1;
    }
    *cp = (uint32_t)c;
    return (uint32_t)k;
}

uint32_t utf8_encode(uint32_t cp, char out[4])
{
    return (uint32_t)utf8proc_encode_char((utf8proc_int32_t)cp,
                                          (utf8proc_uint8_t *)out);
}

uint32_t utf8_valid_prefix(Str s)
{
    uint32_t i = 0;
    while (i < s.len) {
        uint32_t k = utf8_len(s.ptr + i, s.len - i);
        if (k == 0)
            return i;
        i += k;
    }
    return s.len;
}

#define ASCII_WORDS 4u

/* How many of the first n bytes are ASCII, as far as whole blocks of ASCII_WORDS words go. */
static uint32_t ascii_blocks(const char *p, uint32_t n)
{
    uint32_t i = 0;
    for (uint64_t words[ASCII_WORDS]; i + sizeof words <= n; i += (uint32_t)sizeof words) {
        memcpy(words, p + i, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u)
            break;
    }
    return i;
}

uint32_t utf8_count(Str s)
{
    uint32_t n = 0, i = 0;
    while (i < s.len) {
        uint32_t k = ascii_blocks(s.ptr + i, s.len - i);
        i += k;
        n += k;
        /* What a block did not take is looked at by character, as far as that block goes. */
        for (uint32_t end = i + ASCII_WORDS * 8; i < s.len && i < end; n++) {
            k = utf8_len(s.ptr + i, s.len - i);
            i += k ? k : 1;
        }
    }
    return n;
}

uint32_t utf8_width(Str s)
{
    uint32_t w = 0;
    for (uint32_t i = 0; i < s.len;) {
        uint32_t cp;
        i += utf8_decode(s.ptr + i, s.len - i, &cp);
        int k = utf8proc_charwidth((utf8proc_int32_t)cp);
        w += k > 0 ? (uint32_t)k : 0;
    }
    return w;
}
