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

static bool fits(Type t, Str s)
{
    Value v;
    if ((t == TYPE_INT || t == TYPE_FLOAT) && looks_like_code(s))
        return false;
    return value_parse(t, s, &v, NULL);
}

static void sniff_column(const RawRows *raw, uint32_t col, Arena *a, CatalogCol *out)
{
    const CsvDialect *d = &raw->input->dialect;
    uint32_t n_values = 0, n_fit[N_CANDIDATES] = {0}, odd_row[N_CANDIDATES] = {0};
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
        bool fits_some = false;
        for (size_t t = 0; t < N_CANDIDATES; t++) {
            if (fits(CANDIDATES[t], s)) {
                n_fit[t]++;
                fits_some = true;
            } else if (n_fit[t] == n_values - 1) {
                odd_row[t] = r; /* the first that contradicts, if those before agreed */
            }
        }
        /* Text, clearly: no type has had half of 1,000 values. */
        if (n_values == 1000 && !fits_some) {
            bool hopeless = true;
            for (size_t t = 0; t < N_CANDIDATES; t++)
                hopeless &= n_fit[t] < n_values / 2;
            if (hopeless)
                goto done;
        }
    }
    for (size_t t = 0; t < N_CANDIDATES && n_values; t++) {
        if (n_fit[t] == n_values) {
            out->type = CANDIDATES[t];
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
    heap_unref(unquoted);
}

void sniff_types(const RawRows *raw, Arena *a, CatalogCol *cols)
{
    for (uint32_t c = 0; c < raw->n_cols; c++)
        sniff_column(raw, c, a, &cols[c]);
}
