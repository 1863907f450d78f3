#include "report/progress_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/format.h"

#define REDRAW_NS 100000000ll
#define HEARTBEAT_NS 30000000000ll

enum { MAX_LINES = 10, DEFAULT_WIDTH = 80 };

/* ---- drawing */

static void screen_size(const Progress *p, uint32_t *width, uint32_t *height)
{
    struct winsize size = {0};
    *width = p->options.width;
    *height = MAX_LINES + 2;
    if (p->options.width == 0 && ioctl(fileno(p->options.out), TIOCGWINSZ, &size) == 0) {
        *width = size.ws_col;
        if (size.ws_row)
            *height = size.ws_row;
    }
    if (*width == 0)
        *width = DEFAULT_WIDTH;
}

/* Up to the block's first line and all of it away: nothing scrolls. */
static void erase_put(Progress *p, Buf *out)
{
    if (p->n_drawn)
        buf_printf(out, "\r\033[%uA\033[J", p->n_drawn);
    p->n_drawn = 0;
}

static void block_put_locked(Progress *p, Buf *out)
{
    uint32_t width, height;
    size_t from = out->len;
    if (!p->has_block)
        return;
    screen_size(p, &width, &height);
    /* The last column stays free: some terminals wrap when it is filled. */
    uint32_t lines = height > 2 ? height - 2 : 1;
    progress_render(p, (uint64_t)(clock_now_ns() - p->begun_ns), width > 1 ? width - 1 : 1,
                    lines < MAX_LINES ? lines : MAX_LINES, out);
    for (size_t i = from; i < out->len; i++)
        p->n_drawn += out->ptr[i] == '\n';
}

static void write_locked(Progress *p, const Buf *text)
{
    if (text->len == 0)
        return;
    fwrite(text->ptr, 1, text->len, p->options.out);
    fflush(p->options.out);
}

static void redraw_locked(Progress *p)
{
    Buf text = {0};
    erase_put(p, &text);
    buf_put_str(&text, buf_str(&p->pending));
    buf_clear(&p->pending);
    block_put_locked(p, &text);
    write_locked(p, &text);
    buf_deinit(&text);
}

/* ---- plain lines */

__attribute__((format(printf, 2, 3))) static void line_say(Progress *p, const char *fmt, ...)
{
    va_list ap;
    Buf text = {0};
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    buf_putc(&text, '\n');
    pthread_mutex_lock(&p->mu);
    write_locked(p, &text);
    p->last_said_ns = clock_now_ns();
    pthread_mutex_unlock(&p->mu);
    buf_deinit(&text);
}

static void heartbeat_locked(Progress *p)
{
    Buf text = {0};
    time_put(&text, (uint64_t)(clock_now_ns() - p->begun_ns));
    buf_putc(&text, ':');
    for (uint32_t i = 0; i < p->n_steps; i++) {
        uint64_t n_running = load(&p->steps[i].n_running);
        if (n_running == 0)
            continue;
        buf_printf(&text, "  %.*s ", STR_ARG(p->names[i]));
        count_put(&text, step_over(&p->steps[i]));
        buf_printf(&text, " done, %" PRIu64 " running", n_running);
    }
    buf_putc(&text, '\n');
    write_locked(p, &text);
    p->last_said_ns = clock_now_ns();
    buf_deinit(&text);
}

/* Says once that a step is over, when no instance of it can come any more. */
static void end_say(Progress *p, uint32_t step)
{
    StepState *s = &p->steps[step];
    uint32_t child = p->info->steps[step].child_scope;
    uint64_t total;
    Buf text = {0};
    if (!step_total(p, step, &total) || step_over(s) < total || (child && !scope_is_known(p, child)) ||
        atomic_exchange_explicit(&s->said_end, true, memory_order_relaxed))
        return;
    if (child) {
        uint64_t n = load(&p->scopes[child].n_given);
        count_put(&text, n);
        buf_puts(&text, n == 1 ? " batch, " : " batches, ");
    } else if (total != 1) {
        count_put(&text, load(&s->n_done));
        buf_puts(&text, " done, ");
    }
    if (load(&s->n_over_retries)) {
        count_put(&text, load(&s->n_over_retries));
        buf_puts(&text, load(&s->n_over_retries) == 1 ? " retry, " : " retries, ");
    }
    if (load(&s->n_failed) || load(&s->n_skipped))
        buf_printf(&text, "%" PRIu64 " failed, %" PRIu64 " skipped, ", load(&s->n_failed),
                   load(&s->n_skipped));
    bad_rows_put(&text, load(&s->n_bad_rows), load(&s->n_bad_values), p->info->steps[step].rejects);
    buf_puts(&text, load(&s->n_bad_rows) || load(&s->n_bad_values) ? ", " : "");
    time_put(&text, load(&s->busy_ns));
    line_say(p, "%.*s: ended, %s of work", STR_ARG(p->names[step]), text.ptr);
    buf_deinit(&text);
}

/* "load[a.csv/3]", cut where it is long. */
static void instance_put(const Progress *p, uint32_t step, Str key, Buf *out)
{
    enum { MAX_KEY = 200 };
    buf_put_str(out, p->names[step]);
    if (key.len) {
        Buf shown = {0};
        buf_put_visible(&shown, key);
        Str fit = column_fit(buf_str(&shown), MAX_KEY);
        buf_printf(out, "[%.*s%s]", STR_ARG(fit), fit.len < shown.len ? ".." : "");
        buf_deinit(&shown);
    }
}

/* What is to be done about it is told of those that were not mended by another attempt. */
static void failure_say(Progress *p, Str name, uint32_t attempt, bool is_retried, const Error *err)
{
    char which[32] = "";
    if (err && err->status == ERR_CANCELLED) { /* others failed, or somebody interrupted */
        line_say(p, "%.*s: stopped: %s", STR_ARG(name), err->text);
        return;
    }
    if (p->options.put_failure && err && !is_retried) {
        Buf lines = {0};
        p->options.put_failure(p->options.failure_ctx, &lines, name, attempt, err);
        progress_print(p, p->options.out, buf_str(&lines));
        buf_deinit(&lines);
        return;
    }
    if (attempt > 1 || is_retried)
        snprintf(which, sizeof which, "attempt %u ", attempt);
    line_say(p, "%.*s: %sfailed%s%s%.*s", STR_ARG(name), which, is_retried ? ", to be tried again" : "",
             err ? ": " : "", err ? (int)strcspn(err->text, "\n") : 0, err ? err->text : "");
}

static void plain_event(Progress *p, const TraceEvent *e, const Error *err, Str key)
{
    StepState *s = &p->steps[e->step];
    Str name = p->names[e->step];
    Outcome outcome = (Outcome)e->outcome;
    Buf whole = {0};
    bool has_failed = outcome == OUTCOME_FAILED || outcome == OUTCOME_RETRY;
    if (has_failed || p->options.is_verbose)
        instance_put(p, e->step, key, &whole);
    if (e->kind == TRACE_START &&
        !atomic_exchange_explicit(&s->said_start, true, memory_order_relaxed))
        line_say(p, "%.*s: started", STR_ARG(name));
    if ((e->kind == TRACE_END || e->kind == TRACE_FOLD) && has_failed)
        failure_say(p, buf_str(&whole), e->attempt, outcome == OUTCOME_RETRY, err);
    if (e->kind == TRACE_END && p->options.is_verbose &&
        (outcome == OUTCOME_DONE || outcome == OUTCOME_YIELDED)) {
        Buf text = {0};
        time_put(&text, e->t_ns - p->start_ns[e->worker]);
        line_say(p, "%.*s: %s in %s, %u rows in, %u out",
                 STR_ARG(buf_str(&whole)),
                 outcome == OUTCOME_YIELDED ? "yielded" : "done", text.ptr,
                 trace_rows_in(e), trace_rows_out(e));
        buf_deinit(&text);
    }
    buf_deinit(&whole);
    if (e->kind != TRACE_END && e->kind != TRACE_SKIP && e->kind != TRACE_OPEN)
        return;
    /* The end of a generator, or a batch of it told of later, makes totals known, so that others may turn
     * out to be over. */
    uint32_t child = p->info->steps[e->step].child_scope;
    if (child && !scope_is_known(p, child))
        return;
    if (child)
        for (uint32_t i = 0; i < p->n_steps; i++)
            end_say(p, i);
    else
        end_say(p, e->step);
}

/* ---- events */

static void count_end(Progress *p, const TraceEvent *e)
{
    StepState *s = &p->steps[e->step];
    uint32_t child = p->info->steps[e->step].child_scope;
    sub(&s->n_running, 1);
    add(&s->busy_ns, e->t_ns - p->start_ns[e->worker]);
    if (e->outcome != OUTCOME_YIELDED && e->outcome != OUTCOME_RETRY && e->attempt > 1)
        add(&s->n_over_retries, e->attempt - 1u);
    switch ((Outcome)e->outcome) {
    case OUTCOME_YIELDED: add(&s->n_yielded, 1); return;
    case OUTCOME_EXHAUSTED:
    case OUTCOME_DONE: add(&s->n_done, 1); break;
    case OUTCOME_FAILED: add(&s->n_failed, 1); break;
    case OUTCOME_RETRY: add(&s->n_retries, 1); return;
    }
    if (child) {
        add(&p->scopes[child].n_given, p->start_key[e->worker]);
        add(&p->scopes[child].n_generators_over, 1);
    }
}

static void on_keyed_event(void *ctx, const TraceEvent *e, const Error *err, Str key)
{
    Progress *p = ctx;
    uint32_t child = p->info->steps[e->step].child_scope;
    switch ((TraceKind)e->kind) {
    case TRACE_START:
        p->start_ns[e->worker] = e->t_ns;
        p->start_key[e->worker] = child ? e->info : 0;
        add(&p->steps[e->step].n_started, 1);
        add(&p->steps[e->step].n_running, 1);
        break;
    case TRACE_END: count_end(p, e); break;
    case TRACE_FOLD:
    case TRACE_HELP:
        add(&p->steps[e->step].busy_ns, e->t_ns - e->value);
        break;
    case TRACE_OPEN:
        add(&p->scopes[child].n_opened, 1);
        add(&p->scopes[child].n_live, 1);
        break;
    case TRACE_CLOSE: sub(&p->scopes[child].n_live, 1); break;
    case TRACE_SKIP:
        if (load(&p->steps[e->step].skip_cause) == 0)
            atomic_store_explicit(&p->steps[e->step].skip_cause, e->info + 1ull,
                                  memory_order_relaxed);
        add(&p->steps[e->step].n_skipped, 1);
        if (child)
            add(&p->scopes[child].n_generators_over, 1);
        break;
    case TRACE_RETRY: break;
    case TRACE_BAD_ROWS:
        add(&p->steps[e->step].n_bad_rows, trace_bad_skipped(e));
        add(&p->steps[e->step].n_bad_values, trace_bad_nulled(e));
        break;
    }
    if (p->options.mode == PROGRESS_PLAIN)
        plain_event(p, e, err, key);
}

static void on_event(void *ctx, const TraceEvent *e, const Error *err)
{
    on_keyed_event(ctx, e, err, (Str){0});
}

static void *ticker_run(void *ctx)
{
    Progress *p = ctx;
    bool is_tty = p->options.mode == PROGRESS_TTY;
    pthread_mutex_lock(&p->mu);
    while (!p->is_closing) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t ns = until.tv_nsec + (is_tty ? REDRAW_NS : HEARTBEAT_NS / 10);
        until.tv_sec += ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
        pthread_cond_timedwait(&p->wake, &p->mu, &until);
        if (p->is_closing)
            break;
        if (is_tty)
            redraw_locked(p);
        else if (clock_now_ns() - p->last_said_ns >= HEARTBEAT_NS)
            heartbeat_locked(p);
    }
    pthread_mutex_unlock(&p->mu);
    return NULL;
}

static void on_run_start(void *ctx, const RunInfo *info)
{
    Progress *p = ctx;
    p->info = info;
    p->n_steps = info->n_steps;
    p->n_scopes = info->n_scopes;
    p->steps = xcalloc(info->n_steps, sizeof *p->steps);
    p->scopes = xcalloc(info->n_scopes, sizeof *p->scopes);
    p->start_ns = xcalloc(info->n_workers, sizeof *p->start_ns);
    p->start_key = xcalloc(info->n_workers, sizeof *p->start_key);
    p->names = xcalloc(info->n_steps, sizeof *p->names);
    atomic_store(&p->scopes[0].n_opened, 1);
    for (uint32_t i = 0; i < info->n_steps; i++) {
        Str name = info->steps[i].name;
        p->names[i] = (Str){xstrndup(name.ptr ? name.ptr : "", name.len), name.len};
    }
    p->begun_ns = p->last_said_ns = clock_now_ns();
    /* Without the thread there is no block, but the run goes on. */
    if (p->options.mode != PROGRESS_NONE)
        p->has_ticker = pthread_create(&p->ticker, NULL, ticker_run, p) == 0;
    pthread_mutex_lock(&p->mu);
    p->has_block = p->has_ticker && p->options.mode == PROGRESS_TTY;
    pthread_mutex_unlock(&p->mu);
}

static void on_run_end(void *ctx, const RunEnd *end)
{
    Progress *p = ctx;
    (void)end;
    pthread_mutex_lock(&p->mu);
    p->is_closing = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->mu);
    if (p->has_ticker)
        pthread_join(p->ticker, NULL);
    p->has_ticker = false;
    /* The block goes: the summary says the same and more. */
    pthread_mutex_lock(&p->mu);
    p->info = NULL;
    p->has_block = false;
    redraw_locked(p);
    pthread_mutex_unlock(&p->mu);
}

/* ---- open and close */

Progress *progress_open(const ProgressOptions *options)
{
    Progress *p = xcalloc(1, sizeof *p);
    pthread_condattr_t attr;
    p->options = *options;
    p->observer = (Observer){.ctx = p, .run_start = on_run_start, .event = on_event,
                             .run_end = on_run_end, .keyed_event = on_keyed_event,
                             .wants_keys = options->mode == PROGRESS_PLAIN && options->is_verbose};
    pthread_mutex_init(&p->mu, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->wake, &attr);
    pthread_condattr_destroy(&attr);
    return p;
}

const Observer *progress_observer(Progress *p)
{
    return &p->observer;
}

void progress_print(Progress *p, FILE *stream, Str lines)
{
    if (lines.len == 0)
        return;
    pthread_mutex_lock(&p->mu);
    if (p->has_block && stream == p->options.out) {
        buf_put_str(&p->pending, lines);
    } else {
        /* Another stream on the same screen: the block must be away before. */
        Buf text = {0};
        erase_put(p, &text);
        write_locked(p, &text);
        buf_deinit(&text);
        fwrite(lines.ptr, 1, lines.len, stream);
        if (p->has_block)
            fflush(stream);
    }
    pthread_mutex_unlock(&p->mu);
}

uint64_t progress_busy_ns(const Progress *p, uint32_t step)
{
    return step < p->n_steps ? load(&p->steps[step].busy_ns) : 0;
}

uint32_t progress_skip_cause(const Progress *p, uint32_t step)
{
    uint64_t cause = step < p->n_steps ? load(&p->steps[step].skip_cause) : 0;
    return cause ? (uint32_t)(cause - 1) : RUN_NO_STEP;
}

void progress_close(Progress *p)
{
    if (!p)
        return;
    if (p->info)
        on_run_end(p, NULL);
    for (uint32_t i = 0; i < p->n_steps; i++)
        free((char *)(uintptr_t)p->names[i].ptr);
    free(p->names);
    buf_deinit(&p->pending);
    free(p->steps);
    free(p->scopes);
    free(p->start_ns);
    free(p->start_key);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mu);
    free(p);
}
