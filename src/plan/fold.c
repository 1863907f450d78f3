#include "plan/fold.h"

#include <inttypes.h>

const char *hold_name(Hold h)
{
    switch (h) {
    case HOLD_NONE: return "none";
    case HOLD_NOTHING: return "nothing";
    case HOLD_FIRST: return "first";
    case HOLD_TOP: return "top";
    case HOLD_DISTINCT: return "distinct";
    case HOLD_GROUPS: return "groups";
    case HOLD_SORTED: return "sorted";
    case HOLD_ROWS: return "rows";
    }
    return "";
}

/* ---- what values depend on ---- */

static bool tx_uses(const Tx *t, BuiltinKind kind)
{
    if (!t)
        return false;
    if (t->kind == TX_CALL && builtin_get(t->fn)->kind == kind)
        return true;
    for (uint32_t i = 0; i < t->n_args; i++)
        if (tx_uses(t->args[i], kind))
            return true;
    return false;
}

static bool pop_uses(const Pop *p, BuiltinKind kind)
{
    bool yes = tx_uses(p->expr, kind) || tx_uses(p->expr2, kind);
    for (uint32_t i = 0; i < p->n_keys && !yes; i++)
        yes = tx_uses(p->keys[i].value, kind);
    for (uint32_t i = 0; i < p->n_aggs; i++)
        for (uint32_t k = 0; k < p->aggs[i].n_args && !yes; k++)
            yes = tx_uses(p->aggs[i].args[k], kind);
    return yes;
}

bool pop_uses_row(const Pop *p)
{
    return pop_uses(p, BUILTIN_KIND_ROW);
}

bool pop_uses_batch(const Pop *p)
{
    return pop_uses(p, BUILTIN_KIND_BATCH);
}

/* ---- splitting ---- */

/* Does it mean the same for a batch as for the table that the batch is a part of, its rows' numbers aside? */
static bool is_of_head(const Pop *p, uint32_t scope)
{
    if (pop_uses_batch(p))
        return false;
    switch (p->kind) {
    case POP_FILTER:
    case POP_DEFINE:
    case POP_PROJECT:
    case POP_EXPLODE:
    case POP_JOIN:
    case POP_ASSERT: return true;
    /* Inside an outer batch what is written has to wait for that batch's turn. */
    case POP_WRITE_CSV: return scope == 0;
    case POP_READ_CSV:
    case POP_RANGE:
    case POP_FILES:
    case POP_SPLIT:
    case POP_TAKE:
    case POP_SKIP:
    case POP_SORT:
    case POP_TOP:
    case POP_DISTINCT:
    case POP_GROUP:
    case POP_UNION:
    case POP_EXEC:
    case POP_LOG:
    case POP_FAIL:
    case POP_SLEEP:
    case N_POPS: return false;
    }
    return false;
}

static Hold hold_of(PopKind k)
{
    return k == POP_TAKE       ? HOLD_FIRST
           : k == POP_TOP      ? HOLD_TOP
           : k == POP_DISTINCT ? HOLD_DISTINCT
           : k == POP_GROUP    ? HOLD_GROUPS
           : k == POP_SORT     ? HOLD_SORTED
                               : HOLD_ROWS;
}

/* Is a row's number in the collected table asked for? A group makes a table of its own. */
bool pops_use_rows(Pop *const *pops, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (pop_uses_row(pops[i]))
            return true;
        if (pops[i]->kind == POP_GROUP || pops[i]->kind == POP_EXEC)
            return false;
    }
    return false;
}

/* The number of a TAKE or TOP. */
static uint64_t take_limit(const Pop *p)
{
    return p->expr && p->expr->value.i > 0 ? (uint64_t)p->expr->value.i : 0;
}

/* The rows that a TAKE gives, if they are few enough to be held by a TOP. */
static bool is_few(const Pop *take)
{
    enum { TOP_MOST = 100000 };
    return take->kind == POP_TAKE && take->expr && take->expr->kind == TX_CONST && !take->expr->value.is_null &&
           take->expr->value.i >= 0 && take->expr->value.i <= TOP_MOST;
}

static void make_top(Pop *sort, const Pop *take)
{
    sort->kind = POP_TOP;
    sort->expr = take->expr;
}

void fold_tops(PopList *pops)
{
    size_t n = 0;
    for (size_t i = 0; i < pops->n; i++) {
        Pop *p = pops->ptr[i];
        if (n && p->kind == POP_TAKE && pops->ptr[n - 1]->kind == POP_SORT && is_few(p)) {
            make_top(pops->ptr[n - 1], p);
            continue;
        }
        pops->ptr[n++] = p;
    }
    pops->n = n;
}

/* May p stand in the head as far as numbers go? `after`: the operations behind it. Where batches know
 * the numbers of their rows, nothing in front of p has dropped any that p or they ask for. */
static bool keeps_numbers(const Pop *p, Pop *const *after, size_t n_after, bool is_numbered, BadRows bad_rows)
{
    if (pop_uses_row(p) && !is_numbered)
        return false;
    bool renumbers = p->kind == POP_FILTER || p->kind == POP_JOIN || p->kind == POP_EXPLODE ||
                     (bad_rows != BAD_ROWS_FAIL && p->kind != POP_PROJECT);
    return !renumbers || !pops_use_rows(after, n_after);
}

PlanFold fold_split(Pop *const *pops, size_t n_pops, uint32_t scope, bool is_numbered, BadRows bad_rows)
{
    PlanFold f = {.hold = HOLD_ROWS};
    while (f.n_head < n_pops && is_of_head(pops[f.n_head], scope) &&
           keeps_numbers(pops[f.n_head], pops + f.n_head + 1, n_pops - f.n_head - 1, is_numbered,
                         bad_rows))
        f.n_head++;
    if (f.n_head == n_pops)
        return f;
    const Pop *p = pops[f.n_head];
    Hold h = hold_of(p->kind);
    if (h == HOLD_ROWS || (pop_uses_row(p) && !is_numbered) || pop_uses_batch(p))
        return f;
    /* The first rows keep their numbers, and a group makes a table of its own. */
    if (h != HOLD_FIRST && h != HOLD_GROUPS &&
        pops_use_rows(pops + f.n_head + 1, n_pops - f.n_head - 1))
        return f;
    f.hold = h;
    f.folds_next = true;
    if (h == HOLD_FIRST || h == HOLD_TOP)
        f.limit = take_limit(p);
    return f;
}

/* A plain read of one table, once; nothing is said of the one instance that reads. */
static bool reads_plainly(const Step *s)
{
    const Pop *read = s->pops.n ? s->pops.ptr[0] : NULL;
    return read && read->kind == POP_READ_CSV && read->batch == BATCH_NONE && !read->expr && !s->is_generator &&
           s->kind == STEP_STATIC && s->scope == 0 && step_first_table(s) == 0;
}

static bool has_policies(const Step *s)
{
    return s->retry.n_more || s->timeout_us || s->pool || s->max_concurrent || s->on_failure == ON_FAILURE_SKIP;
}

bool fold_reads_in_parts(const Step *s, bool is_before_take)
{
    if (!reads_plainly(s) || s->pops.n < 2 || has_policies(s))
        return false;
    /* Rows that cannot be read are dropped, so that a part does not know how many there are before it. */
    PlanFold f = fold_split(s->pops.ptr + 1, s->pops.n - 1, s->scope, s->bad_rows == BAD_ROWS_FAIL, s->bad_rows);
    bool wants_first = f.hold == HOLD_FIRST || (is_before_take && f.n_head + 1 == s->pops.n);
    return !wants_first && (f.n_head || f.folds_next);
}

bool fold_takes_parts(const Plan *plan, const Step *read, const Step *s, bool is_before_take, bool is_wanted)
{
    if (!reads_plainly(read) || read->pops.n != 1 || has_policies(read) || read->keep_asked > KEEP_OF_JOB || s->kind != STEP_STATIC || !s->in ||
        s->is_generator || s->scope != 0 || step_first_table(s) != 1 || has_policies(s))
        return false;
    if (read->bad_rows != BAD_ROWS_FAIL || s->bad_rows != BAD_ROWS_FAIL) /* each tells of its own */
        return false;
    PlanFold f = fold_split(s->pops.ptr, s->pops.n, 0, true, BAD_ROWS_FAIL);
    if (f.hold == HOLD_FIRST || (is_before_take && f.n_head == s->pops.n))
        return false;
    if (plan->memory_bytes && (f.n_head || f.folds_next)) /* what is held spills */
        return true;
    if (f.hold == HOLD_SORTED) /* a top, then */
        return is_before_take && f.n_head + 1 == s->pops.n;
    return f.hold == HOLD_TOP || f.hold == HOLD_GROUPS || f.hold == HOLD_DISTINCT ||
           (f.n_head == s->pops.n && !is_wanted);
}

bool fold_goes_up(const Step *s)
{
    return s->scope == 0 && s->in && !s->is_generator && step_first_table(s) == 1 && !has_policies(s) && !s->has_priority &&
           s->bad_rows == BAD_ROWS_FAIL && s->tags.n == 0;
}

/* ---- what readers want ---- */

/* The only step that reads s, and reads it whole; NULL if there are several or none. */
static const Step *only_reader(const Plan *plan, const Step *s, uint32_t *n_readers)
{
    const Step *reader = NULL;
    *n_readers = 0;
    for (uint32_t i = 0; i < plan->n_steps; i++)
        for (uint32_t k = 0; k < plan->steps[i]->n_inputs; k++)
            if (plan->steps[i]->inputs[k] == s->id) {
                ++*n_readers;
                reader = k == 0 ? plan->steps[i] : NULL;
            }
    return *n_readers == 1 ? reader : NULL;
}

/* A step that ends with a `sort`, and whose only reader begins with `take`. */
static void finish_sort(const Plan *plan, Step *s)
{
    uint32_t n_readers;
    Pop *last = s->pops.n ? s->pops.ptr[s->pops.n - 1] : NULL;
    if (!last || last->kind != POP_SORT || s->is_generator || s->part_of)
        return;
    const Step *reader = only_reader(plan, s, &n_readers);
    if (!reader || !reader->in || reader->scope != s->scope || reader->pops.n == 0 || !is_few(reader->pops.ptr[0]))
        return;
    make_top(last, reader->pops.ptr[0]); /* of the part of a collect, too, where it is the folded one */
    if (s->hold == HOLD_SORTED && s->pops.n == 1) {
        s->hold = HOLD_TOP;
        s->hold_limit = take_limit(last);
    }
}

static void finish(Arena *a, Plan *plan, Step *c)
{
    uint32_t n_readers;
    const Step *reader = only_reader(plan, c, &n_readers);
    if (c->hold != HOLD_ROWS || c->pops.n)
        return;
    if (n_readers == 0)
        c->hold = HOLD_NOTHING;
    if (!reader || !reader->in || reader->scope != c->scope || reader->pops.n == 0 ||
        reader->pops.ptr[0]->kind != POP_TAKE)
        return;
    c->hold = HOLD_FIRST;
    c->hold_limit = take_limit(reader->pops.ptr[0]);
    Step *part = plan->steps[c->inputs[0]];
    vec_push(a, &part->pops, reader->pops.ptr[0]);
}

/* A read that is one table, and of which `take` wants the first rows only: in its own op behind
 * statements that mean the same for a part of the file, or at the head of its only reader. */
static void finish_read(const Plan *plan, Step *s)
{
    uint32_t n_readers;
    /* With a policy for bad rows all of them are told of, however the file is cut. */
    if (s->is_generator || s->pops.n == 0 || s->pops.ptr[0]->kind != POP_READ_CSV || s->bad_rows != BAD_ROWS_FAIL)
        return;
    Pop *const *pops = s->pops.ptr + 1;
    size_t n = s->pops.n - 1, i = 0;
    while (i < n && is_of_head(pops[i], s->scope) && pops[i]->kind != POP_WRITE_CSV &&
           pops[i]->kind != POP_ASSERT && keeps_numbers(pops[i], pops + i + 1, n - i - 1, true, BAD_ROWS_FAIL))
        i++;
    const Pop *take = i < n ? pops[i] : NULL;
    if (!take) {
        const Step *reader = only_reader(plan, s, &n_readers);
        if (reader && reader->in && reader->scope == s->scope && reader->pops.n)
            take = reader->pops.ptr[0];
    }
    if (!take || take->kind != POP_TAKE)
        return;
    s->hold = HOLD_FIRST;
    s->hold_limit = take_limit(take);
}

void fold_finish(Arena *a, Plan *plan)
{
    for (uint32_t i = 0; i < plan->n_steps; i++)
        finish_sort(plan, plan->steps[i]);
    for (uint32_t i = 0; i < plan->n_steps; i++)
        if (plan->steps[i]->kind == STEP_COLLECT)
            finish(a, plan, plan->steps[i]);
        else
            finish_read(plan, plan->steps[i]);
}

static bool has_effects(const Step *s)
{
    if (s->bad_rows != BAD_ROWS_FAIL)
        return true;
    for (size_t i = 0; i < s->pops.n; i++) {
        PopKind k = s->pops.ptr[i]->kind;
        if (k == POP_WRITE_CSV || k == POP_LOG || k == POP_ASSERT || k == POP_FAIL ||
            k == POP_EXEC)
            return true;
    }
    return false;
}

/* Is `scope` `around` itself, or inside it? */
static bool scope_within(const Plan *plan, uint32_t scope, uint32_t around)
{
    while (scope > around)
        scope = plan->scopes[scope].parent;
    return scope == around;
}

bool fold_stops_generator(const Plan *plan, const Step *c)
{
    if (c->hold != HOLD_FIRST || c->kind != STEP_COLLECT)
        return false;
    uint32_t scope = plan->steps[c->inputs[0]]->scope;
    if (plan->steps[plan->scopes[scope].generator]->bad_rows != BAD_ROWS_FAIL)
        return false;
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        if (scope_within(plan, s->scope, scope) && has_effects(s))
            return false;
        for (uint32_t k = 0; k < s->n_inputs; k++) {
            const Step *in = plan->steps[s->inputs[k]];
            uint32_t lives = in->is_generator ? in->yields : in->scope;
            if (s != c && lives == scope && s->scope != scope)
                return false; /* another collect of the same batches */
        }
    }
    return true;
}

/* Aggregates that keep more than a few numbers per group. */
static const char *agg_keeps(BuiltinId fn)
{
    switch ((int)fn) {
    case BUILTIN_AGG_MEDIAN: return "all values";
    case BUILTIN_AGG_COUNT_DISTINCT: return "the different values";
    case BUILTIN_AGG_STRING_AGG: return "all text";
    default: return NULL;
    }
}

bool fold_keeps_values(const Step *s)
{
    bool keeps = false;
    for (uint32_t i = 0; s->hold == HOLD_GROUPS && i < s->pops.ptr[0]->n_aggs; i++)
        keeps |= agg_keeps(s->pops.ptr[0]->aggs[i].fn) != NULL;
    return keeps;
}

bool fold_grows(const Step *s)
{
    if (s->hold != HOLD_GROUPS)
        return s->hold == HOLD_SORTED || s->hold == HOLD_ROWS || s->hold == HOLD_DISTINCT;
    return s->pops.ptr[0]->n_keys > 0 || fold_keeps_values(s);
}

/* ---- in words ---- */

static void groups_put(Buf *out, const Pop *p)
{
    buf_puts(out, p->n_keys ? "a row per group" : "one row");
    bool grows = false;
    for (uint32_t i = 0; i < p->n_aggs; i++) {
        const char *what = agg_keeps(p->aggs[i].fn);
        if (what)
            buf_printf(out, "%s %s of `%.*s`", grows ? "," : " and", what,
                       STR_ARG(p->aggs[i].name));
        grows |= what != NULL;
    }
    if (grows)
        buf_puts(out, ": grows with the rows");
    else if (p->n_keys)
        buf_puts(out, ": grows with the groups");
}

static bool writes(const Step *s)
{
    for (size_t i = 0; i < s->pops.n; i++)
        if (s->pops.ptr[i]->kind == POP_WRITE_CSV)
            return true;
    return false;
}

void fold_put_hold(Buf *out, const Plan *plan, const Step *c)
{
    const Step *part = c->n_inputs ? plan->steps[c->inputs[0]] : NULL;
    switch (c->hold) {
    case HOLD_NONE:
    case HOLD_NOTHING:
        buf_puts(out, part && part->part_of && writes(part) ? "nothing: writes as they come"
                                                            : "nothing");
        break;
    case HOLD_FIRST:
    case HOLD_TOP:
        buf_printf(out, "at most %" PRIu64 " row%s", c->hold_limit,
                   c->hold_limit == 1 ? "" : "s");
        if (c->kind != STEP_COLLECT)
            buf_puts(out, ", then reads no further");
        else if (fold_stops_generator(plan, c))
            buf_printf(out, ", then `%.*s` stops",
                       STR_ARG(plan->steps[plan->scopes[part->scope].generator]->name));
        break;
    case HOLD_DISTINCT: buf_puts(out, "the rows that differ: grows with them"); break;
    case HOLD_GROUPS: groups_put(out, c->pops.ptr[0]); break;
    case HOLD_SORTED: buf_puts(out, "all rows, sorted batch by batch"); break;
    case HOLD_ROWS: buf_puts(out, "all rows"); break;
    }
}

bool fold_put_warning(Buf *out, const Step *c)
{
    if (c->reads_in_parts || (c->hold != HOLD_ROWS && c->hold != HOLD_SORTED))
        return false;
    buf_printf(out, "`%.*s` holds all rows until the last batch has come", STR_ARG(c->name));
    if (c->hold == HOLD_SORTED)
        buf_puts(out, ": `top N by ...` instead of `sort` would hold N");
    else if (pops_use_rows(c->pops.ptr, c->pops.n))
        buf_puts(out, ", because row() and uuid() count in the collected table: behind a `group by` "
                      "or in a `map` they do not need it");
    else if (c->pops.n)
        buf_printf(out, ", because `%s` means the collected table: behind a `group by`, `top` or "
                        "`take`, or in a `map`, it does not need it",
                   pop_name(c->pops.ptr[0]->kind));
    else
        buf_puts(out, ": statements inside of it (`collect { ... }`) are done batch by batch");
    return true;
}
