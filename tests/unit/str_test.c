/* Finding and trimming, also in texts that are empty and have no place; buffers that are as large as asked for. */
#include "base/str.h"

#include "unit.h"

/* Where it begins by looking everywhere; the length of s if nowhere. */
static uint32_t find_slowly(Str s, Str what)
{
    for (uint32_t i = 0; i + what.len <= s.len; i++)
        if (str_eq(str_slice(s, i, what.len), what))
            return i;
    return s.len;
}

/* All texts of up to eight letters of two, each in each. */
static void test_find(void)
{
    enum { MOST = 8 };
    char a[MOST], b[MOST];
    uint32_t n_wrong = 0;
    for (uint32_t n = 0; n <= MOST; n++)
        for (uint32_t m = 0; m <= 3; m++)
            for (uint32_t bits = 0; bits < 1u << (n + m); bits++) {
                for (uint32_t i = 0; i < n; i++)
                    a[i] = bits >> i & 1 ? 'x' : 'y';
                for (uint32_t i = 0; i < m; i++)
                    b[i] = bits >> (n + i) & 1 ? 'x' : 'y';
                Str s = {a, n}, what = {b, m};
                const char *at = str_find(s, what);
                uint32_t want = find_slowly(s, what);
                bool is_there = want < n || m == 0;
                n_wrong += is_there ? at != a + want : at != NULL;
            }
    CHECK(n_wrong == 0);
    CHECK(str_find((Str){0}, (Str){0}) != NULL);
    CHECK(str_find((Str){0}, STR_LIT("x")) == NULL);
}

static void test_trim(void)
{
    CHECK(str_is(str_trim(STR_LIT(" \ta b\t ")), "a b"));
    CHECK(str_trim(STR_LIT(" \t ")).len == 0);
    CHECK(str_trim((Str){0}).len == 0);
}

static void test_reserve_exact(void)
{
    Buf b = {0};
    buf_reserve_exact(&b, 100000);
    CHECK(b.cap == 100001);
    buf_puts(&b, "kept");
    buf_reserve_exact(&b, 10); /* there is room */
    CHECK(b.cap == 100001);
    buf_reserve_exact(&b, 200000);
    CHECK(b.cap == 200005 && str_is(buf_str(&b), "kept"));
    buf_clear(&b);
    buf_reserve_exact(&b, 300000); /* nothing to be kept */
    CHECK(b.cap == 300001 && b.len == 0);
    buf_deinit(&b);
}

int main(void)
{
    test_reserve_exact();
    test_find();
    test_trim();
    UNIT_END("str");
}
