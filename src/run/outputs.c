#include "run/outputs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/path.h"
#include "base/str.h"
#include "data/rows_write.h"
#include "data/sink.h"
#include "data/sqlite_write.h"

typedef struct Output {
    Sink *sink;        /* NULL: a table, or a file or table per instance */
    DbTable *table;    /* NULL: no table that all share */
    bool is_dropped;
    uint64_t next_seq; /* appended to by one at a time: the scheduler's commit, or a static step */
    Buf *spares;       /* [n_spares] empty, of rows that are written: for those to come; guarded by mu */
    uint32_t n_spares, spares_cap;
    uint32_t n_lent;   /* buffers that outputs_spare gave and that have not been appended; guarded by mu */
} Output;

#define FRAME_ALL (UINT32_MAX - 1) /* of a file or table that all batches share; the path of rejected rows is nobody's: UINT32_MAX */

/* Who writes a path. */
typedef struct PathOwner {
    uint32_t frame, sink;
    bool is_done; /* of a table: another attempt of the instance has nothing to add */
} PathOwner;

/* A database whose path all batches share. */
typedef struct OpenDatabase OpenDatabase;
struct OpenDatabase {
    OpenDatabase *next;
    Str place; /* as place_put has it */
    Database *db;
};

struct OwnFile {
    OwnFile *next;             /* of the instance */
    OwnFile *open_next, *open_prev; /* of all that are open; guarded by mu */
    Sink *sink;                /* NULL: a table, whose rows wait here */
    char *path;                /* owned; of a table: the database's, a NUL and the table's name */
    uint32_t path_len;
    uint32_t id;               /* the plan's sink */
    uint64_t next_seq;
    PathOwner *owner;          /* of a table */
    const Spec *spec;          /* of a table */
    Buf rows;                  /* of a table: packed */
};

struct Outputs {
    const Plan *plan;
    Output *list;      /* [plan->n_sinks] */
    pthread_mutex_t mu;
    Arena *arena;      /* guarded by mu */
    Map owners;        /* path -> PathOwner, guarded by mu */
    OwnFile *open;     /* guarded by mu */
    OpenDatabase *databases; /* complete when the run starts */
};

/* What is the same for all spellings of the place: the file as the system has it, and the name of a table, which for SQLite is one in
 * upper and lower case. */
static void place_put(Buf *out, Str place)
{
    const char *nul = place.len ? memchr(place.ptr, '\0', place.len) : NULL;
    uint32_t n_file = nul ? (uint32_t)(nul - place.ptr) : place.len;
    size_t first = out->len;
    if (!path_put_real(out, str_slice(place, 0, n_file))) {
        char *file = xstrndup(place.ptr, n_file);
        sink_make_folders(file); /* they are made in any case, and now the system can tell which they are */
        out->len = first;
        path_put_real(out, str_of(file));
        free(file);
    }
    for (uint32_t i = n_file; i < place.len; i++)
        buf_putc(out, ascii_lower(place.ptr[i]));
}

/* Notes who writes the path, or finds who else does. */
static PathOwner *path_claim(Outputs *o, Str path, uint32_t frame, uint32_t sink)
{
    Buf place = {0};
    place_put(&place, path);
    pthread_mutex_lock(&o->mu);
    PathOwner *owner = map_get(&o->owners, buf_str(&place));
    if (!owner) {
        owner = arena_new(o->arena, PathOwner);
        *owner = (PathOwner){.frame = frame, .sink = sink};
        map_put(&o->owners, arena_str(o->arena, buf_str(&place)), owner);
    }
    pthread_mutex_unlock(&o->mu);
    buf_deinit(&place);
    return owner;
}

static bool is_of(const PathOwner *owner, uint32_t frame, uint32_t sink)
{
    return owner->frame == frame && owner->sink == sink;
}

/* The parts of the place of a table. */
static Str database_of(Str place)
{
    const char *nul = memchr(place.ptr, '\0', place.len);
    return str_slice(place, 0, nul ? (uint32_t)(nul - place.ptr) : place.len);
}

static Str table_of(Str place)
{
    uint32_t at = database_of(place).len + 1;
    return str_slice(place, at, place.len - at);
}

/* Says of whose steps it is, in the plan's order: the same whichever of them came first. */
static Status is_taken(const Outputs *o, uint32_t sink, const PathOwner *owner, Str path, Error *err)
{
    const PlanSink *sinks = o->plan->sinks;
    bool is_table = sinks[sink].pop->dialect.format == ROWS_SQLITE;
    bool by_batches = owner->sink == sink;
    Buf who = {0}, what = {0};
    if (is_table)
        buf_printf(&what, "the table `%.*s` of `%.*s`", STR_ARG(table_of(path)), STR_ARG(database_of(path)));
    else
        buf_printf(&what, "`%.*s`", STR_ARG(path));
    if (by_batches) {
        buf_printf(&who, "two batches write");
    } else if (owner->sink == UINT32_MAX) {
        buf_printf(&who, "rejected rows and step `%.*s` go to", STR_ARG(o->plan->steps[sinks[sink].step]->name));
    } else {
        uint32_t one = sinks[sink].step, two = sinks[owner->sink].step;
        const Step *first = o->plan->steps[one < two ? one : two], *second = o->plan->steps[one < two ? two : one];
        if (first == second)
            buf_printf(&who, "two writes of step `%.*s` write", STR_ARG(first->name));
        else
            buf_printf(&who, "steps `%.*s` and `%.*s` write", STR_ARG(first->name), STR_ARG(second->name));
    }
    Status st = error_set(err, ERR_FAIL_PERMANENT, "%.*s %.*s; %s", STR_ARG(buf_str(&who)), STR_ARG(buf_str(&what)),
                          by_batches && is_table ? "put `{key()}` into its name, which is different for each"
                          : by_batches           ? "put `{key()}` into the path, which is different for each"
                          : is_table             ? "give them tables of their own"
                                                 : "give them paths of their own");
    buf_deinit(&who);
    buf_deinit(&what);
    return st;
}

/* Of a file or table that all batches share. What the texts tell of another step with the same was said of the plan. */
static Status claim_for_all(Outputs *o, uint32_t sink, Str path, Error *err)
{
    const PathOwner *owner = path_claim(o, path, FRAME_ALL, sink);
    return is_of(owner, FRAME_ALL, sink) ? OK : is_taken(o, sink, owner, path, err);
}

/* ---- databases */

/* One that all batches share; NULL: it is none. */
static OpenDatabase *database_find(const Outputs *o, Str path)
{
    Buf place = {0};
    OpenDatabase *d = o->databases;
    if (!d)
        return NULL;
    place_put(&place, path);
    while (d && !str_eq(d->place, buf_str(&place)))
        d = d->next;
    buf_deinit(&place);
    return d;
}

static Status database_get(Outputs *o, Str path, Database **out, Error *err)
{
    OpenDatabase *d = database_find(o, path);
    if (!d) {
        d = arena_new(o->arena, OpenDatabase);
        Status st = database_open(path, &d->db, err);
        if (st != OK)
            return st;
        Buf place = {0};
        place_put(&place, path); /* now that it is there */
        d->place = arena_str(o->arena, buf_str(&place));
        buf_deinit(&place);
        d->next = o->databases;
        o->databases = d;
    }
    *out = d->db;
    return OK;
}

/* The table of a write, as far as it is the same for all batches. */
static Status table_open(Outputs *o, uint32_t sink, Error *err)
{
    const Pop *p = o->plan->sinks[sink].pop;
    Database *db = NULL;
    if (p->expr->needs_batch) /* a database per batch */
        return OK;
    Status st = database_get(o, p->expr->value.s, &db, err);
    if (st == OK && !o->plan->sinks[sink].by_key) {
        Buf place = {0};
        buf_put_str(&place, p->expr->value.s);
        buf_put(&place, "", 1);
        buf_put_str(&place, p->expr2->value.s);
        st = claim_for_all(o, sink, buf_str(&place), err);
        buf_deinit(&place);
        if (st == OK)
            st = database_begin(db, p->expr2->value.s, p->out, p->dialect.mode, &o->list[sink].table, err);
    }
    return st;
}

static Status databases_close(Outputs *o, bool commit, Error *err)
{
    Status st = OK;
    for (OpenDatabase *d = o->databases; d; d = d->next) {
        Status s = database_close(d->db, commit && st == OK, st == OK ? err : NULL);
        st = st == OK ? s : st;
    }
    o->databases = NULL;
    return st;
}

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
        if (p->dialect.format == ROWS_SQLITE) {
            st = table_open(o, i, err);
            continue;
        }
        if (plan->sinks[i].by_key)
            continue;
        buf_clear(&head);
        rows_write_header(&head, p->out, &p->dialect);
        st = claim_for_all(o, i, p->expr->value.s, err);
        if (st == OK)
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

/* ---- files that all batches share */

Buf outputs_spare(Outputs *o, uint32_t sink)
{
    Output *out = &o->list[sink];
    Buf b = {0};
    pthread_mutex_lock(&o->mu);
    out->n_lent++;
    if (out->n_spares)
        b = out->spares[--out->n_spares];
    pthread_mutex_unlock(&o->mu);
    return b;
}

/* Keeps the memory of a buffer that held n_bytes, or frees it: where nobody asks for one, as a step without batches does not,
 * or where the bytes took less than half, since each would become as large as the largest batch. */
static void spare_put(Outputs *o, Output *out, Buf *b, size_t n_bytes)
{
    pthread_mutex_lock(&o->mu);
    bool is_kept = out->n_lent && b->ptr && b->cap / 2 <= n_bytes && !o->plan->memory_bytes;
    out->n_lent -= out->n_lent > 0;
    if (is_kept && out->n_spares == out->spares_cap) {
        out->spares_cap = 2 * out->spares_cap + 8;
        out->spares = xrealloc(out->spares, out->spares_cap * sizeof *out->spares);
    }
    if (is_kept) {
        out->spares[out->n_spares++] = *b;
        *b = (Buf){0};
    }
    pthread_mutex_unlock(&o->mu);
    buf_deinit(b);
}

Status outputs_append(Outputs *o, uint32_t sink, Buf *bytes, Error *err)
{
    Output *out = &o->list[sink];
    if (out->table)
        return table_append(out->table, bytes, err);
    size_t n_bytes = bytes->len;
    Status st = sink_submit(out->sink, out->next_seq++, bytes, err);
    spare_put(o, out, bytes, n_bytes);
    return st;
}

void outputs_drop(Outputs *o, uint32_t sink)
{
    o->list[sink].is_dropped = true;
    if (o->list[sink].table)
        table_drop(o->list[sink].table);
}

static OwnFile *own_new(Outputs *o, const Spec *spec, Str path)
{
    OwnFile *f = xcalloc(1, sizeof *f);
    f->path = xstrndup(path.ptr, path.len);
    f->path_len = path.len;
    f->id = spec->sink;
    pthread_mutex_lock(&o->mu);
    f->open_next = o->open;
    if (o->open)
        o->open->open_prev = f;
    o->open = f;
    pthread_mutex_unlock(&o->mu);
    return f;
}

bool outputs_claim(Outputs *o, Str path)
{
    return is_of(path_claim(o, path, UINT32_MAX, UINT32_MAX), UINT32_MAX, UINT32_MAX);
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
    *out = own_new(o, spec, path);
    (*out)->sink = sink;
    return OK;
}

/* The file or table of that path in the list, new if it is not there. */
static Status own_get(Outputs *o, OwnFile **files, const Spec *spec, Str path, uint32_t frame, uint64_t *n_bytes,
                      OwnFile **out, Error *err)
{
    OwnFile *f = *files;
    while (f && !(f->id == spec->sink && str_eq(path, (Str){f->path, f->path_len})))
        f = f->next;
    *out = f;
    if (f)
        return OK;
    PathOwner *owner = path_claim(o, path, frame, spec->sink);
    if (!is_of(owner, frame, spec->sink))
        return is_taken(o, spec->sink, owner, path, err);
    if (spec->dialect.format == ROWS_SQLITE) {
        f = own_new(o, spec, path);
        f->spec = spec;
        f->owner = owner;
    } else {
        Status st = own_open(o, spec, path, n_bytes, &f, err);
        if (st != OK)
            return st;
    }
    f->next = *files;
    *files = *out = f;
    return OK;
}

Status outputs_write_own(Outputs *o, OwnFile **files, const Spec *spec, Str path, uint32_t frame,
                         const Batch *t, uint64_t *n_bytes, Error *err)
{
    OwnFile *f;
    *n_bytes = 0;
    Status st = own_get(o, files, spec, path, frame, n_bytes, &f, err);
    if (st != OK)
        return st;
    Buf rows = {0}, *to = f->sink ? &rows : &f->rows;
    size_t before = to->len;
    st = rows_write(to, t, spec->schema, &spec->dialect, err);
    *n_bytes += to->len - before;
    if (st == OK && f->sink)
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
    buf_deinit(&f->rows);
    free(f->path);
    free(f);
}

/* Writes all tables of the list that are in the database of `first`, in one transaction. */
static Status tables_put(Outputs *o, OwnFile *first, Error *err)
{
    Str path = database_of((Str){first->path, first->path_len});
    uint32_t n = 0;
    for (OwnFile *f = first; f; f = f->next)
        n++;
    TableRows *tables = xcalloc(n, sizeof *tables);
    n = 0;
    for (OwnFile *f = first; f; f = f->next) {
        Str place = {f->path, f->path_len};
        if (f->sink || f->owner->is_done || !str_eq(database_of(place), path))
            continue;
        tables[n++] = (TableRows){.name = table_of(place), .schema = f->spec->schema, .mode = f->spec->dialect.mode,
                                  .rows = buf_str(&f->rows)};
    }
    const OpenDatabase *shared = database_find(o, path);
    Database *db = shared ? shared->db : NULL;
    Status st = shared || n == 0 ? OK : database_open(path, &db, err);
    if (st == OK && n)
        st = database_put(db, tables, n, err);
    if (!shared && db) { /* it has no stages: nothing can fail now but the removal of its log */
        Status closed = database_close(db, st == OK, st == OK ? err : NULL);
        st = st == OK ? closed : st;
    }
    for (OwnFile *f = first; f && st == OK; f = f->next)
        if (!f->sink && str_eq(database_of((Str){f->path, f->path_len}), path))
            f->owner->is_done = true;
    free(tables);
    return st;
}

Status outputs_end_own(Outputs *o, OwnFile **files, bool commit, Error *err)
{
    Status st = OK;
    OwnFile *next;
    for (OwnFile *f = *files; f && commit && st == OK; f = f->next)
        if (!f->sink && !f->owner->is_done)
            st = tables_put(o, f, err);
    for (OwnFile *f = *files; f; f = next) {
        next = f->next;
        if (f->sink && commit && st == OK)
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
        if (f->sink)
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
    st = databases_close(o, commit, err);
    for (uint32_t i = 0; i < o->plan->n_sinks; i++) {
        Sink *sink = o->list[i].sink;
        for (uint32_t k = 0; k < o->list[i].n_spares; k++)
            buf_deinit(&o->list[i].spares[k]);
        free(o->list[i].spares);
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
