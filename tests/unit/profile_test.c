/* What a profile counts is what the run did: sums of times, rows and bytes; what is shown fits. */
#include "api/pipemill.h"

#include <stdlib.h>
#include <unistd.h>

#include "report/recording.h"
#include "unit.h"

enum { N_ROWS = 1000 };

static const char PROGRAM[] =
    "job mapped { read csv \"in.csv\" batch 100 | map { where n >= 500; derive m = n * 2 } "
    "| map write csv \"out.csv\" }\n"
    "job static { read csv \"in.csv\" | { where n >= 500; derive m = n * 2; write csv \"out.csv\" } }\n"
    "job collected { read csv \"in.csv\" batch 100 | map where n >= 500 "
    "| collect { group by k = n % 7 { s = sum(n) }; write csv \"out.csv\" } }\n"
    "job keyed { read csv \"in.csv\" batch 100 | map { where n >= 500; write csv \"out.{key()}.csv\" } }\n";

static uint64_t input_bytes;

static void files_put(void)
{
    FILE *in = fopen("in.csv", "wb"), *program = fopen("p.pipe", "wb");
    CHECK(in && program);
    fputs("n,s\n", in);
    for (int i = 0; i < N_ROWS; i++)
        input_bytes += (uint64_t)fprintf(in, "%d,text %d\n", i, i % 7);
    fputs(PROGRAM, program);
    CHECK(fclose(in) == 0 && fclose(program) == 0);
}

static uint64_t file_bytes(const char *path)
{
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    if (!f)
        return 0;
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    fclose(f);
    return (uint64_t)n;
}

static const ProfileLine *line_of(const Profile *p, uint32_t step, const char *name)
{
    for (uint32_t i = 0; i < p->n_lines; i++)
        if (p->lines[i].step == step && p->lines[i].kind != PROFILE_STEP && str_is(p->lines[i].name, name))
            return &p->lines[i];
    return NULL;
}

/* The parts of a step are the step, and the steps are the whole: but for what is rounded, and for the
 * counts of two processors that differ. */
static void check_sums(const Profile *p, uint32_t n_workers)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < p->n_lines;) {
        const ProfileLine *whole = &p->lines[i++];
        CHECK(whole->kind == PROFILE_STEP && whole->n_runs > 0);
        uint64_t parts = 0, cycles = 0, first = i;
        for (; i < p->n_lines && p->lines[i].kind != PROFILE_STEP; i++) {
            CHECK(p->lines[i].step == whole->step && p->lines[i].name.len > 0);
            if (p->lines[i].kind == PROFILE_WAIT)
                continue;
            parts += p->lines[i].ns;
            cycles += p->lines[i].cycles;
        }
        CHECK(parts + (i - first) >= whole->ns && parts <= whole->ns + (i - first));
        CHECK(cycles == whole->cycles);
        all += whole->ns;
    }
    CHECK(all == p->work_ns);
    CHECK(p->work_ns <= p->run_ns * n_workers + 1000 * p->n_lines);
}

static uint32_t n_lines_of(const Buf *text)
{
    uint32_t n = 0;
    for (size_t i = 0; i < text->len; i++)
        n += text->ptr[i] == '\n';
    return n;
}

static void check_shown(const Profile *p, const RunInfo *info)
{
    Buf few = {0}, all = {0}, again = {0};
    profile_put(p, info, &(ProfileShown){.max_lines = 20, .width = 80}, &few);
    profile_put(p, info, &(ProfileShown){0}, &all);
    CHECK(n_lines_of(&few) <= 20);
    CHECK(strstr(few.ptr, "-v shows them") != NULL);
    CHECK(strstr(all.ptr, "-v shows them") == NULL);
    for (uint32_t i = 0; i < p->n_lines; i++)
        CHECK(strstr(all.ptr, p->lines[i].name.len ? p->lines[i].name.ptr : "") != NULL);
    Arena *a = arena_open();
    profile_put(profile_copy(a, p), info, &(ProfileShown){0}, &again);
    CHECK_STR(again.ptr, all.ptr);
    arena_close(a);
    buf_deinit(&few);
    buf_deinit(&all);
    buf_deinit(&again);
}

/* A trace keeps it. */
static void check_trace(const MillRun *run)
{
    Buf first = {0}, second = {0};
    Recording *r = mill_run_recording(run), *back = NULL;
    Error err = {0};
    CHECK(r->profile != NULL);
    trace_write_json(r, &first);
    CHECK(trace_read_json(buf_str(&first), &back, &err) == OK);
    if (back) {
        CHECK(back->profile && back->profile->n_lines == r->profile->n_lines);
        trace_write_json(back, &second);
        CHECK_STR(second.ptr, first.ptr);
    }
    recording_free(back);
    recording_free(r);
    buf_deinit(&first);
    buf_deinit(&second);
}

/* Rows and bytes of the job's reading and writing. */
static void check_counts(const Profile *p, const RunInfo *info, const char *job, uint64_t n_rows_out)
{
    uint64_t read = 0, rows_read = 0, written = 0, rows_filtered = 0, rows_written = 0;
    for (uint32_t s = 0; s < info->n_steps; s++) {
        const ProfileLine *l;
        if ((l = line_of(p, s, "reading"))) {
            read += l->n_bytes;
            rows_read += l->n_rows;
        }
        if ((l = line_of(p, s, "FILTER")))
            rows_filtered += l->n_rows;
        if ((l = line_of(p, s, "WRITE_CSV"))) {
            written += l->n_bytes;
            rows_written += l->n_rows;
        }
    }
    CHECK(read == input_bytes && rows_read == N_ROWS);
    CHECK(rows_filtered == N_ROWS);
    CHECK(rows_written == n_rows_out);
    if (strcmp(job, "keyed") != 0) {
        uint64_t head = strcmp(job, "collected") == 0 ? strlen("k,s\n") : strlen("n,s,m\n");
        CHECK(written == file_bytes("out.csv") - head);
    } else {
        CHECK(written > strlen("n,s\n"));
    }
}

static void check_job(const char *job, uint64_t n_rows_out, uint32_t n_workers, bool keeps)
{
    Mill *m = mill_open(&(MillOptions){0});
    MillRun *run = NULL;
    MillResult result;
    Error err = {0};
    CHECK(mill_load(m, "p.pipe", &err) == OK);
    int32_t number = mill_find_job(m, str_of(job));
    bool is_planned = number >= 0 && mill_plan(m, (uint32_t)number);
    CHECK(is_planned);
    const MillRunOptions options = {.n_workers = n_workers, .auto_rows = 100, .keeps_trace = true,
                                    .keeps_profile = keeps};
    if (is_planned && mill_run_open(m, (uint32_t)number, &options, &run, &err) == OK) {
        mill_run_go(run, &result);
        CHECK(result.state == RUN_DONE);
        CHECK(!result.profile == !keeps);
        if (result.profile) {
            check_sums(result.profile, n_workers);
            check_shown(result.profile, result.info);
            check_counts(result.profile, result.info, job, n_rows_out);
            check_trace(run);
        }
        mill_run_close(run);
    }
    CHECK_STR(err.text, "");
    mill_close(m);
}

static void files_remove(void)
{
    static const char *const paths[] = {"in.csv", "p.pipe", "out.csv"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        CHECK(remove(paths[i]) == 0);
    for (int i = 0; i < N_ROWS / 100; i++) {
        char path[32];
        snprintf(path, sizeof path, "out.%d.csv", i);
        CHECK(remove(path) == 0);
    }
}

int main(void)
{
    char dir[] = "/tmp/profile-XXXXXX";
    if (!mkdtemp(dir) || chdir(dir) != 0)
        return perror("profile_test"), 1;
    files_put();
    for (uint32_t w = 1; w <= 3; w += 2) {
        check_job("mapped", N_ROWS / 2, w, true);
        check_job("static", N_ROWS / 2, w, true);
        check_job("collected", 7, w, true);
        check_job("keyed", N_ROWS / 2, w, true);
    }
    check_job("mapped", N_ROWS / 2, 2, false);
    files_remove();
    if (chdir("/") != 0 || rmdir(dir) != 0)
        perror(dir);
    UNIT_END("profile");
}
