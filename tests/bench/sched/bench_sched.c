/* bench_sched.c - what the scheduler itself costs.
 *
 * Chains of depth 4 with empty bodies from one generator, priorities by depth, trace on.
 * Prints nanoseconds per instance (the generator's dispatches included), medians of 5, and
 * the peak of live batches; then a million batches and what the memory grew by.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "sched/pool.h"

enum { DEPTH = 4, REPEATS = 5 };

static uint32_t n_batches;

static TaskResult run(void *ctx, Task *t)
{
    (void)ctx;
    if (instance_step(t->inst) != 0)
        return TASK_DONE;
    return instance_n_yielded(t->inst) < n_batches ? TASK_YIELDED : TASK_EXHAUSTED;
}

static double run_once(uint32_t n_workers, TraceMode mode, uint32_t *peak)
{
    static const uint32_t inputs[DEPTH] = {0, 1, 2, 3};
    StepSpec steps[1 + DEPTH];
    for (uint32_t k = 0; k <= DEPTH; k++)
        steps[k] = (StepSpec){.name = STR_LIT("step"),
                              .scope = k > 0,
                              .opens = k == 0,
                              .priority = (int32_t)k,
                              .order = k,
                              .pool = SPEC_NO_POOL,
                              .n_inputs = k > 0,
                              .inputs = k > 0 ? &inputs[k - 1] : NULL};
    ScopeSpec scopes[2] = {{.generator = SPEC_NO_STEP}, {.generator = 0}};
    GraphSpec spec = {
        .n_steps = 1 + DEPTH, .n_scopes = 2, .steps = steps, .scopes = scopes};
    Tasks tasks = {.run = run};
    Trace *trace = trace_new(n_workers, mode);
    PoolOptions options = {.n_workers = n_workers, .trace = trace};
    Pool *pool = pool_new(&spec, &tasks, &options);
    PoolSummary summary;
    pool_run(pool, &summary);
    if (summary.steps[DEPTH].n_done != n_batches || summary.state != RUN_DONE) {
        fprintf(stderr, "bench_sched: not all batches were run\n");
        exit(1);
    }
    *peak = summary.scopes[1].peak_live;
    double ns = (double)summary.t_ns / ((double)n_batches * (DEPTH + 1));
    pool_free(pool);
    trace_free(trace);
    return ns;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void bench(uint32_t n_workers, TraceMode mode, const char *mode_name)
{
    double ns[REPEATS];
    uint32_t peak = 0;
    for (int k = 0; k < REPEATS; k++) {
        uint32_t one;
        ns[k] = run_once(n_workers, mode, &one);
        peak = one > peak ? one : peak;
    }
    qsort(ns, REPEATS, sizeof ns[0], by_value);
    printf("%7u batches  %u workers  trace %s  %6.1f ns an instance (%.1f-%.1f)  "
           "%7.1f ns a batch  peak %u live\n",
           n_batches, n_workers, mode_name, ns[REPEATS / 2], ns[0], ns[REPEATS - 1],
           ns[REPEATS / 2] * (DEPTH + 1), peak);
}

static long max_rss_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

int main(void)
{
    uint32_t peak;
    n_batches = 10000;
    run_once(2, TRACE_LAST, &peak);
    long before = max_rss_kib();
    n_batches = 1000000;
    run_once(2, TRACE_LAST, &peak);
    printf("%7u batches  2 workers  at most %ld KiB resident, %ld KiB for 10000  "
           "peak %u live\n",
           n_batches, max_rss_kib(), before, peak);
    n_batches = 100000;
    for (uint32_t p = 1; p <= 2; p++) {
        bench(p, TRACE_LAST, "ring");
        bench(p, TRACE_KEEP, "kept");
    }
    return 0;
}
