#include "report/summary.h"

#include <inttypes.h>
#include <stdlib.h>

#include "report/format.h"

/* ", 3 failed" where there are any. */
static void more_put(Buf *out, uint64_t n, const char *what)
{
    if (n == 0)
        return;
    buf_puts(out, ", ");
    count_put(out, n);
    buf_printf(out, " %s", what);
}

static void rows_put(Buf *out, const SummaryInput *in)
{
    if (in->rows_in == SUMMARY_UNKNOWN && in->rows_out == SUMMARY_UNKNOWN)
        return;
    buf_puts(out, "  rows       ");
    if (in->rows_in != SUMMARY_UNKNOWN) {
        count_put(out, in->rows_in);
        buf_puts(out, " in");
    }
    if (in->rows_out != SUMMARY_UNKNOWN) {
        buf_puts(out, in->rows_in != SUMMARY_UNKNOWN ? ", " : "");
        count_put(out, in->rows_out);
        buf_puts(out, " out");
    }
    buf_putc(out, '\n');
}

static void instances_put(Buf *out, const SummaryInput *in)
{
    StepCount all = {0};
    for (uint32_t i = 0; i < in->info->n_steps; i++) {
        const StepCount *s = &in->end->steps[i];
        all.n_done += s->n_done;
        all.n_failed += s->n_failed;
        all.n_skipped += s->n_skipped;
        all.n_retries += s->n_retries;
        all.n_not_started += s->n_not_started;
    }
    buf_puts(out, "  instances  ");
    count_put(out, all.n_done);
    buf_puts(out, " done");
    more_put(out, all.n_failed, "failed");
    more_put(out, all.n_retries, all.n_retries == 1 ? "retry" : "retries");
    more_put(out, all.n_skipped, "skipped");
    more_put(out, all.n_not_started, "not started");
    buf_putc(out, '\n');
}

static void scope_put(Buf *out, const SummaryInput *in, uint32_t scope)
{
    const RunScope *s = &in->info->scopes[scope];
    const ScopeCount *c = &in->end->scopes[scope];
    buf_puts(out, "  batches    ");
    count_put(out, c->n_batches);
    buf_puts(out, " of ");
    buf_put_visible(out, in->info->steps[s->generator].name);
    buf_printf(out, ", peak %u", c->peak_live);
    if (s->bound == UINT64_MAX)
        buf_puts(out, " alive, no bound");
    else
        buf_printf(out, " of at most %" PRIu64 " batch%s", s->bound,
                   s->bound == 1 ? "" : "es");
    bound_put_passed(out, s->bound, c);
    buf_putc(out, '\n');
}

/* What did not run, and why. A run in which something was skipped is not `done`, so that nothing
 * is to be typed next: the lines stay ten. */
static void skipped_put(Buf *out, const SummaryInput *in)
{
    Buf said = {0};
    uint64_t *n = xcalloc(in->info->n_steps, sizeof *n);
    for (uint32_t i = 0; in->skip_cause && i < in->info->n_steps; i++)
        n[i] = in->end->steps[i].n_skipped;
    if (in->skip_cause)
        skips_put(&said, in->info, n, in->skip_cause);
    if (said.len)
        buf_printf(out, "  skipped    %s\n", said.ptr);
    free(n);
    buf_deinit(&said);
}

/* Lines left for scopes: ten, less state, rows, instances, memory, slowest, skipped or next, the
 * seed that the caller adds, and one for the count of those left out. */
enum { MAX_SCOPE_LINES = 2 }; /* a budget takes one of them */

static bool has_passed(const SummaryInput *in, uint32_t scope)
{
    const ScopeCount *c = &in->end->scopes[scope];
    return c->n_overdrafts || c->peak_live > in->info->scopes[scope].bound;
}

static void scopes_put(Buf *out, const SummaryInput *in)
{
    uint32_t n = in->info->n_scopes - 1, n_put = 0, n_passed = 0;
    uint32_t max = in->end->memory.budget_bytes ? MAX_SCOPE_LINES - 1 : MAX_SCOPE_LINES;
    if (n == max + 1) /* it takes the line that would count it */
        max = n;
    /* First those that passed their bound: what is left out is in order, or said not to be. */
    for (int is_fine = 0; is_fine < 2; is_fine++)
        for (uint32_t s = 1; s <= n; s++) {
            if (has_passed(in, s) != !is_fine)
                continue;
            n_passed += !is_fine;
            if (n_put < max) {
                scope_put(out, in, s);
                n_put++;
            }
        }
    if (n_put == n)
        return;
    buf_printf(out, "             + %u more generators, ", n - n_put);
    if (n_passed > n_put)
        buf_printf(out, "%u of them with overdrafts or beyond the bound\n", n_passed - n_put);
    else
        buf_puts(out, "within their bounds\n");
}

/* What of the budget was used, and what went to temporary files. */
static void budget_put(Buf *out, const SummaryInput *in)
{
    const MemoryUse *m = &in->end->memory;
    if (m->budget_bytes == 0)
        return;
    buf_puts(out, "  budget     ");
    bytes_put(out, m->budget_bytes);
    buf_puts(out, ", peak ");
    bytes_put(out, m->peak_bytes);
    buf_puts(out, m->spilled_bytes ? ", spilled" : ", nothing spilled");
    const char *sep = " ";
    for (uint32_t i = 0; m->steps && i < in->info->n_steps; i++) {
        if (m->steps[i] == 0)
            continue;
        buf_puts(out, sep);
        count_put(out, m->step_rows[i]);
        buf_puts(out, m->step_rows[i] == 1 ? " row in " : " rows in ");
        bytes_put(out, m->steps[i]);
        buf_puts(out, " of ");
        buf_put_visible(out, in->info->steps[i].name);
        sep = ", ";
    }
    buf_putc(out, '\n');
    if (m->held_bytes == 0)
        return;
    buf_puts(out, "  beyond     that by ");
    bytes_put(out, m->peak_bytes - m->budget_bytes);
    buf_puts(out, " at the peak, when ");
    buf_put_visible(out, in->info->steps[m->held_by].name);
    buf_puts(out, " held ");
    bytes_put(out, m->held_bytes);
    buf_putc(out, '\n');
}

static void slowest_put(Buf *out, const SummaryInput *in)
{
    uint32_t slowest = 0;
    uint64_t all_ns = 0;
    for (uint32_t i = 0; in->step_busy_ns && i < in->info->n_steps; i++) {
        all_ns += in->step_busy_ns[i];
        if (in->step_busy_ns[i] > in->step_busy_ns[slowest])
            slowest = i;
    }
    if (all_ns == 0)
        return;
    buf_puts(out, "  slowest    ");
    buf_put_visible(out, in->info->steps[slowest].name);
    buf_puts(out, ", ");
    time_put(out, in->step_busy_ns[slowest]);
    buf_printf(out, ", %.0f %% of all work\n",
               100 * (double)in->step_busy_ns[slowest] / (double)all_ns);
}

/* Steps that send their bad rows to the same file, or nowhere, together; so the lines stay few. */
static void bad_rows_lines_put(Buf *out, const SummaryInput *in)
{
    const RunInfo *info = in->info;
    const BadRowCount *bad = in->end->bad_rows;
    for (uint32_t i = 0; bad && i < info->n_steps; i++) {
        BadRowCount all = {0};
        bool is_said = false;
        for (uint32_t k = 0; k < info->n_steps; k++) {
            if (!str_eq(info->steps[k].rejects, info->steps[i].rejects))
                continue;
            is_said |= k < i;
            all.n_skipped += bad[k].n_skipped;
            all.n_nulled += bad[k].n_nulled;
        }
        if (is_said || (!all.n_skipped && !all.n_nulled))
            continue;
        buf_puts(out, "  bad rows   ");
        bad_rows_put(out, all.n_skipped, all.n_nulled, info->steps[i].rejects);
        buf_putc(out, '\n');
    }
}

static bool has_failures(const SummaryInput *in)
{
    for (uint32_t i = 0; i < in->info->n_steps; i++)
        if (in->end->steps[i].n_failed)
            return true;
    return false;
}

static const char *state_phrase(RunState s)
{
    switch (s) {
    case RUN_DONE: return "done in ";
    case RUN_PARTIAL: return "partial: something failed and was skipped; took ";
    case RUN_FAILED: return "failed after ";
    case RUN_CANCELLED: return "cancelled after ";
    }
    return "";
}

void summary_put(const SummaryInput *in, Buf *out)
{
    buf_put_visible(out, in->info->job);
    bool only_rows = in->end->state == RUN_PARTIAL && !has_failures(in);
    buf_printf(out, " %s", only_rows ? "partial: bad rows were skipped; took " : state_phrase(in->end->state));
    time_put(out, in->end->t_ns);
    buf_printf(out, " on %u worker%s\n", in->info->n_workers,
               in->info->n_workers == 1 ? "" : "s");
    rows_put(out, in);
    bad_rows_lines_put(out, in);
    instances_put(out, in);
    scopes_put(out, in);
    if (in->peak_memory_bytes) {
        buf_puts(out, "  memory     peak ");
        bytes_put(out, in->peak_memory_bytes);
        buf_putc(out, '\n');
    }
    budget_put(out, in);
    slowest_put(out, in);
    skipped_put(out, in);
    if (in->next.len) {
        buf_puts(out, "  next       ");
        buf_put_visible(out, in->next);
        buf_putc(out, '\n');
    }
}
