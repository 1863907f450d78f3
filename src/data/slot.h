/* slot.h - where the values of a column of a batch are: in its raw rows, in text, decoded, or in another batch.
 *
 * A slot belongs to its batch and is as immutable as that once it is published. What it holds is counted; whoever
 * gets a Picked from a function below owns one reference. Counts may go up and down in any thread.
 */
#ifndef PIPE_DATA_SLOT_H
#define PIPE_DATA_SLOT_H

#include <stdint.h>

#include "data/column.h"

struct Batch;

/* Rows of another batch by their numbers: what a join takes from its table. The cells stay there until
 * a column is wanted. Immutable, counted; columns of one join share it. */
typedef struct Picked {
    _Atomic uint32_t refs;
    struct Batch *from; /* one reference */
    uint32_t n_rows;
    uint32_t *rows;     /* [n_rows] rows of `from`; PICKED_NONE: all columns are null; owned */
} Picked;
#define PICKED_NONE UINT32_MAX

/* Takes rows, which was made with xmalloc, and a reference of its own to from. */
Picked *picked_new(struct Batch *from, uint32_t *rows, uint32_t n_rows);
Picked *picked_ref(Picked *p);
void picked_unref(Picked *p); /* NULL is fine */
/* Rows of rows: p->rows[sel[0..n)]; PICKED_NONE in sel stays. */
Picked *picked_select(const Picked *p, const uint32_t *sel, uint32_t n);

/* At least one of the four is there, but in columns that nobody wants (batch_forget): those are not looked at. */
typedef struct Slot {
    int32_t raw_col; /* column of the batch's `raw`, or -1 */
    Column *text;    /* taken out of raw, in row order of the batch; NULL: not (yet) */
    Column *values;  /* decoded or computed; NULL: not (yet) */
    Picked *picked;  /* one reference; raw_col is -1 and text NULL then. NULL: not from another batch */
    uint32_t picked_col; /* column of picked->from, where its slot is not picked itself */
} Slot;
Slot slot_ref(const Slot *s); /* a copy with references of its own */
void slot_unref(Slot *s);     /* lets go of what it holds */

#endif
