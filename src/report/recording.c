#include "report/recording.h"

#include <stdlib.h>
#include <string.h>

/* ---- frames: ids of the run to places in the recording */

typedef struct Opened {
    uint32_t id, parent_id, index, scope;
    Str label; /* has_label; else the key is the index */
    bool has_label;
} Opened;

static int opened_cmp(const void *a, const void *b)
{
    uint32_t x = ((const Opened *)a)->id, y = ((const Opened *)b)->id;
    return (x > y) - (x < y);
}

typedef struct Frames {
    Recording *rec;
    Opened *opened; /* [n] by id; frame k of the recording is opened[k - 1] */
    uint32_t n;
} Frames;

/* REC_NONE for an id that was never opened. */
static uint32_t frames_find(const Frames *f, uint32_t id)
{
    if (id == 0)
        return 0;
    Opened want = {.id = id};
    const Opened *o =
        f->n ? bsearch(&want, f->opened, f->n, sizeof want, opened_cmp) : NULL;
    return o ? (uint32_t)(o - f->opened) + 1 : REC_NONE;
}

/* Events of two workers may be out of order by a little, so a parent is looked up, not
 * expected to come first. Depth is that of the scopes. */
static const RecFrame *frame_name(Frames *f, uint32_t frame)
{
    Arena *a = f->rec->arena;
    RecFrame *at = &f->rec->frames[frame];
    if (frame == 0 || at->numbers.len)
        return at;
    const Opened *o = &f->opened[frame - 1];
    uint32_t parent = o->parent_id == o->id ? 0 : frames_find(f, o->parent_id);
    at->scope = o->scope;
    at->parent = parent == REC_NONE ? 0 : parent;
    const RecFrame *up = at->parent ? frame_name(f, at->parent) : NULL;
    Buf key = {0}, numbers = {0};
    if (up) {
        buf_put_str(&key, up->key);
        buf_putc(&key, '/');
        buf_put_str(&numbers, up->numbers);
        buf_putc(&numbers, '/');
    }
    buf_printf(&numbers, "%u", o->index);
    if (o->has_label)
        buf_put_str(&key, o->label);
    else
        buf_printf(&key, "%u", o->index);
    at->key = arena_str(a, buf_str(&key));
    at->numbers = arena_str(a, buf_str(&numbers));
    buf_deinit(&key);
    buf_deinit(&numbers);
    return at;
}

static void frames_label(Frames *f, const RunEnd *end)
{
    for (size_t i = 0; i < end->n_labels; i++) {
        uint32_t k = frames_find(f, end->labels[i].frame);
        if (k == 0 || k == REC_NONE)
            continue;
        f->opened[k - 1].has_label = true;
        f->opened[k - 1].label = end->labels[i].label;
    }
}

static void frames_make(Frames *f, const TraceEvent *events, size_t n_events, const RunEnd *end)
{
    Recording *r = f->rec;
    for (size_t i = 0; i < n_events; i++)
        f->n += events[i].kind == TRACE_OPEN;
    f->opened = arena_array(r->arena, Opened, f->n + 1);
    uint32_t n = 0;
    for (size_t i = 0; i < n_events; i++) {
        const TraceEvent *e = &events[i];
        if (e->kind == TRACE_OPEN)
            f->opened[n++] = (Opened){.id = e->frame, .parent_id = trace_parent(e),
                                      .index = e->info,
                                      .scope = r->info.steps[e->step].child_scope};
    }
    if (n)
        qsort(f->opened, n, sizeof *f->opened, opened_cmp);
    frames_label(f, end);
    r->n_frames = n + 1;
    r->frames = arena_array(r->arena, RecFrame, r->n_frames);
    for (uint32_t k = 1; k < r->n_frames; k++)
        frame_name(f, k);
}

/* ---- live batches */

/* Counted, not taken from the events: these may be out of order by a little between
 * workers, and a sum comes out right all the same. The true peak caps it. */
static void live_make(Recording *r, const TraceEvent *events, size_t n_events)
{
    uint32_t n_scopes = r->info.n_scopes;
    int64_t *n_live = arena_array(r->arena, int64_t, n_scopes);
    for (size_t i = 0; i < n_events; i++)
        if (events[i].kind == TRACE_OPEN || events[i].kind == TRACE_CLOSE)
            r->scopes[r->info.steps[events[i].step].child_scope].n_points++;
    for (uint32_t s = 0; s < n_scopes; s++) {
        r->scopes[s].points = arena_array(r->arena, LivePoint, r->scopes[s].n_points);
        r->scopes[s].n_points = 0;
    }
    for (size_t i = 0; i < n_events; i++) {
        const TraceEvent *e = &events[i];
        if (e->kind != TRACE_OPEN && e->kind != TRACE_CLOSE)
            continue;
        uint32_t s = r->info.steps[e->step].child_scope;
        RecScope *scope = &r->scopes[s];
        n_live[s] += e->kind == TRACE_OPEN ? 1 : -1;
        int64_t live = n_live[s] < 0 ? 0 : n_live[s];
        if (live > scope->count.peak_live)
            live = scope->count.peak_live;
        if (scope->n_points == 0 || scope->points[scope->n_points - 1].t_ns != e->t_ns)
            scope->n_points++;
        scope->points[scope->n_points - 1] = (LivePoint){e->t_ns, (uint32_t)live};
    }
}

/* ---- bars */

static void bar_shares(Bar *b, uint32_t shares)
{
    b->is_measured = shares != 0;
    b->cpu_ns = trace_cpu_ns(shares, b->end_ns - b->start_ns);
    b->slept_ns = trace_slept_ns(shares, b->end_ns - b->start_ns);
}

static void bars_make(Frames *f, const TraceEvent *events, size_t n_events)
{
    Recording *r = f->rec;
    uint32_t n_workers = r->info.n_workers;
    const TraceEvent **started = arena_array(r->arena, const TraceEvent *, n_workers);
    uint32_t *yielded = arena_array(r->arena, uint32_t, n_workers);
    size_t n = 0;
    for (size_t i = 0; i < n_events; i++)
        n += events[i].kind == TRACE_END || events[i].kind == TRACE_FOLD || events[i].kind == TRACE_HELP;
    r->bars = arena_array(r->arena, Bar, n);
    for (uint32_t w = 0; w < n_workers; w++)
        yielded[w] = REC_NONE;
    for (size_t i = 0; i < n_events; i++) {
        const TraceEvent *e = &events[i];
        if (e->worker >= n_workers)
            continue;
        uint32_t frame = frames_find(f, e->frame);
        Bar b = {.end_ns = e->t_ns, .step = e->step, .frame = frame, .child = REC_NONE,
                 .after = REC_NONE, .worker = e->worker, .attempt = e->attempt,
                 .outcome = (Outcome)e->outcome};
        if (e->kind == TRACE_START) {
            started[e->worker] = e;
        } else if (e->kind == TRACE_OPEN) {
            /* The generator's END came just before, from the same worker. */
            if (yielded[e->worker] != REC_NONE &&
                r->bars[yielded[e->worker]].step == e->step)
                r->bars[yielded[e->worker]].child = frame;
            yielded[e->worker] = REC_NONE;
        } else if (e->kind == TRACE_END) {
            const TraceEvent *s = started[e->worker];
            started[e->worker] = NULL;
            if (!s || s->step != e->step || s->frame != e->frame || frame == REC_NONE)
                continue;
            b.start_ns = s->t_ns < e->t_ns ? s->t_ns : e->t_ns;
            b.ready_ns = s->value < b.start_ns ? s->value : b.start_ns;
            bar_shares(&b, e->info);
            b.rows_in = trace_rows_in(e);
            b.rows_out = trace_rows_out(e);
            if (e->outcome == OUTCOME_YIELDED)
                yielded[e->worker] = r->n_bars;
            r->bars[r->n_bars++] = b;
        } else if (e->kind == TRACE_FOLD) {
            b.kind = BAR_FOLD;
            b.start_ns = e->value < e->t_ns ? e->value : e->t_ns;
            b.ready_ns = b.start_ns;
            bar_shares(&b, e->info);
            b.child = frame;
            /* The frame of the step that folds: up from the batch to its scope. */
            while (frame != REC_NONE && frame != 0 &&
                   r->frames[frame].scope != r->info.steps[e->step].scope)
                frame = frames_find(f, f->opened[frame - 1].parent_id);
            b.frame = frame;
            if (frame != REC_NONE)
                r->bars[r->n_bars++] = b;
        } else if (e->kind == TRACE_HELP && frame != REC_NONE) {
            b.kind = BAR_HELP;
            b.start_ns = e->value < e->t_ns ? e->value : e->t_ns;
            b.ready_ns = b.start_ns;
            bar_shares(&b, e->info);
            r->bars[r->n_bars++] = b;
        }
    }
}

static void skips_make(Frames *f, const TraceEvent *events, size_t n_events)
{
    Recording *r = f->rec;
    size_t n = 0;
    for (size_t i = 0; i < n_events; i++)
        n += events[i].kind == TRACE_SKIP;
    r->skips = arena_array(r->arena, Skip, n);
    for (size_t i = 0; i < n_events; i++) {
        const TraceEvent *e = &events[i];
        uint32_t frame = e->kind == TRACE_SKIP ? frames_find(f, e->frame) : REC_NONE;
        if (frame != REC_NONE)
            r->skips[r->n_skips++] =
                (Skip){e->t_ns, e->step, frame, e->info, e->worker};
    }
}

static int bar_cmp(const void *a, const void *b)
{
    const Bar *x = a, *y = b;
    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    if (x->worker != y->worker)
        return x->worker < y->worker ? -1 : 1;
    if (x->end_ns != y->end_ns)
        return x->end_ns < y->end_ns ? -1 : 1;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    if (x->child != y->child)
        return x->child < y->child ? -1 : 1;
    if (x->attempt != y->attempt)
        return x->attempt < y->attempt ? -1 : 1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

void recording_finish(Recording *r)
{
    if (r->n_bars)
        qsort(r->bars, r->n_bars, sizeof *r->bars, bar_cmp);
    recording_link(r);
}

/* ---- the whole */

static void info_copy(Recording *r, const RunInfo *info)
{
    Arena *a = r->arena;
    RunStep *steps = arena_array(a, RunStep, info->n_steps);
    RunScope *scopes = arena_array(a, RunScope, info->n_scopes);
    RunPool *pools = arena_array(a, RunPool, info->n_pools);
    for (uint32_t i = 0; i < info->n_steps; i++) {
        const RunStep *s = &info->steps[i];
        uint32_t *inputs = arena_array(a, uint32_t, s->n_inputs);
        for (uint32_t k = 0; k < s->n_inputs; k++)
            inputs[k] = s->inputs[k];
        steps[i] = *s;
        steps[i].name = arena_str(a, s->name);
        steps[i].inputs = inputs;
    }
    for (uint32_t i = 0; i < info->n_scopes; i++)
        scopes[i] = info->scopes[i];
    for (uint32_t i = 0; i < info->n_pools; i++)
        pools[i] = (RunPool){arena_str(a, info->pools[i].name), info->pools[i].size};
    r->info = *info;
    r->info.file = arena_str(a, info->file);
    r->info.job = arena_str(a, info->job);
    r->info.steps = steps;
    r->info.scopes = scopes;
    r->info.pools = pools;
}

Recording *recording_make(const RunInfo *info, const TraceEvent *events, size_t n_events,
                          const RunEnd *end)
{
    Arena *a = arena_open();
    Recording *r = arena_new(a, Recording);
    r->arena = a;
    info_copy(r, info);
    r->state = end->state;
    r->t_ns = end->t_ns;
    r->steps = arena_array(a, StepCount, info->n_steps);
    r->scopes = arena_array(a, RecScope, info->n_scopes);
    r->bad_rows = arena_array(a, BadRowCount, info->n_steps);
    for (uint32_t i = 0; i < info->n_steps; i++)
        r->steps[i] = end->steps[i];
    for (uint32_t i = 0; end->bad_rows && i < info->n_steps; i++)
        r->bad_rows[i] = end->bad_rows[i];
    for (uint32_t i = 0; i < info->n_scopes; i++)
        r->scopes[i].count = end->scopes[i];
    if (end->profile)
        r->profile = profile_copy(a, end->profile);
    Frames f = {.rec = r};
    frames_make(&f, events, n_events, end);
    live_make(r, events, n_events);
    bars_make(&f, events, n_events);
    skips_make(&f, events, n_events);
    recording_finish(r);
    return r;
}

void recording_free(Recording *r)
{
    if (r)
        arena_close(r->arena);
}

void recording_put_name(const Recording *r, const Bar *b, Buf *out)
{
    recording_put_instance(r, b->step, b->frame, out);
}

void recording_put_instance(const Recording *r, uint32_t step, uint32_t frame, Buf *out)
{
    Str key = r->frames[frame].key;
    buf_put_visible(out, r->info.steps[step].name);
    if (key.len) {
        buf_putc(out, '[');
        buf_put_visible(out, key);
        buf_putc(out, ']');
    }
}

const char *run_state_name(RunState s)
{
    switch (s) {
    case RUN_DONE: return "done";
    case RUN_PARTIAL: return "partial";
    case RUN_FAILED: return "failed";
    case RUN_CANCELLED: return "cancelled";
    }
    return "?";
}

const char *outcome_name(Outcome o)
{
    switch (o) {
    case OUTCOME_DONE: return "done";
    case OUTCOME_YIELDED: return "yielded";
    case OUTCOME_EXHAUSTED: return "exhausted";
    case OUTCOME_FAILED: return "failed";
    case OUTCOME_RETRY: return "retry";
    }
    return "?";
}
