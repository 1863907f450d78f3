/* pattern.h - what is wrong with a pattern: a regular expression, a time pattern, a format. */
#ifndef PIPE_BASE_PATTERN_H
#define PIPE_BASE_PATTERN_H

#include <stdint.h>

#define PATTERN_WHOLE UINT32_MAX

typedef struct PatternError {
    uint32_t at;    /* byte of the pattern, its length: at its end, PATTERN_WHOLE: no single place */
    char text[200]; /* "missing closing parenthesis" */
} PatternError;

#endif
