#include "report/gantt_svg.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "report/gantt.h"

enum {
    MIN_WIDTH = 480, DEFAULT_WIDTH = 900, MAX_WIDTH = 10000,
    MARGIN = 20, GAP = 12,
    ROW = 20, BAR = 14,          /* a row for one instance */
    LANE = 28, LANE_BAR = 22,    /* a row for one worker */
    LIVE = 56,                   /* height of a chart of live batches */
    CHAR = 7,                    /* width of a character of the 12 px font, about */
};

typedef struct Svg {
    const Recording *rec;
    const Gantt *gantt;
    Buf *out;
    double span_ns;
    double x0, x1;  /* of the time axis */
    double y;       /* where the next part begins */
    double total_x; /* right edge of the totals */
    uint64_t *busy_ns; /* [n_steps] room for cluster_put */
} Svg;

static double x_of(const Svg *s, uint64_t t_ns)
{
    return s->x0 + (s->x1 - s->x0) * (double)t_ns / s->span_ns;
}

static void text_put(Buf *out, Str s)
{
    Buf shown = {0};
    buf_put_visible(&shown, s);
    for (size_t i = 0; i < shown.len; i++)
        switch (shown.ptr[i]) {
        case '<': buf_puts(out, "&lt;"); break;
        case '>': buf_puts(out, "&gt;"); break;
        case '&': buf_puts(out, "&amp;"); break;
        case '"': buf_puts(out, "&quot;"); break;
        default: buf_putc(out, shown.ptr[i]);
        }
    buf_deinit(&shown);
}

/* class: "" or " class=.."; anchor: start, middle or end. */
static void label_put(Svg *s, double x, double y, const char *class, const char *anchor,
                      Str text)
{
    buf_printf(s->out, "<text x=\"%.1f\" y=\"%.1f\"", x, y);
    if (*class)
        buf_printf(s->out, " class=\"%s\"", class);
    if (anchor[0] != 's')
        buf_printf(s->out, " text-anchor=\"%s\"", anchor);
    buf_putc(s->out, '>');
    text_put(s->out, text);
    buf_puts(s->out, "</text>\n");
}

/* ---- bars */

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

/* What a pointer resting on the bar is told. */
static void title_put(Svg *s, const Bar *b)
{
    Buf t = {0};
    recording_put_name(s->rec, b, &t);
    buf_puts(&t, b->kind == BAR_FOLD ? " takes batch " : ": ");
    if (b->kind == BAR_FOLD)
        buf_put_str(&t, s->rec->frames[b->child].key);
    else
        buf_puts(&t, outcome_phrase(b->outcome));
    if (b->kind == BAR_RUN && b->child != REC_NONE)
        buf_printf(&t, " (%.*s)", STR_ARG(s->rec->frames[b->child].key));
    if (b->attempt > 1)
        buf_printf(&t, ", attempt %u", b->attempt);
    buf_puts(&t, "\n");
    time_put(&t, b->start_ns);
    buf_puts(&t, " to ");
    time_put(&t, b->end_ns);
    buf_puts(&t, ", ");
    time_put(&t, b->end_ns - b->start_ns);
    if (b->start_ns > b->ready_ns) {
        buf_puts(&t, " after waiting ");
        time_put(&t, b->start_ns - b->ready_ns);
    }
    if (b->kind == BAR_RUN) {
        buf_putc(&t, '\n');
        count_put(&t, b->rows_in);
        buf_puts(&t, " rows in, ");
        count_put(&t, b->rows_out);
        buf_puts(&t, " out");
    }
    buf_printf(&t, "\nworker %u", b->worker + 1u);
    buf_puts(s->out, "<title>");
    for (size_t from = 0, i = 0; i <= t.len; i++) /* line ends stay line ends */
        if (i == t.len || t.ptr[i] == '\n') {
            text_put(s->out, (Str){t.ptr + from, (uint32_t)(i - from)});
            if (i < t.len)
                buf_putc(s->out, '\n');
            from = i + 1;
        }
    buf_puts(s->out, "</title>");
    buf_deinit(&t);
}

static bool bar_is_bad(const Bar *b)
{
    return b->outcome == OUTCOME_FAILED || b->outcome == OUTCOME_RETRY;
}

static void rect_put(Svg *s, double x, double y, double w, double h, const Bar *b)
{
    bool is_bad = bar_is_bad(b);
    buf_printf(s->out, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.0f\"", x, y, w, h);
    if (w > 4)
        buf_puts(s->out, " rx=\"2\"");
    buf_printf(s->out, " class=\"s%u%s\">", b->step % N_STEP_COLORS, is_bad ? " bad" : "");
    title_put(s, b);
    buf_puts(s->out, "</rect>\n");
    if (is_bad && w >= 12)
        label_put(s, x + w - 3, y + h / 2 + 4, "mark", "end",
                  b->outcome == OUTCOME_FAILED ? STR_LIT("×") : STR_LIT("↻"));
}

static void wait_put(Svg *s, const Bar *b, double y)
{
    double x = x_of(s, b->ready_ns), w = x_of(s, b->start_ns) - x;
    if (w >= 1)
        buf_printf(s->out,
                   "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"2\" class=\"wait\"/>\n",
                   x, y + BAR / 2 - 1, w);
}

/* Bars within one pixel, in the colour of the step that took most of it. */
static void cluster_put(Svg *s, const uint32_t *bars, uint32_t n, double x, double y,
                        double w, double h)
{
    const Recording *r = s->rec;
    uint32_t most = r->bars[bars[0]].step;
    for (uint32_t i = 0; i < n; i++)
        s->busy_ns[r->bars[bars[i]].step] = 0;
    for (uint32_t i = 0; i < n; i++) {
        const Bar *b = &r->bars[bars[i]];
        s->busy_ns[b->step] += b->end_ns - b->start_ns;
        if (s->busy_ns[b->step] > s->busy_ns[most])
            most = b->step;
    }
    buf_printf(s->out,
               "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.0f\" "
               "class=\"s%u\"><title>%u instances, mostly ",
               x, y, w, h, most % N_STEP_COLORS, n);
    text_put(s->out, r->info.steps[most].name);
    buf_printf(s->out, "\nworker %u</title></rect>\n", r->bars[bars[0]].worker + 1u);
}

/* Bars of one row or lane in order of start. What fits into one pixel is merged, except
 * failures; every bar that stands alone is visible. */
static void bars_put(Svg *s, const uint32_t *bars, uint32_t n, double y, double h)
{
    for (uint32_t i = 0; i < n;) {
        const Bar *b = &s->rec->bars[bars[i]];
        double x = x_of(s, b->start_ns), end = x_of(s, b->end_ns);
        uint32_t next = i + 1;
        while (next < n && !bar_is_bad(b)) {
            const Bar *c = &s->rec->bars[bars[next]];
            if (bar_is_bad(c) || x_of(s, c->end_ns) - x > 1)
                break;
            end = x_of(s, c->end_ns);
            next++;
        }
        double w = end - x < 1 ? 1 : end - x > 3 ? end - x - 0.5 : end - x;
        if (next == i + 1)
            rect_put(s, x, y, end - x < 1.5 && !s->gantt->is_folded ? 1.5 : w, h, b);
        else
            cluster_put(s, bars + i, next - i, x, y, w, h);
        i = next;
    }
}

/* ---- parts of the picture */

static void style_put(Svg *s)
{
    Buf *o = s->out;
    buf_puts(o, "<style>\n"
                ".bg{fill:#fff}svg{font:12px system-ui,-apple-system,'Segoe UI',"
                "'DejaVu Sans',sans-serif}\n"
                "text{fill:#24292f}.h{font-size:15px;font-weight:600}.d{fill:#636c76}\n"
                ".n{font-size:11px;fill:#636c76}.grid{stroke:#d0d7de;stroke-width:1}\n"
                ".zebra{fill:#f6f8fa}.wait{fill:#d0d7de}.mark{fill:#fff;font-weight:700}\n"
                ".bad{stroke:#cf222e;stroke-width:2}\n"
                ".bound{stroke:#cf222e;stroke-width:1.2;stroke-dasharray:5 4;fill:none}\n"
                ".area{fill-opacity:.35}\n");
    for (uint32_t k = 0; k < N_STEP_COLORS; k++)
        buf_printf(o, ".s%u{fill:%s}", k, step_color(k)->light);
    buf_puts(o, "\n@media(prefers-color-scheme:dark){.bg{fill:#0d1117}"
                "text{fill:#e6edf3}.d,.n{fill:#9198a1}\n.grid{stroke:#30363d}"
                ".zebra{fill:#151b23}.wait{fill:#3d444d}.mark{fill:#0d1117}"
                ".bad{stroke:#f85149}.bound{stroke:#f85149}\n");
    for (uint32_t k = 0; k < N_STEP_COLORS; k++)
        buf_printf(o, ".s%u{fill:%s}", k, step_color(k)->dark);
    buf_puts(o, "}\n</style>\n");
}

static void header_put(Svg *s)
{
    const Recording *r = s->rec;
    Buf t = {0};
    buf_put_str(&t, r->info.job);
    label_put(s, MARGIN, s->y + 14, "h", "start", buf_str(&t));
    buf_clear(&t);
    if (r->info.file.len)
        buf_printf(&t, "%.*s · ", STR_ARG(r->info.file));
    buf_printf(&t, "%s in ", run_state_name(r->state));
    time_put(&t, r->t_ns);
    buf_printf(&t, " · %u worker%s · ", r->info.n_workers,
               r->info.n_workers == 1 ? "" : "s");
    count_put(&t, s->gantt->n_instances);
    buf_puts(&t, " instances");
    for (uint32_t k = 1; k < r->info.n_scopes; k++) {
        buf_puts(&t, " · live batches: ");
        live_put(&t, r, k);
    }
    label_put(s, MARGIN, s->y + 34, "d", "start", buf_str(&t));
    s->y += 34 + GAP;
    buf_deinit(&t);
}

/* A swatch and name for each step, in as many lines as needed. */
static void legend_put(Svg *s)
{
    double x = MARGIN;
    Buf t = {0};
    for (uint32_t i = 0; i < s->gantt->n_rows; i++) {
        const GanttRow *row = &s->gantt->rows[i];
        bool yields = s->rec->info.steps[row->step].child_scope != 0;
        buf_clear(&t);
        buf_put_str(&t, s->rec->info.steps[row->step].name);
        buf_puts(&t, "  ");
        count_put(&t, yields ? row->n_batches : row->n_instances);
        buf_puts(&t, "×, ");
        time_put(&t, row->busy_ns);
        double w = utf8_width(buf_str(&t)) * CHAR + 34;
        if (x > MARGIN && x + w > s->total_x) {
            x = MARGIN;
            s->y += ROW;
        }
        buf_printf(s->out,
                   "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" rx=\"2\" "
                   "class=\"s%u\"/>\n",
                   x, s->y, row->step % N_STEP_COLORS);
        label_put(s, x + 18, s->y + 10.5, "", "start", buf_str(&t));
        x += w;
    }
    s->y += ROW + 4;
    buf_deinit(&t);
}

/* Ticks over the height of all that is below; numbers above. */
static void axis_put(Svg *s, double bottom)
{
    uint64_t span = (uint64_t)s->span_ns;
    uint64_t tick = gantt_tick_ns(span, (uint32_t)((s->x1 - s->x0) / 70));
    Buf t = {0};
    for (uint64_t at = 0; at <= span; at += tick) {
        double x = x_of(s, at);
        buf_clear(&t);
        gantt_put_tick(&t, at, tick, span);
        label_put(s, x, s->y + 10, "n", at ? "middle" : "start", buf_str(&t));
        buf_printf(s->out,
                   "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>\n",
                   x, x, s->y + 15, bottom);
    }
    s->y += 20;
    buf_deinit(&t);
}

static void zebra_put(Svg *s, uint32_t i, double h)
{
    if (i % 2 == 0)
        buf_printf(s->out,
                   "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" class=\"zebra\"/>\n",
                   MARGIN - 6, s->y + i * h, s->total_x - MARGIN + 12, h);
}

static void rows_put(Svg *s)
{
    const Gantt *g = s->gantt;
    Buf t = {0};
    for (uint32_t i = 0; i < g->n_rows; i++) {
        const GanttRow *row = &g->rows[i];
        double y = s->y + i * ROW + (ROW - BAR) / 2.0;
        buf_clear(&t);
        gantt_put_label(g, row, &t);
        Str label = buf_str(&t);
        Buf cut = {0};
        uint32_t room = (uint32_t)(s->x0 - MARGIN) / CHAR;
        column_put(&cut, label, utf8_width(label) > room ? room : utf8_width(label), false);
        label_put(s, MARGIN, y + 11, "", "start", buf_str(&cut));
        buf_deinit(&cut);
        for (uint32_t k = 0; k < row->n_bars; k++)
            wait_put(s, &s->rec->bars[row->bars[k]], y);
        bars_put(s, row->bars, row->n_bars, y, BAR);
        buf_clear(&t);
        if (row->n_batches) {
            count_put(&t, row->n_batches);
            buf_puts(&t, "× ");
        }
        time_put(&t, row->busy_ns);
        label_put(s, s->total_x, y + 11, "n", "end", buf_str(&t));
    }
    s->y += g->n_rows * ROW;
    buf_deinit(&t);
}

/* Too many instances for rows: what each worker did. */
static void lanes_put(Svg *s)
{
    const Recording *r = s->rec;
    uint32_t *bars = xmalloc((r->n_bars + (size_t)1) * sizeof *bars);
    Buf t = {0};
    for (uint32_t w = 0; w < r->info.n_workers; w++) {
        uint32_t n = 0;
        uint64_t busy_ns = 0;
        double y = s->y + w * LANE + (LANE - LANE_BAR) / 2.0;
        for (uint32_t i = 0; i < r->n_bars; i++)
            if (r->bars[i].worker == w) {
                bars[n++] = i;
                busy_ns += r->bars[i].end_ns - r->bars[i].start_ns;
            }
        buf_clear(&t);
        buf_printf(&t, "worker %u", w + 1);
        label_put(s, MARGIN, y + 15, "", "start", buf_str(&t));
        bars_put(s, bars, n, y, LANE_BAR);
        buf_clear(&t);
        buf_printf(&t, "%.0f %% busy", 100 * (double)busy_ns / s->span_ns);
        label_put(s, s->total_x, y + 15, "n", "end", buf_str(&t));
    }
    s->y += r->info.n_workers * LANE;
    free(bars);
    buf_deinit(&t);
}

/* Steps as an area; changes within a pixel are one, with the most that lived in it. */
static void live_put_chart(Svg *s, uint32_t scope)
{
    const RecScope *c = &s->rec->scopes[scope];
    const RunScope *info = &s->rec->info.scopes[scope];
    uint64_t bound = info->bound;
    uint32_t peak = c->count.peak_live ? c->count.peak_live : 1;
    /* A bound far above what was alive is told in words and not drawn. */
    bool has_bound = bound != UINT64_MAX && bound <= 3 * (uint64_t)peak;
    double most = has_bound && bound > peak ? (double)bound : peak;
    double base = s->y + GAP + LIVE, unit = (LIVE - 8) / most, x = s->x0;
    uint32_t now = 0, in_pixel = 0;
    Buf t = {0};
    buf_printf(s->out, "<path class=\"area s%u\" d=\"M%.1f %.1f", info->generator % N_STEP_COLORS,
               s->x0, base);
    for (uint32_t i = 0; i < c->n_points; i++) {
        double at = x_of(s, c->points[i].t_ns);
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
    buf_printf(s->out, "V%.1fH%.1f", base - unit * in_pixel,
               x + 1 < s->x1 ? x + 1 : s->x1);
    buf_printf(s->out, "V%.1fH%.1fV%.1fZ\"/>\n", base - unit * now, s->x1, base);
    buf_printf(s->out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>\n",
               s->x0, s->x1, base, base);
    if (has_bound)
        buf_printf(s->out,
                   "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"bound\"/>\n",
                   s->x0, s->x1, base - unit * (double)bound, base - unit * (double)bound);
    label_put(s, MARGIN, base - LIVE / 2.0, "", "start", STR_LIT("live batches"));
    if (s->rec->info.n_scopes > 2) {
        buf_puts(&t, "of ");
        buf_put_str(&t, s->rec->info.steps[info->generator].name);
        label_put(s, MARGIN, base - LIVE / 2.0 + 14, "n", "start", buf_str(&t));
        buf_clear(&t);
    }
    buf_printf(&t, "peak %u", peak);
    label_put(s, s->total_x, base - unit * peak + 9, "n", "end", buf_str(&t));
    buf_clear(&t);
    if (bound == UINT64_MAX)
        buf_puts(&t, "no bound");
    else
        buf_printf(&t, "at most %" PRIu64, bound);
    label_put(s, s->total_x, base - unit * peak + 23, "n", "end", buf_str(&t));
    s->y = base;
    buf_deinit(&t);
}

/* ---- the whole */

static void widths_measure(Svg *s, double width)
{
    uint32_t n = 12; /* "live batches" */
    Buf t = {0};
    for (uint32_t i = 0; i < s->gantt->n_rows && !s->gantt->is_folded; i++) {
        buf_clear(&t);
        gantt_put_label(s->gantt, &s->gantt->rows[i], &t);
        uint32_t w = utf8_width(buf_str(&t));
        n = w > n ? w : n;
    }
    double label = n * CHAR + GAP;
    s->total_x = width - MARGIN;
    s->x0 = MARGIN + (label > width / 4 ? width / 4 : label);
    s->x1 = s->total_x - 86;
    buf_deinit(&t);
}

void gantt_svg(const Recording *r, const GanttSvgOptions *options, Buf *out)
{
    Gantt *g = gantt_layout(r, GANTT_MAX_ROWS);
    Buf body = {0};
    uint32_t width = options->width ? options->width : DEFAULT_WIDTH;
    width = width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
    Svg s = {.rec = r, .gantt = g, .out = &body, .span_ns = r->t_ns ? (double)r->t_ns : 1,
             .y = MARGIN - 4};
    s.busy_ns = arena_array(g->arena, uint64_t, r->info.n_steps);
    widths_measure(&s, width);
    header_put(&s);
    if (g->is_folded)
        legend_put(&s);
    uint32_t n_rows = g->is_folded ? r->info.n_workers : g->n_rows;
    double h = g->is_folded ? LANE : ROW;
    double bottom = s.y + 20 + n_rows * h + (r->info.n_scopes - 1) * (LIVE + GAP);
    s.y += 20;
    for (uint32_t i = 0; i < n_rows; i++)
        zebra_put(&s, i, h);
    s.y -= 20;
    axis_put(&s, bottom);
    if (g->is_folded)
        lanes_put(&s);
    else
        rows_put(&s);
    for (uint32_t k = 1; k < r->info.n_scopes; k++)
        live_put_chart(&s, k);
    double height = s.y + MARGIN;
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%.0f\" "
               "viewBox=\"0 0 %u %.0f\" role=\"img\">\n<title>",
               width, height, width, height);
    text_put(out, r->info.job);
    buf_puts(out, ": Gantt chart</title>\n");
    s.out = out;
    style_put(&s);
    buf_puts(out, "<rect width=\"100%\" height=\"100%\" class=\"bg\"/>\n");
    buf_put_str(out, buf_str(&body));
    buf_puts(out, "</svg>\n");
    buf_deinit(&body);
    gantt_free(g);
}
