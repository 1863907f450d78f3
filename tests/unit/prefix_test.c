/* Every prefix of every program under tests/ and examples/ (of long ones, MAX_PREFIXES), and
 * what begins at a word or a sign (of long ones, MAX_SUFFIXES: there nothing stands before it),
 * is read, checked and its mistakes printed without a crash, and no mistake of its syntax
 * points outside of the text. Run from the root of the tree. */
#include <glob.h>
#include <stdlib.h>

#include "base/diag_text.h"
#include "lang/check.h"
#include "lang/parse.h"

#include "unit.h"

enum { MAX_PREFIXES = 150, MAX_SUFFIXES = 60 };

static Status no_files(void *ctx, Sources *sources, const char *path, const Source **out,
                       Error *err)
{
    (void)ctx, (void)sources, (void)path, (void)out;
    return error_set(err, ERR_IO, "there are no files here");
}

static bool spans_inside(const Diags *ds, const Source *src)
{
    uint32_t lo = source_base(src), hi = lo + (uint32_t)source_text(src).len;
    for (size_t i = 0; i < ds->list.n; i++) {
        Span s = ds->list.ptr[i]->span;
        if (s.lo > s.hi || (s.hi != 0 && (s.lo < lo || s.hi > hi + 1)))
            return false;
    }
    return true;
}

static void check_part(const char *path, Str text)
{
    const CheckHost host = {.read = no_files};
    Sources *sources = sources_open();
    Arena *arena = arena_open();
    Diags ds;
    diags_init(&ds);
    const Source *src = sources_add(sources, str_of(path), text);
    Ast *ast = parse_file(arena, src, &ds);
    bool is_inside = spans_inside(&ds, src);
    check_program(arena, sources, ast, &ds, &host);
    Buf out = {0};
    diags_put_human(&out, &ds, sources, false);
    diags_put_json(&out, &ds, sources);
    if (!is_inside)
        printf("%s: a place outside of these %u bytes: %.*s\n", path, text.len, STR_ARG(text));
    CHECK(is_inside);
    CHECK((out.len == 0) == (ds.list.n == 0));
    buf_deinit(&out);
    diags_deinit(&ds);
    arena_close(arena);
    sources_close(sources);
}

static void check_prefixes(const char *path, Str text)
{
    uint32_t step = text.len / MAX_PREFIXES + 1;
    for (uint32_t n = 0; n <= text.len; n += step)
        check_part(path, (Str){text.ptr, n});
}

static bool is_in_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool begins_token(Str text, uint32_t i)
{
    char c = text.ptr[i];
    return c != ' ' && c != '\n' && (i == 0 || !is_in_word(c) || !is_in_word(text.ptr[i - 1]));
}

static void check_suffixes(const char *path, Str text)
{
    uint32_t n_tokens = 0, k = 0;
    for (uint32_t i = 0; i < text.len; i++)
        n_tokens += begins_token(text, i);
    uint32_t step = n_tokens / MAX_SUFFIXES + 1;
    for (uint32_t i = 0; i < text.len; i++)
        if (begins_token(text, i) && k++ % step == 0)
            check_part(path, (Str){text.ptr + i, text.len - i});
}

int main(void)
{
    const char *patterns[] = {"tests/*/*.pipe", "examples/*.pipe", "examples/*/*.pipe"};
    size_t n_files = 0;
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        glob_t found;
        if (glob(patterns[p], 0, NULL, &found) != 0)
            continue;
        for (size_t i = 0; i < found.gl_pathc; i++, n_files++) {
            Sources *files = sources_open();
            const Source *file = NULL;
            Error err = {0};
            CHECK(sources_read(files, found.gl_pathv[i], &file, &err) == OK);
            if (file) {
                check_prefixes(found.gl_pathv[i], source_text(file));
                check_suffixes(found.gl_pathv[i], source_text(file));
            }
            sources_close(files);
        }
        globfree(&found);
    }
    CHECK(n_files > 0);
    UNIT_END("prefix");
}
