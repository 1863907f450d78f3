/* What every match of a pattern has in it: patterns one by one, and random ones against what PCRE2 finds in random texts: a
 * text without it is matched by nothing, and is not given up. */
#include "base/regex_literal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/regex.h"
#include "unit.h"

static const char *literal_of(const char *pattern)
{
    static Buf out;
    buf_clear(&out);
    return regex_literal(str_of(pattern), &out) ? out.ptr : "-";
}

static void test_patterns(void)
{
    static const char *const CASES[][2] = {
        {"abc", "abc"},           {"^abc$", "abc"},          {"iris 8[0-9]98", "iris 8"}, {"a", "-"},
        {"", "-"},                {"ab?cd", "cd"},           {"abc*", "ab"},              {"abc+de", "abc"},
        {"ab{2}c", "ab"},         {"ab{0}c", "-"},           {"ab{0,3}cd", "cd"},         {"ab{2,1}cd", "-"},
        {"ab{,2}cd", "-"},        {"ab{x", "-"},             {"a\\.b\\\\c", "a.b\\c"},    {"\\d+abc", "abc"},
        {"abc\\d{3}de", "abc"},   {"ab|cd", "-"},            {"(ab|cd)ef", "ef"},         {"(abcd)ef", "ef"},
        {"(?:abcd)?ef", "ef"},    {"(abcd)*ef", "-"},        {"(?i)abc", "-"},            {"(?=a)bc", "-"},
        {"a(?#x)bc", "-"},        {"\\Qabc\\E", "-"},        {"\\x41bc", "-"},            {"(a)bc\\1", "-"},
        {"\\bword\\b", "word"},   {"[]ab]cd", "cd"},         {"[^]ab]cd", "cd"},          {"[[:alpha:]]cd", "-"},
        {"[a\\]b]cd", "cd"},      {"[\\Q]abc[\\E]xy", "-"}, {"[\\c]abc]xy", "-"}, {"[\\d\\s]cd", "cd"},
        {"[abcd", "-"},           {"(abcd", "-"},              {"abcd)", "-"},
        {"ab.*cd", "ab"},         {"a.*b.*cd", "-"},         {"x+y+cd", "-"},             {"\xc3\xa4\xc3\xb6?xy", "\xc3\xa4"},
        {"\xc3\xa4\xc3\xb6?xyz", "xyz"},                     {"ab\xff", "-"},             {"a\\nbc", "bc"},
        {"abc+?d", "abc"},        {"abc*+d", "ab"},          {"(*UTF)abc", "-"},          {"ab{1000}", "-"},
        {"(a?)(b?)(c?)(d?)(e?)(f?)(g?)xyz", "-"},            {"\\", "-"},                 {"ab\\", "-"},
        {"}]ab", "}]ab"},         {"ab#cd", "ab#cd"},        {"a b", "a b"},              {"\\Gab", "-"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        if (strcmp(literal_of(CASES[i][0]), CASES[i][1]) != 0)
            printf("%s: %s\n", CASES[i][0], literal_of(CASES[i][0]));
        CHECK_STR(literal_of(CASES[i][0]), CASES[i][1]);
    }
}

static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 32) * n >> 32);
}

static void pattern_make(Buf *b)
{
    static const char *const PIECES[] = {"a", "b", "ab", "\\.", ".", "(", ")", "(?:", "|", "[ab]", "[^a]", "\\d", "\\b", "^",
                                         "$", "?", "*", "+", "{2}", "{1,3}", "{0,2}", "{2,}", "?", "\\w", "b.", "\xc3\xa4",
                                         "\\n", "{", "]", "[", "\\1", "(?i)", "x", "\\x61", "\\Q", "\\E", "\\c"};
    for (uint32_t n = 1 + below(9); n > 0; n--)
        buf_puts(b, PIECES[below(below(3) ? 6 : sizeof PIECES / sizeof *PIECES)]);
}

static void text_make(Buf *b)
{
    static const char *const LETTERS[] = {"a", "b", "ab", ".", "1", "A", "\xc3\xa4", "\n", "\xff", " ", "x"};
    for (uint32_t n = below(below(4) ? 10 : 120); n > 0; n--)
        buf_puts(b, LETTERS[below(11)]);
}

static bool has(Str s, Str part)
{
    for (uint32_t i = 0; i + part.len <= s.len; i++)
        if (memcmp(s.ptr + i, part.ptr, part.len) == 0)
            return true;
    return false;
}

static void test_random(void)
{
    Buf pattern = {0}, text = {0}, literal = {0};
    uint32_t n_known = 0, n_without = 0;
    for (uint32_t k = 0; k < 60000; k++) {
        buf_clear(&pattern);
        buf_clear(&literal);
        pattern_make(&pattern);
        if (!regex_literal(buf_str(&pattern), &literal))
            continue;
        PatternError err;
        Regex *r = regex_open(buf_str(&pattern), &err);
        n_known += r != NULL;
        for (uint32_t i = 0; r && i < 20; i++) {
            const char *why = NULL;
            buf_clear(&text);
            text_make(&text);
            if (text.len == 0 || text.len >= REGEX_LITERAL_SHORT || has(buf_str(&text), buf_str(&literal)))
                continue;
            n_without++;
            RegexFound found = regex_find(r, buf_str(&text), &why);
            if (found != REGEX_NO)
                printf("`%s` said to need `%s`: `%s`\n", pattern.ptr, literal.ptr, text.ptr);
            CHECK(found == REGEX_NO);
        }
        regex_close(r);
    }
    CHECK(n_known > 5000 && n_without > 50000);
    buf_deinit(&pattern);
    buf_deinit(&text);
    buf_deinit(&literal);
}

/* The most that a short string can take. */
static void test_steps(void)
{
    static const char *const DEAR[] = {".{1,99}.*xyz", "a{1,99}[ab]*xyz", "(a|a)?(a|a)?(a|a)?[ab]*xyz", "[ab]+?a?a?a?a?a?xyz",
                                       "a{1,10}a{1,10}.*xyz", ".*a{1,9}.{1,9}xyz", "(a|ab|b)?(a|ab|b)?.+xyz"};
    char text[REGEX_LITERAL_SHORT];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof DEAR / sizeof *DEAR; i++) {
        PatternError err;
        const char *why = NULL;
        Regex *r = regex_open(str_of(DEAR[i]), &err);
        CHECK(r && strcmp(literal_of(DEAR[i]), "xyz") == 0);
        CHECK(r && regex_find(r, (Str){text, REGEX_LITERAL_SHORT - 1}, &why) == REGEX_NO);
        regex_close(r);
    }
}

int main(void)
{
    test_steps();
    test_patterns();
    test_random();
    UNIT_END("regex_literal");
}
