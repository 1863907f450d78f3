/* jitter.h - pauses at the borders of the pool's lock, so that threads meet in orders that
 * are rare otherwise. Only in builds for tests (-DPIPEMILL_JITTER: MODE=tsan and stress), and
 * there only while PIPEMILL_JITTER=SEED is in the environment when a pool is made.
 *
 * Threads: jitter_init before there are any; jitter from any.
 */
#ifndef PIPE_SCHED_JITTER_H
#define PIPE_SCHED_JITTER_H

#ifdef PIPEMILL_JITTER
void jitter_init(void); /* reads the environment */
void jitter(void);      /* goes on at once, gives way, or sleeps for microseconds */
#else
static inline void jitter_init(void) {}
static inline void jitter(void) {}
#endif

#endif
