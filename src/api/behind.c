/* behind.c - mistakes that stand behind others: found in the text as the certain fixes make it, told of the text as it is. */
#include <stdlib.h>

#include "api/mill.h"

/* Where a place of the text with the edits was before; in what an edit has put there: its begin. */
static uint32_t place_before(const EditList *edits, uint32_t at)
{
    uint32_t gone = 0, made = 0; /* bytes, up to here */
    for (size_t i = 0; i < edits->n; i++) {
        const Edit *e = &edits->ptr[i];
        uint32_t begin = e->lo - gone + made;
        if (at < begin)
            break;
        if (at < begin + e->text.len)
            return e->lo;
        gone += e->hi - e->lo;
        made += e->text.len;
    }
    return at + gone - made;
}

static bool touches_edit(const EditList *edits, uint32_t lo, uint32_t hi)
{
    uint32_t gone = 0, made = 0;
    for (size_t i = 0; i < edits->n; i++) {
        const Edit *e = &edits->ptr[i];
        uint32_t begin = e->lo - gone + made, end = begin + e->text.len;
        bool is_inside = lo < begin && begin < hi; /* what was taken out, too */
        if (is_inside || (lo < end && begin < hi))
            return true;
        gone += e->hi - e->lo;
        made += e->text.len;
    }
    return false;
}

static bool is_error(const Diag *d)
{
    return diag_info(d->code)->severity == SEV_ERROR;
}

/* Is something of this place told already? */
static bool is_told(const Diags *ds, Span span)
{
    for (size_t i = 0; i < ds->list.n; i++) {
        const Diag *d = ds->list.ptr[i];
        bool is_same = d->span.lo == span.lo || (d->span.lo < span.hi && span.lo < d->span.hi);
        if (is_error(d) && is_same)
            return true;
    }
    return false;
}

typedef struct Behind {
    Mill *to;
    const Mill *from; /* the same program with the edits */
    const EditList *edits;
} Behind;

/* False: it lies in another file, or in none. */
static bool span_before(const Behind *b, Span span, Span *out)
{
    const Source *from = mill_main_source(b->from);
    uint32_t base = source_base(from), new_base = source_base(mill_main_source(b->to));
    if (span.lo < base || span.hi > base + source_text(from).len)
        return false;
    uint32_t lo = place_before(b->edits, span.lo - base), hi = place_before(b->edits, span.hi - base);
    *out = (Span){new_base + lo, new_base + (hi > lo ? hi : lo)};
    return true;
}

static void tell(const Behind *b, const Diag *d)
{
    Span span, at;
    uint32_t base = source_base(mill_main_source(b->from));
    Diags *ds = &b->to->diags;
    if (!is_error(d) || !span_before(b, d->span, &span) || touches_edit(b->edits, d->span.lo - base, d->span.hi - base) ||
        is_told(ds, span))
        return;
    Diag *told = diag_add(ds, d->code, span, "%.*s", STR_ARG(d->text));
    for (size_t i = 0; i < d->labels.n; i++)
        if (span_before(b, d->labels.ptr[i].span, &at))
            diag_label(ds, told, at, "%.*s", STR_ARG(d->labels.ptr[i].text));
    for (size_t i = 0; i < d->notes.n; i++)
        diag_note(ds, told, "%.*s", STR_ARG(d->notes.ptr[i]));
    for (size_t i = 0; i < d->helps.n; i++)
        diag_help(ds, told, "%.*s", STR_ARG(d->helps.ptr[i]));
}

static void tell_behind(Mill *m, int32_t job, uint32_t n_rounds)
{
    Arena *arena = arena_open();
    Str text;
    EditList edits = {0};
    Mill *again = m->diags.n_errors && n_rounds && mill_fix_once(m, arena, &text, &edits) ? mill_open_again(m, text) : NULL;
    if (again) {
        int32_t same = job < 0 ? -1 : mill_find_job(again, m->jobs.ptr[job]);
        if (same >= 0)
            mill_plan(again, (uint32_t)same);
        else
            mill_check(again);
        tell_behind(again, same, n_rounds - 1);
        const Behind b = {.to = m, .from = again, .edits = &edits};
        bool is_asked = again->catalog.was_asked && !m->catalog.was_asked; /* for what cannot be given */
        for (size_t i = 0; i < again->diags.list.n && !is_asked; i++)
            tell(&b, again->diags.list.ptr[i]);
        mill_close(again);
    }
    arena_close(arena);
}

void mill_tell_behind(Mill *m, int32_t job)
{
    tell_behind(m, job, MAX_FIX_ROUNDS);
}
