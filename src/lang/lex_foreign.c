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
    {"\xe3\x80\x80", "an ideographic space", " "},
    {"\xe2\x80\xaf", "a narrow no-break space", " "},
    {"\xe2\x80\x89", "a thin space", " "},
    {"\xe2\x81\xa0", "a word joiner", ""},
    {"\xe2\x80\x8e", "a direction mark", ""},
    {"\xe2\x80\x8f", "a direction mark", ""},
    {"\xef\xbc\x88", "a full-width sign", "("},
    {"\xef\xbc\x89", "a full-width sign", ")"},
    {"\xef\xbc\xbb", "a full-width sign", "["},
    {"\xef\xbc\xbd", "a full-width sign", "]"},
    {"\xef\xbd\x9b", "a full-width sign", "{"},
    {"\xef\xbd\x9d", "a full-width sign", "}"},
    {"\xef\xbd\x9c", "a full-width sign", "|"},
    {"\xef\xbc\x8c", "a full-width sign", ","},
    {"\xef\xbc\x9a", "a full-width sign", ":"},
    {"\xef\xbc\x9b", "a full-width sign", ";"},
    {"\xef\xbc\x9d", "a full-width sign", "="},
    {"\xef\xbc\x9c", "a full-width sign", "<"},
    {"\xef\xbc\x9e", "a full-width sign", ">"},
    {"\xef\xbc\x8b", "a full-width sign", "+"},
    {"\xef\xbc\x8d", "a full-width sign", "-"},
    {"\xef\xbc\x8a", "a full-width sign", "*"},
    {"\xef\xbc\x8f", "a full-width sign", "/"},
    {"\xef\xbc\x85", "a full-width sign", "%"},
    {"\xef\xbc\x82", "a full-width quote", "\""},
    {"\xef\xbc\x87", "a full-width quote", "'"},
    {"\xc3\x97", "a multiplication sign", "*"},
    {"\xc3\xb7", "a division sign", "/"},
    {"\xc2\xac", "a sign", "not "},
    {"\xe2\x88\xa7", "a sign", "and"},
    {"\xe2\x88\xa8", "a sign", "or"},
    {"\xc2\xa6", "a broken bar", "|"},
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

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* The token that a plain sign is, so that what follows reads on; brackets stay out of it. */
static int plain_kind(const char *plain)
{
    static const struct {
        const char *text;
        int kind;
    } kinds[] = {{"-", TOK_MINUS},   {"<=", TOK_LE},     {">=", TOK_GE},  {"!=", TOK_NE},   {"->", TOK_ARROW},
                 {",", TOK_COMMA},   {":", TOK_COLON},   {"|", TOK_PIPE}, {"<", TOK_LT},    {">", TOK_GT},
                 {"+", TOK_PLUS},    {"*", TOK_STAR},    {"/", TOK_SLASH}, {"%", TOK_PERCENT},
                 {"not ", TOK_NOT},  {"and", TOK_AND},   {"or", TOK_OR}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(plain, kinds[i].text) == 0)
            return kinds[i].kind;
    return TOK_BAD;
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
                     "%s `%s` stands here where `%.*s` is meant", l->name, l->utf8,
                     (int)strcspn(l->plain, " "), l->plain);
    diag_fix(lex->diags, d, span, str_of(l->plain));
    d->is_certain = !is_quote || end > 0;
    if (is_quote && end > 0) {
        uint32_t n_close = lex->text.ptr[end - 1] == *l->plain ? 1 : (uint32_t)strlen(l->utf8);
        diag_fix_certain(lex->diags, d, lex_span(lex, end - n_close, n_close), str_of(l->plain));
    }
    if (is_quote) {
        diag_help(lex->diags, d, "strings stand in plain quotes: `\"text\"`");
        if (end)
            len = end - lex->at;
        Token *t = lex_push(lex, end ? TOK_RAW : TOK_BAD, lex_slice(lex, len));
        t->text = STR_LIT("");
    } else if (*l->plain == '\0' || *l->plain == ' ') {
        diag_help(lex->diags, d, "replace it by %s",
                  *l->plain ? "a plain space" : "nothing");
        bool parts_word = !*l->plain && lex->at > 0 && is_word_byte(lex->text.ptr[lex->at - 1]) &&
                          lex->at + len < lex->text.len && is_word_byte(lex->text.ptr[lex->at + len]);
        if (parts_word) /* what stands on both sides is one word */
            lex_push(lex, TOK_BAD, lex_slice(lex, len));
        else
            lex->at += len;
    } else {
        lex_push(lex, plain_kind(l->plain), lex_slice(lex, len))->text = str_of(l->plain);
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
    diag_fix_certain(lex->diags, d, span,
                     f->kind == TOK_NOT ? STR_LIT("not ") : str_of(f->ours));
    lex_push(lex, f->kind, lex_slice(lex, text.len))->text = str_of(f->ours);
    return 1;
}

int lex_foreign_continuation(Lex *lex, Str text)
{
    Diag *d = diag_add(lex->diags, E_BAD_ESCAPE, lex_span(lex, lex->at, 1), "no `\\` joins two lines");
    diag_help(lex->diags, d, "a statement goes on after `,`, `|` or an operator, and before `|`, `and`, `or`, `??`, "
                             "`then`, `else`");
    diag_fix_certain(lex->diags, d, lex_span(lex, lex->at, 1), STR_LIT(""));
    lex_skip(lex, text);
    return 1;
}

uint32_t lex_slash(Lex *lex, Str text)
{
    int before = lex->tokens->n ? lex->tokens->ptr[lex->tokens->n - 1].kind : TOK_END;
    uint32_t end = lex->at + 1, n = lex->text.len;
    for (; end < n && lex->text.ptr[end] != '/' && lex->text.ptr[end] != '\n'; end++)
        end += lex->text.ptr[end] == '\\' && end + 1 < n && lex->text.ptr[end + 1] != '\n';
    bool is_pattern = (before == TOK_TILDE || before == TOK_COMMA || before == TOK_LPAREN) && end > lex->at + 1 &&
                      end < n && lex->text.ptr[end] == '/';
    uint32_t flags = end + 1;
    while (is_pattern && flags < n && is_word_byte(lex->text.ptr[flags]))
        flags++;
    Str given = str_slice(lex->text, end + 1, is_pattern ? flags - end - 1 : 0);
    if (!is_pattern || (given.len && !str_is(given, "i"))) { /* a path, or a division */
        lex_token(lex, TOK_SLASH, text);
        return 1;
    }
    Str body = str_slice(lex->text, lex->at + 1, end - lex->at - 1);
    Str pattern = arena_printf(lex->arena, "%s%.*s", given.len ? "(?i)" : "", STR_ARG(body));
    if (before != TOK_TILDE) { /* there the rule of the parser says both */
        Diag *d = diag_add(lex->diags, E_FOREIGN_FORM, lex_span(lex, lex->at, flags - lex->at),
                           "a pattern stands in quotes, not between `/`");
        diag_help(lex->diags, d, "write `'%.*s'`", STR_ARG(pattern));
        if (!memchr(pattern.ptr, '\'', pattern.len))
            diag_fix_certain(lex->diags, d, d->span, arena_printf(lex->arena, "'%.*s'", STR_ARG(pattern)));
    }
    uint32_t len = flags - lex->at;
    lex_push(lex, TOK_RAW, lex_slice(lex, len))->text = pattern;
    return len;
}

int lex_foreign_comment(Lex *lex, Str text)
{
    Diag *d = diag_add(lex->diags, E_FOREIGN_COMMENT, lex_span(lex, lex->at, 2),
                       "`/*` does not start a comment");
    diag_help(lex->diags, d,
              "a comment starts with `#` and goes to the end of the line");
    uint32_t end = lex->at + text.len;
    while (end < lex->text.len && (lex->text.ptr[end] == ' ' || lex->text.ptr[end] == '\t' || lex->text.ptr[end] == '\r'))
        end++;
    bool is_last = end == lex->text.len || lex->text.ptr[end] == '\n';
    if (is_last && text.len > 4 && !memchr(text.ptr, '\n', text.len)) {
        diag_fix_certain(lex->diags, d, lex_span(lex, lex->at, 2), STR_LIT("#"));
        diag_fix_certain(lex->diags, d, lex_span(lex, lex->at + text.len - 2, 2), STR_LIT(""));
    }
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
    diag_fix_certain(lex->diags, d, lex_span(lex, lex->at, 2), STR_LIT("#"));
    lex_push_line(lex, TOKEN_COMMENT, (Str){text.ptr + blanks, text.len - blanks});
    return text.len;
}

/* `$hp`, `${hp}`, `$1`: one mistake, whatever stands behind the sign. */
static void foreign_variable(Lex *lex, Diag *d)
{
    uint32_t i = lex->at + 1, n = lex->text.len;
    bool is_braced = i < n && lex->text.ptr[i] == '{';
    uint32_t from = i + is_braced, to = from;
    while (to < n && is_word_byte(lex->text.ptr[to]))
        to++;
    bool is_closed = to < n && lex->text.ptr[to] == '}';
    Str name = str_slice(lex->text, from, to - from);
    if (name.len && name.ptr[0] >= '0' && name.ptr[0] <= '9') {
        diag_help(lex->diags, d, "a number stands alone; columns have names, without a header `c1`, `c2`, ...");
        lex_token(lex, TOK_BAD, STR_LIT("$"));
        return;
    }
    diag_help(lex->diags, d, "columns and parameters stand without a sign before them");
    if (name.len && (is_closed || !is_braced))
        diag_fix_certain(lex->diags, d, lex_span(lex, lex->at, to + (is_braced && is_closed) - lex->at), name);
    lex_token(lex, TOK_BAD, STR_LIT("$"));
}

uint32_t lex_bad_char(Lex *lex, Str text)
{
    Span span = lex_span(lex, lex->at, text.len);
    unsigned char c = (unsigned char)text.ptr[0];
    if (c == '\\' && lex_in_interpolation(lex)) {
        /* `{\"a\": 1}`: the string ends with its line, whatever stands in it. */
        Diag *d = diag_add(lex->diags, E_BAD_ESCAPE, span, "`\\` stands in an expression between braces");
        diag_help(lex->diags, d, "quotes stand there without it; a plain brace in a string is written `{{`");
        return lex_string_lost(lex);
    }
    if (c == '\\') {
        Diag *d = diag_add(lex->diags, E_BAD_ESCAPE, span, "`\\` stands outside of a string");
        diag_help(lex->diags, d, "a statement goes on after `,`, `|` or an operator; there is no sign for it");
    } else if (c < 0x20 || c == 0x7f) {
        diag_add(lex->diags, E_BAD_CHARACTER, span,
                 "a control character (U+%04X) stands here", c);
    } else {
        Diag *d =
            diag_add(lex->diags, E_BAD_CHARACTER, span, "`%c` has no meaning here", c);
        if (c == '^') {
            diag_help(lex->diags, d, "powers are written `**`");
            diag_fix_certain(lex->diags, d, span, STR_LIT("**"));
        } else if (c == '$') {
            foreign_variable(lex, d);
            return 1;
        }
    }
    lex_token(lex, TOK_BAD, text);
    return 1;
}
