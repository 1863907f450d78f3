/* type_expr.c - names, operators and calls: from Expr to Tx. Read bottom-up: the last
 * function, type_expr, is the entry. */
#include "plan/type.h"

#include <string.h>

#include "base/suggest.h"

/* ---- nodes ---- */

static Tx *tx_new(Arena *a, TxKind kind, Type type, Span span)
{
    Tx *tx = arena_new(a, Tx);
    tx->kind = kind;
    tx->type = type;
    tx->span = span;
    return tx;
}

Tx *tx_error(Arena *a, Span span)
{
    return tx_new(a, TX_ERROR, TYPE_ERROR, span);
}

Tx *tx_const(Arena *a, Value v, Span span)
{
    Tx *tx = tx_new(a, TX_CONST, v.type, span);
    tx->value = v;
    return tx;
}

Tx *tx_column(Arena *a, uint32_t col, Type type, Span span)
{
    Tx *tx = tx_new(a, TX_COLUMN, type, span);
    tx->col = col;
    tx->needs_row = true;
    tx->uses_left = true;
    return tx;
}

/* A node over args; its needs are theirs. */
static Tx *tx_over(Arena *a, TxKind kind, Type type, Span span, Tx *const *args,
                   uint32_t n_args)
{
    Tx *tx = tx_new(a, kind, type, span);
    tx->n_args = n_args;
    tx->args = arena_array(a, Tx *, n_args);
    for (uint32_t i = 0; i < n_args; i++) {
        tx->args[i] = args[i];
        tx->needs_row |= args[i]->needs_row;
        tx->needs_batch |= args[i]->needs_batch;
        tx->uses_left |= args[i]->uses_left;
        tx->uses_table |= args[i]->uses_table;
    }
    return tx;
}

Tx *tx_convert(Arena *a, Tx *tx, Type want)
{
    if (tx->type == want || tx->type == TYPE_ERROR || want == TYPE_ERROR)
        return tx;
    if (tx->type == TYPE_NULL) /* only ever a constant */
        return tx_const(a, (Value){.type = want, .is_null = true}, tx->span);
    if (tx->type != TYPE_INT || want != TYPE_FLOAT)
        return NULL;
    if (tx->kind == TX_CONST) {
        Value v = {.type = TYPE_FLOAT, .is_null = tx->value.is_null};
        v.f = v.is_null ? 0 : (double)tx->value.i;
        return tx_const(a, v, tx->span);
    }
    return tx_over(a, TX_WIDEN, TYPE_FLOAT, tx->span, &tx, 1);
}

/* Gives both one type, if they have one. */
static bool unify(Arena *a, Tx **x, Tx **y)
{
    Tx *cx = tx_convert(a, *x, (*y)->type), *cy = tx_convert(a, *y, (*x)->type);
    if (cx && cx->type == (*y)->type)
        *x = cx;
    else if (cy && cy->type == (*x)->type)
        *y = cy;
    else
        return false;
    return true;
}

/* Replaces a node over constants by its value. A failure (1 // 0) stays as it is: the
 * row that computes it fails, if any does. */
static Tx *folded(Typer *t, Tx *tx)
{
    if (tx->needs_row || tx->needs_batch || tx->kind == TX_CONST || tx->kind == TX_ERROR)
        return tx;
    for (uint32_t i = 0; i < tx->n_args; i++)
        if (tx->args[i]->kind != TX_CONST)
            return tx;
    Value v;
    Error err;
    if (t->evaluator->eval(t->evaluator, tx, t->arena, &v, &err) != OK)
        return tx;
    return tx_const(t->arena, v, tx->span);
}

/* ---- messages ---- */

static const char *article(Type type)
{
    return type == TYPE_INT ? "an" : "a";
}

/* Why a column is of the type that it is: where it came from, and what the file showed. */
static void explain_type(Typer *t, Diag *d, const Tx *tx)
{
    if (tx->kind == TX_WIDEN)
        tx = tx->args[0];
    if (tx->kind != TX_COLUMN || t->locals)
        return;
    const ScopeCols *cols = &t->cols;
    size_t at = tx->col;
    if (tx->uses_table && t->joined) {
        at -= cols->n;
        cols = &t->joined->cols;
    }
    if (at >= cols->n)
        return;
    const ScopeCol *c = &cols->ptr[at];
    if (c->seen && c->seen->almost != TYPE_ERROR && c->seen->odd_line) {
        Buf value = {0};
        buf_put_visible(&value, str_slice(c->seen->odd_value, 0, 60));
        const char *want = type_name(c->seen->almost);
        diag_note(t->diags, d, "`%.*s` is string: line %llu of %.*s holds `%.*s`",
                  STR_ARG(c->name), (unsigned long long)c->seen->odd_line,
                  STR_ARG(c->file), STR_ARG(buf_str(&value)));
        diag_help(t->diags, d,
                  "convert it with `%s(%.*s)`, or declare `%.*s: %s` in a schema; either "
                  "way a value that is not one fails its row",
                  want, STR_ARG(c->name), STR_ARG(c->name), want);
        buf_deinit(&value);
    } else if (c->from.hi) {
        diag_label(t->diags, d, c->from, "`%.*s` is %s here", STR_ARG(c->name),
                   type_name(c->type));
    }
}

/* How a function is called, a note for each of its forms. */
static void note_signature(Typer *t, Diag *d, const Builtin *b)
{
    Buf sig = {0};
    builtin_print(&sig, b);
    for (Str rest = buf_str(&sig); rest.len;) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        uint32_t len = end ? (uint32_t)(end - rest.ptr) : rest.len;
        diag_note(t->diags, d, "%.*s", (int)len, rest.ptr);
        rest = str_slice(rest, end ? len + 1 : len, rest.len);
    }
    buf_deinit(&sig);
}

/* ---- names ---- */

int32_t scope_find(const ScopeCols *cols, Str name)
{
    for (size_t i = 0; i < cols->n; i++)
        if (str_eq(cols->ptr[i].name, name))
            return (int32_t)i;
    return -1;
}

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
static void help_delimiter(Typer *t, Diag *d, const ScopeCol *col, char delimiter)
{
    Str shown = delimiter == '\t' ? STR_LIT("\\t") : (Str){&delimiter, 1};
    diag_note(t->diags, d, "%.*s was read as one column", STR_ARG(col->file));
    diag_help(t->diags, d, "say what separates its columns: `with (delimiter: \"%.*s\")`; `pipemill sniff %.*s` tells more",
              STR_ARG(shown), STR_ARG(col->file));
    t->is_unknown = true;
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
    if (sees_cols && t->joined && scope_find(&t->joined->cols, name.text) >= 0) {
        Str full = arena_printf(t->arena, "%.*s.%.*s", STR_ARG(t->joined->name), STR_ARG(name.text));
        diag_help(t->diags, d, "the joined table has it: `%.*s`", STR_ARG(full));
        diag_fix(t->diags, d, name.span, full);
        return;
    }
    char delimiter = sees_cols && !t->keys ? wrong_delimiter(cols, name.text) : 0;
    if (delimiter) {
        help_delimiter(t, d, &cols->ptr[0], delimiter);
        return;
    }
    if (str_is(name.text, "NaN") || str_is(name.text, "nan") || str_is(name.text, "inf") ||
        str_is(name.text, "Infinity")) {
        diag_help(t->diags, d, "write `float(\"%s\")`", name.text.ptr[0] == 'i' || name.text.ptr[0] == 'I' ? "inf" : "nan");
        return;
    }
    const Builtin *fn = builtin_find(name.text, 0);
    if (fn && builtin_takes(fn, 0) && !t->wants_column) {
        diag_help(t->diags, d, "a function is called with parentheses: `%s()`", fn->name);
        diag_fix_certain(t->diags, d, name.span, arena_printf(t->arena, "%s()", fn->name));
        return;
    }
    if (fn && sees_cols && !t->wants_column) {
        diag_help(t->diags, d, "`%s` is a function: it is called with its arguments, `%s(...)`", fn->name, fn->name);
        return;
    }
    Suggest s;
    if (sees_cols && type_habit_comment(t, d, name))
        return;
    suggest_init(&s, name.text);
    offer_map(&s, t->locals);
    if (sees_cols)
        for (size_t i = 0; i < cols->n; i++)
            suggest_offer(&s, cols->ptr[i].name);
    offer_map(&s, t->params);
    for (size_t i = 0; i < t->program->consts.n; i++)
        suggest_offer(&s, t->program->consts.ptr[i]->name.text);
    if (!s.best.len && !t->wants_column) {
        suggest_offer(&s, STR_LIT("null"));
        suggest_offer(&s, STR_LIT("true"));
        suggest_offer(&s, STR_LIT("false"));
    }
    if (s.best.len) {
        diag_help(t->diags, d, "did you mean `%.*s`?", STR_ARG(s.best));
        diag_fix(t->diags, d, name.span, s.best);
    } else if (t->locals) {
        diag_note(t->diags, d, "a fn sees its parameters and the program's `param` and "
                               "`let`, no columns");
        diag_help(t->diags, d, "pass the column as an argument");
    } else if (sees_cols && !t->keys && cols->n > 0) {
        list_columns(t, d, cols, "the columns here");
        if (!t->wants_column)
            diag_help(t->diags, d, "a text stands in quotes: `\"%.*s\"`", STR_ARG(name.text));
    } else if (sees_cols && t->keys) {
        list_columns(t, d, &t->cols, "columns stand inside of aggregates; they");
    } else if (sees_cols) {
        list_columns(t, d, cols, "the columns here");
    } else if (t->wants_text) {
        diag_help(t->diags, d, "a text stands in quotes: `\"%.*s\"`", STR_ARG(name.text));
        diag_fix_certain(t->diags, d, name.span, arena_printf(t->arena, "\"%.*s\"", STR_ARG(name.text)));
    } else {
        diag_note(t->diags, d, "only a `param` or a `let` of the program can stand here");
    }
}

static Tx *type_name_expr(Typer *t, const Expr *e)
{
    Str name = e->name.text;
    Tx *local = t->locals ? map_get(t->locals, name) : NULL;
    if (local)
        return local;
    Tx *param = !t->locals && t->params ? map_get(t->params, name) : NULL;
    Tx *global = param ? NULL : type_global(t, name);
    if (t->has_table && !t->locals) {
        const ScopeCols *cols = t->keys ? t->keys : &t->cols;
        int32_t col = scope_find(cols, name);
        if (col >= 0 && param) {
            for (size_t i = 0; i < t->ambiguous.n; i++)
                if (str_eq(t->ambiguous.ptr[i], name)) /* said at its first use */
                    return tx_error(t->arena, e->span);
            vec_push(t->arena, &t->ambiguous, name);
            Diag *d = diag_add(t->diags, E_COLUMN_OR_PARAM, e->span,
                               "`%.*s` is both a column and a parameter of the op",
                               STR_ARG(name));
            if (cols->ptr[col].from.hi)
                diag_label(t->diags, d, cols->ptr[col].from, "the column comes from here");
            diag_help(t->diags, d,
                      "rename the parameter, or put `rename %.*s -> other` before this",
                      STR_ARG(name));
            return tx_error(t->arena, e->span);
        }
        if (col >= 0) {
            if (global) {
                Diag *d = diag_add(t->diags, W_COLUMN_HIDES, e->span,
                                   "`%.*s` is the column here; a `param` or `let` of the "
                                   "program has the same name",
                                   STR_ARG(name));
                diag_help(t->diags, d, "rename one of them if you meant the other");
            }
            return tx_column(t->arena, (uint32_t)col, cols->ptr[col].type, e->span);
        }
        if (t->keys && scope_find(&t->cols, name) >= 0) {
            Diag *d = diag_add(t->diags, E_NOT_AGGREGATED, e->span,
                               "`%.*s` is neither a key of the group nor inside an "
                               "aggregate",
                               STR_ARG(name));
            diag_help(t->diags, d, "say which of its values: `first(%.*s)`, or add it to "
                                   "the keys after `by`",
                      STR_ARG(name));
            return tx_error(t->arena, e->span);
        }
    }
    Tx *constant = param ? param : global;
    if (constant && constant->kind == TX_CONST)
        return tx_const(t->arena, constant->value, e->span); /* messages point at this use */
    if (constant)
        return constant;
    if (!(t->is_unknown && t->has_table && !t->locals) &&
        !program_is_lost(t->program, name))
        unknown_name(t, e->name);
    return tx_error(t->arena, e->span);
}

/* T.column: a column of the joined table, which stands behind those of the table it is joined to. */
static Tx *type_field(Typer *t, const Expr *e)
{
    const TableArg *joined = t->locals ? NULL : t->joined;
    Str base = e->base && e->base->kind == EXPR_NAME ? e->base->name.text : (Str){0};
    Diag *d;
    if (!joined || !str_eq(base, joined->name)) {
        const TableArg *other = t->tables && base.len ? map_get(t->tables, base) : NULL;
        d = diag_add(t->diags, E_UNKNOWN_NAME, e->span,
                     "`.` names a column of a table parameter, in the condition of its `join`");
        if (joined && !other)
            diag_help(t->diags, d, "the table of this join is `%.*s`: `%.*s.%.*s`",
                      STR_ARG(joined->name), STR_ARG(joined->name), STR_ARG(e->name.text));
        else if (other)
            diag_help(t->diags, d,
                      "join it first (`join %.*s on ...`); from then on its columns stand under their "
                      "own names",
                      STR_ARG(base));
        else if (!type_habit_field(t, d, e))
            diag_help(t->diags, d, "write the column's name alone, or `name(x)` for a function");
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
    d = diag_add(t->diags, E_UNKNOWN_COLUMN, e->name.span, "table `%.*s` has no column `%.*s`",
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

/* ---- operators ---- */

static bool is_number(Type t)
{
    return t == TYPE_INT || t == TYPE_FLOAT;
}

static bool is_amount(Type t) /* integers with a unit, which add up */
{
    return t == TYPE_DURATION || t == TYPE_SIZE;
}

static Tx *bad_operands(Typer *t, const Expr *e, const Tx *a, const Tx *b)
{
    const char *op = operator_text(e->op);
    Diag *d;
    if (e->op == OPER_OR && b && a->type == TYPE_STRING && b->type == TYPE_STRING)
        diags_drop(t->diags, e->op_span); /* `||`: another mistake than the scanner thought */
    if (b)
        d = diag_add(t->diags, E_OPERAND_TYPE, e->span, "`%s` does not take %s and %s", op,
                     type_name(a->type), type_name(b->type));
    else
        d = diag_add(t->diags, E_OPERAND_TYPE, e->span, "`%s` does not take %s %s", op,
                     article(a->type), type_name(a->type));
    explain_type(t, d, a);
    if (b)
        explain_type(t, d, b);
    if (type_habit_operands(t, d, e, a, b))
        return tx_error(t->arena, e->span);
    if (e->op == OPER_ADD && b && (a->type == TYPE_STRING || b->type == TYPE_STRING))
        diag_help(t->diags, d, "to join text write `string(...)` around the other, or put "
                               "both into one string: \"{a}{b}\"");
    else if (b && d->helps.n == 0 && (a->type == TYPE_STRING) != (b->type == TYPE_STRING)) {
        Type other = a->type == TYPE_STRING ? b->type : a->type;
        diag_help(t->diags, d, "nothing converts by itself: write `%s(...)` around the string",
                  other == TYPE_TIMESTAMP || other == TYPE_DATE || other == TYPE_BOOL ||
                          other == TYPE_INT
                      ? type_name(other)
                      : "float");
    } else if ((e->op == OPER_AND || e->op == OPER_OR || e->op == OPER_NOT) &&
               d->helps.n == 0)
        diag_help(t->diags, d, "both sides are conditions: compare, for example `x != 0`");
    return tx_error(t->arena, e->span);
}

static Tx *binary(Typer *t, const Expr *e, Type type, Tx *a, Tx *b)
{
    Tx *args[2] = {a, b};
    Tx *tx = tx_over(t->arena, TX_BINARY, type, e->span, args, 2);
    tx->op = e->op;
    return tx;
}

static Tx *compare_null(Typer *t, const Expr *e)
{
    Diag *d = diag_add(t->diags, E_COMPARE_NULL, e->span,
                       "comparing with `null` gives null, never true");
    diag_help(t->diags, d, "write `%s`", e->op == OPER_NE ? "is not null" : "is null");
    type_habit_null(t, d, e);
    return tx_error(t->arena, e->span);
}

static Tx *type_binary(Typer *t, const Expr *e)
{
    Tx *a = type_expr(t, e->args.ptr[0]), *b = type_expr(t, e->args.ptr[1]);
    if (a->type == TYPE_ERROR || b->type == TYPE_ERROR)
        return tx_error(t->arena, e->span);
    if (a->type == TYPE_LIST || b->type == TYPE_LIST || a->type == TYPE_TABLE ||
        b->type == TYPE_TABLE)
        return bad_operands(t, e, a, b);
    Type ta = a->type, tb = b->type;
    switch (e->op) {
    case OPER_AND:
    case OPER_OR:
        a = tx_convert(t->arena, a, TYPE_BOOL);
        b = tx_convert(t->arena, b, TYPE_BOOL);
        if (a && b)
            return binary(t, e, TYPE_BOOL, a, b);
        return bad_operands(t, e, type_expr(t, e->args.ptr[0]),
                            type_expr(t, e->args.ptr[1]));
    case OPER_EQ:
    case OPER_NE:
    case OPER_LT:
    case OPER_LE:
    case OPER_GT:
    case OPER_GE:
        if (ta == TYPE_NULL || tb == TYPE_NULL)
            return compare_null(t, e);
        if (unify(t->arena, &a, &b))
            return binary(t, e, TYPE_BOOL, a, b);
        return bad_operands(t, e, a, b);
    case OPER_COALESCE:
        if (ta == TYPE_NULL && tb == TYPE_NULL)
            return a;
        if (unify(t->arena, &a, &b))
            return binary(t, e, a->type, a, b);
        return bad_operands(t, e, a, b);
    case OPER_ADD:
    case OPER_SUB:
        if (ta == TYPE_DATE && tb == TYPE_DURATION)
            return binary(t, e, TYPE_DATE, a, b);
        if (ta == TYPE_TIMESTAMP && tb == TYPE_DURATION)
            return binary(t, e, TYPE_TIMESTAMP, a, b);
        if (e->op == OPER_ADD && ta == TYPE_DURATION &&
            (tb == TYPE_DATE || tb == TYPE_TIMESTAMP))
            return binary(t, e, tb, b, a);
        if (e->op == OPER_SUB && ta == tb && (ta == TYPE_DATE || ta == TYPE_TIMESTAMP))
            return binary(t, e, TYPE_DURATION, a, b);
        if (!unify(t->arena, &a, &b))
            return bad_operands(t, e, a, b);
        if (is_number(a->type) || is_amount(a->type) ||
            (e->op == OPER_ADD && a->type == TYPE_STRING))
            return binary(t, e, a->type, a, b);
        if (a->type == TYPE_NULL)
            return a;
        return bad_operands(t, e, a, b);
    case OPER_MUL:
        if (is_amount(ta) && tb == TYPE_INT)
            return binary(t, e, ta, a, b);
        if (ta == TYPE_INT && is_amount(tb))
            return binary(t, e, tb, b, a);
        /* fall through */
    case OPER_IDIV:
    case OPER_MOD:
        if (unify(t->arena, &a, &b)) {
            if (is_number(a->type))
                return binary(t, e, a->type, a, b);
            if (a->type == TYPE_NULL)
                return a;
        }
        return bad_operands(t, e, a, b);
    case OPER_DIV:
    case OPER_POW: {
        Tx *fa = tx_convert(t->arena, a, TYPE_FLOAT), *fb = tx_convert(t->arena, b, TYPE_FLOAT);
        if (fa && fb)
            return binary(t, e, TYPE_FLOAT, fa, fb);
        return bad_operands(t, e, a, b);
    }
    case OPER_NOT:
    case OPER_NEG:
    case OPER_IS_NULL:
    case OPER_IS_NOT_NULL:
        break;
    }
    return tx_error(t->arena, e->span);
}

static Tx *type_unary(Typer *t, const Expr *e)
{
    Tx *a = type_expr(t, e->args.ptr[0]);
    if (a->type == TYPE_ERROR)
        return a;
    Type type = TYPE_BOOL;
    switch ((int)e->op) {
    case OPER_NEG:
        if (!is_number(a->type) && a->type != TYPE_DURATION && a->type != TYPE_NULL)
            return bad_operands(t, e, a, NULL);
        type = a->type;
        break;
    case OPER_NOT:
        if (!tx_convert(t->arena, a, TYPE_BOOL))
            return bad_operands(t, e, a, NULL);
        a = tx_convert(t->arena, a, TYPE_BOOL);
        break;
    default: /* is null, is not null take anything but these */
        if (a->type == TYPE_LIST || a->type == TYPE_TABLE)
            return bad_operands(t, e, a, NULL);
        break;
    }
    if (a->type == TYPE_NULL && e->op == OPER_NEG)
        return a;
    Tx *tx = tx_over(t->arena, TX_UNARY, type, e->span, &a, 1);
    tx->op = e->op;
    return tx;
}

/* a between x and y is x <= a and a <= y, a computed once. */
static Tx *type_between(Typer *t, const Expr *e)
{
    Tx *arg[3];
    for (int i = 0; i < 3; i++)
        arg[i] = type_expr(t, e->args.ptr[i]);
    for (int i = 0; i < 3; i++)
        if (arg[i]->type == TYPE_ERROR)
            return tx_error(t->arena, e->span);
    Expr le = *e, conj = *e;
    le.op = OPER_LE;
    conj.op = OPER_AND;
    Tx *a1 = arg[0], *a2 = arg[0];
    bool has_null = arg[0]->type == TYPE_NULL || arg[1]->type == TYPE_NULL ||
                    arg[2]->type == TYPE_NULL;
    if (has_null || !unify(t->arena, &arg[1], &a1) || !unify(t->arena, &a2, &arg[2])) {
        Diag *d = diag_add(t->diags, E_OPERAND_TYPE, e->span,
                           "`between` does not take %s, %s and %s",
                           type_name(arg[0]->type), type_name(arg[1]->type),
                           type_name(arg[2]->type));
        explain_type(t, d, arg[0]);
        return tx_error(t->arena, e->span);
    }
    Tx *tx = binary(t, &conj, TYPE_BOOL, folded(t, binary(t, &le, TYPE_BOOL, arg[1], a1)),
                    folded(t, binary(t, &le, TYPE_BOOL, a2, arg[2])));
    if (e->is_negated) {
        tx = tx_over(t->arena, TX_UNARY, TYPE_BOOL, e->span, &tx, 1);
        tx->op = OPER_NOT;
    }
    return tx;
}

static Tx *type_in(Typer *t, const Expr *e)
{
    const Expr *list = e->args.ptr[1];
    Tx *a = type_expr(t, e->args.ptr[0]);
    if (list->kind == EXPR_ERROR)
        return tx_error(t->arena, e->span);
    if (list->kind != EXPR_LIST) {
        Diag *d = diag_add(t->diags, E_LIST_WANTED, list->span,
                           "`in` wants a list in brackets");
        diag_help(t->diags, d, "for example `x in [1, 2]`; for a part of a text "
                               "`contains(text, part)`");
        if (list->is_parens && list->kind == EXPR_LITERAL) { /* in (1) */
            diag_fix_certain(t->diags, d, (Span){list->span.lo, list->span.lo + 1}, STR_LIT("["));
            diag_fix_certain(t->diags, d, (Span){list->span.hi - 1, list->span.hi}, STR_LIT("]"));
        }
        return tx_error(t->arena, e->span);
    }
    Tx *tx = tx_over(t->arena, TX_IN, TYPE_BOOL, e->span, &a, 1);
    tx->is_negated = e->is_negated;
    tx->items = arena_array(t->arena, Value, list->args.n);
    bool ok = a->type != TYPE_ERROR;
    if (a->type == TYPE_NULL)
        return compare_null(t, e);
    for (size_t i = 0; i < list->args.n; i++) {
        const Expr *ie = list->args.ptr[i];
        Tx *item = type_expr(t, ie);
        if (item->type == TYPE_ERROR || a->type == TYPE_ERROR) {
            ok = false;
            continue;
        }
        if (item->type == TYPE_NULL) {
            Diag *d = diag_add(t->diags, E_COMPARE_NULL, ie->span,
                               "`null` in a list never matches");
            diag_help(t->diags, d, "write `or ... is null` beside the `in`");
            ok = false;
            continue;
        }
        if (a->type == TYPE_INT && item->type == TYPE_FLOAT) {
            a = tx_convert(t->arena, a, TYPE_FLOAT);
            for (uint32_t k = 0; k < tx->n_items; k++)
                tx->items[k] = (Value){.type = TYPE_FLOAT, .f = (double)tx->items[k].i};
        }
        Tx *same = tx_convert(t->arena, item, a->type);
        if (!same) {
            Diag *d = diag_add(t->diags, E_OPERAND_TYPE, ie->span,
                               "the list holds %s %s, the value before `in` is %s",
                               article(item->type), type_name(item->type),
                               type_name(a->type));
            explain_type(t, d, a);
            ok = false;
        } else if (same->kind != TX_CONST) {
            Diag *d = diag_add(t->diags, E_NOT_CONSTANT, ie->span,
                               "the elements of a list after `in` are constants");
            diag_help(t->diags, d, "compare with `==` and join with `or`");
            ok = false;
        } else if (!same->value.is_null) {
            tx->items[tx->n_items++] = same->value;
        }
    }
    tx->args[0] = a;
    return ok ? tx : tx_error(t->arena, e->span);
}

static Tx *type_if(Typer *t, const Expr *e)
{
    Tx *c = type_expr_as(t, e->args.ptr[0], TYPE_BOOL, "the condition of `if`");
    Tx *a = type_expr(t, e->args.ptr[1]), *b = type_expr(t, e->args.ptr[2]);
    if (c->type == TYPE_ERROR || a->type == TYPE_ERROR || b->type == TYPE_ERROR)
        return tx_error(t->arena, e->span);
    if (!unify(t->arena, &a, &b)) {
        Diag *d = diag_add(t->diags, E_BRANCH_TYPES, e->span,
                           "the branches of `if` are %s and %s", type_name(a->type),
                           type_name(b->type));
        diag_label(t->diags, d, e->args.ptr[1]->span, "%s", type_name(a->type));
        diag_label(t->diags, d, e->args.ptr[2]->span, "%s", type_name(b->type));
        diag_help(t->diags, d, "convert one of them, for example with `string(...)`");
        return tx_error(t->arena, e->span);
    }
    if (a->type == TYPE_NULL)
        return a;
    Tx *args[3] = {c, a, b};
    return tx_over(t->arena, TX_IF, a->type, e->span, args, 3);
}

/* ---- calls ---- */

static Tx *type_fn_call(Typer *t, const Expr *e, const FnDef *fn)
{
    const Expr **values = arena_array(t->arena, const Expr *, fn->n_params);
    fn_bind(fn, &e->call, values);
    Map locals;
    map_init(&locals, t->arena);
    bool ok = !fn->is_cyclic && fn->type != TYPE_ERROR;
    for (uint32_t i = 0; i < fn->n_params; i++) {
        const ParamDef *p = &fn->params[i];
        Tx *value = tx_error(t->arena, e->span);
        if (values[i]) {
            Str what = arena_printf(t->arena, "`%.*s` of `%.*s`", STR_ARG(p->name.text),
                                    STR_ARG(fn->name.text));
            value = type_expr_as(t, values[i], p->type, what.ptr);
        }
        ok = ok && value->type != TYPE_ERROR;
        map_put(&locals, p->name.text, value);
    }
    if (!ok)
        return tx_error(t->arena, e->span);
    Map *outer = t->locals;
    AggList *aggs = t->aggs;
    t->locals = &locals;
    t->aggs = NULL;
    Str what = arena_printf(t->arena, "the value of fn `%.*s`", STR_ARG(fn->name.text));
    Tx *body = type_expr_as(t, fn->value, fn->type, what.ptr);
    t->locals = outer;
    t->aggs = aggs;
    if (body->type == TYPE_ERROR || body->kind == TX_CONST || body->kind == TX_COLUMN)
        return body;
    /* The call's own span: a row error points at the line that called. */
    Tx *copy = arena_new(t->arena, Tx);
    *copy = *body;
    copy->span = e->span;
    return copy;
}

static void unknown_function(Typer *t, const Expr *e)
{
    Diag *d = diag_add(t->diags, E_UNKNOWN_FUNCTION, e->name.span,
                       "there is no function `%.*s`", STR_ARG(e->name.text));
    bool is_same;
    const char *ours = builtin_habit(e->name.text, &is_same), *form = builtin_habit_form(e->name.text);
    if (ours || form) {
        diag_help(t->diags, d, "here it is `%s`", ours ? ours : form);
        if (ours)
            diag_fix(t->diags, d, e->name.span, str_of(ours));
        d->is_certain = is_same;
        return;
    }
    if (!t->locals && t->has_table && scope_find(&t->cols, e->name.text) >= 0) {
        diag_help(t->diags, d, "`%.*s` is a column: it stands without parentheses", STR_ARG(e->name.text));
        return;
    }
    if (program_op(t->program, e->name.text)) {
        diag_label(t->diags, d, program_op(t->program, e->name.text)->name.span, "`%.*s` is an op",
                   STR_ARG(e->name.text));
        diag_help(t->diags, d, "an op is a stage of a job: `| %.*s`", STR_ARG(e->name.text));
        return;
    }
    Suggest s;
    suggest_init(&s, e->name.text);
    for (BuiltinId b = 0; b < N_BUILTINS; b++)
        suggest_offer(&s, str_of(builtin_get(b)->name));
    for (size_t i = 0; i < t->program->fns.n; i++)
        suggest_offer(&s, t->program->fns.ptr[i]->name.text);
    if (s.best.len) {
        diag_help(t->diags, d, "did you mean `%.*s`?", STR_ARG(s.best));
        diag_fix(t->diags, d, e->name.span, s.best);
    } else
        diag_help(t->diags, d, "`pipemill help functions` lists them; define your own with `fn`");
}

/* An aggregate: its arguments see the rows, what stands around it sees the groups. */
static Tx *type_agg_call(Typer *t, const Expr *e, const Builtin *b, Tx **args,
                         uint32_t n_args, Type result)
{
    PopAgg agg = {.fn = b->id, .n_args = n_args, .type = result, .span = e->span};
    agg.args = arena_array(t->arena, Tx *, n_args);
    for (uint32_t i = 0; i < n_args; i++)
        agg.args[i] = args[i];
    uint32_t col = (uint32_t)(t->keys->n + t->aggs->n);
    vec_push(t->arena, t->aggs, agg);
    return tx_column(t->arena, col, result, e->span);
}

static Tx *type_builtin_call(Typer *t, const Expr *e, const Builtin *b)
{
    uint32_t n = (uint32_t)e->call.n;
    Tx **args = arena_array(t->arena, Tx *, n);
    Type *types = arena_array(t->arena, Type, n);
    Type *wants = arena_array(t->arena, Type, n);
    bool is_agg = b->kind == BUILTIN_KIND_AGG, ok = true;
    if (is_agg && !t->aggs) {
        Diag *d = diag_add(t->diags, E_AGG_OUTSIDE, e->span,
                           "`%s` needs many rows, and stands where one row is looked at",
                           b->name);
        diag_help(t->diags, d, "put it into `group by key { n = %s(...) }` or `aggregate { ... }`",
                  b->name);
        ok = false;
    }
    ScopeCols *keys = t->keys;
    AggList *aggs = t->aggs;
    if (is_agg) { /* its arguments see rows */
        t->keys = NULL;
        t->aggs = NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        const Arg *arg = &e->call.ptr[i];
        if (arg->name.text.len) {
            Diag *d = diag_add(t->diags, E_ARGUMENT_TYPE, arg->name.span,
                               "the arguments of `%s` have no names", b->name);
            note_signature(t, d, b);
            ok = false;
        }
        args[i] = type_expr(t, arg->value);
        types[i] = args[i]->type;
    }
    t->keys = keys;
    t->aggs = aggs;
    BuiltinFit fit;
    if (!builtin_resolve(b, types, n, wants, &fit)) {
        Span at = fit.bad_arg >= 0 ? e->call.ptr[fit.bad_arg].value->span : e->span;
        Diag *d = diag_add(t->diags, E_ARGUMENT_TYPE, at, "%s", fit.why);
        if (fit.bad_arg >= 0)
            explain_type(t, d, args[fit.bad_arg]);
        note_signature(t, d, b);
        return tx_error(t->arena, e->span);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (types[i] == TYPE_ERROR) {
            ok = false;
            continue;
        }
        Type want = wants[i] == TYPE_NULL ? TYPE_STRING : wants[i];
        Tx *c = tx_convert(t->arena, args[i], want);
        args[i] = c ? c : args[i];
        const BuiltinParam *p = builtin_sig_param(&fit.sig, i);
        if (p && p->is_const && args[i]->kind != TX_CONST) {
            Diag *d = diag_add(t->diags, E_NOT_CONSTANT, e->call.ptr[i].value->span,
                               "`%.*s` of `%s` is a constant", STR_ARG(p->name), b->name);
            diag_help(t->diags, d, "write a literal, a `param` or a `let`");
            ok = false;
        }
    }
    if (!ok || fit.result == TYPE_ERROR || !type_patterns(t, b, args, n))
        return tx_error(t->arena, e->span);
    Type result = fit.result == TYPE_NULL ? TYPE_STRING : fit.result;
    if (is_agg)
        return type_agg_call(t, e, b, args, n, result);
    Tx *tx = tx_over(t->arena, TX_CALL, result, e->span, args, n);
    tx->fn = b->id;
    tx->call_id = t->n_calls++;
    if (b->kind == BUILTIN_KIND_ROW)
        tx->needs_row = true;
    if (b->kind == BUILTIN_KIND_ROW || b->kind == BUILTIN_KIND_BATCH)
        tx->needs_batch = true;
    if (tx->needs_batch && !t->has_table) {
        Diag *d = diag_add(t->diags, E_NOT_CONSTANT, e->span,
                           "`%s()` is known only while an op runs", b->name);
        diag_help(t->diags, d, "use it in a statement of an op");
        return tx_error(t->arena, e->span);
    }
    return tx;
}

static Tx *type_call(Typer *t, const Expr *e)
{
    const FnDef *fn = program_fn(t->program, e->name.text);
    if (fn)
        return type_fn_call(t, e, fn);
    const Builtin *b = builtin_find(e->name.text, (uint32_t)e->call.n);
    if (b)
        return type_builtin_call(t, e, b);
    if (!program_is_lost(t->program, e->name.text))
        unknown_function(t, e);
    ScopeCols *keys = t->keys; /* it may have meant an aggregate: its arguments see rows */
    AggList *aggs = t->aggs;
    t->keys = NULL;
    t->aggs = NULL;
    for (size_t i = 0; i < e->call.n; i++)
        type_expr(t, e->call.ptr[i].value);
    t->keys = keys;
    t->aggs = aggs;
    return tx_error(t->arena, e->span);
}

/* ---- all of it ---- */

static Tx *type_string(Typer *t, const Expr *e)
{
    Tx **args = arena_array(t->arena, Tx *, e->args.n);
    bool ok = true;
    for (size_t i = 0; i < e->args.n; i++) {
        args[i] = type_expr(t, e->args.ptr[i]);
        if (args[i]->type == TYPE_LIST || args[i]->type == TYPE_TABLE) {
            diag_add(t->diags, E_OPERAND_TYPE, args[i]->span, "a %s has no text",
                     type_name(args[i]->type));
            ok = false;
        }
        ok = ok && args[i]->type != TYPE_ERROR;
        if (args[i]->type == TYPE_NULL)
            args[i] = tx_convert(t->arena, args[i], TYPE_STRING);
    }
    if (!ok)
        return tx_error(t->arena, e->span);
    return tx_over(t->arena, TX_CONCAT, TYPE_STRING, e->span, args, (uint32_t)e->args.n);
}

static Tx *type_unfolded(Typer *t, const Expr *e)
{
    switch (e->kind) {
    case EXPR_ERROR:
        return tx_error(t->arena, e->span);
    case EXPR_LITERAL:
        if (diags_is_torn(t->diags, e->span)) /* `5ns`: what was meant is not known */
            return tx_error(t->arena, e->span);
        return tx_const(t->arena, e->lit, e->span);
    case EXPR_STRING:
        return type_string(t, e);
    case EXPR_LIST: {
        Diag *d = diag_add(t->diags, E_LIST_WANTED, e->span,
                           "a list stands only after `in` and `exec`");
        diag_help(t->diags, d, "a column holds one value per row; keep parts in a string");
        return tx_error(t->arena, e->span);
    }
    case EXPR_NAME:
        return type_name_expr(t, e);
    case EXPR_FIELD:
        return type_field(t, e);
    case EXPR_CALL:
        return type_call(t, e);
    case EXPR_UNARY:
        return type_unary(t, e);
    case EXPR_BINARY:
        return type_binary(t, e);
    case EXPR_IN:
        return type_in(t, e);
    case EXPR_BETWEEN:
        return type_between(t, e);
    case EXPR_IF:
        return type_if(t, e);
    case EXPR_AUTO: {
        diag_add(t->diags, E_UNKNOWN_NAME, e->span, "`auto` stands only after `batch`");
        return tx_error(t->arena, e->span);
    }
    }
    return tx_error(t->arena, e->span);
}

Tx *type_expr(Typer *t, const Expr *e)
{
    return folded(t, type_unfolded(t, e));
}

Tx *type_expr_as(Typer *t, const Expr *e, Type want, const char *what)
{
    Tx *tx = type_expr(t, e);
    Tx *as = tx_convert(t->arena, tx, want);
    if (as)
        return as;
    Diag *d = diag_add(t->diags, E_WRONG_TYPE, e->span, "%s is %s, not %s", what,
                       type_name(want), type_name(tx->type));
    explain_type(t, d, tx);
    if (want == TYPE_BOOL && type_habit_join(t, d, e))
        return tx_error(t->arena, e->span);
    if (want == TYPE_STRING && tx->kind == TX_CONST && e->kind == EXPR_LITERAL)
        diag_help(t->diags, d, "write it in quotes");
    else if (want == TYPE_STRING && tx->type != TYPE_TABLE)
        diag_help(t->diags, d, "write `string(...)` around it");
    else if (want == TYPE_BOOL && d->helps.n == 0)
        diag_help(t->diags, d, strcmp(what, "the option") == 0 ? "write `true` or `false`, without quotes"
                               : tx->type == TYPE_STRING       ? "compare it with something, for example `!= \"\"`"
                               : tx->type == TYPE_INT || tx->type == TYPE_FLOAT
                                   ? "compare it with something, for example `!= 0`"
                                   : "compare it with something, for example `is not null`");
    else if (want == TYPE_DURATION)
        diag_help(t->diags, d, "a duration has a unit: `500ms`, `1.5s`, `2h`");
    else if (want == TYPE_INT && tx->type == TYPE_FLOAT)
        diag_help(t->diags, d, "write `int(...)` or `int(round(...))` around it");
    else if (tx->type == TYPE_STRING && d->helps.n == 0)
        diag_help(t->diags, d, "write `%s(...)` around it", type_name(want));
    return tx_error(t->arena, e->span);
}

bool type_constant(Typer *t, const Expr *e, Type want, const char *what, Value *out)
{
    uint32_t errors_before = t->diags->n_errors;
    bool had_table = t->has_table, wanted_text = t->wants_text;
    t->has_table = false;
    t->wants_text = want == TYPE_STRING && strcmp(what, "the option") == 0;
    Tx *tx = want == TYPE_ERROR ? type_expr(t, e) : type_expr_as(t, e, want, what);
    t->has_table = had_table;
    t->wants_text = wanted_text;
    if (tx->kind == TX_CONST) {
        *out = tx->value;
        return true;
    }
    if (tx->type != TYPE_ERROR && t->diags->n_errors == errors_before) {
        Value v;
        Error err = {0};
        if (t->evaluator->eval(t->evaluator, tx, t->arena, &v, &err) == OK) {
            *out = v;
            return true;
        }
        diag_add(t->diags, E_CONSTANT_FAILS, e->span, "%s cannot be computed: %s", what,
                 err.text);
    }
    return false;
}
