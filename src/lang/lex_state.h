/* lex_state.h - what the rules of grammar/pipe.l call. Private to the scanner.
 *
 * Every function consumes the text it is given. Those that return int return 1: the
 * scanner stops only at the end.
 */
#ifndef PIPE_LANG_LEX_STATE_H
#define PIPE_LANG_LEX_STATE_H

#include <stdlib.h>

#include "lang/lex.h"
#include "lang/parse_state.h"

/* A string that is open, or the interpolation in it that is being scanned. */
typedef struct LexLevel {
    Span quote;      /* the string's opening quote */
    Span brace;      /* the interpolation's opening brace */
    uint32_t braces; /* plain braces open inside the interpolation */
    Diag *pattern;   /* said of an escape that patterns have; NULL: none was met */
} LexLevel;

typedef struct Lex {
    Arena *arena;
    Diags *diags;
    TokenList *tokens;
    Str text;
    uint32_t base;                       /* position of text.ptr[0] */
    uint32_t at;                         /* offset of the next byte */
    Span long_raw;                       /* the last raw string that spans lines */
    LexLevel levels[PARSE_MAX_BRACKETS]; /* strings around the scanner */
    uint32_t n_levels;
    bool in_string;    /* innermost level: its text, not an interpolation */
    uint32_t n_parens; /* open ( and [ */
    bool has_given_up;
} Lex;

/* ---- shared by the files of the scanner ---- */

Span lex_span(const Lex *lex, uint32_t offset, uint32_t len);
Str lex_slice(const Lex *lex,
              uint32_t len); /* of the source, from where the scanner is */
/* Appends a token and consumes its text; valid until the next one. */
Token *lex_push(Lex *lex, int kind, Str text);
/* A text that goes to the end of its line, less the start of CRLF. */
void lex_push_line(Lex *lex, int kind, Str text);
/* Does the text begin with a typographic sign that stands for a plain one? */
bool lex_is_lookalike(Str text);
/* Reports it; returns how much was consumed. */
uint32_t lex_lookalike(Lex *lex, Str text);

/* ---- called by the rules of pipe.l ---- */

int lex_token(Lex *lex, int kind, Str text);
void lex_skip(Lex *lex, Str text);
int lex_comment(Lex *lex, Str text);
uint32_t lex_line_end(Lex *lex, Str text); /* returns how much behind it was consumed too */
/* Returns how much was consumed: less than the text when something else stands in it,
 * more when it begins a quotation in typographic quotes. */
uint32_t lex_word(Lex *lex, Str text);
int lex_backticks(Lex *lex, Str text);
/* Returns how much was consumed: a typographic sign ends it. */
uint32_t lex_number(Lex *lex, Str text);
int lex_point(Lex *lex, Str text); /* `.5` or `5.` */
int lex_raw(Lex *lex, Str text);
int lex_unclosed(Lex *lex, Str text); /* 'raw or `name to the end of the line */
int lex_string_begin(Lex *lex, Str text);
int lex_string_text(Lex *lex, Str text);
int lex_string_end(Lex *lex, Str text);
/* At the end of a line. Returns how much was consumed: what stands below up to the quote that closes the string. */
uint32_t lex_string_unclosed(Lex *lex);
/* Skips the rest of the line, in which a string and its expressions cannot be told apart. */
uint32_t lex_string_lost(Lex *lex);
int lex_interpolation_begin(Lex *lex, Str text);
bool lex_in_interpolation(const Lex *lex);
int lex_brace_open(Lex *lex, Str text);
/* True when it closed an interpolation: the string goes on. */
bool lex_brace_close(Lex *lex, Str text);
int lex_foreign_operator(Lex *lex, Str text);
int lex_foreign_comment(Lex *lex, Str text);
/* A `/`: it divides, or begins a pattern. Returns how much was consumed. */
uint32_t lex_slash(Lex *lex, Str text);
int lex_foreign_continuation(Lex *lex, Str text); /* a backslash at the end of a line */
/* A line that begins with `//` or `--`. Returns how much of it was consumed. */
uint32_t lex_foreign_line(Lex *lex, Str text);
/* Returns how much was consumed: one byte, or the rest of a line. */
uint32_t lex_bad_char(Lex *lex, Str text);

#endif
