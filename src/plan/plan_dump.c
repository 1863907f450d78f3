#include "plan/plan_dump.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "plan/fold.h"

#define DUMP_VERSION 1

/* ---- operations and expressions, as the language writes them */

static void tx_put(Buf *out, const Tx *t, const Schema *in);

static void args_put(Buf *out, const Tx *t, const Schema *in)
{
    for (uint32_t i = 0; i < t->n_args; i++) {
        buf_puts(out, i ? ", " : "");
        tx_put(out, t->args[i], in);
    }
}

/* Brackets around every operator inside another one: no table of bindings is needed to
 * read them right. */
static void operand_put(Buf *out, const Tx *t, const Schema *in)
{
    while (t->kind == TX_WIDEN)
        t = t->args[0];
    bool has_parens =
        t->kind == TX_UNARY || t->kind == TX_BINARY || t->kind == TX_IN || t->kind == TX_IF;
    buf_puts(out, has_parens ? "(" : "");
    tx_put(out, t, in);
    buf_puts(out, has_parens ? ")" : "");
}

static void concat_put(Buf *out, const Tx *t, const Schema *in)
{
    buf_putc(out, '"');
    for (uint32_t i = 0; i < t->n_args; i++) {
        const Tx *part = t->args[i];
        if (part->kind == TX_CONST && part->type == TYPE_STRING && !part->value.is_null) {
            Buf text = {0};
            value_print_literal(&text, part->value);
            buf_put(out, text.ptr + 1, text.len - 2);
            buf_deinit(&text);
        } else {
            buf_putc(out, '{');
            tx_put(out, part, in);
            buf_putc(out, '}');
        }
    }
    buf_putc(out, '"');
}

static void tx_put(Buf *out, const Tx *t, const Schema *in)
{
    switch (t->kind) {
    case TX_ERROR: buf_putc(out, '?'); return;
    case TX_CONST: value_print_literal(out, t->value); return;
    case TX_COLUMN:
        if (in && t->col < in->n_cols)
            buf_put_str(out, in->cols[t->col].name);
        else
            buf_printf(out, "#%u", t->col);
        return;
    case TX_UNARY:
        if (t->op == OPER_IS_NULL || t->op == OPER_IS_NOT_NULL) {
            operand_put(out, t->args[0], in);
            buf_printf(out, " %s", operator_text(t->op));
        } else {
            buf_printf(out, "%s%s", operator_text(t->op), t->op == OPER_NOT ? " " : "");
            operand_put(out, t->args[0], in);
        }
        return;
    case TX_BINARY:
        operand_put(out, t->args[0], in);
        buf_printf(out, " %s ", operator_text(t->op));
        operand_put(out, t->args[1], in);
        return;
    case TX_WIDEN: tx_put(out, t->args[0], in); return;
    case TX_IN:
        operand_put(out, t->args[0], in);
        buf_puts(out, t->is_negated ? " not in [" : " in [");
        for (uint32_t i = 0; i < t->n_items; i++) {
            buf_puts(out, i ? ", " : "");
            value_print_literal(out, t->items[i]);
        }
        buf_putc(out, ']');
        return;
    case TX_IF:
        buf_puts(out, "if ");
        tx_put(out, t->args[0], in);
        buf_puts(out, " then ");
        tx_put(out, t->args[1], in);
        buf_puts(out, " else ");
        tx_put(out, t->args[2], in);
        return;
    case TX_CALL:
        buf_printf(out, "%s(", builtin_get(t->fn)->name);
        args_put(out, t, in);
        buf_putc(out, ')');
        return;
    case TX_CONCAT: concat_put(out, t, in); return;
    }
}

static void keys_put(Buf *out, const Pop *p, const Schema *in)
{
    for (uint32_t i = 0; i < p->n_keys; i++) {
        buf_puts(out, i ? ", " : "");
        tx_put(out, p->keys[i].value, in);
        buf_puts(out, p->keys[i].is_desc ? " desc" : "");
    }
}

static void batch_put(Buf *out, const Pop *p)
{
    switch (p->batch) {
    case BATCH_NONE: return;
    case BATCH_ROWS: buf_printf(out, " batch %" PRIu64, p->batch_n); return;
    case BATCH_BYTES:
        buf_puts(out, " batch ");
        value_print(out, (Value){.type = TYPE_SIZE, .i = (int64_t)p->batch_n});
        return;
    case BATCH_AUTO: buf_puts(out, " batch auto"); return;
    }
}

static void group_put(Buf *out, const Pop *p, const Schema *in)
{
    buf_puts(out, p->n_keys ? "group by " : "aggregate");
    keys_put(out, p, in);
    buf_puts(out, " {");
    for (uint32_t i = 0; i < p->n_aggs; i++) {
        const PopAgg *agg = &p->aggs[i];
        buf_printf(out, "%s %.*s = %s(", i ? "," : "", STR_ARG(agg->name),
                   builtin_get(agg->fn)->name);
        for (uint32_t k = 0; k < agg->n_args; k++) {
            buf_puts(out, k ? ", " : "");
            tx_put(out, agg->args[k], in);
        }
        buf_putc(out, ')');
    }
    buf_puts(out, " }");
}

static void join_put(Buf *out, const Pop *p)
{
    static const char *const kinds[] = {
        [JOIN_INNER] = "", [JOIN_LEFT] = "left ", [JOIN_SEMI] = "semi ", [JOIN_ANTI] = "anti "};
    buf_printf(out, "%sjoin %.*s on ", kinds[p->join], STR_ARG(p->table_name));
    tx_put(out, p->expr, p->pair);
}

static const char *format_word(const Pop *p)
{
    static const char *const words[] = {[ROWS_CSV] = "csv", [ROWS_JSON] = "json", [ROWS_LINES] = "lines",
                                        [ROWS_SQLITE] = "sqlite"};
    return words[p->dialect.format];
}

void pop_put_line(Buf *out, const Pop *p, const Schema *in)
{
    Value path = {.type = TYPE_STRING, .s = p->path};
    switch (p->kind) {
    case POP_READ_CSV:
        buf_printf(out, "read %s ", format_word(p));
        if (p->expr)
            operand_put(out, p->expr, in);
        else
            value_print_literal(out, path);
        if (p->query.len) {
            buf_puts(out, " query ");
            value_print_literal(out, (Value){.type = TYPE_STRING, .s = p->query});
        }
        batch_put(out, p);
        return;
    case POP_FILES:
        buf_puts(out, "files ");
        value_print_literal(out, path);
        return;
    case POP_SPLIT:
        buf_puts(out, p->expr ? "split into " : "split by ");
        keys_put(out, p, in);
        break;
    case POP_RANGE:
        buf_puts(out, "range ");
        operand_put(out, p->expr, in);
        buf_puts(out, "..");
        operand_put(out, p->expr2, in);
        batch_put(out, p);
        return;
    case POP_DEFINE:
        buf_printf(out, "derive %.*s = ", STR_ARG(p->out->cols[p->col].name));
        break;
    case POP_EXPLODE: buf_printf(out, "explode %.*s by ", STR_ARG(p->out->cols[p->col].name)); break;
    case POP_PROJECT:
        buf_puts(out, "select ");
        for (uint32_t i = 0; i < p->n_cols; i++) {
            Str to = p->out->cols[i].name;
            buf_printf(out, "%s%.*s", i ? ", " : "", STR_ARG(to));
            if (in && p->cols[i] < in->n_cols && !str_eq(in->cols[p->cols[i]].name, to))
                buf_printf(out, " = %.*s", STR_ARG(in->cols[p->cols[i]].name));
        }
        return;
    case POP_SORT:
        buf_puts(out, "sort by ");
        keys_put(out, p, in);
        return;
    case POP_TOP:
        buf_puts(out, "top ");
        operand_put(out, p->expr, in);
        buf_puts(out, " by ");
        keys_put(out, p, in);
        return;
    case POP_DISTINCT:
        buf_puts(out, p->n_keys ? "distinct " : "distinct");
        keys_put(out, p, in);
        return;
    case POP_EXEC:
        buf_puts(out, "exec [");
        for (uint32_t i = 0; i < p->n_argv; i++) {
            buf_puts(out, i ? ", " : "");
            value_print_literal(out, p->argv[i]);
        }
        buf_putc(out, ']');
        return;
    case POP_GROUP: group_put(out, p, in); return;
    case POP_JOIN: join_put(out, p); return;
    case POP_UNION: buf_printf(out, "union %.*s", STR_ARG(p->table_name)); return;
    case POP_ASSERT:
        buf_puts(out, "assert ");
        tx_put(out, p->expr, in);
        if (p->expr2) {
            buf_puts(out, ", ");
            tx_put(out, p->expr2, in);
        }
        return;
    case POP_FAIL: buf_puts(out, p->is_permanent ? "fail permanent " : "fail "); break;
    case POP_WRITE_CSV: buf_printf(out, "write %s ", format_word(p)); break;
    case POP_FILTER:
    case POP_TAKE:
    case POP_SKIP:
    case POP_LOG:
    case POP_SLEEP: buf_printf(out, "%s ", pop_name(p->kind)); break;
    case N_POPS: return;
    }
    if (p->expr)
        tx_put(out, p->expr, in);
    if (p->kind == POP_WRITE_CSV && p->expr2) {
        buf_puts(out, " table ");
        tx_put(out, p->expr2, in);
    }
}

/* ---- what all formats share */

static const char *edge_kind(const Plan *plan, const Step *from, const Step *to)
{
    uint32_t out = from->is_generator ? from->yields : from->scope;
    if (out == to->scope)
        return "plain";
    return out && plan->scopes[out].parent == to->scope ? "gather" : "broadcast";
}

static const DumpBound *bound_of(const DumpInfo *info, uint32_t scope)
{
    return info->scopes ? &info->scopes[scope] : NULL;
}

/* "at most 4 live batches", "no bound on live batches" */
static void bound_put(Buf *out, const DumpBound *b)
{
    if (b->live == UINT64_MAX)
        buf_puts(out, "no bound on live batches");
    else
        buf_printf(out, "at most %" PRIu64 " live batch%s", b->live,
                   b->live == 1 ? "" : "es");
}

static const Schema *pop_in(const Plan *plan, const Step *s, size_t i)
{
    if (i == 0 && s->hold == HOLD_GROUPS) { /* what comes in are groups: its names are the part's */
        const Step *part = plan->steps[s->inputs[0]];
        return pop_in(plan, part, part->pops.n - 1);
    }
    return i ? s->pops.ptr[i - 1]->out : s->in;
}

/* ---- text */

static void schema_put(Buf *out, const Schema *s)
{
    for (uint32_t i = 0; i < s->n_cols; i++)
        buf_printf(out, "%s%.*s %s", i ? ", " : "", STR_ARG(s->cols[i].name),
                   type_name(s->cols[i].type));
}

/* Words separated by `, `, broken at 88 columns under an indent of 11. */
static void wrap_put(Buf *out, const char *head, Str text)
{
    enum { INDENT = 11, WIDTH = 88 };
    buf_printf(out, "    %-7s", head);
    uint32_t col = INDENT;
    for (uint32_t at = 0; at < text.len;) {
        uint32_t end = at;
        while (end < text.len && !(text.ptr[end] == ',' && end + 1 < text.len &&
                                   text.ptr[end + 1] == ' '))
            end++;
        uint32_t next = end < text.len ? end + 2 : end;
        Str word = str_slice(text, at, (end < text.len ? end + 1 : end) - at);
        uint32_t w = utf8_width(word);
        if (at && col + 1 + w > WIDTH) {
            buf_printf(out, "\n%*s", INDENT, "");
            col = INDENT;
        } else if (at) {
            buf_putc(out, ' ');
            col++;
        }
        buf_put_visible(out, word);
        col += w;
        at = next;
    }
    buf_putc(out, '\n');
}

static const char *backoff_name(Backoff b)
{
    switch (b) {
    case BACKOFF_FIXED: return "fixed";
    case BACKOFF_LINEAR: return "linear";
    case BACKOFF_EXPONENTIAL: return "exponential";
    }
    return "";
}

static void duration_put(Buf *out, uint64_t us)
{
    value_print(out, (Value){.type = TYPE_DURATION, .i = (int64_t)us});
}

/* "2 retries after 100ms, exponential, up to 1s, with jitter" */
static void retry_put(Buf *out, const RetrySpec *r)
{
    buf_printf(out, "  %u %s", r->n_more, r->n_more == 1 ? "retry" : "retries");
    if (r->delay_ns == 0)
        return;
    buf_puts(out, " after ");
    duration_put(out, r->delay_ns / 1000);
    if (r->backoff != BACKOFF_FIXED)
        buf_printf(out, ", %s", backoff_name(r->backoff));
    if (r->max_delay_ns) {
        buf_puts(out, ", up to ");
        duration_put(out, r->max_delay_ns / 1000);
    }
    buf_puts(out, r->jitter ? ", with jitter" : "");
}

void plan_put_path(Buf *out, const Tx *path)
{
    if (path->kind == TX_CONST && !path->value.is_null)
        buf_put_str(out, path->value.s);
    else if (path->kind == TX_CONCAT)
        for (uint32_t i = 0; i < path->n_args; i++)
            plan_put_path(out, path->args[i]);
    else {
        buf_putc(out, '{');
        tx_put(out, path, NULL);
        buf_putc(out, '}');
    }
}

/* What its annotations say, each after two blanks. */
static void policies_put(Buf *out, const Plan *plan, const Step *s)
{
    if (s->max_concurrent)
        buf_printf(out, "  at most %u at a time", s->max_concurrent);
    if (s->pool) {
        const PlanPool *pool = &plan->pools[s->pool - 1];
        buf_printf(out, "  pool \"%.*s\" of %u", STR_ARG(pool->name), pool->size);
    }
    if (s->retry.n_more)
        retry_put(out, &s->retry);
    if (s->timeout_us) {
        buf_puts(out, "  timeout ");
        duration_put(out, (uint64_t)s->timeout_us);
    }
    if (s->on_failure == ON_FAILURE_SKIP)
        buf_puts(out, "  a failure skips its batch");
    if (s->bad_rows == BAD_ROWS_FAIL)
        return;
    buf_puts(out, s->bad_rows == BAD_ROWS_SKIP ? "  bad rows are skipped" : "  bad values become null");
    if (s->rejects) {
        buf_puts(out, " -> ");
        plan_put_path(out, plan->rejects[s->rejects - 1].path);
    }
}

static void step_head_put(Buf *out, const Plan *plan, const Step *s, uint32_t n_name)
{
    buf_printf(out, "%.*s%*s  %s", STR_ARG(s->name), (int)(n_name - utf8_width(s->name)),
               "", s->is_generator ? "generator" : step_kind_name(s));
    if (step_first_table(s))
        buf_puts(out, s->is_generator ? "  from " : " of ");
    for (uint32_t i = 0; i < step_first_table(s); i++)
        buf_printf(out, "%s%.*s", i ? ", " : "",
                   STR_ARG(plan->steps[s->inputs[i]]->name));
    for (uint32_t i = step_first_table(s); i < s->n_inputs; i++)
        buf_printf(out, "%s%.*s", i > step_first_table(s) ? ", " : "  with table ",
                   STR_ARG(plan->steps[s->inputs[i]]->name));
    if (s->scope && plan_is_nested(plan))
        buf_printf(out, "  level %u", scope_level(plan, s->scope));
    buf_printf(out, "  priority %d%s", s->priority, s->has_priority ? "" : " (its depth)");
    policies_put(out, plan, s);
    if (s->part_of)
        buf_printf(out, "  part of %.*s", STR_ARG(s->part_of->name));
    else if (!str_eq(s->op, s->name) && s->op.len)
        buf_printf(out, "  op %.*s", STR_ARG(s->op));
    buf_putc(out, '\n');
}

/* Where the tables of joins and unions are, when there is a budget. */
static void tables_put(Buf *out, const Plan *plan, const Step *s)
{
    uint32_t first = step_first_table(s), n_held = 0;
    for (uint32_t i = first; i < s->n_inputs; i++) {
        const Step *table = plan->steps[s->inputs[i]];
        if (fold_may_spill(plan, table) && fold_streams_out(plan, table))
            buf_printf(out, "    finds  rows of `%.*s` by their keys, where that is spilled\n", STR_ARG(table->name));
        else
            n_held++;
    }
    if (n_held)
        buf_printf(out, "    holds  the table%s, in memory: %s\n", n_held == 1 ? "" : "s",
                   n_held == 1 ? "it does not spill" : "they do not spill");
}

/* "    holds  at most 10 rows", of a collect; where there is a budget, what of it may spill. */
static void hold_put(Buf *out, const Plan *plan, const Step *s)
{
    if (plan->memory_bytes)
        tables_put(out, plan, s);
    if (plan->memory_bytes && s->hold == HOLD_NONE && fold_may_spill(plan, s))
        buf_puts(out, "    holds  all rows; may spill\n");
    if (s->hold == HOLD_NONE)
        return;
    buf_puts(out, "    holds  ");
    fold_put_hold(out, plan, s);
    if (plan->memory_bytes && fold_may_spill(plan, s))
        buf_puts(out, "; may spill");
    else if (plan->memory_bytes && fold_grows(s))
        buf_puts(out, "; does not spill");
    buf_putc(out, '\n');
}

static uint32_t name_width(const Plan *plan)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        uint32_t w = utf8_width(plan->steps[i]->name);
        n = w > n ? w : n;
    }
    return n > 24 ? 24 : n;
}

static void warnings_put(Buf *out, const DumpInfo *info)
{
    for (uint32_t i = 0; i < info->n_warnings; i++)
        buf_printf(out, "warning: %.*s\n", STR_ARG(info->warnings[i]));
}

/* "file/number": what the path of a batch's key is made of. */
static void key_put(Buf *out, const Plan *plan, uint32_t scope)
{
    const Scope *s = &plan->scopes[scope];
    if (s->parent) {
        key_put(out, plan, s->parent);
        buf_putc(out, '/');
    }
    buf_puts(out, pop_key_word(plan->steps[s->generator]->pops.ptr[0]));
}

/* " (level 2, keys file/number)", where it is not the one level of numbers. */
static void level_put(Buf *out, const Plan *plan, uint32_t scope)
{
    Buf key = {0};
    key_put(&key, plan, scope);
    if (plan_is_nested(plan))
        buf_printf(out, " (level %u, keys %s)", scope_level(plan, scope), key.ptr);
    else if (strcmp(key.ptr, "number") != 0)
        buf_printf(out, " (keys %s)", key.ptr);
    buf_deinit(&key);
}

static void scopes_put(Buf *out, const Plan *plan, const DumpInfo *info)
{
    for (uint32_t s = 1; s < plan->n_scopes; s++) {
        const DumpBound *b = bound_of(info, s);
        buf_printf(out, "batches of %.*s",
                   STR_ARG(plan->steps[plan->scopes[s].generator]->name));
        level_put(out, plan, s);
        buf_puts(out, ": ");
        if (plan->scopes[s].max_batches)
            buf_printf(out, "fails beyond %u, ", plan->scopes[s].max_batches);
        if (info->n_batches && info->n_batches[s] != UINT64_MAX)
            buf_printf(out, "%" PRIu64 " expected, ", info->n_batches[s]);
        if (b)
            bound_put(out, b);
        else
            buf_puts(out, "bound not computed");
        if (b && b->n_reasons == 0 && b->live != UINT64_MAX)
            buf_printf(out, ": %s", b->live < info->n_workers
                                        ? "so many credits"
                                        : "one for each worker, since every step "
                                          "downstream goes first");
        buf_putc(out, '\n');
        for (uint32_t i = 0; b && i < b->n_reasons; i++)
            buf_printf(out, "  because %.*s\n", STR_ARG(b->reasons[i]));
    }
}

static void head_put(Buf *out, const Plan *plan, const DumpInfo *info)
{
    buf_printf(out, "job %.*s", STR_ARG(plan->job));
    if (plan->file.len)
        buf_printf(out, " of %.*s", STR_ARG(plan->file));
    buf_printf(out, ": %u step%s, %u worker%s", plan->n_steps,
               plan->n_steps == 1 ? "" : "s", info->n_workers,
               info->n_workers == 1 ? "" : "s");
    if (plan->memory_bytes) {
        buf_puts(out, ", memory ");
        value_print(out, (Value){.type = TYPE_SIZE, .i = (int64_t)plan->memory_bytes});
    }
    buf_putc(out, '\n');
}

void plan_dump_text(const Plan *plan, const DumpInfo *info, Buf *out)
{
    uint32_t n_name = name_width(plan);
    Buf line = {0};
    head_put(out, plan, info);
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        buf_putc(out, '\n');
        step_head_put(out, plan, s, n_name);
        for (size_t k = 0; k < s->pops.n; k++) {
            buf_clear(&line);
            pop_put_line(&line, s->pops.ptr[k], pop_in(plan, s, k));
            wrap_put(out, k ? "" : "does", buf_str(&line));
        }
        buf_clear(&line);
        schema_put(&line, s->out);
        wrap_put(out, "gives", buf_str(&line));
        hold_put(out, plan, s);
    }
    buf_putc(out, '\n');
    scopes_put(out, plan, info);
    warnings_put(out, info);
    buf_deinit(&line);
}

void plan_print(const Plan *plan, const DumpInfo *info, Buf *out)
{
    uint32_t n_name = name_width(plan);
    head_put(out, plan, info);
    buf_putc(out, '\n');
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        buf_puts(out, "  ");
        step_head_put(out, plan, plan->steps[i], n_name);
        hold_put(out, plan, plan->steps[i]);
    }
    buf_putc(out, '\n');
    scopes_put(out, plan, info);
    warnings_put(out, info);
}

/* ---- JSON */

static void json_schema(JsonWriter *w, const char *key, const Schema *s)
{
    json_key(w, key);
    if (!s) {
        json_put_null(w);
        return;
    }
    json_begin_array(w);
    for (uint32_t i = 0; i < s->n_cols; i++) {
        json_begin_object(w);
        json_key(w, "name");
        json_put_str(w, s->cols[i].name);
        json_key(w, "type");
        json_put_cstr(w, type_name(s->cols[i].type));
        json_end_object(w);
    }
    json_end_array(w);
}

/* null where the number stands for "none". */
static void json_number(JsonWriter *w, const char *key, uint64_t v, uint64_t none)
{
    json_key(w, key);
    if (v == none)
        json_put_null(w);
    else
        json_put_int(w, (int64_t)v);
}

static void json_policies(JsonWriter *w, const Plan *plan, const Step *s)
{
    json_key(w, "pool");
    if (s->pool)
        json_put_str(w, plan->pools[s->pool - 1].name);
    else
        json_put_null(w);
    json_key(w, "retry");
    if (s->retry.n_more) {
        json_begin_object(w);
        json_number(w, "n", s->retry.n_more, 0);
        json_number(w, "delay_us", s->retry.delay_ns / 1000, UINT64_MAX);
        json_key(w, "backoff");
        json_put_cstr(w, backoff_name(s->retry.backoff));
        json_number(w, "max_delay_us", s->retry.max_delay_ns / 1000, 0);
        json_key(w, "jitter");
        json_put_bool(w, s->retry.jitter);
        json_end_object(w);
    } else {
        json_put_null(w);
    }
    json_number(w, "timeout_us", (uint64_t)s->timeout_us, 0);
    json_key(w, "on_failure");
    json_put_cstr(w, s->on_failure == ON_FAILURE_SKIP ? "skip" : "fail");
    json_key(w, "bad_rows");
    json_put_cstr(w, bad_rows_name(s->bad_rows));
    json_key(w, "rejects");
    Buf path = {0};
    if (s->rejects)
        plan_put_path(&path, plan->rejects[s->rejects - 1].path);
    if (s->rejects)
        json_put_str(w, buf_str(&path));
    else
        json_put_null(w);
    buf_deinit(&path);
}

static void json_pools(JsonWriter *w, const Plan *plan)
{
    json_key(w, "pools");
    json_begin_array(w);
    for (uint32_t i = 0; i < plan->n_pools; i++) {
        json_begin_object(w);
        json_key(w, "name");
        json_put_str(w, plan->pools[i].name);
        json_number(w, "size", plan->pools[i].size, 0);
        json_end_object(w);
    }
    json_end_array(w);
}

static void json_step(JsonWriter *w, const Plan *plan, const Step *s)
{
    Buf line = {0};
    json_begin_object(w);
    json_number(w, "id", s->id, UINT64_MAX);
    json_key(w, "name");
    json_put_str(w, s->name);
    json_key(w, "op");
    json_put_str(w, s->op);
    json_key(w, "kind");
    json_put_cstr(w, step_kind_name(s));
    json_key(w, "is_generator");
    json_put_bool(w, s->is_generator);
    json_number(w, "scope", s->scope, UINT64_MAX);
    json_number(w, "yields", s->yields, 0);
    json_number(w, "depth", s->depth, UINT64_MAX);
    json_key(w, "priority");
    json_put_int(w, s->priority);
    json_key(w, "has_priority");
    json_put_bool(w, s->has_priority);
    json_number(w, "max_concurrent", s->max_concurrent, 0);
    json_policies(w, plan, s);
    json_key(w, "inputs");
    json_begin_array(w);
    for (uint32_t i = 0; i < s->n_inputs; i++) {
        json_begin_object(w);
        json_number(w, "step", s->inputs[i], UINT64_MAX);
        json_key(w, "edge");
        json_put_cstr(w, edge_kind(plan, plan->steps[s->inputs[i]], s));
        json_key(w, "is_table");
        json_put_bool(w, i >= step_first_table(s));
        json_end_object(w);
    }
    json_end_array(w);
    json_schema(w, "in", s->in);
    json_schema(w, "out", s->out);
    json_key(w, "operations");
    json_begin_array(w);
    for (size_t i = 0; i < s->pops.n; i++) {
        buf_clear(&line);
        pop_put_line(&line, s->pops.ptr[i], pop_in(plan, s, i));
        json_begin_object(w);
        json_key(w, "kind");
        json_put_cstr(w, pop_name(s->pops.ptr[i]->kind));
        json_key(w, "text");
        json_put_str(w, buf_str(&line));
        json_end_object(w);
    }
    json_end_array(w);
    json_number(w, "part_of", s->part_of ? s->part_of->id : UINT64_MAX, UINT64_MAX);
    json_key(w, "holds");
    if (s->hold == HOLD_NONE) {
        json_put_null(w);
    } else {
        buf_clear(&line);
        fold_put_hold(&line, plan, s);
        json_begin_object(w);
        json_key(w, "kind");
        json_put_cstr(w, hold_name(s->hold));
        bool has_limit = s->hold == HOLD_FIRST || s->hold == HOLD_TOP;
        json_number(w, "limit", has_limit ? s->hold_limit : UINT64_MAX, UINT64_MAX);
        json_key(w, "text");
        json_put_str(w, buf_str(&line));
        json_key(w, "may_spill");
        json_put_bool(w, fold_may_spill(plan, s));
        json_end_object(w);
    }
    json_key(w, "doc");
    json_put_str(w, s->doc);
    json_key(w, "tags");
    json_begin_array(w);
    for (size_t i = 0; i < s->tags.n; i++)
        json_put_str(w, s->tags.ptr[i]);
    json_end_array(w);
    json_end_object(w);
    buf_deinit(&line);
}

static void json_scope(JsonWriter *w, const Plan *plan, const DumpInfo *info, uint32_t id)
{
    const Scope *s = &plan->scopes[id];
    const DumpBound *b = id ? bound_of(info, id) : NULL;
    json_begin_object(w);
    json_number(w, "id", id, UINT64_MAX);
    json_number(w, "parent", id ? s->parent : UINT64_MAX, UINT64_MAX);
    json_number(w, "generator", id ? s->generator : UINT64_MAX, UINT64_MAX);
    json_number(w, "level", scope_level(plan, id), UINT64_MAX);
    json_key(w, "keys");
    if (id == 0) {
        json_put_null(w);
    } else {
        Buf key = {0};
        key_put(&key, plan, id);
        json_put_str(w, buf_str(&key));
        buf_deinit(&key);
    }
    json_key(w, "in_flight");
    if (id == 0)
        json_put_null(w);
    else if (s->in_flight == UINT32_MAX)
        json_put_cstr(w, "unbounded");
    else if (s->in_flight == 0 && !b)
        json_put_cstr(w, "default");
    else if (b && b->credits == UINT32_MAX)
        json_put_cstr(w, "unbounded");
    else
        json_put_int(w, b ? b->credits : s->in_flight);
    json_number(w, "max_batches", s->max_batches, 0);
    json_number(w, "bound", b ? b->live : id ? UINT64_MAX : 1, UINT64_MAX);
    json_key(w, "reasons");
    json_begin_array(w);
    for (uint32_t i = 0; b && i < b->n_reasons; i++)
        json_put_str(w, b->reasons[i]);
    json_end_array(w);
    json_number(w, "expected_batches", info->n_batches ? info->n_batches[id] : UINT64_MAX,
                UINT64_MAX);
    json_end_object(w);
}

void plan_dump_json(const Plan *plan, const DumpInfo *info, Buf *out)
{
    JsonWriter w;
    json_init(&w, out, JSON_STYLE_PRETTY);
    json_begin_object(&w);
    json_number(&w, "version", DUMP_VERSION, 0);
    json_key(&w, "file");
    json_put_str(&w, plan->file);
    json_key(&w, "job");
    json_put_str(&w, plan->job);
    json_key(&w, "doc");
    json_put_str(&w, plan->doc);
    json_number(&w, "workers", info->n_workers, 0);
    json_number(&w, "memory_bytes", plan->memory_bytes, 0);
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
    json_key(&w, "warnings");
    json_begin_array(&w);
    for (uint32_t i = 0; i < info->n_warnings; i++)
        json_put_str(&w, info->warnings[i]);
    json_end_array(&w);
    json_end_object(&w);
    buf_putc(out, '\n');
}

/* ---- pictures */

static const char *shape_note(const Step *s)
{
    return s->is_generator       ? "generator"
           : s->kind == STEP_MAP ? "map"
           : s->kind == STEP_COLLECT && !s->reads_in_parts ? "collect"
                                                           : "once";
}

static void picture_level_put(Buf *out, const Plan *plan, const Step *s)
{
    if (s->scope && plan_is_nested(plan))
        buf_printf(out, "level %u, ", scope_level(plan, s->scope));
}

/* Quotes and backslashes escaped as DOT wants it. */
static void dot_put(Buf *out, Str s)
{
    Buf text = {0};
    buf_put_visible(&text, s);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, text.ptr[i]);
    }
    buf_deinit(&text);
}

void plan_dump_dot(const Plan *plan, const DumpInfo *info, Buf *out)
{
    buf_puts(out, "digraph \"");
    dot_put(out, plan->job);
    buf_puts(out, "\" {\n  rankdir=LR;\n  node [shape=box, style=rounded, "
                  "fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", "
                  "fontsize=10];\n");
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        buf_printf(out, "  s%u [label=\"", s->id);
        dot_put(out, s->name);
        buf_printf(out, "\\n%s, ", shape_note(s));
        picture_level_put(out, plan, s);
        buf_printf(out, "priority %d\"%s];\n", s->priority,
                   s->is_generator            ? ", peripheries=2"
                   : s->kind == STEP_COLLECT ? ", shape=invhouse"
                                             : "");
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        for (uint32_t k = 0; k < s->n_inputs; k++) {
            const Step *from = plan->steps[s->inputs[k]];
            const DumpBound *b = from->is_generator ? bound_of(info, from->yields) : NULL;
            const char *kind = edge_kind(plan, from, s);
            buf_printf(out, "  s%u -> s%u [label=\"", from->id, s->id);
            if (b && b->live != UINT64_MAX)
                buf_printf(out, "at most %" PRIu64 " live", b->live);
            else if (k >= step_first_table(s))
                buf_puts(out, "table");
            else if (strcmp(kind, "plain") != 0)
                buf_puts(out, kind);
            bool is_dashed = k >= step_first_table(s) || strcmp(kind, "broadcast") == 0;
            buf_printf(out, "\"%s];\n", is_dashed ? ", style=dashed" : "");
        }
    }
    buf_puts(out, "}\n");
}

/* Mermaid reads entities such as #quot; inside a quoted label. */
static void mermaid_put(Buf *out, Str s)
{
    Buf text = {0};
    buf_put_visible(&text, s);
    for (size_t i = 0; i < text.len; i++)
        switch (text.ptr[i]) {
        case '"': buf_puts(out, "#quot;"); break;
        case '#': buf_puts(out, "#35;"); break;
        case '<': buf_puts(out, "#lt;"); break;
        case '>': buf_puts(out, "#gt;"); break;
        default: buf_putc(out, text.ptr[i]);
        }
    buf_deinit(&text);
}

void plan_dump_mermaid(const Plan *plan, const DumpInfo *info, Buf *out)
{
    buf_puts(out, "flowchart LR\n");
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        const char *open = s->is_generator            ? "[["
                           : s->kind == STEP_COLLECT ? "[/"
                                                     : "(";
        const char *close = s->is_generator            ? "]]"
                            : s->kind == STEP_COLLECT ? "\\]"
                                                      : ")";
        buf_printf(out, "  s%u%s\"", s->id, open);
        mermaid_put(out, s->name);
        buf_printf(out, "<br>%s, ", shape_note(s));
        picture_level_put(out, plan, s);
        buf_printf(out, "priority %d\"%s\n", s->priority, close);
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        for (uint32_t k = 0; k < s->n_inputs; k++) {
            const Step *from = plan->steps[s->inputs[k]];
            const DumpBound *b = from->is_generator ? bound_of(info, from->yields) : NULL;
            const char *kind = edge_kind(plan, from, s);
            bool is_dashed = k >= step_first_table(s) || strcmp(kind, "broadcast") == 0;
            buf_printf(out, "  s%u %s", from->id, is_dashed ? "-.->" : "-->");
            if (b && b->live != UINT64_MAX)
                buf_printf(out, "|\"at most %" PRIu64 " live\"|", b->live);
            else if (k >= step_first_table(s))
                buf_puts(out, "|table|");
            else if (strcmp(kind, "plain") != 0)
                buf_printf(out, "|%s|", kind);
            buf_printf(out, " s%u\n", s->id);
        }
    }
}
