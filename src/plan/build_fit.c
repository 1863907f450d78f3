/* build_fit.c - can a stage stand where it stands? */
#include "plan/build_state.h"

#include "base/path.h"

bool build_begins_with_source(const Op *op)
{
    StmtKind k = op->body.n ? op->body.ptr[0]->kind : STMT_ERROR;
    return k == STMT_READ || k == STMT_RANGE || k == STMT_FILES;
}

bool build_loses_source(const Op *op)
{
    for (size_t i = 0; i < op->body.n; i++) {
        const Stmt *s = op->body.ptr[i];
        bool is_source = s->kind == STMT_READ || s->kind == STMT_RANGE || s->kind == STMT_FILES;
        if (is_source && i > 0)
            return true;
        if (s->kind == STMT_SPLIT && i + 1 < op->body.n)
            return true;
    }
    return false;
}

static void wrong_level(Builder *b, const StageDef *s, const Point *at)
{
    const Stage *st = s->stage;
    Str label = build_op_label(s);
    Diag *d;
    if (st->kind == STAGE_ONCE) {
        d = diag_add(b->diags, E_NEEDS_MAP, st->span,
                     "`%.*s` stands on a dynamic flow, which comes in batches", STR_ARG(label));
        diag_help(b->diags, d, "write `map` before it to run it on every batch, or `collect` to run "
                               "it once on all of them");
        diag_label(b->diags, d, at->from, at->is_auto ? "batches come from here: a `read` directly before `map` is `batch auto`"
                                                  : "batches come from here");
        diag_fix(b->diags, d, (Span){st->span.lo, st->span.lo}, STR_LIT("map "));
        return;
    }
    const char *word = st->kind == STAGE_MAP ? "map" : "collect";
    d = diag_add(b->diags, E_NEEDS_BATCHES, st->word_span,
                 "`%s` stands on a static flow, which is one table", word);
    if (s->op)
        diag_help(b->diags, d, "leave the `%s` out to run `%.*s` once, or make batches: `read csv "
                               "... batch 100`",
                  word, STR_ARG(label));
    else
        diag_help(b->diags, d, "leave it out: there is nothing to collect");
    diag_label(b->diags, d, at->from, "one table comes from here");
}

/* The flow that is written directly before the one that begins with the stage, and has no name; NULL: none. */
static const Flow *flow_above(const Builder *b, const Stage *st)
{
    const FlowList *flows = &b->job->decl->flows;
    for (size_t i = 1; i < flows->n; i++)
        if (flows->ptr[i]->stages.n && flows->ptr[i]->stages.ptr[0] == st && !flows->ptr[i]->name.text.len)
            return flows->ptr[i - 1];
    return NULL;
}

/* The fix that makes one flow of two: `;` between them becomes `|`. */
static void join_flow(Builder *b, Diag *d, const Flow *above, const Stage *st)
{
    Place p = sources_locate(b->host->sources, st->span.lo);
    if (!p.source)
        return;
    Str text = source_text(p.source);
    uint32_t base = source_base(p.source), hi = st->span.lo - base;
    for (uint32_t i = above->span.hi - base; i < hi; i++)
        if (text.ptr[i] == ';') {
            diag_fix_certain(b->diags, d, (Span){base + i, base + i + 1}, STR_LIT(" |"));
            return;
        } else if (text.ptr[i] == '#') {
            break;
        }
    diag_fix_certain(b->diags, d, (Span){st->span.lo, st->span.lo}, STR_LIT("| "));
}

static void no_input(Builder *b, const StageDef *s)
{
    const Stage *st = s->stage;
    Diag *d = diag_add(b->diags, E_NO_INPUT, st->span,
                       "nothing is piped into `%.*s`, and it does not begin with `read`",
                       STR_ARG(build_op_label(s)));
    const Flow *above = flow_above(b, st);
    if (!above || s->op->name.text.len) {
        diag_help(b->diags, d, "put a source before it: `read csv \"file.csv\" | ...`");
        return;
    }
    Span end = {above->span.hi, above->span.hi};
    diag_label(b->diags, d, end, "this flow ends here");
    diag_help(b->diags, d, "to go on with the flow above join it by `|`");
    join_flow(b, d, above, st);
}

bool build_stage_fits(Builder *b, const StageDef *s, bool is_source, const Point *at)
{
    bool is_torn = s->op && s->op->op->body.n && s->op->op->body.ptr[0]->kind == STMT_ERROR;
    if (!is_source) {
        bool fits = (s->stage->kind == STAGE_ONCE) == (at->scope == 0);
        if (!fits && !is_torn && !diags_is_torn(b->diags, b->job->decl->span))
            wrong_level(b, s, at);
        return fits;
    }
    bool begins = s->op && build_begins_with_source(s->op->op);
    if (s->op && !begins && build_loses_source(s->op->op))
        return false;
    if (diags_explain(b->diags, s->stage->span))
        return false;
    if (!begins && !is_torn)
        no_input(b, s);
    return begins;
}

/* A file that the job writes is there when the job ends: a read in the same flow finds what was there before. Tables of
 * databases are there when their step has ended. */
static void check_written(Builder *b, const Pop *source)
{
    for (size_t i = 0; i < b->sinks.n; i++) {
        const Tx *path = b->sinks.ptr[i].pop->expr;
        bool is_same = source->kind == POP_READ_CSV && !source->expr && !source->is_pattern && path->kind == TX_CONST &&
                       source->dialect.format != ROWS_SQLITE && path_same(source->path, path->value.s);
        if (!is_same)
            continue;
        Diag *d = diag_add(b->diags, E_DROPPED_ROWS, source->span, "`%.*s` is read as it was before the job: what is written is there when it ends",
                           STR_ARG(source->path));
        diag_label(b->diags, d, path->span, "it is written here");
        diag_help(b->diags, d, "leave the `read` out: `write` passes its rows on");
        return;
    }
}

void build_check_dropped(Builder *b, const Point *at, const Stage *st, Str label, const Pop *source)
{
    if (at->has_effect)
        check_written(b, source);
    if (at->has_effect || diags_is_torn(b->diags, b->job->decl->span))
        return;
    Diag *d = diag_add(b->diags, E_DROPPED_ROWS, st->span, "`%.*s` drops the rows that are piped into it",
                       STR_ARG(label));
    diag_label(b->diags, d, at->from, "the rows come from here");
    diag_help(b->diags, d, "begin a flow of its own with it; two tables become one by `let t = read csv \"...\"`, and then "
                           "`join t on ...` or `union t`");
}
