/* emit.c - bytecode from a typed step.
 *
 * Each node of an expression gets a register, and a node that several parents share is
 * computed once per statement (the memo). Where an operand is wanted only in some rows
 * (the right side of `and`, the branches of `if`) it is computed under a mask, and what
 * was computed there is forgotten when the mask is popped. Registers are free again when
 * their statement is done; a register keeps its type for ever.
 */
#include "code/emit.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "code/string_test.h"

#define NOTE_TEXT_MAX 80 /* bytes of source text in a message */

typedef struct Memo {
    const Tx *tx;
    uint16_t reg;
} Memo;

typedef struct Emit {
    Arena *arena;
    const Sources *sources;
    const Step *step;
    Vec(Instr) instrs;
    Vec(CodeNote) notes;
    Vec(Value) consts;
    Vec(Spec) specs;
    Vec(Type) regs;
    Vec(uint16_t) free_regs;
    Vec(uint16_t) used_regs; /* of this statement */
    Vec(Memo) memo;
    const Schema *table; /* as it is before the operation being emitted */
    CodeNote note;       /* of what is being emitted */
    Span text_span;      /* note.text was made from it */
    bool has_row_context, needs_key;
    bool is_too_large;
    const Pop *pair;       /* code of a join: table is its pair, and only the columns that are named ... */
    Vec(uint32_t) named;   /* ... are there, in the order of their first LOAD */
} Emit;

/* ---- pieces ---- */

static uint16_t operand(Emit *e, size_t n)
{
    if (n > CODE_MAX_OPERAND) {
        e->is_too_large = true;
        return 0;
    }
    return (uint16_t)n;
}

/* The source text of a span on one line. */
static Str source_line(Emit *e, Span span)
{
    Place at = sources_locate(e->sources, span.lo);
    if (!at.source || span.hi <= span.lo)
        return STR_LIT("");
    Str all = source_text(at.source);
    Str s = str_slice(all, span.lo - source_base(at.source), span.hi - span.lo);
    Buf b = {0};
    bool in_space = false;
    for (uint32_t i = 0; i < s.len && b.len < NOTE_TEXT_MAX; i++) {
        char c = s.ptr[i];
        bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!is_space && in_space)
            buf_putc(&b, ' ');
        if (!is_space)
            buf_putc(&b, c);
        in_space = is_space;
    }
    if (b.len >= NOTE_TEXT_MAX)
        buf_puts(&b, "..");
    Str out = arena_str(e->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

static void set_note(Emit *e, Span span)
{
    if (span.lo == e->text_span.lo && span.hi == e->text_span.hi)
        return;
    e->text_span = span;
    e->note.span = span;
    e->note.text = source_line(e, span);
}

static void put(Emit *e, Opcode op, uint16_t a, uint16_t b, uint16_t c)
{
    vec_push(e->arena, &e->instrs, ((Instr){(uint16_t)op, a, b, c}));
    vec_push(e->arena, &e->notes, e->note);
}

static uint16_t fresh_reg(Emit *e, Type type)
{
    uint16_t r = operand(e, e->regs.n);
    vec_push(e->arena, &e->regs, type);
    vec_push(e->arena, &e->used_regs, r);
    return r;
}

static uint16_t reg(Emit *e, Type type)
{
    for (size_t i = e->free_regs.n; i-- > 0;) {
        uint16_t r = e->free_regs.ptr[i];
        if (e->regs.ptr[r] == type) {
            e->free_regs.ptr[i] = e->free_regs.ptr[--e->free_regs.n];
            vec_push(e->arena, &e->used_regs, r);
            return r;
        }
    }
    return fresh_reg(e, type);
}

/* n registers side by side. */
static uint16_t reg_block(Emit *e, const Type *types, uint32_t n)
{
    uint16_t first = operand(e, e->regs.n);
    for (uint32_t i = 0; i < n; i++)
        fresh_reg(e, types[i]);
    return first;
}

/* A statement is done: its registers are free, its values forgotten. */
static void end_statement(Emit *e)
{
    for (size_t i = 0; i < e->used_regs.n; i++)
        vec_push(e->arena, &e->free_regs, e->used_regs.ptr[i]);
    e->used_regs.n = 0;
    e->memo.n = 0;
}

static uint16_t add_const(Emit *e, Value v)
{
    vec_push(e->arena, &e->consts, v);
    return operand(e, e->consts.n - 1);
}

static uint16_t add_spec(Emit *e, Spec s)
{
    vec_push(e->arena, &e->specs, s);
    return operand(e, e->specs.n - 1);
}

/* ---- expressions ---- */

static uint16_t expr(Emit *e, const Tx *tx);

/* May a value of it fail, or cost much, in a row where it is not wanted? */
static bool needs_mask(const Tx *tx)
{
    return tx->kind != TX_CONST && !(tx->kind == TX_COLUMN && tx->type == TYPE_STRING);
}

/* tx computed only where the mask instruction says so, by register `by`. */
static uint16_t masked(Emit *e, Opcode mask, uint16_t by, const Tx *tx)
{
    if (!needs_mask(tx))
        return expr(e, tx);
    size_t before = e->memo.n;
    put(e, mask, by, 0, 0);
    uint16_t r = expr(e, tx);
    put(e, OP_MASK_POP, 0, 0, 0);
    e->memo.n = before;
    return r;
}

/* tx as it prints, into register `to`. */
static void text_into(Emit *e, const Tx *tx, uint16_t to)
{
    uint16_t r = expr(e, tx);
    put(e, tx->type == TYPE_STRING ? OP_MOVE : OP_TO_STRING, to, r, 0);
}

static bool is_known(const Emit *e, const Tx *tx);

/* What a piece of a CONCAT is made of, where that changes its case: the CONCAT does it while it copies. */
static const Tx *cased_piece(const Emit *e, const Tx *tx)
{
    bool changes = tx->kind == TX_CALL && !tx->is_in_path && (tx->fn == BUILTIN_UPPER || tx->fn == BUILTIN_LOWER);
    return changes && !is_known(e, tx) ? tx->args[0] : NULL;
}

static uint16_t concat(Emit *e, Tx *const *args, uint32_t n, bool null_is_empty)
{
    Type *types = arena_array(e->arena, Type, n);
    for (uint32_t i = 0; i < n; i++)
        types[i] = TYPE_STRING;
    uint16_t first = reg_block(e, types, n), *cases = NULL;
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
    uint16_t r = reg(e, TYPE_STRING);
    Spec s = {.kind = SPEC_CONCAT, .n_args = operand(e, n), .null_is_empty = null_is_empty, .cases = cases};
    put(e, OP_CONCAT, r, first, add_spec(e, s));
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

static uint16_t compare(Emit *e, const Tx *tx)
{
    static const Opcode ops[4][4] = {
        {OP_EQ_INT, OP_NE_INT, OP_LT_INT, OP_LE_INT},
        {OP_EQ_FLOAT, OP_NE_FLOAT, OP_LT_FLOAT, OP_LE_FLOAT},
        {OP_EQ_STRING, OP_NE_STRING, OP_LT_STRING, OP_LE_STRING},
        {OP_EQ_BOOL, OP_NE_BOOL, OP_LT_BOOL, OP_LE_BOOL},
    };
    uint16_t a = expr(e, tx->args[0]), b = expr(e, tx->args[1]), r = reg(e, TYPE_BOOL);
    const Opcode *row = ops[storage(tx->args[0]->type)];
    bool swaps = tx->op == OPER_GT || tx->op == OPER_GE; /* a > b is b < a */
    Opcode op = tx->op == OPER_EQ   ? row[0]
                : tx->op == OPER_NE ? row[1]
                : tx->op == OPER_LT || tx->op == OPER_GT ? row[2]
                                                         : row[3];
    set_note(e, tx->span);
    put(e, op, r, swaps ? b : a, swaps ? a : b);
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

static uint16_t binary(Emit *e, const Tx *tx)
{
    uint16_t a, b, r;
    switch (tx->op) {
    case OPER_AND:
    case OPER_OR:
        a = expr(e, tx->args[0]);
        b = masked(e, tx->op == OPER_AND ? OP_MASK_NOT_FALSE : OP_MASK_NOT_TRUE, a, tx->args[1]);
        r = reg(e, TYPE_BOOL);
        put(e, tx->op == OPER_AND ? OP_AND : OP_OR, r, a, b);
        return r;
    case OPER_COALESCE:
        a = expr(e, tx->args[0]);
        b = masked(e, OP_MASK_NULL, a, tx->args[1]);
        r = reg(e, tx->type);
        put(e, OP_COALESCE, r, a, b);
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
            return concat(e, args, (uint32_t)n, false);
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
    a = expr(e, tx->args[0]);
    b = expr(e, tx->args[1]);
    r = reg(e, tx->type);
    set_note(e, tx->span);
    put(e, arithmetic(tx), r, a, b);
    return r;
}

static uint16_t unary(Emit *e, const Tx *tx)
{
    uint16_t a = expr(e, tx->args[0]), r = reg(e, tx->type);
    set_note(e, tx->span);
    switch ((int)tx->op) {
    case OPER_NEG: put(e, tx->type == TYPE_FLOAT ? OP_NEG_FLOAT : OP_NEG_INT, r, a, 0); break;
    case OPER_NOT: put(e, OP_NOT, r, a, 0); break;
    case OPER_IS_NULL: put(e, OP_IS_NULL, r, a, 0); break;
    default: put(e, OP_IS_NOT_NULL, r, a, 0); break;
    }
    return r;
}

static uint16_t conditional(Emit *e, const Tx *tx)
{
    uint16_t c = expr(e, tx->args[0]);
    uint16_t yes = masked(e, OP_MASK_TRUE, c, tx->args[1]);
    uint16_t no = masked(e, OP_MASK_NOT_TRUE, c, tx->args[2]);
    uint16_t r = reg(e, tx->type);
    put(e, OP_MOVE, r, no, 0);
    put(e, OP_SELECT, r, yes, c);
    return r;
}

static uint16_t call(Emit *e, const Tx *tx)
{
    uint16_t r;
    if (tx->fn == BUILTIN_COALESCE) {
        uint16_t a = expr(e, tx->args[0]);
        for (uint32_t i = 1; i < tx->n_args; i++) {
            uint16_t b = masked(e, OP_MASK_NULL, a, tx->args[i]);
            r = reg(e, tx->type);
            put(e, OP_COALESCE, r, a, b);
            a = r;
        }
        return a;
    }
    if (tx->fn == BUILTIN_CONCAT)
        return concat(e, tx->args, tx->n_args, false);
    if (tx->n_args == 1 && tx->args[0]->type == tx->type &&
        builtin_get(tx->fn)->group == BUILTIN_GROUP_CONVERSION)
        return expr(e, tx->args[0]); /* int(x) of an int */
    if (tx->fn == BUILTIN_TO_STRING) {
        uint16_t a = expr(e, tx->args[0]);
        r = reg(e, TYPE_STRING);
        put(e, OP_TO_STRING, r, a, 0);
        return r;
    }
    Type *types = arena_array(e->arena, Type, tx->n_args);
    for (uint32_t i = 0; i < tx->n_args; i++)
        types[i] = tx->args[i]->type;
    uint16_t first = reg_block(e, types, tx->n_args);
    for (uint32_t i = 0; i < tx->n_args; i++) {
        uint16_t a = expr(e, tx->args[i]);
        put(e, OP_MOVE, (uint16_t)(first + i), a, 0);
    }
    BuiltinKind kind = builtin_get(tx->fn)->kind;
    e->has_row_context |= kind == BUILTIN_KIND_ROW;
    e->needs_key |= tx->fn == BUILTIN_KEY || tx->fn == BUILTIN_UUID;
    r = reg(e, tx->type);
    set_note(e, tx->span);
    Spec s = {.kind = SPEC_CALL, .fn = tx->fn, .n_args = operand(e, tx->n_args),
              .type = tx->type, .arg_types = types, .call_id = tx->call_id,
              .is_in_path = tx->is_in_path};
    put(e, OP_CALL, r, tx->n_args ? first : 0, add_spec(e, s));
    return r;
}

/* As its file calls it: without the table in front. */
static Str column_name(const Emit *e, const Tx *tx)
{
    Str name = e->table->cols[tx->col].name;
    uint32_t prefix = tx->uses_table && e->pair ? e->pair->table_name.len + 1 : 0;
    return str_slice(name, prefix, name.len - prefix);
}

static uint16_t column_place(Emit *e, uint32_t col)
{
    if (!e->pair)
        return operand(e, col);
    for (size_t i = 0; i < e->named.n; i++)
        if (e->named.ptr[i] == col)
            return operand(e, i);
    vec_push(e->arena, &e->named, col);
    return operand(e, e->named.n - 1);
}

static int item_cmp(const void *a, const void *b)
{
    return value_cmp(a, b);
}

/* The list of `in`, sorted, each value once. */
static Spec list(Emit *e, const Tx *tx)
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

static uint16_t fresh_expr(Emit *e, const Tx *tx)
{
    uint16_t a, r;
    switch (tx->kind) {
    case TX_ERROR:
        break;
    case TX_CONST:
        r = reg(e, tx->type);
        put(e, OP_CONST, r, add_const(e, tx->value), 0);
        return r;
    case TX_COLUMN: {
        r = reg(e, tx->type);
        Str column = e->note.column;
        set_note(e, tx->span);
        e->note.column = column_name(e, tx);
        put(e, OP_LOAD, r, column_place(e, tx->col), 0);
        e->note.column = column;
        return r;
    }
    case TX_UNARY: return unary(e, tx);
    case TX_BINARY: return binary(e, tx);
    case TX_WIDEN:
        a = expr(e, tx->args[0]);
        r = reg(e, TYPE_FLOAT);
        put(e, OP_INT_TO_FLOAT, r, a, 0);
        return r;
    case TX_IN: {
        a = expr(e, tx->args[0]);
        r = reg(e, TYPE_BOOL);
        put(e, OP_IN, r, a, add_spec(e, list(e, tx)));
        if (!tx->is_negated)
            return r;
        a = r;
        r = reg(e, TYPE_BOOL);
        put(e, OP_NOT, r, a, 0);
        return r;
    }
    case TX_IF: return conditional(e, tx);
    case TX_CALL: return call(e, tx);
    case TX_CONCAT: return concat(e, tx->args, tx->n_args, true);
    }
    return 0;
}

/* Nodes of columns are made anew at every mention: they are the same by their column. */
static bool same_node(const Tx *a, const Tx *b)
{
    return a == b || (a->kind == TX_COLUMN && b->kind == TX_COLUMN && a->col == b->col);
}

/* Is it in a register already? */
static bool is_known(const Emit *e, const Tx *tx)
{
    for (size_t i = e->memo.n; i-- > 0;)
        if (same_node(e->memo.ptr[i].tx, tx))
            return true;
    return false;
}

static uint16_t expr(Emit *e, const Tx *tx)
{
    for (size_t i = e->memo.n; i-- > 0;)
        if (same_node(e->memo.ptr[i].tx, tx))
            return e->memo.ptr[i].reg;
    Span span = e->text_span;
    uint16_t r = fresh_expr(e, tx);
    set_note(e, span);
    vec_push(e->arena, &e->memo, ((Memo){tx, r}));
    return r;
}

/* ---- operations ---- */

static void filter(Emit *e, const Tx *tx)
{
    if (tx->kind == TX_BINARY && tx->op == OPER_AND) { /* each narrows what the next one sees */
        filter(e, tx->args[0]);
        filter(e, tx->args[1]);
        return;
    }
    Spec test;
    uint32_t col;
    set_note(e, tx->span);
    bool is_all = string_test(e->arena, tx, &test, &col);
    if (is_all || string_may_match(e->arena, tx, &test, &col)) {
        e->note.column = e->table->cols[col].name;
        put(e, OP_FILTER_STRING, operand(e, col), add_spec(e, test), 0);
        e->note.column = (Str){0};
    }
    size_t start = e->instrs.n;
    put(e, OP_FILTER, expr(e, tx), 0, 0);
    if (is_all)
        e->instrs.ptr[start - 1].c = operand(e, e->instrs.n - start);
    end_statement(e);
}

static uint16_t project(Emit *e, const uint32_t *cols, uint32_t n)
{
    uint16_t *c = arena_array(e->arena, uint16_t, n);
    for (uint32_t i = 0; i < n; i++)
        c[i] = operand(e, cols[i]);
    return add_spec(e, (Spec){.kind = SPEC_PROJECT, .n_cols = n, .cols = c});
}

/* Columns taken twice in a row are taken once. */
static void put_project(Emit *e, const uint32_t *cols, uint32_t n)
{
    const Instr *last = e->instrs.n ? &e->instrs.ptr[e->instrs.n - 1] : NULL;
    if (!last || last->op != OP_PROJECT) {
        put(e, OP_PROJECT, project(e, cols, n), 0, 0);
        return;
    }
    Spec *s = &e->specs.ptr[last->a];
    uint16_t *all = arena_array(e->arena, uint16_t, n);
    for (uint32_t i = 0; i < n; i++)
        all[i] = s->cols[cols[i]];
    s->cols = all;
    s->n_cols = n;
    e->notes.ptr[e->notes.n - 1] = e->note;
}

static void define(Emit *e, const Pop *p)
{
    e->note.column = p->out->cols[p->col].name;
    if (p->expr->kind == TX_COLUMN) { /* a copy keeps its bytes */
        uint32_t n = p->out->n_cols;
        uint32_t *cols = arena_array(e->arena, uint32_t, n);
        for (uint32_t i = 0; i < n; i++)
            cols[i] = i == p->col ? p->expr->col : i;
        put_project(e, cols, n);
    } else {
        uint16_t r = expr(e, p->expr);
        put(e, OP_DEFINE, operand(e, p->col), r, 0);
    }
    e->note.column = (Str){0};
}

static KeySpec *keys(Emit *e, const Pop *p)
{
    KeySpec *k = arena_array(e->arena, KeySpec, p->n_keys);
    for (uint32_t i = 0; i < p->n_keys; i++) {
        const Tx *v = p->keys[i].value;
        if (p->kind == POP_GROUP)
            e->note.column = p->out->cols[i].name;
        k[i].reg = expr(e, v);
        e->note.column = (Str){0};
        k[i].is_desc = p->keys[i].is_desc;
        k[i].col = v->kind == TX_COLUMN ? (int32_t)v->col : -1;
    }
    return k;
}

static void group(Emit *e, const Pop *p)
{
    KeySpec *k = keys(e, p);
    Type *key_types = arena_array(e->arena, Type, p->n_keys);
    for (uint32_t i = 0; i < p->n_keys; i++)
        key_types[i] = p->keys[i].value->type;
    AggSpec *aggs = arena_array(e->arena, AggSpec, p->n_aggs);
    for (uint32_t i = 0; i < p->n_aggs; i++) {
        const PopAgg *a = &p->aggs[i];
        Type *types = arena_array(e->arena, Type, a->n_args);
        for (uint32_t n = 0; n < a->n_args; n++)
            types[n] = a->args[n]->type;
        uint16_t first = a->n_args ? reg_block(e, types, a->n_args) : 0;
        for (uint32_t n = 0; n < a->n_args; n++) {
            e->note.column = a->name;
            uint16_t r = expr(e, a->args[n]);
            put(e, OP_MOVE, (uint16_t)(first + n), r, 0);
        }
        aggs[i] = (AggSpec){.fn = a->fn, .reg = first, .n_args = (uint16_t)a->n_args,
                            .arg_type = a->n_args ? types[0] : TYPE_NULL, .type = a->type,
                            .name = a->name};
    }
    e->note.column = (Str){0};
    Spec s = {.kind = SPEC_GROUP, .n_keys = p->n_keys, .keys = k, .arg_types = key_types,
              .n_aggs = p->n_aggs, .aggs = aggs};
    put(e, OP_GROUP, add_spec(e, s), 0, 0);
}

static Status finish(Emit *e, Str step, const Schema *in, const Schema *out, Code **code, Error *err);

static int u32_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Puts the columns that the code names in ascending order. */
static void sort_named(Emit *e)
{
    size_t n = e->named.n;
    uint32_t *sorted = arena_array(e->arena, uint32_t, n);
    uint16_t *place = arena_array(e->arena, uint16_t, n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = e->named.ptr[i];
    qsort(sorted, n, sizeof *sorted, u32_cmp);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            if (sorted[k] == e->named.ptr[i])
                place[i] = (uint16_t)k;
    for (size_t i = 0; i < e->instrs.n; i++)
        if (e->instrs.ptr[i].op == OP_LOAD)
            e->instrs.ptr[i].b = place[e->instrs.ptr[i].b];
    e->named.ptr = sorted;
}

/* Code of a join's own: a column for each of the expressions, which are over its pair of tables. */
static PartCode part(Emit *outer, const Pop *p, Tx *const *values, uint32_t n)
{
    Emit e = {.arena = outer->arena, .sources = outer->sources, .table = p->pair, .pair = p};
    uint16_t *regs = arena_array(e.arena, uint16_t, n);
    for (uint32_t i = 0; i < n; i++) {
        set_note(&e, values[i]->span);
        regs[i] = expr(&e, values[i]);
    }
    sort_named(&e);
    uint32_t n_in = (uint32_t)e.named.n;
    Schema *in = arena_new(e.arena, Schema), *out = arena_new(e.arena, Schema);
    *in = (Schema){n_in, arena_array(e.arena, SchemaCol, n_in)};
    *out = (Schema){n, arena_array(e.arena, SchemaCol, n)};
    uint16_t *cols = arena_array(e.arena, uint16_t, n_in);
    for (uint32_t i = 0; i < n_in; i++) {
        cols[i] = operand(&e, e.named.ptr[i]);
        in->cols[i] = p->pair->cols[e.named.ptr[i]];
    }
    uint32_t *made = arena_array(e.arena, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        made[i] = n_in + i;
        out->cols[i] = (SchemaCol){STR_LIT("value"), values[i]->type};
        put(&e, OP_DEFINE, operand(&e, made[i]), regs[i], 0);
    }
    put(&e, OP_PROJECT, project(&e, made, n), 0, 0);
    Code *code = NULL;
    Error err;
    if (finish(&e, p->table_name, in, out, &code, &err) != OK)
        outer->is_too_large = true;
    outer->has_row_context |= e.has_row_context;
    return (PartCode){code, n_in, cols};
}

static CodeJoin join_kind(JoinKind k)
{
    switch (k) {
    case JOIN_INNER: return CODE_JOIN_INNER;
    case JOIN_LEFT: return CODE_JOIN_LEFT;
    case JOIN_SEMI: return CODE_JOIN_SEMI;
    case JOIN_ANTI: return CODE_JOIN_ANTI;
    }
    return CODE_JOIN_INNER;
}

/* JOIN and UNION. */
static void with_table(Emit *e, const Pop *p)
{
    Spec s = {.table_name = p->table_name, .n_cols = p->n_cols, .join = join_kind(p->join)};
    const Step *step = e->step;
    uint32_t first = step_first_table(step), at = first;
    while (step->inputs[at] != p->table)
        at++;
    s.table = operand(e, at - first);
    s.schema = p->table_schema;
    uint16_t *cols = arena_array(e->arena, uint16_t, p->n_cols);
    for (uint32_t i = 0; i < p->n_cols; i++)
        cols[i] = operand(e, p->cols[i]);
    s.cols = cols;
    if (p->kind == POP_UNION) {
        s.kind = SPEC_UNION;
        put(e, OP_UNION, add_spec(e, s), 0, 0);
        return;
    }
    s.kind = SPEC_JOIN;
    s.n_keys = p->n_keys;
    s.keys = keys(e, p);
    if (p->n_keys)
        s.table_keys = part(e, p, p->table_keys, p->n_keys);
    if (p->expr2)
        s.rest = part(e, p, &(Tx *){p->expr2}, 1);
    set_note(e, p->span);
    put(e, OP_JOIN, add_spec(e, s), 0, 0);
}

static void explode(Emit *e, const Pop *p)
{
    Tx column = {.kind = TX_COLUMN, .type = TYPE_STRING, .col = p->col, .span = p->span};
    uint16_t *col = arena_array(e->arena, uint16_t, 1);
    Value *separator = arena_array(e->arena, Value, 1);
    *col = operand(e, p->col);
    *separator = p->expr->value;
    uint16_t r = expr(e, &column);
    Spec s = {.kind = SPEC_EXPLODE, .n_cols = 1, .cols = col, .n_values = 1, .values = separator};
    put(e, OP_EXPLODE, r, add_spec(e, s), 0);
}

/* The path and the name of a table in one string. */
static uint16_t table_place(Emit *e, const Pop *p)
{
    Tx *nul = arena_new(e->arena, Tx);
    *nul = (Tx){.kind = TX_CONST, .type = TYPE_STRING, .value = {.type = TYPE_STRING, .s = {"\0", 1}}, .span = p->span};
    Tx *parts[] = {p->expr, nul, p->expr2};
    return concat(e, parts, 3, false);
}

static void pop(Emit *e, const Pop *p)
{
    uint16_t r;
    set_note(e, p->span);
    switch (p->kind) {
    case POP_READ_CSV:
        put(e, OP_READ_CSV,
            add_spec(e, (Spec){.kind = SPEC_READ, .path = p->path, .dialect = p->dialect,
                               .schema = p->out}), 0, 0);
        break;
    case POP_FILES: /* generators: the runner performs them */
    case POP_SPLIT:
        break;
    case POP_RANGE:
        r = expr(e, p->expr);
        put(e, OP_RANGE, r, expr(e, p->expr2), 0);
        break;
    case POP_FILTER:
        filter(e, p->expr);
        break;
    case POP_DEFINE:
        define(e, p);
        break;
    case POP_EXPLODE:
        explode(e, p);
        break;
    case POP_EXEC:
        put(e, OP_EXEC,
            add_spec(e, (Spec){.kind = SPEC_EXEC, .n_values = p->n_argv, .values = p->argv, .in = e->table,
                               .schema = p->out}), 0, 0);
        break;
    case POP_PROJECT:
        put_project(e, p->cols, p->n_cols);
        break;
    case POP_TAKE:
        put(e, OP_TAKE, expr(e, p->expr), 0, 0);
        break;
    case POP_SKIP:
        put(e, OP_SKIP, expr(e, p->expr), 0, 0);
        break;
    case POP_SORT:
    case POP_DISTINCT: {
        Spec s = {.kind = SPEC_KEYS, .n_keys = p->n_keys, .keys = keys(e, p)};
        put(e, p->kind == POP_SORT ? OP_SORT : OP_DISTINCT, add_spec(e, s), 0, 0);
        break;
    }
    case POP_TOP: {
        r = expr(e, p->expr);
        Spec s = {.kind = SPEC_KEYS, .n_keys = p->n_keys, .keys = keys(e, p)};
        put(e, OP_TOP, r, add_spec(e, s), 0);
        break;
    }
    case POP_GROUP:
        group(e, p);
        break;
    case POP_JOIN:
    case POP_UNION:
        with_table(e, p);
        break;
    case POP_LOG:
        r = expr(e, p->expr);
        put(e, OP_LOG, r, add_spec(e, (Spec){.kind = SPEC_LOG, .per_row = p->per_row}), 0);
        break;
    case POP_ASSERT: {
        r = expr(e, p->expr);
        /* the message is wanted only where it fails */
        uint16_t message = masked(e, OP_MASK_NOT_TRUE, r, p->expr2);
        put(e, OP_ASSERT, r, message, 0);
        break;
    }
    case POP_FAIL:
        r = expr(e, p->expr);
        put(e, OP_FAIL, r, add_spec(e, (Spec){.kind = SPEC_FAIL, .is_permanent = p->is_permanent}),
            0);
        break;
    case POP_SLEEP:
        put(e, OP_SLEEP, expr(e, p->expr), 0, 0);
        break;
    case POP_WRITE_CSV: {
        r = p->expr2 ? table_place(e, p) : expr(e, p->expr);
        Spec s = {.kind = SPEC_WRITE, .dialect = p->dialect, .schema = p->out,
                  .sink = operand(e, p->sink)};
        put(e, OP_WRITE_CSV, r, add_spec(e, s), 0);
        break;
    }
    case N_POPS:
        break;
    }
    end_statement(e);
    e->table = p->out;
}

static Status finish(Emit *e, Str step, const Schema *in, const Schema *out, Code **code,
                     Error *err)
{
    put(e, OP_END, 0, 0, 0);
    if (e->is_too_large)
        return error_set(err, ERR_DATA,
                         "step `%.*s` needs more than %u columns, constants or intermediate values; "
                         "split the op",
                         STR_ARG(step), CODE_MAX_OPERAND);
    Code *c = arena_new(e->arena, Code);
    c->step = step;
    c->n_instrs = (uint32_t)e->instrs.n;
    c->instrs = e->instrs.ptr;
    c->notes = e->notes.ptr;
    c->n_consts = (uint32_t)e->consts.n;
    c->consts = e->consts.ptr;
    c->n_specs = (uint32_t)e->specs.n;
    c->specs = e->specs.ptr;
    c->n_regs = (uint32_t)e->regs.n;
    c->reg_types = e->regs.ptr;
    c->n_in = in ? in->n_cols : 0;
    c->in = in;
    c->out = out;
    c->has_row_context = e->has_row_context;
    c->needs_key = e->needs_key;
    *code = c;
    return OK;
}

Status emit_step(Arena *a, const Sources *sources, const Step *step, Code **out, Error *err)
{
    Emit e = {.arena = a, .sources = sources, .step = step, .table = step->in};
    /* A collect gets the groups of its parts merged: the table is what they make. */
    size_t first = step->hold == HOLD_GROUPS ? 1 : 0;
    for (size_t i = first; !step->is_generator && i < step->pops.n; i++)
        pop(&e, step->pops.ptr[i]);
    const Schema *in = step->pops.n && pop_is_source(step->pops.ptr[0]) ? NULL : step->in;
    Status st = finish(&e, step->name, step->is_generator ? step->out : in, step->out, out, err);
    const Pop *read = step->pops.n ? step->pops.ptr[0] : NULL;
    if (st == OK && read && read->kind == POP_READ_CSV) {
        (*out)->read = read->out;
        (*out)->read_needs = read->needed;
        (*out)->read_counts = read->is_counted;
    }
    return st;
}

Status emit_path(Arena *a, const Sources *sources, const Step *step, Code **out, Error *err)
{
    static const Schema none = {0};
    const Tx *path = step->pops.ptr[0]->expr;
    const Schema *in = path->needs_row ? step->in : &none;
    Schema *made = arena_new(a, Schema);
    made->n_cols = 1;
    made->cols = arena_array(a, SchemaCol, 1);
    made->cols[0] = (SchemaCol){STR_LIT("path"), TYPE_STRING};
    Emit e = {.arena = a, .sources = sources, .table = in};
    set_note(&e, path->span);
    put(&e, OP_DEFINE, operand(&e, in->n_cols), expr(&e, path), 0);
    put(&e, OP_PROJECT, project(&e, &in->n_cols, 1), 0, 0);
    return finish(&e, arena_printf(a, "path of %.*s", STR_ARG(step->name)), in, made, out, err);
}

Status emit_constant(Arena *a, const Sources *sources, const Tx *tx, Code **out, Error *err)
{
    static const Schema none = {0};
    Schema *made = arena_new(a, Schema);
    made->n_cols = 1;
    made->cols = arena_array(a, SchemaCol, 1);
    made->cols[0] = (SchemaCol){STR_LIT("value"), tx->type};
    Emit e = {.arena = a, .sources = sources, .table = &none};
    set_note(&e, tx->span);
    put(&e, OP_DEFINE, 0, expr(&e, tx), 0);
    return finish(&e, STR_LIT("constant"), &none, made, out, err);
}
