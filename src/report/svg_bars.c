/* Bars of a chart: instances in rows, workers in lanes, the critical path. */
#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "report/svg_int.h"

static const char *outcome_phrase(Outcome o)
{
    switch (o) {
    case OUTCOME_DONE: return "done";
    case OUTCOME_YIELDED: return "yielded a batch";
    case OUTCOME_EXHAUSTED: return "found no more";
    case OUTCOME_FAILED: return "failed";
    case OUTCOME_RETRY: return "failed, tried again";
    }
    return "";
}

static void name_put(const Recording *r, const Bar *b, Buf *t)
{
    recording_put_name(r, b, t);
    if (b->attempt > 1)
        buf_printf(t, ", attempt %u", b->attempt);
}

/* "2.00 s for its cap, 1.00 s for a worker" */
static void wait_parts_put(const Recording *r, uint32_t step, const Wait *w, Buf *t)
{
    bool is_first = true;
    for (uint32_t k = 0; k < N_WAITS; k++) {
        if (w->part_ns[k] == 0)
            continue;
        buf_puts(t, is_first ? "" : ", ");
        time_put(t, w->part_ns[k]);
        buf_puts(t, " for ");
        wait_put_reason(r, step, (WaitReason)k, t);
        is_first = false;
    }
}

/* What a pointer resting on the bar is told. */
static void title_put(Svg *s, uint32_t bar)
{
    const Recording *r = s->rec;
    const Bar *b = &r->bars[bar];
    Buf t = {0};
    Wait wait;
    if (b->kind == BAR_HELP)
        buf_puts(&t, "a piece of ");
    name_put(r, b, &t);
    if (b->kind == BAR_FOLD)
        buf_printf(&t, " takes batch %.*s", STR_ARG(r->frames[b->child].key));
    else if (b->kind == BAR_RUN)
        buf_printf(&t, ": %s", outcome_phrase(b->outcome));
    if (b->kind == BAR_RUN && b->child != REC_NONE)
        buf_printf(&t, " (%.*s)", STR_ARG(r->frames[b->child].key));
    buf_puts(&t, "\n");
    time_put(&t, b->start_ns);
    buf_puts(&t, " to ");
    time_put(&t, b->end_ns);
    buf_puts(&t, ", ");
    time_put(&t, b->end_ns - b->start_ns);
    if (wait_of(s->gantt->waits, bar, &wait)) {
        buf_puts(&t, "\nwaited ");
        wait_parts_put(r, b->step, &wait, &t);
    }
    if (b->kind == BAR_RUN) {
        buf_putc(&t, '\n');
        count_put(&t, b->rows_in);
        buf_puts(&t, " rows in, ");
        count_put(&t, b->rows_out);
        buf_puts(&t, " out");
    }
    buf_printf(&t, "\nworker %u", b->worker + 1u);
    if (s->gantt->critical->is_on[bar])
        buf_puts(&t, "\non the critical path");
    buf_puts(s->out, "<title>");
    svg_put_lines(s->out, buf_str(&t));
    buf_puts(s->out, "</title>");
    buf_deinit(&t);
}

static bool bar_is_bad(const Bar *b)
{
    return b->outcome == OUTCOME_FAILED || b->outcome == OUTCOME_RETRY;
}

/* A failed attempt is hatched, has an outline and a sign, not only a colour. */
static void bad_put(Svg *s, double x, double y, double w, double h, Outcome outcome)
{
    bool is_retry = outcome == OUTCOME_RETRY;
    s->has_look[is_retry ? LOOK_RETRY : LOOK_FAIL] = true;
    buf_printf(s->out,
               "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.0f\" class=\"%s\"/>\n", x + 0.5,
               y + 0.5, w > 2 ? w - 1 : 1, h - 1, is_retry ? "re" : "bad");
    if (w >= 16)
        buf_printf(s->out, "<circle cx=\"%.2f\" cy=\"%.1f\" r=\"6\" class=\"bg\"/>\n", x + w - 9,
                   y + h / 2);
    svg_label(s, w >= 16 ? x + w - 9 : x + w + 6, y + h / 2 + 4, is_retry ? "mr" : "mb", "middle",
              is_retry ? STR_LIT("↻") : STR_LIT("×"));
}

static void rect_put(Svg *s, double x, double y, double w, double h, uint32_t bar)
{
    const Bar *b = &s->rec->bars[bar];
    bool is_titled = !s->gantt->is_folded || w >= s->min_titled;
    buf_printf(s->out, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.0f\"", x, y, w, h);
    if (w > 4)
        buf_puts(s->out, " rx=\"2\"");
    buf_printf(s->out, " class=\"s%u\"", b->step % N_STEP_COLORS);
    if (is_titled) {
        buf_putc(s->out, '>');
        title_put(s, bar);
        buf_puts(s->out, "</rect>\n");
    } else {
        buf_puts(s->out, "/>\n");
    }
    if (bar_is_bad(b) && is_titled)
        bad_put(s, x, y, w, h, b->outcome);
}

/* The time before a bar, lighter, with why; the delay of a retry as an outline. */
static void wait_put(Svg *s, uint32_t bar, double y)
{
    const Bar *b = &s->rec->bars[bar];
    Wait wait;
    Buf t = {0};
    if (!wait_of(s->gantt->waits, bar, &wait))
        return;
    for (uint32_t k = 0; k < 2; k++) {
        double x = svg_x(s, k ? wait.ready_ns : wait.from_ns);
        double w = svg_x(s, k ? wait.until_ns : wait.ready_ns) - x;
        if (w < 1)
            continue;
        s->has_look[k ? LOOK_WAIT : LOOK_DELAY] = true;
        buf_printf(s->out,
                   "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" class=\"%s s%u\"><title>",
                   x, y + (k ? 2 : 4), w, SVG_BAR - (k ? 4 : 8), k ? "w" : "dl",
                   b->step % N_STEP_COLORS);
        buf_clear(&t);
        name_put(s->rec, b, &t);
        buf_puts(&t, " waits\n");
        wait_parts_put(s->rec, b->step, &wait, &t);
        svg_put_lines(s->out, buf_str(&t));
        buf_puts(s->out, "</title></rect>\n");
    }
    buf_deinit(&t);
}

static uint64_t end_of(const Svg *s, uint32_t bar)
{
    return s->is_strip ? s->gantt->critical->end_ns[bar] : s->rec->bars[bar].end_ns;
}

/* Bars within one pixel: the colour of the step that took most of it; in a folded chart as high as
 * they took of its time. */
static void cluster_put(Svg *s, const uint32_t *bars, uint32_t n, double x, double y, double w,
                        double h)
{
    const Recording *r = s->rec;
    uint32_t most = r->bars[bars[0]].step;
    uint64_t all_ns = 0;
    for (uint32_t i = 0; i < n; i++)
        s->busy_ns[r->bars[bars[i]].step] = 0;
    for (uint32_t i = 0; i < n; i++) {
        const Bar *b = &r->bars[bars[i]];
        s->busy_ns[b->step] += end_of(s, bars[i]) - b->start_ns;
        all_ns += end_of(s, bars[i]) - b->start_ns;
        if (s->busy_ns[b->step] > s->busy_ns[most])
            most = b->step;
    }
    if (s->gantt->is_folded) {
        double part = (double)all_ns / s->span_ns * (s->x1 - s->x0) / w;
        double high = fmax(1, h * fmin(1, part));
        buf_printf(s->out, "<path class=\"k s%u\" d=\"M%.1f %.1fh%.1fv%.1fh-%.1fz\"/>\n",
                   most % N_STEP_COLORS, x, y + h, w, -high, w);
        return;
    }
    buf_printf(s->out,
               "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.0f\" "
               "class=\"s%u\"><title>%u instances, mostly ",
               x, y, w, h, most % N_STEP_COLORS, n);
    svg_put_text(s->out, r->info.steps[most].name);
    buf_printf(s->out, "\nworker %u</title></rect>\n", r->bars[bars[0]].worker + 1u);
}

/* Bars of one row or lane in order of start. What fits into one pixel is merged, except
 * failures where there is room for them; every bar that stands alone is visible. */
static void bars_put(Svg *s, const uint32_t *bars, uint32_t n, double y, double h)
{
    bool merges_bad = s->min_titled > 0;
    for (uint32_t i = 0; i < n;) {
        const Bar *b = &s->rec->bars[bars[i]];
        double x = svg_x(s, b->start_ns), end = svg_x(s, end_of(s, bars[i]));
        uint32_t next = i + 1;
        while (next < n && end - x <= 1 && (merges_bad || !bar_is_bad(b))) {
            const Bar *c = &s->rec->bars[bars[next]];
            if ((!merges_bad && bar_is_bad(c)) || svg_x(s, end_of(s, bars[next])) - x > 1)
                break;
            end = fmax(end, svg_x(s, end_of(s, bars[next])));
            next++;
        }
        double w = end - x < 1 ? 1 : end - x > 3 ? end - x - 0.5 : end - x;
        if (next > i + 1 || (merges_bad && w < 1.5))
            cluster_put(s, bars + i, next - i, x, y, w, h);
        else
            rect_put(s, x, y, end - x < 1.5 && !s->gantt->is_folded ? 1.5 : w, h, bars[i]);
        i = next;
    }
}

/* ---- a row for each instance */

static void skip_put(Svg *s, const GanttRow *row, double y)
{
    const Skip *k = &s->rec->skips[row->skips[0]];
    double x = svg_x(s, k->t_ns), high = SVG_BAR - 4;
    bool is_left = x > (s->x0 + s->x1) / 2;
    Buf t = {0}, name = {0};
    s->has_look[LOOK_SKIP] = true;
    buf_puts(&t, "skipped since ");
    buf_put_str(&t, s->rec->info.steps[k->cause].name);
    buf_puts(&t, " failed");
    if (x + high > s->x1)
        x = s->x1 - high;
    buf_printf(s->out,
               "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.0f\" height=\"%.0f\" class=\"sk\"><title>", x,
               y + 2, high, high);
    recording_put_instance(s->rec, row->step, row->frame, &name);
    svg_put_text(s->out, buf_str(&name));
    buf_puts(s->out, ": ");
    svg_put_text(s->out, buf_str(&t));
    buf_puts(s->out, "</title></rect>\n");
    svg_label(s, is_left ? x - 5 : x + high + 5, y + 11, "n", is_left ? "end" : "start",
              buf_str(&t));
    buf_deinit(&name);
    buf_deinit(&t);
}

/* Within an instance's bar: as high as there are other workers at it. */
static double help_height(const Svg *s, double n_helpers)
{
    double most = s->rec->info.n_workers > 1 ? s->rec->info.n_workers - 1 : 1;
    double high = round(SVG_HELP * fmin(1, n_helpers / most) * 10) / 10;
    return n_helpers < 0.0001 ? 0 : fmax(1, high);
}

/* The size does not grow with the number of pieces. */
static void help_area_put(Svg *s, double base)
{
    double before = 0;
    buf_printf(s->out, "<path class=\"hp\" d=\"M%.0f %.1f", s->x0, base);
    for (uint32_t k = 0; k <= s->help.n; k++) {
        double high = k < s->help.n ? help_height(s, s->help.at[k]) : 0;
        if (fabs(high - before) > 0.05)
            buf_printf(s->out, "H%.0fV%.1f", s->x0 + k, base - high);
        before = high;
    }
    buf_puts(s->out, "z\"><title>");
}

/* What other workers did for the row's instance: its bars from `from` on. */
static void help_put(Svg *s, const GanttRow *row, uint32_t from, double y)
{
    double ns = s->span_ns / s->help.n;
    uint64_t all_ns = 0;
    Buf t = {0};
    if (from == row->n_bars)
        return;
    density_clear(&s->help);
    for (uint32_t k = from; k < row->n_bars; k++) {
        const Bar *b = &s->rec->bars[row->bars[k]];
        density_add(&s->help, (double)b->start_ns / ns, (double)b->end_ns / ns);
        all_ns += b->end_ns - b->start_ns;
    }
    density_sum(&s->help);
    s->has_look[LOOK_HELP] = true;
    help_area_put(s, y + SVG_BAR);
    recording_put_instance(s->rec, row->step, row->frame, &t);
    buf_puts(&t, ": ");
    count_put(&t, row->n_bars - from);
    buf_puts(&t, row->n_bars - from == 1 ? " piece of it" : " pieces of it");
    buf_puts(&t, " on other workers, ");
    time_put(&t, all_ns);
    buf_puts(&t, " of work");
    svg_put_text(s->out, buf_str(&t));
    buf_puts(s->out, "</title></path>\n");
    buf_deinit(&t);
}

typedef struct Point {
    double x0, x1, y;
} Point;

/* From the end of each bar of the path to the start of the next, and around each bar. */
static void path_put(Svg *s, const Point *points)
{
    const Critical *c = s->gantt->critical;
    if (c->n == 0)
        return;
    s->has_look[LOOK_PATH] = true;
    buf_puts(s->out, "<path class=\"cp\" d=\"");
    for (uint32_t k = 0; k < c->n; k++) {
        const Point *p = &points[c->bars[k]];
        if (p->x1 - p->x0 >= 3)
            buf_printf(s->out, "M%.1f %.1fh%.1fv%dh%.1fz", p->x0, p->y, p->x1 - p->x0, SVG_BAR,
                       p->x0 - p->x1);
        if (k == 0)
            continue;
        const Point *from = &points[c->bars[k - 1]];
        double x = fmin(from->x1, p->x0);
        if (from->y < p->y)
            buf_printf(s->out, "M%.1f %.1fV%.1fH%.1f", x, from->y + SVG_BAR, p->y + SVG_BAR / 2.0,
                       p->x0);
        else if (from->y > p->y)
            buf_printf(s->out, "M%.1f %.1fV%.1fH%.1f", x, from->y, p->y + SVG_BAR / 2.0, p->x0);
        else if (p->x0 - from->x1 > 1)
            buf_printf(s->out, "M%.1f %.1fH%.1f", from->x1, p->y + SVG_BAR / 2.0, p->x0);
    }
    buf_puts(s->out, "\"/>\n");
}

static void row_put(Svg *s, const GanttRow *row, double y, Point *points)
{
    Buf t = {0}, cut = {0};
    uint32_t room = (uint32_t)(s->x0 - SVG_MARGIN) / SVG_CHAR;
    gantt_put_label(s->gantt, row, &t);
    uint32_t width = utf8_width(buf_str(&t));
    column_put(&cut, buf_str(&t), width > room ? room : width, false);
    svg_label(s, SVG_MARGIN, y + 11, row->is_on_path ? "b" : "", "start", buf_str(&cut));
    for (uint32_t k = 0; k < row->n_bars; k++)
        wait_put(s, row->bars[k], y);
    uint32_t n = row->n_bars;
    while (n > 0 && s->rec->bars[row->bars[n - 1]].kind == BAR_HELP)
        n--;
    bars_put(s, row->bars, n, y, SVG_BAR);
    help_put(s, row, n, y);
    for (uint32_t k = 0; k < row->n_bars; k++) {
        const Bar *b = &s->rec->bars[row->bars[k]];
        bool is_on = s->gantt->critical->is_on[row->bars[k]];
        uint64_t end_ns = is_on ? s->gantt->critical->end_ns[row->bars[k]] : b->end_ns;
        points[row->bars[k]] = (Point){svg_x(s, b->start_ns), svg_x(s, end_ns), y};
    }
    buf_clear(&t);
    if (row->n_batches) {
        count_put(&t, row->n_batches);
        buf_puts(&t, "× ");
    }
    if (row->n_bars)
        time_put(&t, row->busy_ns);
    else
        skip_put(s, row, y);
    svg_label(s, s->total_x, y + 11, "n", "end", buf_str(&t));
    buf_deinit(&cut);
    buf_deinit(&t);
}

void svg_rows(Svg *s)
{
    const Gantt *g = s->gantt;
    Point *points = xcalloc(s->rec->n_bars + (size_t)1, sizeof *points);
    for (uint32_t i = 0; i < g->n_rows; i++)
        row_put(s, &g->rows[i], s->y + i * SVG_ROW + (SVG_ROW - SVG_BAR) / 2.0, points);
    path_put(s, points);
    s->y += g->n_rows * SVG_ROW;
    free(points);
}

/* ---- too many instances for rows: what each worker did */

/* The least width of a bar that is drawn with a title, so that there are few. */
static void titled_choose(Svg *s)
{
    const Recording *r = s->rec;
    uint32_t n = r->n_bars;
    for (double w = 1; n > SVG_MAX_TITLED; w *= 2) {
        uint64_t least_ns = (uint64_t)(s->span_ns / (s->x1 - s->x0) * w);
        s->min_titled = w;
        n = 0;
        for (uint32_t i = 0; i < r->n_bars; i++)
            n += r->bars[i].end_ns - r->bars[i].start_ns >= least_ns;
    }
}

static void lane_put(Svg *s, Str label, const char *what, const uint32_t *bars, uint32_t n)
{
    uint64_t busy_ns = 0;
    Buf t = {0};
    double y = s->y + (SVG_LANE - SVG_LANE_BAR) / 2.0;
    svg_label(s, SVG_MARGIN, y + 15, "", "start", label);
    bars_put(s, bars, n, y, SVG_LANE_BAR);
    for (uint32_t k = 0; k < n; k++)
        busy_ns += end_of(s, bars[k]) - s->rec->bars[bars[k]].start_ns;
    buf_printf(&t, "%.0f %% %s", 100 * (double)busy_ns / s->span_ns, what);
    svg_label(s, s->total_x, y + 15, "n", "end", buf_str(&t));
    s->y += SVG_LANE;
    buf_deinit(&t);
}

void svg_lanes(Svg *s)
{
    const Recording *r = s->rec;
    const Critical *c = s->gantt->critical;
    uint32_t n_workers = r->info.n_workers;
    titled_choose(s);
    s->is_strip = true;
    lane_put(s, STR_LIT("critical path"), "of the time", c->bars, c->n);
    s->is_strip = false;
    if (n_workers > SVG_MAX_LANES)
        return;
    /* The bars of all workers in one array, worker after worker. */
    uint32_t *bars = xmalloc((r->n_bars + (size_t)1) * sizeof *bars), first[SVG_MAX_LANES + 1] = {0};
    for (uint32_t i = 0; i < r->n_bars; i++)
        first[r->bars[i].worker + 1]++;
    for (uint32_t w = 0; w < n_workers; w++)
        first[w + 1] += first[w];
    uint32_t at[SVG_MAX_LANES + 1];
    for (uint32_t w = 0; w < n_workers; w++)
        at[w] = first[w];
    for (uint32_t i = 0; i < r->n_bars; i++)
        bars[at[r->bars[i].worker]++] = i;
    for (uint32_t w = 0; w < n_workers; w++) {
        Buf t = {0};
        buf_printf(&t, "worker %u", w + 1);
        lane_put(s, buf_str(&t), "busy", bars + first[w], first[w + 1] - first[w]);
        buf_deinit(&t);
    }
    free(bars);
}
