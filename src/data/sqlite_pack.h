/* sqlite_pack.h - rows as bytes, from when a batch is at hand until a transaction writes them. Pure; any thread. */
#ifndef PIPE_DATA_SQLITE_PACK_H
#define PIPE_DATA_SQLITE_PACK_H

#include <sqlite3.h>

#include "base/str.h"
#include "data/batch.h"

/* Appends the rows of b, whose columns have the values of cols. */
void sqlite_pack(Buf *out, const Batch *b, Column *const *cols);
/* Binds the value at p to parameter `at` (from 1); its bytes stay where they are until the statement is done with it.
 * Returns what follows it; *rc: as SQLite has it. */
const char *sqlite_bind_packed(sqlite3_stmt *s, int at, const char *p, int *rc);

#endif
