/* syntax_words.c - rules about words that are misspelt, unknown or taken. */
#include "lang/syntax_error.h"

#include <string.h>

#include "base/suggest.h"
#include "lang/parse.h"
#include "pipe_parse.h"

typedef struct Synonym {
    const char *words; /* between blanks */
    const char *ours;
} Synonym;

static const Synonym STATEMENTS[] = {
    {" filter having keep_if subset ", "where"},
    {" limit head first ", "take"},
    {" cat zcat less more curl ", "read csv"},
    {" grep egrep rg awk sed ", "where"},
    {" cut ", "select"},
    {" wc tally length nrow ", "aggregate { n = count() }"},
    {" tail last ", "the first rows are `take 5`, those with the largest values `top 5 by a desc`"},
    {" offset ", "skip"},
    {" order orderby order_by arrange sort_by sort_values ", "sort by"},
    {" mutate with_column with_columns withColumn extend assign compute set add update ",
     "derive"},
    {" project keep pick ", "select"},
    {" remove delete exclude ", "drop"},
    {" groupby group_by grouped ", "group by"},
    {" value_counts count_by histogram ", "group by a { n = count() }"},
    {" describe summary info glimpse ", "what a file holds is shown by `pipemill sniff FILE.csv`; numbers of a column by `aggregate { low = min(a), mean = mean(a) }`"},
    {" summarize summarise agg ", "aggregate"},
    {" load scan open from extract input source ", "read csv"},
    {" save store export output insert sink tee to into ", "write csv"},
    {" print echo show debug ", "log"},
    {" unique dedup uniq deduplicate drop_duplicates unique_by ", "distinct"},
    {" append concat union_all ", "union"},
    {" inner merge ", "join"},
    {" wait delay pause ", "sleep"},
    {" throw raise error abort ", "fail"},
    {" system shell sh ", "exec"},
    {" foreach each parallel apply ", "map"},
    {" for while until loop repeat ",
     "there are no loops: a statement acts on every row, `map` runs an op on every batch"},
    {" if elif else switch match ",
     "a condition is a value, `if c then a else b`; rows are kept by `where`"},
    {" def fn function func ", "a `fn` is declared at the top of the file"},
    {" let const var ", "inside an op a column is defined by `derive`; a constant stands at the top of the file"},
    {" return yield ", "what the last statement of an op makes goes out of it: there is no `return`"},
    {" import include use require ", "`use` stands at the top of the file"},
    {" op job schema param ", "declarations stand at the top of the file: no `op` and no `job` inside another"},
    {" with ", "options stand behind the path: `read csv \"file.csv\" with (header: true)`"},
    {" replace cast transform map_values fill fillna ", "a column is made anew by `derive x = ...`"},
    {" right full outer cross natural ", "there are `join`, `left join`, `semi join` and `anti join`"},
    {" pivot unpivot melt spread transpose ", "columns become no rows and rows no columns: `group by` with an aggregate for each"},
    {" reduce fold gather ", "collect"},
    {" unnest flatten ", "explode"},
    {" partition shard ", "split by"},
    {" ensure require expect ", "assert"},
};

static const Synonym DECLARATIONS[] = {
    {" from using library source ", "use"},
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

const char *parse_foreign_word(Str word)
{
    return SYNONYM_OF(word, STATEMENTS);
}

const char *parse_foreign_statement(Str word)
{
    const char *ours = parse_foreign_word(word);
    return ours && !strchr(ours, '`') ? ours : NULL;
}

bool mistake_is_foreign_statement(const Mistake *m, size_t i)
{
    return mistake_kind_at(m, i) == TOK_NAME && SYNONYM_OF(m->p->tokens.ptr[i].text, STATEMENTS) != NULL;
}

/* Is what follows the word of other languages what follows ours? */
static bool is_same_form(const char *ours)
{
    static const char *const SAME[] = {"where", "take", "skip",     "sort by", "derive", "select",
                                       "drop",  "sleep", "distinct", "group by", "log",   NULL};
    for (size_t i = 0; SAME[i]; i++)
        if (strcmp(SAME[i], ours) == 0)
            return true;
    return false;
}

typedef struct Spelling {
    const Keyword *keyword;
    bool is_case_only;
    bool is_certain; /* no other word is as near */
} Spelling;

/* The keyword that is meant by the word at i: the nearest with which the text reads on. */
static Spelling misspelt(const Mistake *m, size_t i)
{
    Str word = m->p->tokens.ptr[i].text;
    Spelling best = {0};
    uint32_t distance = UINT32_MAX;
    if (word.len < 2)
        return best;
    for (size_t k = 0; k < N_KEYWORDS; k++) {
        Suggest s;
        suggest_init(&s, word);
        suggest_offer(&s, KEYWORDS[k].text);
        if (!s.best.len || s.distance > distance ||
            !parse_would_read(m->p, i, KEYWORDS[k].token))
            continue;
        bool is_better = s.distance < distance || (s.is_case_only && !best.is_case_only);
        if (!is_better) {
            best.is_certain = best.is_case_only;
            continue;
        }
        best.keyword = &KEYWORDS[k];
        best.is_case_only = s.is_case_only;
        best.is_certain = s.is_case_only || (s.distance == 1 && word.len >= 4);
        distance = s.distance;
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

/* The word at i stands where a statement or declaration begins, or ought to. near: what it is a misspelling of;
 * NULL: what `ours` is called elsewhere. */
static void report_word(Mistake *m, size_t i, const char *ours, const Spelling *near)
{
    const Token *w = &m->p->tokens.ptr[i];
    bool is_decl = m->p->n_brackets == 0 && m->p->start == TOK_START_FILE;
    bool is_first = mistake_is_first_word(m, i);
    if (near && near->is_case_only && !is_first) {
        Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, w->span, "`%.*s` is written `%s` here",
                           STR_ARG(w->text), ours);
        diag_help(m->diags, d, "the words of the language are in lower case");
        diag_fix_certain(m->diags, d, w->span, str_of(ours));
        return;
    }
    DiagCode code = !is_first ? E_SYNTAX
                    : is_decl ? E_UNKNOWN_DECLARATION
                              : E_UNKNOWN_STATEMENT;
    const char *what = is_decl ? "declaration" : is_in_job(m) ? "stage" : "statement";
    Diag *d = is_first ? diag_add(m->diags, code, w->span, "`%.*s` is not a %s",
                                  STR_ARG(w->text), what)
                       : diag_add(m->diags, code, w->span,
                                  "`%.*s` is not expected here", STR_ARG(w->text));
    if (near) {
        diag_help(m->diags, d, "did you mean `%s`?", ours);
        diag_fix(m->diags, d, w->span, str_of(ours));
        d->is_certain = near->is_certain;
    } else if (ours && strchr(ours, '`')) {
        diag_help(m->diags, d, "%s", ours);
    } else if (ours) {
        diag_help(m->diags, d, "it is called `%s` here", ours);
        /* `order by`: both words; `read csv` and the like want more than a word. */
        size_t by = mistake_next(m, i);
        bool has_by = str_ends(str_of(ours), STR_LIT(" by")) && mistake_word_at(m, by, "by");
        Span span = has_by ? span_join(w->span, mistake_token(m, by)->span) : w->span;
        diag_fix(m->diags, d, span, str_of(ours));
        int next = mistake_kind_at(m, mistake_next(m, i));
        bool is_path = next == TOK_SBEG || next == TOK_RAW;
        d->is_certain = (is_same_form(ours) && next != TOK_MINUS) || (is_path && str_ends(str_of(ours), STR_LIT(" csv")));
    }
}

bool rule_misspelt(Mistake *m)
{
    size_t places[] = {m->p->at, m->i_prev}; /* bison may notice one token late */
    for (size_t k = 0; k < 2; k++) {
        size_t i = places[k];
        KeywordClass class = i == SIZE_MAX ? KEYWORD_NONE : token_class(mistake_kind_at(m, i));
        bool is_other = (k == 1 && class == KEYWORD_DECL && m->t->kind == TOK_NAME && is_in_job(m)) ||
                        (k == 0 && (class == KEYWORD_DECL || class == KEYWORD_RESERVED ||
                                    mistake_kind_at(m, i) == TOK_LET || mistake_kind_at(m, i) == TOK_WITH));
        if (i == SIZE_MAX || (mistake_kind_at(m, i) != TOK_NAME && !is_other) ||
            !mistake_is_first_word(m, i))
            continue;
        bool is_decl = m->p->n_brackets == 0 && m->p->start == TOK_START_FILE;
        const char *ours = is_decl ? SYNONYM_OF(m->p->tokens.ptr[i].text, DECLARATIONS)
                                   : SYNONYM_OF(m->p->tokens.ptr[i].text, STATEMENTS);
        if (m->p->start == TOK_START_FLOWS && class == KEYWORD_DECL && m->p->n_brackets == 0)
            ours = "here stand the flows of a job, such as `read csv \"FILE\" | take 3`; declarations stand in a file: `pipemill run FILE`";
        if (ours) {
            report_word(m, i, ours, NULL);
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
        Spelling near = misspelt(m, i);
        if (near.keyword) {
            report_word(m, i, near.keyword->text.ptr, &near);
            return true;
        }
    }
    return false;
}

/* The lines below that are statements too are the same mistake. */
static void skip_statements(Mistake *m)
{
    size_t i = m->p->at, last = i;
    for (; mistake_kind_at(m, i) != TOK_END; i++) {
        int kind = mistake_kind_at(m, i);
        bool is_line = token_is_first_of_line(m->p, i) && i > m->p->at && kind != TOKEN_COMMENT && kind != TOK_NEWLINE;
        if (is_line && kind != TOK_PIPE && token_class(kind) != KEYWORD_STMT)
            break;
        if (kind == TOK_NEWLINE)
            last = i;
    }
    m->p->restart.token = mistake_kind_at(m, i) == TOK_END ? i : last;
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
        if (token_class(m->t->kind) == KEYWORD_STMT) {
            diag_help(m->diags, d, "statements stand in an `op`, flows in a `job`: `job main { read csv \"...\" | take 10 }`");
            skip_statements(m);
        }
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

/* `let where = ...` was refused, and here `where` is the flow again: that is the same mistake. */
bool rule_refused_name(Mistake *m)
{
    if (!m->prev || token_class(m->prev->kind) != KEYWORD_STMT || !mistake_is_first_word(m, m->i_prev) ||
        !(m->t->kind == TOK_PIPE || m->t->kind == TOK_RBRACE || token_is_end(m->t->kind)))
        return false;
    for (size_t i = 0; i < m->diags->list.n; i++) {
        const Diag *d = m->diags->list.ptr[i];
        Str name = str_slice(source_text(m->p->source), d->span.lo - source_base(m->p->source), d->span.hi - d->span.lo);
        if (d->code == E_RESERVED_NAME && str_eq(name, m->prev->text))
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
    bool is_source = m->t->kind == TOK_READ || m->t->kind == TOK_RANGE || m->t->kind == TOK_FILES;
    if (is_source && m->prev && (m->prev->kind == TOK_UNION || m->prev->kind == TOK_JOIN)) {
        Diag *d = diag_add(m->diags, E_SYNTAX, m->t->span, "`%.*s` takes a flow by its name", STR_ARG(m->prev->text));
        size_t last = mistake_part_end(m, m->p->at);
        for (size_t i = m->p->at; i <= last; i++)
            if (mistake_kind_at(m, i) == TOK_ON)
                last = mistake_prior(m, i);
        diag_help(m->diags, d, "give it one in the job, `let other = %.*s`, and write `%.*s other`",
                  STR_ARG(mistake_text(m, m->p->at, last)), STR_ARG(m->prev->text));
        return true;
    }
    Diag *d = diag_add(m->diags, E_RESERVED_NAME, m->t->span,
                       class == KEYWORD_RESERVED
                           ? "`%.*s` is a word of the language, not a name"
                           : "`%.*s` begins a statement: no op and no flow "
                             "is called like it",
                       STR_ARG(m->t->text));
    if (class == KEYWORD_RESERVED)
    {
        diag_help(m->diags, d, "write it in backticks to use it as a name");
        diag_fix_certain(m->diags, d, m->t->span, arena_printf(m->diags->arena, "`%.*s`", STR_ARG(m->t->text)));
    }
    else
        diag_help(m->diags, d, "choose another name, such as `%.*s_all`",
                  STR_ARG(m->t->text));
    return true;
}
