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

/* A name, or a word that may be one. */
bool token_is_name(int kind);
bool token_is_string(int kind);
/* May a name, a bracket, a string or a number end with it? For operands also null, true and other literals. */
bool token_ends_value(int kind);
bool token_ends_operand(int kind);
/* Does it bind what stands behind it more tightly than a comparison does? */
bool token_is_arithmetic(int kind);

/* Says a simple mistake; text, where fix has an extent, is certain to be right in its place. Always true. */
#define mistake_say(...) mistake_say_at(__FILE__, __LINE__, __VA_ARGS__)
bool mistake_say_at(const char *file, int line, Mistake *m, DiagCode code, Span at, const char *what, const char *help,
                    Span fix, Str text);
#define NO_FIX ((Span){0, 0})

/* syntax_tokens.c: what stands around the mistake. Indices of tokens. */
size_t mistake_prior(const Mistake *m, size_t i);  /* the token before, over line ends; SIZE_MAX: none */
int mistake_prior_kind(const Mistake *m, size_t i); /* its kind; TOK_END: none */
const Token *mistake_token(const Mistake *m, size_t i); /* the last one past the end */
size_t mistake_next(const Mistake *m, size_t i);        /* on the same line, no comment */
/* A word, in any case; not one in quotes or backticks. Words end in NULL. */
bool mistake_word_at(const Mistake *m, size_t i, const char *lower);
bool mistake_word_among(const Mistake *m, size_t i, const char *const *words);
bool mistake_touch(const Mistake *m, size_t i, size_t k); /* nothing stands between them */
Str mistake_text(const Mistake *m, size_t first, size_t last); /* of the source, both included; empty where last stands before first */
Span mistake_span(const Mistake *m, size_t first, size_t last);
Span mistake_before(const Mistake *m, size_t i); /* empty, to put something there */
Span mistake_behind(const Mistake *m, size_t i);
Span mistake_gap(const Mistake *m, size_t first, size_t last); /* with the blanks up to the next token */
size_t mistake_closer(const Mistake *m, size_t opener); /* SIZE_MAX: none */
/* A name, literal, call or bracket, with what `.` joins to it. SIZE_MAX: none ends or begins there. */
size_t mistake_operand_begin(const Mistake *m, size_t last);
size_t mistake_operand_end(const Mistake *m, size_t first);
/* The item of a list, the value of a definition, or the body of a statement that i is in. */
size_t mistake_part_begin(const Mistake *m, size_t i);
size_t mistake_part_end(const Mistake *m, size_t i);
/* The first token of the statement or stage that the mistake is in. */
size_t mistake_statement(const Mistake *m);
/* Directly in the braces of a job, or where flows stand alone? */
bool mistake_is_in_job(const Mistake *m);
/* The text of a plain string at i; its last token goes to *end. */
bool mistake_plain_string(const Mistake *m, size_t i, Str *text, size_t *end);
/* Tokens first to last as an operand: in brackets unless they are one already. */
Str mistake_operand_text(const Mistake *m, size_t first, size_t last);
/* A test in place of the tokens first to last: in brackets where an operator would take a part of it. */
Str mistake_test_text(const Mistake *m, size_t first, size_t last, Str test);

/* Is `then` wanted here, and `else` follows without one? syntax_habits.c. */
bool mistake_lacks_then(const Mistake *m);

/* Our type that is meant by a word; NULL: none. syntax_cast.c. */
const char *mistake_type_at(const Mistake *m, size_t i);

/* syntax_layout.c: brackets, lines and `|`. */
bool rule_declaration_in_braces(Mistake *m);
bool rule_unclosed(Mistake *m);
bool rule_unmatched(Mistake *m);
bool rule_brace_line(Mistake *m);
bool rule_continued_line(Mistake *m);
bool rule_leading_operator(Mistake *m);
bool rule_dangling_operator(Mistake *m);
bool rule_pipe(Mistake *m);

/* What SQL writes. syntax_sql.c: queries and their words. */
bool rule_sql(Mistake *m);
bool rule_case(Mistake *m);
bool rule_count_all(Mistake *m);
bool rule_over(Mistake *m);
bool rule_sql_word(Mistake *m);
/* syntax_conditions.c */
bool rule_like(Mistake *m);
bool rule_in_list(Mistake *m);
bool rule_between(Mistake *m);
bool rule_null(Mistake *m);
/* syntax_cast.c */
bool rule_cast(Mistake *m);

/* What Python, C, the shell and jq write. syntax_strings.c, syntax_operators.c, and syntax_foreign.c with the rest. */
bool rule_string(Mistake *m);
bool rule_operator(Mistake *m);
bool rule_index(Mistake *m);
bool rule_if_form(Mistake *m);
bool rule_lambda(Mistake *m);
bool rule_assignment(Mistake *m);
bool rule_method(Mistake *m);

/* syntax_forms.c: statements and stages whose words are out of place. */
bool rule_definition(Mistake *m);
bool rule_form(Mistake *m);
bool rule_op_arguments(Mistake *m);
/* syntax_read.c, for rule_form: a path in place of a statement; words of read, write, split. m->prev is there for the
 * second. */
bool mistake_path_form(Mistake *m);
bool mistake_read_form(Mistake *m);

/* syntax_decls.c: declarations, annotations, and files that are no programs. */
bool rule_declaration(Mistake *m);
bool rule_annotation(Mistake *m);
/* syntax_operators.c: where `!a == 1` may mean `(not a) == 1` or `not (a == 1)` nothing is changed. */
void parse_doubt_signs(Parse *p);
/* When nothing of the file reads: one mistake in place of all if it looks like something else. */
void parse_check_shape(Parse *p);

/* syntax_habits.c: what is common to other languages. */
bool rule_comment(Mistake *m);
bool rule_foreign_value(Mistake *m);
bool rule_assign(Mistake *m);
bool rule_chain(Mistake *m);
bool rule_if(Mistake *m);

/* Is it a name, and what other languages call one of our statements? syntax_words.c. */
bool mistake_is_foreign_statement(const Mistake *m, size_t i);

/* syntax_words.c: words that are misspelt, unknown or taken. */
bool rule_misspelt(Mistake *m);
bool rule_unknown_word(Mistake *m);
bool rule_reserved(Mistake *m);
bool rule_refused_name(Mistake *m);

#endif
