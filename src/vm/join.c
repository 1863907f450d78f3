/* join.c - JOIN: an index of the joined table, made once and kept with it, and the pairs of rows that it gives.
 *
 * Column by column: the keys of all left rows are hashed, looked up, and what comes out are two lists of
 * row numbers, left and right. No cell is touched but keys and what the rest of the condition names. */
#include <pthread.h>
#include <stdlib.h>

#include "vm/group.h"
#include "vm/pass.h"

#ifdef PIPEMILL_STRESS
#define PAIRS_AT_ONCE 7u
#else
#define PAIRS_AT_ONCE 65536u /* candidates of which the rest of the condition is computed together */
#endif

/* ---- the index of a table, by its keys ---- */

typedef struct JoinIndex {
    struct JoinIndex *next;
    const Code *code;  /* that makes the keys; of one join */
    Status status;
    Error err;         /* why the keys could not be computed */
    uint32_t n_keys, n_groups;
    Column **keys;     /* [n_keys] of all rows of the table */
    GroupTable groups;
    uint32_t *first;   /* [n_groups] a row of each group */
    uint32_t *rows;    /* all rows, group by group, each in the table's order */
    uint32_t *start;   /* [n_groups + 1] in rows; NULL, as rows: group g is row g alone */
} JoinIndex;

/* The indexes of one table, kept with its batch. */
typedef struct JoinTable {
    BatchExtra head; /* first: a BatchExtra * is a JoinTable * */
    pthread_mutex_t mu;
    JoinIndex *list; /* guarded by mu; an index does not change once it is in it */
} JoinTable;

static void index_free(JoinIndex *x)
{
    for (uint32_t i = 0; x->keys && i < x->n_keys; i++)
        column_unref(x->keys[i]);
    free(x->keys);
    group_table_free(&x->groups);
    free(x->first);
    free(x->rows);
    free(x->start);
    free(x);
}

static void join_table_free(BatchExtra *extra)
{
    JoinTable *jt = (JoinTable *)extra;
    while (jt->list) {
        JoinIndex *x = jt->list;
        jt->list = x->next;
        index_free(x);
    }
    pthread_mutex_destroy(&jt->mu);
    free(jt);
}

static BatchExtra *join_table_new(void)
{
    JoinTable *jt = xcalloc(1, sizeof *jt);
    jt->head.free = join_table_free;
    pthread_mutex_init(&jt->mu, NULL);
    return &jt->head;
}

/* Puts the rows in the order of their groups. */
static void fill_rows(JoinIndex *x, const uint32_t *ids, uint32_t n)
{
    if (x->n_groups == n) /* numbered in order of appearance: group g is row g */
        return;
    x->start = xcalloc(x->n_groups + 2ull, sizeof *x->start);
    x->rows = xmalloc((n + 1ull) * sizeof *x->rows);
    for (uint32_t i = 0; i < n; i++)
        x->start[ids[i] + 2]++;
    for (uint32_t g = 2; g <= x->n_groups; g++)
        x->start[g] += x->start[g - 1];
    for (uint32_t i = 0; i < n; i++) /* start[g + 1] runs from the group's begin to its end */
        x->rows[x->start[ids[i] + 1]++] = i;
}

/* The columns of a batch that code of a join works on, numbered from `base`. */
static Batch *part_view(const Batch *b, const PartCode *part, uint32_t base)
{
    uint32_t n = 0, first = 0;
    while (first < part->n_cols && part->cols[first] < base)
        first++;
    while (first + n < part->n_cols && part->cols[first + n] < base + b->n_cols)
        n++;
    Batch *all = table_open(b);
    uint16_t *cols = xmalloc((n + 1ull) * sizeof *cols);
    for (uint32_t i = 0; i < n; i++)
        cols[i] = (uint16_t)(part->cols[first + i] - base);
    const Spec spec = {.kind = SPEC_PROJECT, .n_cols = n, .cols = cols};
    Pass p = {.t = all};
    table_project(&p, &spec);
    free(cols);
    return p.t;
}

/* A key that cannot be computed is null, so that its row joins nothing, whether that is what the policy says or the row is
 * to be dropped. Rows are told of once, by the step and not by the instance that happens to be here first. */
static Status run_table_keys(Pass *p, const Code *code, const Batch *view, Batch **made)
{
    Pass of = {.bad_rows = p->bad_rows};
    if (p->bad_rows == BAD_ROWS_FAIL)
        return pass_run_part(p, code, view, &of, made);
    Rejects told = {.policy = p->bad_rows, .keeps_lines = p->rejects && p->rejects->keeps_lines};
    uint32_t n = view->n_rows, *same = xmalloc((n + 1ull) * sizeof *same);
    uint64_t *failed = xcalloc(bit_words(n) + 1ull, sizeof *failed);
    for (uint32_t i = 0; i < n; i++)
        same[i] = i;
    of.bad_rows = BAD_ROWS_NULL;
    of.rejects = &told;
    of.failed = p->bad_rows == BAD_ROWS_SKIP ? failed : NULL;
    of.pair_left = same;
    Status st = pass_run_part(p, code, view, &of, made);
    if (st == OK && p->host->table_rejects && rejects_has_any(&told))
        p->host->table_rejects(p->host->ctx, p->pc, &told);
    rejects_deinit(&told);
    free(failed);
    free(same);
    return st;
}

/* The columns of the table's keys: a list of new references. */
static Status table_keys(Pass *p, const Spec *spec, const Batch *table, Column ***out, Error *err)
{
    Error *outer = p->err;
    Batch *view = part_view(table, &spec->table_keys, p->t->n_cols), *made = NULL;
    p->err = err;
    Status st = run_table_keys(p, spec->table_keys.code, view, &made);
    p->err = outer;
    batch_unref(view);
    if (st != OK)
        return st;
    *out = xcalloc(spec->n_keys, sizeof(Column *));
    for (uint32_t i = 0; i < spec->n_keys; i++) /* they are computed: nothing to decode */
        batch_values(made, i, STR_LIT(""), NULL, NULL, *out + i, NULL);
    batch_unref(made);
    return OK;
}

static void index_fill(Pass *p, const Spec *spec, Batch *table, JoinIndex *x)
{
    uint32_t n = table->n_rows;
    x->status = table_keys(p, spec, table, &x->keys, &x->err);
    if (x->status != OK)
        return;
    x->n_keys = spec->n_keys;
    uint32_t *ids = xmalloc((n + 1ull) * sizeof *ids);
    x->first = xmalloc((n + 1ull) * sizeof *x->first);
    group_rows_in(&x->groups, x->keys, x->n_keys, n, ids, x->first);
    x->n_groups = x->groups.n;
    fill_rows(x, ids, n);
    free(ids);
}

static uint64_t index_bytes(const JoinIndex *x, uint32_t n_rows)
{
    uint64_t n = sizeof *x + group_table_bytes(&x->groups) + n_rows * sizeof *x->first;
    for (uint32_t i = 0; x->keys && i < x->n_keys; i++)
        n += column_bytes(x->keys[i]);
    return n + (x->start ? (n_rows + x->n_groups + 2ull) * sizeof *x->rows : 0);
}

/* One of a table that stays counts as long as that does. */
static void index_count(const Pass *p, const Spec *spec, const Batch *table, JoinTable *jt, const JoinIndex *x)
{
    uint64_t n = index_bytes(x, table->n_rows);
    if (table == p->inst->tables[spec->table] && p->host && p->host->table_indexed && p->host->table_indexed(p->host->ctx, spec->table, n))
        atomic_fetch_add(&jt->head.n_bytes, n);
}

/* The index of the table by the keys of this join; the first that wants it makes it, the others wait. */
static Status index_get(Pass *p, const Spec *spec, Batch *table, const JoinIndex **out)
{
    JoinTable *jt = (JoinTable *)batch_extra(table, join_table_new);
    pthread_mutex_lock(&jt->mu);
    JoinIndex *x = jt->list;
    while (x && x->code != spec->table_keys.code)
        x = x->next;
    if (!x) {
        x = xcalloc(1, sizeof *x);
        x->code = spec->table_keys.code;
        index_fill(p, spec, table, x);
        index_count(p, spec, table, jt, x);
        x->next = jt->list;
        jt->list = x;
    }
    pthread_mutex_unlock(&jt->mu);
    *out = x;
    if (x->status != OK && p->err)
        *p->err = x->err;
    return x->status;
}

typedef struct Asked {
    const JoinIndex *x;
    Column *const *keys;
} Asked;

static bool keys_equal(const void *ctx, uint32_t group, uint32_t row)
{
    const Asked *a = ctx;
    for (uint32_t k = 0; k < a->x->n_keys; k++)
        if (!group_values_equal(a->keys[k], row, a->x->keys[k], a->x->first[group]))
            return false;
    return true;
}

/* groups[n]: which group of the index has the row's keys; GROUP_NONE: none. */
static void index_find(const JoinIndex *x, Column *const *keys, uint32_t n, uint32_t *groups)
{
    enum { BLOCK = 256 };
    GroupKey packed[BLOCK];
    const Asked asked = {x, keys};
    for (uint32_t at = 0; at < n; at += BLOCK) {
        uint32_t m = n - at < BLOCK ? n - at : BLOCK;
        if (x->n_groups == 0) {
            for (uint32_t i = at; i < at + m; i++)
                groups[i] = GROUP_NONE;
            continue;
        }
        group_keys(keys, x->n_keys, at, m, packed);
        group_table_find(&x->groups, packed, m, at, keys_equal, &asked, groups + at);
    }
    for (uint32_t k = 0; k < x->n_keys; k++) /* null equals nothing */
        for (uint32_t i = 0; i < n && (keys[k]->valid || keys[k]->type == TYPE_NULL); i++)
            if (keys[k]->type == TYPE_NULL || !bit_get(keys[k]->valid, i))
                groups[i] = GROUP_NONE;
}

/* ---- pairs ---- */

typedef struct Pairs {
    uint32_t *left, *right; /* [n] rows, ascending by left */
    uint64_t n, cap;
} Pairs;

static void pairs_grow(Pairs *to, uint64_t n_more)
{
    if (to->n + n_more <= to->cap && to->left)
        return;
    to->cap = to->n + n_more > 2 * to->cap ? to->n + n_more : 2 * to->cap;
    to->left = xrealloc(to->left, (to->cap + 1) * sizeof *to->left);
    to->right = xrealloc(to->right, (to->cap + 1) * sizeof *to->right);
}

static void pairs_free(Pairs *p)
{
    free(p->left);
    free(p->right);
}

/* One JOIN over the table of the pass. */
typedef struct Join {
    Pass *pass;
    const Spec *spec;
    Batch *table;
    const JoinIndex *index; /* NULL: no keys, every row of the table is a candidate */
    uint32_t *groups;       /* [n] of each left row */
    Batch *view;            /* the left columns that the rest names */
    bool *matched;          /* [n] the row has a pair; NULL: not kept */
    uint64_t *failed;       /* [n] rows that are dropped, since a pair of theirs failed; NULL: none are */
    Pairs found;
} Join;

/* The candidates of a left row: rows of the table, n of them. */
typedef struct Candidates {
    const uint32_t *rows; /* [n]; NULL: first, first + 1, ... */
    uint32_t first, n;
} Candidates;

static inline Candidates candidates(const Join *j, uint32_t row)
{
    const JoinIndex *x = j->index;
    if (!x)
        return (Candidates){.n = j->table->n_rows};
    uint32_t g = j->groups[row];
    if (g == GROUP_NONE)
        return (Candidates){.n = 0};
    if (!x->start)
        return (Candidates){.first = g, .n = 1};
    return (Candidates){.rows = x->rows + x->start[g], .n = x->start[g + 1] - x->start[g]};
}

static Status too_many(Pass *p)
{
    return error_set(p->err, ERR_DATA,
                     "join makes more than %d rows of one table: give it smaller batches (`batch N`), or "
                     "a narrower condition",
                     INT32_MAX);
}

/* Without a rest of the condition every candidate is a pair. */
static Status pair_all(Join *j)
{
    uint32_t n = j->pass->n;
    uint64_t total = 0;
    for (uint32_t i = 0; i < n; i++)
        total += candidates(j, i).n;
    if (total > INT32_MAX)
        return too_many(j->pass);
    Pairs *to = &j->found;
    pairs_grow(to, total);
    for (uint32_t i = 0; i < n; i++) {
        Candidates c = candidates(j, i);
        for (uint32_t k = 0; k < c.n; k++) {
            to->left[to->n] = i;
            to->right[to->n++] = c.rows ? c.rows[k] : c.first + k;
        }
    }
    return OK;
}

/* Keeps those of the candidates for which the rest of the condition is true. */
static Status keep_true(Join *j, Pairs *some)
{
    Pass *p = j->pass;
    const PartCode *rest = &j->spec->rest;
    uint32_t n = (uint32_t)some->n, n_left = j->view->n_cols;
    Batch *pair = batch_select_rows(j->view, some->left, n), *made = NULL;
    uint16_t *cols = xmalloc((rest->n_cols + 1ull) * sizeof *cols);
    for (uint32_t i = n_left; i < rest->n_cols; i++)
        cols[i - n_left] = (uint16_t)(rest->cols[i] - p->t->n_cols);
    batch_pick(pair, j->table, some->right, cols, rest->n_cols - n_left);
    free(cols);
    Pass of = {.bad_rows = p->bad_rows == BAD_ROWS_FAIL ? BAD_ROWS_FAIL : BAD_ROWS_NULL, .rejects = p->rejects,
               .failed = j->failed, .pair_left = some->left};
    if (p->numbers_rows) {
        of.input_rows = xmalloc((n + 1ull) * sizeof *of.input_rows);
        for (uint32_t i = 0; i < n; i++)
            of.input_rows[i] = p->input_rows ? p->input_rows[some->left[i]] : some->left[i];
    }
    Status st = pass_run_part(p, rest->code, pair, &of, &made);
    free(of.input_rows);
    batch_unref(pair);
    some->n = 0;
    if (st != OK)
        return st;
    Column *is = NULL;
    batch_values(made, 0, STR_LIT(""), NULL, NULL, &is, NULL); /* computed: nothing to decode */
    bool wants_pairs = j->spec->join == CODE_JOIN_INNER || j->spec->join == CODE_JOIN_LEFT;
    pairs_grow(&j->found, wants_pairs ? n : 0);
    for (uint32_t i = 0; i < n; i++) {
        if (!column_is_valid(is, i) || !(column_bools(is)[i] & 1))
            continue;
        j->matched[some->left[i]] = true;
        if (!wants_pairs)
            continue;
        j->found.left[j->found.n] = some->left[i];
        j->found.right[j->found.n++] = some->right[i];
    }
    column_unref(is);
    batch_unref(made);
    return j->found.n > INT32_MAX ? too_many(p) : OK;
}

/* Looks at all candidates, so many at a time. */
static Status pair_some(Join *j)
{
    Pass *p = j->pass;
    Status st = OK;
    Pairs some = {0};
    bool wants_one = j->spec->join == CODE_JOIN_SEMI || j->spec->join == CODE_JOIN_ANTI;
    j->view = part_view(p->t, &j->spec->rest, 0);
    pairs_grow(&some, PAIRS_AT_ONCE);
    for (uint32_t i = 0; i < p->n && st == OK; i++) {
        Candidates c = candidates(j, i);
        for (uint32_t k = 0; k < c.n && st == OK; k++) {
            if (j->failed && bit_get(j->failed, i))
                break;
            some.left[some.n] = i;
            some.right[some.n++] = c.rows ? c.rows[k] : c.first + k;
            if (some.n < PAIRS_AT_ONCE)
                continue;
            st = keep_true(j, &some);
            /* Which errors are found must not depend on where this stops. */
            if (wants_one && j->matched[i] && p->bad_rows == BAD_ROWS_FAIL)
                break;
        }
    }
    if (st == OK && some.n)
        st = keep_true(j, &some);
    pairs_free(&some);
    batch_unref(j->view);
    return st;
}

/* Rows in whose pairs something failed have none. */
static void drop_failed(Join *j)
{
    Pairs *f = &j->found;
    uint64_t n = 0;
    for (uint64_t i = 0; i < f->n; i++) {
        if (bit_get(j->failed, f->left[i]))
            continue;
        f->left[n] = f->left[i];
        f->right[n++] = f->right[i];
    }
    f->n = n;
}

static bool is_failed(const Join *j, uint32_t row)
{
    return j->failed && bit_get(j->failed, row);
}

/* Left rows without a pair get one with nulls, in their place. */
static Status add_unmatched(Join *j)
{
    uint32_t n = j->pass->n;
    Pairs *from = &j->found, to = {0};
    uint64_t at = 0;
    pairs_grow(&to, from->n + n);
    for (uint32_t i = 0; i < n; i++) {
        if (!is_failed(j, i) && (at == from->n || from->left[at] != i)) {
            to.left[to.n] = i;
            to.right[to.n++] = PICKED_NONE;
        }
        for (; at < from->n && from->left[at] == i; at++) {
            to.left[to.n] = i;
            to.right[to.n++] = from->right[at];
        }
    }
    pairs_free(from);
    *from = to;
    return to.n > INT32_MAX ? too_many(j->pass) : OK;
}

/* The left rows that have a pair, or those that have none. */
static void select_matched(Join *j, bool wants_matched)
{
    uint32_t n = j->pass->n, n_kept = 0;
    uint32_t *sel = xmalloc((n + 1ull) * sizeof *sel);
    for (uint32_t i = 0; i < n; i++) {
        bool is_matched = j->matched ? j->matched[i] : candidates(j, i).n > 0;
        if (is_matched == wants_matched && !is_failed(j, i))
            sel[n_kept++] = i;
    }
    if (n_kept < n)
        table_select(j->pass, sel, n_kept);
    free(sel);
}

static void put_pairs(Join *j)
{
    Pass *p = j->pass;
    const Pairs *f = &j->found;
    uint32_t n = (uint32_t)f->n;
    bool is_same = n == p->n; /* each left row once: they stay as they are */
    for (uint32_t i = 0; i < n && is_same; i++)
        is_same = f->left[i] == i;
    if (!is_same)
        table_repeat(p, f->left, n);
    batch_pick(p->t, j->table, f->right, j->spec->cols, j->spec->n_cols);
}

/* ---- a table that is not in memory ---- */

static bool has_null(Column *const *keys, uint32_t n_keys, uint32_t row)
{
    for (uint32_t k = 0; k < n_keys; k++)
        if (keys[k]->type == TYPE_NULL || !column_is_valid(keys[k], row))
            return true;
    return false;
}

static void keys_hash(Column *const *keys, uint32_t n_keys, uint32_t n, uint64_t *hashes)
{
    enum { BLOCK = 256 };
    GroupKey packed[BLOCK];
    for (uint32_t at = 0; at < n; at += BLOCK) {
        uint32_t m = n - at < BLOCK ? n - at : BLOCK;
        group_keys(keys, n_keys, at, m, packed);
        for (uint32_t i = 0; i < m; i++)
            hashes[at + i] = has_null(keys, n_keys, at + i) ? VM_HASH_NONE : group_key_hash(&packed[i]) >> 1;
    }
}

Status vm_join_hashes(Pass *p, const Spec *spec, const Batch *table, uint64_t *hashes, Error *err)
{
    Column **keys;
    Status st = table_keys(p, spec, table, &keys, err);
    if (st != OK)
        return st;
    keys_hash(keys, spec->n_keys, table->n_rows, hashes);
    drop_columns(keys, spec->n_keys);
    return OK;
}

/* The table, or as much of it as can be in a pair: new reference. */
static Status table_get(Pass *p, const Spec *spec, Column *const *keys, Batch **out)
{
    Batch *table = p->inst->tables[spec->table], *found = NULL;
    Status st = OK;
    if (keys && p->host && p->host->table_rows && table->n_rows == 0) {
        uint64_t *hashes = xmalloc((p->n + 1ull) * sizeof *hashes);
        keys_hash(keys, spec->n_keys, p->n, hashes);
        st = p->host->table_rows(p->host->ctx, p, spec, hashes, p->n, &found, p->err);
        free(hashes);
    }
    *out = found ? found : batch_ref(table);
    return st;
}

Status table_join(Pass *p, const Spec *spec)
{
    Join j = {.pass = p, .spec = spec};
    Column **keys = NULL;
    if (spec->n_keys && p->n) /* no rows: nothing is looked up */
        keys = key_columns(p, spec);
    Status st = table_get(p, spec, keys, &j.table);
    if (st != OK)
        goto done;
    if (keys) {
        st = index_get(p, spec, j.table, &j.index);
        if (st != OK)
            goto done;
        j.groups = xmalloc((p->n + 1ull) * sizeof *j.groups);
        index_find(j.index, keys, p->n, j.groups);
    }
    if (spec->rest.code) {
        j.matched = xcalloc(p->n + 1ull, sizeof *j.matched);
        if (p->bad_rows == BAD_ROWS_SKIP)
            j.failed = xcalloc(bit_words(p->n) + 1ull, sizeof *j.failed);
        st = pair_some(&j);
        if (st == OK && j.failed)
            drop_failed(&j);
    } else if (spec->join == CODE_JOIN_INNER || spec->join == CODE_JOIN_LEFT) {
        st = pair_all(&j);
    }
    if (st == OK && spec->join == CODE_JOIN_LEFT)
        st = add_unmatched(&j);
    if (st != OK)
        goto done;
    if (spec->join == CODE_JOIN_SEMI || spec->join == CODE_JOIN_ANTI)
        select_matched(&j, spec->join == CODE_JOIN_SEMI);
    else
        put_pairs(&j);
done:
    if (keys)
        drop_columns(keys, spec->n_keys);
    batch_unref(j.table);
    pairs_free(&j.found);
    free(j.groups);
    free(j.matched);
    free(j.failed);
    return st;
}
