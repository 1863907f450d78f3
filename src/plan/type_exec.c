/* type_exec.c - the statement `exec`. */
#include "plan/type.h"

#include <string.h>

static void type_argv(Typer *t, const Expr *list, Pop *p)
{
    if (list->kind != EXPR_LIST)
        return; /* a mistake of syntax */
    p->argv = arena_array(t->arena, Value, list->args.n);
    if (list->args.n == 0)
        diag_add(t->diags, E_BAD_OPTION, list->span, "a command has at least its name");
    for (size_t i = 0; i < list->args.n; i++) {
        const Expr *e = list->args.ptr[i];
        Value *v = &p->argv[p->n_argv];
        if (!type_constant(t, e, TYPE_STRING, "an argument of a command", v))
            continue;
        if (v->is_null || (i == 0 && v->s.len == 0))
            diag_add(t->diags, E_BAD_OPTION, e->span, i ? "an argument cannot be null" : "the name of a command cannot be empty");
        else if (memchr(v->s.ptr, '\0', v->s.len))
            diag_add(t->diags, E_BAD_OPTION, e->span, "an argument of a command has no NUL byte");
        else
            p->n_argv++;
    }
}

/* The columns of what comes back; NULL after a diagnostic. */
static const SchemaDef *type_result(Typer *t, const Stmt *s)
{
    const SchemaDef *def = s->schema.text.len ? program_schema(t->program, s->schema.text) : NULL;
    Diag *d;
    if (s->schema.text.len && !def)
        return NULL; /* check.c has said so */
    if (!def) {
        d = diag_add(t->diags, E_NEEDS_SCHEMA, s->word_span, "the columns that a command gives cannot be known before the run");
        diag_help(t->diags, d, "declare them: `schema name { column: type }` and `as name` after the list");
        return NULL;
    }
    if (!def->is_open)
        return def;
    d = diag_add(t->diags, E_NEEDS_SCHEMA, s->schema.span, "`...` stands for columns that cannot be known before the run: those that a command gives");
    diag_label(t->diags, d, def->name.span, "the schema");
    diag_help(t->diags, d, "declare all of them, and leave the `...` out");
    return NULL;
}

void type_exec(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_EXEC, s->span);
    if (t->forbids_exec) {
        Diag *d = diag_add(t->diags, E_EXEC_FORBIDDEN, s->word_span, "`exec` is forbidden here");
        diag_note(t->diags, d, "--no-exec was given: no program may start commands");
    }
    type_argv(t, s->exprs.ptr[0], p);
    const SchemaDef *def = type_result(t, s);
    t->cols = (ScopeCols){0};
    t->is_unknown = !def;
    for (uint32_t i = 0; def && i < def->schema.n_cols; i++) {
        ScopeCol col = {.name = def->schema.cols[i].name, .type = def->schema.cols[i].type, .from = def->type_spans[i]};
        vec_push(t->arena, &t->cols, col);
    }
}
