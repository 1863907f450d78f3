#include "sched/pool_int.h"

#include <assert.h>
#include <stdlib.h>

#include "sched/bound.h"

static void *worker_main(void *arg)
{
    Worker *w = arg;
    worker_loop(w->task.pool, w);
    return NULL;
}

static uint64_t *limits_new(const GraphSpec *spec, uint32_t n_workers)
{
    Bounds *b = bounds_new(spec, n_workers);
    uint64_t *limit = xcalloc(spec->n_scopes, sizeof *limit);
    for (uint32_t c = 0; c < spec->n_scopes; c++)
        limit[c] = b->scopes[c].live;
    bounds_free(b);
    return limit;
}

static void worker_init(Pool *p, uint32_t k, Trace *trace)
{
    Worker *w = &p->workers[k];
    w->task.pool = p;
    w->task.worker = k;
    w->trace = trace ? trace_buffer(trace, k) : NULL;
    w->is_observed = p->options.observer != NULL;
}

Pool *pool_new(const GraphSpec *spec, const Tasks *tasks, const PoolOptions *options)
{
    Pool *p = xcalloc(1, sizeof *p);
    p->spec = spec;
    p->tasks = *tasks;
    p->options = *options;
    Trace *trace = options->trace;
    if (options->observer && !trace)
        trace = p->own_trace = trace_new(options->n_workers);
    assert(options->n_workers >= 1 && options->n_workers <= UINT16_MAX);
    p->workers = xcalloc(options->n_workers, sizeof *p->workers);
    for (uint32_t k = 0; k < options->n_workers; k++)
        worker_init(p, k, trace);
    monitor_init(&p->monitor, options->n_workers);
    pthread_mutex_init(&p->sleep_mu, NULL);
    monitor_cond_init(&p->sleep_wake);
    pthread_cond_init(&p->loan_idle, NULL);
    atomic_init(&p->at_once, false);
    atomic_init(&p->in_vain, false);
    GraphHooks hooks = pool_hooks(p);
    p->current = &p->workers[0];
    p->graph = graph_open(spec, options->n_workers, &hooks);
    if (IS_CHECKED)
        p->limit = limits_new(spec, options->n_workers);
    return p;
}

static RunState run_state(const Pool *p)
{
    if (p->is_failed)
        return RUN_FAILED;
    if (p->is_cancelled && !graph_is_complete(p->graph))
        return RUN_CANCELLED;
    return p->n_failures ? RUN_PARTIAL : RUN_DONE;
}

void pool_run(Pool *p, PoolSummary *out)
{
    uint32_t n_started = 1;
    p->t0_ns = (uint64_t)clock_now_ns();
    /* Fewer threads than asked for are a slower run, not a failed one. */
    while (n_started < p->options.n_workers &&
           pthread_create(&p->workers[n_started].thread, NULL, worker_main,
                          &p->workers[n_started]) == 0)
        n_started++;
    worker_loop(p, &p->workers[0]);
    for (uint32_t k = 1; k < n_started; k++)
        pthread_join(p->workers[k].thread, NULL);
    assert(graph_is_stopping(p->graph) || graph_is_complete(p->graph));
    *out = (PoolSummary){.state = run_state(p),
                         .t_ns = pool_now_ns(p),
                         .steps = graph_steps(p->graph),
                         .scopes = graph_scopes(p->graph),
                         .n_failures = p->n_failures,
                         .n_kept = p->n_kept,
                         .failures = p->failures};
}

void pool_free(Pool *p)
{
    if (!p)
        return;
    Worker *w = p->current = &p->workers[0];
    w->trace = NULL;
    graph_close(p->graph);
    worker_flush(p, w);
    for (uint32_t k = 0; k < p->options.n_workers; k++) {
        buf_deinit(&p->workers[k].key);
        free(p->workers[k].releases);
        free(p->workers[k].events);
    }
    pthread_cond_destroy(&p->loan_idle);
    pthread_cond_destroy(&p->sleep_wake);
    monitor_deinit(&p->monitor);
    pthread_mutex_destroy(&p->sleep_mu);
    trace_free(p->own_trace);
    free(p->limit);
    free(p->failures);
    free(p->workers);
    free(p);
}

void pool_cancel(Pool *p, bool at_once)
{
    monitor_interrupt(&p->monitor);
    if (!at_once)
        return;
    pthread_mutex_lock(&p->sleep_mu);
    atomic_store_explicit(&p->at_once, true, memory_order_relaxed);
    pthread_cond_broadcast(&p->sleep_wake);
    pthread_mutex_unlock(&p->sleep_mu);
}
