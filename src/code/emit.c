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

#include "code/emitter.h"
#include "code/string_test.h"

static void filter(Emitter *e, const Tx *tx)
{
    if (tx->kind == TX_BINARY && tx->op == OPER_AND) { /* each narrows what the next one sees */
        filter(e, tx->args[0]);
        filter(e, tx->args[1]);
        return;
    }
    Spec test;
    uint32_t col;
    emit_note(e, tx->span);
    bool is_all = string_test(e->arena, tx, &test, &col);
    if (is_all || string_may_match(e->arena, tx, &test, &col)) {
        e->note.column = e->table->cols[col].name;
        emit_put(e, OP_FILTER_STRING, emit_operand(e, col), emit_spec(e, test), 0);
        e->note.column = (Str){0};
    }
    size_t start = e->instrs.n;
    emit_put(e, OP_FILTER, emit_expr(e, tx), 0, 0);
    if (is_all)
        e->instrs.ptr[start - 1].c = emit_operand(e, e->instrs.n - start);
    emit_end_statement(e);
}

static uint16_t project(Emitter *e, const uint32_t *cols, uint32_t n)
{
    uint16_t *c = arena_array(e->arena, uint16_t, n);
    for (uint32_t i = 0; i < n; i++)
        c[i] = emit_operand(e, cols[i]);
    return emit_spec(e, (Spec){.kind = SPEC_PROJECT, .n_cols = n, .cols = c});
}

/* Columns taken twice in a row are taken once. */
static void put_project(Emitter *e, const uint32_t *cols, uint32_t n)
{
    const Instr *last = e->instrs.n ? &e->instrs.ptr[e->instrs.n - 1] : NULL;
    if (!last || last->op != OP_PROJECT) {
        emit_put(e, OP_PROJECT, project(e, cols, n), 0, 0);
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

static void define(Emitter *e, const Pop *p)
{
    e->note.column = p->out->cols[p->col].name;
    if (p->expr->kind == TX_COLUMN && !p->is_value) { /* a copy keeps its bytes */
        uint32_t n = p->out->n_cols;
        uint32_t *cols = arena_array(e->arena, uint32_t, n);
        for (uint32_t i = 0; i < n; i++)
            cols[i] = i == p->col ? p->expr->col : i;
        put_project(e, cols, n);
    } else {
        uint16_t r = emit_expr(e, p->expr);
        emit_put(e, OP_DEFINE, emit_operand(e, p->col), r, 0);
    }
    e->note.column = (Str){0};
}

static KeySpec *keys(Emitter *e, const Pop *p)
{
    KeySpec *k = arena_array(e->arena, KeySpec, p->n_keys);
    for (uint32_t i = 0; i < p->n_keys; i++) {
        const Tx *v = p->keys[i].value;
        if (p->kind == POP_GROUP)
            e->note.column = p->out->cols[i].name;
        k[i].reg = emit_expr(e, v);
        e->note.column = (Str){0};
        k[i].is_desc = p->keys[i].is_desc;
        k[i].col = v->kind == TX_COLUMN ? (int32_t)v->col : -1;
    }
    return k;
}

static void group(Emitter *e, const Pop *p)
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
        uint16_t first = a->n_args ? emit_reg_block(e, types, a->n_args) : 0;
        for (uint32_t n = 0; n < a->n_args; n++) {
            e->note.column = a->name;
            uint16_t r = emit_expr(e, a->args[n]);
            emit_put(e, OP_MOVE, (uint16_t)(first + n), r, 0);
        }
        aggs[i] = (AggSpec){.fn = a->fn, .reg = first, .n_args = (uint16_t)a->n_args,
                            .arg_type = a->n_args ? types[0] : TYPE_NULL, .type = a->type,
                            .name = a->name};
    }
    e->note.column = (Str){0};
    Spec s = {.kind = SPEC_GROUP, .n_keys = p->n_keys, .keys = k, .arg_types = key_types,
              .n_aggs = p->n_aggs, .aggs = aggs};
    emit_put(e, OP_GROUP, emit_spec(e, s), 0, 0);
}

static int u32_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Puts the columns that the code names in ascending order. */
static void sort_named(Emitter *e)
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
static PartCode part(Emitter *outer, const Pop *p, Tx *const *values, uint32_t n)
{
    Emitter e = {.arena = outer->arena, .sources = outer->sources, .table = p->pair, .pair = p};
    uint16_t *regs = arena_array(e.arena, uint16_t, n);
    for (uint32_t i = 0; i < n; i++) {
        emit_note(&e, values[i]->span);
        regs[i] = emit_expr(&e, values[i]);
    }
    sort_named(&e);
    uint32_t n_in = (uint32_t)e.named.n;
    Schema *in = arena_new(e.arena, Schema), *out = arena_new(e.arena, Schema);
    *in = (Schema){n_in, arena_array(e.arena, SchemaCol, n_in)};
    *out = (Schema){n, arena_array(e.arena, SchemaCol, n)};
    uint16_t *cols = arena_array(e.arena, uint16_t, n_in);
    for (uint32_t i = 0; i < n_in; i++) {
        cols[i] = emit_operand(&e, e.named.ptr[i]);
        in->cols[i] = p->pair->cols[e.named.ptr[i]];
    }
    uint32_t *made = arena_array(e.arena, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        made[i] = n_in + i;
        out->cols[i] = (SchemaCol){STR_LIT("value"), values[i]->type};
        emit_put(&e, OP_DEFINE, emit_operand(&e, made[i]), regs[i], 0);
    }
    emit_put(&e, OP_PROJECT, project(&e, made, n), 0, 0);
    Code *code = NULL;
    Error err;
    if (emit_finish(&e, p->table_name, in, out, &code, &err) != OK)
        outer->is_too_large = true, outer->too_large_at = e.too_large_at;
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
static void with_table(Emitter *e, const Pop *p)
{
    Spec s = {.table_name = p->table_name, .n_cols = p->n_cols, .join = join_kind(p->join)};
    const Step *step = e->step;
    uint32_t first = step_first_table(step), at = first;
    while (step->inputs[at] != p->table)
        at++;
    s.table = emit_operand(e, at - first);
    s.schema = p->table_schema;
    uint16_t *cols = arena_array(e->arena, uint16_t, p->n_cols);
    for (uint32_t i = 0; i < p->n_cols; i++)
        cols[i] = emit_operand(e, p->cols[i]);
    s.cols = cols;
    if (p->kind == POP_UNION) {
        s.kind = SPEC_UNION;
        emit_put(e, OP_UNION, emit_spec(e, s), 0, 0);
        return;
    }
    s.kind = SPEC_JOIN;
    s.n_keys = p->n_keys;
    s.keys = keys(e, p);
    if (p->n_keys)
        s.table_keys = part(e, p, p->table_keys, p->n_keys);
    if (p->expr2)
        s.rest = part(e, p, &(Tx *){p->expr2}, 1);
    emit_note(e, p->span);
    emit_put(e, OP_JOIN, emit_spec(e, s), 0, 0);
}

static void explode(Emitter *e, const Pop *p)
{
    Tx column = {.kind = TX_COLUMN, .type = TYPE_STRING, .col = p->col, .span = p->span};
    uint16_t *col = arena_array(e->arena, uint16_t, 1);
    Value *separator = arena_array(e->arena, Value, 1);
    *col = emit_operand(e, p->col);
    *separator = p->expr->value;
    uint16_t r = emit_expr(e, &column);
    Spec s = {.kind = SPEC_EXPLODE, .n_cols = 1, .cols = col, .n_values = 1, .values = separator};
    emit_put(e, OP_EXPLODE, r, emit_spec(e, s), 0);
}

/* The path and the name of a table in one string. */
static uint16_t table_place(Emitter *e, const Pop *p)
{
    Tx *nul = arena_new(e->arena, Tx);
    *nul = (Tx){.kind = TX_CONST, .type = TYPE_STRING, .value = {.type = TYPE_STRING, .s = {"\0", 1}}, .span = p->span};
    Tx *parts[] = {p->expr, nul, p->expr2};
    return emit_concat(e, parts, 3, false);
}

static void read_csv(Emitter *e, const Pop *p)
{
    Spec s = {.kind = SPEC_READ, .path = p->path, .dialect = p->dialect, .schema = p->out};
    emit_put(e, OP_READ_CSV, emit_spec(e, s), 0, 0);
}

static void write_csv(Emitter *e, const Pop *p)
{
    uint16_t r = p->expr2 ? table_place(e, p) : emit_expr(e, p->expr);
    Spec s = {.kind = SPEC_WRITE, .dialect = p->dialect, .schema = p->out, .sink = emit_operand(e, p->sink)};
    emit_put(e, OP_WRITE_CSV, r, emit_spec(e, s), 0);
}

static void exec(Emitter *e, const Pop *p)
{
    Spec s = {.kind = SPEC_EXEC, .n_values = p->n_argv, .values = p->argv, .in = e->table, .schema = p->out};
    emit_put(e, OP_EXEC, emit_spec(e, s), 0, 0);
}

static uint16_t key_spec(Emitter *e, const Pop *p)
{
    Spec s = {.kind = SPEC_KEYS, .n_keys = p->n_keys, .keys = keys(e, p)};
    return emit_spec(e, s);
}

/* The message is wanted only where it fails. */
static void assertion(Emitter *e, const Pop *p)
{
    uint16_t r = emit_expr(e, p->expr);
    uint16_t message = emit_masked(e, OP_MASK_NOT_TRUE, r, p->expr2);
    emit_put(e, OP_ASSERT, r, message, 0);
}

static void pop(Emitter *e, const Pop *p)
{
    uint16_t r;
    emit_note(e, p->span);
    switch (p->kind) {
    case POP_FILES: /* generators: the runner performs them */
    case POP_SPLIT: break;
    case POP_READ_CSV: read_csv(e, p); break;
    case POP_RANGE:
        r = emit_expr(e, p->expr);
        emit_put(e, OP_RANGE, r, emit_expr(e, p->expr2), 0);
        break;
    case POP_FILTER: filter(e, p->expr); break;
    case POP_DEFINE: define(e, p); break;
    case POP_EXPLODE: explode(e, p); break;
    case POP_EXEC: exec(e, p); break;
    case POP_PROJECT: put_project(e, p->cols, p->n_cols); break;
    case POP_TAKE: emit_put(e, OP_TAKE, emit_expr(e, p->expr), 0, 0); break;
    case POP_SKIP: emit_put(e, OP_SKIP, emit_expr(e, p->expr), 0, 0); break;
    case POP_SORT: emit_put(e, OP_SORT, key_spec(e, p), 0, 0); break;
    case POP_DISTINCT: emit_put(e, OP_DISTINCT, key_spec(e, p), 0, 0); break;
    case POP_TOP:
        r = emit_expr(e, p->expr);
        emit_put(e, OP_TOP, r, key_spec(e, p), 0);
        break;
    case POP_GROUP: group(e, p); break;
    case POP_JOIN:
    case POP_UNION: with_table(e, p); break;
    case POP_LOG:
        r = emit_expr(e, p->expr);
        emit_put(e, OP_LOG, r, emit_spec(e, (Spec){.kind = SPEC_LOG, .per_row = p->per_row}), 0);
        break;
    case POP_ASSERT: assertion(e, p); break;
    case POP_FAIL:
        r = emit_expr(e, p->expr);
        emit_put(e, OP_FAIL, r, emit_spec(e, (Spec){.kind = SPEC_FAIL, .is_permanent = p->is_permanent}), 0);
        break;
    case POP_SLEEP: emit_put(e, OP_SLEEP, emit_expr(e, p->expr), 0, 0); break;
    case POP_WRITE_CSV: write_csv(e, p); break;
    case N_POPS: break;
    }
    emit_end_statement(e);
    e->table = p->out;
}

Status emit_step(Arena *a, const Sources *sources, const Step *step, Code **out, Error *err)
{
    Emitter e = {.arena = a, .sources = sources, .step = step, .table = step->in};
    /* A collect gets the groups of its parts merged: the table is what they make. */
    size_t first = step->hold == HOLD_GROUPS ? 1 : 0;
    for (size_t i = first; !step->is_generator && i < step->pops.n; i++)
        pop(&e, step->pops.ptr[i]);
    const Schema *in = step->pops.n && pop_is_source(step->pops.ptr[0]) ? NULL : step->in;
    Status st = emit_finish(&e, step->name, step->is_generator ? step->out : in, step->out, out, err);
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
    Emitter e = {.arena = a, .sources = sources, .table = in};
    emit_note(&e, path->span);
    emit_put(&e, OP_DEFINE, emit_operand(&e, in->n_cols), emit_expr(&e, path), 0);
    emit_put(&e, OP_PROJECT, project(&e, &in->n_cols, 1), 0, 0);
    return emit_finish(&e, arena_printf(a, "path of %.*s", STR_ARG(step->name)), in, made, out, err);
}

Status emit_constant(Arena *a, const Sources *sources, const Tx *tx, Code **out, Error *err)
{
    static const Schema none = {0};
    Schema *made = arena_new(a, Schema);
    made->n_cols = 1;
    made->cols = arena_array(a, SchemaCol, 1);
    made->cols[0] = (SchemaCol){STR_LIT("value"), tx->type};
    Emitter e = {.arena = a, .sources = sources, .table = &none};
    emit_note(&e, tx->span);
    emit_put(&e, OP_DEFINE, 0, emit_expr(&e, tx), 0);
    return emit_finish(&e, STR_LIT("constant"), &none, made, out, err);
}
