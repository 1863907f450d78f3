/* What graph.h tells whoever runs an instance. */
#include "sched/graph_int.h"

#include <assert.h>

const Frame *frame_parent(const Frame *f) { return f->parent; }
uint32_t frame_scope(const Frame *f) { return f->scope; }
uint32_t frame_depth(const Frame *f) { return f->depth; }
uint32_t frame_index(const Frame *f) { return f->index; }
uint32_t frame_id(const Frame *f) { return f->id; }
void *frame_user(const Frame *f) { return f->user; }

void frame_put_key(const Frame *f, char separator, Buf *out)
{
    if (f->depth == 0)
        return;
    if (f->depth > 1) {
        frame_put_key(f->parent, separator, out);
        buf_putc(out, separator);
    }
    if (f->user && f->graph->hooks.label)
        buf_put_str(out, f->graph->hooks.label(f->user));
    else
        buf_printf(out, "%u", f->index);
}

uint32_t instance_step(const Instance *i) { return i->step; }
const Frame *instance_frame(const Instance *i) { return i->frame; }
uint32_t instance_attempt(const Instance *i) { return i->attempt; }
uint32_t instance_n_yielded(const Instance *i) { return i->n_yielded; }
uint64_t instance_ready_ns(const Instance *i) { return i->ready_ns; }

void instance_info(const Instance *i, InstanceInfo *out)
{
    out->ready_ns = i->ready_ns;
    out->step = i->step;
    out->frame = i->frame->id;
    out->attempt = i->attempt;
    out->n_yielded = i->n_yielded;
}

void *instance_input(const Instance *i, uint32_t k)
{
    const StepTable *s = &i->frame->graph->steps[i->step];
    assert(k < s->n_in);
    const InEdge *in = &s->in[k];
    if (in->kind == EDGE_GATHER)
        return NULL;
    return frame_up(i->frame, in->up)->insts[in->slot].out;
}

void *instance_out(const Instance *i) { return i->out; }
void instance_set_out(Instance *i, void *out) { i->out = out; }
void *instance_state(const Instance *i) { return i->state; }
void instance_set_state(Instance *i, void *state) { i->state = state; }
