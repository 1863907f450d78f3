#include "data/packer.h"

#include <isa-l/igzip_lib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "data/turns.h"

/* ISA-L's level with fixed codes. What its levels above make of the same text differed in a few of a million pieces while
 * other threads ran, so that a file would not have been the same twice; they are a sixth smaller and no faster. */
#define GZIP_LEVEL 0
#define ZSTD_LEVEL 1 /* a tenth larger than 3, almost twice as fast */
#define GZIP_ROOM 64 /* bytes of a member beyond those of its deflate stream */

typedef enum Packing { PACKING_GZIP, PACKING_ZSTD } Packing;

/* What one thread at a time compresses with; kept for the next. */
typedef struct Tool {
    struct Tool *next;
    ZSTD_CCtx *zstd;
    struct isal_zstream *gzip;
} Tool;

struct Packer {
    Packing packing;
    PackedFn submit;
    void *to;
    pthread_mutex_t mu;
    /* Guarded by mu: */
    Turns turns;       /* text that waits for an earlier one */
    Buf piece;         /* that is not complete */
    uint64_t n_pieces; /* that were */
    Tool *idle;
};

static bool ends_with(Str s, const char *end)
{
    return str_ends(s, str_of(end));
}

Packer *packer_open(Str path, PackedFn submit, void *to)
{
    bool is_gzip = ends_with(path, ".gz");
    if (!is_gzip && !ends_with(path, ".zst"))
        return NULL;
    Packer *p = xcalloc(1, sizeof *p);
    p->packing = is_gzip ? PACKING_GZIP : PACKING_ZSTD;
    p->submit = submit;
    p->to = to;
    pthread_mutex_init(&p->mu, NULL);
    return p;
}

static void tool_free(Tool *t)
{
    ZSTD_freeCCtx(t->zstd);
    free(t->gzip);
    free(t);
}

void packer_close(Packer *p)
{
    if (!p)
        return;
    while (p->idle) {
        Tool *t = p->idle;
        p->idle = t->next;
        tool_free(t);
    }
    turns_deinit(&p->turns);
    buf_deinit(&p->piece);
    pthread_mutex_destroy(&p->mu);
    free(p);
}

/* ---- one piece ---- */

static Tool *tool_take(Packer *p)
{
    pthread_mutex_lock(&p->mu);
    Tool *t = p->idle;
    if (t)
        p->idle = t->next;
    pthread_mutex_unlock(&p->mu);
    return t ? t : xcalloc(1, sizeof *t);
}

static void tool_give(Packer *p, Tool *t)
{
    pthread_mutex_lock(&p->mu);
    t->next = p->idle;
    p->idle = t;
    pthread_mutex_unlock(&p->mu);
}

/* Packed bytes are an output like others: their buffer has no more room than they need. */
static void buf_fit(Buf *b)
{
    b->cap = b->len + 1;
    b->ptr = xrealloc(b->ptr, b->cap);
    b->ptr[b->len] = '\0';
}

static void gzip_piece(Tool *t, const Buf *text, Buf *out)
{
    if (!t->gzip)
        t->gzip = xmalloc(sizeof *t->gzip);
    /* What does not get smaller is stored, in blocks of up to 64 KiB with 5 bytes more. */
    buf_reserve(out, text->len + text->len / 1000 + GZIP_ROOM);
    struct isal_zstream *z = t->gzip;
    memset(z, 0, sizeof *z); /* what the piece before left must not show */
    isal_deflate_init(z);
    z->level = GZIP_LEVEL;
    z->gzip_flag = IGZIP_GZIP;
    z->end_of_stream = 1;
    z->next_in = (uint8_t *)text->ptr;
    z->avail_in = (uint32_t)text->len;
    z->next_out = (uint8_t *)out->ptr;
    z->avail_out = (uint32_t)(out->cap - 1);
    isal_deflate_stateless(z); /* cannot fail: there is room to store the text as it is */
    out->len = z->total_out;
}

static Status zstd_piece(Tool *t, const Buf *text, Buf *out, Error *err)
{
    if (!t->zstd) {
        t->zstd = ZSTD_createCCtx();
        if (!t->zstd)
            return error_set(err, ERR_NOMEM, "out of memory");
        ZSTD_CCtx_setParameter(t->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        ZSTD_CCtx_setParameter(t->zstd, ZSTD_c_checksumFlag, 1);
    }
    size_t room = ZSTD_compressBound(text->len);
    buf_reserve(out, room);
    size_t n = ZSTD_compress2(t->zstd, out->ptr, room, text->ptr, text->len);
    if (ZSTD_isError(n)) /* there is room enough: only memory may be lacking */
        return error_set(err, ERR_NOMEM, "cannot compress: %s", ZSTD_getErrorName(n));
    out->len = n;
    return OK;
}

/* Compresses the text and passes it on under its number, which must come also where it failed. */
static Status piece_pack(Packer *p, uint64_t number, Buf *text, Error *err)
{
    Buf packed = {0};
    Status st = OK, passed;
    Tool *t = tool_take(p);
    if (p->packing == PACKING_GZIP)
        gzip_piece(t, text, &packed);
    else
        st = zstd_piece(t, text, &packed, err);
    tool_give(p, t);
    buf_deinit(text);
    if (st == OK)
        buf_fit(&packed);
    passed = p->submit(p->to, number, st == OK ? &packed : NULL, st == OK ? err : NULL);
    buf_deinit(&packed);
    return st == OK ? passed : st;
}

/* ---- the text ---- */

/* Complete pieces, on their way to be compressed. */
typedef struct Pieces {
    Buf *list; /* [n] */
    size_t n, cap;
    uint64_t first; /* number of list[0] */
} Pieces;

/* Adds text to the piece that is being filled; complete ones go to `done`. */
static void text_add_locked(Packer *p, const Buf *text, Pieces *done)
{
    for (size_t at = 0; at < text->len;) {
        size_t n = text->len - at, room = PACKER_BYTES - p->piece.len;
        n = n < room ? n : room;
        buf_put(&p->piece, text->ptr + at, n);
        at += n;
        if (p->piece.len < PACKER_BYTES)
            continue;
        if (done->n == done->cap) {
            done->cap = 2 * done->cap + 4;
            done->list = xrealloc(done->list, done->cap * sizeof *done->list);
        }
        done->list[done->n++] = p->piece;
        p->piece = (Buf){0};
        p->n_pieces++;
    }
}

Status packer_put(Packer *p, uint64_t number, Buf *bytes, Error *err)
{
    Pieces done = {0};
    Buf due;
    Status st = OK;
    pthread_mutex_lock(&p->mu);
    turns_put(&p->turns, number, bytes);
    done.first = p->n_pieces;
    while (turns_take(&p->turns, &due)) {
        text_add_locked(p, &due, &done);
        buf_deinit(&due);
    }
    pthread_mutex_unlock(&p->mu);
    for (size_t i = 0; i < done.n; i++) {
        Status this = piece_pack(p, done.first + i, &done.list[i], st == OK ? err : NULL);
        st = st == OK ? this : st;
    }
    free(done.list);
    return st;
}

Status packer_end(Packer *p, Error *err)
{
    if (p->piece.len == 0 && p->n_pieces)
        return OK;
    Buf last = p->piece;
    p->piece = (Buf){0};
    return piece_pack(p, p->n_pieces++, &last, err);
}
