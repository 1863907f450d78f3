/* decimal.h - doubles to and from decimal digits: exact, and free of the locale.
 *
 * Pure functions on plain values. value.h is what others use.
 */
#ifndef PIPE_BASE_DECIMAL_H
#define PIPE_BASE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* digits * 10^exp10; digits has at most 17 digits and does not end in 0 (but may be 0). */
typedef struct Decimal {
    uint64_t digits;
    int32_t exp10;
} Decimal;

/* The decimal with the fewest digits that reads back as v, of those the nearest to v.
 * v is finite; its sign is ignored. */
Decimal decimal_of_double(double v);
/* The same, never by the short way of shortest.h: for what that leaves undecided, and for tests of it. */
Decimal decimal_of_double_long(double v);

/* The double nearest to digits * 10^exp10, ties to even; inf above the range. */
double decimal_to_double(uint64_t digits, int32_t exp10);

/* Reads the whole of s as a number without a sign: digits with at most one point among
 * or beside them and an optional exponent. Any number of digits counts. */
bool decimal_parse(Str s, double *out);

#endif
