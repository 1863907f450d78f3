/* plan_dump.c - a plan as text. The other formats: plan_json.c, plan_picture.c. */
#include "plan/plan_dump_int.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "plan/fold.h"
#include "plan/pop_text.h"

/* ---- what all formats share */

const char *plan_edge_kind(const Plan *plan, const Step *from, const Step *to)
{
    uint32_t out = from->is_generator ? from->yields : from->scope;
    if (out == to->scope)
        return "plain";
    return out && plan->scopes[out].parent == to->scope ? "gather" : "broadcast";
}

const DumpBound *dump_bound(const DumpInfo *info, uint32_t scope)
{
    return info->scopes ? &info->scopes[scope] : NULL;
}

const Schema *plan_pop_in(const Plan *plan, const Step *s, size_t i)
{
    if (i == 0 && s->hold == HOLD_GROUPS) { /* what comes in are groups: its names are the part's */
        const Step *part = plan->steps[s->inputs[0]];
        return plan_pop_in(plan, part, part->pops.n - 1);
    }
    return i ? s->pops.ptr[i - 1]->out : s->in;
}

const char *backoff_name(Backoff b)
{
    switch (b) {
    case BACKOFF_FIXED: return "fixed";
    case BACKOFF_LINEAR: return "linear";
    case BACKOFF_EXPONENTIAL: return "exponential";
    }
    return "";
}

/* "file/number": what the path of a batch's key is made of. */
void plan_put_key(Buf *out, const Plan *plan, uint32_t scope)
{
    const Scope *s = &plan->scopes[scope];
    if (s->parent) {
        plan_put_key(out, plan, s->parent);
        buf_putc(out, '/');
    }
    buf_puts(out, pop_key_word(plan->steps[s->generator]->pops.ptr[0]));
}

/* ---- a step */

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
    if (s->keeps)
        buf_puts(out, "  kept for `resume`");
    if (s->bad_rows == BAD_ROWS_FAIL)
        return;
    buf_puts(out, s->bad_rows == BAD_ROWS_SKIP ? "  bad rows are skipped" : "  bad values become null");
    if (s->rejects) {
        buf_puts(out, " -> ");
        path_put_text(out, plan->rejects[s->rejects - 1].path);
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

static bool has_union_with(const Step *s, uint32_t table)
{
    bool has = false;
    for (size_t i = 0; i < s->pops.n; i++)
        has |= s->pops.ptr[i]->kind == POP_UNION && s->pops.ptr[i]->table == table;
    return has;
}

/* Where the tables of joins and unions are, when there is a budget. */
static void tables_put(Buf *out, const Plan *plan, const Step *s)
{
    for (uint32_t i = step_first_table(s); i < s->n_inputs; i++) {
        const Step *table = plan->steps[s->inputs[i]];
        bool may_spill = fold_may_spill(plan, table) && fold_streams_out(plan, table);
        if (!may_spill)
            buf_printf(out, "    holds  `%.*s` in memory, whatever the budget\n", STR_ARG(table->name));
        else if (has_union_with(s, table->id))
            buf_printf(out, "    takes  `%.*s` part by part, where that is spilled\n", STR_ARG(table->name));
        else
            buf_printf(out, "    finds  rows of `%.*s` by their keys, where that is spilled\n", STR_ARG(table->name));
    }
}

/* "    holds  at most 10 rows", of a collect; where there is a budget, what of it may spill. */
static void hold_put(Buf *out, const Plan *plan, const Step *s)
{
    if (plan->memory_bytes)
        tables_put(out, plan, s);
    bool is_split = s->is_generator && step_first_table(s) && s->pops.n && s->pops.ptr[0]->kind == POP_SPLIT;
    if (plan->memory_bytes && (is_split || fold_holds_spilled(plan, s)))
        buf_printf(out, "    holds  `%.*s` in memory, whatever the budget\n", STR_ARG(plan->steps[s->inputs[0]]->name));
    if (plan->memory_bytes && s->hold == HOLD_NONE && fold_may_spill(plan, s))
        buf_puts(out, "    holds  all rows; may spill\n");
    if (plan->memory_bytes && s->hold != HOLD_TOP && fold_holds_top(s))
        buf_puts(out, "    holds  the rows of a `top` in memory, whatever the budget\n");
    if (s->hold == HOLD_NONE)
        return;
    buf_puts(out, "    holds  ");
    fold_put_hold(out, plan, s);
    if (plan->memory_bytes && fold_may_spill(plan, s))
        buf_puts(out, fold_keeps_values(s) ? "; may spill, but for the values of one group, which are held in memory" : "; may spill");
    else if (plan->memory_bytes && (fold_grows(s) || fold_holds_top(s)))
        buf_puts(out, "; held in memory, whatever the budget");
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

/* ---- levels and the head */

/* "at most 4 live batches", "no bound on live batches" */
static void bound_put(Buf *out, const DumpBound *b)
{
    if (b->live == UINT64_MAX)
        buf_puts(out, "no bound on live batches");
    else
        buf_printf(out, "at most %" PRIu64 " live batch%s", b->live,
                   b->live == 1 ? "" : "es");
}

/* " (level 2, keys file/number)", where it is not the one level of numbers. */
static void level_put(Buf *out, const Plan *plan, uint32_t scope)
{
    Buf key = {0};
    plan_put_key(&key, plan, scope);
    if (plan_is_nested(plan))
        buf_printf(out, " (level %u, keys %s)", scope_level(plan, scope), key.ptr);
    else if (strcmp(key.ptr, "number") != 0)
        buf_printf(out, " (keys %s)", key.ptr);
    buf_deinit(&key);
}

static void warnings_put(Buf *out, const DumpInfo *info)
{
    for (uint32_t i = 0; i < info->n_warnings; i++)
        buf_printf(out, "warning: %.*s\n", STR_ARG(info->warnings[i]));
}

static void scopes_put(Buf *out, const Plan *plan, const DumpInfo *info)
{
    for (uint32_t s = 1; s < plan->n_scopes; s++) {
        const DumpBound *b = dump_bound(info, s);
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

/* ---- both texts */

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
            pop_put_line(&line, s->pops.ptr[k], plan_pop_in(plan, s, k));
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
