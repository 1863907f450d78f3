/* unit.h - the few macros that a unit test needs. A test is a main() that CHECKs and
 * ends with UNIT_END("noun"). */
#ifndef PIPE_TESTS_UNIT_H
#define PIPE_TESTS_UNIT_H

#include <stdio.h>
#include <string.h>

static int unit_passed, unit_failed;

#define CHECK(cond)                                                                      \
    do {                                                                                 \
        if (cond) {                                                                      \
            unit_passed++;                                                               \
        } else {                                                                         \
            unit_failed++;                                                               \
            printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #cond);                    \
        }                                                                                \
    } while (0)

/* Says what is wrong where there is nothing to compare. */
#define FAIL(what)                                                                       \
    do {                                                                                 \
        unit_failed++;                                                                   \
        printf("%s:%d: %s\n", __FILE__, __LINE__, what);                                 \
    } while (0)

#define CHECK_STR(got, want)                                                             \
    do {                                                                                 \
        const char *got_ = (got), *want_ = (want);                                       \
        if (strcmp(got_, want_) == 0) {                                                  \
            unit_passed++;                                                               \
        } else {                                                                         \
            unit_failed++;                                                               \
            printf("%s:%d: got `%s`, want `%s`\n", __FILE__, __LINE__, got_, want_);     \
        }                                                                                \
    } while (0)

#define UNIT_END(noun)                                                                   \
    return printf("%s: %d passed, %d failed\n", (noun), unit_passed, unit_failed),       \
           unit_failed != 0

#endif
