/* Every fix has a case: a program of tests/ or of `explain` in which it is offered. Each that is certain is applied alone and the
 * program checked again: the mistake is gone, and no other one has come. All of them together leave nothing that has
 * a certain fix. Which fixes there are is read from src/: calls of diag_fix, diag_fix_certain, mistake_say. What a fixed
 * expression is worth is held against other languages in tests/fixes. Run from the root of the tree.
 * fix_test FILE...: these programs alone, and what becomes of them. */
#include <ctype.h>
#include <glob.h>
#include <stdlib.h>

#include "api/pipemill.h"
#include "base/diag_text.h"
#include "base/vec.h"

#include "unit.h"

typedef struct Site {
    char file[64];
    int first, last; /* lines of the call */
    bool is_seen;
} Site;
typedef Vec(Site) SiteList;

static Arena *arena;
static SiteList sites;
static bool is_verbose;

/* ---- the fixes that there are ---- */

static const char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        printf("%s: cannot be read\n", path), exit(1);
    Buf b = {0};
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_put(&b, part, n);
    fclose(f);
    const char *text = arena_printf(arena, "%.*s", STR_ARG(buf_str(&b))).ptr;
    buf_deinit(&b);
    return text;
}

/* The end of a call that begins at its `(`; quoted text is no part of its brackets. */
static const char *call_end(const char *at)
{
    int depth = 0;
    for (; *at; at++) {
        if (*at == '"' || *at == '\'') {
            char quote = *at++;
            for (; *at && *at != quote; at++)
                at += *at == '\\';
        } else if (*at == '(') {
            depth++;
        } else if (*at == ')' && --depth == 0) {
            return at;
        }
    }
    return at;
}

static void find_sites_in(const char *path)
{
    static const char *const CALLS[] = {"diag_fix(", "diag_fix_certain(", "mistake_say("};
    const char *text = read_file(path);
    int line = 1;
    for (const char *at = text; *at; at++) {
        line += *at == '\n';
        for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
            size_t len = strlen(CALLS[i]);
            if (strncmp(at, CALLS[i], len) != 0 || (at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '_')))
                continue;
            const char *end = call_end(at + len - 1);
            Str call = arena_printf(arena, "%.*s", (int)(end - at), at);
            Site s = {.first = line, .last = line};
            snprintf(s.file, sizeof s.file, "%s", path);
            for (uint32_t k = 0; k < call.len; k++)
                s.last += call.ptr[k] == '\n';
            if (!strstr(call.ptr, "NO_FIX"))
                vec_push(arena, &sites, s);
        }
    }
}

static void find_sites(void)
{
    glob_t found;
    CHECK(glob("src/lang/*.c", 0, NULL, &found) == 0 && glob("src/plan/*.c", GLOB_APPEND, NULL, &found) == 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        find_sites_in(found.gl_pathv[i]);
    globfree(&found);
    CHECK(sites.n > 150);
}

static void see(const DiagFix *f)
{
    bool is_known = false;
    for (size_t i = 0; i < sites.n; i++) {
        Site *s = &sites.ptr[i];
        if (strcmp(s->file, f->file) == 0 && s->first <= f->line && f->line <= s->last)
            s->is_seen = is_known = true;
    }
    if (!is_known)
        printf("%s:%d: a fix that was not found in the source\n", f->file, f->line);
    CHECK(is_known);
}

/* ---- a case ---- */

/* What the fixes leave, and was not told before, as it touches what they change: read, and found right. */
static const struct {
    const char *file, *text;
} BEHIND[] = {
    {"tests/mistakes/format_in_double_quotes_units.pipe", "`x` writes an int, and this is string"},
    {"tests/mistakes/prql_group.pipe", "this key has no name"},
    {"tests/mistakes/python_none.pipe", "`x` would have no type: a bare `null`"},
    {"tests/mistakes/read_order.pipe", "there is no schema `pokemon`"},
    {"tests/mistakes/read_unquoted2.pipe", "cannot open `pokemon.csv`: No such file or directory"},
    {"tests/mistakes/sql_not_upper.pipe", "`not` does not take an int"},
    {"tests/mistakes/ten_mistakes.pipe", "`read` has to be the first statement of an op"},
    {"tests/mistakes/tilde.pipe", "`not` does not take an int"},
    {"tests/mistakes/use_no_quotes.pipe", "cannot open tests/mistakes/lib/ops.pipe: No such file or directory"},
    {"tests/parse/expected.pipe", "cannot open `x.csv`: No such file or directory"},
    {"tests/parse/pipe_missing.pipe", "`map` stands on a static flow, which is one table"},
    {"tests/parse/statement_foreign.pipe", "this `group by` does not say what is computed of each group"},
};

static bool is_behind(const char *name, Str text)
{
    for (size_t i = 0; i < sizeof BEHIND / sizeof *BEHIND; i++)
        if (strcmp(BEHIND[i].file, name) == 0 && str_is(text, BEHIND[i].text))
            return true;
    return false;
}

static Mill *checked(const char *name, Str text)
{
    const MillOptions options = {0};
    Error err = {0};
    CHECK(freopen("data/types.csv", "r", stdin) != NULL); /* some read it, each from its start */
    Mill *m = mill_open(&options);
    CHECK(mill_load_text(m, name, text, &err) == OK);
    mill_check(m);
    return m;
}

static bool is_error(const Diag *d)
{
    return diag_info(d->code)->severity == SEV_ERROR;
}

static bool is_among(const Diags *ds, const Diag *d)
{
    for (size_t i = 0; i < ds->list.n; i++)
        if (ds->list.ptr[i]->code == d->code && str_eq(ds->list.ptr[i]->text, d->text))
            return true;
    return false;
}

static int by_place(const void *a, const void *b)
{
    const DiagFix *x = a, *y = b;
    return x->span.lo < y->span.lo ? -1 : x->span.lo > y->span.lo;
}

/* The text with the fix; where its mistake began goes to *lo and *hi: a place, or what was put there. */
static Str with_fix(const Mill *m, const Diag *d, uint32_t *lo, uint32_t *hi)
{
    DiagFix *fixes = arena_array(arena, DiagFix, d->fixes.n);
    memcpy(fixes, d->fixes.ptr, d->fixes.n * sizeof *fixes);
    qsort(fixes, d->fixes.n, sizeof *fixes, by_place);
    Str text = mill_text(m);
    uint32_t from = 0, at = d->span.lo - 1; /* the only source begins at 1 */
    Buf out = {0};
    *lo = *hi = UINT32_MAX;
    for (size_t i = 0; i < d->fixes.n; i++) {
        uint32_t begin = fixes[i].span.lo - 1, end = fixes[i].span.hi - 1;
        if (*lo == UINT32_MAX && at < begin)
            *lo = *hi = (uint32_t)out.len + at - from;
        buf_put_str(&out, str_slice(text, from, begin - from));
        if (*lo == UINT32_MAX && at < end) {
            *lo = (uint32_t)out.len;
            *hi = *lo + fixes[i].text.len;
        }
        buf_put_str(&out, fixes[i].text);
        from = end;
    }
    if (*lo == UINT32_MAX)
        *lo = *hi = (uint32_t)out.len + at - from;
    buf_put_str(&out, str_slice(text, from, text.len - from));
    Str all = arena_str(arena, buf_str(&out));
    buf_deinit(&out);
    return all;
}

static void show(const char *name, const char *what, const Diag *d, Str before, Str after, const Mill *m)
{
    Buf out = {0};
    diags_put_short(&out, mill_diags(m), mill_sources(m));
    printf("%s: %s (said at %s:%d): %.*s\n%.*s\nbecame\n%.*s\nwith\n%.*s\n", name, what,
           d->fixes.n ? d->fixes.ptr[0].file : "", d->fixes.n ? d->fixes.ptr[0].line : 0, STR_ARG(d->text), STR_ARG(before), STR_ARG(after),
           (int)out.len, out.ptr ? out.ptr : "");
    buf_deinit(&out);
}

static void check_alone(const char *name, const Mill *m, const Diag *d)
{
    uint32_t lo, hi;
    Str text = with_fix(m, d, &lo, &hi);
    Mill *again = checked(name, text);
    const Diags *after = mill_diags(again);
    bool is_left = false;
    for (size_t i = 0; i < after->list.n; i++) {
        const Diag *x = after->list.ptr[i];
        is_left = is_left || (x->code == d->code && str_eq(x->text, d->text) && x->span.lo - 1 >= lo && x->span.lo - 1 <= hi);
    }
    if (is_left)
        show(name, "a fix leaves its mistake", d, mill_text(m), text, again);
    CHECK(!is_left);
    mill_close(again);
}

static void check_case(const char *name, Str text)
{
    Mill *m = checked(name, text);
    const Diags *ds = mill_diags(m);
    bool has_certain = false;
    mill_tell_behind(m, -1);
    for (size_t i = 0; i < ds->list.n; i++) {
        const Diag *d = ds->list.ptr[i];
        bool is_inside = true;
        for (size_t k = 0; k < d->fixes.n; k++) {
            see(&d->fixes.ptr[k]);
            is_inside = is_inside && d->fixes.ptr[k].span.hi <= text.len + 1;
        }
        if (d->is_certain && d->fixes.n && is_inside) {
            has_certain = true;
            check_alone(name, m, d);
        }
    }
    if (has_certain) {
        MillFixed fixed;
        mill_fix(m, &fixed);
        Mill *again = checked(name, fixed.text);
        for (size_t i = 0; i < mill_diags(again)->list.n; i++) {
            const Diag *d = mill_diags(again)->list.ptr[i];
            bool is_left = d->is_certain && d->fixes.n && is_error(d), is_new = is_error(d) && !is_among(ds, d) && !is_behind(name, d->text);
            if (is_left)
                show(name, "a certain fix was left", d, text, fixed.text, again);
            if (is_new)
                show(name, "a mistake behind the fixes", d, text, fixed.text, again);
            CHECK(!is_left);
            CHECK(!is_new);
        }
        if (is_verbose)
            printf("%s\n%.*s\n", name, STR_ARG(fixed.text));
        mill_close(again);
        mill_fixed_deinit(&fixed);
    }
    mill_close(m);
}

static void check_files(const char *pattern)
{
    glob_t found;
    CHECK(glob(pattern, 0, NULL, &found) == 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        Str text = str_of(read_file(found.gl_pathv[i]));
        check_case(found.gl_pathv[i], text);
    }
    globfree(&found);
}

int main(int argc, char **argv)
{
    static const char *const CASES[] = {"tests/mistakes/*.pipe", "tests/parse/*.pipe", "tests/lex/*.pipe", "tests/check/*.pipe",
                                        "tests/plan/*.pipe", "examples/*.pipe"};
    arena = arena_open();
    find_sites();
    is_verbose = argc > 1;
    for (int i = 1; i < argc; i++)
        check_files(argv[i]);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES && argc == 1; i++)
        check_files(CASES[i]);
    for (DiagCode c = 0; c < N_DIAG_CODES && argc == 1; c++)
        check_case("explain.pipe", str_of(diag_info(c)->wrong));
    for (size_t i = 0; i < sites.n && argc == 1; i++) {
        if (!sites.ptr[i].is_seen)
            printf("%s:%d: no case of tests/ has this fix: write one, in tests/mistakes\n", sites.ptr[i].file, sites.ptr[i].first);
        CHECK(sites.ptr[i].is_seen);
    }
    arena_close(arena);
    UNIT_END("fix");
}
