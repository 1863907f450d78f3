/* catalog.h - the interface by which typing asks what columns a file has.
 *
 * data/catalog.h answers from real files; a test from a table. Answers live as long
 * as the catalog and are the same for the same question (a file is sampled once).
 */
#ifndef PIPE_BASE_CATALOG_H
#define PIPE_BASE_CATALOG_H

#include "base/arena.h"
#include "base/status.h"
#include "base/text_coding.h"
#include "base/type.h"

/* What rows are read from or written to: texts of three kinds, a database. */
typedef enum RowFormat { ROWS_CSV, ROWS_JSON, ROWS_LINES, ROWS_SQLITE } RowFormat;

/* What becomes of a table of that name. Where there is none all of them make it. */
typedef enum TableMode { TABLE_CREATE, TABLE_APPEND, TABLE_REPLACE } TableMode;

/* How a CSV text is written; of the other formats only `format` counts. Start from CSV_DEFAULT_DIALECT. */
typedef struct CsvDialect {
    RowFormat format; /* ROWS_CSV */
    char delimiter;   /* ',' */
    char quote;       /* '"' */
    bool has_header;  /* true */
    bool use_libcsv;  /* with (engine: "libcsv") */
    Str null_word;    /* an unquoted field equal to it is null too; empty: only the empty field */
    TextCoding coding; /* of what is read: CODING_UTF8; counts for JSON and lines too */
    TableMode mode;   /* ROWS_SQLITE, written: TABLE_CREATE */
} CsvDialect;
extern const CsvDialect CSV_DEFAULT_DIALECT;

/* A column as a file's header (JSON: the keys) and first MiB show it. */
typedef struct CatalogCol {
    Str name;
    Type type;      /* inferred */
    /* Why it is a string though most values look like something else: */
    Type almost;    /* the type that all but some values have, TYPE_ERROR if none */
    uint64_t odd_line; /* the first line that contradicts it, 0 if none */
    Str odd_value;
    Str example;    /* of a string column: a value of it; empty: none was seen */
} CatalogCol;

typedef struct CatalogTable {
    uint32_t n_cols;
    const CatalogCol *cols;
    uint64_t sample_rows; /* rows the types were inferred from */
    bool sample_is_all;   /* the sample was the whole file */
} CatalogTable;

typedef struct Catalog {
    /* OK and *out (owned by the catalog); ERR_IO when it cannot be opened, ERR_DATA when it is
     * not such a file (zero bytes, bad header; err->line/column filled). path "stdin" samples stdin.
     * dialect->format may be any; a JSON file without an object has no columns. */
    Status (*csv)(struct Catalog *c, Str path, const CsvDialect *dialect,
                  const CatalogTable **out, Error *err);
    /* The columns of a query of an SQLite database. ERR_IO when the file cannot be opened, ERR_ROW when the query is
     * the mistake, ERR_DATA for anything else. May be NULL. */
    Status (*query)(struct Catalog *c, Str path, Str sql, const CatalogTable **out, Error *err);
    /* How many files match the pattern of `files` or `read` now, and the first of them (first may be NULL); ERR_IO
     * when that cannot be told. May be NULL. */
    Status (*files)(struct Catalog *c, Str pattern, uint64_t *n, Str *first, Error *err);
} Catalog;

#endif
