#include "sched/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sched/retry.h"

typedef struct SimWorker {
    Instance *inst; /* NULL: idle */
    uint64_t end_ns;
    bool is_late; /* it ends because its timeout is over */
} SimWorker;

typedef struct Sim {
    const GraphSpec *spec;
    const SimModel *model;
    const SimOptions *options;
    SimSummary *out;
    Graph *graph;
    SimWorker *workers;
    uint64_t now_ns;
    uint32_t current; /* worker whose event is being handled */
    uint64_t n_failures;
    bool is_failed, is_cancelled;
} Sim;

static void event_put(Sim *s, TraceEvent e)
{
    const Observer *o = s->options->observer;
    e.t_ns = s->now_ns;
    e.worker = (uint16_t)s->current;
    if (o)
        o->event(o->ctx, &e, NULL);
}

static TraceEvent instance_event(const Instance *i, TraceKind kind)
{
    return (TraceEvent){.kind = (uint8_t)kind,
                        .frame = frame_id(instance_frame(i)),
                        .step = (uint16_t)instance_step(i),
                        .attempt = (uint16_t)instance_attempt(i)};
}

static TraceEvent frame_event(const Sim *s, const Frame *f, TraceKind kind)
{
    return (TraceEvent){.kind = (uint8_t)kind,
                        .frame = frame_id(f),
                        .info = frame_index(f),
                        .step = (uint16_t)s->spec->scopes[frame_scope(f)].generator};
}

static void on_release(void *ctx, uint32_t step, void *out)
{
    const SimModel *m = ((Sim *)ctx)->model;
    if (m->release)
        m->release(m->ctx, step, out);
}

static void on_opened(void *ctx, const Frame *f, uint32_t n_live)
{
    Sim *s = ctx;
    TraceEvent e = frame_event(s, f, TRACE_OPEN);
    e.value = trace_pair(n_live, frame_id(frame_parent(f)));
    event_put(s, e);
}

static void on_closed(void *ctx, const Frame *f, uint32_t n_live)
{
    Sim *s = ctx;
    TraceEvent e = frame_event(s, f, TRACE_CLOSE);
    e.value = n_live;
    event_put(s, e);
}

static void on_skipped(void *ctx, const Instance *i, uint32_t cause_step)
{
    TraceEvent e = instance_event(i, TRACE_SKIP);
    e.info = cause_step;
    event_put(ctx, e);
}

static void checked(Sim *s)
{
    s->out->n_events++;
    if (s->options->check)
        graph_check(s->graph, s->options->limit);
}

static void failure_note(Sim *s, const Instance *i)
{
    s->n_failures++;
    s->is_failed |= s->spec->steps[instance_step(i)].on_failure == ON_FAILURE_FAIL;
}

static void folds_run(Sim *s)
{
    Fold f;
    while (graph_next_fold(s->graph, &f)) {
        FoldResult r =
            s->model->fold ? s->model->fold(s->model->ctx, f.reader, f.child) : FOLD_MORE;
        TraceEvent e = instance_event(f.reader, TRACE_FOLD);
        e.frame = frame_id(instance_frame(f.child));
        e.value = s->now_ns;
        e.outcome = r == FOLD_FAILED ? OUTCOME_FAILED : OUTCOME_DONE;
        event_put(s, e);
        if (r == FOLD_FAILED)
            failure_note(s, f.reader);
        checked(s);
        graph_fold_end(s->graph, &f, r, s->now_ns);
        checked(s);
    }
}

static void attempt_failed(Sim *s, Instance *i, bool is_retried)
{
    const StepSpec *step = &s->spec->steps[instance_step(i)];
    if (!is_retried) {
        failure_note(s, i);
        graph_failed(s->graph, i, s->now_ns);
        return;
    }
    uint64_t delay =
        retry_delay_ns(&step->retry, i, instance_attempt(i), s->model->seed);
    uint64_t due = delay > UINT64_MAX - s->now_ns ? UINT64_MAX : s->now_ns + delay;
    TraceEvent e = instance_event(i, TRACE_RETRY);
    e.value = due;
    event_put(s, e);
    graph_retry(s->graph, i, s->now_ns, due);
}

static Outcome outcome_of(const Sim *s, const SimWorker *w)
{
    const SimModel *m = s->model;
    const Instance *i = w->inst;
    const StepSpec *step = &s->spec->steps[instance_step(i)];
    uint32_t max_batches = s->spec->scopes[step->opens].max_batches;
    if (w->is_late || (m->fails && m->fails(m->ctx, i)))
        return instance_attempt(i) <= step->retry.n_more ? OUTCOME_RETRY : OUTCOME_FAILED;
    if (!step->opens)
        return OUTCOME_DONE;
    if (!m->has_batch(m->ctx, i))
        return OUTCOME_EXHAUSTED;
    return max_batches && instance_n_yielded(i) >= max_batches ? OUTCOME_FAILED
                                                               : OUTCOME_YIELDED;
}

static void instance_finish(Sim *s, SimWorker *w)
{
    const SimModel *m = s->model;
    Instance *i = w->inst;
    Outcome outcome = outcome_of(s, w);
    bool puts_out = outcome == OUTCOME_DONE || outcome == OUTCOME_YIELDED;
    void *out = puts_out && m->output ? m->output(m->ctx, i) : NULL;
    TraceEvent e = instance_event(i, TRACE_END);
    e.outcome = (uint8_t)outcome;
    event_put(s, e);
    w->inst = NULL;
    switch (outcome) {
    case OUTCOME_DONE:
        instance_set_out(i, out);
        graph_done(s->graph, i, s->now_ns);
        break;
    case OUTCOME_YIELDED: graph_yield(s->graph, i, out, NULL, s->now_ns); break;
    case OUTCOME_EXHAUSTED: graph_exhausted(s->graph, i, s->now_ns); break;
    case OUTCOME_FAILED: attempt_failed(s, i, false); break;
    case OUTCOME_RETRY: attempt_failed(s, i, true); break;
    }
    checked(s);
    folds_run(s);
}

static void instance_start(Sim *s, SimWorker *w, Instance *i)
{
    uint64_t takes = s->model->duration_ns(s->model->ctx, i);
    uint64_t timeout = s->spec->steps[instance_step(i)].timeout_ns;
    w->is_late = timeout && takes > timeout;
    if (w->is_late)
        takes = timeout;
    w->inst = i;
    w->end_ns = s->now_ns + takes;
    s->out->busy_ns += takes;
    TraceEvent e = instance_event(i, TRACE_START);
    e.value = instance_ready_ns(i);
    e.info = instance_n_yielded(i);
    event_put(s, e);
    checked(s);
}

static void workers_start(Sim *s)
{
    for (uint32_t k = 0; k < s->options->n_workers; k++) {
        Instance *i;
        s->current = k;
        if (s->workers[k].inst)
            continue;
        if ((i = graph_pick(s->graph)) == NULL)
            return;
        instance_start(s, &s->workers[k], i);
    }
}

/* The busy worker that ends first, the lowest of several; NULL if all are idle. */
static SimWorker *next_end(Sim *s)
{
    SimWorker *first = NULL;
    for (uint32_t k = 0; k < s->options->n_workers; k++) {
        SimWorker *w = &s->workers[k];
        if (w->inst && (!first || w->end_ns < first->end_ns))
            first = w;
    }
    return first;
}

static void stop_if_asked(Sim *s, uint64_t next_ns)
{
    uint64_t stop = s->options->stop_ns;
    if (stop == 0 || next_ns < stop || s->is_cancelled)
        return;
    s->is_cancelled = true;
    graph_stop(s->graph);
}

static void sim_loop(Sim *s)
{
    for (;;) {
        uint64_t due;
        folds_run(s);
        /* What is due at this very moment takes part in the choice, as in the pool. */
        if (graph_next_timer(s->graph, &due) && due <= s->now_ns) {
            graph_advance(s->graph, s->now_ns);
            checked(s);
        }
        workers_start(s);
        if (graph_is_over(s->graph))
            return;
        SimWorker *w = next_end(s);
        bool timed = graph_next_timer(s->graph, &due) && (!w || due < w->end_ns);
        uint64_t next = timed ? due : w ? w->end_ns : s->now_ns;
        stop_if_asked(s, next);
        s->now_ns = next;
        if (timed) {
            graph_advance(s->graph, next);
            checked(s);
        } else if (w) {
            s->current = (uint32_t)(w - s->workers);
            instance_finish(s, w);
        }
    }
}

static RunState run_state(const Sim *s)
{
    if (s->is_failed)
        return RUN_FAILED;
    if (s->is_cancelled && !graph_is_complete(s->graph))
        return RUN_CANCELLED;
    return s->n_failures ? RUN_PARTIAL : RUN_DONE;
}

static void *copy(const void *from, size_t bytes)
{
    return memcpy(xmalloc(bytes), from, bytes);
}

void sim_run(const GraphSpec *spec, const SimModel *model, const SimOptions *options,
             SimSummary *out)
{
    Sim s = {.spec = spec, .model = model, .options = options, .out = out};
    GraphHooks hooks = {.ctx = &s,
                        .release_out = on_release,
                        .opened = on_opened,
                        .closed = on_closed,
                        .skipped = on_skipped};
    *out = (SimSummary){.state = RUN_DONE};
    s.workers = xcalloc(options->n_workers, sizeof *s.workers);
    s.graph = graph_open(spec, options->n_workers, &hooks);
    sim_loop(&s);
    out->state = run_state(&s);
    out->makespan_ns = s.now_ns;
    out->steps = copy(graph_steps(s.graph), spec->n_steps * sizeof *out->steps);
    out->scopes = copy(graph_scopes(s.graph), spec->n_scopes * sizeof *out->scopes);
    graph_close(s.graph);
    free(s.workers);
}

void sim_summary_deinit(SimSummary *s)
{
    free(s->steps);
    free(s->scopes);
}
