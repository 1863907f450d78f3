#include "report/gantt_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "report/gantt.h"

enum { MIN_WIDTH = 60, DEFAULT_WIDTH = 100, MAX_WIDTH = 1000 };

/* What one character of a row shows; the larger wins. */
typedef enum Cell {
    CELL_NONE,
    CELL_WAIT,
    CELL_SHORT,
    CELL_RUN,
    CELL_SKIP,
    CELL_RETRY,
    CELL_FAIL
} Cell;
#define N_CELLS (CELL_FAIL + 1)

static const char *const CELLS_UTF8[N_CELLS] = {" ", "░", "▎", "█", "s", "r", "x"};
static const char *const CELLS_ASCII[N_CELLS] = {" ", ".", "|", "#", "s", "r", "x"};
static const char *const LEVELS_UTF8[9] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

typedef struct Chart {
    const GanttTextOptions *options;
    const Gantt *gantt;
    const Recording *rec;
    Buf *out;
    uint64_t span_ns;  /* of the axis, at least 1 */
    uint32_t n_label, n_cells, n_total; /* columns of the three parts */
    bool has_cell[N_CELLS]; /* to be explained below */
    bool has_levels, has_path;
    Cell *cells;       /* [n_cells] */
    int32_t *n_wait;   /* [n_cells + 1] by how much the waiting instances change there */
    Density busy;      /* how many run in each cell */
} Chart;

/* ---- time to columns */

static uint32_t cell_round(const Chart *c, uint64_t t_ns)
{
    double at = (double)t_ns * c->n_cells / (double)c->span_ns + 0.5;
    return at < c->n_cells ? (uint32_t)at : c->n_cells;
}

static uint32_t cell_in(const Chart *c, uint64_t t_ns)
{
    double at = (double)t_ns * c->n_cells / (double)c->span_ns;
    return at < c->n_cells ? (uint32_t)at : c->n_cells - 1;
}

static void busy_add(Chart *c, uint64_t start_ns, uint64_t end_ns)
{
    double width = (double)c->span_ns / c->n_cells;
    density_add(&c->busy, (double)start_ns / width, (double)end_ns / width);
}

static void cell_raise(Chart *c, uint32_t k, Cell to)
{
    if (c->cells[k] < to)
        c->cells[k] = to;
}

static void cells_clear(Chart *c)
{
    memset(c->cells, 0, c->n_cells * sizeof *c->cells);
    memset(c->n_wait, 0, (c->n_cells + 1) * sizeof *c->n_wait);
    density_clear(&c->busy);
}

static void cells_add(Chart *c, uint32_t bar)
{
    const Bar *b = &c->rec->bars[bar];
    uint32_t first = cell_round(c, b->start_ns), end = cell_round(c, b->end_ns);
    Wait wait;
    if (wait_of(c->gantt->waits, bar, &wait)) {
        c->n_wait[cell_round(c, wait.from_ns)]++;
        c->n_wait[first]--;
    }
    for (uint32_t k = first; k < end; k++)
        cell_raise(c, k, CELL_RUN);
    if (first == end)
        cell_raise(c, cell_in(c, b->start_ns), CELL_SHORT);
    uint32_t last = end > first ? end - 1 : cell_in(c, b->start_ns);
    if (b->outcome == OUTCOME_FAILED)
        cell_raise(c, last, CELL_FAIL);
    else if (b->outcome == OUTCOME_RETRY)
        cell_raise(c, last, CELL_RETRY);
}

/* ---- writing */

static void color_put(Chart *c, uint32_t step)
{
    if (c->options->has_color)
        buf_printf(c->out, "\033[38;5;%um", step_color(step)->ansi);
}

static void dim_put(Chart *c)
{
    if (c->options->has_color)
        buf_puts(c->out, "\033[2m");
}

static void plain_put(Chart *c)
{
    if (c->options->has_color)
        buf_puts(c->out, "\033[0m");
}

static void line_end(Chart *c)
{
    while (c->out->len && c->out->ptr[c->out->len - 1] == ' ')
        c->out->ptr[--c->out->len] = '\0';
    buf_putc(c->out, '\n');
}

static void level_put(Chart *c, double part_of_one)
{
    if (c->options->is_ascii) {
        uint32_t d = (uint32_t)(part_of_one * 9 + 0.999);
        buf_putc(c->out, d == 0 ? ' ' : (char)('0' + (d > 9 ? 9 : d)));
    } else {
        uint32_t d = (uint32_t)(part_of_one * 8 + 0.999);
        buf_puts(c->out, LEVELS_UTF8[d > 8 ? 8 : d]);
    }
}

static void label_put_marked(Chart *c, Str label, bool is_critical)
{
    column_put(c->out, label, c->n_label, c->options->is_ascii);
    buf_puts(c->out, is_critical ? "* " : "  ");
    c->has_path |= is_critical;
}

static void label_put(Chart *c, Str label)
{
    label_put_marked(c, label, false);
}

static void total_put(Chart *c, const char *text)
{
    buf_puts(c->out, "  ");
    column_put_right(c->out, str_of(text), c->n_total);
    line_end(c);
}

/* "9x  1.00 s": how many when there may be more than one, and how long in all; of folded rows
 * also how many failed, were retried and skipped. */
static void row_total(const Chart *c, const GanttRow *row, Buf *out)
{
    if (row->n_bars == 0 && !c->gantt->is_folded) {
        buf_puts(out, "skipped");
        return;
    }
    bool yields = c->rec->info.steps[row->step].child_scope != 0;
    if (c->gantt->is_folded || yields) {
        count_put(out, yields ? row->n_batches : row->n_instances);
        buf_puts(out, c->options->is_ascii ? "x " : "× ");
    }
    Buf time = {0};
    time_put(&time, row->busy_ns);
    column_put_right(out, buf_str(&time), 7);
    buf_deinit(&time);
    const uint32_t n[] = {row->n_failed, row->n_retries, row->n_skipped};
    for (uint32_t k = 0; k < 3 && c->gantt->is_folded; k++)
        if (n[k]) {
            buf_putc(out, ' ');
            count_put(out, n[k]);
            buf_putc(out, "xrs"[k]);
        }
}

static void cells_put(Chart *c, uint32_t step)
{
    int64_t n_waiting = 0;
    bool is_folded = c->gantt->is_folded;
    Cell before = CELL_NONE; /* escapes only where the kind changes */
    density_sum(&c->busy);
    for (uint32_t k = 0; k < c->n_cells; k++) {
        n_waiting += c->n_wait[k];
        Cell cell = c->cells[k] == CELL_NONE && n_waiting > 0 ? CELL_WAIT : c->cells[k];
        /* Many short bars make a long one. */
        if (cell == CELL_SHORT && c->busy.at[k] >= 0.5)
            cell = CELL_RUN;
        bool is_level = is_folded && (cell == CELL_SHORT || cell == CELL_RUN);
        if (cell != before) {
            plain_put(c);
            if (cell == CELL_WAIT)
                dim_put(c);
            else if (cell != CELL_NONE)
                color_put(c, step);
            before = cell;
        }
        if (is_level)
            level_put(c, c->busy.at[k] / c->rec->info.n_workers);
        else
            buf_puts(c->out, (c->options->is_ascii ? CELLS_ASCII : CELLS_UTF8)[cell]);
        c->has_cell[cell] |= !is_level;
        c->has_levels |= is_level;
    }
    plain_put(c);
}

static void row_put(Chart *c, const GanttRow *row)
{
    Buf text = {0};
    cells_clear(c);
    for (uint32_t i = 0; i < row->n_bars; i++) {
        const Bar *b = &c->rec->bars[row->bars[i]];
        cells_add(c, row->bars[i]);
        busy_add(c, b->start_ns, b->end_ns);
    }
    for (uint32_t i = 0; i < row->n_skipped; i++)
        cell_raise(c, cell_in(c, c->rec->skips[row->skips[i]].t_ns), CELL_SKIP);
    gantt_put_label(c->gantt, row, &text);
    label_put_marked(c, buf_str(&text), gantt_is_critical(c->gantt, row));
    cells_put(c, row->step);
    buf_clear(&text);
    row_total(c, row, &text);
    total_put(c, text.ptr);
    buf_deinit(&text);
}

/* Text in lines that fit, broken after `between`, later ones moved in by `indent`. A piece that
 * is too wide is cut. */
static void wrapped_put(Chart *c, Str text, const char *between, uint32_t indent)
{
    uint32_t width = c->n_label + c->n_cells + c->n_total + 4;
    for (uint32_t at = 0, in = 0; at < text.len; in = indent) {
        Str line = wrap_next(text, &at, between, width - in);
        buf_printf(c->out, "%*s", (int)in, "");
        column_put(c->out, line, width - in, c->options->is_ascii);
        line_end(c);
    }
}

static void header_put(Chart *c)
{
    const Recording *r = c->rec;
    Buf line = {0};
    uint64_t n_failed = 0, n_retries = 0, n_skipped = 0;
    for (uint32_t i = 0; i < r->info.n_steps; i++) {
        n_failed += r->steps[i].n_failed;
        n_retries += r->steps[i].n_retries;
        n_skipped += r->steps[i].n_skipped;
    }
    if (r->info.file.len)
        buf_printf(&line, "%.*s  ", STR_ARG(r->info.file));
    buf_printf(&line, "%.*s  %s in ", STR_ARG(r->info.job), run_state_name(r->state));
    time_put(&line, r->t_ns);
    buf_printf(&line, "  %u worker%s  ", r->info.n_workers,
               r->info.n_workers == 1 ? "" : "s");
    count_put(&line, c->gantt->n_instances);
    buf_printf(&line, " instance%s", c->gantt->n_instances == 1 ? "" : "s");
    const struct {
        uint64_t n;
        const char *what;
    } more[] = {{n_failed, "failed"}, {n_skipped, "skipped"}, {n_retries, "retried"}};
    int n_said = 0;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (more[i].n) {
            buf_puts(&line, n_said++ ? ", " : ": ");
            count_put(&line, more[i].n);
            buf_printf(&line, " %s", more[i].what);
        }
    if (c->options->has_color)
        buf_puts(c->out, "\033[1m");
    wrapped_put(c, buf_str(&line), "  ", 0);
    plain_put(c);
    buf_putc(c->out, '\n');
    buf_deinit(&line);
}

static void axis_put(Chart *c)
{
    uint64_t tick = gantt_tick_ns(c->span_ns, c->n_cells / 7);
    Buf numbers = {0}, label = {0};
    uint32_t used = 0;
    bool *at = xcalloc(c->n_cells, sizeof *at);
    for (uint64_t t = 0; t <= c->span_ns; t += tick) {
        uint32_t k = cell_round(c, t);
        if (k >= c->n_cells)
            break;
        at[k] = true;
        buf_clear(&label);
        gantt_put_tick(&label, t, tick, c->span_ns);
        uint32_t w = (uint32_t)label.len;
        uint32_t from = t == 0 ? 0 : k > w / 2 ? k - w / 2 : 0;
        if ((t && from < used + 1) || from + w > c->n_cells + 2)
            continue;
        buf_printf(&numbers, "%*s%s", (int)(from - used), "", label.ptr);
        used = from + w;
    }
    label_put(c, (Str){0});
    buf_put_str(c->out, buf_str(&numbers));
    line_end(c);
    label_put(c, (Str){0});
    dim_put(c);
    for (uint32_t k = 0; k < c->n_cells; k++)
        buf_puts(c->out, c->options->is_ascii ? at[k] ? "+" : "-"
                         : k == 0             ? "├"
                         : at[k]              ? "┼"
                                              : "─");
    plain_put(c);
    line_end(c);
    free(at);
    buf_deinit(&numbers);
    buf_deinit(&label);
}

/* ---- the lines below */

static void workers_put(Chart *c)
{
    const Recording *r = c->rec;
    double all = 0;
    cells_clear(c);
    for (uint32_t i = 0; i < r->n_bars; i++)
        busy_add(c, r->bars[i].start_ns, r->bars[i].end_ns);
    label_put(c, STR_LIT("workers"));
    density_sum(&c->busy);
    for (uint32_t k = 0; k < c->n_cells; k++) {
        level_put(c, c->busy.at[k] / r->info.n_workers);
        all += c->busy.at[k];
    }
    Buf text = {0};
    buf_printf(&text, "%.0f %% busy",
               100 * all / ((double)c->n_cells * r->info.n_workers));
    total_put(c, text.ptr);
    buf_deinit(&text);
}

/* The most that lived in each cell. */
static void live_row_put(Chart *c, uint32_t scope, Str label)
{
    const RecScope *s = &c->rec->scopes[scope];
    uint32_t peak = s->count.peak_live ? s->count.peak_live : 1;
    uint32_t *most = xcalloc(c->n_cells, sizeof *most);
    for (uint32_t i = 0; i < s->n_points; i++) {
        uint64_t until = i + 1 < s->n_points ? s->points[i + 1].t_ns : c->span_ns;
        uint32_t first = cell_in(c, s->points[i].t_ns), last = cell_in(c, until);
        if (s->points[i].n_live == 0)
            continue;
        /* A level that ends on a cell's edge does not belong to the next cell. */
        if (last > first && cell_in(c, until - 1) < last)
            last--;
        for (uint32_t k = first; k <= last; k++)
            if (most[k] < s->points[i].n_live)
                most[k] = s->points[i].n_live;
    }
    label_put(c, label);
    color_put(c, c->rec->info.scopes[scope].generator);
    for (uint32_t k = 0; k < c->n_cells; k++)
        if (c->options->is_ascii && peak <= 9)
            buf_putc(c->out, most[k] ? (char)('0' + most[k]) : ' ');
        else
            level_put(c, (double)most[k] / peak);
    plain_put(c);
    line_end(c);
    free(most);
}

static void live_rows_put(Chart *c)
{
    const RunInfo *info = &c->rec->info;
    Buf text = {0};
    for (uint32_t s = 1; s < info->n_scopes; s++) {
        buf_clear(&text);
        buf_puts(&text, "live");
        if (info->n_scopes > 2)
            buf_printf(&text, " %.*s", STR_ARG(info->steps[info->scopes[s].generator].name));
        live_row_put(c, s, buf_str(&text));
    }
    buf_deinit(&text);
}

/* "waited    load 3.00 s for its cap"; nothing where there is nothing to say. */
static void sentence_put(Chart *c, const char *what, const Buf *said)
{
    Buf line = {0};
    if (said->len == 0)
        return;
    buf_printf(&line, "%-8s  %s", what, said->ptr);
    wrapped_put(c, buf_str(&line), ", ", 10);
    buf_deinit(&line);
}

static void sentences_put(Chart *c)
{
    const RunInfo *info = &c->rec->info;
    Buf text = {0};
    for (uint32_t s = 1; s < info->n_scopes; s++) {
        buf_clear(&text);
        live_put(&text, c->rec, s);
        if (info->n_scopes > 2)
            buf_printf(&text, "  (batches of %.*s)",
                       STR_ARG(info->steps[info->scopes[s].generator].name));
        sentence_put(c, "live", &text);
    }
    buf_clear(&text);
    gantt_put_path(c->gantt, &text);
    sentence_put(c, "critical", &text);
    buf_clear(&text);
    gantt_put_help(c->gantt, &text);
    sentence_put(c, "helped", &text);
    buf_clear(&text);
    gantt_put_waits(c->gantt, &text);
    sentence_put(c, "waited", &text);
    buf_clear(&text);
    gantt_put_skips(c->gantt, &text);
    sentence_put(c, "skipped", &text);
    buf_deinit(&text);
}

static void legend_put(Chart *c)
{
    const char *const *cells = c->options->is_ascii ? CELLS_ASCII : CELLS_UTF8;
    Buf line = {0};
    if (c->has_cell[CELL_RUN])
        buf_printf(&line, "%s running   ", cells[CELL_RUN]);
    if (c->has_levels)
        buf_puts(&line, c->options->is_ascii ? "1-9 running, 9: on all workers   "
                                             : "▁▄█ running, by how many workers   ");
    if (c->has_cell[CELL_WAIT])
        buf_printf(&line, "%s ready, waiting   ", cells[CELL_WAIT]);
    if (c->has_cell[CELL_SHORT]) {
        buf_printf(&line, "%s under ", cells[CELL_SHORT]);
        time_put(&line, c->span_ns / c->n_cells);
        buf_puts(&line, "   ");
    }
    if (c->has_cell[CELL_FAIL])
        buf_puts(&line, "x failed   ");
    if (c->has_cell[CELL_RETRY])
        buf_puts(&line, "r failed, tried again   ");
    if (c->has_cell[CELL_SKIP])
        buf_puts(&line, "s skipped   ");
    if (c->has_path)
        buf_puts(&line, "* on the critical path");
    dim_put(c);
    wrapped_put(c, buf_str(&line), "   ", 0);
    plain_put(c);
    buf_deinit(&line);
}

/* ---- the whole */

static void columns_measure(Chart *c)
{
    uint32_t width = c->options->width ? c->options->width : DEFAULT_WIDTH;
    width = width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
    Buf text = {0};
    c->n_label = 7; /* "workers" */
    c->n_total = 10; /* "100 % busy" */
    for (uint32_t i = 0; i < c->gantt->n_rows; i++) {
        buf_clear(&text);
        gantt_put_label(c->gantt, &c->gantt->rows[i], &text);
        uint32_t w = utf8_width(buf_str(&text));
        c->n_label = w > c->n_label ? w : c->n_label;
        buf_clear(&text);
        row_total(c, &c->gantt->rows[i], &text);
        w = utf8_width(buf_str(&text));
        c->n_total = w > c->n_total ? w : c->n_total;
    }
    if (c->n_label > width / 4)
        c->n_label = width / 4;
    if (c->n_total > width / 4)
        c->n_total = width / 4;
    c->n_cells = width - c->n_label - c->n_total - 4;
    buf_deinit(&text);
}

void gantt_text(const Recording *r, const GanttTextOptions *options, Buf *out)
{
    Gantt *g = gantt_layout(r, GANTT_MAX_ROWS);
    Chart c = {.options = options, .gantt = g, .rec = r, .out = out,
               .span_ns = r->t_ns ? r->t_ns : 1};
    columns_measure(&c);
    c.cells = xcalloc(c.n_cells, sizeof *c.cells);
    c.n_wait = xcalloc(c.n_cells + 1, sizeof *c.n_wait);
    c.busy = density_new(g->arena, c.n_cells);
    header_put(&c);
    axis_put(&c);
    for (uint32_t i = 0; i < g->n_rows; i++)
        row_put(&c, &g->rows[i]);
    if (g->n_left_out)
        buf_printf(out, "+ %u more steps\n", g->n_left_out);
    buf_putc(out, '\n');
    workers_put(&c);
    live_rows_put(&c);
    buf_putc(out, '\n');
    sentences_put(&c);
    legend_put(&c);
    free(c.cells);
    free(c.n_wait);
    gantt_free(g);
}
