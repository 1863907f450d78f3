#include "code/string_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/regex_literal.h"

#define MAX_VALUES 16 /* each is compared with each cell: IN searches in longer lists */

static int cmp(const void *a, const void *b)
{
    return value_cmp(a, b);
}

/* A list of all of them, ascending, each once. */
static bool values_set(Arena *a, Spec *s, const Value *const *lists, const uint32_t *n, uint32_t n_lists)
{
    uint32_t all = 0, kept = 0;
    for (uint32_t i = 0; i < n_lists; i++)
        all += n[i];
    Value *v = arena_array(a, Value, all);
    for (uint32_t i = 0, at = 0; i < n_lists; at += n[i++])
        if (n[i])
            memcpy(v + at, lists[i], n[i] * sizeof *v);
    if (all)
        qsort(v, all, sizeof *v, cmp);
    for (uint32_t i = 0; i < all; i++)
        if (kept == 0 || value_cmp(&v[kept - 1], &v[i]) != 0)
            v[kept++] = v[i];
    s->values = v;
    s->n_values = kept;
    for (uint32_t i = 0; i < kept; i++)
        if (v[i].is_null || v[i].type != TYPE_STRING)
            return false;
    return kept > 0 && kept <= MAX_VALUES;
}

static bool is_column(const Tx *tx)
{
    return tx->kind == TX_COLUMN && tx->type == TYPE_STRING;
}

static bool is_one_of(Arena *a, const Tx *tx, const Value *values, uint32_t n, Spec *out, uint32_t *col)
{
    *out = (Spec){.kind = SPEC_STRING, .fn = N_BUILTINS};
    *col = tx->col;
    return is_column(tx) && values_set(a, out, &values, &n, 1);
}

static bool compares(Arena *a, const Tx *tx, Spec *out, uint32_t *col)
{
    const Tx *l = tx->args[0], *r = tx->args[1];
    if (l->kind == TX_CONST) {
        l = tx->args[1];
        r = tx->args[0];
    }
    if (r->kind != TX_CONST || !is_one_of(a, l, &r->value, 1, out, col))
        return false;
    out->is_negated = tx->op == OPER_NE;
    return true;
}

static bool either(Arena *a, const Tx *tx, Spec *out, uint32_t *col)
{
    Spec l, r;
    uint32_t r_col;
    if (!string_test(a, tx->args[0], &l, col) || !string_test(a, tx->args[1], &r, &r_col) || *col != r_col)
        return false;
    if (l.fn != N_BUILTINS || r.fn != N_BUILTINS || l.is_negated || r.is_negated)
        return false;
    *out = l;
    return values_set(a, out, (const Value *const[]){l.values, r.values}, (uint32_t[]){l.n_values, r.n_values}, 2);
}

static bool calls(const Tx *tx, Spec *out, uint32_t *col)
{
    bool is_test = tx->fn == BUILTIN_CONTAINS || tx->fn == BUILTIN_STARTS_WITH || tx->fn == BUILTIN_ENDS_WITH;
    if (!is_test || !is_column(tx->args[0]) || tx->args[1]->kind != TX_CONST)
        return false;
    const Value *part = &tx->args[1]->value;
    *out = (Spec){.kind = SPEC_STRING, .fn = tx->fn, .n_values = 1, .values = part};
    *col = tx->args[0]->col;
    return !part->is_null && part->s.len > 0;
}

bool string_test(Arena *a, const Tx *tx, Spec *out, uint32_t *col)
{
    bool is_test = false;
    switch (tx->kind) {
    case TX_UNARY:
        is_test = tx->op == OPER_NOT && string_test(a, tx->args[0], out, col);
        if (is_test)
            out->is_negated = !out->is_negated;
        return is_test;
    case TX_BINARY:
        if (tx->op == OPER_EQ || tx->op == OPER_NE)
            return compares(a, tx, out, col);
        return tx->op == OPER_OR && either(a, tx, out, col);
    case TX_IN:
        is_test = is_one_of(a, tx->args[0], tx->items, tx->n_items, out, col);
        if (is_test)
            out->is_negated = tx->is_negated;
        return is_test;
    case TX_CALL: return calls(tx, out, col);
    case TX_ERROR:
    case TX_CONST:
    case TX_COLUMN:
    case TX_WIDEN:
    case TX_IF:
    case TX_CONCAT: return false;
    }
    return false;
}

bool string_may_match(Arena *a, const Tx *tx, Spec *out, uint32_t *col)
{
    if (tx->kind != TX_CALL || tx->fn != BUILTIN_MATCHES || !is_column(tx->args[0]) || tx->args[1]->kind != TX_CONST ||
        tx->args[1]->value.is_null)
        return false;
    Buf text = {0};
    bool is_known = regex_literal(tx->args[1]->value.s, &text);
    if (is_known) {
        Value *v = arena_new(a, Value);
        *v = (Value){.type = TYPE_STRING, .s = arena_str(a, buf_str(&text))};
        *out = (Spec){.kind = SPEC_STRING, .fn = BUILTIN_CONTAINS, .keeps_long = true, .n_values = 1, .values = v};
        *col = tx->args[0]->col;
    }
    buf_deinit(&text);
    return is_known;
}
