#include "run/outputs.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "data/rows_write.h"
#include "data/sink.h"

typedef struct Output {
    Sink *sink;        /* NULL: a file per instance */
    bool is_dropped;
    uint64_t next_seq; /* appended to by one at a time: the scheduler's commit, or a static step */
} Output;

/* Who writes a path that depends on the batch. */
typedef struct PathOwner {
    uint32_t frame, sink;
} PathOwner;

struct OwnFile {
    OwnFile *next;             /* of the instance */
    OwnFile *open_next, *open_prev; /* of all that are open; guarded by mu */
    Sink *sink;
    char *path;                /* owned */
    uint32_t id;               /* the plan's sink */
    uint64_t next_seq;
};

struct Outputs {
    const Plan *plan;
    Output *list;      /* [plan->n_sinks] */
    pthread_mutex_t mu;
    Arena *arena;      /* guarded by mu */
    Map owners;        /* path -> PathOwner, guarded by mu */
    OwnFile *open;     /* guarded by mu */
};

Status outputs_open(const Plan *plan, Outputs **out, Error *err)
{
    Outputs *o = xcalloc(1, sizeof *o);
    Buf head = {0};
    Status st = OK;
    o->plan = plan;
    o->list = xcalloc(plan->n_sinks, sizeof *o->list);
    o->arena = arena_open();
    map_init(&o->owners, o->arena);
    pthread_mutex_init(&o->mu, NULL);
    for (uint32_t i = 0; i < plan->n_sinks && st == OK; i++) {
        const Pop *p = plan->sinks[i].pop;
        if (plan->sinks[i].by_key)
            continue;
        buf_clear(&head);
        rows_write_header(&head, p->out, &p->dialect);
        st = sink_open(p->expr->value.s, buf_str(&head), &o->list[i].sink, err);
    }
    buf_deinit(&head);
    if (st != OK) {
        outputs_close(o, false, NULL);
        return st;
    }
    *out = o;
    return OK;
}

Status outputs_append(Outputs *o, uint32_t sink, Buf *bytes, Error *err)
{
    Output *out = &o->list[sink];
    return sink_submit(out->sink, out->next_seq++, bytes, err);
}

void outputs_drop(Outputs *o, uint32_t sink)
{
    o->list[sink].is_dropped = true;
}

/* Notes who writes the path; false if another batch does. */
static bool path_claim(Outputs *o, Str path, uint32_t frame, uint32_t sink)
{
    pthread_mutex_lock(&o->mu);
    const PathOwner *owner = map_get(&o->owners, path);
    bool is_free = !owner || (owner->frame == frame && owner->sink == sink);
    if (!owner) {
        PathOwner *new = arena_new(o->arena, PathOwner);
        *new = (PathOwner){.frame = frame, .sink = sink};
        map_put(&o->owners, arena_str(o->arena, path), new);
    }
    pthread_mutex_unlock(&o->mu);
    return is_free;
}

bool outputs_claim(Outputs *o, Str path)
{
    return path_claim(o, path, UINT32_MAX, UINT32_MAX);
}

static Status own_open(Outputs *o, const Spec *spec, Str path, uint64_t *n_bytes, OwnFile **out,
                       Error *err)
{
    Buf head = {0};
    Sink *sink = NULL;
    rows_write_header(&head, spec->schema, &spec->dialect);
    *n_bytes += head.len;
    Status st = sink_open(path, buf_str(&head), &sink, err);
    buf_deinit(&head);
    if (st != OK)
        return st;
    OwnFile *f = xcalloc(1, sizeof *f);
    f->sink = sink;
    f->path = xstrndup(path.ptr, path.len);
    f->id = spec->sink;
    pthread_mutex_lock(&o->mu);
    f->open_next = o->open;
    if (o->open)
        o->open->open_prev = f;
    o->open = f;
    pthread_mutex_unlock(&o->mu);
    *out = f;
    return OK;
}

Status outputs_write_own(Outputs *o, OwnFile **files, const Spec *spec, Str path, uint32_t frame,
                         const Batch *t, uint64_t *n_bytes, Error *err)
{
    OwnFile *f = *files;
    *n_bytes = 0;
    while (f && !(f->id == spec->sink && str_is(path, f->path)))
        f = f->next;
    if (!f) {
        if (!path_claim(o, path, frame, spec->sink))
            return error_set(err, ERR_FAIL_PERMANENT,
                             "two batches write `%.*s`; put `{key()}` into the path, which is "
                             "different for each",
                             STR_ARG(path));
        Status st = own_open(o, spec, path, n_bytes, &f, err);
        if (st != OK)
            return st;
        f->next = *files;
        *files = f;
    }
    Buf rows = {0};
    Status st = rows_write(&rows, t, spec->schema, &spec->dialect, err);
    *n_bytes += rows.len;
    if (st == OK)
        st = sink_submit(f->sink, f->next_seq++, &rows, err);
    buf_deinit(&rows);
    return st;
}

static void own_free(Outputs *o, OwnFile *f)
{
    pthread_mutex_lock(&o->mu);
    *(f->open_prev ? &f->open_prev->open_next : &o->open) = f->open_next;
    if (f->open_next)
        f->open_next->open_prev = f->open_prev;
    pthread_mutex_unlock(&o->mu);
    free(f->path);
    free(f);
}

Status outputs_end_own(Outputs *o, OwnFile **files, bool commit, Error *err)
{
    Status st = OK;
    OwnFile *next;
    for (OwnFile *f = *files; f; f = next) {
        next = f->next;
        if (commit && st == OK)
            st = sink_commit(f->sink, err);
        else
            sink_abort(f->sink);
        own_free(o, f);
    }
    *files = NULL;
    return st;
}

void outputs_abandon(Outputs *o)
{
    pthread_mutex_lock(&o->mu);
    for (const OwnFile *f = o->open; f; f = f->open_next)
        sink_abandon(f->sink);
    for (uint32_t i = 0; i < o->plan->n_sinks; i++)
        if (o->list[i].sink)
            sink_abandon(o->list[i].sink);
    pthread_mutex_unlock(&o->mu);
}

Status outputs_close(Outputs *o, bool commit, Error *err)
{
    Status st = OK;
    while (o->open) { /* of instances that did not end well */
        OwnFile *f = o->open;
        sink_abort(f->sink);
        own_free(o, f);
    }
    for (uint32_t i = 0; i < o->plan->n_sinks; i++) {
        Sink *sink = o->list[i].sink;
        if (!sink)
            continue;
        if (commit && st == OK && !o->list[i].is_dropped)
            st = sink_commit(sink, err);
        else
            sink_abort(sink);
    }
    pthread_mutex_destroy(&o->mu);
    arena_close(o->arena);
    free(o->list);
    free(o);
    return st;
}
