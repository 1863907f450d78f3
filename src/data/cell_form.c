#include "data/cell_form.h"

#include <stdio.h>

#include "base/time_pattern.h"
#include "base/value.h"
#include "data/csv_cell.h"
#include "data/csv_read.h"

const char *const NULL_WORDS[] = {"NA", "N/A", "n/a", "na", "NULL", "null", "Null", "None", "none", "nil", "-", "--", "?", ".",
                                  "\\N", "#N/A", "(null)", "missing", "unknown", NULL};

bool is_null_word(Str s)
{
    for (size_t k = 0; NULL_WORDS[k]; k++)
        if (str_is(s, NULL_WORDS[k]))
            return true;
    return false;
}

/* ---- forms of single values ---- */

static bool digits_in_threes(Str s, char group, char point)
{
    uint32_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0, run = 0;
    bool has_group = false, has_point = false;
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (c >= '0' && c <= '9') {
            run++;
        } else if (c == group && !has_point && run >= 1 && run <= 3 && (!has_group || run == 3)) {
            has_group = true;
            run = 0;
        } else if (c == point && !has_point && (!has_group || run == 3) && run) {
            has_point = true;
            run = 0;
        } else {
            return false;
        }
    }
    return run > 0 && (has_point || !has_group || run == 3);
}

static bool is_word_of(Str s, const char *const *words, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (str_is(s, words[k]))
            return true;
    return false;
}

/* $1,234.50, and the signs of euro and pound: one character before the number. */
static bool is_money(Str s)
{
    static const char *const SIGNS[] = {"$", "\u20ac", "\u00a3"};
    for (size_t k = 0; k < sizeof SIGNS / sizeof *SIGNS; k++)
        if (str_starts(s, str_of(SIGNS[k])))
            return digits_in_threes(str_slice(s, str_of(SIGNS[k]).len, s.len), ',', '.');
    return false;
}

/* 9:30, 10:30; 10:30:15 */
static bool is_clock(Str s, bool has_seconds)
{
    int64_t us;
    PatternError why;
    char text[32];
    if (s.len > 8)
        return false;
    snprintf(text, sizeof text, "2000-01-01 %.*s", STR_ARG(s));
    return time_parse(str_of(text), str_of(has_seconds ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M"), &us, &why);
}

static bool form_fits(CellForm form, const char *pattern, Str s)
{
    static const char *const YES_NO[] = {"yes", "no", "Yes", "No", "YES", "NO", "y", "n", "Y", "N"};
    int64_t us;
    double f;
    PatternError why;
    switch (form) {
    case FORM_TIME:
    case FORM_TIME_EITHER: return time_parse(s, str_of(pattern), &us, &why);
    case FORM_DECIMAL_COMMA: return digits_in_threes(s, '.', ',');
    case FORM_THOUSANDS: return digits_in_threes(s, ',', '.');
    case FORM_CODE: return value_parse_float(s, &f) || (s.len > 1 && s.ptr[0] == '+' && value_parse_float(str_slice(s, 1, s.len - 1), &f));
    case FORM_YES_NO: return is_word_of(s, YES_NO, sizeof YES_NO / sizeof *YES_NO);
    case FORM_PERCENT: return s.len > 1 && s.ptr[s.len - 1] == '%' && value_parse_float(str_slice(s, 0, s.len - 1), &f);
    case FORM_MONEY: return is_money(s);
    case FORM_CLOCK: return is_clock(s, false);
    case FORM_CLOCK_SECONDS: return is_clock(s, true);
    case FORM_DURATION: return value_parse_duration(s, &us);
    case FORM_SIZE: return value_parse_size(s, &us);
    case FORM_TIME_MIXED: return value_parse_date(s, &us) || value_parse_timestamp(s, &us) || time_form(s) != NULL;
    case FORM_BLANKS:
    case FORM_NULL_WORDS:
    case FORM_NONE: return false;
    }
    return false;
}

/* Do all values of the column have it? The first is the example. */
static bool column_has_form(const RawRows *raw, uint32_t col, CellForm form, const char *pattern, Str *example, Arena *a)
{
    const CsvDialect *d = &raw->input->dialect;
    Heap *heap = NULL;
    bool fits = true, any = false;
    for (uint32_t r = 0; r < raw->n_rows && fits; r++) {
        StrView cell = raw_cell(raw, r, col);
        Str s = csv_cell_text(cell, d->quote, &heap);
        if (csv_cell_is_null(cell, d) || s.len == 0)
            continue;
        fits = form_fits(form, pattern, s);
        if (!any)
            *example = arena_str(a, s);
        any = true;
    }
    heap_unref(heap);
    return fits && any;
}

/* ---- values between blanks, and among words for nothing ---- */

typedef struct Fitting { /* the types that all values so far are of */
    bool is_int, is_float, is_bool, is_date, is_timestamp;
    uint64_t n;
} Fitting;

static void fit(Fitting *f, Str s)
{
    int64_t i;
    double d;
    bool b;
    f->is_int = f->is_int && value_parse_int(s, &i);
    f->is_float = f->is_float && value_parse_float(s, &d);
    f->is_bool = f->is_bool && value_parse_bool(s, &b);
    f->is_date = f->is_date && value_parse_date(s, &i);
    f->is_timestamp = f->is_timestamp && value_parse_timestamp(s, &i);
    f->n++;
}

static Type fitting_type(const Fitting *f)
{
    return !f->n          ? TYPE_STRING
           : f->is_int    ? TYPE_INT
           : f->is_float  ? TYPE_FLOAT
           : f->is_bool   ? TYPE_BOOL
           : f->is_date   ? TYPE_DATE
           : f->is_timestamp ? TYPE_TIMESTAMP
                             : TYPE_STRING;
}

static bool guess_blanks(const RawRows *raw, uint32_t c, DialectCol *out, Arena *a)
{
    const CsvDialect *d = &raw->input->dialect;
    Heap *heap = NULL;
    Fitting f = {true, true, true, true, true, 0};
    bool any = false, all_begin = true;
    out->example = (Str){0};
    for (uint32_t r = 0; r < raw->n_rows; r++) {
        StrView cell = raw_cell(raw, r, c);
        Str s = csv_cell_text(cell, d->quote, &heap), bare = str_trim(s);
        if (csv_cell_is_null(cell, d) || bare.len == 0)
            continue;
        if (bare.len < s.len && !any)
            out->example = arena_str(a, s);
        any |= bare.len < s.len;
        all_begin &= s.ptr[0] == ' ';
        fit(&f, bare);
    }
    heap_unref(heap);
    out->inner = fitting_type(&f);
    if (!any || (out->inner == TYPE_STRING && !all_begin))
        return false;
    out->form = FORM_BLANKS;
    return true;
}

/* A type of its values is needed: in a column of texts the words may mean themselves. */
static bool guess_null_words(const RawRows *raw, uint32_t c, DialectCol *out, Arena *a)
{
    const CsvDialect *d = &raw->input->dialect;
    Heap *heap = NULL;
    Fitting f = {true, true, true, true, true, 0};
    uint32_t n_known = 0;
    while (NULL_WORDS[n_known])
        n_known++;
    out->words = arena_array(a, const char *, n_known);
    out->n_words = 0;
    for (uint32_t r = 0; r < raw->n_rows; r++) {
        StrView cell = raw_cell(raw, r, c);
        Str s = csv_cell_text(cell, d->quote, &heap);
        if (csv_cell_is_null(cell, d) || s.len == 0)
            continue;
        uint32_t k = 0, seen = 0;
        while (k < n_known && !str_is(s, NULL_WORDS[k]))
            k++;
        if (k == n_known) {
            fit(&f, s);
            continue;
        }
        while (seen < out->n_words && out->words[seen] != NULL_WORDS[k])
            seen++;
        if (seen == out->n_words)
            out->words[out->n_words++] = NULL_WORDS[k];
    }
    heap_unref(heap);
    out->inner = fitting_type(&f);
    if (out->n_words == 0 || out->inner == TYPE_STRING)
        return false;
    out->form = FORM_NULL_WORDS;
    return true;
}

/* A value of another form than the example's. */
static bool find_other(const RawRows *raw, uint32_t c, DialectCol *out, Arena *a)
{
    const CsvDialect *d = &raw->input->dialect;
    Heap *heap = NULL;
    const char *form = time_form(out->example);
    out->other = (Str){0};
    for (uint32_t r = 0; r < raw->n_rows && !out->other.len; r++) {
        StrView cell = raw_cell(raw, r, c);
        Str s = csv_cell_text(cell, d->quote, &heap);
        if (!csv_cell_is_null(cell, d) && s.len && time_form(s) != form)
            out->other = arena_str(a, s);
    }
    heap_unref(heap);
    return out->other.len > 0;
}

/* ---- all of them ---- */

void cell_form_guess(const RawRows *raw, uint32_t c, DialectCol *out, Arena *a)
{
    static const CellForm PLAIN[] = {FORM_CODE, FORM_THOUSANDS, FORM_DECIMAL_COMMA, FORM_PERCENT, FORM_YES_NO, FORM_MONEY, FORM_CLOCK, FORM_CLOCK_SECONDS,
                                     FORM_DURATION, FORM_SIZE};
    for (size_t k = 0; k < sizeof PLAIN / sizeof *PLAIN; k++)
        if (column_has_form(raw, c, PLAIN[k], NULL, &out->example, a)) {
            out->form = PLAIN[k];
            return;
        }
    for (uint32_t k = 0; TIME_FORMS[k]; k++) {
        if (!column_has_form(raw, c, FORM_TIME, TIME_FORMS[k], &out->example, a))
            continue;
        if (out->form == FORM_TIME) { /* a second one fits: day and month in the other order */
            out->form = FORM_TIME_EITHER;
            return;
        }
        out->form = FORM_TIME;
        out->pattern = TIME_FORMS[k];
    }
    if (out->form != FORM_NONE || guess_blanks(raw, c, out, a) || guess_null_words(raw, c, out, a))
        return;
    if (column_has_form(raw, c, FORM_TIME_MIXED, NULL, &out->example, a) && find_other(raw, c, out, a))
        out->form = FORM_TIME_MIXED;
    else
        out->example = (Str){0};
}
