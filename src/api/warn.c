/* warn.c - what the scheduler has to say about a job before it runs, as diagnostics at the
 * stages that it concerns. */
#include "api/mill.h"
#include "run/spec.h"
#include "sched/bound.h"

static const DiagCode CODES[] = {
    [BOUND_WARN_MIXED_PRIORITY] = W_PRIORITY_MIXED, [BOUND_WARN_LOW_PRIORITY] = W_PRIORITY_LOW,
    [BOUND_WARN_IDLE_WORKERS] = W_IDLE_WORKERS,     [BOUND_WARN_UNBOUNDED] = W_UNBOUNDED,
    [BOUND_WARN_RETAINS] = W_RETAINS,
};

static void remedy(Mill *m, Diag *d, const Plan *plan, uint32_t n_workers, const BoundWarning *w)
{
    Str name = plan->steps[w->step]->name;
    switch (w->kind) {
    case BOUND_WARN_MIXED_PRIORITY: /* its text has it */
        break;
    case BOUND_WARN_LOW_PRIORITY: {
        const Step *gen = plan->steps[w->other];
        diag_help(&m->diags, d,
                  "give them priorities above %d, or none to any step: then later steps go first, "
                  "and batches go through to the end",
                  gen->priority);
        break;
    }
    case BOUND_WARN_IDLE_WORKERS:
        diag_help(&m->diags, d, "write `@in_flight(%u)` or more, or leave it out for %u",
                  n_workers, 4 * n_workers);
        break;
    case BOUND_WARN_UNBOUNDED:
        diag_help(&m->diags, d,
                  "`@in_flight(N)` bounds them; without it there are 4 for each worker");
        break;
    case BOUND_WARN_RETAINS:
        diag_help(&m->diags, d,
                  "read the source a second time for the collect, and `%.*s` need not wait with "
                  "all batches",
                  STR_ARG(name));
        break;
    }
}

static void warn_job(Mill *m, const Plan *plan)
{
    Arena *a = m->arena;
    /* How many workers there will be is known only if the job says so. */
    uint32_t n_workers = plan->max_concurrent ? plan->max_concurrent : 1;
    const GraphSpec *spec = plan_graph(a, plan);
    Bounds *bounds = bounds_new(spec, n_workers);
    Buf text = {0};
    for (uint32_t i = 0; i < bounds->n_warnings; i++) {
        const BoundWarning *w = &bounds->warnings[i];
        buf_clear(&text);
        bound_warning_text(&text, spec, n_workers, w);
        Diag *d = diag_add(&m->diags, CODES[w->kind], plan->steps[w->step]->span, "%.*s",
                           (int)text.len, text.ptr);
        if (w->other != SPEC_NO_STEP)
            diag_label(&m->diags, d, plan->steps[w->other]->span, "`%.*s`",
                       STR_ARG(plan->steps[w->other]->name));
        remedy(m, d, plan, n_workers, w);
    }
    buf_deinit(&text);
    bounds_free(bounds);
}

void mill_warn(Mill *m)
{
    if (m->diags.n_errors)
        return;
    for (uint32_t i = 0; i < m->jobs.n; i++)
        if (m->plans[i])
            warn_job(m, m->plans[i]);
}
