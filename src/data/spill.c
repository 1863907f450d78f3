#define _GNU_SOURCE /* O_TMPFILE */

#include "data/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "data/raw.h"
#include "data/varint.h"

#define LEVEL (-1) /* without entropy codes: the fastest to be unpacked */
#define PAGE_LEVEL (-5) /* of a kilobyte: a quarter less time for a table of a join than at -1, and a hundredth to a tenth larger */
#define MAX_IDLE 8 /* unpackers that are kept */
enum { MANY_POOR = 64, TRY_EVERY = 16 };

struct SpillFile {
    int fd;
    char *folder; /* for messages */
    uint64_t n_bytes;
    ZSTD_CCtx *packer;
    uint32_t n_poor; /* pages since the last one that was worth to be packed */
    char *packed; /* [cap_packed] */
    size_t cap_packed;
    pthread_mutex_t mu;
    ZSTD_DCtx *idle[MAX_IDLE]; /* [n_idle] guarded by mu: for who unpacks next */
    uint32_t n_idle;
};

static Status spill_error(const char *folder, const char *doing, Error *err)
{
    char shown[200];
    int why = errno;
    text_visible(str_of(folder), shown, sizeof shown);
    return error_set(err, ERR_IO,
                     "cannot %s a temporary file in `%s`: %s\n"
                     "what does not fit into the budget is spilled there: set TMPDIR to a folder with more room, "
                     "or give more with --memory",
                     doing, shown, strerror(why));
}

static int temp_open(const char *folder)
{
#ifdef O_TMPFILE
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
        return fd;
#else
    int fd;
#endif
    Buf name = {0};
    buf_printf(&name, "%s/.pipemill.XXXXXX", folder);
    fd = mkstemp(name.ptr);
    if (fd >= 0) {
        unlink(name.ptr);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    buf_deinit(&name);
    return fd;
}

Status spill_open(const char *folder, SpillFile **out, Error *err)
{
    int fd = temp_open(folder);
    if (fd < 0)
        return spill_error(folder, "make", err);
    SpillFile *f = xcalloc(1, sizeof *f);
    f->fd = fd;
    f->folder = xstrndup(folder, strlen(folder));
    pthread_mutex_init(&f->mu, NULL);
    f->packer = ZSTD_createCCtx();
    if (!f->packer) {
        spill_close(f);
        return error_set(err, ERR_NOMEM, "out of memory");
    }
    *out = f;
    return OK;
}

void spill_close(SpillFile *f)
{
    if (!f)
        return;
    close(f->fd);
    ZSTD_freeCCtx(f->packer);
    for (uint32_t i = 0; i < f->n_idle; i++)
        ZSTD_freeDCtx(f->idle[i]);
    pthread_mutex_destroy(&f->mu);
    free(f->packed);
    free(f->folder);
    free(f);
}

Status spill_put_plain(SpillFile *f, const char *bytes, size_t n, uint64_t *at, Error *err)
{
    *at = f->n_bytes;
    for (size_t done = 0; done < n; ) {
        ssize_t k = pwrite(f->fd, bytes + done, n - done, (off_t)(f->n_bytes + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return spill_error(f->folder, "write", err);
        done += (size_t)k;
    }
    f->n_bytes += n;
    return OK;
}

/* As f->packed: how many bytes; n: it does not get so small. */
static size_t pack(SpillFile *f, const char *bytes, size_t n, int level)
{
    size_t bound = ZSTD_compressBound(n);
    if (bound > f->cap_packed) {
        f->packed = xrealloc(f->packed, bound);
        f->cap_packed = bound;
    }
    size_t k = ZSTD_compressCCtx(f->packer, f->packed, bound, bytes, n, level);
    return !ZSTD_isError(k) && k < n ? k : n;
}

Status spill_put(SpillFile *f, const char *bytes, size_t n, SpillBlock *out, Error *err)
{
    size_t k = pack(f, bytes, n, LEVEL);
    bool is_packed = k < n;
    *out = (SpillBlock){.n_stored = k, .n_bytes = n};
    return spill_put_plain(f, is_packed ? f->packed : bytes, out->n_stored, &out->at, err);
}

Status spill_get_plain(const SpillFile *f, uint64_t at, size_t n, char *bytes, Error *err)
{
    for (size_t done = 0; done < n; ) {
        ssize_t k = pread(f->fd, bytes + done, n - done, (off_t)(at + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k == 0)
            errno = EIO; /* somebody cut it */
        if (k <= 0)
            return spill_error(f->folder, "read", err);
        done += (size_t)k;
    }
    return OK;
}

/* A SpillUnpacker * is a ZSTD_DCtx *. */
SpillUnpacker *spill_unpacker_take(SpillFile *f)
{
    pthread_mutex_lock(&f->mu);
    ZSTD_DCtx *d = f->n_idle ? f->idle[--f->n_idle] : NULL;
    pthread_mutex_unlock(&f->mu);
    return (SpillUnpacker *)(d ? d : ZSTD_createDCtx());
}

void spill_unpacker_give(SpillFile *f, SpillUnpacker *u)
{
    ZSTD_DCtx *d = (ZSTD_DCtx *)u;
    pthread_mutex_lock(&f->mu);
    if (d && f->n_idle < MAX_IDLE) {
        f->idle[f->n_idle++] = d;
        d = NULL;
    }
    pthread_mutex_unlock(&f->mu);
    ZSTD_freeDCtx(d);
}

static Status unpack(const SpillFile *f, SpillUnpacker *u, const char *packed, size_t n, char *to, size_t n_bytes,
                     Error *err)
{
    size_t k = u ? ZSTD_decompressDCtx((ZSTD_DCtx *)u, to, n_bytes, packed, n) : 0;
    if (!ZSTD_isError(k) && k == n_bytes)
        return OK;
    errno = EIO;
    return spill_error(f->folder, "read", err);
}

Status spill_get(SpillFile *f, SpillBlock b, char *bytes, Error *err)
{
    if (b.n_stored == b.n_bytes)
        return spill_get_plain(f, b.at, b.n_stored, bytes, err);
    char *packed = xmalloc(b.n_stored + 1);
    Status st = spill_get_plain(f, b.at, b.n_stored, packed, err);
    if (st == OK) {
        SpillUnpacker *u = spill_unpacker_take(f);
        st = unpack(f, u, packed, b.n_stored, bytes, b.n_bytes, err);
        spill_unpacker_give(f, u);
    }
    free(packed);
    return st;
}

/* Begins with how many bytes it has unpacked; 0: it is not packed. Where many were not worth it only some are tried. */
void spill_page_pack(SpillFile *f, const char *bytes, size_t n, Buf *out)
{
    bool tries = f->n_poor < MANY_POOR || f->n_poor % TRY_EVERY == 0;
    size_t k = tries ? pack(f, bytes, n, PAGE_LEVEL) : n;
    bool is_packed = k < n - n / 8;
    f->n_poor = is_packed ? 0 : f->n_poor + 1;
    buf_put_varint(out, is_packed ? n : 0);
    buf_put(out, is_packed ? f->packed : bytes, is_packed ? k : n);
}

Status spill_page_unpack(const SpillFile *f, SpillUnpacker *u, const char **p, size_t *n, Buf *room, Error *err)
{
    const char *end = *p + *n, *packed = *p;
    uint64_t n_bytes = varint_get(&packed);
    size_t n_packed = (size_t)(end - packed);
    *p = packed;
    *n = n_packed;
    if (n_bytes == 0)
        return OK;
    buf_clear(room);
    buf_reserve(room, n_bytes);
    *p = room->ptr;
    *n = n_bytes;
    return unpack(f, u, packed, n_packed, room->ptr, n_bytes, err);
}

uint64_t spill_bytes(const SpillFile *f)
{
    return f->n_bytes;
}
