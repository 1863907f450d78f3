/* Windows-1252 and UTF-16 held against the C library's iconv, in pieces of every size; names. */
#include "base/text_coding.h"

#include <iconv.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include "data/input.h"
#include "unit.h"

static size_t by_iconv(const char *name, const char *from, size_t n, char *to, size_t cap)
{
    iconv_t cd = iconv_open("UTF-8", name);
    char *in = (char *)(uintptr_t)from, *out = to;
    size_t left = cap;
    CHECK(cd != (iconv_t)-1);
    CHECK(iconv(cd, &in, &n, &out, &left) == 0 && n == 0);
    iconv_close(cd);
    return cap - left;
}

/* All of it through an Input, `piece` bytes at a time. */
static size_t by_input(TextCoding coding, const char *from, size_t n, size_t piece, char *to, size_t cap)
{
    char path[] = "/tmp/coding_test_XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, from, n) == (ssize_t)n && close(fd) == 0);
    Input *in = NULL;
    size_t got = 1, len = 0;
    CHECK(input_open(str_of(path), coding, &in, NULL) == OK);
    while (got && len + piece <= cap) {
        CHECK(input_read(in, to + len, piece, &got, NULL) == OK);
        len += got;
    }
    input_close(in);
    unlink(path);
    return len;
}

static unsigned next(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16 & 0x7fff;
}

static void bytes_of_1252(void)
{
    char from[1], to[8], want[8];
    size_t used;
    for (unsigned c = 0; c < 256; c++) {
        from[0] = (char)c;
        size_t n = text_from_1252(from, 1, to, sizeof to, &used);
        CHECK(used == 1);
        if (c == 0x81 || c == 0x8d || c == 0x8f || c == 0x90 || c == 0x9d) {
            uint32_t cp;
            CHECK(utf8_decode(to, (uint32_t)n, &cp) == n && cp == c);
            continue;
        }
        CHECK(by_iconv("WINDOWS-1252", from, 1, want, sizeof want) == n && memcmp(to, want, n) == 0);
    }
}

static void random_1252(unsigned seed)
{
    char from[300], to[1000], want[1000];
    size_t n = next(&seed) % sizeof from;
    unsigned often = next(&seed) % 20 + 1;
    for (size_t i = 0; i < n; i++)
        from[i] = (char)(next(&seed) % often == 0 ? 0xa0 + next(&seed) % 0x60 : 1 + next(&seed) % 0x7f);
    size_t len = by_iconv("WINDOWS-1252", from, n, want, sizeof want);
    for (size_t piece = 1; piece < 40; piece += 1 + next(&seed) % 7)
        CHECK(by_input(CODING_1252, from, n, piece, to, sizeof to) == len && memcmp(to, want, len) == 0);
}

static void random_utf16(unsigned seed)
{
    char from[400], to[1000], want[1000];
    size_t n = 0;
    bool is_big = seed % 2, has_mark = seed % 3 > 0;
    for (size_t k = next(&seed) % 90; k > 0; k--) {
        uint32_t c = n == 0 && has_mark ? 0xfeff : n == 0 || next(&seed) % 3 ? 1 + next(&seed) % 0x7f : next(&seed) % 2 ? 0x80 + next(&seed) : 0x10000 + 16 * next(&seed);
        uint32_t units[2] = {c, 0};
        if (c >= 0xd800 && c < 0xe000)
            continue;
        if (c >= 0x10000) {
            units[0] = 0xd800 + ((c - 0x10000) >> 10);
            units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        for (int u = 0; u < (c >= 0x10000 ? 2 : 1); u++) {
            from[n++] = (char)(is_big ? units[u] >> 8 : units[u]);
            from[n++] = (char)(is_big ? units[u] : units[u] >> 8);
        }
    }
    size_t mark = n && has_mark ? 2 : 0;
    size_t len = by_iconv(is_big ? "UTF-16BE" : "UTF-16LE", from + mark, n - mark, want, sizeof want);
    for (size_t piece = 1; piece < 40; piece += 1 + next(&seed) % 7)
        CHECK(by_input(CODING_UTF16, from, n, piece, to, sizeof to) == len && memcmp(to, want, len) == 0);
}

static void refused(TextCoding coding, const char *bytes, size_t n, const char *text)
{
    char path[] = "/tmp/coding_test_XXXXXX", to[64];
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && close(fd) == 0);
    for (size_t piece = 1; piece < sizeof to; piece += 3) {
        Input *in = NULL;
        Error err = {0};
        Status st = input_open(str_of(path), coding, &in, &err);
        for (size_t got = 1; st == OK && got;)
            st = input_read(in, to, piece, &got, &err);
        CHECK(st == ERR_DATA);
        CHECK_STR(err.text, text);
        input_close(in);
    }
    unlink(path);
}

/* Without a mark, bare: whichever way round a text is, and however it begins. Each has an even number of bytes. */
static void order_of(const char *big, size_t n, bool is_told)
{
    char little[200];
    size_t mark;
    for (size_t i = 0; i < n; i++)
        little[i] = big[i ^ 1];
    CHECK(text_utf16_is_big(big, n, &mark) == is_told && mark == 0);
    CHECK(!text_utf16_is_big(little, n, &mark) && mark == 0);
}

static void orders(void)
{
    order_of("\0a\0,\0b", 6, true);
    order_of("\x04\x1f\0,\x04\x30\0\n", 8, true);
    order_of("\x4e\0\x67\x08\0,\x4e\x8c\0\n", 10, true);          /* U+4E00 is first */
    order_of("\x4e\0\x4e\0\x4e\0\0\n\x4e\0\x4e\0\0\n", 14, true); /* and most of it */
    order_of("\x67\x08", 2, false);                              /* nothing tells: little-endian */
}

int main(void)
{
    orders();
    TextCoding c;
    Str near;
    bytes_of_1252();
    for (unsigned seed = 1; seed <= 300; seed++) {
        random_1252(seed);
        random_utf16(seed);
    }
    refused(CODING_UTF16, "a\0\0\xd8" "b\0", 6, "half of a surrogate pair at byte 2: this is no UTF-16, or it is damaged");
    refused(CODING_UTF16, "a\0\0\xdc", 4, "half of a surrogate pair at byte 2: this is no UTF-16, or it is damaged");
    refused(CODING_UTF16, "a\0b", 3, "the text ends within a character at byte 2: this is no UTF-16, or it is damaged");
    refused(CODING_UTF16, "\xff\xfe" "a\0\0\xd8", 6, "the text ends within a character at byte 4: this is no UTF-16, or it is damaged");
    refused(CODING_UTF16, "ab", 2, "this has no byte order mark and does not begin as UTF-16 does: leave `encoding` out, or name another");
    refused(CODING_UTF16, "\xef\xbb\xbf" "a", 4, "this begins with the byte order mark of UTF-8: leave `encoding` out");
    refused(CODING_1252, "\xef\xbb\xbf" "a", 4, "this begins with the byte order mark of UTF-8: leave `encoding` out");
    refused(CODING_1252, "\xfe\xff\0a", 4, "this begins with the byte order mark of UTF-16: write `encoding: \"utf-16\"`");

    CHECK(text_coding_named(STR_LIT("Latin-1"), &c, &near) && c == CODING_1252);
    CHECK(text_coding_named(STR_LIT("ISO_8859_1"), &c, &near) && c == CODING_1252);
    CHECK(text_coding_named(STR_LIT("CP1252"), &c, &near) && c == CODING_1252);
    CHECK(text_coding_named(STR_LIT("UTF8"), &c, &near) && c == CODING_UTF8);
    CHECK(text_coding_named(STR_LIT("utf-16"), &c, &near) && c == CODING_UTF16);
    CHECK(!text_coding_named(STR_LIT("latin"), &c, &near) && str_is(near, "latin1"));
    CHECK(!text_coding_named(STR_LIT("latin12"), &c, &near) && str_is(near, "latin1"));
    CHECK(!text_coding_named(STR_LIT("-"), &c, &near) && near.len == 0);
    CHECK(!text_coding_named(STR_LIT("shift_jis"), &c, &near) && near.len == 0);
    for (TextCoding k = CODING_UTF8; k <= CODING_UTF16; k++)
        CHECK(text_coding_named(str_of(text_coding_name(k)), &c, &near) && c == k);
    UNIT_END("text_coding");
}
