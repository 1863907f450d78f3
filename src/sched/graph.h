/* graph.h - which instance runs next: ready sets, caps, pools, credits, retries, folds.
 *
 * A pure state machine: no threads, no clock, no tasks. Whoever drives it (pool.h with
 * threads, sim.h on a virtual clock) picks an instance, has it run, and says how it
 * ended; times are only passed through. Every call is O(1) in the number of batches,
 * except where a retried batch comes back among later ones.
 *
 * What it promises, and checks after every event when graph_check is called:
 *   - pick gives the best of the ready: priority, then step order, then key order;
 *   - a generator is dispatched only with a credit of the scope it opens in hand, which
 *     comes back when its batch has seen its last use; so live batches <= credits;
 *   - an output is released when its last reader is done, a frame when nothing is left;
 *   - where batches wait to be committed in key order over several levels, the last credit of a
 *     level is for the batch whose turn it is: those behind it cannot shut it out;
 *   - caps and pools are taken together with the dispatch, never held while waiting;
 *   - folds of one collect (commits of one ordered step) are given out in key order, one
 *     at a time.
 * If nothing runs, no timer is set, and only missing credits keep something from running,
 * one credit of overdraft is granted at the deepest level and counted.
 *
 * Threads: one at a time (the pool's lock), except that `frame_*` and `instance_*` may be
 * called by whoever runs an instance, for it, its frame and what is around them.
 */
#ifndef PIPE_SCHED_GRAPH_H
#define PIPE_SCHED_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/observer.h"
#include "sched/spec.h"

typedef struct Graph Graph;
typedef struct Frame Frame;
typedef struct Instance Instance;

/* ---- frames and instances, for whoever runs them */

const Frame *frame_parent(const Frame *f);  /* NULL for the root */
uint32_t frame_scope(const Frame *f);
uint32_t frame_depth(const Frame *f);       /* 0 for the root */
uint32_t frame_index(const Frame *f);       /* its key: place among its siblings, from 0 */
uint32_t frame_id(const Frame *f);          /* unique in the run; the root has 0 */
void *frame_user(const Frame *f);           /* given with the yield; NULL for the root */
/* Appends the key path, "3" or "a.csv/17", nothing for the root: a batch's label, or else its index. */
void frame_put_key(const Frame *f, char separator, Buf *out);

uint32_t instance_step(const Instance *i);
const Frame *instance_frame(const Instance *i);
uint32_t instance_attempt(const Instance *i);   /* from 1 */
uint32_t instance_n_yielded(const Instance *i); /* of a generator: the next batch's key */
uint64_t instance_ready_ns(const Instance *i);
/* All that a trace tells of an instance. */
typedef struct InstanceInfo {
    uint64_t ready_ns;
    uint32_t step, frame, attempt, n_yielded;
} InstanceInfo;
void instance_info(const Instance *i, InstanceInfo *out);
/* The output of input k (of a plain or broadcast edge; NULL for a gathered one). It stays
 * until the instance has ended. */
void *instance_input(const Instance *i, uint32_t k);
/* What its readers get. Set by whoever runs the instance, before it ends. */
void *instance_out(const Instance *i);
void instance_set_out(Instance *i, void *out);
/* What it keeps for itself between dispatches, attempts and folds: a generator's open
 * file, a collect's partial state, what an ordered step will commit. Released when the
 * instance has ended for good and is committed. */
void *instance_state(const Instance *i);
void instance_set_state(Instance *i, void *state);

/* ---- the machine */

/* Called from inside graph_* calls; they must not call back. Any may be NULL. */
typedef struct GraphHooks {
    void *ctx;
    /* Never with NULL. A batch is released as the output of its generator's step. */
    void (*release_out)(void *ctx, uint32_t step, void *out);
    void (*release_state)(void *ctx, uint32_t step, void *state);
    void (*opened)(void *ctx, const Frame *f, uint32_t n_live);
    void (*closed)(void *ctx, const Frame *f, uint32_t n_live); /* and its user data */
    void (*skipped)(void *ctx, const Instance *i, uint32_t cause_step);
    /* The key of a batch with that user data, which is not NULL, among its siblings. From any
     * thread, and always the same. NULL: batches are numbered. */
    Str (*label)(const void *user);
} GraphHooks;

/* n_workers is what the default number of credits is taken from. */
Graph *graph_open(const GraphSpec *spec, uint32_t n_workers, const GraphHooks *hooks);
/* Releases what is left (through the hooks). NULL is fine. */
void graph_close(Graph *g);

/* The best instance that may run now, marked running; NULL if there is none. */
Instance *graph_pick(Graph *g);
/* Would graph_pick give something? */
bool graph_has_work(const Graph *g);

/* The place of a step among those that are ready, 0: the first; would graph_pick give something of one before that place? */
uint32_t graph_rank(const Graph *g, uint32_t step);
bool graph_has_before(const Graph *g, uint32_t rank);

/* How a running instance ended. The output has been set before. */
void graph_done(Graph *g, Instance *i, uint64_t now_ns);
/* A generator gave a batch: it becomes the output of the generator in a new frame. The
 * generator itself is ready again. */
void graph_yield(Graph *g, Instance *i, void *batch, void *user, uint64_t now_ns);
void graph_exhausted(Graph *g, Instance *i, uint64_t now_ns);
/* Another attempt, ready at due_ns. It keeps its credit, but no cap and no pool slot. */
void graph_retry(Graph *g, Instance *i, uint64_t now_ns, uint64_t due_ns);
/* Broken off while the graph is stopping: it counts as not started. */
void graph_cancelled(Graph *g, Instance *i, uint64_t now_ns);
/* Failed for good: the step's on_failure says what becomes of the rest. */
void graph_failed(Graph *g, Instance *i, uint64_t now_ns);

/* The next fold or commit that is due: `reader` gets `child`'s output as its input
 * `input`. For a commit of an ordered step the two are the same. It counts as running until
 * graph_fold_end. False if none is due. */
typedef struct Fold {
    Instance *reader, *child;
    uint32_t input;
    bool is_commit;
    uint32_t seq; /* graph's own */
} Fold;
bool graph_next_fold(Graph *g, Fold *out);
bool graph_has_fold(const Graph *g); /* it may still find that it is not wanted any more */
/* Can graph_next_fold or graph_next_timer say true? */
bool graph_has_due(const Graph *g);
typedef enum FoldResult {
    FOLD_MORE,
    FOLD_ENOUGH, /* later batches are not needed: the generator yields no more */
    FOLD_FAILED,
} FoldResult;
void graph_fold_end(Graph *g, const Fold *f, FoldResult result, uint64_t now_ns);

/* The earliest retry; false if none waits. Those due at now_ns become ready. */
bool graph_next_timer(const Graph *g, uint64_t *due_ns);
void graph_advance(Graph *g, uint64_t now_ns);

/* While paused no generator starts, except that one may when nothing runs and nothing else would: so
 * that there is always an end to it. Whoever drives the graph says when. */
void graph_pause(Graph *g, bool is_paused);
/* The same of the one that opens batches in that scope (not 0) alone, if it is in no batch itself and nobody has said how many
 * may be alive; else nothing: what is begun goes on, however deep it is nested, and so do other fan-outs. */
void graph_pause_scope(Graph *g, uint32_t scope, bool is_paused);

/* What the next batch of that step is made of, a generator in no batch, is being got ready beside the graph: it does not start
 * meanwhile, and this counts as running. */
void graph_await(Graph *g, uint32_t step, bool is_awaited);

/* Does an instance of the step run? */
bool graph_is_running(const Graph *g, uint32_t step);

/* Nothing new starts; what runs may end. */
void graph_stop(Graph *g);
bool graph_is_stopping(const Graph *g);
/* Nothing runs and nothing will. */
bool graph_is_over(const Graph *g);
/* All has ended and all outputs are released. */
bool graph_is_complete(const Graph *g);

/* n_not_started is filled once the graph is over. */
const StepCount *graph_steps(Graph *g);         /* [n_steps] */
const ScopeCount *graph_scopes(const Graph *g); /* [n_scopes]; [0] is the root's */

/* Aborts with a message if an invariant does not hold or a scope has more live batches than
 * limit[scope] (may be NULL) plus overdrafts. Takes time in proportion to all that lives. */
void graph_check(const Graph *g, const uint64_t *limit);

#endif
