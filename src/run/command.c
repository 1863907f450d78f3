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

#include "base/clock.h"
#include "data/raw.h"

#define READ_BYTES 65536
#define MS_NS 1000000ll
#define LAST_LINES 3
#define LAST_BYTES 500

extern char **environ;

struct Running {
    const Command *c;
    pid_t pid;          /* and its group */
    int in, out, talk;  /* our ends of its stdin, stdout, stderr; -1: closed */
    Buf piece;          /* of the input: bytes from n_put on are to be put */
    size_t n_put;
    Buf said;           /* on stderr */
    int64_t looked_ns;  /* when it was last looked whether it has ended */
    int64_t ended_ns;   /* it has, and was seen to; 0: not yet */
    Status st;          /* not OK: it is to be ended ... */
    Error err;          /* ... and why */
    Status against;     /* the reader's word against its output, which counts at until_ns, or when it ends well */
    Error why;
    int64_t until_ns;   /* 0: there is none */
    sigset_t before;    /* of the thread */
    bool was_pending;   /* a SIGPIPE */
    int status;         /* of waitpid, when it has ended */
};

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

/* The next piece of the input, if the last one is put. None: that was all. */
static Status piece_next(Running *r)
{
    if (r->n_put < r->piece.len)
        return OK;
    buf_clear(&r->piece);
    r->n_put = 0;
    Status st = r->c->more(r->c->ctx, &r->piece, &r->err);
    if (st == OK && r->piece.len == 0)
        end_close(&r->in);
    return st;
}

/* What the pipe takes, a piece at most. A command that reads no more is left alone. */
static Status feed(Running *r)
{
    Status st = piece_next(r);
    while (st == OK && r->in >= 0 && r->n_put < r->piece.len) {
        ssize_t k = write(r->in, r->piece.ptr + r->n_put, r->piece.len - r->n_put);
        if (k >= 0)
            r->n_put += (size_t)k;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            end_close(&r->in);
    }
    return st;
}

/* Up to n bytes of what is there. At the end, fd is closed. */
static size_t take(int *fd, char *to, size_t n)
{
    ssize_t k;
    do
        k = read(*fd, to, n);
    while (k < 0 && errno == EINTR);
    if (k > 0)
        return (size_t)k;
    if (k == 0 || errno != EAGAIN)
        end_close(fd);
    return 0;
}

static void take_talk(Running *r)
{
    Buf *said = &r->said;
    buf_reserve(said, READ_BYTES);
    said->len += take(&r->talk, said->ptr + said->len, READ_BYTES);
    said->ptr[said->len] = '\0';
    if (said->len <= COMMAND_TALK_MAX)
        return;
    memmove(said->ptr, said->ptr + said->len - COMMAND_TALK_MAX, COMMAND_TALK_MAX + 1);
    said->len = COMMAND_TALK_MAX;
}

/* It has ended, though not yet been waited for. */
static bool has_ended(const Running *r)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == r->pid;
}

static bool is_open(const Running *r)
{
    return r->in >= 0 || r->out >= 0 || r->talk >= 0;
}

static void close_all(Running *r)
{
    end_close(&r->in);
    end_close(&r->out);
    end_close(&r->talk);
}

/* Only what it left behind holds the pipes any more, when it has ended: that is heard until it makes a pause. What the command
 * itself has written was there before it was seen to have ended. */
static void look_for_end(Running *r, bool is_silent)
{
    int64_t now = clock_now_ns();
    if (r->ended_ns) {
        if (is_silent || now - r->ended_ns > COMMAND_LINGER_MS * MS_NS)
            close_all(r);
        return;
    }
    if (!is_silent && now - r->looked_ns < COMMAND_CHECK_MS * MS_NS)
        return;
    r->looked_ns = now;
    if (has_ended(r))
        r->ended_ns = now;
}

/* May it go on? */
static Status may_go_on(Running *r)
{
    if (r->until_ns && clock_now_ns() > r->until_ns) {
        r->err = r->why;
        return r->against;
    }
    return r->c->check(r->c->ctx, &r->err);
}

/* Waits until there is something to do, and does it. Up to n bytes of stdout. */
static Status exchange(Running *r, char *to, size_t n, size_t *got)
{
    struct pollfd fds[] = {{r->in, POLLOUT, 0}, {r->out, POLLIN, 0}, {r->talk, POLLIN, 0}};
    int n_ready = poll(fds, 3, COMMAND_CHECK_MS); /* a negative fd is skipped */
    Status st = OK;
    if (n_ready > 0 && fds[2].revents)
        take_talk(r);
    if (n_ready > 0 && fds[1].revents)
        *got = take(&r->out, to, n);
    if (n_ready > 0 && fds[0].revents & POLLERR) /* nobody reads it any more */
        end_close(&r->in);
    else if (n_ready > 0 && fds[0].revents)
        st = feed(r);
    if (st == OK)
        st = may_go_on(r);
    look_for_end(r, n_ready == 0);
    return st;
}

Status command_read(Running *r, char *to, size_t n, size_t *got, Error *err)
{
    *got = 0;
    while (r->st == OK && r->out >= 0 && *got == 0)
        r->st = exchange(r, to, n, got);
    if (r->st != OK)
        *err = r->err;
    return r->st;
}

/* What it still has to say. */
static void drain(Running *r)
{
    char *dropped = xmalloc(READ_BYTES);
    while (r->st == OK && is_open(r)) {
        size_t got = 0;
        r->st = exchange(r, dropped, READ_BYTES, &got);
    }
    free(dropped);
    close_all(r);
}

/* ---- end ---- */

static void pause_ms(long ms)
{
    const struct timespec t = {.tv_nsec = ms * 1000000l};
    nanosleep(&t, NULL);
}

/* Waits for its end, which is to be soon. */
static void reap(Running *r)
{
    long waited_ms = 0;
    bool is_told = false;
    for (long ms = 1; !has_ended(r); ms = ms < COMMAND_CHECK_MS ? 2 * ms : COMMAND_CHECK_MS) {
        if (r->st == OK)
            r->st = may_go_on(r);
        if (r->st != OK && !is_told)
            kill(-r->pid, SIGTERM);
        if (r->st != OK && is_told && waited_ms >= COMMAND_GRACE_MS)
            kill(-r->pid, SIGKILL);
        is_told |= r->st != OK;
        pause_ms(ms);
        waited_ms += is_told ? ms : 0;
    }
    if (r->st != OK) /* what it started may not have heeded SIGTERM */
        kill(-r->pid, SIGKILL);
    r->c->ended(r->c->ctx, r->pid); /* its number may be another's from now on */
    while (waitpid(r->pid, &r->status, 0) < 0 && errno == EINTR)
        ;
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
static void pipe_signal_begin(Running *r)
{
    sigset_t pipes, pending;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    sigpending(&pending);
    r->was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipes, &r->before);
}

static void pipe_signal_end(const Running *r)
{
    const struct timespec now = {0};
    sigset_t pipes;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    if (!r->was_pending)
        while (sigtimedwait(&pipes, NULL, &now) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &r->before, NULL);
}

static void running_free(Running *r)
{
    pipe_signal_end(r);
    buf_deinit(&r->piece);
    buf_deinit(&r->said);
    free(r);
}

Status command_start(const Command *c, Running **out, Error *err)
{
    Running *r = xcalloc(1, sizeof *r);
    r->c = c;
    r->in = r->out = r->talk = -1;
    pipe_signal_begin(r);
    Status st = start(r, err);
    *out = st == OK ? r : NULL;
    if (st == OK)
        c->started(c->ctx, r->pid);
    else
        running_free(r);
    return st;
}

Status command_end(Running *r, Status st, Buf *talk, Error *err)
{
    if (st != OK && r->st == OK) {
        r->against = st;
        r->why = *err;
        r->until_ns = clock_now_ns() + COMMAND_SAY_MS * MS_NS;
    }
    drain(r);
    reap(r);
    if (r->st == OK)
        r->st = how_it_ended(r, &r->said, &r->err);
    if (r->st == OK && r->against != OK) {
        r->st = r->against;
        r->err = r->why;
    }
    if (r->st != OK)
        *err = r->err;
    buf_put(talk, r->said.ptr, r->said.len);
    st = r->st;
    running_free(r);
    return st;
}
