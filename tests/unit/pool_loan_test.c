/* What a task lends: idle workers are called for it, it keeps its place among what is ready, with one worker nobody comes, and
 * what they did is told. */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

#include "sched/pool.h"
#include "sched_spec.h"

enum { N_PIECES = 8, N_BATCHES = 3 };

typedef struct Job {
    pthread_mutex_t mu;
    pthread_cond_t change;
    uint32_t n_workers;
    bool has_lent;
    uint32_t n_left, n_done;
    uint32_t n_by_lender;       /* pieces that the lender's worker did */
    uint32_t lender;            /* its worker */
    uint32_t n_yielded;         /* batches so far */
    uint32_t yielded_at_first, yielded_at_last; /* when the first and the last piece of those lent at first was done */
    bool is_later_first;        /* step 2 of batch 0 began before any piece */
    bool has_lender_ended;      /* so the observer was told ... */
    uint32_t n_told, n_wrong;   /* ... and of so many pieces, some of them not as they were */
} Job;

static bool piece(void *ctx, uint32_t worker)
{
    Job *job = ctx;
    pthread_mutex_lock(&job->mu);
    bool has = job->n_left > 0;
    if (has) {
        job->n_left--;
        job->n_by_lender += worker == job->lender;
        if (job->n_done++ == 0)
            job->yielded_at_first = job->n_yielded;
        if (job->n_done == N_PIECES)
            job->yielded_at_last = job->n_yielded;
        pthread_cond_broadcast(&job->change);
    }
    pthread_mutex_unlock(&job->mu);
    return has;
}

/* Lends, and does nothing itself until others have done it, if there are others. There is more later. */
static void lend_all(Job *job, Task *t)
{
    Loan loan = {.ctx = job, .piece = piece};
    pthread_mutex_lock(&job->mu);
    job->n_left = N_PIECES;
    job->lender = t->worker;
    pthread_mutex_unlock(&job->mu);
    task_lend(t, &loan);
    pthread_mutex_lock(&job->mu);
    job->has_lent = true;
    pthread_cond_broadcast(&job->change);
    while (job->n_workers > 1 && job->n_left)
        pthread_cond_wait(&job->change, &job->mu);
    job->n_left += N_PIECES;
    pthread_mutex_unlock(&job->mu);
    loan_more(&loan);
    pthread_mutex_lock(&job->mu);
    while (job->n_workers > 1 && job->n_left)
        pthread_cond_wait(&job->change, &job->mu);
    pthread_mutex_unlock(&job->mu);
    loan_take_back(&loan);
}

/* Step 1 lends in batch 1; that of batch 0 ends only when it has. */
static TaskResult run(void *ctx, Task *t)
{
    Job *job = ctx;
    static int batch;
    uint32_t step = instance_step(t->inst), key = frame_index(instance_frame(t->inst));
    if (step == 0) {
        t->batch = &batch;
        pthread_mutex_lock(&job->mu);
        bool is_over = job->n_yielded == N_BATCHES;
        job->n_yielded += !is_over;
        pthread_mutex_unlock(&job->mu);
        return is_over ? TASK_EXHAUSTED : TASK_YIELDED;
    }
    if (step == 1 && key == 1)
        lend_all(job, t);
    pthread_mutex_lock(&job->mu);
    while (step == 1 && key == 0 && job->n_workers > 1 && !job->has_lent)
        pthread_cond_wait(&job->change, &job->mu);
    job->is_later_first |= step == 2 && key == 0 && job->n_done == 0;
    pthread_mutex_unlock(&job->mu);
    return TASK_DONE;
}

/* A piece is told before its lender's end, so that who counts its time has all of it by then. */
static void on_event(void *ctx, const TraceEvent *e, const Error *err)
{
    Job *job = ctx;
    pthread_mutex_lock(&job->mu);
    bool is_lender = e->step == 1 && e->worker == job->lender && job->has_lent;
    if (e->kind == TRACE_END && is_lender)
        job->has_lender_ended = true;
    if (e->kind == TRACE_HELP) {
        job->n_told++;
        job->n_wrong += err || job->has_lender_ended || e->step != 1 || e->attempt != 1 || e->outcome != OUTCOME_DONE ||
                        e->worker == job->lender || e->worker >= job->n_workers || e->value > e->t_ns;
    }
    pthread_mutex_unlock(&job->mu);
}

/* Every piece is in the trace once: in the batch of the lender, and after what its worker did before. */
static void trace_check(const Trace *trace, const Job *job)
{
    size_t n;
    TraceEvent *events = trace_sorted(trace, &n);
    uint64_t until_ns[4] = {0};
    uint32_t frame = 0, n_helps = 0;
    for (size_t i = 0; i < n; i++)
        if (events[i].kind == TRACE_OPEN && events[i].info == 1)
            frame = events[i].frame;
    for (size_t i = 0; i < n; i++) {
        const TraceEvent *e = &events[i];
        if (e->kind == TRACE_HELP) {
            n_helps++;
            CHECK(e->frame == frame && e->value >= until_ns[e->worker]);
        }
        until_ns[e->worker] = e->t_ns;
    }
    CHECK(n_helps == job->n_done);
    free(events);
}

static void test_workers(uint32_t n_workers)
{
    TestSpec t;
    Job job = {.n_workers = n_workers};
    spec_chain(&t, 2, 8);
    pthread_mutex_init(&job.mu, NULL);
    pthread_cond_init(&job.change, NULL);
    Tasks tasks = {.ctx = &job, .run = run};
    Observer observer = {.ctx = &job, .event = on_event};
    Trace *trace = trace_new(n_workers);
    PoolOptions options = {.n_workers = n_workers, .observer = &observer, .trace = trace};
    Pool *p = pool_new(&t.spec, &tasks, &options);
    PoolSummary s;
    pool_run(p, &s);
    CHECK(s.state == RUN_DONE && s.steps[2].n_done == N_BATCHES);
    CHECK(job.n_done == (n_workers > 1 ? 2 * N_PIECES : 0));
    CHECK(job.n_by_lender == 0 && job.n_told == job.n_done && job.n_wrong == 0);
    trace_check(trace, &job);
    /* With two, the other one does step 2 of batch 0 first, then all pieces that there are, and only then loads more. */
    if (n_workers == 2)
        CHECK(job.is_later_first && job.yielded_at_first == job.yielded_at_last && job.yielded_at_first == 2);
    pool_free(p);
    trace_free(trace);
    pthread_mutex_destroy(&job.mu);
    pthread_cond_destroy(&job.change);
}

int main(void)
{
    for (int k = 0; k < 50; k++)
        for (uint32_t n_workers = 1; n_workers <= 4; n_workers++)
            test_workers(n_workers);
    UNIT_END("pool_loan");
}
