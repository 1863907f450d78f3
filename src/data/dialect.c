/* Read from below: dialect_guess. */
#include "data/dialect.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/utf8.h"
#include "base/value.h"
#include "data/csv_cell.h"
#include "data/csv_scan.h"
#include "data/sniff.h"

#define TRIED_BYTES (64u << 10) /* of the sample, for delimiters and quotes; all of a first line that is longer */
#define MAX_WIDTHS 32           /* different numbers of fields that are told apart */

/* ---- encoding and line ends ---- */

/* NUL bytes beside ASCII, at one side of it only: UTF-16 without a mark. */
static bool is_utf16_bare(const char *p, size_t n)
{
    size_t nuls[2] = {0, 0};
    n = n < 1024 ? n : 1024;
    for (size_t i = 0; i < n; i++)
        nuls[i & 1] += p[i] == '\0';
    return n >= 4 && (nuls[0] == 0) != (nuls[1] == 0) && nuls[0] + nuls[1] >= n / 4;
}

/* Not UTF-8 throughout: an 8-bit text, or UTF-8 in which less is bad than is good? */
static TextEncoding encoding_of_damaged(const char *p, size_t n, uint64_t *line)
{
    uint64_t n_good = 0, n_bad = 0, at = 1;
    for (size_t i = 0; i < n;) {
        uint32_t k = utf8_len(p + i, (uint32_t)(n - i));
        at += p[i] == '\n';
        n_good += k > 1;
        n_bad += k == 0;
        if (n_bad == 1 && k == 0)
            *line = at;
        i += k ? k : 1;
    }
    return n_good > n_bad ? TEXT_UTF8_DAMAGED : TEXT_8BIT;
}

static TextEncoding encoding_of(const char *p, size_t n, bool is_cut, uint64_t *damaged_line)
{
    size_t mark;
    text_utf16_is_big(p, n, &mark);
    if (mark || is_utf16_bare(p, n))
        return TEXT_UTF16;
    if (memchr(p, '\0', n))
        return TEXT_BINARY;
    uint32_t valid = utf8_valid_prefix((Str){p, (uint32_t)n});
    if (valid + (is_cut ? 4u : 0u) < n) /* a sample may end within a character */
        return encoding_of_damaged(p, n, damaged_line);
    return n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? TEXT_UTF8_MARK : TEXT_UTF8;
}

/* The same text in UTF-8; *n its bytes. */
static Heap *text_recoded(const char *p, size_t *n, TextCoding coding)
{
    Heap *out = heap_new(3 * *n + 8);
    size_t used, mark;
    bool is_bad, is_big = text_utf16_is_big(p, *n, &mark);
    if (coding == CODING_UTF16)
        *n = text_from_utf16(p + mark, *n - mark, is_big, out->bytes, out->cap, &used, &is_bad);
    else
        *n = text_from_1252(p, *n, out->bytes, out->cap, &used);
    return out;
}

static void line_ends(DialectGuess *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\r' && i + 1 < n && p[i + 1] == '\n')
            out->has_crlf = true, i++;
        else if (p[i] == '\r')
            out->has_cr = true;
        else if (p[i] == '\n')
            out->has_lf = true;
    }
}

/* ---- delimiter and quote ---- */

/* Letters, digits, and what stands in names and phrases; no delimiter of other dialects, no quote. */
static bool is_phrase(Str s)
{
    for (uint32_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80 ||
                  strchr(" .-_'()/&:+#%*!?@", c);
        if (!ok)
            return false;
    }
    return true;
}

static bool is_value(Str s)
{
    int64_t i;
    double f;
    bool b;
    return s.len == 0 || value_parse_int(s, &i) || value_parse_float(s, &f) || value_parse_bool(s, &b) ||
           value_parse_date(s, &i) || value_parse_timestamp(s, &i);
}

/* A value counts as much as a quoted text, a bare phrase a little less, anything else little. */
static double cell_score(StrView cell, char quote)
{
    Str s = {cell.ptr, cell.len};
    if (s.len >= 2 && s.ptr[0] == quote && s.ptr[s.len - 1] == quote)
        return 1;
    return is_value(s) ? 1 : is_phrase(s) ? 0.8 : 0.1;
}

/* Rows with so many fields, and how well their cells look. */
typedef struct Width {
    uint32_t n_fields;
    uint64_t n_rows;
} Width;

typedef struct Trial {
    Width widths[MAX_WIDTHS];
    uint32_t n_widths;
    double cells; /* sum of their scores */
    uint64_t n_cells, n_rows;
    uint64_t n_values; /* cells that are a number, a date, ... */
    bool is_open;
} Trial;

static void trial_row(Trial *t, uint32_t n_fields)
{
    uint32_t k = 0;
    while (k < t->n_widths && t->widths[k].n_fields != n_fields)
        k++;
    if (k == t->n_widths) {
        if (k == MAX_WIDTHS)
            return;
        t->widths[t->n_widths++] = (Width){.n_fields = n_fields};
    }
    t->widths[k].n_rows++;
    t->n_rows++;
}

/* Fields of one record, without its line end. */
static void trial_cells(Trial *t, const char *p, size_t n, char delimiter, char quote, uint32_t n_fields)
{
    size_t at = 0;
    while (n && (p[n - 1] == '\n' || p[n - 1] == '\r'))
        n--;
    for (uint32_t f = 1; f <= n_fields; f++) {
        size_t next = f < n_fields ? csv_record(p, n, delimiter, quote, f).field_at : n + 1;
        Str cell = {p + at, (uint32_t)(next - 1 - at)};
        t->cells += cell_score((StrView){cell.ptr, cell.len, 0}, quote);
        t->n_values += cell.len && is_value(cell);
        t->n_cells++;
        at = next;
    }
}

#define TRIED_WIDTH 64 /* fields of a row whose look counts: csv_record looks from the row's start each time */

static Trial try_dialect(const char *p, size_t n, bool is_all, char delimiter, char quote)
{
    Trial t = {.n_rows = 0};
    for (size_t at = 0; at < n;) {
        CsvRecord r = csv_record(p + at, n - at, delimiter, quote, 0);
        bool is_last = at + r.n_bytes >= n;
        if (is_last && r.is_open)
            t.is_open = true;
        if (is_last && !is_all && t.n_rows) /* it may be cut */
            break;
        bool is_blank = p[at] == '\n' || p[at] == '\r';
        if (!is_blank) {
            trial_row(&t, r.n_fields);
            trial_cells(&t, p + at, r.n_bytes, delimiter, quote, r.n_fields < TRIED_WIDTH ? r.n_fields : TRIED_WIDTH);
        }
        at += r.n_bytes;
    }
    return t;
}

static double trial_score(const Trial *t)
{
    double pattern = 0;
    if (!t->n_rows || !t->n_cells)
        return 0;
    for (uint32_t k = 0; k < t->n_widths; k++) {
        double share = (double)t->widths[k].n_rows, fields = t->widths[k].n_fields;
        double more = fields > 1 ? (fields - 1) / fields : 0.001;
        pattern += share * more;
    }
    pattern /= (double)t->n_widths * (double)t->n_rows;
    return pattern * t->cells / (double)t->n_cells * (t->is_open ? 0.1 : 1);
}

static uint32_t usual_width(const Trial *t)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < t->n_widths; k++)
        if (t->widths[k].n_rows > t->widths[best].n_rows)
            best = k;
    return t->n_widths ? t->widths[best].n_fields : 1;
}

/* Does the quote stand where a field begins? */
static bool quote_is_used(const char *p, size_t n, char delimiter, char quote)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] == quote && (i == 0 || p[i - 1] == delimiter || p[i - 1] == '\n' || p[i - 1] == '\r'))
            return true;
    return false;
}

static uint32_t guess_form(DialectGuess *out, const char *p, size_t n, bool is_all)
{
    static const char DELIMITERS[] = ",;\t|\x1f :";
    double best = -1;
    uint32_t width = 1;
    const char *line_end = memchr(p, '\n', n);
    size_t first = line_end ? (size_t)(line_end - p) + 1 : n, tried = first > TRIED_BYTES ? first : n < TRIED_BYTES ? n : TRIED_BYTES;
    for (const char *d = DELIMITERS; *d; d++) {
        for (int q = 0; q < 2; q++) {
            char quote = "\"'"[q];
            if (!memchr(p, *d, tried) || (q && !quote_is_used(p, tried, *d, quote)))
                continue;
            Trial t = try_dialect(p, tried, is_all && tried == n, *d, quote);
            bool is_weak = *d == ' ' || *d == ':'; /* names and times hold it too */
            if (is_weak && (t.n_widths > 1 || t.n_values == 0))
                continue;
            double score = trial_score(&t) * (is_weak ? 0.7 : 1) * (q ? 0.99 : 1);
            if (score > best) {
                best = score;
                width = usual_width(&t);
                out->dialect.delimiter = *d;
                out->dialect.quote = quote;
            }
        }
    }
    if (width == 1) { /* nothing divides most rows */
        out->dialect.delimiter = ',';
        out->dialect.quote = '"';
    }
    return width;
}

/* ---- rows ---- */

/* The rows of p[0..n), up to the first that is ragged; NULL: none. in (may be NULL) gets a reference to what the header
 * says, NULL when there is none that can be read. */
static RawRows *rows_of(const char *p, size_t n, const CsvDialect *d, bool is_all, CsvInput **in, Error *err)
{
    CsvSample *look = xcalloc(1, sizeof *look);
    *look = (CsvSample){.block = heap_new(n + 1), .n_bytes = n, .at_eof = is_all};
    memcpy(look->block->bytes, p, n);
    CsvReadOptions o = {.dialect = *d, .sample = look};
    CsvSource *source = NULL;
    RawRows *raw = NULL;
    if (in)
        *in = NULL;
    if (csv_source_open(STR_LIT("sample"), &o, &source, err) != OK)
        return NULL;
    if (in)
        *in = csv_input_ref((CsvInput *)csv_source_input(source));
    if (csv_source_next(source, (CsvLimit){.bytes = CSV_BATCH_MAX}, &raw, NULL) == OK && raw)
        raw_index(raw, NULL);
    csv_source_close(source);
    return raw;
}

/* Counts the rows of `width` fields and the others; returns where the first of that width begins. What stands before that one
 * is no part of the table. */
static size_t count_rows(DialectGuess *out, const char *p, size_t n, bool is_all, uint32_t width)
{
    uint64_t line = 1;
    size_t begin = n;
    for (size_t at = 0; at < n;) {
        CsvRecord r = csv_record(p + at, n - at, out->dialect.delimiter, out->dialect.quote, 0);
        bool is_blank = p[at] == '\n' || p[at] == '\r';
        if (at + r.n_bytes >= n && !is_all && at)
            break;
        if (!is_blank && r.n_fields == width && !r.is_open) {
            if (begin == n) {
                begin = at;
                out->first_line = line;
            }
            out->n_rows++;
        } else if (!is_blank && begin < n && !r.is_open && out->n_ragged++ == 0) {
            out->ragged_line = line;
            out->ragged_fields = r.n_fields;
        }
        if (r.is_open && is_all)
            out->open_line = line + csv_count_lines(p + at, r.open_at);
        line += csv_count_lines(p + at, r.n_bytes);
        at += r.n_bytes;
    }
    return begin < n ? begin : 0;
}

/* ---- header ---- */

static Str first_cell(const RawRows *raw, uint32_t col, Heap **heap)
{
    return csv_cell_text(raw_cell(raw, 0, col), raw->input->dialect.quote, heap);
}

/* Is the first row, read as data, a header? cols: types of the rows behind it. */
static bool looks_like_header(const RawRows *raw, const CatalogCol *cols, Arena *a, Str *trouble)
{
    Heap *heap = NULL;
    Map names;
    bool has_value = false, differs = false;
    *trouble = (Str){0};
    map_init(&names, a);
    for (uint32_t c = 0; c < raw->n_cols; c++) {
        Str s = arena_str(a, first_cell(raw, c, &heap));
        bool value = s.len && is_value(s);
        has_value |= value;
        differs |= !value && s.len && cols[c].type != TYPE_STRING;
        if (s.len == 0)
            *trouble = arena_printf(a, "the name of column %u is empty", c + 1);
        if (s.len && map_get(&names, s))
            *trouble = arena_printf(a, "`%.*s` comes twice", STR_ARG(s));
        map_put(&names, s, &names);
    }
    heap_unref(heap);
    return differs || !has_value;
}

/* Types of raw without its first row. */
static void types_behind_first(const RawRows *raw, Arena *a, CatalogCol *cols)
{
    RawRows rest = *raw;
    rest.start = raw->start + raw->stride;
    rest.n_rows = raw->n_rows - 1;
    sniff_types(&rest, a, cols);
}

static void guess_header(DialectGuess *out, const RawRows *raw, Arena *a)
{
    CatalogCol *cols = arena_array(a, CatalogCol, raw->n_cols);
    if (raw->n_rows > 1)
        types_behind_first(raw, a, cols);
    else
        for (uint32_t c = 0; c < raw->n_cols; c++)
            cols[c] = (CatalogCol){.type = TYPE_STRING};
    out->dialect.has_header = looks_like_header(raw, cols, a, &out->header_trouble);
    if (!out->dialect.has_header)
        out->header_trouble = (Str){0};
    else if (out->header_trouble.len)
        out->dialect.has_header = false;
}

/* ---- null words ---- */

/* How many string columns get a type when the word is null. */
static uint32_t null_word_gain(const RawRows *raw, const CatalogCol *cols, Str word, Arena *a)
{
    uint32_t gain = 0;
    CsvInput input = *raw->input;
    RawRows with = *raw;
    input.dialect.null_word = word;
    with.input = &input;
    CatalogCol *typed = arena_array(a, CatalogCol, raw->n_cols);
    sniff_types(&with, a, typed);
    for (uint32_t c = 0; c < raw->n_cols; c++)
        gain += cols[c].type == TYPE_STRING && typed[c].type != TYPE_STRING;
    return gain;
}

static void guess_null_word(DialectGuess *out, const RawRows *raw, const CatalogCol *cols, Arena *a)
{
    uint32_t best = 0;
    for (size_t k = 0; NULL_WORDS[k]; k++) {
        Str word = str_of(NULL_WORDS[k]);
        bool is_odd = false; /* sniffing again is worth while where the word stands in the way */
        for (uint32_t c = 0; c < raw->n_cols && !is_odd; c++)
            is_odd = cols[c].type == TYPE_STRING && (cols[c].almost == TYPE_ERROR || str_eq(cols[c].odd_value, word));
        uint32_t gain = is_odd ? null_word_gain(raw, cols, word, a) : 0;
        if (gain > best) {
            best = gain;
            out->dialect.null_word = word;
        }
    }
}

/* ---- all of it ---- */

static void columns(DialectGuess *out, const RawRows *raw, Arena *a)
{
    CatalogCol *cols = arena_array(a, CatalogCol, raw->n_cols);
    sniff_types(raw, a, cols);
    out->n_cols = raw->n_cols;
    out->cols = arena_array(a, DialectCol, raw->n_cols);
    for (uint32_t c = 0; c < raw->n_cols; c++) {
        out->cols[c].col = cols[c];
        if (cols[c].type == TYPE_STRING)
            cell_form_guess(raw, c, &out->cols[c], a);
    }
}

/* A header without rows. */
static void names_only(DialectGuess *out, const CsvInput *in, Arena *a)
{
    out->n_cols = in->n_cols;
    out->cols = arena_array(a, DialectCol, in->n_cols);
    for (uint32_t c = 0; c < in->n_cols; c++)
        out->cols[c].col = (CatalogCol){.name = arena_str(a, in->names[c]), .type = TYPE_STRING, .almost = TYPE_ERROR};
}

/* Of a text in UTF-8. */
static Status guess_text(DialectGuess *out, const char *p, size_t n, Arena *a, Error *err)
{
    if (out->encoding == TEXT_UTF8_MARK)
        p += 3, n -= 3;
    out->is_json = n && p[0] == '{';
    if (out->is_json)
        return OK;
    line_ends(out, p, n);
    uint32_t width = guess_form(out, p, n, out->is_all);
    size_t begin = count_rows(out, p, n, out->is_all, width);
    static const char LONG_ROW[] = "the first row is longer than the sample: there is nothing to look at";
    if (out->n_rows == 0 && !out->open_line)
        return error_set(err, ERR_DATA, "%s", out->is_all ? "this input has no header, only blank lines" : LONG_ROW);
    p += begin;
    n -= begin;
    out->dialect.has_header = false;
    CsvInput *in = NULL;
    RawRows *raw = rows_of(p, n, &out->dialect, out->is_all, NULL, err);
    if (!raw && out->open_line) /* all is one open quote */
        return OK;
    if (!raw) /* a row was counted, and it is cut */
        return error_set(err, ERR_DATA, LONG_ROW);
    guess_header(out, raw, a);
    if (out->dialect.has_header) {
        raw_unref(raw);
        raw = rows_of(p, n, &out->dialect, out->is_all, &in, err);
    }
    if (raw) {
        CatalogCol *cols = arena_array(a, CatalogCol, raw->n_cols);
        sniff_types(raw, a, cols);
        guess_null_word(out, raw, cols, a);
    }
    if (raw && out->dialect.null_word.len) {
        raw_unref(raw);
        raw = rows_of(p, n, &out->dialect, out->is_all, NULL, err);
    }
    if (raw)
        columns(out, raw, a);
    else if (in)
        names_only(out, in, a);
    raw_unref(raw);
    csv_input_unref(in);
    if (out->dialect.has_header && out->n_rows)
        out->n_rows--;
    return OK;
}

Status dialect_guess(const CsvSample *sample, Arena *a, DialectGuess *out, Error *err)
{
    const char *p = sample->block->bytes;
    size_t n = sample->n_bytes;
    Heap *recoded = NULL;
    *out = (DialectGuess){.dialect = CSV_DEFAULT_DIALECT, .is_all = sample->at_eof};
    if (n == 0)
        return error_set(err, ERR_DATA, "this input is empty: not even a header");
    out->encoding = encoding_of(p, n, !sample->at_eof, &out->damaged_line);
    if (out->encoding == TEXT_BINARY)
        return OK;
    if (out->encoding == TEXT_UTF16 || out->encoding == TEXT_8BIT) {
        out->dialect.coding = out->encoding == TEXT_UTF16 ? CODING_UTF16 : CODING_1252;
        recoded = text_recoded(p, &n, out->dialect.coding);
        p = recoded->bytes;
    }
    Status st = guess_text(out, p, n, a, err);
    heap_unref(recoded);
    return st;
}
