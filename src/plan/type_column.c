/* type_column.c - statements that make, pick and name columns. */
#include "plan/type_stmt_int.h"

int32_t type_col_index(const Typer *t, Str name)
{
    return scope_find(&t->cols, name);
}

/* The column of that name, or -1 after a diagnostic (none if the table is unknown). */
int32_t type_need_col(Typer *t, Ident name)
{
    int32_t c = type_col_index(t, name.text);
    if (c >= 0 || t->is_unknown)
        return c;
    Expr e = {.kind = EXPR_NAME, .span = name.span, .name = name};
    t->wants_column = true;
    Tx *other = type_expr(t, &e);
    t->wants_column = false;
    if (other->type != TYPE_ERROR) { /* a parameter, param or let: only a column will do */
        Diag *d = diag_add(t->diags, E_UNKNOWN_COLUMN, name.span,
                           "column `%.*s` is not in this table", STR_ARG(name.text));
        diag_note(t->diags, d, "`%.*s` is a constant here, and this wants a column",
                  STR_ARG(name.text));
    }
    return -1;
}

Tx *type_column(Typer *t, Ident name, Span span)
{
    int32_t at = type_need_col(t, name);
    return at >= 0 ? tx_column(t->arena, (uint32_t)at, t->cols.ptr[at].type, span) : NULL;
}

void type_usable(Typer *t, const Tx *value, Ident name)
{
    if (value->type != TYPE_NULL)
        return;
    Diag *d = diag_add(t->diags, E_NO_TYPE, value->span,
                       "`%.*s` would have no type: a bare `null`", STR_ARG(name.text));
    diag_help(t->diags, d, "say which: `string(null)`, `int(null)`, ...");
}

/* The table after a definition. One that adds a column shares the array of the one before it: a statement with
 * thousands of them would hold as many copies. */
static const Schema *schema_with(Typer *t, uint32_t at)
{
    uint32_t n = (uint32_t)t->cols.n;
    Schema *last = t->growing, *s = arena_new(t->arena, Schema);
    bool shares = last && last->n_cols == at && n == at + 1 && t->growing_room > at;
    s->n_cols = n;
    if (!shares) {
        t->growing_room = n < 4 ? 8 : 2 * n;
        s->cols = arena_array(t->arena, SchemaCol, t->growing_room);
        for (uint32_t i = 0; i < n; i++)
            s->cols[i] = (SchemaCol){t->cols.ptr[i].name, t->cols.ptr[i].type};
    } else {
        s->cols = last->cols;
        s->cols[at] = (SchemaCol){t->cols.ptr[at].name, t->cols.ptr[at].type};
    }
    t->growing = s;
    return s;
}

/* Sets or appends a column; returns its place. */
static uint32_t define(Typer *t, PopList *pops, Ident name, Tx *value, Span span)
{
    type_usable(t, value, name);
    int32_t at = type_col_index(t, name.text);
    bool is_value = value->kind == TX_COLUMN && value->col < t->cols.n && t->cols.ptr[value->col].has_null_word;
    ScopeCol c = {.name = name.text,
                  .type = value->type == TYPE_NULL ? TYPE_ERROR : value->type,
                  .from = name.span};
    if (at < 0 && t->cols.n >= MAX_COLUMNS) {
        Diag *d = diag_add(t->diags, E_TOO_DEEP, name.span, "the table would have more than %d columns", MAX_COLUMNS);
        diag_help(t->diags, d, "put what is alike into rows: a column that names it, and one for its value");
        t->is_unknown = true;
        return 0;
    }
    if (at < 0) {
        at = (int32_t)t->cols.n;
        vec_push(t->arena, &t->cols, c);
    } else {
        t->cols.ptr[at] = c;
    }
    Pop *p = pop_new(t, pops, POP_DEFINE, span);
    p->col = (uint32_t)at;
    p->expr = value;
    p->is_value = is_value;
    p->out = schema_with(t, (uint32_t)at);
    return (uint32_t)at;
}

void type_derive(Typer *t, const Stmt *s, PopList *pops)
{
    t->growing = NULL;
    for (size_t i = 0; i < s->defs.n && !(t->is_unknown && t->cols.n >= MAX_COLUMNS); i++) {
        const Def *d = &s->defs.ptr[i];
        if (d->value)
            define(t, pops, d->name, type_expr(t, d->value), d->span);
    }
}

/* Picks columns cols[0..n) under names. */
void type_project(Typer *t, PopList *pops, Span span, const uint32_t *cols, const Ident *names,
                    uint32_t n)
{
    ScopeCols out = {0};
    Pop *p = pop_new(t, pops, POP_PROJECT, span);
    p->cols = arena_array(t->arena, uint32_t, n);
    p->n_cols = n;
    for (uint32_t i = 0; i < n; i++) {
        ScopeCol c = t->cols.ptr[cols[i]];
        if (names && names[i].text.len)
            c.name = names[i].text;
        p->cols[i] = cols[i];
        for (size_t k = 0; k < out.n; k++)
            if (str_eq(out.ptr[k].name, c.name)) {
                Span at = span; /* the new name, which may be that of the earlier one */
                if (names && (names[i].span.hi || names[k].span.hi))
                    at = names[i].span.hi ? names[i].span : names[k].span;
                Diag *d = diag_add(t->diags, E_DUPLICATE_COLUMN, at,
                                   "the table would have two columns `%.*s`", STR_ARG(c.name));
                diag_help(t->diags, d, "give one of them another name: `new = %.*s`",
                          STR_ARG(c.name));
            }
        vec_push(t->arena, &out, c);
    }
    t->cols = out;
}

/* ---- select ---- */

/* A select on its way: what each of its definitions is. */
typedef struct Picks {
    uint32_t n_in;      /* columns that were there before */
    bool has_wildcard;
    uint32_t *col;      /* [n defs] its column */
    bool *is_in_place;  /* [n defs] it stands in the place of a column that `*` stands for */
    bool *is_named;     /* [n_in] so that `*` does not stand for it */
} Picks;

/* False if one of them could not be made out. */
static bool type_picks(Typer *t, const Stmt *s, PopList *pops, Picks *k)
{
    bool ok = true;
    k->n_in = (uint32_t)t->cols.n;
    k->col = arena_array(t->arena, uint32_t, s->defs.n);
    k->is_in_place = arena_array(t->arena, bool, s->defs.n);
    k->is_named = arena_array(t->arena, bool, k->n_in + 1);
    t->growing = NULL;
    for (size_t i = 0; i < s->defs.n; i++)
        k->has_wildcard |= s->defs.ptr[i].is_wildcard;
    for (size_t i = 0; i < s->defs.n; i++) {
        const Def *d = &s->defs.ptr[i];
        int32_t at = -1;
        if (d->is_wildcard)
            continue;
        if (d->value) {
            at = (int32_t)define(t, pops, d->name, type_expr(t, d->value), d->span);
            k->is_in_place[i] = k->has_wildcard && (uint32_t)at < k->n_in;
        } else {
            at = type_need_col(t, d->name);
        }
        ok = ok && at >= 0;
        k->col[i] = at >= 0 ? (uint32_t)at : 0;
        if (at >= 0 && (uint32_t)at < k->n_in && !k->is_in_place[i])
            k->is_named[at] = true;
    }
    return ok;
}

static void project_picks(Typer *t, const Stmt *s, PopList *pops, const Picks *k)
{
    uint32_t *cols = arena_array(t->arena, uint32_t, s->defs.n + k->n_in);
    Ident *names = arena_array(t->arena, Ident, s->defs.n + k->n_in);
    uint32_t n = 0;
    for (size_t i = 0; i < s->defs.n; i++) {
        const Def *d = &s->defs.ptr[i];
        if (d->is_wildcard) {
            for (uint32_t c = 0; c < k->n_in; c++)
                if (!k->is_named[c]) {
                    names[n].span = d->span;
                    cols[n++] = c;
                }
        } else if (!k->is_in_place[i]) {
            names[n] = (Ident){t->cols.ptr[k->col[i]].name, d->name.span};
            cols[n++] = k->col[i];
        }
    }
    type_project(t, pops, s->span, cols, names, n);
}

/* select: definitions go first, under names of their own place at the end of the table, so that later
 * ones see earlier ones; then the columns are picked. `*` is every column not named otherwise, and
 * a definition of an existing column stands in that column's place under `*`. */
void type_select(Typer *t, const Stmt *s, PopList *pops)
{
    Picks k = {0};
    if (type_picks(t, s, pops, &k)) {
        project_picks(t, s, pops, &k);
        return;
    }
    /* Something was unknown: what was named is there, so that it is said once. */
    ScopeCols out = {0};
    for (size_t i = 0; i < s->defs.n; i++) {
        ScopeCol c = {.name = s->defs.ptr[i].name.text, .type = TYPE_ERROR};
        int32_t at = type_col_index(t, c.name);
        if (!s->defs.ptr[i].is_wildcard)
            vec_push(t->arena, &out, at >= 0 ? t->cols.ptr[at] : c);
    }
    for (uint32_t c = 0; k.has_wildcard && c < k.n_in; c++)
        vec_push(t->arena, &out, t->cols.ptr[c]);
    t->cols = out;
}

/* ---- drop, rename ---- */

void type_drop(Typer *t, const Stmt *s, PopList *pops)
{
    bool *gone = arena_array(t->arena, bool, t->cols.n + 1);
    for (size_t i = 0; i < s->names.n; i++) {
        int32_t at = type_need_col(t, s->names.ptr[i]);
        if (at >= 0)
            gone[at] = true;
    }
    uint32_t *cols = arena_array(t->arena, uint32_t, t->cols.n), n = 0;
    for (uint32_t c = 0; c < t->cols.n; c++)
        if (!gone[c])
            cols[n++] = c;
    type_project(t, pops, s->span, cols, NULL, n);
}

void type_rename(Typer *t, const Stmt *s, PopList *pops)
{
    uint32_t n = (uint32_t)t->cols.n;
    uint32_t *cols = arena_array(t->arena, uint32_t, n);
    Ident *names = arena_array(t->arena, Ident, n);
    for (uint32_t c = 0; c < n; c++)
        cols[c] = c;
    for (size_t i = 0; i < s->renames.n; i++) {
        int32_t at = type_need_col(t, s->renames.ptr[i].from);
        if (at >= 0)
            names[at] = s->renames.ptr[i].to;
    }
    type_project(t, pops, s->span, cols, names, n);
}
