/* big.h - memory for arrays of many megabytes.
 *
 * Each page of memory is given by the system when it is first touched, 4 KiB at a time, which for hundreds of
 * megabytes takes longer than filling them. From BIG_BYTES on these are asked for in huge pages, where the system has
 * them.
 */
#ifndef PIPE_BASE_BIG_H
#define PIPE_BASE_BIG_H

#include <stddef.h>

#define BIG_BYTES ((size_t)8 << 20)

/* n bytes, all zero, at a multiple of 16; free() takes them back. Never NULL: prints and aborts, as xmalloc. For what
 * is read and written at random: sorting everything, whose arrays are filled once, took longer with huge pages. */
void *big_zeros(size_t n);

#endif
