/* vm.h - runs the bytecode of a step over one batch.
 *
 * A Vm belongs to one worker: registers and scratch memory are kept from batch to
 * batch. Code and input batch are shared and only read. Everything that reaches outside
 * (log, sleep, write, the environment) goes through VmHost, so that the runner and the
 * tests decide what happens.
 */
#ifndef PIPE_VM_VM_H
#define PIPE_VM_VM_H

#include "base/policy.h"
#include "base/status.h"
#include "code/code.h"
#include "data/batch.h"
#include "vm/groups.h"

typedef struct Vm Vm;
struct Pass; /* one run of code over a batch */

typedef struct VmHost {
    void *ctx;
    /* Waits; ERR_CANCELLED when the run is being ended, ERR_TIMEOUT when the attempt's time is up. */
    Status (*sleep)(void *ctx, int64_t us, Error *err);
    /* One line without its LF; lines of an instance come in order. The bytes are data: the host makes control
     * bytes visible. May be NULL where nothing logs, as the others. */
    void (*log)(void *ctx, Str line);
    /* The rows of a JOIN's table whose keys can be among those with these hashes [n], if the table is not in memory; equal keys
     * in the table's order. New reference; NULL: there are none, or it is in memory. May be NULL where no table is elsewhere. */
    Status (*table_rows)(void *ctx, struct Pass *asking, const Spec *join, const uint64_t *hashes,
                         uint32_t n, Batch **out, Error *err);
    /* An index of a table has so many bytes and stays as long as that. True: they are counted. */
    bool (*table_indexed)(void *ctx, uint32_t table, uint64_t n_bytes);
    /* Table t of WRITE_CSV: path and spec say where. The host serialises (data/rows_write). */
    Status (*write)(void *ctx, const Spec *spec, Str path, const Batch *t, Error *err);
    /* Table t of EXEC, to become what the command of spec makes of it: one reference. */
    Status (*exec)(void *ctx, const Spec *spec, const Batch *t, Batch **out, Error *err);
    /* Rows of a table that many instances join, found out by the first of them; pc: the join. */
    void (*table_rejects)(void *ctx, uint32_t pc, struct Rejects *rejects);
} VmHost;

/* What one instruction took, added up. */
typedef struct VmCount {
    uint64_t n_runs;  /* passes over it */
    uint64_t n_rows;  /* of the table before it */
    uint64_t n_values; /* that repeat in a batch, each looked at once instead of all rows; 0: row by row */
    uint64_t n_bytes; /* for who knows: the VM adds none */
    uint64_t time;    /* cycles (base/cycles.h) or nanoseconds, as the instance says */
} VmCount;

/* Which instance runs: what key(), index(), row(), uuid() and now() answer. */
typedef struct VmInstance {
    uint64_t seed;
    int64_t now_us;    /* what now() gives: while planning, which computes all that ask for it */
    Str step;          /* name, for uuid() */
    Str key;           /* "" in a static flow */
    bool is_batch;     /* not of a static flow: an empty key is a key too */
    Str levels;        /* the same with NUL bytes between levels, so that no two are the same; for uuid() */
    uint64_t index;    /* the batch's number */
    uint64_t row_base; /* row() of the input's first row: 0 but where a table is streamed in parts */
    VmCount *counts;   /* [code->n_instrs] are added to; of one thread. NULL: nothing is counted */
    bool counts_cycles;
    BadRows bad_rows;     /* what becomes of a row with an error */
    struct Rejects *rejects; /* that tell of them; NULL: nobody is told, as where what was told is computed again */
    Batch *const *tables; /* that JOIN and UNION know by number; borrowed, shared with other instances */
} VmInstance;

Vm *vm_open(void);
void vm_close(Vm *vm); /* NULL is fine */

/* Runs code over `in` (NULL when the code begins with RANGE; a step that begins with READ_CSV gets the batches
 * that the runner read, and starts after that instruction). *out gets one reference. On a row error: err->file,
 * line, byte, column, value are filled where known. */
Status vm_run(Vm *vm, const Code *code, const VmHost *host, const VmInstance *inst,
              const Batch *in, Batch **out, Error *err);

/* Runs instructions [first, end) only, for tables that are streamed in parts: the row-wise head per part. */
Status vm_run_part(Vm *vm, const Code *code, uint32_t first, uint32_t end, const VmHost *host,
                   const VmInstance *inst, const Batch *in, Batch **out, Error *err);

/* The keys of the first SORT, DISTINCT or GROUP of the code from instruction `first` on, for the rows of `in`, which have all
 * statements before it behind them: a list of new references, one for each of (*spec)->keys; the list is freed with free(). */
Status vm_run_keys(Vm *vm, const Code *code, uint32_t first, const VmInstance *inst, const Batch *in,
                   const Spec **spec, Column ***keys, Error *err);

/* For a host that is asked for rows of a table: hashes[rows of it] of the keys, the same for equal ones; they are less than
 * 2^63. VM_HASH_NONE: a key is null, which equals nothing. */
Status vm_join_hashes(struct Pass *asking, const Spec *join, const Batch *table, uint64_t *hashes,
                      Error *err);
#define VM_HASH_NONE UINT64_MAX

/* Runs code that ends with GROUP or DISTINCT up to there, over a part of a table: the groups (groups_begin_batch) are to
 * be merged with those of the other parts. */
Status vm_run_groups(Vm *vm, const Code *code, const VmHost *host, const VmInstance *inst,
                     const Batch *in, Groups **out, Error *err);

#endif
