#include "plan/keep.h"

#include "base/path.h"

static bool has_readers(const Plan *plan, const Step *s)
{
    for (uint32_t i = 0; i < plan->n_steps; i++)
        for (uint32_t k = 0; k < plan->steps[i]->n_inputs; k++)
            if (plan->steps[i]->inputs[k] == s->id)
                return true;
    return false;
}

/* Itself, or what prepares its batches. */
static bool writes(const Plan *plan, const Step *s)
{
    for (uint32_t i = 0; i < plan->n_sinks; i++) {
        const Step *by = plan->steps[plan->sinks[i].step];
        if (by == s || by->part_of == s)
            return true;
    }
    return false;
}

bool keep_runs_again(const Plan *plan, const Step *s)
{
    return s->bad_rows != BAD_ROWS_FAIL || writes(plan, s) || !has_readers(plan, s);
}

static bool is_table_of(const PlanSink *sink, TableMode mode)
{
    return sink->pop->dialect.format == ROWS_SQLITE && sink->pop->dialect.mode == mode;
}

bool keep_appends(const Plan *plan)
{
    for (uint32_t i = 0; i < plan->n_sinks; i++)
        if (is_table_of(&plan->sinks[i], TABLE_APPEND))
            return true;
    return false;
}

/* ---- what can be kept ---- */

typedef enum WhyNot {
    CAN_KEEP,
    NOT_OF_FILES,  /* its batches are read again */
    NOT_READ,      /* nobody wants its output */
    NOT_OF_WRITES,
    NOT_OF_REJECTS, /* bad rows are told of by its parts or by a table, not by the instance alone */
} WhyNot;

static WhyNot why_not(const Plan *plan, const Step *s)
{
    if (s->is_generator)
        return NOT_OF_FILES;
    if (!has_readers(plan, s))
        return NOT_READ;
    if (writes(plan, s))
        return NOT_OF_WRITES;
    if (s->bad_rows != BAD_ROWS_FAIL && (s->kind == STEP_COLLECT || s->n_tables))
        return NOT_OF_REJECTS;
    return CAN_KEEP;
}

static void report(Diags *diags, const Step *asked, const Step *s, WhyNot why)
{
    static const struct {
        const char *text, *help;
    } words[] = {
        [CAN_KEEP] = {"", ""},
        [NOT_OF_FILES] = {"gives its batches again when a run is resumed: there is nothing to keep",
                          "put `@checkpoint` on the step behind it whose work is not to be done twice"},
        [NOT_READ] = {"makes rows that nobody reads: there is nothing to keep",
                      "put `@checkpoint` on the step before it whose work is not to be done twice"},
        [NOT_OF_WRITES] = {"writes, which a resumed run has to do again: what is kept of it would not be used",
                           "put the `write` into a stage of its own, behind the one that is kept"},
        [NOT_OF_REJECTS] = {"tells of bad rows over all of its table, which a resumed run has to do again",
                            "put `@bad_rows` on a step of its own before it, or `@checkpoint` on one behind it"},
    };
    Diag *d = diag_add(diags, E_CANNOT_KEEP, asked->keep_span, "`%.*s` %s", STR_ARG(s->name), words[why].text);
    if (!d->helps.n)
        diag_help(diags, d, "%s", words[why].help);
}

/* The step whose output the annotation of s means: of what makes batches out of a table, the table's. */
static Step *step_meant(const Plan *plan, Step *s)
{
    return s->is_generator && s->in ? plan->steps[s->inputs[0]] : s;
}

/* Is there a step of the same op behind the generator? It is the one that is meant. */
static bool has_rest(const Plan *plan, const Step *gen)
{
    for (uint32_t i = gen->id + 1; i < plan->n_steps; i++)
        if (plan->steps[i]->span.lo == gen->span.lo && plan->steps[i]->keep_asked)
            return true;
    return false;
}

/* Nothing but what stands in the file anyway. */
static bool only_reads(const Step *s)
{
    return s->pops.n == 1 && pop_is_source(s->pops.ptr[0]);
}

static void find_of(Plan *plan, Diags *diags, Step *asked)
{
    Step *s = step_meant(plan, asked);
    WhyNot why = why_not(plan, s);
    bool is_jobs = asked->keep_asked == KEEP_OF_JOB;
    if (why == CAN_KEEP) {
        s->keeps = !is_jobs || !only_reads(s);
        plan->keeps |= s->keeps;
        return;
    }
    bool is_fine = is_jobs || (asked->is_generator && has_rest(plan, asked)) ||
                   (why == NOT_READ && asked->keep_asked == KEEP_OF_OP && !writes(plan, s)); /* of this use of the op */
    if (!is_fine)
        report(diags, asked, s, why);
}

/* ---- what a job that is kept may not do ---- */

static void refuse(const Plan *plan, Diags *diags, Span at, const char *text, const char *help)
{
    Diag *d = diag_add(diags, E_CANNOT_KEEP, at, "%s", text);
    for (uint32_t i = 0; i < plan->n_steps; i++)
        if (plan->steps[i]->keep_asked) {
            diag_label(diags, d, plan->steps[i]->keep_span, "its runs can be resumed");
            break;
        }
    diag_help(diags, d, "%s", help);
}

static bool writes_database(const Plan *plan, Str path)
{
    for (uint32_t i = 0; i < plan->n_sinks; i++) {
        const PlanSink *sink = &plan->sinks[i];
        if (sink->pop->dialect.format == ROWS_SQLITE && sink->pop->expr->kind == TX_CONST &&
            path_same(sink->pop->expr->value.s, path))
            return true;
    }
    return false;
}

static void check_reads(const Plan *plan, Diags *diags)
{
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        const Pop *p = s->pops.n ? s->pops.ptr[0] : NULL;
        if (!p || p->kind != POP_READ_CSV || p->expr)
            continue;
        if (str_is(p->path, "stdin"))
            refuse(plan, diags, p->span, "stdin comes once, so that a run of this job cannot be resumed",
                   "put it into a file first, or leave `@checkpoint` out");
        else if (p->dialect.format == ROWS_SQLITE && writes_database(plan, p->path))
            refuse(plan, diags, p->span,
                   "the job writes the database that it reads: a run cannot be resumed, as nobody could tell whether it changed",
                   "write to another database, or leave `@checkpoint` out");
    }
}

static void check_writes(const Plan *plan, Diags *diags)
{
    for (uint32_t i = 0; i < plan->n_sinks; i++) {
        const PlanSink *sink = &plan->sinks[i];
        if (sink->by_key && (is_table_of(sink, TABLE_APPEND) || is_table_of(sink, TABLE_CREATE)))
            refuse(plan, diags, sink->pop->span,
                   "each batch writes a table of its own, which a resumed run would write a second time",
                   "let it replace the table: `with (mode: \"replace\")`");
    }
}

static void check_job(const Plan *plan, Diags *diags)
{
    for (uint32_t i = 0; i < plan->n_steps && !plan->keeps; i++) {
        const Step *s = plan->steps[i];
        if (s->keep_asked != KEEP_OF_JOB)
            continue;
        Diag *d = diag_add(diags, E_CANNOT_KEEP, s->keep_span, "no step of job `%.*s` can be kept", STR_ARG(plan->job));
        diag_help(diags, d, "a step is kept whose rows another one reads, and that does more than to read a file and does not "
                            "write: put what takes long into a stage of its own");
        return;
    }
}

void keep_find(Plan *plan, Diags *diags)
{
    for (uint32_t i = 0; i < plan->n_steps; i++)
        if (plan->steps[i]->keep_asked && !plan->steps[i]->part_of)
            find_of(plan, diags, plan->steps[i]);
    check_job(plan, diags);
    if (plan->keeps) {
        check_reads(plan, diags);
        check_writes(plan, diags);
    }
}
