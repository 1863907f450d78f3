/* rejected.h - what a run knows of bad rows that its policies let pass: the counts, and the reject files.
 *
 * Instances tell when they are done, in any order, on any thread. What they tell goes to a temporary file beyond a few
 * MiB, and is put into the reject files when the run has ended well: in the order of the steps in the job, of one
 * step in key order, first what could not be read. So a file may be named by several steps, and has the same bytes
 * for any schedule. If the run fails there is none.
 */
#ifndef PIPE_RUN_REJECTED_H
#define PIPE_RUN_REJECTED_H

#include "base/observer.h"
#include "data/reject.h"
#include "plan/plan.h"

typedef struct Rejected Rejected;

/* What of an instance they are of; their order in the file. What is told again by another attempt replaces what
 * was told before. */
typedef enum RejectedPart {
    REJECTED_TABLE, /* rows of a table that the step joins, whatever the instance */
    REJECTED_OPEN,  /* rows with an open quote, which a generator found on its way to a batch */
    REJECTED_READ,  /* rows that could not be read */
    REJECTED_ROWS,
} RejectedPart;

/* folder: for the temporary file. Opens the files whose paths are constant. */
Status rejected_open(const Plan *plan, const char *folder, Rejected **out, Error *err);
/* An instance is about to read the file. An error if rejected rows go to it: they would replace it. */
Status rejected_note_read(Rejected *r, Str path, Error *err);
/* The same for the files whose paths depend on the batch, before anything is made visible. */
Status rejected_check(Rejected *r, Error *err);
/* key: [n_key] the batches that the instance runs in, from the outermost; path: of the file, where it depends on the
 * batch, else empty. Empties *told. */
Status rejected_add(Rejected *r, uint32_t step, RejectedPart part, const uint32_t *key, uint32_t n_key, Str path,
                    Rejects *told, Error *err);
/* When no instance runs any more: settles what counts. Before the next two. */
void rejected_settle(Rejected *r);
BadRowCount rejected_count(const Rejected *r, uint32_t step);
/* Makes the files visible, or removes what there is. Frees r. */
Status rejected_close(Rejected *r, bool commit, Error *err);
/* For a process that ends at once, from any thread: removes what is not visible yet. */
void rejected_abandon(Rejected *r);

#endif
