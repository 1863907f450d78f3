#include "api/sim_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* Shorter ones carry no measure of processor time: sched/pool_task.c. */
#define UNMEASURED_NS 20000
#define NONE UINT32_MAX

/* ---- what was recorded, by step and key */

/* An attempt, a dispatch of a generator, or a fold. */
typedef struct Entry {
    uint64_t wall_ns, cpu_ns;  /* its own time, cpu_ns the part on a processor */
    uint64_t start_ns;         /* orders it among those of the same instance */
    uint32_t step;             /* of the spec */
    uint32_t frame;            /* of the recording; of a fold the batch that it took */
    uint32_t n_before;         /* of a generator: batches that it had given */
    uint32_t n_batches;        /* of a generator: that the instance gives in all */
    uint16_t attempt;
    bool is_fold;
    Outcome outcome;
} Entry;

/* Entries [from, to): one instance, or the attempts of a generator at one batch, or folds. */
typedef struct Group {
    uint32_t from, to;
} Group;

typedef Vec(Group) Groups;

struct Recorded {
    uint32_t n_entries;
    Entry *entries;      /* by step, fold or not, frame, start */
    Map frames;          /* "scope:key" -> place in the recording + 1; scopes of the spec */
    Groups *instances;   /* [n_steps] that stand for those that were not recorded */
    Groups *folds;       /* [n_steps] the same for folds */
    Groups *firsts;      /* [n_steps] the first dispatch of each instance of a generator */
    uint64_t *n_batches; /* [n_steps] given by all instances of a generator */
    uint64_t gap_ns, help_ns;
};

static int entry_cmp(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    if (x->is_fold != y->is_fold)
        return x->is_fold ? 1 : -1;
    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    return (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

static Entry entry_of(const Bar *b, uint32_t step)
{
    Entry e = {.wall_ns = b->end_ns - b->start_ns, .start_ns = b->start_ns, .step = step,
               .attempt = b->attempt, .is_fold = b->kind == BAR_FOLD, .outcome = b->outcome};
    e.frame = e.is_fold ? b->child : b->frame;
    if (!b->is_measured) {
        e.cpu_ns = e.wall_ns < UNMEASURED_NS ? e.wall_ns : 0;
        return e;
    }
    e.cpu_ns = b->cpu_ns < e.wall_ns ? b->cpu_ns : e.wall_ns;
    if (e.cpu_ns + b->slept_ns < e.wall_ns)
        e.wall_ns = e.cpu_ns + b->slept_ns;
    return e;
}

static bool is_same_instance(const Entry *a, const Entry *b)
{
    return a->step == b->step && a->is_fold == b->is_fold && a->frame == b->frame;
}

/* Counts the batches of generators, and finds what can stand for others. An instance whose failure ended the run does not. */
static void groups_make(Recorded *r, Arena *a, const GraphSpec *spec)
{
    for (uint32_t i = 1; i < r->n_entries; i++) {
        Entry *e = &r->entries[i];
        if (is_same_instance(e, e - 1))
            e->n_before = e[-1].n_before + (e[-1].outcome == OUTCOME_YIELDED);
    }
    for (uint32_t i = r->n_entries; i-- > 0;) {
        Entry *e = &r->entries[i];
        bool is_last = i + 1 == r->n_entries || !is_same_instance(e, e + 1);
        e->n_batches = is_last ? e->n_before + (e->outcome == OUTCOME_YIELDED) : e[1].n_batches;
    }
    for (uint32_t i = 0, end; i < r->n_entries; i = end) {
        const Entry *e = &r->entries[i];
        for (end = i + 1; end < r->n_entries; end++)
            if (!is_same_instance(e, &r->entries[end]) ||
                r->entries[end].n_before != e->n_before)
                break;
        Outcome last = r->entries[end - 1].outcome;
        bool is_whole = last != OUTCOME_RETRY &&
                        (last != OUTCOME_FAILED ||
                         spec->steps[e->step].on_failure == ON_FAILURE_SKIP);
        Group g = {i, end};
        r->n_batches[e->step] += last == OUTCOME_YIELDED;
        if (spec->steps[e->step].opens && !e->is_fold && e->n_before == 0)
            vec_push(a, &r->firsts[e->step], g);
        if (e->is_fold)
            vec_push(a, &r->folds[e->step], g);
        else if (is_whole && last != OUTCOME_EXHAUSTED)
            vec_push(a, &r->instances[e->step], g);
    }
}

static int time_cmp(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The greatest of the sorted times that is at most t; 0: none. */
static uint64_t last_until(const uint64_t *times, uint32_t n, uint64_t t)
{
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (times[mid] <= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? times[lo - 1] : 0;
}

/* Seen where a worker went on with what was ready when it ended something, and nothing else
 * ended in between: there was no other reason to wait. */
static uint64_t gap_measure(const Recording *run)
{
    uint64_t *ends = xcalloc(run->n_bars + (size_t)1, sizeof *ends);
    uint64_t *at = xcalloc(run->info.n_workers, sizeof *at); /* last end of each worker */
    uint64_t sum_ns = 0, n = 0;
    for (uint32_t i = 0; i < run->n_bars; i++)
        ends[i] = run->bars[i].end_ns;
    qsort(ends, run->n_bars, sizeof *ends, time_cmp);
    for (uint32_t i = 0; i < run->n_bars; i++) {
        const Bar *b = &run->bars[i];
        uint64_t before = at[b->worker];
        if (before && b->ready_ns <= before && b->attempt == 1 && before <= b->start_ns &&
            last_until(ends, run->n_bars, b->start_ns) == before) {
            sum_ns += b->start_ns - before;
            n++;
        }
        at[b->worker] = b->end_ns;
    }
    free(ends);
    free(at);
    return n ? sum_ns / n : 0;
}

static Str frame_name(Arena *a, uint32_t scope, Str numbers)
{
    return arena_printf(a, "%u:%.*s", scope, STR_ARG(numbers));
}

static void frames_make(Recorded *r, Arena *a, const GraphSpec *spec, const Recording *run,
                        const uint32_t *spec_step)
{
    map_init(&r->frames, a);
    for (uint32_t k = 0; k < run->n_frames; k++) {
        uint32_t scope = run->frames[k].scope;
        if (scope)
            scope = spec->steps[spec_step[run->info.scopes[scope].generator]].opens;
        map_put(&r->frames, frame_name(a, scope, arena_str(a, run->frames[k].numbers)),
                (void *)(uintptr_t)(k + 1));
    }
}

Recorded *recorded_make(Arena *a, const GraphSpec *spec, const Recording *run,
                        const uint32_t *step_of)
{
    Recorded *r = arena_new(a, Recorded);
    uint32_t *spec_step = xcalloc(run->info.n_steps, sizeof *spec_step);
    for (uint32_t i = 0; i < spec->n_steps; i++)
        spec_step[step_of[i]] = i;
    r->entries = arena_array(a, Entry, run->n_bars + 1);
    for (uint32_t i = 0; i < run->n_bars; i++) {
        const Bar *b = &run->bars[i];
        if (b->kind == BAR_HELP)
            r->help_ns += b->end_ns - b->start_ns;
        else
            r->entries[r->n_entries++] = entry_of(b, spec_step[b->step]);
    }
    qsort(r->entries, r->n_entries, sizeof *r->entries, entry_cmp);
    r->instances = arena_array(a, Groups, spec->n_steps);
    r->folds = arena_array(a, Groups, spec->n_steps);
    r->firsts = arena_array(a, Groups, spec->n_steps);
    r->n_batches = arena_array(a, uint64_t, spec->n_steps);
    groups_make(r, a, spec);
    frames_make(r, a, spec, run, spec_step);
    r->gap_ns = gap_measure(run);
    free(spec_step);
    return r;
}

uint64_t recorded_batches(const Recorded *r, uint32_t step)
{
    return r->n_batches[step];
}

uint64_t recorded_gap_ns(const Recorded *r)
{
    return r->gap_ns;
}

uint64_t recorded_help_ns(const Recorded *r)
{
    return r->help_ns;
}

uint64_t recorded_mean_ns(const Recorded *r)
{
    uint64_t sum_ns = 0, n = 0;
    for (uint32_t i = 0; i < r->n_entries; i++)
        if (!r->entries[i].is_fold) {
            sum_ns += r->entries[i].wall_ns;
            n++;
        }
    return n ? sum_ns / n : 0;
}

/* ---- looking up */

/* splitmix64, as in sched/retry.c. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* A number that depends on the seed, the step and the key, and on `salt`. */
static uint64_t draw(const TimeModel *m, uint32_t step, const Frame *f, uint64_t salt)
{
    uint64_t h = mix(mix(m->seed ^ step) ^ salt);
    for (; f; f = frame_parent(f))
        h = mix(h ^ frame_index(f));
    return h;
}

/* The recording's frame with the same numbers; NONE: there was none. */
static uint32_t frame_find(const Recorded *r, const Frame *f)
{
    Buf name = {0};
    if (frame_depth(f) == 0)
        return 0;
    buf_printf(&name, "%u:", frame_scope(f));
    frame_put_key(f, '/', &name); /* the simulator's batches have numbers only */
    uintptr_t found = (uintptr_t)map_get(&r->frames, buf_str(&name));
    buf_deinit(&name);
    return found ? (uint32_t)(found - 1) : NONE;
}

static bool is_below(const Entry *e, const Entry *want)
{
    if (e->step != want->step)
        return e->step < want->step;
    if (e->is_fold != want->is_fold)
        return want->is_fold;
    if (e->frame != want->frame)
        return e->frame < want->frame;
    return e->n_before < want->n_before;
}

/* The group of that instance, dispatch or fold; empty when it was not recorded. */
static Group group_find(const Recorded *r, const Entry *want)
{
    uint32_t lo = 0, hi = r->n_entries;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (is_below(&r->entries[mid], want))
            lo = mid + 1;
        else
            hi = mid;
    }
    Group g = {lo, lo};
    while (g.to < r->n_entries && is_same_instance(&r->entries[g.to], want) &&
           r->entries[g.to].n_before == want->n_before)
        g.to++;
    return g;
}

/* What an attempt is like; NULL: nothing of its kind was recorded. */
static const Entry *instance_look_up(const TimeModel *m, const Instance *i)
{
    const Recorded *r = m->recorded;
    const Frame *f = instance_frame(i);
    Entry want = {.step = instance_step(i), .frame = frame_find(r, f)};
    if (m->spec->steps[want.step].opens)
        want.n_before = instance_n_yielded(i);
    Group g = group_find(r, &want);
    if (g.from == g.to) {
        const Groups *others = &r->instances[want.step];
        if (others->n == 0)
            return NULL;
        g = others->ptr[draw(m, want.step, f, want.n_before) % others->n];
    }
    const Entry *first = &r->entries[g.from];
    uint32_t k = instance_attempt(i) > first->attempt ? instance_attempt(i) - first->attempt : 0;
    return k < g.to - g.from ? first + k : &r->entries[g.to - 1];
}

/* The simulation asks several things of an instance in a row. */
static const Entry *instance_entry(TimeModel *m, const Instance *i)
{
    SimQuestion q = {.step = instance_step(i), .frame = frame_id(instance_frame(i)),
                     .n_yielded = instance_n_yielded(i), .attempt = instance_attempt(i)};
    if (memcmp(&q, &m->last, sizeof q) != 0) {
        m->last = q;
        m->last_answer = instance_look_up(m, i);
    }
    return m->last_answer;
}

/* Of the k-th input of the reader. */
static const Entry *fold_entry(const TimeModel *m, const Instance *reader, const Instance *child,
                               uint32_t k)
{
    const Recorded *r = m->recorded;
    const Frame *batch = instance_frame(child);
    Entry want = {.step = instance_step(reader), .frame = frame_find(r, batch), .is_fold = true};
    Group g = group_find(r, &want);
    if (g.from == g.to) {
        const Groups *others = &r->folds[want.step];
        if (others->n == 0)
            return NULL;
        g = others->ptr[draw(m, want.step, batch, 1) % others->n];
    }
    /* A step that gathers two outputs of one batch folds it twice. */
    return &r->entries[k < g.to - g.from ? g.from + k : g.from];
}

/* ---- the model */

static uint64_t written_ns(const TimeModel *m, const Instance *i)
{
    uint32_t step = instance_step(i);
    const Duration *d = &m->durations[step];
    uint64_t span = d->most_ns - d->least_ns;
    if (span == 0)
        return d->least_ns;
    uint64_t salt = (uint64_t)instance_n_yielded(i) << 16 | instance_attempt(i);
    uint64_t h = draw(m, step, instance_frame(i), salt);
    return d->least_ns + (span == UINT64_MAX ? h : h % (span + 1));
}

static uint64_t n_batches(const TimeModel *m, const Instance *i)
{
    uint32_t step = instance_step(i);
    const BatchCount *given = &m->batches[m->spec->steps[step].opens];
    if (given->is_known || m->durations)
        return given->n;
    const Recorded *r = m->recorded;
    Entry want = {.step = step, .frame = frame_find(r, instance_frame(i))};
    Group g = group_find(r, &want);
    if (g.from == g.to && r->firsts[step].n) { /* as another one of it */
        const Groups *others = &r->firsts[step];
        uint64_t h = draw(m, step, instance_frame(i), 2);
        g = others->ptr[h % others->n];
    }
    return g.from == g.to ? 0 : r->entries[g.from].n_batches;
}

static bool model_has_batch(void *ctx, const Instance *i)
{
    return instance_n_yielded(i) < n_batches(ctx, i);
}

static bool is_last_look(const TimeModel *m, const Instance *i)
{
    return m->spec->steps[instance_step(i)].opens && instance_n_yielded(i) >= n_batches(m, i);
}

static uint64_t model_duration(void *ctx, const Instance *i)
{
    TimeModel *m = ctx;
    if (m->durations)
        return is_last_look(m, i) ? 0 : written_ns(m, i);
    const Entry *e = instance_entry(m, i);
    return (e ? e->wall_ns : 0) + m->recorded->gap_ns;
}

static uint64_t model_cpu(void *ctx, const Instance *i)
{
    TimeModel *m = ctx;
    if (m->durations)
        return m->durations[instance_step(i)].is_cpu ? model_duration(ctx, i) : 0;
    const Entry *e = instance_entry(m, i);
    return (e ? e->cpu_ns : 0) + m->recorded->gap_ns;
}

static uint64_t model_fold(void *ctx, const Fold *f)
{
    const TimeModel *m = ctx;
    const Entry *e = fold_entry(m, f->reader, f->child, f->is_commit ? 0 : f->input);
    return (e ? e->wall_ns : 0) + m->recorded->gap_ns;
}

static FoldResult model_fold_result(void *ctx, const Instance *reader, const Instance *child)
{
    const Entry *e = fold_entry(ctx, reader, child, 0);
    return e && e->outcome == OUTCOME_FAILED ? FOLD_FAILED : FOLD_MORE;
}

static bool model_fails(void *ctx, const Instance *i)
{
    const Entry *e = instance_entry(ctx, i);
    return e && (e->outcome == OUTCOME_RETRY || e->outcome == OUTCOME_FAILED);
}

static bool model_gives_up(void *ctx, const Instance *i)
{
    const Entry *e = instance_entry(ctx, i);
    return e && e->outcome == OUTCOME_FAILED;
}

SimModel time_model(TimeModel *m)
{
    SimModel model = {.ctx = m, .duration_ns = model_duration, .cpu_ns = model_cpu,
                      .has_batch = model_has_batch, .seed = m->seed};
    if (m->recorded) {
        model.fold_ns = model_fold;
        model.fold = model_fold_result;
        model.fails = model_fails;
        model.gives_up = model_gives_up;
    }
    return model;
}
