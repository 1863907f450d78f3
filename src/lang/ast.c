#include "lang/ast.h"

#include "base/diag.h"
#include "lang/parse_state.h"
#include "pipe_parse.h"

const char *operator_text(Operator op)
{
    static const char *const texts[] = {
#define OPERATOR(e, text) [OPER_##e] = text,
        OPERATORS(OPERATOR)
#undef OPERATOR
    };
    return texts[op];
}

const char *stmt_word(StmtKind k)
{
    static const char *const words[] = {
#define STMT(e, word) [STMT_##e] = word,
        STMTS(STMT)
#undef STMT
    };
    return words[k];
}

const char *format_name(Format f)
{
    switch (f) {
    case FORMAT_CSV:
        return "csv";
    case FORMAT_JSON:
        return "json";
    case FORMAT_LINES:
        return "lines";
    case FORMAT_SQLITE:
        return "sqlite";
    }
    return "?";
}

/* ---- what the grammar's actions call (parse_state.h) ---- */

Ident ident_of(const Token *t)
{
    return (Ident){t->text, t->span};
}

Arg arg_of(Ident name, Expr *value, Span span)
{
    return (Arg){name, value, span};
}

Param param_of(Ident name, TypeRef type, Expr *value, Span span)
{
    return (Param){name, type, value, span};
}

Expr *expr_new(Parse *p, ExprKind kind, Span span)
{
    Expr *e = arena_new(p->arena, Expr);
    e->kind = kind;
    e->span = span;
    return e;
}

static void raise_height(Expr *e, const Expr *child)
{
    if (child && child->height >= e->height)
        e->height = child->height + 1;
}

Expr *expr_done(Parse *p, Expr *e)
{
    raise_height(e, e->base);
    for (size_t i = 0; i < e->args.n; i++)
        raise_height(e, e->args.ptr[i]);
    for (size_t i = 0; i < e->call.n; i++)
        raise_height(e, e->call.ptr[i].value);
    if (e->height <= AST_MAX_HEIGHT)
        return e;
    parse_too_deep(p, e->op_span.hi ? e->op_span : e->span);
    return expr_new(p, EXPR_ERROR, e->span);
}

Expr *expr_unary(Parse *p, Operator op, Span op_span, Expr *a, Span span)
{
    /* -9223372036854775808 is one literal: its magnitude alone is no int (lex.c). */
    if (op == OPER_NEG && a->kind == EXPR_LITERAL && a->lit.type == TYPE_INT &&
        !a->lit.is_null && a->lit.i == INT64_MIN && !a->is_parens) {
        a->span = span;
        a->op = OPER_NEG;
        return a;
    }
    Expr *e = expr_new(p, EXPR_UNARY, span);
    e->op = op;
    e->op_span = op_span;
    vec_push(p->arena, &e->args, a);
    return expr_done(p, e);
}

/* `x - 9223372036854775808`: the literal did not become negative after all. */
static void check_magnitude(Parse *p, const Expr *e)
{
    if (e->kind == EXPR_LITERAL && e->lit.type == TYPE_INT && e->lit.i == INT64_MIN &&
        e->op != OPER_NEG && !p->tried)
        diag_add(p->diags, E_BAD_NUMBER, e->span,
                 "this number is too large for an int");
}

Expr *expr_binary(Parse *p, Operator op, Span op_span, Expr *a, Expr *b, Span span)
{
    check_magnitude(p, a);
    check_magnitude(p, b);
    Expr *e = expr_new(p, EXPR_BINARY, span);
    e->op = op;
    e->op_span = op_span;
    vec_push(p->arena, &e->args, a);
    vec_push(p->arena, &e->args, b);
    return expr_done(p, e);
}

Expr *expr_literal(Parse *p, const Token *t)
{
    Expr *e = expr_new(p, EXPR_LITERAL, t->span);
    e->lit = t->value;
    if (t->kind == TOK_RAW || t->kind == TOK_STEXT)
        e->lit = (Value){.type = TYPE_STRING, .s = t->text};
    return e;
}

Expr *expr_bool(Parse *p, bool b, Span span)
{
    Expr *e = expr_new(p, EXPR_LITERAL, span);
    e->lit = (Value){.type = TYPE_BOOL, .i = b};
    return e;
}

Expr *expr_null(Parse *p, Span span)
{
    Expr *e = expr_new(p, EXPR_LITERAL, span);
    e->lit = (Value){.type = TYPE_NULL, .is_null = true};
    return e;
}

/* A value as other languages spell it; a column called so stands in backticks. */
static Expr *foreign_value(Parse *p, const Token *t)
{
    static const struct {
        const char *text, *ours;
    } VALUES[] = {
        {"NULL", "null"}, {"Null", "null"}, {"None", "null"},   {"nil", "null"},
        {"True", "true"}, {"TRUE", "true"}, {"False", "false"}, {"FALSE", "false"},
    };
    size_t i = 0, n = sizeof VALUES / sizeof *VALUES;
    while (i < n && !str_is(t->text, VALUES[i].text))
        i++;
    if (i == n || t->kind != TOK_NAME)
        return NULL;
    const char *ours = VALUES[i].ours;
    if (!p->tried) {
        Diag *d = diag_add(p->diags, E_FOREIGN_VALUE, t->span,
                           "`%.*s` is written `%s` here", STR_ARG(t->text), ours);
        diag_help(p->diags, d, "write `%s`; a column of that name stands in backticks",
                  ours);
        diag_fix_certain(p->diags, d, t->span, str_of(ours));
    }
    return *ours == 'n' ? expr_null(p, t->span) : expr_bool(p, *ours == 't', t->span);
}

Expr *expr_name(Parse *p, const Token *t)
{
    Expr *value = foreign_value(p, t);
    if (value)
        return value;
    Expr *e = expr_new(p, EXPR_NAME, t->span);
    e->name = ident_of(t);
    return e;
}

Expr *expr_call(Parse *p, Ident name, ArgList args, Span span)
{
    Expr *e = expr_new(p, EXPR_CALL, span);
    e->name = name;
    e->op_span = name.span;
    e->call = args;
    return expr_done(p, e);
}

Expr *expr_string(Parse *p, ExprList parts, Span span)
{
    /* The scanner makes one token of a run of text. */
    bool is_text = parts.n == 1 && parts.ptr[0]->kind == EXPR_LITERAL &&
                   parts.ptr[0]->lit.type == TYPE_STRING &&
                   parts.ptr[0]->span.lo == span.lo + 1 &&
                   parts.ptr[0]->span.hi + 1 == span.hi;
    if (parts.n == 0 || is_text) {
        Expr *e = expr_new(p, EXPR_LITERAL, span);
        e->lit = (Value){.type = TYPE_STRING,
                         .s = is_text ? parts.ptr[0]->lit.s : STR_LIT("")};
        return e;
    }
    Expr *e = expr_new(p, EXPR_STRING, span);
    e->args = parts;
    return expr_done(p, e);
}

Expr *expr_batch(Parse *p, Expr *e)
{
    (void)p;
    if (e->kind == EXPR_NAME && str_is(e->name.text, "auto") && !e->is_parens)
        e->kind = EXPR_AUTO;
    return e;
}

/* Does what did not parse begin with a word whose statement leaves the columns as they are? */
static bool begins_row_wise(const Parse *p, Span span)
{
    static const char *const words[] = {"where", "sort", "take", "skip", "top", "distinct", "log", "assert", "fail", "sleep", "write", "@"};
    size_t i = p->tokens.n;
    while (i > 0 && p->tokens.ptr[i - 1].span.lo >= span.lo)
        i--;
    for (size_t k = 0; i < p->tokens.n && k < sizeof words / sizeof *words; k++)
        if (str_is(p->tokens.ptr[i].text, words[k]))
            return true;
    return false;
}

Stmt *stmt_new(Parse *p, StmtKind kind, Span span, Span word_span)
{
    Stmt *s = arena_new(p->arena, Stmt);
    s->kind = kind;
    s->span = span;
    s->word_span = word_span;
    s->keeps_columns = kind == STMT_ERROR && begins_row_wise(p, span);
    return s;
}

Stage *stage_of_op(Parse *p, Ident name, Span span)
{
    Stage *s = arena_new(p->arena, Stage);
    s->op_name = name;
    s->word_span = name.span;
    s->span = span;
    return s;
}

Stage *stage_of_body(Parse *p, StmtList body, Span span, bool is_braced)
{
    Stage *s = arena_new(p->arena, Stage);
    s->span = span;
    s->is_braced = is_braced;
    s->body = arena_new(p->arena, Op);
    s->body->body = body;
    s->body->span = s->body->body_span = span;
    s->word_span = is_braced ? (Span){span.lo, span.lo + 1} : body.ptr[0]->word_span;
    s->is_error = !is_braced && body.ptr[0]->kind == STMT_ERROR && !body.ptr[0]->keeps_columns;
    return s;
}

Decl *decl_new(Parse *p, DeclKind kind, Span span)
{
    Decl *d = arena_new(p->arena, Decl);
    d->kind = kind;
    d->span = span;
    return d;
}
