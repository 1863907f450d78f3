/* type_sqlite.c - what `read` and `write` of a database have of their own. */
#include "plan/type.h"

#include <string.h>

bool type_query(Typer *t, const Stmt *s, Pop *p)
{
    Value v;
    if (!type_constant(t, s->query, TYPE_STRING, "the query", &v))
        return false;
    p->query = v.is_null ? (Str){0} : v.s;
    if (p->query.len && !memchr(p->query.ptr, '\0', p->query.len))
        return true;
    diag_add(t->diags, E_BAD_OPTION, s->query->span, p->query.len ? "a query has no NUL byte" : "a query cannot be empty");
    return false;
}

bool type_database(Typer *t, Str path, Span span)
{
    if (!str_is(path, "stdin") && !str_is(path, "stdout") && !str_is(path, "-"))
        return true;
    diag_add(t->diags, E_BAD_OPTION, span, "a database is a file, not %.*s", STR_ARG(path));
    return false;
}

static void type_mode(Typer *t, const Stmt *s, Pop *p)
{
    const Expr *e = stmt_option(s, OPTION_WRITE_SQLITE_MODE);
    Value v;
    if (!e || !type_constant(t, e, TYPE_STRING, "the option", &v))
        return;
    if (!v.is_null && str_is(v.s, "create"))
        p->dialect.mode = TABLE_CREATE;
    else if (!v.is_null && str_is(v.s, "append"))
        p->dialect.mode = TABLE_APPEND;
    else if (!v.is_null && str_is(v.s, "replace"))
        p->dialect.mode = TABLE_REPLACE;
    else {
        Diag *d = diag_add(t->diags, E_BAD_OPTION, e->span, "there is no mode `%.*s`",
                           STR_ARG(v.is_null ? STR_LIT("null") : v.s));
        diag_help(t->diags, d, "write \"create\" (the default: an error if the table is there), \"append\" or \"replace\"");
    }
}

static bool same_but_case(Str a, Str b)
{
    bool same = a.len == b.len;
    for (uint32_t i = 0; i < a.len && same; i++) {
        char x = a.ptr[i], y = b.ptr[i];
        bool is_letter = (x >= 'A' && x <= 'Z') || (x >= 'a' && x <= 'z');
        same = x == y || (is_letter && (x ^ y) == 0x20);
    }
    return same;
}

static void check_columns(Typer *t, const Stmt *s)
{
    if (t->cols.n == 0 && !t->is_unknown)
        diag_add(t->diags, E_WRONG_TYPE, s->span, "a table of a database has at least one column");
    for (size_t i = 0; i < t->cols.n; i++)
        for (size_t k = 0; k < i; k++) {
            if (!same_but_case(t->cols.ptr[k].name, t->cols.ptr[i].name))
                continue;
            Diag *d = diag_add(t->diags, E_DUPLICATE_COLUMN, s->span, "SQLite does not tell `%.*s` from `%.*s`",
                               STR_ARG(t->cols.ptr[i].name), STR_ARG(t->cols.ptr[k].name));
            diag_help(t->diags, d, "`rename` one of them before");
        }
}

void type_write_table(Typer *t, const Stmt *s, Pop *p)
{
    if (p->expr->kind == TX_CONST)
        type_database(t, p->expr->value.s, s->path->span);
    p->expr2 = type_expr_as(t, s->table, TYPE_STRING, "the name of a table");
    if (p->expr2->needs_row) {
        Diag *d = diag_add(t->diags, E_PATH_PER_ROW, s->table->span, "the name of a table cannot depend on the row");
        diag_help(t->diags, d, "`split by` a column makes a batch of each of its values, and `{key()}` is the batch's key");
        p->expr2 = tx_error(t->arena, s->table->span);
    } else if (p->expr2->kind == TX_CONST && (p->expr2->value.is_null || p->expr2->value.s.len == 0)) {
        diag_add(t->diags, E_BAD_OPTION, s->table->span, "the name of a table cannot be empty");
    } else if (p->expr2->kind == TX_CONST && memchr(p->expr2->value.s.ptr, '\0', p->expr2->value.s.len)) {
        diag_add(t->diags, E_BAD_OPTION, s->table->span, "the name of a table has no NUL byte");
    }
    type_mode(t, s, p);
    check_columns(t, s);
}
