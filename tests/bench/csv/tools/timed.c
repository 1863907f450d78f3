/* timed.c - runs a command and writes what it took.
 *
 *   timed FILE COMMAND ARG...
 *
 * FILE gets one line: wall seconds from exec to exit, CPU seconds, and the most MB that it had
 * resident. The exit status is the command's (128 + n if signal n ended it).
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec * 1e-6; }

int main(int argc, char **argv)
{
    struct rusage u;
    int status;
    if (argc < 3)
        return 2;
    double start = now();
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &u) < 0)
        return 2;
    double wall = now() - start;
    FILE *f = fopen(argv[1], "w");
    if (!f)
        return 2;
    fprintf(f, "%.6f %.6f %.1f\n", wall, seconds(u.ru_utime) + seconds(u.ru_stime),
            (double)u.ru_maxrss / 1024);
    fclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
