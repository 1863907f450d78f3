#include "base/regex_literal.h"

#include <string.h>

#include "base/utf8.h"

#define MIN_BYTES 2u
#define MAX_WAYS 100u /* to match at one place, but for one repetition without an end: in a short string there are
                       * 255 places and 255 ends of that one, so some millions of steps at most */

typedef struct Reader {
    const char *p, *end;
    uint32_t depth;     /* of groups */
    uint32_t n_endless; /* repetitions without an end */
    uint32_t ways;
    Buf run;            /* bytes that follow one another, up to here */
    size_t last;        /* where its last character begins */
    Buf best;
} Reader;

static void run_end(Reader *r)
{
    if (r->run.len > r->best.len) {
        buf_clear(&r->best);
        buf_put_str(&r->best, buf_str(&r->run));
    }
    buf_clear(&r->run);
    r->last = 0;
}

/* A character that stands for itself. In a group it is passed over: the group might be one of several ways. */
static bool literal(Reader *r)
{
    uint32_t n = utf8_len(r->p, (uint32_t)(r->end - r->p));
    if (n == 0)
        return false;
    r->last = r->run.len;
    if (r->depth == 0)
        buf_put(&r->run, r->p, n);
    r->p += n;
    return true;
}

static bool number(Reader *r, uint32_t *out)
{
    const char *start = r->p;
    *out = 0;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9' && *out < 100000; r->p++)
        *out = *out * 10 + (uint32_t)(*r->p - '0');
    return r->p > start;
}

/* {2}, {2,} or {2,3}, behind the brace; *most UINT32_MAX: without an end. */
static bool bounds(Reader *r, uint32_t *least, uint32_t *most)
{
    if (!number(r, least))
        return false;
    *most = *least;
    if (r->p < r->end && *r->p == ',') {
        r->p++;
        if (!number(r, most))
            *most = UINT32_MAX;
    }
    return r->p < r->end && *r->p++ == '}' && *least <= *most;
}

/* How often what stands before it is there; true if nothing says so. */
static bool quantifier(Reader *r, bool is_group)
{
    uint32_t least = 1, most = 1;
    if (r->p == r->end || !memchr("*+?{", *r->p, 4))
        return true;
    char c = *r->p++;
    if (c == '{' && !bounds(r, &least, &most))
        return false;
    if (c != '{') {
        least = c == '+';
        most = c == '?' ? 1 : UINT32_MAX;
    }
    if (r->p < r->end && (*r->p == '?' || *r->p == '+')) /* lazy or possessive */
        r->p++;
    if (is_group && most > 1)
        return false;
    if (least == 0)
        r->run.len = r->last;
    run_end(r);
    if (most == UINT32_MAX)
        r->n_endless++;
    else if (most > MAX_WAYS)
        return false;
    else
        r->ways *= most - least + 1;
    return r->n_endless <= 1 && r->ways <= MAX_WAYS;
}

static bool is_word_byte(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 0x80 || (u >= '0' && u <= '9') || ((u | 32) >= 'a' && (u | 32) <= 'z');
}

/* [...], behind the bracket. */
static bool class_end(Reader *r)
{
    if (r->p < r->end && *r->p == '^')
        r->p++;
    if (r->p < r->end && *r->p == ']')
        r->p++;
    for (; r->p < r->end && *r->p != ']'; r->p++) {
        if (*r->p == '[') /* of [:alpha:], or one that may mean something one day */
            return false;
        if (*r->p == '\\' && (++r->p == r->end || (is_word_byte(*r->p) && !memchr("dDwWsSntr", *r->p, 9))))
            return false; /* behind \c and \Q a bracket may stand for itself */
    }
    return r->p < r->end && *r->p++ == ']';
}

static bool escape(Reader *r)
{
    if (r->p == r->end)
        return false;
    char c = *r->p;
    if (!is_word_byte(c))
        return literal(r);
    run_end(r);
    r->p++;
    return memchr("dDwWsSbBntr", c, 11) != NULL;
}

static bool group_open(Reader *r)
{
    run_end(r);
    r->depth++;
    if (r->p < r->end && *r->p == '*')
        return false;
    if (r->p < r->end && *r->p == '?') {
        if (r->end - r->p < 2 || r->p[1] != ':')
            return false;
        r->p += 2;
    }
    return true;
}

/* One piece and what says how often it is there. */
static bool piece(Reader *r)
{
    char c = *r->p++;
    switch (c) {
    case '\\': return escape(r) && quantifier(r, false);
    case '[': run_end(r); return class_end(r) && quantifier(r, false);
    case '.': run_end(r); return quantifier(r, false);
    case '^':
    case '$': run_end(r); return r->p == r->end || !memchr("*+?{", *r->p, 4);
    case '(': return group_open(r);
    case ')':
        if (r->depth-- == 0)
            return false;
        return quantifier(r, true);
    case '|':
        r->ways *= 2;
        return r->depth > 0 && r->ways <= MAX_WAYS;
    case '*':
    case '+':
    case '?':
    case '{': return false;
    default: r->p--; return literal(r) && quantifier(r, false);
    }
}

bool regex_literal(Str pattern, Buf *out)
{
    Reader r = {.p = pattern.ptr, .end = pattern.ptr + pattern.len, .ways = 1};
    bool is_plain = true;
    while (is_plain && r.p < r.end)
        is_plain = piece(&r);
    run_end(&r);
    is_plain = is_plain && r.depth == 0 && r.best.len >= MIN_BYTES;
    if (is_plain)
        buf_put_str(out, buf_str(&r.best));
    buf_deinit(&r.run);
    buf_deinit(&r.best);
    return is_plain;
}
