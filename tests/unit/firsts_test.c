/* Rows of batches whose keys are new, against looking at all rows before: short and long strings, ints, nulls, several keys. */
#include "vm/firsts.h"

#include <stdlib.h>

#include "unit.h"

enum { N_BATCHES = 12, MOST = 700, N_KEYS = 2 };

static uint64_t state = 88172645463325252u;

static uint32_t below(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % n;
}

/* A key of `n_values` values: how it is written says what it is. */
static Column *key_make(Type type, uint32_t n, uint32_t n_values)
{
    Column *c = column_new(type, false, n);
    Heap *h = heap_new(64);
    column_own_valid(c, true);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v = below(n_values);
        if (v == 0)
            bit_clear(c->valid, i);
        if (type == TYPE_INT) {
            column_ints(c)[i] = v;
            continue;
        }
        char text[64];
        int len = snprintf(text, sizeof text, v % 2 ? "v%u" : "a value that is longer than a packed key %u", v);
        char *to = heap_alloc(h, (size_t)len);
        memcpy(to, text, (size_t)len);
        column_strs(c)[i] = (StrView){to, (uint32_t)len, 0};
    }
    if (type == TYPE_STRING)
        column_add_heap(c, h);
    heap_unref(h);
    return c;
}

static void text_of(char *out, size_t size, Column *const *keys, uint32_t n_keys, uint32_t row)
{
    *out = '\0';
    for (uint32_t k = 0; k < n_keys; k++) {
        size_t at = strlen(out);
        if (!column_is_valid(keys[k], row))
            snprintf(out + at, size - at, "|null");
        else if (keys[k]->type == TYPE_INT)
            snprintf(out + at, size - at, "|%lld", (long long)column_ints(keys[k])[row]);
        else
            snprintf(out + at, size - at, "|'%.*s'", (int)column_strs(keys[k])[row].len, column_strs(keys[k])[row].ptr);
    }
}

static void test_like(const Type *types, uint32_t n_keys, uint32_t n_values)
{
    enum { SIZE = 160 };
    static char seen[N_BATCHES * MOST][SIZE];
    uint32_t n_seen = 0, rows[MOST], looked[MOST];
    Firsts *f = firsts_open(n_keys);
    bool same = true;
    for (uint32_t b = 0; b < N_BATCHES; b++) {
        Column *keys[N_KEYS];
        uint32_t n = b == 3 ? 0 : below(MOST) + 1, n_want = 0, n_before = n_seen, n_other = 0;
        for (uint32_t k = 0; k < n_keys; k++)
            keys[k] = key_make(types[k], n, n_values);
        uint32_t n_looked = firsts_look(f, keys, n, looked);
        uint32_t n_new = firsts_add(f, keys, n, rows);
        for (uint32_t i = 0; i < n; i++) {
            char text[SIZE];
            uint32_t at = 0;
            text_of(text, sizeof text, keys, n_keys, i);
            while (at < n_seen && strcmp(seen[at], text) != 0)
                at++;
            if (at >= n_before) /* not in a batch before it */
                same &= n_other < n_looked && looked[n_other++] == i;
            if (at < n_seen)
                continue;
            memcpy(seen[n_seen++], text, sizeof text);
            same &= n_want < n_new && rows[n_want++] == i;
        }
        same &= n_want == n_new && n_other == n_looked;
        for (uint32_t k = 0; k < n_keys; k++)
            column_unref(keys[k]);
    }
    CHECK(same && n_seen > 0);
    CHECK(firsts_bytes(f) > n_seen * 16);
    firsts_close(f);
}

int main(void)
{
    const Type types[] = {TYPE_STRING, TYPE_INT, TYPE_STRING, TYPE_STRING};
    test_like(types + 1, 1, 1000);
    test_like(types, 1, 100);
    test_like(types, 1, 3000);
    test_like(types, 2, 30);
    test_like(types + 2, 2, 40);
    UNIT_END("firsts");
}
