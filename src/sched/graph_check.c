/* Counts everything again from what is there, and compares. */
#include "sched/graph_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

/* What has been counted over all frames. */
typedef struct Tally {
    const Graph *g;
    uint32_t *running; /* [n_steps] */
    uint32_t *queued;  /* [n_steps] */
    uint32_t *pools;   /* [n_pools] */
    uint32_t *live;    /* [n_scopes] */
    uint32_t *used;    /* [n_scopes] credits */
    uint32_t n_timed, n_folding, n_busy;
} Tally;

#define HOLDS(cond)                                                                      \
    do {                                                                                 \
        if (!(cond))                                                                     \
            broken(#cond, __LINE__);                                                     \
    } while (0)

static void broken(const char *what, int line)
{
    fprintf(stderr, "graph_check.c:%d: broken invariant: %s\n", line, what);
    abort();
}

/* Has it ended, and what hangs on it been told? A failure that stops the run tells nobody:
 * what depends on it is not started, not skipped. */
static bool is_settled(const Graph *g, const Instance *i)
{
    return phase_is_ended(i->phase) &&
           !(i->phase == PHASE_FAILED &&
             g->steps[i->step].spec->on_failure == ON_FAILURE_FAIL);
}

static const Instance *generator_in(const Graph *g, const Frame *f, uint32_t scope)
{
    return &f->insts[g->steps[g->spec->scopes[scope].generator].slot];
}

/* Uses of an output by the readers of one broadcast edge, at and below frame f. */
static uint32_t broadcast_uses(const Graph *g, const Frame *f, const OutEdge *e)
{
    uint32_t reader_scope = g->steps[e->to].spec->scope;
    if (f->scope == reader_scope)
        return !is_settled(g, &f->insts[e->slot]);
    uint32_t below = reader_scope;
    while (g->spec->scopes[below].parent != f->scope)
        below = g->spec->scopes[below].parent;
    const Instance *gen = generator_in(g, f, below);
    uint32_t n = !is_settled(g, gen);
    const Frame *c = f->children[g->steps[gen->step].i_children].first;
    for (; c; c = c->sibling_next)
        n += broadcast_uses(g, c, e);
    return n;
}

/* Has child c of f passed the sequence? */
static bool has_passed(const Seq *q, const Frame *f, const Frame *c)
{
    const Frame *next = f->turns[q->turn[f->scope]].next;
    return !next || next->index > c->index;
}

static uint32_t output_uses(const Graph *g, const Instance *i, bool is_batch)
{
    const StepTable *s = &g->steps[i->step];
    const Frame *f = i->frame;
    uint32_t n = !is_settled(g, i);
    if (s->spec->opens && !is_batch)
        return n;
    for (uint32_t k = 0; k < s->n_out; k++)
        n += s->out[k].kind == EDGE_PLAIN
                 ? !is_settled(g, &f->insts[s->out[k].slot])
                 : broadcast_uses(g, f, &s->out[k]);
    for (uint32_t k = 0; k < s->n_seqs; k++) {
        const Seq *q = &g->seqs[s->seqs[k]];
        if (q->leaf == q->top)
            n += f->turns[q->turn[f->scope]].next != NULL;
        else
            n += !has_passed(q, f->parent, f);
    }
    return n;
}

static uint32_t inputs_missing(const Graph *g, const Instance *i)
{
    const StepTable *s = &g->steps[i->step];
    const Frame *f = i->frame;
    uint32_t n = 0;
    for (uint32_t k = 0; k < s->n_in; k++) {
        const InEdge *in = &s->in[k];
        const Frame *up = f;
        for (uint32_t u = 0; u < in->up; u++)
            up = up->parent;
        if (in->kind != EDGE_GATHER)
            n += !is_settled(g, &up->insts[in->slot]);
    }
    for (uint32_t k = 0; k < g->scopes[f->scope].n_turns; k++) {
        const Seq *q = &g->seqs[f->turns[k].seq];
        if (!q->is_commit && q->reader == i->step)
            n += !f->turns[k].is_closed;
    }
    return n;
}

static void check_instance(Tally *t, const Instance *i, bool is_batch)
{
    const Graph *g = t->g;
    HOLDS(i->n_uses == output_uses(g, i, is_batch));
    t->n_folding += i->n_folds;
    switch ((Phase)i->phase) {
    case PHASE_WAITING:
        HOLDS(i->n_wait > 0 && i->n_wait == inputs_missing(g, i));
        break;
    case PHASE_READY: t->queued[i->step]++; break;
    case PHASE_RUNNING:
        t->running[i->step]++;
        if (g->steps[i->step].spec->pool >= 0)
            t->pools[g->steps[i->step].spec->pool]++;
        if (g->steps[i->step].spec->opens)
            t->used[g->steps[i->step].spec->opens]++;
        break;
    case PHASE_TIMED: t->n_timed++; break;
    case PHASE_DOOMED: HOLDS(i->n_folds > 0); break;
    case PHASE_DONE:
    case PHASE_FAILED:
    case PHASE_SKIPPED: break;
    }
}

static void check_frame(Tally *t, const Frame *f)
{
    const Graph *g = t->g;
    const ScopeTable *sc = &g->scopes[f->scope];
    uint32_t n_open = 0;
    t->live[f->scope]++;
    t->used[f->scope]++;
    for (uint32_t k = f->parent ? 0 : 1; k < sc->n_slots; k++) {
        check_instance(t, &f->insts[k], k == 0);
        n_open += f->insts[k].n_uses > 0;
    }
    for (uint32_t k = 0; k < sc->n_generators; k++) {
        const Frame *last = NULL;
        for (const Frame *c = f->children[k].first; c; c = c->sibling_next) {
            HOLDS(c->parent == f && c->sibling_prev == last);
            HOLDS(!last || last->index < c->index);
            check_frame(t, c);
            last = c;
            n_open++;
        }
        HOLDS(f->children[k].last == last);
    }
    for (uint32_t k = 0; k < sc->n_turns; k++) {
        const Seq *q = &g->seqs[f->turns[k].seq];
        t->n_busy += f->turns[k].is_busy;
        if (f->turns[k].top == f)
            n_open += !q->is_commit && !f->turns[k].is_closed;
        else
            n_open += !has_passed(q, f->parent, f);
    }
    HOLDS(f->n_open == n_open);
    HOLDS(n_open > 0 || !f->parent);
}

static void check_steps(const Tally *t)
{
    const Graph *g = t->g;
    uint32_t n_running = t->n_folding, n_queued = 0;
    for (uint32_t k = 0; k < g->spec->n_steps; k++) {
        const StepTable *s = &g->steps[k];
        uint64_t bit = rank_bit(s->rank);
        uint32_t n = 0;
        HOLDS(!!(g->ready[s->rank / 64] & bit) == (s->head != NULL));
        HOLDS(!!(g->open[s->rank / 64] & bit) == step_may_start(g, s));
        for (const Instance *i = s->head; i; i = i->next, n++) {
            HOLDS(i->phase == PHASE_READY && i->step == k);
            HOLDS(i->next ? i->next->prev == i : s->tail == i);
            HOLDS(!i->next || frame_before(i->frame, i->next->frame));
        }
        if (g->held && g->held->step == k) {
            HOLDS(g->held->phase == PHASE_READY);
            n++;
        }
        HOLDS(n == t->queued[k]);
        HOLDS(s->n_running == t->running[k]);
        HOLDS(!s->spec->cap || s->n_running <= s->spec->cap);
        n_running += s->n_running + s->is_awaited;
        n_queued += n;
    }
    HOLDS(g->n_running == n_running);
    HOLDS(g->n_queued == n_queued);
    HOLDS(g->n_timers == t->n_timed);
    for (uint32_t k = 0; k < g->spec->n_pools; k++)
        HOLDS(g->pool_running[k] == t->pools[k] &&
              t->pools[k] <= g->spec->pools[k].size);
}

/* A sequence is busy while its fold is due or runs. */
static void check_due(const Tally *t)
{
    uint32_t n = 0;
    for (const Turn *turn = t->g->due_first; turn; turn = turn->next_due, n++)
        HOLDS(turn->is_busy && (turn->next_due || turn == t->g->due_last));
    HOLDS(n == t->g->n_due);
    HOLDS(t->n_busy == n + t->n_folding);
}

static void check_scopes(const Tally *t, const uint64_t *limit)
{
    const Graph *g = t->g;
    for (uint32_t c = 1; c < g->spec->n_scopes; c++) {
        const ScopeTable *sc = &g->scopes[c];
        uint64_t extra = g->scope_counts[c].n_overdrafts;
        HOLDS(sc->n_live == t->live[c]);
        HOLDS(sc->n_credits_used == t->used[c]);
        HOLDS(sc->n_credits_used <= sc->credits + extra);
        /* A dispatched generator is counted with the batch that it goes for. */
        if (limit && limit[c] != UINT64_MAX)
            HOLDS(sc->n_credits_used <= limit[c] + extra);
    }
}

void graph_check(const Graph *g, const uint64_t *limit)
{
    Tally t = {.g = g};
    uint32_t n_steps = g->spec->n_steps, n_scopes = g->spec->n_scopes;
    uint32_t *counts =
        xcalloc(2 * (size_t)n_steps + 2 * (size_t)n_scopes + g->spec->n_pools, sizeof *counts);
    t.running = counts;
    t.queued = t.running + n_steps;
    t.live = t.queued + n_steps;
    t.used = t.live + n_scopes;
    t.pools = t.used + n_scopes;
    HOLDS(g->doomed == NULL);
    check_frame(&t, g->root);
    check_steps(&t);
    check_due(&t);
    check_scopes(&t, limit);
    free(counts);
}
