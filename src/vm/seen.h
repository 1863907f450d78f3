/* seen.h - which values of a column a group has had among the rows of a batch, where the column has codes
 * (data/codes.h): an aggregate for which a value counts once need not look at it again. One thread.
 */
#ifndef PIPE_VM_SEEN_H
#define PIPE_VM_SEEN_H

#include <stdlib.h>

#include "data/codes.h"

typedef struct Seen {
    const Codes *codes; /* of the column; borrowed */
    uint64_t *bits;     /* [groups * values]; owned. NULL: not known, each row may be new */
} Seen;

static inline Seen seen_open(Column *c, uint32_t n_groups)
{
    enum { CODED_LEN = 32, MOST_BITS = 1 << 18 };
    Seen s = {0};
    if (n_groups <= c->n_rows / 8) /* else few rows have what their group had before */
        s.codes = codes_of(c, CODED_LEN);
    if (s.codes && (uint64_t)n_groups * s.codes->n_values <= MOST_BITS)
        s.bits = xcalloc(bit_words(n_groups * s.codes->n_values) + 1ull, sizeof *s.bits);
    return s;
}

/* Is it the first of the group's rows with its value? Asked once of each row that is not null. */
static inline bool seen_is_new(Seen *s, uint32_t group, uint32_t row)
{
    if (!s->bits)
        return true;
    uint32_t at = group * s->codes->n_values + s->codes->rows[row];
    bool is_new = !bit_get(s->bits, at);
    bit_set(s->bits, at);
    return is_new;
}

static inline void seen_close(Seen *s)
{
    free(s->bits);
}

#endif
