/* graph_flow.c - what follows when something is there: an input arrives, an instance ends, a batch passes a sequence, a
 * frame opens. These call each other, so they stand together. A call of graph.h marks what it must skip (`doom`)
 * and does the skipping last (`doomed_drain`), so that nothing ends in the middle of something else.
 */
#include "sched/graph_int.h"

/* ---- instances become ready */

void instance_arm(Graph *g, Instance *i, uint64_t now_ns)
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

void doomed_drain(Graph *g, uint64_t now_ns)
{
    while (g->doomed) {
        Instance *i = g->doomed;
        g->doomed = i->next;
        instance_end(g, i, (Phase)i->fate, now_ns);
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

void frame_start(Graph *g, Frame *f, uint64_t now_ns)
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

void frame_open(Graph *g, Instance *gen, void *batch, void *user, uint64_t now_ns)
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

void count_end(Graph *g, const Instance *i)
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

void instance_end(Graph *g, Instance *i, Phase phase, uint64_t now_ns)
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

/* ---- folds: graph.h */

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
