#include "lang/check_state.h"

/* ---- options ---- */

static const OptionInfo OPTIONS[] = {
#define OPTION(e, s, f, n, t) [OPTION_##e] = {STMT_##s, FORMAT_##f, n, TYPE_##t},
#include "lang/options.def"
#undef OPTION
};

const OptionInfo *option_info(OptionKind k)
{
    return &OPTIONS[k];
}

static bool option_is_of(OptionKind k, const Stmt *s)
{
    return OPTIONS[k].stmt == s->kind && OPTIONS[k].format == s->format;
}

const Expr *stmt_option(const Stmt *s, OptionKind k)
{
    if (option_is_of(k, s))
        for (size_t i = 0; i < s->with.n; i++)
            if (str_is(s->with.ptr[i].name.text, OPTIONS[k].name))
                return s->with.ptr[i].value;
    return NULL;
}

static bool option_by_name(const Stmt *s, Str name, OptionKind *out)
{
    for (OptionKind k = 0; k < N_OPTIONS; k++)
        if (option_is_of(k, s) && str_is(name, OPTIONS[k].name)) {
            *out = k;
            return true;
        }
    return false;
}

/* "its options are `a` and `b`", or a near one for `word`. */
static void help_options(Check *c, Diag *d, const Stmt *s, const Ident *word)
{
    Suggest near;
    Buf list = {0};
    size_t n = 0, i = 0;

    suggest_init(&near, word ? word->text : (Str){0});
    for (OptionKind k = 0; k < N_OPTIONS; k++)
        if (option_is_of(k, s)) {
            n++;
            suggest_offer(&near, str_of(OPTIONS[k].name));
        }
    for (OptionKind k = 0; k < N_OPTIONS; k++)
        if (option_is_of(k, s))
            buf_put_name_in_list(&list, str_of(OPTIONS[k].name), i++, n, "and");
    if (!word || !diag_suggest(c->diags, d, word->span, &near)) {
        if (n)
            diag_help(c->diags, d, "its option%s %s %s", n == 1 ? "" : "s",
                      n == 1 ? "is" : "are", list.ptr);
        else
            diag_help(c->diags, d, "it takes no options");
    }
    buf_deinit(&list);
}

static void check_options(Check *c, const Stmt *s)
{
    const Arg *first[N_OPTIONS] = {NULL};

    for (size_t i = 0; i < s->with.n; i++) {
        const Arg *arg = &s->with.ptr[i];
        OptionKind k;
        Diag *d;

        if (arg->name.text.len == 0) {
            if (arg->value->kind == EXPR_ERROR)
                continue;
            d = diag_add(c->diags, E_OPTION_FORM, arg->span,
                         "an option is written `name: value`");
            help_options(c, d, s, NULL);
        } else if (!option_by_name(s, arg->name.text, &k)) {
            d = diag_add(c->diags, E_UNKNOWN_OPTION, arg->name.span,
                         "`%s %s` has no option `%.*s`", stmt_word(s->kind),
                         format_name(s->format), STR_ARG(arg->name.text));
            help_options(c, d, s, &arg->name);
        } else if (first[k]) {
            d = diag_add(c->diags, E_DUPLICATE_OPTION, arg->span,
                         "option `%s` is given twice", OPTIONS[k].name);
            diag_label(c->diags, d, first[k]->span, "given here first");
        } else {
            first[k] = arg;
        }
    }
}

/* ---- names that stand twice ---- */

typedef struct Seen {
    Check *c;
    Map map; /* name -> Ident */
} Seen;

static Seen seen_new(Check *c)
{
    Seen s = {.c = c};

    map_init(&s.map, c->arena);
    return s;
}

/* `what` goes on after "`name` ". */
static void seen_add(Seen *s, const Ident *name, const char *what)
{
    if (name->text.len == 0)
        return;
    const Ident *first = map_get(&s->map, name->text);
    if (!first) {
        map_put(&s->map, name->text, (void *)(uintptr_t)name);
        return;
    }
    Diag *d = diag_add(s->c->diags, E_DUPLICATE_COLUMN, name->span, "`%.*s` %s",
                       STR_ARG(name->text), what);
    diag_label(s->c->diags, d, first->span, "it stands here first");
}

static void check_names_once(Check *c, const IdentList *names)
{
    Seen seen = seen_new(c);

    for (size_t i = 0; i < names->n; i++)
        seen_add(&seen, &names->ptr[i], "is listed twice");
}

static void check_select(Check *c, const Stmt *s)
{
    Seen seen = seen_new(c);
    const Def *wildcard = NULL;

    for (size_t i = 0; i < s->defs.n; i++) {
        const Def *def = &s->defs.ptr[i];
        if (!def->is_wildcard) {
            seen_add(&seen, &def->name, "is selected twice");
        } else if (wildcard) {
            Diag *d = diag_add(c->diags, E_DUPLICATE_COLUMN, def->span,
                               "`*` is selected twice");
            diag_label(c->diags, d, wildcard->span, "it stands here first");
        } else {
            wildcard = def;
        }
    }
}

static void check_renames(Check *c, const Stmt *s)
{
    Seen from = seen_new(c), to = seen_new(c);

    for (size_t i = 0; i < s->renames.n; i++) {
        seen_add(&from, &s->renames.ptr[i].from, "is renamed twice");
        seen_add(&to, &s->renames.ptr[i].to, "is the new name of two columns");
    }
}

static void check_aggregates(Check *c, const Stmt *s)
{
    Seen seen = seen_new(c);

    for (size_t i = 0; i < s->defs.n; i++)
        seen_add(&seen, &s->defs.ptr[i].name, "is a key twice");
    for (size_t i = 0; i < s->aggs.n; i++)
        seen_add(&seen, &s->aggs.ptr[i].name, "is already a column of the result");
}

/* ---- names of schemas and tables ---- */

static void check_schema(Check *c, const Ident *name)
{
    const Program *p = c->program;

    if (name->text.len == 0 || program_schema(p, name->text) ||
        program_is_lost(p, name->text))
        return;
    Diag *d = diag_add(c->diags, E_UNKNOWN_SCHEMA, name->span,
                       "there is no schema `%.*s`", STR_ARG(name->text));
    Suggest near;
    suggest_init(&near, name->text);
    for (size_t i = 0; i < p->schemas.n; i++)
        suggest_offer(&near, p->schemas.ptr[i]->name.text);
    if (!diag_suggest(c->diags, d, name->span, &near) &&
        !check_other_kind(c, d, name->text))
        diag_help(c->diags, d, "declare it: `schema %.*s { column: type, ... }`",
                  STR_ARG(name->text));
}

static void check_table(Check *c, const OpDef *def, const Stmt *s,
                        const FlowScope *flows)
{
    const Ident *name = &s->table_name;
    const ParamDef *param = op_param(def, name->text);
    Suggest near;
    Diag *d;

    /* The flow first: the names of flows are among the lost ones of a text with mistakes. */
    if (name->text.len == 0 || (flows && flows->find(flows->ctx, name->text, name->span)) ||
        program_is_lost(c->program, name->text))
        return;
    if (param && (param->type == TYPE_TABLE || param->type == TYPE_ERROR))
        return;
    if (param) {
        d = diag_add(c->diags, E_UNKNOWN_TABLE, name->span, "`%.*s` is not a table",
                     STR_ARG(name->text));
        diag_label(c->diags, d, param->name.span, "it is declared as %s",
                   type_name(param->type));
        return;
    }
    d = diag_add(c->diags, E_UNKNOWN_TABLE, name->span, "there is no table `%.*s` here",
                 STR_ARG(name->text));
    suggest_init(&near, name->text);
    for (uint32_t i = 0; i < def->n_params; i++)
        if (def->params[i].type == TYPE_TABLE)
            suggest_offer(&near, def->params[i].name.text);
    if (flows)
        flows->offer(flows->ctx, &near);
    if (diag_suggest(c->diags, d, name->span, &near))
        return;
    if (flows)
        diag_help(c->diags, d, "name a flow of this job: `let %.*s = ...`",
                  STR_ARG(name->text));
    else
        diag_help(c->diags, d,
                  "a table is a parameter of the op: `op %.*s(%.*s: table) { ... }`",
                  STR_ARG(def->name.text), STR_ARG(name->text));
}

/* ---- expressions ---- */

static void check_call(Check *c, const Expr *e)
{
    const FnDef *fn = program_fn(c->program, e->name.text);

    if (!fn)
        return; /* a builtin, or unknown: the typing's */
    const Arg **got = arena_array(c->arena, const Arg *, fn->n_params);
    BindParam *params = arena_array(c->arena, BindParam, fn->n_params);
    for (uint32_t i = 0; i < fn->n_params; i++)
        params[i] = (BindParam){fn->params[i].name.text, fn->params[i].value != NULL};
    Callee callee = {"fn", fn->name.text, fn->name.span, fn->n_params, params};
    args_bind(c->diags, &callee, &e->call, e->span, got);
}

void fn_bind(const FnDef *fn, const ArgList *args, const Expr **out)
{
    size_t n_positional = 0;

    while (n_positional < args->n && args->ptr[n_positional].name.text.len == 0)
        n_positional++;
    for (uint32_t k = 0; k < fn->n_params; k++) {
        out[k] = k < n_positional ? args->ptr[k].value : NULL;
        for (size_t i = n_positional; i < args->n && !out[k]; i++)
            if (str_eq(args->ptr[i].name.text, fn->params[k].name.text))
                out[k] = args->ptr[i].value;
        if (!out[k])
            out[k] = fn->params[k].value;
    }
}

void check_expr(Check *c, const Expr *e)
{
    if (!e)
        return;
    if (e->kind == EXPR_CALL)
        check_call(c, e);
    check_expr(c, e->base);
    for (size_t i = 0; i < e->args.n; i++)
        check_expr(c, e->args.ptr[i]);
    check_args_exprs(c, &e->call);
}

void check_args_exprs(Check *c, const ArgList *args)
{
    for (size_t i = 0; i < args->n; i++)
        check_expr(c, args->ptr[i].value);
}

void check_annotation_exprs(Check *c, const AnnotationList *list)
{
    for (size_t i = 0; i < list->n; i++)
        check_args_exprs(c, &list->ptr[i].args);
}

static void check_stmt_exprs(Check *c, const Stmt *s)
{
    for (size_t i = 0; i < s->exprs.n; i++)
        check_expr(c, s->exprs.ptr[i]);
    check_expr(c, s->path);
    check_expr(c, s->query);
    check_expr(c, s->table);
    check_expr(c, s->batch);
    check_args_exprs(c, &s->with);
    for (size_t i = 0; i < s->defs.n; i++)
        check_expr(c, s->defs.ptr[i].value);
    for (size_t i = 0; i < s->aggs.n; i++)
        check_expr(c, s->aggs.ptr[i].value);
    for (size_t i = 0; i < s->keys.n; i++)
        check_expr(c, s->keys.ptr[i].value);
}

/* ---- statements ---- */

/* What belongs to one statement alone. */
static void check_stmt(Check *c, const OpDef *def, const Stmt *s,
                       const FlowScope *flows)
{
    switch (s->kind) {
    case STMT_READ:
        check_options(c, s);
        check_schema(c, &s->schema);
        break;
    case STMT_WRITE:
        check_options(c, s);
        break;
    case STMT_EXEC:
        check_schema(c, &s->schema);
        break;
    case STMT_SELECT:
        check_select(c, s);
        break;
    case STMT_DROP:
    case STMT_DISTINCT:
    case STMT_SPLIT:
        check_names_once(c, &s->names);
        break;
    case STMT_RENAME:
        check_renames(c, s);
        break;
    case STMT_GROUP:
    case STMT_AGGREGATE:
        check_aggregates(c, s);
        break;
    case STMT_JOIN:
    case STMT_UNION:
        check_table(c, def, s, flows);
        break;
    case STMT_DERIVE: /* later definitions see earlier ones: twice is fine */
    case STMT_ERROR:
    case STMT_RANGE:
    case STMT_FILES:
    case STMT_WHERE:
    case STMT_EXPLODE:
    case STMT_SORT:
    case STMT_TAKE:
    case STMT_SKIP:
    case STMT_TOP:
    case STMT_LOG:
    case STMT_ASSERT:
    case STMT_FAIL:
    case STMT_SLEEP:
    case N_STMTS:
        break;
    }
    check_stmt_exprs(c, s);
}

static bool stmt_is_source(const Stmt *s)
{
    return s->kind == STMT_READ || s->kind == STMT_RANGE || s->kind == STMT_FILES;
}

/* read, range and files stand first, split last. */
static void check_positions(Check *c, const StmtList *body)
{
    const Stmt *before = NULL;

    for (size_t i = 0; i < body->n; i++) {
        const Stmt *s = body->ptr[i];
        if (s->kind == STMT_ERROR)
            continue;
        if (before && stmt_is_source(s)) {
            Diag *d = diag_add(c->diags, E_NOT_FIRST, s->word_span,
                               "`%s` has to be the first statement of an op",
                               stmt_word(s->kind));
            diag_label(c->diags, d, before->word_span,
                       "it would throw away what is made here");
            diag_help(c->diags, d, "give `%s` an op of its own", stmt_word(s->kind));
        }
        if (before && before->kind == STMT_SPLIT) {
            Diag *d = diag_add(c->diags, E_NOT_LAST, before->word_span,
                               "`split` has to be the last statement of an op");
            diag_label(c->diags, d, s->word_span, "this would follow it");
            diag_help(c->diags, d, "put what follows into a stage: `| map { ... }`");
        }
        before = s;
    }
}

void check_body(Check *c, const OpDef *def, const FlowScope *flows)
{
    check_positions(c, &def->op->body);
    for (size_t i = 0; i < def->op->body.n; i++)
        check_stmt(c, def, def->op->body.ptr[i], flows);
}
