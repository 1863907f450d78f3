#include "report/profile.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "report/format.h"

enum {
    N_OPCODE_LINES = 8,
    FIXED_LINES = 5, /* head, two heads of columns, the blank line between, what was left out */
    LEAST_TEXT = 20, /* columns */
    NAME_WIDTH = 14, /* of an opcode: MASK_NOT_FALSE */
};

typedef struct Sheet {
    const Profile *p;
    const RunInfo *info;
    const ProfileShown *shown;
    Buf line;
} Sheet;

static const ProfileLine **sorted(const ProfileLine *lines, uint32_t n,
                                  int (*cmp)(const void *, const void *))
{
    const ProfileLine **all = xcalloc(n + 1ull, sizeof *all);
    for (uint32_t i = 0; i < n; i++)
        all[i] = &lines[i];
    qsort(all, n, sizeof *all, cmp);
    return all;
}

/* The longest first; a step is before what it consists of; waits are no work and come last. */
static int by_time(const void *a, const void *b)
{
    const ProfileLine *x = *(const ProfileLine *const *)a, *y = *(const ProfileLine *const *)b;
    bool x_waits = x->kind == PROFILE_WAIT, y_waits = y->kind == PROFILE_WAIT;
    if (x_waits != y_waits)
        return x_waits ? 1 : -1;
    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    if ((x->kind == PROFILE_STEP) != (y->kind == PROFILE_STEP))
        return x->kind == PROFILE_STEP ? -1 : 1;
    return (x > y) - (x < y); /* of one list */
}

static int by_name(const void *a, const void *b)
{
    const ProfileLine *x = *(const ProfileLine *const *)a, *y = *(const ProfileLine *const *)b;
    return str_cmp(x->name, y->name);
}

/* ---- a line ---- */

/* Counts that need not be exact: three digits and a letter. */
static void rough_put(Buf *out, double n)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};
    size_t u = 0;
    for (; n >= 999.5 && u + 1 < sizeof units / sizeof *units; u++)
        n /= 1000;
    buf_printf(out, "%.*f%s", n < 9.995 && u ? 2 : n < 99.95 && u ? 1 : 0, n, units[u]);
}

/* The cell, at the right edge of `width` columns. */
static void cell_end(Sheet *s, Buf *cell, uint32_t width)
{
    column_put_right(&s->line, buf_str(cell), width);
    buf_clear(cell);
}

static void line_put(Sheet *s, const ProfileLine *l, const char *indent, Str what, Buf *out)
{
    Buf cell = {0};
    buf_clear(&s->line);
    time_put(&cell, l->ns);
    cell_end(s, &cell, 8);
    if (l->kind == PROFILE_WAIT)
        buf_puts(&cell, "-");
    else
        buf_printf(&cell, "%.1f%%", s->p->work_ns ? 100 * (double)l->ns / (double)s->p->work_ns : 0);
    cell_end(s, &cell, 7);
    rough_put(&cell, (double)l->n_runs);
    cell_end(s, &cell, 7);
    if (l->n_rows)
        rough_put(&cell, (double)l->n_rows);
    cell_end(s, &cell, 7);
    if (l->n_bytes)
        bytes_put(&cell, l->n_bytes);
    cell_end(s, &cell, 9);
    if (s->p->cycles_per_us > 0) {
        if (l->cycles && l->kind != PROFILE_WAIT)
            rough_put(&cell, (double)l->cycles);
        cell_end(s, &cell, 8);
        double per_row = l->n_rows ? (double)l->cycles / (double)l->n_rows : 0;
        if (per_row >= 10000)
            rough_put(&cell, per_row);
        else if (per_row > 0)
            buf_printf(&cell, "%.1f", per_row);
        cell_end(s, &cell, 9);
    }
    buf_deinit(&cell);
    buf_puts(&s->line, "  ");
    uint32_t used = (uint32_t)s->line.len; /* all of it is one column wide */
    buf_put_str(out, buf_str(&s->line));
    buf_puts(out, indent);
    used += (uint32_t)str_of(indent).len;
    uint32_t width = s->shown->width, room = width > used + LEAST_TEXT ? width - used : LEAST_TEXT;
    if (width && utf8_width(what) > room)
        column_put(out, what, room, s->shown->is_ascii);
    else
        buf_put_visible(out, what);
    buf_putc(out, '\n');
}

static void columns_put(const Sheet *s, const char *what, Buf *out)
{
    buf_puts(out, "    time  share   runs   rows    bytes");
    if (s->p->cycles_per_us > 0)
        buf_puts(out, "  cycles  per row");
    buf_printf(out, "  %s\n", what);
}

/* ---- steps and what they consist of ---- */

static void put_part(Sheet *s, const ProfileLine *l, Buf *out)
{
    Buf what = {0};
    buf_put_str(&what, l->name);
    if (l->text.len) {
        buf_printf(&what, "%*s", l->name.len < NAME_WIDTH ? (int)(NAME_WIDTH - l->name.len) : 0, "");
        buf_putc(&what, ' ');
        if (l->n_values) {
            rough_put(&what, (double)l->n_values);
            buf_puts(&what, l->n_values == 1 ? " value: " : " values: ");
        }
        buf_put_str(&what, l->text);
    }
    line_put(s, l, "  ", buf_str(&what), out);
    buf_deinit(&what);
}

/* The n longest lines, each step's together. */
static void put_steps(Sheet *s, const ProfileLine **lines, uint32_t n, Buf *out)
{
    for (uint32_t i = 0; i < n; i++) {
        if (lines[i]->kind != PROFILE_STEP)
            continue;
        line_put(s, lines[i], "", s->info->steps[lines[i]->step].name, out);
        for (uint32_t k = 0; k < n; k++)
            if (lines[k]->kind != PROFILE_STEP && lines[k]->step == lines[i]->step)
                put_part(s, lines[k], out);
    }
}

/* ---- opcodes ---- */

static void put_opcodes(Sheet *s, Buf *out)
{
    ProfileLine *sums = xcalloc(s->p->n_lines + 1ull, sizeof *sums);
    const ProfileLine **lines = sorted(s->p->lines, s->p->n_lines, by_name);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->p->n_lines; i++) {
        const ProfileLine *l = lines[i];
        if (l->kind != PROFILE_INSTR)
            continue;
        if (!n || !str_eq(sums[n - 1].name, l->name))
            sums[n++] = (ProfileLine){.kind = PROFILE_INSTR, .name = l->name};
        ProfileLine *sum = &sums[n - 1];
        sum->n_runs += l->n_runs;
        sum->n_rows += l->n_rows;
        sum->n_bytes += l->n_bytes;
        sum->ns += l->ns;
        sum->cycles += l->cycles;
    }
    free(lines);
    lines = sorted(sums, n, by_time);
    columns_put(s, "opcode", out);
    for (uint32_t i = 0; i < n && (i < N_OPCODE_LINES || !s->shown->max_lines); i++)
        line_put(s, lines[i], "", lines[i]->name, out);
    free(lines);
    free(sums);
}

void profile_put(const Profile *p, const RunInfo *info, const ProfileShown *shown, Buf *out)
{
    Sheet s = {.p = p, .info = info, .shown = shown};
    const ProfileLine **lines = sorted(p->lines, p->n_lines, by_time);
    uint32_t n = p->n_lines, room = shown->max_lines;
    if (room && n > room - N_OPCODE_LINES - FIXED_LINES)
        n = room - N_OPCODE_LINES - FIXED_LINES;
    buf_puts(out, "profile: ");
    time_put(out, p->work_ns);
    buf_puts(out, " of work in ");
    time_put(out, p->run_ns);
    buf_printf(out, " on %u worker%s", info->n_workers, info->n_workers == 1 ? "" : "s");
    if (p->cycles_per_us > 0)
        buf_printf(out, "; cycles of the time stamp counter, %.2f GHz", p->cycles_per_us / 1000);
    buf_putc(out, '\n');
    columns_put(&s, "step, and what it consists of", out);
    put_steps(&s, lines, n, out);
    if (n < p->n_lines) {
        uint64_t ns = 0;
        for (uint32_t i = n; i < p->n_lines; i++)
            ns += lines[i]->kind == PROFILE_STEP || lines[i]->kind == PROFILE_WAIT ? 0 : lines[i]->ns;
        buf_printf(out, "  + %u more lines, %.1f %% of the time; -v shows them\n", p->n_lines - n,
                   p->work_ns ? 100 * (double)ns / (double)p->work_ns : 0);
    }
    buf_putc(out, '\n');
    put_opcodes(&s, out);
    buf_deinit(&s.line);
    free(lines);
}
