/* string_test.h - conditions that FILTER_STRING can test: one string column against literals. */
#ifndef PIPE_CODE_STRING_TEST_H
#define PIPE_CODE_STRING_TEST_H

#include "base/arena.h"
#include "code/code.h"
#include "plan/plan.h"

/* True if the condition is one of these, about column *col; then *out is its spec, in the arena:
 * `c == "x"`, `c != "x"`, `c in ["x", ...]`, `contains(c, "x")`, `starts_with(c, "x")`, `ends_with(c, "x")`, `not` before
 * one of them, and `or` between those that name one column and what it may be. */
bool string_test(Arena *a, const Tx *tx, Spec *out, uint32_t *col);

/* True if the condition is `matches(c, "...")` with a text that every match has: *out finds the rows that may match. */
bool string_may_match(Arena *a, const Tx *tx, Spec *out, uint32_t *col);

#endif
