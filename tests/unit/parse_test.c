#include "lang/parse.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/diag_text.h"
#include "lang/ast_dump.h"
#include "parsed.h"
#include "unit.h"

static bool has_code(const Parsed *p, DiagCode code)
{
    for (size_t i = 0; i < p->diags.list.n; i++)
        if (p->diags.list.ptr[i]->code == code)
            return true;
    return false;
}

/* Spans cover exactly what was written. */
static void test_spans(void)
{
    Parsed p = parse(STR_LIT("@doc(\"d\")\nop a(x: int) { where (x + 1) > 2 }\n"));
    Str text = source_text(p.ast->source);
    uint32_t base = source_base(p.ast->source);
#define TEXT_OF(s) str_slice(text, (s).lo - base, (s).hi - (s).lo)
    const Decl *d = p.ast->decls.ptr[0];
    CHECK(d->kind == DECL_OP && d->op->annotations.n == 1);
    CHECK(str_is(TEXT_OF(d->op->annotations.ptr[0].span), "@doc(\"d\")"));
    CHECK(str_is(TEXT_OF(d->op->span), "op a(x: int) { where (x + 1) > 2 }"));
    CHECK(str_is(TEXT_OF(d->op->body_span), "{ where (x + 1) > 2 }"));
    CHECK(d->span.lo == base && d->span.hi == d->op->span.hi);
    CHECK(str_is(TEXT_OF(d->op->params.ptr[0].type.span), "int"));
    const Stmt *s = d->op->body.ptr[0];
    CHECK(str_is(TEXT_OF(s->span), "where (x + 1) > 2"));
    CHECK(str_is(TEXT_OF(s->word_span), "where"));
    const Expr *e = s->exprs.ptr[0];
    CHECK(str_is(TEXT_OF(e->span), "(x + 1) > 2") && str_is(TEXT_OF(e->op_span), ">"));
    CHECK(str_is(TEXT_OF(e->args.ptr[0]->span), "(x + 1)") &&
          e->args.ptr[0]->is_parens);
#undef TEXT_OF
    parsed_free(&p);
}

/* Comments, line ends, everything: the tokens and the blanks between them are the text.
 */
static void test_tokens(void)
{
    Parsed p = parse(STR_LIT("# c\nlet a = \"x {b} y\" # d\n"));
    const TokenList *t = &p.ast->tokens;
    uint32_t at = source_base(p.ast->source), n_comments = 0;
    for (size_t i = 0; i < t->n; i++) {
        CHECK(t->ptr[i].span.lo >= at && t->ptr[i].span.lo <= at + 1);
        at = t->ptr[i].span.hi;
        n_comments += t->ptr[i].kind == TOKEN_COMMENT;
    }
    CHECK(at == source_base(p.ast->source) + source_text(p.ast->source).len);
    CHECK(n_comments == 2);
    parsed_free(&p);
}

/* A million of anything: one message, no overflow of the stack. */
static void check_deep(const char *before, const char *unit, const char *after)
{
    Buf b = {0};
    buf_puts(&b, before);
    for (int i = 0; i < 1000000; i++)
        buf_puts(&b, unit);
    buf_puts(&b, after);
    Parsed p = parse(buf_str(&b));
    CHECK(p.diags.n_errors == 1);
    CHECK(has_code(&p, E_TOO_DEEP));
    parsed_free(&p);
    buf_deinit(&b);
}

static void test_deep(void)
{
    check_deep("let x = ", "(", "1");
    check_deep("let x = ", "[", "");
    check_deep("let x = ", "\"{", "");
    check_deep("let x = ", "-", "1\n");
    check_deep("let x = ", "not ", "a\n");
    check_deep("let x = ", "a + ", "1\n");
    check_deep("let x = ", "a ?? ", "1\n");
    check_deep("let x = ", "if a then b else ", "1\n");
    check_deep("let x = a", ".b", "\n");
}

/* ---- whatever is written, parsing ends, and an error node has a message ---- */

static const char *const WORDS[] = {
    "and ",
    "not ",
    "in ",
    "is ",
    "if ",
    "then ",
    "else ",
    "null ",
    "let ",
    "op a {\n",
    "job j {\n",
    "@tag ",
    "read csv ",
    "where ",
    "select ",
    "sort by ",
    "group by ",
    "map ",
    "collect ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    ",",
    ":",
    ".",
    "..",
    "=",
    "==",
    "<",
    "->",
    "*",
    "-",
    "//",
    "?",
    "\n",
    "\n",
    ";",
    "a ",
    "`x y` ",
    "1 ",
    "1.5s ",
    "5x ",
    "'raw' ",
    "'",
    "\"s\" ",
    "\"{",
    "\"",
    "# c\n",
    "\xe2\x80\x9c",
    "\xc2\xa0",
    "raed ",
    "\\",
    "&&",
    "/*",
    "\r\n",
    "take 3\n",
    "\xff",
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void test_random_words(void)
{
    uint64_t state = 20240501;
    uint32_t n_silent = 0;
    for (int i = 0; i < 3000; i++) {
        Buf b = {0}, dump = {0};
        for (uint64_t n = next_random(&state) % 40; n > 0; n--)
            buf_puts(&b, WORDS[next_random(&state) % (sizeof WORDS / sizeof *WORDS)]);
        Parsed p = parse(buf_str(&b));
        ast_dump(&dump, p.ast, true);
        bool has_error_node = dump.ptr && strstr(dump.ptr, "(error");
        n_silent += has_error_node && p.diags.n_errors == 0;
        diags_put_human(&dump, &p.diags, p.sources, true);
        parsed_free(&p);
        buf_deinit(&b);
        buf_deinit(&dump);
    }
    CHECK(n_silent == 0);
}

/* ---- no state is shared: two parsers at once (ThreadSanitizer watches) ---- */

static void *parse_often(void *n_errors)
{
    for (int i = 0; i < 50; i++) {
        Parsed p = parse(STR_LIT("op a { whre x > 1; select x y; take }\n"
                                 "job j { range 1..3 | map a }\n"));
        *(uint32_t *)n_errors += p.diags.n_errors;
        parsed_free(&p);
    }
    return NULL;
}

static void test_two_at_once(void)
{
    pthread_t thread;
    uint32_t n_here = 0, n_there = 0;
    CHECK(pthread_create(&thread, NULL, parse_often, &n_there) == 0);
    parse_often(&n_here);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(n_here == n_there && n_here == 3 * 50);
}

int main(void)
{
    test_spans();
    test_tokens();
    test_deep();
    test_random_words();
    test_two_at_once();
    UNIT_END("parse");
}
