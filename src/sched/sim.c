#include "sched/sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sched/retry.h"

/* What a worker is at: an instance or a fold, waiting or on a processor. */
typedef struct SimWorker {
    Instance *inst; /* NULL: idle */
    Fold fold;      /* is_folding */
    bool is_folding, is_on_cpu;
    bool is_late;   /* it ends because its timeout is over */
    uint64_t start_ns;
    uint64_t deadline_ns; /* then it is broken off, by its timeout; UINT64_MAX: never */
    uint64_t wait_end_ns; /* then it goes on a processor, or ends */
    double cpu_left_ns;   /* whole nanoseconds while nobody has to share */
    uint64_t cpu_ns;      /* all of it, for the trace */
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

static void fold_finish(Sim *s, const Fold *f, uint64_t start_ns)
{
    const SimModel *m = s->model;
    FoldResult r = m->fold ? m->fold(m->ctx, f->reader, f->child) : FOLD_MORE;
    TraceEvent e = instance_event(f->reader, TRACE_FOLD);
    e.frame = frame_id(instance_frame(f->child));
    e.value = start_ns;
    e.outcome = r == FOLD_FAILED ? OUTCOME_FAILED : OUTCOME_DONE;
    event_put(s, e);
    if (r == FOLD_FAILED)
        failure_note(s, f->reader);
    checked(s);
    graph_fold_end(s->graph, f, r, s->now_ns);
    checked(s);
}

/* Those that take no time need no worker. */
static void folds_run(Sim *s)
{
    Fold f;
    while (!s->model->fold_ns && graph_next_fold(s->graph, &f))
        fold_finish(s, &f, s->now_ns);
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

static bool is_retried(const Sim *s, const SimWorker *w)
{
    const SimModel *m = s->model;
    const Instance *i = w->inst;
    if (!w->is_late && m->gives_up && m->gives_up(m->ctx, i))
        return false;
    return instance_attempt(i) <= s->spec->steps[instance_step(i)].retry.n_more;
}

static Outcome outcome_of(const Sim *s, const SimWorker *w)
{
    const SimModel *m = s->model;
    const Instance *i = w->inst;
    const StepSpec *step = &s->spec->steps[instance_step(i)];
    uint32_t max_batches = s->spec->scopes[step->opens].max_batches;
    if (w->is_late || (m->fails && m->fails(m->ctx, i)))
        return is_retried(s, w) ? OUTCOME_RETRY : OUTCOME_FAILED;
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
    if (m->cpu_ns)
        e.info = trace_shares(w->cpu_ns, w->wait_end_ns - w->start_ns, s->now_ns - w->start_ns);
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

static void worker_start(Sim *s, SimWorker *w, uint64_t takes_ns, uint64_t cpu_ns)
{
    w->cpu_ns = cpu_ns < takes_ns ? cpu_ns : takes_ns;
    w->start_ns = s->now_ns;
    w->wait_end_ns = s->now_ns + (takes_ns - w->cpu_ns);
    w->cpu_left_ns = (double)w->cpu_ns;
    w->is_on_cpu = w->cpu_ns > 0 && w->cpu_ns == takes_ns;
    w->is_late = false;
    w->deadline_ns = UINT64_MAX;
}

static void instance_start(Sim *s, SimWorker *w, Instance *i)
{
    const SimModel *m = s->model;
    uint64_t timeout = s->spec->steps[instance_step(i)].timeout_ns;
    w->inst = i;
    w->is_folding = false;
    worker_start(s, w, m->duration_ns(m->ctx, i), m->cpu_ns ? m->cpu_ns(m->ctx, i) : 0);
    if (timeout && timeout < UINT64_MAX - s->now_ns)
        w->deadline_ns = s->now_ns + timeout;
    TraceEvent e = instance_event(i, TRACE_START);
    e.value = instance_ready_ns(i);
    e.info = instance_n_yielded(i);
    event_put(s, e);
    checked(s);
}

static void fold_start(Sim *s, SimWorker *w, const Fold *f)
{
    uint64_t takes_ns = s->model->fold_ns(s->model->ctx, f);
    w->inst = f->reader;
    w->fold = *f;
    w->is_folding = true;
    worker_start(s, w, takes_ns, takes_ns);
}

static void workers_start(Sim *s)
{
    for (uint32_t k = 0; k < s->options->n_workers; k++) {
        SimWorker *w = &s->workers[k];
        Instance *i;
        Fold f;
        s->current = k;
        if (w->inst)
            continue;
        if (s->model->fold_ns && graph_next_fold(s->graph, &f))
            fold_start(s, w, &f);
        else if ((i = graph_pick(s->graph)) != NULL)
            instance_start(s, w, i);
        else
            return;
    }
}

/* How fast processors are for each of those that want one; 1: full speed. */
static double cpu_speed(const Sim *s)
{
    uint32_t n = s->options->n_processors, n_wanting = 0;
    if (n == 0)
        return 1;
    for (uint32_t k = 0; k < s->options->n_workers; k++)
        n_wanting += s->workers[k].inst && s->workers[k].is_on_cpu;
    return n_wanting > n ? (double)n / n_wanting : 1;
}

/* When its waiting or its work is over if nothing changes until then. */
static uint64_t worker_part_ns(const Sim *s, const SimWorker *w, double speed)
{
    if (!w->is_on_cpu)
        return w->wait_end_ns;
    /* What rounding left of a nanosecond is no nanosecond. */
    double left = ceil(w->cpu_left_ns / speed - 1e-3);
    return s->now_ns + (left > 0 ? (uint64_t)left : 0);
}

/* The busy worker to which something happens first, the lowest of several; NULL if all are
 * idle. */
static SimWorker *next_worker(Sim *s, double speed, uint64_t *t_ns)
{
    SimWorker *first = NULL;
    for (uint32_t k = 0; k < s->options->n_workers; k++) {
        SimWorker *w = &s->workers[k];
        uint64_t t = w->inst ? worker_part_ns(s, w, speed) : UINT64_MAX;
        t = t < w->deadline_ns ? t : w->deadline_ns;
        if (w->inst && (!first || t < *t_ns)) {
            first = w;
            *t_ns = t;
        }
    }
    return first;
}

static void time_pass(Sim *s, double speed, uint64_t to_ns)
{
    double done = (double)(to_ns - s->now_ns) * speed;
    for (uint32_t k = 0; k < s->options->n_workers && done > 0; k++)
        if (s->workers[k].inst && s->workers[k].is_on_cpu)
            s->workers[k].cpu_left_ns -= done;
    s->now_ns = to_ns;
}

/* Its waiting is over, or its work, or its time. */
static void worker_step(Sim *s, SimWorker *w, double speed)
{
    s->current = (uint32_t)(w - s->workers);
    w->is_late = worker_part_ns(s, w, speed) > s->now_ns;
    if (!w->is_late && !w->is_on_cpu && w->cpu_ns > 0) {
        w->is_on_cpu = true;
        return;
    }
    w->is_on_cpu = false;
    s->out->busy_ns += s->now_ns - w->start_ns;
    if (!w->is_folding) {
        instance_finish(s, w);
        return;
    }
    w->inst = NULL;
    fold_finish(s, &w->fold, w->start_ns);
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
        double speed = cpu_speed(s);
        uint64_t next = s->now_ns;
        SimWorker *w = next_worker(s, speed, &next);
        bool timed = graph_next_timer(s->graph, &due) && (!w || due < next);
        if (timed)
            next = due;
        stop_if_asked(s, next);
        time_pass(s, speed, next);
        if (timed) {
            graph_advance(s->graph, next);
            checked(s);
        } else if (w) {
            worker_step(s, w, speed);
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
