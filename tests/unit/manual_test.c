/* grammar/README.md is what `help` shows: it has a row for each statement, function, annotation and option, and none
 * for what there is not; every topic has text and an example; what is shown is the file's text. */
#include <stdlib.h>

#include "api/help.h"
#include "api/manual.h"
#include "base/builtins.h"
#include "lang/annot.h"
#include "lang/check.h"
#include "unit.h"

static bool has_text(Str text, const char *part)
{
    size_t n = strlen(part);
    for (uint32_t i = 0; i + n <= text.len; i++)
        if (memcmp(text.ptr + i, part, n) == 0)
            return true;
    return false;
}

static Str intro_of(const char *heading)
{
    ManualSection s;
    bool found = manual_find(str_of(heading), &s);
    if (!found)
        printf("no section %s\n", heading);
    CHECK(found);
    return found ? s.intro : (Str){0};
}

static bool has_row(const char *section, const char *word)
{
    Buf out = {0};
    bool found = manual_put_rows(&out, intro_of(section), str_of(word));
    if (!found)
        printf("%s: no row for %s\n", section, word);
    buf_deinit(&out);
    return found;
}

/* The statement has a heading of its own, so that `help` finds more than its row. */
static bool has_heading(const char *word)
{
    ManualSection s;
    for (uint32_t i = 0; manual_section(i, &s); i++)
        if (s.level == 3 && has_text(s.heading, word))
            return true;
    printf("no heading for %s\n", word);
    return false;
}

static void test_statements(void)
{
    for (int k = 1; k < N_STMTS; k++) {
        const char *word = stmt_word((StmtKind)k);
        CHECK(has_row("Statements", word));
        CHECK(has_heading(word));
    }
}

/* The words of the table of functions are the functions, each once. */
static void test_functions(void)
{
    Str text = intro_of("Functions");
    uint32_t n_listed = 0, n_builtins = 0;
    bool in_code = false;
    for (uint32_t i = 0; i < text.len; i++) {
        bool is_row = text.ptr[i] == '|' && (i == 0 || text.ptr[i - 1] == '\n');
        for (; is_row && i < text.len && text.ptr[i] != '\n'; i++) {
            in_code ^= text.ptr[i] == '`';
            bool begins = in_code && (text.ptr[i] == '`' || text.ptr[i] == ' ');
            if (!begins)
                continue;
            uint32_t n = 0;
            while (text.ptr[i + 1 + n] != ' ' && text.ptr[i + 1 + n] != '`')
                n++;
            Str name = str_slice(text, i + 1, n);
            bool found = false;
            for (int b = 0; b < N_BUILTINS; b++)
                found |= str_is(name, builtin_get((BuiltinId)b)->name);
            if (!found)
                printf("the table has `%.*s`, which is no function\n", STR_ARG(name));
            CHECK(found);
            n_listed++;
        }
    }
    for (int b = 0; b < N_BUILTINS; b++) {
        const char *name = builtin_get((BuiltinId)b)->name;
        char ticked[64], begun[64], ended[64], inner[64];
        snprintf(ticked, sizeof ticked, "`%s`", name);
        snprintf(begun, sizeof begun, "`%s ", name);
        snprintf(ended, sizeof ended, " %s`", name);
        snprintf(inner, sizeof inner, " %s ", name);
        bool found = has_text(text, ticked) || has_text(text, begun) || has_text(text, ended) ||
                     has_text(text, inner);
        if (!found)
            printf("the table lacks `%s`\n", name);
        CHECK(found);
        n_builtins++;
    }
    /* min and max are two functions each, in two groups. */
    CHECK(n_listed + 2 >= n_builtins);
}

static void test_annotations(void)
{
    for (int k = 0; k < N_ANNOTS; k++) {
        char word[64];
        snprintf(word, sizeof word, "@%s", annot_info((AnnotKind)k)->name);
        CHECK(has_row("Annotations", word));
    }
}

static void test_options(void)
{
    for (int k = 0; k < N_OPTIONS; k++) {
        const OptionInfo *o = option_info((OptionKind)k);
        char place[64];
        snprintf(place, sizeof place, "%s %s", stmt_word(o->stmt), format_name(o->format));
        ManualSection s;
        bool found = false, is_there = false;
        for (uint32_t i = 0; !found && manual_section(i, &s); i++)
            if (s.level == 3 && has_text(s.heading, place)) {
                Buf out = {0};
                is_there = true;
                found = manual_put_rows(&out, s.whole, str_of(o->name));
                buf_deinit(&out);
            }
        if (is_there && !found)
            printf("no row for %s of %s\n", o->name, place);
        CHECK(found);
    }
}

static void test_topics(void)
{
    const char *name;
    for (uint32_t i = 0; (name = help_topic_name(i, NULL)); i++) {
        Buf out = {0};
        CHECK(help_put(&out, str_of(name)));
        bool has_example = has_text(buf_str(&out), "\n    ");
        if (!has_example)
            printf("help %s has no example\n", name);
        CHECK(has_example);
        buf_deinit(&out);
    }
}

static void check_word(void *ctx, Str name)
{
    Buf out = {0};
    (void)ctx;
    bool ok = help_put(&out, name) && out.len > 4;
    if (!ok)
        printf("help %.*s says nothing\n", STR_ARG(name));
    CHECK(ok);
    /* A program of the manual, which the tests run, or the example of a function, which builtins_test computes. */
    bool has_example = false;
    for (size_t i = 0; ok && i + 5 < out.len; i++) /* text stands less far in, or further */
        has_example = has_example || (memcmp(out.ptr + i, "\n    ", 5) == 0 && out.ptr[i + 5] != ' ');
    if (!has_example)
        printf("help %.*s has no example\n", STR_ARG(name));
    CHECK(has_example);
    buf_deinit(&out);
}

/* The binary's copy is the file; nothing of a section is lost in the terminal but marks. */
static void test_text(void)
{
    Buf file = {0}, shown = {0};
    char chunk[4096];
    size_t n;
    FILE *f = fopen("grammar/README.md", "rb");
    CHECK(f != NULL);
    while (f && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_put(&file, chunk, n);
    if (f)
        fclose(f);
    CHECK(str_eq(buf_str(&file), manual_text()));

    manual_put(&shown, manual_text());
    size_t letters[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        Str text = k == 0 ? buf_str(&file) : buf_str(&shown);
        for (uint32_t i = 0; i < text.len; i++)
            letters[k] += text.ptr[i] >= 'a' && text.ptr[i] <= 'z';
    }
    /* Heads of tables and targets of links are left out. */
    CHECK(letters[1] <= letters[0] && letters[1] + letters[0] / 40 > letters[0]);
    buf_deinit(&file);
    buf_deinit(&shown);
}

static void test_markdown(void)
{
    Buf out = {0};
    manual_put(&out, STR_LIT("A **bold** [link](http://x) of `code * [x](y)`, *so*\nand on.\n\n"
                             "* one\n  more\n* two\n\n"
                             "| head | on | what |\n| --- | --- | --- |\n| `a \\| b` | op | means `c` |\n"
                             "| `` `x y` `` | | a name |\n\n"
                             "```pipe\njob a {\n\n# no heading\n}\n```\n"
                             "    indented  code\n"));
    CHECK_STR(out.ptr, "  A bold link of `code * [x](y)`, so and on.\n"
                       "\n"
                       "  * one more\n"
                       "  * two\n"
                       "\n"
                       "  a | b               on op: means `c`\n"
                       "  `x y`               a name\n"
                       "\n"
                       "    job a {\n"
                       "\n"
                       "    # no heading\n"
                       "    }\n"
                       "\n"
                       "    indented  code\n");
    buf_deinit(&out);
}

int main(void)
{
    test_statements();
    test_functions();
    test_annotations();
    test_options();
    test_topics();
    help_each_name(NULL, check_word);
    for (int k = 0; k < N_OPTIONS; k++)
        check_word(NULL, str_of(option_info((OptionKind)k)->name));
    check_word(NULL, STR_LIT("??"));
    check_word(NULL, STR_LIT("**"));
    test_text();
    test_markdown();
    UNIT_END("manual");
}
