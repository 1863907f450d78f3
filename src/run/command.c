#define _GNU_SOURCE /* pipe2: no other thread's command inherits an end */
#include "run/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "data/raw.h"

#define READ_BYTES 65536
#define LAST_LINES 3
#define LAST_BYTES 500

extern char **environ;

/* A command that runs. */
typedef struct Running {
    const Command *c;
    pid_t pid;          /* and its group */
    int in, out, talk;  /* our ends of its stdin, stdout, stderr; -1: closed */
    size_t n_put;       /* bytes of the input that it has got */
    int status;         /* of waitpid, when it has ended */
} Running;

static void end_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- start ---- */

static Status cannot_run(const Command *c, int number, Error *err)
{
    char shown[200];
    text_visible(str_of(c->argv[0]), shown, sizeof shown);
    return error_set(err, ERR_IO, "cannot run `%s`: %s", shown,
                     number == ENOENT && !strchr(c->argv[0], '/') ? "there is no such command in PATH" : strerror(number));
}

static int spawn(Running *r, const int *in, const int *out, const int *talk)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    sigemptyset(&none);
    sigemptyset(&all);
    const int ours[] = {SIGPIPE, SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGALRM};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        sigaddset(&all, ours[i]);
    int e = posix_spawn_file_actions_init(&files);
    if (e != 0)
        return e;
    e = posix_spawnattr_init(&attr);
    if (e == 0) {
        e = posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
        e = e ? e : posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
        e = e ? e : posix_spawn_file_actions_adddup2(&files, talk[1], STDERR_FILENO);
        e = e ? e : posix_spawnattr_setpgroup(&attr, 0);
        e = e ? e : posix_spawnattr_setsigmask(&attr, &none);
        e = e ? e : posix_spawnattr_setsigdefault(&attr, &all);
        e = e ? e : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        e = e ? e : posix_spawnp(&r->pid, r->c->argv[0], &files, &attr, r->c->argv, environ);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return e;
}

static Status start(Running *r, Error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, talk[2] = {-1, -1};
    bool has_pipes = pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(talk, O_CLOEXEC) == 0;
    int number = has_pipes ? spawn(r, in, out, talk) : errno;
    end_close(&in[0]);
    end_close(&out[1]);
    end_close(&talk[1]);
    r->in = in[1];
    r->out = out[0];
    r->talk = talk[0];
    if (number != 0) {
        end_close(&r->in);
        end_close(&r->out);
        end_close(&r->talk);
        return cannot_run(r->c, number, err);
    }
    fcntl(r->in, F_SETFL, O_NONBLOCK);
    fcntl(r->out, F_SETFL, O_NONBLOCK);
    fcntl(r->talk, F_SETFL, O_NONBLOCK);
    return OK;
}

/* ---- bytes ---- */

/* What the pipe takes. A command that reads no more is left alone. */
static void feed(Running *r)
{
    while (r->in >= 0 && r->n_put < r->c->input.len) {
        ssize_t k = write(r->in, r->c->input.ptr + r->n_put, r->c->input.len - r->n_put);
        if (k >= 0)
            r->n_put += (size_t)k;
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            break;
    }
    end_close(&r->in);
}

/* What is there to read. False: it is at its end. */
static bool drain(int *fd, Buf *to)
{
    for (;;) {
        buf_reserve(to, READ_BYTES);
        ssize_t k = read(*fd, to->ptr + to->len, READ_BYTES);
        if (k > 0) {
            to->len += (size_t)k;
            to->ptr[to->len] = '\0';
        } else if (k < 0 && errno == EAGAIN) {
            return true;
        } else if (k == 0 || errno != EINTR) {
            end_close(fd);
            return false;
        }
    }
}

static void talk_cut(Buf *talk)
{
    if (talk->len <= COMMAND_TALK_MAX)
        return;
    memmove(talk->ptr, talk->ptr + talk->len - COMMAND_TALK_MAX, COMMAND_TALK_MAX + 1);
    talk->len = COMMAND_TALK_MAX;
}

/* It has ended, though not yet been waited for. */
static bool has_ended(const Running *r)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == r->pid;
}

/* Until all pipes are closed, or the command has ended and only what it left behind holds them. */
static Status exchange(Running *r, Buf *out, Buf *talk, Error *err)
{
    Status st = OK;
    while (st == OK && (r->in >= 0 || r->out >= 0 || r->talk >= 0)) {
        struct pollfd fds[] = {{r->in, POLLOUT, 0}, {r->out, POLLIN, 0}, {r->talk, POLLIN, 0}};
        int n = poll(fds, 3, COMMAND_CHECK_MS); /* a negative fd is skipped */
        if (fds[0].revents)
            feed(r);
        if (fds[1].revents)
            drain(&r->out, out);
        if (fds[2].revents && drain(&r->talk, talk))
            talk_cut(talk);
        st = r->c->check(r->c->ctx, err);
        if (n == 0 && has_ended(r))
            break;
    }
    talk_cut(talk);
    end_close(&r->in);
    end_close(&r->out);
    end_close(&r->talk);
    return st;
}

/* ---- end ---- */

static void pause_ms(long ms)
{
    const struct timespec t = {.tv_nsec = ms * 1000000l};
    nanosleep(&t, NULL);
}

/* Waits for its end, which is to be soon. */
static Status reap(Running *r, Status st, Error *err)
{
    long waited_ms = 0;
    bool is_told = false;
    for (long ms = 1; !has_ended(r); ms = ms < COMMAND_CHECK_MS ? 2 * ms : COMMAND_CHECK_MS) {
        if (st == OK)
            st = r->c->check(r->c->ctx, err);
        if (st != OK && !is_told)
            kill(-r->pid, SIGTERM);
        if (st != OK && is_told && waited_ms >= COMMAND_GRACE_MS)
            kill(-r->pid, SIGKILL);
        is_told |= st != OK;
        pause_ms(ms);
        waited_ms += is_told ? ms : 0;
    }
    if (st != OK) /* what it started may not have heeded SIGTERM */
        kill(-r->pid, SIGKILL);
    r->c->ended(r->c->ctx, r->pid); /* its number may be another's from now on */
    while (waitpid(r->pid, &r->status, 0) < 0 && errno == EINTR)
        ;
    return st;
}

/* The last lines of stderr, on one. */
static void put_last_lines(Buf *out, const Buf *talk)
{
    const char *end = talk->ptr + talk->len;
    while (end > talk->ptr && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    const char *p = end;
    for (int n_lines = 0; p > talk->ptr && end - p < LAST_BYTES; p--)
        if (p[-1] == '\n' && ++n_lines == LAST_LINES)
            break;
    for (const char *line = p; line < end; line++) {
        const char *lf = memchr(line, '\n', (size_t)(end - line));
        const char *last = lf ? lf : end;
        if (line != p)
            buf_puts(out, " / ");
        buf_put_visible(out, (Str){line, (uint32_t)(last - line)});
        line = last;
    }
}

static Status how_it_ended(const Running *r, const Buf *talk, Error *err)
{
    char shown[200];
    Buf said = {0};
    int status = r->status;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return OK;
    text_visible(str_of(r->c->argv[0]), shown, sizeof shown);
    if (talk->len)
        put_last_lines(&said, talk);
    const char *and = said.len ? ": " : "", *lines = said.len ? said.ptr : "";
    if (WIFSIGNALED(status))
        error_set(err, ERR_FAIL, "`%s` was ended by signal %d (%s)%s%s", shown, WTERMSIG(status), strsignal(WTERMSIG(status)),
                  and, lines);
    else
        error_set(err, ERR_FAIL, "`%s` ended with status %d%s%s", shown, WEXITSTATUS(status), and, lines);
    buf_deinit(&said);
    return ERR_FAIL;
}

/* SIGPIPE of our own writes is taken from the thread; others stay as they are. */
static void pipe_signal_end(const sigset_t *before, bool was_pending)
{
    const struct timespec now = {0};
    sigset_t pipes;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    if (!was_pending)
        while (sigtimedwait(&pipes, NULL, &now) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

Status command_run(const Command *c, Buf *out, Buf *talk, Error *err)
{
    Running r = {.c = c, .in = -1, .out = -1, .talk = -1};
    sigset_t pipes, before, pending;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipes, &before);
    Status st = start(&r, err);
    if (st == OK) {
        c->started(c->ctx, r.pid);
        st = exchange(&r, out, talk, err);
        st = reap(&r, st, err);
        if (st == OK)
            st = how_it_ended(&r, talk, err);
    }
    pipe_signal_end(&before, sigismember(&pending, SIGPIPE) == 1);
    return st;
}
