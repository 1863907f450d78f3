/* lex_foreign.c - what text processors and other languages write: typographic signs,
 * operators, comments, characters without a meaning. */
#include "lang/lex_state.h"

#include <string.h>

#include "base/utf8.h"
#include "pipe_parse.h"

typedef struct Lookalike {
    const char *utf8;
    const char *name;
    const char *plain; /* what is meant */
} Lookalike;

/* Characters that text processors and web pages put in place of plain ones. */
static const Lookalike LOOKALIKES[] = {
    {"\xe2\x80\x9c", "a curly quote", "\""},
    {"\xe2\x80\x9d", "a curly quote", "\""},
    {"\xe2\x80\x9e", "a low quote", "\""},
    {"\xc2\xab", "a guillemet", "\""},
    {"\xc2\xbb", "a guillemet", "\""},
    {"\xe2\x80\x98", "a curly quote", "'"},
    {"\xe2\x80\x99", "a curly quote", "'"},
    {"\xc2\xa0", "a no-break space", " "},
    {"\xe2\x80\x8b", "a zero-width space", ""},
    {"\xef\xbb\xbf", "a byte order mark", ""},
    {"\xe2\x80\x93", "a dash", "-"},
    {"\xe2\x80\x94", "a dash", "-"},
    {"\xe2\x88\x92", "a minus sign", "-"},
    {"\xe2\x89\xa4", "a sign", "<="},
    {"\xe2\x89\xa5", "a sign", ">="},
    {"\xe2\x89\xa0", "a sign", "!="},
    {"\xe2\x86\x92", "an arrow", "->"},
    {"\xe2\x80\xa6", "an ellipsis", "..."},
};

static const Lookalike *lookalike_at(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof LOOKALIKES / sizeof *LOOKALIKES; i++) {
        size_t len = strlen(LOOKALIKES[i].utf8);
        if (len <= n && memcmp(p, LOOKALIKES[i].utf8, len) == 0)
            return &LOOKALIKES[i];
    }
    return NULL;
}

/* Where the quotation that opened before `from` ends on this line: offset behind its
 * closing lookalike, or 0. */
static uint32_t quotation_end(const Lex *lex, uint32_t from, const char *quote)
{
    for (uint32_t i = from; i < lex->text.len && lex->text.ptr[i] != '\n'; i++) {
        const Lookalike *l = lookalike_at(lex->text.ptr + i, lex->text.len - i);
        if (l && strcmp(l->plain, quote) == 0)
            return i + (uint32_t)strlen(l->utf8);
        if (lex->text.ptr[i] == *quote)
            return i + 1;
    }
    return 0;
}

/* Reports a lookalike and goes on as if what it stands for were there, as far as that
 * is a token by itself. */
static uint32_t report_lookalike(Lex *lex, const Lookalike *l)
{
    uint32_t len = (uint32_t)strlen(l->utf8);
    Span span = lex_span(lex, lex->at, len);
    bool is_quote = *l->plain == '"' || *l->plain == '\'';
    uint32_t end = is_quote ? quotation_end(lex, lex->at + len, l->plain) : 0;

    uint32_t cp;
    utf8_decode(l->utf8, len, &cp);
    Diag *d;
    if (*l->plain == '\0' || *l->plain == ' ')
        d = diag_add(lex->diags, E_BAD_CHARACTER, span, "%s (U+%04X) stands here",
                     l->name, cp);
    else
        d = diag_add(lex->diags, E_BAD_CHARACTER, span,
                     "%s `%s` stands here where `%s` is meant", l->name, l->utf8,
                     l->plain);
    diag_fix(lex->diags, d, span, str_of(l->plain));
    if (is_quote) {
        diag_help(lex->diags, d, "strings stand in plain quotes: `\"text\"`");
        if (end)
            len = end - lex->at;
        Token *t = lex_push(lex, end ? TOK_RAW : TOK_BAD, lex_slice(lex, len));
        t->text = STR_LIT("");
    } else if (*l->plain == '\0' || *l->plain == ' ') {
        diag_help(lex->diags, d, "replace it by %s",
                  *l->plain ? "a plain space" : "nothing");
        lex->at += len;
    } else {
        lex_push(lex, TOK_BAD, lex_slice(lex, len));
    }
    return len;
}

uint32_t lex_lookalike(Lex *lex, Str text)
{
    const Lookalike *l = lookalike_at(text.ptr, text.len);
    return l ? report_lookalike(lex, l) : 0;
}

bool lex_is_lookalike(Str text)
{
    return lookalike_at(text.ptr, text.len) != NULL;
}

typedef struct Foreign {
    const char *text;
    const char *ours;
    int kind; /* the token it is taken as */
} Foreign;

static const Foreign FOREIGN[] = {
    {"&&", "and", TOK_AND},  {"&", "and", TOK_AND},   {"||", "or", TOK_OR},
    {"!", "not", TOK_NOT},   {"<>", "!=", TOK_NE},    {"===", "==", TOK_EQ},
    {"!==", "!=", TOK_NE},   {":=", "=", TOK_ASSIGN}, {"=<", "<=", TOK_LE},
    {"=>", "->", TOK_ARROW},
};

int lex_foreign_operator(Lex *lex, Str text)
{
    const Foreign *f = FOREIGN;
    while (!str_is(text, f->text))
        f++; /* pipe.l sends only those in the table */
    Span span = lex_span(lex, lex->at, text.len);
    Diag *d = diag_add(lex->diags, E_FOREIGN_OPERATOR, span,
                       "`%s` is written `%s` here", f->text, f->ours);
    if (f->kind == TOK_ARROW)
        diag_help(lex->diags, d, "`>=` is greater or equal, `->` renames");
    else
        diag_help(lex->diags, d, "write `%s`%s", f->ours,
                  f->kind == TOK_OR ? "; strings are joined by `+`" : "");
    diag_fix(lex->diags, d, span,
             f->kind == TOK_NOT ? STR_LIT("not ") : str_of(f->ours));
    lex_push(lex, f->kind, lex_slice(lex, text.len))->text = str_of(f->ours);
    return 1;
}

int lex_foreign_comment(Lex *lex, Str text)
{
    Diag *d = diag_add(lex->diags, E_FOREIGN_COMMENT, lex_span(lex, lex->at, 2),
                       "`/*` does not start a comment");
    diag_help(lex->diags, d,
              "a comment starts with `#` and goes to the end of the line");
    lex_skip(lex, text);
    return 1;
}

uint32_t lex_foreign_line(Lex *lex, Str text)
{
    uint32_t blanks = 0;
    while (text.ptr[blanks] == ' ' || text.ptr[blanks] == '\t')
        blanks++;
    lex->at += blanks;
    if (lex->n_parens > 0) { /* an expression goes on */
        Str op = {text.ptr + blanks, text.ptr[blanks] == '/' ? 2 : 1};
        lex_token(lex, op.len == 2 ? TOK_IDIV : TOK_MINUS, op);
        return blanks + op.len;
    }
    Diag *d = diag_add(lex->diags, E_FOREIGN_COMMENT, lex_span(lex, lex->at, 2),
                       "`%.2s` does not start a comment", text.ptr + blanks);
    diag_help(lex->diags, d,
              "a comment starts with `#` and goes to the end of the line");
    diag_fix(lex->diags, d, lex_span(lex, lex->at, 2), STR_LIT("#"));
    lex_push_line(lex, TOKEN_COMMENT, (Str){text.ptr + blanks, text.len - blanks});
    return text.len;
}

int lex_bad_char(Lex *lex, Str text)
{
    Span span = lex_span(lex, lex->at, text.len);
    unsigned char c = (unsigned char)text.ptr[0];
    if (c == '\\') {
        diag_add(lex->diags, E_BAD_ESCAPE, span, "`\\` stands at the end of a line");
    } else if (c < 0x20 || c == 0x7f) {
        diag_add(lex->diags, E_BAD_CHARACTER, span,
                 "a control character (U+%04X) stands here", c);
    } else {
        Diag *d =
            diag_add(lex->diags, E_BAD_CHARACTER, span, "`%c` has no meaning here", c);
        if (c == '^')
            diag_help(lex->diags, d, "powers are written `**`");
        else if (c == '$')
            diag_help(lex->diags, d,
                      "columns and parameters stand without a sign before them");
        else if (c == '~')
            diag_help(lex->diags, d, "write `matches(text, 'pattern')`");
    }
    return lex_token(lex, TOK_BAD, text);
}
