#define _XOPEN_SOURCE 700 /* realpath */
#include "cli/rewrite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, Str text)
{
    while (text.len) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text.ptr += n;
        text.len -= (uint32_t)n;
    }
    return true;
}

bool cli_rewrite(const Term *t, const char *path, Str text)
{
    Buf temp = {0};
    struct stat st;
    bool ok = false;
    int fd = -1;
    char *real = realpath(path, NULL);
    if (!real || stat(real, &st) != 0 || access(real, W_OK) != 0)
        goto done;
    buf_printf(&temp, "%s.XXXXXX", real);
    fd = mkstemp(temp.ptr);
    if (fd < 0)
        goto done;
    ok = write_all(fd, text) && fchmod(fd, st.st_mode & 07777) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(temp.ptr, real) == 0;
done:
    if (!ok) {
        int why = errno;
        if (fd >= 0)
            unlink(temp.ptr);
        complain(t, (Str){0}, "cannot write %s: %s", path, strerror(why));
    }
    buf_deinit(&temp);
    free(real);
    return ok;
}
