#include "run/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "data/kept.h"
#include "plan/keep.h"

typedef struct Checkpoint {
    Arena *arena;
    Map *there;         /* [n_steps] names of files that are there and whole; not changed after it is opened */
    bool has_any;       /* in one of them */
    uint32_t **readers; /* [n_steps] steps that read each, [n_readers] */
    uint32_t *n_readers;
    KeptInputs *inputs;
    _Atomic uint64_t n_kept, n_restored, n_left_out;
    uint64_t n_damaged;
} Checkpoint;

/* ---- names ---- */

/* "0.17": the places of its batches; "table" outside of any. */
static void name_put(Buf *out, const Frame *f)
{
    if (frame_depth(f) == 0)
        return buf_puts(out, "table");
    if (frame_depth(f) > 1) {
        name_put(out, frame_parent(f));
        buf_putc(out, '.');
    }
    buf_printf(out, "%u", frame_index(f));
}

static void path_put(Buf *out, const Run *r, const Step *s, const Frame *f)
{
    buf_printf(out, "%s/%u", r->options.store->folder, s->id);
    if (!f)
        return;
    buf_putc(out, '/');
    name_put(out, f);
}

/* ---- opening ---- */

static Status folder_read(Run *r, const Step *s, Error *err)
{
    Checkpoint *c = r->checkpoint;
    Buf path = {0};
    path_put(&path, r, s, NULL);
    size_t n_folder = path.len;
    DIR *d = mkdir(path.ptr, 0777) == 0 || errno == EEXIST ? opendir(path.ptr) : NULL;
    Status st = OK;
    if (!d)
        st = error_set(err, ERR_IO, "cannot keep what `@checkpoint` says in `%s`: %s", path.ptr, strerror(errno));
    for (struct dirent *e; d && (e = readdir(d)) != NULL; ) {
        if (e->d_name[0] == '.')
            continue;
        path.len = n_folder;
        buf_printf(&path, "/%s", e->d_name);
        bool is_begun = str_ends(str_of(e->d_name), STR_LIT(".new")); /* and was not made whole */
        if (!is_begun && kept_is_whole(path.ptr)) {
            map_put(&c->there[s->id], arena_str(c->arena, str_of(e->d_name)), c);
            c->has_any = true;
        } else {
            c->n_damaged += !is_begun;
            unlink(path.ptr);
        }
    }
    if (d)
        closedir(d);
    buf_deinit(&path);
    return st;
}

static Status inputs_note(Run *r, Error *err)
{
    Status st = OK;
    for (uint32_t i = 0; i < r->plan->n_steps && st == OK; i++) {
        const Step *s = r->plan->steps[i];
        const Pop *p = s->pops.n ? s->pops.ptr[0] : NULL;
        bool reads = p && p->kind == POP_READ_CSV && !p->expr;
        if (reads || (p && p->kind == POP_FILES))
            st = r->options.store->note_input(r->options.store->ctx, p->path, !reads || p->is_pattern, err);
    }
    return st;
}

static void readers_find(const Plan *plan, Checkpoint *c)
{
    c->readers = arena_array(c->arena, uint32_t *, plan->n_steps);
    c->n_readers = arena_array(c->arena, uint32_t, plan->n_steps);
    for (uint32_t i = 0; i < plan->n_steps; i++)
        for (uint32_t k = 0; k < plan->steps[i]->n_inputs; k++)
            c->n_readers[plan->steps[i]->inputs[k]]++;
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        c->readers[i] = arena_array(c->arena, uint32_t, c->n_readers[i] + 1ull);
        c->n_readers[i] = 0;
        for (uint32_t k = 0; k < plan->steps[i]->n_inputs; k++) {
            uint32_t from = plan->steps[i]->inputs[k];
            c->readers[from][c->n_readers[from]++] = i;
        }
    }
}

Status checkpoint_open(Run *r, Error *err)
{
    const Plan *plan = r->plan;
    Checkpoint *c = r->checkpoint = xcalloc(1, sizeof *c);
    Status st = inputs_note(r, err);
    c->arena = arena_open();
    c->inputs = kept_inputs_open();
    c->there = arena_array(c->arena, Map, plan->n_steps);
    readers_find(plan, c);
    for (uint32_t i = 0; i < plan->n_steps && st == OK; i++) {
        map_init(&c->there[i], c->arena);
        if (plan->steps[i]->keeps)
            st = folder_read(r, plan->steps[i], err);
    }
    return st;
}

void checkpoint_close(Run *r)
{
    Checkpoint *c = r->checkpoint;
    if (!c)
        return;
    kept_inputs_close(c->inputs);
    arena_close(c->arena);
    free(c);
}

KeptCount checkpoint_count(const Run *r)
{
    const Checkpoint *c = r->checkpoint;
    return c ? (KeptCount){.n_kept = c->n_kept, .n_restored = c->n_restored, .n_left_out = c->n_left_out,
                           .n_damaged = c->n_damaged}
             : (KeptCount){0};
}

Status checkpoint_note(Run *r, Str path, Error *err)
{
    if (!r->checkpoint)
        return OK;
    pthread_mutex_lock(&r->mu);
    Status st = r->options.store->note_input(r->options.store->ctx, path, false, err);
    pthread_mutex_unlock(&r->mu);
    return st;
}

/* ---- who wants what ---- */

/* Of an instance that is asked about: what was found out so far. */
typedef struct Asking {
    const Run *r;
    uint32_t n_steps;
    signed char *known; /* [depths * n_steps] 0: not yet, 1: wanted, -1: not */
} Asking;

/* The frame, or the one around it, of the scope; NULL: there is none. */
static const Frame *frame_in(const Frame *f, uint32_t scope)
{
    while (f && frame_scope(f) != scope)
        f = frame_parent(f);
    return f;
}

static bool is_there(const Run *r, const Step *s, const Frame *f)
{
    Buf text = {0};
    if (!s->keeps || r->checkpoint->there[s->id].n == 0)
        return false;
    name_put(&text, f);
    bool yes = map_get(&r->checkpoint->there[s->id], buf_str(&text)) != NULL;
    buf_deinit(&text);
    return yes;
}

static bool scope_is_in(const Plan *plan, uint32_t scope, uint32_t around)
{
    while (scope > around)
        scope = plan->scopes[scope].parent;
    return scope == around;
}

static bool is_wanted(Asking *a, const Step *s, const Frame *f);

/* Does step `by` run, in the frame, around it or inside of it? */
static bool is_wanted_by(Asking *a, const Step *by, const Frame *f)
{
    const Frame *its = frame_in(f, by->scope);
    if (its && is_there(a->r, by, its))
        return false;
    return is_wanted(a, by, its ? its : f);
}

static bool find_wanted(Asking *a, const Step *s, const Frame *f)
{
    const Plan *plan = a->r->plan;
    const Checkpoint *c = a->r->checkpoint;
    if (keep_runs_again(plan, s))
        return true;
    for (uint32_t i = 0; i < c->n_readers[s->id]; i++)
        if (is_wanted_by(a, plan->steps[c->readers[s->id][i]], f))
            return true;
    for (uint32_t i = s->id + 1; s->is_generator && i < plan->n_steps; i++) /* those without a reader, too */
        if (scope_is_in(plan, plan->steps[i]->scope, s->yields) && is_wanted_by(a, plan->steps[i], f))
            return true;
    return false;
}

/* Has the step to run in the frame, or in frames inside of it that are not known, for what it does or for its output? */
static bool is_wanted(Asking *a, const Step *s, const Frame *f)
{
    signed char *known = &a->known[(size_t)frame_depth(f) * a->n_steps + s->id];
    if (!*known)
        *known = find_wanted(a, s, f) ? 1 : -1;
    return *known > 0;
}

static bool instance_is_wanted(const Run *r, const Step *s, const Frame *f)
{
    Asking a = {.r = r, .n_steps = r->plan->n_steps};
    a.known = xcalloc((frame_depth(f) + 1ull) * a.n_steps, 1);
    bool yes = is_wanted(&a, s, f);
    free(a.known);
    return yes;
}

/* ---- what was told of bad rows, as notes ---- */

static void told_put(Buf *out, Rejects *told)
{
    Buf lines = {0};
    rejects_take(told, &lines);
    const uint64_t counts[] = {told->n_skipped, told->n_nulled, lines.len};
    buf_put(out, counts, sizeof counts);
    buf_put(out, lines.ptr, lines.len);
    rejects_put_lines(told, &lines);
    buf_deinit(&lines);
}

static const char *told_take(const char *p, Rejects *told)
{
    uint64_t counts[3];
    memcpy(counts, p, sizeof counts);
    p += sizeof counts;
    Buf lines = {0};
    buf_put(&lines, p, counts[2]);
    told->n_skipped = counts[0];
    told->n_nulled = counts[1];
    rejects_put_lines(told, &lines);
    buf_deinit(&lines);
    return p + counts[2];
}

/* ---- instances ---- */

/* What a generator could not read of its batch is told by whoever reads the batch first, and nobody else may. */
static Status batch_told(Run *r, const Task *t, const Step *s, Error *err)
{
    const Step *from = s->n_inputs ? r->plan->steps[s->inputs[0]] : NULL;
    const Batch *in = NULL;
    if (!from || s->is_generator || !s->in || !from->is_generator || from->bad_rows == BAD_ROWS_FAIL)
        return OK;
    return input_batch(r, t, s, &in, err);
}

static Status restore(Run *r, Task *t, const Step *s, Error *err)
{
    Buf path = {0}, notes = {0};
    Batch *out = NULL;
    State *state = state_of(t->inst);
    path_put(&path, r, s, instance_frame(t->inst));
    Status st = kept_read(path.ptr, r->checkpoint->inputs, &out, &notes, err);
    if (st == OK && notes.len) {
        rejects_of(s, &state->read_told);
        rejects_of(s, &state->told);
        told_take(told_take(notes.ptr, &state->read_told), &state->told);
        st = tell(r, t, s, REJECTED_READ, instance_frame(t->inst), -1, &state->read_told, err);
        if (st == OK)
            st = tell(r, t, s, REJECTED_ROWS, instance_frame(t->inst), -1, &state->told, err);
    }
    if (st == OK) {
        t->n_rows_out = out->n_rows;
        publish(r, t, s, out);
        r->checkpoint->n_restored++;
    } else {
        batch_unref(out);
    }
    buf_deinit(&path);
    buf_deinit(&notes);
    return st;
}

bool checkpoint_stands_in(Run *r, Task *t, const Step *s, TaskResult *how)
{
    if (!r->checkpoint || !r->checkpoint->has_any)
        return false;
    const Frame *f = instance_frame(t->inst);
    bool is_kept = is_there(r, s, f), is_needed = instance_is_wanted(r, s, f);
    if (is_needed && !is_kept)
        return false;
    Status st = batch_told(r, t, s, &t->err);
    if (st == OK && is_needed)
        st = restore(r, t, s, &t->err);
    else if (st == OK && !s->part_of) /* nobody knows of parts */
        r->checkpoint->n_left_out++;
    t->err.status = st;
    *how = st != OK ? TASK_FAILED : s->is_generator ? TASK_EXHAUSTED : TASK_DONE;
    return true;
}

Status checkpoint_keep(Run *r, const Task *t, const Step *s, Batch *out, Error *err)
{
    State *state = instance_state(t->inst);
    Buf path = {0}, notes = {0};
    if (!s->keeps || !r->checkpoint)
        return OK;
    Status st = s->timeout_us ? task_check(t, err) : OK; /* too late is not done */
    path_put(&path, r, s, instance_frame(t->inst));
    if (s->bad_rows != BAD_ROWS_FAIL) {
        told_put(&notes, &state->read_told);
        told_put(&notes, &state->told);
    }
    if (st == OK && notes.len <= INT32_MAX) { /* else it runs again */
        st = kept_write(path.ptr, out, buf_str(&notes), err);
        r->checkpoint->n_kept += st == OK;
    }
    buf_deinit(&path);
    buf_deinit(&notes);
    return st;
}
