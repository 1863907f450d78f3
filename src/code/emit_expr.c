/* emit_expr.c - bytecode of an expression: operators, calls, texts; how registers and masks are used, emit.c says. */
#include <stdlib.h>

#include "code/emitter.h"

/* May a value of it fail, or cost much, in a row where it is not wanted? */
static bool needs_mask(const Tx *tx)
{
    return tx->kind != TX_CONST && !(tx->kind == TX_COLUMN && tx->type == TYPE_STRING);
}

uint16_t emit_masked(Emitter *e, Opcode mask, uint16_t by, const Tx *tx)
{
    if (!needs_mask(tx))
        return emit_expr(e, tx);
    size_t before = e->memo.n;
    emit_put(e, mask, by, 0, 0);
    uint16_t r = emit_expr(e, tx);
    emit_put(e, OP_MASK_POP, 0, 0, 0);
    e->memo.n = before;
    return r;
}

/* tx as it prints, into register `to`. */
static void text_into(Emitter *e, const Tx *tx, uint16_t to)
{
    uint16_t r = emit_expr(e, tx);
    emit_put(e, tx->type == TYPE_STRING ? OP_MOVE : OP_TO_STRING, to, r, 0);
}

/* Nodes of columns are made anew at every mention: they are the same by their column. */
static bool same_node(const Tx *a, const Tx *b)
{
    return a == b || (a->kind == TX_COLUMN && b->kind == TX_COLUMN && a->col == b->col);
}

/* In which register it is already; NULL: in none. */
static const Memo *memo_of(const Emitter *e, const Tx *tx)
{
    for (size_t i = e->memo.n; i-- > 0;)
        if (same_node(e->memo.ptr[i].tx, tx))
            return &e->memo.ptr[i];
    return NULL;
}

/* What a piece of a CONCAT is made of, where that changes its case: the CONCAT does it while it copies. */
static const Tx *cased_piece(const Emitter *e, const Tx *tx)
{
    bool changes = tx->kind == TX_CALL && !tx->is_in_path && (tx->fn == BUILTIN_UPPER || tx->fn == BUILTIN_LOWER);
    return changes && !memo_of(e, tx) ? tx->args[0] : NULL;
}

uint16_t emit_concat(Emitter *e, Tx *const *args, uint32_t n, bool null_is_empty)
{
    Type *types = arena_array(e->arena, Type, n);
    for (uint32_t i = 0; i < n; i++)
        types[i] = TYPE_STRING;
    uint16_t first = emit_reg_block(e, types, n), *cases = NULL;
    for (uint32_t i = 0; i < n; i++) {
        const Tx *cased = cased_piece(e, args[i]);
        if (cased && !cases) {
            cases = arena_array(e->arena, uint16_t, n);
            for (uint32_t k = 0; k < n; k++)
                cases[k] = N_BUILTINS;
        }
        if (cased)
            cases[i] = (uint16_t)args[i]->fn;
        text_into(e, cased ? cased : args[i], (uint16_t)(first + i));
    }
    uint16_t r = emit_reg(e, TYPE_STRING);
    Spec s = {.kind = SPEC_CONCAT, .n_args = emit_operand(e, n), .null_is_empty = null_is_empty, .cases = cases};
    emit_put(e, OP_CONCAT, r, first, emit_spec(e, s));
    return r;
}

/* a + b + c on strings is one CONCAT. */
static void flatten(Arena *a, const Tx *tx, Tx ***args, size_t *n, size_t *cap)
{
    if (tx->kind == TX_BINARY && tx->op == OPER_ADD && tx->type == TYPE_STRING) {
        flatten(a, tx->args[0], args, n, cap);
        flatten(a, tx->args[1], args, n, cap);
        return;
    }
    *args = arena_grow(a, *args, *n, cap, sizeof **args);
    (*args)[(*n)++] = (Tx *)(uintptr_t)tx;
}

/* Which of the four kinds of kernel a type has; the comparison opcodes stand in this order. */
static uint32_t storage(Type t)
{
    return t == TYPE_FLOAT ? 1 : t == TYPE_STRING ? 2 : t == TYPE_BOOL ? 3 : 0;
}

static uint16_t compare(Emitter *e, const Tx *tx)
{
    static const Opcode ops[4][4] = {
        {OP_EQ_INT, OP_NE_INT, OP_LT_INT, OP_LE_INT},
        {OP_EQ_FLOAT, OP_NE_FLOAT, OP_LT_FLOAT, OP_LE_FLOAT},
        {OP_EQ_STRING, OP_NE_STRING, OP_LT_STRING, OP_LE_STRING},
        {OP_EQ_BOOL, OP_NE_BOOL, OP_LT_BOOL, OP_LE_BOOL},
    };
    uint16_t a = emit_expr(e, tx->args[0]), b = emit_expr(e, tx->args[1]), r = emit_reg(e, TYPE_BOOL);
    const Opcode *row = ops[storage(tx->args[0]->type)];
    bool swaps = tx->op == OPER_GT || tx->op == OPER_GE; /* a > b is b < a */
    Opcode op = tx->op == OPER_EQ   ? row[0]
                : tx->op == OPER_NE ? row[1]
                : tx->op == OPER_LT || tx->op == OPER_GT ? row[2]
                                                         : row[3];
    emit_note(e, tx->span);
    emit_put(e, op, r, swaps ? b : a, swaps ? a : b);
    return r;
}

static Opcode arithmetic(const Tx *tx)
{
    Type a = tx->args[0]->type, b = tx->args[1]->type;
    bool is_float = tx->type == TYPE_FLOAT;
    switch ((int)tx->op) {
    case OPER_ADD: return a == TYPE_DATE ? OP_DATE_PLUS : is_float ? OP_ADD_FLOAT : OP_ADD_INT;
    case OPER_SUB:
        if (a == TYPE_DATE)
            return b == TYPE_DATE ? OP_SUB_DATE : OP_DATE_MINUS;
        return is_float ? OP_SUB_FLOAT : OP_SUB_INT;
    case OPER_MUL: return is_float ? OP_MUL_FLOAT : OP_MUL_INT;
    case OPER_DIV: return is_float ? OP_DIV_FLOAT : OP_IDIV_INT;
    case OPER_IDIV: return is_float ? OP_IDIV_FLOAT : OP_IDIV_INT;
    case OPER_MOD: return is_float ? OP_MOD_FLOAT : OP_MOD_INT;
    default: return OP_POW_FLOAT;
    }
}

static uint16_t binary(Emitter *e, const Tx *tx)
{
    uint16_t a, b, r;
    switch (tx->op) {
    case OPER_AND:
    case OPER_OR:
        a = emit_expr(e, tx->args[0]);
        b = emit_masked(e, tx->op == OPER_AND ? OP_MASK_NOT_FALSE : OP_MASK_NOT_TRUE, a, tx->args[1]);
        r = emit_reg(e, TYPE_BOOL);
        emit_put(e, tx->op == OPER_AND ? OP_AND : OP_OR, r, a, b);
        return r;
    case OPER_COALESCE:
        a = emit_expr(e, tx->args[0]);
        b = emit_masked(e, OP_MASK_NULL, a, tx->args[1]);
        r = emit_reg(e, tx->type);
        emit_put(e, OP_COALESCE, r, a, b);
        return r;
    case OPER_EQ:
    case OPER_NE:
    case OPER_LT:
    case OPER_LE:
    case OPER_GT:
    case OPER_GE:
        return compare(e, tx);
    case OPER_ADD:
        if (tx->type == TYPE_STRING) {
            Tx **args = NULL;
            size_t n = 0, cap = 0;
            flatten(e->arena, tx, &args, &n, &cap);
            return emit_concat(e, args, (uint32_t)n, false);
        }
        break;
    case OPER_SUB:
    case OPER_MUL:
    case OPER_DIV:
    case OPER_IDIV:
    case OPER_MOD:
    case OPER_POW:
    case OPER_NOT:
    case OPER_NEG:
    case OPER_IS_NULL:
    case OPER_IS_NOT_NULL:
        break;
    }
    a = emit_expr(e, tx->args[0]);
    b = emit_expr(e, tx->args[1]);
    r = emit_reg(e, tx->type);
    emit_note(e, tx->span);
    emit_put(e, arithmetic(tx), r, a, b);
    return r;
}

static uint16_t unary(Emitter *e, const Tx *tx)
{
    uint16_t a = emit_expr(e, tx->args[0]), r = emit_reg(e, tx->type);
    emit_note(e, tx->span);
    switch ((int)tx->op) {
    case OPER_NEG: emit_put(e, tx->type == TYPE_FLOAT ? OP_NEG_FLOAT : OP_NEG_INT, r, a, 0); break;
    case OPER_NOT: emit_put(e, OP_NOT, r, a, 0); break;
    case OPER_IS_NULL: emit_put(e, OP_IS_NULL, r, a, 0); break;
    default: emit_put(e, OP_IS_NOT_NULL, r, a, 0); break;
    }
    return r;
}

static uint16_t conditional(Emitter *e, const Tx *tx)
{
    uint16_t c = emit_expr(e, tx->args[0]);
    uint16_t yes = emit_masked(e, OP_MASK_TRUE, c, tx->args[1]);
    uint16_t no = emit_masked(e, OP_MASK_NOT_TRUE, c, tx->args[2]);
    uint16_t r = emit_reg(e, tx->type);
    emit_put(e, OP_MOVE, r, no, 0);
    emit_put(e, OP_SELECT, r, yes, c);
    return r;
}

static uint16_t call(Emitter *e, const Tx *tx)
{
    uint16_t r;
    if (tx->fn == BUILTIN_COALESCE) {
        uint16_t a = emit_expr(e, tx->args[0]);
        for (uint32_t i = 1; i < tx->n_args; i++) {
            uint16_t b = emit_masked(e, OP_MASK_NULL, a, tx->args[i]);
            r = emit_reg(e, tx->type);
            emit_put(e, OP_COALESCE, r, a, b);
            a = r;
        }
        return a;
    }
    if (tx->fn == BUILTIN_CONCAT)
        return emit_concat(e, tx->args, tx->n_args, false);
    if (tx->n_args == 1 && tx->args[0]->type == tx->type &&
        builtin_get(tx->fn)->group == BUILTIN_GROUP_CONVERSION)
        return emit_expr(e, tx->args[0]); /* int(x) of an int */
    if (tx->fn == BUILTIN_TO_STRING) {
        uint16_t a = emit_expr(e, tx->args[0]);
        r = emit_reg(e, TYPE_STRING);
        emit_put(e, OP_TO_STRING, r, a, 0);
        return r;
    }
    Type *types = arena_array(e->arena, Type, tx->n_args);
    for (uint32_t i = 0; i < tx->n_args; i++)
        types[i] = tx->args[i]->type;
    uint16_t first = emit_reg_block(e, types, tx->n_args);
    for (uint32_t i = 0; i < tx->n_args; i++) {
        uint16_t a = emit_expr(e, tx->args[i]);
        emit_put(e, OP_MOVE, (uint16_t)(first + i), a, 0);
    }
    BuiltinKind kind = builtin_get(tx->fn)->kind;
    e->has_row_context |= kind == BUILTIN_KIND_ROW;
    e->needs_key |= tx->fn == BUILTIN_KEY || tx->fn == BUILTIN_UUID;
    r = emit_reg(e, tx->type);
    emit_note(e, tx->span);
    Spec s = {.kind = SPEC_CALL, .fn = tx->fn, .n_args = emit_operand(e, tx->n_args),
              .type = tx->type, .arg_types = types, .call_id = tx->call_id,
              .is_in_path = tx->is_in_path};
    emit_put(e, OP_CALL, r, tx->n_args ? first : 0, emit_spec(e, s));
    return r;
}

/* As its file calls it: without the table in front. */
static Str column_name(const Emitter *e, const Tx *tx)
{
    Str name = e->table->cols[tx->col].name;
    uint32_t prefix = tx->uses_table && e->pair ? e->pair->table_name.len + 1 : 0;
    return str_slice(name, prefix, name.len - prefix);
}

static uint16_t column_place(Emitter *e, uint32_t col)
{
    if (!e->pair)
        return emit_operand(e, col);
    for (size_t i = 0; i < e->named.n; i++)
        if (e->named.ptr[i] == col)
            return emit_operand(e, i);
    vec_push(e->arena, &e->named, col);
    return emit_operand(e, e->named.n - 1);
}

static int item_cmp(const void *a, const void *b)
{
    return value_cmp(a, b);
}

/* The list of `in`, sorted, each value once. */
static Spec list(Emitter *e, const Tx *tx)
{
    Value *values = arena_array(e->arena, Value, tx->n_items);
    uint32_t n = 0;
    for (uint32_t i = 0; i < tx->n_items; i++)
        values[i] = tx->items[i];
    if (tx->n_items)
        qsort(values, tx->n_items, sizeof *values, item_cmp);
    for (uint32_t i = 0; i < tx->n_items; i++)
        if (n == 0 || value_cmp(&values[n - 1], &values[i]) != 0)
            values[n++] = values[i];
    return (Spec){.kind = SPEC_IN, .n_values = n, .values = values};
}

static uint16_t add_const(Emitter *e, Value v)
{
    vec_push(e->arena, &e->consts, v);
    return emit_operand(e, e->consts.n - 1);
}

static uint16_t fresh_expr(Emitter *e, const Tx *tx)
{
    uint16_t a, r;
    switch (tx->kind) {
    case TX_ERROR:
        break;
    case TX_CONST:
        r = emit_reg(e, tx->type);
        emit_put(e, OP_CONST, r, add_const(e, tx->value), 0);
        return r;
    case TX_COLUMN: {
        r = emit_reg(e, tx->type);
        Str column = e->note.column;
        emit_note(e, tx->span);
        e->note.column = column_name(e, tx);
        emit_put(e, OP_LOAD, r, column_place(e, tx->col), 0);
        e->note.column = column;
        return r;
    }
    case TX_UNARY: return unary(e, tx);
    case TX_BINARY: return binary(e, tx);
    case TX_WIDEN:
        a = emit_expr(e, tx->args[0]);
        r = emit_reg(e, TYPE_FLOAT);
        emit_put(e, OP_INT_TO_FLOAT, r, a, 0);
        return r;
    case TX_IN: {
        a = emit_expr(e, tx->args[0]);
        r = emit_reg(e, TYPE_BOOL);
        emit_put(e, OP_IN, r, a, emit_spec(e, list(e, tx)));
        if (!tx->is_negated)
            return r;
        a = r;
        r = emit_reg(e, TYPE_BOOL);
        emit_put(e, OP_NOT, r, a, 0);
        return r;
    }
    case TX_IF: return conditional(e, tx);
    case TX_CALL: return call(e, tx);
    case TX_CONCAT: return emit_concat(e, tx->args, tx->n_args, true);
    }
    return 0;
}

uint16_t emit_expr(Emitter *e, const Tx *tx)
{
    const Memo *known = memo_of(e, tx);
    if (known)
        return known->reg;
    Span span = e->text_span;
    uint16_t r = fresh_expr(e, tx);
    emit_note(e, span);
    vec_push(e->arena, &e->memo, ((Memo){tx, r}));
    return r;
}
