/* reject.h - rows that a policy (@bad_rows) drops, or of which it makes a value null: counted, and written down for a
 * reject file.
 *
 * One Rejects belongs to one attempt of an instance, one thread at a time. Rows are told of in the order in which they
 * are found out, which is statement by statement; they come out in the order of the rows, whatever that was, and of one
 * row in the order in which they were told. So the file does not show how a table was cut into batches.
 *
 * The file is a CSV: file,line,byte,column,kind,value,message,raw. What is not known is empty.
 */
#ifndef PIPE_DATA_REJECT_H
#define PIPE_DATA_REJECT_H

#include "base/policy.h"
#include "data/batch.h"

#define REJECT_HEADER "file,line,byte,column,kind,value,message,raw\n"

typedef struct RejectAt {
    uint64_t row;
    uint32_t group;
    size_t len;
    size_t at;      /* in text */
} RejectAt;

typedef struct Rejects {
    BadRows policy;     /* BAD_ROWS_FAIL: nothing is put */
    bool keeps_lines;   /* else rows are only counted */
    uint64_t n_skipped; /* rows that were dropped */
    uint64_t n_nulled;  /* values that became null */
    uint32_t group;     /* rows are numbered anew in each */
    Buf text;           /* lines as they will stand in the file */
    RejectAt *at;       /* [n] a line each */
    size_t n, cap;
    const RawRows *lined; /* of which lines[] are known; borrowed, only compared */
    uint64_t *lines;      /* [lined->n_rows] */
    struct RejectFile *file; /* from which rows that are not in memory any more are read again; NULL: none yet */
} Rejects;

void rejects_deinit(Rejects *r);
/* Forgets what was put: the attempt has failed. */
void rejects_clear(Rejects *r);
bool rejects_has_any(const Rejects *r);
/* From here on rows are numbered anew. */
void rejects_next_group(Rejects *r);

/* What there is to say of one row; empty where it is not known. */
typedef struct Reject {
    uint64_t row;      /* its number in the table that is read */
    bool is_nulled;    /* a value became null, the row stays */
    Str file;
    uint64_t line, byte; /* line 0: neither is known; byte UINT64_MAX: that is not */
    Str column, value, message, raw;
    RowError kind;
} Reject;
void rejects_put(Rejects *r, const Reject *what);

/* Fills file, line, byte and raw for a row of a batch; byte is that of the cell in column `col`, or of the row (-1). *held
 * (may be set) keeps the bytes of raw until the next call; the caller frees it with buf_deinit. */
void rejects_place(Rejects *r, const Batch *b, uint32_t row, int32_t col, Reject *what, Buf *held);
/* A cell that does not decode; number: of its row. */
void rejects_put_cell(Rejects *r, const Batch *b, uint32_t row, uint32_t col, Str name, uint64_t number);
/* The same of a row that is no row of a batch: raw is at hand. */
static inline void rejects_place_raw(Reject *what, Str file, uint64_t line, uint64_t byte, Str raw)
{
    what->file = file;
    what->line = line;
    what->byte = byte;
    what->raw = raw;
}

/* Appends the lines in the order of the rows, and forgets them; the counts stay. */
void rejects_take(Rejects *r, Buf *out);
/* Puts such lines back, or into another that has none; the counts are the caller's. */
void rejects_put_lines(Rejects *r, const Buf *lines);

#endif
