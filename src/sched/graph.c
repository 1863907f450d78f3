/* How to read it: graph_int.h first. From the bottom up: queues and gates; frames that
 * open and close; sequences that pass; instances that end; the calls of graph.h. A call
 * marks what it must skip (`doom`) and does the skipping last (`doomed_drain`), so that
 * nothing ends in the middle of something else.
 *
 * It is long because its parts call each other: what ends lets pass, opens and closes.
 */
#include "sched/graph_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void instance_end(Graph *g, Instance *i, Phase phase, uint64_t now_ns);

/* ---- queues and gates */

static void gate_update(Graph *g, StepTable *s)
{
    uint64_t bit = rank_bit(s->rank);
    if (step_may_start(g, s))
        g->open[s->rank / 64] |= bit;
    else
        g->open[s->rank / 64] &= ~bit;
}

static void gate_update_pool(Graph *g, int32_t pool)
{
    for (uint32_t k = 0; k < g->spec->n_steps; k++)
        if (g->steps[k].spec->pool == pool)
            gate_update(g, &g->steps[k]);
}

/* The gate of a generator hangs on who stands first in its queue. */
static void gate_update_turn(Graph *g, StepTable *s)
{
    if (s->opens && g->scopes[s->opens].turn_order != NO_INDEX)
        gate_update(g, s);
}

static void queue_insert(Graph *g, Instance *i)
{
    StepTable *s = &g->steps[i->step];
    Instance *after = s->tail;
    /* Instances come nearly in key order; one that was retried comes early or late. */
    if (after && frame_before(i->frame, after->frame)) {
        if (frame_before(i->frame, s->head->frame)) {
            after = NULL;
        } else {
            do {
                after = after->prev;
            } while (frame_before(i->frame, after->frame));
        }
    }
    i->prev = after;
    i->next = after ? after->next : s->head;
    *(i->next ? &i->next->prev : &s->tail) = i;
    *(after ? &after->next : &s->head) = i;
    g->ready[s->rank / 64] |= rank_bit(s->rank);
    g->n_queued++;
    gate_update_turn(g, s);
}

static void queue_remove(Graph *g, Instance *i)
{
    StepTable *s = &g->steps[i->step];
    *(i->prev ? &i->prev->next : &s->head) = i->next;
    *(i->next ? &i->next->prev : &s->tail) = i->prev;
    if (!s->head)
        g->ready[s->rank / 64] &= ~rank_bit(s->rank);
    g->n_queued--;
    gate_update_turn(g, s);
}

/* queue_remove of the head, which is what dispatch does all the time. */
static Instance *queue_pop(Graph *g, StepTable *s)
{
    Instance *i = s->head, *next = i->next;
    s->head = next;
    if (next) {
        next->prev = NULL;
    } else {
        s->tail = NULL;
        g->ready[s->rank / 64] &= ~rank_bit(s->rank);
    }
    g->n_queued--;
    return i;
}

/* ---- the instance that a worker goes straight on with */

/* From here to the end of the call. */
static void hold_next(Graph *g) { g->holds = g->held == NULL; }

static void held_queue(Graph *g)
{
    Instance *i = g->held;
    g->held = NULL;
    g->n_queued--;
    queue_insert(g, i);
}

/* Is it the best of the ready, and may it start? */
static bool held_is_best(const Graph *g)
{
    const StepTable *s = &g->steps[g->held->step];
    uint32_t word = s->rank / 64;
    uint64_t bit = rank_bit(s->rank), not_better = bit | (bit - 1);
    if (!(g->open[word] & bit) || g->ready[word] & bit)
        return false;
    for (uint32_t w = 0; w < word; w++)
        if (g->ready[w] & g->open[w])
            return false;
    return !(g->ready[word] & g->open[word] & ~not_better);
}

static Instance *held_take(Graph *g)
{
    Instance *i = g->held;
    g->held = NULL;
    g->n_queued--;
    return i;
}

static void instance_arm(Graph *g, Instance *i, uint64_t now_ns)
{
    if (i->has_enough) {
        instance_end(g, i, PHASE_DONE, now_ns);
        return;
    }
    i->phase = PHASE_READY;
    i->ready_ns = now_ns;
    const StepTable *s = &g->steps[i->step];
    bool may_hold = !s->opens || g->scopes[s->opens].turn_order == NO_INDEX;
    if (g->holds && may_hold) {
        g->holds = false;
        g->held = i;
        g->n_queued++;
    } else {
        queue_insert(g, i);
    }
}

static void input_arrived(Graph *g, Instance *i, uint64_t now_ns)
{
    if (i->phase == PHASE_WAITING && --i->n_wait == 0)
        instance_arm(g, i, now_ns);
}

static void credit_return(Graph *g, uint32_t scope)
{
    ScopeTable *sc = &g->scopes[scope];
    if (sc->n_credits_used-- == sc->credits || sc->turn_order != NO_INDEX)
        gate_update(g, &g->steps[sc->spec->generator]);
}

/* What dispatch took, except the credit of a generator. */
static void slot_return(Graph *g, Instance *i)
{
    StepTable *s = &g->steps[i->step];
    g->n_running--;
    s->n_running--;
    if (!s->is_limited)
        return;
    if (s->n_running + 1 == s->spec->cap)
        gate_update(g, s);
    if (s->spec->pool >= 0) {
        uint32_t size = g->spec->pools[s->spec->pool].size;
        if (g->pool_running[s->spec->pool]-- == size)
            gate_update_pool(g, s->spec->pool);
    }
}

/* ---- what must be skipped */

static void doomed_push(Graph *g, Instance *i)
{
    i->next = g->doomed;
    g->doomed = i;
}

static void doom(Graph *g, Instance *i, Phase fate, uint32_t cause)
{
    if (i->phase != PHASE_WAITING)
        return;
    i->phase = PHASE_DOOMED;
    i->fate = (uint8_t)fate;
    i->cause = cause;
    if (i->n_folds == 0) /* else graph_fold_end comes back to it */
        doomed_push(g, i);
}

static void doomed_drain(Graph *g, uint64_t now_ns)
{
    while (g->doomed) {
        Instance *i = g->doomed;
        g->doomed = i->next;
        instance_end(g, i, (Phase)i->fate, now_ns);
    }
}

/* ---- frames close */

static void frame_close(Graph *g, Frame *f)
{
    Frame *parent = f->parent;
    ScopeTable *sc = &g->scopes[f->scope];
    Children *among = &parent->children[g->steps[sc->spec->generator].i_children];
    *(f->sibling_prev ? &f->sibling_prev->sibling_next : &among->first) = f->sibling_next;
    *(f->sibling_next ? &f->sibling_next->sibling_prev : &among->last) = f->sibling_prev;
    sc->n_live--;
    credit_return(g, f->scope);
    if (g->hooks.closed)
        g->hooks.closed(g->hooks.ctx, f, sc->n_live);
    f->sibling_next = sc->free;
    sc->free = f;
}

/* Drops one reason for a frame to stay, and closes what has none left. */
static void frame_drop(Graph *g, Frame *f)
{
    while (--f->n_open == 0 && f->parent) {
        Frame *parent = f->parent;
        frame_close(g, f);
        f = parent;
    }
}

static void out_release(Graph *g, Instance *i)
{
    void *out = i->out;
    i->out = NULL;
    if (out && g->hooks.release_out)
        g->hooks.release_out(g->hooks.ctx, i->step, out);
}

static void state_release(Graph *g, Instance *i)
{
    void *state = i->state;
    i->state = NULL;
    if (state && g->hooks.release_state)
        g->hooks.release_state(g->hooks.ctx, i->step, state);
}

static void use_drop(Graph *g, Instance *i)
{
    if (--i->n_uses == 0) {
        out_release(g, i);
        frame_drop(g, i->frame);
    }
}

/* ---- sequences */

static Turn *seq_turn(const Seq *q, Frame *f) { return &f->turns[q->turn[f->scope]]; }

/* The instance in `f` of the generator that opens the next scope on q's way down. */
static Instance *seq_generator(Graph *g, const Seq *q, Frame *f)
{
    uint32_t gen = g->spec->scopes[q->below[f->scope]].generator;
    return &f->insts[g->steps[gen].slot];
}

/* Whose turn it is has changed. */
static void turn_moved(Graph *g, const Seq *q)
{
    if (!q->has_last_credits)
        return;
    for (uint32_t c = 1; c < g->spec->n_scopes; c++)
        if (g->scopes[c].turn_order != NO_INDEX && &g->seqs[g->scopes[c].turn_order] == q)
            gate_update(g, &g->steps[g->scopes[c].spec->generator]);
}

/* The frame whose turn it is, once its output is there (or will never be); else NULL.
 * Frames in between whose children have all passed are passed on the way. */
static Frame *seq_front(Graph *g, const Seq *q, Frame *top)
{
    Frame *f = top;
    for (;;) {
        Frame *c = seq_turn(q, f)->next;
        if (c && c->scope == q->leaf)
            return phase_is_ended(c->insts[q->slot].phase) ? c : NULL;
        if (c) {
            f = c;
            continue;
        }
        if (f == top || !phase_is_ended(seq_generator(g, q, f)->phase))
            return NULL;
        Frame *parent = f->parent;
        seq_turn(q, parent)->next = f->sibling_next;
        turn_moved(g, q);
        frame_drop(g, f);
        f = parent;
    }
}

static void seq_pass(Graph *g, const Seq *q, Frame *c)
{
    if (q->is_commit)
        state_release(g, &c->insts[q->slot]);
    if (q->leaf == q->top)
        seq_turn(q, c)->next = NULL;
    else
        seq_turn(q, c->parent)->next = c->sibling_next;
    turn_moved(g, q);
    use_drop(g, &c->insts[q->slot]);
}

static Instance *seq_reader(Graph *g, const Seq *q, Frame *top)
{
    return &top->insts[g->steps[q->reader].slot];
}

/* Lets pass what can, up to the first that must be folded; tells the collecting instance
 * when all are in. */
static void seq_poke(Graph *g, uint32_t seq, Frame *top, uint64_t now_ns)
{
    const Seq *q = &g->seqs[seq];
    Turn *turn = seq_turn(q, top);
    Frame *c;
    if (turn->is_busy)
        return;
    while ((c = seq_front(g, q, top)) != NULL) {
        bool wanted =
            c->insts[q->slot].phase == PHASE_DONE &&
            (q->is_commit || seq_reader(g, q, top)->phase == PHASE_WAITING);
        if (wanted) {
            turn->is_busy = true;
            turn->next_due = NULL;
            *(g->due_last ? &g->due_last->next_due : &g->due_first) = turn;
            g->due_last = turn;
            g->n_due++;
            return;
        }
        seq_pass(g, q, c);
    }
    if (q->is_commit || turn->is_closed || turn->next)
        return;
    const Instance *gen = seq_generator(g, q, top);
    if (!phase_is_ended(gen->phase))
        return;
    turn->is_closed = true;
    if (gen->phase == PHASE_SKIPPED)
        doom(g, seq_reader(g, q, top), PHASE_SKIPPED, gen->cause);
    else
        input_arrived(g, seq_reader(g, q, top), now_ns);
    frame_drop(g, top);
}

static Frame *seq_top(const Graph *g, uint32_t seq, Frame *f)
{
    return frame_up(f, g->scopes[f->scope].depth - g->scopes[g->seqs[seq].top].depth);
}

static void seqs_poke(Graph *g, const uint32_t *seqs, uint32_t n, Frame *f,
                      uint64_t now_ns)
{
    for (uint32_t k = 0; k < n; k++)
        seq_poke(g, seqs[k], seq_top(g, seqs[k], f), now_ns);
}

/* ---- frames open */

static Frame *frame_alloc(Graph *g, uint32_t scope)
{
    ScopeTable *sc = &g->scopes[scope];
    Frame *f = sc->free;
    if (f) {
        sc->free = f->sibling_next;
        return f;
    }
    size_t insts = sc->n_slots * sizeof(Instance), turns = sc->n_turns * sizeof(Turn);
    char *at = xcalloc(1, sizeof *f + insts + turns + sc->n_generators * sizeof(Children));
    f = (Frame *)(void *)at;
    f->graph = g;
    f->scope = scope;
    f->depth = sc->depth;
    f->insts = (Instance *)(void *)(at + sizeof *f);
    f->turns = (Turn *)(void *)(at + sizeof *f + insts);
    f->children = (Children *)(void *)(at + sizeof *f + insts + turns);
    return f;
}

static void frame_init(Graph *g, Frame *f, Frame *parent, uint32_t index, void *user)
{
    ScopeTable *sc = &g->scopes[f->scope];
    f->parent = parent;
    f->sibling_prev = f->sibling_next = NULL;
    f->user = user;
    f->index = index;
    f->id = g->n_frames++;
    f->n_open = sc->n_slots + sc->n_holds;
    memcpy(f->insts, sc->fresh, sc->n_slots * sizeof *f->insts);
    for (uint32_t k = 0; k < sc->n_slots; k++)
        f->insts[k].frame = f;
    for (uint32_t k = 0; k < sc->n_turns; k++) {
        const Seq *q = &g->seqs[sc->turn_seq[k]];
        f->turns[k] = (Turn){.seq = sc->turn_seq[k],
                             .top = q->top == f->scope ? f : NULL,
                             .next = q->leaf == f->scope ? f : NULL};
    }
    if (sc->n_generators)
        memset(f->children, 0, sc->n_generators * sizeof *f->children);
}

/* Broadcast inputs of a fresh frame: each is there, or will come, or never will. */
static void frame_await_broadcasts(Graph *g, Instance *i)
{
    const StepTable *s = &g->steps[i->step];
    for (uint32_t k = 0; k < s->n_in; k++) {
        const InEdge *in = &s->in[k];
        if (in->kind != EDGE_BROADCAST)
            continue;
        const Instance *from = &frame_up(i->frame, in->up)->insts[in->slot];
        if (!phase_is_ended(from->phase))
            i->n_wait++;
        else if (from->phase != PHASE_DONE)
            doom(g, i, PHASE_SKIPPED,
                 from->phase == PHASE_FAILED ? from->step : from->cause);
    }
}

static void frame_start(Graph *g, Frame *f, uint64_t now_ns)
{
    ScopeTable *sc = &g->scopes[f->scope];
    for (uint32_t k = 0; k < sc->n_starters; k++) {
        Instance *i = &f->insts[sc->starters[k]];
        if (g->steps[i->step].has_broadcast)
            frame_await_broadcasts(g, i);
        if (i->phase == PHASE_WAITING && i->n_wait == 0)
            instance_arm(g, i, now_ns);
    }
}

static void frame_open(Graph *g, Instance *gen, void *batch, void *user, uint64_t now_ns)
{
    const StepTable *s = &g->steps[gen->step];
    uint32_t scope = s->opens;
    ScopeTable *sc = &g->scopes[scope];
    ScopeCount *count = &g->scope_counts[scope];
    Frame *parent = gen->frame, *f = frame_alloc(g, scope);
    frame_init(g, f, parent, gen->n_yielded++, user);
    parent->n_open++;
    Children *among = &parent->children[s->i_children];
    f->sibling_prev = among->last;
    *(among->last ? &among->last->sibling_next : &among->first) = f;
    among->last = f;
    count->n_batches++;
    if (++sc->n_live > count->peak_live)
        count->peak_live = sc->n_live;
    for (uint32_t k = 0; k < sc->n_carried; k++)
        frame_up(f, sc->carried[k].up)->insts[sc->carried[k].slot].n_uses++;
    for (uint32_t k = 0; k < sc->n_through; k++) {
        Turn *turn = seq_turn(&g->seqs[sc->through[k]], parent);
        if (!turn->next) {
            turn->next = f;
            turn_moved(g, &g->seqs[sc->through[k]]);
        }
    }
    if (g->hooks.opened)
        g->hooks.opened(g->hooks.ctx, f, sc->n_live);

    Instance *self = &f->insts[0];
    self->out = batch;
    self->phase = PHASE_DONE;
    self->n_uses = s->n_uses0;
    frame_start(g, f, now_ns);
    seqs_poke(g, s->seqs, s->n_seqs, f, now_ns);
    use_drop(g, self);
}

/* ---- instances end */

/* Scope on the way from scope `top` down to `leaf`, one below top. */
static uint32_t scope_below(const Graph *g, uint32_t top, uint32_t leaf)
{
    while (g->spec->scopes[leaf].parent != top)
        leaf = g->spec->scopes[leaf].parent;
    return leaf;
}

static void output_tell(Graph *g, Instance *from, Instance *to, uint64_t now_ns)
{
    if (from->phase == PHASE_DONE)
        input_arrived(g, to, now_ns);
    else
        doom(g, to, PHASE_SKIPPED,
             from->phase == PHASE_FAILED ? from->step : from->cause);
}

/* To the readers in all frames below that are there already. */
static void output_broadcast(Graph *g, Instance *from, Frame *f, const OutEdge *e,
                             uint64_t now_ns)
{
    uint32_t scope = scope_below(g, f->scope, g->steps[e->to].spec->scope);
    uint32_t gen = g->spec->scopes[scope].generator;
    for (Frame *c = f->children[g->steps[gen].i_children].first; c; c = c->sibling_next) {
        if (scope == g->steps[e->to].spec->scope)
            output_tell(g, from, &c->insts[e->slot], now_ns);
        else
            output_broadcast(g, from, c, e, now_ns);
    }
}

static void inputs_drop(Graph *g, Instance *i)
{
    const StepTable *s = &g->steps[i->step];
    for (uint32_t k = 0; k < s->n_in; k++) {
        const InEdge *in = &s->in[k];
        if (in->kind != EDGE_GATHER)
            use_drop(g, &frame_up(i->frame, in->up)->insts[in->slot]);
    }
}

static void count_end(Graph *g, const Instance *i)
{
    StepCount *count = &g->step_counts[i->step];
    if (i->phase == PHASE_DONE) {
        count->n_done++;
        return;
    }
    count->n_failed += i->phase == PHASE_FAILED;
    count->n_skipped += i->phase == PHASE_SKIPPED;
    if (i->phase == PHASE_SKIPPED && g->hooks.skipped)
        g->hooks.skipped(g->hooks.ctx, i, i->cause);
}

static void instance_end(Graph *g, Instance *i, Phase phase, uint64_t now_ns)
{
    const StepTable *s = &g->steps[i->step];
    Frame *f = i->frame;
    i->phase = (uint8_t)phase;
    count_end(g, i);
    if (i->state && !s->spec->is_ordered) /* its commit may need it: seq_pass */
        state_release(g, i);
    inputs_drop(g, i);
    if (s->opens) {
        const ScopeTable *opens = &g->scopes[s->opens];
        for (uint32_t k = 0; k < opens->n_carried; k++)
            use_drop(g, &frame_up(f, opens->carried[k].up - 1)
                             ->insts[opens->carried[k].slot]);
        seqs_poke(g, opens->through, opens->n_through, f, now_ns);
    } else {
        for (uint32_t k = 0; k < s->n_out; k++) {
            const OutEdge *e = &s->out[k];
            if (e->kind == EDGE_PLAIN)
                output_tell(g, i, &f->insts[e->slot], now_ns);
            else
                output_broadcast(g, i, f, e, now_ns);
        }
        seqs_poke(g, s->seqs, s->n_seqs, f, now_ns);
    }
    use_drop(g, i);
}

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

/* ---- graph.h: the machine */

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

/* Gives back what the frames that are left hold, and frees them. */
static void frames_free(Graph *g, Frame *f)
{
    const ScopeTable *sc = &g->scopes[f->scope];
    for (uint32_t k = 0; k < sc->n_generators; k++) {
        Frame *next;
        for (Frame *c = f->children[k].first; c; c = next) {
            next = c->sibling_next;
            frames_free(g, c);
        }
    }
    for (uint32_t k = 0; k < sc->n_slots; k++) {
        state_release(g, &f->insts[k]);
        out_release(g, &f->insts[k]);
    }
    if (f->parent && g->hooks.closed)
        g->hooks.closed(g->hooks.ctx, f, --g->scopes[f->scope].n_live);
    free(f);
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

bool graph_has_due(const Graph *g) { return (g->n_due | g->n_timers) != 0; }

bool graph_has_fold(const Graph *g) { return g->n_due > 0 && !g->is_stopping; }

bool graph_next_fold(Graph *g, Fold *out)
{
    while (g->due_first && !g->is_stopping) {
        Turn *turn = g->due_first;
        const Seq *q = &g->seqs[turn->seq];
        g->due_first = turn->next_due;
        if (!g->due_first)
            g->due_last = NULL;
        g->n_due--;
        Instance *child = &seq_front(g, q, turn->top)->insts[q->slot];
        Instance *reader = q->is_commit ? child : seq_reader(g, q, turn->top);
        if (!q->is_commit && reader->phase != PHASE_WAITING) { /* doomed meanwhile */
            turn->is_busy = false;
            seq_poke(g, turn->seq, turn->top, 0);
            continue;
        }
        *out = (Fold){.reader = reader,
                      .child = child,
                      .input = q->input,
                      .is_commit = q->is_commit,
                      .seq = turn->seq};
        reader->n_folds++;
        g->n_running++;
        return true;
    }
    return false;
}

static void enough(Graph *g, Instance *gen, uint64_t now_ns)
{
    if (phase_is_ended(gen->phase))
        return;
    gen->has_enough = true;
    if (gen->phase == PHASE_READY) {
        if (gen == g->held)
            held_queue(g);
        queue_remove(g, gen);
        instance_end(g, gen, PHASE_DONE, now_ns);
    }
}

static void fold_failed(Graph *g, const Seq *q, Instance *reader)
{
    bool stops = g->steps[reader->step].spec->on_failure == ON_FAILURE_FAIL;
    if (q->is_commit) {
        g->step_counts[reader->step].n_failed++;
    } else if (reader->phase == PHASE_DOOMED) {
        if (reader->n_folds == 0)
            doomed_push(g, reader);
    } else if (stops) {
        reader->phase = PHASE_FAILED;
        count_end(g, reader);
    } else {
        doom(g, reader, PHASE_FAILED, reader->step);
    }
    if (stops)
        graph_stop(g);
}

void graph_fold_end(Graph *g, const Fold *f, FoldResult result, uint64_t now_ns)
{
    const Seq *q = &g->seqs[f->seq];
    Frame *top = seq_top(g, f->seq, f->child->frame);
    Instance *reader = f->reader;
    g->n_running--;
    reader->n_folds--;
    if (result == FOLD_FAILED)
        fold_failed(g, q, reader);
    else if (reader->phase == PHASE_DOOMED && reader->n_folds == 0)
        doomed_push(g, reader);
    if (result == FOLD_ENOUGH && !q->is_commit)
        enough(g, seq_generator(g, q, top), now_ns);
    seq_turn(q, top)->is_busy = false;
    seq_pass(g, q, f->child->frame);
    seq_poke(g, f->seq, top, now_ns);
    doomed_drain(g, now_ns);
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

void graph_pause(Graph *g, bool is_paused)
{
    if (g->is_paused == is_paused)
        return;
    g->is_paused = is_paused;
    for (uint32_t c = 1; c < g->spec->n_scopes; c++)
        gate_update(g, &g->steps[g->scopes[c].spec->generator]);
}

void graph_stop(Graph *g) { g->is_stopping = true; }

bool graph_is_stopping(const Graph *g) { return g->is_stopping; }

bool graph_is_over(const Graph *g)
{
    return g->n_running == 0 &&
           (g->is_stopping || (g->n_queued == 0 && g->n_timers == 0 && g->n_due == 0));
}

bool graph_is_complete(const Graph *g) { return g->root->n_open == 0; }

uint32_t graph_n_running(const Graph *g) { return g->n_running; }

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

