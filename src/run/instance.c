/* instance.c - what a worker does for one instance: bytecode over its batch, and the read of a step that
 * reads its file alone: no generator, and not in parts (plan/fold.h). Read bottom-up: task_run is what
 * the pool calls. */
#include "run/checkpoint.h"
#include "run/lookup.h"
#include "run/meter.h"
#include "run/run_int.h"
#include "run/spilled.h"

#include <stdlib.h>

#include "data/rows_write.h"

/* ---- what bytecode reaches outside ---- */

static Status host_sleep(void *ctx, int64_t us, Error *err)
{
    const Host *h = ctx;
    return us > 0 ? task_sleep(h->task, (uint64_t)us * 1000, err) : OK;
}

static void host_log(void *ctx, Str line)
{
    Host *h = ctx;
    buf_put_visible(&h->log, line);
    buf_putc(&h->log, '\n');
}

/* Rows for a file that all share wait for their turn, or until the instance is done when it may
 * be tried again: what a failed attempt wrote must not be seen. */
static bool rows_wait(const Step *s)
{
    return s->scope != 0 || s->retry.n_more > 0;
}

static Status host_write(void *ctx, const Spec *spec, Str path, const Batch *t, Error *err)
{
    Host *h = ctx;
    if (h->run->plan->sinks[spec->sink].by_key) {
        uint64_t n_bytes = 0;
        Status st = outputs_write_own(h->run->outputs, &h->state->own, spec, path,
                                      frame_id(instance_frame(h->task->inst)), t, &n_bytes, err);
        work_wrote(h->run, h->task, spec, n_bytes);
        return st;
    }
    if (rows_wait(h->step)) {
        if (!h->state->pending)
            h->state->pending = xcalloc(h->run->plan->n_sinks, sizeof *h->state->pending);
        Buf *pending = &h->state->pending[spec->sink];
        if (!pending->ptr)
            *pending = outputs_spare(h->run->outputs, spec->sink);
        size_t before = pending->len;
        Status st = rows_write(pending, t, spec->schema, &spec->dialect, err);
        pending_count(h->run, h->state);
        work_wrote(h->run, h->task, spec, pending->len - before);
        return st;
    }
    Buf rows = {0};
    Status st = rows_write(&rows, t, spec->schema, &spec->dialect, err);
    work_wrote(h->run, h->task, spec, rows.len);
    if (st == OK)
        st = outputs_append(h->run->outputs, spec->sink, &rows, err);
    buf_deinit(&rows);
    return st;
}

static Status host_table_rows(void *ctx, struct Pass *asking, const Spec *join, const uint64_t *hashes,
                              uint32_t n, Batch **out, Error *err)
{
    const Host *h = ctx;
    uint32_t table = h->step->inputs[step_first_table(h->step) + join->table];
    *out = NULL;
    if (!h->run->tables[table])
        return OK;
    return lookup_rows(h->run, h->task, h->run->tables[table], asking, join, hashes, n, out, err);
}

static bool host_table_indexed(void *ctx, uint32_t table, uint64_t n_bytes)
{
    const Host *h = ctx;
    if (budget_counts(&h->run->budget))
        budget_take(&h->run->budget, h->step->inputs[step_first_table(h->step) + table], n_bytes);
    return budget_counts(&h->run->budget);
}

VmHost vm_host(Host *h)
{
    return (VmHost){.ctx = h, .sleep = host_sleep, .log = host_log, .write = host_write, .exec = host_exec,
                    .table_rows = host_table_rows, .table_indexed = host_table_indexed, .table_rejects = tell_table};
}

/* ---- bytecode over a batch ---- */

/* The schema after the streamed statements: of the last operation that is part of them. */
static const Schema *streamed_schema(const Step *s, const Code *c, uint32_t end)
{
    const Schema *out = s->pops.ptr[0]->out;
    for (size_t i = 1; end > 1 && i < s->pops.n; i++) {
        if (s->pops.ptr[i]->span.hi > c->notes[end - 1].span.hi &&
            !pop_is_row_wise(s->pops.ptr[i]->kind))
            break;
        out = s->pops.ptr[i]->out;
    }
    return out;
}

/* Less than half of the columns? */
static bool wants_few(const Pop *read)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < read->out->n_cols; i++)
        n += !read->needed || read->needed[i];
    return 2 * n < read->out->n_cols;
}

/* What a read holds goes to a file. */
static Status spill_read(Run *r, const Task *t, const Step *s, State *state, Error *err)
{
    uint64_t begin = work_begin(r), n_rows = state->n_rows;
    Status st = OK;
    if (!state->spilled)
        st = spilled_open(r, s, SPILL_AS_PUT, NULL, 0, &state->spilled, err);
    for (uint32_t i = 0; i < state->n_parts && st == OK; i++)
        st = spilled_append(r, state->spilled, state->parts[i], err);
    drop_parts(state);
    state_count(r, state, 0);
    work_end(r, t, WORK_SPILL, begin, n_rows, 0);
    return st;
}

/* A read by one instance: the file goes through the row-wise statements range by range, as `take` may want no
 * more of it. paths: the table that names the files, NULL if none does. *n_spilled: rows that are spilled, not in *out. */
static Status run_read(Run *r, const VmHost *outside, VmInstance *inst, const Batch *paths,
                       Batch **out, uint64_t *n_spilled, Error *err)
{
    Host *h = outside->ctx;
    const Code *c = r->codes[h->step->id];
    Vm *vm = r->vms[h->task->worker];
    const Pop *read = h->step->pops.ptr[0];
    uint32_t end = streamed_end(r, c, 1);
    /* Nothing to leave out: one range is one table, without copying it together. */
    CsvLimit limit = {.rows = r->options.auto_rows};
    bool wants_all = h->step->hold != HOLD_FIRST;
    bool is_thin = wants_few(read);
    bool may_spill = budget_counts(&r->budget) && r->may_spill[h->step->id] &&
                     (c->instrs[end].op == OP_END || c->instrs[end].op == OP_EXEC);
    if (end == 1 && !limit.rows && wants_all && !is_thin && !may_spill)
        limit.bytes = CSV_BATCH_MAX;
    Batch *all = NULL;
    Status st = source_paths(r, h->task, h->step, h->state, paths, err);
    h->task->n_rows_in = 0; /* of the files */
    source_rewind(h->state); /* an attempt before may have gone half the way */
    spilled_free(h->state->spilled);
    h->state->spilled = NULL;
    while (st == OK && (wants_all || rows_held(h->state) < h->step->hold_limit)) {
        SourceRows rows = {0};
        Batch *in = NULL, *part = NULL;
        uint64_t begin = work_begin(r);
        st = task_check(h->task, err); /* an input may be endless */
        if (st == OK)
            st = source_next(r, h->task, h->step, h->state, limit, &rows, err);
        if (st != OK || (!rows.raw && !rows.batch))
            break;
        if (rows.batch) {
            work_end(r, h->task, WORK_READ, begin, rows.batch->n_rows, 0);
            in = batch_ref(rows.batch);
        } else {
            work_end(r, h->task, WORK_READ, begin, rows.raw->n_rows, rows.raw->n_bytes);
            begin = work_begin(r);
            st = read_batch(r, rows.raw, read, h->step->bad_rows == BAD_ROWS_FAIL ? NULL : &h->state->read_told, &in,
                            err);
            work_end(r, h->task, WORK_INDEX, begin, rows.raw->n_rows, rows.raw->n_bytes);
        }
        if (st == OK) {
            h->task->n_rows_in += in->n_rows;
            if (end > 1)
                st = vm_run_part(vm, c, 1, end, outside, inst, in, &part, err);
            else
                part = batch_ref(in);
            inst->row_base += in->n_rows;
        }
        if (st == OK && is_thin) { /* the rest of the input is not kept alive */
            Batch *compact = batch_compact(part);
            batch_unref(part);
            part = compact;
        }
        if (st == OK) {
            keep_part(h->state, part);
            state_count(r, h->state, h->state->n_bytes + (budget_counts(&r->budget) ? batch_held_bytes(part) : 0));
            if (may_spill && h->state->n_bytes > r->budget.share_bytes)
                st = spill_read(r, h->task, h->step, h->state, err);
        }
        batch_unref(in);
        source_rows_free(&rows);
    }
    if (st != OK)
        return st;
    pthread_mutex_lock(&r->mu);
    r->rows_read += h->task->n_rows_in;
    pthread_mutex_unlock(&r->mu);
    if (h->state->spilled && h->state->n_parts && (st = spill_read(r, h->task, h->step, h->state, err)) != OK)
        return st;
    if (h->state->spilled && c->instrs[end].op == OP_EXEC) {
        inst->row_base = 0;
        st = spilled_finish(r, h->task, h->state->spilled, err);
        return st == OK ? run_spilled(r, outside, inst, &h->state->spilled, end, out, n_spilled, err) : st;
    }
    if (h->state->spilled) {
        *n_spilled = h->state->spilled->n_rows;
        *out = table_stand_in(r, h->step, h->state->spilled);
        h->state->spilled = NULL;
        return OK;
    }
    uint64_t begin = work_begin(r);
    all = join_parts(h->state, streamed_schema(h->step, c, end));
    work_end(r, h->task, WORK_GATHER, begin, all->n_rows, 0);
    state_count(r, h->state, 0);
    inst->row_base = 0;
    st = vm_run_part(vm, c, end, c->n_instrs, outside, inst, all, out, err);
    batch_unref(all);
    return st;
}

Status input_batch(Run *r, const Task *t, const Step *s, const Batch **in, Error *err)
{
    void *value = instance_input(t->inst, 0);
    const Step *from = r->plan->steps[s->inputs[0]];
    if (from->is_generator)
        return gen_batch(r, t, value, from, in, err);
    *in = value;
    return OK;
}

/* What an attempt that failed has left. The batches of a collect stay: they come only once. */
static void attempt_reset(Run *r, const Step *s, State *state)
{
    for (uint32_t i = 0; state->pending && i < r->plan->n_sinks; i++)
        buf_clear(&state->pending[i]);
    outputs_end_own(r->outputs, &state->own, false, NULL);
    rejects_clear(&state->read_told);
    rejects_clear(&state->told);
    if (s->kind != STEP_COLLECT)
        drop_parts(state);
}

VmInstance vm_instance(const Run *r, const Task *t, const Step *s, const Code *code, Buf *key,
                       Buf *levels)
{
    const Frame *frame = instance_frame(t->inst);
    if (code->needs_key) {
        frame_put_key(frame, '/', key);
        frame_put_key(frame, '\0', levels);
    }
    return (VmInstance){.seed = r->options.seed, .step = s->name, .key = buf_str(key), .bad_rows = s->bad_rows,
                        .levels = buf_str(levels), .index = frame_index(frame), .is_batch = frame_depth(frame) > 0};
}

VmInstance vm_again(const Run *r, const Step *s)
{
    return (VmInstance){.seed = r->options.seed, .step = s->name, .key = {"", 0}, .bad_rows = s->bad_rows};
}

Batch **instance_tables(const Run *r, const Instance *inst)
{
    const Step *s = r->plan->steps[instance_step(inst)];
    Batch **tables = s->n_tables ? xcalloc(s->n_tables, sizeof *tables) : NULL;
    for (uint32_t i = 0; i < s->n_tables; i++)
        tables[i] = instance_input(inst, step_first_table(s) + i);
    return tables;
}

/* Where the code of a collect goes on with what is spilled. */
static uint32_t tail_begin(const Step *s, const Code *c)
{
    return s->hold == HOLD_SORTED || s->hold == HOLD_DISTINCT ? folded_end(c) : 0;
}

/* ... with what is not: rows that differ are found. */
static uint32_t code_begin(const Step *s, const Code *c)
{
    return s->kind == STEP_COLLECT && s->hold == HOLD_DISTINCT ? folded_end(c) : 0;
}

/* The instance's code over a table. Where bad rows are told of it is done as if the table came in parts, which it may
 * with a budget: their order must not show it. */
static Status run_table(Run *r, const VmHost *outside, VmInstance *inst, const Batch *in, Batch **out, Error *err)
{
    const Host *h = outside->ctx;
    const Step *s = h->step;
    const Code *c = r->codes[s->id];
    Vm *vm = r->vms[h->task->worker];
    uint32_t begin = code_begin(s, c), middle = begin;
    Batch *part = NULL;
    Status st = OK;
    if (s->bad_rows != BAD_ROWS_FAIL && s->kind == STEP_COLLECT && (s->hold == HOLD_TOP || s->hold == HOLD_SORTED)) {
        /* What the parts have left, once more: they have told. */
        const VmInstance again = vm_again(r, s);
        middle = folded_end(c);
        st = vm_run_part(vm, c, begin, middle, outside, &again, in, &part, err);
    } else if (s->bad_rows != BAD_ROWS_FAIL && s->scope == 0 && in) {
        middle = streamed_end(r, c, begin);
        if (middle > begin)
            st = vm_run_part(vm, c, begin, middle, outside, inst, in, &part, err);
    }
    if (st == OK)
        st = vm_run_part(vm, c, middle, c->n_instrs, outside, inst, part ? part : in, out, err);
    batch_unref(part);
    return st;
}

void publish(Run *r, const Task *t, const Step *s, Batch *out)
{
    if (r->has_readers[s->id]) {
        if (budget_counts(&r->budget))
            budget_take(&r->budget, s->id, batch_own_bytes(out));
        instance_set_out(t->inst, out);
    } else {
        pthread_mutex_lock(&r->mu);
        r->rows_out += t->n_rows_out;
        pthread_mutex_unlock(&r->mu);
        batch_unref(out);
    }
}

TaskResult task_run(void *ctx, Task *t)
{
    Run *r = ctx;
    const Step *s = r->plan->steps[instance_step(t->inst)];
    TaskResult how;
    if (checkpoint_stands_in(r, t, s, &how))
        return how;
    if (s->is_generator)
        return generate(r, t, s);
    if (s->part_of)
        return task_part(r, t, s);

    Buf key = {0}, levels = {0};
    VmInstance inst = vm_instance(r, t, s, r->codes[s->id], &key, &levels);
    Host host = {.run = r, .task = t, .step = s, .state = state_of(t->inst)};
    const VmHost outside = vm_host(&host);
    Batch **tables = instance_tables(r, t->inst);
    inst.tables = tables;
    inst.counts = meters_of_code(r, t);
    inst.counts_cycles = meters_count_cycles(r);
    inst.rejects = &host.state->told;
    rejects_of(s, &host.state->read_told);
    rejects_of(s, &host.state->told);
    const Batch *in = NULL;
    Batch *own = NULL, *out = NULL;
    Status st = OK;
    if (instance_attempt(t->inst) > 1)
        attempt_reset(r, s, host.state);
    bool is_spilled = false;
    uint64_t n_dropped = 0;
    if (s->kind == STEP_COLLECT && s->in) {
        uint64_t begin = work_begin(r);
        st = collect_spilled(r, t, s, host.state, &is_spilled);
        if (st == OK && !is_spilled)
            st = collect_table(r, s, host.state, &own, &t->err);
        work_end(r, t, WORK_GATHER, begin, own ? own->n_rows : 0, 0);
        in = own;
        t->n_rows_in = host.state->n_rows_in;
        if (st == OK && is_spilled)
            st = run_spilled(r, &outside, &inst, &host.state->spilled, tail_begin(s, r->codes[s->id]), &out,
                             &n_dropped, &t->err);
    } else if (step_first_table(s) && s->in && r->tables[s->inputs[0]]) {
        is_spilled = true;
        t->n_rows_in = r->tables[s->inputs[0]]->n_rows;
        st = run_spilled(r, &outside, &inst, &r->tables[s->inputs[0]], 0, &out, &n_dropped, &t->err);
    } else if (step_first_table(s) && s->in) {
        st = input_batch(r, t, s, &in, &t->err);
        t->n_rows_in = st == OK ? in->n_rows : 0;
    }
    if (st == OK && !is_spilled) {
        bool reads = s->pops.n && s->pops.ptr[0]->kind == POP_READ_CSV;
        if (has_spilled_unions(r, s))
            st = run_with_unions(r, &outside, &inst, (Batch *)(uintptr_t)in, code_begin(s, r->codes[s->id]), &out, &n_dropped,
                                 &t->err);
        else if (reads)
            st = run_read(r, &outside, &inst, in, &out, &n_dropped, &t->err);
        else
            st = run_table(r, &outside, &inst, in, &out, &t->err);
    }
    batch_unref(own);
    buf_deinit(&key);
    buf_deinit(&levels);
    free(tables);
    if (host.log.len && r->options.log) {
        pthread_mutex_lock(&r->mu);
        r->options.log(r->options.log_ctx, buf_str(&host.log));
        pthread_mutex_unlock(&r->mu);
    }
    buf_deinit(&host.log);
    if (st == OK && s->scope == 0)
        st = append_pending(r, host.state, &t->err);
    if (st == OK)
        st = checkpoint_keep(r, t, s, out, &t->err);
    if (st == OK)
        st = tell(r, t, s, REJECTED_READ, instance_frame(t->inst), -1, &host.state->read_told, &t->err);
    if (st == OK)
        st = tell(r, t, s, REJECTED_ROWS, instance_frame(t->inst), -1, &host.state->told, &t->err);
    if (st == OK)
        st = outputs_end_own(r->outputs, &host.state->own, true, &t->err);
    if (st != OK) {
        batch_unref(out); /* its own files or what is told may fail when the table is there */
        t->err.status = st;
        return TASK_FAILED;
    }
    t->n_rows_out = out->n_rows + n_dropped + host.state->n_rows_out;
    publish(r, t, s, out);
    return TASK_DONE;
}
