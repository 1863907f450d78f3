/* sqlite_db.h - a connection to an SQLite database: opening it, its errors in words, names in SQL.
 *
 * What sqlite_read.h and sqlite_write.h share. A connection is used by one thread at a time. Where another process
 * holds the database it is waited for, DB_WAIT_MS at most; then it is an error.
 *
 * Errors: ERR_IO when the system refuses or the database is locked (another attempt may help); ERR_DATA for what
 * is no database, is damaged, or does not take the statement.
 */
#ifndef PIPE_DATA_SQLITE_DB_H
#define PIPE_DATA_SQLITE_DB_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"

#define DB_WAIT_MS 10000

/* For reading: it must be there, and stays as it is (but for what a killed process left to be rolled back). Else it is made, with its folders, if it is not there (*is_new, which
 * may be NULL when reading). path names a file, whatever is in it: no URI, no database in memory. */
Status db_open(Str path, bool for_reading, sqlite3 **out, bool *is_new, Error *err);
void db_close(sqlite3 *db); /* NULL is fine */
/* The error of the last call, which gave rc; doing: "write", "read". */
Status db_error(sqlite3 *db, const char *doing, Str path, int rc, Error *err);
/* A name as SQL has it: in double quotes. */
void db_put_name(Buf *out, Str name);

#endif
