/* Codes of repeated strings. Of random columns: rows with the same code have the same value, also after rows were
 * picked, and values that do not repeat get none. Of random programs: what comes of batches of a few thousand rows, whose
 * columns have codes, is what comes of batches of 100, which are too short for any. `codes_test N` runs program N, `codes_test
 * FIRST LAST` those of these numbers. */
#include "api/pipemill.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/diag_text.h"
#include "data/codes.h"
#include "unit.h"

enum { N_COLUMNS = 300, N_PROGRAMS = 250, N_ROWS = 3000, MAX_LEN = 80, SHORT_ROWS = 100 };

static uint64_t seed;
static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* ---- columns ---- */

static StrView view_of(const Column *c, uint32_t row)
{
    return column_strs(c)[row];
}

static bool views_same(StrView a, StrView b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* Values of up to max_len bytes, of which some differ only in a byte 0 at the end, somewhere in a heap, with nulls or
 * without; what stands under a null may be the value of another row. */
static Column *random_column(uint32_t n_rows, uint32_t n_values, uint32_t max_len, bool has_nulls)
{
    Column *c = column_new(TYPE_STRING, false, n_rows);
    Heap *h = heap_new((size_t)n_rows * (max_len + 1));
    StrView *values = xmalloc(n_values * sizeof *values);
    for (uint32_t i = 0; i < n_values; i++) {
        uint32_t len = i == 0 ? max_len : i == 1 ? 0 : below(max_len + 1);
        char *to = xmalloc(len + 1ull);
        for (uint32_t k = 0; k < len; k++)
            to[k] = (char)(below(8) ? 'a' + below(2) : 0);
        values[i] = (StrView){to, len, 0};
    }
    if (has_nulls)
        column_own_valid(c, true);
    for (uint32_t i = 0; i < n_rows; i++) {
        StrView v = values[i ? below(n_values) : 0];
        char *to = heap_alloc(h, v.len); /* the last rows end where the heap does: not in reach */
        memcpy(to, v.ptr, v.len);
        column_strs(c)[i] = (StrView){to, v.len, 0};
        if (has_nulls && below(4) == 0)
            bit_clear(c->valid, i);
    }
    for (uint32_t i = 0; i < n_values; i++)
        free((char *)(uintptr_t)values[i].ptr);
    free(values);
    column_add_heap(c, h);
    heap_unref(h);
    return c;
}

static uint32_t n_wrong;

static void check_codes(const Column *c, const Codes *codes)
{
    bool ok = codes->n_rows == c->n_rows && codes->n_values > 0;
    for (uint32_t i = 0; ok && i < c->n_rows; i++) {
        uint32_t code = codes->rows[i];
        ok = code < codes->n_values;
        if (ok && column_is_valid(c, i))
            ok = column_is_valid(c, codes->first[code]) && views_same(view_of(c, i), view_of(c, codes->first[code]));
    }
    for (uint32_t i = 0; ok && i < codes->n_values; i++) {
        ok = codes->rows[codes->first[i]] == i;
        for (uint32_t k = 0; ok && k < i; k++)
            ok = !views_same(view_of(c, codes->first[i]), view_of(c, codes->first[k]));
    }
    n_wrong += !ok;
}

static void check_column(void)
{
    uint32_t n_rows = 1 + below(6000), max_len = 1 + below(MAX_LEN), n_values = 2 + below(below(2) ? 40 : 400);
    Column *c = random_column(n_rows, n_values, max_len, below(2));
    CHECK(!codes_had(c));
    CHECK(!codes_of(c, max_len - 1)); /* the longest comes first */
    const Codes *codes = codes_of(c, max_len);
    CHECK(codes == codes_had(c));
    if (n_rows >= 1000 && n_values <= n_rows / 20)
        CHECK(codes);
    if (n_rows < 2 * SHORT_ROWS)
        CHECK(!codes);
    if (codes) {
        check_codes(c, codes);
        uint32_t n = below(2 * n_rows), *sel = xmalloc((n + 1ull) * sizeof *sel);
        for (uint32_t i = 0; i < n; i++)
            sel[i] = below(n_rows);
        Column *some = column_gather(c, sel, n);
        CHECK(n < 1000 || n_values > n / 20 || codes_had(some));
        if (codes_had(some))
            check_codes(some, codes_had(some));
        if (n)
            sel[0] = UINT32_MAX;
        Column *picked = column_pick(c, sel, n);
        CHECK(n == 0 || !codes_had(picked));
        column_unref(some);
        column_unref(picked);
        free(sel);
    }
    column_unref(c);
}

static void check_different(void)
{
    uint32_t n = 1000 + below(5000);
    Column *c = column_new(TYPE_STRING, false, n);
    char *bytes = xmalloc(n * 20ull);
    for (uint32_t i = 0; i < n; i++)
        column_strs(c)[i] = (StrView){bytes + i * 20ull, (uint32_t)sprintf(bytes + i * 20ull, "value %u", i), 0};
    CHECK(!codes_of(c, MAX_LEN));
    CHECK(!codes_of(c, MAX_LEN)); /* it is known by now */
    column_unref(c);
    free(bytes);
}

/* Strings of 32 bytes of which the first and the last eight are changed alike: for a sum of all words they are the same. */
static void check_alike(void)
{
    enum { LEN = 32, ROWS = 1000, VALUES = 5 };
    Column *c = column_new(TYPE_STRING, false, ROWS);
    Heap *h = heap_new((ROWS + 1) * LEN); /* one more: all are in reach */
    for (uint32_t i = 0; i < ROWS; i++) {
        char *to = heap_alloc(h, LEN);
        memset(to, 'a', LEN);
        to[3] = to[LEN - 8 + 3] = (char)('a' + i % VALUES);
        column_strs(c)[i] = (StrView){to, LEN, 0};
    }
    column_add_heap(c, h);
    heap_unref(h);
    const Codes *codes = codes_of(c, LEN);
    CHECK(codes && codes->n_values == VALUES);
    if (codes)
        check_codes(c, codes);
    column_unref(c);
}

/* ---- programs ---- */

/* One of `list`; each `@` in it is a column. */
#define ONE(list) (list)[below(sizeof(list) / sizeof *(list))]

static const char *const COLUMNS[] = {"s", "s", "t", "long", "few", "few"};
static const char *const STRINGS[] = {
    "upper(@)", "lower(@)", "trim(@)", "replace(@, \"a\", \"<a>\")", "substring(@, 1, 3)", "split_part(@, \" \", 1)",
    "extract(@, \"[aeiou]+.\")", "pad_left(@, 12, \".\")", "format('[{}]', @)", "@ + \"!\"", "string(length(@))", "@",
    "@ ?? \"none\"", "if flag then upper(@) else lower(@)", "if @ < \"m\" then trim(@) else @", "\"{@}-{flag}\"",
    "if few is not null and flag then format('<{}>', upper(few)) else @", "upper(@) + lower(@)", "replace(trim(upper(@)), \"A\", \"\")",
};
static const char *const BOOLS[] = {
    "@ == \"oak\"", "@ != \"\"", "@ < \"m\"", "@ >= \"b\" and @ < \"pine\"", "\"k\" < @", "@ in [\"oak\", \"pine tree\", \"\", \"x\"]",
    "matches(@, \"^[a-m]\")", "contains(@, \"e\")", "starts_with(@, \"p\") or flag", "@ is null", "@ is not null and ends_with(@, \"e\")",
    "few is not null and flag and upper(few) in [\"OAK\", \"BIRCH\"]", "not matches(upper(@), \"E$\")", "length(@) > 4", "flag and upper(@) < \"K\"", "(@ ?? \"zz\") > \"m\"", "@ == few", "@ between \"a\" and \"k\"",
};
/* These fail in some rows. */
static const char *const BAD[] = {
    "int(num)", "float(num) * 2.0", "date(day)", "parse_time(day, \"%Y-%m-%d\")", "bool(few)", "extract(@, \"(\" + few)", "100 // length(few)",
    "if num is not null and flag then int(trim(num)) else 0", "if flag then date(trim(day)) else null", "int(num) ?? -1", "year(date(day))", "if flag then int(num) else 0", "int(trim(num)) + length(@)", "substring(@, 0, length(day) - 20)",
};
static const char *const ENDS[] = {
    "select id, x, y", "group by x { n = count(), first = min(id) }", "group by x, y { n = count(), last = max(id) }",
    "select x; distinct", "select x, y, few; distinct", "group by few, flag { n = count(), m = max(x) }",
    "group by few { d = count_distinct(x), low = min(x), a = arg_min(id, x), b = arg_max(id, y) }", "sort by x, id desc; take 50", "aggregate { n = count(), d = count_distinct(x), e = count_distinct(y) }",
};

static void put_expr(Buf *out, const char *expr)
{
    for (; *expr; expr++) {
        if (*expr == '@')
            buf_puts(out, ONE(COLUMNS));
        else
            buf_putc(out, *expr);
    }
}

static void put_program(Buf *out)
{
    static const char *const POLICIES[] = {"", "@bad_rows(skip, rejects: \"bad.csv\")\n", "@bad_rows(null, rejects: \"bad.csv\")\n"};
    bool fails = below(3) == 0;
    buf_puts(out, "schema rows { id: int, flag: bool, s: string, t: string, long: string, few: string, num: string, day: string }\n");
    buf_puts(out, fails ? ONE(POLICIES) : "");
    buf_puts(out, "job j {\n  read csv \"in.csv\" as rows batch auto | map {\n");
    if (below(2)) {
        buf_puts(out, "    where ");
        put_expr(out, ONE(BOOLS));
        buf_puts(out, "\n");
    }
    buf_puts(out, "    derive x = ");
    put_expr(out, ONE(STRINGS));
    if (below(3) == 0) {
        buf_puts(out, "\n    where ");
        put_expr(out, ONE(BOOLS));
    }
    buf_puts(out, "\n    derive y = ");
    if (fails)
        put_expr(out, ONE(BAD));
    else if (below(2))
        put_expr(out, ONE(BOOLS));
    else
        put_expr(out, ONE(STRINGS));
    buf_puts(out, "\n  } | collect { ");
    buf_puts(out, ONE(ENDS));
    buf_puts(out, " } | write csv \"out.csv\"\n}\n");
}

static void put_rows(Buf *out)
{
    static const char *const WORDS[] = {"oak", "pine tree", "Birch", "", "\"\"", "\xc3\xa9l\xc3\xa9gant", "elm", "\"a, b\"",
                                        "a rather long name of a tree, with no comma", "m", "moss and more", " reed "};
    static const char *const DAYS[] = {"2026-01-02", "2024-02-29", "", "1999-12-31", "2025-06-15"};
    uint32_t n_bad = below(3);
    buf_puts(out, "id,flag,s,t,long,few,num,day\n");
    for (uint32_t i = 0; i < N_ROWS; i++) {
        const char *s = WORDS[below(8)], *few = WORDS[below(3)];
        buf_printf(out, "%u,%s,%s,%s%u,", i, below(2) ? "true" : "false", s, i % 7 ? "t" : "T ", below(300));
        buf_printf(out, "\"%s, %u\",%s,", WORDS[8], below(20), below(9) ? few : WORDS[below(12)][0] == 'a' ? "elm" : "m");
        if (n_bad && below(200) == 0)
            buf_puts(out, "n/a,");
        else
            buf_printf(out, "%d,", (int)below(50) - 10);
        buf_printf(out, "%s\n", n_bad == 2 && below(300) == 0 ? "2026-02-30" : ONE(DAYS));
    }
}

static void file_put(const char *path, const Buf *text)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(text->ptr, 1, text->len, f) == text->len && fclose(f) == 0);
}

static void file_add(const char *path, Buf *out)
{
    char part[4096];
    FILE *f = fopen(path, "rb");
    buf_printf(out, "%s:\n", path);
    for (size_t n; f && (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_put(out, part, n);
    if (f)
        fclose(f);
}

static uint32_t n_done, n_coded;

static bool has_values(const Profile *p)
{
    for (uint32_t i = 0; i < p->n_lines; i++)
        if (p->lines[i].n_values)
            return true;
    return false;
}

/* All that a run says. */
static void outcome(uint64_t auto_rows, Buf *out)
{
    const MillRunOptions options = {.n_workers = 1, .auto_rows = auto_rows, .seed = 1, .keeps_profile = true};
    MillResult result = {.state = RUN_FAILED};
    MillRun *r = NULL;
    Error err = {0};
    Mill *m = mill_open(&(MillOptions){.has_now = true});
    remove("out.csv");
    remove("bad.csv");
    if (mill_load(m, "p.pipe", &err) != OK || !mill_plan(m, 0)) {
        diags_put_human(out, mill_diags(m), mill_sources(m), false);
        FAIL("a mistake in the program");
        printf("%s\n", out->ptr);
    } else if (mill_run_open(m, 0, &options, &r, &err) != OK) {
        FAIL("the run is not opened");
    } else {
        mill_run_go(r, &result);
        if (result.n_kept)
            buf_printf(out, "%s at %llu:%llu, %s, `%s`\n", result.failures->err->text,
                       (unsigned long long)result.failures->err->line, (unsigned long long)result.failures->err->byte,
                       result.failures->err->column, result.failures->err->value);
        n_done += result.state == RUN_DONE;
        n_coded += has_values(result.profile);
        CHECK(auto_rows > SHORT_ROWS || !has_values(result.profile));
        file_add("out.csv", out);
        file_add("bad.csv", out);
    }
    mill_run_close(r);
    mill_close(m);
}

static void check_program(uint64_t n)
{
    Buf program = {0}, with = {0}, without = {0};
    put_program(&program);
    file_put("p.pipe", &program);
    outcome(2 * N_ROWS, &with);
    outcome(SHORT_ROWS, &without);
    bool same = str_eq(buf_str(&with), buf_str(&without));
    CHECK(same);
    if (!same)
        printf("program %llu:\n%s\nwith codes:\n%.2000s\nwithout:\n%.2000s\n", (unsigned long long)n, program.ptr,
               with.ptr ? with.ptr : "", without.ptr ? without.ptr : "");
    buf_deinit(&program);
    buf_deinit(&with);
    buf_deinit(&without);
}

int main(int argc, char **argv)
{
    char memory[] = "/dev/shm/codes-XXXXXX", disk[] = "/tmp/codes-XXXXXX";
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? first : N_PROGRAMS;
    const char *dir = mkdtemp(memory) ? memory : mkdtemp(disk);
    if (!dir || chdir(dir) != 0)
        return perror("codes_test"), 1;
    for (uint64_t n = 1; n <= N_COLUMNS; n++) {
        seed = n;
        check_column();
    }
    check_different();
    check_alike();
    CHECK(n_wrong == 0);
    for (uint64_t n = first; n <= last; n++) {
        Buf rows = {0};
        seed = n * UINT64_C(0x9e3779b97f4a7c15);
        put_rows(&rows);
        file_put("in.csv", &rows);
        buf_deinit(&rows);
        check_program(n);
    }
    if (argc == 1) /* or they would show little */
        CHECK(n_done > N_PROGRAMS * 2 / 3 && n_coded > N_PROGRAMS * 2 / 3);
    remove("in.csv");
    remove("out.csv");
    remove("bad.csv");
    remove("p.pipe");
    if (chdir("/") != 0 || rmdir(dir) != 0)
        perror(dir);
    UNIT_END("codes");
}
