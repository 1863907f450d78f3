/* feed.h - the text of an input in blocks, from which ranges are handed out: what the readers of CSV and of lines share.
 *
 * What a reader has found the end of it takes: a range of whole rows, which has a reference to the block and lives
 * on without the feed. What straddles blocks is copied once, unless it is longer than a block.
 *
 * Threads: one at a time, but for csv_ahead_work. Errors: those of input.h; ERR_DATA for UTF-16 that was not named.
 */
#ifndef PIPE_DATA_FEED_H
#define PIPE_DATA_FEED_H

#include "base/status.h"
#include "data/batch.h"
#include "data/csv_ahead.h"
#include "data/input.h"

#define CSV_RECORD_MAX (16u << 20) /* bytes; Error texts name it */
#define CSV_BATCH_AUTO (1u << 20)  /* bytes of a range of `batch auto`, and of a block */
#define CSV_BATCH_MAX (1u << 30)   /* bytes of any range: positions are 32 bits wide */

/* The first bytes of an input: what the catalog took from one that cannot be read twice (stdin, a FIFO). */
typedef struct CsvSample {
    Input *in;      /* goes on behind the bytes, owned; NULL: the bytes are all that is looked at */
    Heap *block;    /* one reference */
    size_t n_bytes; /* block->bytes[0..n_bytes) */
    bool at_eof;    /* nothing follows */
} CsvSample;

/* Opens the input and reads `want` bytes of it, fewer only at its end. ERR_IO: no such file, a directory, ... */
Status csv_sample_open(Str path, TextCoding coding, size_t want, CsvSample **out, Error *err);
/* Reads on until there are `want` bytes. */
Status csv_sample_more(CsvSample *s, size_t want, Error *err);
void csv_sample_free(CsvSample *s); /* NULL is fine */

typedef struct Feed {
    CsvSample *from; /* the input, its end */
    CsvAhead *ahead; /* blocks of it that are read before their turn; owned; NULL: none are */
    HeapPool *pool;  /* of blocks with room for a block that is read ahead */
    Heap *block;     /* bytes[at..end) are read and not handed out; NULL: nothing is read */
    size_t at, end;
    uint64_t line;   /* of bytes[at], from 1 */
    uint64_t offset; /* of bytes[at] in the input */
    uint64_t row;    /* rows handed out */
} Feed;

/* What messages call the input at a path. */
Str feed_name(Str path);
/* Opens a zeroed feed. sample: taken over, also on failure; NULL: opens the path. feed_deinit, whatever comes back. */
Status feed_open(Feed *f, Str path, TextCoding coding, CsvSample *sample, Error *err);
void feed_deinit(Feed *f);
/* Looks at the first bytes: drops a UTF-8 mark, refuses UTF-16. */
Status feed_start(Feed *f, Str file, Error *err);
/* Reads until bytes[at..end) are at least `need` bytes or the input ends; then the last line has the LF that it may
 * have lacked, but not where the sample is all that is looked at. A new block has room for `want`, want >= need,
 * or for twice what there is. */
Status feed_fill(Feed *f, size_t need, size_t want, Error *err);
/* From now on others may read up to n_blocks blocks before their turn, which end at multiples of block_bytes (at most CSV_BATCH_AUTO)
 * and are scanned from `begin`: csv_ahead_work(f->ahead). Of an input of which input_is_plain, of which something is read. */
void feed_look_ahead(Feed *f, size_t block_bytes, uint32_t n_blocks, const CsvScan *begin);
/* Reads on as far as the next of these blocks goes, without copying it. False: there is none, or it does not go so; then
 * feed_fill reads what is in it. */
bool feed_take_block(Feed *f, CsvAheadScan *scanned);
/* bytes[at..end); of no text an empty one. Behind it 8 bytes may be read. */
static inline const char *feed_text(const Feed *f)
{
    return f->block ? f->block->bytes + f->at : "";
}
static inline size_t feed_n_bytes(const Feed *f)
{
    return f->end - f->at;
}
/* Goes on behind bytes that are no range. */
void feed_skip(Feed *f, size_t n_bytes, uint64_t n_lines);
/* The next n_bytes as a range, a new reference; no fields are found. */
RawRows *feed_take(Feed *f, CsvInput *input, size_t n_bytes, uint64_t n_lines, uint32_t n_rows);

#endif
