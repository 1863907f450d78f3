#include "sched/thread_time.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* proc(5): "CPU RUN_DELAY TIMESLICES" in nanoseconds. The first is behind by up to a tick, so
 * that is asked of the clock. */
static void delay_read(ThreadTime *t)
{
    char text[96], *end;
    t->knows_delay = false;
    if (t->fd < 0)
        return;
    ssize_t n = pread(t->fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return;
    text[n] = '\0';
    strtoull(text, &end, 10);
    if (*end != ' ')
        return;
    t->delay_ns = strtoull(end, NULL, 10);
    t->knows_delay = true;
}

void thread_time_open(ThreadTime *t)
{
    *t = (ThreadTime){.fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)};
    thread_time_read(t);
}

void thread_time_read(ThreadTime *t)
{
    struct timespec now;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0)
        t->cpu_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    delay_read(t);
}

void thread_time_close(ThreadTime *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}
