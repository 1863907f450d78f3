/* A recorded run played again: by its own workers it is the same run, by others what these would
 * have given; what was not recorded is like what was. */
#include "unit.h"

#include "api/sim_model.h"
#include "recordings.h"

/* Simulates from a recording. batches[scope].is_known: instead of those recorded. */
static uint64_t replay(const Sample *s, const Recording *run, const BatchCount *batches,
                       uint32_t n_workers, uint64_t seed, RunState *state)
{
    static const BatchCount as_recorded[MAX_SCOPES];
    uint32_t step_of[MAX_STEPS];
    Arena *a = arena_open();
    for (uint32_t i = 0; i < s->spec.spec.n_steps; i++)
        step_of[i] = i;
    TimeModel m = {.arena = a, .spec = &s->spec.spec, .seed = seed,
                   .batches = batches ? batches : as_recorded,
                   .recorded = recorded_make(a, &s->spec.spec, run, step_of)};
    SimModel model = time_model(&m);
    SimOptions options = {.n_workers = n_workers, .check = true};
    SimSummary out;
    sim_run(&s->spec.spec, &model, &options, &out);
    sim_summary_deinit(&out);
    arena_close(a);
    if (state)
        *state = out.state;
    return out.makespan_ns;
}

/* What the sample's own model gives with other workers. */
static uint64_t direct(Sample *s, uint32_t n_workers)
{
    uint32_t before = s->n_workers;
    s->n_workers = n_workers;
    Recording *r = sample_record(s, "direct");
    uint64_t t_ns = r->t_ns;
    s->n_workers = before;
    recording_free(r);
    return t_ns;
}

static void same_again(Sample *s)
{
    Recording *run = sample_record(s, "recorded");
    RunState state;
    for (uint32_t n = 1; n <= 8; n *= 2) {
        CHECK(replay(s, run, NULL, n, 7, &state) == direct(s, n));
        CHECK(state == run->state);
    }
    recording_free(run);
}

static void test_same(void)
{
    Sample s;
    sample_init(&s, true, 4, 0, SECOND);
    same_again(&s);
    sample_init(&s, false, 4, 9, SECOND);
    same_again(&s);
    sample_init(&s, false, 3, 7, 1234567);
    spec_input(&s.spec, spec_step(&s.spec, 0, "total"), 3); /* a collect */
    same_again(&s);
}

/* extract gives batches, each of which is cut into others; transformed, collected, collected. */
static void test_nested(void)
{
    Sample s;
    sample_init(&s, false, 2, 5, 3000000);
    uint32_t cut = spec_step(&s.spec, 1, "extract_parts");
    spec_input(&s.spec, cut, 3);
    uint32_t inner = spec_opens(&s.spec, cut, CREDITS_DEFAULT);
    uint32_t each = spec_step(&s.spec, inner, "transform_part");
    spec_input(&s.spec, each, cut);
    uint32_t gathered = spec_step(&s.spec, 1, "gather");
    spec_input(&s.spec, gathered, each);
    spec_input(&s.spec, spec_step(&s.spec, 0, "total"), gathered);
    same_again(&s);
}

/* A failed attempt fails again, a failure that ended the run ends it again. */
static void test_failures(void)
{
    Sample s;
    sample_init(&s, false, 3, 7, 1234567);
    s.fail_step = 2;
    s.fail_key = 3;
    s.spec.steps[2].retry = (RetrySpec){.n_more = 1, .delay_ns = 777};
    same_again(&s);
    s.spec.steps[2].retry = (RetrySpec){0};
    s.spec.steps[2].on_failure = ON_FAILURE_SKIP;
    same_again(&s);
    s.spec.steps[2].on_failure = ON_FAILURE_FAIL;
    Recording *run = sample_record(&s, "failed");
    RunState state;
    replay(&s, run, NULL, 1, 7, &state);
    CHECK(state == RUN_FAILED);
    /* A later attempt of the program cannot help: the failure was for good. */
    s.spec.steps[2].retry = (RetrySpec){.n_more = 5, .delay_ns = 777};
    replay(&s, run, NULL, 1, 7, &state);
    CHECK(state == RUN_FAILED);
    recording_free(run);
}

static uint64_t by_key(void *ctx, const Instance *i)
{
    if (instance_step(i) == 1)
        return 100000 * (1 + frame_index(instance_frame(i)));
    return sample_duration(ctx, i);
}

/* More batches than recorded: as those that were. */
static void test_drawn(void)
{
    Sample s;
    sample_init(&s, false, 2, 5, 1000000);
    s.duration_ns = by_key;
    Recording *run = sample_record(&s, "few");
    BatchCount batches[MAX_SCOPES] = {[1] = {.is_known = true, .n = 500}};
    uint64_t many = replay(&s, run, batches, 1, 7, NULL);
    CHECK(many == replay(&s, run, batches, 1, 7, NULL));
    CHECK(many != replay(&s, run, batches, 1, 8, NULL));
    /* extract 0.8, transform_1 0.1 to 0.5, transform_2 1, load 0.3 ms; 0.8 for the last look. */
    double mean_ms = (double)many / 1e6 / 500;
    CHECK(mean_ms > 2.1 + 0.25 && mean_ms < 2.1 + 0.35);
    batches[1].n = 2;
    CHECK(replay(&s, run, batches, 1, 7, NULL) < many / 100);
    batches[1].n = 0;
    CHECK(replay(&s, run, batches, 1, 7, NULL) == 800000);
    recording_free(run);
}

/* Of what was measured only a processor and sleep count: the rest others had the processors. */
static void test_measured(void)
{
    Sample s;
    sample_init(&s, true, 1, 0, SECOND);
    s.shares = trace_shares(100, 400, 1000);
    Recording *run = sample_record(&s, "crowded");
    uint64_t t_ns = replay(&s, run, NULL, 1, 7, NULL);
    CHECK(t_ns > run->t_ns / 2 - 100000 && t_ns < run->t_ns / 2 + 100000);
    recording_free(run);
}

int main(void)
{
    test_same();
    test_nested();
    test_failures();
    test_drawn();
    test_measured();
    UNIT_END("sim_model");
}
