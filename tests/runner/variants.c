/* variants.c - what every program must do, expected or not: the same with other numbers of workers and sizes of
 * batches, bytecode that verifies, jobs that run. */
#include "runner.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one run left: stdout and every file; run stores hold times. */
static void add_tree(Buf *out, const char *path, const char *name)
{
    DIR *dir = opendir(path);
    if (!dir)
        die(path);
    char **names = NULL;
    size_t n = 0;
    struct dirent *e;
    while ((e = readdir(dir))) {
        if (e->d_name[0] == '.')
            continue;
        names = must(realloc(names, (n + 1) * sizeof *names));
        names[n++] = copy_n(e->d_name, strlen(e->d_name));
    }
    closedir(dir);
    if (n)
        qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++) {
        char *child = text_of("%s/%s", path, names[i]);
        char *label = text_of("%s/%s", name, names[i]);
        struct stat st;
        if (lstat(child, &st) != 0 || S_ISLNK(st.st_mode))
            continue;
        if (S_ISDIR(st.st_mode)) {
            add_tree(out, child, label);
        } else {
            Buf raw = {0};
            read_all(child, &raw);
            Buf text = visible(&raw);
            bool is_database = strncmp(buf_text(&text), "SQLite format 3", 15) == 0; /* its pages may differ, its rows not */
            buf_printf(out, "== %s\n%s", label + 1, is_database ? "a database\n" : buf_text(&text));
        }
    }
}

typedef struct Trace {
    int status;
    Buf data;  /* stdout and files */
    Buf talk;  /* stderr, sorted: instances log in any order */
} Trace;

static bool run_variant(Test *t, const Words *base, const char *jobs, const char *batch,
                        Trace *out)
{
    Words w = *base;
    words_add(&w, "-j");
    words_add(&w, jobs);
    set_up(t);
    Result r = run_argv(t, w.v, batch);
    if (!ended_well(t, text_of("run -j %s %s", jobs, batch ? batch : ""), &r))
        return false;
    Buf err = visible(&r.err);
    *out = (Trace){.status = r.status, .data = visible(&r.out), .talk = sorted_lines(&err)};
    add_tree(&out->data, text_of("%s/t", work), "");
    return true;
}

static void compare_variant(Test *t, const Words *base, const Trace *first,
                            const char *jobs, const char *batch)
{
    Trace v;
    if (!run_variant(t, base, jobs, batch, &v))
        return;
    char *what = text_of("run -j %s %s differs from -j 1", jobs, batch ? batch : "");
    if (v.status != first->status)
        fail(t, "%s: exit status %d, not %d\n%s", what, v.status, first->status,
             buf_text(&v.talk));
    else if (v.status != 0)
        return; /* what a failing run finished depends on the threads */
    else if (strcmp(buf_text(&v.data), buf_text(&first->data)) != 0)
        fail_diff(t, what, buf_text(&first->data), buf_text(&v.data));
    else if (!batch && strcmp(buf_text(&v.talk), buf_text(&first->talk)) != 0)
        fail_diff(t, text_of("%s: stderr", what), buf_text(&first->talk),
                  buf_text(&v.talk));
}

/* The program and arguments of `run` that decide what is computed. */
static Words essential_words(const Test *t, const char *text)
{
    const char *with_value[] = {"--trace", "--events", "--progress", "-j", "--color"};
    Words given = {0}, w = {0};
    words_split(&given, t, text);
    words_add(&w, pipemill);
    words_add(&w, "run");
    if (!names_program(&given, text))
        words_add(&w, t->name);
    words_add(&w, "-q");
    if (!words_have(&given, "--seed")) {
        words_add(&w, "--seed");
        words_add(&w, "1");
    }
    for (int i = 1; i < given.n; i++) {
        const char *flags[] = {"--gantt", "-q", "--quiet", "-v", "--verbose"};
        bool skip = false, skip_two = false;
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
            skip |= strcmp(given.v[i], flags[k]) == 0;
        for (size_t k = 0; k < sizeof with_value / sizeof *with_value; k++)
            skip_two |= strcmp(given.v[i], with_value[k]) == 0;
        if (skip_two)
            i++;
        else if (!skip)
            words_add(&w, given.v[i]);
    }
    return w;
}

/* Threads and batch sizes do not show. */
void compare_variants(Test *t, const char *text)
{
    Words base = essential_words(t, text);
    Trace first;
    if (!run_variant(t, &base, "1", NULL, &first))
        return;
    char *jobs = copy_n(t->jobs, strlen(t->jobs));
    for (char *j = strtok(jobs, " "); j; j = strtok(NULL, " "))
        if (strcmp(j, "1") != 0)
            compare_variant(t, &base, &first, j, NULL);
    if (!t->is_batch_dependent && first.status == 0) {
        compare_variant(t, &base, &first, "2", "PIPEMILL_BATCH=1");
        compare_variant(t, &base, &first, "2", "PIPEMILL_BATCH=7");
    }
}

/* The bytecode of the job that `text` runs passes the verifier. */
void verify_bytecode(Test *t, const char *text)
{
    const char *with_value[] = {"--trace", "--events", "--progress", "-j",    "--color",
                                "--seed",  "--memory", "--now",      "--set"};
    Words given = {0}, w = {0};
    words_split(&given, t, text);
    if (has_flow(&given))
        return;
    words_add(&w, pipemill);
    words_add(&w, "dump");
    if (!names_program(&given, text))
        words_add(&w, t->name);
    words_add(&w, "--format");
    words_add(&w, "bytecode");
    for (int i = 1; i < given.n; i++) {
        bool has_value = false;
        for (size_t k = 0; k < sizeof with_value / sizeof *with_value; k++)
            has_value |= strcmp(given.v[i], with_value[k]) == 0;
        if (strcmp(given.v[i], "--set") == 0 && i + 1 < given.n) {
            words_add(&w, "--set");
            words_add(&w, given.v[i + 1]);
        }
        if (has_value)
            i++;
        else if (given.v[i][0] != '-')
            words_add(&w, given.v[i]);
    }
    set_up(t);
    Result r = run_argv(t, w.v, NULL);
    if (ended_well(t, "dump --format bytecode", &r) && r.status != 0)
        fail(t, "dump --format bytecode: exit status %d\n%s", r.status, buf_text(&r.err));
    if (bytecode_fd >= 0 && r.out.n && write(bytecode_fd, r.out.p, r.out.n) < 0)
        die("bytecode");
}

/* An example that says nothing about itself: each of its jobs runs, and quickly. */
void run_jobs(Test *t)
{
    const char *pause = strstr(t->text, "\nparam pause") ? " --set pause=1ms" : "";
    for (int i = 0; i < t->n_lines; i++) {
        if (!starts(t->lines[i].s, "job "))
            continue;
        const char *name = t->lines[i].s + 4;
        char *text = text_of("run $FILE %.*s%s", (int)strcspn(name, " ({"), name, pause);
        verify_bytecode(t, text);
        Words w = essential_words(t, text);
        set_up(t);
        Result r = run_argv(t, w.v, NULL);
        if (ended_well(t, text, &r) && r.status != 0)
            fail(t, "%s: exit status %d\n%s", text, r.status, buf_text(&r.err));
        compare_variants(t, text);
    }
}
