/* value_unit.c - numbers with a unit: durations and sizes, read and printed. */
#include "base/value.h"
#include "base/value_scan.h"

typedef struct Unit {
    const char *name;
    uint64_t value;
} Unit;

static const Unit DURATION_UNITS[] = {
    {"d", 86400000000}, {"h", 3600000000}, {"m", 60000000},
    {"s", 1000000},     {"ms", 1000},      {"us", 1},
};
/* The order in which printing tries them. */
static const Unit SIZE_UNITS[] = {
    {"TB", 1000000000000}, {"GiB", 1u << 30}, {"GB", 1000000000}, {"MiB", 1u << 20},
    {"MB", 1000000},       {"KiB", 1u << 10}, {"kB", 1000},       {"B", 1},
};
#define N_UNITS(units) (uint32_t)(sizeof(units) / sizeof *(units))

/* A number, perhaps with a fraction, and the letters after it: one of units[*first..n).
 * *first moves past that unit. False also when it is not a whole number of what the
 * units count, or does not fit. */
static bool scan_quantity(Scan *sc, const Unit *units, uint32_t n_units, uint32_t *first,
                          uint64_t *out, bool *has_fraction)
{
    uint64_t whole;
    if (!scan_u64(sc, &whole))
        return false;
    Str fraction = {sc->p, 0};
    *has_fraction = scan_char(sc, '.');
    if (*has_fraction) {
        fraction.ptr = sc->p;
        for (; sc->p < sc->end && is_digit(*sc->p); sc->p++)
            fraction.len++;
        if (fraction.len == 0)
            return false;
        while (fraction.len > 0 && fraction.ptr[fraction.len - 1] == '0')
            fraction.len--;
    }
    Str name = {sc->p, 0};
    while (sc->p < sc->end && !is_digit(*sc->p)) {
        sc->p++;
        name.len++;
    }
    while (*first < n_units && !str_is(name, units[*first].name))
        (*first)++;
    if (*first == n_units)
        return false;
    uint64_t unit = units[(*first)++].value;
    if (whole > UINT64_MAX / unit)
        return false;
    *out = whole * unit;
    if (fraction.len > 18)
        return false;
    uint64_t rest = 0, scale = 1; /* the fraction is rest / scale */
    for (uint32_t i = 0; i < fraction.len; i++) {
        scale *= 10;
        rest = rest * 10 + (uint64_t)(fraction.ptr[i] - '0');
    }
    /* rest / scale * unit must be whole; scale and unit are reduced first. */
    uint64_t gcd = unit, r = scale;
    while (r) {
        uint64_t t = gcd % r;
        gcd = r;
        r = t;
    }
    if (rest % (scale / gcd) != 0)
        return false;
    uint64_t more = rest / (scale / gcd) * (unit / gcd);
    if (*out > UINT64_MAX - more)
        return false;
    *out += more;
    return true;
}

bool value_parse_duration(Str s, int64_t *us)
{
    Scan sc = scan_of(s);
    bool is_negative = scan_char(&sc, '-'), has_fraction = false;
    uint64_t sum = 0, part;
    uint32_t unit = 0;
    do {
        if (has_fraction || !scan_quantity(&sc, DURATION_UNITS, N_UNITS(DURATION_UNITS),
                                           &unit, &part, &has_fraction))
            return false;
        if (sum > UINT64_MAX - part)
            return false;
        sum += part;
    } while (!scan_done(&sc));
    return signed_of(sum, is_negative, us);
}

uint32_t value_print_duration(int64_t us, char *out)
{
    char *p = out;
    uint64_t rest = magnitude_of(us);
    if (us < 0)
        *p++ = '-';
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t n = rest / DURATION_UNITS[i].value;
        rest %= DURATION_UNITS[i].value;
        if (n > 0) {
            p = put_u64(p, n, 1);
            *p++ = DURATION_UNITS[i].name[0];
        }
    }
    if (rest > 0 || us == 0) {
        p = put_u64(p, rest / (uint64_t)US_PER_S, 1);
        p = put_fraction(p, rest % (uint64_t)US_PER_S);
        *p++ = 's';
    }
    return (uint32_t)(p - out);
}

bool value_parse_size(Str s, int64_t *bytes)
{
    Scan sc = scan_of(s);
    bool is_negative = scan_char(&sc, '-'), has_fraction;
    uint64_t v;
    uint32_t unit = 0;
    return scan_quantity(&sc, SIZE_UNITS, N_UNITS(SIZE_UNITS), &unit, &v, &has_fraction) &&
           scan_done(&sc) && signed_of(v, is_negative, bytes);
}

uint32_t value_print_size(int64_t bytes, char *out)
{
    char *p = out;
    uint64_t v = magnitude_of(bytes);
    const Unit *unit = SIZE_UNITS;
    while (v == 0 ? unit->value != 1 : v % unit->value != 0)
        unit++;
    if (bytes < 0)
        *p++ = '-';
    p = put_u64(p, v / unit->value, 1);
    size_t n = strlen(unit->name);
    memcpy(p, unit->name, n);
    return (uint32_t)(p + n - out);
}
