/* Compressed inputs: as a whole, in pieces, cut off at every byte, with every byte damaged. */
#include "data/input.h"

#include <isa-l/igzip_lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "unit.h"

static char path[] = "/tmp/input_test_XXXXXX";

static void file_put(const char *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(p, 1, n, f) == n);
    if (f)
        fclose(f);
}

/* Reads the whole file, `piece` bytes at a time. */
static Status file_get(size_t piece, Buf *out, Error *err)
{
    Input *in = NULL;
    Status st = input_open(str_of(path), CODING_UTF8, &in, err);
    char *bytes = xmalloc(piece);
    size_t got = 1;
    buf_clear(out);
    while (st == OK && got) {
        st = input_read(in, bytes, piece, &got, err);
        if (st == OK)
            buf_put(out, bytes, got);
    }
    free(bytes);
    input_close(in);
    return st;
}

static bool is_text(const Buf *b, Str text)
{
    return b->len == text.len && (text.len == 0 || memcmp(b->ptr, text.ptr, text.len) == 0);
}

static void put_gzip(Buf *out, Str text)
{
    struct isal_zstream z;
    size_t cap = text.len + text.len / 2 + 1000;
    buf_reserve(out, cap);
    isal_deflate_init(&z);
    z.gzip_flag = IGZIP_GZIP;
    z.end_of_stream = 1;
    z.next_in = (unsigned char *)(uintptr_t)text.ptr;
    z.avail_in = text.len;
    z.next_out = (unsigned char *)out->ptr + out->len;
    z.avail_out = (uint32_t)cap;
    CHECK(isal_deflate(&z) == COMP_OK);
    out->len += z.total_out;
}

static void put_zstd(Buf *out, Str text)
{
    size_t cap = ZSTD_compressBound(text.len);
    buf_reserve(out, cap);
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    out->len += ZSTD_compress2(c, out->ptr + out->len, cap, text.ptr, text.len);
    ZSTD_freeCCtx(c);
}

typedef void Put(Buf *out, Str text);
static const size_t PIECES[] = {1, 3, 1000, 1 << 20};

static void test_whole(Put *put, Str text)
{
    Buf packed = {0}, twice = {0}, got = {0};
    Error err = {0};
    put(&packed, text);
    file_put(packed.ptr, packed.len);
    for (size_t i = 0; i < sizeof PIECES / sizeof *PIECES; i++)
        CHECK(file_get(PIECES[i], &got, &err) == OK && is_text(&got, text));
    /* One behind the other is one text. */
    buf_put(&packed, packed.ptr, packed.len);
    file_put(packed.ptr, packed.len);
    buf_put_str(&twice, text);
    buf_put_str(&twice, text);
    for (size_t i = 0; i < sizeof PIECES / sizeof *PIECES; i++)
        CHECK(file_get(PIECES[i], &got, &err) == OK && is_text(&got, buf_str(&twice)));
    buf_deinit(&packed);
    buf_deinit(&twice);
    buf_deinit(&got);
}

/* n_magic: with fewer bytes it is a text that is not compressed. */
static void test_bad(Put *put, Str text, size_t n_magic)
{
    Buf packed = {0}, got = {0};
    put(&packed, text);
    for (size_t n = 0; n < packed.len; n++) {
        Error err = {0};
        file_put(packed.ptr, n);
        Status st = file_get(7, &got, &err);
        if (n < n_magic) {
            CHECK(st == OK && is_text(&got, (Str){packed.ptr, (uint32_t)n}));
            continue;
        }
        CHECK(st == ERR_DATA && strstr(err.text, "cut off at byte") && strstr(err.file, path));
    }
    unsigned n_found = 0;
    for (size_t i = n_magic; i < packed.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            Error err = {0};
            packed.ptr[i] = (char)(packed.ptr[i] ^ (1 << bit));
            file_put(packed.ptr, packed.len);
            Status st = file_get(4096, &got, &err);
            /* The time in a gzip header may be any. */
            CHECK(st == ERR_DATA || (st == OK && is_text(&got, text)));
            n_found += st == ERR_DATA;
            packed.ptr[i] = (char)(packed.ptr[i] ^ (1 << bit));
        }
    }
    CHECK(n_found > 4 * (packed.len - n_magic));
    buf_put(&packed, "x", 1);
    file_put(packed.ptr, packed.len);
    CHECK(file_get(100, &got, NULL) == ERR_DATA);
    buf_deinit(&packed);
    buf_deinit(&got);
}

int main(void)
{
    Buf text = {0}, got = {0};
    Error err = {0};
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    for (unsigned i = 0; i < 100000; i++)
        buf_printf(&text, "%u,%u\n", i, i * 2654435761u >> 7);
    Put *const puts[] = {put_gzip, put_zstd};
    for (int i = 0; i < 2; i++) {
        test_whole(puts[i], buf_str(&text));
        test_whole(puts[i], STR_LIT("a,b\n1,2\n"));
        test_whole(puts[i], STR_LIT(""));
        test_bad(puts[i], STR_LIT("name,hp\nbulbasaur,45\nivysaur,60\n"), i == 0 ? 2 : 4);
    }
    /* Zeros behind gzip data are padding; other bytes are a mistake. */
    Buf packed = {0};
    put_gzip(&packed, STR_LIT("a\n1\n"));
    for (int i = 0; i < 100; i++)
        buf_putc(&packed, '\0');
    file_put(packed.ptr, packed.len);
    CHECK(file_get(10, &got, &err) == OK && is_text(&got, STR_LIT("a\n1\n")));
    /* A frame of zstd that is to be skipped. */
    buf_clear(&packed);
    buf_put(&packed, "\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
    put_zstd(&packed, STR_LIT("a\n1\n"));
    file_put(packed.ptr, packed.len);
    CHECK(file_get(10, &got, &err) == OK && is_text(&got, STR_LIT("a\n1\n")));
    /* What is not compressed, whatever the pieces. */
    file_put(text.ptr, text.len);
    CHECK(file_get(3, &got, &err) == OK && is_text(&got, buf_str(&text)));
    CHECK(file_get(1 << 20, &got, &err) == OK && is_text(&got, buf_str(&text)));
    unlink(path);
    CHECK(file_get(1, &got, &err) == ERR_IO);
    buf_deinit(&text);
    buf_deinit(&got);
    buf_deinit(&packed);
    UNIT_END("input");
}
