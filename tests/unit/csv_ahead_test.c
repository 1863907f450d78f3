/* Blocks that others read before their turn: what the reader gives is the same, whoever reads them, wherever they end, and
 * whether the guess is right. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/csv_ahead.h"
#include "data/csv_read.h"
#include "data/reject.h"

enum { MOST_HELPERS = 3 };

static char path[] = "/tmp/pipemill-ahead-XXXXXX";

static void file_write(Str text)
{
    FILE *f = fopen(path, "wb");
    CHECK(fwrite(text.ptr, 1, text.len, f) == text.len);
    fclose(f);
}

/* ---- texts */

static uint64_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

typedef struct Kind {
    const char *name;
    const char *eol;
    uint32_t quoted, blank, stray; /* one of so many fields or lines; 0: none */
    uint32_t longest;              /* bytes of a field */
} Kind;

static const Kind kinds[] = {
    {"plain", "\n", 0, 0, 0, 8},          {"quoted", "\n", 2, 0, 0, 20},       {"crlf", "\r\n", 3, 0, 0, 8},
    {"cr", "\r", 4, 0, 0, 8},             {"blank lines", "\n", 5, 3, 0, 6},   {"stray quotes", "\n", 3, 9, 3, 8},
    {"long fields", "\n", 3, 0, 0, 3000}, {"blank crlf", "\r\n", 4, 2, 5, 5},
};

static void field_put(Buf *b, const Kind *k)
{
    uint32_t n = below(k->longest);
    if (k->quoted && below(k->quoted) == 0) {
        buf_putc(b, '"');
        while (n--)
            buf_puts(b, (const char *[]){"x", "yz", ",", "\n", "\"\"", "\r\n", " "}[below(7)]);
        buf_putc(b, '"');
        return;
    }
    while (n--)
        buf_putc(b, (char)('a' + below(26)));
    if (k->stray && below(k->stray) == 0)
        buf_puts(b, "v\"w");
}

static void text_make(Buf *b, const Kind *k, uint32_t n_rows)
{
    buf_clear(b);
    buf_puts(b, "a,b,c\n");
    for (uint32_t r = 0; r < n_rows; r++) {
        for (uint32_t c = 0; c < 3; c++) {
            field_put(b, k);
            buf_puts(b, c < 2 ? "," : k->eol);
        }
        if (k->blank && below(k->blank) == 0)
            buf_puts(b, k->eol);
    }
    if (below(2)) /* the last line may lack its end */
        buf_puts(b, "1,2,3");
}

/* ---- what a reader gives, as text */

static atomic_bool is_over;

static void *help(void *source)
{
    while (!atomic_load(&is_over))
        csv_source_work(source);
    return NULL;
}

/* n_blocks 0: nothing is read before its turn. n_sample: bytes that are read when the header is. */
static void read_all(Buf *out, size_t n_sample, size_t block_bytes, uint32_t n_blocks, uint32_t n_helpers, bool is_lenient)
{
    Error err = {0};
    Rejects bad = {.policy = BAD_ROWS_SKIP, .keeps_lines = true};
    CsvReadOptions o = {.dialect = CSV_DEFAULT_DIALECT, .block_bytes = block_bytes};
    CsvSource *s = NULL;
    pthread_t threads[MOST_HELPERS];
    buf_clear(out);
    CHECK(csv_sample_open(str_of(path), CODING_UTF8, n_sample, &o.sample, &err) == OK);
    CHECK(csv_source_open(str_of(path), &o, &s, &err) == OK);
    if (is_lenient)
        csv_source_lenient(s, &bad);
    if (n_blocks)
        csv_source_look_ahead(s, n_blocks);
    bool helps = csv_source_looks_ahead(s);
    atomic_store(&is_over, false);
    for (uint32_t i = 0; helps && i < n_helpers; i++)
        pthread_create(&threads[i], NULL, help, s);
    Status st = OK;
    RawRows *raw;
    while ((st = csv_source_next(s, (CsvLimit){0}, &raw, &err)) == OK && raw) {
        buf_printf(out, "%u rows from %llu, line %llu, byte %llu%s: ", raw->n_rows, (unsigned long long)raw->first_row,
                   (unsigned long long)raw->first_line, (unsigned long long)raw->first_byte, raw->is_row_a_line ? ", lines" : "");
        buf_put_str(out, (Str){raw->bytes, (uint32_t)raw->n_bytes});
        buf_puts(out, "\n");
        raw_unref(raw);
    }
    buf_printf(out, "%d %s line %llu byte %llu\n", (int)st, err.text, (unsigned long long)err.line, (unsigned long long)err.byte);
    rejects_take(&bad, out);
    atomic_store(&is_over, true);
    for (uint32_t i = 0; helps && i < n_helpers; i++)
        pthread_join(threads[i], NULL);
    csv_source_close(s);
    rejects_deinit(&bad);
}

static void check_same(const Buf *want, const Buf *got, const char *what, size_t block_bytes, uint32_t n_blocks, uint32_t n_helpers)
{
    CHECK(str_eq(buf_str(want), buf_str(got)));
    if (!str_eq(buf_str(want), buf_str(got)))
        printf("%s: %u blocks of %zu bytes, %u helpers: not what one reader gives\n", what, n_blocks, block_bytes, n_helpers);
}

static void test_same(void)
{
    Buf text = {0}, want = {0}, got = {0};
    for (uint32_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (uint32_t round = 0; round < 12; round++) {
            text_make(&text, &kinds[k], 1 + below(kinds[k].longest > 100 ? 30 : 60));
            file_write(buf_str(&text));
            size_t block_bytes = 1 + below(round % 2 ? 40 : 2000), n_sample = 6 + below(40);
            bool is_lenient = below(2);
            read_all(&want, n_sample, block_bytes, 0, 0, is_lenient);
            for (uint32_t n_blocks = 1; n_blocks <= 4; n_blocks += 3)
                for (uint32_t n_helpers = 0; n_helpers <= MOST_HELPERS; n_helpers += MOST_HELPERS) {
                    read_all(&got, n_sample, block_bytes, n_blocks, n_helpers, is_lenient);
                    check_same(&want, &got, kinds[k].name, block_bytes, n_blocks, n_helpers);
                }
        }
    }
    buf_deinit(&text);
    buf_deinit(&want);
    buf_deinit(&got);
}

/* A quote that is open to the end: the error, or the rows behind it, are the same. */
static void test_open_quote(void)
{
    Buf text = {0}, want = {0}, got = {0};
    buf_puts(&text, "a,b,c\n");
    for (int i = 0; i < 2000; i++)
        buf_puts(&text, i == 700 ? "1,\"2,3\n" : "1,2,3\n");
    file_write(buf_str(&text));
    for (int is_lenient = 0; is_lenient < 2; is_lenient++) {
        read_all(&want, 8, 500, 0, 0, is_lenient);
        read_all(&got, 8, 500, 3, 2, is_lenient);
        check_same(&want, &got, "an open quote", 500, 3, 2);
    }
    buf_deinit(&text);
    buf_deinit(&want);
    buf_deinit(&got);
}

/* ---- the guess: the state with which each block of a text is scanned, where it begins at each of its bytes */

static void guesses(Str text, uint32_t *n_right, uint32_t *n_wrong, uint32_t *n_none)
{
    Error err = {0};
    Input *in = NULL;
    char byte;
    size_t got;
    CsvScan begin, truth;
    *n_right = *n_wrong = *n_none = 0;
    file_write(text);
    CHECK(input_open(str_of(path), CODING_UTF8, &in, &err) == OK && input_read(in, &byte, 1, &got, &err) == OK && input_is_plain(in));
    HeapPool *pool = heap_pool_new(CSV_AHEAD_HEAD + CSV_AHEAD_PAGE + text.len + 9, 1);
    csv_scan_init(&begin, ',', '"', true);
    truth = begin;
    for (uint32_t at = 1; at < text.len; at++) {
        csv_scan(&truth, text.ptr + at - 1, 1, UINT64_MAX);
        CsvAhead *a = csv_ahead_new(in, pool, at, text.len, 1, &begin);
        const CsvAheadBlock *b = csv_ahead_first(a);
        CHECK(b->st == OK && b->n_bytes == text.len - at && memcmp(b->block->bytes + b->text, text.ptr + at, b->n_bytes) == 0);
        const CsvAheadScan *s = &b->scanned;
        *n_none += !s->is_done;
        *n_right += s->is_done && s->from == truth.state;
        *n_wrong += s->is_done && s->from != truth.state;
        csv_ahead_free(a);
    }
    heap_pool_unref(pool);
    input_close(in);
}

static void test_guess(void)
{
    uint32_t right, wrong, none;
    Buf text = {0};
    guesses(STR_LIT("a,b\n12,34\n5,6\n"), &right, &wrong, &none);
    CHECK(right == 13 && wrong == 0 && none == 0);
    for (int i = 0; i < 20; i++)
        buf_puts(&text, "1,\"reed, pine\"\"iris\"\"\nmoss\",\"\",\"a \"\"b\"\"\",oak\n");
    guesses(buf_str(&text), &right, &wrong, &none);
    CHECK(wrong * 20 < right && none * 5 < right);
    buf_deinit(&text);
}

int main(void)
{
    CHECK(close(mkstemp(path)) == 0);
    test_same();
    test_open_quote();
    test_guess();
    unlink(path);
    UNIT_END("csv_ahead");
}
