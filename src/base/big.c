#define _DEFAULT_SOURCE /* madvise */
#include "base/big.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/str.h"

#define HUGE_BYTES ((size_t)2 << 20)

/* Asks for huge pages of [p, p + n), as far as they are whole in it. Without them there are small ones. */
static void want_huge(void *p, size_t n)
{
#ifdef MADV_HUGEPAGE
    size_t skip = (HUGE_BYTES - (uintptr_t)p % HUGE_BYTES) % HUGE_BYTES;
    if (n > skip)
        madvise((char *)p + skip, n - skip, MADV_HUGEPAGE);
#else
    (void)p;
    (void)n;
#endif
}

/* What calloc gets of the system is zero and was not touched yet. */
void *big_zeros(size_t n)
{
    void *p = xcalloc(n, 1);
    if (n >= BIG_BYTES)
        want_huge(p, n);
    return p;
}
