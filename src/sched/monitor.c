#include "sched/monitor.h"

enum {
    LOOKS_FOR_LOCK = 200,  /* before sleeping for it */
    LOOKS_FOR_WORK = 400,  /* by the watcher, before it sleeps as well */
    PAUSES_AT_MOST = 16,   /* between two looks, some 20 ns each */
    PATIENT_PAUSES = 64,   /* at once, by who was away for less than this: */
    SHORT_NS = 250,
};

void monitor_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

void monitor_init(Monitor *m, uint32_t n_users)
{
    *m = (Monitor){.is_shared = n_users > 1};
    jitter_init();
    atomic_init(&m->is_interrupted, false);
    atomic_init(&m->is_held, false);
    atomic_init(&m->n_calls, 0);
    pthread_mutex_init(&m->mu, NULL);
    monitor_cond_init(&m->wake);
}

void monitor_deinit(Monitor *m)
{
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->mu);
}

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb"); /* `yield` takes no time on most processors */
#endif
}

void monitor_enter_slow(Monitor *m, uint64_t away_ns)
{
    /* Longer and longer pauses leave the holder its cache lines. */
    int n_pauses = away_ns < SHORT_NS ? PATIENT_PAUSES : 1;
    for (int n = 0; n < LOOKS_FOR_LOCK; n++) {
        for (int k = 0; k < n_pauses; k++)
            pause_cpu();
        if (n_pauses < PAUSES_AT_MOST)
            n_pauses *= 2;
        if (!atomic_load_explicit(&m->is_held, memory_order_relaxed) &&
            pthread_mutex_trylock(&m->mu) == 0) {
            atomic_store_explicit(&m->is_held, true, memory_order_relaxed);
            return;
        }
    }
    pthread_mutex_lock(&m->mu);
    atomic_store_explicit(&m->is_held, true, memory_order_relaxed);
}

/* Looks for a call without the lock. True if there was one. */
static bool watch_locked(Monitor *m)
{
    unsigned before = atomic_load_explicit(&m->n_calls, memory_order_relaxed);
    m->has_watcher = true;
    monitor_leave(m);
    for (int n = 0; n < LOOKS_FOR_WORK; n++) {
        pause_cpu();
        if (atomic_load_explicit(&m->n_calls, memory_order_relaxed) != before)
            break;
    }
    monitor_enter(m, SHORT_NS);
    m->has_watcher = false;
    /* Again: the call may have come in between, and it went to nobody else. */
    return atomic_load_explicit(&m->n_calls, memory_order_relaxed) != before;
}

static void sleep_locked(Monitor *m, const struct timespec *until)
{
    atomic_store_explicit(&m->is_held, false, memory_order_relaxed);
    if (until)
        pthread_cond_timedwait(&m->wake, &m->mu, until);
    else
        pthread_cond_wait(&m->wake, &m->mu);
    atomic_store_explicit(&m->is_held, true, memory_order_relaxed);
}

bool monitor_wait_locked(Monitor *m, const struct timespec *until)
{
    bool sleeps = true;
    if (!m->is_shared) {
        pthread_mutex_lock(&m->mu);
        if (!monitor_is_interrupted(m))
            sleep_locked(m, until);
        pthread_mutex_unlock(&m->mu);
        return sleeps;
    }
    m->n_idle++;
    if (!m->has_watcher && watch_locked(m))
        sleeps = false;
    else
        sleep_locked(m, until);
    m->n_idle--;
    m->is_calling = false;
    return sleeps;
}

void monitor_wait_for_locked(Monitor *m, pthread_cond_t *c)
{
    atomic_store_explicit(&m->is_held, false, memory_order_relaxed);
    pthread_cond_wait(c, &m->mu);
    atomic_store_explicit(&m->is_held, true, memory_order_relaxed);
}

void monitor_call_locked(Monitor *m)
{
    m->is_calling = true;
    if (m->has_watcher)
        atomic_fetch_add_explicit(&m->n_calls, 1, memory_order_relaxed);
    else
        pthread_cond_signal(&m->wake);
}

void monitor_call_all_locked(Monitor *m)
{
    atomic_fetch_add_explicit(&m->n_calls, 1, memory_order_relaxed);
    pthread_cond_broadcast(&m->wake);
}

void monitor_interrupt(Monitor *m)
{
    pthread_mutex_lock(&m->mu);
    atomic_store_explicit(&m->is_interrupted, true, memory_order_relaxed);
    monitor_call_all_locked(m);
    pthread_mutex_unlock(&m->mu);
}
