#include "report/wait.h"

#include <stdlib.h>

enum { N_BLOCKS = 3 }; /* WAIT_CREDIT, WAIT_CAP, WAIT_POOL */

/* A time in which something was full. */
typedef struct Span {
    uint64_t from_ns, to_ns;
} Span;

typedef struct Spans {
    uint32_t n;
    Span *at;
} Spans;

/* A time in which a step could not start, and why. before_ns: of all blocks before it, by reason. */
typedef struct Block {
    uint64_t from_ns, to_ns;
    uint64_t before_ns[N_BLOCKS];
    uint32_t why; /* WAIT_CREDIT + why */
} Block;

typedef struct Blocks {
    uint32_t n;
    Block *at; /* by time, disjoint */
} Blocks;

struct Waits {
    const Recording *rec;
    Arena *arena;
    bool is_known;
    Blocks *steps; /* [n_steps] */
};

/* ---- when a cap, a pool or the credits are used up */

typedef struct Change {
    uint64_t t_ns;
    int32_t by;
} Change;

typedef struct Changes {
    size_t n, cap;
    Change *at;
} Changes;

static void change_add(Changes *c, uint64_t t_ns, int32_t by)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 256;
        c->at = xrealloc(c->at, c->cap * sizeof *c->at);
    }
    c->at[c->n++] = (Change){t_ns, by};
}

static void changes_of_step(const Recording *r, uint32_t step, Changes *c)
{
    for (uint32_t p = r->step_first[step]; p < r->step_first[step + 1]; p++) {
        const Bar *b = &r->bars[r->by_place[p]];
        if (b->kind != BAR_RUN || b->start_ns == b->end_ns)
            continue;
        change_add(c, b->start_ns, 1);
        change_add(c, b->end_ns, -1);
    }
}

static void changes_of_live(const Recording *r, uint32_t scope, Changes *c)
{
    int64_t before = 0;
    for (uint32_t i = 0; i < r->scopes[scope].n_points; i++) {
        const LivePoint *p = &r->scopes[scope].points[i];
        change_add(c, p->t_ns, (int32_t)((int64_t)p->n_live - before));
        before = p->n_live;
    }
}

static int change_cmp(const void *a, const void *b)
{
    const Change *x = a, *y = b;
    if (x->t_ns != y->t_ns)
        return x->t_ns < y->t_ns ? -1 : 1;
    return 0;
}

/* The spans in which at least `full` are in use. Consumes the changes. */
static Spans spans_of(Arena *a, Changes *c, uint64_t full)
{
    Spans s = {0};
    int64_t now = 0;
    size_t cap = 0;
    bool is_full = false;
    if (c->n)
        qsort(c->at, c->n, sizeof *c->at, change_cmp);
    for (size_t i = 0; i < c->n;) {
        uint64_t t = c->at[i].t_ns;
        for (; i < c->n && c->at[i].t_ns == t; i++)
            now += c->at[i].by;
        bool was_full = is_full;
        is_full = now >= 0 && (uint64_t)now >= full;
        if (is_full && !was_full) {
            if (s.n == cap)
                s.at = arena_grow(a, s.at, s.n, &cap, sizeof *s.at);
            s.at[s.n++] = (Span){t, UINT64_MAX};
        } else if (!is_full && was_full) {
            s.at[s.n - 1].to_ns = t;
        }
    }
    free(c->at);
    *c = (Changes){0};
    return s;
}

static Spans spans_of_cap(Waits *w, uint32_t step)
{
    Changes c = {0};
    changes_of_step(w->rec, step, &c);
    return spans_of(w->arena, &c, w->rec->info.steps[step].cap);
}

static Spans spans_of_pool(Waits *w, uint32_t pool)
{
    const RunInfo *info = &w->rec->info;
    Changes c = {0};
    for (uint32_t i = 0; i < info->n_steps; i++)
        if (info->steps[i].pool == pool + 1)
            changes_of_step(w->rec, i, &c);
    return spans_of(w->arena, &c, info->pools[pool].size);
}

/* A dispatch holds its credit from its start; from its end the batch does. */
static Spans spans_of_credits(Waits *w, uint32_t scope)
{
    const RunInfo *info = &w->rec->info;
    Changes c = {0};
    changes_of_step(w->rec, info->scopes[scope].generator, &c);
    changes_of_live(w->rec, scope, &c);
    return spans_of(w->arena, &c, info->scopes[scope].credits);
}

/* ---- what blocks a step: the three together, the first that holds */

static void block_add(Waits *w, Blocks *b, size_t *cap, uint64_t from_ns, uint64_t to_ns,
                      uint32_t why)
{
    Block *last = b->n ? &b->at[b->n - 1] : NULL;
    if (last && last->why == why && last->to_ns == from_ns) {
        last->to_ns = to_ns;
        return;
    }
    if (b->n == *cap) {
        b->at = arena_grow(w->arena, b->at, b->n, cap, sizeof *b->at);
        last = b->n ? &b->at[b->n - 1] : NULL;
    }
    Block new = {.from_ns = from_ns, .to_ns = to_ns, .why = why};
    if (last) {
        for (uint32_t k = 0; k < N_BLOCKS; k++)
            new.before_ns[k] = last->before_ns[k];
        new.before_ns[last->why] += last->to_ns - last->from_ns;
    }
    b->at[b->n++] = new;
}

static Blocks blocks_of(Waits *w, const Spans spans[N_BLOCKS])
{
    Blocks b = {0};
    size_t cap = 0;
    uint32_t at[N_BLOCKS] = {0};
    for (uint64_t t = 0;;) {
        uint64_t next = UINT64_MAX;
        uint32_t why = N_BLOCKS;
        bool is_over = true;
        for (uint32_t k = 0; k < N_BLOCKS; k++) {
            while (at[k] < spans[k].n && spans[k].at[at[k]].to_ns <= t)
                at[k]++;
            if (at[k] == spans[k].n)
                continue;
            const Span *s = &spans[k].at[at[k]];
            bool is_in = s->from_ns <= t;
            uint64_t edge = is_in ? s->to_ns : s->from_ns;
            is_over = false;
            next = edge < next ? edge : next;
            if (is_in && why == N_BLOCKS)
                why = k;
        }
        if (is_over)
            return b;
        if (why != N_BLOCKS)
            block_add(w, &b, &cap, t, next, why);
        if (next == UINT64_MAX)
            return b;
        t = next;
    }
}

Waits *waits_new(const Recording *r)
{
    Arena *a = arena_open();
    Waits *w = arena_new(a, Waits);
    const RunInfo *info = &r->info;
    w->rec = r;
    w->arena = a;
    w->steps = arena_array(a, Blocks, info->n_steps);
    w->is_known = true;
    for (uint32_t k = 1; k < info->n_scopes; k++)
        w->is_known &= info->scopes[k].credits != 0;
    if (!w->is_known || r->n_bars == 0)
        return w;
    Spans *pools = arena_array(a, Spans, info->n_pools);
    for (uint32_t k = 0; k < info->n_pools; k++)
        pools[k] = spans_of_pool(w, k);
    for (uint32_t i = 0; i < info->n_steps; i++) {
        const RunStep *s = &info->steps[i];
        Spans spans[N_BLOCKS] = {0};
        if (s->child_scope && info->scopes[s->child_scope].credits != UINT32_MAX)
            spans[WAIT_CREDIT - WAIT_CREDIT] = spans_of_credits(w, s->child_scope);
        if (s->cap)
            spans[WAIT_CAP - WAIT_CREDIT] = spans_of_cap(w, i);
        if (s->pool && s->pool <= info->n_pools)
            spans[WAIT_POOL - WAIT_CREDIT] = pools[s->pool - 1];
        w->steps[i] = blocks_of(w, spans);
    }
    return w;
}

void waits_free(Waits *w)
{
    if (w)
        arena_close(w->arena);
}

/* ---- questions */

/* Blocks that begin before t. */
static uint32_t blocks_before(const Blocks *b, uint64_t t_ns)
{
    uint32_t lo = 0, hi = b->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (b->at[mid].from_ns < t_ns)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* How long each reason held from the run's start until t. */
static void blocked_until(const Blocks *b, uint64_t t_ns, uint64_t out_ns[N_BLOCKS])
{
    uint32_t n = blocks_before(b, t_ns);
    for (uint32_t k = 0; k < N_BLOCKS; k++)
        out_ns[k] = n ? b->at[n - 1].before_ns[k] : 0;
    if (n) {
        const Block *last = &b->at[n - 1];
        uint64_t to = last->to_ns < t_ns ? last->to_ns : t_ns;
        out_ns[last->why] += to - last->from_ns;
    }
}

bool wait_of(const Waits *w, uint32_t bar, Wait *out)
{
    const Recording *r = w->rec;
    const Bar *b = &r->bars[bar];
    *out = (Wait){.from_ns = b->ready_ns, .ready_ns = b->ready_ns, .until_ns = b->start_ns};
    if (b->attempt > 1 && b->after != REC_NONE && r->bars[b->after].step == b->step &&
        r->bars[b->after].end_ns < b->ready_ns) {
        out->from_ns = r->bars[b->after].end_ns;
        out->part_ns[WAIT_DELAY] = b->ready_ns - out->from_ns;
    }
    if (b->kind != BAR_RUN || out->from_ns >= b->start_ns)
        return false;
    uint64_t before[N_BLOCKS], until[N_BLOCKS], rest = b->start_ns - b->ready_ns;
    blocked_until(&w->steps[b->step], b->ready_ns, before);
    blocked_until(&w->steps[b->step], b->start_ns, until);
    for (uint32_t k = 0; k < N_BLOCKS; k++) {
        out->part_ns[WAIT_CREDIT + k] = until[k] - before[k];
        rest -= until[k] - before[k];
    }
    out->part_ns[w->is_known ? WAIT_WORKER : WAIT_UNKNOWN] = rest;
    for (uint32_t k = 1; k < N_WAITS; k++)
        if (out->part_ns[k] > out->part_ns[out->most])
            out->most = (WaitReason)k;
    return true;
}

bool wait_last(const Waits *w, uint32_t bar, WaitReason *why, uint64_t *until_ns)
{
    const Bar *b = &w->rec->bars[bar];
    const Blocks *blocks = &w->steps[b->step];
    uint32_t n = blocks_before(blocks, b->start_ns);
    if (b->kind != BAR_RUN || n == 0 || blocks->at[n - 1].to_ns <= b->ready_ns)
        return false;
    const Block *last = &blocks->at[n - 1];
    *why = (WaitReason)(WAIT_CREDIT + last->why);
    *until_ns = last->to_ns < b->start_ns ? last->to_ns : b->start_ns;
    return true;
}

void waits_sum(const Waits *w, uint64_t (*step_ns)[N_WAITS])
{
    const Recording *r = w->rec;
    Wait wait;
    for (uint32_t i = 0; i < r->info.n_steps; i++)
        for (uint32_t k = 0; k < N_WAITS; k++)
            step_ns[i][k] = 0;
    for (uint32_t i = 0; i < r->n_bars; i++)
        if (wait_of(w, i, &wait))
            for (uint32_t k = 0; k < N_WAITS; k++)
                step_ns[r->bars[i].step][k] += wait.part_ns[k];
}

void wait_put_reason(const Recording *r, uint32_t step, WaitReason why, Buf *out)
{
    uint32_t pool = r->info.steps[step].pool;
    switch (why) {
    case WAIT_DELAY: buf_puts(out, "its next attempt"); break;
    case WAIT_CREDIT: buf_puts(out, "a credit"); break;
    case WAIT_CAP: buf_puts(out, "its cap"); break;
    case WAIT_POOL:
        buf_puts(out, "a slot of pool ");
        if (pool && pool <= r->info.n_pools)
            buf_put_visible(out, r->info.pools[pool - 1].name);
        break;
    case WAIT_WORKER: buf_puts(out, "a worker"); break;
    case WAIT_UNKNOWN: buf_puts(out, "a reason that the trace does not tell"); break;
    }
}
