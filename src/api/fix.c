/* fix.c - fixes that are certain, applied to the text of a program. */
#include <stdlib.h>

#include "api/mill.h"
#include "lang/parse.h"

static int by_place(const void *a, const void *b)
{
    const Edit *x = a, *y = b;
    if (x->lo != y->lo)
        return x->lo < y->lo ? -1 : 1;
    return x->hi < y->hi ? -1 : x->hi > y->hi;
}

static bool overlaps(const EditList *edits, uint32_t lo, uint32_t hi)
{
    for (size_t i = 0; i < edits->n; i++) {
        const Edit *e = &edits->ptr[i];
        bool is_same_point = e->lo == lo && (e->lo == e->hi || lo == hi);
        if (is_same_point || (lo < e->hi && e->lo < hi))
            return true;
    }
    return false;
}

/* The edits of d, if all of them lie in the source. */
static bool edits_of(Arena *a, const Source *src, const Diag *d, EditList *out)
{
    uint32_t base = source_base(src), len = source_text(src).len;
    if (!d->is_certain || d->fixes.n == 0)
        return false;
    for (size_t i = 0; i < d->fixes.n; i++) {
        const DiagFix *f = &d->fixes.ptr[i];
        if (f->span.lo < base || f->span.hi > base + len || f->span.hi < f->span.lo)
            return false;
        vec_push(a, out, ((Edit){f->span.lo - base, f->span.hi - base, f->text}));
    }
    qsort(out->ptr, out->n, sizeof *out->ptr, by_place);
    return true;
}

/* text, between offsets, with the edits. They are in order. */
static Str edited(Arena *a, Str text, uint32_t from, uint32_t to, const EditList *edits)
{
    Buf b = {0};
    for (size_t i = 0; i < edits->n; i++) {
        buf_put_str(&b, str_slice(text, from, edits->ptr[i].lo - from));
        buf_put_str(&b, edits->ptr[i].text);
        from = edits->ptr[i].hi;
    }
    buf_put_str(&b, str_slice(text, from, to - from));
    Str s = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return s;
}

static uint32_t syntax_mistakes(Str name, Str text, bool is_flow)
{
    Sources *sources = sources_open();
    Arena *arena = arena_open();
    Diags ds;
    diags_init(&ds);
    const Source *src = sources_add(sources, name, text);
    if (is_flow)
        parse_flow(arena, src, STR_LIT("e"), &ds);
    else
        parse_file(arena, src, &ds);
    uint32_t n = ds.n_errors;
    diags_deinit(&ds);
    arena_close(arena);
    sources_close(sources);
    return n;
}

typedef struct Changes {
    Arena *arena;
    Vec(MillChange) list;
} Changes;

static void note_change(Changes *c, const Mill *m, const Diag *d, Str text, uint32_t base,
                        const EditList *edits)
{
    uint32_t lo = edits->ptr[0].lo, hi = edits->ptr[edits->n - 1].hi;
    Place at = sources_locate(m->sources, base + lo);
    MillChange change = {.code = d->code,
                         .line = at.line,
                         .col = at.col,
                         .from = arena_str(c->arena, str_slice(text, lo, hi - lo)),
                         .to = edited(c->arena, text, lo, hi, edits)};
    vec_push(c->arena, &c->list, change);
}

static int by_diag(const void *a, const void *b)
{
    const Diag *x = *(Diag *const *)a, *y = *(Diag *const *)b;
    if (x->span.lo != y->span.lo)
        return x->span.lo < y->span.lo ? -1 : 1;
    return 0;
}

/* Of a sign that joins conditions, or strings where it was written for SQL? */
static bool is_of_bars(const Mill *m, const Diag *d)
{
    Place at = sources_locate(m->sources, d->span.lo);
    Str sign = str_slice(at.text, at.offset_in_line, d->span.hi - d->span.lo);
    return d->code == E_FOREIGN_OPERATOR && (str_is(sign, "||") || str_is(sign, "&"));
}

/* As long as the text has other mistakes, or its line has one of any kind, its types are not known. */
static bool is_early(const Mill *m, const Diag *d)
{
    uint32_t line = sources_locate(m->sources, d->span.lo).line;
    for (size_t i = 0; i < m->diags.list.n && is_of_bars(m, d); i++) {
        const Diag *x = m->diags.list.ptr[i];
        bool is_near = diag_info(x->code)->number < 100 || sources_locate(m->sources, x->span.lo).line == line;
        if (diag_info(x->code)->severity == SEV_ERROR && is_near && !is_of_bars(m, x))
            return true;
    }
    return false;
}

/* Applies what it can of the fixes in ds, each after the ones before it: the text afterwards, and the edits in *made. one_by_one:
 * each is tried alone, and left if it makes the text worse. */
static Str apply(const Mill *m, const Source *src, bool one_by_one, Changes *c, EditList *made)
{
    Str text = source_text(src), name = source_name(src);
    size_t n = m->diags.list.n;
    Diag **order = arena_array(c->arena, Diag *, n + 1);
    for (size_t i = 0; i < n; i++)
        order[i] = m->diags.list.ptr[i];
    qsort(order, n, sizeof *order, by_diag);

    EditList all = {0};
    uint32_t before = one_by_one ? syntax_mistakes(name, text, m->is_flow) : 0;
    for (size_t i = 0; i < n; i++) {
        EditList own = {0}, trial = {0};
        if (!edits_of(c->arena, src, order[i], &own) || is_early(m, order[i]))
            continue;
        bool fits = true;
        for (size_t k = 0; k < own.n; k++)
            fits = fits && !overlaps(&all, own.ptr[k].lo, own.ptr[k].hi);
        if (!fits)
            continue;
        for (size_t k = 0; k < all.n; k++)
            vec_push(c->arena, &trial, all.ptr[k]);
        for (size_t k = 0; k < own.n; k++)
            vec_push(c->arena, &trial, own.ptr[k]);
        qsort(trial.ptr, trial.n, sizeof *trial.ptr, by_place);
        if (one_by_one) {
            Str tried = edited(c->arena, text, 0, text.len, &trial);
            uint32_t after = syntax_mistakes(name, tried, m->is_flow);
            if (after > before)
                continue;
            before = after;
        }
        all = trial;
        note_change(c, m, order[i], text, source_base(src), &own);
    }
    *made = all;
    return edited(c->arena, text, 0, text.len, &all);
}

/* One round over a checked program; false: nothing is left to do. */
static bool fix_round(const Mill *m, Changes *all, Str *text, EditList *made)
{
    const Source *src = mill_main_source(m);
    Changes now = {.arena = all->arena};
    Str next = apply(m, src, false, &now, made);
    if (now.list.n == 0)
        return false;
    if (syntax_mistakes(source_name(src), next, m->is_flow) >
        syntax_mistakes(source_name(src), source_text(src), m->is_flow)) {
        now = (Changes){.arena = all->arena};
        next = apply(m, src, true, &now, made);
    }
    if (now.list.n == 0 || str_eq(next, source_text(src)))
        return false;
    for (size_t i = 0; i < now.list.n; i++)
        vec_push(all->arena, &all->list, now.list.ptr[i]);
    *text = next;
    return true;
}

bool mill_fix_once(const Mill *m, Arena *arena, Str *text, EditList *made)
{
    Changes changes = {.arena = arena};
    return fix_round(m, &changes, text, made);
}

void mill_fix(const Mill *m, MillFixed *out)
{
    EditList made;
    Changes all = {.arena = arena_open()};
    const Source *src = mill_main_source(m);
    Str text = arena_str(all.arena, source_text(src));
    bool goes_on = fix_round(m, &all, &text, &made);
    for (uint32_t i = 1; goes_on && i < MAX_FIX_ROUNDS; i++) {
        Mill *again = mill_open_again(m, text);
        goes_on = again != NULL;
        if (goes_on) {
            mill_check(again);
            goes_on = fix_round(again, &all, &text, &made);
        }
        mill_close(again);
    }
    *out = (MillFixed){.arena = all.arena, .text = text, .n = (uint32_t)all.list.n,
                       .changes = all.list.ptr};
}

void mill_fixed_deinit(MillFixed *f)
{
    arena_close(f->arena);
    *f = (MillFixed){0};
}
