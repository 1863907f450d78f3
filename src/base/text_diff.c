/* text_diff.c - E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), with the
 * furthest ends of each round kept, so that the way back can be followed. */
#include "base/text_diff.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/vec.h"

enum { CONTEXT = 3 };

typedef Vec(Str) Lines;

/* A line keeps its end: the last one may have none. */
static Lines split(Arena *a, Str text)
{
    Lines lines = {0};
    for (uint32_t at = 0; at < text.len;) {
        uint32_t end = at;
        while (end < text.len && text.ptr[end] != '\n')
            end++;
        end += end < text.len;
        vec_push(a, &lines, str_slice(text, at, end - at));
        at = end;
    }
    return lines;
}

/* keep_a[i], keep_b[k]: the line is in both texts. */
typedef struct Match {
    Lines a, b;
    bool *keep_a, *keep_b;
} Match;

static int32_t slide(const Match *m, int32_t x, int32_t y)
{
    while (x < (int32_t)m->a.n && y < (int32_t)m->b.n && str_eq(m->a.ptr[x], m->b.ptr[y]))
        x++, y++;
    return x;
}

/* ends[d] is that of round d: for k from -d to d, at [k + d], how far line a comes with d changes where
 * it is k lines ahead of b. */
static void follow_back(Match *m, int32_t *const *ends, int32_t d)
{
    int32_t x = (int32_t)m->a.n, y = (int32_t)m->b.n;
    for (; d >= 0; d--) {
        int32_t k = x - y, from_x = 0, from_y = 0;
        if (d > 0) {
            const int32_t *v = ends[d - 1];
            int32_t up = k + 1 <= d - 1 ? v[k + 1 + d - 1] : -1;
            int32_t left = k - 1 >= -(d - 1) ? v[k - 1 + d - 1] : -1;
            bool is_insert = k == -d || (k != d && left < up);
            from_x = is_insert ? up : left;
            from_y = is_insert ? up - (k + 1) : left - (k - 1);
        }
        while (x > from_x && y > from_y && str_eq(m->a.ptr[x - 1], m->b.ptr[y - 1]))
            m->keep_a[--x] = m->keep_b[--y] = true;
        x = from_x;
        y = from_y;
    }
}

static void match(Arena *arena, Match *m)
{
    int32_t n_a = (int32_t)m->a.n, n_b = (int32_t)m->b.n;
    int32_t **ends = arena_array(arena, int32_t *, (size_t)(n_a + n_b + 1));
    for (int32_t d = 0; d <= n_a + n_b; d++) {
        int32_t *v = ends[d] = arena_array(arena, int32_t, (size_t)(2 * d + 1));
        const int32_t *before = d > 0 ? ends[d - 1] : NULL;
        for (int32_t k = -d; k <= d; k += 2) {
            int32_t x = 0;
            if (d > 0) {
                int32_t up = k + 1 <= d - 1 ? before[k + 1 + d - 1] : -1;
                int32_t left = k - 1 >= -(d - 1) ? before[k - 1 + d - 1] : -1;
                x = k == -d || (k != d && left < up) ? up : left + 1;
            }
            x = v[k + d] = slide(m, x, x - k);
            if (x >= n_a && x - k >= n_b) {
                follow_back(m, ends, d);
                return;
            }
        }
    }
}

static void put_line(Buf *out, char sign, Str line)
{
    buf_putc(out, sign);
    buf_put_str(out, line);
    if (line.len == 0 || line.ptr[line.len - 1] != '\n')
        buf_puts(out, "\n\\ No newline at end of file\n");
}

static void put_range(Buf *out, char sign, size_t from, size_t n)
{
    buf_printf(out, "%c%zu", sign, from + (n > 0));
    if (n != 1)
        buf_printf(out, ",%zu", n);
}

/* Lines [i, i_end) of a and [k, k_end) of b. */
static void put_hunk(Buf *out, const Match *m, size_t i, size_t i_end, size_t k, size_t k_end)
{
    buf_puts(out, "@@ ");
    put_range(out, '-', i, i_end - i);
    buf_putc(out, ' ');
    put_range(out, '+', k, k_end - k);
    buf_puts(out, " @@\n");
    while (i < i_end || k < k_end) {
        if (i < i_end && !m->keep_a[i])
            put_line(out, '-', m->a.ptr[i++]);
        else if (k < k_end && !m->keep_b[k])
            put_line(out, '+', m->b.ptr[k++]);
        else {
            put_line(out, ' ', m->a.ptr[i]);
            i++, k++;
        }
    }
}

void text_diff(Buf *out, Str a, Str b, const char *name_a, const char *name_b)
{
    if (str_eq(a, b))
        return;
    Arena *arena = arena_open();
    Match m = {split(arena, a), split(arena, b), NULL, NULL};
    m.keep_a = arena_array(arena, bool, m.a.n);
    m.keep_b = arena_array(arena, bool, m.b.n);
    match(arena, &m);
    buf_printf(out, "--- %s\n+++ %s\n", name_a, name_b);
    size_t i = 0, k = 0;
    while (i < m.a.n || k < m.b.n) {
        /* Equal lines up to the next change; the last CONTEXT of them belong to it. */
        size_t i_from = i, k_from = k;
        while (i < m.a.n && k < m.b.n && m.keep_a[i] && m.keep_b[k])
            i++, k++;
        if (i == m.a.n && k == m.b.n)
            break;
        size_t before = i - i_from < CONTEXT ? i - i_from : CONTEXT;
        i_from = i - before;
        k_from = k - before;
        /* Changes with few equal lines between are one hunk. */
        size_t n_equal = 0;
        while ((i < m.a.n || k < m.b.n) && n_equal <= 2 * CONTEXT) {
            if (i < m.a.n && !m.keep_a[i])
                i++, n_equal = 0;
            else if (k < m.b.n && !m.keep_b[k])
                k++, n_equal = 0;
            else
                i++, k++, n_equal++;
        }
        size_t beyond = n_equal > CONTEXT ? n_equal - CONTEXT : 0;
        i -= beyond;
        k -= beyond;
        put_hunk(out, &m, i_from, i, k_from, k);
    }
    arena_close(arena);
}
