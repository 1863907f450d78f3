/* exec.c - the statement `exec`: the table as CSV through a command (command.h), and back. */
#include "run/command.h"
#include "run/run_int.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv_write.h"

/* ---- commands that run ---- */

struct Group {
    Group *next;
    pid_t id;
};

static void group_started(void *ctx, pid_t id)
{
    Host *h = ctx;
    Group *g = xcalloc(1, sizeof *g);
    g->id = id;
    pthread_mutex_lock(&h->run->mu);
    g->next = h->run->groups;
    h->run->groups = g;
    pthread_mutex_unlock(&h->run->mu);
}

static void group_ended(void *ctx, pid_t id)
{
    Host *h = ctx;
    pthread_mutex_lock(&h->run->mu);
    Group **at = &h->run->groups, *g;
    while ((*at)->id != id)
        at = &(*at)->next;
    g = *at;
    *at = g->next;
    pthread_mutex_unlock(&h->run->mu);
    free(g);
}

void groups_kill_locked(Run *r)
{
    for (const Group *g = r->groups; g; g = g->next)
        kill(-g->id, SIGKILL);
}

static Status may_go_on(void *ctx, Error *err)
{
    const Host *h = ctx;
    if (task_is_in_vain(h->task))
        return error_set(err, ERR_CANCELLED, "the run has failed");
    return task_check(h->task, err);
}

/* ---- what comes back ---- */

/* The ranges of the output as one batch. */
static Status ranges_join(CsvSource *source, const Schema *schema, Rejects *bad, Batch **out, Error *err)
{
    State parts = {0};
    RawRows *raw = NULL;
    Status st = OK;
    while (st == OK && (st = csv_source_next(source, (CsvLimit){.bytes = CSV_BATCH_MAX}, &raw, err)) == OK && raw) {
        st = raw_index_lenient(raw, bad, err);
        if (st == OK)
            keep_part(&parts, batch_of_raw(raw, schema));
        raw_unref(raw);
    }
    if (st == OK)
        *out = join_parts(&parts, schema);
    drop_parts(&parts);
    free(parts.parts);
    return st;
}

static Status output_read(const char *command, const Buf *text, const Schema *schema, Rejects *bad, Batch **out, Error *err)
{
    CsvSample *sample = xcalloc(1, sizeof *sample);
    CsvSource *source = NULL;
    Buf name = {0};
    buf_printf(&name, "output of %s", command);
    Status st = input_open(STR_LIT("/dev/null"), CODING_UTF8, &sample->in, err); /* all of it is here */
    sample->block = heap_new(text->len + 64);
    sample->n_bytes = text->len;
    sample->at_eof = true;
    if (text->len)
        memcpy(sample->block->bytes, text->ptr, text->len);
    if (st == OK) {
        const CsvReadOptions o = {.dialect = CSV_DEFAULT_DIALECT, .schema = schema, .is_output = true, .sample = sample};
        st = csv_source_open(buf_str(&name), &o, &source, err);
    } else {
        csv_sample_free(sample);
    }
    if (st == OK && bad)
        csv_source_lenient(source, bad);
    if (st == OK)
        st = ranges_join(source, schema, bad, out, err);
    csv_source_close(source);
    buf_deinit(&name);
    return st;
}

/* What a command says on stderr goes where `log` does. */
static void log_talk(Host *h, const Buf *talk)
{
    for (size_t at = 0, end; at < talk->len; at = end + 1) {
        const char *lf = memchr(talk->ptr + at, '\n', talk->len - at);
        end = lf ? (size_t)(lf - talk->ptr) : talk->len;
        buf_put_visible(&h->log, (Str){talk->ptr + at, (uint32_t)(end - at)});
        buf_putc(&h->log, '\n');
    }
}

Status host_exec(void *ctx, const Spec *spec, const Batch *t, Batch **out, Error *err)
{
    Host *h = ctx;
    const CsvDialect d = CSV_DEFAULT_DIALECT;
    Buf csv = {0}, text = {0}, talk = {0};
    char **argv = xcalloc(spec->n_values + 1ull, sizeof *argv);
    for (uint32_t i = 0; i < spec->n_values; i++)
        argv[i] = xstrndup(spec->values[i].s.ptr, spec->values[i].s.len);
    csv_write_header(&csv, spec->in, &d);
    csv_write_rows(&csv, t, &d);
    uint64_t n_bytes = csv.cap;
    budget_change(&h->run->budget, 0, n_bytes);
    Status st = OK;
    if (csv.len > UINT32_MAX)
        st = error_set(err, ERR_DATA, "the table is more than 4 GiB of CSV: give `exec` batches");
    const Command c = {.argv = argv, .input = buf_str(&csv), .ctx = h, .check = may_go_on, .started = group_started,
                       .ended = group_ended};
    if (st == OK)
        st = command_run(&c, &text, &talk, err);
    buf_deinit(&csv);
    budget_change(&h->run->budget, n_bytes, text.cap);
    n_bytes = text.cap;
    Rejects *bad = h->step->bad_rows == BAD_ROWS_FAIL ? NULL : &h->state->read_told;
    if (st == OK) {
        log_talk(h, &talk);
        st = output_read(argv[0], &text, spec->schema, bad, out, err);
    }
    for (uint32_t i = 0; i < spec->n_values; i++)
        free(argv[i]);
    free(argv);
    buf_deinit(&text);
    buf_deinit(&talk);
    budget_give(&h->run->budget, n_bytes);
    return st;
}
