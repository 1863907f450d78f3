/* deps.h - what needs what: an order in which everything stands after what it needs,
 * and the cycles, of fns and constants and of the flows of a job.
 */
#ifndef PIPE_LANG_DEPS_H
#define PIPE_LANG_DEPS_H

#include <stdbool.h>

#include "base/source.h"
#include "base/vec.h"

typedef struct Dep {
    uint32_t to;
    Span span; /* where the need is written */
} Dep;
typedef Vec(Dep) DepList;

typedef struct Deps {
    uint32_t n;
    DepList *of; /* [n] */
} Deps;

Deps deps_new(Arena *a, uint32_t n);
/* The first place of each need is kept. */
void deps_add(Arena *a, Deps *d, uint32_t from, uint32_t to, Span span);

/* Called for each cycle: node[i] needs node[i + 1] at at[i], the last one the first. */
typedef void CycleFn(void *ctx, const uint32_t *node, const Span *at, uint32_t n);

/* Fills order[n]. Every cycle passes through nodes that were told. */
void deps_order(Arena *a, const Deps *d, uint32_t *order, CycleFn *on_cycle, void *ctx);

#endif
