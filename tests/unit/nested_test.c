/* Random programs with two and three levels of batches: any number of workers gives the same bytes, and
 * what a `write` appends in key order is what the collects of all levels join. A failure prints the program. */
#include "api/pipemill.h"

#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

enum { N_PROGRAMS = 300, N_FILES = 4, MAX_LEVELS = 3 };

static uint64_t seed = 1;
static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* ---- input ---- */

static void file_put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* Files of a few rows, one of them with none. */
static void inputs_put(void)
{
    for (uint32_t i = 0; i < N_FILES; i++) {
        char path[16];
        Buf text = {0};
        buf_puts(&text, "n,k\n");
        for (uint32_t r = i == 2 ? 0 : 3 + below(12); r > 0; r--)
            buf_printf(&text, "%u,%c\n", below(100), 'a' + (char)below(4));
        snprintf(path, sizeof path, "f%u.csv", i);
        file_put(path, text.ptr);
        buf_deinit(&text);
    }
}

static char *file_get(const char *path)
{
    Buf text = {0};
    char part[4096];
    size_t n;
    FILE *f = fopen(path, "rb");
    while (f && (n = fread(part, 1, sizeof part, f)) > 0)
        buf_put(&text, part, n);
    if (f)
        fclose(f);
    return text.ptr ? text.ptr : xstrndup("(no file)", 9);
}

/* ---- programs ---- */

static void annotations_put(Buf *p)
{
    if (below(4) == 0)
        buf_printf(p, " @priority(%u)", below(6));
    if (below(5) == 0)
        buf_puts(p, " @max_concurrent(1)");
}

/* Stages that stay on their level. */
static void steps_put(Buf *p)
{
    static const char *const STEPS[] = {
        "where n % 3 != 0", "derive n = n + index()", "derive k = k + key()", "sort by n desc",
        "take 3",           "skip 1",                 "{ where n < 90; derive n = n * 2 }",
    };
    for (uint32_t i = below(3); i > 0; i--) {
        buf_printf(p, " | map %s", STEPS[below(sizeof STEPS / sizeof *STEPS)]);
        annotations_put(p);
    }
}

/* A source; how many levels it opens. */
static uint32_t source_put(Buf *p)
{
    switch (below(5)) {
    case 0:
        buf_printf(p, "range 1..%u batch %u | map select n = value, k = \"{value %% 3}\"", 1 + below(20),
                   1 + below(7));
        return 1;
    case 1: buf_printf(p, "read csv \"f%u.csv\" as rows batch %u", below(N_FILES), 1 + below(5)); return 1;
    case 2: buf_printf(p, "read csv \"f%u.csv\" as rows | split by k", below(N_FILES)); return 1;
    case 3: buf_printf(p, "read csv \"f1.csv\" as rows | split into %u", 1 + below(20)); return 1;
    default:
        buf_printf(p, "files \"f*.csv\" | map { read csv path as rows batch %u }", 1 + below(5));
        return 2;
    }
}

static void level_put(Buf *p)
{
    switch (below(4)) {
    case 0: buf_puts(p, " | map split by k"); break;
    case 1: buf_printf(p, " | map { where n %% 7 != 1; split into %u }", 1 + below(4)); break;
    case 2: buf_puts(p, " | map { derive odd = n % 2; split by odd, k } | map drop odd"); break;
    default:
        buf_printf(p, " | map { range 1..%u batch %u } | map select n = value, k = key()", 1 + below(6),
                   1 + below(3));
    }
    annotations_put(p);
}

static void collects_put(Buf *p, const char *first, uint32_t n, const char *path)
{
    buf_printf(p, "  leaves | collect %s", first);
    for (uint32_t i = 1; i < n; i++)
        buf_puts(p, " | collect");
    buf_printf(p, " | write csv \"%s\"\n", path);
}

static void program_put(Buf *p)
{
    buf_puts(p, "schema rows { n: int, k: string }\n");
    if (below(2))
        buf_printf(p, "@in_flight(%u)\n", 1 + below(3));
    buf_puts(p, "job main {\n  let leaves = ");
    uint32_t n_levels = source_put(p), want = 2 + below(MAX_LEVELS - 1);
    steps_put(p);
    for (; n_levels < want; n_levels++) {
        level_put(p);
        steps_put(p);
    }
    if (below(4) == 0) /* some batches are dropped: the same ones whoever runs them */
        buf_printf(p, " | map assert n %% %u != 0, \"no\" @on_failure(skip)", 3 + below(20));
    buf_puts(p, " | map select n, k\n  leaves | map write csv \"appended.csv\"\n");
    collects_put(p, "", n_levels, "joined.csv");
    collects_put(p, "{ aggregate { n = count(), sum = sum(n) }; derive key = key() }", n_levels,
                 "counted.csv");
    buf_puts(p, "}\n");
}

/* ---- runs ---- */

static const char *const OUTPUTS[] = {"appended.csv", "joined.csv", "counted.csv"};
enum { N_OUTPUTS = 3 };

static uint32_t n_partial; /* runs in which something was dropped */

static bool run(uint32_t n_workers)
{
    const MillOptions options = {0};
    const MillRunOptions run_options = {.n_workers = n_workers, .seed = 1};
    MillRun *r = NULL;
    MillResult result = {.state = RUN_FAILED};
    Error err = {0};
    Mill *m = mill_open(&options);
    for (uint32_t i = 0; i < N_OUTPUTS; i++)
        remove(OUTPUTS[i]);
    if (mill_load(m, "p.pipe", &err) == OK && mill_plan(m, 0) &&
        mill_run_open(m, 0, &run_options, &r, &err) == OK)
        mill_run_go(r, &result);
    bool ok = result.state == RUN_DONE || result.state == RUN_PARTIAL;
    n_partial += result.state == RUN_PARTIAL;
    for (uint32_t s = 1; ok && s < result.info->n_scopes; s++) {
        const ScopeCount *c = &result.end.scopes[s];
        ok = c->peak_live <= result.info->scopes[s].bound + c->n_overdrafts;
    }
    mill_run_close(r);
    mill_close(m);
    return ok;
}

static bool program_holds(void)
{
    static const uint32_t WORKERS[] = {1, 2, 8};
    char *first[N_OUTPUTS] = {0};
    bool ok = true;
    for (uint32_t w = 0; w < 3 && ok; w++) {
        ok = run(WORKERS[w]);
        for (uint32_t i = 0; i < N_OUTPUTS && ok; i++) {
            char *text = file_get(OUTPUTS[i]);
            if (w == 0)
                first[i] = text;
            else {
                ok = strcmp(first[i], text) == 0;
                free(text);
            }
        }
        ok = ok && strcmp(first[0], first[1]) == 0;
    }
    for (uint32_t i = 0; i < N_OUTPUTS; i++)
        free(first[i]);
    return ok;
}

int main(void)
{
    char memory[] = "/dev/shm/nested-XXXXXX", disk[] = "/tmp/nested-XXXXXX"; /* where fsync costs little */
    const char *dir = mkdtemp(memory) ? memory : mkdtemp(disk);
    if (!dir || chdir(dir) != 0)
        return perror("nested_test"), 1;
    for (uint32_t n = 0; n < N_PROGRAMS; n++) {
        Buf program = {0};
        seed = n;
        inputs_put();
        program_put(&program);
        file_put("p.pipe", program.ptr);
        bool ok = program_holds();
        CHECK(ok);
        if (!ok)
            printf("program %u:\n%s", n, program.ptr);
        buf_deinit(&program);
    }
    CHECK(n_partial > N_PROGRAMS / 10);
    for (uint32_t i = 0; i < N_FILES; i++) {
        char path[16];
        snprintf(path, sizeof path, "f%u.csv", i);
        remove(path);
    }
    for (uint32_t i = 0; i < N_OUTPUTS; i++)
        remove(OUTPUTS[i]);
    remove("p.pipe");
    if (chdir("/") != 0 || rmdir(dir) != 0)
        perror(dir);
    UNIT_END("nested");
}
