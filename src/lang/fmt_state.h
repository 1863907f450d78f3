/* fmt_state.h - what the files of the formatter share. Private to lang/fmt*.c.
 *
 * The formatter walks the tree, but what it prints are the tokens, in their order: `at`
 * is the next of them. Comments on the way are put where they stand.
 */
#ifndef PIPE_LANG_FMT_STATE_H
#define PIPE_LANG_FMT_STATE_H

#include "lang/ast.h"
#include "lang/layout.h"

typedef struct Fmt {
    Arena *arena;
    Layout *layout;
    const Ast *ast;
    size_t at;     /* index of the next token, comments and line ends included */
    int last_kind; /* of the last token put */
    bool is_glued; /* no blank before the next */
} Fmt;

/* ---- tokens (fmt_token.c) ---- */

const Token *fmt_token(const Fmt *f, size_t i);
/* Index of the next token at or behind i that is no comment and no end of a statement. */
size_t fmt_real(const Fmt *f, size_t i);
int fmt_next_kind(const Fmt *f);
/* The token that begins at or behind a position. */
size_t fmt_index(const Fmt *f, uint32_t pos);
bool fmt_is_line_end(const Fmt *f, size_t i); /* not a `;` */
/* Does a line end in the source between tokens a and b? */
bool fmt_has_line_end(const Fmt *f, size_t a, size_t b);
/* Is there an empty line before the next token or comment? */
bool fmt_has_blank(const Fmt *f);
bool fmt_has_comment(const Fmt *f, size_t a, size_t b);
uint32_t fmt_column(const Fmt *f, size_t i); /* of the source, from 0 */
uint32_t fmt_width(const Fmt *f, Span span);

/* Puts the next token, and what comments are before it or behind it on its line. */
void fmt_put(Fmt *f);
void fmt_put_until(Fmt *f, uint32_t pos); /* those that begin before pos */
void fmt_skip(Fmt *f);                    /* leaves the next token out */
/* Comments before the next token, which then begins a line. */
void fmt_comments(Fmt *f);
void fmt_open(Fmt *f, GroupKind kind, bool is_broken);

/* ---- lists and expressions (fmt_expr.c) ---- */

/* A list with commas, in a group of its own. */
typedef struct FmtList {
    const uint32_t *hi; /* where items end, [n] */
    size_t n;
    const void *items;
    void (*put)(Fmt *f, const void *items, size_t i);
} FmtList;

/* An item a line, or filled lines. */
void fmt_put_list(Fmt *f, const FmtList *list, bool is_one_a_line);
bool fmt_is_one_a_line(const Fmt *f, const FmtList *list); /* in the source */
void fmt_put_args(Fmt *f, const ArgList *args); /* from `(` to `)` */
void fmt_put_params(Fmt *f, const ParamList *params);
void fmt_put_param(Fmt *f, const Param *p);
void fmt_put_expr(Fmt *f, const Expr *e);

#endif
