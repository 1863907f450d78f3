/* sqlite_write.h - tables of an SQLite database that a run writes.
 *
 * A table that many instances write is *staged*: its rows go to a table `_pipemill_new_NAME` beside it, each
 * table_append one transaction, in the order of the calls. database_close puts all of them in their places in one
 * last transaction: create and replace rename, append inserts. So a table is as it was until its run ends well, however the
 * run ends, and whatever is left of a process that was killed is thrown away by the next run. A number of the batch
 * that is put down in the same transaction is what going on with such a table would need.
 *
 * What one instance writes alone needs no staging: database_put is one transaction.
 *
 * Pragmas. While it is written a database has a write-ahead log (`journal_mode = WAL`, `synchronous = NORMAL`): a batch waits
 * for no disk, and a query of the same job does not hold up the writer. The last transaction is synced (FULL), then the
 * journal mode is what it was, which leaves one file. A database that somebody else has open keeps its mode, and is written with
 * SQLite's own `synchronous = FULL`; one of a process that was killed keeps its log. A database that was made and got no
 * table is removed.
 *
 * Values: int, size INTEGER; float REAL (NaN becomes null, as SQLite has it); bool 0 and 1; date, timestamp, duration
 * as text in the form in which they print; string TEXT, bytes as they are. Declared types are INTEGER REAL
 * TEXT BOOLEAN DATE TIMESTAMP DURATION SIZE, by which sqlite_read.h knows them again.
 *
 * Threads: any; a Database has a lock of its own. Errors: as sqlite_db.h; the first one of a table that is appended
 * to sticks, and the table is not put in its place.
 */
#ifndef PIPE_DATA_SQLITE_WRITE_H
#define PIPE_DATA_SQLITE_WRITE_H

#include "base/catalog.h"
#include "base/status.h"
#include "base/str.h"
#include "data/sqlite_pack.h" /* the rows of table_append and database_put */

typedef struct Database Database;
typedef struct DbTable DbTable;

Status database_open(Str path, Database **out, Error *err);
/* Begins a table. In mode create it must not be there, in append it must have the columns. name and schema live
 * as long as the database. */
Status database_begin(Database *d, Str name, const Schema *schema, TableMode mode, DbTable **out, Error *err);
/* One transaction; the Buf is left empty. */
Status table_append(DbTable *t, Buf *rows, Error *err);
/* It will not be put in its place. */
void table_drop(DbTable *t);
/* Puts the tables in their places, or throws them away; frees d and them. */
Status database_close(Database *d, bool commit, Error *err);

typedef struct TableRows {
    Str name;
    const Schema *schema;
    TableMode mode;
    Str rows; /* packed */
} TableRows;
/* Writes whole tables, all or none. */
Status database_put(Database *d, const TableRows *tables, uint32_t n, Error *err);

#endif
