#include "base/diag.h"

#include <stdlib.h>

#include "base/diag_text.h"
#include "unit.h"

typedef struct Fixture {
    Sources *sources;
    const Source *source;
    Diags diags;
    Buf out;
} Fixture;

static void setup(Fixture *f, const char *text)
{
    f->sources = sources_open();
    f->source = sources_add(f->sources, STR_LIT("a.pipe"), str_of(text));
    diags_init(&f->diags);
    f->out = (Buf){0};
}

static void teardown(Fixture *f)
{
    buf_deinit(&f->out);
    diags_deinit(&f->diags);
    sources_close(f->sources);
}

static Span at(const Fixture *f, uint32_t lo, uint32_t hi)
{
    uint32_t base = source_base(f->source);
    return (Span){base + lo, base + hi};
}

static void check_human(Fixture *f, const char *want)
{
    buf_clear(&f->out);
    diags_put_human(&f->out, &f->diags, f->sources, false);
    CHECK_STR(f->out.ptr ? f->out.ptr : "", want);
}

static void check_short(Fixture *f, const char *want)
{
    buf_clear(&f->out);
    diags_put_short(&f->out, &f->diags, f->sources);
    CHECK_STR(f->out.ptr ? f->out.ptr : "", want);
}

static void test_once(void)
{
    Fixture f;
    setup(&f, "abc def\n");
    Diag *d = diag_add(&f.diags, E_SYNTAX, at(&f, 4, 7), "text %d", 1);
    CHECK(diag_add(&f.diags, E_SYNTAX, at(&f, 4, 7), "other") == d);
    CHECK(f.diags.n_errors == 1 && f.diags.n_warnings == 0);
    diag_help(&f.diags, d, "do");
    diag_help(&f.diags, d, "do");
    CHECK(d->helps.n == 1);
    /* Another mistake at one place is most likely the same one. */
    diag_add(&f.diags, E_BAD_NUMBER, at(&f, 4, 7), "follow-on");
    check_short(&f, "a.pipe:1:5-7: error[E0001]: text 1\n");
    teardown(&f);
}

static void test_order(void)
{
    Fixture f;
    setup(&f, "one\ntwo\nthree\n");
    diag_add(&f.diags, E_SYNTAX, at(&f, 8, 13), "third");
    diag_add(&f.diags, E_SYNTAX, at(&f, 0, 3), "first");
    Diag *d = diag_add(&f.diags, E_UNKNOWN_STATEMENT, at(&f, 4, 7), "second");
    diag_help(&f.diags, d, "read the manual");
    diag_help(&f.diags, d, "did you mean `too`?");
    diag_add(&f.diags, E_SYNTAX, (Span){0, 0}, "nowhere");
    check_short(&f, "error[E0001]: nowhere\n"
                    "a.pipe:1:1-3: error[E0001]: first\n"
                    "a.pipe:2:1-3: error[E0003]: second; did you mean `too`?\n"
                    "a.pipe:3:1-5: error[E0001]: third\n");
    teardown(&f);
}

static void test_picture(void)
{
    Fixture f;
    setup(&f, "one two three\n");
    Diag *d = diag_add(&f.diags, E_SYNTAX, at(&f, 4, 7), "text");
    diag_label(&f.diags, d, at(&f, 0, 3), "left");
    diag_label(&f.diags, d, at(&f, 8, 13), "right");
    diag_label(&f.diags, d, at(&f, 4, 7), "own");
    diag_note(&f.diags, d, "a note");
    check_human(&f, "error[E0001]: text\n"
                    " --> a.pipe:1:5\n"
                    "  |\n"
                    "1 | one two three\n"
                    "  | --- ^^^ ----- right\n"
                    "  | |   own\n"
                    "  | left\n"
                    "  = note: a note\n\n");
    teardown(&f);
}

static void test_ends(void)
{
    Fixture f;
    setup(&f, "abc");
    diag_add(&f.diags, E_SYNTAX, at(&f, 3, 3), "at the end, no line end");
    check_short(&f, "a.pipe:1:4-4: error[E0001]: at the end, no line end\n");
    check_human(&f, "error[E0001]: at the end, no line end\n"
                    " --> a.pipe:1:4\n"
                    "  |\n"
                    "1 | abc\n"
                    "  |    ^\n\n");
    teardown(&f);

    setup(&f, "abc\n");
    diag_add(&f.diags, E_SYNTAX, at(&f, 1, 900), "past the end");
    check_human(&f, "error[E0001]: past the end\n"
                    " --> a.pipe:1:2\n"
                    "  |\n"
                    "1 | abc\n"
                    "  |  ^^\n\n");
    teardown(&f);

    setup(&f, "");
    diag_add(&f.diags, E_SYNTAX, at(&f, 0, 0), "empty file");
    check_short(&f, "a.pipe:1:1-1: error[E0001]: empty file\n");
    check_human(&f, "error[E0001]: empty file\n"
                    " --> a.pipe:1:1\n"
                    "  |\n"
                    "1 |\n"
                    "  | ^\n\n");
    teardown(&f);
}

static void test_several_lines(void)
{
    Fixture f;
    setup(&f, "op a {\r\n  x\r\n  y\r\n}\r\n");
    Diag *d = diag_add(&f.diags, E_SYNTAX, at(&f, 5, 19), "from { to }");
    diag_label(&f.diags, d, at(&f, 5, 19), "all of it");
    check_short(&f, "a.pipe:1:6-6: error[E0001]: from { to }\n");
    check_human(&f, "error[E0001]: from { to }\n"
                    " --> a.pipe:1:6\n"
                    "  |\n"
                    "1 | op a {\n"
                    "  |      ^\n"
                    "...\n"
                    "4 | }\n"
                    "  | ^ all of it\n\n");
    teardown(&f);
}

static void test_widths(void)
{
    Fixture f;
    /* A tab, a wide character, e with a combining accent, a control byte. */
    setup(&f, "\tx \xe5\x90\x8d e\xcc\x81 \x01 y\n");
    diag_add(&f.diags, E_SYNTAX, at(&f, 3, 6), "wide");
    diag_add(&f.diags, E_SYNTAX, at(&f, 7, 10), "combined");
    diag_add(&f.diags, E_SYNTAX, at(&f, 13, 14), "y");
    check_short(&f, "a.pipe:1:4-4: error[E0001]: wide\n"
                    "a.pipe:1:6-7: error[E0001]: combined\n"
                    "a.pipe:1:11-11: error[E0001]: y\n");
    check_human(&f, "error[E0001]: wide\n"
                    " --> a.pipe:1:4\n"
                    "  |\n"
                    "1 |     x \xe5\x90\x8d e\xcc\x81 \\x01 y\n"
                    "  |       ^^\n\n"
                    "error[E0001]: combined\n"
                    " --> a.pipe:1:6\n"
                    "  |\n"
                    "1 |     x \xe5\x90\x8d e\xcc\x81 \\x01 y\n"
                    "  |          ^\n\n"
                    "error[E0001]: y\n"
                    " --> a.pipe:1:11\n"
                    "  |\n"
                    "1 |     x \xe5\x90\x8d e\xcc\x81 \\x01 y\n"
                    "  |                 ^\n\n");
    teardown(&f);
}

static void test_long_line(void)
{
    Fixture f;
    Buf text = {0};
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "%04d ", i);
    setup(&f, text.ptr);
    diag_add(&f.diags, E_SYNTAX, at(&f, 2500, 2504), "in the middle");
    check_human(
        &f, "error[E0001]: in the middle\n"
            " --> a.pipe:1:2501\n"
            "  |\n"
            "1 | ...0492 0493 0494 0495 0496 0497 0498 0499 0500 0501 0502 0503 0504 "
            "0505 0506 0507 0508 0509 0510 0511 ...\n"
            "  |                                            ^^^^\n\n");
    buf_deinit(&text);
    teardown(&f);
}

static void test_two_files(void)
{
    Fixture f;
    setup(&f, "one\n");
    const Source *other =
        sources_add(f.sources, STR_LIT("b.pipe"), STR_LIT("\n\ntwo\n"));
    Diag *d = diag_add(&f.diags, E_SYNTAX, at(&f, 0, 3), "twice");
    uint32_t lo = source_base(other) + 2;
    diag_label(&f.diags, d, (Span){lo, lo + 3}, "first here");
    check_human(&f, "error[E0001]: twice\n"
                    " --> a.pipe:1:1\n"
                    "  |\n"
                    "1 | one\n"
                    "  | ^^^\n"
                    " ::: b.pipe:3:1\n"
                    "  |\n"
                    "3 | two\n"
                    "  | --- first here\n\n");
    teardown(&f);
}

static void test_json(void)
{
    Fixture f;
    setup(&f, "a\n\xc3\xa9 \"b\n");
    Diag *d = diag_add(&f.diags, E_SYNTAX, at(&f, 5, 7), "a \"b");
    diag_label(&f.diags, d, at(&f, 0, 1), "l");
    diag_note(&f.diags, d, "n");
    diag_help(&f.diags, d, "h");
    diag_fix(&f.diags, d, at(&f, 5, 6), STR_LIT("'"));
    diags_put_json(&f.out, &f.diags, f.sources);
    CHECK_STR(f.out.ptr,
              "{\"code\":\"E0001\",\"severity\":\"error\",\"file\":\"a.pipe\","
              "\"start\":{\"line\":2,\"column\":3,\"byte\":5},"
              "\"end\":{\"line\":2,\"column\":5,\"byte\":7},\"message\":\"a \\\"b\","
              "\"labels\":[{\"file\":\"a.pipe\",\"start\":{\"line\":1,\"column\":1,"
              "\"byte\":0},"
              "\"end\":{\"line\":1,\"column\":2,\"byte\":1},\"message\":\"l\"}],"
              "\"notes\":[\"n\"],\"helps\":[\"h\"],"
              "\"fixes\":[{\"file\":\"a.pipe\",\"start\":{\"line\":2,\"column\":3,"
              "\"byte\":5},"
              "\"end\":{\"line\":2,\"column\":4,\"byte\":6},\"text\":\"'\"}],\"certain\":false}\n");
    teardown(&f);
}

/* Colour adds escapes and nothing else. */
static void test_color(void)
{
    Fixture f;
    setup(&f, "one two\n");
    Diag *d = diag_add(&f.diags, E_SYNTAX, at(&f, 0, 3), "text\033[2J");
    diag_label(&f.diags, d, at(&f, 4, 7), "label");
    diag_help(&f.diags, d, "help");
    Buf plain = {0}, bare = {0};
    diags_put_human(&plain, &f.diags, f.sources, false);
    diags_put_human(&f.out, &f.diags, f.sources, true);
    CHECK(strchr(plain.ptr, '\033') == NULL);
    CHECK(strchr(f.out.ptr, '\033') != NULL);
    for (const char *p = f.out.ptr; *p; p++) {
        if (*p == '\033')
            p += strcspn(p, "m");
        else
            buf_putc(&bare, *p);
    }
    CHECK_STR(bare.ptr, plain.ptr);
    buf_deinit(&plain);
    buf_deinit(&bare);
    teardown(&f);
}

static void test_codes(void)
{
    DiagCode code;
    CHECK(diag_code_by_name(STR_LIT("E0003"), &code) && code == E_UNKNOWN_STATEMENT);
    CHECK(diag_code_by_name(STR_LIT("e3"), &code) && code == E_UNKNOWN_STATEMENT);
    CHECK(diag_code_by_name(STR_LIT("0003"), &code) && code == E_UNKNOWN_STATEMENT);
    CHECK(diag_code_by_name(STR_LIT("3"), &code) && code == E_UNKNOWN_STATEMENT);
    CHECK(!diag_code_by_name(STR_LIT("E0000"), &code));
    CHECK(!diag_code_by_name(STR_LIT("0"), &code));
    CHECK(!diag_code_by_name(STR_LIT("X0003"), &code));
    CHECK(!diag_code_by_name(STR_LIT("E"), &code));
    CHECK(!diag_code_by_name(STR_LIT("E3x"), &code));
    CHECK(!diag_code_by_name(STR_LIT(""), &code));
    for (int i = 0; i < N_DIAG_CODES; i++) {
        const DiagInfo *info = diag_info((DiagCode)i);
        CHECK(info->number > 0 && info->title[0] && info->wrong[0] && info->right[0]);
        for (int k = 0; k < i; k++)
            CHECK(diag_info((DiagCode)k)->number != info->number ||
                  diag_info((DiagCode)k)->severity != info->severity);
    }
}

int main(void)
{
    test_once();
    test_order();
    test_picture();
    test_ends();
    test_several_lines();
    test_widths();
    test_long_line();
    test_two_files();
    test_json();
    test_color();
    test_codes();
    UNIT_END("diag");
}
