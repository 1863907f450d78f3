/* process.c - running the program, or a shell, in the test's folder, with a limit. */
#define _DEFAULT_SOURCE /* putenv */

#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    if (dir) {
        struct dirent *e;
        while ((e = readdir(dir))) {
            if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                continue;
            char *child = text_of("%s/%s", path, e->d_name);
            struct stat st;
            if (lstat(child, &st) == 0 && S_ISDIR(st.st_mode))
                remove_tree(child);
            else
                unlink(child);
            free(child);
        }
        closedir(dir);
    }
    rmdir(path);
}

static void make_parents(char *path)
{
    for (char *s = path + 1; *s; s++) {
        if (*s == '/') {
            *s = '\0';
            mkdir(path, 0777);
            *s = '/';
        }
    }
}

/* A fresh folder with the program, its input files, and `data` and `examples`. */
void set_up(const Test *t)
{
    char *dir = text_of("%s/t", work);
    remove_tree(dir);
    if (mkdir(dir, 0777) != 0)
        die(dir);
    const char *links[] = {"data", "examples"};
    for (int i = 0; i < 2; i++)
        if (symlink(text_of("%s/%s", root, links[i]), text_of("%s/%s", dir, links[i])) != 0)
            die(links[i]);
    write_all(text_of("%s/%s", dir, t->name), t->text, strlen(t->text));
    write_all(text_of("%s/in", work), "", 0);
    for (int i = 0; i < t->n_files; i++) {
        const File *f = &t->files[i];
        if (f->role == F_STDIN)
            write_all(text_of("%s/in", work), buf_text(&f->bytes), f->bytes.n);
        if (f->role == F_INPUT) {
            char *path = text_of("%s/%s", dir, f->name);
            make_parents(path);
            write_all(path, buf_text(&f->bytes), f->bytes.n);
        }
    }
}

void on_alarm(int sig)
{
    (void)sig; /* only interrupts waitpid */
}

/* Runs argv in work/t with an environment variable "NAME=VALUE" or NULL. */
Result run_argv(const Test *t, char *const *argv, const char *env)
{
    Result r = {0};
    bool has_stdin = false;
    for (int i = 0; i < t->n_files; i++)
        has_stdin |= t->files[i].role == F_STDIN;
    char *in = has_stdin ? text_of("%s/in", work) : text_of("/dev/null");
    char *out = text_of("%s/out", work), *err = text_of("%s/err", work);
    char *dir = text_of("%s/t", work), *home = text_of("HOME=%s", dir);

    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        setpgid(0, 0);
        struct rlimit big = {1u << 30, 1u << 30}, none = {0, 0};
        setrlimit(RLIMIT_FSIZE, &big); /* a runaway writer must not fill the disk */
        setrlimit(RLIMIT_CORE, &none);
        int in_fd = open(in, O_RDONLY);
        int out_fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
        int err_fd = open(err, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
        if (in_fd < 0 || out_fd < 0 || err_fd < 0 || dup2(in_fd, 0) < 0 ||
            dup2(out_fd, 1) < 0 || dup2(err_fd, 2) < 0 || chdir(dir) != 0)
            _exit(126);
        close(in_fd), close(out_fd), close(err_fd);
        putenv(home);
        if (env)
            putenv(text_of("%s", env));
        execvp(argv[0], argv);
        _exit(127);
    }
    setpgid(pid, pid);
    int status = 0;
    alarm(limit_s);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            die("waitpid");
        r.timed_out = true;
        kill(-pid, SIGKILL);
    }
    alarm(0);
    kill(-pid, SIGKILL); /* whatever it left behind */
    r.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    read_all(out, &r.out);
    read_all(err, &r.err);
    return r;
}

void words_add(Words *w, const char *s)
{
    if (w->n < MAX_WORDS + 7)
        w->v[w->n++] = copy_n(s, strlen(s));
}

/* Splits at blanks; '...' and "..." (with \) group; $FILE is the program's name. */
void words_split(Words *w, const Test *t, const char *s)
{
    while (w->n < MAX_WORDS) {
        s += strspn(s, " ");
        if (!*s)
            break;
        Buf word = {0};
        buf_add(&word, "", 0);
        char quote = 0;
        for (; *s && (quote || *s != ' '); s++) {
            if (quote ? *s == quote : (*s == '\'' || *s == '"'))
                quote = quote ? 0 : *s;
            else if (quote == '"' && *s == '\\' && s[1])
                buf_add(&word, ++s, 1);
            else if (starts(s, "$FILE")) {
                buf_str(&word, t->name);
                s += 4;
            } else
                buf_add(&word, s, 1);
        }
        w->v[w->n++] = word.p;
    }
}

bool words_have(const Words *w, const char *s)
{
    for (int i = 0; i < w->n; i++)
        if (strcmp(w->v[i], s) == 0)
            return true;
    return false;
}

bool takes_program(const char *command)
{
    const char *all[] = {"run", "check", "dump", "plan", "fmt", "simulate"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(command, all[i]) == 0)
            return true;
    return false;
}

/* Is the program the body of a job in the arguments? */
bool has_flow(const Words *w)
{
    for (int i = 1; i < w->n; i++)
        if (starts(w->v[i], "-e") || starts(w->v[i], "--expr"))
            return true;
    return false;
}

/* Does the command line say itself which program it means? */
bool names_program(const Words *w, const char *text)
{
    bool names = strstr(text, "$FILE") || has_flow(w);
    for (int i = 1; i < w->n; i++) {
        size_t n = strlen(w->v[i]);
        names |= n > 5 && strcmp(w->v[i] + n - 5, ".pipe") == 0;
    }
    return names;
}

/* The argument vector of a `#!` line. */
static Words command_words(const Test *t, const Command *c)
{
    Words given = {0}, w = {0};
    words_split(&given, t, c->text);
    const char *name = given.n ? given.v[0] : "";
    bool is_run = strcmp(name, "run") == 0 || strcmp(name, "resume") == 0;
    words_add(&w, pipemill);
    for (int i = 0; i < given.n; i++) {
        words_add(&w, given.v[i]);
        if (i > 0)
            continue;
        if (takes_program(name) && !names_program(&given, c->text))
            words_add(&w, t->name);
        if (is_run && !words_have(&given, "--progress") && !words_have(&given, "-v") &&
            !words_have(&given, "--verbose") && !words_have(&given, "-q"))
            words_add(&w, "-q");
        if (strcmp(name, "run") == 0 && !words_have(&given, "--seed")) {
            words_add(&w, "--seed");
            words_add(&w, "1");
        }
        if (is_run && t->has_jobs && !words_have(&given, "-j")) {
            words_add(&w, "-j");
            words_add(&w, copy_n(t->jobs, strcspn(t->jobs, " ")));
        }
    }
    return w;
}

Result run_command(const Test *t, const Command *c)
{
    if (c->is_shell) {
        char *argv[] = {"sh", "-c", (char *)c->text, NULL};
        return run_argv(t, argv, text_of("FILE=%s", t->name));
    }
    Words w = command_words(t, c);
    return run_argv(t, w.v, NULL);
}
