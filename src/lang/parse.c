/* parse.c - the driver between the token list and bison's push parser.
 *
 * It decides what the grammar need not know: which line ends end something, where the
 * wildcard `*` stands, how deep brackets go, and where to go on after a mistake. A
 * mistake makes bison fall back to the nearest `error RESYNC` rule: the driver then
 * skips to the end of the statement, stage, field or declaration, pushes RESYNC and
 * goes on from there.
 */
#include "lang/parse.h"

#include "lang/lex.h"
#include "lang/parse_state.h"
#include "lang/syntax_error.h"
#include "pipe_parse.h"

static const Token *token(const Parse *p, size_t i)
{
    return &p->tokens.ptr[i];
}

/* ---- line ends (language.md section 2) ---- */

bool token_continues_after(int kind)
{
    switch (kind) {
    case TOK_LBRACE:
    case TOK_COMMA:
    case TOK_PIPE:
    case TOK_ASSIGN:
    case TOK_COLON:
    case TOK_ARROW:
    case TOK_DOTDOT:
    case TOK_IF:
    case TOK_THEN:
    case TOK_ELSE:
        return true;
    }
    return token_is_operator(kind);
}

bool token_continues_before(int kind)
{
    switch (kind) {
    case TOK_PIPE:
    case TOK_AND:
    case TOK_OR:
    case TOK_COALESCE:
    case TOK_THEN:
    case TOK_ELSE:
        return true;
    }
    return false;
}

static bool is_physical_line_end(const Token *t)
{
    return t->kind == TOK_NEWLINE && t->text.ptr[0] != ';';
}

size_t token_after(const Parse *p, size_t i, bool over_lines)
{
    do {
        i++;
    } while (i < p->tokens.n && (token(p, i)->kind == TOKEN_COMMENT ||
                                 (over_lines && is_physical_line_end(token(p, i)))));
    return i < p->tokens.n ? i : p->tokens.n - 1;
}

size_t token_before(const Parse *p, size_t i, bool over_lines)
{
    do {
        i--; /* SIZE_MAX below 0 */
    } while (i != SIZE_MAX && (token(p, i)->kind == TOKEN_COMMENT ||
                               (over_lines && is_physical_line_end(token(p, i)))));
    return i;
}

bool token_is_first_of_line(const Parse *p, size_t i)
{
    return i == 0 || is_physical_line_end(token(p, i - 1));
}

/* Does the line end at i end nothing, given the kind pushed before it? Brackets apart.
 */
static bool joins_lines(const Parse *p, size_t i, int last_kind)
{
    if (last_kind != TOK_ALL && token_continues_after(last_kind))
        return true;
    size_t next = token_after(p, i, true);
    return token_continues_before(token(p, next)->kind);
}

static int innermost_bracket(const Parse *p)
{
    return p->n_brackets ? p->brackets[p->n_brackets - 1].kind : TOK_END;
}

/* ---- pushing ---- */

#define GAVE_UP 1 /* what bison's push returns then */

typedef struct Driver {
    Parse *p;
    pipe_pstate *state;
    int last_kind; /* pushed last; TOK_END: nothing yet */
    int status;    /* of the last push; YYPUSH_MORE while it goes on */
    size_t rest;   /* where the last mistake was got over; SIZE_MAX: none */
} Driver;

static bool accepts(const Driver *d, int kind)
{
    int expected[PARSE_MAX_EXPECTED];
    size_t n = parse_expected(d->state, expected);
    for (size_t i = 0; i < n; i++)
        if (expected[i] == kind)
            return true;
    return false;
}

static void push_kind(Driver *d, int kind, const Token *t, Span span)
{
    PIPE_STYPE value = {.TOK_NAME = t}; /* all valued tokens alike */
    d->status = pipe_push_parse(d->state, kind, &value, &span, d->p);
    d->last_kind = kind;
}

/* A token that is not in the text, just after the last one that is. */
static void push_virtual(Driver *d, int kind)
{
    uint32_t at =
        d->p->at ? token(d->p, d->p->at - 1)->span.hi : token(d->p, 0)->span.lo;
    push_kind(d, kind, NULL, (Span){at, at});
}

static void open_bracket(Parse *p, int kind)
{
    if (p->n_brackets == PARSE_MAX_BRACKETS)
        parse_too_deep(p, token(p, p->at)->span);
    else
        p->brackets[p->n_brackets++] = (Bracket){kind, p->at};
}

bool token_is_opener(int kind)
{
    return kind == TOK_LPAREN || kind == TOK_LBRACK || kind == TOK_LBRACE ||
           kind == TOK_IOPEN;
}

bool token_is_closer(int kind)
{
    return kind == TOK_RPAREN || kind == TOK_RBRACK || kind == TOK_RBRACE ||
           kind == TOK_ICLOSE;
}

/* ---- going on after a mistake ---- */

bool parse_begins_declaration(const Parse *p, size_t i)
{
    if (!token_is_first_of_line(p, i))
        return false;
    int kind = token(p, i)->kind;
    const Token *next = token(p, token_after(p, i, false));
    switch (kind) {
    case TOK_OP:
    case TOK_JOB:
    case TOK_FN:
    case TOK_SCHEMA:
    case TOK_PARAM:
        return next->kind == TOK_NAME || next->kind == TOK_QNAME ||
               token_class(next->kind) >= KEYWORD_DECL;
    case TOK_USE:
        return next->kind == TOK_SBEG || next->kind == TOK_RAW;
    case TOK_AT: {
        /* Annotations on lines of their own: what follows them decides. */
        size_t j = i, last = p->tokens.n - 1; /* in a trial the last one is no end */
        while (token(p, j)->kind == TOK_AT && j < last) {
            j = token_after(p, j, false); /* the name */
            j = token_after(p, j, true);
            if (token(p, j)->kind == TOK_LPAREN) {
                uint32_t depth = 0;
                do {
                    depth += token_is_opener(token(p, j)->kind);
                    depth -= token_is_closer(token(p, j)->kind);
                    j = token_after(p, j, true);
                } while (depth > 0 && j < last);
            }
        }
        return token(p, j)->kind == TOK_OP || token(p, j)->kind == TOK_JOB;
    }
    }
    return false;
}

bool parse_begins_afresh(const Parse *p, size_t i)
{
    int kind = token(p, i)->kind;
    if (kind == TOK_RBRACE || parse_begins_declaration(p, i))
        return true;
    if (token_class(kind) != KEYWORD_STMT)
        return false;
    /* A word that is a column's name here is followed by something else. */
    switch (token(p, token_after(p, i, false))->kind) {
    case TOK_ASSIGN:
    case TOK_COMMA:
    case TOK_COLON:
    case TOK_RPAREN:
    case TOK_DOT:
        return false;
    }
    return true;
}

/* Where to go on after a mistake at token `at`: the index of the token that ends the
 * broken part. Brackets that open on the way are skipped whole. */
static size_t find_rest(Driver *d, size_t at)
{
    Parse *p = d->p;
    uint32_t parens = 0, braces = 0;
    while (p->n_brackets && innermost_bracket(p) != TOK_LBRACE) {
        parens += innermost_bracket(p) != TOK_IOPEN;
        p->n_brackets--;
    }
    /* What stands around the mistake: may `|` or `,` end it? */
    int expected[PARSE_MAX_EXPECTED];
    bool ends_at_pipe = false, ends_at_comma = false;
    size_t n = parse_expected(d->state, expected);
    for (size_t i = 0; i < n; i++) {
        ends_at_pipe |= expected[i] == TOK_PIPE;
        ends_at_comma |= expected[i] == TOK_COMMA;
    }

    if (p->n_brackets && parse_begins_declaration(p, at))
        return at;
    int last = TOK_RESYNC;
    for (size_t i = at;; i++) {
        const Token *t = token(p, i);
        bool is_outside = parens == 0 && braces == 0;
        switch (t->kind) {
        case TOK_END:
            return i;
        case TOK_LPAREN:
        case TOK_LBRACK:
            parens++;
            break;
        case TOK_RPAREN:
        case TOK_RBRACK:
            parens -= parens > 0;
            break;
        case TOK_LBRACE:
            braces++;
            break;
        case TOK_RBRACE:
            if (braces == 0 && p->n_brackets > 0)
                return i;
            braces -= braces > 0;
            parens = 0;
            break;
        case TOK_PIPE:
            if (is_outside && ends_at_pipe)
                return i;
            break;
        case TOK_COMMA:
            if (is_outside && ends_at_comma)
                return i;
            break;
        case TOK_NEWLINE: {
            if (parse_begins_declaration(p, token_after(p, i, true)))
                return i;
            if (braces == 0 && parens > 0 &&
                parse_begins_afresh(p, token_after(p, i, true)))
                return i;
            bool ends = !is_physical_line_end(t) || !joins_lines(p, i, last) ||
                        parse_begins_afresh(p, token_after(p, i, true));
            if (is_outside && ends)
                return i;
            break;
        }
        }
        if (t->kind != TOKEN_COMMENT && t->kind != TOK_NEWLINE)
            last = t->kind;
    }
}

static void resynchronise(Driver *d)
{
    Parse *p = d->p;
    push_virtual(d, TOK_RESYNC);
    bool is_line = p->restart.is_line;
    size_t rest = is_line ? p->restart.token : find_rest(d, p->restart.token);
    while (is_line && p->n_brackets && innermost_bracket(p) != TOK_LBRACE)
        p->n_brackets--; /* what the mistake had opened */
    if (rest <= d->rest && d->rest != SIZE_MAX) {
        /* Never back to where it went on before: there would be no end. */
        is_line = false;
        rest = find_rest(d, p->at);
    }
    size_t next = token_after(p, rest, true);
    bool is_decl = parse_begins_declaration(p, rest);
    bool is_over =
        token(p, rest)->kind == TOK_END || is_decl ||
        (token(p, rest)->kind == TOK_NEWLINE && parse_begins_declaration(p, next));
    p->at = rest;
    /* An unclosed body ends before the next declaration. */
    while (is_over && p->n_brackets && d->status == YYPUSH_MORE) {
        push_virtual(d, TOK_RBRACE);
        p->n_brackets--;
    }
    if ((is_decl || is_line) && d->status == YYPUSH_MORE)
        push_virtual(d, TOK_NEWLINE);
    /* Twice at one place: step over it, or stop. */
    if (rest == d->rest) {
        if (token(p, rest)->kind == TOK_END)
            d->status = GAVE_UP;
        else
            p->at++;
    }
    d->rest = p->resumed_at = rest;
    p->has_error = false;
}

/* ---- one token ---- */

static void push_end(Driver *d)
{
    if (accepts(d, TOK_END)) {
        push_kind(d, TOK_END, NULL, token(d->p, d->p->at)->span);
        return;
    }
    /* At an unexpected end bison would give up: the mistake is told for it, and what is
     * open can be resynchronised. */
    int expected[PARSE_MAX_EXPECTED];
    parse_syntax_error(d->p, expected, parse_expected(d->state, expected));
    push_virtual(d, TOK_PIPE_error);
}

static void push_token(Driver *d)
{
    Parse *p = d->p;
    const Token *t = token(p, p->at);
    int kind = t->kind;

    if (kind == TOKEN_COMMENT)
        return;
    /* Empty lines and empty statements. */
    if (kind == TOK_NEWLINE && (d->last_kind == TOK_NEWLINE ||
                                d->last_kind == TOK_LBRACE || d->last_kind == TOK_END))
        return;
    if (is_physical_line_end(t)) {
        int in = innermost_bracket(p);
        if (in == TOK_LPAREN || in == TOK_LBRACK || joins_lines(p, p->at, d->last_kind))
            return;
    }
    bool may_be_all = d->last_kind == TOK_SELECT || d->last_kind == TOK_COMMA;
    if (kind == TOK_STAR && may_be_all && accepts(d, TOK_ALL))
        kind = TOK_ALL;
    if (kind == TOK_END)
        push_end(d);
    else
        push_kind(d, kind, t, t->span);
    if (p->has_error)
        return;
    if (token_is_opener(kind))
        open_bracket(p, kind);
    else if (token_is_closer(kind) && p->n_brackets)
        p->n_brackets--;
    if (kind == TOK_NEWLINE && p->n_brackets == 0)
        p->decl_start = p->at + 1;
}

/* Pushes tokens until the text is over, or in a trial until there is a new mistake or
 * the token at `until` has been accepted. */
static void run(Parse *p, int start, size_t until)
{
    Driver d = {
        .p = p, .state = pipe_pstate_new(), .status = YYPUSH_MORE, .rest = SIZE_MAX};
    push_virtual(&d, start);
    d.last_kind = TOK_END;
    while (d.status == YYPUSH_MORE && !p->is_too_deep && p->at <= until) {
        push_token(&d);
        if (!p->has_error)
            p->at++;
        else if (d.status == YYPUSH_MORE && !p->has_failed)
            resynchronise(&d);
        else
            break;
    }
    pipe_pstate_delete(d.state);
}

/* A trial reads a declaration from its start: with many mistakes that would take long.
 */
#define MAX_TRIED 100

bool parse_would_read(const Parse *p, size_t i_word, int kind)
{
    if (p->restarts.n > MAX_TRIED)
        return false;
    if (i_word < p->decl_start) /* of a declaration that has been read */
        return false;
    Arena *scratch = arena_open();
    Diags none;
    diags_init(&none);
    Parse *trial = arena_new(scratch, Parse);
    *trial = (Parse){.arena = scratch,
                     .diags = &none,
                     .source = p->source,
                     .tried = p,
                     .start = p->start};
    trial->ast = arena_new(scratch, Ast);
    size_t end = p->at;
    for (size_t i = p->decl_start; i <= end; i++)
        vec_push(scratch, &trial->tokens, *token(p, i));
    trial->tokens.ptr[i_word - p->decl_start].kind = kind;
    run(trial, p->start, end - p->decl_start);
    bool ok = !trial->has_failed && !trial->is_too_deep;
    diags_deinit(&none);
    arena_close(scratch);
    return ok;
}

void parse_too_deep(Parse *p, Span span)
{
    if (!p->tried && !p->is_too_deep) {
        Diag *d = diag_add(p->diags, E_TOO_DEEP, span, "this is nested too deeply");
        diag_note(p->diags, d, "brackets nest up to %d levels, operators up to %d",
                  PARSE_MAX_BRACKETS, AST_MAX_HEIGHT);
    }
    p->is_too_deep = true;
}

/* ---- what is parsed ---- */

static Parse *parse(Arena *arena, const Source *source, Diags *diags, int start)
{
    Parse *p = arena_new(arena, Parse);
    p->arena = arena;
    p->diags = diags;
    p->source = source;
    p->start = start;
    p->ast = arena_new(arena, Ast);
    p->ast->source = source;
    if (lex_source(arena, source, diags, &p->tokens)) {
        run(p, start, SIZE_MAX);
        parse_doubt_signs(p);
        parse_check_shape(p);
    }
    p->ast->tokens = p->tokens;
    return p;
}

Ast *parse_file(Arena *arena, const Source *source, Diags *diags)
{
    return parse(arena, source, diags, TOK_START_FILE)->ast;
}

Ast *parse_flow(Arena *arena, const Source *source, Str job_name, Diags *diags)
{
    Parse *p = parse(arena, source, diags, TOK_START_FLOWS);
    uint32_t lo = source_base(source), hi = lo + source_text(source).len;
    Decl *job = decl_new(p, DECL_JOB, (Span){lo, hi});
    job->name = (Ident){job_name, {lo, lo}};
    job->flows = p->flows;
    vec_push(arena, &p->ast->decls, job);
    return p->ast;
}
