/* csv_write_test.c - csv_write, which lays out blocks of rows column by column, against a writer that puts one cell
 * after the other: random columns read and computed, nulls, quotes, rows picked, dialects. */
#include "data/csv_write.h"

#include <stdlib.h>
#include <unistd.h>

#include "data/csv_cell.h"
#include "data/csv_read.h"
#include "unit.h"

enum { N_ROWS = 200, N_READ = 5 };

static uint64_t random_state;

static uint32_t random_below(uint32_t n) /* splitmix64 */
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) % n);
}

/* Text of 0 to 90 bytes, most of it short; with `odd`, some that must be quoted. */
static uint32_t text_make(char *to, bool odd)
{
    static const char ALL[] = "abcdefghijklmnopqrstuvwxyz0123456789 .-,;\"'\n\r\xc3\xa9";
    uint32_t n = random_below(8) ? random_below(12) : random_below(90);
    for (uint32_t i = 0; i < n; i++)
        to[i] = ALL[random_below(odd && random_below(10) == 0 ? sizeof ALL - 1 : 39)];
    return n;
}

static RawRows *raw_make(const CsvDialect *d, bool odd, bool has_cr)
{
    static char path[] = "/tmp/pipemill-csv-write-XXXXXX";
    Buf text = {0};
    char cell[100];
    for (uint32_t c = 0; c < N_READ; c++)
        buf_printf(&text, "%sc%u", c ? "," : "", c);
    buf_putc(&text, '\n');
    for (uint32_t r = 0; r < N_ROWS; r++) {
        for (uint32_t c = 0; c < N_READ; c++) {
            if (c)
                buf_putc(&text, ',');
            if (random_below(10) || c == 0)
                csv_put_text(&text, (Str){cell, text_make(cell, odd)}, d);
        }
        buf_puts(&text, has_cr && random_below(4) == 0 ? "\r\n" : "\n");
    }
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len);
    close(fd);
    buf_deinit(&text);
    CsvReadOptions o = {.dialect = *d};
    CsvSource *s = NULL;
    RawRows *raw = NULL;
    Error err = {0};
    CHECK(csv_source_open(str_of(path), &o, &s, &err) == OK);
    CHECK(csv_source_next(s, (CsvLimit){0}, &raw, &err) == OK && raw);
    CHECK(raw_index(raw, &err) == OK && raw->n_rows == N_ROWS);
    csv_source_close(s);
    unlink(path);
    strcpy(path + sizeof path - 7, "XXXXXX");
    return raw;
}

static Column *column_make(Type t, uint32_t n, bool odd)
{
    Column *c = column_new(t, false, n);
    Heap *h = heap_new(n * 100ull + 64);
    for (uint32_t i = 0; i < n; i++) {
        char cell[100];
        uint32_t len = text_make(cell, odd);
        int64_t v = (int64_t)random_below(UINT32_MAX) >> random_below(32);
        if (t == TYPE_STRING) {
            len += !odd && len == 0;
            char *p = heap_alloc(h, len);
            memcpy(p, cell, len);
            column_strs(c)[i] = (StrView){p, len, 0};
        } else if (t == TYPE_FLOAT) {
            column_floats(c)[i] = (double)v / 1000;
        } else if (t == TYPE_BOOL) {
            column_bools(c)[i] = v & 1;
        } else {
            column_ints(c)[i] = t == TYPE_DATE ? v % 100000 : v * (random_below(2) ? 1 : -3);
        }
    }
    if (t == TYPE_STRING)
        column_add_heap(c, h);
    heap_unref(h);
    for (uint32_t k = random_below(3); k; k--) {
        uint32_t row = random_below(n);
        if (!c->valid)
            column_own_valid(c, true);
        bit_clear(c->valid, row);
        if (t == TYPE_STRING)
            column_strs(c)[row] = (StrView){"", 0, 0};
    }
    return c;
}

/* --- one cell after the other ------------------------------------------------------------ */

static bool is_same(const CsvDialect *a, const CsvDialect *b)
{
    return a->delimiter == b->delimiter && a->quote == b->quote && b->null_word.len == 0;
}

static void put_cell(Buf *out, const Batch *b, uint32_t row, uint32_t col, const CsvDialect *d)
{
    const Slot *slot = &b->slots[col];
    Heap *unquoted = NULL;
    if (slot->raw_col >= 0) {
        StrView cell = raw_cell(b->raw, b->sel ? b->sel[row] : row, (uint32_t)slot->raw_col);
        const CsvDialect *from = &b->raw->input->dialect;
        if (is_same(from, d))
            buf_put(out, cell.ptr, cell.len);
        else if (csv_cell_is_null(cell, from))
            buf_put_str(out, d->null_word.len ? d->null_word : (Str){cell.ptr, cell.len});
        else
            csv_put_text(out, csv_cell_text(cell, from->quote, &unquoted), d);
    } else if (!column_is_valid(slot->values, row)) {
        buf_put_str(out, d->null_word);
    } else {
        Buf text = {0};
        value_print(&text, column_value(slot->values, row));
        csv_put_text(out, buf_str(&text), d);
        buf_deinit(&text);
    }
    heap_unref(unquoted);
}

static void check(uint64_t seed)
{
    static const Type TYPES[] = {TYPE_INT, TYPE_FLOAT, TYPE_BOOL, TYPE_STRING, TYPE_DATE,
                                 TYPE_TIMESTAMP, TYPE_DURATION, TYPE_SIZE};
    static const char DELIMITERS[] = ",;\t|.-1";
    random_state = seed;
    CsvDialect in = CSV_DEFAULT_DIALECT, d = CSV_DEFAULT_DIALECT;
    bool odd = random_below(3) > 0;
    if (random_below(3) == 0)
        d.delimiter = DELIMITERS[random_below(sizeof DELIMITERS - 1)];
    if (random_below(6) == 0)
        d.null_word = STR_LIT("1");
    RawRows *raw = raw_make(&in, odd, random_below(3) == 0);
    uint32_t n_rows = 1 + random_below(N_ROWS), n_cols = 1 + random_below(8);
    Batch *b = batch_new(n_rows, n_cols);
    b->raw = raw;
    if (n_rows < N_ROWS || random_below(2)) {
        b->sel = malloc(n_rows * sizeof *b->sel);
        for (uint32_t i = 0; i < n_rows; i++)
            b->sel[i] = random_below(N_ROWS);
    }
    for (uint32_t c = 0; c < n_cols; c++) {
        b->types[c] = TYPES[random_below(sizeof TYPES / sizeof *TYPES)];
        if (random_below(2))
            b->slots[c].raw_col = (int32_t)(random_below(2) ? random_below(N_READ) : c % N_READ);
        else
            b->slots[c].values = column_make(b->types[c], n_rows, odd);
    }
    Buf got = {0}, want = {0};
    buf_puts(&got, "before\n");
    buf_puts(&want, "before\n");
    csv_write_rows(&got, b, &d);
    for (uint32_t i = 0; i < n_rows; i++)
        for (uint32_t c = 0; c < n_cols; c++) {
            put_cell(&want, b, i, c, &d);
            buf_putc(&want, c + 1 < n_cols ? d.delimiter : '\n');
        }
    bool is_right = got.len == want.len && memcmp(got.ptr, want.ptr, got.len + 1) == 0;
    if (!is_right)
        printf("seed %llu: got\n%s\nwant\n%s\n", (unsigned long long)seed, got.ptr, want.ptr);
    CHECK(is_right);
    buf_deinit(&got);
    buf_deinit(&want);
    batch_unref(b);
}

/* csv_write_test SEED runs one of them. */
int main(int argc, char **argv)
{
    if (argc == 2)
        check(strtoull(argv[1], NULL, 10));
    for (uint64_t seed = 1; argc == 1 && seed <= 2000; seed++)
        check(seed);
    UNIT_END("csv_write");
}
