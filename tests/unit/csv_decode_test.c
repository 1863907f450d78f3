/* The loops over cells against value_parse_*, which go byte by byte: every variant, rows in order and chosen ones,
 * cells of all lengths of the bytes that matter, and cells that must be of the common form. */
#include "data/csv_decode.h"

#include <math.h>
#include <stdlib.h>

#include "base/simd.h"
#include "unit.h"

#define ROWS 700u
#define COLS 3u

static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 32) * n >> 32);
}

/* A number of n digits that count, with a sign or not, with a point at any place or none. */
static void number_make(Buf *b, uint32_t n, bool has_point)
{
    uint32_t at = has_point ? below(n + 1) : n + 1;
    if (below(4) == 0)
        buf_putc(b, '-');
    for (uint32_t i = 0; i <= n; i++) {
        if (i == at)
            buf_putc(b, '.');
        if (i < n)
            buf_putc(b, (char)('0' + below(10)));
    }
}

static void any_make(Buf *b)
{
    static const char *const ODD[] = {"-",   ".",   "-.",   "--1",   "1-",   "1.2.3", "..",   "5.",  ".5",
                                      "-0",  "-.5", "0",    "00",    "+1",   "1e5",   "nan",  "inf", "1 ",
                                      " 1",  "1/",  "1:",   "/1",    "-0.0", "true",  "tru",  "false",
                                      "True", "falsee", "\"1\"", "\"\"", "12345678", "-12345678", "123456789",
                                      "1234567.", "-.1234567", "9999999999999999", "99999999999999999",
                                      "\xff\xff", "1\x80", "12345678901234.5", "1234567890123456.", "x,y"};
    const char *odd = ODD[below(sizeof ODD / sizeof *ODD)];
    for (uint32_t n = 1 + below(3); below(3) == 0 && n; n--) /* or a few letters */
        buf_putc(b, "-.0123456789e"[below(13)]);
    if (b->len == 0 || b->ptr[b->len - 1] == '\n' || b->ptr[b->len - 1] == ',')
        for (; *odd && *odd != ','; odd++)
            buf_putc(b, *odd);
}

/* Often the ends of months, and days that no month has; one character may be another one, or be missing. */
static void date_make(Buf *b, bool with_time)
{
    static const uint32_t YEARS[] = {2024, 2023, 1900, 2000, 1, 9999, 1970, 2100};
    static const uint32_t DAYS[] = {28, 29, 30, 31, 1, 32, 15, 2};
    size_t start = b->len;
    uint32_t year = below(2) ? YEARS[below(8)] : below(10000), day = below(2) ? DAYS[below(8)] : 1 + below(28);
    buf_printf(b, "%04u-%02u-%02u", year, below(20) == 0 ? 0 : 1 + below(12) + (below(20) == 0), day - (below(20) == 0));
    if (with_time) {
        bool is_odd = below(10) == 0;
        buf_printf(b, "%c%02u:%02u:%02u", "T T-"[below(is_odd ? 4 : 3)], below(24 + is_odd), below(60 + is_odd), below(60 + is_odd));
        uint32_t n_digits = below(3) ? 0 : 1 + below(7), z = below(12);
        for (uint32_t i = 0; i < n_digits; i++)
            buf_printf(b, i ? "%u" : ".%u", below(10));
        buf_puts(b, z < 6 ? "Z" : z == 6 ? "+01:00" : z == 7 && is_odd ? "." : "");
    }
    if (below(12) == 0)
        b->ptr[start + below((uint32_t)(b->len - start))] = "/:0-19 .\xb0\x10T"[below(11)];
    if (below(30) == 0)
        b->len -= 1 + below(9);
}

/* What the cells of the middle column are. */
typedef enum Kind {
    SHORT_INTS, LONG_INTS, SHORT_FLOATS, LONG_FLOATS, BOOLS, DATES, TIMESTAMPS, WITH_NULLS, ANY, N_KINDS
} Kind;

static uint32_t one_odd_in; /* of ANY */
static bool has_points;

static void cell_make(Buf *b, Kind kind)
{
    switch (kind) {
    case SHORT_INTS: number_make(b, 1 + below(7), false); break;
    case LONG_INTS: number_make(b, 1 + below(16), false); break;
    case SHORT_FLOATS: number_make(b, 1 + below(6), below(8) != 0); break;
    case LONG_FLOATS: number_make(b, 1 + below(15), below(8) != 0); break;
    case BOOLS: buf_puts(b, below(40) == 0 ? "" : below(2) ? "true" : "false"); break;
    case DATES: date_make(b, false); break;
    case TIMESTAMPS: date_make(b, true); break;
    case WITH_NULLS:
        if (below(3))
            number_make(b, 1 + below(7), false);
        break;
    case ANY:
        if (below(one_odd_in) == 0)
            any_make(b);
        else
            number_make(b, 1 + below(6), has_points && below(2));
        break;
    case N_KINDS: break;
    }
}

typedef struct Range {
    Buf text;
    uint32_t start[ROWS * COLS + 1];
    CsvInput input;
    RawRows raw;
} Range;

/* The column of interest is the first, the middle or the last. */
static void range_make(Range *r, Kind kind, uint32_t col, bool with_cr)
{
    buf_clear(&r->text);
    one_odd_in = below(2) ? 12 : 150; /* some chunks of rows have one, some have none */
    has_points = below(2);
    for (uint32_t i = 0; i < ROWS * COLS; i++) {
        r->start[i] = (uint32_t)r->text.len;
        if (i % COLS == col)
            cell_make(&r->text, kind);
        else if (below(2))
            buf_puts(&r->text, "abc");
        bool is_last = i % COLS + 1 == COLS;
        buf_puts(&r->text, !is_last ? "," : with_cr && below(2) ? "\r\n" : "\n");
    }
    r->start[ROWS * COLS] = (uint32_t)r->text.len;
    r->input.dialect = CSV_DEFAULT_DIALECT;
    r->raw = (RawRows){.input = &r->input, .bytes = r->text.ptr, .cells = r->text.ptr, .n_bytes = r->text.len,
                       .n_rows = ROWS, .n_cols = COLS, .stride = COLS, .start = r->start, .has_gaps = with_cr};
}

static bool same_float(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Is row i of out what the cell says? It was told to be of the common form. */
static bool is_right(const Column *out, uint32_t i, Str s)
{
    int64_t v;
    double f;
    bool b;
    bool is_valid = column_is_valid(out, i);
    if (s.len == 0 || !is_valid)
        return s.len == 0 && !is_valid;
    switch ((int)out->type) {
    case TYPE_INT: return value_parse_int(s, &v) && v == column_ints(out)[i];
    case TYPE_FLOAT: return value_parse_float(s, &f) && same_float(f, column_floats(out)[i]);
    case TYPE_DATE: return value_parse_date(s, &v) && v == column_ints(out)[i];
    case TYPE_TIMESTAMP: return value_parse_timestamp(s, &v) && v == column_ints(out)[i];
    case TYPE_BOOL: return value_parse_bool(s, &b) && b == column_bools(out)[i];
    default: return str_eq(s, (Str){column_strs(out)[i].ptr, column_strs(out)[i].len}) && s.ptr[0] != '"';
    }
}

/* May the loop leave the row to its caller? */
static bool may_be_left(Type t, uint32_t end_at, Str s)
{
    double f;
    int64_t v;
    if (t == TYPE_STRING)
        return s.len && (s.ptr[0] == '"' || s.ptr[0] == '\n' || s.ptr[0] == '\r');
    if (t == TYPE_DATE)
        return s.len != 10 || !value_parse_date(s, &v);
    if (t == TYPE_TIMESTAMP) {
        bool has_zone = memchr(s.ptr, '+', s.len) || (s.len > 19 && memchr(s.ptr + 19, '-', s.len - 19)) || s.len > 27 || (s.len == 27 && s.ptr[26] != 'Z');
        return s.len < 19 || has_zone || !value_parse_timestamp(s, &v) || s.ptr[16] != ':';
    }
    if (end_at <= 16)
        return true;
    if (t == TYPE_INT)
        return s.len > 16 || !value_parse_int(s, &v);
    if (t == TYPE_BOOL)
        return !str_is(s, "true") && !str_is(s, "false");
    return s.len > 16 || memchr(s.ptr, 'e', s.len) || !value_parse_float(s, &f) || !isfinite(f) ||
           s.ptr[s.len - 1] == 'y';
}

static uint32_t n_wrong;

static void test_column(SimdLevel level, const Range *r, Type t, uint32_t col, const uint32_t *sel)
{
    Column *out = column_new(t, false, ROWS);
    simd_use(level);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t stop = csv_decode_plain(&r->raw, col, sel, i, ROWS, out);
        for (; i <= stop && i < ROWS; i++) {
            StrView cell = raw_cell(&r->raw, sel ? sel[i] : i, col);
            Str s = {cell.ptr, cell.len};
            uint32_t end_at = r->start[(sel ? sel[i] : i) * COLS + col + 1] - 1;
            if (i < stop ? is_right(out, i, s) : may_be_left(t, end_at, s))
                continue;
            if (n_wrong++ < 10)
                printf("%s: %s `%.*s`, %s\n", simd_name(level), type_name(t), STR_ARG(s), i < stop ? "decoded" : "left");
        }
        i = stop;
    }
    column_unref(out);
}

int main(void)
{
    static Range r;
    static uint32_t sel[ROWS];
    const Type types[] = {TYPE_INT, TYPE_FLOAT, TYPE_BOOL, TYPE_STRING, TYPE_DATE, TYPE_TIMESTAMP};
    for (uint32_t round = 0; round < 100; round++)
        for (Kind kind = SHORT_INTS; kind < N_KINDS; kind++) {
            uint32_t col = below(COLS);
            range_make(&r, kind, col, below(3) == 0);
            for (uint32_t i = 0; i < ROWS; i++)
                sel[i] = below(ROWS);
            for (int level = 0; level < N_SIMD_LEVELS; level++)
                for (uint32_t k = 0; simd_has((SimdLevel)level) && k < 12; k++)
                    test_column((SimdLevel)level, &r, types[k / 2], col, k % 2 ? sel : NULL);
        }
    CHECK(n_wrong == 0);
    buf_deinit(&r.text);
    UNIT_END("csv_decode");
}
