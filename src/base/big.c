#define _DEFAULT_SOURCE /* madvise */
#include "base/big.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/str.h"

#define HUGE_BYTES ((size_t)2 << 20)

void *big_alloc(size_t n)
{
    void *p = NULL;
    bool is_big = n >= BIG_BYTES;
    if (posix_memalign(&p, is_big ? HUGE_BYTES : 64, n ? n : 1) != 0)
        return xmalloc(n); /* says what is missing */
#ifdef MADV_HUGEPAGE
    if (is_big)
        madvise(p, n, MADV_HUGEPAGE); /* without it there are small pages */
#endif
    return p;
}

void *big_zeros(size_t n)
{
    if (n < BIG_BYTES)
        return xcalloc(n, 1);
    return memset(big_alloc(n), 0, n);
}
