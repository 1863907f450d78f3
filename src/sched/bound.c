#include "sched/bound.h"

#include <stdlib.h>

/* Who waits for what, over all paths. */
typedef struct Waits {
    const GraphSpec *spec;
    bool *step;  /* [n_steps][n_steps]: row waits for column */
    bool *scope; /* [n_steps][n_scopes]: step waits until that scope's generator is done */
    /* [n_steps][n_steps]: the same as `step`, but whatever happens. A collect waits for what
     * its batches wait for only if there is a batch. */
    bool *surely;
} Waits;

/* Whatever happens, `to` has waited for what `from` waits for; and for `from`, if it says. */
static void surely_add(Waits *w, uint32_t to, uint32_t from, bool for_itself)
{
    size_t n = w->spec->n_steps;
    if (from >= to) /* SPEC_NO_STEP too */
        return;
    w->surely[to * n + from] |= for_itself;
    for (uint32_t i = 0; i < n; i++)
        w->surely[to * n + i] |= w->surely[from * n + i];
}

/* `to` waits for what `from` waits for. */
static void waits_add(Waits *w, uint32_t to, uint32_t from)
{
    size_t n = w->spec->n_steps, n_scopes = w->spec->n_scopes;
    if (from >= to) /* SPEC_NO_STEP too */
        return;
    for (uint32_t i = 0; i < n; i++)
        w->step[to * n + i] |= w->step[from * n + i];
    for (uint32_t c = 0; c < n_scopes; c++)
        w->scope[to * n_scopes + c] |= w->scope[from * n_scopes + c];
}

static void waits_init(Waits *w, const GraphSpec *spec)
{
    size_t n = spec->n_steps;
    w->spec = spec;
    w->step = xcalloc(n * n + 1, sizeof *w->step);
    w->surely = xcalloc(n * n + 1, sizeof *w->surely);
    w->scope = xcalloc(n * spec->n_scopes + 1, sizeof *w->scope);
    for (uint32_t to = 0; to < n; to++) {
        const StepSpec *s = &spec->steps[to];
        surely_add(w, to, spec->scopes[s->scope].generator, false);
        waits_add(w, to, spec->scopes[s->scope].generator); /* also without an input */
        for (uint32_t k = 0; k < s->n_inputs; k++) {
            uint32_t from = s->inputs[k];
            if (spec_edge_kind(spec, from, to) == EDGE_GATHER)
                surely_add(w, to, spec->scopes[spec_out_scope(spec, from)].generator, true);
            else
                surely_add(w, to, from, true);
            w->step[to * n + from] = true;
            waits_add(w, to, from);
            if (spec_edge_kind(spec, from, to) == EDGE_GATHER)
                w->scope[to * spec->n_scopes + spec_out_scope(spec, from)] = true;
        }
    }
}

static void waits_deinit(Waits *w)
{
    free(w->step);
    free(w->scope);
    free(w->surely);
}

static bool waits_step(const Waits *w, uint32_t step, uint32_t for_step)
{
    return w->step[(size_t)step * w->spec->n_steps + for_step];
}

static bool waits_surely(const Waits *w, uint32_t step, uint32_t for_step)
{
    return w->surely[(size_t)step * w->spec->n_steps + for_step];
}

static bool waits_scope(const Waits *w, uint32_t step, uint32_t scope)
{
    return w->scope[(size_t)step * w->spec->n_scopes + scope];
}

/* Is `scope` `around` itself or somewhere below it? */
static bool scope_within(const GraphSpec *spec, uint32_t scope, uint32_t around)
{
    while (scope > around)
        scope = spec->scopes[scope].parent;
    return scope == around;
}

/* A step at or below `scope` that waits for all batches of `scope` or of a scope around
 * it, so that none of `scope` can end before; SPEC_NO_STEP if there is none. */
static uint32_t own_collect_reader(const Waits *w, uint32_t scope)
{
    const GraphSpec *spec = w->spec;
    for (uint32_t i = 0; i < spec->n_steps; i++) {
        if (!scope_within(spec, spec->steps[i].scope, scope))
            continue;
        for (uint32_t c = scope; c != 0; c = spec->scopes[c].parent)
            if (waits_scope(w, i, c))
                return i;
    }
    return SPEC_NO_STEP;
}

static uint32_t credits_of(const Waits *w, uint32_t n_workers, uint32_t scope)
{
    uint32_t in_flight = w->spec->scopes[scope].in_flight;
    if (scope == 0)
        return 1;
    if (in_flight == CREDITS_UNBOUNDED || own_collect_reader(w, scope) != SPEC_NO_STEP)
        return CREDITS_UNBOUNDED;
    return in_flight == CREDITS_DEFAULT ? 4 * n_workers : in_flight;
}

uint32_t bound_credits(const GraphSpec *spec, uint32_t n_workers, uint32_t scope)
{
    Waits w;
    waits_init(&w, spec);
    uint32_t credits = credits_of(&w, n_workers, scope);
    waits_deinit(&w);
    return credits;
}

static void reason_add(Bound *b, BoundWhy why, uint32_t step, uint32_t other)
{
    b->reasons = xrealloc(b->reasons, (b->n_reasons + 1) * sizeof *b->reasons);
    b->reasons[b->n_reasons++] = (BoundReason){.why = why, .step = step, .other = other};
}

/* Why a batch of `scope` that has got as far as step i may be neither running nor able to
 * run and above the generator. */
static void step_reasons(const Waits *w, const Bounds *bs, uint32_t scope, uint32_t i,
                         Bound *b)
{
    const GraphSpec *spec = w->spec;
    const StepSpec *s = &spec->steps[i];
    uint32_t p = bs->n_workers, gen = spec->scopes[scope].generator;
    if (!spec_ranks_above(s, &spec->steps[gen]))
        reason_add(b, BOUND_WHY_PRIORITY, i, gen);
    if (s->cap && s->cap < p)
        reason_add(b, BOUND_WHY_CAP, i, SPEC_NO_STEP);
    if (s->pool != SPEC_NO_POOL && spec->pools[s->pool].size < p)
        reason_add(b, BOUND_WHY_POOL, i, SPEC_NO_STEP);
    if (s->retry.n_more && s->retry.delay_ns)
        reason_add(b, BOUND_WHY_RETRY, i, SPEC_NO_STEP);
    if (s->is_ordered)
        reason_add(b, BOUND_WHY_ORDERED, i, SPEC_NO_STEP);
    for (uint32_t k = 0; k < s->n_inputs; k++) {
        uint32_t from = s->inputs[k];
        if (spec_edge_kind(spec, from, i) == EDGE_BROADCAST &&
            !scope_within(spec, spec_out_scope(spec, from), scope) &&
            !spec->steps[from].opens && !waits_surely(w, gen, from))
            reason_add(b, BOUND_WHY_BROADCAST, i, from);
    }
    if (s->opens) {
        const Bound *inner = &bs->scopes[s->opens];
        if (inner->kind != BOUND_WORKERS || inner->credits < p)
            reason_add(b, BOUND_WHY_NESTED, i, SPEC_NO_STEP);
    }
}

static void scope_reasons(const Waits *w, const Bounds *bs, uint32_t scope, Bound *b)
{
    const GraphSpec *spec = w->spec;
    for (uint32_t i = 0; i < spec->n_steps; i++) {
        const StepSpec *s = &spec->steps[i];
        if (scope_within(spec, s->scope, scope))
            step_reasons(w, bs, scope, i, b);
        for (uint32_t k = 0; k < s->n_inputs; k++)
            if (spec_edge_kind(spec, s->inputs[k], i) == EDGE_GATHER &&
                spec_out_scope(spec, s->inputs[k]) == scope)
                reason_add(b, BOUND_WHY_COLLECT, i, SPEC_NO_STEP);
    }
}

/* The collect that `reader` waits for though it takes all batches of `scope`, or of one
 * around it. */
static uint32_t own_collect(const Waits *w, uint32_t scope, uint32_t reader)
{
    const GraphSpec *spec = w->spec;
    for (uint32_t i = 0; i < spec->n_steps; i++) {
        if (i != reader && !waits_step(w, reader, i))
            continue;
        for (uint32_t k = 0; k < spec->steps[i].n_inputs; k++) {
            uint32_t from = spec->steps[i].inputs[k];
            if (spec_edge_kind(spec, from, i) == EDGE_GATHER &&
                scope_within(spec, scope, spec_out_scope(spec, from)))
                return i;
        }
    }
    return SPEC_NO_STEP;
}

static void bound_init(const Waits *w, const Bounds *bs, uint32_t scope, Bound *b)
{
    uint32_t reader = own_collect_reader(w, scope);
    b->credits = credits_of(w, bs->n_workers, scope);
    if (reader != SPEC_NO_STEP) {
        b->kind = BOUND_NONE;
        b->live = UINT64_MAX;
        reason_add(b, BOUND_WHY_OWN_COLLECT, reader, own_collect(w, scope, reader));
        return;
    }
    scope_reasons(w, bs, scope, b);
    if (b->n_reasons == 0) {
        b->kind = BOUND_WORKERS;
        b->live = b->credits < bs->n_workers ? b->credits : bs->n_workers;
    } else if (b->credits == CREDITS_UNBOUNDED) {
        b->kind = BOUND_NONE;
        b->live = UINT64_MAX;
        reason_add(b, BOUND_WHY_UNBOUNDED, w->spec->scopes[scope].generator,
                   SPEC_NO_STEP);
    } else {
        b->kind = BOUND_CREDITS;
        b->live = b->credits;
    }
}

/* A step that waits for a collect of all batches waits at each level below too: that is one mistake, said of
 * the outermost. */
static bool has_warned(const Bounds *bs, BoundWarningKind kind, uint32_t step)
{
    for (uint32_t i = 0; i < bs->n_warnings; i++)
        if (bs->warnings[i].kind == kind && bs->warnings[i].step == step)
            return true;
    return false;
}

static void warn(Bounds *bs, BoundWarningKind kind, uint32_t scope, uint32_t step,
                 uint32_t other, uint32_t n_more)
{
    bs->warnings =
        xrealloc(bs->warnings, (bs->n_warnings + 1) * sizeof *bs->warnings);
    bs->warnings[bs->n_warnings++] = (BoundWarning){
        .kind = kind, .scope = scope, .step = step, .other = other, .n_more = n_more};
}

static void warn_priorities(Bounds *bs, const GraphSpec *spec, uint32_t scope)
{
    uint32_t gen = spec->scopes[scope].generator;
    uint32_t low = SPEC_NO_STEP, n_low = 0;
    uint32_t written = SPEC_NO_STEP, derived = SPEC_NO_STEP;
    for (uint32_t i = 0; i < spec->n_steps; i++) {
        const StepSpec *s = &spec->steps[i];
        if (s->scope != scope || s->is_helper)
            continue;
        uint32_t *first = s->has_priority ? &written : &derived;
        if (*first == SPEC_NO_STEP)
            *first = i;
        if (s->has_priority && !spec_ranks_above(s, &spec->steps[gen]) && n_low++ == 0)
            low = i;
    }
    if (written != SPEC_NO_STEP && derived != SPEC_NO_STEP)
        warn(bs, BOUND_WARN_MIXED_PRIORITY, scope, written, derived, 0);
    if (low != SPEC_NO_STEP)
        warn(bs, BOUND_WARN_LOW_PRIORITY, scope, low, gen, n_low - 1);
}

static void warn_scope(Bounds *bs, const GraphSpec *spec, uint32_t scope)
{
    const Bound *b = &bs->scopes[scope];
    uint32_t gen = spec->scopes[scope].generator;
    if (spec->steps[gen].is_helper)
        return;
    warn_priorities(bs, spec, scope);
    if (b->credits < bs->n_workers)
        warn(bs, BOUND_WARN_IDLE_WORKERS, scope, gen, SPEC_NO_STEP, 0);
    if (b->kind != BOUND_NONE)
        return;
    const BoundReason *last = &b->reasons[b->n_reasons - 1];
    if (last->why == BOUND_WHY_UNBOUNDED)
        warn(bs, BOUND_WARN_UNBOUNDED, scope, gen, SPEC_NO_STEP, 0);
    else if (!has_warned(bs, BOUND_WARN_RETAINS, last->step))
        warn(bs, BOUND_WARN_RETAINS, scope, last->step, last->other, 0);
}

Bounds *bounds_new(const GraphSpec *spec, uint32_t n_workers)
{
    Bounds *bs = xcalloc(1, sizeof *bs);
    Waits w;
    waits_init(&w, spec);
    bs->n_workers = n_workers;
    bs->n_scopes = spec->n_scopes;
    bs->scopes = xcalloc(spec->n_scopes, sizeof *bs->scopes);
    bs->scopes[0] = (Bound){.kind = BOUND_WORKERS, .live = 1, .credits = 1};
    /* The innermost first: what is around asks about them. */
    for (uint32_t c = spec->n_scopes; c-- > 1;)
        bound_init(&w, bs, c, &bs->scopes[c]);
    for (uint32_t c = 1; c < spec->n_scopes; c++)
        warn_scope(bs, spec, c);
    waits_deinit(&w);
    return bs;
}

void bounds_free(Bounds *bs)
{
    if (!bs)
        return;
    for (uint32_t c = 0; c < bs->n_scopes; c++)
        free(bs->scopes[c].reasons);
    free(bs->scopes);
    free(bs->warnings);
    free(bs);
}

/* ---- in words */

#define NAME(step) STR_ARG(spec->steps[step].name)

void bound_reason_text(Buf *out, const GraphSpec *spec, uint32_t n_workers,
                       const BoundReason *r)
{
    const StepSpec *s = &spec->steps[r->step];
    buf_printf(out, "`%.*s` ", NAME(r->step));
    switch (r->why) {
    case BOUND_WHY_PRIORITY:
        buf_printf(out, "does not rank above `%.*s`", NAME(r->other));
        break;
    case BOUND_WHY_CAP:
        buf_printf(out, "runs at most %u at a time, fewer than %u workers", s->cap,
                   n_workers);
        break;
    case BOUND_WHY_POOL:
        buf_printf(out, "shares the pool \"%.*s\" of %u, fewer than %u workers",
                   STR_ARG(spec->pools[s->pool].name), spec->pools[s->pool].size,
                   n_workers);
        break;
    case BOUND_WHY_RETRY:
        buf_puts(out, "may wait to be tried again");
        break;
    case BOUND_WHY_ORDERED:
        buf_puts(out, "writes in key order, so batches wait for their turn");
        break;
    case BOUND_WHY_COLLECT:
        buf_puts(out, "collects in key order, so batches wait for their turn");
        break;
    case BOUND_WHY_BROADCAST:
        buf_printf(out, "may have to wait for `%.*s`", NAME(r->other));
        break;
    case BOUND_WHY_NESTED:
        buf_puts(out, "yields batches of its own and may have to wait for a credit");
        break;
    case BOUND_WHY_UNBOUNDED:
        buf_puts(out, "has unbounded credits");
        break;
    case BOUND_WHY_OWN_COLLECT:
        buf_printf(out, "waits for `%.*s`, which takes all batches first",
                   NAME(r->other));
        break;
    }
}

void bound_warning_text(Buf *out, const GraphSpec *spec, uint32_t n_workers,
                        const BoundWarning *w)
{
    buf_printf(out, "`%.*s` ", NAME(w->step));
    switch (w->kind) {
    case BOUND_WARN_MIXED_PRIORITY:
        buf_printf(out,
                   "has a @priority and `%.*s` beside it has none; give one to each "
                   "or to none",
                   NAME(w->other));
        break;
    case BOUND_WARN_LOW_PRIORITY:
        if (w->n_more)
            buf_printf(out, "and %u more do not rank above their generator ", w->n_more);
        else
            buf_puts(out, "does not rank above its generator ");
        buf_printf(out, "`%.*s`, so ", NAME(w->other));
        buf_puts(out, bound_credits(spec, n_workers, w->scope) == CREDITS_UNBOUNDED
                          ? "batches are made before those that are there go on"
                          : "only credits bound the live batches");
        break;
    case BOUND_WARN_IDLE_WORKERS:
        buf_printf(out, "may have fewer batches in flight than there are workers (%u)",
                   n_workers);
        break;
    case BOUND_WARN_UNBOUNDED:
        buf_puts(out, "may yield without bound: nothing limits its live batches");
        break;
    case BOUND_WARN_RETAINS:
        buf_printf(out, "waits for `%.*s`, so all batches are kept until then",
                   NAME(w->other));
        break;
    }
}
