#define _XOPEN_SOURCE 700 /* realpath */

#include "base/path.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void path_put_plain(Buf *out, Str path)
{
    size_t first = out->len;
    uint32_t i = 0;
    if (path.len && path.ptr[0] == '/')
        buf_putc(out, '/');
    size_t root = out->len;
    while (i < path.len) {
        uint32_t end = i;
        while (end < path.len && path.ptr[end] != '/')
            end++;
        bool is_nothing = end == i || (end == i + 1 && path.ptr[i] == '.');
        if (!is_nothing) {
            if (out->len > root)
                buf_putc(out, '/');
            buf_put(out, path.ptr + i, end - i);
        }
        i = end + 1;
    }
    if (out->len == first)
        buf_putc(out, '.');
}

bool path_same(Str x, Str y)
{
    Buf a = {0}, b = {0};
    path_put_plain(&a, x);
    path_put_plain(&b, y);
    bool same = str_eq(buf_str(&a), buf_str(&b));
    buf_deinit(&a);
    buf_deinit(&b);
    return same;
}

/* A plain file, or none, stands in its folder under its own name. */
static bool stands_in_folder(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 ? S_ISREG(info.st_mode) : errno == ENOENT;
}

bool path_put_real(Buf *out, Str path)
{
    char *text = xstrndup(path.ptr, path.len), *slash = strrchr(text, '/'), *real = NULL;
    const char *name = slash ? slash + 1 : text;
    bool has_folder = true;
    if (!stands_in_folder(text) && (real = realpath(text, NULL))) {
        buf_puts(out, real);
    } else {
        char *folder = slash ? xstrndup(text, (size_t)(slash - text) + 1) : xstrndup(".", 1);
        real = realpath(folder, NULL);
        has_folder = real != NULL;
        if (real)
            buf_printf(out, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
        else
            path_put_plain(out, path);
        free(folder);
    }
    free(real);
    free(text);
    return has_folder;
}

bool path_matches(Str pattern, Str path)
{
    Buf p = {0}, s = {0};
    path_put_plain(&p, pattern);
    path_put_plain(&s, path);
    bool matches = fnmatch(p.ptr, s.ptr, FNM_PATHNAME | FNM_PERIOD) == 0;
    buf_deinit(&p);
    buf_deinit(&s);
    return matches;
}
