#include "report/trace_event.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

const Field *fields_get(const Fields *f, const char *key)
{
    size_t len = strlen(key);
    for (uint32_t i = 0; i < f->n; i++)
        if (f->at[i].key.len == len && memcmp(f->at[i].key.ptr, key, len) == 0)
            return &f->at[i];
    return NULL;
}

/* ---- from the text: each moves *p behind what it takes, never beyond end */

static bool take(const char **p, const char *end, char c)
{
    if (*p == end || **p != c)
        return false;
    ++*p;
    return true;
}

static bool take_word(const char **p, const char *end, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(end - *p) < len || memcmp(*p, word, len) != 0)
        return false;
    *p += len;
    return true;
}

static bool take_text(const char **p, const char *end, Str *out)
{
    const char *from = *p + 1, *at = from;
    if (*p == end || **p != '"')
        return false;
    while (at < end && *at != '"' && *at != '\\' && *at >= 0x20 && *at < 0x7f)
        at++;
    if (at == end || *at != '"')
        return false;
    *out = (Str){from, (uint32_t)(at - from)};
    *p = at + 1;
    return true;
}

/* At most 15 digits and three behind the point: exact in whole numbers. */
static bool take_number(const char **p, const char *end, Field *f)
{
    enum { MAX_DIGITS = 15, MAX_DECIMALS = 3 };
    const char *at = *p;
    uint32_t n_digits = 0, n_decimals = 0;
    uint64_t n = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++, n_digits++)
        if (n_digits < MAX_DIGITS)
            n = n * 10 + (uint64_t)(*at - '0');
    if (n_digits == 0 || n_digits > MAX_DIGITS || (**p == '0' && n_digits > 1))
        return false;
    f->kind = FIELD_INT;
    if (at < end && *at == '.') {
        f->kind = FIELD_REAL;
        for (at++; at < end && *at >= '0' && *at <= '9'; at++, n_decimals++)
            if (n_decimals < MAX_DECIMALS)
                n = n * 10 + (uint64_t)(*at - '0');
        if (n_decimals == 0 || n_decimals > MAX_DECIMALS)
            return false;
        for (; n_decimals < MAX_DECIMALS; n_decimals++)
            n *= 10;
    }
    if (at < end && (*at == 'e' || *at == 'E'))
        return false;
    f->n = n;
    *p = at;
    return true;
}

static bool take_value(const char **p, const char *end, Field *f)
{
    f->kind = FIELD_OTHER;
    if (*p == end)
        return false;
    switch (**p) {
    case '"': f->kind = FIELD_STR; return take_text(p, end, &f->text);
    case 't': return take_word(p, end, "true");
    case 'f': return take_word(p, end, "false");
    case 'n': return take_word(p, end, "null");
    default: return take_number(p, end, f);
    }
}

/* args: where an object named so goes; NULL: no object may be in this one. */
static bool take_fields(const char **p, const char *end, Fields *out, Fields *args)
{
    out->n = 0;
    if (!take(p, end, '{'))
        return false;
    do {
        if (out->n == MAX_FIELDS)
            return false;
        Field *f = &out->at[out->n];
        if (!take_text(p, end, &f->key) || !take(p, end, ':'))
            return false;
        for (uint32_t i = 0; i < out->n; i++)
            if (str_eq(out->at[i].key, f->key))
                return false;
        bool is_args = args && *p < end && **p == '{' && str_is(f->key, "args");
        f->kind = FIELD_OTHER;
        if (is_args ? !take_fields(p, end, args, NULL) : !take_value(p, end, f))
            return false;
        out->n++;
    } while (take(p, end, ','));
    return take(p, end, '}');
}

bool trace_item_scan(Str text, size_t *at, TraceItem *out)
{
    const char *p = text.ptr + *at;
    out->args.n = 0;
    if (!take_fields(&p, text.ptr + text.len, &out->top, &out->args))
        return false;
    *at = (size_t)(p - text.ptr);
    return true;
}

/* ---- from a tree */

static void fields_of_json(json_t *object, Fields *out)
{
    const char *key;
    json_t *v;
    out->n = 0;
    json_object_foreach(object, key, v) {
        if (out->n == MAX_FIELDS)
            return;
        Field *f = &out->at[out->n++];
        *f = (Field){.key = str_of(key), .kind = FIELD_OTHER};
        if (json_is_string(v)) {
            f->kind = FIELD_STR;
            f->text = (Str){json_string_value(v), (uint32_t)json_string_length(v)};
        } else if (json_is_integer(v) && json_integer_value(v) >= 0) {
            f->kind = FIELD_INT;
            f->n = (uint64_t)json_integer_value(v);
        } else if (json_is_real(v) && json_real_value(v) >= 0 && json_real_value(v) < 9e15) {
            f->kind = FIELD_REAL;
            f->n = (uint64_t)llround(json_real_value(v) * 1000);
        }
    }
}

void trace_item_of_json(json_t *tree, TraceItem *out)
{
    fields_of_json(tree, &out->top);
    fields_of_json(json_object_get(tree, "args"), &out->args);
}
