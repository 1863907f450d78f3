#include "base/utf8.h"

#include <string.h>

#include "unit.h"

/* Decoded one by one. */
static uint32_t count_slowly(Str s)
{
    uint32_t n = 0, cp;
    for (uint32_t i = 0; i < s.len; n++)
        i += utf8_decode(s.ptr + i, s.len - i, &cp);
    return n;
}

/* Pieces put together at random, in texts of up to a few blocks of words: ASCII of every length between the others, and
 * invalid bytes, so that each begins and ends at each place of a block. */
static void counts_of_any_text(void)
{
    static const char *const pieces[] = {"a", "bc", "0123456789", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\x89",
                                         "\x80", "\xff", "\xe2\x82", "the words of a longer piece of text, of ASCII"};
    uint64_t seed = 1;
    uint32_t n_wrong = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        char text[512];
        uint32_t n = 0;
        for (;;) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            const char *piece = pieces[(seed >> 33) % (sizeof pieces / sizeof *pieces)];
            uint32_t len = (uint32_t)strlen(piece);
            if (n + len > (seed >> 40) % sizeof text)
                break;
            memcpy(text + n, piece, len);
            n += len;
        }
        Str s = {text, n};
        n_wrong += utf8_count(s) != count_slowly(s);
    }
    CHECK(n_wrong == 0);
}

int main(void)
{
    CHECK(utf8_count(STR_LIT("")) == 0);
    CHECK(utf8_count(STR_LIT("Fl\xc3\xa4" "che")) == 6);
    CHECK(utf8_count(STR_LIT("\xe2\x82")) == 2); /* cut: two invalid bytes */
    counts_of_any_text();
    UNIT_END("utf8");
}
