/* A file is MAGIC, then parts: the first one says how many there are and has inputs and notes, each other one has rows. */
#include "data/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/map.h"
#include "data/block.h"

#define MAGIC "pmkept1\n" /* the next number when anything below, or of block.c, is laid out otherwise */
#define LEVEL 1
#define PART_BYTES (4u << 20) /* of rows, about, before they are compressed */

typedef struct PartHead {
    uint64_t n_bytes, n_stored; /* n_stored == n_bytes: not compressed */
    uint64_t sum;               /* XXH3 of what is stored, seeded with n_bytes */
} PartHead;

/* ---- pieces of bytes ---- */

static void number_put(Buf *out, uint64_t v)
{
    buf_put(out, &v, sizeof v);
}

static void text_put(Buf *out, Str s)
{
    number_put(out, s.len);
    buf_put_str(out, s);
}

static uint64_t number_take(const char **p)
{
    uint64_t v;
    memcpy(&v, *p, sizeof v);
    *p += sizeof v;
    return v;
}

static Str text_take(const char **p)
{
    uint32_t len = (uint32_t)number_take(p);
    Str s = {*p, len};
    *p += len;
    return s;
}

/* ---- inputs ---- */

struct KeptInputs {
    pthread_mutex_t mu;
    Arena *arena;
    Map known; /* guarded by mu: bytes as input_put makes them -> CsvInput, one reference each */
};

KeptInputs *kept_inputs_open(void)
{
    KeptInputs *k = xcalloc(1, sizeof *k);
    pthread_mutex_init(&k->mu, NULL);
    k->arena = arena_open();
    map_init(&k->known, k->arena);
    return k;
}

void kept_inputs_close(KeptInputs *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->known.n; i++)
        csv_input_unref(k->known.entries[i].value);
    arena_close(k->arena);
    pthread_mutex_destroy(&k->mu);
    free(k);
}

/* Who adds a field puts and takes it here. */
enum { N_MARKS = 7 };
_Static_assert(sizeof(void *) != 8 || sizeof(CsvDialect) == 32, "input_put and input_make have all of a dialect");

static void input_put(Buf *out, const CsvInput *in)
{
    const CsvDialect *d = &in->dialect;
    text_put(out, in->file);
    text_put(out, in->first);
    const unsigned char marks[N_MARKS] = {(unsigned char)d->format, (unsigned char)d->delimiter, (unsigned char)d->quote,
                                          d->has_header, d->use_libcsv, (unsigned char)d->mode, (unsigned char)d->coding};
    buf_put(out, marks, sizeof marks);
    text_put(out, d->null_word);
    number_put(out, in->n_cols);
    for (uint32_t i = 0; i < in->n_cols; i++) {
        text_put(out, in->names[i]);
        number_put(out, in->inferred_rows ? in->inferred_rows[i] : 0);
    }
    number_put(out, in->map ? in->n_schema : 0);
    for (uint32_t i = 0; in->map && i < in->n_schema; i++)
        number_put(out, in->map[i]);
}

static CsvInput *input_make(const char *p)
{
    CsvInput *in = xcalloc(1, sizeof *in);
    atomic_init(&in->refs, 1);
    in->arena = arena_open();
    in->file = arena_str(in->arena, text_take(&p));
    in->first = arena_str(in->arena, text_take(&p));
    const unsigned char *marks = (const unsigned char *)p;
    p += N_MARKS;
    in->dialect = (CsvDialect){.format = (RowFormat)marks[0], .delimiter = (char)marks[1], .quote = (char)marks[2],
                               .has_header = marks[3], .use_libcsv = marks[4], .mode = (TableMode)marks[5],
                               .coding = (TextCoding)marks[6]};
    in->dialect.null_word = arena_str(in->arena, text_take(&p));
    in->n_cols = (uint32_t)number_take(&p);
    in->names = arena_array(in->arena, Str, in->n_cols + 1ull);
    in->inferred_rows = arena_array(in->arena, uint64_t, in->n_cols + 1ull);
    for (uint32_t i = 0; i < in->n_cols; i++) {
        in->names[i] = arena_str(in->arena, text_take(&p));
        in->inferred_rows[i] = number_take(&p);
    }
    in->n_schema = (uint32_t)number_take(&p);
    in->map = in->n_schema ? arena_array(in->arena, uint32_t, in->n_schema) : NULL;
    for (uint32_t i = 0; i < in->n_schema; i++)
        in->map[i] = (uint32_t)number_take(&p);
    return in;
}

/* The input of those bytes; a new reference. */
static CsvInput *input_of(KeptInputs *k, Str bytes)
{
    pthread_mutex_lock(&k->mu);
    CsvInput *in = map_get(&k->known, bytes);
    if (!in) {
        in = input_make(bytes.ptr);
        map_put(&k->known, arena_str(k->arena, bytes), in);
    }
    csv_input_ref(in);
    pthread_mutex_unlock(&k->mu);
    return in;
}

/* ---- writing ---- */

static Status write_error(const char *path, Error *err)
{
    char shown[200];
    int why = errno;
    text_visible(str_of(path), shown, sizeof shown);
    return error_set(err, ERR_IO, "cannot keep what `@checkpoint` says in `%s`: %s\n"
                                  "make room there, or leave `@checkpoint` out",
                     shown, strerror(why));
}

static Status read_error(const char *path, const char *why, Error *err)
{
    char shown[200];
    text_visible(str_of(path), shown, sizeof shown);
    return error_set(err, ERR_IO, "cannot read what was kept in `%s`: %s\n"
                                  "`pipemill resume` once more leaves it out",
                     shown, why);
}

static bool part_put(FILE *f, const Buf *bytes, Buf *packed)
{
    buf_clear(packed);
    buf_reserve(packed, ZSTD_compressBound(bytes->len));
    size_t k = ZSTD_compress(packed->ptr, packed->cap, bytes->ptr, bytes->len, LEVEL);
    bool is_packed = !ZSTD_isError(k) && k < bytes->len;
    const char *p = is_packed ? packed->ptr : bytes->ptr;
    PartHead h = {.n_bytes = bytes->len, .n_stored = is_packed ? k : bytes->len};
    h.sum = XXH3_64bits_withSeed(p, h.n_stored, h.n_bytes);
    return fwrite(&h, sizeof h, 1, f) == 1 && fwrite(p, 1, h.n_stored, f) == h.n_stored;
}

static bool parts_put(FILE *f, const Batch *plain, const BlockInputs *inputs, Str notes)
{
    Buf bytes = {0}, packed = {0}, one = {0};
    uint64_t row_bytes = batch_held_bytes(plain) / (plain->n_rows ? plain->n_rows : 1) + 1;
    uint32_t at_once = row_bytes < PART_BYTES ? (uint32_t)(PART_BYTES / row_bytes) : 1;
    uint32_t n_parts = plain->n_rows ? (plain->n_rows - 1) / at_once + 1 : 1; /* without rows it still has columns */
    number_put(&bytes, n_parts);
    text_put(&bytes, notes);
    number_put(&bytes, inputs->n);
    for (uint32_t i = 0; i < inputs->n; i++) {
        buf_clear(&one);
        input_put(&one, inputs->ptr[i]);
        text_put(&bytes, buf_str(&one));
    }
    bool ok = fwrite(MAGIC, sizeof MAGIC - 1, 1, f) == 1 && part_put(f, &bytes, &packed);
    for (uint32_t i = 0; i < n_parts && ok; i++) {
        uint32_t first = i * at_once, left = plain->n_rows - first;
        buf_clear(&bytes);
        block_put(&bytes, plain, first, left < at_once ? left : at_once);
        ok = part_put(f, &bytes, &packed);
    }
    buf_deinit(&bytes);
    buf_deinit(&packed);
    buf_deinit(&one);
    return ok;
}

Status kept_write(const char *path, Batch *b, Str notes, Error *err)
{
    Buf temp = {0};
    BlockInputs inputs = {0};
    buf_printf(&temp, "%s.new", path);
    int fd = open(temp.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    FILE *f = fd >= 0 ? fdopen(fd, "wb") : NULL;
    Status st = f ? OK : write_error(temp.ptr, err);
    if (!f && fd >= 0) {
        close(fd);
        unlink(temp.ptr);
    }
    if (f) {
        Batch *plain = block_plain(b, &inputs);
        bool ok = parts_put(f, plain, &inputs, notes) && fflush(f) == 0 && fsync(fd) == 0;
        if (!ok)
            st = write_error(temp.ptr, err);
        if (fclose(f) != 0 && st == OK)
            st = write_error(temp.ptr, err);
        batch_unref(plain);
        /* That the folder knows the new name is not waited for: a file that is lost with it is made again. */
        if (st == OK && rename(temp.ptr, path) != 0)
            st = write_error(temp.ptr, err);
        if (st != OK)
            unlink(temp.ptr);
    }
    block_inputs_deinit(&inputs);
    buf_deinit(&temp);
    return st;
}

/* ---- reading ---- */

static FILE *kept_open(const char *path)
{
    char magic[sizeof MAGIC - 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    FILE *f = fd >= 0 ? fdopen(fd, "rb") : NULL;
    if (!f && fd >= 0)
        close(fd);
    if (f && (fread(magic, sizeof magic, 1, f) != 1 || memcmp(magic, MAGIC, sizeof magic) != 0)) {
        fclose(f);
        return NULL;
    }
    return f;
}

/* The next part as it was put. False: there is none, or it is damaged. */
static bool part_get(FILE *f, Buf *stored, Heap **out)
{
    PartHead h;
    if (fread(&h, sizeof h, 1, f) != 1 || h.n_stored > h.n_bytes)
        return false;
    buf_clear(stored);
    for (uint64_t left = h.n_stored; left; ) { /* what a damaged head says is not believed before the bytes are there */
        size_t n = left < PART_BYTES ? (size_t)left : PART_BYTES;
        buf_reserve(stored, n);
        if (fread(stored->ptr + stored->len, 1, n, f) != n)
            return false;
        stored->len += n;
        left -= n;
    }
    if (XXH3_64bits_withSeed(stored->ptr, stored->len, h.n_bytes) != h.sum)
        return false;
    if (!out)
        return true;
    Heap *heap = heap_new(h.n_bytes);
    char *to = heap_alloc(heap, h.n_bytes);
    if (h.n_stored == h.n_bytes)
        memcpy(to, stored->ptr, h.n_bytes);
    else if (ZSTD_decompress(to, h.n_bytes, stored->ptr, stored->len) != h.n_bytes) {
        heap_unref(heap);
        return false;
    }
    *out = heap;
    return true;
}

bool kept_is_whole(const char *path)
{
    FILE *f = kept_open(path);
    Buf stored = {0};
    Heap *head = NULL;
    bool ok = f && part_get(f, &stored, &head);
    const char *p = ok ? head->bytes : NULL;
    for (uint64_t left = ok ? number_take(&p) : 0; left && ok; left--)
        ok = part_get(f, &stored, NULL);
    ok = ok && fgetc(f) == EOF;
    heap_unref(head);
    buf_deinit(&stored);
    if (f)
        fclose(f);
    return ok;
}

static uint64_t head_take(const Heap *head, KeptInputs *known, BlockInputs *inputs, Buf *notes)
{
    const char *p = head->bytes;
    uint64_t n_parts = number_take(&p);
    buf_put_str(notes, text_take(&p));
    uint64_t n = number_take(&p);
    inputs->ptr = xcalloc(n + 1, sizeof *inputs->ptr);
    for (; inputs->n < n; inputs->n++)
        inputs->ptr[inputs->n] = input_of(known, text_take(&p));
    return n_parts;
}

Status kept_read(const char *path, KeptInputs *known, Batch **out, Buf *notes, Error *err)
{
    FILE *f = kept_open(path);
    if (!f)
        return read_error(path, "it is not there, or not whole", err);
    Buf stored = {0};
    BlockInputs inputs = {0};
    Heap *head = NULL;
    bool ok = part_get(f, &stored, &head);
    uint64_t n_parts = ok ? head_take(head, known, &inputs, notes) : 0, n = 0;
    Batch **parts = xcalloc(n_parts + 1, sizeof(Batch *));
    while (ok && n < n_parts) {
        Heap *heap = NULL;
        ok = part_get(f, &stored, &heap);
        if (ok)
            parts[n++] = block_get(heap->bytes, heap, &inputs);
        heap_unref(heap);
    }
    if (ok)
        *out = n == 1 ? batch_ref(parts[0]) : batch_concat(parts, (uint32_t)n, parts[0]->n_cols, parts[0]->types);
    for (uint64_t i = 0; i < n; i++)
        batch_unref(parts[i]);
    free(parts);
    heap_unref(head);
    block_inputs_deinit(&inputs);
    buf_deinit(&stored);
    fclose(f);
    return ok ? OK : read_error(path, "it is damaged", err);
}
