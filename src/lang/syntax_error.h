/* syntax_error.h - what the files that word syntax errors share. Private to lang/.
 *
 * bison knows the token that does not fit and those that would. A rule looks for the
 * mistake behind it: one that knows says so and returns true. What no rule knows is
 * told as "expected X, found Y" (syntax_error.c, where the order of the rules stands
 * too).
 *
 * How to add a rule: a function in the file of its kind, a line below and in RULES, a
 * code in diag_codes.def if it is a new kind of mistake, a test in tests/parse/.
 */
#ifndef PIPE_LANG_SYNTAX_ERROR_H
#define PIPE_LANG_SYNTAX_ERROR_H

#include "lang/parse_state.h"

typedef struct Mistake {
    Parse *p;
    Diags *diags;
    const int *expected; /* [n_expected] kinds of tokens that would have been right */
    size_t n_expected;
    const Token *t;    /* the token that does not fit */
    const Token *prev; /* the one before it, over line ends; NULL: none */
    size_t i_prev;     /* its index, SIZE_MAX: none */
} Mistake;

bool mistake_expects(const Mistake *m, int kind);
bool mistake_expects_expression(const Mistake *m);
bool mistake_expects_stage(const Mistake *m);
bool mistake_expects_statement(
    const Mistake *m); /* not words that may be names there */
bool mistake_expects_declaration(const Mistake *m);
int mistake_kind_at(const Mistake *m, size_t i);  /* TOK_END past the end */
const Bracket *mistake_bracket(const Mistake *m); /* the innermost open one, or NULL */
/* Does a statement, a stage or a declaration begin with the token at i? */
bool mistake_is_first_word(const Mistake *m, size_t i);

/* The end of a line or of the text. */
bool token_is_end(int kind);
bool token_is_operator(int kind);

/* syntax_layout.c: brackets, lines and `|`. */
bool rule_declaration_in_braces(Mistake *m);
bool rule_unclosed(Mistake *m);
bool rule_unmatched(Mistake *m);
bool rule_brace_line(Mistake *m);
bool rule_continued_line(Mistake *m);
bool rule_leading_operator(Mistake *m);
bool rule_pipe(Mistake *m);

/* syntax_habits.c: what other languages write. */
bool rule_sql(Mistake *m);
bool rule_comment(Mistake *m);
bool rule_foreign_value(Mistake *m);
bool rule_assign(Mistake *m);
bool rule_chain(Mistake *m);
bool rule_if(Mistake *m);
bool rule_method(Mistake *m);

/* syntax_words.c: words that are misspelt, unknown or taken. */
bool rule_misspelt(Mistake *m);
bool rule_unknown_word(Mistake *m);
bool rule_reserved(Mistake *m);

#endif
