/* type_stmt.c - the statements of an op: from Stmt to Pop, keeping the table's columns
 * up to date in t->cols. One function per statement, the larger ones in files of their own; type_body, the
 * entry, is last. */
#include "plan/type_stmt_int.h"

const Schema *scope_schema(Arena *a, const ScopeCols *cols)
{
    Schema *s = arena_new(a, Schema);
    s->n_cols = (uint32_t)cols->n;
    s->cols = arena_array(a, SchemaCol, cols->n);
    for (size_t i = 0; i < cols->n; i++)
        s->cols[i] = (SchemaCol){cols->ptr[i].name, cols->ptr[i].type};
    return s;
}

Pop *pop_new(Typer *t, PopList *pops, PopKind kind, Span span)
{
    Pop *p = arena_new(t->arena, Pop);
    p->kind = kind;
    p->span = span;
    vec_push(t->arena, pops, p);
    return p;
}

/* ---- rows ---- */

static void type_explode(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_EXPLODE, s->span);
    int32_t at = type_need_col(t, s->names.ptr[0]);
    Value v = {.type = TYPE_STRING, .s = STR_LIT(",")};
    Span span = s->exprs.n ? s->exprs.ptr[0]->span : s->span;
    if (s->exprs.n && type_constant(t, s->exprs.ptr[0], TYPE_STRING, "the separator of `explode`", &v) &&
        (v.is_null || v.s.len == 0))
        diag_add(t->diags, E_BAD_OPTION, span, "a separator has at least one byte");
    p->expr = tx_const(t->arena, v, span);
    if (at < 0)
        return;
    p->col = (uint32_t)at;
    ScopeCol *c = &t->cols.ptr[at];
    if (c->type != TYPE_STRING && c->type != TYPE_ERROR) {
        Diag *d = diag_add(t->diags, E_WRONG_TYPE, s->names.ptr[0].span, "`explode` takes strings apart, and `%.*s` is %s",
                           STR_ARG(c->name), type_name(c->type));
        diag_label(t->diags, d, c->from, "it comes from here");
    }
    *c = (ScopeCol){.name = c->name, .type = TYPE_STRING, .from = s->span};
}

/* A constant number from `least` to `most`. */
static Tx *type_whole(Typer *t, const Expr *e, const char *what, int64_t least, int64_t most)
{
    Tx *n = type_expr_as(t, e, TYPE_INT, what);
    if (n->type == TYPE_ERROR)
        return n;
    if (n->kind != TX_CONST) {
        Diag *d = diag_add(t->diags, E_NOT_CONSTANT, n->span, "%s is a constant", what);
        diag_help(t->diags, d, "write a number, a `param` or a `let`");
    } else if (n->value.is_null || n->value.i < least || n->value.i > most) {
        diag_add(t->diags, E_BAD_COUNT, n->span, "%s is %d or more", what, (int)least);
    }
    return n;
}

static void type_count(Typer *t, const Stmt *s, PopList *pops, PopKind kind)
{
    pop_new(t, pops, kind, s->span)->expr = type_whole(t, s->exprs.ptr[0], "the number of rows", 0, INT64_MAX);
}

static void type_keys(Typer *t, const SortKeyList *keys, Pop *p)
{
    p->n_keys = (uint32_t)keys->n;
    p->keys = arena_array(t->arena, PopKey, keys->n);
    for (size_t i = 0; i < keys->n; i++) {
        t->sorts = &keys->ptr[i];
        Tx *v = type_expr(t, keys->ptr[i].value);
        t->sorts = NULL;
        if (v->kind == TX_CONST && v->type != TYPE_ERROR) {
            Diag *d = diag_add(t->diags, E_CONSTANT_KEY, keys->ptr[i].span,
                               "the key is the same in every row");
            diag_help(t->diags, d, "name a column");
        }
        p->keys[i] = (PopKey){v, keys->ptr[i].is_desc};
    }
}

/* The keys of a step are columns. */
static void type_key_names(Typer *t, const Stmt *s, Pop *p)
{
    p->keys = arena_array(t->arena, PopKey, s->names.n);
    for (size_t i = 0; i < s->names.n; i++) {
        Tx *key = type_column(t, s->names.ptr[i], s->names.ptr[i].span);
        if (key)
            p->keys[p->n_keys++].value = key;
    }
}

static void type_split(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_SPLIT, s->span);
    if (s->is_into)
        p->expr = type_whole(t, s->exprs.ptr[0], "the number of parts", 1, UINT32_MAX);
    else
        type_key_names(t, s, p);
}

static void type_distinct(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_DISTINCT, s->span);
    if (s->names.n) {
        type_key_names(t, s, p);
        return;
    }
    p->keys = arena_array(t->arena, PopKey, t->cols.n);
    for (uint32_t c = 0; c < t->cols.n; c++)
        p->keys[p->n_keys++].value = tx_column(t->arena, c, t->cols.ptr[c].type, s->span);
}

/* ---- effects ---- */

static void type_log(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_LOG, s->span);
    Tx *v = type_expr(t, s->exprs.ptr[0]);
    if (v->type != TYPE_ERROR && v->type != TYPE_STRING && v->type != TYPE_NULL) /* anything that prints */
        v = tx_over(t->arena, TX_CONCAT, TYPE_STRING, v->span, &v, 1);
    p->expr = v->type == TYPE_NULL ? tx_convert(t->arena, v, TYPE_STRING) : v;
    p->per_row = v->needs_row;
}

static void type_assert(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_ASSERT, s->span);
    p->expr = type_expr_as(t, s->exprs.ptr[0], TYPE_BOOL, "the condition of `assert`");
    p->expr2 = type_expr_as(t, s->exprs.ptr[1], TYPE_STRING, "the message");
}

static void type_fail(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_FAIL, s->span);
    p->expr = type_expr_as(t, s->exprs.ptr[0], TYPE_STRING, "the message");
    p->is_permanent = s->is_permanent;
}

static void type_sleep(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_SLEEP, s->span);
    p->expr = type_expr_as(t, s->exprs.ptr[0], TYPE_DURATION, "how long to sleep");
    if (!p->expr->needs_row)
        return;
    Diag *d = diag_add(t->diags, E_NOT_CONSTANT, p->expr->span,
                       "`sleep` waits once per instance, not per row");
    diag_help(t->diags, d, "give it a duration such as `1s`, or a `param`");
}

/* ---- all of them ---- */

/* A table has at least one column. */
static void check_columns(Typer *t, const Stmt *s)
{
    if (t->cols.n || t->is_unknown || !t->has_table)
        return;
    Diag *d = diag_add(t->diags, E_NO_COLUMN, s->span, "no column is left of the table");
    if (s->kind == STMT_AGGREGATE)
        diag_help(t->diags, d, "say what to compute, for example `aggregate { n = count() }`");
    else if (s->kind == STMT_READ || s->kind == STMT_EXEC)
        diag_help(t->diags, d, "declare one at least: `schema name { column: type }`");
    else
        diag_help(t->diags, d, "keep one at least, or count the rows: `aggregate { n = count() }`");
    t->is_unknown = true;
}

static void type_by_kind(Typer *t, const Stmt *s, PopList *pops)
{
    if (s->kind == STMT_ERROR && s->keeps_columns)
        return;
    switch (s->kind) {
    case STMT_READ:
        type_read(t, s, pops);
        break;
    case STMT_RANGE:
        type_range(t, s, pops);
        break;
    case STMT_FILES:
        type_files(t, s, pops);
        break;
    case STMT_SPLIT:
        type_split(t, s, pops);
        break;
    case STMT_WHERE:
        pop_new(t, pops, POP_FILTER, s->span)->expr =
            type_expr_as(t, s->exprs.ptr[0], TYPE_BOOL, "the condition of `where`");
        break;
    case STMT_SELECT:
        type_select(t, s, pops);
        break;
    case STMT_DROP:
        type_drop(t, s, pops);
        break;
    case STMT_RENAME:
        type_rename(t, s, pops);
        break;
    case STMT_DERIVE:
        type_derive(t, s, pops);
        break;
    case STMT_EXPLODE:
        type_explode(t, s, pops);
        break;
    case STMT_EXEC:
        type_exec(t, s, pops);
        break;
    case STMT_SORT:
        type_keys(t, &s->keys, pop_new(t, pops, POP_SORT, s->span));
        break;
    case STMT_TAKE:
        type_count(t, s, pops, POP_TAKE);
        break;
    case STMT_SKIP:
        type_count(t, s, pops, POP_SKIP);
        break;
    case STMT_TOP:
        type_count(t, s, pops, POP_TOP);
        type_keys(t, &s->keys, pops->ptr[pops->n - 1]);
        break;
    case STMT_DISTINCT:
        type_distinct(t, s, pops);
        break;
    case STMT_GROUP:
    case STMT_AGGREGATE:
        type_group(t, s, pops);
        break;
    case STMT_JOIN:
        type_join(t, s, pops);
        break;
    case STMT_UNION:
        type_union(t, s, pops);
        break;
    case STMT_LOG:
        type_log(t, s, pops);
        break;
    case STMT_ASSERT:
        type_assert(t, s, pops);
        break;
    case STMT_FAIL:
        type_fail(t, s, pops);
        break;
    case STMT_SLEEP:
        type_sleep(t, s, pops);
        break;
    case STMT_WRITE:
        type_write(t, s, pops);
        break;
    case STMT_ERROR:
    case N_STMTS: /* none of these is available */
        t->is_unknown = true;
        t->cols = (ScopeCols){0};
        break;
    }
    for (size_t i = 0; i < pops->n; i++)
        if (!pops->ptr[i]->out)
            pops->ptr[i]->out = scope_schema(t->arena, &t->cols);
}

static void type_statement(Typer *t, const Stmt *s, PopList *pops)
{
    uint32_t n_errors = t->diags->n_errors;
    type_by_kind(t, s, pops);
    if (t->diags->n_errors == n_errors)
        check_columns(t, s);
}

void type_body(Typer *t, const StmtList *body, PopList *pops)
{
    for (size_t i = 0; i < body->n; i++)
        type_statement(t, body->ptr[i], pops);
}
