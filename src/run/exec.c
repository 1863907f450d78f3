/* exec.c - the statement `exec`: a table as CSV through a command (command.h), and back. Both in pieces: text is made of the
 * next rows when the command takes it, and what it prints is read while it runs. */
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

/* ---- what it gets ---- */

enum {
    PIECE_BYTES = 256 * 1024, /* of the input, about */
    PIECE_ROWS = 65536,       /* at most, and at first: */
    FIRST_ROWS = 256,
};

/* A command and what it is run for. */
typedef struct Exec {
    Host *h;
    const Spec *spec;
    const ExecEnds *ends;
    Running *running;
    bool has_header;  /* it has been given */
    uint32_t n_rows;  /* of the next piece */
} Exec;

/* As many rows as make a piece, if they are as those of the last one. */
static void rows_adapt(Exec *x, size_t n_bytes, uint32_t n_rows)
{
    uint64_t n = n_rows ? (uint64_t)PIECE_BYTES * n_rows / (n_bytes + 1) : x->n_rows;
    if (n > 4ull * x->n_rows)
        n = 4ull * x->n_rows;
    x->n_rows = n < 1 ? 1 : n > PIECE_ROWS ? PIECE_ROWS : (uint32_t)n;
}

/* Command.more */
static Status text_more(void *ctx, Buf *piece, Error *err)
{
    Exec *x = ctx;
    const CsvDialect d = CSV_DEFAULT_DIALECT;
    if (!x->has_header)
        csv_write_header(piece, x->spec->in, &d);
    x->has_header = true;
    size_t header = piece->len;
    do {
        Batch *b = NULL;
        Status st = x->ends->next(x->ends->ctx, x->n_rows, &b, err);
        if (st != OK || !b)
            return st;
        csv_write_rows(piece, b, &d);
        rows_adapt(x, piece->len - header, b->n_rows);
        batch_unref(b);
    } while (piece->len == header); /* no rows are not the end of them */
    return OK;
}

static Status may_go_on_for(void *ctx, Error *err)
{
    const Exec *x = ctx;
    return may_go_on(x->h, err);
}

static void group_started_for(void *ctx, pid_t id)
{
    const Exec *x = ctx;
    group_started(x->h, id);
}

static void group_ended_for(void *ctx, pid_t id)
{
    const Exec *x = ctx;
    group_ended(x->h, id);
}

/* ---- what comes back ---- */

/* InputGive */
static Status output_give(void *ctx, char *to, size_t n, size_t *got, Error *err)
{
    const Exec *x = ctx;
    return command_read(x->running, to, n, got, err);
}

static Status ranges_take(const Exec *x, CsvSource *source, Rejects *bad, Error *err)
{
    const CsvLimit limit = {.bytes = x->ends->range_bytes};
    RawRows *raw = NULL;
    Status st = OK;
    while (st == OK && (st = csv_source_next(source, limit, &raw, err)) == OK && raw) {
        st = raw_index_lenient(raw, bad, err);
        if (st == OK)
            st = x->ends->take(x->ends->ctx, batch_of_raw(raw, x->spec->schema), err);
        raw_unref(raw);
    }
    return st;
}

static Status output_read(Exec *x, const char *command, Error *err)
{
    Host *h = x->h;
    Rejects *bad = h->step->bad_rows == BAD_ROWS_FAIL ? NULL : &h->state->read_told;
    CsvSample *sample = xcalloc(1, sizeof *sample);
    CsvSource *source = NULL;
    Buf name = {0};
    buf_printf(&name, "output of %s", command);
    sample->in = input_of(output_give, x);
    const CsvReadOptions o = {.dialect = CSV_DEFAULT_DIALECT, .schema = x->spec->schema, .is_output = true, .sample = sample};
    Status st = csv_source_open(buf_str(&name), &o, &source, err);
    if (st == OK && bad)
        csv_source_lenient(source, bad);
    if (st == OK)
        st = ranges_take(x, source, bad, err);
    err->is_output = st != OK;
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

Status exec_run(Host *h, const Spec *spec, const ExecEnds *ends, Error *err)
{
    char **argv = xcalloc(spec->n_values + 1ull, sizeof *argv);
    for (uint32_t i = 0; i < spec->n_values; i++)
        argv[i] = xstrndup(spec->values[i].s.ptr, spec->values[i].s.len);
    Exec x = {.h = h, .spec = spec, .ends = ends, .n_rows = FIRST_ROWS};
    const Command c = {.argv = argv, .ctx = &x, .more = text_more, .check = may_go_on_for, .started = group_started_for,
                       .ended = group_ended_for};
    Buf talk = {0};
    Status st = command_start(&c, &x.running, err);
    if (st == OK) {
        st = output_read(&x, argv[0], err);
        st = command_end(x.running, st, &talk, err);
    }
    if (st == OK)
        log_talk(h, &talk);
    buf_deinit(&talk);
    for (uint32_t i = 0; i < spec->n_values; i++)
        free(argv[i]);
    free(argv);
    return st;
}

/* ---- a table in memory ---- */

typedef struct Table {
    Run *run;
    const Batch *from;
    uint32_t at;  /* rows of it that are given */
    State made;   /* only its parts */
} Table;

static Status table_next(void *ctx, uint32_t n_rows, Batch **out, Error *err)
{
    Table *t = ctx;
    (void)err;
    uint32_t left = t->from->n_rows - t->at, n = left < n_rows ? left : n_rows;
    if (n == 0)
        return OK;
    *out = batch_slice(t->from, t->at, n);
    t->at += n;
    return OK;
}

static Status table_take(void *ctx, Batch *part, Error *err)
{
    Table *t = ctx;
    (void)err;
    if (budget_counts(&t->run->budget))
        state_count(t->run, &t->made, t->made.n_bytes + batch_held_bytes(part));
    keep_part(&t->made, part);
    return OK;
}

Status host_exec(void *ctx, const Spec *spec, const Batch *t, Batch **out, Error *err)
{
    Host *h = ctx;
    Table table = {.run = h->run, .from = t, .made.step = h->step->id};
    /* One range is one table, without copying it together. */
    const ExecEnds ends = {.ctx = &table, .next = table_next, .take = table_take, .range_bytes = CSV_BATCH_MAX};
    Status st = exec_run(h, spec, &ends, err);
    if (st == OK)
        *out = join_parts(&table.made, spec->schema);
    state_count(h->run, &table.made, 0);
    drop_parts(&table.made);
    free(table.made.parts);
    return st;
}
