/* fmt_token.c - the tokens of the formatter: their texts, the blanks between them, and the
 * comments on the way. */
#include "lang/fmt_state.h"

#include "base/utf8.h"
#include "pipe_parse.h"

const Token *fmt_token(const Fmt *f, size_t i)
{
    return &f->ast->tokens.ptr[i];
}

bool fmt_is_line_end(const Fmt *f, size_t i)
{
    const Token *t = fmt_token(f, i);
    return t->kind == TOK_NEWLINE && t->text.ptr[0] != ';';
}

size_t fmt_real(const Fmt *f, size_t i)
{
    while (fmt_token(f, i)->kind == TOKEN_COMMENT || fmt_token(f, i)->kind == TOK_NEWLINE)
        i++;
    return i;
}

int fmt_next_kind(const Fmt *f)
{
    return fmt_token(f, fmt_real(f, f->at))->kind;
}

size_t fmt_index(const Fmt *f, uint32_t pos)
{
    size_t lo = 0, hi = f->ast->tokens.n - 1;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (fmt_token(f, mid)->span.lo < pos)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool fmt_has_line_end(const Fmt *f, size_t a, size_t b)
{
    for (size_t i = a + 1; i < b; i++)
        if (fmt_is_line_end(f, i))
            return true;
    return false;
}

bool fmt_has_comment(const Fmt *f, size_t a, size_t b)
{
    for (size_t i = a + 1; i < b; i++)
        if (fmt_token(f, i)->kind == TOKEN_COMMENT)
            return true;
    return false;
}

bool fmt_has_blank(const Fmt *f)
{
    uint32_t n = 0;
    for (size_t i = f->at; fmt_token(f, i)->kind == TOK_NEWLINE; i++)
        n += fmt_is_line_end(f, i);
    return n > 1;
}

static Str slice(const Fmt *f, uint32_t lo, uint32_t hi)
{
    uint32_t base = source_base(f->ast->source);
    return str_slice(source_text(f->ast->source), lo - base, hi - lo);
}

uint32_t fmt_width(const Fmt *f, Span span)
{
    return utf8_width(slice(f, span.lo, span.hi));
}

uint32_t fmt_column(const Fmt *f, size_t i)
{
    Str text = source_text(f->ast->source);
    uint32_t at = fmt_token(f, i)->span.lo - source_base(f->ast->source), line = at;
    while (line > 0 && text.ptr[line - 1] != '\n')
        line--;
    uint32_t column = 0;
    for (uint32_t from = line; from < at;) {
        uint32_t to = from;
        while (to < at && text.ptr[to] != '\t')
            to++;
        column += utf8_width(str_slice(text, from, to - from));
        if (to < at)
            column = (column / 8 + 1) * 8;
        from = to + 1;
    }
    return column;
}

static Str comment_text(const Fmt *f, size_t i)
{
    const Token *t = fmt_token(f, i);
    Str text = slice(f, t->span.lo, t->span.hi);
    while (text.len > 1 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* A comment on the line of the token that was put; ends of statements may be between. */
static void put_comment_behind(Fmt *f)
{
    size_t i = f->at;
    while (fmt_token(f, i)->kind == TOK_NEWLINE && !fmt_is_line_end(f, i))
        i++;
    if (fmt_token(f, i)->kind != TOKEN_COMMENT)
        return;
    /* One blank before it is no column that a person has chosen. */
    uint32_t at = fmt_token(f, i)->span.lo;
    bool is_close = i > 0 && fmt_token(f, i - 1)->span.hi + 1 >= at;
    layout_comment_behind(f->layout, comment_text(f, i), is_close ? 0 : fmt_column(f, i));
    f->at = i + 1;
}

/* Comments before token `next`, and no break behind them yet; false if there are none. */
static bool put_comments(Fmt *f, size_t next)
{
    bool is_first = f->last_kind == TOK_LBRACE;
    bool has_any = fmt_has_comment(f, f->at, next) || fmt_token(f, f->at)->kind == TOKEN_COMMENT;
    while (f->at < next) {
        if (fmt_token(f, f->at)->kind == TOKEN_COMMENT) {
            bool has_blank = f->at > 0 && !is_first && fmt_is_line_end(f, f->at - 1) &&
                             f->at > 1 && fmt_is_line_end(f, f->at - 2);
            layout_comment_line(f->layout, comment_text(f, f->at), has_blank);
            is_first = false;
        }
        f->at++;
    }
    return has_any;
}

void fmt_comments(Fmt *f)
{
    size_t next = fmt_real(f, f->at);
    if (!put_comments(f, next))
        return;
    bool has_blank = next > 1 && fmt_is_line_end(f, next - 1) &&
                     fmt_is_line_end(f, next - 2);
    int kind = fmt_token(f, next)->kind;
    if (kind == TOK_RBRACE || kind == TOK_RPAREN || kind == TOK_RBRACK || kind == TOK_END)
        return; /* a break comes before it */
    layout_settle(f->layout);
    if (has_blank)
        layout_blank(f->layout);
}

/* A string with all that is interpolated in it is one word. */
static size_t last_of(const Fmt *f, size_t i)
{
    size_t level = 0;
    do {
        level += fmt_token(f, i)->kind == TOK_SBEG;
        level -= fmt_token(f, i)->kind == TOK_SEND;
        i++;
    } while (level > 0);
    return i - 1;
}

static bool sticks_after(int kind)
{
    return kind == TOK_LPAREN || kind == TOK_LBRACK || kind == TOK_AT || kind == TOK_DOT ||
           kind == TOK_DOTDOT;
}

static bool sticks_before(int kind)
{
    return kind == TOK_RPAREN || kind == TOK_RBRACK || kind == TOK_COMMA || kind == TOK_DOT ||
           kind == TOK_DOTDOT || kind == TOK_COLON;
}

void fmt_put(Fmt *f)
{
    fmt_comments(f);
    const Token *t = fmt_token(f, f->at);
    size_t last = last_of(f, f->at);
    layout_settle(f->layout);
    if (!layout_is_fresh(f->layout) && !f->is_glued && !sticks_after(f->last_kind) &&
        !sticks_before(t->kind))
        layout_text(f->layout, STR_LIT(" "));
    layout_text(f->layout, slice(f, t->span.lo, fmt_token(f, last)->span.hi));
    f->last_kind = t->kind;
    f->is_glued = false;
    f->at = last + 1;
    put_comment_behind(f);
}

void fmt_put_until(Fmt *f, uint32_t pos)
{
    for (;;) {
        const Token *t = fmt_token(f, fmt_real(f, f->at));
        if (t->kind == TOK_END || t->span.lo >= pos)
            return;
        fmt_put(f);
    }
}

void fmt_skip(Fmt *f)
{
    put_comments(f, fmt_real(f, f->at));
    f->at++;
    put_comment_behind(f);
}

void fmt_open(Fmt *f, GroupKind kind, bool is_broken)
{
    fmt_comments(f);
    layout_settle(f->layout);
    layout_open(f->layout, kind, is_broken);
}
