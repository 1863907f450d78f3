/* cycles.h - the processor's count of its time: on x86-64 the time stamp counter, which counts at one
 * rate whatever the frequency of the moment and costs a few nanoseconds to read. Elsewhere there is none: what arm64 lets
 * a program read is the counter that its clock is made of, some 40 ns apart on many. Any thread may ask. */
#ifndef PIPE_BASE_CYCLES_H
#define PIPE_BASE_CYCLES_H

#include <stdbool.h>
#include <stdint.h>

/* The count goes at a rate that never changes. Asks the processor, which takes long where it is virtual. */
bool cycles_are_steady(void);

static inline uint64_t cycles_now(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

#endif
