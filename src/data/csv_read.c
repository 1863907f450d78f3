#include "data/csv_read.h"

#include <stdlib.h>
#include <string.h>

#include "data/csv_head.h"
#include "data/csv_lib.h"
#include "data/csv_scan.h"
#include "data/reject.h"

#define MIB(n) ((n) >> 20)

struct CsvSource {
    Feed feed;
    CsvInput *input;
    Str file;           /* in input's arena once the header is read */
    char delimiter, quote;
    Rejects *rejects;   /* NULL: an open quote is an error */
    size_t block_bytes; /* by which `batch auto` cuts */
    uint64_t open_to;   /* a quoted field that was open is not closed before this byte of the input; 0: none is known */
};

/* --- records ----------------------------------------------------------------------------- */

/* A quoted field begins at bytes[at] of a record at bytes[record] and is open as far as a record may go. */
static void quote_error(const CsvSource *s, size_t record, uint64_t line, size_t at, Error *err)
{
    if (s->feed.from->at_eof)
        error_set(err, ERR_DATA,
                  "a quote that opens here is never closed: close it, or double it inside a "
                  "quoted field");
    else
        error_set(err, ERR_DATA,
                  "a quote that opens here is not closed within %u MiB, the longest row: "
                  "close it, or double it inside a quoted field",
                  MIB(CSV_RECORD_MAX));
    if (err)
        err->row_error = ROW_ERROR_QUOTE;
    error_at(err, s->file, line + csv_count_lines(feed_text(&s->feed) + record, at), s->feed.offset + record + at);
}

/* The record behind scan->end is too long, or its quote is open. */
static Status record_error(CsvSource *s, const CsvScan *scan, Error *err)
{
    size_t n = feed_n_bytes(&s->feed) - scan->end;
    CsvRecord r = csv_record(feed_text(&s->feed) + scan->end, n, s->delimiter, s->quote, 0);
    uint64_t line = s->feed.line + scan->end_lines;
    if (r.is_open) {
        quote_error(s, scan->end, line, r.open_at, err);
    } else {
        error_set(err, ERR_DATA, "this row is longer than %u MiB, the longest that is read",
                  MIB(CSV_RECORD_MAX));
        error_at(err, s->file, line, s->feed.offset + scan->end);
    }
    return ERR_DATA;
}

/* Scans bytes[at..) on, reading as needed, until there are `records`, or fewer before the end or a bad one. */
static Status scan_records(CsvSource *s, CsvScan *scan, uint64_t records, Error *err)
{
    while (scan->n_records < records) {
        size_t have = feed_n_bytes(&s->feed);
        if (scan->at < have) {
            csv_scan(scan, feed_text(&s->feed) + scan->at, have - scan->at, records);
            continue;
        }
        if (have - scan->end > CSV_RECORD_MAX)
            return scan->n_records ? OK : record_error(s, scan, err);
        if (have >= CSV_BATCH_MAX) {
            error_set(err, ERR_DATA, "a batch of %llu rows is larger than 1 GiB: choose fewer",
                      (unsigned long long)records);
            error_at(err, s->file, s->feed.line, s->feed.offset);
            return ERR_DATA;
        }
        if (s->feed.from->at_eof) {
            /* A sample is cut anywhere: its last record is left alone. */
            bool is_bad = s->feed.from->in && csv_scan_is_open(scan);
            return is_bad && !scan->n_records ? record_error(s, scan, err) : OK;
        }
        /* As much again, so that a long record is copied a few times only. */
        size_t want = have < CSV_BATCH_AUTO / 2 ? CSV_BATCH_AUTO : 2 * have;
        Status st = feed_fill(&s->feed, have + 1, want, err);
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
    const char *p = feed_text(&s->feed) + scan->end;
    size_t have = feed_n_bytes(&s->feed) - scan->end, n = (size_t)(err->byte - s->feed.offset - scan->end);
    while (n < have && p[n] != '\n' && p[n] != '\r')
        n++;
    Reject what = {.kind = ROW_ERROR_QUOTE, .message = str_of(err->text)};
    rejects_place_raw(&what, s->file, err->line, err->byte, (Str){p, (uint32_t)n});
    rejects_next_group(s->rejects);
    rejects_put(s->rejects, &what);
    n += n < have;
    n += n < have && p[n - 1] == '\r' && p[n] == '\n';
    feed_skip(&s->feed, scan->end + n, scan->end_lines + csv_count_lines(p, n));
}

/* Scans what a block that was scanned before its turn adds, from where the scan stands. */
static void scan_add(CsvScan *scan, const CsvScan *block)
{
    if (block->end) { /* a row ends in it */
        scan->end = scan->at + block->end;
        scan->end_lines = scan->n_lines + block->end_lines;
    }
    scan->n_records += block->n_records;
    scan->n_lines += block->n_lines;
    scan->at += block->at;
    scan->state = block->state;
    scan->after_cr = block->after_cr;
}

/* Scans the first n bytes, or all there are. */
static Status scan_bytes(CsvSource *s, CsvScan *scan, size_t n, Error *err)
{
    Status st = OK;
    size_t have = feed_n_bytes(&s->feed);
    while (st == OK && have < n && !s->feed.from->at_eof) {
        CsvAheadScan block;
        if (scan->at < have)
            csv_scan(scan, feed_text(&s->feed) + scan->at, have - scan->at, UINT64_MAX);
        if (!feed_take_block(&s->feed, &block))
            st = feed_fill(&s->feed, n, n, err);
        else if (block.is_done && scan->state == block.from && !scan->after_cr)
            scan_add(scan, &block.scan);
        have = feed_n_bytes(&s->feed);
    }
    size_t to = have < n ? have : n;
    if (st == OK && scan->at < to)
        csv_scan(scan, feed_text(&s->feed) + scan->at, to - scan->at, UINT64_MAX);
    return st;
}

/* Up to the last row that ends before the next multiple of block_bytes; where there is none, before the one after that, and so on. So
 * where a range ends does not depend on the one before, and blocks may be scanned before their turn. */
static Status scan_block(CsvSource *s, CsvScan *scan, Error *err)
{
    const Feed *f = &s->feed;
    Status st = OK;
    size_t n = s->block_bytes - (size_t)(f->offset % s->block_bytes);
    for (;; n += s->block_bytes) {
        st = scan_bytes(s, scan, n, err);
        bool ends = f->from->at_eof && scan->at == feed_n_bytes(f);
        if (st != OK || scan->n_records || ends || scan->at - scan->end > CSV_RECORD_MAX)
            return st;
    }
}

static Status next_range(CsvSource *s, CsvLimit limit, CsvScan *found, Error *err)
{
    CsvScan scan;
    csv_scan_init(&scan, s->delimiter, s->quote, s->input->n_cols > 1);
    Status st = OK;
    if (limit.bytes)
        st = scan_bytes(s, &scan, limit.bytes < CSV_BATCH_MAX ? (size_t)limit.bytes : CSV_BATCH_MAX, err);
    else if (limit.rows == 0)
        st = scan_block(s, &scan, err);
    uint64_t records = limit.rows ? limit.rows : 1;
    if (st == OK)
        st = scan_records(s, &scan, records < UINT32_MAX ? records : UINT32_MAX, err);
    *found = scan;
    return st;
}

void csv_source_look_ahead(CsvSource *s, uint32_t n_blocks)
{
    CsvScan begin;
    csv_scan_init(&begin, s->delimiter, s->quote, s->input->n_cols > 1);
    if (s->feed.from->in && input_is_plain(s->feed.from->in))
        feed_look_ahead(&s->feed, s->block_bytes, n_blocks, &begin);
}

bool csv_source_looks_ahead(const CsvSource *s)
{
    return s->feed.ahead && !s->feed.from->at_eof;
}

bool csv_source_work(CsvSource *s)
{
    return csv_ahead_work(s->feed.ahead);
}

bool csv_source_is_at_next(const CsvSource *s)
{
    return csv_ahead_is_begun(s->feed.ahead);
}

/* ---- behind a quote that is open
 *
 * It was followed as far as a record may go, and nothing closed it. A quote that opens in the next lines is open as far, unless
 * it is closed at once: so these lines are looked at one by one, and no byte is looked through again for each of them. */

/* Is what opens in the record at the feed's begin open as far as a record may go? Looks only at what was not looked at. */
static Status open_follow(CsvSource *s, bool *is_open, Error *err)
{
    Status st = feed_fill(&s->feed, CSV_RECORD_MAX + 1, 2 * CSV_RECORD_MAX, err);
    size_t from = (size_t)(s->open_to - s->feed.offset), have = feed_n_bytes(&s->feed);
    if (st != OK)
        return st;
    if (from <= CSV_RECORD_MAX && from < have)
        from += csv_stays_open(feed_text(&s->feed) + from, have - from, s->delimiter, s->quote);
    *is_open = from == have || from > CSV_RECORD_MAX;
    s->open_to = *is_open ? s->feed.offset + from : 0;
    return OK;
}

/* Lines in which all is closed, as many as the limit wants, but one at least; 0: the first is not one. */
static size_t whole_lines(const CsvSource *s, CsvLimit limit)
{
    size_t most = limit.bytes ? (size_t)limit.bytes : s->block_bytes;
    uint64_t n_lines = 0;
    size_t n = (size_t)(s->open_to - s->feed.offset), at = 0, n_line, open_at;
    while (csv_line_among_open(feed_text(&s->feed) + at, n - at, s->delimiter, s->quote, &n_line, &open_at) == CSV_LINE_WHOLE &&
           (at == 0 || at + n_line <= most) && (limit.rows == 0 || n_lines++ < limit.rows))
        at += n_line;
    return at;
}

/* The next range of the lines up to open_to, of which bad ones are told; none: *found has no records. */
static Status next_among_open(CsvSource *s, CsvLimit limit, CsvScan *found, Error *err)
{
    const CsvScan none = {0};
    *found = none;
    while (s->open_to > s->feed.offset) {
        size_t n_line, open_at, n = whole_lines(s, limit);
        csv_scan_init(found, s->delimiter, s->quote, s->input->n_cols > 1);
        if (n) {
            uint64_t records = limit.rows ? limit.rows : UINT64_MAX;
            const char *text = feed_text(&s->feed);
            /* A CR ends a record when the next byte is seen. */
            csv_scan(found, text, n + (text[n - 1] == '\r'), records < UINT32_MAX ? records : UINT32_MAX);
            if (found->n_records)
                return OK;
            feed_skip(&s->feed, n, csv_count_lines(feed_text(&s->feed), n)); /* blank ones */
            continue;
        }
        size_t left = (size_t)(s->open_to - s->feed.offset);
        bool is_open = csv_line_among_open(feed_text(&s->feed), left, s->delimiter, s->quote, &n_line, &open_at) == CSV_LINE_OPEN;
        Status st = is_open ? open_follow(s, &is_open, err) : OK;
        if (st != OK)
            return st;
        if (!is_open)
            break;
        Error why = {0};
        quote_error(s, 0, s->feed.line, open_at, &why);
        record_drop(s, found, &why);
    }
    *found = none;
    s->open_to = 0;
    return OK;
}

Status csv_source_next(CsvSource *s, CsvLimit limit, RawRows **out, Error *err)
{
    *out = NULL;
    CsvScan scan = {0};
    Status st = OK;
    while (st == OK && scan.n_records == 0) {
        Error why = {0};
        st = next_among_open(s, limit, &scan, err);
        if (st != OK || scan.n_records)
            break;
        st = next_range(s, limit, &scan, s->rejects ? &why : err);
        if (s->rejects && st == ERR_DATA && why.row_error == ROW_ERROR_QUOTE) {
            s->open_to = s->feed.offset + feed_n_bytes(&s->feed);
            record_drop(s, &scan, &why);
            st = OK;
            continue;
        }
        if (st != OK && s->rejects && err)
            *err = why;
        break;
    }
    if (st != OK || scan.n_records == 0)
        return st;
    *out = feed_take(&s->feed, s->input, scan.end, scan.end_lines, (uint32_t)scan.n_records);
    return OK;
}

/* --- open -------------------------------------------------------------------------------- */

static Status check_start(CsvSource *s, Error *err)
{
    Status st = feed_start(&s->feed, s->file, err);
    if (st != OK || s->feed.end > 0)
        return st;
    error_set(err, ERR_DATA, "this input is empty: not even a header");
    error_at(err, s->file, 0, 0);
    return ERR_DATA;
}

static Status read_head(CsvSource *s, const CsvReadOptions *o, Error *err)
{
    CsvScan scan;
    csv_scan_init(&scan, s->delimiter, s->quote, true);
    Status st = scan_records(s, &scan, 1, err);
    if (st != OK)
        return st;
    bool has_none = scan.n_records == 0 && (o->dialect.has_header || feed_n_bytes(&s->feed) == 0);
    if (has_none && csv_record(feed_text(&s->feed), feed_n_bytes(&s->feed), s->delimiter, s->quote, 0).is_open)
        return record_error(s, &scan, err);
    if (has_none) {
        error_set(err, ERR_DATA, "this input has no header, only blank lines");
        error_at(err, s->file, 1, 0);
        return ERR_DATA;
    }
    const char *record = feed_text(&s->feed);
    size_t blank = 0;
    while (scan.n_records && (record[blank] == '\n' || record[blank] == '\r'))
        blank++;
    st = csv_head_read(s->file, o, record + blank, scan.end - blank,
                       s->feed.line + csv_count_lines(record, blank), s->feed.offset + blank,
                       &s->input, err);
    if (st != OK)
        return st;
    s->file = s->input->file;
    if (o->dialect.has_header)
        feed_skip(&s->feed, scan.end, scan.end_lines);
    return OK;
}

Status csv_source_open(Str path, const CsvReadOptions *o, CsvSource **out, Error *err)
{
    CsvSource *s = xcalloc(1, sizeof *s);
    Status st;
    s->file = feed_name(path);
    s->delimiter = o->dialect.delimiter;
    s->quote = o->dialect.quote;
    s->block_bytes = o->block_bytes ? o->block_bytes : CSV_BATCH_AUTO;
    st = feed_open(&s->feed, path, o->dialect.coding, o->sample, err);
    if (st == OK)
        st = check_start(s, err);
    if (st == OK)
        st = read_head(s, o, err);
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
    feed_deinit(&s->feed);
    csv_input_unref(s->input);
    free(s);
}

const CsvInput *csv_source_input(const CsvSource *s)
{
    return s->input;
}

/* --- index ------------------------------------------------------------------------------- */

/* What stands in the name of the only column, and divides columns in other files; '\0': nothing. */
static char other_delimiter(const CsvInput *in)
{
    Str name = in->n_cols == 1 && in->dialect.has_header ? in->names[0] : (Str){0};
    for (const char *d = ";\t|,"; *d; d++)
        if (name.len && *d != in->dialect.delimiter && memchr(name.ptr, *d, name.len))
            return *d;
    return '\0';
}

void raw_ragged_text(const RawRows *raw, uint32_t n_fields, Error *err)
{
    const CsvDialect *d = &raw->input->dialect;
    char other = other_delimiter(raw->input);
    const char *shown = other == '\t' ? "\\t" : (char[]){other, '\0'};
    if (other)
        error_set(err, ERR_DATA,
                  "this row has %u field%s, the header has 1, and `%s` between its names: read with (delimiter: \"%s\")\n"
                  "`pipemill sniff FILE` tells how a file is written",
                  n_fields, n_fields == 1 ? "" : "s", shown, shown);
    else
        error_set(err, ERR_DATA,
                  n_fields > raw->n_cols
                      ? "this row has %u field%s, the %s has %u: quote a field that holds the delimiter `%c`, or correct the row"
                      : "this row has %u field%s, the %s has %u: quote a field that holds a line end, or write `%c` for each one that is empty",
                  n_fields, n_fields == 1 ? "" : "s", d->has_header ? "header" : "first row", raw->n_cols, d->delimiter);
    if (err) {
        err->is_input = true;
        err->row_error = ROW_ERROR_RAGGED;
    }
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
