#include "data/feed.h"

#include <stdlib.h>
#include <string.h>

/* Blocks in waiting: as many as there may be threads that look through one at the same time. */
#define IDLE_BLOCKS 8
/* Bytes of text that a block of the pool can take. */
#define BLOCK_ROOM (CSV_AHEAD_HEAD + CSV_AHEAD_PAGE + CSV_BATCH_AUTO)
/* Behind a block's text: the LF that the last line may lack, and bytes so that words may be read there. */
#define SLACK (1 + 8)

/* --- samples ----------------------------------------------------------------------------- */

Status csv_sample_open(Str path, TextCoding coding, size_t want, CsvSample **out, Error *err)
{
    CsvSample *s = xcalloc(1, sizeof *s);
    Status st = input_open(path, coding, &s->in, err);
    if (st == OK)
        st = csv_sample_more(s, want, err);
    if (st != OK) {
        csv_sample_free(s);
        s = NULL;
    }
    *out = s;
    return st;
}

Status csv_sample_more(CsvSample *s, size_t want, Error *err)
{
    Status st = OK;
    Heap *block = heap_new(want + SLACK);
    if (s->block)
        memcpy(block->bytes, s->block->bytes, s->n_bytes);
    while (st == OK && !s->at_eof && s->n_bytes < want) {
        size_t got;
        st = input_read(s->in, block->bytes + s->n_bytes, want - s->n_bytes, &got, err);
        s->n_bytes += got;
        s->at_eof = st == OK && got == 0;
    }
    heap_unref(s->block);
    s->block = block;
    return st;
}

void csv_sample_free(CsvSample *s)
{
    if (!s)
        return;
    input_close(s->in);
    heap_unref(s->block);
    free(s);
}

/* --- bytes ------------------------------------------------------------------------------- */

/* Bytes that the block can take. */
static size_t room(const Feed *f)
{
    return f->block && f->block->cap > f->end + SLACK ? f->block->cap - f->end - SLACK : 0;
}

/* Room for n bytes behind bytes[at..end): what is not handed out moves to a new block. */
static void room_make(Feed *f, size_t n)
{
    size_t kept = feed_n_bytes(f), want = kept + n + SLACK;
    Heap *grown = f->block && f->at == 0 && want > f->block->cap ? heap_grow(f->block, want) : NULL;
    if (grown) {
        f->block = grown;
        return;
    }
    Heap *block = want <= BLOCK_ROOM + SLACK ? heap_pool_get(f->pool) : heap_new(want);
    if (kept)
        memcpy(block->bytes, feed_text(f), kept);
    heap_unref(f->block);
    heap_settle(block, kept);
    f->block = block;
    f->at = 0;
    f->end = kept;
}

/* Nothing follows; the last line gets the LF that it lacks. */
static void input_end(Feed *f)
{
    f->from->at_eof = true;
    if (f->end == f->at || f->block->bytes[f->end - 1] == '\n')
        return;
    if (f->block->cap < f->end + SLACK)
        room_make(f, 0);
    f->block->bytes[f->end++] = '\n';
    heap_settle(f->block, f->end);
}

/* Of a range that may be long the block grows with what there is of it. */
static size_t want_now(size_t have, size_t want)
{
    size_t n = 2 * have > CSV_BATCH_AUTO ? 2 * have : CSV_BATCH_AUTO;
    return n < want ? n : want;
}

/* Has the block too little room to go on? One that is long is filled first: to make it longer may mean to copy it. */
static bool is_full(const Feed *f, size_t need, size_t more)
{
    size_t have = feed_n_bytes(f), least = need - have < more ? need - have : more;
    return room(f) < (have < CSV_BATCH_AUTO ? least : 1);
}

/* ---- blocks that are read before their turn */

void feed_look_ahead(Feed *f, size_t block_bytes, uint32_t n_blocks, const CsvScan *begin)
{
    if (f->from->at_eof)
        return;
    heap_pool_set_idle(f->pool, 2 * n_blocks); /* a thread has one that it works on, and one that waits */
    f->ahead = csv_ahead_new(f->from->in, f->pool, f->offset + feed_n_bytes(f), block_bytes, n_blocks, begin);
}

/* As input_read, from them. */
static Status ahead_read(CsvAhead *a, char *to, size_t n, size_t *got, Error *err)
{
    CsvAheadBlock *b = csv_ahead_first(a);
    if (b->st != OK) {
        if (err)
            *err = b->err;
        return b->st;
    }
    *got = b->n_bytes - b->at < n ? b->n_bytes - b->at : n;
    memcpy(to, b->block->bytes + b->text + b->at, *got);
    b->at += *got;
    if (b->at == b->n_bytes && !b->is_last)
        csv_ahead_next(a);
    return OK;
}

bool feed_take_block(Feed *f, CsvAheadScan *scanned)
{
    size_t kept = feed_n_bytes(f);
    if (!f->ahead || f->from->at_eof || kept > CSV_AHEAD_HEAD)
        return false;
    CsvAheadBlock *b = csv_ahead_first(f->ahead);
    if (b->st != OK || b->at || b->is_last)
        return false;
    *scanned = b->scanned;
    Heap *block = b->block;
    b->block = NULL;
    size_t text = b->text, n_bytes = b->n_bytes;
    csv_ahead_next(f->ahead);
    memcpy(block->bytes + text - kept, feed_text(f), kept);
    heap_unref(f->block);
    f->block = block;
    f->at = text - kept;
    f->end = text + n_bytes;
    heap_settle(block, f->end);
    return true;
}

Status feed_fill(Feed *f, size_t need, size_t want, Error *err)
{
    while (!f->from->at_eof && feed_n_bytes(f) < need) {
        size_t got = 0, have = feed_n_bytes(f);
        if (!f->from->in) { /* only a sample: what its last row lacks is not known */
            f->from->at_eof = true;
            return OK;
        }
        size_t more = want_now(have, want) - have;
        if (is_full(f, need, more))
            room_make(f, more);
        size_t n = room(f) < more ? room(f) : more;
        Status st = f->ahead ? ahead_read(f->ahead, f->block->bytes + f->end, n, &got, err)
                             : input_read(f->from->in, f->block->bytes + f->end, n, &got, err);
        if (st != OK)
            return st;
        f->end += got;
        heap_settle(f->block, f->end);
        if (got == 0)
            input_end(f);
    }
    return OK;
}

/* --- ranges ------------------------------------------------------------------------------ */

void feed_skip(Feed *f, size_t n_bytes, uint64_t n_lines)
{
    f->at += n_bytes;
    f->line += n_lines;
    f->offset += n_bytes;
}

RawRows *feed_take(Feed *f, CsvInput *input, size_t n_bytes, uint64_t n_lines, uint32_t n_rows)
{
    RawRows *raw = xcalloc(1, sizeof *raw);
    atomic_init(&raw->refs, 1);
    raw->input = csv_input_ref(input);
    raw->block = heap_ref(f->block);
    raw->bytes = raw->cells = feed_text(f);
    raw->n_bytes = n_bytes;
    raw->first_row = f->row;
    raw->first_line = f->line;
    raw->first_byte = f->offset;
    raw->n_rows = n_rows;
    raw->n_cols = raw->stride = input->n_cols;
    raw->is_row_a_line = n_rows == n_lines;
    feed_skip(f, n_bytes, n_lines);
    f->row += n_rows;
    return raw;
}

/* --- open -------------------------------------------------------------------------------- */

Str feed_name(Str path)
{
    return str_is(path, "-") ? STR_LIT("stdin") : path;
}

Status feed_open(Feed *f, Str path, TextCoding coding, CsvSample *sample, Error *err)
{
    f->line = 1;
    f->pool = heap_pool_new(BLOCK_ROOM + SLACK, IDLE_BLOCKS);
    f->from = sample;
    Status st = sample ? OK : csv_sample_open(path, coding, 0, &f->from, err);
    if (st != OK)
        return st;
    f->block = f->from->block;
    f->from->block = NULL;
    f->end = f->from->n_bytes;
    if (f->block)
        heap_settle(f->block, f->end);
    if (f->from->at_eof)
        input_end(f);
    return OK;
}

void feed_deinit(Feed *f)
{
    csv_ahead_free(f->ahead);
    csv_sample_free(f->from);
    heap_unref(f->block);
    heap_pool_unref(f->pool);
}

Status feed_start(Feed *f, Str file, Error *err)
{
    Status st = feed_fill(f, 3, CSV_BATCH_AUTO, err);
    if (st != OK)
        return st;
    const char *p = feed_text(f);
    size_t n = feed_n_bytes(f);
    if (n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0)) {
        error_set(err, ERR_DATA, "this is UTF-16: say so, `with (encoding: \"utf-16\")`");
        error_at(err, file, 1, 0);
        return ERR_DATA;
    }
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        feed_skip(f, 3, 0);
    return OK;
}
