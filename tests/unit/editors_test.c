/* The TextMate grammar of build/editors, held against the compiler's own scanner and parser for every sound program
 * under tests/ and examples/: comments, strings, numbers, names in backticks, reserved words, operators, statements,
 * calls. Every word of the .def files is in it and in Vim's. `make check-build` makes build/editors first.
 *
 * The engine is a small one of what TextMate does: rules are tried at each place of a line, the first match
 * counts, of matches at one place that of the earlier rule; `begin` opens a level that `end` closes. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <glob.h>
#include <jansson.h>
#include <pcre2.h>
#include <stdlib.h>

#include "base/builtins.h"
#include "lang/annot.h"
#include "lang/parse.h"
#include "pipe_parse.h"
#include "unit.h"

#define FOLDER "build/editors/"
#define GRAMMAR FOLDER "vscode/syntaxes/pipe.tmLanguage.json"

/* ---- rules ---- */

typedef struct Rule {
    pcre2_code *match, *begin, *end;
    const char *name;
    const char *captures[10], *begin_name, *end_name;
    json_t *patterns; /* NULL: none */
} Rule;

typedef struct Cached {
    json_t *node;
    Rule rule;
} Cached;

static json_t *grammar;
static Cached cache[200];
static size_t n_cached;

static pcre2_code *compile(const char *text)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &at, NULL);
    if (!re)
        printf("%s: no regular expression, at %zu: %s\n", GRAMMAR, (size_t)at, text);
    CHECK(re != NULL);
    return re;
}

static const char *text_of(json_t *node, const char *key)
{
    return json_string_value(json_object_get(node, key));
}

static const char *capture_name(json_t *node, const char *key, const char *number)
{
    return text_of(json_object_get(json_object_get(node, key), number), "name");
}

static const Rule *rule_of(json_t *node)
{
    for (size_t i = 0; i < n_cached; i++)
        if (cache[i].node == node)
            return &cache[i].rule;
    CHECK(n_cached < sizeof cache / sizeof *cache);
    Rule r = {.name = text_of(node, "name"), .patterns = json_object_get(node, "patterns")};
    if (text_of(node, "match"))
        r.match = compile(text_of(node, "match"));
    if (text_of(node, "begin")) {
        r.begin = compile(text_of(node, "begin"));
        r.end = compile(text_of(node, "end"));
    }
    for (int i = 0; i < 10; i++) {
        char number[2] = {(char)('0' + i), '\0'};
        r.captures[i] = capture_name(node, "captures", number);
    }
    r.begin_name = capture_name(node, "beginCaptures", "0");
    r.end_name = capture_name(node, "endCaptures", "0");
    cache[n_cached] = (Cached){node, r};
    return &cache[n_cached++].rule;
}

static json_t *included(json_t *node)
{
    const char *name = text_of(node, "include");
    if (!name)
        return node;
    json_t *found = json_object_get(json_object_get(grammar, "repository"), name + 1);
    if (!found)
        printf("%s: nothing is called %s\n", GRAMMAR, name);
    CHECK(found != NULL);
    return found;
}

/* ---- the engine ---- */

typedef struct Found {
    const Rule *rule; /* NULL: the end of the level */
    PCRE2_SIZE at[20];
    uint32_t n;
} Found;

static pcre2_match_data *matches;

static bool try_one(pcre2_code *re, Str text, uint32_t from, uint32_t line_end, Found *best, const Rule *rule)
{
    int n = pcre2_match(re, (PCRE2_SPTR)text.ptr, line_end, from, 0, matches, NULL);
    if (n <= 0)
        return false;
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(matches);
    if (best->n && at[0] >= best->at[0])
        return false;
    *best = (Found){.rule = rule, .n = (uint32_t)(n < 10 ? n : 10)};
    memcpy(best->at, at, best->n * 2 * sizeof *at);
    return true;
}

static void try_all(json_t *patterns, Str text, uint32_t from, uint32_t line_end, Found *best)
{
    for (size_t i = 0; i < json_array_size(patterns); i++) {
        const Rule *r = rule_of(included(json_array_get(patterns, i)));
        if (r->match)
            try_one(r->match, text, from, line_end, best, r);
        else if (r->begin)
            try_one(r->begin, text, from, line_end, best, r);
        else if (r->patterns)
            try_all(r->patterns, text, from, line_end, best);
    }
}

static void paint(const char **scopes, PCRE2_SIZE lo, PCRE2_SIZE hi, const char *name)
{
    for (PCRE2_SIZE i = lo; i < hi && name && i != PCRE2_UNSET; i++)
        scopes[i] = name;
}

enum { MAX_LEVELS = 100 };

/* The innermost name of each byte. Lines are matched within the text up to their ends, each as a text of its own. */
static void tokenize(Str text, const char **scopes)
{
    const Rule *levels[MAX_LEVELS];
    uint32_t n_levels = 0;
    json_t *top = json_object_get(grammar, "patterns");
    for (uint32_t line = 0; line < text.len;) {
        const char *newline = memchr(text.ptr + line, '\n', text.len - line);
        uint32_t end = newline ? (uint32_t)(newline - text.ptr) : text.len;
        Str one = {text.ptr + line, end - line};
        for (uint32_t at = 0;;) {
            Found best = {0};
            const Rule *level = n_levels ? levels[n_levels - 1] : NULL;
            if (level)
                try_one(level->end, one, at, one.len, &best, NULL);
            try_all(level ? level->patterns : top, one, at, one.len, &best);
            paint(scopes + line, at, best.n ? best.at[0] : one.len, level ? level->name : NULL);
            if (best.n == 0)
                break;
            const Rule *r = best.rule;
            if (!r) {
                paint(scopes + line, best.at[0], best.at[1], level->end_name ? level->end_name : level->name);
                n_levels--;
            } else {
                paint(scopes + line, best.at[0], best.at[1], r->begin_name ? r->begin_name : r->name);
                for (uint32_t k = 0; k < best.n; k++)
                    if (best.at[2 * k] != PCRE2_UNSET)
                        paint(scopes + line, best.at[2 * k], best.at[2 * k + 1], r->captures[k]);
                if (r->begin && n_levels < MAX_LEVELS)
                    levels[n_levels++] = r;
            }
            bool is_stuck = best.at[1] == best.at[0] && r;
            at = (uint32_t)best.at[1] + is_stuck;
            if (at > one.len || (at == one.len && !n_levels))
                break;
        }
        line = end + 1;
    }
}

/* ---- what it has to be ---- */

typedef struct Program {
    const char *path;
    Str text;
    uint32_t base;
    const char **scopes;
    uint32_t n_wrong;
} Program;

static bool has_scope(const Program *p, uint32_t at, const char *wanted)
{
    const char *got = p->scopes[at - p->base];
    return got && strncmp(got, wanted, strlen(wanted)) == 0;
}

static void expect(Program *p, Span span, const char *wanted)
{
    bool ok = has_scope(p, span.lo, wanted) && has_scope(p, span.hi - 1, wanted);
    if (!ok && p->n_wrong++ < 5)
        printf("%s:%u: `%.*s` is %s, not %s\n", p->path, span.lo - p->base, (int)(span.hi - span.lo),
               p->text.ptr + (span.lo - p->base), p->scopes[span.lo - p->base], wanted);
    CHECK(ok);
}

static const char *token_scope(const Token *t, const Token *next)
{
    switch (t->kind) {
    case TOKEN_COMMENT:
        return "comment.line";
    case TOK_SBEG:
    case TOK_SEND:
        return "string.quoted.double";
    case TOK_IOPEN:
    case TOK_ICLOSE:
        return "punctuation.section.interpolation";
    case TOK_RAW:
        return "string.quoted.single";
    case TOK_QNAME:
        return "variable.other.quoted";
    case TOK_INT:
    case TOK_FLOAT:
    case TOK_DURATION:
    case TOK_SIZE:
        return "constant.numeric";
    case TOK_TRUE:
    case TOK_FALSE:
    case TOK_NULL:
        return next->kind == TOK_COLON ? "variable.parameter" : "constant.language";
    case TOK_EQ:
    case TOK_NE:
    case TOK_LE:
    case TOK_GE:
    case TOK_COALESCE:
    case TOK_POW:
    case TOK_IDIV:
    case TOK_ARROW:
    case TOK_DOTDOT:
    case TOK_ASSIGN:
    case TOK_PIPE:
        return "keyword.operator";
    }
    return token_class(t->kind) == KEYWORD_RESERVED ? "keyword.operator.word" : NULL;
}

static bool is_builtin(Str name)
{
    for (int i = 0; i < N_BUILTINS; i++)
        if (str_is(name, builtin_get((BuiltinId)i)->name))
            return true;
    return false;
}

static void expect_tokens(Program *p, const TokenList *tokens)
{
    for (size_t i = 0; i + 1 < tokens->n; i++) {
        const Token *t = &tokens->ptr[i], *next = &tokens->ptr[i + 1];
        const char *wanted = token_scope(t, next);
        if (wanted)
            expect(p, t->span, wanted);
        bool is_call = t->kind == TOK_NAME && next->kind == TOK_LPAREN && next->span.lo == t->span.hi;
        bool is_declared = i > 0 && token_class(tokens->ptr[i - 1].kind) == KEYWORD_DECL;
        bool is_annotation = i > 0 && tokens->ptr[i - 1].kind == TOK_AT;
        if (is_call && !is_declared && !is_annotation)
            expect(p, t->span, is_builtin(t->text) ? "support.function" : "entity.name.function.call");
        AnnotKind kind;
        if (is_annotation)
            expect(p, t->span, annot_by_name(t->text, &kind) ? "storage.modifier.annotation" : "meta.annotation");
    }
}

/* Words that begin statements and stages, painted so that all others can be looked for. */
static void expect_word(Program *p, Span span)
{
    static const char seen[] = "seen";
    expect(p, (Span){span.lo, span.lo + 1}, "keyword.control.statement");
    paint(p->scopes, span.lo - p->base, span.hi - p->base, seen);
}

/* A column that is called like a statement may look like one at the start of a line of a list. */
static void expect_no_more(Program *p, const TokenList *tokens)
{
    for (size_t i = 0; i < tokens->n; i++) {
        const Token *t = &tokens->ptr[i];
        bool is_shown = t->span.lo < t->span.hi && has_scope(p, t->span.lo, "keyword.control.statement");
        if (is_shown && p->n_wrong++ < 5)
            printf("%s:%u: `%.*s` is shown as a statement\n", p->path, t->span.lo - p->base, STR_ARG(t->text));
        CHECK(!is_shown);
    }
}

static void expect_body(Program *p, const StmtList *body)
{
    for (size_t i = 0; i < body->n; i++)
        expect_word(p, body->ptr[i]->word_span);
}

static void expect_statements(Program *p, const Ast *ast)
{
    for (size_t i = 0; i < ast->decls.n; i++) {
        const Decl *d = ast->decls.ptr[i];
        if (d->op)
            expect_body(p, &d->op->body);
        for (size_t k = 0; k < d->flows.n; k++)
            for (size_t s = 0; s < d->flows.ptr[k]->stages.n; s++) {
                const Stage *stage = d->flows.ptr[k]->stages.ptr[s];
                if (stage->kind != STAGE_ONCE)
                    expect_word(p, stage->word_span);
                if (stage->body)
                    expect_body(p, &stage->body->body);
            }
    }
}

/* A program with a mistake of syntax is none. */
static bool check_file(const char *path)
{
    Sources *sources = sources_open();
    Arena *arena = arena_open();
    const Source *source = NULL;
    Error err = {0};
    Diags ds;
    diags_init(&ds);
    bool ok = sources_read(sources, path, &source, &err) == OK;
    CHECK(ok);
    const Ast *ast = ok ? parse_file(arena, source, &ds) : NULL;
    ok = ok && ds.n_errors == 0;
    if (ok) {
        Program p = {.path = path, .text = source_text(source), .base = source_base(source)};
        p.scopes = arena_array(arena, const char *, p.text.len + 1);
        tokenize(p.text, p.scopes);
        expect_tokens(&p, &ast->tokens);
        expect_statements(&p, ast);
        expect_no_more(&p, &ast->tokens);
    }
    diags_deinit(&ds);
    arena_close(arena);
    sources_close(sources);
    return ok;
}

static void check_files(const char *pattern)
{
    glob_t found;
    size_t n = 0;
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        /* In this one every word is a name, too, which only the grammar can tell. */
        if (!strstr(found.gl_pathv[i], "words_as_names"))
            n += check_file(found.gl_pathv[i]);
    CHECK(n > 0);
    globfree(&found);
}

/* ---- every word ---- */

static bool has_word(Str text, Str word)
{
    for (uint32_t i = 1; i + word.len < text.len; i++)
        if (memcmp(text.ptr + i, word.ptr, word.len) == 0 && strchr("|(:\"", text.ptr[i - 1]) &&
            strchr("|)\\\"", text.ptr[i + word.len]))
            return true;
    return false;
}

static void check_words(const char *path)
{
    Sources *sources = sources_open();
    const Source *source = NULL;
    Error err = {0};
    CHECK(sources_read(sources, path, &source, &err) == OK);
    Str text = source ? source_text(source) : (Str){0};
    for (size_t i = 0; i < N_KEYWORDS; i++)
        CHECK(has_word(text, KEYWORDS[i].text));
    for (int i = 0; i < N_BUILTINS; i++)
        CHECK(has_word(text, str_of(builtin_get((BuiltinId)i)->name)));
    for (int k = 0; k < N_ANNOTS; k++)
        CHECK(has_word(text, str_of(annot_info((AnnotKind)k)->name)));
    sources_close(sources);
}

static void check_json(const char *path)
{
    json_error_t err;
    json_t *root = json_load_file(path, 0, &err);
    if (!root)
        printf("%s:%d: %s\n", path, err.line, err.text);
    CHECK(root != NULL);
    json_decref(root);
}

int main(void)
{
    json_error_t err;
    check_json(FOLDER "vscode/package.json");
    check_json(FOLDER "vscode/language-configuration.json");
    grammar = json_load_file(GRAMMAR, 0, &err);
    CHECK(grammar != NULL);
    if (grammar) {
        matches = pcre2_match_data_create(20, NULL);
        check_words(GRAMMAR);
        check_words(FOLDER "vim/syntax/pipe.vim");
        check_files("examples/*.pipe");
        check_files("tests/*/*.pipe");
        pcre2_match_data_free(matches);
        for (size_t i = 0; i < n_cached; i++) {
            pcre2_code_free(cache[i].rule.match);
            pcre2_code_free(cache[i].rule.begin);
            pcre2_code_free(cache[i].rule.end);
        }
        json_decref(grammar);
    }
    UNIT_END("editors");
}
