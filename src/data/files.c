#include "data/files.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Bytes of the pattern up to the last `/` before the first wildcard, without wildcards up to the last one. */
static uint32_t fixed_part(Str pattern)
{
    uint32_t fixed = 0;
    for (uint32_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '*' || c == '?' || c == '[')
            break;
        if (c == '\\' && i + 1 < pattern.len)
            i++;
        else if (c == '/')
            fixed = i + 1;
    }
    return fixed;
}

/* How many names, each with the slashes behind it, s begins with; a leading slash is one of its own. */
static uint32_t count_names(Str s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.len; i++)
        n += s.ptr[i] == '/' && (i == 0 || s.ptr[i - 1] != '/');
    return n;
}

/* What is left of a path behind its first n names: backslashes make a pattern longer than what it names. */
static Str behind_names(Str path, uint32_t n)
{
    uint32_t i = 0;
    for (; i < path.len && n > 0; i++)
        n -= path.ptr[i] == '/' && (i + 1 == path.len || path.ptr[i + 1] != '/');
    return str_slice(path, i, path.len - i);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What is no folder, or went away meanwhile, has no files; anything else ends the search. */
static int on_error(const char *path, int number)
{
    (void)path;
    return number != ENOENT && number != ENOTDIR;
}

/* Asks about each match and takes those that are not folders. */
static Status take_files(FileList *l, char *const *paths, size_t n, uint32_t n_fixed, Error *err)
{
    l->files = xcalloc(n + 1, sizeof *l->files);
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (stat(paths[i], &st) != 0)
            return error_set(err, ERR_IO, "cannot look at `%s`: %s", paths[i], strerror(errno));
        if (S_ISDIR(st.st_mode))
            continue;
        FileInfo *f = &l->files[l->n++];
        uint32_t len = (uint32_t)strlen(paths[i]);
        f->path = (Str){xstrndup(paths[i], len), len};
        f->key = behind_names(f->path, n_fixed);
        f->size = st.st_size;
        f->modified_us = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
    }
    return OK;
}

Status files_list(Str pattern, FileList **out, Error *err)
{
    if (memchr(pattern.ptr, '\0', pattern.len))
        return error_set(err, ERR_IO, "a path cannot have a NUL byte");
    char *z = xstrndup(pattern.ptr, pattern.len);
    glob_t found = {0};
    int r = glob(z, GLOB_NOSORT, on_error, &found);
    int number = errno;
    FileList *l = xcalloc(1, sizeof *l);
    Status st = OK;
    if (r != 0 && r != GLOB_NOMATCH)
        st = error_set(err, ERR_IO, "cannot look for `%s`: %s", z,
                       strerror(r == GLOB_NOSPACE ? ENOMEM : number));
    else if (r == 0) {
        qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_bytes);
        st = take_files(l, found.gl_pathv, found.gl_pathc,
                        count_names(str_slice(pattern, 0, fixed_part(pattern))), err);
    }
    globfree(&found);
    free(z);
    if (st == OK)
        *out = l;
    else
        files_free(l);
    return st;
}

void files_free(FileList *l)
{
    if (!l)
        return;
    for (uint32_t i = 0; i < l->n; i++)
        free((char *)(uintptr_t)l->files[i].path.ptr);
    free(l->files);
    free(l);
}
