/* type_operator.c - operators: which types they take, and what comes out. */
#include "plan/type_expr_int.h"

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
    bool is_logic = e->op == OPER_AND || e->op == OPER_OR || e->op == OPER_NOT;
    if (is_logic)
        diags_drop(t->diags, e->op_span); /* `||`, `&`, `!`: what the scanner said of the sign is said with the types */
    if (b)
        d = diag_add(t->diags, E_OPERAND_TYPE, e->span, "`%s` does not take %s and %s", op,
                     type_name(a->type), type_name(b->type));
    else
        d = diag_add(t->diags, E_OPERAND_TYPE, e->span, "`%s` does not take %s %s", op,
                     type_article(a->type), type_name(a->type));
    type_explain(t, d, a);
    if (b)
        type_explain(t, d, b);
    if (is_logic && type_habit_sign(t, d, e, a, b))
        return tx_error(t->arena, e->span);
    if (d->helps.n == 0 && type_habit_operands(t, d, e, a, b))
        return tx_error(t->arena, e->span);
    if (e->op == OPER_ADD && b && (a->type == TYPE_STRING || b->type == TYPE_STRING))
        diag_help(t->diags, d, "to join text write `string(...)` around the other, or put "
                               "both into one string: \"{a}{b}\"");
    else if (b && d->helps.n == 0 && (a->type == TYPE_STRING) != (b->type == TYPE_STRING)) {
        Type other = a->type == TYPE_STRING ? b->type : a->type;
        if (is_amount(other)) {
            diag_help(t->diags, d, "no function makes a %s of a text: declare the column as %s in a schema, `as` behind the path of its `read`",
                      type_name(other), type_name(other));
            return tx_error(t->arena, e->span);
        }
        diag_help(t->diags, d, "nothing converts by itself: write `%s(...)` around the string",
                  other == TYPE_TIMESTAMP || other == TYPE_DATE || other == TYPE_BOOL ||
                          other == TYPE_INT
                      ? type_name(other)
                      : "float");
    } else if (is_logic && d->helps.n == 0)
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

/* ---- two operands ---- */

/* and, or */
static Tx *type_logic(Typer *t, const Expr *e, Tx *a, Tx *b)
{
    Tx *x = tx_convert(t->arena, a, TYPE_BOOL), *y = tx_convert(t->arena, b, TYPE_BOOL);
    return x && y ? binary(t, e, TYPE_BOOL, x, y) : bad_operands(t, e, a, b);
}

/* == to >= */
static Tx *type_comparison(Typer *t, const Expr *e, Tx *a, Tx *b)
{
    if (a->type == TYPE_NULL || b->type == TYPE_NULL)
        return compare_null(t, e);
    return tx_unify(t->arena, &a, &b) ? binary(t, e, TYPE_BOOL, a, b) : bad_operands(t, e, a, b);
}

/* + and -: numbers, amounts, texts; times and durations. */
static Tx *type_sum(Typer *t, const Expr *e, Tx *a, Tx *b)
{
    Type ta = a->type, tb = b->type;
    bool is_add = e->op == OPER_ADD, a_is_time = ta == TYPE_DATE || ta == TYPE_TIMESTAMP;
    if (a_is_time && tb == TYPE_DURATION)
        return binary(t, e, ta, a, b);
    if (is_add && ta == TYPE_DURATION && (tb == TYPE_DATE || tb == TYPE_TIMESTAMP))
        return binary(t, e, tb, b, a);
    if (!is_add && a_is_time && ta == tb)
        return binary(t, e, TYPE_DURATION, a, b);
    if (!tx_unify(t->arena, &a, &b))
        return bad_operands(t, e, a, b);
    if (is_number(a->type) || is_amount(a->type) || (is_add && a->type == TYPE_STRING))
        return binary(t, e, a->type, a, b);
    return a->type == TYPE_NULL ? a : bad_operands(t, e, a, b);
}

/* Of two amounts / gives how many times one is the other, // how many whole times, % what is left. By an int an amount
 * is cut into parts, of whole microseconds or bytes. NULL: they are no such operands. */
static Tx *divide_amount(Typer *t, const Expr *e, Tx *a, Tx *b)
{
    bool is_same = a->type == b->type;
    if (!is_amount(a->type) || (!is_same && b->type != TYPE_INT))
        return NULL;
    if (!is_same)
        return e->op == OPER_MOD ? NULL : binary(t, e, a->type, a, b);
    if (e->op == OPER_DIV)
        return binary(t, e, TYPE_FLOAT, tx_over(t->arena, TX_WIDEN, TYPE_FLOAT, a->span, &a, 1),
                      tx_over(t->arena, TX_WIDEN, TYPE_FLOAT, b->span, &b, 1));
    return binary(t, e, e->op == OPER_IDIV ? TYPE_INT : a->type, a, b);
}

/* *, // and %: what they take besides amounts is the same. */
static Tx *type_product(Typer *t, const Expr *e, Tx *a, Tx *b)
{
    Tx *divided = e->op == OPER_MUL ? NULL : divide_amount(t, e, a, b);
    if (divided)
        return divided;
    if (e->op == OPER_MUL && is_amount(a->type) && b->type == TYPE_INT)
        return binary(t, e, a->type, a, b);
    if (e->op == OPER_MUL && a->type == TYPE_INT && is_amount(b->type))
        return binary(t, e, b->type, b, a);
    if (tx_unify(t->arena, &a, &b)) {
        if (is_number(a->type))
            return binary(t, e, a->type, a, b);
        if (a->type == TYPE_NULL)
            return a;
    }
    return bad_operands(t, e, a, b);
}

/* Of floats: / and ** */
static Tx *type_quotient(Typer *t, const Expr *e, Tx *a, Tx *b)
{
    Tx *divided = e->op == OPER_DIV ? divide_amount(t, e, a, b) : NULL;
    if (divided)
        return divided;
    Tx *x = tx_convert(t->arena, a, TYPE_FLOAT), *y = tx_convert(t->arena, b, TYPE_FLOAT);
    return x && y ? binary(t, e, TYPE_FLOAT, x, y) : bad_operands(t, e, a, b);
}

static Tx *type_coalesce(Typer *t, const Expr *e, Tx *a, Tx *b)
{
    if (a->type == TYPE_NULL && b->type == TYPE_NULL)
        return a;
    return tx_unify(t->arena, &a, &b) ? binary(t, e, a->type, a, b) : bad_operands(t, e, a, b);
}

Tx *type_binary(Typer *t, const Expr *e)
{
    Tx *a = type_expr(t, e->args.ptr[0]), *b = type_expr(t, e->args.ptr[1]);
    if (a->type == TYPE_ERROR || b->type == TYPE_ERROR)
        return tx_error(t->arena, e->span);
    if (a->type == TYPE_LIST || b->type == TYPE_LIST || a->type == TYPE_TABLE ||
        b->type == TYPE_TABLE)
        return bad_operands(t, e, a, b);
    switch (e->op) {
    case OPER_AND:
    case OPER_OR:
        return type_logic(t, e, a, b);
    case OPER_EQ:
    case OPER_NE:
    case OPER_LT:
    case OPER_LE:
    case OPER_GT:
    case OPER_GE:
        return type_comparison(t, e, a, b);
    case OPER_COALESCE:
        return type_coalesce(t, e, a, b);
    case OPER_ADD:
    case OPER_SUB:
        return type_sum(t, e, a, b);
    case OPER_MUL:
    case OPER_IDIV:
    case OPER_MOD:
        return type_product(t, e, a, b);
    case OPER_DIV:
    case OPER_POW:
        return type_quotient(t, e, a, b);
    case OPER_NOT:
    case OPER_NEG:
    case OPER_IS_NULL:
    case OPER_IS_NOT_NULL:
        break;
    }
    return tx_error(t->arena, e->span);
}

/* ---- one, and three ---- */

Tx *type_unary(Typer *t, const Expr *e)
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
Tx *type_between(Typer *t, const Expr *e)
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
    if (has_null || !tx_unify(t->arena, &arg[1], &a1) || !tx_unify(t->arena, &a2, &arg[2])) {
        Diag *d = diag_add(t->diags, E_OPERAND_TYPE, e->span,
                           "`between` does not take %s, %s and %s",
                           type_name(arg[0]->type), type_name(arg[1]->type),
                           type_name(arg[2]->type));
        type_explain(t, d, arg[0]);
        for (uint32_t i = 1; i < 3; i++)
            type_habit_date(t, d, e->args.ptr[i], arg[0]->type);
        return tx_error(t->arena, e->span);
    }
    Tx *tx = binary(t, &conj, TYPE_BOOL, type_folded(t, binary(t, &le, TYPE_BOOL, arg[1], a1)),
                    type_folded(t, binary(t, &le, TYPE_BOOL, a2, arg[2])));
    if (e->is_negated) {
        tx = tx_over(t->arena, TX_UNARY, TYPE_BOOL, e->span, &tx, 1);
        tx->op = OPER_NOT;
    }
    return tx;
}

Tx *type_if(Typer *t, const Expr *e)
{
    Tx *c = type_expr_as(t, e->args.ptr[0], TYPE_BOOL, "the condition of `if`");
    Tx *a = type_expr(t, e->args.ptr[1]), *b = type_expr(t, e->args.ptr[2]);
    if (c->type == TYPE_ERROR || a->type == TYPE_ERROR || b->type == TYPE_ERROR)
        return tx_error(t->arena, e->span);
    if (!tx_unify(t->arena, &a, &b)) {
        Diag *d = diag_add(t->diags, E_BRANCH_TYPES, e->span,
                           "the branches of `if` are %s and %s", type_name(a->type),
                           type_name(b->type));
        diag_label(t->diags, d, e->args.ptr[1]->span, "%s", type_name(a->type));
        diag_label(t->diags, d, e->args.ptr[2]->span, "%s", type_name(b->type));
        if (!type_habit_date(t, d, e->args.ptr[1], b->type) && !type_habit_date(t, d, e->args.ptr[2], a->type))
            diag_help(t->diags, d, "convert one of them, for example with `string(...)`");
        return tx_error(t->arena, e->span);
    }
    if (a->type == TYPE_NULL)
        return a;
    Tx *args[3] = {c, a, b};
    return tx_over(t->arena, TX_IF, a->type, e->span, args, 3);
}

/* ---- in ---- */

static void not_a_list(Typer *t, const Expr *list)
{
    Diag *d = diag_add(t->diags, E_LIST_WANTED, list->span, "`in` wants a list in brackets");
    diag_help(t->diags, d, "for example `x in [1, 2]`; for a part of a text "
                           "`contains(text, part)`");
    if (list->is_parens && list->kind == EXPR_LITERAL) { /* in (1) */
        diag_fix_certain(t->diags, d, (Span){list->span.lo, list->span.lo + 1}, STR_LIT("["));
        diag_fix_certain(t->diags, d, (Span){list->span.hi - 1, list->span.hi}, STR_LIT("]"));
    }
}

/* An element of a list after `in`: added to the items of `in`, whose left side widens with it. False after a mistake. */
static bool type_item(Typer *t, const Expr *e, Tx *in)
{
    Tx *item = type_expr(t, e);
    Tx *a = in->args[0];
    if (item->type == TYPE_ERROR || a->type == TYPE_ERROR)
        return false;
    if (item->type == TYPE_NULL) {
        Diag *d = diag_add(t->diags, E_COMPARE_NULL, e->span, "`null` in a list never matches");
        diag_help(t->diags, d, "write `or ... is null` beside the `in`");
        return false;
    }
    if (a->type == TYPE_INT && item->type == TYPE_FLOAT) {
        in->args[0] = a = tx_convert(t->arena, a, TYPE_FLOAT);
        for (uint32_t k = 0; k < in->n_items; k++)
            in->items[k] = (Value){.type = TYPE_FLOAT, .f = (double)in->items[k].i};
    }
    Tx *same = tx_convert(t->arena, item, a->type);
    if (!same) {
        Diag *d = diag_add(t->diags, E_OPERAND_TYPE, e->span,
                           "the list holds %s %s, the value before `in` is %s",
                           type_article(item->type), type_name(item->type), type_name(a->type));
        type_explain(t, d, a);
        type_habit_date(t, d, e, a->type);
        return false;
    }
    if (same->kind != TX_CONST) {
        Diag *d = diag_add(t->diags, E_NOT_CONSTANT, e->span,
                           "the elements of a list after `in` are constants");
        diag_help(t->diags, d, "compare with `==` and join with `or`");
        return false;
    }
    if (!same->value.is_null)
        in->items[in->n_items++] = same->value;
    return true;
}

Tx *type_in(Typer *t, const Expr *e)
{
    const Expr *list = e->args.ptr[1];
    Tx *a = type_expr(t, e->args.ptr[0]);
    if (list->kind == EXPR_ERROR)
        return tx_error(t->arena, e->span);
    if (list->kind != EXPR_LIST) {
        not_a_list(t, list);
        return tx_error(t->arena, e->span);
    }
    if (a->type == TYPE_NULL)
        return compare_null(t, e);
    Tx *tx = tx_over(t->arena, TX_IN, TYPE_BOOL, e->span, &a, 1);
    tx->is_negated = e->is_negated;
    tx->items = arena_array(t->arena, Value, list->args.n);
    bool ok = a->type != TYPE_ERROR;
    for (size_t i = 0; i < list->args.n; i++)
        ok = type_item(t, list->args.ptr[i], tx) && ok;
    return ok ? tx : tx_error(t->arena, e->span);
}
