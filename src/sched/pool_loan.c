/* pool_loan.c - what tasks lend to free workers. */
#include "sched/pool_int.h"

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

void loan_await_locked(Pool *p, const Loan *l)
{
    if (l->is_at_next)
        graph_await(p->graph, l->step, l->n_helpers && l->is_at_next(l->ctx));
}

void loan_help_locked(Pool *p, Worker *w, Loan *l)
{
    if (w->n_releases || w->n_events) { /* first: what is released may take back this very loan */
        pool_wake_more_locked(p);
        pool_unlock(p);
        worker_flush(p, w);
        pool_lock(p, w);
        return;
    }
    uint64_t n_offers = l->n_offers;
    l->n_helpers++;
    pool_wake_more_locked(p);
    pool_unlock(p);
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
    loan_await_locked(p, l);
}

static void offer_locked(Pool *p, Loan *l)
{
    l->n_offers++;
    l->is_offered = true;
    pool_wake_more_locked(p);
}

/* The lock of a worker that is in a task or a release: it neither takes over the graph nor looks at the time. */
static void task_lock(Pool *p)
{
    monitor_enter(&p->monitor, UINT64_MAX);
}

static void lend(const Task *t, Loan *l, bool is_beyond)
{
    Pool *p = l->pool = t->pool;
    task_lock(p);
    Loan **at = &p->loans;
    l->step = instance_step(t->inst);
    l->frame = frame_id(instance_frame(t->inst));
    l->attempt = instance_attempt(t->inst);
    l->is_beyond = is_beyond;
    l->rank = graph_rank(p->graph, l->step) + is_beyond;
    while (*at && (*at)->rank <= l->rank)
        at = &(*at)->next;
    l->next = *at;
    *at = l;
    offer_locked(p, l);
    pool_unlock(p);
}

void task_lend(const Task *t, Loan *l)
{
    lend(t, l, false);
}

void task_lend_on(const Task *t, Loan *l)
{
    lend(t, l, true);
}

void loan_more(Loan *l)
{
    task_lock(l->pool);
    offer_locked(l->pool, l);
    pool_unlock(l->pool);
}

void loan_take_back(Loan *l)
{
    Pool *p = l->pool;
    if (!p)
        return;
    task_lock(p);
    Loan **at = &p->loans;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    /* The last of them lets the generator go. The graph is not told here: where the run has failed it is closed by now. */
    while (l->n_helpers)
        monitor_wait_for_locked(&p->monitor, &p->loan_idle);
    pool_unlock(p);
    l->pool = NULL;
}
