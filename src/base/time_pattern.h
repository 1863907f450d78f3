/* time_pattern.h - dates and timestamps written and read by a pattern of strftime.
 *
 * UTC, the proleptic Gregorian calendar, English names: no locale and no time zone of the
 * machine has a say.
 *
 *   %Y %C %y      year (at least 4 digits, `-` before the year 0), its century, its last 2 digits
 *   %m %b %B      month, 01 to 12; Jan; January (%h is %b)
 *   %d %e %j      day of the month, 01 or with a blank; of the year, 001
 *   %H %I %M %S   hour, of 24 and of 12, minute, second
 *   %p %f         AM or PM; microseconds, 6 digits
 *   %a %A %u %w   weekday: Mon; Monday; 1 to 7 from Monday; 0 to 6 from Sunday
 *   %G %V %U %W   year and week of ISO 8601; week of the year that begins on Sunday, on Monday
 *   %z %Z %s      +0000; UTC; seconds since 1970
 *   %F %T %R %D   2026-01-02 as dates print; %H:%M:%S; %H:%M; %m/%d/%y
 *   %n %t %%      line end; tab; %
 *
 * `-` behind the `%` leaves out leading zeros and blanks: `%-d`.
 *
 * Reading takes all of these but %C %G %V %U %W. Numbers may have fewer digits, but %Y has 4,
 * or a sign and 4 to 9; %f has 1 to 9, cut below the microsecond. %y is 1969 to 2068. Names are
 * full or short, in any case; weekdays are read and not compared. %z takes Z, +01:00, +0100 and
 * +01, and what is read is moved to UTC. White space in the pattern stands for any, also none.
 * What the pattern does not read is the first it can be: January, the 1st, midnight.
 */
#ifndef PIPE_BASE_TIME_PATTERN_H
#define PIPE_BASE_TIME_PATTERN_H

#include <stdbool.h>

#include "base/pattern.h"
#include "base/str.h"

#define TIME_CONVERSIONS "%Y %C %y %m %b %B %d %e %j %H %I %M %S %p %f %a %A %u %w %G %V %U %W %z %Z %s %F %T %R %D %%"
#define TIME_CONVERSIONS_READ "%Y %y %m %b %B %d %e %j %H %I %M %S %p %f %a %A %u %w %z %Z %s %F %T %R %D %%"

/* May it write (or read: it must then read a year)? */
bool time_pattern_check(Str pattern, bool reads, PatternError *err);

/* Bytes that writing by a pattern of n bytes takes at most. */
#define TIME_PRINT_MAX(n) ((size_t)(n) * 16 + 16)
/* The time us_in_day into a day, by a pattern that was checked; the bytes written. */
uint32_t time_print(int64_t days, int64_t us_in_day, Str pattern, char *out);

/* By a pattern that was checked. False, and err says what did not fit; err->at is the byte of the
 * value there. */
bool time_parse(Str s, Str pattern, int64_t *us, PatternError *err);

/* Patterns that dates and times are often written by, those of ISO left out; NULL behind the last. Where both orders of day
 * and month fit a text, the likelier comes first. */
extern const char *const TIME_FORMS[];
/* The first that reads s; NULL: none. */
const char *time_form(Str s);

#endif
