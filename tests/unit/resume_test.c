/* Runs that are killed at some event and resumed, again and again until they end: the outputs are those of a run without
 * interruption, whatever the number of workers was each time, whatever of what was kept was damaged in between, and nothing is left
 * of the run. Each attempt is a process of its own, which kills itself; so a seed always does the same with one worker.
 * `resume_test FIRST LAST` runs those seeds. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include "api/pipemill.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag_text.h"
#include "unit.h"

enum { N_SEEDS = 12, MAX_KILLS = 8, MAX_EVENTS = 60 };

static uint64_t seed;
static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* ---- programs: each writes out.csv ---- */

static const char *const PROGRAMS[] = {
    /* Maps, two readers of what is kept, floats that are summed in order. */
    "job j {\n"
    "  let rows = read csv \"in.csv\" batch 40 | map { where hp > 40; derive id = uuid(), r = row() } @checkpoint\n"
    "  rows | map { derive k = key(), again = uuid() } @checkpoint | map { write csv \"out.csv\" }\n"
    "  rows | collect { group by type1 { n = count(), w = mean(weight_kg), m = median(hp) } } @checkpoint\n"
    "    | sort by n desc, type1 | write json \"out.json\"\n"
    "}\n",
    /* Fan-outs within fan-outs, kept at each level. */
    "job j {\n"
    "  read csv \"in.csv\" batch 100 | map { derive t = type1 ?? \"none\" } | map { split by t } @checkpoint\n"
    "    | map { derive id = uuid(), k = key() } @checkpoint\n"
    "    | collect { group by generation { n = count(), f = sum(weight_kg), l = last(id) }; derive k = key() } @checkpoint\n"
    "    | map { write csv \"out.csv\" } | collect { aggregate { n = sum(n), f = sum(f) } } | write json \"out.json\"\n"
    "}\n",
    /* Bad rows, rejected ones and those of a batch that is skipped. */
    "schema row { hp: int, capture_rate: int, ... }\n"
    "@bad_rows(skip, rejects: \"out.json\") @checkpoint\n"
    "job j {\n"
    "  read csv \"in.csv\" as row batch 30 | map derive rate = capture_rate * 2\n"
    "    | map { assert hp % 11 != 0, \"{name} {hp}\" } | map select name, rate, hp | map { write csv \"out.csv\" }\n"
    "}\n",
    /* Static tables, as tables of joins too; a whole job. */
    "@checkpoint @memory(1MB)\n"
    "job j {\n"
    "  let big = read csv \"in.csv\" | sort by attack desc, name | derive z = row()\n"
    "  let few = big | take 90 | select name, z2 = z * 2\n"
    "  read csv \"in.csv\" batch 64 | map { join few on name == few.name; derive k = index() }\n"
    "    | map { write csv \"out.csv\" }\n"
    "  big | where hp > 60 | group by generation { n = count(), f = sum(weight_kg) } | write json \"out.json\"\n"
    "}\n",
};
enum { N_PROGRAMS = sizeof PROGRAMS / sizeof *PROGRAMS };

/* ---- one attempt, in a process of its own ---- */

/* What attempts tell, over all of them. */
typedef struct Told {
    uint64_t n_restored, n_left_out, n_damaged, n_kept;
} Told;

typedef struct Attempt {
    const char *program;
    uint32_t n_workers;
    uint64_t auto_rows;
    bool is_plain;      /* not one to be resumed: nothing is kept */
    _Atomic int32_t n_events; /* until it kills itself; negative: it does not */
    Told *told;
} Attempt;

static void on_event(void *ctx, const TraceEvent *e, const Error *err)
{
    Attempt *a = ctx;
    (void)e;
    (void)err;
    if (a->n_events >= 0 && a->n_events-- == 0)
        kill(getpid(), SIGKILL);
}

/* Is what is taken up the same as what was begun? */
static bool is_same(Store *s, const StoreFacts *now)
{
    Error err = {0};
    return store_check_version(s, now->version, &err) == OK &&
           store_check_sources(s, now->sources, now->n_sources, &err) == OK &&
           store_check_plan(s, now->plan_hash, &err) == OK && store_check_inputs(s, &err) == OK;
}

static bool run(Attempt *a, Mill *m, Store *store)
{
    const Observer observer = {.ctx = a, .event = on_event};
    const MillRunOptions options = {.n_workers = a->n_workers, .seed = 3, .observer = &observer, .store = store,
                                    .auto_rows = store ? store_facts(store)->auto_rows : a->auto_rows};
    MillRun *r = NULL;
    MillResult result;
    Error err = {0};
    if (mill_run_open(m, 0, &options, &r, &err) != OK) {
        printf("%s\n", err.text);
        return false;
    }
    mill_run_go(r, &result);
    bool is_over = result.state == RUN_DONE || result.state == RUN_PARTIAL;
    if (!is_over && result.n_kept)
        printf("%s\n", result.failures[0].err->text);
    a->told->n_restored += result.end.kept.n_restored;
    a->told->n_left_out += result.end.kept.n_left_out;
    a->told->n_damaged += result.end.kept.n_damaged;
    a->told->n_kept += result.end.kept.n_kept;
    mill_run_close(r);
    return is_over;
}

/* True: the run has ended well. */
static bool attempt(Attempt *a)
{
    const MillOptions options = {.has_now = true, .now_us = 1000000};
    StoreFacts facts = {.program = STR_LIT("p.pipe"), .seed = 3, .auto_rows = a->auto_rows};
    Store *store = NULL;
    Error err = {0};
    Mill *m = mill_open(&options);
    bool ok = mill_load_text(m, "p.pipe", str_of(a->program), &err) == OK && mill_plan(m, 0) &&
              mill_put_facts(m, 0, &facts, &err) == OK;
    if (ok && !a->is_plain && store_resume((Str){"", 0}, &store, &err) == OK)
        ok = is_same(store, &facts);
    else if (ok && !a->is_plain)
        ok = store_begin(&facts, &store, &err) == OK && (store_close(store, false), store_resume((Str){"", 0}, &store, &err) == OK);
    if (!ok) {
        Buf text = {0};
        diags_put_human(&text, mill_diags(m), mill_sources(m), false);
        printf("%s%s\n", text.ptr ? text.ptr : "", err.text);
        buf_deinit(&text);
    }
    ok = ok && run(a, m, store);
    store_close(store, ok);
    mill_close(m);
    return ok;
}

/* The status of the process. */
static int attempt_apart(Attempt *a)
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        bool ok = attempt(a);
        fflush(stdout);
        exit(ok ? 0 : 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}

/* ---- what is there ---- */

static void read_file(const char *path, Buf *out)
{
    char chunk[4096];
    FILE *f = fopen(path, "rb");
    size_t n;
    while (f && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_put(out, chunk, n);
    if (f)
        fclose(f);
}

static void read_outputs(Buf *out)
{
    read_file("out.csv", out);
    buf_putc(out, '\0');
    read_file("out.json", out);
}

static void damage_file(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return;
    off_t at = (off_t)below((uint32_t)st.st_size);
    if (below(2)) {
        CHECK(truncate(path, at) == 0);
        return;
    }
    FILE *f = fopen(path, "r+b");
    fseek(f, at, SEEK_SET);
    int c = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(c ^ 0x10, f);
    fclose(f);
}

/* One of the files that some step keeps. */
static void damage_one(void)
{
    char path[600];
    DIR *runs = opendir(".pipemill/runs");
    for (struct dirent *run; runs && (run = readdir(runs)) != NULL; )
        for (uint32_t step = 0; run->d_name[0] != '.' && step < 12; step++) {
            snprintf(path, sizeof path, ".pipemill/runs/%s/%u", run->d_name, step);
            DIR *d = opendir(path);
            struct dirent *e;
            while (d && (e = readdir(d)) != NULL)
                if (e->d_name[0] != '.' && below(4) == 0) {
                    snprintf(path, sizeof path, ".pipemill/runs/%s/%u/%s", run->d_name, step, e->d_name);
                    damage_file(path);
                    break;
                }
            if (d)
                closedir(d);
        }
    if (runs)
        closedir(runs);
}

/* With the temporary files of those that were killed. */
static void files_remove(void)
{
    DIR *d = opendir(".");
    for (struct dirent *e; d && (e = readdir(d)) != NULL; )
        unlink(e->d_name);
    if (d)
        closedir(d);
}

/* ---- */

static void try_program(const char *program, Told *told, uint32_t *n_killed)
{
    static const uint32_t WORKERS[] = {1, 2, 3, 8};
    static const uint64_t ROWS[] = {0, 1, 7};
    Buf whole = {0}, resumed = {0};
    Attempt plain = {.program = program, .n_workers = 2, .auto_rows = ROWS[below(3)], .is_plain = true, .n_events = -1, .told = told};
    CHECK(attempt_apart(&plain) == 0);
    read_outputs(&whole);
    CHECK(whole.len > 100);
    CHECK(remove("out.csv") == 0 && remove("out.json") == 0);
    for (uint32_t k = 0; k <= MAX_KILLS; k++) {
        Attempt a = {.program = program, .n_workers = WORKERS[below(4)], .auto_rows = plain.auto_rows, .told = told,
                     .n_events = k < MAX_KILLS ? (int32_t)below(MAX_EVENTS * (k + 1)) : -1};
        int status = attempt_apart(&a);
        if (WIFEXITED(status)) {
            CHECK(WEXITSTATUS(status) == 0);
            break;
        }
        CHECK(WTERMSIG(status) == SIGKILL);
        ++*n_killed;
        if (below(3) == 0)
            damage_one();
    }
    read_outputs(&resumed);
    CHECK(whole.len == resumed.len && memcmp(whole.ptr, resumed.ptr, whole.len) == 0);
    CHECK(access(".pipemill", F_OK) != 0);
    buf_deinit(&whole);
    buf_deinit(&resumed);
}

int main(int argc, char **argv)
{
    char memory[] = "/dev/shm/resume-XXXXXX", disk[] = "/tmp/resume-XXXXXX"; /* where fsync costs little */
    char source[4096];
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? first : N_SEEDS;
    uint32_t n_killed = 0;
    Told *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(told != MAP_FAILED);
    CHECK(getcwd(source, sizeof source - 32) != NULL);
    const char *folder = mkdtemp(memory) ? memory : mkdtemp(disk);
    if (!folder || chdir(folder) != 0)
        return perror("resume_test"), 1;
    strcat(source, "/data/pokemon.csv");
    CHECK(symlink(source, "in.csv") == 0);
    for (uint64_t s = first; s <= last && unit_failed == 0; s++)
        for (uint32_t i = 0; i < N_PROGRAMS; i++) {
            seed = s * N_PROGRAMS + i;
            try_program(PROGRAMS[i], told, &n_killed);
            if (unit_failed)
                printf("seed %llu, program %u\n", (unsigned long long)s, i);
        }
    if (argc == 1) { /* else there was nothing to find */
        CHECK(n_killed > 50 && told->n_kept > 300 && told->n_restored > 300);
        CHECK(told->n_left_out > 20 && told->n_damaged > 10);
    }
    printf("killed %u times: %llu outputs kept, %llu taken, %llu instances left out, %llu outputs damaged\n", n_killed,
           (unsigned long long)told->n_kept, (unsigned long long)told->n_restored,
           (unsigned long long)told->n_left_out, (unsigned long long)told->n_damaged);
    files_remove();
    if (chdir("/") != 0 || rmdir(folder) != 0)
        perror(folder);
    UNIT_END("resume");
}
