#include "run/spec.h"

#include <unistd.h>

#include "plan/pop_text.h"

uint32_t processors_online(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (uint32_t)n : 1;
}

uint32_t plan_workers(const Plan *plan, uint32_t asked)
{
    if (asked)
        return asked;
    if (plan->max_concurrent)
        return plan->max_concurrent;
    return processors_online();
}

/* Does the step append to a file in key order? */
static bool step_is_ordered(const Step *s)
{
    if (s->scope == 0 || s->part_of) /* a part's rows are written when it is folded */
        return false;
    for (size_t i = 0; i < s->pops.n; i++) {
        const Pop *p = s->pops.ptr[i];
        if (p->kind == POP_WRITE_CSV && !write_is_by_key(p))
            return true;
    }
    return false;
}

GraphSpec *plan_graph(Arena *a, const Plan *plan)
{
    GraphSpec *g = arena_new(a, GraphSpec);
    StepSpec *steps = arena_array(a, StepSpec, plan->n_steps);
    ScopeSpec *scopes = arena_array(a, ScopeSpec, plan->n_scopes);
    PoolSpec *pools = arena_array(a, PoolSpec, plan->n_pools);
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        steps[i] = (StepSpec){
            .name = s->name,
            .scope = s->scope,
            .opens = s->yields,
            .priority = s->rank,
            .has_priority = s->has_priority,
            .is_helper = s->part_of != NULL,
            .order = s->id,
            .cap = s->max_concurrent,
            .pool = s->pool ? (int32_t)s->pool - 1 : SPEC_NO_POOL,
            .retry = s->retry,
            .timeout_ns = (uint64_t)s->timeout_us * 1000,
            .on_failure = s->on_failure,
            .is_ordered = step_is_ordered(s),
            .n_inputs = s->n_inputs,
            .inputs = s->inputs,
        };
    }
    for (uint32_t i = 0; i < plan->n_scopes; i++) {
        const Scope *s = &plan->scopes[i];
        scopes[i] = (ScopeSpec){.parent = s->parent, .generator = s->generator,
                                .in_flight = s->in_flight, .max_batches = s->max_batches};
    }
    for (uint32_t i = 0; i < plan->n_pools; i++)
        pools[i] = (PoolSpec){.name = plan->pools[i].name, .size = plan->pools[i].size};
    g->n_steps = plan->n_steps;
    g->n_scopes = plan->n_scopes;
    g->steps = steps;
    g->scopes = scopes;
    g->n_pools = plan->n_pools;
    g->pools = pools;
    return g;
}

/* As the program writes the path; where it depends on the batch, the text around the key. */
static Str rejects_name(Arena *a, const Plan *plan, const Step *s)
{
    if (!s->rejects)
        return (Str){0};
    Buf text = {0};
    path_put_text(&text, plan->rejects[s->rejects - 1].path);
    Str name = arena_str(a, buf_str(&text));
    buf_deinit(&text);
    return name;
}

RunInfo *plan_run_info(Arena *a, const Plan *plan, const GraphSpec *spec, const Bounds *bounds)
{
    RunInfo *info = arena_new(a, RunInfo);
    RunStep *steps = arena_array(a, RunStep, plan->n_steps);
    RunScope *scopes = arena_array(a, RunScope, plan->n_scopes);
    RunPool *pools = arena_array(a, RunPool, spec->n_pools);
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        const StepSpec *t = &spec->steps[i];
        steps[i] = (RunStep){.name = s->name, .scope = s->scope, .child_scope = s->yields,
                             .priority = s->priority, .is_collect = s->kind == STEP_COLLECT,
                             .is_ordered = t->is_ordered, .cap = t->cap,
                             .rejects = rejects_name(a, plan, s),
                             .pool = t->pool == SPEC_NO_POOL ? 0 : (uint32_t)t->pool + 1,
                             .n_inputs = t->n_inputs, .inputs = t->inputs};
    }
    for (uint32_t i = 0; i < spec->n_pools; i++)
        pools[i] = (RunPool){.name = spec->pools[i].name, .size = spec->pools[i].size};
    for (uint32_t i = 0; i < plan->n_scopes; i++)
        scopes[i] = (RunScope){.parent = spec->scopes[i].parent,
                               .generator = i ? spec->scopes[i].generator : RUN_NO_STEP,
                               .bound = bounds->scopes[i].live,
                               .credits = i ? bounds->scopes[i].credits : 0};
    info->file = plan->file;
    info->job = plan->job;
    info->n_workers = bounds->n_workers;
    info->n_processors = processors_online();
    info->n_steps = plan->n_steps;
    info->n_scopes = plan->n_scopes;
    info->steps = steps;
    info->scopes = scopes;
    info->n_pools = spec->n_pools;
    info->pools = pools;
    return info;
}
