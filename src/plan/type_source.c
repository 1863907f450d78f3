/* type_source.c - sources that are no file, `range` and `files`; and how many rows make a batch. */
#include "plan/type_stmt_int.h"

/* `batch N`, `batch 64kB`, `batch auto`. */
void type_batch(Typer *t, const Expr *e, Pop *p)
{
    if (!e)
        return;
    p->batch = BATCH_AUTO;
    if (e->kind == EXPR_AUTO)
        return;
    Value v;
    if (!type_constant(t, e, TYPE_ERROR, "the size of a batch", &v))
        return;
    if (v.type == TYPE_INT && !v.is_null && v.i > 0) {
        p->batch = BATCH_ROWS;
    } else if (v.type == TYPE_SIZE && !v.is_null && v.i > 0 && p->kind == POP_READ_CSV) {
        p->batch = BATCH_BYTES;
    } else {
        Diag *d = diag_add(t->diags, E_BAD_BATCH, e->span, "a batch is a number of rows above 0%s",
                 p->kind == POP_READ_CSV ? ", a size such as `64kB`, or `auto`" : "");
        if (v.type == TYPE_STRING && str_is(v.s, "auto") && p->kind == POP_READ_CSV) {
            diag_help(t->diags, d, "write `auto` without quotes");
            diag_fix_certain(t->diags, d, e->span, STR_LIT("auto"));
        }
        return;
    }
    p->batch_n = (uint64_t)v.i;
}

void type_range(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_RANGE, s->span);
    Tx *ends[2];
    t->has_table = t->has_table && t->cols.n > 0;
    for (int i = 0; i < 2; i++) {
        ends[i] = type_expr_as(t, s->exprs.ptr[i], TYPE_INT, "an end of a range");
        if (ends[i]->type != TYPE_ERROR && ends[i]->kind != TX_CONST)
            diag_add(t->diags, E_NOT_CONSTANT, s->exprs.ptr[i]->span,
                     "an end of a range is a constant");
    }
    p->expr = ends[0];
    p->expr2 = ends[1];
    t->cols = (ScopeCols){0};
    t->has_table = true;
    t->is_unknown = false;
    vec_push(t->arena, &t->cols,
             ((ScopeCol){.name = STR_LIT("value"), .type = TYPE_INT, .from = s->span}));
    type_batch(t, s->batch, p);
}

/* A constant that files match. */
static void files_pattern(Typer *t, const Expr *e, Pop *p)
{
    Tx *pattern = type_unquoted_path(t, e) ? tx_error(t->arena, e->span)
                                           : type_expr_as(t, e, TYPE_STRING, "the pattern of `files`");
    if (pattern->type == TYPE_ERROR)
        return;
    if (pattern->kind != TX_CONST) {
        Diag *d = diag_add(t->diags, E_NOT_CONSTANT, e->span,
                           "the pattern of `files` is a constant");
        diag_help(t->diags, d, "write a string, a `param` or a `let`");
        return;
    }
    p->path = pattern->value.is_null ? (Str){0} : pattern->value.s;
    uint64_t n = 1;
    Error err = {0};
    if (p->path.len == 0) {
        diag_add(t->diags, E_BAD_OPTION, e->span, "a path cannot be empty");
    } else if (t->catalog->files && t->catalog->files(t->catalog, p->path, &n, NULL, &err) != OK) {
        diag_add(t->diags, E_NO_FILE, e->span, "%s", err.text);
    } else if (n == 0) {
        Diag *d = diag_add(t->diags, W_NO_FILES, e->span, "no file matches `%.*s`",
                           STR_ARG(p->path));
        diag_note(t->diags, d, "it yields no batch, as long as there is none");
    }
}

/* A path that is a pattern; the columns are what the system knows of a file. */
void type_files(Typer *t, const Stmt *s, PopList *pops)
{
    static const struct {
        const char *name;
        Type type;
    } cols[] = {{"path", TYPE_STRING}, {"size", TYPE_SIZE}, {"modified", TYPE_TIMESTAMP}};
    Pop *p = pop_new(t, pops, POP_FILES, s->span);
    t->has_table = t->has_table && t->cols.n > 0;
    files_pattern(t, s->exprs.ptr[0], p);
    if (s->batch) {
        Diag *d = diag_add(t->diags, E_BAD_BATCH, s->batch->span,
                           "`files` yields a batch for each file");
        diag_help(t->diags, d, "leave `batch` out, or give it to the `read` of the files: "
                               "`map { read csv path as schema batch 100 }`");
    }
    t->cols = (ScopeCols){0};
    t->has_table = true;
    t->is_unknown = false;
    for (size_t i = 0; i < sizeof cols / sizeof *cols; i++)
        vec_push(t->arena, &t->cols,
                 ((ScopeCol){.name = str_of(cols[i].name), .type = cols[i].type,
                             .from = s->span}));
}
