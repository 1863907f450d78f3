/* Programs with small mistakes: a token is left out, doubled, swapped with the next, or becomes one that other
 * languages have. Whatever comes of that is checked without a crash, every place lies in the text, and what
 * --fix makes of it has no more mistakes of syntax than there were. Run from the root of the tree. */
#include <glob.h>
#include <stdlib.h>

#include "api/pipemill.h"
#include "base/diag_text.h"
#include "lang/lex.h"
#include "lang/parse.h"

#include "unit.h"

enum { MUTANTS = 6000 };

static const char *const FOREIGN[] = {
    "=",      "==",    "&&",     "||",   "!",        "<>",     ";",        ",",      ":",      "?",       "|",
    "(",      ")",     "[",      "]",    "{",        "}",      "\"",       "'",      ".",      "..",      "->",
    "=>",     "NULL",  "None",   "AND",  "IN",       "LIKE",   "CASE",     "WHEN",   "END",    "as",      "from",
    "SELECT", "WHERE", "ORDER",  "by",   "if",       "elif",   "else",     "then",   "for",    "lambda",  "def",
    "import", "let",   "var",    "x",    "f\"{a}\"", "'a'",    "\"{}\"",   "1",      "1.5",    "5 s",     "*",
    "**",     "++",    "+=",     "%",    "^",        "~",      "=~",       "$x",     "@x",     "//",      "--",
    "/*",     "#",     "\\",     "`a",   "\xc2\xa0", "\xe2\x80\x9c", "\xef\xbc\x88", "batch", "with", "map", "collect",
    "\n",     "read",  "select", "group", "having",  "limit",  "x[0]",     "x[\"a\"]", "x::int", "count(*)", "in (1, 2)",
};

static uint64_t state = 88172645463325252u;
static uint32_t draw(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % n;
}

static uint32_t syntax_mistakes(Str text)
{
    Sources *sources = sources_open();
    Arena *arena = arena_open();
    Diags ds;
    diags_init(&ds);
    parse_file(arena, sources_add(sources, STR_LIT("mutant.pipe"), text), &ds);
    uint32_t n = ds.n_errors;
    diags_deinit(&ds);
    arena_close(arena);
    sources_close(sources);
    return n;
}

static bool is_inside(Span s, uint32_t len)
{
    return s.lo <= s.hi && (s.hi == 0 || (s.lo >= 1 && s.hi <= len + 2));
}

static void check_mutant(const char *path, Str text)
{
    const MillOptions options = {0};
    Error err = {0};
    Mill *m = mill_open(&options);
    CHECK(mill_load_text(m, "mutant.pipe", text, &err) == OK);
    mill_check(m);
    const Diags *ds = mill_diags(m);
    uint32_t n_errors = 0, n_warnings = 0;
    bool ok = true;
    for (size_t i = 0; i < ds->list.n; i++) {
        const Diag *d = ds->list.ptr[i];
        *(diag_info(d->code)->severity == SEV_ERROR ? &n_errors : &n_warnings) += 1;
        ok = ok && d->text.len > 0 && (d->fixes.n > 0 || !d->is_certain);
        for (size_t k = 0; k < d->fixes.n; k++)
            ok = ok && is_inside(d->fixes.ptr[k].span, text.len);
    }
    ok = ok && n_errors == ds->n_errors && n_warnings == ds->n_warnings;
    Buf out = {0};
    diags_put_human(&out, ds, mill_sources(m), false);
    diags_put_json(&out, ds, mill_sources(m));
    buf_deinit(&out);
    MillFixed fixed;
    mill_fix(m, &fixed);
    uint32_t before = syntax_mistakes(text), after = syntax_mistakes(fixed.text);
    if (!ok || after > before)
        printf("%s: %u mistakes of syntax, %u after the fixes, ok %d, of\n%.*s\nwhich became\n%.*s\n", path, before,
               after, ok, STR_ARG(text), STR_ARG(fixed.text));
    CHECK(ok);
    CHECK(after <= before);
    CHECK((fixed.n == 0) == str_eq(fixed.text, text));
    mill_fixed_deinit(&fixed);
    mill_close(m);
}

static void mutate(const char *path, Str text, const TokenList *tokens)
{
    size_t i = draw((uint32_t)tokens->n);
    const Token *t = &tokens->ptr[i];
    uint32_t lo = t->span.lo - 1, hi = t->span.hi - 1; /* the only source begins at 1 */
    Buf out = {0};
    buf_put_str(&out, str_slice(text, 0, lo));
    switch (draw(5)) {
    case 0: /* left out */
        break;
    case 1: /* twice */
        buf_put_str(&out, str_slice(text, lo, hi - lo));
        buf_putc(&out, ' ');
        buf_put_str(&out, str_slice(text, lo, hi - lo));
        break;
    case 2: /* another in its place */
        buf_puts(&out, FOREIGN[draw(sizeof FOREIGN / sizeof *FOREIGN)]);
        break;
    default: /* another before it */
        buf_puts(&out, FOREIGN[draw(sizeof FOREIGN / sizeof *FOREIGN)]);
        buf_putc(&out, ' ');
        buf_put_str(&out, str_slice(text, lo, hi - lo));
    }
    buf_put_str(&out, str_slice(text, hi, text.len - hi));
    check_mutant(path, buf_str(&out));
    buf_deinit(&out);
}

/* mistake_test SEED: others than usual. */
int main(int argc, char **argv)
{
    glob_t found;
    if (argc > 1)
        state ^= strtoull(argv[1], NULL, 10) * 2654435769u;
    if (glob("examples/*.pipe", 0, NULL, &found) != 0 ||
        glob("tests/parse/*.pipe", GLOB_APPEND, NULL, &found) != 0 ||
        glob("tests/mistakes/*.pipe", GLOB_APPEND, NULL, &found) != 0 ||
        glob("tests/run/stmt_*.pipe", GLOB_APPEND, NULL, &found) != 0) {
        printf("no programs\n");
        return 1;
    }
    for (uint32_t k = 0; k < MUTANTS;) {
        const char *path = found.gl_pathv[draw((uint32_t)found.gl_pathc)];
        Sources *sources = sources_open();
        Arena *arena = arena_open();
        const Source *src = NULL;
        Error err = {0};
        Diags ds;
        TokenList tokens = {0};
        diags_init(&ds);
        CHECK(sources_read(sources, path, &src, &err) == OK);
        Str text = source_text(src);
        if (lex_source(arena, src, &ds, &tokens) && tokens.n > 1 && text.len < 6000)
            for (uint32_t n = 0; n < 20; n++, k++)
                mutate(path, text, &tokens);
        diags_deinit(&ds);
        arena_close(arena);
        sources_close(sources);
    }
    globfree(&found);
    UNIT_END("mistake");
}
