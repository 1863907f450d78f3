#include "data/sniff.h"

#include "data/csv_cell.h"

/* In the order in which they are tried. */
static const Type CANDIDATES[] = {TYPE_INT, TYPE_FLOAT, TYPE_BOOL, TYPE_DATE, TYPE_TIMESTAMP};
#define N_CANDIDATES (sizeof CANDIDATES / sizeof *CANDIDATES)

/* `007` and `+49` are codes, not numbers; `0`, `0.5` and `-0` are numbers. */
static bool looks_like_code(Str s)
{
    const char *p = s.ptr, *end = p + s.len;
    if (p < end && *p == '+')
        return true;
    if (p < end && *p == '-')
        p++;
    return end - p >= 2 && p[0] == '0' && p[1] >= '0' && p[1] <= '9';
}

/* Candidates, as a set of bits: bit t is CANDIDATES[t]. */
enum { FITS_INT = 1, FITS_FLOAT = 2, FITS_BOOL = 4, FITS_DATE = 8, FITS_TIMESTAMP = 16, IS_BIG = 32 };

/* Which of them read the text, which is not empty. A sample is up to 1 MB and is looked at in every
 * run, so that the first byte decides what is tried: most cells are tried as one type or none. */
static unsigned fits(Str s)
{
    int64_t i;
    double f;
    bool b;
    switch (s.ptr[0]) {
    case 't': case 'T':
    case 'f': case 'F': return value_parse_bool(s, &b) ? FITS_BOOL : 0;
    case 'i': case 'I': /* infinity */
    case 'n': case 'N': return value_parse_float(s, &f) ? FITS_FLOAT : 0;
    case '.': return value_parse_float(s, &f) ? FITS_FLOAT : 0;
    case '+':
    case '-': break;
    default:
        if (s.ptr[0] < '0' || s.ptr[0] > '9')
            return 0;
    }
    if (!looks_like_code(s)) {
        if (value_parse_int(s, &i))
            return FITS_INT | FITS_FLOAT;
        if (value_parse_float(s, &f))
            return value_is_whole(s) ? FITS_FLOAT | IS_BIG : FITS_FLOAT;
    }
    bool has_sign = s.ptr[0] == '+' || s.ptr[0] == '-'; /* a year beyond four digits */
    if (s.len < 10 || (!has_sign && s.ptr[4] != '-'))
        return 0;
    if (value_parse_date(s, &i))
        return FITS_DATE;
    return value_parse_timestamp(s, &i) ? FITS_TIMESTAMP : 0;
}

static void sniff_column(const RawRows *raw, uint32_t col, Arena *a, CatalogCol *out)
{
    const CsvDialect *d = &raw->input->dialect;
    uint32_t n_values = 0, n_fit[N_CANDIDATES] = {0}, odd_row[N_CANDIDATES] = {0}, n_big = 0;
    uint32_t first = 0; /* row with a value */
    Heap *unquoted = NULL;
    *out = (CatalogCol){.name = arena_str(a, raw->input->names[col]),
                        .type = TYPE_STRING,
                        .almost = TYPE_ERROR};
    for (uint32_t r = 0; r < raw->n_rows; r++) {
        StrView cell = raw_cell(raw, r, col);
        if (csv_cell_is_null(cell, d))
            continue;
        Str s = csv_cell_text(cell, d->quote, &unquoted);
        if (s.len == 0)
            continue; /* `""`: null in a column of another type, see csv_read.h */
        n_values++;
        unsigned fit = fits(s);
        n_big += fit / IS_BIG;
        if (n_values == 1)
            first = r;
        for (size_t t = 0; t < N_CANDIDATES; t++) {
            if (fit & 1u << t)
                n_fit[t]++;
            else if (n_fit[t] == n_values - 1)
                odd_row[t] = r; /* the first that contradicts, if those before agreed */
        }
        /* Text, clearly: no type has had half of 1,000 values. */
        if (n_values == 1000 && !fit) {
            bool hopeless = true;
            for (size_t t = 0; t < N_CANDIDATES; t++)
                hopeless &= n_fit[t] < n_values / 2;
            if (hopeless)
                goto done;
        }
    }
    for (size_t t = 0; t < N_CANDIDATES && n_values; t++) {
        bool is_rounded = CANDIDATES[t] == TYPE_FLOAT && n_big && n_fit[0] + n_big == n_values;
        if (n_fit[t] == n_values && !is_rounded) {
            out->type = CANDIDATES[t];
            goto done;
        }
        if (is_rounded) { /* whole numbers, which a float would round without a word */
            out->almost = TYPE_INT;
            out->odd_line = raw_line(raw, odd_row[0]);
            out->odd_value = arena_str(a, csv_cell_text(raw_cell(raw, odd_row[0], col), d->quote, &unquoted));
            goto done;
        }
    }
    /* What most values have is what a person takes the column for. */
    size_t best = 0;
    for (size_t t = 1; t < N_CANDIDATES; t++)
        if (n_fit[t] > n_fit[best])
            best = t;
    if (n_values && 2 * n_fit[best] > n_values) {
        uint32_t r = odd_row[best];
        Str s = csv_cell_text(raw_cell(raw, r, col), d->quote, &unquoted);
        out->almost = CANDIDATES[best];
        out->odd_line = raw_line(raw, r);
        out->odd_value = arena_str(a, s);
    }
done:
    if (out->type == TYPE_STRING && n_values)
        out->example = arena_str(a, csv_cell_text(raw_cell(raw, first, col), d->quote, &unquoted));
    heap_unref(unquoted);
}

void sniff_types(const RawRows *raw, Arena *a, CatalogCol *cols)
{
    for (uint32_t c = 0; c < raw->n_cols; c++)
        sniff_column(raw, c, a, &cols[c]);
}
