#include "report/critical.h"

#include <stdlib.h>

/* Bars by their end: all that could have freed one thing. */
typedef struct Ends {
    uint32_t n;
    uint32_t *bars;
} Ends;

typedef struct Finder {
    const Recording *rec;
    const Waits *waits;
    uint32_t *on_worker; /* [n_bars] the bar before on the same worker */
    Ends *caps;          /* [n_steps] instances of capped steps */
    Ends *folds;         /* [n_steps] */
    Ends *pools;         /* [n_pools] */
    Ends *scopes;        /* [n_scopes] bars of batches of the scope and of those inside */
    Ends *failures;      /* [n_scopes] those of them that failed for good */
} Finder;

/* qsort has no context, and neither has C11 another sort. */
typedef struct End {
    uint64_t end_ns;
    uint32_t bar;
} End;

static int end_cmp(const void *a, const void *b)
{
    const End *x = a, *y = b;
    if (x->end_ns != y->end_ns)
        return x->end_ns < y->end_ns ? -1 : 1;
    return (x->bar > y->bar) - (x->bar < y->bar);
}

/* Calls `to` for each list that the bar belongs to. */
static void lists_of(const Finder *f, const Bar *b, void (*to)(Ends *list, uint32_t bar),
                     uint32_t bar)
{
    const RunInfo *info = &f->rec->info;
    const RunStep *s = &info->steps[b->step];
    bool is_fold = b->kind == BAR_FOLD;
    if (b->kind == BAR_HELP) /* it holds nothing but its worker */
        return;
    if (is_fold)
        to(&f->folds[b->step], bar);
    else if (s->cap)
        to(&f->caps[b->step], bar);
    if (!is_fold && s->pool && s->pool <= info->n_pools)
        to(&f->pools[s->pool - 1], bar);
    uint32_t scope = f->rec->frames[is_fold ? b->child : b->frame].scope;
    for (; scope != 0 && scope < info->n_scopes; scope = info->scopes[scope].parent) {
        to(&f->scopes[scope], bar);
        if (b->outcome == OUTCOME_FAILED)
            to(&f->failures[scope], bar);
        if (info->scopes[scope].parent >= scope)
            break;
    }
}

static void list_count(Ends *list, uint32_t bar)
{
    (void)bar;
    list->n++;
}

static void list_put(Ends *list, uint32_t bar)
{
    list->bars[list->n++] = bar;
}

static void lists_room(Arena *a, Ends *lists, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        lists[k].bars = arena_array(a, uint32_t, lists[k].n);
        lists[k].n = 0;
    }
}

static void finder_make(Finder *f, Arena *a)
{
    const Recording *r = f->rec;
    const RunInfo *info = &r->info;
    f->on_worker = arena_array(a, uint32_t, r->n_bars);
    f->caps = arena_array(a, Ends, info->n_steps);
    f->folds = arena_array(a, Ends, info->n_steps);
    f->pools = arena_array(a, Ends, info->n_pools);
    f->scopes = arena_array(a, Ends, info->n_scopes);
    f->failures = arena_array(a, Ends, info->n_scopes);
    uint32_t *last = arena_array(a, uint32_t, info->n_workers);
    End *ends = xmalloc((r->n_bars + (size_t)1) * sizeof *ends);
    for (uint32_t k = 0; k < info->n_workers; k++)
        last[k] = REC_NONE;
    for (uint32_t i = 0; i < r->n_bars; i++) {
        ends[i] = (End){r->bars[i].end_ns, i};
        f->on_worker[i] = last[r->bars[i].worker];
        last[r->bars[i].worker] = i;
        lists_of(f, &r->bars[i], list_count, i);
    }
    qsort(ends, r->n_bars, sizeof *ends, end_cmp);
    lists_room(a, f->caps, info->n_steps);
    lists_room(a, f->folds, info->n_steps);
    lists_room(a, f->pools, info->n_pools);
    lists_room(a, f->scopes, info->n_scopes);
    lists_room(a, f->failures, info->n_scopes);
    for (uint32_t k = 0; k < r->n_bars; k++)
        lists_of(f, &r->bars[ends[k].bar], list_put, ends[k].bar);
    free(ends);
}

/* The last of the list that ended by then; never the bar itself. */
static uint32_t ended_by(const Recording *r, const Ends *list, uint64_t by_ns, uint32_t self)
{
    uint32_t lo = 0, hi = list->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->bars[list->bars[mid]].end_ns <= by_ns)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo && list->bars[lo - 1] == self)
        lo--;
    return lo ? list->bars[lo - 1] : REC_NONE;
}

/* The dispatch before, of a generator. */
static uint32_t dispatch_before(const Recording *r, uint32_t bar)
{
    const Bar *b = &r->bars[bar];
    uint32_t n, before = REC_NONE;
    const uint32_t *at = recording_bars_of(r, b->step, b->frame, &n);
    uint32_t lo = 0, hi = n;
    while (lo < hi) { /* indexes rise with the start */
        uint32_t mid = lo + (hi - lo) / 2;
        if (at[mid] < bar)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo)
        before = at[lo - 1];
    return before;
}

/* What freed the cap, the pool or the credit. */
static uint32_t freed_by(const Finder *f, uint32_t bar, WaitReason why, uint64_t by_ns)
{
    const RunStep *s = &f->rec->info.steps[f->rec->bars[bar].step];
    switch (why) {
    case WAIT_CREDIT: return ended_by(f->rec, &f->scopes[s->child_scope], by_ns, bar);
    case WAIT_CAP: return ended_by(f->rec, &f->caps[f->rec->bars[bar].step], by_ns, bar);
    case WAIT_POOL: return ended_by(f->rec, &f->pools[s->pool - 1], by_ns, bar);
    case WAIT_DELAY:
    case WAIT_WORKER:
    case WAIT_UNKNOWN: break;
    }
    return REC_NONE;
}

/* An attempt whose step back is a delay: to the attempt before it. */
static bool is_after_delay(const Recording *r, const Bar *b)
{
    return b->attempt > 1 && b->after != REC_NONE && r->bars[b->after].step == b->step &&
           r->bars[b->after].outcome == OUTCOME_RETRY;
}

/* The candidate if it ended later than what is known, and not after the bar's start. What leads
 * over the delay of a retry ended when the delay did. */
static uint32_t later(const Recording *r, uint32_t bar, uint32_t known, uint32_t candidate)
{
    const Bar *b = &r->bars[bar];
    if (candidate == REC_NONE || r->bars[candidate].end_ns > b->start_ns)
        return known;
    if (known == REC_NONE)
        return candidate;
    uint64_t known_ns = r->bars[known].end_ns;
    if (known == b->after && is_after_delay(r, b) && b->ready_ns > known_ns)
        known_ns = b->ready_ns;
    return r->bars[candidate].end_ns > known_ns ? candidate : known;
}

/* A batch that failed is folded nowhere, yet a collect waits for its end. */
static uint32_t failed_before(const Finder *f, uint32_t bar)
{
    const Recording *r = f->rec;
    const Bar *b = &r->bars[bar];
    const RunStep *s = &r->info.steps[b->step];
    uint32_t found = REC_NONE;
    for (uint32_t k = 0; k < s->n_inputs; k++) {
        const RunStep *in = &r->info.steps[s->inputs[k]];
        uint32_t scope = in->child_scope ? in->child_scope : in->scope;
        if (scope == 0 || scope == s->scope || r->info.scopes[scope].parent != s->scope)
            continue;
        uint32_t last = ended_by(r, &f->failures[scope], b->ready_ns, bar);
        if (last != REC_NONE && recording_frame_in(r, r->bars[last].frame, s->scope) == b->frame)
            found = later(r, bar, found, last);
    }
    return found;
}

/* The last bar of the instance that began before the help. */
static uint32_t lender_of(const Recording *r, const Bar *help)
{
    uint32_t n, lo = 0;
    const uint32_t *at = recording_bars_of(r, help->step, help->frame, &n);
    for (uint32_t hi = n; lo < hi;) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->bars[at[mid]].start_ns <= help->start_ns)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? at[lo - 1] : REC_NONE;
}

static uint32_t before_of(const Finder *f, uint32_t bar)
{
    const Recording *r = f->rec;
    const Bar *b = &r->bars[bar];
    uint32_t found = b->after;
    WaitReason why;
    uint64_t until;
    if (b->kind == BAR_HELP) {
        found = lender_of(r, b);
        bool is_at_work = found != REC_NONE && r->bars[found].end_ns > b->start_ns;
        return is_at_work ? found : later(r, bar, found, f->on_worker[bar]);
    }
    if (found == REC_NONE && b->kind == BAR_RUN && r->info.steps[b->step].child_scope)
        found = dispatch_before(r, bar);
    if (b->kind == BAR_RUN && r->info.steps[b->step].is_collect && !is_after_delay(r, b))
        found = later(r, bar, found, failed_before(f, bar));
    if (b->kind == BAR_FOLD)
        found = later(r, bar, found, ended_by(r, &f->folds[b->step], b->start_ns, bar));
    else if (b->start_ns == b->ready_ns)
        return found;
    if (wait_last(f->waits, bar, &why, &until))
        found = later(r, bar, found, freed_by(f, bar, why, until));
    return later(r, bar, found, f->on_worker[bar]);
}

static void path_add(Critical *c, const Recording *r)
{
    uint64_t until = 0;
    for (uint32_t k = 0; k < c->n; k++) {
        const Bar *b = &r->bars[c->bars[k]], *next = k + 1 < c->n ? &r->bars[c->bars[k + 1]] : NULL;
        uint64_t end = next && next->start_ns < b->end_ns ? next->start_ns : b->end_ns;
        c->end_ns[c->bars[k]] = end;
        c->step_ns[b->step] += end - b->start_ns;
        c->step_n[b->step]++;
        bool is_retry = k && b->after == c->bars[k - 1] && is_after_delay(r, b);
        uint64_t ready = is_retry && b->ready_ns > until ? b->ready_ns : until;
        c->delay_ns += ready - until;
        c->gap_ns += b->start_ns - ready;
        until = end;
    }
    if (r->t_ns > until)
        c->gap_ns += r->t_ns - until;
}

Critical *critical_new(const Waits *w, const Recording *r)
{
    Arena *a = arena_open();
    Critical *c = arena_new(a, Critical);
    c->arena = a;
    c->step_ns = arena_array(a, uint64_t, r->info.n_steps);
    c->step_n = arena_array(a, uint32_t, r->info.n_steps);
    c->is_on = arena_array(a, bool, r->n_bars);
    c->end_ns = arena_array(a, uint64_t, r->n_bars);
    c->bars = arena_array(a, uint32_t, r->n_bars);
    if (r->n_bars == 0) {
        c->gap_ns = r->t_ns;
        return c;
    }
    Finder f = {.rec = r, .waits = w};
    finder_make(&f, a);
    uint32_t at = 0;
    for (uint32_t i = 0; i < r->n_bars; i++)
        if (r->bars[i].end_ns >= r->bars[at].end_ns)
            at = i;
    /* Bars of no length may name each other: none is taken twice. */
    for (; at != REC_NONE && !c->is_on[at]; at = before_of(&f, at)) {
        c->is_on[at] = true;
        c->bars[c->n++] = at;
    }
    for (uint32_t k = 0; k < c->n / 2; k++) {
        uint32_t swap = c->bars[k];
        c->bars[k] = c->bars[c->n - 1 - k];
        c->bars[c->n - 1 - k] = swap;
    }
    path_add(c, r);
    return c;
}

void critical_free(Critical *c)
{
    if (c)
        arena_close(c->arena);
}

static int share_cmp(const void *a, const void *b)
{
    const End *x = a, *y = b; /* of a step: its time, its number */
    if (x->end_ns != y->end_ns)
        return x->end_ns > y->end_ns ? -1 : 1;
    return (x->bar > y->bar) - (x->bar < y->bar);
}

uint32_t critical_steps(const Critical *c, const Recording *r, uint32_t *order)
{
    End *shares = xmalloc((r->info.n_steps + (size_t)1) * sizeof *shares);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->info.n_steps; i++)
        if (c->step_n[i])
            shares[n++] = (End){c->step_ns[i], i};
    qsort(shares, n, sizeof *shares, share_cmp);
    for (uint32_t k = 0; k < n; k++)
        order[k] = shares[k].bar;
    free(shares);
    return n;
}
