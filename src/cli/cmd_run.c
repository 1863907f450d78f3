/* cmd_run.c - `run`: read bottom-up. cmd_run loads and plans, cli_run runs with progress and signals around it,
 * also for `resume`, and the rest is what is said at the end. */
#include "cli/program.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/value.h"

/* In the order of the words of --progress. */
typedef enum ProgressWord {
    SHOW_AUTO,
    SHOW_TTY,
    SHOW_PLAIN,
    SHOW_JSON,
    SHOW_NONE
} ProgressWord;

typedef struct Session {
    const Args *args;
    const Term *term;
    Mill *mill;
    Store *store;            /* where outputs are kept; NULL: the job keeps none */
    bool is_resumed;
    bool stays;              /* what is kept does: the run can be resumed */
    Progress *progress;
    MillRun *run;
    uint64_t *busy_ns;       /* of each step, and why it was skipped: what progress saw, */
    uint32_t *skip_cause;    /* from the run's end on */
    uint64_t seed;
    FILE *trace;             /* NULL: not wanted */
    sigset_t signals;        /* taken by the thread that waits for them */
    atomic_bool is_over;     /* the run is: set before the last SIGUSR1 */
    atomic_int caught;       /* the signal that ends the run; 0: none */
    atomic_uint_fast64_t n_told; /* instances whose failure was told when it happened */
} Session;

/* ---- signals ---- */

#define NEXT_RESUME "  next       pipemill resume\n"

static void say(Session *s, const char *line)
{
    progress_print(s->progress, stderr, str_of(line));
}

/* A run ends 2 s after the first signal at the latest. */
enum {
    GRACE_MS = 1500,   /* for instances that run when the first Ctrl-C comes */
    PATIENCE_MS = 500, /* for those that were told to stop at once */
};

/* Instances that compute do not look up: the process ends with them, without what is not whole. */
static void end_process(Session *s, int sig)
{
    mill_run_abandon(s->run);
    if (s->store && !s->args->has[OPT_QUIET])
        say(s, NEXT_RESUME);
    _exit(128 + sig);
}

/* The next signal; SIGALRM when patience is over. patience_ms 0: it has no end. */
static int next_signal(Session *s, long patience_ms)
{
    const struct timespec patience = {.tv_sec = patience_ms / 1000, .tv_nsec = patience_ms % 1000 * 1000000l};
    int sig;
    if (!patience_ms)
        return sigwait(&s->signals, &sig) == 0 ? sig : SIGALRM;
    do
        sig = sigtimedwait(&s->signals, NULL, &patience);
    while (sig < 0 && errno == EINTR);
    return sig > 0 ? sig : SIGALRM;
}

/* Ctrl-C: the first lets running instances end, for a while. The second, or the end of that while, interrupts them and ends the
 * process if they take long, as does a third. SIGTERM begins with the second. */
static void *wait_for_signals(void *ctx)
{
    Session *s = ctx;
    int n_caught = 0;
    for (;;) {
        int sig = next_signal(s, n_caught >= 2 ? PATIENCE_MS : n_caught == 1 ? GRACE_MS : 0);
        if (atomic_load(&s->is_over))
            return NULL;
        if (sig == SIGUSR1)
            continue;
        if (sig == SIGALRM && n_caught != 1)
            end_process(s, atomic_load(&s->caught));
        bool is_over_grace = sig == SIGALRM;
        if (!is_over_grace)
            atomic_store(&s->caught, sig);
        n_caught += sig == SIGTERM && n_caught == 0 ? 2 : 1;
        if (n_caught == 1) {
            say(s, "interrupted: nothing new starts, running instances have 1.5 s to end; "
                   "again to stop at once\n");
            mill_run_cancel(s->run, false);
        } else if (n_caught == 2) {
            say(s, is_over_grace    ? "still running: stopping at once\n"
                   : sig == SIGTERM ? "terminated: stopping at once\n"
                                    : "interrupted again: stopping at once\n");
            mill_run_cancel(s->run, true);
        } else {
            end_process(s, sig);
        }
    }
}

/* ---- what is said at the end ---- */

static void put_visible(Buf *out, const char *text)
{
    buf_put_visible(out, str_of(text));
}

static void put_place(Buf *out, const Error *e)
{
    if (!e->file[0] && !e->column[0])
        return;
    buf_puts(out, " --> ");
    put_visible(out, e->file);
    if (e->line)
        buf_printf(out, "%s%llu", e->file[0] ? ":" : "line ", (unsigned long long)e->line);
    if (e->column[0]) {
        buf_puts(out, e->file[0] || e->line ? ", column `" : "column `");
        put_visible(out, e->column);
        buf_putc(out, '`');
    }
    buf_putc(out, '\n');
}

static void put_help(Buf *out, bool color, Str text)
{
    buf_puts(out, color ? "  = \033[1mhelp\033[0m: " : "  = help: ");
    buf_put_visible(out, text);
    buf_putc(out, '\n');
}

/* What the kind of the row error says, with the step, whose policy is the one that counts, for `%s`. */
static void put_remedy(Buf *out, bool color, const char *remedy, Str instance)
{
    Buf text = {0};
    const char *at = strstr(remedy, "%s"), *key = instance.len ? memchr(instance.ptr, '[', instance.len) : NULL;
    Str step = str_slice(instance, 0, key ? (uint32_t)(key - instance.ptr) : instance.len);
    if (at)
        buf_printf(&text, "%.*s`%.*s`%s", (int)(at - remedy), remedy, STR_ARG(step), at + 2);
    else
        buf_puts(&text, remedy);
    put_help(out, color, buf_str(&text));
    buf_deinit(&text);
}

/* Laid out like a diagnostic. instance: the name of what has failed; empty: no instance has. */
static void put_error(Buf *out, const Term *t, const Error *e, Str instance, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
static void put_error(Buf *out, const Term *t, const Error *e, Str instance, const char *fmt, ...)
{
    va_list ap;
    bool color = t->err_has_color;
    buf_puts(out, color ? "\033[1;31merror\033[0m\033[1m: " : "error: ");
    va_start(ap, fmt);
    buf_vprintf(out, fmt, ap);
    va_end(ap);
    size_t len = strcspn(e->text, "\n");
    buf_put_visible(out, (Str){e->text, (uint32_t)len});
    buf_puts(out, color ? "\033[0m\n" : "\n");
    put_place(out, e);
    if (e->value[0]) {
        buf_puts(out, "  | ");
        put_visible(out, e->value);
        buf_putc(out, '\n');
    }
    /* What to do about it: said by the message, or by the kind of the row error. */
    const char *line = e->text + len;
    const char *remedy = row_error_remedy(e->row_error);
    bool has_words = *line, names_step = strstr(remedy, "%s");
    for (; *line; line += len) {
        line++;
        len = strcspn(line, "\n");
        put_help(out, color, (Str){line, (uint32_t)len});
    }
    if (*remedy && (names_step ? instance.len > 0 : !has_words))
        put_remedy(out, color, remedy, instance);
}

static void put_failure(Buf *out, const Term *t, Str name, uint32_t attempt, const Error *err)
{
    if (attempt > 1)
        put_error(out, t, err, name, "%.*s failed at attempt %u: ", STR_ARG(name), attempt);
    else
        put_error(out, t, err, name, "%.*s failed: ", STR_ARG(name));
}

#define MAX_TOLD_WHOLE 10 /* failures that are told in place with all that is known of them */

/* Where there is a line for what happens, a failure is told when it happens. */
static void tell_failure(void *ctx, Buf *out, Str name, uint32_t attempt, const Error *err)
{
    Session *s = ctx;
    if (atomic_fetch_add(&s->n_told, 1) < MAX_TOLD_WHOLE)
        put_failure(out, s->term, name, attempt, err);
    else
        buf_printf(out, "%.*s: failed: %.*s\n", STR_ARG(name), (int)strcspn(err->text, "\n"), err->text);
}

/* "error: load[3] failed, as told above": the ones that were told in place. */
static void put_failed_names(Buf *out, const Term *t, const MillResult *r)
{
    buf_puts(out, t->err_has_color ? "\033[1;31merror\033[0m\033[1m: " : "error: ");
    if (r->n_failures > 1)
        buf_printf(out, "%llu instances failed, as told above: ", (unsigned long long)r->n_failures);
    for (uint32_t i = 0; i < r->n_kept; i++)
        buf_printf(out, "%s%.*s", i ? ", " : "", STR_ARG(r->failures[i].name));
    buf_puts(out, r->n_failures > r->n_kept ? ", ..." : r->n_failures == 1 ? " failed, as told above" : "");
    buf_puts(out, t->err_has_color ? "\033[0m\n" : "\n");
}

/* The summary, if there is one, also says how many did not start. */
static void put_failures(Session *s, Buf *out, const MillResult *r, bool has_summary)
{
    const Term *t = s->term;
    uint64_t n_not_started = 0;
    uint64_t n_told = atomic_load(&s->n_told);
    bool is_told = r->n_failures && n_told >= r->n_failures;
    if (is_told && n_told > MAX_TOLD_WHOLE && r->state == RUN_FAILED) /* what stopped the run was told in a line, as the last are */
        put_failure(out, t, r->failures[0].name, r->failures[0].attempt, r->failures[0].err);
    if (is_told)
        put_failed_names(out, t, r);
    for (uint32_t i = 0; i < r->n_kept && !is_told; i++)
        put_failure(out, t, r->failures[i].name, r->failures[i].attempt, r->failures[i].err);
    if (r->n_failures > r->n_kept && !is_told)
        buf_printf(out, "error: %llu more instances failed\n",
                   (unsigned long long)(r->n_failures - r->n_kept));
    if (r->commit_error)
        put_error(out, t, r->commit_error, (Str){0}, "%s", "");
    for (uint32_t i = 0; i < r->info->n_steps; i++)
        n_not_started += r->end.steps[i].n_not_started + r->end.steps[i].n_skipped;
    if (r->state == RUN_FAILED && n_not_started && !has_summary)
        buf_printf(out, "  = note: %llu instance%s did not start\n",
                   (unsigned long long)n_not_started, n_not_started == 1 ? "" : "s");
}

static uint64_t peak_memory(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

/* Has it something to go on with? */
static bool can_resume(const Session *s, const MillResult *r)
{
    const KeptCount *kept = &r->end.kept;
    bool is_over = r->state == RUN_DONE || r->state == RUN_PARTIAL;
    return s->store && !is_over && (s->is_resumed || kept->n_kept);
}

static void put_summary(Session *s, Buf *out, const MillResult *r)
{
    const Args *a = s->args;
    Buf next = {0};
    if (r->state == RUN_DONE && !a->has[OPT_GANTT] && a->operands.n &&
        strcmp(a->operands.ptr[0], "-") != 0) /* what stdin held is gone */
        buf_printf(&next, "pipemill run %s %.*s --gantt", a->operands.ptr[0],
                   STR_ARG(r->info->job));
    else if (can_resume(s, r))
        buf_puts(&next, "pipemill resume");
    const SummaryInput in = {.info = r->info,
                             .end = &r->end,
                             .rows_in = r->rows_in,
                             .rows_out = r->rows_out,
                             .peak_memory_bytes = peak_memory(),
                             .step_busy_ns = s->busy_ns,
                             .skip_cause = s->skip_cause,
                             .next = buf_str(&next)};
    summary_put(&in, out);
    if (!a->has[OPT_SEED])
        buf_printf(out, "  seed       %llu (--seed repeats its ids)\n",
                   (unsigned long long)s->seed);
    const KeptCount *kept = &r->end.kept;
    if (s->is_resumed)
        buf_printf(out, "  resumed    %llu outputs taken from run %.*s, %llu instances did not run again\n",
                   (unsigned long long)kept->n_restored, STR_ARG(store_id(s->store)), (unsigned long long)kept->n_left_out);
    if (kept->n_damaged)
        buf_printf(out, "  damaged    %llu outputs were not as they were kept, and were made again\n",
                   (unsigned long long)kept->n_damaged);
    int64_t now_us;
    if (!a->has[OPT_NOW] && mill_told_now(s->mill, &now_us)) {
        buf_puts(out, "  now        ");
        value_print(out, (Value){.type = TYPE_TIMESTAMP, .i = now_us});
        buf_puts(out, " (--now repeats its times)\n");
    }
    buf_deinit(&next);
}

/* --trace and --gantt. False (and said) when the file could not be written. */
static bool put_recording(Session *s, Buf *out)
{
    Recording *r = mill_run_recording(s->run);
    const GanttTextOptions chart = {.width = s->term->width,
                                    .is_ascii = !s->term->is_utf8,
                                    .has_color = s->term->err_has_color};
    bool ok = true;
    if (s->args->has[OPT_GANTT])
        gantt_text(r, &chart, out);
    if (s->trace) {
        Buf json = {0};
        trace_write_json(r, &json);
        ok = fwrite(json.ptr, 1, json.len, s->trace) == json.len;
        buf_deinit(&json);
    }
    recording_free(r);
    return ok;
}

#define PROFILE_LINES 40 /* at most; -v: all there are */

static void put_profile(const Session *s, const MillResult *r, Buf *out)
{
    bool has_all = s->args->has[OPT_VERBOSE];
    const ProfileShown shown = {.max_lines = has_all ? 0 : PROFILE_LINES,
                                .width = has_all || !s->term->err_is_tty ? 0 : s->term->width,
                                .is_ascii = !s->term->is_utf8};
    profile_put(r->profile, r->info, &shown, out);
}

static int status_of(const Session *s, const MillResult *r)
{
    switch (r->state) {
    case RUN_DONE:
        return EXIT_OK;
    case RUN_PARTIAL:
        return EXIT_PARTIAL;
    case RUN_FAILED:
        return EXIT_FAILED;
    case RUN_CANCELLED:
        return 128 + atomic_load(&s->caught);
    }
    return EXIT_FAILED;
}

/* ---- the run ---- */

static void log_lines(void *ctx, Str lines)
{
    progress_print(ctx, stderr, lines);
}

/* Bytes of the process in memory now, 0 where the system does not say. */
static uint64_t memory_now(void *ctx)
{
    unsigned long long total, resident = 0;
    (void)ctx;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f)
        return 0;
    if (fscanf(f, "%llu %llu", &total, &resident) != 2)
        resident = 0;
    fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static ProgressMode progress_mode(const Args *a, const Term *t, bool writes_stdout)
{
    switch ((ProgressWord)a->number[OPT_PROGRESS]) {
    case SHOW_AUTO:
        if (a->has[OPT_QUIET])
            return PROGRESS_NONE;
        if (a->has[OPT_VERBOSE])
            return PROGRESS_PLAIN;
        if (!t->err_is_tty)
            return PROGRESS_PLAIN;
        /* Data on the same terminal would run through the block. */
        return writes_stdout && t->out_is_tty ? PROGRESS_NONE : PROGRESS_TTY;
    case SHOW_TTY:
        return PROGRESS_TTY;
    case SHOW_PLAIN:
        return PROGRESS_PLAIN;
    case SHOW_JSON:
    case SHOW_NONE:
        break;
    }
    return PROGRESS_NONE;
}

static uint64_t pick_seed(const Args *a)
{
    uint64_t seed;
    if (a->has[OPT_SEED])
        return a->number[OPT_SEED];
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)clock_wall_us() ^ (uint64_t)getpid() << 40;
    return seed;
}

/* What is said and written behind the run a signal ends as it ends any process; one that came with the run's end was for the run. */
static void signals_default(Session *s)
{
    const struct timespec at_once = {0};
    while (sigtimedwait(&s->signals, NULL, &at_once) > 0)
        ;
    pthread_sigmask(SIG_UNBLOCK, &s->signals, NULL);
}

/* Between its start and its end the thread of signals lives. */
static void go(Session *s, MillResult *result)
{
    pthread_t waiter;
    bool is_waiting = pthread_create(&waiter, NULL, wait_for_signals, s) == 0;
    mill_run_go(s->run, result);
    atomic_store(&s->is_over, true);
    if (is_waiting) {
        pthread_kill(waiter, SIGUSR1);
        pthread_join(waiter, NULL);
    }
    signals_default(s);
}

static int say_end(Session *s, const MillResult *result)
{
    const Args *a = s->args;
    Buf out = {0};
    int status = status_of(s, result);
    bool traced = true;
    put_failures(s, &out, result, !a->has[OPT_QUIET]);
    if (!a->has[OPT_QUIET])
        put_summary(s, &out, result);
    if (a->has[OPT_PROFILE])
        put_profile(s, result, &out);
    if (a->has[OPT_GANTT] || s->trace)
        traced = put_recording(s, &out);
    put_err(buf_str(&out));
    buf_deinit(&out);
    if (s->trace && (fclose(s->trace) != 0 || !traced)) {
        complain(s->term, (Str){0}, "cannot write `%s`: %s", a->text[OPT_TRACE],
                 strerror(errno));
        status = status == EXIT_OK ? EXIT_FAILED : status;
    }
    s->trace = NULL;
    return status;
}

/* PIPEMILL_BATCH=N: rows of the batches whose size the program leaves open. By it the
 * tests see to it that any size does. */
static uint64_t batch_rows_of_environment(void)
{
    const char *v = getenv("PIPEMILL_BATCH");
    return v ? strtoull(v, NULL, 10) : 0;
}

/* A job that keeps outputs gets a folder for them. */
static int begin_store(Session *s, uint32_t job)
{
    const Args *a = s->args;
    Error err = {0};
    if (s->store || !mill_keeps(s->mill, job))
        return EXIT_OK;
    bool is_text = a->has[OPT_EXPR] || strcmp(a->operands.ptr[0], "-") == 0;
    Str *sets = xcalloc(a->sets.n + 1, sizeof *sets);
    for (size_t i = 0; i < a->sets.n; i++)
        sets[i] = str_of(a->sets.ptr[i]);
    StoreFacts facts = {.program = is_text ? (Str){"", 0} : str_of(a->operands.ptr[0]),
                        .text = is_text ? mill_text(s->mill) : (Str){"", 0},
                        .is_flow = a->has[OPT_EXPR],
                        .n_sets = (uint32_t)a->sets.n,
                        .sets = sets,
                        .seed = s->seed,
                        .memory_bytes = a->number[OPT_MEMORY],
                        .auto_rows = batch_rows_of_environment(),
                        .forbids_exec = a->has[OPT_NO_EXEC]};
    Status st = mill_put_facts(s->mill, job, &facts, &err);
    if (st == OK)
        st = store_begin(&facts, &s->store, &err);
    free(sets);
    return st == OK ? EXIT_OK : cli_failed(s->term, &err);
}

static int run_planned(Session *s, Mill *m, uint32_t job)
{
    const Args *a = s->args;
    const Term *t = s->term;
    Error err = {0};
    MillResult result;
    if (a->has[OPT_TRACE] && !(s->trace = fopen(a->text[OPT_TRACE], "wb"))) {
        complain(t, (Str){0}, "cannot write `%s`: %s", a->text[OPT_TRACE],
                 strerror(errno));
        return EXIT_FAILED;
    }
    sigemptyset(&s->signals);
    sigaddset(&s->signals, SIGINT);
    sigaddset(&s->signals, SIGTERM);
    sigaddset(&s->signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &s->signals, NULL); /* threads begun from here on inherit it */

    const ProgressOptions shown = {.mode = progress_mode(a, t, mill_writes_stdout(m, job)),
                                   .out = stderr,
                                   .is_ascii = !t->is_utf8,
                                   .has_color = t->err_has_color,
                                   .is_verbose = a->has[OPT_VERBOSE],
                                   .failure_ctx = s,
                                   .put_failure = tell_failure,
                                   .memory = memory_now};
    s->progress = progress_open(&shown);
    const MillRunOptions options = {.n_workers = (uint32_t)a->number[OPT_WORKERS],
                                    .seed = s->seed,
                                    .auto_rows = s->is_resumed ? store_facts(s->store)->auto_rows
                                                               : batch_rows_of_environment(),
                                    .store = s->store,
                                    .keeps_trace = a->has[OPT_GANTT] || s->trace,
                                    .keeps_profile = a->has[OPT_PROFILE],
                                    .observer = progress_observer(s->progress),
                                    .log_ctx = s->progress,
                                    .log = log_lines};
    if (mill_run_open(m, job, &options, &s->run, &err) != OK) {
        progress_close(s->progress);
        if (s->trace)
            fclose(s->trace);
        return cli_failed(t, &err);
    }
    go(s, &result);
    s->busy_ns = xcalloc(result.info->n_steps, sizeof *s->busy_ns);
    s->skip_cause = xcalloc(result.info->n_steps, sizeof *s->skip_cause);
    for (uint32_t i = 0; i < result.info->n_steps; i++) {
        s->busy_ns[i] = progress_busy_ns(s->progress, i);
        s->skip_cause[i] = progress_skip_cause(s->progress, i);
    }
    progress_close(s->progress);
    int status = say_end(s, &result);
    s->stays = can_resume(s, &result);
    free(s->busy_ns);
    free(s->skip_cause);
    mill_run_close(s->run);
    return status;
}

int cli_run(const Args *a, const Term *t, Mill *m, uint32_t job, Store *resumed)
{
    Session s = {.args = a, .term = t, .mill = m, .seed = pick_seed(a), .store = resumed, .is_resumed = resumed != NULL,
                 .stays = resumed != NULL};
    int status = EXIT_OK;
    if (a->number[OPT_PROGRESS] == SHOW_JSON) {
        complain(t, (Str){0}, "`--progress json` is not available yet");
        status = EXIT_USAGE;
    }
    if (status == EXIT_OK)
        status = begin_store(&s, job);
    if (status == EXIT_OK)
        status = run_planned(&s, m, job);
    store_close(s.store, !s.stays);
    return status;
}

int cmd_run(const Args *a, const Term *t)
{
    Mill *m;
    uint32_t job;
    int status = cli_open_job(a, t, &m, &job);
    if (status != EXIT_OK)
        return status;
    status = cli_run(a, t, m, job, NULL);
    mill_close(m);
    return status;
}
