#include "data/column.h"

#include <pthread.h>
#include <stdlib.h>

#include "data/batch.h"
#include "data/csv_read.h"
#include "unit.h"

static Column *strings_of(const char *const *texts, uint32_t n, bool is_text)
{
    Column *c = column_new(TYPE_STRING, is_text, n);
    Heap *h = heap_new(4); /* grows by chunks: the pointers must stay */
    column_own_valid(c, true);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = texts[i] ? (uint32_t)strlen(texts[i]) : 0;
        char *p = heap_alloc(h, len);
        if (len)
            memcpy(p, texts[i], len);
        column_strs(c)[i] = (StrView){p, len, len && *p == '"' ? CELL_QUOTED : 0};
        if (!texts[i])
            bit_clear(c->valid, i);
    }
    c->delimiter = ',';
    c->quote = '"';
    column_add_heap(c, h);
    heap_unref(h);
    return c;
}

static void check_strings(const Column *c, const char *want)
{
    char got[1000] = "";
    for (uint32_t i = 0; i < c->n_rows; i++) {
        Value v = column_value(c, i);
        size_t at = strlen(got);
        if (v.is_null)
            snprintf(got + at, sizeof got - at, "~ ");
        else
            snprintf(got + at, sizeof got - at, "%.*s ", STR_ARG(v.s));
    }
    CHECK_STR(got, want);
}

static void test_strings(void)
{
    static const char *const texts[] = {"alpha", NULL, "a longer one than the heap", "z"};
    Column *a = strings_of(texts, 4, false);
    check_strings(a, "alpha ~ a longer one than the heap z ");
    uint32_t sel[] = {3, 1, 0, 0};
    Column *b = column_gather(a, sel, 4);
    check_strings(b, "z ~ alpha alpha ");
    Column *parts[] = {b, a};
    Column *shared = column_concat(parts, 2, false), *own = column_concat(parts, 2, true);
    column_unref(a);
    column_unref(b);
    check_strings(shared, "z ~ alpha alpha alpha ~ a longer one than the heap z ");
    column_unref(shared);
    check_strings(own, "z ~ alpha alpha alpha ~ a longer one than the heap z ");
    CHECK(own->n_heaps == 1);
    column_unref(own);
    Column *nulls = column_nulls(TYPE_STRING, 3);
    check_strings(nulls, "~ ~ ~ ");
    column_unref(nulls);
}

static void test_numbers(void)
{
    Column *a = column_new(TYPE_INT, false, 100), *b = column_new(TYPE_INT, false, 70);
    CHECK(((uintptr_t)a->values & 63) == 0);
    for (int i = 0; i < 100; i++)
        column_ints(a)[i] = i;
    for (int i = 0; i < 70; i++)
        column_ints(b)[i] = -i;
    column_own_valid(b, true);
    bit_clear(b->valid, 69);
    Column *parts[] = {a, b};
    Column *c = column_concat(parts, 2, false);
    CHECK(c->n_rows == 170 && column_value(c, 99).i == 99 && column_value(c, 168).i == -68);
    CHECK(column_is_valid(c, 168) && !column_is_valid(c, 169));
    uint32_t sel[] = {169, 5};
    Column *d = column_gather(c, sel, 2);
    CHECK(!column_is_valid(d, 0) && column_value(d, 1).i == 5);
    column_unref(a);
    column_unref(b);
    column_unref(c);
    column_unref(d);
}

/* Cells in two dialects become one. */
static void test_dialects(void)
{
    static const char *const first[] = {"\"a,b\"", "x"}, *const second[] = {"a,b", "q\"", NULL};
    Column *a = strings_of(first, 2, true), *b = strings_of(second, 3, true);
    b->delimiter = ';';
    b->quote = '\'';
    Column *parts[] = {a, b};
    Column *c = column_concat(parts, 2, false);
    check_strings(c, "\"a,b\" x \"a,b\" \"q\"\"\" ~ ");
    column_unref(a);
    column_unref(b);
    column_unref(c);
}

/* Decoding: what is wanted, what is bad, and what is said about it. */
static void test_values(void)
{
    static const char *const texts[] = {"1", NULL, "\"2\"", "x\x1b", "\"\""};
    Batch *b = batch_new(5, 1);
    b->types[0] = TYPE_INT;
    b->slots[0].text = strings_of(texts, 5, true);
    b->slots[0].text->inferred_rows = 7;
    Column *v = NULL;
    Error err = {0};
    Str name = STR_LIT("hp");
    CHECK(batch_values(b, 0, name, NULL, NULL, &v, &err) == ERR_ROW && v == NULL);
    CHECK_STR(err.column, "hp");
    CHECK_STR(err.value, "x\\x1b");
    CHECK(strstr(err.text, "column `hp`: expected a whole number, got `x\\x1b`") == err.text);
    CHECK(strstr(err.text, "int was inferred from the first 7 rows") != NULL);
    CHECK(strstr(err.text, "declare the column in a schema (`hp: string`)") != NULL);

    uint64_t need = 0x07, bad = 0;
    CHECK(batch_values(b, 0, name, &need, NULL, &v, &err) == OK);
    CHECK(column_value(v, 0).i == 1 && !column_is_valid(v, 1) && column_value(v, 2).i == 2);
    CHECK(!column_is_valid(v, 3) && !column_is_valid(v, 4));
    column_unref(v);
    CHECK(batch_values(b, 0, name, NULL, &bad, &v, &err) == OK);
    CHECK(bad == 0x08);
    column_unref(v);
    b->slots[0].text->inferred_rows = 0;
    CHECK(batch_bad_cell(b, 0, name, 3, &err) == ERR_ROW);
    CHECK(strstr(err.text, "it is declared int") != NULL);

    Batch *none = batch_concat(NULL, 0, 1, b->types);
    CHECK(none->n_rows == 0 && none->slots[0].values->type == TYPE_INT);
    batch_unref(none);
    batch_unref(b);
}

static void *let_go(void *arg)
{
    for (int i = 0; i < 1000; i++)
        batch_unref(batch_ref(arg));
    batch_unref(arg);
    return NULL;
}

/* Blocks come back to the pool from any thread, the pool goes with the last. */
static void test_threads(void)
{
    HeapPool *pool = heap_pool_new(100, 2);
    Heap *heaps[4];
    for (int i = 0; i < 4; i++)
        heaps[i] = heap_pool_get(pool);
    heap_unref(heaps[0]);
    CHECK(heap_pool_get(pool) == heaps[0]);
    heap_pool_unref(pool);
    Batch *b = batch_new(1, 1);
    b->slots[0].values = column_nulls(TYPE_STRING, 1);
    for (int i = 0; i < 4; i++) {
        column_add_heap(b->slots[0].values, heaps[i]);
        heap_unref(heaps[i]);
    }
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, let_go, batch_ref(b));
    batch_unref(b);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

/* Validity of parts that begin anywhere in a word. */
static void test_valid(void)
{
    const uint32_t sizes[] = {1, 63, 64, 70, 5, 0, 130, 2};
    Column *parts[8];
    uint32_t at = 0, wrong = 0;
    for (uint32_t p = 0; p < 8; p++) {
        parts[p] = column_new(TYPE_INT, false, sizes[p]);
        if (p % 3)
            column_own_valid(parts[p], true);
        for (uint32_t i = 0; i < sizes[p]; i++) {
            column_ints(parts[p])[i] = p;
            if (p % 3 && i * 7 % 5 < 2)
                bit_clear(parts[p]->valid, i);
        }
    }
    Column *all = column_concat(parts, 8, false);
    for (uint32_t p = 0; p < 8; p++) {
        for (uint32_t i = 0; i < sizes[p]; i++, at++)
            wrong += column_is_valid(all, at) != column_is_valid(parts[p], i) ||
                     column_ints(all)[at] != (int64_t)p;
        column_unref(parts[p]);
    }
    CHECK(all->n_rows == at && wrong == 0);
    column_unref(all);
}

int main(void)
{
    test_valid();
    test_strings();
    test_numbers();
    test_dialects();
    test_values();
    test_threads();
    UNIT_END("column");
}
