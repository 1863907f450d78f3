#define _GNU_SOURCE /* realpath, flock, sync_file_range */

#include "data/sink.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "data/fd.h"
#include "data/packer.h"
#include "data/raw.h"
#include "data/turns.h"

#define SYNC_BYTES (8u << 20) /* at a time */

struct Sink {
    pthread_mutex_t mu;
    int fd;
    char *path; /* the file to be, links followed; for messages: stdout */
    char *temp; /* what is written; NULL: in place */
    Packer *packer; /* NULL: it is not compressed */
    uint64_t n_written, n_begun; /* bytes of temp; those before n_begun the system has been told to bring to the disk. Touched by the
                                  * thread that writes. */
    Buf head;   /* not yet written: in place it waits for the first bytes, so that a run that
                 * fails before them leaves nothing. Touched by the thread that writes. */
    /* Guarded by mu: */
    Turns turns;
    bool is_writing; /* a thread writes outside mu what is due */
    Error err; /* the first one; status OK: none */
};

static Status sink_error(Sink *s, const char *doing, Error *err)
{
    char shown[200];
    text_visible(str_of(s->path), shown, sizeof shown);
    return error_set(err, ERR_IO, "cannot %s `%s`: %s", doing, shown, strerror(errno));
}

/* --- the file ---------------------------------------------------------------------------- */

void sink_make_folders(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        mkdir(path, 0777); /* what stands in the way, open() will tell */
        *p = '/';
    }
}

static Status folder_sync(Sink *s, Error *err)
{
    char *slash = strrchr(s->path, '/');
    char *folder = slash ? xstrndup(s->path, (size_t)(slash - s->path + 1)) : xstrndup(".", 1);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    Status st = OK;
    /* Some file systems cannot sync a folder (EINVAL): then there is nothing to wait for. */
    if (fd >= 0 && fsync(fd) != 0 && errno != EINVAL)
        st = sink_error(s, "sync the folder of", err);
    if (fd >= 0)
        close(fd);
    return st;
}

/* Has the system begin to bring to the disk what is written, while more is made: fsync would find all of it at the end, when nobody has
 * anything else to do. */
static void sync_begin(Sink *s)
{
#ifdef SYNC_FILE_RANGE_WRITE
    if (!s->temp || s->n_written - s->n_begun < SYNC_BYTES)
        return;
    (void)sync_file_range(s->fd, (off_t)s->n_begun, (off_t)(s->n_written - s->n_begun), SYNC_FILE_RANGE_WRITE); /* a wish: fsync tells */
    s->n_begun = s->n_written;
#else
    (void)s;
#endif
}

static Status bytes_write(Sink *s, const char *p, size_t n, Error *err)
{
    if (!fd_write(s->fd, p, n))
        return sink_error(s, "write", err);
    s->n_written += n;
    sync_begin(s);
    return OK;
}

/* Removes what a process that was killed has left: nobody has a lock on it. False: somebody has, or it cannot be told. */
static bool remove_left_over(const char *temp)
{
    int fd = open(temp, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT;
    bool is_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (is_free && fd_is_named(fd, temp))
        unlink(temp);
    close(fd);
    return is_free;
}

/* A new file with a lock on it as long as it is open, so that others know it is in use. */
static int locked_open(const char *temp)
{
    for (int tries = 0; tries < 10; tries++) {
        int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0 && errno != EEXIST)
            return -1;
        if (fd < 0 && !remove_left_over(temp))
            break;
        if (fd < 0)
            continue;
        bool is_ours = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; /* some file systems have no locks */
        if (is_ours && fd_is_named(fd, temp))
            return fd;
        close(fd); /* taken for a left-over between two calls */
    }
    errno = EEXIST;
    return -1;
}

/* `.out.csv.pipemill-tmp`: always the same name, so that the next run finds what a killed one has left, and removes it. While
 * another process writes it, one with our number. */
static Status temp_open(Sink *s, mode_t mode, Error *err)
{
    sink_make_folders(s->path);
    Buf name = {0};
    const char *slash = strrchr(s->path, '/');
    size_t folder = slash ? (size_t)(slash - s->path) + 1 : 0;
    buf_put(&name, s->path, folder);
    if (strlen(s->path + folder) + sizeof "..pipemill-tmp-0123456" <= NAME_MAX)
        buf_printf(&name, ".%s.pipemill-tmp", s->path + folder);
    else /* as long as names are: a number that stands for it */
        buf_printf(&name, ".%016llx.pipemill-tmp", (unsigned long long)XXH3_64bits(s->path + folder, strlen(s->path + folder)));
    s->fd = locked_open(name.ptr);
    if (s->fd < 0 && (errno == EEXIST || errno == EACCES || errno == EWOULDBLOCK)) {
        buf_printf(&name, "-%ld", (long)getpid());
        s->fd = locked_open(name.ptr);
    }
    s->temp = name.ptr;
    if (s->fd >= 0) {
        if (mode)
            fchmod(s->fd, mode); /* like the file that it replaces */
        return OK;
    }
    Status st = sink_error(s, "write", err);
    free(s->temp);
    s->temp = NULL;
    return st;
}

static void sink_free(Sink *s)
{
    if (s->fd > STDERR_FILENO)
        close(s->fd);
    packer_close(s->packer);
    turns_deinit(&s->turns);
    free(s->path);
    free(s->temp);
    buf_deinit(&s->head);
    pthread_mutex_destroy(&s->mu);
    free(s);
}

/* The head, if it is still to be written. */
static Status head_write(Sink *s, Error *err)
{
    Status st = bytes_write(s, s->head.ptr, s->head.len, err);
    buf_clear(&s->head);
    return st;
}

static Status sink_put(void *sink, uint64_t number, Buf *bytes, Error *err); /* below */

Status sink_open(Str path, Str head, Sink **out, Error *err)
{
    Sink *s = xcalloc(1, sizeof *s);
    Status st = OK;
    struct stat info;
    pthread_mutex_init(&s->mu, NULL);
    s->path = xstrndup(path.ptr, path.len);
    s->fd = -1;
    if (str_is(path, "stdout") || str_is(path, "-")) {
        s->fd = STDOUT_FILENO;
    } else if (stat(s->path, &info) == 0 && !S_ISREG(info.st_mode)) {
        s->fd = open(s->path, O_WRONLY | O_CLOEXEC | O_NOCTTY); /* a directory is refused here */
        if (s->fd < 0)
            st = sink_error(s, "write", err);
    } else {
        char *real = realpath(s->path, NULL);
        if (real) {
            free(s->path);
            s->path = real;
        }
        st = temp_open(s, real ? info.st_mode & 07777 : 0, err);
    }
    s->packer = s->fd == STDOUT_FILENO ? NULL : packer_open(path, sink_put, s);
    buf_put_str(&s->head, head);
    if (st == OK && s->packer) /* the head is the first text of all: number 0 */
        st = packer_put(s->packer, 0, &s->head, err);
    else if (st == OK && s->temp)
        st = head_write(s, err);
    if (st == OK) {
        *out = s;
    } else {
        *out = NULL;
        sink_abort(s);
    }
    return st;
}

/* --- order ------------------------------------------------------------------------------- */

/* Writes the bytes when it is their turn. */
static Status sink_put(void *sink, uint64_t number, Buf *bytes, Error *err)
{
    Sink *s = sink;
    Buf due;
    pthread_mutex_lock(&s->mu);
    turns_put(&s->turns, number, bytes);
    /* One thread at a time writes, outside the lock, all that is due; the others leave theirs and go. */
    while (!s->is_writing && turns_take(&s->turns, &due)) {
        if (s->err.status == OK && due.len) {
            Error e = {0};
            s->is_writing = true;
            pthread_mutex_unlock(&s->mu);
            Status st = head_write(s, &e);
            if (st == OK)
                st = bytes_write(s, due.ptr, due.len, &e);
            pthread_mutex_lock(&s->mu);
            s->is_writing = false;
            if (st != OK)
                s->err = e;
        }
        if (bytes && !bytes->ptr) { /* the caller's next rows come into it */
            buf_clear(&due);
            *bytes = due;
        } else {
            buf_deinit(&due);
        }
    }
    Status st = s->err.status;
    if (st != OK && err)
        *err = s->err;
    pthread_mutex_unlock(&s->mu);
    return st;
}

/* A piece that could not be compressed makes the whole output fail. The first error is the one that is told. */
static Status sink_result(Sink *s, Status st, const Error *packing, Error *err)
{
    pthread_mutex_lock(&s->mu);
    if (st != OK && s->err.status == OK)
        s->err = *packing;
    st = s->err.status;
    if (st != OK && err)
        *err = s->err;
    pthread_mutex_unlock(&s->mu);
    return st;
}

Status sink_submit(Sink *s, uint64_t seq, Buf *bytes, Error *err)
{
    Error e = {0};
    if (!s->packer)
        return sink_put(s, seq, bytes, err);
    return sink_result(s, packer_put(s->packer, seq + 1, bytes, &e), &e, err);
}

Status sink_commit(Sink *s, Error *err)
{
    Error e = {0};
    if (s->packer && s->err.status == OK)
        sink_result(s, packer_end(s->packer, &e), &e, NULL);
    Status st = s->err.status;
    assert(s->turns.n == 0 || st != OK);
    if (st != OK && err)
        *err = s->err;
    if (!s->temp) {
        if (st == OK)
            st = head_write(s, err);
        if (st == OK && s->fd != STDOUT_FILENO) {
            int fd = s->fd;
            s->fd = -1;
            if (close(fd) != 0)
                st = sink_error(s, "write", err);
        }
        sink_free(s);
        return st;
    }
    if (st == OK && fsync(s->fd) != 0)
        st = sink_error(s, "sync", err);
    if (st == OK && rename(s->temp, s->path) != 0)
        st = sink_error(s, "rename the finished file to", err);
    if (st != OK) {
        sink_abort(s);
        return st;
    }
    st = folder_sync(s, err);
    sink_free(s);
    return st;
}

void sink_abandon(const Sink *s)
{
    if (s->temp)
        unlink(s->temp);
}

void sink_abort(Sink *s)
{
    if (!s)
        return;
    if (s->temp)
        unlink(s->temp);
    sink_free(s);
}
