/* sqlite_read.h - the rows of a query of an SQLite database, as batches; its columns for the catalog.
 *
 * One statement that only reads, without parameters. It runs in one transaction, so all its batches are of one
 * state of the database. Types of columns: of a schema; else what the column was declared as, if the first rows agree, else what the
 * first rows show (QUERY_SAMPLE_ROWS): int; float when some are REAL; date or timestamp for text that is one; else string.
 *
 * A value that is not of its column's type is a row error where a step first uses it, as in a CSV: such a
 * column is text (column.h) in its batch. INTEGER stands for float, 0 and 1 for bool, text for all types by the rules of
 * base/value; a string column takes everything, numbers as they print, the bytes of a BLOB. The line of a row in messages is its
 * number in the result, from 1.
 *
 * Threads: one at a time. Errors: sqlite_db.h; ERR_ROW when the query is the mistake.
 */
#ifndef PIPE_DATA_SQLITE_READ_H
#define PIPE_DATA_SQLITE_READ_H

#include "base/catalog.h"
#include "data/csv_read.h"

#define QUERY_SAMPLE_ROWS 1000

typedef struct QuerySource QuerySource;

typedef struct QueryOptions {
    Str sql;
    const Schema *schema;          /* columns that batches have, found by name in the result, which has no others */
    const bool *needed;            /* [schema->n_cols] NULL: all; the others are not there (batch_forget) */
    const uint64_t *inferred_rows; /* [schema->n_cols] rows a type was inferred from, 0: declared; may be NULL */
} QueryOptions;

/* Asked now and then while the database computes: not OK ends the query with that. */
typedef struct QueryStop {
    Status (*check)(void *ctx, Error *err); /* NULL: nobody asks */
    void *ctx;
} QueryStop;

Status query_open(Str path, const QueryOptions *options, QuerySource **out, Error *err);
void query_close(QuerySource *q); /* NULL is fine; batches live on */
/* The next rows, a new reference; NULL at the end. Bytes of a limit are those of the values. */
Status query_next(QuerySource *q, CsvLimit limit, QueryStop stop, Batch **out, Error *err);

/* The columns, in the arena. */
Status query_sniff(Str path, Str sql, Arena *a, CatalogTable *out, Error *err);

#endif
