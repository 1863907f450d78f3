/* fmt_expr.c - lists with commas, and expressions. */
#include "lang/fmt_state.h"

#include "pipe_parse.h"

/* ---- lists ---- */

/* The comma behind an item, SIZE_MAX if there is none. */
static size_t comma_after(const Fmt *f, uint32_t hi)
{
    size_t i = fmt_real(f, fmt_index(f, hi));
    return fmt_token(f, i)->kind == TOK_COMMA ? i : SIZE_MAX;
}

bool fmt_is_one_a_line(const Fmt *f, const FmtList *list)
{
    if (list->n < 2)
        return false;
    for (size_t i = 0; i + 1 < list->n; i++) {
        size_t comma = comma_after(f, list->hi[i]);
        if (comma == SIZE_MAX || !fmt_has_line_end(f, comma, fmt_real(f, comma + 1)))
            return false;
    }
    return true;
}

void fmt_put_list(Fmt *f, const FmtList *list, bool is_one_a_line)
{
    fmt_open(f, GROUP_LIST, false);
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0) {
            bool has_blank = fmt_has_blank(f);
            layout_break(f->layout, is_one_a_line ? BREAK_HARD : BREAK_SPACE);
            if (has_blank && is_one_a_line)
                layout_blank(f->layout);
            fmt_comments(f);
        }
        list->put(f, list->items, i);
        if (i + 1 < list->n)
            fmt_put(f); /* the comma */
    }
    layout_close(f->layout);
    if (list->n > 0 && fmt_next_kind(f) == TOK_COMMA)
        fmt_skip(f);
}

/* ( list ), broken behind the `(` if at all. */
static void put_bracketed(Fmt *f, const FmtList *list)
{
    size_t open = fmt_real(f, f->at);
    bool is_one = fmt_has_line_end(f, open, fmt_real(f, open + 1)) && fmt_is_one_a_line(f, list);
    fmt_open(f, GROUP_PLAIN, is_one);
    layout_hang(f->layout);
    fmt_put(f);
    layout_indent(f->layout);
    if (list->n > 0) {
        layout_break(f->layout, BREAK_EMPTY);
        fmt_put_list(f, list, is_one);
    }
    fmt_comments(f);
    layout_dedent(f->layout);
    if (list->n > 0)
        layout_break(f->layout, BREAK_EMPTY);
    fmt_put(f);
    layout_dedent(f->layout);
    layout_close(f->layout);
}

static void put_arg(Fmt *f, const void *items, size_t i)
{
    const Arg *a = &((const Arg *)items)[i];
    fmt_put_until(f, a->value->span.lo);
    fmt_put_expr(f, a->value);
}

/* Where the items of a list of nodes end. */
#define ENDS(f, list, ends, SPAN)                                                        \
    uint32_t *ends = arena_array((f)->arena, uint32_t, (list)->n);                       \
    for (size_t i_ = 0; i_ < (list)->n; i_++)                                            \
        ends[i_] = (list)->ptr[i_] SPAN.hi;

void fmt_put_args(Fmt *f, const ArgList *args)
{
    ENDS(f, args, hi, .span)
    put_bracketed(f, &(FmtList){hi, args->n, args->ptr, put_arg});
}

void fmt_put_param(Fmt *f, const Param *p)
{
    if (p->value) {
        fmt_put_until(f, p->value->span.lo);
        fmt_put_expr(f, p->value);
    }
    fmt_put_until(f, p->span.hi);
}

static void put_param(Fmt *f, const void *items, size_t i)
{
    fmt_put_param(f, &((const Param *)items)[i]);
}

void fmt_put_params(Fmt *f, const ParamList *params)
{
    ENDS(f, params, hi, .span)
    put_bracketed(f, &(FmtList){hi, params->n, params->ptr, put_param});
}

/* ---- expressions ---- */

static void put_item(Fmt *f, const void *items, size_t i)
{
    fmt_put_expr(f, ((Expr *const *)items)[i]);
}

/* Where what an expression's own parentheses are around begins. */
static uint32_t content_lo(const Fmt *f, const Expr *e)
{
    switch (e->kind) {
    case EXPR_BINARY:
    case EXPR_IN:
    case EXPR_BETWEEN:
        return e->args.ptr[0]->span.lo;
    case EXPR_FIELD:
        return e->base->span.lo;
    case EXPR_IF:
        return e->op_span.lo;
    case EXPR_UNARY:
        return e->op == OPER_IS_NULL || e->op == OPER_IS_NOT_NULL ? e->args.ptr[0]->span.lo
                                                                  : e->op_span.lo;
    case EXPR_ERROR:
    case EXPR_LITERAL:
    case EXPR_STRING:
    case EXPR_LIST:
    case EXPR_NAME:
    case EXPR_CALL:
    case EXPR_AUTO:
        break;
    }
    size_t i = fmt_index(f, e->span.lo);
    while (fmt_token(f, i)->kind == TOK_LPAREN || fmt_token(f, i)->kind == TOK_NEWLINE ||
           fmt_token(f, i)->kind == TOKEN_COMMENT)
        i++;
    return fmt_token(f, i)->span.lo;
}

/* Operators of one level bind alike and are broken alike; 0: no chain. */
static int chain_level(const Expr *e)
{
    if (e->kind != EXPR_BINARY)
        return 0;
    switch (e->op) {
    case OPER_OR:
        return 1;
    case OPER_AND:
        return 2;
    case OPER_COALESCE:
        return 3;
    case OPER_ADD:
    case OPER_SUB:
        return 4;
    case OPER_MUL:
    case OPER_DIV:
    case OPER_IDIV:
    case OPER_MOD:
        return 5;
    case OPER_NOT:
    case OPER_EQ:
    case OPER_NE:
    case OPER_LT:
    case OPER_LE:
    case OPER_GT:
    case OPER_GE:
    case OPER_NEG:
    case OPER_POW:
    case OPER_IS_NULL:
    case OPER_IS_NOT_NULL:
        return 0;
    }
    return 0;
}

/* A part of an expression; if it is broken itself, its lines are indented. */
static void put_part(Fmt *f, const Expr *e)
{
    layout_indent(f->layout);
    fmt_put_expr(f, e);
    layout_dedent(f->layout);
}

typedef Vec(const Expr *) ExprRefs;

/* The operands of a chain, left to right. */
static void chain_operands(const Fmt *f, const Expr *e, int level, ExprRefs *out)
{
    for (int side = 0; side < 2; side++) {
        const Expr *part = e->args.ptr[side];
        if (chain_level(part) == level && !part->is_parens)
            chain_operands(f, part, level, out);
        else
            vec_push(f->arena, out, part);
    }
}

/* `and`, `or`, `??` stand first on a line, all other operators last. */
static void put_chain(Fmt *f, const Expr *e)
{
    int level = chain_level(e);
    bool is_first = level <= 3;
    ExprRefs parts = {0};
    chain_operands(f, e, level, &parts);
    bool was_broken = false;
    for (size_t i = 1; i < parts.n && is_first; i++) {
        size_t lo = fmt_index(f, parts.ptr[i - 1]->span.hi), op = fmt_real(f, lo);
        size_t next = fmt_real(f, op + 1);
        was_broken |= lo > 0 && fmt_has_line_end(f, lo - 1, next);
    }
    fmt_open(f, is_first ? GROUP_PLAIN : GROUP_LIST, was_broken);
    for (size_t i = 0; i < parts.n; i++) {
        if (i > 0 && is_first)
            layout_break(f->layout, BREAK_SPACE);
        if (i > 0)
            fmt_put(f); /* the operator */
        if (i > 0 && !is_first)
            layout_break(f->layout, BREAK_SPACE);
        put_part(f, parts.ptr[i]);
    }
    layout_close(f->layout);
}

/* if a then b, else if c then d, else e: each on a line of its own, or all on one. */
static void put_if(Fmt *f, const Expr *e)
{
    bool was_broken = false;
    for (const Expr *x = e; x->kind == EXPR_IF && (x == e || !x->is_parens); x = x->args.ptr[2])
        for (int i = 0; i < 2; i++) {
            size_t lo = fmt_index(f, x->args.ptr[i]->span.hi);
            was_broken |= fmt_has_line_end(f, lo - 1, fmt_real(f, fmt_real(f, lo) + 1));
        }
    fmt_open(f, GROUP_PLAIN, was_broken);
    for (;;) {
        fmt_put(f); /* if */
        fmt_open(f, GROUP_PLAIN, false);
        put_part(f, e->args.ptr[0]);
        layout_indent(f->layout);
        layout_break(f->layout, BREAK_SPACE);
        fmt_put(f); /* then */
        put_part(f, e->args.ptr[1]);
        layout_dedent(f->layout);
        layout_close(f->layout);
        layout_break(f->layout, BREAK_SPACE);
        fmt_put(f); /* else */
        e = e->args.ptr[2];
        if (e->kind != EXPR_IF || e->is_parens)
            break;
    }
    put_part(f, e);
    layout_close(f->layout);
}

static void put_binary(Fmt *f, const Expr *e)
{
    if (chain_level(e)) {
        put_chain(f, e);
        return;
    }
    fmt_open(f, GROUP_PLAIN, false);
    put_part(f, e->args.ptr[0]);
    fmt_put(f); /* the operator */
    if (e->op != OPER_POW)
        layout_break(f->layout, BREAK_SPACE);
    put_part(f, e->args.ptr[1]);
    layout_close(f->layout);
}

static void put_content(Fmt *f, const Expr *e)
{
    switch (e->kind) {
    case EXPR_ERROR:
        return;
    case EXPR_LITERAL:
        if (fmt_next_kind(f) == TOK_MINUS) {
            fmt_put(f);
            f->is_glued = true;
        }
        fmt_put(f);
        return;
    case EXPR_STRING:
    case EXPR_NAME:
    case EXPR_AUTO:
        fmt_put(f);
        return;
    case EXPR_LIST: {
        ENDS(f, &e->args, hi, ->span)
        put_bracketed(f, &(FmtList){hi, e->args.n, e->args.ptr, put_item});
        return;
    }
    case EXPR_FIELD:
        fmt_put_expr(f, e->base);
        fmt_put(f); /* . */
        fmt_put(f);
        return;
    case EXPR_CALL:
        fmt_put(f);
        f->is_glued = true;
        fmt_put_args(f, &e->call);
        return;
    case EXPR_UNARY:
        if (e->op == OPER_IS_NULL || e->op == OPER_IS_NOT_NULL) {
            fmt_put_expr(f, e->args.ptr[0]);
            fmt_put_until(f, e->op_span.hi);
            if (e->op == OPER_IS_NOT_NULL && fmt_next_kind(f) == TOK_NULL)
                fmt_put(f);
            return;
        }
        fmt_put(f);
        f->is_glued = e->op == OPER_NEG && fmt_next_kind(f) != TOK_MINUS;
        fmt_put_expr(f, e->args.ptr[0]);
        return;
    case EXPR_BINARY:
        put_binary(f, e);
        return;
    case EXPR_IN:
    case EXPR_BETWEEN:
        for (size_t i = 0; i < e->args.n; i++) {
            fmt_put_until(f, e->args.ptr[i]->span.lo);
            fmt_put_expr(f, e->args.ptr[i]);
        }
        return;
    case EXPR_IF:
        put_if(f, e);
        return;
    }
}

void fmt_put_expr(Fmt *f, const Expr *e)
{
    uint32_t lo = content_lo(f, e);
    size_t n_parens = 0;
    while (fmt_next_kind(f) == TOK_LPAREN && fmt_token(f, fmt_real(f, f->at))->span.lo < lo) {
        fmt_open(f, GROUP_PLAIN, false);
        layout_hang(f->layout);
        fmt_put(f);
        layout_indent(f->layout);
        layout_break(f->layout, BREAK_EMPTY);
        n_parens++;
    }
    put_content(f, e);
    for (; n_parens > 0; n_parens--) {
        fmt_comments(f);
        layout_dedent(f->layout);
        layout_break(f->layout, BREAK_EMPTY);
        fmt_put(f);
        layout_dedent(f->layout);
        layout_close(f->layout);
    }
}
