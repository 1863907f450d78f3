#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "sched/bound.h"
#include "sched/pool.h"
#include "sched_spec.h"

/* ---- the jobs of the tour, with pauses that end when four run at a time */

typedef struct Tour {
    pthread_mutex_t mu;
    pthread_cond_t all_there;
    uint32_t n_workers, n_batches;
    uint32_t n_waiting, n_groups;
    uint32_t n_t1, n_t2_early;
    char order[512]; /* "1.0 2.0 ..." step.key as they started */
} Tour;

static void tour_pause(Tour *tour)
{
    uint32_t group = tour->n_groups;
    if (++tour->n_waiting == tour->n_workers) {
        tour->n_waiting = 0;
        tour->n_groups++;
        pthread_cond_broadcast(&tour->all_there);
    }
    while (group == tour->n_groups)
        pthread_cond_wait(&tour->all_there, &tour->mu);
}

static TaskResult tour_run_task(void *ctx, Task *t)
{
    Tour *tour = ctx;
    const Instance *i = t->inst;
    uint32_t step = instance_step(i), n = tour->n_batches;
    if (step == 0 && instance_n_yielded(i) == n)
        return TASK_EXHAUSTED;
    pthread_mutex_lock(&tour->mu);
    if (strlen(tour->order) < sizeof tour->order - 16)
        snprintf(tour->order + strlen(tour->order), 16, "%u.%u ", step,
                 step ? frame_index(instance_frame(i)) : instance_n_yielded(i));
    tour->n_t1 += step == 1;
    /* The last few batches make no full group: those may have been picked and not have come here yet. */
    uint32_t n_grouped = n - n % tour->n_workers;
    tour->n_t2_early += step == 2 && tour->n_t1 < n_grouped;
    if (step == 1 && frame_index(instance_frame(i)) < n_grouped)
        tour_pause(tour);
    pthread_mutex_unlock(&tour->mu);
    return step == 0 ? TASK_YIELDED : TASK_DONE;
}

static void tour_run(const TestSpec *t, Tour *tour, uint32_t n_workers)
{
    *tour = (Tour){.n_workers = n_workers, .n_batches = 9};
    pthread_mutex_init(&tour->mu, NULL);
    pthread_cond_init(&tour->all_there, NULL);
    Tasks tasks = {.ctx = tour, .run = tour_run_task};
    PoolOptions options = {.n_workers = n_workers};
    Pool *p = pool_new(&t->spec, &tasks, &options);
    PoolSummary s;
    pool_run(p, &s);
    CHECK(s.state == RUN_DONE && s.n_failures == 0);
    CHECK(s.steps[0].n_done == 1 && s.steps[3].n_done == 9);
    CHECK(s.scopes[1].n_batches == 9 && s.scopes[1].n_overdrafts == 0);
    tour->n_groups = s.scopes[1].peak_live;
    pool_free(p);
    pthread_mutex_destroy(&tour->mu);
    pthread_cond_destroy(&tour->all_there);
}

static void test_tour(void)
{
    TestSpec t;
    Tour tour;
    spec_chain(&t, 3, 0);
    tour_run(&t, &tour, 4);
    CHECK(tour.n_groups == 4); /* the peak of live batches */
    tour_run(&t, &tour, 1);
    CHECK(tour.n_groups == 1);
    CHECK(strncmp(tour.order, "0.0 1.0 2.0 3.0 0.1 1.1 2.1 3.1 0.2 ", 36) == 0);

    spec_chain(&t, 3, CREDITS_UNBOUNDED);
    for (uint32_t k = 0; k <= 3; k++)
        t.steps[k].priority = 0;
    tour_run(&t, &tour, 4);
    CHECK(tour.n_groups == 9 && tour.n_t2_early == 0);
    tour_run(&t, &tour, 1);
    CHECK(strncmp(tour.order, "0.0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 1.0 1.1 ", 44) == 0);
}

/* ---- failures, timeouts, cancelling */

typedef struct Trouble {
    Status status;        /* what step 1 fails with in batch 1 ... */
    uint32_t n_times;     /* ... so many times */
    uint64_t sleep_ns;    /* or how long it sleeps there */
    bool cancels, at_once; /* what step 1 does in batch 0 */
    atomic_uint n_sleeping, n_released, n_users;
} Trouble;

static TaskResult trouble_run(void *ctx, Task *t)
{
    Trouble *tr = ctx;
    static int batch, user;
    const Instance *i = t->inst;
    if (instance_step(i) == 0) {
        t->batch = &batch;
        t->user = &user;
        return instance_n_yielded(i) < 3 ? TASK_YIELDED : TASK_EXHAUSTED;
    }
    if (instance_step(i) != 1)
        return TASK_DONE;
    uint32_t key = frame_index(instance_frame(i));
    if (key == 0 && tr->cancels) {
        while (tr->at_once && atomic_load(&tr->n_sleeping) == 0)
            if (task_sleep(t, 1000, &t->err) != OK)
                return TASK_FAILED;
        pool_cancel(t->pool, tr->at_once);
    }
    if (key == 1 && tr->sleep_ns) {
        atomic_fetch_add(&tr->n_sleeping, 1);
        if (task_sleep(t, tr->sleep_ns, &t->err) != OK)
            return TASK_FAILED;
    }
    if (key == 1 && instance_attempt(i) <= tr->n_times) {
        error_set(&t->err, tr->status, "attempt %u", instance_attempt(i));
        return TASK_FAILED;
    }
    return TASK_DONE;
}

static void trouble_out(void *ctx, uint32_t step, void *out)
{
    (void)step;
    (void)out;
    atomic_fetch_add(&((Trouble *)ctx)->n_released, 1);
}

static void trouble_user(void *ctx, void *user)
{
    (void)user;
    atomic_fetch_add(&((Trouble *)ctx)->n_users, 1);
}

static Pool *trouble_pool(const TestSpec *t, Trouble *tr, uint32_t n_workers,
                          PoolSummary *s)
{
    Tasks tasks = {.ctx = tr,
                   .run = trouble_run,
                   .release_out = trouble_out,
                   .release_user = trouble_user};
    PoolOptions options = {.n_workers = n_workers};
    Pool *p = pool_new(&t->spec, &tasks, &options);
    pool_run(p, s);
    return p;
}

static void test_failed(void)
{
    TestSpec t;
    PoolSummary s;
    spec_chain(&t, 2, 0);
    t.steps[1].retry = (RetrySpec){.n_more = 2, .delay_ns = 1000000};
    Trouble tr = {.status = ERR_ROW, .n_times = 1};
    Pool *p = trouble_pool(&t, &tr, 1, &s);
    CHECK(s.state == RUN_FAILED && s.n_failures == 1 && s.n_kept == 1);
    CHECK(s.failures[0].step == 1 && s.failures[0].attempt == 1);
    CHECK_STR(s.failures[0].key, "1");
    CHECK_STR(s.failures[0].err.text, "attempt 1");
    CHECK(s.steps[2].n_done == 1 && s.steps[2].n_not_started == 1);
    pool_free(p);
    CHECK(tr.n_released == 2 && tr.n_users == 2);

    t.steps[1].on_failure = ON_FAILURE_SKIP;
    p = trouble_pool(&t, &tr, 2, &s);
    CHECK(s.state == RUN_PARTIAL && s.n_failures == 1 && s.steps[1].n_failed == 1);
    CHECK(s.steps[2].n_skipped == 1 && s.steps[2].n_done == 2);
    pool_free(p);

    tr = (Trouble){.status = ERR_IO, .n_times = 2};
    for (uint32_t n = 1; n <= 3; n++) {
        p = trouble_pool(&t, &tr, n, &s);
        CHECK(s.state == RUN_DONE && s.n_failures == 0 && s.steps[1].n_retries == 2);
        CHECK(s.steps[2].n_done == 3);
        pool_free(p);
    }
    tr.n_times = 3;
    p = trouble_pool(&t, &tr, 2, &s);
    CHECK(s.state == RUN_PARTIAL && s.failures[0].attempt == 3);
    pool_free(p);
}

static void test_limits(void)
{
    TestSpec t;
    PoolSummary s;
    spec_chain(&t, 1, 0);
    t.scopes[1].max_batches = 2;
    Trouble tr = {.n_times = 0};
    Pool *p = trouble_pool(&t, &tr, 1, &s);
    CHECK(s.state == RUN_FAILED && s.failures[0].step == 0 && s.scopes[1].n_batches == 2);
    pool_free(p);
    CHECK(tr.n_released == 3 && tr.n_users == 3);
    t.scopes[1].max_batches = 3;
    p = trouble_pool(&t, &tr, 1, &s);
    CHECK(s.state == RUN_DONE);
    pool_free(p);

    t.steps[1].timeout_ns = 2000000;
    tr = (Trouble){.sleep_ns = UINT64_MAX};
    p = trouble_pool(&t, &tr, 2, &s);
    CHECK(s.state == RUN_FAILED && s.failures[0].err.status == ERR_TIMEOUT);
    pool_free(p);
}

static void test_cancelled(void)
{
    TestSpec t;
    PoolSummary s;
    spec_chain(&t, 2, 0);
    Trouble tr = {.cancels = true};
    Pool *p = trouble_pool(&t, &tr, 1, &s);
    CHECK(s.state == RUN_CANCELLED && s.steps[1].n_done == 1 && s.steps[2].n_done == 0);
    CHECK(s.steps[2].n_not_started == 1 && s.n_failures == 0);
    pool_free(p);
    CHECK(tr.n_released == 1 && tr.n_users == 1);

    tr = (Trouble){.cancels = true, .at_once = true, .sleep_ns = UINT64_MAX};
    p = trouble_pool(&t, &tr, 2, &s);
    CHECK(s.state == RUN_CANCELLED && s.n_failures == 0 && s.steps[1].n_failed == 0);
    pool_free(p);
}

/* ---- a release that takes long */

typedef struct Slow {
    pthread_mutex_t mu;
    pthread_cond_t is_tried;
    bool is_tried_again, has_given_up;
} Slow;

static TaskResult slow_run(void *ctx, Task *t)
{
    Slow *slow = ctx;
    if (instance_attempt(t->inst) == 1) {
        task_sleep(t, 5000000, &t->err); /* the other worker sleeps by then: else it would see the timer by itself */
        instance_set_out(t->inst, slow); /* released, as the attempt fails */
        error_set(&t->err, ERR_IO, "once");
        return TASK_FAILED;
    }
    pthread_mutex_lock(&slow->mu);
    slow->is_tried_again = true;
    pthread_cond_signal(&slow->is_tried);
    pthread_mutex_unlock(&slow->mu);
    return TASK_DONE;
}

/* Waits for the other worker; where that does not come it gives up after a while, so that the test fails and ends. */
static void slow_out(void *ctx, uint32_t step, void *out)
{
    Slow *slow = ctx;
    struct timespec until;
    (void)step, (void)out;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&slow->mu);
    while (!slow->is_tried_again && !slow->has_given_up)
        slow->has_given_up = pthread_cond_timedwait(&slow->is_tried, &slow->mu, &until) != 0;
    pthread_mutex_unlock(&slow->mu);
}

/* While one worker is at it the other waits for the timer of the retry. */
static void test_slow_release(void)
{
    TestSpec t;
    spec_begin(&t);
    t.steps[spec_step(&t, 0, "step")].retry = (RetrySpec){.n_more = 1, .delay_ns = 20000000};
    for (int k = 0; k < 5; k++) {
        Slow slow = {.is_tried_again = false};
        pthread_mutex_init(&slow.mu, NULL);
        pthread_cond_init(&slow.is_tried, NULL);
        Tasks tasks = {.ctx = &slow, .run = slow_run, .release_out = slow_out};
        PoolOptions options = {.n_workers = 2};
        Pool *p = pool_new(&t.spec, &tasks, &options);
        PoolSummary s;
        pool_run(p, &s);
        CHECK(s.state == RUN_DONE && !slow.has_given_up);
        pool_free(p);
        pthread_mutex_destroy(&slow.mu);
        pthread_cond_destroy(&slow.is_tried);
    }
}

/* ---- random DAGs on threads */

typedef struct Value {
    uint32_t step;
    uint64_t is; /* made from step, key, and the values of all inputs */
} Value;

/* What the next batches of a generator in no batch are made of, lent from task to task: block k is for batch k. */
typedef enum BlockPhase { BLOCK_UNMADE, BLOCK_BEGUN, BLOCK_MADE } BlockPhase;
enum { MOST_BLOCKS = 8, MOST_AHEAD = 3 };

typedef struct Ahead {
    struct Fuzz *f;
    Pool *pool;
    Loan loan;
    uint32_t attempt; /* that lent it; 0: nothing was lent yet */
    uint32_t n_blocks;
    pthread_mutex_t mu;
    pthread_cond_t made;
    uint32_t n_begun, n_taken, n_helpers;
    BlockPhase phases[MOST_BLOCKS];
    uint64_t blocks[MOST_BLOCKS];
} Ahead;

typedef struct State {
    Ahead ahead;
    atomic_flag is_folding[MAX_INPUTS];
    uint32_t next[MAX_INPUTS];   /* the smallest key that may come */
    uint64_t folded[MAX_INPUTS]; /* of the values, in order */
} State;

enum { FUZZ_WORKERS = 8 }; /* at most */

typedef struct Fuzz {
    uint64_t seed;
    const GraphSpec *spec;
    bool with_failures, with_enough, with_cancel;
    bool with_trace; /* else what the observer was told of is forgotten */
    pthread_mutex_t mu; /* of the making of states: two edges may fold at once */
    atomic_ullong result; /* sum over all that was put out or written */
    RunState state;
    atomic_int n_live;  /* values, states and users made and not released */
    atomic_int n_wrong;
    atomic_int n_events[TRACE_HELP + 1];
    uint64_t told_ns[FUZZ_WORKERS]; /* by worker: when what the observer was told last was */
    int n_workers;
    atomic_int n_at_work; /* in tasks and in pieces that were lent */
    atomic_int n_helped;  /* pieces that were done by helpers */
    atomic_int n_awaited; /* how often a generator was found to be at what a helper makes */
} Fuzz;

static Value *value_new(Fuzz *f, uint32_t step, uint64_t is)
{
    Value *v = xmalloc(sizeof *v);
    *v = (Value){.step = step, .is = is};
    atomic_fetch_add(&f->result, is);
    atomic_fetch_add(&f->n_live, 1);
    return v;
}

static void wrong_unless(Fuzz *f, bool ok)
{
    if (!ok)
        atomic_fetch_add(&f->n_wrong, 1);
}

static bool fuzz_fails(const Fuzz *f, const Instance *i, uint64_t salt, uint32_t one_in)
{
    uint64_t h = hash_instance(f->seed ^ salt ^ instance_attempt(i) << 8, i);
    return f->with_failures && (h >> 7) % one_in == 0;
}

static State *state_of(Fuzz *f, Instance *i)
{
    pthread_mutex_lock(&f->mu);
    State *s = instance_state(i);
    if (!s) {
        s = xcalloc(1, sizeof *s);
        for (int k = 0; k < MAX_INPUTS; k++)
            atomic_flag_clear(&s->is_folding[k]);
        atomic_fetch_add(&f->n_live, 1);
        instance_set_state(i, s);
    }
    pthread_mutex_unlock(&f->mu);
    return s;
}

static uint64_t fuzz_value(Fuzz *f, const Instance *i)
{
    const StepSpec *s = &f->spec->steps[instance_step(i)];
    const State *state = instance_state(i);
    uint64_t h = hash_instance(instance_n_yielded(i), i);
    for (uint32_t k = 0; k < s->n_inputs; k++) {
        const Value *v = instance_input(i, k);
        bool gathers = spec_edge_kind(f->spec, s->inputs[k], instance_step(i)) == EDGE_GATHER;
        wrong_unless(f, gathers ? v == NULL : v && v->step == s->inputs[k]);
        if (v)
            h = hash_of(h ^ v->is);
        else if (gathers && state)
            h = hash_of(h ^ state->folded[k]);
    }
    return h;
}

static void work_begins(Fuzz *f)
{
    wrong_unless(f, atomic_fetch_add(&f->n_at_work, 1) < f->n_workers);
}

/* Pieces that a task lends, some at once and some more later. */
typedef struct Lent {
    Fuzz *f;
    atomic_int n_left, n_done;
} Lent;

static bool lent_take(Lent *lent)
{
    if (atomic_fetch_sub(&lent->n_left, 1) > 0) {
        atomic_fetch_add(&lent->n_done, 1);
        return true;
    }
    atomic_fetch_add(&lent->n_left, 1);
    return false;
}

static bool lent_piece(void *ctx, uint32_t worker)
{
    Lent *lent = ctx;
    wrong_unless(lent->f, worker < (uint32_t)lent->f->n_workers);
    work_begins(lent->f);
    bool has_done = lent_take(lent);
    atomic_fetch_add(&lent->f->n_helped, has_done);
    atomic_fetch_sub(&lent->f->n_at_work, 1);
    return has_done;
}

static void fuzz_lend(Fuzz *f, Task *t)
{
    enum { N_TIMES = 3, N_PIECES = 2 };
    Lent lent = {.f = f};
    Loan loan = {.ctx = &lent, .piece = lent_piece};
    atomic_store(&lent.n_left, N_PIECES);
    task_lend(t, &loan);
    for (int k = 1; k < N_TIMES; k++) {
        lent_take(&lent);
        atomic_fetch_add(&lent.n_left, N_PIECES);
        loan_more(&loan);
    }
    while (lent_take(&lent))
        ;
    loan_take_back(&loan);
    wrong_unless(f, atomic_load(&lent.n_done) + atomic_load(&lent.n_left) == N_TIMES * N_PIECES);
}

static bool block_may_begin(const Ahead *a)
{
    return a->n_begun < a->n_blocks && a->n_begun < a->n_taken + MOST_AHEAD;
}

static void block_make_locked(Ahead *a)
{
    uint32_t k = a->n_begun++;
    a->phases[k] = BLOCK_BEGUN;
    pthread_mutex_unlock(&a->mu);
    sched_yield();
    pthread_mutex_lock(&a->mu);
    a->blocks[k] += hash_of(k); /* more than once is too much */
    a->phases[k] = BLOCK_MADE;
    pthread_cond_signal(&a->made);
}

static bool ahead_piece(void *ctx, uint32_t worker)
{
    Ahead *a = ctx;
    Fuzz *f = a->f;
    wrong_unless(f, worker < (uint32_t)f->n_workers);
    work_begins(f);
    pthread_mutex_lock(&a->mu);
    bool has_done = block_may_begin(a);
    a->n_helpers++;
    if (has_done)
        block_make_locked(a);
    a->n_helpers--;
    bool cancels = f->with_cancel && hash_of(f->seed + a->n_begun) % 16 == 0;
    pthread_mutex_unlock(&a->mu);
    if (cancels)
        pool_cancel(a->pool, f->seed % 2);
    atomic_fetch_add(&f->n_helped, has_done);
    atomic_fetch_sub(&f->n_at_work, 1);
    return has_done;
}

static bool ahead_is_at_next(const void *ctx)
{
    Ahead *a = (Ahead *)(uintptr_t)ctx;
    pthread_mutex_lock(&a->mu);
    bool is = a->n_taken < a->n_begun && a->phases[a->n_taken] == BLOCK_BEGUN;
    pthread_mutex_unlock(&a->mu);
    atomic_fetch_add(&a->f->n_awaited, is);
    return is;
}

/* Another attempt takes back what the last one lent and begins anew. */
static void ahead_lend(Fuzz *f, Task *t, Ahead *a)
{
    uint32_t attempt = instance_attempt(t->inst), n = instance_n_yielded(t->inst);
    if (a->attempt == attempt)
        return;
    if (a->attempt == 0) {
        pthread_mutex_init(&a->mu, NULL);
        pthread_cond_init(&a->made, NULL);
    }
    loan_take_back(&a->loan);
    wrong_unless(f, a->n_helpers == 0);
    memset(a->phases, 0, sizeof a->phases);
    memset(a->blocks, 0, sizeof a->blocks);
    a->f = f;
    a->pool = t->pool;
    a->attempt = attempt;
    a->n_blocks = batches_of(f->seed, t->inst);
    a->n_begun = a->n_taken = n;
    a->loan = (Loan){.ctx = a, .piece = ahead_piece, .is_at_next = ahead_is_at_next};
    task_lend_on(t, &a->loan);
}

/* The block of the generator's next batch. */
static uint64_t ahead_take(Fuzz *f, Task *t, Ahead *a)
{
    uint32_t k = instance_n_yielded(t->inst);
    ahead_lend(f, t, a);
    pthread_mutex_lock(&a->mu);
    wrong_unless(f, a->n_taken == k);
    while (a->phases[k] != BLOCK_MADE) {
        if (block_may_begin(a))
            block_make_locked(a);
        else
            pthread_cond_wait(&a->made, &a->mu);
    }
    a->n_taken = k + 1;
    uint64_t block = a->blocks[k];
    pthread_mutex_unlock(&a->mu);
    wrong_unless(f, block == hash_of(k));
    loan_more(&a->loan);
    return block;
}

static void ahead_deinit(Fuzz *f, Ahead *a)
{
    if (a->attempt == 0)
        return;
    loan_take_back(&a->loan);
    wrong_unless(f, a->n_helpers == 0 && a->loan.n_helpers == 0);
    pthread_mutex_destroy(&a->mu);
    pthread_cond_destroy(&a->made);
}

static bool looks_ahead(const Fuzz *f, const Instance *i)
{
    return f->spec->steps[instance_step(i)].scope == 0 && hash_of(f->seed ^ instance_step(i) << 8) % 3 != 0;
}

static TaskResult fuzz_task(Fuzz *f, Task *t)
{
    Instance *i = t->inst;
    uint32_t step = instance_step(i);
    const StepSpec *s = &f->spec->steps[step];
    uint64_t value = fuzz_value(f, i);
    if (fuzz_fails(f, i, instance_n_yielded(i) << 24, 15)) {
        error_set(&t->err, step % 2 ? ERR_FAIL : ERR_ROW, "as asked");
        return TASK_FAILED;
    }
    if (s->is_ordered)
        state_of(f, i)->next[0] = step;
    if (!s->opens) {
        instance_set_out(i, value_new(f, step, value));
        return TASK_DONE;
    }
    if (instance_n_yielded(i) == batches_of(f->seed, i))
        return TASK_EXHAUSTED;
    if (looks_ahead(f, i))
        value += ahead_take(f, t, &state_of(f, i)->ahead);
    if (fuzz_fails(f, i, (instance_n_yielded(i) + 100ull) << 24, 15)) {
        error_set(&t->err, step % 2 ? ERR_FAIL : ERR_ROW, "as asked, too late");
        return TASK_FAILED;
    }
    t->batch = value_new(f, step, value);
    t->user = value_new(f, step, 0);
    return TASK_YIELDED;
}

static TaskResult fuzz_run(void *ctx, Task *t)
{
    Fuzz *f = ctx;
    work_begins(f);
    if (fuzz_value(f, t->inst) % 3 == 0)
        fuzz_lend(f, t);
    if (f->with_cancel && hash_instance(f->seed, t->inst) % 64 == 0)
        pool_cancel(t->pool, f->seed % 2);
    TaskResult result = fuzz_task(f, t);
    atomic_fetch_sub(&f->n_at_work, 1);
    return result;
}

static FoldResult fuzz_fold(void *ctx, Task *t, uint32_t input, const Instance *child)
{
    Fuzz *f = ctx;
    /* A generator has its output in the frame, as its own step there. */
    const Value *v = instance_out(child);
    wrong_unless(f, v && v->step == f->spec->steps[instance_step(t->inst)].inputs[input]);
    State *s = state_of(f, t->inst);
    wrong_unless(f, !atomic_flag_test_and_set(&s->is_folding[input]));
    uint32_t key = frame_index(instance_frame(child));
    wrong_unless(f, key >= s->next[input]);
    s->next[input] = key + 1;
    s->folded[input] = hash_of(s->folded[input] ^ v->is);
    atomic_flag_clear(&s->is_folding[input]);
    if (f->with_enough && fuzz_fails(f, child, 5, 40)) {
        error_set(&t->err, ERR_ROW, "as asked");
        return FOLD_FAILED;
    }
    return f->with_enough && fuzz_fails(f, child, 6, 40) ? FOLD_ENOUGH : FOLD_MORE;
}

static FoldResult fuzz_commit(void *ctx, Task *t)
{
    Fuzz *f = ctx;
    const Value *v = instance_out(t->inst);
    const State *s = instance_state(t->inst);
    wrong_unless(f, v && v->step == instance_step(t->inst));
    wrong_unless(f, s && s->next[0] == instance_step(t->inst));
    return FOLD_MORE;
}

static void fuzz_out(void *ctx, uint32_t step, void *out)
{
    Fuzz *f = ctx;
    wrong_unless(f, ((Value *)out)->step == step);
    free(out);
    atomic_fetch_sub(&f->n_live, 1);
}

static void fuzz_state(void *ctx, uint32_t step, void *state)
{
    (void)step;
    ahead_deinit(ctx, &((State *)state)->ahead);
    free(state);
    atomic_fetch_sub(&((Fuzz *)ctx)->n_live, 1);
}

static void fuzz_user(void *ctx, void *user)
{
    free(user);
    atomic_fetch_sub(&((Fuzz *)ctx)->n_live, 1);
}

static void fuzz_event(void *ctx, const TraceEvent *e, const Error *err)
{
    Fuzz *f = ctx;
    bool failed = (e->kind == TRACE_END || e->kind == TRACE_FOLD) &&
                  (e->outcome == OUTCOME_FAILED || e->outcome == OUTCOME_RETRY);
    wrong_unless(f, failed == (err != NULL) && (!err || err->status != OK));
    wrong_unless(f, e->t_ns >= f->told_ns[e->worker]);
    f->told_ns[e->worker] = e->t_ns;
    atomic_fetch_add(&f->n_events[e->kind], 1);
}

/* Of the kept trace: in order of time, and the same that the observer saw. */
static bool trace_is_sound(const Trace *trace, Fuzz *f)
{
    size_t n;
    TraceEvent *events = trace_sorted(trace, &n);
    int counts[TRACE_HELP + 1] = {0};
    bool ok = true;
    for (size_t k = 0; k < n; k++) {
        counts[events[k].kind]++;
        ok = ok && (k == 0 || events[k - 1].t_ns <= events[k].t_ns);
    }
    free(events);
    for (int k = 0; k <= TRACE_HELP; k++)
        ok = ok && counts[k] == f->n_events[k];
    return ok;
}

/* Of what the observer was told: whole. */
static bool is_told_whole(const Fuzz *f, const PoolSummary *s)
{
    const atomic_int *n = f->n_events;
    int n_skipped = 0, n_retries = 0;
    for (uint32_t k = 0; k < f->spec->n_steps; k++) {
        n_skipped += (int)s->steps[k].n_skipped;
        n_retries += (int)s->steps[k].n_retries;
    }
    return n[TRACE_START] == n[TRACE_END] && n[TRACE_HELP] == f->n_helped && n[TRACE_SKIP] == n_skipped &&
           n[TRACE_RETRY] == n_retries &&
           (s->state == RUN_FAILED || s->state == RUN_CANCELLED || n[TRACE_OPEN] == n[TRACE_CLOSE]);
}

static bool fuzz_one(Fuzz *f, const TestSpec *t, uint32_t n_workers)
{
    Tasks tasks = {.ctx = f,
                   .run = fuzz_run,
                   .fold = fuzz_fold,
                   .commit = fuzz_commit,
                   .release_out = fuzz_out,
                   .release_state = fuzz_state,
                   .release_user = fuzz_user};
    Observer observer = {.ctx = f, .event = fuzz_event};
    Trace *trace = f->with_trace ? trace_new(n_workers) : NULL;
    PoolOptions options = {
        .n_workers = n_workers, .seed = f->seed, .observer = &observer, .trace = trace};
    Bounds *b = bounds_new(&t->spec, n_workers);
    pthread_mutex_init(&f->mu, NULL);
    f->n_workers = (int)n_workers;
    Pool *p = pool_new(&t->spec, &tasks, &options);
    PoolSummary s;
    pool_run(p, &s);
    bool ok = f->n_at_work == 0 && is_told_whole(f, &s), is_whole = !f->with_failures && s.state != RUN_CANCELLED;
    ok = ok && (!trace || trace_is_sound(trace, f));
    for (uint32_t k = 0; k < t->spec.n_steps && is_whole; k++)
        ok = ok && s.steps[k].n_done == s.scopes[t->steps[k].scope].n_batches;
    for (uint32_t c = 1; c < t->spec.n_scopes; c++)
        ok = ok && (b->scopes[c].live == UINT64_MAX ||
                    s.scopes[c].peak_live <=
                        b->scopes[c].live + s.scopes[c].n_overdrafts);
    ok = ok && (!is_whole || s.state == RUN_DONE) && (f->with_cancel || s.state != RUN_CANCELLED);
    f->state = s.state;
    pool_free(p);
    ok = ok && f->n_live == 0 && f->n_wrong == 0;
    pthread_mutex_destroy(&f->mu);
    trace_free(trace);
    bounds_free(b);
    return ok;
}

static bool is_to_end(const Fuzz *f)
{
    return f->state != RUN_FAILED && f->state != RUN_CANCELLED;
}

/* A third of the seeds have failures; half of those have failing folds and collects that
 * have enough, where it is for the timing to say how many batches there are. A fifth are cancelled. Half keep a trace. */
static bool fuzz_seed(uint64_t seed, bool *is_compared, uint32_t *n_awaited)
{
    TestSpec t;
    Fuzz f = {.seed = seed,
              .spec = &t.spec,
              .with_failures = seed % 3 == 0,
              .with_enough = seed % 6 == 0,
              .with_cancel = seed % 5 == 0,
              .with_trace = hash_of(seed) >> 8 & 1};
    Fuzz one = f;
    spec_random(&t, seed, f.with_failures);
    for (uint32_t k = 0; k < t.spec.n_steps; k++)
        t.steps[k].timeout_ns = 0; /* what time does is not the same in two runs */
    bool ok = fuzz_one(&f, &t, 2 + (uint32_t)(hash_of(seed) % (FUZZ_WORKERS - 1))) && fuzz_one(&one, &t, 1);
    *is_compared = !f.with_enough && is_to_end(&f) && is_to_end(&one);
    *n_awaited += (uint32_t)atomic_load(&f.n_awaited);
    return ok && (!*is_compared || (f.result == one.result && f.state == one.state));
}

/* In builds that have jitter.h's pauses each seed has its own, and takes longer. */
#ifdef PIPEMILL_JITTER
enum { N_SEEDS = 60 };
#else
enum { N_SEEDS = 600 };
#endif

static void test_random(uint64_t first, uint64_t last)
{
    uint32_t n_bad = 0, n_compared = 0, n_awaited = 0;
    for (uint64_t seed = first; seed <= last; seed++) {
        char text[24];
        bool is_compared;
        snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
        setenv("PIPEMILL_JITTER", text, 1);
        if (!fuzz_seed(seed, &is_compared, &n_awaited) && n_bad++ < 5)
            printf("pool_test: seed %s is bad\n", text);
        n_compared += is_compared;
    }
    unsetenv("PIPEMILL_JITTER");
    CHECK(n_bad == 0);
    CHECK(first == last || (n_compared * 2 > last - first && n_awaited > 0));
}

/* ---- folds of two collects, at the same time */

typedef struct Pair {
    pthread_mutex_t mu;
    pthread_cond_t both_there;
    uint32_t n_folds, n_alone;
} Pair;

static TaskResult pair_run(void *ctx, Task *t)
{
    (void)ctx;
    if (instance_step(t->inst) != 0)
        return TASK_DONE;
    return instance_n_yielded(t->inst) < 20 ? TASK_YIELDED : TASK_EXHAUSTED;
}

/* Waits for the other; alone it gives up after a while, so that the test fails and ends. */
static FoldResult pair_fold(void *ctx, Task *t, uint32_t input, const Instance *child)
{
    Pair *pair = ctx;
    struct timespec until;
    (void)t;
    (void)input;
    uint32_t both = 2 * frame_index(instance_frame(child)) + 2;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&pair->mu);
    pair->n_folds++;
    pthread_cond_broadcast(&pair->both_there);
    while (pair->n_folds < both && pair->n_alone == 0)
        if (pthread_cond_timedwait(&pair->both_there, &pair->mu, &until) != 0)
            pair->n_alone++;
    pthread_mutex_unlock(&pair->mu);
    return FOLD_MORE;
}

static void test_folds_side_by_side(void)
{
    /* One credit: while a batch is folded nothing else is ready, and yet the second worker
     * must come for the second fold. */
    TestSpec t;
    spec_chain(&t, 1, 1);
    for (int k = 0; k < 2; k++)
        spec_input(&t, spec_step(&t, 0, "collect"), 1);
    Pair pair = {.n_folds = 0};
    pthread_mutex_init(&pair.mu, NULL);
    pthread_cond_init(&pair.both_there, NULL);
    Tasks tasks = {.ctx = &pair, .run = pair_run, .fold = pair_fold};
    PoolOptions options = {.n_workers = 2};
    Pool *p = pool_new(&t.spec, &tasks, &options);
    PoolSummary s;
    pool_run(p, &s);
    CHECK(s.state == RUN_DONE && pair.n_folds == 40);
    CHECK(pair.n_alone == 0);
    pool_free(p);
    pthread_mutex_destroy(&pair.mu);
    pthread_cond_destroy(&pair.both_there);
}

/* The run is ended while it folds: the fold sees that and stops. */
static FoldResult stopped_fold(void *ctx, Task *t, uint32_t input, const Instance *child)
{
    (void)ctx, (void)input, (void)child;
    pool_cancel(t->pool, true);
    t->err.status = task_check(t, &t->err);
    return t->err.status == OK ? FOLD_MORE : FOLD_FAILED;
}

static void test_fold_cancelled(void)
{
    TestSpec t;
    spec_chain(&t, 1, 1);
    spec_input(&t, spec_step(&t, 0, "collect"), 1);
    Tasks tasks = {.run = pair_run, .fold = stopped_fold};
    PoolOptions options = {.n_workers = 2};
    Pool *p = pool_new(&t.spec, &tasks, &options);
    PoolSummary s;
    pool_run(p, &s);
    CHECK(s.state == RUN_CANCELLED && s.n_failures == 0);
    pool_free(p);
}

/* ---- what a task took its time for */

static TaskResult nap(void *ctx, Task *t)
{
    (void)ctx;
    return task_sleep(t, 2000000, &t->err) == OK ? TASK_DONE : TASK_FAILED;
}

/* Of 2 ms of sleep at least one is seen as such; when the machine is busy others may have the
 * processors for the rest, so there are some attempts. */
static void test_slept(void)
{
    bool was_seen = false;
    TestSpec t;
    spec_begin(&t);
    spec_step(&t, 0, "nap");
    Tasks tasks = {.run = nap};
    for (int k = 0; k < 50 && !was_seen; k++) {
        size_t n;
        Trace *trace = trace_new(1);
        PoolOptions options = {.n_workers = 1, .trace = trace};
        Pool *p = pool_new(&t.spec, &tasks, &options);
        PoolSummary s;
        pool_run(p, &s);
        TraceEvent *events = trace_sorted(trace, &n);
        CHECK(n == 2 && events[1].kind == TRACE_END && events[1].info != 0);
        uint64_t wall_ns = events[1].t_ns - events[0].t_ns;
        was_seen = wall_ns >= 2000000 && trace_slept_ns(events[1].info, wall_ns) > 1000000;
        free(events);
        pool_free(p);
        trace_free(trace);
    }
    CHECK(was_seen);
}

/* ---- the trace */

/* What is forgotten leaves the memory that it took to what comes. */
static void test_trace_forgotten(void)
{
    enum { N_EVENTS = 100000, N_ROUNDS = 3 };
    Trace *trace = trace_new(2);
    TraceBuffer *one = trace_buffer(trace, 0), *other = trace_buffer(trace, 1);
    size_t n;
    CHECK(trace_sorted(trace, &n) == NULL && n == 0);
    const TraceEvent *at[N_ROUNDS] = {0};
    for (uint64_t round = 0; round < N_ROUNDS; round++) {
        *trace_next(other) = (TraceEvent){.t_ns = round};
        for (uint64_t k = 0; k < N_EVENTS; k++)
            at[round] = trace_next(one);
        trace_forget(one);
        CHECK(at[round] == at[0]);
    }
    for (uint64_t k = 0; k < N_EVENTS; k++)
        *trace_next(one) = (TraceEvent){.t_ns = N_ROUNDS + k};
    TraceEvent *events = trace_sorted(trace, &n);
    CHECK(n == N_ROUNDS + N_EVENTS);
    size_t n_wrong = 0;
    for (size_t k = 0; k < n; k++)
        n_wrong += events[k].t_ns != k;
    CHECK(n_wrong == 0);
    free(events);
    trace_free(trace);
}

enum { N_WAITING = 20000 };

/* Which batches the observer heard of that their instance was skipped. */
typedef struct Skips {
    bool has[2 * N_WAITING]; /* by frame */
    uint32_t n, n_twice;
} Skips;

static void skips_event(void *ctx, const TraceEvent *e, const Error *err)
{
    Skips *s = ctx;
    (void)err;
    if (e->kind != TRACE_SKIP)
        return;
    bool is_new = e->frame < 2 * N_WAITING && !s->has[e->frame];
    s->n++;
    s->n_twice += !is_new;
    if (is_new)
        s->has[e->frame] = true;
}

static TaskResult skips_run(void *ctx, Task *t)
{
    (void)ctx;
    if (instance_step(t->inst) == 0)
        return instance_n_yielded(t->inst) < N_WAITING ? TASK_YIELDED : TASK_EXHAUSTED;
    error_set(&t->err, ERR_DATA, "what all batches wait for fails");
    return TASK_FAILED;
}

/* One failure that skips an instance in each of many batches is told of each of them. */
static void test_many_told_at_once(void)
{
    static Skips skips;
    TestSpec t;
    PoolSummary s;
    spec_begin(&t);
    uint32_t scope = spec_opens(&t, spec_step(&t, 0, "extract"), CREDITS_UNBOUNDED);
    uint32_t table = spec_step(&t, 0, "table"), join = spec_step(&t, scope, "join");
    spec_input(&t, join, 0);
    spec_input(&t, join, table);
    t.steps[table].priority = -1; /* after all batches */
    t.steps[table].on_failure = ON_FAILURE_SKIP;
    const Observer observer = {.ctx = &skips, .event = skips_event};
    Tasks tasks = {.run = skips_run};
    PoolOptions options = {.n_workers = 1, .observer = &observer};
    Pool *p = pool_new(&t.spec, &tasks, &options);
    pool_run(p, &s);
    CHECK(s.scopes[scope].n_batches == N_WAITING && s.steps[join].n_skipped == N_WAITING);
    CHECK(skips.n == N_WAITING && skips.n_twice == 0);
    pool_free(p);
}

/* All of them, over chunks of both sizes. */
static void test_trace_kept(void)
{
    enum { N_EVENTS = 300000 };
    Trace *trace = trace_new(3);
    size_t n;
    for (uint64_t k = 0; k < N_EVENTS; k++)
        *trace_next(trace_buffer(trace, k % 8 == 0)) = (TraceEvent){.t_ns = k};
    TraceEvent *events = trace_sorted(trace, &n);
    CHECK(n == N_EVENTS);
    size_t n_wrong = 0;
    for (size_t k = 0; k < n; k++)
        n_wrong += events[k].t_ns != k;
    CHECK(n_wrong == 0);
    free(events);
    trace_free(trace);
}

/* pool_test [FIRST [LAST]]: random runs with these seeds only. */
int main(int argc, char **argv)
{
    if (argc > 1) {
        uint64_t first = strtoull(argv[1], NULL, 10);
        test_random(first, argc > 2 ? strtoull(argv[2], NULL, 10) : first);
        UNIT_END("pool_test");
    }
    test_tour();
    test_failed();
    test_limits();
    test_cancelled();
    test_slow_release();
    test_random(1, N_SEEDS);
    test_folds_side_by_side();
    test_fold_cancelled();
    test_slept();
    test_trace_forgotten();
    test_many_told_at_once();
    test_trace_kept();
    UNIT_END("pool_test");
}
