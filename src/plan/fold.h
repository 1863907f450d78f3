/* fold.h - what of a collect runs per batch, and what the collect holds meanwhile; and which static
 * reads are collects of the ranges of their file.
 *
 * A collect is split into two steps. The *part* (`by_type_each` of `by_type`) runs in the
 * scope of the batches, in parallel: the *head*, which are the leading statements of the op
 * that mean the same for a batch as for the whole table, and then, on the batch alone, the
 * operation that is folded. The collect takes the parts in key order and keeps what `Hold`
 * says of them; when the last has come it runs the folded operation over what it holds,
 * then the rest of the op.
 *
 *   collect { where hp > 50; group by type1 { n = count() }; sort by n }
 *     part      where, group        a row per group of the batch, with the aggregates' states
 *     collect   group (merges), sort
 *
 * The head: `where`, `derive`, `select`, `join`, `assert`, `write` to a path that does not depend on
 * the batch. It ends where folding would show: at key() and index(), which are the collected
 * table's; at log, sleep and fail, which happen once; and where row() or uuid() follow
 * before the next group, which count in the collected table, at the first statement that
 * drops or orders rows. (row() before the first `group by` therefore keeps all rows held.)
 *
 * What the part writes is appended in key order when it is folded, so that nothing is held for
 * it.
 *
 * A static op that reads a file is split likewise, and a generator `by_type_parts` gives the file in
 * ranges: the op reads in parts. That must not show either. Here the part knows how many rows
 * of the file come before its range, so row() and uuid() may be in the head as long as
 * nothing before them drops rows. Pure functions of the plan.
 */
#ifndef PIPE_PLAN_FOLD_H
#define PIPE_PLAN_FOLD_H

#include "plan/plan.h"
#include "plan/type.h"

typedef struct PlanFold {
    size_t n_head;   /* statements of the part */
    Hold hold;
    bool folds_next; /* pops[n_head] is the folded operation: both steps have it */
    uint64_t limit;  /* HOLD_FIRST, HOLD_TOP: rows */
} PlanFold;

/* Of an op's operations that collect in `scope`; is_numbered: batches know their rows' numbers. bad_rows: of the step; rows
 * that it drops lose count as those that `where` drops. */
PlanFold fold_split(Pop *const *pops, size_t n_pops, uint32_t scope, bool is_numbered, BadRows bad_rows);

/* A `sort` with a `take` right behind it is a `top`, as long as that is of no more rows than can well be held. */
void fold_tops(PopList *pops);

/* Should the static step read its file in parts? It has to do something behind the read that can be done
 * on a part, to run at most once, and not to read the first rows only. is_before_take: its only reader begins
 * with `take`. */
bool fold_reads_in_parts(const Step *s, bool is_before_take);
/* Should a static step behind one that only reads, and whose table nobody else wants, take it in parts? It has to leave few
 * of the rows, or nobody wants them: a table that is held as a whole is better read as one, but where there is a budget. */
bool fold_takes_parts(const Plan *plan, const Step *read, const Step *s, bool is_before_take,
                      bool is_wanted);

/* May a static step's operations as well stand at the begin of the next one? Nothing is said of the one instance that
 * does them. */
bool fold_goes_up(const Step *s);

/* When all steps of the job are known: a collect whose rows nobody reads holds nothing, and
 * one whose only reader begins with `take` needs no more than its rows. A static read of which `take` wants the
 * first rows gets a HOLD_FIRST too: it reads no further. */
void fold_finish(Arena *a, Plan *plan);

/* May the generator of the collect's batches stop after its first `limit` rows? Not if a
 * step between has effects, as telling of bad rows is one, or somebody else reads the batches. Of a HOLD_FIRST. */
bool fold_stops_generator(const Plan *plan, const Step *collect);

/* Do all steps that read the step's table take it in parts, by themselves or in a union, or find its rows by the keys of joins, so
 * that it may stay in a temporary file? */
bool fold_streams_out(const Plan *plan, const Step *s);
/* Does none of them find rows by keys? */
bool fold_is_taken_in_parts(const Plan *plan, const Step *s);
/* Can the tables of its unions come part after part, behind its input, which does so as well? */
bool fold_unions_in_parts(const Step *s);
/* Can what it holds go to a temporary file, and come from there in parts? Of any step. */
bool fold_may_spill(const Plan *plan, const Step *s);
/* Does it, as an `aggregate`, take all of its input into memory, though that may be in a temporary file? */
bool fold_holds_spilled(const Plan *plan, const Step *s);
/* Does it hold, of each group, as many values as the group has rows, or different ones? */
bool fold_keeps_values(const Step *s);
/* Does it hold more than some rows of a `top`, which never spill? Of any step. */
bool fold_holds_top(const Step *s);
/* Is there no bound on what it holds? */
bool fold_grows(const Step *s);

/* "a row per group: grows with the groups"; of a collect. */
void fold_put_hold(Buf *out, const Plan *plan, const Step *collect);

/* A collect that keeps all rows: why, and what would not; one line without a full stop. False:
 * there is nothing to say. */
bool fold_put_warning(Buf *out, const Step *collect);

/* Does any value of the operation depend on the row's place (row(), uuid()); on the batch
 * (key(), index())? */
bool pop_uses_row(const Pop *p);
bool pops_use_rows(Pop *const *pops, size_t n); /* any of them, up to one that makes a table of its own */
bool pop_uses_batch(const Pop *p);

#endif
