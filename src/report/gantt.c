#include "report/gantt.h"

#include <stdlib.h>

/* ---- rows */

typedef struct Place { /* which row a bar belongs to */
    uint32_t step, frame, bar;
} Place;

static int place_cmp(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    return (x->bar > y->bar) - (x->bar < y->bar);
}

static int row_cmp(const void *a, const void *b)
{
    const GanttRow *x = a, *y = b;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return (x->bars[0] > y->bars[0]) - (x->bars[0] < y->bars[0]);
}

static int row_cmp_batch(const void *a, const void *b)
{
    const GanttRow *x = a, *y = b;
    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    return (x->step > y->step) - (x->step < y->step);
}

/* By first start; what begins at about the same time goes by batch, so that a group that
 * went through together stays together. */
static void rows_sort(Gantt *g)
{
    uint64_t about = g->recording->t_ns / 100;
    qsort(g->rows, g->n_rows, sizeof *g->rows, row_cmp);
    for (uint32_t i = 0, end; i < g->n_rows; i = end) {
        for (end = i + 1; end < g->n_rows; end++)
            if (g->rows[end].first_ns - g->rows[i].first_ns > about)
                break;
        qsort(g->rows + i, end - i, sizeof *g->rows, row_cmp_batch);
    }
}

static void row_add(Gantt *g, GanttRow *row, uint32_t bar)
{
    const Bar *b = &g->recording->bars[bar];
    row->bars[row->n_bars++] = bar;
    row->busy_ns += b->end_ns - b->start_ns;
    row->n_batches += b->outcome == OUTCOME_YIELDED;
    if (b->start_ns < row->first_ns)
        row->first_ns = b->start_ns;
}

/* All bars' indexes stand in one array, row after row; each row holds a piece of it. */
static void rows_make(Gantt *g, const Place *places)
{
    const Recording *r = g->recording;
    uint32_t *bars = arena_array(g->arena, uint32_t, r->n_bars);
    g->rows = arena_array(g->arena, GanttRow, g->is_folded ? r->info.n_steps : g->n_instances);
    GanttRow *row = NULL;
    for (uint32_t i = 0; i < r->n_bars; i++) {
        const Place *p = &places[i];
        bool new_step = i == 0 || p->step != places[i - 1].step;
        bool new_frame = new_step || p->frame != places[i - 1].frame;
        if (g->is_folded ? new_step : new_frame) {
            row = &g->rows[g->n_rows++];
            *row = (GanttRow){.step = p->step, .bars = bars + i, .first_ns = UINT64_MAX,
                              .frame = g->is_folded ? REC_NONE : p->frame};
        }
        row->n_instances += new_frame;
        row_add(g, row, p->bar);
    }
}

static int index_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

Gantt *gantt_layout(const Recording *r, uint32_t max_rows)
{
    Arena *a = arena_open();
    Gantt *g = arena_new(a, Gantt);
    g->arena = a;
    g->recording = r;
    if (r->n_bars == 0)
        return g;
    Place *places = xmalloc(r->n_bars * sizeof *places);
    for (uint32_t i = 0; i < r->n_bars; i++)
        places[i] = (Place){r->bars[i].step, r->bars[i].frame, i};
    qsort(places, r->n_bars, sizeof *places, place_cmp);
    for (uint32_t i = 0; i < r->n_bars; i++)
        g->n_instances += i == 0 || places[i].step != places[i - 1].step ||
                          places[i].frame != places[i - 1].frame;
    g->is_folded = g->n_instances > max_rows;
    rows_make(g, places);
    free(places);
    if (g->is_folded)
        for (uint32_t i = 0; i < g->n_rows; i++)
            qsort(g->rows[i].bars, g->rows[i].n_bars, sizeof(uint32_t), index_cmp);
    else
        rows_sort(g);
    return g;
}

void gantt_free(Gantt *g)
{
    if (g)
        arena_close(g->arena);
}

void gantt_put_label(const Gantt *g, const GanttRow *row, Buf *out)
{
    if (g->is_folded)
        buf_put_visible(out, g->recording->info.steps[row->step].name);
    else
        recording_put_name(g->recording, &g->recording->bars[row->bars[0]], out);
}

/* ---- the axis */

#define US 1000ull
#define MS (1000 * US)
#define SEC (1000 * MS)
#define MIN (60 * SEC)
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)

uint64_t gantt_tick_ns(uint64_t span_ns, uint32_t max_ticks)
{
    static const uint64_t round_ones[] = {15 * SEC, 30 * SEC, MIN,       2 * MIN,
                                          5 * MIN,  10 * MIN, 15 * MIN,  30 * MIN,
                                          HOUR,     2 * HOUR, 3 * HOUR,  6 * HOUR,
                                          12 * HOUR, DAY,     2 * DAY,   7 * DAY};
    uint64_t n = max_ticks ? max_ticks : 1;
    uint64_t least = span_ns / n + (span_ns % n != 0);
    for (uint64_t p = 1; p <= 10 * SEC; p *= 10)
        for (uint64_t m = 1; m <= 5 && m * p <= 10 * SEC; m = m == 1 ? 2 : m + 3)
            if (m * p >= least)
                return m * p;
    for (size_t i = 0; i < sizeof round_ones / sizeof *round_ones; i++)
        if (round_ones[i] >= least)
            return round_ones[i];
    return (least / DAY + 1) * DAY;
}

void gantt_put_tick(Buf *out, uint64_t t_ns, uint64_t tick_ns, uint64_t span_ns)
{
    if (span_ns >= 2 * MIN) {
        uint64_t s = t_ns / SEC;
        if (span_ns >= 2 * HOUR)
            buf_printf(out, "%d:%02d h", (int)(s / 3600), (int)(s / 60 % 60));
        else
            buf_printf(out, "%d:%02d m", (int)(s / 60), (int)(s % 60));
        return;
    }
    uint64_t unit = span_ns >= SEC ? SEC : span_ns >= MS ? MS : span_ns >= US ? US : 1;
    int digits = 0;
    for (uint64_t p = unit; t_ns && p > 1 && tick_ns % p != 0; p /= 10)
        digits++;
    buf_printf(out, "%.*f %s", digits, (double)t_ns / (double)unit,
               unit == SEC ? "s" : unit == MS ? "ms" : unit == US ? "us" : "ns");
}

void live_put(Buf *out, const Recording *r, uint32_t scope)
{
    uint64_t bound = r->info.scopes[scope].bound;
    buf_printf(out, "peak %u", r->scopes[scope].count.peak_live);
    if (bound == UINT64_MAX)
        buf_puts(out, ", no bound");
    else
        buf_printf(out, " of at most %llu", (unsigned long long)bound);
}
