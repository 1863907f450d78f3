/* How to read it: the powers of ten, then doubles to digits (decimal_of_double), then
 * digits to doubles in three steps, each for what the one before could not decide: one
 * exact operation, 128-bit products, long integers. */
#include "base/decimal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/shortest.h"

const U128 POW10S[POW10_MAX - POW10_MIN + 1] = {
#define POW10(hi, lo) {hi, lo},
#include "base/pow10.def"
#undef POW10
};

static bool pow10_is_exact(int32_t k)
{
    return k >= 0 && k <= 55; /* 5^55 < 2^128 */
}

static double double_of_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* v = *significand * 2^*exp2, for finite v >= 0. */
static void double_split(uint64_t bits, uint64_t *significand, int32_t *exp2)
{
    uint64_t fraction = bits & (HIDDEN_BIT - 1);
    int32_t exponent = (int32_t)(bits >> FRACTION_BITS);
    *significand = exponent ? fraction | HIDDEN_BIT : fraction;
    *exp2 = (exponent ? exponent : 1) - 1075;
}

/* Doubles to digits: Raffaello Giulietti, "The Schubfach way to render doubles" (2020).
 * The interval of reals that read back as v holds at most one multiple of 10^(k+1) and
 * at least one of 10^k, for the k below; the products with a power of ten are rounded "to
 * odd", which is precise enough to compare them with the interval's ends. */

/* g * c / 2^128, its last bit set when anything was cut off. */
static uint64_t round_to_odd(U128 g, uint64_t c)
{
    uint64_t low = mul64(g.lo, c).hi;
    U128 p = mul64(g.hi, c);
    p.lo += low;
    p.hi += p.lo < low;
    return p.hi | (p.lo > 1);
}

static uint64_t rotate_right(uint64_t x, uint32_t n)
{
    return x >> n | x << (64 - n);
}

/* Takes the zeros off the end of the digits, 8, 4, 2, 1 at a time. The product with the inverse of 5^n modulo
 * 2^64, rotated by n, is the quotient by 10^n where that divides, and more than any quotient where it does not. */
static Decimal decimal_trim(uint64_t digits, int32_t exp10)
{
    static const struct {
        uint64_t inverse, max;
        int32_t n;
    } STEPS[] = {{UINT64_C(0xc767074b22e90e21), UINT64_MAX / 100000000, 8},
                 {UINT64_C(0xd288ce703afb7e91), UINT64_MAX / 10000, 4},
                 {UINT64_C(0x8f5c28f5c28f5c29), UINT64_MAX / 100, 2},
                 {UINT64_C(0xcccccccccccccccd), UINT64_MAX / 10, 1}};
    if (digits == 0)
        return (Decimal){0, 0};
    for (uint32_t i = 0; i < sizeof STEPS / sizeof STEPS[0];) {
        uint64_t quotient = rotate_right(digits * STEPS[i].inverse, (uint32_t)STEPS[i].n);
        if (quotient <= STEPS[i].max) {
            digits = quotient;
            exp10 += STEPS[i].n;
            i += i > 0; /* 16 zeros are 8 twice; of the others twice would be the one before */
        } else {
            i++;
        }
    }
    return (Decimal){digits, exp10};
}

Decimal decimal_of_double(double v)
{
    uint64_t digits;
    int32_t exp10;
    if (shortest_digits(double_bits(fabs(v)), &digits, &exp10))
        return decimal_trim(digits, exp10);
    return decimal_of_double_long(v);
}

Decimal decimal_of_double_long(double v)
{
    uint64_t bits = double_bits(fabs(v));
    assert(bits < INF_BITS);
    uint64_t c;
    int32_t q;
    double_split(bits, &c, &q);
    if (q <= 0 && q > -FRACTION_BITS - 1 && (c & ((UINT64_C(1) << -q) - 1)) == 0)
        return decimal_trim(c >> -q, 0); /* a whole number below 2^53 */
    if (c == 0)
        return (Decimal){0, 0};

    bool is_even = c % 2 == 0;
    bool lower_is_closer = c == HIDDEN_BIT && q > -1074;
    int32_t k = (q * 1262611 - (lower_is_closer ? 524031 : 0)) >> 22; /* 3/4 of 2^q then */
    int32_t h = q + floor_log2_pow10(-k) + 1;
    U128 g = POW10S[-k - POW10_MIN];
    if (!pow10_is_exact(-k)) { /* the algorithm wants the power rounded up */
        g.lo++;
        g.hi += g.lo == 0;
    }
    uint64_t middle = round_to_odd(g, (4 * c) << h);
    uint64_t lower = round_to_odd(g, (4 * c - 2 + lower_is_closer) << h) + !is_even;
    uint64_t upper = round_to_odd(g, (4 * c + 2) << h) - !is_even;

    uint64_t s = middle / 4;
    if (s >= 10) {
        uint64_t s10 = s / 10;
        bool below_fits = lower <= 40 * s10, above_fits = 40 * s10 + 40 <= upper;
        if (below_fits != above_fits)
            return decimal_trim(s10 + above_fits, k + 1);
    }
    bool below_fits = lower <= 4 * s, above_fits = 4 * s + 4 <= upper;
    if (below_fits != above_fits)
        return decimal_trim(s + above_fits, k);
    uint64_t half = 4 * s + 2;
    bool round_up = middle > half || (middle == half && s % 2 == 1);
    return decimal_trim(s + round_up, k);
}

/* Digits to doubles, 1. When both are exact as doubles, one operation rounds once:
 * William Clinger, "How to read floating point numbers accurately" (1990). */

static const double EXACT_POW10S[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool to_double_exact(uint64_t digits, int32_t exp10, double *out)
{
    if (digits > UINT64_C(1) << 53 || exp10 < -22 || exp10 > 22)
        return false;
    *out = exp10 < 0 ? (double)digits / EXACT_POW10S[-exp10]
                     : (double)digits * EXACT_POW10S[exp10];
    return true;
}

/* Digits to doubles, 2. Daniel Lemire, "Number parsing at a gigabyte per second" (2021),
 * for normal results only. Gives the bits, or false when 128 bits do not decide. *bits is
 * then still near: at most a few doubles off. */

static int32_t leading_zeros(uint64_t x) /* x > 0 */
{
    int32_t n = 0;
    for (int32_t step = 32; step; step /= 2)
        if (x >> (64 - step) == 0) {
            x <<= step;
            n += step;
        }
    return n;
}

static bool to_double_product(uint64_t digits, int32_t exp10, uint64_t *bits)
{
    int32_t shift = leading_zeros(digits);
    uint64_t w = digits << shift;
    U128 g = POW10S[exp10 - POW10_MIN];
    g.lo += exp10 < 0 && exp10 >= -27; /* rounded up, so that points halfway stay visible */
    U128 p = mul64(w, g.hi);
    if ((p.hi & 0x1ff) == 0x1ff) { /* the low half could carry into the bits used */
        uint64_t more = mul64(w, g.lo).hi;
        p.lo += more;
        p.hi += p.lo < more;
    }
    int32_t high = (int32_t)(p.hi >> 63);
    int32_t cut = high + 64 - FRACTION_BITS - 3;
    uint64_t m = p.hi >> cut; /* 54 bits: one more than wanted */
    int32_t exponent = floor_log2_pow10(exp10) + 63 + high - shift + 1023;
    bool is_sure = !(p.lo == UINT64_MAX && !(exp10 >= -27 && exp10 <= 55));
    /* Exactly halfway, which is possible for few exponents only: down if that is even. */
    if (p.lo <= 1 && exp10 >= -4 && exp10 <= 23 && (m & 3) == 1 && m << cut == p.hi)
        m &= ~UINT64_C(1);
    m = (m + (m & 1)) >> 1;
    if (m == HIDDEN_BIT << 1) {
        m = HIDDEN_BIT;
        exponent++;
    }
    if (exponent >= 0x7ff) {
        *bits = INF_BITS;
        return is_sure;
    }
    if (exponent <= 0) { /* subnormal: rounded at another bit, so only near */
        *bits = exponent > -FRACTION_BITS ? m >> (1 - exponent) : 0;
        return false;
    }
    *bits = ((uint64_t)exponent << FRACTION_BITS) | (m & (HIDDEN_BIT - 1));
    return is_sure;
}

/* Digits to doubles, 3. Long integers compare the digits with the points halfway between
 * neighbouring doubles. */

/* More digits than these never decide: the longest halfway point has 767. */
#define MAX_DIGITS 800
/* Both sides of a comparison have the same size, and none is more than MAX_DIGITS digits
 * (2658 bits) or 5^(MAX_DIGITS + 342 - 19) times 54 bits (2662), shifted by less than 64. */
#define BIG_LIMBS 88

typedef struct Big {
    uint32_t n;
    uint32_t limb[BIG_LIMBS]; /* least first; limb[n - 1] != 0 */
} Big;

static void big_mul_add(Big *b, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    for (uint32_t i = 0; i < b->n; i++) {
        carry += (uint64_t)b->limb[i] * factor;
        b->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) {
        assert(b->n < BIG_LIMBS);
        b->limb[b->n++] = (uint32_t)carry;
    }
}

static Big big_of(uint64_t x)
{
    Big b = {.n = 2, .limb = {(uint32_t)x, (uint32_t)(x >> 32)}};
    while (b.n > 0 && b.limb[b.n - 1] == 0)
        b.n--;
    return b;
}

static void big_mul_pow5(Big *b, uint32_t n)
{
    for (; n >= 13; n -= 13)
        big_mul_add(b, 1220703125, 0); /* 5^13 */
    for (; n > 0; n--)
        big_mul_add(b, 5, 0);
}

static void big_shift(Big *b, uint32_t bits)
{
    big_mul_add(b, UINT32_C(1) << bits % 32, 0);
    uint32_t limbs = b->n ? bits / 32 : 0;
    assert(b->n + limbs <= BIG_LIMBS);
    memmove(b->limb + limbs, b->limb, b->n * sizeof b->limb[0]);
    memset(b->limb, 0, limbs * sizeof b->limb[0]);
    b->n += limbs;
}

static int big_cmp(const Big *a, const Big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (uint32_t i = a->n; i-- > 0;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* digits * 10^exp10 against the point halfway between the double of `bits` and the next. */
static int cmp_halfway(const Big *digits, int32_t exp10, uint64_t bits)
{
    uint64_t c;
    int32_t q;
    double_split(bits, &c, &q);
    q--;
    Big a = *digits, b = big_of(2 * c + 1);
    big_mul_pow5(exp10 < 0 ? &b : &a, (uint32_t)(exp10 < 0 ? -exp10 : exp10));
    if (exp10 > q)
        big_shift(&a, (uint32_t)(exp10 - q));
    else
        big_shift(&b, (uint32_t)(q - exp10));
    return big_cmp(&a, &b);
}

static double to_double_big(const Big *digits, int32_t exp10, uint64_t near_bits)
{
    uint64_t bits = near_bits < INF_BITS ? near_bits : INF_BITS - 1;
    while (bits > 0) {
        int c = cmp_halfway(digits, exp10, bits - 1);
        if (c > 0 || (c == 0 && bits % 2 == 0))
            break;
        bits--;
    }
    while (bits < INF_BITS) {
        int c = cmp_halfway(digits, exp10, bits);
        if (c < 0 || (c == 0 && bits % 2 == 0))
            break;
        bits++;
    }
    return double_of_bits(bits);
}

double decimal_to_double(uint64_t digits, int32_t exp10)
{
    double v;
    if (to_double_exact(digits, exp10, &v))
        return v;
    if (digits == 0 || exp10 < POW10_MIN) /* below 10^20 * 10^-343: under half the least */
        return 0.0;
    if (exp10 > 308)
        return HUGE_VAL;
    uint64_t bits;
    if (to_double_product(digits, exp10, &bits))
        return double_of_bits(bits);
    Big b = big_of(digits);
    return to_double_big(&b, exp10, bits);
}

/* Reading. */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits and a point in s[0..n), the point at most once, at least one digit; exp10 is
 * what the exponent says. More than 19 significant digits. */
static double parse_long(const char *s, uint32_t n, int64_t exp10)
{
    Big b = {.n = 0};
    uint64_t first = 0;
    uint32_t n_digits = 0;
    bool has_point = false, is_cut = false;
    int64_t dropped = 0; /* of the first 19 digits' exponent, relative to all digits' */
    for (uint32_t i = 0; i < n; i++) {
        if (s[i] == '.') {
            has_point = true;
            continue;
        }
        uint32_t d = (uint32_t)(s[i] - '0');
        exp10 -= has_point;
        if (n_digits == 0 && d == 0)
            continue;
        if (n_digits < MAX_DIGITS) {
            big_mul_add(&b, 10, d);
            if (n_digits < 19)
                first = first * 10 + d;
            else
                dropped++;
            n_digits++;
        } else {
            is_cut |= d != 0;
            exp10++;
        }
    }
    if (is_cut) { /* any digit more says "above" */
        big_mul_add(&b, 10, 1);
        exp10--;
        dropped++;
    }
    int64_t first_exp10 = exp10 + dropped;
    if (n_digits == 0 || first_exp10 < POW10_MIN)
        return 0.0;
    if (first_exp10 > 308)
        return HUGE_VAL;
    uint64_t low, high;
    if (to_double_product(first, (int32_t)first_exp10, &low) &&
        to_double_product(first + 1, (int32_t)first_exp10, &high) && low == high)
        return double_of_bits(low);
    to_double_product(first, (int32_t)first_exp10, &low);
    return to_double_big(&b, (int32_t)exp10, low);
}

/* The common form: 18 digits or fewer, with or without a point, no exponent. False: not that. */
static bool parse_short(Str s, double *out)
{
    uint64_t digits = 0;
    uint32_t point = s.len; /* where it is */
    if (s.len > 19)
        return false;
    for (uint32_t i = 0; i < s.len; i++) {
        unsigned d = (unsigned)((unsigned char)s.ptr[i] - '0');
        if (d < 10)
            digits = digits * 10 + d;
        else if (s.ptr[i] == '.' && point == s.len)
            point = i;
        else
            return false;
    }
    uint32_t n_behind = point < s.len ? s.len - point - 1 : 0;
    if (s.len - (point < s.len) - 1 >= 18) /* no digit at all, or 19 of them */
        return false;
    if (!to_double_exact(digits, -(int32_t)n_behind, out))
        *out = decimal_to_double(digits, -(int32_t)n_behind);
    return true;
}

bool decimal_parse(Str s, double *out)
{
    if (parse_short(s, out))
        return true;
    const char *p = s.ptr, *end = s.len ? s.ptr + s.len : s.ptr;
    uint64_t digits = 0;
    uint32_t n_digits = 0, n_significant = 0;
    int64_t exp10 = 0; /* s.len < 2^32, and the exponent is cut below */
    const char *point = NULL;
    for (; p < end && (is_digit(*p) || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = p;
            continue;
        }
        n_digits++;
        if (n_significant > 0 || *p != '0')
            n_significant++;
        digits = digits * 10 + (uint64_t)(*p - '0'); /* wraps above 19 digits: not used */
    }
    if (n_digits == 0)
        return false;
    const char *mantissa_end = p;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        bool is_negative = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        if (p == end)
            return false;
        for (; p < end && is_digit(*p); p++)
            if (exp10 < INT64_C(1) << 40) /* beyond what the longest mantissa outweighs */
                exp10 = exp10 * 10 + (*p - '0');
        if (is_negative)
            exp10 = -exp10;
    }
    if (p < end)
        return false;
    if (n_significant > 19) {
        *out = parse_long(s.ptr, (uint32_t)(mantissa_end - s.ptr), exp10);
        return true;
    }
    if (point)
        exp10 -= mantissa_end - point - 1;
    if (exp10 < -400)
        exp10 = -400;
    else if (exp10 > 400)
        exp10 = 400;
    *out = decimal_to_double(digits, (int32_t)exp10);
    return true;
}
