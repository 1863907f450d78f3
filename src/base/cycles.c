#include "base/cycles.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

bool cycles_are_steady(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
#else
    return false;
#endif
}
