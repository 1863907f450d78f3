/* build.c - from a checked job to its plan, flow by flow. Stages are in build_stage.c, steps in build_step.c. */
#include "plan/build_state.h"

#include "plan/fold.h"
#include "plan/keep.h"
#include "plan/needs.h"

Typer build_typer(Builder *b)
{
    return (Typer){.arena = b->arena, .sources = b->host->sources, .diags = b->diags,
                   .program = b->program, .catalog = b->host->catalog,
                   .evaluator = b->host->evaluator, .globals = b->globals,
                   .sets = b->host->sets, .forbids_exec = b->host->forbids_exec};
}

static void build_flow(Builder *b, const FlowDef *f)
{
    Point at = {0};
    at.is_broken = at.is_unknown = f->is_cyclic;
    for (uint32_t i = 0; i < f->n_stages; i++)
        build_stage(b, f, i, &at);
    b->is_broken |= at.is_broken;
    b->has_effect |= at.has_effect;
    if (f->name.text.len && !at.is_broken) {
        Point *p = arena_new(b->arena, Point);
        *p = at;
        map_put(&b->let_points, f->name.text, p);
    }
}

/* Nothing writes what comes out of the job, and nothing on its way leaves a trace. */
static void check_has_effect(Builder *b)
{
    const FlowDef *last = b->job->n_flows ? b->job->order[b->job->n_flows - 1] : NULL;
    if (b->has_effect || b->host->prints_loose_ends || !last || !last->n_stages)
        return;
    Diag *d = diag_add(b->diags, W_GOES_NOWHERE, last->stages[last->n_stages - 1].stage->span,
                       "the rows of `%.*s` go nowhere", STR_ARG(b->job->name.text));
    diag_help(b->diags, d, "print them with `| write csv stdout`, or write them to a file");
}

Plan *plan_build(Arena *a, const PlanHost *host, const Program *program, const JobDef *job,
                 Diags *diags)
{
    Plan *plan = arena_new(a, Plan);
    Map globals;
    map_init(&globals, a);
    Builder b = {.arena = a, .host = host, .program = program, .job = job, .diags = diags,
                 .plan = plan, .globals = &globals};
    uint32_t n_errors = diags->n_errors;
    map_init(&b.names, a);
    map_init(&b.let_points, a);
    plan->job = job->name.text;
    plan->file = source_name(program->main->source);
    vec_push(a, &b.scopes, ((Scope){.generator = UINT32_MAX}));
    build_annotate_job(&b);
    for (uint32_t i = 0; i < job->n_flows; i++)
        build_flow(&b, job->order[i]);
    plan->n_steps = (uint32_t)b.steps.n;
    plan->steps = b.steps.ptr;
    plan->n_scopes = (uint32_t)b.scopes.n;
    plan->scopes = b.scopes.ptr;
    plan->n_sinks = (uint32_t)b.sinks.n;
    plan->sinks = b.sinks.ptr;
    plan->n_rejects = (uint32_t)b.rejects.n;
    plan->rejects = b.rejects.ptr;
    build_check_files(&b);
    plan->n_pools = (uint32_t)b.pools.n;
    plan->pools = b.pools.ptr;
    fold_finish(a, plan);
    if (!b.is_broken && diags->n_errors == n_errors && !diags_is_torn(diags, job->decl->span))
        keep_find(plan, diags);
    if (!b.is_broken && diags->n_errors == 0)
        check_has_effect(&b);
    if (diags->n_errors == 0)
        needs_find(a, plan);
    return plan;
}

/* Its value, with something of its type for each parameter. */
static void check_fn(Builder *b, const FnDef *fn)
{
    Typer t = build_typer(b);
    Map locals;
    if (fn->is_cyclic || fn->type == TYPE_ERROR)
        return;
    map_init(&locals, b->arena);
    for (uint32_t k = 0; k < fn->n_params; k++) {
        Tx *any = tx_column(b->arena, k, fn->params[k].type, fn->params[k].name.span);
        map_put(&locals, fn->params[k].name.text, any);
    }
    t.locals = &locals;
    t.has_table = true;
    Str what = arena_printf(b->arena, "the value of fn `%.*s`", STR_ARG(fn->name.text));
    type_expr_as(&t, fn->value, fn->type, what.ptr);
}

static bool is_used(const Program *program, const OpDef *op)
{
    for (size_t j = 0; j < program->jobs.n; j++) {
        const JobDef *job = program->jobs.ptr[j];
        for (uint32_t f = 0; f < job->n_flows; f++)
            for (uint32_t i = 0; i < job->flows[f].n_stages; i++)
                if (job->flows[f].stages[i].op == op)
                    return true;
    }
    return false;
}

/* Its statements, over columns and arguments of which nothing is known. */
static void check_op(Builder *b, const OpDef *op)
{
    Typer t = build_typer(b);
    Map params, tables;
    PopList pops = {0};
    map_init(&params, b->arena);
    map_init(&tables, b->arena);
    for (uint32_t i = 0; i < op->n_params; i++) {
        Str name = op->params[i].name.text;
        TableArg *table = arena_new(b->arena, TableArg);
        *table = (TableArg){.name = name, .is_unknown = true};
        if (op->params[i].type == TYPE_TABLE)
            map_put(&tables, name, table);
        else
            map_put(&params, name, tx_error(b->arena, op->params[i].name.span));
    }
    t.params = &params;
    t.tables = &tables;
    t.has_table = t.is_unknown = true;
    type_body(&t, &op->op->body, &pops);
}

void plan_check_rest(Arena *a, const PlanHost *host, const Program *program, Diags *diags)
{
    Map globals;
    map_init(&globals, a);
    Builder b = {.arena = a, .host = host, .program = program, .diags = diags,
                 .globals = &globals};
    for (size_t i = 0; i < program->consts.n; i++) {
        Typer t = build_typer(&b);
        type_global(&t, program->consts.ptr[i]->name.text);
    }
    for (size_t i = 0; i < program->fns.n; i++)
        check_fn(&b, program->fns.ptr[i]);
    for (size_t i = 0; i < program->ops.n; i++) {
        const OpDef *op = program->ops.ptr[i];
        bool is_main = sources_locate(host->sources, op->op->span.lo).source == program->main->source;
        if (is_main && !is_used(program, op))
            check_op(&b, op);
    }
}
