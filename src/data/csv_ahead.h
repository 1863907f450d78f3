/* csv_ahead.h - the next blocks of a CSV file, read and scanned for record ends by several threads before their turn.
 *
 * A block's scan needs the state in which the text before it ends, which is not known yet. So it is guessed: the byte before
 * tells, and whether it is in quotes the first quotes of the block do, by what stands beside them. Whoever has the block's turn
 * compares the guess with what is true and scans again where it was wrong; so nothing hangs on it but speed.
 * Ge et al., "Speculative Distributed CSV Data Parsing for Big Data Analytics", 2019.
 *
 * All blocks but the first end at a multiple of block_bytes of the file.
 *
 * Threads: csv_ahead_work from any; csv_ahead_first and csv_ahead_next from one at a time, which is the reader's.
 */
#ifndef PIPE_DATA_CSV_AHEAD_H
#define PIPE_DATA_CSV_AHEAD_H

#include "base/status.h"
#include "data/csv_scan.h"
#include "data/heap.h"
#include "data/input.h"

/* Room in front of a block's text, for the begin of a row whose end is in the block. */
#define CSV_AHEAD_HEAD (64u << 10)
/* The text begins at a page, as it does in the page cache: a copy to a place that is a byte further on in its page than where it comes
 * from took three times the time (the processor seems to take what it writes for what it is about to read). */
#define CSV_AHEAD_PAGE 4096u

typedef struct CsvAhead CsvAhead;

/* What was found of a block alone. */
typedef struct CsvAheadScan {
    bool is_done;    /* a state was guessed ... */
    CsvState from;   /* ... this one, with no CR before ... */
    CsvScan scan;    /* ... and the block scanned from there */
} CsvAheadScan;

typedef struct CsvAheadBlock {
    Heap *block;     /* one reference, the reader's if it wants it: then it is set to NULL. The text is at bytes[text] ... */
    size_t text;     /* ... at least CSV_AHEAD_HEAD ... */
    size_t n_bytes;  /* ... and so long */
    size_t at;       /* what the reader has taken of it */
    bool is_last;    /* the file ends with it; it may be empty */
    CsvAheadScan scanned;
    Status st;       /* of reading it; then there are no further ones */
    Error err;
} CsvAheadBlock;

/* The blocks of `in` (borrowed) from byte `from` > 0 on; at most n_blocks of them are there at a time. pool: of heaps that have room
 * for CSV_AHEAD_HEAD + CSV_AHEAD_PAGE + block_bytes + slack bytes; borrowed. */
CsvAhead *csv_ahead_new(const Input *in, HeapPool *pool, uint64_t from, size_t block_bytes, uint32_t n_blocks, const CsvScan *begin);
/* When nobody is in csv_ahead_work any more. NULL is fine. */
void csv_ahead_free(CsvAhead *a);
/* Reads and scans a block; false: there are as many as may be, or no more to come. */
bool csv_ahead_work(CsvAhead *a);
/* Has somebody begun the block whose turn it is, and not ended? */
bool csv_ahead_is_begun(CsvAhead *a);
/* The block whose turn it is, read by whoever; not to be called behind the last one. Until csv_ahead_next. */
CsvAheadBlock *csv_ahead_first(CsvAhead *a);
void csv_ahead_next(CsvAhead *a);

#endif
