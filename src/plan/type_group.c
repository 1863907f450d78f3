/* type_group.c - `group by` and `aggregate`. */
#include "plan/type_stmt_int.h"

static void type_group_keys(Typer *t, const Stmt *s, Pop *p, ScopeCols *keys)
{
    p->keys = arena_array(t->arena, PopKey, s->defs.n);
    for (size_t i = 0; i < s->defs.n; i++) {
        const Def *d = &s->defs.ptr[i];
        Tx *v;
        if (d->value) {
            v = type_expr(t, d->value);
            type_usable(t, v, d->name);
        } else {
            Tx *column = type_column(t, d->name, d->span);
            v = column ? column : tx_error(t->arena, d->span);
        }
        p->keys[p->n_keys++].value = v;
        ScopeCol c = {.name = d->name.text, .type = v->type, .from = d->name.span};
        vec_push(t->arena, keys, c);
    }
}

/* A line may have the name of a key only if it is that key. */
static void check_line_name(Typer *t, const ScopeCols *keys, const Def *d, const Tx *line)
{
    int32_t key = scope_find(keys, d->name.text);
    if (key < 0 || (line->kind == TX_COLUMN && line->col == (uint32_t)key))
        return;
    Diag *g = diag_add(t->diags, E_DUPLICATE_COLUMN, d->name.span,
                       "the table would have two columns `%.*s`", STR_ARG(d->name.text));
    diag_label(t->diags, g, keys->ptr[key].from, "the key of that name");
}

/* Fills lines and aggs. True if each line is one aggregate, and then that has the line's name. */
static bool type_group_lines(Typer *t, const Stmt *s, ScopeCols *keys, AggList *aggs, Tx **lines)
{
    bool is_plain = true, is_torn = false;
    t->keys = keys;
    t->aggs = aggs;
    t->group = s;
    for (size_t i = 0; i < s->aggs.n; i++) {
        const Def *d = &s->aggs.ptr[i];
        size_t before = aggs->n;
        if (!d->value) { /* a line that did not read, and that has been said */
            is_torn = true;
            lines[i] = tx_error(t->arena, d->span);
            continue;
        }
        lines[i] = type_expr(t, d->value);
        type_usable(t, lines[i], d->name);
        bool is_one = aggs->n == before + 1 && lines[i]->kind == TX_COLUMN &&
                      lines[i]->col == keys->n + before;
        if (is_one)
            aggs->ptr[before].name = d->name.text;
        is_plain = is_plain && is_one;
        check_line_name(t, keys, d, lines[i]);
    }
    t->keys = NULL;
    t->aggs = NULL;
    t->group = NULL;
    t->is_unknown |= is_torn;
    return is_plain;
}

/* Makes the lines of keys and aggregates, which are the table here. */
static void compute_lines(Typer *t, const Stmt *s, PopList *pops, uint32_t n_keys, Tx *const *lines)
{
    uint32_t n = (uint32_t)s->aggs.n;
    uint32_t *cols = arena_array(t->arena, uint32_t, n_keys + n);
    Ident *names = arena_array(t->arena, Ident, n_keys + n);
    for (uint32_t k = 0; k < n_keys; k++)
        cols[k] = k;
    for (uint32_t i = 0; i < n; i++) {
        const Def *d = &s->aggs.ptr[i];
        names[n_keys + i] = d->name;
        if (lines[i]->kind == TX_COLUMN) {
            cols[n_keys + i] = lines[i]->col;
            continue;
        }
        Pop *def = pop_new(t, pops, POP_DEFINE, d->span);
        def->col = (uint32_t)t->cols.n;
        def->expr = lines[i];
        cols[n_keys + i] = def->col;
        vec_push(t->arena, &t->cols,
                 ((ScopeCol){.name = d->name.text, .type = lines[i]->type, .from = d->name.span}));
        def->out = scope_schema(t->arena, &t->cols);
    }
    type_project(t, pops, s->span, cols, names, n_keys + n);
}

/* group by, aggregate: GROUP makes keys and aggregates; where a line is more than one aggregate
 * (sum(x) / count()), DEFINE and PROJECT compute it from them. */
void type_group(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_GROUP, s->span);
    ScopeCols keys = {0};
    AggList aggs = {0};
    Tx **lines = arena_array(t->arena, Tx *, s->aggs.n);
    type_group_keys(t, s, p, &keys);
    bool is_plain = type_group_lines(t, s, &keys, &aggs, lines);
    p->n_aggs = (uint32_t)aggs.n;
    p->aggs = aggs.ptr;
    t->cols = keys;
    for (size_t i = 0; i < aggs.n; i++) {
        ScopeCol c = {.name = aggs.ptr[i].name, .type = aggs.ptr[i].type, .from = aggs.ptr[i].span};
        vec_push(t->arena, &t->cols, c);
    }
    if (is_plain)
        return;
    p->out = scope_schema(t->arena, &t->cols);
    compute_lines(t, s, pops, (uint32_t)keys.n, lines);
}
