#include "data/sqlite_pack.h"

#include <string.h>

/* A value is a byte of its kind and what follows: 8 bytes, or 4 bytes of length and text. */
enum { PACKED_NULL, PACKED_INT, PACKED_FLOAT, PACKED_TEXT };

static inline char *room(Buf *out, size_t n)
{
    if (out->cap - out->len <= n)
        buf_reserve(out, n + out->len / 2 + 64);
    return out->ptr + out->len;
}

static void pack_number(Buf *out, char kind, const void *bits)
{
    char *to = room(out, 9);
    to[0] = kind;
    memcpy(to + 1, bits, 8);
    out->len += 9;
}

static void pack_text(Buf *out, const char *p, uint32_t n)
{
    char *to = room(out, n + 5ull);
    to[0] = PACKED_TEXT;
    memcpy(to + 1, &n, sizeof n);
    memcpy(to + 5, p, n);
    out->len += n + 5ull;
}

static void pack_value(Buf *out, const Column *c, uint32_t row)
{
    char text[VALUE_PRINT_MAX];
    int64_t truth;
    if (!column_is_valid(c, row)) {
        *room(out, 1) = PACKED_NULL;
        out->len++;
        return;
    }
    switch (c->type) {
    case TYPE_INT:
    case TYPE_SIZE: pack_number(out, PACKED_INT, &column_ints(c)[row]); return;
    case TYPE_FLOAT: pack_number(out, PACKED_FLOAT, &column_floats(c)[row]); return;
    case TYPE_BOOL:
        truth = column_bools(c)[row] & 1;
        pack_number(out, PACKED_INT, &truth);
        return;
    case TYPE_STRING: pack_text(out, column_strs(c)[row].ptr, column_strs(c)[row].len); return;
    case TYPE_DATE: pack_text(out, text, value_print_date(column_ints(c)[row], text)); return;
    case TYPE_TIMESTAMP: pack_text(out, text, value_print_timestamp(column_ints(c)[row], text)); return;
    case TYPE_DURATION: pack_text(out, text, value_print_duration(column_ints(c)[row], text)); return;
    case TYPE_ERROR:
    case TYPE_NULL:
    case TYPE_TABLE:
    case TYPE_LIST:
    case N_TYPES: break;
    }
    *room(out, 1) = PACKED_NULL;
    out->len++;
}

void sqlite_pack(Buf *out, const Batch *b, Column *const *cols)
{
    for (uint32_t i = 0; i < b->n_rows; i++)
        for (uint32_t c = 0; c < b->n_cols; c++)
            pack_value(out, cols[c], i);
}

const char *sqlite_bind_packed(sqlite3_stmt *s, int at, const char *p, int *rc)
{
    int64_t i;
    double f;
    uint32_t n;
    switch (*p) {
    case PACKED_INT:
        memcpy(&i, p + 1, sizeof i);
        *rc = sqlite3_bind_int64(s, at, i);
        return p + 9;
    case PACKED_FLOAT:
        memcpy(&f, p + 1, sizeof f);
        *rc = sqlite3_bind_double(s, at, f);
        return p + 9;
    case PACKED_TEXT:
        memcpy(&n, p + 1, sizeof n);
        *rc = sqlite3_bind_text64(s, at, p + 5, n, SQLITE_STATIC, SQLITE_UTF8);
        return p + 5 + n;
    default: *rc = sqlite3_bind_null(s, at); return p + 1;
    }
}
