/* spilled.h - rows of one operator that are in a temporary file, and how they come back.
 *
 * Rows are put as *runs*, each in the order in which they are to come; a stream gives all of them, a few thousand at
 * a time: run after run, or merged. What a stream needs in memory is a block of each run, so there are never more
 * than a few dozen: what would be more is merged into one first.
 *
 * Threads: one at a time adds; then any may read, each with a stream of its own.
 */
#ifndef PIPE_RUN_SPILLED_H
#define PIPE_RUN_SPILLED_H

#include "data/block.h"
#include "data/spill.h"
#include "run/run_int.h"
#include "vm/sorted.h"

enum { SPILL_FAN_IN = 64 }; /* runs that are merged at once */

typedef enum SpillOrder {
    SPILL_AS_PUT,  /* run after run */
    SPILL_SORTED,  /* by the keys of the SORT of `code`; runs are put in it */
    SPILL_BY_LAST, /* by the last column, ints that ascend in each run; it is left out of what streams give */
} SpillOrder;

typedef struct SpillRun {
    SpillBlock *blocks; /* [n] owned */
    uint32_t n, cap;
} SpillRun;

typedef struct Spilled {
    Sorted *sorted;     /* not NULL: the rows are in memory; owned. What follows is that of no rows */
    Budget *budget;     /* that counts n_bytes; NULL: none does */
    uint64_t n_bytes;
    SpillFile *file;
    const Step *step;   /* whose it is: counted for it */
    bool is_again;      /* its rows were in another one before: they are not counted */
    SpillOrder order;
    const Code *code;   /* SPILL_SORTED: from instruction `begin` on */
    uint32_t begin;
    BlockInputs inputs;
    SpillRun *runs;     /* [n_runs] owned */
    uint32_t n_runs, cap_runs;
    uint64_t n_rows;
    uint32_t n_cols;    /* 0 before the first rows */
    bool *lacks_text;   /* [n_cols] some rows have only values */
    Batch *like;        /* no rows, the columns of the first ones; NULL before them */
    pthread_mutex_t mu;
    struct Lookup *lookups; /* guarded by mu: by the keys of joins (lookup.h) */
} Spilled;

/* code, begin: SPILL_SORTED, else NULL and 0. */
Status spilled_open(Run *r, const Step *s, SpillOrder order, const Code *code, uint32_t begin,
                    Spilled **out, Error *err);
void spilled_free(Spilled *p); /* NULL is fine */
/* Rows in memory, to be streamed as others are, and for nothing else; takes them, and n_bytes that are counted for
 * them. */
Spilled *spilled_of_sorted(Run *r, const Step *s, Sorted *sorted, uint64_t n_bytes);
/* Puts the rows as a run, in which they are in order; none: no run. */
Status spilled_put(Run *r, Spilled *p, Batch *b, Error *err);
/* One batch behind the rows of the last run, which is begun if there is none. */
Status spilled_append(Run *r, Spilled *p, Batch *b, Error *err);
/* For who puts bytes of their own: a run without blocks; a block behind those of run k; its bytes, in a heap of exactly
 * so many; how large a block should be at least. */
void spilled_begin(Spilled *p);
Status spilled_put_bytes(Run *r, Spilled *p, uint32_t k, const Buf *bytes, Error *err);
Status spilled_get_bytes(Spilled *p, SpillBlock b, Heap **out, Error *err);
size_t spilled_block_bytes(const Run *r);
/* The folder of temporary files; freed with free(). A new one there. */
char *spill_folder(const Run *r);
Status spill_file_open(const Run *r, SpillFile **out, Error *err);
/* The rows of a block_put of one of p's plain batches; *out also after an error, to be let go of. */
Status spilled_batch(const Spilled *p, const char *bytes, Heap *heap, Batch **out, Error *err);
/* The batch as plain ones of p are, whose columns are noted; new reference. */
Batch *spilled_plain(Run *r, Spilled *p, Batch *b);
void spilled_count(Run *r, const Spilled *p, uint64_t n_rows); /* more of them */
/* No rows, but columns as those of the rows: new reference; NULL: there have been no rows. */
Batch *spilled_like(const Spilled *p);
/* A column behind those of a plain batch, which takes the reference: what SPILL_BY_LAST goes by. */
void order_column_add(Batch *plain, Column *c);
/* Before the first stream. */
Status spilled_finish(Run *r, const Task *t, Spilled *p, Error *err);

typedef struct Stream Stream;
/* p must be finished. t: whose workers may help, until the stream is closed, which is before the task ends; NULL: none. */
Status stream_open(Run *r, const Task *t, Spilled *p, Stream **out, Error *err);
/* The next rows, one reference; NULL: there are no more. */
Status stream_next(Stream *s, Batch **out, Error *err);
/* The same, with the column that only orders. */
Status stream_next_whole(Stream *s, Batch **out, Error *err);
void stream_close(Stream *s); /* NULL is fine */

#endif
