/* rest.h - what the row-wise statements of a step leave of a spilled table, until a statement that wants all of it.
 *
 * A sort keeps rows up to the operator's share of the budget, then puts them into a file as sorted runs; a distinct or
 * group by parts them by its keys; a top keeps what it will give, a take up to its share, too. What has gone to a file comes
 * back from there in parts, behind that statement; what has not goes through it in memory. One thread.
 */
#ifndef PIPE_RUN_REST_H
#define PIPE_RUN_REST_H

#include "run/spilled.h"

typedef enum RestKind {
    REST_DROPPED, /* nobody wants the rows */
    REST_STORED,  /* spilled as they come */
    REST_HELD,    /* kept in memory */
    REST_FIRST,   /* as many as a take gives: kept, or spilled when they are too many */
    REST_SKIPPED, /* spilled as they come, but those that a skip leaves out */
    REST_TOP,     /* kept, as many as a top gives */
    REST_SORTED,
    REST_KEYED,
} RestKind;

typedef struct Rest {
    RestKind kind;
    Run *run;
    const Task *task;
    const Code *code;
    const VmInstance *inst;
    bool is_in_memory;   /* the table is, and so is what is left of it; parts share its bytes */
    uint32_t begin, end; /* instructions of the statement that wants all; end == begin: they go to it as a stream */
    uint64_t limit;      /* FIRST, SKIPPED, TOP: rows */
    uint64_t n_rows;     /* that came */
    uint64_t next_cut;   /* TOP: at so many rows held */
    State held;          /* only its parts */
    Batch *none;         /* no rows of those that came: their columns. NULL: none came, or nothing will spill */
    Spilled *spilled;    /* STORED, SKIPPED; FIRST, SORTED: NULL as long as all is held */
    struct Partitions *partitions; /* KEYED: NULL before the first rows */
} Rest;

/* Of the instance whose code has a statement at `begin` that wants all rows, or the end: then `at_end` says what is wanted.
 * holds_all: they are kept in memory, whatever the statement is. is_in_memory: the table is not spilled, and nothing of it will
 * be. rest_close in any case. */
Status rest_open(Rest *rest, Run *r, const Task *t, const VmInstance *inst, uint32_t begin,
                 bool holds_all, bool is_in_memory, RestKind at_end, Error *err);
/* Rows; takes the reference. */
Status rest_take(Rest *rest, Batch *part, Error *err);
/* Does it want no more? */
bool rest_is_full(const Rest *rest);
/* When all rows are there: if they are spilled, as they come out of the statement, *next is a table to be streamed through
 * the statements from rest->end on (an exec's: as they go into it, and on with that); else NULL, and rest_all gives them as they
 * are before the statement. */
Status rest_finish(Rest *rest, Spilled **next, Error *err);
Batch *rest_all(Rest *rest); /* one reference */
void rest_close(Rest *rest);

#endif
