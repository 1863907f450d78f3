#include "lang/token.h"

#include "base/utf8.h"
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

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_reserved(Str s)
{
    const Keyword *k = keyword_by_text(s);
    return k && k->class == KEYWORD_RESERVED;
}

bool name_is_plain(Str s)
{
    if (s.len == 0 || !is_letter((unsigned char)s.ptr[0]) || utf8_valid_prefix(s) < s.len)
        return false;
    for (uint32_t i = 1; i < s.len; i++)
        if (!is_letter((unsigned char)s.ptr[i]) && !(s.ptr[i] >= '0' && s.ptr[i] <= '9'))
            return false;
    return !is_reserved(s);
}

Str name_written(Arena *a, Str name)
{
    return name_is_plain(name) ? name : arena_printf(a, "`%.*s`", STR_ARG(name));
}
