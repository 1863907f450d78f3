/* Any text as CSV: every variant of the scanner gives the same, however it is cut into ranges, and the reader the same
 * table as libcsv. The first two bytes choose: where to cut, delimiter, quote, header. */
#include "fuzz.h"

#include <string.h>

#include "base/simd.h"
#include "data/csv_cell.h"
#include "data/csv_read.h"
#include "data/csv_scan.h"

/* Where blank lines are rows, the CR of one is like any other. */
static CsvState state_of(const CsvScan *s)
{
    return s->state == CSV_BLANK_CR && !s->skip_blank ? CSV_CR_SEEN : s->state;
}

static bool same_scan(const CsvScan *a, const CsvScan *b)
{
    return state_of(a) == state_of(b) && a->after_cr == b->after_cr && a->at == b->at &&
           a->n_records == b->n_records && a->n_lines == b->n_lines && a->end == b->end &&
           a->end_lines == b->end_lines;
}

/* Each variant in pieces of `cut` bytes against bytes one by one; returns where the last record ends. */
static size_t scans(const char *text, size_t n, char delimiter, char quote, size_t cut)
{
    CsvScan first;
    csv_scan_init(&first, delimiter, quote, cut & 1);
    for (size_t i = 0; i < n; i++)
        csv_scan(&first, text + i, 1, UINT64_MAX);
    for (int k = 0; k < N_SIMD_LEVELS; k++) {
        CsvScan s;
        if (!simd_has((SimdLevel)k))
            continue;
        simd_use((SimdLevel)k);
        csv_scan_init(&s, delimiter, quote, cut & 1);
        for (size_t i = 0; i < n; i += cut)
            csv_scan(&s, text + i, n - i < cut ? n - i : cut, UINT64_MAX);
        MUST(same_scan(&first, &s));
    }
    return (size_t)first.end;
}

static void indexes(const char *text, size_t n, char delimiter, char quote, uint32_t n_cols)
{
    CsvIndex first = {0};
    for (int k = 0; k < N_SIMD_LEVELS; k++) {
        CsvIndex ix;
        if (!simd_has((SimdLevel)k))
            continue;
        simd_use((SimdLevel)k);
        bool ok = csv_index(&ix, text, n, delimiter, quote, n_cols);
        MUST(ok == (ix.bad_fields == 0));
        MUST(ix.has_nul == (memchr(text, '\0', n) != NULL));
        MUST((ok && !ix.has_nul) == csv_is_regular(text, n, delimiter, quote, n_cols));
        if (k == 0) {
            first = ix;
            continue;
        }
        MUST(ix.n == first.n && ix.n_rows == first.n_rows && ix.has_gaps == first.has_gaps &&
             ix.bad_fields == first.bad_fields &&
             memcmp(ix.start, first.start, ix.n * sizeof *ix.start) == 0);
        free(ix.start);
    }
    free(first.start);
}

/* All cells as `text` and an end, null apart from empty, in one buffer, then how it ended. */
static Status table_of(const char *text, size_t n, const CsvDialect *d, uint64_t cut, Buf *out,
                       Error *err)
{
    CsvSample *sample = xcalloc(1, sizeof *sample);
    sample->block = heap_new(n + 1);
    sample->n_bytes = n;
    sample->at_eof = true;
    memcpy(sample->block->bytes, text, n);
    CsvReadOptions o = {.dialect = *d, .sample = sample};
    CsvLimit limit = cut & 1 ? (CsvLimit){.rows = 1 + cut / 2} : (CsvLimit){.bytes = 1 + cut / 2};
    CsvSource *s = NULL;
    Status st = csv_source_open(STR_LIT("fuzz"), &o, &s, err);
    while (st == OK) {
        RawRows *raw = NULL;
        Heap *heap = NULL;
        st = csv_source_next(s, limit, &raw, err);
        if (st != OK || !raw)
            break;
        st = raw_index(raw, err);
        for (uint32_t r = 0; r < raw->n_rows; r++) {
            for (uint32_t c = 0; c < raw->n_cols; c++) {
                StrView cell = raw_cell(raw, r, c);
                buf_puts(out, csv_cell_is_null(cell, d) ? "\1" : "\2");
                buf_put_str(out, csv_cell_text(cell, d->quote, &heap));
            }
            buf_printf(out, "\3%llu\3", (unsigned long long)raw_line(raw, r));
        }
        heap_unref(heap);
        raw_unref(raw);
    }
    csv_source_close(s);
    return st;
}

static void tables(const char *text, size_t n, const CsvDialect *d, uint64_t cut)
{
    Buf own = {0}, lib = {0};
    Error own_err = {0}, lib_err = {0};
    CsvDialect by_lib = *d;
    by_lib.use_libcsv = true;
    Status own_st = table_of(text, n, d, cut, &own, &own_err);
    Status lib_st = table_of(text, n, &by_lib, cut, &lib, &lib_err);
    MUST(own_st == lib_st && strcmp(own_err.text, lib_err.text) == 0 && own_err.line == lib_err.line);
    MUST(own.len == lib.len && (own.len == 0 || memcmp(own.ptr, lib.ptr, own.len) == 0));
    buf_deinit(&own);
    buf_deinit(&lib);
}

int fuzz_csv(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *text = (const char *)data + 2;
    size_t n = size - 2;
    CsvDialect d = CSV_DEFAULT_DIALECT;
    d.delimiter = ",;\t|"[data[0] & 3];
    d.quote = data[0] & 4 ? '\'' : '"';
    d.has_header = !(data[0] & 8);
    SimdLevel best = simd_level();
    size_t end = scans(text, n, d.delimiter, d.quote, 1 + (size_t)data[1]);
    if (end) {
        uint32_t n_cols = csv_record(text, end, d.delimiter, d.quote, 0).n_fields;
        indexes(text, end, d.delimiter, d.quote, data[0] & 16 ? 1 + data[1] % 4u : n_cols);
    }
    simd_use(best);
    tables(text, n, &d, data[1]);
    return 0;
}

FUZZER(fuzz_csv)
