#include "base/text_coding.h"

#include <stdint.h>
#include <string.h>

#include "base/suggest.h"
#include "base/utf8.h"

/* ---- names ---- */

static const struct {
    const char *name;
    TextCoding coding;
} names[] = {
    {"utf-8", CODING_UTF8},       {"latin1", CODING_1252},     {"windows-1252", CODING_1252}, {"utf-16", CODING_UTF16},
    {"iso-8859-1", CODING_1252},  {"cp1252", CODING_1252},     {"ascii", CODING_UTF8},
};
enum { N_NAMES = sizeof names / sizeof *names, N_TOLD = 4 };

/* Equal, but for case and what joins the parts. */
static bool is_same(Str s, const char *name)
{
    uint32_t i = 0;
    for (;; i++, name++) {
        while (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '_' || s.ptr[i] == ' '))
            i++;
        while (*name == '-')
            name++;
        if (i == s.len || !*name)
            return i == s.len && !*name;
        if (ascii_lower(s.ptr[i]) != *name)
            return false;
    }
}

bool text_coding_named(Str name, TextCoding *out, Str *nearest)
{
    Suggest s;
    *nearest = (Str){0};
    for (size_t k = 0; k < N_NAMES; k++)
        if (is_same(name, names[k].name)) {
            *out = names[k].coding;
            return true;
        }
    suggest_init(&s, name);
    for (size_t k = 0; k < N_NAMES; k++)
        suggest_offer(&s, str_of(names[k].name));
    *nearest = s.best;
    return false;
}

const char *text_coding_name(TextCoding c)
{
    switch (c) {
    case CODING_UTF8: return "utf-8";
    case CODING_1252: return "windows-1252";
    case CODING_UTF16: return "utf-16";
    }
    return "";
}

const char *text_coding_names(void)
{
    return "`utf-8`, `latin1`, `windows-1252` and `utf-16`";
}

/* ---- Windows-1252 ---- */

/* 0x80 to 0x9f; the others are their own code points. */
static const uint16_t high_1252[32] = {
    0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
    0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178};

size_t text_from_1252(const char *from, size_t n, char *to, size_t cap, size_t *used)
{
    size_t i = 0, o = 0;
    for (;;) {
        /* Most of a text is ASCII. */
        for (uint64_t word; n - i >= 8 && cap - o >= 8; i += 8, o += 8) {
            memcpy(&word, from + i, 8);
            memcpy(to + o, &word, 8);
            if (word & 0x8080808080808080u)
                break;
        }
        for (int k = 0; k < 8; k++) {
            if (i == n || cap - o < 3)
                break;
            unsigned char c = (unsigned char)from[i++];
            if (c < 0x80) {
                to[o++] = (char)c;
            } else if (c < 0xa0) {
                o += utf8_encode(high_1252[c - 0x80], to + o);
            } else {
                to[o++] = (char)(0xc0 | c >> 6);
                to[o++] = (char)(0x80 | (c & 0x3f));
            }
        }
        if (i == n || cap - o < 3)
            break;
    }
    *used = i;
    return o;
}

/* ---- UTF-16 ---- */

/* Without a mark: by the line ends, as there is no U+0A00; where they do not tell by the NUL bytes beside ASCII. Some
 * letters have one, too: U+4E00, a Chinese one, is an N the other way round. */
static bool is_big_bare(const char *p, size_t n)
{
    size_t ends[2] = {0, 0}, nuls[2] = {0, 0}; /* as little-endian, as big-endian */
    for (size_t i = 0; i + 1 < n; i += 2) {
        ends[0] += p[i] == '\n' && p[i + 1] == '\0';
        ends[1] += p[i] == '\0' && p[i + 1] == '\n';
        nuls[0] += p[i + 1] == '\0';
        nuls[1] += p[i] == '\0';
    }
    if (ends[0] != ends[1])
        return ends[1] > ends[0];
    const char *first = memchr(p, '\0', n);
    return nuls[0] != nuls[1] ? nuls[1] > nuls[0] : first && (first - p) % 2 == 0;
}

bool text_utf16_is_big(const char *p, size_t n, size_t *mark)
{
    *mark = n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0) ? 2 : 0;
    return *mark ? p[0] == '\xfe' : is_big_bare(p, n < TEXT_LOOK_BYTES ? n : TEXT_LOOK_BYTES);
}

static uint32_t unit_at(const char *p, bool is_big)
{
    unsigned char a = (unsigned char)p[0], b = (unsigned char)p[1];
    return is_big ? (uint32_t)(a << 8 | b) : (uint32_t)(b << 8 | a);
}

size_t text_from_utf16(const char *from, size_t n, bool is_big, char *to, size_t cap, size_t *used, bool *is_bad)
{
    size_t i = 0, o = 0;
    *is_bad = false;
    while (n - i >= 2 && cap - o >= 4) {
        uint32_t c = unit_at(from + i, is_big), low;
        if (c < 0x80) {
            to[o++] = (char)c;
            i += 2;
            continue;
        }
        bool is_high = c >= 0xd800 && c < 0xdc00;
        if (is_high && n - i < 4)
            break;
        if (c >= 0xd800 && c < 0xe000) {
            low = is_high ? unit_at(from + i + 2, is_big) : 0;
            *is_bad = low < 0xdc00 || low > 0xdfff;
            if (*is_bad)
                break;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        i += 2;
        o += utf8_encode(c, to + o);
    }
    *used = i;
    return o;
}
