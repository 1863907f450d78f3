/* files.h - the files that a pattern names, for `files` and `read`.
 *
 * Patterns are those of glob(3), as a shell has them: `*`, `?`, `[...]`; a name that begins with a dot is
 * matched only by a dot. Folders are left out. In bytewise order of the whole paths.
 *
 * Ownership: a FileList is its caller's, to files_free. Threads: any, each its own list.
 * Errors: ERR_IO when a folder cannot be looked into, or a file that is there cannot be asked about.
 */
#ifndef PIPE_DATA_FILES_H
#define PIPE_DATA_FILES_H

#include "base/status.h"
#include "base/str.h"

typedef struct FileInfo {
    Str path;
    Str key;             /* the path below the fixed part of the pattern; a part of `path` */
    int64_t size;        /* bytes */
    int64_t modified_us; /* since 1970, UTC */
} FileInfo;

typedef struct FileList {
    uint32_t n;
    FileInfo *files; /* [n] */
} FileList;

Status files_list(Str pattern, FileList **out, Error *err);
void files_free(FileList *l); /* NULL is fine */

#endif
