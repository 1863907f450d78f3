/* Random ops under `collect`, over random tables cut into random batches, give what the same op gives
 * on the whole table in a static flow, on one thread and on several; and so do they where they read the file
 * in parts (plan/fold.h), beside one whose `@timeout` keeps it whole. `fold_test FIRST LAST` runs other seeds. */
#include <stdlib.h>
#include <unistd.h>

#include "api/pipemill.h"
#include "base/diag_text.h"
#include "unit.h"

enum { SEEDS = 150, MAX_ROWS = 90 };

static uint64_t state;
static uint32_t next(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

static const char *pick(const char *const *list)
{
    uint32_t n = 0;
    while (list[n])
        n++;
    return list[next(n)];
}

static void table_write(void)
{
    static const char *const k[] = {"a", "b", "\"a\"", "c", "", "\"\"", "\"d,e\"", NULL};
    FILE *f = fopen("t.csv", "w");
    uint32_t n = next(MAX_ROWS);
    fputs("k,x,y,s\n", f);
    for (uint32_t i = 0; i < n; i++) {
        fputs(pick(k), f);
        if (next(8))
            fprintf(f, ",%d", (int)next(9) - 4);
        else
            fputc(',', f);
        /* quarters: sums are exact, however they are cut */
        fprintf(f, ",%d.%s,s%u\n", (int)next(21) - 10, next(2) ? "25" : "5", next(6));
    }
    fclose(f);
}

/* A statement on the columns k, x, y, s. */
static void statement_put(Buf *out, uint32_t n_writes)
{
    static const char *const plain[] = {
        "where x > 0", "where x != 2 and y < 5.0", "where k is not null", "where s >= \"s3\"",
        "derive x = x + 1", "derive y = y * 2.0", "derive s = \"{s}{x}\"", "derive x = null ?? x % 3",
        "select s, x, k, y", "select k, x, y, s = k ?? s", "assert x is null or x < 1000, \"big {x}\"",
        "sort by x desc, s", "sort by k", "sort by y, x desc", "distinct", "distinct k", "distinct x, k",
        "derive r = row()", "derive x = x + row()", NULL};
    static const char *const counted[] = {"take %u", "skip %u", "top %u by x desc, k", "top %u by y",
                                          "top %u by s desc", NULL};
    if (next(12) == 0) {
        buf_printf(out, "write csv \"w%u.csv\"", n_writes);
    } else if (next(3) == 0) {
        const char *word = pick(counted), *rest = strchr(word, '%') + 2;
        buf_printf(out, "%.*s%u%s", (int)(strchr(word, '%') - word), word, next(25), rest);
    } else {
        buf_puts(out, pick(plain));
    }
}

static void group_put(Buf *out)
{
    static const char *const keys[] = {"group by k", "group by x", "group by s, k",
                                       "group by p = x % 2", "aggregate", NULL};
    static const char *const aggs[] = {
        "count()", "count(x)", "count_distinct(s)", "sum(x)", "sum(y)", "mean(y)", "min(s)", "max(y)",
        "median(x)", "first(k)", "last(x)", "arg_min(s, y)", "arg_max(k, x)", "any(x > 1)",
        "all(x > -3)", "string_agg(s, \"+\")", "min(y * 2.0)", NULL};
    buf_printf(out, "%s { ", pick(keys));
    for (uint32_t i = 0, n = 1 + next(5); i < n; i++)
        buf_printf(out, "%sa%u = %s", i ? ", " : "", i, pick(aggs));
    buf_puts(out, " }");
    if (next(2))
        buf_puts(out, next(2) ? "; sort by a0 desc" : "; derive r = row(); skip 1");
}

static void op_put(Buf *out)
{
    uint32_t n = next(5), n_writes = 0;
    for (uint32_t i = 0; i < n; i++) {
        buf_puts(out, i ? "; " : "");
        statement_put(out, n_writes++);
    }
    if (n == 0 || next(2)) {
        buf_puts(out, n ? "; " : "");
        group_put(out);
    }
}

/* All files that a run has written, and how it ended; they are removed. */
static void result_take(Buf *out, RunState run)
{
    buf_printf(out, "state %d\n", (int)run);
    for (int i = -1; i < 8; i++) {
        char name[32] = "out.csv", bytes[4096];
        if (i >= 0)
            snprintf(name, sizeof name, "w%d.csv", i);
        FILE *f = fopen(name, "r");
        if (!f)
            continue;
        buf_printf(out, "-- %s\n", name);
        for (size_t n; (n = fread(bytes, 1, sizeof bytes, f)) > 0;)
            buf_put(out, bytes, n);
        fclose(f);
        remove(name);
    }
}

/* auto_rows: of the ranges of a read in parts. */
static void flow_run(Buf *out, const char *flow, uint32_t n_workers, uint32_t auto_rows)
{
    const MillOptions options = {0};
    const MillRunOptions run_options = {.n_workers = n_workers, .seed = 1, .auto_rows = auto_rows};
    Mill *m = mill_open(&options);
    MillRun *run = NULL;
    MillResult result = {0};
    Error err = {0};
    FILE *f = fopen("p.pipe", "w");
    fprintf(f, "schema t { k: string, x: int, y: float, s: string }\njob j { %s }\n", flow);
    fclose(f);
    Status st = mill_load(m, "p.pipe", &err);
    bool is_sound = st == OK && mill_plan(m, 0);
    if (is_sound && mill_run_open(m, 0, &run_options, &run, &err) == OK) {
        mill_run_go(run, &result);
        result_take(out, result.state);
        if (result.n_failures)
            buf_printf(out, "%s\n", result.failures[0].err->text);
    } else {
        diags_put_human(out, mill_diags(m), mill_sources(m), false);
    }
    mill_run_close(run);
    mill_close(m);
}

/* One op that reads: whole, and in parts. */
static void one_read(uint32_t seed, const char *op)
{
    static const char *const before[] = {"", "where x != 3; ", "derive u = uuid(), r0 = row(); where y > 0.0; ",
                                         "assert x is null or x < 4, \"{x}\"; ", "derive z = 6 // (x - 3); ", NULL};
    Buf flow = {0}, want = {0}, got = {0};
    /* `take` reads no further: how much of the file that is, and so which mistakes it sees, differs. */
    const char *head = strstr(op, "take ") ? "where x != 3; " : pick(before);
    buf_printf(&flow, "{ read csv \"t.csv\" as t; %s%s } @timeout(1h) | write csv \"out.csv\"", head, op);
    flow_run(&want, flow.ptr, 1, 0);
    for (uint32_t n_workers = 1; n_workers < 4; n_workers += 2) {
        buf_clear(&flow);
        buf_clear(&got);
        buf_printf(&flow, "{ read csv \"t.csv\" as t; %s%s } | write csv \"out.csv\"", head, op);
        flow_run(&got, flow.ptr, n_workers, 1 + next(20));
        CHECK_STR(got.ptr, want.ptr);
        if (strcmp(got.ptr, want.ptr) != 0)
            printf("  seed %u: %s\n", seed, flow.ptr);
    }
    CHECK(strncmp(want.ptr, "state ", 6) == 0);
    buf_deinit(&flow);
    buf_deinit(&want);
    buf_deinit(&got);
}

static void one(uint32_t seed)
{
    static const char *const before[] = {"", "where x != 3", "derive y = y + 1.0", NULL};
    Buf op = {0}, flow = {0}, want = {0}, got = {0};
    state = seed;
    next(1);
    table_write();
    op_put(&op);
    const char *map = pick(before);
    buf_printf(&flow, "read csv \"t.csv\" as t %s%s%s | { %s } | write csv \"out.csv\"", *map ? "| { " : "",
               map, *map ? " }" : "", op.ptr);
    flow_run(&want, flow.ptr, 1, 0);
    for (uint32_t n_workers = 1; n_workers < 4; n_workers += 2) {
        buf_clear(&flow);
        buf_clear(&got);
        buf_printf(&flow, "read csv \"t.csv\" as t batch %u %s%s%s | collect { %s } | write csv \"out.csv\"",
                   1 + next(20), *map ? "| map { " : "", map, *map ? " }" : "", op.ptr);
        flow_run(&got, flow.ptr, n_workers, 0);
        CHECK_STR(got.ptr, want.ptr);
        if (strcmp(got.ptr, want.ptr) != 0)
            printf("  seed %u: %s\n", seed, flow.ptr);
    }
    CHECK(strncmp(want.ptr, "state ", 6) == 0); /* the program was sound */
    one_read(seed, op.ptr);
    buf_deinit(&op);
    buf_deinit(&flow);
    buf_deinit(&want);
    buf_deinit(&got);
}

int main(int argc, char **argv)
{
    uint32_t first = argc > 2 ? (uint32_t)atoi(argv[1]) : 1;
    uint32_t last = argc > 2 ? (uint32_t)atoi(argv[2]) : SEEDS;
    char folder[] = "/tmp/fold_test_XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0) {
        perror(folder);
        return 1;
    }
    for (uint32_t seed = first; seed <= last; seed++)
        one(seed);
    remove("t.csv");
    remove("p.pipe");
    rmdir(folder);
    UNIT_END("fold");
}
