/* How many instances of each step run and wait over time, and how many batches live. */
#include <inttypes.h>
#include <math.h>

#include "base/utf8.h"
#include "report/svg_int.h"

/* ---- a row for each step of a folded chart */

typedef struct StepArea {
    Density busy, wait;
} StepArea;

static void area_make(Svg *s, const GanttRow *row, StepArea *a)
{
    double ns = s->span_ns / a->busy.n;
    Wait wait;
    density_clear(&a->busy);
    density_clear(&a->wait);
    for (uint32_t k = 0; k < row->n_bars; k++) {
        const Bar *b = &s->rec->bars[row->bars[k]];
        density_add(&a->busy, (double)b->start_ns / ns, (double)b->end_ns / ns);
        if (wait_of(s->gantt->waits, row->bars[k], &wait))
            density_add(&a->wait, (double)wait.from_ns / ns, (double)wait.until_ns / ns);
    }
    density_sum(&a->busy);
    density_sum(&a->wait);
}

/* y of each pixel, written where it changes. top: of the row; most: what its height stands for. */
static void area_put(Svg *s, const char *class, uint32_t step, const StepArea *a, bool with_wait,
                     double top, double high, double most)
{
    double base = top + high, before = -1;
    buf_printf(s->out, "<path class=\"%ss%u\" d=\"M%.0f %.1f", class, step % N_STEP_COLORS, s->x0,
               base);
    for (uint32_t k = 0; k < a->busy.n; k++) {
        double v = a->busy.at[k] + (with_wait ? a->wait.at[k] : 0);
        double y = fmin(high, v / most * high);
        if (v > 0.0001 && y < 0.6) /* a little is to be seen, too */
            y = 0.6;
        y = round(y * 10) / 10;
        if (fabs(y - before) > 0.05) {
            if (k)
                buf_printf(s->out, "H%.0f", s->x0 + k);
            buf_printf(s->out, "V%.1f", base - y);
        }
        before = y;
    }
    buf_printf(s->out, "H%.0fV%.1fz\"/>\n", s->x0 + a->busy.n, base);
}

/* What happened to single instances: a sign at the place, one for all within a few pixels. */
static void signs_put(Svg *s, const GanttRow *row, double top)
{
    enum { LEAST = 7 };
    static const char *const classes[] = {"ib", "ir", "is"};
    static const char *const shapes[] = {"m-3 -3l6 6m0 -6l-6 6", "m-3.5 2.5l3.5 -6l3.5 6z",
                                         "m-2.5 -2.5h5v5h-5z"};
    static const SvgLook looks[] = {LOOK_FAIL, LOOK_RETRY, LOOK_SKIP};
    for (uint32_t kind = 0; kind < 3; kind++) {
        uint32_t n = kind == 2 ? row->n_skipped : row->n_bars;
        double last = -LEAST;
        Buf d = {0};
        for (uint32_t k = 0; k < n; k++) {
            const Bar *b = kind == 2 ? NULL : &s->rec->bars[row->bars[k]];
            if (b && b->outcome != (kind == 0 ? OUTCOME_FAILED : OUTCOME_RETRY))
                continue;
            double x = svg_x(s, b ? b->end_ns : s->rec->skips[row->skips[k]].t_ns);
            if (x - last < LEAST)
                continue;
            last = x;
            buf_printf(&d, "M%.1f %.1f%s", x, top + 4, shapes[kind]);
        }
        if (d.len) {
            s->has_look[looks[kind]] = true;
            buf_printf(s->out, "<path class=\"%s\" d=\"%s\"/>\n", classes[kind], d.ptr);
        }
        buf_deinit(&d);
    }
}

static void counts_put(const GanttRow *row, Buf *t)
{
    const uint32_t n[] = {row->n_failed, row->n_retries, row->n_skipped};
    static const char *const what[] = {"failed", "retried", "skipped"};
    size_t from = t->len;
    for (uint32_t k = 0; k < 3; k++)
        if (n[k]) {
            buf_puts(t, t->len > from ? ", " : "");
            count_put(t, n[k]);
            buf_printf(t, " %s", what[k]);
        }
}

static void step_title_put(Svg *s, const GanttRow *row, double top, double high)
{
    const Recording *r = s->rec;
    const uint64_t *wait_ns = s->wait_ns[row->step];
    Buf t = {0};
    buf_put_visible(&t, r->info.steps[row->step].name);
    buf_puts(&t, ": ");
    count_put(&t, row->n_batches ? row->n_batches : row->n_instances);
    buf_puts(&t, row->n_batches ? " batches, " : " instances, ");
    time_put(&t, row->busy_ns);
    buf_puts(&t, " of work");
    if (row->n_failed || row->n_retries || row->n_skipped) {
        buf_putc(&t, '\n');
        counts_put(row, &t);
    }
    for (uint32_t k = 0; k < N_WAITS; k++) {
        if (wait_ns[k] == 0)
            continue;
        buf_puts(&t, "\nwaited ");
        time_put(&t, wait_ns[k]);
        buf_puts(&t, " for ");
        wait_put_reason(r, row->step, (WaitReason)k, &t);
    }
    if (row->path_ns)
        buf_printf(&t, "\n%.1f %% of the critical path",
                   100 * (double)row->path_ns / s->span_ns);
    buf_printf(s->out,
               "<rect x=\"%.0f\" y=\"%.1f\" width=\"%.0f\" height=\"%.0f\" class=\"t\"><title>", s->x0,
               top, s->x1 - s->x0, high);
    svg_put_lines(s->out, buf_str(&t));
    buf_puts(s->out, "</title></rect>\n");
    buf_deinit(&t);
}

static void step_labels_put(Svg *s, const GanttRow *row, double top)
{
    Buf t = {0}, cut = {0};
    bool is_critical = gantt_is_critical(s->gantt, row);
    uint32_t room = (uint32_t)(s->x0 - SVG_MARGIN - 18) / SVG_CHAR;
    gantt_put_label(s->gantt, row, &t);
    uint32_t width = utf8_width(buf_str(&t));
    column_put(&cut, buf_str(&t), width > room ? room : width, false);
    buf_printf(s->out,
               "<rect x=\"%d\" y=\"%.1f\" width=\"11\" height=\"11\" rx=\"2\" class=\"s%u\"/>\n",
               SVG_MARGIN, top + 5, row->step % N_STEP_COLORS);
    svg_label(s, SVG_MARGIN + 17, top + 15, is_critical ? "b" : "", "start", buf_str(&cut));
    buf_clear(&t);
    count_put(&t, row->n_batches ? row->n_batches : row->n_instances);
    buf_puts(&t, "× ");
    time_put(&t, row->busy_ns);
    svg_label(s, s->total_x, top + 11, "n", "end", buf_str(&t));
    buf_clear(&t);
    counts_put(row, &t);
    svg_label(s, s->total_x, top + 24, "n", "end", buf_str(&t));
    buf_deinit(&cut);
    buf_deinit(&t);
}

void svg_steps(Svg *s)
{
    const Gantt *g = s->gantt;
    uint32_t n_px = (uint32_t)(s->x1 - s->x0);
    StepArea a = {density_new(g->arena, n_px), density_new(g->arena, n_px)};
    double most = 0.01, high = SVG_STEP - 8;
    waits_sum(g->waits, s->wait_ns);
    for (uint32_t i = 0; i < g->n_rows; i++) {
        area_make(s, &g->rows[i], &a);
        for (uint32_t k = 0; k < n_px; k++)
            most = fmax(most, a.busy.at[k]);
    }
    for (uint32_t i = 0; i < g->n_rows; i++) {
        const GanttRow *row = &g->rows[i];
        double top = s->y + 4;
        uint64_t waits_ns = 0;
        for (uint32_t k = 0; k < N_WAITS; k++)
            waits_ns += s->wait_ns[row->step][k];
        area_make(s, row, &a);
        if (waits_ns > 0) {
            s->has_look[LOOK_WAIT] = true;
            area_put(s, "w ", row->step, &a, true, top, high, most);
        }
        area_put(s, "", row->step, &a, false, top, high, most);
        signs_put(s, row, top);
        step_title_put(s, row, top, high);
        step_labels_put(s, row, top);
        s->y += SVG_STEP;
    }
    Buf t = {0};
    buf_printf(&t, "height: %.2g running at a time", most);
    if (g->n_left_out)
        buf_printf(&t, "; %u more steps, less busy", g->n_left_out);
    svg_label(s, s->x0, s->y + 11, "n", "start", buf_str(&t));
    s->y += 16;
    buf_deinit(&t);
}

/* ---- live batches */

static void live_area_put(Svg *s, uint32_t scope, double base, double unit)
{
    const RecScope *c = &s->rec->scopes[scope];
    double x = s->x0;
    uint32_t now = 0, in_pixel = 0;
    buf_printf(s->out, "<path class=\"area s%u\" d=\"M%.1f %.1f",
               s->rec->info.scopes[scope].generator % N_STEP_COLORS, s->x0, base);
    for (uint32_t i = 0; i < c->n_points; i++) {
        double at = svg_x(s, c->points[i].t_ns);
        if (at - x >= 1) {
            buf_printf(s->out, "V%.1fH%.1f", base - unit * in_pixel, x + 1 < at ? x + 1 : at);
            buf_printf(s->out, "V%.1fH%.1f", base - unit * now, at);
            x = at;
            in_pixel = now;
        }
        now = c->points[i].n_live;
        if (now > in_pixel)
            in_pixel = now;
    }
    buf_printf(s->out, "V%.1fH%.1f", base - unit * in_pixel, x + 1 < s->x1 ? x + 1 : s->x1);
    buf_printf(s->out, "V%.1fH%.1fV%.1fZ\"/>\n", base - unit * now, s->x1, base);
}

/* Steps as an area; changes within a pixel are one, with the most that lived in it. */
void svg_live(Svg *s, uint32_t scope)
{
    const RunScope *info = &s->rec->info.scopes[scope];
    uint64_t bound = info->bound;
    uint32_t peak = s->rec->scopes[scope].count.peak_live;
    peak = peak ? peak : 1;
    /* A bound far above what was alive is told in words and not drawn. */
    bool has_bound = bound != UINT64_MAX && bound <= 8 * (uint64_t)peak;
    double most = has_bound && bound > peak ? (double)bound : peak;
    double base = s->y + SVG_GAP + SVG_LIVE, unit = (SVG_LIVE - 8) / most;
    double middle = base - SVG_LIVE / 2.0;
    Buf t = {0};
    live_area_put(s, scope, base, unit);
    buf_printf(s->out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>\n",
               s->x0, s->x1, base, base);
    if (has_bound)
        buf_printf(s->out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"bound\"/>\n",
                   s->x0, s->x1, base - unit * (double)bound, base - unit * (double)bound);
    svg_label(s, SVG_MARGIN, middle + 4, "", "start", STR_LIT("live batches"));
    if (s->rec->info.n_scopes > 2) {
        buf_puts(&t, "of ");
        buf_put_str(&t, s->rec->info.steps[info->generator].name);
        svg_label(s, SVG_MARGIN, middle + 18, "n", "start", buf_str(&t));
        buf_clear(&t);
    }
    if (bound == UINT64_MAX)
        buf_puts(&t, "no bound");
    else
        buf_printf(&t, "at most %" PRIu64, bound);
    /* Beside the line and the area, but never on one another. */
    double y_bound = has_bound ? base - unit * (double)bound + 9 : base - SVG_LIVE + 17;
    double y_peak = fmin(base, fmax(y_bound + 14, base - unit * peak + 4));
    svg_label(s, s->total_x, y_bound, "n", "end", buf_str(&t));
    buf_clear(&t);
    buf_printf(&t, "peak %u", s->rec->scopes[scope].count.peak_live);
    svg_label(s, s->total_x, y_peak, "n", "end", buf_str(&t));
    s->y = base;
    buf_deinit(&t);
}
