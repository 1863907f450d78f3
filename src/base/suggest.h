/* suggest.h - "did you mean": the nearest of some names.
 *
 * Distance is optimal string alignment (insert, delete, replace, swap neighbours) in code
 * points, bounded by max(1, len/3) of the longer word. Letters that differ in case only
 * count 1 together, so that `HP` finds `hp`, before all others. A word of which every letter would change is not near.
 */
#ifndef PIPE_BASE_SUGGEST_H
#define PIPE_BASE_SUGGEST_H

#include "base/str.h"

typedef struct Suggest {
    Str word; /* what was written */
    Str best; /* the nearest so far; len 0 if none is near enough */
    uint32_t distance;
    bool is_case_only; /* only the case of letters differs */
} Suggest;

void suggest_init(Suggest *s, Str word);
/* The first of equally near candidates stays, but for one that differs in case only. Borrows the candidate. */
void suggest_offer(Suggest *s, Str candidate);

#endif
