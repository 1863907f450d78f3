/* retry.h - how long to wait before another attempt. */
#ifndef PIPE_SCHED_RETRY_H
#define PIPE_SCHED_RETRY_H

#include <stdint.h>

#include "sched/graph.h"
#include "sched/spec.h"

/* Delay before further attempt n = 1, 2, ... of an instance. Jitter depends on seed, step,
 * key and attempt only, so a run can be repeated. */
uint64_t retry_delay_ns(const RetrySpec *r, const Instance *i, uint32_t n, uint64_t seed);

#endif
