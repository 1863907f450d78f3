/* streamed.c - a step over a table that is spilled: it goes through the row-wise statements in parts, as a file that
 * is read does; where a statement wants all of what they leave, that is kept as far as the budget goes (rest.h). */
#include "plan/fold.h"
#include "run/meter.h"
#include "run/rest.h"

#include <stdlib.h>

uint32_t streamed_end(const Run *r, const Code *c, uint32_t first)
{
    uint32_t i = first;
    for (; i < c->n_instrs; i++) {
        const Instr *in = &c->instrs[i];
        bool stops = in->op == OP_TAKE || in->op == OP_SKIP || in->op == OP_SORT ||
                     in->op == OP_TOP || in->op == OP_DISTINCT || in->op == OP_GROUP || in->op == OP_UNION || in->op == OP_EXEC ||
                     in->op == OP_FAIL || in->op == OP_SLEEP || in->op == OP_END ||
                     (in->op == OP_LOG && !c->specs[in->b].per_row) ||
                     (in->op == OP_WRITE_CSV && r->plan->sinks[c->specs[in->b].sink].by_key);
        if (stops)
            break;
    }
    /* Back to the end of a statement: registers do not outlive a part. */
    while (i > first && c->instrs[i - 1].op != OP_FILTER && c->instrs[i - 1].op != OP_PROJECT &&
           c->instrs[i - 1].op != OP_DEFINE && c->instrs[i - 1].op != OP_EXPLODE &&
           c->instrs[i - 1].op != OP_JOIN && c->instrs[i - 1].op != OP_LOG &&
           c->instrs[i - 1].op != OP_ASSERT && c->instrs[i - 1].op != OP_WRITE_CSV)
        i--;
    /* row() and uuid() count in the table that was read: what filters first loses count. A group makes a
     * table of its own. */
    for (uint32_t k = i; k < c->n_instrs && c->instrs[k].op != OP_GROUP && c->instrs[k].op != OP_EXEC; k++)
        if (c->instrs[k].op == OP_CALL &&
            builtin_get(c->specs[c->instrs[k].c].fn)->kind == BUILTIN_KIND_ROW)
            return first;
    return i;
}

/* ---- tables that stay spilled from one step to the next ---- */

Batch *table_stand_in(Run *r, const Step *s, Spilled *p)
{
    Batch *b = spilled_like(p);
    if (!b) {
        b = batch_new(0, s->out->n_cols);
        for (uint32_t i = 0; i < s->out->n_cols; i++) {
            b->types[i] = s->out->cols[i].type;
            b->slots[i].values = column_new(b->types[i], false, 0);
        }
    }
    r->tables[s->id] = p;
    return b;
}

/* A table of no rows has no parts, and still has columns: those of what stands for it. */
static Batch *no_rows(const Host *h, uint32_t first, const Spilled *from)
{
    const Step *s = h->step;
    bool is_input = first == 0 && s->kind != STEP_COLLECT && s->in;
    return is_input && !from->like ? batch_ref(instance_input(h->task->inst, 0)) : from->sorted ? NULL : spilled_like(from);
}

static Status stream_through(Run *r, const VmHost *outside, VmInstance *inst, const Spilled *from, Stream *in, uint32_t first,
                             Rest *rest, Error *err)
{
    const Host *h = outside->ctx;
    const Code *c = r->codes[h->step->id];
    bool has_begun = false;
    while (first < rest->begin || !rest_is_full(rest)) { /* statements may have effects, or fail, on any row */
        Batch *b = NULL, *part = NULL;
        Status st = task_check(h->task, err);
        uint64_t begin = work_begin(r);
        if (st == OK)
            st = stream_next(in, &b, err);
        if (st == OK && !b && !has_begun)
            b = no_rows(h, first, from);
        if (st != OK || !b)
            return st;
        has_begun = true;
        work_end(r, h->task, rest->is_in_memory ? WORK_GATHER : WORK_UNSPILL, begin, b->n_rows, 0);
        st = vm_run_part(r->vms[h->task->worker], c, first, rest->begin, outside, inst, b, &part, err);
        inst->row_base += b->n_rows;
        batch_unref(b);
        if (st == OK)
            st = rest_take(rest, part, err);
        if (st != OK)
            return st;
    }
    return OK;
}

/* What is wanted of the rows behind the last statement. */
static RestKind wanted_at_end(const Run *r, const Step *s)
{
    return !r->has_readers[s->id] ? REST_DROPPED : fold_streams_out(r->plan, s) ? REST_STORED : REST_HELD;
}

/* Is there a union behind the instruction whose table is spilled? What comes to it must be streamed as well. */
static bool has_union_behind(const Run *r, const Step *s, uint32_t from)
{
    const Code *c = r->codes[s->id];
    bool has = false;
    for (uint32_t i = from; i < c->n_instrs && !has; i++)
        has = c->instrs[i].op == OP_UNION && r->tables[s->inputs[step_first_table(s) + c->specs[c->instrs[i].a].table]];
    return has;
}

/* Rows in memory, to be streamed. */
static Status spilled_of(Run *r, const Task *t, const Step *s, Batch *rows, Spilled **out, Error *err)
{
    Spilled *p = NULL;
    Status st = spilled_open(r, s, SPILL_AS_PUT, NULL, 0, &p, err);
    if (st == OK)
        st = spilled_append(r, p, rows, err);
    if (st == OK)
        st = spilled_finish(r, t, p, err);
    if (st == OK)
        *out = p;
    else
        spilled_free(p);
    return st;
}

/* The table from instruction `first` on, as far as one stream of it goes: *next is what comes out of the statement that wanted
 * all of it, to be streamed from *end on; NULL: *out is there. */
static Status stream_once(Run *r, const VmHost *outside, VmInstance *inst, Spilled *from, uint32_t first,
                          uint32_t *end, Spilled **next, Batch **out, uint64_t *n_dropped, Error *err)
{
    const Host *h = outside->ctx;
    const Step *s = h->step;
    const Code *c = r->codes[s->id];
    bool holds_all = s->on_failure == ON_FAILURE_SKIP; /* nothing is seen of an instance that fails half the way */
    uint32_t stop = holds_all ? first : streamed_end(r, c, first);
    bool is_all = c->instrs[stop].op == OP_END;
    Rest rest;
    Stream *in = NULL;
    Status st = rest_open(&rest, r, h->task, inst, stop, holds_all, from->sorted != NULL, wanted_at_end(r, s), err);
    if (st == OK)
        st = stream_open(r, h->task, from, &in, err);
    if (st == OK)
        st = stream_through(r, outside, inst, from, in, first, &rest, err);
    stream_close(in);
    if (st == OK)
        st = rest_finish(&rest, next, err);
    *end = rest.end;
    inst->row_base = 0;
    if (st == OK && is_all && *next) {
        *n_dropped = rest.n_rows;
        *out = table_stand_in(r, s, *next);
        *next = NULL;
    } else if (st == OK && rest.kind == REST_DROPPED) {
        *n_dropped = rest.n_rows;
        *out = batch_new(0, 0);
    } else if (st == OK && !*next) {
        Batch *all = rest_all(&rest), *some = NULL;
        bool goes_on = has_union_behind(r, s, rest.end);
        st = vm_run_part(r->vms[h->task->worker], c, stop, goes_on ? rest.end : c->n_instrs, outside, inst, all,
                         goes_on ? &some : out, err);
        if (st == OK && goes_on)
            st = spilled_of(r, h->task, s, some, next, err);
        batch_unref(some);
        batch_unref(all);
    }
    rest_close(&rest);
    return st;
}

/* ---- a command ---- */

/* A table that goes through a command. */
typedef struct Through {
    const Host *h;
    Stream *in;
    State made;       /* only its parts: what the command has printed so far ... */
    Spilled *spilled; /* ... as far as it is not here */
    uint64_t n_rows_in;
} Through;

static Status through_next(void *ctx, uint32_t n_rows, Batch **out, Error *err)
{
    Through *t = ctx;
    (void)n_rows; /* a stream gives as many as it has at hand */
    Status st = stream_next(t->in, out, err);
    t->n_rows_in += st == OK && *out ? (*out)->n_rows : 0;
    return st;
}

/* What is held goes to a file. */
static Status through_spill(Through *t, Error *err)
{
    Run *r = t->h->run;
    Status st = t->spilled ? OK : spilled_open(r, t->h->step, SPILL_AS_PUT, NULL, 0, &t->spilled, err);
    for (uint32_t i = 0; i < t->made.n_parts && st == OK; i++)
        st = spilled_append(r, t->spilled, t->made.parts[i], err);
    drop_parts(&t->made);
    state_count(r, &t->made, 0);
    return st;
}

static Status through_take(void *ctx, Batch *part, Error *err)
{
    Through *t = ctx;
    Run *r = t->h->run;
    keep_part(&t->made, part);
    if (!budget_counts(&r->budget))
        return OK;
    state_count(r, &t->made, t->made.n_bytes + batch_held_bytes(part));
    return t->made.n_bytes > r->budget.share_bytes ? through_spill(t, err) : OK;
}

/* Is the instruction a command that may have its rows as they are streamed? Bad rows are told in the order of the whole
 * table, and those that it leaves out must not be seen of an instance that is left out itself. */
static bool goes_through(const Host *h, const VmInstance *inst, const Instr *in)
{
    return in->op == OP_EXEC && inst->bad_rows == BAD_ROWS_FAIL && h->step->on_failure != ON_FAILURE_SKIP;
}

/* The command at instruction `at`, over a table that is streamed: *next is what it has printed, to be streamed on; NULL: there was
 * room for it, and *out is what the rest of the code has made of it. */
static Status stream_exec(Run *r, const VmHost *outside, VmInstance *inst, Spilled *from, uint32_t at,
                          Spilled **next, Batch **out, Error *err)
{
    Host *h = outside->ctx;
    const Code *c = r->codes[h->step->id];
    const Spec *spec = &c->specs[c->instrs[at].a];
    Through t = {.h = h, .made.step = h->step->id};
    const ExecEnds ends = {.ctx = &t, .next = through_next, .take = through_take,
                           .range_bytes = budget_counts(&r->budget) ? CSV_BATCH_AUTO : CSV_BATCH_MAX};
    uint64_t begin = work_begin(r);
    Status st = stream_open(r, h->task, from, &t.in, err);
    if (st == OK)
        st = exec_run(h, spec, &ends, err);
    stream_close(t.in);
    if (st == OK && t.spilled)
        st = through_spill(&t, err);
    if (st == OK && t.spilled)
        st = spilled_finish(r, h->task, t.spilled, err);
    work_instr(r, inst, at, begin, t.n_rows_in);
    inst->row_base = 0;
    if (st == OK && !t.spilled) {
        Batch *all = join_parts(&t.made, spec->schema);
        if (has_union_behind(r, h->step, at + 1))
            st = spilled_of(r, h->task, h->step, all, &t.spilled, err);
        else
            st = vm_run_part(r->vms[h->task->worker], c, at + 1, c->n_instrs, outside, inst, all, out, err);
        batch_unref(all);
    }
    if (st == OK) {
        *next = t.spilled;
        t.spilled = NULL;
    }
    state_count(r, &t.made, 0);
    drop_parts(&t.made);
    free(t.made.parts);
    spilled_free(t.spilled);
    return st;
}

/* ---- a union ---- */

/* Two tables that become one, part after part: *next. */
typedef struct Union {
    Run *run;
    const VmHost *outside;
    VmInstance inst;   /* whose table of the union is a part of it, or one without rows */
    Batch **tables;    /* of inst; owned */
    uint32_t slot, at; /* of the table; of the UNION in the code */
    Batch *none;       /* no rows, the columns before the union; NULL: nothing has come yet */
    Spilled *next;
    uint64_t n_rows;
} Union;

/* Rows on one side, none on the other. */
static Status union_put(Union *u, const Batch *left, Batch *right, Error *err)
{
    const Host *h = u->outside->ctx;
    Batch *out = NULL;
    u->tables[u->slot] = right;
    Status st = task_check(h->task, err);
    if (st == OK)
        st = vm_run_part(u->run->vms[h->task->worker], u->run->codes[h->step->id], u->at, u->at + 1, u->outside, &u->inst,
                         left, &out, err);
    if (st == OK) {
        u->n_rows += out->n_rows;
        st = spilled_append(u->run, u->next, out, err);
    }
    batch_unref(out);
    return st;
}

/* The rows of the input, through what is before the union. */
static Status union_left(Union *u, VmInstance *inst, Spilled *from, uint32_t first, Batch *like, Error *err)
{
    const Host *h = u->outside->ctx;
    Run *r = u->run;
    Stream *in = NULL;
    Status st = stream_open(r, h->task, from, &in, err);
    while (st == OK) {
        Batch *b = NULL, *part = NULL;
        st = stream_next(in, &b, err);
        if (st == OK && !b && !u->none)
            b = no_rows(h, first, from);
        if (st != OK || !b)
            break;
        if (u->at > first)
            st = vm_run_part(r->vms[h->task->worker], r->codes[h->step->id], first, u->at, u->outside, inst, b, &part, err);
        else
            part = batch_ref(b);
        inst->row_base += b->n_rows;
        batch_unref(b);
        if (st == OK && !u->none)
            u->none = batch_slice(part, 0, 0);
        if (st == OK)
            st = union_put(u, part, like, err);
        batch_unref(part);
    }
    stream_close(in);
    return st;
}

/* A table that is in memory. */
static Status union_table(Union *u, const Batch *table, Error *err)
{
    enum { AT_ONCE = 16384 };
    Status st = OK;
    for (uint32_t at = 0, n; at < table->n_rows && st == OK; at += n) {
        n = table->n_rows - at < AT_ONCE ? table->n_rows - at : AT_ONCE;
        Batch *some = batch_slice(table, at, n);
        st = union_put(u, u->none, some, err);
        batch_unref(some);
    }
    return st;
}

static Status union_spilled(Union *u, Spilled *table, Error *err)
{
    const Host *h = u->outside->ctx;
    Stream *in = NULL;
    Status st = stream_open(u->run, h->task, table, &in, err);
    while (st == OK) {
        Batch *b = NULL;
        st = stream_next(in, &b, err);
        if (st != OK || !b)
            break;
        st = union_put(u, u->none, b, err);
        batch_unref(b);
    }
    stream_close(in);
    return st;
}

static Status stream_union(Run *r, const VmHost *outside, VmInstance *inst, Spilled *from, uint32_t first, uint32_t at,
                           Spilled **next, Error *err)
{
    const Host *h = outside->ctx;
    const Step *s = h->step;
    Union u = {.run = r, .outside = outside, .inst = *inst, .at = at, .slot = r->codes[s->id]->specs[r->codes[s->id]->instrs[at].a].table};
    uint64_t begin = work_begin(r);
    Batch *table = inst->tables[u.slot], *like = batch_slice(table, 0, 0);
    Spilled *spilled = r->tables[s->inputs[step_first_table(s) + u.slot]];
    u.tables = xcalloc(s->n_tables + 1ull, sizeof *u.tables);
    u.inst.tables = u.tables;
    Status st = spilled_open(r, s, SPILL_AS_PUT, NULL, 0, &u.next, err);
    if (st == OK)
        st = union_left(&u, inst, from, first, like, err);
    if (st == OK)
        st = spilled ? union_spilled(&u, spilled, err) : union_table(&u, table, err);
    if (st == OK)
        st = spilled_finish(r, h->task, u.next, err);
    work_instr(r, inst, at, begin, u.n_rows);
    inst->row_base = 0;
    if (st == OK)
        *next = u.next;
    else
        spilled_free(u.next);
    batch_unref(u.none);
    batch_unref(like);
    free(u.tables);
    return st;
}

bool has_spilled_unions(const Run *r, const Step *s)
{
    bool is_any = false;
    for (size_t i = 0; i < s->pops.n && !is_any; i++)
        is_any = s->pops.ptr[i]->kind == POP_UNION && r->tables[s->pops.ptr[i]->table] && fold_unions_in_parts(s);
    return is_any;
}

Status run_with_unions(Run *r, const VmHost *outside, VmInstance *inst, Batch *in, uint32_t first, Batch **out,
                       uint64_t *n_dropped, Error *err)
{
    const Host *h = outside->ctx;
    Spilled *from = NULL;
    Status st = spilled_of(r, h->task, h->step, in, &from, err);
    if (st == OK)
        st = run_spilled(r, outside, inst, &from, first, out, n_dropped, err);
    spilled_free(from);
    return st;
}

Status run_spilled(Run *r, const VmHost *outside, VmInstance *inst, Spilled **from, uint32_t first,
                   Batch **out, uint64_t *n_dropped, Error *err)
{
    const Host *h = outside->ctx;
    const Step *s = h->step;
    const Code *c = r->codes[s->id];
    Spilled *own = NULL; /* between two of our statements */
    Status st = OK;
    *n_dropped = 0;
    if (s->kind == STEP_COLLECT && !s->retry.n_more) { /* nobody else reads it, nor does another attempt */
        own = *from;
        *from = NULL;
    }
    *out = NULL;
    while (st == OK && !*out) {
        Spilled *next = NULL;
        bool stays = own && (!own->sorted || fold_is_taken_in_parts(r->plan, s));
        if (stays && c->instrs[first].op == OP_END && wanted_at_end(r, s) == REST_STORED) { /* as it is */
            *n_dropped = own->n_rows;
            *out = table_stand_in(r, s, own);
            return OK;
        }
        uint32_t at = streamed_end(r, c, first);
        if (goes_through(h, inst, &c->instrs[first])) {
            st = stream_exec(r, outside, inst, own ? own : *from, first++, &next, out, err);
        } else if (c->instrs[at].op == OP_UNION && fold_unions_in_parts(s)) {
            st = stream_union(r, outside, inst, own ? own : *from, first, at, &next, err);
            first = at + 1;
        } else {
            st = stream_once(r, outside, inst, own ? own : *from, first, &first, &next, out, n_dropped, err);
        }
        spilled_free(own);
        own = next;
    }
    return st;
}
