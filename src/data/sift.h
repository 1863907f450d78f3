/* sift.h - the rows in which a string passes a test, told from the cells as they stand in the input.
 *
 * A filter that compares a string with literals needs no column where rows come straight from a CSV file: the bytes of
 * a cell are looked at where they lie, 64 rows after the other, and nothing is written but a bit per row.
 *
 * Pure; any thread. It never fails: every cell is a string.
 */
#ifndef PIPE_DATA_SIFT_H
#define PIPE_DATA_SIFT_H

#include "data/batch.h"

typedef enum SiftKind {
    SIFT_IS,     /* one of the words */
    SIFT_BEGINS, /* begins with the word */
    SIFT_ENDS,
    SIFT_HAS,    /* has it somewhere */
} SiftKind;

#define SIFT_LONG 255u

typedef struct Sift {
    SiftKind kind;
    bool is_negated;
    bool keeps_long;     /* strings of SIFT_LONG bytes or more pass: who asks looks at them once more. Not with is_negated */
    uint32_t n_words;   /* IS: any number; else 1 */
    const Value *words; /* strings, not null */
} Sift;

/* False, and nothing done, if the column's cells are not those of the rows as they were read: they were taken out,
 * decoded or computed. bits [bit_words(b->n_rows)]: the rows in which the string column passes, clear
 * beyond the last row. A null does not pass, negated or not. */
bool batch_sift(const Batch *b, uint32_t col, const Sift *s, uint64_t *bits);

#endif
