/* What holds of the formatter for every program under tests/ and examples/: the tree and
 * the comments stay, and what it wrote it leaves as it is. The same for one program with
 * comments and line ends put in everywhere, and for the files that are named: `fmt_test
 * 'tests/run/[a-f]*.pipe'`. Run from the root of the tree. */
#include <glob.h>
#include <stdlib.h>

#include "base/text_diff.h"
#include "lang/ast_dump.h"
#include "lang/fmt.h"
#include "lang/parse.h"

#include "unit.h"

typedef struct Parsed {
    Sources *sources;
    Arena *arena;
    Diags diags;
    Ast *ast;
} Parsed;

static Parsed parse(Str text)
{
    Parsed p = {.sources = sources_open(), .arena = arena_open()};
    diags_init(&p.diags);
    p.ast = parse_file(p.arena, sources_add(p.sources, STR_LIT("t.pipe"), text), &p.diags);
    return p;
}

static void parsed_free(Parsed *p)
{
    arena_close(p->arena);
    diags_deinit(&p->diags);
    sources_close(p->sources);
}

static Str text_of(const Parsed *p, const Token *t)
{
    uint32_t base = source_base(p->ast->source);
    Str text = str_slice(source_text(p->ast->source), t->span.lo - base, t->span.hi - t->span.lo);
    while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* All comments, a line each, without blanks at their ends. */
static void put_comments(Buf *out, const Parsed *p)
{
    for (size_t i = 0; i < p->ast->tokens.n; i++)
        if (p->ast->tokens.ptr[i].kind == TOKEN_COMMENT) {
            buf_put_str(out, text_of(p, &p->ast->tokens.ptr[i]));
            buf_putc(out, '\n');
        }
}

static bool is_same(const char *what, const char *path, Buf *a, Buf *b)
{
    bool ok = str_eq(buf_str(a), buf_str(b));
    if (!ok) {
        Buf diff = {0};
        text_diff(&diff, buf_str(a), buf_str(b), "before", "after");
        printf("%s: %s\n%s", path, what, diff.ptr);
        buf_deinit(&diff);
    }
    buf_clear(a);
    buf_clear(b);
    return ok;
}

/* Of a program without mistakes of syntax; false: it has some. */
static bool check_program(const char *path, Str text)
{
    Parsed before = parse(text);
    bool ok = before.diags.n_errors == 0;
    if (ok) {
        Buf once = {0}, twice = {0}, a = {0}, b = {0};
        fmt_program(&once, before.ast);
        Parsed after = parse(buf_str(&once));
        CHECK(after.diags.n_errors == 0);
        ast_dump(&a, before.ast, false);
        ast_dump(&b, after.ast, false);
        CHECK(is_same("the tree changed", path, &a, &b));
        put_comments(&a, &before);
        put_comments(&b, &after);
        CHECK(is_same("the comments changed", path, &a, &b));
        fmt_program(&twice, after.ast);
        CHECK(is_same("formatted twice", path, &once, &twice));
        parsed_free(&after);
        buf_deinit(&once);
        buf_deinit(&twice);
        buf_deinit(&a);
        buf_deinit(&b);
    }
    parsed_free(&before);
    return ok;
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
