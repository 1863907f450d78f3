/* meter.h - inside src/run: what is counted for a profile (base/profile.h).
 *
 * Every worker counts for itself, in memory of its own; the sums are taken when the run is over. Without
 * a profile there are no meters, and what is between work_begin and work_end costs a look at a pointer.
 */
#ifndef PIPE_RUN_METER_H
#define PIPE_RUN_METER_H

#include "base/profile.h"
#include "run/run_int.h"

/* What a step does beside its bytecode. */
typedef enum Work {
    WORK_READ,   /* the next range of a file */
    WORK_INDEX,  /* where its rows have their fields */
    WORK_GATHER, /* parts and groups put together as a table */
    WORK_SPILL,  /* rows put into a temporary file, by a step that reads one */
    WORK_UNSPILL, /* rows that come back from one */
    WORK_FOLD,   /* a batch taken by a collect */
    WORK_COMMIT, /* what an instance has serialised, appended to its file in key order */
    WORK_TURN,   /* no work: from the instance's end until it was its turn to append */
    N_WORKS,
} Work;

typedef struct Meters Meters;

Meters *meters_new(const Plan *plan, Code *const *codes, uint32_t n_workers);
void meters_free(Meters *m); /* NULL is fine */

void meters_start(Meters *m); /* when the run begins */
void meters_stop(Meters *m);  /* when it is over: its workers have ended */
/* After that. In the arena, which also holds the code. */
Profile *meters_profile(const Meters *m, Arena *a, const Plan *plan, Code *const *codes);

/* Where the instructions of the task's step are counted, with its worker. NULL without a profile. */
VmCount *meters_of_code(const Run *r, const Task *t);
bool meters_count_cycles(const Run *r);

uint64_t work_begin(const Run *r); /* the time */
void work_end(const Run *r, const Task *t, Work w, uint64_t begin, uint64_t n_rows, uint64_t n_bytes);
/* The same of a worker that has no task, for a step that runs on another one. */
void work_helped(const Run *r, uint32_t step, uint32_t worker, Work w, uint64_t begin, uint64_t n_rows);
/* An instruction that was carried out beside the VM. */
void work_instr(const Run *r, const VmInstance *inst, uint32_t pc, uint64_t begin, uint64_t n_rows);
/* A WRITE of the task's step has put out so many bytes. */
void work_wrote(const Run *r, const Task *t, const Spec *spec, uint64_t n_bytes);

/* task_run, task_fold and task_commit, counted. */
TaskResult metered_run(void *ctx, Task *t);
FoldResult metered_fold(void *ctx, Task *t, uint32_t input, const Instance *child);
FoldResult metered_commit(void *ctx, Task *t);

#endif
