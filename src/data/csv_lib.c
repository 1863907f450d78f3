#include "data/csv_lib.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv_cell.h"
#include "data/csv_scan.h"
#include "data/reject.h"

typedef struct Lib {
    const CsvDialect *dialect;
    const char *record; /* being read */
    size_t n_record;
    uint32_t n_fields;  /* of it so far */
    Buf text;
    CsvIndex ix;        /* start, n, cap are used */
} Lib;

static void start_put(Lib *lib)
{
    if (lib->ix.n == lib->ix.cap) {
        lib->ix.cap = 2 * lib->ix.cap + 64;
        lib->ix.start = xrealloc(lib->ix.start, lib->ix.cap * sizeof *lib->ix.start);
    }
    lib->ix.start[lib->ix.n++] = (uint32_t)lib->text.len;
}

/* libcsv tells a quoted empty field from a missing one, but not a quoted null word. */
static bool is_quoted(const Lib *lib)
{
    const CsvDialect *d = lib->dialect;
    CsvRecord r = csv_record(lib->record, lib->n_record, d->delimiter, d->quote, lib->n_fields);
    return lib->record[r.field_at] == d->quote;
}

static void on_field(void *bytes, size_t n, void *ctx)
{
    Lib *lib = ctx;
    const CsvDialect *d = lib->dialect;
    Str s = {bytes ? bytes : "", (uint32_t)n};
    if (lib->n_fields)
        start_put(lib);
    bool is_null_word = n && str_eq(s, d->null_word) && !is_quoted(lib);
    if (is_null_word)
        buf_put_str(&lib->text, s);
    else if (bytes)
        csv_put_text(&lib->text, s, d);
    buf_putc(&lib->text, d->delimiter);
    lib->n_fields++;
}

static int is_no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static void row_tell(const RawRows *raw, Rejects *bad, size_t at, size_t n, uint32_t row, const Error *err)
{
    Reject what = {.row = row, .kind = err->row_error, .message = str_of(err->text)};
    while (n && (raw->bytes[at + n - 1] == '\n' || raw->bytes[at + n - 1] == '\r'))
        n--;
    rejects_place_raw(&what, raw->input->file, raw->first_line + csv_count_lines(raw->bytes, at), raw->first_byte + at,
                      (Str){raw->bytes + at, (uint32_t)n});
    rejects_put(bad, &what);
}

Status raw_index_libcsv(RawRows *raw, Rejects *bad, Error *err)
{
    Lib lib = {.dialect = &raw->input->dialect};
    const CsvDialect *d = lib.dialect;
    struct csv_parser parser;
    Status st = OK;
    size_t at = 0;
    uint32_t n_rows = 0, cap_rows = raw->n_rows;
    const char *nul = memchr(raw->bytes, '\0', raw->n_bytes);
    uint32_t n_bad = 0;
    Error why = {0}, *told = err;
    if (bad)
        err = &why;
    if (csv_init(&parser, CSV_EMPTY_IS_NULL | CSV_REPALL_NL) != 0)
        return error_set(err, ERR_NOMEM, "libcsv does not start");
    csv_set_delim(&parser, (unsigned char)d->delimiter);
    csv_set_quote(&parser, (unsigned char)d->quote);
    csv_set_space_func(&parser, is_no_space); /* RFC 4180: spaces belong to the field */
    raw->row_at = xmalloc((cap_rows + 1) * sizeof *raw->row_at);
    start_put(&lib);

    /* Record by record, so that each row's place in the input is known for messages. */
    while (at < raw->n_bytes && st == OK) {
        CsvScan scan;
        csv_scan_init(&scan, d->delimiter, d->quote, false);
        csv_scan(&scan, raw->bytes + at, raw->n_bytes - at, 1);
        size_t n = scan.n_records ? (size_t)scan.end : raw->n_bytes - at;
        char first = raw->bytes[at];
        bool is_blank = first == '\n' || first == '\r';
        lib.record = raw->bytes + at;
        lib.n_record = n;
        lib.n_fields = 0;
        if (is_blank && raw->n_cols > 1) {
            at += n;
            continue;
        }
        if (nul && (size_t)(nul - raw->bytes) < at + n) {
            error_set(err, ERR_DATA,
                      "a NUL byte: this is no text, or it is UTF-16 (then say so, `with (encoding: \"utf-16\")`)");
            if (bad) {
                err->row_error = ROW_ERROR_NUL;
                row_tell(raw, bad, at, n, n_rows + n_bad++, err);
                at += n;
                nul = memchr(raw->bytes + at, '\0', raw->n_bytes - at);
                continue;
            }
            at = (size_t)(nul - raw->bytes);
            error_at(err, raw->input->file,
                     raw->first_line + csv_count_lines(raw->bytes, at), raw->first_byte + at);
            st = ERR_DATA;
            break;
        }
        uint32_t n_start = (uint32_t)lib.ix.n;
        size_t text_len = lib.text.len;
        if (csv_parse(&parser, lib.record, n, on_field, NULL, &lib) != n)
            st = error_set(err, ERR_DATA, "libcsv: %s", csv_strerror(csv_error(&parser)));
        else if (is_blank) /* a null in a table of one column */
            on_field(NULL, 0, &lib);
        if (st == OK && lib.n_fields != raw->n_cols)
            st = raw_ragged(raw, at, lib.n_fields, err);
        if (st != OK) {
            lib.ix.n = n_start;
            lib.text.len = text_len;
            if (!bad || err->row_error == ROW_ERROR_NONE)
                break;
            row_tell(raw, bad, at, n, n_rows + n_bad++, err);
            st = OK;
            at += n;
            continue;
        }
        lib.text.ptr[lib.text.len - 1] = '\n';
        start_put(&lib);
        raw->row_at[n_rows++] = (uint32_t)at;
        at += n;
    }
    csv_free(&parser);
    if (bad && st != OK && told)
        *told = why;
    raw->text = heap_new(lib.text.len);
    if (lib.text.len)
        memcpy(heap_alloc(raw->text, lib.text.len), lib.text.ptr, lib.text.len);
    raw->cells = raw->text->bytes;
    raw->start = lib.ix.start;
    raw->n_rows = n_rows;
    raw->has_gaps = false;
    buf_deinit(&lib.text);
    return st;
}
