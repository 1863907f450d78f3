/* gantt.h - what text and SVG charts share: rows, the time axis, how times are written.
 *
 * Pure; one thread. A Gantt borrows its Recording and is freed by gantt_free.
 */
#ifndef PIPE_REPORT_GANTT_H
#define PIPE_REPORT_GANTT_H

#include "report/format.h"
#include "report/recording.h"

/* Rows of single instances that are shown; above that they are folded. */
#define GANTT_MAX_ROWS 40

typedef struct GanttRow {
    uint32_t step;
    uint32_t frame;       /* REC_NONE: all instances of the step */
    uint32_t n_instances; /* folded or not; a generator is one, however often it yields */
    uint32_t n_batches;   /* that a generator gave */
    uint64_t busy_ns;     /* running, folding, attempts that failed included */
    uint64_t first_ns;    /* start of its first bar */
    uint32_t n_bars;
    uint32_t *bars;       /* [n_bars] indexes into Recording.bars, by start */
} GanttRow;

typedef struct Gantt {
    const Recording *recording;
    Arena *arena;
    bool is_folded;       /* a row is a step, not an instance */
    uint32_t n_instances;
    uint32_t n_rows;
    GanttRow *rows;       /* by first start; folded: in step order */
} Gantt;

Gantt *gantt_layout(const Recording *r, uint32_t max_rows);
void gantt_free(Gantt *g); /* NULL is fine */
void gantt_put_label(const Gantt *g, const GanttRow *row, Buf *out);

/* Ticks of the axis are 0, step, 2 * step ... <= span: 1, 2 or 5 times a power of ten, or
 * whole parts of minutes and hours; at most max_ticks beside 0. Never 0. */
uint64_t gantt_tick_ns(uint64_t span_ns, uint32_t max_ticks);
/* The number of a tick, in the unit that fits the span: "1.5 s", "20 ms", "1:30 m". */
void gantt_put_tick(Buf *out, uint64_t t_ns, uint64_t tick_ns, uint64_t span_ns);
/* "peak 4 of at most 4" */
void live_put(Buf *out, const Recording *r, uint32_t scope);

#endif
