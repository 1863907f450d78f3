#include "run/outputs.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "data/csv_write.h"
#include "data/sink.h"

typedef struct Output {
    Sink *sink;        /* NULL: a file per instance */
    bool is_dropped;
    uint64_t next_seq; /* appended to by one at a time: the scheduler's commit, or a static step */
} Output;

/* Who writes a path of its own. */
typedef struct OwnFile {
    uint32_t frame, sink;
} OwnFile;

struct Outputs {
    const Plan *plan;
    Output *list;      /* [plan->n_sinks] */
    pthread_mutex_t mu;
    Arena *arena;      /* guarded by mu */
    Map own_files;     /* path -> OwnFile, guarded by mu */
};

Status outputs_open(const Plan *plan, Outputs **out, Error *err)
{
    Outputs *o = xcalloc(1, sizeof *o);
    Buf head = {0};
    Status st = OK;
    o->plan = plan;
    o->list = xcalloc(plan->n_sinks, sizeof *o->list);
    o->arena = arena_open();
    map_init(&o->own_files, o->arena);
    pthread_mutex_init(&o->mu, NULL);
    for (uint32_t i = 0; i < plan->n_sinks && st == OK; i++) {
        const Pop *p = plan->sinks[i].pop;
        if (plan->sinks[i].by_key)
            continue;
        buf_clear(&head);
        csv_write_header(&head, p->out, &p->dialect);
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

Status outputs_write_file(Outputs *o, const Spec *spec, Str path, uint32_t frame, const Batch *t,
                          uint64_t *n_bytes, Error *err)
{
    pthread_mutex_lock(&o->mu);
    const OwnFile *owner = map_get(&o->own_files, path);
    bool is_taken = owner && (owner->frame != frame || owner->sink != spec->sink);
    if (!owner) {
        OwnFile *f = arena_new(o->arena, OwnFile);
        *f = (OwnFile){.frame = frame, .sink = spec->sink};
        map_put(&o->own_files, arena_str(o->arena, path), f);
    }
    pthread_mutex_unlock(&o->mu);
    if (is_taken)
        return error_set(err, ERR_FAIL_PERMANENT,
                         "two batches write `%.*s`; put `{key()}` into the path, which is different "
                         "for each",
                         STR_ARG(path));
    Buf head = {0}, rows = {0};
    Sink *sink = NULL;
    csv_write_header(&head, spec->schema, &spec->dialect);
    csv_write_rows(&rows, t, &spec->dialect);
    *n_bytes = head.len + rows.len;
    Status st = sink_open(path, buf_str(&head), &sink, err);
    if (st == OK) {
        st = sink_submit(sink, 0, &rows, err);
        if (st == OK)
            st = sink_commit(sink, err);
        else
            sink_abort(sink);
    }
    buf_deinit(&head);
    buf_deinit(&rows);
    return st;
}

Status outputs_close(Outputs *o, bool commit, Error *err)
{
    Status st = OK;
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
