#include "data/turns.h"

#include <stdlib.h>

typedef struct Turn {
    uint64_t number;
    Buf bytes;
} Turn;

void turns_deinit(Turns *t)
{
    for (size_t i = 0; i < t->n; i++)
        buf_deinit(&t->waiting[i].bytes);
    free(t->waiting);
    *t = (Turns){0};
}

void turns_put(Turns *t, uint64_t number, Buf *bytes)
{
    Turn item = {.number = number};
    if (bytes) {
        item.bytes = *bytes;
        *bytes = (Buf){0};
    }
    if (t->n == t->cap) {
        t->cap = 2 * t->cap + 8;
        t->waiting = xrealloc(t->waiting, t->cap * sizeof *t->waiting);
    }
    size_t i = t->n++;
    for (; i && t->waiting[(i - 1) / 2].number > number; i = (i - 1) / 2)
        t->waiting[i] = t->waiting[(i - 1) / 2];
    t->waiting[i] = item;
}

bool turns_take(Turns *t, Buf *bytes)
{
    if (t->n == 0 || t->waiting[0].number != t->next)
        return false;
    t->next++;
    *bytes = t->waiting[0].bytes;
    Turn last = t->waiting[--t->n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < t->n && t->waiting[child + 1].number < t->waiting[child].number)
            child++;
        if (child >= t->n || t->waiting[child].number >= last.number)
            break;
        t->waiting[i] = t->waiting[child];
        i = child;
    }
    if (t->n)
        t->waiting[i] = last;
    return true;
}
