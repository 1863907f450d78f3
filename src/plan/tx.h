/* tx.h - making the nodes of typed expressions (plan.h has what they are). All are in the arena. */
#ifndef PIPE_PLAN_TX_H
#define PIPE_PLAN_TX_H

#include "plan/plan.h"

Tx *tx_const(Arena *a, Value v, Span span);
Tx *tx_column(Arena *a, uint32_t col, Type type, Span span);
Tx *tx_error(Arena *a, Span span);
/* A node over args; its needs are theirs. */
Tx *tx_over(Arena *a, TxKind kind, Type type, Span span, Tx *const *args, uint32_t n_args);
/* tx as type `want`, or NULL if it does not convert by itself. */
Tx *tx_convert(Arena *a, Tx *tx, Type want);
/* Gives both one type; false if they have none. */
bool tx_unify(Arena *a, Tx **x, Tx **y);

#endif
