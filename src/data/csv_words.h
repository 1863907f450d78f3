/* csv_words.h - 64 bytes of a CSV text at a time, in a variant for each kind of processor.
 *
 * Only csv_scan.c and the variants include it. A word is 64 bytes; bit i of a mask is byte i. A
 * variant does what it can in masks and leaves a word in which they do not tell (a stray quote,
 * a blank line to skip, the record at which to stop) to the caller, who goes byte by byte.
 */
#ifndef PIPE_DATA_CSV_WORDS_H
#define PIPE_DATA_CSV_WORDS_H

#include "base/simd.h"
#include "data/csv_scan.h"
#include "data/csv_sift.h"

#define CSV_WORD 64
/* Positions that a variant may write beyond those that count. */
#define CSV_WORD_SLACK (CSV_WORD + 16)
/* Words that go at once if they can, and room for their positions. */
#define CSV_CHUNK 8
#define CSV_CHUNK_SLACK (CSV_CHUNK * CSV_WORD + CSV_WORD_SLACK)

/* Rows and fields of a range so far. */
typedef struct CsvCount {
    uint64_t n_rows, n_fields;
    uint64_t n_want; /* n_rows * n_cols: fields in them if all is well */
    uint32_t n_cols;
    uint64_t every;  /* bits 0, n_cols, 2 * n_cols, ... of those there are */
    bool is_bad;     /* a row had not n_cols fields */
    bool has_nul;
} CsvCount;

/* A row ends with field number n_fields. */
static inline void csv_count_row(CsvCount *c, uint64_t n_fields)
{
    c->n_rows++;
    c->n_want += c->n_cols;
    c->is_bad |= n_fields != c->n_want;
}

/* Bits 0, n_cols, 2 * n_cols, ... of 64. */
static inline uint64_t csv_every(uint32_t n_cols)
{
    uint64_t every = 0;
    for (uint64_t bit = 0; bit < 64; bit += n_cols)
        every |= 1ull << bit;
    return every;
}

/* The index where only some fields of each row are kept. */
typedef struct CsvSome {
    uint32_t *start; /* [cap], of which the last CSV_CHUNK_SLACK are for what is written in vain */
    size_t n, cap;
    uint32_t n_rows, n_cols;
    uint32_t phase;      /* separators of the row that has begun; less than n_cols */
    uint32_t *phase_at;  /* [n_cols + 65] i % n_cols */
    uint64_t *kept_at;   /* [n_cols + 64] bit i: after phase + i separators another one is to be kept */
    uint64_t every;
    bool is_bad, has_nul, has_gaps;
} CsvSome;

typedef struct CsvWords {
    /* As csv_scan and csv_index over p[0 .. n_words * CSV_WORD); both return the words done, which are fewer
     * when the next one has to go byte by byte. */
    size_t (*scan)(CsvScan *s, const char *p, size_t n_words, uint64_t stop_records);
    /* p is at offset `at` of the range. Ends too when there is no room for a chunk's positions and the slack. */
    size_t (*index)(CsvIndex *ix, CsvState *state, const char *p, size_t n_words, size_t at,
                    char delimiter, char quote, bool skip_blank);
    /* The same, and nothing is kept but numbers. */
    size_t (*count)(CsvCount *c, CsvState *state, const char *p, size_t n_words, char delimiter,
                    char quote, bool skip_blank);
    /* As index. NULL: no fast way. */
    size_t (*some)(CsvSome *k, CsvState *state, const char *p, size_t n_words, size_t at, char delimiter,
                   char quote, bool skip_blank);
    CsvSiftRows *sift;
} CsvWords;

/* NULL where the variant is not part of this build. */
extern const CsvWords *const CSV_WORDS[N_SIMD_LEVELS];

extern const CsvWords csv_words_portable;
#if defined(__x86_64__)
extern const CsvWords csv_words_sse2, csv_words_avx2, csv_words_avx512;
#elif defined(__aarch64__)
extern const CsvWords csv_words_neon;
#endif

static inline bool csv_at_row_start(CsvState s)
{
    return s == CSV_ROW_START || s == CSV_CR_SEEN || s == CSV_BLANK_CR;
}

#endif
