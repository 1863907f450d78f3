/* credits.pml - the credits of two nested levels, as graph_queue.c and graph.c hand them out.
 *
 *   files | map read | map clean, with N1 files of N2 batches each, p = WORKERS, K1 credits
 *   for files and K2 for batches; with -DORDERED clean is committed in key order over all
 *   files, so that a batch keeps its credit until its turn, and the last of the K2 credits is
 *   for the file whose turn it is.
 *
 * Priorities are left out: whoever is ready may start, which is more than graph_pick allows.
 * What happens under the pool's lock is one atomic block here; between two blocks of a worker
 * its task runs. Attempts of batches may fail: the retry waits on a timer and keeps the credit
 * of the batch; that of a generator gives its credit back.
 *
 * Verified: no more live batches (and dispatched generators) of a level than its credits and
 * overdrafts; the run always ends; nobody ever needs an overdraft. Where several commits go
 * over a level, the last credit helps one of them: -DORDERED -DANYONE -DCROWDED leaves the rule
 * out, and then only the deeper level needs overdrafts.
 *
 * Mutants, each of which must fail (models.sh):
 *   AT_EMISSION    a credit is looked for at the dispatch of a generator and taken only when
 *                  the batch is there
 *   ONE_POOL       both levels share the credits of one pool
 *   LEAK           a generator that finds no more batches keeps the credit of its dispatch
 *   ANYONE         the last credit goes to whoever comes first
 *   NOT_ITS_TURN   it is kept for the file behind the one whose turn it is
 *   NO_OVERDRAFT   nothing is granted when all is stuck
 *   SHALLOW        the overdraft goes to the outer level first
 *   IMPATIENT      the overdraft does not wait for timers
 *   RETRY_GIVES    a batch that is to be tried again gives its credit back, though it lives
 */
#define WORKERS 2
#ifndef N1
#define N1 2
#endif
#define N2 2
#ifndef K1
#define K1 2
#endif
#ifndef K2
#define K2 1
#endif

#define NONE 0
#define READY 1
#define RUNS 2
#define TIMED 3
#define DONE 4    /* of a batch: it waits for its turn */
#define CLOSED 5

byte files = READY, n_files;        /* the generator of the outer level */
byte read[N1], n_read[N1];          /* those of the inner one, and what they have yielded */
byte batch[N1 * N2];
bool file_is_live[N1];
byte used1, used2, live1, live2;    /* credits; live batches */
byte over1, over2;                  /* overdrafts */
byte n_running, n_timers, n_fails = 2;
byte turn_file, turn_batch;         /* whose turn the commit is */

#ifdef ONE_POOL
#define FREE1 (used1 + used2 < K1 + K2)
#define FREE2 (used1 + used2 < K1 + K2)
#else
#define FREE1 (used1 < K1)
#define FREE2 (used2 < K2)
#endif

#ifdef AT_EMISSION
#define DISPATCHES(used) skip
#define EMITS(used) used++
#define FINDS_NONE(used) skip
#else
#define DISPATCHES(used) used++
#define EMITS(used) skip
#ifdef LEAK
#define FINDS_NONE(used) skip
#else
#define FINDS_NONE(used) used--
#endif
#endif

#ifdef ORDERED
#define TURN_IS_OVER(f) (turn_file > f)
#else
#define TURN_IS_OVER(f) true
#endif

/* scope_may_open of the inner level */
#if !defined ORDERED || defined ANYONE
#define LAST_IS_FOR(f) true
#elif defined NOT_ITS_TURN
#define LAST_IS_FOR(f) (turn_file + 1 == f)
#else
#define LAST_IS_FOR(f) (turn_file == f)
#endif

#define BATCH_WAITS(f) ((batch[f * N2] == READY) || (batch[f * N2 + 1] == READY))
#define MAY_READ(f) (read[f] == READY && FREE2 && (used2 + 1 < K2 || LAST_IS_FOR(f)))
#define ANY_READ(f) (read[f] == READY)
/* step_may_start of anything that is ready */
#define MAY_START ((files == READY && FREE1) || MAY_READ(0) || MAY_READ(1) || \
                   BATCH_WAITS(0) || BATCH_WAITS(1))
#ifdef IMPATIENT
#define IS_QUIET (n_running == 0)
#else
#define IS_QUIET (n_running == 0 && n_timers == 0)
#endif
/* is_stuck: nothing runs, nothing will by itself, something waits for a credit */
#define IS_STUCK (IS_QUIET && !MAY_START && (files == READY || ANY_READ(0) || ANY_READ(1)))
#define IS_OVER (files == DONE && live1 == 0)

/* frame_close of a file: all of it has ended, and (with ORDERED) its turn is over. */
inline file_close(f)
{
    if
    :: file_is_live[f] && read[f] == DONE &&
       (batch[f * N2] == NONE || batch[f * N2] == CLOSED) &&
       (batch[f * N2 + 1] == NONE || batch[f * N2 + 1] == CLOSED) && TURN_IS_OVER(f) ->
        file_is_live[f] = false; live1--; used1--
    :: else
    fi
}

inline batch_close(f, k)
{
    batch[f * N2 + k] = CLOSED;
    live2--;
    used2--
}

/* seq_poke of the ordered step: commits what can be, up to the first that is not done. */
inline commit()
{
#ifdef ORDERED
    do
    :: turn_file < N1 && turn_batch < N2 && batch[turn_file * N2 + turn_batch] == DONE ->
        batch_close(turn_file, turn_batch);
        turn_batch++
    :: turn_file < N1 && read[turn_file] == DONE && turn_batch == n_read[turn_file] ->
        turn_file++;
        turn_batch = 0
    :: else -> break
    od
#endif
    file_close(0);
    file_close(1)
}

inline bounds_hold()
{
#ifdef ONE_POOL
    assert(live1 + live2 <= K1 + K2 + over1 + over2);
#else
    assert(live1 <= K1 + over1);
    assert(live2 <= K2 + over2);
#endif
#ifndef CROWDED
    assert(over2 == 0);
#endif
    assert(over1 == 0)
}

inline files_start() { DISPATCHES(used1); files = RUNS; n_running++ }
inline read_start(f) { DISPATCHES(used2); read[f] = RUNS; n_running++ }

/* graph_yield and graph_exhausted of the outer generator */
inline files_end()
{
    n_running--;
    if
    :: n_files < N1 ->
        EMITS(used1);
        live1++;
        file_is_live[n_files] = true;
        read[n_files] = READY;
        n_files++;
        files = READY
    :: else -> FINDS_NONE(used1); files = DONE
    fi;
    commit();
    bounds_hold()
}

/* graph_yield, graph_exhausted and graph_retry of an inner generator */
inline read_end(f)
{
    n_running--;
    if
    :: n_read[f] < N2 ->
        EMITS(used2);
        live2++;
        batch[f * N2 + n_read[f]] = READY;
        n_read[f]++;
        read[f] = READY
    :: n_read[f] == N2 || f == 1 -> FINDS_NONE(used2); read[f] = DONE
    :: n_fails > 0 -> n_fails--; FINDS_NONE(used2); read[f] = TIMED; n_timers++
    fi;
    commit();
    bounds_hold()
}

/* graph_done and graph_retry of clean */
inline clean_end(b)
{
    n_running--;
    if
    :: true ->
#ifdef ORDERED
        batch[b] = DONE
#else
        batch_close((b / N2), (b % N2))
#endif
    :: n_fails > 0 ->
        n_fails--;
        batch[b] = TIMED;
        n_timers++;
#ifdef RETRY_GIVES
        used2--
#endif
    fi;
    commit();
    bounds_hold()
}

inline clean_start(b) { batch[b] = RUNS; n_running++ }

active [WORKERS] proctype worker()
{
    byte f, b;
    do
    :: atomic { files == READY && FREE1 -> files_start() }
        atomic { files_end() }
    :: atomic { MAY_READ(0) -> read_start(0); f = 0 }
        atomic { read_end(f) }
    :: atomic { MAY_READ(1) -> read_start(1); f = 1 }
        atomic { read_end(f) }
    :: atomic { batch[0] == READY -> clean_start(0); b = 0 }
        atomic { clean_end(b) }
    :: atomic { batch[1] == READY -> clean_start(1); b = 1 }
        atomic { clean_end(b) }
    :: atomic { batch[2] == READY -> clean_start(2); b = 2 }
        atomic { clean_end(b) }
    :: atomic { batch[3] == READY -> clean_start(3); b = 3 }
        atomic { clean_end(b) }
#ifndef NO_OVERDRAFT
    /* deepest_blocked */
    :: atomic {
            IS_STUCK ->
            if
#ifdef SHALLOW
            :: files == READY -> over1++; files_start(); f = 255
            :: files != READY && ANY_READ(0) -> over2++; read_start(0); f = 0
            :: files != READY && !ANY_READ(0) && ANY_READ(1) -> over2++; read_start(1); f = 1
#else
            :: ANY_READ(0) -> over2++; read_start(0); f = 0
            :: !ANY_READ(0) && ANY_READ(1) -> over2++; read_start(1); f = 1
            :: !ANY_READ(0) && !ANY_READ(1) -> over1++; files_start(); f = 255
#endif
            fi
        }
        atomic {
            if
            :: f == 255 -> files_end()
            :: else -> read_end(f)
            fi
        }
#endif
    :: IS_OVER -> break
    od
}

/* graph_advance: a retry is due. */
active proctype timer()
{
end:
    do
    :: atomic { read[0] == TIMED -> read[0] = READY; n_timers-- }
    :: atomic { read[1] == TIMED -> read[1] = READY; n_timers-- }
    :: atomic { batch[0] == TIMED -> batch[0] = READY; n_timers-- }
    :: atomic { batch[1] == TIMED -> batch[1] = READY; n_timers-- }
    :: atomic { batch[2] == TIMED -> batch[2] = READY; n_timers-- }
    :: atomic { batch[3] == TIMED -> batch[3] = READY; n_timers-- }
    od
}
