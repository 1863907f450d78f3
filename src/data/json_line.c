#include "data/json_line.h"

#include <string.h>

void json_error_at(const JsonLine *l, const char *at, Error *err)
{
    const RawRows *raw = l->raw;
    error_at(err, raw->input->file, raw->first_line + l->i, raw->first_byte + (uint64_t)(at - raw->bytes));
}

Str json_line_text(const JsonLine *l)
{
    const char *lf = memchr(l->start, '\n', (size_t)(l->raw->bytes + l->raw->n_bytes - l->start));
    uint32_t n = (uint32_t)(lf - l->start);
    return (Str){l->start, n > 0 && lf[-1] == '\r' ? n - 1 : n};
}

static const char *value_word(char c)
{
    switch (c) {
    case '[': return "an array";
    case '"': return "a string";
    case 't':
    case 'f': return "a bool";
    case 'n': return "null";
    default: return "a number";
    }
}

Status json_bad_line(const JsonLine *l, JsonBad bad, Error *err)
{
    char shown[60];
    Str line = json_line_text(l);
    const char *end = line.ptr + line.len;
    if (!err)
        return ERR_DATA;
    text_visible((Str){bad.at, end > bad.at ? (uint32_t)(end - bad.at) : 0}, shown, sizeof shown);
    if (end <= bad.at)
        error_set(err, ERR_DATA, "%s: `read json` wants one whole object on each line, as `jq -c .` writes them",
                  bad.what);
    else
        error_set(err, ERR_DATA, "this line is no JSON: %s, got `%s`", bad.what, shown);
    err->row_error = ROW_ERROR_JSON;
    json_error_at(l, bad.at, err);
    text_visible(line, err->value, sizeof err->value);
    return ERR_DATA;
}

Status json_no_object(const JsonLine *l, Error *err)
{
    JsonBad bad;
    if (!jscan_value(l->start, json_limit(l->raw), &bad))
        return json_bad_line(l, bad, err);
    error_set(err, ERR_DATA, "this line is %s, not an object: `read json` wants one object on each line%s",
              value_word(*l->start), *l->start == '[' ? ", as `jq -c '.[]'` makes them of an array" : "");
    json_error_at(l, l->start, err);
    if (err)
        err->row_error = ROW_ERROR_JSON;
    if (err)
        text_visible(json_line_text(l), err->value, sizeof err->value);
    return ERR_DATA;
}
