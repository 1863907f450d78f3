/* Why instances waited and which of them explain the makespan, on runs whose schedule can be
 * worked out by hand. */
#include "unit.h"

#include "recordings.h"
#include "report/critical.h"

/* "extract transform_1[0] ...", the path in time; bars of no length too. */
static void path_is(const Recording *r, const char *want)
{
    Buf b = {0};
    Waits *w = waits_new(r);
    Critical *c = critical_new(w, r);
    uint64_t sum = c->gap_ns + c->delay_ns;
    for (uint32_t k = 0; k < c->n; k++) {
        const Bar *bar = &r->bars[c->bars[k]];
        if (k)
            buf_putc(&b, ' ');
        recording_put_name(r, bar, &b);
        if (bar->kind == BAR_FOLD)
            buf_puts(&b, "+");
        if (bar->kind == BAR_HELP)
            buf_puts(&b, "~");
        if (k)
            CHECK(c->end_ns[c->bars[k - 1]] <= bar->start_ns);
        CHECK(c->end_ns[c->bars[k]] <= bar->end_ns);
        if (bar->kind != BAR_RUN || k + 1 == c->n || r->bars[c->bars[k + 1]].kind != BAR_HELP)
            CHECK(c->end_ns[c->bars[k]] == bar->end_ns);
    }
    for (uint32_t i = 0; i < r->info.n_steps; i++)
        sum += c->step_ns[i];
    CHECK(sum == r->t_ns); /* it explains all of the time */
    CHECK_STR(b.ptr ? b.ptr : "", want);
    critical_free(c);
    waits_free(w);
    buf_deinit(&b);
}

static uint32_t bar_of(const Recording *r, uint32_t step, const char *key, uint32_t attempt)
{
    for (uint32_t i = 0; i < r->n_bars; i++)
        if (r->bars[i].step == step && r->bars[i].attempt == attempt &&
            r->bars[i].kind == BAR_RUN && str_is(r->frames[r->bars[i].frame].key, key))
            return i;
    return REC_NONE;
}

/* The wait of an instance: its main reason and the parts in seconds. */
static void wait_is(const Recording *r, const Waits *w, uint32_t bar, WaitReason why,
                    uint64_t total_ns, uint64_t most_ns)
{
    Wait wait;
    CHECK(bar != REC_NONE && wait_of(w, bar, &wait));
    CHECK(wait.most == why && wait.until_ns - wait.from_ns == total_ns);
    CHECK(wait.part_ns[why] == most_ns);
    uint64_t sum = 0;
    for (uint32_t k = 0; k < N_WAITS; k++)
        sum += wait.part_ns[k];
    CHECK(sum == total_ns);
    CHECK(r->bars[bar].start_ns == wait.until_ns);
}

static uint64_t even_duration(void *ctx, const Instance *i)
{
    (void)ctx;
    return instance_step(i) == 0 ? 0 : SECOND; /* a generator takes no time */
}

static Recording *even_record(Sample *s, const char *job)
{
    s->duration_ns = even_duration;
    return sample_record(s, job);
}

/* A static flow is its own path. */
static void test_static(void)
{
    Recording *r = record_static();
    path_is(r, "extract_all transform_1 transform_2 load");
    Waits *w = waits_new(r);
    Wait wait;
    for (uint32_t i = 0; i < r->n_bars; i++)
        CHECK(!wait_of(w, i, &wait));
    waits_free(w);
    recording_free(r);
}

/* One worker: everything is on the path, in its order. */
static void test_one_worker(void)
{
    Sample s;
    sample_init(&s, false, 1, 2, SECOND);
    Recording *r = even_record(&s, "one");
    path_is(r, "extract transform_1[0] transform_2[0] load[0] "
               "extract transform_1[1] transform_2[1] load[1] extract");
    /* The generator waits for the one worker, though its scope has four credits. */
    Waits *w = waits_new(r);
    wait_is(r, w, 4, WAIT_WORKER, 3 * SECOND, 3 * SECOND);
    uint64_t sums[MAX_STEPS][N_WAITS];
    waits_sum(w, sums);
    CHECK(sums[0][WAIT_WORKER] == 6 * SECOND && sums[1][WAIT_WORKER] == 0);
    waits_free(w);
    recording_free(r);
}

/* One credit, four workers: the generator waits for its batch to be through. */
static void test_credit(void)
{
    Sample s;
    sample_init(&s, false, 4, 2, SECOND);
    s.spec.scopes[1].in_flight = 1;
    Recording *r = even_record(&s, "credit");
    Waits *w = waits_new(r);
    wait_is(r, w, 4, WAIT_CREDIT, 3 * SECOND, 3 * SECOND);
    WaitReason why;
    uint64_t until;
    CHECK(wait_last(w, 4, &why, &until) && why == WAIT_CREDIT && until == 3 * SECOND);
    waits_free(w);
    path_is(r, "extract transform_1[0] transform_2[0] load[0] "
               "extract transform_1[1] transform_2[1] load[1] extract");
    recording_free(r);
}

/* load one at a time: three batches come to it at once, and the path is load after load. */
static void test_cap(void)
{
    Sample s;
    sample_init(&s, false, 4, 3, SECOND);
    s.spec.steps[3].cap = 1;
    Recording *r = even_record(&s, "cap");
    Waits *w = waits_new(r);
    Wait wait;
    CHECK(!wait_of(w, bar_of(r, 3, "0", 1), &wait));
    wait_is(r, w, bar_of(r, 3, "1", 1), WAIT_CAP, SECOND, SECOND);
    wait_is(r, w, bar_of(r, 3, "2", 1), WAIT_CAP, 2 * SECOND, 2 * SECOND);
    waits_free(w);
    path_is(r, "extract transform_1[0] transform_2[0] load[0] load[1] load[2]");
    recording_free(r);
}

/* What waits for a worker that helps another instance comes after the help, and that after the instance until then. Help takes no
 * slot of a cap, and lets nothing else begin. */
static void test_help(void)
{
    Recording *r = record_helped(0);
    Waits *w = waits_new(r);
    Critical *c = critical_new(w, r);
    path_is(r, "read sort sort~ late");
    CHECK(c->step_ns[0] == SECOND && c->step_ns[1] == 3 * SECOND && c->step_ns[2] == 3 * SECOND && c->gap_ns == 0);
    wait_is(r, w, bar_of(r, 2, "", 1), WAIT_WORKER, 3 * SECOND, 3 * SECOND);
    critical_free(c);
    waits_free(w);
    uint32_t n;
    const uint32_t *at = recording_bars_of(r, 1, 0, &n);
    CHECK(n == 1 && r->bars[at[0]].kind == BAR_RUN && r->bars[at[0]].after == 0);
    CHECK(r->bars[bar_of(r, 3, "", 1)].after == at[0]);
    ((RunStep *)r->info.steps)[1].cap = 1;
    w = waits_new(r);
    Wait wait;
    for (uint32_t i = 0; i < r->n_bars; i++)
        CHECK(wait_of(w, i, &wait) == (r->bars[i].step == 2));
    waits_free(w);
    recording_free(r);
}

/* The help is for a generator that is between two batches: it follows what its worker was busy with. */
static void test_help_between(void)
{
    static const uint32_t in[] = {0};
    const RunStep steps[] = {{.name = STR_LIT("extract"), .child_scope = 1}, {.name = STR_LIT("load"), .scope = 1, .n_inputs = 1, .inputs = in}};
    const RunScope scopes[] = {{.generator = RUN_NO_STEP, .bound = UINT64_MAX}, {.bound = 4, .credits = 4}};
    const StepCount counts[2] = {{.n_done = 1}, {.n_done = 2}};
    const ScopeCount batches[2] = {{0}, {.n_batches = 2, .peak_live = 2}};
    const RunInfo info = {.job = STR_LIT("between"), .n_workers = 2, .n_steps = 2, .n_scopes = 2, .steps = steps, .scopes = scopes};
    const uint64_t s = SECOND;
    const TraceEvent events[] = {
        {.kind = TRACE_START, .attempt = 1},
        {.kind = TRACE_END, .attempt = 1, .t_ns = s, .outcome = OUTCOME_YIELDED},
        {.kind = TRACE_OPEN, .t_ns = s, .frame = 1},
        {.kind = TRACE_START, .attempt = 1, .t_ns = s, .value = s, .step = 1, .frame = 1, .worker = 1},
        {.kind = TRACE_START, .attempt = 1, .t_ns = s, .value = s},
        {.kind = TRACE_END, .attempt = 1, .t_ns = 2 * s, .outcome = OUTCOME_YIELDED},
        {.kind = TRACE_OPEN, .t_ns = 2 * s, .frame = 2, .info = 1},
        {.kind = TRACE_END, .attempt = 1, .t_ns = 3 * s, .step = 1, .frame = 1, .worker = 1},
        {.kind = TRACE_HELP, .attempt = 1, .t_ns = 5 * s, .value = 3 * s, .worker = 1},
        {.kind = TRACE_START, .attempt = 1, .t_ns = 5 * s, .value = 2 * s, .step = 1, .frame = 2, .worker = 1},
        {.kind = TRACE_END, .attempt = 1, .t_ns = 6 * s, .step = 1, .frame = 2, .worker = 1},
    };
    const RunEnd end = {.t_ns = 6 * s, .steps = counts, .scopes = batches};
    Recording *r = recording_make(&info, events, sizeof events / sizeof *events, &end);
    CHECK(r->n_bars == 5);
    path_is(r, "extract load[0] extract~ load[1]");
    recording_free(r);
}

/* Both transformations share a pool of two slots; then load, for which there are workers. */
static void test_pool(void)
{
    Sample s;
    Buf b = {0};
    sample_init(&s, false, 4, 3, SECOND);
    s.spec.steps[1].pool = s.spec.steps[2].pool = 0;
    s.spec.pools[0] = (PoolSpec){STR_LIT("db"), 2};
    s.spec.spec.n_pools = 1;
    Recording *r = even_record(&s, "pool");
    Waits *w = waits_new(r);
    wait_is(r, w, bar_of(r, 1, "2", 1), WAIT_POOL, 2 * SECOND, 2 * SECOND);
    wait_put_reason(r, 1, WAIT_POOL, &b);
    CHECK_STR(b.ptr, "a slot of pool db");
    waits_free(w);
    path_is(r, "extract extract transform_1[1] transform_2[1] transform_1[2] transform_2[2] load[2]");
    recording_free(r);
    buf_deinit(&b);
}

/* Two workers, five batches, credits for all: what waits, waits for a worker. */
static void test_worker(void)
{
    Sample s;
    sample_init(&s, false, 2, 3, SECOND);
    s.spec.scopes[1].in_flight = CREDITS_UNBOUNDED;
    for (uint32_t k = 0; k < s.spec.spec.n_steps; k++)
        s.spec.steps[k].priority = 0;
    Recording *r = even_record(&s, "worker");
    Waits *w = waits_new(r);
    wait_is(r, w, bar_of(r, 1, "2", 1), WAIT_WORKER, SECOND, SECOND);
    waits_free(w);
    recording_free(r);
}

/* The delay of a retry is a part of the wait, and of the path. */
static void test_retry(void)
{
    Sample s;
    sample_init(&s, false, 4, 3, SECOND);
    s.fail_step = 2;
    s.fail_key = 1;
    s.spec.steps[2].retry = (RetrySpec){.n_more = 1, .delay_ns = 5 * SECOND};
    Recording *r = even_record(&s, "retry");
    Waits *w = waits_new(r);
    uint32_t first = bar_of(r, 2, "1", 1), second = bar_of(r, 2, "1", 2);
    CHECK(r->bars[first].outcome == OUTCOME_RETRY && r->bars[second].after == first);
    wait_is(r, w, second, WAIT_DELAY, 5 * SECOND, 5 * SECOND);
    Critical *c = critical_new(w, r);
    CHECK(c->delay_ns == 5 * SECOND && c->gap_ns == 0 && c->step_n[2] == 2);
    uint32_t order[MAX_STEPS];
    CHECK(critical_steps(c, r, order) == 4 && order[0] == 2 && order[3] == 0);
    critical_free(c);
    waits_free(w);
    path_is(r, "extract extract transform_1[1] transform_2[1] transform_2[1] load[1]");
    recording_free(r);
}

static TraceEvent start_of(uint64_t t_ns, uint64_t ready_ns, uint16_t worker, uint16_t step,
                           uint32_t frame, uint16_t attempt)
{
    return (TraceEvent){.t_ns = t_ns, .value = ready_ns, .worker = worker, .step = step,
                        .frame = frame, .attempt = attempt, .kind = TRACE_START};
}

static TraceEvent end_of(uint64_t t_ns, uint16_t worker, uint16_t step, uint32_t frame,
                         uint16_t attempt, Outcome outcome)
{
    return (TraceEvent){.t_ns = t_ns, .worker = worker, .step = step, .frame = frame,
                        .attempt = attempt, .kind = TRACE_END, .outcome = (uint8_t)outcome};
}

static TraceEvent open_of(uint64_t t_ns, uint32_t frame)
{
    return (TraceEvent){.t_ns = t_ns, .frame = frame, .info = frame - 1, .value = trace_pair(frame, 0),
                        .kind = TRACE_OPEN, .attempt = 1};
}

/* Two batches of which `flaky` fails three times each, tried again 1000 ns after each failure, then
 * skipped; `total` collects none. Every attempt after the first starts some ns after its delay, as with
 * threads that have to wake up, on the worker that had the other batch before. first_until: when the last
 * attempt of batch 0 ends, which has the worker that batch 1 needs at 2050. */
static Recording *record_flaky(bool has_pool, uint64_t first_until)
{
    static const uint32_t ins[] = {0, 1};
    const RunPool pools[] = {{STR_LIT("p"), 1}};
    const RunStep steps[] = {
        {.name = STR_LIT("range"), .child_scope = 1},
        {.name = STR_LIT("flaky"), .scope = 1, .n_inputs = 1, .inputs = ins, .pool = has_pool},
        {.name = STR_LIT("total"), .n_inputs = 1, .inputs = ins + 1, .is_collect = true},
    };
    const RunScope scopes[] = {{.generator = RUN_NO_STEP, .bound = UINT64_MAX},
                               {.generator = 0, .bound = 8, .credits = 8}};
    const RunInfo info = {.n_workers = 2, .n_steps = 3, .n_scopes = 2, .n_pools = 1,
                          .steps = steps, .scopes = scopes, .pools = pools};
    const TraceEvent events[] = {
        start_of(0, 0, 0, 0, 0, 1),        end_of(10, 0, 0, 0, 1, OUTCOME_YIELDED),
        open_of(10, 1),                    start_of(10, 10, 0, 0, 0, 1),
        start_of(12, 10, 1, 1, 1, 1),      end_of(20, 0, 0, 0, 1, OUTCOME_YIELDED),
        open_of(20, 2),                    end_of(20, 1, 1, 1, 1, OUTCOME_RETRY),
        start_of(20, 20, 0, 0, 0, 1),      end_of(30, 0, 0, 0, 1, OUTCOME_EXHAUSTED),
        start_of(30, 20, 0, 1, 2, 1),      end_of(40, 0, 1, 2, 1, OUTCOME_RETRY),
        start_of(1025, 1020, 0, 1, 1, 2),  end_of(1030, 0, 1, 1, 2, OUTCOME_RETRY),
        start_of(1046, 1040, 1, 1, 2, 2),  end_of(1050, 1, 1, 2, 2, OUTCOME_RETRY),
        start_of(2031, 2030, 0, 1, 1, 3),  end_of(first_until, 0, 1, 1, 3, OUTCOME_FAILED),
        start_of(2053, 2050, 0, 1, 2, 3),  end_of(2060, 0, 1, 2, 3, OUTCOME_FAILED),
        start_of(2062, 2060, 1, 2, 0, 1),  end_of(2070, 1, 2, 0, 1, OUTCOME_DONE),
    };
    const StepCount counts[3] = {{0}};
    const ScopeCount scope_counts[2] = {{0}, {.n_batches = 2, .peak_live = 2}};
    RunEnd end = {.state = RUN_PARTIAL, .t_ns = 2070, .steps = counts, .scopes = scope_counts};
    return recording_make(&info, events, sizeof events / sizeof *events, &end);
}

/* A moment's wait for a worker or a slot after the delay does not lead away from it. */
static void test_retry_waits(void)
{
    for (int has_pool = 0; has_pool < 2; has_pool++) {
        Recording *r = record_flaky(has_pool, 2040);
        path_is(r, "range range range flaky[1] flaky[1] flaky[1] total");
        Waits *w = waits_new(r);
        Critical *c = critical_new(w, r);
        CHECK(c->delay_ns == 2000 && c->gap_ns == 3 + 6 + 2);
        critical_free(c);
        waits_free(w);
        recording_free(r);
        /* Who really had the worker or the slot when the delay was over is on the path. */
        r = record_flaky(has_pool, 2052);
        path_is(r, "range flaky[0] flaky[0] flaky[0] flaky[1] total");
        recording_free(r);
    }
}

/* Of two branches the longer one is on the path; a collect follows its last fold. */
static void test_branches(void)
{
    Sample s;
    spec_begin(&s.spec);
    memset(&s, 0, sizeof s);
    sample_init(&s, false, 4, 2, SECOND);
    uint32_t short_one = spec_step(&s.spec, 1, "short");
    spec_input(&s.spec, short_one, 0);
    uint32_t both = spec_step(&s.spec, 1, "both");
    spec_input(&s.spec, both, short_one);
    spec_input(&s.spec, both, 3);
    uint32_t total = spec_step(&s.spec, 0, "total");
    spec_input(&s.spec, total, both);
    Recording *r = even_record(&s, "branches");
    path_is(r, "extract extract transform_1[1] transform_2[1] load[1] both[1] total+ total");
    uint32_t bar = bar_of(r, both, "0", 1);
    CHECK(bar != REC_NONE && r->bars[r->bars[bar].after].step == 3);
    recording_free(r);
}

/* What a trace does not tell is not made up. */
static void test_unknown(void)
{
    Sample s;
    sample_init(&s, false, 1, 2, SECOND);
    Recording *r = even_record(&s, "old");
    ((RunScope *)r->info.scopes)[1].credits = 0;
    Waits *w = waits_new(r);
    wait_is(r, w, 4, WAIT_UNKNOWN, 3 * SECOND, 3 * SECOND);
    waits_free(w);
    recording_free(r);
}

static void test_skips(void)
{
    Sample s;
    sample_init(&s, false, 4, 3, SECOND);
    s.fail_step = 1;
    s.fail_key = 1;
    s.spec.steps[1].on_failure = ON_FAILURE_SKIP;
    Recording *r = even_record(&s, "skip");
    CHECK(r->n_skips == 2 && r->skips[0].cause == 1 && r->skips[0].t_ns == SECOND);
    CHECK(r->n_skips == 2 && r->skips[0].step == 2 && r->skips[1].step == 3);
    CHECK(r->n_skips && str_is(r->frames[r->skips[0].frame].key, "1"));
    recording_free(r);
}

int main(void)
{
    test_static();
    test_one_worker();
    test_credit();
    test_cap();
    test_help();
    test_help_between();
    test_pool();
    test_worker();
    test_retry();
    test_retry_waits();
    test_branches();
    test_unknown();
    test_skips();
    UNIT_END("critical");
}
