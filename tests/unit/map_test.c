#include "base/map.h"

#include "unit.h"

int main(void)
{
    Arena *a = arena_open();
    Map m;
    map_init(&m, a);
    CHECK(map_get(&m, STR_LIT("x")) == NULL);
    enum { N = 5000 };
    static int values[N];
    uint32_t n_wrong = 0;
    for (int i = 0; i < N; i++)
        n_wrong += map_put(&m, arena_printf(a, "key %d", i), &values[i]) != NULL;
    CHECK(m.n == N);
    for (int i = 0; i < N; i++) {
        n_wrong += map_get(&m, arena_printf(a, "key %d", i)) != &values[i];
        n_wrong += m.entries[i].value != &values[i]; /* the order of insertion */
    }
    CHECK(n_wrong == 0);
    CHECK(map_get(&m, STR_LIT("key 5000")) == NULL);
    CHECK(map_get(&m, STR_LIT("")) == NULL);
    CHECK(map_put(&m, STR_LIT("key 7"), &values[0]) == &values[7]);
    CHECK(map_get(&m, STR_LIT("key 7")) == &values[0]);
    CHECK(m.n == N && m.entries[7].value == &values[0]);
    CHECK(map_put(&m, (Str){"a\0b", 3}, &values[1]) == NULL);
    CHECK(map_get(&m, (Str){"a\0c", 3}) == NULL);
    CHECK(map_get(&m, (Str){"a\0b", 3}) == &values[1]);
    arena_close(a);
    UNIT_END("map");
}
