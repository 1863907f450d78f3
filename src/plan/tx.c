#include "plan/tx.h"

static Tx *tx_new(Arena *a, TxKind kind, Type type, Span span)
{
    Tx *tx = arena_new(a, Tx);
    tx->kind = kind;
    tx->type = type;
    tx->span = span;
    return tx;
}

Tx *tx_error(Arena *a, Span span)
{
    return tx_new(a, TX_ERROR, TYPE_ERROR, span);
}

Tx *tx_const(Arena *a, Value v, Span span)
{
    Tx *tx = tx_new(a, TX_CONST, v.type, span);
    tx->value = v;
    return tx;
}

Tx *tx_column(Arena *a, uint32_t col, Type type, Span span)
{
    Tx *tx = tx_new(a, TX_COLUMN, type, span);
    tx->col = col;
    tx->needs_row = true;
    tx->uses_left = true;
    return tx;
}

/* A node over args; its needs are theirs. */
Tx *tx_over(Arena *a, TxKind kind, Type type, Span span, Tx *const *args,
                   uint32_t n_args)
{
    Tx *tx = tx_new(a, kind, type, span);
    tx->n_args = n_args;
    tx->args = arena_array(a, Tx *, n_args);
    for (uint32_t i = 0; i < n_args; i++) {
        tx->args[i] = args[i];
        tx->needs_row |= args[i]->needs_row;
        tx->needs_batch |= args[i]->needs_batch;
        tx->uses_left |= args[i]->uses_left;
        tx->uses_table |= args[i]->uses_table;
    }
    return tx;
}

Tx *tx_convert(Arena *a, Tx *tx, Type want)
{
    if (tx->type == want || tx->type == TYPE_ERROR || want == TYPE_ERROR)
        return tx;
    if (tx->type == TYPE_NULL) /* only ever a constant */
        return tx_const(a, (Value){.type = want, .is_null = true}, tx->span);
    if (tx->type != TYPE_INT || want != TYPE_FLOAT)
        return NULL;
    if (tx->kind == TX_CONST) {
        Value v = {.type = TYPE_FLOAT, .is_null = tx->value.is_null};
        v.f = v.is_null ? 0 : (double)tx->value.i;
        return tx_const(a, v, tx->span);
    }
    return tx_over(a, TX_WIDEN, TYPE_FLOAT, tx->span, &tx, 1);
}

/* Gives both one type, if they have one. */
bool tx_unify(Arena *a, Tx **x, Tx **y)
{
    Tx *cx = tx_convert(a, *x, (*y)->type), *cy = tx_convert(a, *y, (*x)->type);
    if (cx && cx->type == (*y)->type)
        *x = cx;
    else if (cy && cy->type == (*x)->type)
        *y = cy;
    else
        return false;
    return true;
}
