/* Temporary files of blocks, rows as bytes and back, and rows of several batches as one. */
#include "data/spill.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "data/block.h"
#include "unit.h"

static char folder[] = "/tmp/spill_test.XXXXXX";

static int n_files(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.' || e->d_name[1] == 'p';
    if (d)
        closedir(d);
    return n;
}

static void test_file(void)
{
    enum { N = 20, SIZE = 50000 };
    SpillFile *f = NULL;
    Error err = {0};
    SpillBlock blocks[N];
    char *bytes = malloc(SIZE), *back = malloc(SIZE);
    CHECK(spill_open(folder, &f, &err) == OK);
    CHECK(n_files() == 0); /* it has no name */
    srand(1);
    for (int i = 0; i < N; i++) {
        size_t n = (size_t)i * 2500;
        for (size_t k = 0; k < n; k++) /* every second one does not compress */
            bytes[k] = (char)(i % 2 ? rand() : i);
        CHECK(spill_put(f, bytes, n, &blocks[i], &err) == OK);
        CHECK(blocks[i].n_bytes == n && blocks[i].n_stored <= n);
    }
    CHECK(blocks[18].n_stored < 1000 && blocks[19].n_stored == blocks[19].n_bytes);
    CHECK(spill_bytes(f) == blocks[N - 1].at + blocks[N - 1].n_stored);
    srand(1);
    bool same = true;
    for (int i = 0; i < N; i++) {
        same &= spill_get(f, blocks[i], back, &err) == OK;
        for (size_t k = 0; k < blocks[i].n_bytes; k++)
            same &= back[k] == (char)(i % 2 ? rand() : i);
    }
    CHECK(same);
    spill_close(f);
    free(bytes);
    free(back);
}

/* Pages: those of few different bytes are packed, the others stand as they are, also behind many that were not worth it. */
static void test_pages(void)
{
    enum { N = 300, SIZE = 3000 };
    SpillFile *f = NULL;
    Error err = {0};
    Buf all = {0}, room = {0};
    size_t ends[N];
    char *bytes = malloc(SIZE);
    CHECK(spill_open(folder, &f, &err) == OK);
    srand(2);
    for (int i = 0; i < N; i++) {
        size_t n = (size_t)i * 10 + 1;
        for (size_t k = 0; k < n; k++)
            bytes[k] = (char)(i < 200 ? rand() : i);
        spill_page_pack(f, bytes, n, &all);
        ends[i] = all.len;
    }
    CHECK(ends[199] - ends[198] > 1990 && ends[N - 1] - ends[N - 2] < 200);
    SpillUnpacker *u = spill_unpacker_take(f);
    bool same = true;
    srand(2);
    for (int i = 0; i < N; i++) {
        size_t begin = i ? ends[i - 1] : 0, n = ends[i] - begin;
        const char *p = all.ptr + begin;
        same &= spill_page_unpack(f, u, &p, &n, &room, &err) == OK && n == (size_t)i * 10 + 1;
        for (size_t k = 0; k < n; k++)
            same &= p[k] == (char)(i < 200 ? rand() : i);
    }
    CHECK(same);
    const char *p = all.ptr + ends[N - 2];
    size_t n = ends[N - 1] - ends[N - 2];
    all.ptr[ends[N - 1] - 1] ^= 0x55; /* damaged, or cut */
    n -= 3;
    CHECK(spill_page_unpack(f, u, &p, &n, &room, &err) == ERR_IO);
    spill_unpacker_give(f, u);
    spill_close(f);
    buf_deinit(&all);
    buf_deinit(&room);
    free(bytes);
}

/* A file that may not grow stands for a disk that is full. */
static void test_full(void)
{
    struct rlimit old, small;
    SpillFile *f = NULL;
    SpillBlock b;
    Error err = {0};
    char bytes[4096];
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 10000;
    setrlimit(RLIMIT_FSIZE, &small);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)rand();
    CHECK(spill_open(folder, &f, &err) == OK);
    CHECK(spill_put(f, bytes, sizeof bytes, &b, &err) == OK);
    CHECK(spill_put(f, bytes, sizeof bytes, &b, &err) == OK);
    CHECK(spill_put(f, bytes, sizeof bytes, &b, &err) == ERR_IO);
    CHECK(strstr(err.text, "cannot write a temporary file in `/tmp/spill_test."));
    CHECK(strstr(err.text, "\nwhat does not fit into the budget is spilled there: set TMPDIR"));
    spill_close(f);
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK(spill_open("/nowhere/at/all", &f, &err) == ERR_IO);
    CHECK(strstr(err.text, "cannot make a temporary file in `/nowhere/at/all`: No such file"));
    CHECK(n_files() == 0);
}

/* n rows: an int, a bool that is sometimes null, a text. */
static Batch *batch_make(int64_t from, uint32_t n, char quote)
{
    Batch *b = batch_new(n, 3);
    Column *i = column_new(TYPE_INT, false, n), *l = column_new(TYPE_BOOL, false, n);
    Column *s = column_new(TYPE_STRING, true, n);
    Heap *h = heap_new(64);
    s->delimiter = ',';
    s->quote = quote;
    column_own_valid(l, true);
    for (uint32_t r = 0; r < n; r++) {
        char text[32];
        int len = r % 2 ? snprintf(text, sizeof text, "%cv %lld%c", quote, (long long)from + r, quote)
                        : snprintf(text, sizeof text, "v%lld", (long long)from + r);
        char *to = heap_alloc(h, (size_t)len);
        memcpy(to, text, (size_t)len);
        column_ints(i)[r] = from + r;
        column_bools(l)[r] = r % 3 == 0;
        if (r % 5 == 0)
            bit_clear(l->valid, r);
        column_strs(s)[r] = (StrView){to, (uint32_t)len, r % 2 ? CELL_QUOTED : 0};
    }
    column_add_heap(s, h);
    heap_unref(h);
    b->types[0] = TYPE_INT;
    b->types[1] = TYPE_BOOL;
    b->types[2] = TYPE_STRING;
    b->slots[0].values = i;
    b->slots[1].values = l;
    b->slots[2].text = s;
    return b;
}

/* Is row i of a what row k of b is? */
static bool same_row(const Batch *a, uint32_t i, const Batch *b, uint32_t k)
{
    StrView x = column_strs(a->slots[2].text)[i], y = column_strs(b->slots[2].text)[k];
    bool valid = column_is_valid(a->slots[1].values, i);
    return column_ints(a->slots[0].values)[i] == column_ints(b->slots[0].values)[k] &&
           valid == column_is_valid(b->slots[1].values, k) &&
           (!valid || column_bools(a->slots[1].values)[i] == column_bools(b->slots[1].values)[k]) &&
           x.len == y.len && x.flags == y.flags && memcmp(x.ptr, y.ptr, x.len) == 0;
}

static void test_block(void)
{
    enum { N = 300 };
    BlockInputs inputs = {0};
    Batch *b = batch_make(1, N, '"'), *plain = block_plain(b, &inputs);
    bool same = true;
    for (uint32_t first = 0; first < N; first += 37)
        for (uint32_t n = 1; first + n <= N; n += 41) {
            Buf bytes = {0};
            block_put(&bytes, plain, first, n);
            Heap *h = heap_new(bytes.len);
            memcpy(heap_alloc(h, bytes.len), bytes.ptr, bytes.len);
            Batch *back = block_get(h->bytes, h, &inputs);
            heap_unref(h);
            same &= back->n_rows == n && back->n_cols == 3 && back->types[1] == TYPE_BOOL;
            for (uint32_t i = 0; i < n; i++)
                same &= same_row(back, i, b, first + i);
            batch_unref(back);
            buf_deinit(&bytes);
        }
    CHECK(same);
    batch_unref(plain);
    batch_unref(b);
    block_inputs_deinit(&inputs);
}

static void test_interleave(void)
{
    enum { N = 100 };
    BlockInputs inputs = {0};
    Batch *from[3] = {batch_make(0, N, '"'), NULL, batch_make(1000, N, '"')};
    uint32_t src[N], rows[N];
    for (uint32_t i = 0; i < N; i++) {
        src[i] = i % 3 ? 2 : 0;
        rows[i] = N - 1 - i;
    }
    Batch *out = block_interleave(from, 3, src, rows, N, &inputs);
    bool same = out->n_rows == N;
    for (uint32_t i = 0; i < N; i++)
        same &= same_row(out, i, from[src[i]], rows[i]);
    CHECK(same);
    batch_unref(out);
    batch_unref(from[2]);
    from[2] = batch_make(1000, N, '\''); /* its cells are written in the first one's dialect */
    out = block_interleave(from, 3, src, rows, N, &inputs);
    StrView cell = column_strs(out->slots[2].text)[2];
    CHECK(out->slots[2].text->quote == '"' && cell.len == 6 && memcmp(cell.ptr, "v 1097", 6) == 0);
    batch_unref(out);
    batch_unref(from[0]);
    batch_unref(from[2]);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    test_file();
    test_pages();
    test_full();
    test_block();
    test_interleave();
    rmdir(folder);
    UNIT_END("spill");
}
