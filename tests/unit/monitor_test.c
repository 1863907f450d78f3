/* The lock of the workers and their waiting: nobody is inside with another, no call is lost,
 * an interrupt reaches all. A call that is lost shows as a test that does not end. */
#include "unit.h"

#include <sched.h>
#include <stdint.h>

#include "sched/monitor.h"

enum { N_TAKERS = 3, N_TOKENS = 30000 };

typedef struct Shop {
    Monitor monitor;
    /* guarded by it: */
    uint32_t n_tokens, n_taken, n_inside, n_met;
    uint32_t n_on_their_way, n_called_twice;
} Shop;

static void shop_enter(Shop *s, uint64_t away_ns)
{
    monitor_enter(&s->monitor, away_ns);
    s->n_met += s->n_inside++;
}

static void shop_leave(Shop *s)
{
    s->n_inside--;
    monitor_leave(&s->monitor);
}

static void call_if_any(Shop *s)
{
    if (s->n_tokens == 0 || !monitor_may_call_locked(&s->monitor))
        return;
    s->n_called_twice += s->n_on_their_way++;
    monitor_call_locked(&s->monitor);
}

static void shop_wait(Shop *s)
{
    s->n_inside--;
    monitor_wait_locked(&s->monitor, NULL);
    s->n_on_their_way = 0;
    s->n_met += s->n_inside++;
}

static void *taker_main(void *arg)
{
    Shop *s = arg;
    uint32_t n_mine = 0;
    shop_enter(s, 0);
    while (s->n_taken < N_TOKENS) {
        if (s->n_tokens == 0) {
            shop_wait(s);
            continue;
        }
        s->n_tokens--;
        if (++s->n_taken == N_TOKENS)
            monitor_call_all_locked(&s->monitor);
        call_if_any(s);
        shop_leave(s);
        shop_enter(s, n_mine++ % 2 ? 0 : UINT64_MAX);
    }
    shop_leave(s);
    return NULL;
}

/* So that the takers have to wait again. */
static void shop_let_sell_out(Shop *s)
{
    uint32_t n;
    do {
        sched_yield();
        shop_enter(s, 0);
        n = s->n_tokens;
        shop_leave(s);
    } while (n > 0);
}

/* One brings tokens, one at a time or many, and calls; who comes calls the next. */
static void test_no_call_is_lost(void)
{
    static Shop s;
    pthread_t takers[N_TAKERS];
    monitor_init(&s.monitor, N_TAKERS + 1);
    for (int k = 0; k < N_TAKERS; k++)
        CHECK(pthread_create(&takers[k], NULL, taker_main, &s) == 0);
    for (uint32_t n = 0; n < N_TOKENS;) {
        uint32_t more = n % 7 ? 1 : 40;
        if (more > N_TOKENS - n)
            more = N_TOKENS - n;
        shop_enter(&s, 0);
        s.n_tokens += more;
        n += more;
        call_if_any(&s);
        shop_leave(&s);
        if (n % 100 < 40)
            shop_let_sell_out(&s);
    }
    for (int k = 0; k < N_TAKERS; k++)
        pthread_join(takers[k], NULL);
    CHECK(s.n_taken == N_TOKENS && s.n_tokens == 0);
    CHECK(s.n_met == 0);
    CHECK(s.n_called_twice == 0);
    monitor_deinit(&s.monitor);
}

static void *waiter_main(void *arg)
{
    Monitor *m = arg;
    monitor_enter(m, 0);
    while (!monitor_is_interrupted(m))
        monitor_wait_locked(m, NULL);
    monitor_leave(m);
    return NULL;
}

/* Whether it comes before, during or after they begin to wait; for one user too, who takes
 * no lock. */
static void test_interrupt_reaches_all(uint32_t n_users)
{
    for (int round = 0; round < 200; round++) {
        Monitor m;
        pthread_t threads[N_TAKERS];
        monitor_init(&m, n_users);
        for (uint32_t k = 0; k < n_users; k++)
            CHECK(pthread_create(&threads[k], NULL, waiter_main, &m) == 0);
        if (round % 2)
            sched_yield();
        monitor_interrupt(&m);
        for (uint32_t k = 0; k < n_users; k++)
            pthread_join(threads[k], NULL);
        monitor_deinit(&m);
    }
    CHECK(true);
}

/* A single user that was interrupted before it waits does not wait. */
static void test_interrupt_before_wait(void)
{
    Monitor m;
    monitor_init(&m, 1);
    monitor_interrupt(&m);
    monitor_wait_locked(&m, NULL);
    CHECK(monitor_is_interrupted(&m));
    monitor_deinit(&m);
}

static void test_until(void)
{
    Monitor m;
    struct timespec past;
    clock_gettime(CLOCK_MONOTONIC, &past);
    for (uint32_t n_users = 1; n_users <= 2; n_users++) {
        monitor_init(&m, n_users);
        monitor_enter(&m, 0);
        CHECK(monitor_wait_locked(&m, &past)); /* comes back, having slept */
        monitor_leave(&m);
        monitor_deinit(&m);
    }
}

int main(void)
{
    test_no_call_is_lost();
    test_interrupt_reaches_all(1);
    test_interrupt_reaches_all(N_TAKERS);
    test_interrupt_before_wait();
    test_until();
    UNIT_END("monitor_test");
}
