/* source.c - where rows come from: a generator's steps, the file of a read. */
#include "run/checkpoint.h"
#include "run/meter.h"
#include "run/run_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUDGET_PER_AHEAD 16 /* the budget is at least so many times what is read before its turn */
#define RANGE_BATCH_AUTO 65536 /* rows of a batch of `range ... batch auto` */

static void path_add(State *state, Str path)
{
    state->paths = xrealloc(state->paths, (state->n_paths + 1ull) * sizeof *state->paths);
    state->paths[state->n_paths++] = xstrndup(path.ptr, path.len);
}

/* The paths of a read that depend on the batch, a file for each row if they are made of columns. */
static Status paths_compute(Run *r, const Task *t, const Step *s, State *state, const Batch *in,
                            Error *err)
{
    static const VmHost no_host = {0}; /* expressions reach nothing outside */
    Buf key = {0}, levels = {0};
    VmInstance inst = vm_instance(r, t, s, r->path_codes[s->id], &key, &levels);
    Batch *row = NULL, *out = NULL;
    if (!s->in)
        in = row = batch_new(1, 0);
    Status st = vm_run(r->vms[t->worker], r->path_codes[s->id], &no_host, &inst, in, &out, err);
    Column *paths = NULL;
    if (st == OK)
        st = batch_values(out, 0, STR_LIT("path"), NULL, NULL, &paths, err);
    for (uint32_t i = 0; st == OK && i < paths->n_rows; i++) {
        Value v = column_value(paths, i);
        if (v.is_null || v.s.len == 0)
            st = error_set(err, ERR_DATA, "the path of `read` is %s in row %u",
                           v.is_null ? "null" : "empty", i);
        else if (str_is(v.s, "stdin") || str_is(v.s, "-"))
            st = error_set(err, ERR_DATA, "stdin comes once, and this read runs once for each batch: "
                                          "read it in a flow of its own");
        else
            path_add(state, v.s);
        if (st != OK && s->in)
            batch_where(in, i, -1, err);
    }
    column_unref(paths);
    batch_unref(out);
    batch_unref(row);
    buf_deinit(&key);
    buf_deinit(&levels);
    return st;
}

/* The files of a pattern as they are now. That there is none is an error: a mistake in the pattern would read
 * as no data. */
static Status paths_match(Str pattern, State *state, Error *err)
{
    FileList *list = NULL;
    Status st = files_list(pattern, &list, err);
    for (uint32_t i = 0; st == OK && i < list->n; i++)
        path_add(state, list->files[i].path);
    if (st == OK && list->n == 0)
        st = error_set(err, ERR_IO, "no file matches `%.*s`", STR_ARG(pattern));
    files_free(list);
    return st;
}

Status source_paths(Run *r, const Task *t, const Step *s, State *state, const Batch *table,
                    Error *err)
{
    const Pop *p = s->pops.ptr[0];
    Status st = OK;
    if (state->has_paths)
        return OK;
    if (p->expr)
        st = paths_compute(r, t, s, state, table, err);
    else if (p->is_pattern)
        st = paths_match(p->path, state, err);
    else
        path_add(state, p->path);
    for (uint32_t i = 0; st == OK && p->expr && i < state->n_paths; i++)
        st = checkpoint_note(r, str_of(state->paths[i]), err);
    for (uint32_t i = 0; r->rejected && st == OK && i < state->n_paths; i++)
        st = rejected_note_read(r->rejected, str_of(state->paths[i]), err);
    if (st == OK) {
        state->has_paths = true;
        return OK;
    }
    while (state->n_paths) /* another attempt begins anew */
        free(state->paths[--state->n_paths]);
    return st;
}

static bool writes_stdout(const Plan *plan)
{
    for (uint32_t i = 0; i < plan->n_sinks; i++) {
        const Tx *path = plan->sinks[i].pop->expr;
        if (!path->needs_batch && str_is(path->value.s, "stdout"))
            return true;
    }
    return false;
}

/* A file that stdout is appended to grows with what is read of it, without end. */
static Status check_not_stdout(const Run *r, Str path, Error *err)
{
    struct stat in, out;
    bool is_stdin = str_is(path, "stdin") || str_is(path, "-");
    char *name = xstrndup(path.ptr, path.len);
    bool is_same = writes_stdout(r->plan) && fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode) &&
                   (is_stdin ? fstat(STDIN_FILENO, &in) : stat(name, &in)) == 0 && in.st_dev == out.st_dev &&
                   in.st_ino == out.st_ino;
    free(name);
    if (!is_same)
        return OK;
    return error_set(err, ERR_IO, "`%.*s` is the file that stdout goes to: write to another one", STR_ARG(feed_name(path)));
}

/* Loan.piece: a block of the file before its turn. */
static bool block_piece(void *ctx, uint32_t worker)
{
    State *state = ctx;
    uint64_t begin = work_begin(state->run);
    bool has_read = csv_source_work(state->source);
    if (has_read)
        work_helped(state->run, state->step, worker, WORK_READ, begin, 0);
    return has_read;
}

static bool block_is_next(const void *ctx)
{
    const State *state = ctx;
    return csv_source_is_at_next(state->source);
}

/* A block for each worker: whoever is free reads the next one, and then goes on with what is made of it. Under a budget they are to be
 * a small part of it. Several files that are read at a time leave nobody free. A step in a pool has no more than its slot: what it reads
 * from may be what the pool is to spare. */
static void look_ahead(const Run *r, const Task *t, const Step *s, State *state)
{
    uint32_t n_workers = r->info->n_workers;
    uint64_t limit = r->budget.limit_bytes;
    if (n_workers == 1 || s->pool || frame_parent(instance_frame(t->inst)) || (limit && (uint64_t)n_workers * CSV_BATCH_AUTO > limit / BUDGET_PER_AHEAD))
        return;
    csv_source_look_ahead(state->source, n_workers);
    if (!csv_source_looks_ahead(state->source))
        return;
    state->run = r;
    state->loan = (Loan){.ctx = state, .piece = block_piece, .is_at_next = block_is_next};
    task_lend_on(t, &state->loan);
}

static Status source_open(Run *r, const Task *t, const Step *s, Str path, bool is_auto, State *state, Error *err)
{
    const Pop *p = s->pops.ptr[0];
    Status st = check_not_stdout(r, path, err);
    if (st != OK)
        return st;
    uint64_t *inferred = xcalloc(p->out->n_cols, sizeof *inferred);
    for (uint32_t i = 0; i < p->out->n_cols; i++)
        if (p->catalog && p->is_inferred[i])
            inferred[i] = p->catalog->sample_rows;
    if (p->dialect.format == ROWS_SQLITE) {
        QueryOptions o = {.sql = p->query, .schema = p->out, .needed = p->needed, .inferred_rows = inferred};
        st = query_open(path, &o, &state->query, err);
        free(inferred);
        return st;
    }
    pthread_mutex_lock(&r->mu); /* the catalog is used by one thread at a time */
    CsvSample *sample = file_catalog_take_sample(r->catalog, path);
    pthread_mutex_unlock(&r->mu);
    Str first = p->follows_first ? p->first : (Str){0};
    if (p->dialect.format == ROWS_CSV) {
        CsvReadOptions o = {.dialect = p->dialect, .schema = p->out, .inferred_rows = inferred, .first = first,
                            .sample = sample};
        st = csv_source_open(path, &o, &state->source, err);
    } else {
        LineOptions o = {.format = p->dialect.format, .coding = p->dialect.coding, .schema = p->out,
                         .inferred_rows = inferred, .first = first, .sample = sample};
        st = line_source_open(path, &o, &state->lines, err);
    }
    free(inferred);
    if (st == OK && state->source && s->bad_rows != BAD_ROWS_FAIL)
        csv_source_lenient(state->source, &state->read_told);
    if (st == OK && state->source && is_auto)
        look_ahead(r, t, s, state);
    return st;
}

void source_close(State *state)
{
    loan_take_back(&state->loan);
    csv_source_close(state->source);
    line_source_close(state->lines);
    query_close(state->query);
    state->source = NULL;
    state->lines = NULL;
    state->query = NULL;
}

void source_rewind(State *state)
{
    source_close(state);
    state->i_path = 0;
    state->n_rows_read = 0;
}

static Status ask_task(void *ctx, Error *err)
{
    return task_check(ctx, err);
}

static Status rows_next(const Task *t, State *state, CsvLimit limit, SourceRows *out, Error *err)
{
    const QueryStop stop = {ask_task, (void *)(uintptr_t)t};
    if (state->query)
        return query_next(state->query, limit, stop, &out->batch, err);
    if (state->lines)
        return line_source_next(state->lines, limit, &out->raw, err);
    Status st = csv_source_next(state->source, limit, &out->raw, err);
    if (state->loan.pool && csv_source_looks_ahead(state->source)) /* there may be room for another block */
        loan_more(&state->loan);
    return st;
}

Status source_next(Run *r, const Task *t, const Step *s, State *state, CsvLimit limit, SourceRows *out, Error *err)
{
    Status st = OK;
    for (*out = (SourceRows){0}; st == OK && !out->raw && !out->batch; ) {
        bool is_open = state->source || state->lines || state->query;
        if (!is_open && state->i_path == state->n_paths)
            break;
        if (!is_open)
            st = source_open(r, t, s, str_of(state->paths[state->i_path]), !limit.rows && !limit.bytes, state, err);
        if (st == OK)
            st = rows_next(t, state, limit, out, err);
        if (st == OK && !out->raw && !out->batch) {
            source_close(state);
            state->i_path++;
        }
    }
    if (st != OK && err)
        err->is_input = true;
    if (st == OK) { /* row() counts on from file to file */
        out->first_row = state->n_rows_read;
        state->n_rows_read += out->raw ? out->raw->n_rows : out->batch ? out->batch->n_rows : 0;
    }
    return st;
}

void source_rows_free(SourceRows *rows)
{
    raw_unref(rows->raw);
    batch_unref(rows->batch);
    *rows = (SourceRows){0};
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

typedef struct Label {
    uint32_t len;
    char text[];
} Label;

void *label_new(Str text)
{
    Label *l = xmalloc(sizeof *l + text.len + 1);
    l->len = text.len;
    if (text.len)
        memcpy(l->text, text.ptr, text.len);
    return l;
}

Str label_text(const void *label)
{
    const Label *l = label;
    return (Str){l->text, l->len};
}

static Column *one_int(Type type, int64_t v)
{
    Column *c = column_new(type, false, 1);
    column_ints(c)[0] = v;
    return c;
}

static Batch *file_batch(const FileInfo *f)
{
    Batch *b = batch_new(1, 3);
    Heap *heap = heap_new(f->path.len + 1ull);
    Column *path = column_new(TYPE_STRING, false, 1);
    memcpy(heap->bytes, f->path.ptr, f->path.len);
    column_strs(path)[0] = (StrView){heap->bytes, f->path.len, 0};
    column_add_heap(path, heap);
    heap_unref(heap);
    Column *cols[] = {path, one_int(TYPE_SIZE, f->size), one_int(TYPE_TIMESTAMP, f->modified_us)};
    for (uint32_t i = 0; i < 3; i++) {
        b->types[i] = cols[i]->type;
        b->slots[i] = (Slot){.raw_col = -1, .values = cols[i]};
    }
    return b;
}

/* Each gives the generator's next batch, none at the end; a label is put into t->user. */

/* The range's batch number instance_n_yielded: nothing need be kept from one to the next. */
static Batch *next_of_range(Run *r, const Task *t, const Pop *p)
{
    int64_t first = p->expr->value.i, last = p->expr2->value.i;
    uint64_t want = p->batch == BATCH_ROWS     ? p->batch_n
                    : r->options.auto_rows ? r->options.auto_rows
                                           : RANGE_BATCH_AUTO;
    uint64_t n_batches = instance_n_yielded(t->inst);
    uint64_t length = (uint64_t)last - (uint64_t)first; /* and one more */
    if (first > last || (n_batches && n_batches > length / want))
        return NULL;
    uint64_t left = length - n_batches * want;
    uint32_t n = (uint32_t)(left < want ? left + 1 : want);
    return range_batch((int64_t)((uint64_t)first + n_batches * want), n);
}

/* Another attempt begins anew and goes on behind the batches that the generator gave. */
static Status next_of_read(Run *r, Task *t, const Step *s, State *state, SourceRows *out)
{
    const Pop *p = s->pops.ptr[0];
    const Batch *table = NULL;
    Status st = OK;
    if (s->in && !state->has_paths)
        st = input_batch(r, t, s, &table, &t->err);
    if (st == OK)
        st = source_paths(r, t, s, state, table, &t->err);
    if (st == OK && state->attempt != instance_attempt(t->inst)) {
        if (instance_attempt(t->inst) > 1 && str_is(p->path, "stdin"))
            return error_set(&t->err, ERR_FAIL_PERMANENT, "stdin cannot be read again");
        source_rewind(state);
        for (uint32_t i = 0; st == OK && i < instance_n_yielded(t->inst); i++) {
            SourceRows again;
            st = source_next(r, t, s, state, batch_limit(r, p), &again, &t->err);
            source_rows_free(&again);
        }
        rejects_clear(&state->read_told); /* told at the first attempt */
        if (st == OK)
            state->attempt = instance_attempt(t->inst);
    }
    uint64_t begin = work_begin(r);
    if (st == OK)
        st = source_next(r, t, s, state, batch_limit(r, p), out, &t->err);
    if (st == OK)
        st = tell(r, t, s, REJECTED_OPEN, instance_frame(t->inst), instance_n_yielded(t->inst), &state->read_told,
                  &t->err);
    if (st == OK && out->raw)
        work_end(r, t, WORK_READ, begin, out->raw->n_rows, out->raw->n_bytes);
    if (st == OK && out->batch) {
        work_end(r, t, WORK_READ, begin, out->batch->n_rows, 0);
        pthread_mutex_lock(&r->mu);
        r->rows_read += out->batch->n_rows;
        pthread_mutex_unlock(&r->mu);
    }
    return st;
}

static Status next_of_files(const Pop *p, State *state, Task *t, Batch **out)
{
    if (!state->files) {
        Status st = files_list(p->path, &state->files, &t->err);
        if (st != OK)
            return st;
    }
    uint32_t next = instance_n_yielded(t->inst);
    if (next < state->files->n) {
        const FileInfo *f = &state->files->files[next];
        *out = file_batch(f);
        t->user = label_new(f->key);
    }
    return OK;
}

static Status next_of_split(Run *r, const Step *s, State *state, Task *t, Batch **out)
{
    const Batch *table = NULL;
    Status st = input_batch(r, t, s, &table, &t->err);
    if (st == OK && !state->split)
        st = parts_open(s, table, &state->told, &state->split, &t->err);
    if (st == OK && instance_n_yielded(t->inst) == 0)
        st = tell(r, t, s, REJECTED_ROWS, instance_frame(t->inst), -1, &state->told, &t->err);
    if (st == OK)
        *out = parts_get(state->split, table, instance_n_yielded(t->inst), &t->user);
    return st;
}

/* With the index that it will have; of lines with their columns. */
static uint64_t raw_bytes(const RawRows *raw)
{
    if (raw->input->dialect.format != ROWS_CSV)
        return raw->n_bytes + raw->n_rows * (raw->n_cols * sizeof(StrView) + sizeof(Origin));
    return raw->n_bytes + ((uint64_t)raw->n_rows * raw->n_cols + 1) * sizeof *raw->start;
}

/* A mistake in a file that is read in parts is one of the op that reads it, behind those in the rows before:
 * the last batch brings it. */
static bool is_of_the_op(const Step *gen, Status st)
{
    return gen->part_of && st != ERR_CANCELLED && st != ERR_TIMEOUT;
}

TaskResult generate(Run *r, Task *t, const Step *s)
{
    const Pop *p = s->pops.ptr[0];
    State *state = state_of(t->inst);
    SourceRows rows = {0};
    rejects_of(s, &state->read_told);
    rejects_of(s, &state->told);
    Status st = OK;
    if (p->kind == POP_RANGE)
        rows.batch = next_of_range(r, t, p);
    else if (p->kind == POP_FILES)
        st = next_of_files(p, state, t, &rows.batch);
    else if (p->kind == POP_SPLIT)
        st = next_of_split(r, s, state, t, &rows.batch);
    else if (!state->has_failed)
        st = next_of_read(r, t, s, state, &rows);
    RawRows *raw = rows.raw;
    Batch *batch = rows.batch;
    t->err.status = st;
    bool is_told = st != OK && is_of_the_op(s, st);
    if (st != OK && !is_told) {
        source_rows_free(&rows);
        return TASK_FAILED;
    }
    if (!raw && !batch && !is_told)
        return TASK_EXHAUSTED;
    GenBatch *g = xcalloc(1, sizeof *g);
    if (is_told) {
        state->has_failed = true;
        g->err = t->err;
        t->err = (Error){0};
    }
    g->status = st;
    g->raw = raw;
    g->batch = batch;
    g->first_row = rows.first_row;
    t->n_rows_out = batch ? batch->n_rows : 0;
    if (budget_counts(&r->budget)) {
        g->n_bytes = batch ? batch_bytes(batch) : raw ? raw_bytes(raw) : 0;
        g->n_reserved = parts_expected(r, s, g->n_bytes);
        budget_take(&r->budget, s->id, g->n_bytes);
        budget_note_batch(&r->budget, g->n_bytes);
        budget_reserve(&r->budget, g->n_reserved);
    }
    pthread_mutex_init(&g->mu, NULL);
    t->batch = g;
    return TASK_YIELDED;
}

Status read_batch(const Run *r, RawRows *raw, const Pop *read, Rejects *bad, Batch **out, Error *err)
{
    Status st;
    if (read->dialect.format != ROWS_CSV) {
        st = line_decode(raw, read->out, read->needed, bad, out, err);
        if (st == OK && r->plan->n_rejects)
            (*out)->lines = raw_ref(raw);
        return st;
    }
    if (read->is_counted && !bad)
        st = raw_check(raw, err);
    else if (read->is_counted && raw_check(raw, NULL) == OK)
        st = OK;
    else if (bad || r->plan->n_rejects)
        st = raw_index_lenient(raw, bad, err);
    else
        st = raw_index_wanted(raw, read->needed, err);
    if (st != OK)
        return st;
    *out = batch_of_raw(raw, read->out);
    if (read->needed)
        batch_forget(*out, read->needed);
    return OK;
}

/* What could not be read of the batch is told by the first of its readers. */
static Status batch_read(Run *r, const Task *t, GenBatch *g, const Step *gen)
{
    Rejects told = {0};
    rejects_of(gen, &told);
    bool is_strict = gen->bad_rows == BAD_ROWS_FAIL;
    Status st = read_batch(r, g->raw, gen->pops.ptr[0], is_strict ? NULL : &told, &g->batch, &g->err);
    if (st == OK && !is_strict)
        st = tell(r, t, gen, REJECTED_READ, frame_of_scope(instance_frame(t->inst), gen->yields), -1, &told, &g->err);
    rejects_deinit(&told);
    return st;
}

Status gen_batch(Run *r, const Task *t, GenBatch *g, const Step *gen, const Batch **out, Error *err)
{
    pthread_mutex_lock(&g->mu);
    if (!g->batch && g->status == OK) {
        uint64_t begin = work_begin(r);
        g->status = batch_read(r, t, g, gen);
        work_end(r, t, WORK_INDEX, begin, g->raw->n_rows, g->raw->n_bytes);
        if (g->status == OK) {
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

void gen_batch_free(Run *r, uint32_t step, GenBatch *g)
{
    budget_give(&r->budget, step, g->n_bytes);
    budget_unreserve(&r->budget, g->n_reserved);
    raw_unref(g->raw);
    batch_unref(g->batch);
    pthread_mutex_destroy(&g->mu);
    free(g);
}
