/* A plan made by hand, in every format. */
#include "unit.h"

#include <jansson.h>

#include "plan/plan_dump.h"

typedef struct Made {
    Arena *arena;
    Plan plan;
    DumpInfo info;
    DumpBound bounds[2];
} Made;

static Step *step_add(Made *m, const char *name, StepKind kind, uint32_t scope,
                      const Schema *in, const Schema *out)
{
    Step *s = arena_new(m->arena, Step);
    *s = (Step){.id = m->plan.n_steps, .name = str_of(name), .op = str_of(name), .kind = kind,
                .scope = scope, .depth = m->plan.n_steps, .priority = (int32_t)m->plan.n_steps,
                .in = in, .out = out};
    if (m->plan.n_steps) {
        s->n_inputs = 1;
        s->inputs = arena_array(m->arena, uint32_t, 1);
        s->inputs[0] = m->plan.n_steps - 1;
    }
    m->plan.steps[m->plan.n_steps++] = s;
    return s;
}

static Pop *pop_add(Made *m, Step *s, PopKind kind, const Schema *out)
{
    Pop *p = arena_new(m->arena, Pop);
    p->kind = kind;
    p->out = out;
    vec_push(m->arena, &s->pops, p);
    return p;
}

static Tx *tx_new(Arena *a, TxKind kind, Type type, uint32_t n_args)
{
    Tx *t = arena_new(a, Tx);
    t->kind = kind;
    t->type = type;
    t->n_args = n_args;
    t->args = arena_array(a, Tx *, n_args);
    return t;
}

static Tx *tx_col(Arena *a, uint32_t col, Type type)
{
    Tx *t = tx_new(a, TX_COLUMN, type, 0);
    t->col = col;
    return t;
}

static Tx *tx_value(Arena *a, Value v)
{
    Tx *t = tx_new(a, TX_CONST, v.type, 0);
    t->value = v;
    return t;
}

static const SchemaCol READ_COLS[] = {{{"name", 4}, TYPE_STRING}, {{"hp", 2}, TYPE_INT}};
static const Schema READ = {2, (SchemaCol *)READ_COLS};
static const SchemaCol SUM_COLS[] = {{{"n", 1}, TYPE_INT}};
static const Schema SUM = {1, (SchemaCol *)SUM_COLS};

/* extract | map strong @priority(5) @max_concurrent(2) | collect total */
static void plan_make(Made *m)
{
    static Step *steps[3];
    static Scope scopes[2] = {{.generator = 0}, {.generator = 0, .parent = 0}};
    static const Str reasons[] = {{"`total` collects in key order", 29}};
    static const Str warnings[] = {{"beware", 6}};
    memset(m, 0, sizeof *m);
    m->arena = arena_open();
    Arena *a = m->arena;
    m->plan = (Plan){.job = STR_LIT("report"), .file = STR_LIT("a \"b\".pipe"), .steps = steps,
                     .n_scopes = 2, .scopes = scopes, .doc = STR_LIT("What it is for.")};
    Step *s = step_add(m, "extract", STEP_STATIC, 0, NULL, &READ);
    s->is_generator = true;
    s->yields = 1;
    Pop *p = pop_add(m, s, POP_READ_CSV, &READ);
    p->path = STR_LIT("data/pokemon.csv");
    p->batch = BATCH_ROWS;
    p->batch_n = 100;

    s = step_add(m, "strong", STEP_MAP, 1, &READ, &READ);
    s->priority = 5;
    s->has_priority = true;
    s->max_concurrent = 2;
    vec_push(a, &s->tags, STR_LIT("team=red"));
    /* where hp > 50 and name is not null */
    Tx *more = tx_new(a, TX_BINARY, TYPE_BOOL, 2);
    more->op = OPER_GT;
    more->args[0] = tx_col(a, 1, TYPE_INT);
    more->args[1] = tx_value(a, (Value){.type = TYPE_INT, .i = 50});
    Tx *named = tx_new(a, TX_UNARY, TYPE_BOOL, 1);
    named->op = OPER_IS_NOT_NULL;
    named->args[0] = tx_col(a, 0, TYPE_STRING);
    Tx *both = tx_new(a, TX_BINARY, TYPE_BOOL, 2);
    both->op = OPER_AND;
    both->args[0] = more;
    both->args[1] = named;
    pop_add(m, s, POP_FILTER, &READ)->expr = both;
    /* log "Pushing {name}" */
    Tx *text = tx_new(a, TX_CONCAT, TYPE_STRING, 2);
    text->args[0] = tx_value(a, (Value){.type = TYPE_STRING, .s = STR_LIT("Pushing ")});
    text->args[1] = tx_col(a, 0, TYPE_STRING);
    pop_add(m, s, POP_LOG, &READ)->expr = text;

    s = step_add(m, "total", STEP_COLLECT, 0, &READ, &SUM);
    p = pop_add(m, s, POP_GROUP, &SUM);
    p->n_aggs = 1;
    p->aggs = arena_array(a, PopAgg, 1);
    p->aggs[0] = (PopAgg){.fn = BUILTIN_AGG_COUNT, .type = TYPE_INT, .name = STR_LIT("n")};

    m->bounds[1] = (DumpBound){.live = 16, .credits = 16, .n_reasons = 1, .reasons = reasons};
    m->info = (DumpInfo){.n_workers = 4, .scopes = m->bounds, .n_warnings = 1,
                         .warnings = warnings};
}

static void test_text(const Made *m)
{
    Buf b = {0};
    plan_dump_text(&m->plan, &m->info, &b);
    CHECK_STR(b.ptr,
              "job report of a \"b\".pipe: 3 steps, 4 workers\n"
              "\n"
              "extract  generator  priority 0 (its depth)\n"
              "    does   read csv \"data/pokemon.csv\" batch 100\n"
              "    gives  name string, hp int\n"
              "\n"
              "strong   map of extract  priority 5  at most 2 at a time\n"
              "    does   where (hp > 50) and (name is not null)\n"
              "           log \"Pushing {name}\"\n"
              "    gives  name string, hp int\n"
              "\n"
              "total    collect of strong  priority 2 (its depth)\n"
              "    does   aggregate { n = count() }\n"
              "    gives  n int\n"
              "\n"
              "batches of extract: at most 16 live batches\n"
              "  because `total` collects in key order\n"
              "warning: beware\n");
    buf_clear(&b);
    plan_print(&m->plan, &m->info, &b);
    CHECK(strstr(b.ptr, "\n  strong   map of extract  priority 5  at most 2 at a time\n"));
    CHECK(strstr(b.ptr, "at most 16 live batches\n  because `total`"));
    buf_deinit(&b);
}

/* All that docs/dump-json.md promises, read by another reader. */
static void test_json(const Made *m)
{
    Buf b = {0};
    plan_dump_json(&m->plan, &m->info, &b);
    json_error_t at;
    json_t *root = json_loadb(b.ptr, b.len, JSON_REJECT_DUPLICATES, &at);
    CHECK(root != NULL);
    int version, workers, id, priority, has_priority, cap, from, scope;
    const char *file, *name, *kind, *edge, *type, *op_text, *tag, *doc;
    CHECK(json_unpack(root, "{s:i, s:i, s:s, s:s}", "version", &version, "workers", &workers,
                      "file", &file, "doc", &doc) == 0);
    CHECK(version == 1 && workers == 4);
    CHECK_STR(file, "a \"b\".pipe");
    json_t *step = json_array_get(json_object_get(root, "steps"), 1);
    CHECK(json_unpack(step,
                      "{s:i, s:s, s:s, s:i, s:i, s:b, s:i, s:[{s:i, s:s}], s:[{}, {s:s}], "
                      "s:[{s:s}, {}], s:[s]}",
                      "id", &id, "name", &name, "kind", &kind, "scope", &scope, "priority",
                      &priority, "has_priority", &has_priority, "max_concurrent", &cap,
                      "inputs", "step", &from, "edge", &edge, "out", "type", &type,
                      "operations", "text", &op_text, "tags", &tag) == 0);
    CHECK(id == 1 && scope == 1 && priority == 5 && has_priority && cap == 2 && from == 0);
    CHECK_STR(kind, "map");
    CHECK_STR(edge, "plain");
    CHECK_STR(type, "int");
    CHECK_STR(op_text, "where (hp > 50) and (name is not null)");
    CHECK_STR(tag, "team=red");
    json_t *first = json_array_get(json_object_get(root, "steps"), 0);
    CHECK(json_is_null(json_object_get(first, "in")));
    CHECK(json_integer_value(json_object_get(first, "yields")) == 1);
    json_t *last = json_array_get(json_object_get(root, "steps"), 2);
    json_t *input = json_array_get(json_object_get(last, "inputs"), 0);
    CHECK_STR(json_string_value(json_object_get(input, "edge")), "gather");
    int parent, generator, bound, in_flight;
    const char *reason;
    json_t *batches = json_array_get(json_object_get(root, "scopes"), 1);
    CHECK(json_unpack(batches, "{s:i, s:i, s:i, s:i, s:[s]}", "parent", &parent, "generator",
                      &generator, "bound", &bound, "in_flight", &in_flight, "reasons",
                      &reason) == 0);
    CHECK(parent == 0 && generator == 0 && bound == 16 && in_flight == 16);
    json_decref(root);
    buf_deinit(&b);
}

static void test_pictures(const Made *m)
{
    Buf b = {0};
    plan_dump_dot(&m->plan, &m->info, &b);
    CHECK(strncmp(b.ptr, "digraph \"report\" {\n", 19) == 0);
    CHECK(strstr(b.ptr, "  s0 [label=\"extract\\ngenerator, priority 0\", peripheries=2];\n"));
    CHECK(strstr(b.ptr, "  s0 -> s1 [label=\"at most 16 live\"];\n"));
    CHECK(strstr(b.ptr, "  s1 -> s2 [label=\"gather\"];\n}\n"));
    buf_clear(&b);
    plan_dump_mermaid(&m->plan, &m->info, &b);
    CHECK_STR(b.ptr, "flowchart LR\n"
                     "  s0[[\"extract<br>generator, priority 0\"]]\n"
                     "  s1(\"strong<br>map, priority 5\")\n"
                     "  s2[/\"total<br>collect, priority 2\"\\]\n"
                     "  s0 -->|\"at most 16 live\"| s1\n"
                     "  s1 -->|gather| s2\n");
    buf_deinit(&b);
}

static void test_unbounded(Made *m)
{
    Buf b = {0};
    m->bounds[1] = (DumpBound){.live = UINT64_MAX, .credits = UINT32_MAX};
    plan_dump_json(&m->plan, &m->info, &b);
    CHECK(strstr(b.ptr, "\"in_flight\": \"unbounded\""));
    CHECK(strstr(b.ptr, "\"bound\": null"));
    buf_clear(&b);
    plan_print(&m->plan, &m->info, &b);
    CHECK(strstr(b.ptr, "batches of extract: no bound on live batches\n"));
    buf_deinit(&b);
}

int main(void)
{
    Made m;
    plan_make(&m);
    test_text(&m);
    test_json(&m);
    test_pictures(&m);
    test_unbounded(&m);
    arena_close(m.arena);
    UNIT_END("plan_dump");
}
