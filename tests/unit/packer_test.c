/* packer_test.c - compressed outputs: whoever brings which bytes when, the file is the same, and reads back. */
#include "data/packer.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/input.h"
#include "data/sink.h"
#include "data/turns.h"
#include "unit.h"

enum { N_THREADS = 3 };

static char folder[] = "/tmp/pipemill-packer-XXXXXX";
static uint64_t random_state;

static uint64_t random_u64(void) /* splitmix64 */
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* n bytes: words, or noise that does not get smaller. */
static Buf text_make(size_t n, bool is_noise)
{
    Buf b = {0};
    while (b.len < n)
        if (is_noise) {
            uint64_t r = random_u64();
            buf_put(&b, &r, sizeof r);
        } else {
            buf_printf(&b, "%llu,word,%u\n", (unsigned long long)random_u64() % 100000, (unsigned)(b.len % 7));
        }
    b.len = n;
    return b;
}

static Buf file_bytes(const char *path, bool unpacked)
{
    Buf b = {0};
    Error err = {0};
    size_t got = 1;
    if (unpacked) {
        Input *in = NULL;
        CHECK(input_open(str_of(path), CODING_UTF8, &in, &err) == OK);
        while (in && got) {
            buf_reserve(&b, 1 << 16);
            CHECK(input_read(in, b.ptr + b.len, 1 << 16, &got, &err) == OK);
            b.len += err.status == OK ? got : 0;
            got = err.status == OK ? got : 0;
        }
        input_close(in);
        return b;
    }
    FILE *f = fopen(path, "rb");
    while (f && got) {
        buf_reserve(&b, 1 << 16);
        b.len += got = fread(b.ptr + b.len, 1, 1 << 16, f);
    }
    if (f)
        fclose(f);
    return b;
}

/* ---- threads that bring parts of one text ---- */

typedef struct Job {
    Sink *sink;
    const Buf *text;
    const size_t *cuts; /* [n_cuts + 1] part i is cuts[i]..cuts[i + 1] */
    uint64_t n_cuts;
    _Atomic uint64_t *next;
    bool is_wrong;
} Job;

static void *bring(void *arg)
{
    Job *j = arg;
    Error err = {0};
    for (uint64_t i; (i = (*j->next)++) < j->n_cuts;) {
        Buf part = {0};
        buf_put(&part, j->text->ptr + j->cuts[i], j->cuts[i + 1] - j->cuts[i]);
        j->is_wrong |= sink_submit(j->sink, i, part.len ? &part : NULL, &err) != OK;
        buf_deinit(&part);
    }
    return NULL;
}

/* The text behind a head, in about n_cuts parts that three threads bring. */
static void file_write(const char *path, const Buf *text, uint64_t n_cuts)
{
    Sink *sink = NULL;
    Error err = {0};
    size_t *cuts = malloc((n_cuts + 1) * sizeof *cuts);
    for (uint64_t i = 0; i <= n_cuts; i++) {
        cuts[i] = i == 0 ? 0 : i == n_cuts ? text->len : text->len * i / n_cuts + random_u64() % 3;
        if (cuts[i] > text->len)
            cuts[i] = text->len;
        if (i && cuts[i] < cuts[i - 1])
            cuts[i] = cuts[i - 1];
    }
    CHECK(sink_open(str_of(path), STR_LIT("head\n"), &sink, &err) == OK);
    _Atomic uint64_t next = 0;
    pthread_t t[N_THREADS];
    Job jobs[N_THREADS];
    for (int i = 0; i < N_THREADS; i++) {
        jobs[i] = (Job){sink, text, cuts, n_cuts, &next, false};
        pthread_create(&t[i], NULL, bring, &jobs[i]);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(t[i], NULL);
        CHECK(!jobs[i].is_wrong);
    }
    CHECK(sink_commit(sink, &err) == OK);
    free(cuts);
}

static void test_file(const char *name, const char *magic, size_t n, bool is_noise)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    Buf text = text_make(n, is_noise), want = {0};
    buf_puts(&want, "head\n");
    buf_put(&want, text.ptr ? text.ptr : "", text.len);
    file_write(path, &text, 1 + n / 100000);
    Buf first = file_bytes(path, false), back = file_bytes(path, true);
    CHECK(first.len > strlen(magic) && memcmp(first.ptr, magic, strlen(magic)) == 0);
    CHECK(back.len == want.len && memcmp(back.ptr, want.ptr, want.len) == 0);
    CHECK(first.len < want.len + want.len / 50 + (want.len / PACKER_BYTES + 1) * 100);
    file_write(path, &text, 7 + n / 3000); /* in other parts */
    Buf again = file_bytes(path, false);
    CHECK(first.len == again.len && memcmp(first.ptr, again.ptr, first.len) == 0);
    buf_deinit(&text);
    buf_deinit(&want);
    buf_deinit(&first);
    buf_deinit(&back);
    buf_deinit(&again);
}

/* Without any text there is an empty member, which is a file of its kind and reads as nothing. */
static void test_empty(const char *name)
{
    char path[200];
    Sink *sink = NULL;
    Error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK(sink_open(str_of(path), (Str){0}, &sink, &err) == OK);
    CHECK(sink_submit(sink, 0, NULL, &err) == OK);
    CHECK(sink_commit(sink, &err) == OK);
    Buf packed = file_bytes(path, false), back = file_bytes(path, true);
    CHECK(packed.len > 4 && back.len == 0);
    buf_deinit(&packed);
    buf_deinit(&back);
}

static void test_names(void)
{
    static const char *const PLAIN[] = {"x.csv", "gz", "x.gz.csv", "x.GZ", "zst", "stdout"};
    for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++)
        CHECK(!packer_open(str_of(PLAIN[i]), NULL, NULL));
    Packer *p = packer_open(STR_LIT(".gz"), NULL, NULL);
    CHECK(p);
    packer_close(p);
}

/* A disk that is full says so, and goes on saying it. */
static void test_full(void)
{
    char path[200];
    Sink *sink = NULL;
    Error err = {0};
    snprintf(path, sizeof path, "%s/full.gz", folder);
    CHECK(symlink("/dev/full", path) == 0);
    CHECK(sink_open(str_of(path), STR_LIT("head\n"), &sink, &err) == OK);
    Buf text = text_make(3000000, true), more = text_make(10, false);
    CHECK(sink_submit(sink, 0, &text, &err) == ERR_IO);
    err = (Error){0};
    CHECK(sink_submit(sink, 1, &more, &err) == ERR_IO && strstr(err.text, "No space left"));
    buf_deinit(&text);
    buf_deinit(&more);
    sink_abort(sink);
}

static void test_turns(void)
{
    Turns t = {0};
    uint64_t numbers[50], taken = 0;
    for (uint64_t i = 0; i < 50; i++) {
        uint64_t k = random_u64() % (i + 1);
        numbers[i] = numbers[k];
        numbers[k] = i;
    }
    for (uint64_t i = 0; i < 50; i++) {
        Buf b = {0}, due;
        buf_printf(&b, "%llu", (unsigned long long)numbers[i]);
        turns_put(&t, numbers[i], numbers[i] % 5 ? &b : NULL);
        buf_deinit(&b);
        for (; turns_take(&t, &due); taken++) {
            CHECK(taken % 5 ? strtoull(due.ptr, NULL, 10) == taken : due.ptr == NULL);
            buf_deinit(&due);
        }
    }
    CHECK(taken == 50 && t.n == 0);
    turns_deinit(&t);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    const size_t piece = PACKER_BYTES;
    size_t sizes[] = {0, 1, piece - 6, piece - 5, piece - 4, 2 * piece - 5, 3 * piece + 12345};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int is_noise = 0; is_noise < 2; is_noise++) {
            test_file("x.csv.gz", "\x1f\x8b", sizes[i], is_noise);
            test_file("x.csv.zst", "\x28\xb5\x2f\xfd", sizes[i], is_noise);
        }
    test_empty("e.gz");
    test_empty("e.zst");
    test_names();
    test_full();
    test_turns();
    char command[300];
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
    UNIT_END("packer");
}
