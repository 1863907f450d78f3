/* How to read it: the rules of one node each, then their order (simple_node), then the statements. Nodes may
 * be shared and are not changed; Tx.simpler holds what became of each, so that what was shared still is. */
#include "plan/simplify.h"

#include <math.h>

typedef struct Simplifier {
    Arena *arena;
    Evaluator *evaluator;
} Simplifier;

static bool is_const(const Tx *tx)
{
    return tx->kind == TX_CONST;
}

static bool is_null(const Tx *tx)
{
    return is_const(tx) && tx->value.is_null;
}

static bool is_bool(const Tx *tx, bool want)
{
    return is_const(tx) && tx->type == TYPE_BOOL && !tx->value.is_null && (tx->value.i != 0) == want;
}

static bool is_comparison(Operator op)
{
    return op == OPER_EQ || op == OPER_NE || op == OPER_LT || op == OPER_LE || op == OPER_GT || op == OPER_GE;
}

/* No row can fail in it. Cells of a column that is no text may be unreadable, and arithmetic overflows.
 * *budget nodes are looked at, of those that are shared each time: what is larger may fail. */
static bool cannot_fail_within(const Tx *tx, uint32_t *budget)
{
    if (*budget == 0)
        return false;
    --*budget;
    switch (tx->kind) {
    case TX_CONST: return true;
    case TX_COLUMN: return tx->type == TYPE_STRING;
    case TX_UNARY:
        if (tx->op == OPER_NEG)
            return false;
        break;
    case TX_BINARY:
        if (!is_comparison(tx->op) && tx->op != OPER_AND && tx->op != OPER_OR && tx->op != OPER_COALESCE)
            return false;
        break;
    case TX_WIDEN:
    case TX_IN:
    case TX_IF:
    case TX_CONCAT: break;
    case TX_ERROR:
    case TX_CALL: return false;
    }
    for (uint32_t i = 0; i < tx->n_args; i++)
        if (!cannot_fail_within(tx->args[i], budget))
            return false;
    return true;
}

static bool cannot_fail(const Tx *tx)
{
    uint32_t budget = 100;
    return cannot_fail_within(tx, &budget);
}

/* ---- rules: what a node whose parts are simple becomes; NULL: they say nothing of it ---- */

static Tx *copy_of(Simplifier *s, const Tx *tx)
{
    Tx *copy = arena_new(s->arena, Tx);
    *copy = *tx;
    copy->simpler = NULL;
    return copy;
}

/* The parts have become other nodes, so that what the node depends on may have changed. */
static Tx *with_args(Simplifier *s, const Tx *tx, Tx **args, uint32_t n_args)
{
    Tx *copy = copy_of(s, tx);
    copy->args = args;
    copy->n_args = n_args;
    if (tx->kind == TX_CALL && builtin_get(tx->fn)->kind != BUILTIN_KIND_SCALAR)
        return copy;
    copy->needs_row = copy->needs_batch = copy->uses_left = copy->uses_table = false;
    for (uint32_t i = 0; i < n_args; i++) {
        copy->needs_row |= args[i]->needs_row;
        copy->needs_batch |= args[i]->needs_batch;
        copy->uses_left |= args[i]->uses_left;
        copy->uses_table |= args[i]->uses_table;
    }
    return copy;
}

/* Computed now; one that fails stays, for the row that wants it. */
static Tx *computed(Simplifier *s, Tx *tx)
{
    if (tx->kind == TX_CONST || tx->kind == TX_COLUMN || tx->kind == TX_ERROR || tx->needs_row ||
        tx->needs_batch || (tx->kind == TX_CALL && builtin_get(tx->fn)->kind != BUILTIN_KIND_SCALAR))
        return NULL;
    for (uint32_t i = 0; i < tx->n_args; i++)
        if (!is_const(tx->args[i]))
            return NULL;
    Value v;
    Error err;
    if (s->evaluator->eval(s->evaluator, tx, s->arena, &v, &err) != OK)
        return NULL;
    return tx_const(s->arena, v, tx->span);
}

/* The right side is only wanted where the left one does not decide. */
static Tx *of_logic(Tx *tx)
{
    Tx *a = tx->args[0], *b = tx->args[1];
    bool decides = tx->op == OPER_OR; /* the value with which one side decides */
    if (is_bool(a, decides))
        return a;
    if (is_bool(a, !decides))
        return b;
    if (is_bool(b, !decides))
        return a;
    if (is_bool(b, decides) && cannot_fail(a))
        return b;
    return NULL;
}

static Tx *of_coalesce(Tx *tx)
{
    Tx *a = tx->args[0], *b = tx->args[1];
    if (is_null(a))
        return b;
    if (is_const(a) || is_null(b))
        return a;
    return NULL;
}

/* A whole number against a literal with a point is a comparison of whole numbers: below 2^53 the limit is
 * exact as either, and no number beyond that is on another side of it for being rounded. */
static Tx *of_comparison(Simplifier *s, Tx *tx)
{
    uint32_t side = tx->args[0]->kind == TX_WIDEN ? 0 : 1; /* of the whole number */
    Tx *wide = tx->args[side], *limit = tx->args[1 - side];
    if (wide->kind != TX_WIDEN || !is_const(limit) || limit->value.is_null || !(fabs(limit->value.f) < 0x1p53))
        return NULL;
    double f = limit->value.f;
    bool is_equality = tx->op == OPER_EQ || tx->op == OPER_NE;
    if (is_equality && f != floor(f))
        return NULL;
    /* n < 2.5 and n >= 2.5: as of 3; n <= 2.5 and n > 2.5: as of 2. The other way round with the sides. */
    bool rounds_up = (tx->op == OPER_LT || tx->op == OPER_GE) == (side == 0);
    Value v = {.type = TYPE_INT, .i = (int64_t)(rounds_up ? ceil(f) : floor(f))};
    Tx **args = arena_array(s->arena, Tx *, 2);
    args[side] = wide->args[0];
    args[1 - side] = tx_const(s->arena, v, limit->span);
    return with_args(s, tx, args, 2);
}

static Operator opposite(Operator op)
{
    return op == OPER_EQ   ? OPER_NE
           : op == OPER_NE ? OPER_EQ
           : op == OPER_LT ? OPER_GE
           : op == OPER_GE ? OPER_LT
           : op == OPER_LE ? OPER_GT
           : op == OPER_GT ? OPER_LE
           : op == OPER_IS_NULL ? OPER_IS_NOT_NULL
                                : OPER_IS_NULL;
}

/* All values are in one order, nan too, so that `not (a < b)` is `a >= b`; null stays null. */
static Tx *of_not(Simplifier *s, const Tx *tx)
{
    const Tx *x = tx->args[0];
    if (x->kind == TX_UNARY && x->op == OPER_NOT)
        return x->args[0];
    Tx *out = copy_of(s, x);
    if (x->kind == TX_IN) {
        out->is_negated = !x->is_negated;
        return out;
    }
    bool is_null_test = x->kind == TX_UNARY && (x->op == OPER_IS_NULL || x->op == OPER_IS_NOT_NULL);
    if (!is_null_test && !(x->kind == TX_BINARY && is_comparison(x->op)))
        return NULL;
    out->op = opposite(x->op);
    return out;
}

static Tx *of_if(Tx *tx)
{
    if (is_const(tx->args[0]))
        return tx->args[is_bool(tx->args[0], true) ? 1 : 2];
    return NULL;
}

/* coalesce(a, b, ...): nulls are passed over, nothing is wanted behind a constant. */
static Tx *of_call(Simplifier *s, Tx *tx)
{
    if (tx->fn != BUILTIN_COALESCE)
        return NULL;
    Tx **args = arena_array(s->arena, Tx *, tx->n_args);
    uint32_t n = 0;
    for (uint32_t i = 0; i < tx->n_args; i++) {
        if (is_null(tx->args[i]))
            continue;
        args[n++] = tx->args[i];
        if (is_const(tx->args[i]))
            break;
    }
    if (n == tx->n_args)
        return NULL;
    if (n == 0)
        return tx->args[0];
    return n == 1 ? args[0] : with_args(s, tx, args, n);
}

static Tx *by_rule(Simplifier *s, Tx *tx)
{
    switch (tx->kind) {
    case TX_UNARY: return tx->op == OPER_NOT ? of_not(s, tx) : NULL;
    case TX_BINARY:
        if (tx->op == OPER_AND || tx->op == OPER_OR)
            return of_logic(tx);
        if (tx->op == OPER_COALESCE)
            return of_coalesce(tx);
        return is_comparison(tx->op) ? of_comparison(s, tx) : NULL;
    case TX_IF: return of_if(tx);
    case TX_CALL: return of_call(s, tx);
    case TX_ERROR:
    case TX_CONST:
    case TX_COLUMN:
    case TX_WIDEN:
    case TX_IN:
    case TX_CONCAT: break;
    }
    return NULL;
}

/* ---- expressions ---- */

static Tx *simple(Simplifier *s, Tx *tx);

static Tx *simple_node(Simplifier *s, Tx *tx)
{
    Tx **args = tx->n_args ? arena_array(s->arena, Tx *, tx->n_args) : NULL;
    bool is_changed = false;
    for (uint32_t i = 0; i < tx->n_args; i++) {
        args[i] = simple(s, tx->args[i]);
        is_changed |= args[i] != tx->args[i];
    }
    Tx *now = is_changed ? with_args(s, tx, args, tx->n_args) : tx;
    Tx *next = is_changed ? computed(s, now) : NULL; /* as written it was tried when it was typed */
    while (next || (next = by_rule(s, now))) {
        if (next->type != tx->type) /* null of no type yet, say */
            break;
        now = next;
        next = NULL;
    }
    return now;
}

static Tx *simple(Simplifier *s, Tx *tx)
{
    if (!tx->simpler) {
        Tx *out = simple_node(s, tx);
        tx->simpler = out;
        out->simpler = out;
    }
    return tx->simpler;
}

/* Where a column keeps the bytes of its cells. */
static void simplify_value(Simplifier *s, Tx **tx)
{
    Tx *out = simple(s, *tx);
    if (out->kind != TX_COLUMN)
        *tx = out;
}

/* The condition of `where a and b`: b is not looked at where a is null, as it is in any other `and`. So what
 * was no `and` does not become one. */
static Tx *simple_filter(Simplifier *s, Tx *tx)
{
    if (tx->kind != TX_BINARY || tx->op != OPER_AND) {
        Tx *out = simple(s, tx);
        return out->kind == TX_BINARY && out->op == OPER_AND ? tx : out;
    }
    Tx **args = arena_array(s->arena, Tx *, 2);
    for (uint32_t i = 0; i < 2; i++)
        args[i] = simple_filter(s, tx->args[i]);
    if (is_bool(args[0], true))
        return args[1];
    return is_bool(args[1], true) ? args[0] : with_args(s, tx, args, 2);
}

/* ---- statements ---- */

/* False: it does nothing. */
static bool simplify_pop(Simplifier *s, Pop *p)
{
    switch (p->kind) {
    case POP_FILTER:
        p->expr = simple_filter(s, p->expr);
        return !is_bool(p->expr, true);
    case POP_ASSERT:
        p->expr = simple(s, p->expr);
        simplify_value(s, &p->expr2);
        break;
    case POP_DEFINE:
    case POP_LOG: simplify_value(s, &p->expr); break;
    case POP_SORT:
    case POP_TOP:
    case POP_DISTINCT:
    case POP_GROUP:
        for (uint32_t i = 0; i < p->n_keys; i++)
            simplify_value(s, &p->keys[i].value);
        for (uint32_t i = 0; i < p->n_aggs; i++)
            for (uint32_t k = 0; k < p->aggs[i].n_args; k++)
                simplify_value(s, &p->aggs[i].args[k]);
        break;
    case POP_READ_CSV:
    case POP_FILES:
    case POP_SPLIT:
    case POP_RANGE:
    case POP_PROJECT:
    case POP_TAKE:
    case POP_SKIP:
    case POP_EXPLODE:
    case POP_EXEC:
    case POP_JOIN:
    case POP_UNION:
    case POP_FAIL:
    case POP_SLEEP:
    case POP_WRITE_CSV:
    case N_POPS: break;
    }
    return true;
}

void simplify_pops(Arena *a, Evaluator *ev, PopList *pops)
{
    Simplifier s = {.arena = a, .evaluator = ev};
    size_t n = 0;
    for (size_t i = 0; i < pops->n; i++)
        if (simplify_pop(&s, pops->ptr[i]))
            pops->ptr[n++] = pops->ptr[i];
    pops->n = n;
}
