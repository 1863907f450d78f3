/* A diff applied to the first text gives the second one, for random texts of few lines. */
#include <stdlib.h>

#include "base/text_diff.h"
#include "unit.h"

static uint32_t state = 1;

static uint32_t next(uint32_t n)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % n;
}

static Str line_at(Str text, uint32_t *at)
{
    uint32_t lo = *at, hi = lo;
    while (hi < text.len && text.ptr[hi] != '\n')
        hi++;
    hi += hi < text.len;
    *at = hi;
    return str_slice(text, lo, hi - lo);
}

/* Applies a diff, checking all that it says of a. */
static bool apply(Str a, Str diff, Buf *out)
{
    uint32_t at = 0, a_at = 0, a_line = 1;
    line_at(diff, &at);
    line_at(diff, &at);
    while (at < diff.len) {
        Str line = line_at(diff, &at);
        if (str_starts(line, STR_LIT("@@ -"))) {
            unsigned from = (unsigned)strtoul(line.ptr + 4, NULL, 10);
            const char *comma = memchr(line.ptr, ',', line.len), *plus = memchr(line.ptr, '+', line.len);
            bool is_none = comma && comma < plus && comma[1] == '0';
            for (; a_line < from + is_none; a_line++)
                buf_put_str(out, line_at(a, &a_at));
            continue;
        }
        bool has_no_end = at < diff.len && diff.ptr[at] == '\\';
        Str text = str_slice(line, 1, line.len - 1 - has_no_end);
        if (has_no_end)
            line_at(diff, &at);
        if (line.ptr[0] != '+') {
            a_line++;
            if (!str_eq(line_at(a, &a_at), text))
                return false;
        }
        if (line.ptr[0] != '-')
            buf_put_str(out, text);
    }
    while (a_at < a.len)
        buf_put_str(out, line_at(a, &a_at));
    return true;
}

static void put_random(Buf *out)
{
    uint32_t n = next(30);
    for (uint32_t i = 0; i < n; i++)
        buf_printf(out, "%u%s", next(4), i + 1 < n || next(2) ? "\n" : "");
}

static void put_changed(Buf *out, Str text)
{
    for (uint32_t at = 0; at < text.len;) {
        Str line = line_at(text, &at);
        if (next(8) == 0)
            buf_puts(out, "new\n");
        if (next(8) != 0)
            buf_put_str(out, line);
    }
}

int main(void)
{
    for (int i = 0; i < 20000; i++) {
        Buf a = {0}, b = {0}, diff = {0}, got = {0};
        put_random(&a);
        if (next(2))
            put_random(&b);
        else
            put_changed(&b, buf_str(&a));
        text_diff(&diff, buf_str(&a), buf_str(&b), "a", "b");
        bool is_equal = str_eq(buf_str(&a), buf_str(&b));
        CHECK(is_equal == (diff.len == 0));
        CHECK(is_equal || (apply(buf_str(&a), buf_str(&diff), &got) &&
                           str_eq(buf_str(&got), buf_str(&b))));
        buf_deinit(&a);
        buf_deinit(&b);
        buf_deinit(&diff);
        buf_deinit(&got);
    }
    UNIT_END("text_diff");
}
