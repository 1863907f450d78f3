/* How to read it: graph_int.h first; then from the bottom up graph_queue.c, graph_frame.c, graph_flow.c, and here the
 * calls of graph.h, of which each takes from the queues or tells what ended.
 */
#include "sched/graph_int.h"

#include <assert.h>
#include <stdlib.h>

#include "base/str.h"

/* ---- timers: a binary heap */

static void timer_add(Graph *g, Instance *i)
{
    if (g->n_timers == g->cap_timers) {
        g->cap_timers = g->cap_timers ? 2 * g->cap_timers : 16;
        g->timers = xrealloc(g->timers, g->cap_timers * sizeof *g->timers);
    }
    uint32_t k = g->n_timers++;
    while (k > 0 && i->ready_ns < g->timers[(k - 1) / 2]->ready_ns) {
        g->timers[k] = g->timers[(k - 1) / 2];
        k = (k - 1) / 2;
    }
    g->timers[k] = i;
}

static Instance *timer_take(Graph *g)
{
    Instance *first = g->timers[0], *last = g->timers[--g->n_timers];
    uint32_t k = 0, child;
    while ((child = 2 * k + 1) < g->n_timers) {
        if (child + 1 < g->n_timers &&
            g->timers[child + 1]->ready_ns < g->timers[child]->ready_ns)
            child++;
        if (last->ready_ns <= g->timers[child]->ready_ns)
            break;
        g->timers[k] = g->timers[child];
        k = child;
    }
    g->timers[k] = last;
    return first;
}

bool graph_next_timer(const Graph *g, uint64_t *due_ns)
{
    if (g->n_timers == 0 || g->is_stopping)
        return false;
    *due_ns = g->timers[0]->ready_ns;
    return true;
}

void graph_advance(Graph *g, uint64_t now_ns)
{
    while (g->n_timers > 0 && g->timers[0]->ready_ns <= now_ns) {
        Instance *i = timer_take(g);
        instance_arm(g, i, i->ready_ns);
    }
    doomed_drain(g, now_ns);
}

/* ---- opening, closing */

Graph *graph_open(const GraphSpec *spec, uint32_t n_workers, const GraphHooks *hooks)
{
    Graph *g = xcalloc(1, sizeof *g);
    if (hooks)
        g->hooks = *hooks;
    graph_tables_init(g, spec, n_workers);
    g->root = frame_alloc(g, 0);
    frame_init(g, g->root, NULL, 0, NULL);
    g->root->n_open--; /* it is no batch */
    g->root->insts[0].phase = PHASE_DONE;
    g->scopes[0].n_live = 1;
    g->scope_counts[0] = (ScopeCount){.n_batches = 1, .peak_live = 1};
    frame_start(g, g->root, 0);
    return g;
}

void graph_close(Graph *g)
{
    if (!g)
        return;
    assert(g->n_running == 0);
    frames_free(g, g->root);
    for (uint32_t c = 0; c < g->spec->n_scopes; c++) {
        Frame *next;
        for (Frame *f = g->scopes[c].free; f; f = next) {
            next = f->sibling_next;
            free(f);
        }
    }
    free(g->timers);
    graph_tables_deinit(g);
    free(g);
}

/* ---- dispatch */

static StepTable *best_open(const Graph *g)
{
    for (uint32_t w = 0; w < g->n_words; w++) {
        uint64_t m = g->ready[w] & g->open[w];
        if (m)
            return &g->steps[g->by_rank[w * 64 + (uint32_t)__builtin_clzll(m)]];
    }
    return NULL;
}

/* Nothing runs and nothing will by itself. */
static bool is_stuck(const Graph *g)
{
    return g->n_running == 0 && g->n_due == 0 && g->n_timers == 0 && g->n_queued > 0;
}

static bool has_credit(const Graph *g, const StepTable *s)
{
    return g->scopes[s->opens].n_credits_used < g->scopes[s->opens].credits;
}

/* The generator that gets a credit of overdraft, or goes on in spite of a pause: with nothing
 * running, every step that is ready and not open lacks a credit or is paused. One with a credit goes first. */
static StepTable *deepest_blocked(const Graph *g)
{
    StepTable *best = NULL;
    for (uint32_t r = 0; r < g->spec->n_steps; r++) {
        StepTable *s = &g->steps[g->by_rank[r]];
        if (!s->head)
            continue;
        if (has_credit(g, s))
            return s;
        if (!best || g->scopes[s->opens].depth > g->scopes[best->opens].depth)
            best = s;
    }
    return best;
}

static bool held_is_open(const Graph *g)
{
    return g->held && step_may_start(g, &g->steps[g->held->step]);
}

bool graph_has_work(const Graph *g)
{
    return !g->is_stopping && (best_open(g) || held_is_open(g) || is_stuck(g));
}

uint32_t graph_rank(const Graph *g, uint32_t step)
{
    return g->steps[step].rank;
}

bool graph_has_before(const Graph *g, uint32_t rank)
{
    const StepTable *best = best_open(g);
    if (g->is_stopping)
        return false;
    return (best && best->rank < rank) || (held_is_open(g) && g->steps[g->held->step].rank < rank);
}

static void gates_take(Graph *g, StepTable *s)
{
    if (s->opens)
        g->scopes[s->opens].n_credits_used++;
    if (s->spec->pool >= 0 &&
        ++g->pool_running[s->spec->pool] == g->spec->pools[s->spec->pool].size)
        gate_update_pool(g, s->spec->pool);
    if (s->spec->cap || s->opens)
        gate_update(g, s);
}

/* The head of the best queue; NULL if nothing may start. */
static Instance *queue_best(Graph *g)
{
    StepTable *s = best_open(g);
    if (!s) {
        if (!is_stuck(g))
            return NULL;
        s = deepest_blocked(g);
        if (!has_credit(g, s))
            g->scope_counts[s->opens].n_overdrafts++;
    }
    return queue_pop(g, s);
}

Instance *graph_pick(Graph *g)
{
    Instance *i;
    if (g->is_stopping)
        return NULL;
    if (g->held && held_is_best(g)) {
        i = held_take(g);
    } else {
        if (g->held)
            held_queue(g);
        if ((i = queue_best(g)) == NULL)
            return NULL;
    }
    StepTable *s = &g->steps[i->step];
    i->phase = PHASE_RUNNING;
    g->n_running++;
    s->n_running++;
    if (s->is_gated)
        gates_take(g, s);
    return i;
}

/* ---- what a dispatch came to */

/* From here to the end of the call. */
static void hold_next(Graph *g) { g->holds = g->held == NULL; }

void graph_done(Graph *g, Instance *i, uint64_t now_ns)
{
    assert(i->phase == PHASE_RUNNING && !g->steps[i->step].opens);
    slot_return(g, i);
    hold_next(g);
    instance_end(g, i, PHASE_DONE, now_ns);
    doomed_drain(g, now_ns);
    g->holds = false;
}

void graph_yield(Graph *g, Instance *i, void *batch, void *user, uint64_t now_ns)
{
    assert(i->phase == PHASE_RUNNING && g->steps[i->step].opens);
    slot_return(g, i);
    i->phase = PHASE_WAITING; /* so that its frame is seen to be open */
    hold_next(g);
    frame_open(g, i, batch, user, now_ns);
    g->holds = false;
    instance_arm(g, i, now_ns);
    doomed_drain(g, now_ns);
}

void graph_exhausted(Graph *g, Instance *i, uint64_t now_ns)
{
    assert(i->phase == PHASE_RUNNING && g->steps[i->step].opens);
    slot_return(g, i);
    credit_return(g, g->steps[i->step].opens);
    instance_end(g, i, PHASE_DONE, now_ns);
    doomed_drain(g, now_ns);
}

/* A dispatch that came to nothing gives back all that it took. */
static void dispatch_undo(Graph *g, Instance *i)
{
    assert(i->phase == PHASE_RUNNING);
    slot_return(g, i);
    if (g->steps[i->step].opens)
        credit_return(g, g->steps[i->step].opens);
    out_release(g, i);
}

void graph_cancelled(Graph *g, Instance *i, uint64_t now_ns)
{
    assert(g->is_stopping);
    dispatch_undo(g, i);
    instance_arm(g, i, now_ns);
    doomed_drain(g, now_ns);
}

void graph_retry(Graph *g, Instance *i, uint64_t now_ns, uint64_t due_ns)
{
    dispatch_undo(g, i);
    i->attempt++;
    g->step_counts[i->step].n_retries++;
    if (due_ns <= now_ns) {
        instance_arm(g, i, now_ns);
        doomed_drain(g, now_ns);
        return;
    }
    i->phase = PHASE_TIMED;
    i->ready_ns = due_ns;
    timer_add(g, i);
}

void graph_failed(Graph *g, Instance *i, uint64_t now_ns)
{
    dispatch_undo(g, i);
    if (g->steps[i->step].spec->on_failure == ON_FAILURE_FAIL) {
        /* What depends on it is not skipped but not started. */
        i->phase = PHASE_FAILED;
        count_end(g, i);
        graph_stop(g);
        return;
    }
    instance_end(g, i, PHASE_FAILED, now_ns);
    doomed_drain(g, now_ns);
}

/* ---- the state of it all */

bool graph_has_due(const Graph *g) { return (g->n_due | g->n_timers) != 0; }

void graph_pause(Graph *g, bool is_paused)
{
    if (g->is_paused == is_paused)
        return;
    g->is_paused = is_paused;
    for (uint32_t c = 1; c < g->spec->n_scopes; c++)
        gate_update(g, &g->steps[g->scopes[c].spec->generator]);
}

void graph_pause_scope(Graph *g, uint32_t scope, bool is_paused)
{
    ScopeTable *sc = &g->scopes[scope];
    if (sc->is_paused == is_paused || sc->spec->parent != 0 || sc->spec->in_flight != CREDITS_DEFAULT)
        return;
    sc->is_paused = is_paused;
    gate_update(g, &g->steps[sc->spec->generator]);
}

void graph_await(Graph *g, uint32_t step, bool is_awaited)
{
    StepTable *s = &g->steps[step];
    if (s->is_awaited == is_awaited)
        return;
    s->is_awaited = is_awaited;
    if (is_awaited)
        g->n_running++;
    else
        g->n_running--;
    gate_update(g, s);
}

bool graph_is_running(const Graph *g, uint32_t step) { return g->steps[step].n_running > 0; }

void graph_stop(Graph *g) { g->is_stopping = true; }

bool graph_is_stopping(const Graph *g) { return g->is_stopping; }

bool graph_is_over(const Graph *g)
{
    return g->n_running == 0 &&
           (g->is_stopping || (g->n_queued == 0 && g->n_timers == 0 && g->n_due == 0));
}

bool graph_is_complete(const Graph *g) { return g->root->n_open == 0; }

static void not_started_count(Graph *g, const Frame *f)
{
    const ScopeTable *sc = &g->scopes[f->scope];
    for (uint32_t k = 1; k < sc->n_slots; k++) {
        const Instance *i = &f->insts[k];
        if (!g->spec->steps[i->step].is_helper) /* nobody knows of them, and their number is chance */
            g->step_counts[i->step].n_not_started +=
                !phase_is_ended(i->phase) && i->n_yielded == 0;
    }
    for (uint32_t k = 0; k < sc->n_generators; k++)
        for (const Frame *c = f->children[k].first; c; c = c->sibling_next)
            not_started_count(g, c);
}

const StepCount *graph_steps(Graph *g)
{
    for (uint32_t k = 0; k < g->spec->n_steps; k++)
        g->step_counts[k].n_not_started = 0;
    if (graph_is_over(g))
        not_started_count(g, g->root);
    return g->step_counts;
}

const ScopeCount *graph_scopes(const Graph *g) { return g->scope_counts; }
