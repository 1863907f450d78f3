/* build_annots.c - annotations of a job, its stages and ops: read, bounded, and put into the plan. */
#include "plan/build_state.h"

#define PRIORITY_MAX 1000000 /* rank is twice that and has to fit an int32_t */
#define DURATION_MAX_US (1000ll * 24 * 3600 * 1000000) /* in ns it fits an int64_t */

static bool annot_int(Builder *b, const Expr *e, const char *what, int64_t low, int64_t high,
                      int64_t *out)
{
    Typer t = build_typer(b);
    Value v;
    if (!e || !type_constant(&t, e, TYPE_INT, what, &v))
        return false;
    if (v.is_null || v.i < low || v.i > high) {
        diag_add(b->diags, E_BAD_ANNOTATION, e->span, "%s is a number from %lld to %lld", what,
                 (long long)low, (long long)high);
        return false;
    }
    *out = v.i;
    return true;
}

static Str annot_text(Builder *b, const Expr *e, const char *what)
{
    Typer t = build_typer(b);
    Value v;
    if (!e || !type_constant(&t, e, TYPE_STRING, what, &v) || v.is_null)
        return (Str){0};
    return v.s;
}

/* A duration above 0, or 0 where `may_be_zero`; in microseconds. */
static bool annot_duration(Builder *b, const Expr *e, const char *what, bool may_be_zero,
                           int64_t *out)
{
    Typer t = build_typer(b);
    Value v;
    if (!e || !type_constant(&t, e, TYPE_DURATION, what, &v))
        return false;
    if (v.is_null || v.i < 0 || v.i > DURATION_MAX_US || (v.i == 0 && !may_be_zero)) {
        Diag *d = diag_add(b->diags, E_BAD_ANNOTATION, e->span, "%s is a duration %s 0, up to "
                           "1000 days", what, may_be_zero ? "from" : "above");
        diag_help(b->diags, d, "for example `500ms`, `10s` or `1m`");
        return false;
    }
    *out = v.i;
    return true;
}

/* A size of at least MEMORY_MIN; in bytes. */
static bool annot_memory(Builder *b, const Expr *e, uint64_t *out)
{
    Typer t = build_typer(b);
    Value v;
    if (!e || !type_constant(&t, e, TYPE_SIZE, "`@memory`", &v))
        return false;
    if (v.is_null || v.i < MEMORY_MIN) {
        Diag *d = diag_add(b->diags, E_BAD_ANNOTATION, e->span,
                           "`@memory` is a size of at least 64kB");
        diag_help(b->diags, d, "for example `64MB` or `2GB`");
        return false;
    }
    *out = (uint64_t)v.i;
    return true;
}

static bool annot_bool(Builder *b, const Expr *e, const char *what)
{
    Typer t = build_typer(b);
    Value v;
    return e && type_constant(&t, e, TYPE_BOOL, what, &v) && !v.is_null && v.i != 0;
}

static RetrySpec annot_retry(Builder *b, const Annots *a)
{
    RetrySpec r = {.backoff = a->retry.backoff};
    int64_t n, us = 0;
    if (!annot_int(b, a->retry.n, "the number of further attempts", 0, 65000, &n))
        return r;
    r.n_more = (uint32_t)n;
    if (annot_duration(b, a->retry.delay, "`delay`", true, &us))
        r.delay_ns = (uint64_t)us * 1000;
    if (annot_duration(b, a->retry.max_delay, "`max_delay`", false, &us))
        r.max_delay_ns = (uint64_t)us * 1000;
    r.jitter = annot_bool(b, a->retry.jitter, "`jitter`");
    if (!a->retry.delay && (r.backoff != BACKOFF_FIXED || a->retry.max_delay || r.jitter)) {
        Diag *d = diag_add(b->diags, E_BAD_ANNOTATION, a->spans[ANNOT_RETRY],
                           "`@retry` says how its delay grows, and gives no delay");
        diag_help(b->diags, d, "write the first one: `delay: 1s`");
    }
    return r;
}

/* The pool of that name, made when it is first named. Returns its index + 1; 0: a mistake. */
static uint32_t annot_pool(Builder *b, const Annots *a)
{
    int64_t n;
    if (!annots_has(a, ANNOT_POOL))
        return 0;
    Str name = annot_text(b, a->pool_name, "the name of a pool");
    if (name.ptr && name.len == 0) {
        Diag *d = diag_add(b->diags, E_BAD_ANNOTATION, a->pool_name->span,
                           "the name of a pool is empty");
        diag_help(b->diags, d, "give it one: `@pool(\"db\", 2)`");
    }
    if (!annot_int(b, a->pool_size, "the size of a pool", 1, 1000000, &n) || name.len == 0)
        return 0;
    for (uint32_t i = 0; i < b->pools.n; i++) {
        const PlanPool *p = &b->pools.ptr[i];
        if (!str_eq(p->name, name))
            continue;
        bool is_same = p->span.lo == a->spans[ANNOT_POOL].lo; /* of an op that is used twice */
        if (p->size != (uint32_t)n && !is_same) {
            Diag *d = diag_add(b->diags, E_POOL_SIZES, a->pool_size->span,
                               "the pool \"%.*s\" has two sizes: %u and %u", STR_ARG(name),
                               p->size, (unsigned)n);
            diag_label(b->diags, d, p->span, "the other one");
            diag_help(b->diags, d, "give both the same, or give the pools names of their own");
        }
        return i + 1;
    }
    vec_push(b->arena, &b->pools,
             ((PlanPool){.name = name, .size = (uint32_t)n, .span = a->spans[ANNOT_POOL]}));
    return (uint32_t)b->pools.n;
}

/* The file of that path, made when it is first named. Returns its index + 1; 0: a mistake, or none. */
static uint32_t annot_rejects(Builder *b, const Annots *a)
{
    if (!a->rejects)
        return 0;
    if (a->bad_rows == BAD_ROWS_FAIL) {
        Diag *d = diag_add(b->diags, E_BAD_ANNOTATION, a->rejects->span,
                           "`@bad_rows(fail)` rejects no row: the first bad one fails the instance");
        diag_help(b->diags, d, "write `skip` or `null` for `fail`, or leave `rejects` out");
        return 0;
    }
    Typer t = build_typer(b);
    t.has_table = true; /* of no columns: key() and index() may be asked for */
    PlanRejects r = {.path = type_rejects(&t, a->rejects), .span = a->rejects->span};
    if (r.path->kind == TX_ERROR)
        return 0;
    r.by_key = r.path->needs_batch;
    for (uint32_t i = 0; i < b->rejects.n; i++)
        if (build_same_path(b->rejects.ptr[i].path, r.path) || b->rejects.ptr[i].span.lo == r.span.lo)
            return i + 1;
    vec_push(b->arena, &b->rejects, r);
    return (uint32_t)b->rejects.n;
}

void build_annotate_step(Builder *b, Step *s, const StageDef *stage)
{
    Annots a = annots_of_step(b->arena, &stage->annots, &b->job->annots,
                              stage->op ? &stage->op->annots : NULL);
    int64_t n;
    s->priority = (int32_t)s->depth;
    if (annot_int(b, a.priority, "a priority", -PRIORITY_MAX, PRIORITY_MAX, &n)) {
        s->priority = (int32_t)n;
        s->has_priority = true;
    }
    if (annot_int(b, a.max_concurrent, "`@max_concurrent`", 1, 1000000, &n))
        s->max_concurrent = (uint32_t)n;
    s->pool = annot_pool(b, &a);
    s->retry = annot_retry(b, &a);
    annot_duration(b, a.timeout, "`@timeout`", false, &s->timeout_us);
    s->on_failure = a.on_failure;
    s->bad_rows = a.bad_rows;
    s->rejects = annot_rejects(b, &a);
    s->keep_span = a.spans[ANNOT_CHECKPOINT];
    if (annots_has(&a, ANNOT_CHECKPOINT))
        s->keep_asked = annots_has(&stage->annots, ANNOT_CHECKPOINT)    ? KEEP_OF_STAGE
                        : annots_has(&b->job->annots, ANNOT_CHECKPOINT) ? KEEP_OF_JOB
                                                                        : KEEP_OF_OP;
    s->rank = 2 * s->priority;
    s->doc = annot_text(b, a.doc, "`@doc`");
    for (size_t i = 0; i < a.tags.n; i++) {
        Str k = annot_text(b, a.tags.ptr[i].key, "a tag's key");
        Str v = annot_text(b, a.tags.ptr[i].value, "a tag's value");
        Str tag = arena_printf(b->arena, "%.*s=%.*s", STR_ARG(k), STR_ARG(v));
        vec_push(b->arena, &s->tags, tag);
    }
}

void build_annotate_job(Builder *b)
{
    const Annots *a = &b->job->annots;
    int64_t n;
    if (annot_int(b, a->max_concurrent, "`@max_concurrent`", 1, 1024, &n))
        b->plan->max_concurrent = (uint32_t)n;
    if (a->is_unbounded)
        b->credits = UINT32_MAX;
    else if (annot_int(b, a->in_flight, "`@in_flight`", 1, UINT32_MAX - 1, &n))
        b->credits = (uint32_t)n;
    if (annot_int(b, a->max_batches, "`@max_batches`", 1, UINT32_MAX - 1, &n))
        b->max_batches = (uint32_t)n;
    annot_memory(b, a->memory, &b->plan->memory_bytes);
    if (b->host->memory_bytes)
        b->plan->memory_bytes = b->host->memory_bytes;
    b->plan->doc = annot_text(b, a->doc, "`@doc`");
}
