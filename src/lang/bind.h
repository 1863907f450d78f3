/* bind.h - which argument each parameter gets: one rule for ops, fns and annotations.
 *
 * Positional arguments come first, in order; then named ones.
 */
#ifndef PIPE_LANG_BIND_H
#define PIPE_LANG_BIND_H

#include "base/diag.h"
#include "base/suggest.h"
#include "lang/ast.h"

typedef struct BindParam {
    Str name;
    bool is_optional;
} BindParam;

typedef struct Callee {
    const char *what; /* "op", "fn", "annotation" */
    Str name;         /* as people write it: "top_by", "@retry" */
    Span decl;        /* of its name where it is declared; {0, 0}: built in */
    uint32_t n;
    const BindParam *params;
} Callee;

/* Fills out[callee->n], NULL where nothing was given. Every mistake is reported,
 * missing arguments at `at`; false if there was one. ds may be NULL: nothing is
 * reported. */
bool args_bind(Diags *ds, const Callee *callee, const ArgList *args, Span at,
               const Arg **out);

/* Adds "did you mean `x`?" and the replacement of span, if a name is near enough. */
bool diag_suggest(Diags *ds, Diag *d, Span span, const Suggest *s);
/* "`a`, `b` and `c`" (or another last word than "and"), built one by one. */
void buf_put_name_in_list(Buf *b, Str name, size_t i, size_t n, const char *last);

#endif
