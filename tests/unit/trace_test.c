/* A trace file holds all that a recording does, and nothing else is taken for one. */
#include "unit.h"

#include <jansson.h>

#include "recordings.h"
#include "report/gantt_svg.h"
#include "report/gantt_text.h"
#include "report/trace.h"
#include "report/trace_event.h"

static void text_of(const Recording *r, Buf *out)
{
    buf_clear(out);
    gantt_text(r, &(GanttTextOptions){.width = 100}, out);
    gantt_svg(r, &(GanttSvgOptions){0}, out);
}

static void round_trip(Recording *r)
{
    Buf first = {0}, second = {0}, a = {0}, b = {0};
    Recording *back = NULL;
    Error err = {0};
    trace_write_json(r, &first);
    CHECK(trace_read_json(buf_str(&first), &back, &err) == OK);
    CHECK_STR(err.text, "");
    if (back) {
        trace_write_json(back, &second);
        CHECK(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
        text_of(r, &a);
        text_of(back, &b);
        CHECK_STR(b.ptr, a.ptr);
        recording_free(back);
    }
    recording_free(r);
    buf_deinit(&first);
    buf_deinit(&second);
    buf_deinit(&a);
    buf_deinit(&b);
}

/* What another program wrote anew, with blanks and keys in another order, is read by jansson: it is the
 * same recording as the one read from our own text. */
static void test_rewritten(void)
{
    Recording *r = record_prio_dynamic(), *back = NULL;
    Buf first = {0}, second = {0};
    trace_write_json(r, &first);
    json_t *root = json_loadb(first.ptr, first.len, 0, NULL);
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS);
    CHECK(text && trace_read_json(str_of(text), &back, NULL) == OK);
    if (back) {
        trace_write_json(back, &second);
        CHECK(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
    }
    free(text);
    json_decref(root);
    recording_free(back);
    recording_free(r);
    buf_deinit(&first);
    buf_deinit(&second);
}

static bool scans(const char *text, TraceItem *e)
{
    size_t at = 2, len = strlen(text);
    char *copy = malloc(len + 3); /* of just that length, for the sanitizer */
    memcpy(copy, "..", 2);
    memcpy(copy + 2, text, len);
    bool ok = trace_item_scan((Str){copy, (uint32_t)len + 2}, &at, e);
    CHECK(at == (ok ? len + 2 : 2));
    free(copy);
    return ok;
}

/* Numbers are exact; everything that is not plain is left to jansson. */
static void test_scan(void)
{
    static const char *const plain[] = {"0", "12", "0.5", "12.25", "12.125", "123456789012345",
                                        "true", "false", "null", "\"\"", "\"a b\""};
    static const char *const others[] = {"",       "-1",    "01",  "1.",   ".5",     "1.2345", "1e3",
                                         "1.5e3",  "+1",    "nul", "True", "\"a",     "\"\\n\"", "\"\xc3\xa9\"",
                                         "\"\t\"", "1 ",    " 1",  "{}",   "[1]",    "{\"b\":1}", "1,",
                                         "1,\"a\":2", "1234567890123456"};
    TraceItem e;
    Buf b = {0};
    for (int in_args = 0; in_args < 2; in_args++)
        for (size_t i = 0; i < sizeof plain / sizeof *plain + sizeof others / sizeof *others; i++) {
            bool is_plain = i < sizeof plain / sizeof *plain;
            buf_clear(&b);
            buf_printf(&b, in_args ? "{\"ph\":\"X\",\"args\":{\"a\":%s}}" : "{\"ph\":\"X\",\"a\":%s}",
                       is_plain ? plain[i] : others[i - sizeof plain / sizeof *plain]);
            CHECK(scans(b.ptr, &e) == is_plain);
        }
    size_t at = 0;
    CHECK(trace_item_scan(STR_LIT("{\"ts\":12.05,\"n\":7,\"s\":\"\",\"args\":{\"x\":0.5}}"), &at, &e));
    CHECK(fields_get(&e.top, "ts")->kind == FIELD_REAL && fields_get(&e.top, "ts")->n == 12050);
    CHECK(fields_get(&e.top, "n")->kind == FIELD_INT && fields_get(&e.top, "n")->n == 7);
    CHECK(fields_get(&e.args, "x")->n == 500 && !fields_get(&e.top, "x") && !fields_get(&e.args, "n"));
    CHECK(!scans("{}", &e) && !scans("{\"a\":1", &e) && !scans("", &e) && !scans("[1]", &e));
    buf_deinit(&b);
}

static void test_round_trip(void)
{
    Sample s;
    round_trip(record_static());
    round_trip(record_dynamic());
    round_trip(record_prio_dynamic());
    sample_init(&s, false, 3, 7, 1234567);
    s.fail_step = 2;
    s.fail_key = 3;
    s.spec.steps[2].retry = (RetrySpec){.n_more = 1, .delay_ns = 777};
    spec_input(&s.spec, spec_step(&s.spec, 0, "total"), 3);
    round_trip(sample_record(&s, "a \"job\" of \xc3\xa9"));
    sample_init(&s, false, 3, 7, 1000);
    s.spec.steps[3].cap = 1;
    s.spec.steps[1].pool = s.spec.steps[2].pool = 0;
    s.spec.pools[0] = (PoolSpec){STR_LIT("db"), 2};
    s.spec.spec.n_pools = 1;
    round_trip(sample_record(&s, "pooled"));
    sample_init(&s, false, 2, 3, 1000000);
    s.shares = trace_shares(250, 500, 1000);
    Recording *measured = sample_record(&s, "measured");
    CHECK(measured->bars[1].is_measured);
    CHECK(measured->bars[1].cpu_ns / 1000 == 250 && measured->bars[1].slept_ns / 1000 == 500);
    round_trip(measured);
    Recording *helped = record_helped(0);
    CHECK(helped->bars[2].kind == BAR_HELP && !helped->bars[2].is_measured && helped->bars[3].is_measured);
    round_trip(helped);
    round_trip(record_helped(50));
}

/* What a viewer relies on: slices of one track never overlap, arrows come in pairs. */
static void test_format(void)
{
    Buf b = {0};
    Recording *r = record_prio_dynamic();
    trace_write_json(r, &b);
    json_t *root = json_loadb(b.ptr, b.len, 0, NULL), *e;
    size_t i, n_slices = 0, n_begin = 0, n_end = 0, n_threads = 0, n_counters = 0;
    double free_at[8] = {0};
    json_array_foreach(json_object_get(root, "traceEvents"), i, e) {
        const char *ph = json_string_value(json_object_get(e, "ph"));
        size_t tid = (size_t)json_integer_value(json_object_get(e, "tid"));
        double ts = json_number_value(json_object_get(e, "ts"));
        if (ph[0] == 'X') {
            n_slices++;
            CHECK(tid >= 1 && tid <= 4 && ts >= free_at[tid]);
            free_at[tid] = ts + json_number_value(json_object_get(e, "dur"));
        }
        n_begin += ph[0] == 's';
        n_end += ph[0] == 'f';
        n_counters += ph[0] == 'C';
        n_threads += ph[0] == 'M';
    }
    CHECK(n_slices == r->n_bars && n_begin == 27 && n_end == 27 && n_threads == 5);
    CHECK(n_counters == r->scopes[1].n_points);
    CHECK(strstr(b.ptr, "\"name\":\"worker 1\"") != NULL);
    CHECK(strstr(b.ptr, "\"name\":\"transform_1[3]\"") != NULL);
    json_decref(root);
    recording_free(r);
    buf_deinit(&b);
}

/* Waits come in pairs outside of the tracks, attempts and failures have names. */
static void test_names(void)
{
    Buf b = {0};
    Recording *r = record_retried();
    trace_write_json(r, &b);
    json_t *root = json_loadb(b.ptr, b.len, 0, NULL), *e;
    size_t i, n_waits = 0, n_open = 0, n_critical = 0;
    double since = 0;
    json_array_foreach(json_object_get(root, "traceEvents"), i, e) {
        char ph = json_string_value(json_object_get(e, "ph"))[0];
        const char *name = json_string_value(json_object_get(e, "name"));
        double ts = json_number_value(json_object_get(e, "ts"));
        n_critical += json_is_true(json_object_get(json_object_get(e, "args"), "is_critical"));
        if (ph == 'b') {
            n_open++;
            n_waits++;
            since = ts;
        } else if (ph == 'e') {
            n_open--; /* the next event after its begin */
            CHECK(n_open == 0 && ts > since);
            if (strcmp(name, "transform_2 waits for its next attempt") == 0)
                CHECK(ts - since >= 1e6);
            else
                CHECK_STR(name, "extract waits for a worker");
        }
    }
    CHECK(n_waits == 2 && n_critical == 8);
    CHECK(strstr(b.ptr, "\"name\":\"transform_2[1] failed, tried again\"") != NULL);
    CHECK(strstr(b.ptr, "\"name\":\"transform_2[1], attempt 2\"") != NULL);
    json_decref(root);
    recording_free(r);
    buf_deinit(&b);
}

/* Help is a slice of the worker that gave it; slices of a later version are passed over. */
static void test_help(void)
{
    Buf b = {0};
    Recording *r = record_helped(0), *back = NULL;
    trace_write_json(r, &b);
    char *cat = strstr(b.ptr, "\"tid\":2,\"name\":\"a piece of sort\",\"cat\":\"help\",\"ts\":2000000,\"dur\":2000000,\"args\":{\"step\":\"sort\",\"key\":\"\",\"attempt\":1");
    CHECK(cat != NULL);
    if (cat) {
        memcpy(strstr(cat, "help"), "HELP", 4);
        CHECK(trace_read_json(buf_str(&b), &back, NULL) == OK && back && back->n_bars == r->n_bars - 1);
    }
    recording_free(back);
    recording_free(r);
    buf_deinit(&b);
}

static void refused(const char *text, const char *want)
{
    Recording *r = NULL;
    Error err = {0};
    CHECK(trace_read_json(str_of(text), &r, &err) == ERR_DATA);
    CHECK(r == NULL);
    if (!strstr(err.text, want))
        CHECK_STR(err.text, want);
}

static void test_refused(void)
{
    refused("", "not JSON");
    refused("{", "not JSON");
    refused("[]", "not a trace");
    refused("{\"traceEvents\": []}", "not a trace");
    refused("{\"pipemill\": {\"version\": 99}, \"traceEvents\": []}", "version 99");
    refused("{\"pipemill\": {\"version\": 1}, \"traceEvents\": []}", "damaged");
}

/* Any number made impossible is an error, never a crash. */
static void test_damaged(Recording *r)
{
    Buf b = {0}, bad = {0};
    uint32_t n_refused = 0, n_read = 0;
    trace_write_json(r, &b);
    for (size_t i = 0; i + 1 < b.len; i++) {
        if (b.ptr[i] != ':' || b.ptr[i + 1] < '0' || b.ptr[i + 1] > '9')
            continue;
        size_t end = i + 1;
        while (strchr("0123456789.", b.ptr[end]))
            end++;
        static const char *const values[] = {"-1", "70000", "99999999999999999999", "\"x\"",
                                             "1e300", "null"};
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            Recording *back = NULL;
            buf_clear(&bad);
            buf_put(&bad, b.ptr, i + 1);
            buf_puts(&bad, values[k]);
            buf_put(&bad, b.ptr + end, b.len - end);
            if (trace_read_json(buf_str(&bad), &back, NULL) == OK) {
                Buf text = {0};
                text_of(back, &text);
                buf_deinit(&text);
                recording_free(back);
                n_read++;
            } else {
                n_refused++;
            }
        }
    }
    CHECK(n_refused > n_read && n_read > 0);
    recording_free(r);
    buf_deinit(&b);
    buf_deinit(&bad);
}

int main(void)
{
    Sample s;
    test_round_trip();
    test_rewritten();
    test_scan();
    test_format();
    test_names();
    test_help();
    test_refused();
    sample_init(&s, false, 2, 2, 1000);
    test_damaged(sample_record(&s, "small"));
    test_damaged(record_helped(0));
    UNIT_END("trace");
}
