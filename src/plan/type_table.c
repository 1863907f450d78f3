/* type_table.c - join and union: statements with a second table. */
#include "plan/type.h"

static const TableArg *table_of(Typer *t, const Stmt *s)
{
    return t->tables ? map_get(t->tables, s->table_name.text) : NULL;
}

/* The table is not known: nor is what comes out. */
static void lose_table(Typer *t)
{
    t->is_unknown = true;
}

/* ---- join ---- */

/* The parts of a condition that `and` joins, in order. */
typedef Vec(Tx *) TxList;
static void split_and(Typer *t, Tx *tx, TxList *out)
{
    if (tx->kind == TX_BINARY && tx->op == OPER_AND) {
        split_and(t, tx->args[0], out);
        split_and(t, tx->args[1], out);
    } else {
        vec_push(t->arena, out, tx);
    }
}

/* NULL for no parts. */
static Tx *joined_by_and(Typer *t, const TxList *parts)
{
    Tx *all = parts->n ? parts->ptr[0] : NULL;
    for (size_t i = 1; i < parts->n; i++) {
        Tx *args[2] = {all, parts->ptr[i]};
        Span span = {all->span.lo, parts->ptr[i]->span.hi};
        all = tx_over(t->arena, TX_BINARY, TYPE_BOOL, span, args, 2);
        all->op = OPER_AND;
    }
    return all;
}

/* The column, if that is all it is: as a float, too. */
static const Tx *plain_column(const Tx *tx)
{
    if (tx->kind == TX_WIDEN)
        tx = tx->args[0];
    return tx->kind == TX_COLUMN ? tx : NULL;
}

/* An equation between the two tables: sides in the order left, table. */
static bool is_equation(const Tx *tx, Tx **left, Tx **table)
{
    if (tx->kind != TX_BINARY || tx->op != OPER_EQ)
        return false;
    bool swaps = tx->args[0]->uses_table;
    *left = tx->args[swaps];
    *table = tx->args[!swaps];
    return !(*left)->uses_table && (*table)->uses_table && !(*table)->uses_left &&
           !(*table)->needs_batch;
}

/* Equations become keys; the rest of the condition is left to be looked at pair by pair. What follows
 * such a rest may rely on it (`b != 0 and a // b == T.x`), so there only plain columns become keys. */
static void split_condition(Typer *t, Pop *p)
{
    TxList parts = {0}, rest = {0};
    split_and(t, p->expr, &parts);
    p->keys = arena_array(t->arena, PopKey, parts.n);
    p->table_keys = arena_array(t->arena, Tx *, parts.n);
    for (size_t i = 0; i < parts.n; i++) {
        Tx *tx = parts.ptr[i], *left, *table;
        if (is_equation(tx, &left, &table) &&
            (rest.n == 0 || (plain_column(left) && plain_column(table)))) {
            p->table_keys[p->n_keys] = table;
            p->keys[p->n_keys++].value = left;
        } else if (!(tx->kind == TX_CONST && !tx->value.is_null && tx->value.i)) {
            vec_push(t->arena, &rest, tx);
        }
    }
    p->expr2 = joined_by_and(t, &rest);
}

/* Columns of the table that the condition equates to a left one: [table->cols.n]. */
static bool *equated(Typer *t, const Pop *p, const TableArg *table)
{
    bool *is = arena_array(t->arena, bool, table->cols.n + 1);
    for (uint32_t i = 0; i < p->n_keys; i++) {
        const Tx *l = plain_column(p->keys[i].value), *r = plain_column(p->table_keys[i]);
        if (l && r)
            is[r->col - t->cols.n] = true;
    }
    return is;
}

/* name, or name_2, name_3, ... whichever is free. */
static Str free_name(Typer *t, Str name)
{
    Str got = name;
    for (uint32_t n = 2; scope_find(&t->cols, got) >= 0; n++)
        got = arena_printf(t->arena, "%.*s_%u", STR_ARG(name), n);
    return got;
}

static const Schema *pair_schema(Typer *t, const TableArg *table)
{
    Schema *s = arena_new(t->arena, Schema);
    uint32_t n_left = (uint32_t)t->cols.n;
    s->n_cols = n_left + (uint32_t)table->cols.n;
    s->cols = arena_array(t->arena, SchemaCol, s->n_cols);
    for (uint32_t i = 0; i < s->n_cols; i++) {
        const ScopeCol *c = i < n_left ? &t->cols.ptr[i] : &table->cols.ptr[i - n_left];
        s->cols[i] = (SchemaCol){c->name, c->type};
        if (i >= n_left)
            s->cols[i].name =
                arena_printf(t->arena, "%.*s.%.*s", STR_ARG(table->name), STR_ARG(c->name));
    }
    return s;
}

void type_join(Typer *t, const Stmt *s, PopList *pops)
{
    const TableArg *table = table_of(t, s);
    if (!table) {
        lose_table(t);
        return;
    }
    Pop *p = pop_new(t, pops, POP_JOIN, s->span);
    p->table = table->step;
    p->table_name = table->name;
    p->table_schema = scope_schema(t->arena, &table->cols);
    p->join = s->join;
    p->pair = pair_schema(t, table);
    t->joined = table;
    p->expr = table->is_unknown ? type_expr(t, s->exprs.ptr[0]) /* that there is no such table has been said */
                                : type_expr_as(t, s->exprs.ptr[0], TYPE_BOOL, "the condition of `join`");
    t->joined = NULL;
    split_condition(t, p);
    if (s->join == JOIN_SEMI || s->join == JOIN_ANTI)
        return;
    bool *is_gone = equated(t, p, table);
    p->cols = arena_array(t->arena, uint32_t, table->cols.n);
    for (uint32_t c = 0; c < table->cols.n; c++) {
        if (is_gone[c])
            continue;
        ScopeCol col = table->cols.ptr[c];
        col.name = free_name(t, col.name);
        p->cols[p->n_cols++] = c;
        vec_push(t->arena, &t->cols, col);
    }
    if (table->is_unknown)
        lose_table(t);
}

/* ---- union ---- */

static void put_column(Buf *b, Str name, const char *type)
{
    buf_printf(b, "%s`%.*s`", b->len ? ", " : "", STR_ARG(name));
    if (type)
        buf_printf(b, " (%s)", type);
}

/* What keeps the two from being one table, said in one message. */
static void report_difference(Typer *t, const Stmt *s, const TableArg *table)
{
    Buf left = {0}, right = {0}, types = {0};
    Span from_left = {0}, from_right = table->from;
    for (size_t i = 0; i < t->cols.n; i++) {
        const ScopeCol *c = &t->cols.ptr[i];
        int32_t at = scope_find(&table->cols, c->name);
        const ScopeCol *other = at >= 0 ? &table->cols.ptr[at] : NULL;
        from_left = from_left.hi ? from_left : c->from;
        if (!other) {
            put_column(&left, c->name, NULL);
        } else if (other->type != c->type) {
            buf_printf(&types, "%s`%.*s` is %s here and %s in `%.*s`", types.len ? ", " : "",
                       STR_ARG(c->name), type_name(c->type), type_name(other->type),
                       STR_ARG(table->name));
            from_left = c->from;
            from_right = other->from;
        }
    }
    for (size_t i = 0; i < table->cols.n; i++)
        if (scope_find(&t->cols, table->cols.ptr[i].name) < 0)
            put_column(&right, table->cols.ptr[i].name, NULL);
    Diag *d = diag_add(t->diags, E_UNION_COLUMNS, s->table_name.span,
                       "`%.*s` has not the same columns as the table here", STR_ARG(table->name));
    if (left.len)
        diag_note(t->diags, d, "only here: %.*s", STR_ARG(buf_str(&left)));
    if (right.len)
        diag_note(t->diags, d, "only in `%.*s`: %.*s", STR_ARG(table->name), STR_ARG(buf_str(&right)));
    if (types.len)
        diag_note(t->diags, d, "%.*s", STR_ARG(buf_str(&types)));
    if (from_left.hi)
        diag_label(t->diags, d, from_left, "this table comes from here");
    if (from_right.hi)
        diag_label(t->diags, d, from_right, "`%.*s` comes from here", STR_ARG(table->name));
    if (types.len && !left.len && !right.len)
        diag_help(t->diags, d, "convert one of them before, for example with `derive x = string(x)`");
    else
        diag_help(t->diags, d, "make them alike before, with `select`, `drop`, `rename` or `derive`");
    buf_deinit(&left);
    buf_deinit(&right);
    buf_deinit(&types);
}

static bool is_number(Type t)
{
    return t == TYPE_INT || t == TYPE_FLOAT;
}

void type_union(Typer *t, const Stmt *s, PopList *pops)
{
    const TableArg *table = table_of(t, s);
    if (!table || table->is_unknown || t->is_unknown) {
        lose_table(t);
        return;
    }
    uint32_t n = (uint32_t)t->cols.n;
    uint32_t *cols = arena_array(t->arena, uint32_t, n);
    bool ok = n == table->cols.n, is_silent = false;
    for (uint32_t i = 0; i < n; i++) {
        ScopeCol *c = &t->cols.ptr[i];
        int32_t at = scope_find(&table->cols, c->name);
        Type other = at >= 0 ? table->cols.ptr[at].type : TYPE_ERROR;
        cols[i] = at >= 0 ? (uint32_t)at : 0;
        is_silent |= c->type == TYPE_ERROR || (at >= 0 && other == TYPE_ERROR);
        ok = ok && at >= 0 && (other == c->type || (is_number(other) && is_number(c->type)));
    }
    if (is_silent)
        return;
    if (!ok) {
        report_difference(t, s, table);
        return;
    }
    Pop *p = pop_new(t, pops, POP_UNION, s->span);
    p->table = table->step;
    p->table_name = table->name;
    p->table_schema = scope_schema(t->arena, &table->cols);
    p->cols = cols;
    p->n_cols = n;
    for (uint32_t i = 0; i < n; i++) { /* of int and float: float, and the odd value is not explained */
        ScopeCol *c = &t->cols.ptr[i];
        if (table->cols.ptr[cols[i]].type == c->type)
            continue;
        c->type = TYPE_FLOAT;
        c->seen = NULL;
    }
}
