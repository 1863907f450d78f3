/* sched_naive.h - the rules of scheduler.md for one worker, written down as plainly as can
 * be: whenever the worker is free, look at every instance of every batch and take the best
 * that may run. No queues, no counters, nothing shared with graph.c; only for small runs in
 * which no fold fails and none has enough. */
#ifndef PIPE_TESTS_SCHED_NAIVE_H
#define PIPE_TESTS_SCHED_NAIVE_H

#include "sched/bound.h"
#include "sched_audit.h"
#include "sched_model.h"

enum { NAIVE_FRAMES = 48, NAIVE_STEPS = 12 };

typedef struct NaiveInst {
    AuditEnd end;
    uint32_t attempt, n_yielded;
    uint64_t due_ns;
} NaiveInst;

typedef struct NaiveFrame {
    uint32_t scope, parent, index;
    bool is_closed;
    NaiveInst insts[NAIVE_STEPS];
} NaiveFrame;

typedef struct Naive {
    const GraphSpec *spec;
    uint64_t seed, now_ns;
    const Audit *like; /* the run whose jitter is taken over */
    NaiveFrame frames[NAIVE_FRAMES];
    uint32_t credits[MAX_SCOPES], n_overdrafts[MAX_SCOPES];
    uint32_t n_frames, n_starts, n_delays;
    bool is_stopped, is_other; /* another order than `like` */
} Naive;

static inline uint32_t naive_frame_in(const Naive *n, uint32_t f, uint32_t scope)
{
    while (n->frames[f].scope != scope)
        f = n->frames[f].parent;
    return f;
}

/* How the output of step `from` stands that is, or would be, in frame f: a batch is there
 * as soon as its frame is. */
static inline AuditEnd naive_output(const Naive *n, uint32_t f, uint32_t from)
{
    return n->spec->steps[from].opens ? AUDIT_DONE : n->frames[f].insts[from].end;
}

/* ---- what may run */

/* DONE: it is there; OPEN: not yet; otherwise it will never be. */
static inline AuditEnd naive_input(const Naive *n, uint32_t f, uint32_t step, uint32_t from)
{
    uint32_t scope = spec_out_scope(n->spec, from);
    if (spec_edge_kind(n->spec, from, step) != EDGE_GATHER)
        return naive_output(n, naive_frame_in(n, f, scope), from);
    AuditEnd gen = n->frames[f].insts[n->spec->scopes[scope].generator].end;
    if (gen == AUDIT_OPEN || gen == AUDIT_SKIPPED)
        return gen;
    for (uint32_t c = 1; c < n->n_frames; c++)
        if (n->frames[c].parent == f && n->frames[c].scope == scope &&
            naive_output(n, c, from) == AUDIT_OPEN)
            return AUDIT_OPEN;
    return AUDIT_DONE;
}

static inline bool naive_is_ready(const Naive *n, uint32_t f, uint32_t step)
{
    const NaiveInst *i = &n->frames[f].insts[step];
    const StepSpec *s = &n->spec->steps[step];
    if (s->scope != n->frames[f].scope || n->frames[f].is_closed ||
        i->end != AUDIT_OPEN || i->due_ns > n->now_ns)
        return false;
    for (uint32_t k = 0; k < s->n_inputs; k++)
        if (naive_input(n, f, step, s->inputs[k]) != AUDIT_DONE)
            return false;
    return true;
}

/* What will never get an input is skipped, and what depends on that. */
static inline void naive_skip(Naive *n)
{
    for (bool again = true; again;) {
        again = false;
        for (uint32_t f = 0; f < n->n_frames; f++)
            for (uint32_t k = 0; k < n->spec->n_steps; k++) {
                const StepSpec *s = &n->spec->steps[k];
                NaiveInst *i = &n->frames[f].insts[k];
                if (s->scope != n->frames[f].scope || i->end != AUDIT_OPEN)
                    continue;
                for (uint32_t in = 0; in < s->n_inputs; in++) {
                    AuditEnd e = naive_input(n, f, k, s->inputs[in]);
                    if (e == AUDIT_FAILED || e == AUDIT_SKIPPED) {
                        i->end = AUDIT_SKIPPED;
                        again = true;
                    }
                }
            }
    }
}

/* ---- which batches live */

/* Has everything of an ordered step ended, in frame f and inside it? */
static inline bool naive_is_written(const Naive *n, uint32_t step, uint32_t f)
{
    uint32_t leaf = n->spec->steps[step].scope, below = leaf;
    if (n->frames[f].scope == leaf)
        return n->frames[f].insts[step].end != AUDIT_OPEN;
    while (n->spec->scopes[below].parent != n->frames[f].scope)
        below = n->spec->scopes[below].parent;
    if (n->frames[f].insts[n->spec->scopes[below].generator].end == AUDIT_OPEN)
        return false;
    for (uint32_t c = 1; c < n->n_frames; c++)
        if (n->frames[c].parent == f && n->frames[c].scope == below &&
            !naive_is_written(n, step, c))
            return false;
    return true;
}

/* Is it the turn of what is in frame f: is everything before it written? */
static inline bool naive_has_turn(const Naive *n, uint32_t step, uint32_t f)
{
    for (uint32_t at = f; at != 0; at = n->frames[at].parent)
        for (uint32_t c = 1; c < n->n_frames; c++)
            if (n->frames[c].parent == n->frames[at].parent &&
                n->frames[c].scope == n->frames[at].scope &&
                n->frames[c].index < n->frames[at].index && !naive_is_written(n, step, c))
                return false;
    return true;
}

static inline bool naive_is_passed(const Naive *n, uint32_t step, uint32_t f)
{
    return naive_has_turn(n, step, f) && naive_is_written(n, step, f);
}

static inline bool naive_scope_within(const GraphSpec *s, uint32_t scope, uint32_t around)
{
    while (scope > around)
        scope = s->scopes[scope].parent;
    return scope == around;
}

static inline bool naive_lives(const Naive *n, uint32_t f)
{
    const GraphSpec *spec = n->spec;
    const NaiveFrame *at = &n->frames[f];
    for (uint32_t k = 0; k < spec->n_steps; k++)
        if (spec->steps[k].scope == at->scope && at->insts[k].end == AUDIT_OPEN)
            return true;
    for (uint32_t c = f + 1; c < n->n_frames; c++)
        if (n->frames[c].parent == f && !n->frames[c].is_closed)
            return true;
    for (uint32_t k = 0; k < spec->n_steps; k++) {
        if (spec->steps[k].is_ordered &&
            naive_scope_within(spec, spec->steps[k].scope, at->scope) &&
            !naive_is_passed(n, k, f))
            return true;
        for (uint32_t in = 0; in < spec->steps[k].n_inputs; in++) {
            uint32_t from = spec->steps[k].inputs[in];
            if (spec_edge_kind(spec, from, k) != EDGE_GATHER ||
                spec_out_scope(spec, from) != at->scope)
                continue;
            for (uint32_t c = 1; c <= f; c++) /* folded in key order */
                if (n->frames[c].parent == at->parent && n->frames[c].scope == at->scope &&
                    naive_output(n, c, from) == AUDIT_OPEN)
                    return true;
        }
    }
    return false;
}

static inline void naive_close(Naive *n)
{
    for (uint32_t f = n->n_frames; f-- > 1;)
        if (!n->frames[f].is_closed)
            n->frames[f].is_closed = !naive_lives(n, f);
}

/* The first ordered step at or below a scope that lies two levels down, or deeper; else n_steps. */
static inline uint32_t naive_ordered_in(const GraphSpec *spec, uint32_t scope)
{
    uint32_t k = 0;
    while (k < spec->n_steps && (spec->scopes[scope].parent == 0 || !spec->steps[k].is_ordered ||
                                 !naive_scope_within(spec, spec->steps[k].scope, scope)))
        k++;
    return k;
}

/* For the generator `step` of frame f. Where batches wait to be written, the last credit is for the
 * batch whose turn it is. */
static inline bool naive_has_credit(const Naive *n, uint32_t f, uint32_t step)
{
    uint32_t scope = n->spec->steps[step].opens, live = 0;
    if (!scope)
        return true;
    for (uint32_t c = 1; c < n->n_frames; c++)
        live += n->frames[c].scope == scope && !n->frames[c].is_closed;
    uint32_t ordered = naive_ordered_in(n->spec, scope);
    if (ordered < n->spec->n_steps && live + 1 == n->credits[scope])
        return naive_has_turn(n, ordered, f);
    return live < n->credits[scope];
}

/* ---- the worker */

static inline bool naive_key_before(const Naive *n, uint32_t x, uint32_t y)
{
    while (n->frames[x].parent != n->frames[y].parent) {
        x = n->frames[x].parent;
        y = n->frames[y].parent;
    }
    return n->frames[x].index < n->frames[y].index;
}

static inline uint32_t naive_depth(const GraphSpec *s, uint32_t scope)
{
    return scope ? 1 + naive_depth(s, s->scopes[scope].parent) : 0;
}

/* The best that is ready, with a credit if it needs one; or, for an overdraft, the best of
 * the deepest. */
static inline bool naive_best(const Naive *n, bool overdraft, uint32_t *frame, uint32_t *step)
{
    bool any = false;
    for (uint32_t f = 0; f < n->n_frames; f++)
        for (uint32_t k = 0; k < n->spec->n_steps; k++) {
            const StepSpec *s = &n->spec->steps[k], *b = &n->spec->steps[*step];
            if (!naive_is_ready(n, f, k) || (!overdraft && !naive_has_credit(n, f, k)))
                continue;
            uint32_t deep = naive_depth(n->spec, s->opens);
            uint32_t best = naive_depth(n->spec, b->opens);
            bool above = k == *step ? naive_key_before(n, f, *frame) : spec_ranks_above(s, b);
            if (any && !(overdraft && deep != best ? deep > best : above))
                continue;
            any = true;
            *frame = f;
            *step = k;
        }
    return any;
}

static inline void naive_frame_add(Naive *n, uint32_t scope, uint32_t parent, uint32_t index)
{
    n->frames[n->n_frames++] =
        (NaiveFrame){.scope = scope, .parent = parent, .index = index};
}

static inline Who naive_who(const Naive *n, uint32_t f, uint32_t step)
{
    const NaiveInst *i = &n->frames[f].insts[step];
    uint64_t h = hash_of(n->seed ^ (step + 1));
    for (uint32_t at = f; at != 0; at = n->frames[at].parent)
        h = hash_of(h ^ n->frames[at].index);
    h = hash_of(h ^ 0);
    return (Who){h, i->attempt + 1, i->n_yielded};
}

static inline void naive_fail(Naive *n, NaiveInst *i, const StepSpec *s, bool is_retried)
{
    if (is_retried && i->attempt < s->retry.n_more && n->n_delays < n->like->n_delays) {
        i->attempt++;
        i->due_ns = n->now_ns + n->like->delays[n->n_delays++];
        return;
    }
    i->end = AUDIT_FAILED;
    n->is_stopped |= s->on_failure == ON_FAILURE_FAIL;
}

static inline void naive_run(Naive *n, uint32_t f, uint32_t step, bool with_failures)
{
    const StepSpec *s = &n->spec->steps[step];
    NaiveInst *i = &n->frames[f].insts[step];
    Who w = naive_who(n, f, step);
    const AuditStart *like = &n->like->starts[n->n_starts];
    if (n->n_starts++ == n->like->n_starts || like->step != step || like->frame != f ||
        like->attempt != w.attempt || like->n_yielded != w.n_yielded ||
        like->t_ns != n->now_ns) {
        n->is_other = true;
        return;
    }
    uint64_t takes = who_takes_ns(w), max = n->spec->scopes[s->opens].max_batches;
    bool is_late = s->timeout_ns && takes > s->timeout_ns;
    n->now_ns += is_late ? s->timeout_ns : takes;
    if (is_late || (with_failures && who_fails(w)))
        naive_fail(n, i, s, true);
    else if (!s->opens || !who_has_batch(w))
        i->end = AUDIT_DONE;
    else if (max && i->n_yielded >= max)
        naive_fail(n, i, s, false);
    else if (n->n_frames == NAIVE_FRAMES)
        n->is_other = true; /* more batches than there were */
    else
        naive_frame_add(n, s->opens, f, i->n_yielded++);
}

/* Time goes on to the next retry. */
static inline bool naive_wait(Naive *n)
{
    uint64_t due = UINT64_MAX;
    for (uint32_t f = 0; f < n->n_frames; f++)
        for (uint32_t k = 0; k < n->spec->n_steps; k++) {
            const NaiveInst *i = &n->frames[f].insts[k];
            if (i->end == AUDIT_OPEN && i->due_ns > n->now_ns && i->due_ns < due)
                due = i->due_ns;
        }
    if (due == UINT64_MAX)
        return false;
    n->now_ns = due;
    return true;
}

/* Is `like`, a whole run with one worker, in the order that the rules give? */
static inline bool naive_agrees(const GraphSpec *spec, uint64_t seed, bool with_failures,
                                const Audit *like, const ScopeCount *counts)
{
    Naive n = {.spec = spec, .seed = seed, .like = like};
    for (uint32_t c = 0; c < spec->n_scopes; c++)
        n.credits[c] = bound_credits(spec, 1, c);
    naive_frame_add(&n, 0, 0, 0);
    while (!n.is_stopped && !n.is_other) {
        uint32_t f = 0, step = 0;
        naive_skip(&n);
        naive_close(&n);
        if (!naive_best(&n, false, &f, &step)) {
            if (naive_wait(&n))
                continue;
            if (!naive_best(&n, true, &f, &step))
                break;
            n.n_overdrafts[spec->steps[step].opens]++;
        }
        naive_run(&n, f, step, with_failures);
    }
    for (uint32_t c = 1; c < spec->n_scopes; c++)
        n.is_other |= n.n_overdrafts[c] != counts[c].n_overdrafts;
    for (uint32_t f = 0; f < n.n_frames && !n.is_stopped; f++)
        for (uint32_t k = 0; k < spec->n_steps; k++)
            n.is_other |= n.frames[f].insts[k].end !=
                          like->insts[f * spec->n_steps + k].end;
    return !n.is_other && n.n_starts == like->n_starts && n.n_frames == like->n_frames;
}

#endif
