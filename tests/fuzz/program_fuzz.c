/* Any text as a program: it is parsed, checked, and, where it is sound, typed with tables that are always there, made into
 * bytecode and verified. No crash; every message lies within the text; what parses keeps its tree when it is formatted. */
#include "fuzz.h"

#include "base/catalog.h"
#include "base/diag_text.h"
#include "code/emit.h"
#include "code/verify.h"
#include "lang/ast_dump.h"
#include "lang/parse.h"
#include "plan/build.h"
#include "plan/plan_dump.h"
#include "run/eval.h"

#include "../unit/formatted.h"

enum { MAX_PROGRAM = 4096 /* longer texts only make the fuzzer slow */ };

/* Every file has these columns: their names are what the corpus uses. */
static Status any_table(Catalog *c, Str path, const CsvDialect *dialect, const CatalogTable **out, Error *err)
{
    static const CatalogCol cols[] = {
        {.name = {"name", 4}, .type = TYPE_STRING},   {.name = {"hp", 2}, .type = TYPE_INT},
        {.name = {"weight", 6}, .type = TYPE_FLOAT},  {.name = {"ok", 2}, .type = TYPE_BOOL},
        {.name = {"day", 3}, .type = TYPE_DATE},      {.name = {"at", 2}, .type = TYPE_TIMESTAMP},
        {.name = {"type1", 5}, .type = TYPE_STRING, .almost = TYPE_INT, .odd_line = 7, .odd_value = {"x", 1}},
    };
    static const CatalogTable table = {.n_cols = sizeof cols / sizeof *cols, .cols = cols, .sample_rows = 9, .sample_is_all = true};
    (void)c, (void)dialect;
    if (str_is(path, "missing"))
        return error_set(err, ERR_IO, "cannot open `missing`");
    *out = &table;
    return OK;
}

static Status no_used_file(void *ctx, Sources *sources, const char *path, const Source **out, Error *err)
{
    (void)ctx, (void)sources, (void)path, (void)out;
    return error_set(err, ERR_IO, "there are no files here");
}

static bool is_inside(Span s, const Source *src)
{
    uint32_t lo = source_base(src), hi = lo + (uint32_t)source_text(src).len;
    return s.lo <= s.hi && (s.hi == 0 || (s.lo >= lo && s.hi <= hi + 1));
}

static void messages_are_inside(const Diags *ds, const Source *src)
{
    for (size_t i = 0; i < ds->list.n; i++) {
        const Diag *d = ds->list.ptr[i];
        MUST(is_inside(d->span, src));
        for (size_t k = 0; k < d->labels.n; k++)
            MUST(is_inside(d->labels.ptr[k].span, src));
        for (size_t k = 0; k < d->fixes.n; k++)
            MUST(is_inside(d->fixes.ptr[k].span, src));
    }
}

static void bytecode(Arena *a, const Sources *sources, const Plan *plan)
{
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        Code *code = NULL;
        Error err = {0};
        if (emit_step(a, sources, plan->steps[i], &code, &err) == OK) /* else too large */
            MUST(code_verify(code, &err) == OK);
    }
}

static void plans(Arena *a, Sources *sources, const Program *program, Diags *ds)
{
    Catalog catalog = {.csv = any_table};
    Evaluator *evaluator = vm_evaluator_open(sources, 0);
    const PlanHost host = {.sources = sources, .catalog = &catalog, .evaluator = evaluator};
    for (size_t i = 0; i < program->jobs.n; i++) {
        const Plan *plan = plan_build(a, &host, program, program->jobs.ptr[i], ds);
        if (ds->n_errors == 0)
            bytecode(a, sources, plan);
    }
    plan_check_rest(a, &host, program, ds);
    vm_evaluator_close(evaluator);
}

int fuzz_program(const uint8_t *data, size_t size)
{
    const CheckHost host = {.read = no_used_file};
    if (size > MAX_PROGRAM)
        return 0;
    Sources *sources = sources_open();
    Arena *a = arena_open();
    Diags ds;
    Buf out = {0};
    diags_init(&ds);
    const Source *src = sources_add(sources, STR_LIT("fuzz.pipe"), (Str){(const char *)data, (uint32_t)size});
    Ast *ast = parse_file(a, src, &ds);
    messages_are_inside(&ds, src);
    Program *program = check_program(a, sources, ast, &ds, &host);
    if (program)
        plans(a, sources, program, &ds);
    messages_are_inside(&ds, src);
    MUST(formatted_holds("fuzz.pipe", (Str){(const char *)data, (uint32_t)size}, NULL));
    ast_dump(&out, ast, true);
    diags_put_human(&out, &ds, sources, false);
    diags_put_json(&out, &ds, sources);
    buf_deinit(&out);
    diags_deinit(&ds);
    arena_close(a);
    sources_close(sources);
    return 0;
}

FUZZER(fuzz_program)
