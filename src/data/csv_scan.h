/* csv_scan.h - where records and fields of a CSV text end. Pure functions of bytes.
 *
 * The rules, the same for every reader of this program (and libcsv's, without its
 * trimming of spaces and skipping of blank lines):
 *   - A quote opens a quoted field only as the field's first byte. Elsewhere in an
 *     unquoted field it is a byte like others.
 *   - In a quoted field delimiters and line ends are data and `""` is a quote. A quote
 *     followed by a delimiter or a line end closes it; a quote followed by anything else
 *     is data and the field goes on.
 *   - LF, CRLF and a lone CR each end a record, mixed as they come.
 *   - A blank line is a row of one null field in a one-column file, and nothing at all
 *     in others (skip_blank).
 *
 * 64 bytes at a time: bit masks of quotes, delimiters and line ends, the quoted regions
 * by prefix-xor (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019). A
 * group of 64 with a quote that neither opens, closes nor doubles goes byte by byte.
 */
#ifndef PIPE_DATA_CSV_SCAN_H
#define PIPE_DATA_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum CsvState {
    CSV_ROW_START,   /* at the first byte of a record */
    CSV_FIELD_START, /* after a delimiter */
    CSV_UNQUOTED,
    CSV_QUOTED,
    CSV_QUOTE_SEEN,  /* after a quote inside a quoted field */
    CSV_CR_SEEN,     /* after a CR that ends a record: an LF would belong to it */
    CSV_BLANK_CR,    /* the same after a blank line's CR */
} CsvState;

/* A scan goes over a text in pieces. */
typedef struct CsvScan {
    char delimiter, quote;
    bool skip_blank;
    bool after_cr;     /* the last byte was a CR, in quotes or not */
    CsvState state;
    uint64_t at;       /* bytes scanned so far */
    uint64_t n_records, n_lines; /* complete ones among them */
    /* Behind the last record or blank line that is complete: */
    uint64_t end;       /* offset */
    uint64_t end_lines; /* line ends up to there, those in quotes included */
} CsvScan;

void csv_scan_init(CsvScan *s, char delimiter, char quote, bool skip_blank);
/* Scans on over bytes[0..n), the text from offset s->at. Stops just behind the record end
 * that makes n_records == stop_records (then s->end == s->at), else scans all n bytes.
 * A CR at the end of the bytes is no record end yet: the next byte decides. */
void csv_scan(CsvScan *s, const char *bytes, size_t n, uint64_t stop_records);
/* True if the bytes so far end inside a quoted field. */
bool csv_scan_is_open(const CsvScan *s);

/* Positions of fields. */
typedef struct CsvIndex {
    uint32_t *start;   /* as RawRows.start; malloc'd, the caller's */
    size_t n, cap;     /* entries */
    uint32_t n_rows;
    size_t n_all;      /* entries of all rows, which are there behind a bad one too */
    bool has_gaps;     /* blank lines were skipped, or a line end is not a single LF */
    bool has_nul;      /* a NUL byte somewhere */
    uint32_t bad_fields; /* fields of the first row that has not n_cols fields */
} CsvIndex;

/* Indexes a range that begins and ends at record boundaries (its last byte is a line end); n < 4 GiB. False
 * when a row has not n_cols fields: bad_fields is its number of fields; n_rows and start hold the rows before
 * it and start[n_rows * n_cols] the end of the last of them. */
bool csv_index(CsvIndex *ix, const char *bytes, size_t n, char delimiter, char quote,
               uint32_t n_cols);

/* The same for n_rows rows, keeping of each row only some positions: start[r * n_kept + k] is where field kept[k] of row r
 * begins, and behind them all is the end. kept[] rises and begins with 0. False, and nothing kept, when not all is well
 * (another number of rows, a row with another number of fields, a NUL byte) or when csv_index is the faster way. */
bool csv_index_some(CsvIndex *ix, const char *bytes, size_t n, char delimiter, char quote,
                    uint32_t n_cols, const uint32_t *kept, uint32_t n_kept, uint32_t n_rows);

/* True if every row of such a range has n_cols fields, and none has a NUL byte. */
bool csv_is_regular(const char *bytes, size_t n, char delimiter, char quote, uint32_t n_cols);

/* About one record, which begins at bytes; byte by byte, for headers and messages. */
typedef struct CsvRecord {
    uint32_t n_fields;
    size_t n_bytes;   /* line end included */
    size_t field_at;  /* offset of the field that was asked for */
    bool is_open;     /* the bytes end inside a quoted field, which ... */
    size_t open_at;   /* ... begins here */
} CsvRecord;
CsvRecord csv_record(const char *bytes, size_t n, char delimiter, char quote,
                     uint32_t field);

/* The bytes go on inside a quoted field: how many of them, from the first on, certainly do not close it. All but a quote that they
 * end with, where nothing closes it: what follows that quote tells. */
size_t csv_stays_open(const char *bytes, size_t n, char delimiter, char quote);

/* A line of a record's begin, where a quoted field that was open before is not closed by bytes[n]: so what closes one is at its begin only,
 * as in `"",` or `"""",`. */
typedef enum CsvLineKind {
    CSV_LINE_WHOLE, /* all its fields end in it */
    CSV_LINE_OPEN,  /* a field opens that does not */
    CSV_LINE_CUT,   /* bytes[n] comes first */
} CsvLineKind;
/* *n_line: its bytes, line end included; *open_at: of CSV_LINE_OPEN. */
CsvLineKind csv_line_among_open(const char *bytes, size_t n, char delimiter, char quote, size_t *n_line, size_t *open_at);

/* Line ends (LF, CRLF, lone CR) in bytes[0..n). */
uint64_t csv_count_lines(const char *bytes, size_t n);

#endif
