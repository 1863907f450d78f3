#include <stdlib.h>
#include <string.h>

#include "run/partitions_int.h"
#include "vm/firsts.h"
#include "vm/group.h"

/* What is made of the records of one partition. */
typedef struct Making {
    Run *run;
    const Task *task;
    Partitions *p;
    uint32_t part;
    Spilled *to;
    const Spec *spec;     /* of groups; NULL: of rows */
    Groups *groups;
    Firsts *firsts;       /* of rows of a DISTINCT, NULL before the first: those that are in `to` */
    Batch **parts;        /* of rows of a GROUP: [n] */
    uint32_t n, cap;
    bool has_begun;
    uint64_t n_bytes;     /* of the groups, firsts or parts; counted */
    Partitions *finer;    /* not NULL: there were too many, all go there */
} Making;

static void making_count(Making *m, uint64_t n_bytes)
{
    budget_change(&m->run->budget, m->p->raw->step->id, m->n_bytes, n_bytes);
    m->n_bytes = n_bytes;
}

static Status finer_open(Making *m, Error *err)
{
    const Partitions *p = m->p;
    Status st = partitions_open(m->run, p->raw->step, p->code, p->begin, &m->finer, err);
    if (st != OK)
        return st;
    m->finer->level = p->level + 1;
    m->finer->raw->is_again = true;
    return OK;
}

static void parts_drop(Making *m)
{
    for (uint32_t i = 0; i < m->n; i++)
        batch_unref(m->parts[i]);
    m->n = 0;
}

static void part_add(Making *m, Batch *b)
{
    if (m->n == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 16;
        m->parts = xrealloc(m->parts, m->cap * sizeof *m->parts);
    }
    m->parts[m->n++] = b;
    making_count(m, m->n_bytes + batch_held_bytes(b));
}

static Status making_divide(Making *m, Error *err)
{
    Status st = finer_open(m, err);
    if (st != OK)
        return st;
    if (m->groups) {
        st = partition_groups(m->run, m->finer, m->groups, err);
        m->finer->has_put = true;
    }
    for (uint32_t i = 0; i < m->n && st == OK; i++)
        st = partition_rows(m->run, m->task, m->finer, m->parts[i], true, err);
    groups_close(m->groups);
    m->groups = NULL;
    parts_drop(m);
    making_count(m, 0);
    return st;
}

static bool may_divide(const Partitions *p)
{
    return p->level + 1 < GROUP_KEY_LEVELS;
}

static Status groups_take(Making *m, const char *at, Heap *heap, Error *err)
{
    if (m->finer) {
        Groups *some = groups_open(m->spec);
        groups_load(some, at, heap, true);
        Status st = partition_groups(m->run, m->finer, some, err);
        groups_close(some);
        return st;
    }
    groups_load(m->groups, at, heap, !m->has_begun && m->p->n_first[m->part]);
    m->has_begun = true;
    making_count(m, groups_bytes(m->groups));
    return m->n_bytes > 2 * m->run->budget.share_bytes && may_divide(m->p) ? making_divide(m, err) : OK;
}

/* The parts as one batch, all of them text or values; lets go of them. They count until it is done with: joined_drop. */
static Batch *parts_join(Making *m)
{
    Batch *all = batch_concat_take(m->parts, m->n, m->parts[0]->n_cols, m->parts[0]->types);
    m->n = 0;
    return all;
}

static void joined_drop(Making *m, Batch *all)
{
    batch_unref(all);
    making_count(m, 0);
}

/* What the operation makes of rows. */
static Status rows_run(const Making *m, Batch *all, Batch **out, Error *err)
{
    const VmInstance inst = vm_again(m->run, m->p->raw->step);
    return vm_run_part(m->run->vms[m->task->worker], m->p->code, m->p->begin, m->p->end, NULL, &inst, all, out, err);
}

static bool is_distinct(const Partitions *p)
{
    return p->code && p->code->instrs[p->end - 1].op == OP_DISTINCT;
}

/* Rows come in the order of their numbers: of those with equal keys the first is the one that stays, and nothing more is wanted
 * of it. If there are too many keys, the rows that have others are parted by them again. */
static Status distinct_take(Making *m, Batch *b, Error *err)
{
    Column **keys = NULL;
    uint32_t n_keys = 0;
    Status st = rows_keys(m->run, m->task, m->p, b, &keys, &n_keys, err);
    if (st != OK)
        return st;
    if (!m->firsts)
        m->firsts = firsts_open(n_keys);
    uint32_t *rows = xmalloc((b->n_rows + 1ull) * sizeof *rows);
    uint32_t n = m->finer ? firsts_look(m->firsts, keys, b->n_rows, rows) : firsts_add(m->firsts, keys, b->n_rows, rows);
    keys_drop(keys, n_keys);
    Batch *some = n ? batch_select_rows(b, rows, n) : NULL;
    free(rows);
    if (some && m->finer)
        st = partition_rows(m->run, m->task, m->finer, some, true, err);
    else if (some)
        st = spilled_append(m->run, m->to, some, err);
    batch_unref(some);
    making_count(m, firsts_bytes(m->firsts));
    bool is_too_much = m->n_bytes > 2 * m->run->budget.share_bytes && may_divide(m->p);
    return st == OK && is_too_much && !m->finer ? finer_open(m, err) : st;
}

static Status rows_take(Making *m, const char *at, Heap *heap, Error *err)
{
    Batch *b = NULL;
    Status st = spilled_batch(m->p->raw, at, heap, &b, err);
    if (st == OK && is_distinct(m->p))
        st = distinct_take(m, b, err);
    else if (st == OK && m->finer)
        st = partition_rows(m->run, m->task, m->finer, b, true, err);
    if (st != OK || m->finer || is_distinct(m->p)) {
        batch_unref(b);
        return st;
    }
    part_add(m, b);
    return m->n_bytes > m->run->budget.share_bytes && may_divide(m->p) ? making_divide(m, err) : OK;
}

static Status records_take(Making *m, Error *err)
{
    const SpillRun *run = &m->p->raw->runs[m->part];
    Status st = OK;
    for (uint32_t i = 0; i < run->n && st == OK; i++) {
        Heap *heap = NULL;
        st = task_check(m->task, err);
        if (st == OK)
            st = spilled_get_bytes(m->p->raw, run->blocks[i], &heap, err);
        for (size_t at = 0; st == OK && at < heap->used;) {
            uint64_t len;
            memcpy(&len, heap->bytes + at, sizeof len);
            const char *record = heap->bytes + at + sizeof len;
            st = m->spec ? groups_take(m, record, heap, err) : rows_take(m, record, heap, err);
            at += sizeof len + len;
        }
        heap_unref(heap);
    }
    return st;
}

static Status groups_make(Making *m, Batch **out, Error *err)
{
    State *state = instance_state(m->task->inst);
    GroupsPolicy policy = {.bad_rows = m->p->raw->step->bad_rows, .rejects = &state->told};
    Status st = groups_finish(m->groups, &policy, out, err);
    if (st != OK)
        return st;
    seqs_add(*out, NULL, 0);
    const Slot *last = &(*out)->slots[(*out)->n_cols - 1];
    if ((*out)->n_rows)
        memcpy(last->values->values, groups_seqs(m->groups), (*out)->n_rows * sizeof(uint64_t));
    groups_drop(&policy, out);
    return OK;
}

/* The numbers of the first rows of all groups of a partition's rows, as the last column of the groups. */
static Status first_seqs_add(Run *r, const Task *t, const Partitions *p, const Batch *all, Batch *groups, Error *err)
{
    Column **keys = NULL;
    uint32_t n_keys = 0;
    Status st = rows_keys(r, t, p, all, &keys, &n_keys, err);
    if (st != OK)
        return st;
    uint32_t *first = xmalloc((all->n_rows + 1ull) * sizeof *first);
    const int64_t *seqs = column_ints(all->slots[all->n_cols - 1].values);
    group_rows(keys, n_keys, all->n_rows, NULL, first);
    Column *c = column_new(TYPE_INT, false, groups->n_rows);
    for (uint32_t g = 0; g < groups->n_rows; g++)
        column_ints(c)[g] = seqs[first[g]];
    order_column_add(groups, c);
    free(first);
    keys_drop(keys, n_keys);
    return OK;
}

/* What a GROUP makes of the rows of a partition; the last column is not among the keys. */
static Status rows_make(Making *m, Batch **out, Error *err)
{
    const Partitions *p = m->p;
    Batch *all = parts_join(m);
    Status st = rows_run(m, all, out, err);
    if (st == OK)
        st = first_seqs_add(m->run, m->task, p, all, *out, err);
    joined_drop(m, all);
    return st;
}

static Status partitions_make(Run *r, const Task *t, Partitions *p, const Spec *spec, Spilled *to, Error *err);

static Status partition_make(Run *r, const Task *t, Partitions *p, uint32_t part, const Spec *spec, Spilled *to,
                             Error *err)
{
    Making m = {.run = r, .task = t, .p = p, .part = part, .to = to, .spec = spec, .groups = spec ? groups_open(spec) : NULL};
    Batch *made = NULL;
    if (is_distinct(p))
        spilled_begin(to);
    Status st = records_take(&m, err);
    firsts_close(m.firsts);
    if (m.firsts)
        making_count(&m, 0);
    if (st == OK && m.finer)
        st = partitions_make(r, t, m.finer, spec, to, err);
    else if (st == OK && !is_distinct(p))
        st = spec ? groups_make(&m, &made, err) : rows_make(&m, &made, err);
    groups_close(m.groups);
    parts_drop(&m);
    free(m.parts);
    if (st == OK && made) {
        making_count(&m, m.n_bytes + batch_held_bytes(made));
        st = spilled_put(r, to, made, err);
    }
    batch_unref(made);
    making_count(&m, 0);
    partitions_free(r, m.finer);
    return st;
}

/* Partition by partition, each a run of the table. */
static Status partitions_make(Run *r, const Task *t, Partitions *p, const Spec *spec, Spilled *to, Error *err)
{
    Status st = records_flush(r, p, 1, err);
    for (uint32_t k = 0; k < N_PARTS; k++)
        buf_deinit(&p->bufs[k]);
    partitions_count(r, p);
    for (uint32_t k = 0; k < N_PARTS && st == OK; k++) {
        if (p->raw->runs[k].n)
            st = partition_make(r, t, p, k, spec, to, err);
    }
    return st;
}

static Status partitions_finish(Run *r, const Task *t, Partitions *p, const Spec *spec,
                                Spilled **out, Error *err)
{
    Spilled *to = NULL;
    Status st = spilled_open(r, p->raw->step, SPILL_BY_LAST, NULL, 0, &to, err);
    if (st != OK)
        return st;
    to->is_again = true;
    st = partitions_make(r, t, p, spec, to, err);
    if (st != OK) {
        spilled_free(to);
        return st;
    }
    *out = to;
    return OK;
}

Status partitions_finish_groups(Run *r, const Task *t, Partitions *p, const Spec *spec, Spilled **out,
                                Error *err)
{
    State *state = instance_state(t->inst);
    rejects_next_group(&state->told);
    return partitions_finish(r, t, p, spec, out, err);
}

Status partitions_finish_rows(Run *r, const Task *t, Partitions *p, Spilled **out, Error *err)
{
    return partitions_finish(r, t, p, NULL, out, err);
}
