/* decimal_test.c - doubles to digits and back. The C library is the second opinion: strtod
 * and printf with 17 digits are exact in glibc and musl, and a test runs in the C locale.
 * `decimal_test FIRST LAST` takes only the random blocks of those numbers, of 100,000 doubles each;
 * `make test-long` takes a thousand. */
#include "base/decimal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/simd.h"
#include "base/str.h"
#undef __SSE2__ /* the portable form, which no test of printing sees where the other is there */
#include "base/text16.h"
#include "base/value.h"
#include "unit.h"

typedef struct Pow10 {
    uint64_t hi, lo;
} Pow10;

static const Pow10 POW10S[] = {
#define POW10(hi, lo) {hi, lo},
#include "base/pow10.def"
#undef POW10
};

static uint64_t random_state = 20260102;

static uint64_t random_u64(void) /* splitmix64 */
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double double_of_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static uint64_t bits_of_double(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* The top 128 bits of a long integer, least limb first. */
static Pow10 top_bits(const uint32_t *limbs, uint32_t n)
{
    Pow10 p = {0};
    while (limbs[n - 1] == 0)
        n--;
    uint32_t shift = 0;
    while (!(limbs[n - 1] << shift >> 31))
        shift++;
    for (uint32_t i = 0; i < 128; i++) {
        int64_t bit = (int64_t)n * 32 - 1 - shift - i;
        uint64_t b = bit < 0 ? 0 : limbs[bit / 32] >> (bit % 32) & 1;
        p.hi = p.hi << 1 | p.lo >> 63;
        p.lo = p.lo << 1 | b;
    }
    return p;
}

static void test_table(void)
{
    enum { LIMBS = 64 }; /* 2048 bits; 10^342 has 1137 */
    uint32_t n_wrong = 0;
    uint32_t power[LIMBS] = {1}; /* 10^k */
    for (int k = 0; k <= 324; k++) {
        Pow10 want = top_bits(power, LIMBS), got = POW10S[342 + k];
        n_wrong += want.hi != got.hi || want.lo != got.lo;
        uint64_t carry = 0;
        for (uint32_t i = 0; i < LIMBS; i++) {
            carry += (uint64_t)power[i] * 10;
            power[i] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    uint32_t inverse[LIMBS] = {0}; /* floor(2^2047 / 10^k) */
    inverse[LIMBS - 1] = 1u << 31;
    for (int k = 0; k <= 342; k++) {
        Pow10 want = top_bits(inverse, LIMBS), got = POW10S[342 - k];
        n_wrong += want.hi != got.hi || want.lo != got.lo;
        uint64_t rest = 0;
        for (uint32_t i = LIMBS; i-- > 0;) {
            rest = rest << 32 | inverse[i];
            inverse[i] = (uint32_t)(rest / 10);
            rest %= 10;
        }
    }
    CHECK(n_wrong == 0);
    CHECK(sizeof POW10S / sizeof *POW10S == 667);
}

static double parse(const char *text)
{
    double v = -1;
    return decimal_parse(str_of(text), &v) ? v : -1;
}

static bool reads_wrong(const char *text)
{
    double want = strtod(text, NULL), got = parse(text);
    if (got != want)
        printf("wrong: %s: %a, not %a\n", text, got, want);
    return got != want;
}

/* The fewest digits that read back, by trying: for each number of digits the nearest
 * decimal, then (below a power of two doubles are closer) the ones beside it. */
static bool is_shortest(double v, Decimal d)
{
    for (int n = 1; n <= 17; n++) {
        char text[64], digits[64];
        snprintf(text, sizeof text, "%.*e", n - 1, v);
        uint32_t k = 0;
        for (const char *p = text; *p != 'e'; p++)
            if (*p != '.')
                digits[k++] = *p;
        digits[k] = '\0';
        uint64_t nearest = strtoull(digits, NULL, 10);
        int exp10 = atoi(strchr(text, 'e') + 1) - (n - 1);
        for (uint64_t beside = 0; beside < 3; beside++) {
            uint64_t near = beside == 0 ? nearest : nearest + 2 * beside - 3;
            snprintf(text, sizeof text, "%" PRIu64 "e%d", near, exp10);
            if (strtod(text, NULL) != v)
                continue;
            for (; near % 10 == 0; near /= 10)
                exp10++;
            return near == d.digits && exp10 == d.exp10;
        }
    }
    return false;
}

/* Of all doubles, counts those that go wrong in any direction. `full`: also that the
 * digits are the fewest, which is slow. */
static uint32_t wrong(double v, bool full)
{
    Decimal d = decimal_of_double(v), same = decimal_of_double_long(v);
    uint32_t n = 0;
    n += d.digits != same.digits || d.exp10 != same.exp10;
    n += d.digits == 0 || d.digits % 10 == 0 || d.digits > UINT64_C(99999999999999999);
    n += decimal_to_double(d.digits, d.exp10) != v;
    if (full) {
        char text[64];
        n += !is_shortest(v, d);
        snprintf(text, sizeof text, "%.16e", v);
        n += parse(text) != v;
        snprintf(text, sizeof text, "%.25e", v); /* exact up to the 26th digit */
        n += parse(text) != strtod(text, NULL);
    }
    if (n)
        printf("wrong: %a: %" PRIu64 "e%d\n", v, d.digits, d.exp10);
    return n;
}

static void test_random(void)
{
    uint32_t n_wrong = 0;
    for (uint32_t i = 0; i < 1000000; i++) {
        double v = fabs(double_of_bits(random_u64()));
        if (isfinite(v) && v > 0)
            n_wrong += wrong(v, i % 20 == 0);
    }
    CHECK(n_wrong == 0);
    for (uint32_t i = 0; i < 1000000; i++) { /* short decimals, as data has them */
        uint64_t digits = random_u64() % 1000000 + 1;
        int32_t exp10 = (int32_t)(random_u64() % 12) - 8;
        double v = decimal_to_double(digits, exp10);
        while (digits % 10 == 0) {
            digits /= 10;
            exp10++;
        }
        Decimal d = decimal_of_double(v);
        n_wrong += d.digits != digits || d.exp10 != exp10;
    }
    CHECK(n_wrong == 0);
    for (uint32_t i = 0; i < 100000; i++) { /* digits that no double gave */
        char text[64];
        snprintf(text, sizeof text, "%" PRIu64 ".%" PRIu64 "e%d", random_u64(),
                 random_u64() >> (i % 64), (int)(random_u64() % 700) - 360);
        n_wrong += reads_wrong(text);
        uint64_t digits = random_u64() >> (random_u64() % 64);
        int32_t exp10 = (int32_t)(random_u64() % 700) - 360;
        snprintf(text, sizeof text, "%" PRIu64 "e%d", digits, (int)exp10);
        n_wrong += decimal_to_double(digits, exp10) != strtod(text, NULL);
        n_wrong += reads_wrong(text);
    }
    CHECK(n_wrong == 0);
}

static void test_edges(void)
{
    uint32_t n_wrong = 0;
    for (uint64_t exponent = 0; exponent < 2047; exponent++) /* around powers of two */
        for (int64_t step = -3; step <= 3; step++) {
            uint64_t bits = (exponent << 52) + (uint64_t)step;
            if (bits != 0 && bits < UINT64_C(2047) << 52)
                n_wrong += wrong(double_of_bits(bits), true);
        }
    for (uint64_t bits = 1; bits < 5000; bits++) /* the smallest */
        n_wrong += wrong(double_of_bits(bits), true);
    for (int k = -345; k <= 310; k++) { /* around powers of ten */
        char text[16];
        snprintf(text, sizeof text, "1e%d", k);
        n_wrong += reads_wrong(text);
        uint64_t bits = bits_of_double(strtod(text, NULL));
        for (int64_t step = -3; step <= 3; step++)
            if (bits + (uint64_t)step - 1 < (UINT64_C(2047) << 52) - 1)
                n_wrong += wrong(double_of_bits(bits + (uint64_t)step), true);
    }
    for (int k = 0; k < 24; k++) /* whole numbers and halves */
        n_wrong += wrong(pow(10, k), true) + wrong(pow(10, k) + 0.5, true);
    CHECK(n_wrong == 0);
    Decimal d = decimal_of_double(0.0);
    CHECK(d.digits == 0 && d.exp10 == 0);
    CHECK(decimal_of_double(-2.5).digits == 25);
}

/* Halfway between neighbours, exactly and a little beside it, with all the digits. */
static void test_halfway(uint32_t n_points)
{
    uint32_t n_wrong = 0;
    for (uint32_t i = 0; i < n_points; i++) {
        uint64_t bits = random_u64() >> 1;
        if (i % 4 == 0)
            bits &= (UINT64_C(1) << 54) - 1; /* the smallest need most digits */
        if (i % 4 == 1)
            bits = (UINT64_C(1023) << 52) + (bits >> 6); /* between 1 and 2^64 */
        if (bits >= (UINT64_C(2047) << 52) - 1)
            continue;
        double low = double_of_bits(bits), high = double_of_bits(bits + 1);
        double even = bits % 2 == 0 ? low : high;
        /* long double has room for the point between, where it is the x87's. */
        long double half = ((long double)low + (long double)high) / 2;
        if (half <= low || half >= high)
            continue;
        char text[1600]; /* 309 digits, a point, 1200 digits */
        int n = snprintf(text, sizeof text, "%.1200Lf", half);
        n_wrong += parse(text) != even;
        n_wrong += parse(text) != strtod(text, NULL);
        text[n] = '1';
        text[n + 1] = '\0';
        n_wrong += parse(text) != high;
        text[n] = '\0';
        char *p = text + n - 1; /* one lower in the last digit: zeros become nines */
        for (; p > text && (*p == '0' || *p == '.'); p--)
            *p = *p == '0' ? '9' : '.';
        (*p)--; /* no 0: a point halfway is more than that */
        n_wrong += parse(text) != low;
    }
    CHECK(n_wrong == 0);
}

static void test_limits(void)
{
    CHECK(parse("9007199254740993") == 9007199254740992.0);
    CHECK(parse("9007199254740993.00000000000000000000000000000000000001") ==
          9007199254740994.0);
    CHECK(parse("2.2250738585072011e-308") == 2.2250738585072011e-308);
    CHECK(parse("2.2250738585072012e-308") == 0x1p-1022);
    CHECK(parse("2.4703282292062327208e-324") == 0.0);
    CHECK(parse("2.4703282292062327209e-324") == 0x1p-1074);
    CHECK(parse("1.7976931348623158079e308") == 0x1.fffffffffffffp1023);
    CHECK(isinf(parse("1.7976931348623158080e308")));
    CHECK(isinf(parse("1e309")) && isinf(parse("1e99999999999999999999")));
    CHECK(parse("1e-400") == 0.0 && parse("1e-99999999999999999999") == 0.0);
    CHECK(parse("0e99999") == 0.0);
}

/* ---- blocks of random numbers: what is printed reads back, bit for bit, here and with strtod */

enum { BLOCK_DOUBLES = 100000, BLOCK_TEXTS = 20000, BLOCK_HALFWAY = 50 };

static double block_double(uint32_t i)
{
    uint64_t r = random_u64();
    switch (i % 8) {
    case 0:
        r >>= random_u64() % 50; /* of 5 to 17 digits, the point anywhere */
        return (double)(r % 100000000000000) / pow(10, (double)(random_u64() % 18)) * (r & 1 ? 1 : -1);
    case 1: return double_of_bits((r & ~(UINT64_C(2047) << 52)) | (1003 + random_u64() % 60) << 52);
    case 2: return double_of_bits(r & ~(UINT64_C(2047) << 52)); /* below the normal ones */
    case 3: return double_of_bits(r & ~UINT64_C(0) << (random_u64() % 53)); /* few bits */
    case 4: return (double)(int64_t)(r >> random_u64() % 64); /* whole */
    default: return double_of_bits(r);
    }
}

/* The text of a float that is not 0, made from its digits the plain way. */
static void text_of(double v, char *to)
{
    Decimal d = decimal_of_double_long(v);
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, d.digits), point = n + d.exp10;
    if (signbit(v))
        *to++ = '-';
    if (point > 16 || point < -3) {
        to += sprintf(to, "%c%s%s", digits[0], n > 1 ? "." : "", digits + 1);
        sprintf(to, "e%c%02d", point > 0 ? '+' : '-', abs(point - 1));
        return;
    }
    if (point <= 0)
        to += sprintf(to, "0.");
    for (int i = point < 0 ? point : 0; i < n || i < point + 1; i++) {
        if (i == point && i > 0)
            *to++ = '.';
        *to++ = i >= 0 && i < n ? digits[i] : '0';
    }
    *to = '\0';
}

static bool prints_wrong(double v)
{
    char text[64], want[64];
    uint32_t n = value_print_float(v, text);
    text[n] = '\0';
    if (v != 0)
        text_of(v, want);
    double back = 0;
    bool ok = value_parse_float((Str){text, n}, &back) && bits_of_double(back) == bits_of_double(v) &&
              bits_of_double(strtod(text, NULL)) == bits_of_double(v) &&
              (v == 0 || strcmp(text, want) == 0);
    if (!ok)
        printf("wrong: %a is printed %s\n", v, text);
    return !ok;
}

/* Of doubles that are printed together: those that print otherwise than alone, at the best level and without vectors. */
static uint32_t many_wrong(const double *v, uint32_t n)
{
    static char text[1000 * VALUE_PRINT_MAX];
    static uint8_t lens[1000];
    SimdLevel best = simd_level();
    uint32_t n_wrong = 0;
    for (int k = 0; k < 2; k++) {
        simd_use(k ? SIMD_PORTABLE : best);
        value_print_many(TYPE_FLOAT, v, 0, n, text, lens);
        for (uint32_t i = 0; i < n; i++) {
            char one[VALUE_PRINT_MAX];
            uint32_t len = value_print_float(v[i], one);
            bool ok = len == lens[i] && memcmp(one, text + (size_t)i * VALUE_PRINT_MAX, len) == 0;
            if (!ok)
                printf("wrong at level %s: %a\n", simd_name(simd_level()), v[i]);
            n_wrong += !ok;
        }
    }
    simd_use(best);
    return n_wrong;
}

static void test_many(void)
{
    double v[1000] = {0, -0.0, HUGE_VAL, -HUGE_VAL, (double)NAN, 0x1p-1074, -0x1p-1022, 0x1.fffffffffffffp1023};
    uint32_t n_wrong = 0;
    for (uint64_t exponent = 0; exponent < 2048; exponent++) { /* around powers of two, whole numbers among them */
        for (uint32_t i = 8; i < 70; i++)
            v[i] = double_of_bits((exponent << 52) + (i < 20 ? i - 14 : random_u64() >> (12 + random_u64() % 52)));
        n_wrong += many_wrong(v, 60 + (uint32_t)exponent % 10);
    }
    for (uint32_t i = 0; i < 1000; i++) /* all distances from the interval's ends */
        v[i] = 9007199254740992.0 + i * 2.0;
    n_wrong += many_wrong(v, 1000);
    CHECK(n_wrong == 0);
}

static void test_text16(void)
{
    uint32_t n_wrong = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t high = (uint32_t)(random_u64() % 100000000), low = (uint32_t)(random_u64() % 100000000);
        if (i % 4 == 0)
            low = 0;
        for (uint32_t unit = 1; unit <= i % 16; unit *= 10)
            *(i % 4 ? &low : &high) -= *(i % 4 ? &low : &high) % unit;
        char want[20], got[20] = "", split[20] = "";
        snprintf(want, sizeof want, "%08u%08u", high, low);
        Text16 t = text16(high, low);
        uint32_t n = 16;
        while (n > 1 && want[n - 1] == '0')
            n--;
        n_wrong += text16_used(t) != n;
        t = text16_chars(t);
        text16_put(got, t);
        n_wrong += memcmp(got, want, 16) != 0;
        uint32_t point = i % 17;
        text16_put_split(split, '7', t, point);
        for (uint32_t k = 0; k < 16; k++)
            n_wrong += k != point && split[k] != (k == 0 || (k == 1 && point == 0) ? '7'
                                                  : k < point                    ? want[k - 1]
                                                                                 : want[k - 2]);
    }
    CHECK(n_wrong == 0);
}

/* 1 to 40 digits, a point anywhere or nowhere, an exponent or none. */
static void text_make(char *to)
{
    uint32_t n = 1 + (uint32_t)(random_u64() % 40), point = (uint32_t)(random_u64() % (2 * n + 1));
    uint64_t zeros = random_u64() % 4; /* 0: long runs of them */
    for (uint32_t i = 0; i < n; i++) {
        if (i == point)
            *to++ = '.';
        *to++ = zeros == 0 && random_u64() % 8 ? '0' : (char)('0' + random_u64() % 10);
    }
    *to = '\0';
    if (random_u64() % 3)
        sprintf(to, "e%d", random_u64() % 2 ? (int)(random_u64() % 60) - 30 : (int)(random_u64() % 720) - 380);
}

static void test_block(uint64_t number)
{
    random_state = number * UINT64_C(0x2545f4914f6cdd1d) + 1;
    uint32_t n_wrong = 0;
    double some[100];
    for (uint32_t i = 0; i < BLOCK_DOUBLES; i++) {
        double v = some[i % 100] = block_double(i);
        if (i % 100 == 99)
            n_wrong += many_wrong(some, 100);
        if (!isfinite(v))
            continue;
        n_wrong += prints_wrong(v);
        if (v != 0)
            n_wrong += wrong(fabs(v), i % 400 < 8); /* of each kind */
    }
    for (uint32_t i = 0; i < BLOCK_TEXTS; i++) {
        char text[64];
        text_make(text);
        n_wrong += reads_wrong(text);
    }
    CHECK(n_wrong == 0);
    test_halfway(BLOCK_HALFWAY);
}

static void test_long(void)
{
    static char text[20000];
    /* 1 followed by 9999 zeros, times 10^-9999; and the same behind the point. */
    memset(text, '0', sizeof text);
    text[0] = '1';
    strcpy(text + 10000, "e-9999");
    CHECK(parse(text) == 1.0);
    memset(text, '0', sizeof text);
    text[1] = '.';
    strcpy(text + 10000, "1e9999");
    CHECK(parse(text) == 1.0);
    memset(text, '0', sizeof text);
    strcpy(text + 10000, "12.5");
    CHECK(parse(text) == 12.5);
    memset(text, '9', sizeof text);
    text[1] = '.';
    text[10000] = '\0';
    CHECK(parse(text) == 10.0);
}

static void test_malformed(void)
{
    static const char *const BAD[] = {
        "",    ".",    "e5",   ".e5",  "1e",    "1e+",   "1e-",   "1.2.3", "1..2", "1e5.",
        "1 ",  " 1",   "+1",   "-1",   "1_000", "0x10",  "1,5",   "1e5e5", "--1",  "1f",
        "inf", "nan",  "1e 5", "\xc2\xbd", "1.5E", "1e--5", "..", "1\n",   "e",    "1.e+",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(parse(BAD[i]) == -1);
    CHECK(parse("5.") == 5 && parse(".5") == 0.5 && parse("1E5") == 1e5);
    CHECK(parse("1e+05") == 1e5 && parse("007.50") == 7.5);
    double v = 3;
    CHECK(!decimal_parse((Str){"1\0", 2}, &v));
    CHECK(decimal_parse((Str){"12x", 2}, &v) && v == 12);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        for (uint64_t k = strtoull(argv[1], NULL, 10); k <= strtoull(argv[2], NULL, 10); k++)
            test_block(k);
        UNIT_END("decimal");
    }
    test_table();
    test_random();
    test_edges();
    test_halfway(3000);
    test_limits();
    test_text16();
    test_many();
    for (uint64_t k = 1; k <= 3; k++)
        test_block(k);
    test_long();
    test_malformed();
    UNIT_END("decimal");
}
