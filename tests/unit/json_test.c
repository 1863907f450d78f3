/* json_test.c - what the writer writes, and that jansson reads it back. */
#include "base/json.h"

#include <jansson.h>
#include <math.h>

#include "base/str.h"
#include "unit.h"

static void write_all(JsonWriter *w)
{
    json_begin_object(w);
    json_key(w, "empty");
    json_begin_array(w);
    json_end_array(w);
    json_key(w, "none");
    json_begin_object(w);
    json_end_object(w);
    json_key(w, "list");
    json_begin_array(w);
    json_put_int(w, INT64_MIN);
    json_put_float(w, 0.1);
    json_put_float(w, (double)NAN);
    json_put_bool(w, true);
    json_put_null(w);
    json_begin_object(w);
    json_key(w, "a\"b");
    json_put_cstr(w, "x");
    json_end_object(w);
    json_end_array(w);
    json_key(w, "after");
    json_put_str(w, (Str){"\"\\\n\t\r\0\x7f\xff\xc3\xa9", 10});
    json_end_object(w);
}

static void test_styles(void)
{
    Buf b = {0};
    JsonWriter w;
    json_init(&w, &b, JSON_STYLE_COMPACT);
    write_all(&w);
    CHECK_STR(b.ptr, "{\"empty\":[],\"none\":{},\"list\":[-9223372036854775808,0.1,null,true,"
                     "null,{\"a\\\"b\":\"x\"}],\"after\":\"\\\"\\\\\\n\\t\\r\\u0000\\u007f"
                     "\xef\xbf\xbd\xc3\xa9\"}");
    json_t *compact = json_loadb(b.ptr, b.len, JSON_ALLOW_NUL, NULL);
    CHECK(compact != NULL);
    buf_clear(&b);
    json_init(&w, &b, JSON_STYLE_PRETTY);
    write_all(&w);
    CHECK_STR(b.ptr, "{\n"
                     "  \"empty\": [],\n"
                     "  \"none\": {},\n"
                     "  \"list\": [\n"
                     "    -9223372036854775808,\n"
                     "    0.1,\n"
                     "    null,\n"
                     "    true,\n"
                     "    null,\n"
                     "    {\n"
                     "      \"a\\\"b\": \"x\"\n"
                     "    }\n"
                     "  ],\n"
                     "  \"after\": \"\\\"\\\\\\n\\t\\r\\u0000\\u007f\xef\xbf\xbd\xc3\xa9\"\n"
                     "}");
    json_t *pretty = json_loadb(b.ptr, b.len, JSON_ALLOW_NUL, NULL);
    CHECK(pretty != NULL && json_equal(compact, pretty));
    json_decref(compact);
    json_decref(pretty);
    buf_deinit(&b);
}

static void test_values(void)
{
    Buf b = {0};
    JsonWriter w;
    json_init(&w, &b, JSON_STYLE_COMPACT);
    json_begin_array(&w);
    json_put_null(&w);
    json_put_bool(&w, false);
    json_put_int(&w, -5);
    json_put_float(&w, 1e300);
    json_put_cstr(&w, "a");
    json_end_array(&w);
    CHECK_STR(b.ptr, "[null,false,-5,1e+300,\"a\"]");
    buf_clear(&b);
    json_init(&w, &b, JSON_STYLE_PRETTY);
    json_put_int(&w, 1); /* a document of one value */
    CHECK_STR(b.ptr, "1");
    buf_deinit(&b);
}

static void test_thousandths(void)
{
    Buf b = {0};
    JsonWriter w;
    json_init(&w, &b, JSON_STYLE_COMPACT);
    json_begin_array(&w);
    const uint64_t values[] = {0, 1, 10, 100, 999, 1000, 1200, 123456, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        json_put_thousandths(&w, values[i]);
    json_end_array(&w);
    CHECK_STR(b.ptr, "[0,0.001,0.01,0.1,0.999,1,1.2,123.456,18446744073709551.615]");
    buf_deinit(&b);
}

int main(void)
{
    test_styles();
    test_values();
    test_thousandths();
    UNIT_END("json");
}
