#include "base/calendar.h"
#include "base/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "unit.h"

/* Text of a value of the type, as it prints. */
static const char *print(Value v)
{
    static Buf b;
    buf_clear(&b);
    value_print(&b, v);
    return buf_str(&b).ptr;
}

static const char *literal(Value v)
{
    static Buf b;
    buf_clear(&b);
    value_print_literal(&b, v);
    return buf_str(&b).ptr;
}

/* Parses and prints again; "?" and what was expected when it does not parse. */
static const char *again(Type t, const char *text)
{
    static char message[200];
    Value v;
    const char *why = "nothing";
    if (value_parse(t, str_of(text), &v, &why))
        return print(v);
    snprintf(message, sizeof message, "? %s", why);
    return message;
}

static bool is_bad(Type t, const char *text)
{
    Value v;
    if (!value_parse(t, str_of(text), &v, NULL))
        return true;
    printf("read as %s: `%s`\n", type_name(t), text);
    return false;
}

static Value of_int(Type t, int64_t i)
{
    return (Value){.type = t, .i = i};
}

static const char *print_float(double f)
{
    return print((Value){.type = TYPE_FLOAT, .f = f});
}

static void test_int(void)
{
    CHECK_STR(again(TYPE_INT, "0"), "0");
    CHECK_STR(again(TYPE_INT, "-0"), "0");
    CHECK_STR(again(TYPE_INT, "007"), "7");
    CHECK_STR(again(TYPE_INT, "9223372036854775807"), "9223372036854775807");
    CHECK_STR(again(TYPE_INT, "-9223372036854775808"), "-9223372036854775808");
    CHECK_STR(again(TYPE_INT, "00000000000000000000000000001"), "1");
    static const char range[] =
        "? a number from -9223372036854775808 to 9223372036854775807";
    CHECK_STR(again(TYPE_INT, "9223372036854775808"), range);
    CHECK_STR(again(TYPE_INT, "-9223372036854775809"), range);
    CHECK_STR(again(TYPE_INT, "18446744073709551616"), range);
    CHECK_STR(again(TYPE_INT, "99999999999999999999999999"), range);
    CHECK_STR(again(TYPE_INT, "30 (Meteorite)255 (Core)"), "? a whole number");
    static const char *const BAD[] = {"",    "-",  "+1", "1 ", " 1",     "1.0", "1_0",
                                      "0x1", "--", "1-", "-+", "\xc2\xb2", "1e3"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(is_bad(TYPE_INT, BAD[i]));
}

/* Every number of digits, and floats with every number of zeros cut off, as printf has them. */
static void test_digits(void)
{
    char got[VALUE_PRINT_MAX], want[VALUE_PRINT_MAX];
    uint64_t power = 1;
    for (int n = 0; n < 19; n++, power *= 10)
        for (int64_t v = (int64_t)power - 1; v <= (int64_t)power + 1; v++)
            for (int sign = -1; sign <= 1; sign += 2) {
                got[value_print_int(sign * v, got)] = '\0';
                snprintf(want, sizeof want, "%lld", (long long)(sign * v));
                CHECK_STR(got, want);
            }
    power = 1;
    for (int n = 0; n <= 15; n++, power *= 10)
        for (uint64_t by = 1; by < 1000; by += 7) {
            if (by * power > 9007199254740992)
                continue;
            snprintf(want, sizeof want, "%llu.0", (unsigned long long)(by * power));
            CHECK_STR(print_float((double)(by * power)), want);
        }
    for (int n = 1; n <= 6; n++)
        for (int v = 1; v < 3000; v += 7) {
            double x = v / pow(10, n) + 12;
            snprintf(want, sizeof want, "%.*f", n, x);
            size_t len = strlen(want);
            while (want[len - 1] == '0' && want[len - 2] != '.')
                want[--len] = '\0';
            if (strtod(want, NULL) == x) /* else it has digits more */
                CHECK_STR(print_float(x), want);
        }
}

static void test_float(void)
{
    /* What Python's repr prints. */
    CHECK_STR(print_float(65), "65.0");
    CHECK_STR(print_float(0), "0.0");
    CHECK_STR(print_float(-0.0), "-0.0");
    CHECK_STR(print_float(0.1), "0.1");
    CHECK_STR(print_float(0.1 + 0.2), "0.30000000000000004");
    CHECK_STR(print_float(100), "100.0");
    CHECK_STR(print_float(123456.75), "123456.75");
    CHECK_STR(print_float(1e15), "1000000000000000.0");
    CHECK_STR(print_float(9999999999999998), "9999999999999998.0");
    CHECK_STR(print_float(1e16), "1e+16");
    CHECK_STR(print_float(12345678901234567.0), "1.2345678901234568e+16");
    CHECK_STR(print_float(1e22), "1e+22");
    CHECK_STR(print_float(1e23), "1e+23");
    CHECK_STR(print_float(1e100), "1e+100");
    CHECK_STR(print_float(0.0001), "0.0001");
    CHECK_STR(print_float(0.00012345), "0.00012345");
    CHECK_STR(print_float(0.00001), "1e-05");
    CHECK_STR(print_float(-1.5e-7), "-1.5e-07");
    CHECK_STR(print_float(5e-324), "5e-324");
    CHECK_STR(print_float(2.2250738585072014e-308), "2.2250738585072014e-308");
    CHECK_STR(print_float(-1.7976931348623157e308), "-1.7976931348623157e+308");
    CHECK_STR(print_float(0x1p-44), "5.684341886080802e-14");
    CHECK_STR(print_float(0x1p89), "6.189700196426902e+26");
    CHECK_STR(print_float(HUGE_VAL), "inf");
    CHECK_STR(print_float(-HUGE_VAL), "-inf");
    CHECK_STR(print_float((double)NAN), "nan");
    CHECK_STR(print_float(-(double)NAN), "nan");

    CHECK_STR(again(TYPE_FLOAT, "1"), "1.0");
    CHECK_STR(again(TYPE_FLOAT, "-1e-3"), "-0.001");
    CHECK_STR(again(TYPE_FLOAT, ".5"), "0.5");
    CHECK_STR(again(TYPE_FLOAT, "-5."), "-5.0");
    CHECK_STR(again(TYPE_FLOAT, "1E+16"), "1e+16");
    CHECK_STR(again(TYPE_FLOAT, "-0"), "-0.0");
    CHECK_STR(again(TYPE_FLOAT, "9223372036854775807"), "9.223372036854776e+18");
    CHECK_STR(again(TYPE_FLOAT, "1e309"), "inf");
    CHECK_STR(again(TYPE_FLOAT, "-1e309"), "-inf");
    CHECK_STR(again(TYPE_FLOAT, "1e-400"), "0.0");
    CHECK_STR(again(TYPE_FLOAT, "NaN"), "nan");
    CHECK_STR(again(TYPE_FLOAT, "-Infinity"), "-inf");
    CHECK_STR(again(TYPE_FLOAT, "INF"), "inf");
    CHECK_STR(again(TYPE_FLOAT, "six"), "? a number");
    static const char *const BAD[] = {"",   "-",   ".",   "-.",  "+1",  "1 ", " 1",
                                      "1,5", "1e", "1e-", "0x1", "in", "infi", "nan0",
                                      ("i\x0e" "f"), "--1", "1.2.3", "1_0", "1e1.5"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(is_bad(TYPE_FLOAT, BAD[i]));
    CHECK(!value_parse(TYPE_FLOAT, (Str){"1\0002", 3}, &(Value){0}, NULL));
}

static void test_bool(void)
{
    CHECK_STR(again(TYPE_BOOL, "true"), "true");
    CHECK_STR(again(TYPE_BOOL, "FALSE"), "false");
    CHECK_STR(again(TYPE_BOOL, "True"), "true");
    CHECK_STR(again(TYPE_BOOL, "yes"), "? true or false");
    static const char *const BAD[] = {"", "1", "0", "t", "tru", "truee", " true", "TrUe\n"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(is_bad(TYPE_BOOL, BAD[i]));
}

static void test_date(void)
{
    CHECK(days_from_civil(1970, 1, 1) == 0);
    CHECK(days_from_civil(2000, 3, 1) == 11017);
    CHECK(days_from_civil(1969, 12, 31) == -1);
    int64_t days = days_from_civil(-401, 3, 1);
    uint32_t n_wrong = 0;
    for (int64_t y = -401; y <= 2500; y++) /* every day of them, one after the other */
        for (unsigned m = y == -401 ? 3 : 1; m <= 12; m++) {
            bool is_leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
            unsigned last = m == 2 ? 28u + is_leap : 30u + (m + m / 8) % 2;
            for (unsigned d = 1; d <= last; d++, days++) {
                int64_t y2;
                unsigned m2, d2;
                civil_from_days(days, &y2, &m2, &d2);
                n_wrong += y2 != y || m2 != m || d2 != d || days_from_civil(y, m, d) != days;
            }
        }
    CHECK(n_wrong == 0);
    CHECK_STR(again(TYPE_DATE, "2026-01-02"), "2026-01-02");
    CHECK_STR(again(TYPE_DATE, "2024-02-29"), "2024-02-29");
    CHECK_STR(again(TYPE_DATE, "2000-02-29"), "2000-02-29");
    CHECK_STR(again(TYPE_DATE, "0000-01-01"), "0000-01-01");
    CHECK_STR(again(TYPE_DATE, "9999-12-31"), "9999-12-31");
    CHECK_STR(again(TYPE_DATE, "+12026-01-02"), "+12026-01-02");
    CHECK_STR(again(TYPE_DATE, "-0044-03-15"), "-0044-03-15");
    CHECK_STR(again(TYPE_DATE, "2025-02-29"), "? a date such as 2026-01-02");
    static const char *const BAD[] = {
        "",           "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-01", "2026-01-00",
        "2026-01-32", "2026-1-2",   "26-01-02",   "12026-01-02", "2026-01-02 ", " 2026-01-02",
        "2026/01/02", "20260102",   "2026-01",    "+026-01-02", "2026-01-02T", "2026-01-0x",
        "+99999999999-01-01"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(is_bad(TYPE_DATE, BAD[i]));
    char out[VALUE_PRINT_MAX];
    CHECK(value_print_date(INT64_MAX, out) < VALUE_PRINT_MAX);
    CHECK(value_print_date(INT64_MIN, out) < VALUE_PRINT_MAX);
}

static void test_timestamp(void)
{
    CHECK_STR(again(TYPE_TIMESTAMP, "2026-01-02T03:04:05Z"), "2026-01-02T03:04:05Z");
    CHECK_STR(again(TYPE_TIMESTAMP, "2026-01-02 03:04:05"), "2026-01-02T03:04:05Z");
    CHECK_STR(again(TYPE_TIMESTAMP, "2026-01-02 03:04"), "2026-01-02T03:04:00Z");
    CHECK_STR(again(TYPE_TIMESTAMP, "2026-01-02T03:04:05.250000Z"), "2026-01-02T03:04:05.25Z");
    CHECK_STR(again(TYPE_TIMESTAMP, "2026-01-02T03:04:05.0000019"),
              "2026-01-02T03:04:05.000001Z");
    CHECK_STR(again(TYPE_TIMESTAMP, "2026-01-02T03:04:05.000Z"), "2026-01-02T03:04:05Z");
    CHECK_STR(again(TYPE_TIMESTAMP, "2026-01-01T00:30:00+01:00"), "2025-12-31T23:30:00Z");
    CHECK_STR(again(TYPE_TIMESTAMP, "2026-01-01T23:30:00-0130"), "2026-01-02T01:00:00Z");
    CHECK_STR(again(TYPE_TIMESTAMP, "2026-01-01T23:30:00+02"), "2026-01-01T21:30:00Z");
    CHECK_STR(again(TYPE_TIMESTAMP, "1969-12-31T23:59:59.999999Z"),
              "1969-12-31T23:59:59.999999Z");
    CHECK_STR(again(TYPE_TIMESTAMP, "0000-01-01T00:00:00.5Z"), "0000-01-01T00:00:00.5Z");
    /* The first and the last there are, and one more. */
    CHECK_STR(print(of_int(TYPE_TIMESTAMP, INT64_MAX)), "+294247-01-10T04:00:54.775807Z");
    CHECK_STR(print(of_int(TYPE_TIMESTAMP, INT64_MIN)), "-290308-12-21T19:59:05.224192Z");
    int64_t us;
    CHECK(value_parse_timestamp(str_of("+294247-01-10T04:00:54.775807Z"), &us) &&
          us == INT64_MAX);
    CHECK(value_parse_timestamp(str_of("-290308-12-21T19:59:05.224192Z"), &us) &&
          us == INT64_MIN);
    static const char *const BAD[] = {"",
                                      "2026-01-02",
                                      "2026-01-02T",
                                      "2026-01-02T03",
                                      "2026-01-02T24:00:00Z",
                                      "2026-01-02T03:60:00Z",
                                      "2026-01-02T03:04:60Z",
                                      "2026-01-02T03:04:05.Z",
                                      "2026-01-02T03:04:05,5Z",
                                      "2026-01-02T03:04:05ZZ",
                                      "2026-01-02T03:04:05+",
                                      "2026-01-02T03:04:05+1",
                                      "2026-01-02T03:04:05+01:",
                                      "2026-01-02T03:04:05+01:60",
                                      "2026-01-02T03:04:05+24:00",
                                      "2026-01-02T03:04:05 UTC",
                                      "2026-02-30T03:04:05Z",
                                      "2026-01-02  03:04:05",
                                      "+294247-01-10T04:00:54.775808Z",
                                      "-290308-12-21T19:59:05.224191Z",
                                      "-290308-12-21T19:59:05Z",
                                      "-290308-12-21T19:59:04Z",
                                      "+999999999-01-01T00:00:00Z"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(is_bad(TYPE_TIMESTAMP, BAD[i]));
}

static void test_duration(void)
{
    CHECK_STR(again(TYPE_DURATION, "1h30m"), "1h30m");
    CHECK_STR(again(TYPE_DURATION, "90m"), "1h30m");
    CHECK_STR(again(TYPE_DURATION, "1.5h"), "1h30m");
    CHECK_STR(again(TYPE_DURATION, "250ms"), "0.25s");
    CHECK_STR(again(TYPE_DURATION, "0.5s"), "0.5s");
    CHECK_STR(again(TYPE_DURATION, "48h"), "2d");
    CHECK_STR(again(TYPE_DURATION, "1us"), "0.000001s");
    CHECK_STR(again(TYPE_DURATION, "0s"), "0s");
    CHECK_STR(again(TYPE_DURATION, "-1s"), "-1s");
    CHECK_STR(again(TYPE_DURATION, "-1d0.5s"), "-1d0.5s");
    CHECK_STR(again(TYPE_DURATION, "1d2h3m4s5ms6us"), "1d2h3m4.005006s");
    CHECK_STR(again(TYPE_DURATION, "0.000001s"), "0.000001s");
    CHECK_STR(again(TYPE_DURATION, "1.50000000000000000000000s"), "1.5s");
    CHECK_STR(again(TYPE_DURATION, "0.00000000001d"), "? a duration such as 1h30m or 0.5s (d h m s ms us)");
    CHECK_STR(print(of_int(TYPE_DURATION, INT64_MIN)), "-106751991d4h54.775808s");
    CHECK_STR(again(TYPE_DURATION, "-106751991d4h54.775808s"), "-106751991d4h54.775808s");
    CHECK_STR(again(TYPE_DURATION, "106751991d4h54.775807s"), "106751991d4h54.775807s");
    static const char *const BAD[] = {"",     "5",    "s",      "1h 30m",  "30m1h", "1h1h",
                                      "0.5h30m", "1.s", ".5s",  "1.5us",   "+1s",   "1S",
                                      "1sec", "--1s", "1h-30m", "0.0000001s", "1e3s", " 1s",
                                      "1s ",  "1_0s", "106751991d4h54.775808s",
                                      "-106751991d4h54.775809s", "99999999999999999999us",
                                      "999999999999999d", "18446744073709551615us1us"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(is_bad(TYPE_DURATION, BAD[i]));
}

static void test_size(void)
{
    CHECK_STR(again(TYPE_SIZE, "40B"), "40B");
    CHECK_STR(again(TYPE_SIZE, "0B"), "0B");
    CHECK_STR(again(TYPE_SIZE, "0GiB"), "0B");
    CHECK_STR(again(TYPE_SIZE, "64kB"), "64kB");
    CHECK_STR(again(TYPE_SIZE, "65536B"), "64KiB");
    CHECK_STR(again(TYPE_SIZE, "1024000B"), "1000KiB");
    CHECK_STR(again(TYPE_SIZE, "1536B"), "1536B");
    CHECK_STR(again(TYPE_SIZE, "1.5KiB"), "1536B");
    CHECK_STR(again(TYPE_SIZE, "0.0009765625KiB"), "1B");
    CHECK_STR(again(TYPE_SIZE, "1GiB"), "1GiB");
    CHECK_STR(again(TYPE_SIZE, "1000MB"), "1GB");
    CHECK_STR(again(TYPE_SIZE, "-2TB"), "-2TB");
    CHECK_STR(again(TYPE_SIZE, "1.5TB"), "1500GB");
    CHECK_STR(print(of_int(TYPE_SIZE, INT64_MIN)), "-8589934592GiB");
    CHECK_STR(again(TYPE_SIZE, "-8589934592GiB"), "-8589934592GiB");
    CHECK_STR(again(TYPE_SIZE, "9223372036854775807B"), "9223372036854775807B");
    static const char *const BAD[] = {"", "64", "64k", "64KB", "64kb", "64 kB", "kB", "1.5B",
                                      "1.B", "+1B", "8589934592GiB", "9223372036854775808B",
                                      "1kB1B", "0.0001kB", "1TiB", "1_0B"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(is_bad(TYPE_SIZE, BAD[i]));
}

/* Whatever prints reads back: all integer types, random magnitudes of both signs. */
static void test_round_trip(void)
{
    uint64_t x = 88172645463325252u; /* xorshift64 */
    uint32_t n_wrong = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        int64_t v = (int64_t)x >> (i % 64);
        if (i % 3 == 0)
            v = v / 1000000 * 1000000;
        char text[VALUE_PRINT_MAX];
        int64_t back;
#define TRIP(noun)                                                                       \
    n_wrong += !value_parse_##noun((Str){text, value_print_##noun(v, text)}, &back) ||   \
               back != v
        TRIP(int);
        TRIP(timestamp);
        TRIP(duration);
        TRIP(size);
        v %= 300000000000; /* days: years of up to nine digits */
        TRIP(date);
#undef TRIP
        double f, g;
        memcpy(&f, &x, sizeof f);
        Str s = {text, value_print_float(f, text)};
        n_wrong += !value_parse_float(s, &g) || (memcmp(&f, &g, sizeof f) != 0 && !isnan(f));
    }
    CHECK(n_wrong == 0);
}

static const char *round_to(double v, int64_t n)
{
    return print_float(value_round_float(v, n));
}

static const char *round_int(int64_t v, int64_t n)
{
    int64_t out;
    return value_round_int(v, n, &out) ? print(of_int(TYPE_INT, out)) : "out of range";
}

static void test_round(void)
{
    CHECK_STR(round_to(2.5, 0), "3.0");
    CHECK_STR(round_to(-2.5, 0), "-3.0");
    CHECK_STR(round_to(0.49999999999999994, 0), "0.0");
    CHECK_STR(round_to(-0.4, 0), "-0.0");
    CHECK_STR(round_to(2.675, 2), "2.68");
    CHECK_STR(round_to(1.005, 2), "1.01");
    CHECK_STR(round_to(1.004999, 2), "1.0");
    CHECK_STR(round_to(9.99, 1), "10.0");
    CHECK_STR(round_to(1250, -2), "1300.0");
    CHECK_STR(round_to(49, -2), "0.0");
    CHECK_STR(round_to(50, -2), "100.0");
    CHECK_STR(round_to(1e300, 5), "1e+300");
    CHECK_STR(round_to(5e-324, 323), "1e-323");
    CHECK_STR(round_to(5e-324, 322), "0.0");
    CHECK_STR(round_to(5e-324, 324), "5e-324");
    CHECK_STR(round_to(1.7e308, -308), "inf");
    CHECK_STR(round_to(1e300, INT64_MIN), "0.0");
    CHECK_STR(round_to(1e-300, INT64_MAX), "1e-300");
    CHECK_STR(round_to(HUGE_VAL, 2), "inf");
    CHECK_STR(round_to((double)NAN, 2), "nan");
    CHECK_STR(round_int(1250, -2), "1300");
    CHECK_STR(round_int(-1250, -2), "-1300");
    CHECK_STR(round_int(1249, -2), "1200");
    CHECK_STR(round_int(7, 3), "7");
    CHECK_STR(round_int(7, -1), "10");
    CHECK_STR(round_int(INT64_MIN, 0), "-9223372036854775808");
    CHECK_STR(round_int(INT64_MIN, -1), "out of range");
    CHECK_STR(round_int(INT64_MAX, -2), "9223372036854775800");
    CHECK_STR(round_int(INT64_MAX, -19), "out of range");
    CHECK_STR(round_int(INT64_MAX, -20), "0");
    CHECK_STR(round_int(INT64_MAX, INT64_MIN), "0");
    CHECK_STR(round_int(INT64_MAX, INT64_MAX), "9223372036854775807");
}

static void test_literal(void)
{
    Value s = {.type = TYPE_STRING, .s = STR_LIT("a\"b\\c\n\t{x}\x01\xff\xc3\xa9\xc2\x85")};
    CHECK_STR(literal(s), "\"a\\\"b\\\\c\\n\\t{{x}\\u{1}\\u{fffd}\xc3\xa9\\u{85}\"");
    CHECK_STR(print(s), "a\"b\\c\n\t{x}\x01\xff\xc3\xa9\xc2\x85");
    CHECK_STR(literal((Value){.type = TYPE_INT, .is_null = true}), "null");
    CHECK_STR(print((Value){.type = TYPE_INT, .is_null = true}), "");
    CHECK_STR(literal((Value){.type = TYPE_NULL}), "null");
    CHECK_STR(literal(of_int(TYPE_BOOL, 1)), "true");
    CHECK_STR(literal(of_int(TYPE_DATE, 20455)), "date(\"2026-01-02\")");
    CHECK_STR(literal(of_int(TYPE_TIMESTAMP, 0)), "timestamp(\"1970-01-01T00:00:00Z\")");
    CHECK_STR(literal(of_int(TYPE_DURATION, 5400000000)), "1h30m");
    CHECK_STR(literal(of_int(TYPE_SIZE, 64000)), "64kB");
    CHECK_STR(literal((Value){.type = TYPE_FLOAT, .f = 2}), "2.0");
    CHECK_STR(literal((Value){.type = TYPE_FLOAT, .f = -HUGE_VAL}), "float(\"-inf\")");
    CHECK_STR(again(TYPE_STRING, " any {bytes} "), " any {bytes} ");
    CHECK(is_bad(TYPE_TABLE, "x"));
}

int main(void)
{
    test_int();
    test_float();
    test_digits();
    test_bool();
    test_date();
    test_timestamp();
    test_duration();
    test_size();
    test_round_trip();
    test_round();
    test_literal();
    UNIT_END("value");
}
