/* kernels.h - loops over arrays: one per opcode and shape, made of the rows of opcodes.def that are such loops and written so
 * that the compiler vectorises them. No nulls, no masks here: they compute every row.
 */
#ifndef PIPE_VM_KERNELS_H
#define PIPE_VM_KERNELS_H

#include <stdint.h>

#include "code/code.h"

/* dst[i] := a[i] op b[i]. dst overlaps neither. Not 0: in some row the result does not hold. */
typedef uint64_t (*BinaryKernel)(void *dst, const void *a, const void *b, uint32_t n);
typedef uint64_t (*UnaryKernel)(void *dst, const void *a, uint32_t n);

typedef struct BinaryKernels {
    BinaryKernel vv, vc, cv; /* c: a constant, its one value at the pointer */
} BinaryKernels;

const BinaryKernels *kernel_binary(Opcode op); /* vv is NULL if the opcode is none */
UnaryKernel kernel_unary(Opcode op);           /* NULL likewise */

#endif
