/* outputs_test - a file that batches share: what is appended stands there in that order, and its memory comes back for rows to
 * come, but not where nobody asks for it, where they took little of it, nor with a budget. */
#define _DEFAULT_SOURCE /* mkdtemp */

#include "run/outputs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

enum { MANY = 100000 };

static Buf put(Outputs *o, char letter, size_t n)
{
    Buf b = outputs_spare(o, 0);
    CHECK(b.len == 0);
    buf_reserve(&b, n);
    for (size_t i = 0; i < n; i++)
        buf_putc(&b, letter);
    return b;
}

static void append(Outputs *o, Buf *b)
{
    CHECK(outputs_append(o, 0, b, NULL) == OK);
    CHECK(!b->ptr && b->len == 0);
}

/* The first and the last byte of a file, and how long it is. */
static void file_check(const char *path, char first, char last, long n_bytes)
{
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    if (!f)
        return;
    CHECK(fgetc(f) == first);
    fseek(f, -1, SEEK_END);
    CHECK(fgetc(f) == last);
    CHECK(ftell(f) == n_bytes);
    fclose(f);
    unlink(path);
}

static void test_spares(char *path, uint64_t memory_bytes)
{
    const Schema none = {0};
    Tx to = {.value.s = {path, (uint32_t)strlen(path)}};
    const Pop write = {.kind = POP_WRITE_CSV, .out = &none, .expr = &to};
    PlanSink sink = {.pop = &write};
    const Plan plan = {.n_sinks = 1, .sinks = &sink, .memory_bytes = memory_bytes};
    Outputs *o = NULL;
    CHECK(outputs_open(&plan, &o, NULL) == OK);
    Buf own = {0}, first;
    buf_puts(&own, "aaaa");
    append(o, &own);
    first = outputs_spare(o, 0); /* nobody had asked before */
    CHECK(!first.ptr);
    Buf a = put(o, 'a', MANY), b = put(o, 'b', MANY);
    append(o, &a);
    append(o, &b);
    Buf c = put(o, 'c', 1); /* in the memory of one of them */
    CHECK((c.cap > MANY) == (memory_bytes == 0));
    append(o, &c);
    Buf d = outputs_spare(o, 0), e = outputs_spare(o, 0); /* one is left */
    CHECK((d.cap > MANY) == (memory_bytes == 0) && !e.ptr);
    buf_deinit(&d);
    CHECK(outputs_close(o, true, NULL) == OK);
    file_check(path, 'a', 'c', 2 * MANY + 5);
}

int main(void)
{
    char folder[] = "/tmp/pipemill_outputs_XXXXXX", path[64];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/out.csv", folder);
    test_spares(path, 0);
    test_spares(path, 1 << 20);
    rmdir(folder);
    UNIT_END("outputs");
}
