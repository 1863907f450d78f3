/* Reads a trace back. Everything is checked, a file may be anything. Events are parsed one by
 * one: a million of them as one tree would take gigabytes. Those that look as we write them are taken from
 * the text as they stand (trace_event.c), all others go through jansson. */
#include "report/trace.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/map.h"
#include "report/trace_event.h"
#include "report/trace_walk.h"

typedef struct Reader {
    Recording *rec;
    Buf id;        /* room for a key of frames */
    Map frames;    /* "scope:numbers" -> index + 1 */
    Map steps;     /* name -> index + 1 */
    Map counters;  /* "live batches of NAME" -> scope */
    size_t cap_frames, cap_bars, cap_skips;
    size_t *cap_points; /* [n_scopes] */
    bool is_bad;   /* something was missing or out of range */
} Reader;

/* Room for one more. */
#define GROW(r, array, n, cap)                                                             \
    ((array) = (n) < *(cap) ? (array)                                                      \
                            : arena_grow((r)->rec->arena, (array), (n), (cap), sizeof *(array)))

static json_t *get(Reader *r, json_t *object, const char *key)
{
    json_t *v = json_object_get(object, key);
    if (!v)
        r->is_bad = true;
    return v;
}

static Str get_str(Reader *r, json_t *object, const char *key)
{
    json_t *v = get(r, object, key);
    if (!json_is_string(v)) {
        r->is_bad = true;
        return (Str){0};
    }
    Str s = {json_string_value(v), (uint32_t)json_string_length(v)};
    return arena_str(r->rec->arena, s);
}

static uint64_t get_int(Reader *r, json_t *object, const char *key, uint64_t max)
{
    json_t *v = get(r, object, key);
    json_int_t i = json_integer_value(v);
    if (!json_is_integer(v) || i < 0 || (uint64_t)i > max) {
        r->is_bad = true;
        return 0;
    }
    return (uint64_t)i;
}

static uint64_t get_ns(Reader *r, json_t *object, const char *key)
{
    json_t *v = get(r, object, key);
    if (json_is_integer(v) && json_integer_value(v) >= 0 &&
        json_integer_value(v) < INT64_MAX / 1000)
        return (uint64_t)json_integer_value(v) * 1000;
    double us = json_number_value(v);
    if (!json_is_real(v) || !(us >= 0 && us < 9e15)) {
        r->is_bad = true;
        return 0;
    }
    return (uint64_t)llround(us * 1000);
}

static uint32_t get_array(Reader *r, json_t *object, const char *key, uint32_t min,
                          uint32_t max, json_t **out)
{
    *out = get(r, object, key);
    size_t n = json_array_size(*out); /* 0 when it is none */
    if (!json_is_array(*out) || n < min || n > max) {
        r->is_bad = true;
        return 0;
    }
    return (uint32_t)n;
}

static void *index_ptr(uint32_t i)
{
    return (void *)(uintptr_t)(i + 1u);
}

/* The frame with those numbers. Its key, if that is not known yet (len 0), is them for the time being. */
static uint32_t frame_of(Reader *r, uint32_t scope, Str numbers, Str key)
{
    Recording *rec = r->rec;
    buf_clear(&r->id);
    buf_put(&r->id, (const char *)&scope, sizeof scope);
    buf_put_str(&r->id, numbers);
    uintptr_t found = (uintptr_t)map_get(&r->frames, buf_str(&r->id));
    if (found) {
        if (key.len && !str_eq(key, rec->frames[found - 1].key))
            rec->frames[found - 1].key = arena_str(rec->arena, key);
        return (uint32_t)(found - 1);
    }
    Str id = arena_str(rec->arena, buf_str(&r->id));
    numbers = arena_str(rec->arena, numbers);
    key = key.len ? arena_str(rec->arena, key) : key;
    uint32_t parent = 0, end = numbers.len;
    while (end > 0 && numbers.ptr[end - 1] != '/')
        end--;
    if (scope && end > 1)
        parent = frame_of(r, rec->info.scopes[scope].parent, str_slice(numbers, 0, end - 1),
                          (Str){0});
    GROW(r, rec->frames, rec->n_frames, &r->cap_frames);
    rec->frames[rec->n_frames] = (RecFrame){.scope = scope, .parent = parent, .numbers = numbers,
                                            .key = key.len ? key : numbers};
    map_put(&r->frames, id, index_ptr(rec->n_frames));
    return rec->n_frames++;
}

/* ---- fields of an event; its texts are those of the file */

static const Field *field(Reader *r, const Fields *f, const char *key)
{
    const Field *v = fields_get(f, key);
    r->is_bad |= v == NULL;
    return v;
}

static Str field_str(Reader *r, const Fields *f, const char *key)
{
    const Field *v = field(r, f, key);
    r->is_bad |= !v || v->kind != FIELD_STR;
    return v && v->kind == FIELD_STR ? v->text : (Str){0};
}

static uint64_t field_int(Reader *r, const Fields *f, const char *key, uint64_t max)
{
    const Field *v = field(r, f, key);
    if (!v || v->kind != FIELD_INT || v->n > max) {
        r->is_bad = true;
        return 0;
    }
    return v->n;
}

static uint64_t field_ns(Reader *r, const Fields *f, const char *key)
{
    const Field *v = field(r, f, key);
    if (v && v->kind == FIELD_INT && v->n < INT64_MAX / 1000)
        return v->n * 1000;
    if (!v || v->kind != FIELD_REAL) {
        r->is_bad = true;
        return 0;
    }
    return v->n;
}

static uint32_t field_step(Reader *r, const Fields *f, const char *key)
{
    uintptr_t found = (uintptr_t)map_get(&r->steps, field_str(r, f, key));
    r->is_bad |= !found;
    return found ? (uint32_t)(found - 1) : 0;
}

/* The frame that an event names by its key, and by its numbers where these are another. */
static uint32_t field_frame(Reader *r, uint32_t scope, const Fields *args, const char *key_name,
                            const char *numbers_name)
{
    Str key = field_str(r, args, key_name), numbers = key;
    if (fields_get(args, numbers_name))
        numbers = field_str(r, args, numbers_name);
    return frame_of(r, scope, numbers, key);
}

/* Fields that a trace of an earlier version has not: without them a step has no cap and no
 * pool, and reads the one before it. */
static void read_step_more(Reader *r, json_t *s, uint32_t i, uint32_t n, RunStep *out)
{
    Recording *rec = r->rec;
    json_t *inputs = json_object_get(s, "inputs"), *pool = json_object_get(s, "pool");
    out->is_ordered = json_is_true(json_object_get(s, "is_ordered"));
    if (json_object_get(s, "cap"))
        out->cap = (uint32_t)get_int(r, s, "cap", UINT32_MAX);
    if (json_is_integer(pool) && json_integer_value(pool) >= 0 &&
        json_integer_value(pool) < rec->info.n_pools)
        out->pool = (uint32_t)json_integer_value(pool) + 1;
    else if (pool && !json_is_null(pool))
        r->is_bad = true;
    size_t n_inputs = inputs ? json_array_size(inputs) : i > 0;
    if (n_inputs > UINT16_MAX || (inputs && !json_is_array(inputs))) {
        r->is_bad = true;
        return;
    }
    uint32_t *list = arena_array(rec->arena, uint32_t, n_inputs);
    for (size_t k = 0; k < n_inputs; k++) {
        json_int_t v = inputs ? json_integer_value(json_array_get(inputs, k)) : (json_int_t)i - 1;
        r->is_bad |= v < 0 || v >= n;
        list[k] = v < 0 || v >= n ? 0 : (uint32_t)v;
    }
    out->n_inputs = (uint32_t)n_inputs;
    out->inputs = list;
}

static void read_pools(Reader *r, json_t *run)
{
    Recording *rec = r->rec;
    json_t *list;
    if (!json_object_get(run, "pools"))
        return;
    uint32_t n = get_array(r, run, "pools", 0, UINT16_MAX, &list);
    RunPool *pools = arena_array(rec->arena, RunPool, n);
    for (uint32_t i = 0; i < n; i++) {
        json_t *p = json_array_get(list, i);
        pools[i].name = get_str(r, p, "name");
        pools[i].size = (uint32_t)get_int(r, p, "size", UINT32_MAX);
    }
    rec->info.n_pools = n;
    rec->info.pools = pools;
}

static void read_steps(Reader *r, json_t *list, uint32_t n)
{
    Recording *rec = r->rec;
    RunStep *steps = arena_array(rec->arena, RunStep, n);
    rec->steps = arena_array(rec->arena, StepCount, n);
    rec->bad_rows = arena_array(rec->arena, BadRowCount, n);
    for (uint32_t i = 0; i < n; i++) {
        json_t *s = json_array_get(list, i);
        json_t *priority = get(r, s, "priority");
        steps[i] = (RunStep){
            .name = get_str(r, s, "name"),
            .scope = (uint32_t)get_int(r, s, "scope", rec->info.n_scopes - 1),
            .child_scope = (uint32_t)get_int(r, s, "yields", rec->info.n_scopes - 1),
            .priority = (int32_t)json_integer_value(priority),
            .is_collect = json_is_true(get(r, s, "is_collect")),
        };
        read_step_more(r, s, i, n, &steps[i]);
        rec->steps[i] = (StepCount){
            .n_done = get_int(r, s, "done", INT64_MAX),
            .n_failed = get_int(r, s, "failed", INT64_MAX),
            .n_skipped = get_int(r, s, "skipped", INT64_MAX),
            .n_retries = get_int(r, s, "retries", INT64_MAX),
            .n_not_started = get_int(r, s, "not_started", INT64_MAX),
        };
        if (json_object_get(s, "skipped_rows"))
            rec->bad_rows[i].n_skipped = get_int(r, s, "skipped_rows", INT64_MAX);
        if (json_object_get(s, "nulled_values"))
            rec->bad_rows[i].n_nulled = get_int(r, s, "nulled_values", INT64_MAX);
        map_put(&r->steps, steps[i].name, index_ptr(i));
    }
    rec->info.n_steps = n;
    rec->info.steps = steps;
}

static void read_scopes(Reader *r, json_t *list)
{
    Recording *rec = r->rec;
    uint32_t n = rec->info.n_scopes;
    RunScope *scopes = arena_array(rec->arena, RunScope, n);
    rec->scopes = arena_array(rec->arena, RecScope, n);
    r->cap_points = arena_array(rec->arena, size_t, n);
    for (uint32_t i = 0; i < n; i++) {
        json_t *s = json_array_get(list, i);
        scopes[i].parent = (uint32_t)get_int(r, s, "parent", n - 1);
        scopes[i].generator = RUN_NO_STEP;
        scopes[i].bound = UINT64_MAX;
        if (i)
            scopes[i].generator =
                (uint32_t)get_int(r, s, "generator", rec->info.n_steps - 1);
        if (!json_is_null(json_object_get(s, "bound")))
            scopes[i].bound = get_int(r, s, "bound", INT64_MAX);
        json_t *credits = json_object_get(s, "credits");
        if (credits)
            scopes[i].credits = json_is_null(credits)
                                    ? UINT32_MAX
                                    : (uint32_t)get_int(r, s, "credits", UINT32_MAX);
        rec->scopes[i].count = (ScopeCount){
            .n_batches = get_int(r, s, "batches", INT64_MAX),
            .peak_live = (uint32_t)get_int(r, s, "peak_live", UINT32_MAX),
            .n_overdrafts = (uint32_t)get_int(r, s, "overdrafts", UINT32_MAX),
        };
        if (i == 0 || r->is_bad)
            continue;
        Str name = arena_printf(rec->arena, "live batches of %.*s",
                                STR_ARG(rec->info.steps[scopes[i].generator].name));
        map_put(&r->counters, name, index_ptr(i));
    }
    rec->info.scopes = scopes;
}

static uint32_t get_step(Reader *r, json_t *args, const char *key)
{
    json_t *v = json_object_get(args, key);
    Str name = {json_string_value(v), (uint32_t)json_string_length(v)};
    uintptr_t found = json_is_string(v) ? (uintptr_t)map_get(&r->steps, name) : 0;
    if (!found)
        r->is_bad = true;
    return found ? (uint32_t)(found - 1) : 0;
}

static void read_profile_line(Reader *r, json_t *v, ProfileLine *l)
{
    Str kind = get_str(r, v, "kind");
    bool is_known = false;
    *l = (ProfileLine){.step = get_step(r, v, "step"), .name = get_str(r, v, "name"),
                       .text = get_str(r, v, "text"), .n_runs = get_int(r, v, "runs", INT64_MAX),
                       .n_rows = get_int(r, v, "rows", INT64_MAX),
                       .n_bytes = get_int(r, v, "bytes", INT64_MAX), .ns = get_ns(r, v, "time_us"),
                       .cycles = get_int(r, v, "cycles", INT64_MAX)};
    if (json_object_get(v, "values"))
        l->n_values = get_int(r, v, "values", INT64_MAX);
    for (int k = PROFILE_STEP; k <= PROFILE_WAIT; k++)
        if (str_is(kind, profile_kind_name((ProfileKind)k))) {
            l->kind = (ProfileKind)k;
            is_known = true;
        }
    r->is_bad |= !is_known;
}

static void read_profile(Reader *r, json_t *v)
{
    Profile *p = arena_new(r->rec->arena, Profile);
    json_t *lines;
    p->work_ns = get_ns(r, v, "work_us");
    p->run_ns = get_ns(r, v, "run_us");
    p->cycles_per_us = (double)get_int(r, v, "cycles_per_s", INT64_MAX) / 1e6;
    p->n_lines = get_array(r, v, "lines", 0, UINT32_MAX - 1, &lines);
    p->lines = arena_array(r->rec->arena, ProfileLine, p->n_lines);
    for (uint32_t i = 0; i < p->n_lines && !r->is_bad; i++)
        read_profile_line(r, json_array_get(lines, i), &p->lines[i]);
    r->rec->profile = p;
}

static void read_run(Reader *r, json_t *run)
{
    Recording *rec = r->rec;
    json_t *steps, *scopes;
    rec->info.file = get_str(r, run, "file");
    rec->info.job = get_str(r, run, "job");
    rec->t_ns = get_ns(r, run, "time_us");
    rec->info.n_workers = (uint32_t)get_int(r, run, "workers", UINT16_MAX);
    r->is_bad |= rec->info.n_workers == 0;
    if (json_object_get(run, "processors"))
        rec->info.n_processors = (uint32_t)get_int(r, run, "processors", UINT32_MAX);
    Str state = get_str(r, run, "state");
    bool is_known = false;
    for (int s = RUN_DONE; s <= RUN_CANCELLED; s++)
        if (str_is(state, run_state_name((RunState)s))) {
            rec->state = (RunState)s;
            is_known = true;
        }
    r->is_bad |= !is_known;
    uint32_t n_steps = get_array(r, run, "steps", 1, UINT16_MAX, &steps);
    rec->info.n_scopes = get_array(r, run, "scopes", 1, UINT16_MAX, &scopes);
    if (r->is_bad)
        return;
    read_pools(r, run);
    read_steps(r, steps, n_steps);
    read_scopes(r, scopes);
    if (json_object_get(run, "profile"))
        read_profile(r, json_object_get(run, "profile"));
}

static uint16_t field_worker(Reader *r, const TraceItem *e)
{
    uint64_t tid = field_int(r, &e->top, "tid", r->rec->info.n_workers);
    r->is_bad |= tid == 0;
    return (uint16_t)(tid - 1);
}

static void read_outcome(Reader *r, const Fields *args, Bar *b)
{
    b->ready_ns = field_ns(r, args, "ready_us");
    if (b->ready_ns > b->start_ns)
        b->ready_ns = b->start_ns;
    b->rows_in = (uint32_t)field_int(r, args, "rows_in", UINT32_MAX);
    b->rows_out = (uint32_t)field_int(r, args, "rows_out", UINT32_MAX);
    Str outcome = field_str(r, args, "outcome");
    bool is_known = false;
    for (int k = OUTCOME_DONE; k <= OUTCOME_RETRY; k++)
        if (str_is(outcome, outcome_name((Outcome)k))) {
            b->outcome = (Outcome)k;
            is_known = true;
        }
    r->is_bad |= !is_known;
}

static void read_slice(Reader *r, const TraceItem *e)
{
    Recording *rec = r->rec;
    const Fields *args = &e->args;
    Str cat = field_str(r, &e->top, "cat");
    bool is_fold = str_is(cat, "fold"), is_help = str_is(cat, "help");
    if (!is_fold && !is_help && !str_is(cat, "run"))
        return; /* a slice of a later version */
    uint32_t step = field_step(r, args, "step");
    const RunStep *s = &rec->info.steps[step];
    Bar b = {.step = step, .child = REC_NONE, .after = REC_NONE};
    b.start_ns = field_ns(r, &e->top, "ts");
    b.end_ns = b.start_ns + field_ns(r, &e->top, "dur");
    b.ready_ns = b.start_ns;
    if (fields_get(args, "cpu_us")) {
        b.is_measured = true;
        b.cpu_ns = field_ns(r, args, "cpu_us");
        b.slept_ns = field_ns(r, args, "slept_us");
    }
    b.attempt = (uint16_t)field_int(r, args, "attempt", UINT16_MAX);
    b.worker = field_worker(r, e);
    b.kind = is_fold ? BAR_FOLD : is_help ? BAR_HELP : BAR_RUN;
    if (!is_help)
        read_outcome(r, args, &b);
    b.frame = field_frame(r, s->scope, args, "key", "numbers");
    if (!is_help && fields_get(args, "batch")) {
        uint32_t scope = s->child_scope;
        if (b.kind == BAR_FOLD)
            scope = (uint32_t)field_int(r, args, "batch_scope", rec->info.n_scopes - 1);
        b.child = field_frame(r, scope, args, "batch", "batch_numbers");
    }
    r->is_bad |= b.kind == BAR_FOLD && b.child == REC_NONE;
    GROW(r, rec->bars, rec->n_bars, &r->cap_bars);
    rec->bars[rec->n_bars++] = b;
}

static void read_skip(Reader *r, const TraceItem *e)
{
    Recording *rec = r->rec;
    const Fields *args = &e->args;
    uint32_t step = field_step(r, args, "step");
    GROW(r, rec->skips, rec->n_skips, &r->cap_skips);
    rec->skips[rec->n_skips++] =
        (Skip){.t_ns = field_ns(r, &e->top, "ts"), .step = step, .cause = field_step(r, args, "cause"),
               .frame = field_frame(r, rec->info.steps[step].scope, args, "key", "numbers"),
               .worker = field_worker(r, e)};
}

static void read_counter(Reader *r, const TraceItem *e)
{
    Str name = field_str(r, &e->top, "name");
    uintptr_t found = (uintptr_t)map_get(&r->counters, name);
    if (!found)
        return; /* a counter of a later version */
    RecScope *s = &r->rec->scopes[found - 1];
    uint64_t t_ns = field_ns(r, &e->top, "ts");
    uint64_t n_live = field_int(r, &e->args, "live", UINT32_MAX);
    if (s->n_points && s->points[s->n_points - 1].t_ns >= t_ns)
        r->is_bad = true;
    GROW(r, s->points, s->n_points, &r->cap_points[found - 1]);
    s->points[s->n_points++] = (LivePoint){t_ns, (uint32_t)n_live};
}

static void read_event(Reader *r, const TraceItem *e)
{
    const Field *ph = fields_get(&e->top, "ph"), *cat = fields_get(&e->top, "cat");
    if (!ph || ph->kind != FIELD_STR)
        return;
    if (str_is(ph->text, "X"))
        read_slice(r, e);
    else if (str_is(ph->text, "C"))
        read_counter(r, e);
    else if (str_is(ph->text, "i") && cat && cat->kind == FIELD_STR && str_is(cat->text, "skip"))
        read_skip(r, e);
}

/* ---- the text, value by value */

/* False where the text is no list of JSON. */
static bool read_events(Reader *r, Walk *w)
{
    if (!walk_take(w, '['))
        return false;
    if (walk_take(w, ']'))
        return true;
    do {
        if (walk_is_for_viewers(w)) {
            if (!walk_over(w))
                return false;
            continue;
        }
        TraceItem e;
        json_t *tree = NULL;
        walk_peek(w);
        if (!trace_item_scan(w->text, &w->at, &e)) {
            if ((tree = walk_value(w)) == NULL)
                return false;
            trace_item_of_json(tree, &e);
        }
        if (!r->is_bad)
            read_event(r, &e);
        json_decref(tree);
    } while (walk_take(w, ','));
    return walk_take(w, ']');
}

/* Why the text is not a trace: it is no JSON, or another. */
static Status refuse(Str text, Error *err)
{
    json_error_t at;
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &at);
    if (root) {
        json_decref(root);
        return error_set(err, ERR_DATA,
                         "this is JSON, but not a trace that pipemill wrote (--trace FILE)");
    }
    Status st = error_set(err, ERR_DATA, "this is not JSON: %s", at.text);
    if (err)
        err->line = at.line > 0 ? (uint64_t)at.line : 0;
    return st;
}

Status trace_read_json(Str text, Recording **out, Error *err)
{
    Status st = OK;
    Walk w = {.text = {text.ptr ? text.ptr : "", text.len}};
    json_t *run = NULL;
    size_t events = 0;
    *out = NULL;
    bool is_whole = walk_parts(&w, &run, &events);
    json_t *version = json_object_get(run, "version");
    if (!is_whole || !events || !json_is_object(run) || !json_is_integer(version)) {
        st = refuse(w.text, err);
        goto done;
    }
    if (json_integer_value(version) != TRACE_VERSION) {
        st = error_set(err, ERR_DATA,
                       "the trace has version %lld; this pipemill reads version %d",
                       (long long)json_integer_value(version), TRACE_VERSION);
        goto done;
    }
    Arena *a = arena_open();
    Reader r = {.rec = arena_new(a, Recording)};
    r.rec->arena = a;
    map_init(&r.frames, a);
    map_init(&r.steps, a);
    map_init(&r.counters, a);
    frame_of(&r, 0, (Str){0}, (Str){0});
    read_run(&r, run);
    w.at = events;
    if (!r.is_bad && !read_events(&r, &w)) {
        buf_deinit(&r.id);
        recording_free(r.rec);
        st = refuse(w.text, err);
        goto done;
    }
    buf_deinit(&r.id);
    if (r.is_bad) {
        recording_free(r.rec);
        st = error_set(err, ERR_DATA, "the trace is damaged: a part of it is missing or has "
                                      "an impossible value");
        goto done;
    }
    recording_finish(r.rec);
    *out = r.rec;
done:
    json_decref(run);
    return st;
}
