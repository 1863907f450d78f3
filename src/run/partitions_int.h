/* partitions_int.h - the insides of partitions.h: partitions.c puts, partitions_finish.c makes the table. Nobody else includes it. */
#ifndef PIPE_RUN_PARTITIONS_INT_H
#define PIPE_RUN_PARTITIONS_INT_H

#include "run/partitions.h"

enum { N_PARTS = SPILL_FAN_IN };

struct Partitions {
    uint32_t level;     /* 0; 1: of a partition that was too large, and so on */
    const Code *code;   /* of rows */
    uint32_t begin, end; /* of it: the DISTINCT or GROUP, with its keys */
    Spilled *raw;       /* run k: blocks of records of partition k */
    Buf bufs[N_PARTS];  /* records that are not in a block yet: a length and so many bytes */
    uint64_t next_seq;  /* number of the next group or row */
    uint32_t n_first[N_PARTS]; /* are the first groups of all in a partition's first record? */
    bool has_put;
    uint64_t n_bytes;   /* counted */
};

/* Groups, and rows: each to its partition's buffer, and what fills that to the file. has_seqs: the rows' last column has their
 * numbers; else they are those behind the last ones. */
Status partition_groups(Run *r, Partitions *p, const Groups *g, Error *err);
Status partition_rows(Run *r, const Task *t, Partitions *p, Batch *rows, bool has_seqs, Error *err);
/* Buffers of at least so many bytes go to the file. */
Status records_flush(Run *r, Partitions *p, size_t least, Error *err);
void partitions_count(Run *r, Partitions *p); /* the buffers, for the budget */
/* The columns of the operation's keys, new references, [*n_keys]. */
Status rows_keys(Run *r, const Task *t, const Partitions *p, const Batch *b, Column ***keys, uint32_t *n_keys, Error *err);
void keys_drop(Column **keys, uint32_t n_keys);
/* A plain batch gets one column more: the rows' numbers, from `first` on, or first + sel[i]. */
void seqs_add(Batch *b, const uint32_t *sel, uint64_t first);

#endif
