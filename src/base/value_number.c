/* value_number.c - whole numbers, floats and truths, read and rounded; number_print.c prints them. */
#include <math.h>

#include "base/decimal.h"
#include "base/value.h"
#include "base/value_scan.h"

bool value_parse_int(Str s, int64_t *out)
{
    Scan sc = scan_of(s);
    bool is_negative = scan_char(&sc, '-');
    uint64_t v;
    return scan_u64(&sc, &v) && scan_done(&sc) && signed_of(v, is_negative, out);
}

bool value_is_whole(Str s)
{
    Scan sc = scan_of(s);
    scan_char(&sc, '-');
    const char *start = sc.p;
    while (!scan_done(&sc) && is_digit(*sc.p))
        sc.p++;
    return scan_done(&sc) && sc.p > start;
}

/* word is in lower case. */
static bool is_word(Str s, const char *word)
{
    uint32_t i = 0;
    for (; i < s.len && word[i]; i++)
        if ((s.ptr[i] | 0x20) != word[i]) /* lower-cases the letters */
            return false;
    return i == s.len && !word[i];
}

bool value_parse_float(Str s, double *out)
{
    bool is_negative = s.len > 0 && s.ptr[0] == '-';
    if (is_negative)
        s = (Str){s.ptr + 1, s.len - 1};
    if (decimal_parse(s, out)) {
    } else if (is_word(s, "inf") || is_word(s, "infinity")) {
        *out = HUGE_VAL;
    } else if (is_word(s, "nan")) {
        *out = (double)NAN;
    } else {
        return false;
    }
    if (is_negative)
        *out = -*out;
    return true;
}

bool value_parse_bool(Str s, bool *out)
{
    *out = is_word(s, "true");
    return *out || is_word(s, "false");
}

static const uint64_t POW10_INTS[] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};
#define N_POW10_INTS (int64_t)(sizeof POW10_INTS / sizeof *POW10_INTS)

/* v without its last n digits, half up. */
static uint64_t drop_digits(uint64_t v, int64_t n)
{
    if (n >= N_POW10_INTS)
        return 0; /* UINT64_MAX is below half of 10^20 */
    uint64_t unit = POW10_INTS[n], rest = v % unit;
    return v / unit + (rest >= unit - rest);
}

double value_round_float(double v, int64_t n_digits)
{
    if (!isfinite(v) || n_digits > 400)
        return v;
    if (n_digits < -400)
        return copysign(0.0, v);
    Decimal d = decimal_of_double(v);
    int64_t n_dropped = -(d.exp10 + n_digits);
    if (n_dropped <= 0)
        return v;
    return copysign(decimal_to_double(drop_digits(d.digits, n_dropped), (int32_t)-n_digits),
                    v);
}

bool value_round_int(int64_t v, int64_t n_digits, int64_t *out)
{
    uint64_t magnitude = magnitude_of(v);
    if (n_digits < 0) {
        int64_t n_dropped = n_digits < -N_POW10_INTS ? N_POW10_INTS : -n_digits;
        magnitude = drop_digits(magnitude, n_dropped);
        if (magnitude > 0 && magnitude > UINT64_MAX / POW10_INTS[n_dropped])
            return false;
        if (magnitude > 0)
            magnitude *= POW10_INTS[n_dropped];
    }
    return signed_of(magnitude, v < 0, out);
}
