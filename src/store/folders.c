#include "store/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/fd.h"

#define STAMP_LEN 15 /* 20261126-001530 */

Status folder_error(const char *doing, const char *path, Error *err)
{
    Buf shown = {0};
    int why = errno;
    buf_put_visible(&shown, str_of(path));
    Status st = error_set(err, ERR_IO, "cannot %s `%.200s`: %s\n"
                                       "`@checkpoint` keeps outputs there; without it nothing is written there",
                          doing, shown.ptr, strerror(why));
    buf_deinit(&shown);
    return st;
}

/* Steps are folders in it, of files. */
static void folder_remove(const char *path)
{
    Buf below = {0};
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d)) != NULL; ) {
        if (str_is(str_of(e->d_name), ".") || str_is(str_of(e->d_name), ".."))
            continue;
        buf_clear(&below);
        buf_printf(&below, "%s/%s", path, e->d_name);
        if (unlink(below.ptr) != 0 && (errno == EISDIR || errno == EPERM))
            folder_remove(below.ptr);
    }
    if (d)
        closedir(d);
    rmdir(path);
    buf_deinit(&below);
}

Status run_lock(const char *folder, int *fd, bool *is_running, Error *err)
{
    Buf path = {0};
    Status st = OK;
    buf_printf(&path, "%s/lock", folder);
    *is_running = false;
    *fd = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (*fd < 0) {
        st = folder_error("open", path.ptr, err);
    } else if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        *is_running = errno == EWOULDBLOCK;
        st = *is_running ? OK : folder_error("lock", path.ptr, err);
        close(*fd);
        *fd = -1;
    } else if (!fd_is_named(*fd, path.ptr)) { /* its folder went between the two calls */
        st = error_set(err, ERR_IO, "`%s` is not there any more", folder);
        close(*fd);
        *fd = -1;
    }
    buf_deinit(&path);
    return st;
}

/* Where it is not seen: a run that begins has all of its folder before it has a name, one that is over loses the name first. What
 * a process leaves there that was killed, the next run removes. */
#define BEGUN RUNS "/.new-"
#define ENDED RUNS "/.old-"

void runs_sweep(void)
{
    Buf path = {0};
    DIR *d = opendir(RUNS);
    for (struct dirent *e; d && (e = readdir(d)) != NULL; ) {
        bool is_running = false, is_ended = strncmp(e->d_name, ".old-", 5) == 0;
        int fd = -1;
        buf_clear(&path);
        buf_printf(&path, RUNS "/%s", e->d_name);
        if (is_ended || (strncmp(e->d_name, ".new-", 5) == 0 && run_lock(path.ptr, &fd, &is_running, NULL) == OK && !is_running))
            folder_remove(path.ptr);
        if (fd >= 0)
            close(fd);
    }
    if (d)
        closedir(d);
    buf_deinit(&path);
}

void run_remove(const char *path)
{
    Buf ended = {0};
    buf_printf(&ended, ENDED "%s", strrchr(path, '/') + 1);
    if (rename(path, ended.ptr) == 0)
        folder_remove(ended.ptr);
    buf_deinit(&ended);
    runs_sweep();
    rmdir(RUNS); /* they stay while there is something in them */
    rmdir(HOME);
}

/* Not `.`, not `..`: nothing that we make begins so. */
bool run_is_name(const char *name)
{
    return name[0] != '.';
}

/* By the second, then by the number in it: `-10` comes after `-9`. */
static int id_cmp(const void *a, const void *b)
{
    const Str x = *(const Str *)a, y = *(const Str *)b;
    int by_second = str_cmp(str_slice(x, 0, STAMP_LEN), str_slice(y, 0, STAMP_LEN));
    if (by_second || x.len == y.len)
        return by_second ? by_second : str_cmp(x, y);
    return x.len < y.len ? -1 : 1;
}

/* The IDs that there are, sorted. */
Status runs_find(Arena *a, Str **ids, uint32_t *n, Error *err)
{
    size_t cap = 0;
    *n = 0;
    *ids = NULL;
    DIR *d = opendir(RUNS);
    if (!d)
        return errno == ENOENT ? OK : folder_error("look into", RUNS, err);
    for (struct dirent *e; (e = readdir(d)) != NULL; ) {
        if (!run_is_name(e->d_name))
            continue;
        *ids = arena_grow(a, *ids, *n, &cap, sizeof **ids);
        (*ids)[(*n)++] = arena_str(a, str_of(e->d_name));
    }
    closedir(d);
    if (*n)
        qsort(*ids, *n, sizeof **ids, id_cmp);
    return OK;
}

/* A folder that is ours, under a name that is not the run's. */
Status run_begin(Buf *folder, int *lock_fd, Error *err)
{
    for (uint32_t i = 1; i < 1000; i++) {
        bool is_running = false;
        buf_clear(folder);
        buf_printf(folder, BEGUN "%ld-%u", (long)getpid(), i);
        /* Another run may end meanwhile, and take the folders above with it. */
        mkdir(HOME, 0777);
        mkdir(RUNS, 0777);
        if (mkdir(folder->ptr, 0777) != 0) {
            if (errno == EEXIST || errno == ENOENT)
                continue;
            break;
        }
        Status st = run_lock(folder->ptr, lock_fd, &is_running, err);
        if (st == OK && !is_running)
            return OK;
        if (st != OK && access(folder->ptr, F_OK) == 0) /* else it was swept */
            return st;
    }
    return folder_error("make", folder->ptr, err);
}

/* The folder gets the run's name, the first that is free. */
Status run_name(Buf *folder, Arena *a, Str *id, Error *err)
{
    time_t now = (time_t)(clock_wall_us() / 1000000);
    struct tm tm;
    char stamp[32];
    Buf name = {0};
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &tm);
    for (uint32_t i = 1; i < 1000; i++) {
        buf_clear(&name);
        buf_printf(&name, RUNS "/%s", stamp);
        if (i > 1)
            buf_printf(&name, "-%u", i);
        if (rename(folder->ptr, name.ptr) == 0) {
            buf_deinit(folder);
            *folder = name;
            *id = arena_str(a, str_of(name.ptr + sizeof RUNS));
            return OK;
        }
        if (errno != EEXIST && errno != ENOTEMPTY)
            break;
    }
    Status st = folder_error("make", name.ptr, err);
    buf_deinit(&name);
    return st;
}
