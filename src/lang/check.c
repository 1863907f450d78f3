#include "lang/check.h"

#include <string.h>
#include <sys/stat.h>

#include "base/builtins.h"
#include "lang/check_state.h"
#include "lang/parse.h"

/* ---- names ---- */

const ConstDef *program_const(const Program *p, Str name)
{
    return map_get(&p->names->consts, name);
}

const SchemaDef *program_schema(const Program *p, Str name)
{
    return map_get(&p->names->schemas, name);
}

const FnDef *program_fn(const Program *p, Str name)
{
    return map_get(&p->names->fns, name);
}

const OpDef *program_op(const Program *p, Str name)
{
    return map_get(&p->names->ops, name);
}

const JobDef *program_job(const Program *p, Str name)
{
    return map_get(&p->names->jobs, name);
}

bool program_is_lost(const Program *p, Str name)
{
    return map_get(&p->names->lost, name) != NULL;
}

static const ParamDef *find_param(const ParamDef *params, uint32_t n, Str name)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(params[i].name.text, name))
            return &params[i];
    return NULL;
}

const ParamDef *op_param(const OpDef *op, Str name)
{
    return find_param(op->params, op->n_params, name);
}

const ParamDef *fn_param(const FnDef *fn, Str name)
{
    return find_param(fn->params, fn->n_params, name);
}

const char *check_other_kind(Check *c, Diag *d, Str name)
{
    const struct ProgramNames *n = c->program->names;
    const struct {
        const Map *map;
        const char *kind;
    } kinds[] = {{&n->ops, "an op"},
                 {&n->fns, "a fn"},
                 {&n->jobs, "a job"},
                 {&n->schemas, "a schema"},
                 {&n->consts, "a constant"}};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const Ident *at = map_get(kinds[i].map, name);
        if (at) {
            diag_label(c->diags, d, at->span, "`%.*s` is %s", STR_ARG(name),
                       kinds[i].kind);
            return kinds[i].kind;
        }
    }
    return NULL;
}

/* Enters def under its name, or says that the name is taken: then the first stays.
 * Every def begins with its name. */
static bool declare(Check *c, Map *names, void *def, const char *what)
{
    const Ident *name = def, *first = map_get(names, name->text);

    if (name->text.len == 0)
        return false;
    if (!first) {
        map_put(names, name->text, def);
        return true;
    }
    Diag *d = diag_add(c->diags, E_DUPLICATE_NAME, name->span,
                       "%s `%.*s` is declared twice", what, STR_ARG(name->text));
    diag_label(c->diags, d, first->span, "it is declared here first");
    return false;
}

/* ---- parameters, fields ---- */

/* of: "op" or "fn". */
static const ParamDef *make_params(Check *c, const ParamList *list, const char *of,
                                   uint32_t *n)
{
    ParamDef *params = arena_array(c->arena, ParamDef, list->n);
    bool tables = strcmp(of, "op") == 0;
    Map seen;

    map_init(&seen, c->arena);
    *n = 0;
    for (size_t i = 0; i < list->n; i++) {
        const Param *param = &list->ptr[i];
        ParamDef def = {param->name, TYPE_ERROR, param->value};
        const ParamDef *first = map_get(&seen, param->name.text);
        def.type = check_type(c, &param->type, tables, "a parameter of a fn");
        if (param->name.text.len == 0)
            continue;
        if (first) {
            Diag *d = diag_add(c->diags, E_DUPLICATE_PARAM, param->name.span,
                               "parameter `%.*s` is declared twice",
                               STR_ARG(param->name.text));
            diag_label(c->diags, d, first->name.span, "it is declared here first");
        }
        if (def.type == TYPE_TABLE && def.value) {
            Diag *d =
                diag_add(c->diags, E_TABLE_TYPE, def.value->span,
                         "a table has no default: a flow is passed where the op is "
                         "used");
            diag_label(c->diags, d, param->type.span, "`%.*s` is a table",
                       STR_ARG(param->name.text));
            def.value = NULL;
        }
        params[*n] = def; /* the second of a name too: arguments are counted by place */
        if (!first)
            map_put(&seen, param->name.text, &params[*n]);
        ++*n;
    }
    return params;
}

static void make_fields(Check *c, const Decl *decl, SchemaDef *def)
{
    size_t n = decl->params.n;
    SchemaCol *cols = arena_array(c->arena, SchemaCol, n);
    Span *spans = arena_array(c->arena, Span, n);
    Span *type_spans = arena_array(c->arena, Span, n);
    uint32_t k = 0;
    Map seen;

    map_init(&seen, c->arena);
    for (size_t i = 0; i < n; i++) {
        const Param *field = &decl->params.ptr[i];
        const Param *first = map_get(&seen, field->name.text);
        Type type = check_type(c, &field->type, false, "a column");
        if (field->name.text.len == 0)
            continue;
        if (first) {
            Diag *d = diag_add(c->diags, E_DUPLICATE_COLUMN, field->name.span,
                               "`%.*s` is declared twice", STR_ARG(field->name.text));
            diag_label(c->diags, d, first->name.span, "it stands here first");
            continue;
        }
        map_put(&seen, field->name.text, &decl->params.ptr[i]);
        cols[k] = (SchemaCol){field->name.text, type};
        spans[k] = field->name.span;
        type_spans[k++] = field->type.span;
    }
    def->schema = (Schema){k, cols};
    def->col_spans = spans;
    def->type_spans = type_spans;
}

/* ---- declarations ---- */

static void add_const(Check *c, const Decl *decl, bool is_param)
{
    ConstDef *def = arena_new(c->arena, ConstDef);

    *def = (ConstDef){.name = decl->param.name,
                      .is_param = is_param,
                      .type = TYPE_ERROR,
                      .value = decl->param.value,
                      .span = decl->span};
    if (is_param)
        def->type = check_type(c, &decl->param.type, false, "a param");
    if (declare(c, &c->program->names->consts, def, is_param ? "param" : "let"))
        vec_push(c->arena, &c->program->consts, def);
}

static void add_schema(Check *c, const Decl *decl)
{
    SchemaDef *def = arena_new(c->arena, SchemaDef);

    *def =
        (SchemaDef){.name = decl->name, .is_open = decl->is_open, .span = decl->span};
    make_fields(c, decl, def);
    if (declare(c, &c->program->names->schemas, def, "schema"))
        vec_push(c->arena, &c->program->schemas, def);
}

static void add_fn(Check *c, const Decl *decl)
{
    FnDef *def = arena_new(c->arena, FnDef);

    *def = (FnDef){.name = decl->name, .value = decl->value, .span = decl->span};
    def->params = make_params(c, &decl->params, "fn", &def->n_params);
    def->type = check_type(c, &decl->type, false, "the result of a fn");
    if (builtin_find(decl->name.text, def->n_params)) {
        Diag *d = diag_add(c->diags, E_BUILTIN_NAME, decl->name.span,
                           "there is a built-in function `%.*s` already",
                           STR_ARG(decl->name.text));
        diag_help(c->diags, d, "choose another name");
    }
    if (declare(c, &c->program->names->fns, def, "fn"))
        vec_push(c->arena, &c->program->fns, def);
}

static void add_op(Check *c, const Decl *decl)
{
    OpDef *def = arena_new(c->arena, OpDef);

    *def = (OpDef){.name = decl->op->name, .op = decl->op};
    def->params = make_params(c, &decl->op->params, "op", &def->n_params);
    def->annots = annots_resolve(c->arena, c->diags, &decl->op->annotations, ON_OP);
    vec_push(c->arena, &c->ops, def);
    if (declare(c, &c->program->names->ops, def, "op"))
        vec_push(c->arena, &c->program->ops, def);
}

static void add_job(Check *c, const Decl *decl, bool is_main)
{
    JobDef *def = arena_new(c->arena, JobDef);

    *def = (JobDef){.name = decl->name, .decl = decl, .is_main = is_main};
    vec_push(c->arena, &c->jobs, def);
    if (declare(c, &c->program->names->jobs, def, "job"))
        vec_push(c->arena, &c->program->jobs, def);
}

/* ---- files ---- */

static void add_file(Check *c, const Ast *ast);

/* One file under two names is read once. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat sa, sb;

    return strcmp(a, b) == 0 || (stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
                                 sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino);
}

static bool is_read_already(Check *c, const char *path)
{
    for (size_t i = 0; i < c->program->files.n; i++) {
        Str name = source_name(c->program->files.ptr[i]->source);
        if (is_same_file(path, arena_str(c->arena, name).ptr))
            return true;
    }
    return false;
}

/* The path of a used file, relative to the file that uses it. */
static Str use_path(Check *c, const Source *from, Str path)
{
    Str name = source_name(from);
    uint32_t n_dir = name.len;

    while (n_dir > 0 && name.ptr[n_dir - 1] != '/')
        n_dir--;
    if (path.len > 0 && path.ptr[0] == '/')
        n_dir = 0;
    /* "-" alone would be stdin. */
    return arena_printf(c->arena, "%.*s%s%.*s", (int)n_dir, name.ptr,
                        str_is(path, "-") ? "./" : "", STR_ARG(path));
}

static void add_used(Check *c, const Ast *from, const Decl *decl)
{
    const Expr *e = decl->path;
    const Source *source = NULL;
    Error err = {0};
    Status st;

    if (!e || e->kind == EXPR_ERROR)
        return;
    if (e->kind != EXPR_LITERAL || e->lit.type != TYPE_STRING) {
        diag_add(c->diags, E_USE, e->span, "the path after `use` is a plain string");
        return;
    }
    Str path = use_path(c, from->source, e->lit.s);
    if (is_read_already(c, path.ptr))
        return;
    if (c->host)
        st = c->host->read(c->host->ctx, c->sources, path.ptr, &source, &err);
    else
        st = sources_read(c->sources, path.ptr, &source, &err);
    if (st != OK) {
        diag_add(c->diags, E_USE, e->span, "%s", err.text);
        return;
    }
    add_file(c, parse_file(c->arena, source, c->diags));
}

static void add_decl(Check *c, const Ast *ast, const Decl *decl)
{
    switch (decl->kind) {
    case DECL_ERROR:
        break;
    case DECL_USE:
        add_used(c, ast, decl);
        break;
    case DECL_PARAM:
        add_const(c, decl, true);
        break;
    case DECL_LET:
        add_const(c, decl, false);
        break;
    case DECL_SCHEMA:
        add_schema(c, decl);
        break;
    case DECL_FN:
        add_fn(c, decl);
        break;
    case DECL_OP:
        add_op(c, decl);
        break;
    case DECL_JOB:
        add_job(c, decl, ast == c->program->main);
        break;
    }
}

static bool is_word(const Token *t)
{
    char c = t->text.len ? t->text.ptr[0] : '\0';
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static void lose(Check *c, const Token *t)
{
    map_put(&c->program->names->lost, t->text, (void *)(uintptr_t)t);
}

/* `op clean up`, `op clean-up`: used as clean_up. */
static void lose_parted_name(Check *c, const TokenList *tokens, size_t first)
{
    Buf name = {0};
    size_t n_words = 0;
    for (size_t i = first; i < tokens->n; i++) {
        Str text = tokens->ptr[i].text;
        if (is_word(&tokens->ptr[i]))
            buf_printf(&name, "%s%.*s", n_words++ ? "_" : "", STR_ARG(text));
        else if (!str_is(text, "-"))
            break;
    }
    if (n_words > 1)
        map_put(&c->program->names->lost, arena_str(c->arena, buf_str(&name)), (void *)(uintptr_t)&tokens->ptr[first]);
    buf_deinit(&name);
}

/* What stands after `op`, `fn`, `let` ... in a text with mistakes, or before a `=` without such a word. */
static void collect_lost(Check *c, const TokenList *tokens)
{
    for (size_t i = 0; i + 1 < tokens->n; i++) {
        const Token *t = &tokens->ptr[i];
        if (token_class(t->kind) != KEYWORD_DECL)
            continue;
        lose(c, &t[1]);
        if (i + 2 < tokens->n && is_word(&t[1]) && is_word(&t[2])) /* `param int x` */
            lose(c, &t[2]);
        lose_parted_name(c, tokens, i + 1);
    }
    for (size_t k = 0; k < c->diags->list.n; k++) {
        const Diag *d = c->diags->list.ptr[k];
        for (size_t i = 0; d->code == E_NO_ASSIGNMENT && i + 1 < tokens->n; i++)
            if (tokens->ptr[i].span.lo == d->span.lo)
                lose(c, &tokens->ptr[is_word(&tokens->ptr[i + 1]) ? i + 1 : i]);
    }
}

static void add_file(Check *c, const Ast *ast)
{
    vec_push(c->arena, &c->program->files, ast);
    if (c->diags->n_errors)
        collect_lost(c, &ast->tokens);
    for (size_t i = 0; i < ast->decls.n; i++)
        add_decl(c, ast, ast->decls.ptr[i]);
}

/* ---- the program ---- */

static void check_params(Check *c, const ParamDef *params, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        check_expr(c, params[i].value);
}

Program *check_program(Arena *a, Sources *sources, const Ast *main, Diags *ds,
                       const CheckHost *host)
{
    Program *p = arena_new(a, Program);
    Check c = {.arena = a, .sources = sources, .diags = ds, .host = host, .program = p};

    p->main = main;
    p->names = arena_new(a, struct ProgramNames);
    map_init(&p->names->consts, a);
    map_init(&p->names->schemas, a);
    map_init(&p->names->fns, a);
    map_init(&p->names->ops, a);
    map_init(&p->names->jobs, a);
    map_init(&p->names->lost, a);
    add_file(&c, main);
    check_cycles(&c);
    for (size_t i = 0; i < p->consts.n; i++)
        check_expr(&c, p->consts.ptr[i]->value);
    for (size_t i = 0; i < p->fns.n; i++) {
        check_params(&c, p->fns.ptr[i]->params, p->fns.ptr[i]->n_params);
        check_expr(&c, p->fns.ptr[i]->value);
    }
    for (size_t i = 0; i < c.ops.n; i++) {
        const OpDef *op = c.ops.ptr[i];
        check_params(&c, op->params, op->n_params);
        check_annotation_exprs(&c, &op->op->annotations);
        check_body(&c, op, NULL);
    }
    for (size_t i = 0; i < c.jobs.n; i++)
        check_job(&c, c.jobs.ptr[i]);
    return p;
}
