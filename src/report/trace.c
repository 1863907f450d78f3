#include "report/trace.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"

/* The format of "pipemill"; raised when a reader of the old one would go wrong. */
#define TRACE_VERSION 1
#define TRACE_PID 1

/* ---- writing */

static void put_cstr(JsonWriter *w, const char *key, const char *value)
{
    json_key(w, key);
    json_put_cstr(w, value);
}

static void put_str(JsonWriter *w, const char *key, Str value)
{
    json_key(w, key);
    json_put_str(w, value);
}

static void put_int(JsonWriter *w, const char *key, uint64_t value)
{
    json_key(w, key);
    json_put_int(w, (int64_t)value);
}

/* Chrome's unit; a double holds whole nanoseconds of 100 days exactly enough. */
static void put_us(JsonWriter *w, const char *key, uint64_t ns)
{
    json_key(w, key);
    if (ns % 1000 == 0)
        json_put_int(w, (int64_t)(ns / 1000));
    else
        json_put_float(w, (double)ns / 1000.0);
}

static void put_bool(JsonWriter *w, const char *key, bool value)
{
    json_key(w, key);
    json_put_bool(w, value);
}

static void event_begin(JsonWriter *w, const char *ph, uint64_t tid)
{
    json_begin_object(w);
    put_cstr(w, "ph", ph);
    put_int(w, "pid", TRACE_PID);
    put_int(w, "tid", tid);
}

/* A line per event, so that a diff of two traces can be read. */
static void event_end(JsonWriter *w, Buf *out)
{
    json_end_object(w);
    buf_putc(out, '\n');
}

static void put_thread(JsonWriter *w, Buf *out, const char *what, uint64_t tid, Str name)
{
    event_begin(w, "M", tid);
    put_cstr(w, "name", what);
    json_key(w, "args");
    json_begin_object(w);
    put_str(w, "name", name);
    json_end_object(w);
    event_end(w, out);
}

static const char *const OUTCOMES[] = {
    [OUTCOME_DONE] = "done",     [OUTCOME_YIELDED] = "yielded", [OUTCOME_EXHAUSTED] = "exhausted",
    [OUTCOME_FAILED] = "failed", [OUTCOME_RETRY] = "retry",
};

static void put_slice(JsonWriter *w, Buf *out, const Recording *r, uint32_t i, Buf *name)
{
    const Bar *b = &r->bars[i];
    buf_clear(name);
    recording_put_name(r, b, name);
    event_begin(w, "X", b->worker + 1u);
    put_str(w, "name", buf_str(name));
    put_cstr(w, "cat", b->kind == BAR_FOLD ? "fold" : "run");
    put_us(w, "ts", b->start_ns);
    put_us(w, "dur", b->end_ns - b->start_ns);
    json_key(w, "args");
    json_begin_object(w);
    put_str(w, "step", r->info.steps[b->step].name);
    put_str(w, "key", r->frames[b->frame].key);
    if (b->child != REC_NONE)
        put_str(w, "batch", r->frames[b->child].key);
    if (b->kind == BAR_FOLD)
        put_int(w, "batch_scope", r->frames[b->child].scope);
    put_int(w, "attempt", b->attempt);
    put_int(w, "rows_in", b->rows_in);
    put_int(w, "rows_out", b->rows_out);
    put_cstr(w, "outcome", OUTCOMES[b->outcome]);
    put_us(w, "ready_us", b->ready_ns);
    if (b->is_measured) {
        put_us(w, "cpu_us", b->cpu_ns);
        put_us(w, "slept_us", b->slept_ns);
    }
    json_end_object(w);
    event_end(w, out);
}

/* An arrow binds to the slice that encloses its time: its begin to the earlier bar, its
 * end ("bp": "e") to the later one. */
static void put_arrow(JsonWriter *w, Buf *out, const Recording *r, uint32_t i)
{
    const Bar *to = &r->bars[i];
    if (to->after == REC_NONE)
        return;
    const Bar *from = &r->bars[to->after];
    for (int k = 0; k < 2; k++) {
        event_begin(w, k ? "f" : "s", (k ? to : from)->worker + 1u);
        put_cstr(w, "name", "batch");
        put_cstr(w, "cat", "flow");
        put_int(w, "id", i + 1u);
        /* Arrows leave at the start of the slice: its end belongs to the next one. */
        put_us(w, "ts", (k ? to : from)->start_ns);
        if (k)
            put_cstr(w, "bp", "e");
        event_end(w, out);
    }
}

static void put_counters(JsonWriter *w, Buf *out, const Recording *r, uint32_t scope)
{
    Str generator = r->info.steps[r->info.scopes[scope].generator].name;
    Buf name = {0};
    buf_puts(&name, "live batches of ");
    buf_put_str(&name, generator);
    for (uint32_t i = 0; i < r->scopes[scope].n_points; i++) {
        const LivePoint *p = &r->scopes[scope].points[i];
        event_begin(w, "C", 0);
        put_str(w, "name", buf_str(&name));
        put_us(w, "ts", p->t_ns);
        json_key(w, "args");
        json_begin_object(w);
        put_int(w, "live", p->n_live);
        json_end_object(w);
        event_end(w, out);
    }
    buf_deinit(&name);
}

static void put_run(JsonWriter *w, const Recording *r)
{
    const RunInfo *info = &r->info;
    json_begin_object(w);
    put_int(w, "version", TRACE_VERSION);
    put_str(w, "file", info->file);
    put_str(w, "job", info->job);
    put_cstr(w, "state", run_state_name(r->state));
    put_us(w, "time_us", r->t_ns);
    put_int(w, "workers", info->n_workers);
    if (info->n_processors)
        put_int(w, "processors", info->n_processors);
    json_key(w, "steps");
    json_begin_array(w);
    for (uint32_t i = 0; i < info->n_steps; i++) {
        const RunStep *s = &info->steps[i];
        json_begin_object(w);
        put_str(w, "name", s->name);
        put_int(w, "scope", s->scope);
        put_int(w, "yields", s->child_scope);
        json_key(w, "priority");
        json_put_int(w, s->priority);
        put_bool(w, "is_collect", s->is_collect);
        put_bool(w, "is_ordered", s->is_ordered);
        put_int(w, "cap", s->cap);
        json_key(w, "pool");
        if (s->pool)
            json_put_int(w, s->pool - 1);
        else
            json_put_null(w);
        json_key(w, "inputs");
        json_begin_array(w);
        for (uint32_t k = 0; k < s->n_inputs; k++)
            json_put_int(w, s->inputs[k]);
        json_end_array(w);
        put_int(w, "done", r->steps[i].n_done);
        put_int(w, "failed", r->steps[i].n_failed);
        put_int(w, "skipped", r->steps[i].n_skipped);
        put_int(w, "retries", r->steps[i].n_retries);
        put_int(w, "not_started", r->steps[i].n_not_started);
        json_end_object(w);
    }
    json_end_array(w);
    json_key(w, "scopes");
    json_begin_array(w);
    for (uint32_t i = 0; i < info->n_scopes; i++) {
        const RunScope *s = &info->scopes[i];
        const ScopeCount *c = &r->scopes[i].count;
        json_begin_object(w);
        put_int(w, "parent", s->parent);
        json_key(w, "generator");
        if (s->generator == RUN_NO_STEP)
            json_put_null(w);
        else
            json_put_int(w, s->generator);
        json_key(w, "bound");
        if (s->bound == UINT64_MAX)
            json_put_null(w);
        else
            json_put_int(w, (int64_t)s->bound);
        if (s->credits == UINT32_MAX) {
            json_key(w, "credits");
            json_put_null(w);
        } else if (s->credits) {
            put_int(w, "credits", s->credits);
        }
        put_int(w, "batches", c->n_batches);
        put_int(w, "peak_live", c->peak_live);
        put_int(w, "overdrafts", c->n_overdrafts);
        json_end_object(w);
    }
    json_end_array(w);
    json_key(w, "pools");
    json_begin_array(w);
    for (uint32_t i = 0; i < info->n_pools; i++) {
        json_begin_object(w);
        put_str(w, "name", info->pools[i].name);
        put_int(w, "size", info->pools[i].size);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}

void trace_write_json(const Recording *r, Buf *out)
{
    JsonWriter w;
    Buf name = {0};
    json_init(&w, out, JSON_STYLE_COMPACT);
    json_begin_object(&w);
    put_cstr(&w, "displayTimeUnit", "ms");
    json_key(&w, "pipemill");
    put_run(&w, r);
    buf_putc(out, '\n');
    json_key(&w, "traceEvents");
    json_begin_array(&w);
    buf_putc(out, '\n');
    buf_puts(&name, "pipemill ");
    buf_put_str(&name, r->info.job);
    put_thread(&w, out, "process_name", 0, buf_str(&name));
    for (uint32_t k = 0; k < r->info.n_workers; k++) {
        buf_clear(&name);
        buf_printf(&name, "worker %u", k + 1);
        put_thread(&w, out, "thread_name", k + 1u, buf_str(&name));
    }
    for (uint32_t i = 0; i < r->n_bars; i++)
        put_slice(&w, out, r, i, &name);
    for (uint32_t i = 0; i < r->n_bars; i++)
        put_arrow(&w, out, r, i);
    for (uint32_t s = 1; s < r->info.n_scopes; s++)
        put_counters(&w, out, r, s);
    json_end_array(&w);
    json_end_object(&w);
    buf_putc(out, '\n');
    buf_deinit(&name);
}

/* ---- reading: everything is checked, a file may be anything */

typedef struct Reader {
    Recording *rec;
    Map frames;    /* "scope:key" -> index + 1 */
    Map steps;     /* name -> index + 1 */
    Map counters;  /* "live batches of NAME" -> scope */
    uint32_t cap_frames;
    bool is_bad;   /* something was missing or out of range */
} Reader;

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

static uint32_t frame_of(Reader *r, uint32_t scope, Str key)
{
    Recording *rec = r->rec;
    Str id = arena_printf(rec->arena, "%u:%.*s", scope, STR_ARG(key));
    uintptr_t found = (uintptr_t)map_get(&r->frames, id);
    if (found)
        return (uint32_t)(found - 1);
    if (rec->n_frames == r->cap_frames) {
        size_t cap = r->cap_frames;
        rec->frames = arena_grow(rec->arena, rec->frames, rec->n_frames, &cap,
                                 sizeof *rec->frames);
        r->cap_frames = (uint32_t)cap;
    }
    rec->frames[rec->n_frames] = (RecFrame){.scope = scope, .key = key};
    map_put(&r->frames, id, index_ptr(rec->n_frames));
    return rec->n_frames++;
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
}

static uint32_t get_step(Reader *r, json_t *args)
{
    json_t *v = json_object_get(args, "step");
    Str name = {json_string_value(v), (uint32_t)json_string_length(v)};
    uintptr_t found = json_is_string(v) ? (uintptr_t)map_get(&r->steps, name) : 0;
    if (!found)
        r->is_bad = true;
    return found ? (uint32_t)(found - 1) : 0;
}

static void read_slice(Reader *r, json_t *e)
{
    Recording *rec = r->rec;
    json_t *args = get(r, e, "args");
    uint32_t step = get_step(r, args);
    const RunStep *s = &rec->info.steps[step];
    Bar b = {.step = step, .child = REC_NONE, .after = REC_NONE};
    b.start_ns = get_ns(r, e, "ts");
    b.end_ns = b.start_ns + get_ns(r, e, "dur");
    b.ready_ns = get_ns(r, args, "ready_us");
    if (b.ready_ns > b.start_ns)
        b.ready_ns = b.start_ns;
    if (json_object_get(args, "cpu_us")) {
        b.is_measured = true;
        b.cpu_ns = get_ns(r, args, "cpu_us");
        b.slept_ns = get_ns(r, args, "slept_us");
    }
    b.rows_in = (uint32_t)get_int(r, args, "rows_in", UINT32_MAX);
    b.rows_out = (uint32_t)get_int(r, args, "rows_out", UINT32_MAX);
    b.attempt = (uint16_t)get_int(r, args, "attempt", UINT16_MAX);
    uint64_t tid = get_int(r, e, "tid", rec->info.n_workers);
    r->is_bad |= tid == 0;
    b.worker = (uint16_t)(tid - 1);
    b.kind = str_is(get_str(r, e, "cat"), "fold") ? BAR_FOLD : BAR_RUN;
    Str outcome = get_str(r, args, "outcome");
    bool is_known = false;
    for (int k = OUTCOME_DONE; k <= OUTCOME_RETRY; k++)
        if (str_is(outcome, OUTCOMES[k])) {
            b.outcome = (Outcome)k;
            is_known = true;
        }
    r->is_bad |= !is_known;
    b.frame = frame_of(r, s->scope, get_str(r, args, "key"));
    if (json_object_get(args, "batch")) {
        Str key = get_str(r, args, "batch");
        uint32_t scope = s->child_scope;
        if (b.kind == BAR_FOLD)
            scope = (uint32_t)get_int(r, args, "batch_scope", rec->info.n_scopes - 1);
        b.child = frame_of(r, scope, key);
    }
    rec->bars[rec->n_bars++] = b;
}

static void read_counter(Reader *r, json_t *e)
{
    Str name = get_str(r, e, "name");
    uintptr_t found = (uintptr_t)map_get(&r->counters, name);
    if (!found)
        return; /* a counter of a later version */
    RecScope *s = &r->rec->scopes[found - 1];
    uint64_t t_ns = get_ns(r, e, "ts");
    uint64_t n_live = get_int(r, get(r, e, "args"), "live", UINT32_MAX);
    if (s->n_points && s->points[s->n_points - 1].t_ns >= t_ns)
        r->is_bad = true;
    s->points[s->n_points++] = (LivePoint){t_ns, (uint32_t)n_live};
}

static void read_events(Reader *r, json_t *events)
{
    Recording *rec = r->rec;
    size_t i, n_slices = 0, n_counters = 0;
    json_t *e;
    json_array_foreach(events, i, e) {
        const char *ph = json_string_value(json_object_get(e, "ph"));
        n_slices += ph && strcmp(ph, "X") == 0;
        n_counters += ph && strcmp(ph, "C") == 0;
    }
    rec->bars = arena_array(rec->arena, Bar, n_slices);
    for (uint32_t s = 1; s < rec->info.n_scopes; s++)
        rec->scopes[s].points = arena_array(rec->arena, LivePoint, n_counters);
    json_array_foreach(events, i, e) {
        const char *ph = json_string_value(json_object_get(e, "ph"));
        if (ph && strcmp(ph, "X") == 0)
            read_slice(r, e);
        else if (ph && strcmp(ph, "C") == 0)
            read_counter(r, e);
        if (r->is_bad)
            return;
    }
}

Status trace_read_json(Str text, Recording **out, Error *err)
{
    json_error_t at;
    Status st = OK;
    *out = NULL;
    json_t *root = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &at);
    if (!root) {
        st = error_set(err, ERR_DATA, "this is not JSON: %s", at.text);
        if (err)
            err->line = at.line > 0 ? (uint64_t)at.line : 0;
        return st;
    }
    json_t *run = json_object_get(root, "pipemill");
    json_t *events = json_object_get(root, "traceEvents");
    json_t *version = json_object_get(run, "version");
    if (!json_is_object(run) || !json_is_array(events) || !json_is_integer(version)) {
        st = error_set(err, ERR_DATA,
                       "this is JSON, but not a trace that pipemill wrote (--trace FILE)");
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
    frame_of(&r, 0, (Str){0});
    read_run(&r, run);
    if (!r.is_bad)
        read_events(&r, events);
    if (r.is_bad) {
        recording_free(r.rec);
        st = error_set(err, ERR_DATA, "the trace is damaged: a part of it is missing or has "
                                      "an impossible value");
        goto done;
    }
    recording_finish(r.rec);
    *out = r.rec;
done:
    json_decref(root);
    return st;
}
