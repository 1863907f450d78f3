#include "data/json_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/map.h"
#include "data/json_line.h"
#include "data/reject.h"

#define SKIPPED (-1)      /* Key.col: a value that nobody wants */
#define KEYS_MAX 100000u  /* spellings that are remembered of one range */

/* A key as it stands in the input, and the one that last came behind it. */
typedef struct Key Key;
struct Key {
    Str text; /* with its quotes */
    uint64_t head[2], mask[2]; /* of up to 16 bytes of it, and which of them are its own */
    int32_t col;
    Key *next;
};

typedef struct Decoder {
    const RawRows *raw;
    const Schema *schema;
    const char *limit;
    Column **cols;      /* [n_cols] NULL: not needed */
    uint32_t n_cols, n_needed;
    uint32_t *seen;     /* [n_cols] the row that last had the column, + 1 */
    uint32_t n_seen;    /* needed columns that the row has */
    bool refuses;       /* keys that the schema lacks */
    Arena *arena;
    Map names;          /* column names -> schema column */
    Map keys;           /* spellings -> Key */
    Key first;          /* stands before the first key of a line */
    Key other;          /* for spellings that are not remembered */
    Heap *text;         /* strings without their escapes; NULL: none yet */
    JsonBad bad;
    JsonLine line;      /* the one that is read */
    Rejects *rejects;   /* NULL: the first mistake is an error */
    uint32_t n_rows;    /* of the range so far, bad ones too */
    Str culprit;        /* the value that a mistake is about */
    Error *err;
} Decoder;

/* --- mistakes ---------------------------------------------------------------------------- */

/* The value p[0..n) is none of column col. */
static Status bad_value(const Decoder *d, uint32_t col, const char *p, uint32_t n)
{
    const SchemaCol *c = &d->schema->cols[col];
    const char *why = "another value", *wider = type_name(value_wider(c->type, (Str){p, n}));
    Value v;
    if (!d->err)
        return ERR_ROW;
    if (value_parse(c->type, (Str){p, n}, &v, &why)) /* 1 for a date, "1" for an int: the kind is wrong */
        value_parse(c->type, STR_LIT("?"), &v, &why);
    char shown[80], column[sizeof d->err->column], sample[32];
    text_visible((Str){p, n}, shown, sizeof shown);
    text_visible(c->name, column, sizeof column);
    uint64_t inferred = d->raw->input->inferred_rows[col];
    Str first = d->raw->input->first;
    if (inferred)
        error_set(d->err, ERR_ROW,
                  "column `%s`: expected %s, got `%s`\n"
                  "%s was inferred from the first %s%s%.*s: declare the column in a schema "
                  "(`%s: %s`)",
                  column, why, shown, type_name(c->type), text_rows(inferred, sample, sizeof sample), first.len ? " of " : "",
                  STR_ARG(first), column, wider);
    else
        error_set(d->err, ERR_ROW,
                  "column `%s`: expected %s, got `%s`\n"
                  "it is declared %s: declare it %s",
                  column, why, shown, type_name(c->type), wider);
    memcpy(d->err->column, column, sizeof column);
    d->err->row_error = ROW_ERROR_CONVERSION;
    d->err->is_input = true; /* it was converted while it was read, whichever step wanted the rows */
    text_visible((Str){p, n}, d->err->value, sizeof d->err->value);
    json_error_at(&d->line, p, d->err);
    return ERR_ROW;
}

static Status unknown_key(const Decoder *d, Str name, const char *at)
{
    uint64_t rows = 0;
    for (uint32_t c = 0; c < d->n_cols; c++)
        rows = rows ? rows : d->raw->input->inferred_rows[c];
    char shown[sizeof d->err->column], sample[32];
    Str first = d->raw->input->first;
    text_visible(name, shown, sizeof shown);
    error_set(d->err, ERR_ROW,
              "key `%s` is not in the first %s%s%.*s, which the columns were inferred from\n"
              "declare it in a schema that ends in `...`; a schema without `...` leaves out what it does not name",
              shown, text_rows(rows, sample, sizeof sample), first.len ? " of " : "", STR_ARG(first));
    if (d->err) {
        memcpy(d->err->column, shown, sizeof shown);
        d->err->row_error = ROW_ERROR_KEY;
    }
    json_error_at(&d->line, at, d->err);
    return ERR_ROW;
}

/* What d->err says of the row that is read. */
static void row_tell(const Decoder *d, bool is_nulled)
{
    const Error *e = d->err;
    Reject what = {.row = d->n_rows, .is_nulled = is_nulled, .kind = e->row_error, .column = str_of(e->column),
                   .value = d->culprit, .message = {e->text, (uint32_t)strcspn(e->text, "\n")}};
    rejects_place_raw(&what, d->raw->input->file, e->line, e->byte, json_line_text(&d->line));
    rejects_put(d->rejects, &what);
}

static bool makes_null(const Decoder *d)
{
    return d->rejects && d->rejects->policy == BAD_ROWS_NULL;
}

/* --- values ------------------------------------------------------------------------------ */

/* The text of a string between its quotes; a copy if it has escapes. */
static Str string_text(Decoder *d, const char *p, const char *end, bool has_escapes)
{
    Str raw = {p, (uint32_t)(end - p)};
    if (!has_escapes)
        return raw;
    if (!d->text)
        d->text = heap_new(4096);
    char *to = heap_alloc(d->text, raw.len);
    return (Str){to, jscan_unescape(raw, to)};
}

static void put_null(Column *c, uint32_t row)
{
    if (!c->valid)
        column_own_valid(c, true);
    bit_clear(c->valid, row);
    switch (c->type) {
    case TYPE_STRING: column_strs(c)[row] = (StrView){"", 0, 0}; break;
    case TYPE_BOOL: column_bools(c)[row] = 0; break;
    case TYPE_FLOAT: column_floats(c)[row] = 0; break;
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
    case TYPE_SIZE:
    case TYPE_ERROR:
    case TYPE_NULL:
    case TYPE_TABLE:
    case TYPE_LIST:
    case N_TYPES: column_ints(c)[row] = 0; break;
    }
}

static bool put_number(Column *c, uint32_t row, Str s)
{
    return c->type == TYPE_INT ? value_parse_int(s, &column_ints(c)[row])
                               : value_parse_float(s, &column_floats(c)[row]);
}

/* A number of up to 18 digits without an exponent, straight into its column. NULL: it is another, or none. */
static const char *plain_number(const char *p, Column *c, uint32_t row)
{
    bool is_negative = *p == '-';
    uint64_t v = 0;
    p += is_negative;
    const char *start = p;
    for (; *p >= '0' && *p <= '9'; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    ptrdiff_t n = p - start;
    if (n == 0 || n > 18 || (*start == '0' && n > 1))
        return NULL;
    if (c->type == TYPE_INT) {
        if (*p == '.' || *p == 'e' || *p == 'E')
            return NULL;
        column_ints(c)[row] = is_negative ? -(int64_t)v : (int64_t)v;
        return p;
    }
    int32_t n_behind = 0;
    if (*p == '.') {
        const char *point = p++;
        for (; *p >= '0' && *p <= '9'; p++)
            v = v * 10 + (uint64_t)(*p - '0');
        n_behind = (int32_t)(p - point - 1);
        if (n_behind == 0 || n + n_behind > 18)
            return NULL;
    }
    if (*p == 'e' || *p == 'E')
        return NULL;
    double f = decimal_to_double(v, -n_behind);
    column_floats(c)[row] = is_negative ? -f : f;
    return p;
}

/* A string for a column of dates and the like. */
static bool put_parsed(Column *c, uint32_t row, Str s)
{
    int64_t *to = &column_ints(c)[row];
    return c->type == TYPE_DATE        ? value_parse_date(s, to)
           : c->type == TYPE_TIMESTAMP ? value_parse_timestamp(s, to)
           : c->type == TYPE_DURATION  ? value_parse_duration(s, to)
           : c->type == TYPE_SIZE      ? value_parse_size(s, to)
                                       : false;
}

/* Puts the value at p into its column and returns its end; NULL: *st, the error is made. */
static const char *value_put(Decoder *d, uint32_t col, uint32_t row, const char *p, Status *st)
{
    Column *c = d->cols[col];
    const char *end;
    bool has_escapes, ok = false;
    if (*p == '"') {
        end = jscan_string(p + 1, d->limit, &has_escapes, &d->bad);
        if (!end)
            goto bad;
        if (c->type == TYPE_STRING && !has_escapes) {
            column_strs(c)[row] = (StrView){p + 1, (uint32_t)(end - p - 1), 0};
            return end + 1;
        }
        Str s = string_text(d, p + 1, end, has_escapes);
        end++;
        if (c->type == TYPE_STRING) {
            column_strs(c)[row] = (StrView){s.ptr, s.len, 0};
            return end;
        }
        ok = put_parsed(c, row, s);
    } else {
        bool is_numeric = c->type == TYPE_INT || c->type == TYPE_FLOAT;
        end = is_numeric ? plain_number(p, c, row) : NULL;
        if (end)
            return end;
        if (c->type == TYPE_BOOL && (jscan_is_true(p) || jscan_is_false(p))) {
            column_bools(c)[row] = *p == 't';
            return p + (*p == 't' ? 4 : 5);
        }
        end = jscan_value(p, d->limit, &d->bad);
        if (!end)
            goto bad;
        Str s = {p, (uint32_t)(end - p)};
        if (*p == 'n') {
            put_null(c, row);
            return end;
        }
        if (c->type == TYPE_STRING) {
            column_strs(c)[row] = (StrView){s.ptr, s.len, 0};
            return end;
        }
        ok = is_numeric && (*p == '-' || (*p >= '0' && *p <= '9')) && put_number(c, row, s);
    }
    if (ok)
        return end;
    *st = bad_value(d, col, p, (uint32_t)(end - p));
    d->culprit = (Str){p, (uint32_t)(end - p)};
    if (!makes_null(d))
        return NULL;
    row_tell(d, true);
    put_null(c, row);
    *st = OK;
    return end;
bad:
    *st = json_bad_line(&d->line, d->bad, d->err);
    return NULL;
}

/* --- keys -------------------------------------------------------------------------------- */

static void key_set(Decoder *d, Key *key, Str text)
{
    char head[16] = {0}, mask[16] = {0};
    uint32_t n = text.len < sizeof head ? text.len : (uint32_t)sizeof head;
    key->text = arena_str(d->arena, text);
    memcpy(head, text.ptr, n);
    memset(mask, 0xff, n);
    memcpy(key->head, head, sizeof head);
    memcpy(key->mask, mask, sizeof mask);
}

/* Does it stand at p? */
static inline bool key_is(const Decoder *d, const Key *key, const char *p)
{
    if (d->limit - p < 16 || key->text.len > 16)
        return (size_t)(d->limit - p) >= key->text.len && memcmp(p, key->text.ptr, key->text.len) == 0;
    uint64_t w[2];
    memcpy(w, p, sizeof w);
    return (((w[0] ^ key->head[0]) & key->mask[0]) | ((w[1] ^ key->head[1]) & key->mask[1])) == 0;
}

/* The key whose quotes stand at p, p[0..n). NULL: *st. */
static Key *key_find(Decoder *d, const char *p, uint32_t n, bool has_escapes, Status *st)
{
    Str text = {p, n};
    Key *key = map_get(&d->keys, text);
    if (key)
        return key;
    Str name = string_text(d, p + 1, p + n - 1, has_escapes);
    const SchemaCol *col = map_get(&d->names, name);
    key = &d->other;
    if (!col && d->refuses) {
        *st = unknown_key(d, name, p);
        d->culprit = (Str){0};
        if (!makes_null(d))
            return NULL;
        row_tell(d, true); /* each time: it is not remembered */
        *st = OK;
        key->col = SKIPPED;
        return key;
    }
    if (d->keys.n < KEYS_MAX || col) {
        key = arena_new(d->arena, Key);
        key_set(d, key, text);
        map_put(&d->keys, key->text, key);
    }
    key->col = col && d->cols[col - d->schema->cols] ? (int32_t)(col - d->schema->cols) : SKIPPED;
    return key;
}

/* The key at p, which came behind `before`; *end: behind its closing quote. NULL: *st. */
static inline Key *key_at(Decoder *d, Key *before, const char *p, const char **end, Status *st)
{
    Key *key = before->next;
    if (key && key_is(d, key, p)) {
        *end = p + key->text.len;
        return key;
    }
    bool has_escapes;
    const char *close = NULL;
    if (*p != '"')
        jscan_fail(&d->bad, p, *p == '\n' ? "the line ends inside an object" : "expected a key in quotes");
    else
        close = jscan_string(p + 1, d->limit, &has_escapes, &d->bad);
    if (!close) {
        *st = json_bad_line(&d->line, d->bad, d->err);
        return NULL;
    }
    *end = close + 1;
    key = key_find(d, p, (uint32_t)(close + 1 - p), has_escapes, st);
    if (key && key != &d->other)
        before->next = key;
    return key;
}

/* --- lines ------------------------------------------------------------------------------- */

static inline Status member(Decoder *d, Key *key, uint32_t row, const char *p, const char **end)
{
    Status st = OK;
    if (key->col == SKIPPED) {
        bool has_escapes;
        if (*p == '"') {
            *end = jscan_string(p + 1, d->limit, &has_escapes, &d->bad);
            if (*end)
                ++*end;
        } else {
            *end = jscan_value(p, d->limit, &d->bad);
        }
        return *end ? OK : json_bad_line(&d->line, d->bad, d->err);
    }
    uint32_t col = (uint32_t)key->col;
    if (d->seen[col] != row + 1) {
        d->seen[col] = row + 1;
        d->n_seen++;
    } else if (d->cols[col]->valid) { /* again, and it may have been null */
        bit_set(d->cols[col]->valid, row);
    }
    *end = value_put(d, col, row, p, &st);
    return st;
}

/* The object at p is row `row`; *end: the line's LF. */
static Status object_decode(Decoder *d, uint32_t row, const char *p, const char **end)
{
    Key *key = &d->first;
    Status st = OK;
    if (*p != '{')
        return json_no_object(&d->line, d->err);
    p = jscan_blanks(p + 1);
    d->n_seen = 0;
    while (*p != '}') {
        key = key_at(d, key, p, &p, &st);
        if (!key)
            return st;
        p = jscan_blanks(p);
        if (*p != ':') {
            jscan_fail(&d->bad, p, "expected `:` behind a key");
            return json_bad_line(&d->line, d->bad, d->err);
        }
        st = member(d, key, row, jscan_blanks(p + 1), &p);
        if (st != OK)
            return st;
        p = jscan_blanks(p);
        if (*p == '}')
            break;
        if (*p != ',') {
            jscan_fail(&d->bad, p, *p == '\n' ? "the line ends inside an object" : "expected `,` or `}` behind a value");
            return json_bad_line(&d->line, d->bad, d->err);
        }
        p = jscan_blanks(p + 1);
        if (*p == '}') {
            jscan_fail(&d->bad, p, "expected a key in quotes");
            return json_bad_line(&d->line, d->bad, d->err);
        }
    }
    p = jscan_blanks(p + 1);
    if (*p != '\n') {
        jscan_fail(&d->bad, p, "expected the end of the line behind the object");
        return json_bad_line(&d->line, d->bad, d->err);
    }
    *end = p;
    for (uint32_t c = 0; d->n_seen < d->n_needed && c < d->n_cols; c++) {
        if (d->cols[c] && d->seen[c] != row + 1) {
            put_null(d->cols[c], row);
            d->n_seen++;
        }
    }
    return OK;
}

static void decoder_init(Decoder *d, const RawRows *raw, const Schema *schema, const bool *needed, Error *err)
{
    *d = (Decoder){.raw = raw, .schema = schema, .n_cols = schema->n_cols, .err = err};
    d->line.raw = raw;
    d->limit = json_limit(raw);
    d->arena = arena_open();
    map_init(&d->names, d->arena);
    map_init(&d->keys, d->arena);
    d->cols = arena_array(d->arena, Column *, schema->n_cols + 1);
    d->seen = arena_array(d->arena, uint32_t, schema->n_cols + 1);
    for (uint32_t c = 0; c < schema->n_cols; c++) {
        map_put(&d->names, schema->cols[c].name, (void *)&schema->cols[c]);
        d->refuses |= raw->input->inferred_rows[c] != 0;
        if (needed && !needed[c])
            continue;
        d->cols[c] = column_new(schema->cols[c].type, false, raw->n_rows);
        d->n_needed++;
    }
}

/* The row that is read is none: what was put for it is forgotten. */
static void row_drop(Decoder *d, uint32_t row)
{
    row_tell(d, false);
    for (uint32_t c = 0; c < d->n_cols; c++) {
        if (d->cols[c] && d->cols[c]->valid)
            bit_set(d->cols[c]->valid, row);
        d->seen[c] = 0;
    }
}

Status json_decode(RawRows *raw, const Schema *schema, const bool *needed, Rejects *bad, Batch **out, Error *err)
{
    Decoder d;
    Status st = OK;
    Error why;
    const char *p = raw->bytes;
    uint32_t row = 0;
    Batch *b = line_batch(raw, schema);
    decoder_init(&d, raw, schema, needed, bad ? &why : err);
    d.rejects = bad;
    if (bad)
        rejects_next_group(bad);
    for (; d.n_rows < raw->n_rows && st == OK; d.line.i++) {
        const char *start = jscan_blanks(p);
        if (*start == '\n') { /* no row */
            p = start + 1;
            continue;
        }
        d.line.start = start;
        b->origin[row] = line_origin(raw, d.line.i, start);
        d.culprit = (Str){0};
        st = object_decode(&d, row, start, &p);
        if (st != OK && bad) {
            row_drop(&d, row);
            p = memchr(start, '\n', (size_t)(raw->bytes + raw->n_bytes - start));
            st = OK;
        } else {
            row++;
        }
        d.n_rows++;
        p++;
    }
    for (uint32_t c = 0; c < d.n_cols && st == OK; c++)
        if (d.cols[c])
            d.cols[c]->n_rows = row;
    if (st == OK)
        b->n_rows = row;
    for (uint32_t c = 0; c < d.n_cols; c++) {
        b->slots[c].values = d.cols[c];
        if (!d.cols[c] || d.cols[c]->type != TYPE_STRING)
            continue;
        column_add_heap(d.cols[c], raw->block);
        if (d.text)
            column_add_heap(d.cols[c], d.text);
    }
    heap_unref(d.text);
    arena_close(d.arena);
    if (st != OK) {
        batch_unref(b);
        b = NULL;
    }
    *out = b;
    return st;
}
