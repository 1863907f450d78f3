#include "data/json_read.h"

#include <string.h>

#include "base/map.h"
#include "data/json_line.h"

/* In the order in which they are tried; bit t of a set is CANDIDATES[t]. */
static const Type CANDIDATES[] = {TYPE_INT, TYPE_FLOAT, TYPE_BOOL, TYPE_DATE, TYPE_TIMESTAMP};
#define N_CANDIDATES (sizeof CANDIDATES / sizeof *CANDIDATES)
enum { FITS_INT = 1, FITS_FLOAT = 2, FITS_BOOL = 4, FITS_DATE = 8, FITS_TIMESTAMP = 16, IS_BIG = 32 };

/* What the sample shows of a column. */
typedef struct Seen {
    Str name;
    uint32_t n_values, n_fit[N_CANDIDATES], n_big;
    uint64_t odd_line[N_CANDIDATES]; /* the first that contradicts, if those before agreed */
    Str odd_value[N_CANDIDATES];     /* in the sample */
    Str first;                       /* value */
} Seen;

static unsigned fits(Str s)
{
    int64_t i;
    switch (*s.ptr) {
    case 't':
    case 'f': return FITS_BOOL;
    case '[':
    case '{': return 0;
    case '"':
        s = (Str){s.ptr + 1, s.len - 2};
        if (s.len < 10 || memchr(s.ptr, '\\', s.len))
            return 0;
        return value_parse_date(s, &i) ? FITS_DATE : value_parse_timestamp(s, &i) ? FITS_TIMESTAMP : 0;
    default: return value_parse_int(s, &i) ? FITS_INT | FITS_FLOAT : value_is_whole(s) ? FITS_FLOAT | IS_BIG : FITS_FLOAT;
    }
}

static void see(Seen *c, Str value, uint64_t line)
{
    if (*value.ptr == 'n')
        return;
    unsigned fit = fits(value);
    c->n_values++;
    c->n_big += fit / IS_BIG;
    if (c->n_values == 1)
        c->first = value;
    for (size_t t = 0; t < N_CANDIDATES; t++) {
        if (fit & 1u << t) {
            c->n_fit[t]++;
        } else if (c->n_fit[t] == c->n_values - 1) {
            c->odd_line[t] = line;
            c->odd_value[t] = value;
        }
    }
}

static void conclude(const Seen *c, Arena *a, CatalogCol *out)
{
    size_t best = 0;
    bool is_rounded = c->n_big && c->n_fit[0] + c->n_big == c->n_values; /* as floats: whole numbers beyond 64 bits */
    *out = (CatalogCol){.name = c->name, .type = TYPE_STRING, .almost = TYPE_ERROR};
    for (size_t t = 0; t < N_CANDIDATES && c->n_values && !is_rounded; t++) {
        if (c->n_fit[t] == c->n_values) {
            out->type = CANDIDATES[t];
            return;
        }
        if (c->n_fit[t] > c->n_fit[best])
            best = t;
    }
    if (c->n_values)
        out->example = arena_str(a, *c->first.ptr == '"' ? str_slice(c->first, 1, c->first.len - 2) : c->first);
    /* What most values have is what a person takes the column for. */
    if (is_rounded || (c->n_values && 2 * c->n_fit[best] > c->n_values)) {
        out->almost = CANDIDATES[best];
        out->odd_line = c->odd_line[best];
        out->odd_value = arena_str(a, c->odd_value[best]);
    }
}

/* The name that a key has between its quotes, in the arena if it has escapes. */
static Str key_name(Arena *a, const char *p, const char *end, bool has_escapes)
{
    Str raw = {p, (uint32_t)(end - p)};
    if (!has_escapes)
        return raw;
    char *name = arena_alloc(a, raw.len + 1ull);
    return (Str){name, jscan_unescape(raw, name)};
}

/* Notes the members of the object of the line, which has been scanned and is sound. */
static void object_see(const JsonLine *l, Map *columns, Arena *a)
{
    const char *limit = json_limit(l->raw), *p = jscan_blanks(l->start + 1);
    JsonBad none;
    while (*p != '}') {
        bool has_escapes;
        const char *close = jscan_string(p + 1, limit, &has_escapes, &none);
        Str name = key_name(a, p + 1, close, has_escapes);
        Seen *c = map_get(columns, name);
        if (!c) {
            c = arena_new(a, Seen);
            c->name = arena_str(a, name);
            map_put(columns, c->name, c);
        }
        p = jscan_blanks(jscan_blanks(close + 1) + 1); /* behind the colon */
        const char *end = jscan_value(p, limit, &none);
        see(c, (Str){p, (uint32_t)(end - p)}, l->raw->first_line + l->i);
        p = jscan_blanks(end);
        if (*p == ',')
            p = jscan_blanks(p + 1);
    }
}

/* The line's LF; NULL: *st, it is no object. */
static const char *line_check(const JsonLine *l, Error *err, Status *st)
{
    JsonBad bad;
    if (*l->start != '{') {
        *st = json_no_object(l, err);
        return NULL;
    }
    const char *end = jscan_value(l->start, json_limit(l->raw), &bad);
    if (end) {
        end = jscan_blanks(end);
        if (*end == '\n')
            return end;
        jscan_fail(&bad, end, "expected the end of the line behind the object");
    }
    *st = json_bad_line(l, bad, err);
    return NULL;
}

Status json_sniff(const RawRows *raw, Arena *a, CatalogTable *out, Error *err)
{
    JsonLine l = {.raw = raw};
    Map columns;
    Status st = OK;
    const char *p = raw->bytes;
    uint32_t row = 0;
    map_init(&columns, a);
    for (; row < raw->n_rows; l.i++) {
        l.start = jscan_blanks(p);
        const char *lf = *l.start == '\n' ? l.start : line_check(&l, row ? NULL : err, &st);
        if (!lf)
            break;
        if (*l.start != '\n') {
            object_see(&l, &columns, a);
            row++;
        }
        p = lf + 1;
    }
    CatalogCol *cols = arena_array(a, CatalogCol, columns.n + 1);
    for (size_t c = 0; c < columns.n; c++)
        conclude(columns.entries[c].value, a, &cols[c]);
    out->n_cols = (uint32_t)columns.n;
    out->cols = cols;
    out->sample_rows = row;
    return row ? OK : st;
}
