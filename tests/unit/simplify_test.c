/* Random expressions with literals, and the same with columns that hold those values in every row, which
 * nothing can be known of beforehand: both give the same rows, and fail in the same. A failure prints the program;
 * `simplify_test FIRST LAST` runs those of these numbers. */
#include "api/pipemill.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/diag_text.h"
#include "unit.h"

enum { N_PROGRAMS = 4000, N_ROWS = 8, MAX_DEPTH = 4 };

static uint64_t seed;
static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* ---- literals, and the columns that hold the same ---- */

typedef struct Literal {
    const char *text, *column, *cell;
} Literal;

static const Literal BOOLS[] = {{"true", "yes", "true"}, {"false", "no", "false"}, {"bool(null)", "null_b", ""}};
static const Literal INTS[] = {{"0", "i0", "0"}, {"1", "i1", "1"}, {"3", "i3", "3"}, {"(-2)", "i_2", "-2"},
                               {"9007199254740993", "big", "9007199254740993"}, {"int(null)", "null_i", ""}};
static const Literal FLOATS[] = {{"0.5", "f05", "0.5"}, {"2.0", "f2", "2.0"}, {"2.5", "f25", "2.5"},
                                 {"(-1.5)", "f_15", "-1.5"}, {"9007199254740992.0", "fbig", "9007199254740992.0"},
                                 {"float(\"nan\")", "fnan", "nan"}, {"float(null)", "null_f", ""}};
static const Literal STRINGS[] = {{"\"\"", "s0", "\"\""}, {"\"a\"", "sa", "a"}, {"\"B\"", "sb", "B"}};

#define N(array) ((uint32_t)(sizeof(array) / sizeof *(array)))

/* Two texts at once: with literals and with columns. */
typedef struct Pair {
    Buf literal, column;
} Pair;

static void both(Pair *p, const char *text)
{
    buf_puts(&p->literal, text);
    buf_puts(&p->column, text);
}

static void leaf(Pair *p, const Literal *list, uint32_t n, const char *const *columns, uint32_t n_columns)
{
    uint32_t k = below(2 * n + n_columns);
    if (k >= 2 * n) {
        both(p, columns[k - 2 * n]);
        return;
    }
    buf_puts(&p->literal, list[k / 2].text);
    buf_puts(&p->column, list[k / 2].column);
}

/* ---- expressions ---- */

typedef enum Kind { BOOL, INT, FLOAT, STRING } Kind;

static void expr(Pair *p, Kind kind, uint32_t depth);

static void infix(Pair *p, Kind a, const char *op, Kind b, uint32_t depth)
{
    both(p, "(");
    expr(p, a, depth);
    both(p, op);
    expr(p, b, depth);
    both(p, ")");
}

/* What all kinds have. */
static void general(Pair *p, Kind kind, uint32_t depth)
{
    switch (below(3)) {
    case 0:
        both(p, "(if ");
        expr(p, BOOL, depth);
        both(p, " then ");
        expr(p, kind, depth);
        both(p, " else ");
        expr(p, kind, depth);
        both(p, ")");
        break;
    case 1: infix(p, kind, " ?? ", kind, depth); break;
    default:
        both(p, "coalesce(");
        expr(p, kind, depth);
        both(p, ", ");
        expr(p, kind, depth);
        both(p, ", ");
        expr(p, kind, depth);
        both(p, ")");
    }
}

static void bool_expr(Pair *p, uint32_t depth)
{
    static const char *const COMPARISONS[] = {" == ", " != ", " < ", " <= ", " > ", " >= "};
    const char *comparison = COMPARISONS[below(6)];
    switch (below(10)) {
    case 0:
    case 1:
        both(p, "(not ");
        expr(p, BOOL, depth);
        both(p, ")");
        break;
    case 2: infix(p, BOOL, " and ", BOOL, depth); break;
    case 3: infix(p, BOOL, " or ", BOOL, depth); break;
    case 4: infix(p, INT, comparison, INT, depth); break;
    case 5: infix(p, INT, comparison, FLOAT, depth); break;
    case 6: infix(p, FLOAT, comparison, INT, depth); break;
    case 7: infix(p, STRING, comparison, STRING, depth); break;
    case 8:
        both(p, "(");
        expr(p, (Kind)below(4), depth);
        both(p, below(2) ? " is null)" : " is not null)");
        break;
    default:
        both(p, "(");
        if (below(2)) {
            expr(p, INT, depth);
            both(p, below(2) ? " in [3, 1, 3])" : " not in [2, -2, 0])");
        } else {
            expr(p, STRING, depth);
            both(p, " in [\"x\", \"a\", \"\"])");
        }
    }
}

static void expr(Pair *p, Kind kind, uint32_t depth)
{
    static const char *const OF_BOOL[] = {"b", "b"}, *const OF_INT[] = {"i", "i", "bad"},
                             *const OF_FLOAT[] = {"f", "f"}, *const OF_STRING[] = {"s", "s"};
    static const char *const INT_OPS[] = {" + ", " - ", " * ", " // ", " % "},
                             *const FLOAT_OPS[] = {" + ", " - ", " * ", " / "};
    bool is_leaf = depth == 0 || below(6) == 0;
    if (!is_leaf && below(4) == 0) {
        general(p, kind, depth - 1);
        return;
    }
    switch (kind) {
    case BOOL:
        if (is_leaf)
            leaf(p, BOOLS, N(BOOLS), OF_BOOL, 2);
        else
            bool_expr(p, depth - 1);
        break;
    case INT:
        if (is_leaf)
            leaf(p, INTS, N(INTS), OF_INT, 3);
        else
            infix(p, INT, INT_OPS[below(5)], INT, depth - 1);
        break;
    case FLOAT:
        if (is_leaf)
            leaf(p, FLOATS, N(FLOATS), OF_FLOAT, 2);
        else
            infix(p, below(3) ? FLOAT : INT, FLOAT_OPS[below(4)], FLOAT, depth - 1);
        break;
    case STRING:
        if (is_leaf)
            leaf(p, STRINGS, N(STRINGS), OF_STRING, 2);
        else
            infix(p, STRING, " + ", STRING, depth - 1);
    }
}

/* ---- a program and its input ---- */

static void literals_put(Buf *out, const Literal *list, uint32_t n, const char *type, int what)
{
    for (uint32_t i = 0; i < n; i++)
        if (what == 0)
            buf_printf(out, ", %s: %s", list[i].column, type);
        else
            buf_printf(out, ",%s", what == 1 ? list[i].column : list[i].cell);
}

/* what 0: the schema's columns, 1: the header, 2: the cells of a row. */
static void all_literals_put(Buf *out, int what)
{
    literals_put(out, BOOLS, N(BOOLS), "bool", what);
    literals_put(out, INTS, N(INTS), "int", what);
    literals_put(out, FLOATS, N(FLOATS), "float", what);
    literals_put(out, STRINGS, N(STRINGS), "string", what);
}

static void file_put(const char *path, const Buf *text)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(text->ptr, 1, text->len, f) == text->len && fclose(f) == 0);
}

/* Cells that are not as they would be printed: whoever copies them shows. */
static void input_put(void)
{
    static const char *const rows[N_ROWS] = {"TRUE,007,1.50,a,1",  "false,3,2.5,,2",    ",,,B,3",
                                             "True,1,-1.5,\"\",x", "FALSE,-2,nan,a,5",  "true,2,2.0,b,",
                                             "true,9007199254740993,1e3,B,0", "false,0,,a,4"};
    Buf text = {0};
    buf_puts(&text, "id,b,i,f,s,bad");
    all_literals_put(&text, 1);
    for (uint32_t r = 0; r < N_ROWS; r++) {
        buf_printf(&text, "\n%u,%s", r, rows[r]);
        all_literals_put(&text, 2);
    }
    buf_putc(&text, '\n');
    file_put("in.csv", &text);
    buf_deinit(&text);
}

static void job_put(Buf *p, const char *name, const char *value, const char *condition)
{
    buf_printf(p, "@on_failure(skip)\njob %s {\n  read csv \"in.csv\" as rows batch 1\n"
                  "    | map { derive v = %s; where %s; select id, v }\n    | map write csv \"%s.csv\"\n}\n",
               name, value, condition, name);
}

static void program_put(Buf *out)
{
    Pair value = {0}, condition = {0};
    expr(&value, (Kind)below(4), 1 + below(MAX_DEPTH));
    expr(&condition, BOOL, 1 + below(MAX_DEPTH));
    buf_puts(out, "schema rows { id: int, b: bool, i: int, f: float, s: string, bad: int");
    all_literals_put(out, 0);
    buf_puts(out, " }\n");
    job_put(out, "literal", value.literal.ptr, condition.literal.ptr);
    job_put(out, "column", value.column.ptr, condition.column.ptr);
    buf_deinit(&value.literal);
    buf_deinit(&value.column);
    buf_deinit(&condition.literal);
    buf_deinit(&condition.column);
}

/* ---- runs ---- */

static uint32_t n_failed, n_rows; /* in all programs */

static bool run(Mill *m, uint32_t job, uint64_t *n_out, uint64_t *n_failures)
{
    const MillRunOptions options = {.n_workers = 1, .seed = 1};
    MillRun *r = NULL;
    MillResult result = {.state = RUN_FAILED};
    Error err = {0};
    if (mill_plan(m, job) && mill_run_open(m, job, &options, &r, &err) == OK)
        mill_run_go(r, &result);
    bool ok = result.state == RUN_DONE || result.state == RUN_PARTIAL;
    *n_out = result.rows_out;
    *n_failures = result.n_failures;
    mill_run_close(r);
    return ok;
}

static char *file_get(const char *path)
{
    char part[4096];
    Buf text = {0};
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(part, 1, sizeof part, f) : 0;
    if (f)
        fclose(f);
    buf_put(&text, part, n);
    return text.ptr ? text.ptr : xstrndup("", 0);
}

static bool program_holds(void)
{
    uint64_t n_out[2] = {0}, n_failures[2] = {0};
    Error err = {0};
    Mill *m = mill_open(&(MillOptions){0});
    bool ok = mill_load(m, "p.pipe", &err) == OK;
    for (uint32_t i = 0; i < 2 && ok; i++)
        ok = run(m, i, &n_out[i], &n_failures[i]);
    if (!ok) {
        Buf why = {0};
        diags_put_human(&why, mill_diags(m), mill_sources(m), false);
        printf("%s\n", why.ptr ? why.ptr : "it did not run");
        buf_deinit(&why);
    }
    mill_close(m);
    char *literal = file_get("literal.csv"), *column = file_get("column.csv");
    ok = ok && n_out[0] == n_out[1] && n_failures[0] == n_failures[1] && strcmp(literal, column) == 0;
    if (!ok)
        printf("with literals:\n%swith columns:\n%s", literal, column);
    free(literal);
    free(column);
    n_failed += (uint32_t)n_failures[0];
    n_rows += (uint32_t)n_out[0];
    return ok;
}

int main(int argc, char **argv)
{
    char memory[] = "/dev/shm/simplify-XXXXXX", disk[] = "/tmp/simplify-XXXXXX"; /* where fsync costs little */
    const char *dir = mkdtemp(memory) ? memory : mkdtemp(disk);
    uint64_t first = 1, last = N_PROGRAMS;
    if (argc == 3) {
        first = strtoull(argv[1], NULL, 10);
        last = strtoull(argv[2], NULL, 10);
    }
    if (!dir || chdir(dir) != 0)
        return perror("simplify_test"), 1;
    input_put();
    for (uint64_t n = first; n <= last; n++) {
        Buf program = {0};
        seed = n * UINT64_C(0x9e3779b97f4a7c15);
        program_put(&program);
        file_put("p.pipe", &program);
        bool ok = program_holds();
        CHECK(ok);
        if (!ok)
            printf("program %llu:\n%s", (unsigned long long)n, program.ptr);
        buf_deinit(&program);
    }
    if (argc != 3)
        CHECK(n_failed > N_PROGRAMS / 4 && n_rows > N_PROGRAMS);
    remove("in.csv");
    remove("p.pipe");
    remove("literal.csv");
    remove("column.csv");
    if (chdir("/") != 0 || rmdir(dir) != 0)
        perror(dir);
    UNIT_END("simplify");
}
