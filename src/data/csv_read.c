#include "data/csv_read.h"

#include <stdlib.h>
#include <string.h>

#include "data/csv_head.h"
#include "data/csv_lib.h"
#include "data/csv_scan.h"
#include "data/reject.h"

#define MIB(n) ((n) >> 20)
/* Blocks in waiting: as many as there may be threads that index one at the same time. */
#define IDLE_BLOCKS 8

struct CsvSource {
    CsvSample *from;    /* the input, its end */
    CsvInput *input;
    Str file;           /* in input's arena once the header is read */
    char delimiter, quote;
    HeapPool *pool;
    Heap *block;        /* bytes[at..end) are read and not handed out */
    size_t at, end;
    uint64_t line;      /* of bytes[at], from 1 */
    uint64_t offset;    /* of bytes[at] in the input */
    uint64_t row;       /* rows handed out */
    Rejects *rejects;   /* NULL: an open quote is an error */
};

/* --- bytes ------------------------------------------------------------------------------- */

static bool is_stdin(Str path)
{
    return str_is(path, "stdin") || str_is(path, "-");
}

Status csv_sample_open(Str path, TextCoding coding, size_t want, CsvSample **out, Error *err)
{
    CsvSample *s = xcalloc(1, sizeof *s);
    Status st = input_open(path, coding, &s->in, err);
    if (st == OK)
        st = csv_sample_more(s, want, err);
    if (st != OK) {
        csv_sample_free(s);
        s = NULL;
    }
    *out = s;
    return st;
}

Status csv_sample_more(CsvSample *s, size_t want, Error *err)
{
    Status st = OK;
    /* One byte more, for a line end that the last line may lack. */
    Heap *block = heap_new(want + 1);
    if (s->block)
        memcpy(block->bytes, s->block->bytes, s->n_bytes);
    while (st == OK && !s->at_eof && s->n_bytes < want) {
        size_t got;
        st = input_read(s->in, block->bytes + s->n_bytes, want - s->n_bytes, &got, err);
        s->n_bytes += got;
        s->at_eof = st == OK && got == 0;
    }
    heap_unref(s->block);
    s->block = block;
    return st;
}

void csv_sample_free(CsvSample *s)
{
    if (!s)
        return;
    input_close(s->in);
    heap_unref(s->block);
    free(s);
}

/* Makes room for n bytes behind bytes[at..end): what is not handed out moves to a new block
 * (a record that straddles blocks is copied once, unless it is longer than a block). */
static void room_make(CsvSource *s, size_t n)
{
    if (s->block && s->block->cap - s->end >= n + 1)
        return;
    size_t kept = s->end - s->at;
    Heap *block = kept + n + 1 <= CSV_BATCH_AUTO + 1 ? heap_pool_get(s->pool)
                                                     : heap_new(kept + n + 1);
    if (kept)
        memcpy(block->bytes, s->block->bytes + s->at, kept);
    heap_unref(s->block);
    heap_settle(block, kept);
    s->block = block;
    s->at = 0;
    s->end = kept;
}

/* Nothing follows; the last line gets the LF that it lacks. */
static void input_end(CsvSource *s)
{
    s->from->at_eof = true;
    if (s->end > s->at && s->block->bytes[s->end - 1] != '\n') {
        room_make(s, 1);
        s->block->bytes[s->end++] = '\n';
        heap_settle(s->block, s->end);
    }
}

/* Reads until bytes[at..end) are at least `need` bytes or the input ends. A new block has room for `want`. */
static Status fill(CsvSource *s, size_t need, size_t want, Error *err)
{
    while (!s->from->at_eof && s->end - s->at < need) {
        size_t got = 0;
        if (!s->from->in) { /* only a sample: what its last record lacks is not known */
            s->from->at_eof = true;
            return OK;
        }
        if (!s->block || s->block->cap - s->at <= need)
            room_make(s, want - (s->end - s->at));
        /* One byte stays for input_end(). */
        Status st = input_read(s->from->in, s->block->bytes + s->end,
                               s->block->cap - s->end - 1, &got, err);
        if (st != OK)
            return st;
        s->end += got;
        heap_settle(s->block, s->end);
        if (got == 0)
            input_end(s);
    }
    return OK;
}

/* --- records ----------------------------------------------------------------------------- */

/* The record behind scan->end is too long, or its quote is open. */
static Status record_error(CsvSource *s, const CsvScan *scan, Error *err)
{
    const char *record = s->block->bytes + s->at + scan->end;
    size_t n = s->end - s->at - scan->end;
    CsvRecord r = csv_record(record, n, s->delimiter, s->quote, 0);
    size_t at = r.is_open ? r.open_at : 0;
    uint64_t line = s->line + scan->end_lines;
    if (r.is_open && s->from->at_eof)
        error_set(err, ERR_DATA,
                  "a quote that opens here is never closed: close it, or double it inside a "
                  "quoted field");
    else if (r.is_open)
        error_set(err, ERR_DATA,
                  "a quote that opens here is not closed within %u MiB, the longest row: "
                  "close it, or double it inside a quoted field",
                  MIB(CSV_RECORD_MAX));
    else
        error_set(err, ERR_DATA, "this row is longer than %u MiB, the longest that is read",
                  MIB(CSV_RECORD_MAX));
    if (err && r.is_open)
        err->row_error = ROW_ERROR_QUOTE;
    line += csv_count_lines(record, at);
    error_at(err, s->file, line, s->offset + scan->end + at);
    return ERR_DATA;
}

/* Scans bytes[at..) on, reading as needed, until there are `records`, or fewer before the end or a bad one. */
static Status scan_records(CsvSource *s, CsvScan *scan, uint64_t records, Error *err)
{
    while (scan->n_records < records) {
        size_t have = s->end - s->at;
        if (scan->at < have) {
            csv_scan(scan, s->block->bytes + s->at + scan->at, have - scan->at, records);
            continue;
        }
        if (have - scan->end > CSV_RECORD_MAX)
            return scan->n_records ? OK : record_error(s, scan, err);
        if (have >= CSV_BATCH_MAX) {
            error_set(err, ERR_DATA, "a batch of %llu rows is larger than 1 GiB: choose fewer",
                      (unsigned long long)records);
            error_at(err, s->file, s->line, s->offset);
            return ERR_DATA;
        }
        if (s->from->at_eof) {
            /* A sample is cut anywhere: its last record is left alone. */
            bool is_bad = s->from->in && csv_scan_is_open(scan);
            return is_bad && !scan->n_records ? record_error(s, scan, err) : OK;
        }
        /* As much again, so that a long record is copied a few times only. */
        size_t want = have < CSV_BATCH_AUTO / 2 ? CSV_BATCH_AUTO : 2 * have;
        Status st = fill(s, have + 1, want, err);
        if (st != OK)
            return st;
    }
    return OK;
}

void csv_source_lenient(CsvSource *s, Rejects *bad)
{
    s->rejects = bad;
}

/* The record behind scan->end has a quote that is never closed: err tells where. What follows its line is read. */
static void record_drop(CsvSource *s, const CsvScan *scan, const Error *err)
{
    const char *p = s->block->bytes + s->at + scan->end;
    size_t have = s->end - s->at - scan->end, n = (size_t)(err->byte - s->offset - scan->end);
    while (n < have && p[n] != '\n' && p[n] != '\r')
        n++;
    Reject what = {.kind = ROW_ERROR_QUOTE, .message = str_of(err->text)};
    rejects_place_raw(&what, s->file, err->line, err->byte, (Str){p, (uint32_t)n});
    rejects_next_group(s->rejects);
    rejects_put(s->rejects, &what);
    n += n < have;
    n += n < have && p[n - 1] == '\r' && p[n] == '\n';
    s->at += scan->end + n;
    s->offset += scan->end + n;
    s->line += scan->end_lines + csv_count_lines(p, n);
}

static Status next_range(CsvSource *s, CsvLimit limit, CsvScan *found, Error *err)
{
    CsvScan scan;
    csv_scan_init(&scan, s->delimiter, s->quote, s->input->n_cols > 1);
    Status st;
    if (limit.rows == 0) {
        uint64_t want = limit.bytes ? limit.bytes : CSV_BATCH_AUTO;
        size_t target = want < CSV_BATCH_MAX ? (size_t)want : CSV_BATCH_MAX;
        st = fill(s, target, target, err);
        if (st != OK)
            return st;
        size_t have = s->end - s->at;
        if (have)
            csv_scan(&scan, s->block->bytes + s->at, have < target ? have : target,
                     UINT64_MAX);
    }
    uint64_t records = limit.rows ? limit.rows : 1;
    st = scan_records(s, &scan, records < UINT32_MAX ? records : UINT32_MAX, err);
    *found = scan;
    return st;
}

Status csv_source_next(CsvSource *s, CsvLimit limit, RawRows **out, Error *err)
{
    *out = NULL;
    CsvScan scan;
    Error why = {0};
    Status st = next_range(s, limit, &scan, s->rejects ? &why : err);
    for (; s->rejects && st == ERR_DATA && why.row_error == ROW_ERROR_QUOTE; st = next_range(s, limit, &scan, &why)) {
        record_drop(s, &scan, &why);
        why = (Error){0};
    }
    if (st != OK && s->rejects && err)
        *err = why;
    if (st != OK || scan.n_records == 0)
        return st;

    RawRows *raw = xcalloc(1, sizeof *raw);
    atomic_init(&raw->refs, 1);
    raw->input = csv_input_ref(s->input);
    raw->block = heap_ref(s->block);
    raw->bytes = raw->cells = s->block->bytes + s->at;
    raw->n_bytes = scan.end;
    raw->first_row = s->row;
    raw->first_line = s->line;
    raw->first_byte = s->offset;
    raw->n_rows = (uint32_t)scan.n_records;
    raw->n_cols = raw->stride = s->input->n_cols;
    raw->is_row_a_line = scan.end_lines == scan.n_records;
    s->at += scan.end;
    s->line += scan.end_lines;
    s->offset += scan.end;
    s->row += scan.n_records;
    *out = raw;
    return OK;
}

/* --- open -------------------------------------------------------------------------------- */

/* Looks at the first bytes: a mark to drop, or something that is no CSV text. */
static Status check_start(CsvSource *s, Error *err)
{
    Status st = fill(s, 3, CSV_BATCH_AUTO, err);
    if (st != OK)
        return st;
    const char *p = s->block ? s->block->bytes + s->at : "";
    size_t n = s->end - s->at;
    if (n == 0)
        st = error_set(err, ERR_DATA, "this input is empty: not even a header");
    else if (n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0))
        st = error_set(err, ERR_DATA,
                       "this is UTF-16: say so, `with (encoding: \"utf-16\")`");
    else if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        s->at += 3, s->offset += 3;
    if (st != OK)
        error_at(err, s->file, n ? 1 : 0, 0);
    return st;
}

static Status read_head(CsvSource *s, const CsvReadOptions *o, Error *err)
{
    CsvScan scan;
    csv_scan_init(&scan, s->delimiter, s->quote, true);
    Status st = scan_records(s, &scan, 1, err);
    if (st != OK)
        return st;
    bool has_none = scan.n_records == 0 && (o->dialect.has_header || s->end == s->at);
    if (has_none && csv_record(s->block->bytes + s->at, s->end - s->at, s->delimiter, s->quote, 0).is_open)
        return record_error(s, &scan, err);
    if (has_none) {
        error_set(err, ERR_DATA, "this input has no header, only blank lines");
        error_at(err, s->file, 1, 0);
        return ERR_DATA;
    }
    const char *record = s->block->bytes + s->at;
    size_t blank = 0;
    while (scan.n_records && (record[blank] == '\n' || record[blank] == '\r'))
        blank++;
    st = csv_head_read(s->file, o, record + blank, scan.end - blank,
                       s->line + csv_count_lines(record, blank), s->offset + blank,
                       &s->input, err);
    if (st != OK)
        return st;
    s->file = s->input->file;
    if (o->dialect.has_header) {
        s->at += scan.end;
        s->line += scan.end_lines;
        s->offset += scan.end;
    }
    return OK;
}

Status csv_source_open(Str path, const CsvReadOptions *o, CsvSource **out, Error *err)
{
    CsvSource *s = xcalloc(1, sizeof *s);
    Status st = OK;
    *out = NULL;
    s->file = is_stdin(path) ? STR_LIT("stdin") : path;
    s->delimiter = o->dialect.delimiter;
    s->quote = o->dialect.quote;
    s->line = 1;
    s->pool = heap_pool_new(CSV_BATCH_AUTO + 1, IDLE_BLOCKS);
    s->from = o->sample;
    if (!s->from)
        st = csv_sample_open(path, o->dialect.coding, 0, &s->from, err);
    if (st != OK)
        goto done;
    s->block = s->from->block;
    s->from->block = NULL;
    s->end = s->from->n_bytes;
    if (s->block)
        heap_settle(s->block, s->end);
    if (s->from->at_eof)
        input_end(s);
    st = check_start(s, err);
    if (st == OK)
        st = read_head(s, o, err);
done:
    if (st != OK) {
        csv_source_close(s);
        s = NULL;
    }
    *out = s;
    return st;
}

void csv_source_close(CsvSource *s)
{
    if (!s)
        return;
    csv_sample_free(s->from);
    csv_input_unref(s->input);
    heap_unref(s->block);
    heap_pool_unref(s->pool);
    free(s);
}

const CsvInput *csv_source_input(const CsvSource *s)
{
    return s->input;
}

/* --- index ------------------------------------------------------------------------------- */

void raw_ragged_text(const RawRows *raw, uint32_t n_fields, Error *err)
{
    const CsvDialect *d = &raw->input->dialect;
    error_set(err, ERR_DATA,
              "this row has %u field%s, the %s has %u: quote a field that holds the delimiter "
              "`%c`, or correct the row",
              n_fields, n_fields == 1 ? "" : "s", d->has_header ? "header" : "first row",
              raw->n_cols, d->delimiter);
    if (err)
        err->row_error = ROW_ERROR_RAGGED;
}

Status raw_ragged(const RawRows *raw, size_t at, uint32_t n_fields, Error *err)
{
    const CsvDialect *d = &raw->input->dialect;
    raw_ragged_text(raw, n_fields, err);
    error_at(err, raw->input->file, raw->first_line + csv_count_lines(raw->bytes, at),
             raw->first_byte + at);
    if (err) {
        size_t n = csv_record(raw->bytes + at, raw->n_bytes - at, d->delimiter, d->quote, 0)
                       .n_bytes;
        while (n && (raw->bytes[at + n - 1] == '\n' || raw->bytes[at + n - 1] == '\r'))
            n--;
        text_visible((Str){raw->bytes + at, (uint32_t)n}, err->value, sizeof err->value);
    }
    return ERR_DATA;
}

/* No text has a NUL byte, nor have the first n bytes of this one; keeps the rows before the one that has it. */
static Status nul_check(RawRows *raw, size_t n, Error *err)
{
    const char *nul = memchr(raw->bytes, '\0', n);
    if (!nul)
        return OK;
    size_t at = (size_t)(nul - raw->bytes);
    uint32_t rows = 0;
    while (rows < raw->n_rows && raw->start[(size_t)(rows + 1) * raw->stride] <= at)
        rows++;
    raw->n_rows = rows;
    error_set(err, ERR_DATA,
              "a NUL byte: this is no text, or it is UTF-16 (then say so, `with (encoding: \"utf-16\")`)");
    if (err)
        err->row_error = ROW_ERROR_NUL;
    error_at(err, raw->input->file, raw->first_line + csv_count_lines(raw->bytes, at),
             raw->first_byte + at);
    return ERR_DATA;
}

Status raw_index(RawRows *raw, Error *err)
{
    const CsvDialect *d = &raw->input->dialect;
    if (d->use_libcsv)
        return raw_index_libcsv(raw, NULL, err);
    CsvIndex ix;
    bool ok = csv_index(&ix, raw->bytes, raw->n_bytes, d->delimiter, d->quote, raw->n_cols);
    raw->start = ix.start;
    raw->n_rows = ix.n_rows;
    raw->has_gaps = ix.has_gaps;
    if (ok)
        return ix.has_nul ? nul_check(raw, raw->n_bytes, err) : OK;
    size_t at = ix.start[(size_t)ix.n_rows * raw->n_cols];
    while (raw->bytes[at] == '\n' || raw->bytes[at] == '\r')
        at++;
    /* The first mistake is told, however the input is cut into ranges. */
    size_t n = csv_record(raw->bytes + at, raw->n_bytes - at, d->delimiter, d->quote, 0).n_bytes;
    Status st = nul_check(raw, at + n, err);
    return st != OK ? st : raw_ragged(raw, at, ix.bad_fields, err);
}

/* Which of a row's starts are to be kept, in kept[n_cols]: its own, and of each wanted field its begin and that of the next
 * one, which is its end (of the last one: the next row's). Returns how many; fills raw->place. */
static uint32_t kept_make(RawRows *raw, const bool *wanted, uint32_t *kept)
{
    const CsvInput *in = raw->input;
    uint32_t n = 0;
    bool *is_kept = xcalloc(raw->n_cols + 1ull, sizeof *is_kept);
    is_kept[0] = true;
    for (uint32_t c = 0; c < in->n_schema; c++)
        if (wanted[c])
            is_kept[in->map[c]] = is_kept[in->map[c] + 1] = true;
    raw->place = xmalloc((raw->n_cols + 1ull) * sizeof *raw->place);
    for (uint32_t f = 0; f < raw->n_cols; f++) {
        raw->place[f] = is_kept[f] ? n : 0; /* of the others nobody asks */
        if (is_kept[f])
            kept[n++] = f;
    }
    free(is_kept);
    return n;
}

Status raw_index_wanted(RawRows *raw, const bool *wanted, Error *err)
{
    const CsvDialect *d = &raw->input->dialect;
    if (!wanted || !raw->input->map || d->use_libcsv)
        return raw_index(raw, err);
    uint32_t *kept = xmalloc((raw->n_cols + 1ull) * sizeof *kept);
    uint32_t n_kept = kept_make(raw, wanted, kept);
    CsvIndex ix = {0};
    bool ok = n_kept <= raw->n_cols / 2 && csv_index_some(&ix, raw->bytes, raw->n_bytes, d->delimiter, d->quote,
                                                          raw->n_cols, kept, n_kept, raw->n_rows);
    free(kept);
    if (ok) {
        raw->start = ix.start;
        raw->stride = n_kept;
        raw->has_gaps = ix.has_gaps;
        return OK;
    }
    /* Most are wanted, or something is wrong, and the rows before it count. */
    free(raw->place);
    raw->place = NULL;
    return raw_index(raw, err);
}

Status raw_check(RawRows *raw, Error *err)
{
    const CsvDialect *d = &raw->input->dialect;
    if (!d->use_libcsv &&
        csv_is_regular(raw->bytes, raw->n_bytes, d->delimiter, d->quote, raw->n_cols))
        return OK;
    return raw_index(raw, err);
}
