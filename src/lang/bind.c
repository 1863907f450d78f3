#include "lang/bind.h"

#include <string.h>

bool diag_suggest(Diags *ds, Diag *d, Span span, const Suggest *s)
{
    if (s->best.len == 0)
        return false;
    diag_help(ds, d, "did you mean `%.*s`?", STR_ARG(s->best));
    diag_fix(ds, d, span, s->best);
    return true;
}

void buf_put_name_in_list(Buf *b, Str name, size_t i, size_t n, const char *last)
{
    if (i > 0 && i + 1 == n)
        buf_printf(b, " %s ", last);
    else if (i > 0)
        buf_puts(b, ", ");
    buf_printf(b, "`%.*s`", STR_ARG(name));
}

static void label_callee(Diags *ds, Diag *d, const Callee *c)
{
    if (c->decl.hi)
        diag_label(ds, d, c->decl, "%s `%.*s` is declared here", c->what,
                   STR_ARG(c->name));
}

static void report_unknown(Diags *ds, const Callee *c, const Ident *name)
{
    Diag *d =
        diag_add(ds, E_UNKNOWN_ARG, name->span, "%s `%.*s` has no parameter `%.*s`",
                 c->what, STR_ARG(c->name), STR_ARG(name->text));
    Suggest near;
    Buf list = {0};

    suggest_init(&near, name->text);
    for (uint32_t i = 0; i < c->n; i++) {
        suggest_offer(&near, c->params[i].name);
        buf_put_name_in_list(&list, c->params[i].name, i, c->n, "and");
    }
    label_callee(ds, d, c);
    if (!diag_suggest(ds, d, name->span, &near) && c->n > 0)
        diag_help(ds, d, "it takes %s", list.ptr);
    buf_deinit(&list);
}

static void report_too_many(Diags *ds, const Callee *c, const ArgList *args, size_t i)
{
    Diag *d;
    Span at = {args->ptr[i].span.lo, args->ptr[args->n - 1].span.hi};

    if (c->n == 0)
        d = diag_add(ds, E_TOO_MANY_ARGS, at, "%s `%.*s` takes no arguments", c->what,
                     STR_ARG(c->name));
    else
        d = diag_add(ds, E_TOO_MANY_ARGS, at,
                     "%s `%.*s` takes %s%u argument%s, but %zu are given", c->what,
                     STR_ARG(c->name),
                     c->params[c->n - 1].is_optional ? "at most " : "", c->n,
                     c->n == 1 ? "" : "s", args->n);
    label_callee(ds, d, c);
}

static void report_missing(Diags *ds, const Callee *c, Span at, const Arg *const *got)
{
    Buf list = {0};
    size_t n = 0, k = 0;
    Diag *d;

    for (uint32_t i = 0; i < c->n; i++)
        n += !got[i] && !c->params[i].is_optional;
    if (n == 0)
        return;
    for (uint32_t i = 0; i < c->n; i++)
        if (!got[i] && !c->params[i].is_optional)
            buf_put_name_in_list(&list, c->params[i].name, k++, n, "and");
    d = diag_add(ds, E_MISSING_ARG, at, "%s `%.*s` needs %s for %s", c->what,
                 STR_ARG(c->name), n == 1 ? "an argument" : "arguments", list.ptr);
    label_callee(ds, d, c);
    if (n == k && c->n == n) { /* nothing was given */
        list.len = 0;
        for (uint32_t i = 0; i < c->n; i++)
            buf_printf(&list, "%s%.*s", i ? ", " : "", STR_ARG(c->params[i].name));
        diag_help(ds, d, "write `%.*s(%.*s)`", STR_ARG(c->name), STR_ARG(buf_str(&list)));
    }
    buf_deinit(&list);
}

/* Index of the parameter that argument i is for; -1 when there is none. */
static int32_t param_of(const Callee *c, const ArgList *args, size_t i)
{
    Str name = args->ptr[i].name.text;

    if (name.len == 0)
        return i < c->n ? (int32_t)i : -1;
    for (uint32_t k = 0; k < c->n; k++)
        if (str_eq(c->params[k].name, name))
            return (int32_t)k;
    return -1;
}

bool args_bind(Diags *ds, const Callee *c, const ArgList *args, Span at,
               const Arg **out)
{
    bool ok = true, said_many = false;
    const Arg *named = NULL; /* the first */

    for (uint32_t k = 0; k < c->n; k++)
        out[k] = NULL;
    for (size_t i = 0; i < args->n; i++) {
        const Arg *arg = &args->ptr[i];
        bool is_named = arg->name.text.len > 0;
        int32_t k = param_of(c, args, i);

        if (is_named && !named)
            named = arg;
        if (!is_named && named) {
            ok = false;
            if (ds) {
                Diag *d =
                    diag_add(ds, E_ARG_ORDER, arg->span,
                             "an argument without a name cannot follow a named one");
                diag_label(ds, d, named->span, "this one is named");
                if (i < c->n && !out[i])
                    diag_help(ds, d, "name it too, as `%.*s: ..`",
                              STR_ARG(c->params[i].name));
                else
                    diag_help(ds, d, "put the named arguments last");
            }
        } else if (k < 0) {
            ok = false;
            if (ds && is_named)
                report_unknown(ds, c, &arg->name);
            else if (ds && !said_many)
                report_too_many(ds, c, args, i);
            said_many |= !is_named;
        } else if (out[k]) {
            ok = false;
            if (ds) {
                Diag *d = diag_add(ds, E_DUPLICATE_ARG, arg->span,
                                   "`%.*s` is given twice", STR_ARG(c->params[k].name));
                diag_label(ds, d, out[k]->span, "given here first");
            }
        } else {
            out[k] = arg;
        }
    }
    if (!ok)
        return false;
    if (ds)
        report_missing(ds, c, at, out);
    for (uint32_t k = 0; k < c->n; k++)
        ok &= out[k] || c->params[k].is_optional;
    return ok;
}
