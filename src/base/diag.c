#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>

static const DiagInfo INFOS[] = {
#define DIAG(e, number, severity, title, wrong, right)                                 \
    [e] = {number, severity, title, wrong, right},
#include "base/diag_codes.def"
#undef DIAG
};

const DiagInfo *diag_info(DiagCode code)
{
    return &INFOS[code];
}

bool diag_code_by_name(Str name, DiagCode *out)
{
    uint32_t number = 0;
    if (name.len == 0 || name.len > 6)
        return false;
    bool is_bare = name.ptr[0] >= '0' && name.ptr[0] <= '9'; /* 200 is E0200 */
    char letter = is_bare ? 'E' : name.ptr[0];
    for (uint32_t i = is_bare ? 0 : 1; i < name.len; i++) {
        if (name.ptr[i] < '0' || name.ptr[i] > '9')
            return false;
        number = number * 10 + (uint32_t)(name.ptr[i] - '0');
    }
    for (int c = 0; c < N_DIAG_CODES; c++) {
        bool is_error = INFOS[c].severity == SEV_ERROR;
        if (INFOS[c].number == number && (is_error ? letter == 'E' || letter == 'e'
                                                   : letter == 'W' || letter == 'w')) {
            *out = (DiagCode)c;
            return true;
        }
    }
    return false;
}

void diags_init(Diags *ds)
{
    *ds = (Diags){.arena = arena_open()};
}

void diags_deinit(Diags *ds)
{
    arena_close(ds->arena);
    *ds = (Diags){0};
}

__attribute__((format(printf, 2, 0)))
static Str format(Arena *arena, const char *fmt, va_list ap)
{
    Buf b = {0};
    buf_vprintf(&b, fmt, ap);
    Str s = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return s;
}

Diag *diag_add(Diags *ds, DiagCode code, Span span, const char *fmt, ...)
{
    for (size_t i = ds->list.n; i-- > 0;) {
        Diag *d = ds->list.ptr[i];
        if (d->code == code && d->span.lo == span.lo && d->span.hi == span.hi)
            return d;
    }
    Diag *d = arena_new(ds->arena, Diag);
    d->code = code;
    d->span = span;
    va_list ap;
    va_start(ap, fmt);
    d->text = format(ds->arena, fmt, ap);
    va_end(ap);
    vec_push(ds->arena, &ds->list, d);
    if (INFOS[code].severity == SEV_ERROR)
        ds->n_errors++;
    else
        ds->n_warnings++;
    return d;
}

void diag_label(Diags *ds, Diag *d, Span span, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    DiagLabel label = {span, format(ds->arena, fmt, ap)};
    va_end(ap);
    for (size_t i = 0; i < d->labels.n; i++) /* the same Diag again */
        if (d->labels.ptr[i].span.lo == span.lo &&
            d->labels.ptr[i].span.hi == span.hi)
            return;
    vec_push(ds->arena, &d->labels, label);
}

/* A mistake that comes up again, as the same Diag, says the same again. */
static void push_once(Diags *ds, DiagTexts *list, Str text)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->ptr[i], text))
            return;
    vec_push(ds->arena, list, text);
}

void diag_note(Diags *ds, Diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    Str text = format(ds->arena, fmt, ap);
    va_end(ap);
    push_once(ds, &d->notes, text);
}

void diag_help(Diags *ds, Diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    Str text = format(ds->arena, fmt, ap);
    va_end(ap);
    push_once(ds, &d->helps, text);
}

void diag_fix_at(const char *file, int line, bool is_certain, Diags *ds, Diag *d, Span span, Str text)
{
    for (size_t i = 0; i < d->fixes.n; i++)
        if (d->fixes.ptr[i].span.lo == span.lo)
            return;
    DiagFix fix = {span, arena_str(ds->arena, text), file, line};
    vec_push(ds->arena, &d->fixes, fix);
    d->is_certain = d->is_certain || is_certain;
}

void diags_drop(Diags *ds, Span span)
{
    size_t n = 0;
    for (size_t i = 0; i < ds->list.n; i++) {
        Diag *d = ds->list.ptr[i];
        bool goes = d->span.lo >= span.lo && d->span.lo < span.hi;
        if (!goes)
            ds->list.ptr[n++] = d;
        else if (INFOS[d->code].severity == SEV_ERROR)
            ds->n_errors--;
        else
            ds->n_warnings--;
    }
    ds->list.n = n;
}

#define SYNTAX_CODES_END 100 /* as diag_codes.def numbers them */

/* Is it a mistake of the text itself: of its words and signs? */
static bool is_syntax(const Diag *d)
{
    return diag_info(d->code)->number < SYNTAX_CODES_END &&
           diag_info(d->code)->severity == SEV_ERROR;
}

bool diags_explain(const Diags *ds, Span span)
{
    for (size_t i = 0; i < ds->list.n; i++) {
        const Diag *d = ds->list.ptr[i];
        for (size_t k = 0; k < d->labels.n && is_syntax(d); k++)
            if (d->labels.ptr[k].span.lo < span.hi && d->labels.ptr[k].span.hi > span.lo)
                return true;
    }
    return false;
}

bool diags_is_torn(const Diags *ds, Span span)
{
    for (size_t i = 0; i < ds->list.n; i++) {
        const Diag *d = ds->list.ptr[i];
        if (is_syntax(d) && d->span.lo < span.hi &&
            d->span.hi > span.lo)
            return true;
    }
    return false;
}
