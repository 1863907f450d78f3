/* parking.pml - how workers wait and are called: wait_locked, pool_wake_more_locked and
 * retry_locked of pool_worker.c with watch_locked, monitor_wait_locked, monitor_call_locked,
 * monitor_call_all_locked and monitor_interrupt of monitor.c; and how a task lends pieces to them: pool_loan.c.
 *
 * The graph is three numbers: instances and folds that are ready, that run, and that are still
 * to come; and timers by when they are due. One task at a time lends: pieces that there are, and what the pool knows of them.
 * Whether an instance comes before a piece is left open.
 *
 * With BATCHES there is a generator beside these, which lends from task to task the blocks that its next batches are made of, and
 * is awaited while a worker is at the next one (graph_await). It may be tried again once, and fail at any time; whoever tells the
 * graph of its end has a release to do, which takes the loan back. With it, what is ready may be a fold: those are taken before
 * anybody looks which generators are awaited. `mu` is the lock; what stands between enter and leave is in
 * the order of the code. One spurious wake-up and one interrupt may come at any time; the
 * clock goes on whenever it likes.
 *
 * Verified: everybody ends (else an invalid end state); and whenever nobody is on the way,
 * that is, all sleep or are in a task, then (`still` below)
 *   - nobody sleeps while an instance is ready: no wake-up is lost;
 *   - if somebody sleeps and a timer is set, one of them sleeps no longer than until the
 *     earliest: the keeper;
 *   - nobody sleeps while pieces are offered;
 * where there is a piece it is offered, or about to be;
 * nobody is at a block of a loan that was taken back;
 * a generator starts only when it is not awaited, and it is awaited only while there are helpers;
 * and at most one call is under way, unless somebody came who was not called.
 *
 * Mutants, each of which must fail (models.sh):
 *   NO_SECOND_LOOK   the watcher does not look at n_calls again with the lock in hand
 *   CALL_UNLOCKED    whether there is a watcher is looked up after the lock was given away
 *   SIGNAL_WATCHER   a watcher is signalled, though it does not sleep
 *   NO_CHAIN         a worker that takes an instance does not call for the next
 *   FORGETS_EARLIER  the keeper is not told of a timer that is due before its own
 *   FORGETS_KEEPER   a keeper that goes to work does not call for another one
 *   STAYS_CALLING    who was called does not say that it has come
 *   OFFERS_SILENTLY  nobody is called for a piece that is offered
 *   NO_HELP_CHAIN    a worker that takes a piece does not call for the next
 *   FORGETS_OFFER    who has found no piece does not ask whether one was offered meanwhile
 *   SLEEPS_UNLOCKED  the lock is given away before the sleep begins, not with it
 *   NOT_LET_GO       who comes back from a block does not let the generator go, but leaves that to the next look
 *   HELPS_FIRST      who has a release to do is a helper before it is done
 *   FLUSHES_SILENTLY who goes to do a release calls nobody: while it lasts nobody waits for the next timer
 *   AWAITED_IS_IDLE  a generator that is awaited does not count as running: nothing seems to go on, and it is started all the same
 *   TAKES_AT_ONCE    who takes a loan back does not wait for those who are at a block
 */
#ifndef WORKERS
#define WORKERS 3
#endif
#ifndef MORE
#define MORE 1 /* instances that still come */
#endif
#ifndef RETRIES
#define RETRIES 2
#endif
#ifndef LENDS
#define LENDS 0 /* pieces that are lent */
#endif
#ifndef BATCHES
#define BATCHES 0 /* of the generator that lends from task to task */
#endif
#ifndef IS_CALM
#define IS_CALM false /* no interrupt and no spurious wake-up */
#endif
#define ROOM 2 /* blocks that are begun and not taken */
#define MOMENTS 3
#define NEVER 9

#define ACTIVE 0 /* holds the lock, or is about to take it */
#define TASK 1
#define WATCHES 2
#define DOZES 3  /* SLEEPS_UNLOCKED only */
#define SLEEPS 4
#define WOKEN 5
#define GONE 6

bool mu;
byte at[WORKERS];
byte until[WORKERS] = NEVER;
bool was_called[WORKERS];
bool any_uncalled; /* somebody came whom nobody called */

/* the graph */
#ifndef READY
#define READY 2
#endif
byte n_ready = READY, n_run, n_more = MORE, n_retries = RETRIES;
byte timers[MOMENTS], now;
bool is_stopping;

/* pool_loan.c: the pieces that there are; the rest is guarded by mu */
byte n_lends = LENDS, n_pieces, n_offers, n_helpers, lender = NEVER;
bool is_offered, is_on_way;

/* The generator. Block k is blocks[k % ROOM], which is not guarded by mu; the rest is. */
#define UNMADE 0
#define BEGUN 1
#define MADE 2
byte blocks[ROOM], n_begun, n_taken;
bool gen_is_ready = BATCHES > 0, gen_is_awaited, gen_may_retry = true;
bool gen_runs, is_lent, is_taken_back, has_more, is_more_on_way; /* has_more: Loan.is_offered */
byte n_mores, n_at_blocks;                             /* n_offers, n_helpers */

/* monitor.h and pool_int.h, guarded by mu */
byte n_idle, n_calls; /* modulo 16: fewer calls than that fit into one watch */
bool is_calling, has_watcher, has_keeper;
byte keeper, keeper_until;

#define EARLIEST (timers[1] > 0 -> 1 : (timers[2] > 0 -> 2 : NEVER))
#define IS_STUCK (n_run == 0 && n_ready == 0 && EARLIEST == NEVER && gen_is_ready)
#define GEN_MAY_START (!is_stopping && gen_is_ready && (!gen_is_awaited || IS_STUCK))
#define HAS_WORK ((!is_stopping && n_ready > 0) || GEN_MAY_START)
#define HAS_TIMER (!is_stopping && EARLIEST != NEVER)
#define HAS_OPEN_LOAN (is_lent && has_more && (gen_runs || !is_stopping)) /* loan_is_open_locked */
#define MAY_HELP (HAS_OPEN_LOAN && !GEN_MAY_START)
#define HAS_PIECE (is_offered || HAS_OPEN_LOAN)
#define IS_OVER (n_run == 0 && (is_stopping || (n_ready == 0 && EARLIEST == NEVER && !gen_is_ready)))
#define IS_AT_NEXT (n_at_blocks > 0 && n_taken < n_begun && blocks[n_taken % ROOM] == BEGUN)
#define HAS_BLOCK (n_begun < BATCHES && n_begun - n_taken < ROOM)

#define IS_STILL(w) (at[w] == TASK || at[w] == SLEEPS || at[w] == GONE)
#define ANY_SLEEPS (at[0] == SLEEPS || at[1] == SLEEPS || at[WORKERS - 1] == SLEEPS)
#define STILL (!mu && IS_STILL(0) && IS_STILL(1) && IS_STILL(WORKERS - 1))

inline enter() { atomic { !mu -> mu = true } }
inline leave() { mu = false }

inline signal()
{
    if
    :: at[0] == SLEEPS -> at[0] = WOKEN; was_called[0] = true
    :: at[1] == SLEEPS -> at[1] = WOKEN; was_called[1] = true
#if WORKERS > 2
    :: at[2] == SLEEPS -> at[2] = WOKEN; was_called[2] = true
#endif
    :: else
    fi
}

inline call_one()
{
    assert(any_uncalled ||
           !(was_called[0] || was_called[1] || was_called[WORKERS - 1]));
    is_calling = true;
    if
#ifndef SIGNAL_WATCHER
    :: has_watcher ->
        n_calls = (n_calls + 1) % 16;
        if
        :: at[0] == WATCHES -> was_called[0] = true
        :: at[1] == WATCHES -> was_called[1] = true
#if WORKERS > 2
        :: at[2] == WATCHES -> was_called[2] = true
#endif
        :: else
        fi
    :: !has_watcher -> signal()
#else
    :: true -> signal()
#endif
    fi
}

inline wake(w)
{
    if
    :: at[w] == SLEEPS -> at[w] = WOKEN
    :: else
    fi
}

inline call_all()
{
    n_calls = (n_calls + 1) % 16;
    wake(0);
    wake(1);
#if WORKERS > 2
    wake(2)
#endif
}

/* pool_wake_more_locked */
inline wake_more()
{
    if
#ifdef FORGETS_KEEPER
    :: n_idle > 0 && !is_calling && (HAS_WORK || HAS_PIECE) -> call_one()
#elif !defined(NO_CHAIN)
    :: n_idle > 0 && !is_calling && (HAS_WORK || HAS_PIECE || (!has_keeper && HAS_TIMER)) -> call_one()
#endif
    :: else
    fi
}

/* task_lend, loan_more: the piece is there before the pool knows of it. */
inline lend(w)
{
    atomic { n_lends > 0 && (lender == NEVER || lender == w) ->
        lender = w;
        n_lends--;
        n_pieces++;
        is_on_way = true
    }
    atomic { !mu ->
        is_on_way = false;
        n_offers++;
        is_offered = true;
#ifndef OFFERS_SILENTLY
        wake_more()
#endif
    }
}

/* loan_take_back: what is left the lender has done itself. */
inline take_back(w)
{
    if
    :: lender == w ->
        atomic { !mu -> is_offered = false; n_pieces = 0 }
        atomic { n_helpers == 0 -> lender = NEVER }
    :: else
    fi
}

/* loan_await_locked and graph_await */
inline look_if_awaited()
{
    if
    :: gen_is_awaited != IS_AT_NEXT ->
        gen_is_awaited = !gen_is_awaited;
#ifndef AWAITED_IS_IDLE
        n_run = n_run + (gen_is_awaited -> 1 : -1)
#endif
    :: else
    fi
}

/* task_lend_on and loan_more */
inline offer_blocks()
{
    atomic { !mu ->
        is_lent = true;
        is_more_on_way = false;
        n_mores++;
        has_more = true;
        wake_more()
    }
}

/* worker_flush: the release of the generator's state takes the loan back, if it was lent. */
inline flush()
{
    if
    :: has_release ->
        atomic { !mu -> is_lent = false }
        atomic {
#ifndef TAKES_AT_ONCE
            n_at_blocks == 0 && !mu ->
#endif
            is_taken_back = true;
            has_release = false
        }
    :: else
    fi
}

/* A block that nobody has begun, without mu. */
inline begin_block()
{
    mine = n_begun % ROOM;
    blocks[mine] = BEGUN;
    n_begun++
}

inline gen_comes_back() { mu = true; at[w] = ACTIVE; gen_runs = false }

/* The task of the generator and what it came to. */
inline generate()
{
    if
    :: n_mores == 0 -> offer_blocks()
    :: else
    fi;
    if
    :: n_taken < BATCHES ->
        atomic {
            if
            :: n_begun == n_taken -> begin_block(); is_mine = true
            :: else
            fi
        }
        atomic {
            if
            :: is_mine -> blocks[mine] = MADE; is_mine = false; mine = 0
            :: else
            fi
        }
        atomic { blocks[n_taken % ROOM] == MADE ->
            blocks[n_taken % ROOM] = UNMADE;
            n_taken++;
            is_more_on_way = true
        }
        offer_blocks();
        atomic { !mu -> gen_comes_back(); n_run--; gen_is_ready = true; n_ready++ } /* yielded */
    :: n_taken == BATCHES ->
        atomic { !mu -> gen_comes_back(); has_release = true; finish() }
    :: atomic { !mu -> gen_comes_back(); has_release = true; n_run-- } /* failed */
    :: atomic { gen_may_retry && !mu -> gen_may_retry = false; gen_comes_back(); n_run--; gen_is_ready = true }
    fi
}

/* retry_locked: another attempt of what has just failed. */
inline retry(due)
{
    n_retries--;
    timers[due]++;
    if
#ifndef FORGETS_EARLIER
    :: has_keeper && due < keeper_until -> call_all()
#endif
    :: else
    fi
}

/* finish_locked */
inline finish()
{
    n_run--;
    if
    :: true
    :: n_more > 0 -> n_more--; n_ready++
    :: n_more > 1 -> n_more = n_more - 2; n_ready = n_ready + 2
    :: n_retries > 0 && now + 1 < MOMENTS -> retry(now + 1)
    :: n_retries > 0 && now + 2 < MOMENTS -> retry(now + 2)
    fi
}

/* The end of monitor_wait_locked and wait_locked, with the lock in hand again. */
inline come_back(w)
{
    atomic {
    n_idle--;
#ifndef STAYS_CALLING
    is_calling = false;
#endif
    any_uncalled = any_uncalled || !was_called[w];
    was_called[w] = false;
    until[w] = NEVER;
    if
    :: has_keeper && keeper == w -> has_keeper = false; keeper = 0; keeper_until = 0
    :: else
    fi
    }
}

proctype worker(byte w)
{
    byte before, due_now, seen;
    byte mine;
    bool is_mine, has_release;
    bool calls_watcher, has_done;
    enter();
    do
    :: atomic { BATCHES > 0 && n_ready > 0 -> /* fold_locked */
            n_ready--;
            n_run++;
            wake_more();
            at[w] = TASK;
            leave()
        }
        flush();
        atomic { !mu -> mu = true; at[w] = ACTIVE; finish() }
    :: atomic { /* worker_loop: graph_advance */
            do
            :: HAS_TIMER && EARLIEST <= now ->
                due_now = EARLIEST; /* spin reads an index again after the change */
                timers[due_now]--;
                due_now = 0;
                n_ready++
            :: else -> break
            od;
            if
            :: is_lent -> look_if_awaited()
            :: else
            fi
        }
        if
        :: atomic { GEN_MAY_START -> /* graph_pick, the generator */
                assert(!gen_is_awaited);
                gen_is_ready = false;
                gen_runs = true;
                n_run++;
                wake_more();
                at[w] = TASK;
                leave()
            }
            flush();
            generate()
#ifndef HELPS_FIRST
        :: atomic { MAY_HELP && has_release -> /* loan_help_locked */
#ifndef FLUSHES_SILENTLY
                wake_more();
#endif
                at[w] = TASK;
                leave()
            }
            flush();
            atomic { !mu -> mu = true; at[w] = ACTIVE }
        :: atomic { MAY_HELP && !has_release -> /* the same */
#else
        :: atomic { MAY_HELP ->
#endif
                seen = n_mores;
                n_at_blocks++;
                wake_more();
                at[w] = TASK;
                leave()
            }
#ifdef HELPS_FIRST
            flush();
#endif
            atomic {
                assert(!is_taken_back);
                if
                :: HAS_BLOCK -> begin_block(); has_done = true
                :: else
                fi
            }
            atomic {
                assert(!is_taken_back);
                if
                :: has_done -> blocks[mine] = MADE; mine = 0
                :: else
                fi
            }
            atomic { !mu ->
                mu = true;
                at[w] = ACTIVE;
                assert(!is_taken_back);
                if
                :: !has_done && n_mores == seen -> has_more = false
                :: else
                fi;
                has_done = false;
                seen = 0;
                n_at_blocks--;
#ifndef NOT_LET_GO
                look_if_awaited()
#endif
            }
        :: atomic { has_release && !HAS_WORK && !HAS_PIECE && !IS_OVER ->
#ifndef FLUSHES_SILENTLY
                wake_more();
#endif
                at[w] = TASK;
                leave()
            }
            flush();
            atomic { !mu -> mu = true; at[w] = ACTIVE }
        :: atomic { !is_stopping && n_ready > 0 -> /* graph_pick */
                n_ready--;
                n_run++;
#ifndef CALL_UNLOCKED
                wake_more();
                at[w] = TASK;
                leave()
            }
#if BATCHES > 0
            flush();
#endif
#else
                calls_watcher = n_idle > 0 && !is_calling && HAS_WORK;
                leave()
            }
            atomic {
                if
                :: calls_watcher -> call_one(); calls_watcher = false
                :: else
                fi;
                at[w] = TASK
            }
#endif
            do
            :: lend(w)
            :: break
            od;
            take_back(w);
            atomic { !mu -> mu = true; at[w] = ACTIVE; finish() } /* the task has ended */
        :: atomic { is_offered -> /* loan_help_locked */
                seen = n_offers;
                n_helpers++;
#ifndef NO_HELP_CHAIN
                wake_more();
#endif
                at[w] = TASK;
                leave()
            }
            atomic {
                if
                :: n_pieces > 0 -> n_pieces--; has_done = true
                :: else
                fi
            }
            atomic { !mu ->
                mu = true;
                at[w] = ACTIVE;
                if
#ifdef FORGETS_OFFER
                :: !has_done -> is_offered = false
#else
                :: !has_done && n_offers == seen -> is_offered = false
#endif
                :: else
                fi;
                has_done = false;
                seen = 0;
                n_helpers--
            }
        :: atomic { else ->
                if
                :: IS_OVER -> call_all(); at[w] = GONE; leave(); break
                :: else
                fi;
                /* wait_locked */
                n_idle++;
                if
                :: !has_keeper && HAS_TIMER ->
                    has_keeper = true;
                    keeper = w;
                    keeper_until = EARLIEST;
                    until[w] = EARLIEST
                :: else
                fi;
                if
                :: has_watcher -> at[w] = SLEEPS; leave()
                :: else -> /* watch_locked */
                    before = n_calls;
                    has_watcher = true;
                    at[w] = WATCHES;
                    leave()
                fi
            }
            if
            :: at[w] == WATCHES ->
                /* Whether it has seen a call or has looked for long enough. */
#ifdef NO_SECOND_LOOK
                calls_watcher = n_calls != before;
#endif
                atomic {
                    !mu -> mu = true;
                    has_watcher = false;
                    if
#ifdef NO_SECOND_LOOK
                    :: calls_watcher ->
#else
                    :: n_calls != before ->
#endif
                        at[w] = ACTIVE
                    :: else ->
#ifdef SLEEPS_UNLOCKED
                        at[w] = DOZES;
#else
                        at[w] = SLEEPS;
#endif
                        leave()
                    fi;
                    before = 0;
                    calls_watcher = false
                }
            :: else
            fi;
#ifdef SLEEPS_UNLOCKED
            if
            :: at[w] == DOZES -> at[w] = SLEEPS
            :: else
            fi;
#endif
            /* pthread_cond_wait comes back with the lock. */
            if
            :: at[w] == ACTIVE
            :: atomic { !mu && (at[w] == WOKEN || (at[w] == SLEEPS && until[w] <= now)) ->
                    mu = true;
                    at[w] = ACTIVE
                }
            fi;
            come_back(w)
        fi
    od;
    flush()
}

active proctype time()
{
    do
    :: RETRIES > 0 && now < MOMENTS - 1 -> now++
    :: else -> break
    od
}

/* monitor_interrupt; the graph is told by whoever has the lock next (take_over). */
active proctype interrupt()
{
    if
    :: atomic { !IS_CALM && !mu -> is_stopping = true; call_all() }
    :: true
    fi
}

active proctype spurious()
{
    if
    :: atomic { !IS_CALM && at[0] == SLEEPS -> at[0] = WOKEN }
    :: true
    fi
}

active proctype watchman()
{
end:
    do
    :: atomic { STILL && ANY_SLEEPS && HAS_WORK -> assert(false) }
    :: atomic { STILL && ANY_SLEEPS && HAS_PIECE -> assert(false) }
    :: atomic { !mu && n_pieces > 0 && !is_on_way && !is_offered -> assert(false) }
    :: atomic { !mu && is_lent && HAS_BLOCK && !is_more_on_way && !has_more -> assert(false) }
    :: atomic { !mu && gen_is_awaited && n_at_blocks == 0 -> assert(false) }
    :: atomic { at[0] == GONE && at[1] == GONE && at[WORKERS - 1] == GONE && n_run > 0 -> assert(false) }
    :: atomic {
            STILL && ANY_SLEEPS && HAS_TIMER &&
            !(has_keeper && at[keeper] == SLEEPS && until[keeper] <= EARLIEST) ->
            assert(false)
        }
    od
}

init
{
    atomic {
        run worker(0);
        run worker(1);
#if WORKERS > 2
        run worker(2)
#endif
    }
}
