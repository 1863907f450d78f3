#include "data/sqlite_db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/raw.h"
#include "data/sink.h"

void db_put_name(Buf *out, Str name)
{
    buf_putc(out, '"');
    for (uint32_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            buf_putc(out, '"');
        buf_putc(out, name.ptr[i]);
    }
    buf_putc(out, '"');
}

/* What SQLite would take for something else than a file is made a path. */
static char *file_name(Str path)
{
    Buf b = {0};
    if (str_starts(path, STR_LIT(":")) || str_starts(path, STR_LIT("file:")))
        buf_puts(&b, "./");
    buf_put_str(&b, path);
    return b.ptr;
}

Status db_error(sqlite3 *db, const char *doing, Str path, int rc, Error *err)
{
    char shown[200], said[500];
    text_visible(path, shown, sizeof shown);
    text_visible(str_of(db ? sqlite3_errmsg(db) : sqlite3_errstr(rc)), said, sizeof said);
    int number = db ? sqlite3_system_errno(db) : 0;
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, ERR_IO, "cannot %s `%s`: another process has locked it, for more than %d s", doing, shown,
                         DB_WAIT_MS / 1000);
    case SQLITE_FULL:
        return error_set(err, ERR_IO, "cannot %s `%s`: %s", doing, shown, number ? strerror(number) : "its disk is full");
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return error_set(err, ERR_IO, "cannot %s `%s`: the file, or its folder, is read-only", doing, shown);
    case SQLITE_CANTOPEN:
        return error_set(err, ERR_IO, "cannot open `%s`: %s", shown, number ? strerror(number) : said);
    case SQLITE_IOERR:
        return error_set(err, ERR_IO, "cannot %s `%s`: %s", doing, shown, number ? strerror(number) : said);
    case SQLITE_NOMEM: return error_set(err, ERR_NOMEM, "cannot %s `%s`: out of memory", doing, shown);
    case SQLITE_NOTADB: return error_set(err, ERR_DATA, "`%s` is no SQLite database", shown);
    case SQLITE_CORRUPT:
        return error_set(err, ERR_DATA, "`%s` is damaged: %s (`PRAGMA integrity_check` tells more)", shown, said);
    default: return error_set(err, ERR_DATA, "cannot %s `%s`: %s", doing, shown, said);
    }
}

/* The first page is read: what is no database shows. A reader writes nothing of its own, but it may have to roll back
 * what a process that was killed has left. */
static int look(sqlite3 *db, bool for_reading)
{
    return sqlite3_exec(db, for_reading ? "PRAGMA query_only = ON; PRAGMA schema_version" : "PRAGMA schema_version",
                        NULL, NULL, NULL);
}

Status db_open(Str path, bool for_reading, sqlite3 **out, bool *is_new, Error *err)
{
    struct stat info;
    sqlite3 *db = NULL;
    Status st = OK;
    *out = NULL;
    if (path.len == 0 || memchr(path.ptr, '\0', path.len))
        return error_set(err, ERR_IO, "the path of a database is %s", path.len ? "not one with a NUL byte" : "not empty");
    char *name = file_name(path);
    bool is_there = stat(name, &info) == 0;
    int why = errno, flags = SQLITE_OPEN_READWRITE | (for_reading ? 0 : SQLITE_OPEN_CREATE);
    char shown[200];
    text_visible(path, shown, sizeof shown);
    if (!is_there && (for_reading || why != ENOENT))
        st = error_set(err, ERR_IO, "cannot open `%s`: %s", shown, strerror(why));
    else if (is_there && !S_ISREG(info.st_mode))
        st = error_set(err, ERR_IO, "cannot open `%s`: it is no file", shown);
    if (st == OK && !is_there)
        sink_make_folders(name);
    if (st == OK) {
        int rc = sqlite3_open_v2(name, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
        if (rc == SQLITE_OK) {
            sqlite3_busy_timeout(db, DB_WAIT_MS);
            rc = look(db, for_reading);
        }
        if (rc != SQLITE_OK)
            st = db_error(db, for_reading ? "read" : "write", path, rc, err);
    }
    if (st != OK) {
        db_close(db);
        db = NULL;
    }
    if (is_new)
        *is_new = !is_there;
    free(name);
    *out = db;
    return st;
}

void db_close(sqlite3 *db)
{
    sqlite3_close(db);
}
