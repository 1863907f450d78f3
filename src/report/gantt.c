#include "report/gantt.h"

#include <stdlib.h>
#include <string.h>

/* ---- rows */

static int row_cmp(const void *a, const void *b)
{
    const GanttRow *x = a, *y = b;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return (x->frame > y->frame) - (x->frame < y->frame);
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

/* Counts one that stands in row->bars. */
static void bar_add(Gantt *g, GanttRow *row, uint32_t bar)
{
    const Bar *b = &g->recording->bars[bar];
    row->n_bars++;
    row->busy_ns += b->end_ns - b->start_ns;
    row->n_batches += b->outcome == OUTCOME_YIELDED;
    row->n_failed += b->outcome == OUTCOME_FAILED;
    row->n_retries += b->outcome == OUTCOME_RETRY;
    row->is_on_path |= g->critical->is_on[bar];
    if (b->start_ns < row->first_ns)
        row->first_ns = b->start_ns;
}

static void skip_add(Gantt *g, GanttRow *row, uint32_t skip)
{
    uint64_t t_ns = g->recording->skips[skip].t_ns;
    row->skips[row->n_skipped++] = skip;
    if (row->n_bars == 0 && t_ns < row->first_ns)
        row->first_ns = t_ns;
}

/* Is this the first bar of a step in a frame? By place. */
static bool is_first(const Recording *r, uint32_t p)
{
    const Bar *b = &r->bars[r->by_place[p]], *before = p ? &r->bars[r->by_place[p - 1]] : NULL;
    return !before || b->step != before->step || b->frame != before->frame;
}

/* Does an instance begin there that ran? Of one that is not in the recording there may be help alone. */
static bool is_instance(const Recording *r, uint32_t p)
{
    return is_first(r, p) && r->bars[r->by_place[p]].kind != BAR_HELP;
}

/* A row for each instance. There are few. */
static void instances_make(Gantt *g, uint32_t n_places, uint32_t *skips)
{
    const Recording *r = g->recording;
    GanttRow *row = NULL;
    g->rows = arena_array(g->arena, GanttRow, (size_t)n_places + r->n_skips);
    for (uint32_t p = 0; p < r->n_bars; p++) {
        const Bar *b = &r->bars[r->by_place[p]];
        if (is_first(r, p)) {
            row = &g->rows[g->n_rows++];
            *row = (GanttRow){.step = b->step, .frame = b->frame, .first_ns = UINT64_MAX,
                              .n_instances = is_instance(r, p), .bars = r->by_place + p};
        }
        bar_add(g, row, r->by_place[p]);
    }
    for (uint32_t i = 0; i < r->n_skips; i++) {
        const Skip *s = &r->skips[i];
        uint32_t k = 0;
        while (k < g->n_rows && (g->rows[k].step != s->step || g->rows[k].frame != s->frame))
            k++;
        row = &g->rows[k];
        if (k == g->n_rows) {
            g->n_rows++;
            *row = (GanttRow){.step = s->step, .frame = s->frame, .first_ns = UINT64_MAX};
        }
        if (row->n_skipped)
            continue;
        row->skips = skips + i;
        skip_add(g, row, i);
    }
    rows_sort(g);
}

static int busiest_cmp(const void *a, const void *b)
{
    const GanttRow *x = a, *y = b;
    if (x->busy_ns != y->busy_ns)
        return x->busy_ns > y->busy_ns ? -1 : 1;
    return (x->step > y->step) - (x->step < y->step);
}

static int step_cmp(const void *a, const void *b)
{
    const GanttRow *x = a, *y = b;
    return (x->step > y->step) - (x->step < y->step);
}

/* A row for each step: its bars and skips stand together, by time. */
static void steps_make(Gantt *g, uint32_t max_rows, uint32_t *skips)
{
    const Recording *r = g->recording;
    uint32_t n_steps = r->info.n_steps;
    GanttRow *rows = arena_array(g->arena, GanttRow, n_steps);
    uint32_t *bars = arena_array(g->arena, uint32_t, r->n_bars);
    uint32_t *n_skipped = arena_array(g->arena, uint32_t, n_steps);
    for (uint32_t i = 0; i < r->n_skips; i++)
        n_skipped[r->skips[i].step]++;
    for (uint32_t i = 0; i < n_steps; i++) {
        rows[i] = (GanttRow){.step = i, .frame = REC_NONE, .first_ns = UINT64_MAX,
                             .bars = bars + r->step_first[i], .skips = skips};
        skips += n_skipped[i];
        for (uint32_t p = r->step_first[i]; p < r->step_first[i + 1]; p++)
            rows[i].n_instances += is_instance(r, p);
        rows[i].path_ns = g->critical->step_ns[i];
    }
    for (uint32_t i = 0; i < r->n_bars; i++) {
        GanttRow *row = &rows[r->bars[i].step];
        row->bars[row->n_bars] = i;
        bar_add(g, row, i);
    }
    for (uint32_t i = 0; i < r->n_skips; i++)
        skip_add(g, &rows[r->skips[i].step], i);
    g->rows = rows;
    for (uint32_t i = 0; i < n_steps; i++)
        if (rows[i].n_bars || rows[i].n_skipped)
            rows[g->n_rows++] = rows[i];
    if (g->n_rows > max_rows) {
        g->n_left_out = g->n_rows - max_rows;
        qsort(rows, g->n_rows, sizeof *rows, busiest_cmp);
        g->n_rows = max_rows;
        qsort(rows, g->n_rows, sizeof *rows, step_cmp);
    }
}

Gantt *gantt_layout(const Recording *r, uint32_t max_rows)
{
    Arena *a = arena_open();
    Gantt *g = arena_new(a, Gantt);
    g->arena = a;
    g->recording = r;
    g->waits = waits_new(r);
    g->critical = critical_new(g->waits, r);
    uint32_t n_places = 0;
    for (uint32_t p = 0; p < r->n_bars; p++) {
        n_places += is_first(r, p);
        g->n_instances += is_instance(r, p);
    }
    uint32_t *skips = arena_array(a, uint32_t, r->n_skips);
    g->is_folded = n_places > max_rows || r->n_skips > max_rows - n_places;
    if (g->is_folded)
        steps_make(g, max_rows, skips);
    else
        instances_make(g, n_places, skips);
    return g;
}

void gantt_free(Gantt *g)
{
    if (!g)
        return;
    critical_free(g->critical);
    waits_free(g->waits);
    arena_close(g->arena);
}

void gantt_put_label(const Gantt *g, const GanttRow *row, Buf *out)
{
    if (g->is_folded)
        buf_put_visible(out, g->recording->info.steps[row->step].name);
    else
        recording_put_instance(g->recording, row->step, row->frame, out);
}

bool gantt_is_critical(const Gantt *g, const GanttRow *row)
{
    return g->is_folded ? row->path_ns > 0 && row->path_ns >= g->recording->t_ns / 20
                        : row->is_on_path;
}

/* ---- density */

Density density_new(Arena *a, uint32_t n)
{
    return (Density){n, arena_array(a, double, n), arena_array(a, double, (size_t)n + 1)};
}

void density_clear(Density *d)
{
    memset(d->at, 0, d->n * sizeof *d->at);
    memset(d->whole, 0, (d->n + (size_t)1) * sizeof *d->whole);
}

void density_add(Density *d, double from, double to)
{
    if (to > d->n)
        to = d->n;
    if (from >= to)
        return;
    uint32_t first = (uint32_t)from, last = (uint32_t)to;
    if (first == last) {
        d->at[first] += to - from;
        return;
    }
    d->at[first] += first + 1 - from;
    if (last < d->n)
        d->at[last] += to - last;
    d->whole[first + 1] += 1;
    d->whole[last] -= 1;
}

void density_sum(Density *d)
{
    double whole = 0;
    for (uint32_t k = 0; k < d->n; k++) {
        whole += d->whole[k];
        d->at[k] += whole;
    }
}

/* ---- sentences */

static void comma_put(Buf *out, size_t from)
{
    if (out->len > from)
        buf_puts(out, ", ");
}

/* Nothing for less than half a percent. */
static void share_put(const Gantt *g, Buf *out, size_t from, Str what, uint64_t ns)
{
    uint64_t all = g->recording->t_ns;
    if (ns < all / 200)
        return;
    comma_put(out, from);
    buf_put_visible(out, what);
    buf_printf(out, " %.0f %%", 100 * (double)ns / (double)(all ? all : 1));
}

void gantt_put_path(const Gantt *g, Buf *out)
{
    const Recording *r = g->recording;
    const Critical *c = g->critical;
    size_t from = out->len;
    uint32_t *order = xmalloc((r->info.n_steps + (size_t)1) * sizeof *order);
    uint32_t n = critical_steps(c, r, order);
    if (c->n) {
        enum { MAX_SAID = 8 };
        uint64_t others_ns = 0;
        for (uint32_t k = 0; k < n; k++)
            if (k < MAX_SAID)
                share_put(g, out, from, r->info.steps[order[k]].name, c->step_ns[order[k]]);
            else
                others_ns += c->step_ns[order[k]];
        share_put(g, out, from, STR_LIT("others"), others_ns);
        share_put(g, out, from, STR_LIT("delays of retries"), c->delay_ns);
        share_put(g, out, from, STR_LIT("between them"), c->gap_ns);
    }
    free(order);
}

typedef struct Sum {
    uint64_t ns;
    uint32_t step;
    WaitReason why;
} Sum;

static int sum_cmp(const void *a, const void *b)
{
    const Sum *x = a, *y = b;
    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return (x->why > y->why) - (x->why < y->why);
}

enum { MAX_SUMS = 5 }; /* of waits, of steps that were helped */

void gantt_put_help(const Gantt *g, Buf *out)
{
    const Recording *r = g->recording;
    Sum *sums = xcalloc(r->info.n_steps, sizeof *sums);
    size_t from = out->len;
    for (uint32_t i = 0; i < r->info.n_steps; i++)
        sums[i].step = i;
    for (uint32_t i = 0; i < r->n_bars; i++)
        if (r->bars[i].kind == BAR_HELP)
            sums[r->bars[i].step].ns += r->bars[i].end_ns - r->bars[i].start_ns;
    qsort(sums, r->info.n_steps, sizeof *sums, sum_cmp);
    for (uint32_t k = 0; k < r->info.n_steps && k < MAX_SUMS && sums[k].ns > r->t_ns / 100; k++) {
        comma_put(out, from);
        buf_put_visible(out, r->info.steps[sums[k].step].name);
        buf_putc(out, ' ');
        time_put(out, sums[k].ns);
    }
    if (out->len > from)
        buf_puts(out, " by other workers");
    free(sums);
}

void gantt_put_waits(const Gantt *g, Buf *out)
{
    const Recording *r = g->recording;
    uint32_t n_steps = r->info.n_steps;
    uint64_t(*step_ns)[N_WAITS] = xcalloc(n_steps, sizeof *step_ns);
    Sum *sums = xcalloc((size_t)n_steps * N_WAITS, sizeof *sums);
    size_t from = out->len, n = 0;
    waits_sum(g->waits, step_ns);
    for (uint32_t i = 0; i < n_steps; i++)
        for (uint32_t k = 0; k < N_WAITS; k++)
            if (step_ns[i][k] > r->t_ns / 100)
                sums[n++] = (Sum){step_ns[i][k], i, (WaitReason)k};
    qsort(sums, n, sizeof *sums, sum_cmp);
    for (size_t k = 0; k < n && k < MAX_SUMS; k++) {
        comma_put(out, from);
        buf_put_visible(out, r->info.steps[sums[k].step].name);
        buf_putc(out, ' ');
        time_put(out, sums[k].ns);
        buf_puts(out, " for ");
        wait_put_reason(r, sums[k].step, sums[k].why, out);
    }
    free(sums);
    free(step_ns);
}

void gantt_put_skips(const Gantt *g, Buf *out)
{
    const Recording *r = g->recording;
    uint64_t *n = xcalloc(r->info.n_steps, sizeof *n);
    uint32_t *cause = xcalloc(r->info.n_steps, sizeof *cause);
    for (uint32_t i = 0; i < r->n_skips; i++)
        if (n[r->skips[i].step]++ == 0)
            cause[r->skips[i].step] = r->skips[i].cause;
    skips_put(out, &r->info, n, cause);
    free(n);
    free(cause);
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
    bound_put_passed(out, bound, &r->scopes[scope].count);
}
