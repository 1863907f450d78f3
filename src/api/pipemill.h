/* pipemill.h - the library's face: load a program, check it, show it, run a job of it.
 *
 *   Mill *m = mill_open();
 *   if (mill_load(m, "x.pipe", &err) == OK && mill_plan(m, 0)) {
 *       mill_run_open(m, 0, &options, &run, &err);
 *       mill_run_go(run, &result);
 *       mill_run_close(run);
 *   }
 *   diags_put_human(&out, mill_diags(m), mill_sources(m), false);
 *   mill_close(m);
 *
 * Mistakes in the program gather in mill_diags, each once, whatever is asked. Nothing here
 * prints. A Mill and what it gives belong to one thread (mill_run_cancel to any) and live until
 * mill_close; close its runs before it. What reads the finished run (charts, traces,
 * summaries) comes with this header from report/.
 */
#ifndef PIPE_API_PIPEMILL_H
#define PIPE_API_PIPEMILL_H

#include "base/diag.h"
#include "base/observer.h"
#include "base/status.h"
#include "report/forecast.h"
#include "report/gantt_svg.h"
#include "report/gantt_text.h"
#include "report/profile.h"
#include "report/progress.h"
#include "report/summary.h"
#include "report/trace.h"
#include "store/store.h"

typedef struct Mill Mill;

/* ---- a program ---- */

typedef struct MillOptions {
    bool refuses_stdin; /* a program that reads stdin is not planned: mill_wants_stdin */
    bool only_parses;       /* mistakes beyond the text's own are not looked for: MILL_AST */
    uint64_t memory_bytes;  /* budget of every job; 0: what its @memory says */
    bool forbids_exec;      /* `exec` is a mistake of the program */
    bool prints_loose_ends; /* a flow that ends in no sink is written to stdout, as CSV */
    bool has_now;           /* now() is now_us, microseconds since 1970; else when the Mill was opened */
    int64_t now_us;
} MillOptions;

Mill *mill_open(const MillOptions *options);
void mill_close(Mill *m); /* NULL is fine */

/* Parses a file (`-`: stdin) and checks names; once per Mill. ERR_IO: it cannot be read. Mistakes in
 * it are diagnostics. */
Status mill_load(Mill *m, const char *path, Error *err);
/* The same for a text that stands in no file, or not as in the file: name is the path for messages and for
 * what it uses. ERR_DATA: too large. */
Status mill_load_text(Mill *m, const char *name, Str text, Error *err);
/* The body of a job, which is called `e`. */
Status mill_load_flow(Mill *m, Str text, Error *err);

const Diags *mill_diags(const Mill *m);
const Sources *mill_sources(const Mill *m);

/* Jobs of the file itself, in the order of the text. */
uint32_t mill_n_jobs(const Mill *m);
Str mill_job(const Mill *m, uint32_t job);
int32_t mill_find_job(const Mill *m, Str name); /* -1: none */

/* ---- fixes ---- */

typedef struct MillChange {
    DiagCode code;
    uint32_t line, col; /* where it begins, in the text as it was just before */
    Str from, to;       /* "" and a text: put there */
} MillChange;

/* What of a program its certain fixes mend. */
typedef struct MillFixed {
    Arena *arena; /* owned */
    Str text;     /* with the changes */
    uint32_t n;
    const MillChange *changes;
} MillFixed;

/* Applies the certain fixes of mistakes in a program that was loaded, again and again until there are no more:
 * behind one mistake another may come to light. A fix that overlaps with one before it waits for the next
 * time, and one that would bring more mistakes of syntax than there were is left. Only the
 * program itself changes, not what it uses. Ends with mill_fixed_deinit. */
void mill_fix(const Mill *m, MillFixed *out);
void mill_fixed_deinit(MillFixed *f);

/* Adds the mistakes that come to light where the certain fixes of the others are applied: what stands behind a
 * mistake in one statement has not been looked at. Those that touch what a fix changes are left out. job: as planned; -1: of all jobs, after
 * mill_check. They have no fixes of their own; mill_fix finds them. */
void mill_tell_behind(Mill *m, int32_t job);

/* Params, those of used files included. */
uint32_t mill_n_params(const Mill *m);
Str mill_param(const Mill *m, uint32_t i);

typedef enum MillSet { MILL_SET, MILL_SET_UNKNOWN, MILL_SET_BAD_VALUE } MillSet;
/* Gives a param a value, read by its declared type. Before mill_plan. why (may be NULL) gets a phrase:
 * "a whole number". A param whose declaration did not read is taken as set. */
MillSet mill_set(Mill *m, Str name, Str text, Buf *why);

/* Types a job and lays out its steps, once; true when the program is sound so far. */
bool mill_plan(Mill *m, uint32_t job);
/* Plans all jobs and types what none of them uses. */
bool mill_check(Mill *m);
/* Planned jobs want to read stdin. */
bool mill_wants_stdin(const Mill *m);
/* Planned jobs ask for now() or today(); *us is what they were told. */
bool mill_told_now(const Mill *m, int64_t *us);
/* A planned job writes data to stdout. */
bool mill_writes_stdout(const Mill *m, uint32_t job);

/* ---- what it was made into ---- */

typedef enum MillFormat {
    MILL_TEXT,
    MILL_JSON,
    MILL_DOT,
    MILL_MERMAID,
    MILL_AST, /* of the whole file, whatever the job; also when it has mistakes */
    MILL_BYTECODE,
} MillFormat;

/* Appends a planned, sound job. n_workers: 0: what a run would have. Fails when the job is too
 * large for bytecode. */
Status mill_dump(Mill *m, uint32_t job, MillFormat format, uint32_t n_workers, Buf *out,
                 Error *err);
Str mill_text(const Mill *m); /* the program as it was read */
/* Appends the program in the one style, comments included (lang/fmt.h). False when there are mistakes of
 * syntax: then nothing is. The Mill was opened with only_parses. */
bool mill_format(const Mill *m, Buf *out);
/* Makes text (taken) what the file holds, whole or not at all; it keeps its mode, and a link stays one. */
Status mill_replace_file(const char *path, Buf *text, Error *err);

/* What a run would do: steps, the bound on live batches and why. */
void mill_print_plan(Mill *m, uint32_t job, uint32_t n_workers, Buf *out);

/* ---- runs that can be resumed: store/store.h has their folders ---- */

/* A planned job has steps whose outputs are kept (@checkpoint). */
bool mill_keeps(const Mill *m, uint32_t job);
/* What the program is, for StoreFacts: version, texts, plan. Lives as long as the Mill. Of a planned, sound job; fails as
 * mill_dump does. */
Status mill_put_facts(Mill *m, uint32_t job, StoreFacts *out, Error *err);
/* Those of the texts alone, also before a job is planned. */
void mill_put_sources(Mill *m, StoreFacts *out);

/* ---- a run ---- */

typedef struct MillRun MillRun;

typedef struct MillRunOptions {
    uint32_t n_workers;       /* 0: the job's, else the processors */
    uint64_t seed;
    uint64_t auto_rows;       /* rows of a batch where the program leaves it open; 0: by bytes */
    Store *store;             /* where a job that keeps outputs has them; NULL: they are not kept */
    bool keeps_trace;         /* for mill_run_recording */
    bool keeps_profile;       /* for MillResult.profile, and in the recording */
    const Observer *observer; /* NULL: none */
    void *log_ctx;
    /* Lines of `log`, each with its LF, those of one instance together. Called by any
     * thread, one at a time. */
    void (*log)(void *ctx, Str lines);
} MillRunOptions;

typedef struct MillFailure {
    Str name;         /* of the instance: "load[3]" */
    uint32_t attempt; /* from 1 */
    const Error *err;
} MillFailure;

/* Owned by the run. */
typedef struct MillResult {
    RunState state;
    const RunInfo *info;
    RunEnd end;
    uint64_t n_failures;
    uint32_t n_kept;             /* the first of them, with their texts */
    const MillFailure *failures; /* [n_kept]; if the run failed, [0] stopped it */
    const Error *commit_error;   /* why outputs could not be made visible; NULL: they are */
    uint64_t rows_in, rows_out;
    const Profile *profile;      /* NULL unless kept */
} MillResult;

/* Of a planned, sound job. Opens the outputs. */
Status mill_run_open(Mill *m, uint32_t job, const MillRunOptions *options, MillRun **out,
                     Error *err);
void mill_run_go(MillRun *r, MillResult *out); /* blocks; once */
/* From any thread, not from a signal handler. The first lets running instances end; at once also
 * interrupts what they wait for. */
void mill_run_cancel(MillRun *r, bool at_once);
/* For a process that is about to end in the middle of the run: removes outputs that are not whole. */
void mill_run_abandon(MillRun *r);
/* The run as data, when it is over and its trace was kept; the caller frees it. */
Recording *mill_run_recording(const MillRun *r);
void mill_run_close(MillRun *r); /* NULL is fine */

/* ---- a simulation: the schedule on a virtual clock ---- */

typedef struct MillSim MillSim;

/* Times come from a recorded run, or from texts by the names of steps. A range is drawn uniformly
 * by seed, step and key, so that all settings have the same times. */
typedef struct MillSimOptions {
    const Recording *from; /* of a job with the same steps; NULL: durations. It may go after open */
    Str durations;         /* "load=200ms..400ms, crunch=5ms cpu, *=1ms"; not named: 0 */
    Str batches;           /* "9", or "extract=9"; {0}: as recorded, or as the program says */
    Str priorities;        /* "load=3"; {0}: the job's. A text that is there says something */
    uint32_t n_processors; /* 0: those of the recorded run, else of this machine */
    uint64_t seed;
} MillSimOptions;

typedef struct MillSimSetting {
    uint32_t n_workers; /* 0: as recorded, else what a run would have */
    uint32_t in_flight; /* of every generator; 0: the job's; FORECAST_UNBOUNDED */
} MillSimSetting;

/* Of a planned, sound job. ERR_DATA: a text is wrong or the recorded run is of another job; what can be
 * done about it stands in a second line of err->text. */
Status mill_sim_open(Mill *m, uint32_t job, const MillSimOptions *options, MillSim **out,
                     Error *err);
/* As often as wanted. What out refers to lives until mill_sim_close. recording: NULL, or gets what
 * would happen, for charts; the caller frees it. */
void mill_sim_go(MillSim *s, const MillSimSetting *setting, Forecast *out,
                 Recording **recording);
/* Where times and batches come from, and what was assumed: a few lines. */
void mill_sim_put_notes(const MillSim *s, Buf *out);
Str mill_sim_file(const MillSim *s); /* the program's name for people */
void mill_sim_close(MillSim *s); /* NULL is fine */

#endif
