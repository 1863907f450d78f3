/* plan_json.c - a plan for programs: docs/dump-json.md. */
#include "plan/plan_dump_int.h"

#include "base/json.h"
#include "plan/fold.h"
#include "plan/pop_text.h"

#define DUMP_VERSION 1

static void json_schema(JsonWriter *w, const char *key, const Schema *s)
{
    if (!s) {
        json_field_null(w, key);
        return;
    }
    json_key(w, key);
    json_begin_array(w);
    for (uint32_t i = 0; i < s->n_cols; i++) {
        json_begin_object(w);
        json_field_str(w, "name", s->cols[i].name);
        json_field_cstr(w, "type", type_name(s->cols[i].type));
        json_end_object(w);
    }
    json_end_array(w);
}

static void json_retry(JsonWriter *w, const RetrySpec *r)
{
    json_key(w, "retry");
    json_begin_object(w);
    json_field_count(w, "n", r->n_more, 0);
    json_field_count(w, "delay_us", r->delay_ns / 1000, UINT64_MAX);
    json_field_cstr(w, "backoff", backoff_name(r->backoff));
    json_field_count(w, "max_delay_us", r->max_delay_ns / 1000, 0);
    json_field_bool(w, "jitter", r->jitter);
    json_end_object(w);
}

static void json_policies(JsonWriter *w, const Plan *plan, const Step *s)
{
    if (s->pool)
        json_field_str(w, "pool", plan->pools[s->pool - 1].name);
    else
        json_field_null(w, "pool");
    if (s->retry.n_more)
        json_retry(w, &s->retry);
    else
        json_field_null(w, "retry");
    json_field_count(w, "timeout_us", (uint64_t)s->timeout_us, 0);
    json_field_cstr(w, "on_failure", s->on_failure == ON_FAILURE_SKIP ? "skip" : "fail");
    json_field_bool(w, "keeps", s->keeps);
    json_field_cstr(w, "bad_rows", bad_rows_name(s->bad_rows));
    if (s->rejects) {
        Buf path = {0};
        path_put_text(&path, plan->rejects[s->rejects - 1].path);
        json_field_str(w, "rejects", buf_str(&path));
        buf_deinit(&path);
    } else {
        json_field_null(w, "rejects");
    }
}

static void json_pools(JsonWriter *w, const Plan *plan)
{
    json_key(w, "pools");
    json_begin_array(w);
    for (uint32_t i = 0; i < plan->n_pools; i++) {
        json_begin_object(w);
        json_field_str(w, "name", plan->pools[i].name);
        json_field_count(w, "size", plan->pools[i].size, 0);
        json_end_object(w);
    }
    json_end_array(w);
}

static void json_inputs(JsonWriter *w, const Plan *plan, const Step *s)
{
    json_key(w, "inputs");
    json_begin_array(w);
    for (uint32_t i = 0; i < s->n_inputs; i++) {
        json_begin_object(w);
        json_field_count(w, "step", s->inputs[i], UINT64_MAX);
        json_field_cstr(w, "edge", plan_edge_kind(plan, plan->steps[s->inputs[i]], s));
        json_field_bool(w, "is_table", i >= step_first_table(s));
        json_end_object(w);
    }
    json_end_array(w);
}

static void json_operations(JsonWriter *w, const Plan *plan, const Step *s)
{
    Buf line = {0};
    json_key(w, "operations");
    json_begin_array(w);
    for (size_t i = 0; i < s->pops.n; i++) {
        buf_clear(&line);
        pop_put_line(&line, s->pops.ptr[i], plan_pop_in(plan, s, i));
        json_begin_object(w);
        json_field_cstr(w, "kind", pop_name(s->pops.ptr[i]->kind));
        json_field_str(w, "text", buf_str(&line));
        json_end_object(w);
    }
    json_end_array(w);
    buf_deinit(&line);
}

static void json_holds(JsonWriter *w, const Plan *plan, const Step *s)
{
    if (s->hold == HOLD_NONE) {
        json_field_null(w, "holds");
        return;
    }
    Buf line = {0};
    fold_put_hold(&line, plan, s);
    bool has_limit = s->hold == HOLD_FIRST || s->hold == HOLD_TOP;
    json_key(w, "holds");
    json_begin_object(w);
    json_field_cstr(w, "kind", hold_name(s->hold));
    json_field_count(w, "limit", has_limit ? s->hold_limit : UINT64_MAX, UINT64_MAX);
    json_field_str(w, "text", buf_str(&line));
    json_field_bool(w, "may_spill", fold_may_spill(plan, s));
    json_end_object(w);
    buf_deinit(&line);
}

static void json_step(JsonWriter *w, const Plan *plan, const Step *s)
{
    json_begin_object(w);
    json_field_count(w, "id", s->id, UINT64_MAX);
    json_field_str(w, "name", s->name);
    json_field_str(w, "op", s->op);
    json_field_cstr(w, "kind", step_kind_name(s));
    json_field_bool(w, "is_generator", s->is_generator);
    json_field_count(w, "scope", s->scope, UINT64_MAX);
    json_field_count(w, "yields", s->yields, 0);
    json_field_count(w, "depth", s->depth, UINT64_MAX);
    json_field_int(w, "priority", s->priority);
    json_field_bool(w, "has_priority", s->has_priority);
    json_field_count(w, "max_concurrent", s->max_concurrent, 0);
    json_policies(w, plan, s);
    json_inputs(w, plan, s);
    json_schema(w, "in", s->in);
    json_schema(w, "out", s->out);
    json_operations(w, plan, s);
    json_field_count(w, "part_of", s->part_of ? s->part_of->id : UINT64_MAX, UINT64_MAX);
    json_holds(w, plan, s);
    json_field_str(w, "doc", s->doc);
    json_field_strs(w, "tags", s->tags.ptr, s->tags.n);
    json_end_object(w);
}

static void json_keys(JsonWriter *w, const Plan *plan, uint32_t scope)
{
    if (scope == 0) {
        json_field_null(w, "keys");
        return;
    }
    Buf key = {0};
    plan_put_key(&key, plan, scope);
    json_field_str(w, "keys", buf_str(&key));
    buf_deinit(&key);
}

/* b: what is proved of the scope, NULL: not known. */
static void json_in_flight(JsonWriter *w, const Plan *plan, uint32_t scope, const DumpBound *b)
{
    uint32_t wanted = plan->scopes[scope].in_flight;
    if (scope == 0)
        json_field_null(w, "in_flight");
    else if (wanted == UINT32_MAX || (b && b->credits == UINT32_MAX))
        json_field_cstr(w, "in_flight", "unbounded");
    else if (wanted == 0 && !b)
        json_field_cstr(w, "in_flight", "default");
    else
        json_field_count(w, "in_flight", b ? b->credits : wanted, UINT64_MAX);
}

static void json_scope(JsonWriter *w, const Plan *plan, const DumpInfo *info, uint32_t id)
{
    const Scope *s = &plan->scopes[id];
    const DumpBound *b = id ? dump_bound(info, id) : NULL;
    json_begin_object(w);
    json_field_count(w, "id", id, UINT64_MAX);
    json_field_count(w, "parent", id ? s->parent : UINT64_MAX, UINT64_MAX);
    json_field_count(w, "generator", id ? s->generator : UINT64_MAX, UINT64_MAX);
    json_field_count(w, "level", scope_level(plan, id), UINT64_MAX);
    json_keys(w, plan, id);
    json_in_flight(w, plan, id, b);
    json_field_count(w, "max_batches", s->max_batches, 0);
    json_field_count(w, "bound", b ? b->live : id ? UINT64_MAX : 1, UINT64_MAX);
    json_field_strs(w, "reasons", b ? b->reasons : NULL, b ? b->n_reasons : 0);
    json_field_count(w, "expected_batches", info->n_batches ? info->n_batches[id] : UINT64_MAX,
                UINT64_MAX);
    json_end_object(w);
}

void plan_dump_json(const Plan *plan, const DumpInfo *info, Buf *out)
{
    JsonWriter w;
    json_init(&w, out, JSON_STYLE_PRETTY);
    json_begin_object(&w);
    json_field_count(&w, "version", DUMP_VERSION, 0);
    json_field_str(&w, "file", plan->file);
    json_field_str(&w, "job", plan->job);
    json_field_str(&w, "doc", plan->doc);
    json_field_count(&w, "workers", info->n_workers, 0);
    json_field_count(&w, "memory_bytes", plan->memory_bytes, 0);
    json_key(&w, "steps");
    json_begin_array(&w);
    for (uint32_t i = 0; i < plan->n_steps; i++)
        json_step(&w, plan, plan->steps[i]);
    json_end_array(&w);
    json_pools(&w, plan);
    json_key(&w, "scopes");
    json_begin_array(&w);
    for (uint32_t i = 0; i < plan->n_scopes; i++)
        json_scope(&w, plan, info, i);
    json_end_array(&w);
    json_field_strs(&w, "warnings", info->warnings, info->n_warnings);
    json_end_object(&w);
    buf_putc(out, '\n');
}
