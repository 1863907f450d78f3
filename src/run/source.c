/* source.c - where rows come from: a generator's steps, the file of a read. */
#include "run/run_int.h"

#include <stdlib.h>

#define RANGE_BATCH_AUTO 65536 /* rows of a batch of `range ... batch auto` */

Status source_open(Run *r, const Step *s, CsvSource **out, Error *err)
{
    const Pop *p = s->pops.ptr[0];
    CsvReadOptions o = {.dialect = p->dialect, .schema = p->out, .allow_more = false};
    uint64_t *inferred = xcalloc(p->out->n_cols, sizeof *inferred);
    for (uint32_t i = 0; i < p->out->n_cols; i++)
        if (p->catalog && p->is_inferred[i])
            inferred[i] = p->catalog->sample_rows;
    o.inferred_rows = inferred;
    o.sample = file_catalog_take_sample(r->catalog, p->path);
    Status st = csv_source_open(p->path, &o, out, err);
    free(inferred);
    return st;
}

static CsvLimit batch_limit(const Run *r, const Pop *p)
{
    if (p->batch == BATCH_ROWS)
        return (CsvLimit){.rows = p->batch_n};
    if (p->batch == BATCH_BYTES)
        return (CsvLimit){.bytes = p->batch_n};
    return (CsvLimit){.rows = r->options.auto_rows};
}

static Batch *range_batch(int64_t first, uint32_t n)
{
    Batch *b = batch_new(n, 1);
    Column *c = column_new(TYPE_INT, false, n);
    int64_t *v = column_ints(c);
    for (uint32_t i = 0; i < n; i++)
        v[i] = first + (int64_t)i;
    b->types[0] = TYPE_INT;
    b->slots[0] = (Slot){.raw_col = -1, .values = c};
    return b;
}

static GenBatch *gen_batch_new(RawRows *raw, Batch *batch)
{
    GenBatch *g = xcalloc(1, sizeof *g);
    pthread_mutex_init(&g->mu, NULL);
    g->raw = raw;
    g->batch = batch;
    return g;
}

/* The range's batch number instance_n_yielded: nothing need be kept from one to the next. */
static TaskResult generate_range(Run *r, Task *t, const Pop *p)
{
    int64_t first = p->expr->value.i, last = p->expr2->value.i;
    uint64_t want = p->batch == BATCH_ROWS     ? p->batch_n
                    : r->options.auto_rows ? r->options.auto_rows
                                           : RANGE_BATCH_AUTO;
    uint64_t n_batches = instance_n_yielded(t->inst);
    uint64_t length = (uint64_t)last - (uint64_t)first; /* and one more */
    if (first > last || (n_batches && n_batches > length / want))
        return TASK_EXHAUSTED;
    uint64_t left = length - n_batches * want;
    uint32_t n = (uint32_t)(left < want ? left + 1 : want);
    t->batch = gen_batch_new(NULL, range_batch((int64_t)((uint64_t)first + n_batches * want), n));
    t->n_rows_out = n;
    return TASK_YIELDED;
}

/* Opens the generator's file; another attempt goes on behind the batches that it gave. */
static Status source_start(Run *r, Task *t, const Step *s, State *state)
{
    const Pop *p = s->pops.ptr[0];
    if (instance_attempt(t->inst) > 1 && str_is(p->path, "stdin"))
        return error_set(&t->err, ERR_FAIL_PERMANENT, "stdin cannot be read again");
    state->attempt = instance_attempt(t->inst);
    Status st = source_open(r, s, &state->source, &t->err);
    for (uint32_t i = 0; st == OK && i < instance_n_yielded(t->inst); i++) {
        RawRows *raw = NULL;
        st = csv_source_next(state->source, batch_limit(r, p), &raw, &t->err);
        raw_unref(raw);
    }
    return st;
}

TaskResult generate(Run *r, Task *t, const Step *s)
{
    const Pop *p = s->pops.ptr[0];
    if (p->kind == POP_RANGE)
        return generate_range(r, t, p);
    State *state = state_of(t->inst);
    RawRows *raw = NULL;
    Status st = OK;
    if (state->source && state->attempt != instance_attempt(t->inst)) {
        csv_source_close(state->source);
        state->source = NULL;
    }
    if (!state->source)
        st = source_start(r, t, s, state);
    if (st == OK)
        st = csv_source_next(state->source, batch_limit(r, p), &raw, &t->err);
    if (st != OK)
        return TASK_FAILED;
    if (!raw)
        return TASK_EXHAUSTED;
    t->batch = gen_batch_new(raw, NULL);
    return TASK_YIELDED;
}

Status gen_batch(Run *r, GenBatch *g, const Schema *schema, const Batch **out, Error *err)
{
    pthread_mutex_lock(&g->mu);
    if (!g->batch && g->status == OK) {
        g->status = raw_index(g->raw, &g->err);
        if (g->status == OK) {
            g->batch = batch_of_raw(g->raw, schema);
            pthread_mutex_lock(&r->mu);
            r->rows_read += g->batch->n_rows;
            pthread_mutex_unlock(&r->mu);
        }
    }
    Status st = g->status;
    if (st != OK)
        *err = g->err;
    *out = g->batch;
    pthread_mutex_unlock(&g->mu);
    return st;
}
void gen_batch_free(GenBatch *g)
{
    raw_unref(g->raw);
    batch_unref(g->batch);
    pthread_mutex_destroy(&g->mu);
    free(g);
}
