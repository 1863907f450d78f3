#include "unit.h"

#include "sched/bound.h"
#include "sched_spec.h"

enum { P = 4 };

/* Does scope c have this bound, for this reason alone (or none)? */
static void check_bound(const TestSpec *t, uint32_t c, BoundKind kind, uint64_t live,
                        const char *why)
{
    Bounds *b = bounds_new(&t->spec, P);
    Buf text = {0};
    for (uint32_t k = 0; k < b->scopes[c].n_reasons; k++) {
        buf_puts(&text, k ? "; " : "");
        bound_reason_text(&text, &t->spec, P, &b->scopes[c].reasons[k]);
    }
    CHECK(b->scopes[c].kind == kind);
    CHECK(b->scopes[c].live == live);
    CHECK_STR(text.ptr ? text.ptr : "", why);
    buf_deinit(&text);
    bounds_free(b);
}

static void check_warnings(const TestSpec *t, const char *want)
{
    Bounds *b = bounds_new(&t->spec, P);
    Buf text = {0};
    for (uint32_t k = 0; k < b->n_warnings; k++) {
        buf_puts(&text, k ? "; " : "");
        bound_warning_text(&text, &t->spec, P, &b->warnings[k]);
    }
    CHECK_STR(text.ptr ? text.ptr : "", want);
    buf_deinit(&text);
    bounds_free(b);
}

static void test_workers(void)
{
    TestSpec t;
    spec_chain(&t, 3, 0);
    check_bound(&t, 0, BOUND_WORKERS, 1, "");
    check_bound(&t, 1, BOUND_WORKERS, P, "");
    check_warnings(&t, "");
    t.scopes[1].in_flight = CREDITS_UNBOUNDED; /* harmless: the priorities bound it */
    check_bound(&t, 1, BOUND_WORKERS, P, "");
    check_warnings(&t, "");
    t.scopes[1].in_flight = 3;
    check_bound(&t, 1, BOUND_WORKERS, 3, "");
    check_warnings(&t,
                   "`extract` may have fewer batches in flight than there are workers (4)");
    CHECK(bound_credits(&t.spec, P, 1) == 3);
    t.scopes[1].in_flight = CREDITS_DEFAULT;
    CHECK(bound_credits(&t.spec, P, 1) == 4 * P);
}

static void test_credits(void)
{
    TestSpec t;
    spec_chain(&t, 2, 0);
    t.steps[2].priority = 0; /* ties go to the earlier step */
    check_bound(&t, 1, BOUND_CREDITS, 4 * P, "`t2` does not rank above `extract`");

    spec_chain(&t, 2, 0);
    t.steps[1].cap = 3;
    check_bound(&t, 1, BOUND_CREDITS, 4 * P,
                "`t1` runs at most 3 at a time, fewer than 4 workers");
    t.steps[1].cap = P;
    check_bound(&t, 1, BOUND_WORKERS, P, "");
    t.steps[0].cap = 1; /* the generator's own cap only delays batches */
    check_bound(&t, 1, BOUND_WORKERS, P, "");

    t.steps[1].pool = 0;
    t.pools[0] = (PoolSpec){.name = STR_LIT("db"), .size = 2};
    t.spec.n_pools = 1;
    check_bound(&t, 1, BOUND_CREDITS, 4 * P,
                "`t1` shares the pool \"db\" of 2, fewer than 4 workers");

    spec_chain(&t, 1, 7);
    t.steps[1].retry = (RetrySpec){.n_more = 1};
    check_bound(&t, 1, BOUND_WORKERS, P, "");
    t.steps[1].retry.delay_ns = 1;
    check_bound(&t, 1, BOUND_CREDITS, 7, "`t1` may wait to be tried again");

    spec_chain(&t, 1, 0);
    t.steps[1].is_ordered = true;
    check_bound(&t, 1, BOUND_CREDITS, 4 * P,
                "`t1` writes in key order, so batches wait for their turn");

    spec_chain(&t, 1, 0);
    spec_input(&t, spec_step(&t, 0, "sum"), 1);
    check_bound(&t, 1, BOUND_CREDITS, 4 * P,
                "`sum` collects in key order, so batches wait for their turn");
}

static void test_broadcast(void)
{
    TestSpec t;
    spec_begin(&t);
    uint32_t types = spec_step(&t, 0, "types"), x = spec_step(&t, 0, "extract");
    uint32_t scope = spec_opens(&t, x, 0), join = spec_step(&t, scope, "join");
    spec_input(&t, join, x);
    spec_input(&t, join, types);
    check_bound(&t, 1, BOUND_CREDITS, 4 * P, "`join` may have to wait for `types`");
    spec_input(&t, x, types); /* now it is there before the first batch */
    check_bound(&t, 1, BOUND_WORKERS, P, "");

    /* extract waits for a collect of batches that each wait for types: but there may be none
     * of them, and then it does not wait. */
    spec_begin(&t);
    types = spec_step(&t, 0, "types");
    uint32_t other = spec_step(&t, 0, "other"), others = spec_opens(&t, other, 0);
    uint32_t part = spec_step(&t, others, "part"), all = spec_step(&t, 0, "all");
    x = spec_step(&t, 0, "extract"), scope = spec_opens(&t, x, 0);
    join = spec_step(&t, scope, "join");
    spec_input(&t, part, other);
    spec_input(&t, part, types);
    spec_input(&t, all, part);
    spec_input(&t, x, all);
    spec_input(&t, join, x);
    spec_input(&t, join, types);
    check_bound(&t, scope, BOUND_CREDITS, 4 * P, "`join` may have to wait for `types`");
    spec_input(&t, other, types); /* now the collect is not over before types */
    check_bound(&t, scope, BOUND_WORKERS, P, "");
}

static void test_nested(void)
{
    TestSpec t;
    spec_begin(&t);
    uint32_t files = spec_step(&t, 0, "files"), outer = spec_opens(&t, files, 0);
    uint32_t read = spec_step(&t, outer, "read"), inner = spec_opens(&t, read, 0);
    uint32_t clean = spec_step(&t, inner, "clean");
    spec_input(&t, read, files);
    spec_input(&t, clean, read);
    check_bound(&t, outer, BOUND_WORKERS, P, "");
    check_bound(&t, inner, BOUND_WORKERS, P, "");
    t.scopes[inner].in_flight = 2;
    check_bound(&t, inner, BOUND_WORKERS, 2, "");
    check_bound(&t, outer, BOUND_CREDITS, 4 * P,
                "`read` yields batches of its own and may have to wait for a credit");
    t.scopes[inner].in_flight = 0;
    spec_input(&t, spec_step(&t, outer, "sum"), clean);
    check_bound(&t, inner, BOUND_CREDITS, 4 * P,
                "`sum` collects in key order, so batches wait for their turn");
    check_bound(&t, outer, BOUND_CREDITS, 4 * P,
                "`read` yields batches of its own and may have to wait for a credit");
}

static void test_none(void)
{
    TestSpec t;
    spec_chain(&t, 2, CREDITS_UNBOUNDED);
    for (uint32_t k = 0; k <= 2; k++) {
        t.steps[k].priority = 0;
        t.steps[k].has_priority = true;
    }
    check_bound(&t, 1, BOUND_NONE, UINT64_MAX,
                "`t1` does not rank above `extract`; `t2` does not rank above "
                "`extract`; `extract` has unbounded credits");
    check_warnings(&t, "`t1` and 1 more do not rank above their generator `extract`, so "
                       "batches are made before those that are there go on; `extract` may yield "
                       "without bound: nothing limits its live batches");

    /* c | map enrich(c | collect total) */
    spec_chain(&t, 1, 8);
    uint32_t total = spec_step(&t, 0, "total"), enrich = spec_step(&t, 1, "enrich");
    spec_input(&t, total, 1);
    spec_input(&t, enrich, 1);
    spec_input(&t, enrich, total);
    check_bound(&t, 1, BOUND_NONE, UINT64_MAX,
                "`enrich` waits for `total`, which takes all batches first");
    check_warnings(&t, "`enrich` waits for `total`, so all batches are kept until then");
    CHECK(bound_credits(&t.spec, P, 1) == CREDITS_UNBOUNDED);

    /* The same over a second fan-out, whose generator waits for the total, and a step without an
     * input of its own in it: enrich waits for the collect of that, so for the total. */
    spec_chain(&t, 1, 8);
    total = spec_step(&t, 0, "total");
    uint32_t more = spec_step(&t, 0, "more"), scope = spec_opens(&t, more, 2);
    uint32_t lone = spec_step(&t, scope, "lone"), all = spec_step(&t, 0, "all");
    enrich = spec_step(&t, 1, "enrich");
    spec_input(&t, total, 1);
    spec_input(&t, more, total);
    spec_input(&t, all, lone);
    spec_input(&t, enrich, 1);
    spec_input(&t, enrich, all);
    CHECK(bound_credits(&t.spec, P, 1) == CREDITS_UNBOUNDED);
}

static void test_mixed(void)
{
    TestSpec t;
    spec_chain(&t, 2, 0);
    t.steps[2].has_priority = true;
    check_warnings(&t, "`t2` has a @priority and `t1` beside it has none; give one to "
                       "each or to none");
}

int main(void)
{
    test_workers();
    test_credits();
    test_broadcast();
    test_nested();
    test_none();
    test_mixed();
    UNIT_END("bound_test");
}
