#include "run/partitions_int.h"

#include <stdlib.h>
#include <string.h>

#include "vm/group.h"

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
    budget_give(&r->budget, p->raw->step->id, p->n_bytes);
    for (uint32_t k = 0; k < N_PARTS; k++)
        buf_deinit(&p->bufs[k]);
    spilled_free(p->raw);
    free(p);
}

void partitions_count(Run *r, Partitions *p)
{
    uint64_t n = 0;
    for (uint32_t k = 0; k < N_PARTS; k++)
        n += p->bufs[k].cap;
    budget_change(&r->budget, p->raw->step->id, p->n_bytes, n);
    p->n_bytes = n;
}

/* A buffer that had a large record does not stay as large: there are many. */
static Status buf_flush(Run *r, Partitions *p, uint32_t k, size_t least, Error *err)
{
    Buf *b = &p->bufs[k];
    Status st = OK;
    if (b->len == 0 || b->len < least)
        return OK;
    st = spilled_put_bytes(r, p->raw, k, b, err);
    if (b->cap > 2 * spilled_block_bytes(r))
        buf_deinit(b);
    else
        buf_clear(b);
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

Status records_flush(Run *r, Partitions *p, size_t least, Error *err)
{
    Status st = OK;
    for (uint32_t k = 0; k < N_PARTS && st == OK; k++)
        st = buf_flush(r, p, k, least, err);
    partitions_count(r, p);
    return st;
}

Status partition_groups(Run *r, Partitions *p, const Groups *g, Error *err)
{
    Status st = OK;
    uint32_t n = groups_count(g);
    uint32_t *order = xmalloc((n + 1ull) * sizeof *order), starts[N_PARTS + 1];
    groups_part(g, N_PARTS, p->level, order, starts);
    for (uint32_t k = 0; k < N_PARTS && st == OK; k++) {
        uint32_t from = starts[k], n_of = starts[k + 1] - from;
        if (n_of == 0)
            continue;
        size_t at = record_begin(&p->bufs[k]);
        groups_save(g, order + from, n_of, p->next_seq, &p->bufs[k]);
        record_end(&p->bufs[k], at);
        if (!p->has_put)
            p->n_first[k] = n_of;
        st = buf_flush(r, p, k, spilled_block_bytes(r), err); /* at once: all records together are as large as the groups */
    }
    free(order);
    partitions_count(r, p);
    return st;
}

Status partitions_put_groups(Run *r, Partitions *p, const Groups *g, Error *err)
{
    p->has_put = true; /* as those in memory they are merged, be it into none */
    Status st = partition_groups(r, p, g, err);
    spilled_count(r, p->raw, groups_count(g));
    p->next_seq += groups_count(g);
    return st;
}

Status partitions_put_merged(Run *r, Partitions *p, const Merged *m, Error *err)
{
    uint32_t n;
    Groups **tables = merged_tables(m, &n, &p->next_seq);
    Status st = OK;
    for (uint32_t i = 0; i < n && st == OK; i++) {
        st = partition_groups(r, p, tables[i], err);
        spilled_count(r, p->raw, groups_count(tables[i]));
    }
    free(tables);
    p->has_put = true;
    return st;
}

/* ---- rows ---- */

void seqs_add(Batch *b, const uint32_t *sel, uint64_t first)
{
    Column *c = column_new(TYPE_INT, false, b->n_rows);
    for (uint32_t i = 0; i < b->n_rows; i++)
        column_ints(c)[i] = (int64_t)(first + (sel ? sel[i] : i));
    order_column_add(b, c);
}

Status rows_keys(Run *r, const Task *t, const Partitions *p, const Batch *b, Column ***keys, uint32_t *n_keys,
                 Error *err)
{
    const VmInstance inst = vm_again(r, p->raw->step);
    const Spec *spec;
    Status st = vm_run_keys(r->vms[t->worker], p->code, p->begin, &inst, b, &spec, keys, err);
    if (st == OK)
        *n_keys = spec->n_keys;
    return st;
}

void keys_drop(Column **keys, uint32_t n_keys)
{
    for (uint32_t k = 0; k < n_keys; k++)
        column_unref(keys[k]);
    free(keys);
}

/* part[n_rows] of each row. */
static Status rows_part(Run *r, const Task *t, const Partitions *p, const Batch *b, uint32_t *part,
                        Error *err)
{
    Column **cols = NULL;
    uint32_t n_keys = 0;
    Status st = rows_keys(r, t, p, b, &cols, &n_keys, err);
    if (st != OK)
        return st;
    GroupKey *keys = xmalloc((b->n_rows + 1ull) * sizeof *keys);
    group_keys(cols, n_keys, 0, b->n_rows, keys);
    for (uint32_t i = 0; i < b->n_rows; i++)
        part[i] = group_key_part(&keys[i], N_PARTS, p->level);
    free(keys);
    keys_drop(cols, n_keys);
    return OK;
}

Status partition_rows(Run *r, const Task *t, Partitions *p, Batch *rows, bool has_seqs, Error *err)
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
        st = buf_flush(r, p, k, spilled_block_bytes(r), err);
    }
    batch_unref(plain);
    free(part);
    free(order);
    p->next_seq += n;
    partitions_count(r, p);
    return st;
}

Status partitions_put_rows(Run *r, const Task *t, Partitions *p, Batch *rows, Error *err)
{
    return partition_rows(r, t, p, rows, false, err);
}
