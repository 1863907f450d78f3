/* syntax_decls.c - rules about declarations and annotations. */
#include "lang/syntax_error.h"

#include <string.h>

#include "lang/annot.h"
#include "pipe_parse.h"

/* The word of the declaration that the mistake is in, if no body has begun. */
static int declaration(const Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (b && b->kind == TOK_LBRACE)
        return mistake_kind_at(m, b->token - (b->token >= 2 ? 2 : 0));
    for (size_t i = m->p->decl_start; i < m->p->at; i++)
        if (token_class(mistake_kind_at(m, i)) == KEYWORD_DECL)
            return mistake_kind_at(m, i);
    return TOK_END;
}

/* The type of a literal at i; NULL: it is none. */
static const char *literal_type(const Mistake *m, size_t i)
{
    if (mistake_kind_at(m, i) == TOK_MINUS)
        i++;
    switch (mistake_kind_at(m, i)) {
    case TOK_INT:
        return "int";
    case TOK_FLOAT:
        return "float";
    case TOK_TRUE:
    case TOK_FALSE:
        return "bool";
    case TOK_DURATION:
        return "duration";
    case TOK_SIZE:
        return "size";
    case TOK_SBEG:
    case TOK_RAW:
        return "string";
    }
    return NULL;
}

/* Is what stands before the token at `at` joined in the body of its op? */
static bool is_joined(const Mistake *m, size_t at)
{
    for (size_t i = at; i + 1 < m->p->tokens.n && !(token_is_first_of_line(m->p, i) && parse_begins_declaration(m->p, i)); i++) {
        int kind = mistake_kind_at(m, i);
        if ((kind == TOK_JOIN || kind == TOK_UNION) && token_is_name(mistake_kind_at(m, i + 1)) &&
            str_eq(mistake_token(m, i + 1)->text, m->prev->text))
            return true;
    }
    return false;
}

static bool is_type(const Mistake *m, size_t i)
{
    return mistake_type_at(m, i) || mistake_word_at(m, i, "duration") || mistake_word_at(m, i, "size") ||
           mistake_word_at(m, i, "table");
}

/* `param x = 3`, `fn f(x)`, `int x`, `let x: int = 3`: where a type stands. */
static bool type_place(Mistake *m, int word)
{
    size_t at = m->p->at, next = mistake_next(m, at);
    bool wants_colon = mistake_expects(m, TOK_COLON);
    if (word == TOK_LET && m->t->kind == TOK_COLON && mistake_expects(m, TOK_ASSIGN) &&
        token_is_name(mistake_kind_at(m, next)) && mistake_kind_at(m, mistake_next(m, next)) == TOK_ASSIGN) {
        Diag *d = diag_add(m->diags, E_SYNTAX, mistake_span(m, at, next), "a `let` has the type of its value");
        diag_help(m->diags, d, "leave the type out: `let %.*s = ...`", STR_ARG(m->prev->text));
        diag_fix_certain(m->diags, d, mistake_gap(m, at, next), mistake_touch(m, m->i_prev, at) ? STR_LIT(" ") : STR_LIT(""));
        return true;
    }
    if (!wants_colon || !m->prev || !token_is_name(m->prev->kind))
        return false;
    const char *what = word == TOK_SCHEMA ? "column" : word == TOK_PARAM ? "param" : "parameter";
    if (is_type(m, m->i_prev) && token_is_name(m->t->kind) && word != TOK_SCHEMA) {
        const char *ours = mistake_type_at(m, m->i_prev);
        Str text = arena_printf(m->diags->arena, "%.*s: %.*s", STR_ARG(m->t->text),
                                STR_ARG(ours ? str_of(ours) : m->prev->text));
        Diag *d = diag_add(m->diags, E_SYNTAX, m->prev->span, "the type stands behind the name");
        diag_help(m->diags, d, "write `%.*s`", STR_ARG(text));
        diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, at), text);
        return true;
    }
    if (token_is_name(m->t->kind) && is_type(m, at)) {
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "`:` stands between a name and its type");
        const char *ours = mistake_type_at(m, at);
        Str type = ours ? str_of(ours) : m->t->text;
        diag_help(m->diags, d, "write `%.*s: %.*s`", STR_ARG(m->prev->text), STR_ARG(type));
        size_t last = at; /* VARCHAR(20) */
        if (mistake_kind_at(m, next) == TOK_LPAREN && mistake_closer(m, next) != SIZE_MAX)
            last = mistake_closer(m, next);
        diag_fix_certain(m->diags, d, (Span){m->prev->span.hi, mistake_token(m, last)->span.hi},
                         arena_printf(m->diags->arena, ": %.*s", STR_ARG(type)));
        return true;
    }
    if (m->t->kind != TOK_ASSIGN && m->t->kind != TOK_COMMA && m->t->kind != TOK_RPAREN &&
        m->t->kind != TOK_RBRACE && !token_is_end(m->t->kind))
        return false;
    const char *type = m->t->kind == TOK_ASSIGN ? literal_type(m, next) : word == TOK_OP && is_joined(m, at) ? "table" : NULL;
    Diag *d = diag_add(m->diags, E_SYNTAX, m->prev->span, "the type of this %s is missing", what);
    diag_help(m->diags, d, "write `%.*s: %s`", STR_ARG(m->prev->text), type ? type : "string");
    if (type)
        diag_fix_certain(m->diags, d, (Span){m->prev->span.hi, m->t->span.lo},
                         arena_printf(m->diags->arena, m->t->kind == TOK_ASSIGN ? ": %s " : ": %s", type));
    return true;
}

static bool fn_form(Mistake *m)
{
    size_t at = m->p->at;
    size_t arrow = mistake_prior(m, m->i_prev); /* `=> x * 2`: x was read as a type */
    if (arrow != SIZE_MAX && mistake_kind_at(m, arrow) == TOK_ARROW && mistake_expects(m, TOK_ASSIGN) &&
        str_is(mistake_text(m, arrow, arrow), "=>")) {
        diags_drop(m->diags, mistake_token(m, arrow)->span);
        return mistake_say(m, E_SYNTAX, mistake_token(m, arrow)->span, "the type of the result is missing",
                   "write `fn f(x: int) -> int = x * 2`", NO_FIX, (Str){0});
    }
    if (mistake_expects(m, TOK_ARROW) && m->prev->kind == TOK_RPAREN) {
        if (m->t->kind == TOK_COLON)
            return mistake_say(m, E_SYNTAX, m->t->span, "`->` stands before the type of the result",
                       "write `fn f(x: int) -> int = x * 2`", m->t->span, STR_LIT(" ->"));
        if (m->t->kind == TOK_ASSIGN || m->t->kind == TOK_LBRACE)
            return mistake_say(m, E_SYNTAX, m->t->span, "the type of the result is missing",
                       "write `fn f(x: int) -> int = x * 2`", NO_FIX, (Str){0});
    }
    if (m->t->kind == TOK_LBRACE && mistake_expects(m, TOK_ASSIGN)) {
        size_t close = mistake_closer(m, at), inner = mistake_next(m, at);
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "a `fn` is one expression, behind `=`");
        diag_help(m->diags, d, "write `fn f(x: int) -> int = x * 2`");
        if (close != SIZE_MAX && mistake_kind_at(m, inner) != TOK_NEWLINE && !mistake_word_at(m, inner, "return") &&
            inner != close) {
            diag_fix_certain(m->diags, d, m->t->span, STR_LIT("="));
            diag_fix_certain(m->diags, d, (Span){mistake_token(m, mistake_prior(m, close))->span.hi, mistake_token(m, close)->span.hi},
                             STR_LIT(""));
        }
        return true;
    }
    if (mistake_word_at(m, m->i_prev, "return") && mistake_prior_kind(m, m->i_prev) == TOK_ASSIGN)
        return mistake_say(m, E_SYNTAX, m->prev->span, "there is no `return`: a `fn` is its expression", "leave it out",
                   mistake_gap(m, m->i_prev, m->i_prev), STR_LIT(""));
    return false;
}

/* op a = {, op a:, op clean-up {, job j() {, job "my job" { */
static bool head_form(Mistake *m, int word)
{
    static const char *const OPENERS[] = {"do", "begin", "is", "then", NULL};
    size_t at = m->p->at, next = mistake_next(m, at);
    const char *kind = word == TOK_OP ? "op" : word == TOK_JOB ? "job" : "schema";
    Diag *d;
    if (mistake_expects(m, TOK_LBRACE) && !mistake_expects_stage(m)) {
        if ((m->t->kind == TOK_ASSIGN || m->t->kind == TOK_COLON) && mistake_kind_at(m, next) == TOK_LBRACE) {
            d = diag_add(m->diags, E_SYNTAX, m->t->span, "no `%.*s` stands before `{`", STR_ARG(m->t->text));
            diag_help(m->diags, d, "write `%s %.*s { ... }`", kind, STR_ARG(m->prev->text));
            diag_fix_certain(m->diags, d, mistake_gap(m, at, at), STR_LIT(""));
            return true;
        }
        if (m->t->kind == TOK_COLON || m->t->kind == TOK_ASSIGN || mistake_word_among(m, at, OPENERS) ||
            token_class(m->t->kind) == KEYWORD_STMT) {
            d = diag_add(m->diags, E_SYNTAX, m->t->span, "what belongs to %s `%.*s` stands in braces", kind,
                         STR_ARG(m->prev->text));
            diag_help(m->diags, d, "write `%s %.*s { ... }`", kind, STR_ARG(m->prev->text));
            /* The lines below are its body. */
            size_t i = at;
            while (mistake_kind_at(m, i) != TOK_END &&
                   !(token_is_first_of_line(m->p, i) && i > at &&
                     (parse_begins_declaration(m->p, i))))
                i++;
            if (i > at + 1)
                m->p->restart.token = i - (mistake_kind_at(m, i) == TOK_END ? 0 : 1);
            return true;
        }
        bool is_parted = m->t->kind == TOK_MINUS || (m->t->kind == TOK_NAME && word == TOK_OP);
        if (is_parted && token_is_name(m->prev->kind) && (m->t->kind == TOK_NAME || token_is_name(mistake_kind_at(m, next)))) {
            size_t last = at;
            while (mistake_kind_at(m, last) == TOK_MINUS || token_is_name(mistake_kind_at(m, last)))
                last++;
            int behind = mistake_kind_at(m, last--);
            if (m->t->kind == TOK_NAME && behind != TOK_LBRACE && behind != TOK_LPAREN)
                return false;
            Buf name = {0};
            for (size_t i = m->i_prev; i <= last; i++)
                if (mistake_kind_at(m, i) != TOK_MINUS)
                    buf_printf(&name, "%s%.*s", name.len ? "_" : "", STR_ARG(mistake_text(m, i, i)));
            d = diag_add(m->diags, E_SYNTAX, mistake_span(m, m->i_prev, last), "a name has no %s",
                         m->t->kind == TOK_MINUS ? "`-`" : "blank");
            diag_help(m->diags, d, "write `%.*s`", STR_ARG(buf_str(&name)));
            diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, last), buf_str(&name));
            buf_deinit(&name);
            return true;
        }
        if (m->t->kind == TOK_LPAREN && word == TOK_JOB) {
            size_t close = mistake_closer(m, at);
            bool is_empty = close == next;
            d = diag_add(m->diags, E_SYNTAX, close == SIZE_MAX ? m->t->span : mistake_span(m, at, close),
                         "a job has no parameters");
            diag_help(m->diags, d, is_empty ? "leave the parentheses out"
                                            : "declare them before it: `param n: int = 10`");
            if (is_empty)
                diag_fix_certain(m->diags, d, mistake_span(m, at, close), STR_LIT(""));
            return true;
        }
        if (m->t->kind == TOK_LPAREN && word == TOK_SCHEMA) {
            size_t close = mistake_closer(m, at);
            d = diag_add(m->diags, E_SYNTAX, m->t->span, "the columns of a schema stand in braces");
            diag_help(m->diags, d, "write `schema name { column: type, ... }`");
            if (close != SIZE_MAX) {
                diag_fix_certain(m->diags, d, m->t->span, STR_LIT("{"));
                diag_fix_certain(m->diags, d, mistake_token(m, close)->span, STR_LIT("}"));
            }
            return true;
        }
        if (m->t->kind == TOK_AT)
            return mistake_say(m, E_SYNTAX, m->t->span, "annotations stand before `op` and `job`",
                       "write `@priority(1)` on the line above", NO_FIX, (Str){0});
    }
    bool is_named = m->prev->kind == TOK_OP || m->prev->kind == TOK_JOB || m->prev->kind == TOK_SCHEMA;
    if (is_named && m->t->kind == TOK_LBRACE && mistake_expects(m, TOK_QNAME)) {
        d = diag_add(m->diags, E_SYNTAX, m->prev->span, "this %s has no name", kind);
        diag_help(m->diags, d, "write `%s main { ... }`", kind);
        return true;
    }
    if (is_named && (m->t->kind == TOK_SBEG || m->t->kind == TOK_RAW)) {
        size_t last = mistake_operand_end(m, at);
        d = diag_add(m->diags, E_QUOTED_NAME, last == SIZE_MAX ? m->t->span : mistake_span(m, at, last),
                     "a name stands without quotes");
        diag_help(m->diags, d, "write `%s my_name { ... }`", kind);
        return true;
    }
    return false;
}

static bool schema_form(Mistake *m)
{
    size_t at = m->p->at;
    int next = mistake_kind_at(m, mistake_next(m, at));
    if (m->t->kind == TOK_DOTDOT && mistake_expects(m, TOK_ELLIPSIS))
        return mistake_say(m, E_SYNTAX, m->t->span, "three dots stand for the other columns", "write `...`", m->t->span,
                   STR_LIT("..."));
    if (mistake_prior_kind(m, at) == TOK_COMMA && mistake_prior_kind(m, m->i_prev) == TOK_ELLIPSIS)
        return mistake_say(m, E_SYNTAX, mistake_token(m, mistake_prior(m, m->i_prev))->span, "`...` stands last in a schema",
                   "write `schema name { column: type, ... }`", NO_FIX, (Str){0});
    if ((m->t->kind == TOK_SBEG || m->t->kind == TOK_RAW) && mistake_expects(m, TOK_QNAME)) {
        size_t last = mistake_operand_end(m, at);
        if (last == SIZE_MAX)
            return false;
        Str text = mistake_text(m, at, last);
        Str name = arena_printf(m->diags->arena, "`%.*s`", (int)text.len - 2, text.ptr + 1);
        Diag *d = diag_add(m->diags, E_QUOTED_NAME, mistake_span(m, at, last), "a name stands without quotes");
        diag_help(m->diags, d, "write it in backticks: %.*s", STR_ARG(name));
        diag_fix_certain(m->diags, d, mistake_span(m, at, last), name);
        return true;
    }
    size_t type = m->i_prev;
    while (type != SIZE_MAX && mistake_kind_at(m, type) == TOK_NEWLINE) /* `;` */
        type = mistake_prior(m, type);
    if (token_is_name(m->t->kind) && next == TOK_COLON && type != SIZE_MAX && token_is_name(mistake_kind_at(m, type)) &&
        mistake_prior_kind(m, type) == TOK_COLON) {
        Diag *d = diag_add(m->diags, E_SYNTAX, mistake_behind(m, type), "`,` is missing between two columns");
        diag_help(m->diags, d, "write `%.*s,`", STR_ARG(mistake_token(m, type)->text));
        diag_fix_certain(m->diags, d, mistake_behind(m, type), STR_LIT(","));
        return true;
    }
    return false;
}

static bool use_form(Mistake *m)
{
    size_t at = m->p->at, last = at;
    if (m->t->kind == TOK_AS)
        return mistake_say(m, E_SYNTAX, m->t->span, "what a used file declares is used under its own names",
                   "write `use \"lib/ops.pipe\"` alone", NO_FIX, (Str){0});
    if (m->prev->kind != TOK_USE || m->t->kind != TOK_NAME)
        return false;
    while (!token_is_end(mistake_kind_at(m, last + 1)) && mistake_touch(m, last, last + 1))
        last++;
    Str path = mistake_text(m, at, last);
    Diag *d = diag_add(m->diags, E_UNQUOTED_PATH, mistake_span(m, at, last), "a path stands in quotes");
    diag_help(m->diags, d, "write `use \"%.*s\"`", STR_ARG(path));
    if (str_ends(path, STR_LIT(".pipe")))
        diag_fix_certain(m->diags, d, mistake_span(m, at, last),
                         arena_printf(m->diags->arena, "\"%.*s\"", STR_ARG(path)));
    return true;
}

bool rule_declaration(Mistake *m)
{
    if (!m->prev)
        return false;
    int word = declaration(m);
    for (uint32_t i = 0; i < m->p->n_brackets; i++)
        if (m->p->brackets[i].kind == TOK_LBRACE && word != TOK_SCHEMA)
            return false; /* in a body */
    switch (word) {
    case TOK_USE:
        return use_form(m);
    case TOK_LET:
        if ((m->prev->kind == TOK_READ || m->prev->kind == TOK_RANGE || m->prev->kind == TOK_FILES) &&
            mistake_prior_kind(m, m->i_prev) == TOK_ASSIGN)
            return mistake_say(m, E_SYNTAX, m->prev->span, "a flow gets its name inside of a job; up here stand constants",
                       "write it in the job: `job main { let rows = read csv \"...\" ... }`", NO_FIX, (Str){0});
        return type_place(m, word);
    case TOK_PARAM:
        return type_place(m, word);
    case TOK_FN:
        return type_place(m, word) || fn_form(m);
    case TOK_OP:
        return type_place(m, word) || head_form(m, word);
    case TOK_JOB:
        return head_form(m, word);
    case TOK_SCHEMA:
        return schema_form(m) || type_place(m, word) || head_form(m, word);
    }
    return false;
}

/* ---- annotations ---- */

/* The last token of the annotations that begin here. */
static size_t annotations_end(const Mistake *m)
{
    size_t at = m->p->at, last = at;
    while (mistake_kind_at(m, at) == TOK_AT) {
        last = mistake_next(m, at);
        size_t paren = mistake_next(m, last), close = mistake_closer(m, paren);
        if (mistake_kind_at(m, paren) == TOK_LPAREN && close != SIZE_MAX)
            last = close;
        at = token_after(m->p, last, true);
    }
    return last;
}

/* Their text on one line. */
static Str annotations_text(const Mistake *m, size_t last)
{
    Buf text = {0};
    for (size_t i = m->p->at; i <= last; i++) {
        size_t end = i;
        if (token_is_end(mistake_kind_at(m, i)) || mistake_kind_at(m, i) == TOKEN_COMMENT)
            continue;
        while (end < last && !token_is_end(mistake_kind_at(m, end + 1)) && mistake_kind_at(m, end + 1) != TOKEN_COMMENT)
            end++;
        buf_printf(&text, "%s%.*s", text.len ? " " : "", STR_ARG(mistake_text(m, i, end)));
        i = end;
    }
    Str out = arena_str(m->diags->arena, buf_str(&text));
    buf_deinit(&text);
    return out;
}

/* The last token of the stage that begins at i; SIZE_MAX: not sure. */
static size_t stage_end(const Mistake *m, size_t i)
{
    size_t last = SIZE_MAX;
    for (; i < m->p->tokens.n; i++) {
        int kind = mistake_kind_at(m, i);
        if (kind == TOK_PIPE || kind == TOK_RBRACE || token_is_end(kind))
            break;
        if (kind == TOK_LPAREN || kind == TOK_LBRACE || kind == TOK_LBRACK)
            i = mistake_closer(m, i);
        if (i == SIZE_MAX)
            return SIZE_MAX;
        if (kind != TOKEN_COMMENT)
            last = i;
    }
    bool goes_on = last != SIZE_MAX && token_continues_after(mistake_kind_at(m, last));
    return goes_on ? SIZE_MAX : last;
}

/* `| @retry(3) map load`, or on a line of its own above the flow. */
static bool annotation_before_stage(Mistake *m)
{
    size_t at = m->p->at, last = annotations_end(m), stage = token_after(m->p, last, true);
    int word = mistake_kind_at(m, stage);
    bool begins = token_class(word) == KEYWORD_STMT || word == TOK_MAP || word == TOK_COLLECT;
    for (size_t i = at; i < stage; i++)
        begins = begins && mistake_kind_at(m, i) != TOKEN_COMMENT;
    size_t end = begins ? stage_end(m, stage) : SIZE_MAX;
    Str text = mistake_kind_at(m, last) == TOK_NEWLINE ? STR_LIT("@priority(1)") : annotations_text(m, last);
    Diag *d = diag_add(m->diags, E_ANNOTATION_PLACE, m->t->span, "an annotation stands behind its stage");
    if (end == SIZE_MAX) {
        diag_help(m->diags, d, "write `... | map clean %.*s`", STR_ARG(text));
        return true;
    }
    Str whole = mistake_text(m, stage, end);
    bool is_short = whole.len <= 60 && !memchr(whole.ptr, '\n', whole.len);
    diag_help(m->diags, d, "write `%.*s %.*s`", is_short ? (int)whole.len : 3, is_short ? whole.ptr : "...", STR_ARG(text));
    diag_fix_certain(m->diags, d, (Span){m->t->span.lo, mistake_token(m, stage)->span.lo}, STR_LIT(""));
    diag_fix_certain(m->diags, d, mistake_behind(m, end), arena_printf(m->diags->arena, " %.*s", STR_ARG(text)));
    m->p->restart.token = stage;
    m->p->restart.is_line = m->prev->kind != TOK_PIPE;
    return true;
}

/* Among the statements of an op. */
static bool annotation_in_body(Mistake *m)
{
    size_t last = annotations_end(m), next = token_after(m->p, last, true);
    if (token_is_end(mistake_kind_at(m, last)))
        return false;
    Diag *d = diag_add(m->diags, E_ANNOTATION_PLACE, m->t->span, "an annotation holds for a whole op, not for one of its statements");
    Str text = annotations_text(m, last);
    diag_help(m->diags, d, "write `%.*s` on the line above `op`, or behind the stage, `| map { ... } %.*s`", STR_ARG(text), STR_ARG(text));
    m->p->restart.token = next;
    m->p->restart.is_line = mistake_is_first_word(m, next);
    return true;
}

/* @priority=3, @priority 3, @max-concurrent(3), @a, @b, before `let` */
bool rule_annotation(Mistake *m)
{
    size_t at = m->p->at, next = mistake_next(m, at);
    if (!m->prev)
        return false;
    bool follows_name = mistake_prior_kind(m, m->i_prev) == TOK_AT;
    if (follows_name && mistake_expects(m, TOK_LPAREN)) {
        if (m->t->kind == TOK_MINUS && token_is_name(mistake_kind_at(m, next))) {
            Str name = arena_printf(m->diags->arena, "%.*s_%.*s", STR_ARG(m->prev->text),
                                    STR_ARG(mistake_text(m, next, next)));
            Diag *d = diag_add(m->diags, E_SYNTAX, mistake_span(m, m->i_prev, next), "a name has no `-`");
            diag_help(m->diags, d, "write `@%.*s`", STR_ARG(name));
            diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, next), name);
            return true;
        }
        size_t value = m->t->kind == TOK_ASSIGN || m->t->kind == TOK_COLON ? next : at;
        bool is_value = literal_type(m, value) || (value != at && token_is_name(mistake_kind_at(m, value)));
        if (is_value) {
            Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span,
                               "what an annotation says stands in parentheses");
            size_t last = mistake_operand_end(m, value);
            diag_help(m->diags, d, "write `@%.*s(...)`", STR_ARG(m->prev->text));
            if (last != SIZE_MAX) {
                diag_fix_certain(m->diags, d, (Span){m->prev->span.hi, mistake_token(m, value)->span.lo}, STR_LIT("("));
                diag_fix_certain(m->diags, d, mistake_behind(m, last), STR_LIT(")"));
            }
            return true;
        }
    }
    if (m->t->kind == TOK_AT && m->prev->kind == TOK_RBRACE && m->p->n_brackets == 0)
        return mistake_say(m, E_ANNOTATION_PLACE, m->t->span, "annotations stand before `op` and `job`",
                   "write `@priority(1)` on the line above", NO_FIX, (Str){0});
    if (m->t->kind == TOK_AT && mistake_expects_stage(m) && !mistake_expects(m, TOK_AT))
        return annotation_before_stage(m);
    if (m->t->kind == TOK_AT && mistake_expects_statement(m) && mistake_bracket(m))
        return annotation_in_body(m);
    AnnotKind kind;
    if (m->t->kind == TOK_NAME && mistake_expects(m, TOK_AT) && mistake_kind_at(m, next) == TOK_LPAREN &&
        annot_by_name(m->t->text, &kind)) {
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "an annotation begins with `@`");
        diag_help(m->diags, d, "write `@%.*s(...)`", STR_ARG(m->t->text));
        diag_fix_certain(m->diags, d, mistake_before(m, at), STR_LIT("@"));
        return true;
    }
    bool wants_decl = mistake_expects(m, TOK_OP) && mistake_expects(m, TOK_JOB) && !mistake_expects(m, TOK_SCHEMA);
    if (!wants_decl)
        return false;
    if (m->t->kind == TOK_COMMA)
        return mistake_say(m, E_SYNTAX, m->t->span, "no `,` stands between annotations", "leave it out", m->t->span, STR_LIT(""));
    Diag *d = diag_add(m->diags, E_ANNOTATION_PLACE,
                       token_is_end(m->t->kind) ? (Span){m->prev->span.hi, m->prev->span.hi} : m->t->span,
                       token_is_end(m->t->kind) ? "nothing follows these annotations"
                                                : "annotations stand before `op` and `job` only");
    if (!token_is_end(m->t->kind))
        diag_note(m->diags, d, "there are some before this `%.*s`", STR_ARG(m->t->text));
    diag_help(m->diags, d, "they stand before `op` and `job`, or after a stage: `| map clean @retry(3)`");
    /* The declaration itself is none of the mistake. */
    if (parse_begins_declaration(m->p, at) || m->t->kind == TOK_LET)
        m->p->restart.token = at;
    return true;
}

/* ---- what is no program at all ---- */

static bool line_has(Str line, char c)
{
    return line.len && memchr(line.ptr, c, line.len) != NULL;
}

static Str first_line(Str text)
{
    const char *end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
    return end ? (Str){text.ptr, (uint32_t)(end - text.ptr)} : text;
}

static uint32_t count_of(Str s, char c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.len; i++)
        n += s.ptr[i] == c;
    return n;
}

static bool has_word(Str line, const char *word)
{
    return str_starts(line, str_of(word));
}

static const char *shape_of(Str text)
{
    while (text.len && (*text.ptr == ' ' || *text.ptr == '\n' || *text.ptr == '\r' || *text.ptr == '\t')) {
        text.ptr++;
        text.len--;
    }
    if (text.len == 0)
        return NULL;
    Str line = first_line(text);
    Str rest = {text.ptr + line.len, text.len - line.len};
    Str second = rest.len > 1 ? first_line((Str){rest.ptr + 1, rest.len - 1}) : (Str){0};
    if (str_starts(text, STR_LIT("#!")) && !line_has(line, '|') && str_ends(line, STR_LIT("sh")))
        return "a shell script";
    if (str_starts(text, STR_LIT("#!")) &&
        (str_ends(line, STR_LIT("python")) || str_ends(line, STR_LIT("python3"))))
        return "a Python program";
    if (*text.ptr == '{' || (*text.ptr == '[' && line_has(text, ']')))
        return "JSON";
    if (*text.ptr == '<')
        return "HTML or XML";
    if (has_word(line, "import ") || has_word(line, "def ") || (has_word(line, "from ") && line_has(line, ' ') && !line_has(line, '"')))
        return "a Python program";
    if (has_word(line, "#include "))
        return "a C program";
    if (has_word(line, "SELECT ") || has_word(line, "CREATE ") || has_word(line, "INSERT ") || has_word(line, "WITH "))
        return "SQL";
    bool is_key = line.len && line.ptr[line.len - 1] == ':';
    const char *colon = line_has(line, ':') ? memchr(line.ptr, ':', line.len) : NULL;
    is_key = is_key || (colon && colon + 1 < line.ptr + line.len && colon[1] == ' ');
    if (str_starts(line, STR_LIT("---")) || (is_key && !line_has(line, '{') && !line_has(line, '=') &&
                                             (line_has(second, ':') || str_starts(second, STR_LIT(" ")))))
        return "YAML";
    /* The same number of delimiters in the first two lines, or more in the second, whose quotes may hold some; and nothing that a program would have. */
    static const char DELIMITERS[] = {',', ';', '\t'};
    for (size_t i = 0; i < sizeof DELIMITERS; i++) {
        uint32_t n = count_of(line, DELIMITERS[i]);
        uint32_t n_second = count_of(second, DELIMITERS[i]);
        if (n > 0 && (second.len == 0 ? n > 1 : n_second == n || (n > 2 && n_second > n)) && !line_has(line, '{') &&
            !line_has(line, '|') && !line_has(line, '='))
            return "CSV";
    }
    return NULL;
}

void parse_check_shape(Parse *p)
{
    bool is_sound = false;
    for (size_t i = 0; i < p->ast->decls.n; i++)
        is_sound |= p->ast->decls.ptr[i]->kind != DECL_ERROR;
    Str text = source_text(p->source);
    if (p->start != TOK_START_FILE || is_sound || p->diags->n_errors == 0 || text.len == 0)
        return;
    const char *shape = shape_of(text);
    if (!shape)
        return;
    uint32_t base = source_base(p->source), at = 0;
    while (at < text.len && (text.ptr[at] == '\n' || text.ptr[at] == ' ' || text.ptr[at] == '\r' || text.ptr[at] == '\t'))
        at++;
    Str line = first_line((Str){text.ptr + at, text.len - at});
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    diags_drop(p->diags, (Span){base, base + text.len + 1});
    Diag *d = diag_add(p->diags, E_NO_PROGRAM, (Span){base + at, base + at + line.len},
                       "this is not a .pipe program; it looks like %s", shape);
    Str name = source_name(p->source);
    if (strcmp(shape, "CSV") == 0)
        diag_help(p->diags, d, "a program reads such a file: `pipemill run -e 'read csv \"%.*s\" | take 10'`", STR_ARG(name));
    else if (strcmp(shape, "JSON") == 0)
        diag_help(p->diags, d, "a program reads JSON lines: `pipemill run -e 'read json \"%.*s\" | take 10'`", STR_ARG(name));
    else if (strcmp(shape, "SQL") == 0)
        diag_help(p->diags, d, "a program says what happens in order: `job main { read csv \"t.csv\" | where a > 1 | select a, b }`");
    else
        diag_help(p->diags, d, "a program begins with declarations: `job main { read csv \"t.csv\" | take 10 }`");
}
