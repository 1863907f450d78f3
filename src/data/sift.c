#include "data/sift.h"

#include <stdlib.h>
#include <string.h>

#include "base/simd.h"
#include "data/csv_cell.h"
#include "data/csv_sift.h"
#include "data/csv_words.h"

static bool passes(const Sift *s, Str text)
{
    bool found = s->keeps_long && text.len >= SIFT_LONG;
    for (uint32_t i = 0; i < s->n_words && !found; i++) {
        Str word = s->words[i].s;
        switch (s->kind) {
        case SIFT_IS: found = str_eq(text, word); break;
        case SIFT_BEGINS: found = str_starts(text, word); break;
        case SIFT_ENDS: found = str_ends(text, word); break;
        case SIFT_HAS: found = str_find(text, word) != NULL; break;
        }
    }
    return found != s->is_negated;
}

static SiftWord word_make(SiftKind kind, Str text)
{
    SiftWord w = {.text = text};
    char bytes[8] = {0}, keep[8] = {0};
    uint32_t n = text.len < 8 ? text.len : 8;
    const char *from = text.ptr + (kind == SIFT_BEGINS ? 0 : text.len - n);
    uint32_t at = kind == SIFT_BEGINS ? 0 : 8 - n;
    if (n) {
        memcpy(bytes + at, from, n);
        memset(keep + at, 0xff, n);
    }
    memcpy(&w.bytes, bytes, sizeof bytes);
    memcpy(&w.keep, keep, sizeof keep);
    return w;
}

/* Can cells be compared where they lie? Not where a word may be that of a null, or stands otherwise in quotes. */
static bool fits_cells(const CsvDialect *d, const Sift *s)
{
    bool fits = d->null_word.len == 0;
    for (uint32_t i = 0; i < s->n_words; i++) {
        Str word = s->words[i].s;
        fits &= word.len == 0 ? s->kind == SIFT_IS : !memchr(word.ptr, d->quote, word.len);
    }
    return fits;
}

static bool cell_passes(const Batch *b, uint32_t field, uint32_t row, const Sift *s, Heap **unquoted)
{
    const CsvDialect *d = &b->raw->input->dialect;
    StrView cell = raw_cell(b->raw, b->sel ? b->sel[row] : row, field);
    return !csv_cell_is_null(cell, d) && passes(s, csv_cell_text(cell, d->quote, unquoted));
}

static void sift_cells(const Batch *b, uint32_t field, const Sift *s, uint64_t *bits)
{
    const RawRows *raw = b->raw;
    CsvSiftRows *sift = CSV_WORDS[simd_level()]->sift;
    SiftWord *words = xmalloc((s->n_words + 1ull) * sizeof *words);
    for (uint32_t i = 0; i < s->n_words; i++)
        words[i] = word_make(s->kind, s->words[i].s);
    const CsvSift cells = {.bytes = raw->cells,
                           .n_bytes = raw->start[(size_t)raw->n_rows * raw->stride],
                           .start = raw->start + raw_place(raw, 0, field),
                           .stride = raw->stride,
                           .sel = b->sel,
                           .may_end_in_cr = raw->has_gaps && field + 1 == raw->n_cols,
                           .may_begin_late = raw->has_gaps && field == 0 && raw->n_cols > 1,
                           .quote = raw->input->dialect.quote,
                           .kind = s->kind,
                           .keeps_long = s->keeps_long,
                           .n_words = s->n_words,
                           .words = words};
    bool fits = fits_cells(&raw->input->dialect, s);
    Heap *unquoted = NULL;
    for (uint32_t at = 0; at < b->n_rows; at += SIFT_ROWS) {
        uint64_t found, empty, passes = 0;
        uint32_t n = b->n_rows - at < SIFT_ROWS ? b->n_rows - at : SIFT_ROWS;
        if (fits && n == SIFT_ROWS && sift(&cells, at, &found, &empty))
            passes = (s->is_negated ? ~found : found) & ~empty;
        else
            for (uint32_t i = 0; i < n; i++)
                passes |= (uint64_t)cell_passes(b, field, at + i, s, &unquoted) << i;
        bits[at / SIFT_ROWS] = passes;
    }
    heap_unref(unquoted);
    free(words);
}

bool batch_sift(const Batch *b, uint32_t col, const Sift *s, uint64_t *bits)
{
    const Slot *slot = &b->slots[col];
    if (slot->values || slot->text || slot->picked || slot->raw_col < 0)
        return false;
    sift_cells(b, (uint32_t)slot->raw_col, s, bits);
    return true;
}
