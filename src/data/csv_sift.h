/* csv_sift.h - the loops of sift.h over cells, in the variants of csv_words.h.
 *
 * Only sift.c and the variants include it. Cells are compared as they stand, with doubled quotes, which no word has.
 */
#ifndef PIPE_DATA_CSV_SIFT_H
#define PIPE_DATA_CSV_SIFT_H

#include "data/sift.h"

#define SIFT_ROWS 64u /* go at once */

typedef struct SiftWord {
    Str text;
    uint64_t bytes, keep; /* its first (BEGINS) or last bytes, up to eight, where they stand in a word of memory; a bit of
                           * keep for each of theirs */
} SiftWord;

/* The cells of one field of a range, and what they are compared with. */
typedef struct CsvSift {
    const char *bytes;
    size_t n_bytes;        /* may be read */
    const uint32_t *start; /* of the field in row 0; the next one is where its separator ends */
    size_t stride;         /* to the same field of the next row */
    const uint32_t *sel;   /* rows of the range; NULL: all in order */
    bool may_end_in_cr;    /* of CRLF */
    bool may_begin_late;   /* behind the ends of blank lines */
    char quote;
    SiftKind kind;
    bool keeps_long;       /* as found */
    uint32_t n_words;
    const SiftWord *words;
} CsvSift;

/* Of rows [from, from + SIFT_ROWS): where a word was found, and which cells are empty. False: bytes around one of the
 * cells that would be looked at may not be there; they go one by one. */
typedef bool CsvSiftRows(const CsvSift *s, uint32_t from, uint64_t *found, uint64_t *empty);

#endif
