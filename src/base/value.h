/* value.h - one value of each type: how it is written and how it is read.
 *
 * Literals, --set, inference, CSV cells, casts and printing all use these, so that a
 * type is read and printed in one way (language.md sections 2, 3 and 8).
 * No allocation: a string Value borrows its bytes.
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
 * does it: int `-?[0-9]+` (range-checked), float (decimal point, exponent, inf, nan),
 * bool (true/false in any case), date, timestamp (`T` or space, optional fraction, `Z`
 * or offset), duration (`1h30m`, `0.5s`), size (`64kB`). A string takes all bytes.
 * False when s is not one; *why (may be NULL) then says what was expected in a phrase such as
 * "a whole number", or "a number from -9223372036854775808 to ..." on overflow. */
bool value_parse(Type t, Str s, Value *out, const char **why);

/* The fast paths, the same rules. */
bool value_parse_int(Str s, int64_t *out);
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
uint32_t value_print_duration(int64_t us, char *out); /* 1h30m, 0.5s, 2d, 0s, -1s */
uint32_t value_print_size(int64_t bytes, char *out);  /* 40B, 64kB, 1GiB: exact */
void value_print(Buf *b, Value v); /* null prints as nothing; strings as they are */
/* As a literal of the language: strings quoted and escaped, null as `null`. */
void value_print_literal(Buf *b, Value v);

/* Civil calendar (proleptic Gregorian); days since 1970-01-01. */
int64_t days_from_civil(int64_t y, unsigned m, unsigned d);
void civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d);

#endif
