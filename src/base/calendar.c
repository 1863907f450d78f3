#include "base/calendar.h"

void civil_of_far(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
    /* Whole eras first: days + EPOCH_DAYS could overflow. */
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t rest = days % DAYS_PER_ERA;
    rest += (rest < 0 ? DAYS_PER_ERA : 0) + EPOCH_DAYS;
    era += rest / DAYS_PER_ERA;
    rest %= DAYS_PER_ERA;
    int64_t year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    int64_t day = rest - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day + 2) / 153;
    *d = (unsigned)(day - (153 * month + 2) / 5 + 1);
    *m = (unsigned)(month < 10 ? month + 3 : month - 9);
    *y = year + era * 400 + (*m <= 2);
}
