/* fold_spill.c - which tables of a plan may be in a temporary file, since all that read them take them from there. */
#include "plan/fold.h"

/* Its input k, of which it takes part after part? */
static bool takes_in_parts(const Step *s, uint32_t k)
{
    bool reads = s->pops.n && s->pops.ptr[0]->kind == POP_READ_CSV;
    return k == 0 && step_first_table(s) == 1 && s->in && !s->is_generator && s->scope == 0 &&
           s->kind == STEP_STATIC && !reads && s->on_failure != ON_FAILURE_SKIP;
}

bool fold_unions_in_parts(const Step *s)
{
    bool reads = s->pops.n && s->pops.ptr[0]->kind == POP_READ_CSV;
    return (s->kind == STEP_COLLECT || takes_in_parts(s, 0)) && s->in && !s->is_generator && !s->part_of && !reads &&
           s->scope == 0 && s->bad_rows == BAD_ROWS_FAIL && s->on_failure != ON_FAILURE_SKIP && !s->retry.n_more &&
           !pops_use_rows(s->pops.ptr, s->pops.n);
}

/* Does it want of the table only rows with certain keys, or all of them part after part? Where rows without a key are not errors
 * they are told of when all keys are computed at once. */
static bool takes_table_in_parts(const Step *s, uint32_t table)
{
    if (s->bad_rows != BAD_ROWS_FAIL)
        return false;
    for (size_t i = 0; i < s->pops.n; i++) {
        const Pop *p = s->pops.ptr[i];
        if (p->table != table)
            continue;
        if ((p->kind == POP_JOIN && p->n_keys == 0) || (p->kind == POP_UNION && !fold_unions_in_parts(s)))
            return false;
    }
    return true;
}

bool fold_streams_out(const Plan *plan, const Step *c)
{
    bool has_readers = false;
    if (c->scope != 0 || c->retry.n_more || c->is_generator || c->keeps) /* what is kept is a table */
        return false;
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        for (uint32_t k = 0; k < s->n_inputs; k++) {
            if (s->inputs[k] != c->id)
                continue;
            has_readers = true;
            if (k < step_first_table(s) ? !takes_in_parts(s, k) : !takes_table_in_parts(s, c->id))
                return false;
        }
    }
    return has_readers;
}

bool fold_is_taken_in_parts(const Plan *plan, const Step *c)
{
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        for (uint32_t k = step_first_table(s); k < s->n_inputs; k++)
            if (s->inputs[k] == c->id)
                return false;
    }
    return fold_streams_out(plan, c);
}

/* Do rows go through the operation part after part? */
static bool lets_through(const Step *s, const Pop *p)
{
    return pop_is_row_wise(p->kind) || (p->kind == POP_UNION && fold_unions_in_parts(s));
}

static bool lets_all_through(const Step *s)
{
    for (size_t i = 0; i < s->pops.n; i++)
        if (!lets_through(s, s->pops.ptr[i]))
            return false;
    return !pops_use_rows(s->pops.ptr, s->pops.n);
}

static bool is_row_wise(Pop *const *pops, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!pop_is_row_wise(pops[i]->kind))
            return false; /* it wants all rows at once */
    return !pops_use_rows(pops, n);
}

/* The first operation that wants all rows; NULL: none does. */
static const Pop *first_that_waits(const Step *s)
{
    for (size_t i = 0; i < s->pops.n; i++)
        if (!lets_through(s, s->pops.ptr[i]))
            return s->pops.ptr[i];
    return NULL;
}

/* What becomes of a spilled table in these operations: a part after the other goes through them, up to one that wants all
 * rows; does that spill, or hold no more than it gives? */
static bool goes_on_in_parts(const Step *s)
{
    const Pop *p = first_that_waits(s);
    if (pops_use_rows(s->pops.ptr, s->pops.n))
        return false;
    return !p || (s->bad_rows == BAD_ROWS_FAIL &&
                  (p->kind == POP_SORT || p->kind == POP_DISTINCT || (p->kind == POP_GROUP && p->n_keys) ||
                   (p->kind == POP_EXEC && s->on_failure != ON_FAILURE_SKIP) || p->kind == POP_SKIP || p->kind == POP_TAKE || p->kind == POP_TOP));
}

/* Are the rows of a read given to a command, which can have them from a file? */
static bool reads_for_command(const Step *s)
{
    size_t i = 1;
    while (i < s->pops.n && pop_is_row_wise(s->pops.ptr[i]->kind))
        i++;
    return i < s->pops.n && s->pops.ptr[i]->kind == POP_EXEC && s->scope == 0 && s->bad_rows == BAD_ROWS_FAIL &&
           s->on_failure != ON_FAILURE_SKIP && !pops_use_rows(s->pops.ptr + 1, s->pops.n - 1);
}

enum { FEW = 1000 }; /* rows that are held as well in memory */

static bool holds_many_first(const Step *s)
{
    return s->hold == HOLD_FIRST && s->hold_limit > FEW;
}

bool fold_holds_top(const Step *s)
{
    bool is_any = false;
    if (s->hold == HOLD_TOP)
        return s->hold_limit > FEW;
    for (size_t i = 0; i < s->pops.n && s->scope == 0 && !s->part_of; i++) {
        const Pop *p = s->pops.ptr[i];
        is_any |= p->kind == POP_TOP && !(p->expr->kind == TX_CONST && !p->expr->value.is_null && p->expr->value.i <= FEW);
    }
    return is_any;
}

/* A read by one instance, whose table may go where its readers or its command want to have it. */
static bool read_may_spill(const Plan *plan, const Step *s)
{
    if (s->kind != STEP_STATIC || s->is_generator || s->part_of || (s->hold != HOLD_NONE && !holds_many_first(s)) || !s->pops.n ||
        s->pops.ptr[0]->kind != POP_READ_CSV)
        return false;
    return reads_for_command(s) || (is_row_wise(s->pops.ptr + 1, s->pops.n - 1) && fold_streams_out(plan, s));
}

static bool comes_in_parts(const Plan *plan, uint32_t input)
{
    const Step *from = plan->steps[input];
    return fold_may_spill(plan, from) && fold_streams_out(plan, from);
}

static bool unions_in_parts(const Plan *plan, const Step *s)
{
    bool is_any = false;
    for (size_t i = 0; i < s->pops.n && !is_any; i++)
        is_any = s->pops.ptr[i]->kind == POP_UNION && fold_unions_in_parts(s) && comes_in_parts(plan, s->pops.ptr[i]->table);
    return is_any;
}

bool fold_holds_spilled(const Plan *plan, const Step *s)
{
    size_t i = 0;
    while (i < s->pops.n && lets_through(s, s->pops.ptr[i]))
        i++;
    bool is_aggregate = i < s->pops.n && s->pops.ptr[i]->kind == POP_GROUP && !s->pops.ptr[i]->n_keys;
    return is_aggregate && s->n_inputs && takes_in_parts(s, 0) && comes_in_parts(plan, s->inputs[0]);
}

/* Behind a table that may be spilled: what wants all of it spills, or its readers have it in parts as well. A `top` spills nothing,
 * nor does what is behind it, but for a union. */
static bool static_may_spill(const Plan *plan, const Step *s)
{
    if (!takes_in_parts(s, 0) || !goes_on_in_parts(s))
        return false;
    const Pop *p = first_that_waits(s);
    bool is_held = p && p->kind == POP_TOP;
    if ((is_held || !comes_in_parts(plan, s->inputs[0])) && !unions_in_parts(plan, s))
        return false;
    return !lets_all_through(s) || fold_streams_out(plan, s);
}

bool fold_may_spill(const Plan *plan, const Step *s)
{
    if (s->kind != STEP_COLLECT)
        return read_may_spill(plan, s) || static_may_spill(plan, s);
    switch (s->hold) {
    case HOLD_SORTED:
    case HOLD_DISTINCT: return true;
    case HOLD_GROUPS: return s->pops.ptr[0]->n_keys > 0;
    case HOLD_ROWS: return goes_on_in_parts(s);
    case HOLD_FIRST: return holds_many_first(s) && goes_on_in_parts(s);
    case HOLD_NONE:
    case HOLD_NOTHING:
    case HOLD_TOP: return false;
    }
    return false;
}
