/* syntax_words.c - rules about words that are misspelt, unknown or taken. */
#include "lang/syntax_error.h"

#include <string.h>

#include "base/suggest.h"
#include "pipe_parse.h"

typedef struct Synonym {
    const char *words; /* between blanks */
    const char *ours;
} Synonym;

static const Synonym STATEMENTS[] = {
    {" filter having keep_if ", "where"},
    {" limit head first ", "take"},
    {" offset ", "skip"},
    {" order orderby order_by arrange ", "sort by"},
    {" mutate with_column with_columns withColumn extend assign compute set add ",
     "derive"},
    {" project keep pick ", "select"},
    {" remove delete exclude ", "drop"},
    {" groupby group_by ", "group by"},
    {" summarize summarise agg ", "aggregate"},
    {" load scan open from import extract input ", "read csv"},
    {" save store export output insert ", "write csv"},
    {" print echo show debug ", "log"},
    {" unique dedup uniq deduplicate ", "distinct"},
    {" append concat union_all ", "union"},
    {" inner merge ", "join"},
    {" wait delay pause ", "sleep"},
    {" throw raise error abort ", "fail"},
    {" system shell sh ", "exec"},
    {" foreach each for parallel apply ", "map"},
    {" reduce fold gather ", "collect"},
    {" unnest flatten ", "explode"},
    {" partition shard ", "split by"},
    {" ensure require expect ", "assert"},
};

static const Synonym DECLARATIONS[] = {
    {" def func function fun ", "fn"},
    {" import include require ", "use"},
    {" pipeline flow dag workflow main ", "job"},
    {" const var val constant ", "let"},
    {" task step stage transform proc operation operator ", "op"},
    {" arg input option parameter ", "param"},
    {" type struct record ", "schema"},
};

static const char *synonym_of(Str word, const Synonym *table, size_t n)
{
    Buf b = {0};
    buf_putc(&b, ' ');
    for (uint32_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        bool is_upper = c >= 'A' && c <= 'Z';
        buf_putc(&b,
                 word.len > 1 && is_upper && word.ptr[1] >= 'A' && word.ptr[1] <= 'Z'
                     ? (char)(c - 'A' + 'a')
                     : c);
    }
    buf_putc(&b, ' ');
    const char *ours = NULL;
    for (size_t i = 0; i < n && !ours; i++)
        if (strstr(table[i].words, b.ptr))
            ours = table[i].ours;
    buf_deinit(&b);
    return ours;
}

#define SYNONYM_OF(word, table) synonym_of(word, table, sizeof(table) / sizeof *(table))

/* The keyword that is meant by the word at i: the nearest with which the text reads on.
 */
static const Keyword *misspelt(const Mistake *m, size_t i)
{
    Str word = m->p->tokens.ptr[i].text;
    const Keyword *best = NULL;
    uint32_t distance = UINT32_MAX;
    for (size_t k = 0; k < N_KEYWORDS; k++) {
        Suggest s;
        suggest_init(&s, word);
        suggest_offer(&s, KEYWORDS[k].text);
        if (s.best.len && s.distance < distance &&
            parse_would_read(m->p, i, KEYWORDS[k].token)) {
            best = &KEYWORDS[k];
            distance = s.distance;
        }
    }
    return best;
}

/* In a job's own braces, not in those of an op in it. */
static bool is_in_job(const Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (!b)
        return m->p->start == TOK_START_FLOWS;
    return b->kind == TOK_LBRACE && b->token >= 2 &&
           mistake_kind_at(m, b->token - 2) == TOK_JOB;
}

/* The word at i stands where a statement or declaration begins, or ought to. */
static void report_word(Mistake *m, size_t i, const char *ours, bool is_near)
{
    const Token *w = &m->p->tokens.ptr[i];
    bool is_decl = m->p->n_brackets == 0 && m->p->start == TOK_START_FILE;
    bool is_first = mistake_is_first_word(m, i);
    DiagCode code = !is_first ? E_SYNTAX
                    : is_decl ? E_UNKNOWN_DECLARATION
                              : E_UNKNOWN_STATEMENT;
    const char *what = is_decl ? "declaration" : is_in_job(m) ? "stage" : "statement";
    Diag *d = is_first ? diag_add(m->diags, code, w->span, "`%.*s` is not a %s",
                                  STR_ARG(w->text), what)
                       : diag_add(m->diags, code, w->span,
                                  "`%.*s` is not expected here", STR_ARG(w->text));
    if (is_near) {
        diag_help(m->diags, d, "did you mean `%s`?", ours);
        diag_fix(m->diags, d, w->span, str_of(ours));
    } else if (ours) {
        diag_help(m->diags, d, "it is called `%s` here", ours);
    }
}

bool rule_misspelt(Mistake *m)
{
    size_t places[] = {m->p->at, m->i_prev}; /* bison may notice one token late */
    for (size_t k = 0; k < 2; k++) {
        size_t i = places[k];
        if (i == SIZE_MAX || mistake_kind_at(m, i) != TOK_NAME ||
            !mistake_is_first_word(m, i))
            continue;
        bool is_decl = m->p->n_brackets == 0 && m->p->start == TOK_START_FILE;
        const char *ours = is_decl ? SYNONYM_OF(m->p->tokens.ptr[i].text, DECLARATIONS)
                                   : SYNONYM_OF(m->p->tokens.ptr[i].text, STATEMENTS);
        if (ours) {
            report_word(m, i, ours, false);
            return true;
        }
    }
    for (size_t k = 0; k < 2; k++) {
        size_t i = places[k];
        if (i == SIZE_MAX || mistake_kind_at(m, i) != TOK_NAME)
            continue;
        if (k == 1 && token_is_first_of_line(m->p, m->p->at) &&
            !mistake_is_first_word(m, i))
            continue;
        const Keyword *keyword = misspelt(m, i);
        if (keyword) {
            report_word(m, i, keyword->text.ptr, true);
            return true;
        }
    }
    return false;
}

bool rule_unknown_word(Mistake *m)
{
    bool is_word = m->t->kind == TOK_NAME || m->t->kind == TOK_QNAME ||
                   token_class(m->t->kind) != KEYWORD_NONE;
    if (!is_word)
        return false;
    if (mistake_expects_declaration(m)) {
        Diag *d = diag_add(m->diags, E_UNKNOWN_DECLARATION, m->t->span,
                           "`%.*s` is not a declaration", STR_ARG(m->t->text));
        if (token_class(m->t->kind) == KEYWORD_STMT)
            diag_help(m->diags, d, "statements stand in an `op`, flows in a `job`");
        else
            diag_help(
                m->diags, d,
                "a file holds `op`, `job`, `fn`, `param`, `let`, `schema` and `use`");
        return true;
    }
    if (mistake_expects_statement(m)) {
        Diag *d = diag_add(m->diags, E_UNKNOWN_STATEMENT, m->t->span,
                           "`%.*s` is not a statement", STR_ARG(m->t->text));
        int next = mistake_kind_at(m, token_after(m->p, m->p->at, false));
        if (m->t->kind == TOK_MAP || m->t->kind == TOK_COLLECT)
            diag_help(m->diags, d, "`%.*s` is a stage of a job's flow",
                      STR_ARG(m->t->text));
        else if (next == TOK_NEWLINE || next == TOK_LPAREN || next == TOK_RBRACE)
            diag_help(m->diags, d,
                      "an op is used as a stage of a job, not inside another op");
        return true;
    }
    return false;
}

/* A keyword where only a name fits. */
bool rule_reserved(Mistake *m)
{
    KeywordClass class = token_class(m->t->kind);
    bool wants_name = mistake_expects(m, TOK_NAME) && mistake_expects(m, TOK_QNAME) &&
                      !mistake_expects_expression(m) && !mistake_expects_stage(m);
    if (!wants_name || (class != KEYWORD_RESERVED && class != KEYWORD_STMT))
        return false;
    Diag *d = diag_add(m->diags, E_RESERVED_NAME, m->t->span,
                       class == KEYWORD_RESERVED
                           ? "`%.*s` is a word of the language, not a name"
                           : "`%.*s` begins a statement: no op and no flow "
                             "is called like it",
                       STR_ARG(m->t->text));
    if (class == KEYWORD_RESERVED)
        diag_help(m->diags, d, "write it in backticks to use it as a name");
    else
        diag_help(m->diags, d, "choose another name, such as `%.*s_all`",
                  STR_ARG(m->t->text));
    return true;
}
