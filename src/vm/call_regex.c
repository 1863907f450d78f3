/* call_regex.c - matches and extract. A worker keeps the regular expressions that it compiled: a
 * constant one is compiled once by each worker that meets it, and of those in a column the last
 * few stay. */
#include "base/regex.h"

#include <stdlib.h>

#include "vm/call.h"

#define N_KEPT 32

typedef struct Regexes {
    uint32_t n, next; /* kept; which one goes next when all places are taken */
    struct {
        Str pattern; /* owned */
        Regex *regex;
    } kept[N_KEPT];
} Regexes;

void regexes_close(Regexes *r)
{
    for (uint32_t i = 0; r && i < r->n; i++) {
        free((char *)(uintptr_t)r->kept[i].pattern.ptr);
        regex_close(r->kept[i].regex);
    }
    free(r);
}

static Regex *keep(Regexes *r, Str pattern, Regex *regex)
{
    uint32_t i = r->n;
    if (i < N_KEPT) {
        r->n++;
    } else {
        i = r->next;
        r->next = (r->next + 1) % N_KEPT;
        free((char *)(uintptr_t)r->kept[i].pattern.ptr);
        regex_close(r->kept[i].regex);
    }
    r->kept[i].pattern = (Str){xstrndup(pattern.ptr, pattern.len), pattern.len};
    r->kept[i].regex = regex;
    return regex;
}

static Regex *fail_pattern(Call *c, Str pattern, const PatternError *e)
{
    Buf shown = {0};
    buf_put_visible(&shown, str_slice(pattern, 0, 40));
    call_fail(c, "`%s%s` is no regular expression: %.70s (at byte %u)", shown.ptr ? shown.ptr : "",
              pattern.len > 40 ? ".." : "", e->text, e->at + 1);
    buf_deinit(&shown);
    c->culprit = pattern;
    return NULL;
}

/* The pattern of the row, compiled; NULL: it is wrong, and that has been said. */
static Regex *pattern_of(Call *c, uint32_t row)
{
    if (c->regex)
        return c->regex;
    Vm *vm = c->pass->vm;
    Str pattern = reg_str(&c->args[1], row);
    Regex *found = NULL;
    if (!vm->regexes)
        vm->regexes = xcalloc(1, sizeof *vm->regexes);
    for (uint32_t i = 0; i < vm->regexes->n && !found; i++)
        if (str_eq(vm->regexes->kept[i].pattern, pattern))
            found = vm->regexes->kept[i].regex;
    if (!found) {
        PatternError e = {0};
        Regex *made = regex_open(pattern, &e);
        if (!made)
            return fail_pattern(c, pattern, &e);
        found = keep(vm->regexes, pattern, made);
    }
    if (c->args[1].is_const)
        c->regex = found;
    return found;
}

static bool find(Call *c, uint32_t row, Regex **regex, RegexFound *found)
{
    Str s = reg_str(&c->args[0], row);
    const char *why = "";
    if (!(*regex = pattern_of(c, row)))
        return false;
    *found = regex_find(*regex, s, &why);
    if (*found != REGEX_FAILED)
        return true;
    c->culprit = s;
    return call_fail(c, "%s", why);
}

bool call_matches(Call *c, uint32_t row)
{
    Regex *regex;
    RegexFound found;
    if (!find(c, row, &regex, &found))
        return false;
    c->out.i = found == REGEX_YES;
    return true;
}

bool call_extract(Call *c, uint32_t row)
{
    Regex *regex;
    RegexFound found;
    int64_t n = c->n_args > 2 ? reg_int(&c->args[2], row) : 0;
    if (!find(c, row, &regex, &found))
        return false;
    if (n < 0 || n > regex_n_groups(regex))
        return call_fail(c, "the regular expression has %u group%s, not %lld", regex_n_groups(regex),
                         regex_n_groups(regex) == 1 ? "" : "s", (long long)n);
    c->out.is_null = found == REGEX_NO ||
                     !regex_group(regex, reg_str(&c->args[0], row), (uint32_t)n, &c->out.s);
    return true;
}
