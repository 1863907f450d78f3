/* A generator that lends what its next batches are made of, from task to task: whoever is free makes them, in any order, and the
 * generator is left to whoever makes the next one; it takes the loan back when its state is released, be it when all is over. */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

#include "sched/pool.h"
#include "sched_spec.h"

enum { N_BATCHES = 60, ROOM = 3 };

typedef enum Phase { UNMADE, BEGUN, MADE } Phase;

typedef struct Job {
    pthread_mutex_t mu;
    Loan loan;
    Phase phases[N_BATCHES + ROOM];
    uint32_t n_begun, n_yielded;
    uint32_t n_pieces, n_at_once, most_at_once;
    uint32_t fails_at;      /* the generator fails instead of this batch */
    uint32_t stops_at;      /* what is done with this batch fails, and with it the run: the generator's state is left */
    uint32_t n_alien;       /* it ran while another worker was at what it needs */
    uint32_t n_till_stop;   /* pieces that had begun by then */
    bool waits_for_help;    /* the first batch does; there is one credit, so that nothing else is to be done */
    bool is_released;
} Job;

static bool piece(void *ctx, uint32_t worker)
{
    Job *job = ctx;
    (void)worker;
    pthread_mutex_lock(&job->mu);
    bool has = job->n_begun < N_BATCHES && job->n_begun < job->n_yielded + ROOM;
    uint32_t k = job->n_begun;
    if (has) {
        job->phases[k] = BEGUN;
        job->n_begun++;
        job->n_pieces++;
        if (++job->n_at_once > job->most_at_once)
            job->most_at_once = job->n_at_once;
    }
    pthread_mutex_unlock(&job->mu);
    if (!has)
        return false;
    for (volatile int i = 0; i < 3000; i++)
        ;
    pthread_mutex_lock(&job->mu);
    job->phases[k] = MADE;
    job->n_at_once--;
    pthread_mutex_unlock(&job->mu);
    return true;
}

static bool is_at_next(const void *ctx)
{
    Job *job = (Job *)(uintptr_t)ctx;
    pthread_mutex_lock(&job->mu);
    bool is = job->phases[job->n_yielded] == BEGUN;
    pthread_mutex_unlock(&job->mu);
    return is;
}

static TaskResult generate(Job *job, Task *t)
{
    static int batch;
    uint32_t k = instance_n_yielded(t->inst);
    if (!instance_state(t->inst)) {
        instance_set_state(t->inst, job);
        job->loan = (Loan){.ctx = job, .piece = piece, .is_at_next = is_at_next};
        task_lend_on(t, &job->loan);
    }
    if (k == job->fails_at) {
        error_set(&t->err, ERR_FAIL_PERMANENT, "as told");
        return TASK_FAILED;
    }
    if (k == N_BATCHES)
        return TASK_EXHAUSTED;
    pthread_mutex_lock(&job->mu);
    job->n_alien += job->phases[k] == BEGUN; /* begun in between at most: then it is waited for */
    bool is_own = job->phases[k] == UNMADE;
    if (is_own)
        job->phases[job->n_begun++] = MADE;
    bool is_made = false;
    while (!is_made) {
        is_made = job->phases[k] == MADE;
        pthread_mutex_unlock(&job->mu);
        pthread_mutex_lock(&job->mu);
    }
    job->n_yielded = k + 1;
    pthread_mutex_unlock(&job->mu);
    loan_more(&job->loan);
    t->batch = &batch;
    return TASK_YIELDED;
}

static uint32_t n_pieces_of(Job *job)
{
    pthread_mutex_lock(&job->mu);
    uint32_t n = job->n_pieces;
    pthread_mutex_unlock(&job->mu);
    return n;
}

static TaskResult run(void *ctx, Task *t)
{
    if (instance_step(t->inst) == 0)
        return generate(ctx, t);
    Job *job = ctx;
    if (frame_index(instance_frame(t->inst)) == job->stops_at) {
        pthread_mutex_lock(&job->mu);
        job->n_till_stop = job->n_pieces;
        pthread_mutex_unlock(&job->mu);
        error_set(&t->err, ERR_FAIL_PERMANENT, "as told");
        return TASK_FAILED;
    }
    for (volatile int i = 0; i < 2000; i++)
        ;
    /* In the end it gives up, so that the test fails and ends. */
    for (int k = 0; job->waits_for_help && k < 10000 && frame_index(instance_frame(t->inst)) == 0 && !n_pieces_of(job); k++)
        if (task_sleep(t, 1000000, &t->err) != OK)
            return TASK_FAILED;
    return TASK_DONE;
}

static void release_state(void *ctx, uint32_t step, void *state)
{
    Job *job = state;
    (void)ctx;
    CHECK(step == 0);
    loan_take_back(&job->loan);
    loan_take_back(&job->loan); /* of no effect */
    CHECK(job->n_at_once == 0);
    job->is_released = true;
}

static void test(uint32_t n_workers, uint32_t fails_at, uint32_t stops_at, bool waits_for_help)
{
    TestSpec t;
    bool fails = fails_at < N_BATCHES, stops = stops_at < N_BATCHES;
    Job job = {.fails_at = fails_at, .stops_at = stops_at, .waits_for_help = waits_for_help};
    spec_chain(&t, 1, waits_for_help ? 1 : CREDITS_DEFAULT);
    pthread_mutex_init(&job.mu, NULL);
    Tasks tasks = {.ctx = &job, .run = run, .release_state = release_state};
    PoolOptions options = {.n_workers = n_workers};
    Pool *p = pool_new(&t.spec, &tasks, &options);
    PoolSummary s;
    pool_run(p, &s);
    CHECK(s.state == (fails || stops ? RUN_FAILED : RUN_DONE));
    CHECK(stops ? job.n_yielded > stops_at : job.n_yielded == (fails ? fails_at : N_BATCHES));
    CHECK(job.most_at_once <= n_workers);
    CHECK(!stops || n_workers > 1 || job.n_pieces == job.n_till_stop); /* nobody makes what no batch will be made of */
    CHECK(!job.waits_for_help || job.n_pieces > 0);
    pool_free(p);
    CHECK(job.is_released);
    pthread_mutex_destroy(&job.mu);
}

int main(void)
{
    for (uint32_t k = 0; k < 30; k++)
        for (uint32_t n_workers = 1; n_workers <= 4; n_workers++) {
            test(n_workers, UINT32_MAX, UINT32_MAX, false);
            test(n_workers, UINT32_MAX, UINT32_MAX, n_workers > 1);
            test(n_workers, k, UINT32_MAX, false);
            test(n_workers, UINT32_MAX, k, false);
        }
    UNIT_END("pool_lookahead");
}
