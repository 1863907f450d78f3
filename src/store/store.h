/* store.h - runs that can be resumed, each a folder in `.pipemill/runs/` below the current one.
 *
 *   ID/run.json   what the run is of: the program, and all that outputs depend on (StoreFacts)
 *   ID/inputs     a line for each file that was read: its size, and when it was changed
 *   ID/lock       locked by the process that runs it, so that it is free however that ends
 *   ID/commit     there once outputs that cannot be written twice are being made visible
 *   ID/STEP/KEY   what steps keep (run/checkpoint.h)
 *
 * An ID is when the run began, in UTC: 20261126-001530. A folder is removed when its run has ended well, and `.pipemill` with the
 * last one.
 *
 * Threads: one at a time. Errors: what to do stands in a second line of err->text. ERR_DATA: the run cannot be resumed.
 */
#ifndef PIPE_STORE_STORE_H
#define PIPE_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

typedef struct StoreSource {
    Str name; /* the path of a text of the program */
    Str hash; /* of the text */
} StoreSource;

/* Strings are UTF-8, without NUL. */
typedef struct StoreFacts {
    Str version;   /* of pipemill */
    Str program;   /* its path; empty: it is `text` */
    Str text;      /* a flow (-e), or a program that came from stdin */
    bool is_flow;
    Str job;
    uint32_t n_sets;
    const Str *sets; /* [n_sets] as --set has them, name=value */
    uint64_t seed;
    int64_t now_us;
    uint64_t memory_bytes; /* 0: not given */
    uint64_t auto_rows;    /* 0: not given */
    bool forbids_exec;
    uint32_t n_sources;
    const StoreSource *sources; /* [n_sources] */
    Str plan_hash; /* of what the job was made into: it depends on the columns of inputs and on the environment */
} StoreFacts;

/* A run whose lock this process holds. */
typedef struct Store Store;

/* Makes the folder of a run that begins. */
Status store_begin(const StoreFacts *facts, Store **out, Error *err);
/* Takes up the run with that ID, the last one if it is empty. */
Status store_resume(Str id, Store **out, Error *err);
const StoreFacts *store_facts(const Store *s);
Str store_id(const Store *s);
const char *store_folder(const Store *s);
/* Are pipemill, the program's texts, the plan and the inputs what they were? */
Status store_check_version(const Store *s, Str now, Error *err);
Status store_check_sources(const Store *s, const StoreSource *now, uint32_t n, Error *err);
Status store_check_plan(const Store *s, Str hash, Error *err);
Status store_check_inputs(Store *s, Error *err);

/* As run/run.h has them in a RunStore; ctx is the Store. */
Status store_note_input(void *ctx, Str path, bool is_pattern, Error *err);
Status store_note_commit(void *ctx, Error *err);

/* Lets go of the run; is_over: it needs no resume, and is removed. */
void store_close(Store *s, bool is_over);

/* ---- all of them ---- */

typedef struct StoreEntry {
    Str id, program, job; /* program: "-e" for a flow, "-" for one from stdin */
    bool is_running;
    uint64_t n_kept, n_bytes; /* files that are kept */
} StoreEntry;

typedef struct StoreList {
    Arena *arena; /* owned */
    uint32_t n;
    StoreEntry *entries; /* [n] in the order in which they began */
} StoreList;

Status store_list(StoreList *out, Error *err);
void store_list_deinit(StoreList *l);
/* Removes the run with that ID. ERR_DATA: it is running, or there is none. */
Status store_remove(Str id, Error *err);

#endif
