/* Random programs: every one is valid, keeps its tree and its comments when it is formatted, has a verified bytecode, and
 * gives the same bytes with one thread and with two, in batches of 1 row, of 7, and of what pipemill chooses. A failure prints the program; `programs_test FIRST LAST` runs those
 * of these numbers, `programs_test N` prints one.
 *
 * A program is made top down: a job of one of a few shapes, ops for it, statements for an op, expressions for a
 * statement. `Table` is what the generator knows of a table: names and types of its columns, so that
 * only what types can be written. Left out is what may differ by design: float sums (their last bits depend on the batch size),
 * and steps that look at a whole batch where the size is open. */
#include "api/pipemill.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/diag_text.h"
#include "formatted.h"
#include "unit.h"

enum { N_PROGRAMS = 1000, MAX_COLUMNS = 12, MAX_NAME = 16, MAX_DEPTH = 3, N_RUNS = 6 };

static uint64_t seed;
static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* ---- tables ---- */

typedef enum Kind { BOOL, INT, FLOAT, STRING, DATE, TIMESTAMP, DURATION, N_KINDS } Kind;

typedef struct Column {
    char name[MAX_NAME];
    Kind kind;
} Column;

typedef struct Table {
    Column cols[MAX_COLUMNS];
    uint32_t n;
} Table;

static const Table INPUT = {{{"id", INT}, {"b", BOOL}, {"i", INT}, {"j", INT}, {"f", FLOAT}, {"s", STRING}, {"name", STRING},
                             {"d", DATE}, {"t", TIMESTAMP}}, 9};
static const Table LOOKUP = {{{"i", INT}, {"label", STRING}, {"weight", FLOAT}, {"s", STRING}}, 4};
static const char SCHEMAS[] =
    "schema rows { id: int, b: bool, i: int, j: int, f: float, s: string, name: string, d: date, t: timestamp }\n"
    "schema lookup { i: int, label: string, weight: float, s: string }\n";
static const char ROWS[] = "id,b,i,j,f,s,name,d,t\n"
                           "1,true,1,10,0.5,a,Abra,2026-01-02,2026-01-02T03:04:05Z\n"
                           "2,FALSE,2,007,1.50,b,\"Mr. Mime\",2024-02-29,2024-02-29T23:59:59.5Z\n"
                           "3,,3,,2.25,,\"a,b\",,\n"
                           "4,true,,-4,,\"\",\"say \"\"hi\"\"\",1969-12-31,1969-12-31 00:00:00\n"
                           "5,false,1,5,-0.0,ab,,2000-01-01,2000-01-01T12:00:00+02:00\n"
                           "6,True,2,6,1e3,bc,x y,2026-01-02,2026-01-02T03:04:05Z\n"
                           "7,false,-3,70,0.25,b,Flab\xc3\xa9" "b\xc3\xa9,2026-11-25,2026-11-25T20:24:13Z\n"
                           "8,,1,8,0.5,a,,,\n"
                           "9,true,2,9,nan,c,\"two\nlines\",2024-02-29,2024-03-01T00:00:00Z\n"
                           "10,false,,10,-7.75,,zz,1999-12-31,1999-12-31T23:59:59.999999Z\n"
                           "11,true,0,0,100.0,abc,b,2026-01-03,2026-01-03T00:00:00Z\n"
                           "12,true,5,-12,3.125,a b c,B,2025-06-15,2025-06-15T06:07:08Z\n"
                           "13,false,5,1000,0.5,b,b,2025-06-15,2025-06-15T06:07:08Z\n";
static const char LOOKUP_ROWS[] = "i,label,weight,s\n1,one,0.5,a\n2,two,2.5,b\n2,zwei,2.25,\n5,five,,ab\n,none,9.0,c\n9,nine,1.0,bc\n";

/* A column of the kind; NULL if there is none. */
static const Column *column_of(const Table *t, Kind kind)
{
    uint32_t start = below(t->n);
    for (uint32_t k = 0; k < t->n; k++)
        if (t->cols[(start + k) % t->n].kind == kind)
            return &t->cols[(start + k) % t->n];
    return NULL;
}

static bool table_has(const Table *t, const char *name)
{
    for (uint32_t k = 0; k < t->n; k++)
        if (strcmp(t->cols[k].name, name) == 0)
            return true;
    return false;
}

static void table_add(Table *t, const char *name, Kind kind)
{
    for (uint32_t k = 0; k < t->n; k++)
        if (strcmp(t->cols[k].name, name) == 0) {
            t->cols[k].kind = kind;
            return;
        }
    snprintf(t->cols[t->n].name, MAX_NAME, "%s", name);
    t->cols[t->n++].kind = kind;
}

/* A name that t does not have: stem and a number. */
static void numbered_name(const Table *t, const char *stem, char name[MAX_NAME])
{
    uint32_t k = 0;
    do
        snprintf(name, MAX_NAME, "%s%u", stem, k++);
    while (table_has(t, name));
}

static void fresh_name(const Table *t, char name[MAX_NAME])
{
    static const char *const WORDS[] = {"n", "total", "range", "batch", "desc", "table", "x_1", "\xc3\xa9t\xc3\xa9", "`a b`", "`1st`"};
    snprintf(name, MAX_NAME, "%s", WORDS[below(10)]);
    if (table_has(t, name))
        numbered_name(t, "v", name);
}

/* ---- expressions ----
 * A template has a slot `$` for each operand: a letter for the kind, and how tightly what stands there must
 * bind; anything looser gets brackets. 0 `if`, 1 or, 2 and, 3 not, 4 comparison, 5 ??, 6 + -, 7 * /, 8 unary -, 9 **, 10 the rest. */

typedef struct Template {
    Kind kind;
    char level; /* '0' to '9', ':' for 10 */
    const char *text;
} Template;

static const Template TEMPLATES[] = {
    {BOOL, '2', "$b2 and $b3"}, {BOOL, '1', "$b1 or $b2"}, {BOOL, '3', "not $b3"}, {BOOL, '4', "$i5 == $i5"}, {BOOL, '4', "$i5 < $f5"},
    {BOOL, '4', "$f5 >= $f5"}, {BOOL, '4', "$s5 != $s5"}, {BOOL, '4', "$s5 <= $s5"}, {BOOL, '4', "$d5 < $d5"}, {BOOL, '4', "$t5 >= $t5"},
    {BOOL, '4', "$i5 in [1, 2, 3]"}, {BOOL, '4', "$s5 not in [\"a\", \"b\", \"\"]"}, {BOOL, '4', "$i5 between $i5 and $i5"},
    {BOOL, '4', "$f5 not between -1.5 and $f5"}, {BOOL, '4', "$s5 is null"}, {BOOL, '4', "$i5 is not null"}, {BOOL, ':', "contains($s0, $s0)"},
    {BOOL, ':', "starts_with($s0, \"a\")"}, {BOOL, ':', "ends_with($s0, $s0)"}, {BOOL, ':', "matches($s0, '^[a-c]+$')"},
    {BOOL, '4', "$o5 > 1h30m"}, {BOOL, ':', "positive($i0)"},
    {INT, '6', "$i6 + $i7"}, {INT, '6', "$i6 - $i7"}, {INT, '7', "$i7 * 3"}, {INT, '7', "$i7 // 4"}, {INT, '7', "$i7 % 5"}, {INT, '8', "-$i8"},
    {INT, ':', "length($s0)"}, {INT, ':', "abs($i0)"}, {INT, ':', "min($i0, $i0)"}, {INT, ':', "max($i0, $i0, 2)"}, {INT, ':', "clamp($i0, -5, 5)"},
    {INT, ':', "round($i0, -1)"}, {INT, ':', "year($d0)"}, {INT, ':', "weekday($d0)"}, {INT, ':', "hour($t0)"}, {INT, ':', "month($t0)"},
    {INT, ':', "int($b0)"}, {INT, '7', "hash($s0, $i0) % 100"}, {INT, ':', "floor($i0)"}, {INT, ':', "twice($i0)"}, {INT, ':', "twice(x: $i0)"},
    {FLOAT, '6', "$f6 + $f7"}, {FLOAT, '6', "$f6 - $i7"}, {FLOAT, '7', "$f7 * 0.5"}, {FLOAT, '7', "$i7 / 2"}, {FLOAT, '7', "$f7 / 4.0"},
    {FLOAT, '9', "$f: ** 2"}, {FLOAT, '8', "-$f8"}, {FLOAT, ':', "float($i0)"}, {FLOAT, ':', "round($f0, 1)"}, {FLOAT, ':', "ceil($f0)"},
    {FLOAT, ':', "sqrt(abs($f0))"}, {FLOAT, ':', "max($f0, $i0)"}, {FLOAT, ':', "share($f0, 8.0)"},
    {STRING, '6', "$s6 + $s7"}, {STRING, ':', "upper($s0)"}, {STRING, ':', "lower($s0)"}, {STRING, ':', "trim($s0)"},
    {STRING, ':', "replace($s0, \"a\", $s0)"}, {STRING, ':', "substring($s0, 1, 2)"}, {STRING, ':', "substring($s0, -2)"},
    {STRING, ':', "split_part($s0, \"b\", 1)"}, {STRING, ':', "concat($s0, \"/\", $i0)"}, {STRING, ':', "\"<{$i0}|{$s0}>\""},
    {STRING, ':', "\"{$b0} {{}\""}, {STRING, ':', "pad_left($s0, 5, \"*\")"}, {STRING, ':', "format('{}-{:>4}', $i0, $s0)"},
    {STRING, ':', "string($f0)"}, {STRING, ':', "string($d0)"}, {STRING, ':', "extract($s0, '[a-z]')"}, {STRING, ':', "format_time($t0, \"%Y-%m\")"},
    {STRING, ':', "string($o0)"},
    {DATE, ':', "date($t0)"}, {DATE, '6', "$d6 + 1d"}, {DATE, '6', "$d6 - 30d"}, {DATE, ':', "min($d0, $d0)"},
    {TIMESTAMP, ':', "timestamp($d0)"}, {TIMESTAMP, '6', "$t6 + 90m"}, {TIMESTAMP, '6', "$t6 - 1.5s"},
    {DURATION, '6', "$d6 - $d7"}, {DURATION, '6', "$t6 - $t7"}, {DURATION, '6', "$o6 + 2h"}, {DURATION, ':', "abs($o0)"},
};
/* Of every kind: `$$` is the kind itself. */
static const Template GENERAL[] = {
    {N_KINDS, '0', "if $b1 then $$1 else $$0"}, {N_KINDS, '5', "$$5 ?? $$6"}, {N_KINDS, ':', "coalesce($$0, $$0)"}, {N_KINDS, ':', "($$0)"},
};
static const char LETTERS[] = "bifsdto"; /* by Kind */

static const char *const LITERALS[N_KINDS][4] = {
    {"true", "false", "yes", "true"}, {"0", "1", "12", "1_000"}, {"0.5", "2.0", "1e-3", "100.25"}, {"\"\"", "\"a\"", "'b{'", "word"},
    {"date(\"2026-01-02\")", "date(\"1999-12-31\")", "day", "date(\"2000-02-29\")"},
    {"timestamp(\"2026-01-02T03:04:05Z\")", "timestamp(\"1970-01-01T00:00:00Z\")", "timestamp(\"2001-01-01T00:00:00.25Z\")", "timestamp(day)"},
    {"250ms", "1.5h", "0s", "1d"},
};
/* What the words among the literals are. */
static const char CONSTANTS[] = "param yes: bool = true\nlet word = \"w\"\nparam day: date = date(\"2026-02-03\")\n"
                                "fn twice(x: int) -> int = x * 2\nfn positive(x: int) -> bool = x > 0\n"
                                "fn share(x: float, of: float) -> float = x / of\n";

static void expr(Buf *out, const Table *t, Kind kind, uint32_t depth, char min_level);

static void leaf(Buf *out, const Table *t, Kind kind)
{
    const Column *c = below(4) ? column_of(t, kind) : NULL;
    buf_puts(out, c ? c->name : LITERALS[kind][below(4)]);
}

static void fill(Buf *out, const Table *t, const Template *form, Kind kind, uint32_t depth)
{
    for (const char *p = form->text; *p; p++) {
        if (*p != '$' || !(p[1] == '$' || strchr(LETTERS, p[1]))) {
            buf_putc(out, *p);
            continue;
        }
        Kind slot = p[1] == '$' ? kind : (Kind)(strchr(LETTERS, p[1]) - LETTERS);
        expr(out, t, slot, depth, p[2]);
        p += 2;
    }
}

static void expr(Buf *out, const Table *t, Kind kind, uint32_t depth, char min_level)
{
    if (depth == 0 || below(5) == 0) {
        leaf(out, t, kind);
        return;
    }
    const Template *form = &GENERAL[below(4)];
    if (below(6))
        for (form = &TEMPLATES[below(sizeof TEMPLATES / sizeof *TEMPLATES)]; form->kind != kind;)
            form = &TEMPLATES[below(sizeof TEMPLATES / sizeof *TEMPLATES)];
    bool brackets = form->level < min_level;
    buf_puts(out, brackets ? "(" : "");
    fill(out, t, form, kind, depth - 1);
    buf_puts(out, brackets ? ")" : "");
}

static void value(Buf *out, const Table *t, Kind kind)
{
    expr(out, t, kind, 1 + below(MAX_DEPTH), '0');
}

/* ---- statements ---- */

static void define(Buf *out, Table *t)
{
    char name[MAX_NAME];
    Kind kind = (Kind)below(N_KINDS);
    if (below(3) == 0 || t->n == MAX_COLUMNS)
        snprintf(name, sizeof name, "%s", t->cols[below(t->n)].name);
    else
        fresh_name(t, name);
    buf_printf(out, "%s = ", name);
    value(out, t, kind);
    table_add(t, name, kind);
}

/* Some columns, in some order, and what is computed of t. */
static void select_put(Buf *out, Table *t)
{
    Table kept = {.n = 0};
    uint32_t n = 1 + below(t->n), start = below(t->n);
    buf_puts(out, "select ");
    for (uint32_t k = 0; k < n; k++) {
        const Column *c = &t->cols[(start + k) % t->n];
        buf_printf(out, "%s%s", k ? ", " : "", c->name);
        table_add(&kept, c->name, c->kind);
    }
    if (kept.n < MAX_COLUMNS && below(2)) {
        char name[MAX_NAME];
        Kind kind = (Kind)below(N_KINDS);
        fresh_name(t, name);
        buf_printf(out, ", %s = ", name);
        value(out, t, kind);
        table_add(&kept, name, kind);
    }
    *t = kept;
}

static void drop_put(Buf *out, Table *t)
{
    uint32_t k = below(t->n);
    buf_printf(out, "drop %s", t->cols[k].name);
    memmove(&t->cols[k], &t->cols[k + 1], (t->n - k - 1) * sizeof *t->cols);
    t->n--;
}

static void rename_put(Buf *out, Table *t)
{
    char name[MAX_NAME];
    Column *c = &t->cols[below(t->n)];
    fresh_name(t, name);
    buf_printf(out, "rename %s -> %s", c->name, name);
    snprintf(c->name, sizeof c->name, "%s", name);
}

static void by_row_put(Buf *out, Table *t)
{
    switch (below(t->n > 2 ? 6 : 4)) {
    case 0:
        buf_puts(out, "where ");
        value(out, t, BOOL);
        break;
    case 1:
    case 2:
        buf_puts(out, "derive ");
        define(out, t);
        if (below(3) == 0) {
            buf_puts(out, below(2) ? ", " : ",\n    ");
            define(out, t);
        }
        break;
    case 3: rename_put(out, t); break;
    case 4: drop_put(out, t); break;
    default: select_put(out, t);
    }
}

static void keys_put(Buf *out, const Table *t)
{
    uint32_t n = 1 + below(2), start = below(t->n);
    for (uint32_t k = 0; k < n && k < t->n; k++)
        buf_printf(out, "%s%s%s", k ? ", " : "", t->cols[(start + k) % t->n].name, below(2) ? " desc" : "");
}

/* Aggregates whose result does not depend on how the rows are cut. */
static void aggregates_put(Buf *out, Table *made, const Table *t)
{
    static const struct {
        Kind of, kind;
        const char *text;
    } AGGS[] = {{N_KINDS, INT, "count()"}, {STRING, INT, "count($)"}, {INT, INT, "sum($)"}, {INT, FLOAT, "mean($)"}, {FLOAT, FLOAT, "min($)"},
                {DATE, DATE, "max($)"}, {STRING, STRING, "min($)"}, {TIMESTAMP, TIMESTAMP, "max($)"}, {INT, FLOAT, "median($)"}, {STRING, STRING, "first($)"},
                {FLOAT, FLOAT, "last($)"}, {BOOL, BOOL, "any($)"}, {BOOL, BOOL, "all($)"}, {STRING, INT, "count_distinct($)"},
                {STRING, STRING, "string_agg($, \"+\")"}, {INT, INT, "arg_max($, 0 - $)"}, {INT, INT, "max($) - min($)"}};
    uint32_t n = 1 + below(3);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t a = below(sizeof AGGS / sizeof *AGGS);
        char name[MAX_NAME];
        numbered_name(made, "agg", name);
        buf_printf(out, "%s%s = ", k ? (below(2) ? ", " : "\n    ") : "", name);
        for (const char *p = AGGS[a].text; *p; p++)
            if (*p == '$')
                expr(out, t, AGGS[a].of, 1, ':');
            else
                buf_putc(out, *p);
        table_add(made, name, AGGS[a].kind);
    }
}

static void group_put(Buf *out, Table *t)
{
    Table made = {.n = 0};
    if (below(4) == 0) {
        buf_puts(out, "aggregate {\n    ");
    } else {
        const Column *c = &t->cols[below(t->n)];
        buf_printf(out, "group by %s", c->name);
        table_add(&made, c->name, c->kind);
        if (below(3) == 0) {
            char name[MAX_NAME];
            numbered_name(&made, "key", name);
            buf_printf(out, ", %s = ", name);
            value(out, t, INT);
            table_add(&made, name, INT);
        }
        buf_puts(out, " {\n    ");
    }
    aggregates_put(out, &made, t);
    buf_puts(out, "\n  }");
    *t = made;
}

/* A statement that looks at the whole table. */
static void of_table_put(Buf *out, Table *t)
{
    switch (below(7)) {
    case 0:
        buf_puts(out, "sort by ");
        keys_put(out, t);
        break;
    case 1: buf_printf(out, "take %u", below(9)); break;
    case 2: buf_printf(out, "skip %u", below(5)); break;
    case 3:
        buf_printf(out, "top %u by ", 1 + below(6));
        keys_put(out, t);
        break;
    case 4: buf_puts(out, "distinct"); break;
    case 5: buf_printf(out, "distinct %s", t->cols[below(t->n)].name); break;
    default: group_put(out, t);
    }
}

static void statement_end(Buf *out)
{
    static const char *const ENDS[] = {"\n  ", "\n  ", "\n\n  ", "; ", "  # a comment\n  ", "\n  # a comment of its own\n  "};
    buf_puts(out, ENDS[below(6)]);
}

static void body_put(Buf *out, Table *t, bool by_row)
{
    uint32_t n = 1 + below(4);
    for (uint32_t k = 0; k < n; k++) {
        if (k)
            statement_end(out);
        if (by_row || below(2))
            by_row_put(out, t);
        else
            of_table_put(out, t);
    }
}

/* ---- ops and jobs ---- */

typedef struct Program {
    Buf ops, job;
    uint32_t n_ops;
} Program;

/* A stage's op: a named one, or a body in braces. */
static void op_put(Program *p, Table *t, bool by_row)
{
    if (below(2)) {
        buf_printf(&p->ops, "op step_%u {\n  ", p->n_ops);
        body_put(&p->ops, t, by_row);
        buf_puts(&p->ops, "\n}\n");
        buf_printf(&p->job, "step_%u", p->n_ops++);
        return;
    }
    buf_puts(&p->job, "{ ");
    body_put(&p->job, t, by_row);
    buf_puts(&p->job, "\n  }");
}

static void join_put(Program *p, Table *t, bool is_dynamic)
{
    static const char *const KINDS[] = {"join", "left join", "semi join", "anti join"};
    uint32_t kind = below(4);
    const Column *on = column_of(t, INT);
    bool by_text = !on || below(4) == 0;
    if (by_text)
        on = column_of(t, STRING);
    if (!on || t->n + LOOKUP.n > MAX_COLUMNS)
        return;
    const char *theirs = by_text ? "s" : "i";
    buf_printf(&p->ops, "op step_%u(other: table) {\n  %s other on %s == other.%s\n}\n", p->n_ops, KINDS[kind], on->name, theirs);
    buf_printf(&p->job, " | %sstep_%u(lookup_table)", is_dynamic ? "map " : "", p->n_ops++);
    for (uint32_t k = 0; kind < 2 && k < LOOKUP.n; k++) {
        char name[MAX_NAME];
        if (strcmp(LOOKUP.cols[k].name, theirs) == 0)
            continue;
        snprintf(name, sizeof name, "%s%s", LOOKUP.cols[k].name, table_has(t, LOOKUP.cols[k].name) ? "_2" : "");
        table_add(t, name, LOOKUP.cols[k].kind);
    }
}

static void maps_put(Program *p, Table *t, bool by_row)
{
    for (uint32_t n = 1 + below(2); n > 0; n--) {
        buf_puts(&p->job, below(2) ? " | map " : "\n    | map ");
        op_put(p, t, by_row);
    }
}

static void job_put(Program *p)
{
    Table t = INPUT;
    uint32_t shape = below(6);
    bool is_fixed = shape == 3, has_lookup = below(2);
    if (has_lookup)
        buf_puts(&p->job, "  let lookup_table = read csv \"lookup.csv\" as lookup\n");
    buf_puts(&p->job, "  read csv \"in.csv\" as rows");
    if (shape == 0) { /* static */
        for (uint32_t n = 1 + below(3); n > 0; n--) {
            if (has_lookup && below(2))
                join_put(p, &t, false), has_lookup = false;
            buf_puts(&p->job, " | ");
            op_put(p, &t, false);
        }
        buf_puts(&p->job, " | write csv \"out.csv\"\n");
        return;
    }
    if (is_fixed)
        buf_printf(&p->job, " batch %u", 1 + below(6));
    else
        buf_puts(&p->job, " batch auto");
    maps_put(p, &t, !is_fixed);
    if (has_lookup)
        join_put(p, &t, true);
    if (shape == 1) {
        buf_puts(&p->job, " | map write csv \"out.csv\"\n");
        return;
    }
    if (shape == 5) { /* a fan-out by value, from all rows */
        buf_printf(&p->job, " | collect { split by %s }", t.cols[below(t.n)].name);
        maps_put(p, &t, false);
    }
    buf_puts(&p->job, " | collect ");
    if (below(4))
        op_put(p, &t, false);
    else
        buf_puts(&p->job, "\n");
    buf_puts(&p->job, " | write csv \"out.csv\"\n");
}

static void program_put(Buf *out)
{
    Program p = {0};
    job_put(&p);
    buf_printf(out, "%s%s%sjob main {\n%s}\n", SCHEMAS, CONSTANTS, p.ops.ptr ? p.ops.ptr : "", p.job.ptr);
    buf_deinit(&p.ops);
    buf_deinit(&p.job);
}

/* ---- runs ---- */

static uint32_t n_done, n_rows;

static void file_put(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
}

static char *file_get(const char *path)
{
    char part[4096];
    Buf text = {0};
    FILE *f = fopen(path, "rb");
    for (size_t n; f && (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_put(&text, part, n);
    if (f)
        fclose(f);
    return text.ptr ? text.ptr : xstrndup("", 0);
}

static Mill *load(void)
{
    Error err = {0};
    Mill *m = mill_open(&(MillOptions){.has_now = true});
    bool ok = mill_load(m, "p.pipe", &err) == OK && mill_plan(m, 0);
    if (!ok) {
        Buf why = {0};
        diags_put_human(&why, mill_diags(m), mill_sources(m), false);
        printf("%s\n", why.ptr ? why.ptr : "it does not load");
        buf_deinit(&why);
        mill_close(m);
        return NULL;
    }
    return m;
}

/* What a run says: its state, and what it wrote or why not. */
static char *outcome(Mill *m, uint32_t n_workers, uint64_t auto_rows)
{
    const MillRunOptions options = {.n_workers = n_workers, .auto_rows = auto_rows, .seed = 1};
    MillRun *r = NULL;
    MillResult result = {.state = RUN_FAILED};
    Error err = {0};
    Buf out = {0};
    remove("out.csv");
    if (mill_run_open(m, 0, &options, &r, &err) != OK) {
        buf_printf(&out, "not opened: %s", err.text);
        return out.ptr;
    }
    mill_run_go(r, &result);
    if (result.state == RUN_DONE) {
        char *text = file_get("out.csv");
        buf_puts(&out, text);
        free(text);
        n_done++;
        n_rows += (uint32_t)result.rows_out;
    } else {
        buf_puts(&out, access("out.csv", F_OK) == 0 ? "failed, and left its output" : "failed");
    }
    mill_run_close(r);
    return out.ptr ? out.ptr : xstrndup("", 0);
}

static bool program_holds(void)
{
    static const struct {
        uint32_t n_workers;
        uint64_t auto_rows;
    } RUNS[N_RUNS] = {{1, 0}, {2, 0}, {1, 1}, {2, 1}, {1, 7}, {2, 7}};
    char *first = NULL;
    bool same = true;
    for (uint32_t k = 0; k < N_RUNS && same; k++) {
        Mill *m = load();
        if (!m)
            return free(first), false;
        char *got = outcome(m, RUNS[k].n_workers, RUNS[k].auto_rows);
        mill_close(m);
        if (first && strcmp(first, got) != 0) {
            same = false;
            printf("with %u threads, batches of %u:\n%s\ninstead of\n%s\n", RUNS[k].n_workers, (uint32_t)RUNS[k].auto_rows, got, first);
        }
        if (first)
            free(got);
        else
            first = got;
    }
    free(first);
    return same;
}

static void program_of(uint64_t n, Buf *out)
{
    seed = n * UINT64_C(0x9e3779b97f4a7c15);
    program_put(out);
}

int main(int argc, char **argv)
{
    char memory[] = "/dev/shm/programs-XXXXXX", disk[] = "/tmp/programs-XXXXXX"; /* where fsync costs little */
    uint64_t first = 1, last = N_PROGRAMS;
    if (argc == 2) {
        Buf program = {0};
        program_of(strtoull(argv[1], NULL, 10), &program);
        fputs(program.ptr, stdout);
        buf_deinit(&program);
        return 0;
    }
    if (argc == 3) {
        first = strtoull(argv[1], NULL, 10);
        last = strtoull(argv[2], NULL, 10);
    }
    const char *dir = mkdtemp(memory) ? memory : mkdtemp(disk);
    if (!dir || chdir(dir) != 0)
        return perror("programs_test"), 1;
    file_put("in.csv", ROWS, sizeof ROWS - 1);
    file_put("lookup.csv", LOOKUP_ROWS, sizeof LOOKUP_ROWS - 1);
    for (uint64_t n = first; n <= last; n++) {
        Buf program = {0};
        program_of(n, &program);
        file_put("p.pipe", program.ptr, program.len);
        bool ok = program_holds() && formatted_holds("p.pipe", buf_str(&program), NULL);
        CHECK(ok);
        if (!ok)
            printf("program %llu:\n%s", (unsigned long long)n, program.ptr);
        buf_deinit(&program);
    }
    if (argc != 3) /* or they would show little */
        CHECK(n_done > N_PROGRAMS * N_RUNS * 9 / 10 && n_rows > N_PROGRAMS * N_RUNS);
    remove("in.csv");
    remove("lookup.csv");
    remove("out.csv");
    remove("p.pipe");
    if (chdir("/") != 0 || rmdir(dir) != 0)
        perror(dir);
    UNIT_END("programs");
}
