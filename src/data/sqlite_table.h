/* sqlite_table.h - the statements by which sqlite_write.h makes, fills and removes tables; for it alone.
 *
 * Threads: one at a time for each database. Errors: as sqlite_db.h, with what to do where a table is not as it must be.
 */
#ifndef PIPE_DATA_SQLITE_TABLE_H
#define PIPE_DATA_SQLITE_TABLE_H

#include <sqlite3.h>

#include "base/catalog.h"
#include "base/status.h"
#include "base/str.h"

/* A database that is open, and what messages call it. */
typedef struct DbFile {
    sqlite3 *db; /* owned */
    char *path;  /* owned */
} DbFile;

Status db_run(const DbFile *d, const char *sql, Error *err);
/* A Buf with one statement is run and left empty. */
Status db_run_buf(const DbFile *d, Buf *sql, Error *err);
Status db_begin(const DbFile *d, Error *err);
/* COMMIT, or ROLLBACK after an error. */
Status db_end(const DbFile *d, Status st, Error *err);

Status table_create(const DbFile *d, Str name, const Schema *s, Error *err);
Status table_remove(const DbFile *d, Str name, Error *err); /* where it is there */
/* The names of columns, with commas. */
void table_put_columns(Buf *sql, const Schema *s);
/* OK: there is nothing to say against writing the table in that mode. */
Status table_check_mode(const DbFile *d, Str name, TableMode mode, bool *is_there, Error *err);
/* Has the table, which is there, all the columns? */
Status table_check_columns(const DbFile *d, Str name, const Schema *schema, Error *err);

/* INSERTs into one table, of one row and of several. */
typedef struct Insert {
    uint32_t n_cols, n_many;
    sqlite3_stmt *one, *many; /* many: of n_many rows; NULL: only single ones */
} Insert;

Status insert_open(const DbFile *d, Str name, const Schema *s, Insert *in, Error *err);
void insert_close(Insert *in); /* also one that was never opened, all zero, or failed to */
/* Rows of sqlite_pack. */
Status insert_rows(const DbFile *d, const Insert *in, Str rows, Error *err);

#endif
