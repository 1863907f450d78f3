/* build_stage.c - a stage becomes steps of the plan: typed, laid out, and taken together with its neighbours where
 * that is the same and faster. build_stage, the entry, is last.
 */
#include "plan/build_state.h"

#include "plan/fold.h"
#include "plan/simplify.h"

/* A stage on its way into the plan. */
typedef struct Work {
    const StageDef *s;
    const StageDef *next; /* the stage that follows; NULL: none */
    bool is_source;       /* it begins its flow */
    bool is_last;         /* it ends a flow without a name */
    uint32_t scope;       /* that its step is in */
    uint32_t batches;     /* that comes in: what a collect collects */
    Typer typer;          /* its columns are those that come in, then those that go out */
    const Schema *in;
    PopList pops;
    bool is_auto;         /* a `read` before `map` that says no `batch` */
    size_t first;         /* the steps from here on are the stage's ... */
    Step *step;           /* ... and this is the last of them */
} Work;

static bool stage_has_no_name(const StageDef *s)
{
    return s->op && s->op->name.text.len == 0;
}

static ScopeCols cols_copy(Arena *a, const ScopeCols *from)
{
    ScopeCols to = {0};
    for (size_t i = 0; i < from->n; i++)
        vec_push(a, &to, from->ptr[i]);
    return to;
}

/* The flow begins with one that has a name, and others may: what statements make of the columns is this one's own. */
static void begin_with_flow(Builder *b, const StageDef *s, Point *at)
{
    const Point *p = map_get(&b->let_points, s->flow->name.text);
    if (p) {
        *at = *p;
        at->cols = cols_copy(b->arena, &p->cols);
    } else {
        at->is_broken = at->is_unknown = true;
    }
    at->read = at->row_wise = NULL;
}

/* From the stage's statements to operations. */
static void type_statements(Builder *b, Work *w, const Point *at)
{
    const StageDef *s = w->s;
    w->typer = build_typer(b);
    w->typer.params = build_bind_params(b, s);
    w->typer.tables = build_bind_tables(b, s);
    w->typer.has_table = true;
    w->typer.is_unknown = at->is_unknown;
    if (!w->is_source) {
        w->typer.cols = at->cols;
        w->in = scope_schema(b->arena, &w->typer.cols);
    }
    if (s->op)
        type_body(&w->typer, &s->op->op->body, &w->pops);
}

/* It has no place in the plan, but what is wrong with it by itself is said. */
static void check_stage(Builder *b, Work *w, Point *at)
{
    const StageDef *s = w->s;
    at->is_broken = true;
    if (!s->op && s->stage->kind == STAGE_COLLECT && !s->is_error && !s->stage->is_error)
        return;
    if (!s->op) { /* what comes out is not known */
        at->is_unknown = true;
        at->cols = (ScopeCols){0};
        return;
    }
    type_statements(b, w, at);
    at->cols = w->typer.cols;
    at->is_unknown = w->typer.is_unknown || build_loses_source(s->op->op);
}

static void type_stage(Builder *b, Work *w, const Point *at)
{
    const StageDef *s = w->s;
    type_statements(b, w, at);
    w->is_auto = w->is_source && w->next && w->next->stage->kind == STAGE_MAP && stage_has_no_name(s) &&
                 s->op->op->body.n == 1 && w->pops.n == 1 && w->pops.ptr[0]->kind == POP_READ_CSV &&
                 w->pops.ptr[0]->batch == BATCH_NONE;
    if (w->is_auto)
        w->pops.ptr[0]->batch = BATCH_AUTO;
    build_register_stdin(b, &w->pops, w->scope);
    simplify_pops(b->arena, b->host->evaluator, &w->pops);
}

/* ---- neighbours ---- */

/* It wants the first rows of what comes before it. */
static bool begins_with_take(const StageDef *s)
{
    return s && s->op && s->op->op->body.n && s->op->op->body.ptr[0]->kind == STMT_TAKE;
}

static bool ends_with_write(const Step *s)
{
    return s->pops.n && s->pops.ptr[s->pops.n - 1]->kind == POP_WRITE_CSV;
}

static bool pop_has_effect(const Pop *p)
{
    return p->kind == POP_WRITE_CSV || p->kind == POP_LOG || p->kind == POP_ASSERT || p->kind == POP_FAIL ||
           p->kind == POP_SLEEP || p->kind == POP_EXEC;
}

/* Could the stage's operations stand in one op with those before or behind? It has no name, and nothing of its own is
 * said of it. */
static bool is_plain_stage(const StageDef *s)
{
    return stage_has_no_name(s) && s->stage->kind == STAGE_ONCE && s->stage->annotations.n == 0;
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
        if (is_row_wise && (!pop_is_row_wise(p->kind) || p->kind == POP_WRITE_CSV))
            return false;
    }
    return n > 0;
}

/* May the stage's step, which is behind a lone read of a file, go up in the next? */
static bool goes_row_by_row(const Step *read, const Step *step, const StageDef *s)
{
    return read->pops.n == 1 && read->pops.ptr[0]->kind == POP_READ_CSV && read->pops.ptr[0]->dialect.format != ROWS_SQLITE &&
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
        build_join_read(b, at->read, at->row_wise);
        at->step = at->row_wise->id;
    }
    at->read = NULL;
}

/* What of the stage goes by batches or by parts of the file that the stage before reads, and what is left to the next. */
static void split_stage(Builder *b, Work *w, Point *at)
{
    Step *step = w->step;
    bool is_behind_read = at->read && step->id == w->first;
    bool joins = is_behind_read && stage_has_no_name(w->s) &&
                 fold_takes_parts(b->plan, at->read, step, begins_with_take(w->next), !w->is_last || !ends_with_write(step));
    bool goes_up = is_behind_read && w->next && is_plain_stage(w->next) && goes_row_by_row(at->read, step, w->s);
    if (step->kind == STEP_COLLECT && step->in && !step->is_generator)
        build_split_collect(b, step, w->batches);
    else if (w->is_source && fold_reads_in_parts(step, begins_with_take(w->next)))
        build_split_read(b, step);
    else if (joins && !goes_up)
        build_join_read(b, at->read, step);
    at->row_wise = goes_up ? step : NULL;
    at->joins_later = joins && goes_up;
    if (!goes_up)
        at->read = w->is_source && stage_has_no_name(w->s) ? step : NULL;
}

/* ---- steps ---- */

/* A source replaces what is piped in, but for a path that is made of it. */
static bool wants_input(const PopList *pops)
{
    const Pop *head = pops->n ? pops->ptr[0] : NULL;
    return !head || !pop_is_source(head) ||
           (head->kind == POP_READ_CSV && head->expr && head->expr->needs_row);
}

/* Is anything known of where the first operation reads from? */
static bool is_path_known(const PopList *pops)
{
    const Pop *head = pops->n ? pops->ptr[0] : NULL;
    return head && (head->kind != POP_READ_CSV || head->expr || head->path.len);
}

/* From operations to steps. */
static void add_steps(Builder *b, Work *w, Point *at)
{
    static const StepKind kinds[] = {
        [STAGE_ONCE] = STEP_STATIC, [STAGE_MAP] = STEP_MAP, [STAGE_COLLECT] = STEP_COLLECT};
    const StageDef *s = w->s;
    Str label = build_op_label(s);
    if (at->row_wise && is_plain_stage(s) && is_plain_list(w->pops.ptr, w->pops.n, false))
        label = take_up(b, at, &w->pops, &w->in);
    else
        leave_row_wise(b, at);
    fold_tops(&w->pops);
    Step *step = build_step_new(b, label, s, kinds[s->stage->kind], w->scope);
    w->first = step->id;
    if (!w->is_source)
        build_step_input(b, step, at->step);
    build_annotate_step(b, step, s);
    bool takes_input = wants_input(&w->pops);
    if (!w->is_source && !takes_input && s->stage->kind == STAGE_ONCE && is_path_known(&w->pops))
        build_check_dropped(b, at, s->stage, build_op_label(s), w->pops.ptr[0]);
    step->in = takes_input ? w->in : NULL;
    w->step = build_lay_out(b, step, s, &w->pops, w->batches);
    for (size_t i = w->first; i < b->steps.n; i++)
        build_attach_tables(b, b->steps.ptr[i]);
    w->step->out = scope_schema(b->arena, &w->typer.cols);
}

/* What yields the batches of a scope. */
static Span batches_from(const Builder *b, uint32_t scope)
{
    return b->steps.ptr[b->scopes.ptr[scope].generator]->pops.ptr[0]->span;
}

/* The flow has come behind the stage's steps. */
static void move_on(Builder *b, const Work *w, Point *at)
{
    const Stage *st = w->s->stage;
    for (size_t i = 0; i < w->pops.n; i++)
        at->has_effect |= pop_has_effect(w->pops.ptr[i]);
    at->scope = w->step->is_generator ? w->step->yields : w->step->scope;
    if (w->step->is_generator) {
        at->from = w->step->pops.ptr[0]->span;
        at->is_auto = w->is_auto;
    } else if (w->is_source || st->kind == STAGE_COLLECT || w->step->id > w->first) {
        at->from = at->scope ? batches_from(b, at->scope) : st->span;
    }
    at->cols = w->typer.cols;
    at->is_unknown = w->typer.is_unknown;
    at->is_broken = w->s->op && build_loses_source(w->s->op->op);
    at->is_unknown |= at->is_broken;
}

/* ---- the end of a flow ---- */

static bool has_sink(const Step *s)
{
    for (size_t i = 0; i < s->pops.n; i++)
        if (s->pops.ptr[i]->kind == POP_WRITE_CSV)
            return true;
    return false;
}

/* The flow ends here, and nothing is written: it is printed. */
static void print_loose_end(Builder *b, Work *w, const Point *at)
{
    if (w->step->is_generator) {
        const Step *gen = w->step;
        Step *step = build_step_new(b, STR_LIT("write"), w->s, STEP_MAP, at->scope);
        build_step_input(b, step, gen->id);
        step->priority = (int32_t)step->depth;
        step->rank = 2 * step->priority;
        step->in = step->out = gen->out;
        w->step = step;
    }
    Span span = w->s->stage->span;
    Pop *p = arena_new(b->arena, Pop);
    p->kind = POP_WRITE_CSV;
    p->span = span;
    p->dialect = CSV_DEFAULT_DIALECT;
    p->expr = tx_const(b->arena, (Value){.type = TYPE_STRING, .s = STR_LIT("stdout")}, span);
    p->out = w->step->out;
    vec_push(b->arena, &w->step->pops, p);
}

/* ---- all of it ---- */

static void add_stage(Builder *b, Work *w, Point *at)
{
    w->batches = at->scope;
    w->scope = w->is_source ? 0 : at->scope;
    if (w->s->stage->kind == STAGE_COLLECT)
        w->scope = b->scopes.ptr[at->scope].parent;
    type_stage(b, w, at);
    add_steps(b, w, at);
    move_on(b, w, at);
    if (w->is_last && b->host->prints_loose_ends && !has_sink(w->step) && !at->is_unknown)
        print_loose_end(b, w, at);
    split_stage(b, w, at);
    for (size_t i = w->first; i < b->steps.n; i++)
        if (!b->steps.ptr[i]->is_generator && !b->steps.ptr[i]->part_of)
            build_register_sinks(b, b->steps.ptr[i]);
    at->step = w->step->id;
}

void build_stage(Builder *b, const FlowDef *f, uint32_t i, Point *at)
{
    const StageDef *s = &f->stages[i], *next = i + 1 < f->n_stages ? &f->stages[i + 1] : NULL;
    Work w = {.s = s, .next = next, .is_source = i == 0, .is_last = !next && !f->name.text.len};
    if (i == 0 && !s->flow && !(s->op && build_begins_with_source(s->op->op)))
        at->is_unknown = true;
    if (at->is_broken || s->is_error || s->stage->is_error)
        check_stage(b, &w, at);
    else if (s->flow)
        begin_with_flow(b, s, at);
    else if (build_stage_fits(b, s, i == 0, at))
        add_stage(b, &w, at);
    else
        check_stage(b, &w, at);
}
