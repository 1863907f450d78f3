/* graph_frame.c - frames: their memory, what they hold, and when they close. */
#include "sched/graph_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

Frame *frame_alloc(Graph *g, uint32_t scope)
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

void frame_init(Graph *g, Frame *f, Frame *parent, uint32_t index, void *user)
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

/* Gives back what the frames that are left hold, and frees them. */
void frames_free(Graph *g, Frame *f)
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

/* ---- outputs and states */

void out_release(Graph *g, Instance *i)
{
    void *out = i->out;
    i->out = NULL;
    if (out && g->hooks.release_out)
        g->hooks.release_out(g->hooks.ctx, i->step, out);
}

void state_release(Graph *g, Instance *i)
{
    void *state = i->state;
    i->state = NULL;
    if (state && g->hooks.release_state)
        g->hooks.release_state(g->hooks.ctx, i->step, state);
}

void use_drop(Graph *g, Instance *i)
{
    if (--i->n_uses == 0) {
        out_release(g, i);
        frame_drop(g, i->frame);
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
void frame_drop(Graph *g, Frame *f)
{
    while (--f->n_open == 0 && f->parent) {
        Frame *parent = f->parent;
        frame_close(g, f);
        f = parent;
    }
}
