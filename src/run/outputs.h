/* outputs.h - the files and tables that a job writes.
 *
 * A path that is the same for all batches is one file: opened with its header when the run
 * starts, appended to in key order, and made visible when the run ends well. A path that depends on the batch is
 * a file of its own, visible as soon as its instance is done, and never if that fails. Tables of databases
 * (data/sqlite_write.h) likewise: one that all batches share takes each batch in a transaction and is put in its place when
 * the run ends well; those of an instance's own are written in one transaction when it is done.
 *
 * Threads: outputs_spare, outputs_write_own and outputs_end_own from any; the rest from one, when no instance runs.
 */
#ifndef PIPE_RUN_OUTPUTS_H
#define PIPE_RUN_OUTPUTS_H

#include "code/code.h"
#include "data/batch.h"
#include "plan/plan.h"

typedef struct Outputs Outputs;

Status outputs_open(const Plan *plan, Outputs **out, Error *err);
/* An empty buffer for the bytes of a batch, with the memory of some that are written if there is one: every worker's allocator
 * would else keep as much as ever waited for its turn. The caller's. With a budget always without memory: nobody counts it. */
Buf outputs_spare(Outputs *o, uint32_t sink);
/* Bytes for the file that all batches share: the caller sees to the order. Leaves the Buf empty. */
Status outputs_append(Outputs *o, uint32_t sink, Buf *bytes, Error *err);
/* The file will not be made visible: what it collects has failed, though the run goes on. */
void outputs_drop(Outputs *o, uint32_t sink);
/* Files that an instance writes for itself, until it is done. NULL: none. */
typedef struct OwnFile OwnFile;
/* Appends the rows to a file of the instance's own, which is opened with its header when it is new in the
 * list. frame: that it runs in; another attempt of it replaces the file, another batch must not. */
Status outputs_write_own(Outputs *o, OwnFile **files, const Spec *spec, Str path, uint32_t frame,
                         const Batch *t, uint64_t *n_bytes, Error *err);
/* The instance is done: its files become visible; or it failed: they are removed. Empties the list. */
Status outputs_end_own(Outputs *o, OwnFile **files, bool commit, Error *err);
/* Notes that the path is one of rejected rows; false if an instance writes it. */
bool outputs_claim(Outputs *o, Str path);
/* Removes what is not visible yet, and nothing else: for a process that ends at once, from any thread. */
void outputs_abandon(Outputs *o);
/* Makes the shared files visible, or removes what was written of them. Frees o. */
Status outputs_close(Outputs *o, bool commit, Error *err);

#endif
