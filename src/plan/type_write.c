/* type_write.c - paths of files that are written, and `write`. */
#include "plan/type_stmt_int.h"

static bool has_key(const Tx *tx)
{
    bool has = tx->kind == TX_CALL && tx->fn == BUILTIN_KEY;
    for (uint32_t i = 0; i < tx->n_args && !has; i++)
        has = has_key(tx->args[i]);
    return has;
}

/* The key has `/` where levels meet, and may have any byte: escaped it is a part of one name. So is what a function takes
 * of it, that `split_part(key(), "/", 0)` may name a folder. */
static void escape_keys(Tx *tx)
{
    tx->is_in_path = tx->kind == TX_CALL && tx->type == TYPE_STRING && has_key(tx);
    for (uint32_t i = 0; i < tx->n_args && !tx->is_in_path; i++)
        escape_keys(tx->args[i]);
}

/* A path that names nothing in the rows. */
static Tx *type_path(Typer *t, const Expr *e)
{
    if (e->kind == EXPR_NAME && str_is(e->name.text, "stdout") && type_col_index(t, e->name.text) < 0)
        return tx_const(t->arena, (Value){.type = TYPE_STRING, .s = STR_LIT("stdout")}, e->span);
    if (type_unquoted_path(t, e))
        return tx_error(t->arena, e->span);
    Tx *path = type_expr_as(t, e, TYPE_STRING, "a path");
    if (path->needs_row) {
        Diag *d = diag_add(t->diags, E_PATH_PER_ROW, e->span,
                           "a path cannot depend on the row");
        diag_help(t->diags, d, "`{key()}` is the batch's key: a file per batch");
        return tx_error(t->arena, e->span);
    }
    if (path->kind == TX_CONST && (path->value.is_null || path->value.s.len == 0))
        diag_add(t->diags, E_BAD_OPTION, e->span, "a path cannot be empty");
    escape_keys(path);
    if (path->kind == TX_CONST && str_is(path->value.s, "-")) /* one name, to see two writers */
        path->value.s = STR_LIT("stdout");
    return path;
}

/* A text under a name that says it is packed is one that nobody can unpack. */
static void check_packing(Typer *t, const Tx *path, Span span)
{
    static const char *const others[] = {".bz2", ".xz", ".zip", ".7z", ".lz4", ".lzma", ".Z", ".br"};
    const Tx *end = path->kind == TX_CONCAT && path->n_args ? path->args[path->n_args - 1] : path;
    if (end->kind != TX_CONST || end->type != TYPE_STRING || end->value.is_null)
        return;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!str_ends(end->value.s, str_of(others[i])))
            continue;
        Diag *d = diag_add(t->diags, E_BAD_OPTION, span, "a file is not packed as `%s`, and would be plain text under that name",
                           others[i]);
        diag_help(t->diags, d, "end the path in `.gz` or `.zst`, or leave `%s` out", others[i]);
    }
}

Tx *type_rejects(Typer *t, const Expr *e)
{
    Tx *path = type_path(t, e);
    check_packing(t, path, e->span);
    if (path->kind == TX_CONST && !path->value.is_null && str_is(path->value.s, "stdout")) {
        Diag *d = diag_add(t->diags, E_BAD_ANNOTATION, e->span,
                           "rejected rows go to a file of their own, not to stdout");
        diag_help(t->diags, d, "for example `rejects: \"bad.csv\"`");
        return tx_error(t->arena, e->span);
    }
    return path;
}

/* `write lines` wants one column of text. */
static void check_lines(Typer *t, const Stmt *s)
{
    if (t->is_unknown || (t->cols.n == 1 && t->cols.ptr[0].type == TYPE_STRING))
        return;
    Diag *d;
    if (t->cols.n == 1)
        d = diag_add(t->diags, E_WRONG_TYPE, s->span, "`write lines` wants a string, and `%.*s` is %s",
                     STR_ARG(t->cols.ptr[0].name), type_name(t->cols.ptr[0].type));
    else
        d = diag_add(t->diags, E_WRONG_TYPE, s->span,
                     "`write lines` wants one column, a string, and this table has %zu columns", t->cols.n);
    diag_help(t->diags, d, "make the line first, for example `select line = \"{%.*s}\"`",
              STR_ARG(t->cols.n ? t->cols.ptr[0].name : STR_LIT("a")));
}

void type_write(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_WRITE_CSV, s->span);
    p->expr = type_path(t, s->path);
    p->dialect = type_write_dialect(t, s);
    if (p->dialect.format == ROWS_SQLITE)
        type_write_table(t, s, p);
    else
        check_packing(t, p->expr, s->path->span);
    if (p->dialect.format == ROWS_LINES)
        check_lines(t, s);
}
