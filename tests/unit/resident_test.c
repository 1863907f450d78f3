/* resident_test - what the process takes while it keeps to a budget: not much more than that. It counts the whole of it, the
 * allocator's free pieces and the program itself too, so it runs pipemill as a process of its own. */
#define _DEFAULT_SOURCE /* wait4, mkstemps */

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define BUDGET_MB 8
#define MOST_KB ((BUDGET_MB + 26) * 1000)

/* program: the file. The most kB that were resident; -1: it failed. */
static long run_kb(const char *pipemill, const char *program)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        execl(pipemill, pipemill, "run", "-q", "-j", "2", "--memory", "8MB", program, (char *)NULL);
        _exit(127);
    }
    int status;
    struct rusage used;
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return -1;
    return used.ru_maxrss;
}

static void rows_write(FILE *f)
{
    fputs("k,n\n", f);
    for (uint32_t i = 0; i < 1000000; i++)
        fprintf(f, "k%07u,%u\n", i * 7919 % 1000003, i % 1000);
}

/* Runs a job that does this to all rows of the file. */
static void statement_run(const char *pipemill, const char *file, const char *statement)
{
    char program[] = "/tmp/pipemill_resident_XXXXXX.pipe";
    int fd = mkstemps(program, 5);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    CHECK(f != NULL);
    if (!f)
        return;
    fprintf(f, "schema rows { k: string, n: int }\njob j { read csv \"%s\" batch auto | collect { %s } | write csv stdout }\n", file,
            statement);
    fclose(f);
    long kb = run_kb(pipemill, program);
    CHECK(kb > 0);
    CHECK(kb < MOST_KB);
    if (kb < 0 || kb >= MOST_KB)
        printf("%ld kB resident with a budget of %d MB: %s\n", kb, BUDGET_MB, statement);
    unlink(program);
}

int main(int argc, char **argv)
{
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;
    int n_dir = slash ? (int)(slash - argv[0]) + 1 : 0;
    char path[4096];
    snprintf(path, sizeof path, "%.*s../../pipemill", n_dir, argv[0]);
    if (access(path, X_OK) != 0) /* that of the release is further up */
        snprintf(path, sizeof path, "%.*s../../../pipemill", n_dir, argv[0]);
    static const char *const statements[] = {
        "exec [\"cat\"] as rows",
        "sort by k",
        "distinct k",
        "group by k { n = count(), m = max(n) }",
        "group by k { n = count(), m = max(n), s = sum(n), x = count_distinct(n) }",
    };
    char file[] = "/tmp/pipemill_resident_XXXXXX.csv";
    int fd = mkstemps(file, 4);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    bool counts = false; /* they take several times as much */
#else
    bool counts = true;
#endif
    CHECK(f != NULL);
    if (!f)
        UNIT_END("resident");
    rows_write(f);
    fclose(f);
    for (size_t i = 0; i < sizeof statements / sizeof *statements && counts; i++)
        statement_run(path, file, statements[i]);
    unlink(file);
    UNIT_END("resident");
}
