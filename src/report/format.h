/* format.h - how reports write times, counts, sizes, and text that must fit. Pure. */
#ifndef PIPE_REPORT_FORMAT_H
#define PIPE_REPORT_FORMAT_H

#include "base/observer.h"
#include "base/str.h"

/* A time for people in three digits: "1.00 s", "12.3 ms", "250 us", "2m03s", "1h05m". */
void time_put(Buf *out, uint64_t ns);
void count_put(Buf *out, uint64_t n);   /* 12,345 */
/* "14 bad rows -> bad.csv", "3 bad values as null"; nothing where there is none. */
void bad_rows_put(Buf *out, uint64_t n_rows, uint64_t n_values, Str rejects);
void bytes_put(Buf *out, uint64_t n);   /* "3.1 MB" */
/* s in exactly `width` terminal columns: padded with blanks, or cut with an ellipsis. Control
 * bytes are made visible. */
void column_put(Buf *out, Str s, uint32_t width, bool is_ascii);
/* The same at the right edge. */
void column_put_right(Buf *out, Str s, uint32_t width);
/* The first part of s that fits into `width` columns. */
Str column_fit(Str s, uint32_t width);

/* The next line of a text that is too wide: the pieces from *at that fit into `width` columns, at
 * least one. A piece ends with `between`. *at moves on to the next line; blanks at the end of a line
 * are left out. */
Str wrap_next(Str text, uint32_t *at, const char *between, uint32_t width);

/* "2 of transform_2, 2 of load since transform_1 failed". n: how many of each step were skipped;
 * cause: the step whose failure was the (first) reason. Nothing where none was. */
void skips_put(Buf *out, const RunInfo *info, const uint64_t *n, const uint32_t *cause);

/* ", 601 overdrafts", and what to do if the bound is broken; nothing where neither is so. */
void bound_put_passed(Buf *out, uint64_t bound, const ScopeCount *c);

/* Eight colours, taken in step order; the same in text, SVG and page. */
#define N_STEP_COLORS 8
typedef struct StepColor {
    const char *light, *dark; /* #rrggbb, on white and on black */
    uint8_t ansi;             /* of a terminal's 256 */
} StepColor;
const StepColor *step_color(uint32_t step);

#endif
