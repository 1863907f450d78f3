/* Every variant of the scanner against the one that goes byte by byte: random texts of the bytes that
 * matter, records cut at random places, and the fields of whole texts. */
#include <stdlib.h>

#include "base/simd.h"
#include "base/str.h"
#include "data/csv_scan.h"
#include "unit.h"

static uint64_t state = 1;
static uint32_t n_some, n_some_asked;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 32) * n >> 32);
}

/* Texts of several kinds: plain fields, quoted ones, CRLF, stray quotes, anything; long stretches in which all is well,
 * and now and then something that is not. */
static size_t text_make(char *to, size_t n)
{
    static const char *const ALPHABETS[] = {"a,\n", "aaaaaaaaaaaa,,\n", "a,\r\n", "a\",\n\r",
                                            "ab\"\"\",,\n"};
    const char *alphabet = ALPHABETS[below(5)];
    uint32_t n_letters = (uint32_t)strlen(alphabet), kind = below(6);
    static const char *const WELL[][4] = {{"x,", "12.5,", "y\n", "abc,z\n"},
                                          {"x,", "\"a,\"\"b\"\"\",", "\"q\n\"\n", "end\n"},
                                          {"x,", "\"a\r\n\",", "z\r\n", "\"e\"\r\n"}};
    uint32_t well = below(3), ill_in = below(2) ? 400 : 20000;
    for (size_t i = 0; i < n;) {
        if (kind == 0 || i + 12 > n) {
            to[i++] = alphabet[below(n_letters)];
        } else if (kind > 2) {
            static const char *const ILL[] = {"\"", "\r", "\n", "\n\n", "a\"b", "\"a\"b\",", ",\"", "\r\r", "\r\n\r\n"};
            const char *piece = below(ill_in) ? WELL[well][below(4)] : ILL[below(9)];
            size_t len = strlen(piece);
            memcpy(to + i, piece, len);
            i += len;
        } else { /* well-formed pieces */
            static const char *const PIECES[] = {"x,",   "12.5,", "\"a,b\",",     "\"q\"\"q\",",
                                                 "\"\n\",", "z\n",   "\"end\"\r\n", ",,"};
            const char *piece = PIECES[below(8)];
            size_t len = strlen(piece);
            memcpy(to + i, piece, len);
            i += len;
        }
    }
    return n;
}

/* A table: rows of n_cols fields, quoted or not; now and then, if it is not to be regular, one field more or a stray
 * quote. */
static size_t table_make(char *to, size_t n, uint32_t n_cols, bool is_regular)
{
    static const char *const FIELDS[] = {"", "x", "12.5", "a longer field", "\"a,b\"", "\"q\"\"q\"", "\"\n\"", "\"\r\n,\"\"\""};
    uint32_t n_fields = below(2) ? 4 : 8, cr = below(3) == 0;
    size_t at = 0;
    while (at + n_cols * 16 + 32 < n) {
        for (uint32_t c = 0; c < n_cols; c++) {
            const char *field = !is_regular && below(2000) == 0 ? below(2) ? "y,z" : "y\"z" : FIELDS[below(n_fields)];
            if (n_cols == 1 && !*field)
                field = "x";
            size_t len = strlen(field);
            memcpy(to + at, field, len);
            at += len;
            to[at++] = ',';
        }
        at--;
        if (cr)
            to[at++] = '\r';
        to[at++] = '\n';
    }
    return at;
}

/* A scan in pieces of a byte: the words of no variant are ever used. */
static void scan_bytewise(CsvScan *s, const char *text, size_t n, uint64_t stop)
{
    uint64_t begin = s->at;
    while (s->at - begin < n && s->n_records < stop)
        csv_scan(s, text + (s->at - begin), 1, stop);
}

/* Which CR was a blank line's matters where blank lines are skipped. */
static CsvState state_of(const CsvScan *s)
{
    return s->state == CSV_BLANK_CR && !s->skip_blank ? CSV_CR_SEEN : s->state;
}

static bool scans_equal(const CsvScan *a, const CsvScan *b)
{
    return state_of(a) == state_of(b) && a->after_cr == b->after_cr && a->at == b->at &&
           a->n_records == b->n_records && a->n_lines == b->n_lines && a->end == b->end &&
           a->end_lines == b->end_lines;
}

static void test_scan(SimdLevel level, const char *text, size_t n, bool skip_blank)
{
    CsvScan a, b;
    csv_scan_init(&a, ',', '"', skip_blank);
    csv_scan_init(&b, ',', '"', skip_blank);
    while (a.at < n) {
        size_t piece = 1 + below((uint32_t)(n - a.at));
        uint64_t stop = below(4) ? UINT64_MAX : a.n_records + 1 + below(5);
        const char *from = text + a.at;
        simd_use(level);
        csv_scan(&a, from, piece, stop);
        scan_bytewise(&b, from, piece, stop);
        if (!scans_equal(&a, &b)) {
            printf("%s: scans differ at byte %u of %u\n", simd_name(level), (unsigned)a.at,
                   (unsigned)n);
            FAIL("csv_scan is not the same for every variant");
            return;
        }
    }
    CHECK(a.at == n);
}

static bool indexes_equal(const CsvIndex *a, const CsvIndex *b)
{
    return a->n == b->n && a->n_rows == b->n_rows && a->has_gaps == b->has_gaps && a->has_nul == b->has_nul &&
           a->bad_fields == b->bad_fields && memcmp(a->start, b->start, a->n * sizeof *a->start) == 0;
}

/* Fields by the definition: a record at a time. */
static bool index_by_records(const char *text, size_t n, uint32_t n_cols, const CsvIndex *ix)
{
    size_t at = 0;
    uint32_t row = 0;
    while (at < n) {
        if (n_cols > 1 && (text[at] == '\n' || text[at] == '\r')) { /* blank lines are skipped */
            at++;
            continue;
        }
        CsvRecord r = csv_record(text + at, n - at, ',', '"', 0);
        if (r.n_fields != n_cols)
            return ix->bad_fields == r.n_fields && ix->n_rows == row;
        for (uint32_t c = 1; c < n_cols; c++)
            if (ix->start[(size_t)row * n_cols + c] !=
                at + csv_record(text + at, n - at, ',', '"', c).field_at)
                return false;
        at += r.n_bytes;
        row++;
        if (ix->start[(size_t)row * n_cols] != at)
            return false;
    }
    return ix->n_rows == row && ix->bad_fields == 0;
}

/* Some fields of each row against all of them. */
static void test_some(SimdLevel level, const char *text, size_t n, uint32_t n_cols, const CsvIndex *all)
{
    uint32_t kept[8] = {0}, n_kept = 1;
    for (uint32_t c = 1; c < n_cols && n_kept < 8; c++)
        if (below(2))
            kept[n_kept++] = c;
    CsvIndex ix;
    bool has_nul = memchr(text, '\0', n) != NULL;
    simd_use(level);
    CsvScan s; /* the rows that a reader would tell of */
    csv_scan_init(&s, ',', '"', n_cols > 1);
    csv_scan(&s, text, n, UINT64_MAX);
    bool ok = csv_index_some(&ix, text, n, ',', '"', n_cols, kept, n_kept, (uint32_t)s.n_records);
    n_some += ok;
    if (!ok) { /* it may leave odd texts to csv_index */
        CHECK(ix.start == NULL);
        return;
    }
    bool same = ix.n_rows == all->n_rows && ix.has_gaps == all->has_gaps && all->bad_fields == 0 && !has_nul;
    for (uint32_t r = 0; same && r < ix.n_rows; r++)
        for (uint32_t k = 0; k < n_kept; k++)
            same &= ix.start[r * n_kept + k] == all->start[r * n_cols + kept[k]];
    CHECK(same && ix.start[ix.n_rows * n_kept] == n);
    free(ix.start);
}

static void test_index(const char *text, size_t n, uint32_t n_cols)
{
    CsvIndex first = {0};
    bool has_nul = memchr(text, '\0', n) != NULL;
    for (int k = 0; k < N_SIMD_LEVELS; k++) {
        CsvIndex ix;
        if (!simd_has((SimdLevel)k))
            continue;
        simd_use((SimdLevel)k);
        csv_index(&ix, text, n, ',', '"', n_cols);
        CHECK(index_by_records(text, n, n_cols, &ix));
        CHECK(csv_is_regular(text, n, ',', '"', n_cols) == (ix.bad_fields == 0 && !has_nul));
        CHECK(ix.has_nul == has_nul);
        test_some((SimdLevel)k, text, n, n_cols, &ix);
        n_some_asked += simd_has_fast_extract() && (k == SIMD_AVX2 || k == SIMD_AVX512) && ix.bad_fields == 0;
        if (k == 0) {
            first = ix;
            continue;
        }
        CHECK(indexes_equal(&first, &ix));
        free(ix.start);
    }
    free(first.start);
}

/* One of the bytes that are c; NULL if none is found. */
static char *find(char *text, size_t n, char c)
{
    size_t at = n ? below((uint32_t)n) : 0;
    return n ? memchr(text + at, c, n - at) : NULL;
}

int main(void)
{
    enum { N = 3000 };
    char *text = malloc(N + 1);
    for (int round = 0; round < 3000; round++) {
        size_t n = text_make(text, 1 + below(N - 1));
        if (below(8) == 0)
            text[below((uint32_t)n)] = '\0';
        for (int k = 0; k < N_SIMD_LEVELS; k++)
            if (simd_has((SimdLevel)k))
                test_scan((SimdLevel)k, text, n, round & 1);
        /* What a reader hands out ends in a line end outside quotes. */
        CsvScan s;
        csv_scan_init(&s, ',', '"', true);
        csv_scan(&s, text, n, UINT64_MAX);
        if (s.end > 0) {
            CsvRecord r = csv_record(text, s.end, ',', '"', 0);
            test_index(text, s.end, round % 7 ? r.n_fields : 1 + below(4));
        }
    }
    n_some = n_some_asked = 0;
    for (int round = 0; round < 1000; round++) {
        uint32_t n_cols = 1 + (round % 3 ? below(12) : below(150));
        size_t n = table_make(text, N, n_cols, round & 1);
        char *row_end = find(text, n, '\n'), *delimiter = find(text, n, ',');
        if (round % 8 == 2 && n)
            text[below((uint32_t)n - 2)] = '\0';
        if (round % 8 == 4 && row_end && delimiter && row_end < text + n - 1) {
            *row_end = ','; /* two rows have another number of fields, all together have not */
            *delimiter = '\n';
        }
        CsvScan s; /* it may end in quotes now */
        csv_scan_init(&s, ',', '"', n_cols > 1);
        csv_scan(&s, text, n, UINT64_MAX);
        if (s.end)
            test_index(text, s.end, n_cols);
    }
    CHECK(n_some >= n_some_asked - n_some_asked / 8); /* stray quotes may be too many */
    free(text);
    UNIT_END("csv_words");
}
