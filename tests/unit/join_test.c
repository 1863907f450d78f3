/* Joins of random tables, as programs, held against a nested loop over the cells. */
#include "api/pipemill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

enum { MAX_ROWS = 60 };

static uint64_t seed = 7;
static uint32_t next(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* A row of either table: cells as they stand in the file. */
typedef struct Row {
    char k[8], s[16], f[8], n[8]; /* int, string, float, int: a number of its own */
} Row;

typedef struct Table {
    uint32_t n;
    Row rows[MAX_ROWS];
} Table;

/* s is written with quotes or without: the cell differs, its value does not. */
static void fill(Table *t, uint32_t n)
{
    static const char *const words[] = {"a", "b", "\"a\"", "\"c,d\"", "E", "e", "\"e\"", ""};
    static const char *const floats[] = {"1.0", "2", "2.5", "3.0", ""};
    t->n = n;
    for (uint32_t i = 0; i < n; i++) {
        Row *r = &t->rows[i];
        r->k[0] = next(8) ? (char)('0' + next(6)) : '\0';
        r->k[1] = '\0';
        snprintf(r->s, sizeof r->s, "%s", words[next(8)]);
        snprintf(r->f, sizeof r->f, "%s", floats[next(5)]);
        snprintf(r->n, sizeof r->n, "%u", i);
    }
}

/* ---- what the condition means: three-valued, -1 is null ---- */

static int both(int a, int b) { return a == 0 || b == 0 ? 0 : a < 0 || b < 0 ? -1 : 1; }
static int either(int a, int b) { return a == 1 || b == 1 ? 1 : a < 0 || b < 0 ? -1 : 0; }

static int same_number(const char *a, const char *b)
{
    return *a && *b ? atof(a) == atof(b) : -1;
}

static void text_of(const char *cell, char *out, bool is_lower)
{
    for (; *cell; cell++)
        if (*cell != '"')
            *out++ = (char)(is_lower && *cell >= 'A' && *cell <= 'Z' ? *cell + 32 : *cell);
    *out = '\0';
}

static int same_text(const char *a, const char *b, bool is_lower)
{
    char x[16], y[16];
    if (!*a || !*b)
        return -1;
    text_of(a, x, is_lower);
    text_of(b, y, false);
    return strcmp(x, y) == 0;
}

static int k_k(const Row *l, const Row *r) { return same_number(l->k, r->k); }
static int s_s(const Row *l, const Row *r) { return same_text(l->s, r->s, false); }
static int k_f(const Row *l, const Row *r) { return same_number(l->k, r->f); }
static int k_s(const Row *l, const Row *r) { return both(k_k(l, r), s_s(l, r)); }
static int k_less(const Row *l, const Row *r) { return both(k_k(l, r), atoi(l->n) < atoi(r->n)); }
static int rest_only(const Row *l, const Row *r) { return atoi(l->n) % 5 > atoi(r->n) % 7; }
static int k_or_s(const Row *l, const Row *r) { return either(k_k(l, r), s_s(l, r)); }
static int lower_k(const Row *l, const Row *r)
{
    return both(same_text(l->s, r->s, true), k_k(l, r));
}
static int always(const Row *l, const Row *r) { return l && r; }
static int is_null_or(const Row *l, const Row *r)
{
    return both(k_k(l, r), either(!*r->f, both(1, *l->f && *r->f ? atof(l->f) < atof(r->f) : -1)));
}

typedef struct Case {
    const char *condition;
    int (*means)(const Row *l, const Row *r);
    const char *equated; /* columns of t that are left out */
} Case;

static const Case cases[] = {
    {"k == t.k", k_k, "k"},
    {"t.s == s", s_s, "s"},
    {"k == t.f", k_f, "f"},
    {"k == t.k and s == t.s", k_s, "ks"},
    {"k == t.k and n < t.n", k_less, "k"},
    {"n < t.n and t.k == k", k_less, "k"},
    {"n % 5 > t.n % 7", rest_only, ""},
    {"k == t.k or s == t.s", k_or_s, ""},
    {"lower(s) == t.s and k + 1 == t.k + 1", lower_k, ""},
    {"true", always, ""},
    {"k == t.k and (t.f is null or f < t.f)", is_null_or, "k"},
};
static const char *const kinds[] = {"join", "left join", "semi join", "anti join"};

/* ---- the oracle ---- */

static void put_row(Buf *out, const Row *r, const char *but, bool is_left)
{
    const char *const cells[] = {r ? r->k : "", r ? r->s : "", r ? r->f : "", r ? r->n : ""};
    for (int c = 0; c < 4; c++)
        if (!strchr(but, "ksfn"[c]))
            buf_printf(out, "%s%s", is_left && c == 0 ? "" : ",", cells[c]);
}

static void expect(Buf *out, const Table *l, const Table *t, const Case *c, int kind)
{
    bool has_right = kind < 2;
    buf_puts(out, "k,s,f,n");
    for (int i = 0; has_right && i < 4; i++)
        if (!strchr(c->equated, "ksfn"[i]))
            buf_printf(out, ",%c_2", "ksfn"[i]);
    buf_puts(out, "\n");
    for (uint32_t i = 0; i < l->n; i++) {
        bool is_matched = false;
        for (uint32_t j = 0; j < t->n; j++) {
            if (c->means(&l->rows[i], &t->rows[j]) != 1)
                continue;
            is_matched = true;
            if (!has_right)
                continue;
            put_row(out, &l->rows[i], "", true);
            put_row(out, &t->rows[j], c->equated, false);
            buf_puts(out, "\n");
        }
        if (kind == 1 ? is_matched : kind == 0 || is_matched != (kind == 2))
            continue;
        put_row(out, &l->rows[i], "", true);
        if (kind == 1)
            put_row(out, NULL, c->equated, false);
        buf_puts(out, "\n");
    }
}

/* ---- the program ---- */

static void write_file(const char *path, Str text)
{
    FILE *f = fopen(path, "w");
    CHECK(f && fwrite(text.ptr, 1, text.len, f) == text.len);
    if (f)
        fclose(f);
}

static void write_table(const char *path, const Table *t)
{
    Buf b = {0};
    buf_puts(&b, "k,s,f,n\n");
    for (uint32_t i = 0; i < t->n; i++) {
        put_row(&b, &t->rows[i], "", true);
        buf_puts(&b, "\n");
    }
    write_file(path, buf_str(&b));
    buf_deinit(&b);
}

static void read_file(const char *path, Buf *out)
{
    FILE *f = fopen(path, "r");
    char some[4096];
    size_t n;
    while (f && (n = fread(some, 1, sizeof some, f)) > 0)
        buf_put(out, some, n);
    if (f)
        fclose(f);
}

static void run(const char *program, uint32_t workers, uint64_t auto_rows)
{
    const MillOptions options = {0};
    const MillRunOptions run_options = {.n_workers = workers, .seed = 1, .auto_rows = auto_rows};
    Mill *m = mill_open(&options);
    MillRun *r = NULL;
    Error err = {0};
    write_file("join.pipe", str_of(program));
    CHECK(mill_load(m, "join.pipe", &err) == OK);
    bool is_sound = mill_plan(m, 0);
    CHECK(is_sound);
    if (is_sound && mill_run_open(m, 0, &run_options, &r, &err) == OK) {
        MillResult result;
        mill_run_go(r, &result);
        CHECK(result.state == RUN_DONE);
    } else {
        fprintf(stderr, "%s\n%s\n", program, err.text);
    }
    mill_run_close(r);
    mill_close(m);
}

#define SCHEMA "schema s { k: int, s: string, f: float, n: int }\n"

static void check_join(const Case *c, int kind, bool is_mapped, Str want)
{
    Buf program = {0}, got = {0};
    buf_puts(&program, SCHEMA "job j {\n  let t = read csv \"t.csv\" as s\n  read csv \"l.csv\" as s");
    buf_printf(&program, is_mapped ? " batch 7 | map { %s t on %s } | collect" : " | %s t on %s",
               kinds[kind], c->condition);
    buf_puts(&program, " | write csv \"out.csv\"\n}\n");
    run(program.ptr, is_mapped ? 4 : 1, next(2) ? 3 : 0);
    read_file("out.csv", &got);
    bool is_same = str_eq(buf_str(&got), want);
    CHECK(is_same);
    if (!is_same)
        fprintf(stderr, "%s\nwanted:\n%.*s\ngot:\n%.*s\n", program.ptr, STR_ARG(want), (int)got.len,
                got.ptr);
    buf_deinit(&program);
    buf_deinit(&got);
}

static void test_round(uint32_t n_left, uint32_t n_right)
{
    static Table l, t;
    fill(&l, n_left);
    fill(&t, n_right);
    write_table("l.csv", &l);
    write_table("t.csv", &t);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int kind = 0; kind < 4; kind++) {
            Buf want = {0};
            expect(&want, &l, &t, &cases[i], kind);
            check_join(&cases[i], kind, false, buf_str(&want));
            check_join(&cases[i], kind, true, buf_str(&want));
            buf_deinit(&want);
        }
}

int main(void)
{
    char folder[] = "/tmp/join_test.XXXXXX";
    CHECK(mkdtemp(folder) && chdir(folder) == 0);
    test_round(40, 25);
    test_round(7, MAX_ROWS);
    test_round(MAX_ROWS, 1);
    test_round(0, 5);
    test_round(5, 0);
    const char *const files[] = {"l.csv", "t.csv", "out.csv", "join.pipe"};
    for (int i = 0; i < 4; i++)
        unlink(files[i]);
    CHECK(chdir("/") == 0 && rmdir(folder) == 0);
    UNIT_END("join");
}
