/* turns.h - buffers that come by their numbers, in any order, and leave in order: 0, 1, 2, ...
 *
 * Whoever has one guards it.
 */
#ifndef PIPE_DATA_TURNS_H
#define PIPE_DATA_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct Turn;

typedef struct Turns {
    struct Turn *waiting; /* [n] a binary heap by number; owned */
    size_t n, cap;
    uint64_t next;        /* the number that is due */
} Turns;

void turns_deinit(Turns *t);
/* Takes the bytes (the Buf is left empty); NULL: nothing for this number. */
void turns_put(Turns *t, uint64_t number, Buf *bytes);
/* Gives the buffer that is due to the caller, and it is the next one's turn. False: it has not come. */
bool turns_take(Turns *t, Buf *bytes);

#endif
