#define _GNU_SOURCE /* F_SETPIPE_SZ */

#include "data/input.h"

#include <errno.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "data/raw.h"

#define PACKED_BYTES (64u << 10) /* of the compressed input at a time */
#define MAGIC_BYTES 4
#define FRAME_HEAD_BYTES 18 /* at most, of a zstd frame */
#define BZIP2_MAGIC_BYTES 10 /* its own and those of the first block, or of the end */
#define CODED_BYTES (64u << 10) /* of a text that is converted at a time */
#define PIPE_BYTES (1 << 20) /* wanted of a pipe: fewer switches between the two processes */
#ifdef PIPEMILL_STRESS
#define READ_MAX 7 /* bytes of one read(): every boundary falls everywhere */
#else
#define READ_MAX (1u << 20)
#endif

typedef enum Packing { PACKING_UNKNOWN, PACKING_NONE, PACKING_GZIP, PACKING_ZSTD } Packing;

struct Input {
    InputGive give; /* NULL: it is fd that is read */
    void *give_ctx;
    int fd;
    char *path; /* for messages; owned */
    bool is_regular;
    Packing packing;
    char *bytes;      /* [PACKED_BYTES] of the file, read ahead: bytes[at..end); NULL: none */
    size_t at, end;
    uint64_t n_read;  /* bytes of the file so far */
    bool at_eof;      /* of the file */
    bool is_between;  /* before the first gzip member or zstd frame, or behind one that is complete */
    struct inflate_state *gzip; /* owned */
    ZSTD_DStream *zstd;         /* owned */
    uint64_t frame_size;        /* bytes of text that the zstd frame says it holds; ZSTD_CONTENTSIZE_UNKNOWN */
    uint64_t n_unpacked;        /* bytes of text of this frame so far */
    struct Coded *coded;        /* owned; NULL: the bytes are the text */
};

/* Text that is being made UTF-8. */
typedef struct Coded {
    TextCoding coding;
    char raw[CODED_BYTES]; /* raw[at..end) are read and not converted */
    size_t at, end;
    uint64_t n_done;       /* bytes of the text before raw[at] */
    char rest[4];          /* of a character that the caller had no room for */
    size_t n_rest;
    bool is_begun, is_big, at_eof;
} Coded;

static Status input_error(const Input *in, const char *doing, Error *err)
{
    char shown[200];
    Str path = str_of(in->path);
    text_visible(path, shown, sizeof shown);
    error_set(err, ERR_IO, "cannot %s `%s`: %s", doing, shown, strerror(errno));
    error_at(err, path, 0, 0);
    return ERR_IO;
}

/* Something is wrong with the compressed bytes at bytes[at]. */
static Status packed_error(const Input *in, const char *what, const char *why, Error *err)
{
    error_set(err, ERR_DATA, "%s at byte %llu of the compressed input%s%s: make or fetch it again",
              what, (unsigned long long)(in->n_read - (in->end - in->at)), *why ? ": " : "", why);
    error_at(err, str_of(in->path), 0, 0);
    return ERR_DATA;
}

static bool is_stdin(Str path)
{
    return str_is(path, "stdin") || str_is(path, "-");
}

Status input_open(Str path, TextCoding coding, Input **out, Error *err)
{
    Input *in = xcalloc(1, sizeof *in);
    if (coding != CODING_UTF8) {
        in->coded = xcalloc(1, sizeof *in->coded);
        in->coded->coding = coding;
    }
    in->is_between = true;
    in->path = is_stdin(path) ? xstrndup("stdin", 5) : xstrndup(path.ptr, path.len);
    in->fd = is_stdin(path) ? STDIN_FILENO : open(in->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    *out = in;
    if (in->fd < 0) {
        Status st = input_error(in, "open", err);
        input_close(in);
        *out = NULL;
        return st;
    }
    struct stat info = {0};
    if (fstat(in->fd, &info) == 0) {
        in->is_regular = S_ISREG(info.st_mode) && in->fd != STDIN_FILENO;
#ifdef F_SETPIPE_SZ
        if (S_ISFIFO(info.st_mode))
            (void)fcntl(in->fd, F_SETPIPE_SZ, PIPE_BYTES); /* a wish: refused, it stays as it is */
#endif
    }
    return OK;
}

Input *input_of(InputGive give, void *ctx)
{
    Input *in = xcalloc(1, sizeof *in);
    in->give = give;
    in->give_ctx = ctx;
    in->fd = -1;
    in->packing = PACKING_NONE;
    return in;
}

void input_close(Input *in)
{
    if (!in)
        return;
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    ZSTD_freeDStream(in->zstd);
    free(in->gzip);
    free(in->coded);
    free(in->bytes);
    free(in->path);
    free(in);
}

bool input_is_regular(const Input *in)
{
    return in->is_regular;
}

bool input_is_plain(const Input *in)
{
    return in->is_regular && in->packing == PACKING_NONE && !in->coded;
}

Status input_read_at(const Input *in, uint64_t at, char *to, size_t n, size_t *got, Error *err)
{
    for (*got = 0; *got < n;) {
        size_t left = n - *got;
        ssize_t k = pread(in->fd, to + *got, left < READ_MAX ? left : READ_MAX, (off_t)(at + *got));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return input_error(in, "read", err);
        if (k == 0)
            return OK;
        *got += (size_t)k;
    }
    return OK;
}

/* Up to n bytes of the file; *got = 0 at its end. */
static Status file_read(Input *in, char *to, size_t n, size_t *got, Error *err)
{
    ssize_t k;
    if (in->give) {
        Status st = in->give(in->give_ctx, to, n < READ_MAX ? n : READ_MAX, got, err);
        in->n_read += *got;
        in->at_eof = st == OK && *got == 0;
        return st;
    }
    do
        k = read(in->fd, to, n < READ_MAX ? n : READ_MAX);
    while (k < 0 && errno == EINTR);
    *got = k > 0 ? (size_t)k : 0;
    in->n_read += *got;
    in->at_eof = k == 0;
    return k < 0 ? input_error(in, "read", err) : OK;
}

/* Reads ahead until there are n bytes in bytes[at..end), or fewer at the end of the file. */
static Status ahead(Input *in, size_t n, Error *err)
{
    Status st = OK;
    if (!in->bytes)
        in->bytes = xmalloc(PACKED_BYTES);
    if (in->end - in->at < n && in->at) {
        memmove(in->bytes, in->bytes + in->at, in->end - in->at);
        in->end -= in->at;
        in->at = 0;
    }
    while (st == OK && in->end - in->at < n && !in->at_eof) {
        size_t got;
        st = file_read(in, in->bytes + in->end, PACKED_BYTES - in->end, &got, err);
        in->end += got;
    }
    return st;
}

static Packing packing_of(const char *p, size_t n)
{
    if (n >= 2 && memcmp(p, "\x1f\x8b", 2) == 0)
        return PACKING_GZIP;
    if (n >= 4 && memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0)
        return PACKING_ZSTD;
    /* A frame to be skipped may come first. */
    if (n >= 4 && (p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0)
        return PACKING_ZSTD;
    return PACKING_NONE;
}

/* At the start of a gzip member, or at the end of them: then bytes[at..end) are empty. */
static Status member_start(Input *in, Error *err)
{
    Status st = ahead(in, 2, err);
    while (st == OK && in->end > in->at && in->bytes[in->at] == 0) { /* tapes and block devices fill up */
        in->at++;
        st = ahead(in, 2, err);
    }
    if (st != OK || in->end == in->at)
        return st;
    if (packing_of(in->bytes + in->at, in->end - in->at) != PACKING_GZIP)
        return packed_error(in, "behind the gzip data is something else,", "", err);
    isal_inflate_reset(in->gzip);
    in->gzip->crc_flag = ISAL_GZIP;
    in->is_between = false;
    return OK;
}

static const char *gzip_words(int code)
{
    switch (code) {
    case ISAL_INVALID_BLOCK: return "an invalid block";
    case ISAL_INVALID_SYMBOL: return "an invalid symbol";
    case ISAL_INVALID_LOOKBACK: return "a reference to what never was";
    case ISAL_INVALID_WRAPPER: return "an invalid header";
    case ISAL_UNSUPPORTED_METHOD: return "a method that is not deflate";
    case ISAL_INCORRECT_CHECKSUM: return "the checksum is wrong";
    default: return "";
    }
}

static Status gzip_read(Input *in, char *to, size_t n, size_t *got, Error *err)
{
    struct inflate_state *z = in->gzip;
    uint32_t want = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
    for (*got = 0; *got == 0;) {
        if (in->is_between) {
            Status st = member_start(in, err);
            if (st != OK || in->is_between)
                return st;
        }
        z->next_in = (unsigned char *)in->bytes + in->at;
        z->avail_in = (uint32_t)(in->end - in->at);
        z->next_out = (unsigned char *)to;
        z->avail_out = want;
        int code = isal_inflate(z);
        bool moves = in->at < in->end - z->avail_in || z->avail_out < want || in->at == in->end;
        in->at = in->end - z->avail_in;
        *got = want - z->avail_out;
        if (code != ISAL_DECOMP_OK || !moves)
            return packed_error(in, "damaged gzip data", gzip_words(code), err);
        in->is_between = z->block_state == ISAL_BLOCK_FINISH;
        if (*got || in->is_between || in->end > in->at)
            continue;
        Status st = ahead(in, 1, err);
        if (st != OK)
            return st;
        if (in->at == in->end)
            return packed_error(in, "the gzip data are cut off", "", err);
    }
    return OK;
}

/* At the start of a frame. libzstd gets its first byte alone: a frame that is there whole and fits the caller's
 * buffer it would unpack by other code, which refuses other frames than that for streams. */
static Status frame_start(Input *in, size_t *n_packed, Error *err)
{
    Status st = ahead(in, FRAME_HEAD_BYTES, err);
    in->frame_size = ZSTD_getFrameContentSize(in->bytes + in->at, in->end - in->at);
    in->n_unpacked = 0;
    *n_packed = 1;
    return st;
}

static Status frame_end(Input *in, Error *err)
{
    bool is_known = in->frame_size != ZSTD_CONTENTSIZE_UNKNOWN && in->frame_size != ZSTD_CONTENTSIZE_ERROR;
    if (is_known && in->frame_size != in->n_unpacked)
        return packed_error(in, "damaged zstd data", "a frame holds fewer bytes than it says", err);
    return OK;
}

static Status zstd_read(Input *in, char *to, size_t n, size_t *got, Error *err)
{
    for (*got = 0; *got == 0;) {
        size_t n_packed = in->end - in->at;
        if (in->is_between && n_packed) {
            Status st = frame_start(in, &n_packed, err);
            if (st != OK)
                return st;
        }
        if (!in->is_between || n_packed) {
            ZSTD_outBuffer out = {to, n, 0};
            ZSTD_inBuffer from = {in->bytes + in->at, n_packed, 0};
            size_t left = ZSTD_decompressStream(in->zstd, &out, &from);
            if (ZSTD_isError(left))
                return packed_error(in, "damaged zstd data", ZSTD_getErrorName(left), err);
            in->at += from.pos;
            *got = out.pos;
            in->n_unpacked += out.pos;
            in->is_between = left == 0;
            Status st = in->is_between ? frame_end(in, err) : OK;
            if (st != OK)
                return st;
        }
        if (*got || in->end > in->at)
            continue;
        Status st = ahead(in, 1, err);
        if (st != OK)
            return st;
        if (in->at < in->end)
            continue;
        return in->is_between ? OK : packed_error(in, "the zstd data are cut off", "", err);
    }
    return OK;
}

/* What is packed in a way that is not read, and would pass for a text of odd characters. */
typedef struct Foreign {
    const char *name, *unpack; /* the command, which the file follows */
    const char *magic;         /* 4 bytes */
} Foreign;

static const Foreign foreigns[] = {
    {"xz", "xz -dc", "\xfd"
                        "7zX"},
    {"a zip archive", "unzip -p", "PK\x03\x04"},
    {"a 7z archive", "7z x -so", "7z\xbc\xaf"},
};

/* `BZh9` by itself may be the name of a column. */
static Status is_bzip2(Input *in, bool *out, Error *err)
{
    *out = in->end >= 4 && memcmp(in->bytes, "BZh", 3) == 0 && in->bytes[3] >= '1' && in->bytes[3] <= '9';
    Status st = *out ? ahead(in, BZIP2_MAGIC_BYTES, err) : OK;
    *out = *out && in->end >= BZIP2_MAGIC_BYTES &&
           (memcmp(in->bytes + 4, "1AY&SY", 6) == 0 || memcmp(in->bytes + 4, "\x17rE8P\x90", 6) == 0);
    return st;
}

static Status refuse_foreign(Input *in, Error *err)
{
    static const Foreign bzip2 = {.name = "bzip2", .unpack = "bzip2 -dc"};
    const Foreign *f = NULL;
    bool is_bz = false;
    Status st = is_bzip2(in, &is_bz, err);
    if (st != OK)
        return st;
    if (is_bz)
        f = &bzip2;
    for (size_t i = 0; i < sizeof foreigns / sizeof *foreigns && in->end >= 4; i++)
        if (memcmp(in->bytes, foreigns[i].magic, 4) == 0)
            f = &foreigns[i];
    if (!f)
        return OK;
    char shown[200];
    bool is_named = !str_is(str_of(in->path), "stdin");
    text_visible(str_of(in->path), shown, sizeof shown);
    const char *file = is_named ? shown : "FILE";
    error_set(err, ERR_DATA,
              "`%s` is %s, which is not read\n"
              "unpack it on the way: `%s %s | pipemill run ...` and `read ... stdin`; gzip and zstd are read as they are",
              shown, f->name, f->unpack, file);
    error_at(err, str_of(in->path), 0, 0);
    return ERR_DATA;
}

/* Looks at the first bytes. */
static Status find_packing(Input *in, Error *err)
{
    Status st = ahead(in, MAGIC_BYTES, err);
    if (st == OK)
        st = refuse_foreign(in, err);
    if (st != OK)
        return st;
    in->packing = packing_of(in->bytes, in->end);
    if (in->packing == PACKING_GZIP) {
        in->gzip = xmalloc(sizeof *in->gzip);
        isal_inflate_init(in->gzip);
    } else if (in->packing == PACKING_ZSTD) {
        in->zstd = ZSTD_createDStream();
        if (!in->zstd)
            return error_set(err, ERR_NOMEM, "no memory to decompress");
    }
    return OK;
}

/* Up to n bytes of the text as it is coded. */
static Status bytes_read(Input *in, char *to, size_t n, size_t *got, Error *err)
{
    Status st = OK;
    *got = 0;
    if (in->packing == PACKING_UNKNOWN)
        st = find_packing(in, err);
    if (st == OK && in->packing == PACKING_GZIP)
        st = gzip_read(in, to, n, got, err);
    if (st == OK && in->packing == PACKING_ZSTD)
        st = zstd_read(in, to, n, got, err);
    if (st != OK)
        *got = 0;
    if (st != OK || in->packing != PACKING_NONE)
        return st;
    if (in->at < in->end) { /* what was read to look at it */
        *got = in->end - in->at < n ? in->end - in->at : n;
        memcpy(to, in->bytes + in->at, *got);
        in->at += *got;
        return OK;
    }
    free(in->bytes);
    in->bytes = NULL;
    return in->at_eof ? OK : file_read(in, to, n, got, err);
}

/* ---- text of another coding ---- */

/* The text is not what it was said to be. what: up to `at byte`, and which byte; or all of it, and line 1. */
static Status coded_error(const Input *in, Error *err, const char *what, bool has_byte)
{
    if (has_byte)
        error_set(err, ERR_DATA, "%s at byte %llu: this is no UTF-16, or it is damaged", what, (unsigned long long)in->coded->n_done);
    else
        error_set(err, ERR_DATA, "%s", what);
    error_at(err, str_of(in->path), has_byte ? 0 : 1, 0);
    return ERR_DATA;
}

/* Reads on behind raw[at..end). */
static Status coded_fill(Input *in, Error *err)
{
    Coded *c = in->coded;
    size_t got;
    memmove(c->raw, c->raw + c->at, c->end - c->at);
    c->end -= c->at;
    c->at = 0;
    Status st = bytes_read(in, c->raw + c->end, sizeof c->raw - c->end, &got, err);
    c->end += got;
    c->at_eof = st == OK && got == 0;
    return st;
}

/* Looks for a mark: one of another coding than was named tells that the name is wrong. */
static Status coded_begin(Input *in, Error *err)
{
    Coded *c = in->coded;
    size_t mark;
    Status st = OK;
    c->is_begun = true;
    while (st == OK && c->end < TEXT_LOOK_BYTES && !c->at_eof)
        st = coded_fill(in, err);
    if (st != OK)
        return st;
    c->is_big = text_utf16_is_big(c->raw, c->end, &mark);
    if (c->end >= 3 && memcmp(c->raw, "\xef\xbb\xbf", 3) == 0)
        return coded_error(in, err, "this begins with the byte order mark of UTF-8: leave `encoding` out", false);
    if (mark && c->coding != CODING_UTF16)
        return coded_error(in, err, "this begins with the byte order mark of UTF-16: write `encoding: \"utf-16\"`", false);
    if (!mark && c->coding == CODING_UTF16 && c->end >= 2 && !memchr(c->raw, '\0', c->end)) /* no line end, no comma */
        return coded_error(in, err, "this has no byte order mark and does not begin as UTF-16 does: leave `encoding` out, or name another", false);
    c->at = mark;
    c->n_done = mark;
    return OK;
}

/* As many characters as have room; *got may be 0 where the last one is not whole. */
static Status coded_convert(Input *in, char *to, size_t n, size_t *got, Error *err)
{
    Coded *c = in->coded;
    size_t used;
    bool is_bad = false;
    if (c->coding == CODING_UTF16)
        *got = text_from_utf16(c->raw + c->at, c->end - c->at, c->is_big, to, n, &used, &is_bad);
    else
        *got = text_from_1252(c->raw + c->at, c->end - c->at, to, n, &used);
    c->at += used;
    c->n_done += used;
    if (is_bad && *got == 0)
        return coded_error(in, err, "half of a surrogate pair", true);
    return OK;
}

static Status coded_read(Input *in, char *to, size_t n, size_t *got, Error *err)
{
    Coded *c = in->coded;
    Status st = c->is_begun ? OK : coded_begin(in, err);
    while (st == OK && *got == 0) {
        if (c->n_rest) {
            *got = c->n_rest < n ? c->n_rest : n;
            memcpy(to, c->rest, *got);
            memmove(c->rest, c->rest + *got, c->n_rest -= *got);
            return OK;
        }
        bool is_narrow = n < sizeof c->rest;
        st = coded_convert(in, is_narrow ? c->rest : to, is_narrow ? sizeof c->rest : n, is_narrow ? &c->n_rest : got, err);
        if (st != OK || *got || c->n_rest)
            continue;
        if (c->at_eof && c->end > c->at)
            return coded_error(in, err, "the text ends within a character", true);
        if (c->at_eof)
            return OK;
        st = coded_fill(in, err);
    }
    return st;
}

Status input_read(Input *in, char *to, size_t n, size_t *got, Error *err)
{
    *got = 0;
    return in->coded ? coded_read(in, to, n, got, err) : bytes_read(in, to, n, got, err);
}
