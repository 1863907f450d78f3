/* main.c - runs the golden tests: .pipe files with their expectations in comments,
 * and ```pipe fences of Markdown files. tests/README.md describes the format.
 *
 *   runner [--bless] [--limit SECONDS] [-j N] [--bytecode OUT] PIPEMILL FILE...
 *
 * Run from the root of the tree. N worker processes take tests from a shared counter;
 * each test has a fresh folder of its own with `data` and `examples` linked in. Failures
 * are printed as diffs; the last line is `N passed, N failed`; exit status 1 if any failed.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "runner.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *root;
const char *pipemill;
char work[256];
unsigned limit_s = 20;
bool blessing;
int bytecode_fd = -1;

/* ---- one test ---- */

/* `#! check` without a word about its output is the comparison of diagnostics. */
bool is_plain_check(const Command *c)
{
    return !c->is_shell && strcmp(c->text, "check") == 0 && !c->out.n && !c->has_err &&
           !c->has_exit;
}

bool is_run(const Command *c)
{
    return !c->is_shell && starts(c->text, "run") && (c->text[3] == ' ' || !c->text[3]);
}

/* A test without a command is run, unless mistakes are what it is about. */
void imply_command(Test *t)
{
    if (t->n_commands || t->is_example || expects_errors(t))
        return;
    for (int i = 0; i < t->n_files && t->is_fence; i++)
        if (t->files[i].role == F_OUTPUT)
            new_command(t, "run", false, true);
    if (!t->is_fence)
        new_command(t, "run", false, true);
}

static void test_run(Test *t)
{
    test_parse(t);
    if (t->failed || t->skip)
        return;
    imply_command(t);

    if (t->has_code && !t->no_check) {
        set_up(t);
        compare_diags(t);
    }
    set_up(t);
    for (int i = 0; i < t->n_commands; i++) {
        const Command *c = &t->commands[i];
        if (is_plain_check(c))
            continue;
        Result r = run_command(t, c);
        compare_command(t, c, &r);
    }
    if (t->n_commands)
        compare_files(t);

    if (t->failed || expects_errors(t))
        return;
    if (t->n_commands && is_run(&t->commands[0]) &&
        expected_status(t, &t->commands[0]) != 2) { /* 2: it did not come to a run */
        if (t->has_code && !t->no_check)
            verify_bytecode(t, t->commands[0].text);
        compare_variants(t, t->commands[0].text);
    }
    if (t->is_example && !t->n_commands)
        run_jobs(t);
}

/* ---- all tests ---- */

static Test *tests;
static int n_tests;

static Test *new_test(const char *path)
{
    tests = must(realloc(tests, (size_t)(n_tests + 1) * sizeof *tests));
    Test *t = &tests[n_tests++];
    *t = (Test){.path = path};
    return t;
}

/* Every ```pipe fence is a test; the program keeps its place in no other way. */
static void add_fences(const char *path, const char *s)
{
    int line = 0, n = 0;
    while (*s) {
        const char *end = s + strcspn(s, "\n");
        bool opens = (size_t)(end - s) == 7 && starts(s, "```pipe");
        s = end + (*end == '\n');
        line++;
        if (!opens)
            continue;
        const char *body = s;
        Test *t = new_test(text_of("%s:%d", path, line));
        t->is_fence = true;
        t->name = text_of("fence_%d.pipe", ++n);
        while (*s && !starts(s, "```")) {
            s += strcspn(s, "\n");
            s += *s == '\n';
            line++;
        }
        t->text = copy_n(body, (size_t)(s - body));
    }
}

static void add_path(const char *path)
{
    Buf text = {0};
    buf_add(&text, "", 0);
    if (!read_all(path, &text))
        die(path);
    size_t n = strlen(path);
    if (n > 3 && strcmp(path + n - 3, ".md") == 0) {
        add_fences(path, text.p);
        return;
    }
    Test *t = new_test(path);
    const char *slash = strrchr(path, '/');
    t->name = text_of("%s", slash ? slash + 1 : path);
    t->text = text.p;
    t->is_example = starts(path, "examples/");
    if (strlen(text.p) != text.n)
        fail(t, "a NUL byte in a test: write the program with #file and #\\");
}

typedef struct Shared {
    atomic_int next, n_passed, n_failed, n_skipped;
} Shared;

static void work_through(Shared *shared)
{
    struct sigaction sa = {.sa_handler = on_alarm}; /* no SA_RESTART */
    sigaction(SIGALRM, &sa, NULL);
    if (mkdir(work, 0777) != 0)
        die(work);
    int i;
    while ((i = atomic_fetch_add(&shared->next, 1)) < n_tests) {
        Test *t = &tests[i];
        if (!t->failed) {
            if (blessing)
                test_bless(t);
            else
                test_run(t);
        }
        if (t->skip && !t->failed) {
            buf_printf(&t->report, "skip %s: %s\n", t->path, t->skip);
            atomic_fetch_add(&shared->n_skipped, 1);
        } else {
            atomic_fetch_add(t->failed ? &shared->n_failed : &shared->n_passed, 1);
        }
        fflush(stdout);
        const char *s = buf_text(&t->report);
        for (size_t left = t->report.n; left;) {
            ssize_t n = write(STDOUT_FILENO, s, left);
            if (n <= 0)
                exit(2);
            s += n;
            left -= (size_t)n;
        }
    }
    remove_tree(work);
}

int main(int argc, char **argv)
{
    long n_workers = sysconf(_SC_NPROCESSORS_ONLN);
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--bless") == 0)
            blessing = true;
        else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc)
            limit_s = (unsigned)atoi(argv[++i]);
        else if (strcmp(argv[i], "-j") == 0 && i + 1 < argc)
            n_workers = atoi(argv[++i]);
        else if (strcmp(argv[i], "--bytecode") == 0 && i + 1 < argc)
            bytecode_fd = open(argv[++i], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
                               0666);
        else
            i = argc;
    }
    if (i >= argc) {
        fprintf(stderr,
                "usage: runner [--bless] [--limit SECONDS] [-j N] [--bytecode OUT] "
                "PIPEMILL FILE...\n");
        return 2;
    }
    root = getcwd(NULL, 0);
    pipemill = argv[i][0] == '/' ? argv[i] : text_of("%s/%s", root, argv[i]);
    for (i++; i < argc; i++)
        add_path(argv[i]);

    /* The same surroundings on every machine. */
    const char *slash = strrchr(pipemill, '/');
    char *bin = copy_n(pipemill, (size_t)(slash - pipemill));
    setenv("PATH", text_of("%s:%s", bin, getenv("PATH")), 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("TZ", "UTC", 1);
    setenv("TERM", "dumb", 1);
    setenv("COLUMNS", "80", 1);
    unsetenv("NO_COLOR");
    unsetenv("CI");

    const char *tmp = getenv("TMPDIR");
    char *top = text_of("%s/pipemill-test.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(top))
        die(top);
    Shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        die("mmap");
    if (n_workers < 1)
        n_workers = 1;
    bool broken = false;
    for (long k = 0; k < n_workers; k++) {
        snprintf(work, sizeof work, "%s/%ld", top, k);
        pid_t pid = fork();
        if (pid < 0)
            die("fork");
        if (pid == 0) {
            work_through(shared);
            return 0;
        }
    }
    int status;
    while (wait(&status) > 0)
        broken |= status != 0;
    remove_tree(top);

    int n_failed = shared->n_failed + (broken ? 1 : 0);
    if (broken)
        printf("FAIL a worker of the runner died\n");
    if (shared->n_skipped)
        printf("%d skipped\n", shared->n_skipped);
    printf("%d passed, %d failed\n", shared->n_passed, n_failed);
    return n_failed ? 1 : 0;
}
