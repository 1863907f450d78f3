/* csv_lenient.c - the fields of a range of which some rows are bad: those are told of, and the others read. */
#include <stdlib.h>
#include <string.h>

#include "data/csv_lib.h"
#include "data/csv_read.h"
#include "data/csv_scan.h"
#include "data/reject.h"

/* A walk over the rows of a range, good and bad. */
typedef struct Lenient {
    RawRows *raw;
    Rejects *bad;
    uint32_t *start; /* as RawRows.start */
    size_t n, cap;
    size_t counted_to; /* lines are counted up to there */
    uint64_t line;
} Lenient;

static void starts_put(Lenient *l, const uint32_t *from, uint32_t n, bool is_good)
{
    if (l->n + n + 1 > l->cap) {
        l->cap = 2 * l->cap + n + 1;
        l->start = xrealloc(l->start, l->cap * sizeof *l->start);
    }
    for (uint32_t i = 0; i < n; i++) /* a bad row has no fields; only where it begins is looked at */
        l->start[l->n++] = is_good ? from[i] : from[0];
}

/* Bytes [from, to) are a row of n_fields fields, or one with a NUL byte. */
static void row_tell(Lenient *l, uint32_t from, uint32_t to, uint32_t n_fields, bool has_nul)
{
    const RawRows *raw = l->raw;
    Error err;
    while (from < to && (raw->bytes[from] == '\n' || raw->bytes[from] == '\r'))
        from++;
    uint32_t end = to;
    while (end > from && (raw->bytes[end - 1] == '\n' || raw->bytes[end - 1] == '\r'))
        end--;
    l->line += csv_count_lines(raw->bytes + l->counted_to, from - l->counted_to);
    l->counted_to = from;
    if (has_nul)
        error_set(&err, ERR_DATA, "a NUL byte: this is no text, or it is UTF-16 (then say so, `with (encoding: \"utf-16\")`)");
    else
        raw_ragged_text(raw, n_fields, &err);
    Reject what = {.row = raw->n_rows, .kind = has_nul ? ROW_ERROR_NUL : ROW_ERROR_RAGGED, .message = str_of(err.text)};
    rejects_place_raw(&what, raw->input->file, l->line, raw->first_byte + from, (Str){raw->bytes + from, end - from});
    rejects_put(l->bad, &what);
}

static void row_put(Lenient *l, const uint32_t *starts, uint32_t n_fields, bool has_nul)
{
    RawRows *raw = l->raw;
    uint32_t from = starts[0], to = starts[n_fields];
    bool is_bad_nul = has_nul && memchr(raw->bytes + from, '\0', to - from);
    bool is_good = n_fields == raw->n_cols && !is_bad_nul;
    starts_put(l, starts, raw->n_cols, is_good);
    if (is_good)
        raw->good[raw->n_good++] = raw->n_rows;
    else
        row_tell(l, from, to, n_fields, is_bad_nul);
    raw->n_rows++;
}

Status raw_index_lenient(RawRows *raw, Rejects *bad, Error *err)
{
    const CsvDialect *d = &raw->input->dialect;
    if (!bad)
        return raw_index(raw, err);
    rejects_next_group(bad);
    free(raw->start); /* of a raw_check that found something */
    raw->start = NULL;
    if (d->use_libcsv)
        return raw_index_libcsv(raw, bad, err);
    if (raw_index(raw, NULL) == OK)
        return OK;
    free(raw->start);
    CsvIndex ix;
    csv_index(&ix, raw->bytes, raw->n_bytes, d->delimiter, d->quote, raw->n_cols);
    uint32_t n_rows = 0;
    for (size_t i = 1; i < ix.n_all; i++)
        n_rows += raw->bytes[ix.start[i] - 1] == '\n' || raw->bytes[ix.start[i] - 1] == '\r';
    raw->n_rows = 0;
    raw->good = xmalloc((n_rows + 1ull) * sizeof *raw->good);
    bool has_nul = memchr(raw->bytes, '\0', raw->n_bytes) != NULL;
    Lenient l = {.raw = raw, .bad = bad, .line = raw->first_line};
    size_t first = 0;
    for (size_t i = 1; i < ix.n_all; i++) {
        char c = raw->bytes[ix.start[i] - 1];
        if (c != '\n' && c != '\r')
            continue;
        row_put(&l, ix.start + first, (uint32_t)(i - first), has_nul);
        first = i;
    }
    starts_put(&l, &ix.start[ix.n_all - 1], 1, true);
    free(ix.start);
    raw->start = l.start;
    raw->has_gaps = true;
    return OK;
}
