/* Any bytes as an input that may be compressed and in any coding: read in pieces of two sizes it is the same text and the
 * same end. */
#include "fuzz.h"

#include <string.h>
#include <unistd.h>

#include "data/input.h"

#define TEXT_MAX (4u << 20) /* a few bytes of zstd may say a million times nothing */

static Status text_of(Str path, TextCoding coding, size_t piece, Buf *out, Error *err)
{
    Input *in = NULL;
    size_t got = 1;
    Status st = input_open(path, coding, &in, err);
    while (st == OK && got && out->len < TEXT_MAX) {
        buf_reserve(out, piece);
        st = input_read(in, out->ptr + out->len, piece, &got, err);
        out->len += got;
        MUST(got <= piece);
    }
    input_close(in);
    return st;
}

static void coding_try(Str path, TextCoding coding, size_t piece)
{
    Buf a = {0}, b = {0};
    Error a_err = {0}, b_err = {0};
    Status a_st = text_of(path, coding, 1 << 16, &a, &a_err);
    Status b_st = text_of(path, coding, piece, &b, &b_err);
    size_t n = a.len < b.len ? a.len : b.len;
    MUST(n == 0 || memcmp(a.ptr, b.ptr, n) == 0);
    if (a.len < TEXT_MAX && b.len < TEXT_MAX)
        MUST(a_st == b_st && (a_st != OK || a.len == b.len));
    buf_deinit(&a);
    buf_deinit(&b);
}

int fuzz_input(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/input_fuzz_XXXXXX";
    int fd = mkstemp(path);
    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
    for (TextCoding c = CODING_UTF8; c <= CODING_UTF16; c++)
        coding_try(str_of(path), c, 1 + (size & 63));
    unlink(path);
    return 0;
}

FUZZER(fuzz_input)
