/* Filters on strings told from cells, against what the cells were made of: every variant, rows in order and chosen ones,
 * quotes doubled and stray, blank lines, CRLF, null words, cells longer than anything that goes at once. `sift_test SEED` runs one
 * table and prints what differs. */
#include "data/sift.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/simd.h"
#include "data/csv_scan.h"
#include "unit.h"

#define ROWS 333u
#define COLS 3u
#define MAX_WORDS 16u
#define N_TABLES 300u
#define N_SIFTS 24u

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 32) * n >> 32);
}

typedef struct Made {
    Buf text;             /* the file, without a header */
    Buf values;           /* of the column of interest, one behind the other */
    size_t at[ROWS + 1];
    bool is_null[ROWS];
    CsvInput input;
    RawRows raw;
} Made;

static Str value_of(const Made *m, uint32_t row)
{
    return (Str){m->values.len ? m->values.ptr + m->at[row] : "", (uint32_t)(m->at[row + 1] - m->at[row])};
}

/* Few letters and few lengths, so that much is alike. */
static void value_make(Buf *b, const char *letters)
{
    uint32_t n = below(40) == 0 ? below(400) : below(8) == 0 ? 7 + below(4) : below(5);
    for (uint32_t n_letters = (uint32_t)strlen(letters); n > 0; n--)
        buf_putc(b, letters[below(n_letters)]);
}

static void quoted_put(Buf *b, Str s)
{
    buf_putc(b, '"');
    for (uint32_t i = 0; i < s.len; i++) {
        /* A quote is doubled, or stray, where it may be. */
        bool may_be_stray = s.ptr[i] == '"' && i + 1 < s.len && s.ptr[i + 1] != ',' && s.ptr[i + 1] != '\n' &&
                            s.ptr[i + 1] != '"' && s.ptr[i + 1] != '\r';
        if (s.ptr[i] == '"' && !(may_be_stray && below(2)))
            buf_putc(b, '"');
        buf_putc(b, s.ptr[i]);
    }
    buf_putc(b, '"');
}

static bool is_plain(Str s)
{
    for (uint32_t i = 0; i < s.len; i++)
        if (s.ptr[i] == ',' || s.ptr[i] == '\n' || s.ptr[i] == '\r')
            return false;
    return s.len > 0 && s.ptr[0] != '"';
}

static void cell_make(Made *m, uint32_t row, const char *letters, uint32_t quotes_in, Str null_word)
{
    m->at[row] = m->values.len;
    value_make(&m->values, letters);
    m->at[row + 1] = m->values.len;
    Str s = value_of(m, row);
    m->is_null[row] = false;
    if (below(12) == 0 || (s.len == 0 && below(2))) {
        m->is_null[row] = true;
        m->values.len = m->at[row + 1] = m->at[row];
        if (below(2))
            buf_put_str(&m->text, null_word);
    } else if (!is_plain(s) || str_eq(s, null_word) || below(quotes_in) == 0) {
        quoted_put(&m->text, s);
    } else {
        buf_put_str(&m->text, s);
    }
}

static const char *letters_make(void)
{
    static const char *const LETTERS[] = {"ab", "abcdefgh", "ab,\n", "ab\"", "a\"\n,\r", "\xc3\xa4\xc3\xb6"};
    return LETTERS[below(6)];
}

static void made_make(Made *m, uint32_t col)
{
    static const char *const ENDS[] = {"\n", "\r\n", "\n\r\n", "\r"};
    const char *letters = letters_make();
    uint32_t quotes_in = below(3) ? 20 : 1 + below(3), n_ends = below(2) ? 1 : 4;
    Str null_word = below(4) == 0 ? STR_LIT("ab") : STR_LIT("");
    buf_clear(&m->text);
    buf_clear(&m->values);
    for (uint32_t i = 0; i < ROWS; i++)
        for (uint32_t c = 0; c < COLS; c++) {
            if (c == col)
                cell_make(m, i, letters, quotes_in, null_word);
            else if (below(2))
                buf_puts(&m->text, below(6) ? "abab" : "\"a,\n\"\"b\"");
            buf_puts(&m->text, c + 1 < COLS ? "," : ENDS[below(n_ends)]);
        }
    static uint64_t declared[COLS];
    m->input = (CsvInput){.dialect = CSV_DEFAULT_DIALECT, .n_cols = COLS, .inferred_rows = declared};
    m->input.dialect.null_word = null_word;
    CsvIndex ix;
    bool ok = csv_index(&ix, m->text.ptr, m->text.len, ',', '"', COLS);
    CHECK(ok && ix.n_rows == ROWS);
    char *bytes = xstrndup(m->text.ptr, m->text.len); /* and not a byte of room behind them: a sanitizer sees what is read */
    bytes = xrealloc(bytes, m->text.len);
    m->raw = (RawRows){.refs = 1000000, .input = &m->input, .bytes = bytes, .cells = bytes,
                       .n_bytes = m->text.len, .n_rows = ix.n_rows, .n_cols = COLS, .stride = COLS,
                       .start = ix.start, .has_gaps = ix.has_gaps};
    m->raw.block = heap_new(1); /* what columns hold on to: the bytes are not in it */
}

/* A piece of a value, or a value, or something else. */
static Value word_make(const Made *m, SiftKind kind)
{
    static const char *const OTHERS[] = {"a", "ab", "\"", "a\"b", "b,", "abababab", "ababababa", "\n", "zzz", ",abab"};
    Value v = {.type = TYPE_STRING};
    uint32_t row = below(ROWS), from = 0;
    Str s = value_of(m, row);
    v.s = s;
    if (kind != SIFT_IS && s.len > 1 && below(3)) {
        uint32_t n = 1 + below(s.len);
        from = kind == SIFT_BEGINS ? 0 : kind == SIFT_ENDS ? s.len - n : below(s.len - n + 1);
        v.s = str_slice(s, from, n);
    }
    if (below(8) == 0 || (v.s.len == 0 && kind != SIFT_IS))
        v.s = str_of(OTHERS[below(10)]);
    return v;
}

static bool same_bytes(Str s, uint32_t at, Str word)
{
    for (uint32_t i = 0; i < word.len; i++)
        if (at + i >= s.len || s.ptr[at + i] != word.ptr[i])
            return false;
    return true;
}

/* The meaning, said again. */
static bool should_pass(const Sift *s, Str text)
{
    bool found = false;
    for (uint32_t k = 0; k < s->n_words; k++) {
        Str w = s->words[k].s;
        bool fits = w.len <= text.len;
        switch (s->kind) {
        case SIFT_IS: found |= w.len == text.len && same_bytes(text, 0, w); break;
        case SIFT_BEGINS: found |= fits && same_bytes(text, 0, w); break;
        case SIFT_ENDS: found |= fits && same_bytes(text, text.len - w.len, w); break;
        case SIFT_HAS:
            for (uint32_t at = 0; fits && at + w.len <= text.len; at++)
                found |= same_bytes(text, at, w);
            break;
        }
    }
    return (s->keeps_long && text.len >= SIFT_LONG) || found != s->is_negated;
}

static void check(const Made *m, const Batch *b, uint32_t col, const Sift *s, const uint32_t *rows, const char *what)
{
    uint64_t bits[ROWS / 64 + 2];
    memset(bits, 0xaa, sizeof bits);
    CHECK(batch_sift(b, col, s, bits));
    for (uint32_t i = 0; i < b->n_rows; i++) {
        uint32_t row = rows ? rows[i] : i;
        bool want = !m->is_null[row] && should_pass(s, value_of(m, row));
        /* How long it is may be told with its quotes. */
        if (bit_get(bits, i) != want && !(s->keeps_long && value_of(m, row).len > SIFT_LONG / 3)) {
            Buf seen = {0};
            buf_put_visible(&seen, value_of(m, row));
            buf_puts(&seen, " : ");
            buf_put_visible(&seen, s->words[0].s);
            printf("%s, %s: kind %d, %d words, negated %d: %s\n", simd_name(simd_level()), what, (int)s->kind,
                   (int)s->n_words, s->is_negated, seen.ptr);
            buf_deinit(&seen);
            CHECK(bit_get(bits, i) == want);
            return;
        }
    }
    for (uint32_t i = b->n_rows; i < bit_words(b->n_rows) * 64; i++)
        CHECK(!bit_get(bits, i));
}

/* Rows in order with gaps, or in any order. */
static Batch *some_rows(const Batch *b, uint32_t *rows)
{
    uint32_t n = 0;
    bool in_order = below(2);
    for (uint32_t i = 0; i < ROWS; i++)
        if (!in_order)
            rows[n++] = below(ROWS);
        else if (below(3))
            rows[n++] = i;
    return batch_select_rows(b, rows, n);
}

static Batch *with(const Batch *b, uint32_t col, Column *text, Column *values)
{
    Batch *out = batch_new(b->n_rows, b->n_cols);
    memcpy(out->types, b->types, b->n_cols * sizeof *b->types);
    out->slots[col].text = text;
    out->slots[col].values = values;
    return out;
}

static void run(uint64_t seed)
{
    static Made m;
    SchemaCol cols[COLS];
    Schema schema = {COLS, cols};
    uint32_t rows[ROWS], col;
    state = seed * 2654435761u + 1;
    for (uint32_t c = 0; c < COLS; c++)
        cols[c] = (SchemaCol){STR_LIT("c"), TYPE_STRING};
    col = below(COLS);
    made_make(&m, col);
    Batch *all = batch_of_raw(&m.raw, &schema), *some = some_rows(all, rows);
    Column *values = NULL;
    batch_values(all, col, STR_LIT("c"), NULL, NULL, &values, NULL);
    Batch *decoded = with(all, col, NULL, values), *text = with(all, col, batch_text(all, col), NULL);
    SimdLevel best = simd_level();
    for (uint32_t k = 0; k < N_SIFTS; k++) {
        Value words[MAX_WORDS];
        Sift s = {.kind = (SiftKind)below(4), .is_negated = below(3) == 0, .n_words = 1, .words = words};
        s.keeps_long = !s.is_negated && below(4) == 0;
        if (s.kind == SIFT_IS && below(2))
            s.n_words = 1 + below(MAX_WORDS);
        for (uint32_t i = 0; i < s.n_words; i++)
            words[i] = word_make(&m, s.kind);
        for (int level = 0; level < N_SIMD_LEVELS; level++) {
            if (!simd_has((SimdLevel)level))
                continue;
            simd_use((SimdLevel)level);
            check(&m, all, col, &s, NULL, "cells");
            check(&m, some, col, &s, rows, "chosen cells");
        }
        uint64_t none[ROWS / 64 + 2];
        CHECK(!batch_sift(decoded, col, &s, none) && !batch_sift(text, col, &s, none));
    }
    simd_use(best);
    batch_unref(all);
    batch_unref(some);
    batch_unref(decoded);
    batch_unref(text);
    heap_unref(m.raw.block);
    free(m.raw.start);
    free((char *)(uintptr_t)m.raw.bytes);
    buf_deinit(&m.text);
    buf_deinit(&m.values);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        run(strtoull(argv[1], NULL, 10));
    for (uint64_t seed = 0; argc == 1 && seed < N_TABLES; seed++)
        run(seed);
    UNIT_END("sift");
}
