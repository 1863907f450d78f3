/* sched_audit.h - follows a run by its events and outputs, and says the first thing that is
 * wrong with it. It knows the spec and nothing of the graph's insides. */
#ifndef PIPE_TESTS_SCHED_AUDIT_H
#define PIPE_TESTS_SCHED_AUDIT_H

#include "base/observer.h"
#include "sched_spec.h"

typedef enum AuditEnd {
    AUDIT_OPEN, /* not ended */
    AUDIT_DONE,
    AUDIT_FAILED,
    AUDIT_SKIPPED,
} AuditEnd;

typedef struct AuditInst {
    AuditEnd end;
    bool is_running;
    bool is_enough; /* a generator that is to yield no more; no event tells of its end */
    bool has_enough[MAX_INPUTS];
    uint32_t n_retries, n_yielded;
    uint32_t next[MAX_INPUTS];   /* the smallest key that may be folded */
    uint64_t folded[MAX_INPUTS]; /* hash of what was folded, in order */
    uint64_t value;              /* of its output; 0 before */
} AuditInst;

typedef struct AuditFrame {
    uint32_t scope, parent, index;
    uint64_t path;      /* hash of the keys */
    uint32_t n_inside;  /* batches in it that are not closed */
    bool is_closed;
} AuditFrame;

typedef struct AuditOut {
    uint64_t value;
    uint32_t step;
    bool is_released;
} AuditOut;

typedef struct AuditStart {
    uint64_t t_ns;
    uint32_t step, frame, attempt, n_yielded;
} AuditStart;

typedef struct Audit {
    const GraphSpec *spec;
    const char *wrong; /* the first; NULL: nothing */
    AuditFrame *frames;
    AuditInst *insts;  /* [cap_frames][spec.n_steps] */
    uint32_t n_frames, cap_frames;
    AuditOut *outs;
    uint32_t n_outs, cap_outs;
    AuditStart *starts;
    uint32_t n_starts, cap_starts;
    uint64_t *delays;  /* of the retries, in order */
    uint32_t n_delays, cap_delays;
    uint32_t live[MAX_SCOPES], peak[MAX_SCOPES], n_batches[MAX_SCOPES];
    uint32_t n_commits_failed[MAX_STEPS];
    uint32_t last_commit[MAX_STEPS]; /* frame; 0 before the first of a fan-out */
    uint32_t n_closed_early;         /* something in it had not ended */
    uint32_t n_yields_retried;       /* generators that failed after batches, and went on */
} Audit;

static inline void audit_must(Audit *a, bool ok, const char *what)
{
    if (!ok && !a->wrong)
        a->wrong = what;
}

static inline void *audit_grow(void *at, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return at;
    *cap = *cap ? 2 * *cap : 64;
    return xrealloc(at, *cap * size);
}

static inline AuditInst *audit_inst(Audit *a, uint32_t frame, uint32_t step)
{
    return &a->insts[frame * a->spec->n_steps + step];
}

static inline void audit_frame_add(Audit *a, AuditFrame f)
{
    uint32_t cap = a->cap_frames;
    a->frames = audit_grow(a->frames, a->n_frames, &a->cap_frames, sizeof *a->frames);
    if (cap != a->cap_frames)
        a->insts =
            xrealloc(a->insts, a->cap_frames * a->spec->n_steps * sizeof *a->insts);
    f.path = hash_of((a->n_frames ? a->frames[f.parent].path : 0) ^ f.index);
    memset(audit_inst(a, a->n_frames, 0), 0, a->spec->n_steps * sizeof *a->insts);
    a->frames[a->n_frames++] = f;
}

static inline void audit_init(Audit *a, const GraphSpec *spec)
{
    *a = (Audit){.spec = spec};
    audit_frame_add(a, (AuditFrame){.scope = 0});
}

static inline void audit_deinit(Audit *a)
{
    free(a->frames);
    free(a->insts);
    free(a->outs);
    free(a->starts);
    free(a->delays);
}

/* ---- outputs: a handle is a number that is not 0 */

static inline AuditOut *audit_out(Audit *a, const void *handle, uint32_t step)
{
    static AuditOut nothing;
    uintptr_t n = (uintptr_t)handle;
    bool is_there = n > 0 && n <= a->n_outs;
    audit_must(a, is_there, "an input is missing");
    if (!is_there)
        return &nothing;
    AuditOut *o = &a->outs[n - 1];
    audit_must(a, !o->is_released, "an output is used after it was released");
    audit_must(a, o->step == step, "an output comes from another step");
    return o;
}

/* What an instance computes: from step, key path, inputs and what it has folded. */
static inline void *audit_output(Audit *a, const Instance *i)
{
    uint32_t step = instance_step(i), f = frame_id(instance_frame(i));
    const StepSpec *s = &a->spec->steps[step];
    AuditInst *at = audit_inst(a, f, step);
    uint64_t h = hash_of(a->frames[f].path ^ (uint64_t)step << 40 ^ instance_n_yielded(i));
    for (uint32_t k = 0; k < s->n_inputs; k++) {
        bool gathers = spec_edge_kind(a->spec, s->inputs[k], step) == EDGE_GATHER;
        h = hash_of(h ^ (gathers ? at->folded[k]
                                 : audit_out(a, instance_input(i, k), s->inputs[k])->value));
    }
    at->value = hash_of(at->value ^ h); /* of a generator: of all its batches */
    a->outs = audit_grow(a->outs, a->n_outs, &a->cap_outs, sizeof *a->outs);
    a->outs[a->n_outs++] = (AuditOut){.value = h, .step = step};
    return (void *)(uintptr_t)a->n_outs;
}

static inline void audit_release(Audit *a, uint32_t step, const void *out)
{
    audit_out(a, out, step)->is_released = true;
}

/* ---- folds, as they are asked for */

/* Do the keys of frame x come before those of y? Both are of one scope. */
static inline bool audit_before(const Audit *a, uint32_t x, uint32_t y)
{
    while (a->frames[x].parent != a->frames[y].parent) {
        x = a->frames[x].parent;
        y = a->frames[y].parent;
    }
    return a->frames[x].index < a->frames[y].index;
}

static inline void audit_fold(Audit *a, const Instance *reader, const Instance *child,
                              FoldResult result)
{
    uint32_t step = instance_step(reader), from = instance_step(child), k = 0;
    uint32_t f = frame_id(instance_frame(child));
    AuditInst *at = audit_inst(a, frame_id(instance_frame(reader)), step);
    uint64_t value = audit_out(a, instance_out(child), from)->value;
    if (reader == child) {
        audit_must(a, at->end == AUDIT_DONE, "a commit of what is not done");
        audit_must(a, f == 0 || !a->last_commit[step] ||
                          audit_before(a, a->last_commit[step], f),
                   "commits are out of order");
        a->last_commit[step] = f;
        return;
    }
    while (a->spec->steps[step].inputs[k] != from)
        k++;
    audit_must(a, at->end == AUDIT_OPEN && !at->is_running, "a fold comes too late");
    audit_must(a, a->frames[f].index >= at->next[k], "folds are out of order");
    at->next[k] = a->frames[f].index + 1;
    if (!at->has_enough[k])
        at->folded[k] = hash_of(at->folded[k] ^ value);
    if (result != FOLD_ENOUGH)
        return;
    at->has_enough[k] = true;
    uint32_t gen = a->spec->scopes[a->frames[f].scope].generator;
    audit_inst(a, a->frames[f].parent, gen)->is_enough = true;
}

/* ---- events */

static inline void audit_opened(Audit *a, const TraceEvent *e)
{
    uint32_t scope = a->spec->steps[e->step].opens, parent = trace_parent(e);
    audit_must(a, e->frame == a->n_frames, "frames are not numbered as they open");
    audit_must(a, parent < a->n_frames && !a->frames[parent].is_closed,
               "a batch opens in a frame that is closed");
    AuditInst *gen = audit_inst(a, parent, e->step);
    audit_must(a, gen->n_yielded++ == e->info, "keys do not count up");
    audit_must(a, gen->end == AUDIT_OPEN, "a generator yields after its end");
    audit_frame_add(a, (AuditFrame){.scope = scope, .parent = parent, .index = e->info});
    a->frames[parent].n_inside++;
    a->n_batches[scope]++;
    if (++a->live[scope] > a->peak[scope])
        a->peak[scope] = a->live[scope];
    audit_must(a, trace_live(e) == a->live[scope], "live batches are miscounted");
}

static inline void audit_closed(Audit *a, const TraceEvent *e)
{
    AuditFrame *f = &a->frames[e->frame];
    audit_must(a, !f->is_closed, "a batch is closed twice");
    f->is_closed = true;
    a->live[f->scope]--;
    audit_must(a, trace_live(e) == a->live[f->scope], "live batches are miscounted");
    bool is_early = false;
    for (uint32_t k = 0; k < a->spec->n_steps; k++)
        is_early |= a->spec->steps[k].scope == f->scope &&
                    audit_inst(a, e->frame, k)->end == AUDIT_OPEN &&
                    !audit_inst(a, e->frame, k)->is_enough;
    audit_must(a, f->n_inside == 0, "a batch is closed before those inside it");
    a->frames[f->parent].n_inside--;
    a->n_closed_early += is_early;
}

static inline void audit_started(Audit *a, const TraceEvent *e)
{
    AuditInst *at = audit_inst(a, e->frame, e->step);
    audit_must(a, !a->frames[e->frame].is_closed, "an instance starts in a closed frame");
    audit_must(a, at->end == AUDIT_OPEN && !at->is_running, "an instance starts twice");
    audit_must(a, !at->is_enough, "a generator goes on though there is enough");
    audit_must(a, e->attempt == at->n_retries + 1, "attempts are miscounted");
    audit_must(a, e->info == at->n_yielded, "a generator goes for the wrong batch");
    at->is_running = true;
    a->starts = audit_grow(a->starts, a->n_starts, &a->cap_starts, sizeof *a->starts);
    a->starts[a->n_starts++] =
        (AuditStart){e->t_ns, e->step, e->frame, e->attempt, at->n_yielded};
}

static inline void audit_ended(Audit *a, const TraceEvent *e)
{
    AuditInst *at = audit_inst(a, e->frame, e->step);
    audit_must(a, at->is_running, "an instance ends that does not run");
    at->is_running = false;
    if (e->outcome == OUTCOME_FAILED)
        at->end = AUDIT_FAILED;
    else if (e->outcome == OUTCOME_DONE || e->outcome == OUTCOME_EXHAUSTED)
        at->end = AUDIT_DONE;
}

static inline void audit_retried(Audit *a, const TraceEvent *e)
{
    const RetrySpec *r = &a->spec->steps[e->step].retry;
    AuditInst *at = audit_inst(a, e->frame, e->step);
    uint64_t n = ++at->n_retries, delay = e->value - e->t_ns, most = r->delay_ns;
    if (r->backoff != BACKOFF_FIXED)
        most *= r->backoff == BACKOFF_LINEAR ? n : (1u << n) - 1;
    if (r->max_delay_ns && most > r->max_delay_ns)
        most = r->max_delay_ns;
    audit_must(a, n <= r->n_more, "too many attempts");
    audit_must(a, r->jitter ? delay <= most : delay == most, "a retry waits too long");
    a->n_yields_retried += at->n_yielded > 0;
    a->delays = audit_grow(a->delays, a->n_delays, &a->cap_delays, sizeof *a->delays);
    a->delays[a->n_delays++] = delay;
}

static inline void audit_folded(Audit *a, const TraceEvent *e)
{
    if (e->outcome != OUTCOME_FAILED)
        return;
    if (a->frames[e->frame].scope == a->spec->steps[e->step].scope)
        a->n_commits_failed[e->step]++;
    else
        audit_inst(a, a->frames[e->frame].parent, e->step)->end = AUDIT_FAILED;
}

static inline void audit_event(Audit *a, const TraceEvent *e)
{
    AuditInst *at;
    switch ((TraceKind)e->kind) {
    case TRACE_START: audit_started(a, e); break;
    case TRACE_END: audit_ended(a, e); break;
    case TRACE_FOLD: audit_folded(a, e); break;
    case TRACE_OPEN: audit_opened(a, e); break;
    case TRACE_CLOSE: audit_closed(a, e); break;
    case TRACE_RETRY: audit_retried(a, e); break;
    case TRACE_SKIP:
        at = audit_inst(a, e->frame, e->step);
        audit_must(a, at->end == AUDIT_OPEN && !at->is_running, "what ran is skipped");
        at->end = AUDIT_SKIPPED;
        break;
    case TRACE_BAD_ROWS: break; /* tells of rows, not of instances */
    case TRACE_HELP: break; /* nobody lends on a virtual clock */
    }
}

/* ---- at the end */

/* Every instance of every frame has ended in one way, or is counted as not started, or is a
 * generator that was stopped between two batches. */
static inline void audit_step(Audit *a, uint32_t step, const StepCount *c, bool is_complete)
{
    uint64_t n[4] = {0}, n_not_started = 0, n_enough = 0;
    for (uint32_t f = 0; f < a->n_frames; f++) {
        const AuditInst *at = audit_inst(a, f, step);
        if (a->frames[f].scope != a->spec->steps[step].scope)
            continue;
        n[at->end]++;
        n_not_started += at->end == AUDIT_OPEN && at->n_yielded == 0;
        n_enough += at->end == AUDIT_OPEN && at->is_enough;
        audit_must(a, !at->is_running, "an instance never ended");
    }
    uint64_t n_done = n[AUDIT_DONE] + n_enough; /* of those, when stopped, some were not */
    audit_must(a, !is_complete || n[AUDIT_OPEN] == n_enough, "an instance was forgotten");
    audit_must(a, c->n_not_started == n_not_started, "not started is miscounted");
    audit_must(a, c->n_done == n_done || (!is_complete && c->n_done < n_done &&
                                          c->n_done >= n[AUDIT_DONE]),
               "what is done is miscounted");
    audit_must(a, c->n_skipped == n[AUDIT_SKIPPED] &&
                      c->n_failed == n[AUDIT_FAILED] + a->n_commits_failed[step],
               "failed or skipped is miscounted");
}

/* After everything is closed. */
static inline void audit_end(Audit *a, const StepCount *steps, const ScopeCount *scopes,
                             bool is_complete)
{
    for (uint32_t k = 0; k < a->spec->n_steps; k++)
        audit_step(a, k, &steps[k], is_complete);
    for (uint32_t c = 1; c < a->spec->n_scopes; c++)
        audit_must(a, scopes[c].n_batches == a->n_batches[c] &&
                          scopes[c].peak_live == a->peak[c] && a->live[c] == 0,
                   "batches are miscounted");
    for (uint32_t f = 1; f < a->n_frames; f++)
        audit_must(a, a->frames[f].is_closed, "a batch was never closed");
    for (uint32_t k = 0; k < a->n_outs; k++)
        audit_must(a, a->outs[k].is_released, "an output was never released");
    audit_must(a, !is_complete || a->n_closed_early == 0, "a batch was closed early");
}

/* What came out of a run that ended by itself: the same for any number of workers. */
static inline uint64_t audit_result(Audit *a)
{
    uint64_t sum = 0;
    for (uint32_t f = 0; f < a->n_frames; f++)
        for (uint32_t k = 0; k < a->spec->n_steps; k++) {
            const AuditInst *at = audit_inst(a, f, k);
            if (a->frames[f].scope == a->spec->steps[k].scope)
                sum += hash_of(a->frames[f].path ^ (uint64_t)k << 40 ^
                               hash_of(at->value ^ at->end));
        }
    return sum;
}

#endif
