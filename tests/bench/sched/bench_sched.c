/* bench_sched.c - what the scheduler itself costs, next to others.
 *
 * Chains of depth 4 with empty bodies from one generator, priorities by depth, trace on.
 * First a million batches and what memory they took; then nanoseconds per instance (the
 * generator's dispatches included), medians of 5, and the most batches that lived at once,
 * for 100,000 batches, ours and the peers' of peers/. Whether all bodies were run is
 * checked each time. Rounds of all rows take turns, so that what else the machine
 * does meets all of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "peers/peers.h"
#include "sched/pool.h"

enum { DEPTH = PEER_DEPTH, REPEATS = 5, MOST_WORKERS = 2 };

typedef struct Chains {
    uint32_t n_batches;
    PeerCount counts[MOST_WORKERS];
} Chains;

static TaskResult run(void *ctx, Task *t)
{
    Chains *c = ctx;
    if (instance_step(t->inst) == 0 && instance_n_yielded(t->inst) == c->n_batches)
        return TASK_EXHAUSTED;
    c->counts[t->worker].n++;
    return instance_step(t->inst) == 0 ? TASK_YIELDED : TASK_DONE;
}

static void ours(PeerRun *r, Trace *trace, const Observer *observer)
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
    Chains chains = {.n_batches = r->n_batches};
    Tasks tasks = {.ctx = &chains, .run = run};
    PoolOptions options = {.n_workers = r->n_workers, .trace = trace, .observer = observer};
    Pool *pool = pool_new(&spec, &tasks, &options);
    PoolSummary summary;
    pool_run(pool, &summary);
    r->ns = (double)summary.t_ns;
    r->n_bodies = 0;
    for (uint32_t k = 0; k < r->n_workers; k++)
        r->n_bodies += chains.counts[k].n;
    r->peak_live = summary.scopes[1].peak_live;
    pool_free(pool);
}

static void nothing_to_do(void *ctx, const TraceEvent *e, const Error *err)
{
    (void)ctx, (void)e, (void)err;
}

static void ours_told(PeerRun *r)
{
    static const Observer observer = {.event = nothing_to_do};
    ours(r, NULL, &observer);
}

static void ours_kept(PeerRun *r)
{
    Trace *trace = trace_new(r->n_workers);
    ours(r, trace, NULL);
    trace_free(trace);
}

typedef struct Row {
    const char *name, *needs;
    void (*run)(PeerRun *r);
    double ns[MOST_WORKERS][REPEATS];
    double cpu_ns[REPEATS]; /* processor time, 1 worker: what others do hardly shows in it */
    uint32_t peak[MOST_WORKERS];
} Row;

static double cpu_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double run_checked(Row *row, PeerRun *r)
{
    row->run(r);
    if (r->n_bodies != (uint64_t)r->n_batches * (1 + DEPTH)) {
        fprintf(stderr, "bench_sched: %s: not all bodies were run\n", row->name);
        exit(1);
    }
    return r->ns / (double)r->n_bodies;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void row_print(Row *row)
{
    if (!row->run) {
        printf("%-36s  skipped: it needs %s\n", row->name, row->needs);
        return;
    }
    qsort(row->cpu_ns, REPEATS, sizeof row->cpu_ns[0], by_value);
    printf("%-36s  %7.1f", row->name, row->cpu_ns[REPEATS / 2]);
    for (uint32_t p = 0; p < MOST_WORKERS; p++) {
        double *ns = row->ns[p];
        qsort(ns, REPEATS, sizeof ns[0], by_value);
        printf("  %7.1f (%6.1f-%6.1f) %6u", ns[REPEATS / 2], ns[0], ns[REPEATS - 1],
               row->peak[p]);
    }
    printf("\n");
}

static void table(void)
{
    Row rows[] = {
        {.name = "pipemill, events told", .run = ours_told},
        {.name = "pipemill, trace kept", .run = ours_kept},
        {.name = "oneTBB flow graph, limiter, priority",
         .run = peer_tbb,
         .needs = "libtbb-dev and a C++ compiler"},
        {.name = "OpenMP tasks, depend, priority",
         .run = peer_omp,
         .needs = "a compiler with -fopenmp"},
        {.name = "mutex, condvar, binary heap", .run = peer_heap},
    };
    enum { N_ROWS = sizeof rows / sizeof rows[0] };
    for (uint32_t p = 1; p <= MOST_WORKERS; p++) {
        for (int k = 0; k < N_ROWS; k++) {
            PeerRun r = {.n_batches = 100000, .n_workers = p, .counts_live = true};
            if (!rows[k].run)
                continue;
            run_checked(&rows[k], &r); /* and warms up */
            rows[k].peak[p - 1] = r.peak_live;
        }
        for (int n = 0; n < REPEATS; n++) {
            for (int k = 0; k < N_ROWS; k++) {
                PeerRun r = {.n_batches = 100000, .n_workers = p};
                if (!rows[k].run)
                    continue;
                double before = cpu_now_ns();
                rows[k].ns[p - 1][n] = run_checked(&rows[k], &r);
                if (p == 1)
                    rows[k].cpu_ns[n] = (cpu_now_ns() - before) / (double)r.n_bodies;
            }
        }
    }
    printf("\n%-36s  %7s  %-31s  %s\n", "ns an instance, 100,000 chains of 4", "1: cpu",
           "1 worker (range)    peak live", "2 workers (range)   peak live");
    for (int k = 0; k < N_ROWS; k++)
        row_print(&rows[k]);
#if defined(__clang__)
    printf("compiler: clang " __clang_version__);
#else
    printf("compiler: gcc " __VERSION__);
#endif
    printf("; oneTBB: %s\n", peer_tbb_version ? peer_tbb_version() : "none");
}

static long max_rss_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void memory(void)
{
    Row row = {.name = "pipemill", .run = ours_told};
    PeerRun r = {.n_batches = 10000, .n_workers = 2};
    run_checked(&row, &r);
    long before = max_rss_kib();
    r.n_batches = 1000000;
    run_checked(&row, &r);
    long after = max_rss_kib();
    printf("resident at most, 2 workers: %ld KiB for 10,000 batches, %ld KiB for 1,000,000 "
           "(%.2f times)\n",
           before, after, (double)after / (double)before);
}

int main(int argc, char **argv)
{
    /* OpenMP reads this before main. */
    if (argc > 0 && peer_omp && !getenv("OMP_MAX_TASK_PRIORITY")) {
        setenv("OMP_MAX_TASK_PRIORITY", "8", 1);
        execv(argv[0], argv);
    }
    memory();
    table();
    return 0;
}
