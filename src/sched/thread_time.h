/* thread_time.h - what a thread's time went into: a processor, or waiting for one.
 *
 * A reading costs one or two microseconds. Belongs to the thread that opened it.
 */
#ifndef PIPE_SCHED_THREAD_TIME_H
#define PIPE_SCHED_THREAD_TIME_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ThreadTime {
    int fd;
    bool knows_delay;   /* only Linux tells */
    uint64_t cpu_ns;    /* on a processor, at the last reading */
    uint64_t delay_ns;  /* ready to run, but others had the processors */
} ThreadTime;

void thread_time_open(ThreadTime *t); /* reads */
void thread_time_read(ThreadTime *t);
void thread_time_close(ThreadTime *t);

#endif
