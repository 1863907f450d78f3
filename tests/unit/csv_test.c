#include "data/csv_read.h"

#include <csv.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/csv_cell.h"
#include "data/csv_scan.h"
#include "data/csv_write.h"
#include "data/sink.h"
#include "unit.h"

static char folder[] = "/tmp/pipemill-csv-XXXXXX";

static Str temp_file(const char *name, const char *bytes, size_t n)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    fwrite(bytes, 1, n, f);
    fclose(f);
    return str_of(path);
}

static char *file_text(const char *path)
{
    static char text[4096];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    return f ? text : NULL;
}

/* --- a table as text: cells behind `|`, null as `~`, rows end in `/` ---------------------- */

typedef struct Dump {
    Buf text;      /* the cells' values, then the kind of error */
    Buf untouched; /* written back as CSV */
    Error err;
} Dump;

static void dump_free(Dump *d)
{
    buf_deinit(&d->text);
    buf_deinit(&d->untouched);
}

static void dump_rows(Dump *d, const RawRows *raw)
{
    Heap *heap = NULL;
    for (uint32_t r = 0; r < raw->n_rows; r++) {
        for (uint32_t c = 0; c < raw->n_cols; c++) {
            StrView cell = raw_cell(raw, r, c);
            buf_putc(&d->text, '|');
            if (csv_cell_is_null(cell, &raw->input->dialect))
                buf_putc(&d->text, '~');
            else
                buf_put_str(&d->text,
                            csv_cell_text(cell, raw->input->dialect.quote, &heap));
        }
        buf_putc(&d->text, '/');
    }
    heap_unref(heap);
    SchemaCol *cols = calloc(raw->n_cols, sizeof *cols);
    for (uint32_t c = 0; c < raw->n_cols; c++)
        cols[c].type = TYPE_STRING;
    Schema all = {raw->n_cols, cols};
    Batch *b = batch_of_raw((RawRows *)raw, &all);
    csv_write_rows(&d->untouched, b, &raw->input->dialect);
    batch_unref(b);
    free(cols);
}

/* Each cell's place, against the bytes themselves. */
static bool places_are_right(const RawRows *raw, const char *bytes, size_t n)
{
    for (uint32_t r = 0; r < raw->n_rows; r++) {
        for (uint32_t c = 0; c < raw->n_cols && !raw->text; c++) {
            StrView cell = raw_cell(raw, r, c);
            uint64_t at = raw_byte(raw, r, c);
            if (at + cell.len > n || memcmp(bytes + at, cell.ptr, cell.len) != 0)
                return false;
        }
        if (raw_line(raw, r) != 1 + csv_count_lines(bytes, raw_byte(raw, r, 0)))
            return false;
    }
    return true;
}

/* Line ends at every place of texts of all lengths around what is counted at a time. */
static void test_count_lines(void)
{
    char text[80];
    uint32_t state = 1;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = "\r\nab,\x8a\x8d\""[(state = state * 1664525 + 1013904223) >> 29];
        for (size_t begin = 0; begin < 3; begin++) {
            uint64_t n_lines = 0;
            for (size_t n = 0; begin + n < sizeof text; n++) { /* a CR ends a line, and its LF none */
                if (csv_count_lines(text + begin, n) != n_lines)
                    FAIL("another number of lines");
                const char *c = text + begin + n;
                n_lines += *c == '\r' || (*c == '\n' && (n == 0 || c[-1] != '\r'));
            }
        }
    }
    memset(text, '\r', sizeof text);
    CHECK(csv_count_lines(text, sizeof text) == sizeof text);
    CHECK(csv_count_lines("\r\n", 2) == 1);
}

static Dump dump_of(const char *bytes, size_t n, const CsvDialect *dialect, CsvLimit limit)
{
    Dump d = {0};
    CsvReadOptions o = {.dialect = *dialect};
    CsvSource *s = NULL;
    Status st = csv_source_open(temp_file("dump.csv", bytes, n), &o, &s, &d.err);
    uint64_t row = 0;
    while (st == OK) {
        RawRows *raw = NULL;
        st = csv_source_next(s, limit, &raw, &d.err);
        if (!raw)
            break;
        uint32_t n_rows = raw->n_rows;
        if (raw->first_row != row || n_rows == 0 ||
            (limit.rows && n_rows > limit.rows))
            FAIL("ranges do not follow one another");
        row += n_rows;
        st = raw_index(raw, &d.err);
        if (st == OK && (raw->n_rows != n_rows || !places_are_right(raw, bytes, n)))
            FAIL("scan and index disagree");
        dump_rows(&d, raw);
        raw_unref(raw);
    }
    if (st != OK)
        buf_puts(&d.text, strstr(d.err.text, "quote that opens") ? "open"
                          : strstr(d.err.text, "field")          ? "ragged"
                                                                 : d.err.text);
    if (!d.text.ptr)
        buf_puts(&d.text, "");
    csv_source_close(s);
    return d;
}

/* --- libcsv on the whole text, on its own -------------------------------------------------- */

typedef struct Oracle {
    Buf text, row;
    uint32_t n_fields, n_cols;
    size_t row_fields; /* calls since the last row */
    int last;          /* what ended the last row, if nothing has come since */
    bool is_ragged;
} Oracle;

static void oracle_field(void *bytes, size_t n, void *ctx)
{
    Oracle *o = ctx;
    o->last = 0;
    o->n_fields++;
    buf_putc(&o->row, '|');
    if (bytes)
        buf_put(&o->row, bytes, n);
    else
        buf_putc(&o->row, '~');
}

static void oracle_row(int c, void *ctx)
{
    Oracle *o = ctx;
    bool is_crlf = o->n_fields == 0 && o->last == '\r' && c == '\n';
    o->last = is_crlf ? 0 : c;
    if (!is_crlf && !o->is_ragged) {
        if (o->n_fields == 0 && o->n_cols == 1)
            oracle_field(NULL, 0, o), o->last = c;
        if (o->n_fields && o->n_fields != o->n_cols) {
            o->is_ragged = true;
        } else if (o->n_fields) {
            buf_put_str(&o->text, buf_str(&o->row));
            buf_putc(&o->text, '/');
        }
    }
    o->n_fields = 0;
    buf_clear(&o->row);
}

static int no_space(unsigned char c) { return (void)c, 0; }

static Buf oracle_of(const char *bytes, size_t n)
{
    Oracle o = {0};
    size_t blank = 0;
    while (blank < n && (bytes[blank] == '\n' || bytes[blank] == '\r'))
        blank++;
    CsvRecord first = csv_record(bytes + blank, n - blank, ',', '"', 0);
    o.n_cols = first.n_fields;
    if (first.is_open) { /* not even the number of columns is known */
        buf_puts(&o.text, "open");
        return o.text;
    }
    struct csv_parser p;
    csv_init(&p, CSV_EMPTY_IS_NULL | CSV_REPALL_NL);
    csv_set_space_func(&p, no_space);
    csv_parse(&p, bytes, n, oracle_field, oracle_row, &o);
    bool is_open = p.pstate == 2 && p.quoted;
    if (!is_open && n && bytes[n - 1] != '\n' && bytes[n - 1] != '\r')
        csv_parse(&p, "\n", 1, oracle_field, oracle_row, &o);
    buf_puts(&o.text, o.is_ragged ? "ragged" : is_open ? "open" : "");
    csv_free(&p);
    buf_deinit(&o.row);
    return o.text;
}

static uint32_t random_state = 20240601;
static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % n;
}

/* A table of n_cols whose cells are anything that a writer or a careless person makes. */
static void random_table(Buf *b, uint32_t n_cols, bool is_careless)
{
    static const char *const cells[] = {"",       "\"\"",         "a",          "bcd",
                                        "\"x\"",  "\"a,b\"",      "\"a\nb\"",   "\"\r\n\"",
                                        " pad ",  "\"q\"\"q\"",   "\"\"\"\"",   "\xc3\xa9",
                                        "long enough to cross sixty-four bytes of a group now"};
    static const char *const odd[] = {"a\"b", "\"a\"b\"", "\"a\" \"", "a\"", "\"a\"b"};
    static const char *const ends[] = {"\n", "\n", "\r\n", "\r"};
    uint32_t rows = 1 + random_below(12), style = random_below(5);
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t c = 0; c < n_cols; c++) {
            if (c)
                buf_putc(b, ',');
            if (is_careless && random_below(8) == 0)
                buf_puts(b, odd[random_below(5)]);
            else
                buf_puts(b, cells[random_below(13)]);
        }
        if (is_careless && random_below(30) == 0)
            buf_putc(b, ',');
        buf_puts(b, ends[style < 4 ? style : random_below(4)]);
        if (random_below(10) == 0)
            buf_puts(b, ends[random_below(4)]);
    }
    if (random_below(3) == 0)
        b->len--;
}

static void test_random(void)
{
    static const CsvLimit limits[] = {{0, 0}, {1, 0}, {3, 0}, {0, 1}, {0, 70}};
    static const char letters[] = "ab,,\"\"\"\n\r ;";
    uint32_t n_bad = 0;
    for (int i = 0; i < 1500 && n_bad < 5; i++) {
        Buf b = {0};
        if (i % 3 == 0) {
            for (uint32_t n = 1 + random_below(i % 2 ? 20 : 300); n > 0; n--)
                buf_putc(&b, letters[random_below(sizeof letters - 1)]);
        } else {
            random_table(&b, 1 + random_below(4), i % 3 == 1);
        }
        if (b.len == 0 || b.ptr[0] == '\0')
            buf_putc(&b, 'x');
        CsvDialect d = CSV_DEFAULT_DIALECT;
        d.has_header = false;
        Buf want = oracle_of(b.ptr, b.len);
        Dump whole = dump_of(b.ptr, b.len, &d, limits[0]);
        for (size_t k = 0; k < 6; k++) {
            d.use_libcsv = k == 5;
            Dump got = dump_of(b.ptr, b.len, &d, limits[k % 5]);
            bool same = strcmp(want.ptr, got.text.ptr) == 0;
            /* What nobody touches does not depend on the batch size either. */
            if (k < 5)
                same &= str_eq(buf_str(&whole.untouched), buf_str(&got.untouched));
            if (!same) {
                n_bad++;
                Buf v = {0};
                buf_put_visible(&v, buf_str(&b));
                printf("case %d, limit %zu: `%s`\n", i, k, v.ptr);
                CHECK_STR(got.text.ptr, want.ptr);
                buf_deinit(&v);
            }
            dump_free(&got);
        }
        dump_free(&whole);
        buf_deinit(&want);
        buf_deinit(&b);
    }
    CHECK(n_bad == 0);
}

/* --- csv-spectrum ------------------------------------------------------------------------- */

static void test_spectrum(void)
{
    static const char *const names[] = {
        "comma_in_quotes", "empty",    "empty_crlf",    "escaped_quotes",
        "json",            "newlines", "newlines_crlf", "quotes_and_newlines",
        "simple",          "simple_crlf", "utf8",       "location_coordinates"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[200];
        json_error_t e;
        snprintf(path, sizeof path, "tests/csv/spectrum/%s.json", names[i]);
        json_t *want = json_load_file(path, 0, &e);
        if (want && json_is_object(want)) { /* one row, not in a list */
            json_t *list = json_array();
            json_array_append_new(list, want);
            want = list;
        }
        snprintf(path, sizeof path, "tests/csv/spectrum/%s.csv", names[i]);
        for (int lib = 0; lib < 2; lib++) {
            CsvReadOptions o = {.dialect = CSV_DEFAULT_DIALECT};
            o.dialect.use_libcsv = lib;
            CsvSource *s = NULL;
            RawRows *raw = NULL;
            Error err = {0};
            CHECK(csv_source_open(str_of(path), &o, &s, &err) == OK);
            CHECK(s && csv_source_next(s, (CsvLimit){0, 0}, &raw, &err) == OK);
            CHECK(raw && raw_index(raw, &err) == OK);
            CHECK(raw && raw->n_rows == json_array_size(want));
            for (uint32_t r = 0; raw && r < raw->n_rows; r++) {
                json_t *row = json_array_get(want, r);
                CHECK(json_object_size(row) == raw->n_cols);
                for (uint32_t c = 0; c < raw->n_cols; c++) {
                    Heap *heap = NULL;
                    Str got = csv_cell_text(raw_cell(raw, r, c), '"', &heap);
                    const char *text =
                        json_string_value(json_object_get(row, raw->input->names[c].ptr));
                    /* The one place where the twins differ as they are published. */
                    if (text && strcmp(text, "1234567890") == 0)
                        text = "2095257564";
                    if (!text || !str_is(got, text))
                        printf("%s row %u column %u\n", path, r, c);
                    CHECK(text && str_is(got, text));
                    heap_unref(heap);
                }
            }
            raw_unref(raw);
            csv_source_close(s);
        }
        json_decref(want);
    }
}

/* --- what is read, what is refused ---------------------------------------------------------- */

static void check_dump(const char *bytes, size_t n, bool header, const char *want)
{
    CsvDialect d = CSV_DEFAULT_DIALECT;
    d.has_header = header;
    Dump got = dump_of(bytes, n, &d, (CsvLimit){0, 0});
    CHECK_STR(got.text.ptr, want);
    dump_free(&got);
}
#define CHECK_READ(bytes, want) check_dump(bytes, sizeof(bytes) - 1, true, want)

static void test_read(void)
{
    CHECK_READ("a,b\n1,2\n", "|1|2/");
    CHECK_READ("a,b\n1,2", "|1|2/");
    CHECK_READ("a,b\r\n1,\r\n", "|1|~/");
    CHECK_READ("a,b\r1,2\r3,4", "|1|2/|3|4/");
    CHECK_READ("a,b\n1,2\r\n3,4\r5,6\n", "|1|2/|3|4/|5|6/");
    CHECK_READ("a,b\n", "");
    CHECK_READ("a,b", "");
    CHECK_READ("\xef\xbb\xbf" "a\n1\n", "|1/");
    CHECK_READ("a\n\n\"\"\n1\n", "|~/|/|1/");     /* one column: a blank line is a null */
    CHECK_READ("\n\na,b\n\n1,2\n\n\n", "|1|2/");  /* more: it is nothing */
    CHECK_READ("a,b\n\"\",\n", "||~/");
    CHECK_READ("a,b\n x ,\" y \"\n", "| x | y /");
    CHECK_READ("a\n\xff\xfe\n", "|\xff\xfe/");    /* not UTF-8: as it is */
    CHECK_READ("a\nb\"c\n\"b\"c\"\n", "|b\"c/|b\"c/");
    check_dump("1,2\n3,4\n", 8, false, "|1|2/|3|4/");

    CsvDialect d = CSV_DEFAULT_DIALECT;
    d.delimiter = ';';
    d.quote = '\'';
    d.null_word = STR_LIT("NA");
    const char *text = "a;b;c\nNA;'NA';'it''s'\n;'';N\n";
    for (int lib = 0; lib < 2; lib++) {
        d.use_libcsv = lib;
        Dump got = dump_of(text, strlen(text), &d, (CsvLimit){0, 0});
        CHECK_STR(got.text.ptr, "|~|NA|it's/|~||N/");
        dump_free(&got);
    }
}

static void check_error(const char *bytes, size_t n, Status want, uint64_t line,
                        uint64_t byte, const char *text)
{
    for (int lib = 0; lib < 2; lib++) {
        CsvDialect d = CSV_DEFAULT_DIALECT;
        d.use_libcsv = lib;
        Dump got = dump_of(bytes, n, &d, (CsvLimit){0, 0});
        CHECK(got.err.status == want);
        CHECK(got.err.line == line);
        CHECK(got.err.byte == byte);
        if (strstr(got.err.text, text))
            unit_passed++;
        else
            CHECK_STR(got.err.text, text);
        dump_free(&got);
    }
}
#define CHECK_BAD(bytes, line, byte, text)                                               \
    check_error(bytes, sizeof(bytes) - 1, ERR_DATA, line, byte, text)

static void test_refused(void)
{
    CHECK_BAD("", 0, 0, "empty");
    CHECK_BAD("\n\n", 1, 0, "no header");
    CHECK_BAD("\xff\xfe" "a\0", 1, 0, "encoding: \"utf-16\"");
    CHECK_BAD("a,b\n1,2\n\n1,2,3\n", 4, 9, "this row has 3 fields, the header has 2");
    CHECK_BAD("a,b\n1\n", 2, 4, "this row has 1 field, the header has 2");
    CHECK_BAD("a,b\n\"x\ny\",1\n5\n", 4, 12, "1 field");
    CHECK_BAD("a\n1\n2\0\n", 3, 5, "NUL");
    CHECK_BAD("a,b\n1,\"2\n3,4\n", 2, 6, "never closed");
    CHECK_BAD("a,\n1,2\n", 1, 2, "c2");
    CHECK_BAD("a,b,\"a\"\n", 1, 4, "`a` twice");
    CHECK_BAD("\x1f\x8b\x08", 0, 0, "the gzip data are cut off at byte 3");

    Error err = {0};
    CsvSource *s = NULL;
    CsvReadOptions o = {.dialect = CSV_DEFAULT_DIALECT};
    CHECK(csv_source_open(STR_LIT("/nonexistent.csv"), &o, &s, &err) == ERR_IO);
    CHECK_STR(err.text, "cannot open `/nonexistent.csv`: No such file or directory");
    CHECK(csv_source_open(STR_LIT("/tmp"), &o, &s, &err) == ERR_IO);
    CHECK_STR(err.text, "cannot read `/tmp`: Is a directory");
    CHECK(csv_source_open(STR_LIT("/dev/zero"), &o, &s, &err) == ERR_DATA);
    CHECK(strstr(err.text, "longer than 16 MiB") != NULL);

    /* A quote that nobody closes, in a row longer than any. */
    size_t n = CSV_RECORD_MAX + (4u << 20);
    char *big = malloc(n);
    memset(big, 'x', n);
    memcpy(big, "a,b\n1,\"", 7);
    Dump got = dump_of(big, n, &o.dialect, (CsvLimit){0, 0});
    CHECK(got.err.line == 2 && got.err.byte == 6);
    CHECK(strstr(got.err.text, "not closed within 16 MiB") != NULL);
    dump_free(&got);
    free(big);

    /* Names of a schema that are not the file's. */
    SchemaCol cols[] = {{STR_LIT("hp"), TYPE_INT}, {STR_LIT("nam"), TYPE_STRING}};
    Schema schema = {2, cols};
    o.schema = &schema;
    Str path = temp_file("schema.csv", "name,x,hp\nA,1,2\n", 16);
    CHECK(csv_source_open(path, &o, &s, &err) == ERR_DATA);
    CHECK_STR(err.text, "there is no column `nam` in this input; it has `name`");
    cols[1].name = STR_LIT("name");
    CHECK(csv_source_open(path, &o, &s, &err) == ERR_DATA);
    CHECK(strstr(err.text, "a column `x` that the schema has not") != NULL);
    o.allow_more = true;
    CHECK(csv_source_open(path, &o, &s, &err) == OK);
    RawRows *raw = NULL;
    CHECK(csv_source_next(s, (CsvLimit){0, 0}, &raw, &err) == OK && raw_index(raw, &err) == OK);
    Batch *b = batch_of_raw(raw, &schema);
    Column *hp = NULL;
    CHECK(batch_values(b, 0, STR_LIT("hp"), NULL, NULL, &hp, &err) == OK);
    CHECK(column_ints(hp)[0] == 2);
    column_unref(hp);
    batch_unref(b);
    raw_unref(raw);
    csv_source_close(s);
}

static void test_wide(void)
{
    uint32_t n_cols = 100000;
    Buf b = {0};
    for (int r = 0; r < 3; r++)
        for (uint32_t c = 0; c < n_cols; c++)
            buf_printf(&b, "%u%c", r ? c + (uint32_t)r : c, c + 1 == n_cols ? '\n' : ',');
    CsvReadOptions o = {.dialect = CSV_DEFAULT_DIALECT};
    CsvSource *s = NULL;
    Error err = {0};
    RawRows *raw = NULL;
    CHECK(csv_source_open(temp_file("wide.csv", b.ptr, b.len), &o, &s, &err) == OK);
    CHECK(csv_source_next(s, (CsvLimit){.rows = 2}, &raw, &err) == OK);
    CHECK(raw_index(raw, &err) == OK);
    CHECK(raw->n_rows == 2 && raw->n_cols == n_cols);
    StrView last = raw_cell(raw, 1, n_cols - 1);
    CHECK(last.len == 6 && memcmp(last.ptr, "100001", 6) == 0);
    raw_unref(raw);
    csv_source_close(s);
    buf_deinit(&b);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void test_write(void)
{
    const char *text = "a,b,c\n\"1\",x,\n2,\"q\"\"\",\"\"\n";
    CsvReadOptions o = {.dialect = CSV_DEFAULT_DIALECT};
    CsvSource *s = NULL;
    RawRows *raw = NULL;
    Error err = {0};
    CHECK(csv_source_open(temp_file("w.csv", text, strlen(text)), &o, &s, &err) == OK);
    CHECK(csv_source_next(s, (CsvLimit){0, 0}, &raw, &err) == OK && raw_index(raw, &err) == OK);
    SchemaCol cols[] = {{STR_LIT("a"), TYPE_INT}, {STR_LIT("b"), TYPE_STRING},
                        {STR_LIT("c,d"), TYPE_STRING}};
    Schema schema = {3, cols};
    Batch *b = batch_of_raw(raw, &schema);
    Buf out = {0};
    csv_write_header(&out, &schema, &o.dialect);
    csv_write_rows(&out, b, &o.dialect);
    CHECK_STR(out.ptr, "a,b,\"c,d\"\n\"1\",x,\n2,\"q\"\"\",\"\"\n");

    /* Rows the other way round; the first column computed, the last two as they came. */
    uint32_t sel[] = {1, 0};
    Batch *r = batch_select_rows(b, sel, 2);
    r->slots[0].raw_col = -1;
    r->slots[0].values = column_new(TYPE_FLOAT, false, 2);
    column_floats(r->slots[0].values)[0] = 65;
    column_own_valid(r->slots[0].values, true);
    bit_clear(r->slots[0].values->valid, 1);
    buf_clear(&out);
    csv_write_rows(&out, r, &o.dialect);
    CHECK_STR(out.ptr, "65.0,\"q\"\"\",\"\"\n,x,\n");

    /* Another dialect re-quotes. */
    CsvDialect d = {.delimiter = 'x', .quote = '\'', .has_header = true, .null_word = STR_LIT("-")};
    buf_clear(&out);
    csv_write_rows(&out, r, &d);
    CHECK_STR(out.ptr, "65.0xq\"x''\n-x'x'x-\n");

    /* What a concatenation keeps is text still, and knows its lines. */
    Batch *parts[] = {r, r};
    Type types[] = {TYPE_FLOAT, TYPE_STRING, TYPE_STRING};
    Batch *all = batch_concat(parts, 2, 3, types);
    buf_clear(&out);
    csv_write_rows(&out, all, &o.dialect);
    CHECK_STR(out.ptr, "65.0,\"q\"\"\",\"\"\n,x,\n65.0,\"q\"\"\",\"\"\n,x,\n");
    err = (Error){0};
    batch_where(all, 3, 1, &err);
    CHECK(err.line == 2 && err.byte == 6);
    CHECK(batch_bytes(all) > 0);
    batch_unref(all);
    batch_unref(r);
    batch_unref(b);
    raw_unref(raw);
    csv_source_close(s);
    buf_deinit(&out);
}

typedef struct Job {
    Sink *sink;
    uint64_t first;
} Job;

static void *submit_some(void *arg)
{
    Job *j = arg;
    for (uint64_t i = j->first; i < 300; i += 3) {
        Buf b = {0};
        buf_printf(&b, "%llu,", (unsigned long long)i);
        Error err = {0};
        if (sink_submit(j->sink, i, i % 10 == 0 ? NULL : &b, &err) != OK)
            return arg;
        buf_deinit(&b);
    }
    return NULL;
}

static void test_sink(void)
{
    char path[200];
    Sink *s = NULL;
    Error err = {0};
    snprintf(path, sizeof path, "%s/out/deep/x.csv", folder);
    CHECK(sink_open(str_of(path), STR_LIT("h\n"), &s, &err) == OK);
    CHECK(file_text(path) == NULL); /* not before it is whole */
    pthread_t t[3];
    Job jobs[3];
    for (uint64_t i = 0; i < 3; i++) {
        jobs[i] = (Job){s, i};
        pthread_create(&t[i], NULL, submit_some, &jobs[i]);
    }
    for (int i = 0; i < 3; i++) {
        void *bad;
        pthread_join(t[i], &bad);
        CHECK(bad == NULL);
    }
    CHECK(sink_commit(s, &err) == OK);
    Buf want = {0};
    buf_puts(&want, "h\n");
    for (int i = 0; i < 300; i++)
        if (i % 10)
            buf_printf(&want, "%d,", i);
    CHECK_STR(file_text(path), want.ptr);

    /* An aborted one leaves the old file, and nothing else. */
    CHECK(sink_open(str_of(path), STR_LIT("new\n"), &s, &err) == OK);
    sink_abort(s);
    CHECK_STR(file_text(path), want.ptr);
    buf_deinit(&want);
    char command[300];
    snprintf(command, sizeof command, "test \"$(ls -A %s/out/deep)\" = x.csv", folder);
    CHECK(system(command) == 0);

    /* In place, the head waits for the first bytes or the commit. */
    CHECK(sink_open(STR_LIT("/dev/full"), STR_LIT("x"), &s, &err) == OK);
    CHECK(sink_commit(s, &err) == ERR_IO);
    CHECK_STR(err.text, "cannot write `/dev/full`: No space left on device");
    CHECK(sink_open(STR_LIT("/dev/full"), STR_LIT("x"), &s, &err) == OK);
    Buf row = {0};
    buf_puts(&row, "1\n");
    CHECK(sink_submit(s, 0, &row, &err) == ERR_IO);
    buf_deinit(&row);
    sink_abort(s);
    CHECK_STR(err.text, "cannot write `/dev/full`: No space left on device");
    CHECK(sink_open(str_of(folder), STR_LIT("x"), &s, &err) == ERR_IO);
    CHECK(sink_open(STR_LIT("/dev/null"), STR_LIT("x"), &s, &err) == OK);
    CHECK(sink_commit(s, &err) == OK);
    struct stat info;
    CHECK(stat("/dev/null", &info) == 0 && S_ISCHR(info.st_mode));
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    test_count_lines();
    test_read();
    test_refused();
    test_spectrum();
    test_wide();
    test_random();
    test_write();
    test_sink();
    char command[200];
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
    UNIT_END("csv");
}
