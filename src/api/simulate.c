/* simulate.c - a job on the virtual clock: its graph, a model of its times, a recording of what
 * would happen. */
#include "api/mill.h"

#include <stdlib.h>
#include <string.h>

#include "api/sim_model.h"
#include "api/sim_words.h"
#include "plan/expect.h"
#include "report/format.h"
#include "run/spec.h"

/* Instances below that: what threads cost each other counts. */
#define SHORT_NS 10000

struct MillSim {
    Arena *arena;
    const Plan *plan;
    GraphSpec spec;
    StepSpec *steps;            /* spec.steps */
    int32_t *priorities;        /* [n_steps] of the language, as simulated */
    BatchCount *batches;        /* [n_scopes] */
    Duration *durations;        /* [n_steps]; NULL: recorded */
    bool *is_written;           /* [n_steps] durations that were */
    Recorded *recorded;
    Str recorded_job;
    uint32_t recorded_workers, recorded_processors;
    uint64_t recorded_ns;
    uint32_t n_processors;
    uint64_t seed;
};

/* ---- is the trace one of this job? */

static int32_t step_named(const RunInfo *info, Str name)
{
    for (uint32_t i = 0; i < info->n_steps; i++)
        if (str_eq(info->steps[i].name, name))
            return (int32_t)i;
    return -1;
}

/* Whose batches a step runs for; empty: it runs once. */
static Str recorded_place(const RunInfo *info, uint32_t step)
{
    uint32_t scope = info->steps[step].scope;
    return scope ? info->steps[info->scopes[scope].generator].name : (Str){0};
}

static Str planned_place(const GraphSpec *g, uint32_t step)
{
    uint32_t scope = g->steps[step].scope;
    return scope ? g->steps[g->scopes[scope].generator].name : (Str){0};
}

static Status other_job(const MillSim *s, const RunInfo *info, Error *err, Str step,
                        const char *what)
{
    return error_set(err, ERR_DATA,
                     "this is a trace of job `%.*s` of %.*s: its step `%.*s` %s `%.*s` of %.*s\n"
                     "`pipemill run %.*s %.*s --trace run.json` writes one that fits",
                     STR_ARG(info->job), STR_ARG(info->file), STR_ARG(step), what,
                     STR_ARG(s->plan->job), STR_ARG(s->plan->file), STR_ARG(s->plan->file),
                     STR_ARG(s->plan->job));
}

/* Jobs with the same steps are the same to a simulation, whatever their names and priorities. */
static Status steps_match(const MillSim *s, const Recording *run, uint32_t *step_of, Error *err)
{
    const RunInfo *info = &run->info;
    const GraphSpec *g = &s->spec;
    for (uint32_t i = 0; i < info->n_steps; i++) {
        bool found = false;
        for (uint32_t k = 0; k < g->n_steps && !found; k++)
            found = str_eq(g->steps[k].name, info->steps[i].name);
        if (!found)
            return other_job(s, info, err, info->steps[i].name, "is not in");
    }
    for (uint32_t i = 0; i < g->n_steps; i++) {
        int32_t at = step_named(info, g->steps[i].name);
        if (at < 0)
            return error_set(err, ERR_DATA,
                             "this is a trace of job `%.*s` of %.*s: it has no step `%.*s`, "
                             "which `%.*s` of %.*s has",
                             STR_ARG(info->job), STR_ARG(info->file), STR_ARG(g->steps[i].name),
                             STR_ARG(s->plan->job), STR_ARG(s->plan->file));
        step_of[i] = (uint32_t)at;
        if ((g->steps[i].opens != 0) != (info->steps[at].child_scope != 0) ||
            !str_eq(planned_place(g, i), recorded_place(info, (uint32_t)at)))
            return other_job(s, info, err, g->steps[i].name, "runs for other batches than in");
    }
    return OK;
}

/* ---- what is given */

static Status batches_complete(MillSim *s, Error *err)
{
    for (uint32_t c = 1; c < s->spec.n_scopes; c++) {
        BatchCount *b = &s->batches[c];
        uint32_t generator = s->spec.scopes[c].generator;
        if (b->is_known || s->recorded)
            continue;
        b->is_known = range_batches(s->plan->steps[generator], &b->n);
        if (!b->is_known) {
            Str name = s->spec.steps[generator].name;
            return error_set(err, ERR_DATA,
                             "nothing says how many batches `%.*s` gives\n"
                             "add `--batches N`, or `--batches %.*s=N`",
                             STR_ARG(name), STR_ARG(name));
        }
    }
    return OK;
}

static Status priorities_set(MillSim *s, Str text, Error *err)
{
    uint32_t n = s->spec.n_steps;
    int32_t *priority = arena_array(s->arena, int32_t, n);
    bool *is_given = arena_array(s->arena, bool, n);
    Status st = priorities_read(&s->spec, text, priority, is_given, err);
    for (uint32_t i = 0; i < n && st == OK; i++) {
        if (!is_given[i])
            continue;
        s->priorities[i] = priority[i];
        /* The lowest bit puts the rest of a generator's op before the generator: plan.h. */
        s->steps[i].priority = 2 * priority[i] + (s->steps[i].priority & 1);
        s->steps[i].has_priority = true;
    }
    return st;
}

static Status times_set(MillSim *s, const MillSimOptions *o, Error *err)
{
    uint32_t n = s->spec.n_steps;
    if (!o->from) {
        s->durations = arena_array(s->arena, Duration, n);
        return durations_read(&s->spec, o->durations, s->durations, s->is_written, err);
    }
    uint32_t *step_of = arena_array(s->arena, uint32_t, n);
    Status st = steps_match(s, o->from, step_of, err);
    if (st != OK)
        return st;
    s->recorded = recorded_make(s->arena, &s->spec, o->from, step_of);
    s->recorded_job = arena_str(s->arena, o->from->info.job);
    s->recorded_workers = o->from->info.n_workers;
    s->recorded_processors = o->from->info.n_processors;
    s->recorded_ns = o->from->t_ns;
    return OK;
}

Status mill_sim_open(Mill *m, uint32_t job, const MillSimOptions *o, MillSim **out, Error *err)
{
    Arena *a = arena_open();
    MillSim *s = arena_new(a, MillSim);
    s->arena = a;
    s->plan = m->plans[job];
    s->spec = *plan_graph(a, s->plan);
    uint32_t n = s->spec.n_steps;
    s->steps = arena_array(a, StepSpec, n);
    s->priorities = arena_array(a, int32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        s->steps[i] = s->spec.steps[i];
        s->priorities[i] = s->plan->steps[i]->priority;
    }
    s->spec.steps = s->steps;
    s->batches = arena_array(a, BatchCount, s->spec.n_scopes);
    s->is_written = arena_array(a, bool, n);
    s->seed = o->seed;
    Status st = priorities_set(s, o->priorities, err);
    if (st == OK)
        st = times_set(s, o, err);
    if (st == OK)
        st = batches_read(&s->spec, o->batches, s->batches, err);
    if (st == OK)
        st = batches_complete(s, err);
    s->n_processors = o->n_processors          ? o->n_processors
                      : s->recorded_processors ? s->recorded_processors
                                               : processors_online();
    if (st != OK) {
        mill_sim_close(s);
        return st;
    }
    *out = s;
    return OK;
}

void mill_sim_close(MillSim *s)
{
    if (s)
        arena_close(s->arena);
}

/* ---- one setting */

typedef struct Events {
    TraceEvent *list;
    size_t n, cap;
} Events;

static void keep_event(void *ctx, const TraceEvent *e, const Error *err)
{
    Events *events = ctx;
    (void)err;
    if (events->n == events->cap) {
        events->cap = events->cap ? 2 * events->cap : 1024;
        events->list = xrealloc(events->list, events->cap * sizeof *events->list);
    }
    events->list[events->n++] = *e;
}

static uint32_t workers_of(const MillSim *s, uint32_t asked)
{
    if (asked == 0 && s->recorded)
        return s->recorded_workers;
    return plan_workers(s->plan, asked);
}

/* Of a path. */
static Str last_part(Str path)
{
    uint32_t from = path.len;
    while (from && path.ptr[from - 1] != '/')
        from--;
    return str_slice(path, from, path.len);
}

static Recording *record(const MillSim *s, const GraphSpec *spec, const Bounds *bounds,
                         const SimSummary *summary, const Events *events)
{
    RunInfo *info = plan_run_info(s->arena, s->plan, spec, bounds);
    RunStep *steps = arena_array(s->arena, RunStep, info->n_steps);
    for (uint32_t i = 0; i < info->n_steps; i++) {
        steps[i] = info->steps[i];
        steps[i].priority = s->priorities[i];
    }
    info->steps = steps;
    info->file = arena_printf(s->arena, "%.*s (simulated)", STR_ARG(last_part(s->plan->file)));
    info->n_processors = s->n_processors;
    const RunEnd end = {.state = summary->state, .t_ns = summary->makespan_ns,
                        .steps = summary->steps, .scopes = summary->scopes};
    return recording_make(info, events->list, events->n, &end);
}

void mill_sim_go(MillSim *s, const MillSimSetting *setting, Forecast *out, Recording **recording)
{
    uint32_t n_workers = workers_of(s, setting->n_workers), n = s->spec.n_scopes;
    GraphSpec spec = s->spec;
    ScopeSpec *scopes = arena_array(s->arena, ScopeSpec, n);
    for (uint32_t c = 0; c < n; c++) {
        scopes[c] = spec.scopes[c];
        if (c && setting->in_flight)
            scopes[c].in_flight = setting->in_flight;
    }
    spec.scopes = scopes;
    TimeModel times = {.arena = s->arena, .spec = &spec, .seed = s->seed, .batches = s->batches,
                       .durations = s->durations, .recorded = s->recorded};
    SimModel model = time_model(&times);
    Events events = {0};
    Observer observer = {.ctx = &events, .event = keep_event};
    SimOptions options = {.n_workers = n_workers, .n_processors = s->n_processors,
                          .observer = recording ? &observer : NULL};
    SimSummary summary;
    Bounds *bounds = bounds_new(&spec, n_workers);
    sim_run(&spec, &model, &options, &summary);
    *out = (Forecast){.n_workers = n_workers, .state = summary.state,
                      .makespan_ns = summary.makespan_ns, .busy_ns = summary.busy_ns,
                      .n_scopes = n - 1,
                      .scopes = arena_array(s->arena, ForecastScope, n)};
    for (uint32_t c = 1; c < n; c++)
        out->scopes[c - 1] = (ForecastScope){
            .generator = spec.steps[spec.scopes[c].generator].name,
            .in_flight = bounds->scopes[c].credits,
            .bound = bounds->scopes[c].live,
            .count = summary.scopes[c]};
    if (recording)
        *recording = record(s, &spec, bounds, &summary, &events);
    bounds_free(bounds);
    sim_summary_deinit(&summary);
    free(events.list);
}

/* ---- what was assumed */

static bool wants_processors(const MillSim *s)
{
    bool wants = s->recorded != NULL;
    for (uint32_t i = 0; i < s->spec.n_steps && s->durations; i++)
        wants |= s->durations[i].is_cpu && s->durations[i].most_ns;
    return wants;
}

static void times_put(const MillSim *s, Buf *out)
{
    bool is_first = true;
    if (s->recorded) {
        buf_puts(out, "times       as in a run of ");
        buf_put_visible(out, s->recorded_job);
        buf_printf(out, " with %u worker%s that took ", s->recorded_workers,
                   s->recorded_workers == 1 ? "" : "s");
        time_put(out, s->recorded_ns);
        buf_puts(out, "; ");
        time_put(out, recorded_gap_ns(s->recorded));
        buf_puts(out, " between instances\n");
        return;
    }
    buf_puts(out, "times       as given");
    for (uint32_t i = 0; i < s->spec.n_steps; i++) {
        if (s->is_written[i])
            continue;
        if (is_first) {
            const Duration *d = &s->durations[i]; /* of all that are not named */
            buf_puts(out, "; ");
            if (d->most_ns)
                time_put(out, d->least_ns);
            else
                buf_putc(out, '0');
            if (d->most_ns != d->least_ns) {
                buf_puts(out, " to ");
                time_put(out, d->most_ns);
            }
            buf_puts(out, " for what is not named: ");
        }
        buf_puts(out, is_first ? "" : ", ");
        buf_put_visible(out, s->spec.steps[i].name);
        is_first = false;
    }
    buf_putc(out, '\n');
}

void mill_sim_put_notes(const MillSim *s, Buf *out)
{
    times_put(s, out);
    for (uint32_t c = 1; c < s->spec.n_scopes; c++) {
        uint32_t step = s->spec.scopes[c].generator;
        buf_puts(out, "batches     ");
        if (s->batches[c].is_known)
            count_put(out, s->batches[c].n);
        else
            count_put(out, recorded_batches(s->recorded, step));
        buf_puts(out, " of ");
        buf_put_visible(out, s->spec.steps[step].name);
        buf_puts(out, s->batches[c].is_known && s->spec.steps[step].scope ? ", each time\n" : "\n");
    }
    if (wants_processors(s))
        buf_printf(out, "processors  %u\n", s->n_processors);
    if (s->recorded && recorded_help_ns(s->recorded)) {
        buf_puts(out, "note        workers did ");
        time_put(out, recorded_help_ns(s->recorded));
        buf_puts(out, " of work for instances that ran on others; these take as long\n"
                      "            as they did with it here: with fewer workers they would take longer\n");
    }
    if (s->recorded && recorded_mean_ns(s->recorded) < SHORT_NS) {
        buf_puts(out, "note        an instance took ");
        time_put(out, recorded_mean_ns(s->recorded));
        buf_puts(out, " on the average: with instances as short as that workers also\n"
                      "            hold each other up, which is not predicted\n");
    }
}

Str mill_sim_file(const MillSim *s)
{
    return s->plan->file;
}
