/* recordings.h - runs for the tests of reports: the three Pokémon jobs on a virtual clock,
 * and larger ones of the same shape. */
#ifndef PIPE_TESTS_RECORDINGS_H
#define PIPE_TESTS_RECORDINGS_H

#include "report/recording.h"
#include "sched/bound.h"
#include "sched/sim.h"
#include "sched_spec.h"

typedef struct Sample {
    TestSpec spec;
    uint32_t n_workers, n_batches;
    uint64_t pause_ns;
    uint32_t shares; /* of every instance: trace_shares; 0: not measured */
    uint64_t (*duration_ns)(void *ctx, const Instance *i); /* NULL: sample_duration */
    uint32_t fail_step, fail_key; /* the first attempt of it fails; step 0: none */
    /* what is recorded */
    TraceEvent *events;
    size_t n_events, cap_events;
} Sample;

static uint64_t sample_duration(void *ctx, const Instance *i)
{
    const Sample *s = ctx;
    Str name = s->spec.steps[instance_step(i)].name;
    if (str_starts(name, STR_LIT("transform")))
        return s->pause_ns;
    return str_starts(name, STR_LIT("extract")) ? 800000 : 300000;
}

static bool sample_has_batch(void *ctx, const Instance *i)
{
    return instance_n_yielded(i) < ((const Sample *)ctx)->n_batches;
}

static bool sample_fails(void *ctx, const Instance *i)
{
    const Sample *s = ctx;
    return s->fail_step && instance_step(i) == s->fail_step && instance_attempt(i) == 1 &&
           frame_index(instance_frame(i)) == s->fail_key;
}

static void sample_event(void *ctx, const TraceEvent *e, const Error *err)
{
    Sample *s = ctx;
    (void)err;
    if (s->n_events == s->cap_events) {
        s->cap_events = s->cap_events ? 2 * s->cap_events : 256;
        s->events = xrealloc(s->events, s->cap_events * sizeof *s->events);
    }
    s->events[s->n_events] = *e;
    if (e->kind == TRACE_END) {
        s->events[s->n_events].value = trace_pair(100, 100);
        if (s->shares)
            s->events[s->n_events].info = s->shares;
    }
    s->n_events++;
}

/* extract | map transform_1 | map transform_2 | map load; static: four steps in a row. */
static void sample_init(Sample *s, bool is_static, uint32_t n_workers, uint32_t n_batches,
                        uint64_t pause_ns)
{
    static const char *const names[] = {"transform_1", "transform_2", "load"};
    memset(s, 0, sizeof *s);
    s->n_workers = n_workers;
    s->n_batches = n_batches;
    s->pause_ns = pause_ns;
    spec_begin(&s->spec);
    uint32_t first = spec_step(&s->spec, 0, is_static ? "extract_all" : "extract");
    uint32_t scope = is_static ? 0 : spec_opens(&s->spec, first, CREDITS_DEFAULT);
    for (uint32_t k = 0; k < 3; k++)
        spec_input(&s->spec, spec_step(&s->spec, scope, names[k]), k);
}

static Recording *sample_record(Sample *s, const char *job)
{
    GraphSpec *spec = &s->spec.spec;
    SimModel model = {.ctx = s, .duration_ns = s->duration_ns ? s->duration_ns : sample_duration,
                      .has_batch = sample_has_batch, .fails = sample_fails};
    Observer observer = {.ctx = s, .event = sample_event};
    SimOptions options = {.n_workers = s->n_workers, .observer = &observer};
    SimSummary summary;
    Bounds *bounds = bounds_new(spec, s->n_workers);
    RunStep steps[MAX_STEPS];
    RunScope scopes[MAX_SCOPES];
    RunPool pools[2];
    for (uint32_t i = 0; i < spec->n_steps; i++)
        steps[i] = (RunStep){.name = spec->steps[i].name, .scope = spec->steps[i].scope,
                             .child_scope = spec->steps[i].opens,
                             .priority = spec->steps[i].priority,
                             .is_ordered = spec->steps[i].is_ordered,
                             .cap = spec->steps[i].cap,
                             .pool = (uint32_t)(spec->steps[i].pool + 1),
                             .n_inputs = spec->steps[i].n_inputs,
                             .inputs = spec->steps[i].inputs};
    for (uint32_t i = 0; i < spec->n_pools; i++)
        pools[i] = (RunPool){spec->pools[i].name, spec->pools[i].size};
    for (uint32_t i = 0; i < spec->n_scopes; i++)
        scopes[i] = (RunScope){.parent = spec->scopes[i].parent,
                               .generator = i ? spec->scopes[i].generator : RUN_NO_STEP,
                               .bound = bounds->scopes[i].live,
                               .credits = i ? bounds->scopes[i].credits : 0};
    for (uint32_t i = 0; i < spec->n_steps; i++)
        for (uint32_t k = 0; k < spec->steps[i].n_inputs; k++)
            if (spec_edge_kind(spec, spec->steps[i].inputs[k], i) == EDGE_GATHER)
                steps[i].is_collect = true;
    RunInfo info = {.file = STR_LIT("pokemon.pipe"), .job = str_of(job),
                    .n_workers = s->n_workers, .n_steps = spec->n_steps,
                    .n_scopes = spec->n_scopes, .steps = steps, .scopes = scopes,
                    .n_pools = spec->n_pools, .pools = pools};
    sim_run(spec, &model, &options, &summary);
    RunEnd end = {.state = summary.state, .t_ns = summary.makespan_ns,
                  .steps = summary.steps, .scopes = summary.scopes};
    Recording *r = recording_make(&info, s->events, s->n_events, &end);
    sim_summary_deinit(&summary);
    bounds_free(bounds);
    free(s->events);
    s->events = NULL;
    s->n_events = s->cap_events = 0;
    return r;
}

static const uint64_t SECOND = 1000000000;

static inline Recording *record_static(void)
{
    Sample s;
    sample_init(&s, true, 4, 0, SECOND);
    return sample_record(&s, "static");
}

static inline Recording *record_dynamic(void)
{
    Sample s;
    sample_init(&s, false, 4, 9, SECOND);
    s.spec.scopes[1].in_flight = CREDITS_UNBOUNDED;
    for (uint32_t k = 0; k < s.spec.spec.n_steps; k++)
        s.spec.steps[k].priority = 0;
    return sample_record(&s, "dynamic");
}

static inline Recording *record_prio_dynamic(void)
{
    Sample s;
    sample_init(&s, false, 4, 9, SECOND);
    return sample_record(&s, "prio_dynamic");
}

/* read, 0 to 1 s; sort, 1 to 5 s, of which worker 2 does a piece from 2 to 4 s and worker 3 one from 2 to 3 s; late, ready at 1 s, for
 * which worker 2 is free at 4 s, to 7 s; write, 5 to 6 s; then n_more steps on worker 3, 10 ms each. */
static inline Recording *record_helped(uint32_t n_more)
{
    enum { N = 4, MORE_AT_MOST = 60 };
    const uint64_t s = SECOND;
    static const uint32_t read[] = {0}, sort[] = {1};
    RunStep steps[N + MORE_AT_MOST] = {
        {.name = STR_LIT("read")},
        {.name = STR_LIT("sort"), .n_inputs = 1, .inputs = read},
        {.name = STR_LIT("late"), .n_inputs = 1, .inputs = read},
        {.name = STR_LIT("write"), .n_inputs = 1, .inputs = sort},
    };
    StepCount counts[N + MORE_AT_MOST];
    RunScope scope = {.generator = RUN_NO_STEP, .bound = UINT64_MAX};
    ScopeCount scope_count = {.n_batches = 1, .peak_live = 1};
    char names[MORE_AT_MOST][16];
    TraceEvent events[10 + 2 * MORE_AT_MOST] = {
        {.kind = TRACE_START, .attempt = 1},
        {.kind = TRACE_END, .attempt = 1, .t_ns = s},
        {.kind = TRACE_START, .attempt = 1, .t_ns = s, .value = s, .step = 1},
        {.kind = TRACE_HELP, .attempt = 1, .t_ns = 3 * s, .value = 2 * s, .step = 1, .worker = 2, .info = trace_shares(1, 1, 2)},
        {.kind = TRACE_HELP, .attempt = 1, .t_ns = 4 * s, .value = 2 * s, .step = 1, .worker = 1},
        {.kind = TRACE_START, .attempt = 1, .t_ns = 4 * s, .value = s, .step = 2, .worker = 1},
        {.kind = TRACE_END, .attempt = 1, .t_ns = 5 * s, .step = 1},
        {.kind = TRACE_START, .attempt = 1, .t_ns = 5 * s, .value = 5 * s, .step = 3},
        {.kind = TRACE_END, .attempt = 1, .t_ns = 6 * s, .step = 3},
        {.kind = TRACE_END, .attempt = 1, .t_ns = 7 * s, .step = 2, .worker = 1},
    };
    for (uint32_t k = 0; k < n_more; k++) {
        uint64_t at = 6 * s + k * s / 100;
        snprintf(names[k], sizeof names[k], "m%u", k);
        steps[N + k] = (RunStep){.name = str_of(names[k])};
        events[10 + 2 * k] = (TraceEvent){.kind = TRACE_START, .attempt = 1, .t_ns = at, .value = at, .step = (uint16_t)(N + k), .worker = 2};
        events[11 + 2 * k] = events[10 + 2 * k];
        events[11 + 2 * k].kind = TRACE_END;
        events[11 + 2 * k].t_ns += s / 100;
    }
    for (uint32_t k = 0; k < N + n_more; k++)
        counts[k] = (StepCount){.n_done = 1};
    RunInfo info = {.file = STR_LIT("pokemon.pipe"), .job = STR_LIT("helped"), .n_workers = 3, .n_steps = N + n_more, .n_scopes = 1,
                    .steps = steps, .scopes = &scope};
    RunEnd end = {.t_ns = 7 * s, .steps = counts, .scopes = &scope_count};
    return recording_make(&info, events, 10 + 2 * n_more, &end);
}

/* Three batches on two workers, of which transform_2[1] fails once and is tried again a second later. */
static inline Recording *record_retried(void)
{
    Sample s;
    sample_init(&s, false, 2, 3, SECOND);
    s.fail_step = 2;
    s.fail_key = 1;
    s.spec.steps[2].retry = (RetrySpec){.n_more = 1, .delay_ns = SECOND};
    return sample_record(&s, "retried");
}

#endif
