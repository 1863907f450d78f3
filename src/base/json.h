/* json.h - writes JSON into a Buf as it goes: nothing is held, keys keep their order.
 *
 *   JsonWriter w;
 *   json_init(&w, &buf, JSON_STYLE_PRETTY);
 *   json_begin_object(&w);
 *   json_key(&w, "steps");
 *   json_begin_array(&w);
 *   json_put_str(&w, name);
 *   json_end_array(&w);
 *   json_field_bool(&w, "is_all", true);
 *   json_end_object(&w);
 *
 * Ours and not jansson's, which builds a tree first, refuses strings that are not UTF-8
 * and prints 0.1 as 0.10000000000000001. Reading is its work. One thread uses a writer.
 */
#ifndef PIPE_BASE_JSON_H
#define PIPE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef enum JsonStyle {
    JSON_STYLE_COMPACT, /* {"a":1,"b":[]}, no line ends */
    JSON_STYLE_PRETTY,  /* an item a line, indented by two blanks, no line end at the end */
#ifndef JANSSON_H /* jansson.h has a macro JSON_COMPACT: beside it use the long names */
    JSON_COMPACT = JSON_STYLE_COMPACT,
    JSON_PRETTY = JSON_STYLE_PRETTY,
#endif
} JsonStyle;

typedef struct JsonWriter {
    Buf *out; /* borrowed */
    JsonStyle style;
    uint32_t depth;     /* open objects and arrays, at most 63 */
    uint64_t has_items; /* bit d: the one at depth d holds something */
    bool after_key;
} JsonWriter;

void json_init(JsonWriter *w, Buf *out, JsonStyle style);
void json_begin_object(JsonWriter *w);
void json_end_object(JsonWriter *w);
void json_begin_array(JsonWriter *w);
void json_end_array(JsonWriter *w);
void json_key(JsonWriter *w, const char *name); /* the value comes next */

void json_put_str(JsonWriter *w, Str s); /* bytes that are not UTF-8 become U+FFFD */
void json_put_cstr(JsonWriter *w, const char *s);
void json_put_int(JsonWriter *w, int64_t v);
void json_put_float(JsonWriter *w, double v); /* inf and nan become null */
/* v / 1000 exactly, without needless digits: nanoseconds as microseconds. */
void json_put_thousandths(JsonWriter *w, uint64_t v);
void json_put_bool(JsonWriter *w, bool v);
void json_put_null(JsonWriter *w);

/* A key and its value in one line. */
void json_field_str(JsonWriter *w, const char *key, Str s);
void json_field_cstr(JsonWriter *w, const char *key, const char *s);
void json_field_int(JsonWriter *w, const char *key, int64_t v);
void json_field_uint(JsonWriter *w, const char *key, uint64_t v); /* below 2^63 */
/* null where the number stands for "none". */
void json_field_count(JsonWriter *w, const char *key, uint64_t v, uint64_t none);
void json_field_float(JsonWriter *w, const char *key, double v);
void json_field_bool(JsonWriter *w, const char *key, bool v);
void json_field_null(JsonWriter *w, const char *key);
void json_field_strs(JsonWriter *w, const char *key, const Str *list, size_t n);

#endif
