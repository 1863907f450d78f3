/* policy.h - what becomes of an instance that fails: declared in a program, kept by the plan,
 * carried out by the scheduler. Plain values. */
#ifndef PIPE_BASE_POLICY_H
#define PIPE_BASE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of the words of @retry in lang/annot.def. */
typedef enum Backoff { BACKOFF_FIXED, BACKOFF_LINEAR, BACKOFF_EXPONENTIAL } Backoff;

/* Delay before further attempt n = 1, 2, ...: d, n*d, or (2^n - 1)*d, capped by
 * max_delay_ns; with jitter uniform between 0 and that. */
typedef struct RetrySpec {
    uint32_t n_more;        /* attempts after the first; 0: none */
    Backoff backoff;
    bool jitter;
    uint64_t delay_ns;
    uint64_t max_delay_ns;  /* 0: not capped */
} RetrySpec;

/* What becomes of a row with an error. In the order of the words of @bad_rows in lang/annot.def. */
typedef enum BadRows {
    BAD_ROWS_FAIL, /* the instance fails */
    BAD_ROWS_SKIP, /* the row is dropped */
    BAD_ROWS_NULL, /* the value is null; a row without a value to blame is dropped */
} BadRows;
static inline const char *bad_rows_name(BadRows b)
{
    return b == BAD_ROWS_FAIL ? "fail" : b == BAD_ROWS_SKIP ? "skip" : "null";
}

/* In the order of the words of @on_failure in lang/annot.def. */
typedef enum OnFailure {
    ON_FAILURE_FAIL, /* nothing new starts */
    ON_FAILURE_SKIP, /* what depends on the instance is skipped, the rest goes on */
} OnFailure;

#endif
