/* regex.h - regular expressions: PCRE2, bounded in what a match may cost.
 *
 * Patterns and strings are UTF-8; `\d \w \s \b` and the classes know Unicode. A byte of a
 * string that is not UTF-8 is matched by nothing: what is before it and behind it is searched
 * on its own. `$` also matches before a last line end. A Regex belongs to one thread.
 */
#ifndef PIPE_BASE_REGEX_H
#define PIPE_BASE_REGEX_H

#include <stdbool.h>

#include "base/pattern.h"
#include "base/str.h"

typedef struct Regex Regex;

/* NULL when the pattern is wrong, which err says in PCRE2's words. */
Regex *regex_open(Str pattern, PatternError *err);
void regex_close(Regex *r); /* NULL is fine */
uint32_t regex_n_groups(const Regex *r);

typedef enum RegexFound { REGEX_NO, REGEX_YES, REGEX_FAILED } RegexFound;

/* The first match in s. FAILED: it was given up, and `why` says why in a phrase. */
RegexFound regex_find(Regex *r, Str s, const char **why);
/* Group n (0: all) of what regex_find last found in s; false if it took no part. */
bool regex_group(const Regex *r, Str s, uint32_t n, Str *out);

#endif
