#include "plan/expect.h"

#include "plan/fold.h"

bool range_batches(const Step *generator, uint64_t *out)
{
    const Pop *p = generator->pops.n ? generator->pops.ptr[0] : NULL;
    if (!p || p->kind != POP_RANGE || p->batch != BATCH_ROWS || p->batch_n == 0)
        return false;
    int64_t first = p->expr->value.i, last = p->expr2->value.i;
    *out = last < first ? 0 : ((uint64_t)last - (uint64_t)first) / p->batch_n + 1;
    return true;
}

static bool may_stop_early(const Plan *plan, uint32_t scope)
{
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        if (s->kind == STEP_COLLECT && plan->steps[s->inputs[0]]->scope == scope &&
            fold_stops_generator(plan, s))
            return true;
    }
    return false;
}

void plan_expect_batches(const Plan *plan, uint64_t *n_batches)
{
    n_batches[0] = 1;
    /* A scope comes after the one around it. */
    for (uint32_t c = 1; c < plan->n_scopes; c++) {
        const Step *generator = plan->steps[plan->scopes[c].generator];
        uint64_t each, times = n_batches[generator->scope];
        bool is_known = times != BATCHES_UNKNOWN && range_batches(generator, &each) &&
                        !may_stop_early(plan, c) && (each == 0 || times < BATCHES_UNKNOWN / each);
        n_batches[c] = is_known ? times * each : BATCHES_UNKNOWN;
    }
}
