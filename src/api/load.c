#include "api/mill.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "data/catalog.h"
#include "lang/check.h"
#include "lang/parse.h"
#include "plan/build.h"
#include "run/eval.h"

static Status guarded_csv(Catalog *c, Str path, const CsvDialect *dialect,
                          const CatalogTable **out, Error *err)
{
    StdinGuard *g = (StdinGuard *)c;
    if (g->is_refused && str_is(path, "stdin")) {
        g->was_asked = true;
        return error_set(err, ERR_IO, "stdin is a terminal");
    }
    return g->files->csv(g->files, path, dialect, out, err);
}

static Status guarded_query(Catalog *c, Str path, Str sql, const CatalogTable **out, Error *err)
{
    StdinGuard *g = (StdinGuard *)c;
    return g->files->query(g->files, path, sql, out, err);
}

static Status guarded_files(Catalog *c, Str pattern, uint64_t *n, Str *first, Error *err)
{
    StdinGuard *g = (StdinGuard *)c;
    return g->files->files(g->files, pattern, n, first, err);
}

Mill *mill_open(const MillOptions *options)
{
    Mill *m = xcalloc(1, sizeof *m);
    m->options = *options;
    m->arena = arena_open();
    m->sources = sources_open();
    diags_init(&m->diags);
    m->catalog = (StdinGuard){.face = {.csv = guarded_csv, .query = guarded_query, .files = guarded_files},
                              .files = file_catalog_open(),
                              .is_refused = options->refuses_stdin};
    if (!options->has_now)
        m->options.now_us = clock_wall_us();
    m->evaluator = vm_evaluator_open(m->sources, m->options.now_us);
    map_init(&m->sets, m->arena);
    return m;
}

bool mill_told_now(const Mill *m, int64_t *us)
{
    *us = m->options.now_us;
    return vm_evaluator_told_now(m->evaluator);
}

void mill_close(Mill *m)
{
    if (!m)
        return;
    vm_evaluator_close(m->evaluator);
    if (!m->borrows_files)
        file_catalog_close(m->catalog.files);
    diags_deinit(&m->diags);
    sources_close(m->sources);
    arena_close(m->arena);
    free(m);
}

static void load_tree(Mill *m)
{
    Diags unwanted;
    diags_init(&unwanted);
    m->program = check_program(m->arena, m->sources, m->ast,
                               m->options.only_parses ? &unwanted : &m->diags, NULL);
    diags_deinit(&unwanted);
    for (size_t i = 0; i < m->program->consts.n; i++)
        if (m->program->consts.ptr[i]->is_param)
            vec_push(m->arena, &m->params, m->program->consts.ptr[i]->name.text);
    for (size_t i = 0; i < m->program->jobs.n; i++)
        if (m->program->jobs.ptr[i]->is_main)
            vec_push(m->arena, &m->jobs, m->program->jobs.ptr[i]->name.text);
    m->plans = arena_array(m->arena, Plan *, m->jobs.n);
}

Status mill_load(Mill *m, const char *path, Error *err)
{
    const Source *source;
    Status st = sources_read(m->sources, path, &source, err);
    if (st != OK)
        return st;
    m->ast = parse_file(m->arena, source, &m->diags);
    load_tree(m);
    return OK;
}

Status mill_load_text(Mill *m, const char *name, Str text, Error *err)
{
    const Source *source = sources_add(m->sources, str_of(name), text);
    if (!source)
        return error_set(err, ERR_DATA, "the text is too large for a program");
    m->ast = parse_file(m->arena, source, &m->diags);
    load_tree(m);
    return OK;
}

Status mill_load_flow(Mill *m, Str text, Error *err)
{
    const Source *source = sources_add(m->sources, STR_LIT("-e"), text);
    if (!source)
        return error_set(err, ERR_DATA, "the flow is too large for a program");
    m->is_flow = true;
    m->ast = parse_flow(m->arena, source, STR_LIT("e"), &m->diags);
    load_tree(m);
    return OK;
}

Mill *mill_open_again(const Mill *m, Str text)
{
    Mill *again = mill_open(&m->options);
    Error err = {0};
    file_catalog_close(again->catalog.files);
    again->catalog.files = m->catalog.files;
    again->borrows_files = true;
    Status st = m->is_flow ? mill_load_flow(again, text, &err)
                           : mill_load_text(again, source_name(mill_main_source(m)).ptr, text, &err);
    if (st != OK) {
        mill_close(again);
        return NULL;
    }
    again->sets = m->sets;
    return again;
}

const Source *mill_main_source(const Mill *m)
{
    return m->ast->source;
}

const Diags *mill_diags(const Mill *m)
{
    return &m->diags;
}

const Sources *mill_sources(const Mill *m)
{
    return m->sources;
}

uint32_t mill_n_jobs(const Mill *m)
{
    return (uint32_t)m->jobs.n;
}

Str mill_job(const Mill *m, uint32_t job)
{
    return m->jobs.ptr[job];
}

int32_t mill_find_job(const Mill *m, Str name)
{
    for (uint32_t i = 0; i < m->jobs.n; i++)
        if (str_eq(m->jobs.ptr[i], name))
            return (int32_t)i;
    return -1;
}

uint32_t mill_n_params(const Mill *m)
{
    return (uint32_t)m->params.n;
}

Str mill_param(const Mill *m, uint32_t i)
{
    return m->params.ptr[i];
}

MillSet mill_set(Mill *m, Str name, Str text, Buf *why)
{
    const ConstDef *def = program_const(m->program, name);
    if (!def && program_is_lost(m->program, name))
        return MILL_SET;
    if (!def || !def->is_param)
        return MILL_SET_UNKNOWN;
    if (def->type == TYPE_ERROR)
        return MILL_SET;
    const char *expected = "";
    Value *v = arena_new(m->arena, Value);
    if (!value_parse(def->type, text, v, &expected)) {
        if (why)
            buf_puts(why, expected);
        return MILL_SET_BAD_VALUE;
    }
    if (v->type == TYPE_STRING)
        v->s = arena_str(m->arena, v->s);
    map_put(&m->sets, def->name.text, v);
    return MILL_SET;
}

static PlanHost plan_host(Mill *m)
{
    return (PlanHost){.sources = m->sources,
                      .catalog = &m->catalog.face,
                      .evaluator = m->evaluator,
                      .sets = &m->sets,
                      .forbids_exec = m->options.forbids_exec,
                      .memory_bytes = m->options.memory_bytes,
                      .prints_loose_ends = m->options.prints_loose_ends};
}

/* Constants, functions and ops that no job uses are looked at whatever job is planned. */
static void check_rest(Mill *m)
{
    PlanHost host = plan_host(m);
    if (!m->has_checked_rest)
        plan_check_rest(m->arena, &host, m->program, &m->diags);
    m->has_checked_rest = true;
}

bool mill_plan(Mill *m, uint32_t job)
{
    if (!m->plans[job]) {
        PlanHost host = plan_host(m);
        const JobDef *def = program_job(m->program, m->jobs.ptr[job]);
        m->plans[job] = plan_build(m->arena, &host, m->program, def, &m->diags);
    }
    check_rest(m);
    return m->diags.n_errors == 0;
}

bool mill_check(Mill *m)
{
    for (uint32_t i = 0; i < m->jobs.n; i++)
        mill_plan(m, i);
    check_rest(m);
    mill_warn(m);
    return m->diags.n_errors == 0;
}

bool mill_wants_stdin(const Mill *m)
{
    if (m->catalog.was_asked)
        return true;
    for (uint32_t i = 0; i < m->jobs.n; i++) {
        const Plan *p = m->plans[i];
        for (uint32_t k = 0; p && k < p->n_steps; k++)
            for (size_t n = 0; n < p->steps[k]->pops.n; n++) {
                const Pop *pop = p->steps[k]->pops.ptr[n];
                if (pop->kind == POP_READ_CSV && str_is(pop->path, "stdin"))
                    return true;
            }
    }
    return false;
}

bool mill_writes_stdout(const Mill *m, uint32_t job)
{
    const Plan *p = m->plans[job];
    for (uint32_t i = 0; i < p->n_sinks; i++) {
        const Tx *path = p->sinks[i].pop->expr;
        if (path->kind == TX_CONST && path->type == TYPE_STRING && str_is(path->value.s, "stdout"))
            return true;
    }
    return false;
}
