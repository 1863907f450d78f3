/* parse_state.h - what the grammar's actions, the token driver and the wording of
 * syntax errors share. Private to lang/.
 */
#ifndef PIPE_LANG_PARSE_STATE_H
#define PIPE_LANG_PARSE_STATE_H

#include <stdint.h>

#include "base/diag.h"
#include "lang/ast.h"
#include "lang/token.h"

/* Deep enough for people, shallow enough for every recursive walk of a tree:
 * brackets are bounded while tokens are pushed, operators by Expr.height. */
#define PARSE_MAX_BRACKETS 200

typedef struct Bracket {
    int kind;     /* TOK_LPAREN, TOK_LBRACK, TOK_LBRACE, TOK_IOPEN */
    size_t token; /* index of the opener */
} Bracket;

/* How parsing went on after a mistake. */
typedef struct Restart {
    size_t at;    /* index of the token that did not fit */
    size_t token; /* where skipping starts, */
    bool is_line; /* or rather a statement does, which is no part of the mistake */
} Restart;

typedef struct Parse {
    Arena *arena;
    Diags *diags;
    const Source *source;
    TokenList tokens;
    Ast *ast;       /* START_FILE and START_FLOWS fill it */
    FlowList flows; /* result of START_FLOWS */

    int start;         /* TOK_START_... */
    size_t at;         /* index of the token being pushed */
    size_t decl_start; /* where its declaration begins */
    Bracket brackets[PARSE_MAX_BRACKETS];
    uint32_t n_brackets;
    bool has_error;        /* the push of the current token met a syntax error; then */
    Restart restart;       /* ... how to go on */
    Vec(Restart) restarts; /* all so far */
    uint32_t n_told_braces; /* braces that are not closed, told before the end of what they are in */
    size_t resumed_at;     /* where it went on after the last; 0: none */
    const struct Parse
        *tried;       /* parse_would_read: a trial of what that one has read; */
    bool has_failed;  /* ... it met a mistake that is not in there */
    bool is_too_deep; /* said once; then parsing stops */
} Parse;

/* ---- called by the grammar ---- */

Ident ident_of(const Token *t);
Arg arg_of(Ident name, Expr *value, Span span);

/* Every expression passes through expr_done: it bounds the height of the tree. */
Expr *expr_new(Parse *p, ExprKind kind, Span span);
Expr *expr_done(Parse *p, Expr *e);
Expr *expr_unary(Parse *p, Operator op, Span op_span, Expr *a, Span span);
Expr *expr_binary(Parse *p, Operator op, Span op_span, Expr *a, Expr *b, Span span);
Expr *expr_literal(Parse *p, const Token *t);
Expr *expr_bool(Parse *p, bool b, Span span);
Expr *expr_null(Parse *p, Span span);
Expr *expr_name(Parse *p, const Token *t);
Expr *expr_call(Parse *p, Ident name, ArgList args, Span span);
/* A string of literal parts only becomes one literal. */
Expr *expr_string(Parse *p, ExprList parts, Span span);
/* `auto` after batch. */
Expr *expr_batch(Parse *p, Expr *e);

Stmt *stmt_new(Parse *p, StmtKind kind, Span span, Span word_span);
Stage *stage_of_op(Parse *p, Ident name, Span span);
/* A stage that runs an anonymous op; body_span {0, 0}: a single statement. */
Stage *stage_of_body(Parse *p, StmtList body, Span span, bool is_braced);
Decl *decl_new(Parse *p, DeclKind kind, Span span);
Param param_of(Ident name, TypeRef type, Expr *value, Span span);

typedef struct ReadOpts {
    ArgList with;
    Ident schema;
    Expr *batch;
} ReadOpts;

/* ---- called by bison ---- */

/* A syntax error at the token p->at; expected: token kinds that would have been right.
 * Words the message (syntax_error.c) and says where to go on. */
void parse_syntax_error(Parse *p, const int *expected, size_t n_expected);
void parse_too_deep(Parse *p, Span span);
/* The braces that text closes are lost with it: that they are not closed is a consequence, and not told. */
void parse_lose_braces(Parse *p, Str text);

/* ---- parse.c, for the wording of errors ---- */

/* Would the text up to and with p->at be right if the token at i_word were of this
 * kind? How a misspelt keyword is told from a name that is followed by a mistake. */
bool parse_would_read(const Parse *p, size_t i_word, int kind);
/* Index of the next or previous token that is no comment; over line ends too if wanted.
 */
size_t token_after(const Parse *p, size_t i, bool over_lines);
size_t token_before(const Parse *p, size_t i, bool over_lines); /* SIZE_MAX: none */
bool token_is_first_of_line(const Parse *p, size_t i);
/* At the first token of a line: does a declaration begin here? */
bool parse_begins_declaration(const Parse *p, size_t i);
/* A line that can hardly go on with what an earlier line opened. */
bool parse_begins_afresh(const Parse *p, size_t i);
/* After this kind, or before it, a line end ends nothing. */
bool token_continues_after(int kind);
bool token_continues_before(int kind);
bool token_is_opener(int kind);
bool token_is_closer(int kind);

/* ---- what only the generated parser knows (in pipe.y) ---- */

struct pipe_pstate;
#define PARSE_MAX_EXPECTED 160 /* more than there are tokens; asserted in pipe.y */

/* The tokens that may come next (LAC: exactly those). expected has room for
 * PARSE_MAX_EXPECTED; returns how many. */
size_t parse_expected(const struct pipe_pstate *state, int *expected);
const char *parse_token_name(int kind);

#endif
