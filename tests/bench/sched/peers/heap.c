/* heap.c - the pool that people write: one mutex, one condition variable, a binary heap by
 * priority and age. The generator pushes a first task for every batch; a task that ends
 * pushes the next one of its chain. */
#include "peers.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct Job {
    uint32_t priority; /* its place in the chain; 0: the generator */
    uint32_t batch;    /* less is older */
} Job;

typedef struct HeapPool {
    PeerRun *run;
    pthread_mutex_t mu;
    pthread_cond_t wake;
    Job *jobs; /* heap */
    uint32_t n_jobs, cap_jobs;
    uint32_t n_left; /* batches that are not through */
    PeerLive live;
    PeerCount counts[PEER_MAX_WORKERS];
} HeapPool;

typedef struct HeapWorker {
    HeapPool *pool;
    uint32_t index;
} HeapWorker;

static bool before(Job a, Job b)
{
    return a.priority != b.priority ? a.priority > b.priority : a.batch < b.batch;
}

static void push_locked(HeapPool *p, Job job)
{
    if (p->n_jobs == p->cap_jobs) {
        p->cap_jobs = p->cap_jobs ? 2 * p->cap_jobs : 64;
        p->jobs = realloc(p->jobs, p->cap_jobs * sizeof *p->jobs);
        if (!p->jobs)
            abort();
    }
    uint32_t k = p->n_jobs++;
    while (k > 0 && before(job, p->jobs[(k - 1) / 2])) {
        p->jobs[k] = p->jobs[(k - 1) / 2];
        k = (k - 1) / 2;
    }
    p->jobs[k] = job;
}

static Job pop_locked(HeapPool *p)
{
    Job first = p->jobs[0], last = p->jobs[--p->n_jobs];
    uint32_t k = 0, child;
    while ((child = 2 * k + 1) < p->n_jobs) {
        if (child + 1 < p->n_jobs && before(p->jobs[child + 1], p->jobs[child]))
            child++;
        if (!before(p->jobs[child], last))
            break;
        p->jobs[k] = p->jobs[child];
        k = child;
    }
    p->jobs[k] = last;
    return first;
}

static void submit(HeapPool *p, Job job)
{
    pthread_mutex_lock(&p->mu);
    push_locked(p, job);
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->mu);
}

static void chain_ended(HeapPool *p)
{
    if (p->run->counts_live)
        peer_died(&p->live);
    pthread_mutex_lock(&p->mu);
    if (--p->n_left == 0)
        pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mu);
}

static void job_run(HeapPool *p, Job job, PeerCount *count)
{
    if (job.priority > 0) {
        count->n++;
        if (job.priority < PEER_DEPTH)
            submit(p, (Job){.priority = job.priority + 1, .batch = job.batch});
        else
            chain_ended(p);
        return;
    }
    for (uint32_t k = 0; k < p->run->n_batches; k++) {
        count->n++;
        if (p->run->counts_live)
            peer_born(&p->live);
        submit(p, (Job){.priority = 1, .batch = k});
    }
}

static void *worker_main(void *arg)
{
    HeapWorker *w = arg;
    HeapPool *p = w->pool;
    for (;;) {
        pthread_mutex_lock(&p->mu);
        while (p->n_jobs == 0 && p->n_left > 0)
            pthread_cond_wait(&p->wake, &p->mu);
        if (p->n_left == 0) {
            pthread_mutex_unlock(&p->mu);
            return NULL;
        }
        Job job = pop_locked(p);
        pthread_mutex_unlock(&p->mu);
        job_run(p, job, &p->counts[w->index]);
    }
}

void peer_heap(PeerRun *r)
{
    HeapPool *p = calloc(1, sizeof *p);
    pthread_t threads[PEER_MAX_WORKERS];
    HeapWorker workers[PEER_MAX_WORKERS];
    if (!p || r->n_workers > PEER_MAX_WORKERS)
        abort();
    p->run = r;
    p->n_left = r->n_batches;
    pthread_mutex_init(&p->mu, NULL);
    pthread_cond_init(&p->wake, NULL);
    double start = peer_now_ns();
    submit(p, (Job){.priority = 0});
    for (uint32_t k = 0; k < r->n_workers; k++) {
        workers[k] = (HeapWorker){.pool = p, .index = k};
        if (k > 0 && pthread_create(&threads[k], NULL, worker_main, &workers[k]) != 0)
            abort();
    }
    worker_main(&workers[0]);
    for (uint32_t k = 1; k < r->n_workers; k++)
        pthread_join(threads[k], NULL);
    r->ns = peer_now_ns() - start;
    r->n_bodies = peer_total(p->counts);
    r->peak_live = p->live.peak;
    free(p->jobs);
    free(p);
}
