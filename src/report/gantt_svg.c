#include "report/gantt_svg.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "report/svg_int.h"

enum { MIN_WIDTH = 480, DEFAULT_WIDTH = 900, MAX_WIDTH = 10000 };

double svg_x(const Svg *s, uint64_t t_ns)
{
    return s->x0 + (s->x1 - s->x0) * (double)t_ns / s->span_ns;
}

void svg_put_text(Buf *out, Str s)
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

void svg_put_lines(Buf *out, Str s)
{
    for (uint32_t from = 0, i = 0; i <= s.len; i++)
        if (i == s.len || s.ptr[i] == '\n') {
            svg_put_text(out, str_slice(s, from, i - from));
            if (i < s.len)
                buf_putc(out, '\n');
            from = i + 1;
        }
}

void svg_label(Svg *s, double x, double y, const char *class, const char *anchor, Str text)
{
    if (text.len == 0)
        return;
    buf_printf(s->out, "<text x=\"%.1f\" y=\"%.1f\"", x, y);
    if (*class)
        buf_printf(s->out, " class=\"%s\"", class);
    if (anchor[0] != 's')
        buf_printf(s->out, " text-anchor=\"%s\"", anchor);
    buf_putc(s->out, '>');
    svg_put_text(s->out, text);
    buf_puts(s->out, "</text>\n");
}

/* ---- parts of the picture */

static void style_put(Svg *s)
{
    Buf *o = s->out;
    buf_puts(o, "<style>\n"
                ".bg{fill:#fff}svg{font:12px system-ui,-apple-system,'Segoe UI',"
                "'DejaVu Sans',sans-serif}\n"
                "text{fill:#24292f}.h{font-size:15px;font-weight:600}.b{font-weight:600}"
                ".d{fill:#636c76}\n"
                ".n{font-size:11px;fill:#636c76}.grid{stroke:#d0d7de;stroke-width:1}\n"
                ".zebra{fill:#f6f8fa}.t{fill:#000;fill-opacity:0}\n"
                ".w{fill-opacity:.25}.dl{fill-opacity:.12;stroke:#636c76;stroke-dasharray:2 2}\n"
                ".bad{fill:url(#hatch);stroke:#cf222e;stroke-width:1.5}"
                ".re{fill:url(#hatch);stroke:#9a6700;stroke-width:1.5;stroke-dasharray:4 2}\n"
                ".mb,.mr{font-weight:700;fill:#cf222e}.mr{fill:#9a6700}.hl{stroke:#fff}\n"
                ".ib,.ir,.is{fill:none;stroke:#cf222e;stroke-width:1.8}.ir{stroke:#9a6700}"
                ".is,.sk{fill:none;stroke:#636c76;stroke-width:1.2}.sk{stroke-dasharray:2 2}\n"
                ".hp{fill:#24292f;fill-opacity:.5}.cp{fill:none;stroke:#24292f;stroke-width:1.4}\n"
                ".bound{stroke:#cf222e;stroke-width:1.2;stroke-dasharray:5 4;fill:none}\n"
                ".area{fill-opacity:.35}.k{shape-rendering:crispEdges}\n");
    for (uint32_t k = 0; k < N_STEP_COLORS; k++)
        buf_printf(o, ".s%u{fill:%s}", k, step_color(k)->light);
    buf_puts(o, "\n@media(prefers-color-scheme:dark){.bg{fill:#0d1117}"
                "text{fill:#e6edf3}.d,.n{fill:#9198a1}\n.grid{stroke:#30363d}"
                ".zebra{fill:#151b23}.dl,.is,.sk{stroke:#9198a1}"
                ".bad,.ib{stroke:#f85149}.mb{fill:#f85149}.re,.ir{stroke:#d29922}.mr{fill:#d29922}\n"
                ".hl{stroke:#0d1117}.hp{fill:#e6edf3}.cp{stroke:#e6edf3}.bound{stroke:#f85149}\n");
    for (uint32_t k = 0; k < N_STEP_COLORS; k++)
        buf_printf(o, ".s%u{fill:%s}", k, step_color(k)->dark);
    buf_puts(o, "}\n</style>\n"
                "<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" "
                "patternUnits=\"userSpaceOnUse\"><path d=\"M-1 6L6 -1M-1 1L1 -1M4 6L6 4\" "
                "class=\"hl\" stroke-width=\"1.4\"/></pattern></defs>\n");
}

/* How many characters of the small font fit. */
static uint32_t text_room(const Svg *s, double x)
{
    return (uint32_t)((s->total_x - x) / 6.3);
}

static void header_put(Svg *s)
{
    const Recording *r = s->rec;
    Buf t = {0};
    buf_put_str(&t, r->info.job);
    svg_label(s, SVG_MARGIN, s->y + 14, "h", "start", buf_str(&t));
    buf_clear(&t);
    if (r->info.file.len)
        buf_printf(&t, "%.*s · ", STR_ARG(r->info.file));
    buf_printf(&t, "%s in ", run_state_name(r->state));
    time_put(&t, r->t_ns);
    buf_printf(&t, " · %u worker%s · ", r->info.n_workers,
               r->info.n_workers == 1 ? "" : "s");
    count_put(&t, s->gantt->n_instances);
    buf_printf(&t, " instance%s", s->gantt->n_instances == 1 ? "" : "s");
    for (uint32_t k = 1; k < r->info.n_scopes; k++) {
        buf_puts(&t, " · live batches");
        if (r->info.n_scopes > 2)
            buf_printf(&t, " of %.*s",
                       STR_ARG(r->info.steps[r->info.scopes[k].generator].name));
        buf_puts(&t, ": ");
        live_put(&t, r, k);
    }
    s->y += 20;
    for (uint32_t at = 0; at < t.len;) {
        Str line = wrap_next(buf_str(&t), &at, " · ", text_room(s, SVG_MARGIN));
        if (str_ends(line, STR_LIT(" ·")))
            line.len -= 3;
        s->y += 14;
        svg_label(s, SVG_MARGIN, s->y, "d", "start", line);
    }
    s->y += SVG_GAP;
    buf_deinit(&t);
}

/* Ticks over the height of all that is below; numbers above. */
static void axis_put(Svg *s, double bottom)
{
    uint64_t span = (uint64_t)s->span_ns;
    uint64_t tick = gantt_tick_ns(span, (uint32_t)((s->x1 - s->x0) / 70));
    Buf t = {0};
    for (uint64_t at = 0; at <= span; at += tick) {
        double x = svg_x(s, at);
        buf_clear(&t);
        gantt_put_tick(&t, at, tick, span);
        svg_label(s, x, s->y + 10, "n", at ? "middle" : "start", buf_str(&t));
        buf_printf(s->out,
                   "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>\n",
                   x, x, s->y + 15, bottom);
    }
    s->y += 20;
    buf_deinit(&t);
}

/* Every other row on a ground of its own. */
static double zebra_put(Svg *s, double y, uint32_t n, double h)
{
    for (uint32_t i = 0; i < n; i += 2)
        buf_printf(s->out,
                   "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" class=\"zebra\"/>\n",
                   SVG_MARGIN - 6, y + i * h, s->total_x - SVG_MARGIN + 12, h);
    return y + n * h;
}

/* "waited  load 3.00 s for its cap" in as many lines as needed. */
static void sentence_put(Svg *s, Str what, const Buf *said)
{
    double x = s->x0 > 130 ? 130 : s->x0;
    for (uint32_t at = 0; at < said->len;) {
        bool is_first = at == 0;
        Str line = wrap_next(buf_str(said), &at, ", ", text_room(s, x));
        s->y += 16;
        if (is_first)
            svg_label(s, SVG_MARGIN, s->y, "n", "start", what);
        svg_label(s, x, s->y, "n", "start", line);
    }
}

/* The signs that occur, each with a word. */
static void looks_put(Svg *s)
{
    static const char *const words[N_LOOKS] = {
        [LOOK_WAIT] = "ready, waiting",  [LOOK_HELP] = "other workers did a part of it", [LOOK_DELAY] = "until the next attempt",
        [LOOK_RETRY] = "failed, tried again", [LOOK_FAIL] = "failed",
        [LOOK_SKIP] = "skipped",         [LOOK_PATH] = "critical path"};
    static const char *const folded[N_LOOKS] = {
        [LOOK_WAIT] = "class=\"w s1\" d=\"M0 -10h14v10h-14z\"",
        [LOOK_HELP] = "class=\"hp\" d=\"M0 -5h14v5h-14z\"",
        [LOOK_DELAY] = "class=\"dl s1\" d=\"M0 -8h14v6h-14z\"",
        [LOOK_RETRY] = "class=\"ir\" d=\"M3 -2l3.5 -6l3.5 6z\"",
        [LOOK_FAIL] = "class=\"ib\" d=\"M4 -8l6 6m0 -6l-6 6\"",
        [LOOK_SKIP] = "class=\"is\" d=\"M4 -7.5h5v5h-5z\"",
        [LOOK_PATH] = "class=\"cp\" d=\"M0 -10h14v10h-14z\""};
    static const char *const single[N_LOOKS] = {
        [LOOK_WAIT] = "class=\"w s1\" d=\"M0 -10h14v10h-14z\"",
        [LOOK_HELP] = "class=\"hp\" d=\"M0 -5h14v5h-14z\"",
        [LOOK_DELAY] = "class=\"dl s1\" d=\"M0 -8h14v6h-14z\"",
        [LOOK_RETRY] = "class=\"re\" d=\"M0 -10h14v10h-14z\"",
        [LOOK_FAIL] = "class=\"bad\" d=\"M0 -10h14v10h-14z\"",
        [LOOK_SKIP] = "class=\"sk\" d=\"M2 -10h10v10h-10z\"",
        [LOOK_PATH] = "class=\"cp\" d=\"M0 -10h14v10h-14z\""};
    double x = SVG_MARGIN;
    s->y += 22;
    for (uint32_t k = 0; k < N_LOOKS; k++) {
        bool is_bad = k == LOOK_RETRY || k == LOOK_FAIL;
        if (!s->has_look[k])
            continue;
        buf_printf(s->out, "<g transform=\"translate(%.0f %.1f)\">", x, s->y);
        if ((is_bad || k == LOOK_HELP) && !s->gantt->is_folded)
            buf_puts(s->out, "<path class=\"s1\" d=\"M0 -10h14v10h-14z\"/>");
        buf_printf(s->out, "<path %s/></g>\n", (s->gantt->is_folded ? folded : single)[k]);
        svg_label(s, x + 20, s->y, "n", "start", str_of(words[k]));
        x += 20 + 6.3 * (double)utf8_width(str_of(words[k])) + 22;
    }
    if (x == SVG_MARGIN)
        s->y -= 22;
}

static void sentences_put(Svg *s)
{
    Buf t = {0};
    s->y += 8;
    gantt_put_path(s->gantt, &t);
    sentence_put(s, STR_LIT("critical path"), &t);
    buf_clear(&t);
    gantt_put_help(s->gantt, &t);
    sentence_put(s, STR_LIT("helped"), &t);
    buf_clear(&t);
    gantt_put_waits(s->gantt, &t);
    sentence_put(s, STR_LIT("waited"), &t);
    buf_clear(&t);
    gantt_put_skips(s->gantt, &t);
    sentence_put(s, STR_LIT("skipped"), &t);
    looks_put(s);
    buf_deinit(&t);
}

/* ---- the whole */

static void widths_measure(Svg *s, double width)
{
    uint32_t n = 13; /* "critical path" */
    Buf t = {0};
    for (uint32_t i = 0; i < s->gantt->n_rows; i++) {
        buf_clear(&t);
        gantt_put_label(s->gantt, &s->gantt->rows[i], &t);
        uint32_t w = utf8_width(buf_str(&t)) + (s->gantt->is_folded ? 3 : 0);
        n = w > n ? w : n;
    }
    double label = n * SVG_CHAR + SVG_GAP;
    s->total_x = width - SVG_MARGIN;
    s->x0 = (uint32_t)(SVG_MARGIN + (label > width / 4 ? width / 4 : label));
    s->x1 = s->total_x - (s->gantt->is_folded ? 110 : 86);
    buf_deinit(&t);
}

/* The grounds and the axis go under what is drawn later, so heights are known before. */
static void grounds_put(Svg *s)
{
    const RunInfo *info = &s->rec->info;
    uint32_t n_lanes = info->n_workers > SVG_MAX_LANES ? 1 : info->n_workers + 1;
    double y = s->y + 20;
    if (s->gantt->is_folded) {
        y = zebra_put(s, y, s->gantt->n_rows, SVG_STEP) + 16 + SVG_GAP;
        y = zebra_put(s, y, n_lanes, SVG_LANE);
    } else {
        y = zebra_put(s, y, s->gantt->n_rows, SVG_ROW);
    }
    axis_put(s, y + (info->n_scopes - 1) * (SVG_LIVE + SVG_GAP));
}

void gantt_svg(const Recording *r, const GanttSvgOptions *options, Buf *out)
{
    Gantt *g = gantt_layout(r, GANTT_MAX_ROWS);
    Buf body = {0};
    uint32_t width = options->width ? options->width : DEFAULT_WIDTH;
    width = width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
    Svg s = {.rec = r, .gantt = g, .out = &body, .span_ns = r->t_ns ? (double)r->t_ns : 1,
             .y = SVG_MARGIN - 4};
    s.busy_ns = arena_array(g->arena, uint64_t, r->info.n_steps);
    s.wait_ns = arena_alloc_array(g->arena, r->info.n_steps, sizeof *s.wait_ns);
    widths_measure(&s, width);
    s.help = density_new(g->arena, (uint32_t)(s.x1 - s.x0));
    header_put(&s);
    grounds_put(&s);
    if (g->is_folded) {
        svg_steps(&s);
        s.y += SVG_GAP;
        svg_lanes(&s);
    } else {
        svg_rows(&s);
    }
    for (uint32_t k = 1; k < r->info.n_scopes; k++)
        svg_live(&s, k);
    sentences_put(&s);
    double height = s.y + SVG_MARGIN;
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%.0f\" "
               "viewBox=\"0 0 %u %.0f\" role=\"img\">\n<title>",
               width, height, width, height);
    svg_put_text(out, r->info.job);
    buf_puts(out, ": Gantt chart</title>\n");
    s.out = out;
    style_put(&s);
    buf_puts(out, "<rect width=\"100%\" height=\"100%\" class=\"bg\"/>\n");
    buf_put_str(out, buf_str(&body));
    buf_puts(out, "</svg>\n");
    buf_deinit(&body);
    gantt_free(g);
}
