/* progress_block.c - the block of lines that shows a run: a head, then the steps. */
#include "report/progress_int.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "report/format.h"

enum { N_BAR = 22 };

bool scope_is_known(const Progress *p, uint32_t scope)
{
    if (scope == 0)
        return true;
    const ScopeState *s = &p->scopes[scope];
    uint32_t parent = p->info->scopes[scope].parent;
    return scope_is_known(p, parent) &&
           load(&s->n_generators_over) >= load(&p->scopes[parent].n_opened) &&
           load(&s->n_opened) >= load(&s->n_given);
}

static void head_render(Progress *p, uint64_t t_ns, const char *gap, Buf *out)
{
    const RunInfo *info = p->info;
    uint64_t s = t_ns / 1000000000;
    buf_put_str(out, info->file);
    buf_puts(out, info->file.len ? "  " : "");
    buf_put_str(out, info->job);
    buf_printf(out, "%s%02" PRIu64 ":%02" PRIu64 ".%d%s%u worker%s", gap, s / 60, s % 60,
               (int)(t_ns / 100000000 % 10), gap, info->n_workers,
               info->n_workers == 1 ? "" : "s");
    for (uint32_t k = 1; k < info->n_scopes; k++) {
        buf_printf(out, "%slive %" PRIu64, gap, load(&p->scopes[k].n_live));
        if (info->scopes[k].bound != UINT64_MAX)
            buf_printf(out, " of at most %" PRIu64, info->scopes[k].bound);
    }
    if (p->options.memory) {
        buf_printf(out, "%smem ", gap);
        bytes_put(out, p->options.memory(p->options.memory_ctx));
    }
}

static void counts_put(Buf *out, const StepState *s)
{
    const struct {
        uint64_t n;
        const char *one, *many;
    } parts[] = {
        {load(&s->n_running), "running", "running"},
        {load(&s->n_failed), "failed", "failed"},
        {load(&s->n_retries), "retry", "retries"},
        {load(&s->n_skipped), "skipped", "skipped"},
        {load(&s->n_bad_rows), "bad row", "bad rows"},
        {load(&s->n_bad_values), "bad value", "bad values"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].n) {
            buf_puts(out, "  ");
            count_put(out, parts[i].n);
            buf_printf(out, " %s", parts[i].n == 1 ? parts[i].one : parts[i].many);
        }
}

static void bar_put(Progress *p, uint64_t n, uint64_t total, uint32_t step, Buf *out)
{
    uint32_t full = total ? (uint32_t)(n * N_BAR / total) : 0;
    if (p->options.has_color)
        buf_printf(out, "\033[38;5;%um", step_color(step)->ansi);
    for (uint32_t k = 0; k < N_BAR; k++)
        buf_puts(out, p->options.is_ascii ? k < full ? "#" : "." : k < full ? "█" : "░");
    if (p->options.has_color)
        buf_puts(out, "\033[0m");
}

/* What comes after the name; without the bar where there is no room for it. */
static void step_render(Progress *p, uint32_t step, uint64_t t_ns, bool has_bar, Buf *out)
{
    const StepState *s = &p->steps[step];
    uint64_t total, over = step_over(s);
    bool is_known = step_total(p, step, &total);
    uint32_t child = p->info->steps[step].child_scope;
    if (child) {
        count_put(out, load(&s->n_yielded));
        buf_puts(out, load(&s->n_yielded) == 1 ? " batch" : " batches");
        if (scope_is_known(p, child) && is_known && over >= total)
            buf_puts(out, load(&s->n_failed) ? "" : ", done");
    } else if (is_known && total == 1) {
        buf_puts(out, over ? "done" : load(&s->n_started) ? "started" : "waiting");
    } else if (is_known) {
        if (has_bar) {
            bar_put(p, over, total, step, out);
            buf_puts(out, "  ");
        }
        count_put(out, over);
        buf_putc(out, '/');
        count_put(out, total);
    } else {
        count_put(out, over);
        buf_puts(out, " done");
        if (t_ns >= 1000000000)
            buf_printf(out, "  %.1f/s", (double)over * 1e9 / (double)t_ns);
    }
    counts_put(out, s);
}

/* Running and failed ones first when there are more steps than lines. */
static bool step_is_busy(const Progress *p, uint32_t step)
{
    return load(&p->steps[step].n_running) || load(&p->steps[step].n_failed);
}

void progress_render(Progress *p, uint64_t t_ns, uint32_t width, uint32_t max_lines,
                     Buf *out)
{
    if (!p->info || max_lines == 0)
        return;
    Buf line = {0};
    uint32_t n_name = 0, n_lines = max_lines - 1, n_shown = 0;
    if (p->n_steps > n_lines && n_lines > 0)
        n_lines--; /* for "+ 23 more" */
    for (uint32_t i = 0; i < p->n_steps; i++)
        n_name = p->names[i].len > n_name ? p->names[i].len : n_name;
    if (n_name > width / 3)
        n_name = width / 3;
    head_render(p, t_ns, "   ", &line);
    if (utf8_width(buf_str(&line)) > width) {
        buf_clear(&line);
        head_render(p, t_ns, "  ", &line);
    }
    column_put(out, buf_str(&line), width, p->options.is_ascii);
    buf_putc(out, '\n');
    bool *is_shown = xcalloc(p->n_steps, sizeof *is_shown);
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < p->n_steps && n_shown < n_lines; i++)
            if (!is_shown[i] && (pass || step_is_busy(p, i))) {
                is_shown[i] = true;
                n_shown++;
            }
    for (uint32_t i = 0; i < p->n_steps; i++) {
        if (!is_shown[i])
            continue;
        bool has_bar = width > n_name + N_BAR + 30;
        buf_puts(out, "  ");
        column_put(out, p->names[i], n_name, p->options.is_ascii);
        buf_puts(out, "  ");
        buf_clear(&line);
        step_render(p, i, t_ns, has_bar, &line);
        /* With a bar there is room for what can follow; a colour must not be cut. */
        if (has_bar)
            buf_put_str(out, buf_str(&line));
        else
            buf_put_str(out, column_fit(buf_str(&line), width - n_name - 4));
        buf_putc(out, '\n');
    }
    if (n_shown < p->n_steps)
        buf_printf(out, "  + %u more\n", p->n_steps - n_shown);
    free(is_shown);
    buf_deinit(&line);
}
