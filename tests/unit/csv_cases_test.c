/* The CSV dialect of docs/csv.md case by case: tests/csv/cases.txt, each through both engines, in one piece and
 * in batches of one row, with every level of vector instructions. `csv_cases_test NAME` runs one and prints what comes out.
 *
 *   = name of the case
 *   with (delimiter: ";")        options, may be absent
 *   < a;b\n1;2\n                 the bytes of the file, with \n \r \t \\ \0 \xNN; several lines are joined
 *   > {"a":1,"b":2}              a row, as `write json` writes it; none: the table has no rows
 *   ! part of a message          instead: the mistake or the row error that comes
 */
#include "api/pipemill.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag_text.h"
#include "base/simd.h"
#include "unit.h"

typedef struct Case {
    Buf name, options, in, out; /* out: all rows, or the message */
    bool is_error;
} Case;

static void unescape(Buf *out, const char *text)
{
    for (const char *p = text; *p && *p != '\n'; p++) {
        if (*p != '\\') {
            buf_putc(out, *p);
            continue;
        }
        p++;
        if (*p == 'x') {
            char hex[3] = {p[1], p[2], 0};
            buf_putc(out, (char)strtol(hex, NULL, 16));
            p += 2;
        } else {
            buf_putc(out, *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p == 't' ? '\t' : *p == '0' ? '\0' : *p);
        }
    }
}

static void line_put(Buf *out, const char *text)
{
    buf_put(out, text, strcspn(text, "\n"));
}

static const char *text_of(const Buf *b)
{
    return b->ptr ? b->ptr : "";
}

/* ---- a case through pipemill ---- */

static void file_put(const char *path, const Buf *text)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && (text->len == 0 || fwrite(text->ptr, 1, text->len, f) == text->len) && fclose(f) == 0);
}

static void file_get(const char *path, Buf *out)
{
    char part[4096];
    FILE *f = fopen(path, "rb");
    for (size_t n; f && (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_put(out, part, n);
    if (f)
        fclose(f);
}

/* The rows, or the first message; true if there are rows. */
static bool run(const Case *c, const char *engine, const char *batch, Buf *out)
{
    Buf flow = {0};
    const char *options = text_of(&c->options);
    if (*engine)
        buf_printf(&flow, "read csv \"in.csv\" with (engine: \"%s\"%s%s", engine, *options ? ", " : ")", *options ? options + 6 : "");
    else
        buf_printf(&flow, "read csv \"in.csv\" %s", options);
    buf_printf(&flow, "%s write json \"out.json\"", batch);
    Mill *m = mill_open(&(MillOptions){0});
    Error err = {0};
    MillRun *r = NULL;
    MillResult result = {.state = RUN_FAILED};
    bool ok = mill_load_flow(m, buf_str(&flow), &err) == OK && mill_plan(m, 0);
    if (!ok)
        diags_put_human(out, mill_diags(m), mill_sources(m), false);
    else if (mill_run_open(m, 0, &(MillRunOptions){.n_workers = 2}, &r, &err) == OK)
        mill_run_go(r, &result);
    if (result.state == RUN_DONE)
        file_get("out.json", out);
    else if (result.n_kept)
        buf_printf(out, "%s:%llu: %s", result.failures[0].err->file,
                   (unsigned long long)result.failures[0].err->line, result.failures[0].err->text);
    else
        buf_puts(out, err.text);
    mill_run_close(r);
    mill_close(m);
    buf_deinit(&flow);
    return result.state == RUN_DONE;
}

static int n_failed_before; /* checks, when the case began: its first failure is shown */

static void check(const Case *c, const char *engine, const char *batch, bool is_shown)
{
    Buf got = {0};
    bool has_rows = run(c, engine, batch, &got);
    bool ok = has_rows != c->is_error &&
              (c->is_error ? strstr(text_of(&got), text_of(&c->out)) != NULL : strcmp(text_of(&got), text_of(&c->out)) == 0);
    CHECK(ok);
    if (is_shown || (!ok && unit_failed == 1 + n_failed_before))
        printf("case `%s` %s%s: got\n%s\nwant %s\n%s\n", c->name.ptr, engine, batch, text_of(&got), c->is_error ? "a message with" : "", text_of(&c->out));
    buf_deinit(&got);
}

static void check_case(const Case *c, bool is_shown)
{
    n_failed_before = unit_failed;
    SimdLevel best = simd_level();
    file_put("in.csv", &c->in);
    for (int k = 0; k < N_SIMD_LEVELS; k++) {
        if (!simd_has((SimdLevel)k))
            continue;
        simd_use((SimdLevel)k);
        check(c, "", " |", is_shown);
        check(c, "", " batch 1 | map", false);
    }
    simd_use(best);
    check(c, "libcsv", " |", false);
}

static void case_clear(Case *c)
{
    buf_clear(&c->name);
    buf_clear(&c->options);
    buf_clear(&c->in);
    buf_clear(&c->out);
    c->is_error = false;
}

int main(int argc, char **argv)
{
    char memory[] = "/dev/shm/csv-cases-XXXXXX", disk[] = "/tmp/csv-cases-XXXXXX"; /* where fsync costs little */
    const char *only = argc == 2 ? argv[1] : NULL;
    FILE *f = fopen("tests/csv/cases.txt", "r");
    const char *dir = mkdtemp(memory) ? memory : mkdtemp(disk);
    if (!f || !dir || chdir(dir) != 0)
        return perror("csv_cases_test"), 1;
    char line[4096];
    Case c = {.is_error = false};
    uint32_t n_cases = 0;
    bool more = true;
    while (more) {
        more = fgets(line, sizeof line, f) != NULL;
        if ((!more || line[0] == '=') && c.name.len) {
            if (!only || strcmp(only, c.name.ptr) == 0)
                check_case(&c, only != NULL);
            n_cases++;
            case_clear(&c);
        }
        if (!more)
            break;
        switch (line[0]) {
        case '=': line_put(&c.name, line + 2); break;
        case 'w': line_put(&c.options, line); break;
        case '<': unescape(&c.in, line + 2); break;
        case '!':
            c.is_error = true;
            line_put(&c.out, line + 2);
            break;
        case '>':
            line_put(&c.out, line + 2);
            buf_putc(&c.out, '\n');
            break;
        default: CHECK(line[0] == '#' || line[0] == '\n'); break;
        }
    }
    fclose(f);
    CHECK(n_cases >= 100);
    buf_deinit(&c.name);
    buf_deinit(&c.options);
    buf_deinit(&c.in);
    buf_deinit(&c.out);
    remove("in.csv");
    remove("out.json");
    if (chdir("/") != 0 || rmdir(dir) != 0)
        perror(dir);
    UNIT_END("csv_cases");
}
