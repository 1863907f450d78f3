#include "base/regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MAX_STEPS 10000000    /* of backtracking in one string: some 20 ms by JIT */
#define MAX_HEAP_KIB 16384    /* of the interpreter, where there is no JIT */
#define JIT_STACK_BYTES (16u << 20) /* taken from the system as far as used */

struct Regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    pcre2_jit_stack *stack; /* NULL: the 32 kB of the machine's stack were enough so far */
    uint32_t n_groups;
};

static pcre2_code *compile(Str pattern, PatternError *err)
{
    pcre2_compile_context *how = pcre2_compile_context_create(NULL);
    pcre2_set_newline(how, PCRE2_NEWLINE_LF);
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *out = pcre2_compile(
        (PCRE2_SPTR)pattern.ptr, pattern.len,
        PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, how);
    pcre2_compile_context_free(how);
    if (!out) {
        PCRE2_UCHAR text[160] = "";
        pcre2_get_error_message(code, text, sizeof text);
        err->at = at < pattern.len ? (uint32_t)at : pattern.len;
        snprintf(err->text, sizeof err->text, "%s", (const char *)text);
    }
    return out;
}

Regex *regex_open(Str pattern, PatternError *err)
{
    pcre2_code *code = compile(pattern, err);
    if (!code)
        return NULL;
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* where it cannot, the interpreter matches */
    Regex *r = xcalloc(1, sizeof *r);
    r->code = code;
    r->match = pcre2_match_data_create_from_pattern(code, NULL);
    r->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(r->limits, MAX_STEPS);
    pcre2_set_depth_limit(r->limits, MAX_STEPS);
    pcre2_set_heap_limit(r->limits, MAX_HEAP_KIB);
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &r->n_groups);
    return r;
}

void regex_close(Regex *r)
{
    if (!r)
        return;
    pcre2_jit_stack_free(r->stack);
    pcre2_match_context_free(r->limits);
    pcre2_match_data_free(r->match);
    pcre2_code_free(r->code);
    free(r);
}

uint32_t regex_n_groups(const Regex *r)
{
    return r->n_groups;
}

static bool is_ascii(Str s)
{
    uint64_t all = 0, word;
    uint32_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        memcpy(&word, s.ptr + i, 8);
        all |= word;
    }
    for (; i < s.len; i++)
        all |= (uint8_t)s.ptr[i];
    return (all & UINT64_C(0x8080808080808080)) == 0;
}

static int match(Regex *r, Str s, uint32_t options)
{
    return pcre2_match(r->code, (PCRE2_SPTR)s.ptr, s.len, 0, options, r->match, r->limits);
}

RegexFound regex_find(Regex *r, Str s, const char **why)
{
    uint32_t options = is_ascii(s) ? PCRE2_NO_UTF_CHECK : 0;
    int n = match(r, s, options);
    if (n == PCRE2_ERROR_JIT_STACKLIMIT && !r->stack) {
        r->stack = pcre2_jit_stack_create(JIT_STACK_BYTES / 256, JIT_STACK_BYTES, NULL);
        pcre2_jit_stack_assign(r->limits, NULL, r->stack);
        n = match(r, s, options);
    }
    if (n >= 0)
        return REGEX_YES;
    if (n == PCRE2_ERROR_NOMATCH)
        return REGEX_NO;
    *why = n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT
               ? "there are too many ways to match it, and it was given up"
               : "it takes too much memory to match";
    return REGEX_FAILED;
}

bool regex_group(const Regex *r, Str s, uint32_t n, Str *out)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(r->match) + 2 * (size_t)n;
    if (at[0] == PCRE2_UNSET || at[1] == PCRE2_UNSET || at[0] > at[1])
        return false;
    *out = (Str){s.ptr + at[0], (uint32_t)(at[1] - at[0])};
    return true;
}
