/* calendar.h - the civil calendar (proleptic Gregorian) and days since 1970-01-01. Pure.
 *
 * It repeats every 400 years of 146097 days; years are counted from 1 March, so that the leap day is the last:
 * Howard Hinnant, "chrono-compatible low-level date algorithms".
 */
#ifndef PIPE_BASE_CALENDAR_H
#define PIPE_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define DAYS_PER_ERA 146097
#define EPOCH_DAYS 719468 /* 0000-03-01 to 1970-01-01 */

/* The quotient rounded down, for b > 0: so a time before 1970 is in a day that began before it. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* m 1..12, d 1..31; |y| < 10^15. */
static inline int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = floor_div(y, 400);
    int64_t year = y - era * 400;
    int64_t month = (m + 9) % 12; /* from March */
    int64_t day = (153 * month + 2) / 5 + d - 1;
    return era * DAYS_PER_ERA + year * 365 + year / 4 - year / 100 + day - EPOCH_DAYS;
}

/* A million years around 1970 in 32 bits, where divisions are multiplications: Neri and Schneider,
 * "Euclidean affine functions and their application to calendar algorithms". */
#define NEAR_YEARS 400000
#define NEAR_DAYS (EPOCH_DAYS + NEAR_YEARS / 400 * (int64_t)DAYS_PER_ERA) /* before 1970: from there days are counted */

static inline void civil_of_near(uint32_t n, int64_t *y, unsigned *m, unsigned *d)
{
    uint32_t in_century = (4 * n + 3) % DAYS_PER_ERA / 4;
    uint64_t years = UINT64_C(2939745) * (4 * in_century + 3); /* 2^32 is a year */
    uint32_t in_year = (uint32_t)years / 2939745 / 4;
    uint32_t months = 2141 * in_year + 197913; /* 2^16 is a month, the third is March */
    bool is_next = in_year >= 306;
    *y = (int64_t)((4 * n + 3) / DAYS_PER_ERA * 100 + (uint32_t)(years >> 32) + is_next) - NEAR_YEARS;
    *m = (months >> 16) - (is_next ? 12 : 0);
    *d = (months & 0xffff) / 2141 + 1;
}

/* The same of any day there is. */
void civil_of_far(int64_t days, int64_t *y, unsigned *m, unsigned *d);

static inline void civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
    if (days >= -NEAR_DAYS && days < 2 * NEAR_DAYS)
        civil_of_near((uint32_t)(days + NEAR_DAYS), y, m, d);
    else
        civil_of_far(days, y, m, d);
}

#endif
