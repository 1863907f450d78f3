/* dialect.h - how a CSV text is probably written: delimiter, quote, header, null word, encoding, and forms of
 * values that a type of the language does not read.
 *
 * From the first bytes of it. The delimiter and the quote are those for which rows are alike and cells look like
 * something: van den Burg, Nazabal, Sutton, "Wrangling messy CSV files by detecting row and type patterns", 2019.
 * One thread; what is given lives in the arena.
 */
#ifndef PIPE_DATA_DIALECT_H
#define PIPE_DATA_DIALECT_H

#include "base/arena.h"
#include "base/status.h"
#include "data/cell_form.h"
#include "data/csv_read.h"

typedef enum TextEncoding {
    TEXT_UTF8,      /* ASCII too */
    TEXT_UTF8_MARK, /* with a byte order mark */
    TEXT_UTF8_DAMAGED, /* but for some bytes */
    TEXT_8BIT,      /* bytes that are no UTF-8: Latin-1, Windows-1252, ...; looked at as Windows-1252 */
    TEXT_UTF16,
    TEXT_BINARY,    /* NUL bytes */
} TextEncoding;

typedef struct DialectGuess {
    TextEncoding encoding;
    uint64_t damaged_line;  /* of TEXT_UTF8_DAMAGED: the first with such a byte */
    bool is_json;           /* it begins with `{`: JSON lines */
    bool has_crlf, has_lf, has_cr; /* line ends, those in quotes included */
    CsvDialect dialect;
    uint64_t n_rows;        /* rows of the sample, without the header and without ragged ones */
    bool is_all;            /* the sample is the whole text */
    uint32_t n_cols;
    DialectCol *cols;       /* [n_cols] */
    /* Rows with another number of fields than the table's; the first of them. 0: none. */
    uint64_t n_ragged, ragged_line;
    uint32_t ragged_fields;
    uint64_t open_line;     /* where a quote opens that the text never closes; 0: none */
    uint64_t first_line;    /* of the table; above 1: something else stands before it (a title), and most rows have more fields */
    /* The first row looks like a header, but cannot be one: why (`a` twice, an empty name). Empty: it can. */
    Str header_trouble;
} DialectGuess;

/* Borrows the sample. ERR_DATA: nothing can be said (no bytes). For binary and for JSON only the encoding and
 * is_json are filled. */
Status dialect_guess(const CsvSample *sample, Arena *a, DialectGuess *out, Error *err);

#endif
