/* files.h: which files a pattern names, and by which keys. */
#include "data/files.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static void touch(const char *path)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fputs("12345", f) >= 0 && fclose(f) == 0);
}

/* The keys that match, one after the other. */
static void check_keys(const char *pattern, const char *want)
{
    FileList *l = NULL;
    Error err = {0};
    Buf got = {0};
    CHECK(files_list(str_of(pattern), &l, &err) == OK);
    for (uint32_t i = 0; l && i < l->n; i++)
        buf_printf(&got, "%s%.*s", i ? " " : "", STR_ARG(l->files[i].key));
    CHECK_STR(got.ptr ? got.ptr : "", want);
    files_free(l);
    buf_deinit(&got);
}

int main(void)
{
    char dir[] = "/tmp/files-XXXXXX", pattern[64];
    if (!mkdtemp(dir) || chdir(dir) != 0)
        return perror("files_test"), 1;
    mkdir("a", 0777);
    mkdir("a/b", 0777);
    mkdir("a/b.d", 0777);
    touch("a/1.csv");
    touch("a/b/2.csv");
    touch("a/b/x*y");
    touch("a/b.d/2.csv");

    check_keys("a/1.csv", "1.csv");
    check_keys("a/*", "1.csv");
    check_keys("*/1.csv", "a/1.csv");
    check_keys("a/b/*", "2.csv x*y");
    check_keys("a//b///*.csv", "2.csv");
    check_keys("./a/./b/2*", "2.csv");
    check_keys("a/*/2.csv", "b.d/2.csv b/2.csv"); /* `.` before `/` */
    check_keys("a/b/x\\*y", "x*y");
    check_keys("a\\/b/*\\*y", "x*y");
    check_keys("a/[b]/[!x]*", "b/2.csv");
    check_keys("none/*", "");
    check_keys("a/1.csv/*", "");
    snprintf(pattern, sizeof pattern, "%s/a/b/2*", dir);
    check_keys(pattern, "2.csv");
    snprintf(pattern, sizeof pattern, "%s/a/*.csv", dir);
    FileList *l = NULL;
    Error err = {0};
    CHECK(files_list(str_of(pattern), &l, &err) == OK);
    CHECK(l && l->n == 1 && l->files[0].size == 5 && l->files[0].modified_us > 0);
    files_free(l);

    /* What is there but cannot be asked about is an error, not left out. */
    CHECK(symlink("nowhere", "a/dangling") == 0);
    l = NULL;
    CHECK(files_list(STR_LIT("a/*"), &l, &err) == ERR_IO && !l);
    CHECK_STR(err.text, "cannot look at `a/dangling`: No such file or directory");
    if (geteuid() != 0) { /* who may do everything is refused nothing */
        CHECK(chmod("a/b", 0) == 0);
        CHECK(files_list(STR_LIT("a/b/*"), &l, &err) == ERR_IO && !l);
        CHECK_STR(err.text, "cannot look for `a/b/*`: Permission denied");
        CHECK(chmod("a/b", 0777) == 0);
    }
    CHECK(files_list((Str){"a\0b", 3}, &l, &err) == ERR_IO && !l);

    const char *const gone[] = {"a/dangling", "a/1.csv", "a/b/2.csv", "a/b/x*y", "a/b.d/2.csv",
                                "a/b.d",      "a/b",     "a"};
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        CHECK(remove(gone[i]) == 0);
    CHECK(chdir("/") == 0 && rmdir(dir) == 0);
    UNIT_END("files");
}
