#include "vm/merged.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "data/interleave.h"
#include "vm/agg.h"
#include "vm/sort.h"

enum { N_PARTS = 16 };

/* A batch on its way through the parts. Each is a list's element until all of them are behind it. */
typedef struct Item {
    struct Item *_Atomic next; /* released when it is whole */
    _Atomic uint32_t refs;     /* parts that are at it or before it, and the end of the list */
    _Atomic uint32_t n_left;   /* parts that do not have it yet */
    Groups *from;              /* NULL when all parts have it */
    uint64_t first_seq;
    uint32_t number;
    uint32_t *rows;            /* of a DISTINCT: what is new in part k from groups_part_begin(from, k) on ... */
    uint32_t *n_rows;          /* ... so many; else NULL */
} Item;

typedef struct Part {
    pthread_mutex_t mu;
    Groups *groups; /* guarded by mu, as what follows; NULL: none yet */
    Item *at;       /* the last that it has; a reference */
} Part;

struct Merged {
    _Atomic uint32_t refs;
    const Spec *spec;
    bool of_rows;
    uint32_t n_parts;
    Part *parts;     /* [n_parts] */
    Item *last;      /* of the list; a reference */
    uint64_t next_seq;
    uint32_t n_items;
    bool *lacks_text; /* [n_keys] some batch has only the values of that key */
    pthread_mutex_t mu;
    Batch **rows;    /* of a DISTINCT: [n_items] what is new in each; guarded by mu */
    uint32_t cap_rows;
    size_t rows_bytes; /* guarded by mu */
};

static Item *item_new(uint32_t n_parts)
{
    Item *it = xcalloc(1, sizeof *it);
    atomic_init(&it->next, NULL);
    atomic_init(&it->refs, n_parts + 1);
    atomic_init(&it->n_left, n_parts);
    return it;
}

static void item_unref(Item *it)
{
    if (atomic_fetch_sub_explicit(&it->refs, 1, memory_order_acq_rel) != 1)
        return;
    groups_close(it->from);
    free(it->rows);
    free(it->n_rows);
    free(it);
}

uint32_t merged_n_parts(const Spec *spec, bool is_alone)
{
    if (is_alone || spec->n_keys == 0)
        return 1;
    for (uint32_t i = 0; i < spec->n_aggs; i++)
        if (!agg_is_small(&spec->aggs[i]))
            return 1;
    return N_PARTS;
}

Merged *merged_open(const Spec *spec, bool of_rows, uint32_t n_parts)
{
    Merged *m = xcalloc(1, sizeof *m);
    atomic_init(&m->refs, 1);
    m->spec = spec;
    m->of_rows = of_rows;
    m->n_parts = n_parts;
    m->parts = xcalloc(n_parts, sizeof *m->parts);
    m->lacks_text = xcalloc(spec->n_keys + 1ull, sizeof *m->lacks_text);
    m->last = item_new(n_parts);
    pthread_mutex_init(&m->mu, NULL);
    for (uint32_t k = 0; k < n_parts; k++) {
        pthread_mutex_init(&m->parts[k].mu, NULL);
        m->parts[k].at = m->last;
    }
    return m;
}

Merged *merged_ref(Merged *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void merged_unref(Merged *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t k = 0; k < m->n_parts; k++) {
        Item *it = m->parts[k].at, *next;
        for (; it; it = next) { /* those that were never merged, too */
            next = atomic_load_explicit(&it->next, memory_order_relaxed);
            item_unref(it);
        }
        groups_close(m->parts[k].groups);
        pthread_mutex_destroy(&m->parts[k].mu);
    }
    item_unref(m->last);
    for (uint32_t i = 0; m->rows && i < m->n_items; i++)
        batch_unref(m->rows[i]);
    pthread_mutex_destroy(&m->mu);
    free(m->rows);
    free(m->lacks_text);
    free(m->parts);
    free(m);
}

/* Room for the rows of another batch. */
static void rows_room(Merged *m)
{
    pthread_mutex_lock(&m->mu);
    if (m->n_items == m->cap_rows) {
        m->cap_rows = m->cap_rows ? 2 * m->cap_rows : 64;
        m->rows = xrealloc(m->rows, m->cap_rows * sizeof *m->rows);
    }
    m->rows[m->n_items] = NULL;
    pthread_mutex_unlock(&m->mu);
}

void merged_put(Merged *m, Groups *from)
{
    Item *it = item_new(m->n_parts), *last = m->last;
    uint32_t n = groups_count(from);
    it->from = from;
    it->first_seq = m->next_seq;
    it->number = m->n_items;
    if (m->of_rows) {
        rows_room(m);
        it->rows = xmalloc((n + 1ull) * sizeof *it->rows);
        it->n_rows = xcalloc(m->n_parts, sizeof *it->n_rows);
    }
    for (uint32_t k = 0; n && !m->of_rows && k < m->spec->n_keys; k++) /* no groups say nothing */
        m->lacks_text[k] |= !groups_has_text(from, k);
    m->next_seq += n;
    m->n_items++;
    m->last = it;
    atomic_store_explicit(&last->next, it, memory_order_release);
    item_unref(last);
}

/* The rows of a batch that are new to all parts, in its order, as a table of their own. */
static void rows_keep(Merged *m, const Item *it)
{
    const uint32_t *groups_rows;
    Batch *table = groups_source(it->from, &groups_rows);
    uint32_t n = 0;
    for (uint32_t k = 0; k < m->n_parts; k++)
        n += it->n_rows[k];
    if (n == 0)
        return;
    uint64_t *is_new = xcalloc(bit_words(table->n_rows), sizeof *is_new);
    for (uint32_t k = 0; k < m->n_parts; k++)
        for (uint32_t i = 0; i < it->n_rows[k]; i++)
            bit_set(is_new, it->rows[groups_part_begin(it->from, k) + i]);
    uint32_t *rows = xmalloc(n * sizeof *rows), at = 0;
    for (uint32_t w = 0; w < bit_words(table->n_rows); w++)
        for (uint64_t word = is_new[w]; word; word &= word - 1)
            rows[at++] = w * 64 + (uint32_t)__builtin_ctzll(word);
    Batch *some = batch_select_rows(table, rows, n), *own = batch_compact(some);
    batch_unref(some);
    free(is_new);
    free(rows);
    size_t n_bytes = batch_held_bytes(own);
    pthread_mutex_lock(&m->mu);
    m->rows[it->number] = own;
    m->rows_bytes += n_bytes;
    pthread_mutex_unlock(&m->mu);
}

static void item_merge(Merged *m, uint32_t k, Item *it)
{
    Part *p = &m->parts[k];
    uint32_t *rows = it->rows ? it->rows + groups_part_begin(it->from, k) : NULL;
    if (!p->groups && groups_part_begin(it->from, k + 1) > groups_part_begin(it->from, k))
        p->groups = groups_open(m->spec);
    uint32_t n = p->groups ? groups_merge_part(p->groups, it->from, k, it->first_seq, rows) : 0;
    if (it->n_rows)
        it->n_rows[k] = n;
    /* Release: what this part did is seen by the last; acquire: it sees what the others did. */
    if (atomic_fetch_sub_explicit(&it->n_left, 1, memory_order_acq_rel) != 1)
        return;
    if (m->of_rows)
        rows_keep(m, it);
    groups_close(it->from);
    it->from = NULL;
}

/* With the part's lock. */
static bool part_work(Merged *m, uint32_t k)
{
    Part *p = &m->parts[k];
    Item *next;
    bool has_worked = false;
    while ((next = atomic_load_explicit(&p->at->next, memory_order_acquire))) {
        Item *old = p->at;
        item_merge(m, k, next);
        p->at = next;
        item_unref(old);
        has_worked = true;
    }
    return has_worked;
}

bool merged_work(Merged *m, uint32_t begin)
{
    bool has_worked = false;
    for (uint32_t i = 0; i < m->n_parts; i++) {
        uint32_t k = (begin + i) % m->n_parts;
        if (pthread_mutex_trylock(&m->parts[k].mu) != 0)
            continue;
        has_worked |= part_work(m, k);
        pthread_mutex_unlock(&m->parts[k].mu);
    }
    return has_worked;
}

void merged_finish_work(Merged *m)
{
    for (uint32_t k = 0; k < m->n_parts; k++) {
        pthread_mutex_lock(&m->parts[k].mu);
        part_work(m, k);
        pthread_mutex_unlock(&m->parts[k].mu);
    }
}

size_t merged_bytes(const Merged *m)
{
    size_t n = sizeof *m + m->rows_bytes;
    for (uint32_t k = 0; k < m->n_parts; k++)
        n += m->parts[k].groups ? groups_bytes(m->parts[k].groups) : 0;
    return n;
}

Groups **merged_tables(const Merged *m, uint32_t *n, uint64_t *next_seq)
{
    Groups **tables = xcalloc(m->n_parts, sizeof(Groups *));
    *n = 0;
    *next_seq = m->next_seq;
    for (uint32_t k = 0; k < m->n_parts; k++) {
        if (!m->parts[k].groups)
            continue;
        tables[*n] = m->parts[k].groups;
        for (uint32_t i = 0; i < m->spec->n_keys; i++)
            if (m->lacks_text[i]) /* cells stay as they were only where every batch has them */
                groups_drop_text(tables[*n], i);
        ++*n;
    }
    return tables;
}

Batch *const *merged_rows(const Merged *m, uint32_t *n)
{
    *n = m->n_items;
    return m->rows;
}

/* Of rows order[n] of all tables those that no policy drops; their number. */
static uint32_t rows_left(Batch *const *parts, const GroupsPolicy *policies, uint32_t n_parts, uint32_t *order, uint32_t n)
{
    uint32_t n_left = 0, at = 0;
    bool *is_dropped = xcalloc(n + 1ull, sizeof *is_dropped);
    for (uint32_t i = 0; i < n_parts; i++) {
        for (uint32_t row = 0; policies[i].dropped && row < parts[i]->n_rows; row++)
            is_dropped[at + row] = bit_get(policies[i].dropped, row);
        at += parts[i]->n_rows;
    }
    for (uint32_t i = 0; i < n; i++)
        if (!is_dropped[order[i]])
            order[n_left++] = order[i];
    free(is_dropped);
    return n_left;
}

/* order[n_rows]: the rows of all tables, one table behind the other, by the number of each. */
static void numbers_sort(Groups *const *tables, Batch *const *parts, uint32_t n, uint32_t n_rows, uint32_t *order)
{
    uint32_t at = 0;
    Column *seqs = column_new(TYPE_INT, false, n_rows);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(column_ints(seqs) + at, groups_seqs(tables[i]), parts[i]->n_rows * sizeof(int64_t));
        at += parts[i]->n_rows;
    }
    const SortKey key = {seqs, false};
    sort_rows(&key, 1, n_rows, order);
    column_unref(seqs);
}

/* Rows order[n] of all parts, as they stand one behind the other, without putting them there first. */
static Batch *rows_pick(Batch *const *parts, uint32_t n_parts, const uint32_t *order, uint32_t n)
{
    uint32_t n_all = 0, k = 0;
    for (uint32_t i = 0; i < n_parts; i++)
        n_all += parts[i]->n_rows;
    uint32_t *part_of = xmalloc((n_all + 1ull) * sizeof *part_of), *begins = xmalloc(n_parts * sizeof *begins);
    uint32_t *src = xmalloc((n + 1ull) * sizeof *src), *rows = xmalloc((n + 1ull) * sizeof *rows);
    for (uint32_t i = 0; i < n_parts; i++) {
        begins[i] = k;
        for (uint32_t row = 0; row < parts[i]->n_rows; row++)
            part_of[k++] = i;
    }
    for (uint32_t i = 0; i < n; i++) {
        src[i] = part_of[order[i]];
        rows[i] = order[i] - begins[src[i]];
    }
    Batch *out = batch_interleave(parts, n_parts, src, rows, n);
    free(part_of);
    free(begins);
    free(src);
    free(rows);
    return out;
}

/* The rows of several tables by the number of each. Takes the parts. */
static Batch *rows_in_order(Groups *const *tables, Batch **parts, const GroupsPolicy *policies, uint32_t n)
{
    uint32_t n_rows = 0;
    for (uint32_t i = 0; i < n; i++)
        n_rows += parts[i]->n_rows;
    uint32_t *order = xmalloc((n_rows + 1ull) * sizeof *order);
    numbers_sort(tables, parts, n, n_rows, order);
    n_rows = rows_left(parts, policies, n, order, n_rows);
    Batch *sorted;
    if (n_rows && batches_are_alike(parts, n)) {
        sorted = rows_pick(parts, n, order, n_rows);
        for (uint32_t i = 0; i < n; i++)
            batch_unref(parts[i]);
    } else {
        Batch *all = batch_concat_take(parts, n, parts[0]->n_cols, parts[0]->types);
        sorted = batch_select_rows(all, order, n_rows);
        batch_unref(all);
    }
    free(order);
    return sorted;
}

Status merged_groups(Merged *m, const GroupsPolicy *policy, Batch **out, Error *err)
{
    uint32_t n;
    uint64_t next_seq;
    Groups **tables = merged_tables(m, &n, &next_seq);
    Groups *none = n ? NULL : groups_open(m->spec); /* of no batches */
    Batch **parts = xcalloc(n + 1ull, sizeof *parts);
    GroupsPolicy *policies = xcalloc(n + 1ull, sizeof *policies);
    for (uint32_t i = 0; i <= n; i++)
        policies[i] = *policy;
    Status st = none ? groups_finish(none, &policies[0], out, err) : OK;
    for (uint32_t i = 0; i < n && st == OK; i++)
        st = groups_finish(tables[i], &policies[i], &parts[i], err);
    if (st == OK && n == 1) {
        *out = parts[0];
        groups_drop(&policies[0], out);
    } else if (st == OK && n > 1) {
        *out = rows_in_order(tables, parts, policies, n);
    }
    for (uint32_t i = 0; i <= n; i++)
        free(policies[i].dropped);
    free(policies);
    for (uint32_t i = 0; st != OK && i < n; i++)
        batch_unref(parts[i]);
    groups_close(none);
    free(parts);
    free(tables);
    return st;
}
