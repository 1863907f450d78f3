/* run_int.h - the insides of src/run, shared by its files. Nobody else includes it.
 *
 * run.c opens and ends a run and owns it; instance.c is what a worker does for one instance;
 * source.c what generators and reads give; collect.c what is gathered from many batches.
 * Functions here are called by workers at the same time unless they say otherwise; what they
 * share is guarded as the structs say.
 */
#ifndef PIPE_RUN_RUN_INT_H
#define PIPE_RUN_RUN_INT_H

#include <pthread.h>

#include "data/batch.h"
#include "data/catalog.h"
#include "data/csv_read.h"
#include "data/files.h"
#include "data/line_read.h"
#include "data/sqlite_read.h"
#include "run/budget.h"
#include "run/outputs.h"
#include "run/rejected.h"
#include "run/run.h"
#include "vm/merged.h"
#include "vm/vm.h"

/* Rows that are written and wait for their turn. */
typedef struct Pending {
    _Atomic uint64_t bytes;
    _Atomic uint64_t most_bytes; /* of one instance so far */
} Pending;

struct Run {
    Arena *arena;
    const Plan *plan;
    RunOptions options;
    Catalog *catalog;
    GraphSpec *spec;
    Bounds *bounds;
    RunInfo *info;
    Code **codes;       /* [n_steps] */
    Code **path_codes;  /* [n_steps] of reads whose path is not constant; else NULL */
    bool *has_readers;  /* [n_steps] */
    bool *may_spill;    /* [n_steps] what it holds (plan/fold.h) */
    bool *stops;        /* [n_steps] a collect whose generator may stop after its first rows */
    Trace *trace;
    struct Meters *meters; /* meter.h; NULL: no profile is wanted */
    Outputs *outputs;
    Rejected *rejected;
    Code **reject_codes; /* [plan->n_rejects] of paths that depend on the batch; else NULL */
    Buf *root_paths;     /* [plan->n_rejects] such paths outside of any batch */
    Pool *pool;
    Vm **vms;           /* [n_workers] */
    Budget budget;
    Pending *pending;   /* [n_scopes] of the scopes that are in no other, with all in them */
    _Atomic uint64_t *part_bytes; /* [n_steps] of parts of collects: what the largest that has been made takes; 0: none has */
    struct Checkpoint *checkpoint; /* checkpoint.h; NULL: nothing is kept */
    struct Spilled **tables; /* [n_steps] outputs that are spilled: set with the output, freed with it */
    uint64_t *spilled_bytes, *spilled_rows; /* [n_steps] guarded by mu */
    pthread_mutex_t mu; /* guards what follows, and the log */
    struct Group *groups; /* process groups of commands that run (exec.c) */
    Merged **merging;   /* [n_steps] what a collect that runs once has of its batches, for workers that help; a reference */
    uint64_t rows_read, rows_out;
};

/* A batch as its generator gave it. The first reader to want it finds its fields; so
 * parsing happens in the mapped instances, in parallel. */
typedef struct GenBatch {
    pthread_mutex_t mu;
    RawRows *raw;        /* guarded by mu; NULL when batch was made whole, or is a mistake */
    Batch *batch;        /* guarded by mu; NULL until it was wanted, or a mistake */
    Status status;       /* guarded by mu */
    Error err;           /* guarded by mu */
    uint64_t first_row;  /* of a read: rows before it */
    uint64_t n_bytes;    /* counted */
    uint64_t n_reserved; /* of the budget, for what collects make of it */
} GenBatch;

/* What an instance keeps until it is done for good. */
typedef struct State {
    uint32_t step;       /* whose it is */
    CsvSource *source;   /* of a read: the file being read; NULL: none now ... */
    Loan loan;           /* ... whose next blocks other workers may read ... */
    const struct Run *run; /* ... for this run */
    LineSource *lines;   /* ... or it is one of JSON or plain lines ... */
    QuerySource *query;  /* ... or a database */
    char **paths;        /* [n_paths] of a read: the files, in order; owned */
    uint32_t n_paths, i_path;
    bool has_paths;
    uint64_t n_rows_read; /* of them so far */
    uint32_t attempt;    /* of a generator: that opened source */
    bool has_failed;     /* generator of a read in parts: its last batch is the mistake */
    struct Parts *split; /* generator of a split: what it yields (split.c) */
    FileList *files;     /* generator of files */
    Batch **parts;       /* of a table that is made of many, in order */
    uint32_t n_parts, cap_parts;
    uint32_t n_small;    /* the last of them, not joined yet */
    uint64_t n_rows;     /* of all of them */
    /* collect: */
    Merged *merged;      /* HOLD_GROUPS, HOLD_DISTINCT: of the batches so far; NULL: none, or they are spilled */
    uint64_t n_rows_in;  /* of the batches so far */
    uint64_t n_rows_out; /* HOLD_NOTHING: rows that nobody reads */
    uint64_t next_cut;   /* HOLD_TOP: at so many rows held the operation is run over them */
    uint64_t ended_at;   /* with meters: when the instance ended, before its turn to append */
    uint64_t n_bytes;    /* counted: parts and what is merged */
    struct Spilled *spilled; /* rows of the batches so far that are not among the parts; NULL: none */
    struct Partitions *partitions; /* HOLD_GROUPS, HOLD_DISTINCT: what is spilled of it; NULL: nothing */
    bool has_joined;     /* HOLD_SORTED: some parts were joined and are not sorted any more */
    OwnFile *own;        /* files of its own, to become visible when it is done */
    Rejects read_told;   /* rows that could not be read ... */
    Rejects told;        /* ... and those with another error */
    Buf *pending;        /* [plan->n_sinks] bytes to append in key order; NULL: none */
    uint64_t n_pending_bytes; /* counted: of them */
} State;

/* What the VM's host needs to know of the instance that runs. */
typedef struct Host {
    Run *run;
    Task *task;
    const Step *step;
    State *state;
    Buf log;
} Host;

/* What the instance keeps, made when first wanted. */
State *state_of(Instance *inst);
/* What it keeps counts for so many bytes from now on. */
void state_count(Run *r, State *s, uint64_t n_bytes);
/* The same of its bytes that wait for their turn. */
void pending_count(Run *r, State *s);
/* So many bytes wait, of a batch that the step has run over; *counted did so far. */
void pending_change(Run *r, uint32_t step, uint64_t *counted, uint64_t n_bytes);
/* Appends what the instance has for files that all share. */
Status append_pending(Run *r, State *s, Error *err);

/* ---- source.c */

/* Finds out which files step s reads with pops[0], once. table: what the paths are made of, where s->in. */
Status source_paths(Run *r, const Task *t, const Step *s, State *state, const Batch *table,
                    Error *err);
void source_rewind(State *state); /* to the first of them */
/* The next rows of these files, one after the other. */
typedef struct SourceRows {
    RawRows *raw;       /* a range of a file, not parsed; one reference ... */
    Batch *batch;       /* ... or rows of a database; one reference. Both NULL: there are no more */
    uint64_t first_row; /* rows before these */
} SourceRows;
Status source_next(Run *r, const Task *t, const Step *s, State *state, CsvLimit limit, SourceRows *out, Error *err);
void source_rows_free(SourceRows *rows);
/* A step of a generator: the next batch, if there is one. */
TaskResult generate(Run *r, Task *t, const Step *s);
void source_close(State *state); /* the file that is open */
/* A range of a read as a batch with the columns that are wanted: this is where its bytes are parsed. */
/* bad: rows that are told of and left out; NULL: the first one is an error. */
Status read_batch(const Run *r, RawRows *raw, const Pop *read, Rejects *bad, Batch **out, Error *err);
/* The batch of a generator, its fields found. Borrowed from g. */
Status gen_batch(Run *r, const Task *t, GenBatch *g, const Step *gen, const Batch **out, Error *err);
void gen_batch_free(Run *r, uint32_t step, GenBatch *g);

/* The label of a batch that is not numbered, as the `user` of its frame; freed with free(). */
void *label_new(Str text);
Str label_text(const void *label); /* Tasks.label */

/* ---- tell.c: bad rows that policies let pass */

/* Makes a list, which was {0}, one of the step's. */
void rejects_of(const Step *s, Rejects *told);
Status tell_open(Run *r, Error *err); /* when codes and plan are there */
void tell_close(Run *r);
/* An instance has done well: what it found in the frame is told, and forgotten. next: a batch of it that is not
 * yielded yet; else -1. */
Status tell(Run *r, const Task *t, const Step *s, RejectedPart part, const Frame *frame, int64_t next, Rejects *told,
            Error *err);
void tell_table(void *ctx, uint32_t pc, Rejects *told); /* VmHost.table_rejects */
/* The frame itself or the one around it that is of the scope. */
const Frame *frame_of_scope(const Frame *f, uint32_t scope);

/* ---- split.c: the generator of a `split` */

/* Puts the rows of the table in their parts. told: of rows whose keys do not decode, as the step's policy says. */
Status parts_open(const Step *s, const Batch *table, Rejects *told, struct Parts **out, Error *err);
void parts_free(struct Parts *p); /* NULL is fine */
/* Part k of the table and its label, NULL where it is numbered. NULL: there is no such part. */
Batch *parts_get(const struct Parts *p, const Batch *table, uint64_t k, void **label);

/* ---- collect.c */

/* What the part of a collect makes of one batch (plan/fold.h). Read by one instance, the collect's, which takes
 * out of it what it keeps. */
typedef struct Part {
    uint32_t step;       /* the collect's: it counts for that */
    Error *err;          /* a mistake in the batch is one of the collect; NULL: none */
    Batch *rows;         /* NULL: none to hold */
    Groups *groups;      /* HOLD_GROUPS, HOLD_DISTINCT */
    Buf *written;        /* [plan->n_sinks] bytes to append; NULL: none */
    uint64_t n_rows_in, n_rows_out;
    uint64_t n_bytes;    /* counted */
    uint64_t n_pending_bytes; /* counted, too: of `written` */
} Part;
void part_free(Run *r, uint32_t step, Part *p); /* step: that has made it. NULL is fine */
/* How many bytes the parts of collects will take that are made of a batch of the generator. */
uint64_t parts_expected(const Run *r, const Step *gen, uint64_t batch_bytes);

/* One instance of a part. */
TaskResult task_part(Run *r, Task *t, const Step *s);
/* The table of a collect when all its batches are folded: one reference. */
Status collect_table(Run *r, const Step *s, State *state, Batch **out, Error *err);
/* Adds to the parts of a table that is made of many; takes the reference. */
void keep_part(State *s, Batch *b);
void drop_parts(State *s);
/* Rows of the parts, and of those that are spilled. */
uint64_t rows_held(const State *s);
/* All parts as one table, one reference; lets go of them. schema: when there are none. */
Batch *join_parts(State *s, const Schema *schema);
/* A batch of a collect, in its turn (Tasks.fold). */
FoldResult task_fold(void *ctx, Task *t, uint32_t input, const Instance *child);

/* Lets go of what was merged. */
void merged_drop(Run *r, const Step *s, State *state);
/* Past the first operation of the collect's code, which is the folded one. */
uint32_t folded_end(const Code *c);
/* When all batches are folded: are some of its rows spilled? Then all are, ready to be streamed. */
Status collect_spilled(Run *r, Task *t, const Step *s, State *state, bool *is_spilled);

/* ---- streamed.c */

/* How many instructions from `first` on go row by row, so that the table can come in parts. */
uint32_t streamed_end(const Run *r, const Code *c, uint32_t first);
/* What readers find as the output of a step whose table stays spilled: no rows, but columns. p is the run's from now on. */
Batch *table_stand_in(Run *r, const Step *s, struct Spilled *p);
/* The instance's code from instruction `first` on over a spilled table. *n_dropped: rows that are not in *out, since nobody
 * reads them or they are spilled. *from is NULL afterwards if it was given on. */
Status run_spilled(Run *r, const VmHost *outside, VmInstance *inst, struct Spilled **from, uint32_t first,
                   Batch **out, uint64_t *n_dropped, Error *err);

/* Is a table that it adds to its own one of those that are spilled? */
bool has_spilled_unions(const Run *r, const Step *s);
/* Then its code over a table in memory is this. */
Status run_with_unions(Run *r, const VmHost *outside, VmInstance *inst, Batch *in, uint32_t first, Batch **out,
                       uint64_t *n_dropped, Error *err);

/* ---- instance.c */

/* What the code is told of the instance: its key, if it asks for that, is put into two buffers, which
 * must outlive it. */
VmInstance vm_instance(const Run *r, const Task *t, const Step *s, const Code *code, Buf *key,
                       Buf *levels);
/* The same for what is computed a second time: nobody is told of bad rows again. */
VmInstance vm_again(const Run *r, const Step *s);
/* What the instance's bytecode reaches outside, with h as its ctx. */
VmHost vm_host(Host *h);
/* The table of a plain input, its fields found. Borrowed. */
Status input_batch(Run *r, const Task *t, const Step *s, const Batch **in, Error *err);
/* What JOIN and UNION of the instance read: static tables, which live until it has ended. The caller frees the list;
 * NULL: none. */
Batch **instance_tables(const Run *r, const Instance *inst);
/* Gives what the instance has made to its readers, if it has any, else counts it; takes the reference. After n_rows_out. */
void publish(Run *r, const Task *t, const Step *s, Batch *out);
/* One instance (Tasks.run). */
TaskResult task_run(void *ctx, Task *t);

/* ---- exec.c */

typedef struct Group Group;
/* Where the rows of a command come from and where what it prints goes, a part at a time, both in the thread that runs it. */
typedef struct ExecEnds {
    void *ctx;
    /* The next rows, about so many: one reference; NULL: there are no more. */
    Status (*next)(void *ctx, uint32_t n_rows, Batch **out, Error *err);
    Status (*take)(void *ctx, Batch *part, Error *err); /* takes the reference */
    uint64_t range_bytes; /* of its output in a part */
} ExecEnds;
/* The command of an EXEC: whether it has done well is known when it has ended, and all it printed was taken. */
Status exec_run(Host *h, const Spec *spec, const ExecEnds *ends, Error *err);
Status host_exec(void *ctx, const Spec *spec, const Batch *t, Batch **out, Error *err); /* VmHost.exec */
/* Ends all commands that run, and what they have started. */
void groups_kill_locked(Run *r);

/* ---- run.c */

/* An instance's turn to write (Tasks.commit). */
FoldResult task_commit(void *ctx, Task *t);

#endif
