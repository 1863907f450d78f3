/* Time on the virtual clock: waiting goes on side by side, processors are shared, folds take
 * a worker. */
#include "unit.h"

#include "sched/sim.h"
#include "sched_spec.h"

typedef struct World {
    uint64_t wait_ns, cpu_ns;  /* of every step below the generator */
    uint64_t fold_ns;
    uint32_t n_batches;
    uint32_t n_failing;        /* attempts of step 1 at batch 0 that fail */
    bool gives_up;
    uint64_t first_end_ns;     /* of step 1 */
} World;

static uint64_t duration(void *ctx, const Instance *i)
{
    const World *w = ctx;
    return instance_step(i) == 1 ? w->wait_ns + w->cpu_ns : 0;
}

static uint64_t cpu(void *ctx, const Instance *i)
{
    return instance_step(i) == 1 ? ((World *)ctx)->cpu_ns : 0;
}

static uint64_t fold(void *ctx, const Fold *f)
{
    (void)f;
    return ((World *)ctx)->fold_ns;
}

static bool has_batch(void *ctx, const Instance *i)
{
    return instance_n_yielded(i) < ((World *)ctx)->n_batches;
}

static bool fails(void *ctx, const Instance *i)
{
    return instance_step(i) == 1 && frame_index(instance_frame(i)) == 0 &&
           instance_attempt(i) <= ((World *)ctx)->n_failing;
}

static bool gives_up(void *ctx, const Instance *i)
{
    (void)i;
    return ((World *)ctx)->gives_up;
}

static void on_event(void *ctx, const TraceEvent *e, const Error *err)
{
    World *w = ctx;
    (void)err;
    if (e->kind == TRACE_END && e->step == 1 && w->first_end_ns == 0)
        w->first_end_ns = e->t_ns;
}

static SimSummary run(const TestSpec *t, World *w, uint32_t n_workers, uint32_t n_processors)
{
    SimSummary s;
    Observer observer = {.ctx = w, .event = on_event};
    SimModel model = {.ctx = w, .duration_ns = duration, .cpu_ns = cpu, .has_batch = has_batch,
                      .fails = fails, .gives_up = gives_up,
                      .fold_ns = w->fold_ns ? fold : NULL};
    SimOptions options = {.n_workers = n_workers, .n_processors = n_processors, .check = true,
                          .observer = &observer};
    w->first_end_ns = 0;
    sim_run(&t->spec, &model, &options, &s);
    sim_summary_deinit(&s); /* what is looked at are its numbers */
    return s;
}

/* A generator, a step, and perhaps a collect. */
static void spec_of(TestSpec *t, bool has_collect)
{
    spec_chain(t, 1, 0);
    if (has_collect)
        spec_input(t, spec_step(t, 0, "collect"), 1);
}

static void test_processors(void)
{
    TestSpec t;
    spec_of(&t, false);
    World w = {.cpu_ns = 1000, .n_batches = 8};
    CHECK(run(&t, &w, 1, 2).makespan_ns == 8000);
    CHECK(run(&t, &w, 2, 2).makespan_ns == 4000);
    CHECK(run(&t, &w, 4, 2).makespan_ns == 4000 && w.first_end_ns == 2000); /* half as fast */
    CHECK(run(&t, &w, 8, 2).makespan_ns == 4000 && w.first_end_ns == 4000);
    CHECK(run(&t, &w, 8, 0).makespan_ns == 1000); /* as many as it takes */
    CHECK(run(&t, &w, 8, 3).makespan_ns == 2667);
    /* All of the time that a worker is held up by others counts. */
    CHECK(run(&t, &w, 4, 2).busy_ns == 16000);
    w = (World){.wait_ns = 1000, .n_batches = 8};
    CHECK(run(&t, &w, 8, 1).makespan_ns == 1000); /* waiting needs none */
}

static void test_mixed(void)
{
    TestSpec t;
    spec_of(&t, false);
    World w = {.wait_ns = 1000, .cpu_ns = 500, .n_batches = 4};
    CHECK(run(&t, &w, 1, 1).makespan_ns == 6000);
    CHECK(run(&t, &w, 4, 1).makespan_ns == 3000); /* wait together, then share one */
    CHECK(run(&t, &w, 4, 4).makespan_ns == 1500);
    CHECK(run(&t, &w, 2, 1).makespan_ns == 4000);
}

static void test_timeout(void)
{
    TestSpec t;
    spec_of(&t, false);
    t.steps[1].timeout_ns = 1500;
    t.steps[1].on_failure = ON_FAILURE_SKIP;
    World w = {.cpu_ns = 1000, .n_batches = 2};
    CHECK(run(&t, &w, 2, 2).state == RUN_DONE);
    SimSummary s = run(&t, &w, 2, 1); /* sharing makes both late */
    CHECK(s.state == RUN_PARTIAL && s.makespan_ns == 1500);
}

/* Folds of one collect come one after another, each on a worker. */
static void test_folds(void)
{
    TestSpec t;
    spec_of(&t, true);
    World w = {.wait_ns = 1000, .fold_ns = 100, .n_batches = 4};
    CHECK(run(&t, &w, 4, 0).makespan_ns == 1400);
    CHECK(run(&t, &w, 1, 0).makespan_ns == 4400);
    CHECK(run(&t, &w, 1, 0).busy_ns == 4400);
    w.fold_ns = 2000; /* the collect is the bottleneck: one batch, then four folds */
    CHECK(run(&t, &w, 4, 0).makespan_ns == 9000);
    w.fold_ns = 0;
    CHECK(run(&t, &w, 4, 0).makespan_ns == 1000);
}

static void test_gives_up(void)
{
    TestSpec t;
    spec_of(&t, false);
    t.steps[1].retry = (RetrySpec){.n_more = 3, .delay_ns = 10};
    World w = {.wait_ns = 100, .n_batches = 1, .n_failing = 2};
    SimSummary s = run(&t, &w, 1, 0);
    CHECK(s.state == RUN_DONE && s.makespan_ns == 320);
    w.gives_up = true;
    s = run(&t, &w, 1, 0);
    CHECK(s.state == RUN_FAILED && s.makespan_ns == 100);
}

int main(void)
{
    test_processors();
    test_mixed();
    test_timeout();
    test_folds();
    test_gives_up();
    UNIT_END("sim");
}
