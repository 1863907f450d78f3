#include "lang/token.h"

#include "lang/parse_state.h"
#include "pipe_parse.h"

const Keyword KEYWORDS[] = {
#define KEYWORD(token, text, class)                                                    \
    {TOK_##token, {text, sizeof(text) - 1}, KEYWORD_##class},
#include "../../grammar/keywords.def"
#undef KEYWORD
};
const size_t N_KEYWORDS = sizeof KEYWORDS / sizeof *KEYWORDS;

const Keyword *keyword_by_text(Str text)
{
    for (size_t i = 0; i < N_KEYWORDS; i++) {
        const Keyword *k = &KEYWORDS[i];
        /* The first byte decides nearly always. */
        if (k->text.len == text.len && k->text.ptr[0] == text.ptr[0] &&
            str_eq(k->text, text))
            return k;
    }
    return NULL;
}

KeywordClass token_class(int kind)
{
    for (size_t i = 0; i < N_KEYWORDS; i++)
        if (KEYWORDS[i].token == kind)
            return KEYWORDS[i].class;
    return KEYWORD_NONE;
}

const char *token_name(int kind)
{
    return kind == TOKEN_COMMENT ? "comment" : parse_token_name(kind);
}
