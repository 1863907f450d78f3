/* value.h - one value of each type: how it is written and how it is read.
 *
 * Literals, --set, inference, CSV cells, casts and printing all use these, so that a
 * type is read and printed in one way (language.md sections 2, 3 and 8).
 * No allocation: a string Value borrows its bytes. Numbers are value_number.c and number_print.c, dates and timestamps
 * value_time.c, durations and sizes value_unit.c, what works on any type value.c.
 */
#ifndef PIPE_BASE_VALUE_H
#define PIPE_BASE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/type.h"

typedef struct Value {
    Type type;
    bool is_null; /* the rest is then undefined */
    union {
        int64_t i; /* INT, BOOL (0, 1), DATE (days), TIMESTAMP, DURATION (us), SIZE (bytes) */
        double f;
        Str s;
    };
} Value;

/* Parses the whole of s as a value of the type, as a CSV cell or a cast from string
 * does it; blanks around it are not skipped.
 *
 * int        `-?[0-9]+`, range-checked
 * float      `-?` digits with a point anywhere among or beside them and an exponent, the
 *            nearest double, inf when too large; or inf, infinity, nan in any case
 * bool       true or false in any case
 * date       2026-01-02; years beyond 9999 and below 0 with a sign: +12026-01-02
 * timestamp  date, `T` or a space, 03:04 or 03:04:05 or with a fraction (cut below the
 *            microsecond), then nothing or `Z` (both UTC) or +01:00, +0100, +01
 * duration   `-?`, then parts such as 2d 1h 30m 0.5s 250ms 3us without blanks, larger units
 *            first, each unit once, a fraction in the last only; whole microseconds
 * size       `-?`, a number and one of B kB MB GB TB KiB MiB GiB; whole bytes
 * string     takes all bytes
 *
 * False when s is not one; *why (may be NULL) then says what was expected in a phrase such
 * as "a whole number", or "a number from -9223372036854775808 to ..." on overflow. */
bool value_parse(Type t, Str s, Value *out, const char **why);
/* What a program can do with the text of a cell that is none of that type, behind what was expected; "": nothing. */
const char *value_hint(Type t, Str s);
/* What to declare a column as whose values are of type t but for the text s: float where these are whole numbers and s is
 * a number with a point or exponent, else string: a float would round a whole number beyond 64 bits. */
Type value_wider(Type t, Str s);

/* The fast paths, the same rules. */
bool value_parse_int(Str s, int64_t *out);
bool value_is_whole(Str s); /* digits behind a `-` or none, also beyond 64 bits */
bool value_parse_float(Str s, double *out);
bool value_parse_bool(Str s, bool *out);
bool value_parse_date(Str s, int64_t *days);
bool value_parse_timestamp(Str s, int64_t *us);
bool value_parse_duration(Str s, int64_t *us);
bool value_parse_size(Str s, int64_t *bytes);

/* Printing: the bytes written to out, which has room for VALUE_PRINT_MAX. Floats in
 * the shortest form that reads back the same, like Python's repr. */
#define VALUE_PRINT_MAX 64
uint32_t value_print_int(int64_t v, char *out);
uint32_t value_print_float(double v, char *out);
uint32_t value_print_date(int64_t days, char *out);
uint32_t value_print_timestamp(int64_t us, char *out);
/* The parts d h m s that are not 0, the fraction in s: 1h30m, 0.25s, 2d, -1d0.5s; 0s. */
uint32_t value_print_duration(int64_t us, char *out);
/* In the largest unit that gives a whole number: 40B, 64kB, 1536B, 64KiB; 0B. */
uint32_t value_print_size(int64_t bytes, char *out);
/* values[from..from + n) of a type's elements (type.h), each as printed above, the i-th at text +
 * i * VALUE_PRINT_MAX and lens[i] bytes long. False: the type is none of those. */
bool value_print_many(Type t, const void *values, uint32_t from, uint32_t n, char *text, uint8_t *lens);
void value_print(Buf *b, Value v); /* null prints as nothing; strings as they are */
/* As an expression of the language: strings quoted and escaped (a byte that is not UTF-8 as
 * \u{fffd}), null as `null`, dates as `date("2026-01-02")`, infinity as `float("inf")`. */
void value_print_literal(Buf *b, Value v);

/* The order of two values of one type that are not null: < 0, 0, > 0. nan equals nan and is the greatest. */
int value_cmp(const Value *a, const Value *b);

/* `round` of the language: to so many digits after the point (before it, if negative),
 * half away from zero. A float is judged by its decimal form as printed, so that
 * 2.675 to 2 digits is 2.68. False when an int result is out of range. */
double value_round_float(double v, int64_t n_digits);
bool value_round_int(int64_t v, int64_t n_digits, int64_t *out);

#endif
