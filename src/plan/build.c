#include "plan/build.h"

#include "base/path.h"
#include "plan/build_state.h"
#include "plan/fold.h"
#include "plan/needs.h"
#include "plan/simplify.h"

/* Where a flow has come to: the last step, the level it is at, its table. */
typedef struct Point {
    uint32_t step;
    uint32_t scope;
    ScopeCols cols;
    bool is_unknown;
    bool is_broken; /* a stage could not be made out: the rest of the flow is silent */
    bool has_effect; /* it does more than make a table: writes, logs, checks. A source behind it waits for that */
    bool is_auto;   /* its batches are those of a `read` before `map` that has no `batch` */
    Span from;      /* the stage that made it what it is, for labels */
    Step *read;     /* the stage before, if it is an op without a name that nobody else can read; else NULL */
    Step *row_wise; /* the stage before, if it goes row by row over `read` and could as well be the begin of the next; else NULL */
    bool joins_later; /* row_wise takes the file in parts, if the next stage does not take it up */
} Point;

Typer build_typer(Builder *b)
{
    return (Typer){.arena = b->arena, .sources = b->host->sources, .diags = b->diags,
                   .program = b->program, .catalog = b->host->catalog,
                   .evaluator = b->host->evaluator, .globals = b->globals,
                   .sets = b->host->sets, .forbids_exec = b->host->forbids_exec};
}

/* ---- steps ---- */

static Str unique_name(Builder *b, Str want)
{
    Str name = want;
    for (uint32_t n = 2; map_get(&b->names, name); n++)
        name = arena_printf(b->arena, "%.*s_%u", STR_ARG(want), n);
    map_put(&b->names, name, b);
    return name;
}

static Str op_label(const StageDef *s)
{
    if (s->op && s->op->name.text.len)
        return s->op->name.text;
    if (s->op && s->op->op->body.n)
        return str_of(stmt_word(s->op->op->body.ptr[0]->kind));
    return s->stage->kind == STAGE_COLLECT ? STR_LIT("collect") : STR_LIT("pass");
}

static Step *step_new(Builder *b, Str label, const StageDef *s, StepKind kind, uint32_t scope)
{
    Step *step = arena_new(b->arena, Step);
    step->id = (uint32_t)b->steps.n;
    step->name = unique_name(b, label);
    step->op = s->op ? s->op->name.text : (Str){"", 0};
    step->kind = kind;
    step->scope = scope;
    step->span = s->stage->span;
    vec_push(b->arena, &b->steps, step);
    return step;
}

static void step_input(Builder *b, Step *s, uint32_t from)
{
    s->inputs = arena_new(b->arena, uint32_t);
    s->inputs[0] = from;
    s->n_inputs = 1;
    s->depth = b->steps.ptr[from]->depth + 1;
}

static bool same_value(const Tx *x, const Tx *y)
{
    return x->kind == TX_CONST && y->kind == TX_CONST && str_eq(x->value.s, y->value.s);
}

bool build_same_path(const Tx *x, const Tx *y)
{
    return x->kind == TX_CONST && y->kind == TX_CONST && path_same(x->value.s, y->value.s);
}

/* Do two writes share a file? Tables of one database do not. */
static bool same_output(const Pop *x, const Pop *y)
{
    return build_same_path(x->expr, y->expr) && (!x->expr2 || !y->expr2 || same_value(x->expr2, y->expr2));
}

static void report_same(Builder *b, const Pop *first, const Pop *p)
{
    Diag *d;
    if (p->expr2 && first->expr2) {
        d = diag_add(b->diags, E_SAME_PATH, p->expr2->span, "two steps write the table `%.*s` of `%.*s`",
                     STR_ARG(p->expr2->value.s), STR_ARG(p->expr->value.s));
        diag_label(b->diags, d, first->expr2->span, "the other one");
        diag_help(b->diags, d, "give them tables of their own");
        return;
    }
    d = diag_add(b->diags, E_SAME_PATH, p->expr->span, "two steps write `%.*s`", STR_ARG(p->expr->value.s));
    diag_label(b->diags, d, first->expr->span, "the other one");
    if (str_is(p->expr->value.s, "stdout"))
        diag_help(b->diags, d, "end all flows but one in `write csv \"file.csv\"`: "
                               "the rows of two would be mixed");
    else
        diag_help(b->diags, d, "give them paths of their own");
}

/* Numbers the writes of a step, and refuses a path that another step writes. */
static void register_sinks(Builder *b, Step *s)
{
    for (size_t i = 0; i < s->pops.n; i++) {
        Pop *p = s->pops.ptr[i];
        if (p->kind != POP_WRITE_CSV)
            continue;
        for (size_t k = 0; k < b->sinks.n; k++)
            if (same_output(b->sinks.ptr[k].pop, p))
                report_same(b, b->sinks.ptr[k].pop, p);
        p->sink = (uint32_t)b->sinks.n;
        PlanSink sink = {.step = s->id, .pop = p, .by_key = write_is_by_key(p)};
        vec_push(b->arena, &b->sinks, sink);
    }
}

static bool begins_with_source(const Op *op)
{
    StmtKind k = op->body.n ? op->body.ptr[0]->kind : STMT_ERROR;
    return k == STMT_READ || k == STMT_RANGE || k == STMT_FILES;
}

/* It wants the first rows of what comes before it. */
static bool begins_with_take(const StageDef *s)
{
    return s && s->op && s->op->op->body.n && s->op->op->body.ptr[0]->kind == STMT_TAKE;
}

/* What was said of a statement leaves open what comes out: a source that does not stand
 * first, a `split` that does not stand last, or a source that is not available. */
static bool has_lost_source(const Op *op)
{
    for (size_t i = 0; i < op->body.n; i++) {
        const Stmt *s = op->body.ptr[i];
        bool is_source = s->kind == STMT_READ || s->kind == STMT_RANGE || s->kind == STMT_FILES;
        if (is_source && (i > 0 || !stmt_is_available(s)))
            return true;
        if (s->kind == STMT_SPLIT && i + 1 < op->body.n)
            return true;
    }
    return false;
}

/* stdin comes once: a second read of it would find nothing. */
static void register_stdin(Builder *b, const PopList *pops, uint32_t scope)
{
    const Pop *p = pops->n ? pops->ptr[0] : NULL;
    if (!p || p->kind != POP_READ_CSV || !str_is(p->path, "stdin"))
        return;
    if (scope != 0) {
        Diag *d = diag_add(b->diags, E_STDIN_TWICE, p->span,
                           "stdin would be read once for each batch");
        diag_help(b->diags, d, "read it in a flow of its own");
        return;
    }
    if (b->stdin_read.hi) {
        Diag *d = diag_add(b->diags, E_STDIN_TWICE, p->span, "stdin is read in two places");
        diag_label(b->diags, d, b->stdin_read, "here first");
        diag_help(b->diags, d, "read it once and name the flow: `let rows = read csv stdin`");
    }
    b->stdin_read = p->span;
}

/* ---- tables of a stage ---- */

/* The table that a flow is. Of a dynamic flow none: an error at the place of its use. */
static TableArg *table_arg(Builder *b, Str name, const FlowDef *flow, Span use)
{
    TableArg *t = arena_new(b->arena, TableArg);
    const Point *at = flow ? map_get(&b->let_points, flow->name.text) : NULL;
    t->name = name;
    t->is_unknown = true; /* what was wrong with it has been said */
    if (!at)
        return t;
    t->from = at->from;
    if (at->scope != 0) {
        Diag *d = diag_add(b->diags, E_DYNAMIC_TABLE, use,
                           "flow `%.*s` comes in batches, and a table is wanted here",
                           STR_ARG(flow->name.text));
        diag_label(b->diags, d, at->from, "batches come from here");
        diag_help(b->diags, d, "make one table of them: `let %.*s = ... | collect`",
                  STR_ARG(flow->name.text));
        return t;
    }
    t->step = at->step;
    t->cols = at->cols;
    t->is_unknown = at->is_unknown;
    return t;
}

static const FlowDef *flow_of(const Builder *b, Str name)
{
    for (uint32_t i = 0; i < b->job->n_flows; i++)
        if (str_eq(b->job->flows[i].name.text, name))
            return &b->job->flows[i];
    return NULL;
}

static Span arg_span(const StageDef *s, uint32_t param)
{
    const ArgList *args = &s->stage->args;
    for (size_t i = 0; i < args->n; i++)
        if (args->ptr[i].name.text.len
                ? str_eq(args->ptr[i].name.text, s->op->params[param].name.text)
                : i == param)
            return args->ptr[i].value->span;
    return s->stage->span;
}

/* The op's table parameters; in a body of the job its `join` and `union` name flows themselves. */
static Map *bind_tables(Builder *b, const StageDef *s)
{
    Map *tables = arena_new(b->arena, Map);
    map_init(tables, b->arena);
    for (uint32_t i = 0; s->op && i < s->op->n_params; i++)
        if (s->op->params[i].type == TYPE_TABLE) {
            Str name = s->op->params[i].name.text;
            map_put(tables, name, table_arg(b, name, s->args[i].flow, arg_span(s, i)));
        }
    for (size_t i = 0; s->op && !s->op->name.text.len && i < s->op->op->body.n; i++) {
        const Stmt *st = s->op->op->body.ptr[i];
        Str name = st->table_name.text;
        if ((st->kind == STMT_JOIN || st->kind == STMT_UNION) && !map_get(tables, name))
            map_put(tables, name, table_arg(b, name, flow_of(b, name), st->table_name.span));
    }
    return tables;
}

/* The tables that the step's operations want become inputs of it, behind those that are piped in. */
static void take_tables(Builder *b, Step *s)
{
    uint32_t first = step_first_table(s), n = first;
    uint32_t *inputs = arena_array(b->arena, uint32_t, first + s->pops.n);
    for (uint32_t i = 0; i < first; i++)
        inputs[i] = s->inputs[i];
    for (size_t i = 0; i < s->pops.n; i++) {
        const Pop *p = s->pops.ptr[i];
        if (p->kind != POP_JOIN && p->kind != POP_UNION)
            continue;
        bool is_new = true;
        for (uint32_t k = first; k < n; k++)
            is_new = is_new && inputs[k] != p->table;
        if (is_new)
            inputs[n++] = p->table;
    }
    s->inputs = inputs;
    s->n_inputs = n;
    s->n_tables = n - first;
}

/* The same, and the step comes after its tables. */
static void attach_tables(Builder *b, Step *s)
{
    take_tables(b, s);
    uint32_t depth = s->depth;
    for (uint32_t i = 0; i < s->n_inputs; i++) {
        const Step *in = b->steps.ptr[s->inputs[i]];
        uint32_t least = in->part_of == s ? in->depth : in->depth + 1;
        depth = least > depth ? least : depth;
    }
    if (!s->has_priority) {
        s->priority += (int32_t)(depth - s->depth);
        s->rank += 2 * (int32_t)(depth - s->depth);
    }
    s->depth = depth;
}

/* Binds the stage's arguments to the op's parameters. */
static Map *bind_params(Builder *b, const StageDef *s)
{
    Map *params = arena_new(b->arena, Map);
    map_init(params, b->arena);
    for (uint32_t i = 0; s->op && i < s->op->n_params; i++) {
        const ParamDef *p = &s->op->params[i];
        Tx *tx = tx_error(b->arena, p->name.span);
        Typer t = build_typer(b);
        Value v;
        Str what = arena_printf(b->arena, "`%.*s`", STR_ARG(p->name.text));
        if (p->type == TYPE_TABLE)
            continue;
        if (s->args[i].value && p->type != TYPE_ERROR &&
                 type_constant(&t, s->args[i].value, p->type, what.ptr, &v))
            tx = tx_const(b->arena, v, s->args[i].value->span);
        map_put(params, p->name.text, tx);
    }
    return params;
}

/* ---- an op that yields batches is several steps: what comes before a `split`, the generator, what
 * runs per batch behind a source ---- */

static void opens_scope(Builder *b, Step *gen, Pop *p)
{
    Scope scope = {.parent = gen->scope, .generator = gen->id, .in_flight = b->credits,
                   .max_batches = b->max_batches};
    gen->is_generator = true;
    gen->yields = (uint32_t)b->scopes.n;
    vec_push(b->arena, &b->scopes, scope);
    vec_push(b->arena, &gen->pops, p);
    gen->out = p->out;
}

/* The next step of the op of stage s, behind `from`. A written priority is that of all of them, and then
 * the later one goes first. */
static Step *step_rest(Builder *b, const StageDef *s, const Step *from, Str op, const char *suffix)
{
    uint32_t scope = from->is_generator ? from->yields : from->scope;
    Str label = arena_printf(b->arena, "%.*s_%s", STR_ARG(op), suffix);
    Step *rest = step_new(b, label, s, scope ? STEP_MAP : STEP_STATIC, scope);
    step_input(b, rest, from->id);
    build_annotate_step(b, rest, s);
    rest->rank = 2 * rest->priority + (rest->has_priority ? 1 : 0);
    rest->in = rest->out = from->out;
    return rest;
}

/* What of a collect runs per batch becomes a step of its own, in front of it: fold.h. It belongs
 * to the collect: no step before it goes first. */
static void split_collect(Builder *b, Step *c, uint32_t batches)
{
    PlanFold f = fold_split(c->pops.ptr, c->pops.n, c->scope, c->reads_in_parts && c->bad_rows == BAD_ROWS_FAIL,
                            c->bad_rows);
    Step *part = arena_new(b->arena, Step);
    part->id = c->id++;
    b->steps.ptr[part->id] = part;
    vec_push(b->arena, &b->steps, c);
    part->name = unique_name(b, arena_printf(b->arena, "%.*s_each", STR_ARG(c->name)));
    part->op = c->op;
    part->kind = STEP_MAP;
    part->part_of = c;
    part->scope = batches;
    part->depth = c->depth;
    part->priority = c->priority;
    part->has_priority = c->has_priority;
    part->bad_rows = c->bad_rows;
    part->rejects = c->rejects;
    part->rank = c->rank;
    for (size_t i = 0; i < b->steps.n; i++) {
        const Step *s = b->steps.ptr[i];
        if ((s->scope == batches || s->yields == batches) && s->rank >= part->rank)
            part->rank = s->rank + 1;
    }
    part->span = c->span;
    part->in = c->in;
    part->inputs = arena_new(b->arena, uint32_t);
    part->inputs[0] = c->inputs[0];
    part->n_inputs = 1;
    size_t n = f.n_head + (f.folds_next ? 1 : 0);
    for (size_t i = 0; i < n; i++)
        vec_push(b->arena, &part->pops, c->pops.ptr[i]);
    part->out = n ? c->pops.ptr[n - 1]->out : c->in;
    c->inputs[0] = part->id;
    c->in = part->out;
    if (f.n_head)
        c->pops.ptr += f.n_head;
    c->pops.n -= f.n_head;
    c->pops.cap = c->pops.n;
    c->hold = f.hold;
    c->hold_limit = f.limit;
    take_tables(b, part);
    take_tables(b, c);
    register_sinks(b, part);
}

/* What the job says of fan-outs does not concern how many ranges a file has. */
static void parts_are_free(Builder *b, const Step *gen)
{
    Scope *scope = &b->scopes.ptr[gen->yields];
    scope->max_batches = 0;
    scope->in_flight = scope->in_flight == UINT32_MAX ? 0 : scope->in_flight;
}

/* A static op that reads in parts: a generator in front of it, and it collects the generator's batches. */
static void split_read(Builder *b, Step *c)
{
    Step *gen = arena_new(b->arena, Step);
    Pop *read = c->pops.ptr[0];
    gen->id = c->id++;
    b->steps.ptr[gen->id] = gen;
    vec_push(b->arena, &b->steps, c);
    gen->name = unique_name(b, arena_printf(b->arena, "%.*s_parts", STR_ARG(c->name)));
    gen->op = c->op;
    gen->kind = STEP_STATIC;
    gen->part_of = c;
    gen->depth = c->depth;
    gen->priority = c->priority;
    gen->has_priority = c->has_priority;
    gen->bad_rows = c->bad_rows;
    gen->rejects = c->rejects;
    gen->rank = c->rank;
    gen->span = c->span;
    read->batch = BATCH_AUTO;
    opens_scope(b, gen, read);
    parts_are_free(b, gen);
    c->kind = STEP_COLLECT;
    c->reads_in_parts = true;
    c->in = gen->out;
    c->inputs = arena_new(b->arena, uint32_t);
    c->inputs[0] = gen->id;
    c->n_inputs = 1;
    c->n_tables = 0;
    c->pops.ptr++;
    c->pops.cap = --c->pops.n;
    split_collect(b, c, gen->yields);
}

/* A static step behind a `read` that stands alone, both without a name: they are one op, as far as the file's parts
 * go, and what reads is the generator. */
static void join_read(Builder *b, Step *gen, Step *c)
{
    Pop *read = gen->pops.ptr[0];
    gen->pops.n = 0;
    gen->part_of = c;
    read->batch = BATCH_AUTO;
    opens_scope(b, gen, read);
    parts_are_free(b, gen);
    c->kind = STEP_COLLECT;
    c->reads_in_parts = true;
    split_collect(b, c, gen->yields);
}

/* Gives the operations of stage s, which may collect the batches of a scope, to `first` and to further
 * steps where batches begin; returns the last of them. */
static Step *lay_out(Builder *b, Step *first, const StageDef *s, const PopList *pops,
                     uint32_t batches)
{
    Step *step = first;
    size_t i = 0, n = pops->n;
    Pop *split = n && pops->ptr[n - 1]->kind == POP_SPLIT ? pops->ptr[--n] : NULL;
    if (n && pop_yields(pops->ptr[0])) {
        if (step->kind == STEP_COLLECT && step->in) { /* its paths are made of the collected table */
            step->out = step->in;
            split_collect(b, step, batches);
            step = step_rest(b, s, step, first->name, "read");
        }
        opens_scope(b, step, pops->ptr[i++]);
    }
    if (i < n && step->is_generator)
        step = step_rest(b, s, step, first->name, "each");
    for (; i < n; i++) {
        vec_push(b->arena, &step->pops, pops->ptr[i]);
        step->out = pops->ptr[i]->out;
    }
    if (!split)
        return step;
    if (step->is_generator || step->pops.n || step->kind == STEP_COLLECT) {
        if (!step->is_generator && step->pops.n == 0)
            step->out = step->in;
        if (step->kind == STEP_COLLECT && step->in && !step->is_generator)
            split_collect(b, step, batches);
        step = step_rest(b, s, step, first->name, "split");
    }
    opens_scope(b, step, split);
    return step;
}

/* ---- stages ---- */

static void wrong_level(Builder *b, const StageDef *s, const Point *at)
{
    const Stage *st = s->stage;
    Str label = op_label(s);
    Diag *d;
    if (st->kind == STAGE_ONCE) {
        d = diag_add(b->diags, E_NEEDS_MAP, st->span,
                     "`%.*s` stands on a dynamic flow, which comes in batches", STR_ARG(label));
        diag_help(b->diags, d, "write `map` before it to run it on every batch, or `collect` to run "
                               "it once on all of them");
        diag_label(b->diags, d, at->from, at->is_auto ? "batches come from here: a `read` directly before `map` is `batch auto`"
                                                  : "batches come from here");
        diag_fix(b->diags, d, (Span){st->span.lo, st->span.lo}, STR_LIT("map "));
        return;
    }
    const char *word = st->kind == STAGE_MAP ? "map" : "collect";
    d = diag_add(b->diags, E_NEEDS_BATCHES, st->word_span,
                 "`%s` stands on a static flow, which is one table", word);
    if (s->op)
        diag_help(b->diags, d, "leave the `%s` out to run `%.*s` once, or make batches: `read csv "
                               "... batch 100`",
                  word, STR_ARG(label));
    else
        diag_help(b->diags, d, "leave it out: there is nothing to collect");
    diag_label(b->diags, d, at->from, "one table comes from here");
}

/* What yields the batches of a scope. */
static Span batches_from(const Builder *b, uint32_t scope)
{
    return b->steps.ptr[b->scopes.ptr[scope].generator]->pops.ptr[0]->span;
}

static bool ends_with_write(const Step *s)
{
    return s->pops.n && s->pops.ptr[s->pops.n - 1]->kind == POP_WRITE_CSV;
}

static bool has_no_name(const StageDef *s)
{
    return s->op && s->op->name.text.len == 0;
}

/* The flow that is written directly before the one that begins with the stage, and has no name; NULL: none. */
static const Flow *flow_above(const Builder *b, const Stage *st)
{
    const FlowList *flows = &b->job->decl->flows;
    for (size_t i = 1; i < flows->n; i++)
        if (flows->ptr[i]->stages.n && flows->ptr[i]->stages.ptr[0] == st && !flows->ptr[i]->name.text.len)
            return flows->ptr[i - 1];
    return NULL;
}

/* The fix that makes one flow of two: `;` between them becomes `|`. */
static void join_flow(Builder *b, Diag *d, const Flow *above, const Stage *st)
{
    Place p = sources_locate(b->host->sources, st->span.lo);
    if (!p.source)
        return;
    Str text = source_text(p.source);
    uint32_t base = source_base(p.source), hi = st->span.lo - base;
    for (uint32_t i = above->span.hi - base; i < hi; i++)
        if (text.ptr[i] == ';') {
            diag_fix_certain(b->diags, d, (Span){base + i, base + i + 1}, STR_LIT(" |"));
            return;
        } else if (text.ptr[i] == '#') {
            break;
        }
    diag_fix_certain(b->diags, d, (Span){st->span.lo, st->span.lo}, STR_LIT("| "));
}

static bool pop_has_effect(const Pop *p)
{
    return p->kind == POP_WRITE_CSV || p->kind == POP_LOG || p->kind == POP_ASSERT || p->kind == POP_FAIL ||
           p->kind == POP_SLEEP || p->kind == POP_EXEC;
}

/* A source behind a table takes nothing of it: what was made there was made for nothing. Behind a stage that has an
 * effect it may be there for the order, `... | write csv "a.csv" | read csv "a.csv"`. */
static void check_dropped(Builder *b, const Point *at, const Stage *st, Str label)
{
    if (at->has_effect || diags_is_torn(b->diags, b->job->decl->span))
        return;
    Diag *d = diag_add(b->diags, E_DROPPED_ROWS, st->span, "`%.*s` drops the rows that are piped into it",
                       STR_ARG(label));
    diag_label(b->diags, d, at->from, "the rows come from here");
    diag_help(b->diags, d, "begin a flow of its own with it; two tables become one by `let t = read csv \"...\"`, and then "
                           "`join t on ...` or `union t`");
}

/* Could the stage's operations stand in one op with those before or behind? It has no name, and nothing of its own is
 * said of it. */
static bool is_plain_stage(const StageDef *s)
{
    return has_no_name(s) && s->stage->kind == STAGE_ONCE && s->stage->annotations.n == 0;
}

/* Row by row, without effects, and the same however rows are numbered. */
static bool is_plain_list(Pop *const *pops, size_t n, bool is_row_wise)
{
    for (size_t i = 0; i < n; i++) {
        const Pop *p = pops[i];
        if (pop_uses_row(p) || pop_uses_batch(p) || pop_is_source(p))
            return false;
        if (pop_has_effect(p) && (is_row_wise || p->kind != POP_WRITE_CSV))
            return false;
        if (is_row_wise && (!pop_is_row_wise(p->kind) || p->kind == POP_JOIN || p->kind == POP_WRITE_CSV))
            return false;
    }
    return n > 0;
}

/* May the stage's step, which is behind a lone read of a CSV file, go up in the next? */
static bool goes_row_by_row(const Step *read, const Step *step, const StageDef *s)
{
    return read->pops.n == 1 && read->pops.ptr[0]->kind == POP_READ_CSV && read->pops.ptr[0]->dialect.format == ROWS_CSV &&
           step->kind == STEP_STATIC && is_plain_stage(s) && fold_goes_up(step) && is_plain_list(step->pops.ptr, step->pops.n, true);
}

/* The step before goes up in the one that is built: its operations stand in front of pops, and it gives its name, that of
 * their first. */
static Str take_up(Builder *b, Point *at, PopList *pops, const Schema **in)
{
    Step *before = at->row_wise;
    PopList all = {0};
    for (size_t i = 0; i < before->pops.n; i++)
        vec_push(b->arena, &all, before->pops.ptr[i]);
    for (size_t i = 0; i < pops->n; i++)
        vec_push(b->arena, &all, pops->ptr[i]);
    *pops = all;
    *in = before->in;
    at->step = before->inputs[0];
    b->steps.n--;
    map_put(&b->names, before->name, NULL);
    return before->name;
}

/* It stays a step of its own. */
static void leave_row_wise(Builder *b, Point *at)
{
    if (!at->row_wise)
        return;
    if (at->joins_later) {
        join_read(b, at->read, at->row_wise);
        at->step = at->row_wise->id;
    }
    at->read = NULL;
}

/* Lays out one stage behind *at; next: the one that follows, NULL: none. */
static void build_stage(Builder *b, const StageDef *s, bool is_source, const StageDef *next,
                        bool is_last, Point *at)
{
    const Stage *st = s->stage;
    if (s->is_error || st->is_error || at->is_broken) {
        at->is_broken = true;
        return;
    }
    if (s->flow) { /* a named flow, at the source */
        const Point *p = map_get(&b->let_points, s->flow->name.text);
        if (p)
            *at = *p;
        else
            at->is_broken = true;
        at->read = at->row_wise = NULL;
        return;
    }
    if (is_source && s->op && !begins_with_source(s->op->op) && has_lost_source(s->op->op)) {
        at->is_broken = true;
        return;
    }
    if (is_source && diags_explain(b->diags, st->span)) {
        at->is_broken = true;
        return;
    }
    if (is_source && (!s->op || !begins_with_source(s->op->op))) {
        Diag *d = diag_add(b->diags, E_NO_INPUT, st->span,
                           "nothing is piped into `%.*s`, and it does not begin with `read`",
                           STR_ARG(op_label(s)));
        const Flow *above = flow_above(b, st);
        if (above && !s->op->name.text.len) {
            Span end = {above->span.hi, above->span.hi};
            diag_label(b->diags, d, end, "this flow ends here");
            diag_help(b->diags, d, "to go on with the flow above join it by `|`");
            join_flow(b, d, above, st);
        } else {
            diag_help(b->diags, d, "put a source before it: `read csv \"file.csv\" | ...`");
        }
        at->is_broken = true;
        return;
    }
    if (!is_source && (st->kind == STAGE_ONCE) != (at->scope == 0)) {
        if (!diags_is_torn(b->diags, b->job->decl->span))
            wrong_level(b, s, at);
        at->is_broken = true;
        return;
    }

    StepKind kind = STEP_STATIC;
    uint32_t batches = at->scope;
    uint32_t scope = is_source ? 0 : at->scope;
    if (st->kind == STAGE_MAP)
        kind = STEP_MAP;
    else if (st->kind == STAGE_COLLECT) {
        kind = STEP_COLLECT;
        scope = b->scopes.ptr[at->scope].parent;
    }

    Typer t = build_typer(b);
    t.params = bind_params(b, s);
    t.tables = bind_tables(b, s);
    t.has_table = true;
    if (!is_source) {
        t.cols = at->cols;
        t.is_unknown = at->is_unknown;
    }
    const Schema *in = is_source ? NULL : scope_schema(b->arena, &t.cols);
    PopList pops = {0};
    bool is_auto = false;
    if (s->op) {
        type_body(&t, &s->op->op->body, &pops);
        if (is_source && next && next->stage->kind == STAGE_MAP && !s->op->name.text.len && s->op->op->body.n == 1 &&
            pops.n == 1 && pops.ptr[0]->kind == POP_READ_CSV && pops.ptr[0]->batch == BATCH_NONE) {
            pops.ptr[0]->batch = BATCH_AUTO;
            is_auto = true;
        }
    }
    register_stdin(b, &pops, scope);
    simplify_pops(b->arena, b->host->evaluator, &pops);
    Str label = op_label(s);
    if (at->row_wise && is_plain_stage(s) && is_plain_list(pops.ptr, pops.n, false))
        label = take_up(b, at, &pops, &in);
    else
        leave_row_wise(b, at);
    fold_tops(&pops);
    Step *step = step_new(b, label, s, kind, scope);
    if (!is_source)
        step_input(b, step, at->step);
    build_annotate_step(b, step, s);
    /* A source replaces what is piped in, but for a path that is made of it. */
    const Pop *head = pops.n ? pops.ptr[0] : NULL;
    bool wants_input = !head || !pop_is_source(head) || (head->expr && head->expr->needs_row &&
                                                         head->kind == POP_READ_CSV);
    size_t n_before = b->steps.n - 1;
    bool is_path_known = head && (head->kind != POP_READ_CSV || head->expr || head->path.len);
    if (!is_source && !wants_input && st->kind == STAGE_ONCE && is_path_known)
        check_dropped(b, at, st, op_label(s));
    for (size_t i = 0; i < pops.n; i++)
        at->has_effect |= pop_has_effect(pops.ptr[i]);
    step->in = wants_input ? in : NULL;
    step = lay_out(b, step, s, &pops, batches);
    at->scope = step->is_generator ? step->yields : step->scope;
    if (step->is_generator) {
        at->from = step->pops.ptr[0]->span;
        at->is_auto = is_auto;
    }
    else if (is_source || st->kind == STAGE_COLLECT || step->id > n_before)
        at->from = at->scope ? batches_from(b, at->scope) : st->span;
    for (size_t i = n_before; i < b->steps.n; i++)
        attach_tables(b, b->steps.ptr[i]);
    at->cols = t.cols;
    at->is_unknown = t.is_unknown;
    at->is_broken = s->op && has_lost_source(s->op->op);
    step->out = scope_schema(b->arena, &t.cols);

    bool has_sink = false;
    for (size_t i = 0; i < step->pops.n; i++)
        has_sink |= step->pops.ptr[i]->kind == POP_WRITE_CSV;
    if (is_last && b->host->prints_loose_ends && !has_sink && !at->is_unknown) {
        if (step->is_generator) {
            uint32_t gen = step->id;
            step = step_new(b, STR_LIT("write"), s, STEP_MAP, at->scope);
            step_input(b, step, gen);
            step->priority = (int32_t)step->depth;
            step->rank = 2 * step->priority;
            step->in = step->out = b->steps.ptr[gen]->out;
        }
        Pop *w = arena_new(b->arena, Pop);
        w->kind = POP_WRITE_CSV;
        w->span = st->span;
        w->dialect = CSV_DEFAULT_DIALECT;
        w->expr = tx_const(b->arena, (Value){.type = TYPE_STRING, .s = STR_LIT("stdout")}, st->span);
        w->out = step->out;
        vec_push(b->arena, &step->pops, w);
    }
    bool joins = at->read && step->id == n_before && has_no_name(s) &&
                 fold_takes_parts(b->plan, at->read, step, begins_with_take(next), !is_last || !ends_with_write(step));
    bool goes_up = next && is_plain_stage(next) && at->read && step->id == n_before && goes_row_by_row(at->read, step, s);
    if (step->kind == STEP_COLLECT && step->in && !step->is_generator)
        split_collect(b, step, batches);
    else if (is_source && fold_reads_in_parts(step, begins_with_take(next)))
        split_read(b, step);
    else if (joins && !goes_up)
        join_read(b, at->read, step);
    at->row_wise = goes_up ? step : NULL;
    at->joins_later = joins && goes_up;
    if (!goes_up)
        at->read = is_source && has_no_name(s) ? step : NULL;
    for (size_t i = n_before; i < b->steps.n; i++)
        if (!b->steps.ptr[i]->is_generator && !b->steps.ptr[i]->part_of)
            register_sinks(b, b->steps.ptr[i]);
    at->step = step->id;
}

static void build_flow(Builder *b, const FlowDef *f)
{
    Point at = {0};
    at.is_broken = f->is_cyclic;
    for (uint32_t i = 0; i < f->n_stages; i++) {
        const StageDef *next = i + 1 < f->n_stages ? &f->stages[i + 1] : NULL;
        build_stage(b, &f->stages[i], i == 0, next, !next && !f->name.text.len, &at);
    }
    if (f->name.text.len && !at.is_broken) {
        Point *p = arena_new(b->arena, Point);
        *p = at;
        map_put(&b->let_points, f->name.text, p);
    }
}

/* The read of a file that the path names; NULL: none, as far as the program tells. */
static const Pop *read_of(const Builder *b, const Tx *path)
{
    for (size_t i = 0; i < b->steps.n && path->kind == TX_CONST; i++) {
        const Step *s = b->steps.ptr[i];
        const Pop *p = s->pops.n ? s->pops.ptr[0] : NULL;
        if (!p || p->kind != POP_READ_CSV || p->expr)
            continue;
        if (p->is_pattern ? path_matches(p->path, path->value.s) : path_same(p->path, path->value.s))
            return p;
    }
    return NULL;
}

/* The rows that are rejected would replace what they come from. */
static void check_reject_reads(Builder *b)
{
    for (size_t i = 0; i < b->rejects.n; i++) {
        const PlanRejects *r = &b->rejects.ptr[i];
        const Pop *read = read_of(b, r->path);
        if (!read)
            continue;
        Diag *d = diag_add(b->diags, E_SAME_PATH, r->span, "rejected rows would replace `%.*s`, which the job reads",
                           STR_ARG(r->path->value.s));
        diag_label(b->diags, d, read->span, read->is_pattern ? "the pattern matches it" : "it is read here");
        diag_help(b->diags, d, read->is_pattern ? "give them a file that the pattern does not match"
                                                : "give them a file of their own");
    }
}

/* A file of rejected rows is none that a step writes. */
static void check_rejects(Builder *b)
{
    for (size_t i = 0; i < b->rejects.n; i++)
        for (size_t k = 0; k < b->sinks.n; k++) {
            const PlanRejects *r = &b->rejects.ptr[i];
            const Tx *path = b->sinks.ptr[k].pop->expr;
            if (!build_same_path(path, r->path))
                continue;
            Diag *d = diag_add(b->diags, E_SAME_PATH, r->span, "rejected rows and a step go to `%.*s`",
                               STR_ARG(path->value.s));
            diag_label(b->diags, d, path->span, "the step writes it");
            diag_help(b->diags, d, "give them paths of their own");
        }
}

Plan *plan_build(Arena *a, const PlanHost *host, const Program *program, const JobDef *job,
                 Diags *diags)
{
    Plan *plan = arena_new(a, Plan);
    Map globals;
    map_init(&globals, a);
    Builder b = {.arena = a, .host = host, .program = program, .job = job, .diags = diags,
                 .plan = plan, .globals = &globals};
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
    check_rejects(&b);
    check_reject_reads(&b);
    plan->n_pools = (uint32_t)b.pools.n;
    plan->pools = b.pools.ptr;
    fold_finish(a, plan);
    if (diags->n_errors == 0)
        needs_find(a, plan);
    return plan;
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
    for (size_t i = 0; i < program->fns.n; i++) {
        const FnDef *fn = program->fns.ptr[i];
        Typer t = build_typer(&b);
        Map locals;
        map_init(&locals, a);
        bool ok = !fn->is_cyclic && fn->type != TYPE_ERROR;
        for (uint32_t k = 0; k < fn->n_params; k++) {
            /* stands for any value of its type */
            Tx *any = tx_column(a, k, fn->params[k].type, fn->params[k].name.span);
            map_put(&locals, fn->params[k].name.text, any);
        }
        t.locals = &locals;
        t.has_table = true;
        Str what = arena_printf(a, "the value of fn `%.*s`", STR_ARG(fn->name.text));
        if (ok)
            type_expr_as(&t, fn->value, fn->type, what.ptr);
    }
}
