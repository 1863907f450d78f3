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

const char *step_kind_name(StepKind k)
{
    switch (k) {
    case STEP_STATIC: return "static";
    case STEP_MAP: return "map";
    case STEP_COLLECT: return "collect";
    }
    return "?";
}
