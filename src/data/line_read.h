/* line_read.h - a file, FIFO or stdin of lines (JSON lines, plain text) as ranges that end at line ends.
 *
 * The generator's half, LineSource, finds line ends and nothing else; the mapped instance's half,
 * line_decode(), makes the columns of a range: of plain text here, of JSON in json_read.h.
 *
 *   - Lines end in LF; a CR before it belongs to the line end. The last line needs none.
 *   - In JSON blank lines are no rows; in plain text every line is one, of any bytes.
 *   - A UTF-8 byte order mark at the start is dropped. UTF-16 is refused unless it is named.
 *   - A line has at most CSV_RECORD_MAX bytes.
 *
 * Threads: a LineSource is used by one thread at a time; line_decode by any, each its own range.
 * Errors: ERR_IO from the system; ERR_DATA and ERR_ROW with file, line (from 1) and byte.
 */
#ifndef PIPE_DATA_LINE_READ_H
#define PIPE_DATA_LINE_READ_H

#include "data/csv_read.h"

typedef struct LineOptions {
    RowFormat format;       /* ROWS_JSON or ROWS_LINES */
    TextCoding coding;
    const Schema *schema;    /* the columns that batches will have; not NULL */
    const uint64_t *inferred_rows; /* [schema->n_cols] rows a type was inferred from, 0: declared; may be NULL */
    Str first;               /* the file that the schema's columns are of, for messages; empty: this one, or declared */
    CsvSample *sample;       /* taken over, also on failure; NULL: opens the path */
} LineOptions;

typedef struct LineSource LineSource;

/* path: a file, a FIFO, or "stdin". */
Status line_source_open(Str path, const LineOptions *options, LineSource **out, Error *err);
void line_source_close(LineSource *s); /* NULL is fine; ranges live on */
/* The next range, a new reference; NULL at the end of the input. Only what its generator fills is
 * there: n_rows lines that are rows, no index of fields. */
Status line_source_next(LineSource *s, CsvLimit limit, RawRows **out, Error *err);

/* The batch of a range: columns as the schema says, those that are not needed[c] left out (NULL: all are
 * there), where each row came from. Where `bad` is not NULL rows with an error are told of and left out; or, as its
 * policy says, a value that is none of its column's type is null, and a key without a column skipped. */
struct Rejects;
Status line_decode(RawRows *raw, const Schema *schema, const bool *needed, struct Rejects *bad, Batch **out, Error *err);

/* A batch of a range without columns yet, for its builder: types, and where each row came from, which the
 * caller fills in (batch->origin). */
Batch *line_batch(RawRows *raw, const Schema *schema);

/* Of a row that begins at p, in the i-th line of the range. */
static inline Origin line_origin(const RawRows *raw, uint64_t i, const char *p)
{
    return (Origin){.line = raw->first_line + i,
                    .byte = (raw->first_byte + (uint64_t)(p - raw->bytes)) & ((1ull << 48) - 1)};
}

#endif
