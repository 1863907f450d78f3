/* token.h - the tokens of a program, comments and line ends included.
 *
 * The list is kept after parsing: the formatter puts comments back from it, and
 * messages look around in it. A token's kind is one of bison's TOK_... (pipe_parse.h)
 * or TOKEN_COMMENT. Arena-owned, immutable once made.
 */
#ifndef PIPE_LANG_TOKEN_H
#define PIPE_LANG_TOKEN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/source.h"
#include "base/value.h"
#include "base/vec.h"

/* Never reaches the grammar, so it lies outside bison's numbers. */
#define TOKEN_COMMENT 10000

typedef struct Token {
    int kind;
    Span span;
    Str text;    /* names without backticks, string text unescaped, else as written */
    Value value; /* INT, FLOAT, DURATION, SIZE */
} Token;
typedef Vec(Token) TokenList;

typedef enum KeywordClass {
    KEYWORD_NONE,
    KEYWORD_RESERVED,
    KEYWORD_DECL,
    KEYWORD_STMT,
    KEYWORD_CLAUSE,
} KeywordClass;

typedef struct Keyword {
    int token;
    Str text;
    KeywordClass class;
} Keyword;

/* The words of grammar/keywords.def, in its order. */
extern const Keyword KEYWORDS[];
extern const size_t N_KEYWORDS;

const Keyword *keyword_by_text(Str text); /* NULL: a plain name */
KeywordClass token_class(int kind);       /* KEYWORD_NONE for all other tokens */

/* What the token is called in messages: `|`, a keyword's text, "name", "end of line".
 */
const char *token_name(int kind);

/* A name as a program writes it: in backticks unless it is a plain one. In the arena, or the name itself. */
bool name_is_plain(Str name);
Str name_written(Arena *a, Str name);

#endif
