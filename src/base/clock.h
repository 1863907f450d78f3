/* clock.h - the time. Any thread may ask. */
#ifndef PIPE_BASE_CLOCK_H
#define PIPE_BASE_CLOCK_H

#include <stdint.h>

/* For measuring: nanoseconds since some fixed moment, never going back. */
int64_t clock_now_ns(void);
/* The time of day: microseconds since 1970-01-01T00:00Z. */
int64_t clock_wall_us(void);

#endif
