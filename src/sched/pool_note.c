/* pool_note.c - what the graph says under the lock: a worker notes it in its own lists, and does right after, without
 * the lock, what must not be done under it (releases, observers).
 */
#include "sched/pool_int.h"

void worker_note_event(Worker *w, const TraceEvent *e)
{
    if (w->n_events == w->cap_events) {
        w->cap_events = w->cap_events ? 2 * w->cap_events : 16;
        w->events = xrealloc(w->events, w->cap_events * sizeof(TraceEvent *));
    }
    w->events[w->n_events++] = e;
}

void worker_put_release(Worker *w, ReleaseKind kind, uint32_t step, void *what)
{
    if (w->n_releases == w->cap_releases) {
        w->cap_releases = w->cap_releases ? 2 * w->cap_releases : 16;
        w->releases = xrealloc(w->releases, w->cap_releases * sizeof *w->releases);
    }
    w->releases[w->n_releases++] = (Release){.kind = kind, .step = step, .what = what};
}

void worker_flush_noted(Pool *p, Worker *w)
{
    const Tasks *t = &p->tasks;
    for (uint32_t k = 0; k < w->n_events; k++) {
        const TraceEvent *e = w->events[k];
        bool has_err = (e->kind == TRACE_END || e->kind == TRACE_FOLD) &&
                       (e->outcome == OUTCOME_FAILED || e->outcome == OUTCOME_RETRY);
        const Observer *o = p->options.observer;
        const Error *err = has_err ? &w->task.err : NULL;
        bool has_key = e->kind == TRACE_END || e->kind == TRACE_FOLD;
        if (o->keyed_event)
            o->keyed_event(o->ctx, e, err, has_key ? buf_str(&w->key) : (Str){0});
        else
            o->event(o->ctx, e, err);
    }
    if (p->own_trace && w->n_events)
        trace_forget(w->trace);
    w->n_events = 0;
    for (uint32_t k = 0; k < w->n_releases; k++) {
        const Release *r = &w->releases[k];
        switch (r->kind) {
        case RELEASE_OUT: t->release_out(t->ctx, r->step, r->what); break;
        case RELEASE_STATE: t->release_state(t->ctx, r->step, r->what); break;
        case RELEASE_USER: t->release_user(t->ctx, r->what); break;
        }
    }
    w->n_releases = 0;
    worker_look_at_time(p, w);
}

static void on_release_out(void *ctx, uint32_t step, void *out)
{
    Pool *p = ctx;
    if (p->tasks.release_out)
        worker_put_release(p->current, RELEASE_OUT, step, out);
}

static void on_release_state(void *ctx, uint32_t step, void *state)
{
    Pool *p = ctx;
    if (p->tasks.release_state)
        worker_put_release(p->current, RELEASE_STATE, step, state);
}

static void frame_event(Pool *p, const Frame *f, TraceKind kind, uint64_t value)
{
    Worker *w = p->current;
    *worker_event(w) =
        (TraceEvent){.t_ns = w->now_ns,
                     .value = value,
                     .frame = frame_id(f),
                     .info = frame_index(f),
                     .step = (uint16_t)p->spec->scopes[frame_scope(f)].generator,
                     .worker = (uint16_t)w->task.worker,
                     .kind = (uint8_t)kind};
}

static void on_opened(void *ctx, const Frame *f, uint32_t n_live)
{
    Pool *p = ctx;
    frame_event(p, f, TRACE_OPEN, trace_pair(n_live, frame_id(frame_parent(f))));
    if (p->options.trace && frame_user(f) && p->tasks.label)
        trace_label(p->options.trace, p->current->task.worker, frame_id(f),
                    p->tasks.label(frame_user(f)));
}

static void on_closed(void *ctx, const Frame *f, uint32_t n_live)
{
    Pool *p = ctx;
    frame_event(p, f, TRACE_CLOSE, n_live);
    if (frame_user(f) && p->tasks.release_user)
        worker_put_release(p->current, RELEASE_USER, 0, frame_user(f));
}

void worker_tell_instance(Worker *w, const Instance *i, const Frame *at,
                           TraceKind kind, Outcome outcome, uint64_t value, uint32_t info)
{
    *worker_event(w) = (TraceEvent){.t_ns = w->now_ns,
                                     .value = value,
                                     .frame = frame_id(at),
                                     .info = info,
                                     .step = (uint16_t)instance_step(i),
                                     .worker = (uint16_t)w->task.worker,
                                     .attempt = (uint16_t)instance_attempt(i),
                                     .kind = (uint8_t)kind,
                                     .outcome = (uint8_t)outcome};
}

static void on_skipped(void *ctx, const Instance *i, uint32_t cause_step)
{
    Pool *p = ctx;
    worker_tell_instance(p->current, i, instance_frame(i), TRACE_SKIP, OUTCOME_DONE, 0,
                   cause_step);
}

GraphHooks pool_hooks(Pool *p)
{
    return (GraphHooks){.ctx = p,
                        .release_out = on_release_out,
                        .release_state = on_release_state,
                        .opened = on_opened,
                        .closed = on_closed,
                        .skipped = on_skipped,
                        .label = p->tasks.label};
}
