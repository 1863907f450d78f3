#include "data/csv_scan.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/str.h"

/* --- 64 bytes as bit masks: bit i is byte i ------------------------------------------- */

#define WORD 64

#if defined(__SSE2__)
/* SSE2 is part of x86-64: no choice at run time is needed. */
static inline uint64_t mask_of(const char *p, char c)
{
    __m128i want = _mm_set1_epi8(c);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        unsigned m = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, want));
        mask |= (uint64_t)m << (16 * i);
    }
    return mask;
}
#else
static inline uint64_t mask_of(const char *p, char c)
{
    const uint64_t ones = 0x0101010101010101u, low7 = 0x7f7f7f7f7f7f7f7fu;
    uint64_t want = ones * (unsigned char)c, mask = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t v;
        memcpy(&v, p + 8 * i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        v = __builtin_bswap64(v);
#endif
        v ^= want;
        uint64_t zero = ~(((v & low7) + low7) | v | low7); /* 0x80 where a byte is 0 */
        /* Gathers the eight bits into one byte. */
        mask |= ((zero >> 7) * 0x0102040810204080u >> 56) << (8 * i);
    }
    return mask;
}
#endif

static inline unsigned bit_first(uint64_t m) { return (unsigned)__builtin_ctzll(m); }
static inline unsigned bit_last(uint64_t m) { return 63u - (unsigned)__builtin_clzll(m); }
/* Bits 0..i; i <= 63. */
static inline uint64_t bits_upto(unsigned i) { return ~0ull >> (63 - i); }

static inline unsigned bit_count(uint64_t m)
{
    if (!m)
        return 0;
    m -= m >> 1 & 0x5555555555555555u;
    m = (m & 0x3333333333333333u) + (m >> 2 & 0x3333333333333333u);
    m = (m + (m >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (unsigned)(m * 0x0101010101010101u >> 56);
}

/* Bit i of the result is the parity of bits 0..i. */
static inline uint64_t prefix_xor(uint64_t m)
{
    m ^= m << 1;
    m ^= m << 2;
    m ^= m << 4;
    m ^= m << 8;
    m ^= m << 16;
    m ^= m << 32;
    return m;
}

static inline bool at_row_start(CsvState s)
{
    return s == CSV_ROW_START || s == CSV_CR_SEEN || s == CSV_BLANK_CR;
}

/* The bytes inside quotes of a group that begins in `state`; the opening quote counts as inside, the
 * closing one as outside. `separators`: delimiters and line ends, wherever. False when a quote is
 * out of place, so that parity does not tell: go byte by byte. */
static inline bool quoted_region(uint64_t quotes, uint64_t separators, CsvState state,
                                 uint64_t *inside)
{
    *inside = prefix_xor(quotes) ^ (state == CSV_QUOTED ? ~0ull : 0);
    uint64_t opening = quotes & *inside, closing = quotes & ~*inside;
    uint64_t special = quotes | separators;
    bool may_open = state != CSV_UNQUOTED && state != CSV_QUOTED;
    uint64_t stray = opening & ~(special << 1 | (uint64_t)may_open);
    stray |= (closing << 1 | (uint64_t)(state == CSV_QUOTE_SEEN)) & ~special;
    return stray == 0;
}

/* The state behind a group that ends in byte c; `inside` as above. */
static inline CsvState state_behind(uint64_t inside, char c, char delimiter, char quote)
{
    if (inside >> 63)
        return CSV_QUOTED;
    if (c == quote)
        return CSV_QUOTE_SEEN;
    if (c == delimiter)
        return CSV_FIELD_START;
    if (c == '\n')
        return CSV_ROW_START;
    return c == '\r' ? CSV_CR_SEEN : CSV_UNQUOTED;
}

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

/* 64 bytes at once; false: nothing done, go byte by byte. */
static inline bool scan_word(CsvScan *s, const char *p, uint64_t stop_records)
{
    uint64_t quotes = mask_of(p, s->quote);
    uint64_t lfs = mask_of(p, '\n'), crs = mask_of(p, '\r');
    uint64_t after_crs = crs << 1 | (uint64_t)s->after_cr;
    uint64_t cr_lines = after_crs & ~lfs; /* a lone CR is just before */
    unsigned n_lines = bit_count(lfs) + bit_count(cr_lines);

    uint64_t inside = 0, out_lfs = lfs, out_crs = crs;
    if (quotes || s->state == CSV_QUOTED || s->state == CSV_QUOTE_SEEN) {
        uint64_t separators = mask_of(p, s->delimiter) | lfs | crs;
        if (!quoted_region(quotes, separators, s->state, &inside))
            return false;
        out_lfs &= ~inside;
        out_crs &= ~inside;
    }
    uint64_t ends = out_lfs; /* bit i: a record ends just behind byte i */
    uint64_t early_ends = 0; /* bit i: one ends just before byte i */
    if (out_crs || s->state == CSV_CR_SEEN || s->state == CSV_BLANK_CR) {
        bool in_line_end = s->state == CSV_CR_SEEN || s->state == CSV_BLANK_CR;
        early_ends = (out_crs << 1 | (uint64_t)in_line_end) & ~out_lfs;
    }
    if (s->skip_blank) {
        uint64_t behind = (out_lfs | out_crs) << 1 | (uint64_t)at_row_start(s->state);
        uint64_t crlf = out_lfs & (out_crs << 1 | (uint64_t)(s->state == CSV_CR_SEEN));
        if (s->state == CSV_BLANK_CR || ((out_lfs | out_crs) & ~crlf & behind))
            return false;
    }
    unsigned n_records = bit_count(ends) + bit_count(early_ends);
    if (stop_records - s->n_records <= n_records)
        return false;
    if (n_records) {
        /* Line ends up to the last record end count towards end_lines. */
        unsigned last_end = ends ? bit_last(ends) + 1 : 0; /* 1..64 */
        unsigned last_early = early_ends ? bit_last(early_ends) : 0;
        unsigned last = last_end > last_early ? last_end : last_early;
        uint64_t upto = last == 64 ? ~0ull : bits_upto(last);
        s->end = s->at + last;
        s->end_lines = s->n_lines + bit_count(cr_lines & upto) +
                       (last ? bit_count(lfs & bits_upto(last - 1)) : 0);
    }
    s->n_records += n_records;
    s->n_lines += n_lines;
    s->at += WORD;
    s->after_cr = crs >> 63;
    s->state = state_behind(inside, p[WORD - 1], s->delimiter, s->quote);
    return true;
}

void csv_scan(CsvScan *s, const char *bytes, size_t n, uint64_t stop_records)
{
    size_t i = 0;
    for (; n - i >= WORD; i += WORD)
        if (!scan_word(s, bytes + i, stop_records) &&
            !scan_bytes(s, bytes + i, WORD, stop_records))
            return;
    scan_bytes(s, bytes + i, n - i, stop_records);
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

/* 64 bytes at once; false: nothing done, go byte by byte. */
static inline bool index_word(CsvIndex *ix, CsvState *state, const char *p, size_t at,
                              char delimiter, char quote, bool skip_blank)
{
    CsvState s = *state;
    uint64_t quotes = mask_of(p, quote), delims = mask_of(p, delimiter);
    uint64_t lfs = mask_of(p, '\n'), crs = mask_of(p, '\r'), inside = 0;
    if (quotes || s == CSV_QUOTED || s == CSV_QUOTE_SEEN) {
        if (!quoted_region(quotes, delims | lfs | crs, s, &inside))
            return false;
        delims &= ~inside;
        lfs &= ~inside;
        crs &= ~inside;
    }
    if (s == CSV_BLANK_CR)
        return false;
    uint64_t row_ends = lfs, line_starts = lfs << 1 | (uint64_t)at_row_start(s);
    if (!crs && s != CSV_CR_SEEN) {
        if (skip_blank && (lfs & line_starts))
            return false;
    } else {
        uint64_t crlf = lfs & (crs << 1 | (uint64_t)(s == CSV_CR_SEEN));
        line_starts |= crs << 1;
        if (skip_blank && ((lfs | crs) & ~crlf & line_starts))
            return false;
        ix->has_gaps = true;
        if (s == CSV_CR_SEEN && !(lfs & 1)) {
            put(ix, at); /* behind a lone CR */
            ix->n_rows++;
        }
        row_ends |= crs & ~(lfs >> 1) & ~(1ull << 63); /* the next byte decides on a last CR */
    }
    ix->n_rows += bit_count(row_ends);
    uint32_t *out = ix->start + ix->n;
    uint32_t next = (uint32_t)at + 1;
    for (uint64_t m = delims | row_ends; m; m &= m - 1)
        *out++ = next + bit_first(m);
    ix->n = (size_t)(out - ix->start);
    *state = state_behind(inside, p[WORD - 1], delimiter, quote);
    return true;
}

/* True if every row has n_cols fields; else keeps those before the first that has not. */
static bool index_check(CsvIndex *ix, const char *bytes, uint32_t n_cols)
{
    size_t n_fields = ix->n - 1;
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
    bool skip_blank = n_cols > 1;
    CsvState s = CSV_ROW_START;
    *ix = (CsvIndex){0};
    index_reserve(ix, n / 4 + 2 * WORD); /* fields are seldom shorter than 3 bytes */
    put(ix, 0);
    size_t i = 0;
    for (; n - i >= WORD; i += WORD) {
        index_reserve(ix, WORD + 1);
        if (!index_word(ix, &s, bytes + i, i, delimiter, quote, skip_blank))
            s = index_bytes(ix, s, bytes + i, WORD, i, delimiter, quote, skip_blank);
    }
    index_reserve(ix, WORD + 1);
    s = index_bytes(ix, s, bytes + i, n - i, i, delimiter, quote, skip_blank);
    if (s == CSV_CR_SEEN || (s == CSV_BLANK_CR && !skip_blank)) {
        put(ix, n);
        ix->n_rows++;
    }
    return index_check(ix, bytes, n_cols);
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

uint64_t csv_count_lines(const char *bytes, size_t n)
{
    uint64_t lines = 0;
    size_t i = 0;
    bool after_cr = false;
    for (; n - i >= WORD; i += WORD) {
        uint64_t lfs = mask_of(bytes + i, '\n'), crs = mask_of(bytes + i, '\r');
        lines += bit_count(lfs) + bit_count((crs << 1 | (uint64_t)after_cr) & ~lfs);
        after_cr = crs >> 63;
    }
    for (; i < n; i++) {
        lines += after_cr || bytes[i] == '\n'; /* after a CR an LF is its own line end's */
        after_cr = bytes[i] == '\r';
    }
    return lines + after_cr;
}
