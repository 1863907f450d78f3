#include "sched/pool_int.h"

/* The worker that lends is in a task, so the run is not over while there is a loan, and the others wait for more to do. */

/* Before the loan may be taken back: who shows the run counts it before the lender's end. */
static void help_tell(Pool *p, Worker *w, const Loan *l)
{
    *worker_event(w) = (TraceEvent){.t_ns = w->now_ns,
                                    .value = w->task.start_ns,
                                    .frame = l->frame,
                                    .info = worker_shares(p, w),
                                    .step = (uint16_t)l->step,
                                    .worker = (uint16_t)w->task.worker,
                                    .attempt = (uint16_t)l->attempt,
                                    .kind = TRACE_HELP,
                                    .outcome = OUTCOME_DONE};
    worker_flush(p, w);
}

void loan_help_locked(Pool *p, Worker *w, Loan *l)
{
    uint64_t n_offers = l->n_offers;
    l->n_helpers++;
    pool_wake_more_locked(p);
    pool_unlock(p);
    worker_flush(p, w);
    worker_look_at_time(p, w);
    worker_time_begin(p, w);
    bool has_done = l->piece(l->ctx, w->task.worker);
    worker_look_at_time(p, w);
    if (has_done)
        help_tell(p, w, l);
    else
        w->was_parked = true; /* this was nobody's time, and not the next task's */
    if (!pool_lock(p, w))
        worker_look_at_time(p, w);
    if (!has_done && l->n_offers == n_offers) /* else what there is now may have come after the look */
        l->is_offered = false;
    if (--l->n_helpers == 0)
        pthread_cond_broadcast(&p->loan_idle);
}

static void offer_locked(Pool *p, Loan *l)
{
    l->n_offers++;
    l->is_offered = true;
    pool_wake_more_locked(p);
}

/* The lock of a worker that is in a task: it neither takes over the graph nor looks at the time. */
static Pool *task_lock(const Task *t)
{
    monitor_enter(&t->pool->monitor, UINT64_MAX);
    return t->pool;
}

void task_lend(const Task *t, Loan *l)
{
    Pool *p = task_lock(t);
    Loan **at = &p->loans;
    l->step = instance_step(t->inst);
    l->frame = frame_id(instance_frame(t->inst));
    l->attempt = instance_attempt(t->inst);
    l->rank = graph_rank(p->graph, l->step);
    while (*at && (*at)->rank <= l->rank)
        at = &(*at)->next;
    l->next = *at;
    *at = l;
    offer_locked(p, l);
    pool_unlock(p);
}

void task_lend_more(const Task *t, Loan *l)
{
    Pool *p = task_lock(t);
    offer_locked(p, l);
    pool_unlock(p);
}

void task_take_back(const Task *t, Loan *l)
{
    Pool *p = task_lock(t);
    Loan **at = &p->loans;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    while (l->n_helpers)
        monitor_wait_for_locked(&p->monitor, &p->loan_idle);
    pool_unlock(p);
}
