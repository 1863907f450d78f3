/* formatted.h - what holds of the formatter for every program; for tests. */
#ifndef PIPE_TESTS_FORMATTED_H
#define PIPE_TESTS_FORMATTED_H

#include <stdio.h>

#include "base/text_diff.h"
#include "lang/ast_dump.h"
#include "lang/fmt.h"

#include "parsed.h"

static Str token_text(const Parsed *p, const Token *t)
{
    uint32_t base = source_base(p->ast->source);
    Str text = str_slice(source_text(p->ast->source), t->span.lo - base, t->span.hi - t->span.lo);
    while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* All comments, a line each, without blanks at their ends. */
static void put_comments(Buf *out, const Parsed *p)
{
    for (size_t i = 0; i < p->ast->tokens.n; i++)
        if (p->ast->tokens.ptr[i].kind == TOKEN_COMMENT) {
            buf_put_str(out, token_text(p, &p->ast->tokens.ptr[i]));
            buf_putc(out, '\n');
        }
}

static bool is_same(const char *what, const char *path, Buf *a, Buf *b)
{
    bool ok = str_eq(buf_str(a), buf_str(b));
    if (!ok) {
        Buf diff = {0};
        text_diff(&diff, buf_str(a), buf_str(b), "before", "after");
        printf("%s: %s\n%s", path, what, diff.ptr);
        buf_deinit(&diff);
    }
    buf_clear(a);
    buf_clear(b);
    return ok;
}

/* Of a program without mistakes of syntax, which is formatted: its tree and its comments stay, and what was written stays
 * as it is. True, too, of one with mistakes, which is left alone: *is_sound (may be NULL) tells. */
static bool formatted_holds(const char *path, Str text, bool *is_sound)
{
    Parsed before = parse(text);
    bool sound = before.diags.n_errors == 0, ok = true;
    if (sound) {
        Buf once = {0}, twice = {0}, a = {0}, b = {0};
        fmt_program(&once, before.ast);
        Parsed after = parse(buf_str(&once));
        ast_dump(&a, before.ast, false);
        ast_dump(&b, after.ast, false);
        ok = after.diags.n_errors == 0 && is_same("the tree changed", path, &a, &b);
        put_comments(&a, &before);
        put_comments(&b, &after);
        ok = ok && is_same("the comments changed", path, &a, &b);
        fmt_program(&twice, after.ast);
        ok = ok && is_same("formatted twice", path, &once, &twice);
        parsed_free(&after);
        buf_deinit(&once);
        buf_deinit(&twice);
        buf_deinit(&a);
        buf_deinit(&b);
    }
    parsed_free(&before);
    if (is_sound)
        *is_sound = sound;
    return ok;
}

#endif
