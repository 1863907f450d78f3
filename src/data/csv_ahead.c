#include "data/csv_ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Quotes that are looked at for a guess. */
#define GUESS_QUOTES 32

typedef enum BlockPhase { BLOCK_TAKEN, BLOCK_BEGUN, BLOCK_READY } BlockPhase;

struct CsvAhead {
    const Input *in;
    HeapPool *pool;
    uint64_t from;
    size_t block_bytes;
    uint32_t n_blocks;
    CsvScan begin; /* nothing scanned */

    pthread_mutex_t mu;
    pthread_cond_t is_ready;
    /* Guarded by mu. Block number k is in the place k % n_blocks; what it holds belongs to whoever has begun it until it is ready,
     * and then to the reader. */
    uint64_t n_begun, n_taken;
    bool has_last;
    BlockPhase *phases;    /* [n_blocks] */
    CsvAheadBlock *blocks; /* [n_blocks] */
};

CsvAhead *csv_ahead_new(const Input *in, HeapPool *pool, uint64_t from, size_t block_bytes, uint32_t n_blocks, const CsvScan *begin)
{
    CsvAhead *a = xcalloc(1, sizeof *a);
    a->in = in;
    a->pool = pool;
    a->from = from;
    a->block_bytes = block_bytes;
    a->n_blocks = n_blocks;
    a->begin = *begin;
    a->phases = xcalloc(n_blocks, sizeof *a->phases);
    a->blocks = xcalloc(n_blocks, sizeof *a->blocks);
    pthread_mutex_init(&a->mu, NULL);
    pthread_cond_init(&a->is_ready, NULL);
    return a;
}

void csv_ahead_free(CsvAhead *a)
{
    if (!a)
        return;
    for (uint32_t i = 0; i < a->n_blocks; i++)
        heap_unref(a->blocks[i].block);
    pthread_cond_destroy(&a->is_ready);
    pthread_mutex_destroy(&a->mu);
    free(a->phases);
    free(a->blocks);
    free(a);
}

/* ---- the guess */

static bool is_between(const CsvAhead *a, char c)
{
    return c == a->begin.delimiter || c == '\n' || c == '\r';
}

/* Does the text p[0..n) begin in a quoted field? p[-1] is the byte before, p[n] may be read. A quote that has a delimiter or a line end
 * on one side only opens or closes a field. */
static bool begins_inside(const CsvAhead *a, const char *p, size_t n)
{
    const char *end = p + n, *q = p;
    for (int i = 0; i < GUESS_QUOTES && (q = memchr(q, a->begin.quote, (size_t)(end - q))) != NULL; i++) {
        if (q[1] == a->begin.quote) { /* a double one, or an empty field: no matter which */
            q += 2;
            if (q >= end)
                return false;
            continue;
        }
        bool may_open = is_between(a, q[-1]), may_close = is_between(a, q[1]);
        if (may_open != may_close)
            return may_close;
        return false; /* a stray one, or a field of one delimiter: nobody knows */
    }
    return false;
}

/* The state behind the byte before, or false. */
static bool guess(const CsvAhead *a, const char *p, size_t n, CsvState *out)
{
    char before = p[-1];
    if (n == 0 || before == '\r' || (before == a->begin.quote && *p == a->begin.quote))
        return false;
    *out = begins_inside(a, p, n)         ? CSV_QUOTED
           : before == a->begin.quote     ? CSV_QUOTE_SEEN
           : before == '\n'               ? CSV_ROW_START
           : before == a->begin.delimiter ? CSV_FIELD_START
                                          : CSV_UNQUOTED;
    return true;
}

/* ---- blocks */

static uint64_t block_begin(const CsvAhead *a, uint64_t k)
{
    return k == 0 ? a->from : (a->from / a->block_bytes + k) * a->block_bytes;
}

static void block_read(const CsvAhead *a, uint64_t k, CsvAheadBlock *b)
{
    uint64_t from = block_begin(a, k);
    size_t want = (size_t)(block_begin(a, k + 1) - from), got = 0;
    *b = (CsvAheadBlock){.block = heap_pool_get(a->pool), .scanned.scan = a->begin};
    b->text = CSV_AHEAD_HEAD + (0 - (uintptr_t)b->block->bytes) % CSV_AHEAD_PAGE;
    char *text = b->block->bytes + b->text;
    heap_settle(b->block, 0);
    /* The byte before, alone: the others go to where a page begins. */
    b->st = input_read_at(a->in, from - 1, text - 1, 1, &got, &b->err);
    if (b->st == OK)
        b->st = input_read_at(a->in, from, text, want, &b->n_bytes, &b->err);
    b->is_last = b->st == OK && b->n_bytes < want;
    text[b->n_bytes] = '\n';
    CsvAheadScan *found = &b->scanned;
    found->is_done = b->st == OK && guess(a, text, b->n_bytes, &found->from);
    if (!found->is_done)
        return;
    found->scan.state = found->from;
    csv_scan(&found->scan, text, b->n_bytes, UINT64_MAX);
}

/* Does the next one that nobody has begun; false: there must not be one. Gives the lock away meanwhile. */
static bool work_locked(CsvAhead *a)
{
    if (a->has_last || a->n_begun - a->n_taken == a->n_blocks)
        return false;
    uint64_t k = a->n_begun++;
    CsvAheadBlock *b = &a->blocks[k % a->n_blocks];
    a->phases[k % a->n_blocks] = BLOCK_BEGUN;
    pthread_mutex_unlock(&a->mu);
    block_read(a, k, b);
    pthread_mutex_lock(&a->mu);
    a->has_last |= b->is_last || b->st != OK;
    a->phases[k % a->n_blocks] = BLOCK_READY;
    pthread_cond_signal(&a->is_ready);
    return true;
}

bool csv_ahead_work(CsvAhead *a)
{
    pthread_mutex_lock(&a->mu);
    bool has_done = work_locked(a);
    pthread_mutex_unlock(&a->mu);
    return has_done;
}

bool csv_ahead_is_begun(CsvAhead *a)
{
    pthread_mutex_lock(&a->mu);
    bool is_begun = a->n_taken < a->n_begun && a->phases[a->n_taken % a->n_blocks] != BLOCK_READY;
    pthread_mutex_unlock(&a->mu);
    return is_begun;
}

CsvAheadBlock *csv_ahead_first(CsvAhead *a)
{
    uint64_t k = a->n_taken, i = k % a->n_blocks;
    pthread_mutex_lock(&a->mu);
    /* Where somebody is at it there may be another one to do meanwhile. */
    while (k == a->n_begun || a->phases[i] != BLOCK_READY)
        if (!work_locked(a) && a->phases[i] != BLOCK_READY)
            pthread_cond_wait(&a->is_ready, &a->mu);
    pthread_mutex_unlock(&a->mu);
    return &a->blocks[i];
}

void csv_ahead_next(CsvAhead *a)
{
    CsvAheadBlock *b = &a->blocks[a->n_taken % a->n_blocks];
    heap_unref(b->block);
    b->block = NULL;
    pthread_mutex_lock(&a->mu);
    a->phases[a->n_taken % a->n_blocks] = BLOCK_TAKEN;
    a->n_taken++;
    pthread_mutex_unlock(&a->mu);
}
