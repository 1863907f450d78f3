/* suggest.h - "did you mean": the nearest of some names.
 *
 * Distance is optimal string alignment (insert, delete, replace, swap neighbours),
 * bounded by max(1, len/3) of the longer word.
 */
#ifndef PIPE_BASE_SUGGEST_H
#define PIPE_BASE_SUGGEST_H

#include "base/str.h"

typedef struct Suggest {
    Str word; /* what was written */
    Str best; /* the nearest so far; len 0 if none is near enough */
    uint32_t distance;
} Suggest;

void suggest_init(Suggest *s, Str word);
void suggest_offer(Suggest *s, Str candidate);

#endif
