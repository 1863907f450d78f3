#include "run/rest.h"

#include <stdlib.h>

#include "run/meter.h"
#include "run/partitions.h"

#define CUT_ROWS 1024 /* rows of a top that may pile up beyond what it keeps */

/* ---- what is wanted ---- */

static bool ends_statement(Opcode op)
{
    return op == OP_TAKE || op == OP_SKIP || op == OP_SORT || op == OP_TOP || op == OP_DISTINCT ||
           op == OP_GROUP || op == OP_UNION || op == OP_LOG || op == OP_FAIL || op == OP_SLEEP ||
           op == OP_WRITE_CSV || op == OP_FILTER || op == OP_PROJECT || op == OP_DEFINE || op == OP_JOIN ||
           op == OP_EXPLODE || op == OP_EXEC || op == OP_ASSERT || op == OP_END;
}

static bool calls(const Code *c, uint32_t i, BuiltinKind kind)
{
    return c->instrs[i].op == OP_CALL && builtin_get(c->specs[c->instrs[i].c].fn)->kind == kind;
}

/* Is the place of a row in the table asked for behind the statement, or by it? A group and a command make tables of their own. Or
 * does it ask for the batch, which only the instance knows? */
static bool wants_place(const Code *c, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < c->n_instrs && c->instrs[i].op != OP_GROUP && c->instrs[i].op != OP_EXEC; i++)
        if (calls(c, i, BUILTIN_KIND_ROW))
            return true;
    for (uint32_t i = begin; i < end; i++)
        if (calls(c, i, BUILTIN_KIND_BATCH))
            return true;
    return false;
}

/* The number of a TAKE, SKIP or TOP, if it is a constant. */
static bool find_limit(const Code *c, uint32_t begin, uint32_t op, uint64_t *out)
{
    for (uint32_t i = op; i-- > begin;) {
        const Instr *in = &c->instrs[i];
        if (in->op != OP_CONST || in->a != c->instrs[op].a)
            continue;
        const Value *v = &c->consts[in->b];
        *out = v->is_null || v->i < 0 ? 0 : (uint64_t)v->i;
        return !v->is_null && v->i >= 0;
    }
    return false;
}

static RestKind kind_of(Rest *rest)
{
    const Code *c = rest->code;
    uint32_t i = rest->end - 1;
    uint16_t op = c->instrs[i].op;
    /* Errors in rows are told of once, in the order of the whole table. */
    if (wants_place(c, rest->begin, rest->end) || rest->inst->bad_rows != BAD_ROWS_FAIL)
        return REST_HELD;
    if (op == OP_EXEC) /* once all rows before it are known to be good */
        return REST_STORED;
    if (op == OP_SORT)
        return REST_SORTED;
    if (op == OP_DISTINCT || (op == OP_GROUP && c->specs[c->instrs[i].a].n_keys))
        return REST_KEYED;
    if ((op != OP_TOP && op != OP_TAKE && op != OP_SKIP) || !find_limit(c, rest->begin, i, &rest->limit))
        return REST_HELD;
    return op == OP_TOP ? REST_TOP : op == OP_TAKE ? REST_FIRST : REST_SKIPPED;
}

static bool may_spill(RestKind k)
{
    return k == REST_STORED || k == REST_SKIPPED || k == REST_SORTED || k == REST_KEYED;
}

Status rest_open(Rest *rest, Run *r, const Task *t, const VmInstance *inst, uint32_t begin,
                 bool holds_all, bool is_in_memory, RestKind at_end, Error *err)
{
    const Step *s = r->plan->steps[instance_step(t->inst)];
    *rest = (Rest){.run = r, .task = t, .code = r->codes[s->id], .inst = inst,
                    .held.step = s->id, .is_in_memory = is_in_memory, .begin = begin, .end = begin};
    while (!ends_statement(rest->code->instrs[rest->end].op))
        rest->end++;
    rest->end++;
    rest->kind = rest->code->instrs[rest->end - 1].op == OP_END ? at_end
                 : holds_all                                   ? REST_HELD
                                                               : kind_of(rest);
    if (is_in_memory && may_spill(rest->kind))
        rest->kind = REST_HELD;
    if (rest->kind == REST_STORED && rest->code->instrs[rest->end - 1].op == OP_EXEC)
        rest->end = begin;
    rest->next_cut = 2 * (rest->limit < UINT32_MAX ? rest->limit : UINT32_MAX) + CUT_ROWS; /* no table has more */
    if (rest->kind == REST_STORED || rest->kind == REST_SKIPPED)
        return spilled_open(r, s, SPILL_AS_PUT, NULL, 0, &rest->spilled, err);
    return OK;
}

void rest_close(Rest *rest)
{
    state_count(rest->run, &rest->held, 0);
    drop_parts(&rest->held);
    free(rest->held.parts);
    batch_unref(rest->none);
    spilled_free(rest->spilled);
    partitions_free(rest->run, rest->partitions);
}

/* ---- taking rows ---- */

static void hold(Rest *rest, Batch *part)
{
    Batch *own = rest->is_in_memory ? batch_ref(part) : batch_compact(part);
    state_count(rest->run, &rest->held, rest->held.n_bytes + batch_held_bytes(own));
    keep_part(&rest->held, own);
}

/* What is held, through the statement. */
static Status held_run(Rest *rest, Batch **out, Error *err)
{
    Batch *all = rest_all(rest);
    Status st = vm_run_part(rest->run->vms[rest->task->worker], rest->code, rest->begin, rest->end, NULL,
                            rest->inst, all, out, err);
    batch_unref(all);
    return st;
}

static Status cut(Rest *rest, Error *err)
{
    Batch *left = NULL;
    Status st = held_run(rest, &left, err);
    if (st != OK)
        return st;
    state_count(rest->run, &rest->held, 0);
    hold(rest, left);
    batch_unref(left);
    return OK;
}

static Status store(Rest *rest, Batch *part, Error *err)
{
    uint64_t begin = work_begin(rest->run);
    Status st = spilled_append(rest->run, rest->spilled, part, err);
    work_end(rest->run, rest->task, WORK_SPILL, begin, part->n_rows, 0);
    return st;
}

/* What is held goes to the file: as a sorted run, or parted by keys. */
static Status spill(Rest *rest, Error *err)
{
    Run *r = rest->run;
    const Step *s = r->plan->steps[instance_step(rest->task->inst)];
    uint64_t begin = work_begin(r), n_rows = rest->held.n_rows;
    Batch *rows = NULL;
    Status st = OK;
    if (rest->kind == REST_SORTED) {
        if (!rest->spilled)
            st = spilled_open(r, s, SPILL_SORTED, rest->code, rest->begin, &rest->spilled, err);
        if (st == OK)
            st = held_run(rest, &rows, err);
        if (st == OK)
            st = spilled_put(r, rest->spilled, rows, err);
    } else {
        if (!rest->partitions)
            st = partitions_open(r, s, rest->code, rest->begin, &rest->partitions, err);
        if (st == OK) {
            rows = rest_all(rest);
            st = partitions_put_rows(r, rest->task, rest->partitions, rows, err);
        }
    }
    batch_unref(rows);
    state_count(r, &rest->held, 0);
    work_end(r, rest->task, WORK_SPILL, begin, n_rows, 0);
    return st;
}

/* The rows behind the first `limit` of all. */
static Status store_behind(Rest *rest, Batch *part, uint64_t n_before, Error *err)
{
    if (n_before >= rest->limit)
        return store(rest, part, err);
    if (n_before + part->n_rows <= rest->limit)
        return OK;
    uint32_t first = (uint32_t)(rest->limit - n_before), n = part->n_rows - first;
    Batch *some = batch_slice(part, first, n);
    Status st = store(rest, some, err);
    batch_unref(some);
    return st;
}

bool rest_is_full(const Rest *rest)
{
    return rest->kind == REST_FIRST && (rest->held.n_parts || rest->spilled) && rest->n_rows >= rest->limit;
}

/* What of the part is among the first `limit` rows; from when they are too many on, in a file. */
static Status take_first(Rest *rest, Batch *part, uint64_t n_before, Error *err)
{
    Run *r = rest->run;
    bool is_begun = rest->held.n_parts || rest->spilled;
    if (is_begun && n_before >= rest->limit)
        return OK;
    uint64_t n_left = rest->limit - n_before;
    Batch *some = part->n_rows <= n_left ? batch_ref(part) : batch_slice(part, 0, (uint32_t)n_left);
    Status st = OK;
    if (rest->spilled)
        st = store(rest, some, err);
    else
        hold(rest, some);
    batch_unref(some);
    if (st != OK || rest->spilled || rest->is_in_memory || !budget_counts(&r->budget) ||
        rest->held.n_bytes <= r->budget.share_bytes)
        return st;
    st = spilled_open(r, r->plan->steps[instance_step(rest->task->inst)], SPILL_AS_PUT, NULL, 0, &rest->spilled, err);
    for (uint32_t i = 0; i < rest->held.n_parts && st == OK; i++)
        st = store(rest, rest->held.parts[i], err);
    drop_parts(&rest->held);
    state_count(r, &rest->held, 0);
    return st;
}

Status rest_take(Rest *rest, Batch *part, Error *err)
{
    Status st = OK;
    uint64_t n_before = rest->n_rows;
    rest->n_rows += part->n_rows;
    if (!rest->none && rest->kind != REST_STORED && may_spill(rest->kind))
        rest->none = batch_slice(part, 0, 0);
    switch (rest->kind) {
    case REST_DROPPED: break;
    case REST_STORED: st = store(rest, part, err); break;
    case REST_SKIPPED: st = store_behind(rest, part, n_before, err); break;
    case REST_HELD: hold(rest, part); break;
    case REST_FIRST: st = take_first(rest, part, n_before, err); break;
    case REST_TOP:
        hold(rest, part);
        if (rest->held.n_rows >= rest->next_cut)
            st = cut(rest, err);
        break;
    case REST_SORTED:
    case REST_KEYED:
        hold(rest, part);
        if (rest->held.n_bytes > rest->run->budget.share_bytes)
            st = spill(rest, err);
        break;
    }
    batch_unref(part);
    return st;
}

/* ---- when all is there ---- */

Status rest_finish(Rest *rest, Spilled **next, Error *err)
{
    Status st = OK;
    *next = NULL;
    if ((rest->partitions || (rest->kind == REST_SORTED && rest->spilled)) && rest->held.n_parts)
        st = spill(rest, err);
    if (st == OK && rest->partitions)
        st = partitions_finish_rows(rest->run, rest->task, rest->partitions, &rest->spilled, err);
    else if (st == OK && rest->spilled)
        st = spilled_finish(rest->run, rest->task, rest->spilled, err);
    if (st == OK && rest->spilled && rest->spilled->n_rows == 0 && rest->none) {
        /* What is read in parts has no columns without a part: no rows are a table in memory. */
        spilled_free(rest->spilled);
        hold(rest, rest->none);
    } else if (st == OK) {
        *next = rest->spilled;
    }
    if (st == OK)
        rest->spilled = NULL;
    return st;
}

Batch *rest_all(Rest *rest)
{
    Batch **parts = rest->held.parts;
    Batch *all = batch_concat_take(parts, rest->held.n_parts, parts[0]->n_cols, parts[0]->types);
    rest->held.n_parts = 0;
    drop_parts(&rest->held);
    return all;
}
