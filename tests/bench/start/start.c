/* start.c - how long a small job takes from exec to exit: pipemill over data/pokemon.csv (801 rows, 41 columns), many
 * times. The least says what the program needs, the median also what else the machine does. `--version` and
 * `true` tell what loading any program takes. Fails if the least of a job is over 10 ms. Optional: the number of runs. */
#define _DEFAULT_SOURCE /* wait4 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_RUNS = 200, LIMIT_US = 10000 };

typedef struct Job {
    const char *name;
    const char *argv[8];
} Job;

#define PIPEMILL "build/pipemill"

static const Job JOBS[] = {
    {"true", {"true"}},
    {"pipemill --version", {PIPEMILL, "--version"}},
    {"check examples/pokemon.pipe", {PIPEMILL, "check", "examples/pokemon.pipe"}},
    {"prio_dynamic of it", {PIPEMILL, "run", "-q", "examples/pokemon.pipe", "prio_dynamic", "--set", "pause=0s"}},
    {"filter, one table",
     {PIPEMILL, "run", "-q", "-e",
      "read csv \"data/pokemon.csv\" | { where hp > 100; select name, hp, attack } | write csv stdout"}},
    {"filter, batches",
     {PIPEMILL, "run", "-q", "-e",
      "read csv \"data/pokemon.csv\" batch 100 | map { where hp > 100; select name, hp, attack } | map write csv stdout"}},
    {"group, batches",
     {PIPEMILL, "run", "-q", "-e",
      "read csv \"data/pokemon.csv\" batch 100 | collect { group by generation { n = count() }; write csv stdout }"}},
};

static long us_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static long us_of(struct timeval t)
{
    return t.tv_sec * 1000000L + t.tv_usec;
}

/* False: it did not run, or failed. */
static int run(const Job *job, long *wall_us, long *cpu_us)
{
    struct rusage used;
    int status;
    long begin = us_now();
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        execvp(job->argv[0], (char *const *)(void *)job->argv);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
        return 0;
    *wall_us = us_now() - begin;
    *cpu_us = us_of(used.ru_utime) + us_of(used.ru_stime);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int long_cmp(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int n_runs = argc > 1 ? atoi(argv[1]) : N_RUNS, status = 0;
    if (n_runs < 1)
        n_runs = N_RUNS;
    long *wall = calloc((size_t)n_runs, sizeof *wall), *cpu = calloc((size_t)n_runs, sizeof *cpu);
    if (!wall || !cpu)
        return 1;
    printf("%d runs each, ms\n%-28s %15s  %15s\n%-28s %7s %7s  %7s %7s\n", n_runs, "", "wall", "processor", "", "least",
           "median", "least", "median");
    for (size_t k = 0; k < sizeof JOBS / sizeof *JOBS; k++) {
        for (int i = 0; i < n_runs; i++)
            if (!run(&JOBS[k], &wall[i], &cpu[i])) {
                printf("%s: it failed\n", JOBS[k].name);
                return 1;
            }
        qsort(wall, (size_t)n_runs, sizeof *wall, long_cmp);
        qsort(cpu, (size_t)n_runs, sizeof *cpu, long_cmp);
        printf("%-28s %7.2f %7.2f  %7.2f %7.2f\n", JOBS[k].name, (double)wall[0] / 1e3, (double)wall[n_runs / 2] / 1e3,
               (double)cpu[0] / 1e3, (double)cpu[n_runs / 2] / 1e3);
        if (wall[0] > LIMIT_US)
            status = 1;
    }
    if (status)
        printf("a job takes more than 10 ms at the least\n");
    free(wall);
    free(cpu);
    return status;
}
