#include "base/suggest.h"

#include "base/utf8.h"

#define MAX_POINTS 64 /* longer names get no suggestion */

/* Code points, A-Z as a-z. Returns how many, MAX_POINTS + 1 if there are more. */
static uint32_t decode_folded(Str s, uint32_t points[MAX_POINTS])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.len; n++) {
        if (n == MAX_POINTS)
            return MAX_POINTS + 1;
        i += utf8_decode(s.ptr + i, s.len - i, &points[n]);
        if (points[n] >= 'A' && points[n] <= 'Z')
            points[n] += 'a' - 'A';
    }
    return n;
}

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Optimal string alignment: dist[i][j] is the distance of the first i points of a to the
 * first j of b. Only three rows are needed: a swap looks two rows back. */
static uint32_t distance(const uint32_t *a, uint32_t n, const uint32_t *b, uint32_t m)
{
    uint32_t rows[3][MAX_POINTS + 1];
    for (uint32_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (uint32_t i = 1; i <= n; i++) {
        uint32_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= m; j++) {
            row[j] = min3(above[j] + 1, row[j - 1] + 1,
                          above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
        }
    }
    return rows[n % 3][m];
}

void suggest_init(Suggest *s, Str word)
{
    *s = (Suggest){.word = word};
}

void suggest_offer(Suggest *s, Str candidate)
{
    uint32_t a[MAX_POINTS], b[MAX_POINTS];
    uint32_t n = decode_folded(s->word, a), m = decode_folded(candidate, b);
    if (n > MAX_POINTS || m > MAX_POINTS || m == 0)
        return;
    uint32_t longer = n > m ? n : m;
    uint32_t limit = longer / 3 > 1 ? longer / 3 : 1;
    uint32_t d = distance(a, n, b, m);
    bool is_case_only = d == 0 && !str_eq(s->word, candidate);
    if (is_case_only)
        d = 1;
    bool is_nearer = d < s->distance || (d == s->distance && is_case_only && !s->is_case_only);
    bool is_other = d >= longer && !is_case_only; /* nothing of the one is in the other: `x` for `n` */
    if (d > limit || is_other || (s->best.len > 0 && !is_nearer))
        return;
    s->best = candidate;
    s->distance = d;
    s->is_case_only = is_case_only;
}
