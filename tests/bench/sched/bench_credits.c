/* bench_credits.c - what a bound on live batches costs in time when a step is capped.
 *
 * 10,000 batches, read, two transformations and a load that runs one at a time, on 4
 * workers of the simulator (sched/sim.h): the graph of real runs on a virtual clock, so the
 * figures are the same on every machine. Durations are drawn from a seed: half to one and a
 * half times the mean, or (wild) exponential. Prints live batches and makespan for
 * credits of p, 2p, 4p (the default) and any number; medians over 5 seeds. Fails if
 * the default has more than 4p live or takes over 2 % longer than unbounded.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sched/sim.h"

enum { N_BATCHES = 10000, N_WORKERS = 4, N_SEEDS = 5, N_STEPS = 4 };

typedef struct Model {
    const double *mean_ns; /* [N_STEPS] */
    bool is_wild;
    uint64_t seed;
} Model;

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t duration_ns(void *ctx, const Instance *i)
{
    const Model *m = ctx;
    uint64_t key = instance_step(i) == 0 ? instance_n_yielded(i)
                                         : frame_index(instance_frame(i));
    uint64_t bits = mix(m->seed ^ mix(key * N_STEPS + instance_step(i)));
    double u = ((double)(bits >> 11) + 0.5) / 9007199254740992.0; /* 2^53 */
    return (uint64_t)(m->mean_ns[instance_step(i)] * (m->is_wild ? -log(u) : 0.5 + u));
}

static bool has_batch(void *ctx, const Instance *i)
{
    (void)ctx;
    return instance_n_yielded(i) < N_BATCHES;
}

typedef struct Result {
    double makespan_s;
    uint32_t peak;
} Result;

static Result run_once(const Model *model, uint32_t credits)
{
    static const uint32_t inputs[N_STEPS - 1] = {0, 1, 2};
    StepSpec steps[N_STEPS];
    for (uint32_t k = 0; k < N_STEPS; k++)
        steps[k] = (StepSpec){.name = STR_LIT("step"),
                              .scope = k > 0,
                              .opens = k == 0,
                              .priority = (int32_t)k,
                              .order = k,
                              .cap = k == N_STEPS - 1,
                              .pool = SPEC_NO_POOL,
                              .n_inputs = k > 0,
                              .inputs = k > 0 ? &inputs[k - 1] : NULL};
    ScopeSpec scopes[2] = {{.generator = SPEC_NO_STEP},
                           {.generator = 0, .in_flight = credits}};
    GraphSpec spec = {.n_steps = N_STEPS, .n_scopes = 2, .steps = steps, .scopes = scopes};
    SimModel sim = {
        .ctx = (void *)model, .duration_ns = duration_ns, .has_batch = has_batch};
    SimOptions options = {.n_workers = N_WORKERS};
    SimSummary out;
    sim_run(&spec, &sim, &options, &out);
    if (out.state != RUN_DONE || out.steps[N_STEPS - 1].n_done != N_BATCHES) {
        fprintf(stderr, "bench_credits: not all batches were loaded\n");
        exit(1);
    }
    Result r = {.makespan_s = (double)out.makespan_ns / 1e9, .peak = out.scopes[1].peak_live};
    sim_summary_deinit(&out);
    return r;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median makespan, the highest peak. */
static Result run_seeds(Model *model, uint32_t credits)
{
    double makespans[N_SEEDS];
    Result all = {0};
    for (uint32_t k = 0; k < N_SEEDS; k++) {
        model->seed = k + 1;
        Result r = run_once(model, credits);
        makespans[k] = r.makespan_s;
        all.peak = r.peak > all.peak ? r.peak : all.peak;
    }
    qsort(makespans, N_SEEDS, sizeof makespans[0], by_value);
    all.makespan_s = makespans[N_SEEDS / 2];
    return all;
}

static bool row_print(const char *name, double load_ms, bool is_wild)
{
    const double mean_ns[N_STEPS] = {100000, 1000000, 1000000, load_ms * 1e6};
    static const uint32_t credits[] = {N_WORKERS, 2 * N_WORKERS, CREDITS_DEFAULT,
                                       CREDITS_UNBOUNDED};
    enum { N_CREDITS = sizeof credits / sizeof credits[0] };
    Model model = {.mean_ns = mean_ns, .is_wild = is_wild};
    Result r[N_CREDITS];
    for (int k = 0; k < N_CREDITS; k++)
        r[k] = run_seeds(&model, credits[k]);
    double best = r[N_CREDITS - 1].makespan_s;
    printf("%-34s", name);
    for (int k = 0; k < N_CREDITS; k++)
        printf("  %5u %7.3f s %+5.1f %%", r[k].peak, r[k].makespan_s,
               (r[k].makespan_s / best - 1) * 100);
    printf("\n");
    return r[2].peak <= 4 * N_WORKERS && r[2].makespan_s <= 1.02 * best;
}

int main(void)
{
    bool is_good = true;
    printf("%-34s  %-23s  %-23s  %-23s  %s\n", "live at most and makespan, credits:", "p",
           "2p", "4p (default)", "unbounded");
    /* The other steps keep 4 workers busy for (2.1 + load) / 4 ms a batch. */
    is_good &= row_print("load is the bottleneck, 0.9 ms", 0.9, false);
    is_good &= row_print("load is not quite, 0.65 ms", 0.65, false);
    is_good &= row_print("load is far from it, 0.3 ms", 0.3, false);
    is_good &= row_print("bottleneck, wild durations", 0.9, true);
    is_good &= row_print("not quite, wild durations", 0.65, true);
    if (!is_good)
        printf("the default misses the bar: at most 4p live, at most 2 %% longer\n");
    return !is_good;
}
