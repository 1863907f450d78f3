/* text_format.h - `format`: a pattern with placeholders, and values written into them.
 *
 * As in Python: `{}` is the next value as it prints, `{:SPEC}` says how, `{{` and `}}` are
 * braces. SPEC is  [[fill]align][sign][#][0][width][, or _][.precision][letter]:
 *
 *   align      `<` left (but numbers), `>` right (numbers), `^` middle, `=` behind the sign;
 *              fill is any code point, a blank unless said
 *   sign       `-` only below 0, `+` always, a blank for what is not below 0
 *   #          0x, 0o, 0b before such ints
 *   0          zeros behind the sign
 *   width      code points, at least
 *   , _        between thousands; `_` between four digits of x, o, b
 *   precision  digits behind the point of f, e, %; all digits of g; code points of a string, at most
 *   letter     int: d x X o b, and those of floats; float: f F e E g G %; s: any value as it prints
 *
 * Floats are rounded by their exact value, half to even, as printf does it.
 */
#ifndef PIPE_BASE_TEXT_FORMAT_H
#define PIPE_BASE_TEXT_FORMAT_H

#include <stdbool.h>

#include "base/pattern.h"
#include "base/value.h"

#define FORMAT_MAX 1000 /* width, precision */

typedef struct FormatSpec {
    Str fill;
    char align, sign, grouping, letter; /* 0: not said */
    bool is_alternate, has_zero;
    int32_t width, precision; /* -1: not said */
} FormatSpec;

/* Text, and behind it a value or the next text. */
typedef struct FormatPart {
    Str text;
    bool has_value;
    uint32_t at; /* byte of the pattern where the placeholder begins */
    FormatSpec spec;
} FormatPart;

typedef struct TextFormat {
    uint32_t n_parts, n_values;
    FormatPart *parts; /* borrow from the pattern */
} TextFormat;

/* False when the pattern is wrong; out need then not be freed. */
bool text_format_open(Str pattern, TextFormat *out, PatternError *err);
void text_format_close(TextFormat *f);

/* Can the placeholder hold values of a type? If not, `why` gets a phrase. */
bool text_format_takes(const FormatSpec *spec, Type t, char why[160]);
/* A value that is not null, of a type that the placeholder takes. */
void text_format_put(Buf *out, const FormatSpec *spec, Value v);

#endif
