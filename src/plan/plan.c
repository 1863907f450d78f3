#include "plan/plan.h"

static const struct {
    const char *name;
    bool is_row_wise;
} POPS[] = {
#define POP(e, name, row_wise, doc) [POP_##e] = {name, row_wise},
#include "plan/ops.def"
#undef POP
};

const char *pop_name(PopKind k)
{
    return POPS[k].name;
}

bool pop_is_row_wise(PopKind k)
{
    return POPS[k].is_row_wise;
}

bool pop_is_source(const Pop *p)
{
    return p->kind == POP_READ_CSV || p->kind == POP_RANGE || p->kind == POP_FILES;
}

bool write_is_by_key(const Pop *p)
{
    return p->expr->needs_batch || (p->expr2 && p->expr2->needs_batch);
}

bool pop_yields(const Pop *p)
{
    if (p->kind == POP_READ_CSV || p->kind == POP_RANGE)
        return p->batch != BATCH_NONE;
    return p->kind == POP_FILES || p->kind == POP_SPLIT;
}

const char *pop_key_word(const Pop *p)
{
    if (p->kind == POP_FILES)
        return "file";
    return p->kind == POP_SPLIT && !p->expr ? "value" : "number";
}

uint32_t scope_level(const Plan *plan, uint32_t scope)
{
    uint32_t level = 0;
    for (; scope != 0; scope = plan->scopes[scope].parent)
        level++;
    return level;
}

bool plan_is_nested(const Plan *plan)
{
    for (uint32_t i = 1; i < plan->n_scopes; i++)
        if (plan->scopes[i].parent != 0)
            return true;
    return false;
}

const char *step_kind_name(const Step *s)
{
    if (s->reads_in_parts)
        return "static";
    switch (s->kind) {
    case STEP_STATIC: return "static";
    case STEP_MAP: return "map";
    case STEP_COLLECT: return "collect";
    }
    return "?";
}
