#include "sched/graph_int.h"

#include <assert.h>
#include <stdlib.h>

#include "base/str.h"
#include "sched/bound.h"

static uint32_t *index_array(uint32_t n, uint32_t fill)
{
    uint32_t *a = xcalloc(n ? n : 1, sizeof *a);
    for (uint32_t i = 0; i < n; i++)
        a[i] = fill;
    return a;
}

static void index_push(uint32_t **a, uint32_t *n, uint32_t value)
{
    *a = xrealloc(*a, (*n + 1) * sizeof **a);
    (*a)[(*n)++] = value;
}

static void ranks_init(Graph *g)
{
    /* Insertion sort: a job has few steps, and they come nearly in order. */
    uint32_t n = g->spec->n_steps;
    g->by_rank = index_array(n, 0);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = i;
        while (k > 0 && spec_ranks_above(&g->spec->steps[i],
                                         &g->spec->steps[g->by_rank[k - 1]])) {
            g->by_rank[k] = g->by_rank[k - 1];
            k--;
        }
        g->by_rank[k] = i;
    }
    for (uint32_t r = 0; r < n; r++)
        g->steps[g->by_rank[r]].rank = r;
}

static void scopes_init(Graph *g, uint32_t n_workers)
{
    const GraphSpec *spec = g->spec;
    for (uint32_t c = 0; c < spec->n_scopes; c++) {
        ScopeTable *sc = &g->scopes[c];
        sc->spec = &spec->scopes[c];
        assert(c == 0 || sc->spec->parent < c);
        sc->depth = c == 0 ? 0 : g->scopes[sc->spec->parent].depth + 1;
        sc->credits = bound_credits(spec, n_workers, c);
        index_push(&sc->steps, &sc->n_slots, sc->spec->generator);
    }
    for (uint32_t i = 0; i < spec->n_steps; i++) {
        StepTable *s = &g->steps[i];
        ScopeTable *sc = &g->scopes[spec->steps[i].scope];
        s->spec = &spec->steps[i];
        s->slot = sc->n_slots;
        index_push(&sc->steps, &sc->n_slots, i);
        if (s->spec->opens)
            s->i_children = sc->n_generators++;
    }
}

/* A sequence goes from a frame of `top` over frames of the scopes down to `leaf`. */
static void seq_add(Graph *g, Seq q)
{
    uint32_t n_scopes = g->spec->n_scopes, id = g->n_seqs;
    q.turn = index_array(n_scopes, NO_INDEX);
    q.below = index_array(n_scopes, NO_INDEX);
    /* An ordered step in the root has a turn too: the root waits for itself. */
    uint32_t c = q.leaf;
    if (c == q.top) {
        q.turn[c] = g->scopes[c].n_turns;
        index_push(&g->scopes[c].turn_seq, &g->scopes[c].n_turns, id);
    }
    while (c != q.top) {
        uint32_t parent = g->spec->scopes[c].parent;
        ScopeTable *up = &g->scopes[parent];
        index_push(&g->scopes[c].through, &g->scopes[c].n_through, id);
        q.below[parent] = c;
        q.turn[parent] = up->n_turns;
        index_push(&up->turn_seq, &up->n_turns, id);
        if (parent != q.top || !q.is_commit)
            up->n_holds++;
        c = parent;
    }
    g->seqs = xrealloc(g->seqs, (id + 1) * sizeof *g->seqs);
    g->seqs[g->n_seqs++] = q;
    index_push(&g->steps[q.step].seqs, &g->steps[q.step].n_seqs, id);
    g->steps[q.step].n_uses0++;
}

static void broadcast_add(Graph *g, uint32_t from_scope, uint32_t slot, uint32_t to_scope)
{
    for (uint32_t c = to_scope; c != from_scope; c = g->spec->scopes[c].parent) {
        assert(c != 0 && "a broadcast comes from a scope around the reader");
        ScopeTable *sc = &g->scopes[c];
        sc->carried = xrealloc(sc->carried, (sc->n_carried + 1) * sizeof *sc->carried);
        sc->carried[sc->n_carried++] =
            (Carried){.up = sc->depth - g->scopes[from_scope].depth, .slot = slot};
    }
}

static void edge_add(Graph *g, uint32_t to, uint32_t k)
{
    StepTable *t = &g->steps[to];
    uint32_t from = t->spec->inputs[k], out_scope = spec_out_scope(g->spec, from);
    StepTable *f = &g->steps[from];
    assert(from < to && "inputs precede their readers");
    InEdge *in = &t->in[k];
    in->kind = spec_edge_kind(g->spec, from, to);
    in->slot = f->spec->opens ? 0 : f->slot;
    if (in->kind == EDGE_GATHER) {
        t->n_wait0++;
        seq_add(g, (Seq){.step = from,
                         .reader = to,
                         .input = k,
                         .top = t->spec->scope,
                         .leaf = out_scope,
                         .slot = in->slot});
        return;
    }
    if (in->kind == EDGE_BROADCAST) {
        in->up = g->scopes[t->spec->scope].depth - g->scopes[out_scope].depth;
        t->has_broadcast = true;
        broadcast_add(g, out_scope, in->slot, t->spec->scope);
    } else if (!f->spec->opens) {
        t->n_wait0++;
    }
    f->n_uses0++;
    f->out = xrealloc(f->out, (f->n_out + 1) * sizeof *f->out);
    f->out[f->n_out++] = (OutEdge){.kind = in->kind, .to = to, .slot = t->slot};
}

/* What the frames of a scope begin with. */
static void fresh_init(Graph *g, ScopeTable *sc)
{
    sc->fresh = xcalloc(sc->n_slots, sizeof *sc->fresh);
    for (uint32_t k = 0; k < sc->n_slots; k++) {
        sc->fresh[k] = (Instance){.step = sc->steps[k], .attempt = 1};
        if (k == 0)
            continue;
        const StepTable *s = &g->steps[sc->steps[k]];
        sc->fresh[k].n_wait = s->n_wait0;
        sc->fresh[k].n_uses = s->opens ? 1 : s->n_uses0;
        if (s->has_broadcast || s->n_wait0 == 0)
            index_push(&sc->starters, &sc->n_starters, k);
    }
}

static void turn_order_init(Graph *g, ScopeTable *sc)
{
    sc->turn_order = NO_INDEX;
    /* One level below the root a single generator yields in key order: whoever waits for its turn
     * waits for batches that have credits. */
    for (uint32_t k = 0; sc->depth > 1 && k < sc->n_through; k++) {
        Seq *q = &g->seqs[sc->through[k]];
        if (!q->is_commit)
            continue;
        sc->turn_order = sc->through[k];
        q->has_last_credits = true;
        return;
    }
}

void graph_tables_init(Graph *g, const GraphSpec *spec, uint32_t n_workers)
{
    g->spec = spec;
    g->n_words = (spec->n_steps + 63) / 64;
    g->steps = xcalloc(spec->n_steps + 1, sizeof *g->steps);
    g->scopes = xcalloc(spec->n_scopes, sizeof *g->scopes);
    g->pool_running = index_array(spec->n_pools, 0);
    g->ready = xcalloc(g->n_words + 1, sizeof *g->ready);
    g->open = xcalloc(g->n_words + 1, sizeof *g->open);
    g->step_counts = xcalloc(spec->n_steps + 1, sizeof *g->step_counts);
    g->scope_counts = xcalloc(spec->n_scopes, sizeof *g->scope_counts);
    scopes_init(g, n_workers);
    ranks_init(g);
    for (uint32_t i = 0; i < spec->n_steps; i++) {
        StepTable *s = &g->steps[i];
        s->n_in = s->spec->n_inputs;
        s->opens = s->spec->opens;
        s->is_limited = s->spec->cap != 0 || s->spec->pool >= 0;
        s->is_gated = s->is_limited || s->opens;
        s->in = xcalloc(s->n_in + 1, sizeof *s->in);
        s->n_uses0 = 1; /* until it has ended */
    }
    for (uint32_t i = 0; i < spec->n_steps; i++) {
        const StepSpec *s = &spec->steps[i];
        for (uint32_t k = 0; k < s->n_inputs; k++)
            edge_add(g, i, k);
        if (s->is_ordered) {
            assert(!s->opens && "an ordered step is no generator");
            seq_add(g, (Seq){.step = i,
                             .reader = i,
                             .top = 0,
                             .leaf = s->scope,
                             .slot = g->steps[i].slot,
                             .is_commit = true});
        }
    }
    for (uint32_t c = 0; c < spec->n_scopes; c++)
        turn_order_init(g, &g->scopes[c]);
    for (uint32_t c = 0; c < spec->n_scopes; c++)
        fresh_init(g, &g->scopes[c]);
    for (uint32_t i = 0; i < spec->n_steps; i++) {
        uint32_t rank = g->steps[i].rank;
        if (step_may_start(g, &g->steps[i]))
            g->open[rank / 64] |= rank_bit(rank);
    }
}

void graph_tables_deinit(Graph *g)
{
    for (uint32_t i = 0; i < g->spec->n_steps; i++) {
        free(g->steps[i].in);
        free(g->steps[i].out);
        free(g->steps[i].seqs);
    }
    for (uint32_t c = 0; c < g->spec->n_scopes; c++) {
        free(g->scopes[c].steps);
        free(g->scopes[c].starters);
        free(g->scopes[c].fresh);
        free(g->scopes[c].turn_seq);
        free(g->scopes[c].carried);
        free(g->scopes[c].through);
    }
    for (uint32_t q = 0; q < g->n_seqs; q++) {
        free(g->seqs[q].turn);
        free(g->seqs[q].below);
    }
    free(g->steps);
    free(g->scopes);
    free(g->seqs);
    free(g->by_rank);
    free(g->pool_running);
    free(g->ready);
    free(g->open);
    free(g->step_counts);
    free(g->scope_counts);
}
