/* time_pattern_test - times held against the C library's gmtime_r, strftime, timegm and strptime, in the C
 * locale. The fields where libraries differ (years without four digits, %f) are held against tm itself. */
#undef _POSIX_C_SOURCE
#define _GNU_SOURCE
#include "base/time_pattern.h"

#include <stdlib.h>
#include <time.h>

#include "base/calendar.h"
#include "base/value.h"
#include "unit.h"

#define US INT64_C(1000000)
#define DAY_S INT64_C(86400)

static uint64_t state = 1;
static uint64_t next(void)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = state;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static const char *print(int64_t seconds, int64_t us, const char *pattern)
{
    static char out[TIME_PRINT_MAX(200)];
    int64_t days = seconds / DAY_S - (seconds % DAY_S < 0);
    uint32_t n = time_print(days, (seconds - days * DAY_S) * US + us, str_of(pattern), out);
    out[n] = '\0';
    return out;
}

/* False, and *err filled, or OK. */
static bool parse(const char *s, const char *pattern, int64_t *us)
{
    PatternError e;
    CHECK(time_pattern_check(str_of(pattern), true, &e));
    return time_parse(str_of(s), str_of(pattern), us, &e);
}

/* Any second within about `years` of 1970. */
static int64_t any_second(int64_t years)
{
    uint64_t width = (uint64_t)years * 2 * 31556952;
    return (int64_t)(next() % width) - (int64_t)(width / 2);
}

static void check_fields(int64_t s)
{
    struct tm tm;
    time_t t = (time_t)s;
    char want[200];
    CHECK(gmtime_r(&t, &tm) != NULL);
    long long year = tm.tm_year + 1900LL;
    snprintf(want, sizeof want, "%s%04lld-%02d-%02d %d:%d:%d %d %d", year < 0 ? "-" : "", year < 0 ? -year : year,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_yday + 1, tm.tm_wday);
    CHECK_STR(print(s, 0, "%Y-%m-%d %-H:%-M:%-S %-j %w"), want);
}

static void test_fields(void)
{
    for (int64_t day = -200000; day < 200000; day++) /* each day from 1422 to 2517 */
        check_fields(day * DAY_S + (int64_t)(next() % 86400));
    for (int i = 0; i < 200000; i++) {
        check_fields(any_second(10000));
        check_fields(any_second(292000));     /* what a timestamp holds */
        check_fields(any_second(2000000000)); /* what tm holds */
    }
    for (int64_t year = -400002; year <= 800002; year += 400001) /* around the ends of the short way */
        for (int64_t day = -800; day < 800; day++)
            check_fields((days_from_civil(year, 1, 1) + day) * DAY_S);
}

static void test_print(void)
{
    static const char pattern[] = "%a %A %b %B %h %d %e %j %H %I %M %S %p %u %w %U %W %V %z %Z %R %T %m %s %% %n %t";
    for (int i = 0; i < 200000; i++) {
        int64_t s = days_from_civil(1000, 1, 1) * DAY_S +
                    (int64_t)(next() % (uint64_t)((days_from_civil(10000, 1, 1) - days_from_civil(1000, 1, 1)) * DAY_S));
        struct tm tm;
        time_t t = (time_t)s;
        char want[400];
        CHECK(gmtime_r(&t, &tm) != NULL);
        tm.tm_zone = "UTC";
        CHECK(strftime(want, sizeof want, pattern, &tm) > 0);
        CHECK_STR(print(s, 0, pattern), want);
        snprintf(want, sizeof want, "%02d/%02d/%02d %02d", tm.tm_mon + 1, tm.tm_mday, tm.tm_year % 100 + (tm.tm_year % 100 < 0 ? 100 : 0),
                 (tm.tm_year + 1900) % 100);
        CHECK_STR(print(s, 0, "%D %y"), want);
        CHECK(strftime(want, sizeof want, "%F %C %G-W%V-%u", &tm) > 0);
        CHECK_STR(print(s, 0, "%F %C %G-W%V-%u"), want);
    }
    CHECK_STR(print(0, 42, "%f %-d"), "000042 1");
}

static void test_parse(void)
{
    static const char *const patterns[] = {"%Y-%m-%d %H:%M:%S", "%d %b %Y %I:%M:%S %p", "%A, %e %B %Y, %T",
                                           "%j/%Y %H.%M.%S", "%FT%T", "%s"};
    for (int i = 0; i < 200000; i++) {
        int64_t s = days_from_civil(1000, 1, 1) * DAY_S +
                    (int64_t)(next() % (uint64_t)((days_from_civil(10000, 1, 1) - days_from_civil(1000, 1, 1)) * DAY_S));
        const char *pattern = patterns[next() % (sizeof patterns / sizeof *patterns)];
        char text[200];
        snprintf(text, sizeof text, "%.199s", print(s, 0, pattern));
        int64_t us;
        CHECK(parse(text, pattern, &us) && us == s * US);
        if (strchr(pattern, 'j') || strchr(pattern, 's')) /* strptime leaves the month, or goes by local time */
            continue;
        struct tm tm = {.tm_mday = 1};
        const char *end = strptime(text, pattern, &tm);
        CHECK(end && !*end && (int64_t)timegm(&tm) == s);
    }
}

/* Random text never reads beyond its end, nor overflows (sanitizers see), and what reads prints again. */
static void test_noise(void)
{
    static const char *const patterns[] = {"%Y-%m-%d", "%F %T.%f%z", "%s", "%j %Y", "%D %p %I", "%B %e %y", "%Y%m%d"};
    uint32_t n_read = 0;
    for (int i = 0; i < 300000; i++) {
        const char *pattern = patterns[next() % (sizeof patterns / sizeof *patterns)];
        char text[24];
        snprintf(text, sizeof text, "%.20s", print(any_second(20000), (int64_t)(next() % 1000000), pattern));
        for (uint32_t k = (uint32_t)(next() % 3); k > 0; k--)
            if (*text)
                text[next() % strlen(text)] = "0123456789+-: .ZAJa%"[next() % 20];
        uint32_t n = (uint32_t)(next() % (strlen(text) + 1));
        char *exact = xstrndup(text, n);
        PatternError e;
        int64_t us;
        n_read += time_parse((Str){exact, n}, str_of(pattern), &us, &e);
        free(exact);
    }
    CHECK(n_read > 1000);
}

static void test_limits(void)
{
    int64_t us;
    CHECK(parse("+294247-01-10 04:00:54.775807", "%F %H:%M:%S.%f", &us) && us == INT64_MAX);
    CHECK(!parse("+294247-01-10 04:00:54.775808", "%F %H:%M:%S.%f", &us));
    CHECK(!parse("-292277-01-01", "%F", &us));
    CHECK(parse("2000-02-29", "%F", &us) && !parse("1900-02-29", "%F", &us));
    CHECK(parse("366 2024", "%j %Y", &us) && !parse("366 2023", "%j %Y", &us));
    CHECK(!parse("2026-01-02 24:00", "%F %R", &us) && !parse("2026-01-02 23:59:60", "%F %T", &us));
    CHECK(!parse("99999999999999999999", "%s", &us) && !parse("", "%s", &us));
    CHECK_STR(print(INT64_MAX / US, 0, "%F %T"), "+294247-01-10 04:00:54");
    PatternError e;
    CHECK(!time_pattern_check(STR_LIT("%"), false, &e) && e.at == 0);
    CHECK(!time_pattern_check(STR_LIT("a%-"), false, &e) && e.at == 1);
    CHECK(!time_pattern_check(STR_LIT("%\x01"), false, &e));
    char out[TIME_PRINT_MAX(2)]; /* the longest there is, of days that only arithmetic reaches */
    for (const char *c = "YGFsCj"; *c; c++) {
        char pattern[3] = {'%', *c, 0};
        CHECK(time_print(INT64_MIN / 800, 0, str_of(pattern), out) <= TIME_PRINT_MAX(2));
        CHECK(time_print(INT64_MAX / 800, 0, str_of(pattern), out) <= TIME_PRINT_MAX(2));
    }
}

/* A text that is empty may have no place: clang's sanitizer sees an offset from there. */
static void test_empty(void)
{
    PatternError e;
    int64_t us;
    CHECK(!time_parse((Str){0}, STR_LIT("%Y"), &us, &e));
    CHECK(e.at == 0);
}

int main(void)
{
    test_fields();
    test_empty();
    test_print();
    test_parse();
    test_noise();
    test_limits();
    UNIT_END("time_pattern");
}
