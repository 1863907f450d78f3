#include "api/mill.h"

#include "code/disasm.h"
#include "code/emit.h"
#include "code/verify.h"
#include "lang/ast_dump.h"
#include "plan/expect.h"
#include "plan/fold.h"
#include "plan/plan_dump.h"
#include "run/spec.h"

/* Texts of a proved bound, in the arena. */
static const Str *reason_texts(Arena *a, const GraphSpec *g, uint32_t n_workers, const Bound *b)
{
    Str *texts = arena_array(a, Str, b->n_reasons);
    for (uint32_t i = 0; i < b->n_reasons; i++) {
        Buf text = {0};
        bound_reason_text(&text, g, n_workers, &b->reasons[i]);
        texts[i] = arena_str(a, buf_str(&text));
        buf_deinit(&text);
    }
    return texts;
}

/* What the scheduler would say of the plan, in the arena. */
static DumpInfo dump_info(Arena *a, const Plan *plan, uint32_t asked)
{
    uint32_t n_workers = plan_workers(plan, asked);
    const GraphSpec *g = plan_graph(a, plan);
    Bounds *bounds = bounds_new(g, n_workers);
    DumpBound *scopes = arena_array(a, DumpBound, plan->n_scopes);
    Str *warnings = arena_array(a, Str, bounds->n_warnings + plan->n_steps);
    uint32_t n_warnings = 0;
    for (uint32_t i = 0; i < plan->n_scopes; i++) {
        const Bound *b = &bounds->scopes[i];
        scopes[i] = (DumpBound){.live = b->live,
                                .credits = b->credits,
                                .n_reasons = b->n_reasons,
                                .reasons = reason_texts(a, g, n_workers, b)};
    }
    for (uint32_t i = 0; i < bounds->n_warnings; i++) {
        Buf text = {0};
        bound_warning_text(&text, g, n_workers, &bounds->warnings[i]);
        warnings[n_warnings++] = arena_str(a, buf_str(&text));
        buf_deinit(&text);
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        Buf text = {0};
        if (fold_put_warning(&text, plan->steps[i]))
            warnings[n_warnings++] = arena_str(a, buf_str(&text));
        buf_deinit(&text);
    }
    uint64_t *n_batches = arena_array(a, uint64_t, plan->n_scopes);
    plan_expect_batches(plan, n_batches);
    n_batches[0] = BATCHES_UNKNOWN; /* the root is no batch */
    DumpInfo info = {.n_workers = n_workers, .scopes = scopes, .n_batches = n_batches,
                     .n_warnings = n_warnings, .warnings = warnings};
    bounds_free(bounds);
    return info;
}

static Status dump_bytecode(Mill *m, const Plan *plan, Buf *out, Error *err)
{
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        Code *code;
        Status st = emit_step(m->arena, m->sources, plan->steps[i], &code, err);
        if (st == OK)
            st = code_verify(code, err);
        if (st != OK)
            return st;
        if (i)
            buf_putc(out, '\n');
        code_disasm(code, out);
    }
    return OK;
}

Status mill_dump(Mill *m, uint32_t job, MillFormat format, uint32_t n_workers, Buf *out,
                 Error *err)
{
    if (format == MILL_AST) {
        ast_dump(out, m->ast, false);
        return OK;
    }
    const Plan *plan = m->plans[job];
    DumpInfo info = dump_info(m->arena, plan, n_workers);
    switch (format) {
    case MILL_TEXT:
        plan_dump_text(plan, &info, out);
        return OK;
    case MILL_JSON:
        plan_dump_json(plan, &info, out);
        return OK;
    case MILL_DOT:
        plan_dump_dot(plan, &info, out);
        return OK;
    case MILL_MERMAID:
        plan_dump_mermaid(plan, &info, out);
        return OK;
    case MILL_BYTECODE:
        return dump_bytecode(m, plan, out, err);
    case MILL_AST:
        break;
    }
    return OK;
}

void mill_print_plan(Mill *m, uint32_t job, uint32_t n_workers, Buf *out)
{
    DumpInfo info = dump_info(m->arena, m->plans[job], n_workers);
    plan_print(m->plans[job], &info, out);
}
