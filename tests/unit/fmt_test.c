/* What holds of the formatter for every program under tests/ and examples/: the tree and
 * the comments stay, and what it wrote it leaves as it is. The same for one program with
 * comments and line ends put in everywhere, and for the files that are named: `fmt_test
 * 'tests/run/[a-f]*.pipe'`. Run from the root of the tree. */
#include <glob.h>
#include <stdlib.h>

#include "formatted.h"
#include "unit.h"

static bool check_program(const char *path, Str text)
{
    bool is_sound = false;
    CHECK(formatted_holds(path, text, &is_sound));
    return is_sound;
}

static void check_line_ends(const char *path, Str text)
{
    Parsed p = parse(text);
    if (p.diags.n_errors == 0) {
        Buf want = {0}, got = {0}, other = {0};
        fmt_program(&want, p.ast);
        for (uint32_t i = 0; i < text.len; i++) {
            if (text.ptr[i] == '\n')
                buf_putc(&other, '\r');
            buf_putc(&other, text.ptr[i]);
        }
        Parsed q = parse(buf_str(&other));
        CHECK(q.diags.n_errors == 0);
        fmt_program(&got, q.ast);
        CHECK(is_same("line ends of Windows", path, &want, &got));
        parsed_free(&q);
        buf_deinit(&want);
        buf_deinit(&got);
        buf_deinit(&other);
    }
    parsed_free(&p);
}

/* A comment or a line end behind each token, wherever the language lets it stand. */
static uint32_t check_insertions(const char *path, Str text)
{
    static const char *const insertions[] = {" # c\n", "\n# own\n", "\n\n  # own\n\n", "\n", "\n\n\n"};
    uint32_t n_legal = 0;
    Parsed p = parse(text);
    for (size_t i = 0; i < p.ast->tokens.n && p.diags.n_errors == 0; i++)
        for (size_t k = 0; k < sizeof insertions / sizeof *insertions; k++) {
            Buf with = {0};
            uint32_t at = p.ast->tokens.ptr[i].span.hi - source_base(p.ast->source);
            buf_put(&with, text.ptr, at);
            buf_puts(&with, insertions[k]);
            buf_put(&with, text.ptr + at, text.len - at);
            n_legal += check_program(path, buf_str(&with));
            buf_deinit(&with);
        }
    parsed_free(&p);
    return n_legal;
}

static void check_files(void)
{
    const char *patterns[] = {"tests/*/*.pipe", "examples/*.pipe", "examples/*/*.pipe"};
    size_t n_sound = 0;
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        glob_t found;
        if (glob(patterns[p], 0, NULL, &found) != 0)
            continue;
        for (size_t i = 0; i < found.gl_pathc; i++) {
            Sources *files = sources_open();
            const Source *file = NULL;
            Error err = {0};
            CHECK(sources_read(files, found.gl_pathv[i], &file, &err) == OK);
            if (file) {
                n_sound += check_program(found.gl_pathv[i], source_text(file));
                check_line_ends(found.gl_pathv[i], source_text(file));
            }
            sources_close(files);
        }
        globfree(&found);
    }
    CHECK(n_sound > 100);
}

static void check_everywhere(const char *pattern, uint32_t least)
{
    glob_t found;
    uint32_t n_legal = 0;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            Sources *files = sources_open();
            const Source *file = NULL;
            Error err = {0};
            CHECK(sources_read(files, found.gl_pathv[i], &file, &err) == OK);
            n_legal += check_insertions(found.gl_pathv[i], source_text(file));
            sources_close(files);
        }
        globfree(&found);
    }
    CHECK(n_legal >= least);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        check_files();
        check_everywhere("tests/fmt/unchanged.pipe", 1000);
    }
    for (int i = 1; i < argc; i++)
        check_everywhere(argv[i], 0);
    UNIT_END("fmt");
}
