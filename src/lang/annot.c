#include "lang/annot.h"

#include <string.h>

#include "lang/bind.h"

#define MAX_ARGS 5

typedef struct ArgInfo {
    const char *name;
    const char *words; /* apart by one space; NULL: an expression */
    bool is_optional;
    bool takes_expr; /* also where words are */
} ArgInfo;

typedef struct Info {
    AnnotInfo info;
    ArgInfo args[MAX_ARGS];
} Info;

// clang-format off
#define ARG(n) {.name = n, .takes_expr = true}
#define OPT(n) {.name = n, .takes_expr = true, .is_optional = true}
#define WORD(n, w) {.name = n, .words = w}
#define OPT_WORD(n, w) {.name = n, .words = w, .is_optional = true}
#define ARG_OR_WORD(n, w) {.name = n, .words = w, .takes_expr = true}
#define NO_ARGS {.name = NULL}
// clang-format on
static const Info INFO[] = {
#define ANNOT(e, n, p, ...)                                                            \
    [ANNOT_##e] = {.info = {.name = n, .places = p}, .args = {__VA_ARGS__}},
#include "lang/annot.def"
#undef ANNOT
};

static uint32_t count_args(AnnotKind k)
{
    uint32_t n = 0;

    while (n < MAX_ARGS && INFO[k].args[n].name)
        n++;
    return n;
}

const AnnotInfo *annot_info(AnnotKind k)
{
    return &INFO[k].info;
}

bool annot_by_name(Str name, AnnotKind *out)
{
    for (AnnotKind k = 0; k < N_ANNOTS; k++)
        if (str_is(name, INFO[k].info.name)) {
            *out = k;
            return true;
        }
    return false;
}

/* The i-th of some words; len 0 beyond the last. */
static Str word_at(const char *words, uint32_t i)
{
    for (;;) {
        uint32_t len = (uint32_t)strcspn(words, " ");
        if (i-- == 0 || len == 0)
            return (Str){words, len};
        words += len + (words[len] == ' ');
    }
}

void annot_print_usage(AnnotKind k, Buf *out)
{
    uint32_t n = count_args(k);

    buf_printf(out, "@%s", INFO[k].info.name);
    for (uint32_t i = 0; i < n; i++) {
        const ArgInfo *a = &INFO[k].args[i];
        buf_puts(out, i ? ", " : "(");
        if (a->is_optional)
            buf_printf(out, "%s: ", a->name);
        if (a->takes_expr || a->is_optional)
            buf_puts(out, a->is_optional ? ".." : a->name);
        else
            for (uint32_t w = 0; word_at(a->words, w).len; w++)
                buf_printf(out, "%s%.*s", w ? "|" : "", STR_ARG(word_at(a->words, w)));
    }
    if (n)
        buf_putc(out, ')');
}

/* ---- mistakes ---- */

static void report_unknown(Diags *ds, const Ident *name)
{
    Diag *d = diag_add(ds, E_UNKNOWN_ANNOTATION, name->span,
                       "there is no annotation `@%.*s`", STR_ARG(name->text));
    Suggest near;

    suggest_init(&near, name->text);
    for (AnnotKind k = 0; k < N_ANNOTS; k++)
        suggest_offer(&near, str_of(INFO[k].info.name));
    if (near.best.len) {
        diag_help(ds, d, "did you mean `@%.*s`?", STR_ARG(near.best));
        diag_fix(ds, d, name->span, near.best);
        return;
    }
    Buf list = {0};
    for (AnnotKind k = 0; k < N_ANNOTS; k++)
        buf_put_name_in_list(&list, str_of(INFO[k].info.name), k, N_ANNOTS, "and");
    diag_help(ds, d, "the annotations are %s", list.ptr);
    buf_deinit(&list);
}

static const char *place_text(AnnotPlace place)
{
    switch (place) {
    case ON_OP:
        return "an op";
    case ON_STAGE:
        return "a stage";
    case ON_JOB:
        return "a job";
    }
    return "";
}

static void report_place(Diags *ds, AnnotKind k, Span span, AnnotPlace place)
{
    unsigned places = INFO[k].info.places;
    Diag *d = diag_add(ds, E_ANNOTATION_PLACE, span, "`@%s` does not belong on %s",
                       INFO[k].info.name, place_text(place));

    if (places == ON_JOB)
        diag_help(ds, d, "it concerns a whole job: write it before `job`");
    else
        diag_help(ds, d, "it concerns a step: write it before `op` or after a stage");
}

/* The text of a bare word; len 0: something else. `null` reads as a literal. */
static Str bare_word(const Expr *e)
{
    if (e->kind == EXPR_NAME)
        return e->name.text;
    if (e->kind == EXPR_LITERAL && e->lit.type == TYPE_NULL)
        return STR_LIT("null");
    return (Str){0};
}

static void report_word(Diags *ds, AnnotKind k, const ArgInfo *info, const Expr *e)
{
    Diag *d = diag_add(ds, E_ANNOTATION_WORD, e->span,
                       "`%s` of `@%s` is not one of its words", info->name,
                       INFO[k].info.name);
    Str word = bare_word(e);
    bool is_quoted = e->kind == EXPR_LITERAL && e->lit.type == TYPE_STRING;
    Suggest near;
    Buf list = {0};
    uint32_t n = 0;

    suggest_init(&near, is_quoted ? e->lit.s : word);
    while (word_at(info->words, n).len)
        suggest_offer(&near, word_at(info->words, n++));
    for (uint32_t i = 0; i < n; i++)
        buf_put_name_in_list(&list, word_at(info->words, i), i, n, "or");
    if (is_quoted && str_eq(near.best, e->lit.s)) {
        diag_help(ds, d, "write it without quotes: `%.*s`", STR_ARG(near.best));
        diag_fix(ds, d, e->span, near.best);
    } else if (!diag_suggest(ds, d, e->span, &near)) {
        diag_help(ds, d, "write %s", list.ptr);
    }
    buf_deinit(&list);
}

/* ---- arguments ---- */

typedef struct Bound {
    const Expr *value[MAX_ARGS]; /* NULL: not given, or a word */
    uint32_t word[MAX_ARGS];     /* index among the words; 0 when not given */
    bool is_word[MAX_ARGS];
} Bound;

/* Binds the arguments and reads the words; false after a mistake. */
static bool bind(Diags *ds, const Annotation *an, AnnotKind k, Bound *b)
{
    BindParam params[MAX_ARGS];
    const Arg *got[MAX_ARGS];
    char name[32] = "@";
    Callee callee = {.what = "annotation", .n = count_args(k), .params = params};
    bool ok = true;

    *b = (Bound){0};
    strcat(name, INFO[k].info.name);
    callee.name = str_of(name);
    for (uint32_t i = 0; i < callee.n; i++)
        params[i] =
            (BindParam){str_of(INFO[k].args[i].name), INFO[k].args[i].is_optional};
    if (!args_bind(ds, &callee, &an->args, an->span, got))
        return false;
    for (uint32_t i = 0; i < callee.n; i++) {
        const ArgInfo *info = &INFO[k].args[i];
        const Expr *e = got[i] ? got[i]->value : NULL;
        if (!e)
            continue;
        if (info->words) {
            Str word = bare_word(e);
            uint32_t w = 0;
            while (word_at(info->words, w).len &&
                   !str_eq(word_at(info->words, w), word))
                w++;
            b->is_word[i] = word_at(info->words, w).len > 0;
            if (b->is_word[i]) {
                b->word[i] = w;
                continue;
            }
            if (!info->takes_expr) {
                ok = false;
                if (e->kind != EXPR_ERROR)
                    report_word(ds, k, info, e);
                continue;
            }
        }
        b->value[i] = e;
    }
    return ok;
}

static void annot_set(Arena *a, Annots *out, AnnotKind k, const Bound *b, Span span)
{
    switch (k) {
    case ANNOT_PRIORITY:
        out->priority = b->value[0];
        break;
    case ANNOT_MAX_CONCURRENT:
        out->max_concurrent = b->value[0];
        break;
    case ANNOT_POOL:
        out->pool_name = b->value[0];
        out->pool_size = b->value[1];
        break;
    case ANNOT_IN_FLIGHT:
        out->in_flight = b->value[0];
        out->is_unbounded = b->is_word[0];
        break;
    case ANNOT_MAX_BATCHES:
        out->max_batches = b->value[0];
        break;
    case ANNOT_MEMORY:
        out->memory = b->value[0];
        break;
    case ANNOT_RETRY:
        out->retry.n = b->value[0];
        out->retry.delay = b->value[1];
        out->retry.backoff = (Backoff)b->word[2];
        out->retry.max_delay = b->value[3];
        out->retry.jitter = b->value[4];
        break;
    case ANNOT_TIMEOUT:
        out->timeout = b->value[0];
        break;
    case ANNOT_BAD_ROWS:
        out->bad_rows = (BadRows)b->word[0];
        out->rejects = b->value[1];
        break;
    case ANNOT_ON_FAILURE:
        out->on_failure = (OnFailure)b->word[0];
        break;
    case ANNOT_CHECKPOINT:
        break;
    case ANNOT_TAG:
        vec_push(a, &out->tags, ((Tag){b->value[0], b->value[1], span}));
        break;
    case ANNOT_DOC:
        out->doc = b->value[0];
        break;
    case N_ANNOTS:
        break;
    }
    out->spans[k] = span;
}

Annots annots_resolve(Arena *a, Diags *ds, const AnnotationList *list, AnnotPlace place)
{
    Annots out = {0};
    Span first[N_ANNOTS] = {{0, 0}}; /* also of wrong ones */

    for (size_t i = 0; i < list->n; i++) {
        const Annotation *an = &list->ptr[i];
        AnnotKind k;
        Bound b;

        if (an->name.text.len == 0)
            continue;
        if (!annot_by_name(an->name.text, &k)) {
            report_unknown(ds, &an->name);
            continue;
        }
        if (!(INFO[k].info.places & (unsigned)place)) {
            report_place(ds, k, an->span, place);
            continue;
        }
        if (first[k].hi && k != ANNOT_TAG) {
            Diag *d = diag_add(ds, E_DUPLICATE_ANNOTATION, an->span,
                               "`@%s` is given twice", INFO[k].info.name);
            diag_label(ds, d, first[k], "given here first");
            continue;
        }
        first[k] = an->span;
        if (bind(ds, an, k, &b))
            annot_set(a, &out, k, &b, an->span);
    }
    return out;
}

/* ---- what holds for a step ---- */

/* Copies annotation k, which `from` has. */
static void annot_copy(Annots *to, const Annots *from, AnnotKind k)
{
    switch (k) {
    case ANNOT_PRIORITY:
        to->priority = from->priority;
        break;
    case ANNOT_MAX_CONCURRENT:
        to->max_concurrent = from->max_concurrent;
        break;
    case ANNOT_POOL:
        to->pool_name = from->pool_name;
        to->pool_size = from->pool_size;
        break;
    case ANNOT_IN_FLIGHT:
        to->in_flight = from->in_flight;
        to->is_unbounded = from->is_unbounded;
        break;
    case ANNOT_MAX_BATCHES:
        to->max_batches = from->max_batches;
        break;
    case ANNOT_MEMORY:
        to->memory = from->memory;
        break;
    case ANNOT_RETRY:
        to->retry = from->retry;
        break;
    case ANNOT_TIMEOUT:
        to->timeout = from->timeout;
        break;
    case ANNOT_BAD_ROWS:
        to->bad_rows = from->bad_rows;
        to->rejects = from->rejects;
        break;
    case ANNOT_ON_FAILURE:
        to->on_failure = from->on_failure;
        break;
    case ANNOT_CHECKPOINT:
        break;
    case ANNOT_TAG:
        break; /* kept from all: annots_of_step */
    case ANNOT_DOC:
        to->doc = from->doc;
        break;
    case N_ANNOTS:
        break;
    }
    to->spans[k] = from->spans[k];
}

static bool is_handed_down(AnnotKind k)
{
    return INFO[k].info.places != ON_JOB && k != ANNOT_MAX_CONCURRENT &&
           k != ANNOT_DOC && k != ANNOT_TAG;
}

Annots annots_of_step(Arena *a, const Annots *stage, const Annots *job,
                      const Annots *op)
{
    const Annots *const farthest_first[] = {op, job, stage};
    Annots out = {0};

    for (size_t i = 0; i < 3; i++) {
        const Annots *from = farthest_first[i];
        if (!from)
            continue;
        for (AnnotKind k = 0; k < N_ANNOTS; k++)
            if (annots_has(from, k) && (from != job || is_handed_down(k)))
                annot_copy(&out, from, k);
        if (from != job)
            for (size_t t = 0; t < from->tags.n; t++)
                vec_push(a, &out.tags, from->tags.ptr[t]);
    }
    return out;
}
