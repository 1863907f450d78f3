#include "unit.h"

#include "sched/bound.h"
#include "sched/sim.h"
#include "sched_spec.h"

/* ---- by hand */

static int n_released[MAX_STEPS], n_states, n_closed;

static void on_release(void *ctx, uint32_t step, void *out)
{
    (void)ctx;
    (void)out;
    n_released[step]++;
}

static void on_state(void *ctx, uint32_t step, void *state)
{
    (void)ctx;
    (void)step;
    (void)state;
    n_states++;
}

static void on_closed(void *ctx, const Frame *f, uint32_t n_live)
{
    (void)ctx;
    (void)f;
    (void)n_live;
    n_closed++;
}

static const GraphHooks hooks = {
    .release_out = on_release, .release_state = on_state, .closed = on_closed};

static Graph *open_graph(const TestSpec *t, uint32_t n_workers)
{
    memset(n_released, 0, sizeof n_released);
    n_states = n_closed = 0;
    return graph_open(&t->spec, n_workers, &hooks);
}

static int some; /* an address for outputs */

static Instance *pick(Graph *g, uint32_t step)
{
    Instance *i = graph_pick(g);
    CHECK(i && instance_step(i) == step);
    graph_check(g, NULL);
    return i;
}

static void done(Graph *g, Instance *i)
{
    instance_set_out(i, &some);
    graph_done(g, i, 0);
    graph_check(g, NULL);
}

static void yield(Graph *g, Instance *i)
{
    graph_yield(g, i, &some, NULL, 0);
    graph_check(g, NULL);
}

static void fold(Graph *g, uint32_t index, FoldResult result)
{
    Fold f;
    CHECK(graph_next_fold(g, &f));
    CHECK(frame_index(instance_frame(f.child)) == index);
    graph_check(g, NULL);
    graph_fold_end(g, &f, result, 0);
    graph_check(g, NULL);
}

static void no_fold(Graph *g)
{
    Fold f;
    CHECK(!graph_next_fold(g, &f));
}

/* What became ready last is at hand, but it comes first only if it is the best. */
static void test_last_is_not_preferred(void)
{
    TestSpec t;
    spec_begin(&t);
    spec_chain(&t, 2, 8); /* 0 -> 1 -> 2 */
    t.steps[2].cap = 1;
    Graph *g = open_graph(&t, 4);
    yield(g, pick(g, 0));
    Instance *a0 = pick(g, 1);
    yield(g, pick(g, 0));
    Instance *a1 = pick(g, 1);
    done(g, a1);
    CHECK(graph_has_work(g));
    done(g, a0);
    CHECK(graph_has_work(g));
    Instance *b = pick(g, 2);
    CHECK(frame_index(instance_frame(b)) == 0); /* key order */
    Instance *gen = pick(g, 0);                 /* the cap */
    CHECK(!graph_has_work(g));
    yield(g, gen);
    Instance *a2 = pick(g, 1);
    done(g, a2); /* its successor is ready, and kept back by the cap */
    CHECK(graph_has_work(g));
    gen = pick(g, 0);
    done(g, b);
    CHECK(frame_index(instance_frame(b = pick(g, 2))) == 1);
    graph_exhausted(g, gen, 0);
    done(g, b);
    done(g, pick(g, 2));
    CHECK(graph_is_over(g) && graph_is_complete(g));
    graph_close(g);
}

static void test_freed_at_last_use(void)
{
    /* extract -> a -> b and a -> c: a's output goes when both are done. */
    TestSpec t;
    spec_begin(&t);
    uint32_t x = spec_step(&t, 0, "extract"), scope = spec_opens(&t, x, 1);
    uint32_t a = spec_step(&t, scope, "a"), b = spec_step(&t, scope, "b");
    uint32_t c = spec_step(&t, scope, "c");
    spec_input(&t, a, x);
    spec_input(&t, b, a);
    spec_input(&t, c, a);
    Graph *g = open_graph(&t, 2);
    yield(g, pick(g, x));
    CHECK(n_released[x] == 0);
    done(g, pick(g, a));
    CHECK(n_released[x] == 1 && n_released[a] == 0);
    Instance *ic = pick(g, c), *ib = pick(g, b);
    CHECK(instance_input(ib, 0) == &some);
    done(g, ic);
    CHECK(n_released[c] == 1 && n_released[a] == 0 && n_closed == 0);
    CHECK(!graph_has_work(g)); /* the only credit is out */
    done(g, ib);
    CHECK(n_released[a] == 1 && n_released[b] == 1 && n_closed == 1);
    graph_exhausted(g, pick(g, x), 0);
    CHECK(graph_is_over(g) && graph_is_complete(g));
    graph_close(g);
}

static void test_collect_in_key_order(void)
{
    TestSpec t;
    spec_chain(&t, 1, 3);
    uint32_t sum = spec_step(&t, 0, "sum");
    spec_input(&t, sum, 1);
    Graph *g = open_graph(&t, 3);
    yield(g, pick(g, 0));
    Instance *a = pick(g, 1);
    yield(g, pick(g, 0));
    Instance *b = pick(g, 1);
    yield(g, pick(g, 0));
    Instance *c = pick(g, 1);
    done(g, b);
    done(g, c);
    no_fold(g);
    CHECK(!graph_has_work(g)); /* 1 and 2 wait for 0 and keep their credits */
    done(g, a);
    fold(g, 0, FOLD_MORE);
    CHECK(n_closed == 1 && n_released[1] == 1);
    fold(g, 1, FOLD_MORE);
    fold(g, 2, FOLD_MORE);
    no_fold(g);
    graph_exhausted(g, pick(g, 0), 0);
    done(g, pick(g, sum));
    CHECK(graph_is_complete(g) && n_closed == 3);
    graph_close(g);
}

static void test_collect_of_nothing_runs_once(void)
{
    TestSpec t;
    spec_chain(&t, 2, 0);
    uint32_t sum = spec_step(&t, 0, "sum");
    spec_input(&t, sum, 2);
    Graph *g = open_graph(&t, 2);
    graph_exhausted(g, pick(g, 0), 0);
    done(g, pick(g, sum));
    CHECK(graph_is_complete(g) && graph_steps(g)[sum].n_done == 1);
    graph_close(g);
}

static void test_enough_ends_the_generator(void)
{
    TestSpec t;
    spec_begin(&t);
    uint32_t x = spec_step(&t, 0, "extract");
    spec_opens(&t, x, 2);
    uint32_t take = spec_step(&t, 0, "take"); /* straight from the generator */
    spec_input(&t, take, x);
    Graph *g = open_graph(&t, 1);
    yield(g, pick(g, x));
    fold(g, 0, FOLD_ENOUGH);
    done(g, pick(g, take));
    CHECK(graph_is_complete(g) && graph_scopes(g)[1].n_batches == 1);
    graph_close(g);
}

static void test_broadcast_is_shared_and_freed(void)
{
    /* types is read by every batch, and is freed when no batch can come any more. */
    TestSpec t;
    spec_begin(&t);
    uint32_t types = spec_step(&t, 0, "types"), x = spec_step(&t, 0, "extract");
    uint32_t scope = spec_opens(&t, x, 2), join = spec_step(&t, scope, "join");
    spec_input(&t, join, x);
    spec_input(&t, join, types);
    t.steps[x].priority = 5;
    Graph *g = open_graph(&t, 4);
    yield(g, pick(g, x));
    Instance *it = pick(g, x), *ty = pick(g, types); /* batch 0 waits for types */
    CHECK(!graph_has_work(g));
    done(g, ty);
    Instance *j0 = pick(g, join);
    CHECK(instance_input(j0, 1) == &some);
    done(g, j0);
    CHECK(n_released[types] == 0);
    yield(g, it);
    it = pick(g, x);
    Instance *j1 = pick(g, join);
    graph_exhausted(g, it, 0);
    CHECK(n_released[types] == 0);
    done(g, j1);
    CHECK(n_released[types] == 1 && graph_is_complete(g));
    graph_close(g);
}

static void test_ordered_commits(void)
{
    TestSpec t;
    spec_chain(&t, 1, 2);
    t.steps[1].is_ordered = true;
    Graph *g = open_graph(&t, 2);
    yield(g, pick(g, 0));
    Instance *a = pick(g, 1);
    yield(g, pick(g, 0));
    done(g, pick(g, 1));
    no_fold(g);
    done(g, a);
    CHECK(!graph_has_work(g));
    fold(g, 0, FOLD_MORE);
    CHECK(graph_has_work(g));
    fold(g, 1, FOLD_MORE);
    no_fold(g);
    graph_exhausted(g, pick(g, 0), 0);
    CHECK(graph_is_complete(g));
    graph_close(g);
}

static void test_failure_skips_what_depends(void)
{
    TestSpec t;
    spec_chain(&t, 2, 0);
    uint32_t sum = spec_step(&t, 0, "sum");
    spec_input(&t, sum, 2);
    t.steps[1].on_failure = ON_FAILURE_SKIP;
    Graph *g = open_graph(&t, 1);
    yield(g, pick(g, 0));
    graph_failed(g, pick(g, 1), 0);
    graph_check(g, NULL);
    CHECK(n_closed == 1 && graph_steps(g)[2].n_skipped == 1);
    yield(g, pick(g, 0));
    done(g, pick(g, 1));
    done(g, pick(g, 2));
    fold(g, 1, FOLD_MORE);
    graph_exhausted(g, pick(g, 0), 0);
    done(g, pick(g, sum));
    CHECK(graph_is_complete(g) && graph_steps(g)[1].n_failed == 1);
    graph_close(g);
}

static void test_failure_stops(void)
{
    TestSpec t;
    spec_chain(&t, 2, 0);
    Graph *g = open_graph(&t, 2);
    yield(g, pick(g, 0));
    Instance *a = pick(g, 1);
    yield(g, pick(g, 0));
    Instance *b = pick(g, 1);
    instance_set_state(b, &some);
    graph_failed(g, b, 0);
    CHECK(graph_pick(g) == NULL && !graph_is_over(g));
    graph_done(g, a, 0);
    CHECK(graph_is_over(g) && !graph_is_complete(g));
    CHECK(graph_steps(g)[2].n_not_started == 2 && graph_steps(g)[1].n_failed == 1);
    graph_close(g);
    CHECK(n_closed == 2 && n_released[0] == 2 && n_states == 1);
}

/* sum reads the batches and, as a plain input, limit. */
static void spec_sum_with_limit(TestSpec *t)
{
    spec_chain(t, 1, 0);
    uint32_t limit = spec_step(t, 0, "limit"), sum = spec_step(t, 0, "sum");
    spec_input(t, sum, 1);
    spec_input(t, sum, limit);
    t->steps[limit].on_failure = t->steps[sum].on_failure = ON_FAILURE_SKIP;
}

static void test_doomed_while_folding(void)
{
    /* What a fold works on stays until it ends; what is due by then is not folded. */
    TestSpec t;
    Fold f;
    spec_sum_with_limit(&t);
    Graph *g = open_graph(&t, 3);
    Instance *limit = pick(g, 2);
    yield(g, pick(g, 0));
    done(g, pick(g, 1));
    CHECK(graph_next_fold(g, &f));
    instance_set_state(f.reader, &some);
    graph_failed(g, limit, 0);
    graph_check(g, NULL);
    CHECK(n_states == 0 && graph_steps(g)[3].n_skipped == 0);
    graph_fold_end(g, &f, FOLD_MORE, 0);
    graph_check(g, NULL);
    CHECK(n_states == 1 && graph_steps(g)[3].n_skipped == 1);
    graph_exhausted(g, pick(g, 0), 0);
    CHECK(graph_is_complete(g));
    graph_close(g);

    g = open_graph(&t, 3);
    limit = pick(g, 2);
    yield(g, pick(g, 0));
    done(g, pick(g, 1));
    graph_failed(g, limit, 0);
    no_fold(g);
    graph_check(g, NULL);
    CHECK(n_closed == 1);
    graph_exhausted(g, pick(g, 0), 0);
    CHECK(graph_is_complete(g));
    graph_close(g);
}

static void test_failed_fold(void)
{
    TestSpec t;
    spec_sum_with_limit(&t);
    Graph *g = open_graph(&t, 3);
    done(g, pick(g, 2));
    yield(g, pick(g, 0));
    done(g, pick(g, 1));
    fold(g, 0, FOLD_FAILED);
    CHECK(graph_steps(g)[3].n_failed == 1 && n_closed == 1 && n_released[2] == 1);
    graph_exhausted(g, pick(g, 0), 0);
    CHECK(graph_is_complete(g));
    graph_close(g);
}

static void test_retry_keeps_the_credit_only(void)
{
    TestSpec t;
    uint64_t due;
    spec_chain(&t, 1, 1);
    t.steps[1].cap = 1;
    t.steps[1].pool = 0;
    t.pools[0].size = 1;
    t.spec.n_pools = 1;
    /* Works for as long as the pool has a slot. */
    uint32_t other = spec_step(&t, 0, "other");
    t.steps[other].pool = 0;
    t.steps[other].priority = -1;
    Graph *g = open_graph(&t, 1);
    yield(g, pick(g, 0));
    graph_retry(g, pick(g, 1), 5, 100);
    graph_check(g, NULL);
    CHECK(!graph_is_over(g));
    done(g, pick(g, other));    /* the slot is free ... */
    CHECK(!graph_has_work(g)); /* ... and the credit is not */
    CHECK(graph_next_timer(g, &due) && due == 100);
    graph_advance(g, 99);
    CHECK(!graph_has_work(g));
    graph_advance(g, 100);
    Instance *again = pick(g, 1);
    CHECK(instance_attempt(again) == 2);
    done(g, again);
    graph_exhausted(g, pick(g, 0), 0);
    CHECK(graph_is_complete(g) && graph_steps(g)[1].n_retries == 1);
    graph_close(g);
}

static void test_generator_fails_after_batches(void)
{
    /* Its batches flow on, the retry goes for the next key, and for good it ends the
     * collect with what there is. */
    TestSpec t;
    spec_chain(&t, 1, 0);
    uint32_t sum = spec_step(&t, 0, "sum");
    spec_input(&t, sum, 1);
    t.steps[0].on_failure = ON_FAILURE_SKIP;
    Graph *g = open_graph(&t, 2);
    yield(g, pick(g, 0));
    Instance *a = pick(g, 1);
    yield(g, pick(g, 0));
    done(g, a);
    fold(g, 0, FOLD_MORE);
    Instance *b = pick(g, 1), *x = pick(g, 0);
    graph_retry(g, x, 0, 50);
    graph_check(g, NULL);
    CHECK(!graph_has_work(g) && n_closed == 1);
    done(g, b);
    fold(g, 1, FOLD_MORE);
    CHECK(n_closed == 2);
    graph_advance(g, 50);
    x = pick(g, 0);
    CHECK(instance_attempt(x) == 2 && instance_n_yielded(x) == 2);
    yield(g, x);
    done(g, pick(g, 1));
    fold(g, 2, FOLD_MORE);
    graph_failed(g, pick(g, 0), 60);
    graph_check(g, NULL);
    done(g, pick(g, sum));
    CHECK(graph_is_complete(g) && graph_scopes(g)[1].n_batches == 3);
    CHECK(graph_steps(g)[0].n_failed == 1 && graph_steps(g)[1].n_done == 3);
    graph_close(g);
}

static void test_last_credit_is_for_whose_turn_it_is(void)
{
    /* files | map read | map write, in order over all files, with one credit inside: if the second
     * file's batch took it, it would wait for the first file's, which would have none. */
    TestSpec t;
    spec_begin(&t);
    uint32_t files = spec_step(&t, 0, "files"), outer = spec_opens(&t, files, 2);
    uint32_t read = spec_step(&t, outer, "read"), inner = spec_opens(&t, read, 1);
    uint32_t write = spec_step(&t, inner, "write");
    spec_input(&t, read, files);
    spec_input(&t, write, read);
    t.steps[write].is_ordered = true;
    t.steps[files].priority = 9;
    Graph *g = open_graph(&t, 2);
    yield(g, pick(g, files));
    Instance *slow = pick(g, files);
    Instance *first = pick(g, read);
    yield(g, slow);
    graph_retry(g, first, 0, 10); /* gives its credit back meanwhile */
    CHECK(!graph_has_work(g) && graph_pick(g) == NULL);
    graph_advance(g, 10);
    first = pick(g, read);
    CHECK(graph_scopes(g)[inner].n_overdrafts == 0);
    CHECK(frame_index(instance_frame(first)) == 0);
    yield(g, first);
    done(g, pick(g, write));
    Fold f;
    Buf key = {0};
    CHECK(graph_next_fold(g, &f));
    frame_put_key(instance_frame(f.child), '/', &key);
    CHECK_STR(key.ptr, "0/0");
    buf_deinit(&key);
    graph_fold_end(g, &f, FOLD_MORE, 0);
    no_fold(g); /* 0/1 may still come */
    graph_check(g, NULL);
    graph_stop(g);
    CHECK(graph_is_over(g));
    graph_close(g);
}

static void test_pause(void)
{
    TestSpec t;
    spec_begin(&t);
    uint32_t gen = spec_step(&t, 0, "gen"), scope = spec_opens(&t, gen, 4);
    uint32_t work = spec_step(&t, scope, "work");
    spec_input(&t, work, gen);
    Graph *g = open_graph(&t, 2);
    yield(g, pick(g, gen));
    Instance *runs = pick(g, work);
    graph_pause(g, true);
    graph_check(g, NULL);
    CHECK(!graph_has_work(g) && graph_pick(g) == NULL);
    done(g, runs); /* nothing runs now: one may, with a credit and not as an overdraft */
    CHECK(graph_has_work(g));
    yield(g, pick(g, gen));
    runs = pick(g, work);
    CHECK(graph_pick(g) == NULL);
    graph_pause(g, false);
    graph_check(g, NULL);
    Instance *again = pick(g, gen);
    CHECK(graph_scopes(g)[scope].n_overdrafts == 0);
    graph_exhausted(g, again, 0);
    done(g, runs);
    CHECK(graph_is_complete(g));
    graph_close(g);
}

/* A generator whose next batch is being got ready does not start, and there is no overdraft and no end while it is. */
static void test_await(void)
{
    TestSpec t;
    spec_chain(&t, 1, CREDITS_DEFAULT);
    Graph *g = open_graph(&t, 2);
    yield(g, pick(g, 0));
    graph_await(g, 0, true);
    graph_await(g, 0, true); /* once is enough */
    graph_check(g, NULL);
    done(g, pick(g, 1));
    CHECK(!graph_has_work(g) && graph_pick(g) == NULL && !graph_is_over(g));
    graph_await(g, 0, false);
    graph_check(g, NULL);
    graph_exhausted(g, pick(g, 0), 0);
    CHECK(graph_is_complete(g) && graph_is_over(g) && graph_scopes(g)[1].n_overdrafts == 0);
    graph_close(g);
}

/* What is in a batch goes on, another fan-out, and a generator whose number of batches was chosen. */
static void test_pause_scope(void)
{
    TestSpec t;
    spec_begin(&t);
    uint32_t chosen = spec_step(&t, 0, "chosen"), of_chosen = spec_opens(&t, chosen, 2); /* the lowest priority */
    uint32_t other = spec_step(&t, 0, "other");
    spec_opens(&t, other, CREDITS_DEFAULT);
    uint32_t outer = spec_step(&t, 0, "outer"), of_outer = spec_opens(&t, outer, CREDITS_DEFAULT);
    uint32_t inner = spec_step(&t, of_outer, "inner"), of_inner = spec_opens(&t, inner, CREDITS_DEFAULT);
    uint32_t work = spec_step(&t, of_inner, "work");
    spec_input(&t, inner, outer);
    spec_input(&t, work, inner);
    Graph *g = open_graph(&t, 4);
    yield(g, pick(g, outer));
    graph_pause_scope(g, of_outer, true);
    graph_pause_scope(g, of_inner, true); /* of no effect, as the next */
    graph_pause_scope(g, of_chosen, true);
    graph_check(g, NULL);
    Instance *waits = pick(g, inner), *goes_on = pick(g, other), *too = pick(g, chosen);
    CHECK(graph_pick(g) == NULL);
    yield(g, waits);
    graph_exhausted(g, goes_on, 0);
    graph_exhausted(g, too, 0);
    done(g, pick(g, work));
    graph_exhausted(g, pick(g, inner), 0);
    graph_pause_scope(g, of_outer, false);
    graph_exhausted(g, pick(g, outer), 0);
    CHECK(graph_is_complete(g));
    graph_close(g);
}

/* ---- on the virtual clock: the jobs of the tour */

typedef struct Tour {
    uint64_t n_batches;
    int n_t1, n_t2_early;
    uint64_t start[MAX_STEPS][16]; /* of step, key */
    uint64_t first_load_end;
} Tour;

static uint64_t tour_duration(void *ctx, const Instance *i)
{
    (void)ctx;
    return instance_step(i) == 1 || instance_step(i) == 2 ? 1000 : 0;
}

static bool tour_has_batch(void *ctx, const Instance *i)
{
    return instance_n_yielded(i) < ((Tour *)ctx)->n_batches;
}

static void tour_event(void *ctx, const TraceEvent *e, const Error *err)
{
    Tour *tour = ctx;
    (void)err;
    if (e->kind == TRACE_START && e->step > 0)
        tour->start[e->step][e->frame - 1] = e->t_ns;
    if (e->kind == TRACE_START && e->step == 1)
        tour->n_t1++;
    if (e->kind == TRACE_START && e->step == 2)
        tour->n_t2_early += tour->n_t1 < 9;
    if (e->kind == TRACE_END && e->step == 3 && tour->first_load_end == 0)
        tour->first_load_end = e->t_ns;
}

static void tour_run(const TestSpec *t, Tour *tour, uint32_t n_workers, SimSummary *s)
{
    *tour = (Tour){.n_batches = 9};
    Observer observer = {.ctx = tour, .event = tour_event};
    SimModel model = {
        .ctx = tour, .duration_ns = tour_duration, .has_batch = tour_has_batch};
    Bounds *b = bounds_new(&t->spec, n_workers);
    uint64_t limit[2] = {1, b->scopes[1].live};
    SimOptions options = {
        .n_workers = n_workers, .observer = &observer, .check = true, .limit = limit};
    sim_run(&t->spec, &model, &options, s);
    bounds_free(b);
}

static void test_tour(void)
{
    TestSpec t;
    Tour tour;
    SimSummary s;
    spec_chain(&t, 3, 0);
    tour_run(&t, &tour, 4, &s);
    CHECK(s.state == RUN_DONE && s.steps[3].n_done == 9);
    CHECK(s.scopes[1].peak_live == 4 && s.scopes[1].n_batches == 9);
    CHECK(tour.first_load_end == 2000); /* after two pauses */
    for (int k = 0; k < 9; k++) { /* groups of four, end to end */
        uint64_t group = (uint64_t)k / 4 * 2000;
        CHECK(tour.start[1][k] == group && tour.start[2][k] == group + 1000);
        CHECK(tour.start[3][k] == group + 2000);
    }
    CHECK(s.makespan_ns == 6000);
    sim_summary_deinit(&s);

    spec_chain(&t, 3, CREDITS_UNBOUNDED);
    for (uint32_t k = 0; k <= 3; k++)
        t.steps[k].priority = 0;
    tour_run(&t, &tour, 4, &s);
    CHECK(s.scopes[1].peak_live == 9 && tour.n_t2_early == 0);
    sim_summary_deinit(&s);

    spec_chain(&t, 3, 0);
    tour_run(&t, &tour, 1, &s);
    CHECK(s.scopes[1].peak_live == 1 && s.makespan_ns == 18000);
    sim_summary_deinit(&s);
}

static void test_many_ranks(void)
{
    /* More steps than bits in a word: ranks go on in the next. */
    TestSpec t;
    spec_begin(&t);
    for (uint32_t k = 0; k < 90; k++)
        spec_step(&t, 0, "step");
    Graph *g = open_graph(&t, 1);
    for (uint32_t k = 90; k-- > 0;)
        done(g, pick(g, k));
    CHECK(graph_is_complete(g));
    graph_close(g);
}

int main(void)
{
    test_last_is_not_preferred();
    test_freed_at_last_use();
    test_collect_in_key_order();
    test_collect_of_nothing_runs_once();
    test_enough_ends_the_generator();
    test_broadcast_is_shared_and_freed();
    test_ordered_commits();
    test_failure_skips_what_depends();
    test_failure_stops();
    test_doomed_while_folding();
    test_failed_fold();
    test_retry_keeps_the_credit_only();
    test_generator_fails_after_batches();
    test_last_credit_is_for_whose_turn_it_is();
    test_pause();
    test_pause_scope();
    test_await();
    test_many_ranks();
    test_tour();
    UNIT_END("graph_test");
}
