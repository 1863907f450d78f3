#include "data/csv_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "data/csv_words.h"

#define WORD CSV_WORD

/* A level without a variant of its own has none in this build. */
const CsvWords *const CSV_WORDS[N_SIMD_LEVELS] = {
    [SIMD_PORTABLE] = &csv_words_portable,
#if defined(__x86_64__)
    [SIMD_SSE2] = &csv_words_sse2,
    [SIMD_AVX2] = &csv_words_avx2,
    [SIMD_AVX512] = &csv_words_avx512,
#elif defined(__aarch64__)
    [SIMD_NEON] = &csv_words_neon,
#endif
};

/* --- byte by byte ---------------------------------------------------------------------- */

/* The state behind byte c. That a CR has ended a record unless c is its LF is the caller's business. */
static inline CsvState state_next(CsvState s, char c, char delimiter, char quote)
{
    switch (s) {
    case CSV_CR_SEEN:
    case CSV_BLANK_CR:
        if (c == '\n')
            return CSV_ROW_START;
        /* fall through */
    case CSV_ROW_START:
        if (c == '\r')
            return CSV_BLANK_CR;
        /* fall through */
    case CSV_FIELD_START:
        if (c == quote)
            return CSV_QUOTED;
        break;
    case CSV_QUOTED:
        return c == quote ? CSV_QUOTE_SEEN : CSV_QUOTED;
    case CSV_QUOTE_SEEN:
        if (c != delimiter && c != '\n' && c != '\r')
            return CSV_QUOTED; /* the second of a double quote, or data after a stray one */
        break;
    case CSV_UNQUOTED:
        break;
    }
    if (c == delimiter)
        return CSV_FIELD_START;
    if (c == '\n')
        return CSV_ROW_START;
    return c == '\r' ? CSV_CR_SEEN : CSV_UNQUOTED;
}

/* --- records ---------------------------------------------------------------------------- */

void csv_scan_init(CsvScan *s, char delimiter, char quote, bool skip_blank)
{
    *s = (CsvScan){.delimiter = delimiter,
                   .quote = quote,
                   .skip_blank = skip_blank,
                   .state = CSV_ROW_START};
}

bool csv_scan_is_open(const CsvScan *s)
{
    return s->state == CSV_QUOTED;
}

/* A line ends at s->at, outside quotes. */
static inline void record_end(CsvScan *s, bool is_blank)
{
    s->n_records += !(is_blank && s->skip_blank);
    s->end = s->at;
    s->end_lines = s->n_lines;
}

/* False when stop_records was reached. */
static bool scan_bytes(CsvScan *s, const char *p, size_t n, uint64_t stop_records)
{
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        bool in_line_end = s->state == CSV_CR_SEEN || s->state == CSV_BLANK_CR;
        s->n_lines += s->after_cr && c != '\n';
        if (in_line_end && c != '\n') {
            record_end(s, s->state == CSV_BLANK_CR);
            s->state = CSV_ROW_START;
            s->after_cr = false;
            if (s->n_records == stop_records)
                return false;
        }
        CsvState before = s->state;
        s->state = state_next(before, c, s->delimiter, s->quote);
        s->at++;
        s->after_cr = c == '\r';
        s->n_lines += c == '\n';
        if (s->state == CSV_ROW_START && c == '\n') {
            record_end(s, before == CSV_ROW_START || before == CSV_BLANK_CR);
            if (s->n_records == stop_records)
                return false;
        }
    }
    return true;
}

void csv_scan(CsvScan *s, const char *bytes, size_t n, uint64_t stop_records)
{
    const CsvWords *words = CSV_WORDS[simd_level()];
    size_t n_words = n / WORD;
    for (size_t w = 0; w < n_words; w++) {
        w += words->scan(s, bytes + w * WORD, n_words - w, stop_records);
        if (w < n_words && !scan_bytes(s, bytes + w * WORD, WORD, stop_records))
            return;
    }
    scan_bytes(s, bytes + n_words * WORD, n % WORD, stop_records);
}

/* --- fields ------------------------------------------------------------------------------ */

/* Positions are kept as 32 bits: RawRows.n_bytes. */
static inline void put(CsvIndex *ix, size_t at)
{
    ix->start[ix->n++] = (uint32_t)at;
}

static void index_reserve(CsvIndex *ix, size_t extra)
{
    if (ix->n + extra <= ix->cap)
        return;
    ix->cap = 2 * ix->cap + extra;
    ix->start = xrealloc(ix->start, ix->cap * sizeof *ix->start);
}

/* `at`: offset of p in the range. n <= WORD. */
static CsvState index_bytes(CsvIndex *ix, CsvState s, const char *p, size_t n, size_t at,
                            char delimiter, char quote, bool skip_blank)
{
    ix->has_nul |= memchr(p, '\0', n) != NULL;
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if ((s == CSV_CR_SEEN || (s == CSV_BLANK_CR && !skip_blank)) && c != '\n') {
            put(ix, at + i); /* behind a lone CR */
            ix->n_rows++;
        }
        CsvState before = s;
        s = state_next(before, c, delimiter, quote);
        ix->has_gaps |= s == CSV_CR_SEEN || s == CSV_BLANK_CR;
        if (s == CSV_FIELD_START) {
            put(ix, at + i + 1);
        } else if (s == CSV_ROW_START) {
            bool is_blank = before == CSV_ROW_START || before == CSV_BLANK_CR;
            if (is_blank && skip_blank) {
                ix->has_gaps = true;
            } else {
                put(ix, at + i + 1);
                ix->n_rows++;
            }
        }
    }
    return s;
}

/* True if every row has n_cols fields; else keeps those before the first that has not. */
static bool index_check(CsvIndex *ix, const char *bytes, uint32_t n_cols)
{
    size_t n_fields = ix->n - 1;
    ix->n_all = ix->n;
    bool ok = n_fields == (size_t)ix->n_rows * n_cols;
    /* As many line ends as rows, and every n_cols-th field ends in one: so no other does. */
    for (size_t i = n_cols; ok && i <= n_fields; i += n_cols) {
        char c = bytes[ix->start[i] - 1];
        ok = c == '\n' || c == '\r';
    }
    if (ok)
        return true;
    uint32_t n = 0;
    ix->n_rows = 0;
    for (size_t i = 1; i <= n_fields; i++) {
        char c = bytes[ix->start[i] - 1];
        n++;
        if (c != '\n' && c != '\r')
            continue;
        if (n != n_cols)
            break;
        ix->n_rows++;
        n = 0;
    }
    ix->bad_fields = n;
    ix->n = (size_t)ix->n_rows * n_cols + 1;
    return false;
}

bool csv_index(CsvIndex *ix, const char *bytes, size_t n, char delimiter, char quote,
               uint32_t n_cols)
{
    const CsvWords *words = CSV_WORDS[simd_level()];
    bool skip_blank = n_cols > 1;
    CsvState s = CSV_ROW_START;
    size_t n_words = n / WORD, w = 0;
    *ix = (CsvIndex){0};
    index_reserve(ix, n / 4 + 2 * CSV_CHUNK_SLACK); /* fields are seldom shorter than 3 bytes */
    put(ix, 0);
    while (w < n_words) {
        w += words->index(ix, &s, bytes + w * WORD, n_words - w, w * WORD, delimiter, quote,
                          skip_blank);
        if (w == n_words)
            break;
        bool was_full = ix->cap - ix->n < CSV_CHUNK_SLACK;
        index_reserve(ix, 2 * CSV_CHUNK_SLACK);
        if (was_full)
            continue;
        s = index_bytes(ix, s, bytes + w * WORD, WORD, w * WORD, delimiter, quote, skip_blank);
        w++;
    }
    index_reserve(ix, 2 * CSV_WORD_SLACK);
    s = index_bytes(ix, s, bytes + w * WORD, n % WORD, w * WORD, delimiter, quote, skip_blank);
    if (s == CSV_CR_SEEN || (s == CSV_BLANK_CR && !skip_blank)) {
        put(ix, n);
        ix->n_rows++;
    }
    return index_check(ix, bytes, n_cols);
}

/* --- some of the fields -------------------------------------------------------------------- */

#define MAX_ODD_WORDS 16 /* that do not go in chunks, and one in as many of all: then the usual way is faster */

static void some_open(CsvSome *k, uint32_t n_cols, const uint32_t *kept, uint32_t n_kept, uint32_t n_rows)
{
    *k = (CsvSome){.n_cols = n_cols, .cap = (size_t)n_rows * n_kept + 1 + CSV_CHUNK_SLACK, .every = csv_every(n_cols)};
    k->start = xmalloc(k->cap * sizeof *k->start);
    k->kept_at = xcalloc(n_cols + 64ull, sizeof *k->kept_at);
    k->phase_at = xmalloc((n_cols + 65ull) * sizeof *k->phase_at);
    for (uint32_t i = 0; i < n_kept; i++) /* behind the separator before a field it begins */
        for (uint64_t at = (kept[i] + n_cols - 1) % n_cols; at < n_cols + 64ull; at += n_cols)
            k->kept_at[at] = 1;
    for (uint32_t at = n_cols + 63; at-- > 0;)
        k->kept_at[at] |= k->kept_at[at + 1] << 1;
    for (uint32_t at = 0; at < n_cols + 65; at++)
        k->phase_at[at] = at % n_cols;
}

/* One separator, which ends just before offset `at`. */
static void some_add(CsvSome *k, size_t at, bool is_row_end)
{
    k->is_bad |= is_row_end != (k->phase + 1 == k->n_cols) || k->n >= k->cap - CSV_CHUNK_SLACK;
    if (k->is_bad)
        return;
    if (k->kept_at[k->phase] & 1)
        k->start[k->n++] = (uint32_t)at;
    k->n_rows += is_row_end;
    k->phase = k->phase_at[k->phase + 1];
}

static CsvState some_bytes(CsvSome *k, CsvState s, const char *bytes, size_t at, size_t n, char delimiter, char quote,
                           bool skip_blank)
{
    uint32_t start[2 * WORD];
    CsvIndex ix = {.start = start};
    s = index_bytes(&ix, s, bytes + at, n, at, delimiter, quote, skip_blank);
    k->has_gaps |= ix.has_gaps;
    k->has_nul |= ix.has_nul;
    for (size_t i = 0; i < ix.n; i++) {
        char c = start[i] ? bytes[start[i] - 1] : '\0';
        some_add(k, start[i], c == '\n' || c == '\r');
    }
    return s;
}

bool csv_index_some(CsvIndex *ix, const char *bytes, size_t n, char delimiter, char quote,
                    uint32_t n_cols, const uint32_t *kept, uint32_t n_kept, uint32_t n_rows)
{
    const CsvWords *words = CSV_WORDS[simd_level()];
    *ix = (CsvIndex){0};
    if (!words->some || !simd_has_fast_extract())
        return false;
    CsvSome k;
    some_open(&k, n_cols, kept, n_kept, n_rows);
    bool skip_blank = n_cols > 1;
    CsvState s = CSV_ROW_START;
    size_t n_words = n / WORD, n_odd = 0, w = 0;
    k.start[k.n++] = 0; /* field 0 is always kept */
    while (w < n_words && !k.is_bad) {
        w += words->some(&k, &s, bytes + w * WORD, n_words - w, w * WORD, delimiter, quote, skip_blank);
        if (w == n_words)
            break;
        s = some_bytes(&k, s, bytes, w * WORD, WORD, delimiter, quote, skip_blank);
        w++;
        k.is_bad |= n_words - w >= CSV_CHUNK && ++n_odd > MAX_ODD_WORDS + w / MAX_ODD_WORDS;
    }
    if (!k.is_bad) {
        s = some_bytes(&k, s, bytes, w * WORD, n % WORD, delimiter, quote, skip_blank);
        if (s == CSV_CR_SEEN || (s == CSV_BLANK_CR && !skip_blank))
            some_add(&k, n, true);
    }
    free(k.kept_at);
    free(k.phase_at);
    if (k.is_bad || k.has_nul || k.phase || k.n_rows != n_rows) {
        free(k.start);
        return false;
    }
    *ix = (CsvIndex){.start = k.start, .n = k.n, .cap = k.cap, .n_rows = n_rows, .has_gaps = k.has_gaps};
    return true;
}

/* At most WORD bytes that the words leave; before: bytes of the range stand before p. */
static CsvState count_bytes(CsvCount *c, CsvState s, const char *p, size_t n, bool before,
                            char delimiter, char quote, bool skip_blank)
{
    uint32_t start[2 * WORD];
    CsvIndex ix = {.start = start};
    s = index_bytes(&ix, s, p, n, 0, delimiter, quote, skip_blank);
    c->has_nul |= ix.has_nul;
    for (size_t i = 0; i < ix.n; i++) {
        char sep = start[i] || before ? p[(ptrdiff_t)start[i] - 1] : '\0';
        c->n_fields++;
        if (sep == '\n' || sep == '\r')
            csv_count_row(c, c->n_fields);
    }
    return s;
}

bool csv_is_regular(const char *bytes, size_t n, char delimiter, char quote, uint32_t n_cols)
{
    const CsvWords *words = CSV_WORDS[simd_level()];
    bool skip_blank = n_cols > 1;
    CsvState s = CSV_ROW_START;
    CsvCount c = {.n_cols = n_cols, .every = csv_every(n_cols)};
    size_t n_words = n / WORD;
    for (size_t w = 0; w < n_words; w++) {
        w += words->count(&c, &s, bytes + w * WORD, n_words - w, delimiter, quote, skip_blank);
        if (w < n_words)
            s = count_bytes(&c, s, bytes + w * WORD, WORD, w > 0, delimiter, quote, skip_blank);
    }
    s = count_bytes(&c, s, bytes + n_words * WORD, n % WORD, n_words > 0, delimiter, quote, skip_blank);
    if (s == CSV_CR_SEEN || (s == CSV_BLANK_CR && !skip_blank))
        csv_count_row(&c, ++c.n_fields);
    return !c.is_bad && !c.has_nul && c.n_fields == c.n_want;
}

CsvRecord csv_record(const char *bytes, size_t n, char delimiter, char quote,
                     uint32_t field)
{
    CsvRecord r = {.n_fields = 1};
    CsvState s = CSV_ROW_START;
    size_t i = 0;
    for (; i < n; i++) {
        CsvState before = s;
        s = state_next(before, bytes[i], delimiter, quote);
        if (s == CSV_ROW_START)
            break;
        if (s == CSV_CR_SEEN || s == CSV_BLANK_CR) {
            if (i + 1 < n && bytes[i + 1] == '\n')
                i++;
            break;
        }
        if (s == CSV_FIELD_START) {
            if (r.n_fields++ == field)
                r.field_at = i + 1;
        } else if (s == CSV_QUOTED && before != CSV_QUOTED && before != CSV_QUOTE_SEEN) {
            r.open_at = i;
        }
    }
    r.n_bytes = i < n ? i + 1 : n;
    r.is_open = s == CSV_QUOTED;
    return r;
}

size_t csv_stays_open(const char *bytes, size_t n, char delimiter, char quote)
{
    for (size_t i = 0; i < n;) {
        const char *p = memchr(bytes + i, quote, n - i);
        if (!p)
            return n;
        size_t at = (size_t)(p - bytes);
        if (at + 1 == n || bytes[at + 1] == delimiter || bytes[at + 1] == '\n' || bytes[at + 1] == '\r')
            return at;
        i = at + 1 + (bytes[at + 1] == quote);
    }
    return n;
}

CsvLineKind csv_line_among_open(const char *bytes, size_t n, char delimiter, char quote, size_t *n_line, size_t *open_at)
{
    bool is_open = false;
    size_t i = 0;
    for (bool is_start = true; i < n && bytes[i] != '\n' && bytes[i] != '\r'; i++) {
        if (is_open || !is_start || bytes[i] != quote) {
            is_start = bytes[i] == delimiter;
            continue;
        }
        size_t k = 1;
        while (i + k < n && bytes[i + k] == quote)
            k++;
        if (i + k == n)
            return CSV_LINE_CUT;
        char after = bytes[i + k];
        is_open = k % 2 == 1 || (after != delimiter && after != '\n' && after != '\r');
        *open_at = i;
        i += k - 1;
        is_start = false;
    }
    if (i == n || (bytes[i] == '\r' && i + 1 == n))
        return CSV_LINE_CUT;
    *n_line = i + 1 + (bytes[i] == '\r' && bytes[i + 1] == '\n');
    return is_open ? CSV_LINE_OPEN : CSV_LINE_WHOLE;
}

uint64_t csv_count_lines(const char *bytes, size_t n)
{
    enum { BLOCK = 16 }; /* counted from 0 below, so that the compiler makes a vector of it */
    if (n == 0)
        return 0;
    /* After a CR an LF is its own line end's. */
    uint64_t lines = bytes[0] == '\n';
    size_t i = 1;
    for (; n - i >= BLOCK; i += BLOCK) {
        uint8_t here = 0;
        for (size_t k = 0; k < BLOCK; k++)
            here = (uint8_t)(here + ((bytes[i + k] == '\n') | (bytes[i + k - 1] == '\r')));
        lines += here;
    }
    for (; i < n; i++)
        lines += (bytes[i] == '\n') | (bytes[i - 1] == '\r');
    return lines + (bytes[n - 1] == '\r');
}
