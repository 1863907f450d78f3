/* build_step.c - steps. An op that yields batches is several: what comes before a `split`, the generator, what runs per
 * batch behind a source; and so is a collect that does some of its work on each batch.
 */
#include "plan/build_state.h"

#include "plan/fold.h"

static Str unique_name(Builder *b, Str want)
{
    Str name = want;
    for (uint32_t n = 2; map_get(&b->names, name); n++)
        name = arena_printf(b->arena, "%.*s_%u", STR_ARG(want), n);
    map_put(&b->names, name, b);
    return name;
}

Str build_op_label(const StageDef *s)
{
    if (s->op && s->op->name.text.len)
        return s->op->name.text;
    if (s->op && s->op->op->body.n)
        return str_of(stmt_word(s->op->op->body.ptr[0]->kind));
    return s->stage->kind == STAGE_COLLECT ? STR_LIT("collect") : STR_LIT("pass");
}

Step *build_step_new(Builder *b, Str label, const StageDef *s, StepKind kind, uint32_t scope)
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

void build_step_input(Builder *b, Step *s, uint32_t from)
{
    s->inputs = arena_new(b->arena, uint32_t);
    s->inputs[0] = from;
    s->n_inputs = 1;
    s->depth = b->steps.ptr[from]->depth + 1;
}

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
    Step *rest = build_step_new(b, label, s, scope ? STEP_MAP : STEP_STATIC, scope);
    build_step_input(b, rest, from->id);
    build_annotate_step(b, rest, s);
    rest->rank = 2 * rest->priority + (rest->has_priority ? 1 : 0);
    rest->in = rest->out = from->out;
    return rest;
}

/* A step in front of `whole`, of which it is a part: it takes its place in the list, and what is said of it. */
static Step *part_new(Builder *b, Step *whole, StepKind kind, const char *suffix)
{
    Step *part = arena_new(b->arena, Step);
    part->id = whole->id++;
    b->steps.ptr[part->id] = part;
    vec_push(b->arena, &b->steps, whole);
    part->name = unique_name(b, arena_printf(b->arena, "%.*s_%s", STR_ARG(whole->name), suffix));
    part->op = whole->op;
    part->kind = kind;
    part->part_of = whole;
    part->depth = whole->depth;
    part->priority = whole->priority;
    part->has_priority = whole->has_priority;
    part->bad_rows = whole->bad_rows;
    part->rejects = whole->rejects;
    part->rank = whole->rank;
    part->span = whole->span;
    return part;
}

/* ---- collects and reads ---- */

void build_split_collect(Builder *b, Step *c, uint32_t batches)
{
    PlanFold f = fold_split(c->pops.ptr, c->pops.n, c->scope, c->reads_in_parts && c->bad_rows == BAD_ROWS_FAIL,
                            c->bad_rows);
    Step *part = part_new(b, c, STEP_MAP, "each");
    part->scope = batches;
    for (size_t i = 0; i < b->steps.n; i++) {
        const Step *s = b->steps.ptr[i];
        if ((s->scope == batches || s->yields == batches) && s->rank >= part->rank)
            part->rank = s->rank + 1;
    }
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
    build_take_tables(b, part);
    build_take_tables(b, c);
    build_register_sinks(b, part);
}

/* What the job says of fan-outs does not concern how many ranges a file has. */
static void parts_are_free(Builder *b, const Step *gen)
{
    Scope *scope = &b->scopes.ptr[gen->yields];
    scope->max_batches = 0;
    scope->in_flight = scope->in_flight == UINT32_MAX ? 0 : scope->in_flight;
}

void build_split_read(Builder *b, Step *c)
{
    Step *gen = part_new(b, c, STEP_STATIC, "parts");
    Pop *read = c->pops.ptr[0];
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
    build_split_collect(b, c, gen->yields);
}

void build_join_read(Builder *b, Step *gen, Step *c)
{
    Pop *read = gen->pops.ptr[0];
    gen->pops.n = 0;
    gen->part_of = c;
    read->batch = BATCH_AUTO;
    opens_scope(b, gen, read);
    parts_are_free(b, gen);
    c->kind = STEP_COLLECT;
    c->reads_in_parts = true;
    build_split_collect(b, c, gen->yields);
}

/* ---- all steps of a stage ---- */

Step *build_lay_out(Builder *b, Step *first, const StageDef *s, const PopList *pops,
                     uint32_t batches)
{
    Step *step = first;
    size_t i = 0, n = pops->n;
    Pop *split = n && pops->ptr[n - 1]->kind == POP_SPLIT ? pops->ptr[--n] : NULL;
    if (n && pop_yields(pops->ptr[0])) {
        if (step->kind == STEP_COLLECT && step->in) { /* its paths are made of the collected table */
            step->out = step->in;
            build_split_collect(b, step, batches);
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
            build_split_collect(b, step, batches);
        step = step_rest(b, s, step, first->name, "split");
    }
    opens_scope(b, step, split);
    return step;
}
