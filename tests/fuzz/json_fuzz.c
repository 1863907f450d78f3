/* Any text as lines of JSON: what is read of it, or what is wrong with it, does not depend on how it is cut into ranges, and
 * values that nobody wants change nothing. And any bytes as a file whose form is guessed. The first byte chooses: rows of a
 * range, whether the bytes are the whole file. */
#include "fuzz.h"

#include <string.h>

#include "data/dialect.h"
#include "data/json_read.h"
#include "data/line_read.h"
#include "data/rows_write.h"

static const SchemaCol JSON_COLS[] = {
    {{"i", 1}, TYPE_INT},    {{"f", 1}, TYPE_FLOAT}, {{"b", 1}, TYPE_BOOL},
    {{"s", 1}, TYPE_STRING}, {{"d", 1}, TYPE_DATE},  {{"a key of more than 16 bytes", 27}, TYPE_TIMESTAMP},
};
enum { N_JSON_COLS = sizeof JSON_COLS / sizeof *JSON_COLS };
static const Schema JSON_SCHEMA = {.n_cols = N_JSON_COLS, .cols = (SchemaCol *)(uintptr_t)JSON_COLS};

static CsvSample *json_sample(const char *text, size_t n, bool is_all)
{
    CsvSample *s = xcalloc(1, sizeof *s);
    s->block = heap_new(n + 1);
    s->n_bytes = n;
    s->at_eof = is_all;
    if (n)
        memcpy(s->block->bytes, text, n);
    return s;
}

/* The rows as JSON lines and the lines that they came from. needed: as of line_decode; not NULL: the lines alone. */
static Status json_rows(const char *text, size_t n, CsvLimit limit, const bool *needed, Buf *out, Buf *lines, Error *err)
{
    const CsvDialect form = {.format = ROWS_JSON};
    LineOptions o = {.format = ROWS_JSON, .schema = &JSON_SCHEMA, .sample = json_sample(text, n, true)};
    LineSource *s = NULL;
    Status st = line_source_open(STR_LIT("fuzz"), &o, &s, err);
    while (st == OK) {
        RawRows *raw = NULL;
        Batch *b = NULL;
        st = line_source_next(s, limit, &raw, err);
        if (st != OK || !raw)
            break;
        st = line_decode(raw, &JSON_SCHEMA, needed, NULL, &b, err);
        if (b && !needed)
            MUST(rows_write(out, b, &JSON_SCHEMA, &form, NULL) == OK);
        for (uint32_t r = 0; b && r < b->n_rows; r++)
            buf_printf(lines, "%llu ", (unsigned long long)b->origin[r].line);
        raw_unref(raw);
        batch_unref(b);
    }
    line_source_close(s);
    return st;
}

static void json_sniffed(const char *text, size_t n)
{
    LineOptions o = {.format = ROWS_JSON, .schema = &JSON_SCHEMA, .sample = json_sample(text, n, true)};
    LineSource *s = NULL;
    RawRows *raw = NULL;
    Arena *a = arena_open();
    CatalogTable table = {0};
    if (line_source_open(STR_LIT("fuzz"), &o, &s, NULL) == OK &&
        line_source_next(s, (CsvLimit){.bytes = CSV_BATCH_MAX}, &raw, NULL) == OK && raw)
        MUST(json_sniff(raw, a, &table, NULL) != OK || table.sample_rows > 0);
    raw_unref(raw);
    line_source_close(s);
    arena_close(a);
}

int fuzz_json(const uint8_t *data, size_t size)
{
    static const bool few[N_JSON_COLS] = {true};
    if (size < 1)
        return 0;
    const char *text = (const char *)data + 1;
    size_t n = size - 1;
    Buf whole = {0}, cut = {0}, whole_lines = {0}, cut_lines = {0}, some_lines = {0};
    Error whole_err = {0}, cut_err = {0}, some_err = {0}, guess_err = {0};
    Status whole_st = json_rows(text, n, (CsvLimit){.bytes = CSV_BATCH_MAX}, NULL, &whole, &whole_lines, &whole_err);
    Status cut_st = json_rows(text, n, (CsvLimit){.rows = 1 + (data[0] & 7u)}, NULL, &cut, &cut_lines, &cut_err);
    Status some_st = json_rows(text, n, (CsvLimit){.bytes = CSV_BATCH_MAX}, few, NULL, &some_lines, &some_err);
    MUST(whole_st == cut_st && strcmp(whole_err.text, cut_err.text) == 0 && whole_err.line == cut_err.line &&
         whole_err.byte == cut_err.byte);
    if (whole_st == OK) {
        MUST(some_st == OK && str_eq(buf_str(&whole), buf_str(&cut)));
        MUST(str_eq(buf_str(&whole_lines), buf_str(&cut_lines)) && str_eq(buf_str(&whole_lines), buf_str(&some_lines)));
    }
    json_sniffed(text, n);

    Arena *a = arena_open();
    CsvSample *sample = json_sample(text, n, data[0] & 8);
    DialectGuess guess;
    MUST(dialect_guess(sample, a, &guess, &guess_err) == OK || guess_err.text[0]);
    csv_sample_free(sample);
    arena_close(a);
    buf_deinit(&whole);
    buf_deinit(&cut);
    buf_deinit(&whole_lines);
    buf_deinit(&cut_lines);
    buf_deinit(&some_lines);
    return 0;
}

FUZZER(fuzz_json)
