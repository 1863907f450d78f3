/* pattern_test - regular expressions and formats: what they find, where they are wrong, and that no pattern
 * is read beyond its end (copies of exactly its size, for sanitizers). */
#include <stdlib.h>

#include "base/regex.h"
#include "base/text_format.h"
#include "base/time_pattern.h"
#include "unit.h"

/* "group 0|group 1|..." of the first match in s; "-" for a group that took no part, "no", or what is wrong. */
static const char *find(const char *pattern, Str s)
{
    static char out[400];
    PatternError e;
    Regex *r = regex_open(str_of(pattern), &e);
    if (!r) {
        snprintf(out, sizeof out, "%u: %s", e.at, e.text);
        return out;
    }
    const char *why = "";
    RegexFound found = regex_find(r, s, &why);
    snprintf(out, sizeof out, "%s", found == REGEX_NO ? "no" : why);
    int n = 0;
    for (uint32_t i = 0; found == REGEX_YES && i <= regex_n_groups(r); i++) {
        Str group = STR_LIT("-");
        regex_group(r, s, i, &group);
        n += snprintf(out + n, sizeof out - (size_t)n, "%s%.*s", i ? "|" : "", STR_ARG(group));
    }
    regex_close(r);
    return out;
}

static void test_regex(void)
{
    CHECK_STR(find("b+", STR_LIT("abbc")), "bb");
    CHECK_STR(find("(a)|(b)|(c)", STR_LIT("xb")), "b|-|b|-");
    CHECK_STR(find("^$", STR_LIT("")), "");
    CHECK_STR(find("", STR_LIT("abc")), "");
    CHECK_STR(find("c$", STR_LIT("abc\n")), "c");
    CHECK_STR(find("^b", STR_LIT("a\nb")), "no");
    CHECK_STR(find("a.b", STR_LIT("a\rb")), "a\rb"); /* a line ends by LF alone */
    CHECK_STR(find("\\w+", STR_LIT("\xc3\xa9t\xc3\xa9!")), "\xc3\xa9t\xc3\xa9");
    CHECK_STR(find("[\xc3\xa9]", STR_LIT("\xc3")), "no");          /* half a character */
    CHECK_STR(find("b.*", STR_LIT("a\xff" "bc\xfe" "d")), "bc");   /* up to the next invalid byte */
    CHECK_STR(find("x\\0(y)", STR_LIT("x\0y")), "x|y"); /* printed as far as the NUL */
    CHECK_STR(find("^x(.)y$", STR_LIT("x\0y")), "x|");
    CHECK_STR(find("a\\Kb", STR_LIT("ab")), "b");
    CHECK_STR(find("(", STR_LIT("")), "1: missing closing parenthesis");
    CHECK(strncmp(find("a\\C", STR_LIT("ab")), "3: ", 3) == 0); /* half characters are no matches */
    CHECK_STR(find("^(a+)+$", STR_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")),
              "there are too many ways to match it, and it was given up");
}

static uint64_t state = 7;
static uint32_t below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % n;
}

static void one_format(Str pattern, uint32_t *n_right)
{
    static const Type types[] = {TYPE_INT, TYPE_FLOAT, TYPE_STRING, TYPE_BOOL, TYPE_DATE};
    TextFormat f;
    PatternError e;
    if (!text_format_open(pattern, &f, &e)) {
        CHECK(e.at <= pattern.len && strlen(e.text) > 5);
        return;
    }
    Buf b = {0};
    for (uint32_t i = 0; i < f.n_parts; i++) {
        char why[160];
        Value v = {.type = types[below(5)]};
        if (v.type == TYPE_FLOAT)
            v.f = (double)below(1000000) * 1e300;
        else if (v.type == TYPE_STRING)
            v.s = STR_LIT("\xc3\xa9\xff x");
        else
            v.i = v.type == TYPE_BOOL ? 1 : INT64_MIN + below(5);
        if (v.type == TYPE_DATE)
            v.i = below(1000000);
        if (!f.parts[i].has_value || !text_format_takes(&f.parts[i].spec, v.type, why))
            continue;
        size_t before = b.len;
        text_format_put(&b, &f.parts[i].spec, v);
        int32_t width = f.parts[i].spec.width;
        CHECK(width < 0 || b.len - before >= (size_t)width);
        ++*n_right;
    }
    buf_deinit(&b);
    text_format_close(&f);
}

static void test_noise(void)
{
    static const char letters[] = "{}{}::<>^=+-# 0123456789,_.dxXobfeEgG%s\xc3\xa9";
    uint32_t n_right = 0, n_times = 0, n_regex = 0;
    for (int i = 0; i < 300000; i++) {
        uint32_t n = below(12);
        char *s = xmalloc(n + 1u);
        for (uint32_t k = 0; k < n; k++)
            s[k] = letters[below(sizeof letters - 1)];
        if (n > 3 && below(2)) {
            s[0] = '{';
            s[1] = ':';
            s[n - 1] = '}';
        }
        char *exact = xmalloc(n ? n : 1);
        memcpy(exact, s, n);
        one_format((Str){exact, n}, &n_right);
        for (uint32_t k = 0; k < n; k++)
            exact[k] = below(2) ? '%' : "YmdHMSjFT-ZzQ \n"[below(15)];
        PatternError e;
        n_times += time_pattern_check((Str){exact, n}, below(2), &e);
        for (uint32_t k = 0; k < n; k++)
            exact[k] = "ab()[]*+?|\\^$.{1}\xc3\xa9-d"[below(22)];
        Regex *r = i % 10 ? NULL : regex_open((Str){exact, n}, &e);
        const char *why;
        n_regex += r && regex_find(r, (Str){s, n}, &why) != REGEX_FAILED;
        regex_close(r);
        free(exact);
        free(s);
    }
    CHECK(n_right > 5000 && n_times > 5000 && n_regex > 1000);
    printf("pattern: %u placeholders, %u time patterns, %u regular expressions of noise were right\n", n_right, n_times,
           n_regex);
}

int main(void)
{
    test_regex();
    test_noise();
    UNIT_END("pattern");
}
