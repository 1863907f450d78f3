/* csv_read.h - a CSV file, FIFO or stdin as ranges of bytes, and a range as RawRows.
 *
 * Two halves, so that parsing is parallel. The generator's half, CsvSource, reads blocks and
 * hands out ranges that end at record ends; it parses nothing but the header. Other threads may read and scan the next blocks
 * meanwhile (csv_ahead.h). The mapped
 * instance's half, raw_index(), finds the fields of its range.
 *
 * Fields are found by csv_scan.h, whose rules are libcsv's: libcsv itself gives no positions,
 * and a column that nobody touches must leave byte for byte as it came, whatever the batch
 * size. `with (engine: "libcsv")` reads the range through libcsv instead (cells then leave in
 * canonical quoting); the tests hold the two engines to the same tables.
 *
 * Input that gzip or zstd compressed is decompressed in the generator's half (input.h); lines and bytes in
 * messages are those of the text.
 *
 * What is not RFC 4180:
 *   - A UTF-8 byte order mark at the start is dropped. UTF-16 is refused unless it is named, and so is a NUL byte.
 *   - Bytes that are not UTF-8 stay as they are.
 *   - Line ends may be LF, CRLF, CR, mixed; the last line needs none.
 *   - Blank lines: rows with a null in a one-column file, skipped in others and before the header.
 *   - Stray quotes are data, as libcsv reads them: see csv_scan.h.
 *   - A row with another number of fields than the header is an error.
 *   - A record (a row) has at most CSV_RECORD_MAX bytes: a quote that is never closed is found
 *     in bounded memory.
 * An empty quoted cell ("") is the empty string in a string column and null in columns of other
 * types, which have no empty value.
 *
 * Threads: a CsvSource is used by one thread at a time, but for csv_source_work; raw_index by any, each its own range.
 * Errors: ERR_IO from the system; ERR_DATA with file, line (header: 1) and byte for bad input.
 */
#ifndef PIPE_DATA_CSV_READ_H
#define PIPE_DATA_CSV_READ_H

#include "base/catalog.h"
#include "base/status.h"
#include "base/type.h"
#include "data/batch.h"
#include "data/feed.h"

typedef struct CsvReadOptions {
    CsvDialect dialect;    /* start from CSV_DEFAULT_DIALECT */
    const Schema *schema;  /* the columns that batches will have, found by name; NULL: all fields, in order */
    bool allow_more;       /* the file may have columns that the schema has not */
    bool is_output;        /* of a command: messages do not propose a schema that ends with `...` */
    const uint64_t *inferred_rows; /* [schema->n_cols] rows a type was inferred from, 0: declared; may be NULL */
    Str first;             /* the file that the schema's columns are of, for messages; empty: this one, or declared */
    size_t block_bytes;    /* 0: CSV_BATCH_AUTO; less, so that a test has many blocks */
    CsvSample *sample;     /* taken over, also on failure; NULL: opens the path */
} CsvReadOptions;

/* How much csv_source_next hands out; the cut depends on the input alone. */
typedef struct CsvLimit {
    uint64_t rows;  /* exactly that many (fewer at the end); 0: by bytes */
    uint64_t bytes; /* as many records as fit in that many bytes, at least one; 0: those that end before the next multiple of
                     * CSV_BATCH_AUTO of the input, or where none does before the one after that, and so on */
} CsvLimit;

typedef struct CsvSource CsvSource;

/* Opens and reads the header. path: a file, a FIFO, or "stdin". ERR_IO: no such file, a directory, ...; ERR_DATA: zero
 * bytes, UTF-16, a header with empty or duplicate names, columns that are not the schema's. */
Status csv_source_open(Str path, const CsvReadOptions *options, CsvSource **out, Error *err);
void csv_source_close(CsvSource *s); /* NULL is fine; ranges live on */
const CsvInput *csv_source_input(const CsvSource *s); /* borrowed: names and number of columns */
/* The next range, a new reference, not indexed; NULL at the end of the input. */
Status csv_source_next(CsvSource *s, CsvLimit limit, RawRows **out, Error *err);

/* Lets other threads read up to n_blocks blocks before their turn, where ranges are cut by neither rows nor bytes and the input is a
 * file that can be read so; else csv_source_looks_ahead stays false. What csv_source_next gives is the same. */
void csv_source_look_ahead(CsvSource *s, uint32_t n_blocks);
bool csv_source_looks_ahead(const CsvSource *s);
/* From any thread, also beside csv_source_next: reads and scans a block; false: there is none to do now. */
bool csv_source_work(CsvSource *s);

/* From any thread: has somebody begun with what csv_source_next needs next, and not ended? */
bool csv_source_is_at_next(const CsvSource *s);

/* Finds the fields of a range that csv_source_next gave. On ERR_DATA (a row with too many or too few fields, a NUL
 * byte) the rows before the bad one are indexed. */
Status raw_index(RawRows *raw, Error *err);
/* The same where only those columns of the schema are wanted for which wanted[c] (NULL: all): where the others are need
 * not be kept. */
Status raw_index_wanted(RawRows *raw, const bool *wanted, Error *err);
/* The same, but bad rows are told of and are no rows: raw->good. They may be none of the range's. */
struct Rejects;
Status raw_index_lenient(RawRows *raw, struct Rejects *bad, Error *err);
/* Rows that csv_source_next cannot read, since a quote in them is never closed, are told of from now on (NULL: an error).
 * Such a row ends with the line on which the quote stands. */
void csv_source_lenient(CsvSource *s, struct Rejects *bad);
/* Where nobody wants a field: the same errors, and no fields found; raw->start stays NULL. */
Status raw_check(RawRows *raw, Error *err);

#endif
