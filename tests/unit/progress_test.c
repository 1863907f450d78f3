/* What the block says at moments of a run; plain lines; many workers at once. */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "report/progress.h"
#include "report/summary.h"

enum { N_WORKERS = 4, N_BATCHES = 9 };

static const RunStep STEPS[] = {
    {.name = {"extract", 7}, .child_scope = 1},
    {.name = {"transform_1", 11}, .scope = 1, .priority = 1},
    {.name = {"load", 4}, .scope = 1, .priority = 2},
};
static const RunScope SCOPES[] = {{.generator = RUN_NO_STEP, .bound = UINT64_MAX},
                                  {.generator = 0, .bound = 4}};
static const RunInfo INFO = {.file = {"pokemon.pipe", 12}, .job = {"prio_dynamic", 12},
                             .n_workers = N_WORKERS, .n_steps = 3, .n_scopes = 2,
                             .steps = STEPS, .scopes = SCOPES};

static void say_at(const Observer *o, TraceEvent e, const char *error)
{
    Error err = {0};
    if (error)
        error_set(&err, ERR_FAIL, "%s", error);
    if (e.kind == TRACE_FOLD)
        e.value = e.t_ns;
    o->event(o->ctx, &e, error ? &err : NULL);
}

static void say(const Observer *o, TraceKind kind, uint64_t t_ns, uint16_t step,
                uint16_t worker, Outcome outcome, const char *error)
{
    say_at(o, (TraceEvent){.t_ns = t_ns, .kind = (uint8_t)kind, .step = step, .worker = worker,
                           .outcome = (uint8_t)outcome, .attempt = 1}, error);
}

/* The start of a generator that goes for the batch of that key. */
static void say_go(const Observer *o, uint64_t t_ns, uint16_t worker, uint32_t key)
{
    say_at(o, (TraceEvent){.t_ns = t_ns, .kind = TRACE_START, .worker = worker, .info = key,
                           .attempt = 1}, NULL);
}

static void yield_batch(const Observer *o, uint64_t t_ns)
{
    say(o, TRACE_START, t_ns, 0, 0, OUTCOME_DONE, NULL);
    say(o, TRACE_END, t_ns + 10, 0, 0, OUTCOME_YIELDED, NULL);
    say(o, TRACE_OPEN, t_ns + 10, 0, 0, OUTCOME_DONE, NULL);
}

static void shown(Progress *p, uint64_t t_ns, uint32_t width, uint32_t lines, const char *want)
{
    Buf b = {0};
    progress_render(p, t_ns, width, lines, &b);
    CHECK_STR(b.ptr ? b.ptr : "", want);
    buf_deinit(&b);
}

static void test_block(void)
{
    ProgressOptions options = {.mode = PROGRESS_NONE, .is_ascii = true};
    Progress *p = progress_open(&options);
    const Observer *o = progress_observer(p);
    shown(p, 0, 80, 10, "");
    o->run_start(o->ctx, &INFO);
    for (uint64_t k = 0; k < 3; k++)
        yield_batch(o, k * 100);
    say(o, TRACE_START, 400, 1, 1, OUTCOME_DONE, NULL);
    say(o, TRACE_END, 1000000400, 1, 1, OUTCOME_DONE, NULL);
    say(o, TRACE_START, 1000000400, 1, 1, OUTCOME_DONE, NULL);
    /* Help is work of its step, and neither runs nor is done. */
    o->event(o->ctx, &(TraceEvent){.kind = TRACE_HELP, .t_ns = 500, .value = 200, .worker = 2, .attempt = 1, .step = 2}, NULL);
    CHECK(progress_busy_ns(p, 2) == 300);
    /* No total is known yet: counts and a rate. */
    Buf b = {0};
    progress_render(p, 2100000000, 80, 10, &b);
    CHECK(strstr(b.ptr, "pokemon.pipe  prio_dynamic   00:02.1   4 workers   live 3 of at most 4"));
    CHECK(strstr(b.ptr, "\n  extract      3 batches\n"));
    CHECK(strstr(b.ptr, "\n  transform_1  1 done  0.5/s  1 running\n"));
    CHECK(!strchr(b.ptr, '\033') && strchr(b.ptr, '/'));
    CHECK(strstr(b.ptr, "%") == NULL);
    /* The generator has no more: three in all. */
    say_go(o, 1000000500, 0, 3);
    say(o, TRACE_END, 1000000600, 0, 0, OUTCOME_EXHAUSTED, NULL);
    say(o, TRACE_END, 2000000400, 1, 1, OUTCOME_RETRY, "no");
    buf_clear(&b);
    progress_render(p, 2100000000, 80, 10, &b);
    CHECK(strstr(b.ptr, "\n  extract      3 batches, done\n"));
    CHECK(strstr(b.ptr, "\n  transform_1  #######...............  1/3  1 retry\n"));
    /* Too few lines: what runs or failed comes first. */
    say(o, TRACE_START, 2000000500, 2, 2, OUTCOME_DONE, NULL);
    buf_clear(&b);
    progress_render(p, 2100000000, 80, 3, &b);
    CHECK(strstr(b.ptr, "\n  load         ") && strstr(b.ptr, "\n  + 2 more\n"));
    CHECK(!strstr(b.ptr, "transform_1"));
    /* Narrow: nothing is wider. */
    buf_clear(&b);
    progress_render(p, 2100000000, 30, 10, &b);
    for (char *line = b.ptr, *end; (end = strchr(line, '\n')); line = end + 1)
        CHECK(end - line <= 30);
    CHECK(progress_busy_ns(p, 1) == 2000000000 && progress_busy_ns(p, 99) == 0);
    buf_deinit(&b);
    progress_close(p);
}

static char *read_all(FILE *f)
{
    rewind(f);
    char *text = calloc(1, 1 << 20);
    CHECK(text && fread(text, 1, (1 << 20) - 1, f) > 0);
    return text;
}

static void test_plain(void)
{
    FILE *f = tmpfile();
    ProgressOptions options = {.mode = PROGRESS_PLAIN, .out = f};
    Progress *p = progress_open(&options);
    const Observer *o = progress_observer(p);
    o->run_start(o->ctx, &INFO);
    yield_batch(o, 0);
    say_go(o, 100, 0, 1);
    say(o, TRACE_END, 200, 0, 0, OUTCOME_EXHAUSTED, NULL);
    say(o, TRACE_START, 300, 1, 1, OUTCOME_DONE, NULL);
    say(o, TRACE_END, 400, 1, 1, OUTCOME_RETRY, "the line was busy");
    say(o, TRACE_START, 500, 1, 1, OUTCOME_DONE, NULL);
    CHECK(progress_skip_cause(p, 2) == RUN_NO_STEP);
    say_at(o, (TraceEvent){.t_ns = 1000000500, .kind = TRACE_END, .step = 1, .worker = 1, .attempt = 2},
           NULL);
    progress_print(p, f, STR_LIT("a log line\n"));
    say(o, TRACE_START, 600, 2, 1, OUTCOME_DONE, NULL);
    say(o, TRACE_END, 700, 2, 1, OUTCOME_FAILED, "refused");
    o->run_end(o->ctx, NULL);
    progress_close(p);
    char *text = read_all(f);
    CHECK_STR(text, "extract: started\n"
                    "extract: ended, 1 batch, 110 ns of work\n"
                    "transform_1: started\n"
                    "transform_1: attempt 1 failed, to be tried again: the line was busy\n"
                    "transform_1: ended, 1 retry, 1.00 s of work\n"
                    "a log line\n"
                    "load: started\n"
                    "load: failed: refused\n"
                    "load: ended, 1 failed, 0 skipped, 100 ns of work\n");
    free(text);
    fclose(f);
}

/* Events of several workers come in any order. Worker 1 finds that there is no more, and both batches
 * are through step 1 on workers 2 and 3, before worker 0 tells of the second batch, and of an attempt that
 * failed: nothing is said to be over until all of it is known, and then with the right numbers. */
static void test_late(void)
{
    FILE *f = tmpfile();
    ProgressOptions options = {.mode = PROGRESS_PLAIN, .out = f, .is_ascii = true};
    Progress *p = progress_open(&options);
    const Observer *o = progress_observer(p);
    Buf b = {0};
    o->run_start(o->ctx, &INFO);
    yield_batch(o, 0);
    say_go(o, 100, 0, 1);
    say_go(o, 200, 1, 2);
    say(o, TRACE_END, 210, 0, 1, OUTCOME_EXHAUSTED, NULL);
    for (uint16_t w = 2; w < 4; w++) {
        say(o, TRACE_START, 300, 1, w, OUTCOME_DONE, NULL);
        if (w == 3)
            progress_print(p, f, STR_LIT("all but the last\n"));
        say_at(o, (TraceEvent){.t_ns = 400, .kind = TRACE_END, .step = 1, .worker = w,
                               .attempt = (uint16_t)(w - 1)}, NULL);
    }
    progress_print(p, f, STR_LIT("now\n"));
    progress_render(p, 500, 80, 10, &b);
    CHECK(strstr(b.ptr, "\n  extract      1 batch  1 running\n"));
    CHECK(strstr(b.ptr, "\n  transform_1  2 done\n"));
    say(o, TRACE_END, 190, 0, 0, OUTCOME_YIELDED, NULL);
    say(o, TRACE_OPEN, 190, 0, 0, OUTCOME_DONE, NULL);
    o->run_end(o->ctx, NULL);
    progress_close(p);
    char *text = read_all(f);
    CHECK_STR(text, "extract: started\n"
                    "transform_1: started\n"
                    "all but the last\n"
                    "now\n"
                    "extract: ended, 2 batches, 110 ns of work\n"
                    "transform_1: ended, 2 done, 1 retry, 200 ns of work\n");
    free(text);
    fclose(f);
    buf_deinit(&b);
}

typedef struct Worker {
    Progress *p;
    FILE *out;
    uint16_t id;
} Worker;

enum { N_ROUNDS = 2000 };

static void *work(void *ctx)
{
    Worker *w = ctx;
    const Observer *o = progress_observer(w->p);
    for (uint64_t k = 0; k < N_ROUNDS; k++) {
        say(o, TRACE_OPEN, k, 0, w->id, OUTCOME_DONE, NULL);
        say(o, TRACE_START, k, 1, w->id, OUTCOME_DONE, NULL);
        progress_print(w->p, w->out, STR_LIT("line\n"));
        say(o, TRACE_END, k + 1, 1, w->id, OUTCOME_DONE, NULL);
        say(o, TRACE_CLOSE, k, 0, w->id, OUTCOME_DONE, NULL);
    }
    return NULL;
}

/* Workers count and log while the block is drawn; every line arrives, whole, and
 * at the end no block is left. */
static void test_threads(void)
{
    FILE *f = tmpfile();
    ProgressOptions options = {.mode = PROGRESS_TTY, .out = f, .width = 80, .has_color = true};
    Progress *p = progress_open(&options);
    const Observer *o = progress_observer(p);
    pthread_t threads[N_WORKERS];
    Worker workers[N_WORKERS];
    Buf b = {0};
    o->run_start(o->ctx, &INFO);
    for (uint16_t k = 0; k < N_WORKERS; k++) {
        workers[k] = (Worker){p, f, k};
        pthread_create(&threads[k], NULL, work, &workers[k]);
    }
    for (int k = 0; k < N_WORKERS; k++)
        pthread_join(threads[k], NULL);
    progress_render(p, 0, 80, 10, &b);
    CHECK(strstr(b.ptr, "live 0 of at most 4"));
    CHECK(strstr(b.ptr, "8,000 done"));
    CHECK(progress_busy_ns(p, 1) == N_WORKERS * N_ROUNDS);
    o->run_end(o->ctx, NULL);
    progress_print(p, f, STR_LIT("after\n"));
    progress_close(p);
    char *text = read_all(f);
    uint32_t n_lines = 0;
    for (const char *at = text; (at = strstr(at, "line\n")); at += 5)
        n_lines++;
    CHECK(n_lines == N_WORKERS * N_ROUNDS);
    CHECK(strcmp(text + strlen(text) - 11, "line\nafter\n") == 0 ||
          strstr(text, "\033[Jafter\n") || strstr(text, "line\nafter\n"));
    CHECK(!strstr(text, "\033[?25l")); /* the cursor is never hidden */
    free(text);
    fclose(f);
    buf_deinit(&b);
}

/* A skipped instance counts as over, and the first cause is remembered after the run. */
static void test_skips(void)
{
    ProgressOptions options = {.mode = PROGRESS_NONE, .is_ascii = true};
    Progress *p = progress_open(&options);
    const Observer *o = progress_observer(p);
    Buf b = {0};
    o->run_start(o->ctx, &INFO);
    yield_batch(o, 0);
    say_go(o, 100, 0, 1);
    say(o, TRACE_END, 200, 0, 0, OUTCOME_EXHAUSTED, NULL);
    say(o, TRACE_START, 300, 1, 1, OUTCOME_DONE, NULL);
    say(o, TRACE_END, 400, 1, 1, OUTCOME_FAILED, "refused");
    const TraceEvent skip = {.t_ns = 400, .kind = TRACE_SKIP, .step = 2, .info = 1, .attempt = 1};
    o->event(o->ctx, &skip, NULL);
    progress_render(p, 500, 80, 10, &b);
    CHECK(strstr(b.ptr, "\n  load         done  1 skipped\n"));
    o->run_end(o->ctx, NULL);
    CHECK(progress_skip_cause(p, 2) == 1 && progress_skip_cause(p, 1) == RUN_NO_STEP);
    CHECK(progress_skip_cause(p, 99) == RUN_NO_STEP);
    progress_close(p);
    progress_close(NULL);
    buf_deinit(&b);
}

static void test_summary(void)
{
    StepCount steps[3] = {{.n_done = 1}, {.n_done = 8, .n_failed = 1, .n_retries = 2},
                          {.n_done = 8, .n_skipped = 1}};
    ScopeCount scopes[2] = {{0}, {.n_batches = 9, .peak_live = 4}};
    uint64_t busy_ns[3] = {1000000, 9000000000, 1000000};
    uint32_t skip_cause[3] = {RUN_NO_STEP, RUN_NO_STEP, 1};
    RunEnd end = {.state = RUN_PARTIAL, .t_ns = 6010000000, .steps = steps, .scopes = scopes};
    SummaryInput in = {.info = &INFO, .end = &end, .rows_in = 801, .rows_out = 701,
                       .peak_memory_bytes = 3100000, .step_busy_ns = busy_ns,
                       .skip_cause = skip_cause, .next = STR_LIT("pipemill gantt trace.json")};
    Buf b = {0};
    summary_put(&in, &b);
    CHECK_STR(b.ptr, "prio_dynamic partial: something failed and was skipped; took 6.01 s on "
                     "4 workers\n"
                     "  rows       801 in, 701 out\n"
                     "  instances  17 done, 1 failed, 2 retries, 1 skipped\n"
                     "  batches    9 of extract, peak 4 of at most 4 batches\n"
                     "  memory     peak 3.1 MB\n"
                     "  slowest    transform_1, 9.00 s, 100 % of all work\n"
                     "  skipped    1 of load since transform_1 failed\n"
                     "  next       pipemill gantt trace.json\n");
    buf_clear(&b);
    end.state = RUN_DONE;
    in = (SummaryInput){.info = &INFO, .end = &end, .rows_in = SUMMARY_UNKNOWN,
                        .rows_out = SUMMARY_UNKNOWN};
    summary_put(&in, &b);
    CHECK(strncmp(b.ptr, "prio_dynamic done in 6.01 s on 4 workers\n", 41) == 0);
    CHECK(!strstr(b.ptr, "rows") && !strstr(b.ptr, "memory") && !strstr(b.ptr, "slowest"));
    buf_deinit(&b);
}

/* A bound that was passed comes first and is never among those that are only counted. */
static void test_summary_bounds(void)
{
    enum { N = 6 };
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    RunStep steps[N - 1];
    RunScope scopes[N] = {{.generator = RUN_NO_STEP, .bound = UINT64_MAX}};
    StepCount step_counts[N - 1] = {{0}};
    ScopeCount counts[N] = {{0}};
    for (uint32_t k = 1; k < N; k++) {
        steps[k - 1] = (RunStep){.name = str_of(names[k - 1]), .child_scope = k};
        scopes[k] = (RunScope){.generator = k - 1, .bound = 8, .credits = 8};
        counts[k] = (ScopeCount){.n_batches = 700, .peak_live = 8};
    }
    RunInfo info = {.job = STR_LIT("j"), .n_workers = 2, .n_steps = N - 1, .n_scopes = N,
                    .steps = steps, .scopes = scopes};
    RunEnd end = {.t_ns = 1000000000, .steps = step_counts, .scopes = counts};
    SummaryInput in = {.info = &info, .end = &end, .rows_in = SUMMARY_UNKNOWN,
                       .rows_out = SUMMARY_UNKNOWN};
    Buf b = {0};
    counts[4].peak_live = 9;
    counts[4].n_overdrafts = 601;
    counts[5].peak_live = 10;
    counts[5].n_overdrafts = 1;
    summary_put(&in, &b);
    CHECK_STR(b.ptr, "j done in 1.00 s on 2 workers\n"
                     "  instances  0 done\n"
                     "  batches    700 of d, peak 9 of at most 8 batches, 601 overdrafts\n"
                     "  batches    700 of e, peak 10 of at most 8 batches, 1 overdraft: more than was "
                     "proved, a mistake in pipemill: please report it\n"
                     "             + 3 more generators, within their bounds\n");
    buf_clear(&b);
    counts[1].peak_live = 9; /* without an overdraft */
    summary_put(&in, &b);
    CHECK_STR(b.ptr, "j done in 1.00 s on 2 workers\n"
                     "  instances  0 done\n"
                     "  batches    700 of a, peak 9 of at most 8 batches: more than was proved, a "
                     "mistake in pipemill: please report it\n"
                     "  batches    700 of d, peak 9 of at most 8 batches, 601 overdrafts\n"
                     "             + 3 more generators, 1 of them with overdrafts or beyond the bound\n");
    buf_clear(&b);
    info.n_scopes = 4; /* the third takes the line that would count it */
    counts[1].peak_live = 8;
    summary_put(&in, &b);
    CHECK_STR(b.ptr, "j done in 1.00 s on 2 workers\n"
                     "  instances  0 done\n"
                     "  batches    700 of a, peak 8 of at most 8 batches\n"
                     "  batches    700 of b, peak 8 of at most 8 batches\n"
                     "  batches    700 of c, peak 8 of at most 8 batches\n");
    buf_deinit(&b);
}

int main(void)
{
    test_block();
    test_plain();
    test_late();
    test_threads();
    test_skips();
    test_summary();
    test_summary_bounds();
    UNIT_END("progress");
}
