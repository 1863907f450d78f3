#include "report/trace_walk.h"

#include <string.h>

char walk_peek(Walk *w)
{
    while (w->at < w->text.len && strchr(" \t\r\n", w->text.ptr[w->at]) && w->text.ptr[w->at])
        w->at++;
    return w->at < w->text.len ? w->text.ptr[w->at] : '\0';
}

bool walk_take(Walk *w, char c)
{
    if (walk_peek(w) != c)
        return false;
    w->at++;
    return true;
}

json_t *walk_value(Walk *w)
{
    json_error_t at;
    walk_peek(w);
    json_t *v = json_loadb(w->text.ptr + w->at, w->text.len - w->at,
                           JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &at);
    if (v)
        w->at += (size_t)at.position;
    return v;
}

bool walk_over(Walk *w)
{
    size_t depth = 0;
    for (; w->at < w->text.len; w->at++) {
        char c = w->text.ptr[w->at];
        if (c == '"') {
            for (w->at++; w->at < w->text.len && w->text.ptr[w->at] != '"'; w->at++)
                w->at += w->text.ptr[w->at] == '\\';
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            w->at++;
            return true;
        }
    }
    return false;
}

bool walk_is_for_viewers(Walk *w)
{
    static const char begin[] = "{\"ph\":\"";
    const size_t len = sizeof begin - 1;
    walk_peek(w);
    return w->text.len - w->at > len + 1 &&
           memcmp(w->text.ptr + w->at, begin, len) == 0 &&
           memchr("sfbe", w->text.ptr[w->at + len], 4) && w->text.ptr[w->at + len + 1] == '"';
}

bool walk_parts(Walk *w, json_t **run, size_t *events)
{
    if (!walk_take(w, '{') || walk_take(w, '}'))
        return false;
    do {
        json_t *key = walk_value(w), *value = NULL;
        const char *name = json_string_value(key);
        bool ok = name && walk_take(w, ':');
        if (ok && strcmp(name, "traceEvents") == 0) {
            ok = walk_peek(w) == '[';
            *events = w->at;
            ok = ok && walk_over(w);
        } else if (ok) {
            value = walk_value(w);
            ok = value != NULL;
        }
        if (ok && strcmp(name, "pipemill") == 0) {
            json_decref(*run);
            *run = json_incref(value);
        }
        json_decref(value);
        json_decref(key);
        if (!ok)
            return false;
    } while (walk_take(w, ','));
    return walk_take(w, '}') && walk_peek(w) == '\0' && w->at == w->text.len;
}
