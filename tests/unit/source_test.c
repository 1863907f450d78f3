#include "base/source.h"

#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static void check_place(const Sources *s, const Source *src, uint32_t offset,
                        uint32_t line, uint32_t col, const char *text)
{
    Place p = sources_locate(s, source_base(src) + offset);
    CHECK(p.source == src);
    CHECK(p.line == line);
    CHECK(p.col == col);
    CHECK(str_is(p.text, text));
}

static void test_places(void)
{
    Sources *s = sources_open();
    const Source *a =
        sources_add(s, STR_LIT("a"), STR_LIT("one\ntwo\r\n\nl\xc3\xa9t x"));
    check_place(s, a, 0, 1, 1, "one");
    check_place(s, a, 3, 1, 4, "one"); /* the line end itself */
    check_place(s, a, 4, 2, 1, "two");
    check_place(s, a, 8, 2, 5, "two"); /* LF of CRLF */
    check_place(s, a, 9, 3, 1, "");
    check_place(s, a, 10, 4, 1, "l\xc3\xa9t x");
    check_place(s, a, 13, 4, 3,
                "l\xc3\xa9t x"); /* behind two code points, three bytes */
    check_place(s, a, 16, 4, 6, "l\xc3\xa9t x");

    const Source *b = sources_add(s, STR_LIT("b"), STR_LIT(""));
    const Source *c = sources_add(s, STR_LIT("c"), STR_LIT("x\n"));
    check_place(s, b, 0, 1, 1, "");
    check_place(s, c, 0, 1, 1, "x");
    check_place(s, c, 2, 2, 1, "");
    CHECK(sources_locate(s, 0).source == NULL);
    CHECK(sources_locate(s, source_base(c) + 3).source == NULL);
    sources_close(s);
}

static void test_mark(void)
{
    Sources *s = sources_open();
    const Source *a = sources_add(s, STR_LIT("a"), STR_LIT("\xef\xbb\xbfx"));
    CHECK(str_is(source_text(a), "x"));
    CHECK(str_is(source_name(a), "a"));
    sources_close(s);
}

static void test_read(void)
{
    Sources *s = sources_open();
    const Source *a = NULL;
    Error err = {0};
    char path[] = "/tmp/source_testXXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK(write(fd, "let a = 1\n", 10) == 10);
    close(fd);
    CHECK(sources_read(s, path, &a, &err) == OK);
    CHECK(a && str_is(source_text(a), "let a = 1\n"));
    CHECK(a && str_is(source_name(a), path));
    unlink(path);
    CHECK(sources_read(s, path, &a, &err) == ERR_IO);
    CHECK(strstr(err.text, path) != NULL);
    sources_close(s);
    sources_close(NULL);
}

/* Sizes alone decide, so no gigabyte is needed: the text is never looked at. */
static void test_too_large(void)
{
    Sources *s = sources_open();
    CHECK(sources_add(s, STR_LIT("a"), (Str){"xyz", (1u << 30) + 1}) == NULL);
    const Source *b = sources_add(s, STR_LIT("b"), STR_LIT("x"));
    CHECK(b && source_base(b) == 1);
    sources_close(s);
}

int main(void)
{
    test_places();
    test_mark();
    test_read();
    test_too_large();
    UNIT_END("source");
}
