/* recording.h - a finished run as data: what ran when, on which worker, and what was alive.
 *
 * A pure function of the events of a run (base/observer.h), or read back from a trace file
 * (report/trace.h). Charts and traces are made from it and from nothing else.
 *
 * Ownership: one arena, freed with the Recording; it borrows nothing. Immutable once
 * made, so any thread may read it. Times are nanoseconds since the run's start.
 */
#ifndef PIPE_REPORT_RECORDING_H
#define PIPE_REPORT_RECORDING_H

#include "base/arena.h"
#include "base/observer.h"
#include "base/profile.h"

#define REC_NONE UINT32_MAX

typedef enum BarKind {
    BAR_RUN,  /* one attempt at an instance; of a generator one dispatch */
    BAR_FOLD, /* a batch folded into a collect, or appended in key order */
    BAR_HELP, /* a piece of an instance, done by another worker than the instance's; no attempt, and no instance */
} BarKind;

typedef struct Bar {
    uint64_t ready_ns, start_ns, end_ns; /* ready <= start <= end; FOLD, HELP: ready == start */
    bool is_measured;         /* cpu_ns and slept_ns are known */
    uint64_t cpu_ns, slept_ns; /* on a processor, asleep; for the rest others had the processors */
    uint32_t rows_in, rows_out;
    uint32_t step;
    uint32_t frame; /* in which the instance runs */
    uint32_t child; /* the batch that a generator gave, that a fold took; else REC_NONE */
    uint32_t after; /* the bar whose end let it begin: of an attempt after the first the one
                     * before; else of its inputs the one that ended last; else REC_NONE. The
                     * dispatches of a generator after its first have none, and neither has help */
    uint16_t worker, attempt;
    BarKind kind;
    Outcome outcome;
} Bar;

/* A batch, or the root. */
typedef struct RecFrame {
    uint32_t scope;
    uint32_t parent; /* the frame in which its generator ran; of the root itself */
    Str key;     /* the path: "17", "a.csv/17"; the root's is empty. Rarely two are the same: a label may
                  * have any bytes, slashes too */
    Str numbers; /* the path of places among siblings, "0/17": no two of a scope are the same */
} RecFrame;

/* An instance that never ran, since something it depends on failed. */
typedef struct Skip {
    uint64_t t_ns;
    uint32_t step, frame;
    uint32_t cause; /* the step that failed */
    uint16_t worker; /* that found out */
} Skip;

typedef struct LivePoint {
    uint64_t t_ns;
    uint32_t n_live; /* from t_ns on, in the whole scope */
} LivePoint;

typedef struct RecScope {
    uint32_t n_points;
    LivePoint *points; /* [n_points] by time, no two at the same */
    ScopeCount count;
} RecScope;

typedef struct Recording {
    Arena *arena;
    RunInfo info; /* its texts and arrays are the recording's */
    RunState state;
    uint64_t t_ns; /* how long the run took */
    uint32_t n_bars;
    Bar *bars;     /* [n_bars] by start, then worker */
    uint32_t *by_place;   /* [n_bars] indexes of bars by step, frame, start; of a frame those that are help last */
    uint32_t *step_first; /* [n_steps + 1] where a step begins in by_place */
    uint32_t n_skips;
    Skip *skips;   /* [n_skips] by time */
    uint32_t n_frames;
    RecFrame *frames; /* [n_frames]; 0 is the root */
    RecScope *scopes; /* [info.n_scopes] */
    StepCount *steps; /* [info.n_steps] */
    BadRowCount *bad_rows; /* [info.n_steps] */
    Profile *profile; /* NULL: none was made */
} Recording;

/* events: sorted by time, those of one worker in their order. An instance whose END is
 * missing is left out. */
Recording *recording_make(const RunInfo *info, const TraceEvent *events, size_t n_events,
                          const RunEnd *end);
void recording_free(Recording *r); /* NULL is fine */

/* The bars of a step in a frame but for help, by start: indexes into bars. */
const uint32_t *recording_bars_of(const Recording *r, uint32_t step, uint32_t frame, uint32_t *n);
/* The frame itself or the one around it that is of the scope; REC_NONE if there is none. */
uint32_t recording_frame_in(const Recording *r, uint32_t frame, uint32_t scope);

/* "transform_1[3]"; in a static flow, and for every dispatch of a generator there, "load". */
void recording_put_name(const Recording *r, const Bar *b, Buf *out);
void recording_put_instance(const Recording *r, uint32_t step, uint32_t frame, Buf *out);

/* For whoever fills a Recording: sorts the bars, finds by_place and Bar.after (link.c). */
void recording_finish(Recording *r);
void recording_link(Recording *r);
const char *run_state_name(RunState s);
const char *outcome_name(Outcome o);

#endif
