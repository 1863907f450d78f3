/* Random specs on the virtual clock, a seed each. After every event graph_check counts
 * everything again and holds live batches against the printed bound; sched_audit.h follows
 * the run from outside; short runs with one worker are held against sched_naive.h.
 *
 *   sched_random_test              as many seeds as `make test` takes
 *   sched_random_test SEED         this one alone
 *   sched_random_test FIRST LAST   these; `make test-long` shares out a million
 */
#include "unit.h"

#include <signal.h>

#include "sched/sim.h"
#include "sched_naive.h"

/* Sanitizers are slow, and look for other things. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { N_SEEDS = 2000 };
#else
enum { N_SEEDS = 20000 };
#endif

typedef struct World {
    Audit audit;
    SimSummary sum;
    uint64_t seed, n_late;
    bool fails, folds_fail;
} World;

/* What was met on the way. Each has a floor, so that no rule goes untested. */
typedef struct Met {
    uint64_t n_seeds, n_events, n_frames;
    uint64_t n_workers_proved, n_workers_attained; /* scopes with enough batches for it */
    uint64_t n_credits_proved, n_credits_attained;
    uint64_t n_overdrafts, n_partial, n_failed, n_cancelled, n_retries, n_late, n_max;
    uint64_t n_yields_retried, n_two_deep, n_three_deep, n_two_collects, n_ordered;
    uint64_t n_broadcast, n_naive, n_compared;
} Met;

static uint64_t model_takes_ns(void *ctx, const Instance *i)
{
    World *w = ctx;
    uint64_t takes = who_takes_ns(who_of(w->seed, i));
    uint64_t timeout = w->audit.spec->steps[instance_step(i)].timeout_ns;
    w->n_late += timeout && takes > timeout;
    return takes;
}

static bool model_has_batch(void *ctx, const Instance *i)
{
    return who_has_batch(who_of(((World *)ctx)->seed, i));
}

static bool model_fails(void *ctx, const Instance *i)
{
    const World *w = ctx;
    return w->fails && who_fails(who_of(w->seed, i));
}

static FoldResult model_fold(void *ctx, const Instance *reader, const Instance *child)
{
    World *w = ctx;
    uint64_t h = who_hash(who_of(w->seed, child), 3 + instance_step(reader));
    FoldResult r = FOLD_MORE;
    if (w->folds_fail && h % 40 < 2)
        r = h % 40 == 0 ? FOLD_FAILED : FOLD_ENOUGH;
    audit_fold(&w->audit, reader, child, r);
    return r;
}

static void *model_output(void *ctx, const Instance *i)
{
    return audit_output(&((World *)ctx)->audit, i);
}

static void model_release(void *ctx, uint32_t step, void *out)
{
    audit_release(&((World *)ctx)->audit, step, out);
}

static void on_event(void *ctx, const TraceEvent *e, const Error *err)
{
    (void)err;
    audit_event(&((World *)ctx)->audit, e);
}

static void world_run(World *w, const GraphSpec *spec, uint32_t n_workers, const Bounds *b,
                      uint64_t stop_ns)
{
    uint64_t limit[MAX_SCOPES];
    audit_init(&w->audit, spec);
    for (uint32_t c = 0; c < b->n_scopes; c++)
        limit[c] = b->scopes[c].live;
    Observer observer = {.ctx = w, .event = on_event};
    SimModel model = {.ctx = w,
                      .duration_ns = model_takes_ns,
                      .has_batch = model_has_batch,
                      .fails = model_fails,
                      .fold = model_fold,
                      .output = model_output,
                      .release = model_release,
                      .seed = w->seed};
    SimOptions options = {.n_workers = n_workers,
                          .observer = &observer,
                          .check = true,
                          .limit = limit,
                          .stop_ns = stop_ns};
    sim_run(spec, &model, &options, &w->sum);
    bool is_complete = w->sum.state == RUN_DONE || w->sum.state == RUN_PARTIAL;
    audit_end(&w->audit, w->sum.steps, w->sum.scopes, is_complete);
    for (uint32_t c = 1; c < spec->n_scopes; c++)
        audit_must(&w->audit,
                   b->scopes[c].live == UINT64_MAX ||
                       w->audit.peak[c] <= b->scopes[c].live + w->sum.scopes[c].n_overdrafts,
                   "the bound was passed");
}

static void world_deinit(World *w)
{
    audit_deinit(&w->audit);
    sim_summary_deinit(&w->sum);
}

static void met_spec(Met *m, const GraphSpec *spec)
{
    uint32_t deep = 0, n_gathers[MAX_SCOPES] = {0};
    bool is_ordered = false, is_broadcast = false, has_two = false;
    for (uint32_t c = 1; c < spec->n_scopes; c++)
        deep = naive_depth(spec, c) > deep ? naive_depth(spec, c) : deep;
    for (uint32_t k = 0; k < spec->n_steps; k++) {
        is_ordered |= spec->steps[k].is_ordered;
        for (uint32_t in = 0; in < spec->steps[k].n_inputs; in++) {
            uint32_t from = spec->steps[k].inputs[in];
            EdgeKind kind = spec_edge_kind(spec, from, k);
            is_broadcast |= kind == EDGE_BROADCAST;
            if (kind == EDGE_GATHER)
                has_two |= ++n_gathers[spec_out_scope(spec, from)] == 2;
        }
    }
    m->n_two_deep += deep == 2;
    m->n_three_deep += deep == 3;
    m->n_two_collects += has_two;
    m->n_ordered += is_ordered;
    m->n_broadcast += is_broadcast;
}

static void met_run(Met *m, const World *w, const GraphSpec *spec, const Bounds *b)
{
    const Audit *a = &w->audit;
    m->n_events += w->sum.n_events;
    m->n_frames += a->n_frames;
    m->n_partial += w->sum.state == RUN_PARTIAL;
    m->n_failed += w->sum.state == RUN_FAILED;
    m->n_cancelled += w->sum.state == RUN_CANCELLED;
    m->n_retries += a->n_delays;
    m->n_late += w->n_late;
    m->n_yields_retried += a->n_yields_retried;
    for (uint32_t k = 0; k < a->n_starts; k++) {
        const StepSpec *s = &spec->steps[a->starts[k].step];
        uint32_t max = spec->scopes[s->opens].max_batches;
        m->n_max += s->opens && max && a->starts[k].n_yielded == max;
    }
    for (uint32_t c = 1; c < spec->n_scopes; c++) {
        bool attained = a->peak[c] >= b->scopes[c].live;
        m->n_overdrafts += w->sum.scopes[c].n_overdrafts;
        if (a->n_batches[c] < b->scopes[c].live) /* NONE too */
            continue;
        if (b->scopes[c].kind == BOUND_WORKERS) {
            m->n_workers_proved++;
            m->n_workers_attained += attained;
        } else {
            m->n_credits_proved++;
            m->n_credits_attained += attained;
        }
    }
}

/* The run again with one worker: in the order of the plain rules, and with the same
 * results, as long as nothing but the rules decides what runs. */
static const char *one_worker(const TestSpec *t, World *w, Met *m)
{
    World one = {.seed = w->seed, .fails = w->fails};
    Bounds *b = bounds_new(&t->spec, 1);
    world_run(&one, &t->spec, 1, b, 0);
    const char *wrong = one.audit.wrong;
    bool is_complete = one.sum.state != RUN_FAILED && w->sum.state != RUN_FAILED;
    if (!wrong && is_complete) {
        m->n_compared++;
        if (audit_result(&one.audit) != audit_result(&w->audit))
            wrong = "other results than with one worker";
    }
    if (!wrong && one.audit.n_frames <= NAIVE_FRAMES && one.audit.n_starts < 300) {
        m->n_naive++;
        if (!naive_agrees(&t->spec, w->seed, w->fails, &one.audit, one.sum.scopes))
            wrong = "another order than the plain rules give";
    }
    bounds_free(b);
    world_deinit(&one);
    return wrong;
}

/* For whoever looks into a seed. */
static void print_spec(const GraphSpec *spec, uint32_t p, const Bounds *b)
{
    printf("%u workers; pools of %u and %u\n", p, spec->pools[0].size, spec->pools[1].size);
    for (uint32_t c = 1; c < spec->n_scopes; c++)
        printf("scope %u in %u from step %u: credits %u, max_batches %u, bound %s %lld\n", c,
               spec->scopes[c].parent, spec->scopes[c].generator, b->scopes[c].credits,
               spec->scopes[c].max_batches,
               b->scopes[c].kind == BOUND_WORKERS ? "of workers" : "of credits",
               (long long)b->scopes[c].live);
    for (uint32_t k = 0; k < spec->n_steps; k++) {
        const StepSpec *s = &spec->steps[k];
        printf("step %u in scope %u, priority %d%s", k, s->scope, s->priority,
               s->on_failure == ON_FAILURE_SKIP ? ", skips" : "");
        if (s->opens)
            printf(", opens %u", s->opens);
        if (s->cap || s->pool >= 0)
            printf(", cap %u, pool %d", s->cap, s->pool);
        if (s->retry.n_more)
            printf(", retries %u after %llu ns", s->retry.n_more,
                   (unsigned long long)s->retry.delay_ns);
        if (s->timeout_ns)
            printf(", timeout %llu ns", (unsigned long long)s->timeout_ns);
        printf("%s; reads", s->is_ordered ? ", ordered" : "");
        for (uint32_t in = 0; in < s->n_inputs; in++)
            printf(" %u", s->inputs[in]);
        printf("\n");
    }
    fflush(stdout);
}

/* What is wrong with this seed; NULL: nothing. A quarter of the seeds have no failures,
 * a quarter failing instances, a quarter failing folds and collects that have enough too,
 * and a quarter are cancelled besides. */
static const char *run_seed(uint64_t seed, Met *m, bool is_alone)
{
    TestSpec t;
    uint32_t trouble = seed % 4, p = 1 + (uint32_t)(hash_of(seed) % 4);
    World w = {.seed = seed, .fails = trouble > 0, .folds_fail = trouble > 1};
    spec_random(&t, seed, w.fails);
    Bounds *b = bounds_new(&t.spec, p);
    if (is_alone)
        print_spec(&t.spec, p, b);
    uint64_t stop_ns = trouble == 3 ? 1 + hash_of(seed ^ 3) % 400 : 0;
    world_run(&w, &t.spec, p, b, stop_ns);
    met_spec(m, &t.spec);
    met_run(m, &w, &t.spec, b);
    const char *wrong = w.audit.wrong;
    if (!wrong && trouble < 2)
        wrong = one_worker(&t, &w, m);
    if (!wrong && trouble == 0 && w.sum.state != RUN_DONE)
        wrong = "it did not end well";
    bounds_free(b);
    world_deinit(&w);
    m->n_seeds++;
    return wrong;
}

static uint64_t seed_now;

/* A broken invariant aborts: say which seed it was. */
static void say_seed(int signal_number)
{
    (void)signal_number;
    printf("sched_random_test: seed %llu broke off\n", (unsigned long long)seed_now);
    fflush(stdout);
}

static void print_met(const Met *m)
{
#define N(field) (unsigned long long)m->field
    printf("%llu seeds, %llu events checked, %llu batches\n", N(n_seeds), N(n_events),
           N(n_frames));
    printf("bound of workers attained in %llu of %llu scopes with as many batches, "
           "of credits in %llu of %llu\n",
           N(n_workers_attained), N(n_workers_proved), N(n_credits_attained),
           N(n_credits_proved));
    printf("retries %llu (%llu of generators after batches), late %llu, max_batches %llu, "
           "overdrafts %llu\n",
           N(n_retries), N(n_yields_retried), N(n_late), N(n_max), N(n_overdrafts));
    printf("partial %llu, failed %llu, cancelled %llu; two deep %llu, three deep %llu, "
           "several collects %llu, ordered %llu, broadcast %llu\n",
           N(n_partial), N(n_failed), N(n_cancelled), N(n_two_deep), N(n_three_deep),
           N(n_two_collects), N(n_ordered), N(n_broadcast));
    printf("one worker in the order of the plain rules %llu times, results compared %llu "
           "times\n",
           N(n_naive), N(n_compared));
#undef N
}

/* About half of what was seen, so that no rule goes untested and no bound is idle. */
static void check_met(const Met *m)
{
    uint64_t n = m->n_seeds;
    CHECK(m->n_workers_proved * 5 > n && m->n_credits_proved * 4 > n);
    CHECK(m->n_workers_attained * 2 > m->n_workers_proved);
    CHECK(m->n_credits_attained * 2 > m->n_credits_proved);
    CHECK(m->n_events > n * 50);
    CHECK(m->n_partial * 6 > n && m->n_failed * 16 > n && m->n_cancelled * 16 > n);
    CHECK(m->n_retries * 2 > n && m->n_yields_retried * 8 > n);
    CHECK(m->n_late * 5 > n && m->n_max * 16 > n && m->n_overdrafts == 0);
    CHECK(m->n_two_deep * 5 > n && m->n_three_deep * 8 > n);
    CHECK(m->n_two_collects * 8 > n && m->n_ordered * 12 > n && m->n_broadcast * 3 > n);
    CHECK(m->n_naive * 4 > n && m->n_compared * 4 > n);
}

int main(int argc, char **argv)
{
    uint64_t first = 1, last = N_SEEDS, n_bad = 0;
    Met met = {0};
    if (argc > 1)
        first = last = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        last = strtoull(argv[2], NULL, 10);
    signal(SIGABRT, say_seed);
    for (uint64_t seed = first; seed <= last; seed++) {
        seed_now = seed;
        const char *wrong = run_seed(seed, &met, argc == 2);
        if (wrong && n_bad++ < 5)
            printf("sched_random_test: seed %llu: %s\n", (unsigned long long)seed, wrong);
    }
    CHECK(n_bad == 0);
    if (argc != 2)
        print_met(&met);
    if (met.n_seeds >= 10000) /* fewer say little about what is rare */
        check_met(&met);
    UNIT_END("sched_random_test");
}
