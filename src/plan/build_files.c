/* build_files.c - the files of a job: nobody writes one that another writes, or replaces a database; stdin is read once. */
#include "plan/build_state.h"

#include "base/path.h"

static bool same_value(const Tx *x, const Tx *y)
{
    return x->kind == TX_CONST && y->kind == TX_CONST && str_eq(x->value.s, y->value.s);
}

bool build_same_path(const Tx *x, const Tx *y)
{
    return x->kind == TX_CONST && y->kind == TX_CONST && path_same(x->value.s, y->value.s);
}

/* ---- what steps write ---- */

/* Do two writes share a file? Tables of one database do not. */
static bool same_output(const Pop *x, const Pop *y)
{
    return build_same_path(x->expr, y->expr) && (!x->expr2 || !y->expr2 || same_value(x->expr2, y->expr2));
}

static void report_same(Builder *b, const Pop *first, const Pop *p)
{
    Diag *d;
    if (p->expr2 && first->expr2) {
        d = diag_add(b->diags, E_SAME_PATH, p->expr2->span, "two steps write the table `%.*s` of `%.*s`",
                     STR_ARG(p->expr2->value.s), STR_ARG(p->expr->value.s));
        diag_label(b->diags, d, first->expr2->span, "the other one");
        diag_help(b->diags, d, "give them tables of their own");
        return;
    }
    d = diag_add(b->diags, E_SAME_PATH, p->expr->span, "two steps write `%.*s`", STR_ARG(p->expr->value.s));
    diag_label(b->diags, d, first->expr->span, "the other one");
    if (str_is(p->expr->value.s, "stdout"))
        diag_help(b->diags, d, "end all flows but one in `write csv \"file.csv\"`: "
                               "the rows of two would be mixed");
    else
        diag_help(b->diags, d, "give them paths of their own");
}

void build_register_sinks(Builder *b, Step *s)
{
    for (size_t i = 0; i < s->pops.n; i++) {
        Pop *p = s->pops.ptr[i];
        if (p->kind != POP_WRITE_CSV)
            continue;
        for (size_t k = 0; k < b->sinks.n; k++)
            if (same_output(b->sinks.ptr[k].pop, p))
                report_same(b, b->sinks.ptr[k].pop, p);
        p->sink = (uint32_t)b->sinks.n;
        PlanSink sink = {.step = s->id, .pop = p, .by_key = write_is_by_key(p)};
        vec_push(b->arena, &b->sinks, sink);
    }
}

/* ---- stdin ---- */

void build_register_stdin(Builder *b, const PopList *pops, uint32_t scope)
{
    const Pop *p = pops->n ? pops->ptr[0] : NULL;
    if (!p || p->kind != POP_READ_CSV || !str_is(p->path, "stdin"))
        return;
    if (scope != 0) {
        Diag *d = diag_add(b->diags, E_STDIN_TWICE, p->span,
                           "stdin would be read once for each batch");
        diag_help(b->diags, d, "read it in a flow of its own");
        return;
    }
    if (b->stdin_read.hi) {
        Diag *d = diag_add(b->diags, E_STDIN_TWICE, p->span, "stdin is read in two places");
        diag_label(b->diags, d, b->stdin_read, "here first");
        diag_help(b->diags, d, "read it once and name the flow: `let rows = read csv stdin`");
    }
    b->stdin_read = p->span;
}

/* ---- rejected rows ---- */

/* The read of a file that the path names; NULL: none, as far as the program tells. */
static const Pop *read_of(const Builder *b, const Tx *path)
{
    for (size_t i = 0; i < b->steps.n && path->kind == TX_CONST; i++) {
        const Step *s = b->steps.ptr[i];
        const Pop *p = s->pops.n ? s->pops.ptr[0] : NULL;
        if (!p || p->kind != POP_READ_CSV || p->expr)
            continue;
        if (p->is_pattern ? path_matches(p->path, path->value.s) : path_same(p->path, path->value.s))
            return p;
    }
    return NULL;
}

/* The rows that are rejected would replace what they come from. */
static void check_reject_reads(Builder *b)
{
    for (size_t i = 0; i < b->rejects.n; i++) {
        const PlanRejects *r = &b->rejects.ptr[i];
        const Pop *read = read_of(b, r->path);
        if (!read)
            continue;
        Diag *d = diag_add(b->diags, E_SAME_PATH, r->span, "rejected rows would replace `%.*s`, which the job reads",
                           STR_ARG(r->path->value.s));
        diag_label(b->diags, d, read->span, read->is_pattern ? "the pattern matches it" : "it is read here");
        diag_help(b->diags, d, read->is_pattern ? "give them a file that the pattern does not match"
                                                : "give them a file of their own");
    }
}

/* A file of rejected rows is none that a step writes. */
static void check_reject_writes(Builder *b)
{
    for (size_t i = 0; i < b->rejects.n; i++)
        for (size_t k = 0; k < b->sinks.n; k++) {
            const PlanRejects *r = &b->rejects.ptr[i];
            const Tx *path = b->sinks.ptr[k].pop->expr;
            if (!build_same_path(path, r->path))
                continue;
            Diag *d = diag_add(b->diags, E_SAME_PATH, r->span, "rejected rows and a step go to `%.*s`",
                               STR_ARG(path->value.s));
            diag_label(b->diags, d, path->span, "the step writes it");
            diag_help(b->diags, d, "give them paths of their own");
        }
}

/* A file would replace a database, of which only a query was read. */
static void check_database_writes(Builder *b)
{
    for (size_t k = 0; k < b->sinks.n; k++) {
        const Pop *write = b->sinks.ptr[k].pop, *read = read_of(b, write->expr);
        if (!read || read->dialect.format != ROWS_SQLITE || write->dialect.format == ROWS_SQLITE)
            continue;
        Diag *d = diag_add(b->diags, E_SAME_PATH, write->expr->span, "this file would replace the database `%.*s`, which the job reads",
                           STR_ARG(read->path));
        diag_label(b->diags, d, read->span, "it is read here");
        diag_help(b->diags, d, "write another file, or a table: `write sqlite \"%.*s\" table \"name\"`", STR_ARG(read->path));
    }
}

void build_check_files(Builder *b)
{
    check_database_writes(b);
    check_reject_writes(b);
    check_reject_reads(b);
}
