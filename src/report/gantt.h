/* gantt.h - what text and SVG charts share: rows, the time axis, how times are written.
 *
 * Pure; one thread. A Gantt borrows its Recording and is freed by gantt_free.
 */
#ifndef PIPE_REPORT_GANTT_H
#define PIPE_REPORT_GANTT_H

#include "report/critical.h"
#include "report/format.h"
#include "report/recording.h"
#include "report/wait.h"

/* Rows that are shown: of single instances; above that of steps, the busiest. */
#define GANTT_MAX_ROWS 40

typedef struct GanttRow {
    uint32_t step;
    uint32_t frame;       /* REC_NONE: all instances of the step */
    uint32_t n_instances; /* that ran; a generator is one, however often it yields */
    uint32_t n_batches;   /* that a generator gave */
    uint32_t n_failed, n_retries, n_skipped;
    uint64_t busy_ns;     /* running, folding, helped by others; attempts that failed included */
    uint64_t first_ns;    /* start of its first bar, or when it was skipped */
    uint64_t path_ns;     /* folded: of the critical path */
    bool is_on_path;      /* has such a bar */
    uint32_t n_bars;
    uint32_t *bars;       /* [n_bars] indexes into Recording.bars, by start; not folded: those that are help last */
    uint32_t *skips;      /* [n_skipped] indexes into Recording.skips, by time */
} GanttRow;

typedef struct Gantt {
    const Recording *recording;
    Arena *arena;
    Waits *waits;
    Critical *critical;
    bool is_folded;       /* a row is a step, not an instance */
    uint32_t n_instances; /* that ran */
    uint32_t n_left_out;  /* folded: steps without a row */
    uint32_t n_rows;
    GanttRow *rows;       /* by first start; folded: in step order */
} Gantt;

Gantt *gantt_layout(const Recording *r, uint32_t max_rows);
void gantt_free(Gantt *g); /* NULL is fine */
void gantt_put_label(const Gantt *g, const GanttRow *row, Buf *out);
/* To be marked: on the critical path; where steps are folded, a twentieth of it at least. */
bool gantt_is_critical(const Gantt *g, const GanttRow *row);

/* How much of something there is over time, in n equal parts of it. An interval costs O(1). */
typedef struct Density {
    uint32_t n;
    double *at;    /* [n] on average in each part, after density_sum */
    double *whole; /* [n + 1] by how much whole parts change */
} Density;

Density density_new(Arena *a, uint32_t n);
void density_clear(Density *d);
/* One more from `from` to `to`, in parts: 0 <= from <= to; what lies beyond n is cut off. */
void density_add(Density *d, double from, double to);
void density_sum(Density *d); /* once after the last density_add */

/* Sentences below a chart; nothing is written where there is nothing to say.
 * "transform_1 50 %, load 20 %, delays of retries 20 %, between them 10 %" */
void gantt_put_path(const Gantt *g, Buf *out);
/* "transform_1 12.0 s for a worker, load 3.00 s for its cap": the longest, summed over instances. */
void gantt_put_waits(const Gantt *g, Buf *out);
/* "sort 4.50 s, extract 1.00 s by other workers": what workers did for instances that ran on others, the most first. */
void gantt_put_help(const Gantt *g, Buf *out);
/* "2 of transform_2, 2 of load since transform_1 failed" */
void gantt_put_skips(const Gantt *g, Buf *out);

/* Ticks of the axis are 0, step, 2 * step ... <= span: 1, 2 or 5 times a power of ten, or
 * whole parts of minutes and hours; at most max_ticks beside 0. Never 0. */
uint64_t gantt_tick_ns(uint64_t span_ns, uint32_t max_ticks);
/* The number of a tick, in the unit that fits the span: "1.5 s", "20 ms", "1:30 m". */
void gantt_put_tick(Buf *out, uint64_t t_ns, uint64_t tick_ns, uint64_t span_ns);
/* "peak 4 of at most 4", "peak 9 of at most 8, 601 overdrafts" */
void live_put(Buf *out, const Recording *r, uint32_t scope);

#endif
