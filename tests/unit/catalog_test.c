#include "data/catalog.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char folder[] = "/tmp/pipemill-catalog-XXXXXX";

static Str temp_file(const char *name, const char *text)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    fputs(text, f);
    fclose(f);
    return str_of(path);
}

/* The type of a column that holds these values, one a line. */
static const char *type_of(const char *values, CatalogCol *col)
{
    static int n_files;
    char name[40], text[1000];
    snprintf(name, sizeof name, "%d.csv", n_files++);
    snprintf(text, sizeof text, "x\n%s", values);
    Catalog *c = file_catalog_open();
    const CatalogTable *t = NULL;
    Error err = {0};
    const char *type = "error";
    if (c->csv(c, temp_file(name, text), &CSV_DEFAULT_DIALECT, &t, &err) == OK) {
        type = type_name(t->cols[0].type);
        if (col)
            *col = t->cols[0]; /* its strings are gone with the catalog */
    }
    file_catalog_close(c);
    return type;
}

static void test_types(void)
{
    CHECK_STR(type_of("1\n\n-2\n", NULL), "int");
    CHECK_STR(type_of("0\n", NULL), "int");
    CHECK_STR(type_of("\"1\"\n\"\"\n2\n", NULL), "int");
    CHECK_STR(type_of("9223372036854775807\n", NULL), "int");
    CHECK_STR(type_of("9223372036854775808\n", NULL), "string");
    CHECK_STR(type_of("1\n9223372036854775808\n0.5\n", NULL), "float");
    CHECK_STR(type_of("1\n0.5\n-0.25\n1e3\n", NULL), "float");
    CHECK_STR(type_of("true\nFALSE\n", NULL), "bool");
    CHECK_STR(type_of("2026-01-02\n", NULL), "date");
    CHECK_STR(type_of("2026-01-02T03:04:05Z\n2026-01-02 03:04:05.5\n", NULL), "timestamp");
    CHECK_STR(type_of("a\n", NULL), "string");
    CHECK_STR(type_of("\n\n", NULL), "string");
    CHECK_STR(type_of("", NULL), "string");
    CHECK_STR(type_of("007\n008\n", NULL), "string");
    CHECK_STR(type_of("00.5\n", NULL), "string");
    CHECK_STR(type_of("+4912\n", NULL), "string");
    CHECK_STR(type_of(" 1\n", NULL), "string");
    CHECK_STR(type_of("1\ntrue\n", NULL), "string");
}

/* The type of one text by the rule, without short cuts. */
static Type type_by_rule(Str s)
{
    static const Type types[] = {TYPE_INT, TYPE_FLOAT, TYPE_BOOL, TYPE_DATE, TYPE_TIMESTAMP};
    uint32_t sign = s.ptr[0] == '-';
    bool is_code = s.ptr[0] == '+' || (s.len >= sign + 2 && s.ptr[sign] == '0' &&
                                       s.ptr[sign + 1] >= '0' && s.ptr[sign + 1] <= '9');
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        Value v;
        bool is_rounded = types[i] == TYPE_FLOAT && strspn(s.ptr + sign, "0123456789") >= s.len - sign; /* beyond 64 bits */
        if (value_parse(types[i], s, &v, NULL) && !(is_code && i < 2) && !is_rounded)
            return types[i];
    }
    return TYPE_STRING;
}

/* Texts that are nearly of a type, each in a column of its own. */
static void test_types_by_rule(void)
{
    static const char *const near[] = {"12", "-9223372036854775808", "0.5", "-.5e-3", "inf", "-Infinity", "NaN",
                                       "true", "FALSE", "2026-01-02", "+12026-01-02", "-0044-03-15",
                                       "2026-01-02T03:04", "2026-01-02 03:04:05.25+01:00", "text", "00.5"};
    static const char letters[] = "0123456789+-.eEtTfFiInNaZ: x";
    enum { N_COLS = 4000, N_NEAR = sizeof near / sizeof *near };
    Buf head = {0}, row = {0};
    uint64_t state = 1;
    for (uint32_t i = 0; i < N_COLS; i++) {
        char text[40];
        strcpy(text, near[i % N_NEAR]);
        for (uint32_t k = i / N_NEAR % 3; k > 0; k--) { /* another letter, up to twice */
            state = state * 6364136223846793005u + 1442695040888963407u;
            text[(state >> 33) % strlen(text)] = letters[(state >> 48) % (sizeof letters - 1)];
        }
        buf_printf(&head, "%sc%u", i ? "," : "", i);
        buf_printf(&row, "%s%s", i ? "," : "", text);
    }
    buf_printf(&head, "\n%s\n", row.ptr);
    Catalog *c = file_catalog_open();
    const CatalogTable *t = NULL;
    Error err = {0};
    CHECK(c->csv(c, temp_file("rule.csv", head.ptr), &CSV_DEFAULT_DIALECT, &t, &err) == OK);
    uint32_t n_of[N_TYPES] = {0};
    char *cell = row.ptr;
    for (uint32_t i = 0; t && i < N_COLS; i++) {
        size_t len = strcspn(cell, ",");
        Str s = {cell, (uint32_t)len};
        if (t->cols[i].type != type_by_rule(s))
            printf("`%.*s` is taken for %s\n", STR_ARG(s), type_name(t->cols[i].type));
        CHECK(t->cols[i].type == type_by_rule(s));
        n_of[t->cols[i].type]++;
        cell += len + 1;
    }
    CHECK(n_of[TYPE_INT] > 100 && n_of[TYPE_FLOAT] > 100 && n_of[TYPE_BOOL] > 100 && n_of[TYPE_DATE] > 100 &&
          n_of[TYPE_TIMESTAMP] > 100 && n_of[TYPE_STRING] > 100);
    file_catalog_close(c);
    buf_deinit(&head);
    buf_deinit(&row);
}

static void test_almost(void)
{
    CatalogCol col;
    CHECK_STR(type_of("45\n255\n30 (Meteorite)255 (Core)\n3\nx\n", &col), "string");
    CHECK(col.almost == TYPE_INT && col.odd_line == 4);
    CHECK_STR(type_of("1\n2\n007\n", &col), "string");
    CHECK(col.almost == TYPE_INT && col.odd_line == 4);
    CHECK_STR(type_of("x\n1\n2\n", &col), "string");
    CHECK(col.almost == TYPE_INT && col.odd_line == 2);
    CHECK_STR(type_of("x\ny\n2\n", &col), "string");
    CHECK(col.almost == TYPE_ERROR && col.odd_line == 0);
}

static void test_tables(void)
{
    Catalog *c = file_catalog_open();
    const CatalogTable *t = NULL, *again = NULL;
    Error err = {0};
    CHECK(c->csv(c, STR_LIT("data/pokemon.csv"), &CSV_DEFAULT_DIALECT, &t, &err) == OK);
    CHECK(t->sample_rows == 801 && t->sample_is_all && t->n_cols == 41);
    for (uint32_t i = 0; i < t->n_cols; i++) {
        if (str_is(t->cols[i].name, "hp"))
            CHECK(t->cols[i].type == TYPE_INT);
        if (str_is(t->cols[i].name, "height_m"))
            CHECK(t->cols[i].type == TYPE_FLOAT);
        if (str_is(t->cols[i].name, "type2"))
            CHECK(t->cols[i].type == TYPE_STRING);
    }
    CHECK(c->csv(c, STR_LIT("data/pokemon.csv"), &CSV_DEFAULT_DIALECT, &again, &err) == OK);
    CHECK(again == t);
    CHECK(file_catalog_take_sample(c, STR_LIT("data/pokemon.csv")) == NULL);

    CsvDialect bare = CSV_DEFAULT_DIALECT;
    bare.has_header = false;
    CHECK(c->csv(c, temp_file("bare.csv", "1,x\n2,y\n"), &bare, &t, &err) == OK);
    CHECK(t->sample_rows == 2 && str_is(t->cols[1].name, "c2"));

    /* A bad row is for the run to report. */
    CHECK(c->csv(c, temp_file("ragged.csv", "a,b\n1,x\n2\nz,y\n"), &CSV_DEFAULT_DIALECT, &t,
                 &err) == OK);
    CHECK(t->sample_rows == 1 && t->cols[0].type == TYPE_INT);
    CHECK(c->csv(c, temp_file("open.csv", "a,b\n1,x\n2,\"y\n"), &CSV_DEFAULT_DIALECT, &t,
                 &err) == OK);
    CHECK(t->sample_rows == 1);

    CHECK(c->csv(c, temp_file("empty.csv", ""), &CSV_DEFAULT_DIALECT, &t, &err) == ERR_DATA);
    CHECK(c->csv(c, temp_file("twice.csv", "a,a\n"), &CSV_DEFAULT_DIALECT, &t, &err) == ERR_DATA);
    CHECK(err.line == 1 && err.byte == 2);
    CHECK(c->csv(c, STR_LIT("nowhere.csv"), &CSV_DEFAULT_DIALECT, &t, &err) == ERR_IO);
    file_catalog_close(c);
}

/* A FIFO is sampled once and read on from there: no row is lost or doubled. */
static void test_replay(uint32_t n_rows)
{
    char path[200], command[400];
    snprintf(path, sizeof path, "%s/fifo%u", folder, n_rows);
    CHECK(mkfifo(path, 0600) == 0);
    snprintf(command, sizeof command, "{ echo value; seq %u; } > %s &", n_rows, path);
    CHECK(system(command) == 0);
    Catalog *c = file_catalog_open();
    const CatalogTable *t = NULL;
    Error err = {0};
    CHECK(c->csv(c, str_of(path), &CSV_DEFAULT_DIALECT, &t, &err) == OK);
    CHECK(t->cols[0].type == TYPE_INT);
    CHECK(t->sample_is_all == (n_rows < 100000));
    CsvReadOptions o = {.dialect = CSV_DEFAULT_DIALECT,
                        .sample = file_catalog_take_sample(c, str_of(path))};
    CHECK(o.sample != NULL);
    CHECK(file_catalog_take_sample(c, str_of(path)) == NULL);
    CsvSource *s = NULL;
    CHECK(csv_source_open(str_of(path), &o, &s, &err) == OK);
    uint64_t rows = 0, sum = 0;
    RawRows *raw;
    while (csv_source_next(s, (CsvLimit){0, 100000}, &raw, &err) == OK && raw) {
        CHECK(raw_index(raw, &err) == OK);
        SchemaCol col = {STR_LIT("value"), TYPE_INT};
        Batch *b = batch_of_raw(raw, &(Schema){1, &col});
        Column *v = NULL;
        CHECK(batch_values(b, 0, col.name, NULL, NULL, &v, &err) == OK);
        for (uint32_t i = 0; i < b->n_rows; i++)
            sum += (uint64_t)column_ints(v)[i];
        rows += b->n_rows;
        column_unref(v);
        batch_unref(b);
        raw_unref(raw);
    }
    CHECK(rows == n_rows);
    CHECK(sum == (uint64_t)n_rows * (n_rows + 1) / 2);
    csv_source_close(s);
    file_catalog_close(c);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    test_types();
    test_types_by_rule();
    test_almost();
    test_tables();
    test_replay(10);
    test_replay(400000);
    char command[200];
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
    UNIT_END("catalog");
}
