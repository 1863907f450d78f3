#include "lang/check_state.h"
#include "lang/parse.h"

/* One job while it is checked. */
typedef struct JobCheck {
    Check *c;
    JobDef *job;
    Map names;        /* flow name -> FlowDef */
    Deps deps;        /* between job->flows, by index */
    bool *is_used;    /* [n_flows] */
    uint32_t at;      /* the flow being checked */
    bool has_unknown; /* a name was not found: perhaps it meant an unused flow */
} JobCheck;

/* ---- flows by name ---- */

static const FlowDef *flow_find(void *ctx, Str name, Span use)
{
    JobCheck *j = ctx;
    const FlowDef *flow = map_get(&j->names, name);

    if (flow) {
        uint32_t to = (uint32_t)(flow - j->job->flows);
        j->is_used[to] = true;
        deps_add(j->c->arena, &j->deps, j->at, to, use);
    }
    return flow;
}

static void flow_offer(void *ctx, Suggest *near)
{
    JobCheck *j = ctx;

    for (size_t i = 0; i < j->names.n; i++)
        suggest_offer(near, j->names.entries[i].key);
}

static void name_flow(JobCheck *j, FlowDef *flow)
{
    Diags *ds = j->c->diags;
    const Ident *name = &flow->flow->name;
    const OpDef *op = program_op(j->c->program, name->text);
    const FlowDef *first = map_get(&j->names, name->text);

    if (name->text.len == 0)
        return;
    if (first) {
        Diag *d =
            diag_add(ds, E_DUPLICATE_NAME, name->span,
                     "flow `%.*s` is declared twice in this job", STR_ARG(name->text));
        diag_label(ds, d, first->name.span, "it is declared here first");
        return;
    }
    if (op) {
        Diag *d = diag_add(ds, E_FLOW_NAMED_LIKE_OP, name->span,
                           "flow `%.*s` is called like an op", STR_ARG(name->text));
        diag_label(ds, d, op->name.span, "the op is declared here");
        diag_help(ds, d, "rename the flow: a stage `%.*s` would mean both",
                  STR_ARG(name->text));
    }
    flow->name = *name;
    map_put(&j->names, name->text, flow);
}

/* ---- what a stage runs ---- */

static const char *stage_word(StageKind k)
{
    switch (k) {
    case STAGE_ONCE:
        return "";
    case STAGE_MAP:
        return "map";
    case STAGE_COLLECT:
        return "collect";
    }
    return "";
}

/* What other languages read and write by a function. */
static const char *function_habit(Str name)
{
    static const struct {
        const char *theirs, *ours;
    } habits[] = {
        {"read_csv", "read csv \"file.csv\""},   {"load_csv", "read csv \"file.csv\""},
        {"scan_csv", "read csv \"file.csv\""},   {"open", "read csv \"file.csv\""},
        {"load", "read csv \"file.csv\""},       {"read_json", "read json \"file.jsonl\""},
        {"to_csv", "write csv \"file.csv\""},    {"write_csv", "write csv \"file.csv\""},
        {"save", "write csv \"file.csv\""},      {"to_json", "write json \"file.jsonl\""},
        {"write_json", "write json \"file.jsonl\""}, {"filter", "where hp > 100"},
        {"head", "take 10"},                     {"limit", "take 10"},
        {"sort_values", "sort by a desc"},       {"order_by", "sort by a desc"},
        {"group_by", "group by a { n = count() }"}, {"groupby", "group by a { n = count() }"},
        {"agg", "aggregate { n = count() }"},    {"mutate", "derive a = b + c"},
        {"assign", "derive a = b + c"},          {"with_columns", "derive a = b + c"},
        {"print", "log \"{name}\""},             {"show", "write csv stdout"},
        {"unique", "distinct a, b"},             {"drop_duplicates", "distinct a, b"},
        {"apply", "map op"},                     {"concat", "union t"},
        {"merge", "join t on a == t.a"},         {"dropna", "where a is not null"},
        {"arrange", "sort by a desc"},           {"sort_by", "sort by a desc"},
        {"orderby", "sort by a desc"},           {"uniq", "distinct"},
        {"dedup", "distinct"},                   {"deduplicate", "distinct"},
        {"summarise", "aggregate { n = count() }"}, {"summarize", "aggregate { n = count() }"},
        {"value_counts", "group by a { n = count() }"}, {"unique_by", "distinct a"},
        {"length", "aggregate { n = count() }"}, {"fillna", "derive a = a ?? 0"},
        {"count", "aggregate { n = count() }"},  {"nrow", "aggregate { n = count() }"},
    };
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
        if (str_is(name, habits[i].theirs))
            return habits[i].ours;
    return NULL;
}

static void report_unknown_op(JobCheck *j, const Stage *stage, bool is_source)
{
    Check *c = j->c;
    const Ident *name = &stage->op_name;
    Suggest near;

    j->has_unknown = true;
    if (program_is_lost(c->program, name->text))
        return;
    Diag *d = diag_add(c->diags, E_UNKNOWN_OP, name->span, "there is no op%s `%.*s`",
                       is_source ? " or flow" : "", STR_ARG(name->text));
    suggest_init(&near, name->text);
    for (size_t i = 0; i < c->program->ops.n; i++)
        suggest_offer(&near, c->program->ops.ptr[i]->name.text);
    if (is_source)
        flow_offer(j, &near);
    else if (stage->kind == STAGE_ONCE && !stage->has_args)
        suggest_offer(&near, STR_LIT("collect"));
    if (check_other_kind(c, d, name->text)) {
        if (program_fn(c->program, name->text))
            diag_help(c->diags, d,
                      "a fn gives a value: use it in an op, as in `derive x = "
                      "%.*s(...)`",
                      STR_ARG(name->text));
        else if (program_job(c->program, name->text))
            diag_help(c->diags, d,
                      "a job cannot run inside another: put what both need "
                      "into an op");
        else if (is_source && program_const(c->program, name->text))
            diag_help(c->diags, d, "a constant is a value; a flow begins with `read`, `range`, `files` or "
                                   "the name of a flow of this job");
    } else if (function_habit(name->text)) {
        diag_help(c->diags, d, "write `%s`", function_habit(name->text));
    } else if (parse_foreign_word(name->text)) {
        const char *ours = parse_foreign_word(name->text);
        diag_help(c->diags, d, strchr(ours, '`') ? "%s" : "it is called `%s` here", ours);
    } else if (!diag_suggest(c->diags, d, name->span, &near)) {
        diag_help(c->diags, d, "declare it: `op %.*s { ... }`", STR_ARG(name->text));
    }
}

/* A flow's name where an op belongs. */
static void report_misplaced_flow(JobCheck *j, const Stage *stage, bool is_source,
                                  const FlowDef *flow)
{
    Diags *ds = j->c->diags;
    const Ident *name = &stage->op_name;
    Diag *d;

    if (stage->kind != STAGE_ONCE) {
        d = diag_add(ds, E_MISPLACED_FLOW, name->span,
                     "`%s` runs an op, and `%.*s` is a flow", stage_word(stage->kind),
                     STR_ARG(name->text));
    } else if (!is_source) {
        d = diag_add(ds, E_MISPLACED_FLOW, name->span,
                     "`%.*s` is a flow: it can only begin another flow",
                     STR_ARG(name->text));
        diag_help(ds, d,
                  "to use its table in an op, pass it as an argument: `OP(%.*s)`",
                  STR_ARG(name->text));
    } else {
        d = diag_add(ds, E_MISPLACED_FLOW, stage->span,
                     "`%.*s` is a flow: it takes no arguments", STR_ARG(name->text));
    }
    diag_label(ds, d, flow->name.span, "the flow is declared here");
}

/* ---- arguments of a stage ---- */

static const FlowDef *table_arg(JobCheck *j, const ParamDef *param, const Arg *arg)
{
    const Expr *e = arg->value;
    Diags *ds = j->c->diags;
    const FlowDef *flow;
    Diag *d;

    if (e->kind == EXPR_ERROR)
        return NULL;
    if (e->kind != EXPR_NAME) {
        d = diag_add(ds, E_TABLE_ARG, e->span,
                     "`%.*s` takes a table, and this is not the name of a flow",
                     STR_ARG(param->name.text));
        diag_help(
            ds, d,
            "name a flow in the job, as in `let t = read csv \"data/types.csv\"`, "
            "and pass `t`");
    } else if ((flow = flow_find(j, e->name.text, e->span)) != NULL) {
        return flow;
    } else {
        Suggest near;
        suggest_init(&near, e->name.text);
        flow_offer(j, &near);
        j->has_unknown = true;
        if (program_is_lost(j->c->program, e->name.text))
            return NULL;
        d = diag_add(ds, E_TABLE_ARG, e->span,
                     "there is no flow `%.*s` to pass as a table",
                     STR_ARG(e->name.text));
        if (check_other_kind(j->c, d, e->name.text) ||
            !diag_suggest(ds, d, e->span, &near))
            diag_help(ds, d,
                      "name a flow in the job: `let NAME = ...`, and pass its name");
    }
    diag_label(ds, d, param->name.span, "the parameter is declared here");
    return NULL;
}

static const Expr *scalar_arg(JobCheck *j, const ParamDef *param, const Arg *arg)
{
    const Expr *e = arg->value;
    const FlowDef *flow;

    if (e->kind != EXPR_NAME || param->type == TYPE_ERROR ||
        program_const(j->c->program, e->name.text) ||
        !(flow = map_get(&j->names, e->name.text)))
        return e;
    Diag *d =
        diag_add(j->c->diags, E_FLOW_AS_VALUE, e->span,
                 "`%.*s` takes one %s, and `%.*s` is a flow", STR_ARG(param->name.text),
                 type_name(param->type), STR_ARG(e->name.text));
    diag_label(j->c->diags, d, param->name.span, "the parameter is declared here");
    diag_label(j->c->diags, d, flow->name.span, "the flow is declared here");
    j->is_used[flow - j->job->flows] = true;
    return NULL;
}

/* False: something was wrong with their number or names. */
static bool bind_stage(JobCheck *j, const Stage *stage, StageDef *out)
{
    const OpDef *op = out->op;
    Arena *a = j->c->arena;
    StageArg *args = arena_array(a, StageArg, op->n_params);
    const Arg **got = arena_array(a, const Arg *, op->n_params);
    BindParam *params = arena_array(a, BindParam, op->n_params);

    out->args = args;
    for (uint32_t i = 0; i < op->n_params; i++)
        params[i] = (BindParam){op->params[i].name.text, op->params[i].value != NULL};
    Callee callee = {"op", op->name.text, op->name.span, op->n_params, params};
    bool ok = args_bind(j->c->diags, &callee, &stage->args, stage->op_name.span, got);
    j->has_unknown |= !ok; /* what is missing may be a flow */
    for (uint32_t i = 0; i < op->n_params; i++) {
        const ParamDef *param = &op->params[i];
        if (!got[i])
            args[i].value = param->value;
        else if (param->type == TYPE_TABLE)
            args[i].flow = table_arg(j, param, got[i]);
        else
            args[i].value = scalar_arg(j, param, got[i]);
        ok = ok && (args[i].value || args[i].flow);
    }
    return ok;
}

/* ---- stages ---- */

static const OpDef *anonymous_op(JobCheck *j, const Stage *stage)
{
    OpDef *op = arena_new(j->c->arena, OpDef);
    FlowScope flows = {flow_find, flow_offer, j};

    op->op = stage->body;
    check_body(j->c, op, &flows);
    return op;
}

static void check_named_stage(JobCheck *j, const Stage *stage, bool is_source,
                              StageDef *out)
{
    const Ident *name = &stage->op_name;
    const FlowDef *flow = map_get(&j->names, name->text);
    const OpDef *op = program_op(j->c->program, name->text);

    /* A flow called like an op has been reported: each is taken where it fits. */
    if (flow && (!op || (is_source && stage->kind == STAGE_ONCE && !stage->has_args))) {
        flow_find(j, name->text, name->span);
        if (is_source && stage->kind == STAGE_ONCE && !stage->has_args) {
            out->flow = flow;
        } else {
            report_misplaced_flow(j, stage, is_source, flow);
            out->is_error = true;
        }
    } else if (op) {
        out->op = op;
        out->is_error = !bind_stage(j, stage, out);
    } else {
        report_unknown_op(j, stage, is_source);
        out->is_error = true;
    }
}

static void check_stage(JobCheck *j, const Stage *stage, bool is_source, StageDef *out)
{
    Diags *ds = j->c->diags;

    out->stage = stage;
    out->annots = annots_resolve(j->c->arena, ds, &stage->annotations, ON_STAGE);
    check_annotation_exprs(j->c, &stage->annotations);
    check_args_exprs(j->c, &stage->args);
    if (stage->is_error) {
        out->is_error = true;
        return;
    }
    if (stage->body)
        out->op = anonymous_op(j, stage);
    else if (stage->op_name.text.len)
        check_named_stage(j, stage, is_source, out);
    else
        out->is_error = stage->kind != STAGE_COLLECT;
    if (is_source && stage->kind != STAGE_ONCE) {
        const char *word = stage_word(stage->kind);
        Diag *d =
            diag_add(ds, E_NO_SOURCE, stage->word_span,
                     "a flow cannot begin with `%s`: there are no batches yet", word);
        diag_help(ds, d,
                  "put what yields the batches before it: `read csv \"FILE\" batch "
                  "auto | %s ...`",
                  word);
        out->is_error = true;
    }
    if (out->flow && stage->annotations.n) {
        Diag *d = diag_add(ds, E_ANNOTATION_PLACE, stage->annotations.ptr[0].span,
                           "an annotation has no effect on the name of a flow");
        diag_label(ds, d, out->flow->name.span, "the flow is declared here");
        diag_help(ds, d, "write it after a stage of that flow");
    }
}

/* ---- the job ---- */

static void on_flow_cycle(void *ctx, const uint32_t *node, const Span *at, uint32_t n)
{
    JobCheck *j = ctx;
    FlowDef *flows = j->job->flows;
    Diags *ds = j->c->diags;
    Diag *d = diag_add(ds, E_FLOW_CYCLE, flows[node[0]].name.span,
                       "flow `%.*s` needs itself%s", STR_ARG(flows[node[0]].name.text),
                       n > 1 ? " through others" : "");

    for (uint32_t i = 0; i < n; i++) {
        flows[node[i]].is_cyclic = true;
        diag_label(ds, d, at[i], "`%.*s` needs `%.*s` here",
                   STR_ARG(flows[node[i]].name.text),
                   STR_ARG(flows[node[(i + 1) % n]].name.text));
    }
}

static void warn_unused(JobCheck *j)
{
    Diags *ds = j->c->diags;

    for (uint32_t i = 0; i < j->job->n_flows; i++) {
        const Ident *name = &j->job->flows[i].name;
        if (name->text.len == 0 || j->is_used[i])
            continue;
        Diag *d = diag_add(ds, W_UNUSED_FLOW, name->span, "flow `%.*s` is never used",
                           STR_ARG(name->text));
        diag_help(ds, d, "begin a flow with it, or leave out `let %.*s =`",
                  STR_ARG(name->text));
    }
}

/* Did the text of the span not read? Then what is missing may stand there. */
static bool has_syntax_error(const Diags *ds, Span span)
{
    for (size_t i = 0; i < ds->list.n; i++) {
        const Diag *d = ds->list.ptr[i];
        if (diag_info(d->code)->number < diag_info(E_DUPLICATE_NAME)->number &&
            diag_info(d->code)->severity == SEV_ERROR && d->span.lo >= span.lo &&
            d->span.lo <= span.hi)
            return true;
    }
    return false;
}

static void check_flow(JobCheck *j, uint32_t i)
{
    FlowDef *flow = &j->job->flows[i];

    j->at = i;
    for (uint32_t k = 0; k < flow->n_stages; k++)
        check_stage(j, flow->flow->stages.ptr[k], k == 0, &flow->stages[k]);
}

void check_job(Check *c, JobDef *job)
{
    const Decl *decl = job->decl;
    JobCheck j = {.c = c, .job = job};

    job->annots = annots_resolve(c->arena, c->diags, &decl->annotations, ON_JOB);
    check_annotation_exprs(c, &decl->annotations);
    job->flows = arena_array(c->arena, FlowDef, decl->flows.n);
    for (size_t i = 0; i < decl->flows.n; i++) {
        const Flow *flow = decl->flows.ptr[i];
        FlowDef *def = &job->flows[job->n_flows];
        if (flow->stages.n == 0)
            continue;
        def->flow = flow;
        def->n_stages = (uint32_t)flow->stages.n;
        def->stages = arena_array(c->arena, StageDef, flow->stages.n);
        job->n_flows++;
    }
    bool is_whole = !has_syntax_error(c->diags, decl->span);
    if (job->n_flows == 0 && is_whole) {
        Diag *d = diag_add(c->diags, E_EMPTY_JOB, decl->name.span,
                           "job `%.*s` has no flow: it would do nothing",
                           STR_ARG(decl->name.text));
        diag_help(c->diags, d,
                  "write a flow between the braces, such as `read csv "
                  "\"data/pokemon.csv\" | take 3`");
    }

    j.deps = deps_new(c->arena, job->n_flows);
    j.is_used = arena_array(c->arena, bool, job->n_flows);
    map_init(&j.names, c->arena);
    for (uint32_t i = 0; i < job->n_flows; i++)
        name_flow(&j, &job->flows[i]);
    for (uint32_t i = 0; i < job->n_flows; i++)
        check_flow(&j, i);

    uint32_t *order = arena_array(c->arena, uint32_t, job->n_flows);
    deps_order(c->arena, &j.deps, order, on_flow_cycle, &j);
    job->order = arena_array(c->arena, const FlowDef *, job->n_flows);
    for (uint32_t i = 0; i < job->n_flows; i++)
        job->order[i] = &job->flows[order[i]];
    if (!j.has_unknown && is_whole)
        warn_unused(&j);
}
