#include "run/partitions.h"

#include <stdlib.h>
#include <string.h>

#include "vm/group.h"

enum { N_PARTS = SPILL_FAN_IN };

struct Partitions {
    uint32_t level;     /* 0; 1: of a partition that was too large, and so on */
    const Code *code;   /* of rows */
    uint32_t begin, end; /* of it: the DISTINCT or GROUP, with its keys */
    Spilled *raw;       /* run k: blocks of records of partition k */
    Buf bufs[N_PARTS];  /* records that are not in a block yet: a length and so many bytes */
    uint64_t next_seq;  /* number of the next group or row */
    uint32_t n_first[N_PARTS]; /* are the first groups of all in a partition's first record? */
    bool has_put;
    uint64_t n_bytes;   /* counted */
};

Status partitions_open(Run *r, const Step *s, const Code *code, uint32_t begin, Partitions **out,
                       Error *err)
{
    Spilled *raw = NULL;
    Status st = spilled_open(r, s, SPILL_AS_PUT, NULL, 0, &raw, err);
    if (st != OK)
        return st;
    Partitions *p = xcalloc(1, sizeof *p);
    p->raw = raw;
    p->code = code;
    p->begin = p->end = begin;
    while (code && code->instrs[p->end].op != OP_DISTINCT && code->instrs[p->end].op != OP_GROUP)
        p->end++;
    p->end++;
    for (uint32_t k = 0; k < N_PARTS; k++)
        spilled_begin(raw);
    *out = p;
    return OK;
}

void partitions_free(Run *r, Partitions *p)
{
    if (!p)
        return;
    budget_give(&r->budget, p->n_bytes);
    for (uint32_t k = 0; k < N_PARTS; k++)
        buf_deinit(&p->bufs[k]);
    spilled_free(p->raw);
    free(p);
}

static void bytes_count(Run *r, Partitions *p)
{
    uint64_t n = 0;
    for (uint32_t k = 0; k < N_PARTS; k++)
        n += p->bufs[k].cap;
    budget_change(&r->budget, p->n_bytes, n);
    p->n_bytes = n;
}

static Status buf_flush(Run *r, Partitions *p, uint32_t k, Error *err)
{
    Status st = OK;
    if (p->bufs[k].len)
        st = spilled_put_bytes(r, p->raw, k, &p->bufs[k], err);
    buf_clear(&p->bufs[k]);
    return st;
}

/* A record is begun with its length, which is filled in when it is known. */
static size_t record_begin(Buf *b)
{
    uint64_t len = 0;
    size_t at = b->len;
    buf_put(b, &len, sizeof len);
    return at;
}

static void record_end(Buf *b, size_t at)
{
    uint64_t len = b->len - at - sizeof len;
    memcpy(b->ptr + at, &len, sizeof len);
}

static Status records_flush(Run *r, Partitions *p, size_t least, Error *err)
{
    Status st = OK;
    for (uint32_t k = 0; k < N_PARTS && st == OK; k++)
        if (p->bufs[k].len >= least)
            st = buf_flush(r, p, k, err);
    bytes_count(r, p);
    return st;
}

static void groups_put(Partitions *p, const Groups *g)
{
    uint32_t n = groups_count(g);
    uint32_t *order = xmalloc((n + 1ull) * sizeof *order), starts[N_PARTS + 1];
    groups_part(g, N_PARTS, p->level, order, starts);
    for (uint32_t k = 0; k < N_PARTS; k++) {
        uint32_t from = starts[k], n_of = starts[k + 1] - from;
        if (n_of == 0)
            continue;
        size_t at = record_begin(&p->bufs[k]);
        groups_save(g, order + from, n_of, p->next_seq, &p->bufs[k]);
        record_end(&p->bufs[k], at);
        if (!p->has_put)
            p->n_first[k] = n_of;
    }
    free(order);
}

Status partitions_put_groups(Run *r, Partitions *p, const Groups *g, Error *err)
{
    groups_put(p, g);
    spilled_count(r, p->raw, groups_count(g));
    p->next_seq += groups_count(g);
    return records_flush(r, p, spilled_block_bytes(r), err);
}

Status partitions_put_merged(Run *r, Partitions *p, const Merged *m, Error *err)
{
    uint32_t n;
    Groups **tables = merged_tables(m, &n, &p->next_seq);
    Status st = OK;
    for (uint32_t i = 0; i < n && st == OK; i++) {
        groups_put(p, tables[i]);
        spilled_count(r, p->raw, groups_count(tables[i]));
        st = records_flush(r, p, spilled_block_bytes(r), err);
    }
    free(tables);
    p->has_put = true;
    return st;
}

/* ---- rows ---- */

/* A plain batch with one column more: the rows' numbers. */
static void seqs_add(Batch *b, const uint32_t *sel, uint64_t first)
{
    Column *c = column_new(TYPE_INT, false, b->n_rows);
    for (uint32_t i = 0; i < b->n_rows; i++)
        column_ints(c)[i] = (int64_t)(first + (sel ? sel[i] : i));
    order_column_add(b, c);
}

/* part[n_rows] of each row. */
static Status rows_part(Run *r, const Task *t, const Partitions *p, const Batch *b, uint32_t *part,
                        Error *err)
{
    const VmInstance inst = vm_again(r, p->raw->step);
    const Spec *spec;
    Column **cols = NULL;
    Status st = vm_run_keys(r->vms[t->worker], p->code, p->begin, &inst, b, &spec, &cols, err);
    if (st != OK)
        return st;
    GroupKey *keys = xmalloc((b->n_rows + 1ull) * sizeof *keys);
    group_keys(cols, spec->n_keys, 0, b->n_rows, keys);
    for (uint32_t i = 0; i < b->n_rows; i++)
        part[i] = group_key_part(&keys[i], N_PARTS, p->level);
    free(keys);
    for (uint32_t k = 0; k < spec->n_keys; k++)
        column_unref(cols[k]);
    free(cols);
    return OK;
}

/* has_seqs: the last column has the rows' numbers; else they are those behind the last ones. */
static Status rows_put(Run *r, const Task *t, Partitions *p, Batch *rows, bool has_seqs, Error *err)
{
    uint32_t n = rows->n_rows, starts[N_PARTS + 1] = {0}, at[N_PARTS];
    uint32_t *part = xmalloc((n + 1ull) * sizeof *part), *order = xmalloc((n + 1ull) * sizeof *order);
    Status st = rows_part(r, t, p, rows, part, err);
    for (uint32_t i = 0; st == OK && i < n; i++)
        starts[part[i] + 1]++;
    for (uint32_t k = 0; k < N_PARTS; k++)
        starts[k + 1] += starts[k];
    memcpy(at, starts, sizeof at);
    for (uint32_t i = 0; st == OK && i < n; i++)
        order[at[part[i]]++] = i;
    Batch *plain = st == OK ? spilled_plain(r, p->raw, rows) : NULL;
    for (uint32_t k = 0; st == OK && k < N_PARTS; k++) {
        uint32_t from = starts[k], n_of = starts[k + 1] - from;
        if (n_of == 0)
            continue;
        Batch *some = batch_select_rows(plain, order + from, n_of);
        if (!has_seqs)
            seqs_add(some, order + from, p->next_seq);
        size_t begin = record_begin(&p->bufs[k]);
        block_put(&p->bufs[k], some, 0, n_of);
        record_end(&p->bufs[k], begin);
        batch_unref(some);
    }
    batch_unref(plain);
    free(part);
    free(order);
    p->next_seq += n;
    return st == OK ? records_flush(r, p, spilled_block_bytes(r), err) : st;
}

Status partitions_put_rows(Run *r, const Task *t, Partitions *p, Batch *rows, Error *err)
{
    return rows_put(r, t, p, rows, false, err);
}

/* ---- finishing ---- */

/* What is made of the records of one partition. */
typedef struct Making {
    Run *run;
    const Task *task;
    Partitions *p;
    uint32_t part;
    const Spec *spec;     /* of groups; NULL: of rows */
    Groups *groups;
    Batch **parts;        /* of rows: [n] */
    uint32_t n, cap;
    bool has_begun;
    uint64_t n_bytes;     /* of the groups or parts; counted */
    Partitions *finer;    /* not NULL: there were too many, all go there */
} Making;

static void making_count(Making *m, uint64_t n_bytes)
{
    budget_change(&m->run->budget, m->n_bytes, n_bytes);
    m->n_bytes = n_bytes;
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
    const Partitions *p = m->p;
    Status st = partitions_open(m->run, p->raw->step, p->code, p->begin, &m->finer, err);
    if (st != OK)
        return st;
    m->finer->level = p->level + 1;
    m->finer->raw->is_again = true;
    if (m->groups) {
        groups_put(m->finer, m->groups);
        m->finer->has_put = true;
        st = records_flush(m->run, m->finer, spilled_block_bytes(m->run), err);
    }
    for (uint32_t i = 0; i < m->n && st == OK; i++)
        st = rows_put(m->run, m->task, m->finer, m->parts[i], true, err);
    groups_close(m->groups);
    m->groups = NULL;
    parts_drop(m);
    making_count(m, 0);
    return st;
}

static bool may_divide(const Making *m)
{
    return m->p->level + 1 < GROUP_KEY_LEVELS;
}

static Status groups_take(Making *m, const char *at, Heap *heap, Error *err)
{
    if (m->finer) {
        Groups *some = groups_open(m->spec);
        groups_load(some, at, heap, true);
        groups_put(m->finer, some);
        groups_close(some);
        return records_flush(m->run, m->finer, spilled_block_bytes(m->run), err);
    }
    groups_load(m->groups, at, heap, !m->has_begun && m->p->n_first[m->part]);
    m->has_begun = true;
    making_count(m, groups_bytes(m->groups));
    return m->n_bytes > 2 * m->run->budget.share_bytes && may_divide(m) ? making_divide(m, err) : OK;
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

/* Of rows that differ in their keys only the first ones stay; if that is not enough they are parted again. */
static Status parts_cut(Making *m, Error *err)
{
    uint64_t most = m->run->budget.share_bytes;
    Status st = OK;
    if (m->p->code->instrs[m->p->end - 1].op == OP_DISTINCT) {
        Batch *all = parts_join(m), *left = NULL;
        st = rows_run(m, all, &left, err);
        joined_drop(m, all);
        if (st != OK)
            return st;
        part_add(m, batch_compact(left));
        batch_unref(left);
    }
    return m->n_bytes > most / 2 && may_divide(m) ? making_divide(m, err) : OK;
}

static Status rows_take(Making *m, const char *at, Heap *heap, Error *err)
{
    Batch *b = block_get(at, heap, &m->p->raw->inputs);
    Status st = OK;
    for (uint32_t c = 0; c < m->p->raw->n_cols && st == OK; c++)
        if (m->p->raw->lacks_text[c])
            st = block_drop_text(b, c, err);
    if (st == OK && m->finer)
        st = rows_put(m->run, m->task, m->finer, b, true, err);
    if (st != OK || m->finer) {
        batch_unref(b);
        return st;
    }
    part_add(m, b);
    return m->n_bytes > m->run->budget.share_bytes ? parts_cut(m, err) : OK;
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
static Status firsts_add(Run *r, const Task *t, const Partitions *p, const Batch *all, Batch *groups,
                         Error *err)
{
    const VmInstance inst = vm_again(r, p->raw->step);
    const Spec *spec;
    Column **keys = NULL;
    Status st = vm_run_keys(r->vms[t->worker], p->code, p->begin, &inst, all, &spec, &keys, err);
    if (st != OK)
        return st;
    uint32_t *first = xmalloc((all->n_rows + 1ull) * sizeof *first);
    const int64_t *seqs = column_ints(all->slots[all->n_cols - 1].values);
    group_rows(keys, spec->n_keys, all->n_rows, NULL, first);
    Column *c = column_new(TYPE_INT, false, groups->n_rows);
    for (uint32_t g = 0; g < groups->n_rows; g++)
        column_ints(c)[g] = seqs[first[g]];
    order_column_add(groups, c);
    free(first);
    for (uint32_t k = 0; k < spec->n_keys; k++)
        column_unref(keys[k]);
    free(keys);
    return OK;
}

/* What the operation makes of the rows of a partition; the last column is not among the keys. */
static Status rows_make(Making *m, Batch **out, Error *err)
{
    const Partitions *p = m->p;
    Batch *all = parts_join(m);
    Status st = rows_run(m, all, out, err);
    if (st == OK && p->code->instrs[p->end - 1].op == OP_GROUP)
        st = firsts_add(m->run, m->task, p, all, *out, err);
    joined_drop(m, all);
    return st;
}

static Status partitions_make(Run *r, const Task *t, Partitions *p, const Spec *spec, Spilled *to, Error *err);

static Status partition_make(Run *r, const Task *t, Partitions *p, uint32_t part, const Spec *spec, Spilled *to,
                             Error *err)
{
    Making m = {.run = r, .task = t, .p = p, .part = part, .spec = spec, .groups = spec ? groups_open(spec) : NULL};
    Batch *made = NULL;
    Status st = records_take(&m, err);
    if (st == OK && m.finer)
        st = partitions_make(r, t, m.finer, spec, to, err);
    else if (st == OK)
        st = spec ? groups_make(&m, &made, err) : rows_make(&m, &made, err);
    groups_close(m.groups);
    parts_drop(&m);
    free(m.parts);
    if (st == OK && made)
        st = spilled_put(r, to, made, err);
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
    bytes_count(r, p);
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
