#include "lang/ast_dump.h"

typedef struct Dump {
    Buf *out;
    const Source *source;
    bool with_spans;
    uint32_t depth;
} Dump;

/* ---- expressions ---- */

static void put_name(Buf *out, Str name)
{
    bool is_plain = name.len > 0;
    for (uint32_t i = 0; i < name.len && is_plain; i++) {
        char c = name.ptr[i];
        is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                   (c & 0x80) || (i > 0 && c >= '0' && c <= '9');
    }
    buf_printf(out, is_plain ? "%.*s" : "`%.*s`", STR_ARG(name));
}

static void put_arg(Buf *out, const Arg *a)
{
    buf_putc(out, ' ');
    if (a->name.text.len) {
        put_name(out, a->name.text);
        buf_puts(out, ": ");
    }
    ast_dump_expr(out, a->value);
}

static void put_operands(Buf *out, const ExprList *list)
{
    for (size_t i = 0; i < list->n; i++) {
        buf_putc(out, ' ');
        ast_dump_expr(out, list->ptr[i]);
    }
    buf_putc(out, ')');
}

void ast_dump_expr(Buf *out, const Expr *e)
{
    switch (e->kind) {
    case EXPR_ERROR:
        buf_puts(out, "(error)");
        return;
    case EXPR_LITERAL:
        value_print_literal(out, e->lit);
        return;
    case EXPR_STRING:
        buf_puts(out, "(string");
        put_operands(out, &e->args);
        return;
    case EXPR_LIST:
        buf_puts(out, "(list");
        put_operands(out, &e->args);
        return;
    case EXPR_NAME:
        put_name(out, e->name.text);
        return;
    case EXPR_FIELD:
        buf_puts(out, "(. ");
        ast_dump_expr(out, e->base);
        buf_putc(out, ' ');
        put_name(out, e->name.text);
        buf_putc(out, ')');
        return;
    case EXPR_CALL:
        buf_puts(out, "(call ");
        put_name(out, e->name.text);
        for (size_t i = 0; i < e->call.n; i++)
            put_arg(out, &e->call.ptr[i]);
        buf_putc(out, ')');
        return;
    case EXPR_UNARY:
    case EXPR_BINARY:
        buf_printf(out, "(%s", operator_text(e->op));
        put_operands(out, &e->args);
        return;
    case EXPR_IN:
        buf_puts(out, e->is_negated ? "(not in" : "(in");
        put_operands(out, &e->args);
        return;
    case EXPR_BETWEEN:
        buf_puts(out, e->is_negated ? "(not between" : "(between");
        put_operands(out, &e->args);
        return;
    case EXPR_IF:
        buf_puts(out, "(if");
        put_operands(out, &e->args);
        return;
    case EXPR_AUTO:
        buf_puts(out, "auto");
        return;
    }
}

/* ---- lines ---- */

static void begin_node(Dump *d, const char *kind)
{
    if (d->out->len)
        buf_putc(d->out, '\n');
    for (uint32_t i = 0; i < d->depth; i++)
        buf_puts(d->out, "  ");
    buf_printf(d->out, "(%s", kind);
    d->depth++;
}

static void end_node(Dump *d)
{
    d->depth--;
    buf_putc(d->out, ')');
}

static void put_span(Dump *d, Span span)
{
    if (d->with_spans) {
        uint32_t base = source_base(d->source);
        buf_printf(d->out, " @%u-%u", span.lo - base, span.hi - base);
    }
}

static void put_ident(Dump *d, Ident name)
{
    if (name.text.len) {
        buf_putc(d->out, ' ');
        put_name(d->out, name.text);
    }
}

static void put_expr(Dump *d, const Expr *e)
{
    buf_putc(d->out, ' ');
    ast_dump_expr(d->out, e);
}

/* (word expr) inside a line, if there is one. */
static void put_clause(Dump *d, const char *word, const Expr *e)
{
    if (e) {
        buf_printf(d->out, " (%s", word);
        put_expr(d, e);
        buf_putc(d->out, ')');
    }
}

static void put_args(Dump *d, const char *word, const ArgList *args)
{
    if (args->n == 0)
        return;
    buf_printf(d->out, " (%s", word);
    for (size_t i = 0; i < args->n; i++)
        put_arg(d->out, &args->ptr[i]);
    buf_putc(d->out, ')');
}

static void put_param(Dump *d, const Param *p)
{
    buf_putc(d->out, ' ');
    put_name(d->out, p->name.text);
    if (p->type.name.len)
        buf_printf(d->out, ": %.*s", STR_ARG(p->type.name));
    if (p->value) {
        buf_puts(d->out, " =");
        put_expr(d, p->value);
    }
}

static void put_params(Dump *d, const ParamList *params, bool is_open)
{
    if (params->n == 0 && !is_open)
        return;
    begin_node(d, "params");
    for (size_t i = 0; i < params->n; i++)
        put_param(d, &params->ptr[i]);
    if (is_open)
        buf_puts(d->out, " ...");
    end_node(d);
}

static void put_annotations(Dump *d, const AnnotationList *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const Annotation *a = &list->ptr[i];
        begin_node(d, "annotation");
        put_ident(d, a->name);
        put_span(d, a->span);
        for (size_t k = 0; k < a->args.n; k++)
            put_arg(d->out, &a->args.ptr[k]);
        end_node(d);
    }
}

static void put_defs(Dump *d, const char *kind, const DefList *defs)
{
    for (size_t i = 0; i < defs->n; i++) {
        const Def *def = &defs->ptr[i];
        begin_node(d, kind);
        if (def->is_wildcard)
            buf_puts(d->out, " *");
        put_ident(d, def->name);
        put_span(d, def->span);
        if (def->value)
            put_expr(d, def->value);
        end_node(d);
    }
}

static const char *join_word(JoinKind kind)
{
    switch (kind) {
    case JOIN_INNER:
        return "inner";
    case JOIN_LEFT:
        return "left";
    case JOIN_SEMI:
        return "semi";
    case JOIN_ANTI:
        return "anti";
    }
    return "?";
}

/* Whatever a statement has, in one order: what it has not is empty. */
static void put_stmt(Dump *d, const Stmt *s)
{
    begin_node(d, s->kind == STMT_ERROR ? "error" : stmt_word(s->kind));
    put_span(d, s->span);
    if (s->kind == STMT_READ || s->kind == STMT_WRITE)
        buf_printf(d->out, " %s", format_name(s->format));
    if (s->kind == STMT_JOIN)
        buf_printf(d->out, " %s", join_word(s->join));
    if (s->is_permanent)
        buf_puts(d->out, " permanent");
    if (s->is_into)
        buf_puts(d->out, " into");
    if (s->path)
        put_expr(d, s->path);
    put_ident(d, s->table_name);
    for (size_t i = 0; i < s->names.n; i++)
        put_ident(d, s->names.ptr[i]);
    for (size_t i = 0; i < s->exprs.n; i++)
        put_expr(d, s->exprs.ptr[i]);
    put_clause(d, "query", s->query);
    put_clause(d, "table", s->table);
    put_args(d, "with", &s->with);
    if (s->schema.text.len) {
        buf_puts(d->out, " (as");
        put_ident(d, s->schema);
        buf_putc(d->out, ')');
    }
    put_clause(d, "batch", s->batch);
    for (size_t i = 0; i < s->renames.n; i++) {
        buf_puts(d->out, " (->");
        put_ident(d, s->renames.ptr[i].from);
        put_ident(d, s->renames.ptr[i].to);
        buf_putc(d->out, ')');
    }
    for (size_t i = 0; i < s->keys.n; i++) {
        const SortKey *k = &s->keys.ptr[i];
        put_clause(d, k->is_desc ? "desc" : "asc", k->value);
    }
    put_defs(d, s->kind == STMT_GROUP ? "by" : "column", &s->defs);
    put_defs(d, "aggregate", &s->aggs);
    end_node(d);
}

static void put_body(Dump *d, const StmtList *body)
{
    for (size_t i = 0; i < body->n; i++)
        put_stmt(d, body->ptr[i]);
}

static void put_stage(Dump *d, const Stage *s)
{
    const char *kind = s->kind == STAGE_MAP       ? "map"
                       : s->kind == STAGE_COLLECT ? "collect"
                                                  : "once";
    begin_node(d, kind);
    put_ident(d, s->op_name);
    if (s->body && s->is_braced)
        buf_puts(d->out, " {}");
    put_span(d, s->span);
    put_args(d, "args", &s->args);
    put_annotations(d, &s->annotations);
    if (s->body)
        put_body(d, &s->body->body);
    end_node(d);
}

static void put_flow(Dump *d, const Flow *f)
{
    begin_node(d, "flow");
    put_ident(d, f->name);
    put_span(d, f->span);
    for (size_t i = 0; i < f->stages.n; i++)
        put_stage(d, f->stages.ptr[i]);
    end_node(d);
}

static const char *decl_word(DeclKind kind)
{
    switch (kind) {
    case DECL_ERROR:
        return "error";
    case DECL_USE:
        return "use";
    case DECL_PARAM:
        return "param";
    case DECL_LET:
        return "let";
    case DECL_SCHEMA:
        return "schema";
    case DECL_FN:
        return "fn";
    case DECL_OP:
        return "op";
    case DECL_JOB:
        return "job";
    }
    return "?";
}

static void put_decl(Dump *d, const Decl *decl)
{
    begin_node(d, decl_word(decl->kind));
    if (decl->kind == DECL_PARAM || decl->kind == DECL_LET)
        put_param(d, &decl->param);
    else
        put_ident(d, decl->name);
    if (decl->type.name.len)
        buf_printf(d->out, " -> %.*s", STR_ARG(decl->type.name));
    put_span(d, decl->span);
    if (decl->path)
        put_expr(d, decl->path);
    if (decl->kind == DECL_FN)
        put_expr(d, decl->value);
    put_annotations(d, &decl->annotations);
    put_params(d, &decl->params, decl->is_open);
    if (decl->op) {
        put_params(d, &decl->op->params, false);
        put_body(d, &decl->op->body);
    }
    for (size_t i = 0; i < decl->flows.n; i++)
        put_flow(d, decl->flows.ptr[i]);
    end_node(d);
}

void ast_dump(Buf *out, const Ast *ast, bool with_spans)
{
    Buf text = {0};
    Dump d = {.out = &text, .source = ast->source, .with_spans = with_spans};
    for (size_t i = 0; i < ast->decls.n; i++)
        put_decl(&d, ast->decls.ptr[i]);
    if (text.len)
        buf_putc(&text, '\n');
    buf_put_str(out, buf_str(&text));
    buf_deinit(&text);
}
