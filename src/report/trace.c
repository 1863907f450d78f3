#include "report/trace.h"

#include "base/json.h"
#include "report/critical.h"

#define TRACE_PID 1

/* ---- writing */

/* Chrome's unit. */
static void put_us(JsonWriter *w, const char *key, uint64_t ns)
{
    json_key(w, key);
    json_put_thousandths(w, ns);
}

static void event_begin(JsonWriter *w, const char *ph, uint64_t tid)
{
    json_begin_object(w);
    json_field_cstr(w, "ph", ph);
    json_field_uint(w, "pid", TRACE_PID);
    json_field_uint(w, "tid", tid);
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
    json_field_cstr(w, "name", what);
    json_key(w, "args");
    json_begin_object(w);
    json_field_str(w, "name", name);
    json_end_object(w);
    event_end(w, out);
}

/* The path of a batch, and that of its numbers where they are another. */
static void put_frame(JsonWriter *w, const RecFrame *f, const char *key, const char *numbers)
{
    json_field_str(w, key, f->key);
    if (!str_eq(f->key, f->numbers))
        json_field_str(w, numbers, f->numbers);
}

static const char *cat_of(BarKind k)
{
    switch (k) {
    case BAR_RUN: return "run";
    case BAR_FOLD: return "fold";
    case BAR_HELP: return "help";
    }
    return "?";
}

/* "transform_1[3]", "transform_1[3], attempt 2 failed", "a piece of sort[3]" */
static void slice_name(const Recording *r, const Bar *b, Buf *name)
{
    buf_clear(name);
    if (b->kind == BAR_HELP)
        buf_puts(name, "a piece of ");
    recording_put_name(r, b, name);
    if (b->attempt > 1)
        buf_printf(name, ", attempt %u", b->attempt);
    if (b->outcome == OUTCOME_FAILED)
        buf_puts(name, " failed");
    else if (b->outcome == OUTCOME_RETRY)
        buf_puts(name, " failed, tried again");
}

static void put_slice(JsonWriter *w, Buf *out, const Recording *r, uint32_t i, bool is_critical,
                      Buf *name)
{
    const Bar *b = &r->bars[i];
    slice_name(r, b, name);
    event_begin(w, "X", b->worker + 1u);
    json_field_str(w, "name", buf_str(name));
    json_field_cstr(w, "cat", cat_of(b->kind));
    put_us(w, "ts", b->start_ns);
    put_us(w, "dur", b->end_ns - b->start_ns);
    if (b->outcome == OUTCOME_FAILED || b->outcome == OUTCOME_RETRY) /* colours of chrome://tracing */
        json_field_cstr(w, "cname", b->outcome == OUTCOME_FAILED ? "terrible" : "bad");
    json_key(w, "args");
    json_begin_object(w);
    json_field_str(w, "step", r->info.steps[b->step].name);
    put_frame(w, &r->frames[b->frame], "key", "numbers");
    if (b->child != REC_NONE)
        put_frame(w, &r->frames[b->child], "batch", "batch_numbers");
    if (b->kind == BAR_FOLD)
        json_field_uint(w, "batch_scope", r->frames[b->child].scope);
    json_field_uint(w, "attempt", b->attempt);
    if (b->kind != BAR_HELP) {
        json_field_uint(w, "rows_in", b->rows_in);
        json_field_uint(w, "rows_out", b->rows_out);
        json_field_cstr(w, "outcome", outcome_name(b->outcome));
        put_us(w, "ready_us", b->ready_ns);
    }
    if (b->is_measured) {
        put_us(w, "cpu_us", b->cpu_ns);
        put_us(w, "slept_us", b->slept_ns);
    }
    if (is_critical)
        json_field_bool(w, "is_critical", true);
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
        json_field_cstr(w, "name", "batch");
        json_field_cstr(w, "cat", "flow");
        json_field_uint(w, "id", i + 1u);
        /* Arrows leave at the start of the slice: its end belongs to the next one. */
        put_us(w, "ts", (k ? to : from)->start_ns);
        if (k)
            json_field_cstr(w, "bp", "e");
        event_end(w, out);
    }
}

/* A wait is asynchronous: it stands on no worker's track. Viewers put those of one name together,
 * so the name is the step's and the reason's. Short ones are left out: they would double the file
 * and show nothing. */
static void put_wait(JsonWriter *w, Buf *out, const Recording *r, uint32_t i, const Wait *wait,
                     Buf *name)
{
    const Bar *b = &r->bars[i];
    const uint64_t least_ns = r->t_ns / 10000 < 1000000 ? r->t_ns / 10000 : 1000000;
    if (wait->until_ns - wait->from_ns < least_ns)
        return;
    buf_clear(name);
    buf_put_visible(name, r->info.steps[b->step].name);
    buf_puts(name, " waits for ");
    wait_put_reason(r, b->step, wait->most, name);
    for (int k = 0; k < 2; k++) {
        event_begin(w, k ? "e" : "b", b->worker + 1u);
        json_field_str(w, "name", buf_str(name));
        json_field_cstr(w, "cat", "wait");
        json_field_uint(w, "id", i + 1u);
        put_us(w, "ts", k ? wait->until_ns : wait->from_ns);
        if (k == 0) {
            json_key(w, "args");
            json_begin_object(w);
            json_field_str(w, "key", r->frames[b->frame].key);
            json_field_uint(w, "attempt", b->attempt);
            json_end_object(w);
        }
        event_end(w, out);
    }
}

/* What never ran: a moment on the track of the worker that found out. */
static void put_skip(JsonWriter *w, Buf *out, const Recording *r, const Skip *k, Buf *name)
{
    buf_clear(name);
    recording_put_instance(r, k->step, k->frame, name);
    buf_puts(name, " skipped");
    event_begin(w, "i", k->worker + 1u);
    json_field_str(w, "name", buf_str(name));
    json_field_cstr(w, "cat", "skip");
    json_field_cstr(w, "s", "t");
    put_us(w, "ts", k->t_ns);
    json_key(w, "args");
    json_begin_object(w);
    json_field_str(w, "step", r->info.steps[k->step].name);
    put_frame(w, &r->frames[k->frame], "key", "numbers");
    json_field_str(w, "cause", r->info.steps[k->cause].name);
    json_end_object(w);
    event_end(w, out);
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
        json_field_str(w, "name", buf_str(&name));
        put_us(w, "ts", p->t_ns);
        json_key(w, "args");
        json_begin_object(w);
        json_field_uint(w, "live", p->n_live);
        json_end_object(w);
        event_end(w, out);
    }
    buf_deinit(&name);
}

static void put_profile(JsonWriter *w, const Recording *r)
{
    const Profile *p = r->profile;
    json_key(w, "profile");
    json_begin_object(w);
    put_us(w, "work_us", p->work_ns);
    put_us(w, "run_us", p->run_ns);
    json_field_uint(w, "cycles_per_s", (uint64_t)(p->cycles_per_us * 1e6 + 0.5));
    json_key(w, "lines");
    json_begin_array(w);
    for (uint32_t i = 0; i < p->n_lines; i++) {
        const ProfileLine *l = &p->lines[i];
        json_begin_object(w);
        json_field_str(w, "step", r->info.steps[l->step].name);
        json_field_cstr(w, "kind", profile_kind_name(l->kind));
        json_field_str(w, "name", l->name);
        json_field_str(w, "text", l->text);
        json_field_uint(w, "runs", l->n_runs);
        json_field_uint(w, "rows", l->n_rows);
        json_field_uint(w, "bytes", l->n_bytes);
        if (l->n_values)
            json_field_uint(w, "values", l->n_values);
        put_us(w, "time_us", l->ns);
        json_field_uint(w, "cycles", l->cycles);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}

static void put_run(JsonWriter *w, const Recording *r)
{
    const RunInfo *info = &r->info;
    json_begin_object(w);
    json_field_uint(w, "version", TRACE_VERSION);
    json_field_str(w, "file", info->file);
    json_field_str(w, "job", info->job);
    json_field_cstr(w, "state", run_state_name(r->state));
    put_us(w, "time_us", r->t_ns);
    json_field_uint(w, "workers", info->n_workers);
    if (info->n_processors)
        json_field_uint(w, "processors", info->n_processors);
    json_key(w, "steps");
    json_begin_array(w);
    for (uint32_t i = 0; i < info->n_steps; i++) {
        const RunStep *s = &info->steps[i];
        json_begin_object(w);
        json_field_str(w, "name", s->name);
        json_field_uint(w, "scope", s->scope);
        json_field_uint(w, "yields", s->child_scope);
        json_field_int(w, "priority", s->priority);
        json_field_bool(w, "is_collect", s->is_collect);
        json_field_bool(w, "is_ordered", s->is_ordered);
        json_field_uint(w, "cap", s->cap);
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
        json_field_uint(w, "done", r->steps[i].n_done);
        json_field_uint(w, "failed", r->steps[i].n_failed);
        json_field_uint(w, "skipped", r->steps[i].n_skipped);
        json_field_uint(w, "retries", r->steps[i].n_retries);
        json_field_uint(w, "not_started", r->steps[i].n_not_started);
        if (r->bad_rows[i].n_skipped)
            json_field_uint(w, "skipped_rows", r->bad_rows[i].n_skipped);
        if (r->bad_rows[i].n_nulled)
            json_field_uint(w, "nulled_values", r->bad_rows[i].n_nulled);
        json_end_object(w);
    }
    json_end_array(w);
    json_key(w, "scopes");
    json_begin_array(w);
    for (uint32_t i = 0; i < info->n_scopes; i++) {
        const RunScope *s = &info->scopes[i];
        const ScopeCount *c = &r->scopes[i].count;
        json_begin_object(w);
        json_field_uint(w, "parent", s->parent);
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
            json_field_null(w, "credits");
        } else if (s->credits) {
            json_field_uint(w, "credits", s->credits);
        }
        json_field_uint(w, "batches", c->n_batches);
        json_field_uint(w, "peak_live", c->peak_live);
        json_field_uint(w, "overdrafts", c->n_overdrafts);
        json_end_object(w);
    }
    json_end_array(w);
    json_key(w, "pools");
    json_begin_array(w);
    for (uint32_t i = 0; i < info->n_pools; i++) {
        json_begin_object(w);
        json_field_str(w, "name", info->pools[i].name);
        json_field_uint(w, "size", info->pools[i].size);
        json_end_object(w);
    }
    json_end_array(w);
    if (r->profile)
        put_profile(w, r);
    json_end_object(w);
}

void trace_write_json(const Recording *r, Buf *out)
{
    JsonWriter w;
    Buf name = {0};
    json_init(&w, out, JSON_STYLE_COMPACT);
    json_begin_object(&w);
    json_field_cstr(&w, "displayTimeUnit", "ms");
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
    Waits *waits = waits_new(r);
    Critical *critical = critical_new(waits, r);
    Wait wait;
    for (uint32_t i = 0; i < r->n_bars; i++)
        put_slice(&w, out, r, i, critical->is_on[i], &name);
    for (uint32_t i = 0; i < r->n_bars; i++)
        put_arrow(&w, out, r, i);
    for (uint32_t i = 0; i < r->n_bars; i++)
        if (wait_of(waits, i, &wait))
            put_wait(&w, out, r, i, &wait, &name);
    critical_free(critical);
    waits_free(waits);
    for (uint32_t i = 0; i < r->n_skips; i++)
        put_skip(&w, out, r, &r->skips[i], &name);
    for (uint32_t s = 1; s < r->info.n_scopes; s++)
        put_counters(&w, out, r, s);
    json_end_array(&w);
    json_end_object(&w);
    buf_putc(out, '\n');
    buf_deinit(&name);
}
