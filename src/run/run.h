/* run.h - runs a plan: code for every step, a graph for the scheduler, tasks that bring
 * batches and bytecode together.
 *
 *   Run *r = NULL;
 *   st = run_open(plan, sources, catalog, &options, &r, &err);
 *   run_go(r, &result);         (blocks; run_cancel from any thread meanwhile)
 *   run_close(r);
 *
 * Outputs are the same for any number of workers. A Run is used once.
 */
#ifndef PIPE_RUN_RUN_H
#define PIPE_RUN_RUN_H

#include "base/observer.h"
#include "base/source.h"
#include "code/code.h"
#include "plan/plan.h"
#include "sched/bound.h"
#include "sched/pool.h"
#include "sched/trace.h"

typedef struct Run Run;

/* Where outputs of steps with @checkpoint are kept (plan/keep.h). */
typedef struct RunStore {
    const char *folder; /* that is there. What lies in it from a run before is used */
    void *ctx;
    /* An input is about to be read; of a pattern all files that it matches. By any thread, one at a time. An error: it could not be
     * told later whether it has changed. */
    Status (*note_input)(void *ctx, Str path, bool is_pattern, Error *err);
    /* The run is about to make visible what cannot be made visible twice. */
    Status (*note_commit)(void *ctx, Error *err);
} RunStore;

typedef struct RunOptions {
    uint32_t n_workers;       /* 0: the plan's */
    uint64_t seed;
    uint64_t auto_rows;       /* rows of a batch where the program leaves it open; 0: by bytes */
    const Observer *observer; /* NULL: none */
    const RunStore *store;    /* of a plan that keeps outputs; NULL: they are not kept */
    bool keeps_trace;
    bool keeps_profile;
    void *log_ctx;
    /* The lines of one instance, each with its LF. Called by one thread at a time. */
    void (*log)(void *ctx, Str lines);
} RunOptions;

typedef struct RunResult {
    RunState state;
    PoolSummary summary;    /* owned by the run */
    Error commit_error;     /* status OK, or why the outputs could not be made visible */
    const BadRowCount *bad_rows; /* [n_steps] owned by the run; NULL: no step has a policy */
    MemoryUse memory;       /* owned by the run */
    KeptCount kept;
    uint64_t rows_read;     /* by the steps that read */
    uint64_t rows_out;      /* of the steps whose output nobody reads */
} RunResult;

/* Makes and verifies the code of every step, opens the outputs. */
Status run_open(const Plan *plan, const Sources *sources, struct Catalog *catalog,
                const RunOptions *options, Run **out, Error *err);
void run_go(Run *r, RunResult *out);
void run_close(Run *r); /* NULL is fine */
/* The first lets running instances end; at once also interrupts sleeps. Not from a signal handler. */
void run_cancel(Run *r, bool at_once);
/* For a process that is about to end in the middle of the run: removes outputs that are not whole. Nothing of
 * the run may be called afterwards. */
void run_abandon(Run *r);

const RunInfo *run_info(const Run *r);
const struct Profile *run_profile(Run *r); /* of a finished run; NULL unless kept. The run owns it */
const Trace *run_trace(const Run *r); /* NULL unless kept */

#endif
