#include "lang/fmt.h"

#include "lang/fmt_state.h"
#include "pipe_parse.h"

/* ---- bodies in braces ---- */

/* Was the body broken between its items, or is there a comment in it? Items begin at lo. */
static bool is_body_broken(const Fmt *f, size_t open, size_t close, const uint32_t *lo, size_t n)
{
    if (fmt_has_line_end(f, open, fmt_real(f, open + 1)) || fmt_has_comment(f, open, close))
        return true;
    for (size_t i = 1; i < n; i++) {
        size_t at = fmt_index(f, lo[i]), before = at;
        while (fmt_token(f, before - 1)->kind == TOK_NEWLINE ||
               fmt_token(f, before - 1)->kind == TOK_COMMA)
            before--;
        if (fmt_has_line_end(f, before - 1, at))
            return true;
    }
    return false;
}

typedef struct Body {
    const uint32_t *lo; /* where the items begin, [n] */
    size_t n;
    uint32_t hi; /* the end of the `}` */
    BreakKind separator;
    const void *items;
    void (*put)(Fmt *f, const void *items, size_t i);
} Body;

/* From `{` to `}`. What separates the items is left out where they stand on lines. */
static void put_body(Fmt *f, const Body *b)
{
    size_t open = fmt_real(f, f->at), close = fmt_index(f, b->hi - 1);
    bool is_empty = fmt_real(f, open + 1) == close && !fmt_has_comment(f, open, close);
    bool is_broken = !is_empty && is_body_broken(f, open, close, b->lo, b->n);
    fmt_open(f, GROUP_BRACE, is_broken);
    fmt_put(f);
    layout_indent(f->layout);
    if (!is_empty)
        layout_break(f->layout, BREAK_SPACE);
    for (size_t i = 0; i < b->n; i++) {
        if (i > 0) {
            if (fmt_next_kind(f) == TOK_COMMA)
                fmt_skip(f);
            bool has_blank = fmt_has_blank(f);
            layout_break(f->layout, b->separator);
            if (has_blank)
                layout_blank(f->layout);
        }
        fmt_comments(f);
        b->put(f, b->items, i);
    }
    if (b->n > 0 && fmt_next_kind(f) == TOK_COMMA)
        fmt_skip(f);
    fmt_comments(f);
    layout_dedent(f->layout);
    if (!is_empty)
        layout_break(f->layout, BREAK_SPACE);
    f->is_glued = is_empty;
    fmt_put(f);
    layout_close(f->layout);
}

/* ---- statements ---- */

/* Names whose `=` stand in one column. */
typedef struct Run {
    size_t end;     /* the first item behind them */
    uint32_t width; /* of the widest */
} Run;

/* name = value; a value on several lines is indented below others. */
static void put_def(Fmt *f, const Def *def, bool is_indented)
{
    if (!def->value) {
        fmt_put(f);
        return;
    }
    fmt_put_until(f, def->value->span.lo);
    if (is_indented)
        layout_indent(f->layout);
    fmt_put_expr(f, def->value);
    if (is_indented)
        layout_dedent(f->layout);
}

static void put_def_item(Fmt *f, const void *items, size_t i)
{
    put_def(f, &((const Def *)items)[i], true);
}

static void put_only_def(Fmt *f, const void *items, size_t i)
{
    put_def(f, &((const Def *)items)[i], false);
}

static void put_name_item(Fmt *f, const void *items, size_t i)
{
    (void)items, (void)i;
    fmt_put(f);
}

static void put_rename_item(Fmt *f, const void *items, size_t i)
{
    fmt_put_until(f, ((const Rename *)items)[i].to.span.hi);
}

static void put_key_item(Fmt *f, const void *items, size_t i)
{
    const SortKey *key = &((const SortKey *)items)[i];
    fmt_put_expr(f, key->value);
    fmt_put_until(f, key->span.hi);
}

/* The list of a statement: FROM and TO are where the spans of an item are in it. */
#define PUT_LIST(f, list, FROM, TO, put_one)                                             \
    do {                                                                                 \
        uint32_t *hi_ = arena_array((f)->arena, uint32_t, (list)->n);                    \
        for (size_t i_ = 0; i_ < (list)->n; i_++)                                        \
            hi_[i_] = (list)->ptr[i_].TO.hi;                                             \
        if ((list)->n > 0) {                                                             \
            FmtList l_ = {hi_, (list)->n, (list)->ptr, (put_one)};                       \
            fmt_put_until((f), (list)->ptr[0].FROM.lo);                                  \
            fmt_put_list((f), &l_, fmt_is_one_a_line((f), &l_));                         \
        }                                                                                \
    } while (0)

/* Is there an empty line between aggregate i and the one before it? */
static bool begins_paragraph(const Fmt *f, const DefList *aggs, size_t i)
{
    size_t at = fmt_index(f, aggs->ptr[i].span.lo);
    for (size_t k = fmt_index(f, aggs->ptr[i - 1].span.hi); k + 1 < at; k++)
        if (fmt_is_line_end(f, k) && fmt_is_line_end(f, k + 1))
            return true;
    return false;
}

typedef struct Aggs {
    const DefList *list;
    Run *run;
} Aggs;

/* One aggregate. Between empty lines their `=` stand in one column. */
static void put_agg(Fmt *f, const void *items, size_t i)
{
    const Aggs *aggs = items;
    const DefList *list = aggs->list;
    Run *run = aggs->run;
    if (i >= run->end) {
        run->width = 0;
        run->end = i;
        do {
            uint32_t width = fmt_width(f, list->ptr[run->end].name.span);
            run->width = width > run->width ? width : run->width;
            run->end++;
        } while (run->end < list->n && !begins_paragraph(f, list, run->end));
    }
    fmt_put(f);
    layout_pad(f->layout, run->width - fmt_width(f, list->ptr[i].name.span));
    put_def(f, &list->ptr[i], true);
}

static void put_aggs(Fmt *f, const Stmt *s)
{
    uint32_t *lo = arena_array(f->arena, uint32_t, s->aggs.n);
    for (size_t i = 0; i < s->aggs.n; i++)
        lo[i] = s->aggs.ptr[i].span.lo;
    Run run = {0};
    Aggs aggs = {&s->aggs, &run};
    put_body(f, &(Body){lo, s->aggs.n, s->span.hi, BREAK_COMMA, &aggs, put_agg});
}

/* An expression of a statement and the words before it. */
static void put_clause(Fmt *f, const Expr *e)
{
    if (e) {
        fmt_put_until(f, e->span.lo);
        fmt_put_expr(f, e);
    }
}

static void put_with(Fmt *f, const Stmt *s)
{
    size_t next = fmt_real(f, f->at);
    if (fmt_token(f, next)->kind == TOK_WITH && fmt_token(f, next)->span.lo < s->span.hi) {
        fmt_put(f);
        fmt_put_args(f, &s->with);
    }
}

/* What it asserts, and the message, on a line of its own if need be. */
static void put_assert(Fmt *f, const Stmt *s)
{
    fmt_open(f, GROUP_LIST, false);
    put_clause(f, s->exprs.ptr[0]);
    fmt_put(f); /* the comma */
    layout_break(f->layout, BREAK_SPACE);
    put_clause(f, s->exprs.ptr[1]);
    layout_close(f->layout);
}

/* Whatever a statement has, in the order of the text: what it has not is empty. */
static void put_stmt(Fmt *f, const Stmt *s)
{
    fmt_put(f);
    layout_indent(f->layout);
    put_clause(f, s->path);
    put_clause(f, s->query);
    put_clause(f, s->table);
    if (s->kind == STMT_READ || s->kind == STMT_WRITE)
        put_with(f, s);
    PUT_LIST(f, &s->names, span, span, put_name_item);
    if (s->kind == STMT_ASSERT)
        put_assert(f, s);
    for (size_t i = 0; i < s->exprs.n && s->kind != STMT_ASSERT; i++)
        put_clause(f, s->exprs.ptr[i]);
    put_clause(f, s->batch);
    PUT_LIST(f, &s->renames, from.span, to.span, put_rename_item);
    PUT_LIST(f, &s->keys, span, span, put_key_item);
    PUT_LIST(f, &s->defs, span, span, s->defs.n == 1 ? put_only_def : put_def_item);
    layout_dedent(f->layout);
    if (s->kind == STMT_GROUP || s->kind == STMT_AGGREGATE)
        put_aggs(f, s);
    fmt_put_until(f, s->span.hi);
}

static void put_stmt_item(Fmt *f, const void *items, size_t i)
{
    put_stmt(f, ((Stmt *const *)items)[i]);
}

static void put_stmts(Fmt *f, const StmtList *body, Span braces)
{
    uint32_t *lo = arena_array(f->arena, uint32_t, body->n);
    for (size_t i = 0; i < body->n; i++)
        lo[i] = body->ptr[i]->span.lo;
    put_body(f, &(Body){lo, body->n, braces.hi, BREAK_SEMI, body->ptr, put_stmt_item});
}

/* ---- jobs ---- */

static void put_annotation(Fmt *f, const Annotation *a)
{
    fmt_put_until(f, a->name.span.hi);
    if (fmt_next_kind(f) == TOK_LPAREN && fmt_token(f, fmt_real(f, f->at))->span.lo < a->span.hi) {
        f->is_glued = true;
        fmt_put_args(f, &a->args);
    }
}

static void put_stage(Fmt *f, const Stage *s)
{
    if (s->kind != STAGE_ONCE)
        fmt_put(f);
    if (s->op_name.text.len) {
        fmt_put(f);
        if (s->has_args) {
            f->is_glued = true;
            fmt_put_args(f, &s->args);
        }
    } else if (s->body && s->is_braced) {
        put_stmts(f, &s->body->body, s->body->body_span);
    } else if (s->body) {
        put_stmt(f, s->body->body.ptr[0]);
    }
    for (size_t i = 0; i < s->annotations.n; i++)
        put_annotation(f, &s->annotations.ptr[i]);
}

/* A `let` among declarations or flows: who wants the `=` of names that follow each other in one column has put them
 * so. Where the name of item i stands; {0, 0}: it has none. */
typedef Span (*NameAt)(const void *items, size_t i);

/* The names of the run that begins with item i, or goes on with it, have their `=` in the column of that of item i. */
static void extend_run(const Fmt *f, Run *run, const void *items, size_t n, size_t i, NameAt name_at)
{
    if (i < run->end)
        return;
    uint32_t column = fmt_column(f, fmt_index(f, name_at(items, i).hi));
    run->width = 0;
    for (run->end = i; run->end < n; run->end++) {
        Span name = name_at(items, run->end);
        if (!name.hi || fmt_column(f, fmt_index(f, name.hi)) != column)
            return;
        uint32_t width = fmt_width(f, name);
        run->width = width > run->width ? width : run->width;
    }
}

static Span flow_name(const void *items, size_t i)
{
    return ((const FlowList *)items)->ptr[i]->name.span;
}

static Span decl_name(const void *items, size_t i)
{
    const Decl *d = ((const DeclList *)items)->ptr[i];
    return d->kind == DECL_LET ? d->name.span : (Span){0, 0};
}

/* The name of a let, and what its `=` needs to stand below the others. */
static void put_let_name(Fmt *f, Run *run, const void *items, size_t n, size_t i, NameAt name_at)
{
    Span name = name_at(items, i);
    extend_run(f, run, items, n, i, name_at);
    fmt_put_until(f, name.hi);
    layout_pad(f->layout, run->width - fmt_width(f, name));
}

typedef struct Flows {
    const FlowList *list;
    Run *run;
} Flows;

static void put_flow(Fmt *f, const void *items, size_t i)
{
    const Flows *flows = items;
    const Flow *flow = flows->list->ptr[i];
    bool was_broken = false;
    for (size_t k = 1; k < flow->stages.n; k++) {
        size_t at = fmt_index(f, flow->stages.ptr[k - 1]->span.hi);
        was_broken |= fmt_has_line_end(f, at - 1, fmt_index(f, flow->stages.ptr[k]->span.lo));
    }
    fmt_open(f, GROUP_FLOW, was_broken);
    if (flow->name.text.len) {
        put_let_name(f, flows->run, flows->list, flows->list->n, i, flow_name);
        fmt_put_until(f, flow->stages.ptr[0]->span.lo);
    }
    put_stage(f, flow->stages.ptr[0]);
    layout_indent(f->layout);
    for (size_t k = 1; k < flow->stages.n; k++) {
        layout_break(f->layout, BREAK_SPACE);
        fmt_put(f); /* | */
        put_stage(f, flow->stages.ptr[k]);
    }
    layout_dedent(f->layout);
    layout_close(f->layout);
}

/* ---- declarations ---- */

/* The fields of a schema, and its `...`, which is one item more. */
static void put_field(Fmt *f, const void *items, size_t i)
{
    const ParamList *fields = items;
    if (i < fields->n)
        fmt_put_param(f, &fields->ptr[i]);
    else
        fmt_put(f);
}

static void put_fields(Fmt *f, const void *items, size_t i)
{
    const Decl *d = items;
    size_t n = d->params.n + d->is_open;
    uint32_t *hi = arena_array(f->arena, uint32_t, n);
    (void)i;
    for (size_t k = 0; k < d->params.n; k++)
        hi[k] = d->params.ptr[k].span.hi;
    FmtList list = {hi, n, &d->params, put_field};
    fmt_put_list(f, &list, fmt_is_one_a_line(f, &list));
}

/* The token before the text position `lo` that is neither a comment nor a line end. */
static size_t field_end(const Fmt *f, uint32_t lo)
{
    size_t at = fmt_index(f, lo) - 1;
    while (fmt_token(f, at)->kind == TOK_NEWLINE || fmt_token(f, at)->kind == TOKEN_COMMENT)
        at--;
    return at;
}

/* Where the fields of a schema and its `...` begin, if line ends separate some of them; NULL: commas do, everywhere. */
static uint32_t *fields_of_lines(const Fmt *f, const Decl *d, size_t n)
{
    uint32_t *lo = arena_array(f->arena, uint32_t, n);
    bool has_line = false;
    for (size_t k = 0; k < d->params.n; k++)
        lo[k] = d->params.ptr[k].span.lo;
    if (d->is_open) {
        size_t dots = field_end(f, d->span.hi - 1);
        if (fmt_token(f, dots)->kind == TOK_COMMA)
            dots = field_end(f, fmt_token(f, dots)->span.lo);
        lo[n - 1] = fmt_token(f, dots)->span.lo;
    }
    for (size_t k = 1; k < n; k++)
        has_line |= fmt_token(f, field_end(f, lo[k]))->kind != TOK_COMMA;
    return has_line ? lo : NULL;
}

static void put_schema(Fmt *f, const Decl *d)
{
    size_t n = d->params.n + d->is_open;
    const uint32_t *lo = fields_of_lines(f, d, n);
    fmt_put_until(f, d->name.span.hi);
    if (lo)
        put_body(f, &(Body){lo, n, d->span.hi, BREAK_COMMA, &d->params, put_field});
    else
        put_body(f, &(Body){NULL, n > 0, d->span.hi, BREAK_HARD, d, put_fields});
}

static void put_flows(Fmt *f, const Decl *d)
{
    uint32_t *lo = arena_array(f->arena, uint32_t, d->flows.n);
    for (size_t i = 0; i < d->flows.n; i++)
        lo[i] = d->flows.ptr[i]->span.lo;
    Run run = {0};
    Flows flows = {&d->flows, &run};
    put_body(f, &(Body){lo, d->flows.n, d->span.hi, BREAK_SEMI, &flows, put_flow});
}

static void put_fn(Fmt *f, const Decl *d)
{
    fmt_put_until(f, d->name.span.hi);
    f->is_glued = true;
    fmt_put_params(f, &d->params);
    while (fmt_next_kind(f) != TOK_ASSIGN)
        fmt_put(f);
    fmt_put(f);
    fmt_open(f, GROUP_PLAIN, false);
    layout_indent(f->layout);
    layout_break(f->layout, BREAK_SPACE);
    fmt_put_expr(f, d->value);
    layout_dedent(f->layout);
    layout_close(f->layout);
}

/* A person may put each annotation on a line of its own; a declaration that takes several lines
 * begins one. */
static void put_annotations(Fmt *f, const AnnotationList *list)
{
    for (size_t i = 0; i < list->n; i++) {
        put_annotation(f, &list->ptr[i]);
        if (fmt_has_line_end(f, f->at - 1, fmt_real(f, f->at)))
            layout_break(f->layout, BREAK_HARD);
        else if (i + 1 == list->n)
            layout_break(f->layout, BREAK_SPACE);
        fmt_comments(f);
    }
}

static void put_op(Fmt *f, const Decl *d)
{
    fmt_put_until(f, d->name.span.hi);
    if (fmt_next_kind(f) == TOK_LPAREN) {
        f->is_glued = true;
        fmt_put_params(f, &d->op->params);
    }
    put_stmts(f, &d->op->body, d->op->body_span);
}

static void put_decl(Fmt *f, Run *lets, const DeclList *decls, size_t i)
{
    const Decl *d = decls->ptr[i];
    switch (d->kind) {
    case DECL_ERROR:
        return;
    case DECL_USE:
        fmt_put_until(f, d->span.hi);
        return;
    case DECL_PARAM:
        layout_indent(f->layout);
        fmt_put_param(f, &d->param);
        layout_dedent(f->layout);
        return;
    case DECL_LET:
        put_let_name(f, lets, decls, decls->n, i, decl_name);
        layout_indent(f->layout);
        put_clause(f, d->value);
        layout_dedent(f->layout);
        return;
    case DECL_FN:
        put_fn(f, d);
        return;
    case DECL_SCHEMA:
        put_schema(f, d);
        return;
    case DECL_OP:
        put_op(f, d);
        return;
    case DECL_JOB:
        fmt_put_until(f, d->name.span.hi);
        put_flows(f, d);
        return;
    }
}

static bool has_body(const Decl *d)
{
    return d->kind == DECL_OP || d->kind == DECL_JOB || d->kind == DECL_SCHEMA;
}

/* Is there an empty line between two declarations, before or behind comments? */
static bool are_apart(const Fmt *f, const Decl *a, const Decl *b)
{
    size_t to = fmt_index(f, b->span.lo);
    for (size_t i = fmt_index(f, a->span.hi); i + 1 < to; i++)
        if (fmt_is_line_end(f, i) && fmt_is_line_end(f, i + 1))
            return true;
    return false;
}

void fmt_program(Buf *out, const Ast *ast)
{
    Arena *arena = arena_open();
    Fmt f = {.arena = arena, .layout = layout_new(arena), .ast = ast};
    const DeclList *decls = &ast->decls;
    bool was_tall = false;
    Run lets = {0};
    fmt_comments(&f);
    for (size_t i = 0; i < decls->n; i++) {
        const Decl *d = decls->ptr[i];
        bool has_blank = fmt_has_blank(&f);
        if (i > 0)
            layout_break(f.layout, BREAK_HARD);
        if (i > 0 && has_blank)
            layout_blank(f.layout);
        size_t place = layout_place(f.layout);
        fmt_open(&f, GROUP_PLAIN, false);
        size_t start = layout_place(f.layout);
        put_annotations(&f, &d->annotations);
        put_decl(&f, &lets, decls, i);
        layout_close(f.layout);
        /* What has a body on several lines stands apart. */
        bool is_tall = has_body(d) && layout_is_tall(f.layout, start);
        if (i > 0 && (is_tall || was_tall) && !are_apart(&f, decls->ptr[i - 1], d))
            layout_blank_at(f.layout, place);
        was_tall = is_tall;
    }
    fmt_comments(&f);
    layout_render(f.layout, out);
    arena_close(arena);
}
