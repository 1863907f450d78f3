/* type_name.c - what a name in an expression means: a column, a parameter, a constant; and what is said of one that
 * means nothing. */
#include "plan/type_expr_int.h"

#include "base/suggest.h"
#include "base/utf8.h"
#include "lang/token.h"

int32_t scope_find(const ScopeCols *cols, Str name)
{
    for (size_t i = 0; i < cols->n; i++)
        if (str_eq(cols->ptr[i].name, name))
            return (int32_t)i;
    return -1;
}

/* ---- what is said of a name that is not known ---- */

/* of: "the columns here". */
static void list_columns(Typer *t, Diag *d, const ScopeCols *cols, const char *of)
{
    if (cols->n == 0) {
        diag_note(t->diags, d, "the table has no columns here");
        return;
    }
    Buf b = {0};
    for (size_t i = 0; i < cols->n && i < 12; i++)
        buf_printf(&b, "%s%.*s", i ? ", " : "", STR_ARG(cols->ptr[i].name));
    if (cols->n > 12)
        buf_printf(&b, " and %zu more", cols->n - 12);
    diag_note(t->diags, d, "%s are %.*s", of, STR_ARG(buf_str(&b)));
    buf_deinit(&b);
}

static void offer_map(Suggest *s, const Map *m)
{
    for (size_t i = 0; m && i < m->n; i++)
        suggest_offer(s, m->entries[i].key);
}

/* A file whose one column has the name in it, between delimiters that are not the comma, was read with the wrong one. */
static char wrong_delimiter(const ScopeCols *cols, Str name)
{
    if (cols->n != 1 || cols->ptr[0].file.len == 0)
        return 0;
    Str header = cols->ptr[0].name;
    for (const char *d = ";\t|"; *d; d++)
        for (uint32_t from = 0, to = 0; from <= header.len; from = ++to) {
            while (to < header.len && header.ptr[to] != *d)
                to++;
            bool is_part = from > 0 || to < header.len;
            if (is_part && str_eq(str_slice(header, from, to - from), name))
                return *d;
        }
    return 0;
}

/* Says so; the columns are then taken as unknown, so that it is said once. */
static bool help_delimiter(Typer *t, Diag *d, const ScopeCols *cols, Str name)
{
    char delimiter = wrong_delimiter(cols, name);
    if (!delimiter)
        return false;
    const ScopeCol *col = &cols->ptr[0];
    Str shown = delimiter == '\t' ? STR_LIT("\\t") : (Str){&delimiter, 1};
    diag_note(t->diags, d, "%.*s was read as one column", STR_ARG(col->file));
    diag_help(t->diags, d, "say what separates its columns: `with (delimiter: \"%.*s\")`; `pipemill sniff %.*s` tells more",
              STR_ARG(shown), STR_ARG(col->file));
    t->is_unknown = true;
    return true;
}

/* The file whose names are bytes of another encoding, where the name that was looked for is not plain ASCII. */
static Str wrong_encoding(const ScopeCols *cols, Str name)
{
    bool is_ascii = true;
    for (uint32_t i = 0; i < name.len; i++)
        is_ascii &= (unsigned char)name.ptr[i] < 0x80;
    for (size_t i = 0; i < cols->n && !is_ascii; i++)
        if (cols->ptr[i].file.len && utf8_valid_prefix(cols->ptr[i].name) < cols->ptr[i].name.len)
            return cols->ptr[i].file;
    return (Str){0};
}

/* Says so, once, as help_delimiter does. */
static bool help_encoding(Typer *t, Diag *d, const ScopeCols *cols, Str name)
{
    Str file = wrong_encoding(cols, name);
    if (file.len == 0)
        return false;
    diag_note(t->diags, d, "names of columns in %.*s are not UTF-8", STR_ARG(file));
    diag_help(t->diags, d, "if it is Latin-1 or Windows-1252, write `with (encoding: \"latin1\")`; `pipemill sniff %.*s` tells more",
              STR_ARG(file));
    t->is_unknown = true;
    return true;
}

/* A column that only the joined table has. */
static bool help_joined(Typer *t, Diag *d, Ident name)
{
    if (!t->joined || scope_find(&t->joined->cols, name.text) < 0)
        return false;
    Str full = arena_printf(t->arena, "%.*s.%.*s", STR_ARG(t->joined->name),
                            STR_ARG(name_written(t->arena, name.text)));
    diag_help(t->diags, d, "the joined table has it: `%.*s`", STR_ARG(full));
    diag_fix(t->diags, d, name.span, full);
    return true;
}

static bool help_not_finite(Typer *t, Diag *d, Str name)
{
    bool is_nan = str_is(name, "NaN") || str_is(name, "nan"), is_inf = str_is(name, "inf") || str_is(name, "Infinity");
    if (is_nan || is_inf)
        diag_help(t->diags, d, "write `float(\"%s\")`", is_inf ? "inf" : "nan");
    return is_nan || is_inf;
}

/* A function without its parentheses. */
static bool help_function(Typer *t, Diag *d, Ident name, bool sees_cols)
{
    bool is_same;
    const char *theirs = builtin_habit(name.text, &is_same); /* current_date, NR */
    const Builtin *fn = t->wants_column ? NULL : builtin_find(name.text, 0);
    if (!fn && theirs && !t->wants_column)
        fn = builtin_find(str_of(theirs), 0);
    if (fn && fn->kind == BUILTIN_KIND_AGG && !str_is(name.text, fn->name))
        return false;
    if (fn && builtin_takes(fn, 0)) {
        bool is_ours = str_is(name.text, fn->name);
        diag_help(t->diags, d, is_ours ? "a function is called with parentheses: `%s()`" : "here it is the function `%s()`", fn->name);
        diag_fix(t->diags, d, name.span, arena_printf(t->arena, "%s()", fn->name));
        d->is_certain = is_ours || is_same;
        return true;
    }
    if (fn && !str_is(name.text, fn->name))
        return false;
    if (fn && sees_cols)
        diag_help(t->diags, d, "`%s` is a function: it is called with its arguments, `%s(...)`", fn->name, fn->name);
    return fn && sees_cols;
}

/* The nearest of the names that can stand here. */
static bool help_near_name(Typer *t, Diag *d, Ident name, const ScopeCols *cols)
{
    Suggest s;
    suggest_init(&s, name.text);
    offer_map(&s, t->locals);
    for (size_t i = 0; cols && i < cols->n; i++)
        suggest_offer(&s, cols->ptr[i].name);
    offer_map(&s, t->params);
    for (size_t i = 0; i < t->program->consts.n; i++)
        suggest_offer(&s, t->program->consts.ptr[i]->name.text);
    if (!s.best.len && !t->wants_column) {
        suggest_offer(&s, STR_LIT("null"));
        suggest_offer(&s, STR_LIT("true"));
        suggest_offer(&s, STR_LIT("false"));
    }
    if (!s.best.len)
        return false;
    diag_help(t->diags, d, "did you mean `%.*s`?", STR_ARG(s.best));
    bool is_column = cols && scope_find(cols, s.best) >= 0;
    diag_fix(t->diags, d, name.span, is_column ? name_written(t->arena, s.best) : s.best);
    return true;
}

/* A table where a value is wanted; a key or a line of the group that cannot be seen here. */
static bool help_other_kind(Typer *t, Diag *d, Ident name)
{
    const char *text = name.text.ptr;
    int len = (int)name.text.len;
    if (t->tables && map_get(t->tables, name.text)) {
        diag_help(t->diags, d, "`%.*s` is a table: it is joined, `join %.*s on a == %.*s.a`, or put below, `union %.*s`", len,
                  text, len, text, len, text, len, text);
        return true;
    }
    for (size_t i = 0; t->group && t->keys && i < t->group->aggs.n; i++)
        if (str_eq(t->group->aggs.ptr[i].name.text, name.text)) {
            diag_help(t->diags, d, "what is computed of a group does not see the others: repeat what `%.*s` is, or `derive` "
                                   "this behind the braces", len, text);
            return true;
        }
    for (size_t i = 0; t->group && !t->keys && i < t->group->defs.n; i++)
        if (str_eq(t->group->defs.ptr[i].name.text, name.text)) {
            diag_help(t->diags, d, "an aggregate sees the rows, and the key is no column of theirs: `derive %.*s = ...` before "
                                   "the `group by`, and then `by %.*s`", len, text, len, text);
            return true;
        }
    return false;
}

/* Nothing is near: what can stand here at all. */
static void help_names(Typer *t, Diag *d, Ident name, bool sees_cols)
{
    const ScopeCols *cols = t->keys ? t->keys : &t->cols;
    if (t->locals) {
        diag_note(t->diags, d, "a fn sees its parameters and the program's `param` and "
                               "`let`, no columns");
        diag_help(t->diags, d, "pass the column as an argument");
    } else if (sees_cols && t->keys) {
        list_columns(t, d, &t->cols, "columns stand inside of aggregates; they");
    } else if (sees_cols) {
        list_columns(t, d, cols, "the columns here");
        if (cols->n > 0 && !t->wants_column)
            diag_help(t->diags, d, "a text stands in quotes: `\"%.*s\"`", STR_ARG(name.text));
    } else if (t->wants_text) {
        diag_help(t->diags, d, "a text stands in quotes: `\"%.*s\"`", STR_ARG(name.text));
        diag_fix_certain(t->diags, d, name.span, arena_printf(t->arena, "\"%.*s\"", STR_ARG(name.text)));
    } else {
        diag_note(t->diags, d, "only a `param` or a `let` of the program can stand here");
    }
}

static void unknown_name(Typer *t, Ident name)
{
    const ScopeCols *cols = t->keys ? t->keys : &t->cols;
    bool sees_cols = t->has_table && !t->locals;
    Diag *d;
    if (sees_cols)
        d = diag_add(t->diags, E_UNKNOWN_COLUMN, name.span,
                     "column `%.*s` is not in this table", STR_ARG(name.text));
    else
        d = diag_add(t->diags, E_UNKNOWN_NAME, name.span, "`%.*s` is not known here",
                     STR_ARG(name.text));
    bool is_explained = (sees_cols && help_joined(t, d, name)) ||
                        (sees_cols && !t->keys && help_delimiter(t, d, cols, name.text)) ||
                        (sees_cols && help_encoding(t, d, cols, name.text)) ||
                        (sees_cols && help_other_kind(t, d, name)) ||
                        help_not_finite(t, d, name.text) || help_function(t, d, name, sees_cols) ||
                        (sees_cols && type_habit_comment(t, d, name)) ||
                        help_near_name(t, d, name, sees_cols ? cols : NULL);
    if (!is_explained)
        help_names(t, d, name, sees_cols);
}

/* ---- names ---- */

/* A name that is a column and a parameter of the op. Said at its first use. */
static void ambiguous_name(Typer *t, const Expr *e, const ScopeCol *col)
{
    Str name = e->name.text;
    for (size_t i = 0; i < t->ambiguous.n; i++)
        if (str_eq(t->ambiguous.ptr[i], name))
            return;
    vec_push(t->arena, &t->ambiguous, name);
    Diag *d = diag_add(t->diags, E_COLUMN_OR_PARAM, e->span,
                       "`%.*s` is both a column and a parameter of the op", STR_ARG(name));
    if (col->from.hi)
        diag_label(t->diags, d, col->from, "the column comes from here");
    diag_help(t->diags, d, "rename the parameter, or put `rename %.*s -> other` before this",
              STR_ARG(name));
}

/* The column that is meant; NULL: none of the name. */
static Tx *type_column_use(Typer *t, const Expr *e, bool is_param, bool is_global)
{
    Str name = e->name.text;
    const ScopeCols *cols = t->keys ? t->keys : &t->cols;
    int32_t col = scope_find(cols, name);
    if (col >= 0 && is_param) {
        ambiguous_name(t, e, &cols->ptr[col]);
        return tx_error(t->arena, e->span);
    }
    if (col >= 0 && is_global) {
        Diag *d = diag_add(t->diags, W_COLUMN_HIDES, e->span,
                           "`%.*s` is the column here; a `param` or `let` of the program has the same name",
                           STR_ARG(name));
        diag_help(t->diags, d, "rename one of them if you meant the other");
    }
    if (col >= 0)
        return tx_column(t->arena, (uint32_t)col, cols->ptr[col].type, e->span);
    if (!t->keys || scope_find(&t->cols, name) < 0)
        return NULL;
    Diag *d = diag_add(t->diags, E_NOT_AGGREGATED, e->span,
                       "`%.*s` is neither a key of the group nor inside an aggregate", STR_ARG(name));
    diag_help(t->diags, d, "say which of its values: `first(%.*s)`, or add it to the keys after `by`",
              STR_ARG(name));
    return tx_error(t->arena, e->span);
}

Tx *type_name_expr(Typer *t, const Expr *e)
{
    Str name = e->name.text;
    Tx *local = t->locals ? map_get(t->locals, name) : NULL;
    if (local)
        return local;
    bool sees_cols = t->has_table && !t->locals;
    Tx *param = !t->locals && t->params ? map_get(t->params, name) : NULL;
    Tx *global = param ? NULL : type_global(t, name);
    Tx *column = sees_cols ? type_column_use(t, e, param != NULL, global != NULL) : NULL;
    if (column)
        return column;
    Tx *constant = param ? param : global;
    if (constant && constant->kind == TX_CONST)
        return tx_const(t->arena, constant->value, e->span); /* messages point at this use */
    if (constant)
        return constant;
    if (!(t->is_unknown && sees_cols) && !program_is_lost(t->program, name))
        unknown_name(t, e->name);
    return tx_error(t->arena, e->span);
}

/* What stands before the `.` is not the joined table; joined: NULL, there is none. */
static void not_joined(Typer *t, const Expr *e, const TableArg *joined, Str base)
{
    const TableArg *other = t->tables && base.len ? map_get(t->tables, base) : NULL;
    Diag *d = diag_add(t->diags, E_UNKNOWN_NAME, e->span,
                       "`.` names a column of a table parameter, in the condition of its `join`");
    bool is_left = joined && scope_find(&joined->cols, e->name.text) < 0 && scope_find(&t->cols, e->name.text) >= 0;
    if (!other && is_left) {
        Str name = name_written(t->arena, e->name.text);
        diag_help(t->diags, d, "a column of the table that `%.*s` is joined to stands by its name alone: `%.*s`",
                  STR_ARG(joined->name), STR_ARG(name));
        diag_fix_certain(t->diags, d, e->span, name);
    } else if (joined && !other)
        diag_help(t->diags, d, "the table of this join is `%.*s`: `%.*s.%.*s`",
                  STR_ARG(joined->name), STR_ARG(joined->name), STR_ARG(e->name.text));
    else if (other)
        diag_help(t->diags, d,
                  "join it first (`join %.*s on ...`); from then on its columns stand under their "
                  "own names",
                  STR_ARG(base));
    else if (!type_habit_field(t, d, e))
        diag_help(t->diags, d, "write the column's name alone, or `name(x)` for a function");
}

/* T.column: a column of the joined table, which stands behind those of the table it is joined to. */
Tx *type_field(Typer *t, const Expr *e)
{
    const TableArg *joined = t->locals ? NULL : t->joined;
    Str base = e->base && e->base->kind == EXPR_NAME ? e->base->name.text : (Str){0};
    if (!joined || !str_eq(base, joined->name)) {
        not_joined(t, e, joined, base);
        return tx_error(t->arena, e->span);
    }
    int32_t at = scope_find(&joined->cols, e->name.text);
    if (at >= 0) {
        Tx *tx = tx_column(t->arena, (uint32_t)t->cols.n + (uint32_t)at, joined->cols.ptr[at].type,
                           e->span);
        tx->uses_left = false;
        tx->uses_table = true;
        return tx;
    }
    if (joined->is_unknown)
        return tx_error(t->arena, e->span);
    Diag *d = diag_add(t->diags, E_UNKNOWN_COLUMN, e->name.span, "table `%.*s` has no column `%.*s`",
                       STR_ARG(base), STR_ARG(e->name.text));
    Suggest s;
    suggest_init(&s, e->name.text);
    for (size_t i = 0; i < joined->cols.n; i++)
        suggest_offer(&s, joined->cols.ptr[i].name);
    if (s.best.len) {
        diag_help(t->diags, d, "did you mean `%.*s`?", STR_ARG(s.best));
        diag_fix(t->diags, d, e->name.span, s.best);
    } else {
        list_columns(t, d, &joined->cols, "its columns");
    }
    return tx_error(t->arena, e->span);
}

Tx *type_global(Typer *t, Str name)
{
    Tx *known = map_get(t->globals, name);
    const ConstDef *def = known ? NULL : program_const(t->program, name);
    if (!def)
        return known;
    Tx *tx = tx_error(t->arena, def->span);
    map_put(t->globals, def->name.text, tx); /* what refers to itself is silent */
    const Value *set = t->sets ? map_get(t->sets, name) : NULL;
    Typer top = {.arena = t->arena, .sources = t->sources, .diags = t->diags,
                 .program = t->program, .catalog = t->catalog, .evaluator = t->evaluator,
                 .globals = t->globals, .sets = t->sets};
    Value v;
    if (set) {
        tx = tx_const(t->arena, *set, def->span);
    } else if (!def->value && def->is_param && def->type != TYPE_ERROR) {
        Diag *d = diag_add(t->diags, E_PARAM_UNSET, def->span, "`%.*s` has no value",
                           STR_ARG(name));
        diag_help(t->diags, d, "give it one with `--set %.*s=...`, or a default here: `= ...`",
                  STR_ARG(name));
    } else if (def->value && !def->is_cyclic) {
        Str what = arena_printf(t->arena, "`%.*s`", STR_ARG(name));
        if (type_constant(&top, def->value, def->type, what.ptr, &v))
            tx = tx_const(t->arena, v, def->span);
    }
    map_put(t->globals, def->name.text, tx);
    return tx;
}
